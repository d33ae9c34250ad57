/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of coax-sim(1):
 *
 * coax-sim [--trace] [--json] FILE...
 * coax-sim --random N [--seed S] [--jobs N] [--bridges N] [--mask M] [--strict]
 *          [--reverse] [--no-shrink] [--trace] [--json]
 *
 * Exit status: 0 all passed, 1 some failed, 2 usage.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report.h"

/* Cases. */

static const char *
case_name(json_t *c, const char *path)
{
	json_t *name = json_object_get(c, "name");

	return json_is_string(name) ? json_string_value(name) : path;
}

static void
run_case(struct sim_report *t, const char *path, json_t *c, bool trace)
{
	struct sim_loops loops[SIM_EXCUSES] = { 0 };
	char what[1024];
	int result;

	if (trace)
		printf("# %s\n", case_name(c, path));
	result = sim_case(c, trace, loops, what, sizeof(what));
	sim_report_case(t, case_name(c, path), result == 0, what, loops);
}

static void
run_file(struct sim_report *t, const char *path, bool trace)
{
	json_error_t error;
	char what[512];
	json_t *cases = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	json_t *c;
	size_t i;

	if (cases == NULL) {
		if (error.line > 0)
			snprintf(what, sizeof(what), "line %d: %s", error.line,
			    error.text);
		else
			snprintf(what, sizeof(what), "%s", error.text);
		sim_report_case(t, path, false, what, NULL);
		return;
	}
	if (json_is_object(cases))
		run_case(t, path, cases, trace);
	else if (!json_is_array(cases))
		sim_report_case(
		    t, path, false, "neither a case nor a list of cases", NULL);
	json_array_foreach(cases, i, c) run_case(t, path, c, trace);
	json_decref(cases);
}

/* Random runs. */

static void
run_random(struct sim_report *t, const struct sim_request *q)
{
	struct sim_outcomes outcomes;

	sim_jobs_run(q, &outcomes);
	sim_report_random(t, q, &outcomes);
	free(outcomes.list);
}

/* The command line. */

static int
usage(FILE *to)
{
	fprintf(to,
	    "usage: coax-sim [--trace] [--json] FILE...\n"
	    "       coax-sim --random N [--seed S] [--jobs N] [--bridges N]\n"
	    "                [--mask M] [--strict] [--reverse] [--no-shrink]\n"
	    "                [--trace] [--json]\n");
	return to == stdout ? 0 : 2;
}

static bool
number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	return errno == 0 && *end == '\0' && *text >= '0' && *text <= '9' &&
	       *out >= min && *out <= max;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "random", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "jobs", required_argument, NULL, 'J' },
		{ "bridges", required_argument, NULL, 'b' },
		{ "mask", required_argument, NULL, 'm' },
		{ "trace", no_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "strict", no_argument, NULL, 'x' },
		{ "no-shrink", no_argument, NULL, 'n' },
		{ "reverse", no_argument, NULL, 'R' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct sim_request q = { .jobs = 1, .seed = 1 };
	uint64_t bridges = 0, jobs = 1;
	bool good = true, json = false, only_random = false;
	struct sim_report t;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		only_random |= strchr("sJbmxnR", c) != NULL;
		switch (c) {
		case 'r':
			good &= number(optarg, 1, UINT32_MAX, &q.count);
			break;
		case 's':
			good &= number(optarg, 0, UINT64_MAX, &q.seed);
			break;
		case 'J':
			good &= number(optarg, 1, SIM_JOBS_MAX, &jobs);
			break;
		case 'b':
			good &= number(optarg, 2, SIM_BRIDGES_MAX, &bridges);
			break;
		case 'm':
			good &= number(optarg, 0, UINT64_MAX, &q.mask);
			break;
		case 't':
			q.trace = true;
			break;
		case 'j':
			json = true;
			break;
		case 'x':
			q.strict = true;
			break;
		case 'n':
			q.no_shrink = true;
			break;
		case 'R':
			q.reverse = true;
			break;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	/* Files or random runs; what is said of random ones goes with them, and
	 * a trace is no JSON. */
	if (!good || (q.count > 0) == (optind < argc) ||
	    (only_random && q.count == 0) || (q.trace && (json || jobs > 1)))
		return usage(stderr);
	q.bridges = (uint32_t)bridges;
	q.jobs = (uint32_t)jobs;
	sim_report_init(&t, json);
	if (q.count > 0)
		run_random(&t, &q);
	for (int i = optind; i < argc; i++)
		run_file(&t, argv[i], q.trace);
	sim_report_finish(&t);
	return t.failed > 0 ? 1 : 0;
}

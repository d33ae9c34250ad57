/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax-sim [--trace] [--json] FILE...
 * coax-sim --random N [--seed S] [--bridges N] [--strict] [--trace]
 *          [--json]
 *
 * Files hold cases (tests/sim/README.md): one line each, and the sum last.  A
 * random run that fails is run again with fewer faults until none can be left
 * out; its seed repeats it.
 *
 * Exit status: 0 all passed, 1 some failed, 2 usage.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

struct totals {
	uint64_t passed, failed;
	json_t *list; /* with --json */
};

static void
report(struct totals *t, const char *name, int result, const char *what)
{
	if (result == 0)
		t->passed++;
	else
		t->failed++;
	if (t->list != NULL) {
		json_t *o = json_object();

		json_object_set_new(o, "name", json_string(name));
		json_object_set_new(o, "ok", json_boolean(result == 0));
		if (result != 0)
			json_object_set_new(o, "what", json_string(what));
		json_array_append_new(t->list, o);
	} else if (result == 0) {
		printf("ok %s\n", name);
	} else {
		printf("FAIL %s: %s\n", name, what);
	}
}

static const char *
case_name(json_t *c, const char *path)
{
	json_t *name = json_object_get(c, "name");

	return json_is_string(name) ? json_string_value(name) : path;
}

static void
run_file(struct totals *t, const char *path, bool trace)
{
	json_error_t error;
	char what[512];
	json_t *cases = json_load_file(path, JSON_REJECT_DUPLICATES, &error),
	       *c;
	size_t i;

	if (cases == NULL) {
		snprintf(
		    what, sizeof(what), "line %d: %s", error.line, error.text);
		report(t, path, -1, what);
		return;
	}
	if (json_is_object(cases)) {
		int result = sim_case(cases, trace, what, sizeof(what));

		report(t, case_name(cases, path), result, what);
	} else if (!json_is_array(cases)) {
		report(t, path, -1, "neither a case nor a list of cases");
	}
	json_array_foreach(cases, i, c)
	{
		int result;

		if (trace)
			printf("# %s\n", case_name(c, path));
		result = sim_case(c, trace, what, sizeof(what));
		report(t, case_name(c, path), result, what);
	}
	json_decref(cases);
}

/* Leaves out one fault after another as long as it still fails. */
static void
shrink(struct sim_random_options *o, char *what, size_t size)
{
	struct sim_random ignored = { 0 };

	for (uint32_t i = 0; i < SIM_FAULTS_MAX; i++) {
		char text[512];

		o->mask |= 1ull << i;
		if (sim_random_run(o, &ignored, text, sizeof(text)))
			o->mask &= ~(1ull << i);
		else
			snprintf(what, size, "%s", text);
	}
}

static void
run_random(struct totals *t, uint64_t count, uint64_t seed, uint32_t bridges,
    uint64_t mask, bool trace, bool strict)
{
	struct sim_random total = { 0 };

	for (uint64_t i = 0; i < count; i++) {
		struct sim_random_options o = {
			.seed = seed + i,
			.bridges = bridges,
			.mask = mask,
			.trace = trace,
			.strict = strict,
		};
		char what[512], text[700], name[64];

		if (sim_random_run(&o, &total, what, sizeof(what))) {
			t->passed++;
			continue;
		}
		o.trace = false;
		shrink(&o, what, sizeof(what));
		snprintf(name, sizeof(name), "seed %llu",
		    (unsigned long long)o.seed);
		snprintf(text, sizeof(text),
		    "%s (again: --random 1 --seed %llu --mask %#llx --trace)",
		    what, (unsigned long long)o.seed,
		    (unsigned long long)o.mask);
		report(t, name, 1, text);
	}
	if (t->list != NULL) {
		json_t *o = json_object();

		json_object_set_new(o, "name", json_string("random"));
		json_object_set_new(
		    o, "events", json_integer((json_int_t)total.events));
		json_object_set_new(o, "topologies",
		    json_integer((json_int_t)total.topologies));
		json_object_set_new(
		    o, "excused_loops", json_integer((json_int_t)total.loops));
		json_object_set_new(o, "excused_loop_longest_s",
		    json_real((double)total.loop_longest_ns / 1e9));
		json_object_set_new(o, "short_loops",
		    json_integer((json_int_t)total.short_loops));
		json_object_set_new(o, "short_loop_longest_s",
		    json_real((double)total.short_longest_ns / 1e9));
		json_object_set_new(o, "rest_longest_s",
		    json_real((double)total.rest_max_ns / 1e9));
		json_object_set_new(o, "transitions_per_port_max",
		    json_integer(total.steps_max));
		json_array_append_new(t->list, o);
		return;
	}
	printf("# %llu events in %llu topologies; %u not checked at rest (too "
	       "deep, or equal identifiers)\n",
	    (unsigned long long)total.events,
	    (unsigned long long)total.topologies, total.rest_skipped);
	printf("# loops of crossing agreements: %llu, longest %.6f s\n",
	    (unsigned long long)total.short_loops,
	    (double)total.short_longest_ns / 1e9);
	printf("# loops excused in %llu of them, longest %.3f s; longest way "
	       "to rest %.3f s; at most %u transitions of a port\n",
	    (unsigned long long)total.loops,
	    (double)total.loop_longest_ns / 1e9,
	    (double)total.rest_max_ns / 1e9, total.steps_max);
}

static int
usage(void)
{
	fprintf(stderr,
	    "usage: coax-sim [--trace] [--json] FILE...\n"
	    "       coax-sim --random N [--seed S] [--bridges N] [--mask M] "
	    "[--strict] [--trace] [--json]\n");
	return 2;
}

static bool
number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	return errno == 0 && *end == '\0' && *text >= '0' && *text <= '9';
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "random", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "bridges", required_argument, NULL, 'b' },
		{ "mask", required_argument, NULL, 'm' },
		{ "trace", no_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "strict", no_argument, NULL, 'x' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t random = 0, seed = 1, bridges = 0, mask = 0;
	struct totals t = { 0 };
	bool trace = false, json = false, strict = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		bool good = true;

		switch (c) {
		case 'r':
			good = number(optarg, &random) && random > 0;
			break;
		case 's':
			good = number(optarg, &seed);
			break;
		case 'b':
			good = number(optarg, &bridges) && bridges >= 2 &&
			       bridges <= 500;
			break;
		case 'm':
			good = number(optarg, &mask);
			break;
		case 't':
			trace = true;
			break;
		case 'j':
			json = true;
			break;
		case 'x':
			strict = true;
			break;
		default:
			return usage();
		}
		if (!good)
			return usage();
	}
	if ((random > 0) == (optind < argc))
		return usage();
	if (json)
		t.list = json_array();
	if (random > 0)
		run_random(
		    &t, random, seed, (uint32_t)bridges, mask, trace, strict);
	for (int i = optind; i < argc; i++)
		run_file(&t, argv[i], trace);
	if (json) {
		json_t *o = json_object();

		json_object_set_new(o, "cases", t.list);
		json_object_set_new(
		    o, "passed", json_integer((json_int_t)t.passed));
		json_object_set_new(
		    o, "failed", json_integer((json_int_t)t.failed));
		json_dumpf(o, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
		printf("\n");
		json_decref(o);
	} else {
		printf("%llu passed, %llu failed\n",
		    (unsigned long long)t.passed, (unsigned long long)t.failed);
	}
	return t.failed > 0 ? 1 : 0;
}

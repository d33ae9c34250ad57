/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax capture: its words.  The work is capture_run.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/capture.h"
#include "control/bsderr.h"
#include "control/text.h"

#define USAGE                                                                \
	"capture interface [-w file | -] [-c count] [-s snaplen] [-B KiB]\n" \
	"                    [-U] [--in | --out] [--drops] [filter ...]"

/* A number after an option; -1 with a message. */
static int
number(const struct cli *cli, const char *option, const char *s, uint64_t min,
    uint64_t max, uint64_t *out)
{
	if (s == NULL)
		return cli_usage(cli, USAGE), -1;
	if (str_u64(s, 10, min, max, out) == 0)
		return 0;
	(void)cli_error(cli, "%s %s: not a number from %llu to %llu", option, s,
	    (unsigned long long)min, (unsigned long long)max);
	return -1;
}

/* One option, at argv[i]. Return: how many words it has, or -1: said. */
static int
take_option(const struct cli *cli, int argc, char **argv, int i,
    struct capture_job *job)
{
	struct capture_request *q = &job->request;
	const char *value = i + 1 < argc ? argv[i + 1] : NULL;
	uint64_t n;

	if (strcmp(argv[i], "--in") == 0) {
		q->in = true;
		return 1;
	}
	if (strcmp(argv[i], "--out") == 0) {
		q->out = true;
		return 1;
	}
	if (strcmp(argv[i], "--drops") == 0) {
		q->drops = true;
		return 1;
	}
	if (strcmp(argv[i], "-U") == 0 || strcmp(argv[i], "--immediate") == 0) {
		q->prompt = true;
		return 1;
	}
	if (strcmp(argv[i], "-w") == 0 && value != NULL) {
		job->file = value;
		return 2;
	}
	if (strcmp(argv[i], "-c") == 0) {
		if (number(cli, "-c", value, 1, INT64_MAX, &q->count) < 0)
			return -1;
		return 2;
	}
	if (strcmp(argv[i], "-s") == 0) {
		if (number(cli, "-s", value, 0, PCAPNG_SNAPLEN_MAX, &n) < 0)
			return -1;
		q->snaplen = (uint32_t)n;
		return 2;
	}
	if (strcmp(argv[i], "-B") == 0) {
		if (number(cli, "-B", value, CAPTURE_ROOM_MIN / 1024,
		        CAPTURE_ROOM_MAX / 1024, &n) < 0)
			return -1;
		q->room = n * 1024;
		return 2;
	}
	return cli_usage(cli, USAGE), -1;
}

/* The words of the filter as one; owned. NULL: no memory. */
static char *
join(int argc, char **argv)
{
	struct text t = { 0 };

	for (int i = 0; i < argc; i++) {
		if (i > 0)
			text_puts(&t, " ");
		text_puts(&t, argv[i]);
	}
	if (text_ok(&t))
		return t.s != NULL ? t.s : strdup("");
	text_free(&t);
	return NULL;
}

/* Options may stand before and after the interface; the filter is what follows
 * the last of them. Return: where it begins, or -1: said. */
static int
take_words(
    const struct cli *cli, int argc, char **argv, struct capture_job *job)
{
	struct capture_request *q = &job->request;
	int i = 1;

	while (i < argc) {
		int n = 1;

		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			n = take_option(cli, argc, argv, i, job);
		else if (q->iface == NULL)
			q->iface = argv[i];
		else
			break;
		if (n < 0)
			return -1;
		i += n;
	}
	if (q->iface == NULL && i < argc)
		q->iface = argv[i++];
	if (q->iface == NULL || (q->in && q->out))
		return cli_usage(cli, USAGE), -1;
	return i;
}

int
cli_capture(struct cli *cli, int argc, char **argv)
{
	struct capture_job job = { .say = true };
	int i = take_words(cli, argc, argv, &job);
	char *filter;
	int status;

	if (i < 0)
		return 1;
	if (job.file != NULL && strcmp(job.file, "-") == 0 &&
	    isatty(STDOUT_FILENO))
		return cli_error(cli, "-w -: standard output is a terminal; "
		                      "without -w it gets text");
	filter = join(argc - i, argv + i);
	if (filter == NULL)
		return cli_error(cli, "%s", bsd_strerror(ENOMEM));
	job.filter = filter;
	status = capture_run(cli, &job);
	free(filter);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What coax capture and coax-extcap share.
 */
#pragma once

#include <stdbool.h>

#include "cli/cli.h"
#include "lib/capture.h"

struct capture_job {
	struct capture_request request; /* without the program */
	const char *filter;             /* in words; NULL or "": all frames */
	const char *file; /* "-": standard output; NULL: as text, there */
	bool exists;      /* the file is there; none is made */
	bool say;         /* the totals on standard error at the end */
};

/**
 * capture_run() - from the first frame to the last
 *
 * Ends when there are enough, when who reads along has gone, and when SIGINT,
 * SIGTERM or SIGHUP says so; then the file is complete.  The file is opened
 * when the daemon has begun.
 *
 * Return: exit status; what was wrong has been said.
 */
int capture_run(const struct cli *cli, const struct capture_job *job);

/**
 * capture_filter_compile() - a filter in libpcap's language
 * @program: the program as text; owned, free(3); NULL for an empty filter
 * @why:     of a failure; owned, free(3)
 *
 * Return: 0 or -1.
 */
int capture_filter_compile(
    const char *filter, uint32_t snaplen, char **program, char **why);

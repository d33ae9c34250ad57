/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration that a daemon begins with (coaxd -f): read, applied before
 * it is ready, and a failure ends it.
 */
#pragma once

#include <stdbool.h>

#include "control/config.h"

#define START_FILES_MAX RCCONF_FILES_MAX

struct start {
	struct config_run *run; /* NULL: none, or it has ended */
	/* It has ended: the daemon is what the files say, or it is not and
	 * that was logged. */
	void (*done)(void *arg, bool ok);
	void *arg;
};

/**
 * start_begin() - apply files
 * @files: paths; "-" is standard input
 *
 * done() is called in any case, perhaps from inside.
 */
void start_begin(struct start *start, struct config *config,
    const char *const *files, unsigned int count);

/** start_end() - also while it is under way: the system has been shut down */
void start_end(struct start *start);

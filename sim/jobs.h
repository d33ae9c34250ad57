/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many random runs, dealt out to processes.
 *
 * Each process has every so-many-th run, and says by a pipe what there is to
 * say of each, and its sum at the end.  What comes out does not depend on how
 * many there are.  A run that fails is shrunk where it failed.
 */
#pragma once

#include "sim/sim.h"

#define SIM_JOBS_MAX 64u

struct sim_request {
	uint64_t count, seed, mask; /* seed, seed + 1, ... */
	uint32_t bridges;           /* 0: as the seeds say */
	uint32_t jobs;              /* 1 to SIM_JOBS_MAX */
	bool trace, strict, no_shrink, reverse;
};

/* A run that failed, or had loops that are excused. */
struct sim_outcome {
	bool good;
	uint64_t seed;
	uint64_t mask;    /* with which it still fails, */
	uint32_t bridges; /* and with so many bridges */
	char what[512];
	struct sim_loops loops[SIM_EXCUSES];
};

struct sim_outcomes {
	struct sim_outcome *list; /* by seed; owned: free() */
	uint64_t count, room, failed;
	struct sim_random total;
	bool whole; /* no process ended before its time */
};

void sim_jobs_run(const struct sim_request *q, struct sim_outcomes *out);

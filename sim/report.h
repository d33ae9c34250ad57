/* SPDX-License-Identifier: BSD-2-Clause */
/* What coax-sim prints: lines for people, or one JSON object (--json). */
#pragma once

#include "sim/jobs.h"

struct json_t;

struct sim_report {
	uint64_t passed, failed;
	bool json;
	struct json_t *cases;  /* with @json; */
	struct json_t *random; /* NULL: there were none */
};

void sim_report_init(struct sim_report *t, bool json);
/* One case.  @loops: those that are excused, or NULL. */
void sim_report_case(struct sim_report *t, const char *name, bool good,
    const char *what, const struct sim_loops *loops);
/* Random runs: those that there is something to say of, and the sum. */
void sim_report_random(struct sim_report *t, const struct sim_request *q,
    const struct sim_outcomes *o);
/* The last line, or all of the JSON. */
void sim_report_finish(struct sim_report *t);

/* SPDX-License-Identifier: BSD-2-Clause */
/* What coax-sim prints: see report.h. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "sim/report.h"

static double
seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static json_t *
integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

void
sim_report_init(struct sim_report *t, bool json)
{
	*t = (struct sim_report){ .json = json };
	if (json)
		t->cases = json_array();
}

static json_t *
loops_json(const struct sim_loops *loops)
{
	json_t *list = json_array();

	for (enum sim_excuse e = SIM_EXCUSE_LOSS; e < SIM_EXCUSES; e++) {
		json_t *o;

		if (loops[e].count == 0)
			continue;
		o = json_object();
		json_object_set_new(o, "why", json_string(sim_excuse_names[e]));
		json_object_set_new(o, "count", integer(loops[e].count));
		json_object_set_new(
		    o, "total_s", json_real(seconds(loops[e].total_ns)));
		json_object_set_new(
		    o, "longest_s", json_real(seconds(loops[e].longest_ns)));
		json_array_append_new(list, o);
	}
	return list;
}

static void
loops_text(const char *name, const struct sim_loops *loops)
{
	for (enum sim_excuse e = SIM_EXCUSE_LOSS; e < SIM_EXCUSES; e++) {
		if (loops[e].count > 0)
			printf("# %s: %" PRIu64 " excused, %.6f s in all, "
			       "the longest %.6f s: %s\n",
			    name, loops[e].count, seconds(loops[e].total_ns),
			    seconds(loops[e].longest_ns), sim_excuse_names[e]);
	}
}

void
sim_report_case(struct sim_report *t, const char *name, bool good,
    const char *what, const struct sim_loops *loops)
{
	json_t *o, *list;

	if (good)
		t->passed++;
	else
		t->failed++;
	if (!t->json) {
		if (loops != NULL)
			loops_text(name, loops);
		if (good)
			printf("ok %s\n", name);
		else
			printf("FAIL %s: %s\n", name, what);
		return;
	}
	o = json_object();
	json_object_set_new(o, "name", json_string(name));
	json_object_set_new(o, "ok", json_boolean(good));
	if (!good)
		json_object_set_new(o, "what", json_string(what));
	list = loops != NULL ? loops_json(loops) : json_array();
	if (json_array_size(list) > 0)
		json_object_set(o, "excused_loops", list);
	json_decref(list);
	json_array_append_new(t->cases, o);
}

/* Random runs. */

static void
report_outcome(struct sim_report *t, const struct sim_request *q,
    const struct sim_outcome *one)
{
	char text[768], name[64], bridges[32] = "";

	snprintf(name, sizeof(name), "seed %" PRIu64, one->seed);
	if (one->good && !t->json) {
		loops_text(name, one->loops);
		t->passed++;
		return;
	}
	if (one->bridges != 0)
		snprintf(
		    bridges, sizeof(bridges), " --bridges %u", one->bridges);
	snprintf(text, sizeof(text),
	    "%s (see it: --random 1 --seed %" PRIu64 " --mask %#" PRIx64
	    "%s%s%s --trace)",
	    one->what, one->seed, one->mask, bridges,
	    q->strict ? " --strict" : "", q->reverse ? " --reverse" : "");
	sim_report_case(t, name, one->good, text, one->loops);
}

static json_t *
sum_json(const struct sim_random *r)
{
	json_t *o = json_object();

	json_object_set_new(o, "events", integer(r->events));
	json_object_set_new(o, "topologies", integer(r->topologies));
	json_object_set_new(o, "not_at_rest", integer(r->not_at_rest));
	json_object_set_new(o, "single_faults", integer(r->single_faults));
	json_object_set_new(o, "rstp_faults", integer(r->rstp_faults));
	json_object_set_new(o, "rstp_joined_quickly", integer(r->rstp_quick));
	json_object_set_new(
	    o, "joined_longest_s", json_real(seconds(r->joined_longest_ns)));
	json_object_set_new(
	    o, "rest_longest_s", json_real(seconds(r->rest_longest_ns)));
	json_object_set_new(
	    o, "transitions_per_port_max", integer(r->steps_max));
	json_object_set_new(o, "twins", integer(r->twins));
	json_object_set_new(o, "excused_loops", loops_json(r->loops));
	return o;
}

static void
sum_text(const struct sim_random *r)
{
	printf("# %" PRIu64 " events in %" PRIu64
	       " topologies; at rest not checked in %" PRIu64 ": too deep, or\n"
	       "# equal identifiers; %" PRIu64
	       " run twice, ports in another order\n",
	    r->events, r->topologies, r->not_at_rest, r->twins);
	printf("# %" PRIu64 " single faults, %" PRIu64
	       " with RSTP on point-to-point links: of these\n"
	       "# %" PRIu64
	       " joined within 0.1 s, all after %.3f s, all at rest after "
	       "%.3f s;\n"
	       "# %u transitions of a port in an event at most\n",
	    r->single_faults, r->rstp_faults, r->rstp_quick,
	    seconds(r->joined_longest_ns), seconds(r->rest_longest_ns),
	    r->steps_max);
	printf("# excused loops (number, seconds in all, longest):\n");
	for (enum sim_excuse e = SIM_EXCUSE_LOSS; e < SIM_EXCUSES; e++)
		printf("#   %-40s %5" PRIu64 " %10.3f %8.3f\n",
		    sim_excuse_names[e], r->loops[e].count,
		    seconds(r->loops[e].total_ns),
		    seconds(r->loops[e].longest_ns));
}

void
sim_report_random(struct sim_report *t, const struct sim_request *q,
    const struct sim_outcomes *o)
{
	for (uint64_t i = 0; i < o->count; i++)
		report_outcome(t, q, &o->list[i]);
	if (!o->whole)
		sim_report_case(t, "random", false,
		    "a process ended before its time", NULL);
	t->passed += o->total.topologies - o->count;
	if (q->mask == 0 && o->total.rstp_faults >= 100 &&
	    o->total.rstp_quick * 10 < o->total.rstp_faults * 9)
		sim_report_case(t, "random", false,
		    "L1: less than nine of ten faults are over without a timer",
		    NULL);
	if (t->json)
		t->random = sum_json(&o->total);
	else
		sum_text(&o->total);
}

void
sim_report_finish(struct sim_report *t)
{
	json_t *o;

	if (!t->json) {
		printf("%" PRIu64 " passed, %" PRIu64 " failed\n", t->passed,
		    t->failed);
		return;
	}
	o = json_object();
	json_object_set_new(o, "cases", t->cases);
	if (t->random != NULL)
		json_object_set_new(o, "random", t->random);
	json_object_set_new(o, "passed", integer(t->passed));
	json_object_set_new(o, "failed", integer(t->failed));
	json_dumpf(o, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	printf("\n");
	json_decref(o);
}

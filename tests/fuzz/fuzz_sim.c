/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases for coax-sim: the input is JSON, a case or a list of cases.  Each is
 * run, with its times cut short; whatever it says, the simulator passes it,
 * fails it or refuses it, and says why.
 */
#include <jansson.h>
#include <string.h>

#include "base/assert.h"
#include "base/util.h"
#include "sim/sim.h"

#define INPUT_MAX   8192u
#define SECONDS_MAX 2.0
#define EVENTS_MAX  32u /* of a case that are run */

/* Where a case says how much time is to pass. */
static void
shorten(json_t *event)
{
	static const char *const names[] = { "seconds", "within_seconds" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		json_t *v = json_object_get(event, names[i]);

		if (json_is_number(v) && json_number_value(v) > SECONDS_MAX)
			json_object_set_new(
			    event, names[i], json_real(SECONDS_MAX));
	}
}

static void
run(json_t *c)
{
	struct sim_loops loops[SIM_EXCUSES] = { 0 };
	json_t *events = json_object_get(c, "events"), *event;
	char what[1024];
	size_t i;
	int result;

	while (json_array_size(events) > EVENTS_MAX)
		json_array_remove(events, EVENTS_MAX);
	json_array_foreach(events, i, event) shorten(event);
	result = sim_case(c, false, loops, what, sizeof(what));
	ASSERT(result >= -1 && result <= 1);
	ASSERT((result == 0) == (what[0] == '\0'));
	ASSERT(memchr(what, '\0', sizeof(what)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *cases, *c;
	size_t i;

	if (size > INPUT_MAX)
		return 0;
	cases =
	    json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_array(cases)) {
		json_array_foreach(cases, i, c) run(c);
	} else if (cases != NULL) {
		run(cases);
	}
	json_decref(cases);
	return 0;
}

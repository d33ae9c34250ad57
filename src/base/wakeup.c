/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long to sleep: see wakeup.h.
 *
 * A margin that rises by what was missing and falls by a 64th of what was too
 * much keeps the worst of the last hundred wake-ups or so.
 */
#include "base/wakeup.h"

#include "base/util.h"

#define FALL 64u

struct wakeup
wakeup_begin(uint64_t now_ns)
{
	return (struct wakeup){
		.margin_ns = WAKEUP_MARGIN_FIRST_NS,
		.credit_ns = WAKEUP_CREDIT_MAX_NS,
		.now_ns = now_ns,
	};
}

/* Time has passed: some of it may be polled. */
static void
earn(struct wakeup *w, uint64_t now_ns)
{
	uint64_t passed_ns = now_ns - w->now_ns;
	uint64_t room_ns = WAKEUP_CREDIT_MAX_NS - w->credit_ns;

	w->credit_ns += COAX_MIN(passed_ns / WAKEUP_SHARE, room_ns);
	w->now_ns = now_ns;
}

uint64_t
wakeup_sleep_ns(
    struct wakeup *w, uint64_t now_ns, uint64_t due_ns, bool may_poll)
{
	uint64_t left_ns = due_ns - now_ns;
	uint64_t rest_ns = COAX_MAX(left_ns / WAKEUP_STEP, WAKEUP_REST_MIN_NS);

	earn(w, now_ns);
	/* Polling that would end before the moment is for nothing. */
	if (!may_poll || w->credit_ns < COAX_MIN(left_ns, w->margin_ns)) {
		w->last = false;
		return left_ns < WAKEUP_LAST_NS ? left_ns : left_ns - rest_ns;
	}
	if (left_ns < w->margin_ns + WAKEUP_SLEEP_MIN_NS)
		return 0;
	w->last = left_ns < WAKEUP_LAST_NS;
	return w->last ? left_ns - w->margin_ns : left_ns - rest_ns;
}

void
wakeup_slept(struct wakeup *w, uint64_t asked_ns, uint64_t took_ns)
{
	uint64_t late_ns = took_ns > asked_ns ? took_ns - asked_ns : 0;

	if (!w->last)
		return;
	if (late_ns > w->margin_ns)
		w->margin_ns = COAX_MIN(late_ns, WAKEUP_MARGIN_MAX_NS);
	else
		w->margin_ns -= (w->margin_ns - late_ns) / FALL;
	w->margin_ns = COAX_MAX(w->margin_ns, WAKEUP_MARGIN_MIN_NS);
}

void
wakeup_polled(struct wakeup *w, uint64_t spent_ns)
{
	w->credit_ns -= COAX_MIN(spent_ns, w->credit_ns);
}

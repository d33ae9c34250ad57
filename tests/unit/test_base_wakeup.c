/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How early to wake up: a pretended kernel that wakes late, in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "base/wakeup.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

/* A machine whose sleeps end @late_ns after they should, plus the slack. */
struct machine {
	struct wakeup w;
	uint64_t now_ns;
	uint64_t late_ns;
	uint64_t polled_ns; /* for the last moment */
	unsigned int sleeps;
};

static struct machine
machine_begin(uint64_t late_ns)
{
	return (struct machine){
		.w = wakeup_begin(1000 * MS),
		.now_ns = 1000 * MS,
		.late_ns = late_ns,
	};
}

/* Waits as a loop does.  Return: how late it is then; it is never early. */
static uint64_t
machine_wait(struct machine *m, uint64_t wait_ns, bool may_poll)
{
	uint64_t due_ns = m->now_ns + wait_ns;

	m->polled_ns = 0;
	m->sleeps = 0;
	while (m->now_ns < due_ns) {
		uint64_t asked_ns =
		    wakeup_sleep_ns(&m->w, m->now_ns, due_ns, may_poll);
		uint64_t took_ns = asked_ns + asked_ns / 1000 + m->late_ns;

		assert_true(asked_ns <= due_ns - m->now_ns);
		if (asked_ns == 0) {
			assert_true(may_poll);
			m->now_ns += US;
			m->polled_ns += US;
			wakeup_polled(&m->w, US);
			continue;
		}
		m->now_ns += took_ns;
		m->sleeps++;
		wakeup_slept(&m->w, asked_ns, took_ns);
	}
	assert_true(m->w.margin_ns >= WAKEUP_MARGIN_MIN_NS);
	assert_true(m->w.margin_ns <= WAKEUP_MARGIN_MAX_NS);
	return m->now_ns - due_ns;
}

/* Whatever a wake-up costs, it is soon no longer late, and polls no longer
 * than that. */
static void
test_margin_follows_how_late_wakeups_are(void **state)
{
	static const uint64_t late_us[] = { 20, 150, 60, 1, 100 };
	struct machine m = machine_begin(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(late_us); i++) {
		m.late_ns = late_us[i] * US;
		for (int n = 0; n < 500; n++)
			machine_wait(&m, 20 * MS, true);
		assert_true(machine_wait(&m, 20 * MS, true) <= US);
		assert_true(m.polled_ns <= 20 * US);
		assert_in_range(m.w.margin_ns, m.late_ns,
		    COAX_MAX(m.late_ns + 2 * US, WAKEUP_MARGIN_MIN_NS));
	}
}

/* One late wake-up is enough to raise it; it is remembered for a while. */
static void
test_margin_rises_at_once_and_falls_slowly(void **state)
{
	struct machine m = machine_begin(0);

	(void)state;
	for (int n = 0; n < 1000; n++)
		machine_wait(&m, 20 * MS, true);
	assert_true(m.w.margin_ns < 7 * US);
	m.late_ns = 120 * US;
	machine_wait(&m, 20 * MS, true);
	assert_in_range(m.w.margin_ns, 120 * US, 121 * US);
	m.late_ns = 0;
	for (int n = 0; n < 20; n++)
		machine_wait(&m, 20 * MS, true);
	assert_true(m.w.margin_ns > 80 * US);
}

/* A machine that is late by milliseconds is not polled for so long. */
static void
test_margin_is_bounded(void **state)
{
	struct machine m = machine_begin(3 * MS);

	(void)state;
	for (int n = 0; n < 50; n++) {
		machine_wait(&m, 500 * US, true);
		assert_int_equal(m.w.margin_ns, WAKEUP_MARGIN_MAX_NS);
	}
}

/* After a long sleep it wakes up very late: not from the last one. */
static void
test_late_steps_do_not_matter(void **state)
{
	struct wakeup w = wakeup_begin(0);
	uint64_t due_ns = 20 * MS, now_ns, asked_ns;

	(void)state;
	asked_ns = wakeup_sleep_ns(&w, 0, due_ns, true);
	assert_true(asked_ns <= due_ns - 2 * MS);
	now_ns = asked_ns + MS + MS / 2;
	wakeup_slept(&w, asked_ns, now_ns);
	assert_int_equal(w.margin_ns, WAKEUP_MARGIN_FIRST_NS);
	asked_ns = wakeup_sleep_ns(&w, now_ns, due_ns, true);
	assert_in_range(asked_ns, 1, due_ns - now_ns - w.margin_ns);
}

/* The kernel's slack, a thousandth, is less than a step leaves. */
static void
test_long_wait_is_punctual(void **state)
{
	struct machine m = machine_begin(50 * US);

	(void)state;
	assert_true(machine_wait(&m, 100000 * MS, true) <= US);
	assert_true(m.polled_ns <= 2 * WAKEUP_MARGIN_MAX_NS);
	assert_true(m.sleeps <= 8);
}

/* Without polling nothing but a wake-up's time is left. */
static void
test_without_polling_it_only_sleeps(void **state)
{
	static const uint64_t wait_ns[] = { US, 30 * US, 5 * MS, 20 * MS,
		1000 * MS, 100000 * MS };
	struct machine m = machine_begin(50 * US);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wait_ns); i++) {
		uint64_t late_ns = machine_wait(&m, wait_ns[i], false);

		assert_true(late_ns <= 61 * US);
		assert_int_equal(m.polled_ns, 0);
		assert_in_range(m.sleeps, 1, 8);
	}
}

/* Frames that come often do not have it poll all the time. */
static void
test_polling_has_a_share_of_the_time(void **state)
{
	struct machine m = machine_begin(150 * US);
	uint64_t start_ns = m.now_ns, polled_ns = 0, sleeps = 0;

	(void)state;
	while (m.now_ns - start_ns < 1000 * MS) {
		machine_wait(&m, 160 * US, true);
		polled_ns += m.polled_ns;
		sleeps += m.sleeps;
	}
	assert_true(polled_ns <= 1000 * MS / WAKEUP_SHARE + 10 * MS);
	assert_true(sleeps > 1000);
	/* It is given back by the time that passes. */
	machine_wait(&m, 1000 * MS, true);
	assert_true(machine_wait(&m, 20 * MS, true) <= US);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_margin_follows_how_late_wakeups_are),
		cmocka_unit_test(test_margin_rises_at_once_and_falls_slowly),
		cmocka_unit_test(test_margin_is_bounded),
		cmocka_unit_test(test_late_steps_do_not_matter),
		cmocka_unit_test(test_long_wait_is_punctual),
		cmocka_unit_test(test_without_polling_it_only_sleeps),
		cmocka_unit_test(test_polling_has_a_share_of_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

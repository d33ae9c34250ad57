/* SPDX-License-Identifier: BSD-2-Clause */
/* base/timerheap.h: timers run when due, in order, whatever they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/prng.h"
#include "base/timerheap.h"
#include "base/util.h"

struct job {
	struct timer timer;
	struct timerheap *heap;
	uint64_t again_ns;  /* added again after so long, 0: not */
	struct job *victim; /* taken out when this runs */
	unsigned int ran;
	unsigned int place; /* how many ran before it */
};

static unsigned int ran_total;

static void
job_run(struct timer *t, uint64_t now_ns)
{
	struct job *j = CONTAINER_OF(t, struct job, timer);

	assert_false(timer_is_set(t));
	assert_true(t->due_ns <= now_ns);
	j->ran++;
	j->place = ran_total++;
	if (j->victim != NULL)
		timerheap_del(j->heap, &j->victim->timer);
	if (j->again_ns != 0)
		timerheap_add(j->heap, t, t->due_ns + j->again_ns);
}

static void
test_empty_heap_is_never_due(void **state)
{
	struct timerheap h = { 0 };
	struct timer t = { .fn = job_run };

	(void)state;
	assert_true(timerheap_next_due(&h) == TIMERHEAP_NEVER);
	assert_int_equal(timerheap_run(&h, UINT64_MAX, 10), 0);
	timerheap_del(&h, &t);
	timerheap_fini(&h);
}

static void
test_timers_run_when_due_in_order(void **state)
{
	struct timerheap h = { 0 };
	struct job jobs[3] = { 0 };
	static const uint64_t due[] = { 300, 100, 200 };

	(void)state;
	ran_total = 0;
	for (int i = 0; i < 3; i++) {
		jobs[i].timer.fn = job_run;
		assert_int_equal(timerheap_add(&h, &jobs[i].timer, due[i]), 0);
	}
	assert_true(timerheap_next_due(&h) == 100);
	assert_int_equal(timerheap_run(&h, 99, 10), 0);
	assert_int_equal(timerheap_run(&h, 200, 10), 2);
	assert_int_equal(jobs[1].place, 0);
	assert_int_equal(jobs[2].place, 1);
	assert_int_equal(jobs[0].ran, 0);
	assert_true(timer_is_set(&jobs[0].timer));
	assert_int_equal(timerheap_run(&h, 1000, 10), 1);
	assert_true(timerheap_next_due(&h) == TIMERHEAP_NEVER);
	timerheap_fini(&h);
}

static void
test_equal_times_run_in_the_order_of_adding(void **state)
{
	struct timerheap h = { 0 };
	struct job jobs[100] = { 0 };

	(void)state;
	ran_total = 0;
	for (unsigned int i = 0; i < 100; i++) {
		jobs[i].timer.fn = job_run;
		assert_int_equal(timerheap_add(&h, &jobs[i].timer, 5), 0);
	}
	assert_int_equal(timerheap_run(&h, 5, 1000), 100);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(jobs[i].place, i);
	timerheap_fini(&h);
}

static void
test_adding_again_moves(void **state)
{
	struct timerheap h = { 0 };
	struct job a = { .timer.fn = job_run }, b = a;

	(void)state;
	assert_int_equal(timerheap_add(&h, &a.timer, 10), 0);
	assert_int_equal(timerheap_add(&h, &b.timer, 20), 0);
	assert_int_equal(timerheap_add(&h, &a.timer, 30), 0);
	assert_true(timerheap_next_due(&h) == 20);
	assert_int_equal(timerheap_add(&h, &a.timer, 15), 0);
	assert_true(timerheap_next_due(&h) == 15);
	assert_int_equal(h.count, 2);
	timerheap_fini(&h);
	assert_false(timer_is_set(&a.timer));
	assert_false(timer_is_set(&b.timer));
}

static void
test_never_is_never(void **state)
{
	struct timerheap h = { 0 };
	struct job a = { .timer.fn = job_run };

	(void)state;
	assert_int_equal(timerheap_add(&h, &a.timer, TIMERHEAP_NEVER), 0);
	assert_int_equal(timerheap_run(&h, UINT64_MAX, 10), 0);
	assert_int_equal(a.ran, 0);
	timerheap_fini(&h);
}

/* A timer that is always due again cannot keep the caller. */
static void
test_budget_bounds_a_run(void **state)
{
	struct timerheap h = { 0 };
	struct job a = { .timer.fn = job_run, .heap = &h, .again_ns = 1 };

	(void)state;
	assert_int_equal(timerheap_add(&h, &a.timer, 0), 0);
	assert_int_equal(timerheap_run(&h, 1000000, 7), 7);
	assert_int_equal(a.ran, 7);
	assert_true(timerheap_next_due(&h) == 7);
	assert_int_equal(timerheap_run(&h, 1000000, 0), 0);
	timerheap_fini(&h);
}

static void
test_timer_may_take_out_another_that_is_due(void **state)
{
	struct timerheap h = { 0 };
	struct job b = { .timer.fn = job_run };
	struct job a = { .timer.fn = job_run, .heap = &h, .victim = &b };

	(void)state;
	assert_int_equal(timerheap_add(&h, &a.timer, 1), 0);
	assert_int_equal(timerheap_add(&h, &b.timer, 1), 0);
	assert_int_equal(timerheap_run(&h, 1, 10), 1);
	assert_int_equal(b.ran, 0);
	timerheap_fini(&h);
}

static void
test_reserved_room_is_not_moved(void **state)
{
	struct timerheap h = { 0 };
	struct job jobs[40] = { 0 };
	struct timer **slots;

	(void)state;
	assert_int_equal(timerheap_reserve(&h, 40), 0);
	slots = h.slots;
	for (int i = 0; i < 40; i++) {
		jobs[i].timer.fn = job_run;
		assert_int_equal(timerheap_add(&h, &jobs[i].timer, 1), 0);
	}
	assert_ptr_equal(h.slots, slots);
	assert_int_equal(h.capacity, 40);
	assert_int_equal(timerheap_reserve(&h, SIZE_MAX), -ENOMEM);
	assert_int_equal(h.count, 40);
	timerheap_fini(&h);
}

/* Random additions, moves and removals against a plain array. */
static void
test_heap_agrees_with_a_plain_array(void **state)
{
	struct prng g = prng_init(2024);
	struct timerheap h = { 0 };
	struct job jobs[64] = { 0 };
	uint64_t now = 0;

	(void)state;
	for (int i = 0; i < 64; i++)
		jobs[i].timer.fn = job_run;
	for (int round = 0; round < 20000; round++) {
		struct job *j = &jobs[prng_below(&g, 64)];
		uint64_t first = TIMERHEAP_NEVER;
		unsigned int due = 0;

		if (prng_chance(&g, 1, 4))
			timerheap_del(&h, &j->timer);
		else
			timerheap_add(
			    &h, &j->timer, now + prng_below(&g, 1000));
		for (int i = 0; i < 64; i++) {
			struct timer *t = &jobs[i].timer;

			if (timer_is_set(t) && t->due_ns < first)
				first = t->due_ns;
		}
		assert_true(timerheap_next_due(&h) == first);
		if (!prng_chance(&g, 1, 8))
			continue;
		now += prng_below(&g, 200);
		for (int i = 0; i < 64; i++) {
			struct timer *t = &jobs[i].timer;

			due += timer_is_set(t) && t->due_ns <= now;
		}
		assert_int_equal(timerheap_run(&h, now, 1000), due);
	}
	timerheap_fini(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_heap_is_never_due),
		cmocka_unit_test(test_timers_run_when_due_in_order),
		cmocka_unit_test(test_equal_times_run_in_the_order_of_adding),
		cmocka_unit_test(test_adding_again_moves),
		cmocka_unit_test(test_never_is_never),
		cmocka_unit_test(test_budget_bounds_a_run),
		cmocka_unit_test(test_timer_may_take_out_another_that_is_due),
		cmocka_unit_test(test_reserved_room_is_not_moved),
		cmocka_unit_test(test_heap_agrees_with_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Queue, rate, delay line, shares: in virtual time, to the nanosecond. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/prng.h"
#include "base/util.h"
#include "pipe/pipe.h"

#define MS 1000000u
#define S  1000000000u

static struct {
	struct frame_pool *pool;
	struct pipe_share share;
	struct pipe pipe;
} p;

static int
setup(void **state)
{
	static const struct frame_pool_options o = { 400, 40 };

	(void)state;
	assert_int_equal(frame_pool_create(&o, &p.pool), 0);
	pipe_share_init(&p.share, p.pool);
	assert_int_equal(pipe_init(&p.pipe, 100, &p.share), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pipe_fini(&p.pipe);
	assert_int_equal(p.share.small + p.share.large, 0);
	frame_pool_destroy(p.pool);
	return 0;
}

static struct frame *
frame_of(uint32_t len, uint8_t mark)
{
	struct frame *f = frame_alloc(p.pool, len);

	assert_non_null(f);
	f->len = len;
	f->data[0] = mark;
	return f;
}

static void
push(uint32_t len, uint8_t mark, uint64_t now_ns, uint64_t delay_ns)
{
	assert_int_equal(
	    pipe_push(&p.pipe, frame_of(len, mark), now_ns, delay_ns, false),
	    0);
}

/* The mark of the frame that comes, or -1. */
static int
pop(uint64_t now_ns)
{
	struct frame *f = pipe_pop(&p.pipe, now_ns);
	int mark;

	if (f == NULL)
		return -1;
	mark = f->data[0];
	frame_release(f);
	return mark;
}

static void
test_without_rate_and_delay_frames_pass(void **state)
{
	(void)state;
	assert_true(pipe_due(&p.pipe) == PIPE_NEVER);
	push(60, 1, 5, 0);
	push(60, 2, 5, 0);
	assert_true(pipe_due(&p.pipe) == 5);
	assert_int_equal(pop(5), 1);
	assert_int_equal(pop(5), 2);
	assert_int_equal(pop(5), -1);
	assert_true(pipe_due(&p.pipe) == PIPE_NEVER);
}

static void
test_delay_is_exact_and_short_delays_overtake(void **state)
{
	(void)state;
	push(60, 1, 0, 20 * MS);
	push(60, 2, 1, 20 * MS);
	push(60, 3, 2, 5 * MS);
	push(60, 4, 3, 20 * MS - 3); /* due with the first, came later */
	assert_int_equal(pop(3), -1);
	assert_true(pipe_due(&p.pipe) == 5 * MS + 2);
	assert_int_equal(pop(5 * MS + 1), -1);
	assert_int_equal(pop(5 * MS + 2), 3);
	assert_int_equal(pop(20 * MS - 1), -1);
	assert_int_equal(pop(20 * MS), 1);
	assert_int_equal(pop(20 * MS), 4);
	assert_int_equal(pop(20 * MS), -1);
	assert_int_equal(pop(20 * MS + 1), 2);
}

static void
test_frames_in_order_do_not_overtake_each_other(void **state)
{
	(void)state;
	assert_int_equal(
	    pipe_push(&p.pipe, frame_of(60, 1), 0, 20 * MS, true), 0);
	assert_int_equal(
	    pipe_push(&p.pipe, frame_of(60, 2), 0, 5 * MS, true), 0);
	assert_int_equal(
	    pipe_push(&p.pipe, frame_of(60, 3), 0, 10 * MS, false), 0);
	assert_int_equal(pop(10 * MS), 3);
	assert_int_equal(pop(10 * MS), -1);
	assert_int_equal(pop(20 * MS), 1);
	assert_int_equal(pop(20 * MS), 2);
}

/* 1250 bytes at 10 Mbit/s are a millisecond. */
static void
test_rate_sends_one_after_the_other(void **state)
{
	(void)state;
	rate_set(&p.pipe.rate, 10000000, 0);
	for (uint8_t i = 0; i < 3; i++)
		push(1250, i, 7, 0);
	for (uint8_t i = 0; i < 3; i++) {
		uint64_t due = 7 + (i + 1u) * MS;

		assert_true(pipe_due(&p.pipe) == due);
		assert_int_equal(pop(due - 1), -1);
		assert_int_equal(pop(due), i);
	}
	/* The link was idle: the next one has it to itself. */
	push(1250, 9, 10 * MS, 0);
	assert_true(pipe_due(&p.pipe) == 11 * MS);
	assert_int_equal(pop(11 * MS), 9);
}

/* However late the caller is, departures follow from each other. */
static void
test_a_late_caller_does_not_lower_the_rate(void **state)
{
	uint64_t now = 0;
	uint32_t got = 0;

	(void)state;
	rate_set(&p.pipe.rate, 10000000, 0);
	for (uint8_t i = 0; i < 100; i++)
		push(1250, i, 0, 0);
	while (got < 100) {
		now = pipe_due(&p.pipe) + 700000; /* 0.7 ms late each time */
		while (pop(now) >= 0)
			got++;
	}
	assert_in_range(now, 100 * MS, 101 * MS);
}

/* No rate loses by rounding: a million frames take what they have to. */
static void
test_the_rate_is_exact_in_the_long_run(void **state)
{
	static const uint64_t rates[] = { 10000000000, 7777777777, 999999937,
		3000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		struct rate r = { .bits_s = rates[i] };
		struct rate_next n = { 0 };
		long double exact = 1000000.0L * 64 * 8 * 1e9L / rates[i];

		for (int k = 0; k < 1000000; k++) {
			n = rate_next(&r, 0, 64);
			rate_take(&r, &n);
		}
		assert_true((long double)n.depart_ns <= exact + 1);
		assert_true((long double)n.depart_ns >= exact - 2);
	}
}

static void
test_an_idle_link_has_its_burst(void **state)
{
	(void)state;
	rate_set(&p.pipe.rate, 10000000, 5000);
	for (uint8_t i = 0; i < 6; i++)
		push(1250, i, S, 0);
	for (uint8_t i = 0; i < 4; i++)
		assert_int_equal(pop(S), i);
	assert_int_equal(pop(S), -1);
	assert_int_equal(pop(S + MS), 4);
	assert_int_equal(pop(S + 2 * MS - 1), -1);
	assert_int_equal(pop(S + 2 * MS), 5);
	/* Two milliseconds' credit have come back since. */
	for (uint8_t i = 0; i < 3; i++)
		push(1250, i, S + 4 * MS, 0);
	assert_int_equal(pop(S + 4 * MS), 0);
	assert_int_equal(pop(S + 4 * MS), 1);
	assert_int_equal(pop(S + 4 * MS), -1);
	assert_int_equal(pop(S + 5 * MS), 2);
}

static void
test_a_new_rate_holds_for_what_waits(void **state)
{
	(void)state;
	rate_set(&p.pipe.rate, 1000, 0); /* ten seconds a frame */
	for (uint8_t i = 0; i < 10; i++)
		push(1250, i, 0, 0);
	assert_int_equal(pop(S), -1);
	rate_set(&p.pipe.rate, 10000000, 0);
	for (uint8_t i = 0; i < 10; i++)
		assert_int_equal(pop(S), i);
	rate_set(&p.pipe.rate, 0, 0);
	push(1250, 1, S, 0);
	assert_int_equal(pop(S), 1);
}

static void
test_rate_then_delay(void **state)
{
	(void)state;
	rate_set(&p.pipe.rate, 10000000, 0);
	push(1250, 1, 0, 20 * MS);
	push(1250, 2, 0, 20 * MS);
	assert_int_equal(pop(21 * MS - 1), -1);
	assert_int_equal(pop(21 * MS), 1);
	assert_int_equal(pop(22 * MS - 1), -1);
	assert_int_equal(pop(22 * MS), 2);
}

static void
test_limit_counts_queue_and_line(void **state)
{
	struct frame *f;

	(void)state;
	assert_int_equal(pipe_set_limit(&p.pipe, 4), 0);
	push(60, 1, 0, S);
	push(60, 2, 0, S);
	assert_int_equal(pop(0), -1); /* both are on the line now */
	push(60, 3, 0, S);
	push(60, 4, 0, S);
	f = frame_of(60, 5);
	assert_int_equal(pipe_push(&p.pipe, f, 0, S, false), -ENOBUFS);
	frame_release(f); /* still ours */
	/* More room; what is held has moved with it. */
	assert_int_equal(pipe_set_limit(&p.pipe, 300), 0);
	push(60, 5, 0, S);
	assert_int_equal(pipe_held(&p.pipe), 5);
	/* Less: what is held stays. */
	assert_int_equal(pipe_set_limit(&p.pipe, 1), 0);
	for (int i = 1; i <= 5; i++)
		assert_int_equal(pop(S), i);
}

static void
test_one_pipe_takes_its_share_of_the_pool_and_no_more(void **state)
{
	struct frame *f;

	(void)state;
	assert_int_equal(pipe_set_limit(&p.pipe, 1000), 0);
	for (int i = 0; i < 100; i++)
		push(60, 1, 0, S);
	f = frame_of(60, 1);
	assert_int_equal(pipe_push(&p.pipe, f, 0, S, false), -EDQUOT);
	frame_release(f);
	/* Large ones are counted by themselves, short as they may be. */
	for (int i = 0; i < 10; i++)
		push(FRAME_LARGE_MAX, 2, 0, S);
	f = frame_of(2000, 1);
	f->len = 60;
	assert_int_equal(pipe_push(&p.pipe, f, 0, S, false), -EDQUOT);
	frame_release(f);
	/* What has gone makes place. */
	assert_int_equal(pop(S), 1);
	push(60, 1, S, 0);
}

static void
test_all_pipes_leave_half_of_the_pool(void **state)
{
	struct pipe more[3];
	uint32_t held = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		assert_int_equal(pipe_init(&more[i], 200, &p.share), 0);
		for (int k = 0; k < 100; k++) {
			struct frame *f = frame_of(60, 0);

			if (pipe_push(&more[i], f, 0, S, false) == 0)
				held++;
			else
				frame_release(f);
		}
	}
	assert_int_equal(held, 200);
	assert_int_equal(p.share.small, 200);
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		pipe_fini(&more[i]);
	assert_int_equal(p.share.small, 0);
}

static void
test_emptied_it_is_as_new(void **state)
{
	struct frame *f;
	int n = 0;

	(void)state;
	rate_set(&p.pipe.rate, 1000, 0);
	for (uint8_t i = 0; i < 5; i++)
		push(1250, i, 0, 0);
	assert_int_equal(pop(10ull * S), 0);
	while ((f = pipe_empty(&p.pipe)) != NULL) {
		assert_int_equal(f->data[0], ++n);
		frame_release(f);
	}
	assert_int_equal(n, 4);
	assert_true(pipe_due(&p.pipe) == PIPE_NEVER);
	/* Nothing of the past is in the way. */
	push(1250, 7, 10ull * S, 0);
	assert_true(pipe_due(&p.pipe) == 20ull * S);
}

/* Against a list that is searched: same frames, same order, at any time. */
static void
test_the_line_is_in_order_whatever_comes(void **state)
{
	struct entry {
		uint64_t due_ns;
		int mark;
	} model[64];
	struct prng g = prng_init(3);
	uint64_t now = 0;
	int count = 0, mark = 0;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		now += prng_below(&g, 5);
		if (count < 64 && prng_below(&g, 2) == 0) {
			uint64_t delay = prng_below(&g, 40);

			push(60, (uint8_t)mark, now, delay);
			model[count++] =
			    (struct entry){ now + delay, mark++ % 256 };
		}
		for (;;) {
			int best = -1, got = pop(now);

			for (int i = 0; i < count; i++)
				if (model[i].due_ns <= now &&
				    (best < 0 ||
				        model[i].due_ns < model[best].due_ns))
					best = i;
			assert_int_equal(got, best < 0 ? -1 : model[best].mark);
			if (best < 0)
				break;
			count--;
			for (int i = best; i < count; i++)
				model[i] = model[i + 1];
		}
	}
	assert_true(mark > 5000);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_without_rate_and_delay_frames_pass),
		T(test_delay_is_exact_and_short_delays_overtake),
		T(test_frames_in_order_do_not_overtake_each_other),
		T(test_rate_sends_one_after_the_other),
		T(test_a_late_caller_does_not_lower_the_rate),
		T(test_the_rate_is_exact_in_the_long_run),
		T(test_an_idle_link_has_its_burst),
		T(test_a_new_rate_holds_for_what_waits),
		T(test_rate_then_delay),
		T(test_limit_counts_queue_and_line),
		T(test_one_pipe_takes_its_share_of_the_pool_and_no_more),
		T(test_all_pipes_leave_half_of_the_pool),
		T(test_emptied_it_is_as_new),
		T(test_the_line_is_in_order_whatever_comes),
	};
#undef T
	return cmocka_run_group_tests_name("pipe_pipe", tests, NULL, NULL);
}

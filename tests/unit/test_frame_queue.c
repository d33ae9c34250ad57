/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues and rings: order, limits, quotas. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frame/frame.h"

static int
pool_setup(void **state)
{
	struct frame_pool_options options = { .small_count = 16,
		.large_count = 2 };

	return frame_pool_create(&options, (struct frame_pool **)state);
}

/* Destruction asserts that every frame came back. */
static int
pool_teardown(void **state)
{
	frame_pool_destroy(*state);
	return 0;
}

static struct frame *
make(struct frame_pool *pool, uint32_t len)
{
	struct frame *f = frame_alloc(pool, len);

	assert_non_null(f);
	f->len = len;
	return f;
}

static void
test_queue_gives_frames_in_order(void **state)
{
	struct frame_queue q = { 0 };
	struct frame *f[3];

	assert_null(frame_queue_pop(&q));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++) {
			f[i] = make(*state, 60);
			frame_queue_push(&q, f[i]);
		}
		assert_int_equal(q.count, 3);
		for (int i = 0; i < 3; i++) {
			assert_ptr_equal(frame_queue_pop(&q), f[i]);
			frame_release(f[i]);
		}
		assert_null(frame_queue_pop(&q));
		assert_int_equal(q.count, 0);
		assert_int_equal(q.bytes, 0);
	}
}

static void
test_queue_counts_what_it_costs_the_pool(void **state)
{
	struct frame_queue q = { 0 };

	frame_queue_push(&q, make(*state, 60));
	assert_int_equal(q.bytes, FRAME_HEADROOM + FRAME_SMALL_MAX);
	frame_queue_push(&q, make(*state, 9000));
	assert_int_equal(
	    q.bytes, 2 * FRAME_HEADROOM + FRAME_SMALL_MAX + FRAME_LARGE_MAX);
	frame_release(frame_queue_pop(&q));
	assert_int_equal(q.bytes, FRAME_HEADROOM + FRAME_LARGE_MAX);
	frame_release(frame_queue_pop(&q));
}

/* All or nothing, round the end of the slots too. */
static void
test_ring_takes_many_at_once(void **state)
{
	struct frame *f[6], *out[6];
	struct frame_ring r;

	assert_int_equal(frame_ring_init(&r, 6, 1000), 0);
	for (int i = 0; i < 6; i++)
		f[i] = make(*state, 100);
	assert_true(frame_ring_push_all(&r, &f[2], 1, 100));
	/* One stays each time, so the ring goes on where it is. */
	for (int round = 0; round < 20; round++) {
		assert_true(frame_ring_push_all(&r, f, 3, 300));
		assert_int_equal(frame_ring_pop_many(&r, out, 3), 3);
		assert_ptr_equal(out[0], f[2]);
		assert_ptr_equal(out[1], f[0]);
		assert_ptr_equal(out[2], f[1]);
		assert_int_equal(frame_ring_count(&r), 1);
		assert_int_equal(r.bytes, 100);
	}
	assert_false(frame_ring_push_all(&r, f, 6, 600)); /* 7 frames */
	assert_false(frame_ring_push_all(&r, f, 5, 901)); /* 1001 bytes */
	assert_int_equal(frame_ring_count(&r), 1);
	assert_true(frame_ring_push_all(&r, &f[0], 1, 100));
	assert_int_equal(frame_ring_pop_many(&r, out, 99), 2);
	assert_int_equal(frame_ring_pop_many(&r, out, 99), 0);
	assert_int_equal(r.bytes, 0);
	assert_int_equal(r.head, 0);
	for (int i = 0; i < 6; i++)
		frame_release(f[i]);
	frame_ring_fini(&r);
}

static void
test_ring_holds_its_limit_of_frames(void **state)
{
	struct frame_ring r;
	struct frame *f[5], *extra;

	assert_int_equal(frame_ring_init(&r, 5, UINT64_MAX), 0);
	assert_int_equal(r.size, 8);
	assert_null(frame_ring_pop(&r));
	assert_null(frame_ring_peek(&r));
	extra = make(*state, 60);
	/* Often enough for the indices to go round the slots. */
	for (int round = 0; round < 7; round++) {
		for (int i = 0; i < 5; i++) {
			f[i] = make(*state, 60);
			assert_int_equal(frame_ring_push(&r, f[i]), 0);
		}
		assert_int_equal(frame_ring_push(&r, extra), -ENOBUFS);
		assert_int_equal(frame_ring_count(&r), 5);
		for (int i = 0; i < 5; i++) {
			assert_ptr_equal(frame_ring_peek(&r), f[i]);
			assert_ptr_equal(frame_ring_pop(&r), f[i]);
			frame_release(f[i]);
		}
		assert_int_equal(r.bytes, 0);
	}
	frame_release(extra);
	frame_ring_fini(&r);
}

static void
test_ring_indices_may_wrap(void **state)
{
	struct frame_ring r;
	struct frame *f;

	assert_int_equal(frame_ring_init(&r, 1, 1), 0);
	assert_int_equal(r.size, 1);
	frame_ring_fini(&r);
	assert_int_equal(frame_ring_init(&r, 4, 1000), 0);
	r.head = r.tail = UINT32_MAX - 1;
	for (int i = 0; i < 4; i++)
		assert_int_equal(frame_ring_push(&r, make(*state, 60)), 0);
	assert_int_equal(frame_ring_count(&r), 4);
	f = make(*state, 60);
	assert_int_equal(frame_ring_push(&r, f), -ENOBUFS);
	frame_release(f);
	frame_ring_fini(&r);
}

static void
test_ring_holds_its_quota_of_bytes(void **state)
{
	struct frame_ring r;
	struct frame *f;

	assert_int_equal(frame_ring_init(&r, 8, 1000), 0);
	assert_int_equal(frame_ring_push(&r, make(*state, 600)), 0);
	f = make(*state, 401);
	assert_int_equal(frame_ring_push(&r, f), -EDQUOT);
	f->len = 400;
	assert_int_equal(frame_ring_push(&r, f), 0);
	assert_int_equal(r.bytes, 1000);
	frame_release(frame_ring_pop(&r));
	assert_int_equal(r.bytes, 400);
	frame_ring_fini(&r);
}

static void
test_empty_ring_takes_a_frame_beyond_its_quota(void **state)
{
	struct frame_ring r;
	struct frame *f;

	assert_int_equal(frame_ring_init(&r, 8, 1000), 0);
	assert_int_equal(frame_ring_push(&r, make(*state, 5000)), 0);
	f = make(*state, 60);
	assert_int_equal(frame_ring_push(&r, f), -EDQUOT);
	frame_release(f);
	frame_ring_fini(&r);
}

static void
test_ring_takes_shared_frames_and_releases_what_is_left(void **state)
{
	struct frame_ring a, b;
	struct frame *f = make(*state, 60);

	assert_int_equal(frame_ring_init(&a, 8, 1000), 0);
	assert_int_equal(frame_ring_init(&b, 8, 1000), 0);
	assert_int_equal(frame_ring_push(&a, frame_take(f)), 0);
	assert_int_equal(frame_ring_push(&b, frame_take(f)), 0);
	assert_int_equal(f->refs, 3);
	frame_ring_fini(&a);
	assert_int_equal(f->refs, 2);
	frame_ring_fini(&b);
	assert_int_equal(f->refs, 1);
	frame_release(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue_gives_frames_in_order),
		cmocka_unit_test(test_queue_counts_what_it_costs_the_pool),
		cmocka_unit_test(test_ring_holds_its_limit_of_frames),
		cmocka_unit_test(test_ring_takes_many_at_once),
		cmocka_unit_test(test_ring_indices_may_wrap),
		cmocka_unit_test(test_ring_holds_its_quota_of_bytes),
		cmocka_unit_test(
		    test_empty_ring_takes_a_frame_beyond_its_quota),
		cmocka_unit_test(
		    test_ring_takes_shared_frames_and_releases_what_is_left),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}

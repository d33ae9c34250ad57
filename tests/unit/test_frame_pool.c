/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool: fixed, bounded, healing; one owner or counted readers. */
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
	struct frame_pool_options options = { .small_count = 4,
		.large_count = 2 };

	return frame_pool_create(&options, (struct frame_pool **)state);
}

static int
pool_teardown(void **state)
{
	frame_pool_destroy(*state);
	return 0;
}

static void
assert_free(const struct frame_pool *pool, uint32_t small, uint32_t large)
{
	struct frame_pool_stats stats;

	frame_pool_stats(pool, &stats);
	assert_int_equal(stats.small_free, small);
	assert_int_equal(stats.large_free, large);
}

static void
test_defaults_hold_for_null_and_for_zeroed_options(void **state)
{
	struct frame_pool_options zero = { 0 };
	struct frame_pool_stats stats;
	struct frame_pool *pool;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    frame_pool_create(i == 0 ? NULL : &zero, &pool), 0);
		frame_pool_stats(pool, &stats);
		assert_int_equal(stats.small_total, 8192);
		assert_int_equal(stats.large_total, 1024);
		assert_int_equal(stats.small_free, 8192);
		assert_int_equal(stats.large_free, 1024);
		assert_int_equal(stats.failures, 0);
		frame_pool_destroy(pool);
	}
	frame_pool_destroy(NULL);
}

static void
test_an_impossible_pool_is_refused(void **state)
{
	struct frame_pool_options options = { .large_count = UINT32_MAX };
	struct frame_pool *pool = NULL;

	(void)state;
#ifdef FRAME_ASAN
	print_message("# skip: ASan stops the program when memory is out\n");
	skip();
#endif
	/* 257 TiB: more than there are addresses. */
	assert_int_equal(frame_pool_create(&options, &pool), -ENOMEM);
	assert_null(pool);
}

static void
test_fresh_frame_is_empty_with_headroom_and_room(void **state)
{
	static const uint32_t rooms[] = { 0, 60, FRAME_SMALL_MAX,
		FRAME_SMALL_MAX + 1, FRAME_LARGE_MAX };

	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		struct frame *f = frame_alloc(*state, rooms[i]);

		assert_non_null(f);
		assert_int_equal(f->len, 0);
		assert_int_equal(f->refs, 1);
		assert_int_equal(f->off.flags, 0);
		assert_int_equal(f->off.gso_type, 0);
		assert_int_equal(frame_headroom(f), FRAME_HEADROOM);
		assert_int_equal(f->large, rooms[i] > FRAME_SMALL_MAX);
		assert_int_equal(frame_room(f),
		    f->large ? FRAME_LARGE_MAX : FRAME_SMALL_MAX);
		memset(f->data - FRAME_HEADROOM, 0xff,
		    FRAME_HEADROOM + frame_room(f));
		f->off.flags = FRAME_CSUM_PARTIAL;
		f->len = 17;
		f->data += 3;
		assert_int_equal(frame_headroom(f), FRAME_HEADROOM + 3);
		frame_release(f);
	}
}

static void
test_last_returned_is_first_taken(void **state)
{
	struct frame *a = frame_alloc(*state, 60);
	struct frame *b = frame_alloc(*state, 60);

	frame_release(a);
	frame_release(b);
	assert_ptr_equal(frame_alloc(*state, 60), b);
	assert_ptr_equal(frame_alloc(*state, 60), a);
	frame_release(a);
	frame_release(b);
}

static void
test_small_requests_take_large_frames_when_small_ones_are_out(void **state)
{
	struct frame *frames[6];

	for (int i = 0; i < 6; i++) {
		frames[i] = frame_alloc(*state, 60);
		assert_non_null(frames[i]);
		assert_int_equal(frames[i]->large, i >= 4);
	}
	for (int i = 0; i < 6; i++)
		frame_release(frames[i]);
	assert_free(*state, 4, 2);
}

static void
test_large_requests_never_take_small_frames(void **state)
{
	struct frame *a = frame_alloc(*state, 9000);
	struct frame *b = frame_alloc(*state, 9000);

	assert_null(frame_alloc(*state, 9000));
	assert_free(*state, 4, 0);
	frame_release(a);
	frame_release(b);
}

static void
test_an_empty_pool_counts_and_recovers(void **state)
{
	struct frame_pool_stats before, after;
	struct frame *frames[6];

	frame_pool_stats(*state, &before);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 6; i++)
			frames[i] = frame_alloc(*state, 60);
		assert_null(frame_alloc(*state, 60));
		assert_null(frame_copy(frames[0]));
		for (int i = 0; i < 6; i++)
			frame_release(frames[i]);
	}
	frame_pool_stats(*state, &after);
	assert_int_equal(after.failures - before.failures, 6);
	assert_free(*state, 4, 2);
}

static void
test_frame_returns_with_its_last_reader(void **state)
{
	struct frame *f = frame_alloc(*state, 60);

	assert_ptr_equal(frame_take(f), f);
	assert_int_equal(f->refs, 2);
	frame_release(f);
	assert_free(*state, 3, 2);
	frame_release(f);
	assert_free(*state, 4, 2);
}

static struct frame *
sample(struct frame_pool *pool, uint32_t len)
{
	struct frame *f = frame_alloc(pool, len);

	assert_non_null(f);
	f->len = len;
	for (uint32_t i = 0; i < len; i++)
		f->data[i] = (uint8_t)(i * 7 + 1);
	f->off = (struct frame_offload){ 1, 2, 3, 4, 5, 6 };
	return f;
}

static void
test_copy_has_bytes_and_record_and_is_its_own(void **state)
{
	static const uint32_t lens[] = { 60, FRAME_SMALL_MAX, FRAME_LARGE_MAX };

	for (size_t i = 0; i < 3; i++) {
		struct frame *f = sample(*state, lens[i]);
		struct frame *c = frame_copy(f);

		assert_non_null(c);
		assert_ptr_not_equal(c, f);
		assert_int_equal(c->len, f->len);
		assert_int_equal(c->refs, 1);
		assert_memory_equal(c->data, f->data, f->len);
		assert_memory_equal(&c->off, &f->off, sizeof(f->off));
		frame_release(f);
		frame_release(c);
	}
}

static void
test_copy_of_a_frame_that_grew_into_its_headroom(void **state)
{
	struct frame *f = sample(*state, FRAME_LARGE_MAX);
	struct frame *c;

	f->data -= FRAME_HEADROOM;
	f->len += FRAME_HEADROOM;
	memset(f->data, 0x55, FRAME_HEADROOM);
	c = frame_copy(f);
	assert_non_null(c);
	assert_int_equal(c->len, f->len);
	assert_memory_equal(c->data, f->data, f->len);
	assert_int_equal(frame_headroom(c), 0);
	frame_release(f);
	frame_release(c);
}

/* Room stays, a copy is not shifted, nor is what is taken next. */
static void
test_data_that_begin_later(void **state)
{
	static const uint32_t shifts[] = { 0, 1, FRAME_LARGE_PLAY - 1 };

	for (size_t i = 0; i < 3; i++) {
		struct frame *f = frame_alloc(*state, FRAME_LARGE_MAX);
		struct frame *copy;

		assert_non_null(f);
		assert_int_equal(frame_headroom(f), FRAME_HEADROOM);
		frame_shift(f, shifts[i]);
		assert_int_equal(frame_headroom(f), FRAME_HEADROOM + shifts[i]);
		assert_int_equal(frame_room(f), FRAME_LARGE_MAX);
		f->len = FRAME_LARGE_MAX + FRAME_OVER;
		memset(f->data, 0x77, f->len); /* all of it is ours */
		f->len = FRAME_LARGE_MAX;
		copy = frame_copy(f);
		assert_non_null(copy);
		assert_int_equal(frame_headroom(copy), FRAME_HEADROOM);
		assert_int_equal(frame_room(copy), FRAME_LARGE_MAX);
		assert_memory_equal(copy->data, f->data, f->len);
		frame_release(copy);
		frame_release(f);
	}
}

static void
test_own_keeps_a_sole_readers_frame(void **state)
{
	struct frame *f = sample(*state, 60);

	assert_ptr_equal(frame_own(f), f);
	assert_free(*state, 3, 2);
	frame_release(f);
}

static void
test_own_copies_a_shared_frame_and_gives_the_claim_back(void **state)
{
	struct frame *f = sample(*state, 60);
	struct frame *mine = frame_own(frame_take(f));

	assert_ptr_not_equal(mine, f);
	assert_int_equal(f->refs, 1);
	mine->data[0] ^= 0xff;
	assert_int_equal(f->data[0], 1);
	frame_release(mine);
	frame_release(f);
}

static void
test_own_without_a_frame_left_gives_the_claim_back(void **state)
{
	struct frame *frames[6];

	for (int i = 0; i < 6; i++)
		frames[i] = sample(*state, 60);
	assert_null(frame_own(frame_take(frames[0])));
	assert_int_equal(frames[0]->refs, 1);
	for (int i = 0; i < 6; i++)
		frame_release(frames[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_defaults_hold_for_null_and_for_zeroed_options),
		cmocka_unit_test(test_an_impossible_pool_is_refused),
		cmocka_unit_test(
		    test_fresh_frame_is_empty_with_headroom_and_room),
		cmocka_unit_test(test_last_returned_is_first_taken),
		cmocka_unit_test(
		    test_small_requests_take_large_frames_when_small_ones_are_out),
		cmocka_unit_test(test_large_requests_never_take_small_frames),
		cmocka_unit_test(test_an_empty_pool_counts_and_recovers),
		cmocka_unit_test(test_frame_returns_with_its_last_reader),
		cmocka_unit_test(test_copy_has_bytes_and_record_and_is_its_own),
		cmocka_unit_test(
		    test_copy_of_a_frame_that_grew_into_its_headroom),
		cmocka_unit_test(test_data_that_begin_later),
		cmocka_unit_test(test_own_keeps_a_sole_readers_frame),
		cmocka_unit_test(
		    test_own_copies_a_shared_frame_and_gives_the_claim_back),
		cmocka_unit_test(
		    test_own_without_a_frame_left_gives_the_claim_back),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}

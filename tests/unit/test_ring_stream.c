/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream: what is put comes out, nobody waits, a lying reader ends it.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "ring/stream.h"

static void *memory;
static size_t size;
static struct stream_writer w;
static struct stream_reader r;

static int
setup(void **state)
{
	(void)state;
	size = stream_size(STREAM_ROOM_MIN);
	memory = aligned_alloc(4096, size);
	assert_non_null(memory);
	memset(memory, 0, size);
	assert_int_equal(stream_writer_init(&w, memory, size), 0);
	assert_int_equal(stream_reader_init(&r, memory, size), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

/* Where the reader's mark is, for a test that lies. */
static uint64_t *
reader_mark(void)
{
	uint64_t before[STREAM_HEADER_SIZE / 8];
	uint64_t *words = memory;

	stream_put(&w, "x", 1);
	stream_publish(&w);
	memcpy(before, memory, sizeof(before));
	stream_skip(&r, 1);
	for (size_t i = 0; i < STREAM_HEADER_SIZE / 8; i++)
		if (words[i] != before[i])
			return &words[i];
	fail();
	return NULL;
}

static void
test_sizes(void **state)
{
	(void)state;
	assert_int_equal(
	    stream_size(STREAM_ROOM_MIN), STREAM_HEADER_SIZE + STREAM_ROOM_MIN);
	assert_int_equal(stream_size(STREAM_ROOM_MIN + 1),
	    STREAM_HEADER_SIZE + 2 * STREAM_ROOM_MIN);
	assert_int_equal(
	    stream_size(STREAM_ROOM_MAX), STREAM_HEADER_SIZE + STREAM_ROOM_MAX);
}

static void
test_other_sizes_are_refused(void **state)
{
	static const size_t bad[] = { 0, STREAM_HEADER_SIZE - 1,
		STREAM_HEADER_SIZE, STREAM_HEADER_SIZE + STREAM_ROOM_MIN / 2,
		STREAM_HEADER_SIZE + STREAM_ROOM_MIN + 4096,
		STREAM_HEADER_SIZE + 2 * (size_t)STREAM_ROOM_MAX, SIZE_MAX };
	struct stream_writer other;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    stream_writer_init(&other, memory, bad[i]), -EINVAL);
	assert_int_equal(
	    stream_writer_init(&other, (char *)memory + 8, size), -EINVAL);
}

static void
test_nothing_before_it_is_published(void **state)
{
	const uint8_t *at;

	(void)state;
	assert_true(stream_room(&w, 3));
	stream_put(&w, "abc", 3);
	assert_int_equal(stream_peek(&r, &at), 0);
	stream_publish(&w);
	assert_int_equal(stream_peek(&r, &at), 3);
	assert_memory_equal(at, "abc", 3);
	stream_skip(&r, 2);
	assert_int_equal(stream_peek(&r, &at), 1);
	assert_memory_equal(at, "c", 1);
	stream_skip(&r, 1);
	assert_int_equal(stream_peek(&r, &at), 0);
}

static void
test_full_is_full(void **state)
{
	static char block[STREAM_ROOM_MIN];
	const uint8_t *at;

	(void)state;
	assert_false(stream_room(&w, STREAM_ROOM_MIN + 1));
	assert_true(stream_room(&w, STREAM_ROOM_MIN));
	stream_put(&w, block, STREAM_ROOM_MIN);
	stream_publish(&w);
	assert_false(stream_room(&w, 1));
	assert_int_equal(stream_peek(&r, &at), STREAM_ROOM_MIN);
	stream_skip(&r, 100);
	assert_true(stream_room(&w, 100));
	assert_false(stream_room(&w, 101));
	assert_false(w.broken);
}

static void
test_copy_crosses_the_wrap(void **state)
{
	static char block[STREAM_ROOM_MIN - 2];
	const uint8_t *at;
	char got[4];

	(void)state;
	stream_put(&w, block, sizeof(block));
	stream_publish(&w);
	stream_skip(&r, sizeof(block));
	assert_true(stream_room(&w, 4));
	stream_put(&w, "wxyz", 4);
	stream_publish(&w);
	assert_int_equal(stream_peek(&r, &at), 2);
	assert_int_equal(stream_copy(&r, 0, got, 4), 0);
	assert_memory_equal(got, "wxyz", 4);
	assert_int_equal(stream_copy(&r, 1, got, 3), 0);
	assert_memory_equal(got, "xyz", 3);
	assert_int_equal(stream_copy(&r, 1, got, 4), -EAGAIN);
	assert_int_equal(stream_copy(&r, 5, got, 0), -EAGAIN);
	stream_skip(&r, 2);
	assert_int_equal(stream_peek(&r, &at), 2);
	assert_memory_equal(at, "yz", 2);
}

/* A reader may take what is not there, go back, or jump: the writer stops. */
static void
test_lying_reader_breaks_the_stream(void **state)
{
	static const int64_t lies[] = { 1, 2, 100000, -1, -2, INT64_MAX };
	static char block[STREAM_ROOM_MIN];

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint64_t *mark;

		teardown(NULL);
		setup(NULL);
		mark = reader_mark();
		assert_true(stream_room(&w, STREAM_ROOM_MIN));
		stream_put(&w, block, STREAM_ROOM_MIN - 1);
		stream_publish(&w);
		*mark = w.tail + (uint64_t)lies[i];
		if (lies[i] > 0 && lies[i] < (int64_t)STREAM_ROOM_MIN) {
			/* It has read it, for all that we know. */
			assert_true(stream_room(&w, (size_t)lies[i] + 1));
			continue;
		}
		assert_false(stream_room(&w, STREAM_ROOM_MIN));
		assert_true(w.broken);
		/* For good, also when it makes sense again. */
		*mark = w.tail;
		assert_false(stream_room(&w, STREAM_ROOM_MIN));
	}
}

static void
test_lying_writer_is_seen(void **state)
{
	const uint8_t *at;
	char got[1];

	(void)state;
	w.next = STREAM_ROOM_MIN + 1;
	stream_publish(&w);
	assert_int_equal(stream_peek(&r, &at), -EPROTO);
	assert_int_equal(stream_copy(&r, 0, got, 1), -EPROTO);
}

static void
test_memory_that_was_used_is_refused(void **state)
{
	struct stream_writer other;

	(void)state;
	(void)reader_mark();
	assert_int_equal(stream_writer_init(&other, memory, size), -EINVAL);
	assert_int_equal(stream_reader_init(&r, memory, size), -EINVAL);
}

static void
test_sleeper_is_told_once(void **state)
{
	(void)state;
	assert_false(stream_sleeper(&w));
	assert_true(stream_sleep(&r, 1));
	stream_put(&w, "a", 1);
	stream_publish(&w);
	assert_true(stream_sleeper(&w));
	assert_false(stream_sleeper(&w));
	/* With something to read there is no sleep. */
	assert_false(stream_sleep(&r, 1));
	assert_false(stream_sleeper(&w));
}

/* Who wants more than there is sleeps on. */
static void
test_sleeper_is_told_when_there_is_enough(void **state)
{
	(void)state;
	stream_put(&w, "abc", 3);
	stream_publish(&w);
	assert_true(stream_sleep(&r, 5));
	assert_false(stream_sleeper(&w));
	stream_skip(&r, 3); /* what was taken does not count */
	stream_put(&w, "defg", 4);
	stream_publish(&w);
	assert_false(stream_sleeper(&w));
	stream_put(&w, "h", 1);
	assert_false(stream_sleeper(&w));
	stream_publish(&w);
	assert_true(stream_sleeper(&w));
	assert_false(stream_sleeper(&w));
	assert_false(stream_sleep(&r, 5));
	assert_true(stream_sleep(&r, 6));
}

static void
test_counts(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < STREAM_COUNTS; i++)
		stream_count(&w, i, 100 + i);
	for (unsigned int i = 0; i < STREAM_COUNTS; i++)
		assert_int_equal(stream_counted(&r, i), 100 + i);
}

#define TOTAL (8u * 1024 * 1024)

static void *
write_all(void *arg)
{
	struct prng g = prng_init(7);
	uint8_t record[4096];
	uint32_t done = 0;

	(void)arg;
	while (done < TOTAL) {
		uint32_t len = (uint32_t)prng_range(&g, 1, sizeof(record));

		if (len > TOTAL - done)
			len = TOTAL - done;
		for (uint32_t i = 0; i < len; i++)
			record[i] = (uint8_t)((done + i) * 31 >> 3);
		while (!stream_room(&w, len))
			assert_false(w.broken);
		stream_put(&w, record, len);
		stream_publish(&w);
		done += len;
	}
	return NULL;
}

/* Two threads: every byte in its place. */
static void
test_threads(void **state)
{
	pthread_t thread;
	uint32_t done = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, write_all, NULL), 0);
	while (done < TOTAL) {
		const uint8_t *at;
		long n = stream_peek(&r, &at);

		assert_true(n >= 0);
		for (long i = 0; i < n; i++)
			if (at[i] != (uint8_t)((done + (uint32_t)i) * 31 >> 3))
				fail_msg("byte %u", done + (uint32_t)i);
		stream_skip(&r, (size_t)n);
		done += (uint32_t)n;
	}
	pthread_join(thread, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sizes),
		TEST(test_other_sizes_are_refused),
		TEST(test_nothing_before_it_is_published),
		TEST(test_full_is_full),
		TEST(test_copy_crosses_the_wrap),
		TEST(test_lying_reader_breaks_the_stream),
		TEST(test_lying_writer_is_seen),
		TEST(test_memory_that_was_used_is_refused),
		TEST(test_sleeper_is_told_once),
		TEST(test_sleeper_is_told_when_there_is_enough),
		TEST(test_counts),
		TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

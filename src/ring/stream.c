/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of bytes through shared memory; stream.h has how it works.
 */
#include "ring/stream.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"

struct stream_shared {
	/* The writer's line. */
	_Alignas(64) _Atomic uint64_t head;
	_Atomic uint64_t counts[STREAM_COUNTS];
	/* The reader's line. */
	_Alignas(64) _Atomic uint64_t tail;
	_Atomic uint32_t asleep; /* until so many bytes are there; 0: awake */
};
_Static_assert(sizeof(struct stream_shared) <= STREAM_HEADER_SIZE, "header");

size_t
stream_size(size_t room)
{
	size_t size = STREAM_ROOM_MIN;

	ASSERT(room >= STREAM_ROOM_MIN && room <= STREAM_ROOM_MAX);
	while (size < room)
		size *= 2;
	return STREAM_HEADER_SIZE + size;
}

static int
check(const struct stream_shared *shared, size_t size)
{
	size_t room = size - STREAM_HEADER_SIZE;

	if (size < STREAM_HEADER_SIZE || room < STREAM_ROOM_MIN ||
	    room > STREAM_ROOM_MAX || (room & (room - 1)) != 0 ||
	    (uintptr_t)shared % _Alignof(struct stream_shared) != 0)
		return -EINVAL;
	return 0;
}

int
stream_writer_init(struct stream_writer *w, void *memory, size_t size)
{
	struct stream_shared *shared = memory;

	if (check(shared, size) != 0 || atomic_load(&shared->tail) != 0)
		return -EINVAL;
	*w = (struct stream_writer){
		.shared = shared,
		.data = (uint8_t *)memory + STREAM_HEADER_SIZE,
		.size = size - STREAM_HEADER_SIZE,
	};
	return 0;
}

/* Looks how far the reader is. False: its mark is nonsense. */
static bool
take_tail(struct stream_writer *w)
{
	/* Acquires stream_skip()'s release. */
	uint64_t tail =
	    atomic_load_explicit(&w->shared->tail, memory_order_acquire);

	if (w->broken || tail < w->tail || tail > w->next) {
		w->broken = true;
		return false;
	}
	w->tail = tail;
	return true;
}

static bool
room_slow(struct stream_writer *w, size_t len)
{
	return take_tail(w) && len <= w->size - (w->next - w->tail);
}

bool
stream_room(struct stream_writer *w, size_t len)
{
	return len <= w->size - (w->next - w->tail) || room_slow(w, len);
}

void
stream_put(struct stream_writer *w, const void *src, size_t len)
{
	uint64_t at = w->next & (w->size - 1);
	uint64_t first = w->size - at;

	ASSERT(len <= w->size - (w->next - w->tail));
	if (__builtin_expect(len <= first, 1)) {
		memcpy(w->data + at, src, len);
	} else {
		memcpy(w->data + at, src, first);
		memcpy(w->data, (const uint8_t *)src + first, len - first);
	}
	w->next += len;
}

void
stream_publish(struct stream_writer *w)
{
	/* Pairs with the acquire of available(). */
	atomic_store_explicit(&w->shared->head, w->next, memory_order_release);
	w->published = w->next;
}

bool
stream_sleeper(struct stream_writer *w)
{
	uint32_t enough;

	/* Pairs with the fence of stream_sleep(). */
	atomic_thread_fence(memory_order_seq_cst);
	enough = atomic_load_explicit(&w->shared->asleep, memory_order_relaxed);
	if (enough == 0 || !take_tail(w) || w->published - w->tail < enough)
		return false;
	atomic_store_explicit(&w->shared->asleep, 0, memory_order_relaxed);
	return true;
}

void
stream_count(struct stream_writer *w, unsigned int i, uint64_t value)
{
	ASSERT(i < STREAM_COUNTS);
	atomic_store_explicit(
	    &w->shared->counts[i], value, memory_order_relaxed);
}

int
stream_reader_init(struct stream_reader *r, void *memory, size_t size)
{
	struct stream_shared *shared = memory;

	if (check(shared, size) != 0 || atomic_load(&shared->tail) != 0)
		return -EINVAL;
	*r = (struct stream_reader){
		.shared = shared,
		.data = (const uint8_t *)memory + STREAM_HEADER_SIZE,
		.size = size - STREAM_HEADER_SIZE,
	};
	return 0;
}

/* Bytes that were published and not given back. */
static long
available(const struct stream_reader *r)
{
	/* Acquires stream_publish()'s release. */
	uint64_t head =
	    atomic_load_explicit(&r->shared->head, memory_order_acquire);

	if (head - r->tail > r->size)
		return -EPROTO;
	return (long)(head - r->tail);
}

long
stream_peek(const struct stream_reader *r, const uint8_t **at)
{
	long n = available(r);
	uint64_t from = r->tail & (r->size - 1);

	if (n <= 0)
		return n;
	*at = r->data + from;
	return (uint64_t)n < r->size - from ? n : (long)(r->size - from);
}

int
stream_copy(const struct stream_reader *r, size_t skip, void *to, size_t len)
{
	long n = available(r);
	uint64_t from = (r->tail + skip) & (r->size - 1);
	uint64_t first = r->size - from;

	if (n < 0)
		return (int)n;
	if (skip > (size_t)n || len > (size_t)n - skip)
		return -EAGAIN;
	if (len <= first) {
		memcpy(to, r->data + from, len);
	} else {
		memcpy(to, r->data + from, first);
		memcpy((uint8_t *)to + first, r->data, len - first);
	}
	return 0;
}

void
stream_skip(struct stream_reader *r, size_t len)
{
	r->tail += len;
	/* Pairs with the acquire of room_slow(). */
	atomic_store_explicit(&r->shared->tail, r->tail, memory_order_release);
}

bool
stream_sleep(struct stream_reader *r, uint32_t enough)
{
	long n;

	ASSERT(enough >= 1);
	atomic_store_explicit(&r->shared->asleep, enough, memory_order_relaxed);
	/* Pairs with the fence of stream_sleeper(). */
	atomic_thread_fence(memory_order_seq_cst);
	n = available(r);
	if (n >= 0 && n < (long)enough)
		return true;
	atomic_store_explicit(&r->shared->asleep, 0, memory_order_relaxed);
	return false;
}

uint64_t
stream_counted(const struct stream_reader *r, unsigned int i)
{
	ASSERT(i < STREAM_COUNTS);
	return atomic_load_explicit(
	    &r->shared->counts[i], memory_order_relaxed);
}

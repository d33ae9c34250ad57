/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame pool: what is not in the hot path (that is inline in frame.h).
 *
 * Each class has two arrays of its full size, descriptors and buffers, that
 * are allocated at creation and not written to.  Descriptors below the mark
 * `fresh` have been set up; of those, the ones not in use hang on the free
 * list, last returned first.  When the list is empty the mark moves up by one.
 *
 * Buffers lie an odd number of cache lines apart: with a power of two the
 * headers of a whole batch would fall into two sets of the first-level cache.
 */
#include "frame/frame.h"

#include <errno.h>
#include <stdlib.h>

#define CACHE_LINE  64u
#define LARGE_BYTES (FRAME_LARGE_PLAY + FRAME_LARGE_MAX + FRAME_OVER)

#define SMALL_DEFAULT 8192u
#define LARGE_DEFAULT 1024u

_Static_assert(sizeof(struct frame) <= CACHE_LINE, "one line a descriptor");

#ifdef FRAME_ASAN
#include <sanitizer/asan_interface.h>

static size_t
buffer_size(const struct frame *f)
{
	return FRAME_HEADROOM + (f->large ? LARGE_BYTES : FRAME_SMALL_MAX);
}

void
frame_asan_poison(struct frame *f)
{
	ASAN_POISON_MEMORY_REGION(f->buffer, buffer_size(f));
}

void
frame_asan_unpoison(struct frame *f)
{
	ASAN_UNPOISON_MEMORY_REGION(f->buffer, buffer_size(f));
}
#endif

/* Bytes from one buffer to the next, for @size bytes of data. */
static size_t
class_stride(size_t size)
{
	size_t lines = (FRAME_HEADROOM + size + CACHE_LINE - 1) / CACHE_LINE;

	return (lines + 1 - lines % 2) * CACHE_LINE;
}

static void
class_fini(struct frame_class *class)
{
#ifdef FRAME_ASAN
	if (class->buffers != NULL)
		ASAN_UNPOISON_MEMORY_REGION(
		    class->buffers, class->stride * class->total);
#endif
	free(class->buffers);
	free(class->frames);
}

static int
class_init(struct frame_class *class, uint32_t count, size_t size)
{
	size_t frames_size, buffers_size;

	class->stride = class_stride(size);
	if (__builtin_mul_overflow(
	        (size_t)count, sizeof(*class->frames), &frames_size) ||
	    __builtin_mul_overflow(
	        (size_t)count, class->stride, &buffers_size) ||
	    buffers_size > PTRDIFF_MAX)
		return -ENOMEM;
	frames_size =
	    (frames_size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	class->frames = aligned_alloc(CACHE_LINE, frames_size);
	class->buffers = aligned_alloc(CACHE_LINE, buffers_size);
	if (class->frames == NULL || class->buffers == NULL) {
		free(class->buffers);
		free(class->frames);
		return -ENOMEM;
	}
	class->total = count;
#ifdef FRAME_ASAN
	ASAN_POISON_MEMORY_REGION(class->buffers, buffers_size);
#endif
	return 0;
}

int
frame_pool_create(
    const struct frame_pool_options *options, struct frame_pool **out)
{
	uint32_t small_count = SMALL_DEFAULT, large_count = LARGE_DEFAULT;
	struct frame_pool *pool;

	if (options != NULL && options->small_count != 0)
		small_count = options->small_count;
	if (options != NULL && options->large_count != 0)
		large_count = options->large_count;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return -ENOMEM;
	if (class_init(&pool->small, small_count, FRAME_SMALL_MAX) < 0)
		goto out_pool;
	if (class_init(&pool->large, large_count, LARGE_BYTES) < 0)
		goto out_small;
	*out = pool;
	return 0;

out_small:
	class_fini(&pool->small);
out_pool:
	free(pool);
	return -ENOMEM;
}

void
frame_pool_destroy(struct frame_pool *pool)
{
	if (pool == NULL)
		return;
	ASSERT(pool->small.in_use == 0 && pool->large.in_use == 0);
	class_fini(&pool->small);
	class_fini(&pool->large);
	free(pool);
}

void
frame_pool_stats(const struct frame_pool *pool, struct frame_pool_stats *out)
{
	out->small_total = pool->small.total;
	out->small_free = pool->small.total - pool->small.in_use;
	out->large_total = pool->large.total;
	out->large_free = pool->large.total - pool->large.in_use;
	out->failures = pool->failures;
}

/* Put a never used frame on the free list, if there is one. */
static bool
class_refill(struct frame_pool *pool, struct frame_class *class)
{
	struct frame *f;

	if (class->free != NULL)
		return true;
	if (class->fresh == class->total)
		return false;
	f = &class->frames[class->fresh];
	*f = (struct frame){
		.pool = pool,
		.buffer = class->buffers + class->fresh * class->stride,
		.large = class == &pool->large,
	};
	class->fresh++;
	class->free = f;
	return true;
}

struct frame *
frame_alloc_slow(struct frame_pool *pool, uint32_t room)
{
	if (room <= FRAME_SMALL_MAX && class_refill(pool, &pool->small))
		return frame_alloc(pool, room);
	if (class_refill(pool, &pool->large))
		return frame_alloc(pool, FRAME_LARGE_MAX);
	pool->failures++;
	return NULL;
}

struct frame *
frame_copy(const struct frame *f)
{
	/* A frame that grew into its headroom may be longer than the room of
	 * a fresh one: its copy grows likewise. */
	uint32_t extra =
	    f->len > FRAME_LARGE_MAX ? f->len - FRAME_LARGE_MAX : 0;
	struct frame *copy = frame_alloc(f->pool, f->len - extra);

	if (copy == NULL)
		return NULL;
	copy->data -= extra;
	memcpy(copy->data, f->data, f->len);
	copy->len = f->len;
	memcpy(&copy->off, &f->off,
	    offsetof(struct frame, pool) - offsetof(struct frame, off));
	copy->shift = 0;
	return copy;
}

struct frame *
frame_own(struct frame *f)
{
	struct frame *copy;

	if (f->refs == 1)
		return f;
	copy = frame_copy(f);
	frame_release(f);
	return copy;
}

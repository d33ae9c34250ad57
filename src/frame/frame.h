/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame: one contiguous buffer with headroom and an offload record.
 *
 * Theory of operation
 *
 *     buffer                                                 buffer + room
 *     |<-- headroom >= FRAME_HEADROOM -->|<---- len ---->|        |
 *     +----------------------------------+---------------+--------+
 *                                        data
 *
 * data points at the destination address; VLAN tags are in band; there is no
 * FCS.  Frames come from a pool of two size classes that is fixed at start
 * (FRAME_SMALL_MAX and FRAME_LARGE_MAX bytes of data); an empty pool is a
 * counted drop (DROP_NO_FRAME) and heals by itself as frames return.
 *
 * The descriptors (struct frame, one cache line) lie apart from the buffers.
 * A class hands out frames that came back, newest first; only when there are
 * none does it set up the next one that was never used.  So the working set
 * stays small and warm, and memory that was never needed is never touched.
 * Taking and returning a frame is a few instructions, hence inline.
 *
 * Ownership: a frame has one owner, or several counted readers
 * (frame_take()) that flood it without a copy.  Only a sole reader may
 * write; frame_own() gives one, by copying if need be.  A reader
 * that is done calls frame_release().  "Consumed" always means that one
 * reader's claim has gone.  A pool and its frames belong to one worker
 * thread: no lock, no atomic.
 *
 * The offload record has the shape of struct virtio_net_hdr (without
 * num_buffers), in host byte order, so it goes to and from TUN, virtio and
 * packet sockets as it is.  Whoever takes a record from outside must pass it
 * through offload_check() (frame/offload.h) before anyone believes it.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"

#define FRAME_HEADROOM   128   /* bytes free before data in a fresh frame */
#define FRAME_SMALL_MAX  1920  /* data bytes of a small frame */
#define FRAME_LARGE_MAX  65664 /* data bytes of a large frame (>= 65557) */
#define FRAME_LARGE_PLAY 4096  /* bytes that a large one may begin later */
#define FRAME_OVER                                                       \
	1                  /* bytes behind a large frame's room, for who \
	                    * reads and must notice that one is longer */
#define FRAME_BATCH_MAX 64 /* frames in a batch */

/* struct virtio_net_hdr's flags and GSO types (virtio 1.2, 5.1.6). */
#define FRAME_CSUM_PARTIAL \
	0x01                  /* checksum from csum_start is to be completed */
#define FRAME_CSUM_VALID 0x02 /* checksum was verified, or is vouched for */

#define FRAME_GSO_NONE  0x00
#define FRAME_GSO_TCPV4 0x01
#define FRAME_GSO_UDP   0x03 /* UFO: refused, never produced */
#define FRAME_GSO_TCPV6 0x04
#define FRAME_GSO_UDPL4 0x05 /* USO: UDP, one datagram a segment */
#define FRAME_GSO_ECN   0x80 /* modifier: CWR is set */

struct frame_offload {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;     /* Ethernet to end of TCP/UDP header, a hint */
	uint16_t gso_size;    /* payload bytes of a segment */
	uint16_t csum_start;  /* from data */
	uint16_t csum_offset; /* from csum_start */
};
_Static_assert(sizeof(struct frame_offload) == 10, "virtio_net_hdr");

struct frame {
	uint8_t *data;
	uint32_t len;  /* bytes at data */
	uint32_t refs; /* readers; > 1 means read only */
	/* From off up to pool: zero in a fresh frame, copied by frame_copy().
	 */
	struct frame_offload off;
	uint16_t shift; /* frame_shift(): its data begin so much later */
	struct frame_pool *pool;
	struct frame *next; /* free list, or its owner's queue */
	uint8_t *buffer;    /* start of the buffer */
	bool large;         /* size class */
};

struct frame_pool_options {
	uint32_t small_count; /* 0: 8192 */
	uint32_t large_count; /* 0: 1024 */
};

/**
 * frame_pool_create() - a pool with all its memory reserved
 * @options: borrowed; NULL or zeroed means the defaults
 * @out:     owned by the caller; frame_pool_destroy()
 *
 * Pages are touched only when frames are first used, newest first, so an idle
 * pool costs address space, not memory.
 *
 * Return: 0, or -ENOMEM. Threads: the pool belongs to the creating thread.
 */
int frame_pool_create(
    const struct frame_pool_options *options, struct frame_pool **out);

/** frame_pool_destroy() - all frames must have come back (asserted) */
void frame_pool_destroy(struct frame_pool *pool);

struct frame_pool_stats {
	uint32_t small_total, small_free;
	uint32_t large_total, large_free;
	uint64_t failures; /* frame_alloc() that returned NULL */
};
void frame_pool_stats(
    const struct frame_pool *pool, struct frame_pool_stats *out);

/* One size class of a pool.  Private to this header and pool.c. */
struct frame_class {
	struct frame *free;   /* frames that came back, newest first */
	struct frame *frames; /* total descriptors */
	uint8_t *buffers;     /* total buffers, stride bytes apart */
	size_t stride;
	uint32_t total;
	uint32_t fresh;  /* descriptors from here on were never used */
	uint32_t in_use; /* frames that are out */
};

struct frame_pool {
	struct frame_class small, large;
	uint64_t failures;
};

/* The first use of a frame, the other class, or NULL (counted). */
struct frame *frame_alloc_slow(struct frame_pool *pool, uint32_t room);

/* For pool.c and the two functions below: under AddressSanitizer the bytes of
 * a frame that is not out are poisoned.  No-ops otherwise. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define FRAME_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FRAME_ASAN 1
#endif
#ifdef FRAME_ASAN
void frame_asan_poison(struct frame *f);
void frame_asan_unpoison(struct frame *f);
#else
static inline void
frame_asan_poison(struct frame *f)
{
	(void)f;
}
static inline void
frame_asan_unpoison(struct frame *f)
{
	(void)f;
}
#endif

/**
 * frame_alloc() - a fresh frame of one reader
 * @pool: borrowed
 * @room: bytes of data that must fit, at most FRAME_LARGE_MAX (asserted);
 *        up to FRAME_SMALL_MAX takes a small frame, or a large one when the
 *        small ones are out
 *
 * len is 0, the offload record is zero, data has FRAME_HEADROOM before it.
 * The bytes themselves are whatever an earlier frame left there.
 *
 * Return: the frame, owned; NULL when the pool is empty (counted).
 */
static inline struct frame *
frame_alloc(struct frame_pool *pool, uint32_t room)
{
	struct frame_class *class =
	    room <= FRAME_SMALL_MAX ? &pool->small : &pool->large;
	struct frame *f = class->free;

	ASSERT(room <= FRAME_LARGE_MAX);
	if (__builtin_expect(f == NULL, 0))
		return frame_alloc_slow(pool, room);
	class->free = f->next;
	class->in_use++;
	frame_asan_unpoison(f);
	f->data = f->buffer + FRAME_HEADROOM;
	f->len = 0;
	f->refs = 1;
	memset(&f->off, 0,
	    offsetof(struct frame, pool) - offsetof(struct frame, off));
	return f;
}

/** frame_pool_small_free() - small frames that can be had now */
static inline uint32_t
frame_pool_small_free(const struct frame_pool *pool)
{
	return pool->small.total - pool->small.in_use;
}

/** frame_room() - data bytes that fit from data to the end of the buffer */
static inline uint32_t
frame_room(const struct frame *f)
{
	uint32_t size = FRAME_HEADROOM + (uint32_t)f->shift +
	                (f->large ? FRAME_LARGE_MAX : FRAME_SMALL_MAX);

	return size - (uint32_t)(f->data - f->buffer);
}

/**
 * frame_shift() - let the data of a fresh frame begin later
 * @f:     a large one, just allocated (asserted)
 * @bytes: fewer than FRAME_LARGE_PLAY (asserted)
 *
 * For who copies by pages and wants pieces to begin where theirs do. The room
 * stays what it is.
 */
static inline void
frame_shift(struct frame *f, uint32_t bytes)
{
	ASSERT(f->large && f->shift == 0 && bytes < FRAME_LARGE_PLAY);
	f->shift = (uint16_t)bytes;
	f->data += bytes;
}

/** frame_headroom() - bytes free before data */
static inline uint32_t
frame_headroom(const struct frame *f)
{
	return (uint32_t)(f->data - f->buffer);
}

/** frame_take() - one more reader. Return: @f */
static inline struct frame *
frame_take(struct frame *f)
{
	f->refs++;
	return f;
}

/** frame_release() - one reader less; the last returns it to its pool */
static inline void
frame_release(struct frame *f)
{
	struct frame_class *class;

	ASSERT(f->refs != 0);
	if (--f->refs != 0)
		return;
	class = f->large ? &f->pool->large : &f->pool->small;
	f->next = class->free;
	class->free = f;
	class->in_use--;
	frame_asan_poison(f);
}

/**
 * frame_copy() - a private copy, offload record included
 *
 * Return: owned, or NULL when the pool is empty. @f is only read.
 */
struct frame *frame_copy(const struct frame *f);

/**
 * frame_own() - make a frame writable
 * @f: consumed
 *
 * Return: @f itself if its claim was the only one, else a copy; NULL (the
 * claim is gone) when the pool is empty.
 */
struct frame *frame_own(struct frame *f);

/** A batch: frames that travel together. The array's frames are owned. */
struct frame_batch {
	uint32_t count;
	struct frame *frames[FRAME_BATCH_MAX];
};

/** A queue of frames with a limit in frames and in bytes; singly linked. */
struct frame_queue {
	struct frame *head, *tail;
	uint32_t count;
	uint64_t bytes; /* buffer bytes held: what it costs the pool */
};

/**
 * frame_queue_push() - append
 * @f: consumed
 *
 * A frame is in one queue at most, so a frame with several readers cannot be
 * queued through ->next: refs must be 1 (asserted), and nobody may take a
 * reader while it is queued.  Outputs that must keep shared frames use a ring
 * of pointers (struct frame_ring).
 */
void frame_queue_push(struct frame_queue *q, struct frame *f);
/** frame_queue_pop() - the oldest frame (owned), or NULL */
struct frame *frame_queue_pop(struct frame_queue *q);

/**
 * A ring of frame pointers with a limit in frames and a quota in bytes, for
 * output queues; shared frames are welcome.  slots is owned by the ring's
 * holder (size a power of two).
 */
struct frame_ring {
	struct frame **slots;
	uint32_t size;  /* slots, a power of two */
	uint32_t head;  /* free-running: next to pop */
	uint32_t tail;  /* free-running: next to push */
	uint32_t limit; /* frames, at most size */
	uint64_t bytes; /* sum of frame lengths held */
	uint64_t bytes_max;
	/* Bytes of several rings together, and their limit; borrowed.  NULL:
	 * the ring counts for itself. */
	uint64_t *shared;
	uint64_t shared_max;
};

/**
 * frame_ring_init() - an empty ring for up to @limit frames
 * @limit: 1 to 65536 (asserted)
 *
 * Return: 0, or -ENOMEM (@r is untouched).
 */
int frame_ring_init(struct frame_ring *r, uint32_t limit, uint64_t bytes_max);
/** frame_ring_fini() - releases what is still queued, without counting */
void frame_ring_fini(struct frame_ring *r);

/**
 * frame_ring_share() - what @r holds counts together with other rings
 * @shared: the sum, in bytes; borrowed until frame_ring_fini()
 * @max:    limit of the sum
 *
 * @r is empty.
 */
static inline void
frame_ring_share(struct frame_ring *r, uint64_t *shared, uint64_t max)
{
	r->shared = shared;
	r->shared_max = max;
}

static inline uint32_t
frame_ring_count(const struct frame_ring *r)
{
	return r->tail - r->head;
}

/** frame_ring_crowded() - is half of its room taken, or more? */
static inline bool
frame_ring_crowded(const struct frame_ring *r)
{
	return frame_ring_count(r) > r->limit / 2 ||
	       r->bytes > r->bytes_max / 2;
}

/**
 * frame_ring_push() - append
 * @f: consumed on success only
 *
 * Return: 0, -ENOBUFS (limit of frames) or -EDQUOT (quota of bytes, its own or
 * the shared one).  A frame larger than its whole own quota is taken by an
 * empty ring.  Nobody may change the length of a queued frame.
 */
static inline int
frame_ring_push(struct frame_ring *r, struct frame *f)
{
	uint32_t count = frame_ring_count(r);

	if (__builtin_expect(count >= r->limit, 0))
		return -ENOBUFS;
	if (__builtin_expect(r->bytes + f->len > r->bytes_max, 0) && count != 0)
		return -EDQUOT;
	if (__builtin_expect(r->shared != NULL, 0)) {
		if (*r->shared + f->len > r->shared_max)
			return -EDQUOT;
		*r->shared += f->len;
	}
	r->slots[r->tail & (r->size - 1)] = f;
	r->tail++;
	r->bytes += f->len;
	return 0;
}

/**
 * frame_ring_push_all() - append @count frames if there is room for them all
 * and the ring counts for itself
 * @bytes: the sum of their lengths
 *
 * Return: true and they are consumed, or false: push them one by one.
 */
static inline bool
frame_ring_push_all(struct frame_ring *r, struct frame *const *frames,
    uint32_t count, uint64_t bytes)
{
	uint32_t at = r->tail & (r->size - 1);
	uint32_t before_end = r->size - at;

	if (frame_ring_count(r) + count > r->limit ||
	    r->bytes + bytes > r->bytes_max || r->shared != NULL)
		return false;
	if (before_end > count)
		before_end = count;
	memcpy(r->slots + at, frames, before_end * sizeof(struct frame *));
	memcpy(r->slots, frames + before_end,
	    (count - before_end) * sizeof(struct frame *));
	r->tail += count;
	r->bytes += bytes;
	return true;
}

/**
 * frame_ring_pop_many() - the oldest @max frames at most, in order
 *
 * Return: how many; owned.  An emptied ring begins anew with its first slots,
 * which are in the cache.
 */
static inline uint32_t
frame_ring_pop_many(struct frame_ring *r, struct frame **out, uint32_t max)
{
	uint32_t count = frame_ring_count(r);

	if (count > max)
		count = max;
	for (uint32_t i = 0; i < count; i++)
		out[i] = r->slots[r->head++ & (r->size - 1)];
	if (r->head == r->tail) {
		if (__builtin_expect(r->shared != NULL, 0))
			*r->shared -= r->bytes;
		r->head = r->tail = 0;
		r->bytes = 0;
		return count;
	}
	for (uint32_t i = 0; i < count; i++) {
		r->bytes -= out[i]->len;
		if (__builtin_expect(r->shared != NULL, 0))
			*r->shared -= out[i]->len;
	}
	return count;
}

/** frame_ring_peek() - the oldest frame (borrowed), or NULL */
static inline struct frame *
frame_ring_peek(const struct frame_ring *r)
{
	if (frame_ring_count(r) == 0)
		return NULL;
	return r->slots[r->head & (r->size - 1)];
}

/** frame_ring_at() - the one with @n before it (borrowed); there is one */
static inline struct frame *
frame_ring_at(const struct frame_ring *r, uint32_t n)
{
	return r->slots[(r->head + n) & (r->size - 1)];
}

/** frame_ring_pop() - the oldest frame (owned), or NULL */
static inline struct frame *
frame_ring_pop(struct frame_ring *r)
{
	struct frame *f = frame_ring_peek(r);

	if (f == NULL)
		return NULL;
	r->head++;
	r->bytes -= f->len;
	if (__builtin_expect(r->shared != NULL, 0))
		*r->shared -= f->len;
	return f;
}

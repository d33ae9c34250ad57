/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is shared with another process or machine: the only accesses to
 * it that coax knows.
 *
 * Who is at the other end is not trusted, may write at any time, and need not
 * be written in C; so each of these is one access of the machine, made when it
 * is called, once. What was read is private then: check that, use that.
 *
 * Order. A producer fills slots, then stores its index with
 * shm_store_release(); the consumer's shm_load_acquire() of that index pairs
 * with it. Before sleeping and before telling the other end each side stores
 * one word and then loads another that the other side does in the opposite
 * order: shm_store_ordered() and shm_load_ordered() are in one total order, so
 * at least one of the two sees the other. (A full barrier between plain
 * accesses would do the same, but the thread checker does not know barriers.)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The thread checker wants to see every access that may race. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define SHM_CHECKED 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define SHM_CHECKED 1
#endif

static inline uint32_t
shm_load_relaxed(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void
shm_store_relaxed(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/* Pairs with shm_store_release() and shm_store_ordered() of the other end. */
static inline uint32_t
shm_load_acquire(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* Pairs with shm_load_acquire() and shm_load_ordered() of the other end. */
static inline void
shm_store_release(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* In one order with all shm_*_ordered(); acquires. */
static inline uint32_t
shm_load_ordered(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

/* In one order with all shm_*_ordered(); releases. */
static inline void
shm_store_ordered(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

/* Ask for a line that is about to be read, or written. */
static inline void
shm_will_read(const void *p)
{
	__builtin_prefetch(p, 0);
}

static inline void
shm_will_write(const void *p)
{
#if defined(__x86_64__)
	/* What __builtin_prefetch() makes of it for any x86-64 is a read, and
	 * the write then asks again. Old processors ignore this one. */
	__asm__ volatile("prefetchw (%0)" : : "r"(p));
#else
	__builtin_prefetch(p, 1);
#endif
}

#ifndef SHM_CHECKED
/* As memcpy(), without a call where most frames are: up to two lines. The two
 * halves overlap in the middle. */
static inline void
shm_copy_plain(void *dst, const void *src, size_t len)
{
	uint8_t *to = dst;
	const uint8_t *from = src;

	if (len >= 32 && len <= 64) {
		memcpy(to, from, 32);
		memcpy(to + len - 32, from + len - 32, 32);
	} else if (len > 64 && len <= 128) {
		memcpy(to, from, 64);
		memcpy(to + len - 64, from + len - 64, 64);
	} else {
		memcpy(to, from, len);
	}
}
#endif

/**
 * shm_copy_from() - copy bytes out of shared memory, once
 *
 * What the other end writes meanwhile may or may not be in the copy, but the
 * copy does not change any more.
 */
static inline void
shm_copy_from(void *dst, const void *src, size_t len)
{
#ifdef SHM_CHECKED
	for (size_t i = 0; i < len; i++)
		((uint8_t *)dst)[i] =
		    __atomic_load_n((const uint8_t *)src + i, __ATOMIC_RELAXED);
#else
	shm_copy_plain(dst, src, len);
	/* The compiler must not go back to the source for what it knows to be
	 * in the copy. */
	__asm__ volatile("" : : : "memory");
#endif
}

/** shm_copy_to() - copy bytes into shared memory */
static inline void
shm_copy_to(void *dst, const void *src, size_t len)
{
#ifdef SHM_CHECKED
	for (size_t i = 0; i < len; i++)
		__atomic_store_n((uint8_t *)dst + i, ((const uint8_t *)src)[i],
		    __ATOMIC_RELAXED);
#else
	shm_copy_plain(dst, src, len);
#endif
}

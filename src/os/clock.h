/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two clocks. clock_now_ns() is what every now_ns argument of the core
 * holds; inside a loop use loop_now_ns(), which costs nothing. The wall clock
 * is for people to read and never for measuring.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_SEC  UINT64_C(1000000000)
#define CLOCK_NS_PER_MSEC UINT64_C(1000000)
#define CLOCK_NS_PER_USEC UINT64_C(1000)

/* Nanoseconds since some moment before the program started; monotonic. */
static inline uint64_t
clock_now_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* The same clock as of the last tick, some milliseconds ago: for what is asked
 * often and need not be exact. */
static inline uint64_t
clock_coarse_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* Nanoseconds since 1970-01-01 00:00 UTC; may jump. */
static inline uint64_t
clock_wall_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

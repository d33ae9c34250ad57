/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What somebody outside can make us say, said so often and no more: in each
 * window of time the first few, and of the rest how many they were. A zeroed
 * one is valid. No clock: time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct burst {
	uint64_t since_ns; /* of this window */
	uint32_t said;     /* in it */
	uint64_t held;     /* not said, since who speaks has last asked */
};

/* burst_may() - may it be said? What is not, is counted. */
static inline bool
burst_may(struct burst *b, uint32_t max, uint64_t window_ns, uint64_t now_ns)
{
	if (now_ns - b->since_ns >= window_ns)
		b->said = 0;
	if (b->said == 0)
		b->since_ns = now_ns;
	if (b->said >= max) {
		b->held++;
		return false;
	}
	b->said++;
	return true;
}

/* burst_held() - how many were not, since the last call */
static inline uint64_t
burst_held(struct burst *b)
{
	uint64_t held = b->held;

	b->held = 0;
	return held;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rate server: when has the last bit of a frame left a link of so many bits
 * a second?
 *
 * It keeps the time at which the link is free and moves it on by each frame's
 * length; whole nanoseconds in one word, the fraction in another, so that no
 * frame's rounding is lost and the rate is exact in the long run.  How late the
 * caller asks does not matter: frames that wait follow each other without a
 * gap.
 *
 * A burst lets a link that was idle send so many bytes at once: the time at
 * which it is free may lie so far in the past (a token bucket, seen from the
 * other side).
 */
#pragma once

#include <stdint.h>

#define RATE_MAX  1000000000000u /* bit/s */
#define BURST_MAX (1u << 30)     /* bytes */

/* Zeroed: a link without a limit. */
struct rate {
	uint64_t bits_s; /* 0: no limit */
	uint64_t burst;  /* bytes */
	uint64_t free_ns;
	uint64_t rest; /* of free_ns, in 1/bits_s ns */
};

/* The departure of a frame, and the server's state after it. */
struct rate_next {
	uint64_t depart_ns; /* never before it has arrived */
	uint64_t free_ns, rest;
};

/**
 * rate_next() - when would this frame, if it is the next, have left?
 * @arrived_ns: when it joined the queue
 * @bytes:      its length
 *
 * @r is only read: with another rate, set meanwhile, the answer is another.
 */
struct rate_next rate_next(
    const struct rate *r, uint64_t arrived_ns, uint32_t bytes);

/** rate_take() - that frame has left */
static inline void
rate_take(struct rate *r, const struct rate_next *n)
{
	r->free_ns = n->free_ns;
	r->rest = n->rest;
}

/** rate_set() - change rate and burst from now on; what has left has left */
void rate_set(struct rate *r, uint64_t bits_s, uint64_t burst);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long to sleep for what must not be late.
 *
 * Who sleeps until a moment wakes up after it. The kernel lets a wait end a
 * thousandth of its length later (the slack of epoll and select), and a
 * processor that has been idle, a virtual one above all, takes 20 to 100 us to
 * run again, and of those that were idle for long one in a hundred takes some
 * milliseconds. So one comes nearer in steps, each of them seven eighths of
 * what is left, wakes up a margin before the moment from the last, short sleep,
 * and polls from there on.
 *
 * The margin follows how late the last sleeps have been: one that was later
 * than it raises it at once, those that were not lower it slowly, so it is
 * about what one in a hundred exceeds. Nothing happens before its time for it:
 * this only says how long to sleep.
 *
 * Polling has bounds: the margin is WAKEUP_MARGIN_MAX_NS at most, and of the
 * time that passes a WAKEUP_SHARE-th may be spent, with WAKEUP_CREDIT_MAX_NS of
 * it saved up. Where that is used up, or where polling is not wanted, the last
 * sleep is up to the moment, and what it is late by remains.
 *
 * No clock: time is an argument, as for the heap of timers (base/timerheap.h).
 * Threads: one struct belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WAKEUP_STEP            8u /* what is left after a step: an 8th */
#define WAKEUP_REST_MIN_NS     UINT64_C(400000)  /* ... or this */
#define WAKEUP_LAST_NS         UINT64_C(1000000) /* no steps for less */
#define WAKEUP_MARGIN_MIN_NS   UINT64_C(5000)
#define WAKEUP_MARGIN_FIRST_NS UINT64_C(60000)
#define WAKEUP_MARGIN_MAX_NS   UINT64_C(200000)
#define WAKEUP_SLEEP_MIN_NS    UINT64_C(10000) /* less is not worth it */
#define WAKEUP_SHARE           4u
#define WAKEUP_CREDIT_MAX_NS   UINT64_C(5000000)

struct wakeup {
	uint64_t margin_ns; /* wake up so long before */
	uint64_t credit_ns; /* polling that may be done, as of @now_ns */
	uint64_t now_ns;
	bool last; /* the sleep that was said is to end at the margin */
};

/* What is known before the first wake-up. */
struct wakeup wakeup_begin(uint64_t now_ns);

/**
 * wakeup_sleep_ns() - how long to sleep now for something due later
 * @w:        what is known
 * @now_ns:   the time; not before that of the last call
 * @due_ns:   when it is due; after @now_ns
 * @may_poll: whether time may be spent on being punctual
 *
 * Return: how long, at most due_ns - now_ns; then ask again. 0: look for other
 * events without sleeping, and ask again.
 */
uint64_t wakeup_sleep_ns(
    struct wakeup *w, uint64_t now_ns, uint64_t due_ns, bool may_poll);

/* The sleep that was said, of @asked_ns, has taken @took_ns, and nothing else
 * has ended it. */
void wakeup_slept(struct wakeup *w, uint64_t asked_ns, uint64_t took_ns);

/* So long was polled because wakeup_sleep_ns() said 0. */
void wakeup_polled(struct wakeup *w, uint64_t spent_ns);

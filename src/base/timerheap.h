/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers in a binary heap, earliest first. No clock: time is an argument, so
 * the same heap runs in the daemon and in virtual time.
 *
 * A struct timer sits inside its owner's struct (CONTAINER_OF() finds that) and
 * belongs to the owner, who takes it out before its memory goes. The heap owns
 * only its array of pointers. Timers due at the same nanosecond run in the
 * order in which they were added. Everything is O(log n) at worst.
 *
 * Threads: one heap belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMERHEAP_NEVER UINT64_MAX /* due time when nothing is due */

/* A zeroed timer is valid and in no heap. Set @fn before adding it. */
struct timer {
	uint64_t due_ns;
	/* Called by timerheap_run() with the timer already out of the heap. */
	void (*fn)(struct timer *t, uint64_t now_ns);
	/* Being late matters: a loop may poll for a moment before it is due
	 * (os/loop.h).  For the owner to set, like @fn; the heap ignores it. */
	bool punctual;
	uint64_t order; /* the heap's: when it was added */
	size_t slot;    /* the heap's: place in its array, 0 if in none */
};

/* A zeroed heap is valid and empty. */
struct timerheap {
	struct timer **slots; /* 1 to @count; slot 0 is not used */
	size_t count;
	size_t capacity; /* timers that fit without allocation */
	uint64_t order;
};

/* Frees the array. Timers that are in it are out of it then. */
void timerheap_fini(struct timerheap *h);

/**
 * timerheap_reserve() - make room for timers, so that adding them cannot fail
 * @h:     heap
 * @count: how many in all
 *
 * Return: 0 or -ENOMEM.
 */
int timerheap_reserve(struct timerheap *h, size_t count);

/**
 * timerheap_add() - put a timer in, or move one that is in
 * @h:      heap; the one that @t is in, if any
 * @t:      timer; borrowed until it has run or was taken out
 * @due_ns: when it is due; TIMERHEAP_NEVER is allowed
 *
 * Allocates only if the room reserved is full. Moving cannot fail.
 * Return: 0 or -ENOMEM.
 */
int timerheap_add(struct timerheap *h, struct timer *t, uint64_t due_ns);

/* Takes a timer out; nothing happens if it is not in. */
void timerheap_del(struct timerheap *h, struct timer *t);

/* True if the timer is in a heap. */
static inline bool
timer_is_set(const struct timer *t)
{
	return t->slot != 0;
}

/* The timer that is due first; NULL if there is none. */
static inline const struct timer *
timerheap_first(const struct timerheap *h)
{
	return h->count > 0 ? h->slots[1] : NULL;
}

/* When the earliest timer is due; TIMERHEAP_NEVER if there is none. */
static inline uint64_t
timerheap_next_due(const struct timerheap *h)
{
	return h->count > 0 ? h->slots[1]->due_ns : TIMERHEAP_NEVER;
}

/**
 * timerheap_run() - run the timers that are due
 * @h:      heap
 * @now_ns: the time; timers with due_ns <= @now_ns run, except at
 *          TIMERHEAP_NEVER
 * @budget: most timers to run
 *
 * A timer's function may add and take out any timer, itself too, and free what
 * holds it. Bound: @budget, also when a function adds one that is due already.
 * Return: how many ran; if that is @budget, more may be due.
 */
unsigned int timerheap_run(
    struct timerheap *h, uint64_t now_ns, unsigned int budget);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pipe: a queue, a link of some rate, a line of some delay.
 *
 *     pipe_push() --> [ queue ] --> rate server --> [ delay line ] -->
 * pipe_pop() in order       rate.h          by due time
 *
 * Theory of operation
 *
 * Two users share it: what the ports of a net are impaired by (impair.h, with
 * net/impair.c around it), and pipes in dummynet's sense.  It knows neither:
 * it holds frames (any pointer to one, with the length and class that it has),
 * and knows no interface, no clock and no randomness.  Time is an argument and
 * never goes back; who pushes says by how much a frame is delayed on the line,
 * having drawn jitter and the like.
 *
 * The parts can be had one by one.  A pipe whose queue is more than a queue
 * (several of them, with weights) takes struct rate and struct delay_line and
 * puts its own scheduler in front: choose a frame, ask rate_next(), and when
 * that time has come rate_take() and delay_line_push().  Loss of a frame on its
 * way in is loss.h's.
 *
 * Frames leave the queue one after the other when the link has sent them.
 * Their times follow from each other, not from when pipe_pop() is called, so a
 * caller that is late by some microseconds does not lower the rate.  A change
 * of the rate holds for whatever still waits.  On the line frames go by their
 * own delay and may overtake; frames due at one time keep their order.
 *
 * Limits.  A pipe holds @limit frames, in the queue and on the line together.
 * Besides, what it holds is charged to a share: of the pool's small frames and
 * of the large ones so many for one pipe, and so many for all pipes of a pool
 * together.  A frame costs its whole buffer, whatever its length; a shared
 * frame costs each holder.  So delay lines cannot take the pool, however they
 * are set.  The bytes of its frames may be charged to an account besides, which
 * it shares with other queues (pipe_charge()).
 *
 * Allocation: pipe_init() and pipe_set_limit() only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frame/frame.h"
#include "pipe/rate.h"

#define PIPE_LIMIT_MAX 65536u
#define PIPE_NEVER     UINT64_MAX

/* --- the delay line ------------------------------------------------------- */

struct delay_entry {
	uint64_t due_ns;
	uint64_t order;
	void *item; /* a frame, or what its owner keeps one in */
};

/* A heap, earliest first.  Zeroed: empty, without room.  Its owner gives it
 * room and frees the array. */
struct delay_line {
	struct delay_entry *heap;
	uint32_t count, room;
	uint64_t order;
};

/** delay_line_push() - @item is the line's until it is popped; there must be
 * room (asserted) */
void delay_line_push(struct delay_line *l, void *item, uint64_t due_ns);
/** delay_line_pop() - the earliest item if it is due, or NULL */
void *delay_line_pop(struct delay_line *l, uint64_t now_ns);
/** delay_line_due() - when the earliest frame is due, or PIPE_NEVER */
static inline uint64_t
delay_line_due(const struct delay_line *l)
{
	return l->count != 0 ? l->heap[0].due_ns : PIPE_NEVER;
}

/* --- shares of the pool --------------------------------------------------- */

/* What all pipes of one pool hold.  Belongs to the pool's owner. */
struct pipe_share {
	uint32_t small, large;         /* frames held now */
	uint32_t small_max, large_max; /* by all pipes */
	uint32_t small_one, large_one; /* by one pipe */
};

/** pipe_share_init() - half of the pool for all, a quarter for each */
void pipe_share_init(struct pipe_share *s, const struct frame_pool *pool);

/** pipe_share_take() - charges for @f, of which a pipe has @small and @large:
 * is there something left? */
bool pipe_share_take(struct pipe_share *s, uint32_t *small, uint32_t *large,
    const struct frame *f);
void pipe_share_give(struct pipe_share *s, uint32_t *small, uint32_t *large,
    const struct frame *f);

/* --- the pipe ------------------------------------------------------------- */

struct pipe_entry {
	struct frame *frame; /* owned */
	uint64_t arrived_ns;
	uint64_t delay_ns; /* on the line */
	bool in_order;
};

struct pipe {
	/* In the queue: a ring. */
	struct pipe_entry *queue;
	uint32_t head, count;
	uint32_t room;  /* of queue and line, frames */
	uint32_t limit; /* of what is held, at most room */
	struct rate rate;
	struct delay_line line;
	uint64_t last_due_ns; /* of a frame in order */
	uint32_t small, large;
	struct pipe_share *share; /* borrowed */
	/* An account of bytes and its limit; borrowed.  NULL: there is none. */
	uint64_t *account;
	uint64_t account_max;
};

/**
 * pipe_init() - an empty pipe without a rate
 * @limit: 1 to PIPE_LIMIT_MAX (asserted)
 * @share: borrowed until pipe_fini()
 *
 * Return: 0, or -ENOMEM (@p is untouched).
 */
int pipe_init(struct pipe *p, uint32_t limit, struct pipe_share *share);
/**
 * pipe_charge() - what it holds counts in an account, too
 * @account: bytes of frames; borrowed until pipe_fini()
 * @max:     of the account, whoever charges it
 *
 * @p is empty.
 */
static inline void
pipe_charge(struct pipe *p, uint64_t *account, uint64_t max)
{
	p->account = account;
	p->account_max = max;
}
/** pipe_fini() - releases what it holds, without counting */
void pipe_fini(struct pipe *p);

/** pipe_set_limit() - what is held beyond a lower one stays.
 * Return: 0, or -ENOMEM with nothing changed. */
int pipe_set_limit(struct pipe *p, uint32_t limit);

/** pipe_held() - frames that it holds */
static inline uint32_t
pipe_held(const struct pipe *p)
{
	return p->count + p->line.count;
}

/**
 * pipe_push() - a frame comes
 * @f:        consumed on success only
 * @now_ns:   when; not before any time that @p has seen
 * @delay_ns: on the line
 * @in_order: not before a frame that was pushed so earlier
 *
 * Return: 0, -ENOBUFS (limit) or -EDQUOT (a share of the pool, or the account).
 */
int pipe_push(struct pipe *p, struct frame *f, uint64_t now_ns,
    uint64_t delay_ns, bool in_order);

/** pipe_pop() - the next frame that has come out by @now_ns (owned), or NULL */
struct frame *pipe_pop(struct pipe *p, uint64_t now_ns);

/** pipe_empty() - the next frame whatever the time, first those on the line
 * (owned), or NULL; the pipe is then as new, with its settings */
struct frame *pipe_empty(struct pipe *p);

/** pipe_due() - when to call pipe_pop() next, or PIPE_NEVER: it is empty.
 * It may have nothing to give then, if a frame has only left the link. */
uint64_t pipe_due(const struct pipe *p);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of requests and responses (coax/netif.h), from either end.
 *
 * How it works
 *
 *     front end                     page                      back end
 *     netring_front                                        netring_back
 *     req_prod_pvt  --publish-->  req_prod   --poll-->      req_seen
 *                                                           req_cons
 *                   <--poll----   rsp_prod   <--publish--   rsp_prod_pvt
 *     rsp_cons                    rsp_event, req_event: "tell me"
 *
 * All four shared indices are in one cache line, so each end keeps a private
 * copy of what it knows and touches the line once a batch: polling loads it
 * once, publishing stores it once and loads the other end's wish.
 *
 * Slots are copied whole, once, by netring_get(), and written whole by
 * netring_put(). A response goes into the slot of the next request that has
 * none: both ends count, nobody searches.
 *
 * The other end may write anything. An index that cannot be is -EPROTO and no
 * memory outside of the page is ever touched: slots are masked, and what is
 * available is never more than the ring holds.
 *
 * Telling: whoever publishes asks netring_*_publish() whether the other end
 * wants to know (its event index was passed). Whoever is about to sleep calls
 * netring_*_arm(): it states the wish and looks once more.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coax/netif.h"
#include "ring/memory-order.h"

struct netring_back {
	struct coax_ring *shared; /* NULL: not attached */
	uint32_t slots;           /* a power of two */
	uint32_t slot_size;       /* a multiple of 4 */
	uint32_t req_seen;        /* req_prod as last polled */
	uint32_t req_cons;        /* requests taken */
	uint32_t rsp_prod_pvt;    /* responses written */
	uint32_t rsp_prod;        /* ... and published */
};

struct netring_front {
	struct coax_ring *shared;
	uint32_t slots;
	uint32_t slot_size;
	uint32_t req_prod_pvt; /* requests written */
	uint32_t req_prod;     /* ... and published */
	uint32_t rsp_seen;     /* rsp_prod as last polled */
	uint32_t rsp_cons;     /* responses taken */
};

/**
 * netring_back_attach() - begin to serve a ring
 * @r:     filled on success
 * @page:  COAX_RING_PAGE bytes, aligned to 64; borrowed while @r is in use
 *
 * Begins at the published responses, so a ring that an earlier back end left
 * behind goes on: what that one took and did not answer is taken again.
 *
 * Return: 0, or -EPROTO if the page holds indices that cannot be.
 */
int netring_back_attach(
    struct netring_back *r, void *page, uint32_t slots, uint32_t slot_size);

/**
 * netring_front_init() - make a page a ring, before the back end knows of it
 * @page: COAX_RING_PAGE bytes, zero, aligned to 64; borrowed
 */
void netring_front_init(
    struct netring_front *r, void *page, uint32_t slots, uint32_t slot_size);

static inline uint8_t *
netring_slot(struct coax_ring *shared, uint32_t slots, uint32_t slot_size,
    uint32_t index)
{
	return (uint8_t *)shared + COAX_RING_SLOTS_AT +
	       (size_t)(index & (slots - 1)) * slot_size;
}

static inline void
netring_expect(struct coax_ring *shared, uint32_t slots, uint32_t slot_size,
    uint32_t index, uint32_t count)
{
	uint32_t bytes = slots * slot_size;
	uint32_t at = (index & (slots - 1)) * slot_size;
	uint32_t end = at + count * slot_size;

	for (at &= ~63u; at < end; at += 64)
		shm_will_write((uint8_t *)shared + COAX_RING_SLOTS_AT +
		               (at < bytes ? at : at - bytes));
}

/* Copies @words words of 4 bytes out of a slot, each once. */
static inline void
netring_copy(void *out, const uint8_t *slot, uint32_t words)
{
	const uint32_t *from = (const uint32_t *)(const void *)slot;
	uint32_t w[4];

	for (uint32_t i = 0; i < words; i++)
		w[i] = shm_load_relaxed(from + i);
	memcpy(out, w, (size_t)words * sizeof(w[0]));
}

static inline void
netring_fill(uint8_t *slot, const void *in, uint32_t words)
{
	uint32_t *to = (uint32_t *)(void *)slot;
	uint32_t w[4];

	memcpy(w, in, (size_t)words * sizeof(w[0]));
	for (uint32_t i = 0; i < words; i++)
		shm_store_relaxed(to + i, w[i]);
}

/* --- the back end ----------------------------------------------------------
 */

/**
 * netring_back_poll() - look how many requests there are
 *
 * One load of the shared line. Return: requests that may be taken, at most the
 * ring's size, less what has been taken and not answered; or -EPROTO.
 */
static inline int
netring_back_poll(struct netring_back *r)
{
	uint32_t prod = shm_load_acquire(&r->shared->req_prod);
	uint32_t unanswered = r->req_cons - r->rsp_prod_pvt;

	/* No more requests than slots, and none taken back. */
	if (prod - r->rsp_prod_pvt > r->slots ||
	    prod - r->rsp_prod_pvt < unanswered)
		return -EPROTO;
	r->req_seen = prod;
	return (int)(prod - r->req_cons);
}

/** netring_back_known() - requests that the last poll saw and nobody took */
static inline uint32_t
netring_back_known(const struct netring_back *r)
{
	return r->req_seen - r->req_cons;
}

/**
 * netring_back_expect() - ask for the lines of the next @count requests
 *
 * Who reads a slot will write it later, so the other end's copy of the line
 * goes at once; and the lines are all on their way together.
 */
static inline void
netring_back_expect(const struct netring_back *r, uint32_t count)
{
	netring_expect(r->shared, r->slots, r->slot_size, r->req_cons, count);
}

/** netring_back_get() - copy the request at @index (from req_cons on) */
static inline void
netring_back_get(
    const struct netring_back *r, uint32_t index, void *out, uint32_t words)
{
	netring_copy(
	    out, netring_slot(r->shared, r->slots, r->slot_size, index), words);
}

/** netring_back_put() - write the next response; it is not published yet */
static inline void
netring_back_put(struct netring_back *r, const void *in, uint32_t words)
{
	netring_fill(
	    netring_slot(r->shared, r->slots, r->slot_size, r->rsp_prod_pvt++),
	    in, words);
}

/**
 * netring_back_publish() - give the front end all responses written
 *
 * One store of the shared line. Return: true if the front end wants to be told.
 */
static inline bool
netring_back_publish(struct netring_back *r)
{
	uint32_t old = r->rsp_prod, new = r->rsp_prod_pvt;

	if (old == new)
		return false;
	r->rsp_prod = new;
	shm_store_ordered(&r->shared->rsp_prod, new);
	return new - shm_load_ordered(&r->shared->rsp_event) < new - old;
}

/**
 * netring_back_arm() - ask to be told once @more requests have come
 * @more: counted from req_cons; at least 1
 *
 * Return: true if they are there already: go on. False: sleep.
 */
static inline bool
netring_back_arm(struct netring_back *r, uint32_t more)
{
	uint32_t want = r->req_cons + more;

	shm_store_ordered(&r->shared->req_event, want);
	return shm_load_ordered(&r->shared->req_prod) - r->req_cons >= more;
}

/* --- the front end ---------------------------------------------------------
 */

/** netring_front_room() - slots free for requests */
static inline uint32_t
netring_front_room(const struct netring_front *r)
{
	return r->slots - (r->req_prod_pvt - r->rsp_cons);
}

/** netring_front_put() - write the next request; it is not published yet */
static inline void
netring_front_put(struct netring_front *r, const void *in, uint32_t words)
{
	netring_fill(
	    netring_slot(r->shared, r->slots, r->slot_size, r->req_prod_pvt++),
	    in, words);
}

/** netring_front_publish() - true if the back end wants to be told */
static inline bool
netring_front_publish(struct netring_front *r)
{
	uint32_t old = r->req_prod, new = r->req_prod_pvt;

	if (old == new)
		return false;
	r->req_prod = new;
	shm_store_ordered(&r->shared->req_prod, new);
	return new - shm_load_ordered(&r->shared->req_event) < new - old;
}

/** netring_front_poll() - responses that wait, or -EPROTO */
static inline int
netring_front_poll(struct netring_front *r)
{
	uint32_t prod = shm_load_acquire(&r->shared->rsp_prod);

	/* Requests that were not published cannot have been answered. */
	if (prod - r->rsp_cons > r->req_prod - r->rsp_cons)
		return -EPROTO;
	r->rsp_seen = prod;
	return (int)(prod - r->rsp_cons);
}

/** netring_front_known() - responses that the last poll saw, not taken yet */
static inline uint32_t
netring_front_known(const struct netring_front *r)
{
	return r->rsp_seen - r->rsp_cons;
}

/** netring_front_expect() - as netring_back_expect(), for responses */
static inline void
netring_front_expect(const struct netring_front *r, uint32_t count)
{
	netring_expect(r->shared, r->slots, r->slot_size, r->rsp_cons, count);
}

/** netring_front_get() - copy the response at @index (from rsp_cons on) */
static inline void
netring_front_get(
    const struct netring_front *r, uint32_t index, void *out, uint32_t words)
{
	netring_copy(
	    out, netring_slot(r->shared, r->slots, r->slot_size, index), words);
}

/** netring_front_arm() - as netring_back_arm(), for responses */
static inline bool
netring_front_arm(struct netring_front *r, uint32_t more)
{
	uint32_t want = r->rsp_cons + more;

	shm_store_ordered(&r->shared->rsp_event, want);
	return shm_load_ordered(&r->shared->rsp_prod) - r->rsp_cons >= more;
}

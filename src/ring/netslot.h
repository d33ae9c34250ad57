/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots of netif rings (coax/netif.h), a word of four bytes at a time: as
 * netring_*_get() and netring_*_put(), for the four kinds of slots that every
 * packet goes through. A struct that is put together from words, or taken apart
 * into them, by way of memory makes the processor wait for its own stores.
 */
#pragma once

#include "ring/netring.h"

/* Two numbers of two bytes in a word, in the order of their addresses. */
static inline uint32_t
netslot_pair(uint16_t first, uint16_t second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return first | (uint32_t)second << 16;
#else
	return (uint32_t)first << 16 | second;
#endif
}

static inline uint16_t
netslot_first(uint32_t pair)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (uint16_t)pair;
#else
	return (uint16_t)(pair >> 16);
#endif
}

static inline uint16_t
netslot_second(uint32_t pair)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (uint16_t)(pair >> 16);
#else
	return (uint16_t)pair;
#endif
}

static inline uint32_t *
netslot_words(
    struct coax_ring *shared, uint32_t slots, uint32_t size, uint32_t index)
{
	return (uint32_t *)(void *)netring_slot(shared, slots, size, index);
}

/* --- the back end ----------------------------------------------------------
 */

static inline void
netslot_get_tx_request(const struct netring_back *r, uint32_t index,
    struct coax_netif_tx_request *out)
{
	const uint32_t *w = netslot_words(
	    r->shared, COAX_NETIF_TX_SLOTS, COAX_NETIF_TX_SLOT_SIZE, index);
	uint32_t place = shm_load_relaxed(w + 1);
	uint32_t what = shm_load_relaxed(w + 2);

	out->gref = shm_load_relaxed(w);
	out->offset = netslot_first(place);
	out->flags = netslot_second(place);
	out->id = netslot_first(what);
	out->size = netslot_second(what);
}

static inline void
netslot_put_tx_response(struct netring_back *r, uint16_t id, int16_t status)
{
	uint32_t *w = netslot_words(r->shared, COAX_NETIF_TX_SLOTS,
	    COAX_NETIF_TX_SLOT_SIZE, r->rsp_prod_pvt++);

	shm_store_relaxed(w, netslot_pair(id, (uint16_t)status));
}

static inline void
netslot_get_rx_request(const struct netring_back *r, uint32_t index,
    struct coax_netif_rx_request *out)
{
	const uint32_t *w = netslot_words(
	    r->shared, COAX_NETIF_RX_SLOTS, COAX_NETIF_RX_SLOT_SIZE, index);

	out->id = netslot_first(shm_load_relaxed(w));
	out->pad = 0;
	out->gref = shm_load_relaxed(w + 1);
}

/* An extra info goes out the same way: its 8 bytes as two words. */
static inline void
netslot_put_rx(struct netring_back *r, const uint32_t words[2])
{
	uint32_t *w = netslot_words(r->shared, COAX_NETIF_RX_SLOTS,
	    COAX_NETIF_RX_SLOT_SIZE, r->rsp_prod_pvt++);

	shm_store_relaxed(w, words[0]);
	shm_store_relaxed(w + 1, words[1]);
}

/* --- the front end ---------------------------------------------------------
 */

static inline void
netslot_put_tx_request(
    struct netring_front *r, const struct coax_netif_tx_request *req)
{
	uint32_t *w = netslot_words(r->shared, COAX_NETIF_TX_SLOTS,
	    COAX_NETIF_TX_SLOT_SIZE, r->req_prod_pvt++);

	shm_store_relaxed(w, req->gref);
	shm_store_relaxed(w + 1, netslot_pair(req->offset, req->flags));
	shm_store_relaxed(w + 2, netslot_pair(req->id, req->size));
}

static inline struct coax_netif_tx_response
netslot_get_tx_response(const struct netring_front *r, uint32_t index)
{
	uint32_t w = shm_load_relaxed(netslot_words(
	    r->shared, COAX_NETIF_TX_SLOTS, COAX_NETIF_TX_SLOT_SIZE, index));

	return (struct coax_netif_tx_response){
		.id = netslot_first(w),
		.status = (int16_t)netslot_second(w),
	};
}

static inline void
netslot_put_rx_request(struct netring_front *r, uint16_t id, uint32_t gref)
{
	uint32_t *w = netslot_words(r->shared, COAX_NETIF_RX_SLOTS,
	    COAX_NETIF_RX_SLOT_SIZE, r->req_prod_pvt++);

	shm_store_relaxed(w, netslot_pair(id, 0));
	shm_store_relaxed(w + 1, gref);
}

static inline struct coax_netif_rx_response
netslot_get_rx_response(const struct netring_front *r, uint32_t index)
{
	const uint32_t *w = netslot_words(
	    r->shared, COAX_NETIF_RX_SLOTS, COAX_NETIF_RX_SLOT_SIZE, index);
	uint32_t place = shm_load_relaxed(w);
	uint32_t what = shm_load_relaxed(w + 1);

	return (struct coax_netif_rx_response){
		.id = netslot_first(place),
		.offset = netslot_second(place),
		.flags = netslot_first(what),
		.status = (int16_t)netslot_second(what),
	};
}

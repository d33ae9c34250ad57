/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLAN tags are put in, taken out and changed (IEEE 802.1Q 9.3: TPID and TCI
 * between the addresses and what follows).
 *
 * Each function consumes its frame and gives back one of a single reader: the
 * same if that was the only one, else a copy.  The offload record stays right,
 * so a super-frame stays one.  NULL: there was no frame for a copy; the claim
 * is gone.
 */
#pragma once

#include "base/bytes.h"
#include "base/ether.h"
#include "frame/frame.h"

#define FRAME_VID(tci) ((tci)&0xfffu)

/** frame_tpid() - the type of the outer tag; 0: none, or it is cut off */
static inline uint16_t
frame_tpid(const struct frame *f)
{
	uint16_t type = be16_get(f->data + ETH_HDR_LEN - 2);

	if (type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ)
		return 0;
	return f->len < ETH_HDR_LEN + ETH_VLAN_LEN ? 0 : type;
}

/** frame_tci() - priority and VLAN of the outer tag, which must be there */
static inline uint16_t
frame_tci(const struct frame *f)
{
	return be16_get(f->data + ETH_HDR_LEN);
}

/* For the two functions below: shared frames, offload records, no headroom. */
struct frame *frame_tag_put_slow(struct frame *f, uint16_t tpid, uint16_t tci);
struct frame *frame_tag_take_slow(struct frame *f);

/* The data begins @bytes further back; the addresses go with it.  By words of
 * the size of a tag: none lies across a cache line where the data began one. */
static inline void
frame_addresses_move(struct frame *f, int bytes)
{
	uint32_t word[3];

	_Static_assert(sizeof(word) == 2 * ETH_ADDR_LEN, "both addresses");
	memcpy(&word[0], f->data, 4);
	memcpy(&word[1], f->data + 4, 4);
	memcpy(&word[2], f->data + 8, 4);
	f->data += bytes;
	memcpy(f->data, &word[0], 4);
	memcpy(f->data + 4, &word[1], 4);
	memcpy(f->data + 8, &word[2], 4);
}

/** frame_tag_put() - a new outer tag */
static inline struct frame *
frame_tag_put(struct frame *f, uint16_t tpid, uint16_t tci)
{
	if (f->refs != 1 || frame_headroom(f) < ETH_VLAN_LEN ||
	    (f->off.flags & FRAME_CSUM_PARTIAL) != 0)
		return frame_tag_put_slow(f, tpid, tci);
	frame_addresses_move(f, -ETH_VLAN_LEN);
	f->len += ETH_VLAN_LEN;
	be32_put(f->data + 2 * ETH_ADDR_LEN, (uint32_t)tpid << 16 | tci);
	return f;
}

/** frame_tag_take() - without the outer tag, which must be there */
static inline struct frame *
frame_tag_take(struct frame *f)
{
	ASSERT(f->len >= ETH_HDR_LEN + ETH_VLAN_LEN);
	if (f->refs != 1 || (f->off.flags & FRAME_CSUM_PARTIAL) != 0)
		return frame_tag_take_slow(f);
	frame_addresses_move(f, ETH_VLAN_LEN);
	f->len -= ETH_VLAN_LEN;
	return f;
}

/** frame_tag_set() - another outer tag in place of the one there */
struct frame *frame_tag_set(struct frame *f, uint16_t tpid, uint16_t tci);

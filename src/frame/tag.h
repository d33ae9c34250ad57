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

/** frame_tag_put() - a new outer tag */
struct frame *frame_tag_put(struct frame *f, uint16_t tpid, uint16_t tci);
/** frame_tag_take() - without the outer tag, which must be there */
struct frame *frame_tag_take(struct frame *f);
/** frame_tag_set() - another outer tag in place of the one there */
struct frame *frame_tag_set(struct frame *f, uint16_t tpid, uint16_t tci);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLAN tags into and out of frames; see tag.h.
 */
#include "frame/tag.h"

#include "frame/offload.h"

#define ADDRESSES (2 * ETH_ADDR_LEN)

/* One reader, and room for a tag in front.  A frame that went through many
 * tags may have used its headroom up: a copy has a whole one. */
static struct frame *
own_with_room(struct frame *f)
{
	struct frame *copy;

	f = frame_own(f);
	if (f == NULL || frame_headroom(f) >= ETH_VLAN_LEN)
		return f;
	copy = frame_copy(f);
	frame_release(f);
	if (copy != NULL && frame_headroom(copy) < ETH_VLAN_LEN) {
		frame_release(copy);
		return NULL;
	}
	return copy;
}

static void
write_tag(struct frame *f, uint16_t tpid, uint16_t tci)
{
	be16_put(f->data + ADDRESSES, tpid);
	be16_put(f->data + ADDRESSES + 2, tci);
}

struct frame *
frame_tag_put_slow(struct frame *f, uint16_t tpid, uint16_t tci)
{
	f = own_with_room(f);
	if (f == NULL)
		return NULL;
	frame_addresses_move(f, -ETH_VLAN_LEN);
	f->len += ETH_VLAN_LEN;
	offload_shift(f, ETH_VLAN_LEN);
	write_tag(f, tpid, tci);
	return f;
}

struct frame *
frame_tag_take_slow(struct frame *f)
{
	f = frame_own(f);
	if (f == NULL)
		return NULL;
	frame_addresses_move(f, ETH_VLAN_LEN);
	f->len -= ETH_VLAN_LEN;
	offload_shift(f, -ETH_VLAN_LEN);
	return f;
}

struct frame *
frame_tag_set(struct frame *f, uint16_t tpid, uint16_t tci)
{
	ASSERT(f->len >= ETH_HDR_LEN + ETH_VLAN_LEN);
	f = frame_own(f);
	if (f != NULL)
		write_tag(f, tpid, tci);
	return f;
}

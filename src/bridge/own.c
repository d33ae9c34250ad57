/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of addresses that are the host's: the bridge's, those of its vlan
 * children that have one of their own, the members'.  forward.c asks it for
 * every unicast frame (I9).
 *
 * Open addressing, at most a quarter full, and a small filter of bits before
 * it. Made larger where there is configuration, filled anew at the next batch.
 * A vlan child's address counts in the VLAN of the bridge that leads to it,
 * which for a child of a child is the outer one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "bridge/bridge_impl.h"

#define OWN_MIN  128u /* entries; a power of two */
#define OWN_BITS 8u   /* of the filter for each entry, so 32 an address */

/* Calls @fn for each child at any depth that has an address of its own. */
static void
each_child(struct bridge *br, const struct iface *parent, uint32_t outer_vid,
    void (*fn)(
        struct bridge *br, const struct iface *child, uint32_t vid, void *arg),
    void *arg)
{
	const struct iface *child;

	if (parent->vlans == NULL)
		return;
	for (uint32_t vid = 0;
	     (child = parent->vlans->next(parent, &vid)) != NULL; vid++) {
		uint32_t outer = outer_vid != 0 ? outer_vid : vid;

		if (!ether_equal(child->mac, br->ifp.mac))
			fn(br, child, outer, arg);
		each_child(br, child, outer, fn, arg);
	}
}

static void
count_child(
    struct bridge *br, const struct iface *child, uint32_t vid, void *arg)
{
	(void)br, (void)child, (void)vid;
	(*(uint32_t *)arg)++;
}

int
own_reserve(struct bridge *br)
{
	uint32_t count = br->member_count + 2, size = OWN_MIN;
	struct own_address *own; /* and the bits, in one piece */

	br->own_stale = true;
	each_child(br, &br->ifp, 0, count_child, &count);
	while (size < 4 * count)
		size *= 2;
	if (br->own != NULL && size <= br->own_mask + 1)
		return 0;
	own = calloc(size, sizeof(*own) + OWN_BITS / 8);
	if (own == NULL)
		return -ENOMEM;
	free(br->own);
	br->own = own;
	br->own_bits = (uint64_t *)(own + size);
	br->own_mask = size - 1;
	br->own_bits_shift = 33 + (uint32_t)__builtin_clz(size * OWN_BITS);
	return 0;
}

static void
own_add(struct bridge *br, const uint8_t mac[6], struct bridge_port *p,
    uint32_t rank, uint32_t vid)
{
	uint64_t key = mac_to_u64(mac);
	uint32_t slot = own_slot(br, key);
	uint64_t bit = own_hash(key) >> br->own_bits_shift;

	br->own_bits[bit / 64] |= 1ull << bit % 64;
	while (br->own[slot].rank != 0)
		slot = (slot + 1) & br->own_mask;
	br->own[slot] = (struct own_address){ key, p, rank, vid };
}

static void
add_child(struct bridge *br, const struct iface *child, uint32_t vid, void *arg)
{
	uint32_t *room = arg;

	if (*room == 0)
		return; /* own_reserve() had no memory */
	--*room;
	own_add(br, child->mac, NULL, 1, vid);
}

void
own_fill(struct bridge *br)
{
	struct bridge_port *p;
	uint32_t rank = 3; /* 2 is the receiving member's */
	uint32_t room = (br->own_mask + 1) / 2 - (br->member_count + 1);

	memset(br->own_bits, 0, (br->own_mask + 1ull) * OWN_BITS / 8);
	for (uint32_t i = 0; i <= br->own_mask; i++)
		br->own[i].rank = 0;
	own_add(br, br->ifp.mac, NULL, 1, 0);
	TAILQ_FOREACH (p, &br->members, link) {
		if (!p->wire_host)
			own_add(br, p->ifp->mac, p, rank++, 0);
	}
	each_child(br, &br->ifp, 0, add_child, &room);
	br->own_stale = false;
}

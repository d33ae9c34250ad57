/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epair: a wire that is made and removed as a whole, as FreeBSD epair(4).
 *
 * `epair create' makes two interfaces, epairNa and epairNb, connected for all
 * their life; destroying one destroys both.  How frames cross stands in
 * drv/wire.h; an epair takes every offload.  Either end can be a member of a
 * bridge, or the network card of the host or a vnet.
 *
 * Addresses are 02:HH:HH:HH:HH:0a and ...:0b: HH is hashed from the daemon's
 * identity, the vnet and the unit, so they are the same each time, and others
 * in another vnet, daemon or machine.
 *
 * The ends are RUNNING from their birth, up or not, and their links are up.
 * The MTU goes from 72 to 65521, what a TAP of Linux can have; each end limits
 * what it sends.
 *
 * Differs: frames for an end that is down are counted ("peer-down").
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/ether.h"
#include "base/hash.h"
#include "drv/drv.h"
#include "drv/wire.h"
#include "frame/offload.h"
#include "net/info.h"
#include "os/tun.h"

#define EPAIR_UNIT_MAX 0x7fff
#define EPAIR_MTU_MIN  72

/* The @i-th try. */
static void
address_make(const struct iface *ifp, uint32_t i, uint8_t mac[ETH_ADDR_LEN])
{
	char text[NET_VNET_NAME_MAX + 32];

	snprintf(text, sizeof(text), "epair %u@%s %u", ifp->unit,
	    ifp->vnet->name, i);
	u64_to_mac(hash_bytes(ifp->net->identity, text, strlen(text)), mac);
	mac[0] = 0x02;
	mac[ETH_ADDR_LEN - 1] = ifp->twin_letter == 'a' ? 0x0a : 0x0b;
}

static void
address_choose(struct iface *ifp)
{
	uint8_t mac[ETH_ADDR_LEN];
	uint32_t i = 0;

	do {
		address_make(ifp, i++, mac);
	} while (net_lladdr_taken(ifp, mac));
	ether_copy(ifp->mac, mac);
}

/* As it would be again, unless somebody else has it. */
static bool
epair_lladdr_given(const struct iface *ifp)
{
	uint8_t mac[ETH_ADDR_LEN];

	address_make(ifp, 0, mac);
	return ether_equal(ifp->mac, mac);
}

static int
epair_create(struct iface *ifp)
{
	int err = wire_init(wire_of(ifp));

	if (err != 0)
		return err;
	address_choose(ifp);
	ifp->caps = OFFLOAD_ALL;
	iface_set_running(ifp, true);
	if (ifp->twin != NULL)
		wire_pair(wire_of(ifp), wire_of(ifp->twin));
	return 0;
}

static void
epair_destroy(struct iface *ifp)
{
	wire_fini(wire_of(ifp));
}

static void
epair_transmit(struct iface *ifp, struct frame_batch *batch)
{
	wire_send(wire_of(ifp), batch->frames, batch->count);
}

static void
epair_get(const struct iface *ifp, struct info *out)
{
	wire_get_peer((const struct wire *)(const void *)ifp, out);
}

const struct iface_ops epair_ops = {
	.kind = "epair",
	.about = "a wire: two interfaces made and removed together",
	.kind_flags = IFACE_KIND_ETHERNET | IFACE_KIND_USERS,
	.unit_max = EPAIR_UNIT_MAX,
	.mtu_default = ETH_MTU_DEFAULT,
	.mtu_min = EPAIR_MTU_MIN,
	.mtu_max = TUN_MTU_MAX,
	.flags = IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST,
	.size = sizeof(struct wire),
	.create = epair_create,
	.destroy = epair_destroy,
	.transmit = epair_transmit,
	.poll = wire_poll,
	.lladdr_given = epair_lladdr_given,
	.get = epair_get,
	.twins = "ab",
	.media = "10Gbase-T (10Gbase-T <full-duplex>)",
};

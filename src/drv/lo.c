/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lo: a card without a wire, for addresses of a host that are on no link.  The
 * model is FreeBSD lo(4).
 *
 * What the host sends on it comes back to the host.  There is no Ethernet
 * address and no ARP, and it cannot be a member of a bridge.  Units begin with
 * 1: unit 0 is the loopback that every vnet has from the beginning, which is
 * Linux's own, called lo.
 *
 * Differs: packets for one's own addresses go through Linux's lo, whatever
 * interface they are on, so captures on this one see only what is routed to it.
 */
#include <errno.h>

#include "base/ether.h"
#include "drv/drv.h"
#include "frame/offload.h"
#include "os/tun.h"

#define LO_UNIT_MAX 0x7fff
#define LO_MTU      16384
#define LO_MTU_MIN  TUN_MTU_MIN

static int
lo_create(struct iface *ifp)
{
	/* Nobody sees it; the netdev has to have one. */
	do {
		u64_to_mac(net_random(ifp->net), ifp->mac);
		ifp->mac[0] = (uint8_t)((ifp->mac[0] & 0xfc) | 0x02);
	} while (net_lladdr_taken(ifp, ifp->mac));
	ifp->caps = OFFLOAD_ALL;
	return 0;
}

static void
lo_destroy(struct iface *ifp)
{
	(void)ifp; /* has nothing of its own */
}

static void
lo_transmit(struct iface *ifp, struct frame_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		iface_count_out(ifp, batch->frames[i]);
	iface_input(ifp, batch);
}

static void
lo_changed(struct iface *ifp, uint32_t what)
{
	if ((what & IFACE_CHANGED_FLAGS) != 0)
		iface_set_running(ifp, (ifp->flags & IFACE_UP) != 0);
}

static int
lo_set_lladdr(struct iface *ifp, const uint8_t mac[6])
{
	(void)mac;
	return net_error(
	    ifp->net, -EOPNOTSUPP, "%s has no Ethernet address", ifp->name);
}

static bool
lo_lladdr_given(const struct iface *ifp)
{
	(void)ifp;
	return true; /* none, that is */
}

const struct iface_ops lo_ops = {
	.kind = "lo",
	.about = "a card without a wire, for a host's own addresses",
	.kind_flags = IFACE_KIND_NO_ADDRESS,
	.unit_min = 1,
	.unit_max = LO_UNIT_MAX,
	.mtu_default = LO_MTU,
	.mtu_min = LO_MTU_MIN,
	.mtu_max = TUN_MTU_MAX,
	.flags = IFACE_LOOPBACK | IFACE_MULTICAST,
	.size = sizeof(struct iface),
	.create = lo_create,
	.destroy = lo_destroy,
	.transmit = lo_transmit,
	.changed = lo_changed,
	.set_lladdr = lo_set_lladdr,
	.lladdr_given = lo_lladdr_given,
};

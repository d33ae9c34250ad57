/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vether: the host's own port on a bridge.  The model is NetBSD vether(4).
 *
 * Its host netdev is its wire (IFACE_KIND_HOST_IS_WIRE): what the host sends
 * comes in by iface_input() and is learned like any port's, and what is sent
 * out of a vether reaches the host.  Standing alone it is connected to nothing;
 * as a member of a bridge it makes the host, or the host of the vnet that its
 * netdev was moved to, a station on the bridge.  Two vethers of one bridge in
 * two vnets are two hosts on one switch.
 *
 * The address is f2:0b:a4 and 24 random bits.  The link is up while the
 * interface is; `media none' takes it away, `media auto' (the default) gives it
 * back.  The MTU goes from 68 to 65521, what a TAP of Linux can have.
 *
 * Differs: BSD's bridge hands a frame over on a short cut and vether's transmit
 * only throws its copy away; here transmit is how it gets there.  Without a
 * host side a frame is a counted drop ("host-down").
 */
#include <errno.h>
#include <string.h>

#include "base/ether.h"
#include "drv/drv.h"
#include "frame/offload.h"
#include "net/keyword.h"
#include "os/tun.h"

#define VETHER_UNIT_MAX   0x7fff
#define VETHER_MAC_BASE   UINT64_C(0xf20ba4000000)
#define VETHER_MAC_RANDOM UINT64_C(0x000000ffffff)

static bool
media_is_none(const struct iface *ifp)
{
	return strcmp(ifp->media, "none") == 0;
}

static void
link_follow(struct iface *ifp)
{
	bool up = (ifp->flags & IFACE_UP) != 0;

	iface_set_running(ifp, up);
	iface_set_link(
	    ifp, up && !media_is_none(ifp) ? IFACE_LINK_UP : IFACE_LINK_DOWN);
}

static int
vether_create(struct iface *ifp)
{
	do {
		u64_to_mac(VETHER_MAC_BASE |
		               (net_random(ifp->net) & VETHER_MAC_RANDOM),
		    ifp->mac);
	} while (net_lladdr_taken(ifp, ifp->mac));
	/* The host side makes fit what its netdev does not take. */
	ifp->caps = OFFLOAD_ALL;
	ifp->link = IFACE_LINK_DOWN;
	return 0;
}

static void
vether_destroy(struct iface *ifp)
{
	(void)ifp; /* has nothing of its own */
}

static void
vether_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct frame_batch kept = { 0 };

	if (ifp->host == NULL || !ifp->host->up) {
		iface_drop_batch(ifp, batch, DROP_HOST_DOWN);
		return;
	}
	/* No link, no wire. */
	if (ifp->link != IFACE_LINK_UP) {
		iface_drop_batch(ifp, batch, DROP_IF_DOWN);
		return;
	}
	for (uint32_t i = 0; i < batch->count; i++) {
		iface_count_out(ifp, batch->frames[i]);
		kept.frames[kept.count++] = batch->frames[i];
	}
	batch->count = 0;
	iface_host_deliver(ifp, &kept);
}

static void
vether_changed(struct iface *ifp, uint32_t what)
{
	if ((what & IFACE_CHANGED_FLAGS) != 0)
		link_follow(ifp);
}

static int
vether_media(struct iface *ifp, const union keyword_value *v)
{
	const char *word = v[0].str;

	if (strcmp(word, "none") == 0)
		memcpy(ifp->media, "none", sizeof("none"));
	else if (strcmp(word, "auto") == 0 || strcmp(word, "autoselect") == 0)
		ifp->media[0] = '\0';
	else
		return net_error(
		    ifp->net, -EINVAL, "a vether's media are none and auto");
	link_follow(ifp);
	return 0;
}

static const struct iface_keyword vether_keywords[] = {
	{
	    .name = "media",
	    .args = { { .kind = KEYWORD_ARG_WORD, .name = "type" } },
	    .apply = vether_media,
	    .saved_by = "media", /* the row of every interface */
	    .bsd_name = "SIOCSIFMEDIA",
	    .help = "none: no link; auto: a link while the interface is up",
	},
	{ .name = NULL },
};

const struct iface_ops vether_ops = {
	.kind = "vether",
	.about = "the host's own port on a bridge",
	.kind_flags =
	    IFACE_KIND_ETHERNET | IFACE_KIND_USERS | IFACE_KIND_HOST_IS_WIRE,
	.unit_max = VETHER_UNIT_MAX,
	.mtu_default = ETH_MTU_DEFAULT,
	.mtu_min = TUN_MTU_MIN,
	.mtu_max = TUN_MTU_MAX,
	.flags = IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST,
	.size = sizeof(struct iface),
	.create = vether_create,
	.destroy = vether_destroy,
	.transmit = vether_transmit,
	.changed = vether_changed,
	.keywords = vether_keywords,
};

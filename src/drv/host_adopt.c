/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Netdevs that were there before: a card, the end of a veth, an access point.
 *
 * The host side of an adopted interface is that netdev as it is.  It has no TAP
 * and nothing is delivered to it here (drv/ether*.c does); up and down, MTU,
 * address, name and carrier follow in both directions as for others, and
 * nothing else of it is touched.  When the interface ends the netdev stays.
 *
 * When the netdev goes, the interface stays, without a link; a netdev of its
 * name that comes to the same namespace takes the place.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/str.h"
#include "drv/host_impl.h"
#include "drv/media.h"

/* What <linux/wireless.h> has, which <net/if.h> does not go with. */
#define SIOCGIWMODE 0x8b07
struct wlan_request {
	char name[IFNAMSIZ];
	uint32_t mode;
	uint8_t rest[12];
};

struct wlan_args {
	const char *name;
	enum media_wlan mode;
};

static int
wlan_here(void *arg)
{
	struct wlan_args *a = arg;
	struct wlan_request w = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)str_copy(w.name, sizeof(w.name), a->name);
	if (ioctl(fd, SIOCGIWMODE, &w) == 0)
		a->mode = (enum media_wlan)w.mode;
	close(fd);
	return 0;
}

/* 0, or why it cannot be. */
static int
link_check(struct host_system *hs, struct host_ns *ns, const char *name,
    const struct rtnl_link *l)
{
	struct wlan_args a = { name, MEDIA_WLAN_NONE };
	const char *why;

	(void)host_ns_run(ns, wlan_here, &a);
	why = media_refusal(l->type, l->kind, a.mode);
	if (why != NULL)
		return net_error(hs->net, -EPROTONOSUPPORT,
		    "%s cannot be bridged: %s", name, why);
	if (l->master != 0)
		return net_error(hs->net, -EBUSY,
		    "%s is a port of another switch or bond of the host "
		    "(master is netdev %d)",
		    name, l->master);
	if (!l->has_mac)
		return net_error(hs->net, -EPROTONOSUPPORT,
		    "%s has no Ethernet address", name);
	return 0;
}

static int
link_find(struct host_system *hs, struct vnet *vnet, const char *name,
    struct rtnl_link *out)
{
	struct host_ns *ns;
	struct rtnl *r;
	int err;

	if (vnet->system == NULL)
		return -ENODEV;
	ns = host_ns_of(vnet);
	if (ns->helper || ns->ended)
		return -ENODEV;
	err = host_ns_rtnl(ns, &r);
	if (err != 0)
		return -ENODEV;
	err = rtnl_link_get(r, name, out);
	host_ns_rtnl_put(ns, r);
	if (err == -EINVAL || err == -ERANGE)
		return -ENODEV; /* no name of a netdev's */
	/* A netdev of ours by another name is not the host's. */
	if (err == 0 && host_lookup(hs, ns->nsid, out->ifindex) != NULL)
		return -ENODEV;
	return err;
}

int
host_netdev_check(void *arg, struct vnet *vnet, const char *name)
{
	struct host_system *hs = arg;
	struct rtnl_link l;
	int err = link_find(hs, vnet, name, &l);

	return err == 0 ? link_check(hs, host_ns_of(vnet), name, &l) : err;
}

static void
drop(struct iface_host *host, struct iface *ifp, struct frame_batch *batch)
{
	(void)host;
	iface_drop_batch(ifp, batch, DROP_HOST_DOWN);
}

/* What is known of the netdev is what it is. */
static void
learn(struct host_if *h, const struct rtnl_link *l)
{
	h->nd_mtu = l->mtu;
	h->nd_up = h->host.up = (l->flags & IFF_UP) != 0;
	h->nd_carrier = l->carrier;
	ether_copy(h->nd_mac, l->mac);
	(void)str_copy(h->nd_name, sizeof(h->nd_name), l->name);
}

int
host_netdev_adopt(void *arg, struct iface *ifp)
{
	struct host_system *hs = arg;
	struct host_ns *ns;
	struct rtnl_link l;
	struct host_if *h;
	int err = link_find(hs, ifp->vnet, ifp->name, &l);

	if (err != 0)
		return err;
	ns = host_ns_of(ifp->vnet);
	err = link_check(hs, ns, ifp->name, &l);
	if (err != 0)
		return err;
	h = host_if_new(hs, ifp, ifp->vnet);
	if (h == NULL)
		return -ENOMEM;
	h->adopted = true;
	h->host.deliver = drop;
	learn(h, &l);
	host_if_place(h, ns->nsid, l.ifindex);
	ether_copy(ifp->mac, l.mac);
	ifp->mtu =
	    COAX_MIN(COAX_MAX(l.mtu, ifp->ops->mtu_min), ifp->ops->mtu_max);
	if ((l.flags & IFF_UP) != 0)
		ifp->flags |= IFACE_UP;
	ifp->link = l.carrier ? IFACE_LINK_UP : IFACE_LINK_DOWN;
	if (l.carrier)
		ifp->flags |= IFACE_LOWER_UP;
	return 0;
}

void
host_adopted_changed(struct host_if *h, uint32_t what)
{
	struct iface *ifp = h->ifp;
	struct rtnl_change c = { 0 };

	if (h->ifindex <= 0)
		return;
	if ((what & IFACE_CHANGED_FLAGS) != 0 &&
	    ((ifp->flags & IFACE_UP) != 0) != h->nd_up) {
		c.what = RTNL_SET_UP;
		c.up = (ifp->flags & IFACE_UP) != 0;
		if (host_set(h, &c) == 0)
			h->nd_up = h->host.up = c.up;
		else
			host_event(h, "its netdev does not go %s: %s",
			    c.up ? "up" : "down", h->hs->net->message);
	}
}

int
host_netdev_index(const struct iface *ifp)
{
	const struct host_if *h = host_if_of(ifp);

	return h != NULL && h->adopted ? h->ifindex : 0;
}

int
host_netdev_set(struct iface *ifp, const struct rtnl_change *c)
{
	struct host_if *h = host_if_of(ifp);
	int err;

	if (h->ifindex <= 0)
		return 0; /* what comes in its place gets it */
	err = host_set(h, c);
	if (err != 0)
		return err;
	if ((c->what & RTNL_SET_MTU) != 0)
		h->nd_mtu = c->mtu;
	if ((c->what & RTNL_SET_MAC) != 0)
		ether_copy(h->nd_mac, c->mac);
	return 0;
}

void
host_bury_tap(struct net *net, int fd)
{
	struct host_system *hs = host_of(net);

	if (hs != NULL)
		host_bury(hs, fd);
	else
		close(fd);
}

void
host_adopted_left(struct host_if *h)
{
	struct iface *ifp = h->ifp;

	host_if_unplace(h);
	host_clean(h);
	h->nd_up = h->host.up = h->nd_carrier = false;
	iface_set_link(ifp, IFACE_LINK_DOWN);
	if (ifp->ops->changed != NULL)
		ifp->ops->changed(ifp, IFACE_CHANGED_NETDEV);
	host_event(
	    h, "its netdev has gone; another of its name takes its place");
}

/* A netdev in the place of one that has gone: it gets what the interface has.
 */
static void
came_back(struct host_if *h, struct host_ns *ns, const struct rtnl_link *l)
{
	struct iface *ifp = h->ifp;
	struct rtnl_change c = { .what = RTNL_SET_MTU };

	if (link_check(h->hs, ns, ifp->name, l) != 0) {
		host_event(h, "a netdev of its name has come: %s",
		    h->hs->net->message);
		return;
	}
	host_if_place(h, ns->nsid, l->ifindex);
	learn(h, l);
	if (l->mtu != ifp->mtu) {
		c.mtu = ifp->mtu;
		if (host_set(h, &c) == 0)
			h->nd_mtu = ifp->mtu;
	}
	/* Up if the interface is; a netdev that was up already stays so. */
	if (h->nd_up)
		(void)iface_set_flags(ifp, IFACE_UP, 0);
	else
		host_adopted_changed(h, IFACE_CHANGED_FLAGS);
	if (!ether_equal(ifp->mac, l->mac))
		(void)iface_set_lladdr(ifp, l->mac);
	iface_set_link(ifp, l->carrier ? IFACE_LINK_UP : IFACE_LINK_DOWN);
	if (ifp->ops->changed != NULL)
		ifp->ops->changed(ifp, IFACE_CHANGED_NETDEV);
	host_event(h, "its netdev has come back");
}

void
host_adopted_seen(struct host_system *hs, int nsid, const struct rtnl_link *l)
{
	struct host_ns *ns = host_ns_by_nsid(hs, nsid);
	struct host_if *h;

	if (ns == NULL || ns->vnet == NULL)
		return;
	TAILQ_FOREACH (h, &hs->ifs, link) {
		if (h->adopted && h->ifindex == 0 && h->host.vnet == ns->vnet &&
		    strcmp(h->ifp->name, l->name) == 0) {
			came_back(h, ns, l);
			return;
		}
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's changes come to coax.
 *
 * An event says where to look.  If it shows what is known already (mostly the
 * echo of our own request) it is over; else the netdev is read once, after all
 * pending events, and what differs from what was last known goes to the
 * interface.  So the kernel's present state decides, never an old message.
 */
#include <errno.h>
#include <string.h>

#include "base/ether.h"
#include "drv/host_impl.h"

#define MONITOR_BUDGET 256

static const char *
cause_begin(struct host_if *h)
{
	struct net *net = h->hs->net;
	const char *old = net->cause;

	net_set_cause(net, "the host");
	return old;
}

static void
sync_name(struct host_if *h, const struct rtnl_link *l)
{
	struct rtnl_change c = { .what = RTNL_SET_NAME };
	struct iface *ifp = h->ifp;

	if (strcmp(l->name, h->nd_name) == 0)
		return;
	memcpy(h->nd_name, l->name, sizeof(h->nd_name));
	if (strcmp(l->name, ifp->name) == 0)
		return;
	if (net_iface_rename(ifp, l->name) == 0)
		return;
	memcpy(c.name, ifp->name, sizeof(c.name));
	if (host_set(h, &c) == 0)
		memcpy(h->nd_name, ifp->name, sizeof(h->nd_name));
	host_event(
	    h, "the host renamed it to %s, which cannot be: set back", l->name);
}

static void
sync_up(struct host_if *h, const struct rtnl_link *l)
{
	bool up = (l->flags & IFF_UP) != 0;

	if (up == h->nd_up)
		return;
	h->nd_up = h->host.up = up;
	(void)iface_set_flags(h->ifp, up ? IFACE_UP : 0, up ? 0 : IFACE_UP);
}

static void
sync_mtu(struct host_if *h, const struct rtnl_link *l)
{
	struct rtnl_change c = { .what = RTNL_SET_MTU, .mtu = h->nd_mtu };

	if (l->mtu == h->nd_mtu)
		return;
	h->nd_mtu = l->mtu;
	if (l->mtu == h->ifp->mtu || iface_set_mtu(h->ifp, l->mtu) == 0)
		return;
	if (host_set(h, &c) == 0)
		h->nd_mtu = c.mtu;
	host_event(h, "the host set MTU %u, which cannot be: set back to %u",
	    l->mtu, c.mtu);
}

static void
sync_mac(struct host_if *h, const struct rtnl_link *l)
{
	char text[ETH_ADDR_STRLEN];

	if (!l->has_mac || ether_equal(l->mac, h->nd_mac))
		return;
	ether_copy(h->nd_mac, l->mac);
	if (ether_equal(l->mac, h->ifp->mac) ||
	    iface_set_lladdr(h->ifp, l->mac) == 0)
		return;
	if (!h->adopted && tun_set_mac(h->fd, h->ifp->mac) == 0)
		ether_copy(h->nd_mac, h->ifp->mac);
	host_event(h, "the host set address %s, which cannot be: set back",
	    ether_format(l->mac, text));
}

void
host_adopted_sync(struct host_if *h, const struct rtnl_link *l)
{
	const char *cause = cause_begin(h);

	sync_name(h, l);
	sync_mtu(h, l);
	sync_mac(h, l);
	sync_up(h, l);
	h->nd_carrier = l->carrier;
	iface_set_link(h->ifp, l->carrier ? IFACE_LINK_UP : IFACE_LINK_DOWN);
	net_set_cause(h->hs->net, cause);
}

void
host_sync(struct host_if *h)
{
	struct rtnl_link l;
	const char *cause;

	if (h->adopted) {
		if (h->ifindex > 0 && rtnl_link_get_index(h->hs->rtnl, h->nsid,
		                          h->ifindex, &l) == 0)
			host_adopted_sync(h, &l);
		else if (h->ifindex > 0)
			host_adopted_left(h);
		return;
	}
	if (h->ifindex <= 0 || h->unread || h->move != NULL || h->fd < 0)
		return;
	if (rtnl_link_get_index(h->hs->rtnl, h->nsid, h->ifindex, &l) != 0) {
		/* Deleted: the descriptor says so.  Moved: an event does,
		 * unless it was lost. */
		if (h->missed && tun_get_name(h->fd, l.name) == 0)
			host_moved(h, NULL, RTNL_NSID_NONE, 0);
		h->missed = false;
		return;
	}
	h->missed = false;
	cause = cause_begin(h);
	sync_name(h, &l);
	sync_mtu(h, &l);
	sync_mac(h, &l);
	sync_up(h, &l);
	h->host.promisc = l.promiscuity > 0;
	net_set_cause(h->hs->net, cause);
}

void
host_clean(struct host_if *h)
{
	if (h->dirty)
		TAILQ_REMOVE(&h->hs->dirty, h, dirty_link);
	h->dirty = false;
}

static void
mark(struct host_if *h)
{
	if (!h->dirty)
		TAILQ_INSERT_TAIL(&h->hs->dirty, h, dirty_link);
	h->dirty = true;
}

static bool
known(const struct host_if *h, const struct rtnl_link *l)
{
	return strcmp(l->name, h->nd_name) == 0 && l->mtu == h->nd_mtu &&
	       ((l->flags & IFF_UP) != 0) == h->nd_up && l->has_mac &&
	       ether_equal(l->mac, h->nd_mac) &&
	       (h->adopted ? l->carrier == h->nd_carrier
	                   : (l->promiscuity > 0) == h->host.promisc);
}

/* True if link @ifindex of @ns is @h's netdev. */
static bool
is_ours(const struct host_if *h, struct host_ns *ns, int ifindex)
{
	struct rtnl_link l;

	return rtnl_link_get_index(h->hs->rtnl, ns->nsid, ifindex, &l) == 0 &&
	       strcmp(l.kind, "tun") == 0 && l.has_mac &&
	       ether_equal(l.mac, h->nd_mac);
}

/*
 * A netdev left its namespace.  If the descriptor lives it was moved: the
 * event's number for where to is right only if it came from home, so all
 * namespaces are asked.
 */
static void
link_left(struct host_if *h, const struct rtnl_event *ev)
{
	struct host_system *hs = h->hs;
	char name[IFNAMSIZ];
	struct host_ns *ns;

	if (h->move != NULL || h->fd < 0)
		return;
	if (tun_get_name(h->fd, name) != 0)
		return; /* deleted: EPOLLERR comes */
	if (ev->new_ifindex > 0) {
		if (is_ours(h, &hs->home, ev->new_ifindex)) {
			host_moved(
			    h, &hs->home, hs->home.nsid, ev->new_ifindex);
			return;
		}
		TAILQ_FOREACH (ns, &hs->spaces, link) {
			if (is_ours(h, ns, ev->new_ifindex)) {
				host_moved(h, ns, ns->nsid, ev->new_ifindex);
				return;
			}
		}
		if (h->nsid == RTNL_NSID_NONE && ev->new_nsid >= 0) {
			host_moved(h, NULL, ev->new_nsid, ev->new_ifindex);
			return;
		}
	}
	host_moved(h, NULL, RTNL_NSID_NONE, 0);
}

/*
 * The kernel's word of a namespace's end comes after the number is free, and
 * maybe another's already.
 */
static bool
nsid_free(struct host_system *hs, const struct host_ns *ns)
{
	struct rtnl_link lo;

	return ns->fd < 0 &&
	       rtnl_link_get_index(hs->rtnl, ns->nsid, 1, &lo) == -EINVAL;
}

static void
monitor_event(void *arg, const struct rtnl_event *ev)
{
	struct host_system *hs = arg;
	struct host_ns *ns;
	struct host_if *h;

	switch (ev->type) {
	case RTNL_EVENT_LINK_NEW:
		h = host_lookup(hs, ev->nsid, ev->link->ifindex);
		if (h != NULL && h->move == NULL && !known(h, ev->link))
			mark(h);
		if (h == NULL)
			host_adopted_seen(hs, ev->nsid, ev->link);
		break;
	case RTNL_EVENT_LINK_DEL:
		h = host_lookup(hs, ev->nsid, ev->link->ifindex);
		if (h != NULL && h->adopted)
			host_adopted_left(h);
		else if (h != NULL)
			link_left(h, ev);
		break;
	case RTNL_EVENT_NSID_DEL:
		ns = ev->nsid >= 0 ? host_ns_by_nsid(hs, ev->nsid) : NULL;
		if (ns != NULL && !host_ns_check(ns) && nsid_free(hs, ns))
			host_ns_lost(ns);
		break;
	case RTNL_EVENT_OVERFLOW:
		TAILQ_FOREACH (h, &hs->ifs, link) {
			mark(h);
			h->missed = true;
		}
		break;
	case RTNL_EVENT_ADDR_NEW:
	case RTNL_EVENT_ADDR_DEL:
		break; /* asked for when they are shown */
	}
}

static void
monitor_ready(struct loop_fd *w, uint32_t revents)
{
	struct host_system *hs = w->arg;
	struct host_if *h;

	(void)revents;
	if (hs->net == NULL)
		return;
	hs->net->now_ns = loop_now_ns(hs->loop);
	(void)rtnl_monitor_read(hs->monitor, MONITOR_BUDGET);
	while ((h = TAILQ_FIRST(&hs->dirty)) != NULL) {
		host_clean(h);
		host_sync(h);
	}
}

int
host_monitor_open(struct host_system *hs)
{
	int err = rtnl_monitor_open(-1, monitor_event, hs, &hs->monitor);

	if (err != 0)
		return err;
	hs->monitor_watch.fd = rtnl_monitor_fd(hs->monitor);
	hs->monitor_watch.events = EPOLLIN;
	hs->monitor_watch.fn = monitor_ready;
	hs->monitor_watch.arg = hs;
	hs->monitor_watch.quiet = true;
	return loop_fd_add(hs->loop, &hs->monitor_watch);
}

void
host_monitor_close(struct host_system *hs)
{
	if (hs->monitor == NULL)
		return;
	loop_fd_del(hs->loop, &hs->monitor_watch);
	rtnl_monitor_close(hs->monitor);
	hs->monitor = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Netdevs come, go and move, and follow what coax changes.
 *
 * Making one is quick and done at once: in home and in created vnets where it
 * belongs; for an adopted vnet at home under a passing name and then moved,
 * because a TAP pins the namespace in which its descriptor was opened.
 * Moving and removing is done by jobs.  A removal puts all netdevs of a
 * namespace into one group and deletes the group: one wait of the kernel's for
 * all.
 *
 * Before it is up for the first time in a namespace a netdev gets: MTU,
 * address, no automatic IPv6 address (so it sends nothing of its own making;
 * host_nd6.c: unless that is wanted), and ARP answers for its own addresses
 * only (arp_ignore 1, arp_announce 2), since it may stand beside its bridge's
 * netdev on one wire.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/util.h"
#include "drv/host_impl.h"
#include "frame/offload.h"

/* Where netdevs wait to be removed together: "co", and the process. */
#define GROUP_BASE 0x636f0000u

/* How long a host asks for an address, however often. */
#define NEIGH_ASK_MS 5000u

/* Below this MTU Linux forgets a netdev's IPv6; above it that begins anew. */
#define IPV6_MTU_MIN 1280

/* A netdev on its way to another namespace. */
struct host_move {
	struct job job;
	struct host_system *hs;
	struct host_if *h; /* NULL: the host side has gone meanwhile */
	int from_fd;       /* -1: home */
	int to_fd;
	int ifindex;
	uint32_t from_id; /* vnet: back on an error, if it still lives */
	bool fresh;       /* being made: an error ends it */
	char name[IFNAMSIZ];
	char message[128];
	struct net_wait *wait;
};

void
host_event(struct host_if *h, const char *fmt, ...)
{
	struct net_event ev = {
		.type = NET_EVENT_HOST,
		.ifp = h->ifp,
		.vlan = -1,
	};
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ev.text = text;
	net_emit(h->hs->net, &ev);
}

/* --- the table ------------------------------------------------------------ */

static struct host_if *if_new(
    struct host_system *hs, struct iface *ifp, struct vnet *vnet);

static struct host_if_bucket *
bucket_of(struct host_system *hs, int nsid, int ifindex)
{
	return &hs->buckets[((unsigned int)ifindex + 31u * (unsigned int)nsid) %
	                    HOST_BUCKETS];
}

struct host_if *
host_lookup(struct host_system *hs, int nsid, int ifindex)
{
	struct host_if *h;

	LIST_FOREACH (h, bucket_of(hs, nsid, ifindex), bucket) {
		if (h->nsid == nsid && h->ifindex == ifindex)
			return h;
	}
	return NULL;
}

static void
place_clear(struct host_if *h)
{
	if (h->hashed)
		LIST_REMOVE(h, bucket);
	h->hashed = false;
	h->ifindex = 0;
}

static void
place_set(struct host_if *h, int nsid, int ifindex)
{
	place_clear(h);
	h->nsid = nsid;
	h->ifindex = ifindex;
	LIST_INSERT_HEAD(bucket_of(h->hs, nsid, ifindex), h, bucket);
	h->hashed = true;
}

static void
if_free(struct host_if *h)
{
	struct host_system *hs = h->hs;

	host_dhcp_end(h);
	place_clear(h);
	host_clean(h);
	TAILQ_REMOVE(&hs->ifs, h, link);
	hs->if_count--;
	host_ns_left(h->host.vnet);
	if (h->ifp->host == &h->host)
		h->ifp->host = NULL;
	free(h);
	if (hs->if_count == 0)
		host_io_trim(hs, 0);
}

struct host_if *
host_if_new(struct host_system *hs, struct iface *ifp, struct vnet *vnet)
{
	return if_new(hs, ifp, vnet);
}

void
host_if_free(struct host_if *h)
{
	if_free(h);
}

void
host_if_place(struct host_if *h, int nsid, int ifindex)
{
	place_set(h, nsid, ifindex);
}

void
host_if_unplace(struct host_if *h)
{
	place_clear(h);
}

/* --- coax's changes go to the netdev -------------------------------------- */

int
host_set(struct host_if *h, const struct rtnl_change *c)
{
	struct host_ns *ns;
	struct rtnl *r;
	int err;

	if (h->blind || h->move != NULL || h->ifindex <= 0)
		return -EAGAIN;
	ns = host_ns_of(h->host.vnet);
	err = host_ns_rtnl(ns, &r);
	if (err != 0)
		return err;
	err = rtnl_link_set(r, h->ifindex, c);
	if (err != 0)
		(void)net_error(h->hs->net, err, "%s: %s", h->nd_name,
		    rtnl_strerror(r, err));
	host_ns_rtnl_put(ns, r);
	return err;
}

static uint32_t
mtu_fit(uint32_t mtu)
{
	return COAX_MIN(COAX_MAX(mtu, TUN_MTU_MIN), TUN_MTU_MAX);
}

/* Where the host is the wire and the interface is down, the netdev is down as
 * well: no need to take the carrier too, which costs a second to come back. */
static void
follow_carrier(struct host_if *h)
{
	const struct iface *ifp = h->ifp;
	bool on = ifp->link != IFACE_LINK_DOWN;

	if (!on && (ifp->ops->kind_flags & IFACE_KIND_HOST_IS_WIRE) != 0 &&
	    (ifp->flags & IFACE_UP) == 0)
		return;
	if (on == h->nd_carrier)
		return;
	if (tun_set_carrier(h->fd, on) == 0)
		h->nd_carrier = on;
}

static void
follow_up(struct host_if *h)
{
	struct rtnl_change c = { .what = RTNL_SET_UP };
	int err;

	c.up = (h->ifp->flags & IFACE_UP) != 0;
	if (h->blind || c.up == h->nd_up)
		return;
	err = host_set(h, &c);
	if (err == 0)
		h->nd_up = h->host.up = c.up;
	else
		host_event(h, "its netdev does not go %s: %s",
		    c.up ? "up" : "down", strerror(-err));
}

/* Where there is no wire there is nobody to ask. */
static void
follow_arp(struct host_if *h)
{
	struct rtnl_change c = { .what = RTNL_SET_NOARP };
	int err;

	c.noarp = (h->ifp->flags & (IFACE_NOARP | IFACE_LOOPBACK)) != 0;
	if (h->blind || c.noarp == h->nd_noarp)
		return;
	err = host_set(h, &c);
	if (err == 0)
		h->nd_noarp = c.noarp;
	else
		host_event(h, "its netdev goes on %s ARP: %s",
		    c.noarp ? "with" : "without", strerror(-err));
}

static void
follow_mac(struct host_if *h)
{
	int err;

	if (ether_equal(h->ifp->mac, h->nd_mac))
		return;
	err = tun_set_mac(h->fd, h->ifp->mac);
	if (err == 0)
		ether_copy(h->nd_mac, h->ifp->mac);
	else
		host_event(h, "its netdev does not take the address: %s",
		    strerror(-err));
}

static void
follow_mtu(struct host_if *h)
{
	struct rtnl_change c = { .what = RTNL_SET_MTU };
	struct rtnl_change quiet = {
		.what = RTNL_SET_ADDRGEN,
		.addrgen = RTNL_ADDRGEN_NONE,
	};
	bool anew, up = h->nd_up;
	int err;

	c.mtu = mtu_fit(h->ifp->mtu);
	if (h->blind || c.mtu == h->nd_mtu)
		return;
	/* IPv6 begins anew with the namespace's defaults; if the netdev were
	 * up then, it would at once give itself an address and tell all. */
	anew = h->nd_mtu < IPV6_MTU_MIN && c.mtu >= IPV6_MTU_MIN;
	if (anew)
		c.what |= RTNL_SET_UP;
	err = host_set(h, &c);
	if (err == 0)
		h->nd_mtu = c.mtu;
	else
		host_event(h, "its netdev does not take MTU %u: %s", c.mtu,
		    strerror(-err));
	if (!anew)
		return;
	(void)host_set(h, &quiet);
	host_nd6_forget(h);
	host_nd6_follow(h);
	h->nd_up = h->host.up = false;
	if (up)
		follow_up(h);
}

/* The netdev has no offload that its interface must not use. */
static void
follow_caps(struct host_if *h)
{
	uint32_t want = OFFLOAD_ALL & ~h->ifp->caps_off;
	int err = tun_set_offload(h->fd, want, &h->caps);

	if (err != 0)
		host_event(
		    h, "its netdev keeps its offloads: %s", strerror(-err));
}

static void
changed(struct iface_host *host, struct iface *ifp, uint32_t what)
{
	struct host_if *h = CONTAINER_OF(host, struct host_if, host);

	(void)ifp;
	if (h->adopted) {
		host_adopted_changed(h, what);
		return;
	}
	if (h->fd < 0)
		return;
	if ((what & IFACE_CHANGED_LLADDR) != 0)
		follow_mac(h);
	if ((what & IFACE_CHANGED_CAPS) != 0)
		follow_caps(h);
	if ((what & (IFACE_CHANGED_LINK | IFACE_CHANGED_FLAGS)) != 0)
		follow_carrier(h);
	if (h->move != NULL)
		return; /* the rest when it has arrived */
	if ((what & IFACE_CHANGED_MTU) != 0)
		follow_mtu(h);
	if ((what & (IFACE_CHANGED_STACK | IFACE_CHANGED_ND6)) != 0)
		host_nd6_follow(h);
	if ((what & IFACE_CHANGED_FLAGS) != 0) {
		follow_arp(h);
		follow_up(h);
	}
	if ((what & (IFACE_CHANGED_FLAGS | IFACE_CHANGED_DHCP |
	                IFACE_CHANGED_NAME | IFACE_CHANGED_LLADDR)) != 0)
		host_dhcp_follow(h);
}

/* A netdev that has just come into its namespace is set up for it. */
static int
settle(struct host_if *h)
{
	struct rtnl_change c = {
		.what = RTNL_SET_MTU | RTNL_SET_MAC | RTNL_SET_ADDRGEN |
		        RTNL_SET_ARP,
		.addrgen = RTNL_ADDRGEN_NONE,
		.arp_ignore = 1,
		.arp_announce = 2,
	};
	struct host_ns *ns = host_ns_of(h->host.vnet);
	struct net *net = h->hs->net;
	struct rtnl *r;
	int err, ifindex;

	c.mtu = mtu_fit(h->ifp->mtu);
	ether_copy(c.mac, h->ifp->mac);
	err = host_ns_rtnl(ns, &r);
	if (err != 0)
		return net_error(net, err, "vnet %s: %s", h->host.vnet->name,
		    strerror(-err));
	ifindex = rtnl_link_index(r, h->nd_name);
	err = ifindex < 0 ? ifindex : rtnl_link_set(r, ifindex, &c);
	if (err == 0 && net->host_retrans_ms != 0)
		err = rtnl_neigh_set(r, ifindex, net->host_retrans_ms,
		    COAX_MAX(NEIGH_ASK_MS / net->host_retrans_ms, 1u));
	if (err != 0)
		(void)net_error(
		    net, err, "%s: %s", h->nd_name, rtnl_strerror(r, err));
	host_ns_rtnl_put(ns, r);
	if (err != 0)
		return err;
	place_set(h, ns->nsid, ifindex);
	h->nd_mtu = c.mtu;
	ether_copy(h->nd_mac, c.mac);
	h->nd_up = h->host.up = false;
	h->host.promisc = false;
	host_nd6_forget(h);
	follow_carrier(h);
	host_nd6_follow(h);
	follow_arp(h);
	follow_up(h);
	host_dhcp_follow(h);
	return 0;
}

/* --- waiters -------------------------------------------------------------- */

/*
 * Somebody's wait has been ended by somebody else, who is in the middle of
 * changing the same interface: from the loop, when that is over.
 */
void
host_tell_later(struct host_system *hs, struct net_wait *w, int err)
{
	if (w == NULL)
		return;
	w->err = err;
	TAILQ_INSERT_TAIL(&hs->told, w, link);
	loop_defer(hs->loop, &hs->tell_task);
}

void
host_tell(struct loop_task *t)
{
	struct host_system *hs = t->arg;
	struct net_wait *w;

	hs->net->now_ns = loop_now_ns(hs->loop);
	while ((w = TAILQ_FIRST(&hs->told)) != NULL) {
		TAILQ_REMOVE(&hs->told, w, link);
		w->done(w, w->err);
	}
}

/* The waiter of a parked attach, which goes on in another way. */
static struct net_wait *
wait_take(struct host_if *h)
{
	struct net_wait *w = h->wait;

	h->wait = NULL;
	return w;
}

/* --- removal -------------------------------------------------------------- */

static struct host_dying *
dying_find(struct host_system *hs, uint32_t vnet_id, const char *name)
{
	struct host_dying *d;

	TAILQ_FOREACH (d, &hs->dying, link) {
		if ((d->vnet_id == vnet_id || d->from_id == vnet_id) &&
		    strcmp(d->name, name) == 0)
			return d;
	}
	return NULL;
}

bool
host_name_taken(void *arg, struct vnet *vnet, const char *name)
{
	struct host_system *hs = arg;
	struct host_ns *ns = host_ns_of(vnet);
	struct rtnl *r;
	int ifindex;

	/* Ours, and soon gone: who wants the name waits. */
	if (dying_find(hs, vnet->id, name) != NULL)
		return false;
	if (ns->helper || ns->ended || host_ns_rtnl(ns, &r) != 0)
		return false;
	ifindex = rtnl_link_index(r, name);
	host_ns_rtnl_put(ns, r);
	return ifindex > 0 && host_lookup(hs, ns->nsid, ifindex) == NULL;
}

/* Those of @jobs that are in one namespace, from @first on, deleted in one go.
 * What cannot be so ends when its descriptor is closed. */
static void
dying_delete(struct job **jobs, unsigned int first, unsigned int count)
{
	struct host_dying *d = jobs[first]->arg;
	uint32_t group = GROUP_BASE | ((uint32_t)getpid() & 0xffff);
	unsigned int grouped = 0;
	uint32_t vnet_id = d->vnet_id;
	struct rtnl *r;
	int err;

	err = d->ns_fd < 0 ? rtnl_open(&r) : rtnl_open_in(d->ns_fd, &r);
	for (unsigned int i = first; i < count; i++) {
		struct host_dying *other = jobs[i]->arg;

		if (other->vnet_id != vnet_id || other->ifindex == 0)
			continue;
		if (err == 0 &&
		    rtnl_link_set_group(r, other->ifindex, group) == 0)
			grouped++;
		other->ifindex = 0;
	}
	if (err != 0)
		return;
	if (grouped > 0)
		(void)rtnl_link_del_group(r, group);
	rtnl_close(r);
}

static void
dying_run(struct job **jobs, unsigned int count)
{
	struct host_dying *d;

	for (unsigned int i = 0; i < count; i++) {
		d = jobs[i]->arg;
		if (d->ifindex != 0)
			dying_delete(jobs, i, count);
	}
	for (unsigned int i = 0; i < count; i++) {
		d = jobs[i]->arg;
		close(d->fd);
		if (d->ns_fd >= 0)
			close(d->ns_fd);
		d->fd = d->ns_fd = -1;
		jobs[i]->status = 0;
	}
}

static const struct job_class dying_class = {
	.name = "remove netdevs",
	.run_group = dying_run,
};

static int attach_now(struct host_if *h, struct net_wait *w);

/* A name has become free: who waited for it goes on. */
static void
unpark(struct host_system *hs, uint32_t vnet_id, const char *name)
{
	struct host_if *h;
	struct net_wait *w;
	int err;

	TAILQ_FOREACH (h, &hs->ifs, link) {
		if (h->parked && h->host.vnet->id == vnet_id &&
		    strcmp(h->nd_name, name) == 0)
			break;
	}
	if (h == NULL || dying_find(hs, vnet_id, name) != NULL)
		return;
	w = wait_take(h);
	h->parked = false;
	err = attach_now(h, w);
	if (err == -EINPROGRESS)
		return;
	if (err != 0) {
		host_event(
		    h, "its host side cannot be made: %s", strerror(-err));
		if_free(h);
	}
	if (w != NULL)
		w->done(w, err);
}

static void
dying_done(struct job *job, struct loop *loop)
{
	struct host_dying *d = job->arg;
	struct host_system *hs = d->hs;
	struct net_wait *w = d->wait;

	if (d->fd >= 0)
		close(d->fd); /* was not run: the end of the program */
	if (d->ns_fd >= 0)
		close(d->ns_fd);
	TAILQ_REMOVE(&hs->dying, d, link);
	if (hs->net != NULL) {
		hs->net->now_ns = loop_now_ns(loop);
		unpark(hs, d->vnet_id, d->name);
		unpark(hs, d->from_id, d->name);
		if (w != NULL)
			w->done(w, 0);
	}
	free(d);
}

static void
dying_submit(struct host_system *hs, struct host_dying *d)
{
	d->hs = hs;
	d->job.class = &dying_class;
	d->job.arg = d;
	d->job.done = dying_done;
	TAILQ_INSERT_TAIL(&hs->dying, d, link);
	jobs_submit(hs->jobs, &d->job);
}

void
host_bury(struct host_system *hs, int fd)
{
	struct host_dying *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		close(fd);
		return;
	}
	d->fd = fd;
	d->ns_fd = -1;
	d->vnet_id = d->from_id = UINT32_MAX;
	dying_submit(hs, d);
}

/* Gives the descriptor, and so the netdev, to the helper thread.  0, or
 * -EINPROGRESS: @w will be told. */
static int
bury(struct host_if *h, bool gone, struct net_wait *w)
{
	struct host_system *hs = h->hs;
	struct host_dying *d = calloc(1, sizeof(*d));
	struct host_ns *ns = NULL;

	if (d == NULL) {
		close(h->fd);
		h->fd = -1;
		return 0;
	}
	d->fd = h->fd;
	d->ns_fd = -1;
	h->fd = -1;
	/* Where it is: unknown while it moves, or in a strange place. */
	if (!h->blind && h->move == NULL && !gone)
		ns = host_ns_of(h->host.vnet);
	if (ns != NULL) {
		d->ifindex = h->ifindex;
		if (ns != &hs->home) {
			d->ns_fd = host_ns_open(ns);
			if (d->ns_fd < 0)
				d->ifindex = 0;
		}
	}
	d->vnet_id = h->host.vnet != NULL ? h->host.vnet->id : UINT32_MAX;
	d->from_id = h->move != NULL ? h->move->from_id : UINT32_MAX;
	memcpy(d->name, h->move != NULL ? h->move->name : h->nd_name,
	    sizeof(d->name));
	d->wait = w;
	dying_submit(hs, d);
	return w != NULL ? -EINPROGRESS : 0;
}

/* The netdev's side of the end: no more frames, no more events. */
static int
close_down(struct host_if *h, bool gone, struct net_wait *w)
{
	struct host_system *hs = h->hs;
	struct net_wait *waiting;
	int err = 0;

	if (h->fd >= 0) {
		loop_fd_del(hs->loop, &h->watch);
		host_io_forget(h);
		err = bury(h, gone, w);
	}
	if (h->move != NULL) {
		h->move->h = NULL;
		h->move = NULL;
	}
	waiting = wait_take(h);
	if_free(h);
	host_tell_later(hs, waiting, -ECANCELED);
	return err;
}

int
host_detach(void *arg, struct iface *ifp, struct net_wait *w)
{
	struct host_if *h = host_if_of(ifp);

	(void)arg;
	if (h == NULL)
		return 0;
	if (h->fd >= 0 && !h->blind && h->move == NULL) {
		h->refreshed_ns = 0;
		host_refresh(arg, ifp); /* the last of its drops */
	}
	return close_down(h, false, w);
}

void
host_lost(struct host_if *h)
{
	struct host_ns *ns =
	    h->host.vnet != NULL && h->host.vnet->system != NULL
	        ? host_ns_of(h->host.vnet)
	        : NULL;

	if (ns != NULL && host_ns_check(ns)) {
		/* All of them at once, when the core is told. */
		loop_fd_del(h->hs->loop, &h->watch);
		h->host.up = false;
		return;
	}
	host_event(h,
	    "its netdev was deleted by the host; `ifconfig %s host' makes it "
	    "again",
	    h->ifp->name);
	(void)close_down(h, true, NULL);
}

/* --- making --------------------------------------------------------------- */

static struct host_if *
if_new(struct host_system *hs, struct iface *ifp, struct vnet *vnet)
{
	struct host_if *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->hs = hs;
	h->ifp = ifp;
	h->fd = -1;
	h->nsid = RTNL_NSID_NONE;
	h->first = 1;
	host_nd6_forget(h);
	h->host.vnet = vnet;
	h->host.deliver = host_io_deliver;
	h->host.changed = changed;
	h->nd_carrier = true; /* as a TAP is born */
	memcpy(h->nd_name, ifp->name, sizeof(h->nd_name));
	h->watch.events = EPOLLIN;
	h->watch.fn = host_io_event;
	h->watch.arg = h;
	TAILQ_INSERT_TAIL(&hs->ifs, h, link);
	hs->if_count++;
	ifp->host = &h->host;
	return h;
}

struct open_args {
	const char *name;
	struct tun tun;
};

static int
open_in_place(void *arg)
{
	struct open_args *a = arg;

	return tun_open(a->name, &a->tun);
}

static int move_begin(
    struct host_if *h, struct vnet *to, bool fresh, struct net_wait *w);

/*
 * The netdev of a host side that has none.  On an error other than
 * -EINPROGRESS the host side is as before: the caller frees it.
 */
static int
attach_now(struct host_if *h, struct net_wait *w)
{
	struct host_system *hs = h->hs;
	struct vnet *vnet = h->host.vnet;
	struct host_ns *ns = host_ns_of(vnet);
	struct open_args a = { .name = h->nd_name };
	bool adopted = ns->fd < 0;
	int err;

	if (ns->helper)
		return net_error(hs->net, -EACCES,
		    "vnet %s belongs to another user namespace: a client from "
		    "there must pass the netdev in",
		    vnet->name);
	if (adopted) {
		a.name = "coaxnew%d";
		err = tun_open(a.name, &a.tun);
	} else {
		err = host_ns_run(ns, open_in_place, &a);
	}
	if (err == -EEXIST)
		return net_error(hs->net, err,
		    "a network interface %s exists already on the Linux side",
		    a.name);
	if (err != 0)
		return net_error(
		    hs->net, err, "/dev/net/tun: %s", strerror(-err));
	h->fd = a.tun.fd;
	h->caps = a.tun.caps;
	if (h->ifp->caps_off != 0)
		follow_caps(h);
	h->tx_dropped = 0;
	h->nd_carrier = true;
	memcpy(h->nd_name, a.tun.name, sizeof(h->nd_name));
	h->watch.fd = h->fd;
	err = loop_fd_add(hs->loop, &h->watch);
	if (err != 0)
		goto out_close;
	if (adopted) {
		h->host.vnet = hs->net->home;
		err = rtnl_link_index(hs->rtnl, h->nd_name);
		if (err > 0) {
			place_set(h, RTNL_NSID_NONE, err);
			err = move_begin(h, vnet, true, w);
			if (err == -EINPROGRESS)
				return err;
		}
	} else {
		err = settle(h);
	}
	if (err == 0)
		return 0;
	loop_fd_del(hs->loop, &h->watch);
out_close:
	(void)bury(h, false, NULL);
	return err;
}

int
host_attach_in(struct host_system *hs, struct iface *ifp, struct vnet *vnet,
    struct net_wait *w)
{
	struct host_if *h = if_new(hs, ifp, vnet);
	int err;

	if (h == NULL)
		return -ENOMEM;
	if (dying_find(hs, vnet->id, ifp->name) != NULL) {
		h->parked = true;
		h->wait = w;
		return w != NULL ? -EINPROGRESS : 0;
	}
	err = attach_now(h, w);
	if (err != 0 && err != -EINPROGRESS)
		if_free(h);
	return err == -EINPROGRESS && w == NULL ? 0 : err;
}

int
host_attach(void *arg, struct iface *ifp, struct net_wait *w)
{
	return host_attach_in(arg, ifp, net_host_vnet(ifp), w);
}

/* --- moving --------------------------------------------------------------- */

static void
move_run(struct job *job)
{
	struct host_move *m = job->arg;
	struct rtnl *r;
	int err;

	err = m->from_fd < 0 ? rtnl_open(&r) : rtnl_open_in(m->from_fd, &r);
	if (err == 0) {
		err = rtnl_link_move(r, m->ifindex, m->to_fd, m->name);
		if (err != 0)
			snprintf(m->message, sizeof(m->message), "%s",
			    rtnl_strerror(r, err));
		rtnl_close(r);
	} else {
		snprintf(m->message, sizeof(m->message), "%s", strerror(-err));
	}
	job->status = err;
}

/* The vnet it came from, if that is still there. */
static struct vnet *
move_origin(const struct host_move *m)
{
	struct vnet *v;

	TAILQ_FOREACH (v, &m->hs->net->vnets, link) {
		if (v->id == m->from_id)
			return v->dead ? NULL : v;
	}
	return NULL;
}

/* It has arrived, or not.  Return: what the waiter is told. */
static int
move_end(struct host_move *m, struct host_if *h)
{
	struct net *net = m->hs->net;
	struct vnet *to = h->host.vnet, *back;
	char why[sizeof(net->message)];
	int err = m->job.status;

	h->move = NULL;
	if (err == 0) {
		memcpy(h->nd_name, m->name, sizeof(h->nd_name));
		err = settle(h);
		if (err == 0) {
			host_event(h,
			    to == net->home ? "its host side is at home%s"
			                    : "its host side is in vnet %s",
			    to->name);
			return 0;
		}
		host_event(
		    h, "its host side was lost on the way: %s", strerror(-err));
		(void)close_down(h, false, NULL);
		return err;
	}
	(void)net_error(net, err, "%s cannot go to vnet %s: %s", h->ifp->name,
	    to->name[0] != '\0' ? to->name : "(home)", m->message);
	back = move_origin(m);
	if (!m->fresh && back != NULL) {
		h->host.vnet = back;
		h->ifindex = m->ifindex;
		if (settle(h) == 0)
			return err;
	} else if (!m->fresh) {
		/* Where it is has ended, or is about to. */
		h->host.vnet = NULL;
		h->blind = true;
		memcpy(why, net->message, sizeof(why));
		net_host_again(h->ifp, why);
		return err;
	}
	host_event(h, "its host side is gone: it cannot be in vnet %s: %s",
	    to->name[0] != '\0' ? to->name : "(home)", m->message);
	(void)close_down(h, false, NULL);
	return err;
}

static void
move_done(struct job *job, struct loop *loop)
{
	struct host_move *m = job->arg;
	struct net *net = m->hs->net;
	struct net_wait *w = m->wait;
	int err = -ECANCELED;

	if (m->from_fd >= 0)
		close(m->from_fd);
	close(m->to_fd);
	if (net != NULL)
		net->now_ns = loop_now_ns(loop);
	if (m->h != NULL)
		err = move_end(m, m->h);
	free(m);
	if (w != NULL && net != NULL)
		w->done(w, err);
}

/* Return: -EINPROGRESS, or -errno with nothing changed. */
static int
move_begin(struct host_if *h, struct vnet *to, bool fresh, struct net_wait *w)
{
	struct host_system *hs = h->hs;
	struct host_ns *from = host_ns_of(h->host.vnet);
	struct host_move *m = calloc(1, sizeof(*m));
	int err;

	if (m == NULL)
		return -ENOMEM;
	m->to_fd = host_ns_open(host_ns_of(to));
	m->from_fd = from == &hs->home ? -1 : host_ns_open(from);
	if (m->to_fd < 0 || (m->from_fd < 0 && from != &hs->home)) {
		err = m->to_fd < 0 ? m->to_fd : m->from_fd;
		if (m->to_fd >= 0)
			close(m->to_fd);
		if (m->from_fd >= 0)
			close(m->from_fd);
		free(m);
		if (err == -ENXIO)
			(void)host_ns_check(host_ns_of(to));
		return net_error(hs->net, err, "vnet %s: %s", to->name,
		    err == -ENXIO ? "its namespace has ended" : strerror(-err));
	}
	m->hs = hs;
	m->h = h;
	m->ifindex = h->ifindex;
	m->from_id = h->host.vnet->id;
	m->fresh = fresh;
	m->wait = w;
	memcpy(m->name, h->ifp->name, sizeof(m->name));
	m->job.arg = m;
	m->job.run = move_run;
	m->job.done = move_done;
	h->move = m;
	host_dhcp_follow(h);
	/* From here on its place and its name are there. */
	place_clear(h);
	host_clean(h);
	host_ns_left(h->host.vnet);
	h->host.vnet = to;
	h->host.up = h->nd_up = h->host.promisc = false;
	jobs_submit(hs->jobs, &m->job);
	return -EINPROGRESS;
}

int
host_move(void *arg, struct iface *ifp, struct vnet *vnet, struct net_wait *w)
{
	struct host_system *hs = arg;
	struct host_if *h = host_if_of(ifp);
	struct host_ns *ns = host_ns_of(vnet);
	struct net_wait *waiting;
	int err;

	if (h->adopted)
		return net_error(hs->net, -EOPNOTSUPP,
		    "%s is the host's own: move it with ip(8), and let it be "
		    "adopted there",
		    ifp->name);
	if (ns->helper)
		return net_error(hs->net, -EACCES,
		    "vnet %s belongs to another user namespace: a client from "
		    "there must pass the netdev in",
		    vnet->name);
	if (h->move != NULL)
		return net_error(hs->net, -EBUSY,
		    "%s's host side is on its way already", ifp->name);
	if (h->parked || h->blind) {
		/* Not made yet, or in a place that we do not rule. */
		waiting = wait_take(h);
		(void)host_detach(hs, ifp, NULL);
		err = host_attach_in(hs, ifp, vnet, w);
		/* Whoever waited for a host side has one, or soon. */
		host_tell_later(hs, waiting,
		    err == 0 || err == -EINPROGRESS ? 0 : -ECANCELED);
		return err;
	}
	if (dying_find(hs, vnet->id, ifp->name) != NULL)
		return net_error(hs->net, -EBUSY,
		    "an interface %s is just being removed there", ifp->name);
	h->refreshed_ns = 0;
	host_refresh(hs, ifp);
	err = move_begin(h, vnet, false, w);
	return err == -EINPROGRESS && w == NULL ? 0 : err;
}

void
host_moved(struct host_if *h, struct host_ns *ns, int nsid, int ifindex)
{
	struct rtnl_change c = {
		.what = RTNL_SET_ADDRGEN | RTNL_SET_ARP,
		.addrgen = RTNL_ADDRGEN_NONE,
		.arp_ignore = 1,
		.arp_announce = 2,
	};

	host_ns_left(h->host.vnet);
	if (ns != NULL && ns->vnet != NULL && !ns->ended &&
	    !net_name_taken(h->hs->net, ns->vnet, h->ifp->name, h->ifp)) {
		h->host.vnet = ns->vnet;
		h->blind = h->unread = ns->helper;
		place_set(h, ns->nsid, ifindex);
		host_nd6_forget(h);
		(void)host_set(h, &c);
		host_event(h,
		    ns->vnet == h->hs->net->home
		        ? "the host moved its netdev home%s"
		        : "the host moved its netdev to vnet %s",
		    ns->vnet->name);
		host_sync(h);
		host_dhcp_follow(h);
		return;
	}
	h->host.vnet = NULL;
	h->blind = true;
	host_dhcp_follow(h);
	h->unread = ifindex == 0;
	/* Else its old place stays: an event may yet tell. */
	if (ifindex != 0)
		place_set(h, nsid, ifindex);
	h->host.up = true; /* for all we know */
	host_event(h,
	    "the host moved its netdev to a namespace that is no vnet; "
	    "`ifconfig %s -vnet' makes it again at home",
	    h->ifp->name);
}

int
host_rename(void *arg, struct iface *ifp, const char *name)
{
	struct host_system *hs = arg;
	struct host_if *h = host_if_of(ifp);
	struct rtnl_change c = { .what = RTNL_SET_NAME };
	bool again = false;
	int err;

	if (h == NULL || strcmp(h->nd_name, name) == 0)
		return 0;
	if (h->blind)
		return net_error(hs->net, -EACCES,
		    "its netdev is where only others can rename it");
	if (h->move != NULL || h->parked)
		return net_error(
		    hs->net, -EBUSY, "%s's host side is on its way", ifp->name);
	if (dying_find(hs, h->host.vnet->id, name) != NULL)
		return net_error(hs->net, -EBUSY,
		    "an interface %s is just being removed there", name);
	memcpy(c.name, name, strlen(name) + 1);
	err = host_set(h, &c);
	if (err == -EBUSY && h->nd_up) {
		/* Before Linux 6.2 only when it is down. */
		again = true;
		c.what = RTNL_SET_UP;
		err = host_set(h, &c);
		c.what = RTNL_SET_NAME;
		if (err == 0)
			err = host_set(h, &c);
	}
	if (err == 0)
		memcpy(h->nd_name, c.name, sizeof(h->nd_name));
	if (again) {
		c.what = RTNL_SET_UP;
		c.up = true;
		(void)host_set(h, &c);
	}
	if (err == -EEXIST)
		(void)net_error(hs->net, err,
		    "a network interface %s exists already on the Linux side",
		    name);
	return err;
}

void
host_refresh(void *arg, struct iface *ifp)
{
	struct host_if *h = host_if_of(ifp);
	struct host_system *hs = arg;
	struct rtnl_link l;
	uint64_t now;

	if (h == NULL || h->ifindex <= 0 || h->unread || h->adopted ||
	    h->move != NULL)
		return;
	now = hs->net->now_ns;
	if (h->refreshed_ns != 0 && now - h->refreshed_ns < HOST_REFRESH_NS)
		return;
	h->refreshed_ns = now;
	if (rtnl_link_get_index(hs->rtnl, h->nsid, h->ifindex, &l) != 0 ||
	    !l.has_stats)
		return;
	if (l.stats.tx_dropped > h->tx_dropped)
		iface_count_drop(
		    ifp, DROP_HOST_QUEUE, l.stats.tx_dropped - h->tx_dropped);
	h->tx_dropped = l.stats.tx_dropped;
}

int
host_give(struct net *net, struct iface *ifp, struct vnet *vnet, int tun_fd)
{
	struct host_system *hs = host_of(net);
	struct net_wait *waiting = NULL;
	struct tun tun;
	struct host_if *h;
	int err;

	if (hs == NULL || vnet->system == NULL)
		return -EOPNOTSUPP;
	if (vnet->dead || host_ns_of(vnet)->ended)
		return -ENXIO;
	if (net_name_taken(net, vnet, ifp->name, ifp))
		return -EEXIST;
	err = tun_adopt(tun_fd, &tun);
	if (err != 0)
		return net_error(
		    net, err, "the descriptor is no TAP with a vnet header");
	if (strcmp(tun.name, ifp->name) != 0)
		return net_error(net, -EINVAL, "the TAP's name is %s, not %s",
		    tun.name, ifp->name);
	if (ifp->host != NULL) {
		waiting = wait_take(host_if_of(ifp));
		(void)host_detach(hs, ifp, NULL);
	}
	h = if_new(hs, ifp, vnet);
	host_tell_later(hs, waiting, h != NULL ? 0 : -ECANCELED);
	if (h == NULL)
		return -ENOMEM;
	h->fd = h->watch.fd = tun.fd;
	h->caps = tun.caps;
	if (ifp->caps_off != 0)
		follow_caps(h);
	h->blind = h->unread = true;
	h->host.up = true; /* what it does not take is EIO and counted */
	err = loop_fd_add(hs->loop, &h->watch);
	if (err != 0) {
		h->fd = -1; /* still the caller's */
		if_free(h);
		return err;
	}
	(void)tun_set_persist(h->fd, false);
	(void)tun_get_mac(h->fd, h->nd_mac);
	follow_mac(h);
	follow_carrier(h);
	host_event(
	    h, "its host side is in vnet %s, passed by a client", vnet->name);
	return 0;
}

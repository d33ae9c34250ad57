/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vnets, and the host sides that stand in them.  All work is the system's
 * (struct net_system); here are the rules: who may be where, under which name,
 * and what becomes of interfaces when a vnet ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/str.h"
#include "base/util.h"
#include "net/net.h"

static void
event_emit(struct net *net, enum net_event_type type, struct iface *ifp,
    const char *text)
{
	struct net_event ev = {
		.type = type,
		.ifp = ifp,
		.vlan = -1,
		.text = text,
	};

	net_emit(net, &ev);
}

static int
no_host(struct net *net)
{
	return net_error(net, -EOPNOTSUPP, "this daemon has no host side");
}

/* A user's netdev in somebody else's stack would be heard there. */
static int
not_his(struct net *net, const struct vnet *vnet)
{
	return net_error(net, -EPERM,
	    "%s%s is not yours: attach a network namespace of your own",
	    vnet->name[0] != '\0' ? "vnet " : "the daemon's own vnet",
	    vnet->name);
}

struct vnet *
net_host_vnet(const struct iface *ifp)
{
	if (ifp->host != NULL && ifp->host->vnet != NULL)
		return ifp->host->vnet;
	return ifp->vnet;
}

int
net_host_attach(struct iface *ifp, struct net_wait *w)
{
	struct net *net = ifp->net;

	if (net->system.host_attach == NULL)
		return no_host(net);
	if (ifp->host != NULL)
		return -EBUSY;
	if (!net_vnet_mine(net, ifp->vnet))
		return not_his(net, ifp->vnet);
	return net->system.host_attach(net->system.arg, ifp, w);
}

int
net_host_detach(struct iface *ifp, struct net_wait *w)
{
	struct net *net = ifp->net;

	if (net->system.host_detach == NULL)
		return no_host(net);
	if (ifp->host == NULL)
		return -ENXIO;
	ifp->dhcp = IFACE_DHCP_OFF; /* as its addresses */
	return net->system.host_detach(net->system.arg, ifp, w);
}

int
net_host_move(struct iface *ifp, struct vnet *vnet, struct net_wait *w)
{
	struct net *net = ifp->net;

	if (net->system.host_move == NULL)
		return no_host(net);
	if (vnet->dead)
		return -ENXIO;
	if (ifp->host == NULL)
		return net_error(net, -ENXIO,
		    "%s has no host side that could move; give it one: "
		    "ifconfig %s host",
		    ifp->name, ifp->name);
	if (ifp->host->vnet == vnet)
		return 0;
	if (!net_vnet_mine(net, vnet))
		return not_his(net, vnet);
	if (net_name_taken(net, vnet, ifp->name, ifp))
		return -EEXIST;
	return net->system.host_move(net->system.arg, ifp, vnet, w);
}

static struct vnet *
find_any(struct net *net, const char *name)
{
	struct vnet *v;

	TAILQ_FOREACH (v, &net->vnets, link) {
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

/* As who acts now sees it: home is everybody's to name. */
static struct vnet *
seen(struct net *net, struct vnet *v)
{
	return v == NULL || v == net->home || net_vnet_mine(net, v) ? v : NULL;
}

struct vnet *
net_vnet_find(struct net *net, const char *name)
{
	return seen(net, find_any(net, name));
}

struct vnet *
net_vnet_named(struct net *net, const char *name)
{
	struct vnet *v = net_vnet_find(net, name);
	uint32_t id;

	if (v != NULL || str_u32(name, 10, 1, UINT32_MAX, &id) != 0)
		return v;
	TAILQ_FOREACH (v, &net->vnets, link) {
		if (v->id == id)
			return seen(net, v);
	}
	return NULL;
}

/* A name that can be a file's, stands behind '@', and is one word. */
static bool
vnet_name_good(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= NET_VNET_NAME_MAX || name[0] == '.' ||
	    name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c >= 0x7f || c == '/' || c == '@')
			return false;
	}
	return true;
}

static int
vnet_new(struct net *net, const char *name, struct vnet **out)
{
	struct vnet *v;

	if (!vnet_name_good(name))
		return -EINVAL;
	if (find_any(net, name) != NULL)
		return -EEXIST;
	if (net->vnet_count >= NET_VNETS_MAX)
		return -ENFILE;
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	memcpy(v->name, name, strlen(name));
	v->net = net;
	v->id = net->next_vnet++;
	v->created_ns = net->now_ns;
	v->uid = NET_ID_NONE;
	*out = v;
	return 0;
}

static void
vnet_in(struct vnet *v)
{
	char text[NET_VNET_NAME_MAX + 32];

	TAILQ_INSERT_TAIL(&v->net->vnets, v, link);
	v->net->vnet_count++;
	snprintf(text, sizeof(text), "vnet %s %s", v->name,
	    v->adopted ? "attached" : "created");
	event_emit(v->net, NET_EVENT_VNET, NULL, text);
}

void
net_vnet_free(struct vnet *v)
{
	if (v->filters != NULL)
		v->net->pfil.vnet_end(v);
	free(v);
}

int
net_vnet_create(struct net *net, const char *name, struct vnet **out)
{
	struct vnet *v;
	int err;

	if (net->system.vnet_create == NULL)
		return no_host(net);
	err = vnet_new(net, name, &v);
	if (err != 0)
		return err;
	err = net->system.vnet_create(net->system.arg, v);
	if (err != 0) {
		net_vnet_free(v);
		return err;
	}
	vnet_in(v);
	*out = v;
	return 0;
}

/* May who acts now have one more? */
static int
vnets_left(struct net *net)
{
	uint32_t most = net->user_limits.ports, have = 0;
	const struct vnet *v;

	if (net_is_admin(net) || most == 0)
		return 0;
	TAILQ_FOREACH (v, &net->vnets, link)
		have += v->uid == net->actor->uid;
	return have < most ? 0
	                   : net_error(net, -EDQUOT,
	                         "a user may have %u vnets "
	                         "(security.user.ports)",
	                         most);
}

static int
vnet_adopt(struct net *net, const char *name, bool guest, const char *what,
    const int *fds, uint32_t fd_count, struct vnet **out)
{
	struct vnet *v;
	int err;

	if (net->system.vnet_attach == NULL)
		return no_host(net);
	err = vnets_left(net);
	if (err == 0)
		err = vnet_new(net, name, &v);
	if (err != 0)
		return err;
	v->adopted = true;
	v->guest = guest;
	if (!net_is_admin(net))
		v->uid = net->actor->uid;
	err = net->system.vnet_attach(net->system.arg, v, what, fds, fd_count);
	if (err != 0) {
		net_vnet_free(v);
		return err;
	}
	vnet_in(v);
	*out = v;
	return 0;
}

int
net_vnet_attach(struct net *net, const char *name, const char *what,
    const int *fds, uint32_t fd_count, struct vnet **out)
{
	return vnet_adopt(net, name, false, what, fds, fd_count, out);
}

int
net_vnet_guest(
    struct net *net, const char *name, int netns_fd, struct vnet **out)
{
	return vnet_adopt(net, name, true, "", &netns_fd, 1, out);
}

/* The system has removed it. */
static void
vnet_ended(struct net_wait *w, int err)
{
	struct vnet *v = CONTAINER_OF(w, struct vnet, ending);
	struct net_wait *waiter = v->waiter;

	TAILQ_REMOVE(&v->net->ending, v, link);
	net_vnet_free(v);
	if (waiter != NULL)
		waiter->done(waiter, err);
}

/* Takes a vnet off the list and has the system remove it.  Return: true if it
 * is gone already. */
static bool
vnet_end(struct vnet *v, struct net_wait *w)
{
	struct net *net = v->net;
	uint32_t id = v->id;
	const struct vnet *e;

	v->dead = true;
	v->waiter = NULL;
	v->ending.done = vnet_ended;
	TAILQ_REMOVE(&net->vnets, v, link);
	net->vnet_count--;
	TAILQ_INSERT_TAIL(&net->ending, v, link);
	if (net->system.vnet_destroy == NULL)
		vnet_ended(&v->ending, 0);
	else
		net->system.vnet_destroy(net->system.arg, v, &v->ending);
	/* It may have been done at once: then @v is freed. */
	TAILQ_FOREACH (e, &net->ending, link) {
		if (e->id == id) {
			v->waiter = w;
			return false;
		}
	}
	return true;
}

/* A name and a unit for @ifp in the vnet that it belongs to: its own, or the
 * next free one.  @host: it is to have a host side there. */
static void
name_fit(struct iface *ifp, bool host)
{
	const struct net_system *sys = &ifp->net->system;
	struct net *net = ifp->net;
	char text[2 * IFACE_NAME_MAX + NET_VNET_NAME_MAX + 64];
	char name[IFACE_NAME_MAX];
	char old[IFACE_NAME_MAX];
	bool theirs, ours;
	uint32_t unit = 0;

	ours = net_name_taken(net, ifp->vnet, ifp->name, ifp);
	theirs = host && sys->host_name_taken != NULL &&
	         sys->host_name_taken(sys->arg, ifp->vnet, ifp->name);
	if (!ours && !theirs &&
	    !net_unit_taken(net, ifp->vnet, ifp->ops, ifp->unit, ifp))
		return;
	memcpy(old, ifp->name, sizeof(old));
	/* The one that its twin has got, if it can be. */
	if (ifp->twin != NULL && ifp->twin->vnet == ifp->vnet)
		unit = ifp->twin->unit;
	for (;; unit++) {
		if (net_unit_free(net, ifp->vnet, ifp->ops, ifp, host, &unit) !=
		    0)
			return;
		if (!ours && !theirs)
			break; /* another name, given by somebody: it stays */
		if (net_unit_name(ifp->ops, unit, ifp->twin_letter, name) != 0)
			return;
		/* Refused if it is taken where the host side is. */
		if (net_iface_rename(ifp, name) == 0)
			break;
	}
	net_unit_set(ifp, unit);
	if (!ours && !theirs)
		return;
	snprintf(text, sizeof(text), "%s is taken %s%s%s: now %s", old,
	    ifp->vnet == net->home ? "at home" : "in vnet ", ifp->vnet->name,
	    ours ? "" : " on the Linux side", name);
	event_emit(net, NET_EVENT_HOST, ifp, text);
}

void
net_host_again(struct iface *ifp, const char *why)
{
	char text[384];
	int err;

	if (ifp->host != NULL)
		(void)net_host_detach(ifp, NULL);
	ifp->host = NULL;
	(void)iface_set_flags(ifp, 0, IFACE_UP);
	name_fit(ifp, true);
	err = net_host_attach(ifp, NULL);
	snprintf(text, sizeof(text), "%s: %s", why,
	    err == 0 || err == -EINPROGRESS
	        ? "the host side is made again, down"
	        : "the host side is gone");
	event_emit(ifp->net, NET_EVENT_HOST, ifp, text);
}

/* The host side stands in a vnet that ends, the interface belongs elsewhere. */
static void
host_go_home(struct iface *ifp, const char *why)
{
	const struct net_system *sys = &ifp->net->system;
	int err = -EEXIST;

	(void)iface_set_flags(ifp, 0, IFACE_UP);
	if (sys->host_move != NULL &&
	    (sys->host_name_taken == NULL ||
	        !sys->host_name_taken(sys->arg, ifp->vnet, ifp->name)))
		err = sys->host_move(sys->arg, ifp, ifp->vnet, NULL);
	/* Its name is taken, it is just on its way, or cannot go any more. */
	if (err != 0 && err != -EINPROGRESS)
		net_host_again(ifp, why);
}

/* The next of a walk on which interfaces may be destroyed: from the start if
 * @ifp may have been. */
static struct iface *
walk_next(struct net *net, struct iface *ifp, uint32_t *gone)
{
	if (*gone == net->iface_gone)
		return TAILQ_NEXT(ifp, all_link);
	*gone = net->iface_gone;
	return TAILQ_FIRST(&net->ifaces);
}

int
net_vnet_destroy(struct vnet *vnet, struct net_wait *w)
{
	struct net *net = vnet->net;
	uint32_t gone = net->iface_gone;
	char text[NET_VNET_NAME_MAX + 32];
	struct iface *ifp;

	if (vnet == net->home)
		return -EINVAL;
	if (vnet->dead)
		return -ENXIO;
	snprintf(text, sizeof(text), "vnet %s has ended", vnet->name);
	for (ifp = TAILQ_FIRST(&net->ifaces); ifp != NULL;
	     ifp = walk_next(net, ifp, &gone)) {
		if (ifp->vnet != vnet && net_host_vnet(ifp) == vnet)
			host_go_home(ifp, text);
	}
	/* From the start each time: destroying one may destroy others. */
	for (;;) {
		TAILQ_FOREACH_REVERSE(ifp, &net->ifaces, iface_list, all_link)
		{
			if (ifp->vnet == vnet)
				break;
		}
		if (ifp == NULL)
			break;
		(void)net_iface_destroy(ifp, NULL);
	}
	snprintf(text, sizeof(text), "vnet %s destroyed", vnet->name);
	event_emit(net, NET_EVENT_VNET, NULL, text);
	return vnet_end(vnet, w) ? 0 : -EINPROGRESS;
}

void
net_vnet_lost(struct vnet *vnet)
{
	struct net *net = vnet->net;
	uint32_t gone = net->iface_gone;
	char text[NET_VNET_NAME_MAX + 32];
	struct iface *ifp;
	bool had_host;

	ASSERT(vnet != net->home && !vnet->dead);
	snprintf(text, sizeof(text), "vnet %s has ended", vnet->name);
	event_emit(net, NET_EVENT_VNET, NULL, text);
	for (ifp = TAILQ_FIRST(&net->ifaces); ifp != NULL;
	     ifp = walk_next(net, ifp, &gone)) {
		had_host = ifp->host != NULL && net_host_vnet(ifp) == vnet;
		if (!had_host && ifp->vnet != vnet)
			continue;
		/* Its netdev went with the namespace, or back to where it came
		 * from. */
		if ((ifp->ops->kind_flags & IFACE_KIND_ADOPTED) != 0) {
			(void)net_iface_destroy(ifp, NULL);
			continue;
		}
		if (had_host) {
			(void)net_host_detach(ifp, NULL);
			ifp->host = NULL;
		}
		if (ifp->vnet == vnet)
			ifp->vnet = net->home;
		if (had_host)
			net_host_again(ifp, text);
		else
			name_fit(ifp, false);
	}
	(void)vnet_end(vnet, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may do what with which interface: see actor.h. */
#include "net/actor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "net/net.h"

bool
net_actor_in(const struct net_actor *actor, uint32_t gid)
{
	for (uint32_t i = 0; i < actor->gid_count; i++) {
		if (actor->gids[i] == gid)
			return true;
	}
	return false;
}

bool
net_is_admin(const struct net *net)
{
	return net->actor == NULL || net->actor->admin;
}

enum net_access
net_access_as(const struct net_actor *actor, const struct iface *ifp)
{
	if (actor == NULL || actor->admin)
		return NET_ACCESS_ADMIN;
	if (ifp->uid == actor->uid)
		return NET_ACCESS_OWN;
	if (ifp->gid != NET_ID_NONE && net_actor_in(actor, ifp->gid))
		return NET_ACCESS_USE;
	return NET_ACCESS_NONE;
}

enum net_access
net_access(const struct iface *ifp)
{
	return net_access_as(ifp->net->actor, ifp);
}

int
net_need(const struct iface *ifp, enum net_access want)
{
	if (net_access(ifp) >= want)
		return 0;
	if (want == NET_ACCESS_ADMIN)
		return net_error(ifp->net, -EPERM,
		    "only an administrator of this daemon may");
	return net_error(ifp->net, -EPERM, "%s is not yours", ifp->name);
}

bool
net_vnet_mine(const struct net *net, const struct vnet *vnet)
{
	return net_is_admin(net) || vnet->uid == net->actor->uid;
}

bool
net_host_wanted(const struct net *net, const struct vnet *vnet)
{
	return net->host_attach != 0 && net->system.host_attach != NULL &&
	       net_vnet_mine(net, vnet);
}

static struct net_user *
user_find(struct net *net, uint32_t uid)
{
	struct net_user *u;

	LIST_FOREACH (u, &net->users, link) {
		if (u->uid == uid)
			return u;
	}
	return NULL;
}

struct net_user *
net_user_of(struct net *net, uint32_t uid)
{
	struct net_user *u = user_find(net, uid);

	if (u != NULL)
		return u;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->uid = uid;
	u->rate.credit_ns = UINT64_MAX / 2; /* cut to the burst at once */
	u->rate.credited_ns = net->now_ns;
	LIST_INSERT_HEAD(&net->users, u, link);
	return u;
}

int
net_user_take(struct iface *ifp)
{
	struct net *net = ifp->net;
	uint32_t most = net->user_limits.ports;
	struct net_user *u;

	ifp->uid = net->actor != NULL ? net->actor->uid : NET_ID_NONE;
	ifp->gid = NET_ID_NONE;
	if (net_is_admin(net))
		return 0;
	u = user_find(net, ifp->uid);
	if (u != NULL && most != 0 && u->ports >= most)
		return net_error(net, -EDQUOT,
		    "a user may have %u interfaces (security.user.ports)",
		    most);
	u = net_user_of(net, ifp->uid);
	if (u == NULL)
		return -ENOMEM;
	u->ports++;
	ifp->user = u;
	return 0;
}

void
net_user_give(struct iface *ifp)
{
	struct net_user *u = ifp->user;

	if (u == NULL)
		return;
	ifp->user = NULL;
	u->ports--;
}

void
net_users_free(struct net *net)
{
	struct net_user *u;

	while ((u = LIST_FIRST(&net->users)) != NULL) {
		LIST_REMOVE(u, link);
		free(u);
	}
}

int
net_user_change(struct iface *ifp, uint32_t uid)
{
	struct net_user *u = NULL;

	if (uid == ifp->uid && (ifp->user != NULL || uid == NET_ID_NONE))
		return 0;
	if (uid != NET_ID_NONE) {
		u = net_user_of(ifp->net, uid);
		if (u == NULL)
			return -ENOMEM;
		u->ports++;
	}
	net_user_give(ifp);
	ifp->user = u;
	ifp->uid = uid;
	iface_changed(ifp, IFACE_CHANGED_OWNER);
	return 0;
}

void
net_user_queue(const struct iface *ifp, struct frame_ring *r)
{
	uint64_t kib = ifp->net->user_limits.queues_kib;

	if (ifp->user != NULL)
		frame_ring_share(
		    r, &ifp->user->queued, kib != 0 ? kib * 1024 : UINT64_MAX);
}

void
net_user_pipe(const struct iface *ifp, struct pipe *p)
{
	uint64_t kib = ifp->net->user_limits.queues_kib;

	if (ifp->user != NULL)
		pipe_charge(
		    p, &ifp->user->queued, kib != 0 ? kib * 1024 : UINT64_MAX);
}

int
net_share(struct iface *ifp, uint32_t gid)
{
	const struct net *net = ifp->net;

	if (gid != NET_ID_NONE && !net_is_admin(net) &&
	    !net_actor_in(net->actor, gid))
		return net_error(
		    ifp->net, -EPERM, "you are not in group %" PRIu32, gid);
	if (ifp->gid == gid)
		return 0;
	ifp->gid = gid;
	iface_changed(ifp, IFACE_CHANGED_OWNER);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who acts, what is his, and how much he may have.
 *
 * Theory of operation
 *
 * While a request of a client runs, net->actor says whose it is; NULL is the
 * daemon itself (a program's end, a timer, a configuration file) and may do
 * all. An administrator may do all, too.  Anybody else is a user: an interface
 * that he makes belongs to him (ifp->uid), and he
 *
 *   - sees what is his, and what belongs to a group of his (ifp->gid).  The
 *     rest does not exist for him: net_iface_find() does not find it;
 *   - changes what is his;
 *   - uses what belongs to a group of his: opens such a tap, adds his own
 *     interfaces to such a bridge;
 *   - has host sides only in vnets that are his (vnet->uid).
 *
 * What a user has is counted in one struct net_user, whatever number of clients
 * he comes with, and limited by net->user_limits.  Interfaces of the daemon and
 * of administrators have none and no limit.
 *
 * Names are a common good: a user may find one taken by what he does not see.
 *
 * Threads: the worker's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define NET_ID_NONE      UINT32_MAX /* no user, no group */
#define NET_ACTOR_GROUPS 64         /* of a client that count */

/* Defaults of the limits of a user. */
#define NET_USER_PORTS      64
#define NET_USER_ADDRESSES  4096
#define NET_USER_QUEUES_KIB (16 * 1024)
#define NET_USER_REQUESTS   2000 /* a second */

struct frame_ring;
struct iface;
struct net;
struct pipe;
struct vnet;

struct net_actor {
	uint32_t uid;
	bool admin;
	uint32_t gid_count;
	uint32_t gids[NET_ACTOR_GROUPS];
};

enum net_access {
	NET_ACCESS_NONE, /* does not see it */
	NET_ACCESS_USE,  /* sees and uses it */
	NET_ACCESS_OWN,  /* changes it */
	NET_ACCESS_ADMIN,
};

/* sysctl security.user.*; 0: no limit */
struct net_user_limits {
	uint32_t ports, addresses, requests;
	uint32_t queues_kib;
};

/* A bucket of tokens, in time: how many requests somebody may still make. */
struct net_rate {
	uint64_t credit_ns, credited_ns;
	uint64_t debt_ns; /* it has to fill this first */
};

/* Owned by the net, and lives as long: there are no more than accounts that may
 * connect, and what counts for one may outlast his last port. */
struct net_user {
	uint32_t uid;
	uint32_t ports;     /* interfaces */
	uint32_t addresses; /* learned behind them, on all bridges */
	uint64_t queued;    /* bytes of frames in the queues of its ports */
	struct net_rate rate;
	LIST_ENTRY(net_user) link;
};
LIST_HEAD(net_user_list, net_user);

/** net_actor_in() - is @actor a member of the group? */
bool net_actor_in(const struct net_actor *actor, uint32_t gid);

/** net_access() - what who acts now may do with @ifp */
enum net_access net_access(const struct iface *ifp);
/** net_access_as() - what @actor may (NULL: the daemon) */
enum net_access net_access_as(
    const struct net_actor *actor, const struct iface *ifp);

/** net_is_admin() - may who acts now do everything? */
bool net_is_admin(const struct net *net);

/** net_vnet_mine() - may who acts now have host sides in @vnet? */
bool net_vnet_mine(const struct net *net, const struct vnet *vnet);

/**
 * net_host_wanted() - does an interface made now in @vnet get a host side of
 * itself (sysctl net.link.host_attach, and whether there is a host)?
 */
bool net_host_wanted(const struct net *net, const struct vnet *vnet);

/**
 * net_need() - refuse if who acts now may not do that much with @ifp
 *
 * Return: 0, or -EPERM with a message.
 */
int net_need(const struct iface *ifp, enum net_access want);

/**
 * net_user_take() - charge a new interface to who acts now, who owns it then
 *
 * Return: 0, -EDQUOT with a message (has as many as he may), -ENOMEM.
 */
int net_user_take(struct iface *ifp);
/** net_user_give() - @ifp ends, or is no longer the user's */
void net_user_give(struct iface *ifp);

/**
 * net_user_change() - @ifp is @uid's from here on (NET_ID_NONE: nobody's), with
 * no regard for the limit of ports
 *
 * What waits in the queue of its open descriptor, and addresses that a bridge
 * has learned behind it, count for the former owner until it is opened anew and
 * leaves the bridge.  Return: 0 or -ENOMEM.
 */
int net_user_change(struct iface *ifp, uint32_t uid);

/**
 * net_share() - users of group @gid may plug into @ifp (NET_ID_NONE: no
 * group's)
 *
 * Return: 0, or -EPERM with a message: a user shares with groups of his.
 */
int net_share(struct iface *ifp, uint32_t gid);

/** net_user_queue() - frames in @r, which is @ifp's and empty, count for its
 * user */
void net_user_queue(const struct iface *ifp, struct frame_ring *r);
/** net_user_pipe() - the same for a pipe */
void net_user_pipe(const struct iface *ifp, struct pipe *p);

/** net_user_of() - the user's, made if he is new here; NULL: no memory */
struct net_user *net_user_of(struct net *net, uint32_t uid);

/** net_users_free() - at the end of @net */
void net_users_free(struct net *net);

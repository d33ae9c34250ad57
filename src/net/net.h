/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interfaces of one worker: names, vnets, clone table, run queue, events.
 *
 * Theory of operation
 *
 * struct net owns every interface and vnet of a worker and its pool of
 * frames.  It makes no system call: what the core needs from the system (host
 * netdevs, namespaces) it asks through struct net_system, which the daemon
 * fills and tests leave empty or mock.  Time is net->now_ns, set by
 * whoever drives it (the loop, a test, a simulator).
 *
 * Names are per vnet.  A name belongs to the vnet in which the interface was
 * created and stays reserved there; while the host side is in another vnet
 * the name is taken (and known) there too.
 *
 * Run queue: net_ready(ifp) puts an interface on a list; net_poll() calls
 * ops->poll of each in turn with a budget, round robin, and says whether work
 * remains.  So a loop of interfaces without spanning tree takes its share of
 * the worker and no more.
 *
 * Events: state changes go to the subscribers (net_subscribe()), in order,
 * synchronously; a subscriber must not change the net from inside.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "net/actor.h"
#include "net/iface.h"
#include "pipe/pipe.h"

#define NET_VNET_NAME_MAX 64
#define NET_POLL_BUDGET   64 /* frames an interface may move per turn */
#define NET_IFACES_MAX    16384
#define NET_VNETS_MAX     4096
#define NET_BUCKETS       1024
/* Places in struct vnet's tunables: the bridge's, then gif's. */
#define NET_TUNABLES_BRIDGE 16
#define NET_TUNABLES_GIF    3
#define NET_TUNABLES_MAX    (NET_TUNABLES_BRIDGE + NET_TUNABLES_GIF)

struct pfil_heads;
struct pfil_vnet;
struct timerheap;

TAILQ_HEAD(vnet_list, vnet);
LIST_HEAD(iface_bucket, iface);

/* Something that takes its time: the core asks the system, the system says
 * -EINPROGRESS and calls done() later, on the worker, exactly once, and never
 * from inside another call into the system: done() may destroy anything.
 * Embedded in its waiter's struct; borrowed by the system until done(). */
struct net_wait {
	void (*done)(struct net_wait *w, int err);
	int err; /* the system's, until done(), as is the rest */
	TAILQ_ENTRY(net_wait) link;
};

struct vnet {
	char name[NET_VNET_NAME_MAX]; /* "" is the daemon's own: home */
	uint32_t id;                  /* 0 is home; never reused */
	bool adopted;                 /* attach, not create */
	bool guest;                   /* net_vnet_guest() */
	bool dead;
	struct net *net;
	void *system;            /* what net_system hangs here; it owns it */
	struct net_wait *waiter; /* told when the system has removed it */
	uint64_t created_ns;
	uint32_t uid; /* the user who attached it, or NET_ID_NONE */
	/* Kinds' sysctls with a value a vnet; zeroed means the defaults. */
	uint32_t tunables[NET_TUNABLES_MAX];
	/* Packet filters (pfil/): the lists of hooks, NULL while there is none
	 * in any; and what belongs to them. */
	struct pfil_heads *pfil;
	struct pfil_vnet *filters;
	struct net_wait ending; /* what the system tells at the end */
	TAILQ_ENTRY(vnet) link;
};

/* What the core asks of the system.  Every pointer may be NULL: "no host
 * here", -EOPNOTSUPP with a message.  -EINPROGRESS only where a wait is
 * passed (@w may be NULL: then finish in the background). */
struct net_system {
	void *arg;
	/* Make @ifp's netdev in @vnet (its current home) and set ifp->host.
	 * -EEXIST: the name is taken on the Linux side. */
	int (*host_attach)(void *arg, struct iface *ifp, struct net_wait *w);
	/* Remove the netdev; ifp->host is NULL on return, the rest may go on
	 * in the background with @w told when the name is free again. */
	int (*host_detach)(void *arg, struct iface *ifp, struct net_wait *w);
	/* Move the netdev to @vnet. */
	int (*host_move)(void *arg, struct iface *ifp, struct vnet *vnet,
	    struct net_wait *w);
	/* Rename the netdev; nothing else has changed yet. */
	int (*host_rename)(void *arg, struct iface *ifp, const char *name);
	/* Has somebody else, whom the core does not know of, the name in
	 * @vnet?  For choosing a name; NULL: never. */
	bool (*host_name_taken)(void *arg, struct vnet *vnet, const char *name);
	/* Is there a netdev @name in @vnet, not of ours, that can be adopted?
	 * 0, -ENODEV, or -errno with net_error() saying why not. */
	int (*netdev_check)(void *arg, struct vnet *vnet, const char *name);
	/* Makes the netdev of @ifp's name its host side as it is: sets
	 * ifp->host, and address, MTU, flags and link of the interface, which
	 * is just being born. As netdev_check(). */
	int (*netdev_adopt)(void *arg, struct iface *ifp);
	/* Addresses, as text: "192.0.2.1/24", "2001:db8::1/64"; @dst is the far
	 * end of a point-to-point address or NULL. */
	int (*addr_add)(void *arg, struct iface *ifp, const char *addr,
	    const char *dst, const char *broadcast);
	int (*addr_del)(void *arg, struct iface *ifp, const char *addr);
	/* Put an info list "addresses" into @out (net/info.h): objects with
	 * family, address, prefixlen, broadcast, destination, flags, scopeid.
	 */
	int (*addr_list)(void *arg, const struct iface *ifp, struct info *out);
	/* DHCP on a host side (ifp->dhcp; it follows host->changed()).  Check:
	 * can it be, now (NULL: at all)? 0, or -errno with a message.  Wait:
	 * for a lease; 0 (it is there), or -EINPROGRESS and later 0, -ETIMEDOUT
	 * or -ECANCELED (it is to have none any more).  Get: an object "dhcp",
	 * if there is anything to say. */
	int (*dhcp_check)(void *arg, const struct iface *ifp);
	int (*dhcp_wait)(void *arg, struct iface *ifp, struct net_wait *w);
	void (*dhcp_get)(void *arg, const struct iface *ifp, struct info *out);
	/* Bring host counters (tx_dropped) into ifp->count now. */
	void (*host_refresh)(void *arg, struct iface *ifp);
	int (*vnet_create)(void *arg, struct vnet *vnet);
	/* Adopt by PID or path text, or by descriptors that a client passed.
	 * A guest by its one descriptor. */
	int (*vnet_attach)(void *arg, struct vnet *vnet, const char *what,
	    const int *fds, uint32_t fd_count);
	void (*vnet_destroy)(void *arg, struct vnet *vnet, struct net_wait *w);
	void (*vnet_get)(void *arg, const struct vnet *vnet, struct info *out);
};

/* Packet filters at the host's door; set by pfil_init(). */
struct net_pfil {
	/* What the host of @ifp has sent, or is about to be given (@in), where
	 * its vnet has hooks: what must not pass leaves @batch. */
	void (*host)(struct iface *ifp, struct frame_batch *batch, bool in);
	/* @vnet is about to be freed. */
	void (*vnet_end)(struct vnet *vnet);
};

enum net_event_type {
	NET_EVENT_CREATE,
	NET_EVENT_DESTROY,
	NET_EVENT_CHANGE, /* what: IFACE_CHANGED_* */
	NET_EVENT_LINK,
	NET_EVENT_LEARNED, /* an address appeared on a port; text: by hand */
	NET_EVENT_MOVED,   /* ... moved to another port */
	NET_EVENT_EXPIRED, /* ... aged out or was removed */
	NET_EVENT_DROPS,   /* a drop reason appeared or grew (rate limited) */
	NET_EVENT_MEMBER,  /* a member joined or left a bridge */
	NET_EVENT_STP,     /* spanning tree changed or noticed something */
	NET_EVENT_STORM,   /* a port's storm limit is exceeded, or no more */
	NET_EVENT_FLAP,    /* an address is held where it was */
	NET_EVENT_VNET,    /* a vnet came or went */
	NET_EVENT_HOST,    /* a host side came, went or was lost */
	NET_EVENT_NOTICE,  /* anything else worth a line */
};

/* Borrowed for the duration of the call. */
struct net_event {
	enum net_event_type type;
	uint64_t now_ns;
	struct iface *ifp;   /* may be NULL */
	struct iface *other; /* second interface: bridge, old port ... */
	const uint8_t *mac;  /* 6 bytes, or NULL */
	int vlan;            /* or -1 */
	uint32_t what;       /* IFACE_CHANGED_*, or a drop reason */
	uint64_t value;      /* number of drops ... */
	const char *role;  /* of spanning tree: what @other has now, or NULL */
	const char *state; /* the same */
	const char *text;  /* a line for people, or NULL */
	const char *cause; /* who did it, or NULL */
};

struct net_subscriber {
	void (*event)(struct net_subscriber *s, const struct net_event *ev);
	TAILQ_ENTRY(net_subscriber) link;
};
TAILQ_HEAD(net_subscriber_list, net_subscriber);

/* Is told what happens to a frame, step by step. */
struct net_tracer {
	/* @step: a stable name; the rest is borrowed for the call */
	void (*step)(struct net_tracer *t, const struct iface *ifp,
	    const char *step, const char *text);
};

struct net {
	uint64_t now_ns;    /* set by the driver of this net before calls */
	uint64_t hash_seed; /* from the shell */
	uint64_t identity;  /* hash of machine, user, socket; from the shell */
	/* Where the core sets timers: the shell's heap; NULL: nobody keeps
	 * time, and what is overdue is found when it matters. */
	struct timerheap *timers;
	uint64_t random; /* state of the generator for addresses; seeded by
	                  * the shell, net_random() */
	struct frame_pool *pool;
	/* Frames given to drivers, and those of them that found their queues
	 * full, or half full: net_crowded(). */
	uint64_t given, full;
	struct net_pfil pfil;
	struct pipe_share pipe_share; /* what impairments may hold of it */
	const struct iface_ops *const *kinds; /* NULL-ended driver table */
	struct net_system system;
	struct iface_list ifaces;
	struct iface_bucket names[NET_BUCKETS], units[NET_BUCKETS],
	    indexes[NET_BUCKETS], lladdrs[NET_BUCKETS];
	struct vnet_list vnets;  /* first is home */
	struct vnet_list ending; /* destroyed, but the system is not done */
	struct vnet *home;
	struct iface_list ready, flushing;
	uint32_t ready_count;
	bool polling; /* inside net_poll() */
	struct net_subscriber_list subscribers;
	/* Only of a copy, made to see what would happen (bridge/trace.h). */
	struct net_tracer *tracer;
	uint32_t iface_count, vnet_count;
	uint32_t iface_gone; /* destroyed so far: has a walk to begin anew? */
	uint32_t next_index, next_vnet;
	uint32_t host_attach;          /* sysctl net.link.host_attach */
	uint32_t host_retrans_ms;      /* sysctl net.link.host_retrans */
	uint32_t host_dhcp_wait_s;     /* sysctl net.link.host_dhcp_wait */
	const char *cause;             /* who is changing things now, or NULL */
	const struct net_actor *actor; /* the same, for what he may; actor.h */
	struct net_user_list users;
	struct net_user_limits user_limits;
	char message[256];       /* detail of the last failed operation */
	void (*wake)(void *arg); /* see net_set_wake() */
	void *wake_arg;
	void *drv; /* what the drivers share (drv/drv.h); they own it */
	/* Ends it: called by net_destroy() after the last interface. */
	void (*drv_fini)(struct net *net);
	/* Gives @copy, a net of the same kinds without descriptors, a context
	 * with the same settings. 0 or -ENOMEM. */
	int (*drv_copy)(const struct net *net, struct net *copy);
};

struct net_options {
	struct frame_pool_options pool;
	const struct iface_ops *const *kinds; /* borrowed for ever */
	uint64_t hash_seed, random_seed;
	uint64_t now_ns;
	const struct net_system *system; /* copied; NULL: no host */
};

/** net_create() - 0 or -ENOMEM; @options is borrowed for the call */
int net_create(const struct net_options *options, struct net **out);
/** net_destroy() - destroys every interface and vnet, then the pool */
void net_destroy(struct net *net);

/** net_kind() - a row of the driver table by name, or NULL */
const struct iface_ops *net_kind(const struct net *net, const char *kind);

/**
 * net_kind_of_name() - the kind of which @name would be created
 *
 * Return: 0 (the kind, perhaps with a unit); 1 (a name that the kind takes as
 * it is: "feth0.10"); -EINVAL (no kind) or the kind's refusal.
 */
int net_kind_of_name(const struct net *net, const struct vnet *vnet,
    const char *name, const struct iface_ops **out);

/**
 * net_iface_create() - clone
 * @net:  borrowed
 * @vnet: whose name space; NULL is home
 * @name: "tap" (lowest free unit, also on the host if there is to be a host
 *        side), "tap7"
 * @out:  borrowed, lives until net_iface_destroy()
 *
 * The host side is not made here: the caller decides (net->host_attach).
 *
 * A unit number stays taken while its interface lives, also under a new name.
 * Of a kind whose interfaces come in twins both are made, and @out is the
 * first.
 *
 * Return: 0; -EINVAL (no such kind, unit out of range, leading zeros),
 * -EEXIST (taken), -ENOMEM, -ENFILE (limit), -ENXIO (dead vnet) or the
 * driver's.
 */
int net_iface_create(
    struct net *net, struct vnet *vnet, const char *name, struct iface **out);

/**
 * net_iface_destroy() - detach from stack and host, end the driver, free
 * @ifp: its twin ends, too
 * @w:   told when the host's netdev is gone, or NULL
 *
 * Return: 0, or -EINPROGRESS when @w will be told.  @ifp is gone either way.
 */
int net_iface_destroy(struct iface *ifp, struct net_wait *w);

/**
 * net_iface_find() - by name, as seen from a vnet by who acts now
 * @vnet: NULL is home
 * @name: "tap0"; from home also "tap0@VNET"
 *
 * Return: borrowed, or NULL.
 */
struct iface *net_iface_find(
    struct net *net, const struct vnet *vnet, const char *name);

#define NET_IFACE_TEXT_MAX (IFACE_NAME_MAX + NET_VNET_NAME_MAX)
/** net_iface_name_in() - how @ifp is named in @vnet: "tap0", or from home
 * "tap0@VNET" where it is not seen. Return: @text */
const char *net_iface_name_in(const struct iface *ifp, const struct vnet *vnet,
    char text[NET_IFACE_TEXT_MAX]);
/** net_iface_can_name() - do the words of @who find @ifp by that name, in its
 * own vnet or in the one where its host side is? */
bool net_iface_can_name(const struct iface *who, const struct iface *ifp);

/**
 * net_adopt_check() - could the host's netdev @name become an interface?
 *
 * Return: 0, -ENODEV (none of that name), -EPERM (only administrators adopt),
 * -EEXIST (the name is taken here) or the system's.
 */
int net_adopt_check(struct net *net, struct vnet *vnet, const char *name);
/** net_iface_adopt() - make it one. Return: as net_adopt_check(), or the
 * driver's */
int net_iface_adopt(
    struct net *net, struct vnet *vnet, const char *name, struct iface **out);

/** net_iface_by_index() - or NULL; not one that is being destroyed */
struct iface *net_iface_by_index(struct net *net, uint32_t index);

/** net_lladdr_placed() - @ifp->mac is another one than before */
void net_lladdr_placed(struct iface *ifp);

/** net_lladdr_taken() - is @mac the address of another interface than @but? */
bool net_lladdr_taken(const struct iface *but, const uint8_t mac[6]);

/** net_lladdr_choose() - an address for @ifp that no other has: @prefix is its
 * first three bytes, the rest is chance */
void net_lladdr_choose(
    const struct iface *ifp, uint32_t prefix, uint8_t mac[6]);

/** net_name_taken() - is @name taken in @vnet by another than @but (or NULL)?
 */
bool net_name_taken(struct net *net, const struct vnet *vnet, const char *name,
    const struct iface *but);

/** net_unit_taken() - has another interface than @but (or NULL) and its twin
 * that unit? */
bool net_unit_taken(const struct net *net, const struct vnet *vnet,
    const struct iface_ops *ops, uint32_t unit, const struct iface *but);

/** net_unit_find() - the interface of that unit, the first of twins, whatever
 * it is called; or NULL */
struct iface *net_unit_find(const struct net *net, const struct vnet *vnet,
    const struct iface_ops *ops, uint32_t unit);

/** net_unit_elsewhere() - has another of its kind that unit, in any vnet? */
bool net_unit_elsewhere(const struct iface *ifp);

/** net_unit_set() - another unit, which is free, or IFACE_UNIT_NONE */
void net_unit_set(struct iface *ifp, uint32_t unit);

/** net_unit_name() - "tap7", with @letter (0: none) behind it "epair7a". 0 or
 * -ENAMETOOLONG */
int net_unit_name(const struct iface_ops *ops, uint32_t unit, char letter,
    char name[IFACE_NAME_MAX]);

/**
 * net_unit_free() - the lowest unit that nobody has in @vnet
 * @but:    this one and its twin do not count; or NULL
 * @host:   its name must be free on the host, too
 * @in_out: the first that will do
 *
 * Return: 0, -ENFILE (none) or -ENOMEM.
 */
int net_unit_free(struct net *net, struct vnet *vnet,
    const struct iface_ops *ops, const struct iface *but, bool host,
    uint32_t *in_out);

/** net_iface_visible() - would `ifconfig -a` in @vnet list it to who acts now?
 */
bool net_iface_visible(const struct iface *ifp, const struct vnet *vnet);

/**
 * net_iface_rename() - -EEXIST, -EINVAL (empty, '/', blank, too long, all
 * digits), or the system's
 */
int net_iface_rename(struct iface *ifp, const char *name);

/* The host side, asked from the system.  0, -EINPROGRESS, -EOPNOTSUPP (with a
 * message: no host here), -EBUSY (there is one already), -ENXIO (there is
 * none), -EEXIST (the name is taken there), or the system's. */
int net_host_attach(struct iface *ifp, struct net_wait *w);
int net_host_detach(struct iface *ifp, struct net_wait *w);
int net_host_move(struct iface *ifp, struct vnet *vnet, struct net_wait *w);
/**
 * net_host_again() - make @ifp's host side, which is lost where it is, again in
 * @ifp's own vnet
 * @why: for the event: "vnet alice has ended"
 *
 * @ifp is down afterwards, and has the next free unit's name if somebody on the
 * host, or another interface, has its own.
 */
void net_host_again(struct iface *ifp, const char *why);
/** net_host_vnet() - where @ifp's host side is, or would be made */
struct vnet *net_host_vnet(const struct iface *ifp);

/* -EINVAL (a bad name), -EEXIST, -ENFILE (limit), -EOPNOTSUPP (no host here),
 * or the system's */
int net_vnet_create(struct net *net, const char *name, struct vnet **out);
int net_vnet_attach(struct net *net, const char *name, const char *what,
    const int *fds, uint32_t fd_count, struct vnet **out);
/**
 * net_vnet_guest() - a vnet for a namespace in which only host sides are to be
 * @netns_fd: borrowed; the system keeps the namespace as long as the vnet
 *
 * Clients from there act at home all the same, and the system ends it when no
 * host side is left in it.  Return: as net_vnet_attach().
 */
int net_vnet_guest(
    struct net *net, const char *name, int netns_fd, struct vnet **out);
/**
 * net_vnet_destroy() - remove
 *
 * Interfaces that were created in it are destroyed; host sides that were moved
 * in, or are on their way, go back to the vnet of their interface, down.  As
 * net_host_again() says where the name is taken there.
 *
 * Return: 0, -EINVAL (home), -ENXIO (dead already) or -EINPROGRESS when @w
 * will be told.
 */
int net_vnet_destroy(struct vnet *vnet, struct net_wait *w);
/**
 * net_vnet_lost() - the system found that @vnet's namespace has ended
 *
 * The netdevs in it are gone.  Its interfaces live on at home, down, under the
 * next free unit where their name is taken there, with a new host side where
 * they had one.  Says so in events.  @vnet is freed.
 */
void net_vnet_lost(struct vnet *vnet);
/** net_vnet_free() - for net/: what hangs on it, and itself */
void net_vnet_free(struct vnet *vnet);
/** net_vnet_find() - by name; "" is home. Borrowed, or NULL (none that who acts
 * now may know of) */
struct vnet *net_vnet_find(struct net *net, const char *name);
/** net_vnet_named() - as a command names it: by name, else by its number */
struct vnet *net_vnet_named(struct net *net, const char *name);

/** net_ready() - @ifp has frames to move: poll it soon */
void net_ready(struct iface *ifp);
/** net_flush_later() - call ops->flush at the end of this round */
void net_flush_later(struct iface *ifp);
/**
 * net_poll() - one round over the ready interfaces, then flush
 * Return: true if work remains: come back without sleeping.
 */
bool net_poll(struct net *net);

/**
 * net_set_wake() - who is told that net_poll() has work
 *
 * Called from outside net_poll() when the first interface becomes ready or asks
 * for a flush; NULL: nobody.
 */
void net_set_wake(struct net *net, void (*wake)(void *arg), void *arg);

void net_subscribe(struct net *net, struct net_subscriber *s);
void net_unsubscribe(struct net *net, struct net_subscriber *s);
/** net_emit() - fills now_ns and cause, tells all subscribers */
void net_emit(struct net *net, struct net_event *ev);

/*
 * Has the better part of what was given to drivers since @mark come to queues
 * that were full, or half full?  Who feeds frames in on behalf of a program
 * does better to let them wait a moment where they are: the program then waits
 * too, instead of taking time from those who are to read, and nothing is lost.
 */
struct net_mark {
	uint64_t given, full;
};

static inline struct net_mark
net_mark(const struct net *net)
{
	return (struct net_mark){ net->given, net->full };
}

static inline bool
net_crowded(const struct net *net, struct net_mark mark)
{
	return net->full != mark.full &&
	       2 * (net->full - mark.full) >= net->given - mark.given;
}

/** net_error() - remember a detail text for the failure. Return: @err */
int net_error(struct net *net, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** net_notice() - a NET_EVENT_NOTICE with a formatted line; @ifp may be NULL */
void net_notice(struct net *net, struct iface *ifp, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** net_trace() - a step of a frame on @ifp, for the tracer, if there is one */
void net_trace(const struct iface *ifp, const char *step, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** net_set_cause() - who changes things from here on; borrowed; NULL: nobody */
static inline void
net_set_cause(struct net *net, const char *cause)
{
	net->cause = cause;
}

/** net_random() - next 64 pseudo-random bits (addresses; not secrets) */
uint64_t net_random(struct net *net);

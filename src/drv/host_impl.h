/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files host*.c share.
 *
 *   host.c          life of the whole, the table of struct net_system
 *   host_io.c       frames: read batches, gather and write
 *   host_netdev.c   netdevs come, go, move; coax's changes go to them
 *   host_nd6.c      ... their IPv6
 *   host_monitor.c  the kernel's changes come from them
 *   host_adopt.c    netdevs that were there before
 *   host_vnet.c     namespaces
 *   host_addr.c     addresses
 *   host_dhcp.c     ... that somebody leases
 */
#pragma once

#include <net/if.h>

#include "base/list.h"
#include "drv/host.h"
#include "drv/recvslot.h"
#include "os/jobs.h"
#include "os/loop.h"
#include "os/netns.h"
#include "os/rtnl.h"
#include "os/tun.h"

#define HOST_READ_MAX    32  /* reads in one submit */
#define HOST_READ_BUDGET 128 /* frames a netdev may send per wake-up */
#define HOST_READ_BYTES  (2u << 20)
/* A wake-up that brought so many bytes, super-frames, is bulk: no spinning for
 * some time after it.  Small frames do not come near in one wake-up. */
#define HOST_BULK_BYTES   32768u
#define HOST_BULK_HOLD_NS UINT64_C(200000)
#define HOST_TX_MAX       256 /* frames gathered before they must go */
#define HOST_BUCKETS      1024
#define HOST_REFRESH_NS   UINT64_C(10000000) /* counters: at most so often */

struct iobatch;
struct host_child;
struct host_dhcp;
struct host_move;

/* A vnet's namespace; struct vnet's @system. */
struct host_ns {
	struct host_system *hs;
	struct vnet *vnet;
	struct netns_id id;
	uint32_t vnet_id;
	int nsid;          /* home's number for it; RTNL_NSID_NONE: is home */
	int fd;            /* home, created ones, guests; -1: adopted */
	struct rtnl *rtnl; /* created ones and guests, when first needed */
	pid_t pid;         /* adopted by process; 0: by path */
	char *path;        /* adopted by path */
	struct loop_fd owner; /* pidfd of the process; fd -1: none */
	bool helper;          /* we may not act in there */
	bool ended;           /* seen to be gone; lost_task tells the core */
	struct loop_task lost_task;
	TAILQ_ENTRY(host_ns) link;
};

/* A host side. */
/* Words of inet6 that a netdev follows: host_nd6.c. */
#define HOST_ND6_WORDS 5

struct host_if {
	struct iface_host host; /* first: what the core knows */
	struct host_system *hs;
	struct iface *ifp;
	struct loop_fd watch;
	int fd;        /* the TAP; -1 while parked */
	uint32_t caps; /* OFFLOAD_* */
	int ifindex;   /* 0: none yet */
	int nsid;
	bool adopted; /* it was there before, and has no TAP: host_adopt.c */
	bool blind;   /* its namespace takes no requests of ours */
	bool unread;  /* nor questions */
	bool parked;  /* waits until its name is free */
	bool hashed, dirty;
	bool missed; /* events about it may have been lost */
	/* What is known of the netdev. */
	bool nd_up, nd_carrier, nd_noarp;
	uint32_t nd_mtu;
	uint8_t nd_mac[6];
	char nd_name[IFNAMSIZ];
	int accept_ra; /* to be put back when it is no member; -1: nothing */
	int8_t nd6_was[HOST_ND6_WORDS]; /* before anybody said something */
	struct host_dhcp *dhcp;         /* while it is wanted, or NULL */
	uint64_t tx_dropped, refreshed_ns;
	uint32_t first;         /* reads that the next wake-up begins with */
	struct host_move *move; /* on its way, or NULL */
	struct net_wait *wait;  /* of a parked attach */
	LIST_ENTRY(host_if) bucket;
	TAILQ_ENTRY(host_if) link, dirty_link;
};
LIST_HEAD(host_if_bucket, host_if);
TAILQ_HEAD(host_if_list, host_if);

/* A netdev that is being removed; it reserves its name. */
struct host_dying {
	struct job job;
	struct host_system *hs;
	int fd;
	int ns_fd;   /* where it is; -1: home */
	int ifindex; /* 0: unknown, only close */
	uint32_t vnet_id;
	uint32_t from_id; /* it was on its way from there, perhaps it still is
	                   * there; UINT32_MAX: no */
	char name[IFNAMSIZ];
	struct net_wait *wait;
	TAILQ_ENTRY(host_dying) link;
};

/* A frame for the host, until the end of the round. */
struct host_tx {
	struct host_if *h;
	struct frame *f;
	struct iovec iov[2];
	int32_t res;
};

/* Room for one read: a small frame, and a large one for what is longer. */
struct host_slot {
	struct frame_offload hdr;
	struct recv_slot room;
	struct iovec iov[3];
	int32_t res;
};

struct host_system {
	struct loop *loop;
	struct net *net; /* NULL until bound */
	struct jobs *jobs;
	struct iobatch *batch;
	struct rtnl *rtnl; /* home */
	struct rtnl_monitor *monitor;
	struct loop_fd monitor_watch;
	struct loop_hook flush;
	struct host_ns home;
	TAILQ_HEAD(, host_ns) spaces; /* all but home */
	struct host_if_list ifs;
	uint32_t if_count;
	struct host_if_list dirty;
	struct host_if_bucket buckets[HOST_BUCKETS];
	TAILQ_HEAD(, host_dying) dying;
	/* Whose wait was ended by somebody: told by the task. */
	TAILQ_HEAD(, net_wait) told;
	struct loop_task tell_task;
	struct host_tx tx[HOST_TX_MAX];
	uint32_t tx_count;
	TAILQ_HEAD(, host_child) children; /* host_dhcp.c's */
	int dhcp_script;         /* dhcp-script, open; -1: not found */
	const char *dhcp_client; /* this one only; NULL: any */
	struct host_slot slots[HOST_READ_MAX];
	uint8_t
	    *scratch; /* where frames go that have no room; FRAME_LARGE_MAX */
};

struct host_system *host_of(const struct net *net);

/* host_io.c */
void host_io_deliver(
    struct iface_host *host, struct iface *ifp, struct frame_batch *batch);
void host_io_event(struct loop_fd *w, uint32_t revents);
bool host_io_flush(struct loop_hook *hook, uint64_t now_ns);
/* Frames that still wait for @h are dropped. */
void host_io_forget(struct host_if *h);
/* Frames in reserve go back to the pool. */
void host_io_trim(struct host_system *hs, unsigned int keep);

/* host_netdev.c */
int host_attach(void *arg, struct iface *ifp, struct net_wait *w);
/* In @vnet, whatever @ifp's own is. */
int host_attach_in(struct host_system *hs, struct iface *ifp, struct vnet *vnet,
    struct net_wait *w);
int host_detach(void *arg, struct iface *ifp, struct net_wait *w);
int host_move(
    void *arg, struct iface *ifp, struct vnet *vnet, struct net_wait *w);
int host_rename(void *arg, struct iface *ifp, const char *name);
void host_refresh(void *arg, struct iface *ifp);
bool host_name_taken(void *arg, struct vnet *vnet, const char *name);
/* Tells a waiter from the loop; @w may be NULL. */
void host_tell_later(struct host_system *hs, struct net_wait *w, int err);
/* The task that tells waiters. */
void host_tell(struct loop_task *t);
/* Gives a TAP without a host side to the helper thread. */
void host_bury(struct host_system *hs, int fd);
/* The netdev has gone without our doing. */
void host_lost(struct host_if *h);
/* It was moved by somebody else; @ifindex 0: nobody knows where to. */
void host_moved(struct host_if *h, struct host_ns *ns, int nsid, int ifindex);
struct host_if *host_lookup(struct host_system *hs, int nsid, int ifindex);
/* A request on @h's netdev; 0 or -errno. */
int host_set(struct host_if *h, const struct rtnl_change *c);
void host_event(struct host_if *h, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* host_nd6.c */
/* Sets IPv6 as it is said of the interface. */
void host_nd6_follow(struct host_if *h);
/** host_nd6_forget() - its netdev is new, or in another namespace */
void host_nd6_forget(struct host_if *h);

/* host_adopt.c */
int host_netdev_check(void *arg, struct vnet *vnet, const char *name);
int host_netdev_adopt(void *arg, struct iface *ifp);
/* What coax changes goes to an adopted netdev. */
void host_adopted_changed(struct host_if *h, uint32_t what);
/* An adopted netdev has gone: another of its name may come. */
void host_adopted_left(struct host_if *h);
/* A netdev has come, or has been changed; it is none of those that are known.
 */
void host_adopted_seen(
    struct host_system *hs, int nsid, const struct rtnl_link *l);
/* The table of host sides, and their end. */
struct host_if *host_if_new(
    struct host_system *hs, struct iface *ifp, struct vnet *vnet);
void host_if_free(struct host_if *h);
void host_if_place(struct host_if *h, int nsid, int ifindex);
void host_if_unplace(struct host_if *h);

/* host_monitor.c */
/* An adopted netdev as it is, to its interface. */
void host_adopted_sync(struct host_if *h, const struct rtnl_link *l);
int host_monitor_open(struct host_system *hs);
void host_monitor_close(struct host_system *hs);
/* Reads the netdev's state and has coax follow. */
void host_sync(struct host_if *h);
void host_clean(struct host_if *h);

/* host_vnet.c */
int host_vnet_create(void *arg, struct vnet *vnet);
int host_vnet_attach(void *arg, struct vnet *vnet, const char *what,
    const int *fds, uint32_t fd_count);
void host_vnet_destroy(void *arg, struct vnet *vnet, struct net_wait *w);
void host_vnet_get(void *arg, const struct vnet *vnet, struct info *out);
struct host_ns *host_ns_of(const struct vnet *vnet);
struct host_ns *host_ns_by_nsid(struct host_system *hs, int nsid);
/* Its namespace, owned; -ENXIO, -EACCES or -errno. */
int host_ns_open(struct host_ns *ns);
/* A socket in it; host_ns_rtnl_put() ends its use. */
int host_ns_rtnl(struct host_ns *ns, struct rtnl **out);
void host_ns_rtnl_put(struct host_ns *ns, struct rtnl *r);
/* As netns_run(). */
int host_ns_run(struct host_ns *ns, int (*fn)(void *arg), void *arg);
/* Has the core told if the namespace has ended; true if so. */
bool host_ns_check(struct host_ns *ns);
/* A host side is about to leave @vnet (or NULL), or has not come to it: a guest
 * without any ends. */
void host_ns_left(const struct vnet *vnet);
void host_ns_lost(struct host_ns *ns);
void host_ns_free(struct host_ns *ns);

/* host_addr.c */
int host_addr_add(void *arg, struct iface *ifp, const char *addr,
    const char *dst, const char *broadcast);
int host_addr_del(void *arg, struct iface *ifp, const char *addr);
int host_addr_list(void *arg, const struct iface *ifp, struct info *out);

/* Says to a link who has an IPv4 address. */
void host_announce(const struct host_if *h, const uint8_t *addr);

/* host_dhcp.c */
int host_dhcp_check(void *arg, const struct iface *ifp);
int host_dhcp_wait(void *arg, struct iface *ifp, struct net_wait *w);
void host_dhcp_get(void *arg, const struct iface *ifp, struct info *out);
/* Something has changed that it depends on. */
void host_dhcp_follow(struct host_if *h);
/* The host side ends. */
void host_dhcp_end(struct host_if *h);
/* All clients end. */
void host_dhcp_shutdown(struct host_system *hs);

static inline struct host_if *
host_if_of(const struct iface *ifp)
{
	return (struct host_if *)(void *)ifp->host;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnetlink: links, addresses and namespace ids of the kernel, and their
 * changes. Never the ip(8) program.
 *
 * A struct rtnl is one socket, bound to the network namespace in which it was
 * made (and pinning it): requests are synchronous, with the kernel's answer.
 * A struct rtnl_monitor is another, for events.
 *
 * Moving and deleting netdevs blocks for about 17 ms: do that on the helper
 * thread (os/jobs.h) with a struct rtnl of its own.
 *
 * Threads: one at a time for each socket.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTNL_NSID_NONE (-1) /* the socket's own namespace; or: has no id */

struct rtnl;

/* A socket in the calling thread's namespace. 0 or -errno. @out: owned. */
int rtnl_open(struct rtnl **out);

/* A socket in the namespace @nsfd. 0, -EPERM or -errno. @out: owned. */
int rtnl_open_in(int nsfd, struct rtnl **out);

void rtnl_close(struct rtnl *r);

/*
 * The last request's error in words: the kernel's own explanation where there
 * was one, else strerror(). @err is what the request returned. Borrowed until
 * the next request. @r may be NULL.
 */
const char *rtnl_strerror(const struct rtnl *r, int err);

/* --- links --------------------------------------------------------------- */

/* The kernel's rtnl_link_stats64, in its words. */
struct rtnl_stats {
	uint64_t rx_packets;
	uint64_t tx_packets;
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint64_t rx_errors;
	uint64_t tx_errors;
	uint64_t rx_dropped;
	uint64_t tx_dropped; /* for a TAP: what the reader was too slow for */
	uint64_t multicast;
	uint64_t collisions;
};

struct rtnl_link {
	int ifindex;
	char name[IFNAMSIZ];
	char kind[16];   /* "tun", "veth", "bridge" ...; "" for a real card */
	char alias[256]; /* "" if none */
	uint32_t flags; /* IFF_UP, IFF_RUNNING, IFF_LOWER_UP, IFF_PROMISC ... */
	uint16_t type;  /* ARPHRD_ETHER ... */
	uint32_t mtu;
	uint32_t promiscuity; /* how many want it promiscuous */
	uint32_t group;
	uint32_t txqlen;
	uint8_t operstate; /* IF_OPER_* of <linux/if.h>, RFC 2863 */
	bool carrier;
	bool has_mac;
	uint8_t mac[6];
	int master;     /* ifindex, 0: none */
	int peer_index; /* IFLA_LINK: veth's peer, vlan's parent; 0: none */
	int peer_nsid;  /* where that is; RTNL_NSID_NONE: here */
	bool has_stats;
	struct rtnl_stats stats;
};

/**
 * rtnl_link_get() - look a link up by name
 * Return: 0, -ENODEV, -EINVAL (name too long or empty) or -errno.
 */
int rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *out);

/**
 * rtnl_link_get_index() - look a link up by number
 * @nsid: in which namespace; RTNL_NSID_NONE: the socket's own. Needs no
 *        descriptor of that namespace (IFLA_TARGET_NETNSID)
 *
 * Return: 0, -ENODEV, -EINVAL (no such @nsid), -EPERM or -errno.
 */
int rtnl_link_get_index(
    struct rtnl *r, int nsid, int ifindex, struct rtnl_link *out);

/* The number of a name: > 0, -ENODEV or -errno. */
int rtnl_link_index(struct rtnl *r, const char *name);

/**
 * rtnl_link_dump() - call @fn for every link
 * @fn: @link is borrowed; not 0 stops the calls and is returned. It must not
 * use
 *      @r
 *
 * Return: 0, what @fn returned, or -errno. -EINTR: links changed meanwhile and
 * the list may have gaps even after three tries.
 */
int rtnl_link_dump(struct rtnl *r,
    int (*fn)(void *arg, const struct rtnl_link *link), void *arg);

/* Which members of struct rtnl_change count. */
#define RTNL_SET_UP      0x0001u /* up or down, by @up */
#define RTNL_SET_MTU     0x0002u
#define RTNL_SET_MAC     0x0004u
#define RTNL_SET_NAME    0x0008u
#define RTNL_SET_ALIAS   0x0010u /* "" removes it */
#define RTNL_SET_GROUP   0x0020u
#define RTNL_SET_NETNS   0x0040u /* move to @netns_fd, with @name if set */
#define RTNL_SET_PROMISC 0x0080u /* by @promisc */
#define RTNL_SET_ADDRGEN                                                     \
	0x0100u                  /* @addrgen; ignored where there is no IPv6 \
	                          */
#define RTNL_SET_ARP     0x0200u /* @arp_ignore and @arp_announce */
#define RTNL_SET_TXQLEN  0x0400u
#define RTNL_SET_CARRIER 0x0800u /* by @carrier; few kinds can */
#define RTNL_SET_NOARP   0x1000u /* IFF_NOARP by @noarp */

enum rtnl_addrgen { /* IN6_ADDR_GEN_MODE_* */
	RTNL_ADDRGEN_EUI64 = 0,
	RTNL_ADDRGEN_NONE = 1,
	RTNL_ADDRGEN_STABLE_PRIVACY = 2,
	RTNL_ADDRGEN_RANDOM = 3,
};

struct rtnl_change {
	uint32_t what; /* RTNL_SET_* */
	bool up;
	bool promisc;
	bool carrier;
	bool noarp;
	uint32_t mtu;
	uint8_t mac[6];
	char name[IFNAMSIZ];
	const char *alias; /* borrowed; at most 255 bytes */
	uint32_t group;
	uint32_t txqlen;
	int netns_fd;
	enum rtnl_addrgen addrgen;
	uint32_t arp_ignore;   /* 0 to 2, 8 (ip-sysctl) */
	uint32_t arp_announce; /* 0 to 2 */
};

/**
 * rtnl_link_set() - change a link, all in one request
 * @ifindex: > 0
 * @c:       borrowed
 *
 * The kernel applies a request's parts in its own order (namespace, address,
 * MTU, name, protocol settings, flags last) and on error may have applied some.
 * Before Linux 6.2 a link that is up cannot be renamed (-EBUSY).
 * Return: 0, -ENODEV, -EINVAL, -EEXIST (name taken), -EBUSY, -EPERM,
 * -EADDRNOTAVAIL (address not allowed) or -errno.
 */
int rtnl_link_set(struct rtnl *r, int ifindex, const struct rtnl_change *c);

/**
 * rtnl_neigh_set() - how the kernel asks for the addresses of @ifindex's
 * neighbours, by ARP and by IPv6's neighbour discovery
 * @retrans_ms: between two requests
 * @probes:     requests before it gives up
 *
 * Return: 0, -ENODEV or -errno.  A kernel without IPv6 is no error.
 */
int rtnl_neigh_set(
    struct rtnl *r, int ifindex, uint32_t retrans_ms, uint32_t probes);

/* Short forms of rtnl_link_set(). */
int rtnl_link_set_up(struct rtnl *r, int ifindex, bool up);
int rtnl_link_set_mtu(struct rtnl *r, int ifindex, uint32_t mtu);
int rtnl_link_set_mac(struct rtnl *r, int ifindex, const uint8_t mac[6]);
int rtnl_link_set_name(struct rtnl *r, int ifindex, const char *name);
int rtnl_link_set_group(struct rtnl *r, int ifindex, uint32_t group);

/* Moves a link to @nsfd under @name (NULL: its own); it is down afterwards. */
int rtnl_link_move(struct rtnl *r, int ifindex, int nsfd, const char *name);

/* Deletes a link. 0, -ENODEV, -EOPNOTSUPP (a real card), -EPERM or -errno. */
int rtnl_link_del(struct rtnl *r, int ifindex);

/**
 * rtnl_link_del_group() - delete all links of a group in one request
 * @group: not 0, the group that every link is in at first (-EINVAL)
 *
 * Return: 0 (also if there was none), -EOPNOTSUPP (one of them cannot be
 * deleted, so none was), -EPERM or -errno.
 */
int rtnl_link_del_group(struct rtnl *r, uint32_t group);

/* Makes a pair of veth links; @peer_nsfd < 0: in the same namespace. */
int rtnl_veth_add(
    struct rtnl *r, const char *name, const char *peer, int peer_nsfd);

/* Makes a link of a kind that needs no parameters: "bridge", "ifb" ... */
int rtnl_link_add(struct rtnl *r, const char *name, const char *kind);

/* --- addresses ----------------------------------------------------------- */

struct rtnl_addr {
	int ifindex;    /* set by lists and events; ignored elsewhere */
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t prefixlen;
	uint8_t scope; /* RT_SCOPE_*; 0 is universe, right for most */
	uint32_t
	    flags; /* IFA_F_*: PERMANENT, TENTATIVE, NODAD, SECONDARY ... */
	uint8_t addr[16]; /* ours; 4 or 16 bytes, in network order */
	bool has_peer;    /* point-to-point */
	uint8_t peer[16];
	bool has_broadcast; /* AF_INET only */
	uint8_t broadcast[4];
	char label[IFNAMSIZ];
	uint8_t
	    proto; /* IFAPROT_*: who made it; 0: unknown, or an old kernel */
	uint32_t valid_s; /* life times in seconds; 0 on input: for ever */
	uint32_t preferred_s;
};

/**
 * rtnl_addr_add() - give a link an address
 * @a: without has_broadcast an IPv4 address of at most 30 bits gets the
 *     customary one (all host bits set), as BSD's ifconfig does it
 *
 * Return: 0, -EEXIST, -EINVAL, -ENODEV, -EACCES (no IPv6 on the link), -EPERM
 * or -errno.
 */
int rtnl_addr_add(struct rtnl *r, int ifindex, const struct rtnl_addr *a);

/* The same, but one that is there gets other life times. */
int rtnl_addr_put(struct rtnl *r, int ifindex, const struct rtnl_addr *a);

/*
 * Takes it away; family, address and prefixlen (0: any) decide.
 * 0, -EADDRNOTAVAIL, -ENODEV or -errno.
 */
int rtnl_addr_del(struct rtnl *r, int ifindex, const struct rtnl_addr *a);

/**
 * rtnl_addr_list() - call @fn for every address
 * @nsid:    as for rtnl_link_get_index()
 * @ifindex: of this link; 0: of all
 * @family:  AF_INET, AF_INET6; 0: both, IPv4 first
 *
 * @fn as for rtnl_link_dump(). Return: 0, what @fn returned, or -errno.
 */
int rtnl_addr_list(struct rtnl *r, int nsid, int ifindex, int family,
    int (*fn)(void *arg, const struct rtnl_addr *addr), void *arg);

/* --- routes -------------------------------------------------------------- */

/* A default route of IPv4 by way of a link; it ends with the address. */
struct rtnl_route {
	uint8_t gateway[4];
	uint8_t source[4]; /* an address of the link */
	uint32_t metric;
	uint8_t proto; /* RTPROT_* */
};

/* There may be others of the same metric: 0, -EEXIST (this very one),
 * -ENETUNREACH, -ENODEV, -EPERM or -errno. */
int rtnl_route_add(struct rtnl *r, int ifindex, const struct rtnl_route *rt);

/* 0, -ESRCH (there is none) or -errno. */
int rtnl_route_del(struct rtnl *r, int ifindex, const struct rtnl_route *rt);

/**
 * rtnl_route_get() - the link by which the routes lead to an address
 * @family: AF_INET, AF_INET6
 * @addr:   4 or 16 bytes
 *
 * Return: > 0; 0 (it is an address of our own); -ENETUNREACH, -EHOSTUNREACH,
 * -EINVAL (a route that refuses) or -errno.
 */
int rtnl_route_get(struct rtnl *r, int family, const uint8_t *addr);

/* --- traffic control ------------------------------------------------------ */

/* Where a filter stands, and what it does with every frame. */
struct rtnl_redirect {
	bool egress;    /* of what the link sends; else of what it has got */
	int to;         /* another link */
	bool to_egress; /* it sends them; else it is as if it had got them */
	uint32_t priority;
};

/* Gives a link the place that filters stand in (clsact). 0 (also if it has it
 * already: @made tells), -ENOENT or -EOPNOTSUPP (not in this kernel), -errno.
 */
int rtnl_clsact_add(struct rtnl *r, int ifindex, bool *made);
int rtnl_clsact_del(struct rtnl *r, int ifindex);
/* 0, -ENOENT (not in this kernel) or -errno. */
int rtnl_redirect_add(
    struct rtnl *r, int ifindex, const struct rtnl_redirect *rd);
int rtnl_redirect_del(
    struct rtnl *r, int ifindex, const struct rtnl_redirect *rd);

/* --- namespace ids: what namespaces call each other in netlink ------------ */

/* The socket's namespace's id for @nsfd: >= 0, -ENOENT (none yet) or -errno. */
int rtnl_nsid_get(struct rtnl *r, int nsfd);

/* The same, but one is assigned if there is none: >= 0 or -errno. */
int rtnl_nsid_ensure(struct rtnl *r, int nsfd);

/* --- events -------------------------------------------------------------- */

enum rtnl_event_type {
	RTNL_EVENT_LINK_NEW, /* new or changed; no stats */
	RTNL_EVENT_LINK_DEL, /* deleted, or moved away */
	RTNL_EVENT_ADDR_NEW,
	RTNL_EVENT_ADDR_DEL,
	RTNL_EVENT_NSID_DEL, /* namespace @nsid has gone */
	RTNL_EVENT_OVERFLOW, /* events were lost: list everything again */
};

struct rtnl_event {
	enum rtnl_event_type type;
	int nsid; /* RTNL_NSID_NONE: the monitor's own namespace */
	const struct rtnl_link *link; /* LINK_*; borrowed, else NULL */
	const struct rtnl_addr *addr; /* ADDR_*; borrowed, else NULL */
	int new_nsid; /* LINK_DEL by a move: where to, if it has an id */
	int new_ifindex;
};

struct rtnl_monitor;

/**
 * rtnl_monitor_open() - hear of changes of links and addresses
 * @nsfd: namespace to listen in; -1: the calling thread's. Events of all
 *        namespaces that have an id there come too
 * @fn:   called by rtnl_monitor_read(); must not close the monitor
 * @out:  owned; written on success
 *
 * Return: 0, -EPERM or -errno.
 */
int rtnl_monitor_open(int nsfd,
    void (*fn)(void *arg, const struct rtnl_event *ev), void *arg,
    struct rtnl_monitor **out);

void rtnl_monitor_close(struct rtnl_monitor *m);

/* For the loop: read when EPOLLIN or EPOLLERR. Borrowed. */
int rtnl_monitor_fd(const struct rtnl_monitor *m);

/**
 * rtnl_monitor_read() - deliver pending events
 * @budget: most messages to read
 *
 * Return: messages read (0: none pending) or -errno. A lost event is not an
 * error but RTNL_EVENT_OVERFLOW.
 */
int rtnl_monitor_read(struct rtnl_monitor *m, unsigned int budget);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface: what every kind has in common.
 *
 * Theory of operation
 *
 * An interface has two sides.  The wire side is its driver's: an app's
 * descriptor, a peer interface, a ring, a tunnel.  The stack side is whoever
 * uses the interface: a bridge (struct iface_stack) and/or the host (struct
 * iface_host, a Linux netdev of the same name).
 *
 *                 wire                         stack
 *     driver --iface_input()-->  [ iface ]  --> bridge port, or host
 *     driver <--ops->transmit--  [ iface ] <--iface_output()-- bridge port
 *                                          <--iface_host_input()-- the host
 *
 *   - iface_input(): frames that came in from the wire.  Counted, shown to the
 *     capture hook, then given to the stack user, else to the host, else
 *     dropped (DROP_NO_STACK).
 *   - iface_host_input(): frames that the host's stack sent on the netdev.
 *     A bridge port gets them through host_output (facts: "sent on a member
 *     that has an address"), else they go out of the wire.
 *   - iface_output(): out of the wire.  Checked (up, MTU), made to fit
 *     (offload_fit()), shown to capture, given to ops->transmit.
 *   - iface_host_deliver(): to the host's stack.
 *
 * In monitor mode an interface shows what comes in to captures and drops it,
 * and sends nothing, whoever asks (DROP_MONITOR, DROP_MONITOR_OUT).
 *
 * Between the interface and its wire there may be an impairment: net/impair.h.
 * Between it and the host there may be packet filters: pfil/pfil.h.
 *
 * A vether is the exception (IFACE_KIND_HOST_IS_WIRE): its host netdev is its
 * wire, so what the host sends enters by iface_input(), and transmit delivers
 * to the host.
 *
 * A tunnel (IFACE_KIND_TUNNEL) has a host side that takes addresses, and no
 * frame goes between it and the wire: neither what comes in while there is no
 * bridge nor what the host sends (DROP_UNBRIDGED).
 *
 * All of these consume every frame of the batch in every case; the batch's
 * array may be reused by the caller at once.  A frame that goes nowhere is
 * counted by iface_drop() under its reason.
 *
 * While a member's netdev is promiscuous (somebody runs tcpdump on it),
 * iface_input() and iface_output() show it the member's traffic as well, each
 * frame once: not what is for the member's own address or from it, and not
 * what the stack user says that this netdev gets anyway (host_gets).
 *
 * No recursion without bound: a driver whose transmit reaches another
 * interface of the same worker (feth) queues there and calls net_ready();
 * the frames move when the worker's loop calls net_poll().
 *
 * Everything here runs on one worker thread; nothing is locked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/drop.h"
#include "frame/frame.h"

#define IFACE_NAME_MAX   16 /* IFNAMSIZ, with the NUL */
#define IFACE_DESCR_MAX  64
#define IFACE_GROUPS_MAX 8
#define IFACE_UNIT_NONE  UINT32_MAX
#define IFACE_ALIGN      64 /* of struct iface: a cache line */

/* Flags, with the values and names that BSD's ifconfig prints. */
#define IFACE_UP          0x00000001u
#define IFACE_BROADCAST   0x00000002u
#define IFACE_DEBUG       0x00000004u
#define IFACE_LOOPBACK    0x00000008u /* no wire, and no ARP */
#define IFACE_POINTOPOINT 0x00000010u
#define IFACE_RUNNING     0x00000040u
#define IFACE_NOARP       0x00000080u
#define IFACE_PROMISC     0x00000100u
#define IFACE_ALLMULTI    0x00000200u
#define IFACE_SIMPLEX     0x00000800u
#define IFACE_LINK0       0x00001000u
#define IFACE_LINK1       0x00002000u
#define IFACE_LINK2       0x00004000u
#define IFACE_MULTICAST   0x00008000u
#define IFACE_MONITOR     0x00040000u
#define IFACE_LOWER_UP    0x01000000u

/* IPv6 of the host side (struct iface's nd6), likewise. */
#define IFACE_ND6_PERFORMNUD     0x001u /* always */
#define IFACE_ND6_ACCEPT_RTADV   0x002u
#define IFACE_ND6_IFDISABLED     0x008u
#define IFACE_ND6_AUTO_LINKLOCAL 0x020u
#define IFACE_ND6_NO_RADR        0x040u /* no default route of a router's */
#define IFACE_ND6_NO_DAD         0x100u

enum iface_link {
	IFACE_LINK_UNKNOWN, /* the kind reports no link state */
	IFACE_LINK_DOWN,
	IFACE_LINK_UP,
};

/* In the terms of BSD's if_data; frames and bytes since creation.  A frame of
 * n segments counts once: what crossed the interface is what is counted. */
struct iface_counters {
	uint64_t ipackets, ibytes, imcasts;
	uint64_t opackets, obytes, omcasts; /* as the others: one line */
	uint64_t ierrors, iqdrops, oerrors, collisions, noproto;
	uint64_t drops[DROP_COUNT]; /* one per reason; see base/drop.h */
};

/* What changed, for ops->changed, stack->changed and host->changed. */
#define IFACE_CHANGED_FLAGS  0x01u /* IFACE_UP, RUNNING, MONITOR ... */
#define IFACE_CHANGED_LINK   0x02u
#define IFACE_CHANGED_MTU    0x04u
#define IFACE_CHANGED_LLADDR 0x08u
#define IFACE_CHANGED_NAME   0x10u
#define IFACE_CHANGED_CAPS   0x20u
#define IFACE_CHANGED_STACK  0x40u /* joined or left a bridge */
#define IFACE_CHANGED_DESCR  0x80u
#define IFACE_CHANGED_IMPAIR 0x200u
#define IFACE_CHANGED_ND6    0x400u
#define IFACE_CHANGED_OWNER  0x800u
#define IFACE_CHANGED_MACS   0x1000u
#define IFACE_CHANGED_DHCP   0x2000u
/* Only for ops->changed: its vlan children, or their addresses. */
#define IFACE_CHANGED_VLANS 0x100u
/* Likewise: an adopted netdev has gone, or come back. */
#define IFACE_CHANGED_NETDEV 0x2000u

/* Does its host side get an address by DHCP? */
enum iface_dhcp {
	IFACE_DHCP_OFF,
	IFACE_DHCP_ON,
	IFACE_DHCP_SYNC, /* and who asks for it waits for the first lease */
};

struct iface;
struct iface_impair;
struct iface_macs;
struct net;
struct net_user;
struct vnet;
struct info;
struct iface_keyword;
struct iface_tunable;

/* The user of the stack side (a bridge port).  Owned by that user. */
struct iface_stack {
	const char *kind;     /* "bridge" */
	struct iface *master; /* the bridge's interface */
	/* Frames from the wire. Consumes all of @batch. */
	void (*input)(struct iface_stack *s, struct iface *ifp,
	    struct frame_batch *batch);
	/* Frames that the host sent on @ifp. Consumes all. */
	void (*host_output)(struct iface_stack *s, struct iface *ifp,
	    struct frame_batch *batch);
	/* IFACE_CHANGED_* of @ifp happened. */
	void (*changed)(
	    struct iface_stack *s, struct iface *ifp, uint32_t what);
	/* May @ifp's MTU be set to @mtu directly?  0 or -errno; NULL: yes. */
	int (*mtu_check)(
	    struct iface_stack *s, struct iface *ifp, uint32_t mtu);
	/* May the host have an address on @ifp?  0 or -errno; NULL: yes. */
	int (*addr_check)(struct iface_stack *s, struct iface *ifp);
	/* Does the host's netdev of @ifp have @f without being shown it: is it
	 * given it, or has it sent it?  @f is about to come in, or to go @out.
	 * NULL: it has nothing. */
	bool (*host_gets)(struct iface_stack *s, const struct iface *ifp,
	    const struct frame *f, bool out);
	/* @ifp is being destroyed: let go of it now. */
	void (*detach)(struct iface_stack *s, struct iface *ifp);
};

/* The host side: a netdev, made and owned by drv/host (or a test's mock). */
struct iface_host {
	/* Frames for the host's stack. Consumes all. */
	void (*deliver)(
	    struct iface_host *h, struct iface *ifp, struct frame_batch *batch);
	/* IFACE_CHANGED_* of @ifp happened: make the netdev follow. */
	void (*changed)(struct iface_host *h, struct iface *ifp, uint32_t what);
	struct vnet *vnet; /* where the netdev is now */
	bool up;           /* the netdev is up (it takes frames) */
	bool promisc;      /* somebody listens promiscuously: mirror to it */
};

/* The children of an interface, one a VLAN.  Owned by the kind "vlan". */
struct iface_vlans {
	/* A tagged frame came in.  True: a child's, and consumed; it goes on
	 * at the next flush at the latest. */
	bool (*input)(struct iface *parent, struct frame *f);
	/* The end of a batch. */
	void (*flush)(struct iface *parent);
	/* IFACE_CHANGED_* of @parent happened. */
	void (*changed)(struct iface *parent, uint32_t what);
	/* @parent is being destroyed: let go of it now. */
	void (*detach)(struct iface *parent);
	/* The child of the lowest VLAN from *@vid on, and its VLAN; NULL: there
	 * is none. */
	struct iface *(*next)(const struct iface *parent, uint32_t *vid);
	/* The tag that @child puts on what goes out. */
	void (*tag)(const struct iface *child, uint16_t *tpid, uint16_t *tci);
};

/* Who looks on (capture/).  All that is shown is borrowed for the call, and
 * nothing of the net may be changed in it. */
struct iface_capture {
	/* Frames that have come in from the wire, or go @out of it. */
	void (*frames)(struct iface_capture *c, struct iface *ifp,
	    const struct frame_batch *batch, bool out);
	/* The end of what belongs together; once after several frames().  May
	 * be NULL. */
	void (*done)(struct iface_capture *c);
	/* @f is about to be dropped, on its way in or @out; NULL: @n frames
	 * were lost of which there is nothing to show.  May be NULL. */
	void (*dropped)(struct iface_capture *c, struct iface *ifp,
	    const struct frame *f, enum drop_reason why, bool out, uint64_t n);
	/* @ifp is being destroyed: let go of it now. */
	void (*detach)(struct iface_capture *c, struct iface *ifp);
};

#define IFACE_KIND_HOST_IS_WIRE 0x01u /* vether */
#define IFACE_KIND_ETHERNET     0x02u /* may be a bridge member */
#define IFACE_KIND_NO_CLONE     0x04u /* cannot be created by ifconfig */
#define IFACE_KIND_NO_AUTOCONF  0x08u /* bridge: takes no router's advice */
#define IFACE_KIND_VLANS        0x10u /* bridge: may have vlan children */
#define IFACE_KIND_TUNNEL       0x20u /* gif: carries only what is bridged */
#define IFACE_KIND_ADOPTED      0x100u /* ether: a netdev that is there already */
#define IFACE_KIND_USERS        0x80u /* not only administrators make it */
#define IFACE_KIND_NO_ADDRESS   0x40u /* its Ethernet address is not shown */

/* A kind of interface: one row of the driver table.  Pointers may be NULL
 * unless marked (must). */
struct iface_ops {
	const char *kind;  /* "feth"; interface names are kind + unit (must) */
	const char *about; /* one line for `ifconfig -C -v` (must) */
	uint32_t kind_flags;
	uint32_t unit_min, unit_max; /* lowest and highest unit number */
	uint32_t mtu_default, mtu_min, mtu_max;
	uint32_t flags; /* IFACE_* at birth */
	size_t size;    /* sizeof the driver's struct, which begins with
	                 * struct iface (must) */
	/* May @name be an interface of this kind though it is not the kind and
	 * a unit ("feth0.10")?  0: no; 1: yes; -errno: it may, and cannot be.
	 */
	int (*name_match)(
	    struct net *net, const struct vnet *vnet, const char *name);
	/* 0 or -errno; on error nothing remains.  @ifp is filled with name,
	 * unit, defaults; the driver sets mac, caps, link. (must) */
	int (*create)(struct iface *ifp);
	/* Cannot fail; the stack and the host have been detached. (must) */
	void (*destroy)(struct iface *ifp);
	/* Send; consumes every frame in every case; a full queue drops and
	 * counts, never blocks.  Counts what it accepts by iface_count_out().
	 * (must) */
	void (*transmit)(struct iface *ifp, struct frame_batch *batch);
	/* Called by net_poll() after net_ready(): move at most @budget frames.
	 * True if there is more to do. */
	bool (*poll)(struct iface *ifp, uint32_t budget);
	/* Called once at the end of each round after net_flush_later(). */
	void (*flush)(struct iface *ifp);
	/* After a change of flags (up, down) or others: IFACE_CHANGED_*. */
	void (*changed)(struct iface *ifp, uint32_t what);
	/* Before a change: 0 allows it, -errno refuses.  The kind's mtu_min and
	 * mtu_max have been checked already. */
	int (*set_mtu)(struct iface *ifp, uint32_t mtu);
	int (*set_lladdr)(struct iface *ifp, const uint8_t mac[6]);
	/* `host', `-host' of an adopted netdev: may its host use it?  0 or
	 * -errno. */
	int (*set_host)(struct iface *ifp, bool on);
	/* Would a new interface of @ifp's name and surroundings have its
	 * address by itself?  NULL: its kind's come by chance. */
	bool (*lladdr_given)(const struct iface *ifp);
	/* The kind's own part of the print-out (net/info.h). */
	void (*get)(const struct iface *ifp, struct info *out);
	/* ... and where it stands there; NULL: under the kind's name. */
	const char *info_name;
	/* The kind's own ifconfig words, ended by a row with a NULL name. */
	const struct iface_keyword *keywords;
	/* The kind's sysctls (net/tunable.h), ended by a row with a NULL name.
	 */
	const struct iface_tunable *tunables;
	/* Two letters: interfaces of the kind are born and end in pairs of one
	 * unit, whose names end in one of them each ("ab": epair0a, epair0b).
	 * create runs for the first and then, with ifp->twin set, for the
	 * second.  NULL: they are not. */
	const char *twins;
	/* The medium that is shown until one is selected; NULL: autoselect. */
	const char *media;
};

TAILQ_HEAD(iface_list, iface);

/* What a radio would be told; "" if nothing was. */
struct iface_wlan {
	char wlanmode[12], ssid[33], mode[12], channel[16];
};

struct iface {
	/* What every batch touches: two cache lines. */
	_Alignas(IFACE_ALIGN) const struct iface_ops *ops;
	struct net *net;
	uint32_t flags;
	uint32_t mtu;
	/* OFFLOAD_* that is handed to transmit: what the driver takes, without
	 * what is masked. */
	uint32_t caps;
	bool dying;
	bool ready;       /* on the net's ready list */
	bool flush_later; /* on the net's flush list */
	bool born;        /* create has succeeded: changes are told */
	bool sending;     /* inside iface_host_input(): drops are outbound */
	struct iface_stack *stack;
	struct iface_host *host;
	/* Hooks of later layers; NULL when unused (no cost). */
	struct iface_capture *capture;
	struct iface_vlans *vlans;
	struct iface_impair *impair; /* net/impair.h */
	struct iface_macs *macs;     /* net/macs.h */
	TAILQ_ENTRY(iface) ready_link;
	struct iface_counters count;
	/* The rest. */
	char name[IFACE_NAME_MAX];
	uint32_t unit;  /* IFACE_UNIT_NONE: its name has none */
	uint32_t index; /* unique in the daemon, never reused while it runs */
	struct vnet *vnet;     /* where it was created; owns the name */
	uint32_t uid, gid;     /* whose it is (net/actor.h); or NET_ID_NONE */
	struct net_user *user; /* for whom it counts, or NULL */
	uint8_t mac[6];
	enum iface_link link;
	uint32_t caps_taken; /* ... that transmit takes */
	uint32_t caps_off;   /* ... that is masked: all of the next two */
	uint32_t caps_off_bridge, caps_off_user;
	uint32_t caps_in; /* OFFLOAD_* that the wire brings, where the kind
	                   * says so: shown */
	uint64_t created_ns;
	uint64_t link_changed_ns;
	struct iface *parent; /* whose child it is (vlan), or NULL */
	struct iface *twin;   /* born with it (ops->twins), or NULL */
	char twin_letter;     /* which of ops->twins it is, or 0 */
	char descr[IFACE_DESCR_MAX];
	char media[16]; /* "" or the selected media word */
	struct iface_wlan wlan;
	uint8_t dhcp;      /* enum iface_dhcp */
	uint32_t nd6;      /* IFACE_ND6_* */
	uint32_t nd6_said; /* ... that somebody has set or cleared */
	char groups[IFACE_GROUPS_MAX][IFACE_NAME_MAX];
	uint32_t group_count;
	bool host_taken; /* an adopted netdev: its host may not use it */
	bool transient;  /* ends with its program: not to be configured again */
	bool changing;   /* inside ops->changed: what it changes is told */
	uint32_t changed; /* ... together with the rest: IFACE_CHANGED_* */
	uint64_t drops_told_ns[DROP_COUNT]; /* last NET_EVENT_DROPS of each */
	TAILQ_ENTRY(iface) all_link, flush_link;
	LIST_ENTRY(iface) name_link;   /* net->names */
	LIST_ENTRY(iface) unit_link;   /* net->units, if it has one */
	LIST_ENTRY(iface) index_link;  /* net->indexes */
	LIST_ENTRY(iface) lladdr_link; /* net->lladdrs, when it is born */
};

/** iface_input() - frames from the wire; consumes all of @batch */
void iface_input(struct iface *ifp, struct frame_batch *batch);
/** iface_input_now() - the same, behind the impairment of the wire */
void iface_input_now(struct iface *ifp, struct frame_batch *batch);
/** iface_host_input() - frames that the host sent on @ifp; consumes all */
void iface_host_input(struct iface *ifp, struct frame_batch *batch);
/** iface_host_input_now() - the same, behind packet filters */
void iface_host_input_now(struct iface *ifp, struct frame_batch *batch);
/** iface_output() - send out of the wire; consumes all of @batch */
void iface_output(struct iface *ifp, struct frame_batch *batch);
/** iface_host_deliver() - to the host's stack; consumes all of @batch.
 * Without a host, or with its netdev down: DROP_HOST_DOWN. */
void iface_host_deliver(struct iface *ifp, struct frame_batch *batch);
/** iface_host_deliver_now() - the same, behind packet filters */
void iface_host_deliver_now(struct iface *ifp, struct frame_batch *batch);

/** iface_shown() - does somebody listen promiscuously on the host's netdev,
 * who sees only what reaches it? */
static inline bool
iface_shown(const struct iface *ifp)
{
	return ifp->host != NULL && ifp->host->promisc && ifp->host->up &&
	       (ifp->ops->kind_flags & IFACE_KIND_HOST_IS_WIRE) == 0;
}
/** iface_captured_done() - the end of what was shown, if anybody looks on */
static inline void
iface_captured_done(struct iface *ifp)
{
	if (__builtin_expect(ifp->capture != NULL, 0) &&
	    ifp->capture->done != NULL)
		ifp->capture->done(ifp->capture);
}
/** iface_captured() - show a batch to those who look on, of whom there are */
static inline void
iface_captured(struct iface *ifp, const struct frame_batch *batch, bool out)
{
	ifp->capture->frames(ifp->capture, ifp, batch, out);
	iface_captured_done(ifp);
}
/** iface_show() - show such a listener a frame of a vlan child; consumes a
 * claim on @f.  It has a tag, so the host's stack does not take it. */
void iface_show(struct iface *ifp, struct frame *f);

/** iface_drop() - count one frame under @why and release it; consumes @f */
void iface_drop(struct iface *ifp, struct frame *f, enum drop_reason why);
/** iface_drop_batch() - the same for a whole batch */
void iface_drop_batch(
    struct iface *ifp, struct frame_batch *batch, enum drop_reason why);
/** iface_count_drop() - count @n drops of frames that do not exist (any more)
 */
void iface_count_drop(struct iface *ifp, enum drop_reason why, uint64_t n);
/** iface_count_out() - count a frame that the driver accepted for sending */
void iface_count_out(struct iface *ifp, const struct frame *f);
/** iface_count_out_all() - the same for several */
void iface_count_out_all(
    struct iface *ifp, struct frame *const *frames, uint32_t count);

/** iface_running() - up, and its driver ready to move frames */
static inline bool
iface_running(const struct iface *ifp)
{
	return (ifp->flags & (IFACE_UP | IFACE_RUNNING)) ==
	       (IFACE_UP | IFACE_RUNNING);
}

/** iface_prefetch() - a batch for @ifp comes soon */
static inline void
iface_prefetch(const struct iface *ifp)
{
	__builtin_prefetch(ifp);
	__builtin_prefetch((const char *)ifp + IFACE_ALIGN);
}

/* Changes.  Each returns 0 or -errno with nothing changed, tells ops, stack
 * and host (changed), and emits an event.  @cause of the net (net_set_cause())
 * says who did it. */
int iface_set_flags(struct iface *ifp, uint32_t set, uint32_t clear);
int iface_set_mtu(struct iface *ifp, uint32_t mtu); /* -EINVAL, stack's */
/** iface_set_nd6() - IFACE_ND6_* of the host side, present or later. 0 */
int iface_set_nd6(struct iface *ifp, uint32_t set, uint32_t clear);
/**
 * iface_set_dhcp() - addresses of the host side by DHCP, as long as it is there
 * and up
 * @mode: enum iface_dhcp; anything but IFACE_DHCP_OFF brings @ifp up
 *
 * Return: 0; -EADDRNOTAVAIL, -EOPNOTSUPP or what the system says (no host side,
 * nobody who could do it), with a message and nothing changed.
 */
int iface_set_dhcp(struct iface *ifp, uint32_t mode);
/** iface_restore_nd6() - as it was once, also that nobody had said anything */
void iface_restore_nd6(struct iface *ifp, uint32_t nd6, uint32_t said);
int iface_set_lladdr(
    struct iface *ifp, const uint8_t mac[6]);              /* -EINVAL: group */
int iface_set_descr(struct iface *ifp, const char *descr); /* -ENAMETOOLONG */
/* -EINVAL (empty, too long, ends in a digit), -EEXIST, -ENOMEM (full) */
int iface_group_add(struct iface *ifp, const char *group);
int iface_group_del(struct iface *ifp, const char *group); /* -ENOENT */
/** iface_group_has() - is @ifp in @group?  Every interface is in "all". */
bool iface_group_has(const struct iface *ifp, const char *group);
/** iface_set_caps() - called by the driver: OFFLOAD_* that transmit takes */
void iface_set_caps(struct iface *ifp, uint32_t caps);
/** iface_mask_caps() - the OFFLOAD_* that @ifp is not to use, as its bridge has
 * it; 0: all it has */
void iface_mask_caps(struct iface *ifp, uint32_t off);
/** iface_switch_caps() - the same, as somebody has said: @caps on, or off */
void iface_switch_caps(struct iface *ifp, uint32_t caps, bool on);
/** iface_set_mtu_forced() - for a bridge that imposes its MTU on a member:
 * as iface_set_mtu() without asking the stack user */
int iface_set_mtu_forced(struct iface *ifp, uint32_t mtu);
/** iface_changed() - tell everybody of a change that no function below makes */
void iface_changed(struct iface *ifp, uint32_t what);
/** iface_set_link() - called by the driver; no-op when unchanged */
void iface_set_link(struct iface *ifp, enum iface_link link);
/** iface_set_running() - called by the driver */
void iface_set_running(struct iface *ifp, bool running);

/** iface_vlans_changed() - called by the kind "vlan": tells @parent's driver
 * that a child came, went or has another address */
void iface_vlans_changed(struct iface *parent);

/** iface_stack_attach() - a bridge takes the stack side. -EBUSY if taken */
int iface_stack_attach(struct iface *ifp, struct iface_stack *stack);
void iface_stack_detach(struct iface *ifp);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The insides of a bridge, shared by the files of bridge/ and its tests.
 *
 * Theory of operation
 *
 * A struct bridge is an interface (its stack side is the host's port on the
 * bridge) with two lists of ports: members and span ports, newest first, which
 * is also the order of flooding.  A port takes the stack side of its interface.
 *
 * A batch goes through in two passes: the first parses all frames and
 * prefetches what they will look up, the second decides frame by frame and puts
 * each into the outlet of its port.  At the end each outlet that got something
 * is handed over once.  A flood puts one frame into many outlets, each holding
 * a reader's claim: nothing is copied.  Frames of a batch that are flooded one
 * after the other are put into the outlets together, port by port.
 *
 * An outlet leads to the wire of an interface or to its host.  Between batches
 * all outlets are empty.
 *
 * Own addresses (I9 in forward.c) stand in a small hash table of bridge, its
 * vlan children and members, so the look-up does not depend on how many there
 * are.  It is filled anew at the next batch after a change.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/timerheap.h"
#include "base/vlanset.h"
#include "bridge/bridge.h"
#include "bridge/fdb.h"
#include "frame/frame.h"
#include "frame/offload.h"
#include "net/iface.h"
#include "net/keyword.h"
#include "net/net.h"
#include "pfil/pfil.h"
#include "stp/stp.h"

#define BRIDGE_SPEED_BPS 10000000000u /* of a virtual member */

/* What spanning tree says of a port; FreeBSD's numbers.  Without it a port is
 * forwarding for ever. */
enum bridge_stp_state {
	BRIDGE_STP_LEARNING = 2,
	BRIDGE_STP_FORWARDING = 3,
	BRIDGE_STP_DISCARDING = 5,
};

struct outlet {
	struct iface *ifp;
	bool to_host;
	bool pending; /* on the bridge's list of outlets with frames */
	SLIST_ENTRY(outlet) link;
	struct frame_batch batch;
};
SLIST_HEAD(outlet_list, outlet);

/* A limit of frames a second, guard.c. */
struct bridge_storm_state {
	struct ratelimit limit; /* burst 0: none */
	bool raging;            /* it was told that it is exceeded */
};

struct bridge_storm_info {
	const char *name; /* as the word has it */
	const char *many; /* "broadcasts" */
	enum drop_reason why;
};
extern const struct bridge_storm_info bridge_storms[BRIDGE_STORMS];

struct flap; /* guard.c */

/* In its order: what every batch, and then what every frame touches. */
struct bridge_port {
	_Alignas(IFACE_ALIGN) struct iface *ifp;
	uint32_t flags;  /* BRIDGE_* */
	uint32_t number; /* from 1; 0: a span port */
	enum bridge_stp_state state;
	uint16_t pvid;       /* VLAN of untagged frames; 0: none */
	uint16_t vlan_proto; /* type of the tags that it sends */
	TAILQ_ENTRY(bridge_port) link;
	uint32_t group_fwd; /* enum bridge_group_fwd, two bits a group */
	bool wire_host; /* no local delivery: the host is its wire (vether), or
	                 * it has no address (a tunnel) */
	bool tunnel;
	struct bridge *bridge;
	struct outlet wire;
	struct iface_stack stack;
	struct outlet host;
	/* Spanning tree, stp.c: settings, and what it was told of the link. */
	uint8_t stp_priority;
	bool ptp_said; /* PTP is as set by hand, whatever AUTOPTP */
	bool stp_link;
	uint32_t stp_cost;      /* 0: by speed */
	uint32_t stp_guards;    /* STP_GUARD_* */
	struct vlan_set tagged; /* VLANs that enter and leave tagged */
	struct bridge_storm_state storms[BRIDGE_STORMS];
};
TAILQ_HEAD(bridge_ports, bridge_port);

/* An address of the bridge, a vlan child of it, or a member. */
struct own_address {
	uint64_t mac;
	struct bridge_port *port; /* NULL: the bridge itself */
	uint32_t rank;            /* 1 + place in the order of I9; 0: free */
	uint32_t vid; /* in this VLAN of the bridge only; 0: in all */
};

/* A frame on its way to all ports. */
struct flooded {
	struct frame *frame;
	uint32_t heard; /* how many hosts have got it */
	bool unknown;   /* only to ports with DISCOVER */
};

struct bridge {
	struct iface ifp;
	struct bridge_ports members, spans;
	uint32_t member_count;
	struct bridge_port **ports; /* by number; NULL where free */
	uint32_t ports_size;
	struct fdb fdb;
	uint32_t vlan_flags; /* BRIDGE_VLANFILTER, BRIDGE_DEFQINQ */
	uint32_t defuntagged;
	bool vlan_work; /* something about VLANs is configured */
	struct outlet_list pending;
	struct outlet host;
	struct flooded
	    flooded[FRAME_BATCH_MAX]; /* while a batch goes through */
	struct own_address *own;
	uint64_t *own_bits;      /* by hash: somebody has it */
	uint32_t own_mask;       /* entries - 1 */
	uint32_t own_bits_shift; /* of the hash */
	bool own_stale;
	/* What goes out now was sent by the host: on this port's netdev, or
	 * (NULL) on the bridge's. */
	bool from_host;
	const struct bridge_port *host_port;
	bool was_up;
	uint8_t generated_mac[6];
	struct iface *inherited; /* whose address it has (inherit_mac) */
	struct timer age_timer;
	uint32_t armed_s;   /* when age_timer runs, or FDB_NEVER */
	uint32_t swept_s;   /* when the last sweep ended */
	struct flap *flaps; /* addresses that move, guard.c; NULL: not damped */
	uint32_t flap_max;  /* moves a second */
	uint32_t flap_hold_s;
	struct ratelimit flap_told;
	struct ratelimit flap_limit, learned_limit, stp_limit;
	/* Spanning tree, stp.c. */
	struct stp *stp;
	struct timer stp_timer;
	bool stp_busy;        /* its effects are being done */
	bool stp_links_stale; /* a member's link changed meanwhile */
};

static inline struct bridge *
bridge_of(struct iface *ifp)
{
	return (struct bridge *)(void *)ifp;
}

static inline const struct bridge *
bridge_of_const(const struct iface *ifp)
{
	return (const struct bridge *)(const void *)ifp;
}

/* The vnet whose sysctls hold for it: where its host side is, as in BSD. */
static inline const struct vnet *
bridge_vnet(const struct bridge *br)
{
	return net_host_vnet(&br->ifp);
}

/* The same, of any interface. */
static inline struct vnet *
host_vnet(const struct iface *ifp)
{
	return ifp->host != NULL ? ifp->host->vnet : ifp->vnet;
}

static inline uint32_t
bridge_now_s(const struct bridge *br)
{
	return (uint32_t)(br->ifp.net->now_ns / 1000000000u);
}

/* guard.c */
bool bridge_storm_allows_slow(struct bridge_port *in, enum bridge_storm which);
/* May one more frame be flooded? */
static inline bool
bridge_storm_allows(struct bridge_port *in, enum bridge_storm which)
{
	return __builtin_expect(in->storms[which].limit.burst == 0, 1) ||
	       bridge_storm_allows_slow(in, which);
}
/* May the address of @key, known on @from, have come in on @to? */
bool bridge_flap_allows(struct bridge *br, uint64_t key, uint32_t from,
    uint32_t to, uint32_t now_s);
/* A port goes: nothing is held there. */
void bridge_flaps_forget(struct bridge *br, uint32_t port);
/* For a copy of a bridge: its own table. 0 or -ENOMEM */
int bridge_flaps_copy(struct bridge *br);

/* filter.c */
/* Places of packet filters; its table says what they are. */
enum bridge_stage {
	BRIDGE_MEMBER_IN,
	BRIDGE_BRIDGE_IN,
	BRIDGE_KNOWN_ETHER,
	BRIDGE_KNOWN_BRIDGE,
	BRIDGE_FLOOD_BRIDGE,
	BRIDGE_FLOOD_ETHER,
	BRIDGE_MEMBER_OUT,
	BRIDGE_LOCAL,
	BRIDGE_STAGES
};
struct bridge_filter {
	struct bridge *br;
	struct bridge_port *in;  /* that it came in by */
	struct bridge_port *out; /* that it goes to; NULL: to none of them */
	uint32_t vid;
	uint32_t to; /* without @out: where the host has it */
};
/* What a filter that held a frame gives it back to; forward.c. */
extern const struct pfil_point bridge_point;
/* Is any of the places switched on? */
bool bridge_filter_wanted(const struct vnet *vnet);
/* Is it a place on the way out of one port? */
bool bridge_stage_goes_out(enum bridge_stage stage);
/* From place @from to the end of that way; @again: from where a hook held it.
 * Consumes @f.  Return: the frame that goes on, or NULL. */
struct frame *bridge_filter(const struct bridge_filter *w, struct frame *f,
    enum bridge_stage from, const struct pfil_where *again);
/* Behind the last place: must @f be cut to go out of @out? */
bool bridge_filter_too_long(
    const struct bridge_port *out, const struct frame *f);
/* Then this cuts it: @emit gets the pieces, @lost what must not be cut.
 * Consumes @f. */
void bridge_filter_cut(const struct bridge_port *out, struct frame *f,
    offload_emit_fn *emit, offload_drop_fn *lost, void *arg);

/* hostaddr.c */
/* Has the host given @ifp an address? */
bool hostaddr_any(const struct iface *ifp);
/* @joins is about to become a member: net.link.bridge.allow_llz_overlap. */
void hostaddr_no_overlap(struct bridge *br, struct iface *joins);

/* own.c */
/* Makes room for the addresses that there are, and one more member's.  0 or
 * -ENOMEM (those of vlan children may then be missing). */
int own_reserve(struct bridge *br);
/* Fills the table of own addresses anew, in the order of I9. */
void own_fill(struct bridge *br);

/* Not seeded: only the operator's addresses are in the table. */
static inline uint64_t
own_hash(uint64_t mac)
{
	return mac * 0x9e3779b97f4a7c15u;
}

static inline uint32_t
own_slot(const struct bridge *br, uint64_t mac)
{
	return (uint32_t)(own_hash(mac) >> 32) & br->own_mask;
}

/* May @mac be in the table?  Nearly always, this is all that is asked. */
static inline bool
own_perhaps(const struct bridge *br, uint64_t mac)
{
	uint64_t bit = own_hash(mac) >> br->own_bits_shift;

	return (br->own_bits[bit / 64] >> bit % 64 & 1) != 0;
}

/* bridge.c */
void bridge_link_update(struct bridge *br);
/* Sets the ageing timer if something expires before it runs. */
void bridge_age_arm(struct bridge *br);
void bridge_event(struct bridge *br, enum net_event_type type, uint64_t key,
    struct iface *port, const char *text, uint64_t value);

/* member.c */
struct bridge_port *bridge_member(
    const struct bridge *br, const struct iface *ifp);
struct bridge_port *bridge_span(
    const struct bridge *br, const struct iface *ifp);
void bridge_remove_all(struct bridge *br);
/* After a change of members or of what they can: net.link.bridge.capmask. */
void bridge_caps_update(struct bridge *br);
int bridge_set_mtu(struct iface *ifp, uint32_t mtu);

/* vlan.c */
/* A new port gets the bridge's defaults. */
void bridge_vlan_join(struct bridge_port *p);
/* After a change: is there anything to do about VLANs? */
void bridge_vlan_update(struct bridge *br);

/* stp.c */
/* 0 or -ENOMEM */
int bridge_stp_init(struct bridge *br);
void bridge_stp_fini(struct bridge *br);
/* The bridge has another address. */
void bridge_stp_lladdr(struct bridge *br);
/* The bridge went up or down, and all members' links with it. */
void bridge_stp_links(struct bridge *br);
/* Perhaps the member has another link: its flags or its carrier changed. */
void bridge_stp_link(struct bridge_port *p);
void bridge_stp_join(struct bridge_port *p);
void bridge_stp_leave(struct bridge_port *p);
/* Member flags, those of spanning tree among them: 0, -EINVAL, -ENOMEM. */
int bridge_stp_set_flags(struct bridge_port *p, uint32_t set, uint32_t clear);
struct bridge_guard_name {
	uint32_t guard; /* STP_GUARD_* */
	const char *name;
};
/* Ends with a NULL name. */
extern const struct bridge_guard_name bridge_guard_names[];
/* A frame to the bridges' group came in, and all before it have left.  @vid:
 * of its tag, 0: none.  Consumes @f. */
void bridge_stp_input(struct bridge_port *in, struct frame *f, uint32_t vid);

/* forward.c */
void bridge_port_input(
    struct iface_stack *s, struct iface *ifp, struct frame_batch *batch);
void bridge_port_host_output(
    struct iface_stack *s, struct iface *ifp, struct frame_batch *batch);
void bridge_span_input(
    struct iface_stack *s, struct iface *ifp, struct frame_batch *batch);
void bridge_transmit(struct iface *ifp, struct frame_batch *batch);
bool bridge_port_host_gets(struct iface_stack *s, const struct iface *ifp,
    const struct frame *f, bool out);
bool bridge_span_host_gets(struct iface_stack *s, const struct iface *ifp,
    const struct frame *f, bool out);

/* trace.c: steps that a tracer is told of.  Keys as in fdb.h. */
enum flood_skip {
	FLOOD_TAKES,
	FLOOD_SOURCE, /* it came in there */
	FLOOD_PRIVATE,
	FLOOD_STP,
	FLOOD_DISCOVER,
	FLOOD_DOWN,
	FLOOD_VLAN,
	FLOOD_GROUP, /* a reserved group that the port does not forward */
};
/* @in NULL: from the host, on the bridge. */
void trace_vlan(const struct bridge *br, const struct bridge_port *in,
    const struct frame *f, uint32_t vid);
/* A source is about to be learned, if @in learns; has been: fdb_learn()'s
 * result. */
void trace_learning(const struct bridge_port *in, uint64_t key);
void trace_learned(
    const struct bridge_port *in, uint64_t key, int result, uint32_t old_port);
/* @out NULL: it is not known. */
void trace_known(
    const struct bridge *br, uint64_t key, const struct bridge_port *out);
void trace_group(const struct bridge *br, uint64_t key, bool reserved);
void trace_skip(const struct bridge_port *p, enum flood_skip why);
/* The host's own address, of @p or (NULL) the bridge, as @destination or as
 * source. */
void trace_own(const struct bridge *br, uint64_t key,
    const struct bridge_port *p, bool destination);

/* keywords.c, get.c */
extern const char *const bridge_group_names[];
extern const struct iface_keyword bridge_keywords[];
void bridge_get(const struct iface *ifp, struct info *out);
void bridge_get_addresses(const struct iface *ifp, struct info *out);
void bridge_get_static_addresses(const struct iface *ifp, struct info *out);

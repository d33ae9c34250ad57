/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kind "bridge": a learning switch, as FreeBSD's if_bridge(4).
 *
 * What others need of it: the row for the table of kinds, the members of a
 * bridge by function (what ifconfig's words do), the tunables.  The rest is in
 * bridge_impl.h, which only bridge/ and its tests include.
 *
 * The shell gives net->timers for ageing (a bridge sets one timer, and only
 * while something can expire) and net->identity for bridges' addresses.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/iface.h"

struct info;
struct net;
struct stp;
struct vlan_set;
struct vnet;

extern const struct iface_ops bridge_ops;

/* Flags of members, with the values and names that BSD's ifconfig prints. */
#define BRIDGE_LEARNING 0x0001u
#define BRIDGE_DISCOVER 0x0002u
#define BRIDGE_STP      0x0004u
#define BRIDGE_SPAN     0x0008u
#define BRIDGE_STICKY   0x0010u
#define BRIDGE_EDGE     0x0020u
#define BRIDGE_AUTOEDGE 0x0040u
#define BRIDGE_PTP      0x0080u
#define BRIDGE_AUTOPTP  0x0100u
#define BRIDGE_ADMEDGE  0x0200u /* shown only, as the next; without names */
#define BRIDGE_ADMCOST  0x0400u
#define BRIDGE_PRIVATE  0x0800u
#define BRIDGE_QINQ     0x1000u
/* Never shown: of a copy that is traced (trace.h). */
#define BRIDGE_TRACED 0x80000000u

/* Flags of the bridge itself. */
#define BRIDGE_VLANFILTER 0x1u
#define BRIDGE_DEFQINQ    0x2u

#define BRIDGE_MEMBER_DEFAULT \
	(BRIDGE_LEARNING | BRIDGE_DISCOVER | BRIDGE_AUTOEDGE | BRIDGE_AUTOPTP)

#define BRIDGE_MEMBERS_MAX 4095 /* a port number has 12 bits (802.1D 9.2.7) */

/* The sysctls net.link.bridge.*: one value a vnet. */
enum bridge_tunable {
	BRIDGE_INHERIT_MAC,
	BRIDGE_LOG_MAC_FLAP,
	BRIDGE_LOG_STP,
	BRIDGE_MEMBER_IFADDRS,
	BRIDGE_MTU_EXACT,
	BRIDGE_CAPMASK,
	BRIDGE_ALLOW_LLZ_OVERLAP,
	/* Where a packet filter looks; without one, nothing comes of them. */
	BRIDGE_PFIL_ONLYIP,
	BRIDGE_PFIL_MEMBER,
	BRIDGE_PFIL_BRIDGE,
	BRIDGE_PFIL_LOCAL_PHYS,
	BRIDGE_IPFW, /* set to 1, it sets the first three to 0 */
	BRIDGE_IPFW_ARP,
	BRIDGE_TUNABLE_COUNT
};

struct bridge_tunable_info {
	const char *name; /* "inherit_mac" */
	const char *about;
	uint32_t preset; /* its value at first */
	uint32_t max;    /* 0 to max */
};

/** bridge_tunable_info() - the row of a tunable; static storage */
const struct bridge_tunable_info *bridge_tunable_info(enum bridge_tunable t);
uint32_t bridge_tunable_get(const struct vnet *vnet, enum bridge_tunable t);
/** bridge_tunable_set() - 0, or -EINVAL (more than max) */
int bridge_tunable_set(
    struct vnet *vnet, enum bridge_tunable t, uint32_t value);

/* What a port does with a group of 01:80:c2:00:00:00 to :0f, which a bridge
 * does not forward. */
#define BRIDGE_GROUPS 16u
enum bridge_group_fwd {
	BRIDGE_GROUP_PEER,    /* spanning tree's, or the host's */
	BRIDGE_GROUP_DROP,    /* nobody's */
	BRIDGE_GROUP_FORWARD, /* an ordinary group's, among ports that say so */
};

/* What a port floods, as far as it can be limited. */
enum bridge_storm {
	BRIDGE_STORM_BROADCAST,
	BRIDGE_STORM_MULTICAST,
	BRIDGE_STORM_UNKNOWN,
	BRIDGE_STORMS
};

#define BRIDGE_FLAP_HOLD_S 10u /* of `flapdamp' without hold */

enum bridge_vlan_op {
	BRIDGE_VLAN_SET,
	BRIDGE_VLAN_ADD,
	BRIDGE_VLAN_DELETE,
};

/** bridge_is() - is it of this kind? */
static inline bool
bridge_is(const struct iface *ifp)
{
	return ifp->ops == &bridge_ops;
}

/**
 * bridge_add() - a new member, as `addm`
 *
 * Return: 0; -EINVAL (a bridge, a kind that cannot be a member, an MTU that
 * cannot be made equal, addresses where member_ifaddrs is 0), -EBUSY (a span
 * port, or in another bridge), -EEXIST, -ENOSPC (BRIDGE_MEMBERS_MAX) or
 * -ENOMEM.
 */
int bridge_add(struct iface *bridge, struct iface *ifp);
/** bridge_delete() - `deletem`. 0 or -ENOENT */
int bridge_delete(struct iface *bridge, struct iface *ifp);
/**
 * bridge_span_add() - `span`
 *
 * Return: 0; -EINVAL (kind), -EBUSY (span port already, or taken by another
 * bridge), -EEXIST (a member), -ENOMEM.
 */
int bridge_span_add(struct iface *bridge, struct iface *ifp);
/** bridge_span_delete() - `-span`. 0 or -ENOENT */
int bridge_span_delete(struct iface *bridge, struct iface *ifp);
/** bridge_set_member_flags() - 0, -ENOENT; for BRIDGE_STP also -EINVAL (the
 * kind cannot) and -ENOMEM */
int bridge_set_member_flags(
    struct iface *bridge, struct iface *ifp, uint32_t set, uint32_t clear);

/* VLANs; vlan_rules.h has the rules. */
/** bridge_set_untagged() - `ifuntagged'; 0: none. 0, -ENOENT or -EINVAL */
int bridge_set_untagged(struct iface *bridge, struct iface *ifp, uint32_t vid);
/** bridge_set_tagged() - `iftagged'. 0, -ENOENT or -EINVAL (0 or 4095 in it) */
int bridge_set_tagged(struct iface *bridge, struct iface *ifp,
    const struct vlan_set *set, enum bridge_vlan_op op);
/** bridge_set_vlan_proto() - `ifvlanproto': 0x8100 or 0x88a8. 0, -ENOENT or
 * -EINVAL */
int bridge_set_vlan_proto(
    struct iface *bridge, struct iface *ifp, uint16_t tpid);
/** bridge_set_vlan_flags() - BRIDGE_VLANFILTER, BRIDGE_DEFQINQ */
void bridge_set_vlan_flags(struct iface *bridge, uint32_t set, uint32_t clear);
/** bridge_set_defuntagged() - of members added later; 0: none. 0 or -EINVAL */
int bridge_set_defuntagged(struct iface *bridge, uint32_t vid);
/** bridge_set_group_fwd() - `group-fwd'. 0, -ENOENT or -EINVAL */
int bridge_set_group_fwd(struct iface *bridge, struct iface *ifp,
    uint32_t group, enum bridge_group_fwd what);

/* Spanning tree; stp.c.  Settings of the bridge: */
enum bridge_param {
	BRIDGE_PARAM_PRIORITY,   /* 0 to 61440, rounded down to 4096 */
	BRIDGE_PARAM_HELLO,      /* seconds, 1 or 2; only while proto is stp */
	BRIDGE_PARAM_FWD_DELAY,  /* seconds, 4 to 30 */
	BRIDGE_PARAM_MAX_AGE,    /* seconds, 6 to 40 */
	BRIDGE_PARAM_HOLD_COUNT, /* 1 to 10 */
	BRIDGE_PARAM_PROTO,      /* enum stp_version */
};
/** bridge_set_param() - 0, -EINVAL (range) or -EPERM (hello, in rstp) */
int bridge_set_param(
    struct iface *bridge, enum bridge_param what, uint32_t value);
/** bridge_set_if_priority() - `ifpriority'. 0, -ENOENT or -EINVAL */
int bridge_set_if_priority(
    struct iface *bridge, struct iface *ifp, uint32_t priority);
/** bridge_set_if_cost() - `ifpathcost'; 0: by speed. 0, -ENOENT or -EINVAL */
int bridge_set_if_cost(struct iface *bridge, struct iface *ifp, uint32_t cost);
/** bridge_set_guards() - STP_GUARD_*. 0, -ENOENT or -EINVAL (contradiction) */
int bridge_set_guards(
    struct iface *bridge, struct iface *ifp, uint32_t set, uint32_t clear);
/** bridge_mcheck() - try RSTP again. 0, -ENOENT or -EINVAL (no `stp') */
int bridge_mcheck(struct iface *bridge, struct iface *ifp);
/** bridge_stp() - what spanning tree knows (stp_get(), stp_port_get()) */
const struct stp *bridge_stp(const struct iface *bridge);

#define BRIDGE_ADDRESSES_MAX 1024u /* in a page: some milliseconds' work */
#define BRIDGE_ADDRESSES_FEW 256u  /* of who has time: frames wait less long */

/* A page of a bridge's addresses; as struct fdb_page. */
struct bridge_addresses {
	uint32_t max; /* 1 to BRIDGE_ADDRESSES_MAX */
	bool only_static;
	bool continued; /* not the first page, but what comes after @after */
	uint32_t after;
	bool more; /* there is more, after @next; written */
	uint32_t next;
};

/**
 * bridge_addresses() - list "addresses", newest first, and "next" if there is
 * more
 *
 * Return: 0 or -ENOMEM (the list is empty).
 */
int bridge_addresses(const struct iface *bridge, struct bridge_addresses *page,
    struct info *out);

#define BRIDGE_CURSOR_MAX 48u /* bytes of its text, with the end */

/* A piece of a bridge's addresses, as they lie in the table: fdb_scan(). */
struct bridge_scan {
	uint32_t max; /* addresses, at least 1 */
	bool only_static;
	char cursor[BRIDGE_CURSOR_MAX]; /* "": from the beginning; written */
	bool more;                      /* written */
};

/**
 * bridge_scan_addresses() - list "addresses", with "birth" each, and "births":
 * the number of the next to come; "cursor" if there is more
 *
 * Costs as much as the piece, however many there are; fdb_scan() says what
 * pieces have together.
 *
 * Return: 0 or -EINVAL: that is no cursor.
 */
int bridge_scan_addresses(
    const struct iface *bridge, struct bridge_scan *scan, struct info *out);

/* Guards without spanning tree; guard.c has the rules. */
/** bridge_set_storm() - `storm'; frames a second, 0: no limit. 0 or -ENOENT */
int bridge_set_storm(struct iface *bridge, struct iface *ifp,
    enum bridge_storm which, uint32_t limit);
/** bridge_set_flapdamp() - `flapdamp'; moves a second, 0: off. 0 or -ENOMEM */
int bridge_set_flapdamp(struct iface *bridge, uint32_t moves, uint32_t hold_s);

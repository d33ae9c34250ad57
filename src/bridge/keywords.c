/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ifconfig's words for bridges: one row each.  What a word's system call is
 * named in FreeBSD stands in the row, because ifconfig(8) prints it when the
 * call fails.
 */
#include <errno.h>
#include <string.h>

#include "base/ether.h"
#include "bridge/bridge_impl.h"
#include "net/keyword.h"

/* The interface that an argument names, as the bridge's users know it. */
static int
find(struct iface *bridge, const char *name, struct iface **out)
{
	struct vnet *where = net_host_vnet(bridge);

	*out = net_iface_find(bridge->net, bridge->vnet, name);
	if (*out == NULL && where != bridge->vnet)
		*out = net_iface_find(bridge->net, where, name);
	if (*out == NULL)
		return net_error(
		    bridge->net, -ENOENT, "there is no interface %s", name);
	return 0;
}

/* Rows whose only argument is an interface. */
#define WITH_INTERFACE(function, call)                          \
	static int function(                                    \
	    struct iface *bridge, const union keyword_value *v) \
	{                                                       \
		struct iface *ifp;                              \
		int err = find(bridge, v[0].str, &ifp);         \
                                                                \
		return err < 0 ? err : (call);                  \
	}

WITH_INTERFACE(set_addm, bridge_add(bridge, ifp))
WITH_INTERFACE(set_deletem, bridge_delete(bridge, ifp))
WITH_INTERFACE(set_span, bridge_span_add(bridge, ifp))
WITH_INTERFACE(unset_span, bridge_span_delete(bridge, ifp))

#define WITH_FLAG(name, flag)                                          \
	WITH_INTERFACE(                                                \
	    set_##name, bridge_set_member_flags(bridge, ifp, flag, 0)) \
	WITH_INTERFACE(                                                \
	    unset_##name, bridge_set_member_flags(bridge, ifp, 0, flag))

WITH_FLAG(discover, BRIDGE_DISCOVER)
WITH_FLAG(learn, BRIDGE_LEARNING)
WITH_FLAG(sticky, BRIDGE_STICKY)
WITH_FLAG(private, BRIDGE_PRIVATE)
WITH_FLAG(edge, BRIDGE_EDGE)
WITH_FLAG(autoedge, BRIDGE_AUTOEDGE)
WITH_FLAG(ptp, BRIDGE_PTP)
WITH_FLAG(autoptp, BRIDGE_AUTOPTP)

static int
set_flush(struct iface *bridge, const union keyword_value *v)
{
	(void)v;
	fdb_flush(&bridge_of(bridge)->fdb, false);
	return 0;
}

static int
set_flushall(struct iface *bridge, const union keyword_value *v)
{
	(void)v;
	fdb_flush(&bridge_of(bridge)->fdb, true);
	return 0;
}

static int
set_static(struct iface *bridge, const union keyword_value *v)
{
	struct bridge *br = bridge_of(bridge);
	const struct bridge_port *p;
	struct iface *ifp;
	int err;

	err = find(bridge, v[0].str, &ifp);
	if (err < 0)
		return err;
	p = bridge_member(br, ifp);
	if (p == NULL)
		return net_error(bridge->net, -ENOENT,
		    "%s is not a member of %s", ifp->name, bridge->name);
	err = fdb_set_static(&br->fdb, fdb_key(v[1].mac, (uint32_t)v[2].num),
	    p->number, bridge_now_s(br));
	if (err == -EINVAL)
		return net_error(bridge->net, err,
		    "a group address or zero is behind no member");
	if (err == -EDQUOT)
		return net_error(bridge->net, -ENOSPC,
		    "%s has all the addresses that ifmaxaddr allows",
		    ifp->name);
	if (err == -ENOSPC)
		return net_error(bridge->net, err,
		    "%s has all the addresses that maxaddr allows",
		    bridge->name);
	return err;
}

static int
set_deladdr(struct iface *bridge, const union keyword_value *v)
{
	struct bridge *br = bridge_of(bridge);
	uint32_t vid = v[1].num == 0 ? FDB_VLAN_ANY : (uint32_t)v[1].num;

	if (fdb_remove_mac(&br->fdb, v[0].mac, vid, bridge_now_s(br)) == 0)
		return net_error(bridge->net, -ENOENT,
		    "%s does not know that address", bridge->name);
	return 0;
}

static int
set_maxaddr(struct iface *bridge, const union keyword_value *v)
{
	struct bridge *br = bridge_of(bridge);

	return fdb_set_max(&br->fdb, (uint32_t)v[0].num, bridge_now_s(br));
}

static int
set_timeout(struct iface *bridge, const union keyword_value *v)
{
	fdb_set_timeout(&bridge_of(bridge)->fdb, (uint32_t)v[0].num);
	return 0;
}

static int
set_ifmaxaddr(struct iface *bridge, const union keyword_value *v)
{
	struct bridge *br = bridge_of(bridge);
	const struct bridge_port *p;
	struct iface *ifp;
	int err;

	err = find(bridge, v[0].str, &ifp);
	if (err < 0)
		return err;
	p = bridge_member(br, ifp);
	if (p == NULL)
		return net_error(bridge->net, -ENOENT,
		    "%s is not a member of %s", ifp->name, bridge->name);
	br->fdb.ports[p->number].limit = (uint32_t)v[1].num;
	return 0;
}

/* clang-format off */
#define ARG_IF     { .kind = KEYWORD_ARG_IFNAME, .name = "interface" }
#define ARG_MAC    { .kind = KEYWORD_ARG_MAC, .name = "address" }
#define ARG_VLAN   { .kind = KEYWORD_ARG_VLAN, .name = "vlan id", \
			.min = 1, .max = 4094, .literal = "vlan" }
#define ARG_U32(n) { .kind = KEYWORD_ARG_NUMBER, .name = (n), \
			.max = UINT32_MAX }

#define ROW(word, call, function, text, ...) \
	{ .name = (word), .args = { __VA_ARGS__ }, .apply = (function), \
	    .bsd_name = (call), .help = (text) }
/* A row and its negation, both with an interface. */
#define FLAG_ROWS(word, function, text, untext) \
	ROW(word, "BRDGSIFFLGS", set_##function, text, ARG_IF), \
	ROW("-" word, "BRDGSIFFLGS", unset_##function, untext, ARG_IF)

const struct iface_keyword bridge_keywords[] = {
	ROW("addm", "BRDGADD", set_addm, "add a member", ARG_IF),
	ROW("deletem", "BRDGDEL", set_deletem, "remove a member", ARG_IF),
	FLAG_ROWS("discover", discover,
	    "unknown unicast goes to the member",
	    "unknown unicast does not go to the member"),
	FLAG_ROWS("learn", learn,
	    "learn addresses on the member",
	    "learn no addresses on the member"),
	FLAG_ROWS("sticky", sticky,
	    "addresses learned on the member stay there",
	    "addresses learned on the member may move"),
	FLAG_ROWS("private", private,
	    "the member does not talk to other private ones",
	    "the member talks to all"),
	FLAG_ROWS("edge", edge,
	    "spanning tree: the member is an edge port",
	    "spanning tree: the member is no edge port"),
	FLAG_ROWS("autoedge", autoedge,
	    "spanning tree: find out whether it is an edge port",
	    "spanning tree: do not find out whether it is an edge port"),
	FLAG_ROWS("ptp", ptp,
	    "spanning tree: the member's link is point-to-point",
	    "spanning tree: the member's link is shared"),
	FLAG_ROWS("autoptp", autoptp,
	    "spanning tree: find out whether it is point-to-point",
	    "spanning tree: do not find out whether it is point-to-point"),
	ROW("span", "BRDGADDS", set_span,
	    "add a port that sends a copy of everything", ARG_IF),
	ROW("-span", "BRDGDELS", unset_span, "remove a span port", ARG_IF),
	ROW("flush", "BRDGFLUSH", set_flush, "forget learned addresses",
	    { 0 }),
	ROW("flushall", "BRDGFLUSH", set_flushall, "forget all addresses",
	    { 0 }),
	ROW("static", "BRDGSADDR", set_static,
	    "enter an address behind a member", ARG_IF, ARG_MAC, ARG_VLAN),
	ROW("deladdr", "BRDGDADDR", set_deladdr,
	    "forget an address, in every VLAN or in one", ARG_MAC, ARG_VLAN),
	{ .name = "addr", .bsd_name = "BRDGRTS",
	    .help = "show the addresses", .show = bridge_get_addresses },
	ROW("maxaddr", "BRDGSCACHE", set_maxaddr,
	    "the most addresses that are kept", ARG_U32("size")),
	ROW("timeout", "BRDGSTO", set_timeout,
	    "seconds until an address is forgotten; 0: never",
	    ARG_U32("seconds")),
	ROW("ifmaxaddr", "BRDGSIFAMAX", set_ifmaxaddr,
	    "the most addresses learned on the member; 0: no limit",
	    ARG_IF, ARG_U32("number")),
	{ .name = NULL },
};
/* clang-format on */

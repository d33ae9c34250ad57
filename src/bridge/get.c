/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bridge describes itself: its own part of the print-out, and its addresses.
 *
 * Keys (the --json interface), in the order of BSD's print-out:
 *   id priority hellotime fwddelay maxage holdcnt proto maxaddr timeout
 *   root_id root_priority root_cost root_port
 *   flags flag_names            of the bridge
 *   defuntagged                 0: none
 *   addresses exceeded          in the table; not learned for want of room
 *   members [{ name flags flag_names ifmaxaddr port priority path_cost
 *              addresses violations vlan_protocol untagged tagged
 *              group_fwd [{ group action }] }], then the span ports with name,
 *              flags and flag_names only
 * Without spanning tree the values are those of a bridge without STP ports.
 *
 * An address: mac vlan iface expires (seconds left; 0: static, sticky or never)
 * flags flag_names type.
 */
#include <errno.h>

#include "base/ether.h"
#include "base/util.h"
#include "bridge/bridge_impl.h"
#include "net/info.h"

#define STP_PRIORITY      32768u
#define STP_HELLO_S       2u
#define STP_FWDDELAY_S    15u
#define STP_MAXAGE_S      20u
#define STP_HOLDCNT       6u
#define STP_PORT_PRIORITY 128u
#define STP_COST_VIRTUAL  2000u /* 10 Gbit/s (802.1D-2004 table 17-3) */

struct flag_name {
	uint32_t flag;
	const char *name;
};

/* In the order in which BSD prints them. */
static const struct flag_name member_flag_names[] = {
	{ BRIDGE_LEARNING, "LEARNING" },
	{ BRIDGE_DISCOVER, "DISCOVER" },
	{ BRIDGE_STP, "STP" },
	{ BRIDGE_SPAN, "SPAN" },
	{ BRIDGE_STICKY, "STICKY" },
	{ BRIDGE_PRIVATE, "PRIVATE" },
	{ BRIDGE_EDGE, "EDGE" },
	{ BRIDGE_AUTOEDGE, "AUTOEDGE" },
	{ BRIDGE_PTP, "PTP" },
	{ BRIDGE_AUTOPTP, "AUTOPTP" },
	{ BRIDGE_QINQ, "QINQ" },
	{ 0, NULL },
};

static const struct flag_name bridge_flag_names[] = {
	{ BRIDGE_VLANFILTER, "VLANFILTER" },
	{ BRIDGE_DEFQINQ, "DEFQINQ" },
	{ 0, NULL },
};

static void
put_flags(struct info *out, uint32_t flags, const struct flag_name *names)
{
	info_u64(out, "flags", flags);
	info_list(out, "flag_names");
	for (; names->name != NULL; names++) {
		if ((flags & names->flag) != 0)
			info_str(out, NULL, names->name);
	}
	info_end(out);
}

/* Those that are not as they are at first. */
static void
put_group_fwd(struct info *out, const struct bridge_port *p)
{
	static const char *const actions[] = {
		[BRIDGE_GROUP_PEER] = "peer",
		[BRIDGE_GROUP_DROP] = "drop",
		[BRIDGE_GROUP_FORWARD] = "forward",
	};

	info_list(out, "group_fwd");
	for (uint32_t i = 0; i < BRIDGE_GROUPS; i++) {
		uint32_t what = p->group_fwd >> 2 * i & 3;

		if (what == BRIDGE_GROUP_PEER)
			continue;
		info_object(out, NULL);
		info_u64(out, "group", i);
		info_str(out, "action", actions[what]);
		info_end(out);
	}
	info_end(out);
}

static void
put_member(struct info *out, const struct bridge_port *p)
{
	const struct fdb_port *a = &p->bridge->fdb.ports[p->number];
	char tagged[VLAN_SET_TEXT_MAX];

	info_object(out, NULL);
	info_str(out, "name", p->ifp->name);
	put_flags(out, p->flags, member_flag_names);
	info_u64(out, "ifmaxaddr", a->limit);
	info_u64(out, "port", p->number);
	info_u64(out, "priority", STP_PORT_PRIORITY);
	info_u64(out, "path_cost", STP_COST_VIRTUAL);
	info_u64(out, "addresses", a->count);
	info_u64(out, "violations", a->violations);
	info_str(out, "vlan_protocol",
	    p->vlan_proto == ETH_TYPE_QINQ ? "802.1ad" : "802.1q");
	info_u64(out, "untagged", p->pvid);
	info_str(out, "tagged", vlan_set_format(&p->tagged, tagged));
	put_group_fwd(out, p);
	info_end(out);
}

void
bridge_get(const struct iface *ifp, struct info *out)
{
	const struct bridge *br = bridge_of_const(ifp);
	const struct bridge_port *p;

	info_str(out, "id", "00:00:00:00:00:00");
	info_u64(out, "priority", STP_PRIORITY);
	info_u64(out, "hellotime", STP_HELLO_S);
	info_u64(out, "fwddelay", STP_FWDDELAY_S);
	info_u64(out, "maxage", STP_MAXAGE_S);
	info_u64(out, "holdcnt", STP_HOLDCNT);
	info_str(out, "proto", "rstp");
	info_u64(out, "maxaddr", br->fdb.max);
	info_u64(out, "timeout", br->fdb.timeout_s);
	info_str(out, "root_id", "00:00:00:00:00:00");
	info_u64(out, "root_priority", 0);
	info_u64(out, "root_cost", 0);
	info_u64(out, "root_port", 0);
	put_flags(out, br->vlan_flags, bridge_flag_names);
	info_u64(out, "defuntagged", br->defuntagged);
	info_u64(out, "addresses", fdb_count(&br->fdb));
	info_u64(out, "exceeded", br->fdb.exceeded);
	info_list(out, "members");
	TAILQ_FOREACH (p, &br->members, link)
		put_member(out, p);
	TAILQ_FOREACH (p, &br->spans, link) {
		info_object(out, NULL);
		info_str(out, "name", p->ifp->name);
		put_flags(out, p->flags, member_flag_names);
		info_end(out);
	}
	info_end(out);
}

struct address_walk {
	const struct bridge *br;
	struct info *out;
	uint32_t now_s;
	bool only_static;
};

static void
put_address(void *arg, const struct fdb_entry *e)
{
	static const char *const types[] = {
		[FDB_DYNAMIC] = "dynamic",
		[FDB_STATIC] = "static",
		[FDB_STICKY] = "sticky",
	};
	static const char *const flag_names[] = {
		[FDB_STATIC] = "STATIC",
		[FDB_STICKY] = "STICKY",
	};
	const struct address_walk *w = arg;
	struct info *out = w->out;
	uint8_t mac[ETH_ADDR_LEN];
	char text[ETH_ADDR_STRLEN];

	if (w->only_static && e->type != FDB_STATIC)
		return;
	u64_to_mac(e->key, mac);
	info_object(out, NULL);
	info_str(out, "mac", ether_format(mac, text));
	info_u64(out, "vlan", fdb_key_vid(e->key));
	info_str(out, "iface", w->br->ports[e->port]->ifp->name);
	info_u64(out, "expires",
	    e->expire_s == FDB_NEVER ? 0 : e->expire_s - w->now_s);
	info_u64(out, "flags", e->type);
	info_list(out, "flag_names");
	if (e->type != FDB_DYNAMIC)
		info_str(out, NULL, flag_names[e->type]);
	info_end(out);
	info_str(out, "type", types[e->type]);
	info_end(out);
}

static void
put_addresses(const struct iface *ifp, struct info *out, bool only_static)
{
	struct address_walk w = {
		.br = bridge_of_const(ifp),
		.out = out,
		.now_s = bridge_now_s(bridge_of_const(ifp)),
		.only_static = only_static,
	};

	if (fdb_walk(&w.br->fdb, w.now_s, put_address, &w) < 0)
		(void)net_error(
		    ifp->net, -ENOMEM, "no memory for the list of addresses");
}

/* Objects, newest first, into the list that the caller has begun. */
void
bridge_get_addresses(const struct iface *ifp, struct info *out)
{
	put_addresses(ifp, out, false);
}

void
bridge_get_static_addresses(const struct iface *ifp, struct info *out)
{
	put_addresses(ifp, out, true);
}

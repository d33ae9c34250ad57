/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bridge describes itself: its own part of the print-out, and its addresses.
 *
 * Keys (the --json interface), in the order of BSD's print-out:
 *   id priority hellotime fwddelay maxage holdcnt proto maxaddr timeout
 *   root_id root_priority root_cost root_port
 *   flags flag_names            of the bridge
 *   defuntagged                 0: none
 *   flapdamp { moves hold }     only if it is on
 *   addresses exceeded          in the table; not learned for want of room
 *   topology_changes topology_changed_ns   that members detected or were
 *                               told; when the last was
 *   members [{ name flags flag_names ifmaxaddr port priority path_cost
 *              addresses violations
 *              proto role state   only with STP
 *              vlan_protocol untagged tagged group_fwd [{ group action }]
 *              storm { broadcast multicast unknown }   limits that are set
 *              stp { path_cost edge autoedge ptp guards []   as set
 *                    held []      why the port discards, whatever its role
 *                    and, only with STP:
 *                    designated_root designated_root_priority
 *                    designated_cost designated_bridge
 *                    designated_bridge_priority designated_port
 *                    forwarded rx_... tx_... } }],
 *            then the span ports with name, flags and flag_names only
 * Of a bridge without members with STP, id and root_* are zero.
 *
 * An address: mac vlan iface expires (seconds left; 0: static, sticky or never)
 * flags flag_names type; in a scan also birth.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "bridge/bridge_impl.h"
#include "net/info.h"

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

const char *const bridge_group_names[] = {
	[BRIDGE_GROUP_PEER] = "peer",
	[BRIDGE_GROUP_DROP] = "drop",
	[BRIDGE_GROUP_FORWARD] = "forward",
};

/* Those that are not as they are at first. */
static void
put_group_fwd(struct info *out, const struct bridge_port *p)
{
	info_list(out, "group_fwd");
	for (uint32_t i = 0; i < BRIDGE_GROUPS; i++) {
		uint32_t what = p->group_fwd >> 2 * i & 3;

		if (what == BRIDGE_GROUP_PEER)
			continue;
		info_object(out, NULL);
		info_u64(out, "group", i);
		info_str(out, "action", bridge_group_names[what]);
		info_end(out);
	}
	info_end(out);
}

/* Limits that are set. */
static void
put_storms(struct info *out, const struct bridge_port *p)
{
	info_object(out, "storm");
	for (uint32_t i = 0; i < BRIDGE_STORMS; i++) {
		if (p->storms[i].limit.burst != 0)
			info_u64(out, bridge_storms[i].name,
			    p->storms[i].limit.burst);
	}
	info_end(out);
}

static void
put_id(struct info *out, const char *address_key, const char *priority_key,
    uint64_t id)
{
	uint8_t mac[ETH_ADDR_LEN];
	char text[ETH_ADDR_STRLEN];

	u64_to_mac(stp_id_address(id), mac);
	info_str(out, address_key, ether_format(mac, text));
	info_u64(out, priority_key, id >> 48);
}

/* As FreeBSD: what is in effect; ADMEDGE and ADMCOST are what is set. */
static uint32_t
flags_shown(const struct bridge_port *p, const struct stp_port_info *s)
{
	uint32_t flags = p->flags;

	if ((flags & BRIDGE_EDGE) != 0)
		flags |= BRIDGE_ADMEDGE;
	if (p->stp_cost != 0)
		flags |= BRIDGE_ADMCOST;
	if (s == NULL)
		return flags;
	flags &= ~(BRIDGE_EDGE | BRIDGE_PTP);
	return flags | (s->oper_edge ? BRIDGE_EDGE : 0) |
	       (s->oper_p2p ? BRIDGE_PTP : 0);
}

static void
put_guards(struct info *out, uint32_t guards)
{
	info_list(out, "guards");
	for (size_t i = 0; bridge_guard_names[i].name != NULL; i++) {
		if ((guards & bridge_guard_names[i].guard) != 0)
			info_str(out, NULL, bridge_guard_names[i].name);
	}
	info_end(out);
}

static void
put_held(struct info *out, const struct stp_port_info *s)
{
	info_list(out, "held");
	if (s->err_disabled)
		info_str(out, NULL, "bpdu-guard");
	if (s->inconsistent)
		info_str(out, NULL, "silence");
	if (s->self_loop)
		info_str(out, NULL, "self-loop");
	if (s->disputed)
		info_str(out, NULL, "dispute");
	info_end(out);
}

static void
put_heard(struct info *out, const struct stp_port_info *s)
{
	const struct stp_counters *c = &s->count;

	put_id(out, "designated_root", "designated_root_priority",
	    s->designated.root_id);
	info_u64(out, "designated_cost", s->designated.root_path_cost);
	put_id(out, "designated_bridge", "designated_bridge_priority",
	    s->designated.bridge_id);
	info_u64(out, "designated_port", s->designated.port_id);
	info_u64(out, "forwarded", c->transitions);
	info_u64(out, "rx_config", c->rx_config);
	info_u64(out, "rx_rst", c->rx_rst);
	info_u64(out, "rx_tcn", c->rx_tcn);
	info_u64(out, "rx_invalid", c->rx_invalid);
	info_u64(out, "rx_range", c->rx_range);
	info_u64(out, "rx_old", c->rx_old);
	info_u64(out, "rx_own", c->rx_own);
	info_u64(out, "rx_stale", c->rx_stale);
	info_u64(out, "rx_limited", c->rx_limited);
	info_u64(out, "rx_filtered", c->rx_filtered);
	info_u64(out, "tx_config", c->tx_config);
	info_u64(out, "tx_rst", c->tx_rst);
	info_u64(out, "tx_tcn", c->tx_tcn);
}

/* @s NULL: not with STP. */
static void
put_stp(struct info *out, const struct bridge_port *p,
    const struct stp_port_info *s)
{
	const char *ptp = (p->flags & BRIDGE_PTP) != 0 ? "yes" : "no";

	if (!p->ptp_said)
		ptp = (p->flags & BRIDGE_AUTOPTP) != 0 ? "auto" : "yes";
	info_object(out, "stp");
	info_u64(out, "path_cost", p->stp_cost);
	info_bool(out, "edge", (p->flags & BRIDGE_EDGE) != 0);
	info_bool(out, "autoedge", (p->flags & BRIDGE_AUTOEDGE) != 0);
	info_str(out, "ptp", ptp);
	put_guards(out, p->stp_guards);
	if (s != NULL) {
		put_held(out, s);
		put_heard(out, s);
	}
	info_end(out);
}

static void
put_member(struct info *out, const struct bridge_port *p)
{
	const struct fdb_port *a = &p->bridge->fdb.ports[p->number];
	char tagged[VLAN_SET_TEXT_MAX];
	struct stp_port_info info;
	const struct stp_port_info *s = NULL;
	uint32_t cost = p->stp_cost;

	if (stp_port_get(p->bridge->stp, (uint16_t)p->number, &info) == 0)
		s = &info;
	if (cost == 0)
		cost = stp_auto_cost(BRIDGE_SPEED_BPS);
	info_object(out, NULL);
	info_str(out, "name", p->ifp->name);
	put_flags(out, flags_shown(p, s), member_flag_names);
	info_u64(out, "ifmaxaddr", a->limit);
	info_u64(out, "port", p->number);
	info_u64(out, "priority", p->stp_priority);
	info_u64(out, "path_cost", s != NULL ? s->path_cost : cost);
	info_u64(out, "addresses", a->count);
	info_u64(out, "violations", a->violations);
	if (s != NULL) {
		info_str(out, "proto", s->rstp ? "rstp" : "stp");
		info_str(out, "role", stp_role_name(s->role));
		info_str(out, "state", stp_state_name(s->state));
	}
	info_str(out, "vlan_protocol",
	    p->vlan_proto == ETH_TYPE_QINQ ? "802.1ad" : "802.1q");
	info_u64(out, "untagged", p->pvid);
	info_str(out, "tagged", vlan_set_format(&p->tagged, tagged));
	put_group_fwd(out, p);
	put_storms(out, p);
	put_stp(out, p, s);
	info_end(out);
}

static void
put_bridge_stp(struct info *out, const struct bridge *br)
{
	struct stp_info s;

	stp_get(br->stp, &s);
	if (stp_port_count(br->stp) == 0)
		s.root_id = s.bridge_id = (uint64_t)s.priority << 48;
	put_id(out, "id", "priority", s.bridge_id);
	info_u64(out, "hellotime", s.hello);
	info_u64(out, "fwddelay", s.fwd_delay);
	info_u64(out, "maxage", s.max_age);
	info_u64(out, "holdcnt", s.hold_count);
	info_str(out, "proto", s.version == STP_VERSION_STP ? "stp" : "rstp");
	info_u64(out, "maxaddr", br->fdb.max);
	info_u64(out, "timeout", br->fdb.timeout_s);
	if (stp_port_count(br->stp) == 0)
		s.root_id = s.root_path_cost = s.root_port = 0;
	put_id(out, "root_id", "root_priority", s.root_id);
	info_u64(out, "root_cost", s.root_path_cost);
	info_u64(out, "root_port", s.root_port);
	info_u64(out, "topology_changes", s.topology_changes);
	info_u64(out, "topology_changed_ns", s.topology_changed_ns);
}

void
bridge_get(const struct iface *ifp, struct info *out)
{
	const struct bridge *br = bridge_of_const(ifp);
	const struct bridge_port *p;

	put_bridge_stp(out, br);
	put_flags(out, br->vlan_flags, bridge_flag_names);
	info_u64(out, "defuntagged", br->defuntagged);
	if (br->flap_max != 0) {
		info_object(out, "flapdamp");
		info_u64(out, "moves", br->flap_max);
		info_u64(out, "hold", br->flap_hold_s);
		info_end(out);
	}
	info_u64(out, "addresses", fdb_count(&br->fdb));
	info_u64(out, "exceeded", br->fdb.exceeded);
	info_list(out, "members");
	TAILQ_FOREACH (p, &br->members, link)
		if (net_access(p->ifp) != NET_ACCESS_NONE)
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
	/* Of a scan. */
	const struct fdb_cursor *cursor;
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

	if (net_access(w->br->ports[e->port]->ifp) == NET_ACCESS_NONE)
		return;
	u64_to_mac(e->key, mac);
	info_object(out, NULL);
	info_str(out, "mac", ether_format(mac, text));
	info_u64(out, "vlan", fdb_key_vid(e->key));
	info_str(out, "iface", w->br->ports[e->port]->ifp->name);
	info_u64(out, "expires", fdb_left_s(e, w->now_s));
	info_u64(out, "flags", e->type);
	info_list(out, "flag_names");
	if (e->type != FDB_DYNAMIC)
		info_str(out, NULL, flag_names[e->type]);
	info_end(out);
	info_str(out, "type", types[e->type]);
	if (w->cursor != NULL)
		info_u64(out, "birth", w->cursor->birth);
	info_end(out);
}

static void
put_scanned(void *arg, const struct fdb_entry *e)
{
	const struct address_walk *w = arg;

	if (!w->only_static || e->type == FDB_STATIC)
		put_address(arg, e);
}

/* "stage.slot.rehashes.cuts"; "" is the beginning. */
static bool
cursor_parse(const char *text, struct fdb_cursor *c)
{
	uint32_t *const fields[] = { &c->stage, &c->slot, &c->rehashes,
		&c->cuts };
	char copy[BRIDGE_CURSOR_MAX], *at = copy;

	*c = (struct fdb_cursor){ 0 };
	if (*text == '\0')
		return true;
	if (str_copy(copy, sizeof(copy), text) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *field = strsep(&at, ".");

		if (field == NULL ||
		    str_u32(field, 10, 0, UINT32_MAX, fields[i]) < 0)
			return false;
	}
	return at == NULL;
}

int
bridge_scan_addresses(
    const struct iface *ifp, struct bridge_scan *scan, struct info *out)
{
	struct fdb_cursor c;
	struct address_walk w = {
		.br = bridge_of_const(ifp),
		.out = out,
		.now_s = bridge_now_s(bridge_of_const(ifp)),
		.cursor = &c,
		.only_static = scan->only_static,
	};

	if (!cursor_parse(scan->cursor, &c))
		return -EINVAL;
	info_list(out, "addresses");
	scan->more =
	    fdb_scan(&w.br->fdb, w.now_s, &c, scan->max, put_scanned, &w);
	info_end(out);
	info_u64(out, "births", w.br->fdb.births);
	if (!scan->more)
		return 0;
	snprintf(scan->cursor, sizeof(scan->cursor), "%u.%u.%u.%u", c.stage,
	    c.slot, c.rehashes, c.cuts);
	info_str(out, "cursor", scan->cursor);
	return 0;
}

int
bridge_addresses(
    const struct iface *ifp, struct bridge_addresses *page, struct info *out)
{
	struct address_walk w = {
		.br = bridge_of_const(ifp),
		.out = out,
		.now_s = bridge_now_s(bridge_of_const(ifp)),
	};
	struct fdb_page p = {
		.max = page->max,
		.only_static = page->only_static,
		.continued = page->continued,
		.after = page->after,
	};
	int err;

	info_list(out, "addresses");
	err = fdb_page(&w.br->fdb, w.now_s, &p, put_address, &w);
	info_end(out);
	if (err < 0)
		return err;
	page->more = p.more;
	page->next = p.next;
	if (p.more)
		info_u64(out, "next", p.next);
	return 0;
}

/* For ifconfig's words: a short table as it is, of a long one only where to
 * begin. */
static void
put_addresses(const struct iface *ifp, struct info *out, bool only_static)
{
	struct bridge_addresses page = {
		.max = BRIDGE_ADDRESSES_FEW,
		.only_static = only_static,
	};

	if (only_static)
		info_bool(out, "static", true);
	if (fdb_count(&bridge_of_const(ifp)->fdb) > BRIDGE_ADDRESSES_FEW) {
		info_list(out, "addresses");
		info_end(out);
		info_str(out, "cursor", "");
	} else if (bridge_addresses(ifp, &page, out) < 0) {
		(void)net_error(
		    ifp->net, -ENOMEM, "no memory for the list of addresses");
	}
}

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

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

/* Something joins: if it is a netdev of the host, that is adopted, and let go
 * again if it cannot join. */
static int
find_to_join(struct iface *bridge, const char *name,
    int (*join)(struct iface *bridge, struct iface *ifp), struct iface **out)
{
	struct net *net = bridge->net;
	char message[sizeof(net->message)];
	int err = find(bridge, name, out);

	if (err == 0)
		return join(bridge, *out);
	if (strchr(name, '@') != NULL)
		return err;
	net->message[0] = '\0';
	err = net_iface_adopt(net, net_host_vnet(bridge), name, out);
	if (err == -ENODEV || err == -EEXIST)
		return net_error(
		    net, -ENOENT, "there is no interface %s", name);
	if (err != 0)
		return err;
	err = join(bridge, *out);
	if (err != 0) {
		memcpy(message, net->message, sizeof(message));
		(void)net_iface_destroy(*out, NULL);
		memcpy(net->message, message, sizeof(message));
	}
	return err;
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

WITH_INTERFACE(set_deletem, bridge_delete(bridge, ifp))
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
WITH_FLAG(qinq, BRIDGE_QINQ)

/* Spanning tree. */

WITH_FLAG(stp, BRIDGE_STP)
WITH_INTERFACE(
    set_ifpriority, bridge_set_if_priority(bridge, ifp, (uint32_t)v[1].num))
WITH_INTERFACE(
    set_ifpathcost, bridge_set_if_cost(bridge, ifp, (uint32_t)v[1].num))
WITH_INTERFACE(set_mcheck, bridge_mcheck(bridge, ifp))

#define WITH_PARAM(name, param)                                        \
	static int set_##name(                                         \
	    struct iface *bridge, const union keyword_value *v)        \
	{                                                              \
		return bridge_set_param(                               \
		    bridge, BRIDGE_PARAM_##param, (uint32_t)v[0].num); \
	}

WITH_PARAM(priority, PRIORITY)
WITH_PARAM(hellotime, HELLO)
WITH_PARAM(fwddelay, FWD_DELAY)
WITH_PARAM(maxage, MAX_AGE)
WITH_PARAM(holdcnt, HOLD_COUNT)

static int
set_proto(struct iface *bridge, const union keyword_value *v)
{
	return bridge_set_param(bridge, BRIDGE_PARAM_PROTO,
	    strcmp(v[0].str, "stp") == 0 ? STP_VERSION_STP : STP_VERSION_RSTP);
}

static uint32_t
guard_of(const char *name)
{
	for (size_t i = 0; bridge_guard_names[i].name != NULL; i++) {
		if (strcmp(bridge_guard_names[i].name, name) == 0)
			return bridge_guard_names[i].guard;
	}
	return STP_GUARD_ALL; /* "all" */
}

WITH_INTERFACE(set_guard, bridge_set_guards(bridge, ifp, guard_of(v[1].str), 0))
WITH_INTERFACE(
    unset_guard, bridge_set_guards(bridge, ifp, 0, guard_of(v[1].str)))

/* VLANs; the texts have been checked by the parser. */

static int
tagged(struct iface *bridge, struct iface *ifp, const char *text,
    enum bridge_vlan_op op)
{
	struct vlan_set set;
	int err = vlan_set_parse(text, &set);

	return err < 0 ? err : bridge_set_tagged(bridge, ifp, &set, op);
}

static int
set_span(struct iface *bridge, const union keyword_value *v)
{
	struct iface *ifp;

	return find_to_join(bridge, v[0].str, bridge_span_add, &ifp);
}

static int
set_addm(struct iface *bridge, const union keyword_value *v)
{
	struct iface *ifp;
	int err = 0;

	/* In which VLAN a port is, the bridge's owner says. */
	if (v[1].num != 0 || v[2].str != NULL)
		err = net_need(bridge, NET_ACCESS_OWN);
	if (err == 0)
		err = find_to_join(bridge, v[0].str, bridge_add, &ifp);
	if (err == 0 && v[1].num != 0)
		err = bridge_set_untagged(bridge, ifp, (uint32_t)v[1].num);
	if (err == 0 && v[2].str != NULL)
		err = tagged(bridge, ifp, v[2].str, BRIDGE_VLAN_SET);
	return err;
}

WITH_INTERFACE(
    set_ifuntagged, bridge_set_untagged(bridge, ifp, (uint32_t)v[1].num))
WITH_INTERFACE(unset_ifuntagged, bridge_set_untagged(bridge, ifp, 0))
WITH_INTERFACE(set_iftagged, tagged(bridge, ifp, v[1].str, BRIDGE_VLAN_SET))
WITH_INTERFACE(add_iftagged, tagged(bridge, ifp, v[1].str, BRIDGE_VLAN_ADD))
WITH_INTERFACE(
    unset_iftagged, tagged(bridge, ifp, v[1].str, BRIDGE_VLAN_DELETE))
WITH_INTERFACE(set_ifvlanproto,
    bridge_set_vlan_proto(bridge, ifp,
        strcmp(v[1].str, "802.1ad") == 0 ? ETH_TYPE_QINQ : ETH_TYPE_VLAN))

static int
set_defuntagged(struct iface *bridge, const union keyword_value *v)
{
	return bridge_set_defuntagged(bridge, (uint32_t)v[0].num);
}

static int
unset_defuntagged(struct iface *bridge, const union keyword_value *v)
{
	(void)v;
	return bridge_set_defuntagged(bridge, 0);
}

#define WITH_BRIDGE_FLAG(name, flag)                            \
	static int set_##name(                                  \
	    struct iface *bridge, const union keyword_value *v) \
	{                                                       \
		(void)v;                                        \
		bridge_set_vlan_flags(bridge, flag, 0);         \
		return 0;                                       \
	}                                                       \
	static int unset_##name(                                \
	    struct iface *bridge, const union keyword_value *v) \
	{                                                       \
		(void)v;                                        \
		bridge_set_vlan_flags(bridge, 0, flag);         \
		return 0;                                       \
	}

WITH_BRIDGE_FLAG(vlanfilter, BRIDGE_VLANFILTER)
WITH_BRIDGE_FLAG(defqinq, BRIDGE_DEFQINQ)

/* "drop", "forward", "peer": by their first letters. */
static int
set_group_fwd(struct iface *bridge, const union keyword_value *v)
{
	enum bridge_group_fwd what = BRIDGE_GROUP_PEER;
	struct iface *ifp;
	int err = find(bridge, v[0].str, &ifp);

	if (v[2].str[0] == 'd')
		what = BRIDGE_GROUP_DROP;
	else if (v[2].str[0] == 'f')
		what = BRIDGE_GROUP_FORWARD;
	return err < 0 ? err
	               : bridge_set_group_fwd(
	                     bridge, ifp, (uint32_t)v[1].num, what);
}

/* The row of a name that the parser has taken. */
static enum bridge_storm
storm_of(const char *name)
{
	enum bridge_storm which = BRIDGE_STORM_BROADCAST;

	while (which + 1 < BRIDGE_STORMS &&
	       strcmp(bridge_storms[which].name, name) != 0)
		which++;
	return which;
}

WITH_INTERFACE(set_storm,
    bridge_set_storm(bridge, ifp, storm_of(v[1].str), (uint32_t)v[2].num))

static int
set_flapdamp(struct iface *bridge, const union keyword_value *v)
{
	return bridge_set_flapdamp(bridge, (uint32_t)v[0].num,
	    v[1].num != 0 ? (uint32_t)v[1].num : BRIDGE_FLAP_HOLD_S);
}

static int
unset_flapdamp(struct iface *bridge, const union keyword_value *v)
{
	(void)v;
	return bridge_set_flapdamp(bridge, 0, 0);
}

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
	bridge_event(br, NET_EVENT_LEARNED,
	    fdb_key(v[1].mac, (uint32_t)v[2].num), ifp, "static", 0);
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

/* --- what was set, as words ------------------------------------------------
 */

/* A port's name as the bridge's users know it. */
#define CALLED(p)          \
	net_iface_name_in( \
	    (p)->ifp, (p)->bridge->ifp.vnet, (char[NET_IFACE_TEXT_MAX]){ 0 })

/* A save() that puts something of each port, the oldest first. */
#define SAVE_PORTS(name, list)                                          \
	static void put_##name(                                         \
	    const struct bridge_port *p, struct keyword_sink *s);       \
	static void save_##name(                                        \
	    const struct iface *bridge, struct keyword_sink *s)         \
	{                                                               \
		const struct bridge *br = bridge_of_const(bridge);      \
		const struct bridge_port *p;                            \
                                                                        \
		TAILQ_FOREACH_REVERSE(p, &br->list, bridge_ports, link) \
		{                                                       \
			if (keyword_may_say(s, bridge, p->ifp))         \
				put_##name(p, s);                       \
		}                                                       \
	}                                                               \
	static void put_##name(                                         \
	    const struct bridge_port *p, struct keyword_sink *s)

SAVE_PORTS(addm, members)
{
	keyword_put(s, "addm %s", CALLED(p));
}

SAVE_PORTS(span, spans)
{
	keyword_put(s, "span %s", CALLED(p));
}

#define SAVE_FLAG(word, flag)                               \
	SAVE_PORTS(word, members)                           \
	{                                                   \
		keyword_put_switch(s, #word, CALLED(p),     \
		    (p->flags & (flag)) != 0,               \
		    (BRIDGE_MEMBER_DEFAULT & (flag)) != 0); \
	}

SAVE_FLAG(discover, BRIDGE_DISCOVER)
SAVE_FLAG(learn, BRIDGE_LEARNING)
SAVE_FLAG(sticky, BRIDGE_STICKY)
SAVE_FLAG(private, BRIDGE_PRIVATE)
SAVE_FLAG(edge, BRIDGE_EDGE)
SAVE_FLAG(autoedge, BRIDGE_AUTOEDGE)
SAVE_FLAG(autoptp, BRIDGE_AUTOPTP)
SAVE_FLAG(stp, BRIDGE_STP)
SAVE_FLAG(qinq, BRIDGE_QINQ)

/* Once said, it holds instead of what is found out; `autoptp' and its negation
 * would end that, so they are said before. */
SAVE_PORTS(ptp, members)
{
	if (p->ptp_said)
		keyword_put(s, "%sptp %s",
		    (p->flags & BRIDGE_PTP) != 0 ? "" : "-", CALLED(p));
}

SAVE_PORTS(ifpriority, members)
{
	if (p->stp_priority != STP_PORT_PRI_DEFAULT || s->all)
		keyword_put(s, "ifpriority %s %u", CALLED(p), p->stp_priority);
}

SAVE_PORTS(ifpathcost, members)
{
	if (p->stp_cost != 0 || s->all)
		keyword_put(s, "ifpathcost %s %u", CALLED(p), p->stp_cost);
}

SAVE_PORTS(guard, members)
{
	for (size_t i = 0; bridge_guard_names[i].name != NULL; i++) {
		if ((p->stp_guards & bridge_guard_names[i].guard) != 0)
			keyword_put(s, "stp-guard %s %s", CALLED(p),
			    bridge_guard_names[i].name);
	}
}

/* With what it is in a new bridge (IEEE 802.1D-2004 table 17-1). */
#define SAVE_PARAM(word, field, preset)                             \
	static void save_##word(                                    \
	    const struct iface *bridge, struct keyword_sink *s)     \
	{                                                           \
		struct stp_info info;                               \
                                                                    \
		stp_get(bridge_of_const(bridge)->stp, &info);       \
		keyword_put_number(s, #word, info.field, (preset)); \
	}

SAVE_PARAM(priority, priority, STP_PRIORITY_DEFAULT)
SAVE_PARAM(fwddelay, fwd_delay, 15)
SAVE_PARAM(maxage, max_age, 20)
SAVE_PARAM(holdcnt, hold_count, 6)

static void
save_proto(const struct iface *bridge, struct keyword_sink *s)
{
	struct stp_info info;

	stp_get(bridge_of_const(bridge)->stp, &info);
	if (info.version == STP_VERSION_STP || s->all)
		keyword_put(s, "proto %s",
		    info.version == STP_VERSION_STP ? "stp" : "rstp");
}

/* Only STP lets it be set, so it comes after proto. */
static void
save_hellotime(const struct iface *bridge, struct keyword_sink *s)
{
	struct stp_info info;

	stp_get(bridge_of_const(bridge)->stp, &info);
	if (info.version == STP_VERSION_STP)
		keyword_put_number(s, "hellotime", info.hello, 2);
}

SAVE_PORTS(ifmaxaddr, members)
{
	uint32_t limit = p->bridge->fdb.ports[p->number].limit;

	if (limit != 0 || s->all)
		keyword_put(s, "ifmaxaddr %s %u", CALLED(p), limit);
}

SAVE_PORTS(ifuntagged, members)
{
	if (p->pvid != 0)
		keyword_put(s, "ifuntagged %s %u", CALLED(p), p->pvid);
	else if (s->all)
		keyword_put(s, "-ifuntagged %s", CALLED(p));
}

SAVE_PORTS(iftagged, members)
{
	char set[VLAN_SET_TEXT_MAX];

	(void)vlan_set_format(&p->tagged, set);
	if (set[0] != '\0' || s->all)
		keyword_put(s, "iftagged %s %s", CALLED(p),
		    set[0] != '\0' ? set : "none");
}

SAVE_PORTS(ifvlanproto, members)
{
	if (p->vlan_proto != ETH_TYPE_VLAN || s->all)
		keyword_put(s, "ifvlanproto %s %s", CALLED(p),
		    p->vlan_proto == ETH_TYPE_QINQ ? "802.1ad" : "802.1q");
}

SAVE_PORTS(group_fwd, members)
{
	for (uint32_t i = 0; i < BRIDGE_GROUPS; i++) {
		uint32_t what = p->group_fwd >> 2 * i & 3;

		if (what != BRIDGE_GROUP_PEER || s->all)
			keyword_put(s, "group-fwd %s %u %s", CALLED(p), i,
			    bridge_group_names[what]);
	}
}

SAVE_PORTS(storm, members)
{
	for (uint32_t i = 0; i < BRIDGE_STORMS; i++) {
		uint32_t limit = p->storms[i].limit.burst;

		if (limit != 0 || s->all)
			keyword_put(s, "storm %s %s %u", p->ifp->name,
			    bridge_storms[i].name, limit);
	}
}

static void
save_flapdamp(const struct iface *bridge, struct keyword_sink *s)
{
	const struct bridge *br = bridge_of_const(bridge);

	if (br->flap_max != 0)
		keyword_put(
		    s, "flapdamp %u hold %u", br->flap_max, br->flap_hold_s);
	else if (s->all)
		keyword_put(s, "-flapdamp");
}

static void
save_flag(const struct iface *bridge, struct keyword_sink *s, const char *word,
    uint32_t flag)
{
	keyword_put_switch(s, word, "",
	    (bridge_of_const(bridge)->vlan_flags & flag) != 0, false);
}

static void
save_vlanfilter(const struct iface *bridge, struct keyword_sink *s)
{
	save_flag(bridge, s, "vlanfilter", BRIDGE_VLANFILTER);
}

static void
save_defqinq(const struct iface *bridge, struct keyword_sink *s)
{
	save_flag(bridge, s, "defqinq", BRIDGE_DEFQINQ);
}

static void
save_defuntagged(const struct iface *bridge, struct keyword_sink *s)
{
	uint32_t vid = bridge_of_const(bridge)->defuntagged;

	if (vid != 0)
		keyword_put(s, "defuntagged %u", vid);
	else if (s->all)
		keyword_put(s, "-defuntagged");
}

static void
save_maxaddr(const struct iface *bridge, struct keyword_sink *s)
{
	keyword_put_number(
	    s, "maxaddr", bridge_of_const(bridge)->fdb.max, FDB_MAX_DEFAULT);
}

static void
save_timeout(const struct iface *bridge, struct keyword_sink *s)
{
	keyword_put_number(s, "timeout", bridge_of_const(bridge)->fdb.timeout_s,
	    FDB_TIMEOUT_DEFAULT_S);
}

struct static_walk {
	const struct bridge *br;
	struct keyword_sink *s;
	uint32_t count; /* of those that are said */
	bool put;
};

static void
static_each(void *arg, const struct fdb_entry *e)
{
	struct static_walk *w = arg;
	const struct bridge_port *p = w->br->ports[e->port];
	char mac[ETH_ADDR_STRLEN];
	uint8_t octets[ETH_ADDR_LEN];
	uint32_t vid = fdb_key_vid(e->key);

	if (e->type != FDB_STATIC ||
	    !keyword_may_say(w->s, &w->br->ifp, p->ifp))
		return;
	w->count++;
	if (!w->put)
		return;
	u64_to_mac(e->key, octets);
	ether_format(octets, mac);
	if (vid != 0)
		keyword_put(w->s, "static %s %s vlan %u", CALLED(p), mac, vid);
	else
		keyword_put(w->s, "static %s %s", CALLED(p), mac);
}

/* More than a new table takes need room first. */
static void
save_static(const struct iface *bridge, struct keyword_sink *s)
{
	const struct bridge *br = bridge_of_const(bridge);
	struct static_walk w = { .br = br, .s = s };
	uint32_t now_s = bridge_now_s(br);

	(void)fdb_walk_oldest(&br->fdb, now_s, static_each, &w);
	if (w.count > FDB_MAX_DEFAULT && !s->all)
		keyword_put(s, "maxaddr %u", COAX_MAX(w.count, br->fdb.max));
	w.put = true;
	(void)fdb_walk_oldest(&br->fdb, now_s, static_each, &w);
}

/* clang-format off */
#define ARG_IF     { .kind = KEYWORD_ARG_IFNAME, .name = "interface" }
#define ARG_MAC    { .kind = KEYWORD_ARG_MAC, .name = "address" }
#define ARG_VLAN(for_) { .kind = KEYWORD_ARG_VLAN, .name = "vlan id", \
			.min = 1, .max = 4094, .literal = "vlan", \
			.usage = (for_) }
#define ARG_U32(n) { .kind = KEYWORD_ARG_NUMBER, .name = (n), \
			.max = UINT32_MAX }

#define ARG_MAX(n, m) { .kind = KEYWORD_ARG_NUMBER, .name = (n), \
			.max = (m) }
#define ARG_GUARD(n, more) { .kind = KEYWORD_ARG_CHOICE, .name = (n), \
			.choices = "root\0tc\0bpdu\0filter\0loop\0" \
			    "assurance\0" more, \
			.bad = "unknown stp guard: " }
#define ARG_PVID   { .kind = KEYWORD_ARG_VLAN, .name = "vlan id", \
			.bad = "invalid VLAN identifier: " }
#define ARG_VLANS  { .kind = KEYWORD_ARG_VLANS, .name = "vlan set" }

#define ROW(word, call, function, state, text, ...) \
	{ .name = (word), .args = { __VA_ARGS__ }, .apply = (function), \
	    .bsd_name = (call), .help = (text), state }
/* A row and its negation, both with an interface. */
#define FLAG_ROWS(word, function, text, untext) \
	ROW_FLAG(word, set_##function, SAVE(function), text), \
	ROW_FLAG("-" word, unset_##function, SAVED_BY(word), untext)
/* A word by which an interface comes onto a bridge or leaves it: of who owns
 * both, or owns the one and is in the group of the other. */
#define ADDM_STATE    LIST(addm, "deletem"), .who = KEYWORD_GROUP, \
	.takes = true, .usage = "addm <interface> [opts ...]"
#define STATIC_USAGE  "static <interface> <address> [vlan <id>]"
#define STATIC_STATE  LIST(static, "deladdr"), .usage = STATIC_USAGE
#define DELADDR_USAGE "deladdr <address> [vlan <id>]"
#define DELADDR_STATE SAVED_BY("static"), .usage = DELADDR_USAGE
#define DELETEM_STATE SAVED_BY("addm"), .who = KEYWORD_GROUP, .takes = true
#define SPAN_STATE    LIST(span, "-span"), .takes = true
/* BSD reads the flags first: who is no member has none. */
#define ROW_FLAG(word, function, state, text) \
	{ .name = (word), .args = { ARG_IF }, .apply = (function), \
	    .bsd_name = "unable to set bridge flags", \
	    .bsd_absent = "unable to get bridge flags", \
	    .help = (text), state }
/* A row of which BSD prints the second argument, or none. */
#define ROW_SECOND(word, call, function, state, text, ...) \
	{ .name = (word), .args = { __VA_ARGS__ }, .apply = (function), \
	    .bsd_name = (call), .bsd_arg = 1, .help = (text), state }
#define ROW_BARE(word, call, function, state, text, ...) \
	{ .name = (word), .args = { __VA_ARGS__ }, .apply = (function), \
	    .bsd_name = (call), .bsd_arg = -1, .help = (text), state }
/* Where the state is that the word leaves. */
#define SAVE(function)   .save = save_##function
#define LIST(function, un) .save = save_##function, .undo = (un)
#define SAVED_BY(word)   .saved_by = (word)
#define NO_STATE         .saved_by = ""

const struct iface_keyword bridge_keywords[] = {
	ROW("addm", "BRDGADD", set_addm, ADDM_STATE, "add a member", ARG_IF,
	    { .kind = KEYWORD_ARG_VLAN, .name = "vlan id",
	        .literal = "untagged", .as = "ifuntagged",
	        .usage = "untagged <vlan id>",
	        .bad = "invalid VLAN identifier: " },
	    { .kind = KEYWORD_ARG_VLANS, .name = "vlan set",
	        .literal = "tagged", .as = "iftagged",
	        .usage = "tagged <vlan set>" }),
	ROW("deletem", "BRDGDEL", set_deletem, DELETEM_STATE, "remove a member", ARG_IF),
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
	FLAG_ROWS("autoptp", autoptp,
	    "spanning tree: find out whether it is point-to-point",
	    "spanning tree: do not find out whether it is point-to-point"),
	ROW_FLAG("ptp", set_ptp, LIST(ptp, "autoptp"),
	    "spanning tree: the member's link is point-to-point"),
	ROW_FLAG("-ptp", unset_ptp, SAVED_BY("ptp"),
	    "spanning tree: the member's link is shared"),
	ROW_SECOND("ifpriority", "BRDGSIFPRIO", set_ifpriority, SAVE(ifpriority),
	    "spanning tree: the member's priority", ARG_IF,
	    ARG_MAX("priority", UINT8_MAX)),
	ROW_SECOND("ifpathcost", "BRDGSIFCOST", set_ifpathcost, SAVE(ifpathcost),
	    "spanning tree: the member's path cost; 0: by its speed", ARG_IF,
	    ARG_U32("cost")),
	ROW_SECOND("stp-guard", "BRDGSIFGUARD", set_guard, LIST(guard, "-stp-guard"),
	    "spanning tree: what the member is guarded against", ARG_IF,
	    ARG_GUARD("root, tc, bpdu, filter, loop or assurance", "")),
	ROW_SECOND("-stp-guard", "BRDGSIFGUARD", unset_guard, SAVED_BY("stp-guard"),
	    "spanning tree: take a guard off the member, or all", ARG_IF,
	    ARG_GUARD("root, tc, bpdu, filter, loop, assurance or all",
	        "all\0")),
	FLAG_ROWS("stp", stp,
	    "run spanning tree on the member",
	    "do not run spanning tree on the member"),
	ROW("mcheck", "BRDGSIFMCHECK", set_mcheck, NO_STATE,
	    "spanning tree: find out again whether the member's LAN speaks "
	    "RSTP", ARG_IF),
	ROW("proto", "BRDGSPROTO", set_proto, SAVE(proto), "spanning tree: the protocol",
	    { .kind = KEYWORD_ARG_CHOICE, .name = "stp or rstp",
	        .choices = "stp\0rstp\0", .any_case = true,
	        .bad = "unknown stp protocol" }),
	ROW("priority", "BRDGSPRI", set_priority, SAVE(priority),
	    "spanning tree: the bridge's priority",
	    ARG_MAX("priority", UINT16_MAX)),
	ROW("hellotime", "BRDGSHT", set_hellotime, SAVE(hellotime),
	    "spanning tree: seconds between BPDUs, in proto stp",
	    ARG_MAX("seconds", UINT8_MAX)),
	ROW("fwddelay", "BRDGSFD", set_fwddelay, SAVE(fwddelay),
	    "spanning tree: seconds of learning before forwarding",
	    ARG_MAX("seconds", UINT8_MAX)),
	ROW("maxage", "BRDGSMA", set_maxage, SAVE(maxage),
	    "spanning tree: seconds that a message may be old",
	    ARG_MAX("seconds", UINT8_MAX)),
	ROW("holdcnt", "BRDGSTXHC", set_holdcnt, SAVE(holdcnt),
	    "spanning tree: BPDUs that a member sends in a second",
	    ARG_MAX("count", UINT8_MAX)),
	ROW("span", "BRDGADDS", set_span, SPAN_STATE,
	    "add a port that sends a copy of everything", ARG_IF),
	ROW("-span", "BRDGDELS", unset_span, SAVED_BY("span"), "remove a span port", ARG_IF),
	ROW("flush", "BRDGFLUSH", set_flush, NO_STATE, "forget learned addresses",
	    { 0 }),
	ROW("flushall", "BRDGFLUSH", set_flushall, NO_STATE, "forget all addresses",
	    { 0 }),
	ROW_BARE("static", "BRDGSADDR", set_static, STATIC_STATE,
	    "enter an address behind a member", ARG_IF, ARG_MAC,
	    ARG_VLAN(STATIC_USAGE)),
	ROW_BARE("deladdr", "BRDGDADDR", set_deladdr, DELADDR_STATE,
	    "forget an address, in every VLAN or in one", ARG_MAC,
	    ARG_VLAN(DELADDR_USAGE)),
	{ .name = "addr", .bsd_name = "BRDGRTS", NO_STATE,
	    .help = "show the addresses", .show = bridge_get_addresses },
	{ .name = "saddr", .bsd_name = "BRDGRTS", NO_STATE,
	    .help = "show the static addresses",
	    .show = bridge_get_static_addresses },
	ROW("maxaddr", "BRDGSCACHE", set_maxaddr, SAVE(maxaddr),
	    "the most addresses that are kept", ARG_U32("size")),
	ROW("timeout", "BRDGSTO", set_timeout, SAVE(timeout),
	    "seconds until an address is forgotten; 0: never",
	    ARG_U32("seconds")),
	ROW_SECOND("ifmaxaddr", "BRDGSIFAMAX", set_ifmaxaddr, SAVE(ifmaxaddr),
	    "the most addresses learned on the member; 0: no limit",
	    ARG_IF, ARG_U32("number")),
	ROW_SECOND("ifuntagged", "BRDGSIFPVID", set_ifuntagged, SAVE(ifuntagged),
	    "the VLAN of untagged frames on the member", ARG_IF, ARG_PVID),
	ROW_BARE("-ifuntagged", "BRDGSIFPVID", unset_ifuntagged, SAVED_BY("ifuntagged"),
	    "untagged frames on the member have no VLAN", ARG_IF),
	ROW_SECOND("iftagged", "BRDGSIFVLANSET", set_iftagged, SAVE(iftagged),
	    "the VLANs that are tagged on the member", ARG_IF, ARG_VLANS),
	ROW_SECOND("+iftagged", "BRDGSIFVLANSET", add_iftagged, SAVED_BY("iftagged"),
	    "more VLANs that are tagged on the member", ARG_IF, ARG_VLANS),
	ROW_SECOND("-iftagged", "BRDGSIFVLANSET", unset_iftagged, SAVED_BY("iftagged"),
	    "VLANs that are not tagged on the member any more", ARG_IF,
	    ARG_VLANS),
	ROW_BARE("ifvlanproto", "BRDGSIFVLANPROTO", set_ifvlanproto, SAVE(ifvlanproto),
	    "the protocol of tags that the member sends", ARG_IF,
	    { .kind = KEYWORD_ARG_CHOICE, .name = "802.1q or 802.1ad",
	        .choices = "802.1q\0802.1ad\0",
	        .bad = "unrecognised VLAN protocol: " }),
	FLAG_ROWS("qinq", qinq,
	    "frames with two tags may enter at the member",
	    "frames with two tags may not enter at the member"),
	ROW("vlanfilter", "BRDGSFLAGS", set_vlanfilter, SAVE(vlanfilter),
	    "VLANs enter and leave where they are allowed to", { 0 }),
	ROW("-vlanfilter", "BRDGSFLAGS", unset_vlanfilter, SAVED_BY("vlanfilter"),
	    "every VLAN may enter and leave everywhere", { 0 }),
	ROW_BARE("defuntagged", "BRDGSDEFPVID", set_defuntagged, SAVE(defuntagged),
	    "ifuntagged of members added later",
	    { .kind = KEYWORD_ARG_VLAN, .name = "vlan id" }),
	ROW("-defuntagged", "BRDGSDEFPVID", unset_defuntagged, SAVED_BY("defuntagged"),
	    "members added later have no ifuntagged", { 0 }),
	ROW("defqinq", "BRDGSFLAGS", set_defqinq, SAVE(defqinq),
	    "members added later have qinq", { 0 }),
	ROW("-defqinq", "BRDGSFLAGS", unset_defqinq, SAVED_BY("defqinq"),
	    "members added later have no qinq", { 0 }),
	ROW_BARE("group-fwd", "BRDGSIFGROUPFWD", set_group_fwd, SAVE(group_fwd),
	    "what the member does with frames to 01:80:c2:00:00:0X", ARG_IF,
	    { .kind = KEYWORD_ARG_NUMBER, .name = "group", .max = 15 },
	    { .kind = KEYWORD_ARG_CHOICE, .name = "peer, drop or forward",
	        .choices = "peer\0drop\0forward\0" }),
	ROW_BARE("storm", "BRDGSIFSTORM", set_storm, SAVE(storm),
	    "frames a second that the member may bring in to be flooded", ARG_IF,
	    { .kind = KEYWORD_ARG_CHOICE,
	        .name = "broadcast, multicast or unknown",
	        .choices = "broadcast\0multicast\0unknown\0" },
	    ARG_U32("frames a second")),
	ROW("flapdamp", "BRDGSFLAPDAMP", set_flapdamp, SAVE(flapdamp),
	    "hold addresses that move more often in a second",
	    ARG_U32("moves"),
	    { .kind = KEYWORD_ARG_NUMBER, .name = "seconds", .min = 1,
	        .max = 86400, .literal = "hold" }),
	ROW("-flapdamp", "BRDGSFLAPDAMP", unset_flapdamp, SAVED_BY("flapdamp"),
	    "addresses may move as often as they like", { 0 }),
	{ .name = NULL },
};
/* clang-format on */

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface, an event as JSON: the objects that methods.h documents. What
 * BSD's ifconfig shows by ioctl is gathered here, the kind adds its own part
 * by ops->get.
 */
#include <string.h>

#include "base/ether.h"
#include "base/util.h"
#include "control/info_json.h"
#include "control/methods.h"
#include "frame/offload.h"
#include "net/impair.h"
#include "net/macs.h"

static const struct flag_name {
	uint32_t bit;
	const char *name;
} iface_flags[] = {
	{ IFACE_UP, "UP" },
	{ IFACE_BROADCAST, "BROADCAST" },
	{ IFACE_DEBUG, "DEBUG" },
	{ IFACE_LOOPBACK, "LOOPBACK" },
	{ IFACE_POINTOPOINT, "POINTOPOINT" },
	{ IFACE_RUNNING, "RUNNING" },
	{ IFACE_NOARP, "NOARP" },
	{ IFACE_PROMISC, "PROMISC" },
	{ IFACE_ALLMULTI, "ALLMULTI" },
	{ IFACE_SIMPLEX, "SIMPLEX" },
	{ IFACE_LINK0, "LINK0" },
	{ IFACE_LINK1, "LINK1" },
	{ IFACE_LINK2, "LINK2" },
	{ IFACE_MULTICAST, "MULTICAST" },
	{ IFACE_MONITOR, "MONITOR" },
	{ IFACE_LOWER_UP, "LOWER_UP" },
	{ 0, NULL },
};

/* BSD's IFCAP_* bits. */
#define CAP_RXCSUM      0x000001u
#define CAP_TXCSUM      0x000002u
#define CAP_TSO4        0x000100u
#define CAP_TSO6        0x000200u
#define CAP_LRO         0x000400u
#define CAP_LINKSTATE   0x080000u
#define CAP_RXCSUM_IPV6 0x200000u
#define CAP_TXCSUM_IPV6 0x400000u

static const struct flag_name iface_options[] = {
	{ CAP_RXCSUM, "RXCSUM" },
	{ CAP_TXCSUM, "TXCSUM" },
	{ CAP_TSO4, "TSO4" },
	{ CAP_TSO6, "TSO6" },
	{ CAP_LRO, "LRO" },
	{ CAP_LINKSTATE, "LINKSTATE" },
	{ CAP_RXCSUM_IPV6, "RXCSUM_IPV6" },
	{ CAP_TXCSUM_IPV6, "TXCSUM_IPV6" },
	{ 0, NULL },
};

static const char *const link_names[] = {
	[IFACE_LINK_UNKNOWN] = "unknown",
	[IFACE_LINK_DOWN] = "down",
	[IFACE_LINK_UP] = "up",
};

static json_t *
flag_names(uint32_t flags, const struct flag_name *rows)
{
	json_t *a = json_array();

	for (; rows->name != NULL; rows++)
		if ((flags & rows->bit) != 0)
			json_array_append_new(a, json_string(rows->name));
	return a;
}

static uint32_t
options_of(const struct iface *ifp)
{
	uint32_t o = 0;

	static const struct {
		uint32_t in, out, option;
	} rows[] = {
		{ 0, OFFLOAD_CSUM4, CAP_TXCSUM },
		{ 0, OFFLOAD_CSUM6, CAP_TXCSUM_IPV6 },
		{ 0, OFFLOAD_TSO4, CAP_TSO4 },
		{ 0, OFFLOAD_TSO6, CAP_TSO6 },
		{ OFFLOAD_CSUM4, 0, CAP_RXCSUM },
		{ OFFLOAD_CSUM6, 0, CAP_RXCSUM_IPV6 },
		{ OFFLOAD_TSO4 | OFFLOAD_TSO6, 0, CAP_LRO },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if ((ifp->caps_in & rows[i].in) != 0 ||
		    (ifp->caps & rows[i].out) != 0)
			o |= rows[i].option;
	}
	if (ifp->link != IFACE_LINK_UNKNOWN)
		o |= CAP_LINKSTATE;
	return o;
}

/* LOWER_UP is what the link says: BSD's netlink puts it into the word. */
static uint32_t
flags_of(const struct iface *ifp)
{
	uint32_t flags = ifp->flags & ~IFACE_LOWER_UP;

	if (ifp->link == IFACE_LINK_UP ||
	    (ifp->link == IFACE_LINK_UNKNOWN && iface_running(ifp)))
		flags |= IFACE_LOWER_UP;
	return flags;
}

static void
put_host(json_t *o, const struct iface *ifp, const struct vnet *vnet)
{
	if (ifp->host == NULL) {
		json_object_set_new(o, "host", json_null());
		return;
	}
	json_object_set_new(o, "host",
	    json_pack("{s:s,s:b,s:b}", "vnet", ifp->host->vnet->name, "up",
	        ifp->host->up, "promisc", ifp->host->promisc));
	if (ifp->host->vnet != vnet)
		json_object_set_new(
		    o, "away", json_string(ifp->host->vnet->name));
}

static void
put_addresses(json_t *o, const struct iface *ifp)
{
	const struct net_system *sys = &ifp->net->system;
	struct info_json j;
	json_t *addresses;

	if (ifp->host == NULL || sys->addr_list == NULL)
		return;
	info_json_init(&j, o);
	sys->addr_list(sys->arg, ifp, &j.info);
	addresses = json_object_get(o, "addresses");
	if (json_array_size(addresses) == 0)
		json_object_del(o, "addresses");
}

/* The words that a radio would have. */
static void
put_wlan(json_t *o, const struct iface *ifp)
{
	const struct {
		const char *key, *value;
	} words[] = {
		{ "ssid", ifp->wlan.ssid },
		{ "channel", ifp->wlan.channel },
		{ "mode", ifp->wlan.mode },
		{ "wlanmode", ifp->wlan.wlanmode },
	};
	json_t *wlan = NULL;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (words[i].value[0] == '\0')
			continue;
		if (wlan == NULL)
			wlan = json_object();
		json_object_set_new(
		    wlan, words[i].key, info_json_text(words[i].value));
	}
	if (wlan != NULL)
		json_object_set_new(o, "wlan", wlan);
}

static void
put_owner(json_t *o, const struct iface *ifp)
{
	char macs[IFACE_MACS_TEXT];

	if (ifp->user != NULL)
		json_object_set_new(o, "user", json_integer(ifp->uid));
	if (ifp->gid != NET_ID_NONE)
		json_object_set_new(o, "usergroup", json_integer(ifp->gid));
	if (ifp->macs != NULL)
		json_object_set_new(
		    o, "macs", json_string(iface_macs_format(ifp, macs)));
}

static void
put_impair(json_t *o, const struct iface *ifp)
{
	struct info_json j;
	json_t *impair;

	if (ifp->impair == NULL)
		return;
	impair = json_object();
	info_json_init(&j, impair);
	iface_impair_get(ifp, &j.info);
	json_object_set_new(o, "impair", impair);
}

static void
put_counters(json_t *o, const struct iface *ifp)
{
	const struct iface_counters *c = &ifp->count;
	json_t *drops = json_object();
	uint64_t total = 0;

	json_object_set_new(o, "counters",
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
	        "ipackets", (json_int_t)c->ipackets, "ibytes",
	        (json_int_t)c->ibytes, "ierrors", (json_int_t)c->ierrors,
	        "imcasts", (json_int_t)c->imcasts, "iqdrops",
	        (json_int_t)c->iqdrops, "opackets", (json_int_t)c->opackets,
	        "obytes", (json_int_t)c->obytes, "oerrors",
	        (json_int_t)c->oerrors, "omcasts", (json_int_t)c->omcasts,
	        "collisions", (json_int_t)c->collisions, "noproto",
	        (json_int_t)c->noproto));
	for (int i = 0; i < DROP_COUNT; i++) {
		if (c->drops[i] == 0)
			continue;
		total += c->drops[i];
		json_object_set_new(drops, drop_info((enum drop_reason)i)->name,
		    json_integer((json_int_t)c->drops[i]));
	}
	json_object_set_new(o, "drops_total", json_integer((json_int_t)total));
	json_object_set_new(o, "drops", drops);
}

static const struct flag_name nd6_flags[] = {
	{ IFACE_ND6_PERFORMNUD, "PERFORMNUD" },
	{ IFACE_ND6_ACCEPT_RTADV, "ACCEPT_RTADV" },
	{ IFACE_ND6_IFDISABLED, "IFDISABLED" },
	{ IFACE_ND6_AUTO_LINKLOCAL, "AUTO_LINKLOCAL" },
	{ IFACE_ND6_NO_RADR, "NO_RADR" },
	{ IFACE_ND6_NO_DAD, "NO_DAD" },
	{ 0, NULL },
};

/* Only what somebody has said: the rest is as the kernel has it. */
static void
put_nd6(json_t *o, const struct iface *ifp)
{
	uint32_t flags = ifp->nd6 | IFACE_ND6_PERFORMNUD;

	if (ifp->nd6_said == 0)
		return;
	json_object_set_new(o, "nd6",
	    json_pack("{s:I,s:o}", "options", (json_int_t)flags, "option_names",
	        flag_names(flags, nd6_flags)));
}

/* What was asked for, and what has come of it. */
static void
put_dhcp(json_t *o, const struct iface *ifp)
{
	const struct net_system *sys = &ifp->net->system;
	struct info_json j;
	json_t *dhcp;

	if (ifp->dhcp == IFACE_DHCP_OFF)
		return;
	info_json_init(&j, o);
	if (sys->dhcp_get != NULL)
		sys->dhcp_get(sys->arg, ifp, &j.info);
	dhcp = json_object_get(o, "dhcp");
	if (dhcp == NULL) {
		dhcp = json_pack("{s:s}", "state", "off");
		json_object_set_new(o, "dhcp", dhcp);
	}
	json_object_set_new(
	    dhcp, "sync", json_boolean(ifp->dhcp == IFACE_DHCP_SYNC));
}

static const char *
media_of(const struct iface *ifp)
{
	if (ifp->media[0] != '\0')
		return ifp->media;
	return ifp->ops->media != NULL ? ifp->ops->media : "autoselect";
}

json_t *
control_iface_json(const struct iface *ifp, const struct vnet *vnet)
{
	const struct net_system *sys = &ifp->net->system;
	char mac[ETH_ADDR_STRLEN];
	uint32_t flags = flags_of(ifp), options = options_of(ifp);
	struct info_json j;
	json_t *o, *kind, *peer, *groups;

	if (vnet == NULL)
		vnet = ifp->net->home;
	/* The counters of the netdev are part of ours. */
	if (ifp->host != NULL && sys->host_refresh != NULL)
		sys->host_refresh(sys->arg, (struct iface *)(uintptr_t)ifp);
	o = json_pack("{s:s,s:s,s:I,s:I,s:s,s:I,s:o,s:i,s:I,s:I,s:o,s:s}",
	    "name", ifp->name, "kind", ifp->ops->kind, "unit",
	    ifp->unit == IFACE_UNIT_NONE ? (json_int_t)-1
	                                 : (json_int_t)ifp->unit,
	    "index", (json_int_t)ifp->index, "vnet", ifp->vnet->name, "flags",
	    (json_int_t)flags, "flag_names", flag_names(flags, iface_flags),
	    "metric", 0, "mtu", (json_int_t)ifp->mtu, "options",
	    (json_int_t)options, "option_names",
	    flag_names(options, iface_options), "ether",
	    ether_format(ifp->mac, mac));
	if (o == NULL)
		return NULL;
	if ((ifp->ops->kind_flags & IFACE_KIND_NO_ADDRESS) != 0)
		json_object_del(o, "ether");
	put_host(o, ifp, vnet);
	if (ifp->descr[0] != '\0')
		json_object_set_new(
		    o, "description", info_json_text(ifp->descr));
	put_owner(o, ifp);
	put_addresses(o, ifp);
	put_nd6(o, ifp);
	put_dhcp(o, ifp);
	put_impair(o, ifp);
	if (ifp->stack != NULL && ifp->stack->master != NULL)
		json_object_set_new(
		    o, "member_of", json_string(ifp->stack->master->name));
	kind = json_object();
	if (ifp->ops->get != NULL) {
		info_json_init(&j, kind);
		ifp->ops->get(ifp, &j.info);
	}
	peer = json_object_get(kind, "peer");
	json_object_set_new(o, "link", json_string(link_names[ifp->link]));
	if (ifp->link != IFACE_LINK_UNKNOWN || peer != NULL) {
		json_object_set_new(o, "media", json_string(media_of(ifp)));
		/* Darwin's feth: active exactly when it has a peer. */
		json_object_set_new(o, "status",
		    json_string(peer != NULL ? json_is_string(peer) ? "active"
		                                                    : "inactive"
		                : ifp->link == IFACE_LINK_UP ? "active"
		                                             : "no carrier"));
	}
	put_wlan(o, ifp);
	groups = json_array();
	for (uint32_t i = 0; i < ifp->group_count; i++)
		json_array_append_new(groups, json_string(ifp->groups[i]));
	json_object_set_new(o, "groups", groups);
	put_counters(o, ifp);
	json_object_set_new(
	    o, "created_ns", json_integer((json_int_t)ifp->created_ns));
	json_object_set_new(o, "link_changed_ns",
	    json_integer((json_int_t)ifp->link_changed_ns));
	json_object_set_new(o,
	    ifp->ops->info_name != NULL ? ifp->ops->info_name : ifp->ops->kind,
	    kind);
	return o;
}

static const char *const event_names[] = {
	[NET_EVENT_CREATE] = "create",
	[NET_EVENT_DESTROY] = "destroy",
	[NET_EVENT_CHANGE] = "change",
	[NET_EVENT_LINK] = "link",
	[NET_EVENT_LEARNED] = "learned",
	[NET_EVENT_MOVED] = "moved",
	[NET_EVENT_EXPIRED] = "expired",
	[NET_EVENT_DROPS] = "drops",
	[NET_EVENT_MEMBER] = "member",
	[NET_EVENT_STP] = "stp",
	[NET_EVENT_STORM] = "storm",
	[NET_EVENT_FLAP] = "flap",
	[NET_EVENT_VNET] = "vnet",
	[NET_EVENT_HOST] = "host",
	[NET_EVENT_NOTICE] = "notice",
};

const char *
control_event_name(uint32_t type)
{
	return type < ARRAY_LEN(event_names) ? event_names[type] : NULL;
}

static const struct flag_name change_names[] = {
	{ IFACE_CHANGED_FLAGS, "flags" },
	{ IFACE_CHANGED_LINK, "link" },
	{ IFACE_CHANGED_MTU, "mtu" },
	{ IFACE_CHANGED_LLADDR, "lladdr" },
	{ IFACE_CHANGED_NAME, "name" },
	{ IFACE_CHANGED_CAPS, "caps" },
	{ IFACE_CHANGED_STACK, "stack" },
	{ IFACE_CHANGED_DESCR, "description" },
	{ IFACE_CHANGED_IMPAIR, "impair" },
	{ IFACE_CHANGED_ND6, "nd6" },
	{ IFACE_CHANGED_OWNER, "owner" },
	{ IFACE_CHANGED_MACS, "macs" },
	{ IFACE_CHANGED_DHCP, "dhcp" },
	{ 0, NULL },
};

/* What changed, with the values it has now. */
static void
put_change(json_t *o, const struct iface *ifp, uint32_t what)
{
	char mac[ETH_ADDR_STRLEN];

	json_object_set_new(o, "changed", flag_names(what, change_names));
	if ((what & IFACE_CHANGED_FLAGS) != 0)
		json_object_set_new(
		    o, "flag_names", flag_names(flags_of(ifp), iface_flags));
	if ((what & IFACE_CHANGED_MTU) != 0)
		json_object_set_new(
		    o, "mtu", json_integer((json_int_t)ifp->mtu));
	if ((what & IFACE_CHANGED_LLADDR) != 0)
		json_object_set_new(
		    o, "ether", json_string(ether_format(ifp->mac, mac)));
	if ((what & IFACE_CHANGED_DESCR) != 0)
		json_object_set_new(
		    o, "description", info_json_text(ifp->descr));
}

json_t *
control_event_json(const struct net_event *ev)
{
	const struct iface *ifp = ev->ifp;
	char mac[ETH_ADDR_STRLEN];
	json_t *o;

	o = json_pack("{s:s,s:I}", "type", control_event_name(ev->type),
	    "time_ns", (json_int_t)ev->now_ns);
	if (o == NULL)
		return NULL;
	if (ifp != NULL) {
		json_object_set_new(o, "iface", json_string(ifp->name));
		json_object_set_new(o, "vnet", json_string(ifp->vnet->name));
	}
	if (ev->other != NULL)
		json_object_set_new(o, "other", json_string(ev->other->name));
	if (ev->mac != NULL)
		json_object_set_new(
		    o, "mac", json_string(ether_format(ev->mac, mac)));
	if (ev->vlan >= 0)
		json_object_set_new(o, "vlan", json_integer(ev->vlan));
	if (ev->type == NET_EVENT_CHANGE && ifp != NULL)
		put_change(o, ifp, ev->what);
	if (ev->type == NET_EVENT_LINK && ifp != NULL)
		json_object_set_new(
		    o, "link", json_string(link_names[ifp->link]));
	if (ev->type == NET_EVENT_DROPS && ev->what < DROP_COUNT) {
		json_object_set_new(o, "reason",
		    json_string(drop_info((enum drop_reason)ev->what)->name));
		json_object_set_new(
		    o, "count", json_integer((json_int_t)ev->value));
	}
	if (ev->role != NULL)
		json_object_set_new(o, "role", json_string(ev->role));
	if (ev->state != NULL)
		json_object_set_new(o, "state", json_string(ev->state));
	if (ev->text != NULL)
		json_object_set_new(o, "text", info_json_text(ev->text));
	if (ev->cause != NULL)
		json_object_set_new(o, "cause", json_string(ev->cause));
	return o;
}

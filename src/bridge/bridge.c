/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bridge as an interface: birth and end, its address, link state, ageing,
 * events, tunables.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/hash.h"
#include "bridge/bridge_impl.h"
#include "frame/offload.h"

#define BRIDGE_UNIT_MAX 0x7fff
#define BRIDGE_MTU_MIN  72
#define PORTS_AT_FIRST  16u

/* Slots of the address table that one run of the timer looks at, and how many
 * slots a second are worth looking at for the sake of entries that nobody can
 * see any more. */
#define SWEEP_SLOTS       16384u
#define SWEEP_SLOTS_PER_S 65536u

#define FLAPS_PER_S   5    /* as FreeBSD; Differs: of a bridge, not a vnet */
#define LEARNED_PER_S 1000 /* events; the next says how many were left out */
#define NS_PER_S      1000000000u

static const struct bridge_tunable_info tunable_table[] = {
	[BRIDGE_INHERIT_MAC] = { "inherit_mac",
	    "A bridge takes the address of its first member", 0, 1 },
	[BRIDGE_LOG_MAC_FLAP] = { "log_mac_flap",
	    "Log addresses that move between members", 1, 1 },
	[BRIDGE_LOG_STP] = { "log_stp",
	    "Log states of members that spanning tree changes", 0, 1 },
	[BRIDGE_MEMBER_IFADDRS] = { "member_ifaddrs",
	    "Members may have addresses of the host", 1, 1 },
	[BRIDGE_MTU_EXACT] = { "mtu_exact",
	    "Refuse a member whose MTU differs instead of changing it", 0, 1 },
	[BRIDGE_ALLOW_LLZ_OVERLAP] = { "allow_llz_overlap",
	    "Members keep IPv6 addresses beside a bridge with link-local ones",
	    0, 1 },
	[BRIDGE_CAPMASK] = { "capmask",
	    "Members use only the offloads that all of them have", 0, 1 },
	[BRIDGE_PFIL_ONLYIP] = { "pfil_onlyip",
	    "Where frames are filtered, only IP and ARP pass", 1, 1 },
	[BRIDGE_PFIL_MEMBER] = { "pfil_member", "Filter frames on members", 0,
	    1 },
	[BRIDGE_PFIL_BRIDGE] = { "pfil_bridge", "Filter frames on bridges", 0,
	    1 },
	[BRIDGE_PFIL_LOCAL_PHYS] = { "pfil_local_phys",
	    "Filter frames for the host on the member they come in by, too", 0,
	    1 },
	[BRIDGE_IPFW] = { "ipfw", "Filter frames with ipfw's layer 2", 0, 1 },
	[BRIDGE_IPFW_ARP] = { "ipfw_arp", "... and ARP among them", 0, 1 },
};
_Static_assert(
    sizeof(tunable_table) / sizeof(tunable_table[0]) == BRIDGE_TUNABLE_COUNT,
    "a row for each");
_Static_assert(BRIDGE_TUNABLE_COUNT <= NET_TUNABLES_BRIDGE, "room in a vnet");

const struct bridge_tunable_info *
bridge_tunable_info(enum bridge_tunable t)
{
	ASSERT((unsigned int)t < BRIDGE_TUNABLE_COUNT);
	return &tunable_table[t];
}

uint32_t
bridge_tunable_get(const struct vnet *vnet, enum bridge_tunable t)
{
	return vnet->tunables[t] ^ bridge_tunable_info(t)->preset;
}

int
bridge_tunable_set(struct vnet *vnet, enum bridge_tunable t, uint32_t value)
{
	struct iface *ifp;

	if (value > bridge_tunable_info(t)->max)
		return -EINVAL;
	vnet->tunables[t] = value ^ bridge_tunable_info(t)->preset;
	/* So that a frame is not filtered twice; they can be set again. */
	if (t == BRIDGE_IPFW && value != 0) {
		for (t = BRIDGE_PFIL_ONLYIP; t <= BRIDGE_PFIL_BRIDGE; t++)
			vnet->tunables[t] = bridge_tunable_info(t)->preset;
	}
	if (t == BRIDGE_CAPMASK) {
		TAILQ_FOREACH (ifp, &vnet->net->ifaces, all_link) {
			if (bridge_is(ifp) && net_host_vnet(ifp) == vnet)
				bridge_caps_update(bridge_of(ifp));
		}
	}
	return 0;
}

/*
 * The address of a bridge: unicast, locally administered, the same after a
 * restart, another in another vnet, daemon, machine.
 * Differs: FreeBSD takes the range 58:9c:fc, which is not ours to use.
 */
static void
mac_generate(struct bridge *br)
{
	struct net *net = br->ifp.net;
	char text[NET_VNET_NAME_MAX + IFACE_NAME_MAX + 16];
	uint8_t *mac = br->generated_mac;

	for (uint32_t i = 0; i == 0 || net_lladdr_taken(&br->ifp, mac); i++) {
		snprintf(text, sizeof(text), "%s@%s %u", br->ifp.name,
		    br->ifp.vnet->name, i);
		u64_to_mac(hash_bytes(net->identity, text, strlen(text)), mac);
		mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
	}
}

void
bridge_event(struct bridge *br, enum net_event_type type, uint64_t key,
    struct iface *port, const char *text, uint64_t value)
{
	uint8_t mac[ETH_ADDR_LEN];
	struct net_event ev = {
		.type = type,
		.ifp = &br->ifp,
		.other = port,
		.vlan = -1,
		.value = value,
		.text = text,
	};

	if (key != 0) {
		u64_to_mac(key, mac);
		ev.mac = mac;
		ev.vlan = (int)fdb_key_vid(key);
	}
	net_emit(br->ifp.net, &ev);
}

/* An address has left the table. */
static void
address_removed(void *arg, uint64_t key, uint16_t port, enum fdb_why why)
{
	static const char *const text[] = {
		[FDB_EXPIRED] = "expired",
		[FDB_FLUSHED] = "flushed",
		[FDB_DELETED] = "deleted",
	};
	struct bridge *br = arg;
	const struct bridge_port *p = br->ports[port];

	if (TAILQ_EMPTY(&br->ifp.net->subscribers))
		return;
	bridge_event(br, NET_EVENT_EXPIRED, key, p != NULL ? p->ifp : NULL,
	    text[why], 0);
}

void
bridge_age_arm(struct bridge *br)
{
	struct timerheap *timers = br->ifp.net->timers;
	uint32_t due_s = fdb_due_s(&br->fdb);
	uint32_t coarse_s =
	    br->swept_s + fdb_slots(&br->fdb) / SWEEP_SLOTS_PER_S;

	if (timers == NULL || br->ifp.dying)
		return;
	if (due_s == FDB_NEVER) {
		timerheap_del(timers, &br->age_timer);
		br->armed_s = FDB_NEVER;
		return;
	}
	/* In a large table entries expire all the time: they are unseen from
	 * then on, and a sweep for many at once will do. */
	if (due_s < coarse_s && !br->fdb.sweeping)
		due_s = coarse_s;
	if (timer_is_set(&br->age_timer) && br->armed_s <= due_s)
		return;
	if (timerheap_add(timers, &br->age_timer, due_s * (uint64_t)NS_PER_S) ==
	    0)
		br->armed_s = due_s;
}

static void
bridge_age(struct timer *t, uint64_t now_ns)
{
	struct bridge *br = CONTAINER_OF(t, struct bridge, age_timer);
	uint32_t now_s = (uint32_t)(now_ns / NS_PER_S);

	br->armed_s = FDB_NEVER;
	if (!fdb_sweep(&br->fdb, now_s, SWEEP_SLOTS))
		br->swept_s = now_s;
	bridge_age_arm(br);
}

/* UP if a member's link is; UP, too, if there are members and none knows. */
void
bridge_link_update(struct bridge *br)
{
	enum iface_link link = IFACE_LINK_DOWN;
	const struct bridge_port *p;
	bool known = false;

	TAILQ_FOREACH (p, &br->members, link) {
		known = known || p->ifp->link != IFACE_LINK_UNKNOWN;
		if (p->ifp->link == IFACE_LINK_UP)
			link = IFACE_LINK_UP;
	}
	if (!known && !TAILQ_EMPTY(&br->members))
		link = IFACE_LINK_UP;
	iface_set_link(&br->ifp, link);
}

static int
bridge_create(struct iface *ifp)
{
	struct bridge *br = bridge_of(ifp);

	TAILQ_INIT(&br->members);
	TAILQ_INIT(&br->spans);
	SLIST_INIT(&br->pending);
	br->ports = calloc(PORTS_AT_FIRST, sizeof(struct bridge_port *));
	if (br->ports == NULL || own_reserve(br) < 0)
		goto out_free;
	br->ports_size = PORTS_AT_FIRST;
	if (fdb_init(&br->fdb, ifp->net->hash_seed, PORTS_AT_FIRST) < 0)
		goto out_free;
	br->fdb.removed = address_removed;
	br->fdb.removed_arg = br;
	br->host.ifp = ifp;
	br->host.to_host = true;
	br->age_timer.fn = bridge_age;
	br->armed_s = FDB_NEVER;
	br->flap_limit.period_ns = NS_PER_S;
	br->flap_limit.burst = FLAPS_PER_S;
	br->learned_limit.period_ns = NS_PER_S;
	br->learned_limit.burst = LEARNED_PER_S;
	mac_generate(br);
	ether_copy(ifp->mac, br->generated_mac);
	if (bridge_stp_init(br) < 0)
		goto out_fdb;
	ifp->caps = OFFLOAD_ALL; /* outputs are made to fit one by one */
	iface_set_link(ifp, IFACE_LINK_DOWN);
	return 0;

out_fdb:
	fdb_fini(&br->fdb);
out_free:
	free(br->ports);
	free(br->own);
	return -ENOMEM;
}

static void
bridge_destroy(struct iface *ifp)
{
	struct bridge *br = bridge_of(ifp);

	bridge_remove_all(br);
	if (ifp->net->timers != NULL)
		timerheap_del(ifp->net->timers, &br->age_timer);
	bridge_stp_fini(br);
	fdb_fini(&br->fdb);
	free(br->ports);
	free(br->own);
	free(br->flaps);
}

static void
bridge_changed(struct iface *ifp, uint32_t what)
{
	struct bridge *br = bridge_of(ifp);
	bool up = (ifp->flags & IFACE_UP) != 0;

	if ((what & (IFACE_CHANGED_LLADDR | IFACE_CHANGED_VLANS)) != 0 &&
	    own_reserve(br) < 0)
		log_warning(
		    "%s: no memory for the addresses of its VLANs", ifp->name);
	if ((what & IFACE_CHANGED_LLADDR) != 0)
		bridge_stp_lladdr(br);
	if ((what & IFACE_CHANGED_FLAGS) == 0)
		return;
	if (up != br->was_up) {
		br->was_up = up;
		iface_set_running(ifp, up);
		if (!up)
			fdb_flush(&br->fdb, false);
	}
	bridge_stp_links(br);
}

/* Its own, or that of its first member, which a new bridge would take. */
static bool
bridge_lladdr_given(const struct iface *ifp)
{
	const struct bridge *br = bridge_of_const(ifp);

	if (br->inherited != NULL)
		return bridge_tunable_get(
		           bridge_vnet(br), BRIDGE_INHERIT_MAC) != 0;
	return ether_equal(ifp->mac, br->generated_mac);
}

const struct iface_ops bridge_ops = {
	.kind = "bridge",
	.about = "a learning switch",
	.kind_flags =
	    IFACE_KIND_NO_AUTOCONF | IFACE_KIND_VLANS | IFACE_KIND_USERS,
	.unit_max = BRIDGE_UNIT_MAX,
	.mtu_default = ETH_MTU_DEFAULT,
	.mtu_min = BRIDGE_MTU_MIN,
	.mtu_max = ETH_MTU_HIGHEST,
	.flags = IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST,
	.size = sizeof(struct bridge),
	.create = bridge_create,
	.destroy = bridge_destroy,
	.transmit = bridge_transmit,
	.changed = bridge_changed,
	.set_mtu = bridge_set_mtu,
	.lladdr_given = bridge_lladdr_given,
	.get = bridge_get,
	.keywords = bridge_keywords,
};

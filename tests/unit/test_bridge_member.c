/* SPDX-License-Identifier: BSD-2-Clause */
/* Joining, leaving, what that changes; ifconfig's words and the print-out. */
#include "bridge_fixture.h"

static struct lab l;

static int
setup(void **state)
{
	(void)state;
	lab_init(&l, 2);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lab_fini(&l);
	return 0;
}

static void
test_add_errors(void **state)
{
	struct iface *gre = fixture_iface_up(l.net, "gre0");
	struct iface *other = fixture_iface_up(l.net, "bridge1");
	struct iface *p2 = fixture_iface_up(l.net, "port2");

	(void)state;
	assert_int_equal(WORD1(l.br, "addm", v_str("port9")), -ENOENT);
	assert_int_equal(WORD1(l.br, "addm", v_str("bridge1")), -EINVAL);
	assert_int_equal(WORD1(l.br, "addm", v_str("bridge0")), -EINVAL);
	assert_int_equal(WORD1(l.br, "addm", v_str("port0")), -EEXIST);
	assert_int_equal(WORD1(other, "addm", v_str("port0")), -EBUSY);
	assert_int_equal(bridge_add(l.br, gre), -EINVAL);
	assert_int_equal(WORD1(l.br, "span", v_str("port2")), 0);
	assert_int_equal(bridge_add(l.br, p2), -EBUSY);
	assert_int_equal(bridge_add(other, p2), -EBUSY);
	assert_int_equal(lab_bridge(&l)->member_count, 2);
}

static void
test_span_errors(void **state)
{
	struct iface *gre = fixture_iface_up(l.net, "gre0");
	struct iface *other = fixture_iface_up(l.net, "bridge1");

	(void)state;
	fixture_iface_up(l.net, "port2");
	assert_int_equal(WORD1(l.br, "span", v_str("port9")), -ENOENT);
	assert_int_equal(WORD1(l.br, "span", v_str("port0")), -EEXIST);
	assert_int_equal(bridge_span_add(l.br, gre), -EINVAL);
	assert_int_equal(WORD1(l.br, "span", v_str("port2")), 0);
	assert_int_equal(WORD1(l.br, "span", v_str("port2")), -EBUSY);
	assert_int_equal(WORD1(other, "span", v_str("port2")), -EBUSY);
	assert_int_equal(WORD1(other, "span", v_str("port0")), -EBUSY);
	assert_int_equal(WORD1(l.br, "-span", v_str("port0")), -ENOENT);
	assert_int_equal(WORD1(l.br, "-span", v_str("port2")), 0);
	assert_int_equal(WORD1(l.br, "-span", v_str("port2")), -ENOENT);
	/* A span port is no member: no flags, no addresses. */
	assert_int_equal(WORD1(l.br, "span", v_str("port2")), 0);
	assert_int_equal(WORD1(l.br, "sticky", v_str("port2")), -ENOENT);
	assert_int_equal(WORD1(l.br, "deletem", v_str("port2")), -ENOENT);
}

static void
test_delete(void **state)
{
	struct fixture_events ev;

	(void)state;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	lab_in(&l, 1, BROADCAST, station(2), 1);
	assert_int_equal(
	    WORD3(l.br, "static", v_str("port0"), v_mac(station(3)), v_num(0)),
	    0);
	fixture_subscribe(l.net, &ev);
	assert_int_equal(WORD1(l.br, "deletem", v_str("port0")), 0);
	assert_int_equal(ev.count[NET_EVENT_MEMBER], 1);
	assert_int_equal(ev.count[NET_EVENT_EXPIRED], 2);
	assert_null(l.p[0]->stack);
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	assert_int_equal(lab_lookup(&l, station(3), 0), FDB_NONE);
	assert_int_equal(lab_lookup(&l, station(2), 0), 2);
	assert_int_equal(WORD1(l.br, "deletem", v_str("port0")), -ENOENT);
	assert_int_equal(WORD1(l.br, "deletem", v_str("nix0")), -ENOENT);
	/* The lowest free number. */
	assert_int_equal(bridge_add(l.br, l.p[0]), 0);
	assert_int_equal(bridge_member(lab_bridge(&l), l.p[0])->number, 1);
	net_unsubscribe(l.net, &ev.sub);
}

static void
test_destroyed_interfaces_leave(void **state)
{
	struct iface *p2 = fixture_iface_up(l.net, "port2");

	(void)state;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	bridge_span_add(l.br, p2);
	net_iface_destroy(l.p[0], NULL);
	net_iface_destroy(p2, NULL);
	assert_int_equal(lab_bridge(&l)->member_count, 1);
	assert_true(TAILQ_EMPTY(&lab_bridge(&l)->spans));
	assert_int_equal(fdb_count(&lab_bridge(&l)->fdb), 0);
}

static void
test_destroyed_bridge_lets_go(void **state)
{
	struct iface *br = fixture_iface_up(l.net, "bridge1");
	struct iface *p2 = fixture_iface_up(l.net, "port2");
	struct iface *p3 = fixture_iface_up(l.net, "port3");
	struct frame_batch b = { .count = 1 };

	(void)state;
	assert_int_equal(bridge_add(br, p2), 0);
	assert_int_equal(bridge_span_add(br, p3), 0);
	b.frames[0] = frame_make(l.net, BROADCAST, station(1), 0, 1);
	iface_input(p2, &b);
	assert_true(timerheap_next_due(&l.timers) != TIMERHEAP_NEVER);
	net_iface_destroy(br, NULL);
	assert_null(p2->stack);
	assert_null(p3->stack);
	assert_true(timerheap_next_due(&l.timers) == TIMERHEAP_NEVER);
}

static void
test_newest_member_is_first(void **state)
{
	(void)state;
	assert_ptr_equal(TAILQ_FIRST(&lab_bridge(&l)->members)->ifp, l.p[1]);
	assert_int_equal(TAILQ_FIRST(&lab_bridge(&l)->members)->flags, 0x143);
}

static void
test_thousand_members(void **state)
{
	char name[16];

	(void)state;
	for (uint32_t i = 2; i < 1000; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		assert_int_equal(
		    bridge_add(l.br, fixture_iface_up(l.net, name)), 0);
	}
	for (uint32_t i = 0; i < 8; i++)
		lab_in(&l, 0, BROADCAST, station(1), i);
	assert_int_equal(
	    mock_of(net_iface_find(l.net, NULL, "port999"))->sent.count, 8);
	assert_int_equal(l.br->count.opackets, 8 * 999);
}

static void
test_first_member_gives_its_mtu(void **state)
{
	struct iface *br = fixture_iface_up(l.net, "bridge1");
	struct iface *a = fixture_iface_up(l.net, "port2");
	struct iface *b = fixture_iface_up(l.net, "port3");
	struct iface *c = fixture_iface_up(l.net, "port4");

	(void)state;
	iface_set_mtu(a, 9000);
	assert_int_equal(bridge_add(br, a), 0);
	assert_int_equal(br->mtu, 9000);
	assert_int_equal(bridge_add(br, b), 0);
	assert_int_equal(b->mtu, 9000);
	mock_of(c)->mtu_max = 2000;
	assert_int_equal(bridge_add(br, c), -EINVAL);
	assert_int_equal(c->mtu, 1500);
	assert_null(c->stack);
	/* Members' own cannot be set, not even to what it is. */
	assert_int_equal(iface_set_mtu(b, 1500), -EOPNOTSUPP);
	assert_int_equal(iface_set_mtu(b, 9000), -EOPNOTSUPP);
}

static void
test_mtu_of_all_or_none(void **state)
{
	(void)state;
	assert_int_equal(iface_set_mtu(l.br, 71), -EINVAL);
	assert_int_equal(iface_set_mtu(l.br, 2000), 0);
	assert_int_equal(l.p[0]->mtu, 2000);
	assert_int_equal(l.p[1]->mtu, 2000);
	mock_of(l.p[0])->mtu_max = 3000;
	assert_int_equal(iface_set_mtu(l.br, 4000), -EINVAL);
	assert_int_equal(l.br->mtu, 2000);
	assert_int_equal(l.p[0]->mtu, 2000);
	assert_int_equal(l.p[1]->mtu, 2000);
}

/* With capmask members use what all of them have, and get theirs back. */
static void
test_capmask(void **state)
{
	uint32_t most = OFFLOAD_CSUM | OFFLOAD_TSO4;
	struct iface *late = fixture_iface_up(l.net, "port8");

	(void)state;
	iface_set_caps(l.p[1], most);
	assert_int_equal(l.p[0]->caps, OFFLOAD_ALL);
	bridge_tunable_set(l.net->home, BRIDGE_CAPMASK, 1);
	assert_int_equal(l.p[0]->caps, most);
	assert_int_equal(l.p[1]->caps, most);
	/* One that can less joins; what one can changes. */
	iface_set_caps(late, OFFLOAD_CSUM);
	assert_int_equal(bridge_add(l.br, late), 0);
	assert_int_equal(l.p[0]->caps, OFFLOAD_CSUM);
	iface_set_caps(late, OFFLOAD_ALL);
	assert_int_equal(l.p[0]->caps, most);
	iface_set_caps(late, 0);
	assert_int_equal(l.p[1]->caps, 0);
	/* Who leaves has its own again, and so have the others. */
	bridge_delete(l.br, l.p[0]);
	assert_int_equal(l.p[0]->caps, OFFLOAD_ALL);
	bridge_delete(l.br, late);
	assert_int_equal(l.p[1]->caps, most);
	assert_int_equal(bridge_add(l.br, l.p[0]), 0);
	assert_int_equal(l.p[0]->caps, most);
	bridge_tunable_set(l.net->home, BRIDGE_CAPMASK, 0);
	assert_int_equal(l.p[0]->caps, OFFLOAD_ALL);
	assert_int_equal(l.p[1]->caps, most);
}

static void
test_mtu_exact(void **state)
{
	struct iface *p2 = fixture_iface_up(l.net, "port2");

	(void)state;
	bridge_tunable_set(l.net->home, BRIDGE_MTU_EXACT, 1);
	iface_set_mtu(p2, 9001);
	assert_int_equal(bridge_add(l.br, p2), -EINVAL);
	assert_int_equal(p2->mtu, 9001);
	iface_set_mtu(p2, 1500);
	assert_int_equal(bridge_add(l.br, p2), 0);
}

static void
test_tunables(void **state)
{
	struct vnet *home = l.net->home;

	(void)state;
	for (uint32_t t = 0; t < BRIDGE_TUNABLE_COUNT; t++) {
		assert_int_equal(bridge_tunable_get(home, t),
		    t == BRIDGE_LOG_MAC_FLAP || t == BRIDGE_MEMBER_IFADDRS ||
		        t == BRIDGE_PFIL_ONLYIP);
		assert_int_equal(bridge_tunable_set(home, t, 2), -EINVAL);
		assert_int_equal(bridge_tunable_set(home, t, 1), 0);
		assert_int_equal(bridge_tunable_get(home, t), 1);
		assert_int_equal(bridge_tunable_set(home, t, 0), 0);
		assert_int_equal(bridge_tunable_get(home, t), 0);
		assert_non_null(bridge_tunable_info(t)->name);
	}
	bridge_tunable_set(home, BRIDGE_PFIL_ONLYIP, 1);
	bridge_tunable_set(home, BRIDGE_PFIL_BRIDGE, 1);
	bridge_tunable_set(home, BRIDGE_PFIL_LOCAL_PHYS, 1);
	bridge_tunable_set(home, BRIDGE_IPFW, 0);
	assert_int_equal(bridge_tunable_get(home, BRIDGE_PFIL_ONLYIP), 1);
	bridge_tunable_set(home, BRIDGE_IPFW, 1);
	assert_int_equal(bridge_tunable_get(home, BRIDGE_PFIL_ONLYIP), 0);
	assert_int_equal(bridge_tunable_get(home, BRIDGE_PFIL_BRIDGE), 0);
	assert_int_equal(bridge_tunable_get(home, BRIDGE_PFIL_LOCAL_PHYS), 1);
	bridge_tunable_set(home, BRIDGE_PFIL_BRIDGE, 1);
	assert_int_equal(bridge_tunable_get(home, BRIDGE_PFIL_BRIDGE), 1);
}

static void
test_inherit_mac(void **state)
{
	struct iface *br = fixture_iface_up(l.net, "bridge1");
	struct iface *a = fixture_iface_up(l.net, "port2");
	struct iface *b = fixture_iface_up(l.net, "port3");
	uint8_t generated[6];

	(void)state;
	ether_copy(generated, br->mac);
	bridge_tunable_set(l.net->home, BRIDGE_INHERIT_MAC, 1);
	bridge_add(br, a);
	assert_memory_equal(br->mac, a->mac, 6);
	bridge_add(br, b);
	assert_memory_equal(br->mac, a->mac, 6);
	bridge_delete(br, a);
	assert_memory_equal(br->mac, b->mac, 6);
	bridge_delete(br, b);
	assert_memory_equal(br->mac, generated, 6);
	/* An address that somebody chose stays. */
	iface_set_lladdr(br, (const uint8_t[]){ 2, 1, 2, 3, 4, 5 });
	bridge_add(br, a);
	assert_memory_equal(br->mac, ((uint8_t[]){ 2, 1, 2, 3, 4, 5 }), 6);
}

/* Unicast, local, the same again, another elsewhere. */
static void
test_generated_mac(void **state)
{
	struct iface *a = fixture_iface(l.net, "bridge1");
	uint8_t first[6];

	(void)state;
	ether_copy(first, a->mac);
	assert_true(ether_is_local(first) && !ether_is_multicast(first));
	assert_memory_not_equal(first, l.br->mac, 6);
	net_iface_destroy(a, NULL);
	a = fixture_iface(l.net, "bridge1");
	assert_memory_equal(a->mac, first, 6);
	net_iface_destroy(a, NULL);
	l.net->identity = 4711;
	a = fixture_iface(l.net, "bridge1");
	assert_memory_not_equal(a->mac, first, 6);
	/* Taken: another. */
	ether_copy(first, a->mac);
	net_iface_destroy(a, NULL);
	iface_set_lladdr(l.p[0], first);
	a = fixture_iface(l.net, "bridge1");
	assert_memory_not_equal(a->mac, first, 6);
}

static void
test_link_state(void **state)
{
	(void)state;
	assert_int_equal(l.br->link, IFACE_LINK_UP); /* none knows */
	iface_set_link(l.p[0], IFACE_LINK_DOWN);
	assert_int_equal(l.br->link, IFACE_LINK_DOWN);
	iface_set_link(l.p[1], IFACE_LINK_UP);
	assert_int_equal(l.br->link, IFACE_LINK_UP);
	bridge_delete(l.br, l.p[1]);
	assert_int_equal(l.br->link, IFACE_LINK_DOWN);
	bridge_delete(l.br, l.p[0]);
	assert_int_equal(l.br->link, IFACE_LINK_DOWN);
}

static void
test_down_flushes_dynamic(void **state)
{
	(void)state;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	WORD3(l.br, "static", v_str("port1"), v_mac(station(2)), v_num(0));
	iface_set_flags(l.br, 0, IFACE_UP);
	assert_false(iface_running(l.br));
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	assert_int_equal(lab_lookup(&l, station(2), 0), 2);
	iface_set_flags(l.br, IFACE_UP, 0);
	assert_true(iface_running(l.br));
}

static int
addr_list(void *arg, const struct iface *ifp, struct info *out)
{
	(void)ifp;
	info_list(out, "addresses");
	if (*(bool *)arg) {
		info_object(out, NULL);
		info_str(out, "family", "inet");
		info_u64(out, "prefixlen", 24);
		info_end(out);
	}
	info_end(out);
	return 0;
}

static void
test_member_ifaddrs(void **state)
{
	struct iface *p2 = fixture_iface_up(l.net, "port2");
	bool has = true;

	(void)state;
	host_give(p2, mock_of(p2), l.net->home);
	l.net->system.arg = &has;
	l.net->system.addr_list = addr_list;
	bridge_tunable_set(l.net->home, BRIDGE_MEMBER_IFADDRS, 0);
	assert_int_equal(bridge_add(l.br, p2), -EINVAL);
	has = false;
	assert_int_equal(bridge_add(l.br, p2), 0);
	/* Nor later. */
	assert_int_equal(p2->stack->addr_check(p2->stack, p2), -EINVAL);
	bridge_delete(l.br, p2);
	has = true;
	bridge_tunable_set(l.net->home, BRIDGE_MEMBER_IFADDRS, 1);
	assert_int_equal(bridge_add(l.br, p2), 0);
	assert_int_equal(p2->stack->addr_check(p2->stack, p2), 0);
	l.net->system.addr_list = NULL;
}

/* Addresses of a system that has them as text. */
#define TEXTS_MAX 40

struct texts {
	const struct iface *ifp;
	char list[TEXTS_MAX][64];
	uint32_t count;
};

static struct texts texts[4];

static struct texts *
texts_of(const struct iface *ifp)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].ifp == ifp)
			return &texts[i];
	return NULL;
}

static int
texts_list(void *arg, const struct iface *ifp, struct info *out)
{
	const struct texts *t = texts_of(ifp);

	(void)arg;
	info_list(out, "addresses");
	for (uint32_t i = 0; t != NULL && i < t->count; i++) {
		const char *s = t->list[i], *slash = strchr(s, '/');
		char plain[64];

		snprintf(plain, sizeof(plain), "%.*s", (int)(slash - s), s);
		info_object(out, NULL);
		info_str(
		    out, "family", strchr(s, ':') != NULL ? "inet6" : "inet");
		info_str(out, "address", plain);
		info_u64(out, "prefixlen", (uint64_t)atoi(slash + 1));
		info_list(out, "flags");
		info_str(out, NULL, "tentative");
		info_end(out);
		if (strncmp(s, "fe80", 4) == 0)
			info_u64(out, "scopeid", 7);
		info_end(out);
	}
	info_end(out);
	return 0;
}

static int
texts_del(void *arg, struct iface *ifp, const char *addr)
{
	struct texts *t = texts_of(ifp);

	(void)arg;
	for (uint32_t i = 0; t != NULL && i < t->count; i++) {
		if (strcmp(t->list[i], addr) != 0)
			continue;
		t->count--;
		memmove(t->list[i], t->list[i + 1],
		    (t->count - i) * sizeof(t->list[0]));
		return 0;
	}
	return -EADDRNOTAVAIL;
}

static void
texts_add(uint32_t i, const char *addr)
{
	struct texts *t = &texts[i];

	assert_true(t->count < TEXTS_MAX);
	snprintf(t->list[t->count++], 64, "%s", addr);
}

static char logged[512];

/* As the daemon logs it. */
static void
log_add(struct net_subscriber *s, const struct net_event *ev)
{
	size_t len = strlen(logged);

	(void)s;
	if (ev->type == NET_EVENT_NOTICE)
		snprintf(logged + len, sizeof(logged) - len, "%s: %s\n",
		    ev->ifp->name, ev->text);
}

static struct net_subscriber logger = { .event = log_add };

/* bridge0, port0 (a member), port1 (joins), vether0 */
static struct iface *
texts_begin(void)
{
	struct iface *vether = fixture_iface_up(l.net, "vether0");
	struct iface *of[] = { l.br, l.p[0], l.p[1], vether };

	memset(texts, 0, sizeof(texts));
	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		texts[i].ifp = of[i];
	host_give(l.br, &l.br_host, l.net->home);
	host_give(l.p[0], mock_of(l.p[0]), l.net->home);
	host_give(l.p[1], mock_of(l.p[1]), l.net->home);
	host_give(vether, mock_of(vether), l.net->home);
	l.net->system.addr_list = texts_list;
	l.net->system.addr_del = texts_del;
	bridge_delete(l.br, l.p[1]);
	logged[0] = '\0';
	net_subscribe(l.net, &logger);
	return vether;
}

static void
texts_end(void)
{
	net_unsubscribe(l.net, &logger);
	l.net->system.addr_list = NULL;
	l.net->system.addr_del = NULL;
}

/* Two scope zones must not overlap: RFC 4007. */
static void
test_members_lose_their_ipv6_addresses(void **state)
{
	struct iface *vether = texts_begin();
	char text[64];

	(void)state;
	/* Without a link-local address of the bridge's all stay. */
	texts_add(0, "2001:db8::1/64");
	texts_add(2, "fe80::2/64");
	assert_int_equal(bridge_add(l.br, l.p[1]), 0);
	assert_int_equal(texts[2].count, 1);
	bridge_delete(l.br, l.p[1]);
	/* With one, all of the new member's go; of the others', where one is
	 * link-local. */
	texts_add(0, "fe80::1/64");
	texts_add(1, "2001:db8:1::1/64");
	texts_add(2, "192.0.2.1/24");
	for (int i = 0; i < 30; i++) {
		snprintf(text, sizeof(text), "2001:db8:2::%x/64", i);
		texts_add(2, text);
	}
	texts_add(3, "fe80::3/64");
	assert_int_equal(bridge_add(l.br, l.p[1]), 0);
	assert_int_equal(texts[2].count, 1);
	assert_string_equal(texts[2].list[0], "192.0.2.1/24");
	assert_int_equal(texts[1].count, 1);
	assert_string_equal(logged,
	    "bridge0: IPv6 addresses on port1 have been removed before "
	    "adding it as a member to prevent IPv6 address scope "
	    "violation.\n");
	/* A vether's host is elsewhere: it keeps its own, and the old member
	 * loses them now. */
	texts_add(1, "fe80::4/64");
	logged[0] = '\0';
	assert_int_equal(bridge_add(l.br, vether), 0);
	assert_int_equal(texts[3].count, 1);
	assert_int_equal(texts[1].count, 0);
	assert_string_equal(logged,
	    "bridge0: IPv6 addresses on port0 have been removed to prevent "
	    "IPv6 address scope violation.\n");
	assert_int_equal(texts[0].count, 2);
	texts_end();
}

static void
test_members_keep_their_ipv6_addresses(void **state)
{
	struct vnet there = { .net = l.net };

	(void)state;
	(void)texts_begin();
	texts_add(0, "fe80::1/64");
	texts_add(1, "fe80::2/64");
	texts_add(2, "fe80::3/64");
	bridge_tunable_set(l.net->home, BRIDGE_ALLOW_LLZ_OVERLAP, 1);
	assert_int_equal(bridge_add(l.br, l.p[1]), 0);
	bridge_delete(l.br, l.p[1]);
	assert_int_equal(texts[1].count + texts[2].count, 2);
	/* A member's host elsewhere is in a zone of its own. */
	bridge_tunable_set(l.net->home, BRIDGE_ALLOW_LLZ_OVERLAP, 0);
	l.p[0]->host->vnet = &there;
	l.p[1]->host->vnet = &there;
	assert_int_equal(bridge_add(l.br, l.p[1]), 0);
	assert_int_equal(texts[1].count + texts[2].count, 2);
	bridge_delete(l.br, l.p[1]);
	l.p[0]->host->vnet = l.p[1]->host->vnet = l.net->home;
	/* What was removed does not count as an address any more. */
	bridge_tunable_set(l.net->home, BRIDGE_MEMBER_IFADDRS, 0);
	assert_int_equal(bridge_add(l.br, l.p[1]), 0);
	assert_int_equal(texts[1].count + texts[2].count, 0);
	assert_string_equal(logged,
	    "bridge0: IPv6 addresses on port0 have been removed to prevent "
	    "IPv6 address scope violation.\n"
	    "bridge0: IPv6 addresses on port1 have been removed before "
	    "adding it as a member to prevent IPv6 address scope "
	    "violation.\n");
	texts_end();
}

/* Those of the vnet where its host side is. */
static void
test_a_moved_bridge_obeys_the_sysctls_there(void **state)
{
	struct vnet there = { .net = l.net };
	struct iface *p0 = l.p[0];
	struct mock host = { 0 };

	(void)state;
	bridge_tunable_set(&there, BRIDGE_MEMBER_IFADDRS, 0);
	assert_int_equal(p0->stack->addr_check(p0->stack, p0), 0);
	host_give(l.br, &host, &there);
	assert_int_equal(p0->stack->addr_check(p0->stack, p0), -EINVAL);
	bridge_tunable_set(&there, BRIDGE_MEMBER_IFADDRS, 1);
	assert_int_equal(p0->stack->addr_check(p0->stack, p0), 0);
	l.br->host = NULL;
}

/* Each word and its negation sets and clears its flag, and no other. */
static void
test_flag_words(void **state)
{
	static const struct {
		const char *word, *negation;
		uint32_t flag;
	} rows[] = {
		{ "learn", "-learn", 0x1 },
		{ "discover", "-discover", 0x2 },
		{ "sticky", "-sticky", 0x10 },
		{ "edge", "-edge", 0x20 },
		{ "autoedge", "-autoedge", 0x40 },
		{ "ptp", "-ptp", 0x80 },
		{ "autoptp", "-autoptp", 0x100 },
		{ "private", "-private", 0x800 },
	};
	const struct bridge_port *p = bridge_member(lab_bridge(&l), l.p[0]);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t rest = p->flags & ~rows[i].flag;

		assert_int_equal(WORD1(l.br, rows[i].word, v_str("port0")), 0);
		assert_int_equal(p->flags, rest | rows[i].flag);
		assert_int_equal(
		    WORD1(l.br, rows[i].negation, v_str("port0")), 0);
		assert_int_equal(p->flags, rest);
		assert_int_equal(
		    WORD1(l.br, rows[i].word, v_str("nix0")), -ENOENT);
		bridge_delete(l.br, l.p[1]);
		assert_int_equal(
		    WORD1(l.br, rows[i].word, v_str("port1")), -ENOENT);
		bridge_add(l.br, l.p[1]);
	}
}

static void
test_address_words(void **state)
{
	uint64_t other = 0x010000000001u; /* a group */

	(void)state;
	assert_int_equal(
	    WORD3(l.br, "static", v_str("nix0"), v_mac(station(1)), v_num(0)),
	    -ENOENT);
	assert_int_equal(WORD3(l.br, "static", v_str("bridge0"),
	                     v_mac(station(1)), v_num(0)),
	    -ENOENT);
	assert_int_equal(
	    WORD3(l.br, "static", v_str("port0"), v_mac(other), v_num(0)),
	    -EINVAL);
	assert_int_equal(
	    WORD3(l.br, "static", v_str("port0"), v_mac(station(1)), v_num(10)),
	    0);
	assert_int_equal(lab_lookup(&l, station(1), 10), 1);
	assert_int_equal(
	    WORD2(l.br, "deladdr", v_mac(station(1)), v_num(20)), -ENOENT);
	assert_int_equal(
	    WORD2(l.br, "deladdr", v_mac(station(1)), v_num(10)), 0);
	assert_int_equal(
	    WORD2(l.br, "deladdr", v_mac(station(1)), v_num(0)), -ENOENT);

	assert_int_equal(WORD1(l.br, "maxaddr", v_num(1)), 0);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_int_equal(
	    WORD3(l.br, "static", v_str("port0"), v_mac(station(2)), v_num(0)),
	    -ENOSPC);
	assert_int_equal(WORD1(l.br, "maxaddr", v_num(100)), 0);
	assert_int_equal(WORD2(l.br, "ifmaxaddr", v_str("port0"), v_num(1)), 0);
	assert_int_equal(
	    WORD2(l.br, "ifmaxaddr", v_str("nix0"), v_num(1)), -ENOENT);
	assert_int_equal(
	    WORD2(l.br, "ifmaxaddr", v_str("bridge0"), v_num(1)), -ENOENT);
	assert_int_equal(
	    WORD3(l.br, "static", v_str("port0"), v_mac(station(2)), v_num(0)),
	    -ENOSPC);
	assert_int_equal(
	    WORD3(l.br, "static", v_str("port1"), v_mac(station(2)), v_num(0)),
	    0);
	assert_int_equal(WORD(l.br, "flush"), 0);
	assert_int_equal(fdb_count(&lab_bridge(&l)->fdb), 1);
	assert_int_equal(WORD(l.br, "flushall"), 0);
	assert_int_equal(fdb_count(&lab_bridge(&l)->fdb), 0);
	assert_int_equal(WORD1(l.br, "timeout", v_num(7)), 0);
	assert_int_equal(lab_bridge(&l)->fdb.timeout_s, 7);
}

/* Every row can be called, says what BSD would, and has a line of help. */
static void
test_rows_are_whole(void **state)
{
	const struct iface_keyword *k;
	uint32_t rows = 0;

	(void)state;
	for (k = bridge_keywords; k->name != NULL; k++, rows++) {
		assert_true((k->apply != NULL) != (k->show != NULL));
		assert_true(strncmp(k->bsd_name, "BRDG", 4) == 0 ||
		            strchr(k->bsd_name, ' ') != NULL);
		assert_non_null(k->help);
	}
	assert_int_equal(
	    rows, 2 + 2 * 10 + 2 + 2 + 2 + 2 + 3 + 2 + 3 + 1 + 6 + 1 + 11 + 3);
}

/* A sink that writes all on one line. */
struct text_info {
	struct info info;
	char text[2048];
};

static void
t_add(struct info *i, const char *key, const char *value)
{
	struct text_info *t = CONTAINER_OF(i, struct text_info, info);
	size_t n = strlen(t->text);

	snprintf(t->text + n, sizeof(t->text) - n, "%s%s%s ",
	    key != NULL ? key : "", key != NULL && *value != 0 ? "=" : "",
	    value);
}

static void
t_u64(struct info *i, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	t_add(i, key, text);
}

static void
t_boolean(struct info *i, const char *key, bool value)
{
	t_add(i, key, value ? "yes" : "no");
}

static void
t_object(struct info *i, const char *key)
{
	t_add(i, key, key != NULL ? "" : "{");
}

static void
t_list(struct info *i, const char *key)
{
	t_add(i, key, "[");
}

static void
t_end(struct info *i)
{
	t_add(i, NULL, ".");
}

static struct text_info text_info = {
	.info = {
		.str = t_add,
		.u64 = t_u64,
		.boolean = t_boolean,
		.begin_object = t_object,
		.begin_list = t_list,
		.end = t_end,
	},
};

static void
test_print_out(void **state)
{
	(void)state;
	bridge_delete(l.br, l.p[1]);
	bridge_span_add(l.br, l.p[1]);
	WORD2(l.br, "ifmaxaddr", v_str("port0"), v_num(9));
	text_info.text[0] = '\0';
	l.br->ops->get(l.br, &text_info.info);
	assert_string_equal(text_info.text,
	    "id=00:00:00:00:00:00 priority=32768 hellotime=2 fwddelay=15 "
	    "maxage=20 holdcnt=6 proto=rstp maxaddr=2000 timeout=1200 "
	    "root_id=00:00:00:00:00:00 root_priority=0 root_cost=0 "
	    "root_port=0 topology_changes=0 topology_changed_ns=0 "
	    "flags=0 flag_names=[ . defuntagged=0 addresses=0 exceeded=0 "
	    "members=[ { name=port0 flags=323 flag_names=[ LEARNING DISCOVER "
	    "AUTOEDGE AUTOPTP . ifmaxaddr=9 port=1 priority=128 "
	    "path_cost=2000 addresses=0 violations=0 vlan_protocol=802.1q "
	    "untagged=0 tagged group_fwd=[ . storm . stp path_cost=0 edge=no "
	    "autoedge=yes ptp=auto guards=[ . . . "
	    "{ name=port1 flags=8 flag_names=[ SPAN . . . ");
}

static void
test_addresses_print_out(void **state)
{
	(void)state;
	lab_in_vlan(&l, 0, BROADCAST, station(1), 10, 1);
	lab_time(&l, 14);
	WORD3(l.br, "static", v_str("port1"), v_mac(station(2)), v_num(0));
	text_info.text[0] = '\0';
	bridge_get_addresses(l.br, &text_info.info);
	assert_string_equal(text_info.text,
	    "addresses=[ { mac=02:00:00:bb:00:02 vlan=0 iface=port1 expires=0 flags=1 "
	    "flag_names=[ STATIC . type=static . "
	    "{ mac=02:00:00:bb:00:01 vlan=10 iface=port0 expires=1187 flags=0 "
	    "flag_names=[ . type=dynamic . . ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_add_errors),
		TEST(test_span_errors),
		TEST(test_delete),
		TEST(test_destroyed_interfaces_leave),
		TEST(test_destroyed_bridge_lets_go),
		TEST(test_newest_member_is_first),
		TEST(test_thousand_members),
		TEST(test_first_member_gives_its_mtu),
		TEST(test_mtu_of_all_or_none),
		TEST(test_capmask),
		TEST(test_mtu_exact),
		TEST(test_tunables),
		TEST(test_inherit_mac),
		TEST(test_generated_mac),
		TEST(test_link_state),
		TEST(test_down_flushes_dynamic),
		TEST(test_member_ifaddrs),
		TEST(test_members_lose_their_ipv6_addresses),
		TEST(test_members_keep_their_ipv6_addresses),
		TEST(test_a_moved_bridge_obeys_the_sysctls_there),
		TEST(test_flag_words),
		TEST(test_address_words),
		TEST(test_rows_are_whole),
		TEST(test_print_out),
		TEST(test_addresses_print_out),
	};

	return cmocka_run_group_tests_name("bridge_member", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where packet filters are called: the table of pfil/pfil.h row by row, the
 * pictures of if_bridge(4), header checks, what is too long behind a filter,
 * and frames that a hook held.
 */
#include "pfil_fixture.h"

#include "frame/fragment.h"

static struct lab l;
static struct mock br_mock;

static void
tunable(enum bridge_tunable t, uint32_t value)
{
	assert_int_equal(bridge_tunable_set(l.net->home, t, value), 0);
}

static void
learn(void)
{
	for (uint32_t i = 0; i < 4; i++) {
		lab_in(&l, i, BROADCAST, station(i + 1), 1);
		for (uint32_t k = 0; k < 4; k++)
			mock_of(l.p[k])->sent.count = 0;
	}
}

static int
setup(void **state)
{
	(void)state;
	lab_init(&l, 4);
	memset(&br_mock, 0, sizeof(br_mock));
	spy.held = NULL;
	spy_reset();
	pfil_init(l.net);
	learn();
	assert_int_equal(pfil_switch(l.net->home, &spy_package, true), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lab_fini(&l);
	return 0;
}

static struct packet
udp(uint32_t dst, uint32_t src, uint32_t id)
{
	return (struct packet){
		.dst = station(dst),
		.src = station(src),
		.sip = 0x0a000001,
		.dip = 0x0a000002,
		.proto = IP_PROTO_UDP,
		.sport = 1000,
		.dport = 53,
		.id = id,
	};
}

static void
give_hosts(void)
{
	host_give(l.br, &br_mock, l.net->home);
	for (uint32_t i = 0; i < 4; i++)
		host_give(l.p[i], mock_of(l.p[i]), l.net->home);
	lab_bridge(&l)->own_stale = true;
}

/* --- packages ------------------------------------------------------------- */

static void
test_nothing_is_called_where_nothing_is_on(void **state)
{
	struct packet k = udp(2, 1, 5);

	(void)state;
	assert_int_equal(pfil_switch(l.net->home, &spy_package, false), 0);
	assert_null(l.net->home->pfil);
	tunable(BRIDGE_PFIL_MEMBER, 1);
	packet_in(&l, 0, &k);
	assert_sent(&l, 1, 5);
	assert_calls("");
	assert_false(pfil_is_on(l.net->home, &spy_package));
}

static enum pfil_verdict
pass_run(void *state, struct pfil_packet *p)
{
	(void)state, (void)p;
	return PFIL_PASS;
}

static const struct pfil_hook pass_hooks[] = {
	{ PFIL_IP4, PFIL_IN, pass_run },
	{ .run = NULL },
};

static void
test_lists_have_a_limit(void **state)
{
	static struct pfil_package many[PFIL_PACKAGES_MAX];
	uint32_t i;

	(void)state;
	for (i = 0; i < PFIL_PACKAGES_MAX; i++)
		many[i] = (struct pfil_package){
			.name = "x", .about = "test", .hooks = pass_hooks
		};
	for (i = 0; i < PFIL_PACKAGES_MAX - 1; i++)
		assert_int_equal(pfil_switch(l.net->home, &many[i], true), 0);
	assert_int_equal(pfil_switch(l.net->home, &many[i], true), -ENOSPC);
	for (i = 0; i < PFIL_PACKAGES_MAX - 1; i++)
		assert_int_equal(pfil_switch(l.net->home, &many[i], false), 0);
	assert_true(pfil_is_on(l.net->home, &spy_package));
}

/* --- the table ------------------------------------------------------------ */

static void
test_all_switches_off_nothing_is_filtered(void **state)
{
	struct packet k = udp(2, 1, 5);

	(void)state;
	packet_in(&l, 0, &k);
	assert_sent(&l, 1, 5);
	/* Not even what is no IP, with pfil_onlyip at its default of 1. */
	lab_in(&l, 0, station(2), station(1), 6);
	assert_sent(&l, 1, 6);
	assert_calls("");
}

static void
test_known_unicast(void **state)
{
	struct packet k = udp(2, 1, 5);

	(void)state;
	tunable(BRIDGE_PFIL_MEMBER, 1);
	packet_in(&l, 0, &k);
	assert_sent(&l, 1, 5);
	assert_calls("in port0 ip4, out port1 ip4");
	tunable(BRIDGE_PFIL_BRIDGE, 1);
	packet_in(&l, 0, &k);
	assert_sent(&l, 1, 5);
	assert_calls("in port0 ip4, in bridge0 ip4, out bridge0 ip4, "
	             "out port1 ip4");
	tunable(BRIDGE_PFIL_MEMBER, 0);
	packet_in(&l, 0, &k);
	assert_sent(&l, 1, 5);
	assert_calls("in bridge0 ip4, out bridge0 ip4");
}

static void
test_flood_asks_the_bridge_once(void **state)
{
	struct packet k = udp(9, 1, 5);

	(void)state;
	tunable(BRIDGE_PFIL_MEMBER, 1);
	tunable(BRIDGE_PFIL_BRIDGE, 1);
	packet_in(&l, 0, &k);
	/* Members newest first. */
	assert_calls("in port0 ip4, in bridge0 ip4, out bridge0 ip4, "
	             "out port3 ip4, out port2 ip4, out port1 ip4");
	assert_sent(&l, 3, 5);
	k.dst = BROADCAST;
	packet_in(&l, 0, &k);
	assert_calls("in port0 ip4, in bridge0 ip4, out bridge0 ip4, "
	             "out port3 ip4, out port2 ip4, out port1 ip4");
	assert_int_equal(mock_of(l.p[2])->sent.count, 2);
}

static void
test_layer2_is_asked_out_of_members(void **state)
{
	struct packet k = udp(2, 1, 5);

	(void)state;
	tunable(BRIDGE_IPFW, 1);
	packet_in(&l, 0, &k);
	assert_sent(&l, 1, 5);
	assert_calls("out port1 ether");
	k.dst = station(9);
	packet_in(&l, 0, &k);
	assert_calls("out port3 ether, out port2 ether, out port1 ether");
	/* Re-enabled, if desired: layer 2 first. */
	tunable(BRIDGE_PFIL_MEMBER, 1);
	tunable(BRIDGE_PFIL_BRIDGE, 1);
	k.dst = station(2);
	packet_in(&l, 0, &k);
	assert_calls("in port0 ip4, in bridge0 ip4, out port1 ether, "
	             "out bridge0 ip4, out port1 ip4");
}

static void
test_what_is_not_ip(void **state)
{
	struct frame_batch b = { .count = 1 };

	(void)state;
	tunable(BRIDGE_PFIL_MEMBER, 1);
	lab_in(&l, 0, station(2), station(1), 6);
	assert_sent(&l, 1, 0);
	assert_drop(l.p[0], NOT_IP, 1);
	tunable(BRIDGE_PFIL_ONLYIP, 0);
	lab_in(&l, 0, station(2), station(1), 6);
	assert_sent(&l, 1, 6);
	assert_calls("");
	/* ARP passes, and only layer 2 may see it, if it is told to. */
	for (uint32_t i = 0; i < 3; i++) {
		tunable(BRIDGE_PFIL_ONLYIP, i != 0);
		tunable(BRIDGE_IPFW, i == 2);
		tunable(BRIDGE_IPFW_ARP, i == 2);
		b.frames[0] = frame_make(l.net, station(2), station(1), 0, 7);
		b.count = 1;
		be16_put(b.frames[0]->data + 12,
		    i == 1 ? ETH_TYPE_RARP : ETH_TYPE_ARP);
		iface_input(l.p[0], &b);
		assert_sent(&l, 1, 7);
		assert_calls(i == 2 ? "out port1 ether" : "");
	}
	/* ipfw without ipfw_arp: it is not shown. */
	tunable(BRIDGE_IPFW_ARP, 0);
	b.frames[0] = frame_make(l.net, station(2), station(1), 0, 7);
	b.count = 1;
	be16_put(b.frames[0]->data + 12, ETH_TYPE_ARP);
	iface_input(l.p[0], &b);
	assert_sent(&l, 1, 7);
	assert_calls("");
	/* Others are shown to layer 2 where not only IP passes (ipfw=1 has set
	 * that). */
	lab_in(&l, 0, station(2), station(1), 6);
	assert_sent(&l, 1, 6);
	assert_calls("out port1 ether");
}

static void
test_snap_and_tags_are_looked_into(void **state)
{
	struct packet k = udp(2, 1, 5);
	struct frame_batch b = { .count = 1 };
	struct frame *f;

	(void)state;
	tunable(BRIDGE_PFIL_MEMBER, 1);
	k.vid = 7;
	packet_in(&l, 0, &k);
	assert_calls("in port0 ip4, out port3 ip4, out port2 ip4, "
	             "out port1 ip4");
	for (uint32_t i = 1; i < 4; i++)
		mock_of(l.p[i])->sent.count = 0;
	k.vid = 0;
	f = packet_make(l.net, &k);
	memmove(f->data + 22, f->data + 14, f->len - 14);
	memcpy(f->data + 14, "\xaa\xaa\x03\0\0\0\x08\0", 8);
	be16_put(f->data + 12, (uint16_t)(f->len - 14 + 8));
	f->len += 8;
	b.frames[0] = f;
	iface_input(l.p[0], &b);
	assert_sent(&l, 1, 5);
	assert_calls("in port0 ip4, out port1 ip4");
	/* A second tag is a type like any other. */
	f = packet_make(l.net, &k);
	memmove(f->data + 20, f->data + 12, f->len - 12);
	memcpy(f->data + 12, "\x88\xa8\0\x07\x81\0\0\x08", 8);
	f->len += 8;
	b.frames[0] = f;
	b.count = 1;
	iface_input(l.p[0], &b);
	assert_calls("");
	assert_drop(l.p[0], NOT_IP, 1);
}

static void
test_ipv6(void **state)
{
	struct packet k = udp(2, 1, 5);

	(void)state;
	k.v6 = true;
	tunable(BRIDGE_PFIL_MEMBER, 1);
	packet_in(&l, 0, &k);
	assert_sent(&l, 1, 5);
	assert_calls("in port0 ip6, out port1 ip6");
}

/* A refusal at each place: nothing goes on, and it is counted there. */
static void
test_each_place_can_refuse(void **state)
{
	static const struct {
		const char *call;
		uint32_t dst;
		int counts; /* a port, or -1: the bridge */
	} rows[] = {
		{ "in port0 ip4", 2, 0 },
		{ "in bridge0 ip4", 2, -1 },
		{ "out port1 ether", 2, 1 },
		{ "out bridge0 ip4", 2, -1 },
		{ "out port1 ip4", 2, 1 },
		{ "in port0 ip4", 9, 0 },
		{ "out bridge0 ip4", 9, -1 },
	};

	(void)state;
	tunable(BRIDGE_IPFW, 1);
	tunable(BRIDGE_PFIL_MEMBER, 1);
	tunable(BRIDGE_PFIL_BRIDGE, 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct packet k = udp(rows[i].dst, 1, 5);
		const struct iface *ifp =
		    rows[i].counts < 0 ? l.br : l.p[rows[i].counts];
		uint64_t before = ifp->count.drops[DROP_FILTERED];

		spy.verdict = PFIL_DROPPED;
		snprintf(spy.deny, sizeof(spy.deny), "%s", rows[i].call);
		packet_in(&l, 0, &k);
		for (uint32_t port = 0; port < 4; port++)
			assert_sent(&l, port, 0);
		assert_int_equal(ifp->count.drops[DROP_FILTERED], before + 1);
	}
	/* One port of a flood: the others get it. */
	{
		struct packet k = udp(9, 1, 8);

		snprintf(spy.deny, sizeof(spy.deny), "out port2 ip4");
		packet_in(&l, 0, &k);
		assert_sent(&l, 1, 8);
		assert_sent(&l, 2, 0);
		assert_sent(&l, 3, 8);
		assert_drop(l.p[2], FILTERED, 1);
	}
}

/* --- the host ------------------------------------------------------------- */

static struct packet
to_host(const struct iface *ifp, uint32_t id)
{
	struct packet k = udp(2, 1, id);

	k.dst = mac_to_u64(ifp->mac);
	return k;
}

/* A frame for the host passes once, where the host has it; one that it sends
 * passes once, where it sends it; whatever the switches say. */
static void
test_the_hosts_door(void **state)
{
	struct packet k;

	(void)state;
	give_hosts();
	for (int on = 0; on < 2; on++) {
		tunable(BRIDGE_PFIL_MEMBER, (uint32_t)on);
		tunable(BRIDGE_PFIL_BRIDGE, (uint32_t)on);
		k = to_host(l.br, 5);
		packet_in(&l, 0, &k);
		assert_calls("in bridge0 ip4");
		assert_seen(br_mock.heard, 5);
		k = udp(2, 1, 6);
		k.src = mac_to_u64(l.br->mac);
		packet_from_host(l.br, &k);
		assert_calls("out bridge0 ip4");
		assert_sent(&l, 1, 6);
		k.src = mac_to_u64(l.p[0]->mac);
		packet_from_host(l.p[0], &k);
		assert_calls("out port0 ip4");
		assert_sent(&l, 1, 6);
	}
}

/* A bridge that is down leaves plain interfaces, which have doors, too. */
static void
test_a_plain_interface(void **state)
{
	struct packet k;

	(void)state;
	give_hosts();
	iface_set_flags(l.br, 0, IFACE_UP);
	k = to_host(l.p[0], 5);
	packet_in(&l, 0, &k);
	assert_calls("in port0 ip4");
	assert_heard(&l, 0, 5);
	packet_from_host(l.p[0], &k);
	assert_calls("out port0 ip4");
	assert_sent(&l, 0, 5);
}

/* The host's stack does not take what is for others: tcpdump sees it. */
static void
test_others_frames_are_not_filtered_for_the_host(void **state)
{
	struct packet k = udp(2, 1, 5);

	(void)state;
	give_hosts();
	br_mock.host.promisc = true;
	spy.verdict = PFIL_DROPPED;
	packet_in(&l, 0, &k);
	assert_calls("");
	assert_seen(br_mock.heard, 5);
	assert_sent(&l, 1, 5);
}

static void
test_the_host_does_not_get_what_is_refused(void **state)
{
	struct packet k;

	(void)state;
	give_hosts();
	spy.verdict = PFIL_DROPPED;
	k = to_host(l.br, 5);
	packet_in(&l, 0, &k);
	assert_int_equal(br_mock.heard.count, 0);
	assert_drop(l.br, FILTERED, 1);
	packet_from_host(l.br, &k);
	assert_drop(l.br, FILTERED, 2);
}

/* if_bridge(4), the first picture: the destination is ifX's address, on which
 * it came in: it is seen on ifX, whoever else has that address. */
static void
test_picture_receiving_member_wins(void **state)
{
	struct packet k;

	(void)state;
	give_hosts();
	assert_int_equal(iface_set_lladdr(l.p[3], l.p[0]->mac), 0);
	assert_int_equal(iface_set_lladdr(l.p[2], l.p[0]->mac), 0);
	k = to_host(l.p[0], 5);
	packet_in(&l, 0, &k);
	assert_calls("in port0 ip4");
	assert_heard(&l, 0, 5);
}

/* The second: members that share another address: one of them, by the list's
 * order, the newest. */
static void
test_picture_list_order_decides(void **state)
{
	struct packet k;

	(void)state;
	give_hosts();
	assert_int_equal(iface_set_lladdr(l.p[2], l.p[3]->mac), 0);
	k = to_host(l.p[3], 5);
	packet_in(&l, 0, &k);
	assert_calls("in port3 ip4");
	assert_heard(&l, 3, 5);
	assert_heard(&l, 2, 0);
}

/* pfil_local_phys: besides on the physical interface, which is where it came
 * in, as far as members are filtered. */
static void
test_local_phys(void **state)
{
	struct packet k;

	(void)state;
	give_hosts();
	tunable(BRIDGE_PFIL_LOCAL_PHYS, 1);
	k = to_host(l.br, 5);
	packet_in(&l, 0, &k); /* the gate is closed */
	assert_calls("in bridge0 ip4");
	tunable(BRIDGE_PFIL_MEMBER, 1);
	packet_in(&l, 0, &k);
	assert_calls("in port0 ip4, in bridge0 ip4");
	k = to_host(l.p[2], 5);
	packet_in(&l, 0, &k);
	assert_calls("in port0 ip4, in port2 ip4");
	/* What is for the receiving member does not pass through the bridge. */
	k = to_host(l.p[0], 5);
	packet_in(&l, 0, &k);
	assert_calls("in port0 ip4");
	spy.verdict = PFIL_DROPPED;
	snprintf(spy.deny, sizeof(spy.deny), "in port0 ip4");
	br_mock.heard.count = 0;
	k = to_host(l.br, 5);
	packet_in(&l, 0, &k);
	assert_int_equal(br_mock.heard.count, 0);
	assert_drop(l.p[0], FILTERED, 1);
}

/* Groups go to the host everywhere, and are filtered where it has each. */
static void
test_groups_for_the_host(void **state)
{
	struct packet k = udp(2, 1, 5);

	(void)state;
	give_hosts();
	k.dst = BROADCAST;
	packet_in(&l, 0, &k);
	assert_int_equal(br_mock.heard.count, 1);
	assert_int_equal(spy.calls, 5); /* the bridge and four members */
	/* What the bridge does not forward, the host has heard all the same. */
	tunable(BRIDGE_PFIL_BRIDGE, 1);
	br_mock.heard.count = 0;
	spy.verdict = PFIL_DROPPED;
	snprintf(spy.deny, sizeof(spy.deny), "out bridge0 ip4");
	mock_of(l.p[1])->sent.count = 0;
	packet_in(&l, 0, &k);
	assert_int_equal(br_mock.heard.count, 1);
	assert_sent(&l, 1, 0);
}

/* A vether's host is behind its wire: its door is there. */
static void
test_vether_has_a_door(void **state)
{
	struct iface *v = fixture_iface_up(l.net, "vether0");
	struct packet k = udp(2, 1, 5);

	(void)state;
	assert_int_equal(bridge_add(l.br, v), 0);
	host_give(v, mock_of(v), l.net->home);
	k.src = mac_to_u64(v->mac);
	packet_from_host(v, &k);
	assert_calls("out vether0 ip4");
	assert_sent(&l, 1, 5);
	v->host = NULL;
}

/* --- headers -------------------------------------------------------------- */

static void
bad(uint32_t at, uint8_t value, uint32_t cut, bool v6, enum drop_reason why)
{
	struct packet k = udp(2, 1, 5);
	struct frame_batch b = { .count = 1 };
	uint64_t before = l.p[0]->count.drops[why];
	struct frame *f;

	k.v6 = v6;
	f = packet_make(l.net, &k);
	if (at != 0)
		f->data[14 + at - 1] = value;
	if (!v6 && why != DROP_IP_CSUM && at != 0) {
		uint32_t hlen = (f->data[14] & 15u) * 4;

		be16_put(f->data + 24, 0);
		be16_put(f->data + 24,
		    (uint16_t)~csum_fold(csum_add(0, f->data + 14, hlen)));
	}
	if (cut != 0)
		f->len = 14 + cut;
	b.frames[0] = f;
	iface_input(l.p[0], &b);
	assert_sent(&l, 1, 0);
	assert_int_equal(l.p[0]->count.drops[why], before + 1);
	assert_calls("");
}

static void
test_bad_headers_have_a_reason_each(void **state)
{
	(void)state;
	tunable(BRIDGE_PFIL_MEMBER, 1);
	bad(0, 0, 19, false, DROP_IP_SHORT);
	bad(1, 0x46, 20, false, DROP_IP_SHORT); /* options that are cut off */
	bad(1, 0x55, 0, false, DROP_IP_VERSION);
	bad(1, 0x44, 0, false, DROP_IP_HEADER);
	bad(12, 0xff, 0, false, DROP_IP_CSUM);
	bad(4, 19, 0, false, DROP_IP_HEADER); /* shorter than its header */
	bad(4, 255, 0, false, DROP_IP_LENGTH);
	bad(0, 0, 39, true, DROP_IP_SHORT);
	bad(1, 0x45, 0, true, DROP_IP_VERSION);
	bad(6, 255, 0, true, DROP_IP_LENGTH);
	/* They are dropped for the filter's sake only. */
	tunable(BRIDGE_PFIL_MEMBER, 0);
	{
		struct packet k = udp(2, 1, 5);
		struct frame_batch b = { .count = 1 };

		b.frames[0] = packet_make(l.net, &k);
		b.frames[0]->data[14] = 0x55;
		iface_input(l.p[0], &b);
		assert_sent(&l, 1, 5);
	}
}

static void
test_every_header_byte_is_survived(void **state)
{
	struct packet k = udp(2, 1, 5);

	(void)state;
	tunable(BRIDGE_PFIL_MEMBER, 1);
	tunable(BRIDGE_IPFW, 1);
	for (int v6 = 0; v6 < 2; v6++)
		for (uint32_t at = 12; at < 60; at++)
			for (uint32_t v = 0; v < 256; v += 5) {
				struct frame_batch b = { .count = 1 };

				k.v6 = v6 != 0;
				b.frames[0] = packet_make(l.net, &k);
				b.frames[0]->data[at] = (uint8_t)v;
				b.frames[0]->len =
				    v % 2 == 0 ? 14 + v / 4 : b.frames[0]->len;
				iface_input(l.p[0], &b);
				for (uint32_t p = 0; p < 4; p++)
					mock_of(l.p[p])->sent.count = 0;
				spy.text[0] = '\0';
			}
}

/* --- too long ------------------------------------------------------------- */

static void
send_long(uint32_t payload, uint16_t frag)
{
	struct packet k = udp(2, 1, 5);

	k.payload = payload;
	k.frag = frag;
	packet_in(&l, 0, &k);
}

static void
test_what_is_too_long_is_cut_behind_the_filter(void **state)
{
	(void)state;
	send_long(4000, 0);
	assert_sent(&l, 1, 0);
	assert_drop(l.p[1], MTU, 1); /* no filter: as any frame */
	tunable(BRIDGE_PFIL_BRIDGE, 1);
	send_long(4000, 0);
	assert_drop(l.p[1], MTU, 2); /* not of members */
	tunable(BRIDGE_PFIL_MEMBER, 1);
	send_long(4000, 0);
	assert_int_equal(mock_of(l.p[1])->sent.count, 3);
	mock_of(l.p[1])->sent.count = 0;
	send_long(1472, 0); /* fits */
	assert_sent(&l, 1, 5);
	send_long(4000, 0x4000);
	assert_sent(&l, 1, 0);
	assert_drop(l.p[1], MTU_DF, 1);
	/* IPv6 is not cut on its way. */
	{
		struct packet k = udp(2, 1, 5);

		k.v6 = true;
		k.payload = 4000;
		packet_in(&l, 0, &k);
		assert_sent(&l, 1, 0);
		assert_drop(l.p[1], MTU, 3);
	}
}

/* Pieces, and the bytes of the whole that they bring. */
struct pieces {
	uint32_t count, drops;
	enum drop_reason why;
	uint8_t data[65536];
	uint32_t end;
	uint32_t last_more, max, l3;
};

static void
piece_take(void *arg, struct frame *f)
{
	struct pieces *p = arg;
	const uint8_t *ip = f->data + p->l3;
	uint32_t hlen = (ip[0] & 15u) * 4, total = be16_get(ip + 2);
	uint16_t field = be16_get(ip + 6);

	p->count++;
	assert_int_equal(csum_fold(csum_add(0, ip, hlen)), 0xffff);
	assert_int_equal(total, f->len - p->l3);
	if ((field & 0x2000) != 0)
		assert_int_equal((total - hlen) % 8, 0);
	memcpy(p->data + (field & 0x1fff) * 8u, ip + hlen, total - hlen);
	if ((field & 0x2000) == 0)
		p->end = (field & 0x1fffu) * 8 + total - hlen;
	p->last_more = (field & 0x2000) != 0;
	p->max = total > p->max ? total : p->max;
	frame_release(f);
}

static void
piece_lost(void *arg, struct frame *f, enum drop_reason why)
{
	struct pieces *p = arg;

	p->drops++;
	p->why = why;
	frame_release(f);
}

static void
test_pieces_are_the_packet(void **state)
{
	static struct pieces p;

	(void)state;
	for (uint32_t mtu = 28; mtu < 3000; mtu += 97)
		for (uint32_t payload = 4; payload < 4000; payload += 331) {
			const struct offload_output out = {
				.mtu = mtu,
				.emit = piece_take,
				.drop = piece_lost,
				.arg = &p,
			};
			struct packet k = udp(2, 1, 7);
			struct frame *f;
			uint8_t want[4096];

			memset(&p, 0, sizeof(p));
			k.payload = payload;
			f = packet_make(l.net, &k);
			for (uint32_t i = 42; i < f->len; i++)
				f->data[i] = (uint8_t)(i * 7);
			memcpy(want, f->data + 34, f->len - 34);
			p.l3 = 14;
			fragment4(f, 14, &out);
			assert_int_equal(p.drops, 0);
			assert_int_equal(p.end, payload + 8);
			assert_memory_equal(p.data, want, payload + 8);
			assert_true(p.max <= mtu || p.count == 1);
		}
}

/* RFC 791: options are repeated if they say so; a piece of a piece is where
 * the piece was. */
static void
test_pieces_of_pieces_and_options(void **state)
{
	static struct pieces p;
	const struct offload_output out = {
		.mtu = 60,
		.emit = piece_take,
		.drop = piece_lost,
		.arg = &p,
	};
	struct packet k = udp(2, 1, 7);
	struct frame *f;

	(void)state;
	memset(&p, 0, sizeof(p));
	k.payload = 104;
	f = packet_make(l.net, &k);
	/* Record route (not copied), then an option that is copied. */
	memmove(f->data + 34 + 12, f->data + 34, f->len - 34);
	memcpy(f->data + 34, "\x07\x04\x04\0\x94\x04\0\0\x01\x01\x01\0", 12);
	f->len += 12;
	f->data[14] = 0x48;
	be16_put(f->data + 16, (uint16_t)(f->len - 14));
	be16_put(f->data + 20, 0x2000 | 10);
	be16_put(f->data + 24, 0);
	be16_put(
	    f->data + 24, (uint16_t)~csum_fold(csum_add(0, f->data + 14, 32)));
	p.l3 = 14;
	fragment4(f, 14, &out);
	assert_int_equal(p.drops, 0);
	assert_int_equal(p.last_more, 1); /* more of the whole follows */
	assert_true(p.count >= 3);
	/* No room for eight bytes. */
	f = packet_make(l.net, &k);
	{
		const struct offload_output tiny = {
			.mtu = 27,
			.emit = piece_take,
			.drop = piece_lost,
			.arg = &p,
		};

		fragment4(f, 14, &tiny);
	}
	assert_int_equal(p.why, DROP_MTU);
}

/* A blank sum is completed before it is cut. */
static void
test_blank_sums_are_completed_before_the_cut(void **state)
{
	static struct pieces p;
	const struct offload_output out = {
		.mtu = 576,
		.emit = piece_take,
		.drop = piece_lost,
		.arg = &p,
	};
	struct packet k = udp(2, 1, 7);
	struct frame *f;

	(void)state;
	memset(&p, 0, sizeof(p));
	k.payload = 1200;
	f = packet_make(l.net, &k);
	be16_put(f->data + 40, csum_fold(csum_pseudo4(f->data + 26,
	                           f->data + 30, IP_PROTO_UDP, 1208)));
	f->off.flags = FRAME_CSUM_PARTIAL;
	f->off.csum_start = 34;
	f->off.csum_offset = 6;
	p.l3 = 14;
	fragment4(f, 14, &out);
	assert_int_equal(p.drops, 0);
	assert_int_equal(
	    csum_fold(csum_add(
	        csum_pseudo4((const uint8_t *)"\x0a\0\0\x01",
	            (const uint8_t *)"\x0a\0\0\x02", IP_PROTO_UDP, 1208),
	        p.data, 1208)),
	    0xffff);
}

/* --- frames that are held ------------------------------------------------- */

static void
hold(const char *call, bool again)
{
	spy.verdict = PFIL_CONSUMED;
	spy.again = again;
	snprintf(spy.deny, sizeof(spy.deny), "%s", call);
	spy.text[0] = '\0';
}

static void
give_back(void)
{
	struct frame *f = spy.held;

	assert_non_null(f);
	spy.held = NULL;
	spy.verdict = PFIL_PASS;
	spy.text[0] = '\0';
	pfil_resume(l.net, f, &spy.where);
}

static void
test_held_frames_go_on_where_they_were(void **state)
{
	static const struct {
		const char *call;
		uint32_t dst;
		const char *rest;
	} rows[] = {
		{ "in port0 ip4", 2,
		    "in bridge0 ip4, out port1 ether, out bridge0 ip4, "
		    "out port1 ip4" },
		{ "in bridge0 ip4", 2,
		    "out port1 ether, out bridge0 ip4, out port1 ip4" },
		{ "out port1 ether", 2, "out bridge0 ip4, out port1 ip4" },
		{ "out bridge0 ip4", 2, "out port1 ip4" },
		{ "out port1 ip4", 2, "" },
		{ "out bridge0 ip4", 9,
		    "out port3 ether, out port3 ip4, out port2 ether, "
		    "out port2 ip4, out port1 ether, out port1 ip4" },
	};

	(void)state;
	tunable(BRIDGE_IPFW, 1);
	tunable(BRIDGE_PFIL_MEMBER, 1);
	tunable(BRIDGE_PFIL_BRIDGE, 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct packet k = udp(rows[i].dst, 1, 5);

		hold(rows[i].call, false);
		packet_in(&l, 0, &k);
		assert_sent(&l, 1, 0);
		give_back();
		assert_calls(rows[i].rest);
		assert_sent(&l, 1, 5);
		mock_of(l.p[2])->sent.count = mock_of(l.p[3])->sent.count = 0;
	}
	/* To the hook that held it, again. */
	{
		struct packet k = udp(2, 1, 5);

		hold("out port1 ip4", true);
		packet_in(&l, 0, &k);
		give_back();
		assert_calls("out port1 ip4 again");
		assert_sent(&l, 1, 5);
	}
}

static void
test_held_frames_of_the_host(void **state)
{
	struct packet k;

	(void)state;
	give_hosts();
	tunable(BRIDGE_PFIL_MEMBER, 1);
	tunable(BRIDGE_PFIL_LOCAL_PHYS, 1);
	k = to_host(l.br, 5);
	hold("in port0 ip4", false);
	packet_in(&l, 0, &k);
	assert_int_equal(br_mock.heard.count, 0);
	give_back();
	assert_calls("in bridge0 ip4");
	assert_seen(br_mock.heard, 5);
	hold("in bridge0 ip4", false);
	packet_in(&l, 0, &k);
	give_back();
	assert_seen(br_mock.heard, 5);
	k = udp(2, 1, 6);
	hold("out bridge0 ip4", false);
	packet_from_host(l.br, &k);
	give_back();
	assert_sent(&l, 1, 6);
	/* On a member that is not the receiving one. */
	k = to_host(l.p[2], 7);
	hold("in port0 ip4", false);
	packet_in(&l, 0, &k);
	give_back();
	assert_heard(&l, 2, 7);
}

/* What they were on their way to may have gone meanwhile. */
static void
test_held_frames_of_what_has_gone(void **state)
{
	struct packet k = udp(2, 1, 5);

	(void)state;
	tunable(BRIDGE_PFIL_MEMBER, 1);
	hold("out port1 ip4", false);
	packet_in(&l, 0, &k);
	assert_int_equal(bridge_delete(l.br, l.p[1]), 0);
	give_back();
	assert_sent(&l, 1, 0);
	assert_drop(l.p[0], DESTROYED, 1);
	assert_int_equal(bridge_add(l.br, l.p[1]), 0);
	hold("in port0 ip4", false);
	packet_in(&l, 0, &k);
	assert_int_equal(net_iface_destroy(l.p[0], NULL), 0);
	give_back();
	assert_drop(l.br, DESTROYED, 1);
	k = udp(3, 2, 5);
	hold("in port1 ip4", false);
	packet_in(&l, 1, &k);
	assert_int_equal(net_iface_destroy(l.br, NULL), 0);
	give_back();
}

static void
test_answers_go_back(void **state)
{
	struct packet k = udp(2, 1, 5), a = udp(1, 2, 77);

	(void)state;
	give_hosts();
	tunable(BRIDGE_PFIL_MEMBER, 1);
	hold("out port1 ip4", false);
	packet_in(&l, 0, &k);
	frame_release(spy.held);
	spy.held = NULL;
	pfil_answer(l.net, packet_make(l.net, &a), &spy.where);
	assert_sent(&l, 0, 77);
	k = to_host(l.br, 5);
	hold("in bridge0 ip4", false);
	packet_in(&l, 0, &k);
	frame_release(spy.held);
	spy.held = NULL;
	pfil_answer(l.net, packet_make(l.net, &a), &spy.where);
	assert_sent(&l, 0, 77); /* the bridge knows the way */
	hold("out bridge0 ip4", false);
	packet_from_host(l.br, &k);
	frame_release(spy.held);
	spy.held = NULL;
	pfil_answer(l.net, packet_make(l.net, &a), &spy.where);
	assert_seen(br_mock.heard, 77);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_nothing_is_called_where_nothing_is_on),
		T(test_lists_have_a_limit),
		T(test_all_switches_off_nothing_is_filtered),
		T(test_known_unicast),
		T(test_flood_asks_the_bridge_once),
		T(test_layer2_is_asked_out_of_members),
		T(test_what_is_not_ip),
		T(test_snap_and_tags_are_looked_into),
		T(test_ipv6),
		T(test_each_place_can_refuse),
		T(test_the_hosts_door),
		T(test_a_plain_interface),
		T(test_others_frames_are_not_filtered_for_the_host),
		T(test_the_host_does_not_get_what_is_refused),
		T(test_picture_receiving_member_wins),
		T(test_picture_list_order_decides),
		T(test_local_phys),
		T(test_groups_for_the_host),
		T(test_vether_has_a_door),
		T(test_bad_headers_have_a_reason_each),
		T(test_every_header_byte_is_survived),
		T(test_what_is_too_long_is_cut_behind_the_filter),
		T(test_pieces_are_the_packet),
		T(test_pieces_of_pieces_and_options),
		T(test_blank_sums_are_completed_before_the_cut),
		T(test_held_frames_go_on_where_they_were),
		T(test_held_frames_of_the_host),
		T(test_held_frames_of_what_has_gone),
		T(test_answers_go_back),
	};

	return cmocka_run_group_tests_name("pfil", tests, NULL, NULL);
}

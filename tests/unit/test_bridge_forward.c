/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of frames through a bridge: a test for each of its numbered rules. */
#include "bridge_fixture.h"

static struct lab l;

static int
setup(void **state)
{
	(void)state;
	lab_init(&l, 4);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lab_fini(&l);
	return 0;
}

static struct bridge_port *
port(uint32_t i)
{
	return bridge_member(lab_bridge(&l), l.p[i]);
}

static void
give_hosts(void)
{
	host_give(l.br, &l.br_host, l.net->home);
	for (uint32_t i = 0; i < 4; i++)
		host_give(l.p[i], mock_of(l.p[i]), l.net->home);
}

static void
test_learns_floods_and_forwards(void **state)
{
	(void)state;
	lab_in(&l, 0, station(2), station(1), 7); /* unknown: flood */
	assert_sent(&l, 0, 0);
	assert_sent(&l, 1, 7);
	assert_sent(&l, 2, 7);
	assert_sent(&l, 3, 7);
	lab_in(&l, 2, station(1), station(2), 8); /* known */
	assert_sent(&l, 0, 8);
	assert_sent(&l, 1, 0);
	lab_in(&l, 0, station(2), station(1), 9);
	assert_sent(&l, 2, 9);
	assert_sent(&l, 3, 0);
	assert_int_equal(l.br->count.ipackets, 3);
	assert_int_equal(l.br->count.ibytes, 3 * 64);
	assert_int_equal(l.br->count.opackets, 5);
	assert_int_equal(l.br->count.obytes, 5 * 64);
	assert_int_equal(l.br->count.imcasts, 0);
}

static void
test_group_floods_and_counts(void **state)
{
	(void)state;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_sent(&l, 0, 0);
	assert_sent(&l, 3, 1);
	lab_in(&l, 0, GROUP, station(1), 2);
	assert_sent(&l, 3, 2);
	assert_int_equal(l.br->count.imcasts, 2);
	assert_int_equal(l.br->count.omcasts, 6);
}

/* A flood is one buffer with many readers. */
static void
test_flood_takes_no_frames(void **state)
{
	struct frame_pool_stats before, after;

	(void)state;
	frame_pool_stats(l.net->pool, &before);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	frame_pool_stats(l.net->pool, &after);
	assert_int_equal(before.failures, after.failures);
	assert_int_equal(l.net->pool->small.fresh, 1);
}

/* I1: the tag's VLAN keys the table; 0 is as untagged. */
static void
test_vlans_learn_apart(void **state)
{
	(void)state;
	lab_in_vlan(&l, 0, BROADCAST, station(1), 10, 1);
	assert_int_equal(lab_lookup(&l, station(1), 10), 1);
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	lab_in_vlan(&l, 1, BROADCAST, station(1), 0xe000, 2); /* priority */
	assert_int_equal(lab_lookup(&l, station(1), 0), 2);
	assert_int_equal(lab_lookup(&l, station(1), 10), 1);
}

/* I3 */
static void
test_down_bridge_leaves_a_plain_interface(void **state)
{
	(void)state;
	iface_set_flags(l.br, 0, IFACE_UP);
	lab_in(&l, 0, station(2), station(1), 1);
	assert_drop(l.p[0], BRIDGE_DOWN, 1);
	give_hosts();
	lab_in(&l, 0, station(2), station(1), 2);
	assert_heard(&l, 0, 2);
	assert_sent(&l, 1, 0);
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	assert_int_equal(l.br->count.ipackets, 0);
}

/* I4 */
static void
test_monitor_counts_and_drops(void **state)
{
	(void)state;
	iface_set_flags(l.br, IFACE_MONITOR, 0);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_sent(&l, 1, 0);
	assert_drop(l.br, MONITOR, 1);
	assert_int_equal(l.br->count.ipackets, 1);
	assert_int_equal(l.br->count.ibytes, 64);
	/* What a host sends by a member leaves by that one alone. */
	lab_host_in(&l, l.p[0], BROADCAST, mac_to_u64(l.p[0]->mac), 2);
	assert_sent(&l, 0, 2);
	assert_sent(&l, 1, 0);
	assert_sent(&l, 2, 0);
	assert_int_equal(lab_lookup(&l, mac_to_u64(l.p[0]->mac), 0), FDB_NONE);
}

/* I5 */
static void
test_bad_tags_do_not_enter(void **state)
{
	struct frame_batch b = { .count = 1 };
	struct frame *f;

	(void)state;
	lab_in_vlan(&l, 0, BROADCAST, station(1), 4095, 1);
	f = frame_make(l.net, BROADCAST, station(1), 5, 0);
	f->len = 17; /* the tag is cut off */
	b.frames[0] = f;
	iface_input(l.p[0], &b);
	assert_sent(&l, 1, 0);
	assert_drop(l.br, VLAN_BAD, 2);
	assert_int_equal(l.br->count.ierrors, 2);
}

/* I6: everything that was accepted, also what is dropped later. */
static void
test_span_gets_a_copy(void **state)
{
	(void)state;
	bridge_delete(l.br, l.p[3]);
	assert_int_equal(bridge_span_add(l.br, l.p[3]), 0);
	lab_in(&l, 0, station(2), station(1), 1);
	assert_sent(&l, 3, 1);
	assert_sent(&l, 1, 1);
	lab_in(&l, 0, station(1), station(5), 2); /* same port: dropped */
	assert_sent(&l, 1, 0);
	assert_sent(&l, 3, 2);
	lab_in(&l, 0, 0x0180c2000000u, station(1), 3);
	assert_sent(&l, 3, 3);
	/* The bridge has sent two copies of the first: spans do not count. */
	assert_int_equal(l.br->count.opackets, 2);
	/* Host output on the bridge is not copied, on a member it is. */
	lab_host_in(&l, l.br, BROADCAST, station(9), 4);
	assert_sent(&l, 3, 0);
	lab_host_in(&l, l.p[0], BROADCAST, station(9), 5);
	assert_sent(&l, 3, 5);
	iface_set_flags(l.p[3], 0, IFACE_UP);
	lab_in(&l, 0, station(2), station(1), 6);
	assert_sent(&l, 3, 0);
}

static void
test_span_input_is_not_bridged(void **state)
{
	(void)state;
	bridge_delete(l.br, l.p[3]);
	bridge_span_add(l.br, l.p[3]);
	lab_in(&l, 3, BROADCAST, station(1), 1);
	assert_drop(l.p[3], SPAN_INPUT, 1);
	assert_sent(&l, 0, 0);
	host_give(l.p[3], mock_of(l.p[3]), l.net->home);
	lab_in(&l, 3, BROADCAST, station(1), 2);
	assert_heard(&l, 3, 2);
}

/* I7a */
static void
test_bpdu_is_always_consumed(void **state)
{
	(void)state;
	give_hosts();
	lab_in(&l, 0, 0x0180c2000000u, station(1), 1);
	assert_sent(&l, 1, 0);
	assert_heard(&l, 0, 0);
	assert_seen(l.br_host.heard, 0);
	assert_drop(l.p[0], BPDU, 1);
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
}

/* The other reserved groups: the host's, never forwarded, learned from. */
static void
test_reserved_groups_stay_here(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < 16; i++)
		lab_in(&l, 0, 0x0180c2000000u + i, station(1), i);
	assert_drop(l.p[0], RESERVED, 15);
	assert_int_equal(lab_lookup(&l, station(1), 0), 1);
	give_hosts();
	lab_in(&l, 0, 0x0180c200000eu, station(1), 20);
	assert_heard(&l, 0, 20);
	assert_seen(l.br_host.heard, 20);
	assert_heard(&l, 1, 0);
	assert_drop(l.p[0], RESERVED, 15);
	lab_in(&l, 0, 0x0180c2000010u, station(1), 21);
	assert_sent(&l, 1, 21);
}

/* I7b, I8 */
static void
test_discarding_port_takes_nothing(void **state)
{
	(void)state;
	port(0)->state = BRIDGE_STP_DISCARDING;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	lab_in(&l, 0, station(2), station(1), 2);
	assert_drop(l.p[0], STP_DISCARDING, 2);
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	lab_in(&l, 1, BROADCAST, station(2), 3);
	assert_sent(&l, 0, 0);
	assert_sent(&l, 2, 3);
	give_hosts();
	lab_in(&l, 0, station(2), station(1), 4);
	assert_heard(&l, 0, 4);
}

/* F4 */
static void
test_learning_port_only_learns(void **state)
{
	(void)state;
	port(0)->state = BRIDGE_STP_LEARNING;
	lab_in(&l, 0, station(2), station(1), 1);
	lab_in(&l, 0, BROADCAST, station(1), 2);
	assert_sent(&l, 1, 0);
	assert_drop(l.p[0], STP_LEARNING, 2);
	lab_in(&l, 1, station(1), station(2), 3); /* nor does it send */
	assert_drop(l.p[1], STP_LEARNING, 1);
	lab_in(&l, 1, BROADCAST, station(2), 4);
	assert_sent(&l, 0, 0);
}

/* I7d, e: the host hears groups on the bridge and on every member. */
static void
test_hosts_hear_groups(void **state)
{
	struct vnet other = { .net = l.net };

	(void)state;
	give_hosts();
	mock_of(l.p[2])->host.vnet = &other;
	mock_of(l.p[3])->host.up = false;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_seen(l.br_host.heard, 1);
	assert_heard(&l, 0, 1);
	assert_heard(&l, 1, 1);
	assert_heard(&l, 2, 0);
	assert_heard(&l, 3, 0);
	assert_sent(&l, 1, 1);
}

/* The host of a vether is its wire. */
static void
test_vether_hears_by_its_wire_only(void **state)
{
	struct iface *ve = fixture_iface_up(l.net, "vether0");

	(void)state;
	assert_int_equal(bridge_add(l.br, ve), 0);
	host_give(l.br, &l.br_host, l.net->home);
	host_give(ve, mock_of(ve), l.net->home);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_seen(mock_of(ve)->heard, 0);
	assert_seen(mock_of(ve)->sent, 1);
	assert_seen(l.br_host.heard, 1);
	/* To its address: learned or not, it is a port like any other. */
	lab_in(&l, 0, mac_to_u64(ve->mac), station(1), 2);
	assert_seen(mock_of(ve)->heard, 0);
	assert_seen(mock_of(ve)->sent, 2);
	/* From its address: the host itself sent it, no loop. */
	l.p[4] = ve;
	lab_in(&l, 4, station(1), mac_to_u64(ve->mac), 3);
	assert_sent(&l, 0, 3);
	l.p[4] = NULL;
}

/* I9: dst is the bridge's, the receiving member's, another member's. */
static void
test_unicast_to_own_addresses(void **state)
{
	(void)state;
	give_hosts();
	lab_in(&l, 0, mac_to_u64(l.br->mac), station(1), 1);
	assert_seen(l.br_host.heard, 1);
	assert_int_equal(l.br->count.ipackets, 1);
	lab_in(&l, 0, mac_to_u64(l.p[0]->mac), station(1), 2);
	assert_heard(&l, 0, 2);
	assert_int_equal(l.br->count.ipackets, 1); /* a plain interface's */
	lab_in(&l, 0, mac_to_u64(l.p[2]->mac), station(1), 3);
	assert_heard(&l, 2, 3);
	assert_int_equal(l.br->count.ipackets, 2);
	for (uint32_t i = 0; i < 4; i++)
		assert_sent(&l, i, 0);
	/* The source was learned. */
	assert_int_equal(lab_lookup(&l, station(1), 0), 1);
}

/* A card that is connected to nothing: its address is out of use. */
static void
test_without_a_link_a_member_has_no_address(void **state)
{
	(void)state;
	give_hosts();
	iface_set_link(l.p[2], IFACE_LINK_DOWN);
	lab_in(&l, 0, mac_to_u64(l.p[2]->mac), station(1), 1);
	assert_heard(&l, 2, 0);
	lab_in(&l, 0, BROADCAST, station(1), 2);
	assert_heard(&l, 2, 0);
	assert_heard(&l, 1, 2);
	iface_set_link(l.p[2], IFACE_LINK_UP);
	lab_in(&l, 0, mac_to_u64(l.p[2]->mac), station(1), 3);
	assert_heard(&l, 2, 3);
}

static void
test_own_source_came_back(void **state)
{
	(void)state;
	give_hosts();
	lab_in(&l, 0, station(2), mac_to_u64(l.br->mac), 1);
	lab_in(&l, 0, station(2), mac_to_u64(l.p[3]->mac), 2);
	lab_in(&l, 0, mac_to_u64(l.p[1]->mac), mac_to_u64(l.br->mac), 3);
	assert_drop(l.p[0], OWN_ADDRESS, 3);
	assert_sent(&l, 1, 0);
	assert_heard(&l, 1, 0);
	/* In order: to the bridge goes before from a member. */
	lab_in(&l, 0, mac_to_u64(l.br->mac), mac_to_u64(l.p[1]->mac), 4);
	assert_seen(l.br_host.heard, 4);
}

/* The receiving member goes before others of the same address. */
static void
test_receiving_member_goes_first(void **state)
{
	(void)state;
	give_hosts();
	iface_set_lladdr(l.p[1], l.p[2]->mac);
	lab_in(&l, 1, mac_to_u64(l.p[2]->mac), station(1), 1);
	assert_heard(&l, 1, 1);
	lab_in(&l, 2, mac_to_u64(l.p[2]->mac), station(1), 2);
	assert_heard(&l, 2, 2);
	/* From elsewhere: the first in the list, the newest. */
	lab_in(&l, 0, mac_to_u64(l.p[2]->mac), station(1), 3);
	assert_heard(&l, 2, 3);
	bridge_delete(l.br, l.p[2]);
	lab_in(&l, 0, mac_to_u64(l.p[1]->mac), station(1), 4);
	assert_heard(&l, 1, 4);
}

/* Where there is no host (there), an address is one like any other. */
static void
test_addresses_without_a_host_are_bridged(void **state)
{
	struct vnet other = { .net = l.net };

	(void)state;
	lab_in(&l, 0, mac_to_u64(l.p[2]->mac), station(1), 1);
	assert_sent(&l, 1, 1);
	mock_of(l.p[2])->sent.count = 0;
	mock_of(l.p[3])->sent.count = 0;
	lab_in(&l, 0, mac_to_u64(l.br->mac), station(1), 2);
	assert_sent(&l, 1, 2);
	mock_of(l.p[2])->sent.count = 0;
	mock_of(l.p[3])->sent.count = 0;
	give_hosts();
	mock_of(l.p[2])->host.vnet = &other;
	lab_in(&l, 0, mac_to_u64(l.p[2]->mac), station(1), 3);
	assert_sent(&l, 1, 3);
	assert_heard(&l, 2, 0);
}

static void
test_member_ifaddrs_0_is_the_bridge_alone(void **state)
{
	(void)state;
	give_hosts();
	bridge_tunable_set(l.net->home, BRIDGE_MEMBER_IFADDRS, 0);
	lab_in(&l, 0, mac_to_u64(l.p[2]->mac), station(1), 1);
	assert_heard(&l, 2, 0);
	assert_sent(&l, 1, 1);
	lab_in(&l, 0, mac_to_u64(l.br->mac), station(1), 2);
	assert_seen(l.br_host.heard, 2);
}

static void
test_delivery_to_a_host_that_is_down(void **state)
{
	(void)state;
	give_hosts();
	l.br_host.host.up = false;
	lab_in(&l, 0, mac_to_u64(l.br->mac), station(1), 1);
	assert_drop(l.br, HOST_DOWN, 1);
}

/* F3 */
static void
test_learn_off(void **state)
{
	(void)state;
	bridge_set_member_flags(l.br, l.p[0], 0, BRIDGE_LEARNING);
	lab_in(&l, 0, station(2), station(1), 1);
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	assert_sent(&l, 1, 1);
}

static void
test_full_table_floods(void **state)
{
	(void)state;
	fdb_set_max(&lab_bridge(&l)->fdb, 1, 1);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	mock_of(l.p[1])->sent.count = 0;
	lab_in(&l, 0, station(9), station(2), 2);
	assert_sent(&l, 1, 2);
	assert_int_equal(lab_bridge(&l)->fdb.exceeded, 1);
}

static void
test_zero_source_is_forwarded_unlearned(void **state)
{
	(void)state;
	lab_in(&l, 0, station(9), 0, 1);
	assert_sent(&l, 1, 1);
	assert_int_equal(fdb_count(&lab_bridge(&l)->fdb), 0);
}

/* Over the limit: dropped, for the host and groups as well. */
static void
test_address_limit_drops(void **state)
{
	(void)state;
	give_hosts();
	assert_int_equal(WORD2(l.br, "ifmaxaddr", v_str("port0"), v_num(1)), 0);
	lab_in(&l, 0, station(9), station(1), 1);
	assert_sent(&l, 1, 1);
	lab_in(&l, 0, station(9), station(2), 2);
	lab_in(&l, 0, BROADCAST, station(2), 3);
	lab_in(&l, 0, mac_to_u64(l.br->mac), station(2), 4);
	assert_sent(&l, 1, 0);
	assert_seen(l.br_host.heard, 0);
	assert_drop(l.p[0], ADDR_LIMIT, 3);
	assert_int_equal(
	    lab_bridge(&l)->fdb.ports[port(0)->number].violations, 3);
	lab_in(&l, 0, station(9), station(1), 5);
	assert_sent(&l, 1, 5);
}

/* A sticky address seen elsewhere is forwarded, and stays. */
static void
test_sticky(void **state)
{
	(void)state;
	bridge_set_member_flags(l.br, l.p[0], BRIDGE_STICKY, 0);
	lab_in(&l, 0, station(9), station(1), 1);
	assert_sent(&l, 1, 1);
	mock_of(l.p[2])->sent.count = 0;
	lab_in(&l, 1, station(9), station(1), 2);
	assert_sent(&l, 2, 2);
	assert_int_equal(lab_lookup(&l, station(1), 0), 1);
}

/* F5 */
static void
test_same_port_is_dropped(void **state)
{
	(void)state;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	mock_of(l.p[1])->sent.count = 0;
	lab_in(&l, 0, station(1), station(2), 2);
	assert_drop(l.p[0], SAME_PORT, 1);
	assert_sent(&l, 1, 0);
}

/* F6: who listens on the bridge sees what is forwarded, once. */
static void
test_promiscuous_bridge_host_sees_all_once(void **state)
{
	(void)state;
	give_hosts();
	l.br_host.host.promisc = true;
	lab_in(&l, 0, station(2), station(1), 1); /* unknown */
	assert_seen(l.br_host.heard, 1);
	lab_in(&l, 2, station(1), station(2), 2); /* known */
	assert_seen(l.br_host.heard, 2);
	lab_in(&l, 0, BROADCAST, station(1), 3);
	assert_seen(l.br_host.heard, 3);
	lab_in(&l, 0, mac_to_u64(l.br->mac), station(1), 4);
	assert_seen(l.br_host.heard, 4);
	lab_in(&l, 0, mac_to_u64(l.p[2]->mac), station(1), 5);
	assert_seen(l.br_host.heard, 5);
	lab_host_in(&l, l.p[0], station(2), station(8), 6);
	assert_seen(l.br_host.heard, 6);
	lab_host_in(&l, l.br, station(2), station(8), 7);
	assert_seen(l.br_host.heard, 0);
}

/* F9 */
static void
test_known_port_that_cannot_take_it(void **state)
{
	(void)state;
	lab_in(&l, 1, BROADCAST, station(2), 1);
	mock_of(l.p[1])->sent.count = 0;
	iface_set_flags(l.p[1], 0, IFACE_UP);
	lab_in(&l, 0, station(2), station(1), 2);
	assert_drop(l.p[0], PORT_DOWN, 1);
	iface_set_flags(l.p[1], IFACE_UP, 0);
	port(1)->state = BRIDGE_STP_DISCARDING;
	lab_in(&l, 0, station(2), station(1), 3);
	assert_drop(l.p[0], STP_DISCARDING, 1);
	port(1)->state = BRIDGE_STP_FORWARDING;
	bridge_set_member_flags(l.br, l.p[1], BRIDGE_PRIVATE, 0);
	lab_in(&l, 0, station(2), station(1), 4);
	assert_sent(&l, 1, 4);
	bridge_set_member_flags(l.br, l.p[0], BRIDGE_PRIVATE, 0);
	lab_in(&l, 0, station(2), station(1), 5);
	assert_drop(l.p[0], PRIVATE, 1);
	assert_sent(&l, 1, 0);
}

/* L1 */
static void
test_flood_leaves_out(void **state)
{
	(void)state;
	bridge_set_member_flags(l.br, l.p[1], 0, BRIDGE_DISCOVER);
	lab_in(&l, 0, station(9), station(1), 1);
	assert_sent(&l, 1, 0); /* unknown unicast */
	assert_sent(&l, 2, 1);
	mock_of(l.p[3])->sent.count = 0;
	lab_in(&l, 0, GROUP, station(1), 2);
	assert_sent(&l, 1, 2); /* groups it gets */
	assert_sent(&l, 2, 2);
	mock_of(l.p[3])->sent.count = 0;

	bridge_set_member_flags(l.br, l.p[0], BRIDGE_PRIVATE, 0);
	bridge_set_member_flags(l.br, l.p[2], BRIDGE_PRIVATE, 0);
	iface_set_flags(l.p[3], 0, IFACE_UP);
	lab_in(&l, 0, GROUP, station(1), 3);
	assert_sent(&l, 1, 3);
	assert_sent(&l, 2, 0);
	assert_sent(&l, 3, 0);
	bridge_delete(l.br, l.p[1]);
	lab_in(&l, 0, GROUP, station(1), 4);
	lab_in(&l, 0, station(9), station(1), 5);
	assert_drop(l.p[0], NO_PORT, 2);
}

/* H1: a known port must forward, no more; a flood without private. */
static void
test_host_output_on_the_bridge(void **state)
{
	(void)state;
	lab_in(&l, 1, BROADCAST, station(2), 1);
	for (uint32_t i = 0; i < 4; i++)
		mock_of(l.p[i])->sent.count = 0;
	bridge_set_member_flags(l.br, l.p[0], BRIDGE_PRIVATE, 0);
	bridge_set_member_flags(l.br, l.p[2], 0, BRIDGE_DISCOVER);
	lab_host_in(&l, l.br, station(2), mac_to_u64(l.br->mac), 2);
	assert_sent(&l, 1, 2);
	port(1)->state = BRIDGE_STP_DISCARDING;
	port(3)->state = BRIDGE_STP_LEARNING;
	lab_host_in(&l, l.br, station(2), mac_to_u64(l.br->mac), 2);
	assert_sent(&l, 1, 0);
	assert_drop(l.br, STP_DISCARDING, 1);
	lab_host_in(&l, l.br, station(9), mac_to_u64(l.br->mac), 3);
	assert_sent(&l, 0, 3);
	assert_sent(&l, 1, 0);
	assert_sent(&l, 2, 0);
	assert_sent(&l, 3, 0);
	lab_host_in(&l, l.br, BROADCAST, mac_to_u64(l.br->mac), 4);
	assert_sent(&l, 0, 4);
	assert_sent(&l, 2, 4);
	/* The host's addresses are not learned. */
	assert_int_equal(lab_lookup(&l, mac_to_u64(l.br->mac), 0), FDB_NONE);
	bridge_remove_all(lab_bridge(&l));
	lab_host_in(&l, l.br, BROADCAST, mac_to_u64(l.br->mac), 5);
	assert_drop(l.br, NO_PORT, 1);
}

/* H2 */
static void
test_host_output_on_a_member(void **state)
{
	(void)state;
	lab_in(&l, 1, BROADCAST, station(2), 1);
	for (uint32_t i = 0; i < 4; i++)
		mock_of(l.p[i])->sent.count = 0;
	lab_host_in(&l, l.p[0], station(2), mac_to_u64(l.p[0]->mac), 2);
	assert_sent(&l, 1, 2);
	assert_sent(&l, 0, 0);
	bridge_set_member_flags(l.br, l.p[0], BRIDGE_PRIVATE, BRIDGE_DISCOVER);
	bridge_set_member_flags(l.br, l.p[2], BRIDGE_PRIVATE, BRIDGE_DISCOVER);
	port(3)->state = BRIDGE_STP_DISCARDING;
	lab_host_in(&l, l.p[0], station(9), mac_to_u64(l.p[0]->mac), 3);
	assert_sent(&l, 0, 3);
	assert_sent(&l, 1, 3);
	assert_sent(&l, 2, 3);
	assert_sent(&l, 3, 0);
	port(1)->state = BRIDGE_STP_LEARNING;
	lab_host_in(&l, l.p[0], station(2), mac_to_u64(l.p[0]->mac), 4);
	assert_sent(&l, 1, 0);
	assert_drop(l.p[0], STP_LEARNING, 1);
	port(1)->state = BRIDGE_STP_FORWARDING;
	/* Its own port does not forward: out of there, and nowhere else. */
	port(0)->state = BRIDGE_STP_DISCARDING;
	lab_host_in(&l, l.p[0], station(2), mac_to_u64(l.p[0]->mac), 5);
	assert_sent(&l, 0, 5);
	lab_host_in(&l, l.p[0], BROADCAST, mac_to_u64(l.p[0]->mac), 6);
	assert_sent(&l, 0, 6);
	assert_sent(&l, 1, 0);
	assert_sent(&l, 2, 0);
	port(0)->state = BRIDGE_STP_FORWARDING;
	iface_set_flags(l.p[1], 0, IFACE_UP);
	lab_host_in(&l, l.p[0], station(2), mac_to_u64(l.p[0]->mac), 4);
	assert_drop(l.p[0], PORT_DOWN, 1);
	iface_set_flags(l.br, 0, IFACE_UP);
	lab_host_in(&l, l.p[0], station(2), mac_to_u64(l.p[0]->mac), 5);
	assert_sent(&l, 0, 5);
	assert_sent(&l, 2, 0);
}

/* One hand-over per port and batch, in order, also more than a batch. */
static void
test_order_is_kept(void **state)
{
	struct frame_batch b;
	uint32_t id = 1;

	(void)state;
	lab_in(&l, 1, BROADCAST, station(2), 1);
	for (uint32_t i = 0; i < 4; i++)
		mock_of(l.p[i])->sent.count = 0;
	for (uint32_t round = 0; round < 4; round++) {
		b.count = FRAME_BATCH_MAX;
		for (uint32_t i = 0; i < FRAME_BATCH_MAX; i++)
			b.frames[i] = frame_make(l.net,
			    i % 3 == 0   ? BROADCAST
			    : i % 3 == 1 ? station(2)
			                 : station(77),
			    station(1), 0, id++);
		iface_input(l.p[0], &b);
	}
	assert_int_equal(mock_of(l.p[1])->sent.count, 256);
	for (uint32_t i = 0; i < 256; i++)
		assert_int_equal(mock_of(l.p[1])->sent.ids[i], i + 1);
}

/* The same for hosts: groups are flooded together, but nothing overtakes. */
static void
test_order_is_kept_for_hosts(void **state)
{
	struct frame_batch b = { .count = FRAME_BATCH_MAX };
	struct seen *own = &mock_of(l.p[0])->heard;
	struct seen *other = &mock_of(l.p[1])->heard;

	(void)state;
	host_give(l.br, &l.br_host, l.net->home);
	host_give(l.p[0], mock_of(l.p[0]), l.net->home);
	host_give(l.p[1], mock_of(l.p[1]), l.net->home);
	for (uint32_t i = 0; i < FRAME_BATCH_MAX; i++) {
		static const uint32_t kinds[] = { 0, 0, 1, 0, 2, 3, 0, 0, 4 };
		uint64_t dst = BROADCAST;

		switch (kinds[i % ARRAY_LEN(kinds)]) {
		case 1:
			dst = mac_to_u64(l.p[0]->mac);
			break;
		case 2:
			dst = mac_to_u64(l.p[1]->mac);
			break;
		case 3:
			dst = mac_to_u64(l.br->mac);
			break;
		case 4:
			dst = GROUP;
			break;
		default:
			break;
		}
		b.frames[i] = frame_make(l.net, dst, station(1), 0, i + 1);
	}
	iface_input(l.p[0], &b);
	assert_true(own->count > FRAME_BATCH_MAX / 2);
	assert_true(other->count > FRAME_BATCH_MAX / 2);
	assert_true(l.br_host.heard.count > FRAME_BATCH_MAX / 2);
	for (uint32_t i = 1; i < own->count; i++)
		assert_true(own->ids[i] > own->ids[i - 1]);
	for (uint32_t i = 1; i < other->count; i++)
		assert_true(other->ids[i] > other->ids[i - 1]);
	for (uint32_t i = 1; i < l.br_host.heard.count; i++)
		assert_true(
		    l.br_host.heard.ids[i] > l.br_host.heard.ids[i - 1]);
}

static char line[256];

static void
log_sink(void *arg, enum log_level level, const char *text)
{
	(void)arg;
	(void)level;
	snprintf(line, sizeof(line), "%s", text);
}

/* A move is logged and told of, five times a second at most. */
static void
test_mac_flap(void **state)
{
	struct fixture_events ev;

	(void)state;
	fixture_subscribe(l.net, &ev);
	log_set_sink(log_sink, NULL);
	line[0] = '\0';
	lab_in_vlan(&l, 0, BROADCAST, station(1), 9, 1);
	assert_int_equal(ev.count[NET_EVENT_LEARNED], 1);
	assert_ptr_equal(ev.last.other, l.p[0]);
	for (uint32_t i = 0; i < 20; i++)
		lab_in_vlan(&l, 1 + i % 2, BROADCAST, station(1), 9, 1);
	log_set_sink(NULL, NULL);
	assert_int_equal(ev.count[NET_EVENT_MOVED], 5);
	assert_string_equal(line,
	    "bridge0: mac address 02:00:00:bb:00:01 vlan 9 moved from port2 "
	    "to port1");
	assert_int_equal(lab_lookup(&l, station(1), 9), 3);
	/* The next second; how many were held back is said. */
	lab_time(&l, 3);
	bridge_tunable_set(l.net->home, BRIDGE_LOG_MAC_FLAP, 0);
	line[0] = '\0';
	log_set_sink(log_sink, NULL);
	lab_in_vlan(&l, 0, BROADCAST, station(1), 9, 1);
	log_set_sink(NULL, NULL);
	assert_int_equal(ev.count[NET_EVENT_MOVED], 6);
	assert_string_equal(line, "");
	for (uint32_t i = 0; i < 4; i++)
		mock_of(l.p[i])->sent.count = 0;
	net_unsubscribe(l.net, &ev.sub);
}

/* One timer, set only while something can expire. */
static void
test_ageing_by_the_timer(void **state)
{
	struct fixture_events ev;

	(void)state;
	fixture_subscribe(l.net, &ev);
	assert_true(timerheap_next_due(&l.timers) == TIMERHEAP_NEVER);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_true(timerheap_next_due(&l.timers) == 1202u * 1000000000ull);
	lab_time(&l, 1000);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	lab_time(&l, 1202);
	assert_int_equal(ev.count[NET_EVENT_EXPIRED], 0);
	assert_true(timerheap_next_due(&l.timers) == 2201u * 1000000000ull);
	lab_time(&l, 2201);
	assert_int_equal(ev.count[NET_EVENT_EXPIRED], 1);
	assert_string_equal(ev.text, "expired");
	assert_true(timerheap_next_due(&l.timers) == TIMERHEAP_NEVER);
	net_unsubscribe(l.net, &ev.sub);
}

/* A shorter timeout moves the timer forward with the next frame. */
static void
test_ageing_after_a_shorter_timeout(void **state)
{
	(void)state;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_int_equal(WORD1(l.br, "timeout", v_num(5)), 0);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_true(timerheap_next_due(&l.timers) == 7u * 1000000000ull);
	lab_time(&l, 7);
	assert_int_equal(fdb_count(&lab_bridge(&l)->fdb), 0);
}

/* The timeout is a whole one also for what is seen late in a second. */
static void
test_lives_for_the_whole_timeout(void **state)
{
	const uint64_t s = 1000000000u, seen = 10 * s + 9 * s / 10;
	uint64_t gone = seen;

	(void)state;
	assert_int_equal(WORD1(l.br, "timeout", v_num(1)), 0);
	l.net->now_ns = seen;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	while (fdb_count(&lab_bridge(&l)->fdb) != 0) {
		bool known = lab_lookup(&l, station(1), 0) != FDB_NONE;

		if (gone < seen + s)
			assert_true(known);
		gone += s / 10;
		l.net->now_ns = gone;
		timerheap_run(&l.timers, gone, 64);
		assert_true(gone < seen + 2 * s);
	}
	assert_true(gone >= seen + s);
}

/* Every member's netdev listens: it sees each group frame that passes, once. */
static void
listen_on_members(struct vnet *vnet)
{
	for (uint32_t i = 0; i < 3; i++) {
		host_give(l.p[i], mock_of(l.p[i]), vnet);
		mock_of(l.p[i])->host.promisc = true;
	}
}

static void
test_listeners_on_members_see_groups_once(void **state)
{
	(void)state;
	give_hosts();
	listen_on_members(l.br->vnet);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	lab_in(&l, 0, 0x0180c2000000u, station(1), 2); /* dropped */
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(
		    mock_of(l.p[i])->heard.ids[i == 0 ? 1 : 0], i == 0 ? 2 : 1);
		assert_int_equal(mock_of(l.p[i])->heard.count, i == 0 ? 2 : 1);
		mock_of(l.p[i])->heard.count = 0;
	}
	/* The host's own: with the bridge's address, or another. */
	lab_host_in(&l, l.br, BROADCAST, mac_to_u64(l.br->mac), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_heard(&l, i, 3);
	lab_host_in(&l, l.br, GROUP, station(9), 4);
	for (uint32_t i = 0; i < 3; i++)
		assert_heard(&l, i, 4);
	/* Sent on a member: that has seen it. */
	lab_host_in(&l, l.p[1], BROADCAST, station(9), 5);
	for (uint32_t i = 0; i < 3; i++)
		assert_heard(&l, i, i == 1 ? 0 : 5);
	/* And afterwards those of others come once again. */
	lab_in(&l, 2, GROUP, station(2), 6);
	for (uint32_t i = 0; i < 3; i++)
		assert_heard(&l, i, 6);
	for (uint32_t i = 0; i < 3; i++)
		mock_of(l.p[i])->sent.count = 0;
}

/* The bridge gives them nothing there. */
static void
test_listeners_in_another_vnet_see_groups(void **state)
{
	struct vnet other = { 0 };

	(void)state;
	give_hosts();
	listen_on_members(&other);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	for (uint32_t i = 0; i < 3; i++)
		assert_heard(&l, i, 1);
	for (uint32_t i = 0; i < 3; i++)
		mock_of(l.p[i])->host.promisc = false;
	lab_in(&l, 0, BROADCAST, station(1), 2);
	for (uint32_t i = 0; i < 3; i++)
		assert_heard(&l, i, 0);
}

/* A bridge that is down gives the port's host all; a span port's own too. */
static void
test_listeners_see_once_what_is_not_bridged(void **state)
{
	(void)state;
	give_hosts();
	listen_on_members(l.br->vnet);
	assert_int_equal(bridge_delete(l.br, l.p[2]), 0);
	assert_int_equal(bridge_span_add(l.br, l.p[2]), 0);
	lab_in(&l, 2, station(5), station(1), 1);
	assert_heard(&l, 2, 1);
	lab_in(&l, 0, BROADCAST, station(2), 2);
	for (uint32_t i = 0; i < 3; i++)
		assert_heard(&l, i, 2);
	iface_set_flags(l.br, 0, IFACE_UP);
	lab_in(&l, 0, station(5), station(1), 3);
	assert_heard(&l, 0, 3);
	lab_in(&l, 0, BROADCAST, station(1), 4);
	assert_heard(&l, 0, 4);
	lab_host_in(&l, l.p[0], BROADCAST, station(9), 5);
	assert_heard(&l, 0, 0);
	assert_sent(&l, 0, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_learns_floods_and_forwards),
		TEST(test_group_floods_and_counts),
		TEST(test_flood_takes_no_frames),
		TEST(test_vlans_learn_apart),
		TEST(test_down_bridge_leaves_a_plain_interface),
		TEST(test_monitor_counts_and_drops),
		TEST(test_bad_tags_do_not_enter),
		TEST(test_span_gets_a_copy),
		TEST(test_span_input_is_not_bridged),
		TEST(test_bpdu_is_always_consumed),
		TEST(test_reserved_groups_stay_here),
		TEST(test_discarding_port_takes_nothing),
		TEST(test_learning_port_only_learns),
		TEST(test_hosts_hear_groups),
		TEST(test_vether_hears_by_its_wire_only),
		TEST(test_unicast_to_own_addresses),
		TEST(test_own_source_came_back),
		TEST(test_receiving_member_goes_first),
		TEST(test_addresses_without_a_host_are_bridged),
		TEST(test_without_a_link_a_member_has_no_address),
		TEST(test_member_ifaddrs_0_is_the_bridge_alone),
		TEST(test_delivery_to_a_host_that_is_down),
		TEST(test_learn_off),
		TEST(test_full_table_floods),
		TEST(test_zero_source_is_forwarded_unlearned),
		TEST(test_address_limit_drops),
		TEST(test_sticky),
		TEST(test_same_port_is_dropped),
		TEST(test_promiscuous_bridge_host_sees_all_once),
		TEST(test_known_port_that_cannot_take_it),
		TEST(test_flood_leaves_out),
		TEST(test_host_output_on_the_bridge),
		TEST(test_host_output_on_a_member),
		TEST(test_order_is_kept),
		TEST(test_order_is_kept_for_hosts),
		TEST(test_mac_flap),
		TEST(test_ageing_by_the_timer),
		TEST(test_ageing_after_a_shorter_timeout),
		TEST(test_lives_for_the_whole_timeout),
		TEST(test_listeners_on_members_see_groups_once),
		TEST(test_listeners_in_another_vnet_see_groups),
		TEST(test_listeners_see_once_what_is_not_bridged),
	};

	return cmocka_run_group_tests_name("bridge_forward", tests, NULL, NULL);
}

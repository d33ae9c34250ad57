/* SPDX-License-Identifier: BSD-2-Clause */
/* Storm limits of ports, and addresses that are held because they move. */
#include "base/prng.h"
#include "bridge_fixture.h"

#define PORTS 4
#define MS    1000000ull

static struct lab l;

/* What was said of storms and addresses. */
static struct guard_events {
	struct net_subscriber sub;
	uint32_t count[NET_EVENT_NOTICE + 1];
	char text[200];
} events;

static void
on_event(struct net_subscriber *s, const struct net_event *ev)
{
	(void)s;
	events.count[ev->type]++;
	if (ev->type == NET_EVENT_STORM || ev->type == NET_EVENT_FLAP)
		snprintf(events.text, sizeof(events.text), "%s", ev->text);
}

static int
setup(void **state)
{
	(void)state;
	lab_init(&l, PORTS);
	memset(&events, 0, sizeof(events));
	events.sub.event = on_event;
	net_subscribe(l.net, &events.sub);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	net_unsubscribe(l.net, &events.sub);
	lab_fini(&l);
	return 0;
}

static void
limit(uint32_t port, const char *what, uint32_t n)
{
	assert_int_equal(
	    WORD3(l.br, "storm", v_str(l.p[port]->name), v_str(what), v_num(n)),
	    0);
}

/* @n frames to @dst into port0; how many reach port1? */
static uint32_t
burst(uint64_t dst, uint32_t n)
{
	struct seen *sent = &mock_of(l.p[1])->sent;
	uint32_t before = sent->count;

	for (uint32_t i = 0; i < n; i++)
		lab_in(&l, 0, dst, station(1), 1);
	return sent->count - before;
}

static void
test_each_class_has_its_limit(void **state)
{
	(void)state;
	limit(0, "broadcast", 3);
	limit(0, "multicast", 4);
	limit(0, "unknown", 5);
	assert_int_equal(burst(BROADCAST, 10), 3);
	assert_int_equal(burst(GROUP, 10), 4);
	assert_int_equal(burst(station(9), 10), 5);
	assert_drop(l.p[0], STORM_BROADCAST, 7);
	assert_drop(l.p[0], STORM_MULTICAST, 6);
	assert_drop(l.p[0], STORM_UNKNOWN, 5);
	/* A second later there is room again, and no sooner. */
	l.net->now_ns += 999 * MS;
	assert_int_equal(burst(BROADCAST, 1), 0);
	l.net->now_ns += 1 * MS;
	assert_int_equal(burst(BROADCAST, 10), 3);
	/* 0: none. */
	limit(0, "broadcast", 0);
	assert_int_equal(burst(BROADCAST, 10), 10);
}

/* All that is not flooded goes on, and other ports have their own. */
static void
test_only_what_is_flooded_from_that_port(void **state)
{
	(void)state;
	limit(0, "broadcast", 1);
	limit(0, "multicast", 1);
	limit(0, "unknown", 1);
	lab_in(&l, 1, BROADCAST, station(2), 1); /* another port, and learned */
	lab_in(&l, 2, BROADCAST, station(3), 1);
	mock_of(l.p[1])->sent.count = 0;
	assert_int_equal(burst(station(2), 10), 10);
	assert_int_equal(burst(BROADCAST, 2), 1);
	for (uint32_t i = 0; i < 5; i++)
		lab_in(&l, 2, BROADCAST, station(3), 1);
	assert_drop(l.p[2], STORM_BROADCAST, 0);
	/* What stays on the link is no storm: spanning tree's, LLDP's. */
	for (uint32_t i = 0; i < 5; i++) {
		lab_in(&l, 0, 0x0180c2000000u, station(1), 1);
		lab_in(&l, 0, 0x0180c200000eu, station(1), 1);
	}
	assert_drop(l.p[0], STORM_MULTICAST, 0);
	assert_drop(l.p[0], BPDU, 5);
	/* Unless it is forwarded. */
	WORD3(l.br, "group-fwd", v_str("port0"), v_num(14), v_str("forward"));
	WORD3(l.br, "group-fwd", v_str("port1"), v_num(14), v_str("forward"));
	mock_of(l.p[1])->sent.count = 0;
	assert_int_equal(burst(0x0180c200000eu, 3), 1);
	assert_drop(l.p[0], STORM_MULTICAST, 2);
}

/* Neither the table nor the host suffers from what is over the limit. */
static void
test_nothing_comes_of_what_is_dropped(void **state)
{
	(void)state;
	host_give(l.br, &l.br_host, l.net->home);
	host_give(l.p[0], mock_of(l.p[0]), l.net->home);
	limit(0, "broadcast", 2);
	for (uint32_t i = 0; i < 6; i++)
		lab_in(&l, 0, BROADCAST, station(10 + i), 1);
	assert_int_equal(l.br_host.heard.count, 2);
	assert_int_equal(mock_of(l.p[0])->heard.count, 2);
	assert_int_equal(fdb_count(&lab_bridge(&l)->fdb), 2);
	assert_int_equal(l.br->count.ipackets, 2);
}

/* Two events a storm, however long it is. */
static void
test_storms_are_told_of(void **state)
{
	(void)state;
	limit(0, "broadcast", 2);
	burst(BROADCAST, 2);
	assert_int_equal(events.count[NET_EVENT_STORM], 0);
	for (uint32_t i = 0; i < 10; i++) {
		burst(BROADCAST, 5);
		l.net->now_ns += 1000 * MS;
	}
	assert_int_equal(events.count[NET_EVENT_STORM], 1);
	assert_string_equal(
	    events.text, "storm on port0: more than 2 broadcasts a second");
	/* A second with as many as there may be, and one more. */
	burst(BROADCAST, 2);
	l.net->now_ns += 1000 * MS;
	assert_int_equal(events.count[NET_EVENT_STORM], 1);
	burst(BROADCAST, 1);
	assert_int_equal(events.count[NET_EVENT_STORM], 2);
	assert_string_equal(
	    events.text, "storm of broadcasts on port0 is over");
	burst(BROADCAST, 5);
	assert_int_equal(events.count[NET_EVENT_STORM], 3);
}

static void
test_storm_words(void **state)
{
	(void)state;
	assert_int_equal(
	    WORD3(l.br, "storm", v_str("port9"), v_str("broadcast"), v_num(1)),
	    -ENOENT);
	assert_int_equal(bridge_delete(l.br, l.p[3]), 0);
	assert_int_equal(
	    WORD3(l.br, "storm", v_str("port3"), v_str("broadcast"), v_num(1)),
	    -ENOENT);
	/* A member that comes back has none. */
	limit(0, "broadcast", 1);
	assert_int_equal(bridge_delete(l.br, l.p[0]), 0);
	assert_int_equal(bridge_add(l.br, l.p[0]), 0);
	assert_int_equal(burst(BROADCAST, 5), 5);
}

/* Station 1's frame comes in on @port; true if it goes on. */
static bool
speaks(uint32_t port)
{
	uint32_t other = port == 3 ? 2 : 3;
	struct seen *sent = &mock_of(l.p[other])->sent;
	uint32_t before = sent->count;

	lab_in(&l, port, BROADCAST, station(1), 1);
	return sent->count != before;
}

static void
damp(uint32_t moves, uint32_t hold_s)
{
	assert_int_equal(
	    WORD2(l.br, "flapdamp", v_num(moves), v_num(hold_s)), 0);
}

/* It is held where it was before it began to move, not where it was last. */
static void
test_address_that_moves_is_held_at_home(void **state)
{
	(void)state;
	damp(3, 5);
	assert_true(speaks(0));
	assert_true(speaks(1)); /* first move */
	assert_true(speaks(2));
	assert_true(speaks(1));
	assert_int_equal(events.count[NET_EVENT_FLAP], 0);
	assert_false(speaks(2)); /* the fourth */
	assert_drop(l.p[2], MAC_FLAP, 1);
	assert_int_equal(events.count[NET_EVENT_FLAP], 1);
	assert_string_equal(events.text,
	    "mac address 02:00:00:bb:00:01 vlan 0 moved 4 times in a second: "
	    "held on port0 for 5 seconds");
	assert_int_equal(lab_lookup(&l, station(1), 0), 1);
	assert_false(speaks(1));
	assert_true(speaks(0));
	assert_true(speaks(0));
	assert_int_equal(lab_lookup(&l, station(1), 0), 1);
	/* Others are not touched, nor the same address in another VLAN. */
	lab_in(&l, 1, BROADCAST, station(2), 1);
	lab_in(&l, 2, BROADCAST, station(2), 1);
	lab_in_vlan(&l, 1, BROADCAST, station(1), 7, 1);
	lab_in_vlan(&l, 2, BROADCAST, station(1), 7, 1);
	assert_drop(l.p[1], MAC_FLAP, 1);
	assert_drop(l.p[2], MAC_FLAP, 1);
	/* The time is over: it may move again, as often. */
	l.net->now_ns += 4999u * MS;
	assert_false(speaks(1));
	l.net->now_ns += MS;
	for (uint32_t i = 0; i < 3; i++)
		assert_true(speaks(1 + i % 2));
	assert_false(speaks(2));
	assert_int_equal(events.count[NET_EVENT_FLAP], 2);
}

/* A station that is carried about now and then is no loop. */
static void
test_slow_moves_are_no_flapping(void **state)
{
	(void)state;
	damp(1, 10);
	for (uint32_t i = 0; i < 20; i++) {
		assert_true(speaks(i % 3));
		l.net->now_ns += 1000u * MS;
	}
	assert_int_equal(events.count[NET_EVENT_FLAP], 0);
	/* Off, it may do what it likes. */
	assert_int_equal(WORD(l.br, "-flapdamp"), 0);
	for (uint32_t i = 0; i < 20; i++)
		assert_true(speaks(i % 3));
	assert_drop(l.p[0], MAC_FLAP, 0);
}

/* What does not move by learning is not counted; a port that leaves is nobody's
 * home. */
static void
test_damping_and_the_table(void **state)
{
	(void)state;
	damp(1, 10);
	WORD3(l.br, "static", v_str("port0"), v_mac(station(1)), v_num(0));
	for (uint32_t i = 0; i < 9; i++)
		assert_true(speaks(1 + i % 2));
	WORD(l.br, "flushall");
	assert_true(speaks(0));
	assert_true(speaks(1));
	assert_false(speaks(2));
	assert_int_equal(bridge_delete(l.br, l.p[0]), 0);
	assert_true(speaks(1));
	assert_true(speaks(2));
	assert_int_equal(bridge_add(l.br, l.p[0]), 0);
	assert_true(speaks(2));
	/* Without learning nothing moves. */
	WORD1(l.br, "-learn", v_str("port1"));
	WORD1(l.br, "-learn", v_str("port2"));
	for (uint32_t i = 0; i < 9; i++)
		assert_true(speaks(1 + i % 2));
}

/* Many that move push each other out of the table of those that move, but not
 * those that are held; and no number of them does harm. */
static void
test_many_addresses_that_move(void **state)
{
	struct prng g = prng_init(5);

	(void)state;
	assert_int_equal(WORD1(l.br, "maxaddr", v_num(100000)), 0);
	damp(3, 1000);
	for (uint32_t i = 0; i < 8; i++)
		(void)speaks(i % 3);
	assert_false(speaks(1));
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t r = prng_u64(&g);

		lab_in(&l, (uint32_t)(r >> 32) % 3, station(1),
		    station(100 + (uint32_t)r % 3000), 1);
		mock_of(l.p[0])->sent.count = 0;
		mock_of(l.p[3])->sent.count = 0;
	}
	assert_false(speaks(1));
	assert_true(speaks(0));
	assert_true(events.count[NET_EVENT_FLAP] <= 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_class_has_its_limit),
		TEST(test_only_what_is_flooded_from_that_port),
		TEST(test_nothing_comes_of_what_is_dropped),
		TEST(test_storms_are_told_of),
		TEST(test_storm_words),
		TEST(test_address_that_moves_is_held_at_home),
		TEST(test_slow_moves_are_no_flapping),
		TEST(test_damping_and_the_table),
		TEST(test_many_addresses_that_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

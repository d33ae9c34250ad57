/* SPDX-License-Identifier: BSD-2-Clause */
/* stp/: sentences about single machines, seen from outside one bridge. */
#include "stp_net.h"

#define DESIGNATED STP_BPDU_ROLE_DESIGNATED

static void
test_a_silent_port_becomes_edge_and_forwards(void **state)
{
	struct stp *s = net_new(1);

	(void)state;
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	net_seconds(s, 2);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	net_seconds(s, 2);
	assert_true(net_port(s, 1).oper_edge);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

/* Without auto-edge it takes MaxAge to learn and the hello time to forward. */
static void
test_without_edge_timers_count(void **state)
{
	struct stp *s = net_new(1);

	(void)state;
	assert_int_equal(stp_port_set_auto_edge(s, 1, false), 0);
	net_seconds(s, 19);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	net_seconds(s, 1);
	assert_int_equal(net_port(s, 1).state, STP_STATE_LEARNING);
	net_seconds(s, 2);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

static void
test_admin_edge_forwards_at_once_without_topology_change(void **state)
{
	struct stp_options o = { .mac = { 2, 0, 0, 0, 0, 0x20 }, .ports = 1 };
	struct stp_info info;
	struct stp *s;

	(void)state;
	assert_int_equal(stp_create(&o, 0, &s), 0);
	assert_int_equal(stp_port_add(s, 1, 0), 0);
	assert_int_equal(stp_port_set_edge(s, 1, true), 0);
	assert_int_equal(stp_port_link(s, 1, true, NULL, 0), 0);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_get(s, &info);
	assert_int_equal(info.topology_changes, 0);
	stp_destroy(s);
}

static void
test_proposal_is_agreed_and_others_sync(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu m = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_PROPOSAL);
	struct stp_bpdu out;

	(void)state;
	assert_int_equal(stp_port_set_auto_edge(s, 2, false), 0);
	net_seconds(s, 25);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
	/* What was agreed to stands while we only get better ... */
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	m.root_path_cost = 100000;
	net_hear(s, 1, &m);
	/* ... and not when we get worse. */
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	assert_true(net_sent(s, 1, &out));
	assert_int_equal(stp_bpdu_role(&out), STP_BPDU_ROLE_ROOT);
	assert_true((out.flags & STP_FLAG_AGREEMENT) != 0);
	assert_true(net_sent(s, 2, &out));
	assert_true((out.flags & STP_FLAG_PROPOSAL) != 0);
	stp_destroy(s);
}

static void
test_agreement_opens_the_port_at_once(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m = net_rst(NET_SELF, 20000, NET_BAD, 0x8001,
	    STP_BPDU_ROLE_ROOT, STP_FLAG_AGREEMENT);

	(void)state;
	m.times.message_age = 1;
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

/* An agreement to another root, or to an older age of ours, is an old one. */
static void
test_an_old_agreement_opens_nothing(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m = net_rst(NET_BAD, 20000, NET_BAD, 0x8001,
	    STP_BPDU_ROLE_ROOT, STP_FLAG_AGREEMENT);

	(void)state;
	m.times.message_age = 1;
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	m.root_id = NET_SELF;
	m.times.message_age = 5;
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	stp_destroy(s);
}

static void
test_alternate_takes_over_in_one_step_and_addresses_move(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu a =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);
	struct stp_bpdu b =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8002, DESIGNATED, 0);

	(void)state;
	net_hear(s, 1, &a);
	net_hear(s, 2, &b);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ALTERNATE);
	assert_int_equal(stp_port_link(s, 1, false, NULL, net_now), 0);
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ROOT);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	assert_true(net_effect(s, STP_EFFECT_MOVE, 1));
	stp_destroy(s);
}

static void
test_information_lives_three_hellos(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu a =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);

	(void)state;
	net_hear(s, 1, &a);
	net_seconds(s, 5);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
	net_seconds(s, 1);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	stp_destroy(s);
}

/* 802.1Q: who is worse and learns does not hear us. */
static void
test_inferior_that_learns_disputes(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m = net_rst(NET_BAD, 0, NET_BAD, 0x8001, DESIGNATED,
	    STP_FLAG_LEARNING | STP_FLAG_FORWARDING);

	(void)state;
	net_seconds(s, 5);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	assert_true(net_noted(s, STP_NOTE_DISPUTED));
	for (int i = 0; i < 20; i++) {
		net_seconds(s, 2);
		net_hear(s, 1, &m);
		assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	}
	/* It learns for three hello times: two lost messages do not matter. */
	net_seconds(s, 7);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(net_port(s, 1).state, STP_STATE_LEARNING);
		net_seconds(s, 1);
	}
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

static void
test_own_port_heard_holds_it(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m =
	    net_rst(NET_SELF, 0, NET_SELF, 0x8001, DESIGNATED, 0);

	(void)state;
	net_seconds(s, 5);
	for (int i = 0; i < 10; i++) {
		net_hear(s, 1, &m);
		assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
		assert_true(net_port(s, 1).self_loop);
		net_seconds(s, 2);
	}
	assert_int_equal(net_port(s, 1).count.rx_own, 10);
	net_seconds(s, 30);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

static void
test_own_former_identifier_is_dropped(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m = net_rst(0x1000ull << 48 | 0x020000000020ull, 20000,
	    NET_BAD, 0x8001, DESIGNATED, 0);

	(void)state;
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	assert_int_equal(net_port(s, 1).count.rx_stale, 1);
	stp_destroy(s);
}

/* Old bridges are answered in their language, after MigrateTime. */
static void
test_migration_to_stp_and_back(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m = net_rst(NET_BAD, 0, NET_BAD, 0x8001, DESIGNATED, 0);
	struct stp_bpdu out;

	(void)state;
	m.type = STP_BPDU_CONFIG;
	m.flags = 0;
	net_seconds(s, 1);
	net_hear(s, 1, &m);
	assert_true(net_port(s, 1).rstp);
	net_seconds(s, 3);
	net_hear(s, 1, &m);
	assert_false(net_port(s, 1).rstp);
	net_seconds(s, 2);
	assert_true(
	    net_sent(s, 1, &out) || (net_seconds(s, 1), net_sent(s, 1, &out)));
	assert_int_equal(out.type, STP_BPDU_CONFIG);
	net_seconds(s, 3);
	assert_int_equal(stp_port_mcheck(s, 1), 0);
	assert_true(net_port(s, 1).rstp);
	stp_destroy(s);
}

static void
test_forced_stp_ignores_mcheck(void **state)
{
	struct stp *s = net_new(1);

	(void)state;
	assert_int_equal(stp_set_version(s, STP_VERSION_STP), 0);
	net_seconds(s, 5);
	assert_int_equal(stp_port_mcheck(s, 1), 0);
	assert_false(net_port(s, 1).rstp);
	net_seconds(s, 20);
	assert_int_equal(net_port(s, 1).state, STP_STATE_LEARNING);
	net_seconds(s, 15);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

static void
test_topology_change_flushes_the_other_ports(void **state)
{
	struct stp *s = net_new(3);
	struct stp_bpdu m = net_rst(NET_SELF, 20000, NET_BAD, 0x8001,
	    STP_BPDU_ROLE_ROOT, STP_FLAG_AGREEMENT);

	(void)state;
	m.times.message_age = 1;
	net_hear(s, 1, &m);
	net_hear(s, 2, &m);
	net_seconds(s, 10); /* port 3 is an edge */
	m.flags |= STP_FLAG_TC;
	net_hear(s, 1, &m);
	assert_false(net_effect(s, STP_EFFECT_FLUSH, 1));
	assert_true(net_effect(s, STP_EFFECT_FLUSH, 2));
	assert_false(net_effect(s, STP_EFFECT_FLUSH, 3));
	assert_int_equal(stp_port_set_guards(s, 1, STP_GUARD_TC), 0);
	net_seconds(s, 10);
	net_hear(s, 1, &m);
	assert_false(net_effect(s, STP_EFFECT_FLUSH, 2));
	stp_destroy(s);
}

static void
test_guards(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);

	(void)state;
	assert_int_equal(
	    stp_port_set_guards(s, 1, STP_GUARD_ROOT | STP_GUARD_LOOP),
	    -EINVAL);
	assert_int_equal(stp_port_set_guards(s, 1, STP_GUARD_ROOT), 0);
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ALTERNATE);
	assert_true(net_noted(s, STP_NOTE_ROOT_GUARD));
	net_seconds(s, 6);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);

	assert_int_equal(stp_port_set_guards(s, 1, STP_GUARD_LOOP), 0);
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	net_seconds(s, 60);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	assert_true(net_port(s, 1).inconsistent);
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);

	assert_int_equal(stp_port_set_guards(s, 1, STP_GUARD_FILTER), 0);
	net_seconds(s, 40);
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	assert_int_equal(net_port(s, 1).count.rx_filtered, 1);

	assert_int_equal(stp_port_set_guards(s, 1, STP_GUARD_ASSURANCE), 0);
	net_seconds(s, 7);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);

	assert_int_equal(stp_port_set_guards(s, 1, STP_GUARD_BPDU), 0);
	net_hear(s, 1, &m);
	assert_true(net_port(s, 1).err_disabled);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DISABLED);
	stp_destroy(s);
}

static void
test_hold_count_and_rate_limit(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_PROPOSAL);
	uint64_t before = net_port(s, 1).count.tx_rst;

	(void)state;
	for (int i = 0; i < 1000; i++)
		net_hear(s, 1, &m);
	assert_true(net_port(s, 1).count.tx_rst - before <= 6);
	assert_int_equal(net_port(s, 1).count.rx_limited, 1000 - STP_RX_PER_S);
	net_seconds(s, 1);
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).count.rx_limited, 1000 - STP_RX_PER_S);
	stp_destroy(s);
}

static void
test_a_message_too_old_is_not_believed_but_disputes(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_LEARNING);

	(void)state;
	net_seconds(s, 5);
	m.times.message_age = 20;
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	m.times.message_age = 19;
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
	stp_destroy(s);
}

static void
test_parameters_have_ranges(void **state)
{
	struct stp *s = net_new(1);
	uint8_t group[6] = { 1 };
	struct stp_info info;

	(void)state;
	assert_int_equal(stp_set_priority(s, 61441), -EINVAL);
	assert_int_equal(stp_set_priority(s, 8191), 0);
	assert_int_equal(stp_set_max_age(s, 5), -EINVAL);
	assert_int_equal(stp_set_max_age(s, 41), -EINVAL);
	assert_int_equal(stp_set_hello(s, 0), -EINVAL);
	assert_int_equal(stp_set_hello(s, 3), -EINVAL);
	assert_int_equal(stp_set_fwd_delay(s, 3), -EINVAL);
	assert_int_equal(stp_set_fwd_delay(s, 31), -EINVAL);
	assert_int_equal(stp_set_hold_count(s, 0), -EINVAL);
	assert_int_equal(stp_set_hold_count(s, 11), -EINVAL);
	assert_int_equal(stp_set_version(s, (enum stp_version)1), -EINVAL);
	assert_int_equal(stp_set_mac(s, group), -EINVAL);
	assert_int_equal(stp_port_set_priority(s, 1, 241), -EINVAL);
	assert_int_equal(stp_port_set_cost(s, 1, 200000001), -EINVAL);
	assert_int_equal(stp_port_set_cost(s, 2, 1), -ENOENT);
	assert_int_equal(stp_port_add(s, 1, 0), -EEXIST);
	assert_int_equal(stp_port_add(s, 2, 0), -ENOSPC);
	assert_int_equal(stp_port_add(s, 0, 0), -EINVAL);
	assert_int_equal(stp_port_add(s, 4096, 0), -EINVAL);
	stp_get(s, &info);
	assert_int_equal(info.priority, 4096);
	assert_int_equal(info.max_age, 20);
	assert_true(stp_times_fit(20, 2, 15));
	assert_false(stp_times_fit(40, 2, 15));
	assert_int_equal(stp_auto_cost(10000000000), 2000);
	assert_int_equal(stp_auto_cost(10000000), 2000000);
	assert_int_equal(stp_auto_cost(0), 55);
	assert_int_equal(stp_auto_cost(1), 200000000);
	assert_int_equal(stp_auto_cost(UINT64_MAX), 1);
	stp_destroy(s);
}

/* The old root port is cut off before anybody can close a loop over it. */
static void
test_a_bridge_that_becomes_root_cuts_its_old_way(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu root = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_PROPOSAL);
	struct stp_bpdu child = net_rst(NET_GOOD, 40000, NET_BAD, 0x8001,
	    STP_BPDU_ROLE_ROOT, STP_FLAG_AGREEMENT);
	struct stp_bpdu out;

	(void)state;
	child.times.message_age = 2;
	net_hear(s, 1, &root);
	net_hear(s, 2, &child);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	net_now += NET_S / 10;
	stp_tick(s, net_now);
	assert_int_equal(stp_set_priority(s, 4096), 0);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	assert_true(net_sent(s, 1, &out));
	assert_true((out.flags & STP_FLAG_PROPOSAL) != 0);
	stp_destroy(s);
}

/* Where nothing else forwards there is nothing to close a loop with. */
static void
test_a_leaf_that_becomes_root_goes_on(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu root = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_PROPOSAL);
	struct stp_bpdu out;

	(void)state;
	net_hear(s, 1, &root);
	net_now += NET_S / 10;
	stp_tick(s, net_now);
	assert_int_equal(stp_set_priority(s, 4096), 0);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	assert_true(net_sent(s, 1, &out));
	assert_true((out.flags & STP_FLAG_PROPOSAL) != 0);
	stp_destroy(s);
}

/* A bridge whose port 2 has said first that its root is the good one, and now
 * that it is itself: @m is the answer of a root port to the first. */
static struct stp *
net_worse(struct stp_bpdu *m)
{
	struct stp *s = net_new(2);
	struct stp_bpdu root =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);

	net_now += NET_S;
	stp_tick(s, net_now);
	net_hear(s, 1, &root);
	net_now += NET_S / 100; /* so that it is sent */
	stp_tick(s, net_now);
	assert_int_equal(stp_port_link(s, 1, false, NULL, net_now), 0);
	net_now += NET_S / 100;
	stp_tick(s, net_now);
	*m = net_rst(NET_GOOD, 40000, NET_BAD, 0x8001, STP_BPDU_ROLE_ROOT,
	    STP_FLAG_AGREEMENT);
	m->times.message_age = 2;
	return s;
}

static void
test_an_agreement_to_what_was_better_opens_nothing(void **state)
{
	struct stp_bpdu m;
	struct stp *s = net_worse(&m);

	(void)state;
	net_hear(s, 2, &m);
	assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	m.root_id = NET_SELF;
	m.root_path_cost = 20000;
	m.times.message_age = 1;
	net_hear(s, 2, &m);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

/* An alternate port does not show to what it agrees; it is asked again when the
 * question before can no more be on its way. */
static void
test_a_doubtful_agreement_is_asked_for_again(void **state)
{
	struct stp_bpdu m, out;
	struct stp *s = net_worse(&m);

	(void)state;
	s->ports[1].answer_ns = NET_S / 100; /* is known of this link */
	m.root_id = NET_BAD;
	m.root_path_cost = 0;
	m.flags = STP_BPDU_ROLE_ALTERNATE << 2 | STP_FLAG_AGREEMENT;
	net_hear(s, 2, &m);
	assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	while (stp_next_ns(s) < 2 * NET_S && !net_sent(s, 2, &out)) {
		net_now = stp_next_ns(s);
		stp_tick(s, net_now);
	}
	assert_true(net_sent(s, 2, &out));
	assert_true((out.flags & STP_FLAG_PROPOSAL) != 0);
	net_hear(s, 2, &m);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

/* On a link where nobody ever answered an answer may take twice the hello time.
 */
static void
test_an_answer_may_be_slow(void **state)
{
	struct stp_bpdu m, out;
	struct stp *s = net_worse(&m);
	uint64_t start_ns = net_now;

	(void)state;
	m.root_id = NET_BAD;
	m.root_path_cost = 0;
	m.flags = STP_BPDU_ROLE_ALTERNATE << 2 | STP_FLAG_AGREEMENT;
	while (net_now < start_ns + 39 * NET_S / 10) {
		net_hear(s, 2, &m);
		assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
		net_now = stp_next_ns(s);
		stp_tick(s, net_now);
	}
	while (!net_sent(s, 2, &out)) {
		net_now = stp_next_ns(s);
		stp_tick(s, net_now);
	}
	assert_true(net_now < start_ns + 4 * NET_S);
	assert_true((out.flags & STP_FLAG_PROPOSAL) != 0);
	net_hear(s, 2, &m);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

/* Who was designated and says that it is root port now is designated no more.
 */
static void
test_who_is_no_more_designated_is_not_believed_any_more(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m =
	    net_rst(NET_GOOD, 20000, NET_BAD, 0x8001, DESIGNATED, 0);

	(void)state;
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
	m = net_rst(NET_BAD, 0, NET_BAD, 0x8001, STP_BPDU_ROLE_ROOT, 0);
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	stp_destroy(s);
}

/* Nor is who says, of the same root, that it is too far to be heard. */
static void
test_a_message_too_old_voids_what_was_said_before(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m =
	    net_rst(NET_GOOD, 20000, NET_BAD, 0x8001, DESIGNATED, 0);

	(void)state;
	assert_int_equal(stp_port_set_guards(s, 1, STP_GUARD_LOOP), 0);
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
	m.times.message_age = 20;
	m.root_path_cost = 400000;
	net_hear(s, 1, &m);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	assert_false(net_port(s, 1).inconsistent); /* it is not silent */
	stp_destroy(s);
}

/* A dead root's word that comes back further each time is believed once. */
static void
test_a_root_that_counts_to_infinity_is_not_believed(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu m =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);

	(void)state;
	net_hear(s, 1, &m);
	net_seconds(s, 5);
	assert_int_equal(stp_port_link(s, 1, false, NULL, net_now), 0);
	m = net_rst(NET_GOOD, 60000, NET_BAD, 0x8001, DESIGNATED, 0);
	net_hear(s, 2, &m); /* as after a failure in a ring */
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ROOT);
	m.root_path_cost = 120000;
	net_hear(s, 2, &m);
	assert_true(net_noted(s, STP_NOTE_STALE_ROOT));
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ALTERNATE);
	m.root_path_cost = 10000; /* nearer than we ever were */
	net_hear(s, 2, &m);
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ROOT);
	m.root_path_cost = 120000;
	net_hear(s, 2, &m);
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ALTERNATE);
	/* A true one is steady, and believed again. */
	for (int i = 0; i < 3; i++) {
		net_seconds(s, 1);
		net_hear(s, 2, &m);
	}
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ROOT);
	stp_destroy(s);
}

/* A link that fails and returns, and fails again, is no such thing. */
static void
test_a_flapping_way_is_believed(void **state)
{
	struct stp_port_options link = { .speed_bps = 1000000000 };
	struct stp *s = net_new(2);
	struct stp_bpdu near =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);
	struct stp_bpdu far =
	    net_rst(NET_GOOD, 60000, NET_BAD, 0x8001, DESIGNATED, 0);

	(void)state;
	for (int i = 0; i < 20; i++) {
		net_hear(s, 1, &near);
		assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
		assert_int_equal(stp_port_link(s, 1, false, NULL, net_now), 0);
		net_hear(s, 2, &far);
		assert_int_equal(net_port(s, 2).role, STP_ROLE_ROOT);
		assert_int_equal(stp_port_link(s, 1, true, &link, net_now), 0);
		net_now += NET_S / 20;
		stp_tick(s, net_now);
	}
	stp_destroy(s);
}

/* News come over a way that is not nearer: those who have not agreed to what
 * we say now are cut off before the port forwards. */
static void
test_a_new_way_that_is_no_nearer_waits_for_the_others(void **state)
{
	struct stp *s = net_new(3);
	struct stp_bpdu near =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);
	struct stp_bpdu far =
	    net_rst(NET_GOOD, 60000, NET_BAD, 0x8001, DESIGNATED, 0);
	struct stp_bpdu child = net_rst(NET_GOOD, 40000, NET_BAD + 1, 0x8001,
	    STP_BPDU_ROLE_ROOT, STP_FLAG_AGREEMENT);

	(void)state;
	child.times.message_age = 2;
	net_hear(s, 1, &near);
	net_now += NET_S / 10;
	stp_tick(s, net_now);
	net_hear(s, 3, &child);
	assert_int_equal(net_port(s, 3).state, STP_STATE_FORWARDING);
	assert_int_equal(stp_port_link(s, 1, false, NULL, net_now), 0);
	assert_int_equal(net_port(s, 3).state, STP_STATE_FORWARDING);
	net_hear(s, 2, &far); /* no proposal */
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ROOT);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	assert_int_equal(net_port(s, 3).state, STP_STATE_DISCARDING);
	stp_destroy(s);
}

/* On a shared LAN: somebody there who is worse and learns is deaf. */
static void
test_a_root_port_is_disputed_too(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu good =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);
	struct stp_bpdu deaf = net_rst(NET_GOOD, 60000, NET_BAD, 0x8001,
	    DESIGNATED, STP_FLAG_LEARNING | STP_FLAG_FORWARDING);

	(void)state;
	assert_int_equal(stp_port_set_p2p(s, 1, false), 0);
	assert_int_equal(stp_port_set_auto_p2p(s, 1, false), 0);
	net_hear(s, 1, &good);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	net_hear(s, 1, &deaf);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	for (int i = 0; i < 4; i++) {
		net_seconds(s, 2);
		net_hear(s, 1, &good);
	}
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

/* Two BPDUs at once, then less and less often; the last one is the true one. */
static void
test_news_that_follow_each_other_are_paced(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu m =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);
	uint64_t before = net_port(s, 2).count.tx_rst, start = net_now;
	struct stp_bpdu out = { 0 }, last = { 0 };

	(void)state;
	for (uint32_t i = 1; i <= 15; i++) {
		m.root_path_cost = 20000 - 100 * i;
		net_hear(s, 1, &m);
		if (net_sent(s, 2, &out))
			last = out;
		net_now += NET_S / 1000;
		while (stp_next_ns(s) <= net_now) {
			stp_tick(s, net_now);
			if (net_sent(s, 2, &out))
				last = out;
		}
	}
	assert_true(net_port(s, 2).count.tx_rst - before < 6);
	while (stp_next_ns(s) < NET_S) {
		net_now = stp_next_ns(s);
		stp_tick(s, net_now);
		if (net_sent(s, 2, &out))
			last = out;
	}
	assert_int_equal(last.root_path_cost, 20000 - 1500 + 20000);
	assert_true(net_now - start < NET_S / 2);
	stp_destroy(s);
}

/* A neighbour whose times are illegal is not believed; as long as it forwards
 * we do not. */
static void
test_a_message_with_illegal_times_disputes(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_LEARNING);

	(void)state;
	net_seconds(s, 5);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	m.times.max_age = 50;
	for (int i = 0; i < 10; i++) {
		net_hear(s, 1, &m);
		assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
		assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
		net_seconds(s, 2);
	}
	m.flags &= (uint8_t)~STP_FLAG_LEARNING; /* it holds back itself */
	for (int i = 0; i < 10; i++) {
		net_hear(s, 1, &m);
		net_seconds(s, 2);
	}
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

/* Where in the list of effects port @number gets @state; SIZE_MAX: nowhere. */
static size_t
place_of(const struct stp *s, uint16_t number, enum stp_state state)
{
	uint32_t count;
	const struct stp_effect *e = stp_effects(s, &count);

	for (uint32_t i = 0; i < count; i++) {
		if (e[i].type == STP_EFFECT_STATE && e[i].port == number &&
		    e[i].state == state)
			return i;
	}
	return SIZE_MAX;
}

/* reRooted: the old way is shut before the new one opens, whichever port has
 * the lower number. */
static void
test_a_new_root_port_waits_for_the_old_one(void **state)
{
	(void)state;
	for (uint16_t old = 1; old <= 2; old++) {
		uint16_t new = (uint16_t)(3 - old);
		struct stp *s = net_new(2);
		struct stp_bpdu m =
		    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);

		net_hear(s, old, &m);
		assert_int_equal(net_port(s, old).state, STP_STATE_FORWARDING);
		m.root_id--;
		m.bridge_id--;
		net_hear(s, new, &m);
		assert_int_equal(net_port(s, new).state, STP_STATE_FORWARDING);
		assert_int_equal(net_port(s, old).state, STP_STATE_DISCARDING);
		assert_true(place_of(s, old, STP_STATE_DISCARDING) <
		            place_of(s, new, STP_STATE_LEARNING));
		stp_destroy(s);
	}
}

/* rbWhile: what a backup port hears may still come from ourselves. */
static void
test_a_backup_port_that_becomes_root_waits(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu own =
	    net_rst(NET_SELF, 0, NET_SELF, 0x8001, DESIGNATED, 0);
	struct stp_bpdu m =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);

	(void)state;
	net_hear(s, 2, &own);
	assert_int_equal(net_port(s, 2).role, STP_ROLE_BACKUP);
	net_hear(s, 2, &m);
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ROOT);
	assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	net_seconds(s, 1);
	assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	net_seconds(s, 3);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

/* Whom it has heard a port gives three hello times to answer. */
static void
test_a_port_cut_off_waits_for_who_was_heard(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu child = net_rst(NET_SELF, 20000, NET_BAD, 0x8001,
	    STP_BPDU_ROLE_ROOT, STP_FLAG_AGREEMENT);
	struct stp_bpdu root = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_PROPOSAL);

	(void)state;
	child.times.message_age = 1;
	net_hear(s, 2, &child);
	net_hear(s, 1, &root);
	root.root_path_cost = 100000;
	net_hear(s, 1, &root);
	assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	for (int i = 0; i < 5; i++) {
		net_seconds(s, 1);
		net_hear(s, 1, &root);
		assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	}
	net_seconds(s, 1);
	assert_int_equal(net_port(s, 2).state, STP_STATE_LEARNING);
	stp_destroy(s);
}

/* So does one that was alternate until now: two lost BPDUs must not open it. */
static void
test_a_port_that_was_alternate_waits_for_who_was_heard(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu a =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);
	struct stp_bpdu b =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8002, DESIGNATED, 0);

	(void)state;
	net_hear(s, 1, &a);
	net_hear(s, 2, &b);
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ALTERNATE);
	net_seconds(s, 1);
	a.root_id--;
	a.bridge_id--;
	net_hear(s, 1, &a);
	assert_int_equal(net_port(s, 2).role, STP_ROLE_DESIGNATED);
	for (int i = 0; i < 5; i++) {
		net_seconds(s, 1);
		net_hear(s, 1, &a);
		assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	}
	net_seconds(s, 1);
	assert_int_equal(net_port(s, 2).state, STP_STATE_LEARNING);
	stp_destroy(s);
}

/* What is below us is not behind the new root port: nobody would tell. */
static void
test_addresses_of_a_port_that_will_forward_again_stay(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu a =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);
	struct stp_bpdu b =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8002, DESIGNATED, 0);

	(void)state;
	net_hear(s, 1, &a);
	net_hear(s, 2, &b);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
	a.root_path_cost = 200000; /* who is there is further away now */
	net_hear(s, 1, &a);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	assert_int_equal(net_port(s, 2).role, STP_ROLE_ROOT);
	assert_false(net_effect(s, STP_EFFECT_MOVE, 1));
	stp_destroy(s);
}

/* A bridge, port 1 towards the root, port 2 forwards because a timer ran out
 * though @heard there.  Then the root is further away, and asks. */
static struct stp *
net_unasked(const struct stp_bpdu *heard)
{
	struct stp *s = net_new(2);
	struct stp_bpdu root = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_PROPOSAL);

	assert_int_equal(stp_port_set_auto_edge(s, 2, false), 0);
	for (int i = 0; i < 30; i++) {
		net_hear(s, 1, &root);
		if (heard != NULL)
			net_hear(s, 2, heard);
		net_seconds(s, 1);
	}
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	net_hear(s, 1, &root);
	root.root_path_cost = 1000;
	net_hear(s, 1, &root);
	return s;
}

static void
test_a_timer_is_no_consent(void **state)
{
	struct stp_bpdu deaf =
	    net_rst(NET_BAD, 0, NET_BAD, 0x8001, STP_BPDU_ROLE_ROOT, 0);
	struct stp *s = net_unasked(&deaf);

	(void)state;
	assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	stp_destroy(s);
}

static void
test_who_withdraws_its_agreement_is_cut_off_when_others_ask(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu root = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_PROPOSAL);
	struct stp_bpdu child = net_rst(NET_GOOD, 40000, NET_BAD, 0x8001,
	    STP_BPDU_ROLE_ROOT, STP_FLAG_AGREEMENT);

	(void)state;
	child.times.message_age = 2;
	net_hear(s, 1, &root);
	net_hear(s, 2, &child);
	child.flags &= (uint8_t)~STP_FLAG_AGREEMENT;
	net_hear(s, 2, &child);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	root.root_id -= 1; /* a better one: what was agreed to would stand */
	root.bridge_id -= 1;
	net_hear(s, 1, &root);
	root.root_path_cost = 1000;
	net_hear(s, 1, &root);
	assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	stp_destroy(s);
}

/* It was an edge; now somebody is there, and was never asked. */
static void
test_an_edge_that_hears_a_bridge_is_cut_off_when_others_ask(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu root = net_rst(
	    NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, STP_FLAG_PROPOSAL);
	struct stp_bpdu other =
	    net_rst(NET_BAD, 0, NET_BAD, 0x8001, STP_BPDU_ROLE_ROOT, 0);

	(void)state;
	assert_int_equal(stp_port_set_edge(s, 2, true), 0);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	net_hear(s, 2, &other);
	assert_false(net_port(s, 2).oper_edge);
	assert_int_equal(net_port(s, 2).state, STP_STATE_FORWARDING);
	net_hear(s, 1, &root);
	assert_int_equal(net_port(s, 2).state, STP_STATE_DISCARDING);
	stp_destroy(s);
}

/* Between two times of being designated nobody answers. */
static void
test_an_agreement_from_before_another_role_opens_nothing(void **state)
{
	struct stp *s = net_new(2);
	struct stp_bpdu child = net_rst(NET_SELF, 20000, NET_BAD, 0x8002,
	    STP_BPDU_ROLE_ROOT, STP_FLAG_AGREEMENT);
	struct stp_bpdu alternate = net_rst(NET_GOOD, 0, NET_GOOD, 0x8001,
	    STP_BPDU_ROLE_ALTERNATE, STP_FLAG_AGREEMENT);
	struct stp_bpdu better =
	    net_rst(NET_GOOD, 0, NET_GOOD, 0x8001, DESIGNATED, 0);

	(void)state;
	s->ports[0].answer_ns = NET_S / 100; /* is known of this link */
	child.times.message_age = 1;
	net_hear(s, 2, &child);
	net_now += NET_S / 100;
	stp_tick(s, net_now);
	net_hear(s, 1, &better);
	assert_int_equal(net_port(s, 1).role, STP_ROLE_ROOT);
	net_hear(s, 1, &alternate); /* not designated any more */
	assert_int_equal(net_port(s, 1).role, STP_ROLE_DESIGNATED);
	net_now += NET_S / 100;
	stp_tick(s, net_now);
	alternate.root_id = NET_BAD;
	alternate.bridge_id = NET_BAD;
	net_hear(s, 1, &alternate); /* the same again, as if it was late */
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	net_now += NET_S / 5;
	stp_tick(s, net_now);
	net_hear(s, 1, &alternate);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	stp_destroy(s);
}

/* Nobody behind an edge wants to know, also if it is one only now. */
static void
test_a_port_that_becomes_edge_tells_of_no_change(void **state)
{
	struct stp *s = net_new(1);
	struct stp_bpdu m = net_rst(NET_SELF, 20000, NET_BAD, 0x8001,
	    STP_BPDU_ROLE_ROOT, STP_FLAG_AGREEMENT);
	struct stp_port_options link = { .speed_bps = 1000000000 };
	struct stp_bpdu out;

	(void)state;
	m.times.message_age = 1;
	net_hear(s, 1, &m); /* forwards, and a change is told */
	assert_int_equal(stp_port_link(s, 1, false, NULL, net_now), 0);
	assert_int_equal(stp_port_set_edge(s, 1, true), 0);
	assert_int_equal(stp_port_link(s, 1, true, &link, net_now), 0);
	for (int i = 0; i < 5; i++) {
		net_seconds(s, 1);
		if (net_sent(s, 1, &out))
			assert_int_equal(out.flags & STP_FLAG_TC, 0);
	}
	stp_destroy(s);
}

/* After a long sleep nothing forwards on the strength of what was before. */
static void
test_after_a_stall_ports_begin_again(void **state)
{
	struct stp *s = net_new(1);

	(void)state;
	assert_int_equal(stp_port_set_auto_edge(s, 1, false), 0);
	net_seconds(s, 30);
	assert_int_equal(net_port(s, 1).state, STP_STATE_FORWARDING);
	net_now += 10 * NET_S;
	stp_tick(s, net_now);
	assert_true(net_noted(s, STP_NOTE_STALLED));
	assert_int_equal(net_port(s, 1).state, STP_STATE_DISCARDING);
	assert_true(stp_next_ns(s) > net_now);
	stp_destroy(s);
}

static void
test_no_ticks_without_a_link(void **state)
{
	struct stp *s = net_new(1);

	(void)state;
	assert_true(stp_next_ns(s) == NET_S);
	assert_int_equal(stp_port_link(s, 1, false, NULL, net_now), 0);
	assert_true(stp_next_ns(s) == STP_NEVER);
	assert_int_equal(stp_port_remove(s, 1, net_now), 0);
	assert_int_equal(stp_port_remove(s, 1, net_now), -ENOENT);
	stp_destroy(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_silent_port_becomes_edge_and_forwards),
		cmocka_unit_test(test_without_edge_timers_count),
		cmocka_unit_test(
		    test_admin_edge_forwards_at_once_without_topology_change),
		cmocka_unit_test(test_proposal_is_agreed_and_others_sync),
		cmocka_unit_test(test_agreement_opens_the_port_at_once),
		cmocka_unit_test(test_an_old_agreement_opens_nothing),
		cmocka_unit_test(
		    test_alternate_takes_over_in_one_step_and_addresses_move),
		cmocka_unit_test(test_information_lives_three_hellos),
		cmocka_unit_test(test_inferior_that_learns_disputes),
		cmocka_unit_test(test_own_port_heard_holds_it),
		cmocka_unit_test(test_own_former_identifier_is_dropped),
		cmocka_unit_test(test_migration_to_stp_and_back),
		cmocka_unit_test(test_forced_stp_ignores_mcheck),
		cmocka_unit_test(test_topology_change_flushes_the_other_ports),
		cmocka_unit_test(test_guards),
		cmocka_unit_test(test_hold_count_and_rate_limit),
		cmocka_unit_test(
		    test_a_message_too_old_is_not_believed_but_disputes),
		cmocka_unit_test(test_parameters_have_ranges),
		cmocka_unit_test(
		    test_a_bridge_that_becomes_root_cuts_its_old_way),
		cmocka_unit_test(test_a_leaf_that_becomes_root_goes_on),
		cmocka_unit_test(
		    test_an_agreement_to_what_was_better_opens_nothing),
		cmocka_unit_test(test_a_doubtful_agreement_is_asked_for_again),
		cmocka_unit_test(test_an_answer_may_be_slow),
		cmocka_unit_test(
		    test_who_is_no_more_designated_is_not_believed_any_more),
		cmocka_unit_test(
		    test_a_message_too_old_voids_what_was_said_before),
		cmocka_unit_test(
		    test_a_root_that_counts_to_infinity_is_not_believed),
		cmocka_unit_test(test_a_flapping_way_is_believed),
		cmocka_unit_test(
		    test_a_new_way_that_is_no_nearer_waits_for_the_others),
		cmocka_unit_test(test_a_root_port_is_disputed_too),
		cmocka_unit_test(test_news_that_follow_each_other_are_paced),
		cmocka_unit_test(test_a_message_with_illegal_times_disputes),
		cmocka_unit_test(test_a_new_root_port_waits_for_the_old_one),
		cmocka_unit_test(test_a_backup_port_that_becomes_root_waits),
		cmocka_unit_test(test_a_port_cut_off_waits_for_who_was_heard),
		cmocka_unit_test(
		    test_a_port_that_was_alternate_waits_for_who_was_heard),
		cmocka_unit_test(
		    test_addresses_of_a_port_that_will_forward_again_stay),
		cmocka_unit_test(test_a_timer_is_no_consent),
		cmocka_unit_test(
		    test_who_withdraws_its_agreement_is_cut_off_when_others_ask),
		cmocka_unit_test(
		    test_an_edge_that_hears_a_bridge_is_cut_off_when_others_ask),
		cmocka_unit_test(
		    test_an_agreement_from_before_another_role_opens_nothing),
		cmocka_unit_test(
		    test_a_port_that_becomes_edge_tells_of_no_change),
		cmocka_unit_test(test_after_a_stall_ports_begin_again),
		cmocka_unit_test(test_no_ticks_without_a_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax-sim sees what is wrong: a network at rest is tampered with, and the
 * check that is for it says so.  (That nothing is wrong otherwise is what
 * tests/sim asks.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/ether.h"
#include "bridge/bridge_impl.h"
#include "sim/sim.h"
#include "stp/stp_impl.h"

enum {
	A,
	B,
	C
};

/* A triangle with root A, where C.1 is alternate, and a stub at A. */
struct triangle {
	struct sim s;
	uint32_t ab, ba, bc, cb, ac, ca, stub; /* ports */
};

static uint32_t
port(struct sim *s, uint32_t node, uint16_t number, uint32_t lan)
{
	uint32_t p = sim_port_add(s, node, number, lan);

	sim_set_cost(s, p, 20000);
	return p;
}

static void
setup(struct triangle *t)
{
	struct sim *s = &t->s;
	uint32_t x, y, z, u;

	sim_init(s, 1);
	for (uint8_t i = 0; i < 3; i++) {
		const uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t)(i + 1) };
		const char name[2] = { (char)('a' + i), '\0' };

		assert_int_equal(sim_node_add(s, name, mac, 0, 0), i);
	}
	x = sim_lan_add(s, "x");
	y = sim_lan_add(s, "y");
	z = sim_lan_add(s, "z");
	u = sim_lan_add(s, "u");
	t->ab = port(s, A, 1, x);
	t->ba = port(s, B, 1, x);
	t->bc = port(s, B, 2, y);
	t->cb = port(s, C, 1, y);
	t->ac = port(s, A, 2, z);
	t->ca = port(s, C, 2, z);
	t->stub = port(s, A, 3, u);
	sim_links(s);
	sim_run(s, 10 * SIM_S);
	assert_string_equal(s->problem, "");
}

static struct stp_port *
machine(struct triangle *t, uint32_t port)
{
	return (struct stp_port *)(uintptr_t)sim_stp_port(
	    &t->s, t->s.ports[port]);
}

static void
assert_problem(struct triangle *t, const char *property)
{
	assert_non_null(strstr(t->s.problem, property));
	sim_fini(&t->s);
}

static void
test_all_is_well(void **state)
{
	struct triangle t;
	bool deep;

	(void)state;
	setup(&t);
	assert_true(sim_check_rest(&t.s, true, &deep));
	assert_false(deep);
	assert_true(sim_check_hellos(&t.s));
	assert_true(t.s.loop_since_ns == UINT64_MAX);
	assert_true(t.s.parted_since_ns == UINT64_MAX);
	sim_fini(&t.s);
}

/* The data plane forwards where it must not. */
static struct triangle
open_alternate(void)
{
	struct triangle t;
	struct sim_port *p;

	setup(&t);
	p = t.s.ports[t.cb];
	bridge_of(t.s.nodes[C]->bridge)->ports[p->number]->state =
	    BRIDGE_STP_FORWARDING;
	return t;
}

static void
test_p1_a_loop(void **state)
{
	struct triangle t;

	(void)state;
	setup(&t);
	t.s.ports[t.cb]->was.state = STP_STATE_FORWARDING;
	t.s.moved = true;
	sim_check_now(&t.s);
	assert_problem(&t, "P1");
}

static void
test_p1_a_loop_with_an_excuse_is_counted(void **state)
{
	struct triangle t;

	(void)state;
	setup(&t);
	sim_excuse(&t.s, SIM_S, SIM_EXCUSE_FORGED);
	t.s.ports[t.cb]->was.state = STP_STATE_FORWARDING;
	t.s.moved = true;
	sim_check_now(&t.s);
	assert_string_equal(t.s.problem, "");
	t.s.now_ns += SIM_MS;
	t.s.ports[t.cb]->was.state = STP_STATE_DISCARDING;
	t.s.moved = true;
	sim_check_now(&t.s);
	assert_int_equal(t.s.loops[SIM_EXCUSE_FORGED].count, 1);
	assert_int_equal(t.s.loops[SIM_EXCUSE_FORGED].longest_ns, SIM_MS);
	sim_fini(&t.s);
}

static void
test_p1_an_excuse_has_an_end(void **state)
{
	struct triangle t;

	(void)state;
	setup(&t);
	sim_excuse(&t.s, SIM_S, SIM_EXCUSE_FORGED);
	t.s.ports[t.cb]->was.state = STP_STATE_FORWARDING;
	t.s.moved = true;
	sim_check_now(&t.s);
	t.s.now_ns += SIM_S;
	sim_check_now(&t.s);
	assert_problem(&t, "P1");
}

/* Round the triangle one way at least. */
static void
test_p1_ends_that_are_deaf(void **state)
{
	(void)state;
	for (uint32_t deaf = 0; deaf < 4; deaf++) {
		struct triangle t;

		setup(&t);
		t.s.news_lost = true;
		t.s.ports[t.cb]->deaf = (deaf & 1) != 0;
		t.s.ports[t.ac]->deaf = (deaf & 1) != 0;
		t.s.ports[t.ca]->deaf = (deaf & 2) != 0;
		t.s.ports[t.cb]->was.state = STP_STATE_FORWARDING;
		t.s.moved = true;
		sim_check_now(&t.s);
		if (deaf == 3)
			assert_string_equal(t.s.problem, "");
		else
			assert_non_null(strstr(t.s.problem, "P1"));
		sim_fini(&t.s);
	}
}

static void
test_p2_the_data_plane_disobeys(void **state)
{
	struct triangle t = open_alternate();

	(void)state;
	sim_check_node(&t.s, C);
	assert_problem(&t, "P2");
}

static void
test_p3_an_agreement_while_others_are_open(void **state)
{
	struct triangle t;

	(void)state;
	setup(&t);
	machine(&t, t.bc)->agreed = false;
	machine(&t, t.bc)->heard = true;
	t.s.ports[t.ba]->was.agree = false;
	sim_check_node(&t.s, B);
	assert_problem(&t, "P3");
}

static void
sent(struct triangle *t, uint32_t port, const struct stp_bpdu *b,
    const uint8_t src[6])
{
	uint8_t bpdu[STP_BPDU_LEN_MAX], frame[STP_FRAME_LEN_MAX];
	size_t len = stp_bpdu_encode(b, bpdu);
	size_t frame_len = stp_frame_encode(src, bpdu, len, frame);

	sim_check_sent(&t->s, t->s.ports[port], frame, frame_len, bpdu, len);
}

static struct stp_bpdu
its_own(struct triangle *t, uint32_t port)
{
	const struct stp_port *q = machine(t, port);

	return (struct stp_bpdu){
		.type = STP_BPDU_RST,
		.flags = STP_BPDU_ROLE_DESIGNATED << 2,
		.root_id = q->designated_priority.root_id,
		.root_path_cost = q->designated_priority.root_path_cost,
		.bridge_id = q->designated_priority.bridge_id,
		.port_id = q->designated_priority.port_id,
		.times = q->designated_times,
	};
}

static void
test_p4_more_than_the_hold_count(void **state)
{
	struct triangle t;
	struct stp_bpdu b;

	(void)state;
	setup(&t);
	b = its_own(&t, t.ab);
	for (int i = 0; i < 7; i++) {
		assert_string_equal(t.s.problem, "");
		sent(&t, t.ab, &b, t.s.ports[t.ab]->member->mac);
	}
	sent(&t, t.ab, &b, t.s.ports[t.ab]->member->mac);
	assert_problem(&t, "P4");
}

static void
test_p5_another_cost(void **state)
{
	struct triangle t;
	struct stp_bpdu b;

	(void)state;
	setup(&t);
	b = its_own(&t, t.ab);
	b.root_path_cost++;
	sent(&t, t.ab, &b, t.s.ports[t.ab]->member->mac);
	assert_problem(&t, "P5");
}

static void
test_p6_too_many_transitions(void **state)
{
	struct triangle t;

	(void)state;
	setup(&t);
	((struct stp *)(uintptr_t)sim_stp(&t.s, B))->steps_max = 65;
	sim_check_node(&t.s, B);
	assert_problem(&t, "P6");
}

static void
test_l5_a_message_too_old(void **state)
{
	struct triangle t;

	(void)state;
	setup(&t);
	((struct stp *)(uintptr_t)sim_stp(&t.s, B))->root_times.message_age =
	    21;
	sim_check_node(&t.s, B);
	assert_problem(&t, "L5");
}

static void
test_p7_a_bpdu_of_another(void **state)
{
	static const uint8_t other[6] = { 2, 0, 0, 9, 9, 9 };
	struct triangle t;
	struct stp_bpdu b;

	(void)state;
	setup(&t);
	b = its_own(&t, t.ab);
	sent(&t, t.ab, &b, other);
	assert_problem(&t, "P7");
}

static void
test_p8_an_edge_with_a_topology_change(void **state)
{
	struct triangle t;

	(void)state;
	setup(&t);
	assert_true(machine(&t, t.stub)->oper_edge);
	machine(&t, t.stub)->tc_while = 3;
	t.s.nodes[A]->event = 0;
	sim_check_node(&t.s, A);
	assert_problem(&t, "P8");
}

static void
test_q_wrong_at_rest(void **state)
{
	static const char *const names[] = { "Q1", "Q5", "Q5", "Q6", "Q8", "Q2",
		"Q3", "Q5: c says a message age", "Q9" };
	bool deep;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct triangle t;
		struct stp *c;

		setup(&t);
		c = (struct stp *)(uintptr_t)sim_stp(&t.s, C);
		switch (i) {
		case 0:
			c->root_priority.root_id++;
			break;
		case 1:
			c->root_priority.root_path_cost++;
			break;
		case 2:
			machine(&t, t.cb)->role = STP_ROLE_BACKUP;
			break;
		case 3:
			machine(&t, t.cb)->port_priority.port_id++;
			break;
		case 4:
			machine(&t, t.bc)->tc_while = 1;
			break;
		case 5:
			machine(&t, t.bc)->role = STP_ROLE_BACKUP;
			break;
		case 6:
			machine(&t, t.ca)->role = STP_ROLE_DESIGNATED;
			break;
		case 7:
			c->root_times.message_age = 0;
			break;
		default:
			machine(&t, t.bc)->rr_while = 1;
			break;
		}
		assert_false(sim_check_rest(&t.s, true, &deep));
		assert_problem(&t, names[i]);
	}
}

static void
test_q4_what_should_forward_does_not(void **state)
{
	struct triangle t = open_alternate();
	bool deep;

	(void)state;
	assert_false(sim_check_rest(&t.s, true, &deep));
	assert_problem(&t, "Q4");
}

static void
test_q7_a_silent_port(void **state)
{
	struct triangle t;

	(void)state;
	setup(&t);
	assert_int_equal(bridge_set_guards(t.s.nodes[A]->bridge,
	                     t.s.ports[t.stub]->member, STP_GUARD_FILTER, 0),
	    0);
	assert_false(sim_check_hellos(&t.s));
	assert_problem(&t, "Q7");
}

/* The station behind the stub, learned at the wrong end of B. */
static void
test_l2_a_wrong_address(void **state)
{
	struct triangle t;
	uint32_t old;
	bool deep;

	(void)state;
	setup(&t);
	(void)fdb_learn((struct fdb *)(uintptr_t)sim_fdb(&t.s, B),
	    fdb_key_u64(0x02aa00000000u | t.stub, 0), t.s.ports[t.bc]->number,
	    false, sim_now_s(&t.s, B), &old);
	assert_false(sim_check_rest(&t.s, true, &deep));
	assert_problem(&t, "L2");
}

/* A failure for which two faults and three bridges are needed. */
static bool
fails(const struct sim_random_options *o, void *arg)
{
	uint32_t *runs = arg;

	(*runs)++;
	return (o->mask & (1ull << 3 | 1ull << 20)) == 0 &&
	       (o->bridges == 0 || o->bridges >= 3);
}

static void
test_shrinking_leaves_what_is_needed(void **state)
{
	struct sim_random_options o = { .seed = 7 };
	uint32_t runs = 0;

	(void)state;
	sim_shrink(&o, fails, &runs);
	assert_true(o.mask == (((1ull << SIM_FAULTS_MAX) - 1) &
	                          ~(1ull << 3 | 1ull << 20)));
	assert_int_equal(o.bridges, 3);
	assert_true(runs < 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_well),
		cmocka_unit_test(test_p1_a_loop),
		cmocka_unit_test(test_p1_a_loop_with_an_excuse_is_counted),
		cmocka_unit_test(test_p1_an_excuse_has_an_end),
		cmocka_unit_test(test_p1_ends_that_are_deaf),
		cmocka_unit_test(test_p2_the_data_plane_disobeys),
		cmocka_unit_test(test_p3_an_agreement_while_others_are_open),
		cmocka_unit_test(test_p4_more_than_the_hold_count),
		cmocka_unit_test(test_p5_another_cost),
		cmocka_unit_test(test_p6_too_many_transitions),
		cmocka_unit_test(test_l5_a_message_too_old),
		cmocka_unit_test(test_p7_a_bpdu_of_another),
		cmocka_unit_test(test_p8_an_edge_with_a_topology_change),
		cmocka_unit_test(test_q_wrong_at_rest),
		cmocka_unit_test(test_q4_what_should_forward_does_not),
		cmocka_unit_test(test_q7_a_silent_port),
		cmocka_unit_test(test_l2_a_wrong_address),
		cmocka_unit_test(test_shrinking_leaves_what_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

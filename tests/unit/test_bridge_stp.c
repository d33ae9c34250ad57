/* SPDX-License-Identifier: BSD-2-Clause */
/* Spanning tree on bridges: what stp/ decides takes effect on the frames.  The
 * bridges here are wired by feths, in virtual time. */
#include <errno.h>

#include "bridge/bridge_impl.h"
#include "drv/drv.h"
#include "net_fixture.h"

#define MS 1000000ull
#define S  1000000000ull

static const struct iface_ops *const kinds[] = { &feth_ops, &bridge_ops, NULL };

/* Two bridges and the wires between them: feth 2n is bridge0's, 2n + 1 its
 * peer and bridge1's. */
#define WIRES 2
struct world {
	struct net *net;
	struct timerheap timers;
	struct iface *br[2];
	struct iface *end[2][WIRES];
	struct fixture_sink host[2]; /* of the bridges */
};

static void
run(struct world *w, uint64_t duration_ns)
{
	uint64_t end_ns = w->net->now_ns + duration_ns, due_ns;

	for (;;) {
		while (net_poll(w->net))
			;
		due_ns = timerheap_next_due(&w->timers);
		if (due_ns > end_ns)
			break;
		w->net->now_ns = COAX_MAX(w->net->now_ns, due_ns);
		(void)timerheap_run(&w->timers, w->net->now_ns, 64);
	}
	w->net->now_ns = end_ns;
}

static int
setup(void **state)
{
	static struct world w;
	char name[16];

	memset(&w, 0, sizeof(w));
	w.net = fixture_net(kinds, NULL, 4096);
	w.net->timers = &w.timers;
	w.net->identity = 7;
	assert_int_equal(drv_init(w.net, NULL), 0);
	for (uint32_t b = 0; b < 2; b++) {
		snprintf(name, sizeof(name), "bridge%u", b);
		w.br[b] = fixture_iface_up(w.net, name);
		fixture_sink_init(&w.host[b]);
		w.host[b].host.vnet = w.net->home;
	}
	for (uint32_t i = 0; i < 2 * WIRES; i++) {
		struct iface **end = &w.end[i % 2][i / 2];

		snprintf(name, sizeof(name), "feth%u", i);
		*end = fixture_iface_up(w.net, name);
		assert_int_equal(bridge_add(w.br[i % 2], *end), 0);
		assert_int_equal(
		    bridge_set_member_flags(w.br[i % 2], *end, BRIDGE_STP, 0),
		    0);
		if (i % 2 == 0)
			continue;
		snprintf(name, sizeof(name), "feth%u", i - 1);
		assert_int_equal(fixture_word(*end, "peer", name, 0, false), 0);
	}
	*state = &w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	w->br[0]->host = w->br[1]->host = NULL;
	net_destroy(w->net);
	timerheap_fini(&w->timers);
	return 0;
}

static struct bridge_port *
port(const struct world *w, uint32_t b, uint32_t wire)
{
	return bridge_member(bridge_of(w->br[b]), w->end[b][wire]);
}

static uint32_t
count_states(const struct world *w, enum bridge_stp_state state)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < 2 * WIRES; i++)
		count += port(w, i % 2, i / 2)->state == state;
	return count;
}

/* A broadcast that bridge @b's host sends; how many the other's host gets. */
static uint32_t
cross(struct world *w, uint32_t b)
{
	struct fixture_sink *far = &w->host[1 - b];
	uint32_t before = far->host_frames;
	struct frame_batch batch = {
		.count = 1,
		.frames = { fixture_frame(w->net, 60, 1) },
	};

	w->br[0]->host = &w->host[0].host;
	w->br[1]->host = &w->host[1].host;
	memset(batch.frames[0]->data, 0xff, ETH_ADDR_LEN);
	ether_copy(batch.frames[0]->data + ETH_ADDR_LEN, w->br[b]->mac);
	iface_host_input(w->br[b], &batch);
	run(w, MS);
	return far->host_frames - before;
}

/* Two wires: one end of one of them discards, and the rest forward within a
 * few hops' time, without any timer. */
static void
test_two_wires_do_not_loop(void **state)
{
	struct world *w = *state;

	run(w, MS);
	assert_int_equal(count_states(w, BRIDGE_STP_FORWARDING), 3);
	assert_int_equal(count_states(w, BRIDGE_STP_DISCARDING), 1);
	assert_int_equal(cross(w, 0), 1);
	assert_int_equal(cross(w, 1), 1);
}

/* The wire in use is cut: the other takes over in the same instant. */
static void
test_lost_link_is_replaced_at_once(void **state)
{
	struct world *w = *state;

	run(w, 5 * S);
	for (uint32_t i = 0; i < WIRES; i++) {
		if (port(w, 0, i)->state != BRIDGE_STP_FORWARDING ||
		    port(w, 1, i)->state != BRIDGE_STP_FORWARDING)
			continue;
		assert_int_equal(iface_set_flags(w->end[0][i], 0, IFACE_UP), 0);
		break;
	}
	run(w, MS);
	assert_int_equal(cross(w, 0), 1);
	assert_int_equal(cross(w, 1), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_two_wires_do_not_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_lost_link_is_replaced_at_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

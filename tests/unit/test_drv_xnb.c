/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb over the local transport: the handshake and what can be wrong with it,
 * the life of a connection, the program's memory, events and messages, the
 * rate, and front ends that post nothing. (What is in the rings is in the
 * built-in suite, test_drv_xnb_suite.c.)
 */
#include <fcntl.h>
#include <signal.h>

#include "base/bytes.h"
#include "base/timerheap.h"
#include "drv/xnb/dump.h"
#include "drv/xnb/xnb.h"
#include "frame/offload.h"
#include "xnb_front.h"

#define MS 1000000ull
#define S  (1000 * MS)

static struct {
	struct loop *loop;
	struct net *net;
	struct timerheap timers;
	struct iface *ifp;
	struct xnb *x;
	struct fixture_sink sink;
	struct front f;
	char notice[256]; /* the last one told */
	uint32_t notices;
	struct net_subscriber subscriber;
} c;

static void
on_event(struct net_subscriber *s, const struct net_event *ev)
{
	(void)s;
	if (ev->type == NET_EVENT_NOTICE && ev->text != NULL) {
		snprintf(c.notice, sizeof(c.notice), "%s", ev->text);
		c.notices++;
	}
	if (ev->type == NET_EVENT_DESTROY && ev->ifp == c.ifp)
		c.ifp = NULL;
}

static int
setup(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	c.f.store = c.f.memfd = c.f.kick = c.f.call = -1;
	assert_int_equal(loop_create(&c.loop), 0);
	loop_set_spin(c.loop, 0);
	c.net = fixture_net(drv_kinds, NULL, 4096);
	c.net->timers = &c.timers;
	assert_int_equal(drv_init(c.net, c.loop), 0);
	c.subscriber.event = on_event;
	net_subscribe(c.net, &c.subscriber);
	c.ifp = fixture_iface_up(c.net, "xnb0");
	c.x = xnb_of(c.ifp);
	fixture_sink_init(&c.sink);
	assert_int_equal(iface_stack_attach(c.ifp, &c.sink.stack), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	front_close(&c.f);
	net_destroy(c.net); /* asserts that all frames are back */
	assert_int_equal(c.timers.count, 0);
	timerheap_fini(&c.timers);
	loop_destroy(c.loop);
	return 0;
}

/* Virtual time passes. */
static void
pass(uint64_t ns)
{
	c.net->now_ns += ns;
	timerheap_run(&c.timers, c.net->now_ns, 100);
	front_run(&c.f);
}

static void
open_port(void)
{
	front_open(&c.f, c.net, c.loop, "xnb0");
}

static void
connect_port(void)
{
	open_port();
	front_connect(&c.f, FRONT_KEYS);
}

/* --- the handshake ---------------------------------------------------------
 */

static void
test_features_are_offered(void **state)
{
	static const char *const want[][2] = {
		{ "interface", "xnb0" },
		{ "mtu", "1500" },
		{ "feature-sg", "1" },
		{ "feature-gso-tcpv4", "1" },
		{ "feature-gso-tcpv6", "1" },
		{ "feature-ipv6-csum-offload", "1" },
		{ "feature-rx-copy", "1" },
		{ "feature-rx-flip", "0" },
		{ "feature-multicast-control", "1" },
		{ "feature-dynamic-multicast-control", "1" },
		{ "feature-xdp-headroom", "1" },
		{ "feature-split-event-channels", "1" },
		{ "multi-queue-max-queues", "8" },
		{ "feature-ctrl-ring", "1" },
		{ "state", "2" },
	};
	uint8_t mac[6];

	(void)state;
	open_port();
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_string_equal(front_back(&c.f, want[i][0]), want[i][1]);
	assert_int_equal(ether_parse(front_back(&c.f, "mac"), mac), 0);
	assert_memory_not_equal(mac, c.ifp->mac, 6);
	assert_int_equal(c.ifp->link, IFACE_LINK_DOWN);
	assert_int_equal(iface_set_mtu(c.ifp, 9000), 0);
	assert_string_equal(front_back(&c.f, "mtu"), "9000");
}

static void
test_without_lro_no_super_frames_are_offered(void **state)
{
	(void)state;
	assert_int_equal(fixture_word(c.ifp, "-lro", NULL, 0, false), 0);
	open_port();
	assert_string_equal(front_back(&c.f, "feature-gso-tcpv4"), "0");
	assert_string_equal(front_back(&c.f, "feature-gso-tcpv6"), "0");
}

static void
test_connected(void **state)
{
	(void)state;
	connect_port();
	assert_int_equal(c.ifp->link, IFACE_LINK_UP);
	assert_int_equal(c.f.channels, 2);
	assert_int_equal(c.ifp->caps,
	    OFFLOAD_CSUM4 | OFFLOAD_CSUM6 | OFFLOAD_TSO4 | OFFLOAD_TSO6);
	fixture_bytes(front_tx(&c.f, 60, 0, 0), 60, 5);
	front_send(&c.f);
	assert_int_equal(c.sink.frames, 1);
	assert_int_equal(front_tx_rsp(&c.f).id, 1000);
}

/* What the front end sent before we were connected is not forgotten, though no
 * event comes for it. */
static void
test_requests_from_before_the_connection(void **state)
{
	(void)state;
	open_port();
	front_memory(&c.f, FRONT_PAGES);
	front_rings(&c.f);
	fixture_bytes(front_tx(&c.f, 60, 0, 0), 60, 5);
	netring_front_publish(&c.f.tx);
	(void)front_say(&c.f, FRONT_KEYS FRONT_RING_KEYS, c.f.memfd);
	assert_string_equal(front_back(&c.f, "state"), "4");
	front_run(&c.f);
	assert_int_equal(c.sink.frames, 1);
}

/* One handshake each that has something wrong, and what is said of it. */
static void
test_wrong_keys_are_refused(void **state)
{
	static const struct {
		const char *keys, *why;
	} bad[] = {
		{ "tx-ring-ref=0 rx-ring-ref=1 event-channel=0",
		    "request-rx-copy" },
		{ "request-rx-copy=2 tx-ring-ref=0 rx-ring-ref=1 "
		  "event-channel=0",
		    "request-rx-copy is not a number" },
		{ FRONT_KEYS "rx-ring-ref=1 event-channel=0",
		    "no tx-ring-ref" },
		{ FRONT_KEYS "tx-ring-ref=0 event-channel=0",
		    "no rx-ring-ref" },
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=1",
		    "no event-channel" },
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=1 "
		             "event-channel-tx=0",
		    "no event-channel-rx" },
		{ FRONT_KEYS "tx-ring-ref=-1 rx-ring-ref=1 event-channel=0",
		    "tx-ring-ref is not a number" },
		{ FRONT_KEYS "tx-ring-ref=0x0 rx-ring-ref=1 event-channel=0",
		    "tx-ring-ref is not a number" },
		{ FRONT_KEYS "tx-ring-ref=99999999999999999999 rx-ring-ref=1 "
		             "event-channel=0",
		    "tx-ring-ref is not a number" },
		{ FRONT_KEYS "tx-ring-ref=1024 rx-ring-ref=1 event-channel=0",
		    "transmit ring, 1024, cannot be mapped" },
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=4294967295 "
		             "event-channel=0",
		    "receive ring, 4294967295, cannot be mapped" },
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=1 event-channel=0 "
		             "multi-queue-num-queues=0",
		    "0 queues" },
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=1 event-channel=0 "
		             "multi-queue-num-queues=9",
		    "9 queues" },
		/* With several queues there is none at the top. */
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=1 event-channel=0 "
		             "multi-queue-num-queues=2",
		    "no queue-0/tx-ring-ref" },
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=1 event-channel=0 "
		             "xdp-headroom=2049",
		    "xdp-headroom is not a number up to 2048" },
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=1 event-channel=0 "
		             "ctrl-ring-ref=2",
		    "no event-channel-ctrl" },
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=1 event-channel=0 "
		             "ctrl-ring-ref=7777 event-channel-ctrl=1",
		    "control ring, 7777, cannot be mapped" },
		{ FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=3 event-channel=0",
		    "receive ring has indices that cannot be" },
	};

	(void)state;
	assert_int_equal(fixture_word(c.ifp, "persist", NULL, 0, false), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[KEYS_SIZE];

		open_port();
		front_memory(&c.f, FRONT_PAGES);
		front_rings(&c.f);
		memset(c.f.mem + 3 * COAX_RING_PAGE, 0x77, 8);
		snprintf(text, sizeof(text), "%s state=4", bad[i].keys);
		c.notice[0] = '\0';
		assert_int_equal(front_say(&c.f, text, c.f.memfd), 0);
		assert_string_equal(front_back(&c.f, "state"), "6");
		assert_non_null(strstr(front_back(&c.f, "error"), bad[i].why));
		assert_non_null(strstr(c.notice, bad[i].why));
		assert_int_equal(c.ifp->link, IFACE_LINK_DOWN);
		assert_int_equal(c.x->queue_count, 0);
		/* Nothing that was begun is left. */
		front_close(&c.f);
		pass(60 * S); /* which forgives it */
	}
}

static void
test_a_large_mtu_needs_scatter(void **state)
{
	(void)state;
	assert_int_equal(fixture_word(c.ifp, "persist", NULL, 0, false), 0);
	assert_int_equal(iface_set_mtu(c.ifp, 4083), 0);
	open_port();
	front_memory(&c.f, FRONT_PAGES);
	front_rings(&c.f);
	(void)front_say(&c.f, "request-rx-copy=1 " FRONT_RING_KEYS, c.f.memfd);
	assert_string_equal(front_back(&c.f, "state"), "6");
	assert_non_null(strstr(front_back(&c.f, "error"), "feature-sg"));
	assert_int_equal(iface_set_mtu(c.ifp, 4082), 0);
	(void)front_say(&c.f, "state=1", -1);
	assert_string_equal(front_back(&c.f, "state"), "2");
	(void)front_say(&c.f, "state=4", -1);
	assert_string_equal(front_back(&c.f, "state"), "4");
	assert_int_equal(iface_set_mtu(c.ifp, 4083), -EINVAL);
	assert_int_equal(iface_set_mtu(c.ifp, 68), 0);
}

static void
test_several_queues_with_split_channels(void **state)
{
	char text[KEYS_SIZE];
	size_t n;

	(void)state;
	open_port();
	front_memory(&c.f, FRONT_PAGES);
	n = (size_t)snprintf(text, sizeof(text),
	    FRONT_KEYS "multi-queue-num-queues=8 ctrl-ring-ref=20 "
	               "event-channel-ctrl=100 ");
	for (int i = 0; i < 8; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "queue-%d/tx-ring-ref=%d queue-%d/rx-ring-ref=%d "
		    "queue-%d/event-channel-tx=%d "
		    "queue-%d/event-channel-rx=%d ",
		    i, 2 * i, i, 2 * i + 1, i, 2 * i, i, 2 * i + 1);
	snprintf(text + n, sizeof(text) - n, "state=4");
	assert_int_equal(front_say(&c.f, text, c.f.memfd), 0);
	assert_string_equal(front_back(&c.f, "state"), "4");
	assert_int_equal(c.x->queue_count, 8);
	assert_true(c.x->split);
	assert_int_equal(c.f.channels, 2 * 17); /* two descriptors each */
	assert_string_not_equal(front_back(&c.f, "event-channels"), "");
}

/* A front end's flow stays on one queue, and all queues are used. */
static void
test_flows_are_spread(void **state)
{
	uint32_t used = 0, first = UINT32_MAX;

	(void)state;
	open_port();
	front_memory(&c.f, FRONT_PAGES);
	(void)front_say(&c.f,
	    FRONT_KEYS "multi-queue-num-queues=2 queue-0/tx-ring-ref=0 "
	               "queue-0/rx-ring-ref=1 queue-0/event-channel=0 "
	               "queue-1/tx-ring-ref=2 queue-1/rx-ring-ref=3 "
	               "queue-1/event-channel=1 state=4",
	    c.f.memfd);
	assert_string_equal(front_back(&c.f, "state"), "4");
	for (uint32_t i = 0; i < 32; i++) {
		struct frame_batch b;

		fixture_batch(c.net, &b, 1, 60);
		b.frames[0]->data[5] = (uint8_t)i;
		iface_output(c.ifp, &b);
		for (uint32_t q = 0; q < 2; q++) {
			if (frame_ring_count(&c.x->queues[q].backlog) == 0)
				continue;
			used |= 1u << q;
			if (i == 0)
				first = q;
			xnb_rx_drop(&c.x->queues[q], DROP_DESTROYED);
		}
	}
	assert_int_equal(used, 3);
	for (int i = 0; i < 3; i++) { /* the first again */
		struct frame_batch b;

		fixture_batch(c.net, &b, 1, 60);
		b.frames[0]->data[5] = 0;
		iface_output(c.ifp, &b);
		assert_int_equal(
		    frame_ring_count(&c.x->queues[first].backlog), 1);
		xnb_rx_drop(&c.x->queues[first], DROP_DESTROYED);
	}
}

/* --- life ------------------------------------------------------------------
 */

static void
test_close_and_begin_again(void **state)
{
	(void)state;
	connect_port();
	(void)front_say(&c.f, "state=5", -1);
	assert_string_equal(front_back(&c.f, "state"), "5");
	assert_int_equal(c.ifp->link, IFACE_LINK_DOWN);
	assert_int_equal(c.x->queue_count, 0);
	(void)front_say(&c.f, "state=6", -1);
	assert_string_equal(front_back(&c.f, "state"), "6");
	(void)front_say(&c.f, "state=1", -1);
	assert_string_equal(front_back(&c.f, "state"), "2");
	front_rings(&c.f);
	(void)front_say(&c.f, "state=4", -1);
	assert_string_equal(front_back(&c.f, "state"), "4");
	assert_int_equal(c.ifp->link, IFACE_LINK_UP);
	/* It got new channels. */
	assert_int_equal(c.f.channels, 4);
}

/* A kernel that another one replaced says nothing before it begins. */
static void
test_begin_again_without_a_word(void **state)
{
	(void)state;
	connect_port();
	(void)front_say(&c.f, "state=1", -1);
	assert_string_equal(front_back(&c.f, "state"), "2");
	assert_int_equal(c.ifp->link, IFACE_LINK_DOWN);
	assert_int_equal(c.x->queue_count, 0);
}

static void
test_states_out_of_order_do_no_harm(void **state)
{
	static const char *const say[] = { "state=6", "state=5", "state=3",
		"state=7", "state=8", "state=0", "state=4", "state=2",
		"state=1", "state=1", "state=6", "state=4", "state=1" };

	(void)state;
	open_port();
	front_memory(&c.f, FRONT_PAGES);
	front_rings(&c.f);
	(void)front_say(&c.f,
	    FRONT_KEYS "tx-ring-ref=0 rx-ring-ref=1 event-channel=0",
	    c.f.memfd);
	for (size_t i = 0; i < 20 * ARRAY_LEN(say); i++) {
		(void)front_say(&c.f, say[i % ARRAY_LEN(say)], -1);
		(void)front_back(&c.f, "state");
	}
	pass(8 * S);
	assert_string_equal(front_back(&c.f, "state"), "2");
	front_rings(&c.f);
	(void)front_say(&c.f, "state=4", -1);
	assert_string_equal(front_back(&c.f, "state"), "4");
}

static void
test_reconfigured(void **state)
{
	(void)state;
	connect_port();
	(void)front_say(&c.f, "xdp-headroom=256 state=7", -1);
	assert_string_equal(front_back(&c.f, "state"), "8");
	assert_int_equal(c.x->features.headroom, 256);
	(void)front_say(&c.f, "state=4", -1);
	assert_string_equal(front_back(&c.f, "state"), "4");
	(void)front_say(&c.f, "xdp-headroom=9999 state=7", -1);
	assert_string_equal(front_back(&c.f, "state"), "6");
	assert_non_null(strstr(c.notice, "xdp-headroom"));
}

static void
test_two_descriptors_are_too_many(void **state)
{
	int fds[2];
	struct keys k = { .len = 0 };

	(void)state;
	open_port();
	front_memory(&c.f, FRONT_PAGES);
	fds[0] = fds[1] = c.f.memfd;
	assert_int_equal(keys_append(&k, "state", "1"), 0);
	assert_int_equal(
	    sock_send_fds(c.f.store, k.data, k.len, fds, 2), (ssize_t)k.len);
	assert_string_equal(front_back(&c.f, "state"), "6");
	assert_non_null(strstr(c.notice, "too many descriptors"));
}

static void
test_multicast_control_is_dynamic(void **state)
{
	(void)state;
	connect_port();
	assert_false(c.x->features.mcast);
	(void)front_say(&c.f, "request-multicast-control=1", -1);
	front_run(&c.f);
	assert_true(c.x->features.mcast);
	(void)front_say(&c.f, "request-multicast-control=0", -1);
	front_run(&c.f);
	assert_false(c.x->features.mcast);
}

static void
test_the_interface_ends_with_its_program(void **state)
{
	(void)state;
	connect_port();
	front_close(&c.f);
	front_run(&c.f);
	assert_null(c.ifp);
	assert_null(net_iface_find(c.net, NULL, "xnb0"));
}

static void
test_persist(void **state)
{
	(void)state;
	assert_int_equal(fixture_word(c.ifp, "persist", NULL, 0, false), 0);
	for (int i = 0; i < 3; i++) {
		connect_port();
		assert_int_equal(c.ifp->link, IFACE_LINK_UP);
		front_close(&c.f);
		front_run(&c.f);
		assert_non_null(c.ifp);
		assert_int_equal(c.ifp->link, IFACE_LINK_DOWN);
		assert_null(c.x->t);
	}
	assert_int_equal(fixture_word(c.ifp, "-persist", NULL, 0, false), 0);
	connect_port();
	front_close(&c.f);
	front_run(&c.f);
	assert_null(c.ifp);
}

static void
test_one_program_at_a_time(void **state)
{
	struct iface *ifp;
	int fd;

	(void)state;
	open_port();
	assert_int_equal(
	    xnb_local_open(c.net, NULL, "xnb0", NULL, &fd, &ifp), -EBUSY);
	assert_int_equal(
	    xnb_local_open(c.net, NULL, "xnb7", NULL, &fd, &ifp), -ENXIO);
	(void)fixture_iface(c.net, "tap0");
	assert_int_equal(
	    xnb_local_open(c.net, NULL, "tap0", NULL, &fd, &ifp), -ENXIO);
}

static void
test_destroyed_ports_are_told(void **state)
{
	(void)state;
	connect_port();
	net_iface_destroy(c.ifp, NULL);
	assert_string_equal(front_back(&c.f, "state"), "6");
	assert_true(c.f.hung_up);
}

/* A daemon that ends says nothing: its programs wait for the next. */
static void
test_leaving_is_not_closing(void **state)
{
	(void)state;
	connect_port();
	xnb_local_leave(c.net);
	net_iface_destroy(c.ifp, NULL);
	assert_string_equal(front_back(&c.f, "state"), "4");
	assert_true(c.f.hung_up);
}

/* Rings that another daemon had may have answers of which nobody was told. */
static void
test_what_was_left_is_told(void **state)
{
	struct front old;
	uint64_t n;

	(void)state;
	assert_int_equal(fixture_word(c.ifp, "persist", NULL, 0, false), 0);
	connect_port();
	assert_int_equal(read(c.f.call, &n, sizeof(n)), -1); /* new rings */
	fixture_bytes(front_tx(&c.f, 60, 0, 0), 60, 5);
	front_send(&c.f);
	old = c.f;
	fd_close(&old.store);
	front_run(&old);
	open_port();
	assert_string_equal(front_back(&c.f, "state"), "2");
	c.f.memfd = old.memfd;
	c.f.mem = old.mem;
	(void)front_say(&c.f, FRONT_KEYS FRONT_RING_KEYS, c.f.memfd);
	assert_string_equal(front_back(&c.f, "state"), "4");
	assert_int_equal(read(c.f.call, &n, sizeof(n)), sizeof(n));
	fd_close(&old.kick);
	fd_close(&old.call);
}

static void
test_numbers_in_order_of_appearance(void **state)
{
	struct iface *a, *b;
	struct vnet *v = NULL;

	(void)state;
	(void)v;
	assert_int_equal(xnb_number(c.ifp), 0);
	a = fixture_iface(c.net, "xnb5");
	assert_int_equal(xnb_number(a), 5);
	b = fixture_iface(c.net, "xnb");
	assert_int_equal(xnb_number(b), 1);
	assert_ptr_equal(xnb_by_number(c.net, 5), a);
	assert_null(xnb_by_number(c.net, 7));
}

/* --- how often -------------------------------------------------------------
 */

/* A handshake that fails, from InitWait. */
static void
fail_once(void)
{
	(void)front_say(&c.f, "tx-ring-ref=99999 state=4", -1);
	assert_string_equal(front_back(&c.f, "state"), "6");
}

/* The next one is offered after @ns, and not before. */
static void
offered_after(uint64_t ns)
{
	if (ns != 0) {
		assert_string_equal(front_back(&c.f, "state"), "6");
		pass(ns - 1);
		assert_string_equal(front_back(&c.f, "state"), "6");
		pass(1);
	}
	assert_string_equal(front_back(&c.f, "state"), "2");
}

static void
test_who_fails_again_and_again_has_to_wait(void **state)
{
	static const uint64_t waits[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 8,
		8 };

	(void)state;
	open_port();
	front_memory(&c.f, FRONT_PAGES);
	front_rings(&c.f);
	(void)front_say(&c.f,
	    FRONT_KEYS "rx-ring-ref=1 event-channel=0 state=1", c.f.memfd);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		fail_once();
		(void)front_say(&c.f, "state=1", -1);
		/* Asking more often neither helps nor harms. */
		(void)front_say(&c.f, "state=1", -1);
		offered_after(waits[i] * S);
	}
	/* What was written meanwhile counts. */
	fail_once();
	(void)front_say(&c.f, "state=1", -1);
	front_rings(&c.f);
	(void)front_say(&c.f, "tx-ring-ref=0 state=4", -1);
	assert_string_equal(front_back(&c.f, "state"), "6");
	pass(8 * S);
	assert_string_equal(front_back(&c.f, "state"), "4");
	/* A connection that holds is a new beginning. */
	pass(10 * S);
	for (int i = 0; i < 8; i++) {
		(void)front_say(&c.f, "state=1", -1);
		offered_after(0);
		fail_once();
	}
	(void)front_say(&c.f, "state=1", -1);
	offered_after(1 * S);
	fail_once();
	/* So is a minute of rest. */
	pass(60 * S);
	(void)front_say(&c.f, "state=1", -1);
	offered_after(0);
}

/* Connections that end at once are no better than those that fail. */
static void
test_flapping_is_slowed_down(void **state)
{
	uint32_t rounds = 0;

	(void)state;
	connect_port();
	for (int i = 0; i < 1000; i++) {
		(void)front_say(&c.f, "state=5", -1);
		(void)front_say(&c.f, "state=6", -1);
		(void)front_say(&c.f, "state=1", -1);
		(void)front_say(&c.f, "state=4", -1);
		front_run(&c.f);
		pass(10 * MS);
		rounds += strcmp(front_back(&c.f, "state"), "4") == 0;
	}
	/* In ten seconds: 8 at once, then after 1, 2 and 4. */
	assert_in_range(rounds, 9, 12);
}

/* Nothing is offered to who has left while it waited. */
static void
test_waiting_is_given_up(void **state)
{
	static const char *const end[] = { "state=5", "state=6", "state=0" };

	(void)state;
	connect_port();
	for (size_t k = 0; k < ARRAY_LEN(end); k++) {
		for (int i = 0; i < 20; i++) {
			(void)front_say(&c.f, "state=4", -1);
			(void)front_say(&c.f, "state=1", -1);
			front_run(&c.f);
		}
		assert_string_equal(front_back(&c.f, "state"), "6");
		assert_int_equal(c.timers.count, 1);
		(void)front_say(&c.f, end[k], -1);
		front_run(&c.f);
		assert_int_equal(c.timers.count, 0);
		pass(60 * S);
		assert_string_not_equal(front_back(&c.f, "state"), "2");
	}
	(void)front_say(&c.f, "state=1", -1);
	assert_string_equal(front_back(&c.f, "state"), "2");
}

/* Nor does it help to come as another program; but programs that end in order
 * may follow each other as fast as they like. */
static void
test_programs_that_fail_have_to_wait(void **state)
{
	(void)state;
	assert_int_equal(fixture_word(c.ifp, "persist", NULL, 0, false), 0);
	for (int i = 0; i < 30; i++) {
		connect_port();
		front_close(&c.f);
		front_run(&c.f);
	}
	for (int i = 0; i < 9; i++) {
		open_port();
		assert_string_equal(front_back(&c.f, "state"), "2");
		(void)front_say(&c.f, "state=9", -1);
		front_run(&c.f);
		front_close(&c.f);
	}
	open_port();
	assert_string_equal(front_back(&c.f, "state"), "");
	pass(1 * S);
	assert_string_equal(front_back(&c.f, "state"), "2");
}

/* However often, it is told once; and later how often it was not. */
static void
test_what_is_told_is_bounded(void **state)
{
	(void)state;
	open_port();
	front_memory(&c.f, FRONT_PAGES);
	front_rings(&c.f);
	(void)front_say(&c.f,
	    FRONT_KEYS "rx-ring-ref=1 event-channel=0 state=1", c.f.memfd);
	for (int i = 0; i < 8; i++) {
		fail_once();
		(void)front_say(&c.f, "state=1", -1);
		offered_after(0);
	}
	assert_int_equal(c.notices, 1);
	assert_null(strstr(c.notice, "more"));
	pass(10 * S);
	fail_once();
	assert_int_equal(c.notices, 2);
	assert_non_null(strstr(c.notice, "(7 more were not told)"));
	/* Also of all interfaces together. */
	pass(60 * S);
	front_close(&c.f);
	front_run(&c.f);
	c.notices = 0;
	for (int i = 0; i < 50; i++) {
		const struct xnb_local_options make = { .make = true };

		assert_int_equal(xnb_local_open(c.net, NULL, NULL, &make,
		                     &c.f.store, &c.f.ifp),
		    0);
		(void)front_say(&c.f, "state=9", -1);
		front_run(&c.f);
		front_close(&c.f);
		front_run(&c.f);
	}
	assert_int_equal(c.notices, 10);
}

/* --- the program's memory --------------------------------------------------
 */

/* Connects with @fd as memory: what is said of it. */
static void
refuse_memory(int fd, const char *why)
{
	assert_true(fd >= 0);
	assert_int_equal(fixture_word(c.ifp, "persist", NULL, 0, false), 0);
	open_port();
	c.notice[0] = '\0';
	(void)front_say(&c.f, FRONT_KEYS FRONT_RING_KEYS, fd);
	front_run(&c.f);
	front_listen(&c.f);
	assert_true(c.f.hung_up);
	assert_non_null(strstr(c.notice, why));
	front_close(&c.f);
	pass(60 * S);
	close(fd);
}

static int
unsealed(size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void
test_memory_must_be_sealed(void **state)
{
	int fd;

	(void)state;
	refuse_memory(unsealed(1 << 20), "sealed against shrinking");
	fd = unsealed(1 << 20);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	refuse_memory(fd, "sealed against shrinking");
	/* Sealed against writing: of no use. */
	fd = unsealed(1 << 20);
	assert_int_equal(
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE), 0);
	refuse_memory(fd, "cannot be mapped");
}

static void
test_memory_must_be_memory(void **state)
{
	int p[2], fd;
	char name[] = "/tmp/coax-test-XXXXXX";

	(void)state;
	assert_int_equal(pipe(p), 0);
	close(p[1]);
	refuse_memory(p[0], "can be had");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	refuse_memory(fd, "sealed against shrinking");
	refuse_memory(open("/dev/zero", O_RDWR), "can be had");
}

static void
test_memory_of_huge_pages_is_refused(void **state)
{
	int fd =
	    memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);

	(void)state;
	if (fd < 0) {
		print_message("# skip: no huge pages here\n");
		skip();
	}
	assert_int_equal(ftruncate(fd, 4 << 20), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	refuse_memory(fd, "sealed against shrinking");
}

static void
test_memory_has_a_size(void **state)
{
	(void)state;
	refuse_memory(memfd_sealed("test", 0), "can be had");
	refuse_memory(memfd_sealed("test", 5000), "can be had");
	refuse_memory(
	    memfd_sealed("test", (32768ull + 1) * 4096), "can be had");
}

static void
test_memory_cannot_go_away(void **state)
{
	(void)state;
	connect_port();
	assert_int_equal(ftruncate(c.f.memfd, 0), -1);
	/* A hole is only zeroes. */
	assert_int_equal(
	    fallocate(c.f.memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	        (off_t)FRONT_TX_PAGE * 4096, 1 << 20),
	    0);
	(void)front_tx(&c.f, 60, 0, 0);
	front_send(&c.f);
	assert_int_equal(c.sink.frames, 1);
}

static void
test_memory_comes_once(void **state)
{
	(void)state;
	connect_port();
	assert_int_equal(front_say(&c.f, "x=1", c.f.memfd), 0);
	front_run(&c.f);
	assert_non_null(strstr(c.notice, "memory came twice"));
	assert_null(c.ifp);
}

static void
test_connecting_without_memory(void **state)
{
	(void)state;
	open_port();
	(void)front_say(&c.f, FRONT_KEYS FRONT_RING_KEYS, -1);
	assert_string_equal(front_back(&c.f, "state"), "6");
	assert_non_null(strstr(front_back(&c.f, "error"), "cannot be mapped"));
}

/* --- messages --------------------------------------------------------------
 */

static void
refuse_message(const void *data, size_t len, const char *why)
{
	assert_int_equal(fixture_word(c.ifp, "persist", NULL, 0, false), 0);
	open_port();
	c.notice[0] = '\0';
	assert_int_equal(send(c.f.store, data, len, MSG_NOSIGNAL), len);
	front_run(&c.f);
	front_listen(&c.f);
	assert_true(c.f.hung_up);
	assert_non_null(strstr(c.notice, why));
	/* It is told why, too, and that this is the end. */
	assert_non_null(strstr(front_back(&c.f, "error"), why));
	assert_string_equal(front_back(&c.f, "state"), "6");
	front_close(&c.f);
	pass(60 * S);
}

/* Keys may come in as many messages as one likes. */
static void
test_keys_in_several_messages(void **state)
{
	(void)state;
	open_port();
	assert_string_equal(front_back(&c.f, "state"), "2");
	front_memory(&c.f, FRONT_PAGES);
	front_rings(&c.f);
	(void)front_say(&c.f, "request-rx-copy=1", c.f.memfd);
	assert_string_equal(front_back(&c.f, "state"), "2");
	(void)front_say(&c.f, "tx-ring-ref=0 rx-ring-ref=1", -1);
	(void)front_say(&c.f, "event-channel=0", -1);
	(void)front_say(&c.f, "state=4", -1);
	assert_string_equal(front_back(&c.f, "state"), "4");
}

static void
test_messages_that_are_none(void **state)
{
	static char big[5000];

	(void)state;
	refuse_message("state", 5, "not a message");      /* no end */
	refuse_message("state\0", 6, "not a message");    /* no value */
	refuse_message("state\0001", 7, "not a message"); /* no end of it */
	refuse_message("\0001\0", 3, "not a message");    /* no key */
	refuse_message("St\0001\0", 5, "not a message");  /* letters */
	refuse_message("a\0\n\0", 4, "not a message");    /* a control */
	refuse_message("a\0\377\0", 4, "not a message");  /* not ASCII */
	refuse_message("state\0009\0", 8, "no such state");
	refuse_message("state\0x\0", 8, "no such state");
	memset(big, 'a', sizeof(big));
	big[100] = big[102] = '\0';
	refuse_message(big, 103, "not a message"); /* a key too long */
	memset(big, 'a', sizeof(big));
	big[1] = big[400] = '\0';
	refuse_message(big, 401, "not a message"); /* a value too long */
	refuse_message(big, sizeof(big), "a message too long");
}

static void
test_keys_are_bounded(void **state)
{
	(void)state;
	open_port();
	for (int i = 0; i < 1000 && !c.f.hung_up; i++) {
		char text[100];

		snprintf(text, sizeof(text), "key-%d=1", i);
		(void)front_say(&c.f, text, -1);
		front_run(&c.f);
		front_listen(&c.f);
	}
	assert_true(c.f.hung_up);
	assert_non_null(strstr(c.notice, "too many keys"));
}

/* The same key again and again takes no more room. */
static void
test_keys_are_replaced(void **state)
{
	(void)state;
	open_port();
	for (int i = 0; i < 2000; i++) {
		(void)front_say(&c.f,
		    i % 2 == 0 ? "feature-sg=1" : "feature-sg=01234567", -1);
		front_run(&c.f);
	}
	front_listen(&c.f);
	assert_false(c.f.hung_up);
}

/* Who makes us talk and does not listen is cut off. */
static void
test_who_does_not_listen_is_cut_off(void **state)
{
	bool cut = false;

	(void)state;
	open_port();
	for (int i = 0; i < 20000 && !cut; i++) {
		if (front_say(&c.f, i % 2 == 0 ? "state=6" : "state=1", -1) !=
		    0)
			cut = true;
		pass(8 * S);
		cut = cut || c.ifp == NULL;
	}
	assert_true(cut);
	assert_non_null(strstr(c.notice, "does not read"));
}

/* --- events ----------------------------------------------------------------
 */

/* The program fills the counter that we signal, and makes writing to it wait.
 * (The alarm ends a test that hangs.) */
static void
test_a_full_counter_stops_nobody(void **state)
{
	uint64_t full = UINT64_MAX - 1;

	(void)state;
	connect_port();
	alarm(20);
	assert_int_equal(fcntl(c.f.call, F_SETFL, 0), 0);
	assert_int_equal(write(c.f.call, &full, sizeof(full)), 8);
	for (int i = 0; i < 3; i++) {
		netring_front_arm(&c.f.tx, 1); /* wants to be told */
		fixture_bytes(front_tx(&c.f, 60, 0, 0), 60, 5);
		front_send(&c.f);
		(void)front_tx_rsp(&c.f);
	}
	assert_int_equal(c.sink.frames, 3);
	assert_int_equal(c.x->queues[0].stats.notified, 3);
	alarm(0);
}

/* Where the daemon cannot signal without that risk, there is nobody who could
 * make it wait. */
static void
test_unsafe_signals_are_for_nobody_else(void **state)
{
	struct xnb_local_options other = { .uid = geteuid() + 1 };

	(void)state;
	assert_int_equal(setenv("COAX_NO_AIO", "1", 1), 0);
	assert_int_equal(
	    xnb_local_open(c.net, NULL, "xnb0", &other, &c.f.store, &c.f.ifp),
	    -EPERM);
	assert_non_null(strstr(c.net->message, "io_setup"));
	connect_port(); /* the daemon's own */
	assert_int_equal(unsetenv("COAX_NO_AIO"), 0);
}

/* It plays with the counter and the flags of the one that we watch. */
static void
test_our_counter_may_be_emptied_and_filled(void **state)
{
	uint64_t n, full = UINT64_MAX - 1;

	(void)state;
	connect_port();
	alarm(20);
	assert_int_equal(fcntl(c.f.kick, F_SETFL, 0), 0);
	for (int i = 0; i < 3; i++) {
		fixture_bytes(front_tx(&c.f, 60, 0, 0), 60, 5);
		netring_front_publish(&c.f.tx);
		front_kick(&c.f);
		if (i == 1) /* emptied before we look */
			assert_int_equal(read(c.f.kick, &n, sizeof(n)), 8);
		if (i == 2) {
			assert_int_equal(
			    fcntl(c.f.kick, F_SETFL, O_NONBLOCK), 0);
			(void)!read(c.f.kick, &n, sizeof(n));
			assert_int_equal(
			    write(c.f.kick, &full, sizeof(full)), 8);
		}
		front_run(&c.f);
	}
	assert_int_equal(c.sink.frames, 3);
	alarm(0);
}

/* Events without work cost a look each, and nothing more. */
static void
test_events_for_nothing(void **state)
{
	(void)state;
	connect_port();
	for (int i = 0; i < 1000; i++) {
		front_kick(&c.f);
		front_run(&c.f);
	}
	assert_int_equal(c.sink.frames, 0);
	assert_true(c.x->connected);
}

/* --- hostile neighbours ----------------------------------------------------
 */

static void
test_a_liar_loses_its_own_port_only(void **state)
{
	struct iface *other = fixture_iface_up(c.net, "xnb1");
	struct front good;
	struct fixture_sink sink;

	(void)state;
	fixture_sink_init(&sink);
	assert_int_equal(iface_stack_attach(other, &sink.stack), 0);
	connect_port();
	front_open(&good, c.net, c.loop, "xnb1");
	front_connect(&good, FRONT_KEYS);
	(void)front_tx(&c.f, 60, COAX_NETTXF_MORE_DATA, 0);
	front_send(&c.f);
	assert_string_equal(front_back(&c.f, "state"), "6");
	assert_non_null(strstr(front_back(&c.f, "error"), "beyond"));
	assert_int_equal(c.ifp->count.drops[DROP_XNB_UNFINISHED], 1);
	fixture_bytes(front_tx(&good, 60, 0, 0), 60, 5);
	front_send(&good);
	assert_int_equal(sink.frames, 1);
	/* And it may begin anew. */
	(void)front_say(&c.f, "state=1", -1);
	assert_string_equal(front_back(&c.f, "state"), "2");
	front_rings(&c.f);
	(void)front_say(&c.f, "state=4", -1);
	assert_string_equal(front_back(&c.f, "state"), "4");
	front_close(&good);
	/* The sink is on this stack: no frame of the teardown may reach it. */
	assert_int_equal(net_iface_destroy(other, NULL), 0);
}

/* References to pages: the last one there is, and those behind. */
static void
test_references_end_with_the_memory(void **state)
{
	static const uint32_t refs[] = { FRONT_PAGES - 1, FRONT_PAGES,
		FRONT_PAGES + 1, 0x7fffffff, 0x80000000, UINT32_MAX };
	struct coax_netif_rx_response rsp;

	(void)state;
	connect_port();
	for (uint16_t i = 0; i < ARRAY_LEN(refs); i++) {
		struct coax_netif_tx_request req = {
			.gref = refs[i],
			.offset = COAX_RING_PAGE - 60,
			.id = i,
			.size = 60,
		};

		netring_front_put(&c.f.tx, &req, COAX_NETIF_TX_SLOT_SIZE / 4);
		front_send(&c.f);
		assert_int_equal(front_tx_rsp(&c.f).status,
		    i == 0 ? COAX_NETIF_RSP_OKAY : COAX_NETIF_RSP_ERROR);
	}
	assert_int_equal(c.sink.frames, 1);
	assert_int_equal(
	    c.ifp->count.drops[DROP_XNB_COPY], ARRAY_LEN(refs) - 1);
	for (uint16_t i = 0; i < ARRAY_LEN(refs); i++) {
		struct coax_netif_rx_request req = {
			.id = i,
			.gref = refs[i],
		};

		netring_front_put(&c.f.rx, &req, COAX_NETIF_RX_SLOT_SIZE / 4);
		if (netring_front_publish(&c.f.rx))
			front_kick(&c.f);
		fixture_output(c.ifp, 1, 60);
		front_run(&c.f);
		assert_true(front_rx_rsp(&c.f, &rsp));
		assert_true(i == 0 ? rsp.status == 60 : rsp.status < 0);
	}
	assert_int_equal(
	    c.ifp->count.drops[DROP_XNB_RX_COPY], ARRAY_LEN(refs) - 1);
	assert_string_equal(front_back(&c.f, "state"), "4");
}

/* Its rings are its own packets and buffers, too. */
static void
test_rings_as_buffers(void **state)
{
	struct coax_netif_rx_request post = { .gref = FRONT_RX_RING };
	struct coax_netif_tx_request req = {
		.gref = FRONT_TX_RING,
		.size = 4000,
	};

	(void)state;
	connect_port();
	netring_front_put(&c.f.tx, &req, 3);
	front_send(&c.f);
	assert_int_equal(c.sink.frames, 1);
	for (int i = 0; i < 8; i++)
		netring_front_put(&c.f.rx, &post, 2);
	netring_front_publish(&c.f.rx);
	front_kick(&c.f);
	for (int i = 0; i < 8; i++)
		fixture_output(c.ifp, 1, 1000);
	front_run(&c.f);
	/* The frame lies over the indices: broken, and cut off. */
	fixture_output(c.ifp, 8, 1000);
	front_run(&c.f);
	assert_false(c.x->connected);
	assert_int_equal(c.ifp->count.drops[DROP_XNB_RING], 1);
}

/* --- what comes in undone --------------------------------------------------
 */

/* A TCP packet of @len bytes over IPv4 or IPv6, at most a page, its sum 0. */
static void
send_tcp(bool v6, uint16_t len, uint16_t flags, uint16_t mss)
{
	uint32_t l4 = v6 ? 54 : 34;
	struct coax_netif_extra gso = {
		.type = COAX_NETIF_EXTRA_GSO,
		.u.gso = { .size = mss,
		    .type = v6 ? COAX_NETIF_GSO_TCPV6 : COAX_NETIF_GSO_TCPV4 },
	};
	uint8_t *p;

	if (mss != 0)
		flags |= COAX_NETTXF_EXTRA_INFO;
	p = front_tx(&c.f, len, flags, 0);
	memset(p, 0x5a, len);
	memset(p, 0, l4 + 20);
	p[0] = 2;
	memcpy(p + 12, v6 ? "\x86\xdd\x60" : "\x08\0\x45", 3);
	be16_put(p + (v6 ? 18 : 16), (uint16_t)(len - (v6 ? 54 : 14)));
	p[v6 ? 20 : 23] = 6;
	p[l4 + 12] = 0x50;
	if (mss != 0)
		front_tx_extra(&c.f, &gso);
	front_send(&c.f);
	while (netring_front_poll(&c.f.tx) > 0)
		(void)front_tx_rsp(&c.f);
}

/* Is the last frame's TCP sum there, and right? */
static bool
sum_is_there(bool v6)
{
	uint32_t l4 = v6 ? 54 : 34, from = v6 ? 22 : 26;
	uint32_t sum = 6 + c.sink.last_len - l4;

	for (uint32_t i = from; i < c.sink.last_len; i++)
		sum += (uint32_t)c.sink.last[i] << (i % 2 == 0 ? 8 : 0);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff &&
	       (c.sink.last_off.flags & FRAME_CSUM_PARTIAL) == 0;
}

/* Each of -rxcsum, -rxcsum6 and -lro does what it says, and only that. */
static void
test_words_of_what_comes_in(void **state)
{
	static const char *const words[] = { "rxcsum", "-rxcsum", "-rxcsum6",
		"-lro" };

	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(words); w++) {
		bool none = w == 0, lro = w != 3;
		uint32_t before;

		assert_int_equal(
		    fixture_word(c.ifp, words[w], NULL, 0, false), 0);
		if (w == 0)
			connect_port();
		for (uint32_t v6 = 0; v6 < 2; v6++) {
			bool off = w == v6 + 1;

			send_tcp(v6, 200, COAX_NETTXF_CSUM_BLANK, 0);
			assert_int_equal(c.sink.last_len, 200);
			assert_int_equal(sum_is_there(v6), off);
			if (!off)
				assert_int_equal(
				    c.sink.last_off.flags, FRAME_CSUM_PARTIAL);
			/* Is it believed that a sum is right? */
			send_tcp(v6, 200, COAX_NETTXF_DATA_VALIDATED, 0);
			assert_int_equal(c.sink.last_off.flags,
			    none || !lro ? FRAME_CSUM_VALID : 0);
			before = c.sink.frames;
			send_tcp(v6, 2000, COAX_NETTXF_CSUM_BLANK, 500);
			if (lro && !off) {
				assert_int_equal(c.sink.frames, before + 1);
				assert_int_equal(c.sink.last_off.gso_size, 500);
				continue;
			}
			assert_int_equal(c.sink.frames, before + 4);
			assert_int_equal(c.sink.last_off.gso_type, 0);
			assert_int_equal(sum_is_there(v6), off);
		}
		/* The next word is tried alone. */
		if (words[w][0] == '-')
			assert_int_equal(
			    fixture_word(c.ifp, words[w] + 1, NULL, 0, false),
			    0);
	}
}

/* --- rate ------------------------------------------------------------------
 */

static uint32_t
send_frames(uint32_t count, uint16_t len)
{
	uint32_t before = c.sink.frames;

	for (uint32_t i = 0; i < count; i++)
		fixture_bytes(front_tx(&c.f, len, 0, 0), len, 5);
	front_send(&c.f);
	return c.sink.frames - before;
}

static void
test_rate(void **state)
{
	struct coax_netif_tx_response rsp;
	uint32_t got, before;

	(void)state;
	assert_int_equal(fixture_word(c.ifp, "rate", "1000/1000", 0, false), 0);
	connect_port();
	/* The first period's credit, and no more. */
	assert_int_equal(send_frames(5, 400), 2);
	assert_int_equal(front_tx_rsp(&c.f).status, 0);
	assert_int_equal(front_tx_rsp(&c.f).status, 0);
	assert_int_equal(netring_front_poll(&c.f.tx), 0); /* they wait */
	pass(999 * 1000);
	assert_int_equal(c.sink.frames, 2);
	pass(2 * 1000);
	assert_int_equal(c.sink.frames, 5); /* 200 + 1000 */
	/* What was not used is kept, up to two super-frames. */
	while (netring_front_poll(&c.f.tx) > 0)
		(void)front_tx_rsp(&c.f);
	pass(3600 * 1000 * MS);
	got = send_frames(200, 1000);
	assert_int_equal(got, 131072 / 1000);
	(void)rsp;
	/* Lifted at once. */
	before = c.sink.frames;
	assert_int_equal(fixture_word(c.ifp, "-rate", NULL, 0, false), 0);
	front_run(&c.f);
	assert_int_equal(c.sink.frames - before, 200 - got);
	assert_int_equal(c.timers.count, 0);
}

static void
test_rate_lets_a_super_frame_pass(void **state)
{
	struct coax_netif_extra gso = {
		.type = COAX_NETIF_EXTRA_GSO,
		.u.gso = { .size = 1448, .type = COAX_NETIF_GSO_TCPV4 },
	};
	uint8_t *p;

	(void)state;
	assert_int_equal(fixture_word(c.ifp, "rate", "1500/1000", 0, false), 0);
	connect_port();
	p = front_tx(&c.f, 4000, COAX_NETTXF_EXTRA_INFO, 0);
	memset(p, 0, 4000);
	memcpy(p, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0\x45", 15);
	p[23] = 6;
	p[46] = 0x50;
	front_tx_extra(&c.f, &gso);
	front_send(&c.f);
	assert_int_equal(c.sink.frames, 0);
	pass(1000 * 1000);
	assert_int_equal(c.sink.frames, 0); /* 3000 of 4000 */
	pass(1000 * 1000);
	assert_int_equal(c.sink.frames, 1);
	/* It has paid for its segments' headers, too: 500 less 2 x 54. */
	assert_int_equal(c.x->queues[0].credit.left, 500 - 2 * 54);
}

/* What a super-frame of small segments costs more than its bytes is a debt. */
static void
test_rate_is_that_of_segments(void **state)
{
	struct coax_netif_extra gso = {
		.type = COAX_NETIF_EXTRA_GSO,
		.u.gso = { .size = 48, .type = COAX_NETIF_GSO_TCPV4 },
	};
	uint64_t costs = 4000 + (uint64_t)(4000 + 47) / 48 * 54 - 54;
	uint32_t rounds = 100;
	uint64_t begin_ns;

	(void)state;
	assert_int_equal(fixture_word(c.ifp, "rate", "4000/1000", 0, false), 0);
	connect_port();
	begin_ns = c.net->now_ns;
	for (uint32_t i = 0; i < rounds; i++) {
		uint8_t *p = front_tx(&c.f, 4000, COAX_NETTXF_EXTRA_INFO, 0);

		memset(p, 0, 4000);
		memcpy(p, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0\x45", 15);
		p[23] = 6;
		p[46] = 0x50;
		front_tx_extra(&c.f, &gso);
		front_send(&c.f);
		while (c.sink.frames == i)
			pass(1000 * 1000);
		while (netring_front_poll(&c.f.tx) > 0)
			(void)front_tx_rsp(&c.f);
	}
	/* All but the last are paid: so many periods, of 4000 bytes each. */
	assert_in_range((c.net->now_ns - begin_ns) / MS,
	    (rounds - 1) * costs / 4000 - 1, rounds * costs / 4000 + 1);
}

static void
test_rates_that_are_none(void **state)
{
	static const char *const bad[] = { "", "5", "/", "1/", "/1", "0/1",
		"1/0", "x/1", "1/x", "4294967296/1", "1/1/1", "-1/1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    fixture_word(c.ifp, "rate", bad[i], 0, false), -EINVAL);
	assert_int_equal(fixture_word(c.ifp, "rate", "1,1", 0, false), 0);
}

/* --- where packets lie ------------------------------------------------------
 */

/* The beginnings of small packets do not all meet in the same cache sets. */
static void
test_small_packets_are_spread(void **state)
{
	struct coax_netif_rx_response rsp;
	uint8_t want[60];
	uint64_t seen = 0;

	(void)state;
	connect_port();
	front_post(&c.f, 64);
	fixture_output(c.ifp, 32, sizeof(want));
	front_run(&c.f);
	for (unsigned int i = 0; i < 32; i++) {
		assert_true(front_rx_rsp(&c.f, &rsp));
		assert_int_equal(rsp.status, sizeof(want));
		assert_int_equal(rsp.offset % 64, 0);
		seen |= UINT64_C(1) << rsp.offset / 64;
		fixture_bytes(want, sizeof(want), (uint8_t)i);
		assert_memory_equal(
		    front_rx_page(&c.f) + rsp.offset, want, sizeof(want));
	}
	assert_int_equal(seen, UINT32_MAX);
}

static void
test_larger_packets_are_not(void **state)
{
	struct coax_netif_rx_response rsp;

	(void)state;
	assert_int_equal(iface_set_mtu(c.ifp, 9000), 0);
	connect_port();
	front_post(&c.f, 64);
	fixture_output(c.ifp, 8, 2048);
	fixture_output(c.ifp, 8, 2049);
	fixture_output(c.ifp, 8, 5000);
	front_run(&c.f);
	for (int i = 0; i < 8; i++) {
		assert_true(front_rx_rsp(&c.f, &rsp));
		assert_true(rsp.offset + rsp.status <= COAX_RING_PAGE);
	}
	while (front_rx_rsp(&c.f, &rsp))
		assert_int_equal(rsp.offset, 0);
	assert_int_equal(c.ifp->count.opackets, 24);
}

static void
test_packets_behind_a_headroom_are_not(void **state)
{
	struct coax_netif_rx_response rsp;

	(void)state;
	open_port();
	front_connect(&c.f, FRONT_KEYS "xdp-headroom=256 ");
	front_post(&c.f, 64);
	fixture_output(c.ifp, 8, 60);
	front_run(&c.f);
	for (int i = 0; i < 16; i++) {
		assert_true(front_rx_rsp(&c.f, &rsp));
		if (i % 2 == 0)
			assert_int_equal(rsp.offset, 0);
	}
}

/* --- front ends that post nothing ------------------------------------------
 */

static void
test_a_stalled_front_end(void **state)
{
	(void)state;
	connect_port();
	fixture_output(c.ifp, 10, 60);
	front_run(&c.f);
	pass(9999 * MS);
	assert_int_equal(frame_ring_count(&c.x->queues[0].backlog), 10);
	assert_int_equal(c.ifp->link, IFACE_LINK_UP);
	pass(1 * MS);
	assert_int_equal(frame_ring_count(&c.x->queues[0].backlog), 0);
	assert_int_equal(c.ifp->count.drops[DROP_XNB_STALLED], 10);
	assert_int_equal(c.ifp->link, IFACE_LINK_DOWN);
	fixture_output(c.ifp, 5, 60);
	assert_int_equal(c.ifp->count.drops[DROP_XNB_STALLED], 15);
	fixture_pool_is_whole(c.net, 0);
	/* A buffer, and it goes on. */
	front_post(&c.f, 1);
	assert_int_equal(c.ifp->link, IFACE_LINK_UP);
	fixture_output(c.ifp, 1, 60);
	assert_int_equal(front_collect(&c.f), 1);
}

/* One buffer where two are needed is stalled, too. */
static void
test_always_one_buffer_too_few(void **state)
{
	(void)state;
	assert_int_equal(iface_set_mtu(c.ifp, 9000), 0);
	connect_port();
	front_post(&c.f, 1);
	fixture_output(c.ifp, 3, 5000);
	front_run(&c.f);
	pass(10000 * MS);
	assert_int_equal(c.ifp->link, IFACE_LINK_DOWN);
	assert_int_equal(c.ifp->count.drops[DROP_XNB_STALLED], 3);
	/* To be woken up is no buffer: the link does not flap. */
	front_kick(&c.f);
	front_run(&c.f);
	assert_int_equal(c.ifp->link, IFACE_LINK_DOWN);
	front_post(&c.f, 1);
	assert_int_equal(c.ifp->link, IFACE_LINK_UP);
}

/* A front end that goes on, however slowly, is not stalled. */
static void
test_a_slow_front_end_is_not_stalled(void **state)
{
	(void)state;
	connect_port();
	fixture_output(c.ifp, 30, 60);
	for (int i = 0; i < 20; i++) {
		pass(6000 * MS);
		front_post(&c.f, 1);
		assert_int_equal(c.ifp->link, IFACE_LINK_UP);
	}
	assert_int_equal(c.ifp->count.opackets, 20);
	assert_int_equal(fixture_drops(c.ifp), 0);
}

/* One that does not tell of its buffers is looked after from time to time, and
 * its link stays up. */
static void
test_a_front_end_that_does_not_tell(void **state)
{
	struct coax_netif_rx_request req = { .gref = FRONT_RX_PAGE };

	(void)state;
	open_port();
	front_connect(&c.f, "request-rx-copy=1 feature-sg=1 ");
	fixture_output(c.ifp, 2, 60);
	front_run(&c.f);
	netring_front_put(&c.f.rx, &req, 2);
	netring_front_publish(&c.f.rx); /* and no event */
	front_run(&c.f);
	assert_int_equal(c.ifp->count.opackets, 0);
	pass(30 * MS);
	assert_int_equal(c.ifp->count.opackets, 1);
	for (int i = 0; i < 1000; i++)
		pass(30 * MS);
	assert_int_equal(c.ifp->link, IFACE_LINK_UP);
	assert_int_equal(fixture_drops(c.ifp), 0);
}

static void
test_backlog_limits(void **state)
{
	(void)state;
	assert_int_equal(iface_set_mtu(c.ifp, 65521), 0);
	connect_port();
	for (int i = 0; i < 20; i++)
		fixture_output(c.ifp, 32, 60);
	assert_int_equal(
	    c.ifp->count.drops[DROP_QUEUE_FULL], 640 - XNB_BACKLOG);
	xnb_rx_drop(&c.x->queues[0], DROP_DESTROYED);
	for (int i = 0; i < 20; i++)
		fixture_output(c.ifp, 1, 65535);
	assert_int_equal(c.ifp->count.drops[DROP_QUEUE_BYTES], 4);
}

static void
test_without_a_front_end(void **state)
{
	(void)state;
	fixture_output(c.ifp, 3, 60);
	assert_int_equal(c.ifp->count.drops[DROP_XNB_NO_FRONT], 3);
	open_port(); /* not connected yet */
	fixture_output(c.ifp, 1, 60);
	assert_int_equal(c.ifp->count.drops[DROP_XNB_NO_FRONT], 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_features_are_offered),
		T(test_without_lro_no_super_frames_are_offered),
		T(test_connected),
		T(test_requests_from_before_the_connection),
		T(test_wrong_keys_are_refused),
		T(test_a_large_mtu_needs_scatter),
		T(test_several_queues_with_split_channels),
		T(test_flows_are_spread),
		T(test_close_and_begin_again),
		T(test_begin_again_without_a_word),
		T(test_states_out_of_order_do_no_harm),
		T(test_reconfigured),
		T(test_two_descriptors_are_too_many),
		T(test_multicast_control_is_dynamic),
		T(test_the_interface_ends_with_its_program),
		T(test_persist),
		T(test_one_program_at_a_time),
		T(test_destroyed_ports_are_told),
		T(test_leaving_is_not_closing),
		T(test_what_was_left_is_told),
		T(test_numbers_in_order_of_appearance),
		T(test_who_fails_again_and_again_has_to_wait),
		T(test_flapping_is_slowed_down),
		T(test_waiting_is_given_up),
		T(test_programs_that_fail_have_to_wait),
		T(test_what_is_told_is_bounded),
		T(test_memory_must_be_sealed),
		T(test_memory_must_be_memory),
		T(test_memory_of_huge_pages_is_refused),
		T(test_memory_has_a_size),
		T(test_memory_cannot_go_away),
		T(test_memory_comes_once),
		T(test_connecting_without_memory),
		T(test_messages_that_are_none),
		T(test_keys_in_several_messages),
		T(test_keys_are_bounded),
		T(test_keys_are_replaced),
		T(test_who_does_not_listen_is_cut_off),
		T(test_a_full_counter_stops_nobody),
		T(test_unsafe_signals_are_for_nobody_else),
		T(test_our_counter_may_be_emptied_and_filled),
		T(test_events_for_nothing),
		T(test_a_liar_loses_its_own_port_only),
		T(test_references_end_with_the_memory),
		T(test_rings_as_buffers),
		T(test_words_of_what_comes_in),
		T(test_rate),
		T(test_rate_lets_a_super_frame_pass),
		T(test_rate_is_that_of_segments),
		T(test_rates_that_are_none),
		T(test_small_packets_are_spread),
		T(test_larger_packets_are_not),
		T(test_packets_behind_a_headroom_are_not),
		T(test_a_stalled_front_end),
		T(test_always_one_buffer_too_few),
		T(test_a_slow_front_end_is_not_stalled),
		T(test_a_front_end_that_does_not_tell),
		T(test_backlog_limits),
		T(test_without_a_front_end),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

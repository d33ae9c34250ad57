/* SPDX-License-Identifier: BSD-2-Clause */
/* feth: peers, addresses, MTU, its test features.  What it shares with every
 * kind is in driver_conformance.c. */
#include <errno.h>

#include "drv/drv.h"
#include "frame/offload.h"
#include "net/tunable.h"
#include "net_fixture.h"

static const struct iface_ops *const kinds[] = { &feth_ops, NULL };

struct pair {
	struct net *net;
	struct iface *a, *b;
	struct fixture_sink sink; /* b's stack */
};

static int
setup(void **state)
{
	static struct pair p;

	p.net = fixture_net(kinds, NULL, 4096);
	assert_int_equal(drv_init(p.net, NULL), 0);
	p.a = fixture_iface_up(p.net, "feth0");
	p.b = fixture_iface_up(p.net, "feth1");
	fixture_sink_init(&p.sink);
	assert_int_equal(iface_stack_attach(p.b, &p.sink.stack), 0);
	*state = &p;
	return 0;
}

static int
teardown(void **state)
{
	net_destroy(((struct pair *)*state)->net);
	return 0;
}

static void
join(struct pair *p)
{
	assert_int_equal(fixture_word(p->a, "peer", "feth1", 0, false), 0);
}

static void
run(struct net *net)
{
	while (net_poll(net))
		;
}

static const char *
peer_of(const struct iface *ifp)
{
	static struct fixture_info i;
	char *end;

	fixture_get(ifp, &i);
	end = strchr(i.text, ' ');
	assert_non_null(end);
	*end = '\0';
	return i.text;
}

/* The flow of the question that made feth known. */
static void
test_seed_flow(void **state)
{
	struct pair *p = *state;
	static const uint8_t mac0[6] = { 0x66, 0x65, 0x74, 0x68, 0, 0 };
	static const uint8_t mac1[6] = { 0x66, 0x65, 0x74, 0x68, 0, 1 };

	assert_memory_equal(p->a->mac, mac0, 6);
	assert_memory_equal(p->b->mac, mac1, 6);
	assert_string_equal(peer_of(p->a), "peer=null");
	assert_string_equal(p->a->media, "autoselect");
	assert_int_equal(p->a->link, IFACE_LINK_DOWN);
	join(p);
	assert_string_equal(peer_of(p->a), "peer=feth1");
	assert_string_equal(peer_of(p->b), "peer=feth0");
	assert_int_equal(p->a->link, IFACE_LINK_UP);
	assert_int_equal(p->b->link, IFACE_LINK_UP);
	fixture_output(p->a, 3, 100);
	assert_int_equal(p->sink.frames, 0); /* not before the loop comes by */
	run(p->net);
	assert_int_equal(p->sink.frames, 3);
	assert_int_equal(p->a->count.opackets, 3);
	assert_int_equal(p->b->count.ipackets, 3);
}

static void
test_link_and_running_are_separate(void **state)
{
	struct pair *p = *state;

	/* Status is the peer's being there, not its being up. */
	iface_set_flags(p->b, 0, IFACE_UP);
	join(p);
	assert_int_equal(p->a->link, IFACE_LINK_UP);
	assert_true(iface_running(p->a));
	assert_false(p->b->flags & IFACE_RUNNING);
	assert_int_equal(fixture_word(p->b, "-peer", NULL, 0, false), 0);
	assert_int_equal(p->a->link, IFACE_LINK_DOWN);
	assert_true(iface_running(p->a));
	/* On one without a peer: nothing, successfully. */
	assert_int_equal(fixture_word(p->b, "-peer", NULL, 0, false), 0);
}

static void
test_peer_errors(void **state)
{
	struct pair *p = *state;
	struct iface *c;

	c = fixture_iface(p->net, "feth2");
	assert_int_equal(fixture_word(p->a, "peer", "feth9", 0, false), -ENXIO);
	assert_int_equal(
	    fixture_word(p->a, "peer", "feth0", 0, false), -EINVAL);
	join(p);
	assert_int_equal(fixture_word(p->a, "peer", "feth1", 0, false), -EBUSY);
	assert_int_equal(fixture_word(p->b, "peer", "feth0", 0, false), -EBUSY);
	assert_int_equal(fixture_word(p->a, "peer", "feth2", 0, false), -EBUSY);
	assert_int_equal(fixture_word(c, "peer", "feth1", 0, false), -EBUSY);
	assert_string_equal(p->net->message, "feth1 has a peer: feth0");
	assert_string_equal(peer_of(c), "peer=null");
}

/* `create peer NAME` makes what is not there: all or nothing. */
static void
test_create_peer_is_atomic(void **state)
{
	struct pair *p = *state;
	struct iface *c = fixture_iface(p->net, "feth5");
	struct iface *d;

	assert_int_equal(fixture_word(c, "peer", "feth6", 0, true), 0);
	d = net_iface_find(p->net, NULL, "feth6");
	assert_non_null(d);
	assert_string_equal(peer_of(d), "peer=feth5");
	c = fixture_iface(p->net, "feth7");
	assert_int_equal(fixture_word(c, "peer", "feth6", 0, true), -EBUSY);
	assert_int_equal(fixture_word(c, "peer", "feth7", 0, true), -EINVAL);
	assert_int_equal(fixture_word(c, "peer", "nosuch", 0, true), -ENXIO);
	assert_int_equal(fixture_word(c, "peer", "feth08", 0, true), -EINVAL);
	assert_int_equal(p->net->iface_count, 5);
	assert_int_equal(fixture_word(c, "peer", "feth1", 0, true), 0);
	assert_string_equal(peer_of(p->b), "peer=feth7");
}

static int
attach_fails(void *arg, struct iface *ifp, struct net_wait *w)
{
	(void)arg;
	(void)ifp;
	(void)w;
	return -EEXIST;
}

static void
test_create_peer_without_its_host_side_is_undone(void **state)
{
	struct pair *p = *state;
	struct iface *c = fixture_iface(p->net, "feth5");

	p->net->host_attach = 1;
	p->net->system.host_attach = attach_fails;
	assert_int_equal(fixture_word(c, "peer", "feth6", 0, true), -EEXIST);
	assert_null(net_iface_find(p->net, NULL, "feth6"));
	p->net->system.host_attach = NULL;
	assert_int_equal(fixture_word(c, "peer", "feth6", 0, true), 0);
}

static void
test_destroy_takes_the_link_of_the_survivor(void **state)
{
	struct pair *p = *state;
	struct fixture_events ev;

	join(p);
	fixture_subscribe(p->net, &ev);
	fixture_output(p->a, 5, 60);
	net_iface_destroy(p->b, NULL);
	fixture_pool_is_whole(p->net, 0);
	assert_string_equal(peer_of(p->a), "peer=null");
	assert_int_equal(p->a->link, IFACE_LINK_DOWN);
	assert_int_equal(ev.count[NET_EVENT_LINK], 1);
	assert_ptr_equal(ev.last.type == NET_EVENT_DESTROY, 1);
	net_unsubscribe(p->net, &ev.sub);
	fixture_output(p->a, 1, 60);
	assert_int_equal(p->a->count.drops[DROP_NO_PEER], 1);
	assert_int_equal(p->a->count.oerrors, 1);
}

static void
test_peer_down_is_the_senders_drop(void **state)
{
	struct pair *p = *state;

	join(p);
	iface_set_flags(p->b, 0, IFACE_UP);
	fixture_output(p->a, 4, 60);
	run(p->net);
	assert_int_equal(p->a->count.drops[DROP_PEER_DOWN], 4);
	assert_int_equal(p->a->count.opackets, 0);
	assert_int_equal(p->b->count.ierrors, 0);
	/* Down while frames are under way: the receiver's. */
	iface_set_flags(p->b, IFACE_UP, 0);
	fixture_output(p->a, 2, 60);
	iface_set_flags(p->b, 0, IFACE_UP);
	run(p->net);
	assert_int_equal(p->b->count.drops[DROP_IF_DOWN_IN], 2);
}

/* What was sent before the wire went still arrives. */
static void
test_frames_under_way_survive_unpeer(void **state)
{
	struct pair *p = *state;

	join(p);
	fixture_output(p->a, 3, 60);
	assert_int_equal(fixture_word(p->a, "-peer", NULL, 0, false), 0);
	run(p->net);
	assert_int_equal(p->sink.frames, 3);
}

/* The very frame, its record too, even a shared one: no copy. */
static void
test_frames_cross_whole_and_uncopied(void **state)
{
	struct pair *p = *state;
	struct frame *f = fixture_frame(p->net, 100, 1);
	struct frame_batch b = { .count = 1, .frames = { f } };

	join(p);
	assert_int_equal(p->a->caps, OFFLOAD_ALL);
	f->off.flags = FRAME_CSUM_PARTIAL;
	f->off.csum_start = 34;
	f->off.csum_offset = 6;
	frame_take(f);
	iface_output(p->a, &b);
	run(p->net);
	assert_ptr_equal(p->sink.last_frame, f);
	assert_int_equal(p->sink.last_off.flags, FRAME_CSUM_PARTIAL);
	assert_int_equal(f->refs, 1);
	frame_release(f);
}

static void
test_inbox_has_a_limit_of_frames(void **state)
{
	struct pair *p = *state;

	join(p);
	for (int i = 0; i < 17; i++)
		fixture_output(p->a, 64, 60);
	assert_int_equal(p->a->count.opackets, 1024);
	assert_int_equal(p->a->count.drops[DROP_QUEUE_FULL], 64);
	/* A full inbox moves four budgets a turn, and not more. */
	net_poll(p->net);
	assert_int_equal(p->sink.frames, 256);
	run(p->net);
	assert_int_equal(p->sink.frames, 1024);
	assert_int_equal(p->sink.batches, 16);
	fixture_pool_is_whole(p->net, 0);
}

/* A host's wake-up brings twice as much as the budget of a turn; several hosts
 * may send to one end.  Nothing is lost, and all comes in order. */
static void
test_inbox_keeps_up_with_several_senders(void **state)
{
	struct pair *p = *state;
	uint32_t sent = 0;

	join(p);
	for (int turn = 0; turn < 200; turn++) {
		for (int i = 0; i < 4; i++) {
			fixture_output(p->a, 64, 60);
			sent += 64;
		}
		net_poll(p->net);
		assert_int_equal(p->sink.last[59], (p->sink.frames - 1) % 64);
	}
	assert_int_equal(fixture_drops(p->a), 0);
	run(p->net);
	assert_int_equal(p->sink.frames, sent);
	fixture_pool_is_whole(p->net, 0);
}

static void
test_inbox_has_a_quota_of_bytes(void **state)
{
	struct pair *p = *state;
	struct frame_batch b;

	join(p);
	/* As large as they come, so let the sender's MTU not be the limit:
	 * a shared frame, many times. */
	struct frame *f = fixture_frame(p->net, 16384, 1);
	p->a->mtu = 16370;
	b.count = 64;
	for (int i = 0; i < 6; i++) {
		for (int k = 0; k < 64; k++)
			b.frames[k] = frame_take(f);
		iface_output(p->a, &b);
	}
	assert_int_equal(p->a->count.opackets, (4 << 20) / 16384);
	assert_int_equal(
	    p->a->count.drops[DROP_QUEUE_BYTES], 384 - (4 << 20) / 16384);
	run(p->net);
	assert_int_equal(f->refs, 1);
	frame_release(f);
}

static void
test_mtu_limit_is_that_of_creation(void **state)
{
	struct pair *p = *state;
	const struct iface_tunable *t = feth_ops.tunables;
	struct iface *c;

	assert_int_equal(iface_set_mtu(p->a, 71), -EINVAL);
	assert_int_equal(iface_set_mtu(p->a, 72), 0);
	assert_int_equal(iface_set_mtu(p->a, 2049), -EINVAL);
	assert_int_equal(iface_set_mtu(p->a, 2048), 0);
	assert_string_equal(t->name, "net.link.fake.max_mtu");
	assert_int_equal(t->min, 1500);
	assert_int_equal(t->max, 16370);
	assert_int_equal(t->get(p->net), 2048);
	assert_int_equal(t->set(p->net, 9000), 0);
	assert_int_equal(iface_set_mtu(p->a, 9000), -EINVAL);
	c = fixture_iface(p->net, "feth8");
	assert_int_equal(iface_set_mtu(c, 9000), 0);
	assert_int_equal(iface_set_mtu(c, 9001), -EINVAL);
	assert_int_equal(iface_set_mtu(c, 16371), -EINVAL);
}

/* The two ends' MTUs need not agree: the sender's is what counts. */
static void
test_over_mtu_is_the_senders_drop(void **state)
{
	struct pair *p = *state;

	join(p);
	assert_int_equal(iface_set_mtu(p->a, 2000), 0);
	fixture_output(p->a, 1, 2014);
	fixture_output(p->a, 1, 2015);
	run(p->net);
	assert_int_equal(p->sink.frames, 1);
	assert_int_equal(p->b->mtu, 1500);
	assert_int_equal(p->a->count.drops[DROP_MTU], 1);
}

static void
test_other_vnets_twin_gets_its_own_address(void **state)
{
	struct pair *p = *state;
	struct vnet v = { .name = "alice", .id = 1, .net = p->net };
	struct iface *c;
	uint8_t first[6];

	assert_int_equal(net_iface_create(p->net, &v, "feth0", &c), 0);
	assert_int_not_equal(c->mac[0] & 2, 0);
	assert_int_equal(c->mac[0] & 1, 0);
	assert_memory_not_equal(c->mac, p->a->mac, 6);
	memcpy(first, c->mac, 6);
	net_iface_destroy(c, NULL);
	assert_int_equal(net_iface_create(p->net, &v, "feth0", &c), 0);
	assert_memory_equal(c->mac, first, 6);
	/* From home the twin can be the peer, by its full name; here it is not
	 * known to the net, so this one is looked for in vain. */
	assert_int_equal(
	    fixture_word(p->a, "peer", "feth0@alice", 0, false), -ENXIO);
	net_iface_destroy(c, NULL);
}

static void
test_every_nth_frame_is_dropped(void **state)
{
	struct pair *p = *state;

	join(p);
	assert_int_equal(fixture_word(p->a, "txdrops", NULL, 3, false), 0);
	fixture_output(p->a, 10, 60);
	run(p->net);
	assert_int_equal(p->sink.frames, 7);
	assert_int_equal(p->a->count.drops[DROP_FAULT_TX_DROPS], 3);
	fixture_output(p->a, 2, 60); /* the 11th and 12th */
	assert_int_equal(p->a->count.drops[DROP_FAULT_TX_DROPS], 4);
	assert_int_equal(fixture_word(p->a, "txdrops", NULL, 0, false), 0);
	fixture_output(p->a, 10, 60);
	run(p->net);
	assert_int_equal(p->sink.frames, 18);
}

static void
test_stall_holds_and_sends_in_order(void **state)
{
	struct pair *p = *state;

	join(p);
	assert_int_equal(fixture_word(p->a, "stall", NULL, 0, false), 0);
	for (int i = 0; i < 17; i++)
		fixture_output(p->a, 64, 60);
	run(p->net);
	assert_int_equal(p->sink.frames, 0);
	assert_int_equal(p->a->count.opackets, 0);
	assert_int_equal(p->a->count.drops[DROP_FAULT_STALL], 64);
	assert_int_equal(fixture_word(p->a, "-stall", NULL, 0, false), 0);
	run(p->net);
	assert_int_equal(p->sink.frames, 1024);
	assert_int_equal(p->sink.last[59], 63);
	assert_int_equal(p->a->count.opackets, 1024);
	/* Down: what waits is dropped; so too when it is destroyed. */
	assert_int_equal(fixture_word(p->a, "stall", NULL, 0, false), 0);
	fixture_output(p->a, 5, 60);
	iface_set_flags(p->a, 0, IFACE_UP);
	assert_int_equal(p->a->count.drops[DROP_IF_DOWN], 5);
	iface_set_flags(p->a, IFACE_UP, 0);
	fixture_output(p->a, 5, 60);
	net_iface_destroy(p->a, NULL);
	fixture_pool_is_whole(p->net, 0);
}

static void
test_trailer_and_fcs_are_appended(void **state)
{
	struct pair *p = *state;
	static const uint8_t check[9] = "123456789";
	struct frame *f;
	struct frame_batch b = { .count = 1 };

	join(p);
	assert_int_equal(fixture_word(p->a, "trailer", NULL, 9, false), 0);
	fixture_output(p->a, 1, 60);
	run(p->net);
	assert_int_equal(p->sink.last_len, 69);
	assert_memory_equal(p->sink.last + 60, "trailertr", 9);
	assert_int_equal(p->a->caps, 0);
	/* Behind a frame of the full MTU, and one that others read too. */
	f = fixture_frame(p->net, 1514, 1);
	b.frames[0] = frame_take(f);
	iface_output(p->a, &b);
	run(p->net);
	assert_int_equal(p->sink.last_len, 1523);
	assert_int_equal(f->len, 1514);
	frame_release(f);
	assert_int_equal(fixture_word(p->a, "trailer", NULL, 0, false), 0);
	assert_int_equal(p->a->caps, OFFLOAD_ALL);

	/* The check value of CRC-32: cbf43926. */
	assert_int_equal(fixture_word(p->a, "fcs", NULL, 0, false), 0);
	f = fixture_frame(p->net, 9, 0);
	memcpy(f->data, check, 9);
	b.frames[0] = f;
	b.count = 1;
	feth_ops.transmit(p->a, &b);
	assert_int_equal(p->a->count.opackets, 3);
	run(p->net);
	assert_int_equal(p->b->count.drops[DROP_RUNT], 1);
	f = fixture_frame(p->net, 60, 0);
	memset(f->data, 0, 60);
	b.frames[0] = f;
	iface_output(p->a, &b);
	run(p->net);
	/* CRC-32 of 60 zero bytes, and so of a frame, over all: residue. */
	assert_int_equal(p->sink.last_len, 64);
	assert_memory_equal(p->sink.last + 60, "\x08\x89\x12\x04", 4);
	assert_int_equal(fixture_word(p->a, "-fcs", NULL, 0, false), 0);
	assert_int_equal(p->a->caps, OFFLOAD_ALL);
}

/* With something appended there is no room in a small frame: a large one. */
static void
test_trailer_finds_room(void **state)
{
	struct pair *p = *state;
	struct frame_batch b = { .count = 1 };

	join(p);
	assert_int_equal(iface_set_mtu(p->a, 1906), 0);
	assert_int_equal(fixture_word(p->a, "trailer", NULL, 28, false), 0);
	fixture_output(p->a, 1, 1920);
	run(p->net);
	assert_int_equal(p->sink.last_len, 1948);
	/* The largest frame of all has no room left. */
	b.frames[0] = fixture_frame(p->net, FRAME_LARGE_MAX, 0);
	feth_ops.transmit(p->a, &b);
	assert_int_equal(p->a->count.drops[DROP_TX_SIZE], 1);
	fixture_pool_is_whole(p->net, 0);
}

static void
test_tunables_are_what_new_ones_are_born_with(void **state)
{
	struct pair *p = *state;
	struct fixture_info i;
	struct iface *c;

	for (const struct iface_tunable *t = feth_ops.tunables; t->name; t++) {
		assert_int_equal(strncmp(t->name, "net.link.fake.", 14), 0);
		assert_int_equal(t->set(p->net, t->max), 0);
		assert_int_equal(t->get(p->net), t->max);
	}
	c = fixture_iface(p->net, "feth3");
	assert_string_equal(fixture_get(c, &i),
	    "peer=null max_mtu=16370 txdrops=4294967295 trailer=28 fcs=true ");
	assert_string_equal(fixture_get(p->a, &i), "peer=null max_mtu=2048 ");
	assert_int_equal(fixture_word(c, "stall", NULL, 0, false), 0);
	assert_non_null(strstr(fixture_get(c, &i), "stall=true held=0"));
}

/* Two pairs between two stacks that send everything back: a loop takes its
 * budget a turn and no more, and keeps its frames. */
static struct iface *echo_to;

static void
echo(struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	(void)s;
	(void)ifp;
	iface_output(echo_to, batch);
}

static void
test_loop_is_bounded_in_a_turn(void **state)
{
	struct pair *p = *state;
	struct fixture_sink *k = &p->sink;
	uint64_t before;

	join(p);
	k->stack.input = echo;
	echo_to = p->a; /* what b gets, a sends again */
	fixture_output(p->a, 64, 60);
	for (int i = 0; i < 100; i++) {
		before = p->b->count.ipackets;
		assert_true(net_poll(p->net));
		assert_int_equal(p->b->count.ipackets - before, 64);
	}
	fixture_pool_is_whole(p->net, 64);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_seed_flow),
		T(test_link_and_running_are_separate),
		T(test_peer_errors),
		T(test_create_peer_is_atomic),
		T(test_create_peer_without_its_host_side_is_undone),
		T(test_destroy_takes_the_link_of_the_survivor),
		T(test_peer_down_is_the_senders_drop),
		T(test_frames_under_way_survive_unpeer),
		T(test_frames_cross_whole_and_uncopied),
		T(test_inbox_has_a_limit_of_frames),
		T(test_inbox_keeps_up_with_several_senders),
		T(test_inbox_has_a_quota_of_bytes),
		T(test_mtu_limit_is_that_of_creation),
		T(test_over_mtu_is_the_senders_drop),
		T(test_other_vnets_twin_gets_its_own_address),
		T(test_every_nth_frame_is_dropped),
		T(test_stall_holds_and_sends_in_order),
		T(test_trailer_and_fcs_are_appended),
		T(test_trailer_finds_room),
		T(test_tunables_are_what_new_ones_are_born_with),
		T(test_loop_is_bounded_in_a_turn),
	};

	return cmocka_run_group_tests_name("drv_feth", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* vlan interfaces: frames, following the parent, words, and as a bridge's. */
#include "bridge_fixture.h"
#include "drv/drv.h"
#include "frame/tag.h"

static const struct iface_ops *const kinds[] = { &mock_port_ops, &mock_gre_ops,
	&bridge_ops, &vlan_ops, NULL };

static struct net *net;
static struct iface *parent;
static struct fixture_sink sink;

/* The last frame that left the parent. */
static uint8_t out_bytes[128];
static uint32_t out_count, out_len;
static struct frame_offload out_off;

static void
capture(struct iface_capture *c, struct iface *ifp,
    const struct frame_batch *batch, bool out)
{
	const struct frame *f = batch->frames[batch->count - 1];

	(void)c;
	(void)ifp;
	if (!out)
		return;
	out_count += batch->count;
	out_len = f->len;
	out_off = f->off;
	memcpy(out_bytes, f->data, 64);
}

static void
uncapture(struct iface_capture *c, struct iface *ifp)
{
	(void)c;
	ifp->capture = NULL;
}

static struct iface_capture look = {
	.frames = capture,
	.detach = uncapture,
};

static int
setup(void **state)
{
	(void)state;
	net = fixture_net(kinds, NULL, 512);
	parent = fixture_iface_up(net, "port0");
	parent->capture = &look;
	iface_set_link(parent, IFACE_LINK_UP);
	fixture_sink_init(&sink);
	out_count = 0;
	return 0;
}

static int
teardown(void **state)
{
	struct iface *ifp;

	(void)state;
	TAILQ_FOREACH (ifp, &net->ifaces, all_link)
		ifp->host = NULL;
	fixture_pool_is_whole(net, 0);
	net_destroy(net);
	return 0;
}

static struct frame *
plain(uint32_t vid)
{
	struct frame *f = fixture_frame(net, 60, 1);

	be32_put(f->data + 56, 7);
	return vid != 0 ? frame_tag_put(f, ETH_TYPE_VLAN, (uint16_t)vid) : f;
}

static void
in(struct iface *ifp, struct frame *f)
{
	struct frame_batch b = { .count = 1, .frames = { f } };

	iface_input(ifp, &b);
}

static void
test_takes_its_vlan_without_the_tag(void **state)
{
	struct iface *v = fixture_iface_up(net, "port0.10");
	struct frame_batch b = { .count = 4 };

	(void)state;
	assert_int_equal(iface_stack_attach(v, &sink.stack), 0);
	b.frames[0] = plain(10);
	b.frames[1] = plain(11);
	b.frames[2] = plain(0);
	b.frames[3] =
	    frame_tag_set(plain(10), ETH_TYPE_QINQ, 0xe00a); /* the same */
	iface_input(parent, &b);
	assert_int_equal(sink.frames, 2);
	assert_int_equal(sink.batches, 1);
	assert_int_equal(sink.last_len, 60);
	assert_int_equal(be16_get(sink.last + 12), 0x88b5);
	assert_int_equal(v->count.ipackets, 2);
	assert_int_equal(v->count.ibytes, 120);
	assert_drop(parent, NO_STACK, 2);
	/* Down, it drops what is its own. */
	iface_set_flags(v, 0, IFACE_UP);
	in(parent, plain(10));
	assert_drop(v, IF_DOWN_IN, 1);
	iface_stack_detach(v);
}

/* Sole readers are changed in place; shared frames are not touched. */
static void
test_shared_frames_are_copied(void **state)
{
	struct iface *v = fixture_iface_up(net, "port0.10");
	struct frame *f = plain(10);

	(void)state;
	assert_int_equal(iface_stack_attach(v, &sink.stack), 0);
	frame_take(f);
	in(parent, f);
	assert_int_equal(sink.frames, 1);
	assert_ptr_not_equal(sink.last_frame, f);
	assert_int_equal(frame_tpid(f), ETH_TYPE_VLAN);
	in(parent, f);
	assert_ptr_equal(sink.last_frame, f);
	iface_stack_detach(v);
}

/* A child takes one tag, its child the next; what is behind them is data. */
static void
test_thousand_tags_and_cut_ones(void **state)
{
	enum {
		TAGS = 1000,
		LEN = 12 + 4 * TAGS + 2
	};
	struct iface *outer = fixture_iface_up(net, "port0.10");
	struct iface *inner = fixture_iface_up(net, "port0.10.10");
	uint32_t heard = 0;

	(void)state;
	assert_int_equal(iface_stack_attach(inner, &sink.stack), 0);
	for (uint32_t len = ETH_HDR_LEN; len <= LEN; len += len < 64 ? 1
	                                                    : len < LEN
	                                                        ? LEN - len
	                                                        : 1) {
		struct frame *f = frame_alloc(net->pool, LEN);

		assert_non_null(f);
		memset(f->data, 2, 12);
		for (uint32_t k = 0; k < TAGS; k++)
			be32_put(f->data + 12 + 4 * k, 0x8100000a);
		be16_put(f->data + LEN - 2, 0x88b5);
		f->len = len;
		in(parent, f);
		heard += len >= 22;
		assert_int_equal(sink.frames, heard);
		if (len >= 22)
			assert_int_equal(sink.last_len, len - 8);
	}
	iface_stack_detach(inner);
	(void)outer;
}

static void
test_a_full_batch_goes_on_whole(void **state)
{
	struct iface *v = fixture_iface_up(net, "port0.10");
	struct frame_batch b = { .count = FRAME_BATCH_MAX };

	(void)state;
	assert_int_equal(iface_stack_attach(v, &sink.stack), 0);
	for (uint32_t i = 0; i < b.count; i++)
		b.frames[i] = plain(10);
	iface_input(parent, &b);
	assert_int_equal(sink.frames, FRAME_BATCH_MAX);
	assert_int_equal(sink.batches, 1);
	in(parent, plain(10));
	assert_int_equal(sink.frames, FRAME_BATCH_MAX + 1);
	iface_stack_detach(v);
}

static void
test_sends_with_the_tag(void **state)
{
	struct iface *v = fixture_iface_up(net, "port0.10");
	struct frame_batch b = { .count = 1, .frames = { plain(0) } };

	(void)state;
	iface_host_input(v, &b);
	assert_int_equal(out_count, 1);
	assert_int_equal(out_len, 64);
	assert_int_equal(be16_get(out_bytes + 12), ETH_TYPE_VLAN);
	assert_int_equal(be16_get(out_bytes + 14), 10);
	assert_int_equal(be16_get(out_bytes + 16), 0x88b5);
	assert_int_equal(v->count.opackets, 1);
	assert_int_equal(v->count.obytes, 60);
	fixture_word(v, "vlanproto", "802.1ad", 0, false);
	fixture_word(v, "vlanpcp", NULL, 5, false);
	b = (struct frame_batch){ .count = 1, .frames = { plain(0) } };
	b.frames[0]->off = (struct frame_offload){
		.flags = FRAME_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 16,
		.hdr_len = 54,
	};
	iface_output(v, &b);
	assert_int_equal(be16_get(out_bytes + 12), ETH_TYPE_QINQ);
	assert_int_equal(be16_get(out_bytes + 14), 5 << 13 | 10);
	assert_int_equal(out_off.csum_start, 38);
	/* A frame of the largest size has room for its tag on the wire. */
	fixture_output(v, 1, 1514);
	assert_int_equal(out_len, 1518);
	fixture_output(v, 1, 1515);
	assert_drop(v, MTU, 1);
}

static void
test_no_frame_is_a_drop(void **state)
{
	struct iface *v = fixture_iface_up(net, "port0.10");
	struct frame *f = plain(10), *held = NULL, *x;

	(void)state;
	frame_take(f);
	while ((x = frame_alloc(net->pool, 64)) != NULL) {
		x->next = held;
		held = x;
	}
	in(parent, f);
	while ((x = held) != NULL) {
		held = x->next;
		frame_release(x);
	}
	frame_release(f);
	assert_drop(v, NO_FRAME, 1);
}

static void
test_nested(void **state)
{
	struct iface *outer = fixture_iface_up(net, "port0.5");
	struct iface *inner = fixture_iface_up(net, "port0.5.10");

	(void)state;
	fixture_word(outer, "vlanproto", "802.1ad", 0, false);
	assert_int_equal(iface_stack_attach(inner, &sink.stack), 0);
	in(parent, frame_tag_put(plain(10), ETH_TYPE_QINQ, 5));
	assert_int_equal(sink.frames, 1);
	assert_int_equal(sink.last_len, 60);
	fixture_output(inner, 1, 60);
	assert_int_equal(be16_get(out_bytes + 12), ETH_TYPE_QINQ);
	assert_int_equal(be16_get(out_bytes + 14), 5);
	assert_int_equal(be16_get(out_bytes + 16), ETH_TYPE_VLAN);
	assert_int_equal(be16_get(out_bytes + 18), 10);
	iface_stack_detach(inner);
}

/* There is an end to nesting: what is parsed has a limit too. */
static void
test_nested_too_deep(void **state)
{
	struct iface *v = parent, *next;
	char name[IFACE_NAME_MAX];
	uint32_t depth = 0;
	int err;

	(void)state;
	assert_int_equal(net_iface_rename(parent, "p"), 0);
	for (;;) {
		assert_true(snprintf(name, sizeof(name), "%s.1", v->name) < 16);
		err = net_iface_create(net, NULL, name, &next);
		if (err != 0)
			break;
		assert_true(++depth <= 6);
		v = next;
	}
	assert_int_equal(err, -EINVAL);
	assert_int_equal(depth, 6);
}

static void
test_follows_its_parent(void **state)
{
	struct iface *v = fixture_iface_up(net, "port0.10");
	struct iface *lone = fixture_iface_up(net, "vlan");
	const uint8_t a[6] = { 2, 0, 0, 0, 0, 9 }, b[6] = { 2, 0, 0, 0, 0, 8 };

	(void)state;
	assert_string_equal(lone->name, "vlan0"); /* port0.10 has no unit */
	assert_false(iface_running(lone));
	assert_int_equal(lone->link, IFACE_LINK_DOWN);
	assert_true(ether_equal(v->mac, parent->mac));
	assert_true(iface_running(v));
	assert_int_equal(v->link, IFACE_LINK_UP);
	iface_set_flags(parent, 0, IFACE_UP);
	assert_false(iface_running(v));
	iface_set_link(parent, IFACE_LINK_DOWN);
	assert_int_equal(v->link, IFACE_LINK_DOWN);
	fixture_output(v, 1, 60);
	assert_drop(v, IF_DOWN, 1);
	iface_set_flags(parent, IFACE_UP, 0);
	assert_true(iface_running(v));
	iface_set_lladdr(parent, a);
	assert_true(ether_equal(v->mac, a));
	iface_set_lladdr(v, b);
	iface_set_lladdr(parent, (const uint8_t[]){ 2, 0, 0, 0, 0, 7 });
	assert_true(ether_equal(v->mac, b));
	iface_set_mtu(parent, 9000);
	assert_int_equal(v->mtu, 9000);
	assert_int_equal(iface_set_mtu(v, 1400), 0);
	iface_set_mtu(parent, 8000);
	assert_int_equal(v->mtu, 1400);
	assert_int_equal(iface_set_mtu(v, 8001), -EINVAL);
	iface_set_mtu(parent, 1300);
	assert_int_equal(v->mtu, 1300);
}

static void
test_words(void **state)
{
	struct iface *v = fixture_iface_up(net, "vlan");
	struct iface *other = fixture_iface_up(net, "port1");
	struct iface *gre = fixture_iface_up(net, "gre0");
	struct iface *w;

	(void)state;
	fixture_word(v, "vlan", NULL, 10, false);
	assert_null(v->parent);
	assert_int_equal(fixture_word(v, "vlandev", "port0", 0, false), 0);
	assert_ptr_equal(v->parent, parent);
	/* Another VLAN of the same parent; another parent. */
	fixture_word(v, "vlandev", "port0", 0, false);
	assert_int_equal(fixture_word(v, "vlan", NULL, 11, false), 0);
	assert_int_equal(net_iface_create(net, NULL, "port0.11", &w), -EEXIST);
	assert_int_equal(net_iface_create(net, NULL, "port0.10", &w), 0);
	fixture_word(v, "vlan", NULL, 12, false);
	assert_int_equal(
	    fixture_word(v, "vlandev", other->name, 0, false), -EBUSY);
	fixture_word(v, "vlan", NULL, 10, false);
	assert_int_equal(
	    fixture_word(v, "vlandev", "port0", 0, false), -EEXIST);
	fixture_word(v, "-vlandev", NULL, 0, false);
	assert_null(v->parent);
	for (uint32_t bad = 0; bad <= 4095; bad += 4095) {
		fixture_word(v, "vlan", NULL, bad, false);
		assert_int_equal(
		    fixture_word(v, "vlandev", "port0", 0, false), -EINVAL);
	}
	fixture_word(v, "vlan", NULL, 3, false);
	assert_int_equal(
	    fixture_word(v, "vlandev", gre->name, 0, false), -EPROTONOSUPPORT);
	fixture_word(v, "vlan", NULL, 3, false);
	assert_int_equal(
	    fixture_word(v, "vlandev", "vlan0", 0, false), -EINVAL);
	fixture_word(v, "vlan", NULL, 3, false);
	assert_int_equal(
	    fixture_word(v, "vlandev", "port7", 0, false), -ENOENT);
	assert_null(v->parent);
}

static void
test_parent_goes(void **state)
{
	struct iface *a = fixture_iface_up(net, "port0.10");
	struct iface *b = fixture_iface_up(net, "port0.11");
	struct iface *c = fixture_iface_up(net, "port0.11.12");

	(void)state;
	net_iface_destroy(parent, NULL);
	assert_null(a->parent);
	assert_null(b->parent);
	assert_ptr_equal(c->parent, b);
	assert_false(iface_running(a));
	assert_false(iface_running(c));
	assert_int_equal(c->link, IFACE_LINK_DOWN);
	fixture_output(c, 1, 60);
	assert_drop(c, IF_DOWN, 1);
	net_iface_destroy(c, NULL);
	net_iface_destroy(a, NULL);
	assert_null(b->vlans);
}

/* A member of a bridge: the VLAN's frames are bridged untagged. */
static void
test_as_a_member(void **state)
{
	struct iface *v = fixture_iface_up(net, "port0.10");
	struct iface *other = fixture_iface_up(net, "port1");
	struct iface *br = fixture_iface_up(net, "bridge0");

	(void)state;
	assert_int_equal(bridge_add(br, v), 0);
	assert_int_equal(bridge_add(br, other), 0);
	in(parent, plain(10));
	assert_int_equal(mock_of(other)->sent.count, 1);
	in(other, plain(0));
	assert_int_equal(be16_get(out_bytes + 14), 10);
}

/* A VLAN of a bridge is the host's port there, and no member. */
static void
test_of_a_bridge(void **state)
{
	struct iface *br = fixture_iface_up(net, "bridge0");
	struct iface *br1 = fixture_iface_up(net, "bridge1");
	struct iface *v, *deep;
	struct frame *f;

	(void)state;
	assert_int_equal(bridge_add(br, parent), 0);
	bridge_set_vlan_flags(br, BRIDGE_VLANFILTER, 0);
	assert_int_equal(bridge_set_untagged(br, parent, 20), 0);
	v = fixture_iface_up(net, "bridge0.20");
	deep = fixture_iface_up(net, "bridge0.20.5");
	assert_true(ether_equal(v->mac, br->mac));
	v->host = &sink.host;
	/* Broadcast, and to its address. */
	f = plain(0);
	memset(f->data, 0xff, 6);
	in(parent, f);
	assert_int_equal(sink.host_frames, 1);
	assert_int_equal(sink.last_len, 60);
	f = plain(0);
	ether_copy(f->data, br->mac);
	in(parent, f);
	assert_int_equal(sink.host_frames, 2);
	/* Not what is for others. */
	in(parent, plain(0));
	assert_int_equal(sink.host_frames, 2);
	/* And out, as the port has it. */
	fixture_output(v, 1, 60);
	assert_int_equal(out_count, 1);
	assert_int_equal(out_len, 60);
	f = plain(0);
	memset(f->data, 0xff, 6);
	ether_copy(f->data + 6, br->mac);
	iface_host_input(
	    v, &(struct frame_batch){ .count = 1, .frames = { f } });
	assert_int_equal(out_count, 2);
	assert_int_equal(out_len, 60);
	assert_int_equal(bridge_add(br, v), -EINVAL);
	assert_int_equal(bridge_add(br1, v), -EINVAL);
	assert_int_equal(bridge_add(br1, deep), -EINVAL);
	v->host = NULL;
	net_iface_destroy(br, NULL);
	assert_null(v->parent);
	assert_int_equal(bridge_add(br1, v), 0);
}

/* To @mac in @vid (0: untagged) into the parent. */
static void
in_to(const uint8_t mac[6], const uint8_t src[6], uint32_t vid)
{
	struct frame *f = plain(0);

	ether_copy(f->data, mac);
	ether_copy(f->data + 6, src);
	if (vid != 0)
		f = frame_tag_put(f, ETH_TYPE_VLAN, (uint16_t)vid);
	in(parent, f);
}

/* An address that a VLAN of a bridge has for itself is the host's there, and
 * only there. */
static void
test_of_a_bridge_with_its_own_address(void **state)
{
	static const uint8_t own[6] = { 2, 0, 0, 0, 0, 0x20 };
	static const uint8_t inner[6] = { 2, 0, 0, 0, 0, 0x21 };
	static const uint8_t station[6] = { 2, 0, 0, 0, 0, 0x33 };
	struct iface *other = fixture_iface_up(net, "port1");
	struct iface *br = fixture_iface_up(net, "bridge0");
	struct iface *v, *deep;
	struct mock *flooded = mock_of(other);

	(void)state;
	assert_int_equal(bridge_add(br, parent), 0);
	assert_int_equal(bridge_add(br, other), 0);
	v = fixture_iface_up(net, "bridge0.20");
	deep = fixture_iface_up(net, "bridge0.20.5");
	v->host = &sink.host;
	in_to(own, station, 20); /* nobody's yet */
	assert_int_equal(sink.host_frames, 0);
	assert_seen(flooded->sent, 7);
	assert_int_equal(iface_set_lladdr(v, own), 0);
	in_to(own, station, 20);
	assert_int_equal(sink.host_frames, 1);
	assert_int_equal(sink.last_len, 60);
	assert_seen(flooded->sent, 0);
	/* The bridge's own address is the host's in every VLAN. */
	in_to(br->mac, station, 20);
	assert_int_equal(sink.host_frames, 2);
	in_to(own, station, 21);
	in_to(own, station, 0);
	assert_int_equal(sink.host_frames, 2);
	assert_int_equal(flooded->sent.count, 2);
	flooded->sent.count = 0;
	/* What it sent came back. */
	in_to(station, own, 20);
	assert_drop(parent, OWN_ADDRESS, 1);
	in_to(station, own, 21);
	assert_drop(parent, OWN_ADDRESS, 1);
	flooded->sent.count = 0;
	/* A VLAN in it. */
	assert_int_equal(iface_set_lladdr(deep, inner), 0);
	in_to(inner, station, 20);
	assert_int_equal(sink.host_frames, 3);
	assert_seen(flooded->sent, 0);
	/* More than there was room for at first; then none any more. */
	for (uint32_t i = 100; i < 300; i++) {
		const uint8_t mac[6] = { 2, 0, 0, 1, (uint8_t)(i >> 8),
			(uint8_t)i };
		char name[16];

		snprintf(name, sizeof(name), "bridge0.%u", i);
		assert_int_equal(
		    iface_set_lladdr(fixture_iface_up(net, name), mac), 0);
	}
	in_to(own, station, 20);
	assert_int_equal(sink.host_frames, 4);
	in_to((const uint8_t[]){ 2, 0, 0, 1, 1, 0x2b }, station, 299);
	assert_seen(flooded->sent, 0);
	v->host = NULL;
	net_iface_destroy(v, NULL);
	in_to(own, station, 20);
	in_to(inner, station, 20);
	assert_int_equal(flooded->sent.count, 2);
}

/* tcpdump on the parent sees the children's frames, with their tags. */
static void
test_promiscuous_parent_sees_the_tags(void **state)
{
	struct iface *v = fixture_iface_up(net, "port0.10");
	struct fixture_sink tcpdump;

	(void)state;
	fixture_sink_init(&tcpdump);
	parent->host = &tcpdump.host;
	tcpdump.host.promisc = true;
	assert_int_equal(iface_stack_attach(v, &sink.stack), 0);
	in(parent, plain(10));
	assert_int_equal(sink.frames, 1);
	assert_int_equal(sink.last_len, 60);
	assert_int_equal(tcpdump.host_frames, 1);
	assert_int_equal(tcpdump.last_len, 64);
	in(parent, plain(11)); /* the host's, once */
	assert_int_equal(tcpdump.host_frames, 2);
	fixture_output(v, 1, 60);
	assert_int_equal(out_count, 1);
	assert_int_equal(tcpdump.host_frames, 3);
	assert_int_equal(tcpdump.last_len, 64);
	tcpdump.host.promisc = false;
	in(parent, plain(10));
	fixture_output(v, 1, 60);
	assert_int_equal(tcpdump.host_frames, 3);
	iface_stack_detach(v);
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "port0.0", "port0.4095", "port0.",
		"port0.x", "port0.01", "port0.1x", "port9.5", "port0.1.",
		".5" };
	struct iface *v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    net_iface_create(net, NULL, bad[i], &v), -EINVAL);
	assert_int_equal(net_iface_create(net, NULL, "port0.4094", &v), 0);
	assert_int_equal(v->unit, IFACE_UNIT_NONE);
	assert_int_equal(
	    net_iface_create(net, NULL, "port0.4094", &v), -EEXIST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_takes_its_vlan_without_the_tag),
		TEST(test_shared_frames_are_copied),
		TEST(test_thousand_tags_and_cut_ones),
		TEST(test_a_full_batch_goes_on_whole),
		TEST(test_sends_with_the_tag),
		TEST(test_no_frame_is_a_drop),
		TEST(test_nested),
		TEST(test_nested_too_deep),
		TEST(test_follows_its_parent),
		TEST(test_words),
		TEST(test_parent_goes),
		TEST(test_as_a_member),
		TEST(test_of_a_bridge),
		TEST(test_of_a_bridge_with_its_own_address),
		TEST(test_promiscuous_parent_sees_the_tags),
		TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

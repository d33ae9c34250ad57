/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of a batch through an interface, its counters, and changes. */
#include <errno.h>

#include "frame/offload.h"
#include "net_fixture.h"

/* A kind that remembers what it was told and sends into nothing. */
struct probe {
	struct iface ifp;
	uint32_t sent, batches, changes;
	bool refuse_mtu, follow;
};

static int
probe_create(struct iface *ifp)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	memcpy(ifp->mac, mac, 6);
	ifp->mac[4] = (uint8_t)ifp->unit;
	/* Not told to anybody: it is not born yet. */
	iface_set_link(ifp, IFACE_LINK_DOWN);
	return 0;
}

static void
probe_destroy(struct iface *ifp)
{
	(void)ifp;
}

static void
probe_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct probe *p = (struct probe *)ifp;

	p->batches++;
	for (uint32_t i = 0; i < batch->count; i++) {
		iface_count_out(ifp, batch->frames[i]);
		frame_release(batch->frames[i]);
		p->sent++;
	}
}

static void
probe_changed(struct iface *ifp, uint32_t what)
{
	struct probe *p = (struct probe *)ifp;

	p->changes |= what;
	if (what & IFACE_CHANGED_FLAGS) {
		iface_set_running(ifp, (ifp->flags & IFACE_UP) != 0);
		if (p->follow)
			iface_set_link(ifp, ifp->flags & IFACE_UP
			                        ? IFACE_LINK_UP
			                        : IFACE_LINK_DOWN);
	}
}

static int
probe_mtu(struct iface *ifp, uint32_t mtu)
{
	(void)mtu;
	return ((struct probe *)ifp)->refuse_mtu ? -EIO : 0;
}

static const struct iface_ops probe_ops = {
	.kind = "probe",
	.about = "test",
	.kind_flags = IFACE_KIND_ETHERNET,
	.unit_max = 9,
	.mtu_default = 1500,
	.mtu_min = 100,
	.mtu_max = 9000,
	.size = sizeof(struct probe),
	.create = probe_create,
	.destroy = probe_destroy,
	.transmit = probe_transmit,
	.changed = probe_changed,
	.set_mtu = probe_mtu,
};
static const struct iface_ops wire_ops = {
	.kind = "wire",
	.about = "test: the host is the wire",
	.kind_flags = IFACE_KIND_ETHERNET | IFACE_KIND_HOST_IS_WIRE,
	.mtu_default = 1500,
	.mtu_max = 9000,
	.size = sizeof(struct probe),
	.create = probe_create,
	.destroy = probe_destroy,
	.transmit = probe_transmit,
	.changed = probe_changed,
};
static const struct iface_ops *const kinds[] = { &probe_ops, &wire_ops, NULL };

struct bench {
	struct net *net;
	struct iface *ifp;
	struct probe *p;
	struct fixture_sink sink;
	struct fixture_events ev;
};

static int
setup(void **state)
{
	static struct bench b;

	memset(&b, 0, sizeof(b));
	b.net = fixture_net(kinds, NULL, 512);
	b.ifp = fixture_iface_up(b.net, "probe0");
	b.p = (struct probe *)b.ifp;
	b.p->changes = 0;
	fixture_sink_init(&b.sink);
	fixture_subscribe(b.net, &b.ev);
	*state = &b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	fixture_pool_is_whole(b->net, 0);
	net_destroy(b->net);
	return 0;
}

static void
test_input_counts_and_goes_to_the_stack(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	fixture_batch(b->net, &batch, 3, 100);
	memset(batch.frames[1]->data, 0xff, 6);
	batch.frames[2]->data[0] = 0x33;
	iface_input(b->ifp, &batch);
	assert_int_equal(b->sink.frames, 3);
	assert_int_equal(b->sink.batches, 1);
	assert_int_equal(b->ifp->count.ipackets, 3);
	assert_int_equal(b->ifp->count.ibytes, 300);
	assert_int_equal(b->ifp->count.imcasts, 2);
	assert_int_equal(b->ifp->count.ierrors, 0);
	assert_int_equal(fixture_drops(b->ifp), 0);
}

/* 13 bytes are a runt, 14 are a frame; the others of the batch go on. */
static void
test_input_drops_runts(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	batch.count = 3;
	batch.frames[0] = fixture_frame(b->net, 13, 0);
	batch.frames[1] = fixture_frame(b->net, 14, 0);
	batch.frames[2] = fixture_frame(b->net, 0, 0);
	iface_input(b->ifp, &batch);
	assert_int_equal(b->sink.frames, 1);
	assert_int_equal(b->ifp->count.ipackets, 1);
	assert_int_equal(b->ifp->count.drops[DROP_RUNT], 2);
	assert_int_equal(b->ifp->count.ierrors, 2);
	/* The host is held to the same. */
	batch.count = 2;
	batch.frames[0] = fixture_frame(b->net, 13, 0);
	batch.frames[1] = fixture_frame(b->net, 14, 0);
	iface_host_input(b->ifp, &batch);
	assert_int_equal(b->ifp->count.drops[DROP_RUNT], 3);
	assert_int_equal(b->p->sent, 1);
}

static void
test_down_drops_both_ways(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	iface_set_flags(b->ifp, 0, IFACE_UP);
	fixture_batch(b->net, &batch, 5, 60);
	iface_input(b->ifp, &batch);
	assert_int_equal(b->ifp->count.drops[DROP_IF_DOWN_IN], 5);
	assert_int_equal(b->ifp->count.ierrors, 5);
	assert_int_equal(b->ifp->count.ipackets, 0);
	fixture_output(b->ifp, 4, 60);
	assert_int_equal(b->ifp->count.drops[DROP_IF_DOWN], 4);
	assert_int_equal(b->ifp->count.oerrors, 4);
	assert_int_equal(b->p->sent, 0);
	/* Up, but its driver is not ready. */
	iface_set_flags(b->ifp, IFACE_UP, 0);
	iface_set_running(b->ifp, false);
	fixture_output(b->ifp, 1, 60);
	assert_int_equal(b->ifp->count.drops[DROP_IF_DOWN], 5);
}

static void
test_without_user_frames_are_no_stack(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	fixture_batch(b->net, &batch, 2, 60);
	iface_input(b->ifp, &batch);
	assert_int_equal(b->ifp->count.drops[DROP_NO_STACK], 2);
	assert_int_equal(b->ifp->count.noproto, 2);
	assert_int_equal(b->ifp->count.ipackets, 2);
}

static void
test_host_gets_what_no_stack_takes(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	b->ifp->host = &b->sink.host;
	fixture_batch(b->net, &batch, 2, 60);
	iface_input(b->ifp, &batch);
	assert_int_equal(b->sink.host_frames, 2);
	b->sink.host.up = false;
	fixture_batch(b->net, &batch, 2, 60);
	iface_input(b->ifp, &batch);
	assert_int_equal(b->ifp->count.drops[DROP_HOST_DOWN], 2);
	b->ifp->host = NULL;
	fixture_batch(b->net, &batch, 1, 60);
	iface_host_deliver(b->ifp, &batch);
	assert_int_equal(b->ifp->count.drops[DROP_HOST_DOWN], 3);
}

/* Where the host is the wire, nothing from the wire goes back to it. */
static void
test_host_as_wire_enters_by_input(void **state)
{
	struct bench *b = *state;
	struct iface *w = fixture_iface_up(b->net, "wire0");
	struct frame_batch batch;

	w->host = &b->sink.host;
	fixture_batch(b->net, &batch, 2, 60);
	iface_host_input(w, &batch);
	assert_int_equal(w->count.ipackets, 2);
	assert_int_equal(w->count.drops[DROP_NO_STACK], 2);
	assert_int_equal(b->sink.host_frames, 0);
	w->host = NULL;
}

static void
host_output(struct iface_stack *s, struct iface *ifp, struct frame_batch *b)
{
	fixture_stack_input(s, ifp, b);
}

static void
test_host_output_goes_to_the_bridge_first(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	fixture_batch(b->net, &batch, 2, 60);
	iface_host_input(b->ifp, &batch);
	assert_int_equal(b->p->sent, 2);
	b->sink.stack.host_output = host_output;
	fixture_batch(b->net, &batch, 3, 60);
	iface_host_input(b->ifp, &batch);
	assert_int_equal(b->sink.frames, 3);
	assert_int_equal(b->p->sent, 2);
}

static void
test_monitor_counts_and_drops(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	iface_set_flags(b->ifp, IFACE_MONITOR, 0);
	fixture_batch(b->net, &batch, 2, 60);
	iface_input(b->ifp, &batch);
	assert_int_equal(b->ifp->count.ipackets, 2);
	assert_int_equal(b->ifp->count.drops[DROP_MONITOR], 2);
	assert_int_equal(b->sink.frames, 0);
}

static uint32_t seen_in, seen_out;

static void
capture(struct iface_capture *c, struct iface *ifp,
    const struct frame_batch *batch, bool out)
{
	(void)c;
	(void)ifp;
	if (out)
		seen_out += batch->count;
	else
		seen_in += batch->count;
}

static uint32_t dones;

static void
captured(struct iface_capture *c)
{
	(void)c;
	dones++;
}

static bool
vlan_input(struct iface *ifp, struct frame *f)
{
	(void)ifp;
	if (f->data[20] % 2 == 0)
		return false;
	frame_release(f);
	return true;
}

static uint32_t flushes;

static void
vlan_flush(struct iface *ifp)
{
	(void)ifp;
	flushes++;
}

static void
test_hooks_see_and_take(void **state)
{
	struct bench *b = *state;
	struct iface_vlans vlans = {
		.input = vlan_input,
		.flush = vlan_flush,
	};
	struct iface_capture look = { .frames = capture, .done = captured };
	struct frame_batch batch;

	seen_in = seen_out = flushes = dones = 0;
	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	b->ifp->capture = &look;
	b->ifp->vlans = &vlans;
	fixture_batch(b->net, &batch, 5, 60);
	iface_input(b->ifp, &batch);
	assert_int_equal(seen_in, 5);
	assert_int_equal(b->sink.frames, 3);
	assert_int_equal(flushes, 1);
	fixture_output(b->ifp, 4, 60);
	assert_int_equal(seen_out, 4);
	assert_int_equal(dones, 2);
	b->ifp->capture = NULL;
	b->ifp->vlans = NULL;
}

/* What the bench's stack user says: the groups that come in. */
static bool
host_gets(struct iface_stack *s, const struct iface *ifp, const struct frame *f,
    bool out)
{
	(void)s;
	(void)ifp;
	return !out && (f->data[0] & 1u) != 0;
}

/* tcpdump on a member: what its netdev does not have anyway, both ways. */
static void
test_promiscuous_host_is_shown_the_rest(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	b->sink.stack.host_gets = host_gets;
	b->ifp->host = &b->sink.host;
	fixture_batch(b->net, &batch, 1, 60);
	iface_input(b->ifp, &batch);
	assert_int_equal(b->sink.host_frames, 0);
	b->sink.host.promisc = true;
	fixture_batch(b->net, &batch, 3, 60);
	memcpy(batch.frames[0]->data, b->ifp->mac, 6);
	memset(batch.frames[1]->data, 0xff, 6);
	iface_input(b->ifp, &batch);
	assert_int_equal(b->sink.host_frames, 1);
	assert_int_equal(b->sink.frames, 4);
	fixture_batch(b->net, &batch, 3, 60);
	memcpy(batch.frames[0]->data + 6, b->ifp->mac, 6);
	memset(batch.frames[1]->data, 0xff, 6);
	iface_output(b->ifp, &batch);
	assert_int_equal(b->sink.host_frames, 3);
	assert_int_equal(b->p->sent, 3);
	b->ifp->host = NULL;
}

/* A stack user that says nothing: all is shown. */
static void
test_promiscuous_host_without_a_word_of_the_stack(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	b->ifp->host = &b->sink.host;
	b->sink.host.promisc = true;
	fixture_batch(b->net, &batch, 2, 60);
	memset(batch.frames[0]->data, 0xff, 6);
	iface_input(b->ifp, &batch);
	assert_int_equal(b->sink.host_frames, 2);
	b->ifp->host = NULL;
}

static void
test_output_counts_and_checks_mtu(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch;

	batch.count = 3;
	batch.frames[0] = fixture_frame(b->net, 1514, 1);
	batch.frames[1] = fixture_frame(b->net, 1515, 2);
	batch.frames[2] = fixture_frame(b->net, 60, 3);
	batch.frames[2]->data[0] |= 1;
	iface_output(b->ifp, &batch);
	assert_int_equal(b->p->sent, 2);
	assert_int_equal(b->ifp->count.opackets, 2);
	assert_int_equal(b->ifp->count.obytes, 1574);
	assert_int_equal(b->ifp->count.omcasts, 1);
	assert_int_equal(b->ifp->count.drops[DROP_MTU], 1);
	assert_int_equal(b->ifp->count.oerrors, 1);
}

/* A TCP super-frame of 45 segments, three in a batch: more segments than a
 * batch has room for. */
static struct frame *
super_frame(struct net *net)
{
	uint32_t payload = 45 * 1000;
	struct frame *f = frame_alloc(net->pool, 54 + payload);
	uint8_t *ip;

	assert_non_null(f);
	fixture_bytes(f->data, 54 + payload, 0);
	f->len = 54 + payload;
	f->data[12] = 8;
	f->data[13] = 0;
	ip = f->data + 14;
	ip[0] = 0x45;
	ip[2] = (uint8_t)((40 + payload) >> 8);
	ip[3] = (uint8_t)(40 + payload);
	ip[8] = 64;
	ip[9] = 6;
	ip[12] = ip[16] = 10;
	ip[32] = 5 << 4;
	f->off = (struct frame_offload){
		.flags = FRAME_CSUM_PARTIAL,
		.gso_type = FRAME_GSO_TCPV4,
		.hdr_len = 54,
		.gso_size = 1000,
		.csum_start = 34,
		.csum_offset = 16,
	};
	return f;
}

static void
test_output_segments_what_the_driver_cannot_take(void **state)
{
	struct bench *b = *state;
	struct frame_batch batch = { 0 };
	enum drop_reason why;

	for (uint32_t i = 0; i < 3; i++) {
		batch.frames[i] = super_frame(b->net);
		assert_int_equal(offload_check(batch.frames[i], &why), 0);
		batch.count++;
	}
	iface_output(b->ifp, &batch);
	assert_int_equal(b->p->sent, 135);
	assert_int_equal(b->p->batches, 3); /* 64 + 64 + 7 */
	assert_int_equal(b->ifp->count.obytes, 135 * 1054);
	assert_int_equal(fixture_drops(b->ifp), 0);

	/* A driver that takes offloads gets it whole. */
	iface_set_caps(b->ifp, OFFLOAD_ALL);
	batch.count = 1;
	batch.frames[0] = super_frame(b->net);
	assert_int_equal(offload_check(batch.frames[0], &why), 0);
	iface_output(b->ifp, &batch);
	assert_int_equal(b->p->sent, 136);
}

/* Every reason raises the BSD counter that its row names, and no other. */
static void
test_drop_reasons_raise_bsd_counters(void **state)
{
	struct bench *b = *state;
	struct iface_counters *c = &b->ifp->count;

	for (unsigned int why = 0; why < DROP_COUNT; why++) {
		enum drop_counter k = drop_info(why)->counter;

		memset(c, 0, sizeof(*c));
		iface_count_drop(b->ifp, why, 3);
		assert_int_equal(c->drops[why], 3);
		assert_int_equal(c->ierrors, k == DROP_COUNTS_IERR ? 3 : 0);
		assert_int_equal(c->oerrors, k == DROP_COUNTS_OERR ? 3 : 0);
		assert_int_equal(c->iqdrops, k == DROP_COUNTS_IQDROP ? 3 : 0);
		assert_int_equal(c->noproto, k == DROP_COUNTS_NOPROTO ? 3 : 0);
		assert_int_equal(fixture_drops(b->ifp), 3);
	}
	iface_count_drop(b->ifp, DROP_MTU, 0);
	assert_int_equal(fixture_drops(b->ifp), 3);
}

static void
test_drop_events_are_rate_limited(void **state)
{
	struct bench *b = *state;

	iface_count_drop(b->ifp, DROP_MTU, 1);
	assert_int_equal(b->ev.count[NET_EVENT_DROPS], 1);
	assert_int_equal(b->ev.last.what, DROP_MTU);
	assert_int_equal(b->ev.last.value, 1);
	assert_ptr_equal(b->ev.last.ifp, b->ifp);
	iface_count_drop(b->ifp, DROP_MTU, 1);
	assert_int_equal(b->ev.count[NET_EVENT_DROPS], 1);
	iface_count_drop(b->ifp, DROP_RUNT, 1);
	assert_int_equal(b->ev.count[NET_EVENT_DROPS], 2);
	b->net->now_ns += 999999999;
	iface_count_drop(b->ifp, DROP_MTU, 1);
	assert_int_equal(b->ev.count[NET_EVENT_DROPS], 2);
	b->net->now_ns += 1;
	iface_count_drop(b->ifp, DROP_MTU, 5);
	assert_int_equal(b->ev.count[NET_EVENT_DROPS], 3);
	assert_int_equal(b->ev.last.value, 8);
}

static void
test_changes_are_told_once_and_together(void **state)
{
	struct bench *b = *state;

	iface_set_flags(b->ifp, 0, IFACE_UP);
	assert_false(b->ifp->flags & IFACE_RUNNING);
	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	b->ifp->host = &b->sink.host;
	b->p->follow = true;
	b->sink.changes = 0;
	memset(b->ev.count, 0, sizeof(b->ev.count));
	net_set_cause(b->net, "uid 7");
	iface_set_flags(b->ifp, IFACE_UP, 0);
	assert_int_equal(
	    b->sink.changes, IFACE_CHANGED_FLAGS | IFACE_CHANGED_LINK);
	assert_int_equal(
	    b->sink.host_changes, IFACE_CHANGED_FLAGS | IFACE_CHANGED_LINK);
	assert_int_equal(b->ev.count[NET_EVENT_CHANGE], 1);
	assert_int_equal(b->ev.count[NET_EVENT_LINK], 1);
	assert_string_equal(b->ev.cause, "uid 7");
	assert_true(iface_running(b->ifp));
	assert_true(b->ifp->flags & IFACE_LOWER_UP);
	/* Nothing new: nobody is told. */
	iface_set_flags(b->ifp, IFACE_UP, 0);
	iface_set_link(b->ifp, IFACE_LINK_UP);
	iface_set_running(b->ifp, true);
	assert_int_equal(b->ev.count[NET_EVENT_CHANGE], 1);
	assert_int_equal(b->ev.count[NET_EVENT_LINK], 1);
	/* By the driver, later. */
	b->net->now_ns += 5;
	iface_set_link(b->ifp, IFACE_LINK_DOWN);
	assert_int_equal(b->ev.count[NET_EVENT_LINK], 2);
	assert_int_equal(b->ifp->link_changed_ns, b->net->now_ns);
	assert_false(b->ifp->flags & IFACE_LOWER_UP);
	b->ifp->host = NULL;
}

static void
test_mtu_is_checked_by_kind_stack_and_driver(void **state)
{
	struct bench *b = *state;

	assert_int_equal(iface_set_mtu(b->ifp, 99), -EINVAL);
	assert_int_equal(iface_set_mtu(b->ifp, 9001), -EINVAL);
	assert_int_equal(iface_set_mtu(b->ifp, 9000), 0);
	assert_int_equal(b->ifp->mtu, 9000);
	assert_true(b->p->changes & IFACE_CHANGED_MTU);
	b->p->refuse_mtu = true;
	assert_int_equal(iface_set_mtu(b->ifp, 1400), -EIO);
	b->p->refuse_mtu = false;
	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	b->sink.mtu_answer = -EOPNOTSUPP;
	assert_int_equal(iface_set_mtu(b->ifp, 9000), -EOPNOTSUPP);
	assert_int_equal(iface_set_mtu(b->ifp, 1400), -EOPNOTSUPP);
	assert_int_equal(b->ifp->mtu, 9000);
	assert_int_equal(iface_set_mtu_forced(b->ifp, 1400), 0);
	assert_int_equal(b->ifp->mtu, 1400);
	assert_true(b->sink.changes & IFACE_CHANGED_MTU);
}

static void
test_lladdr_refuses_groups_and_zero(void **state)
{
	struct bench *b = *state;
	uint8_t group[6] = { 1 }, zero[6] = { 0 }, good[6] = { 2, 9 };

	assert_int_equal(iface_set_lladdr(b->ifp, group), -EINVAL);
	assert_int_equal(iface_set_lladdr(b->ifp, zero), -EINVAL);
	assert_int_equal(b->ifp->mac[1], 0);
	assert_int_equal(iface_set_lladdr(b->ifp, good), 0);
	assert_memory_equal(b->ifp->mac, good, 6);
	assert_true(b->p->changes & IFACE_CHANGED_LLADDR);
}

static void
test_groups_and_description(void **state)
{
	struct bench *b = *state;
	char text[80], name[16];

	assert_true(iface_group_has(b->ifp, "probe"));
	assert_true(iface_group_has(b->ifp, "all"));
	assert_false(iface_group_has(b->ifp, "lab"));
	assert_int_equal(iface_group_add(b->ifp, "lab"), 0);
	assert_int_equal(iface_group_add(b->ifp, "lab"), -EEXIST);
	assert_int_equal(iface_group_add(b->ifp, "all"), -EEXIST);
	assert_int_equal(iface_group_add(b->ifp, ""), -EINVAL);
	assert_int_equal(iface_group_add(b->ifp, "lab1"), -EINVAL);
	assert_int_equal(iface_group_add(b->ifp, "sixteen-letters-"), -EINVAL);
	assert_int_equal(iface_group_del(b->ifp, "probe"), 0);
	assert_int_equal(iface_group_del(b->ifp, "probe"), -ENOENT);
	assert_true(iface_group_has(b->ifp, "lab"));
	for (char c = 'a'; b->ifp->group_count < IFACE_GROUPS_MAX; c++) {
		snprintf(name, sizeof(name), "g%c", c);
		assert_int_equal(iface_group_add(b->ifp, name), 0);
	}
	assert_int_equal(iface_group_add(b->ifp, "more"), -ENOMEM);

	memset(text, 'x', sizeof(text));
	text[64] = '\0';
	assert_int_equal(iface_set_descr(b->ifp, text), -ENAMETOOLONG);
	text[63] = '\0';
	assert_int_equal(iface_set_descr(b->ifp, text), 0);
	assert_string_equal(b->ifp->descr, text);
	assert_int_equal(iface_set_descr(b->ifp, ""), 0);
}

static void
test_stack_side_has_one_user(void **state)
{
	struct bench *b = *state;
	struct fixture_sink other;

	fixture_sink_init(&other);
	assert_int_equal(iface_stack_attach(b->ifp, &b->sink.stack), 0);
	assert_int_equal(iface_stack_attach(b->ifp, &other.stack), -EBUSY);
	iface_stack_detach(b->ifp);
	iface_stack_detach(b->ifp);
	assert_int_equal(iface_stack_attach(b->ifp, &other.stack), 0);
	assert_int_equal(net_iface_destroy(b->ifp, NULL), 0);
	assert_int_equal(other.detached, 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_input_counts_and_goes_to_the_stack),
		T(test_input_drops_runts),
		T(test_down_drops_both_ways),
		T(test_without_user_frames_are_no_stack),
		T(test_host_gets_what_no_stack_takes),
		T(test_host_as_wire_enters_by_input),
		T(test_host_output_goes_to_the_bridge_first),
		T(test_monitor_counts_and_drops),
		T(test_hooks_see_and_take),
		T(test_promiscuous_host_is_shown_the_rest),
		T(test_promiscuous_host_without_a_word_of_the_stack),
		T(test_output_counts_and_checks_mtu),
		T(test_output_segments_what_the_driver_cannot_take),
		T(test_drop_reasons_raise_bsd_counters),
		T(test_drop_events_are_rate_limited),
		T(test_changes_are_told_once_and_together),
		T(test_mtu_is_checked_by_kind_stack_and_driver),
		T(test_lladdr_refuses_groups_and_zero),
		T(test_groups_and_description),
		T(test_stack_side_has_one_user),
	};

	return cmocka_run_group_tests_name("net_iface", tests, NULL, NULL);
}

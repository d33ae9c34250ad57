/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLANs on a bridge: a test for each numbered rule of bridge/vlan_rules.h, and
 * random bridges and frames against the rules written down a second time,
 * plainly.
 */
#include "base/prng.h"
#include "bridge_fixture.h"
#include "frame/tag.h"

#define PORTS 4

static struct lab l;

/* The last frame that went out of each port. */
static struct {
	uint32_t count, len;
	uint8_t bytes[128];
	struct frame_offload off;
} sent[PORTS];

static struct {
	uint32_t count, len;
	uint8_t bytes[128];
} heard;

static void
capture(struct iface_capture *c, struct iface *ifp,
    const struct frame_batch *batch, bool out)
{
	(void)c;
	for (uint32_t p = 0; out && p < PORTS; p++) {
		if (l.p[p] != ifp || batch->count == 0)
			continue;
		const struct frame *f = batch->frames[batch->count - 1];

		sent[p].count += batch->count;
		sent[p].len = f->len;
		sent[p].off = f->off;
		memcpy(sent[p].bytes, f->data, f->len < 128 ? f->len : 128);
	}
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

static void
hear(struct iface_host *h, struct iface *ifp, struct frame_batch *batch)
{
	const struct frame *f = batch->frames[batch->count - 1];

	heard.count += batch->count;
	heard.len = f->len;
	memcpy(heard.bytes, f->data, f->len < 128 ? f->len : 128);
	(void)h;
	(void)ifp;
	for (uint32_t i = 0; i < batch->count; i++)
		frame_release(batch->frames[i]);
}

static int
setup(void **state)
{
	(void)state;
	lab_init(&l, PORTS);
	memset(sent, 0, sizeof(sent));
	memset(&heard, 0, sizeof(heard));
	for (uint32_t i = 0; i < PORTS; i++)
		l.p[i]->capture = &look;
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
untagged(uint32_t i, uint32_t vid)
{
	assert_int_equal(bridge_set_untagged(l.br, l.p[i], vid), 0);
}

static void
tagged(uint32_t i, const char *text)
{
	struct vlan_set set;

	assert_int_equal(vlan_set_parse(text, &set), 0);
	assert_int_equal(
	    bridge_set_tagged(l.br, l.p[i], &set, BRIDGE_VLAN_SET), 0);
}

static void
filter(bool on)
{
	if (on)
		bridge_set_vlan_flags(l.br, BRIDGE_VLANFILTER, 0);
	else
		bridge_set_vlan_flags(l.br, 0, BRIDGE_VLANFILTER);
}

/* A tag as it stands in a frame. */
struct tag {
	uint16_t tpid, tci;
};

/* A frame of 60 bytes and its tags; in @out, and its length. */
static uint32_t
build(uint8_t *out, uint64_t dst, uint64_t src, const struct tag *tags,
    uint32_t count)
{
	uint32_t len = 12;

	memset(out, 0x5a, 128);
	u64_to_mac(dst, out);
	u64_to_mac(src, out + 6);
	for (uint32_t i = 0; i < count; i++) {
		be16_put(out + len, tags[i].tpid);
		be16_put(out + len + 2, tags[i].tci);
		len += 4;
	}
	be16_put(out + len, 0x88b5);
	return 60 + 4 * count;
}

static struct frame *
made(uint64_t dst, uint64_t src, const struct tag *tags, uint32_t count)
{
	uint8_t bytes[128];
	uint32_t len = build(bytes, dst, src, tags, count);
	struct frame *f = frame_alloc(l.net->pool, len);

	assert_non_null(f);
	memcpy(f->data, bytes, len);
	f->len = len;
	return f;
}

static void
in_tags(uint32_t i, uint64_t dst, uint64_t src, const struct tag *tags,
    uint32_t count)
{
	struct frame_batch b = {
		.count = 1,
		.frames = { made(dst, src, tags, count) },
	};

	for (uint32_t p = 0; p < PORTS; p++) {
		sent[p].count = 0;
		mock_of(l.p[p])->sent.count = 0;
	}
	heard.count = 0;
	iface_input(l.p[i], &b);
}

static void
in(uint32_t i, uint64_t dst, uint64_t src, uint16_t tpid, uint16_t tci)
{
	in_tags(i, dst, src, &(struct tag){ tpid, tci }, tpid != 0);
}

/* What went out of a port: nothing, or with this outer tag (0: none). */
static void
assert_out(uint32_t i, uint16_t tpid, uint16_t tci)
{
	assert_int_equal(sent[i].count, 1);
	assert_int_equal(be16_get(sent[i].bytes + 12), tpid ? tpid : 0x88b5);
	if (tpid != 0)
		assert_int_equal(be16_get(sent[i].bytes + 14), tci);
	assert_int_equal(sent[i].len, 60u + (tpid != 0 ? 4 : 0));
}

#define assert_none(i) assert_int_equal(sent[i].count, 0)

/* V1 */
static void
test_no_setting_no_work(void **state)
{
	(void)state;
	assert_false(lab_bridge(&l)->vlan_work);
	in(0, BROADCAST, station(1), ETH_TYPE_QINQ, 0x2005);
	assert_out(1, ETH_TYPE_QINQ, 0x2005);
	untagged(0, 5);
	assert_true(lab_bridge(&l)->vlan_work);
	untagged(0, 0);
	assert_false(lab_bridge(&l)->vlan_work);
	bridge_set_vlan_proto(l.br, l.p[3], ETH_TYPE_QINQ);
	assert_true(lab_bridge(&l)->vlan_work);
	bridge_delete(l.br, l.p[3]);
	assert_false(lab_bridge(&l)->vlan_work);
	filter(true);
	assert_true(lab_bridge(&l)->vlan_work);
}

static void
test_bad_tags_never_enter(void **state)
{
	struct frame *cut;
	struct frame_batch b = { .count = 1 };

	(void)state;
	for (int on = 0; on < 2; on++) {
		filter(on != 0);
		for (uint32_t i = 0; i < PORTS; i++)
			tagged(i, "all");
		in(0, BROADCAST, station(1), ETH_TYPE_VLAN, 4095);
		assert_none(1);
		cut = made(BROADCAST, station(1),
		    &(struct tag){ ETH_TYPE_VLAN, 5 }, 1);
		cut->len = 17;
		b.frames[0] = cut;
		iface_input(l.p[0], &b);
		assert_none(1);
		b.count = 1;
	}
	assert_drop(l.br, VLAN_BAD, 4);
	assert_int_equal(l.br->count.ierrors, 4);
}

/* A thousand tags: the outer one counts, nobody walks along the others. And
 * tags that are cut off anywhere. */
static void
test_hostile_tags(void **state)
{
	enum {
		TAGS = 1000,
		LEN = 12 + 4 * TAGS + 2
	};
	static const struct {
		bool filter, qinq;
		uint32_t outs; /* of port 1, for a whole frame */
	} rows[] = { { false, false, 1 }, { true, false, 0 },
		{ true, true, 1 } };
	struct frame_batch b = { .count = 1 };
	struct frame *f;

	(void)state;
	untagged(0, 7);
	assert_int_equal(iface_set_mtu(l.br, 9000), 0);
	untagged(2, 5); /* there it is taken out */
	for (uint32_t i = 0; i < PORTS; i++)
		tagged(i, "5");
	bridge_set_vlan_proto(l.br, l.p[1], ETH_TYPE_QINQ);
	for (uint32_t r = 0; r < ARRAY_LEN(rows); r++) {
		filter(rows[r].filter);
		bridge_set_member_flags(l.br, l.p[0],
		    rows[r].qinq ? BRIDGE_QINQ : 0,
		    rows[r].qinq ? 0 : BRIDGE_QINQ);
		for (uint32_t len = ETH_HDR_LEN; len <= LEN;
		     len += len < 64    ? 1
		            : len < LEN ? LEN - len
		                        : 1) {
			memset(sent, 0, sizeof(sent));
			f = frame_alloc(l.net->pool, LEN);
			assert_non_null(f);
			u64_to_mac(BROADCAST, f->data);
			u64_to_mac(station(1), f->data + 6);
			for (uint32_t k = 0; k < TAGS; k++)
				be32_put(f->data + 12 + 4 * k, 0x81000005);
			be16_put(f->data + LEN - 2, 0x88b5);
			f->len = len;
			b.count = 1;
			b.frames[0] = f;
			iface_input(l.p[0], &b);
			assert_int_equal(
			    sent[1].count, len < 18 ? 0 : rows[r].outs);
			if (sent[1].count == 0)
				continue;
			assert_int_equal(sent[1].len, len);
			assert_int_equal(
			    be32_get(sent[1].bytes + 12), 0x88a80005);
			assert_int_equal(sent[2].len, len - 4);
		}
	}
}

/* V3 */
static void
test_filter_lets_in_what_is_allowed(void **state)
{
	(void)state;
	filter(true);
	tagged(1, "all");
	in(0, BROADCAST, station(1), 0, 0); /* no PVID */
	assert_none(1);
	in(0, BROADCAST, station(1), ETH_TYPE_VLAN, 20); /* not in the set */
	assert_none(1);
	untagged(0, 20);
	in(0, BROADCAST, station(1), 0, 0);
	assert_out(1, ETH_TYPE_VLAN, 20);
	/* The PVID, tagged: only if it is in the set too. */
	in(0, BROADCAST, station(1), ETH_TYPE_VLAN, 20);
	assert_none(1);
	tagged(0, "20");
	in(0, BROADCAST, station(1), ETH_TYPE_VLAN, 20);
	assert_out(1, ETH_TYPE_VLAN, 20);
	assert_drop(l.br, VLAN_INGRESS, 3);
	assert_int_equal(l.br->count.ierrors, 3);
	/* What was refused was not learned. */
	in(0, BROADCAST, station(9), ETH_TYPE_VLAN, 30);
	assert_int_equal(lab_lookup(&l, station(9), 30), FDB_NONE);
	assert_int_equal(lab_lookup(&l, station(1), 20), 1);
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
}

static void
test_two_tags_need_qinq(void **state)
{
	static const struct tag two[] = { { ETH_TYPE_QINQ, 5 },
		{ ETH_TYPE_VLAN, 10 } };
	static const struct tag priority[] = { { ETH_TYPE_VLAN, 0xe000 },
		{ ETH_TYPE_QINQ, 10 } };

	(void)state;
	filter(true);
	tagged(0, "5");
	tagged(1, "5");
	untagged(0, 5);
	in_tags(0, BROADCAST, station(1), two, 2);
	assert_none(1);
	in_tags(0, BROADCAST, station(1), priority, 2);
	assert_none(1);
	bridge_set_member_flags(l.br, l.p[0], BRIDGE_QINQ, 0);
	in_tags(0, BROADCAST, station(1), two, 2);
	assert_int_equal(sent[1].count, 1);
	assert_int_equal(be16_get(sent[1].bytes + 12), ETH_TYPE_VLAN);
	assert_int_equal(be16_get(sent[1].bytes + 14), 5);
	assert_int_equal(be16_get(sent[1].bytes + 16), ETH_TYPE_VLAN);
	assert_int_equal(be16_get(sent[1].bytes + 18), 10);
	/* Only on the port where it enters. */
	bridge_set_vlan_proto(l.br, l.p[1], ETH_TYPE_QINQ);
	in_tags(0, BROADCAST, station(1), two, 2);
	assert_int_equal(be16_get(sent[1].bytes + 12), ETH_TYPE_QINQ);
	/* Filter off: a second tag is nobody's business. */
	bridge_set_member_flags(l.br, l.p[0], 0, BRIDGE_QINQ);
	filter(false);
	in_tags(0, BROADCAST, station(1), two, 2);
	assert_int_equal(sent[1].count, 1);
}

/* V4, V6 with the filter off: different PVIDs do not understand each other. */
static void
test_pvid_without_filter(void **state)
{
	(void)state;
	untagged(0, 20);
	untagged(1, 30);
	untagged(2, 20);
	in(0, BROADCAST, station(1), 0, 0);
	assert_out(1, ETH_TYPE_VLAN, 20);
	assert_out(2, 0, 0);
	assert_out(3, ETH_TYPE_VLAN, 20);
	/* Back, from where it is tagged. */
	in(3, station(1), station(2), ETH_TYPE_VLAN, 0x6014);
	assert_out(0, 0, 0);
	assert_none(1);
	/* Priority-tagged is untagged, and keeps its priority. */
	in(0, BROADCAST, station(1), ETH_TYPE_VLAN, 0xa000);
	assert_out(3, ETH_TYPE_VLAN, 0xa014);
	assert_out(2, 0, 0);
	/* Without a PVID it stays as it is. */
	in(3, GROUP, station(3), ETH_TYPE_VLAN, 0xa000);
	assert_out(0, ETH_TYPE_VLAN, 0xa000);
}

/* V5 */
static void
test_filter_lets_out_what_is_allowed(void **state)
{
	(void)state;
	filter(true);
	untagged(0, 20);
	untagged(1, 20);
	tagged(2, "20");
	tagged(3, "21-4094");
	in(0, BROADCAST, station(1), 0, 0);
	assert_out(1, 0, 0);
	assert_out(2, ETH_TYPE_VLAN, 20);
	assert_none(3);
	/* Known, but the VLAN has gone from its port. */
	fdb_set_static(&lab_bridge(&l)->fdb, fdb_key_u64(station(2), 20),
	    port(3)->number, 1);
	in(0, station(2), station(1), 0, 0);
	assert_none(3);
	assert_drop(l.p[0], VLAN_EGRESS, 1);
	assert_int_equal(l.p[0]->count.oerrors, 0);
}

static void
test_changed_vlans_forget_addresses(void **state)
{
	(void)state;
	untagged(0, 20);
	in(0, BROADCAST, station(1), 0, 0);
	assert_int_equal(lab_lookup(&l, station(1), 20), 1);
	untagged(0, 20);
	assert_int_equal(lab_lookup(&l, station(1), 20), 1);
	untagged(0, 21);
	assert_int_equal(lab_lookup(&l, station(1), 20), FDB_NONE);
}

/* V2: BPDUs and their like have no VLAN. */
static void
test_link_groups_pass_the_filter(void **state)
{
	(void)state;
	filter(true);
	tagged(0, "5");
	untagged(1, 5);
	in(0, 0x0180c2000000u, station(1), 0, 0);
	assert_drop(l.p[0], BPDU, 1);
	in(1, 0x0180c2000000u, station(1), 0, 0);
	assert_drop(l.p[1], BPDU, 1);
	host_give(l.br, &l.br_host, l.net->home);
	l.br_host.host.deliver = hear;
	in(1, 0x0180c200000eu, station(1), 0, 0); /* LLDP: as it came */
	assert_int_equal(heard.count, 1);
	assert_int_equal(be16_get(heard.bytes + 12), 0x88b5);
	assert_int_equal(l.br->count.drops[DROP_VLAN_INGRESS], 0);
}

static void
test_groups_forwarded_where_both_ports_say_so(void **state)
{
	(void)state;
	for (int on = 0; on < 2; on++) {
		filter(on != 0);
		in(0, 0x0180c2000002u, station(1), 0, 0);
		assert_none(1);
		bridge_set_group_fwd(l.br, l.p[0], 2, BRIDGE_GROUP_FORWARD);
		in(0, 0x0180c2000002u, station(1), 0, 0);
		assert_none(1);
		bridge_set_group_fwd(l.br, l.p[1], 2, BRIDGE_GROUP_FORWARD);
		in(0, 0x0180c2000002u, station(1), 0, 0);
		assert_out(1, 0, 0);
		assert_none(2);
		in(0, 0x0180c2000003u, station(1), 0, 0);
		assert_none(1);
		bridge_set_group_fwd(l.br, l.p[0], 2, BRIDGE_GROUP_PEER);
		bridge_set_group_fwd(l.br, l.p[1], 2, BRIDGE_GROUP_PEER);
	}
	/* Spanning tree's own can be carried or dropped as well. */
	bridge_set_group_fwd(l.br, l.p[0], 0, BRIDGE_GROUP_FORWARD);
	bridge_set_group_fwd(l.br, l.p[3], 0, BRIDGE_GROUP_FORWARD);
	in(0, 0x0180c2000000u, station(1), 0, 0);
	assert_out(3, 0, 0);
	assert_none(1);
	bridge_set_group_fwd(l.br, l.p[0], 15, BRIDGE_GROUP_DROP);
	in(0, 0x0180c200000fu, station(1), 0, 0);
	assert_true(l.p[0]->count.drops[DROP_RESERVED] > 0);
	assert_int_equal(bridge_set_group_fwd(l.br, l.p[0], 16, 0), -EINVAL);
	assert_int_equal(bridge_set_group_fwd(l.br, l.p[0], 1, 3), -EINVAL);
}

/* What goes to a span port has a tag that is one, and passes the filter. */
static void
test_span_gets_tags(void **state)
{
	(void)state;
	bridge_delete(l.br, l.p[3]);
	bridge_span_add(l.br, l.p[3]);
	filter(true);
	untagged(0, 20);
	in(0, BROADCAST, station(1), 0, 0);
	assert_out(3, ETH_TYPE_VLAN, 20);
	assert_none(1);
	bridge_set_vlan_proto(l.br, l.p[0], ETH_TYPE_QINQ);
	in(0, BROADCAST, station(1), 0, 0);
	assert_out(3, ETH_TYPE_QINQ, 20);
	in(0, BROADCAST, station(1), ETH_TYPE_VLAN, 7); /* refused */
	assert_none(3);
}

/* A member's host is where its wire is. */
static void
test_member_hosts_are_in_their_ports_vlans(void **state)
{
	struct frame_batch b = { .count = 1 };

	(void)state;
	host_give(l.p[1], mock_of(l.p[1]), l.net->home);
	mock_of(l.p[1])->host.deliver = hear;
	filter(true);
	untagged(0, 20);
	untagged(1, 30);
	untagged(2, 30);
	in(0, BROADCAST, station(1), 0, 0);
	assert_int_equal(heard.count, 0);
	in(0, mac_to_u64(l.p[1]->mac), station(1), 0, 0);
	assert_int_equal(heard.count, 0);
	assert_drop(l.p[0], VLAN_EGRESS, 1);
	in(2, BROADCAST, station(1), 0, 0);
	assert_int_equal(heard.count, 1);
	assert_int_equal(be16_get(heard.bytes + 12), 0x88b5);
	in(1, mac_to_u64(l.p[1]->mac), station(3), 0, 0); /* by its own wire */
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.len, 60);
	/* And what it sends. */
	b.frames[0] = made(BROADCAST, mac_to_u64(l.p[1]->mac), NULL, 0);
	for (uint32_t i = 0; i < PORTS; i++)
		sent[i].count = 0;
	iface_host_input(l.p[1], &b);
	assert_out(1, 0, 0);
	assert_out(2, 0, 0);
	assert_none(0);
}

/* The bridge's own host is untagged, and so in no VLAN that is filtered. */
static void
test_bridge_host_and_the_filter(void **state)
{
	struct frame_batch b = { .count = 1 };

	(void)state;
	host_give(l.br, &l.br_host, l.net->home);
	l.br_host.host.deliver = hear;
	filter(true);
	untagged(0, 20);
	b.frames[0] = made(BROADCAST, mac_to_u64(l.br->mac), NULL, 0);
	iface_host_input(l.br, &b);
	assert_none(0);
	b.frames[0] = made(BROADCAST, mac_to_u64(l.br->mac),
	    &(struct tag){ ETH_TYPE_VLAN, 20 }, 1);
	b.count = 1;
	iface_host_input(l.br, &b);
	assert_out(0, 0, 0);
	/* It hears the VLAN as a tag. */
	in(0, BROADCAST, station(1), 0, 0);
	assert_int_equal(heard.count, 1);
	assert_int_equal(be16_get(heard.bytes + 12), ETH_TYPE_VLAN);
	assert_int_equal(be16_get(heard.bytes + 14), 20);
	in(0, mac_to_u64(l.br->mac), station(1), 0, 0);
	assert_int_equal(heard.count, 1);
	assert_int_equal(be16_get(heard.bytes + 14), 20);
}

/* One copy a form, however many ports want it. */
static void
test_flood_makes_each_form_once(void **state)
{
	(void)state;
	untagged(0, 20);
	in(0, BROADCAST, station(1), 0, 0);
	assert_int_equal(l.net->pool->small.fresh, 2);
	bridge_set_vlan_proto(l.br, l.p[3], ETH_TYPE_QINQ);
	in(0, BROADCAST, station(1), 0, 0);
	assert_int_equal(l.net->pool->small.fresh, 3);
	/* A frame of one reader is changed in place. */
	in(3, BROADCAST, station(2), ETH_TYPE_VLAN, 20);
	in(0, station(2), station(1), 0, 0);
	assert_out(3, ETH_TYPE_QINQ, 20);
	assert_int_equal(l.net->pool->small.fresh, 3);
}

static void
test_no_frame_for_a_form_is_a_drop(void **state)
{
	struct frame *held = NULL, *f;
	struct frame_batch b = { .count = 1 };

	(void)state;
	untagged(1, 20);
	b.frames[0] =
	    made(BROADCAST, station(1), &(struct tag){ ETH_TYPE_VLAN, 20 }, 1);
	while ((f = frame_alloc(l.net->pool, 64)) != NULL) {
		f->next = held;
		held = f;
	}
	iface_input(l.p[0], &b);
	while ((f = held) != NULL) {
		held = f->next;
		frame_release(f);
	}
	assert_none(1);
	assert_drop(l.p[1], NO_FRAME, 1);
	assert_out(2, ETH_TYPE_VLAN, 20);
}

/* A partial checksum's place moves with the tag. */
static void
test_offload_record_follows(void **state)
{
	struct frame_batch b = { .count = 1 };
	struct frame *f = made(BROADCAST, station(1), NULL, 0);

	(void)state;
	f->off = (struct frame_offload){
		.flags = FRAME_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 16,
		.hdr_len = 54,
	};
	untagged(0, 20);
	b.frames[0] = f;
	iface_input(l.p[0], &b);
	assert_out(1, ETH_TYPE_VLAN, 20);
	assert_int_equal(sent[1].off.csum_start, 38);
	assert_int_equal(sent[1].off.hdr_len, 58);
	assert_int_equal(sent[1].off.csum_offset, 16);
}

static void
test_promiscuous_bridge_host_sees_the_vlan(void **state)
{
	(void)state;
	host_give(l.br, &l.br_host, l.net->home);
	l.br_host.host.deliver = hear;
	l.br_host.host.promisc = true;
	untagged(0, 20);
	untagged(1, 20);
	in(1, BROADCAST, station(2), 0, 0);
	in(0, station(2), station(1), 0, 0);
	assert_out(1, 0, 0);
	assert_int_equal(heard.count, 1);
	assert_int_equal(be16_get(heard.bytes + 14), 20);
}

/* The rules, once more. */

struct model_port {
	uint32_t pvid;
	bool in_set[4]; /* of vids[] */
	bool qinq;
	uint16_t proto;
};

static const uint16_t vids[] = { 1, 2, 100, 4094 };

static uint32_t
vid_index(uint32_t vid)
{
	for (uint32_t i = 0; i < 4; i++)
		if (vids[i] == vid)
			return i;
	return 4;
}

static bool
in_set(const struct model_port *p, uint32_t vid)
{
	return vid_index(vid) < 4 && p->in_set[vid_index(vid)];
}

/* The VLAN, or -1: refused. */
static int
model_enter(
    const struct model_port *p, bool on, const struct tag *tags, uint32_t count)
{
	uint32_t vid = count > 0 ? tags[0].tci & 0xfff : 0;

	if (vid == 4095)
		return -1;
	if (!on)
		return (int)(vid == 0 ? p->pvid : vid);
	if (count > 1 && !p->qinq)
		return -1;
	if (vid == 0)
		return p->pvid == 0 ? -1 : (int)p->pvid;
	return in_set(p, vid) ? (int)vid : -1;
}

/* The frame as it leaves, or 0. */
static uint32_t
model_leave(const struct model_port *p, bool on, uint32_t vid, uint64_t dst,
    uint64_t src, const struct tag *tags, uint32_t count, uint8_t *out)
{
	struct tag now[3];
	uint32_t n = 0, i = 0;

	if (on && vid != p->pvid && !in_set(p, vid))
		return 0;
	/* Where nothing is set, nothing is changed. */
	if (vid == 0 || !lab_bridge(&l)->vlan_work)
		return build(out, dst, src, tags, count);
	if (vid != p->pvid) {
		now[n].tpid = p->proto;
		now[n++].tci =
		    (uint16_t)(vid | (count > 0 ? tags[0].tci & 0xf000 : 0));
	}
	for (i = 1; i < count; i++)
		now[n++] = tags[i];
	return build(out, dst, src, now, n);
}

static void
model_configure(struct model_port *m, struct prng *g)
{
	for (uint32_t i = 0; i < PORTS; i++) {
		struct vlan_set set = { { 0 } };

		m[i].pvid = prng_chance(g, 1, 2) ? vids[prng_u64(g) % 4] : 0;
		m[i].qinq = prng_chance(g, 1, 2);
		m[i].proto =
		    prng_chance(g, 1, 3) ? ETH_TYPE_QINQ : ETH_TYPE_VLAN;
		for (uint32_t k = 0; k < 4; k++) {
			m[i].in_set[k] = prng_chance(g, 1, 2);
			if (m[i].in_set[k])
				set.words[vids[k] / 64] |= UINT64_C(1)
				                           << vids[k] % 64;
		}
		untagged(i, m[i].pvid);
		bridge_set_tagged(l.br, l.p[i], &set, BRIDGE_VLAN_SET);
		bridge_set_vlan_proto(l.br, l.p[i], m[i].proto);
		bridge_set_member_flags(
		    l.br, l.p[i], m[i].qinq ? BRIDGE_QINQ : 0, BRIDGE_QINQ);
	}
}

static void
model_frame(const struct model_port *m, bool on, struct prng *g)
{
	uint32_t from = (uint32_t)(prng_u64(g) % PORTS);
	uint32_t count = (uint32_t)(prng_u64(g) % 3), learned = FDB_NONE;
	uint64_t dst =
	    prng_chance(g, 1, 3) ? BROADCAST : station(prng_u64(g) % 6);
	uint64_t src = station((uint32_t)(prng_u64(g) % 6));
	uint8_t want[128];
	struct tag tags[3];
	int vid;

	for (uint32_t i = 0; i < count; i++) {
		tags[i].tpid =
		    prng_chance(g, 1, 2) ? ETH_TYPE_QINQ : ETH_TYPE_VLAN;
		tags[i].tci =
		    (uint16_t)(vids[prng_u64(g) % 4] | (prng_u64(g) & 0xf000));
		if (prng_chance(g, 1, 6))
			tags[i].tci |= 0xfff;
		else if (prng_chance(g, 1, 5))
			tags[i].tci &= 0xf000;
	}
	vid = model_enter(&m[from], on, tags, count);
	/* The table is tested elsewhere: it is asked where the frame goes. */
	if (vid >= 0 && dst != BROADCAST)
		learned =
		    dst == src ? from + 1 : lab_lookup(&l, dst, (uint32_t)vid);
	in_tags(from, dst, src, tags, count);
	for (uint32_t i = 0; i < PORTS; i++) {
		uint32_t len = 0;

		if (vid >= 0 && i != from && learned != from + 1 &&
		    (learned == FDB_NONE || learned == i + 1))
			len = model_leave(&m[i], on, (uint32_t)vid, dst, src,
			    tags, count, want);
		assert_int_equal(sent[i].count, len != 0);
		if (len == 0)
			continue;
		assert_int_equal(sent[i].len, len);
		assert_memory_equal(sent[i].bytes, want, len);
	}
}

static void
test_random_bridges_against_the_model(void **state)
{
	struct prng g = prng_init(42);
	struct model_port m[PORTS];

	(void)state;
	for (uint32_t i = 0; i < 400; i++) {
		bool on = i % 2 == 0;

		filter(on);
		model_configure(m, &g);
		for (uint32_t k = 0; k < 60; k++)
			model_frame(m, on, &g);
	}
	assert_true(l.br->count.drops[DROP_VLAN_INGRESS] > 1000);
	assert_true(l.br->count.drops[DROP_VLAN_BAD] > 100);
}

static void
test_sets(void **state)
{
	char text[VLAN_SET_TEXT_MAX];
	struct vlan_set s, t;

	(void)state;
	assert_int_equal(vlan_set_parse("100-149", &s), 0);
	assert_int_equal(vlan_set_parse("139-199,1,4094", &t), 0);
	vlan_set_add(&s, &t);
	assert_string_equal(vlan_set_format(&s, text), "1,100-199,4094");
	assert_int_equal(vlan_set_parse("104,105,150-159", &t), 0);
	vlan_set_remove(&s, &t);
	assert_string_equal(
	    vlan_set_format(&s, text), "1,100-103,106-149,160-199,4094");
	assert_int_equal(vlan_set_parse("none", &s), 0);
	assert_string_equal(vlan_set_format(&s, text), "");
	assert_int_equal(vlan_set_parse("all", &s), 0);
	assert_string_equal(vlan_set_format(&s, text), "1-4094");
	assert_false(vlan_set_has(&s, 0));
	assert_false(vlan_set_has(&s, 4095));
	/* The longest text there is fits. */
	for (uint32_t i = 0; i < VLAN_IDS / 64; i++)
		s.words[i] = 0xaaaaaaaaaaaaaaaau;
	assert_true(strlen(vlan_set_format(&s, text)) > 9000);
	assert_int_equal(vlan_set_parse(text, &t), 0);
	assert_false(vlan_set_has(&t, 2));
	assert_true(vlan_set_has(&t, 4093));
	assert_int_equal(vlan_set_parse("4095", &t), -EINVAL);
	assert_true(vlan_set_has(&t, 4093)); /* as it was */
}

static void
test_settings_are_checked(void **state)
{
	struct vlan_set s = { { 1 } };
	struct iface *other = fixture_iface(l.net, "port9");

	(void)state;
	assert_int_equal(bridge_set_untagged(l.br, l.p[0], 4095), -EINVAL);
	assert_int_equal(bridge_set_untagged(l.br, other, 5), -ENOENT);
	assert_int_equal(
	    bridge_set_tagged(l.br, l.p[0], &s, BRIDGE_VLAN_ADD), -EINVAL);
	s.words[0] = 2;
	assert_int_equal(
	    bridge_set_tagged(l.br, other, &s, BRIDGE_VLAN_ADD), -ENOENT);
	assert_int_equal(bridge_set_vlan_proto(l.br, l.p[0], 0x9100), -EINVAL);
	assert_int_equal(bridge_set_defuntagged(l.br, 4095), -EINVAL);
	/* Defaults are for members that come later. */
	bridge_set_defuntagged(l.br, 7);
	bridge_set_vlan_flags(l.br, BRIDGE_DEFQINQ, 0);
	assert_int_equal(port(0)->pvid, 0);
	assert_int_equal(bridge_add(l.br, other), 0);
	assert_int_equal(bridge_member(lab_bridge(&l), other)->pvid, 7);
	assert_int_equal(bridge_member(lab_bridge(&l), other)->flags,
	    BRIDGE_MEMBER_DEFAULT | BRIDGE_QINQ);
	assert_true(lab_bridge(&l)->vlan_work);
	/* A flag changes alone. */
	bridge_set_member_flags(l.br, other, 0, BRIDGE_LEARNING);
	assert_int_equal(bridge_member(lab_bridge(&l), other)->flags,
	    (BRIDGE_MEMBER_DEFAULT | BRIDGE_QINQ) & ~BRIDGE_LEARNING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_setting_no_work),
		TEST(test_bad_tags_never_enter),
		TEST(test_hostile_tags),
		TEST(test_filter_lets_in_what_is_allowed),
		TEST(test_two_tags_need_qinq),
		TEST(test_pvid_without_filter),
		TEST(test_filter_lets_out_what_is_allowed),
		TEST(test_changed_vlans_forget_addresses),
		TEST(test_link_groups_pass_the_filter),
		TEST(test_groups_forwarded_where_both_ports_say_so),
		TEST(test_span_gets_tags),
		TEST(test_member_hosts_are_in_their_ports_vlans),
		TEST(test_bridge_host_and_the_filter),
		TEST(test_flood_makes_each_form_once),
		TEST(test_no_frame_for_a_form_is_a_drop),
		TEST(test_offload_record_follows),
		TEST(test_promiscuous_bridge_host_sees_the_vlan),
		TEST(test_random_bridges_against_the_model),
		TEST(test_sets),
		TEST(test_settings_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

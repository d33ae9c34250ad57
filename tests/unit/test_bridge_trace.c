/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax trace: what it says, that it is what happens, and that it changes
 * nothing.
 */
#include "base/prng.h"
#include "bridge/trace.h"
#include "bridge_fixture.h"
#include "drv/drv.h"
#include "frame/tag.h"
#include "net/impair.h"

#define STEPS_MAX 64

static const struct iface_ops *const kinds[] = { &mock_port_ops,
	&mock_vether_ops, &bridge_ops, &vlan_ops, NULL };

static struct lab l;

/* The steps of the last trace: "send port1 out of port1, untagged". */
struct step {
	char step[16], iface[16], text[320], reason[32];
	uint64_t length;
};

static struct steps {
	struct info info;
	uint32_t count, depth;
	struct step list[STEPS_MAX];
} steps;

static void
steps_str(struct info *i, const char *key, const char *value)
{
	struct step *s = &steps.list[steps.count];

	(void)i;
	if (key == NULL || steps.depth != 1)
		return;
	if (strcmp(key, "step") == 0)
		snprintf(s->step, sizeof(s->step), "%s", value);
	else if (strcmp(key, "iface") == 0)
		snprintf(s->iface, sizeof(s->iface), "%s", value);
	else if (strcmp(key, "text") == 0)
		snprintf(s->text, sizeof(s->text), "%s", value);
	else if (strcmp(key, "reason") == 0)
		snprintf(s->reason, sizeof(s->reason), "%s", value);
}

static void
steps_u64(struct info *i, const char *key, uint64_t value)
{
	(void)i;
	if (steps.depth == 1 && strcmp(key, "length") == 0)
		steps.list[steps.count].length = value;
}

static void
steps_begin(struct info *i, const char *key)
{
	(void)i, (void)key;
	assert_true(steps.count < STEPS_MAX);
	if (steps.depth++ == 0)
		steps.list[steps.count] = (struct step){ 0 };
}

static void
steps_end(struct info *i)
{
	(void)i;
	if (--steps.depth == 0)
		steps.count++;
}

static void
trace_bytes(struct iface *ifp, const uint8_t *data, uint32_t len, bool host)
{
	const struct trace_request r = {
		.ifp = ifp,
		.from_host = host,
		.data = data,
		.len = len,
	};

	steps = (struct steps){ .info = {
		                    .str = steps_str,
		                    .u64 = steps_u64,
		                    .begin_object = steps_begin,
		                    .begin_list = steps_begin,
		                    .end = steps_end,
		                } };
	assert_int_equal(bridge_trace(&r, &steps.info), 0);
	assert_int_equal(steps.depth, 0);
}

/* A frame of 60 bytes, with up to two tags; its length. */
static uint32_t
bytes(uint8_t out[128], uint64_t dst, uint64_t src, uint32_t outer,
    uint32_t inner)
{
	uint32_t len = 12;

	memset(out, 0, 128);
	u64_to_mac(dst, out);
	u64_to_mac(src, out + 6);
	if (outer != 0) {
		be16_put(out + len, inner != 0 ? ETH_TYPE_QINQ : ETH_TYPE_VLAN);
		be16_put(out + len + 2, (uint16_t)outer);
		len += 4;
	}
	if (inner != 0) {
		be16_put(out + len, ETH_TYPE_VLAN);
		be16_put(out + len + 2, (uint16_t)inner);
		len += 4;
	}
	be16_put(out + len, 0x88b5);
	return 60;
}

static void
trace_in(uint32_t port, uint64_t dst, uint64_t src, uint32_t vid)
{
	uint8_t data[128];

	trace_bytes(l.p[port], data, bytes(data, dst, src, vid, 0), false);
}

/* The steps so far are these lines: "STEP IFACE TEXT". */
static void
assert_steps(const char *want)
{
	char got[4096];
	size_t len = 0;

	got[0] = '\0';
	for (uint32_t i = 0; i < steps.count; i++)
		len += (size_t)snprintf(got + len, sizeof(got) - len,
		    "%s %s %s\n", steps.list[i].step, steps.list[i].iface,
		    steps.list[i].text);
	assert_string_equal(got, want);
}

static uint32_t
count_steps(const char *step, const char *iface)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < steps.count; i++)
		n += strcmp(steps.list[i].step, step) == 0 &&
		     strcmp(steps.list[i].iface, iface) == 0;
	return n;
}

static bool
has_reason(enum drop_reason why)
{
	bool has = false;

	for (uint32_t i = 0; i < steps.count; i++)
		has = has ||
		      strcmp(steps.list[i].reason, drop_info(why)->name) == 0;
	return has;
}

static int
setup(void **state)
{
	char name[16];

	(void)state;
	memset(&l, 0, sizeof(l));
	l.net = fixture_net(kinds, NULL, 2048);
	l.net->timers = &l.timers;
	l.br = fixture_iface_up(l.net, "bridge0");
	for (uint32_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		l.p[i] = fixture_iface_up(l.net, name);
		assert_int_equal(bridge_add(l.br, l.p[i]), 0);
	}
	assert_int_equal(
	    iface_set_lladdr(l.br, (const uint8_t[]){ 2, 0, 0, 0xbb, 0xff, 0 }),
	    0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lab_fini(&l);
	return 0;
}

static void
test_flood(void **state)
{
	(void)state;
	bridge_delete(l.br, l.p[3]);
	WORD1(l.br, "private", v_str("port0"));
	WORD1(l.br, "private", v_str("port2"));
	trace_in(0, station(9), station(1), 0);
	assert_steps("in port0 60 bytes come in on port0\n"
	             "learn bridge0 source 02:00:00:bb:00:01 is learned on "
	             "port0\n"
	             "lookup bridge0 destination 02:00:00:bb:00:09 is not "
	             "known: to all\n"
	             "skip port2 not out of port2: both are private\n"
	             "send port1 out of port1, untagged\n");
	/* Nothing was learned by it. */
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	assert_int_equal(mock_of(l.p[1])->sent.count, 0);
	WORD1(l.br, "-discover", v_str("port1"));
	trace_in(0, station(9), station(1), 0);
	assert_int_equal(count_steps("skip", "port1"), 1);
	assert_string_equal(steps.list[steps.count - 1].reason, "no-port");
	iface_set_flags(l.p[1], 0, IFACE_UP);
	trace_in(0, BROADCAST, station(1), 0);
	assert_string_equal(
	    steps.list[steps.count - 2].text, "not out of port1: it is not up");
}

static void
test_known(void **state)
{
	(void)state;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	lab_in(&l, 1, BROADCAST, station(2), 1);
	trace_in(0, station(2), station(1), 0);
	assert_steps("in port0 60 bytes come in on port0\n"
	             "learn bridge0 source 02:00:00:bb:00:01 is learned on "
	             "port0 already\n"
	             "lookup bridge0 destination 02:00:00:bb:00:02 is on "
	             "port1\n"
	             "send port1 out of port1, untagged\n");
	/* Back where it came from; by another port than before. */
	trace_in(1, station(2), station(1), 0);
	assert_steps("in port1 60 bytes come in on port1\n"
	             "learn bridge0 source 02:00:00:bb:00:01 moves from port0 "
	             "to port1\n"
	             "lookup bridge0 destination 02:00:00:bb:00:02 is on "
	             "port1\n"
	             "drop port1 The destination is known on the port that it "
	             "came from.\n");
	assert_int_equal(lab_lookup(&l, station(1), 0), 1);
	bridge_member(lab_bridge(&l), l.p[1])->state = BRIDGE_STP_LEARNING;
	WORD(l.br, "flush");
	WORD3(l.br, "static", v_str("port2"), v_mac(station(1)), v_num(0));
	trace_in(0, station(2), station(1), 0);
	assert_string_equal(steps.list[1].text,
	    "source 02:00:00:bb:00:01 is static on port2 and stays there");
	WORD3(l.br, "static", v_str("port1"), v_mac(station(2)), v_num(0));
	trace_in(0, station(2), station(1), 0);
	assert_string_equal(steps.list[3].reason, "stp-learning");
	WORD1(l.br, "-learn", v_str("port0"));
	trace_in(0, station(2), station(7), 0);
	assert_string_equal(steps.list[1].text,
	    "source 02:00:00:bb:00:07 is not learned on port0");
}

static void
test_limits(void **state)
{
	(void)state;
	WORD2(l.br, "ifmaxaddr", v_str("port0"), v_num(1));
	lab_in(&l, 0, BROADCAST, station(1), 1);
	trace_in(0, station(2), station(5), 0);
	assert_steps("in port0 60 bytes come in on port0\n"
	             "learn bridge0 source 02:00:00:bb:00:05 is not learned: "
	             "ifmaxaddr of port0 is 1\n"
	             "drop port0 From a new address on a port at its ifmaxaddr "
	             "limit.\n");
	assert_int_equal(lab_bridge(&l)->fdb.ports[1].violations, 0);
	/* A full table is full in the copy, which has one entry of it. */
	WORD1(l.br, "maxaddr", v_num(3));
	for (uint32_t i = 20; i < 30; i++)
		lab_in(&l, 1, BROADCAST, station(i), 1);
	trace_in(2, station(20), station(5), 0);
	assert_string_equal(steps.list[1].text,
	    "source 02:00:00:bb:00:05 is not learned: maxaddr is 3");
	assert_int_equal(count_steps("send", "port1"), 1);
	/* Unless something has expired that would go. */
	WORD1(l.br, "timeout", v_num(1));
	WORD(l.br, "flush");
	for (uint32_t i = 20; i < 30; i++)
		lab_in(&l, 1, BROADCAST, station(i), 1);
	l.net->now_ns += 5000000000u;
	trace_in(2, station(20), station(5), 0);
	assert_string_equal(
	    steps.list[1].text, "source 02:00:00:bb:00:05 is learned on port2");
	lab_in(&l, 2, BROADCAST, station(5), 1);
	assert_int_equal(lab_lookup(&l, station(5), 0), 3);
	trace_in(2, BROADCAST, GROUP, 0);
	assert_string_equal(steps.list[1].text,
	    "source 01:00:5e:00:00:01 is nobody's address and not learned");
}

static void
test_vlans(void **state)
{
	struct vlan_set set;

	(void)state;
	assert_int_equal(vlan_set_parse("20-29", &set), 0);
	bridge_set_vlan_flags(l.br, BRIDGE_VLANFILTER, 0);
	bridge_set_untagged(l.br, l.p[0], 20);
	bridge_set_tagged(l.br, l.p[1], &set, BRIDGE_VLAN_SET);
	bridge_set_untagged(l.br, l.p[2], 30);
	bridge_set_untagged(l.br, l.p[3], 20);
	trace_in(0, station(9), station(1), 0);
	assert_steps("in port0 60 bytes come in on port0\n"
	             "vlan bridge0 in VLAN 20, untagged on port0\n"
	             "learn bridge0 source 02:00:00:bb:00:01 in VLAN 20 is "
	             "learned on port0\n"
	             "lookup bridge0 destination 02:00:00:bb:00:09 in VLAN 20 "
	             "is not known: to all\n"
	             "skip port2 not out of port2: the VLAN is not allowed "
	             "there\n"
	             "send port1 out of port1, 802.1Q tag 20\n"
	             "send port3 out of port3, untagged\n");
	assert_int_equal(steps.list[5].length, 64);
	trace_in(1, station(9), station(1), 40);
	assert_steps("in port1 60 bytes come in on port1\n"
	             "drop bridge0 The VLAN is not allowed in on this port.\n");
	trace_in(1, station(9), station(1), 21);
	assert_string_equal(steps.list[1].text, "in VLAN 21, by its tag");
	/* A known address of the PVID is found in the copy, too. */
	lab_in(&l, 3, BROADCAST, station(4), 1);
	trace_in(0, station(4), station(1), 0);
	assert_string_equal(steps.list[3].text,
	    "destination 02:00:00:bb:00:04 in VLAN 20 is on port3");
	/* Cut off. */
	uint8_t data[14] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,
		1, 0x81, 0 };
	trace_bytes(l.p[1], data, sizeof(data), false);
	assert_string_equal(steps.list[1].reason, "vlan-bad");
	trace_bytes(l.p[1], data, 13, false);
	assert_string_equal(steps.list[1].reason, "runt");
	trace_bytes(l.p[1], data, 0, false);
	assert_string_equal(steps.list[1].reason, "runt");
}

static void
test_groups_and_guards(void **state)
{
	(void)state;
	host_give(l.br, &l.br_host, l.net->home);
	host_give(l.p[0], mock_of(l.p[0]), l.net->home);
	bridge_delete(l.br, l.p[2]);
	bridge_delete(l.br, l.p[3]);
	bridge_span_add(l.br, l.p[3]);
	trace_in(0, BROADCAST, station(1), 0);
	assert_steps("in port0 60 bytes come in on port0\n"
	             "span port3 span port port3 gets a copy\n"
	             "learn bridge0 source 02:00:00:bb:00:01 is learned on "
	             "port0\n"
	             "lookup bridge0 destination ff:ff:ff:ff:ff:ff is a group: "
	             "to all\n"
	             "send port1 out of port1, untagged\n"
	             "host port0 to the host on port0, untagged\n"
	             "host bridge0 to the host on bridge0, untagged\n"
	             "send port3 out of port3, untagged\n");
	trace_in(0, 0x0180c2000000u, station(1), 0);
	assert_true(has_reason(DROP_BPDU));
	trace_in(0, 0x0180c200000eu, station(1), 0);
	assert_int_equal(count_steps("send", "port1"), 0);
	assert_int_equal(count_steps("host", "port0"), 1);
	WORD3(l.br, "group-fwd", v_str("port0"), v_num(14), v_str("drop"));
	trace_in(0, 0x0180c200000eu, station(1), 0);
	assert_int_equal(count_steps("group", "port0"), 1);
	assert_true(has_reason(DROP_RESERVED));
	WORD3(l.br, "group-fwd", v_str("port0"), v_num(14), v_str("forward"));
	trace_in(0, 0x0180c200000eu, station(1), 0);
	assert_int_equal(count_steps("skip", "port1"), 1);
	/* A limit that is used up, and is not used by looking. */
	WORD3(l.br, "storm", v_str("port0"), v_str("broadcast"), v_num(1));
	for (uint32_t i = 0; i < 3; i++) {
		trace_in(0, BROADCAST, station(1), 0);
		assert_int_equal(count_steps("send", "port1"), 1);
	}
	lab_in(&l, 0, BROADCAST, station(1), 1);
	trace_in(0, BROADCAST, station(1), 0);
	assert_int_equal(count_steps("send", "port1"), 0);
	assert_true(has_reason(DROP_STORM_BROADCAST));
	assert_drop(l.p[0], STORM_BROADCAST, 0);
	/* Held elsewhere. */
	WORD3(l.br, "storm", v_str("port0"), v_str("broadcast"), v_num(0));
	WORD2(l.br, "flapdamp", v_num(1), v_num(9));
	for (uint32_t i = 0; i < 6; i++)
		lab_in(&l, i % 2, BROADCAST, station(5), 1);
	for (uint32_t i = 0; i < 3; i++) {
		trace_in(1, BROADCAST, station(5), 0);
		assert_true(has_reason(DROP_MAC_FLAP));
	}
	WORD(l.br, "-flapdamp");
}

/* A BPDU is said to be spanning tree's; what that would do is not asked. */
static void
test_bpdus(void **state)
{
	const struct stp_bpdu bpdu = {
		.type = STP_BPDU_RST,
		.flags = 0x0e,
		.times = { .max_age = 20, .hello = 2, .fwd_delay = 15 },
	};
	uint8_t data[64] = { 0 }, raw[STP_BPDU_LEN_MAX];
	struct stp_port_info before, after;
	uint16_t number;

	(void)state;
	assert_int_equal(
	    bridge_set_member_flags(l.br, l.p[0], BRIDGE_STP, 0), 0);
	number = (uint16_t)bridge_member(lab_bridge(&l), l.p[0])->number;
	stp_port_get(bridge_stp(l.br), number, &before);
	(void)stp_frame_encode(
	    eth_stp_group, raw, stp_bpdu_encode(&bpdu, raw), data);
	data[6] = 2;
	trace_bytes(l.p[0], data, 60, false);
	assert_steps("in port0 60 bytes come in on port0\n"
	             "stp bridge0 for spanning tree on port0\n");
	data[20] ^= 0xff; /* another version of something */
	trace_bytes(l.p[0], data, 60, false);
	assert_string_equal(steps.list[2].reason, "bpdu-bad");
	stp_port_get(bridge_stp(l.br), number, &after);
	/* Member by member: there are holes in the struct. */
	assert_memory_equal(&before.count, &after.count, sizeof(before.count));
	assert_int_equal(before.role, after.role);
	assert_int_equal(before.state, after.state);
	/* A port that discards. */
	assert_int_equal(bridge_member(lab_bridge(&l), l.p[0])->state,
	    BRIDGE_STP_DISCARDING);
	trace_in(0, station(2), station(1), 0);
	assert_string_equal(steps.list[1].text,
	    "port0 is a plain interface: "
	    "The port is discarding (spanning tree).");
	assert_string_equal(steps.list[2].reason, "stp-discarding");
}

static void
test_hosts(void **state)
{
	struct iface *svi, *vether;
	struct vnet s1 = { .name = "s1", .net = l.net };
	struct mock *far;
	uint8_t data[128];

	(void)state;
	host_give(l.br, &l.br_host, l.net->home);
	svi = fixture_iface_up(l.net, "bridge0.20");
	fixture_iface_up(l.net, "port1.5");
	host_give(svi, mock_of(l.p[3]), l.net->home);
	trace_in(0, mac_to_u64(l.br->mac), station(1), 20);
	assert_steps("in port0 60 bytes come in on port0\n"
	             "vlan bridge0 in VLAN 20, by its tag\n"
	             "own bridge0 destination 02:00:00:bb:ff:00 is the host's "
	             "own, on bridge0\n"
	             "learn bridge0 source 02:00:00:bb:00:01 in VLAN 20 is "
	             "learned on port0\n"
	             "vlan bridge0.20 VLAN 20 of bridge0 is bridge0.20: "
	             "without its tag\n"
	             "host bridge0.20 to the host on bridge0.20, untagged\n");
	trace_in(0, station(2), mac_to_u64(l.br->mac), 0);
	assert_string_equal(steps.list[1].text,
	    "source 02:00:00:bb:ff:00 is the host's own, on bridge0");
	assert_string_equal(steps.list[2].reason, "own-address");
	/* A vlan child of a member goes first. */
	trace_in(1, station(2), station(1), 5);
	assert_string_equal(
	    steps.list[1].text, "VLAN 5 of port1 is port1.5: without its tag");
	assert_string_equal(steps.list[2].reason, "no-stack");
	/* From the host: on the bridge, on a member. */
	lab_in(&l, 2, BROADCAST, station(7), 1);
	bytes(data, station(7), mac_to_u64(l.br->mac), 0, 0);
	trace_bytes(l.br, data, 60, false);
	assert_steps("in bridge0 60 bytes that the host sends on bridge0\n"
	             "lookup bridge0 destination 02:00:00:bb:00:07 is on "
	             "port2\n"
	             "send port2 out of port2, untagged\n");
	trace_bytes(l.p[0], data, 60, true);
	assert_int_equal(count_steps("send", "port2"), 1);
	bytes(data, BROADCAST, mac_to_u64(l.p[0]->mac), 0, 0);
	trace_bytes(l.p[0], data, 60, true);
	assert_int_equal(count_steps("send", "port0"), 1);
	assert_int_equal(count_steps("send", "port1"), 1);
	/* A vether is the port of a host elsewhere. */
	vether = fixture_iface_up(l.net, "vether0");
	far = mock_of(vether);
	host_give(vether, far, &s1);
	bridge_add(l.br, vether);
	trace_bytes(l.p[0], data, 60, true);
	assert_string_equal(steps.list[steps.count - 1].text,
	    "out of vether0 to the host of vnet s1, untagged");
	far->host.up = false;
	trace_bytes(l.p[0], data, 60, true);
	assert_string_equal(steps.list[steps.count - 1].reason, "host-down");
	/* Bridge down, interface down, monitor, no bridge. */
	iface_set_flags(l.br, IFACE_MONITOR, 0);
	trace_in(0, BROADCAST, station(1), 0);
	assert_string_equal(steps.list[1].reason, "monitor");
	iface_set_flags(l.br, 0, IFACE_UP | IFACE_MONITOR);
	trace_in(0, BROADCAST, station(1), 0);
	assert_string_equal(steps.list[2].reason, "bridge-down");
	iface_set_flags(l.p[0], 0, IFACE_UP);
	trace_in(0, BROADCAST, station(1), 0);
	assert_string_equal(steps.list[1].reason, "if-down-in");
	bridge_delete(l.br, l.p[3]);
	l.p[3]->host = NULL;
	trace_in(3, BROADCAST, station(1), 0);
	assert_string_equal(steps.list[1].reason, "no-stack");
	svi->host = NULL;
	vether->host = NULL;
}

static void
test_limits_of_outputs(void **state)
{
	uint8_t data[2000] = { 0 };
	struct impair_change change;
	const char *const words[] = { "loss", "5%" };
	char why[IMPAIR_WHY_MAX];

	(void)state;
	bytes(data, BROADCAST, station(1), 0, 0);
	trace_bytes(l.p[0], data, 1514, false);
	assert_int_equal(count_steps("send", "port1"), 1);
	trace_bytes(l.p[0], data, 1515, false);
	assert_int_equal(count_steps("send", "port1"), 0);
	assert_string_equal(steps.list[steps.count - 1].reason, "mtu");
	/* A wire that may lose it: said, not done. */
	assert_int_equal(impair_parse(words, 2, &change, why, sizeof(why)), 2);
	assert_int_equal(iface_impair(l.p[1], &change), 0);
	trace_bytes(l.p[0], data, 60, false);
	assert_int_equal(count_steps("impair", "port1"), 1);
	assert_int_equal(count_steps("send", "port1"), 1);
	trace_bytes(l.p[1], data, 60, false);
	assert_int_equal(count_steps("impair", "port1"), 1);
	iface_impair_off(l.p[1], true, true);
}

/* --- The trace against the truth -------------------------------------------
 */

static struct prng g;

static uint32_t
below(uint32_t n)
{
	return (uint32_t)(prng_u64(&g) % n);
}

static void
random_settings(void)
{
	static const char *const flags[] = { "discover", "-discover", "learn",
		"-learn", "sticky", "-sticky", "private", "-private", "qinq",
		"-qinq" };
	static const char *const storms[] = { "broadcast", "multicast",
		"unknown" };
	static const char *const actions[] = { "peer", "drop", "forward" };
	static const uint32_t vids[] = { 0, 1, 2, 7 };
	struct bridge_port *p;
	struct iface *ifp = l.p[below(4)];
	struct vlan_set set;

	p = bridge_member(lab_bridge(&l), ifp);
	if (p == NULL)
		return;
	switch (below(13)) {
	case 0:
	case 1:
		WORD1(l.br, flags[below(10)], v_str(ifp->name));
		break;
	case 2:
		WORD2(l.br, "ifmaxaddr", v_str(ifp->name), v_num(below(4)));
		break;
	case 3:
		WORD1(l.br, "maxaddr", v_num(below(8)));
		break;
	case 4:
		bridge_set_vlan_flags(
		    l.br, BRIDGE_VLANFILTER * below(2), BRIDGE_VLANFILTER);
		break;
	case 5:
		bridge_set_untagged(l.br, ifp, vids[below(4)]);
		break;
	case 6:
		assert_int_equal(
		    vlan_set_parse(below(2) ? "1-2,7" : "2", &set), 0);
		bridge_set_tagged(l.br, ifp, &set, BRIDGE_VLAN_SET);
		break;
	case 7:
		bridge_set_vlan_proto(
		    l.br, ifp, below(2) ? ETH_TYPE_QINQ : ETH_TYPE_VLAN);
		break;
	case 8:
		WORD3(l.br, "storm", v_str(ifp->name), v_str(storms[below(3)]),
		    v_num(below(3)));
		break;
	case 9:
		WORD3(l.br, "group-fwd", v_str(ifp->name), v_num(below(3)),
		    v_str(actions[below(3)]));
		break;
	case 10:
		p->state = below(3) == 0   ? BRIDGE_STP_DISCARDING
		           : below(3) == 0 ? BRIDGE_STP_LEARNING
		                           : BRIDGE_STP_FORWARDING;
		break;
	case 11:
		iface_set_flags(ifp, IFACE_UP * below(2), IFACE_UP);
		iface_set_flags(l.br, below(6) != 0 ? IFACE_UP : 0, IFACE_UP);
		break;
	default:
		WORD2(l.br, "flapdamp", v_num(below(3)), v_num(2));
		break;
	}
}

/* What there is of the truth: frames sent and heard, drops, addresses. */
struct truth {
	struct iface_counters counts[8];
	uint32_t sent[4], heard[4], br_heard;
	uint32_t addresses;
};

static void
look(struct truth *t)
{
	struct iface *ifp;
	uint32_t n = 0;

	memset(t, 0, sizeof(*t));
	TAILQ_FOREACH (ifp, &l.net->ifaces, all_link)
		t->counts[n++] = ifp->count;
	for (uint32_t i = 0; i < 4; i++) {
		t->sent[i] = mock_of(l.p[i])->sent.count;
		t->heard[i] = mock_of(l.p[i])->heard.count;
	}
	t->br_heard = l.br_host.heard.count;
	t->addresses = fdb_count(&lab_bridge(&l)->fdb);
}

static uint32_t
told_drops(const struct iface *ifp, enum drop_reason why)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < steps.count; i++)
		n += strcmp(steps.list[i].iface, ifp->name) == 0 &&
		     strcmp(steps.list[i].reason, drop_info(why)->name) == 0;
	return n;
}

static void
compare(const struct truth *before, const struct truth *after)
{
	const struct iface *ifp;
	uint32_t n = 0;

	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(after->sent[i] - before->sent[i],
		    count_steps("send", l.p[i]->name));
		assert_int_equal(after->heard[i] - before->heard[i],
		    count_steps("host", l.p[i]->name));
	}
	assert_int_equal(
	    after->br_heard - before->br_heard, count_steps("host", "bridge0"));
	TAILQ_FOREACH (ifp, &l.net->ifaces, all_link) {
		for (uint32_t r = 0; r < DROP_COUNT; r++)
			assert_int_equal(after->counts[n].drops[r] -
			                     before->counts[n].drops[r],
			    told_drops(ifp, (enum drop_reason)r));
		n++;
	}
}

static void
random_frame(void)
{
	static const uint32_t vids[] = { 0, 0, 1, 2, 7, 4095 };
	static const uint64_t dsts[] = { BROADCAST, GROUP, 0x0180c2000000u,
		0x0180c2000001u, 0x0180c2000002u, 0x020000aa0001u,
		0x020000bbff00u };
	struct truth before, between, after;
	struct iface *ifp = l.p[below(4)];
	bool host = below(4) == 0;
	struct frame_batch batch = { .count = 1 };
	uint32_t len, outer = vids[below(6)];
	uint8_t data[128];
	uint64_t src = below(9) != 0 ? station(below(5)) : dsts[below(7)];

	if (host && below(2))
		ifp = l.br;
	len = bytes(data, below(2) ? station(below(5)) : dsts[below(7)], src,
	    outer, outer != 0 && below(4) == 0 ? vids[below(6)] : 0);
	if (below(30) == 0)
		len = below(20);
	look(&before);
	trace_bytes(ifp, data, len, host);
	look(&between);
	assert_memory_equal(&before, &between, sizeof(before));
	batch.frames[0] = frame_alloc(l.net->pool, len);
	memcpy(batch.frames[0]->data, data, len);
	batch.frames[0]->len = len;
	if (host)
		iface_host_input(ifp, &batch);
	else
		iface_input(ifp, &batch);
	look(&after);
	compare(&before, &after);
}

static void
test_trace_is_what_happens(void **state)
{
	(void)state;
	teardown(NULL);
	for (uint32_t seed = 1; seed <= 60; seed++) {
		g = prng_init(seed);
		setup(NULL);
		if (below(2))
			host_give(l.br, &l.br_host, l.net->home);
		for (uint32_t i = 0; i < 4; i++) {
			if (below(3) == 0)
				host_give(l.p[i], mock_of(l.p[i]), l.net->home);
		}
		if (below(3) == 0) {
			bridge_delete(l.br, l.p[3]);
			bridge_span_add(l.br, l.p[3]);
		}
		for (uint32_t i = 0; i < 200; i++) {
			if (below(3) == 0)
				random_settings();
			random_frame();
			if (below(5) == 0)
				lab_time(&l,
				    (uint32_t)(l.net->now_ns / 1000000000u) +
				        below(3));
			for (uint32_t k = 0; k < 4; k++)
				mock_of(l.p[k])->sent.count =
				    mock_of(l.p[k])->heard.count = 0;
			l.br_host.heard.count = 0;
		}
		teardown(NULL);
	}
	setup(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_flood),
		TEST(test_known),
		TEST(test_limits),
		TEST(test_vlans),
		TEST(test_groups_and_guards),
		TEST(test_bpdus),
		TEST(test_hosts),
		TEST(test_limits_of_outputs),
		TEST(test_trace_is_what_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

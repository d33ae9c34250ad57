/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spanning tree on bridges: what stp/ decides takes effect on the frames, and
 * what happens to the bridges reaches it.  Bridges are wired by feths; time is
 * virtual.  Whether stp/ decides well is asked in test_stp_*.c and tests/sim.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "bridge/bridge_impl.h"
#include "drv/drv.h"
#include "net_fixture.h"

#define MS 1000000ull
#define S  1000000000ull

#define BRIDGES 4
#define BPDUS   8192

/* A kind that no spanning tree runs over, as a tunnel; and one that looks at
 * its port's state when it is given frames, and tells of another link then. */
struct odd {
	struct iface ifp;
	struct iface *unplug; /* loses its link then */
	uint32_t data, late;  /* frames; while it did not forward */
};

static int
odd_create(struct iface *ifp)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0xcc, 0, 1 };

	ether_copy(ifp->mac, mac);
	return 0;
}

static void
odd_destroy(struct iface *ifp)
{
	(void)ifp;
}

static void
odd_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct odd *odd = (struct odd *)(void *)ifp;

	for (uint32_t i = 0; i < batch->count; i++) {
		const struct frame *f = batch->frames[i];
		const struct bridge_port *p =
		    CONTAINER_OF(ifp->stack, struct bridge_port, stack);

		if (!ether_is_reserved(f->data)) {
			odd->data++;
			odd->late += p->state != BRIDGE_STP_FORWARDING;
		}
		frame_release(batch->frames[i]);
	}
	if (odd->unplug != NULL)
		iface_set_link(odd->unplug, IFACE_LINK_DOWN);
}

static void
odd_changed(struct iface *ifp, uint32_t what)
{
	if ((what & IFACE_CHANGED_FLAGS) != 0)
		iface_set_running(ifp, (ifp->flags & IFACE_UP) != 0);
}

#define ODD(kind_, flags_)                                                   \
	{                                                                    \
		.kind = (kind_), .about = "test",                            \
		.kind_flags = IFACE_KIND_ETHERNET | (flags_), .unit_max = 9, \
		.mtu_default = 1500, .mtu_min = 72, .mtu_max = 9000,         \
		.size = sizeof(struct odd), .create = odd_create,            \
		.destroy = odd_destroy, .transmit = odd_transmit,            \
		.changed = odd_changed,                                      \
	}

static const struct iface_ops tunnel_ops = ODD("tunnel", IFACE_KIND_TUNNEL);
static const struct iface_ops odd_ops = ODD("odd", 0);
static const struct iface_ops *const kinds[] = { &feth_ops, &vlan_ops,
	&bridge_ops, &tunnel_ops, &odd_ops, NULL };

/* The far end of a cable that leads to no bridge: sees what is sent there. */
struct station {
	struct iface_stack stack;
	struct iface *ifp;
	uint32_t bpdus, others;
	uint8_t last[64]; /* BPDU frame */
};

static struct world {
	struct net *net;
	struct timerheap timers;
	struct iface *br[BRIDGES];
	struct fixture_events events;
	struct net_subscriber reader;
	char said[8192]; /* the texts of events, as far as there is room */
	struct fixture_sink hosts[BRIDGES];
	struct station stations[8];
	uint32_t station_count, feths;
} w;

static void
run(uint64_t duration_ns)
{
	uint64_t end_ns = w.net->now_ns + duration_ns, due_ns;

	for (;;) {
		while (net_poll(w.net))
			;
		due_ns = timerheap_next_due(&w.timers);
		if (due_ns > end_ns)
			break;
		w.net->now_ns = COAX_MAX(w.net->now_ns, due_ns);
		(void)timerheap_run(&w.timers, w.net->now_ns, 64);
	}
	w.net->now_ns = end_ns;
}

static void
read_event(struct net_subscriber *s, const struct net_event *ev)
{
	size_t len = strlen(w.said);

	(void)s;
	if (ev->type == NET_EVENT_STP)
		snprintf(w.said + len, sizeof(w.said) - len, "%s: %s\n",
		    ev->other != NULL ? ev->other->name : "-", ev->text);
}

static int
setup(void **state)
{
	char name[16];

	(void)state;
	memset(&w, 0, sizeof(w));
	w.net = fixture_net(kinds, NULL, 4096);
	w.net->timers = &w.timers;
	w.net->identity = 7;
	assert_int_equal(drv_init(w.net, NULL), 0);
	for (uint8_t b = 0; b < BRIDGES; b++) {
		const uint8_t mac[6] = { 2, 0, 0, 0xbb, 0, b };

		snprintf(name, sizeof(name), "bridge%u", b);
		w.br[b] = fixture_iface_up(w.net, name);
		assert_int_equal(iface_set_lladdr(w.br[b], mac), 0);
	}
	fixture_subscribe(w.net, &w.events);
	w.reader.event = read_event;
	net_subscribe(w.net, &w.reader);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	net_unsubscribe(w.net, &w.events.sub);
	net_unsubscribe(w.net, &w.reader);
	for (uint32_t b = 0; b < BRIDGES; b++)
		w.br[b]->host = NULL;
	net_destroy(w.net);
	assert_int_equal(timerheap_next_due(&w.timers), TIMERHEAP_NEVER);
	timerheap_fini(&w.timers);
	return 0;
}

static struct iface *
feth(void)
{
	char name[16];

	snprintf(name, sizeof(name), "feth%u", w.feths++);
	return fixture_iface_up(w.net, name);
}

static struct bridge_port *
port(uint32_t b, struct iface *ifp)
{
	return bridge_member(bridge_of(w.br[b]), ifp);
}

static void
stp_on(uint32_t b, struct iface *ifp)
{
	assert_int_equal(
	    bridge_set_member_flags(w.br[b], ifp, BRIDGE_STP, 0), 0);
}

static void
plug(struct iface *a, struct iface *b)
{
	assert_int_equal(fixture_word(a, "peer", b->name, 0, false), 0);
}

/* A cable that both ends see go. */
static void
unplug(struct iface *a)
{
	assert_int_equal(fixture_word(a, "-peer", NULL, 0, false), 0);
}

/* Joins two bridges; returns the end of the first, its peer in @other. */
static struct iface *
cable(uint32_t a, uint32_t b, struct iface **other)
{
	struct iface *near = feth(), *far = feth();

	assert_int_equal(bridge_add(w.br[a], near), 0);
	assert_int_equal(bridge_add(w.br[b], far), 0);
	stp_on(a, near);
	stp_on(b, far);
	plug(near, far);
	if (other != NULL)
		*other = far;
	return near;
}

static void
station_input(
    struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	struct station *st = CONTAINER_OF(s, struct station, stack);

	(void)ifp;
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct frame *f = batch->frames[i];

		if (be64_get(f->data) >> 16 == 0x0180c2000000u) {
			st->bpdus++;
			memcpy(st->last, f->data, COAX_MIN(f->len, 64u));
		} else {
			st->others++;
		}
		frame_release(batch->frames[i]);
	}
}

static void
station_changed(struct iface_stack *s, struct iface *ifp, uint32_t what)
{
	(void)s, (void)ifp, (void)what;
}

static void
station_detach(struct iface_stack *s, struct iface *ifp)
{
	(void)s;
	iface_stack_detach(ifp);
}

/* A member of @b that leads to a station. */
static struct iface *
station(uint32_t b, struct station **out)
{
	struct station *st = &w.stations[w.station_count++];
	struct iface *near = feth();

	st->ifp = feth();
	st->stack.input = station_input;
	st->stack.changed = station_changed;
	st->stack.detach = station_detach;
	st->stack.master = st->ifp;
	assert_int_equal(iface_stack_attach(st->ifp, &st->stack), 0);
	assert_int_equal(bridge_add(w.br[b], near), 0);
	plug(near, st->ifp);
	*out = st;
	return near;
}

static void
say(struct station *st, const uint8_t *data, uint32_t len)
{
	struct frame_batch batch = { .count = 1 };
	struct frame *f = frame_alloc(w.net->pool, len);

	assert_non_null(f);
	memcpy(f->data, data, len);
	f->len = len;
	batch.frames[0] = f;
	iface_output(st->ifp, &batch);
	while (net_poll(w.net))
		;
}

static void
say_data(struct station *st, uint64_t dst, uint64_t src)
{
	uint8_t data[60] = { 0 };

	u64_to_mac(dst, data);
	u64_to_mac(src, data + 6);
	be16_put(data + 12, 0x88b5);
	say(st, data, sizeof(data));
}

/* A good RST BPDU, superior to all bridges'. */
static const struct stp_bpdu better = {
	.type = STP_BPDU_RST,
	.flags = STP_BPDU_ROLE_DESIGNATED << 2,
	.root_id = 0x1000020000000001u,
	.bridge_id = 0x1000020000000001u,
	.port_id = 0x8001,
	.times = { 0, 20, 2, 15 },
};

static uint32_t
bpdu_frame(const struct stp_bpdu *b, uint8_t *frame)
{
	static const uint8_t src[6] = { 2, 0, 0, 0, 0, 1 };
	uint8_t data[STP_BPDU_LEN_MAX];
	size_t len = stp_bpdu_encode(b, data);

	memset(frame, 0, 60);
	(void)stp_frame_encode(src, data, len, frame);
	return 60;
}

static void
say_bpdu(struct station *st, const struct stp_bpdu *b)
{
	uint8_t data[64];

	say(st, data, bpdu_frame(b, data));
}

static struct stp_port_info
info(uint32_t b, struct iface *ifp)
{
	struct stp_port_info i;

	assert_int_equal(stp_port_get(bridge_stp(w.br[b]),
	                     (uint16_t)port(b, ifp)->number, &i),
	    0);
	return i;
}

static uint64_t
drops(struct iface *ifp, enum drop_reason why)
{
	return ifp->count.drops[why];
}

/* A broadcast of bridge @a's host: how many does @b's get? */
static uint32_t
cross(uint32_t a, uint32_t b)
{
	struct frame_batch batch = {
		.count = 1,
		.frames = { fixture_frame(w.net, 60, 1) },
	};

	for (uint32_t i = 0; i < BRIDGES; i++) {
		fixture_sink_init(&w.hosts[i]);
		w.hosts[i].host.vnet = w.net->home;
		w.br[i]->host = &w.hosts[i].host;
	}
	memset(batch.frames[0]->data, 0xff, ETH_ADDR_LEN);
	ether_copy(batch.frames[0]->data + ETH_ADDR_LEN, w.br[a]->mac);
	iface_host_input(w.br[a], &batch);
	run(MS);
	for (uint32_t i = 0; i < BRIDGES; i++)
		w.br[i]->host = NULL;
	return w.hosts[b].host_frames;
}

static const enum bridge_stp_state forwarding = BRIDGE_STP_FORWARDING;
static const enum bridge_stp_state discarding = BRIDGE_STP_DISCARDING;

/* Two wires: one end of one of them discards, and the rest forward within a
 * few hops' time, without any timer; the wire in use is cut: the other takes
 * over in the same instant, and back. */
static void
test_two_wires(void **state)
{
	struct iface *b1, *b2;
	struct iface *a1 = cable(0, 1, &b1), *a2 = cable(0, 1, &b2);

	(void)state;
	run(10 * MS); /* the third BPDU of a port waits a little */
	assert_int_equal(port(0, a1)->state, forwarding);
	assert_int_equal(port(0, a2)->state, forwarding);
	assert_int_equal(port(1, b1)->state, forwarding);
	assert_int_equal(port(1, b2)->state, discarding);
	assert_int_equal(info(1, b1).role, STP_ROLE_ROOT);
	assert_int_equal(info(1, b2).role, STP_ROLE_ALTERNATE);
	assert_int_equal(cross(0, 1), 1);
	assert_int_equal(cross(1, 0), 1);
	run(3 * S);
	unplug(a1);
	run(MS);
	assert_int_equal(info(1, b2).role, STP_ROLE_ROOT);
	assert_int_equal(cross(0, 1), 1);
	assert_int_equal(cross(1, 0), 1);
	plug(a1, b1);
	run(3 * S);
	assert_int_equal(port(1, b2)->state, discarding);
	assert_int_equal(cross(0, 1), 1);
	assert_int_equal(cross(1, 0), 1);
}

/* The bridge identifier is the bridge's address, as its priority decides. */
static void
test_root_is_by_priority_and_address(void **state)
{
	static const uint8_t low[6] = { 2, 0, 0, 0, 0, 2 };
	struct stp_info i;
	struct iface *b1;

	(void)state;
	cable(0, 1, &b1);
	run(MS);
	stp_get(bridge_stp(w.br[1]), &i);
	assert_int_equal(i.root_id, 0x8000020000bb0000u);
	assert_int_equal(i.bridge_id, 0x8000020000bb0001u);
	assert_int_equal(i.root_port, port(1, b1)->number);
	assert_int_equal(i.root_path_cost, 2000);
	assert_int_equal(
	    bridge_set_param(w.br[1], BRIDGE_PARAM_PRIORITY, 4096), 0);
	run(10 * S);
	stp_get(bridge_stp(w.br[0]), &i);
	assert_int_equal(i.root_id, 0x1000020000bb0001u);
	assert_int_equal(
	    bridge_set_param(w.br[1], BRIDGE_PARAM_PRIORITY, 32768), 0);
	assert_int_equal(iface_set_lladdr(w.br[1], low), 0);
	run(10 * S);
	stp_get(bridge_stp(w.br[0]), &i);
	assert_int_equal(i.root_id, 0x8000020000000002u);
}

/* BPDUs end at the bridge, whatever runs there; one with a VLAN tag is not for
 * it, one with only a priority is. */
static void
test_bpdus_are_taken_and_never_relayed(void **state)
{
	struct station *a, *b;
	struct iface *near = station(0, &a);
	struct iface *other = station(0, &b);
	uint8_t plain[64], tagged[68];

	(void)state;
	run(MS);
	say_bpdu(a, &better);
	assert_int_equal(drops(near, DROP_BPDU), 1);
	stp_on(0, near);
	run(5 * S);
	say_bpdu(a, &better);
	assert_int_equal(drops(near, DROP_BPDU), 1);
	assert_int_equal(info(0, near).count.rx_rst, 1);
	bpdu_frame(&better, plain);
	memcpy(tagged, plain, 12);
	memcpy(tagged + 16, plain + 12, 48);
	be16_put(tagged + 12, 0x8100);
	be16_put(tagged + 14, 0x6005); /* priority 3, VLAN 5 */
	say(a, tagged, 64);
	assert_int_equal(drops(near, DROP_RESERVED), 1);
	assert_int_equal(info(0, near).count.rx_rst, 1);
	be16_put(tagged + 14, 0x6000);
	say(a, tagged, 64);
	assert_int_equal(info(0, near).count.rx_rst, 2);
	assert_int_equal(b->bpdus, 0);
	assert_int_equal(port(0, other)->state, forwarding); /* no `stp' */
	assert_true(a->bpdus > 0);                           /* its own */
	assert_int_equal(drops(near, DROP_BPDU_BAD), 0);
}

/* A frame as it is sent: 802.3, from the member, padded, untagged. */
static void
test_sent_frame(void **state)
{
	static const uint8_t head[] = { 0x01, 0x80, 0xc2, 0, 0, 0 };
	static const uint8_t llc[] = { 0, 39, 0x42, 0x42, 3, 0, 0, 2, 2 };
	struct station *a;
	struct iface *near = station(0, &a);

	(void)state;
	stp_on(0, near);
	run(S);
	assert_memory_equal(a->last, head, 6);
	assert_memory_equal(a->last + 6, near->mac, 6);
	assert_memory_equal(a->last + 12, llc, sizeof(llc));
	assert_int_equal(near->count.obytes, 60 * near->count.opackets);
}

/* Ports without an untagged VLAN on a bridge that filters: BPDUs pass. */
static void
test_tagged_only_ports_on_a_filtering_bridge(void **state)
{
	struct vlan_set ten = { 0 };
	struct iface *b1, *b2;
	struct iface *a1 = cable(0, 1, &b1), *a2 = cable(0, 1, &b2);
	struct {
		uint32_t b;
		struct iface *ifp;
	} ports[] = { { 0, a1 }, { 0, a2 }, { 1, b1 }, { 1, b2 } };

	(void)state;
	assert_int_equal(vlan_set_parse("10", &ten), 0);
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		bridge_set_vlan_flags(w.br[ports[i].b], BRIDGE_VLANFILTER, 0);
		assert_int_equal(bridge_set_tagged(w.br[ports[i].b],
		                     ports[i].ifp, &ten, BRIDGE_VLAN_SET),
		    0);
		iface_set_flags(ports[i].ifp, 0, IFACE_UP);
		iface_set_flags(ports[i].ifp, IFACE_UP, 0);
	}
	run(10 * S);
	assert_int_equal(info(1, b1).role, STP_ROLE_ROOT);
	assert_int_equal(port(1, b1)->state, forwarding);
	assert_int_equal(info(1, b2).role, STP_ROLE_ALTERNATE);
	assert_int_equal(port(1, b2)->state, discarding);
}

/* Over VLANs of the cables, as over cables. */
static void
test_over_vlan_interfaces(void **state)
{
	struct iface *v[2][2];
	char name[32];

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct iface *near = feth(), *far = feth();

		plug(near, far);
		snprintf(name, sizeof(name), "%s.42", near->name);
		v[0][i] = fixture_iface_up(w.net, name);
		snprintf(name, sizeof(name), "%s.42", far->name);
		v[1][i] = fixture_iface_up(w.net, name);
		for (uint32_t b = 0; b < 2; b++) {
			assert_int_equal(bridge_add(w.br[b], v[b][i]), 0);
			stp_on(b, v[b][i]);
		}
	}
	run(S);
	assert_int_equal(port(0, v[0][0])->state, forwarding);
	assert_int_equal(port(0, v[0][1])->state, forwarding);
	assert_int_equal(port(1, v[1][0])->state, forwarding);
	assert_int_equal(port(1, v[1][1])->state, discarding);
	assert_int_equal(cross(0, 1), 1);
}

/* A frame before the BPDU in one batch leaves by the port that the BPDU makes
 * discard, before it does; one behind the BPDU does not. */
static void
test_no_frame_passes_after_the_bpdu(void **state)
{
	struct iface *other = fixture_iface_up(w.net, "odd0");
	struct odd *odd = (struct odd *)(void *)other;
	struct frame_batch batch = { .count = 3 };
	struct stp_bpdu root = better, proposal = better;
	struct station *a;
	struct iface *near = station(0, &a);

	(void)state;
	assert_int_equal(bridge_add(w.br[0], other), 0);
	stp_on(0, near);
	stp_on(0, other);
	root.root_id = root.bridge_id = 0x2000020000000002u;
	for (uint32_t i = 0; i < 2; i++) { /* the root is behind @other */
		struct frame_batch one = { .count = 1 };

		one.frames[0] = fixture_frame(w.net, 60, 1);
		bpdu_frame(&root, one.frames[0]->data);
		iface_input(other, &one);
		run(3 * S);
	}
	assert_int_equal(port(0, near)->state, forwarding);
	assert_int_equal(port(0, other)->state, forwarding);
	for (uint32_t i = 0; i < 3; i++) {
		batch.frames[i] = fixture_frame(w.net, 60, 1);
		memset(batch.frames[i]->data, 0xff, 6);
	}
	proposal.flags |= STP_FLAG_PROPOSAL;
	bpdu_frame(&proposal, batch.frames[1]->data);
	iface_input(near, &batch);
	assert_int_equal(port(0, near)->state, forwarding);
	assert_int_equal(port(0, other)->state, discarding);
	assert_int_equal(odd->data, 1);
	assert_int_equal(odd->late, 0);
}

/* Addresses behind a port are forgotten at once, and of that port alone. */
static void
test_flush_is_at_once_and_per_port(void **state)
{
	struct fdb *fdb = &bridge_of(w.br[1])->fdb;
	struct station *a, *b, *c;
	struct iface *b1, *b2, *a1 = cable(0, 1, &b1);
	struct iface *near_b = station(1, &b);

	(void)state;
	cable(0, 1, &b2);
	station(0, &a);
	stp_on(1, near_b);
	station(1, &c);
	run(5 * S);
	say_data(a, 0xffffffffffff, 0x020000000011);
	say_data(b, 0xffffffffffff, 0x020000000012);
	say_data(c, 0xffffffffffff, 0x020000000013);
	assert_int_equal(fdb->ports[port(1, b1)->number].count, 1);
	assert_int_equal(fdb_count(fdb), 3);
	unplug(a1);
	/* Behind the lost root port there is nobody; edges keep theirs. */
	assert_int_equal(fdb->ports[port(1, b1)->number].count, 0);
	assert_int_equal(fdb->ports[port(1, near_b)->number].count, 1);
	run(MS);
	a->others = 0;
	say_data(b, 0x020000000011, 0x020000000012);
	assert_int_equal(a->others, 1);
}

/* A second change soon after a first: others, far away, hear of it at once,
 * too, and send nothing to where the station is no more. */
static void
test_changes_in_a_row_are_told_at_once(void **state)
{
	struct station *a, *b;
	struct iface *cut = cable(1, 2, NULL);

	(void)state;
	cable(0, 1, NULL);
	cable(3, 2, NULL);
	cable(0, 3, NULL);
	station(0, &a);
	station(2, &b);
	run(1500 * MS);
	say_data(b, 0xffffffffffff, 0x020000000011);
	run(MS);
	say_data(a, 0x020000000011, 0x020000000012);
	run(MS);
	assert_int_equal(b->others, 1);
	unplug(cut);
	run(MS);
	say_data(a, 0x020000000011, 0x020000000012);
	run(MS);
	assert_int_equal(b->others, 2);
}

/* What is set before `stp' holds then; `-stp' forwards at once, and needs no
 * timer. */
static void
test_settings_wait_for_stp(void **state)
{
	struct station *a;
	struct iface *near = station(0, &a);
	struct bridge_port *p = port(0, near);
	struct stp_port_info i;

	(void)state;
	assert_int_equal(w.timers.count, 0);
	assert_int_equal(bridge_set_if_priority(w.br[0], near, 47), 0);
	assert_int_equal(bridge_set_if_cost(w.br[0], near, 77), 0);
	assert_int_equal(bridge_set_guards(w.br[0], near, STP_GUARD_TC, 0), 0);
	assert_int_equal(bridge_set_member_flags(
	                     w.br[0], near, BRIDGE_EDGE, BRIDGE_AUTOEDGE),
	    0);
	assert_int_equal(
	    bridge_set_member_flags(w.br[0], near, 0, BRIDGE_PTP), 0);
	assert_int_equal(p->state, forwarding);
	stp_on(0, near);
	i = info(0, near);
	assert_int_equal(i.priority, 32);
	assert_int_equal(i.path_cost, 77);
	assert_int_equal(i.guards, STP_GUARD_TC);
	assert_true(i.admin_edge && i.oper_edge && !i.auto_edge);
	assert_false(i.oper_p2p);
	assert_int_equal(p->state, forwarding); /* an edge */
	assert_int_equal(
	    bridge_set_member_flags(w.br[0], near, BRIDGE_AUTOPTP, 0), 0);
	assert_true(info(0, near).oper_p2p);
	stp_on(0, near); /* again: nothing */
	assert_int_equal(w.timers.count, 1);
	assert_int_equal(
	    bridge_set_member_flags(w.br[0], near, 0, BRIDGE_STP), 0);
	assert_int_equal(w.timers.count, 0);
	assert_int_equal(p->state, forwarding);
	assert_int_equal(stp_port_count(bridge_stp(w.br[0])), 0);
	stp_on(0, near);
	assert_int_equal(info(0, near).path_cost, 77);
}

/* A change of one thing leaves the rest as it was: no port goes through
 * discarding for it. */
static void
test_hot_changes_touch_nothing_else(void **state)
{
	struct iface *b1, *b2, *a1 = cable(0, 1, &b1);
	struct station *a;
	struct iface *near = station(0, &a), *later;
	uint64_t before, events;

	(void)state;
	cable(0, 1, &b2);
	stp_on(0, near);
	run(5 * S);
	before =
	    info(0, a1).count.transitions + info(0, near).count.transitions;
	events = w.events.count[NET_EVENT_STP];
	assert_int_equal(bridge_set_if_priority(w.br[0], near, 16), 0);
	assert_int_equal(bridge_set_if_cost(w.br[0], near, 5), 0);
	assert_int_equal(bridge_set_member_flags(
	                     w.br[0], near, BRIDGE_PRIVATE, BRIDGE_DISCOVER),
	    0);
	assert_int_equal(bridge_set_member_flags(
	                     w.br[0], near, BRIDGE_EDGE, BRIDGE_AUTOEDGE),
	    0);
	assert_int_equal(
	    bridge_set_guards(w.br[0], near, STP_GUARD_ROOT, 0), 0);
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_MAX_AGE, 10), 0);
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_FWD_DELAY, 10), 0);
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_HOLD_COUNT, 10), 0);
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_PRIORITY, 4096), 0);
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_PROTO, STP_VERSION_RSTP), 0);
	later = station(0, &a);
	stp_on(0, later);
	assert_int_equal(bridge_delete(w.br[0], later), 0);
	run(3 * S);
	assert_int_equal(
	    info(0, a1).count.transitions + info(0, near).count.transitions,
	    before);
	assert_int_equal(port(0, a1)->state, forwarding);
	assert_int_equal(port(1, b1)->state, forwarding);
	/* The root has another identifier, and a port came and went. */
	assert_in_range(w.events.count[NET_EVENT_STP] - events, 1, 8);
}

/* Ranges, and FreeBSD's rule about the hello time. */
static void
test_ranges(void **state)
{
	static const struct {
		enum bridge_param what;
		uint32_t value;
		int err;
	} rows[] = {
		{ BRIDGE_PARAM_HELLO, 1, -EPERM },
		{ BRIDGE_PARAM_HELLO, 99, -EPERM },
		{ BRIDGE_PARAM_PROTO, 1, -EINVAL },
		{ BRIDGE_PARAM_PROTO, STP_VERSION_STP, 0 },
		{ BRIDGE_PARAM_HELLO, 0, -EINVAL },
		{ BRIDGE_PARAM_HELLO, 3, -EINVAL },
		{ BRIDGE_PARAM_HELLO, 1, 0 },
		{ BRIDGE_PARAM_FWD_DELAY, 3, -EINVAL },
		{ BRIDGE_PARAM_FWD_DELAY, 4, 0 },
		{ BRIDGE_PARAM_FWD_DELAY, 30, 0 },
		{ BRIDGE_PARAM_FWD_DELAY, 31, -EINVAL },
		{ BRIDGE_PARAM_MAX_AGE, 5, -EINVAL },
		{ BRIDGE_PARAM_MAX_AGE, 6, 0 },
		{ BRIDGE_PARAM_MAX_AGE, 40, 0 },
		{ BRIDGE_PARAM_MAX_AGE, 41, -EINVAL },
		{ BRIDGE_PARAM_HOLD_COUNT, 0, -EINVAL },
		{ BRIDGE_PARAM_HOLD_COUNT, 1, 0 },
		{ BRIDGE_PARAM_HOLD_COUNT, 10, 0 },
		{ BRIDGE_PARAM_HOLD_COUNT, 11, -EINVAL },
		{ BRIDGE_PARAM_PRIORITY, 61440, 0 },
		{ BRIDGE_PARAM_PRIORITY, 61441, -EINVAL },
		{ BRIDGE_PARAM_PRIORITY, 5000, 0 },
	};
	struct stp_info i;

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(rows); n++)
		assert_int_equal(
		    bridge_set_param(w.br[0], rows[n].what, rows[n].value),
		    rows[n].err);
	stp_get(bridge_stp(w.br[0]), &i);
	assert_int_equal(i.hello, 1);
	assert_int_equal(i.fwd_delay, 30);
	assert_int_equal(i.max_age, 40);
	assert_int_equal(i.hold_count, 10);
	assert_int_equal(i.priority, 4096);
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_PROTO, STP_VERSION_RSTP), 0);
	stp_get(bridge_stp(w.br[0]), &i);
	assert_int_equal(i.hello, 2);
}

/* Times that do not fit together are said, not refused. */
static void
test_times_that_do_not_fit_are_told(void **state)
{
	(void)state;
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_MAX_AGE, 28), 0);
	assert_int_equal(w.events.count[NET_EVENT_NOTICE], 0);
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_MAX_AGE, 29), 0);
	assert_int_equal(w.events.count[NET_EVENT_NOTICE], 1);
	assert_non_null(strstr(w.events.text, "maxage"));
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_FWD_DELAY, 16), 0);
	assert_int_equal(w.events.count[NET_EVENT_NOTICE], 1);
}

/* Not over a tunnel; a member that is none; no memory of a former member. */
static void
test_who_may(void **state)
{
	struct iface *tunnel = fixture_iface_up(w.net, "tunnel0");
	struct iface *stranger = feth();

	(void)state;
	assert_int_equal(bridge_add(w.br[0], tunnel), 0);
	assert_int_equal(
	    bridge_set_member_flags(w.br[0], tunnel, BRIDGE_STP, 0), -EINVAL);
	assert_non_null(strstr(w.net->message, "tunnel"));
	assert_int_equal(port(0, tunnel)->state, forwarding);
	assert_int_equal(port(0, tunnel)->flags & BRIDGE_STP, 0);
	assert_int_equal(
	    bridge_set_member_flags(w.br[0], stranger, BRIDGE_STP, 0), -ENOENT);
	assert_int_equal(
	    bridge_set_if_priority(w.br[0], stranger, 16), -ENOENT);
	assert_int_equal(bridge_set_if_cost(w.br[0], stranger, 16), -ENOENT);
	assert_int_equal(
	    bridge_set_guards(w.br[0], stranger, STP_GUARD_TC, 0), -ENOENT);
	assert_int_equal(bridge_mcheck(w.br[0], stranger), -ENOENT);
	assert_int_equal(bridge_mcheck(w.br[0], tunnel), -EINVAL);
	assert_int_equal(
	    bridge_set_if_cost(w.br[0], tunnel, STP_COST_MAX + 1), -EINVAL);
	assert_int_equal(bridge_set_if_priority(w.br[0], tunnel, 241), -EINVAL);
}

/* Ports have the lowest number that is free in their bridge. */
static void
test_port_numbers(void **state)
{
	struct iface *f[4];

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		f[i] = feth();
		assert_int_equal(bridge_add(w.br[0], f[i]), 0);
		stp_on(0, f[i]);
		assert_int_equal(info(0, f[i]).number, i + 1);
	}
	assert_int_equal(bridge_delete(w.br[0], f[1]), 0);
	assert_int_equal(bridge_add(w.br[1], f[1]), 0);
	stp_on(1, f[1]);
	assert_int_equal(info(1, f[1]).number, 1);
	assert_int_equal(bridge_delete(w.br[1], f[1]), 0);
	assert_int_equal(bridge_add(w.br[0], f[1]), 0);
	stp_on(0, f[1]);
	assert_int_equal(info(0, f[1]).number, 2);
}

/* The bridge goes down: no port is on, nothing is sent, no timer runs; it comes
 * up: they begin anew, discarding. */
static void
test_bridge_down_and_up(void **state)
{
	struct station *a;
	struct iface *near = station(0, &a), *b1, *a1 = cable(0, 1, &b1);
	uint32_t sent;

	(void)state;
	stp_on(0, near);
	run(5 * S);
	assert_int_equal(port(0, near)->state, forwarding);
	iface_set_flags(w.br[0], 0, IFACE_UP);
	assert_int_equal(port(0, near)->state, discarding);
	assert_int_equal(info(0, near).role, STP_ROLE_DISABLED);
	sent = a->bpdus;
	run(30 * S);
	assert_int_equal(a->bpdus, sent);
	assert_int_equal(info(1, b1).role, STP_ROLE_DESIGNATED);
	iface_set_flags(w.br[0], IFACE_UP, 0);
	assert_int_equal(port(0, near)->state, discarding);
	run(MS);
	assert_int_equal(port(0, a1)->state, forwarding);
	assert_int_equal(info(1, b1).role, STP_ROLE_ROOT);
	assert_int_equal(cross(0, 1), 1);
}

/* A link that flaps ten times a second never makes a loop, nor ends in one. */
static void
test_flapping_link(void **state)
{
	struct iface *a1 = cable(0, 1, NULL);

	(void)state;
	cable(1, 2, NULL);
	cable(2, 0, NULL);
	run(5 * S);
	for (uint32_t i = 0; i < 200; i++) {
		iface_set_flags(
		    a1, i % 2 == 0 ? 0 : IFACE_UP, i % 2 == 0 ? IFACE_UP : 0);
		run(50 * MS);
		assert_in_range(cross(0, 2), 0, 1);
		assert_in_range(cross(1, 2), 0, 1);
	}
	run(5 * S);
	assert_int_equal(cross(0, 1), 1);
	assert_int_equal(cross(0, 2), 1);
	assert_int_equal(cross(1, 2), 1);
}

/* A member leaves, or its interface ends: another way is found at once. */
static void
test_member_leaves(void **state)
{
	struct iface *b1, *b2, *b3;

	(void)state;
	cable(0, 1, &b1);
	cable(0, 1, &b2);
	cable(0, 1, &b3);
	run(5 * S);
	assert_int_equal(bridge_delete(w.br[1], b1), 0);
	assert_int_equal(port(1, b2)->state, forwarding);
	(void)net_iface_destroy(b2, NULL);
	assert_int_equal(port(1, b3)->state, forwarding);
	run(MS);
	assert_int_equal(cross(1, 0), 1);
}

/* A driver tells of a lost link while it is given a BPDU: the news waits. */
static void
test_link_changes_while_sending(void **state)
{
	struct iface *odd = fixture_iface_up(w.net, "odd0");
	struct iface *other = fixture_iface_up(w.net, "odd1");

	(void)state;
	assert_int_equal(bridge_add(w.br[0], odd), 0);
	assert_int_equal(bridge_add(w.br[0], other), 0);
	stp_on(0, odd);
	stp_on(0, other);
	run(5 * S);
	assert_int_equal(port(0, other)->state, forwarding);
	((struct odd *)(void *)odd)->unplug = other;
	run(3 * S);
	assert_int_equal(port(0, other)->state, discarding);
	assert_int_equal(info(0, other).role, STP_ROLE_DISABLED);
	assert_int_equal(port(0, odd)->state, forwarding);
}

/* `proto stp': Config BPDUs, and 30 seconds to forward; back to RSTP at once.
 */
static void
test_proto_stp(void **state)
{
	static const uint8_t config[] = { 0, 38, 0x42, 0x42, 3, 0, 0, 0, 0 };
	struct station *a;
	struct iface *near = station(0, &a), *b1;

	(void)state;
	stp_on(0, near);
	cable(0, 1, &b1);
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_PROTO, STP_VERSION_STP), 0);
	run(10 * S);
	assert_memory_equal(a->last + 12, config, sizeof(config));
	assert_false(info(0, near).rstp);
	assert_false(info(1, b1).rstp); /* it fell back */
	assert_int_equal(port(0, near)->state, discarding);
	run(40 * S);
	assert_int_equal(port(0, near)->state, forwarding);
	assert_int_equal(cross(0, 1), 1);
	assert_int_equal(
	    bridge_set_param(w.br[0], BRIDGE_PARAM_PROTO, STP_VERSION_RSTP), 0);
	run(5 * S);
	assert_true(info(1, b1).rstp); /* and returned, by what it heard */
	assert_int_equal(port(1, b1)->state, forwarding);
	assert_int_equal(cross(0, 1), 1);
}

/* A neighbour that spoke STP and is silent now: mcheck asks again. */
static void
test_mcheck(void **state)
{
	struct stp_bpdu config = better;
	struct station *a;
	struct iface *near = station(0, &a);

	(void)state;
	config.type = STP_BPDU_CONFIG;
	config.flags = 0;
	stp_on(0, near);
	run(4 * S);
	say_bpdu(a, &config);
	assert_false(info(0, near).rstp);
	run(60 * S);
	assert_false(info(0, near).rstp);
	assert_int_equal(bridge_mcheck(w.br[0], near), 0);
	assert_true(info(0, near).rstp);
	run(10 * S);
	assert_true(info(0, near).rstp);
	say_bpdu(a, &config);
	assert_false(info(0, near).rstp);
}

/* 100 000 BPDUs a second on a port: it hears 256 of them and tells once a
 * second; the others do not notice. */
static void
test_flood_of_bpdus_hurts_its_port_only(void **state)
{
	struct iface *b1, *a1 = cable(0, 1, &b1);
	struct station *a;
	struct iface *near = station(0, &a);
	struct stp_bpdu flood = better;
	uint64_t transitions, rst;
	uint32_t events;

	(void)state;
	stp_on(0, near);
	assert_int_equal(
	    bridge_set_guards(w.br[0], near, STP_GUARD_ROOT, 0), 0);
	run(5 * S);
	transitions = info(0, a1).count.transitions;
	rst = info(1, b1).count.rx_rst;
	events = w.events.count[NET_EVENT_STP];
	for (uint32_t ms = 0; ms < 5000; ms++) {
		for (uint32_t i = 0; i < 100; i++) {
			flood.root_id = better.root_id + (i & 1);
			say_bpdu(a, &flood);
		}
		run(MS);
		assert_int_equal(port(0, a1)->state, forwarding);
	}
	assert_int_equal(info(0, a1).count.transitions, transitions);
	assert_int_equal(info(0, a1).role, STP_ROLE_DESIGNATED);
	/* The neighbour gets its hellos, and no more for it. */
	assert_in_range(info(1, b1).count.rx_rst - rst, 2, 4);
	assert_in_range(
	    drops(near, DROP_BPDU_RATE), 500000 - 6 * 257, 500000 - 5 * 256);
	assert_int_equal(
	    info(0, near).count.rx_limited, drops(near, DROP_BPDU_RATE));
	assert_in_range(w.events.count[NET_EVENT_STP] - events, 1, 40);
	run(10 * S);
	assert_int_equal(info(0, a1).count.transitions, transitions);
}

/* Everything that is wrong with a BPDU is counted, on the interface and by
 * what it is, and changes nothing. */
static void
test_illegal_bpdus(void **state)
{
	static const struct {
		size_t at; /* octet of the frame, behind the LLC header: 17 + */
		uint16_t value;
		bool wide;
	} rows[] = {
		{ 17 + 0, 1, true },     /* protocol */
		{ 17 + 2, 1, false },    /* an RST of version 1, and ... */
		{ 17 + 2, 0, false },    /* ... of 0 */
		{ 17 + 3, 0x03, false }, /* types that there are not */
		{ 17 + 3, 0x7f, false },
		{ 17 + 3, 0xff, false },
		{ 17 + 29, 5 * 256, true }, /* max age */
		{ 17 + 29, 41 * 256, true },
		{ 17 + 29, 0xffff, true },
		{ 17 + 31, 0, true }, /* hello */
		{ 17 + 31, 0xffff, true },
		{ 17 + 33, 3 * 256, true }, /* forward delay */
		{ 17 + 33, 31 * 256, true },
		{ 17 + 27, 20 * 256, true }, /* message age */
		{ 17 + 27, 0xffff, true },
		{ 12, 2, true }, /* length */
		{ 12, 3 + 35, true },
		{ 12, 100, true },
		{ 12, 1500, true },
		{ 12, 0x0800, true },
		{ 14, 0xaaaa, true }, /* LLC */
		{ 16, 0x13, false },
	};
	struct station *a, *b;
	struct iface *near = station(0, &a);
	struct iface *other = station(0, &b);
	struct stp_info i;
	uint8_t data[64];
	uint64_t all;

	(void)state;
	stp_on(0, near);
	stp_on(0, other);
	run(5 * S);
	for (size_t n = 0; n < ARRAY_LEN(rows); n++) {
		bpdu_frame(&better, data);
		if (rows[n].wide)
			be16_put(data + rows[n].at, rows[n].value);
		else
			data[rows[n].at] = (uint8_t)rows[n].value;
		say(a, data, 60);
		assert_int_equal(drops(near, DROP_BPDU_BAD), n + 1);
	}
	/* Cut short anywhere. */
	for (uint32_t len = 14; len < 17 + 36; len++) {
		bpdu_frame(&better, data);
		say(a, data, len);
	}
	assert_int_equal(
	    drops(near, DROP_BPDU_BAD), ARRAY_LEN(rows) + 17 + 36 - 14);
	all = info(0, near).count.rx_invalid + info(0, near).count.rx_range +
	      info(0, near).count.rx_old;
	assert_int_equal(all, drops(near, DROP_BPDU_BAD));
	stp_get(bridge_stp(w.br[0]), &i);
	assert_int_equal(i.root_id, i.bridge_id);
	assert_int_equal(port(0, other)->state, forwarding);
	assert_int_equal(near->count.ierrors, drops(near, DROP_BPDU_BAD));
}

/* Our own identifier from elsewhere: the port's own BPDU is a loop through
 * itself and holds it; our own old one as root is not believed. */
static void
test_own_identifier(void **state)
{
	struct stp_bpdu own = better;
	struct station *a;
	struct iface *near = station(0, &a);
	struct stp_info i;
	uint8_t data[64];

	(void)state;
	stp_on(0, near);
	run(5 * S);
	assert_int_equal(port(0, near)->state, forwarding);
	stp_get(bridge_stp(w.br[0]), &i);
	own.root_id = i.bridge_id - (1ull << 60); /* another priority */
	say_bpdu(a, &own);
	assert_int_equal(info(0, near).count.rx_stale, 1);
	stp_get(bridge_stp(w.br[0]), &i);
	assert_int_equal(i.root_id, i.bridge_id);
	memcpy(data, a->last, 60);
	say(a, data, 60);
	assert_int_equal(info(0, near).count.rx_own, 1);
	assert_true(info(0, near).self_loop);
	assert_int_equal(port(0, near)->state, discarding);
	run(3 * S);
	assert_int_equal(port(0, near)->state, discarding);
	run(30 * S); /* it has not come again */
	assert_int_equal(port(0, near)->state, forwarding);
	assert_int_equal(drops(near, DROP_BPDU_BAD), 2);
}

/* A cable from a member to itself, by a hub; and between two members: one of
 * them is a backup. */
static void
test_loops_at_one_bridge(void **state)
{
	struct iface *f = feth(), *g = feth();

	(void)state;
	assert_int_equal(bridge_add(w.br[0], f), 0);
	assert_int_equal(bridge_add(w.br[0], g), 0);
	stp_on(0, f);
	stp_on(0, g);
	plug(f, g);
	run(5 * S);
	assert_int_equal(port(0, f)->state, forwarding);
	assert_int_equal(port(0, g)->state, discarding);
	assert_int_equal(info(0, g).role, STP_ROLE_BACKUP);
}

/* BPDU guard: any BPDU disables, until the link went or the guard is off. */
static void
test_bpdu_guard(void **state)
{
	struct station *a;
	struct iface *near = station(0, &a);

	(void)state;
	stp_on(0, near);
	assert_int_equal(
	    bridge_set_guards(w.br[0], near, STP_GUARD_BPDU, 0), 0);
	run(5 * S);
	assert_int_equal(port(0, near)->state, forwarding);
	say_bpdu(a, &better);
	assert_int_equal(port(0, near)->state, discarding);
	assert_true(info(0, near).err_disabled);
	assert_int_equal(drops(near, DROP_BPDU_GUARD), 1);
	assert_non_null(strstr(w.said, "disabled: a BPDU came"));
	run(600 * S);
	assert_int_equal(port(0, near)->state, discarding);
	assert_int_equal(
	    bridge_set_guards(w.br[0], near, 0, STP_GUARD_BPDU), 0);
	run(4 * S);
	assert_int_equal(port(0, near)->state, forwarding);
	assert_null(strstr(w.said, "stood still"));
	assert_int_equal(
	    bridge_set_guards(w.br[0], near, STP_GUARD_BPDU, 0), 0);
	say_bpdu(a, &better);
	iface_set_flags(near, 0, IFACE_UP);
	iface_set_flags(near, IFACE_UP, 0);
	run(4 * S);
	assert_int_equal(port(0, near)->state, forwarding);
}

/* BPDU filter: silent and deaf. */
static void
test_bpdu_filter(void **state)
{
	struct station *a;
	struct iface *near = station(0, &a);
	struct stp_info i;

	(void)state;
	assert_int_equal(
	    bridge_set_guards(w.br[0], near, STP_GUARD_FILTER, 0), 0);
	stp_on(0, near);
	run(10 * S);
	assert_int_equal(port(0, near)->state, forwarding);
	say_bpdu(a, &better);
	assert_int_equal(a->bpdus, 0);
	assert_int_equal(drops(near, DROP_BPDU_GUARD), 1);
	stp_get(bridge_stp(w.br[0]), &i);
	assert_int_equal(i.root_port, 0);
}

/* Root guard: a better root is refused and the port discards, as long as it
 * says so. */
static void
test_root_guard(void **state)
{
	struct station *a;
	struct iface *near = station(0, &a);
	struct stp_info i;

	(void)state;
	assert_int_equal(
	    bridge_set_guards(w.br[0], near, STP_GUARD_ROOT, 0), 0);
	stp_on(0, near);
	run(5 * S);
	say_bpdu(a, &better);
	assert_int_equal(port(0, near)->state, discarding);
	stp_get(bridge_stp(w.br[0]), &i);
	assert_int_equal(i.root_port, 0);
	run(60 * S);
	assert_int_equal(port(0, near)->state, forwarding);
}

/* Loop guard and bridge assurance: silence is a fault. */
static void
test_loop_guard_and_assurance(void **state)
{
	static const uint32_t guards[] = { STP_GUARD_LOOP,
		STP_GUARD_ASSURANCE };

	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(guards); g++) {
		struct station *a;
		struct iface *near = station(0, &a);

		assert_int_equal(
		    bridge_set_guards(w.br[0], near, guards[g], 0), 0);
		stp_on(0, near);
		say_bpdu(a, &better);
		run(2500 * MS);
		say_bpdu(a, &better);
		assert_int_equal(info(0, near).role, STP_ROLE_ROOT);
		run(60 * S);
		assert_int_equal(port(0, near)->state, discarding);
		assert_true(info(0, near).inconsistent);
		say_bpdu(a, &better);
		assert_false(info(0, near).inconsistent);
		assert_int_equal(info(0, near).role, STP_ROLE_ROOT);
		assert_int_equal(bridge_delete(w.br[0], near), 0);
		run(60 * S);
	}
}

/* TC guard: what is told there flushes nothing elsewhere. */
static void
test_tc_guard(void **state)
{
	struct fdb *fdb = &bridge_of(w.br[0])->fdb;
	struct stp_bpdu tc = better;
	struct station *a, *b;
	struct iface *near = station(0, &a), *other = station(0, &b);

	(void)state;
	tc.flags |= STP_FLAG_TC;
	tc.root_id = tc.bridge_id = 0xf000020000000009u; /* worse */
	tc.flags = (uint8_t)(STP_BPDU_ROLE_ROOT << 2 | STP_FLAG_TC |
	                     STP_FLAG_AGREEMENT);
	bridge_set_member_flags(w.br[0], other, 0, BRIDGE_AUTOEDGE);
	stp_on(0, near);
	stp_on(0, other);
	run(60 * S);
	for (uint32_t guard = 0; guard < 2; guard++) {
		assert_int_equal(bridge_set_guards(w.br[0], near,
		                     guard != 0 ? STP_GUARD_TC : 0, 0),
		    0);
		say_data(b, 0xffffffffffff, 0x020000000011);
		assert_int_equal(fdb_count(fdb), 1);
		say_bpdu(a, &tc);
		assert_int_equal(fdb_count(fdb), guard);
		run(60 * S);
	}
}

/* States and what is noticed: a line in the log if log_stp is on, and an event
 * in any case. */
static char logged[256];
static uint32_t log_lines;

static void
sink(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	assert_int_equal(level, COAX_LOG_NOTICE);
	log_lines++;
	if (strstr(line, "state") != NULL)
		snprintf(logged, sizeof(logged), "%s", line);
}

static void
test_log_and_events(void **state)
{
	struct station *a;
	struct iface *near = station(0, &a);

	(void)state;
	log_set_sink(sink, NULL);
	stp_on(0, near);
	run(5 * S);
	assert_int_equal(log_lines, 0);
	assert_in_range(w.events.count[NET_EVENT_STP], 3, 8);
	assert_int_equal(bridge_tunable_set(w.net->home, BRIDGE_LOG_STP, 1), 0);
	iface_set_flags(near, 0, IFACE_UP);
	assert_string_equal(
	    logged, "bridge0: state changed to discarding on feth0");
	iface_set_flags(near, IFACE_UP, 0);
	run(5 * S);
	assert_string_equal(
	    logged, "bridge0: state changed to forwarding on feth0");
	log_lines = 0;
	/* Whoever flaps fills nobody's log. */
	for (uint32_t i = 0; i < 5000; i++) {
		iface_set_flags(
		    near, i % 2 == 0 ? 0 : IFACE_UP, i % 2 == 0 ? IFACE_UP : 0);
	}
	assert_int_equal(log_lines, 1000);
	log_set_sink(NULL, NULL);
}

/* The worker stood still for longer than neighbours wait: ports start anew. */
static void
test_a_long_sleep_begins_anew(void **state)
{
	struct iface *a1 = cable(0, 1, NULL);

	(void)state;
	run(5 * S);
	assert_int_equal(port(0, a1)->state, forwarding);
	w.net->now_ns += 30 * S;
	(void)timerheap_run(&w.timers, w.net->now_ns, 1);
	assert_true(port(0, a1)->state == discarding ||
	            port(0, a1)->state == forwarding);
	run(MS);
	assert_int_equal(cross(0, 1), 1);
}

/* Ticks of many bridges fall into few places of a second, and bridges without
 * spanning tree have none. */
static void
test_ticks_share_places(void **state)
{
	uint64_t places[64];
	uint32_t count = 0;
	char name[16];

	(void)state;
	for (uint32_t i = 0; i < 300; i++) {
		struct iface *br, *f = feth();
		uint64_t place;
		uint32_t n = 0;

		snprintf(name, sizeof(name), "bridge%u", 10 + i);
		br = fixture_iface_up(w.net, name);
		assert_int_equal(bridge_add(br, f), 0);
		assert_int_equal(w.timers.count, i);
		assert_int_equal(
		    bridge_set_member_flags(br, f, BRIDGE_STP, 0), 0);
		iface_set_link(f, IFACE_LINK_UP);
		assert_int_equal(w.timers.count, i + 1);
		place = bridge_of(br)->stp_timer.due_ns % S;
		while (n < count && places[n] != place)
			n++;
		if (n < count)
			continue;
		assert_in_range(count, 0, 63);
		places[count++] = place;
		w.net->now_ns += 12345678;
	}
	assert_in_range(count, 8, 32);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_wires),
		TEST(test_root_is_by_priority_and_address),
		TEST(test_bpdus_are_taken_and_never_relayed),
		TEST(test_sent_frame),
		TEST(test_tagged_only_ports_on_a_filtering_bridge),
		TEST(test_over_vlan_interfaces),
		TEST(test_no_frame_passes_after_the_bpdu),
		TEST(test_flush_is_at_once_and_per_port),
		TEST(test_changes_in_a_row_are_told_at_once),
		TEST(test_settings_wait_for_stp),
		TEST(test_hot_changes_touch_nothing_else),
		TEST(test_ranges),
		TEST(test_times_that_do_not_fit_are_told),
		TEST(test_who_may),
		TEST(test_port_numbers),
		TEST(test_bridge_down_and_up),
		TEST(test_flapping_link),
		TEST(test_member_leaves),
		TEST(test_link_changes_while_sending),
		TEST(test_proto_stp),
		TEST(test_mcheck),
		TEST(test_flood_of_bpdus_hurts_its_port_only),
		TEST(test_illegal_bpdus),
		TEST(test_own_identifier),
		TEST(test_loops_at_one_bridge),
		TEST(test_bpdu_guard),
		TEST(test_bpdu_filter),
		TEST(test_root_guard),
		TEST(test_loop_guard_and_assurance),
		TEST(test_tc_guard),
		TEST(test_log_and_events),
		TEST(test_a_long_sleep_begins_anew),
		TEST(test_ticks_share_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

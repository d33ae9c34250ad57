/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile port on a network of real bridges that has converged: A and B with
 * two wires between them, C with one to each, and a stranger on a member of A.
 *
 * The input is a list of records; the first octet says which:
 *   BYTES   a length and so many octets behind a BPDU's destination address
 *   FIELDS  a BPDU by its fields, most of them out of lists of values that
 *           mean something: identifiers of bridges that there are, times at
 *           the ends of their ranges
 *   TIME    0 to 7.75 seconds pass
 *   COMMAND the operator changes something at the stranger's port, or A
 *
 * Always: what spanning tree says and what the bridge does agree, no port
 * forwards in a role that must not, nobody sends more than the hold count
 * allows, the machines come to rest in bounded steps.  At the end, a minute
 * after the stranger has gone: one tree that spans.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ether.h"
#include "base/timerheap.h"
#include "base/util.h"
#include "bridge/bridge_impl.h"
#include "drv/drv.h"
#include "net/keyword.h"

#define S       1000000000ull
#define BRIDGES 3u
#define WIRES   4u
#define HOLD    6u
#define STEPS   64u /* of one port, in one event */
#define RECORDS 200u

enum {
	BYTES,
	FIELDS,
	TIME,
	COMMAND,
	RECORD_TYPES
};

static const struct iface_ops *const kinds[] = { &feth_ops, &bridge_ops, NULL };

static struct world {
	struct net *net;
	struct timerheap timers;
	struct iface *br[BRIDGES];
	struct iface *ends[2 * WIRES]; /* 2n and 2n + 1 are the ends of n */
	struct iface *door, *stranger; /* A's member, and its far end */
	struct iface_stack stack;      /* the stranger's */
	uint64_t sent[16];             /* when BPDUs came out of the door */
	uint32_t sent_count;
} w;

/* Which bridges a wire joins. */
static const uint32_t joins[WIRES][2] = { { 0, 1 }, { 0, 1 }, { 1, 2 },
	{ 2, 0 } };

static void
heard(struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	(void)s;
	(void)ifp;
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct frame *f = batch->frames[i];

		if (ether_is_reserved(f->data)) {
			uint64_t *at =
			    &w.sent[w.sent_count++ % ARRAY_LEN(w.sent)];

			*at = w.net->now_ns;
		}
		frame_release(batch->frames[i]);
	}
}

static void
changed(struct iface_stack *s, struct iface *ifp, uint32_t what)
{
	(void)s, (void)ifp, (void)what;
}

static void
detached(struct iface_stack *s, struct iface *ifp)
{
	(void)s;
	iface_stack_detach(ifp);
}

static struct iface *
up(const char *kind)
{
	struct iface *ifp;

	ASSERT(net_iface_create(w.net, NULL, kind, &ifp) == 0);
	ASSERT(iface_set_flags(ifp, IFACE_UP, 0) == 0);
	return ifp;
}

static void
plug(struct iface *a, struct iface *b)
{
	const struct iface_keyword *k = a->ops->keywords;
	union keyword_value v[KEYWORD_ARGS_MAX] = { { .str = b->name } };

	while (strcmp(k->name, "peer") != 0)
		k++;
	ASSERT(k->apply(a, v) == 0);
}

static void
join(uint32_t b, struct iface *ifp)
{
	ASSERT(bridge_add(w.br[b], ifp) == 0);
	ASSERT(bridge_set_member_flags(w.br[b], ifp, BRIDGE_STP, 0) == 0);
}

static void
check_port(uint32_t b, const struct iface *ifp)
{
	const struct bridge_port *p = bridge_member(bridge_of(w.br[b]), ifp);
	struct stp_port_info i;

	if ((p->flags & BRIDGE_STP) == 0)
		return;
	ASSERT(stp_port_get(bridge_stp(w.br[b]), (uint16_t)p->number, &i) == 0);
	ASSERT((p->state == BRIDGE_STP_FORWARDING) ==
	       (i.state == STP_STATE_FORWARDING));
	ASSERT((p->state == BRIDGE_STP_LEARNING) ==
	       (i.state == STP_STATE_LEARNING));
	if (i.state == STP_STATE_DISCARDING)
		return;
	ASSERT(i.role == STP_ROLE_ROOT || i.role == STP_ROLE_DESIGNATED);
	ASSERT(i.enabled && !i.self_loop && !i.err_disabled && !i.inconsistent);
}

static void
check(void)
{
	for (uint32_t i = 0; i < 2 * WIRES; i++)
		check_port(joins[i / 2][i % 2], w.ends[i]);
	check_port(0, w.door);
	for (uint32_t b = 0; b < BRIDGES; b++)
		ASSERT(stp_steps_max(bridge_stp(w.br[b])) <= STEPS);
	/* Hold + 1 in less than a second, across a tick. */
	if (w.sent_count > HOLD + 1) {
		uint32_t last = w.sent_count - 1;

		ASSERT(w.sent[last % ARRAY_LEN(w.sent)] -
		           w.sent[(last - HOLD - 1) % ARRAY_LEN(w.sent)] >=
		       S / 2);
	}
}

static void
run(uint64_t duration_ns)
{
	uint64_t end_ns = w.net->now_ns + duration_ns, due_ns;

	for (;;) {
		while (net_poll(w.net))
			;
		check();
		due_ns = timerheap_next_due(&w.timers);
		if (due_ns > end_ns)
			break;
		w.net->now_ns = COAX_MAX(w.net->now_ns, due_ns);
		(void)timerheap_run(&w.timers, w.net->now_ns, 64);
	}
	w.net->now_ns = end_ns;
}

static void
begin(void)
{
	struct net_options o = {
		.pool = { .small_count = 512, .large_count = 8 },
		.kinds = kinds,
		.hash_seed = 1,
		.random_seed = 2,
		.now_ns = S,
	};

	memset(&w, 0, sizeof(w));
	ASSERT(net_create(&o, &w.net) == 0);
	w.net->timers = &w.timers;
	ASSERT(drv_init(w.net, NULL) == 0);
	for (uint8_t b = 0; b < BRIDGES; b++) {
		const uint8_t mac[6] = { 2, 0, 0, 0xbb, 0, b };

		w.br[b] = up("bridge");
		ASSERT(iface_set_lladdr(w.br[b], mac) == 0);
	}
	for (uint32_t i = 0; i < 2 * WIRES; i++) {
		w.ends[i] = up("feth");
		join(joins[i / 2][i % 2], w.ends[i]);
		if (i % 2 == 1)
			plug(w.ends[i], w.ends[i - 1]);
	}
	w.door = up("feth");
	w.stranger = up("feth");
	w.stack = (struct iface_stack){
		.input = heard,
		.changed = changed,
		.detach = detached,
		.master = w.stranger,
	};
	ASSERT(iface_stack_attach(w.stranger, &w.stack) == 0);
	join(0, w.door);
	plug(w.door, w.stranger);
	run(5 * S);
}

/* One tree: as many wires forward at both ends as it takes, and they reach all
 * bridges. */
static void
check_tree(void)
{
	uint32_t group[BRIDGES] = { 0, 1, 2 }, count = 0;

	for (uint32_t i = 0; i < WIRES; i++) {
		uint32_t a = joins[i][0], b = joins[i][1], old = group[b];

		if (bridge_member(bridge_of(w.br[a]), w.ends[2 * i])->state !=
		        BRIDGE_STP_FORWARDING ||
		    bridge_member(bridge_of(w.br[b]), w.ends[2 * i + 1])
		            ->state != BRIDGE_STP_FORWARDING)
			continue;
		count++;
		for (uint32_t k = 0; k < BRIDGES; k++) {
			if (group[k] == old)
				group[k] = group[a];
		}
	}
	ASSERT(count == BRIDGES - 1);
	ASSERT(group[0] == group[1] && group[1] == group[2]);
}

static void
say(const uint8_t *data, size_t len)
{
	struct frame_batch batch = { .count = 1 };
	struct frame *f = frame_alloc(w.net->pool, 128);

	ASSERT(f != NULL);
	memset(f->data, 0, 60);
	memcpy(f->data, data, len);
	f->len = (uint32_t)COAX_MAX(len, 14u);
	batch.frames[0] = f;
	iface_output(w.stranger, &batch);
	run(0);
}

static void
say_bytes(struct rd *r)
{
	static const uint8_t group[6] = { 0x01, 0x80, 0xc2, 0, 0, 0 };
	uint8_t data[80];
	size_t len = rd_u8(r) % (sizeof(data) - 6);

	len = COAX_MIN(len, rd_left(r));
	memcpy(data, group, 6);
	if (len > 0)
		memcpy(data + 6, rd_bytes(r, len), len);
	say(data, len + 6);
}

static uint64_t
bridge_id(uint8_t v)
{
	static const uint64_t ids[] = { 0x8000020000bb0000u,
		0x8000020000bb0001u, 0x8000020000bb0002u, 0x7000020000bb0000u,
		0x1000020000000001u, 0xf0000200000000ffu, 0, UINT64_MAX };

	return ids[v % ARRAY_LEN(ids)] ^ (uint64_t)(v >> 3) << 32;
}

static uint16_t
seconds(uint8_t v)
{
	static const uint16_t times[] = { 0, 1, 2, 6, 15, 19, 20, 40 };

	return (v & 8) != 0 ? (uint16_t)(v >> 2) : times[v % ARRAY_LEN(times)];
}

static void
say_fields(struct rd *r)
{
	static const uint8_t src[6] = { 2, 0, 0, 0, 0, 1 };
	static const enum stp_bpdu_type types[] = { STP_BPDU_RST, STP_BPDU_RST,
		STP_BPDU_CONFIG, STP_BPDU_TCN };
	static const uint32_t costs[] = { 0, 1, 2000, 4000, 200000000,
		UINT32_MAX };
	uint8_t data[STP_BPDU_LEN_MAX], frame[STP_FRAME_LEN_MAX];
	struct stp_bpdu b = { 0 };

	b.type = types[rd_u8(r) % ARRAY_LEN(types)];
	b.flags = rd_u8(r);
	b.root_id = bridge_id(rd_u8(r));
	b.root_path_cost = costs[rd_u8(r) % ARRAY_LEN(costs)];
	b.bridge_id = bridge_id(rd_u8(r));
	b.port_id = (uint16_t)(0x8000 + rd_u8(r) % 8);
	b.times = (struct stp_times){ seconds(rd_u8(r)), seconds(rd_u8(r)),
		seconds(rd_u8(r)), seconds(rd_u8(r)) };
	say(frame,
	    stp_frame_encode(src, data, stp_bpdu_encode(&b, data), frame));
}

static void
command(uint8_t what, uint8_t v)
{
	switch (what % 9) {
	case 0:
		(void)bridge_set_guards(w.br[0], w.door, v, 0);
		break;
	case 1:
		(void)bridge_set_guards(w.br[0], w.door, 0, v);
		break;
	case 2:
		(void)iface_set_flags(
		    w.door, v & 1 ? IFACE_UP : 0, v & 1 ? 0 : IFACE_UP);
		break;
	case 3:
		(void)bridge_set_member_flags(w.br[0], w.door,
		    v & 1 ? BRIDGE_EDGE : 0, v & 1 ? 0 : BRIDGE_EDGE);
		break;
	case 4:
		(void)bridge_set_member_flags(w.br[0], w.door,
		    v & 1 ? BRIDGE_PTP : 0, v & 1 ? 0 : BRIDGE_PTP);
		break;
	case 5:
		(void)bridge_set_param(w.br[0], BRIDGE_PARAM_PROTO,
		    v & 1 ? STP_VERSION_STP : STP_VERSION_RSTP);
		break;
	case 6:
		(void)bridge_set_param(
		    w.br[0], BRIDGE_PARAM_PRIORITY, v * 256u);
		break;
	case 7:
		(void)bridge_mcheck(w.br[0], w.door);
		break;
	case 8:
		(void)bridge_set_member_flags(w.br[0], w.door,
		    v & 1 ? BRIDGE_STP : 0, v & 1 ? 0 : BRIDGE_STP);
		break;
	}
	w.sent_count = 0; /* who begins anew, counts anew (17.26) */
	run(0);
}

static void
record(struct rd *r)
{
	uint8_t what;

	switch (rd_u8(r) % RECORD_TYPES) {
	case BYTES:
		say_bytes(r);
		return;
	case FIELDS:
		say_fields(r);
		return;
	case TIME:
		run((rd_u8(r) % 32) * (S / 4));
		return;
	case COMMAND:
		what = rd_u8(r);
		command(what, rd_u8(r));
		return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct frame_pool_stats s;

	begin();
	check_tree();
	for (uint32_t i = 0; i < RECORDS && rd_left(&r) > 0; i++)
		record(&r);
	(void)iface_set_flags(w.door, 0, IFACE_UP);
	run(120 * S);
	check_tree();
	frame_pool_stats(w.net->pool, &s);
	ASSERT(s.small_free == s.small_total && s.large_free == s.large_total);
	net_destroy(w.net);
	timerheap_fini(&w.timers);
	return 0;
}

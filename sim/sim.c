/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine: see sim.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "bridge/bridge_impl.h"
#include "drv/drv.h"
#include "net/keyword.h"
#include "sim/sim.h"
#include "stp/stp_impl.h"

#define DELAY_NS     (1 * SIM_MS)
#define LATE_NS      (20 * SIM_MS) /* out of order by at most that */
#define HOPS_MAX     20000u
#define POOL_SMALL   1024u
#define POOL_LARGE   4u
#define FRAME_LENGTH 60u
#define NOTICE_NS    ((STP_MIGRATE_TIME + 2 * 2) * SIM_S) /* L4 */
#define LOCAL_START  (10 * SIM_S) /* what a clock shows at least at time 0 */

const char *const sim_excuse_names[SIM_EXCUSES] = {
	[SIM_EXCUSE_NONE] = "not excused",
	[SIM_EXCUSE_LOSS] = "more than three BPDUs lost in a row",
	[SIM_EXCUSE_ONE_WAY] = "a link carries one way, with STP",
	[SIM_EXCUSE_FORCED] = "a shared LAN taken for point-to-point",
	[SIM_EXCUSE_UNSEEN] = "a cable moved, unseen",
	[SIM_EXCUSE_FORGED] = "BPDUs made up",
	[SIM_EXCUSE_INFINITY] = "count to infinity",
};

static const struct iface_ops *const kinds[] = { &feth_ops, &bridge_ops, NULL };

static void *
grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room == 0 ? 16 : *room * 2;
	array = realloc(array, *room * size);
	ASSERT(array != NULL);
	return array;
}

void
sim_init(struct sim *s, uint64_t seed)
{
	*s = (struct sim){
		.loop_since_ns = UINT64_MAX,
		.parted_since_ns = UINT64_MAX,
	};
	s->prng = prng_init(seed);
}

void
sim_fini(struct sim *s)
{
	for (uint32_t i = 0; i < s->node_count; i++) {
		net_destroy(s->nodes[i]->net);
		timerheap_fini(&s->nodes[i]->timers);
		free(s->nodes[i]);
	}
	for (uint32_t i = 0; i < s->port_count; i++)
		free(s->ports[i]);
	for (uint32_t i = 0; i < s->lan_count; i++)
		free(s->lans[i].ends);
	free(s->heap);
	free(s->nodes);
	free(s->ports);
	free(s->lans);
	free(s->leaving);
	free(s->sent_lines);
}

void
sim_problem(struct sim *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (s->problem[0] != '\0')
		return;
	n = snprintf(s->problem, sizeof(s->problem),
	    "at %.6f s: ", (double)s->now_ns / 1e9);
	va_start(ap, fmt);
	vsnprintf(s->problem + n, sizeof(s->problem) - (size_t)n, fmt, ap);
	va_end(ap);
	if (s->trace)
		sim_trace_all(s, "VIOLATION %s", s->problem);
}

void
sim_excuse(struct sim *s, uint64_t for_ns, enum sim_excuse why)
{
	s->excused_ns[why] = COAX_MAX(s->excused_ns[why], s->now_ns + for_ns);
}

/* The heap. */

static bool
before(const struct sim_event *a, const struct sim_event *b)
{
	if (a->ns != b->ns)
		return a->ns < b->ns;
	if (a->node != b->node)
		return a->node < b->node;
	if (a->port != b->port)
		return a->port < b->port;
	return a->order < b->order;
}

static void
event_add(struct sim *s, struct sim_event ev)
{
	uint32_t i;

	ev.order = ++s->order;
	s->heap = grow(s->heap, s->heap_count, &s->heap_room, sizeof(*s->heap));
	for (i = s->heap_count++; i > 0; i = (i - 1) / 2) {
		if (!before(&ev, &s->heap[(i - 1) / 2]))
			break;
		s->heap[i] = s->heap[(i - 1) / 2];
	}
	s->heap[i] = ev;
}

static struct sim_event
event_take(struct sim *s)
{
	struct sim_event first = s->heap[0], last = s->heap[--s->heap_count];
	uint32_t i = 0;

	for (;;) {
		uint32_t c = 2 * i + 1;

		if (c >= s->heap_count)
			break;
		if (c + 1 < s->heap_count &&
		    before(&s->heap[c + 1], &s->heap[c]))
			c++;
		if (!before(&s->heap[c], &last))
			break;
		s->heap[i] = s->heap[c];
		i = c;
	}
	if (s->heap_count > 0)
		s->heap[i] = last;
	return first;
}

/* Clocks. */

static uint64_t
local_ns(const struct sim *s, const struct sim_node *n)
{
	int64_t drift = (int64_t)(s->now_ns / 1000) * n->ppm / 1000;

	return (uint64_t)((int64_t)(n->began_ns + s->now_ns) + drift);
}

static void
set_clock(const struct sim *s, struct sim_node *n)
{
	n->net->now_ns = local_ns(s, n);
}

/* When the node's clock shows @local, or a little later; not before now. */
static uint64_t
global_ns(const struct sim *s, const struct sim_node *n, uint64_t local)
{
	uint64_t rate = (uint64_t)(1000000 + n->ppm), since;

	if (local <= local_ns(s, n))
		return s->now_ns;
	since = local - n->began_ns;
	if (n->ppm == 0)
		return since;
	return since / rate * 1000000 + since % rate * 1000000 / rate + 11;
}

static void
arm(struct sim *s, uint32_t node)
{
	struct sim_node *n = s->nodes[node];
	uint64_t due = timerheap_next_due(&n->timers), at;

	if (!n->alive || due == TIMERHEAP_NEVER) {
		n->armed_ns = STP_NEVER;
		return;
	}
	at = global_ns(s, n, due);
	if (at == n->armed_ns)
		return;
	n->armed_ns = at;
	event_add(s,
	    (struct sim_event){
	        .ns = at, .node = node, .port = SIM_NONE, .type = SIM_TIMER });
}

/* The end of each event of a node: all that it set off is done. */
static void
settle(struct sim *s, uint32_t node)
{
	while (net_poll(s->nodes[node]->net))
		;
	sim_check_node(s, node);
	arm(s, node);
}

/* The beginning: what is due by now comes first, as an event of its own. */
static void
begin(struct sim *s, uint32_t node)
{
	struct sim_node *n = s->nodes[node];

	set_clock(s, n);
	while (n->alive && timerheap_run(&n->timers, n->net->now_ns, 1) > 0) {
		s->in_tick = true;
		settle(s, node);
		s->in_tick = false;
	}
}

/* What is where. */

uint32_t
sim_node_find(const struct sim *s, const char *name)
{
	for (uint32_t i = 0; i < s->node_count; i++) {
		if (strcmp(s->nodes[i]->name, name) == 0)
			return i;
	}
	return SIM_NONE;
}

uint32_t
sim_lan_find(const struct sim *s, const char *name)
{
	for (uint32_t i = 0; i < s->lan_count; i++) {
		if (strcmp(s->lans[i].name, name) == 0)
			return i;
	}
	return SIM_NONE;
}

uint32_t
sim_port_find(const struct sim *s, uint32_t node, uint64_t number)
{
	return number <= SIM_PORT_MAX ? s->nodes[node]->ports[number]
	                              : SIM_NONE;
}

bool
sim_carries(const struct sim *s, const struct sim_port *p)
{
	return p->present && !p->down && p->lan != SIM_NONE &&
	       !s->lans[p->lan].down;
}

bool
sim_usable(const struct sim *s, const struct sim_port *p)
{
	return p->link && s->nodes[p->node]->alive && sim_carries(s, p);
}

const struct stp *
sim_stp(const struct sim *s, uint32_t node)
{
	return bridge_stp(s->nodes[node]->bridge);
}

const struct fdb *
sim_fdb(const struct sim *s, uint32_t node)
{
	return &bridge_of_const(s->nodes[node]->bridge)->fdb;
}

uint32_t
sim_now_s(const struct sim *s, uint32_t node)
{
	return (uint32_t)(local_ns(s, s->nodes[node]) / SIM_S);
}

const struct stp_port *
sim_stp_port(const struct sim *s, const struct sim_port *p)
{
	const struct stp *stp = sim_stp(s, p->node);

	for (uint32_t i = 0; i < stp->port_count; i++) {
		if (stp->ports[i].number == p->number)
			return &stp->ports[i];
	}
	return NULL;
}

enum stp_state
sim_state(const struct sim *s, const struct sim_port *p)
{
	const struct bridge *br = bridge_of_const(s->nodes[p->node]->bridge);
	const struct bridge_port *bp;

	if (!p->present || !s->nodes[p->node]->alive)
		return STP_STATE_DISCARDING;
	bp = br->ports[p->number];
	switch (bp->state) {
	case BRIDGE_STP_LEARNING:
		return STP_STATE_LEARNING;
	case BRIDGE_STP_FORWARDING:
		return STP_STATE_FORWARDING;
	case BRIDGE_STP_DISCARDING:
		return STP_STATE_DISCARDING;
	}
	COAX_UNREACHABLE();
}

/* Frames. */

static struct frame *
frame_of(struct sim *s, uint32_t node, const uint8_t *data, size_t len)
{
	struct frame *f = frame_alloc(s->nodes[node]->net->pool, FRAME_LENGTH);

	ASSERT(f != NULL && len <= FRAME_LENGTH);
	memset(f->data, 0, FRAME_LENGTH);
	memcpy(f->data, data, len);
	f->len = FRAME_LENGTH;
	return f;
}

/* Into a port, by the engine's end of its wire. */
static void
inject(struct sim *s, struct sim_port *p, const uint8_t *data, size_t len)
{
	struct frame_batch batch = {
		.count = 1,
		.frames = { frame_of(s, p->node, data, len) },
	};

	begin(s, p->node);
	iface_output(p->far, &batch);
	settle(s, p->node);
}

static void
wire_add(
    struct sim *s, uint32_t to, uint64_t at, const uint8_t *bpdu, size_t len)
{
	struct sim_event ev = {
		.ns = at,
		.node = s->ports[to]->node,
		.port = s->ports[to]->number,
		.plugged = s->ports[to]->plugged,
		.type = SIM_BPDU,
		.len = (uint8_t)len,
	};

	memcpy(ev.data, bpdu, len);
	event_add(s, ev);
}

static bool
chance(struct sim *s, uint32_t of_1000)
{
	return of_1000 > 0 && prng_chance(&s->prng, of_1000, 1000);
}

/* A BPDU on its way to one end of a LAN. */
static void
wire(struct sim *s, const struct sim_port *from, uint32_t to,
    const uint8_t *bpdu, size_t len)
{
	struct sim_port *p = s->ports[to];
	uint64_t at = s->now_ns + s->lans[from->lan].delay_ns;

	if (chance(s, s->faults.loss)) {
		if (++p->lost_in_row > 3)
			sim_excuse(s, 10 * SIM_S, SIM_EXCUSE_LOSS);
		return;
	}
	if (p->deaf)
		return;
	p->lost_in_row = 0;
	if (s->faults.jitter_us > 0)
		at += prng_below(&s->prng, s->faults.jitter_us) * 1000;
	if (at <= p->last_arrival_ns && !chance(s, s->faults.reorder))
		at = p->last_arrival_ns + 1;
	p->last_arrival_ns = COAX_MAX(p->last_arrival_ns, at);
	wire_add(s, to, at, bpdu, len);
	if (chance(s, s->faults.duplicate))
		wire_add(s, to, at + prng_below(&s->prng, SIM_MS), bpdu, len);
}

static void
sent_bpdu(struct sim *s, struct sim_port *p, const struct frame *f)
{
	const uint8_t *bpdu;
	size_t len;

	if (stp_frame_decode(f->data, f->len, &bpdu, &len) < 0 ||
	    len > STP_BPDU_LEN_MAX) {
		sim_problem(s, "P7: %s.%u sent what is no BPDU",
		    s->nodes[p->node]->name, p->number);
		return;
	}
	sim_check_sent(s, p, f->data, f->len, bpdu, len);
	if (s->trace)
		sim_trace_bpdu(s, p, bpdu, len);
	if (!sim_carries(s, p))
		return;
	for (uint32_t i = 0; i < s->lans[p->lan].end_count; i++) {
		uint32_t to = s->lans[p->lan].ends[i];

		if (s->ports[to] != p && sim_carries(s, s->ports[to]))
			wire(s, p, to, bpdu, len);
	}
}

static uint32_t
index_of(const struct sim_port *p)
{
	return p->sim->nodes[p->node]->ports[p->number];
}

/* The engine's end of a wire: a port has sent. */
static void
far_input(struct iface_stack *st, struct iface *ifp, struct frame_batch *batch)
{
	struct sim_port *p = CONTAINER_OF(st, struct sim_port, stack);
	struct sim *s = p->sim;

	(void)ifp;
	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		if (!s->nodes[p->node]->alive) {
			; /* it dies, port by port */
		} else if (ether_equal(f->data, eth_stp_group)) {
			sent_bpdu(s, p, f);
		} else {
			s->leaving = grow(s->leaving, s->leaving_count,
			    &s->leaving_room, sizeof(*s->leaving));
			s->leaving[s->leaving_count++] = index_of(p);
		}
		frame_release(f);
	}
}

static void
far_changed(struct iface_stack *st, struct iface *ifp, uint32_t what)
{
	(void)st, (void)ifp, (void)what;
}

static void
far_detach(struct iface_stack *st, struct iface *ifp)
{
	(void)st;
	iface_stack_detach(ifp);
}

/* Nodes, LANs, ports. */

static struct iface *
iface_new(struct net *net, const char *kind)
{
	struct iface *ifp;

	ASSERT(net_iface_create(net, NULL, kind, &ifp) == 0);
	ASSERT(iface_set_flags(ifp, IFACE_UP, 0) == 0);
	return ifp;
}

/* The bridge ticks at a certain place of its clock's seconds, which its name
 * gives: set the clock so that the first tick is @phase_ns from now. */
static void
node_start(struct sim *s, struct sim_node *n, uint64_t phase_ns)
{
	uint8_t mac[6];
	uint64_t place, now;

	set_clock(s, n);
	n->bridge = iface_new(n->net, "bridge");
	place = bridge_stp(n->bridge)->next_tick_ns % SIM_S;
	(void)net_iface_destroy(n->bridge, NULL);
	now = local_ns(s, n);
	n->began_ns += (place + 2 * SIM_S - phase_ns - now % SIM_S) % SIM_S;
	set_clock(s, n);
	n->bridge = iface_new(n->net, "bridge");
	u64_to_mac(n->mac, mac);
	ASSERT(iface_set_lladdr(n->bridge, mac) == 0);
	n->alive = true;
	n->armed_ns = STP_NEVER;
}

uint32_t
sim_node_add(struct sim *s, const char *name, const uint8_t mac[6],
    uint64_t phase_ns, int32_t ppm)
{
	struct net_options o = {
		.pool = { .small_count = POOL_SMALL,
		    .large_count = POOL_LARGE },
		.kinds = kinds,
		.hash_seed = 1,
		.random_seed = 2,
	};
	struct sim_node *n = calloc(1, sizeof(*n));

	ASSERT(n != NULL);
	n->mac = mac_to_u64(mac);
	n->ppm = ppm;
	n->began_ns = LOCAL_START;
	snprintf(n->name, sizeof(n->name), "%s", name);
	for (uint32_t i = 0; i <= SIM_PORT_MAX; i++)
		n->ports[i] = SIM_NONE;
	o.now_ns = local_ns(s, n);
	ASSERT(net_create(&o, &n->net) == 0);
	n->net->timers = &n->timers;
	ASSERT(drv_init(n->net, NULL) == 0);
	node_start(s, n, phase_ns);
	s->nodes =
	    grow(s->nodes, s->node_count, &s->node_room, sizeof(*s->nodes));
	s->nodes[s->node_count] = n;
	return s->node_count++;
}

uint32_t
sim_lan_add(struct sim *s, const char *name)
{
	struct sim_lan *l;

	s->lans = grow(s->lans, s->lan_count, &s->lan_room, sizeof(*s->lans));
	l = &s->lans[s->lan_count];
	*l = (struct sim_lan){ .delay_ns = DELAY_NS };
	snprintf(l->name, sizeof(l->name), "%s", name);
	return s->lan_count++;
}

/* Its ends are in the order of their bridges and numbers, whoever came first.
 */
static bool
precedes(const struct sim_port *a, const struct sim_port *b)
{
	return a->node != b->node ? a->node < b->node : a->number < b->number;
}

static void
lan_join(struct sim *s, uint32_t lan, uint32_t port)
{
	struct sim_lan *l;
	uint32_t i;

	if (lan == SIM_NONE)
		return;
	l = &s->lans[lan];
	l->ends = grow(l->ends, l->end_count, &l->end_room, sizeof(*l->ends));
	for (i = l->end_count++; i > 0; i--) {
		if (precedes(s->ports[l->ends[i - 1]], s->ports[port]))
			break;
		l->ends[i] = l->ends[i - 1];
	}
	l->ends[i] = port;
}

static void
lan_leave(struct sim *s, uint32_t lan, uint32_t port)
{
	struct sim_lan *l;
	uint32_t kept = 0;

	if (lan == SIM_NONE)
		return;
	l = &s->lans[lan];
	for (uint32_t i = 0; i < l->end_count; i++) {
		if (l->ends[i] != port)
			l->ends[kept++] = l->ends[i];
	}
	l->end_count = kept;
}

/* A member gets the lowest free number: lower ones are taken meanwhile. */
static void
join(struct sim_node *n, struct iface *member, uint32_t number)
{
	const struct bridge *br = bridge_of(n->bridge);
	struct iface *filler[SIM_PORT_MAX];
	uint32_t count = 0;

	for (uint32_t i = 1; i < number; i++) {
		if (i < br->ports_size && br->ports[i] != NULL)
			continue;
		filler[count] = iface_new(n->net, "feth");
		ASSERT(bridge_add(n->bridge, filler[count++]) == 0);
	}
	ASSERT(bridge_add(n->bridge, member) == 0);
	ASSERT(bridge_member(br, member)->number == number);
	while (count > 0)
		(void)net_iface_destroy(filler[--count], NULL);
	ASSERT(bridge_set_member_flags(n->bridge, member, BRIDGE_STP, 0) == 0);
}

uint32_t
sim_port_add(struct sim *s, uint32_t node, uint16_t number, uint32_t lan)
{
	struct sim_node *n = s->nodes[node];
	struct sim_port *p = calloc(1, sizeof(*p));
	uint32_t port = s->port_count;

	ASSERT(p != NULL && number > 0 && number <= SIM_PORT_MAX &&
	       n->ports[number] == SIM_NONE);
	*p = (struct sim_port){
		.node = node,
		.number = number,
		.present = true,
		.lan = lan,
		.forwarded_ns = UINT64_MAX,
		.sim = s,
		.stack = {
			.kind = "sim",
			.input = far_input,
			.changed = far_changed,
			.detach = far_detach,
		},
	};
	s->ports =
	    grow(s->ports, s->port_count, &s->port_room, sizeof(*s->ports));
	s->ports[s->port_count++] = p;
	n->ports[number] = port;
	set_clock(s, n);
	p->member = iface_new(n->net, "feth");
	p->far = iface_new(n->net, "feth");
	p->stack.master = p->far;
	ASSERT(iface_stack_attach(p->far, &p->stack) == 0);
	join(n, p->member, number);
	lan_join(s, lan, port);
	settle(s, node);
	return port;
}

/* Carrier. */

/* What the port's own hardware sees. */
static bool
carrier(const struct sim *s, const struct sim_port *p)
{
	const struct sim_lan *l;

	if (!sim_carries(s, p))
		return false;
	l = &s->lans[p->lan];
	if (l->unplugged)
		return false;
	if (l->end_count > 2)
		return true;
	for (uint32_t i = 0; i < l->end_count; i++) {
		const struct sim_port *q = s->ports[l->ends[i]];

		if (q != p && q->down && !q->far_keeps)
			return false;
	}
	return true;
}

/* Plugs the wire in or out, by feth's own word. */
static void
plug(struct sim_port *p, bool in)
{
	const struct iface_keyword *k = feth_ops.keywords;
	union keyword_value v[KEYWORD_ARGS_MAX] = { { .str = p->far->name } };

	while (strcmp(k->name, in ? "peer" : "-peer") != 0)
		k++;
	ASSERT(k->apply(p->member, v) == 0);
}

static void
set_link(struct sim *s, struct sim_port *p, bool up)
{
	if (s->trace)
		sim_trace_node(s, p->node, "%s.%u %s carrier",
		    s->nodes[p->node]->name, p->number, up ? "has" : "loses");
	begin(s, p->node);
	p->plugged += !up;
	p->link = up;
	p->sent_in_row = 0;
	p->old_heard_ns = 0;
	plug(p, up);
	s->moved = true;
	settle(s, p->node);
}

static void
set_shared(struct sim *s, struct sim_port *p, bool shared)
{
	p->shared = shared;
	if (!p->forced_p2p)
		sim_set_flags(s, index_of(p), shared ? 0 : BRIDGE_AUTOPTP,
		    shared ? BRIDGE_PTP : 0);
}

static void
link_update(struct sim *s, struct sim_port *p)
{
	bool shared, up;

	if (!p->present || !s->nodes[p->node]->alive)
		return;
	shared = p->lan != SIM_NONE && s->lans[p->lan].end_count > 2;
	if (shared != p->shared)
		set_shared(s, p, shared);
	up = carrier(s, p);
	if (up != p->link)
		set_link(s, p, up);
}

void
sim_links(struct sim *s)
{
	for (uint32_t k = 0; k < s->node_count; k++) {
		for (uint32_t i = 1; i <= SIM_PORT_MAX; i++) {
			uint32_t port = s->nodes[k]->ports[i];

			if (port != SIM_NONE)
				link_update(s, s->ports[port]);
		}
	}
	s->moved = true;
	sim_check_now(s);
}

/* Only the ends of one LAN can have changed. */
static void
lan_links(struct sim *s, uint32_t lan)
{
	if (lan == SIM_NONE)
		return;
	for (uint32_t i = 0; i < s->lans[lan].end_count; i++)
		link_update(s, s->ports[s->lans[lan].ends[i]]);
	s->moved = true;
	sim_check_now(s);
}

void
sim_link_set(struct sim *s, uint32_t lan, bool up)
{
	if (s->trace)
		sim_trace_all(
		    s, "LAN %s is %s", s->lans[lan].name, up ? "up" : "down");
	s->lans[lan].down = !up;
	lan_links(s, lan);
}

static void
port_set_up(struct sim *s, struct sim_port *p, bool up)
{
	begin(s, p->node);
	ASSERT(iface_set_flags(
	           p->member, up ? IFACE_UP : 0, up ? 0 : IFACE_UP) == 0);
	s->moved = true;
	settle(s, p->node);
}

void
sim_port_down(struct sim *s, uint32_t port, bool far_keeps)
{
	struct sim_port *p = s->ports[port];

	p->down = true;
	p->far_keeps = far_keeps;
	port_set_up(s, p, false);
	lan_links(s, p->lan);
}

void
sim_port_up(struct sim *s, uint32_t port)
{
	s->ports[port]->down = false;
	port_set_up(s, s->ports[port], true);
	lan_links(s, s->ports[port]->lan);
}

void
sim_port_move(struct sim *s, uint32_t port, uint32_t lan, bool silent)
{
	struct sim_port *p = s->ports[port];
	uint32_t old = p->lan;

	s->news_lost |= silent;
	/* Its own hardware sees nothing either: a LAN of its own. */
	if (silent && lan == SIM_NONE)
		lan = sim_lan_add(s, "");
	if (!silent) {
		if (old != SIM_NONE && s->lans[old].end_count == 2)
			s->lans[old].unplugged = true;
		lan_leave(s, old, port);
		p->lan = SIM_NONE;
		link_update(s, p);
		lan_links(s, old);
	} else {
		lan_leave(s, old, port);
		p->lan = SIM_NONE;
	}
	p->lan = lan;
	p->plugged++;
	lan_join(s, lan, port);
	if (lan != SIM_NONE)
		s->lans[lan].unplugged = false;
	link_update(s, p);
	lan_links(s, old);
	lan_links(s, lan);
}

void
sim_port_remove(struct sim *s, uint32_t port)
{
	struct sim_port *p = s->ports[port];

	if (!p->present)
		return;
	p->present = false;
	p->link = false;
	p->down = true;
	p->far_keeps = false;
	begin(s, p->node);
	ASSERT(bridge_delete(s->nodes[p->node]->bridge, p->member) == 0);
	s->moved = true;
	settle(s, p->node);
	lan_links(s, p->lan);
}

/* Its ports go with it, and all that it knew. */
void
sim_node_down(struct sim *s, uint32_t node, bool carrier_lost)
{
	struct sim_node *n = s->nodes[node];

	if (s->trace)
		sim_trace_node(s, node, "%s dies", n->name);
	n->alive = false;
	n->armed_ns = STP_NEVER;
	for (uint32_t i = 1; i <= SIM_PORT_MAX; i++) {
		struct sim_port *p;

		if (n->ports[i] == SIM_NONE)
			continue;
		p = s->ports[n->ports[i]];
		p->down = true;
		p->far_keeps = !carrier_lost;
		if (p->link)
			plug(p, false);
		p->link = false;
		p->was = (struct sim_watch){ 0 };
	}
	while (net_poll(n->net))
		;
	sim_links(s);
}

/* As it was set before; the last bridge's ports, in their order. */
void
sim_node_up(struct sim *s, uint32_t node, uint64_t phase_ns)
{
	struct sim_node *n = s->nodes[node];
	struct stp_port_info info[SIM_PORT_MAX + 1];
	struct stp_info old;

	if (s->trace)
		sim_trace_node(s, node, "%s starts", n->name);
	stp_get(sim_stp(s, node), &old);
	for (uint16_t i = 1; i <= SIM_PORT_MAX; i++)
		if (stp_port_get(sim_stp(s, node), i, &info[i]) < 0)
			info[i] = (struct stp_port_info){ 0 };
	set_clock(s, n);
	(void)net_iface_destroy(n->bridge, NULL);
	node_start(s, n, phase_ns);
	(void)bridge_set_param(n->bridge, BRIDGE_PARAM_PROTO, old.version);
	(void)bridge_set_param(n->bridge, BRIDGE_PARAM_PRIORITY, old.priority);
	(void)bridge_set_param(n->bridge, BRIDGE_PARAM_MAX_AGE, old.max_age);
	(void)bridge_set_param(
	    n->bridge, BRIDGE_PARAM_FWD_DELAY, old.fwd_delay);
	(void)bridge_set_param(
	    n->bridge, BRIDGE_PARAM_HOLD_COUNT, old.hold_count);
	for (uint16_t i = 1; i <= SIM_PORT_MAX; i++) {
		struct sim_port *p;

		if (n->ports[i] == SIM_NONE)
			continue;
		p = s->ports[n->ports[i]];
		if (!p->present)
			continue;
		p->down = p->far_keeps = false;
		join(n, p->member, i);
		(void)bridge_set_if_cost(n->bridge, p->member,
		    info[i].auto_cost ? 0 : info[i].path_cost);
		(void)bridge_set_if_priority(
		    n->bridge, p->member, info[i].priority);
		(void)bridge_set_member_flags(n->bridge, p->member,
		    info[i].auto_edge ? BRIDGE_AUTOEDGE : 0,
		    info[i].auto_edge ? 0 : BRIDGE_AUTOEDGE);
		if (p->shared && !p->forced_p2p)
			(void)bridge_set_member_flags(
			    n->bridge, p->member, 0, BRIDGE_PTP);
	}
	settle(s, node);
	sim_links(s);
}

/* Commands. */

/* What ports have sent and heard counts from now on. */
static void
count_anew(struct sim *s, const struct sim_node *n)
{
	for (uint32_t i = 1; i <= SIM_PORT_MAX; i++) {
		if (n->ports[i] == SIM_NONE)
			continue;
		s->ports[n->ports[i]]->sent_in_row = 0;
		s->ports[n->ports[i]]->old_heard_ns = 0;
	}
}

void
sim_set(struct sim *s, uint32_t node, enum bridge_param what, uint32_t value)
{
	struct sim_node *n = s->nodes[node];

	begin(s, node);
	(void)bridge_set_param(n->bridge, what, value);
	if (what == BRIDGE_PARAM_HOLD_COUNT || what == BRIDGE_PARAM_PROTO)
		count_anew(s, n);
	settle(s, node);
}

void
sim_set_priority(struct sim *s, uint32_t port, uint32_t priority)
{
	struct sim_port *p = s->ports[port];

	begin(s, p->node);
	(void)bridge_set_if_priority(
	    s->nodes[p->node]->bridge, p->member, priority);
	settle(s, p->node);
}

void
sim_set_cost(struct sim *s, uint32_t port, uint32_t cost)
{
	struct sim_port *p = s->ports[port];

	begin(s, p->node);
	(void)bridge_set_if_cost(s->nodes[p->node]->bridge, p->member, cost);
	settle(s, p->node);
}

void
sim_set_flags(struct sim *s, uint32_t port, uint32_t set, uint32_t clear)
{
	struct sim_port *p = s->ports[port];

	begin(s, p->node);
	(void)bridge_set_member_flags(
	    s->nodes[p->node]->bridge, p->member, set, clear);
	settle(s, p->node);
}

void
sim_mcheck(struct sim *s, uint32_t port)
{
	struct sim_port *p = s->ports[port];

	begin(s, p->node);
	(void)bridge_mcheck(s->nodes[p->node]->bridge, p->member);
	settle(s, p->node);
}

/* What arrives. */

void
sim_reserved(struct sim *s, uint32_t port, const uint8_t *frame, size_t len)
{
	s->delivered++;
	inject(s, s->ports[port], frame, len);
}

void
sim_bpdu(struct sim *s, uint32_t port, const uint8_t *data, size_t len)
{
	static const uint8_t src[6] = { 0x02, 0, 0, 0xff, 0, 1 };
	uint8_t frame[FRAME_LENGTH];

	ASSERT(len <= STP_BPDU_LEN_MAX);
	sim_reserved(s, port, frame, stp_frame_encode(src, data, len, frame));
}

/*
 * L4: STP was heard, RSTP was not since, and now STP is heard again after a
 * time that is enough to notice.
 */
static void
check_version(struct sim *s, struct sim_port *p, const struct sim_event *ev)
{
	const struct stp_port *q = sim_stp_port(s, p);
	struct stp_bpdu b;

	if (q == NULL || stp_bpdu_decode(ev->data, ev->len, &b) < 0)
		return;
	if (b.type == STP_BPDU_RST || !q->send_rstp) {
		p->old_heard_ns = 0;
		return;
	}
	if (b.type == STP_BPDU_CONFIG &&
	    (b.times.message_age >= b.times.max_age ||
	        stp_id_address(b.root_id) == s->nodes[p->node]->mac ||
	        stp_id_address(b.bridge_id) == s->nodes[p->node]->mac))
		return; /* does not count: clause 9.3.4, and words of our own */
	if (p->old_heard_ns == 0)
		p->old_heard_ns = s->now_ns;
	else if (s->now_ns - p->old_heard_ns > NOTICE_NS)
		sim_problem(s, "L4: %s.%u hears STP and speaks RSTP",
		    s->nodes[p->node]->name, p->number);
}

bool
sim_step(struct sim *s, uint64_t until_ns)
{
	struct sim_event ev;
	struct sim_node *n;
	struct sim_port *p;

	if (s->heap_count == 0 || s->heap[0].ns > until_ns)
		return false;
	ev = event_take(s);
	s->now_ns = ev.ns;
	n = s->nodes[ev.node];
	switch (ev.type) {
	case SIM_TIMER:
		if (n->armed_ns != ev.ns)
			return true; /* no longer meant */
		n->armed_ns = STP_NEVER;
		begin(s, ev.node);
		arm(s, ev.node);
		break;
	case SIM_BPDU:
		p = s->ports[n->ports[ev.port]];
		if (!p->present || !n->alive || !sim_carries(s, p) ||
		    p->plugged != ev.plugged)
			return true; /* lost on the way */
		sim_bpdu(s, n->ports[ev.port], ev.data, ev.len);
		check_version(s, p, &ev);
		break;
	}
	sim_check_now(s);
	return true;
}

void
sim_run(struct sim *s, uint64_t duration_ns)
{
	uint64_t until_ns = s->now_ns + duration_ns;

	while (sim_step(s, until_ns))
		;
	s->now_ns = until_ns;
}

/* Data frames. */

static void
host_deliver(struct iface_host *h, struct iface *ifp, struct frame_batch *batch)
{
	(void)h, (void)ifp;
	for (uint32_t i = 0; i < batch->count; i++)
		frame_release(batch->frames[i]);
}

static void
host_changed(struct iface_host *h, struct iface *ifp, uint32_t what)
{
	(void)h, (void)ifp, (void)what;
}

static void
from_host(struct sim *s, uint32_t node, const uint8_t *data, size_t len)
{
	struct sim_node *n = s->nodes[node];
	struct iface_host host = {
		.deliver = host_deliver,
		.changed = host_changed,
		.vnet = n->net->home,
		.up = true,
	};
	struct frame_batch batch = {
		.count = 1,
		.frames = { frame_of(s, node, data, len) },
	};

	begin(s, node);
	n->bridge->host = &host;
	iface_host_input(n->bridge, &batch);
	while (net_poll(n->net))
		;
	n->bridge->host = NULL;
	settle(s, node);
}

int
sim_send(struct sim *s, uint32_t node, uint16_t number, const uint8_t src[6],
    const uint8_t dst[6], uint32_t *out, uint32_t room)
{
	uint8_t frame[FRAME_LENGTH] = { 0 };
	uint32_t hops = 0, done = 0;

	ether_copy(frame, dst);
	ether_copy(frame + 6, src);
	frame[12] = 0x88; /* a local experiment: IEEE 802 clause 9.2.4 */
	frame[13] = 0xb5;
	s->leaving_count = 0;
	if (number == 0)
		from_host(s, node, frame, sizeof(frame));
	else if (sim_usable(s, s->ports[s->nodes[node]->ports[number]]))
		inject(s, s->ports[s->nodes[node]->ports[number]], frame,
		    sizeof(frame));
	while (done < s->leaving_count) {
		uint32_t port = s->leaving[done];
		const struct sim_port *p = s->ports[port];

		if (done == room || ++hops > HOPS_MAX)
			return -1;
		out[done++] = port;
		if (!sim_carries(s, p))
			continue;
		for (uint32_t i = 0; i < s->lans[p->lan].end_count; i++) {
			struct sim_port *q = s->ports[s->lans[p->lan].ends[i]];

			if (q != p && !q->deaf && sim_usable(s, q))
				inject(s, q, frame, sizeof(frame));
		}
	}
	return (int)done;
}

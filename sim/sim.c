/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine: see sim.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/ether.h"
#include "sim/sim.h"

#define DELAY_NS (1 * SIM_MS)
#define HOPS_MAX 10000u

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
	*s = (struct sim){ .loop_since_ns = UINT64_MAX };
	s->prng = prng_init(seed);
}

void
sim_fini(struct sim *s)
{
	for (uint32_t i = 0; i < s->node_count; i++) {
		stp_destroy(s->nodes[i].stp);
		fdb_fini(&s->nodes[i].fdb);
	}
	free(s->heap);
	free(s->nodes);
	free(s->ports);
	free(s->lans);
}

void
sim_problem(struct sim *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (s->problem[0] != '\0')
		return;
	n = snprintf(s->problem, sizeof(s->problem),
	    "at %.3f s: ", (double)s->now_ns / 1e9);
	va_start(ap, fmt);
	vsnprintf(s->problem + n, sizeof(s->problem) - (size_t)n, fmt, ap);
	va_end(ap);
}

void
sim_excuse(struct sim *s, uint64_t for_ns, const char *why)
{
	if (s->now_ns + for_ns > s->excused_ns)
		s->excused_ns = s->now_ns + for_ns;
	s->excuse = why;
}

/* The heap. */

static bool
before(const struct sim_event *a, const struct sim_event *b)
{
	return a->ns != b->ns ? a->ns < b->ns : a->order < b->order;
}

static struct sim_event *
event_add(struct sim *s, uint64_t ns, enum sim_event_type type, uint32_t at)
{
	struct sim_event ev = { .ns = ns, .type = type, .at = at };
	uint32_t i;

	ev.order = ++s->order;
	s->heap = grow(s->heap, s->heap_count, &s->heap_room, sizeof(*s->heap));
	for (i = s->heap_count++; i > 0; i = (i - 1) / 2) {
		if (!before(&ev, &s->heap[(i - 1) / 2]))
			break;
		s->heap[i] = s->heap[(i - 1) / 2];
	}
	s->heap[i] = ev;
	return &s->heap[i];
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

/* Nodes, LANs, ports. */

uint32_t
sim_node_find(const struct sim *s, const char *name)
{
	for (uint32_t i = 0; i < s->node_count; i++) {
		if (strcmp(s->nodes[i].name, name) == 0)
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
	return number < 256 ? s->nodes[node].ports[number] : SIM_NONE;
}

uint64_t
sim_local_ns(const struct sim *s, uint32_t node)
{
	int64_t ppm = s->nodes[node].ppm;

	return s->now_ns + SIM_S +
	       (uint64_t)((int64_t)(s->now_ns / 1000000) * ppm);
}

/* When the node's clock shows @local_ns; not before now. */
static uint64_t
global_ns(const struct sim *s, uint32_t node, uint64_t local_ns)
{
	uint64_t now_local = sim_local_ns(s, node);
	uint64_t rate = (uint64_t)(1000000 + s->nodes[node].ppm);

	if (local_ns <= now_local)
		return s->now_ns;
	return s->now_ns + (local_ns - now_local) * 1000000 / rate + 1;
}

static void
node_start(struct sim *s, uint32_t node, uint64_t phase_ns)
{
	struct sim_node *n = &s->nodes[node];
	struct stp_options o = { .tick_phase_ns = phase_ns, .ports = 8 };

	u64_to_mac(n->mac, o.mac);
	ASSERT(stp_create(&o, sim_local_ns(s, node), &n->stp) == 0);
	n->alive = true;
	n->tick_ns = STP_NEVER;
}

uint32_t
sim_node_add(struct sim *s, const char *name, const uint8_t mac[6],
    uint64_t phase_ns, int32_t ppm)
{
	uint32_t node = s->node_count;
	struct sim_node *n;

	s->nodes =
	    grow(s->nodes, s->node_count, &s->node_room, sizeof(*s->nodes));
	n = &s->nodes[s->node_count++];
	*n = (struct sim_node){ .mac = mac_to_u64(mac), .ppm = ppm };
	snprintf(n->name, sizeof(n->name), "%s", name);
	for (uint32_t i = 0; i < 256; i++)
		n->ports[i] = SIM_NONE;
	ASSERT(fdb_init(&n->fdb, 1, 256) == 0);
	node_start(s, node, phase_ns);
	return node;
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

uint32_t
sim_port_add(struct sim *s, uint32_t node, uint16_t number, uint32_t lan)
{
	struct sim_node *n = &s->nodes[node];
	uint32_t port = s->port_count;

	ASSERT(number > 0 && number < 256 && n->ports[number] == SIM_NONE);
	s->ports =
	    grow(s->ports, s->port_count, &s->port_room, sizeof(*s->ports));
	s->port_count++;
	s->ports[port] = (struct sim_port){
		.node = node,
		.number = number,
		.present = true,
		.lan = lan,
		.forwarded_ns = UINT64_MAX,
	};
	n->ports[number] = port;
	if (stp_port_count(n->stp) % 8 == 0)
		ASSERT(stp_reserve(n->stp, stp_port_count(n->stp) + 8) == 0);
	ASSERT(stp_port_add(n->stp, number, sim_local_ns(s, node)) == 0);
	sim_effects(s, node);
	return port;
}

uint32_t
sim_lan_ends(const struct sim *s, uint32_t lan)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->port_count; i++)
		count += s->ports[i].lan == lan;
	return count;
}

bool
sim_port_carries(const struct sim *s, const struct sim_port *p)
{
	return p->present && !p->down && p->lan != SIM_NONE &&
	       !s->lans[p->lan].down;
}

/* What the port's own hardware sees. */
static bool
carrier(const struct sim *s, const struct sim_port *p)
{
	if (!sim_port_carries(s, p) || s->lans[p->lan].unplugged)
		return false;
	if (sim_lan_ends(s, p->lan) > 2)
		return true;
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_port *q = &s->ports[i];

		if (q != p && q->lan == p->lan && q->down && !q->far_keeps)
			return false;
	}
	return true;
}

static void
port_tell(struct sim *s, struct sim_port *p, bool up)
{
	struct stp_port_options o = { .shared = p->shared };

	if (s->trace)
		printf("%12.6f  %s.%u link %s\n", (double)s->now_ns / 1e9,
		    s->nodes[p->node].name, p->number, up ? "up" : "down");
	p->link = up;
	p->sent_in_row = 0;
	(void)stp_port_link(
	    s->nodes[p->node].stp, p->number, up, &o, sim_local_ns(s, p->node));
	s->moved = true;
	sim_effects(s, p->node);
}

void
sim_links(struct sim *s)
{
	for (uint32_t i = 0; i < s->port_count; i++) {
		struct sim_port *p = &s->ports[i];
		bool shared, up;

		if (!p->present || !s->nodes[p->node].alive)
			continue;
		up = carrier(s, p);
		shared = p->lan != SIM_NONE && sim_lan_ends(s, p->lan) > 2;
		if (up == p->link && shared == p->shared)
			continue;
		p->shared = shared;
		port_tell(s, p, up);
	}
	s->moved = true;
}

void
sim_link_set(struct sim *s, uint32_t lan, bool up)
{
	s->lans[lan].down = !up;
	sim_links(s);
}

void
sim_port_down(struct sim *s, uint32_t port, bool far_keeps)
{
	s->ports[port].down = true;
	s->ports[port].far_keeps = far_keeps;
	sim_links(s);
}

void
sim_port_up(struct sim *s, uint32_t port)
{
	s->ports[port].down = false;
	sim_links(s);
}

void
sim_port_move(struct sim *s, uint32_t port, uint32_t lan, bool silent)
{
	struct sim_port *p = &s->ports[port];

	if (!silent) {
		if (p->lan != SIM_NONE && sim_lan_ends(s, p->lan) == 2)
			s->lans[p->lan].unplugged = true;
		p->lan = SIM_NONE;
		sim_links(s);
	}
	p->lan = lan;
	if (lan != SIM_NONE)
		s->lans[lan].unplugged = false;
	if (silent && lan == SIM_NONE) {
		/* Its own hardware sees nothing either: a LAN of its own. */
		p->lan = sim_lan_add(s, "");
	}
	sim_links(s);
}

void
sim_port_remove(struct sim *s, uint32_t port)
{
	struct sim_port *p = &s->ports[port];

	p->present = false;
	p->link = false;
	p->state = STP_STATE_DISCARDING;
	(void)stp_port_remove(
	    s->nodes[p->node].stp, p->number, sim_local_ns(s, p->node));
	fdb_flush_port(&s->nodes[p->node].fdb, p->number, true);
	sim_effects(s, p->node);
	sim_links(s);
}

/* Its ports go with it, and all that it knew. */
void
sim_node_down(struct sim *s, uint32_t node, bool carrier_lost)
{
	struct sim_node *n = &s->nodes[node];

	if (s->trace)
		printf("%12.6f  %s dies\n", (double)s->now_ns / 1e9, n->name);
	n->alive = false;
	n->tick_ns = STP_NEVER;
	fdb_flush(&n->fdb, true);
	for (uint32_t i = 0; i < s->port_count; i++) {
		struct sim_port *p = &s->ports[i];

		if (p->node != node)
			continue;
		p->down = true;
		p->far_keeps = !carrier_lost;
		p->link = false;
		p->state = STP_STATE_DISCARDING;
	}
	sim_links(s);
}

void
sim_node_up(struct sim *s, uint32_t node, uint64_t phase_ns)
{
	struct sim_node *n = &s->nodes[node];
	struct stp_info old;

	if (s->trace)
		printf("%12.6f  %s starts\n", (double)s->now_ns / 1e9, n->name);
	stp_get(n->stp, &old);
	for (uint32_t pass = 0; pass < 2; pass++) {
		struct stp *was = n->stp;

		if (pass == 0)
			node_start(s, node, phase_ns);
		for (uint32_t i = 0; i < s->port_count && pass == 0; i++) {
			struct sim_port *p = &s->ports[i];
			struct stp_port_info info;

			if (p->node != node || !p->present)
				continue;
			p->down = false;
			(void)stp_reserve(n->stp, stp_port_count(n->stp) + 1);
			(void)stp_port_add(
			    n->stp, p->number, sim_local_ns(s, node));
			sim_effects(s, node);
			(void)stp_port_get(was, p->number, &info);
			(void)stp_port_set_cost(n->stp, p->number,
			    info.auto_cost ? 0 : info.path_cost);
			(void)stp_port_set_priority(
			    n->stp, p->number, info.priority);
		}
		if (pass == 0) {
			(void)stp_set_priority(n->stp, old.priority);
			(void)stp_set_version(n->stp, old.version);
			sim_effects(s, node);
			stp_destroy(was);
		}
	}
	sim_links(s);
}

/* Time. */

static void
arm(struct sim *s, uint32_t node)
{
	struct sim_node *n = &s->nodes[node];
	uint64_t next = n->alive ? stp_next_ns(n->stp) : STP_NEVER;

	if (next != STP_NEVER)
		next = global_ns(s, node, next);
	/* Rounding of an unequal clock may give another nanosecond. */
	if (next == n->tick_ns ||
	    (next != STP_NEVER && n->tick_ns != STP_NEVER &&
	        n->tick_ns > s->now_ns && n->tick_ns <= next + 2 &&
	        next <= n->tick_ns + 2))
		return;
	n->tick_ns = next;
	if (next != STP_NEVER)
		(void)event_add(s, next, SIM_TICK, node);
}

static void
wire(struct sim *s, struct sim_port *from, uint32_t to, const uint8_t *data,
    uint8_t len)
{
	struct sim_port *p = &s->ports[to];
	uint64_t at = s->now_ns + s->lans[from->lan].delay_ns;
	struct sim_event *ev;

	if (s->faults.loss > 0 && prng_chance(&s->prng, s->faults.loss, 1000)) {
		if (++p->lost_in_row >= 2)
			sim_excuse(s, 30 * SIM_S, "BPDUs lost in a row");
		return;
	}
	if (p->deaf)
		return;
	p->lost_in_row = 0;
	if (s->faults.jitter_us > 0)
		at += prng_below(&s->prng, s->faults.jitter_us) * 1000;
	if (at < p->last_arrival_ns) {
		if (s->faults.reorder > 0 &&
		    prng_chance(&s->prng, s->faults.reorder, 1000))
			sim_excuse(s, 2 * SIM_S, "BPDUs out of order");
		else
			at = p->last_arrival_ns;
	}
	if (at > p->last_arrival_ns)
		p->last_arrival_ns = at;
	ev = event_add(s, at, SIM_BPDU, to);
	ev->len = len;
	memcpy(ev->data, data, len);
	if (s->faults.duplicate > 0 &&
	    prng_chance(&s->prng, s->faults.duplicate, 1000)) {
		ev = event_add(s, at, SIM_BPDU, to);
		ev->len = len;
		memcpy(ev->data, data, len);
	}
}

static void
trace_bpdu(const struct sim *s, const struct sim_port *p, const char *what,
    const uint8_t *data, size_t len)
{
	static const char *const roles[] = { "-", "A", "R", "D" };
	struct stp_bpdu b;

	printf("%12.6f  %s.%u %s ", (double)s->now_ns / 1e9,
	    s->nodes[p->node].name, p->number, what);
	if (stp_bpdu_decode(data, len, &b) < 0) {
		printf("?\n");
		return;
	}
	if (b.type == STP_BPDU_TCN) {
		printf("TCN\n");
		return;
	}
	printf("%s %s root %04x.%012llx cost %u from %04x.%012llx.%u age %u"
	       "%s%s%s%s%s%s\n",
	    b.type == STP_BPDU_RST ? "RST" : "CFG", roles[stp_bpdu_role(&b)],
	    (unsigned int)(b.root_id >> 48),
	    (unsigned long long)stp_id_address(b.root_id), b.root_path_cost,
	    (unsigned int)(b.bridge_id >> 48),
	    (unsigned long long)stp_id_address(b.bridge_id),
	    b.port_id & STP_PORT_NUMBER, b.times.message_age,
	    (b.flags & STP_FLAG_PROPOSAL) != 0 ? " proposal" : "",
	    (b.flags & STP_FLAG_AGREEMENT) != 0 ? " agreement" : "",
	    (b.flags & STP_FLAG_LEARNING) != 0 ? " learning" : "",
	    (b.flags & STP_FLAG_FORWARDING) != 0 ? " forwarding" : "",
	    (b.flags & STP_FLAG_TC) != 0 ? " tc" : "",
	    (b.flags & STP_FLAG_TCA) != 0 ? " tca" : "");
}

/* P4: at most hold + 1 in any second, as long as clocks are about equal. */
static void
check_rate(struct sim *s, struct sim_port *p, uint32_t hold)
{
	uint32_t room = (uint32_t)(sizeof(p->sent) / sizeof(p->sent[0]));
	uint32_t k = hold + 1;

	if (p->sent_in_row++ >= k &&
	    s->now_ns - p->sent[(p->sent_count - k) % room] < SIM_S * 98 / 100)
		sim_problem(s, "P4: %s.%u sent %u BPDUs in a second",
		    s->nodes[p->node].name, p->number, k + 1);
	p->sent[p->sent_count++ % room] = s->now_ns;
}

static void
send_bpdu(struct sim *s, uint32_t port, const struct stp_effect *e)
{
	struct sim_port *p = &s->ports[port];
	struct stp_info info;

	stp_get(s->nodes[p->node].stp, &info);
	if (s->trace)
		trace_bpdu(s, p, ">", e->bpdu.data, e->bpdu.len);
	check_rate(s, p, info.hold_count);
	if (!p->link)
		sim_problem(s, "P7: %s.%u sent a BPDU without a link",
		    s->nodes[p->node].name, p->number);
	if (!sim_port_carries(s, p))
		return;
	for (uint32_t i = 0; i < s->port_count; i++) {
		if (i != port && s->ports[i].lan == p->lan &&
		    sim_port_carries(s, &s->ports[i]))
			wire(s, p, i, e->bpdu.data, e->bpdu.len);
	}
}

struct move {
	struct fdb *fdb;
	uint16_t from, to;
};

static void
set_state(struct sim *s, struct sim_port *p, enum stp_state state)
{
	p->state = state;
	s->moved = true;
	s->changed_ns = s->now_ns;
	if (state == STP_STATE_FORWARDING && p->forwarded_ns == UINT64_MAX)
		p->forwarded_ns = s->now_ns;
}

static void
effect(struct sim *s, uint32_t node, const struct stp_effect *e)
{
	struct sim_node *n = &s->nodes[node];
	uint32_t port = e->port < 256 ? n->ports[e->port] : SIM_NONE;
	const char *name = n->name;
	double t = (double)s->now_ns / 1e9;

	switch (e->type) {
	case STP_EFFECT_STATE:
		if (s->trace)
			printf("%12.6f  %s.%u %s\n", t, name, e->port,
			    stp_state_name(e->state));
		set_state(s, &s->ports[port], e->state);
		return;
	case STP_EFFECT_ROLE:
		if (s->trace)
			printf("%12.6f  %s.%u is %s\n", t, name, e->port,
			    stp_role_name(e->role));
		s->changed_ns = s->now_ns;
		return;
	case STP_EFFECT_FLUSH:
		if (s->trace)
			printf("%12.6f  %s.%u flush\n", t, name, e->port);
		fdb_flush_port(&n->fdb, e->port, false);
		return;
	case STP_EFFECT_AGE:
		fdb_age_port(&n->fdb, e->port,
		    (uint32_t)(s->now_ns / SIM_S) + e->seconds);
		return;
	case STP_EFFECT_MOVE:
		if (s->trace)
			printf("%12.6f  %s.%u addresses move to %u\n", t, name,
			    e->port, e->to);
		fdb_move_port(&n->fdb, e->port, e->to);
		return;
	case STP_EFFECT_SEND:
		send_bpdu(s, port, e);
		return;
	case STP_EFFECT_NOTE:
		if (s->trace)
			printf("%12.6f  %s.%u note: %s\n", t, name, e->port,
			    stp_note_text(e->note));
		return;
	}
}

void
sim_effects(struct sim *s, uint32_t node)
{
	uint32_t count;
	const struct stp_effect *e = stp_effects(s->nodes[node].stp, &count);

	for (uint32_t i = 0; i < count; i++)
		effect(s, node, &e[i]);
	arm(s, node);
}

void
sim_bpdu(struct sim *s, uint32_t port, const uint8_t *data, size_t len)
{
	struct sim_port *p = &s->ports[port];

	if (s->trace)
		trace_bpdu(s, p, "<", data, len);
	(void)stp_receive(s->nodes[p->node].stp, p->number, data, len,
	    sim_local_ns(s, p->node));
	s->delivered++;
	sim_effects(s, p->node);
}

bool
sim_step(struct sim *s, uint64_t until_ns)
{
	struct sim_event ev;
	struct sim_port *p;

	if (s->heap_count == 0 || s->heap[0].ns > until_ns)
		return false;
	ev = event_take(s);
	s->now_ns = ev.ns;
	switch (ev.type) {
	case SIM_TICK:
		if (s->nodes[ev.at].tick_ns != ev.ns)
			return true; /* no longer meant */
		s->nodes[ev.at].tick_ns = STP_NEVER;
		stp_tick(s->nodes[ev.at].stp, sim_local_ns(s, ev.at));
		sim_effects(s, ev.at);
		break;
	case SIM_BPDU:
		p = &s->ports[ev.at];
		if (p->present && s->nodes[p->node].alive &&
		    sim_port_carries(s, p))
			sim_bpdu(s, ev.at, ev.data, ev.len);
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

struct travel {
	struct sim *s;
	uint64_t src, dst;
	bool group;
	uint32_t now_s;
	uint32_t *out;
	uint32_t count, room, hops;
};

static void travel_lan(struct travel *t, uint32_t port);

static void
travel_out(struct travel *t, uint32_t port)
{
	const struct sim_port *p = &t->s->ports[port];

	if (p->state != STP_STATE_FORWARDING || !p->link)
		return;
	if (t->count < t->room)
		t->out[t->count++] = port;
	travel_lan(t, port);
}

/* @number 0: from the host. */
static void
travel_in(struct travel *t, uint32_t node, uint32_t number)
{
	struct sim_node *n = &t->s->nodes[node];
	uint32_t in = number > 0 ? n->ports[number] : SIM_NONE;
	uint64_t key = fdb_key_u64(t->src, 0);
	uint32_t to = FDB_NONE, old;

	if (++t->hops > HOPS_MAX || !n->alive)
		return;
	if (in != SIM_NONE) {
		const struct sim_port *p = &t->s->ports[in];

		if (p->state == STP_STATE_DISCARDING)
			return;
		(void)fdb_learn(&n->fdb, key, number, false, t->now_s, &old);
		if (p->state != STP_STATE_FORWARDING)
			return;
	}
	if (!t->group) {
		key = fdb_key_u64(t->dst, 0);
		to = fdb_lookup(&n->fdb, key, fdb_hash(&n->fdb, key), t->now_s);
	}
	if (to != FDB_NONE) {
		if (to != number)
			travel_out(t, n->ports[to]);
		return;
	}
	for (uint32_t i = 1; i < 256; i++) {
		if (i != number && n->ports[i] != SIM_NONE)
			travel_out(t, n->ports[i]);
	}
}

static void
travel_lan(struct travel *t, uint32_t port)
{
	struct sim *s = t->s;
	uint32_t lan = s->ports[port].lan;

	for (uint32_t i = 0; i < s->port_count && t->hops <= HOPS_MAX; i++) {
		const struct sim_port *q = &s->ports[i];

		if (i != port && q->lan == lan && q->link &&
		    sim_port_carries(s, q) && !q->deaf)
			travel_in(t, q->node, q->number);
	}
}

/* The hops are also a bound for the recursion: a loop ends it early. */
int
sim_send(struct sim *s, uint32_t node, uint16_t number, const uint8_t src[6],
    const uint8_t dst[6], uint32_t *out, uint32_t room)
{
	struct travel t = {
		.s = s,
		.src = mac_to_u64(src),
		.dst = mac_to_u64(dst),
		.group = ether_is_multicast(dst),
		.now_s = (uint32_t)(s->now_ns / SIM_S),
		.out = out,
		.room = room,
	};

	if (ether_is_reserved(dst) && number != 0)
		return 0;
	travel_in(&t, node, number);
	return t.hops > HOPS_MAX || t.count == t.room ? -1 : (int)t.count;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random networks, random faults.
 *
 * A seed gives a topology, what the bridges are set to, which classes of fault
 * there are, and up to SIM_FAULTS_MAX faults.  Each fault has a generator of
 * its own, made of the seed and its number, so that leaving some out (o->mask)
 * does not change the others: that is how a failure is shrunk.
 *
 * A run has three parts.
 *   calm   where nothing is lost or forged: the first faults come one by one,
 *          and after each all bridges must be joined, and the network be
 *          as the solver says, within the bounds of L1
 *   storm  the rest come at random times, some of them together
 *   heal   wires are good again, and after a time to settle the network must be
 *          as the solver says, and say no more than its hellos
 *
 * Seeds that TWINS divides run twice, ports added in another order, and must do
 * the same (P6).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/ether.h"
#include "base/util.h"
#include "sim/sim.h"
#include "stp/stp_impl.h"

#define SHRINK_BRIDGES 8u /* with so many a ladder has columns */
#define TWINS          64u
#define SINGLE_MAX     3u /* faults of the calm part */
#define STATIONS_MAX   8u
#define EXCUSED_S      60 /* after a forged BPDU, or a link that is one-way */
#define UNSEEN_S       6  /* three hello times: then one was heard */
#define FORCED_S       100000
#define RETURN_S       10 /* more than the migrate time, twice */

/*
 * L1: within how long must all be joined, and at rest, after one fault?
 *   RSTP on point-to-point links needs no timer: some milliseconds a hop, and
 *   three seconds where a root is not believed (root_memory.c).
 *   A shared LAN has nobody to agree with: max age, then a hello time, and
 *   twice three hello times where somebody was cut off.
 *   STP: max age, then twice forward delay.
 * At rest is when the last topology change has been told as well.
 */
#define JOINED_RSTP_S   14u
#define JOINED_SHARED_S 45u
#define JOINED_STP_S    220u
#define QUICK_NS        (100 * SIM_MS) /* no timer was needed */
#define CHANGE_S        10u            /* tcWhile, a hello, and then QUIET_NS */
#define QUIET_STP_NS    (35 * SIM_S)   /* addresses have aged by then */
#define CHANGES_STP_S   3000        /* until the last topology change is over */
#define QUIET_NS        (5 * SIM_S) /* two hellos, and more */
#define QUIET_SHARED_NS (10 * SIM_S) /* silence is noticed after three */

enum topology {
	RING,
	MESH,
	TREE,
	GRID,
	SHARED,
	PARALLEL,
	GRAPH,
	TOPOLOGIES
};

/* An end of a LAN, before it is made. */
struct plan {
	uint32_t node, lan, cost, priority;
	uint16_t number;
	bool auto_edge, set_priority;
};

struct random_run {
	struct sim s;
	const struct sim_random_options *o;
	struct plan *plans;
	uint32_t plan_count, plan_room;
	uint16_t *used; /* ports of each node */
	bool reverse;   /* ports are added in another order */
	bool lossy;     /* loss, duplication, reordering */
	bool slow;      /* BPDUs take up to a hello time */
	bool one_way;   /* links that carry one way */
	bool old_stp;   /* some bridges are forced to STP */
	bool equal;     /* two bridges have the same identifier */
	bool hostile;   /* BPDUs made up */
	bool silent;    /* cables move unseen */
	bool forced;    /* shared LANs taken for point-to-point */
	bool shared;    /* there is a shared LAN */
	uint32_t faults, done;
};

static const uint32_t costs[] = { 20000, 20000, 20000, 2000, 200000, 1 };

static uint32_t
bridges(struct random_run *r)
{
	struct prng *g = &r->s.prng;

	if (r->o->bridges != 0)
		return r->o->bridges;
	if (prng_chance(g, 1, 400))
		return (uint32_t)prng_range(g, 100, SIM_BRIDGES_MAX);
	return (uint32_t)prng_range(g, 2, 22);
}

/* Addresses in random order, without two the same. */
static void
node_add(struct random_run *r, uint32_t i, uint32_t count)
{
	struct sim *s = &r->s;
	struct prng *g = &s->prng;
	uint64_t address =
	    0x020000000000ull | (prng_below(g, 1000) << 16) | (i + 1);
	uint8_t mac[6];
	char name[SIM_NAME];

	if (r->equal && i == 1)
		address = s->nodes[0]->mac;
	u64_to_mac(address, mac);
	snprintf(name, sizeof(name), "b%u", i);
	(void)sim_node_add(s, name, mac, prng_below(g, SIM_S),
	    (int32_t)prng_range(g, 0, 20000) - 10000);
	if (prng_chance(g, 1, 3))
		sim_set(s, i, BRIDGE_PARAM_PRIORITY,
		    (uint32_t)prng_range(g, 0, 15) * 4096);
	if (r->old_stp && prng_chance(g, 1, 3))
		sim_set(s, i, BRIDGE_PARAM_PROTO, STP_VERSION_STP);
	if (count > 20) {
		sim_set(s, i, BRIDGE_PARAM_FWD_DELAY, 30);
		sim_set(s, i, BRIDGE_PARAM_MAX_AGE, 40);
	}
}

static void
attach(struct random_run *r, uint32_t node, uint32_t lan)
{
	struct prng *g = &r->s.prng;
	struct plan p = { .node = node, .lan = lan };

	if (r->used[node] == SIM_PORT_MAX)
		return;
	p.number = ++r->used[node];
	p.cost = costs[prng_below(g, ARRAY_LEN(costs))];
	p.set_priority = prng_chance(g, 1, 8);
	p.priority = (uint32_t)prng_below(g, 16) * 16;
	p.auto_edge = !prng_chance(g, 1, 16);
	if (r->plan_count == r->plan_room) {
		r->plan_room = r->plan_room == 0 ? 64 : 2 * r->plan_room;
		r->plans = realloc(r->plans, r->plan_room * sizeof(*r->plans));
		ASSERT(r->plans != NULL);
	}
	r->plans[r->plan_count++] = p;
}

static uint32_t
lan_add(struct random_run *r)
{
	struct prng *g = &r->s.prng;
	char name[SIM_NAME];
	uint32_t l;

	snprintf(name, sizeof(name), "l%u", r->s.lan_count);
	l = sim_lan_add(&r->s, name);
	if (r->slow)
		r->s.lans[l].delay_ns = prng_range(g, 0, 2 * SIM_S);
	else if (prng_chance(g, 1, 4))
		r->s.lans[l].delay_ns = prng_range(g, 10000, 20 * SIM_MS);
	return l;
}

static void
link_add(struct random_run *r, uint32_t a, uint32_t b)
{
	uint32_t l = lan_add(r);

	attach(r, a, l);
	attach(r, b, l);
}

static void
shared_add(struct random_run *r, uint32_t n)
{
	struct prng *g = &r->s.prng;
	uint32_t l = lan_add(r);
	uint64_t ends = prng_range(g, 1, 5);

	r->shared |= ends > 2;
	while (ends-- > 0)
		attach(r, (uint32_t)prng_below(g, n), l);
}

static void
plan(struct random_run *r, enum topology kind, uint32_t n)
{
	struct prng *g = &r->s.prng;
	uint32_t width;

	switch (kind) {
	case RING:
		for (uint32_t i = 0; i < n; i++)
			link_add(r, i, (i + 1) % n);
		return;
	case MESH:
		for (uint32_t i = 0; i < n; i++) {
			for (uint32_t j = i + 1; j < n; j++)
				link_add(r, i, j);
		}
		return;
	case TREE:
		for (uint32_t i = 1; i < n; i++)
			link_add(r, i, (uint32_t)prng_below(g, i));
		return;
	case GRID:
		width = (uint32_t)prng_range(g, 2, 1 + n / 2);
		for (uint32_t i = 0; i < n; i++) {
			if (i % width != 0)
				link_add(r, i, i - 1);
			if (i >= width)
				link_add(r, i, i - width);
		}
		return;
	case SHARED:
		for (uint32_t k = 0; k < n; k++)
			shared_add(r, n);
		return;
	case PARALLEL:
		for (uint32_t i = 1; i < n; i++) {
			uint64_t k = prng_range(g, 1, 4);

			while (k-- > 0)
				link_add(r, i, i - 1);
		}
		return;
	case GRAPH:
		for (uint64_t k = n + prng_below(g, n + 1); k > 0; k--)
			link_add(r, (uint32_t)prng_below(g, n),
			    (uint32_t)prng_below(g, n));
		return;
	case TOPOLOGIES:
		break;
	}
	COAX_UNREACHABLE();
}

static void
make_port(struct random_run *r, const struct plan *p)
{
	struct sim *s = &r->s;
	uint32_t port = sim_port_add(s, p->node, p->number, p->lan);

	sim_set_cost(s, port, p->cost);
	if (p->set_priority)
		sim_set_priority(s, port, p->priority);
	if (!p->auto_edge)
		sim_set_flags(s, port, 0, BRIDGE_AUTOEDGE);
	s->ports[port]->forced_p2p = r->forced;
	if (r->forced)
		sim_set_flags(s, port, BRIDGE_PTP, 0);
}

static void
build(struct random_run *r)
{
	struct prng *g = &r->s.prng;
	enum topology kind = (enum topology)prng_below(g, TOPOLOGIES);
	uint32_t n = bridges(r);

	if (kind == MESH && n > 16)
		n = 16;
	r->used = calloc(n, sizeof(*r->used));
	ASSERT(r->used != NULL);
	for (uint32_t i = 0; i < n; i++)
		node_add(r, i, n);
	plan(r, kind, n);
	for (uint64_t stubs = prng_below(g, n + 1); stubs > 0; stubs--)
		attach(r, (uint32_t)prng_below(g, n), lan_add(r));
	/* In another order, but with the same numbers. */
	for (uint32_t i = 0; i < r->plan_count; i++)
		make_port(r, &r->plans[r->reverse ? r->plan_count - 1 - i : i]);
	if (r->o->trace)
		sim_trace_begin(&r->s);
	sim_links(&r->s);
}

/* By bridge and number: in whatever order they were added. */
static uint32_t
any_port(const struct random_run *r, struct prng *g)
{
	const struct plan *p = &r->plans[prng_below(g, r->plan_count)];

	return r->s.nodes[p->node]->ports[p->number];
}

/* A BPDU that means harm: a true one with a few octets changed, or noise. */
static void
hostile(struct random_run *r, struct prng *g, uint32_t port)
{
	struct sim *s = &r->s;
	uint8_t frame[60] = { 0x01, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0xff, 0, 1 };
	uint8_t data[STP_BPDU_LEN_MAX];
	struct stp_bpdu b = {
		.type = STP_BPDU_RST,
		.flags = (uint8_t)prng_u32(g),
		.root_id = s->nodes[prng_below(g, s->node_count)]->mac,
		.root_path_cost = (uint32_t)prng_below(g, 100000),
		.bridge_id = s->nodes[prng_below(g, s->node_count)]->mac,
		.port_id = (uint16_t)prng_below(g, 65536),
		.times = { (uint16_t)prng_below(g, 41), 20, 2, 15 },
	};
	size_t len = stp_bpdu_encode(&b, data);

	sim_excuse(s, EXCUSED_S * SIM_S, SIM_EXCUSE_FORGED);
	s->ports[port]->old_heard_ns = 0;
	if (s->trace)
		sim_trace_forged(s, s->ports[port], data, len);
	if (prng_chance(g, 1, 4)) {
		prng_bytes(g, frame + 12, prng_below(g, 49));
		sim_reserved(s, port, frame, sizeof(frame));
		return;
	}
	for (uint64_t k = prng_below(g, 4); k > 0; k--)
		data[prng_below(g, len)] = (uint8_t)prng_u32(g);
	sim_bpdu(s, port, data, len);
}

static bool
speaks_rstp(const struct sim *s, uint32_t node)
{
	return stp_rstp_version(sim_stp(s, node));
}

static void
command(struct random_run *r, struct prng *g, uint32_t node, uint32_t port)
{
	struct sim *s = &r->s;

	switch (prng_below(g, r->old_stp ? 7 : 6)) {
	case 0:
		sim_set(s, node, BRIDGE_PARAM_PRIORITY,
		    (uint32_t)prng_below(g, 16) * 4096);
		return;
	case 1:
		sim_set_priority(s, port, (uint32_t)prng_below(g, 16) * 16);
		return;
	case 2:
		sim_set_cost(s, port, (uint32_t)prng_range(g, 1, 400000));
		return;
	case 3:
		sim_set(s, s->ports[port]->node, BRIDGE_PARAM_HOLD_COUNT,
		    (uint32_t)prng_range(g, 1, 10));
		return;
	case 4:
		s->ports[port]->old_heard_ns = 0;
		sim_mcheck(s, port);
		return;
	case 5:
		sim_set(s, s->ports[port]->node, BRIDGE_PARAM_FWD_DELAY,
		    (uint32_t)prng_range(g, 11, 30));
		return;
	default:
		sim_set(s, node, BRIDGE_PARAM_PROTO,
		    speaks_rstp(s, node) ? STP_VERSION_STP : STP_VERSION_RSTP);
		return;
	}
}

/* A link that comes and goes, at 1 to 10 Hz. */
static void
flap(struct random_run *r, struct prng *g, uint32_t lan)
{
	for (int i = 0; i < 6; i++) {
		sim_link_set(&r->s, lan, r->s.lans[lan].down);
		sim_run(&r->s, prng_range(g, 50, 500) * SIM_MS);
	}
}

/* What may happen at any time.  True: something has. */
static bool
change(struct random_run *r, struct prng *g, uint64_t kind)
{
	struct sim *s = &r->s;
	uint32_t node = (uint32_t)prng_below(g, s->node_count);
	uint32_t lan = (uint32_t)prng_below(g, s->lan_count);
	uint32_t port = any_port(r, g);

	switch (kind) {
	case 0:
	case 1:
	case 2:
		sim_link_set(s, lan, s->lans[lan].down);
		return true;
	case 3:
	case 4:
		if (s->nodes[node]->alive)
			sim_node_down(s, node, true);
		else
			sim_node_up(s, node, prng_below(g, SIM_S));
		return true;
	case 5:
	case 6:
	case 7:
		if (!s->nodes[node]->alive ||
		    !s->nodes[s->ports[port]->node]->alive)
			return false;
		command(r, g, node, port);
		return true;
	case 8:
		flap(r, g, lan);
		return true;
	default:
		return false;
	}
}
#define CHANGES 9u

/* One way carries frames, or does no more.  Where both ends were deaf a LAN
 * begins to carry that both took for theirs: as if a cable was plugged in that
 * nobody saw. */
static void
set_deaf(struct sim *s, struct sim_port *p, bool deaf)
{
	if (p->deaf == deaf)
		return;
	if (!deaf && sim_is_cut(s, p))
		sim_excuse(s, UNSEEN_S * SIM_S, SIM_EXCUSE_UNSEEN);
	p->deaf = deaf;
	s->moved = true;
	s->news_lost = true;
	if (s->trace)
		sim_trace_node(s, p->node, "%s.%u is %s",
		    s->nodes[p->node]->name, p->number,
		    deaf ? "deaf" : "not deaf any more");
}

/* What only some networks suffer. */
static void
harm(struct random_run *r, struct prng *g)
{
	struct sim *s = &r->s;
	uint32_t lan = (uint32_t)prng_below(g, s->lan_count);
	uint32_t port = any_port(r, g);
	struct sim_port *p = s->ports[port];

	switch (prng_below(g, 3)) {
	case 0:
		if (r->one_way)
			set_deaf(s, p, !p->deaf);
		return;
	case 1:
		if (r->hostile && p->link && s->nodes[p->node]->alive)
			hostile(r, g, port);
		return;
	default:
		if (!r->silent || !s->nodes[p->node]->alive)
			return;
		if (s->trace)
			sim_trace_node(s, p->node, "%s.%u moves to %s, unseen",
			    s->nodes[p->node]->name, p->number,
			    s->lans[lan].name);
		sim_excuse(s, UNSEEN_S * SIM_S, SIM_EXCUSE_UNSEEN);
		sim_port_move(s, port, lan, true);
		return;
	}
}

static struct prng
fault_prng(const struct random_run *r, uint32_t i)
{
	return prng_init(r->o->seed * 1000003 + i);
}

static bool
left_out(const struct random_run *r, uint32_t i)
{
	return (r->o->mask >> i & 1) != 0;
}

/* A link that carries one way, and an end of it speaks STP: nobody disputes. */
static bool
one_way_stp(const struct sim *s)
{
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_lan *l = &s->lans[s->ports[i]->lan];

		if (!s->ports[i]->deaf)
			continue;
		for (uint32_t k = 0; k < l->end_count; k++) {
			const struct stp_port *q =
			    sim_stp_port(s, s->ports[l->ends[k]]);

			if (q != NULL && !q->send_rstp)
				return true;
		}
	}
	return false;
}

static void
note_excuses(struct random_run *r)
{
	if (r->one_way && one_way_stp(&r->s))
		sim_excuse(&r->s, EXCUSED_S * SIM_S, SIM_EXCUSE_ONE_WAY);
	if (r->forced && r->shared) /* that does not heal */
		sim_excuse(&r->s, FORCED_S * SIM_S, SIM_EXCUSE_FORCED);
}

/* Stations behind ports that are alone on their LANs; rest.c knows them by
 * their addresses. */
static void
stations_speak(struct sim *s)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint32_t room = s->port_count * 2 + 1, count = 0;
	uint32_t *out = malloc(room * sizeof(*out));

	ASSERT(out != NULL);
	for (uint32_t i = 0; i < s->port_count && count < STATIONS_MAX; i++) {
		const struct sim_port *p = s->ports[i];
		uint8_t mac[6];

		if (!sim_usable(s, p) || s->lans[p->lan].end_count != 1 ||
		    sim_state(s, p) != STP_STATE_FORWARDING)
			continue;
		u64_to_mac(0x02aa00000000u | i, mac);
		if (sim_send(s, p->node, p->number, mac, all, out, room) < 0)
			sim_problem(s, "a frame circles");
		count++;
	}
	free(out);
}

/* Until nothing changes any more, or the bound is over. */
static bool
rest(struct random_run *r, uint64_t bound_ns, char *busy, size_t size)
{
	struct sim *s = &r->s;
	uint64_t start_ns = s->now_ns;
	uint64_t quiet_ns = r->old_stp  ? QUIET_STP_NS
	                    : r->shared ? QUIET_SHARED_NS
	                                : QUIET_NS;

	while (s->now_ns - COAX_MAX(s->changed_ns, start_ns) < quiet_ns ||
	       sim_is_busy(s, !r->old_stp, busy, size)) {
		if (s->now_ns - start_ns > bound_ns || s->problem[0] != '\0')
			return false;
		sim_run(s, SIM_S);
	}
	return true;
}

static uint64_t
joined_bound_s(const struct random_run *r)
{
	return r->old_stp  ? JOINED_STP_S
	       : r->shared ? JOINED_SHARED_S
	                   : JOINED_RSTP_S;
}

/* L1 of one change that has just happened; @first: of all bridges' start. */
static void
check_single(struct random_run *r, struct sim_random *total, bool first)
{
	struct sim *s = &r->s;
	uint64_t bound_s = joined_bound_s(r), start_ns = s->now_ns;
	/* With STP one change may lead to the next, max age later. */
	uint64_t rest_s = r->old_stp
	                      ? 3 * bound_s
	                      : COAX_MAX(bound_s, JOINED_SHARED_S) + CHANGE_S;
	uint64_t joined_ns;
	char busy[96];
	bool deep;

	/* Ports where nobody answers wait for max age: edges that are not to
	 * find out that they are. */
	if (first)
		bound_s = COAX_MAX(bound_s, JOINED_SHARED_S);
	if (!rest(r, rest_s * SIM_S, busy, sizeof(busy))) {
		if (sim_is_deep(s))
			return; /* where messages end, ports dispute for ever */
		sim_problem(s, "L1: no rest %u s after a single change: %s",
		    (unsigned int)rest_s, busy);
		return;
	}
	joined_ns = s->joined_ns > start_ns ? s->joined_ns - start_ns : 0;
	if (joined_ns > bound_s * SIM_S)
		sim_problem(
		    s, "L1: joined only after %.3f s", (double)joined_ns / 1e9);
	(void)sim_check_rest(s, !r->old_stp, &deep);
	total->single_faults += !first;
	if (first)
		return;
	if (r->old_stp || r->shared)
		return;
	total->rstp_faults++;
	total->rstp_quick += joined_ns <= QUICK_NS;
	total->joined_longest_ns =
	    COAX_MAX(total->joined_longest_ns, joined_ns);
	if (s->changed_ns > start_ns)
		total->rest_longest_ns =
		    COAX_MAX(total->rest_longest_ns, s->changed_ns - start_ns);
}

static void
calm(struct random_run *r, struct sim_random *total)
{
	struct sim *s = &r->s;

	check_single(r, total, true);
	for (; r->done < r->faults && r->done < SINGLE_MAX; r->done++) {
		struct prng f = fault_prng(r, r->done);

		if (s->problem[0] != '\0')
			return;
		if (left_out(r, r->done))
			continue;
		stations_speak(s);
		/* Not the one that flaps. */
		if (!change(r, &f, prng_below(&f, CHANGES - 1)))
			continue;
		total->events++;
		sim_check_now(s);
		check_single(r, total, false);
	}
}

static void
storm(struct random_run *r, struct sim_random *total)
{
	static const uint64_t pauses[] = { 2 * SIM_MS, 100 * SIM_MS, 3 * SIM_S,
		10 * SIM_S };
	struct sim *s = &r->s;

	for (; r->done < r->faults && s->problem[0] == '\0'; r->done++) {
		struct prng f = fault_prng(r, r->done);

		sim_run(s, prng_below(&f, pauses[prng_below(&f, 4)]));
		note_excuses(r);
		if (left_out(r, r->done))
			continue;
		total->events++;
		if (!change(r, &f, prng_below(&f, CHANGES + 3)))
			harm(r, &f);
		note_excuses(r);
		sim_check_now(s);
	}
}

static bool
all_speak_rstp(const struct sim *s, const struct sim_lan *l)
{
	for (uint32_t i = 0; i < l->end_count; i++) {
		if (!speaks_rstp(s, s->ports[l->ends[i]]->node))
			return false;
	}
	return true;
}

/* To each port that has a link: a word of STP, or mcheck.  By bridge and
 * number, in whatever order they were added. */
static void
migrate(struct sim *s, bool back)
{
	const struct stp_bpdu tcn = { .type = STP_BPDU_TCN };
	uint8_t data[STP_BPDU_LEN_MAX];
	size_t len = stp_bpdu_encode(&tcn, data);

	for (uint32_t i = 0; i < s->node_count * (SIM_PORT_MAX + 1); i++) {
		uint32_t port = s->nodes[i / (SIM_PORT_MAX + 1)]
		                    ->ports[i % (SIM_PORT_MAX + 1)];

		if (port == SIM_NONE || !sim_usable(s, s->ports[port]))
			continue;
		s->ports[port]->old_heard_ns = 0;
		if (back)
			sim_mcheck(s, port);
		else
			sim_bpdu(s, port, data, len);
	}
	sim_run(s, RETURN_S * SIM_S);
}

/* L4: where STP was heard all speak STP, and where it is no more mcheck brings
 * RSTP back. */
static void
check_return(struct sim *s)
{
	migrate(s, false);
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_port *p = s->ports[i];

		if (sim_usable(s, p) && s->lans[p->lan].end_count == 1 &&
		    sim_stp_port(s, p)->send_rstp)
			sim_problem(s, "L4: %s.%u has heard STP, speaks RSTP",
			    s->nodes[p->node]->name, p->number);
	}
	migrate(s, true);
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_port *p = s->ports[i];

		if (sim_usable(s, p) && all_speak_rstp(s, &s->lans[p->lan]) &&
		    !sim_stp_port(s, p)->send_rstp)
			sim_problem(s, "L4: %s.%u still speaks STP",
			    s->nodes[p->node]->name, p->number);
	}
}

static bool
heal(struct random_run *r, struct sim_random *total)
{
	struct sim *s = &r->s;
	char busy[96];
	bool deep = false;

	s->faults = (struct sim_faults){ 0 };
	for (uint32_t i = 0; i < s->port_count; i++)
		set_deaf(s, s->ports[i], false);
	/* What was forged, or told slowly, may live for long: max age a hop. */
	sim_run(s, (r->old_stp      ? 700
	               : r->slow    ? 400
	               : r->hostile ? 200
	                            : 100) *
	               SIM_S);
	if (r->equal || s->problem[0] != '\0') {
		total->not_at_rest += r->equal;
		return s->problem[0] == '\0';
	}
	if (r->old_stp)
		check_return(s);
	for (uint32_t i = 0; r->old_stp && i < CHANGES_STP_S / 100 &&
	                     sim_is_busy(s, true, busy, sizeof(busy));
	     i++)
		sim_run(s, 100 * SIM_S);
	(void)sim_check_rest(s, true, &deep);
	total->not_at_rest += deep;
	return s->problem[0] == '\0' && (deep || sim_check_hellos(s));
}

static void
sum(const struct sim *s, struct sim_random *total)
{
	total->events += s->delivered;
	sim_loops_add(total->loops, s->loops);
	total->steps_max = COAX_MAX(total->steps_max, s->steps_max);
	total->hash = (total->hash ^ s->hash) * 0x9e3779b97f4a7c15u;
}

static void
classes(const struct random_run *r, char *what, size_t size)
{
	const struct {
		bool is;
		const char *name;
	} list[] = { { r->lossy, " lossy" }, { r->slow, " slow" },
		{ r->one_way, " one-way" }, { r->old_stp, " stp" },
		{ r->equal, " equal" }, { r->hostile, " hostile" },
		{ r->silent, " silent" }, { r->forced, " forced" },
		{ r->shared, " shared" } };
	size_t used = (size_t)snprintf(what, size, "%s [", r->s.problem);

	for (size_t i = 0; i < ARRAY_LEN(list) && used < size; i++) {
		if (list[i].is)
			used += (size_t)snprintf(
			    what + used, size - used, "%s", list[i].name);
	}
	if (used < size)
		snprintf(what + used, size - used, " ]");
}

static bool
run_once(const struct sim_random_options *o, bool reverse,
    struct sim_random *total, char *what, size_t size)
{
	struct random_run r = { .o = o, .reverse = reverse };
	struct sim *s = &r.s;
	struct prng *g = &s->prng;
	bool good;

	sim_init(s, o->seed);
	s->strict = o->strict;
	r.lossy = prng_chance(g, 1, 4);
	r.one_way = prng_chance(g, 1, 10);
	r.old_stp = prng_chance(g, 1, 8);
	r.equal = prng_chance(g, 1, 40);
	r.hostile = prng_chance(g, 1, 10);
	r.silent = prng_chance(g, 1, 10);
	r.slow = prng_chance(g, 1, 40);
	r.forced = prng_chance(g, 1, 40);
	r.faults = (uint32_t)prng_below(g, SIM_FAULTS_MAX / 2);
	build(&r);
	note_excuses(&r);
	if (r.plan_count > 0) {
		if (!r.lossy && !r.equal && !r.slow && !r.forced)
			calm(&r, total);
		if (r.lossy)
			s->faults = (struct sim_faults){
				.loss = (uint32_t)prng_below(g, 100),
				.duplicate = (uint32_t)prng_below(g, 100),
				.reorder = (uint32_t)prng_below(g, 200),
				.jitter_us = (uint32_t)prng_below(g, 5000),
			};
		storm(&r, total);
	}
	good = heal(&r, total);
	sim_check_end(s);
	classes(&r, what, size);
	sum(s, total);
	sim_fini(s);
	free(r.plans);
	free(r.used);
	return good;
}

void
sim_random_add(struct sim_random *to, const struct sim_random *from)
{
	to->events += from->events;
	to->topologies += from->topologies;
	sim_loops_add(to->loops, from->loops);
	to->single_faults += from->single_faults;
	to->rstp_faults += from->rstp_faults;
	to->rstp_quick += from->rstp_quick;
	to->joined_longest_ns =
	    COAX_MAX(to->joined_longest_ns, from->joined_longest_ns);
	to->rest_longest_ns =
	    COAX_MAX(to->rest_longest_ns, from->rest_longest_ns);
	to->steps_max = COAX_MAX(to->steps_max, from->steps_max);
	to->not_at_rest += from->not_at_rest;
	to->twins += from->twins;
}

bool
sim_random_run(const struct sim_random_options *o, struct sim_random *total,
    char *what, size_t size)
{
	struct sim_random first = { .topologies = 1 }, second = { 0 };
	bool good = run_once(o, o->reverse, &first, what, size);
	char other[512];

	if (good && o->seed % TWINS == 0) {
		struct sim_random_options quiet = *o;

		quiet.trace = false;
		first.twins = 1;
		good = run_once(
		    &quiet, !o->reverse, &second, other, sizeof(other));
		if (!good)
			snprintf(
			    what, size, "ports in another order: %s", other);
		else if (first.hash != second.hash) {
			good = false;
			snprintf(what, size,
			    "P6: ports in another order do another thing");
		}
	}
	sim_random_add(total, &first);
	return good;
}

void
sim_shrink(struct sim_random_options *o,
    bool (*fails)(const struct sim_random_options *o, void *arg), void *arg)
{
	for (uint32_t i = 0; i < SIM_FAULTS_MAX; i++) {
		struct sim_random_options fewer = *o;

		fewer.mask |= 1ull << i;
		if (fails(&fewer, arg))
			*o = fewer;
	}
	for (uint32_t n = 2; n <= SHRINK_BRIDGES && o->bridges == 0; n++) {
		struct sim_random_options fewer = *o;

		fewer.bridges = n;
		if (fails(&fewer, arg))
			*o = fewer;
	}
}

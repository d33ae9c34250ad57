/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random networks, random faults.
 *
 * A seed gives a topology, the bridges' parameters, which classes of fault
 * there are, and up to SIM_FAULTS_MAX faults at random times.  Each fault has
 * its own generator, made of the seed and its number, so that leaving some out
 * (o->mask) does not change the others: that is how a failure is shrunk.
 *
 * When all is done the faults are healed, and after a time to settle the
 * network must be as the static solver says.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/ether.h"
#include "base/util.h"
#include "sim/sim.h"
#include "stp/stp_impl.h"

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

struct random_run {
	struct sim s;
	const struct sim_random_options *o;
	bool lossy;   /* loss, duplication, reordering */
	bool one_way; /* links that carry one way */
	bool old_stp; /* some bridges are forced to STP */
	bool equal;   /* two bridges have the same identifier */
	bool hostile; /* BPDUs made up */
	bool silent;  /* cables move unseen, ports die unseen */
	uint32_t faults;
};

static const uint32_t costs[] = { 20000, 20000, 20000, 2000, 200000, 1 };

static uint32_t
bridges(struct random_run *r)
{
	struct prng *g = &r->s.prng;
	uint32_t n;

	if (r->o->bridges != 0)
		return r->o->bridges;
	if (prng_chance(g, 1, 400))
		return (uint32_t)prng_range(g, 100, 500);
	n = (uint32_t)prng_range(g, 2, 22);
	return n;
}

static void
node_add(struct random_run *r, uint32_t i, uint32_t count)
{
	struct prng *g = &r->s.prng;
	uint8_t mac[6] = { 0x02, 0, 0, 0, 0, 0 };
	char name[SIM_NAME];
	uint32_t n;

	/* Addresses in random order, without two the same. */
	u64_to_mac(
	    0x020000000000ull | (prng_below(g, 1000) << 16) | (i + 1), mac);
	snprintf(name, sizeof(name), "b%u", i);
	n = sim_node_add(&r->s, name, mac, prng_below(g, SIM_S),
	    (int32_t)prng_range(g, 0, 20000) - 10000);
	if (prng_chance(g, 1, 3))
		(void)stp_set_priority(
		    r->s.nodes[n].stp, (uint32_t)prng_range(g, 0, 15) * 4096);
	if (r->old_stp && prng_chance(g, 1, 3))
		(void)stp_set_version(r->s.nodes[n].stp, STP_VERSION_STP);
	if (count > 20) {
		(void)stp_set_fwd_delay(r->s.nodes[n].stp, 30);
		(void)stp_set_max_age(r->s.nodes[n].stp, 40);
	}
}

static void
attach(struct random_run *r, uint32_t node, uint32_t lan)
{
	struct prng *g = &r->s.prng;
	struct stp *stp = r->s.nodes[node].stp;
	uint16_t number = 1;

	while (number < 255 && r->s.nodes[node].ports[number] != SIM_NONE)
		number++;
	if (number == 255)
		return;
	(void)sim_port_add(&r->s, node, number, lan);
	(void)stp_port_set_cost(
	    stp, number, costs[prng_below(g, ARRAY_LEN(costs))]);
	if (prng_chance(g, 1, 8))
		(void)stp_port_set_priority(
		    stp, number, (uint32_t)prng_below(g, 16) * 16);
	if (prng_chance(g, 1, 16))
		(void)stp_port_set_auto_edge(stp, number, false);
}

static uint32_t
lan_add(struct random_run *r)
{
	char name[SIM_NAME];
	uint32_t l;

	snprintf(name, sizeof(name), "l%u", r->s.lan_count);
	l = sim_lan_add(&r->s, name);
	if (prng_chance(&r->s.prng, 1, 4))
		r->s.lans[l].delay_ns =
		    prng_range(&r->s.prng, 10000, 20 * SIM_MS);
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
build(struct random_run *r)
{
	struct prng *g = &r->s.prng;
	enum topology kind = (enum topology)prng_below(g, TOPOLOGIES);
	uint32_t n = bridges(r), width;

	if (kind == MESH && n > 16)
		n = 16;
	for (uint32_t i = 0; i < n; i++)
		node_add(r, i, n);
	switch (kind) {
	case RING:
		for (uint32_t i = 0; i < n; i++)
			link_add(r, i, (i + 1) % n);
		break;
	case MESH:
		for (uint32_t i = 0; i < n; i++) {
			for (uint32_t j = i + 1; j < n; j++)
				link_add(r, i, j);
		}
		break;
	case TREE:
		for (uint32_t i = 1; i < n; i++)
			link_add(r, i, (uint32_t)prng_below(g, i));
		break;
	case GRID:
		width = (uint32_t)prng_range(g, 2, 1 + n / 2);
		for (uint32_t i = 0; i < n; i++) {
			if (i % width != 0)
				link_add(r, i, i - 1);
			if (i >= width)
				link_add(r, i, i - width);
		}
		break;
	case SHARED:
		for (uint32_t k = 0; k < n; k++) {
			uint32_t l = lan_add(r);
			uint64_t ends = prng_range(g, 1, 5);

			while (ends-- > 0)
				attach(r, (uint32_t)prng_below(g, n), l);
		}
		break;
	case PARALLEL:
		for (uint32_t i = 1; i < n; i++) {
			uint64_t k = prng_range(g, 1, 4);

			while (k-- > 0)
				link_add(r, i, i - 1);
		}
		break;
	case GRAPH:
		for (uint64_t k = n + prng_below(g, n + 1); k > 0; k--)
			link_add(r, (uint32_t)prng_below(g, n),
			    (uint32_t)prng_below(g, n));
		break;
	case TOPOLOGIES:
		COAX_UNREACHABLE();
	}
	for (uint64_t stubs = prng_below(g, n + 1); stubs > 0; stubs--)
		attach(r, (uint32_t)prng_below(g, n), lan_add(r));
	if (r->equal && n >= 2) {
		uint8_t mac[6];

		u64_to_mac(r->s.nodes[0].mac, mac);
		r->s.nodes[1].mac = r->s.nodes[0].mac;
		(void)stp_set_mac(r->s.nodes[1].stp, mac);
	}
	sim_links(&r->s);
}

/* A BPDU that means harm: a true one with a few octets changed, or noise. */
static void
hostile(struct random_run *r, struct prng *g, uint32_t port)
{
	uint8_t data[64];
	struct stp_bpdu b = {
		.type = STP_BPDU_RST,
		.flags = (uint8_t)prng_u32(g),
		.root_id = r->s.nodes[prng_below(g, r->s.node_count)].mac,
		.root_path_cost = (uint32_t)prng_below(g, 100000),
		.bridge_id = r->s.nodes[prng_below(g, r->s.node_count)].mac,
		.port_id = (uint16_t)prng_below(g, 65536),
		.times = { 0, 20, 2, 15 },
	};
	size_t len = stp_bpdu_encode(&b, data);

	if (prng_chance(g, 1, 4)) {
		len = prng_below(g, sizeof(data));
		prng_bytes(g, data, len);
	} else {
		for (uint64_t k = prng_below(g, 4); k > 0; k--)
			data[prng_below(g, len)] = (uint8_t)prng_u32(g);
	}
	sim_excuse(&r->s, 60 * SIM_S, "a BPDU made up");
	sim_bpdu(&r->s, port, data, len);
}

static void
command(struct random_run *r, struct prng *g, uint32_t node, uint32_t port)
{
	const struct sim_port *p = &r->s.ports[port];
	struct stp *stp = r->s.nodes[p->node].stp;

	switch (prng_below(g, 6)) {
	case 0:
		(void)stp_set_priority(
		    r->s.nodes[node].stp, (uint32_t)prng_below(g, 16) * 4096);
		sim_effects(&r->s, node);
		return;
	case 1:
		(void)stp_port_set_priority(
		    stp, p->number, (uint32_t)prng_below(g, 16) * 16);
		break;
	case 2:
		(void)stp_port_set_cost(
		    stp, p->number, (uint32_t)prng_range(g, 1, 400000));
		break;
	case 3:
		(void)stp_set_hold_count(stp, (uint32_t)prng_range(g, 1, 10));
		for (uint32_t i = 0; i < r->s.port_count; i++) {
			if (r->s.ports[i].node == p->node)
				r->s.ports[i].sent_in_row = 0;
		}
		break;
	case 4:
		(void)stp_port_mcheck(stp, p->number);
		break;
	default:
		(void)stp_set_fwd_delay(stp, (uint32_t)prng_range(g, 11, 30));
		break;
	}
	sim_effects(&r->s, p->node);
}

static void
fault(struct random_run *r, struct prng *g)
{
	struct sim *s = &r->s;
	uint32_t node = (uint32_t)prng_below(g, s->node_count);
	uint32_t lan = (uint32_t)prng_below(g, s->lan_count);
	uint32_t port = (uint32_t)prng_below(g, s->port_count);
	uint64_t kind = prng_below(g, 12);

	if (s->trace)
		printf("%12.6f  fault %u: bridge %s, LAN %s, port %s.%u\n",
		    (double)s->now_ns / 1e9, (unsigned int)kind,
		    s->nodes[node].name, s->lans[lan].name,
		    s->nodes[s->ports[port].node].name, s->ports[port].number);
	switch (kind) {
	case 0:
	case 1:
	case 2:
		sim_link_set(s, lan, s->lans[lan].down);
		return;
	case 3: /* flapping, at 1 to 10 Hz */
		for (int i = 0; i < 6; i++) {
			sim_link_set(s, lan, s->lans[lan].down);
			sim_run(s, prng_range(g, 50, 500) * SIM_MS);
		}
		return;
	case 4:
	case 5:
		if (s->nodes[node].alive)
			sim_node_down(s, node, true);
		else
			sim_node_up(s, node, prng_below(g, SIM_S));
		return;
	case 6:
	case 7:
	case 8:
		if (s->nodes[node].alive && s->nodes[s->ports[port].node].alive)
			command(r, g, node, port);
		return;
	case 9:
		if (!r->one_way)
			return;
		s->ports[port].deaf = !s->ports[port].deaf;
		sim_excuse(s, 60 * SIM_S, "a link carries one way");
		return;
	case 10:
		if (r->hostile && s->ports[port].link)
			hostile(r, g, port);
		return;
	default:
		if (!r->silent || !s->nodes[s->ports[port].node].alive)
			return;
		sim_excuse(s, 60 * SIM_S, "a cable moved unseen");
		sim_port_move(s, port, lan, true);
		return;
	}
}

static void
heal(struct random_run *r)
{
	struct sim *s = &r->s;

	s->faults = (struct sim_faults){ 0 };
	for (uint32_t i = 0; i < s->port_count; i++)
		s->ports[i].deaf = false;
	sim_check_now(s);
}

static bool
deaf(const struct random_run *r)
{
	for (uint32_t i = 0; i < r->s.port_count; i++) {
		if (r->s.ports[i].deaf)
			return true;
	}
	return false;
}

bool
sim_random_run(const struct sim_random_options *o, struct sim_random *total,
    char *what, size_t size)
{
	struct random_run r = { .o = o };
	struct sim *s = &r.s;
	struct prng *g = &s->prng;
	uint64_t healed_ns;
	bool deep = false, good;

	sim_init(s, o->seed);
	s->trace = o->trace;
	s->strict = o->strict;
	r.lossy = prng_chance(g, 1, 4);
	r.one_way = prng_chance(g, 1, 10);
	r.old_stp = prng_chance(g, 1, 8);
	r.equal = prng_chance(g, 1, 40);
	r.hostile = prng_chance(g, 1, 10);
	r.silent = prng_chance(g, 1, 10);
	r.faults = (uint32_t)prng_below(g, SIM_FAULTS_MAX / 2);
	build(&r);
	if (r.lossy)
		s->faults = (struct sim_faults){
			.loss = (uint32_t)prng_below(g, 100),
			.duplicate = (uint32_t)prng_below(g, 100),
			.reorder = (uint32_t)prng_below(g, 200),
			.jitter_us = (uint32_t)prng_below(g, 5000),
		};
	if (r.equal)
		sim_excuse(s, 1000000 * SIM_S, "two bridges are one");
	for (uint32_t i = 0; i < r.faults && s->port_count > 0; i++) {
		struct prng f = prng_init(o->seed * 1000003 + i);
		static const uint64_t pauses[] = { 2 * SIM_MS, 100 * SIM_MS,
			3 * SIM_S, 10 * SIM_S };

		sim_run(s, prng_below(&f, pauses[prng_below(&f, 4)]));
		if (deaf(&r))
			sim_excuse(s, 60 * SIM_S, "a link carries one way");
		if ((o->mask >> i & 1) == 0) {
			fault(&r, &f);
			total->events++;
		}
		sim_check_now(s);
		if (s->problem[0] != '\0')
			break;
	}
	heal(&r);
	healed_ns = s->now_ns;
	sim_run(s, (r.old_stp ? 700 : r.hostile ? 200 : 100) * SIM_S);
	if (s->changed_ns > healed_ns && !r.old_stp && !r.hostile &&
	    !r.silent && !r.one_way && !r.lossy &&
	    s->changed_ns - healed_ns > total->rest_max_ns)
		total->rest_max_ns = s->changed_ns - healed_ns;
	good = s->problem[0] == '\0';
	if (good && !r.equal)
		good = sim_check_rest(s, &deep);
	total->rest_skipped += deep || r.equal;
	snprintf(what, size, "%s [%s%s%s%s%s%s]", s->problem,
	    r.lossy ? " lossy" : "", r.one_way ? " one-way" : "",
	    r.old_stp ? " stp" : "", r.equal ? " equal" : "",
	    r.hostile ? " hostile" : "", r.silent ? " silent" : "");
	total->events += s->delivered;
	total->topologies++;
	total->loops += s->loop_longest_ns > 0;
	total->loop_ns += s->loop_excused_ns;
	total->short_loops += s->short_loops;
	total->short_longest_ns =
	    COAX_MAX(total->short_longest_ns, s->short_longest_ns);
	total->loop_longest_ns =
	    COAX_MAX(total->loop_longest_ns, s->loop_longest_ns);
	for (uint32_t i = 0; i < s->node_count; i++)
		total->steps_max =
		    COAX_MAX(total->steps_max, stp_steps_max(s->nodes[i].stp));
	sim_fini(s);
	return good;
}

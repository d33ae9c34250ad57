/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be true at rest, against a solver that knows only the topology and
 * what is set.
 *
 *   Q1  one root in each part of the network, the smallest identifier
 *   Q2  one designated port on each LAN
 *   Q3  one root port on each bridge but the root
 *   Q4  what forwards joins all that is wired, without loop, as solved
 *   Q5  root path costs, message ages, root ports and designated ports as
 *       solved
 *   Q6  all ends of a LAN have the same designated port in mind
 *   Q7  one BPDU per designated port and hello time, none elsewhere
 *   Q8  no topology change timer runs
 *       (where STP is spoken that takes max age and forward delay a hop)
 *   Q9  nor any other that will have an effect
 *       (those that are set anew with each hello or each tick, as their roles
 *       want it, do not count)
 *   L2  no bridge believes a station that can be reached behind another port
 *       than the one that leads there
 *
 * The solver takes every bridge for a root of its own and relaxes vectors until
 * nothing changes: Bellman and Ford's way, not the machine's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/ether.h"
#include "base/util.h"
#include "sim/sim.h"
#include "stp/stp_impl.h"

struct solved_node {
	struct stp_vector best; /* of the root path, own bridge last */
	uint32_t root_port;     /* index, or SIM_NONE */
	uint32_t hops;          /* from the root */
};

struct solved {
	struct solved_node *nodes;
	uint32_t *designated;       /* of each LAN: port index, or SIM_NONE */
	struct stp_port_info *info; /* of each port */
	struct stp_info *bridge;    /* of each node */
	bool solved;
};

static struct stp_vector
offer(const struct solved *v, const struct sim *s, uint32_t port)
{
	const struct sim_port *p = s->ports[port];
	const struct solved_node *n = &v->nodes[p->node];

	return (struct stp_vector){ n->best.root_id, n->best.root_path_cost,
		v->bridge[p->node].bridge_id, v->info[port].port_id };
}

static void
choose_designated(struct solved *v, const struct sim *s, uint32_t lan)
{
	const struct sim_lan *l = &s->lans[lan];

	v->designated[lan] = SIM_NONE;
	for (uint32_t i = 0; i < l->end_count; i++) {
		struct stp_vector a, b;
		uint32_t d = v->designated[lan];

		if (!sim_usable(s, s->ports[l->ends[i]]))
			continue;
		a = offer(v, s, l->ends[i]);
		if (d != SIM_NONE) {
			b = offer(v, s, d);
			if (stp_vector_compare(&a, &b) >= 0)
				continue;
		}
		v->designated[lan] = l->ends[i];
	}
}

static bool
is_better(const struct solved *v, const struct stp_vector *path, uint32_t port,
    const struct solved_node *n)
{
	int c = stp_vector_compare(path, &n->best);

	if (c != 0 || n->root_port == SIM_NONE)
		return c < 0;
	return v->info[port].port_id < v->info[n->root_port].port_id;
}

static struct solved_node
solve_node(const struct solved *v, const struct sim *s, uint32_t k)
{
	uint64_t id = v->bridge[k].bridge_id;
	struct solved_node n = { { id, 0, id, 0 }, SIM_NONE, 0 };

	for (uint32_t j = 1; j <= SIM_PORT_MAX && s->nodes[k]->alive; j++) {
		uint32_t i = s->nodes[k]->ports[j], d;
		struct stp_vector path;

		if (i == SIM_NONE || !sim_usable(s, s->ports[i]))
			continue;
		d = v->designated[s->ports[i]->lan];
		if (d == SIM_NONE || s->ports[d]->node == k)
			continue;
		path = offer(v, s, d);
		path.root_path_cost =
		    stp_cost_add(path.root_path_cost, v->info[i].path_cost);
		if (is_better(v, &path, i, &n)) {
			n.best = path;
			n.root_port = i;
			n.hops = v->nodes[s->ports[d]->node].hops + 1;
		}
	}
	return n;
}

/* One round, from scratch. */
static bool
relax(struct solved *v, const struct sim *s)
{
	bool changed = false;

	for (uint32_t l = 0; l < s->lan_count; l++)
		choose_designated(v, s, l);
	for (uint32_t k = 0; k < s->node_count; k++) {
		struct solved_node n = solve_node(v, s, k);

		if (stp_vector_compare(&n.best, &v->nodes[k].best) != 0 ||
		    n.root_port != v->nodes[k].root_port)
			changed = true;
		v->nodes[k] = n;
	}
	return changed;
}

static void *
array_of(uint32_t count, size_t size)
{
	void *array = calloc(count + 1u, size);

	ASSERT(array != NULL);
	return array;
}

static struct solved
solve(const struct sim *s)
{
	struct solved v = {
		.nodes = array_of(s->node_count, sizeof(*v.nodes)),
		.designated = array_of(s->lan_count, sizeof(*v.designated)),
		.info = array_of(s->port_count, sizeof(*v.info)),
		.bridge = array_of(s->node_count, sizeof(*v.bridge)),
	};
	uint32_t rounds = 2 * s->node_count + 4;

	for (uint32_t k = 0; k < s->node_count; k++) {
		uint64_t id;

		stp_get(sim_stp(s, k), &v.bridge[k]);
		id = v.bridge[k].bridge_id;
		v.nodes[k] =
		    (struct solved_node){ { id, 0, id, 0 }, SIM_NONE, 0 };
	}
	for (uint32_t i = 0; i < s->port_count; i++)
		(void)stp_port_get(sim_stp(s, s->ports[i]->node),
		    s->ports[i]->number, &v.info[i]);
	while (relax(&v, s) && rounds > 0)
		rounds--;
	for (uint32_t l = 0; l < s->lan_count; l++)
		choose_designated(&v, s, l);
	v.solved = rounds > 0;
	return v;
}

static void
solved_free(struct solved *v)
{
	free(v->nodes);
	free(v->designated);
	free(v->info);
	free(v->bridge);
}

bool
sim_stale_word(const struct sim *s)
{
	struct solved v = solve(s);
	bool found = !v.solved;

	for (uint32_t k = 0; k < s->node_count && !found; k++) {
		const struct stp_vector *best = &v.nodes[k].best;
		const struct stp_info *info = &v.bridge[k];

		if (!s->nodes[k]->alive)
			continue;
		found = info->root_id != best->root_id
		            ? info->root_id < best->root_id
		            : info->root_path_cost < best->root_path_cost;
	}
	solved_free(&v);
	return found;
}

static enum stp_role
solved_role(const struct solved *v, const struct sim *s, uint32_t port)
{
	const struct sim_port *p = s->ports[port];
	uint32_t d;

	if (!sim_usable(s, p))
		return STP_ROLE_DISABLED;
	d = v->designated[p->lan];
	if (d == port)
		return STP_ROLE_DESIGNATED;
	if (v->nodes[p->node].root_port == port)
		return STP_ROLE_ROOT;
	return s->ports[d]->node == p->node ? STP_ROLE_BACKUP
	                                    : STP_ROLE_ALTERNATE;
}

/* Q8, Q9. */
static void
check_timers(struct sim *s, const struct sim_port *p, const struct stp_port *q,
    bool changes)
{
	bool blocked = q->role == STP_ROLE_ALTERNATE ||
	               q->role == STP_ROLE_BACKUP ||
	               q->role == STP_ROLE_DISABLED;
	const struct {
		const char *name;
		uint16_t value;
		bool set_anew;
	} timers[] = {
		{ "tcWhile", q->tc_while, !changes },
		{ "fdWhile", q->fd_while, blocked },
		{ "rrWhile", q->rr_while, q->role == STP_ROLE_ROOT },
		{ "rbWhile", q->rb_while,
		    q->role == STP_ROLE_BACKUP ||
		        q->role == STP_ROLE_DISABLED },
		{ "mdelayWhile", q->mdelay_while,
		    q->role == STP_ROLE_DISABLED },
		{ "edgeDelayWhile", q->edge_delay_while, blocked || q->heard },
		{ "disputed", q->disputed_while, q->role == STP_ROLE_DISABLED },
		{ "self loop", q->self_loop_while, false },
		{ "a question", q->ask_ns != 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
		if (timers[i].value != 0 && !timers[i].set_anew)
			sim_problem(s, "%s: %s.%u, %s: %s runs",
			    i == 0 ? "Q8" : "Q9", s->nodes[p->node]->name,
			    p->number, stp_role_name(q->role), timers[i].name);
	}
}

static void
check_port(struct sim *s, const struct solved *v, uint32_t port, bool changes)
{
	const struct sim_port *p = s->ports[port];
	const struct sim_node *n = s->nodes[p->node];
	const struct stp_port_info *info = &v->info[port];
	enum stp_role role = solved_role(v, s, port);
	bool forwards;

	if (!n->alive || !p->present)
		return;
	if (info->role != role) {
		sim_problem(s, "%s: %s.%u is %s, should be %s",
		    role == STP_ROLE_ROOT         ? "Q3"
		    : role == STP_ROLE_DESIGNATED ? "Q2"
		                                  : "Q5",
		    n->name, p->number, stp_role_name(info->role),
		    stp_role_name(role));
		return;
	}
	forwards = role == STP_ROLE_ROOT || role == STP_ROLE_DESIGNATED;
	if (sim_state(s, p) !=
	    (forwards ? STP_STATE_FORWARDING : STP_STATE_DISCARDING))
		sim_problem(s, "Q4: %s.%u, %s, is %s", n->name, p->number,
		    stp_role_name(role), stp_state_name(sim_state(s, p)));
	if (role != STP_ROLE_DISABLED) {
		struct stp_vector d = offer(v, s, v->designated[p->lan]);

		if (stp_vector_compare(&d, &info->designated) != 0)
			sim_problem(s,
			    "Q6: %s.%u knows another designated port", n->name,
			    p->number);
	}
	check_timers(s, p, sim_stp_port(s, p), changes);
}

/* Where messages do not come any more, who knows what is known there. */
static void
check_root(struct sim *s, const struct solved *v, uint32_t k)
{
	const struct stp_info *info = &v->bridge[k];
	const struct solved_node *n = &v->nodes[k];
	const char *name = s->nodes[k]->name;

	if (n->hops > info->root_times.max_age)
		return;
	if (info->root_id != n->best.root_id)
		sim_problem(s,
		    "Q1: %s has the root %016" PRIx64
		    ", should have %016" PRIx64,
		    name, info->root_id, n->best.root_id);
	else if (info->root_path_cost != n->best.root_path_cost)
		sim_problem(s, "Q5: %s has the cost %u, should be %u", name,
		    info->root_path_cost, n->best.root_path_cost);
	else if (info->root_times.message_age != n->hops)
		sim_problem(s, "Q5: %s says a message age of %u, should be %u",
		    name, info->root_times.message_age, n->hops);
}

static void
check_silence(struct sim *s, uint32_t k)
{
	const struct stp *stp = sim_stp(s, k);
	const char *name = s->nodes[k]->name;

	/* Who has no link has no ticks either. */
	for (uint32_t i = 0; i < STP_ROOTS_MAX && stp->enabled_count > 0; i++) {
		if (stp->roots[i].memory_while > 0 ||
		    stp->roots[i].distrust_while > 0)
			sim_problem(s, "Q9: %s remembers a root", name);
	}
	if (stp->next_tx_ns != STP_NEVER && stp->enabled_count > 0)
		sim_problem(s, "Q9: %s has more to say", name);
}

static bool
too_deep(const struct sim *s, const struct solved *v)
{
	for (uint32_t k = 0; k < s->node_count; k++) {
		if (s->nodes[k]->alive &&
		    v->nodes[k].hops >= v->bridge[k].max_age)
			return true;
	}
	return false;
}

/* L2. */

struct walk {
	struct sim *s;
	const struct solved *v;
	uint32_t node;
};

/* Where stations are: behind a port that is alone on its LAN.  The address
 * says which (random.c). */
static uint32_t
home_of(const struct sim *s, uint64_t mac)
{
	uint32_t port = (uint32_t)(mac & 0xffffff);

	if (mac >> 24 != 0x02aa00 || port >= s->port_count ||
	    !sim_usable(s, s->ports[port]))
		return SIM_NONE;
	return port;
}

/* The port of @node that leads to @port's bridge; SIM_NONE: none does.  Up to
 * the root from both, until they meet. */
static uint32_t
way_to(
    const struct sim *s, const struct solved *v, uint32_t node, uint32_t port)
{
	uint32_t at = s->ports[port]->node, from = port;

	if (v->nodes[node].best.root_id != v->nodes[at].best.root_id)
		return SIM_NONE;
	while (at != node) {
		uint32_t up = v->nodes[at].root_port;

		if (up == SIM_NONE)
			return v->nodes[node].root_port; /* beyond the root */
		from = v->designated[s->ports[up]->lan];
		at = s->ports[from]->node;
	}
	return from;
}

static void
check_address(void *arg, const struct fdb_entry *e)
{
	struct walk *w = arg;
	uint32_t home = home_of(w->s, e->key & STP_ADDRESS_MASK), way;

	if (home == SIM_NONE || e->type != FDB_DYNAMIC)
		return;
	way = way_to(w->s, w->v, w->node, home);
	if (way != SIM_NONE && w->s->ports[way]->number != e->port)
		sim_problem(w->s,
		    "L2: %s believes the station at %s.%u behind port %u, not "
		    "%u",
		    w->s->nodes[w->node]->name,
		    w->s->nodes[w->s->ports[home]->node]->name,
		    w->s->ports[home]->number, e->port,
		    w->s->ports[way]->number);
}

bool
sim_check_rest(struct sim *s, bool changes, bool *deep)
{
	struct solved v = solve(s);

	*deep = v.solved && too_deep(s, &v);
	if (!v.solved)
		sim_problem(s, "the solver found no end");
	for (uint32_t k = 0; k < s->node_count && v.solved; k++) {
		if (s->nodes[k]->alive)
			check_root(s, &v, k);
	}
	if (*deep)
		goto out;
	for (uint32_t k = 0; k < s->node_count; k++) {
		struct walk w = { s, &v, k };

		if (!s->nodes[k]->alive)
			continue;
		check_silence(s, k);
		if (!s->news_lost && fdb_walk(sim_fdb(s, k), sim_now_s(s, k),
		                         check_address, &w) < 0)
			sim_problem(s, "no memory");
	}
	for (uint32_t i = 0; i < s->port_count; i++)
		check_port(s, &v, i, changes);
	if (s->loop_since_ns != UINT64_MAX)
		sim_problem(s, "Q4: a loop at rest");
	if (s->parted_since_ns != UINT64_MAX)
		sim_problem(s, "Q4: bridges are parted at rest");
out:
	solved_free(&v);
	return s->problem[0] == '\0';
}

bool
sim_is_deep(const struct sim *s)
{
	struct solved v = solve(s);
	bool deep = too_deep(s, &v);

	solved_free(&v);
	return deep;
}

static const char *
busy_with(const struct stp_port *q, bool changes)
{
	if (!q->port_enabled)
		return NULL;
	if (q->tc_while > 0 && changes)
		return "a topology change";
	if (q->disputed_while > 0)
		return "a dispute";
	if (q->mdelay_while > 0)
		return "its version";
	if (q->role == STP_ROLE_DESIGNATED && q->rr_while > 0)
		return "being root no more";
	if ((q->role == STP_ROLE_ROOT || q->role == STP_ROLE_DESIGNATED) &&
	    !q->forwarding)
		return "its state";
	return NULL;
}

bool
sim_is_busy(const struct sim *s, bool changes, char *what, size_t size)
{
	for (uint32_t k = 0; k < s->node_count; k++) {
		const struct stp *stp = sim_stp(s, k);

		if (!s->nodes[k]->alive)
			continue;
		STP_EACH_PORT (stp, q) {
			if (busy_with(q, changes) == NULL)
				continue;
			snprintf(what, size, "%s.%u with %s", s->nodes[k]->name,
			    q->number, busy_with(q, changes));
			return true;
		}
	}
	snprintf(what, size, "nobody");
	return false;
}

bool
sim_check_hellos(struct sim *s)
{
	uint64_t *before = array_of(s->port_count, sizeof(*before));

	for (uint32_t i = 0; i < s->port_count; i++)
		before[i] = s->ports[i]->sent_count;
	/* Ten of them; clocks are off by at most 1 %. */
	sim_run(s, 20 * SIM_S);
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_port *p = s->ports[i];
		uint64_t sent = p->sent_count - before[i];
		bool designated = s->nodes[p->node]->alive && p->present &&
		                  p->link && p->was.role == STP_ROLE_DESIGNATED;

		if (designated ? sent < 9 || sent > 11 : sent != 0)
			sim_problem(s, "Q7: %s.%u, %s, sent %u BPDUs in 20 s",
			    s->nodes[p->node]->name, p->number,
			    stp_role_name(p->was.role), (unsigned int)sent);
	}
	free(before);
	return s->problem[0] == '\0';
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be true.
 *
 * After every event (sim_check_now()):
 *   P1  what forwards has no loop: the graph of bridges and LANs over ports
 *       that forward has no cycle.  Where sim_excuse() says that the protocol
 *       cannot know (messages lost in a row, a link that carries one way,
 *       cables that move in silence), the loop's length in time is counted
 *       instead.
 *   P2  only root and designated ports forward.
 *   P4, P7 are checked where BPDUs are sent.  P6 (bounded steps) is asserted
 *   by the machine itself.
 *
 * At rest (sim_check_rest()), against a static solver that knows only the
 * topology:
 *   Q1  one root in each part of the network, the smallest identifier
 *   Q2  one designated port on each LAN
 *   Q3  one root port on each bridge but the root
 *   Q4  what forwards connects all, without loop
 *   Q5  root path costs, root ports and designated ports as solved
 *   Q6  both ends have the same designated port in mind
 *   Q7  one BPDU per designated port and hello time, no others
 *   Q8, Q9  no topology change timer runs
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/sim.h"
#include "stp/stp_impl.h"

static uint32_t
root_of(uint32_t *up, uint32_t i)
{
	while (up[i] != i)
		i = up[i] = up[up[i]];
	return i;
}

/* The port whose forwarding closes a loop, or SIM_NONE. */
static uint32_t
find_loop(const struct sim *s)
{
	uint32_t vertices = s->node_count + s->lan_count;
	uint32_t small[1024], *up = small, found = SIM_NONE;

	if (vertices > 1024)
		up = malloc(vertices * sizeof(*up));
	ASSERT(up != NULL);
	for (uint32_t i = 0; i < vertices; i++)
		up[i] = i;
	for (uint32_t i = 0; i < s->port_count && found == SIM_NONE; i++) {
		const struct sim_port *p = &s->ports[i];
		uint32_t a, b;

		if (p->state != STP_STATE_FORWARDING || !p->link ||
		    !sim_port_carries(s, p))
			continue;
		a = root_of(up, p->node);
		b = root_of(up, s->node_count + p->lan);
		if (a == b)
			found = i;
		up[a] = b;
	}
	if (up != small)
		free(up);
	return found;
}

/* The static solver: shortest vectors from every root candidate, by relaxation
 * until nothing changes.  It knows the topology and the parameters only. */

struct solved_node {
	struct stp_vector best; /* of the root path, own bridge last */
	uint32_t root_port;     /* index, or SIM_NONE */
	uint32_t hops;          /* from the root */
};

struct solved {
	struct solved_node *nodes;
	uint32_t *designated;       /* of each LAN: port index, or SIM_NONE */
	struct stp_port_info *info; /* of each port */
	uint64_t *id;               /* of each node */
};

static bool
usable(const struct sim *s, const struct sim_port *p)
{
	return p->link && s->nodes[p->node].alive && sim_port_carries(s, p);
}

static struct stp_vector
offer(const struct solved *v, const struct sim *s, uint32_t port)
{
	const struct sim_port *p = &s->ports[port];
	const struct solved_node *n = &v->nodes[p->node];

	return (struct stp_vector){ n->best.root_id, n->best.root_path_cost,
		v->id[p->node], v->info[port].port_id };
}

static void
choose_designated(struct solved *v, const struct sim *s)
{
	for (uint32_t l = 0; l < s->lan_count; l++)
		v->designated[l] = SIM_NONE;
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_port *p = &s->ports[i];
		struct stp_vector a, b;
		uint32_t d;

		if (!usable(s, p))
			continue;
		d = v->designated[p->lan];
		a = offer(v, s, i);
		if (d != SIM_NONE) {
			b = offer(v, s, d);
			if (stp_vector_compare(&a, &b) > 0)
				continue;
		}
		v->designated[p->lan] = i;
	}
}

static bool
better_root(const struct solved *v, const struct stp_vector *path,
    uint32_t port, const struct solved_node *n)
{
	int c = stp_vector_compare(path, &n->best);

	if (c != 0 || n->root_port == SIM_NONE)
		return c < 0;
	return v->info[port].port_id < v->info[n->root_port].port_id;
}

/* One round of relaxation, from scratch. */
static bool
relax(struct solved *v, const struct sim *s)
{
	bool changed = false;

	choose_designated(v, s);
	for (uint32_t k = 0; k < s->node_count; k++) {
		const struct sim_node *node = &s->nodes[k];
		struct solved_node n = { { v->id[k], 0, v->id[k], 0 }, SIM_NONE,
			0 };

		for (uint32_t j = 1; j < 256 && node->alive; j++) {
			uint32_t i = node->ports[j], d;
			struct stp_vector path;

			if (i == SIM_NONE || !usable(s, &s->ports[i]))
				continue;
			d = v->designated[s->ports[i].lan];
			if (d == SIM_NONE || s->ports[d].node == k)
				continue;
			path = offer(v, s, d);
			path.root_path_cost = stp_cost_add(
			    path.root_path_cost, v->info[i].path_cost);
			if (better_root(v, &path, i, &n)) {
				n.best = path;
				n.root_port = i;
				n.hops = v->nodes[s->ports[d].node].hops + 1;
			}
		}
		if (stp_vector_compare(&n.best, &v->nodes[k].best) != 0 ||
		    n.root_port != v->nodes[k].root_port)
			changed = true;
		v->nodes[k] = n;
	}
	return changed;
}

static bool
solve(struct solved *v, const struct sim *s)
{
	uint32_t rounds = 0;

	for (uint32_t k = 0; k < s->node_count; k++) {
		struct stp_info info;

		stp_get(s->nodes[k].stp, &info);
		v->id[k] = info.bridge_id;
		v->nodes[k] = (struct solved_node){
			{ info.bridge_id, 0, info.bridge_id, 0 }, SIM_NONE, 0
		};
	}
	for (uint32_t i = 0; i < s->port_count; i++) {
		if (stp_port_get(s->nodes[s->ports[i].node].stp,
		        s->ports[i].number, &v->info[i]) < 0)
			v->info[i] = (struct stp_port_info){ 0 };
	}
	while (relax(v, s)) {
		if (++rounds > 2 * s->node_count + 4)
			return false;
	}
	choose_designated(v, s);
	return true;
}

static void
solved_free(struct solved *v)
{
	free(v->nodes);
	free(v->designated);
	free(v->info);
	free(v->id);
}

static struct solved
solved_new(const struct sim *s)
{
	struct solved v = {
		.nodes = calloc(s->node_count + 1, sizeof(*v.nodes)),
		.designated = calloc(s->lan_count + 1, sizeof(*v.designated)),
		.info = calloc(s->port_count + 1, sizeof(*v.info)),
		.id = calloc(s->node_count + 1, sizeof(*v.id)),
	};

	ASSERT(v.nodes != NULL && v.designated != NULL && v.info != NULL &&
	       v.id != NULL);
	return v;
}

/*
 * The window of count-to-infinity: does a bridge believe in a root, or a way to
 * it, that is better than any there is?  Then the word of a link or bridge that
 * has died still goes round.
 */
static bool
stale_word(const struct sim *s)
{
	struct solved v = solved_new(s);
	bool found = !solve(&v, s);

	for (uint32_t k = 0; k < s->node_count && !found; k++) {
		const struct stp_vector *best = &v.nodes[k].best;
		struct stp_info info;

		if (!s->nodes[k].alive)
			continue;
		stp_get(s->nodes[k].stp, &info);
		found = info.root_id != best->root_id
		            ? info.root_id < best->root_id
		            : info.root_path_cost < best->root_path_cost;
	}
	solved_free(&v);
	return found;
}

static void
loop_end(struct sim *s, uint64_t length)
{
	s->loop_since_ns = UINT64_MAX;
	if (s->trace)
		printf("%12.6f  no loop any more, after %.6f s (%s)\n",
		    (double)s->now_ns / 1e9, (double)length / 1e9,
		    s->loop_unexcused ? "-" : s->excuse);
	if (s->loop_unexcused) {
		s->short_loops++;
		if (length > s->short_longest_ns)
			s->short_longest_ns = length;
		return;
	}
	s->loop_excused_ns += length;
	if (length > s->loop_longest_ns)
		s->loop_longest_ns = length;
}

static void
check_loop(struct sim *s)
{
	uint32_t at = find_loop(s);
	uint64_t length;

	if (at != SIM_NONE && s->loop_since_ns == UINT64_MAX) {
		if (stale_word(s))
			sim_excuse(s, 0, "count to infinity");
		s->loop_since_ns = s->now_ns;
		s->loop_unexcused = s->now_ns > s->excused_ns;
		if (s->loop_unexcused && s->strict)
			sim_problem(s, "P1: a loop through %s.%u",
			    s->nodes[s->ports[at].node].name,
			    s->ports[at].number);
		if (s->trace)
			printf("%12.6f  LOOP through %s.%u\n",
			    (double)s->now_ns / 1e9,
			    s->nodes[s->ports[at].node].name,
			    s->ports[at].number);
	}
	if (s->loop_since_ns == UINT64_MAX)
		return;
	length = s->now_ns - s->loop_since_ns;
	if (s->loop_unexcused && length > SIM_SHORT_NS)
		sim_problem(s, "P1: a loop for %.3f s", (double)length / 1e9);
	if (at == SIM_NONE)
		loop_end(s, length);
}

void
sim_check_now(struct sim *s)
{
	if (!s->moved && s->loop_since_ns == UINT64_MAX)
		return;
	s->moved = false;
	check_loop(s);
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_port *p = &s->ports[i];
		struct stp_port_info info;

		if (p->state != STP_STATE_FORWARDING ||
		    stp_port_get(s->nodes[p->node].stp, p->number, &info) < 0)
			continue;
		if (info.role != STP_ROLE_ROOT &&
		    info.role != STP_ROLE_DESIGNATED)
			sim_problem(s, "P2: %s.%u forwards as %s",
			    s->nodes[p->node].name, p->number,
			    stp_role_name(info.role));
	}
}

static enum stp_role
solved_role(const struct solved *v, const struct sim *s, uint32_t port)
{
	const struct sim_port *p = &s->ports[port];
	uint32_t d;

	if (!usable(s, p))
		return STP_ROLE_DISABLED;
	d = v->designated[p->lan];
	if (d == port)
		return STP_ROLE_DESIGNATED;
	if (v->nodes[p->node].root_port == port)
		return STP_ROLE_ROOT;
	return s->ports[d].node == p->node ? STP_ROLE_BACKUP
	                                   : STP_ROLE_ALTERNATE;
}

static void
check_port(struct sim *s, const struct solved *v, uint32_t port)
{
	const struct sim_port *p = &s->ports[port];
	const struct sim_node *n = &s->nodes[p->node];
	const struct stp_port_info *info = &v->info[port];
	enum stp_role role = solved_role(v, s, port);
	const struct stp_port *sp = NULL;
	bool forwards;

	if (!n->alive || !p->present)
		return;
	if (info->role != role) {
		sim_problem(s, "Q5: %s.%u is %s, should be %s", n->name,
		    p->number, stp_role_name(info->role), stp_role_name(role));
		return;
	}
	forwards = role == STP_ROLE_ROOT || role == STP_ROLE_DESIGNATED;
	if ((p->state == STP_STATE_FORWARDING) != forwards)
		sim_problem(s, "Q4: %s.%u, %s, is %s", n->name, p->number,
		    stp_role_name(role), stp_state_name(p->state));
	if (role != STP_ROLE_DISABLED) {
		struct stp_vector d = offer(v, s, v->designated[p->lan]);

		if (stp_vector_compare(&d, &info->designated) != 0)
			sim_problem(s,
			    "Q6: %s.%u knows another designated port", n->name,
			    p->number);
	}
	for (uint32_t i = 0; i < n->stp->port_count; i++) {
		if (n->stp->ports[i].number == p->number)
			sp = &n->stp->ports[i];
	}
	if (sp != NULL && sp->tc_while != 0)
		sim_problem(s, "Q8: %s.%u still has a topology change", n->name,
		    p->number);
}

static void
check_roots(struct sim *s, const struct solved *v)
{
	for (uint32_t k = 0; k < s->node_count; k++) {
		struct stp_info info;

		if (!s->nodes[k].alive)
			continue;
		stp_get(s->nodes[k].stp, &info);
		if (info.root_id != v->nodes[k].best.root_id)
			sim_problem(s,
			    "Q1: %s has the root %016" PRIx64
			    ", should have %016" PRIx64,
			    s->nodes[k].name, info.root_id,
			    v->nodes[k].best.root_id);
		if (info.root_path_cost != v->nodes[k].best.root_path_cost)
			sim_problem(s, "Q5: %s has the cost %u, should be %u",
			    s->nodes[k].name, info.root_path_cost,
			    v->nodes[k].best.root_path_cost);
	}
}

static void
check_hellos(struct sim *s, const struct solved *v)
{
	uint64_t *before = calloc(s->port_count + 1, sizeof(*before));

	ASSERT(before != NULL);
	for (uint32_t i = 0; i < s->port_count; i++)
		before[i] = s->ports[i].sent_count;
	/* Between ticks; with clocks that are off by at most 1 %. */
	sim_run(s, 20 * SIM_S);
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_port *p = &s->ports[i];
		uint64_t sent = p->sent_count - before[i];
		bool designated = s->nodes[p->node].alive && p->present &&
		                  solved_role(v, s, i) == STP_ROLE_DESIGNATED;

		if (designated ? sent < 9 || sent > 11 : sent != 0)
			sim_problem(s, "Q7: %s.%u sent %u BPDUs in 20 s",
			    s->nodes[p->node].name, p->number,
			    (unsigned int)sent);
	}
	free(before);
}

static bool
too_deep(const struct sim *s, const struct solved *v)
{
	for (uint32_t k = 0; k < s->node_count; k++) {
		struct stp_info info;

		stp_get(s->nodes[k].stp, &info);
		if (s->nodes[k].alive && v->nodes[k].hops > info.max_age)
			return true;
	}
	return false;
}

bool
sim_check_rest(struct sim *s, bool *deep)
{
	struct solved v = solved_new(s);

	if (!solve(&v, s))
		sim_problem(s, "the static solver found no end");
	*deep = too_deep(s, &v);
	if (*deep)
		goto out;
	check_roots(s, &v);
	for (uint32_t i = 0; i < s->port_count; i++)
		check_port(s, &v, i);
	if (s->loop_since_ns != UINT64_MAX)
		sim_problem(s, "Q4: a loop at rest");
	check_hellos(s, &v);
out:
	solved_free(&v);
	return s->problem[0] == '\0';
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be true always; looked at after every event.
 *
 *   P1  What forwards has no loop: the graph of bridges and LANs, over ports
 *       that forward in the data plane, has no cycle.  Where sim_excuse() says
 *       that the protocol cannot know, or a word better than any way still goes
 *       round (count to infinity), the loop is counted with its duration
 *       instead, under what excuses it.  With --strict counting to infinity is
 *       no excuse.
 *   P2  Only root and designated ports forward, the data plane does what the
 *       machine says, and a designated port that begins to was agreed to, is an
 *       edge, or has waited until its timer ran out.
 *   P3  When a port agrees, no other that forwards is without consent: it is
 *       the root port, an edge, agreed to, or nobody was ever heard there.
 *   P4  No port sends more than the hold count in a second, or one more across
 *       a tick.
 *   P5  What a designated port sends is its designated priority and times.
 *   P6  An event takes a bounded number of transitions of a port.  (That the
 *       same events have the same effects, in whatever order ports were added,
 *       random.c shows by running twice; that nothing is allocated,
 *       tools/check-layers.)
 *   P7  No bridge passes on a BPDU of another; no port sends one without link,
 *       or in the role Disabled.
 *   L5  No bridge believes a message that is as old as max age.
 *   P8  An edge port makes no topology change known, forgets no addresses and
 *       does not stop forwarding when others sync.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/ether.h"
#include "base/hash.h"
#include "base/util.h"
#include "sim/sim.h"
#include "stp/stp_impl.h"

#define STEPS_MAX 64u /* P6 */

static void
mix(struct sim *s, uint64_t value)
{
	s->hash = (s->hash ^ value) * 0x9e3779b97f4a7c15u;
	s->hash ^= s->hash >> 29;
}

/* P1. */

static uint32_t
root_of(uint32_t *up, uint32_t i)
{
	while (up[i] != i)
		i = up[i] = up[up[i]];
	return i;
}

bool
sim_is_cut(const struct sim *s, const struct sim_port *p)
{
	const struct sim_lan *l = &s->lans[p->lan];

	if (!p->deaf)
		return false;
	for (uint32_t i = 0; i < l->end_count; i++) {
		if (!s->ports[l->ends[i]]->deaf)
			return false;
	}
	return true;
}

/* Nobody else is there to be joined with. */
static bool
is_alone(const struct sim *s, const struct sim_port *p)
{
	const struct sim_lan *l = &s->lans[p->lan];

	for (uint32_t i = 0; i < l->end_count; i++) {
		if (s->ports[l->ends[i]] != p &&
		    sim_usable(s, s->ports[l->ends[i]]))
			return false;
	}
	return true;
}

/* Joins bridges and LANs over the ports that are usable, or that forward.
 * @loop gets a port that closes a loop, or SIM_NONE.  Returns in how many parts
 * the bridges are. */
static uint32_t
join_all(const struct sim *s, uint32_t *up, bool forwarding, uint32_t *loop)
{
	uint32_t parts = 0;

	*loop = SIM_NONE;
	for (uint32_t i = 0; i < s->node_count + s->lan_count; i++)
		up[i] = i;
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_port *p = s->ports[i];
		uint32_t a, b;

		if (!sim_usable(s, p) || sim_is_cut(s, p) || is_alone(s, p) ||
		    (forwarding && p->was.state != STP_STATE_FORWARDING))
			continue;
		a = root_of(up, p->node);
		b = root_of(up, s->node_count + p->lan);
		if (a == b)
			*loop = *loop == SIM_NONE ? i : *loop;
		up[COAX_MAX(a, b)] =
		    COAX_MIN(a, b); /* bridges are below LANs */
	}
	for (uint32_t k = 0; k < s->node_count; k++)
		parts += up[k] == k && s->nodes[k]->alive;
	return parts;
}

static bool
passes(const struct sim *s, const struct sim_port *p)
{
	return sim_usable(s, p) && p->was.state == STP_STATE_FORWARDING;
}

/* Does what comes in at port @i leave by another and come in at an end of which
 * @in says that from there it goes on? */
static bool
goes_on(const struct sim *s, uint32_t i, const bool *in)
{
	const struct sim_node *n = s->nodes[s->ports[i]->node];

	for (uint32_t j = 1; j <= SIM_PORT_MAX; j++) {
		const struct sim_lan *l;

		if (n->ports[j] == SIM_NONE || n->ports[j] == i ||
		    !passes(s, s->ports[n->ports[j]]))
			continue;
		l = &s->lans[s->ports[n->ports[j]]->lan];
		for (uint32_t k = 0; k < l->end_count; k++) {
			if (l->ends[k] != n->ports[j] && in[l->ends[k]])
				return true;
		}
	}
	return false;
}

/* Where ends are deaf a circle is a loop only if frames get round it one way:
 * is there an end that they come in at again and again? */
static bool
goes_round(const struct sim *s)
{
	bool *in = calloc(s->port_count + 1, sizeof(*in));
	bool moved = true, found = false;

	ASSERT(in != NULL);
	for (uint32_t i = 0; i < s->port_count; i++)
		in[i] = passes(s, s->ports[i]) && !s->ports[i]->deaf;
	while (moved) {
		moved = false;
		for (uint32_t i = 0; i < s->port_count; i++) {
			if (!in[i] || goes_on(s, i, in))
				continue;
			in[i] = false;
			moved = true;
		}
	}
	for (uint32_t i = 0; i < s->port_count; i++)
		found = found || in[i];
	free(in);
	return found;
}

/* The ports of a circle: what is left when ends that lead nowhere go, again and
 * again. */
static void
trace_circle(const struct sim *s)
{
	uint32_t vertices = s->node_count + s->lan_count;
	uint32_t *degree = calloc(vertices + 1, sizeof(*degree));
	bool *in = calloc(s->port_count + 1, sizeof(*in)), moved = true;

	ASSERT(degree != NULL && in != NULL);
	for (uint32_t i = 0; i < s->port_count; i++) {
		const struct sim_port *p = s->ports[i];

		in[i] = passes(s, p);
		degree[p->node] += in[i];
		if (in[i])
			degree[s->node_count + p->lan]++;
	}
	while (moved) {
		moved = false;
		for (uint32_t i = 0; i < s->port_count; i++) {
			const struct sim_port *p = s->ports[i];

			if (!in[i] || (degree[p->node] > 1 &&
			                  degree[s->node_count + p->lan] > 1))
				continue;
			in[i] = false;
			degree[p->node]--;
			degree[s->node_count + p->lan]--;
			moved = true;
		}
	}
	for (uint32_t i = 0; i < s->port_count; i++) {
		if (in[i])
			sim_trace_node(s, s->ports[i]->node, "in it: %s.%u",
			    s->nodes[s->ports[i]->node]->name,
			    s->ports[i]->number);
	}
	free(degree);
	free(in);
}

static enum sim_excuse
excuse(const struct sim *s)
{
	for (enum sim_excuse e = SIM_EXCUSE_LOSS; e < SIM_EXCUSES; e++) {
		if (s->now_ns < s->excused_ns[e])
			return e;
	}
	return !s->strict && sim_stale_word(s) ? SIM_EXCUSE_INFINITY
	                                       : SIM_EXCUSE_NONE;
}

static void
loop_begin(struct sim *s, uint32_t port)
{
	const struct sim_port *p = s->ports[port];

	s->loop_since_ns = s->now_ns;
	s->loop_excuse = excuse(s);
	if (s->trace) {
		sim_trace_node(s, p->node, "LOOP through %s.%u (%s)",
		    s->nodes[p->node]->name, p->number,
		    sim_excuse_names[s->loop_excuse]);
		trace_circle(s);
	}
	if (s->loop_excuse == SIM_EXCUSE_NONE)
		sim_problem(s, "P1: a loop through %s.%u",
		    s->nodes[p->node]->name, p->number);
}

static void
loop_end(struct sim *s)
{
	uint64_t length_ns = s->now_ns - s->loop_since_ns;
	struct sim_loops *l = &s->loops[s->loop_excuse];

	s->loop_since_ns = UINT64_MAX;
	l->count++;
	l->total_ns += length_ns;
	l->longest_ns = COAX_MAX(l->longest_ns, length_ns);
	if (s->trace)
		sim_trace_all(
		    s, "no loop any more: %.6f s", (double)length_ns / 1e9);
}

static void
check_graph(struct sim *s)
{
	uint32_t vertices = s->node_count + s->lan_count, loop, any;
	uint32_t small[1024], *up = small;
	bool parted;

	if (vertices > ARRAY_LEN(small))
		up = malloc(vertices * sizeof(*up));
	ASSERT(up != NULL);
	parted = join_all(s, up, false, &any) != join_all(s, up, true, &loop);
	if (up != small)
		free(up);
	if (loop != SIM_NONE && s->news_lost && !goes_round(s))
		loop = SIM_NONE;
	if (loop != SIM_NONE && s->loop_since_ns == UINT64_MAX)
		loop_begin(s, loop);
	else if (loop == SIM_NONE && s->loop_since_ns != UINT64_MAX)
		loop_end(s);
	if (parted == (s->parted_since_ns != UINT64_MAX))
		return;
	s->parted_since_ns = parted ? s->now_ns : UINT64_MAX;
	s->joined_ns = s->now_ns;
	if (s->trace)
		sim_trace_all(s,
		    parted ? "bridges are parted" : "all bridges are joined");
}

void
sim_check_end(struct sim *s)
{
	if (s->loop_since_ns != UINT64_MAX)
		loop_end(s);
}

void
sim_loops_add(struct sim_loops *to, const struct sim_loops *from)
{
	for (enum sim_excuse e = 0; e < SIM_EXCUSES; e++) {
		to[e].count += from[e].count;
		to[e].total_ns += from[e].total_ns;
		to[e].longest_ns =
		    COAX_MAX(to[e].longest_ns, from[e].longest_ns);
	}
}

/* An excuse that has ended does not cover the rest of a loop. */
static void
check_overdue(struct sim *s)
{
	enum sim_excuse e = s->loop_excuse;

	if (s->loop_since_ns == UINT64_MAX || e == SIM_EXCUSE_NONE ||
	    e == SIM_EXCUSE_INFINITY || s->now_ns < s->excused_ns[e] ||
	    excuse(s) != SIM_EXCUSE_NONE)
		return;
	sim_problem(s, "P1: a loop of %.3f s, which '%s' does not excuse",
	    (double)(s->now_ns - s->loop_since_ns) / 1e9, sim_excuse_names[e]);
}

void
sim_check_now(struct sim *s)
{
	if (s->moved)
		check_graph(s);
	s->moved = false;
	check_overdue(s);
}

/* P4: at most hold + 1 in any second, as long as clocks are about equal. */
static void
check_rate(struct sim *s, struct sim_port *p)
{
	uint32_t k = sim_stp(s, p->node)->tx_hold_count + 1u;

	if (p->sent_in_row++ >= k &&
	    s->now_ns - p->sent[(p->sent_count - k) % SIM_SENT] <
	        SIM_S * 98 / 100)
		sim_problem(s, "P4: %s.%u sent %u BPDUs in a second",
		    s->nodes[p->node]->name, p->number, k + 1);
	p->sent[p->sent_count++ % SIM_SENT] = s->now_ns;
}

static void
check_designated(struct sim *s, const struct sim_port *p,
    const struct stp_port *q, const struct stp_bpdu *b)
{
	const struct stp_vector v = { b->root_id, b->root_path_cost,
		b->bridge_id, b->port_id };
	const struct stp_times *t = &q->designated_times;

	if (stp_vector_compare(&v, &q->designated_priority) != 0 ||
	    b->times.message_age != t->message_age ||
	    b->times.max_age != t->max_age || b->times.hello != t->hello ||
	    b->times.fwd_delay != t->fwd_delay)
		sim_problem(s, "P5: %s.%u says another thing than it has",
		    s->nodes[p->node]->name, p->number);
}

void
sim_check_sent(struct sim *s, struct sim_port *p, const uint8_t *frame,
    size_t len, const uint8_t *bpdu, size_t bpdu_len)
{
	const struct stp_port *q = sim_stp_port(s, p);
	const char *name = s->nodes[p->node]->name;
	struct stp_bpdu b;

	mix(s, s->now_ns ^ (uint64_t)p->node << 40 ^ (uint64_t)p->number << 52);
	mix(s, hash_bytes(1, bpdu, bpdu_len));
	check_rate(s, p);
	if (len < 14 || !ether_equal(frame + 6, p->member->mac))
		sim_problem(s, "P7: %s.%u passes on a BPDU", name, p->number);
	if (q == NULL || stp_bpdu_decode(bpdu, bpdu_len, &b) < 0) {
		sim_problem(s, "P7: %s.%u sends what is no BPDU of its", name,
		    p->number);
		return;
	}
	if (!p->link || q->role == STP_ROLE_DISABLED)
		sim_problem(s, "P7: %s.%u sends without %s", name, p->number,
		    p->link ? "a role" : "a link");
	if (q->role == STP_ROLE_DESIGNATED && b.type != STP_BPDU_TCN)
		check_designated(s, p, q, &b);
	if (q->oper_edge && b.type != STP_BPDU_TCN &&
	    (b.flags & STP_FLAG_TC) != 0)
		sim_problem(s, "P8: %s.%u, an edge, tells of a change", name,
		    p->number);
}

/* Was it agreed to?  A port that speaks STP forgets that as it forwards
 * (FORWARD: agreed = sendRSTP). */
static bool
was_agreed(const struct sim_watch *was, const struct stp_port *q)
{
	return q->agreed || was->agreed ||
	       (!q->send_rstp && q->msg.type == STP_BPDU_RST &&
	           (q->msg.flags & STP_FLAG_AGREEMENT) != 0);
}

/* P2: may it have begun to forward? */
static bool
may_forward(
    const struct sim *s, const struct sim_watch *was, const struct stp_port *q)
{
	if (q->role == STP_ROLE_ROOT)
		return true;
	return q->role == STP_ROLE_DESIGNATED &&
	       (was_agreed(was, q) || q->oper_edge ||
	           was->fd_while <= (s->in_tick ? 1 : 0));
}

/* P3: would @q, not the one that agrees, let frames pass without consent?  One
 * that speaks STP has forgotten that it was agreed to, but is synced. */
static bool
is_open(const struct stp_port *q)
{
	return q->forwarding && q->role != STP_ROLE_ROOT && !q->oper_edge &&
	       !q->agreed && (q->send_rstp || !q->synced) && q->heard;
}

static void
check_agreement(
    struct sim *s, const struct sim_port *p, const struct stp_port *agrees)
{
	const struct stp *stp = sim_stp(s, p->node);

	STP_EACH_PORT (stp, q) {
		if (q != agrees && is_open(q))
			sim_problem(s, "P3: %s.%u agrees while %u is open",
			    s->nodes[p->node]->name, p->number, q->number);
	}
}

static bool
has_flush(const struct stp *stp, uint16_t number)
{
	for (uint32_t i = 0; i < stp->effect_count; i++) {
		if (stp->effects[i].port == number &&
		    stp->effects[i].type == STP_EFFECT_FLUSH)
			return true;
	}
	return false;
}

static bool
is_held(const struct stp_port *q)
{
	return stp_held(q) || q->disputed_while > 0;
}

/* P8: of a port that was an edge before and still is. */
static void
check_edge(struct sim *s, const struct sim_port *p, const struct stp_port *q)
{
	const struct sim_watch *was = &p->was;
	const char *name = s->nodes[p->node]->name;

	if (!was->enabled || !q->port_enabled || !was->oper_edge ||
	    !q->oper_edge)
		return;
	if (was->state == STP_STATE_FORWARDING && !q->forwarding &&
	    q->role == was->role && !is_held(q))
		sim_problem(
		    s, "P8: %s.%u, an edge, stops forwarding", name, p->number);
	if (has_flush(sim_stp(s, p->node), p->number))
		sim_problem(s, "P8: %s.%u, an edge, forgets addresses", name,
		    p->number);
	if (q->tc_while > 0)
		sim_problem(s, "P8: %s.%u, an edge, has a topology change",
		    name, p->number);
}

static void
trace_port(const struct sim *s, const struct sim_port *p,
    const struct stp_port *q, enum stp_state state)
{
	const struct sim_watch *was = &p->was;
	const char *name = s->nodes[p->node]->name;

	if (q->role != was->role && state != was->state)
		sim_trace_node(s, p->node, "%s.%u is %s, %s", name, p->number,
		    stp_role_name(q->role), stp_state_name(state));
	else if (q->role != was->role)
		sim_trace_node(s, p->node, "%s.%u is %s", name, p->number,
		    stp_role_name(q->role));
	else if (state != was->state)
		sim_trace_node(s, p->node, "%s.%u is %s", name, p->number,
		    stp_state_name(state));
}

static void
state_changed(struct sim *s, struct sim_port *p, const struct stp_port *q,
    enum stp_state state)
{
	if (state == STP_STATE_FORWARDING) {
		if (p->forwarded_ns == UINT64_MAX)
			p->forwarded_ns = s->now_ns;
		if (!may_forward(s, &p->was, q))
			sim_problem(s, "P2: %s.%u forwards without consent",
			    s->nodes[p->node]->name, p->number);
	}
	s->moved = true;
	mix(s, s->now_ns ^ (uint64_t)p->node << 40 ^ (uint64_t)p->number << 52);
	mix(s, (uint64_t)state);
}

static void
check_port(
    struct sim *s, struct sim_port *p, const struct stp_port *q, bool fresh)
{
	enum stp_state state = sim_state(s, p);
	const char *name = s->nodes[p->node]->name;

	if (s->trace)
		trace_port(s, p, q, state);
	if (state != p->was.state || q->role != p->was.role)
		s->changed_ns = s->now_ns;
	if (q->role != p->was.role)
		mix(s, (uint64_t)q->role << 8 | q->number);
	if (state != p->was.state)
		state_changed(s, p, q, state);
	if ((state == STP_STATE_FORWARDING) != q->forwarding ||
	    (state != STP_STATE_DISCARDING) != q->learning)
		sim_problem(s, "P2: %s.%u is %s and should not be", name,
		    p->number, stp_state_name(state));
	if (state == STP_STATE_FORWARDING && q->role != STP_ROLE_ROOT &&
	    q->role != STP_ROLE_DESIGNATED)
		sim_problem(s, "P2: %s.%u forwards as %s", name, p->number,
		    stp_role_name(q->role));
	if (q->agree && !p->was.agree && q->port_enabled)
		check_agreement(s, p, q);
	if (fresh)
		check_edge(s, p, q);
	p->was = (struct sim_watch){
		.role = q->role,
		.state = state,
		.enabled = q->port_enabled,
		.oper_edge = q->oper_edge,
		.agreed = q->agreed,
		.agree = q->agree,
		.fd_while = q->fd_while,
	};
}

static void
trace_notes(const struct sim *s, uint32_t node)
{
	const struct stp *stp = sim_stp(s, node);

	for (uint32_t i = 0; i < stp->effect_count; i++) {
		const struct stp_effect *e = &stp->effects[i];

		if (e->type == STP_EFFECT_NOTE && e->port == 0)
			sim_trace_node(s, node, "%s: %s", s->nodes[node]->name,
			    stp_note_text(e->note));
		else if (e->type == STP_EFFECT_NOTE)
			sim_trace_node(s, node, "%s.%u: %s",
			    s->nodes[node]->name, e->port,
			    stp_note_text(e->note));
	}
}

void
sim_check_node(struct sim *s, uint32_t node)
{
	struct sim_node *n = s->nodes[node];
	const struct stp *stp = sim_stp(s, node);
	bool fresh = stp->event != n->event; /* its list of effects is */

	n->event = stp->event;
	STP_EACH_PORT (stp, q) {
		uint32_t port =
		    q->number <= SIM_PORT_MAX ? n->ports[q->number] : SIM_NONE;

		if (port != SIM_NONE && s->ports[port]->present)
			check_port(s, s->ports[port], q, fresh);
	}
	if (s->trace && fresh)
		trace_notes(s, node);
	if (s->trace)
		sim_trace_sent(s);
	if (stp->root_port != 0 &&
	    stp->root_times.message_age > stp->root_times.max_age)
		sim_problem(s, "L5: %s believes a message of age %u", n->name,
		    stp->root_times.message_age - 1u);
	s->steps_max = COAX_MAX(s->steps_max, stp->steps_max);
	if (stp->steps_max > STEPS_MAX)
		sim_problem(s, "P6: %s: %u transitions of a port in an event",
		    n->name, stp->steps_max);
}

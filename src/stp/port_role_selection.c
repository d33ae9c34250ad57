/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port Role Selection machine, IEEE 802.1D-2004 clause 17.28: which port leads
 * to which root, and so what each is for.
 */
#include "stp/stp_impl.h"

static bool
times_differ(const struct stp_times *a, const struct stp_times *b)
{
	return a->message_age != b->message_age || a->max_age != b->max_age ||
	       a->hello != b->hello || a->fwd_delay != b->fwd_delay;
}

/* May the port be the way to a root?  With root guard it may not. */
static bool
leads_to_root(struct stp *s, const struct stp_port *p)
{
	return p->info_is == STP_INFO_RECEIVED &&
	       (p->guards & STP_GUARD_ROOT) == 0 &&
	       stp_id_address(p->port_priority.bridge_id) != s->mac &&
	       stp_root_believed(s, &p->port_priority);
}

/* Clause 17.21.25 a, b, c. Ties go to the lower port number: ports stand in
 * that order, but their identifiers count first. */
static struct stp_port *
select_root(struct stp *s, struct stp_vector *best)
{
	struct stp_port *root = NULL;

	*best = (struct stp_vector){ stp_bridge_id(s), 0, stp_bridge_id(s), 0 };
	STP_EACH_PORT (s, p) {
		struct stp_vector path = p->port_priority;
		int c;

		if (!leads_to_root(s, p))
			continue;
		path.root_path_cost =
		    stp_cost_add(path.root_path_cost, p->port_path_cost);
		c = stp_vector_compare(&path, best);
		if (c < 0 || (c == 0 && root != NULL &&
		                 stp_port_id(p) < stp_port_id(root))) {
			*best = path;
			root = p;
		}
	}
	return root;
}

/* The best that is believed. */
static struct stp_port *
adopt_root(struct stp *s, struct stp_vector *best)
{
	struct stp_port *root;

	do {
		root = select_root(s, best);
	} while (root != NULL && !stp_root_adopt(s, root, best));
	return root;
}

static void
select_received(struct stp *s, struct stp_port *p, bool is_root)
{
	if (is_root) {
		p->selected_role = STP_ROLE_ROOT;
		p->updt_info = false;
		return;
	}
	if (stp_vector_compare(&p->designated_priority, &p->port_priority) <
	    0) {
		p->selected_role = STP_ROLE_DESIGNATED;
		p->updt_info = true;
		return;
	}
	p->selected_role = stp_id_address(p->port_priority.bridge_id) == s->mac
	                       ? STP_ROLE_BACKUP
	                       : STP_ROLE_ALTERNATE;
	p->updt_info = false;
	if ((p->guards & STP_GUARD_ROOT) == 0)
		return;
	if (!p->guard_told)
		stp_note(s, p, STP_NOTE_ROOT_GUARD);
	p->guard_told = true;
}

static void
select_role(struct stp *s, struct stp_port *p, bool is_root)
{
	switch (p->info_is) {
	case STP_INFO_DISABLED:
		p->selected_role = STP_ROLE_DISABLED;
		break;
	case STP_INFO_AGED:
		p->selected_role = STP_ROLE_DESIGNATED;
		p->updt_info = true;
		break;
	case STP_INFO_MINE:
		p->selected_role = STP_ROLE_DESIGNATED;
		if (stp_vector_compare(
		        &p->port_priority, &p->designated_priority) != 0 ||
		    times_differ(&p->port_times, &p->designated_times))
			p->updt_info = true;
		break;
	case STP_INFO_RECEIVED:
		select_received(s, p, is_root);
		break;
	}
	if (p->selected_role == STP_ROLE_DESIGNATED)
		p->guard_told = false;
}

/* Will @root, an alternate port until now, forward before this event is over?
 * Then nothing is learned meanwhile, and nothing about it can be told. */
static bool
passes_at_once(const struct stp *s, const struct stp_port *root, uint16_t old)
{
	if (root->role != STP_ROLE_ALTERNATE || !root->send_rstp ||
	    !s->root_is_nearer || root->rb_while > 0 || stp_held(root) ||
	    root->disputed_while > 0)
		return false;
	STP_EACH_PORT (s, p) {
		if (p != root && p->number != old && p->rr_while > 0)
			return false;
	}
	return true;
}

/*
 * Clause 17.11, last paragraph but one: where an Alternate Port becomes Root
 * Port, what was behind the old one is behind the new one.  Not if the old one
 * is Designated now: then that is a part of the network below us, to which it
 * will forward again, and no topology change would tell.
 */
static void
move_addresses(struct stp *s, uint16_t old, struct stp_port *root)
{
	if (!passes_at_once(s, root, old))
		return;
	STP_EACH_PORT (s, from) {
		if (from->number != old || !from->has_addresses ||
		    from->selected_role == STP_ROLE_DESIGNATED)
			continue;
		stp_effect_add(s, STP_EFFECT_MOVE, from)->to = root->number;
		root->has_addresses = true;
		from->has_addresses = false;
	}
}

/* updtRolesTree(), clause 17.21.25. */
static void
updt_roles_tree(struct stp *s)
{
	struct stp_vector best;
	struct stp_port *root = adopt_root(s, &best);
	uint16_t old = s->root_port;
	uint64_t old_root = s->root_priority.root_id;

	s->root_priority = best;
	s->root_times = s->bridge_times;
	s->root_port = 0;
	if (root != NULL) {
		s->root_port = root->number;
		s->root_times = root->port_times;
		s->root_times.message_age++;
	}
	STP_EACH_PORT (s, p) {
		p->designated_priority = (struct stp_vector){ best.root_id,
			best.root_path_cost, stp_bridge_id(s), stp_port_id(p) };
		p->designated_times = s->root_times;
		p->designated_times.hello = s->bridge_times.hello;
		select_role(s, p, p == root);
	}
	if (root != NULL && old != 0 && old != root->number)
		move_addresses(s, old, root);
	if (best.root_id != old_root) {
		stp_root_left(s, old_root);
		stp_note(s, NULL, STP_NOTE_ROOT);
	}
}

/* ROLE_SELECTION. setSelectedTree() cannot fail here: nothing sets reselect
 * meanwhile. */
void
stp_prs_run(struct stp *s)
{
	STP_EACH_PORT (s, p)
		p->reselect = false;
	s->reselect = false;
	updt_roles_tree(s);
	STP_EACH_PORT (s, p)
		p->selected = true;
	s->wide = true;
}

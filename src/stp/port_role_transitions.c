/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port Role Transitions machine, IEEE 802.1D-2004 clause 17.29, as 802.1Q has
 * it: learn and forward, when it is safe to.
 *
 * Differs:
 *   - a dispute, and what stp_held() knows, keeps a port from learning, and
 *     does not only take it back; a disputed port waits for as long as a
 *     message lives, so that it does not try again between two messages of the
 *     other end;
 *   - a root port that becomes designated is cut off until the other end has
 *     agreed, if others forward: the standard does so for a new root port only
 *     (reRoot), and a bridge that becomes root has none;
 *   - a root port that hears from a bridge that is not nearer to the root than
 *     this one was waits until all others are synced (root_memory.c);
 *   - a port that learns and forwards because a timer ran out, though a bridge
 *     was heard there, has not been agreed to and is not synced;
 *   - a bridge that was heard gets three hello times to answer, not one,
 *     whatever role the port had when it was heard.
 */
#include "base/util.h"
#include "stp/stp_impl.h"

/* Is there a port that stands in the way of an agreement of @caller? */
static bool
all_synced(const struct stp *s, const struct stp_port *caller)
{
	STP_EACH_PORT (s, p) {
		if (!p->selected || p->role != p->selected_role || p->updt_info)
			return false;
		if (caller->role == STP_ROLE_DESIGNATED
		        ? p != caller && !p->synced
		        : p->role != STP_ROLE_ROOT && !p->synced)
			return false;
	}
	return true;
}

static bool
re_rooted(const struct stp *s, const struct stp_port *caller)
{
	STP_EACH_PORT (s, p) {
		if (p != caller && p->rr_while != 0)
			return false;
	}
	return true;
}

/* setSyncTree(), setReRootTree(): clauses 17.21.15, 17.21.14. */
static void
set_sync_tree(struct stp *s)
{
	STP_EACH_PORT (s, p)
		p->sync = true;
}

static void
set_re_root_tree(struct stp *s)
{
	STP_EACH_PORT (s, p)
		p->re_root = true;
}

static void
take_role(struct stp *s, struct stp_port *p)
{
	if (p->role != p->selected_role) {
		p->role = p->selected_role;
		stp_effect_add(s, STP_EFFECT_ROLE, p)->role = p->role;
	}
}

/* 17.29.1: Disabled. */

static bool
prt_to_disable_port(struct stp *s, struct stp_port *p)
{
	p->prt = PRT_DISABLE_PORT;
	take_role(s, p);
	p->learn = p->forward = false;
	return true;
}

static bool
prt_to_disabled_port(struct stp_port *p)
{
	p->prt = PRT_DISABLED_PORT;
	p->fd_while = p->designated_times.max_age;
	p->synced = true;
	p->rr_while = 0;
	p->sync = p->re_root = false;
	return true;
}

/* INIT_PORT */
void
stp_prt_begin(struct stp_port *p)
{
	p->role = p->selected_role = STP_ROLE_DISABLED;
	p->learn = p->forward = false;
	p->synced = false;
	p->sync = p->re_root = true;
	p->rr_while = stp_fwd_delay(p);
	p->fd_while = p->designated_times.max_age;
	p->rb_while = 0;
	p->disputed = false;
	p->prt = PRT_DISABLE_PORT;
}

static bool
step_disabled(struct stp_port *p)
{
	if (p->prt == PRT_DISABLE_PORT)
		return !p->learning && !p->forwarding &&
		       prt_to_disabled_port(p);
	return (p->fd_while != p->designated_times.max_age || p->sync ||
	           p->re_root || !p->synced || p->rr_while != 0) &&
	       prt_to_disabled_port(p);
}

/* 17.29.2: Root. */

static bool
prt_to_root_port(struct stp *s, struct stp_port *p)
{
	p->prt = PRT_ROOT_PORT;
	take_role(s, p);
	p->rr_while = stp_fwd_delay(p);
	return true;
}

static bool
prt_root_proposed(struct stp *s, struct stp_port *p)
{
	set_sync_tree(s);
	p->proposed = false;
	return prt_to_root_port(s, p);
}

static bool
prt_root_agreed(struct stp *s, struct stp_port *p)
{
	p->proposed = p->sync = false;
	p->agree = p->new_info = true;
	return prt_to_root_port(s, p);
}

static bool
prt_root_synced(struct stp *s, struct stp_port *p)
{
	p->synced = true;
	p->sync = false;
	return prt_to_root_port(s, p);
}

static bool
prt_reroot(struct stp *s, struct stp_port *p)
{
	set_re_root_tree(s);
	return prt_to_root_port(s, p);
}

static bool
prt_rerooted(struct stp *s, struct stp_port *p)
{
	p->re_root = false;
	return prt_to_root_port(s, p);
}

static bool
prt_root_learn(struct stp *s, struct stp_port *p)
{
	p->fd_while = stp_forward_delay(p);
	p->learn = true;
	return prt_to_root_port(s, p);
}

static bool
prt_root_forward(struct stp *s, struct stp_port *p)
{
	p->fd_while = 0;
	p->forward = true;
	return prt_to_root_port(s, p);
}

static bool
prt_root_discard(struct stp *s, struct stp_port *p)
{
	p->learn = p->forward = false;
	p->fd_while = stp_forward_delay(p);
	return prt_to_root_port(s, p);
}

/*
 * A way to the root that is no shorter than ours was may lead through a bridge
 * that has it from us and does not know yet that it is gone: first those who
 * have not agreed to what we say now must be cut off.
 */
static bool
root_must_sync(const struct stp *s, const struct stp_port *root)
{
	if (root->forward || s->root_is_nearer)
		return false;
	STP_EACH_PORT (s, p) {
		if (p != root && p->forward && !p->oper_edge && !p->synced &&
		    !p->sync)
			return true;
	}
	return false;
}

static bool
root_may_pass(const struct stp *s, const struct stp_port *p)
{
	if (stp_held(p))
		return false;
	if (!p->forward && !s->root_is_nearer && !all_synced(s, p))
		return false;
	return p->fd_while == 0 ||
	       (re_rooted(s, p) && p->rb_while == 0 && stp_rstp_version(s));
}

static bool
step_root(struct stp *s, struct stp_port *p)
{
	if (stp_held(p) && (p->learn || p->forward))
		return prt_root_discard(s, p);
	if ((p->proposed && !p->agree) || root_must_sync(s, p))
		return prt_root_proposed(s, p);
	if ((!p->agree && all_synced(s, p)) || (p->proposed && p->agree))
		return prt_root_agreed(s, p);
	if ((p->agreed && !p->synced) || (p->sync && p->synced))
		return prt_root_synced(s, p);
	if (!p->forward && !p->re_root)
		return prt_reroot(s, p);
	if (p->re_root && p->forward)
		return prt_rerooted(s, p);
	if (!p->learn && root_may_pass(s, p))
		return prt_root_learn(s, p);
	if (p->learn && !p->forward && root_may_pass(s, p))
		return prt_root_forward(s, p);
	return p->rr_while != stp_fwd_delay(p) && prt_to_root_port(s, p);
}

/* 17.29.3: Designated. */

/* Does another port than @caller pass frames that may come back by it? */
static bool
others_forward(const struct stp *s, const struct stp_port *caller)
{
	STP_EACH_PORT (s, p) {
		if (p != caller && p->forward && !p->oper_edge)
			return true;
	}
	return false;
}

static bool
prt_to_designated_port(struct stp *s, struct stp_port *p)
{
	enum stp_role was = p->role;

	p->prt = PRT_DESIGNATED_PORT;
	take_role(s, p);
	if (was == STP_ROLE_ROOT && p->send_rstp && p->learn &&
	    others_forward(s, p))
		p->learn = p->forward = false;
	if (was != STP_ROLE_DESIGNATED && !p->forward)
		p->fd_while = COAX_MAX(p->fd_while, stp_answer_delay(p));
	return true;
}

static bool
prt_designated_propose(struct stp *s, struct stp_port *p)
{
	p->proposing = true;
	p->edge_delay_while = stp_edge_delay(p);
	p->new_info = true;
	return prt_to_designated_port(s, p);
}

static bool
prt_designated_synced(struct stp *s, struct stp_port *p)
{
	p->rr_while = 0;
	p->synced = true;
	p->sync = false;
	return prt_to_designated_port(s, p);
}

static bool
prt_designated_agreed(struct stp *s, struct stp_port *p)
{
	p->proposed = p->sync = false;
	p->agree = p->new_info = true;
	return prt_to_designated_port(s, p);
}

static bool
prt_designated_retired(struct stp *s, struct stp_port *p)
{
	p->re_root = false;
	return prt_to_designated_port(s, p);
}

static bool
prt_designated_learn(struct stp *s, struct stp_port *p)
{
	p->learn = true;
	p->fd_while = stp_forward_delay(p);
	if (p->heard && !p->agreed && !p->oper_edge) {
		/* Three hellos that say so: who forwards will dispute. */
		if (p->oper_p2p)
			p->fd_while = stp_answer_delay(p);
		p->synced = false;
	}
	return prt_to_designated_port(s, p);
}

static bool
prt_designated_forward(struct stp *s, struct stp_port *p)
{
	p->forward = true;
	p->fd_while = 0;
	p->agreed = p->send_rstp && (p->agreed || !p->heard);
	return prt_to_designated_port(s, p);
}

static bool
prt_designated_discard(struct stp *s, struct stp_port *p)
{
	p->learn = p->forward = false;
	p->fd_while = stp_answer_delay(p);
	if (p->disputed)
		p->fd_while = (uint16_t)(3 * stp_hello_time(p));
	p->disputed = false;
	return prt_to_designated_port(s, p);
}

/*
 * Does a former root port still forward, without its new neighbours' consent?
 * The standard asks that of a new root port only (reRooted).  A bridge that
 * becomes root has none: its former alternate port, agreed to at once on the
 * strength of agreements made for the old root, would close a loop.
 */
static bool
recent_root(const struct stp *s, const struct stp_port *caller)
{
	STP_EACH_PORT (s, p) {
		if (p != caller && p->role == STP_ROLE_DESIGNATED &&
		    p->rr_while != 0 && p->forward)
			return true;
	}
	return false;
}

static bool
designated_may_pass(const struct stp *s, const struct stp_port *p)
{
	return (((p->fd_while == 0 || p->agreed) && !recent_root(s, p)) ||
	           p->oper_edge) &&
	       (p->rr_while == 0 || !p->re_root) && !p->sync && !stp_held(p);
}

/* Also the former root port proposes, while it forwards: so that its consent
 * is asked for. */
static bool
designated_must_propose(const struct stp_port *p)
{
	return (!p->forward || (p->rr_while != 0 && !p->synced)) &&
	       !p->agreed && !p->proposing && !p->oper_edge;
}

static bool
designated_must_discard(const struct stp_port *p)
{
	if (p->disputed)
		return true;
	if (!p->learn && !p->forward)
		return false;
	return stp_held(p) ||
	       (!p->oper_edge && ((p->sync && !p->synced) ||
	                             (p->re_root && p->rr_while != 0)));
}

static bool
step_designated(struct stp *s, struct stp_port *p)
{
	if (designated_must_discard(p))
		return prt_designated_discard(s, p);
	if (designated_must_propose(p))
		return prt_designated_propose(s, p);
	if ((!p->learn && !p->learning && !p->forwarding && !p->synced) ||
	    (p->agreed && !p->synced) || (p->oper_edge && !p->synced) ||
	    (p->sync && p->synced))
		return prt_designated_synced(s, p);
	if ((p->proposed || !p->agree) && all_synced(s, p))
		return prt_designated_agreed(s, p);
	if (p->rr_while == 0 && p->re_root)
		return prt_designated_retired(s, p);
	if (!designated_may_pass(s, p))
		return false;
	if (!p->learn)
		return prt_designated_learn(s, p);
	return !p->forward && prt_designated_forward(s, p);
}

/* 17.29.4: Alternate and Backup. */

static bool
prt_to_block_port(struct stp *s, struct stp_port *p)
{
	p->prt = PRT_BLOCK_PORT;
	take_role(s, p);
	p->learn = p->forward = false;
	return true;
}

static bool
prt_to_alternate_port(struct stp_port *p)
{
	p->prt = PRT_ALTERNATE_PORT;
	p->fd_while = stp_forward_delay(p);
	p->synced = true;
	p->rr_while = 0;
	p->sync = p->re_root = false;
	return true;
}

static bool
prt_alternate_proposed(struct stp *s, struct stp_port *p)
{
	set_sync_tree(s);
	p->proposed = false;
	return prt_to_alternate_port(p);
}

static bool
prt_alternate_agreed(struct stp_port *p)
{
	p->proposed = false;
	p->agree = p->new_info = true;
	return prt_to_alternate_port(p);
}

static bool
prt_backup(struct stp_port *p)
{
	p->rb_while = (uint16_t)(2 * stp_hello_time(p));
	return prt_to_alternate_port(p);
}

static bool
step_alternate(struct stp *s, struct stp_port *p)
{
	if (p->prt == PRT_BLOCK_PORT)
		return !p->learning && !p->forwarding &&
		       prt_to_alternate_port(p);
	if (p->proposed && !p->agree)
		return prt_alternate_proposed(s, p);
	if ((!p->agree && all_synced(s, p)) || (p->proposed && p->agree))
		return prt_alternate_agreed(p);
	if (p->role == STP_ROLE_BACKUP && p->rb_while != 2 * stp_hello_time(p))
		return prt_backup(p);
	return (p->fd_while != stp_forward_delay(p) || p->sync || p->re_root ||
	           !p->synced || p->rr_while != 0) &&
	       prt_to_alternate_port(p);
}

static bool
prt_to_role(struct stp *s, struct stp_port *p)
{
	if (p->role == STP_ROLE_DESIGNATED)
		stp_said_end(s, p);
	switch (p->selected_role) {
	case STP_ROLE_DISABLED:
		return prt_to_disable_port(s, p);
	case STP_ROLE_ROOT:
		return prt_to_root_port(s, p);
	case STP_ROLE_DESIGNATED:
		return prt_to_designated_port(s, p);
	case STP_ROLE_ALTERNATE:
	case STP_ROLE_BACKUP:
		return prt_to_block_port(s, p);
	}
	COAX_UNREACHABLE();
}

static bool
step_role(struct stp *s, struct stp_port *p)
{
	switch (p->prt) {
	case PRT_DISABLE_PORT:
	case PRT_DISABLED_PORT:
		return step_disabled(p);
	case PRT_ROOT_PORT:
		return step_root(s, p);
	case PRT_DESIGNATED_PORT:
		return step_designated(s, p);
	case PRT_BLOCK_PORT:
	case PRT_ALTERNATE_PORT:
		return step_alternate(s, p);
	}
	COAX_UNREACHABLE();
}

bool
stp_prt_step(struct stp *s, struct stp_port *p)
{
	bool moved;

	if (!p->selected || p->updt_info)
		return false;
	moved =
	    p->role != p->selected_role ? prt_to_role(s, p) : step_role(s, p);
	s->wide = s->wide || moved;
	return moved;
}

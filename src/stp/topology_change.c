/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Topology Change machine, IEEE 802.1D-2004 clause 17.31.
 *
 * Differs:
 *   - fdbFlush is no variable that waits for the address table to reset it, but
 *     an effect, done before anything else happens;
 *   - a change while an earlier one is still being told is told at once, if
 *     nothing was told in this second; the standard lets it wait for the next
 *     hello, while others send to where nobody is any more.
 */
#include "stp/stp_impl.h"

/* newTcWhile(), clause 17.21.7. */
void
stp_new_tc_while(struct stp *s, struct stp_port *p)
{
	if (p->tc_while != 0) {
		if (p->send_rstp && !p->told_tc)
			p->new_info = true;
		return;
	}
	if (p->send_rstp) {
		p->tc_while = (uint16_t)(stp_hello_time(p) + 1);
		p->new_info = true;
	} else {
		p->tc_while =
		    (uint16_t)(s->root_times.max_age + s->root_times.fwd_delay);
	}
}

/* fdbFlush, clause 17.19.1: at once with RSTP, by rapid ageing with STP. A port
 * that is @gone has nothing behind it in any case. */
void
stp_flush(struct stp *s, struct stp_port *p, bool gone)
{
	if (!p->has_addresses)
		return;
	if (gone || stp_rstp_version(s)) {
		(void)stp_effect_add(s, STP_EFFECT_FLUSH, p);
		p->has_addresses = p->learning;
	} else {
		stp_effect_add(s, STP_EFFECT_AGE, p)->seconds =
		    s->root_times.fwd_delay;
	}
}

/* setTcPropTree(), clause 17.21.18; with TC guard what comes in here stays. */
static void
set_tc_prop_tree(struct stp *s, const struct stp_port *caller)
{
	if ((caller->guards & STP_GUARD_TC) != 0)
		return;
	STP_EACH_PORT (s, p) {
		if (p != caller)
			p->tc_prop = true;
	}
	s->topology_changes++;
	s->topology_changed_ns = s->now_ns;
	s->wide = true;
}

static bool
tcm_to_inactive(struct stp *s, struct stp_port *p)
{
	p->tcm = TCM_INACTIVE;
	stp_flush(s, p, true);
	p->tc_while = 0;
	p->tc_ack = false;
	return true;
}

static bool
tcm_to_learning(struct stp_port *p)
{
	p->tcm = TCM_LEARNING;
	p->rcvd_tc = p->rcvd_tcn = p->rcvd_tc_ack = false;
	p->tc_prop = false;
	return true;
}

static bool
tcm_to_detected(struct stp *s, struct stp_port *p)
{
	stp_new_tc_while(s, p);
	set_tc_prop_tree(s, p);
	p->new_info = true;
	stp_note(s, p, STP_NOTE_TOPOLOGY);
	p->tcm = TCM_ACTIVE;
	return true;
}

static bool
tcm_to_notified_tc(struct stp *s, struct stp_port *p)
{
	p->rcvd_tcn = p->rcvd_tc = false;
	if (p->role == STP_ROLE_DESIGNATED)
		p->tc_ack = true;
	set_tc_prop_tree(s, p);
	p->tcm = TCM_ACTIVE;
	return true;
}

static bool
tcm_to_notified_tcn(struct stp *s, struct stp_port *p)
{
	stp_new_tc_while(s, p);
	return tcm_to_notified_tc(s, p);
}

static bool
tcm_to_propagating(struct stp *s, struct stp_port *p)
{
	stp_new_tc_while(s, p);
	stp_flush(s, p, false);
	p->tc_prop = false;
	p->tcm = TCM_ACTIVE;
	return true;
}

static bool
tcm_to_acknowledged(struct stp_port *p)
{
	p->tc_while = 0;
	p->rcvd_tc_ack = false;
	p->tcm = TCM_ACTIVE;
	return true;
}

void
stp_tcm_begin(struct stp *s, struct stp_port *p)
{
	(void)tcm_to_inactive(s, p);
}

bool
stp_tcm_step(struct stp *s, struct stp_port *p)
{
	bool active =
	    p->role == STP_ROLE_ROOT || p->role == STP_ROLE_DESIGNATED;
	bool told = p->rcvd_tc || p->rcvd_tcn || p->rcvd_tc_ack || p->tc_prop;

	switch (p->tcm) {
	case TCM_INACTIVE:
		return p->learn && tcm_to_learning(p);
	case TCM_LEARNING:
		if (told)
			return tcm_to_learning(p);
		if (active && p->forward && !p->oper_edge)
			return tcm_to_detected(s, p);
		return !active && !p->learn && !p->learning &&
		       tcm_to_inactive(s, p);
	case TCM_ACTIVE:
		if (!active || p->oper_edge) {
			/* Differs: nobody behind an edge wants to know. */
			if (p->oper_edge)
				p->tc_while = 0;
			return tcm_to_learning(p);
		}
		if (p->rcvd_tcn)
			return tcm_to_notified_tcn(s, p);
		if (p->rcvd_tc)
			return tcm_to_notified_tc(s, p);
		if (p->tc_prop)
			return tcm_to_propagating(s, p);
		return p->rcvd_tc_ack && tcm_to_acknowledged(p);
	}
	COAX_UNREACHABLE();
}

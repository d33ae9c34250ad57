/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port Information machine, IEEE 802.1D-2004 clause 17.27, as 802.1Q has it: is
 * what the port knows of its LAN received, our own, aged out?
 */
#include "stp/stp_impl.h"

static bool
same_times(const struct stp_times *a, const struct stp_times *b)
{
	return a->message_age == b->message_age && a->max_age == b->max_age &&
	       a->hello == b->hello && a->fwd_delay == b->fwd_delay;
}

/* betterorsameInfo(), clause 17.21.1. */
static bool
better_or_same(const struct stp_port *p, enum stp_info_is new_info_is)
{
	const struct stp_vector *v = new_info_is == STP_INFO_RECEIVED
	                                 ? &p->msg_priority
	                                 : &p->designated_priority;

	return p->info_is == new_info_is &&
	       stp_vector_compare(v, &p->port_priority) <= 0;
}

/* rcvInfo(), clause 17.21.8. */
static enum stp_rcvd_info
rcv_info(struct stp_port *p)
{
	const struct stp_bpdu *m = &p->msg;
	int c;

	if (m->type == STP_BPDU_TCN) {
		p->rcvd_tcn = true;
		return STP_RCVD_OTHER;
	}
	p->msg_priority = (struct stp_vector){ m->root_id, m->root_path_cost,
		m->bridge_id, m->port_id };
	p->msg_times = m->times;
	c = stp_vector_compare(&p->msg_priority, &p->port_priority);
	if (m->type == STP_BPDU_RST &&
	    (stp_bpdu_role(m) == STP_BPDU_ROLE_ROOT ||
	        stp_bpdu_role(m) == STP_BPDU_ROLE_ALTERNATE))
		return c >= 0 ? STP_RCVD_INFERIOR_ROOT_ALTERNATE
		              : STP_RCVD_OTHER;
	if (c == 0 && same_times(&p->msg_times, &p->port_times))
		return p->info_is == STP_INFO_RECEIVED
		           ? STP_RCVD_REPEATED_DESIGNATED
		           : STP_RCVD_INFERIOR_DESIGNATED;
	return stp_vector_superior(&p->msg_priority, &p->port_priority)
	           ? STP_RCVD_SUPERIOR_DESIGNATED
	           : STP_RCVD_INFERIOR_DESIGNATED;
}

/*
 * recordProposal(), 17.21.11: rcvInfo() has found a designated message.
 * Differs: not where the link is shared.  Nobody takes an agreement there
 * (record_agreement()), so the others would propose, and we discard and answer,
 * for ever.
 */
static void
record_proposal(struct stp_port *p)
{
	if (p->msg.type == STP_BPDU_RST && p->oper_p2p &&
	    (p->msg.flags & STP_FLAG_PROPOSAL) != 0)
		p->proposed = true;
}

/* recordAgreement(), 17.21.9. */
static void
record_agreement(const struct stp *s, struct stp_port *p)
{
	p->agreed = stp_rstp_version(s) && p->oper_p2p &&
	            p->msg.type == STP_BPDU_RST &&
	            (p->msg.flags & STP_FLAG_AGREEMENT) != 0;
	if (p->agreed)
		p->proposing = false;
}

/* The port hears another that means to forward and does not hear us. */
void
stp_dispute(struct stp *s, struct stp_port *p)
{
	if (p->disputed_while == 0)
		stp_note(s, p, STP_NOTE_DISPUTED);
	p->disputed_while = (uint16_t)(3 * stp_hello_time(p));
	p->disputed = true;
	p->agreed = false;
}

/* recordDispute(), 802.1Q 13.29.13. */
static void
record_dispute(struct stp *s, struct stp_port *p)
{
	if (p->msg.type == STP_BPDU_RST &&
	    (p->msg.flags & STP_FLAG_LEARNING) != 0)
		stp_dispute(s, p);
}

/* setTcFlags(), 17.21.17. */
static void
set_tc_flags(struct stp_port *p)
{
	if ((p->msg.flags & STP_FLAG_TC) != 0)
		p->rcvd_tc = true;
	if (p->msg.type == STP_BPDU_CONFIG &&
	    (p->msg.flags & STP_FLAG_TCA) != 0)
		p->rcvd_tc_ack = true;
}

/* updtRcvdInfoWhile(), 17.21.23. */
static void
updt_rcvd_info_while(struct stp_port *p)
{
	p->rcvd_info_while =
	    p->port_times.message_age + 1u <= p->port_times.max_age
	        ? (uint16_t)(3 * p->port_times.hello)
	        : 0;
}

static bool
pim_to_disabled(struct stp *s, struct stp_port *p)
{
	p->pim = PIM_DISABLED;
	p->rcvd_msg = false;
	p->proposing = p->proposed = p->agree = p->agreed = false;
	p->rcvd_info_while = 0;
	p->info_is = STP_INFO_DISABLED;
	stp_reselect(s, p);
	return true;
}

static bool
pim_to_aged(struct stp *s, struct stp_port *p)
{
	p->pim = PIM_AGED;
	p->info_is = STP_INFO_AGED;
	p->withdrawn = false;
	stp_reselect(s, p);
	return true;
}

static bool
pim_to_update(struct stp *s, struct stp_port *p)
{
	bool worse =
	    stp_vector_compare(&p->designated_priority, &p->port_priority) > 0;

	p->proposing = p->proposed = false;
	p->agreed = p->agreed && better_or_same(p, STP_INFO_MINE);
	p->synced = p->synced && p->agreed;
	p->port_priority = p->designated_priority;
	p->port_times = p->designated_times;
	p->updt_info = false;
	p->info_is = STP_INFO_MINE;
	p->new_info = true;
	/* Differs: who waits for an answer waits for one to this. */
	if (worse && !p->forward && p->fd_while < stp_answer_delay(p))
		p->fd_while = stp_answer_delay(p);
	p->pim = PIM_CURRENT;
	s->wide = true;
	return true;
}

static void
pim_superior_designated(struct stp *s, struct stp_port *p)
{
	p->agreed = p->proposing = false;
	if (p->oper_p2p)
		p->disputed_while = 0;
	record_proposal(p);
	set_tc_flags(p);
	p->agree = p->agree && better_or_same(p, STP_INFO_RECEIVED);
	record_agreement(s, p);
	p->synced = p->synced && p->agreed;
	stp_said_forget(p);
	stp_root_heard(s, &p->msg_priority);
	p->port_priority = p->msg_priority; /* recordPriority() */
	p->port_times = p->msg_times;       /* recordTimes() */
	updt_rcvd_info_while(p);
	p->info_is = STP_INFO_RECEIVED;
	stp_reselect(s, p);
}

/* What was heard of the LAN's designated port does not hold any more. */
void
stp_withdraw(struct stp_port *p)
{
	p->rcvd_info_while = 0;
	p->withdrawn = true;
}

/*
 * NOT_DESIGNATED.  Differs: if it was designated when it was heard before, what
 * it said then is void; the standard keeps that until it has aged.  And who
 * agrees no more is not synced.
 */
static void
not_designated(struct stp *s, struct stp_port *p)
{
	if (p->info_is == STP_INFO_RECEIVED &&
	    stp_vector_same_source(&p->msg_priority, &p->port_priority))
		stp_withdraw(p);
	else if (stp_said_answered(s, p))
		record_agreement(s, p);
	if (!p->agreed && p->learn && !p->oper_edge)
		p->synced = false;
}

/* RECEIVE, and the states after it, back to CURRENT. */
static bool
pim_to_receive(struct stp *s, struct stp_port *p)
{
	switch (rcv_info(p)) {
	case STP_RCVD_SUPERIOR_DESIGNATED:
		pim_superior_designated(s, p);
		break;
	case STP_RCVD_REPEATED_DESIGNATED:
		record_proposal(p);
		set_tc_flags(p);
		record_agreement(s, p);
		updt_rcvd_info_while(p);
		break;
	case STP_RCVD_INFERIOR_DESIGNATED:
		record_dispute(s, p);
		break;
	case STP_RCVD_INFERIOR_ROOT_ALTERNATE:
		not_designated(s, p);
		set_tc_flags(p);
		break;
	case STP_RCVD_OTHER:
		/* Better than what we say: it answers to something older. */
		if (p->msg.type == STP_BPDU_RST)
			(void)stp_said_answered(s, p);
		break;
	}
	p->rcvd_msg = false;
	p->pim = PIM_CURRENT;
	return true;
}

/* Where the other end fell silent, and loop guard is on, that is no reason to
 * forward. */
static bool
pim_expire(struct stp *s, struct stp_port *p)
{
	if ((p->guards & STP_GUARD_LOOP) != 0 && !p->loop_guarded &&
	    !p->withdrawn) {
		p->loop_guarded = true;
		stp_note(s, p, STP_NOTE_LOOP_GUARD);
	}
	return pim_to_aged(s, p);
}

void
stp_pim_begin(struct stp *s, struct stp_port *p)
{
	(void)pim_to_disabled(s, p);
}

bool
stp_pim_step(struct stp *s, struct stp_port *p)
{
	if (!p->port_enabled && p->info_is != STP_INFO_DISABLED)
		return pim_to_disabled(s, p);
	switch (p->pim) {
	case PIM_DISABLED:
		if (p->rcvd_msg)
			return pim_to_disabled(s, p);
		return p->port_enabled && pim_to_aged(s, p);
	case PIM_AGED:
		return p->selected && p->updt_info && pim_to_update(s, p);
	case PIM_CURRENT:
		if (p->selected && p->updt_info)
			return pim_to_update(s, p);
		if (p->info_is == STP_INFO_RECEIVED &&
		    p->rcvd_info_while == 0 && !p->updt_info && !p->rcvd_msg)
			return pim_expire(s, p);
		return p->rcvd_msg && !p->updt_info && pim_to_receive(s, p);
	}
	COAX_UNREACHABLE();
}

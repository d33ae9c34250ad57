/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port State Transition machine, IEEE 802.1D-2004 clause 17.30: tells the
 * bridge what the port does.  It goes through Learning always.
 */
#include "stp/stp_impl.h"

static void
tell(struct stp *s, const struct stp_port *p, enum stp_state state)
{
	stp_effect_add(s, STP_EFFECT_STATE, p)->state = state;
}

static bool
pst_to_discarding(struct stp *s, struct stp_port *p)
{
	p->pst = PST_DISCARDING;
	p->learning = p->forwarding = false;
	tell(s, p, STP_STATE_DISCARDING);
	return true;
}

static bool
pst_to_learning(struct stp *s, struct stp_port *p)
{
	p->pst = PST_LEARNING;
	p->learning = true;
	p->has_addresses = true;
	tell(s, p, STP_STATE_LEARNING);
	return true;
}

static bool
pst_to_forwarding(struct stp *s, struct stp_port *p)
{
	p->pst = PST_FORWARDING;
	p->forwarding = true;
	p->count.transitions++;
	tell(s, p, STP_STATE_FORWARDING);
	return true;
}

void
stp_pst_begin(struct stp *s, struct stp_port *p)
{
	(void)pst_to_discarding(s, p);
}

bool
stp_pst_step(struct stp *s, struct stp_port *p)
{
	switch (p->pst) {
	case PST_DISCARDING:
		return p->learn && pst_to_learning(s, p);
	case PST_LEARNING:
		if (!p->learn)
			return pst_to_discarding(s, p);
		return p->forward && pst_to_forwarding(s, p);
	case PST_FORWARDING:
		return !p->forward && pst_to_discarding(s, p);
	}
	COAX_UNREACHABLE();
}

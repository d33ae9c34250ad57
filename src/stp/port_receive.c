/* SPDX-License-Identifier: BSD-2-Clause */
/* Port Receive machine, IEEE 802.1D-2004 clause 17.23. */
#include "stp/stp_impl.h"

static bool
prx_to_discard(struct stp_port *p)
{
	p->prx = PRX_DISCARD;
	p->rcvd_bpdu = p->rcvd_rstp = p->rcvd_stp = false;
	p->rcvd_msg = false;
	p->edge_delay_while = STP_MIGRATE_TIME;
	return true;
}

/* updtBPDUVersion: the type says it, as both agree in all that passed
 * stp_bpdu_decode(). */
static bool
prx_to_receive(struct stp_port *p)
{
	p->prx = PRX_RECEIVE;
	if (p->msg.type == STP_BPDU_RST)
		p->rcvd_rstp = true;
	else
		p->rcvd_stp = true;
	p->oper_edge = p->rcvd_bpdu = false;
	p->rcvd_msg = true;
	p->edge_delay_while = STP_MIGRATE_TIME;
	return true;
}

void
stp_prx_begin(struct stp_port *p)
{
	(void)prx_to_discard(p);
}

bool
stp_prx_step(struct stp *s, struct stp_port *p)
{
	(void)s;
	if (!p->port_enabled)
		return (p->rcvd_bpdu ||
		           p->edge_delay_while != STP_MIGRATE_TIME) &&
		       prx_to_discard(p);
	switch (p->prx) {
	case PRX_DISCARD:
		return p->rcvd_bpdu && prx_to_receive(p);
	case PRX_RECEIVE:
		return p->rcvd_bpdu && !p->rcvd_msg && prx_to_receive(p);
	}
	COAX_UNREACHABLE();
}

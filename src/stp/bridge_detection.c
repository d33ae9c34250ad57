/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bridge Detection machine, IEEE 802.1D-2004 clause 17.25, with 802.1Q's way
 * back for ports that are no edge by command: is there a bridge behind the
 * port?
 *
 * Differs: silence makes an edge port only if nothing was heard since the link
 * came up.  A bridge may be silent for long: one whose alternate port faces us,
 * or one of 1998 whose root port does.  And only of an enabled port: with the
 * text of 802.1Q a disabled one would go to and fro without end.
 */
#include "stp/stp_impl.h"

static bool
bdm_to_edge(struct stp_port *p)
{
	p->bdm = BDM_EDGE;
	p->oper_edge = true;
	return true;
}

static bool
bdm_to_not_edge(struct stp_port *p)
{
	p->bdm = BDM_NOT_EDGE;
	p->oper_edge = false;
	return true;
}

void
stp_bdm_begin(struct stp_port *p)
{
	if (p->admin_edge)
		(void)bdm_to_edge(p);
	else
		(void)bdm_to_not_edge(p);
}

bool
stp_bdm_step(struct stp *s, struct stp_port *p)
{
	(void)s;
	switch (p->bdm) {
	case BDM_EDGE:
		return (!p->oper_edge ||
		           (!p->admin_edge &&
		               (!p->port_enabled || !p->auto_edge))) &&
		       bdm_to_not_edge(p);
	case BDM_NOT_EDGE:
		if (!p->port_enabled)
			return p->admin_edge && bdm_to_edge(p);
		return p->edge_delay_while == 0 && p->auto_edge &&
		       p->send_rstp && p->proposing && !p->heard &&
		       bdm_to_edge(p);
	}
	COAX_UNREACHABLE();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Port Timers machine, IEEE 802.1D-2004 clause 17.22: its one state, TICK. */
#include "stp/stp_impl.h"

static void
down(uint16_t *timer)
{
	if (*timer > 0)
		(*timer)--;
}

void
stp_timers_tick(struct stp_port *p)
{
	down(&p->hello_when);
	down(&p->tc_while);
	down(&p->fd_while);
	down(&p->rcvd_info_while);
	down(&p->rr_while);
	down(&p->rb_while);
	down(&p->mdelay_while);
	down(&p->edge_delay_while);
	down(&p->tx_count);
	down(&p->self_loop_while);
	down(&p->assured_while);
	down(&p->disputed_while);
	p->rx_count = 0;
	p->told_tc = false;
}

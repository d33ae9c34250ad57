/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port Protocol Migration machine, IEEE 802.1D-2004 clause 17.24: does the port
 * speak RSTP or STP?
 */
#include "stp/stp_impl.h"

static bool
ppm_to_checking_rstp(struct stp *s, struct stp_port *p)
{
	if (!p->send_rstp && stp_rstp_version(s) && p->port_enabled)
		stp_note(s, p, STP_NOTE_MIGRATED);
	p->ppm = PPM_CHECKING_RSTP;
	p->mcheck = false;
	p->send_rstp = stp_rstp_version(s);
	p->mdelay_while = STP_MIGRATE_TIME;
	return true;
}

static bool
ppm_to_sensing(struct stp_port *p)
{
	p->ppm = PPM_SENSING;
	p->rcvd_rstp = p->rcvd_stp = false;
	return true;
}

static bool
ppm_to_selecting_stp(struct stp *s, struct stp_port *p)
{
	p->ppm = PPM_SELECTING_STP;
	p->send_rstp = false;
	p->mdelay_while = STP_MIGRATE_TIME;
	stp_note(s, p, STP_NOTE_MIGRATED);
	return true;
}

void
stp_ppm_begin(struct stp *s, struct stp_port *p)
{
	p->send_rstp = true; /* no note */
	(void)ppm_to_checking_rstp(s, p);
}

bool
stp_ppm_step(struct stp *s, struct stp_port *p)
{
	switch (p->ppm) {
	case PPM_CHECKING_RSTP:
		if (p->mdelay_while == 0)
			return ppm_to_sensing(p);
		return p->mdelay_while != STP_MIGRATE_TIME &&
		       !p->port_enabled && ppm_to_checking_rstp(s, p);
	case PPM_SENSING:
		if (!p->port_enabled || p->mcheck ||
		    (stp_rstp_version(s) && !p->send_rstp && p->rcvd_rstp))
			return ppm_to_checking_rstp(s, p);
		return p->send_rstp && p->rcvd_stp &&
		       ppm_to_selecting_stp(s, p);
	case PPM_SELECTING_STP:
		return (p->mdelay_while == 0 || !p->port_enabled ||
		           p->mcheck) &&
		       ppm_to_sensing(p);
	}
	COAX_UNREACHABLE();
}

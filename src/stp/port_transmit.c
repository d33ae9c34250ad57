/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port Transmit machine, IEEE 802.1D-2004 clause 17.26.
 *
 * It runs when all others have come to rest, so that a port says at most one
 * thing an event, and what it says is final.  What it changes (newInfo, tcAck,
 * txCount) moves no other machine.
 *
 * At most TxHoldCount BPDUs go out a port, plus one a second.
 *
 * Differs: two go out at once, the next ones wait a little, each longer than
 * the one before, and what changes meanwhile goes into the one.  In a mesh that
 * loses its root the news change a few times within milliseconds; sent one by
 * one they would use up the hold count, and the last and true one would have to
 * wait for a second.  A BPDU for which the other end does not wait (what it has
 * agreed to became better only) leaves room for others.
 */
#include "base/util.h"
#include "stp/stp_impl.h"

#define PACE_NS   400000u /* before the third BPDU */
#define PACE_MORE 3u      /* so many times as long before the next */
#define PACE_SLOW 9u      /* and where nobody waits */

static void
tx(struct stp *s, struct stp_port *p, const struct stp_bpdu *b)
{
	struct stp_effect *e = stp_effect_add(s, STP_EFFECT_SEND, p);

	e->bpdu.len = (uint8_t)stp_bpdu_encode(b, e->bpdu.data);
	p->new_info = false;
	p->tx_count++;
	p->tx_last_ns = s->now_ns;
}

static uint8_t
role_flags(const struct stp_port *p)
{
	switch (p->role) {
	case STP_ROLE_ROOT:
		return STP_BPDU_ROLE_ROOT << 2;
	case STP_ROLE_DESIGNATED:
		return STP_BPDU_ROLE_DESIGNATED << 2;
	case STP_ROLE_ALTERNATE:
	case STP_ROLE_BACKUP:
		return STP_BPDU_ROLE_ALTERNATE << 2;
	case STP_ROLE_DISABLED:
		break;
	}
	COAX_UNREACHABLE();
}

/* Clauses 17.21.19 to 17.21.21. */
static struct stp_bpdu
message(const struct stp_port *p, enum stp_bpdu_type type)
{
	return (struct stp_bpdu){
		.type = type,
		.flags = p->tc_while != 0 ? STP_FLAG_TC : 0,
		.root_id = p->designated_priority.root_id,
		.root_path_cost = p->designated_priority.root_path_cost,
		.bridge_id = p->designated_priority.bridge_id,
		.port_id = p->designated_priority.port_id,
		.times = p->designated_times,
	};
}

static void
tx_config(struct stp *s, struct stp_port *p)
{
	struct stp_bpdu b = message(p, STP_BPDU_CONFIG);

	if (p->tc_ack)
		b.flags |= STP_FLAG_TCA;
	tx(s, p, &b);
	p->tc_ack = false;
	p->count.tx_config++;
}

static void
tx_rstp(struct stp *s, struct stp_port *p)
{
	struct stp_bpdu b = message(p, STP_BPDU_RST);

	b.flags |= role_flags(p);
	if (p->agree)
		b.flags |= STP_FLAG_AGREEMENT;
	if (p->proposing)
		b.flags |= STP_FLAG_PROPOSAL;
	if (p->learning)
		b.flags |= STP_FLAG_LEARNING;
	if (p->forwarding)
		b.flags |= STP_FLAG_FORWARDING;
	tx(s, p, &b);
	if (p->role == STP_ROLE_DESIGNATED)
		stp_said_add(s, p);
	p->tc_ack = false;
	p->told_tc = p->tc_while != 0;
	p->count.tx_rst++;
}

static void
tx_tcn(struct stp *s, struct stp_port *p)
{
	struct stp_bpdu b = { .type = STP_BPDU_TCN };

	tx(s, p, &b);
	p->count.tx_tcn++;
}

/* TRANSMIT_INIT. */
void
stp_ptx_begin(struct stp_port *p)
{
	p->new_info = true;
	p->tx_count = 0;
	p->hello_when = 0;
}

/* Does the other end wait for it? */
static bool
is_urgent(const struct stp_port *p)
{
	return p->role != STP_ROLE_DESIGNATED || p->proposing ||
	       p->said_count == 0 ||
	       stp_vector_compare(&p->designated_priority,
	           &p->said[p->said_count - 1].vector) > 0;
}

/* When the next BPDU may go out. */
static uint64_t
pace(const struct stp_port *p)
{
	uint64_t wait_ns = PACE_NS;

	if (p->tx_count < 2)
		return 0;
	for (uint16_t i = 2; i < p->tx_count; i++)
		wait_ns *= PACE_MORE;
	return p->tx_last_ns + wait_ns * (is_urgent(p) ? 1 : PACE_SLOW);
}

/* A doubt about an agreement is over: answers.c. */
static void
ask_again(struct stp *s, struct stp_port *p)
{
	if (p->ask_ns == 0)
		return;
	if (s->now_ns < p->ask_ns) {
		s->next_tx_ns = COAX_MIN(s->next_tx_ns, p->ask_ns);
		return;
	}
	p->ask_ns = 0;
	if (p->role == STP_ROLE_DESIGNATED && p->proposing)
		p->new_info = true;
}

void
stp_ptx_run(struct stp *s, struct stp_port *p)
{
	bool designated = p->role == STP_ROLE_DESIGNATED;
	bool root = p->role == STP_ROLE_ROOT;

	if (!p->port_enabled) {
		stp_ptx_begin(p);
		return;
	}
	if (!p->selected || p->updt_info)
		return;
	if (p->hello_when == 0) {
		/* TRANSMIT_PERIODIC, IDLE */
		if (designated || (root && p->tc_while != 0) ||
		    (p->guards & STP_GUARD_ASSURANCE) != 0)
			p->new_info = true;
		p->hello_when = stp_hello_time(p);
	}
	ask_again(s, p);
	if (!p->new_info || p->tx_count >= s->tx_hold_count ||
	    (p->guards & STP_GUARD_FILTER) != 0)
		return;
	if (s->now_ns < pace(p)) {
		s->next_tx_ns = COAX_MIN(s->next_tx_ns, pace(p));
		return;
	}
	if (p->send_rstp) {
		if (p->role != STP_ROLE_DISABLED)
			tx_rstp(s, p);
	} else if (designated) {
		tx_config(s, p);
	} else if (root) {
		tx_tcn(s, p);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To what does an agreement agree?
 *
 * What a designated port says and what the other end answers cross on the wire.
 * An agreement to what was said before things became worse is none to what is
 * said now: taken for one it closes a loop, until the other end has heard the
 * rest.  The standard takes any.  Differs: a port remembers what it has said
 * that the other end may not have heard the end of, and takes an agreement if,
 * from what it answers to on, nothing was said that is better than what holds
 * now.  (To have agreed to something worse is to have agreed.)
 *
 * The answer of a root port shows what it is to: it has our root, our message
 * age and one more, our cost and its own.  That of an alternate or backup port
 * does not, so it may be to anything that was said in the last CROSSING_NS.
 * Where that leaves a doubt the port proposes again when it is over.
 */
#include <string.h>

#include "base/util.h"
#include "stp/stp_impl.h"

#define CROSSING_NS 100000000u /* no answer is longer on its way */

/* How well does a message answer to something? */
enum match {
	NOT,
	ROUGHLY, /* its message age is ours: it does not count as we do */
	WELL,
	EXACTLY, /* and it adds what it added before */
};

static void
drop_oldest(struct stp_port *p, uint32_t count)
{
	p->said_count = (uint8_t)(p->said_count - count);
	memmove(p->said, p->said + count, p->said_count * sizeof(p->said[0]));
}

static bool
is_better(const struct stp_said *said, const struct stp_vector *v)
{
	return stp_vector_compare(&said->vector, v) < 0;
}

void
stp_said_add(struct stp *s, struct stp_port *p)
{
	struct stp_said now = { p->designated_priority,
		p->designated_times.message_age, s->now_ns };

	if (p->said_count > 0) {
		const struct stp_said *last = &p->said[p->said_count - 1];

		if (last->message_age == now.message_age &&
		    stp_vector_compare(&last->vector, &now.vector) == 0)
			return;
	}
	if (p->said_count == STP_SAID_MAX) {
		/* The two oldest as one, as good as the better. */
		if (is_better(&p->said[0], &p->said[1].vector))
			p->said[1].vector = p->said[0].vector;
		drop_oldest(p, 1);
	}
	p->said[p->said_count++] = now;
}

/* Who says something better has heard what was worse, or will not care. */
void
stp_said_forget(struct stp_port *p)
{
	uint8_t kept = 0;

	for (uint32_t i = 0; i < p->said_count; i++) {
		if (is_better(&p->said[i], &p->msg_priority))
			p->said[kept++] = p->said[i];
	}
	p->said_count = kept;
}

static enum match
match(const struct stp_port *p, const struct stp_said *said)
{
	uint32_t cost = p->msg_priority.root_path_cost;
	uint32_t ours = said->vector.root_path_cost;

	if (p->msg_priority.root_id != said->vector.root_id || cost < ours)
		return NOT;
	if (p->msg_times.message_age == said->message_age)
		return ROUGHLY;
	if (p->msg_times.message_age != said->message_age + 1)
		return NOT;
	return p->peer_cost_known && cost - ours == p->peer_cost ? EXACTLY
	                                                         : WELL;
}

/* The earliest of those that the message of a root port answers to best; what
 * was said before is over. */
static enum match
find_answered(struct stp_port *p)
{
	enum match best = NOT;
	uint32_t first = 0;

	for (uint32_t i = 0; i < p->said_count; i++) {
		enum match m = match(p, &p->said[i]);

		if (m > best) {
			best = m;
			first = i;
		}
	}
	drop_oldest(p, first);
	return best;
}

/* Ask again when nobody can answer any more to the word before that one. */
static void
ask_later(struct stp *s, struct stp_port *p, const struct stp_said *after)
{
	p->ask_ns = after->ns + CROSSING_NS + 1;
	s->next_tx_ns = COAX_MIN(s->next_tx_ns, p->ask_ns);
}

bool
stp_said_answered(struct stp *s, struct stp_port *p)
{
	enum match m = NOT;

	while (p->said_count > 1 && s->now_ns - p->said[1].ns > CROSSING_NS)
		drop_oldest(p, 1);
	if (stp_bpdu_role(&p->msg) == STP_BPDU_ROLE_ROOT) {
		m = find_answered(p);
		if (m == NOT)
			return false;
	}
	for (uint32_t i = p->said_count; i-- > 0;) {
		if (!is_better(&p->said[i], &p->port_priority))
			continue;
		if (i + 1u < p->said_count)
			ask_later(s, p, &p->said[i + 1]);
		return false;
	}
	if (m >= WELL && p->said_count == 1) {
		p->peer_cost_known = true;
		p->peer_cost = p->msg_priority.root_path_cost -
		               p->said[0].vector.root_path_cost;
	}
	return p->said_count > 0;
}

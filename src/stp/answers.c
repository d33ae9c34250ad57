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
 * now.  (To have agreed to something worse is to have agreed.)  A port that was
 * not designated in between takes none from before that.
 *
 * The answer of a root port shows what it is to: it has our root, our message
 * age and one more, our cost and its own.  That of an alternate or backup port
 * does not, so it may be to anything that was said lately: in twice the time
 * that answers take on this link, or that they may take if none has come yet.
 * Where that leaves a doubt the port proposes again when it is over.  Nobody
 * waits for that: the other end discards in any case.
 */
#include <string.h>

#include "base/util.h"
#include "stp/stp_impl.h"

#define LATELY_MIN_NS 100000000u
#define LATELY_MAX_NS 4000000000u /* twice the hello time */

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

static void
append(struct stp_port *p, struct stp_said said)
{
	if (p->said_count == STP_SAID_MAX) {
		/* The two oldest as one, as good as the better. */
		if (is_better(&p->said[0], &p->said[1].vector))
			p->said[1].vector = p->said[0].vector;
		drop_oldest(p, 1);
	}
	p->said[p->said_count++] = said;
	p->answered = false;
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
	append(p, now);
}

/* It is designated no more, and promises others things: as if it had said
 * something better than can be said. */
void
stp_said_end(struct stp *s, struct stp_port *p)
{
	append(p, (struct stp_said){ .ns = s->now_ns });
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

/* No answer is longer on its way. */
static uint64_t
lately_ns(const struct stp_port *p)
{
	if (p->answer_ns == 0)
		return LATELY_MAX_NS;
	return COAX_MAX(
	    LATELY_MIN_NS, COAX_MIN(2 * p->answer_ns, LATELY_MAX_NS));
}

/* The first answer to the last word, and there is no doubt. */
static void
measure(const struct stp *s, struct stp_port *p)
{
	uint64_t took_ns = s->now_ns - p->said[0].ns;

	if (!p->answered && took_ns <= LATELY_MAX_NS)
		p->answer_ns = COAX_MAX(p->answer_ns, COAX_MAX(took_ns, 1));
	p->answered = true;
}

/* When what was said was said last: until the next, but stp_said_end() stands
 * for what was said before it. */
static uint64_t
until_ns(const struct stp *s, const struct stp_port *p, uint32_t i)
{
	if (p->said[i].vector.root_id == 0)
		return p->said[i].ns;
	return i + 1u < p->said_count ? p->said[i + 1].ns : s->now_ns;
}

/* Ask again when nobody can answer any more to that word. */
static void
ask_later(struct stp *s, struct stp_port *p, uint32_t i)
{
	p->ask_ns = until_ns(s, p, i) + lately_ns(p) + 1;
	s->next_tx_ns = COAX_MIN(s->next_tx_ns, p->ask_ns);
}

bool
stp_said_answered(struct stp *s, struct stp_port *p)
{
	enum match m = NOT;

	while (
	    p->said_count > 1 && s->now_ns - until_ns(s, p, 0) > lately_ns(p))
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
			ask_later(s, p, i);
		return false;
	}
	if (p->said_count == 1)
		measure(s, p);
	if (m >= WELL && p->said_count == 1) {
		p->peer_cost_known = true;
		p->peer_cost = p->msg_priority.root_path_cost -
		               p->said[0].vector.root_path_cost;
	}
	return p->said_count > 0;
}

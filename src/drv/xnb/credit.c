/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: `rate': how much a front end may transmit, in bytes a period.
 *
 * Each queue has the whole credit, as in Linux. A packet that costs more than
 * what is left waits in the ring, unanswered, until the next period: so it is
 * the front end that holds back, and nothing is dropped. Credit that was not
 * used is kept, up to CREDIT_BURST or one period's, whichever is more, so that
 * a super-frame can pass at any rate. A super-frame costs what its segments
 * would: what that is more than its bytes, up to as much again, is known when
 * it has been taken, and may be a debt, which the next periods pay.
 */
#include "base/util.h"
#include "drv/xnb/xnb.h"

#define CREDIT_BURST  131072u /* two super-frames */
#define SEGMENT_EXTRA 54      /* headers of a TCP segment over IPv4 */

static int64_t
burst_max(const struct xnb_credit *c)
{
	return (int64_t)COAX_MAX(c->bytes, CREDIT_BURST);
}

/* What a packet takes from the credit. */
static int64_t
cost(uint32_t size, uint32_t gso_size)
{
	int64_t segments = 1;

	if (gso_size != 0)
		segments = (size + gso_size - 1) / gso_size;
	return size + (segments != 0 ? segments - 1 : 0) * SEGMENT_EXTRA;
}

static void
refill(struct xnb_credit *c, uint64_t now_ns)
{
	uint64_t periods, more, room;

	if (now_ns < c->refill_ns)
		return;
	periods = (now_ns - c->refill_ns) / c->period_ns + 1;
	c->refill_ns += periods * c->period_ns;
	room = (uint64_t)(burst_max(c) - c->left);
	if (__builtin_mul_overflow(periods, c->bytes, &more) || more > room)
		more = room;
	c->left += (int64_t)more;
}

static void
credit_due(struct timer *t, uint64_t now_ns)
{
	struct xnb_credit *c = CONTAINER_OF(t, struct xnb_credit, timer);

	(void)now_ns;
	xnb_event(c->q->xnb);
}

void
xnb_credit_init(
    struct xnb_queue *q, uint64_t bytes, uint64_t period_ns, uint64_t now_ns)
{
	struct xnb_credit *c = &q->credit;

	xnb_credit_fini(q);
	*c = (struct xnb_credit){
		.q = q,
		.bytes = period_ns != 0 ? bytes : 0,
		.period_ns = period_ns,
		.left = (int64_t)bytes,
		.refill_ns = now_ns + period_ns,
		.timer.fn = credit_due,
	};
}

void
xnb_credit_fini(struct xnb_queue *q)
{
	struct timerheap *timers = q->xnb->ifp.net->timers;

	if (timers != NULL && timer_is_set(&q->credit.timer))
		timerheap_del(timers, &q->credit.timer);
}

bool
xnb_credit_allows(struct xnb_queue *q, uint32_t size)
{
	struct xnb_credit *c = &q->credit;
	struct net *net = q->xnb->ifp.net;

	if (c->bytes == 0)
		return true;
	refill(c, net->now_ns);
	if ((int64_t)size <= c->left)
		return true;
	if (net->timers != NULL)
		(void)timerheap_add(net->timers, &c->timer, c->refill_ns);
	return false;
}

void
xnb_credit_charge(struct xnb_queue *q, uint32_t size, uint32_t gso_size)
{
	q->credit.left -= cost(size, gso_size);
}

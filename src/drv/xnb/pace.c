/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: how soon a front end may connect again.
 *
 * A handshake costs us more than it costs the front end: pages are mapped,
 * channels bound, memory is taken, and one that fails is written to the log and
 * for the operator. So who begins anew again and again has to wait until it is
 * offered (InitWait): the first PACE_FREE times not, then a second, two, four,
 * PACE_MAX_NS. All is forgotten after a connection that held for PACE_HELD_NS,
 * or when there was none for PACE_FORGET_NS.
 *
 * What counts: state 1 after a connection, however that ended; and a new
 * program at an interface whose last one was cut off. A program that comes
 * after one that went in order does not.
 */
#include "base/util.h"
#include "drv/xnb/xnb.h"

#define PACE_FREE      8u
#define PACE_FIRST_NS  1000000000u
#define PACE_MAX_NS    8000000000u
#define PACE_DOUBLINGS 3u /* from the first to the last */
#define PACE_HELD_NS   10000000000u
#define PACE_FORGET_NS 60000000000u

_Static_assert(
    (uint64_t)PACE_FIRST_NS << PACE_DOUBLINGS == PACE_MAX_NS, "doubled");

void
xnb_pace_again(struct xnb_pace *p, uint64_t now_ns)
{
	if (now_ns < p->until_ns)
		return; /* it waits already */
	if (now_ns - p->again_ns >= PACE_FORGET_NS)
		p->count = 0;
	p->again_ns = now_ns;
	p->count++;
	if (p->count > PACE_FREE)
		p->until_ns =
		    now_ns + ((uint64_t)PACE_FIRST_NS << COAX_MIN(
		                  p->count - PACE_FREE - 1, PACE_DOUBLINGS));
}

void
xnb_pace_ended(struct xnb_pace *p, uint64_t now_ns)
{
	if (now_ns - p->since_ns >= PACE_HELD_NS)
		p->count = 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The rate server. See rate.h. */
#include "pipe/rate.h"

#include "base/util.h"

#define NS_PER_S 1000000000u

__extension__ typedef unsigned __int128 u128;

struct rate_next
rate_next(const struct rate *r, uint64_t arrived_ns, uint32_t bytes)
{
	struct rate_next n = { .depart_ns = arrived_ns };
	uint64_t credit_ns, start_ns;
	u128 bits_ns;

	if (r->bits_s == 0)
		return n;
	credit_ns = (uint64_t)((u128)r->burst * 8 * NS_PER_S / r->bits_s);
	start_ns = arrived_ns > credit_ns ? arrived_ns - credit_ns : 0;
	n.free_ns = COAX_MAX(r->free_ns, start_ns);
	bits_ns = (u128)bytes * 8 * NS_PER_S;
	if (r->free_ns >= start_ns)
		bits_ns += r->rest;
	n.free_ns += (uint64_t)(bits_ns / r->bits_s);
	n.rest = (uint64_t)(bits_ns % r->bits_s);
	n.depart_ns = COAX_MAX(n.free_ns, arrived_ns);
	return n;
}

void
rate_set(struct rate *r, uint64_t bits_s, uint64_t burst)
{
	if (r->bits_s != bits_s)
		r->rest = 0;
	r->bits_s = bits_s;
	r->burst = burst;
}

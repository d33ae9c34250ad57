/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spanning tree priority vectors, IEEE 802.1D-2004 clause 17.5 and 17.6: a
 * smaller one is better.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define STP_ADDRESS_MASK ((1ull << 48) - 1) /* of a bridge identifier */
#define STP_PORT_NUMBER  0x0fffu            /* of a port identifier */

struct stp_vector {
	uint64_t root_id;
	uint32_t root_path_cost;
	uint64_t bridge_id; /* designated bridge */
	uint16_t port_id;   /* designated port */
};

static inline uint64_t
stp_id_address(uint64_t id)
{
	return id & STP_ADDRESS_MASK;
}

/* Below 0: @a is better; above: @b is; 0: the same. */
static inline int
stp_vector_compare(const struct stp_vector *a, const struct stp_vector *b)
{
	if (a->root_id != b->root_id)
		return a->root_id < b->root_id ? -1 : 1;
	if (a->root_path_cost != b->root_path_cost)
		return a->root_path_cost < b->root_path_cost ? -1 : 1;
	if (a->bridge_id != b->bridge_id)
		return a->bridge_id < b->bridge_id ? -1 : 1;
	if (a->port_id != b->port_id)
		return a->port_id < b->port_id ? -1 : 1;
	return 0;
}

/* Are they of the same port of the same bridge, whatever the priorities? */
static inline bool
stp_vector_same_source(const struct stp_vector *a, const struct stp_vector *b)
{
	return stp_id_address(a->bridge_id) == stp_id_address(b->bridge_id) &&
	       (a->port_id & STP_PORT_NUMBER) == (b->port_id & STP_PORT_NUMBER);
}

/*
 * Clause 17.6: is the message superior to what the port has?  It is when it is
 * better, and when it comes from the same source: what a bridge says of itself
 * replaces what it said before, for worse too.
 */
static inline bool
stp_vector_superior(
    const struct stp_vector *message, const struct stp_vector *port)
{
	return stp_vector_compare(message, port) < 0 ||
	       stp_vector_same_source(message, port);
}

/* The cost of a path with one more hop; it stops at the highest number. */
static inline uint32_t
stp_cost_add(uint32_t cost, uint32_t hop)
{
	return hop > UINT32_MAX - cost ? UINT32_MAX : cost + hop;
}

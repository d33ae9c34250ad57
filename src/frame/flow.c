/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows. See flow.h.
 */
#include "frame/flow.h"

#include <string.h>

#include "base/ether.h"
#include "base/hash.h"
#include "base/util.h"
#include "frame/parse.h"

/* Of what makes a flow, besides the Ethernet addresses. */
static uint64_t
ip_hash(uint64_t seed, const struct frame *f)
{
	uint8_t key[2 * 16 + 4 + 1] = { 0 };
	struct parsed p;
	size_t n;

	if (parse_frame(f->data, f->len, f->off.gso_type != 0, &p) != 0 ||
	    p.ip == 0)
		return 0;
	n = p.ip == 4 ? 4 : 16;
	memcpy(key, f->data + p.src, n);
	memcpy(key + 16, f->data + p.dst, n);
	if (!p.fragment && p.l4_ok && p.l4_hdr >= 4)
		memcpy(key + 32, f->data + p.l4, 4);
	key[36] = p.proto;
	return hash_bytes(seed, key, sizeof(key));
}

uint64_t
flow_hash(uint64_t seed, const struct frame *f)
{
	uint64_t h =
	    hash_bytes(seed, f->data, COAX_MIN(f->len, 2u * ETH_ADDR_LEN));

	return h ^ ip_hash(seed, f);
}

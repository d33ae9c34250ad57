/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * offload_fit() on well-formed frames with any headers: the input says which
 * tags, options, extension headers, flags and sizes to use, and what the output
 * takes.
 *
 * Whatever the output, every emitted frame parses, fits it and has no more
 * payload than asked for; and if nothing was dropped, all payload is there, in
 * order.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "frame/l4.h"
#include "frame/offload.h"
#include "frame/parse.h"

static struct frame_pool *pool;

struct judge {
	struct offload_output out;
	uint32_t gso_size;
	uint32_t payload; /* bytes seen so far */
	uint32_t dropped;
};

static uint8_t
payload_byte(uint32_t at)
{
	return (uint8_t)(at * 167 + (at >> 8));
}

static void
emit(void *arg, struct frame *f)
{
	struct judge *j = arg;
	bool gso = f->off.gso_type != FRAME_GSO_NONE;
	struct parsed p;
	uint32_t len;

	ASSERT(offload_fits(f, j->out.caps, j->out.mtu));
	ASSERT(parse_frame(f->data, f->len, gso, &p) == 0 && l4_whole(&p));
	ASSERT(p.ip_end == f->len);
	len = f->len - p.l4 - p.l4_hdr;
	ASSERT(gso || j->gso_size == 0 || len <= j->gso_size);
	for (uint32_t i = 0; i < len; i++)
		ASSERT(f->data[p.l4 + p.l4_hdr + i] ==
		       payload_byte(j->payload + i));
	j->payload += len;
	if ((f->off.flags & FRAME_CSUM_PARTIAL) == 0)
		ASSERT(csum_fold(csum_add(l4_pseudo(f->data, &p, p.l4_len),
		           f->data + p.l4, p.l4_len)) == 0xffff);
	frame_release(f);
}

static void
drop(void *arg, struct frame *f, enum drop_reason why)
{
	struct judge *j = arg;

	ASSERT(why == DROP_MTU || why == DROP_GSO_UNSUPPORTED ||
	       why == DROP_NO_FRAME);
	j->dropped++;
	frame_release(f);
}

static void
put_ip4(struct rd *r, struct wr *w, uint8_t proto)
{
	uint8_t options = rd_u8(r) % 11;

	wr_u8(w, (uint8_t)(0x45 + options));
	wr_zero(w, 3);
	wr_be16(w, rd_be16(r)); /* identification */
	wr_be16(w, 0x4000);
	wr_u8(w, 64);
	wr_u8(w, proto);
	wr_zero(w, 2);
	for (int i = 0; i < 8 + options * 4; i++)
		wr_u8(w, rd_u8(r));
}

static void
put_ip6(struct rd *r, struct wr *w, uint8_t proto)
{
	static const uint8_t types[] = { 0, 43, 60, 51, 135, 44 };
	uint8_t count = rd_u8(r) % 6;
	uint8_t *next, *ext;

	wr_be32(w, 0x60000000);
	wr_zero(w, 2);
	next = wr_reserve(w, 1);
	wr_u8(w, 64);
	for (int i = 0; i < 32; i++)
		wr_u8(w, rd_u8(r));
	while (count-- > 0) {
		uint8_t type = types[rd_u8(r) % ARRAY_LEN(types)];
		uint8_t units = rd_u8(r) % 6;
		size_t len = type == 44   ? 8
		             : type == 51 ? (units + 2u) * 4
		                          : (units + 1u) * 8;

		*next = type;
		next = ext = wr_reserve(w, len);
		for (size_t i = 0; i < len; i++)
			ext[i] = rd_u8(r);
		if (type == 44) /* atomic */
			memset(ext + 1, 0, 3);
		else
			ext[1] = units;
	}
	*next = proto;
}

static void
put_l4(struct rd *r, struct wr *w, uint8_t proto)
{
	uint8_t options = rd_u8(r) % 11;

	wr_be32(w, rd_be32(r));
	if (proto == IP_PROTO_UDP) {
		wr_be32(w, 0);
		return;
	}
	wr_be32(w, rd_be32(r)); /* sequence number */
	wr_be32(w, 0);
	wr_u8(w, (uint8_t)((5 + options) << 4));
	wr_u8(w, rd_u8(r)); /* flags */
	wr_zero(w, 6u + options * 4u);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t tag_types[] = { ETH_TYPE_VLAN, ETH_TYPE_QINQ };
	struct frame_pool_options options = { .small_count = 8,
		.large_count = 4 };
	struct rd r = rd_init(data, size);
	struct judge j = { .out = { .emit = emit, .drop = drop, .arg = &j } };
	struct frame *f, *shared = NULL;
	uint8_t kind, tags, proto;
	enum drop_reason why;
	uint32_t payload;
	struct wr w;

	if (pool == NULL && frame_pool_create(&options, &pool) < 0)
		return 0;
	kind = rd_u8(&r); /* 1: v6, 2: UDP, 4: super-frame, 8: shared */
	j.out.caps = rd_u8(&r) & OFFLOAD_ALL;
	j.out.mtu = rd_be16(&r);
	payload = rd_be16(&r) % 60000 + 1;
	j.gso_size = (kind & 4) != 0 ? rd_be16(&r) : 0;
	tags = rd_u8(&r) % 4;
	proto = (kind & 2) != 0 ? IP_PROTO_UDP : IP_PROTO_TCP;

	f = frame_alloc(pool, payload + 800);
	ASSERT(f != NULL);
	w = wr_init(f->data, 800);
	wr_zero(&w, 12);
	while (tags-- > 0) {
		wr_be16(&w, tag_types[rd_u8(&r) % 2]);
		wr_be16(&w, rd_be16(&r));
	}
	wr_be16(&w, (kind & 1) != 0 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
	if ((kind & 1) != 0)
		put_ip6(&r, &w, proto);
	else
		put_ip4(&r, &w, proto);
	f->off.flags = FRAME_CSUM_PARTIAL;
	f->off.csum_start = (uint16_t)wr_len(&w);
	f->off.csum_offset = proto == IP_PROTO_TCP ? 16 : 6;
	put_l4(&r, &w, proto);
	ASSERT(wr_ok(&w));
	f->len = (uint32_t)wr_len(&w) + payload;
	for (uint32_t i = 0; i < payload; i++)
		f->data[wr_len(&w) + i] = payload_byte(i);
	if (j.gso_size != 0) {
		f->off.gso_size = (uint16_t)j.gso_size;
		f->off.gso_type = proto == IP_PROTO_UDP ? FRAME_GSO_UDPL4
		                  : (kind & 1) != 0     ? FRAME_GSO_TCPV6
		                                        : FRAME_GSO_TCPV4;
	} else {
		f->off.gso_type = FRAME_GSO_NONE;
	}
	if (f->off.gso_type == FRAME_GSO_NONE || offload_check(f, &why) < 0) {
		/* Ordinary, or a chain that is refused: the length fields are
		 * still to be written, for the first kind. */
		struct parsed p;

		if (f->off.gso_type != FRAME_GSO_NONE ||
		    parse_frame(f->data, f->len, true, &p) < 0 ||
		    !l4_whole(&p)) {
			frame_release(f);
			return 0;
		}
		ip_put_len(f->data, &p, f->len);
		ASSERT(offload_check(f, &why) == 0);
	}
	if ((kind & 8) != 0)
		shared = frame_take(f);
	offload_fit(f, &j.out);
	ASSERT(j.dropped != 0 || j.payload == payload);
	if (shared != NULL) {
		ASSERT(shared->refs == 1);
		frame_release(shared);
	}
	return 0;
}

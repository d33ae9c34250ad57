/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Software segmentation: one super-frame becomes frames of gso_size bytes of
 * payload, the last with what is left.
 *
 * Every segment has a copy of all headers (tags, IP options, extension
 * headers, TCP options).  Then differ:
 *
 *   IPv4    total length; identification + i, also with DF (RFC 6864 allows
 *           any, the Linux kernel counts); header checksum
 *   IPv6    payload length
 *   TCP     sequence number + i * gso_size; FIN and PSH only on the last
 *           (RFC 9293, 3.8.6), CWR only on the first (RFC 3168, 6.1.2); ECE
 *           and ACK on all; the urgent pointer stays.  SYN and RST have no
 *           meaning for half a frame: refused.
 *   UDP     length
 *   both    checksum: complete, or a seed where the output completes
 */
#include "base/util.h"
#include "frame/l4.h"

/* Turns a copy of the headers into those of one segment. */
static void
segment_patch(uint8_t *data, const struct parsed *p, uint32_t len,
    uint32_t index, uint32_t at, bool last)
{
	uint8_t *ip = data + p->l3, *l4 = data + p->l4;

	ip_put_len(data, p, len);
	if (p->ip == 4) {
		be16_put(ip + 4, (uint16_t)(be16_get(ip + 4) + index));
		ip4_put_sum(data, p);
	}
	if (p->proto != IP_PROTO_TCP)
		return;
	be32_put(l4 + 4, be32_get(l4 + 4) + at);
	if (!last)
		l4[TCP_FLAGS_OFFSET] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (index != 0)
		l4[TCP_FLAGS_OFFSET] &= (uint8_t)~TCP_CWR;
}

/* One segment, or NULL when the pool is empty. */
static struct frame *
segment_make(const struct frame *f, const struct parsed *p, uint32_t index,
    uint32_t at, bool partial)
{
	uint32_t hdr = (uint32_t)p->l4 + p->l4_hdr;
	uint32_t left = f->len - hdr - at;
	uint32_t chunk = COAX_MIN(left, f->off.gso_size);
	struct frame *s = frame_alloc(f->pool, hdr + chunk);

	if (s == NULL)
		return NULL;
	s->len = hdr + chunk;
	memcpy(s->data, f->data, hdr);
	memcpy(s->data + hdr, f->data + hdr + at, chunk);
	/* Whatever else travels with the frame. */
	memcpy(&s->off, &f->off,
	    offsetof(struct frame, pool) - offsetof(struct frame, off));
	segment_patch(s->data, p, s->len, index, at, chunk == left);
	if (partial) {
		s->off.gso_type = FRAME_GSO_NONE;
		s->off.gso_size = 0;
		l4_put_seed(s->data, p, s->len - p->l4);
	} else {
		s->off = (struct frame_offload){ 0 };
		l4_put_sum(s->data, p, s->len - p->l4);
	}
	return s;
}

/* What parsing must have found for the record to make sense.  Always so after
 * offload_check(), unless somebody rewrote the headers since. */
static bool
segment_possible(const struct frame *f, const struct parsed *p)
{
	uint8_t flags;

	if (!l4_whole(p) || f->off.gso_size == 0 ||
	    f->off.csum_start != p->l4 ||
	    f->off.csum_offset != l4_csum_offset(p) ||
	    f->off.hdr_len != p->l4 + p->l4_hdr ||
	    !ip_len_fits(p, (uint32_t)f->off.hdr_len + f->off.gso_size))
		return false;
	if (p->proto == IP_PROTO_UDP)
		return true;
	flags = f->data[p->l4 + TCP_FLAGS_OFFSET];
	return (flags & (TCP_SYN | TCP_RST)) == 0;
}

void
offload_segment(struct frame *f, const struct offload_output *out)
{
	struct parsed p;
	uint32_t payload, at, i = 0;
	bool partial;

	if (parse_frame(f->data, f->len, true, &p) < 0 ||
	    !segment_possible(f, &p)) {
		out->drop(out->arg, f, DROP_GSO_UNSUPPORTED);
		return;
	}
	partial = (~out->caps & l4_csum_need(&p)) == 0;
	payload = f->len - p.l4 - p.l4_hdr;
	for (at = 0; at < payload; at += f->off.gso_size) {
		struct frame *s = segment_make(f, &p, i++, at, partial);

		if (s == NULL)
			break;
		out->emit(out->arg, s);
	}
	for (; at < payload; at += f->off.gso_size)
		out->drop(out->arg, frame_take(f), DROP_NO_FRAME);
	frame_release(f);
}

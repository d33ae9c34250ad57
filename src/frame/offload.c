/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Offload records: check, decide, complete.  Segmentation is in segment.c.
 *
 * The seed that a sender put in the checksum field is never relied on: it is
 * written anew on the way in (offload_check()), and a completed sum is
 * computed from nothing.
 */
#include "frame/offload.h"

#include <errno.h>

#include "base/ether.h"
#include "frame/l4.h"

static int
refuse(enum drop_reason reason, enum drop_reason *why)
{
	*why = reason;
	return -EBADMSG;
}

/* The bytes that a TCP or UDP sum covers: the IP packet's, without what a
 * shorter UDP length leaves out. */
static uint32_t
sum_len(const uint8_t *data, const struct parsed *p)
{
	uint32_t len;

	if (p->proto != IP_PROTO_UDP)
		return p->l4_len;
	len = be16_get(data + p->l4 + UDP_LEN_OFFSET);
	return len >= UDP_HDR_LEN && len <= p->l4_len ? len : p->l4_len;
}

int
offload_place(const uint8_t *data, uint32_t len, bool gso, uint16_t csum_start,
    uint16_t csum_offset, struct parsed *p)
{
	uint32_t field = (uint32_t)csum_start + csum_offset;
	uint32_t end, lowest;

	if (parse_frame(data, len, gso, p) < 0 || field + 2 > len)
		return -EBADMSG;
	if (p->l4_ok && csum_start == p->l4 &&
	    (p->proto == IP_PROTO_TCP || p->proto == IP_PROTO_UDP))
		return l4_whole(p) && csum_offset == l4_csum_offset(p)
		           ? 0
		           : -EBADMSG;
	end = p->ip != 0 ? p->ip_end : len;
	lowest = p->ip != 0 ? p->l4 : p->l3;
	if (p->l4_ok) {
		if (p->proto == IP_PROTO_TCP || p->proto == IP_PROTO_SCTP)
			return -EBADMSG;
		if (p->proto == IP_PROTO_UDP)
			lowest += UDP_HDR_LEN; /* of an inner packet */
	}
	return p->fragment || csum_start < lowest || field + 2 > end ||
	               csum_offset % 2 != 0
	           ? -EBADMSG
	           : 1;
}

/* A partial sum that is not the packet's own TCP or UDP sum, from the record
 * alone: offload_place() has said 1. */
static void
complete_generic(uint8_t *data, uint32_t len, const struct parsed *p,
    uint16_t csum_start, uint16_t csum_offset)
{
	uint32_t end = p->ip != 0 ? p->ip_end : len;
	uint16_t sum = (uint16_t)~csum_fold(
	    csum_add(0, data + csum_start, end - csum_start));

	if (sum == 0)
		sum = 0xffff; /* the same number, and right for UDP too */
	be16_put(data + csum_start + csum_offset, sum);
}

int
offload_complete_at(
    uint8_t *data, uint32_t len, uint16_t csum_start, uint16_t csum_offset)
{
	struct parsed p;

	if (offload_place(data, len, false, csum_start, csum_offset, &p) != 1)
		return -EBADMSG;
	complete_generic(data, len, &p, csum_start, csum_offset);
	return 0;
}

static int
check_partial(struct frame *f)
{
	struct frame_offload *o = &f->off;
	struct parsed p;

	switch (offload_place(
	    f->data, f->len, false, o->csum_start, o->csum_offset, &p)) {
	case 0:
		break;
	case 1:
		complete_generic(
		    f->data, f->len, &p, o->csum_start, o->csum_offset);
		*o = (struct frame_offload){ 0 };
		return 0;
	default:
		return -EBADMSG;
	}
	*o = (struct frame_offload){
		.flags = FRAME_CSUM_PARTIAL,
		.hdr_len = (uint16_t)(p.l4 + p.l4_hdr),
		.csum_start = p.l4,
		.csum_offset = l4_csum_offset(&p),
	};
	l4_put_seed(f->data, &p, sum_len(f->data, &p));
	return 0;
}

/* Puts stale length fields right for a packet that ends at @end.  What is right
 * stays untouched. */
static void
check_len(uint8_t *data, const struct parsed *p, uint32_t end)
{
	uint32_t ip_len = end - p->l3 - (p->ip == 6 ? IP6_HDR_LEN : 0u);
	uint32_t had = be16_get(data + p->l3 + (p->ip == 6 ? 4 : 2));

	if (p->proto == IP_PROTO_UDP || had != ip_len) {
		ip_put_len(data, p, end);
		if (p->ip == 4 && had != ip_len)
			ip4_put_sum(data, p);
	}
}

/* A GSO frame with payload for one segment becomes an ordinary one.  Its IP
 * length is believed only where padding can make the frame longer. */
static int
check_demote(struct frame *f, const struct parsed *whole)
{
	bool padding =
	    f->len <= ETH_LEN_MIN + ETH_VLAN_LEN * (uint32_t)whole->tags;
	struct parsed p;

	if (parse_frame(f->data, f->len, false, &p) < 0 || !l4_whole(&p) ||
	    (p.ip_end != f->len && !padding)) {
		if (!ip_len_fits(whole, f->len))
			return -EBADMSG;
		p = *whole;
	}
	check_len(f->data, &p, p.ip_end);
	f->off.gso_type = FRAME_GSO_NONE;
	f->off.gso_size = 0;
	l4_put_seed(f->data, &p, p.l4_len);
	return 0;
}

static int
check_gso(struct frame *f)
{
	struct frame_offload *o = &f->off;
	uint8_t type = o->gso_type & (uint8_t)~FRAME_GSO_ECN;
	struct parsed p;
	uint32_t hdr, payload;

	if (o->gso_size == 0 || parse_frame(f->data, f->len, true, &p) < 0 ||
	    !l4_whole(&p))
		return -EBADMSG;
	switch (type) {
	case FRAME_GSO_TCPV4:
	case FRAME_GSO_TCPV6:
		if (p.ip != (type == FRAME_GSO_TCPV4 ? 4 : 6) ||
		    p.proto != IP_PROTO_TCP)
			return -EBADMSG;
		break;
	case FRAME_GSO_UDPL4:
		if (p.proto != IP_PROTO_UDP || o->gso_type != type)
			return -EBADMSG;
		break;
	default:
		return -EBADMSG;
	}
	if ((o->flags & FRAME_CSUM_PARTIAL) != 0 &&
	    (o->csum_start != p.l4 || o->csum_offset != l4_csum_offset(&p)))
		return -EBADMSG;
	hdr = (uint32_t)p.l4 + p.l4_hdr;
	payload = f->len - hdr;
	o->flags = FRAME_CSUM_PARTIAL;
	o->hdr_len = (uint16_t)hdr;
	o->csum_start = p.l4;
	o->csum_offset = l4_csum_offset(&p);
	if (payload <= o->gso_size)
		return check_demote(f, &p);
	if (payload > (uint32_t)o->gso_size * OFFLOAD_SEGMENTS_MAX ||
	    !ip_len_fits(&p, hdr + o->gso_size))
		return -EBADMSG;
	if (p.proto == IP_PROTO_TCP &&
	    (f->data[p.l4 + TCP_FLAGS_OFFSET] & TCP_CWR) != 0)
		type |= FRAME_GSO_ECN;
	o->gso_type = type;
	if (ip_len_fits(&p, f->len)) /* else there is no way to say it */
		check_len(f->data, &p, f->len);
	l4_put_seed(f->data, &p, p.l4_len);
	return 0;
}

int
offload_check(struct frame *f, enum drop_reason *why)
{
	struct frame_offload *o = &f->off;

	ASSERT(f->refs == 1);
	if (f->len < ETH_HDR_LEN)
		return refuse(DROP_RUNT, why);
	if (f->len > FRAME_LARGE_MAX)
		return refuse(DROP_GIANT, why);
	if (o->gso_type != FRAME_GSO_NONE) {
		if (check_gso(f) < 0)
			return refuse(DROP_BAD_OFFLOAD, why);
	} else if ((o->flags & FRAME_CSUM_PARTIAL) != 0) {
		if (check_partial(f) < 0)
			return refuse(DROP_BAD_OFFLOAD, why);
	} else {
		*o = (struct frame_offload){
			.flags = o->flags & FRAME_CSUM_VALID,
		};
	}
	return 0;
}

/* The sums of other protocols than TCP and UDP, all of them in place. */
static int
complete_other(struct frame *f, const struct parsed *p)
{
	uint8_t *l4 = f->data + p->l4;
	uint64_t sum = 0;

	switch (p->proto) {
	case IP_PROTO_ICMP6:
		sum = l4_pseudo(f->data, p, p->l4_len);
		__attribute__((fallthrough));
	case IP_PROTO_ICMP:
		if (p->l4_len < ICMP_HDR_LEN)
			return -EBADMSG;
		be16_put(l4 + ICMP_CSUM_OFFSET, 0);
		be16_put(l4 + ICMP_CSUM_OFFSET,
		    (uint16_t)~csum_fold(csum_add(sum, l4, p->l4_len)));
		return 0;
	case IP_PROTO_SCTP:
		if (p->l4_len < SCTP_HDR_LEN)
			return -EBADMSG;
		le32_put(l4 + SCTP_CSUM_OFFSET, 0);
		le32_put(l4 + SCTP_CSUM_OFFSET, csum_crc32c(l4, p->l4_len));
		return 0;
	default:
		return -EBADMSG;
	}
}

int
offload_blank(struct frame *f, enum drop_reason *why)
{
	struct parsed p;

	ASSERT(f->refs == 1);
	if (parse_frame(f->data, f->len, false, &p) < 0)
		return refuse(DROP_BAD_OFFLOAD, why);
	if (p.ip == 0) {
		/* Behind more tags than are looked at there is who knows what.
		 */
		if (p.ethertype == ETH_TYPE_VLAN ||
		    p.ethertype == ETH_TYPE_QINQ)
			return refuse(DROP_CSUM_UNKNOWN, why);
		return 0;
	}
	if (p.fragment)
		return -EINPROGRESS;
	if (!l4_whole(&p)) {
		if (!p.l4_ok || complete_other(f, &p) < 0)
			return refuse(DROP_CSUM_UNKNOWN, why);
		return 0;
	}
	f->off = (struct frame_offload){
		.flags = FRAME_CSUM_PARTIAL,
		.hdr_len = (uint16_t)(p.l4 + p.l4_hdr),
		.csum_start = p.l4,
		.csum_offset = l4_csum_offset(&p),
	};
	l4_put_seed(f->data, &p, sum_len(f->data, &p));
	return 0;
}

/* True if the frame, or each segment of a super-frame, respects the MTU. */
static bool
mtu_fits(const struct frame *f, uint32_t mtu)
{
	uint32_t len = f->len;

	if (mtu == 0)
		return true;
	if (f->off.gso_type != FRAME_GSO_NONE)
		len = (uint32_t)f->off.hdr_len + f->off.gso_size;
	if (len <= ETH_HDR_LEN || len - ETH_HDR_LEN <= mtu)
		return true;
	len -= ETH_HDR_LEN + ETH_VLAN_LEN * parse_tags(f->data, f->len);
	return len <= mtu;
}

/* What an output must take for this partial sum. The headers are looked at only
 * where it matters. */
static uint32_t
csum_need(const struct frame *f, uint32_t caps)
{
	struct parsed p;

	if ((caps & OFFLOAD_CSUM) == OFFLOAD_CSUM || (caps & OFFLOAD_CSUM) == 0)
		return OFFLOAD_CSUM;
	if (parse_frame(
	        f->data, f->len, f->off.gso_type != FRAME_GSO_NONE, &p) < 0 ||
	    p.ip == 0)
		return OFFLOAD_CSUM;
	return l4_csum_need(&p);
}

bool
offload_fits_slow(const struct frame *f, uint32_t caps, uint32_t mtu)
{
	const struct frame_offload *o = &f->off;
	uint32_t need = 0;

	if ((o->flags & FRAME_CSUM_PARTIAL) != 0)
		need |= csum_need(f, caps);
	switch (o->gso_type & ~FRAME_GSO_ECN) {
	case FRAME_GSO_NONE:
		break;
	case FRAME_GSO_TCPV4:
		need |= OFFLOAD_TSO4;
		break;
	case FRAME_GSO_TCPV6:
		need |= OFFLOAD_TSO6;
		break;
	case FRAME_GSO_UDPL4:
		need |= OFFLOAD_USO;
		if (f->len > o->hdr_len + (uint32_t)o->gso_size *
		                              OFFLOAD_USO_SEGMENTS_MAX)
			return false;
		break;
	default:
		return false;
	}
	if ((o->gso_type & FRAME_GSO_ECN) != 0)
		need |= OFFLOAD_TSO_ECN;
	return (caps & need) == need && mtu_fits(f, mtu);
}

int
offload_complete(struct frame *f)
{
	struct parsed p;

	ASSERT(f->refs == 1 && f->off.gso_type == FRAME_GSO_NONE);
	if (parse_frame(f->data, f->len, false, &p) < 0 || !l4_whole(&p) ||
	    f->off.csum_start != p.l4 ||
	    f->off.csum_offset != l4_csum_offset(&p))
		return -EBADMSG;
	l4_put_sum(f->data, &p, sum_len(f->data, &p));
	f->off = (struct frame_offload){ 0 };
	return 0;
}

void
offload_shift(struct frame *f, int bytes)
{
	struct frame_offload *o = &f->off;
	int start = o->csum_start + bytes, hdr = o->hdr_len + bytes;

	if ((o->flags & FRAME_CSUM_PARTIAL) == 0)
		return;
	ASSERT(start >= ETH_HDR_LEN && start <= UINT16_MAX);
	ASSERT(hdr >= start && hdr <= UINT16_MAX);
	o->csum_start = (uint16_t)start;
	o->hdr_len = (uint16_t)hdr;
}

void
offload_fit(struct frame *f, const struct offload_output *out)
{
	struct frame *copy;

	if (offload_fits(f, out->caps, out->mtu)) {
		out->emit(out->arg, f);
		return;
	}
	if (!mtu_fits(f, out->mtu)) {
		out->drop(out->arg, f, DROP_MTU);
		return;
	}
	if (f->off.gso_type != FRAME_GSO_NONE) {
		offload_segment(f, out);
		return;
	}
	if (f->refs > 1) {
		copy = frame_copy(f);
		if (copy == NULL) {
			out->drop(out->arg, f, DROP_NO_FRAME);
			return;
		}
		frame_release(f);
		f = copy;
	}
	if (offload_complete(f) < 0) {
		out->drop(out->arg, f, DROP_CSUM_UNKNOWN);
		return;
	}
	out->emit(out->arg, f);
}

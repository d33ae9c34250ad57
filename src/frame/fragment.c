/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 fragmentation. See fragment.h. */
#include "frame/fragment.h"

#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "frame/csum.h"

#define IP4_HDR_MIN  20
#define IP4_HDR_MAX  60
#define IP4_DF       0x4000
#define IP4_MF       0x2000
#define IP4_OFFSET   0x1fff
#define IP4_OPT_END  0
#define IP4_OPT_NOP  1
#define IP4_OPT_COPY 0x80 /* in every fragment */
#define LLC_SNAP_LEN 8

/* The header of the pieces after the first: @out gets it. Return: its length */
static uint32_t
later_header(const uint8_t *ip, uint32_t hlen, uint8_t out[IP4_HDR_MAX])
{
	uint32_t at = IP4_HDR_MIN, len = IP4_HDR_MIN;

	memcpy(out, ip, IP4_HDR_MIN);
	while (at < hlen && ip[at] != IP4_OPT_END) {
		uint32_t size = 1;

		if (ip[at] != IP4_OPT_NOP) {
			if (hlen - at < 2 || ip[at + 1] < 2 ||
			    ip[at + 1] > hlen - at)
				break;
			size = ip[at + 1];
		}
		if ((ip[at] & IP4_OPT_COPY) != 0) {
			memcpy(out + len, ip + at, size);
			len += size;
		}
		at += size;
	}
	while (len % 4 != 0)
		out[len++] = IP4_OPT_END;
	return len;
}

static void
put_header(struct frame *f, uint32_t l3, uint32_t hlen, uint16_t frag)
{
	uint8_t *ip = f->data + l3;

	ip[0] = (uint8_t)(0x40 | hlen / 4);
	be16_put(ip + 2, (uint16_t)(f->len - l3));
	be16_put(ip + 6, frag);
	be16_put(ip + 10, 0);
	be16_put(ip + 10, (uint16_t)~csum_fold(csum_add(0, ip, hlen)));
	/* LLC and SNAP before it: then there is a length, not a type. */
	if (l3 >= ETH_HDR_LEN + LLC_SNAP_LEN) {
		uint8_t *len = f->data + l3 - LLC_SNAP_LEN - 2;

		if (be16_get(len) < ETH_TYPE_MIN)
			be16_put(len, (uint16_t)(f->len - l3 + LLC_SNAP_LEN));
	}
}

void
fragment4(struct frame *f, uint32_t l3, const struct offload_output *out)
{
	const uint8_t *ip = f->data + l3;
	uint32_t hlen = (uint32_t)(ip[0] & 15) * 4, total = be16_get(ip + 2);
	uint16_t field = be16_get(ip + 6);
	uint8_t later[IP4_HDR_MAX];
	uint32_t at = hlen, later_len;

	ASSERT(f->off.gso_type == FRAME_GSO_NONE);
	ASSERT(hlen >= IP4_HDR_MIN && total >= hlen && total <= f->len - l3);
	if (total <= out->mtu) {
		out->emit(out->arg, f);
		return;
	}
	if ((field & IP4_DF) != 0) {
		out->drop(out->arg, f, DROP_MTU_DF);
		return;
	}
	if (out->mtu < hlen + 8) {
		out->drop(out->arg, f, DROP_MTU);
		return;
	}
	if ((f->off.flags & FRAME_CSUM_PARTIAL) != 0) {
		struct frame *own = f->refs == 1 ? f : frame_copy(f);

		if (own == NULL) {
			out->drop(out->arg, f, DROP_NO_FRAME);
			return;
		}
		if (own != f)
			frame_release(f);
		f = own;
		if (offload_complete(f) < 0) {
			out->drop(out->arg, f, DROP_CSUM_UNKNOWN);
			return;
		}
		ip = f->data + l3;
	}
	later_len = later_header(ip, hlen, later);
	while (at < total) {
		uint32_t hdr = at == hlen ? hlen : later_len;
		uint32_t room = (out->mtu - hdr) & ~7u;
		uint32_t n = COAX_MIN(total - at, out->mtu - hdr);
		uint32_t offset = (field & IP4_OFFSET) + (at - hlen) / 8;
		bool more = (field & IP4_MF) != 0;
		struct frame *piece;

		if (n < total - at) {
			n = room;
			more = true;
		}
		piece = frame_alloc(f->pool, l3 + hdr + n);
		if (piece == NULL) {
			out->drop(out->arg, f, DROP_NO_FRAME);
			return;
		}
		memcpy(piece->data, f->data, l3);
		memcpy(piece->data + l3, at == hlen ? ip : later, hdr);
		memcpy(piece->data + l3 + hdr, ip + at, n);
		piece->len = l3 + hdr + n;
		put_header(piece, l3, hdr,
		    (uint16_t)((offset & IP4_OFFSET) | (more ? IP4_MF : 0)));
		out->emit(out->arg, piece);
		at += n;
	}
	frame_release(f);
}

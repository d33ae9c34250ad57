/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What offload.c and segment.c share: rewriting lengths and sums of a packet
 * whose headers have been parsed.  Private to src/frame.
 */
#pragma once

#include "base/bytes.h"
#include "frame/csum.h"
#include "frame/offload.h"
#include "frame/parse.h"

#define TCP_CSUM_OFFSET 16
#define UDP_CSUM_OFFSET 6
#define UDP_LEN_OFFSET  4
#define UDP_HDR_LEN     8
#define IP6_HDR_LEN     40
#define IP_LEN_MAX      65535u /* what the length field of an IP header holds */

#define TCP_FLAGS_OFFSET 13
#define TCP_FIN          0x01
#define TCP_SYN          0x02
#define TCP_RST          0x04
#define TCP_PSH          0x08
#define TCP_CWR          0x80

#define ICMP_CSUM_OFFSET 2
#define ICMP_HDR_LEN     4
#define SCTP_CSUM_OFFSET 8
#define SCTP_HDR_LEN     12

/* Where TCP or UDP keeps its checksum, from the start of its header. */
static inline uint16_t
l4_csum_offset(const struct parsed *p)
{
	return p->proto == IP_PROTO_TCP ? TCP_CSUM_OFFSET : UDP_CSUM_OFFSET;
}

/* True for a whole TCP or UDP packet, with its header inside the frame. */
static inline bool
l4_whole(const struct parsed *p)
{
	return p->l4_ok && !p->fragment && p->l4_hdr != 0;
}

/* What an output must take (OFFLOAD_CSUM*) to be given a partial sum behind
 * these headers. */
static inline uint32_t
l4_csum_need(const struct parsed *p)
{
	uint32_t need = p->ip == 6 ? OFFLOAD_CSUM6 : OFFLOAD_CSUM4;

	if (p->tags != 0 || (p->ip == 6 && p->l4 != p->l3 + IP6_HDR_LEN))
		need |= OFFLOAD_CSUM_ANY;
	return need;
}

static inline uint64_t
l4_pseudo(const uint8_t *data, const struct parsed *p, uint32_t l4_len)
{
	if (p->ip == 4)
		return csum_pseudo4(
		    data + p->src, data + p->dst, p->proto, l4_len);
	return csum_pseudo6(data + p->src, data + p->dst, p->proto, l4_len);
}

/* Makes the checksum field partial: it holds the pseudo-header's sum. */
static inline void
l4_put_seed(uint8_t *data, const struct parsed *p, uint32_t l4_len)
{
	be16_put(data + p->l4 + l4_csum_offset(p),
	    csum_fold(l4_pseudo(data, p, l4_len)));
}

/* Computes and stores the sum of the @l4_len bytes of TCP or UDP. */
static inline void
l4_put_sum(uint8_t *data, const struct parsed *p, uint32_t l4_len)
{
	uint8_t *field = data + p->l4 + l4_csum_offset(p);
	uint16_t sum;

	be16_put(field, 0);
	sum = (uint16_t)~csum_fold(
	    csum_add(l4_pseudo(data, p, l4_len), data + p->l4, l4_len));
	if (sum == 0 && p->proto == IP_PROTO_UDP)
		sum = 0xffff; /* 0 means "none" (RFC 768) */
	be16_put(field, sum);
}

/* Writes the sum of an IPv4 header. */
static inline void
ip4_put_sum(uint8_t *data, const struct parsed *p)
{
	uint8_t *ip = data + p->l3;

	be16_put(ip + 10, 0);
	be16_put(ip + 10,
	    (uint16_t)~csum_fold(csum_add(0, ip, (size_t)(p->l4 - p->l3))));
}

/* True if an IP packet that ends at @end can say so in its length field. */
static inline bool
ip_len_fits(const struct parsed *p, uint32_t end)
{
	return end - p->l3 - (p->ip == 6 ? IP6_HDR_LEN : 0u) <= IP_LEN_MAX;
}

/* Puts the length fields of IP and UDP right for a packet that ends at @end,
 * not the sums. */
static inline void
ip_put_len(uint8_t *data, const struct parsed *p, uint32_t end)
{
	uint8_t *ip = data + p->l3;

	if (p->ip == 4)
		be16_put(ip + 2, (uint16_t)(end - p->l3));
	else
		be16_put(ip + 4, (uint16_t)(end - p->l3 - IP6_HDR_LEN));
	if (p->proto == IP_PROTO_UDP)
		be16_put(
		    data + p->l4 + UDP_LEN_OFFSET, (uint16_t)(end - p->l4));
}

/* Segments a GSO frame whose segments respect @out->mtu; consumes @f. */
void offload_segment(struct frame *f, const struct offload_output *out);

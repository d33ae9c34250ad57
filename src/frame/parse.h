/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded walk over a frame's headers, to offsets.
 *
 * Nothing here trusts a length that the frame claims: every read is checked
 * against the bytes that are there, the IPv6 extension chain is walked for at
 * most PARSE_CHAIN_MAX bytes, tags for at most PARSE_TAGS_MAX.  Where a
 * bound ends the walk the frame is still a good frame: it has no l4 for us.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARSE_TAGS_MAX  8
#define PARSE_CHAIN_MAX 256 /* bytes of IPv6 extension headers */

/* Transport protocols that coax knows by name. */
#define IP_PROTO_ICMP  1
#define IP_PROTO_TCP   6
#define IP_PROTO_UDP   17
#define IP_PROTO_ICMP6 58
#define IP_PROTO_SCTP  132

struct parsed {
	uint16_t
	    ethertype;    /* after tags; host order; < 1536: an 802.3 length */
	uint16_t l3;      /* offset of the network header */
	uint8_t tags;     /* VLAN tags passed */
	uint8_t ip;       /* 4, 6 or 0 */
	uint8_t proto;    /* IP protocol at l4, valid when ip != 0 */
	bool fragment;    /* offset != 0 or more fragments (v6 atomic: false) */
	bool first;       /* of a fragmented packet: offset 0 */
	bool more;        /* more fragments follow */
	uint32_t frag_id; /* of a fragmented packet */
	uint16_t frag_at; /* its bytes before this fragment's */
	uint16_t frag_data; /* offset of this fragment's bytes in the frame */
	bool l4_ok;      /* l4 is the transport header and it begins inside */
	uint16_t l4;     /* offset of the transport header */
	uint32_t l4_len; /* bytes of L4 by the IP length fields, within frame */
	uint32_t ip_end; /* end of the IP packet by its length fields */
	uint16_t l4_hdr; /* TCP/UDP header bytes; 0 if not TCP/UDP or cut off */
	uint16_t src;    /* offset of the pseudo-header's source: the IP */
	uint16_t dst;    /* header's, or what IPv6 puts in its place (a home
	                  * address option; the final destination of a
	                  * routing header with segments left) */
};

/**
 * parse_frame() - fill @out from @len bytes at @data
 * @gso: the IP length field may be stale (super-frame): use the frame's length
 *
 * Return: 0, or -EBADMSG when not even the Ethernet header (with its tags) is
 * there or an IP header contradicts the frame; @out is filled as far as the
 * walk came in every case.
 */
int parse_frame(const uint8_t *data, size_t len, bool gso, struct parsed *out);

/**
 * parse_network() - the same from an IP header on
 * @out: ethertype and l3 say what is where, the rest is zero; filled
 *
 * Return: 0, or -EBADMSG: no such IP header is there, or it contradicts the
 * frame.
 */
int parse_network(
    const uint8_t *data, size_t len, bool gso, struct parsed *out);

/**
 * parse_tags() - how many VLAN tags lead @data; at most PARSE_TAGS_MAX
 *
 * A tag that is cut off is not counted.
 */
unsigned int parse_tags(const uint8_t *data, size_t len);

/**
 * parse_vid() - the outermost tag's VLAN identifier
 *
 * Return: 0 for untagged and for priority-tagged frames, 1 to 4094, 4095 as
 * it is; -EBADMSG if the Ethernet header or the tag is cut off.  0x8100 and
 * 0x88a8 are tags.
 */
int parse_vid(const uint8_t *data, size_t len);

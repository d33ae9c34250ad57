/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers to offsets: Ethernet and tags (IEEE 802.1Q), IPv4 (RFC 791), IPv6
 * and its extension headers (RFC 8200; AH: RFC 4302; routing types: RFC 5095,
 * 6275, 8754; home address option: RFC 6275, 6.3), TCP, UDP.
 */
#include "frame/parse.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/ether.h"

#define ETH_TYPE_9100 0x9100 /* stacked tags before 802.1ad */

#define IP4_HDR_MIN 20
#define IP6_HDR_LEN 40
#define TCP_HDR_MIN 20
#define UDP_HDR_LEN 8

/* IPv6 extension headers, as next-header numbers. */
#define EXT_HOPOPTS  0
#define EXT_ROUTING  43
#define EXT_FRAGMENT 44
#define EXT_AUTH     51
#define EXT_NONE     59
#define EXT_DSTOPTS  60
#define EXT_MOBILITY 135

#define ROUTING_SOURCE  0 /* deprecated; the last address is the final one */
#define ROUTING_HOME    2 /* mobile IPv6: one address */
#define ROUTING_SEGMENT 4 /* SRv6: the list is backwards */

#define OPT_PAD1 0
#define OPT_HOME 0xc9 /* home address */

static bool
is_tag(uint16_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ ||
	       type == ETH_TYPE_9100;
}

unsigned int
parse_tags(const uint8_t *data, size_t len)
{
	unsigned int tags = 0;

	/* The type field after n tags is at 12 + 4 n and has 2 bytes. */
	while (tags < PARSE_TAGS_MAX &&
	       len >= ETH_HDR_LEN + ETH_VLAN_LEN * (tags + 1u) &&
	       is_tag(be16_get(data + ETH_HDR_LEN - 2 + ETH_VLAN_LEN * tags)))
		tags++;
	return tags;
}

int
parse_vid(const uint8_t *data, size_t len)
{
	uint16_t type;

	if (len < ETH_HDR_LEN)
		return -EBADMSG;
	type = be16_get(data + ETH_HDR_LEN - 2);
	if (type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ)
		return 0;
	if (len < ETH_HDR_LEN + ETH_VLAN_LEN)
		return -EBADMSG;
	return be16_get(data + ETH_HDR_LEN) & 0xfff;
}

/* At the transport header: p->l4, p->proto and p->ip_end are set. */
static int
parse_l4(const uint8_t *data, struct parsed *p)
{
	const uint8_t *l4 = data + p->l4;
	uint16_t hdr = 0;

	p->l4_len = p->ip_end - p->l4;
	p->l4_ok = p->l4_len != 0;
	if (p->proto == IP_PROTO_UDP && p->l4_len >= UDP_HDR_LEN)
		hdr = UDP_HDR_LEN;
	else if (p->proto == IP_PROTO_TCP && p->l4_len >= TCP_HDR_MIN)
		hdr = (uint16_t)((l4[12] >> 4) * 4);
	if (hdr > p->l4_len || (p->proto == IP_PROTO_TCP && hdr < TCP_HDR_MIN))
		hdr = 0;
	p->l4_hdr = hdr;
	return 0;
}

static int
parse_ip4(const uint8_t *data, size_t len, bool gso, struct parsed *p)
{
	const uint8_t *ip = data + p->l3;
	uint32_t avail = (uint32_t)len - p->l3;
	uint32_t hdr, total;
	uint16_t frag;

	if (avail < IP4_HDR_MIN || ip[0] >> 4 != 4)
		return -EBADMSG;
	hdr = (ip[0] & 0xfu) * 4;
	total = gso ? avail : be16_get(ip + 2);
	if (hdr < IP4_HDR_MIN || hdr > total || total > avail)
		return -EBADMSG;
	frag = be16_get(ip + 6);
	p->ip = 4;
	p->proto = ip[9];
	p->fragment = (frag & 0x3fff) != 0; /* an offset, or more to come */
	p->first = p->fragment && (frag & 0x1fff) == 0;
	p->more = (frag & 0x2000) != 0;
	p->frag_id = be16_get(ip + 4);
	p->frag_at = (uint16_t)((frag & 0x1fff) * 8);
	p->frag_data = (uint16_t)(p->l3 + hdr);
	p->src = (uint16_t)(p->l3 + 12);
	p->dst = (uint16_t)(p->l3 + 16);
	p->l4 = (uint16_t)(p->l3 + hdr);
	p->ip_end = p->l3 + total;
	if ((frag & 0x1fff) != 0) {
		p->l4_len = p->ip_end - p->l4;
		return 0;
	}
	return parse_l4(data, p);
}

/* Looks for a home address among the @len bytes of options at @at. */
static void
parse_dstopts(const uint8_t *data, uint32_t at, uint32_t len, struct parsed *p)
{
	uint32_t end = at + len;

	while (at < end) {
		if (data[at] == OPT_PAD1) {
			at++;
			continue;
		}
		if (end - at < 2 || data[at + 1] > end - at - 2)
			return;
		if (data[at] == OPT_HOME && data[at + 1] == 16)
			p->src = (uint16_t)(at + 2);
		at += 2u + data[at + 1];
	}
}

/*
 * The routing header of @len bytes at @at: where the packet goes in the end.
 * False if it goes on from here in a way that we do not know.
 */
static bool
parse_routing(const uint8_t *data, uint32_t at, uint32_t len, struct parsed *p)
{
	if (data[at + 3] == 0) /* segments left */
		return true;
	if (len < 8 + 16)
		return false;
	switch (data[at + 2]) {
	case ROUTING_SOURCE:
	case ROUTING_HOME:
		p->dst = (uint16_t)(at + len - 16);
		return true;
	case ROUTING_SEGMENT:
		p->dst = (uint16_t)(at + 8);
		return true;
	default:
		return false;
	}
}

static int
parse_ip6(const uint8_t *data, size_t len, bool gso, struct parsed *p)
{
	const uint8_t *ip = data + p->l3;
	uint32_t avail = (uint32_t)len - p->l3;
	uint32_t at, payload, ext;
	bool known = true;
	uint8_t next;

	if (avail < IP6_HDR_LEN || ip[0] >> 4 != 6)
		return -EBADMSG;
	payload = gso ? avail - IP6_HDR_LEN : be16_get(ip + 4);
	if (payload > avail - IP6_HDR_LEN)
		return -EBADMSG;
	p->ip = 6;
	p->src = (uint16_t)(p->l3 + 8);
	p->dst = (uint16_t)(p->l3 + 24);
	at = p->l3 + IP6_HDR_LEN;
	p->ip_end = at + payload;
	next = ip[6];
	for (;;) {
		p->proto = next;
		p->l4 = (uint16_t)at;
		p->l4_len = p->ip_end - at;
		switch (next) {
		case EXT_HOPOPTS:
		case EXT_ROUTING:
		case EXT_FRAGMENT:
		case EXT_AUTH:
		case EXT_DSTOPTS:
		case EXT_MOBILITY:
			break;
		case EXT_NONE:
			return 0;
		default:
			return known ? parse_l4(data, p) : 0;
		}
		/* A first fragment may end within the chain, nothing else. */
		if (p->ip_end - at < 8)
			return p->fragment ? 0 : -EBADMSG;
		if (next == EXT_FRAGMENT)
			ext = 8;
		else if (next == EXT_AUTH)
			ext = (data[at + 1] + 2u) * 4;
		else
			ext = (data[at + 1] + 1u) * 8;
		if (ext > p->ip_end - at)
			return p->fragment ? 0 : -EBADMSG;
		if (at + ext > p->l3 + (uint32_t)IP6_HDR_LEN + PARSE_CHAIN_MAX)
			return 0;
		if (next == EXT_FRAGMENT) {
			uint16_t frag = be16_get(data + at + 2);

			/* The low bits: two reserved, then "more". */
			if ((frag & 0xfff9) != 0) {
				p->fragment = true;
				p->first = (frag & 0xfff8) == 0;
				p->more = (frag & 1) != 0;
				p->frag_id = be32_get(data + at + 4);
				p->frag_at = frag & 0xfff8;
				p->frag_data = (uint16_t)(at + ext);
			}
			if ((frag & 0xfff8) != 0) {
				p->proto = data[at];
				p->l4 = (uint16_t)(at + ext);
				p->l4_len = p->ip_end - p->l4;
				return 0;
			}
		} else if (next == EXT_ROUTING) {
			known = parse_routing(data, at, ext, p) && known;
		} else if (next == EXT_DSTOPTS) {
			parse_dstopts(data, at + 2, ext - 2, p);
		}
		next = data[at];
		at += ext;
	}
}

int
parse_network(const uint8_t *data, size_t len, bool gso, struct parsed *out)
{
	if (out->l3 > len)
		return -EBADMSG;
	if (out->ethertype == ETH_TYPE_IPV4)
		return parse_ip4(data, len, gso, out);
	if (out->ethertype == ETH_TYPE_IPV6)
		return parse_ip6(data, len, gso, out);
	return 0;
}

int
parse_frame(const uint8_t *data, size_t len, bool gso, struct parsed *out)
{
	*out = (struct parsed){ 0 };
	if (len < ETH_HDR_LEN)
		return -EBADMSG;
	out->tags = (uint8_t)parse_tags(data, len);
	out->l3 = (uint16_t)(ETH_HDR_LEN + ETH_VLAN_LEN * out->tags);
	out->ethertype = be16_get(data + out->l3 - 2);
	if (is_tag(out->ethertype)) /* one too many, or cut off */
		return out->tags == PARSE_TAGS_MAX ? 0 : -EBADMSG;
	return parse_network(data, len, gso, out);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* EtherIP, RFC 3378. See etherip.h. */
#include "frame/etherip.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "frame/parse.h"

#define IPV4_HDR_MIN 20
#define IPV4_SRC_AT  12
#define IPV4_DST_AT  16
#define IPV6_HDR_LEN 40
#define IPV6_SRC_AT  8
#define IPV6_DST_AT  24

static bool
version_good(uint8_t first, bool accept_reversed)
{
	return first >> 4 == ETHERIP_VERSION ||
	       (accept_reversed && (first & 0xf) == ETHERIP_VERSION);
}

int
etherip_decap(const uint8_t *data, size_t len,
    const struct etherip_rules *rules, enum drop_reason *why)
{
	size_t at = 0;

	*why = DROP_ETHERIP_SHORT;
	if (rules->family == 4) {
		if (len < IPV4_HDR_MIN || data[0] >> 4 != 4)
			return -EBADMSG;
		at = (data[0] & 0xfu) * 4u;
		if (at < IPV4_HDR_MIN || at > len)
			return -EBADMSG;
		if (rules->src != NULL &&
		    memcmp(data + IPV4_SRC_AT, rules->src, 4) != 0) {
			*why = DROP_ETHERIP_STRANGER;
			return -EBADMSG;
		}
	}
	if (len - at < ETHERIP_HDR_LEN)
		return -EBADMSG;
	if (!version_good(data[at], rules->accept_reversed)) {
		*why = DROP_ETHERIP_VERSION;
		return -EBADMSG;
	}
	at += ETHERIP_HDR_LEN;
	if (len - at < ETH_HDR_LEN)
		return -EBADMSG;
	return (int)at;
}

bool
etherip_perhaps(const uint8_t *frame, size_t len)
{
	uint16_t type;

	if (len < ETH_HDR_LEN + IPV4_HDR_MIN)
		return false;
	type = be16_get(frame + 2 * ETH_ADDR_LEN);
	if (type == ETH_TYPE_IPV4)
		return frame[ETH_HDR_LEN + 9] == ETHERIP_PROTO;
	/* IPv6 may have other headers before it, VLANs anything behind. */
	if (type == ETH_TYPE_IPV6)
		return frame[ETH_HDR_LEN + 6] != IP_PROTO_TCP &&
		       frame[ETH_HDR_LEN + 6] != IP_PROTO_UDP;
	return parse_tags(frame, len) > 0;
}

int
etherip_next(const uint8_t *frame, size_t len, struct etherip_pair *out)
{
	struct etherip_pair pair = { 0 };
	const uint8_t *ip;
	struct parsed p;
	size_t at;

	if (parse_frame(frame, len, false, &p) != 0 || p.ip == 0 ||
	    p.proto != ETHERIP_PROTO)
		return -ENOENT;
	ip = frame + p.l3;
	pair.family = p.ip;
	if (p.ip == 4) {
		if (len - p.l3 < IPV4_HDR_MIN)
			return -ENOENT;
		memcpy(pair.src, ip + IPV4_SRC_AT, 4);
		memcpy(pair.dst, ip + IPV4_DST_AT, 4);
	} else {
		if (len - p.l3 < IPV6_HDR_LEN)
			return -ENOENT;
		memcpy(pair.src, ip + IPV6_SRC_AT, 16);
		memcpy(pair.dst, ip + IPV6_DST_AT, 16);
	}
	*out = pair;
	if (!p.l4_ok || (p.fragment && !p.first))
		return 0;
	at = (size_t)p.l4 + ETHERIP_HDR_LEN;
	if (at > len || len - at < ETH_HDR_LEN)
		return 0;
	return (int)at;
}

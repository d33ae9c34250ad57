/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers to what a rule refuses: TCP resets (RFC 9293, 3.10.7.1) and ICMP
 * errors (RFC 792, RFC 4443).
 *
 * An answer goes back the way the packet came, with its tags, as if from the
 * one that it was for: a bridge has no address of its own.
 *
 * None is sent to a group or from one, to anything but a first fragment, to a
 * reset, or to ICMP that is no question (RFC 1122, 3.2.2); and not more than
 * net.inet.ip.fw.answer_limit in a second.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "frame/csum.h"
#include "frame/l4.h"
#include "frame/parse.h"
#include "pfil/ipfw.h"

#define TTL          64
#define IP4_HDR_LEN  20
#define TCP_HDR_LEN  20
#define ICMP_ERR_LEN 8
#define QUOTE4_MAX   (576u - IP4_HDR_LEN - ICMP_ERR_LEN)
#define QUOTE6_MAX   (1280u - IP6_HDR_LEN - ICMP_ERR_LEN)
#define TCP_ACK      0x10
#define NEEDFRAG     4

/* Is that ICMP a question? */
static bool
icmp_asks(const struct parsed *ip, uint8_t type)
{
	if (ip->ip == 6)
		return (type & 0x80) != 0;
	return type == 8 || type == 13 || type == 15 || type == 17;
}

static bool
may_answer(const struct frame *f, const struct parsed *ip)
{
	const uint8_t *l3 = f->data + ip->l3, *l4 = f->data + ip->l4;

	if (ip->ip == 0 || ether_is_multicast(f->data) ||
	    ether_is_multicast(f->data + ETH_ADDR_LEN) ||
	    (ip->fragment && !ip->first))
		return false;
	/* 0/8, 127/8, groups and 240/4; ::, groups. */
	if (ip->ip == 4 &&
	    (l3[12] == 0 || l3[12] == 127 || l3[12] >= 224 || l3[16] >= 224))
		return false;
	if (ip->ip == 6 &&
	    (l3[8] == 0xff || l3[24] == 0xff ||
	        (be64_get(l3 + 8) == 0 && be64_get(l3 + 16) == 0)))
		return false;
	if (!ip->l4_ok)
		return true;
	if (ip->proto == IP_PROTO_ICMP || ip->proto == IP_PROTO_ICMP6)
		return ip->l4_len >= 1 && icmp_asks(ip, l4[0]);
	return true;
}

/* The answer's frame up to its IP header, and that; @len: behind it. */
static struct frame *
begin(const struct pfil_packet *p, const struct parsed *ip, uint8_t proto,
    uint32_t len)
{
	const struct frame *f = p->frame;
	uint32_t hdr = ip->ip == 4 ? IP4_HDR_LEN : (uint32_t)IP6_HDR_LEN;
	const uint8_t *from = f->data + ip->l3;
	struct frame *a = frame_alloc(f->pool, ip->l3 + hdr + len);
	uint8_t *l3;

	if (a == NULL)
		return NULL;
	a->len = ip->l3 + hdr + len;
	memcpy(a->data, f->data, ip->l3); /* tags, SNAP */
	ether_copy(a->data, f->data + ETH_ADDR_LEN);
	ether_copy(a->data + ETH_ADDR_LEN, f->data);
	if (ip->l3 >= ETH_HDR_LEN + 8 &&
	    be16_get(a->data + ip->l3 - 10) < ETH_TYPE_MIN)
		be16_put(a->data + ip->l3 - 10, (uint16_t)(hdr + len + 8));
	l3 = a->data + ip->l3;
	memset(l3, 0, hdr + len);
	if (ip->ip == 4) {
		l3[0] = 0x45;
		be16_put(l3 + 2, (uint16_t)(hdr + len));
		l3[8] = TTL;
		l3[9] = proto;
		memcpy(l3 + 12, from + 16, 4);
		memcpy(l3 + 16, from + 12, 4);
		be16_put(l3 + 10, (uint16_t)~csum_fold(csum_add(0, l3, hdr)));
	} else {
		l3[0] = 0x60;
		be16_put(l3 + 4, (uint16_t)len);
		l3[6] = proto;
		l3[7] = TTL;
		memcpy(l3 + 8, from + 24, 16);
		memcpy(l3 + 24, from + 8, 16);
	}
	return a;
}

static struct frame *
make_reset(const struct pfil_packet *p, const struct parsed *ip)
{
	const uint8_t *tcp = p->frame->data + ip->l4;
	uint8_t flags = tcp[TCP_FLAGS_OFFSET], *to;
	uint32_t data = ip->l4_len - ip->l4_hdr;
	struct frame *a;
	uint64_t sum;

	if ((flags & TCP_RST) != 0)
		return NULL;
	a = begin(p, ip, IP_PROTO_TCP, TCP_HDR_LEN);
	if (a == NULL)
		return NULL;
	to = a->data + a->len - TCP_HDR_LEN;
	memcpy(to, tcp + 2, 2);
	memcpy(to + 2, tcp, 2);
	if ((flags & TCP_ACK) != 0) {
		memcpy(to + 4, tcp + 8, 4); /* where he expects us to be */
		to[TCP_FLAGS_OFFSET] = TCP_RST;
	} else {
		data += (uint32_t)((flags & TCP_SYN) != 0) +
		        (uint32_t)((flags & TCP_FIN) != 0);
		be32_put(to + 8, be32_get(tcp + 4) + data);
		to[TCP_FLAGS_OFFSET] = TCP_RST | TCP_ACK;
	}
	to[12] = TCP_HDR_LEN / 4 << 4;
	sum = ip->ip == 4
	          ? csum_pseudo4(a->data + ip->l3 + 12, a->data + ip->l3 + 16,
	                IP_PROTO_TCP, TCP_HDR_LEN)
	          : csum_pseudo6(a->data + ip->l3 + 8, a->data + ip->l3 + 24,
	                IP_PROTO_TCP, TCP_HDR_LEN);
	be16_put(to + TCP_CSUM_OFFSET,
	    (uint16_t)~csum_fold(csum_add(sum, to, TCP_HDR_LEN)));
	return a;
}

static struct frame *
make_error(const struct pfil_packet *p, const struct parsed *ip, uint8_t code)
{
	bool v4 = ip->ip == 4;
	uint32_t quote =
	    COAX_MIN(ip->ip_end - ip->l3, v4 ? QUOTE4_MAX : QUOTE6_MAX);
	struct frame *a = begin(
	    p, ip, v4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6, ICMP_ERR_LEN + quote);
	uint64_t sum = 0;
	uint8_t *to;

	if (a == NULL)
		return NULL;
	to = a->data + a->len - ICMP_ERR_LEN - quote;
	to[0] = v4 ? 3 : 1;
	to[1] = code;
	if (v4 && code == NEEDFRAG)
		be16_put(to + 6, (uint16_t)COAX_MIN(p->ifp->mtu, 65535u));
	memcpy(to + ICMP_ERR_LEN, p->frame->data + ip->l3, quote);
	if (!v4)
		sum = csum_pseudo6(a->data + ip->l3 + 8, a->data + ip->l3 + 24,
		    IP_PROTO_ICMP6, ICMP_ERR_LEN + quote);
	be16_put(to + ICMP_CSUM_OFFSET,
	    (uint16_t)~csum_fold(csum_add(sum, to, ICMP_ERR_LEN + quote)));
	return a;
}

void
ipfw_answer(struct ipfw *fw, const struct ipfw_rule *rule,
    const struct pfil_packet *p, const struct parsed *ip)
{
	enum ipfw_action action = rule->head.action;
	struct frame *a = NULL;
	uint64_t held = 0;

	if (!may_answer(p->frame, ip))
		return;
	if (fw->settings[IPFW_ICMP_LIMIT] != 0 &&
	    !ratelimit_allow(&fw->answers, fw->net->now_ns, &held)) {
		fw->unanswered++;
		return;
	}
	if (action == IPFW_RESET || action == IPFW_RESET6) {
		/* For whom it is not, as BSD: a plain deny. */
		if (ip->proto == IP_PROTO_TCP && l4_whole(ip) &&
		    (action == IPFW_RESET6) <= (ip->ip == 6))
			a = make_reset(p, ip);
	} else if (action == IPFW_UNREACH6) {
		if (ip->ip == 6)
			a = make_error(p, ip, (uint8_t)rule->head.arg);
	} else {
		uint8_t code = action == IPFW_REJECT ? 1 /* host */
		                                     : (uint8_t)rule->head.arg;

		/* Of IPv6, reject and unreach say: no route. */
		a = make_error(p, ip, ip->ip == 4 ? code : 0);
	}
	if (a == NULL)
		return;
	fw->answered++;
	pfil_answer(fw->net, a, &p->where);
}

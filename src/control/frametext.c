/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame in words; frametext.h says what for.
 *
 * What is known by name: VLAN tags, ARP, IPv4 and IPv6 with fragments, TCP,
 * UDP, ICMP and ICMPv6, spanning tree.  Of the rest, numbers.
 */
#include "control/frametext.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "frame/parse.h"
#include "stp/bpdu.h"

#define INDENT       4
#define PROTO_ICMP   1
#define PROTO_ICMPV6 58
#define BYTES_SHOWN  16 /* of a frame without a header */

/* Text that is broken between words. */
struct fold {
	struct text *out;
	unsigned int col; /* 0: the line has not begun */
};

static void
fold_word(struct fold *o, const char *word, size_t len)
{
	if (o->col != 0 && o->col + 1 + len > FRAMETEXT_WIDTH) {
		text_puts(o->out, "\n");
		o->col = 0;
	}
	if (o->col == 0) {
		text_printf(o->out, "%*s", INDENT, "");
		o->col = INDENT;
	} else {
		text_puts(o->out, " ");
		o->col++;
	}
	text_putn(o->out, word, len);
	o->col += (unsigned int)len;
}

static void
fold_words(struct fold *o, const char *s)
{
	while (*s != '\0') {
		size_t len = strcspn(s, " ");

		if (len != 0)
			fold_word(o, s, len);
		s += len;
		s += strspn(s, " ");
	}
}

static void COAX_PRINTF(2, 3) fold_printf(struct fold *o, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	fold_words(o, buf);
}

static void
fold_end(struct fold *o)
{
	if (o->col != 0)
		text_puts(o->out, "\n");
	o->col = 0;
}

void
frametext_note(const char *note, struct text *out)
{
	struct fold o = { .out = out };
	char clean[256];
	size_t n = 0;

	/* Ours, but by way of a stream. */
	for (; note[n] != '\0' && n < sizeof(clean) - 1; n++)
		clean[n] = isprint((unsigned char)note[n]) ? note[n] : '?';
	clean[n] = '\0';
	fold_words(&o, clean);
	fold_end(&o);
}

/* --- the first line ---------------------------------------------------------
 */

struct name {
	uint32_t number;
	const char *name;
};

static const struct name types[] = {
	{ ETH_TYPE_IPV4, "IPv4" },
	{ ETH_TYPE_IPV6, "IPv6" },
	{ ETH_TYPE_ARP, "ARP" },
	{ ETH_TYPE_RARP, "RARP" },
	{ ETH_TYPE_PAUSE, "flow control" },
	{ ETH_TYPE_SLOW, "LACP" },
	{ ETH_TYPE_MPLS, "MPLS" },
	{ ETH_TYPE_EAPOL, "802.1X" },
	{ ETH_TYPE_LLDP, "LLDP" },
	{ ETH_TYPE_LOOP, "loopback" },
	{ 0x8863, "PPPoE" },
	{ 0x8864, "PPPoE" },
	{ 0, NULL },
};

/* NULL: it has none. */
static const char *
name_of(const struct name *names, uint32_t number)
{
	for (; names->name != NULL; names++) {
		if (names->number == number)
			return names->name;
	}
	return NULL;
}

static void
put_type(const struct parsed *p, struct text *out)
{
	const char *name = name_of(types, p->ethertype);

	if (name != NULL)
		text_puts(out, name);
	else if (p->ethertype < ETH_TYPE_MIN)
		text_puts(out, "802.3");
	else
		text_printf(out, "0x%04x", p->ethertype);
}

/* --- inside -----------------------------------------------------------------
 */

static void
put_tags(const uint8_t *data, const struct parsed *p, struct fold *o)
{
	for (unsigned int i = 0; i < p->tags; i++) {
		const uint8_t *tag = data + ETH_HDR_LEN - 2 + 4 * i;
		uint16_t type = be16_get(tag), tci = be16_get(tag + 2);

		fold_printf(o, "%svlan %u%s",
		    type == ETH_TYPE_QINQ ? "802.1ad " : "", tci & 0xfffu,
		    i + 1u < p->tags || tci >> 13 != 0 ? "," : ":");
		if (tci >> 13 != 0)
			fold_printf(o, "priority %u%s", tci >> 13,
			    i + 1u < p->tags ? "," : ":");
	}
}

static void
put_arp(struct rd r, struct fold *o)
{
	char a[INET_ADDRSTRLEN], b[INET_ADDRSTRLEN], mac[ETH_ADDR_STRLEN];
	uint16_t hardware = rd_be16(&r), protocol = rd_be16(&r);
	uint8_t hlen = rd_u8(&r), plen = rd_u8(&r);
	uint16_t op = rd_be16(&r);
	const uint8_t *sha, *spa, *tha, *tpa;

	if (!rd_ok(&r) || hardware != 1 || protocol != ETH_TYPE_IPV4 ||
	    hlen != 6 || plen != 4) {
		fold_printf(o, "of another kind, or cut off");
		return;
	}
	sha = rd_bytes(&r, 6);
	spa = rd_bytes(&r, 4);
	tha = rd_bytes(&r, 6);
	tpa = rd_bytes(&r, 4);
	if (!rd_ok(&r)) {
		fold_printf(o, "cut off");
		return;
	}
	(void)inet_ntop(AF_INET, spa, a, sizeof(a));
	(void)inet_ntop(AF_INET, tpa, b, sizeof(b));
	if (op == 1)
		fold_printf(o, "who has %s? tell %s", b, a);
	else if (op == 2)
		fold_printf(o, "%s is at %s", a, ether_format(sha, mac));
	else if (op == 3)
		fold_printf(o, "who is %s?", ether_format(tha, mac));
	else if (op == 4)
		fold_printf(o, "%s is %s", ether_format(tha, mac), b);
	else
		fold_printf(o, "operation %u", op);
}

static void
put_tcp(struct rd r, uint32_t payload, struct fold *o)
{
	static const char *const flags[] = { "FIN", "SYN", "RST", "PSH", "ACK",
		"URG", "ECE", "CWR" };
	uint32_t seq, ack;
	uint16_t window;
	uint8_t set;

	rd_skip(&r, 4);
	seq = rd_be32(&r);
	ack = rd_be32(&r);
	rd_skip(&r, 1);
	set = rd_u8(&r);
	window = rd_be16(&r);
	fold_printf(o, "TCP");
	if (!rd_ok(&r)) {
		fold_printf(o, "cut off");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if ((set >> i & 1) != 0)
			fold_printf(o, "%s", flags[i]);
	}
	fold_printf(o, "seq %u", seq);
	if ((set & 0x10) != 0)
		fold_printf(o, "ack %u", ack);
	fold_printf(o, "win %u len %u", window, payload);
}

static const struct name icmp_types[] = {
	{ 0, "echo reply" },
	{ 3, "unreachable" },
	{ 5, "redirect" },
	{ 8, "echo request" },
	{ 11, "time exceeded" },
	{ 12, "parameter problem" },
	{ 0, NULL },
};

static const struct name icmp6_types[] = {
	{ 1, "unreachable" },
	{ 2, "packet too big" },
	{ 3, "time exceeded" },
	{ 4, "parameter problem" },
	{ 128, "echo request" },
	{ 129, "echo reply" },
	{ 130, "multicast listener query" },
	{ 131, "multicast listener report" },
	{ 132, "multicast listener done" },
	{ 133, "router solicitation" },
	{ 134, "router advertisement" },
	{ 135, "who has" },
	{ 136, "neighbour is" },
	{ 143, "multicast listener report v2" },
	{ 0, NULL },
};

static void
put_icmp(struct rd r, uint8_t proto, struct fold *o)
{
	bool six = proto == PROTO_ICMPV6;
	uint8_t type = rd_u8(&r), code = rd_u8(&r);
	const char *name = name_of(six ? icmp6_types : icmp_types, type);
	char target[INET6_ADDRSTRLEN];
	const uint8_t *at;
	uint16_t id, seq;

	fold_printf(o, six ? "ICMPv6" : "ICMP");
	if (!rd_ok(&r)) {
		fold_printf(o, "cut off");
		return;
	}
	if (name != NULL)
		fold_printf(o, "%s", name);
	else
		fold_printf(o, "type %u", type);
	rd_skip(&r, 2);
	id = rd_be16(&r);
	seq = rd_be16(&r);
	at = rd_bytes(&r, 16);
	if (six && (type == 135 || type == 136)) {
		if (at != NULL)
			fold_printf(o, "%s",
			    inet_ntop(AF_INET6, at, target, sizeof(target)));
	} else if (six ? type == 128 || type == 129 : type == 0 || type == 8) {
		fold_printf(o, "id %u seq %u", id, seq);
	} else if (code != 0) {
		fold_printf(o, "code %u", code);
	}
}

/* Bytes behind the transport header, by what the packet says of its length,
 * and by the frame's where it says nothing: a super-frame. */
static uint32_t
payload_of(const uint8_t *data, const struct parsed *p, uint32_t len)
{
	const uint8_t *ip = data + p->l3;
	uint32_t said = p->ip == 4 ? be16_get(ip + 2) : be16_get(ip + 4);
	uint32_t end = p->l3 + said + (p->ip == 4 ? 0u : 40u);
	uint32_t begin = p->l4 + (uint32_t)p->l4_hdr;

	if (said == 0 || end > len)
		end = len;
	return end > begin ? end - begin : 0;
}

static void
put_ports(const struct parsed *p, const char *src, const char *dst, struct rd r,
    struct fold *o)
{
	uint16_t from = rd_be16(&r), to = rd_be16(&r);
	char separator = p->ip == 6 ? '.' : ':';

	if (p->l4_ok && p->l4_hdr != 0)
		fold_printf(o, "%s%c%u > %s%c%u", src, separator, from, dst,
		    separator, to);
	else
		fold_printf(o, "%s > %s", src, dst);
}

static void
put_ip(const uint8_t *data, uint32_t kept, uint32_t len, const struct parsed *p,
    struct fold *o)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const uint8_t *ip = data + p->l3;
	struct rd r = rd_init(data, kept);

	rd_skip(&r, p->l4);
	if (p->ip == 4) {
		(void)inet_ntop(AF_INET, ip + 12, src, sizeof(src));
		(void)inet_ntop(AF_INET, ip + 16, dst, sizeof(dst));
	} else {
		(void)inet_ntop(AF_INET6, ip + 8, src, sizeof(src));
		(void)inet_ntop(AF_INET6, ip + 24, dst, sizeof(dst));
	}
	put_ports(p, src, dst, r, o);
	if (p->fragment)
		fold_printf(o, p->first ? "first fragment," : "fragment,");
	if (!p->l4_ok) {
		fold_printf(o, "protocol %u", p->proto);
		return;
	}
	switch (p->proto) {
	case IP_PROTO_TCP:
		put_tcp(r, payload_of(data, p, len), o);
		break;
	case IP_PROTO_UDP:
		if (p->l4_hdr != 0)
			fold_printf(o, "UDP len %u", payload_of(data, p, len));
		else
			fold_printf(o, "UDP cut off");
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		put_icmp(r, p->proto, o);
		break;
	default:
		fold_printf(o, "protocol %u", p->proto);
		break;
	}
}

static void
put_bridge_id(uint64_t id, struct fold *o)
{
	char text[ETH_ADDR_STRLEN];
	uint8_t mac[ETH_ADDR_LEN];

	u64_to_mac(id, mac);
	fold_printf(
	    o, "%u.%s", (unsigned int)(id >> 48), ether_format(mac, text));
}

/* @at: the length field. */
static void
put_llc(const uint8_t *data, uint32_t kept, uint32_t at, struct fold *o)
{
	struct rd r = rd_init(data + at + 2, kept - at - 2);
	uint8_t dsap = rd_u8(&r), ssap = rd_u8(&r);
	struct stp_bpdu b;

	rd_skip(&r, 1);
	if (dsap != 0x42 || ssap != 0x42 || !rd_ok(&r)) {
		fold_printf(o, "LLC %02x to %02x", ssap, dsap);
		return;
	}
	fold_printf(o, "spanning tree:");
	if (stp_bpdu_decode(r.p, r.left, &b) != 0) {
		fold_printf(o, "not a BPDU that is known");
		return;
	}
	if (b.type == STP_BPDU_TCN) {
		fold_printf(o, "topology change notification");
		return;
	}
	fold_printf(
	    o, b.type == STP_BPDU_RST ? "rapid, root" : "configuration, root");
	put_bridge_id(b.root_id, o);
	fold_printf(o, "cost %u, bridge", b.root_path_cost);
	put_bridge_id(b.bridge_id, o);
	fold_printf(o, "port %u", b.port_id & 0xfffu);
}

static void
put_bytes(const uint8_t *data, uint32_t kept, uint32_t len, struct text *out)
{
	text_printf(out, "%u bytes, no Ethernet header\n", len);
	if (kept == 0)
		return;
	text_printf(out, "%*s", INDENT, "");
	for (uint32_t i = 0; i < kept && i < BYTES_SHOWN; i++)
		text_printf(out, "%s%02x", i > 0 ? " " : "", data[i]);
	text_puts(out, "\n");
}

void
frametext(const uint8_t *data, uint32_t kept, uint32_t len, struct text *out)
{
	char src[ETH_ADDR_STRLEN], dst[ETH_ADDR_STRLEN];
	struct fold o = { .out = out };
	struct parsed p;

	if (kept < ETH_HDR_LEN) {
		put_bytes(data, kept, len, out);
		return;
	}
	/* What was kept may be less than what the headers speak of. */
	(void)parse_frame(data, kept, true, &p);
	text_printf(out, "%s > %s %5u ", ether_format(data + 6, src),
	    ether_format(data, dst), len);
	put_type(&p, out);
	text_puts(out, "\n");
	put_tags(data, &p, &o);
	if (p.ip != 0)
		put_ip(data, kept, len, &p, &o);
	else if (p.ethertype == ETH_TYPE_ARP || p.ethertype == ETH_TYPE_RARP)
		put_arp(rd_init(data + p.l3, kept - p.l3), &o);
	else if (p.ethertype == ETH_TYPE_IPV4 || p.ethertype == ETH_TYPE_IPV6)
		fold_printf(&o, "its header is cut off or not in order");
	else if (p.ethertype < ETH_TYPE_MIN)
		put_llc(data, kept, p.l3 - 2u, &o);
	fold_end(&o);
}

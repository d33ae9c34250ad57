/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame in words; see frame_words.h.
 *
 * The payload is built first, into a buffer of its own, because addresses and
 * tags may be said after it.
 */
#include "control/frame_words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/util.h"
#include "base/vlanset.h"
#include "frame/csum.h"

#define TAGS_MAX    16
#define PAYLOAD_MAX 256
#define HOPS        64

#define PROTO_ICMP  1
#define PROTO_TCP   6
#define PROTO_UDP   17
#define PROTO_ICMP6 58

struct ip {
	int family; /* AF_INET, AF_INET6 */
	uint8_t bytes[16];
	uint16_t port;
};

struct words {
	const char *const *words;
	uint32_t count, next;
	struct sbuf *why;
	uint8_t src[ETH_ADDR_LEN], dst[ETH_ADDR_LEN];
	bool has_dst;
	struct {
		uint16_t tpid, tci;
	} tags[TAGS_MAX];
	uint32_t tag_count;
	uint32_t len; /* asked for; 0: as it comes */
	/* What was said: type and payload. */
	bool said;
	uint16_t type;
	uint8_t payload[PAYLOAD_MAX];
	size_t payload_len;
};

/* A sentence, and -EINVAL. */
#define BAD(w, ...) (sbuf_printf((w)->why, __VA_ARGS__), -EINVAL)

/* The next word, which is @what. NULL: missing, said so. */
static const char *
take(struct words *w, const char *what)
{
	if (w->next < w->count)
		return w->words[w->next++];
	sbuf_printf(w->why, "%s is missing at the end", what);
	return NULL;
}

/* The next word must be @word. */
static int
take_word(struct words *w, const char *word)
{
	const char *s = take(w, word);

	if (s == NULL)
		return -EINVAL;
	if (strcmp(s, word) == 0 ||
	    (strcmp(word, "to") == 0 && strcmp(s, ">") == 0))
		return 0;
	return BAD(w, "\"%s\" is expected where \"%.64s\" stands", word, s);
}

static int
take_mac(struct words *w, const char *what, uint8_t mac[ETH_ADDR_LEN])
{
	const char *s = take(w, what);

	if (s == NULL)
		return -EINVAL;
	if (ether_parse(s, mac) != 0)
		return BAD(w,
		    "\"%.64s\" is not six octets such as "
		    "02:00:00:00:00:01",
		    s);
	return 0;
}

static int
take_number(struct words *w, const char *what, uint32_t min, uint32_t max,
    uint32_t *out)
{
	const char *s = take(w, what);

	if (s == NULL)
		return -EINVAL;
	if (str_u32(s, 0, min, max, out) == 0)
		return 0;
	sbuf_printf(
	    w->why, "%s is from %u to %u, not \"%.64s\"", what, min, max, s);
	return -EINVAL;
}

static bool
ip_parse(const char *s, struct ip *out)
{
	*out = (struct ip){ .family = AF_INET };
	if (inet_pton(AF_INET, s, out->bytes) == 1)
		return true;
	out->family = AF_INET6;
	return inet_pton(AF_INET6, s, out->bytes) == 1;
}

static int
take_ip(struct words *w, int family, struct ip *out)
{
	const char *s = take(w, "an IP address");

	if (s == NULL)
		return -EINVAL;
	if (!ip_parse(s, out))
		return BAD(w, "\"%.64s\" is not an IP address", s);
	if (family != AF_UNSPEC && out->family != family)
		return BAD(w, "\"%.64s\" is of the other IP version", s);
	return 0;
}

/* ADDR:PORT, [ADDR]:PORT, or as tcpdump has it ADDR.PORT. */
static bool
ip_port_parse(const char *s, struct ip *out)
{
	const char *port = strrchr(s, ':');
	char text[INET6_ADDRSTRLEN + 2];
	size_t len;
	uint32_t n;

	if (port == NULL ||
	    (strchr(s, ':') != port && port[-1] != ']')) /* it has colons */
		port = strrchr(s, '.');
	if (port == NULL || str_u32(port + 1, 10, 0, UINT16_MAX, &n) != 0)
		return false;
	len = (size_t)(port - s);
	if (len >= 2 && s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	}
	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (!ip_parse(text, out))
		return false;
	out->port = (uint16_t)n;
	return true;
}

static int
take_ip_port(struct words *w, int family, struct ip *out)
{
	const char *s = take(w, "an address with a port");

	if (s == NULL)
		return -EINVAL;
	if (!ip_port_parse(s, out))
		return BAD(w,
		    "\"%.64s\" is not an address with a port such as "
		    "192.0.2.1:53 or [2001:db8::1]:53",
		    s);
	if (family != AF_UNSPEC && out->family != family)
		return BAD(w, "\"%.64s\" is of the other IP version", s);
	return 0;
}

/* --- Payloads --------------------------------------------------------------
 */

/* Where frames for an address go that no station has to be asked for. */
static void
ip_destination(struct words *w, const struct ip *ip)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };
	uint8_t mac[ETH_ADDR_LEN];

	if (w->has_dst)
		return;
	if (ip->family == AF_INET6 && ip->bytes[0] == 0xff) {
		mac[0] = mac[1] = 0x33; /* RFC 2464 7 */
		memcpy(mac + 2, ip->bytes + 12, 4);
	} else if (ip->family == AF_INET && memcmp(ip->bytes, all, 4) == 0) {
		ether_copy(mac, eth_broadcast);
	} else if (ip->family == AF_INET && (ip->bytes[0] & 0xf0) == 0xe0) {
		mac[0] = 0x01; /* RFC 1112 6.4 */
		mac[1] = 0;
		mac[2] = 0x5e;
		memcpy(mac + 3, ip->bytes + 1, 3);
		mac[3] &= 0x7f;
	} else {
		return;
	}
	ether_copy(w->dst, mac);
	w->has_dst = true;
}

static void
group_destination(struct words *w, uint8_t last)
{
	if (w->has_dst)
		return;
	ether_copy(w->dst, eth_stp_group);
	w->dst[ETH_ADDR_LEN - 1] = last;
	w->has_dst = true;
}

static void
arp(struct words *w, uint16_t op, const uint8_t sha[6], const struct ip *spa,
    const uint8_t tha[6], const struct ip *tpa)
{
	struct wr r = wr_init(w->payload, sizeof(w->payload));

	w->type = ETH_TYPE_ARP;
	wr_be16(&r, 1);
	wr_be16(&r, ETH_TYPE_IPV4);
	wr_u8(&r, ETH_ADDR_LEN);
	wr_u8(&r, 4);
	wr_be16(&r, op);
	wr_bytes(&r, sha, ETH_ADDR_LEN);
	wr_bytes(&r, spa->bytes, 4);
	wr_bytes(&r, tha, ETH_ADDR_LEN);
	wr_bytes(&r, tpa->bytes, 4);
	w->payload_len = wr_len(&r);
	if (!w->has_dst)
		ether_copy(w->dst, eth_broadcast);
	w->has_dst = true;
}

static int
say_arp(struct words *w)
{
	const char *s = take(w, "who-has or reply");
	struct ip asked, asker;
	uint8_t mac[ETH_ADDR_LEN];

	if (s == NULL)
		return -EINVAL;
	if (strcmp(s, "who-has") == 0) {
		if (take_ip(w, AF_INET, &asked) != 0 ||
		    take_word(w, "tell") != 0 ||
		    take_ip(w, AF_INET, &asker) != 0)
			return -EINVAL;
		/* The sender is not known before the end: see finish(). */
		arp(w, 1, eth_zero, &asker, eth_zero, &asked);
		return 0;
	}
	if (strcmp(s, "reply") != 0)
		return BAD(
		    w, "arp is \"who-has\" or \"reply\", not \"%.64s\"", s);
	if (take_ip(w, AF_INET, &asked) != 0 || take_word(w, "is-at") != 0 ||
	    take_mac(w, "an Ethernet address", mac) != 0)
		return -EINVAL;
	asker = asked;
	if (w->next < w->count && (strcmp(w->words[w->next], "to") == 0 ||
	                              strcmp(w->words[w->next], ">") == 0)) {
		w->next++;
		if (take_ip(w, AF_INET, &asker) != 0)
			return -EINVAL;
	}
	arp(w, 2, mac, &asked, w->has_dst ? w->dst : eth_zero, &asker);
	return 0;
}

/* The IP header before @len bytes of @l4, and the sum of its pseudo-header. */
static void
ip_packet(struct words *w, const struct ip *src, const struct ip *dst,
    uint8_t proto, const uint8_t *l4, size_t len)
{
	struct wr r = wr_init(w->payload, sizeof(w->payload));

	if (src->family == AF_INET) {
		w->type = ETH_TYPE_IPV4;
		wr_be16(&r, 0x4500);
		wr_be16(&r, (uint16_t)(20 + len));
		wr_be32(&r, 0x4000); /* do not fragment */
		wr_u8(&r, HOPS);
		wr_u8(&r, proto);
		wr_be16(&r, 0);
		wr_bytes(&r, src->bytes, 4);
		wr_bytes(&r, dst->bytes, 4);
		be16_put(w->payload + 10,
		    (uint16_t)~csum_fold(csum_add(0, w->payload, 20)));
	} else {
		w->type = ETH_TYPE_IPV6;
		wr_be32(&r, 0x60000000);
		wr_be16(&r, (uint16_t)len);
		wr_u8(&r, proto);
		wr_u8(&r, HOPS);
		wr_bytes(&r, src->bytes, 16);
		wr_bytes(&r, dst->bytes, 16);
	}
	wr_bytes(&r, l4, len);
	w->payload_len = wr_len(&r);
	ip_destination(w, dst);
}

/* Completes the checksum at @at of a packet above IP. */
static void
sum_l4(uint8_t *l4, size_t len, size_t at, const struct ip *src,
    const struct ip *dst, uint8_t proto)
{
	uint64_t sum =
	    src->family == AF_INET
	        ? csum_pseudo4(src->bytes, dst->bytes, proto, (uint32_t)len)
	        : csum_pseudo6(src->bytes, dst->bytes, proto, (uint32_t)len);
	uint16_t v;

	if (proto == PROTO_ICMP)
		sum = 0;
	v = (uint16_t)~csum_fold(csum_add(sum, l4, len));
	be16_put(l4 + at, v == 0 && proto == PROTO_UDP ? 0xffff : v);
}

static int
say_icmp(struct words *w)
{
	uint8_t l4[64] = { 8, 0, 0, 0, 0x63, 0x6f, 0, 1 };
	struct ip src, dst;
	uint8_t proto = PROTO_ICMP;

	if (take_ip(w, AF_UNSPEC, &src) != 0 || take_word(w, "to") != 0 ||
	    take_ip(w, src.family, &dst) != 0)
		return -EINVAL;
	if (src.family == AF_INET6) {
		proto = PROTO_ICMP6;
		l4[0] = 128;
	}
	sum_l4(l4, sizeof(l4), 2, &src, &dst, proto);
	ip_packet(w, &src, &dst, proto, l4, sizeof(l4));
	return 0;
}

static int
say_ports(struct words *w, uint8_t proto)
{
	uint8_t l4[20] = { 0 };
	size_t len = proto == PROTO_UDP ? 18 : 20;
	struct ip src, dst;

	if (take_ip_port(w, AF_UNSPEC, &src) != 0 || take_word(w, "to") != 0 ||
	    take_ip_port(w, src.family, &dst) != 0)
		return -EINVAL;
	be16_put(l4, src.port);
	be16_put(l4 + 2, dst.port);
	if (proto == PROTO_UDP) {
		be16_put(l4 + 4, (uint16_t)len);
	} else {
		be16_put(l4 + 12, 0x5002); /* five words; SYN */
		be16_put(l4 + 14, 65535);
	}
	sum_l4(l4, len, proto == PROTO_UDP ? 6 : 16, &src, &dst, proto);
	ip_packet(w, &src, &dst, proto, l4, len);
	return 0;
}

static int
say_udp(struct words *w)
{
	return say_ports(w, PROTO_UDP);
}

static int
say_tcp(struct words *w)
{
	return say_ports(w, PROTO_TCP);
}

/* A configuration BPDU of a root with the lowest priority; what is in it does
 * not matter to who forwards it or not. */
static int
say_stp(struct words *w)
{
	static const uint8_t bpdu[38] = { 0x42, 0x42, 3, 0, 0, 0, 0, 0,
		/* root, cost, bridge: their addresses are zero */
		0xf0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0, 0, 0, 0, 0, 0,
		0, 0x80, 1, 0, 0, 20, 0, 2, 0, 15, 0 };

	w->type = sizeof(bpdu); /* a length */
	memcpy(w->payload, bpdu, sizeof(bpdu));
	w->payload_len = sizeof(bpdu);
	group_destination(w, 0x00);
	return 0;
}

static int
say_lldp(struct words *w)
{
	w->type = ETH_TYPE_LLDP;
	group_destination(w, 0x0e);
	return 0;
}

static int
say_lacp(struct words *w)
{
	w->type = ETH_TYPE_SLOW;
	w->payload[0] = w->payload[1] = 1; /* LACP, version 1 */
	w->payload_len = 110;
	group_destination(w, 0x02);
	return 0;
}

static int
say_eapol(struct words *w)
{
	w->type = ETH_TYPE_EAPOL;
	w->payload[0] = w->payload[1] = 1; /* version 1, start */
	w->payload_len = 4;
	group_destination(w, 0x03);
	return 0;
}

static int
say_ether(struct words *w)
{
	uint32_t type;

	if (take_number(w, "an Ethernet type", 0, UINT16_MAX, &type) != 0)
		return -EINVAL;
	w->type = (uint16_t)type;
	return 0;
}

static const struct what {
	const char *word;
	int (*say)(struct words *w);
} whats[] = {
	{ "arp", say_arp },
	{ "icmp", say_icmp },
	{ "icmp6", say_icmp },
	{ "ping", say_icmp },
	{ "udp", say_udp },
	{ "tcp", say_tcp },
	{ "stp", say_stp },
	{ "lldp", say_lldp },
	{ "lacp", say_lacp },
	{ "eapol", say_eapol },
	{ "ether", say_ether },
};

/* --- Options ---------------------------------------------------------------
 */

static int
option_tag(struct words *w, uint16_t tpid)
{
	uint32_t vid;

	if (w->tag_count == TAGS_MAX)
		return BAD(w, "there are more than 16 tags");
	if (take_number(w, "a VLAN", 0, VLAN_IDS - 1, &vid) != 0)
		return -EINVAL;
	w->tags[w->tag_count].tpid = tpid;
	w->tags[w->tag_count++].tci = (uint16_t)vid;
	return 0;
}

static int
option_pcp(struct words *w)
{
	uint32_t pcp;

	if (take_number(w, "a priority", 0, 7, &pcp) != 0)
		return -EINVAL;
	if (w->tag_count == 0)
		return BAD(w, "pcp stands behind the vlan that has it");
	w->tags[w->tag_count - 1].tci |= (uint16_t)(pcp << 13);
	return 0;
}

/* 1: it was one. */
static int
option(struct words *w, const char *word)
{
	int err = -ENOENT;

	if (strcmp(word, "src") == 0) {
		err = take_mac(w, "an Ethernet address", w->src);
	} else if (strcmp(word, "dst") == 0) {
		err = take_mac(w, "an Ethernet address", w->dst);
		w->has_dst = true;
	} else if (strcmp(word, "vlan") == 0) {
		err = option_tag(w, ETH_TYPE_VLAN);
	} else if (strcmp(word, "svlan") == 0) {
		err = option_tag(w, ETH_TYPE_QINQ);
	} else if (strcmp(word, "pcp") == 0) {
		err = option_pcp(w);
	} else if (strcmp(word, "len") == 0) {
		err = take_number(
		    w, "a length", ETH_HDR_LEN, ETH_MTU_HIGHEST, &w->len);
	}
	return err == 0 ? 1 : err == -ENOENT ? 0 : err;
}

static int
one_word(struct words *w)
{
	const char *word = w->words[w->next++];
	int err = option(w, word);

	if (err != 0)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(whats); i++) {
		if (strcmp(whats[i].word, word) != 0)
			continue;
		if (w->said)
			return BAD(w, "\"%.64s\" after another frame", word);
		w->said = true;
		return whats[i].say(w);
	}
	return BAD(w,
	    "\"%.64s\" is no word of frames: arp, icmp, udp, tcp, stp, "
	    "lldp, lacp, eapol, ether, src, dst, vlan, svlan, pcp, len",
	    word);
}

static int
finish(struct words *w, uint8_t *out, size_t size)
{
	struct wr r = wr_init(out, size);
	size_t len;

	if (!w->said)
		return BAD(w, "say what it is: arp, icmp, udp, tcp, stp, lldp, "
		              "lacp, eapol or ether");
	if (!w->has_dst)
		return BAD(w, "say to which station: dst and its Ethernet "
		              "address");
	if (w->type == ETH_TYPE_ARP && w->payload[7] == 1)
		ether_copy(w->payload + 8, w->src);
	wr_bytes(&r, w->dst, ETH_ADDR_LEN);
	wr_bytes(&r, w->src, ETH_ADDR_LEN);
	for (uint32_t i = 0; i < w->tag_count; i++) {
		wr_be16(&r, w->tags[i].tpid);
		wr_be16(&r, w->tags[i].tci);
	}
	wr_be16(&r, w->type);
	wr_bytes(&r, w->payload, w->payload_len);
	len = wr_len(&r);
	if (w->len != 0 && w->len < len) {
		sbuf_printf(w->why, "len is %zu at least", len);
		return -EINVAL;
	}
	len = COAX_MAX(w->len != 0 ? w->len : ETH_LEN_MIN, len);
	wr_zero(&r, len - wr_len(&r));
	if (!wr_ok(&r))
		return BAD(w, "the frame is too long");
	return (int)len;
}

int
frame_words_build(const char *const *words, uint32_t count,
    const uint8_t src[ETH_ADDR_LEN], uint8_t *out, size_t size,
    struct sbuf *why)
{
	struct words w = { .words = words, .count = count, .why = why };
	int err = 1;

	ether_copy(w.src, src);
	while (err >= 0 && w.next < w.count)
		err = one_word(&w);
	return err < 0 ? -EINVAL : finish(&w, out, size);
}

/* --- Hexadecimal -----------------------------------------------------------
 */

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
frame_words_hex(const char *text, uint8_t *out, size_t size, struct sbuf *why)
{
	const char *s = text;
	size_t n = 0;

	if (s[0] == '0' && (s[1] | 0x20) == 'x')
		s += 2;
	while (*s != '\0') {
		int high, low;

		if (strchr(" \t\n\r:.-", *s) != NULL) {
			s++;
			continue;
		}
		high = digit(s[0]);
		low = high >= 0 ? digit(s[1]) : -1;
		if (low < 0) {
			sbuf_printf(why,
			    "byte %zu is not two hexadecimal digits: \"%.2s\"",
			    n, s);
			return -EINVAL;
		}
		if (n == size) {
			sbuf_printf(why, "longer than %zu bytes", size);
			return -EINVAL;
		}
		out[n++] = (uint8_t)(high << 4 | low);
		s += 2;
	}
	return (int)n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rule as text, in the words of ipfw(8) of FreeBSD 13 and later.  What is
 * written here reads as the same rule (ipfw_parse.c).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "pfil/ipfw_rule.h"

static void
put_ip4(struct sbuf *b, uint32_t addr)
{
	sbuf_printf(b, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
	    addr >> 8 & 255, addr & 255);
}

/* The bits of a mask that is a prefix, or -1. */
static int
prefix4(uint32_t mask)
{
	uint32_t inverse = ~mask;

	if ((inverse & (inverse + 1)) != 0)
		return -1;
	return mask == 0 ? 0 : __builtin_popcount(mask);
}

void
ipfw_print_addr(
    int family, const uint8_t *addr, uint32_t prefix, struct sbuf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, text,
	        sizeof(text)) == NULL)
		text[0] = '\0';
	sbuf_printf(out, "%s/%u", text, prefix);
}

static void
put_ip6(struct sbuf *b, const struct ipfw_insn *i)
{
	char text[INET6_ADDRSTRLEN];
	uint32_t prefix = 0;

	for (uint32_t n = 0; n < 16; n++)
		prefix += (uint32_t)__builtin_popcount(i->ip6.mask[n]);
	if (inet_ntop(AF_INET6, i->ip6.addr, text, sizeof(text)) == NULL)
		text[0] = '\0';
	sbuf_puts(b, text);
	if (prefix != 128)
		sbuf_printf(b, "/%u", prefix);
}

static void
put_ip4_masked(struct sbuf *b, const struct ipfw_insn *i)
{
	int prefix = prefix4(i->ip4.mask);

	put_ip4(b, i->ip4.addr);
	if (prefix < 0) {
		sbuf_putc(b, ':');
		put_ip4(b, i->ip4.mask);
	} else if (prefix != 32) {
		sbuf_printf(b, "/%d", prefix);
	}
}

static bool
set_has(const struct ipfw_insn *i, uint32_t n)
{
	return n < 256 && (i->set.bits[n / 64] >> n % 64 & 1) != 0;
}

/* Numbers of a set, with ranges if @dash; @base is added to each. */
static void
put_set(struct sbuf *b, const struct ipfw_insn *i, uint32_t base, bool dash,
    const struct ipfw_word *names)
{
	const char *comma = "";

	for (uint32_t n = 0; n < 256; n++) {
		const char *name;
		uint32_t end = n;

		if (!set_has(i, n))
			continue;
		while (dash && set_has(i, end + 1))
			end++;
		name = names != NULL ? ipfw_word_of(names, n) : NULL;
		sbuf_puts(b, comma);
		if (name != NULL)
			sbuf_puts(b, name);
		else
			sbuf_printf(b, "%u", base + n);
		if (end > n)
			sbuf_printf(b, "-%u", base + end);
		n = end;
		comma = ",";
	}
}

void
ipfw_print_mac(const uint8_t addr[6], const uint8_t mask[6], struct sbuf *out)
{
	char text[ETH_ADDR_STRLEN];
	uint64_t m = mac_to_u64(mask), inverse = ~m & 0xffffffffffffu;

	if (m == 0) {
		sbuf_puts(out, "any");
		return;
	}
	sbuf_puts(out, ether_format(addr, text));
	if (inverse == 0)
		return;
	if ((inverse & (inverse + 1)) == 0)
		sbuf_printf(out, "/%d", __builtin_popcountll(m));
	else
		sbuf_printf(out, "&%s", ether_format(mask, text));
}

static void
put_bits(
    struct sbuf *b, const struct ipfw_insn *i, const struct ipfw_word *names)
{
	const char *comma = "";

	for (; names->name != NULL; names++) {
		if (((i->bits.on | i->bits.off) & names->value) == 0)
			continue;
		sbuf_printf(b, "%s%s%s", comma,
		    (i->bits.off & names->value) != 0 ? "!" : "", names->name);
		comma = ",";
	}
}

static void
put_range(struct sbuf *b, const struct ipfw_insn *i,
    const struct ipfw_word *names, const char *format)
{
	const char *name = names != NULL && i->range.lo == i->range.hi
	                       ? ipfw_word_of(names, i->range.lo)
	                       : NULL;
	char text[16];

	if (name != NULL) {
		sbuf_puts(b, name);
		return;
	}
	/* One of two, both here. */
	if (format[1] == '0')
		snprintf(text, sizeof(text), "0x%04x", i->range.lo);
	else
		snprintf(text, sizeof(text), "%u", i->range.lo);
	sbuf_puts(b, text);
	if (i->range.hi == i->range.lo)
		return;
	if (format[1] == '0')
		sbuf_printf(b, "-0x%04x", i->range.hi);
	else
		sbuf_printf(b, "-%u", i->range.hi);
}

static void
put_table(struct sbuf *b, const struct ipfw_insn *i)
{
	sbuf_printf(b, "table(%s", i->table.name);
	if (i->table.valued)
		sbuf_printf(b, ",%u", i->table.value);
	sbuf_putc(b, ')');
}

/* The word of an option, as a table by op. */
static const char *const option_words[IPFW_OPS] = {
	[IPFW_OP_PROTO] = "proto",
	[IPFW_OP_VERSION] = "proto",
	[IPFW_OP_SRC_IP4] = "src-ip",
	[IPFW_OP_DST_IP4] = "dst-ip",
	[IPFW_OP_SRC_SET] = "src-ip",
	[IPFW_OP_DST_SET] = "dst-ip",
	[IPFW_OP_SRC_IP6] = "src-ip",
	[IPFW_OP_DST_IP6] = "dst-ip",
	[IPFW_OP_SRC_ME] = "src-ip",
	[IPFW_OP_DST_ME] = "dst-ip",
	[IPFW_OP_SRC_TABLE] = "src-ip",
	[IPFW_OP_DST_TABLE] = "dst-ip",
	[IPFW_OP_SRC_PORT] = "src-port",
	[IPFW_OP_DST_PORT] = "dst-port",
	[IPFW_OP_IN] = "in",
	[IPFW_OP_OUT] = "out",
	[IPFW_OP_LAYER2] = "layer2",
	[IPFW_OP_BRIDGED] = "bridged",
	[IPFW_OP_VIA] = "via",
	[IPFW_OP_RECV] = "recv",
	[IPFW_OP_XMIT] = "xmit",
	[IPFW_OP_VIA_TABLE] = "via",
	[IPFW_OP_RECV_TABLE] = "recv",
	[IPFW_OP_XMIT_TABLE] = "xmit",
	[IPFW_OP_MAC] = "MAC",
	[IPFW_OP_SRC_MAC] = "src-mac",
	[IPFW_OP_DST_MAC] = "dst-mac",
	[IPFW_OP_SRC_MAC_TABLE] = "src-mac",
	[IPFW_OP_DST_MAC_TABLE] = "dst-mac",
	[IPFW_OP_MAC_TYPE] = "mac-type",
	[IPFW_OP_TCPFLAGS] = "tcpflags",
	[IPFW_OP_ESTABLISHED] = "established",
	[IPFW_OP_ICMPTYPES] = "icmptypes",
	[IPFW_OP_ICMP6TYPES] = "icmp6types",
	[IPFW_OP_FRAG] = "frag",
	[IPFW_OP_IPOPTIONS] = "ipoptions",
	[IPFW_OP_TCPOPTIONS] = "tcpoptions",
	[IPFW_OP_IPLEN] = "iplen",
	[IPFW_OP_IPID] = "ipid",
	[IPFW_OP_TTL] = "ipttl",
	[IPFW_OP_TCPDATALEN] = "tcpdatalen",
	[IPFW_OP_TCPWIN] = "tcpwin",
	[IPFW_OP_TCPACK] = "tcpack",
	[IPFW_OP_TCPSEQ] = "tcpseq",
	[IPFW_OP_IPVER] = "ipversion",
	[IPFW_OP_PRECEDENCE] = "ipprecedence",
	[IPFW_OP_TOS] = "iptos",
	[IPFW_OP_DSCP] = "dscp",
	[IPFW_OP_LOOKUP] = "lookup",
	[IPFW_OP_KEEP_STATE] = "keep-state",
	[IPFW_OP_LIMIT] = "limit",
};

static void
put_limit(struct sbuf *b, const struct ipfw_insn *i)
{
	for (const struct ipfw_word *w = ipfw_limits; w->name != NULL; w++)
		if ((i->state.by & w->value) != 0)
			sbuf_printf(b, "%s ", w->name);
	sbuf_printf(b, "%u :%s", i->state.max, i->state.name);
}

/* What stands behind the word. */
static void
put_item(struct sbuf *b, const struct ipfw_insn *i, bool names)
{
	const char *name;

	switch ((enum ipfw_op)i->op) {
	case IPFW_OP_PROTO:
		name = ipfw_word_of(ipfw_protocols, i->num);
		if (name != NULL)
			sbuf_puts(b, name);
		else
			sbuf_printf(b, "%u", i->num);
		break;
	case IPFW_OP_VERSION:
		if (i->part == IPFW_PART_SRC || i->part == IPFW_PART_DST)
			sbuf_printf(b, "any%u", i->num);
		else
			sbuf_puts(b, i->num == 4 ? "ip4" : "ip6");
		break;
	case IPFW_OP_SRC_IP4:
	case IPFW_OP_DST_IP4:
		put_ip4_masked(b, i);
		break;
	case IPFW_OP_SRC_SET:
	case IPFW_OP_DST_SET:
		put_ip4(b, i->set.addr);
		sbuf_printf(b, "/%u{", i->set.len);
		put_set(b, i, i->set.addr & 255, true, NULL);
		sbuf_putc(b, '}');
		break;
	case IPFW_OP_SRC_IP6:
	case IPFW_OP_DST_IP6:
		put_ip6(b, i);
		break;
	case IPFW_OP_SRC_ME:
	case IPFW_OP_DST_ME:
		sbuf_puts(b, "me");
		if (i->num != 0)
			sbuf_printf(b, "%u", i->num);
		break;
	case IPFW_OP_SRC_TABLE:
	case IPFW_OP_DST_TABLE:
	case IPFW_OP_VIA_TABLE:
	case IPFW_OP_RECV_TABLE:
	case IPFW_OP_XMIT_TABLE:
	case IPFW_OP_SRC_MAC_TABLE:
	case IPFW_OP_DST_MAC_TABLE:
		put_table(b, i);
		break;
	case IPFW_OP_SRC_PORT:
	case IPFW_OP_DST_PORT:
		put_range(b, i, names ? ipfw_services : NULL, "%u");
		break;
	case IPFW_OP_MAC_TYPE:
		put_range(b, i, names ? ipfw_ethertypes : NULL, "%04x");
		break;
	case IPFW_OP_IPLEN:
	case IPFW_OP_IPID:
	case IPFW_OP_TTL:
	case IPFW_OP_TCPDATALEN:
	case IPFW_OP_TCPWIN:
		put_range(b, i, NULL, "%u");
		break;
	case IPFW_OP_VIA:
	case IPFW_OP_RECV:
	case IPFW_OP_XMIT:
		sbuf_puts(b, i->name);
		break;
	case IPFW_OP_MAC:
		ipfw_print_mac(i->mac.dst, i->mac.dst_mask, b);
		sbuf_putc(b, ' ');
		ipfw_print_mac(i->mac.src, i->mac.src_mask, b);
		break;
	case IPFW_OP_SRC_MAC:
		ipfw_print_mac(i->mac.src, i->mac.src_mask, b);
		break;
	case IPFW_OP_DST_MAC:
		ipfw_print_mac(i->mac.dst, i->mac.dst_mask, b);
		break;
	case IPFW_OP_TCPFLAGS:
		put_bits(b, i, ipfw_tcpflags);
		break;
	case IPFW_OP_TCPOPTIONS:
		put_bits(b, i, ipfw_tcpoptions);
		break;
	case IPFW_OP_FRAG:
		put_bits(b, i, ipfw_frags);
		break;
	case IPFW_OP_IPOPTIONS:
		put_bits(b, i, ipfw_ipoptions);
		break;
	case IPFW_OP_TOS:
		put_bits(b, i, ipfw_iptos);
		break;
	case IPFW_OP_ICMPTYPES:
	case IPFW_OP_ICMP6TYPES:
		put_set(b, i, 0, false, NULL);
		break;
	case IPFW_OP_DSCP:
		put_set(b, i, 0, false, ipfw_dscps);
		break;
	case IPFW_OP_TCPACK:
	case IPFW_OP_TCPSEQ:
	case IPFW_OP_IPVER:
	case IPFW_OP_PRECEDENCE:
		sbuf_printf(b, "%u", i->num);
		break;
	case IPFW_OP_LOOKUP:
		sbuf_printf(b, "%s %s",
		    ipfw_word_of(ipfw_lookups, i->table.key), i->table.name);
		break;
	case IPFW_OP_KEEP_STATE:
		sbuf_printf(b, ":%s", i->state.name);
		break;
	case IPFW_OP_LIMIT:
		put_limit(b, i);
		break;
	case IPFW_OP_IN:
	case IPFW_OP_OUT:
	case IPFW_OP_LAYER2:
	case IPFW_OP_BRIDGED:
	case IPFW_OP_ESTABLISHED:
	case IPFW_OPS:
		break;
	}
}

static bool
has_argument(const struct ipfw_insn *i)
{
	switch (i->op) {
	case IPFW_OP_IN:
	case IPFW_OP_OUT:
	case IPFW_OP_LAYER2:
	case IPFW_OP_BRIDGED:
	case IPFW_OP_ESTABLISHED:
		return false;
	case IPFW_OP_FRAG: /* alone, that is what it says */
		return i->bits.on != IPFW_FRAG_OFFSET || i->bits.off != 0;
	default:
		return true;
	}
}

/* A term; returns how many items it had. */
static uint32_t
put_term(struct sbuf *b, const struct ipfw_insn *i, uint32_t count, bool names)
{
	uint32_t n = 0;

	if ((i->flags & IPFW_NOT) != 0)
		sbuf_puts(b, "not ");
	if (i->op == IPFW_OP_TCPFLAGS && (i->flags & IPFW_WORD) != 0) {
		sbuf_puts(b, "setup");
		return 1;
	}
	if (i->part == IPFW_PART_OPTIONS) {
		sbuf_puts(b, option_words[i->op]);
		/* Only of addresses. */
		if ((i->flags & IPFW_WORD) != 0)
			sbuf_putc(b, '6');
		if (has_argument(i))
			sbuf_putc(b, ' ');
	}
	do {
		if (n != 0)
			sbuf_putc(b, ',');
		if (has_argument(&i[n]) || n != 0)
			put_item(b, &i[n], names);
		n++;
	} while (n < count && (i[n].flags & IPFW_LIST) != 0);
	return n;
}

/* A block; returns how many items it had. */
static uint32_t
put_block(struct sbuf *b, const struct ipfw_insn *i, uint32_t count, bool names)
{
	uint32_t n = 1;
	bool many = false;

	for (; n < count && (i[n].flags & (IPFW_LIST | IPFW_OR)) != 0; n++)
		many = many || (i[n].flags & IPFW_OR) != 0;
	count = n;
	if (many)
		sbuf_puts(b, "{ ");
	for (n = 0; n < count;) {
		if (n != 0)
			sbuf_puts(b, " or ");
		n += put_term(b, &i[n], count - n, names);
	}
	if (many)
		sbuf_puts(b, " }");
	return count;
}

static void
put_code(struct sbuf *b, const struct ipfw_word *names, uint32_t code)
{
	const char *name = ipfw_word_of(names, code);

	if (name != NULL)
		sbuf_puts(b, name);
	else
		sbuf_printf(b, "%u", code);
}

static void
put_action(struct sbuf *b, const struct ipfw_head *h)
{
	static const char *const words[IPFW_ACTIONS] = {
		[IPFW_ALLOW] = "allow",
		[IPFW_DENY] = "deny",
		[IPFW_COUNT] = "count",
		[IPFW_SKIPTO] = "skipto ",
		[IPFW_REJECT] = "reject",
		[IPFW_RESET] = "reset",
		[IPFW_UNREACH] = "unreach ",
		[IPFW_RESET6] = "reset6",
		[IPFW_UNREACH6] = "unreach6 ",
		[IPFW_PIPE] = "pipe ",
		[IPFW_QUEUE] = "queue ",
		[IPFW_CHECK_STATE] = "check-state :",
	};

	if (h->prob % 1000 != 0)
		sbuf_printf(b, "prob 0.%09u ", h->prob);
	else if (h->prob != 0)
		sbuf_printf(b, "prob 0.%06u ", h->prob / 1000);
	sbuf_puts(b, words[h->action]);
	switch (h->action) {
	case IPFW_SKIPTO:
	case IPFW_PIPE:
	case IPFW_QUEUE:
		if (h->arg == IPFW_TABLEARG)
			sbuf_puts(b, "tablearg");
		else
			sbuf_printf(b, "%u", h->arg);
		break;
	case IPFW_UNREACH:
		put_code(b, ipfw_unreach_codes, h->arg);
		break;
	case IPFW_UNREACH6:
		put_code(b, ipfw_unreach6_codes, h->arg);
		break;
	case IPFW_CHECK_STATE:
		sbuf_puts(b, h->state);
		break;
	case IPFW_ALLOW:
	case IPFW_DENY:
	case IPFW_COUNT:
	case IPFW_REJECT:
	case IPFW_RESET:
	case IPFW_RESET6:
	case IPFW_ACTIONS:
		break;
	}
	if (h->log) {
		sbuf_puts(b, " log");
		if (h->log_max_said)
			sbuf_printf(b, " logamount %u", h->log_max);
	}
}

void
ipfw_print(const struct ipfw_head *head, const struct ipfw_insn *insns,
    uint32_t count, uint32_t flags, struct sbuf *out)
{
	static const char *const before[] = {
		[IPFW_PART_PROTO] = " ",
		[IPFW_PART_SRC] = " from ",
		[IPFW_PART_SPORT] = " ",
		[IPFW_PART_DST] = " to ",
		[IPFW_PART_DPORT] = " ",
		[IPFW_PART_OPTIONS] = " ",
	};
	static const char *const none[] = {
		[IPFW_PART_PROTO] = " ip",
		[IPFW_PART_SRC] = " from any",
		[IPFW_PART_SPORT] = "",
		[IPFW_PART_DST] = " to any",
		[IPFW_PART_DPORT] = "",
		[IPFW_PART_OPTIONS] = "",
	};
	bool names = (flags & IPFW_PRINT_NAMES) != 0, empty;
	uint32_t n = 0;

	put_action(out, head);
	empty = count == 0 || insns[0].part == IPFW_PART_OPTIONS;
	if ((flags & IPFW_PRINT_COMMENT) != 0)
		count = 0;
	else if (!(empty && (flags & IPFW_PRINT_COMPACT) != 0 && count != 0) &&
	         !(empty && head->action == IPFW_CHECK_STATE))
		for (int part = IPFW_PART_PROTO; part < IPFW_PART_OPTIONS;
		     part++) {
			if (n == count || insns[n].part != part) {
				sbuf_puts(out, none[part]);
				continue;
			}
			sbuf_puts(out, before[part]);
			n += put_block(out, &insns[n], count - n, names);
		}
	while (n < count) {
		sbuf_puts(out, before[IPFW_PART_OPTIONS]);
		n += put_block(out, &insns[n], count - n, names);
	}
	if (head->comment[0] != '\0')
		sbuf_printf(out, " // %s", head->comment);
}

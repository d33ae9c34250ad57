/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a rule, by tables: actions, then what stands between "from" and
 * "to", then options.  See ipfw_rule.h for what comes out.
 *
 * Words are joined and cut again, so "80, 443" and a rule in one string are the
 * same as words one by one.  A brace or parenthesis that begins a word is a
 * word; "//" begins a comment.
 *
 * What ipfw(8) has and this does not is refused by name, with the reason.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "pfil/ipfw_rule.h"

struct parser {
	char text[IPFW_TEXT_MAX]; /* of the words, each with a NUL */
	const char *words[IPFW_WORDS_MAX];
	uint32_t count, at;
	struct ipfw_text *out;
	struct ipfw_error *error;
};

static bool COAX_PRINTF(3, 4)
    fail(struct parser *p, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->error->text, sizeof(p->error->text), fmt, ap);
	va_end(ap);
	p->error->status = status;
	return false;
}

/* --- words ---------------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Cuts p->text into words, in place. */
static bool
cut_words(struct parser *p, const char *s, size_t size)
{
	size_t used = 0;

	while (*s != '\0') {
		const char *start;
		uint32_t open = 0;
		char *word = p->text + used;
		size_t len = 0;

		while (is_blank(*s))
			s++;
		if (*s == '\0')
			break;
		if (s[0] == '/' && s[1] == '/') {
			s += 2;
			while (is_blank(*s))
				s++;
			len = strlen(s);
			while (len != 0 && is_blank(s[len - 1]))
				len--;
			if (len >= IPFW_COMMENT_MAX)
				return fail(p, IPFW_EX_DATAERR,
				    "comment too long (max %d)",
				    IPFW_COMMENT_MAX - 1);
			memcpy(p->out->head.comment, s, len);
			p->out->head.comment[len] = '\0';
			break;
		}
		if (p->count == IPFW_WORDS_MAX)
			return fail(p, IPFW_EX_USAGE, "too many arguments");
		start = s;
		if (*s == '{' || *s == '}' || *s == '(' || *s == ')') {
			word[len++] = *s++;
		} else {
			for (;;) {
				if (*s == '\0')
					break;
				if (is_blank(*s)) {
					/* "80, 443" */
					if (s > start && s[-1] == ',') {
						while (is_blank(*s))
							s++;
						continue;
					}
					break;
				}
				if (*s == '{' || *s == '(')
					open++;
				if ((*s == '}' || *s == ')') && open-- == 0)
					break;
				word[len++] = *s++;
			}
		}
		word[len] = '\0';
		used += len + 1;
		ASSERT(used <= size + p->count + 2);
		p->words[p->count++] = word;
	}
	return true;
}

static bool
join(struct parser *p, const char *const *words, uint32_t count)
{
	char all[IPFW_TEXT_MAX / 2];
	struct sbuf b = sbuf_init(all, sizeof(all));

	for (uint32_t i = 0; i < count; i++)
		sbuf_printf(&b, "%s%s", i != 0 ? " " : "", words[i]);
	if (!sbuf_ok(&b))
		return fail(p, IPFW_EX_USAGE, "rule too long");
	return cut_words(p, all, b.len);
}

static const char *
peek(const struct parser *p)
{
	return p->at < p->count ? p->words[p->at] : NULL;
}

static const char *
peek_after(const struct parser *p)
{
	return p->at + 1 < p->count ? p->words[p->at + 1] : NULL;
}

static bool
is_word(const char *s, const char *word)
{
	return s != NULL && strcasecmp(s, word) == 0;
}

static bool
take(struct parser *p, const char *word)
{
	if (!is_word(peek(p), word))
		return false;
	p->at++;
	return true;
}

/* The next word, or NULL with a message. */
static const char *
need(struct parser *p, const char *what)
{
	if (p->at == p->count) {
		(void)fail(p, IPFW_EX_USAGE, "missing argument for %s", what);
		return NULL;
	}
	return p->words[p->at++];
}

/* --- items ---------------------------------------------------------------- */

static struct ipfw_insn *
add(struct parser *p, enum ipfw_op op, enum ipfw_part part)
{
	struct ipfw_insn *i;

	if (p->out->count == IPFW_INSNS_MAX) {
		(void)fail(p, IPFW_EX_DATAERR, "rule too long");
		return NULL;
	}
	i = &p->out->insns[p->out->count++];
	memset(i, 0, sizeof(*i));
	i->op = (uint8_t)op;
	i->part = (uint8_t)part;
	return i;
}

/* Calls @one for each part of "a,b,c"; the parts after the first get
 * IPFW_LIST. */
static bool
list(struct parser *p, const char *word, enum ipfw_op op, enum ipfw_part part,
    bool (*one)(struct parser *p, const char *s, struct ipfw_insn *i))
{
	char s[IPFW_TEXT_MAX / 2];
	bool first = true, last = false;
	struct ipfw_insn *i;
	char *at = s, *end;
	uint32_t open;

	if (str_copy(s, sizeof(s), word) != 0)
		return fail(p, IPFW_EX_DATAERR, "list too long");
	while (!last) {
		open = 0;
		for (end = at; *end != '\0' && (*end != ',' || open != 0);
		     end++)
			open += (*end == '{' || *end == '(') -
			        (uint32_t)(open != 0 &&
			                   (*end == '}' || *end == ')'));
		last = *end == '\0';
		*end = '\0';
		i = add(p, op, part);
		if (i == NULL || !one(p, at, i))
			return false;
		if (!first)
			i->flags |= IPFW_LIST;
		first = false;
		at = end + 1;
	}
	return true;
}

static bool
name_good(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len >= IPFW_NAME_MAX)
		return false;
	for (; *s != '\0'; s++)
		if ((*s < 'a' || *s > 'z') && (*s < 'A' || *s > 'Z') &&
		    (*s < '0' || *s > '9') && strchr("_-.", *s) == NULL)
			return false;
	return true;
}

/* "table(NAME[,VALUE])" into @i; false: it is none, or is bad (p->error). */
static bool
table_item(struct parser *p, const char *s, struct ipfw_insn *i)
{
	char name[IPFW_NAME_MAX + 16];
	size_t len = strlen(s);
	char *comma;

	if (strncasecmp(s, "table(", 6) != 0 || s[len - 1] != ')')
		return fail(p, IPFW_EX_DATAERR, "bad table ``%.64s''", s);
	if (len - 7 >= sizeof(name))
		return fail(p, IPFW_EX_DATAERR, "table name too long");
	memcpy(name, s + 6, len - 7);
	name[len - 7] = '\0';
	comma = strchr(name, ',');
	if (comma != NULL) {
		*comma = '\0';
		if (str_u32(comma + 1, 0, 0, UINT32_MAX, &i->table.value) != 0)
			return fail(p, IPFW_EX_DATAERR,
			    "invalid table value ``%.64s''", comma + 1);
		i->table.valued = true;
	}
	if (!name_good(name))
		return fail(
		    p, IPFW_EX_DATAERR, "invalid table name ``%.64s''", name);
	memcpy(i->table.name, name, strlen(name) + 1);
	return true;
}

static bool
is_table(const char *s)
{
	return strncasecmp(s, "table(", 6) == 0;
}

static uint32_t
mask_of(uint32_t prefix)
{
	return prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
}

static void
mask6_of(uint32_t prefix, uint8_t mask[16])
{
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t bits = prefix > 8 * i ? prefix - 8 * i : 0;

		mask[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00u >> bits);
	}
}

int
ipfw_parse_addr(const char *s, uint8_t addr[16], uint32_t *prefix)
{
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(s, "/");
	uint8_t mask[16];
	int family;

	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, len);
	text[len] = '\0';
	memset(addr, 0, 16);
	if (inet_pton(AF_INET, text, addr) == 1)
		family = 4;
	else if (inet_pton(AF_INET6, text, addr) == 1)
		family = 6;
	else
		return -EINVAL;
	*prefix = family == 4 ? 32 : 128;
	if (s[len] == '/' && str_u32(s + len + 1, 10, 0, *prefix, prefix) != 0)
		return -EINVAL;
	mask6_of(*prefix, mask);
	for (uint32_t i = 0; i < 16; i++)
		addr[i] &= mask[i];
	return family;
}

/* "{1,5-7}" behind a prefix of 24 to 31 bits: into the set. */
static bool
addr_set(struct parser *p, const char *s, uint32_t addr, uint32_t prefix,
    struct ipfw_insn *i)
{
	uint32_t low = addr & mask_of(prefix), size;
	bool range = false;
	uint32_t prev = 0;
	const char *at = s;

	if (prefix < 24 || prefix > 32)
		return fail(
		    p, IPFW_EX_DATAERR, "invalid set width /%u", prefix);
	size = 1u << (32 - prefix);
	i->op = i->op == IPFW_OP_SRC_IP4 ? IPFW_OP_SRC_SET : IPFW_OP_DST_SET;
	i->set.addr = low;
	i->set.len = prefix;
	for (at++; *at != '\0';) {
		char *end;
		unsigned long v;

		if (*at < '0' || *at > '9')
			break;
		v = strtoul(at, &end, 10);
		/* BSD's: the last byte of the address. */
		if (v > 255 || (v & ~(size - 1ul)) != (low & 255 & ~(size - 1)))
			break;
		v -= low & 255;
		if (range && v < prev)
			break;
		for (uint32_t n = range ? prev : (uint32_t)v; n <= v; n++)
			i->set.bits[n / 64] |= 1ull << n % 64;
		range = *end == '-';
		prev = (uint32_t)v;
		if (*end == '}' && end[1] == '\0' && !range)
			return true;
		if (*end != ',' && *end != '-')
			break;
		at = end + 1;
	}
	return fail(p, IPFW_EX_DATAERR, "invalid address set ``%.64s''", s);
}

/* One address of a list. */
static bool
addr_item(struct parser *p, const char *s, struct ipfw_insn *i)
{
	bool src = i->op == IPFW_OP_SRC_IP4;
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(s, "/:{");
	uint32_t prefix = 32, mask;
	uint8_t a[16];
	int family;

	if (is_word(s, "me") || is_word(s, "me6") || is_word(s, "me4")) {
		i->op = src ? IPFW_OP_SRC_ME : IPFW_OP_DST_ME;
		i->num = s[2] == '\0' ? 0 : (uint32_t)(s[2] - '0');
		return true;
	}
	if (is_table(s)) {
		i->op = src ? IPFW_OP_SRC_TABLE : IPFW_OP_DST_TABLE;
		return table_item(p, s, i);
	}
	if (strchr(s, '.') == NULL || strchr(s, ':') != strrchr(s, ':')) {
		family = ipfw_parse_addr(s, a, &prefix);
		if (family == 6) {
			i->op = src ? IPFW_OP_SRC_IP6 : IPFW_OP_DST_IP6;
			memcpy(i->ip6.addr, a, 16);
			mask6_of(prefix, i->ip6.mask);
			return true;
		}
	}
	if (len >= sizeof(text))
		goto bad;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, a) != 1)
		goto bad;
	i->ip4.addr = be32_get(a);
	i->ip4.mask = UINT32_MAX;
	s += len;
	if (*s == '/') {
		char *end;
		unsigned long v = strtoul(s + 1, &end, 10);

		if (s[1] < '0' || s[1] > '9' || v > 32)
			return fail(
			    p, IPFW_EX_DATAERR, "bad width ``%.64s''", s + 1);
		prefix = (uint32_t)v;
		i->ip4.mask = mask_of(prefix);
		s = end;
	} else if (*s == ':') {
		if (inet_pton(AF_INET, s + 1, a) != 1)
			return fail(
			    p, IPFW_EX_DATAERR, "bad netmask ``%.64s''", s + 1);
		mask = be32_get(a);
		i->ip4.mask = mask;
		s += strlen(s);
	}
	if (*s == '{')
		return addr_set(p, s, i->ip4.addr, prefix, i);
	if (*s != '\0')
		return fail(p, IPFW_EX_DATAERR, "bad address ``%.64s''", text);
	i->ip4.addr &= i->ip4.mask;
	return true;

bad:
	return fail(p, IPFW_EX_NOHOST,
	    "hostname ``%.64s'' unknown: names are not looked up", s);
}

/* "80", "ssh", "1000-2000", "5-": a range of numbers up to @max. */
static bool
range_text(const char *s, const struct ipfw_word *names, uint32_t max,
    struct ipfw_insn *i)
{
	const struct ipfw_word *w;
	uint32_t lo, hi;
	char text[64];
	char *dash;

	if (str_copy(text, sizeof(text), s) != 0)
		return false;
	w = names != NULL ? ipfw_word_find(names, text) : NULL;
	if (w != NULL) {
		i->range.lo = i->range.hi = (uint16_t)w->value;
		return true;
	}
	dash = strchr(text, '-');
	if (dash != NULL)
		*dash = '\0';
	if (str_u32(text, 0, 0, max, &lo) != 0) {
		w = names != NULL ? ipfw_word_find(names, text) : NULL;
		if (w == NULL)
			return false;
		lo = w->value;
	}
	hi = lo;
	if (dash != NULL && dash[1] == '\0') {
		hi = max;
	} else if (dash != NULL && str_u32(dash + 1, 0, 0, max, &hi) != 0) {
		w = names != NULL ? ipfw_word_find(names, dash + 1) : NULL;
		if (w == NULL)
			return false;
		hi = w->value;
	}
	if (hi < lo)
		return false;
	i->range.lo = (uint16_t)lo;
	i->range.hi = (uint16_t)hi;
	return true;
}

static bool
port_item(struct parser *p, const char *s, struct ipfw_insn *i)
{
	return range_text(s, ipfw_services, 65535, i) ||
	       fail(p, IPFW_EX_DATAERR, "invalid port ``%.64s''", s);
}

static bool
ethertype_item(struct parser *p, const char *s, struct ipfw_insn *i)
{
	return range_text(s, ipfw_ethertypes, 65535, i) ||
	       fail(p, IPFW_EX_DATAERR, "invalid type ``%.64s''", s);
}

static bool
number_item(struct parser *p, const char *s, struct ipfw_insn *i)
{
	return range_text(s, NULL, i->op == IPFW_OP_TTL ? 255 : 65535, i) ||
	       fail(p, IPFW_EX_DATAERR, "invalid number ``%.64s''", s);
}

/* Is the word a list of ports? */
static bool
is_ports(const char *s)
{
	struct ipfw_insn i;
	char text[64];
	size_t len;

	if (s == NULL)
		return false;
	if (s[0] >= '0' && s[0] <= '9')
		return true;
	len = strcspn(s, ",");
	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	return range_text(text, ipfw_services, 65535, &i);
}

int
ipfw_parse_mac(const char *s, uint8_t addr[6], uint8_t mask[6])
{
	size_t len = strcspn(s, "/&");
	char text[ETH_ADDR_STRLEN];
	uint32_t bits;

	if (strcasecmp(s, "any") == 0) {
		memset(addr, 0, 6);
		memset(mask, 0, 6);
		return 0;
	}
	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, len);
	text[len] = '\0';
	if (ether_parse(text, addr) != 0)
		return -EINVAL;
	memset(mask, 0xff, 6);
	if (s[len] == '/') {
		if (str_u32(s + len + 1, 10, 0, 48, &bits) != 0)
			return -EINVAL;
		for (uint32_t i = 0; i < 6; i++) {
			uint32_t n = bits > 8 * i ? bits - 8 * i : 0;

			mask[i] = n >= 8 ? 0xff : (uint8_t)(0xff00u >> n);
		}
	} else if (s[len] == '&' && ether_parse(s + len + 1, mask) != 0) {
		return -EINVAL;
	}
	for (int i = 0; i < 6; i++)
		addr[i] &= mask[i];
	return 0;
}

/* --- blocks --------------------------------------------------------------- */

struct context;
typedef bool item_fn(struct parser *p, enum ipfw_op op, enum ipfw_part part);

/* "[not] ITEM", or "{ [not] ITEM or ... }". */
static bool
block(struct parser *p, enum ipfw_op op, enum ipfw_part part, item_fn *one)
{
	const char *close = NULL;
	bool first = true;

	if (take(p, "{"))
		close = "}";
	else if (take(p, "("))
		close = ")";
	for (;;) {
		uint32_t start = p->out->count;
		bool not = take(p, "not");

		if (!one(p, op, part))
			return false;
		if (p->out->count > start) {
			if (not )
				p->out->insns[start].flags |= IPFW_NOT;
			if (!first)
				p->out->insns[start].flags |= IPFW_OR;
			first = false;
		} else if (not || close != NULL) {
			return fail(p, IPFW_EX_USAGE,
			    "what is always true, in an or-block or with not");
		}
		if (close == NULL) {
			if (is_word(peek(p), "or"))
				return fail(p, IPFW_EX_USAGE,
				    "invalid OR block: or outside of braces");
			return true;
		}
		if (take(p, close))
			return true;
		if (!take(p, "or"))
			return fail(p, IPFW_EX_USAGE,
			    peek(p) == NULL ? "missing ``%s''"
			                    : "invalid OR block: no ``%s''",
			    close);
	}
}

static bool
protocol(struct parser *p, enum ipfw_op op, enum ipfw_part part)
{
	const char *s = need(p, "protocol");
	const struct ipfw_word *w;
	struct ipfw_insn *i;
	uint32_t num = 0;

	(void)op;
	if (s == NULL)
		return false;
	if (is_word(s, "ip") || is_word(s, "all"))
		return true;
	if (is_word(s, "ip4") || is_word(s, "ipv4") || is_word(s, "ip6") ||
	    is_word(s, "ipv6")) {
		i = add(p, IPFW_OP_VERSION, part);
		if (i != NULL)
			i->num = (uint32_t)(s[strlen(s) - 1] - '0');
		return i != NULL;
	}
	w = ipfw_word_find(ipfw_protocols, s);
	if (w != NULL)
		num = w->value;
	else if (str_u32(s, 10, 0, 255, &num) != 0)
		return fail(
		    p, IPFW_EX_DATAERR, "invalid protocol ``%.64s''", s);
	i = add(p, IPFW_OP_PROTO, part);
	if (i != NULL)
		i->num = num;
	/* By number, 0 is a protocol; hop-by-hop options are never the last. */
	return i != NULL;
}

static bool
address(struct parser *p, enum ipfw_op op, enum ipfw_part part)
{
	const char *s = need(p, op == IPFW_OP_SRC_IP4 ? "from" : "to");

	if (s == NULL)
		return false;
	if (is_word(s, "any"))
		return true;
	if (is_word(s, "any6") || is_word(s, "any4")) {
		struct ipfw_insn *i = add(p, IPFW_OP_VERSION, part);

		if (i != NULL)
			i->num = (uint32_t)(s[3] - '0');
		return i != NULL;
	}
	return list(p, s, op, part, addr_item);
}

static bool
ports(struct parser *p, enum ipfw_op op, enum ipfw_part part)
{
	const char *s = need(p, "port");

	if (s == NULL)
		return false;
	return is_word(s, "any") || list(p, s, op, part, port_item);
}

/* Are there ports now? */
static bool
at_ports(const struct parser *p)
{
	const char *s = peek(p);

	if (is_word(s, "not"))
		s = peek_after(p);
	else if (is_word(s, "{") || is_word(s, "("))
		s = is_word(peek_after(p), "not") && p->at + 2 < p->count
		        ? p->words[p->at + 2]
		        : peek_after(p);
	return is_word(s, "any") || is_ports(s);
}

/* --- options -------------------------------------------------------------- */

struct option;
typedef bool option_fn(struct parser *p, const struct option *o);
struct option {
	const char *name;
	option_fn *parse;
	enum ipfw_op op;
	const void *arg; /* of the function: a table of words, a reason */
	uint32_t max;
};

static bool
opt_flag(struct parser *p, const struct option *o)
{
	return add(p, o->op, IPFW_PART_OPTIONS) != NULL;
}

static bool
opt_setup(struct parser *p, const struct option *o)
{
	struct ipfw_insn *i = add(p, o->op, IPFW_PART_OPTIONS);

	if (i == NULL)
		return false;
	i->bits.on = 0x02;
	i->bits.off = 0x10;
	i->flags |= IPFW_WORD;
	return true;
}

/* "syn,!ack": words of the table o->arg. */
static bool
bits_text(struct parser *p, const struct option *o, const char *s,
    struct ipfw_insn *i)
{
	char text[128];
	char *at = text, *word;

	if (str_copy(text, sizeof(text), s) != 0)
		return fail(p, IPFW_EX_DATAERR, "invalid %s %.64s", o->name, s);
	while ((word = strsep(&at, ",")) != NULL) {
		bool off = *word == '!';
		const struct ipfw_word *w = ipfw_word_find(o->arg, word + off);

		if (w == NULL)
			return fail(p, IPFW_EX_DATAERR,
			    "invalid flag ``%.64s'' in %s", word, o->name);
		if (off)
			i->bits.off |= (uint8_t)w->value;
		else
			i->bits.on |= (uint8_t)w->value;
	}
	if ((i->bits.on & i->bits.off) != 0)
		return fail(p, IPFW_EX_DATAERR,
		    "%s ``%.64s'' contradicts itself", o->name, s);
	return true;
}

static bool
opt_bits(struct parser *p, const struct option *o)
{
	const char *s = need(p, o->name);
	struct ipfw_insn *i =
	    s != NULL ? add(p, o->op, IPFW_PART_OPTIONS) : NULL;

	return i != NULL && bits_text(p, o, s, i);
}

/* "frag", alone, is any fragment but the first. */
static bool
opt_frag(struct parser *p, const struct option *o)
{
	const char *s = peek(p);
	struct ipfw_insn *i = add(p, o->op, IPFW_PART_OPTIONS);
	char first[16];
	size_t len;

	if (i == NULL)
		return false;
	if (s != NULL) {
		s += *s == '!';
		len = strcspn(s, ",");
		if (len < sizeof(first)) {
			memcpy(first, s, len);
			first[len] = '\0';
			if (ipfw_word_find(ipfw_frags, first) != NULL)
				return bits_text(p, o, p->words[p->at++], i);
		}
	}
	i->bits.on = IPFW_FRAG_OFFSET;
	return true;
}

static bool
opt_iface(struct parser *p, const struct option *o)
{
	const char *s = need(p, o->name);
	struct ipfw_insn *i =
	    s != NULL ? add(p, o->op, IPFW_PART_OPTIONS) : NULL;
	uint8_t a[16];
	uint32_t prefix;

	if (i == NULL)
		return false;
	if (is_table(s)) {
		i->op = (uint8_t)(o->op - IPFW_OP_VIA + IPFW_OP_VIA_TABLE);
		return table_item(p, s, i);
	}
	if (ipfw_parse_addr(s, a, &prefix) > 0)
		return fail(p, IPFW_EX_DATAERR,
		    "%s ``%.64s'': interfaces go by name, not by address",
		    o->name, s);
	if (str_copy(i->name, sizeof(i->name), s) != 0 || *s == '\0')
		return fail(
		    p, IPFW_EX_DATAERR, "bad interface name ``%.64s''", s);
	return true;
}

static bool
opt_numbers(struct parser *p, const struct option *o)
{
	const char *s = need(p, o->name);

	return s != NULL &&
	       list(p, s, o->op, IPFW_PART_OPTIONS,
	           o->op == IPFW_OP_MAC_TYPE ? ethertype_item
	           : o->op == IPFW_OP_SRC_PORT || o->op == IPFW_OP_DST_PORT
	               ? port_item
	               : number_item);
}

static bool
opt_number(struct parser *p, const struct option *o)
{
	const char *s = need(p, o->name);
	struct ipfw_insn *i =
	    s != NULL ? add(p, o->op, IPFW_PART_OPTIONS) : NULL;

	if (i == NULL)
		return false;
	return str_u32(s, 0, 0, o->max, &i->num) == 0 ||
	       fail(p, IPFW_EX_DATAERR, "invalid %s ``%.64s''", o->name, s);
}

/* Types of ICMP, or of DSCP with the names of o->arg: into a set. */
static bool
opt_set(struct parser *p, const struct option *o)
{
	const char *s = need(p, o->name);
	struct ipfw_insn *i =
	    s != NULL ? add(p, o->op, IPFW_PART_OPTIONS) : NULL;
	char text[512];
	char *at = text, *word;

	if (i == NULL)
		return false;
	if (str_copy(text, sizeof(text), s) != 0)
		return fail(p, IPFW_EX_DATAERR, "%s: list too long", o->name);
	while ((word = strsep(&at, ",")) != NULL) {
		const struct ipfw_word *w =
		    o->arg != NULL ? ipfw_word_find(o->arg, word) : NULL;
		uint32_t v;

		if (w != NULL)
			v = w->value;
		else if (str_u32(word, 0, 0, o->max, &v) != 0)
			return fail(p, IPFW_EX_DATAERR, "invalid %s ``%.64s''",
			    o->name, word);
		i->set.bits[v / 64] |= 1ull << v % 64;
	}
	return true;
}

static bool
opt_address(struct parser *p, const struct option *o)
{
	uint32_t start = p->out->count;
	const char *s = need(p, o->name);

	if (s == NULL || !list(p, s, o->op, IPFW_PART_OPTIONS, addr_item))
		return false;
	for (uint32_t i = start; o->max == 6 && i < p->out->count; i++) {
		uint8_t op = p->out->insns[i].op;

		if (op == IPFW_OP_SRC_IP4 || op == IPFW_OP_DST_IP4 ||
		    op == IPFW_OP_SRC_SET || op == IPFW_OP_DST_SET)
			return fail(p, IPFW_EX_DATAERR,
			    "%s: not an IPv6 address: ``%.64s''", o->name, s);
		p->out->insns[i].flags |= IPFW_WORD;
	}
	return true;
}

static bool
opt_proto(struct parser *p, const struct option *o)
{
	return protocol(p, o->op, IPFW_PART_OPTIONS);
}

static bool
opt_mac2(struct parser *p, const struct option *o)
{
	const char *dst = need(p, o->name);
	const char *src = dst != NULL ? need(p, o->name) : NULL;
	struct ipfw_insn *i =
	    src != NULL ? add(p, o->op, IPFW_PART_OPTIONS) : NULL;

	if (i == NULL)
		return false;
	if (ipfw_parse_mac(dst, i->mac.dst, i->mac.dst_mask) != 0 ||
	    ipfw_parse_mac(src, i->mac.src, i->mac.src_mask) != 0)
		return fail(p, IPFW_EX_DATAERR,
		    "invalid MAC address in ``%.64s %.64s''", dst, src);
	return true;
}

static bool
opt_mac1(struct parser *p, const struct option *o)
{
	bool is_src = o->op == IPFW_OP_SRC_MAC;
	const char *s = need(p, o->name);
	struct ipfw_insn *i =
	    s != NULL ? add(p, o->op, IPFW_PART_OPTIONS) : NULL;

	if (i == NULL)
		return false;
	if (is_table(s)) {
		i->op = is_src ? IPFW_OP_SRC_MAC_TABLE : IPFW_OP_DST_MAC_TABLE;
		return table_item(p, s, i);
	}
	return ipfw_parse_mac(s, is_src ? i->mac.src : i->mac.dst,
	           is_src ? i->mac.src_mask : i->mac.dst_mask) == 0 ||
	       fail(p, IPFW_EX_DATAERR, "invalid MAC address ``%.64s''", s);
}

/* ":NAME", if it is there. */
static bool
state_name(struct parser *p, char name[IPFW_NAME_MAX])
{
	const char *s = peek(p);

	memcpy(name, "default", sizeof("default"));
	if (s == NULL || *s != ':')
		return true;
	p->at++;
	if (!name_good(s + 1))
		return fail(
		    p, IPFW_EX_DATAERR, "invalid state name ``%.64s''", s);
	memcpy(name, s + 1, strlen(s));
	return true;
}

/* One of a rule, and neither negated nor an alternative. */
static bool
state_alone(struct parser *p, const struct option *o)
{
	const char *before = p->at >= 2 ? p->words[p->at - 2] : "";

	for (uint32_t i = 0; i < p->out->count; i++)
		if (p->out->insns[i].op == IPFW_OP_KEEP_STATE ||
		    p->out->insns[i].op == IPFW_OP_LIMIT)
			return fail(p, IPFW_EX_USAGE,
			    "only one of keep-state and limit is allowed");
	if (p->out->head.action == IPFW_CHECK_STATE)
		return fail(p, IPFW_EX_USAGE,
		    "%s is not allowed with check-state", o->name);
	if (is_word(before, "not") || is_word(before, "or") ||
	    is_word(before, "{"))
		return fail(p, IPFW_EX_USAGE,
		    "%s cannot be negated, nor in an or block", o->name);
	return true;
}

static bool
opt_keep_state(struct parser *p, const struct option *o)
{
	struct ipfw_insn *i;

	if (!state_alone(p, o))
		return false;
	i = add(p, o->op, IPFW_PART_OPTIONS);
	return i != NULL && state_name(p, i->state.name);
}

static bool
opt_limit(struct parser *p, const struct option *o)
{
	const struct ipfw_word *w;
	struct ipfw_insn *i;
	const char *s;

	if (!state_alone(p, o))
		return false;
	i = add(p, o->op, IPFW_PART_OPTIONS);
	if (i == NULL)
		return false;
	while ((s = peek(p)) != NULL &&
	       (w = ipfw_word_find(ipfw_limits, s)) != NULL) {
		i->state.by |= w->value;
		p->at++;
	}
	if (i->state.by == 0)
		return fail(
		    p, IPFW_EX_USAGE, "limit needs mask and # of connections");
	s = need(p, o->name);
	if (s == NULL)
		return false;
	if (str_u32(s, 0, 1, 65535, &i->state.max) != 0)
		return fail(p, IPFW_EX_DATAERR,
		    "invalid limit ``%.64s'': 1 to 65535", s);
	return state_name(p, i->state.name);
}

static bool
opt_lookup(struct parser *p, const struct option *o)
{
	const char *key = need(p, o->name), *name;
	const struct ipfw_word *w;
	struct ipfw_insn *i;

	if (key == NULL)
		return false;
	w = ipfw_word_find(ipfw_lookups, key);
	if (w == NULL)
		return fail(p, IPFW_EX_USAGE,
		    "lookup by ``%.64s'': by dst-ip, src-ip, dst-port, "
		    "src-port, dst-mac, src-mac or dscp",
		    key);
	name = need(p, o->name);
	i = name != NULL ? add(p, o->op, IPFW_PART_OPTIONS) : NULL;
	if (i == NULL)
		return false;
	if (!name_good(name))
		return fail(
		    p, IPFW_EX_DATAERR, "invalid table name ``%.64s''", name);
	memcpy(i->table.name, name, strlen(name) + 1);
	i->table.key = (uint8_t)w->value;
	return true;
}

static bool
opt_refused(struct parser *p, const struct option *o)
{
	return fail(p, IPFW_EX_UNAVAILABLE, "%s is not supported: %s", o->name,
	    (const char *)o->arg);
}

static const char no_sockets[] = "frames have no sockets here, and no owners";
static const char no_routes[] = "there is no routing table here";
static const char no_divert[] = "no frames leave for divert sockets";
static const char no_ipsec[] = "there is no IPsec here";
static const char no_tags[] = "frames carry no tags of other subsystems";
static const char no_flow[] = "flow labels are not matched";
static const char no_later[] =
    "a rule keeps state or does not; see keep-state and limit";

static const struct option options[] = {
	{ "in", opt_flag, IPFW_OP_IN, NULL, 0 },
	{ "out", opt_flag, IPFW_OP_OUT, NULL, 0 },
	{ "layer2", opt_flag, IPFW_OP_LAYER2, NULL, 0 },
	{ "bridged", opt_flag, IPFW_OP_BRIDGED, NULL, 0 },
	{ "via", opt_iface, IPFW_OP_VIA, NULL, 0 },
	{ "recv", opt_iface, IPFW_OP_RECV, NULL, 0 },
	{ "xmit", opt_iface, IPFW_OP_XMIT, NULL, 0 },
	{ "established", opt_flag, IPFW_OP_ESTABLISHED, NULL, 0 },
	{ "estab", opt_flag, IPFW_OP_ESTABLISHED, NULL, 0 },
	{ "setup", opt_setup, IPFW_OP_TCPFLAGS, NULL, 0 },
	{ "tcpflags", opt_bits, IPFW_OP_TCPFLAGS, ipfw_tcpflags, 0 },
	{ "tcpflgs", opt_bits, IPFW_OP_TCPFLAGS, ipfw_tcpflags, 0 },
	{ "tcpoptions", opt_bits, IPFW_OP_TCPOPTIONS, ipfw_tcpoptions, 0 },
	{ "tcpopts", opt_bits, IPFW_OP_TCPOPTIONS, ipfw_tcpoptions, 0 },
	{ "tcpdatalen", opt_numbers, IPFW_OP_TCPDATALEN, NULL, 0 },
	{ "tcpwin", opt_numbers, IPFW_OP_TCPWIN, NULL, 0 },
	{ "tcpack", opt_number, IPFW_OP_TCPACK, NULL, UINT32_MAX },
	{ "tcpseq", opt_number, IPFW_OP_TCPSEQ, NULL, UINT32_MAX },
	{ "icmptypes", opt_set, IPFW_OP_ICMPTYPES, NULL, 255 },
	{ "icmptype", opt_set, IPFW_OP_ICMPTYPES, NULL, 255 },
	{ "icmp6types", opt_set, IPFW_OP_ICMP6TYPES, NULL, 255 },
	{ "icmp6type", opt_set, IPFW_OP_ICMP6TYPES, NULL, 255 },
	{ "frag", opt_frag, IPFW_OP_FRAG, ipfw_frags, 0 },
	{ "ipoptions", opt_bits, IPFW_OP_IPOPTIONS, ipfw_ipoptions, 0 },
	{ "ipopts", opt_bits, IPFW_OP_IPOPTIONS, ipfw_ipoptions, 0 },
	{ "iplen", opt_numbers, IPFW_OP_IPLEN, NULL, 0 },
	{ "ipid", opt_numbers, IPFW_OP_IPID, NULL, 0 },
	{ "ipttl", opt_numbers, IPFW_OP_TTL, NULL, 0 },
	{ "ttl", opt_numbers, IPFW_OP_TTL, NULL, 0 },
	{ "iptos", opt_bits, IPFW_OP_TOS, ipfw_iptos, 0 },
	{ "tos", opt_bits, IPFW_OP_TOS, ipfw_iptos, 0 },
	{ "dscp", opt_set, IPFW_OP_DSCP, ipfw_dscps, 63 },
	{ "ipversion", opt_number, IPFW_OP_IPVER, NULL, 15 },
	{ "ipver", opt_number, IPFW_OP_IPVER, NULL, 15 },
	{ "ipprecedence", opt_number, IPFW_OP_PRECEDENCE, NULL, 7 },
	{ "ippre", opt_number, IPFW_OP_PRECEDENCE, NULL, 7 },
	{ "src-ip", opt_address, IPFW_OP_SRC_IP4, NULL, 0 },
	{ "dst-ip", opt_address, IPFW_OP_DST_IP4, NULL, 0 },
	{ "src-ip6", opt_address, IPFW_OP_SRC_IP4, NULL, 6 },
	{ "src-ipv6", opt_address, IPFW_OP_SRC_IP4, NULL, 6 },
	{ "dst-ip6", opt_address, IPFW_OP_DST_IP4, NULL, 6 },
	{ "dst-ipv6", opt_address, IPFW_OP_DST_IP4, NULL, 6 },
	{ "src-port", opt_numbers, IPFW_OP_SRC_PORT, NULL, 0 },
	{ "dst-port", opt_numbers, IPFW_OP_DST_PORT, NULL, 0 },
	{ "proto", opt_proto, IPFW_OP_PROTO, NULL, 0 },
	{ "MAC", opt_mac2, IPFW_OP_MAC, NULL, 0 },
	{ "src-mac", opt_mac1, IPFW_OP_SRC_MAC, NULL, 0 },
	{ "dst-mac", opt_mac1, IPFW_OP_DST_MAC, NULL, 0 },
	{ "mac-type", opt_numbers, IPFW_OP_MAC_TYPE, NULL, 0 },
	{ "lookup", opt_lookup, IPFW_OP_LOOKUP, NULL, 0 },
	{ "keep-state", opt_keep_state, IPFW_OP_KEEP_STATE, NULL, 0 },
	{ "limit", opt_limit, IPFW_OP_LIMIT, NULL, 0 },
	/* Refused. */
	{ "uid", opt_refused, IPFW_OPS, no_sockets, 0 },
	{ "gid", opt_refused, IPFW_OPS, no_sockets, 0 },
	{ "jail", opt_refused, IPFW_OPS, no_sockets, 0 },
	{ "sockarg", opt_refused, IPFW_OPS, no_sockets, 0 },
	{ "verrevpath", opt_refused, IPFW_OPS, no_routes, 0 },
	{ "versrcreach", opt_refused, IPFW_OPS, no_routes, 0 },
	{ "antispoof", opt_refused, IPFW_OPS, no_routes, 0 },
	{ "fib", opt_refused, IPFW_OPS, no_routes, 0 },
	{ "diverted", opt_refused, IPFW_OPS, no_divert, 0 },
	{ "diverted-loopback", opt_refused, IPFW_OPS, no_divert, 0 },
	{ "diverted-output", opt_refused, IPFW_OPS, no_divert, 0 },
	{ "ipsec", opt_refused, IPFW_OPS, no_ipsec, 0 },
	{ "tagged", opt_refused, IPFW_OPS, no_tags, 0 },
	{ "mark", opt_refused, IPFW_OPS, no_tags, 0 },
	{ "flow-id", opt_refused, IPFW_OPS, no_flow, 0 },
	{ "flow", opt_refused, IPFW_OPS, no_flow, 0 },
	{ "ext6hdr", opt_refused, IPFW_OPS, "extension headers are passed over",
	    0 },
	{ "record-state", opt_refused, IPFW_OPS, no_later, 0 },
	{ "set-limit", opt_refused, IPFW_OPS, no_later, 0 },
	{ "defer-immediate-action", opt_refused, IPFW_OPS, no_later, 0 },
	{ "defer-action", opt_refused, IPFW_OPS, no_later, 0 },
};

static const struct option *
option_find(const char *s)
{
	for (size_t i = 0; s != NULL && i < ARRAY_LEN(options); i++)
		if (strcasecmp(options[i].name, s) == 0)
			return &options[i];
	return NULL;
}

static bool
one_option(struct parser *p, enum ipfw_op op, enum ipfw_part part)
{
	const char *s = need(p, "option");
	const struct option *o = option_find(s);

	(void)op, (void)part;
	if (s == NULL)
		return false;
	if (o == NULL)
		return fail(
		    p, IPFW_EX_USAGE, "unrecognised option ``%.64s''", s);
	return o->parse(p, o);
}

/* --- actions -------------------------------------------------------------- */

enum takes {
	TAKES_NOTHING,
	TAKES_RULE,   /* a rule's number, or tablearg */
	TAKES_NUMBER, /* of a pipe or queue, or tablearg */
	TAKES_CODE,
	TAKES_CODE6,
	TAKES_STATE,
	TAKES_REFUSED,
};

static const char no_forward[] = "the bridge sends by address table";
static const char no_nat[] = "addresses are not rewritten";
static const char no_call[] = "rules are loop-free: use skipto";
static const char no_netgraph[] = "there is no netgraph";
static const char no_set[] = "packets are not rewritten";
static const char no_reass[] = "fragments stay what they are";

static const struct action {
	const char *name;
	enum ipfw_action action;
	enum takes takes;
	const char *why;
} actions[] = {
	{ "allow", IPFW_ALLOW, TAKES_NOTHING, NULL },
	{ "accept", IPFW_ALLOW, TAKES_NOTHING, NULL },
	{ "pass", IPFW_ALLOW, TAKES_NOTHING, NULL },
	{ "permit", IPFW_ALLOW, TAKES_NOTHING, NULL },
	{ "deny", IPFW_DENY, TAKES_NOTHING, NULL },
	{ "drop", IPFW_DENY, TAKES_NOTHING, NULL },
	{ "count", IPFW_COUNT, TAKES_NOTHING, NULL },
	{ "skipto", IPFW_SKIPTO, TAKES_RULE, NULL },
	{ "reject", IPFW_REJECT, TAKES_NOTHING, NULL },
	{ "reset", IPFW_RESET, TAKES_NOTHING, NULL },
	{ "reset6", IPFW_RESET6, TAKES_NOTHING, NULL },
	{ "unreach", IPFW_UNREACH, TAKES_CODE, NULL },
	{ "unreach6", IPFW_UNREACH6, TAKES_CODE6, NULL },
	{ "pipe", IPFW_PIPE, TAKES_NUMBER, NULL },
	{ "queue", IPFW_QUEUE, TAKES_NUMBER, NULL },
	{ "check-state", IPFW_CHECK_STATE, TAKES_STATE, NULL },
	{ "fwd", IPFW_ACTIONS, TAKES_REFUSED, no_forward },
	{ "forward", IPFW_ACTIONS, TAKES_REFUSED, no_forward },
	{ "divert", IPFW_ACTIONS, TAKES_REFUSED, no_divert },
	{ "tee", IPFW_ACTIONS, TAKES_REFUSED, no_divert },
	{ "nat", IPFW_ACTIONS, TAKES_REFUSED, no_nat },
	{ "nat64lsn", IPFW_ACTIONS, TAKES_REFUSED, no_nat },
	{ "nat64stl", IPFW_ACTIONS, TAKES_REFUSED, no_nat },
	{ "nat64clat", IPFW_ACTIONS, TAKES_REFUSED, no_nat },
	{ "nptv6", IPFW_ACTIONS, TAKES_REFUSED, no_nat },
	{ "call", IPFW_ACTIONS, TAKES_REFUSED, no_call },
	{ "return", IPFW_ACTIONS, TAKES_REFUSED, no_call },
	{ "netgraph", IPFW_ACTIONS, TAKES_REFUSED, no_netgraph },
	{ "ngtee", IPFW_ACTIONS, TAKES_REFUSED, no_netgraph },
	{ "setfib", IPFW_ACTIONS, TAKES_REFUSED, no_routes },
	{ "setdscp", IPFW_ACTIONS, TAKES_REFUSED, no_set },
	{ "setmark", IPFW_ACTIONS, TAKES_REFUSED, no_tags },
	{ "tcp-setmss", IPFW_ACTIONS, TAKES_REFUSED, no_set },
	{ "abort", IPFW_ACTIONS, TAKES_REFUSED, "SCTP is not answered" },
	{ "abort6", IPFW_ACTIONS, TAKES_REFUSED, "SCTP is not answered" },
	{ "tag", IPFW_ACTIONS, TAKES_REFUSED, no_tags },
	{ "untag", IPFW_ACTIONS, TAKES_REFUSED, no_tags },
	{ "altq", IPFW_ACTIONS, TAKES_REFUSED, no_tags },
	{ "reass", IPFW_ACTIONS, TAKES_REFUSED, no_reass },
	{ "eaction", IPFW_ACTIONS, TAKES_REFUSED, no_netgraph },
};

static bool
action_arg(struct parser *p, const struct action *a)
{
	struct ipfw_head *h = &p->out->head;
	const struct ipfw_word *w;
	const char *s;

	switch (a->takes) {
	case TAKES_NOTHING:
		return true;
	case TAKES_STATE:
		return state_name(p, h->state);
	case TAKES_REFUSED:
		return fail(p, IPFW_EX_UNAVAILABLE, "%s is not supported: %s",
		    a->name, a->why);
	case TAKES_RULE:
	case TAKES_NUMBER:
	case TAKES_CODE:
	case TAKES_CODE6:
		break;
	}
	s = need(p, a->name);
	if (s == NULL)
		return false;
	if (a->takes == TAKES_RULE || a->takes == TAKES_NUMBER) {
		if (is_word(s, "tablearg")) {
			h->arg = IPFW_TABLEARG;
			return true;
		}
		return str_u32(s, 10, 1, 65534, &h->arg) == 0 ||
		       fail(p, IPFW_EX_DATAERR,
		           "illegal argument for %s: ``%.64s''", a->name, s);
	}
	w = ipfw_word_find(
	    a->takes == TAKES_CODE ? ipfw_unreach_codes : ipfw_unreach6_codes,
	    s);
	if (w != NULL) {
		h->arg = w->value;
		return true;
	}
	return str_u32(s, 0, 0, 255, &h->arg) == 0 ||
	       fail(p, IPFW_EX_DATAERR, "unknown ICMP code ``%.64s''", s);
}

static bool
action(struct parser *p)
{
	const char *s = need(p, "action");
	const struct action *a = NULL;

	if (s == NULL)
		return false;
	for (size_t i = 0; a == NULL && i < ARRAY_LEN(actions); i++)
		if (strcasecmp(actions[i].name, s) == 0)
			a = &actions[i];
	if (a == NULL)
		return fail(p, IPFW_EX_DATAERR, "invalid action ``%.64s''", s);
	p->out->head.action = a->action;
	return action_arg(p, a);
}

/* "0.25": of IPFW_WHOLE. */
static bool
probability(struct parser *p)
{
	const char *s = need(p, "prob"), *digits;
	uint64_t v = 0, unit = IPFW_WHOLE;

	if (s == NULL)
		return false;
	digits = s;
	for (; *s >= '0' && *s <= '9' && v <= 1; s++)
		v = 10 * v + (uint64_t)(*s - '0');
	v *= IPFW_WHOLE;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++) {
			unit /= 10;
			v += (uint64_t)(*s - '0') * unit;
		}
	if (*s != '\0' || s == digits || v == 0 || v > IPFW_WHOLE)
		return fail(p, IPFW_EX_DATAERR, "illegal match prob. ``%.64s''",
		    digits);
	p->out->head.prob = v == IPFW_WHOLE ? 0 : (uint32_t)v;
	return true;
}

static bool
head(struct parser *p)
{
	struct ipfw_head *h = &p->out->head;
	const char *s = peek(p);

	if (s != NULL && *s >= '0' && *s <= '9') {
		if (str_u32(s, 10, 0, IPFW_NUMBER_MAX - 1, &h->number) != 0)
			return fail(p, IPFW_EX_DATAERR,
			    "invalid rule number ``%.64s''", s);
		p->at++;
	}
	if (take(p, "set")) {
		s = need(p, "set");
		if (s == NULL)
			return false;
		if (str_u32(s, 10, 0, IPFW_SETS - 1, &h->set) != 0)
			return fail(
			    p, IPFW_EX_DATAERR, "illegal set ``%.64s''", s);
	}
	if (take(p, "prob") && !probability(p))
		return false;
	if (!action(p))
		return false;
	if (take(p, "log")) {
		h->log = true;
		if (take(p, "logamount")) {
			s = need(p, "logamount");
			if (s == NULL)
				return false;
			if (str_u32(s, 10, 0, UINT32_MAX, &h->log_max) != 0)
				return fail(p, IPFW_EX_DATAERR,
				    "logamount argument must be a number: "
				    "``%.64s''",
				    s);
			h->log_max_said = true;
		}
	}
	s = peek(p);
	if (is_word(s, "altq") || is_word(s, "tag") || is_word(s, "untag"))
		return fail(p, IPFW_EX_UNAVAILABLE, "%s is not supported: %s",
		    s, no_tags);
	return true;
}

/* --- the whole ------------------------------------------------------------ */

/* "PROTO from A [PORTS] to B [PORTS]" */
static bool
body(struct parser *p)
{
	if (!block(p, IPFW_OP_PROTO, IPFW_PART_PROTO, protocol))
		return false;
	if (!take(p, "from"))
		return fail(p, IPFW_EX_USAGE, "missing ``from''");
	if (!block(p, IPFW_OP_SRC_IP4, IPFW_PART_SRC, address))
		return false;
	if (at_ports(p) && !block(p, IPFW_OP_SRC_PORT, IPFW_PART_SPORT, ports))
		return false;
	if (!take(p, "to"))
		return fail(p, IPFW_EX_USAGE, "missing ``to''");
	if (!block(p, IPFW_OP_DST_IP4, IPFW_PART_DST, address))
		return false;
	return !at_ports(p) ||
	       block(p, IPFW_OP_DST_PORT, IPFW_PART_DPORT, ports);
}

/* Does a body begin here, or do options? */
static bool
at_body(const struct parser *p)
{
	const char *s = peek(p);

	if (is_word(s, "not") || is_word(s, "{") || is_word(s, "("))
		s = peek_after(p);
	if (is_word(s, "not") && p->at + 2 < p->count)
		s = p->words[p->at + 2];
	return s != NULL && option_find(s) == NULL;
}

static bool
rule(struct parser *p)
{
	if (!head(p))
		return false;
	if (p->at == p->count) {
		/* "check-state", "count", with everything left out. */
		return p->out->head.action == IPFW_CHECK_STATE ||
		       fail(p, IPFW_EX_USAGE, "missing ``from''");
	}
	if (at_body(p) && !body(p))
		return false;
	while (p->at < p->count)
		if (!block(p, IPFW_OPS, IPFW_PART_OPTIONS, one_option))
			return false;
	return true;
}

int
ipfw_parse(const char *const *words, uint32_t count, struct ipfw_text *out,
    struct ipfw_error *error)
{
	struct ipfw_text *t = calloc(1, sizeof(*t));
	struct parser *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	*error = (struct ipfw_error){ IPFW_EX_OSERR, "no memory" };
	if (p != NULL && t != NULL) {
		p->out = t;
		p->error = error;
		err = join(p, words, count) && rule(p) ? 0 : -EINVAL;
	}
	if (err == 0)
		*out = *t;
	free(p);
	free(t);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of an ifconfig line into operations.
 *
 * A word is looked up in the kind's own rows, in specials[] here, and in
 * ifconfig_common_words[], in this order. What is none of them is an address
 * of the current family, as in BSD: the first is the interface's, the second
 * the far end's. All words about one address (netmask, alias ...) make one
 * operation, which runs after all others, as BSD defers it; a family word
 * starts the next.
 *
 * Differs: an IPv4 address is four numbers (BSD takes "5" for 0.0.0.5) and,
 * as in FreeBSD 15, needs its mask; families may stand anywhere in the line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "base/vlanset.h"
#include "control/bsderr.h"
#include "control/ifconfig_impl.h"
#include "pipe/impair.h"

/* Where the parser stands. */
struct parse {
	struct ifconfig_run *run;
	uint32_t next;           /* word to read */
	int family;              /* AF_UNSPEC: link */
	const char *family_word; /* waits for its address */
	struct ifc_addr addr;
	struct ifc_addr *addrs; /* finished ones, in order */
	uint32_t addr_count;
};

static const char *
peek(const struct parse *p)
{
	return p->next < p->run->count ? p->run->words[p->next] : NULL;
}

/* The argument of @word. NULL: failed. */
static const char *
take_arg(struct parse *p, const char *word)
{
	const char *s = peek(p);

	if (s == NULL) {
		ifc_fail(p->run, -EINVAL, "'%s' requires argument", word);
		return NULL;
	}
	p->next++;
	return s;
}

static int
bad_value(struct parse *p, const char *value)
{
	return ifc_fail(p->run, -EINVAL, "%.128s: bad value", value);
}

/* Addresses. */

/* BSD gives every IPv4 address one, unless its net is too small or it is one
 * end of a line. */
static void
addr_default_broadcast(struct ifc_addr *a)
{
	struct in_addr in;

	if (a->family != AF_INET || a->mode == IFC_ADDR_DELETE ||
	    a->dst[0] != '\0' || a->broadcast[0] != '\0' || a->prefixlen > 30 ||
	    inet_pton(AF_INET, a->addr, &in) != 1)
		return;
	in.s_addr |= htonl((uint32_t)(0xffffffffu >> a->prefixlen));
	(void)inet_ntop(AF_INET, &in, a->broadcast, sizeof(a->broadcast));
}

static int
addr_finish(struct parse *p)
{
	struct ifc_addr *a = &p->addr, *grown;

	if (a->used) {
		if (a->addr[0] == '\0' && a->mode != IFC_ADDR_DELETE) {
			if (a->extra == NULL)
				goto out_next; /* "alias" alone: nothing */
			ifc_fail(p->run, -EINVAL,
			    "ioctl (SIOCAIFADDR): Invalid argument");
			ifc_detail(p->run, "%s without an address", a->extra);
			return -EINVAL;
		}
		if (a->mode != IFC_ADDR_DELETE && !a->masked) {
			if (a->family == AF_INET6) {
				a->prefixlen = a->dst[0] != '\0' ? 128 : 64;
			} else if (a->dst[0] != '\0') {
				a->prefixlen = 32;
			} else {
				ifc_fail(p->run, -EINVAL,
				    "setting interface address without mask "
				    "is no longer supported");
				ifc_detail(
				    p->run, "write %s/24, or netmask", a->addr);
				return -EINVAL;
			}
		}
		addr_default_broadcast(a);
		grown =
		    reallocarray(p->addrs, p->addr_count + 1, sizeof(*grown));
		if (grown == NULL)
			return ifc_fail(
			    p->run, -ENOMEM, "%s", bsd_strerror(ENOMEM));
		p->addrs = grown;
		p->addrs[p->addr_count++] = *a;
	}
out_next:
	*a = (struct ifc_addr){ 0 };
	return 0;
}

static struct ifc_addr *
addr_use(struct parse *p)
{
	if (!p->addr.used)
		p->addr.word = p->next - 1;
	p->addr.used = true;
	p->addr.family = p->family == AF_INET6 ? AF_INET6 : AF_INET;
	return &p->addr;
}

/* A plain address of @family in canonical form. */
static bool
addr_text(int family, const char *s, char out[INET6_ADDRSTRLEN])
{
	uint8_t bytes[16];

	return inet_pton(family, s, bytes) == 1 &&
	       inet_ntop(family, bytes, out, INET6_ADDRSTRLEN) != NULL;
}

/* The closest word that @kind's interfaces take. */
struct closest {
	const char *word, *best;
	unsigned int distance;
};

static void
closest_try(struct closest *c, const char *name)
{
	unsigned int d = str_distance(c->word, name);

	if (d < c->distance) {
		c->distance = d;
		c->best = name;
	}
}

static void
closest_row(void *arg, const struct iface_keyword *row, bool own)
{
	(void)own;
	closest_try(arg, row->name);
}

static const char *
suggest(const struct parse *p, const char *word)
{
	struct closest c = { .word = word, .distance = 4 };
	size_t len = strlen(word);

	ifconfig_word_list(p->run->kind, closest_row, &c);
	/* A third of the letters may be wrong, not more. */
	return c.best != NULL && c.distance <= (len + 2) / 3 ? c.best : NULL;
}

/* What is neither a word nor an address. */
static int
unknown(struct parse *p, const char *word)
{
	const char *near = suggest(p, word);
	char text[INET6_ADDRSTRLEN], plain[INET6_ADDRSTRLEN + 4];
	int err = bad_value(p, word);

	snprintf(plain, sizeof(plain), "%.*s",
	    (int)COAX_MIN(strcspn(word, "/%"), sizeof(plain) - 1), word);
	if (p->family != AF_INET6 && addr_text(AF_INET6, plain, text))
		ifc_detail(p->run, "an IPv6 address needs the word inet6");
	else if (p->family == AF_INET6 && addr_text(AF_INET, plain, text))
		ifc_detail(p->run, "an IPv4 address needs the word inet");
	else if (near != NULL)
		ifc_detail(p->run,
		    "no word of %s interfaces; did you mean \"%s\"?",
		    p->run->kind->kind, near);
	else
		ifc_detail(p->run,
		    "neither an address nor a word of %s interfaces",
		    p->run->kind->kind);
	return err;
}

/* "ADDR", "ADDR/LEN", "ADDR%ZONE/LEN". */
static int
take_address(struct parse *p, const char *word)
{
	struct ifc_addr *a = &p->addr;
	int family = p->family == AF_INET6 ? AF_INET6 : AF_INET;
	const char *slash = strchr(word, '/');
	size_t len = slash != NULL ? (size_t)(slash - word) : strlen(word);
	const char *zone = memchr(word, '%', len);
	char plain[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN];
	uint32_t width = 0;
	int err;

	if (zone != NULL && family == AF_INET6)
		len = (size_t)(zone - word);
	if (len >= sizeof(plain))
		return unknown(p, word);
	memcpy(plain, word, len);
	plain[len] = '\0';
	if (!addr_text(family, plain, text))
		return unknown(p, word);
	if (slash != NULL) {
		err = str_u32(
		    slash + 1, 10, 0, family == AF_INET ? 32 : 128, &width);
		if (err != 0)
			return ifc_fail(p->run, -EINVAL,
			    "%.128s: bad value (width %s)", word,
			    err == -ERANGE ? "too large" : "invalid");
	}
	if (a->addr[0] != '\0') { /* the far end */
		if (slash != NULL || a->dst[0] != '\0')
			return unknown(p, word);
		memcpy(a->dst, text, sizeof(text));
		return 0;
	}
	a = addr_use(p);
	memcpy(a->addr, text, sizeof(text));
	if (slash != NULL) {
		a->prefixlen = width;
		a->masked = true;
	}
	return 0;
}

static int
take_mac(struct parse *p, const char *word)
{
	struct ifc_op *op;
	uint8_t mac[ETH_ADDR_LEN];
	uint64_t r;

	if (strcmp(word, "random") == 0) {
		r = net_random(p->run->net);
		u64_to_mac(r, mac);
		mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
	} else if (ether_parse(word, mac) != 0) {
		ifc_fail(p->run, -EINVAL, "malformed link-level address");
		ifc_detail(p->run,
		    "\"%.64s\" is not six octets such as 02:00:00:00:00:01",
		    word);
		return -EINVAL;
	}
	op = ifc_op_add(p->run, IFC_LLADDR);
	if (op == NULL)
		return -ENOMEM;
	op->word = p->next - 2;
	op->words = 2;
	memcpy(op->v[0].mac, mac, sizeof(mac));
	/* NetBSD: "link ADDR active" is what is always meant here. */
	if (peek(p) != NULL && strcmp(peek(p), "active") == 0) {
		p->next++;
		op->words++;
	}
	p->family = AF_INET;
	p->family_word = NULL;
	return 0;
}

/* Words with a parser of their own: @word has been taken. */

static int
word_op(struct parse *p, const char *word, enum ifc_kind kind, bool arg)
{
	uint32_t at = p->next - 1;
	const char *s = NULL;
	struct ifc_op *op;

	if (arg) {
		s = take_arg(p, word);
		if (s == NULL)
			return -EINVAL;
	}
	op = ifc_op_add(p->run, kind);
	if (op == NULL)
		return -ENOMEM;
	op->str = s;
	op->word = at;
	op->words = p->next - at;
	return 0;
}

static int
word_destroy(struct parse *p, const char *word)
{
	if (peek(p) != NULL) {
		ifc_fail(p->run, -EINVAL, "'%s' takes no argument", word);
		ifc_detail(p->run, "nothing can follow it");
		return -EINVAL;
	}
	return word_op(p, word, IFC_DESTROY, false);
}

static int
word_name(struct parse *p, const char *word)
{
	return word_op(p, word, IFC_NAME, true);
}

static int
word_vnet(struct parse *p, const char *word)
{
	const char *name = peek(p);

	/* "" is home, which has no name to be called by. */
	if (name != NULL &&
	    (*name == '\0' || net_vnet_named(p->run->net, name) == NULL))
		return ifc_fail(
		    p->run, -ENOENT, "jail \"%.64s\" not found", name);
	return word_op(p, word, IFC_VNET, true);
}

static bool is_word(const struct parse *p, const char *word);

/* The name may be left out: there is but one place to come back to. */
static int
word_rvnet(struct parse *p, const char *word)
{
	const char *name = peek(p);
	char text[INET6_ADDRSTRLEN];
	bool given;

	given = name != NULL && !is_word(p, name) &&
	        !addr_text(AF_INET6, name, text) &&
	        strspn(name, "0123456789./") != strlen(name);
	/* The number of one. */
	if (name != NULL && strspn(name, "0123456789") == strlen(name))
		given = net_vnet_named(p->run->net, name) != NULL;
	if (given && net_vnet_named(p->run->net, name) == NULL)
		return ifc_fail(
		    p->run, -ENOENT, "jail \"%.64s\" not found", name);
	return word_op(p, word, IFC_RVNET, given);
}

static int
word_host(struct parse *p, const char *word)
{
	return word_op(p, word, IFC_HOST, false);
}

static int
word_nohost(struct parse *p, const char *word)
{
	return word_op(p, word, IFC_NOHOST, false);
}

/* As many words as are its settings. */
static int
word_impair(struct parse *p, const char *word)
{
	const struct ifconfig_run *run = p->run;
	uint32_t at = p->next - 1;
	struct impair_change change;
	struct ifc_op *op;
	char why[IMPAIR_WHY_MAX];
	int n;

	n = impair_parse((const char *const *)run->words + p->next,
	    run->count - p->next, &change, why, sizeof(why));
	if (n < 0) {
		ifc_detail(p->run, "%s", why);
		return ifc_fail(
		    p->run, n, "%s: %s", word, bsd_strerror(EINVAL));
	}
	p->next += (uint32_t)n;
	op = ifc_op_add(p->run, IFC_IMPAIR);
	if (op == NULL)
		return -ENOMEM;
	op->word = at;
	op->words = p->next - at;
	return 0;
}

static int
word_noimpair(struct parse *p, const char *word)
{
	const char *dir = peek(p);

	return word_op(p, word, IFC_NOIMPAIR,
	    dir != NULL && (strcmp(dir, "in") == 0 || strcmp(dir, "out") == 0));
}

static int
word_dhcp(struct parse *p, const char *word)
{
	int err = word_op(p, word, IFC_DHCP, false);

	if (err == 0)
		p->run->ops[p->run->op_count - 1].v[0].num =
		    word[0] == '-'   ? IFACE_DHCP_OFF
		    : word[0] == 'S' ? IFACE_DHCP_SYNC
		                     : IFACE_DHCP_ON;
	return err;
}

static int
word_family(struct parse *p, const char *word)
{
	int err = addr_finish(p);

	(void)ifc_family(word, &p->family);
	p->family_word = p->family == AF_UNSPEC ? word : NULL;
	return err;
}

static int
word_alias(struct parse *p, const char *word)
{
	(void)word;
	addr_use(p)->mode = IFC_ADDR_ALIAS;
	return 0;
}

static int
word_delete(struct parse *p, const char *word)
{
	(void)word;
	addr_use(p)->mode = IFC_ADDR_DELETE;
	return 0;
}

/* 255.255.255.0 or 0xffffff00; its ones must be at the front. */
static int
word_netmask(struct parse *p, const char *word)
{
	const char *s = take_arg(p, word);
	struct ifc_addr *a = addr_use(p);
	uint32_t mask, len = 0;
	struct in_addr in;

	if (s == NULL)
		return -EINVAL;
	if (str_has_prefix(s, "0x") || str_has_prefix(s, "0X")) {
		if (str_u32(s, 16, 0, UINT32_MAX, &mask) != 0)
			return bad_value(p, s);
	} else {
		if (inet_pton(AF_INET, s, &in) != 1)
			return bad_value(p, s);
		mask = ntohl(in.s_addr);
	}
	while (len < 32 && (mask & (0x80000000u >> len)) != 0)
		len++;
	if (mask != (len == 0 ? 0 : 0xffffffffu << (32 - len)) ||
	    a->family != AF_INET)
		return bad_value(p, s);
	a->prefixlen = len;
	a->masked = true;
	a->extra = word;
	return 0;
}

static int
word_prefixlen(struct parse *p, const char *word)
{
	const char *s = take_arg(p, word);
	struct ifc_addr *a = addr_use(p);

	if (s == NULL)
		return -EINVAL;
	if (str_u32(s, 10, 0, a->family == AF_INET ? 32 : 128, &a->prefixlen) !=
	    0)
		return bad_value(p, s);
	a->masked = true;
	a->extra = word;
	return 0;
}

static int
word_broadcast(struct parse *p, const char *word)
{
	const char *s = take_arg(p, word);
	struct ifc_addr *a = addr_use(p);

	if (s == NULL)
		return -EINVAL;
	if (a->family != AF_INET || !addr_text(AF_INET, s, a->broadcast))
		return bad_value(p, s);
	a->extra = word;
	return 0;
}

static const struct special {
	struct iface_keyword row; /* name, help and arguments, for the lists */
	int (*parse)(struct parse *p, const char *word);
} specials[] = {
#define WORD(w, a, f, state, h)                                        \
	{                                                              \
		{ .name = (w),                                         \
			.args = { { .kind = (a) ? KEYWORD_ARG_WORD     \
			                        : KEYWORD_ARG_END } }, \
			.help = (h),                                   \
			state },                                       \
		    (f)                                                \
	}
#define SAVE(function) .save = (function)
#define SAVED_BY(word) .saved_by = (word)
	WORD("destroy", 0, word_destroy, SAVED_BY(""), "remove the interface"),
	WORD("unplumb", 0, word_destroy, SAVED_BY(""), "the same"),
	WORD("name", 1, word_name, SAVE(ifc_save_name), "rename the interface"),
	WORD("host", 0, word_host, SAVE(ifc_save_host),
	    "make a netdev of the same name"),
	WORD("-host", 0, word_nohost, SAVED_BY("host"), "remove that netdev"),
	WORD("vnet", 1, word_vnet, SAVE(ifc_save_vnet),
	    "move the host side to a vnet"),
	WORD("-vnet", 0, word_rvnet, SAVED_BY("vnet"),
	    "move the host side back"),
	WORD("impair", 1, word_impair, SAVE(ifc_save_impair),
	    "lose, delay, limit frames of the wire"),
	WORD("-impair", 0, word_noimpair, SAVED_BY("impair"),
	    "no more, or only not in or out"),
	WORD("DHCP", 0, word_dhcp, SAVE(ifc_save_dhcp),
	    "get an IPv4 address by DHCP"),
	WORD("SYNCDHCP", 0, word_dhcp, SAVED_BY("DHCP"),
	    "the same, and wait for it"),
	WORD("-DHCP", 0, word_dhcp, SAVED_BY("DHCP"), "no more by DHCP"),
	WORD("inet", 0, word_family, SAVE(ifc_save_inet),
	    "IPv4 addresses follow"),
	WORD("inet6", 0, word_family, SAVE(ifc_save_inet6),
	    "IPv6 addresses follow"),
	WORD("ether", 1, word_family, SAVE(ifc_save_ether),
	    "set the Ethernet address"),
	WORD("lladdr", 1, word_family, SAVED_BY("ether"), "the same"),
	WORD("link", 1, word_family, SAVED_BY("ether"), "the same"),
	WORD("alias", 0, word_alias, SAVED_BY("inet"), "one more address"),
	WORD("add", 0, word_alias, SAVED_BY("inet"), "the same"),
	WORD("-alias", 0, word_delete, SAVED_BY("inet"), "remove an address"),
	WORD("delete", 0, word_delete, SAVED_BY("inet"), "the same"),
	WORD("remove", 0, word_delete, SAVED_BY("inet"), "the same"),
	WORD("netmask", 1, word_netmask, SAVED_BY("inet"),
	    "mask of the address"),
	WORD("prefixlen", 1, word_prefixlen, SAVED_BY("inet"),
	    "length of its prefix"),
	WORD("broadcast", 1, word_broadcast, SAVED_BY("inet"),
	    "its broadcast address"),
#undef WORD
#undef SAVE
#undef SAVED_BY
};

static const struct special *
special_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(specials); i++)
		if (strcmp(specials[i].row.name, word) == 0)
			return &specials[i];
	return NULL;
}

static const struct iface_keyword *
row_find(const struct iface_keyword *rows, const char *word)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (strcmp(rows->name, word) == 0)
			return rows;
	return NULL;
}

const struct iface_keyword *
ifc_row(const struct iface_ops *ops, const char *word)
{
	const struct iface_keyword *row = NULL;

	if (ops != NULL)
		row = row_find(ops->keywords, word);
	return row != NULL ? row : row_find(ifconfig_common_words, word);
}

static bool
is_word(const struct parse *p, const char *word)
{
	return row_find(p->run->kind->keywords, word) != NULL ||
	       special_find(word) != NULL ||
	       row_find(ifconfig_common_words, word) != NULL;
}

void
ifconfig_word_list(const struct iface_ops *ops,
    void (*each)(void *arg, const struct iface_keyword *row, bool own),
    void *arg)
{
	const struct iface_keyword *row;

	row = ops != NULL ? ops->keywords : NULL;
	for (; row != NULL && row->name != NULL; row++)
		each(arg, row, true);
	for (size_t i = 0; i < ARRAY_LEN(specials); i++)
		each(arg, &specials[i].row, false);
	for (row = ifconfig_common_words; row->name != NULL; row++)
		each(arg, row, false);
}

/* Addresses are given after all other words, and said so. */
static void
save_specials(const struct iface *ifp, struct keyword_sink *s, bool addresses)
{
	const struct iface_keyword *row;
	int family;

	for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
		row = &specials[i].row;
		if (row->save != NULL && (ifc_family(row->name, &family) &&
		                             family != AF_UNSPEC) == addresses)
			row->save(ifp, s);
	}
}

void
ifconfig_save(const struct iface *ifp, struct keyword_sink *s)
{
	const struct iface_keyword *row = ifp->ops->keywords;

	save_specials(ifp, s, false);
	for (; row != NULL && row->name != NULL; row++)
		if (row->save != NULL)
			row->save(ifp, s);
	for (row = ifconfig_common_words; row->name != NULL; row++)
		if (row->save != NULL)
			row->save(ifp, s);
	save_specials(ifp, s, true);
}

bool
ifc_family(const char *word, int *family)
{
	static const struct {
		const char *name;
		int family;
	} families[] = {
		{ "inet", AF_INET },
		{ "inet6", AF_INET6 },
		{ "link", AF_UNSPEC },
		{ "ether", AF_UNSPEC },
		{ "lladdr", AF_UNSPEC },
	};

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (strcmp(families[i].name, word) == 0) {
			*family = families[i].family;
			return true;
		}
	return false;
}

/* A bad value where BSD has a sentence of its own for it. */
static int
bad_arg(struct parse *p, const struct keyword_arg *arg, const char *otherwise,
    const char *s)
{
	const char *text = arg->bad != NULL ? arg->bad : otherwise;
	size_t len = strlen(text);

	return ifc_fail(p->run, -EINVAL, "%s%.128s", text,
	    len > 0 && text[len - 1] == ' ' ? s : "");
}

/* As the row has it; or NULL. */
static const char *
find_choice(const struct keyword_arg *arg, const char *s)
{
	for (const char *c = arg->choices; *c != '\0'; c += strlen(c) + 1)
		if (strcmp(c, s) == 0 ||
		    (arg->any_case && strcasecmp(c, s) == 0))
			return c;
	return NULL;
}

/* One argument of a row. */
static int
row_arg(struct parse *p, const struct iface_keyword *row,
    const struct keyword_arg *arg, const char *s, union keyword_value *v)
{
	bool whole =
	    row->bsd_name != NULL && strchr(row->bsd_name, ' ') != NULL;
	uint64_t min = arg->min, max = arg->max;
	struct vlan_set set;
	int err;

	switch (arg->kind) {
	case KEYWORD_ARG_END:
		return 0;
	case KEYWORD_ARG_IFNAME:
	case KEYWORD_ARG_WORD:
		v->str = s;
		return 0;
	case KEYWORD_ARG_NUMBER:
		err = str_u64(s, 0, arg->min, arg->max, &v->num);
		if (err == 0)
			return 0;
		if (whole)
			ifc_fail(p->run, -EINVAL, "%s: %s", row->bsd_name,
			    bsd_strerror(EINVAL));
		else
			bad_arg(p, arg, "invalid value: ", s);
		if (strcmp(row->name, "mtu") == 0) { /* the kind's own range */
			min = p->run->kind->mtu_min;
			max = p->run->kind->mtu_max;
		}
		ifc_detail(p->run, "%s: %s must be a number from %llu to %llu",
		    row->name, arg->name != NULL ? arg->name : "argument",
		    (unsigned long long)min, (unsigned long long)max);
		return -EINVAL;
	case KEYWORD_ARG_MAC:
		if (ether_parse(s, v->mac) == 0)
			return 0;
		ifc_fail(p->run, -EINVAL, "invalid address: %.128s", s);
		ifc_detail(p->run, "%s: not six octets", row->name);
		return -EINVAL;
	case KEYWORD_ARG_VLAN:
		if (str_u64(s, 0, 1, 4094, &v->num) == 0)
			return 0;
		return bad_arg(p, arg, "invalid vlan id: ", s);
	case KEYWORD_ARG_VLANS:
		v->str = s;
		if (vlan_set_parse(s, &set) == 0)
			return 0;
		ifc_detail(p->run,
		    "%s: a set is none, all, or like 1,10-20 (1 to 4094)",
		    row->name);
		return bad_arg(p, arg, "invalid vlan set: ", s);
	case KEYWORD_ARG_CHOICE:
		v->str = find_choice(arg, s);
		return v->str != NULL ? 0
		                      : bad_arg(p, arg, "invalid value: ", s);
	}
	return 0;
}

/* Arguments that must be there. */
static uint32_t
row_args(const struct iface_keyword *row)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++)
		if (row->args[i].kind != KEYWORD_ARG_END &&
		    row->args[i].literal == NULL)
			n++;
	return n;
}

/* The optional argument that the next word begins, or KEYWORD_ARGS_MAX. */
static uint32_t
option_next(const struct parse *p, const struct iface_keyword *row)
{
	const char *word = peek(p);
	uint32_t i;

	for (i = 0; i < KEYWORD_ARGS_MAX; i++)
		if (word != NULL && row->args[i].literal != NULL &&
		    strcmp(row->args[i].literal, word) == 0)
			break;
	return i;
}

/* Words that need another one on the line. */
static int
check_with(struct ifconfig_run *run)
{
	for (uint32_t i = 0; i < run->op_count; i++) {
		const struct iface_keyword *row = run->ops[i].row;
		bool found = row == NULL || row->with == NULL;

		for (uint32_t k = 0; !found && k < i; k++)
			if (run->ops[k].row == row)
				return ifc_fail(run, -EINVAL,
				    "'%s' is there twice", row->name);
		for (uint32_t k = 0; !found && k < run->op_count; k++)
			found = run->ops[k].row != NULL &&
			        strcmp(run->ops[k].row->name, row->with) == 0;
		if (!found)
			return ifc_fail(run, -EINVAL, "%s",
			    run->creating ? row->without_create : row->without);
	}
	return 0;
}

/* What ifconfig itself says of a group's name. */
static int
group_check(struct parse *p, const struct iface_keyword *row, const char *group)
{
	const char *what = row->name[0] == '-' ? "unsetifgroup" : "setifgroup";
	size_t len = strlen(group);

	/* But a number is a group of users (words.c). */
	if (row->name[0] != '-' && len > 0 &&
	    strspn(group, "0123456789") == len)
		return 0;
	if (len > 0 && group[len - 1] >= '0' && group[len - 1] <= '9')
		return ifc_fail(p->run, -EINVAL,
		    "%s: group names may not end in a digit", what);
	if (len >= IFACE_NAME_MAX)
		return ifc_fail(
		    p->run, -EINVAL, "%s: group name too long", what);
	return 0;
}

/* A set that is given again adds to the first: the word that was read last
 * becomes both. 0 or -ENOMEM */
static int
join_sets(struct parse *p, union keyword_value *v, const char *before)
{
	char **word = &p->run->words[p->next - 1], *both;
	size_t size;

	if (strcmp(before, "none") == 0 || strcmp(*word, "all") == 0)
		return 0;
	if (strcmp(before, "all") == 0 || strcmp(*word, "none") == 0) {
		both = strdup(before);
	} else {
		size = strlen(before) + strlen(*word) + 2;
		both = malloc(size);
		if (both != NULL)
			snprintf(both, size, "%s,%s", before, *word);
	}
	if (both == NULL)
		return -ENOMEM;
	free(*word);
	v->str = *word = both;
	return 0;
}

static int
word_row(struct parse *p, const struct iface_keyword *row)
{
	union keyword_value v[KEYWORD_ARGS_MAX] = { 0 };
	uint32_t at = p->next - 1, n = row_args(row);
	struct ifc_op *op;
	int err = 0;

	if (p->run->count - p->next < n) {
		if (row->usage != NULL)
			return ifc_fail(
			    p->run, -EINVAL, "usage: %s", row->usage);
		if (n == 1)
			return ifc_fail(p->run, -EINVAL,
			    "'%s' requires argument", row->name);
		return ifc_fail(p->run, -EINVAL, "'%s' requires %u arguments",
		    row->name, n);
	}
	for (uint32_t i = 0; i < n; i++) {
		err = row_arg(
		    p, row, &row->args[i], p->run->words[p->next++], &v[i]);
		if (err != 0)
			return err;
	}
	for (uint32_t i; (i = option_next(p, row)) != KEYWORD_ARGS_MAX;) {
		const struct keyword_arg *arg = &row->args[i];
		const char *before = v[i].str;
		const char *s;

		p->next++;
		if (arg->usage != NULL && peek(p) == NULL)
			return ifc_fail(
			    p->run, -EINVAL, "usage: %s", arg->usage);
		s = take_arg(p, arg->literal);
		if (s == NULL)
			return -EINVAL;
		err = row_arg(p, row, arg, s, &v[i]);
		if (err == 0 && arg->kind == KEYWORD_ARG_VLANS &&
		    before != NULL)
			err = join_sets(p, &v[i], before);
		if (err != 0)
			return err;
	}
	if (strcmp(row->name, "group") == 0 || strcmp(row->name, "-group") == 0)
		err = group_check(p, row, v[0].str);
	if (err != 0)
		return err;
	op = ifc_op_add(p->run, row->apply != NULL ? IFC_ROW : IFC_SHOW);
	if (op == NULL)
		return -ENOMEM;
	op->row = row;
	op->word = at;
	op->words = p->next - at;
	memcpy(op->v, v, sizeof(v));
	return 0;
}

static int
parse_word(struct parse *p)
{
	const char *word = p->run->words[p->next++];
	const struct iface_keyword *row;
	const struct special *special;

	p->run->at = p->next - 1;
	row = row_find(p->run->kind->keywords, word);
	if (row != NULL)
		return word_row(p, row);
	special = special_find(word);
	if (special != NULL)
		return special->parse(p, word);
	row = row_find(ifconfig_common_words, word);
	if (row != NULL)
		return word_row(p, row);
	if (p->family == AF_UNSPEC)
		return take_mac(p, word);
	return take_address(p, word);
}

int
ifc_parse_words(struct ifconfig_run *run, uint32_t first)
{
	struct parse p = { .run = run, .next = first, .family = AF_INET };
	struct ifc_op *op;
	int err = 0;

	while (err == 0 && p.next < run->count)
		err = parse_word(&p);
	if (err == 0 && p.family_word != NULL && run->count > first + 1 &&
	    strcmp(run->words[run->count - 1], p.family_word) == 0)
		err = ifc_fail(
		    run, -EINVAL, "'%s' requires argument", p.family_word);
	if (err == 0)
		err = addr_finish(&p);
	if (err == 0)
		err = check_with(run);
	for (uint32_t i = 0; err == 0 && i < p.addr_count; i++) {
		op = ifc_op_add(run, IFC_ADDR);
		if (op == NULL) {
			err = -ENOMEM;
			break;
		}
		op->addr = p.addrs[i];
		op->word = op->addr.word;
	}
	free(p.addrs);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules as a program, and packets through it.
 *
 * Theory of operation
 *
 * Compiling for a list of hooks, a rule becomes a row of the program, if it can
 * match there at all: "in" cannot on the way out, nor a condition on addresses
 * of IPv4 in a list of IPv6.  Conditions that always hold there are left out.
 * The others become items with two targets, for true and for false, which run
 * without looking back.
 *
 * A packet does not meet the rows one by one.  Each row is filed by the most
 * selective field that it has a condition on: by source or destination prefix,
 * port, protocol, interface, Ethernet address or type.  All filed by one field
 * and one length of prefix are a group; a packet asks once for each group, with
 * its own value, and gets the rows that may match: those are met, in order,
 * together with the rows that could not be filed.  So what a decision costs
 * does not depend on how many rules there are that cannot match.
 *
 *     rows      0    1    2    3    4    5    ...
 *     group "dst-port/16":   80 -> [1 4]    443 -> [5]
 *     group "src-ip/24":     192.0.2.0 -> [0]
 *     unfiled:               [2 3]
 *
 * A range of ports is several prefixes, so a row may be found more than once,
 * and is met once.  Of a group with few rows they are better left unfiled.
 *
 * keep-state, limit and check-state look for the packet's state where the first
 * of them stands: that is a list of its own, of which one place for each name
 * is visited.
 *
 * Every jump (skipto) is forward: a packet meets a row once at most.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ether.h"
#include "base/hash.h"
#include "base/util.h"
#include "frame/l4.h"
#include "frame/parse.h"
#include "pfil/ipfw.h"

#define GROUPS_MAX  64u
#define GROUP_SMALL 4u  /* rows that are not worth a question */
#define KEYS_MAX    64u /* of one row */
#define ITEM_TRUE   0xffffu
#define TCP_HDR_MIN 20u
#define ITEM_FALSE  0xfffeu

/* An item of a row. */
struct item {
	uint8_t op;
	bool not ;
	uint16_t yes, no; /* items of the row, or ITEM_* */
	union {
		uint32_t num;
		struct {
			uint32_t addr, mask;
		} ip4;
		struct {
			uint64_t hi, lo, hi_mask, lo_mask;
		} ip6;
		struct {
			uint32_t addr;
			uint64_t bits[4];
		} set;
		struct {
			uint16_t lo, hi;
		} range;
		struct {
			uint8_t on, off;
		} bits;
		struct {
			uint64_t src, src_mask, dst, dst_mask;
		} mac;
		char name[IFACE_NAME_MAX];
		struct {
			const struct ipfw_table *t;
			uint32_t value;
			bool valued;
			uint8_t key;
		} table;
	};
};

struct row {
	struct ipfw_rule *rule;
	uint32_t items; /* first, and how many */
	uint16_t count;
	int8_t state; /* index of the name that it keeps state under, or -1 */
	uint8_t by;   /* of limit */
	uint16_t max;
	uint32_t skip; /* row of skipto's target */
};

enum field {
	FIELD_SRC_IP4,
	FIELD_DST_IP4,
	FIELD_SRC_IP6,
	FIELD_DST_IP6,
	FIELD_SRC_MAC,
	FIELD_DST_MAC,
	FIELD_SRC_PORT,
	FIELD_DST_PORT,
	FIELD_VIA,
	FIELD_RECV,
	FIELD_XMIT,
	FIELD_MAC_TYPE,
	FIELD_PROTO,
	FIELDS
};

struct group {
	uint8_t field;
	uint8_t len; /* bits of the value that count, from the left */
	uint32_t rows;
};

/* Rows under a value of a group. */
struct bucket {
	uint64_t key; /* 0: free */
	uint32_t first, count;
};

/* Where states are looked for. */
struct probe {
	uint32_t row;
	int8_t name; /* -1: any */
};

struct ipfw_program {
	struct row *rows;
	uint32_t row_count;
	struct item *items;
	uint32_t item_count, item_room;
	struct group groups[GROUPS_MAX];
	uint32_t group_count;
	struct bucket *buckets;
	uint32_t bucket_mask;
	uint32_t *filed;   /* row numbers, in slices of buckets */
	uint32_t *unfiled; /* row numbers */
	uint32_t unfiled_count;
	struct probe *probes;
	uint32_t probe_count;
	uint64_t probe_names; /* a bit each: which there are */
	uint64_t seed;
};

/* --- compiling: items ----------------------------------------------------- */

enum truth {
	NEVER,
	ALWAYS,
	SOMETIMES
};

static enum truth
truth_of(bool b)
{
	return b ? ALWAYS : NEVER;
}

static bool
hook_is_in(enum ipfw_hook h)
{
	return h == IPFW_HOOK_IP4_IN || h == IPFW_HOOK_IP6_IN;
}

/* What is known of an item before there is a packet. */
static enum truth
item_truth(const struct ipfw_insn *i, enum ipfw_hook h)
{
	bool ether = h == IPFW_HOOK_ETHER_OUT;
	bool ip4 = h == IPFW_HOOK_IP4_IN || h == IPFW_HOOK_IP4_OUT;

	switch ((enum ipfw_op)i->op) {
	case IPFW_OP_IN:
		return truth_of(hook_is_in(h));
	case IPFW_OP_OUT:
		return truth_of(!hook_is_in(h));
	case IPFW_OP_LAYER2:
		return truth_of(ether);
	case IPFW_OP_VERSION:
		return ether ? SOMETIMES : truth_of((i->num == 4) == ip4);
	case IPFW_OP_SRC_IP4:
	case IPFW_OP_DST_IP4:
		if (ip4 && i->ip4.mask == 0)
			return ALWAYS;
		return ether || ip4 ? SOMETIMES : NEVER;
	case IPFW_OP_SRC_SET:
	case IPFW_OP_DST_SET:
	case IPFW_OP_ICMPTYPES:
		return ether || ip4 ? SOMETIMES : NEVER;
	case IPFW_OP_IPID:
	case IPFW_OP_PRECEDENCE:
	case IPFW_OP_TOS:
	case IPFW_OP_IPOPTIONS:
		return ether || ip4 ? SOMETIMES : NEVER;
	case IPFW_OP_SRC_IP6:
	case IPFW_OP_DST_IP6:
	case IPFW_OP_ICMP6TYPES:
		return ether || !ip4 ? SOMETIMES : NEVER;
	case IPFW_OP_SRC_ME:
	case IPFW_OP_DST_ME:
		if (i->num == 0 || ether)
			return SOMETIMES;
		return (i->num == 4) == ip4 ? SOMETIMES : NEVER;
	case IPFW_OP_MAC:
	case IPFW_OP_SRC_MAC:
	case IPFW_OP_DST_MAC:
	case IPFW_OP_SRC_MAC_TABLE:
	case IPFW_OP_DST_MAC_TABLE:
	case IPFW_OP_MAC_TYPE:
		return ether ? SOMETIMES : NEVER;
	case IPFW_OP_VIA:
		return strcmp(i->name, "any") == 0 ? ALWAYS : SOMETIMES;
	case IPFW_OP_XMIT:
	case IPFW_OP_XMIT_TABLE:
		if (hook_is_in(h))
			return NEVER;
		return i->op == IPFW_OP_XMIT && strcmp(i->name, "any") == 0
		           ? ALWAYS
		           : SOMETIMES;
	case IPFW_OP_IPVER:
		return ether ? SOMETIMES : truth_of(i->num == (ip4 ? 4u : 6u));
	case IPFW_OP_KEEP_STATE:
	case IPFW_OP_LIMIT:
		return ALWAYS; /* it is the row's */
	case IPFW_OP_PROTO:
	case IPFW_OP_SRC_TABLE:
	case IPFW_OP_DST_TABLE:
	case IPFW_OP_SRC_PORT:
	case IPFW_OP_DST_PORT:
	case IPFW_OP_BRIDGED:
	case IPFW_OP_RECV:
	case IPFW_OP_VIA_TABLE:
	case IPFW_OP_RECV_TABLE:
	case IPFW_OP_TCPFLAGS:
	case IPFW_OP_ESTABLISHED:
	case IPFW_OP_FRAG:
	case IPFW_OP_TCPOPTIONS:
	case IPFW_OP_IPLEN:
	case IPFW_OP_TTL:
	case IPFW_OP_TCPDATALEN:
	case IPFW_OP_TCPWIN:
	case IPFW_OP_TCPACK:
	case IPFW_OP_TCPSEQ:
	case IPFW_OP_DSCP:
	case IPFW_OP_LOOKUP:
	case IPFW_OPS:
		break;
	}
	return SOMETIMES;
}

static void
item_fill(const struct ipfw *fw, const struct ipfw_insn *i, struct item *out)
{
	out->op = i->op;
	switch ((enum ipfw_op)i->op) {
	case IPFW_OP_SRC_IP4:
	case IPFW_OP_DST_IP4:
		out->ip4.addr = i->ip4.addr;
		out->ip4.mask = i->ip4.mask;
		break;
	case IPFW_OP_SRC_SET:
	case IPFW_OP_DST_SET:
	case IPFW_OP_ICMPTYPES:
	case IPFW_OP_ICMP6TYPES:
	case IPFW_OP_DSCP:
		out->set.addr = i->set.addr;
		memcpy(out->set.bits, i->set.bits, sizeof(out->set.bits));
		break;
	case IPFW_OP_SRC_IP6:
	case IPFW_OP_DST_IP6:
		out->ip6.hi = be64_get(i->ip6.addr);
		out->ip6.lo = be64_get(i->ip6.addr + 8);
		out->ip6.hi_mask = be64_get(i->ip6.mask);
		out->ip6.lo_mask = be64_get(i->ip6.mask + 8);
		break;
	case IPFW_OP_SRC_TABLE:
	case IPFW_OP_DST_TABLE:
	case IPFW_OP_VIA_TABLE:
	case IPFW_OP_RECV_TABLE:
	case IPFW_OP_XMIT_TABLE:
	case IPFW_OP_SRC_MAC_TABLE:
	case IPFW_OP_DST_MAC_TABLE:
	case IPFW_OP_LOOKUP:
		out->table.t = ipfw_table(fw, i->table.name);
		out->table.value = i->table.value;
		out->table.valued = i->table.valued;
		out->table.key = i->table.key;
		break;
	case IPFW_OP_MAC:
	case IPFW_OP_SRC_MAC:
	case IPFW_OP_DST_MAC:
		out->op = IPFW_OP_MAC; /* what is not said has no mask */
		out->mac.src = mac_to_u64(i->mac.src);
		out->mac.src_mask = mac_to_u64(i->mac.src_mask);
		out->mac.dst = mac_to_u64(i->mac.dst);
		out->mac.dst_mask = mac_to_u64(i->mac.dst_mask);
		break;
	case IPFW_OP_VIA:
	case IPFW_OP_RECV:
	case IPFW_OP_XMIT:
		memcpy(out->name, i->name, sizeof(out->name));
		break;
	case IPFW_OP_SRC_PORT:
	case IPFW_OP_DST_PORT:
	case IPFW_OP_MAC_TYPE:
	case IPFW_OP_IPLEN:
	case IPFW_OP_IPID:
	case IPFW_OP_TTL:
	case IPFW_OP_TCPDATALEN:
	case IPFW_OP_TCPWIN:
		out->range.lo = i->range.lo;
		out->range.hi = i->range.hi;
		break;
	case IPFW_OP_TCPFLAGS:
	case IPFW_OP_FRAG:
	case IPFW_OP_IPOPTIONS:
	case IPFW_OP_TCPOPTIONS:
	case IPFW_OP_TOS:
		out->bits.on = i->bits.on;
		out->bits.off = i->bits.off;
		break;
	case IPFW_OP_PROTO:
	case IPFW_OP_VERSION:
	case IPFW_OP_SRC_ME:
	case IPFW_OP_DST_ME:
	case IPFW_OP_TCPACK:
	case IPFW_OP_TCPSEQ:
	case IPFW_OP_IPVER:
	case IPFW_OP_PRECEDENCE:
		out->num = i->num;
		break;
	case IPFW_OP_IN:
	case IPFW_OP_OUT:
	case IPFW_OP_LAYER2:
	case IPFW_OP_BRIDGED:
	case IPFW_OP_ESTABLISHED:
	case IPFW_OP_KEEP_STATE:
	case IPFW_OP_LIMIT:
	case IPFW_OPS:
		break;
	}
}

static struct item *
item_new(struct ipfw_program *prog)
{
	if (prog->item_count == prog->item_room) {
		uint32_t room = prog->item_room != 0 ? 2 * prog->item_room : 64;
		struct item *grown =
		    reallocarray(prog->items, room, sizeof(*grown));

		if (grown == NULL)
			return NULL;
		prog->items = grown;
		prog->item_room = room;
	}
	prog->items[prog->item_count] = (struct item){ 0 };
	return &prog->items[prog->item_count++];
}

/* The items of a term, from @i on; what is known of it. */
static enum truth
term_truth(const struct ipfw_insn *i, uint32_t n, enum ipfw_hook h)
{
	enum truth t = NEVER;

	for (uint32_t k = 0; k < n && t != ALWAYS; k++) {
		enum truth one = item_truth(&i[k], h);

		if (one != NEVER)
			t = one;
	}
	if ((i->flags & IPFW_NOT) == 0 || t == SOMETIMES)
		return t;
	return t == ALWAYS ? NEVER : ALWAYS;
}

static uint32_t
term_len(const struct ipfw_insn *i, uint32_t count)
{
	uint32_t n = 1;

	while (n < count && (i[n].flags & IPFW_LIST) != 0)
		n++;
	return n;
}

static uint32_t
block_len(const struct ipfw_insn *i, uint32_t count)
{
	uint32_t n = 1;

	while (n < count && (i[n].flags & (IPFW_LIST | IPFW_OR)) != 0)
		n++;
	return n;
}

static enum truth
block_truth(const struct ipfw_insn *i, uint32_t n, enum ipfw_hook h)
{
	enum truth t = NEVER;

	for (uint32_t k = 0; k < n;) {
		uint32_t len = term_len(&i[k], n - k);
		enum truth one = term_truth(&i[k], len, h);

		if (one == ALWAYS)
			return ALWAYS;
		if (one != NEVER)
			t = one;
		k += len;
	}
	return t;
}

/* The items of a block that is not decided: on to @yes_at if it holds (the
 * item behind the block), out of the row if not.  0 or -ENOMEM. */
static int
block_emit(const struct ipfw *fw, struct ipfw_program *prog, struct row *row,
    const struct ipfw_insn *i, uint32_t n, enum ipfw_hook h)
{
	uint32_t begin = prog->item_count, end;

	for (uint32_t k = 0; k < n;) {
		uint32_t len = term_len(&i[k], n - k), first;
		bool not = (i[k].flags & IPFW_NOT) != 0;
		enum truth t = term_truth(&i[k], len, h);

		first = prog->item_count;
		for (uint32_t m = 0; t == SOMETIMES && m < len; m++) {
			struct item *it;

			if (item_truth(&i[k + m], h) == NEVER)
				continue;
			it = item_new(prog);
			if (it == NULL)
				return -ENOMEM;
			item_fill(fw, &i[k + m], it);
			it->not = not ;
		}
		/* Within the term, and to the next; put right below. */
		for (uint32_t m = first; m < prog->item_count; m++) {
			uint16_t next = (uint16_t)(m + 1 - row->items);
			bool last = m + 1 == prog->item_count;
			uint16_t after =
			    (uint16_t)(prog->item_count - row->items);

			/* Not: any that holds ends the term, falsely. */
			prog->items[m].yes = not ? after : ITEM_TRUE;
			prog->items[m].no =
			    not ? (last ? ITEM_TRUE : next) : next;
		}
		k += len;
	}
	end = prog->item_count - row->items;
	/* The last term's way to "the next term" leads out of the row, and what
	 * holds leads behind the block. */
	for (uint32_t m = begin; m < prog->item_count; m++) {
		struct item *it = &prog->items[m];

		it->yes = it->yes == ITEM_TRUE ? (uint16_t)end
		          : it->yes >= end     ? ITEM_FALSE
		                               : it->yes;
		it->no = it->no == ITEM_TRUE ? (uint16_t)end
		         : it->no >= end     ? ITEM_FALSE
		                             : it->no;
		it->not = false; /* it is in the targets */
	}
	return 0;
}

/* A rule as a row.  1; 0: it cannot match here; -ENOMEM. */
static int
row_make(struct ipfw *fw, struct ipfw_program *prog, struct ipfw_rule *r,
    enum ipfw_hook h, struct row *row)
{
	uint32_t begin = prog->item_count;

	*row = (struct row){ .rule = r, .items = begin, .state = -1 };
	for (uint32_t k = 0; k < r->count;) {
		const struct ipfw_insn *i = &r->insns[k];
		uint32_t n = block_len(i, r->count - k);
		int name;

		k += n;
		if (i->op == IPFW_OP_KEEP_STATE || i->op == IPFW_OP_LIMIT) {
			name = ipfw_state_name(&fw->states, i->state.name);
			ASSERT(name >= 0); /* ipfw_add() has made it */
			row->state = (int8_t)name;
			if (i->op == IPFW_OP_LIMIT) {
				row->by = (uint8_t)i->state.by;
				row->max = (uint16_t)i->state.max;
			}
			continue;
		}
		switch (block_truth(i, n, h)) {
		case ALWAYS:
			continue;
		case NEVER:
			prog->item_count = begin;
			return 0;
		case SOMETIMES:
			break;
		}
		if (block_emit(fw, prog, row, i, n, h) != 0)
			return -ENOMEM;
	}
	row->count = (uint16_t)(prog->item_count - begin);
	return 1;
}

/* --- compiling: filing ---------------------------------------------------- */

/* A value that a row may be found by. */
struct filing {
	uint8_t field, len;
	uint64_t hi, lo;
};

struct filings {
	struct filing list[KEYS_MAX];
	uint32_t count;
};

static uint64_t
high_bits(uint32_t n)
{
	return n == 0 ? 0 : n >= 64 ? UINT64_MAX : UINT64_MAX << (64 - n);
}

static uint64_t
filing_hash(
    const struct ipfw_program *prog, uint32_t group, uint64_t hi, uint64_t lo)
{
	return hash_u64(prog->seed + group, hi ^ (lo << 1 | lo >> 63)) | 1;
}

static bool
file_add(
    struct filings *f, enum field field, uint32_t len, uint64_t hi, uint64_t lo)
{
	if (f->count == KEYS_MAX || len == 0)
		return false;
	f->list[f->count++] = (struct filing){
		.field = (uint8_t)field,
		.len = (uint8_t)len,
		.hi = hi & high_bits(len),
		.lo = lo & high_bits(len > 64 ? len - 64 : 0),
	};
	return true;
}

/* Bits of a mask that is a prefix of @width, or -1. */
static int
prefix_of(uint64_t mask, uint32_t width)
{
	uint64_t inverse = ~(mask << (64 - width));

	if ((inverse & (inverse + 1)) != 0)
		return -1;
	return 64 - __builtin_popcountll(inverse);
}

/* A range of 16-bit numbers as prefixes. */
static bool
file_range(struct filings *f, enum field field, uint32_t lo, uint32_t hi)
{
	while (lo <= hi) {
		uint32_t bits = lo != 0 ? (uint32_t)__builtin_ctz(lo) : 16;

		while (bits > 0 && lo + (1u << bits) - 1 > hi)
			bits--;
		if (!file_add(f, field, 16 - bits, (uint64_t)lo << 48, 0))
			return false;
		lo += 1u << bits;
	}
	return true;
}

static bool
has_wildcard(const char *name)
{
	return strpbrk(name, "*?[") != NULL || strcmp(name, "any") == 0;
}

/* The values by which an item can be found; false: it cannot. */
static bool
file_item(const struct ipfw_insn *i, struct filings *f)
{
	struct ipfw_key k;
	int len, lo;

	switch ((enum ipfw_op)i->op) {
	case IPFW_OP_SRC_IP4:
	case IPFW_OP_DST_IP4:
		len = prefix_of(i->ip4.mask, 32);
		return len > 0 &&
		       file_add(f,
		           i->op == IPFW_OP_SRC_IP4 ? FIELD_SRC_IP4
		                                    : FIELD_DST_IP4,
		           (uint32_t)len, (uint64_t)i->ip4.addr << 32, 0);
	case IPFW_OP_SRC_SET:
	case IPFW_OP_DST_SET:
		return file_add(f,
		    i->op == IPFW_OP_SRC_SET ? FIELD_SRC_IP4 : FIELD_DST_IP4,
		    i->set.len, (uint64_t)i->set.addr << 32, 0);
	case IPFW_OP_SRC_IP6:
	case IPFW_OP_DST_IP6:
		len = prefix_of(be64_get(i->ip6.mask), 64);
		lo = prefix_of(be64_get(i->ip6.mask + 8), 64);
		if (len < 0 || lo < 0)
			return false;
		k = ipfw_key6(i->ip6.addr);
		return file_add(f,
		    i->op == IPFW_OP_SRC_IP6 ? FIELD_SRC_IP6 : FIELD_DST_IP6,
		    (uint32_t)(len + lo), k.hi, k.lo);
	case IPFW_OP_SRC_PORT:
		return file_range(f, FIELD_SRC_PORT, i->range.lo, i->range.hi);
	case IPFW_OP_DST_PORT:
		return file_range(f, FIELD_DST_PORT, i->range.lo, i->range.hi);
	case IPFW_OP_MAC_TYPE:
		return file_range(f, FIELD_MAC_TYPE, i->range.lo, i->range.hi);
	case IPFW_OP_PROTO:
		return file_add(f, FIELD_PROTO, 8, (uint64_t)i->num << 56, 0);
	case IPFW_OP_VIA:
	case IPFW_OP_RECV:
	case IPFW_OP_XMIT:
		if (has_wildcard(i->name))
			return false;
		k = ipfw_key_name(i->name);
		return file_add(f,
		    (enum field)(FIELD_VIA + (i->op - IPFW_OP_VIA)), 128, k.hi,
		    k.lo);
	case IPFW_OP_MAC:
	case IPFW_OP_SRC_MAC:
	case IPFW_OP_DST_MAC:
		len = prefix_of(mac_to_u64(i->mac.src_mask), 48);
		lo = prefix_of(mac_to_u64(i->mac.dst_mask), 48);
		if (lo > 0 && lo >= len)
			return file_add(f, FIELD_DST_MAC, (uint32_t)lo,
			    mac_to_u64(i->mac.dst) << 16, 0);
		return len > 0 && file_add(f, FIELD_SRC_MAC, (uint32_t)len,
		                      mac_to_u64(i->mac.src) << 16, 0);
	default:
		return false;
	}
}

/* How well a set of values selects. */
static uint32_t
worth(const struct filings *f)
{
	/* In bits that a stranger's packet is unlikely to share. */
	static const uint8_t most[FIELDS] = {
		[FIELD_SRC_IP4] = 32,
		[FIELD_DST_IP4] = 32,
		[FIELD_SRC_IP6] = 64,
		[FIELD_DST_IP6] = 64,
		[FIELD_SRC_MAC] = 48,
		[FIELD_DST_MAC] = 48,
		[FIELD_SRC_PORT] = 16,
		[FIELD_DST_PORT] = 16,
		[FIELD_VIA] = 12,
		[FIELD_RECV] = 12,
		[FIELD_XMIT] = 12,
		[FIELD_MAC_TYPE] = 8,
		[FIELD_PROTO] = 2,
	};
	uint32_t least = 64;

	for (uint32_t i = 0; i < f->count; i++) {
		uint32_t bits =
		    COAX_MIN((uint32_t)most[f->list[i].field], f->list[i].len);

		least = COAX_MIN(least, bits);
	}
	return f->count != 0 ? least : 0;
}

/* The best values of a rule; count 0: it cannot be filed. */
static void
file_rule(const struct ipfw_rule *r, enum ipfw_hook h, struct filings *best)
{
	best->count = 0;
	for (uint32_t k = 0; k < r->count;) {
		const struct ipfw_insn *i = &r->insns[k];
		uint32_t n = block_len(i, r->count - k);
		struct filings f = { .count = 0 };
		bool good = block_truth(i, n, h) == SOMETIMES;

		for (uint32_t m = 0; good && m < n; m++) {
			if ((i[m].flags & IPFW_NOT) != 0)
				good = false;
			else if (item_truth(&i[m], h) != NEVER)
				good = file_item(&i[m], &f);
		}
		if (good && worth(&f) > worth(best))
			*best = f;
		k += n;
	}
}

static int
group_find(struct ipfw_program *prog, const struct filing *f, bool make)
{
	for (uint32_t g = 0; g < prog->group_count; g++)
		if (prog->groups[g].field == f->field &&
		    prog->groups[g].len == f->len)
			return (int)g;
	if (!make || prog->group_count == GROUPS_MAX)
		return -1;
	prog->groups[prog->group_count] = (struct group){ f->field, f->len, 0 };
	return (int)prog->group_count++;
}

static struct bucket *
bucket_find(const struct ipfw_program *prog, uint64_t key)
{
	uint32_t i = (uint32_t)(key >> 32) & prog->bucket_mask;

	while (prog->buckets[i].key != 0 && prog->buckets[i].key != key)
		i = (i + 1) & prog->bucket_mask;
	return &prog->buckets[i];
}

/* Are all the groups of @f in the program? */
static bool
filed_there(struct ipfw_program *prog, const struct filings *f)
{
	if (f->count == 0)
		return false;
	for (uint32_t i = 0; i < f->count; i++)
		if (group_find(prog, &f->list[i], false) < 0)
			return false;
	return true;
}

/* Groups of all rows; those with few are dissolved. */
static void
groups_make(struct ipfw_program *prog, const struct filings *f, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t r = 0; r < count; r++)
		for (uint32_t i = 0; i < f[r].count; i++) {
			int g = group_find(prog, &f[r].list[i], true);

			if (g >= 0)
				prog->groups[g].rows++;
		}
	for (uint32_t g = 0; g < prog->group_count; g++)
		if (prog->groups[g].rows >= GROUP_SMALL)
			prog->groups[n++] = prog->groups[g];
	prog->group_count = n;
}

/* One pass over all values of filed rows: how many a bucket has, or (@put)
 * their row numbers. */
static uint32_t
buckets_pass(struct ipfw_program *prog, struct filings *f, bool put)
{
	uint32_t total = 0;

	for (uint32_t r = 0; r < prog->row_count; r++) {
		if (!filed_there(prog, &f[r])) {
			if (put)
				prog->unfiled[prog->unfiled_count++] = r;
			continue;
		}
		for (uint32_t i = 0; i < f[r].count; i++) {
			const struct filing *x = &f[r].list[i];
			uint32_t g = (uint32_t)group_find(prog, x, false);
			uint64_t key = filing_hash(prog, g, x->hi, x->lo);
			struct bucket *b = bucket_find(prog, key);

			b->key = key;
			if (put)
				prog->filed[b->first + b->count] = r;
			b->count++;
			total++;
		}
	}
	return total;
}

static int
file_all(struct ipfw_program *prog, enum ipfw_hook h)
{
	struct filings *f;
	uint32_t size = 8, values = 0, at = 0;

	f = calloc(prog->row_count + 1, sizeof(*f));
	prog->unfiled = calloc(prog->row_count + 1, sizeof(uint32_t));
	if (f == NULL || prog->unfiled == NULL)
		goto out_memory;
	for (uint32_t r = 0; r < prog->row_count; r++) {
		file_rule(prog->rows[r].rule, h, &f[r]);
		values += f[r].count;
	}
	groups_make(prog, f, prog->row_count);
	while (size < 2 * values)
		size *= 2;
	prog->buckets = calloc(size, sizeof(*prog->buckets));
	prog->filed = calloc(values + 1, sizeof(uint32_t));
	if (prog->buckets == NULL || prog->filed == NULL)
		goto out_memory;
	prog->bucket_mask = size - 1;
	(void)buckets_pass(prog, f, false);
	for (uint32_t i = 0; i < size; i++) {
		prog->buckets[i].first = at;
		at += prog->buckets[i].count;
		prog->buckets[i].count = 0;
	}
	(void)buckets_pass(prog, f, true);
	free(f);
	return 0;

out_memory:
	free(f);
	return -ENOMEM;
}

/* --- compiling: the whole ------------------------------------------------- */

/* The first row of a number, or behind a rule. */
static uint32_t
row_from(const struct ipfw_program *prog, uint32_t number, uint32_t order)
{
	uint32_t lo = 0, hi = prog->row_count;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		const struct ipfw_rule *r = prog->rows[mid].rule;

		if (r->head.number < number || r->order < order)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
probe_add(struct ipfw_program *prog, struct ipfw *fw, uint32_t row,
    const struct ipfw_rule *r)
{
	const char *name = NULL;
	int n = -1;

	if (r->head.action == IPFW_CHECK_STATE)
		name = r->head.state;
	for (uint32_t k = 0; k < r->count; k++)
		if (r->insns[k].op == IPFW_OP_KEEP_STATE ||
		    r->insns[k].op == IPFW_OP_LIMIT)
			name = r->insns[k].state.name;
	if (name == NULL)
		return;
	if (strcmp(name, "any") != 0)
		n = ipfw_state_name(&fw->states, name);
	prog->probes[prog->probe_count++] = (struct probe){ row, (int8_t)n };
	prog->probe_names |= n < 0 ? 0 : 1ull << n;
}

static int
rows_make(struct ipfw *fw, struct ipfw_program *prog, enum ipfw_hook h)
{
	struct ipfw_rule *r;

	prog->rows = calloc(fw->rule_count + 1, sizeof(*prog->rows));
	prog->probes = calloc(fw->rule_count + 1, sizeof(*prog->probes));
	if (prog->rows == NULL || prog->probes == NULL)
		return -ENOMEM;
	TAILQ_FOREACH (r, &fw->rules, link) {
		int err;

		if ((fw->sets_off >> r->head.set & 1) != 0)
			continue;
		/* Also where the rule itself cannot match: its states may be
		 * of packets of the other direction. */
		probe_add(prog, fw, prog->row_count, r);
		if (r->head.action == IPFW_CHECK_STATE)
			continue;
		err = row_make(fw, prog, r, h, &prog->rows[prog->row_count]);
		if (err < 0)
			return err;
		prog->row_count += (uint32_t)err;
	}
	for (uint32_t i = 0; i < prog->row_count; i++) {
		const struct ipfw_rule *rule = prog->rows[i].rule;
		uint32_t number = rule->head.arg;

		if (rule->head.action != IPFW_SKIPTO)
			continue;
		/* Forward, always. */
		number = COAX_MAX(number, rule->head.number + 1);
		prog->rows[i].skip = row_from(prog, number, 0);
	}
	return 0;
}

void
ipfw_program_free(struct ipfw_program *p)
{
	if (p == NULL)
		return;
	free(p->rows);
	free(p->items);
	free(p->buckets);
	free(p->filed);
	free(p->unfiled);
	free(p->probes);
	free(p);
}

struct ipfw_program *
ipfw_compile(struct ipfw *fw, enum ipfw_hook h)
{
	struct ipfw_program *prog = calloc(1, sizeof(*prog));

	if (prog == NULL)
		return NULL;
	prog->seed = fw->net->hash_seed;
	if (rows_make(fw, prog, h) != 0 || file_all(prog, h) != 0) {
		ipfw_program_free(prog);
		return NULL;
	}
	return prog;
}

uint32_t
ipfw_program_linear(const struct ipfw_program *p)
{
	return p->unfiled_count;
}

/* --- running -------------------------------------------------------------- */

/* A packet, as far as it is looked at. */
struct view {
	struct parsed ip;
	const uint8_t *l3, *l4;
	uint32_t src, dst; /* of IPv4 */
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint8_t frag; /* IPFW_FRAG_* */
	bool ports, tcp, l4_there;
	uint32_t len; /* of the IP packet */
	uint32_t tablearg;
	struct ipfw *fw;
	const struct pfil_packet *p;
};

/* Nearly all packets: UDP or TCP over IPv4 without options, whole. True: it is
 * one, and @v is filled. */
static inline bool
view_plain(struct view *v, const struct frame *f)
{
	uint32_t avail = f->len - v->p->l3, total, data;
	const uint8_t *ip = v->l3, *l4 = ip + 20;

	if (v->p->ethertype != ETH_TYPE_IPV4 || avail < 40 || ip[0] != 0x45 ||
	    f->off.gso_type != FRAME_GSO_NONE ||
	    (be16_get(ip + 6) & 0xbfff) != 0)
		return false;
	total = be16_get(ip + 2);
	if (total > avail || total < 40)
		return false;
	v->ip.ip = 4;
	v->ip.proto = ip[9];
	v->ip.l4 = (uint16_t)(v->p->l3 + 20);
	v->ip.l4_len = total - 20;
	v->ip.ip_end = v->p->l3 + total;
	v->ip.l4_ok = true;
	if (ip[9] == IP_PROTO_UDP) {
		v->ip.l4_hdr = 8;
	} else if (ip[9] == IP_PROTO_TCP) {
		data = (uint32_t)(l4[12] >> 4) * 4;
		if (data < 20 || data > total - 20)
			return false;
		v->ip.l4_hdr = (uint16_t)data;
		v->tcp = true;
		v->tcp_flags = l4[TCP_FLAGS_OFFSET];
	} else {
		return false;
	}
	v->ports = v->l4_there = true;
	v->frag = (ip[6] & 0x40) != 0 ? IPFW_FRAG_DF : 0;
	v->l4 = l4;
	v->src = be32_get(ip + 12);
	v->dst = be32_get(ip + 16);
	v->sport = be16_get(l4);
	v->dport = be16_get(l4 + 2);
	v->len = total;
	return true;
}

/* False: a header that must be there is not. */
static bool
view_fill(struct view *v, struct ipfw *fw, const struct pfil_packet *p)
{
	const struct frame *f = p->frame;
	bool gso = f->off.gso_type != FRAME_GSO_NONE;
	bool first;
	uint32_t least = 0;

	v->fw = fw;
	v->p = p;
	v->tablearg = 0;
	v->ip = (struct parsed){ .ethertype = p->ethertype, .l3 = p->l3 };
	v->ports = v->tcp = v->l4_there = false;
	v->tcp_flags = v->frag = 0;
	v->sport = v->dport = 0;
	v->l3 = f->data + p->l3;
	v->l4 = v->l3;
	v->len = 0;
	if (__builtin_expect(view_plain(v, f), 1))
		return true;
	if (p->ethertype != ETH_TYPE_IPV4 && p->ethertype != ETH_TYPE_IPV6)
		return true;
	v->ip = (struct parsed){ .ethertype = p->ethertype, .l3 = p->l3 };
	v->ports = v->tcp = v->l4_there = false;
	if (parse_network(f->data, f->len, gso, &v->ip) != 0)
		return false;
	if (v->ip.ip == 4) {
		uint16_t field = be16_get(v->l3 + 6);

		v->src = be32_get(v->l3 + 12);
		v->dst = be32_get(v->l3 + 16);
		v->frag =
		    (uint8_t)(((field & 0x2000) != 0 ? IPFW_FRAG_MF : 0) |
		              ((field & 0x4000) != 0 ? IPFW_FRAG_DF : 0) |
		              ((field & 0x8000) != 0 ? IPFW_FRAG_RF : 0) |
		              ((field & 0x1fff) != 0 ? IPFW_FRAG_OFFSET : 0));
	} else if (v->ip.fragment) {
		v->frag = (uint8_t)((v->ip.more ? IPFW_FRAG_MF : 0) |
		                    (v->ip.first ? 0 : IPFW_FRAG_OFFSET));
	}
	v->len = v->ip.ip_end - p->l3;
	first = !v->ip.fragment || v->ip.first;
	/* What would lie over a TCP header that has been judged: RFC 1858,
	 * 3128. Of IPv6 nobody can say what is behind the headers of the first.
	 */
	if (!first)
		return (v->ip.ip == 4 && v->ip.proto != IP_PROTO_TCP) ||
		       v->ip.frag_at >= TCP_HDR_MIN;
	if (!v->ip.l4_ok) /* a chain of headers without an end */
		return v->ip.ip == 6 && v->ip.proto == 59;
	v->l4 = f->data + v->ip.l4;
	switch (v->ip.proto) {
	case IP_PROTO_TCP:
	case IP_PROTO_UDP:
		if (v->ip.l4_hdr == 0)
			return false;
		v->ports = true;
		break;
	case 136: /* UDP-lite */
		least = 8;
		v->ports = true;
		break;
	case IP_PROTO_SCTP:
		least = 12;
		v->ports = true;
		break;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMP6:
		least = 4;
		break;
	default:
		break;
	}
	if (v->ip.l4_len < least)
		return false;
	v->l4_there = true;
	if (v->ports) {
		v->sport = be16_get(v->l4);
		v->dport = be16_get(v->l4 + 2);
	}
	if (v->ip.proto == IP_PROTO_TCP) {
		v->tcp = true;
		v->tcp_flags = v->l4[TCP_FLAGS_OFFSET];
	}
	return true;
}

static inline bool
in_range(const struct item *i, uint32_t n)
{
	return n >= i->range.lo && n <= i->range.hi;
}

static inline bool
in_set(const struct item *i, uint32_t n)
{
	return n < 256 && (i->set.bits[n / 64] >> n % 64 & 1) != 0;
}

static inline bool
has_bits(const struct item *i, uint8_t bits)
{
	return (bits & i->bits.on) == i->bits.on && (bits & i->bits.off) == 0;
}

/* Options of IPv4 or TCP, as bits. */
static uint8_t
options4(const struct view *v)
{
	uint32_t hlen = (uint32_t)(v->l3[0] & 15) * 4, at = 20;
	uint8_t found = 0;

	while (at < hlen && v->l3[at] != 0) {
		uint8_t type = v->l3[at];

		if (type == 1) {
			at++;
			continue;
		}
		if (hlen - at < 2 || v->l3[at + 1] < 2 ||
		    v->l3[at + 1] > hlen - at)
			break;
		found |= (uint8_t)(type == 137   ? 1 /* ssrr */
		                   : type == 131 ? 2 /* lsrr */
		                   : type == 7   ? 4 /* rr */
		                   : type == 68  ? 8 /* ts */
		                                 : 0);
		at += v->l3[at + 1];
	}
	return found;
}

static uint8_t
tcp_options(const struct view *v)
{
	uint32_t hlen = v->ip.l4_hdr, at = 20;
	uint8_t found = 0;

	while (at < hlen && v->l4[at] != 0) {
		uint8_t type = v->l4[at];

		if (type == 1) {
			at++;
			continue;
		}
		if (hlen - at < 2 || v->l4[at + 1] < 2 ||
		    v->l4[at + 1] > hlen - at)
			break;
		found |= (uint8_t)(type == 2                  ? 1  /* mss */
		                   : type == 3                ? 2  /* window */
		                   : type == 4 || type == 5   ? 4  /* sack */
		                   : type == 8                ? 8  /* ts */
		                   : type >= 11 && type <= 13 ? 16 /* cc */
		                                              : 0);
		at += v->l4[at + 1];
	}
	return found;
}

static uint8_t
traffic_class(const struct view *v)
{
	return v->ip.ip == 4 ? v->l3[1] : (uint8_t)(be16_get(v->l3) >> 4);
}

/* An address of the packet as a key; false: it has none. */
static bool
addr_key(const struct view *v, bool src, struct ipfw_key *k)
{
	if (v->ip.ip == 4)
		*k = ipfw_key4(src ? v->src : v->dst);
	else if (v->ip.ip == 6)
		*k = ipfw_key6(v->l3 + (src ? 8 : 24));
	else
		return false;
	return true;
}

static bool
table_has(struct view *v, const struct item *i, const struct ipfw_key *k)
{
	const struct ipfw_entry *e =
	    i->table.t != NULL ? ipfw_table_find(i->table.t, k) : NULL;

	if (e == NULL || (i->table.valued && e->value != i->table.value))
		return false;
	v->tablearg = e->value;
	return true;
}

static bool
lookup(struct view *v, const struct item *i)
{
	const uint8_t *data = v->p->frame->data;
	struct ipfw_key k;

	switch ((enum ipfw_lookup)i->table.key) {
	case IPFW_LOOKUP_DST_IP:
	case IPFW_LOOKUP_SRC_IP:
		if (!addr_key(v, i->table.key == IPFW_LOOKUP_SRC_IP, &k))
			return false;
		break;
	case IPFW_LOOKUP_DST_PORT:
	case IPFW_LOOKUP_SRC_PORT:
		if (!v->ports)
			return false;
		k = ipfw_key_number(
		    i->table.key == IPFW_LOOKUP_DST_PORT ? v->dport : v->sport);
		break;
	case IPFW_LOOKUP_DST_MAC:
		k = ipfw_key_mac(data);
		break;
	case IPFW_LOOKUP_SRC_MAC:
		k = ipfw_key_mac(data + ETH_ADDR_LEN);
		break;
	case IPFW_LOOKUP_DSCP:
		if (v->ip.ip == 0)
			return false;
		k = ipfw_key_number(traffic_class(v) >> 2);
		break;
	case IPFW_LOOKUPS:
		return false;
	}
	return table_has(v, i, &k);
}

/* The interface that recv, xmit or via is about, or NULL. */
static const struct iface *
iface_of(const struct view *v, enum ipfw_op op)
{
	switch (op) {
	case IPFW_OP_RECV:
	case IPFW_OP_RECV_TABLE:
		return v->p->rcvif;
	case IPFW_OP_XMIT:
	case IPFW_OP_XMIT_TABLE:
		return v->p->dir == PFIL_OUT ? v->p->ifp : NULL;
	default:
		return v->p->ifp;
	}
}

static bool
iface_is(const struct view *v, const struct item *i)
{
	const struct iface *ifp = iface_of(v, i->op);

	if (ifp == NULL)
		return false;
	if (strcmp(i->name, ifp->name) == 0)
		return true;
	return has_wildcard(i->name) &&
	       (strcmp(i->name, "any") == 0 ||
	           fnmatch(i->name, ifp->name, 0) == 0);
}

static bool
table_of_iface(struct view *v, const struct item *i)
{
	const struct iface *ifp = iface_of(v, i->op);
	struct ipfw_key k;

	if (ifp == NULL)
		return false;
	k = ipfw_key_name(ifp->name);
	return table_has(v, i, &k);
}

static bool
table_of_addr(struct view *v, const struct item *i, bool src)
{
	struct ipfw_key k;

	return addr_key(v, src, &k) && table_has(v, i, &k);
}

static bool
is_me(struct view *v, const struct item *i, bool src)
{
	struct ipfw_key k;

	return (i->num == 0 || i->num == v->ip.ip) && addr_key(v, src, &k) &&
	       ipfw_is_me(v->fw, &k);
}

static inline bool
is_ip6(const struct view *v, const struct item *i, uint32_t at)
{
	return v->ip.ip == 6 &&
	       (be64_get(v->l3 + at) & i->ip6.hi_mask) == i->ip6.hi &&
	       (be64_get(v->l3 + at + 8) & i->ip6.lo_mask) == i->ip6.lo;
}

static bool
item_holds(struct view *v, const struct item *i)
{
	const uint8_t *data = v->p->frame->data;
	struct ipfw_key k;
	uint32_t n;

	switch ((enum ipfw_op)i->op) {
	case IPFW_OP_PROTO:
		return v->ip.ip != 0 && v->ip.proto == i->num;
	case IPFW_OP_VERSION:
		return v->ip.ip == i->num;
	case IPFW_OP_SRC_IP4:
		return v->ip.ip == 4 && (v->src & i->ip4.mask) == i->ip4.addr;
	case IPFW_OP_DST_IP4:
		return v->ip.ip == 4 && (v->dst & i->ip4.mask) == i->ip4.addr;
	case IPFW_OP_SRC_SET:
		return v->ip.ip == 4 && in_set(i, v->src - i->set.addr);
	case IPFW_OP_DST_SET:
		return v->ip.ip == 4 && in_set(i, v->dst - i->set.addr);
	case IPFW_OP_SRC_IP6:
		return is_ip6(v, i, 8);
	case IPFW_OP_DST_IP6:
		return is_ip6(v, i, 24);
	case IPFW_OP_SRC_ME:
		return is_me(v, i, true);
	case IPFW_OP_DST_ME:
		return is_me(v, i, false);
	case IPFW_OP_SRC_TABLE:
		return table_of_addr(v, i, true);
	case IPFW_OP_DST_TABLE:
		return table_of_addr(v, i, false);
	case IPFW_OP_SRC_PORT:
		return v->ports && in_range(i, v->sport);
	case IPFW_OP_DST_PORT:
		return v->ports && in_range(i, v->dport);
	case IPFW_OP_BRIDGED:
		return v->p->bridged;
	case IPFW_OP_VIA:
	case IPFW_OP_RECV:
	case IPFW_OP_XMIT:
		return iface_is(v, i);
	case IPFW_OP_VIA_TABLE:
	case IPFW_OP_RECV_TABLE:
	case IPFW_OP_XMIT_TABLE:
		return table_of_iface(v, i);
	case IPFW_OP_MAC:
		return (be64_get(data) >> 16 & i->mac.dst_mask) == i->mac.dst &&
		       (be64_get(data + ETH_ADDR_LEN) >> 16 &
		           i->mac.src_mask) == i->mac.src;
	case IPFW_OP_SRC_MAC_TABLE:
		k = ipfw_key_mac(data + ETH_ADDR_LEN);
		return table_has(v, i, &k);
	case IPFW_OP_DST_MAC_TABLE:
		k = ipfw_key_mac(data);
		return table_has(v, i, &k);
	case IPFW_OP_MAC_TYPE:
		return in_range(i, v->p->ethertype);
	case IPFW_OP_TCPFLAGS:
		return v->tcp && has_bits(i, v->tcp_flags & 0x3f);
	case IPFW_OP_ESTABLISHED: /* RST or ACK */
		return v->tcp && (v->tcp_flags & 0x14) != 0;
	case IPFW_OP_ICMPTYPES:
		return v->l4_there && v->ip.ip == 4 &&
		       v->ip.proto == IP_PROTO_ICMP && in_set(i, v->l4[0]);
	case IPFW_OP_ICMP6TYPES:
		return v->l4_there && v->ip.ip == 6 &&
		       v->ip.proto == IP_PROTO_ICMP6 && in_set(i, v->l4[0]);
	case IPFW_OP_FRAG:
		return v->ip.ip != 0 && has_bits(i, v->frag);
	case IPFW_OP_IPOPTIONS:
		return v->ip.ip == 4 && has_bits(i, options4(v));
	case IPFW_OP_TCPOPTIONS:
		return v->tcp && has_bits(i, tcp_options(v));
	case IPFW_OP_IPLEN:
		return v->ip.ip != 0 && in_range(i, v->len);
	case IPFW_OP_IPID:
		return v->ip.ip == 4 && in_range(i, be16_get(v->l3 + 4));
	case IPFW_OP_TTL:
		return v->ip.ip != 0 &&
		       in_range(i, v->l3[v->ip.ip == 4 ? 8 : 7]);
	case IPFW_OP_TCPDATALEN:
		return v->tcp && in_range(i, v->ip.l4_len - v->ip.l4_hdr);
	case IPFW_OP_TCPWIN:
		return v->tcp && in_range(i, be16_get(v->l4 + 14));
	case IPFW_OP_TCPACK:
		return v->tcp && be32_get(v->l4 + 8) == i->num;
	case IPFW_OP_TCPSEQ:
		return v->tcp && be32_get(v->l4 + 4) == i->num;
	case IPFW_OP_IPVER:
		return v->ip.ip == i->num;
	case IPFW_OP_PRECEDENCE:
		return v->ip.ip == 4 && v->l3[1] >> 5 == (int)i->num;
	case IPFW_OP_TOS:
		return v->ip.ip == 4 && has_bits(i, v->l3[1]);
	case IPFW_OP_DSCP:
		n = traffic_class(v) >> 2;
		return v->ip.ip != 0 && in_set(i, n);
	case IPFW_OP_LOOKUP:
		return lookup(v, i);
	case IPFW_OP_IN: /* these were decided by compiling */
	case IPFW_OP_OUT:
	case IPFW_OP_LAYER2:
	case IPFW_OP_SRC_MAC:
	case IPFW_OP_DST_MAC:
	case IPFW_OP_KEEP_STATE:
	case IPFW_OP_LIMIT:
	case IPFW_OPS:
		break;
	}
	return true;
}

static inline bool
row_matches(
    const struct ipfw_program *prog, const struct row *row, struct view *v)
{
	const struct item *items;
	uint16_t at = 0;

	if (row->count == 0)
		return true;
	items = &prog->items[row->items];
	while (at < row->count)
		at = item_holds(v, &items[at]) ? items[at].yes : items[at].no;
	return at == row->count;
}

/* --- running: which rows -------------------------------------------------- */

/* What is left of the lists of rows that a packet may match. */
struct cursor {
	const uint32_t *at, *end;
};

struct walk {
	uint32_t count;
	struct cursor lists[GROUPS_MAX + 1];
};

/* The packet's value for a group; false: it has none. */
static inline bool
group_value(
    const struct view *v, const struct group *g, uint64_t *hi, uint64_t *lo)
{
	const struct pfil_packet *p = v->p;
	const uint8_t *data = p->frame->data;
	const struct iface *ifp = NULL;

	*hi = *lo = 0;
	switch ((enum field)g->field) {
	case FIELD_SRC_IP4:
		if (v->ip.ip != 4)
			return false;
		*hi = (uint64_t)v->src << 32;
		break;
	case FIELD_DST_IP4:
		if (v->ip.ip != 4)
			return false;
		*hi = (uint64_t)v->dst << 32;
		break;
	case FIELD_SRC_IP6:
	case FIELD_DST_IP6:
		if (v->ip.ip != 6)
			return false;
		data = v->l3 + (g->field == FIELD_SRC_IP6 ? 8 : 24);
		*hi = be64_get(data);
		*lo = be64_get(data + 8) &
		      high_bits(g->len > 64 ? g->len - 64u : 0);
		break;
	case FIELD_SRC_MAC:
		*hi = be64_get(data + ETH_ADDR_LEN);
		break;
	case FIELD_DST_MAC:
		*hi = be64_get(data);
		break;
	case FIELD_SRC_PORT:
		*hi = (uint64_t)v->sport << 48;
		return v->ports && ((*hi &= high_bits(g->len)), true);
	case FIELD_DST_PORT:
		*hi = (uint64_t)v->dport << 48;
		return v->ports && ((*hi &= high_bits(g->len)), true);
	case FIELD_MAC_TYPE:
		*hi = (uint64_t)p->ethertype << 48;
		break;
	case FIELD_PROTO:
		if (v->ip.ip == 0)
			return false;
		*hi = (uint64_t)v->ip.proto << 56;
		break;
	case FIELD_VIA:
		ifp = p->ifp;
		break;
	case FIELD_RECV:
		ifp = p->rcvif;
		break;
	case FIELD_XMIT:
		ifp = p->dir == PFIL_OUT ? p->ifp : NULL;
		break;
	case FIELDS:
		return false;
	}
	if (g->field >= FIELD_VIA && g->field <= FIELD_XMIT) {
		struct ipfw_key k;

		if (ifp == NULL)
			return false;
		k = ipfw_key_name(ifp->name);
		*hi = k.hi;
		*lo = k.lo;
		return true;
	}
	*hi &= high_bits(g->len);
	return true;
}

static inline void
walk_add(struct walk *w, const uint32_t *rows, uint32_t count)
{
	if (count != 0)
		w->lists[w->count++] = (struct cursor){ rows, rows + count };
}

static inline void
walk_begin(
    struct walk *w, const struct ipfw_program *prog, const struct view *v)
{
	w->count = 0;
	walk_add(w, prog->unfiled, prog->unfiled_count);
	for (uint32_t g = 0; g < prog->group_count; g++) {
		const struct bucket *b;
		uint64_t hi, lo;

		if (!group_value(v, &prog->groups[g], &hi, &lo))
			continue;
		b = bucket_find(prog, filing_hash(prog, g, hi, lo));
		walk_add(w, prog->filed + b->first, b->count);
	}
}

/* The next row from @from on, or UINT32_MAX. */
static inline uint32_t
walk_next(struct walk *w, uint32_t from)
{
	uint32_t next = UINT32_MAX;

	/* Nothing is filed, or nothing that was: one list. */
	if (w->count == 1) {
		struct cursor *c = &w->lists[0];

		while (c->at != c->end && *c->at < from)
			c->at++;
		return c->at != c->end ? *c->at : UINT32_MAX;
	}
	for (uint32_t i = 0; i < w->count;) {
		struct cursor *c = &w->lists[i];

		while (c->at != c->end && *c->at < from)
			c->at++;
		if (c->at == c->end) {
			*c = w->lists[--w->count];
			continue;
		}
		if (*c->at < next)
			next = *c->at;
		i++;
	}
	return next;
}

/* --- running: what rules do ----------------------------------------------- */

/* What comes of a rule: a verdict, or (with -1) on from *@next. */
#define GO_ON (-1)

static void
tell(const struct pfil_packet *p, const struct ipfw_rule *r, const char *what)
{
	char text[512];
	struct sbuf b = sbuf_init(text, sizeof(text));

	ipfw_print(&r->head, r->insns, r->count, 0, &b);
	net_trace(p->ifp, "ipfw", "%s%s %s: %s: %05u %s",
	    p->layer == PFIL_ETHER ? "layer2 " : "",
	    p->dir == PFIL_IN ? "in" : "out", p->ifp->name, what,
	    r->head.number, text);
}

/* The argument of an action. */
static uint32_t
argument(const struct ipfw_rule *r, const struct view *v)
{
	return r->head.arg == IPFW_TABLEARG ? v->tablearg : r->head.arg;
}

static const char *
action_text(const struct ipfw_rule *r)
{
	switch (r->head.action) {
	case IPFW_ALLOW:
		return "passes";
	case IPFW_DENY:
		return "is denied";
	case IPFW_REJECT:
	case IPFW_RESET:
	case IPFW_UNREACH:
	case IPFW_RESET6:
	case IPFW_UNREACH6:
		return "is denied, with an answer";
	case IPFW_PIPE:
	case IPFW_QUEUE:
		return "goes through the pipe";
	case IPFW_SKIPTO:
		return "skips rules";
	case IPFW_COUNT:
	case IPFW_CHECK_STATE:
	case IPFW_ACTIONS:
		break;
	}
	return "is counted";
}

/* @r's action for a packet; @after: the row behind the rule. */
static int
act(struct ipfw *fw, const struct ipfw_program *prog, struct ipfw_rule *r,
    struct view *v, struct pfil_packet *p, uint32_t after, uint32_t *next)
{
	uint32_t number;

	if (__builtin_expect(p->trace, 0)) {
		tell(p, r, action_text(r));
	} else {
		r->packets++;
		r->bytes += v->ip.ip != 0 ? v->len : p->frame->len - p->l3;
		r->last_ns = fw->net->now_ns;
		if (r->head.log)
			ipfw_log(fw, r, p, &v->ip);
	}
	switch (r->head.action) {
	case IPFW_ALLOW:
		return PFIL_PASS;
	case IPFW_DENY:
		return PFIL_DROPPED;
	case IPFW_COUNT:
	case IPFW_CHECK_STATE:
	case IPFW_ACTIONS:
		*next = after;
		return GO_ON;
	case IPFW_SKIPTO:
		number = COAX_MAX(argument(r, v), r->head.number + 1);
		*next = row_from(prog, number, 0);
		return GO_ON;
	case IPFW_REJECT:
	case IPFW_RESET:
	case IPFW_UNREACH:
	case IPFW_RESET6:
	case IPFW_UNREACH6:
		if (!p->trace)
			ipfw_answer(fw, r, p, &v->ip);
		return PFIL_DROPPED;
	case IPFW_PIPE:
	case IPFW_QUEUE:
		if (p->trace) {
			*next = after;
			return fw->settings[IPFW_ONE_PASS] != 0 ? (int)PFIL_PASS
			                                        : GO_ON;
		}
		if (fw->settings[IPFW_ONE_PASS] != 0) {
			p->where.hook++;
			p->where.cookie = 0;
		} else {
			p->where.cookie =
			    (uint64_t)(r->head.number + 1) << 32 | r->id;
		}
		return (int)dummynet_take(&fw->pipes,
		    r->head.action == IPFW_QUEUE, argument(r, v), p, &v->ip);
	}
	return GO_ON;
}

/* --- running: states ------------------------------------------------------ */

static bool
flow_of(const struct view *v, struct ipfw_flow *f)
{
	if (v->ip.ip == 0 || (v->ip.fragment && !v->ip.first))
		return false;
	*f = (struct ipfw_flow){
		.proto = v->ip.proto,
		.family = v->ip.ip,
		.port = { v->sport, v->dport },
	};
	if (v->ip.ip == 4) {
		memcpy(f->addr[0], v->l3 + 12, 4);
		memcpy(f->addr[1], v->l3 + 16, 4);
	} else {
		memcpy(f->addr[0], v->l3 + 8, 16);
		memcpy(f->addr[1], v->l3 + 24, 16);
	}
	return true;
}

static struct ipfw_lifetimes
lifetimes(const struct ipfw *fw)
{
	return (struct ipfw_lifetimes){
		.ack = fw->settings[IPFW_DYN_ACK_LIFETIME],
		.syn = fw->settings[IPFW_DYN_SYN_LIFETIME],
		.fin = fw->settings[IPFW_DYN_FIN_LIFETIME],
		.rst = fw->settings[IPFW_DYN_RST_LIFETIME],
		.udp = fw->settings[IPFW_DYN_UDP_LIFETIME],
		.other = fw->settings[IPFW_DYN_SHORT_LIFETIME],
	};
}

/* The rule of the packet's state, or NULL. */
static struct ipfw_rule *
state_rule(struct ipfw *fw, struct view *v, int name)
{
	struct ipfw_lifetimes life = lifetimes(fw);
	struct ipfw_state *st;
	struct ipfw_flow flow;
	bool reverse;

	if (!flow_of(v, &flow))
		return NULL;
	st = ipfw_state_find(
	    &fw->states, &flow, name, fw->net->now_ns, &reverse);
	if (st == NULL)
		return NULL;
	if (!v->p->trace)
		ipfw_state_touch(&fw->states, st, reverse, v->tcp_flags, v->len,
		    &life, fw->net->now_ns);
	return st->of;
}

/* A row that keeps state has matched.  False: there may be no more. */
static bool
state_new(struct ipfw *fw, const struct row *row, struct view *v)
{
	struct ipfw_lifetimes life = lifetimes(fw);
	struct ipfw_state *st;
	struct ipfw_flow flow;

	if (v->p->trace || !flow_of(v, &flow))
		return true;
	st = ipfw_state_make(&fw->states, &flow, (uint8_t)row->state, row->rule,
	    row->by, row->max, fw->net->now_ns);
	if (st == NULL)
		return false;
	ipfw_state_touch(&fw->states, st, false, v->tcp_flags, v->len, &life,
	    fw->net->now_ns);
	ipfw_sweep_arm(fw);
	return true;
}

/* --- running: the whole --------------------------------------------------- */

/* Where a packet that was in a pipe goes on. */
static uint32_t
row_again(const struct ipfw_program *prog, uint64_t cookie)
{
	uint32_t number = (uint32_t)(cookie >> 32) - 1;
	uint32_t id = (uint32_t)cookie;
	uint32_t row = row_from(prog, number, 0);

	while (row < prog->row_count &&
	       prog->rows[row].rule->head.number == number &&
	       prog->rows[row].rule->id <= id)
		row++;
	return row;
}

static inline bool
is_done(const struct probe *p, uint64_t names)
{
	return p->name >= 0 && (names >> p->name & 1) != 0;
}

enum pfil_verdict
ipfw_run(
    struct ipfw *fw, const struct ipfw_program *prog, struct pfil_packet *p)
{
	uint64_t names_done = 0;
	uint32_t row, next = 0, target = 0, probe = 0;
	struct view v;
	struct walk w;
	int verdict;

	if (__builtin_expect(!view_fill(&v, fw, p), 0)) {
		p->why = DROP_FILTER_BAD;
		if (p->trace)
			net_trace(p->ifp, "ipfw",
			    "is denied: a header is cut off, or overlaid");
		else
			ipfw_log_bad(fw, p, &v.ip);
		return PFIL_DROPPED;
	}
	if (__builtin_expect(p->where.cookie != 0, 0)) {
		next = row_again(prog, p->where.cookie);
		while (
		    probe < prog->probe_count && prog->probes[probe].row < next)
			probe++;
	}
	walk_begin(&w, prog, &v);
	for (;;) {
		row = walk_next(&w, next);
		/* States that are looked for before that row, and have not been
		 * yet. */
		while (probe < prog->probe_count &&
		       (prog->probes[probe].row < next ||
		           is_done(&prog->probes[probe], names_done)))
			probe++;
		if (probe < prog->probe_count &&
		    prog->probes[probe].row <= row) {
			const struct probe *pr = &prog->probes[probe++];
			struct ipfw_rule *r = NULL;
			uint64_t bit =
			    pr->name < 0 ? prog->probe_names : 1ull << pr->name;

			r = state_rule(fw, &v, pr->name);
			names_done |= bit;
			/* There is none, under no name. */
			if (names_done == prog->probe_names && r == NULL)
				probe = prog->probe_count;
			if (r == NULL)
				continue;
			verdict = act(fw, prog, r, &v, p,
			    row_from(prog, r->head.number, r->order + 1),
			    &target);
			if (verdict != GO_ON)
				return (enum pfil_verdict)verdict;
			next = COAX_MAX(next, target);
			continue;
		}
		if (row == UINT32_MAX)
			break;
		next = row + 1;
		if (!row_matches(prog, &prog->rows[row], &v))
			continue;
		if (prog->rows[row].rule->head.prob != 0 && !p->trace &&
		    prng_below(&fw->prng, IPFW_WHOLE) >=
		        prog->rows[row].rule->head.prob)
			continue;
		if (prog->rows[row].state >= 0 &&
		    !state_new(fw, &prog->rows[row], &v))
			return PFIL_DROPPED;
		verdict = act(
		    fw, prog, prog->rows[row].rule, &v, p, row + 1, &target);
		if (verdict != GO_ON)
			return (enum pfil_verdict)verdict;
		next = COAX_MAX(next, target);
	}
	verdict = act(fw, prog, fw->last, &v, p, 0, &target);
	return (enum pfil_verdict)verdict;
}

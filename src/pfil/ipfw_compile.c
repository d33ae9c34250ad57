/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules become a program: rows, their items, and where rows are filed.  See
 * ipfw_program.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "pfil/ipfw_program.h"

#define GROUP_SMALL 4u  /* rows that are not worth a question */
#define KEYS_MAX    64u /* of one row */
#define ITEM_TRUE   0xffffu
#define ITEM_FALSE  0xfffeu

/* --- items ---------------------------------------------------------------- */

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

/* --- filing --------------------------------------------------------------- */

/* A value that a row may be found by. */
struct filing {
	uint8_t field, len;
	uint64_t hi, lo;
};

struct filings {
	struct filing list[KEYS_MAX];
	uint32_t count;
};

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

/* --- the whole ------------------------------------------------------------ */

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

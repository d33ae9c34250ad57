/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules as a program, and packets through it.
 *
 * ipfw_compile.c makes programs, ipfw_run.c sends packets through them; nobody
 * else looks inside.
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
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "pfil/ipfw.h"

#define GROUPS_MAX 64u

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

static inline uint64_t
high_bits(uint32_t n)
{
	return n == 0 ? 0 : n >= 64 ? UINT64_MAX : UINT64_MAX << (64 - n);
}

static inline uint64_t
filing_hash(
    const struct ipfw_program *prog, uint32_t group, uint64_t hi, uint64_t lo)
{
	return hash_u64(prog->seed + group, hi ^ (lo << 1 | lo >> 63)) | 1;
}

static inline struct bucket *
bucket_find(const struct ipfw_program *prog, uint64_t key)
{
	uint32_t i = (uint32_t)(key >> 32) & prog->bucket_mask;

	while (prog->buckets[i].key != 0 && prog->buckets[i].key != key)
		i = (i + 1) & prog->bucket_mask;
	return &prog->buckets[i];
}

static inline bool
has_wildcard(const char *name)
{
	return strpbrk(name, "*?[") != NULL || strcmp(name, "any") == 0;
}

/* The first row of a number, or behind a rule. */
static inline uint32_t
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

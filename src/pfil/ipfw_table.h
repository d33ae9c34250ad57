/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of ipfw: keys with a value each.
 *
 * A key of type addr is an IPv4 or IPv6 prefix, of type mac a prefix of an
 * Ethernet address; the longest that has what is looked for is found.  Keys of
 * the types iface and number are found as they are.
 *
 * All prefixes of a table are in one hash table, keyed by family, length and
 * bits; a look-up asks once for each length that there is.  So it costs the
 * same with ten entries and with a hundred thousand of one length.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "pfil/ipfw_rule.h"

#define IPFW_TABLES_MAX  1024
#define IPFW_ENTRIES_MAX (1u << 22) /* of one table */

enum ipfw_table_type {
	IPFW_TABLE_ADDR,
	IPFW_TABLE_MAC,
	IPFW_TABLE_IFACE,
	IPFW_TABLE_NUMBER,
	IPFW_TABLE_TYPES
};
extern const char *const ipfw_table_types[]; /* NULL-ended */

enum ipfw_family {
	IPFW_FAMILY_NONE, /* a free slot */
	IPFW_FAMILY_IP4,
	IPFW_FAMILY_IP6,
	IPFW_FAMILY_MAC,
	IPFW_FAMILY_NAME,
	IPFW_FAMILY_NUMBER,
	IPFW_FAMILIES
};

/* What is looked for, or with a length of its prefix what is kept. */
struct ipfw_key {
	uint64_t hi, lo; /* bits, from the left; a name */
	uint8_t family;
	uint8_t len; /* bits */
};

struct ipfw_entry {
	struct ipfw_key key;
	uint32_t value;
};

struct ipfw_table {
	char name[IPFW_NAME_MAX];
	enum ipfw_table_type type;
	bool locked;
	uint32_t refs; /* rules that name it */
	uint64_t seed;
	struct ipfw_entry *slots;  /* open addressing */
	struct ipfw_entry *sorted; /* for listings; NULL: not yet */
	uint32_t mask, count;
	/* Entries of each length, and which lengths there are. */
	uint32_t lens[IPFW_FAMILIES][129];
	uint64_t bits[IPFW_FAMILIES][3];
	TAILQ_ENTRY(ipfw_table) link;
};

int ipfw_table_create(const char *name, enum ipfw_table_type type,
    uint64_t seed, struct ipfw_table **out);
void ipfw_table_destroy(struct ipfw_table *t);
/** ipfw_table_flush() - no entries any more */
void ipfw_table_flush(struct ipfw_table *t);

/** ipfw_table_key() - of the text that a command has. 0 or -EINVAL */
int ipfw_table_key(
    const struct ipfw_table *t, const char *s, struct ipfw_key *out);
void ipfw_table_print(const struct ipfw_key *key, struct sbuf *out);

/** ipfw_table_add() - -EEXIST unless @replace, -ENOSPC, -ENOMEM */
int ipfw_table_add(struct ipfw_table *t, const struct ipfw_key *key,
    uint32_t value, bool replace);
/** ipfw_table_delete() - 0 or -ENOENT */
int ipfw_table_delete(struct ipfw_table *t, const struct ipfw_key *key);

/** ipfw_table_find() - the longest prefix that has @key (whose len is that of
 * its family), or NULL */
const struct ipfw_entry *ipfw_table_find(
    const struct ipfw_table *t, const struct ipfw_key *key);

/** ipfw_table_sorted() - all entries in the order of a listing, borrowed until
 * the table changes.  NULL: none, or no memory */
const struct ipfw_entry *ipfw_table_sorted(struct ipfw_table *t);

/** ipfw_table_changed() - for who changes it otherwise than by these */
void ipfw_table_changed(struct ipfw_table *t);

/* Keys of packets. */
static inline struct ipfw_key
ipfw_key4(uint32_t addr)
{
	return (struct ipfw_key){
		.hi = (uint64_t)addr << 32, .family = IPFW_FAMILY_IP4, .len = 32
	};
}
struct ipfw_key ipfw_key6(const uint8_t addr[16]);
struct ipfw_key ipfw_key_mac(const uint8_t mac[6]);
struct ipfw_key ipfw_key_name(const char *name);
static inline struct ipfw_key
ipfw_key_number(uint32_t n)
{
	return (struct ipfw_key){ .hi = n, .family = IPFW_FAMILY_NUMBER };
}

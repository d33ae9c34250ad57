/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of ipfw. See ipfw_table.h. */
#include "pfil/ipfw_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/hash.h"
#include "base/util.h"

#define SLOTS_AT_FIRST 64u

const char *const ipfw_table_types[] = { "addr", "mac", "iface", "number",
	NULL };

struct ipfw_key
ipfw_key6(const uint8_t addr[16])
{
	return (struct ipfw_key){
		.hi = be64_get(addr),
		.lo = be64_get(addr + 8),
		.family = IPFW_FAMILY_IP6,
		.len = 128,
	};
}

struct ipfw_key
ipfw_key_mac(const uint8_t mac[6])
{
	return (struct ipfw_key){
		.hi = mac_to_u64(mac) << 16,
		.family = IPFW_FAMILY_MAC,
		.len = 48,
	};
}

struct ipfw_key
ipfw_key_name(const char *name)
{
	uint8_t text[16] = { 0 };
	size_t len = strlen(name);

	memcpy(text, name, COAX_MIN(len, sizeof(text)));
	return (struct ipfw_key){
		.hi = be64_get(text),
		.lo = be64_get(text + 8),
		.family = IPFW_FAMILY_NAME,
	};
}

static uint64_t
high_bits(uint32_t n)
{
	return n == 0 ? 0 : n >= 64 ? UINT64_MAX : UINT64_MAX << (64 - n);
}

/* @k cut to a prefix of @len bits. */
static struct ipfw_key
cut(const struct ipfw_key *k, uint32_t len)
{
	struct ipfw_key out = *k;

	out.len = (uint8_t)len;
	if (k->family == IPFW_FAMILY_NAME || k->family == IPFW_FAMILY_NUMBER)
		return out;
	out.hi &= high_bits(len);
	out.lo &= high_bits(len > 64 ? len - 64 : 0);
	return out;
}

static inline uint32_t
slot_of(const struct ipfw_table *t, const struct ipfw_key *k)
{
	uint64_t x = k->hi ^ (k->lo << 1 | k->lo >> 63);

	return (uint32_t)hash_u64(
	           t->seed + (uint64_t)k->family * 131 + k->len, x) &
	       t->mask;
}

static inline bool
same(const struct ipfw_key *a, const struct ipfw_key *b)
{
	return a->hi == b->hi && a->lo == b->lo && a->family == b->family &&
	       a->len == b->len;
}

static struct ipfw_entry *
find(const struct ipfw_table *t, const struct ipfw_key *k)
{
	uint32_t i;

	if (t->slots == NULL)
		return NULL;
	for (i = slot_of(t, k); t->slots[i].key.family != IPFW_FAMILY_NONE;
	     i = (i + 1) & t->mask)
		if (same(&t->slots[i].key, k))
			return &t->slots[i];
	return NULL;
}

const struct ipfw_entry *
ipfw_table_find(const struct ipfw_table *t, const struct ipfw_key *key)
{
	const uint64_t *bits = t->bits[key->family];

	for (int word = 2; word >= 0; word--) {
		uint64_t left = bits[word];

		while (left != 0) {
			uint32_t bit = 63u - (uint32_t)__builtin_clzll(left);
			struct ipfw_key k = cut(key, (uint32_t)word * 64 + bit);
			const struct ipfw_entry *e = find(t, &k);

			if (e != NULL)
				return e;
			left &= ~(1ull << bit);
		}
	}
	return NULL;
}

/* There is room. */
static struct ipfw_entry *
place(struct ipfw_table *t, const struct ipfw_entry *e)
{
	uint32_t i = slot_of(t, &e->key);

	while (t->slots[i].key.family != IPFW_FAMILY_NONE)
		i = (i + 1) & t->mask;
	t->slots[i] = *e;
	return &t->slots[i];
}

static int
grow(struct ipfw_table *t)
{
	struct ipfw_entry *old = t->slots, *slots;
	uint32_t size = old != NULL ? t->mask + 1 : 0;
	uint32_t wanted = size != 0 ? 2 * size : SLOTS_AT_FIRST;

	slots = calloc(wanted, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	t->slots = slots;
	t->mask = wanted - 1;
	for (uint32_t i = 0; i < size; i++)
		if (old[i].key.family != IPFW_FAMILY_NONE)
			(void)place(t, &old[i]);
	free(old);
	return 0;
}

int
ipfw_table_add(struct ipfw_table *t, const struct ipfw_key *key, uint32_t value,
    bool replace)
{
	struct ipfw_entry e = { .key = cut(key, key->len), .value = value };
	struct ipfw_entry *old = find(t, &e.key);

	ipfw_table_changed(t);
	if (old != NULL) {
		if (!replace)
			return -EEXIST;
		old->value = value;
		return 0;
	}
	if (t->count == IPFW_ENTRIES_MAX)
		return -ENOSPC;
	if ((t->slots == NULL || 2 * (t->count + 1) > t->mask + 1) &&
	    grow(t) != 0)
		return -ENOMEM;
	(void)place(t, &e);
	t->count++;
	t->lens[e.key.family][e.key.len]++;
	t->bits[e.key.family][e.key.len / 64] |= 1ull << e.key.len % 64;
	return 0;
}

int
ipfw_table_delete(struct ipfw_table *t, const struct ipfw_key *key)
{
	struct ipfw_key k = cut(key, key->len);
	struct ipfw_entry *e = find(t, &k);
	uint32_t hole, i;

	if (e == NULL)
		return -ENOENT;
	ipfw_table_changed(t);
	t->count--;
	if (--t->lens[k.family][k.len] == 0)
		t->bits[k.family][k.len / 64] &= ~(1ull << k.len % 64);
	/* What comes behind moves up, as far as it may. */
	hole = (uint32_t)(e - t->slots);
	for (i = (hole + 1) & t->mask;
	     t->slots[i].key.family != IPFW_FAMILY_NONE;
	     i = (i + 1) & t->mask) {
		uint32_t home = slot_of(t, &t->slots[i].key);

		if (((i - home) & t->mask) >= ((i - hole) & t->mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole] = (struct ipfw_entry){ 0 };
	return 0;
}

int
ipfw_table_create(const char *name, enum ipfw_table_type type, uint64_t seed,
    struct ipfw_table **out)
{
	struct ipfw_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	(void)str_copy(t->name, sizeof(t->name), name);
	t->type = type;
	t->seed = seed;
	*out = t;
	return 0;
}

void
ipfw_table_flush(struct ipfw_table *t)
{
	ipfw_table_changed(t);
	free(t->slots);
	t->slots = NULL;
	t->mask = t->count = 0;
	memset(t->lens, 0, sizeof(t->lens));
	memset(t->bits, 0, sizeof(t->bits));
}

void
ipfw_table_destroy(struct ipfw_table *t)
{
	if (t == NULL)
		return;
	ipfw_table_changed(t);
	free(t->slots);
	free(t);
}

static int
mac_key(const char *s, struct ipfw_key *out)
{
	uint8_t addr[6], mask[6];
	uint64_t m, inverse;

	if (strcmp(s, "any") == 0 || ipfw_parse_mac(s, addr, mask) != 0)
		return -EINVAL;
	m = mac_to_u64(mask);
	inverse = ~m & 0xffffffffffffu;
	if (m == 0 || (inverse & (inverse + 1)) != 0) /* no prefix */
		return -EINVAL;
	*out = ipfw_key_mac(addr);
	out->len = (uint8_t)__builtin_popcountll(m);
	return 0;
}

int
ipfw_table_key(const struct ipfw_table *t, const char *s, struct ipfw_key *out)
{
	uint8_t addr[16];
	uint32_t n;
	int family;

	switch (t->type) {
	case IPFW_TABLE_ADDR:
		family = ipfw_parse_addr(s, addr, &n);
		if (family < 0)
			return family;
		*out =
		    family == 4 ? ipfw_key4(be32_get(addr)) : ipfw_key6(addr);
		out->len = (uint8_t)n;
		return 0;
	case IPFW_TABLE_MAC:
		return mac_key(s, out);
	case IPFW_TABLE_IFACE:
		if (*s == '\0' || strlen(s) >= IFACE_NAME_MAX)
			return -EINVAL;
		*out = ipfw_key_name(s);
		return 0;
	case IPFW_TABLE_NUMBER:
		if (str_u32(s, 0, 0, UINT32_MAX, &n) != 0)
			return -EINVAL;
		*out = ipfw_key_number(n);
		return 0;
	case IPFW_TABLE_TYPES:
		break;
	}
	return -EINVAL;
}

void
ipfw_table_print(const struct ipfw_key *k, struct sbuf *out)
{
	uint8_t bytes[17] = { 0 }, mask[6];

	be64_put(bytes, k->hi);
	be64_put(bytes + 8, k->lo);
	switch ((enum ipfw_family)k->family) {
	case IPFW_FAMILY_IP4:
		ipfw_print_addr(4, bytes, k->len, out);
		break;
	case IPFW_FAMILY_IP6:
		ipfw_print_addr(6, bytes, k->len, out);
		break;
	case IPFW_FAMILY_MAC:
		u64_to_mac(high_bits(k->len) >> 16, mask);
		ipfw_print_mac(bytes, mask, out);
		break;
	case IPFW_FAMILY_NAME:
		sbuf_puts(out, (const char *)bytes);
		break;
	case IPFW_FAMILY_NUMBER:
		sbuf_printf(out, "%u", (uint32_t)k->hi);
		break;
	case IPFW_FAMILY_NONE:
	case IPFW_FAMILIES:
		break;
	}
}

static int
compare(const void *pa, const void *pb)
{
	const struct ipfw_key *a = &((const struct ipfw_entry *)pa)->key;
	const struct ipfw_key *b = &((const struct ipfw_entry *)pb)->key;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return a->len < b->len ? -1 : a->len > b->len;
}

const struct ipfw_entry *
ipfw_table_sorted(struct ipfw_table *t)
{
	struct ipfw_entry *all;
	uint32_t n = 0;

	if (t->count == 0 || t->sorted != NULL)
		return t->sorted;
	all = calloc(t->count, sizeof(*all));
	if (all == NULL)
		return NULL;
	for (uint32_t i = 0; i <= t->mask; i++)
		if (t->slots[i].key.family != IPFW_FAMILY_NONE)
			all[n++] = t->slots[i];
	qsort(all, n, sizeof(*all), compare);
	t->sorted = all;
	return all;
}

void
ipfw_table_changed(struct ipfw_table *t)
{
	free(t->sorted);
	t->sorted = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address table of a bridge: see fdb.h.
 *
 * In the present table an entry is removed by moving those behind it up (as in
 * Knuth, The Art of Computer Programming 3, 6.4, algorithm R, by lines), so it
 * has no tombstones.  In the old one, into which nothing is entered any more,
 * FDB_GONE takes the place of what has left.
 */
#include "bridge/fdb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/util.h"

#define SLOTS_MIN 128u
#define FDB_GONE  1u /* no key is 1: the highest bit of a key is set */

/* Slots looked at when a full table makes room for a new address. */
#define SWEEP_WHEN_FULL 65536u

/* Slots of a new table that are cleared per new address. */
#define CLEAR_STEP 256u

/* Bytes of a former table that are given back per new address. */
#define GIVE_BACK (256u << 10)

#define CACHE_LINE 64u

static size_t
table_size(uint32_t slots)
{
	return slots * (sizeof(struct fdb_entry) + sizeof(uint32_t)) +
	       CACHE_LINE;
}

/* A table of garbage. */
static int
table_alloc(struct fdb_table *t, uint32_t slots)
{
	size_t entries_size = (size_t)slots * sizeof(struct fdb_entry);
	uint8_t *memory = malloc(table_size(slots));

	if (memory == NULL)
		return -ENOMEM;
	t->memory = memory;
	memory += -(uintptr_t)memory & (CACHE_LINE - 1);
	t->entries = (struct fdb_entry *)(void *)memory;
	t->births = (uint32_t *)(void *)(memory + entries_size);
	t->mask = slots - 1;
	t->count = 0;
	return 0;
}

/* Frees @slots slots from @at on; returns where it stopped. */
static uint32_t
table_clear(struct fdb_table *t, uint32_t at, uint32_t slots)
{
	uint32_t n = COAX_MIN(slots, t->mask + 1 - at);

	memset(&t->entries[at], 0, n * sizeof(struct fdb_entry));
	return at + n;
}

static void
table_fini(struct fdb_table *t)
{
	free(t->memory);
	*t = (struct fdb_table){ 0 };
}

static inline bool
slot_used(const struct fdb_entry *e)
{
	return e->key > FDB_GONE;
}

int
fdb_init(struct fdb *f, uint64_t seed, uint32_t ports)
{
	*f = (struct fdb){
		.seed = hash_u64(seed, 1), /* spread: it multiplies */
		.max = FDB_MAX_DEFAULT,
		.timeout_s = FDB_TIMEOUT_DEFAULT_S,
		.due_s = FDB_NEVER,
		.sweep_due_s = FDB_NEVER,
	};
	if (fdb_reserve_ports(f, ports) < 0)
		return -ENOMEM;
	if (table_alloc(&f->now, SLOTS_MIN) < 0) {
		free(f->ports);
		return -ENOMEM;
	}
	(void)table_clear(&f->now, 0, SLOTS_MIN);
	return 0;
}

void
fdb_fini(struct fdb *f)
{
	table_fini(&f->now);
	table_fini(&f->old);
	table_fini(&f->next);
	free(f->dead);
	free(f->ports);
	f->ports = NULL;
	f->port_count = 0;
}

int
fdb_reserve_ports(struct fdb *f, uint32_t ports)
{
	struct fdb_port *p;

	ASSERT(ports <= FDB_PORT_MAX + 1);
	if (ports <= f->port_count)
		return 0;
	p = realloc(f->ports, ports * sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	memset(p + f->port_count, 0, (ports - f->port_count) * sizeof(*p));
	f->ports = p;
	f->port_count = ports;
	return 0;
}

/* The entry of @key in one table, or NULL. */
static struct fdb_entry *
table_find(const struct fdb_table *t, uint64_t key, uint32_t hash)
{
	uint32_t line = fdb_home(t, hash);

	for (uint32_t i = 0; i <= FDB_LINES_MAX; i++) {
		struct fdb_entry *e = &t->entries[line];
		uint32_t match = fdb_line_match(e, key);

		if (match != 0)
			return e + __builtin_ctz(match);
		if (fdb_line_match(e, 0) != 0)
			break;
		line = (line + FDB_LINE) & t->mask;
	}
	return NULL;
}

struct fdb_entry *
fdb_find_far(const struct fdb *f, uint64_t key, uint32_t hash)
{
	struct fdb_entry *e = table_find(&f->now, key, hash);

	if (e == NULL && f->old.entries != NULL)
		e = table_find(&f->old, key, hash);
	return e;
}

/* @n addresses more, or fewer, behind a port. */
static void
port_count(struct fdb_port *p, int32_t n)
{
	p->count += (uint32_t)n;
	if (p->shared != NULL)
		*p->shared += (uint32_t)n;
}

/* Has it as many as it may, by itself or with those that it counts with? */
static bool
port_full(const struct fdb_port *p)
{
	return (p->limit != 0 && p->count >= p->limit) ||
	       (p->shared != NULL && *p->shared_limit != 0 &&
	           *p->shared >= *p->shared_limit);
}

/* Something expires at @expire_s: neither sleep nor a sweep may miss it. */
static void
note_due(struct fdb *f, uint32_t expire_s)
{
	if (expire_s < f->due_s)
		f->due_s = expire_s;
	if (expire_s < f->sweep_due_s)
		f->sweep_due_s = expire_s;
}

/* Puts an entry into the present table, which has no such key.  False if it
 * would lie too far from home. */
static bool
table_put(struct fdb *f, const struct fdb_entry *entry, uint32_t birth)
{
	struct fdb_table *t = &f->now;
	uint32_t line = fdb_home(t, fdb_hash(f, entry->key));

	for (uint32_t i = 0; i <= FDB_LINES_MAX; i++) {
		uint32_t room = fdb_line_match(&t->entries[line], 0);

		if (room != 0) {
			line += (uint32_t)__builtin_ctz(room);
			t->entries[line] = *entry;
			t->births[line] = birth;
			t->count++;
			return true;
		}
		line = (line + FDB_LINE) & t->mask;
	}
	return false;
}

/* Takes the entry out of @slot of the present table. */
static void
table_cut(struct fdb *f, uint32_t slot)
{
	struct fdb_table *t = &f->now;
	uint32_t hole = slot, line = slot & ~(FDB_LINE - 1);

	/* Behind a line with room for one nobody has passed it by. */
	while (fdb_line_match(&t->entries[line], 0) == 0) {
		uint32_t past = 0; /* an entry that has passed the hole by */

		line = (line + FDB_LINE) & t->mask;
		for (uint32_t i = 0; i < FDB_LINE && past == 0; i++) {
			struct fdb_entry *e = &t->entries[line + i];
			uint32_t home;

			if (e->key == 0)
				continue;
			home = fdb_home(t, fdb_hash(f, e->key));
			/* It stays if its home lies behind the hole's line. */
			if (((line - home) & t->mask) <
			    ((line - (hole & ~(FDB_LINE - 1))) & t->mask))
				continue;
			t->entries[hole] = *e;
			t->births[hole] = t->births[line + i];
			/* Has it moved to where the sweep has been? */
			if (hole < f->sweep_at && e->expire_s < f->sweep_due_s)
				f->sweep_due_s = e->expire_s;
			past = line + i;
			hole = past;
		}
	}
	t->entries[hole] = (struct fdb_entry){ 0 };
	t->count--;
	f->cuts++;
}

/* Removes an entry of either table and tells the owner. */
static void
entry_remove(struct fdb *f, struct fdb_entry *e, enum fdb_why why)
{
	uint64_t key = e->key;
	uint16_t port = e->port;

	ASSERT(f->ports[port].count > 0);
	port_count(&f->ports[port], -1);
	if (f->old.entries != NULL && e >= f->old.entries &&
	    e <= f->old.entries + f->old.mask) {
		e->key = FDB_GONE;
		f->old.count--;
	} else {
		table_cut(f, (uint32_t)(e - f->now.entries));
	}
	if (f->removed != NULL)
		f->removed(f->removed_arg, key, port, why);
}

/* Gives a stretch of a former table's memory back to the system.  All of it at
 * once would take a millisecond for each ten megabytes. */
static void
give_back(struct fdb *f)
{
	void *memory;

	if (f->dead == NULL)
		return;
	if (f->dead_size > GIVE_BACK) {
		f->dead_size -= GIVE_BACK;
		memory = realloc(f->dead, f->dead_size);
		if (memory != NULL) {
			f->dead = memory;
			return;
		}
	}
	free(f->dead);
	f->dead = NULL;
}

/* Moves up to @slots slots of the old table into the present one. */
static void
rehash_step(struct fdb *f, uint32_t slots)
{
	if (f->old.entries == NULL)
		return;
	for (; slots > 0 && f->rehash_at <= f->old.mask; slots--) {
		struct fdb_entry *e = &f->old.entries[f->rehash_at];

		if (slot_used(e)) {
			if (!table_put(f, e, f->old.births[f->rehash_at])) {
				/* No place near its home: it will be learned
				 * again, or not. */
				f->exceeded++;
				entry_remove(f, e, FDB_FLUSHED);
				f->rehash_at++;
				continue;
			}
			e->key = FDB_GONE;
			f->old.count--;
		}
		f->rehash_at++;
	}
	if (f->rehash_at > f->old.mask) {
		ASSERT(f->old.count == 0);
		free(f->dead);
		f->dead = f->old.memory;
		f->dead_size = table_size(f->old.mask + 1);
		f->old = (struct fdb_table){ 0 };
	}
}

/* The next table takes over; the present one is moved into it in steps. */
static void
rehash_start(struct fdb *f)
{
	ASSERT(f->old.entries == NULL && f->next_clear > f->next.mask);
	f->old = f->now;
	f->now = f->next;
	f->next = (struct fdb_table){ 0 };
	f->rehash_at = 0;
	f->sweep_at = 0;
	f->rehashes++;
}

/* Entries that this table has. */
static inline uint32_t
entries_here(const struct fdb *f)
{
	return f->now.count + f->old.count;
}

/* A larger table is got ready shortly before it is needed, and cleared in
 * steps: clearing (or first touching) many megabytes takes milliseconds. */
static void
prepare_next(struct fdb *f)
{
	uint32_t slots = f->now.mask + 1;
	bool shrinks = f->next.mask < f->now.mask;
	bool tight = entries_here(f) >= slots / 2 - slots / 64;

	if (f->next.entries != NULL && shrinks && entries_here(f) >= slots / 8)
		table_fini(&f->next);
	if (f->next.entries == NULL) {
		if (!tight || f->old.entries != NULL ||
		    slots >= FDB_MAX_HIGHEST ||
		    table_alloc(&f->next, slots * 2) < 0)
			return;
		f->next_clear = 0;
		shrinks = false;
	}
	if (f->next_clear <= f->next.mask)
		f->next_clear =
		    table_clear(&f->next, f->next_clear, CLEAR_STEP);
	if (f->next_clear > f->next.mask && f->old.entries == NULL &&
	    (shrinks || entries_here(f) >= slots / 2))
		rehash_start(f);
}

/* Room for one more entry?  Grows in time, so that there nearly always is. */
static bool
make_room(struct fdb *f)
{
	uint32_t slots;

	give_back(f);
	rehash_step(f, FDB_REHASH_STEP);
	prepare_next(f);
	/* Being got ready still, or out of memory: it works fuller, too. */
	slots = f->now.mask + 1;
	return entries_here(f) < slots - slots / 8;
}

/* A full table (or port) may be full of what has expired. */
static void
sweep_when_full(struct fdb *f, uint32_t now_s)
{
	if (f->due_s <= now_s)
		fdb_sweep(f, now_s, SWEEP_WHEN_FULL);
}

/* Enters a new key. */
static int
entry_add(struct fdb *f, uint64_t key, uint32_t port, enum fdb_type type,
    uint32_t now_s)
{
	struct fdb_entry e = {
		.key = key,
		.port = (uint16_t)port,
		.type = (uint8_t)type,
		.expire_s =
		    type == FDB_DYNAMIC ? fdb_expiry(f, now_s) : FDB_NEVER,
	};
	struct fdb_port *p = &f->ports[port];

	if (fdb_count(f) >= f->max)
		sweep_when_full(f, now_s);
	if (fdb_count(f) >= f->max) {
		f->exceeded++;
		return -ENOSPC;
	}
	if (port_full(p))
		sweep_when_full(f, now_s);
	if (port_full(p)) {
		p->violations++;
		return -EDQUOT;
	}
	if (!make_room(f) || !table_put(f, &e, f->births)) {
		f->exceeded++;
		return -ENOSPC;
	}
	f->births++;
	port_count(p, 1);
	note_due(f, e.expire_s);
	return 0;
}

/* The entry of a key unless it has expired: then it goes now. */
static struct fdb_entry *
find_live(struct fdb *f, uint64_t key, uint32_t now_s)
{
	struct fdb_entry *e = fdb_find(f, key, fdb_hash(f, key));

	if (e != NULL && e->expire_s <= now_s) {
		entry_remove(f, e, FDB_EXPIRED);
		return NULL;
	}
	return e;
}

static void
entry_move(struct fdb *f, struct fdb_entry *e, uint32_t port)
{
	port_count(&f->ports[e->port], -1);
	port_count(&f->ports[port], 1);
	e->port = (uint16_t)port;
}

/* Group addresses and zero are nobody's source. */
static bool
key_bad(uint64_t key)
{
	uint64_t mac = key & 0xffffffffffffu;

	return mac == 0 || (mac >> 40 & 1) != 0;
}

int
fdb_learn(struct fdb *f, uint64_t key, uint32_t port, bool sticky,
    uint32_t now_s, uint32_t *old_port)
{
	struct fdb_entry *e;
	int result = FDB_SAME;
	int err;

	ASSERT(port < f->port_count);
	if (key_bad(key))
		return -EINVAL;
	e = find_live(f, key, now_s);
	if (e == NULL) {
		err = entry_add(
		    f, key, port, sticky ? FDB_STICKY : FDB_DYNAMIC, now_s);
		return err < 0 ? err : FDB_NEW;
	}
	if (e->type != FDB_DYNAMIC)
		return FDB_SAME;
	if (e->port != port) {
		*old_port = e->port;
		entry_move(f, e, port);
		result = FDB_MOVED;
	}
	e->expire_s = fdb_expiry(f, now_s);
	note_due(f, e->expire_s);
	return result;
}

int
fdb_set_static(struct fdb *f, uint64_t key, uint32_t port, uint32_t now_s)
{
	struct fdb_entry *e;

	ASSERT(port < f->port_count);
	if (key_bad(key))
		return -EINVAL;
	e = find_live(f, key, now_s);
	if (e == NULL)
		return entry_add(f, key, port, FDB_STATIC, now_s);
	if (e->type == FDB_DYNAMIC && e->port != port)
		entry_move(f, e, port);
	e->type = FDB_STATIC;
	e->expire_s = FDB_NEVER;
	return 0;
}

int
fdb_restore(struct fdb *f, uint64_t key, uint32_t port, enum fdb_type type,
    uint32_t expire_s, uint32_t now_s)
{
	struct fdb_entry *e;
	int err;

	ASSERT(port < f->port_count);
	if (key_bad(key))
		return -EINVAL;
	if (find_live(f, key, now_s) != NULL)
		return -EEXIST;
	if (fdb_count(f) >= f->max)
		return -ENOSPC;
	if (port_full(&f->ports[port]))
		return -EDQUOT;
	err = entry_add(f, key, port, type, now_s);
	if (err < 0)
		return err;
	e = fdb_find(f, key, fdb_hash(f, key));
	if (e->expire_s > expire_s)
		e->expire_s = expire_s;
	note_due(f, e->expire_s);
	return 0;
}

/* What sweep_when_full() would remove of @f, taken off the counts of @out,
 * where it matters. */
static void
copy_swept(const struct fdb *f, uint32_t now_s, struct fdb *out)
{
	uint32_t at = f->sweeping ? f->sweep_at : 0;
	uint32_t end = COAX_MIN(at + SWEEP_WHEN_FULL, f->now.mask + 1);

	if (f->due_s > now_s || f->old.entries != NULL)
		return;
	for (; at < end; at++) {
		const struct fdb_entry *e = &f->now.entries[at];

		if (!slot_used(e) || e->expire_s > now_s)
			continue;
		out->elsewhere--;
		port_count(&out->ports[e->port], -1);
	}
}

int
fdb_copy_part(const struct fdb *f, const uint64_t *macs, uint32_t count,
    const struct vlan_set *vids, uint32_t now_s, struct fdb *out)
{
	int err = fdb_init(out, 0, f->port_count);

	if (err < 0)
		return err;
	out->seed = f->seed;
	out->max = f->max;
	out->timeout_s = f->timeout_s;
	memcpy(out->ports, f->ports, f->port_count * sizeof(*f->ports));
	for (uint32_t i = 0; i < out->port_count; i++) {
		struct fdb_port *p = &out->ports[i];

		/* The shared count is the living table's. */
		if (port_full(p))
			p->limit = COAX_MAX(p->count, 1u);
		p->shared = NULL;
	}
	out->elsewhere = fdb_count(f);
	copy_swept(f, now_s, out);
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t vid = 0; vid < VLAN_IDS; vid++) {
			uint64_t key = fdb_key_u64(macs[i], vid);
			const struct fdb_entry *e;

			if (!vlan_set_has(vids, vid))
				continue;
			e = fdb_find(f, key, fdb_hash(f, key));
			if (e == NULL || e->expire_s <= now_s ||
			    fdb_find(out, key, fdb_hash(out, key)) != NULL)
				continue;
			if (table_put(out, e, 0))
				out->elsewhere--;
		}
	}
	return 0;
}

/* Removes what @match says, of both tables. */
static uint32_t
remove_matching(struct fdb *f,
    bool (*match)(const struct fdb_entry *e, uint64_t a, uint64_t b),
    uint64_t a, uint64_t b, enum fdb_why why)
{
	uint32_t removed = 0;

	for (uint32_t i = 0; f->old.entries != NULL && i <= f->old.mask; i++) {
		struct fdb_entry *e = &f->old.entries[i];

		if (slot_used(e) && match(e, a, b)) {
			entry_remove(f, e, why);
			removed++;
		}
	}
	/* A removal fills its slot from behind: look at it again.  What comes
	 * round the end has been looked at. */
	for (uint32_t i = 0; i <= f->now.mask;) {
		struct fdb_entry *e = &f->now.entries[i];

		if (slot_used(e) && match(e, a, b)) {
			entry_remove(f, e, why);
			removed++;
		} else {
			i++;
		}
	}
	return removed;
}

static bool
match_mac(const struct fdb_entry *e, uint64_t mac, uint64_t unused)
{
	(void)unused;
	return (e->key & 0xffffffffffffu) == mac;
}

uint32_t
fdb_remove_mac(
    struct fdb *f, const uint8_t mac[6], uint32_t vid, uint32_t now_s)
{
	struct fdb_entry *e;

	if (vid == FDB_VLAN_ANY) {
		/* Those that have expired go, but were not there. */
		while (fdb_sweep(f, now_s, UINT32_MAX))
			;
		return remove_matching(
		    f, match_mac, mac_to_u64(mac), 0, FDB_DELETED);
	}
	e = find_live(f, fdb_key(mac, vid), now_s);
	if (e == NULL)
		return 0;
	entry_remove(f, e, FDB_DELETED);
	return 1;
}

static bool
match_all(const struct fdb_entry *e, uint64_t port, uint64_t all)
{
	return (port == FDB_NONE || e->port == port) &&
	       (all != 0 || e->type == FDB_DYNAMIC);
}

void
fdb_flush(struct fdb *f, bool all)
{
	if (fdb_count(f) != 0)
		remove_matching(f, match_all, FDB_NONE, all, FDB_FLUSHED);
	if (fdb_count(f) == 0) {
		f->due_s = FDB_NEVER;
		f->sweeping = false;
	}
}

void
fdb_flush_port(struct fdb *f, uint32_t port, bool all)
{
	ASSERT(port < f->port_count);
	if (f->ports[port].count != 0)
		remove_matching(f, match_all, port, all, FDB_FLUSHED);
}

/* Calls @fn for every dynamic entry of a port, in both tables. */
static void
each_dynamic(struct fdb *f, uint32_t port,
    void (*fn)(struct fdb *f, struct fdb_entry *e, const void *arg),
    const void *arg)
{
	struct fdb_table *tables[] = { &f->old, &f->now };

	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		if (tables[t]->entries == NULL)
			continue;
		for (uint32_t i = 0; i <= tables[t]->mask; i++) {
			struct fdb_entry *e = &tables[t]->entries[i];

			if (slot_used(e) && e->port == port &&
			    e->type == FDB_DYNAMIC)
				fn(f, e, arg);
		}
	}
}

struct ageing {
	uint32_t now_s, seconds;
};

static void
age_entry(struct fdb *f, struct fdb_entry *e, const void *arg)
{
	const struct ageing *a = arg;
	uint32_t latest_s = a->now_s + 1 + a->seconds, expire_s = latest_s;

	if (e->expire_s <= latest_s)
		return;
	if (e->expire_s != FDB_NEVER && f->timeout_s > a->seconds)
		expire_s = COAX_MIN(
		    latest_s, e->expire_s - (f->timeout_s - a->seconds));
	e->expire_s = COAX_MAX(expire_s, a->now_s);
	f->due_s = COAX_MIN(f->due_s, e->expire_s);
	f->sweep_due_s = COAX_MIN(f->sweep_due_s, e->expire_s);
}

void
fdb_age_port(struct fdb *f, uint32_t port, uint32_t now_s, uint32_t seconds)
{
	const struct ageing a = { now_s, seconds };

	ASSERT(port < f->port_count);
	if (f->ports[port].count != 0)
		each_dynamic(f, port, age_entry, &a);
}

static void
move_entry(struct fdb *f, struct fdb_entry *e, const void *arg)
{
	uint32_t to = *(const uint32_t *)arg;

	port_count(&f->ports[e->port], -1);
	port_count(&f->ports[to], 1);
	e->port = (uint16_t)to;
}

void
fdb_move_port(struct fdb *f, uint32_t port, uint32_t to)
{
	ASSERT(port < f->port_count && to < f->port_count);
	if (f->ports[port].count == 0 || port == to)
		return;
	if (f->ports[to].limit != 0 &&
	    f->ports[port].count + f->ports[to].count > f->ports[to].limit)
		fdb_flush_port(f, port, false);
	else
		each_dynamic(f, port, move_entry, &to);
}

void
fdb_set_timeout(struct fdb *f, uint32_t timeout_s)
{
	f->timeout_s = timeout_s;
}

uint32_t
fdb_due_s(const struct fdb *f)
{
	return f->sweeping ? 0 : f->due_s;
}

bool
fdb_sweep(struct fdb *f, uint32_t now_s, uint32_t budget)
{
	if (!f->sweeping) {
		if (f->due_s > now_s)
			return false;
		f->sweeping = true;
		f->sweep_at = 0;
		f->sweep_due_s = FDB_NEVER;
	}
	/* Only a table that is in one piece is swept. */
	while (f->old.entries != NULL) {
		uint32_t step = COAX_MIN(budget, 4096u);

		if (step == 0)
			return true;
		rehash_step(f, step);
		budget -= step;
	}
	for (; budget > 0 && f->sweep_at <= f->now.mask; budget--) {
		struct fdb_entry *e = &f->now.entries[f->sweep_at];

		if (slot_used(e) && e->expire_s <= now_s) {
			entry_remove(f, e, FDB_EXPIRED);
			continue; /* its slot may be filled again */
		}
		if (slot_used(e) && e->expire_s < f->sweep_due_s)
			f->sweep_due_s = e->expire_s;
		f->sweep_at++;
	}
	if (f->sweep_at <= f->now.mask)
		return true;
	f->sweeping = false;
	f->due_s = f->sweep_due_s;
	/* Much too large: shrink, in steps, as new addresses come. */
	if (f->now.mask + 1 > SLOTS_MIN * 4 && f->next.entries == NULL &&
	    f->now.count < (f->now.mask + 1) / 16 &&
	    table_alloc(&f->next, (f->now.mask + 1) / 4) == 0)
		f->next_clear = 0;
	return false;
}

/* An entry's place in the order of births, for sorting newest first. */
struct aged {
	uint32_t age;
	uint32_t slot;
	const struct fdb_table *table;
};

static int
aged_cmp(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	return (x->age > y->age) - (x->age < y->age);
}

/* All entries, newest first.  Birth numbers wrap: the order of entries that
 * are 2^32 births apart is not kept. */
static struct aged *
sorted(const struct fdb *f, uint32_t *count)
{
	const struct fdb_table *tables[] = { &f->now, &f->old };
	struct aged *a;
	uint32_t n = 0;

	a = malloc((entries_here(f) + 1) * sizeof(*a));
	if (a == NULL)
		return NULL;
	for (uint32_t k = 0; k < ARRAY_LEN(tables); k++) {
		const struct fdb_table *t = tables[k];

		for (uint32_t i = 0; t->entries != NULL && i <= t->mask; i++) {
			if (!slot_used(&t->entries[i]))
				continue;
			a[n++] = (struct aged){
				.age = f->births - 1 - t->births[i],
				.slot = i,
				.table = t,
			};
		}
	}
	ASSERT(n == entries_here(f));
	qsort(a, n, sizeof(*a), aged_cmp);
	*count = n;
	return a;
}

static int
walk(const struct fdb *f, uint32_t now_s, bool oldest_first,
    void (*fn)(void *arg, const struct fdb_entry *e), void *arg)
{
	uint32_t count;
	struct aged *a = sorted(f, &count);

	if (a == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct aged *at = &a[oldest_first ? count - 1 - i : i];
		const struct fdb_entry *e = &at->table->entries[at->slot];

		if (e->expire_s > now_s)
			fn(arg, e);
	}
	free(a);
	return 0;
}

int
fdb_walk(const struct fdb *f, uint32_t now_s,
    void (*fn)(void *arg, const struct fdb_entry *e), void *arg)
{
	return walk(f, now_s, false, fn, arg);
}

int
fdb_walk_oldest(const struct fdb *f, uint32_t now_s,
    void (*fn)(void *arg, const struct fdb_entry *e), void *arg)
{
	return walk(f, now_s, true, fn, arg);
}

/* Puts the @n youngest of @count first, in any order (Hoare's selection). */
static void
select_youngest(struct aged *a, uint32_t count, uint32_t n)
{
	uint32_t low = 0, high = count - 1;

	while (low < high) {
		uint32_t pivot = a[low + (high - low) / 2].age;
		uint32_t i = low, j = high;

		for (;;) {
			struct aged swap;

			while (a[i].age < pivot)
				i++;
			while (a[j].age > pivot)
				j--;
			if (i >= j)
				break;
			swap = a[i];
			a[i++] = a[j];
			a[j--] = swap;
		}
		if (n - 1 <= j)
			high = j;
		else
			low = j + 1;
	}
}

/* The entries of a page as they are found: @room is twice @max, and when it is
 * full the older half goes. */
struct page_fill {
	const struct fdb *f;
	const struct fdb_page *page;
	uint32_t now_s;
	struct aged *list;
	uint32_t count, room;
	uint32_t from;  /* the youngest age that is wanted */
	uint32_t range; /* ... and how many ages from there on */
	bool more;
};

/* Does any of 16 births belong to the ages that are wanted?  Without a branch
 * but the caller's: nearly always, none does. */
static inline bool
any_wanted(const uint32_t *births, uint32_t youngest, uint32_t range)
{
	uint32_t any = 0;

	for (uint32_t i = 0; i < 16; i++)
		any |= youngest - births[i] <= range;
	return any != 0;
}

static void
page_take(struct page_fill *p, const struct fdb_table *t, uint32_t slot)
{
	const struct fdb_entry *e = &t->entries[slot];
	uint32_t age = p->f->births - 1 - t->births[slot];

	if (age - p->from > p->range || !slot_used(e) ||
	    e->expire_s <= p->now_s ||
	    (p->page->only_static && e->type != FDB_STATIC))
		return;
	p->list[p->count++] = (struct aged){ age, slot, t };
	if (p->count < p->room)
		return;
	select_youngest(p->list, p->count, p->page->max);
	p->count = p->page->max;
	p->more = true;
	p->range = 0;
	for (uint32_t i = 0; i < p->count; i++)
		p->range = COAX_MAX(p->range, p->list[i].age - p->from);
}

static void
page_scan(struct page_fill *p, const struct fdb_table *t)
{
	for (uint32_t i = 0; t->entries != NULL && i <= t->mask; i += 16) {
		if (!any_wanted(
		        &t->births[i], p->f->births - 1 - p->from, p->range))
			continue;
		for (uint32_t k = 0; k < 16; k++)
			page_take(p, t, i + k);
	}
}

enum scan_stage {
	SCAN_BEGIN,
	SCAN_OLD,
	SCAN_NOW,
	SCAN_TOP,
	SCAN_END,
};

/* Slots from @end up to @c's, or none: the cursor is of no table that is. */
static bool
scan_end(const struct fdb *f, const struct fdb_cursor *c, uint32_t *end)
{
	const uint32_t top = (FDB_LINES_MAX + 1) * FDB_LINE;
	const uint32_t slots = f->now.mask + 1;

	*end = c->stage == SCAN_TOP && slots > top ? slots - top : 0;
	if (c->stage == SCAN_BEGIN || c->stage >= SCAN_END ||
	    c->rehashes != f->rehashes || c->slot < *end)
		return false;
	if (c->stage != SCAN_OLD)
		return c->slot <= slots;
	return f->old.entries == NULL || c->slot <= f->old.mask + 1;
}

/*
 * The old table first: what moves goes into the new one.  Downwards: what
 * moves up because another went (table_cut()) goes to a lower slot, or around
 * the end to the highest ones, which are looked at once more if one went.  When
 * a new table takes over, all begins anew.
 */
bool
fdb_scan(const struct fdb *f, uint32_t now_s, struct fdb_cursor *c,
    uint32_t entries, void (*fn)(void *arg, const struct fdb_entry *e),
    void *arg)
{
	uint32_t end;

	c->looked = 0;
	if (!scan_end(f, c, &end)) {
		c->rehashes = f->rehashes;
		c->cuts = f->cuts;
		c->stage = SCAN_OLD;
		c->slot = f->old.entries != NULL ? f->old.mask + 1 : 0;
		end = 0;
	}
	if (c->stage == SCAN_OLD && f->old.entries == NULL)
		c->slot = 0; /* all have moved */
	while (c->looked < FDB_SCAN_SLOTS && entries > 0) {
		const struct fdb_table *t;
		const struct fdb_entry *e;

		if (c->slot == end) {
			c->stage++;
			if (c->stage == SCAN_TOP && c->cuts == f->cuts)
				c->stage = SCAN_END;
			if (c->stage == SCAN_END)
				return false;
			c->slot = f->now.mask + 1;
			(void)scan_end(f, c, &end);
		}
		c->slot--;
		c->looked++;
		t = c->stage == SCAN_OLD ? &f->old : &f->now;
		e = &t->entries[c->slot];
		c->birth = t->births[c->slot];
		if (!slot_used(e) || e->expire_s <= now_s)
			continue;
		fn(arg, e);
		entries--;
	}
	return true;
}

int
fdb_page(const struct fdb *f, uint32_t now_s, struct fdb_page *page,
    void (*fn)(void *arg, const struct fdb_entry *e), void *arg)
{
	struct page_fill p = {
		.f = f,
		.page = page,
		.now_s = now_s,
		.room = 2 * page->max,
		.from = page->continued ? f->births - page->after : 0,
	};

	ASSERT(page->max >= 1 && page->max <= FDB_PAGE_MAX);
	_Static_assert(SLOTS_MIN % 16 == 0, "by sixteen");
	page->more = false;
	/* Nothing is older than what was born when the count began. */
	p.range = UINT32_MAX - p.from;
	p.list = malloc(p.room * sizeof(*p.list));
	if (p.list == NULL)
		return -ENOMEM;
	page_scan(&p, &f->now);
	page_scan(&p, &f->old);
	if (p.count > page->max) {
		select_youngest(p.list, p.count, page->max);
		p.count = page->max;
		p.more = true;
	}
	qsort(p.list, p.count, sizeof(*p.list), aged_cmp);
	for (uint32_t i = 0; i < p.count; i++)
		fn(arg, &p.list[i].table->entries[p.list[i].slot]);
	if (p.count != 0)
		page->next = f->births - 1 - p.list[p.count - 1].age;
	page->more = p.more;
	free(p.list);
	return 0;
}

int
fdb_set_max(struct fdb *f, uint32_t max, uint32_t now_s)
{
	uint32_t count, excess;
	struct aged *a;

	if (max < fdb_count(f))
		while (fdb_sweep(f, now_s, UINT32_MAX))
			;
	if (max < fdb_count(f)) {
		uint64_t *keys;
		uint32_t n = 0;

		a = sorted(f, &count);
		if (a == NULL)
			return -ENOMEM;
		excess = count - max;
		/* Slots move as entries go: note the keys first, in place of
		 * the births that are known now. */
		_Static_assert(sizeof(uint64_t) <= sizeof(struct aged), "");
		keys = (uint64_t *)(void *)a;
		for (uint32_t i = 0; i < count && n < excess; i++) {
			const struct fdb_entry *e =
			    &a[i].table->entries[a[i].slot];

			if (e->type == FDB_DYNAMIC)
				keys[n++] = e->key;
		}
		for (uint32_t i = 0; i < n; i++)
			entry_remove(f,
			    fdb_find(f, keys[i], fdb_hash(f, keys[i])),
			    FDB_FLUSHED);
		free(a);
	}
	f->max = max;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address table of a bridge: which port a (MAC, VLAN) is behind.
 *
 * Theory of operation
 *
 * Knows addresses, VLANs, port numbers and seconds; nothing of interfaces or
 * frames.  A key is the address in 48 bits, the VLAN identifier in 12 and a bit
 * that is always set, so that no key is 0.
 *
 * Open addressing, 16 bytes an entry.  An entry's home is a cache line, of four
 * slots, in any order; what finds it full goes to the next line that is not.
 * Never more than half full, so nearly all look-ups touch one line, which the
 * caller prefetches for a whole batch, and the four slots are compared without
 * a branch that could be mispredicted.  Beside the entries lies an array of
 * 32-bit birth numbers, which only learning and listing touch.  The hash is
 * seeded (base/hash.h), and no entry lies more than FDB_LINES_MAX lines away
 * from home: what would have to is refused as if the table were full.
 *
 * The table grows by doubling (and shrinks after sweeps), FDB_REHASH_STEP slots
 * a new address: no single call takes long.  Meanwhile there are two tables:
 * addresses go into the new one, look-ups that miss try the old one, in which
 * what has moved leaves a mark behind.
 *
 * Ageing: an entry holds the second in which it expires.  Callers give the
 * second that has begun, so an address seen late in it has lived a part of a
 * second less than the numbers say: that second does not count.  An entry lives
 * for the timeout at least, and less than a second longer.  Look-ups ignore
 * what has expired.  fdb_sweep() removes it, a bounded number of slots a call;
 * fdb_due_s() says when there may be something to remove.
 *
 * Ownership: all memory is the table's.  Threads: one.
 *
 * Source: the rules are if_bridge(4)'s of FreeBSD (bridge_rtupdate() and its
 * kin).  Differs: expiry is to the second, not at the next of the 300-second
 * rounds; `timeout 0` is no expiry.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ether.h"
#include "base/hash.h"
#include "base/vlanset.h"

#define FDB_NONE              UINT32_MAX /* no port */
#define FDB_NEVER             UINT32_MAX /* a second that never comes */
#define FDB_PORT_MAX          0xfffeu    /* highest port number */
#define FDB_MAX_DEFAULT       2000u
#define FDB_MAX_HIGHEST       (1u << 30)
#define FDB_TIMEOUT_DEFAULT_S 1200u
#define FDB_LINE              4u /* slots of a cache line */
#define FDB_LINES_MAX         32u
#define FDB_REHASH_STEP       16u
#define FDB_VLAN_ANY          0x1000u /* for fdb_remove_mac(): in every VLAN */

/* With if_bridge's numbers (IFBAF_*), which ifconfig prints. */
enum fdb_type {
	FDB_DYNAMIC = 0,
	FDB_STATIC = 1,
	FDB_STICKY = 2,
};

struct fdb_entry {
	uint64_t key; /* 0: free; FDB_GONE: moved to the new table */
	uint32_t expire_s;
	uint16_t port;
	uint8_t type;
	uint8_t unused;
};
_Static_assert(sizeof(struct fdb_entry) == 16, "four entries a line");

struct fdb_table {
	struct fdb_entry *entries; /* aligned to 64 bytes; NULL: no table */
	uint32_t *births;          /* one a slot */
	void *memory;              /* what to free */
	uint32_t mask;             /* slots - 1 */
	uint32_t count;
};

struct fdb_port {
	uint32_t count;      /* addresses, those expired but not swept too */
	uint32_t limit;      /* 0: none */
	uint64_t violations; /* new addresses refused because of a limit */
	/* Addresses of several ports together, and their limit (0: none);
	 * borrowed. NULL: the port counts for itself. */
	uint32_t *shared;
	const uint32_t *shared_limit;
};

enum fdb_why {
	FDB_EXPIRED,
	FDB_FLUSHED,
	FDB_DELETED,
};

/* An entry has gone.  Must not change the table. */
typedef void fdb_removed_fn(
    void *arg, uint64_t key, uint16_t port, enum fdb_why why);

struct fdb {
	struct fdb_table now, old;
	struct fdb_table next; /* being got ready, or no table */
	uint32_t next_clear;   /* its next slot to clear */
	void *dead;            /* memory of a former table, or NULL */
	size_t dead_size;
	uint64_t seed;
	uint32_t max;       /* addresses, `maxaddr` */
	uint32_t timeout_s; /* 0: no expiry; fdb_set_timeout() */
	uint32_t births;    /* birth number of the next entry */
	uint32_t rehash_at; /* next slot of old to move */
	uint32_t rehashes;  /* tables that have taken over so far */
	uint32_t cuts;      /* entries taken out of the present one */
	uint32_t due_s;     /* nothing expires before */
	uint32_t sweep_at;  /* next slot to look at, if sweeping */
	uint32_t sweep_due_s;
	bool sweeping;
	struct fdb_port *ports;
	uint32_t port_count;
	uint32_t elsewhere;      /* entries of which this, a part, has none */
	uint64_t exceeded;       /* new addresses refused because of max */
	fdb_removed_fn *removed; /* or NULL */
	void *removed_arg;
};

/**
 * fdb_init() - an empty table with the default limits
 * @ports: highest port number + 1 at first; fdb_reserve_ports() makes more
 *
 * Return: 0 or -ENOMEM.
 */
int fdb_init(struct fdb *f, uint64_t seed, uint32_t ports);
void fdb_fini(struct fdb *f);

/**
 * fdb_copy_part() - a table that answers as @f does for some addresses
 * @macs: @count addresses, as numbers
 * @vids: the VLANs in which they are copied, a few
 * @out:  like fdb_init()'s; tells nobody what it removes
 *
 * Limits and counts are those of @f: a full table is full.  Of what has expired
 * @f would remove some to make room; that is left out of the counts.
 *
 * Return: 0 or -ENOMEM.
 */
int fdb_copy_part(const struct fdb *f, const uint64_t *macs, uint32_t count,
    const struct vlan_set *vids, uint32_t now_s, struct fdb *out);

/** fdb_reserve_ports() - allow port numbers below @ports. 0 or -ENOMEM */
int fdb_reserve_ports(struct fdb *f, uint32_t ports);

static inline uint32_t
fdb_count(const struct fdb *f)
{
	return f->now.count + f->old.count + f->elsewhere;
}

static inline uint64_t
fdb_key_u64(uint64_t mac, uint32_t vid)
{
	return 1ull << 63 | (uint64_t)vid << 48 | mac;
}

static inline uint64_t
fdb_key(const uint8_t mac[6], uint32_t vid)
{
	return fdb_key_u64(mac_to_u64(mac), vid);
}

static inline uint32_t
fdb_key_vid(uint64_t key)
{
	return (uint32_t)(key >> 48) & 0xfffu;
}

static inline uint32_t
fdb_hash(const struct fdb *f, uint64_t key)
{
	/* Two products, the second by a secret number: neighbouring addresses
	 * spread, and who does not know the seed cannot tell where.  Cheaper
	 * than hash_u64(); probes are bounded in any case. */
	uint64_t x = (key ^ f->seed) * 0x9e3779b97f4a7c15u;

	x ^= x >> 32;
	return (uint32_t)((x * (f->seed | 1)) >> 32);
}

/** fdb_prefetch() - a look-up with @hash comes soon */
static inline void
fdb_prefetch(const struct fdb *f, uint32_t hash)
{
	__builtin_prefetch(&f->now.entries[hash & f->now.mask]);
}

/* The first slot of the line that a hash leads to. */
static inline uint32_t
fdb_home(const struct fdb_table *t, uint32_t hash)
{
	return hash & t->mask & ~(FDB_LINE - 1);
}

/* Which of the four slots at @e have @key, a bit each. */
static inline uint32_t
fdb_line_match(const struct fdb_entry *e, uint64_t key)
{
	return (uint32_t)(e[0].key == key) | (uint32_t)(e[1].key == key) << 1 |
	       (uint32_t)(e[2].key == key) << 2 |
	       (uint32_t)(e[3].key == key) << 3;
}

/* The entry, in a line after its home or in the table that is on its way out;
 * or NULL. */
struct fdb_entry *fdb_find_far(
    const struct fdb *f, uint64_t key, uint32_t hash);

/** fdb_find() - the entry, expired or not, or NULL; valid until a change */
static inline struct fdb_entry *
fdb_find(const struct fdb *f, uint64_t key, uint32_t hash)
{
	struct fdb_entry *e = &f->now.entries[fdb_home(&f->now, hash)];
	uint32_t match = fdb_line_match(e, key);

	if (__builtin_expect(match != 0, 1))
		return e + __builtin_ctz(match);
	return fdb_find_far(f, key, hash);
}

/** fdb_lookup() - the port of a key, or FDB_NONE; expired is unknown */
static inline uint32_t
fdb_lookup(const struct fdb *f, uint64_t key, uint32_t hash, uint32_t now_s)
{
	const struct fdb_entry *e = fdb_find(f, key, hash);

	return e != NULL && e->expire_s > now_s ? e->port : FDB_NONE;
}

/** fdb_expiry() - the second in which an address seen now expires */
static inline uint32_t
fdb_expiry(const struct fdb *f, uint32_t now_s)
{
	if (f->timeout_s == 0 || f->timeout_s >= FDB_NEVER - 1 - now_s)
		return FDB_NEVER;
	return now_s + 1 + f->timeout_s;
}

/** fdb_left_s() - seconds that an entry still has, at least 1; 0: for ever */
static inline uint32_t
fdb_left_s(const struct fdb_entry *e, uint32_t now_s)
{
	if (e->expire_s == FDB_NEVER)
		return 0;
	return e->expire_s > now_s + 1 ? e->expire_s - now_s - 1 : 1;
}

/**
 * fdb_refresh() - the usual case of learning: known, on this port
 * @expire_s: fdb_expiry(), computed once a batch
 *
 * Writes to the entry only if its second of expiry changes.
 *
 * Return: true, or false: fdb_learn() must decide.
 */
static inline bool
fdb_refresh(struct fdb *f, uint64_t key, uint32_t hash, uint32_t port,
    uint32_t now_s, uint32_t expire_s)
{
	struct fdb_entry *e = fdb_find(f, key, hash);

	if (e == NULL || e->port != port || e->expire_s <= now_s)
		return false;
	if (e->expire_s != expire_s && e->type == FDB_DYNAMIC) {
		e->expire_s = expire_s;
		if (__builtin_expect(expire_s < f->due_s, 0))
			f->due_s = expire_s; /* the timeout was shortened */
		if (__builtin_expect(expire_s < f->sweep_due_s, 0))
			f->sweep_due_s = expire_s;
	}
	return true;
}

enum fdb_learned {
	FDB_SAME,  /* known there already, or static or sticky elsewhere */
	FDB_NEW,   /* entered */
	FDB_MOVED, /* from another port */
};

/**
 * fdb_learn() - an address was seen as source
 * @sticky:   a new entry is to be sticky
 * @old_port: where it moved from; written with FDB_MOVED only
 *
 * Return: enum fdb_learned; -EINVAL (a group address or zero), -ENOSPC (the
 * table is full: exceeded is raised) or -EDQUOT (the port's limit: violations
 * is raised).
 */
int fdb_learn(struct fdb *f, uint64_t key, uint32_t port, bool sticky,
    uint32_t now_s, uint32_t *old_port);

/**
 * fdb_set_static() - enter by hand
 *
 * A dynamic entry moves here and becomes static; one that is static or sticky
 * becomes static where it is.
 *
 * Return: 0, or as fdb_learn().
 */
int fdb_set_static(struct fdb *f, uint64_t key, uint32_t port, uint32_t now_s);

/**
 * fdb_restore() - enter what an earlier table had
 * @expire_s: FDB_NEVER, or a second that is not past; with the present timeout
 *            it may be sooner
 *
 * Counts no excess.  Return: 0, -EEXIST (it is there, and stays as it is),
 * -EINVAL, -ENOSPC or -EDQUOT, as fdb_learn().
 */
int fdb_restore(struct fdb *f, uint64_t key, uint32_t port, enum fdb_type type,
    uint32_t expire_s, uint32_t now_s);

/**
 * fdb_remove_mac() - forget an address
 * @vid: or FDB_VLAN_ANY
 *
 * Return: how many entries went.
 */
uint32_t fdb_remove_mac(
    struct fdb *f, const uint8_t mac[6], uint32_t vid, uint32_t now_s);

/** fdb_flush() - forget dynamic entries; with @all, every entry */
void fdb_flush(struct fdb *f, bool all);
/** fdb_flush_port() - the same for one port */
void fdb_flush_port(struct fdb *f, uint32_t port, bool all);
/**
 * fdb_age_port() - once, as if the timeout of its dynamic entries were @seconds
 *
 * It counts from when an address was seen last: who has been silent for longer
 * is forgotten.
 */
void fdb_age_port(
    struct fdb *f, uint32_t port, uint32_t now_s, uint32_t seconds);
/** fdb_move_port() - its dynamic entries are behind @to now; if @to may not
 * have so many, they are forgotten */
void fdb_move_port(struct fdb *f, uint32_t port, uint32_t to);

/** fdb_set_max() - `maxaddr`; forgets the newest dynamic entries down to it.
 * 0 or -ENOMEM (nothing changed) */
int fdb_set_max(struct fdb *f, uint32_t max, uint32_t now_s);
/** fdb_set_timeout() - for addresses seen from now on, as if_bridge */
void fdb_set_timeout(struct fdb *f, uint32_t timeout_s);

/** fdb_due_s() - the second from which fdb_sweep() has work, or FDB_NEVER */
uint32_t fdb_due_s(const struct fdb *f);
/**
 * fdb_sweep() - remove what has expired
 * @budget: slots to look at
 *
 * Return: true if there is more to look at now: come again.
 */
bool fdb_sweep(struct fdb *f, uint32_t now_s, uint32_t budget);

/** fdb_slots() - size of the table, for who schedules sweeps */
static inline uint32_t
fdb_slots(const struct fdb *f)
{
	return f->now.mask + 1;
}

/**
 * fdb_walk() - every entry that has not expired, newest first
 * @fn: borrowed entry; must not change the table
 *
 * Return: 0 or -ENOMEM.
 */
int fdb_walk(const struct fdb *f, uint32_t now_s,
    void (*fn)(void *arg, const struct fdb_entry *e), void *arg);
/** fdb_walk_oldest() - the same, oldest first */
int fdb_walk_oldest(const struct fdb *f, uint32_t now_s,
    void (*fn)(void *arg, const struct fdb_entry *e), void *arg);

#define FDB_SCAN_SLOTS 4096u /* that one call looks at, at most */

/* Where a scan is; zero it at first. */
struct fdb_cursor {
	uint32_t stage, slot, rehashes, cuts;
	uint32_t birth;  /* number of the entry that @fn is given */
	uint32_t looked; /* slots that the last call has looked at */
};

/**
 * fdb_scan() - some entries that have not expired, in no order
 * @entries: at most so many; no more than FDB_SCAN_SLOTS are looked at either
 * @cursor:  may come from outside: where it leads nowhere, all begins anew
 *
 * Call after call sees every entry that is there all the while, whatever the
 * table does meanwhile; some perhaps more than once.  Costs a look at a slot
 * each, where fdb_page() costs a look at all for each page.
 *
 * Return: true: come again; false: that was all.
 */
bool fdb_scan(const struct fdb *f, uint32_t now_s, struct fdb_cursor *cursor,
    uint32_t entries, void (*fn)(void *arg, const struct fdb_entry *e),
    void *arg);

#define FDB_PAGE_MAX 4096u

/* A part of the table, in the order of fdb_walk(). */
struct fdb_page {
	uint32_t max;     /* entries, 1 to FDB_PAGE_MAX */
	bool only_static; /* leave out the others */
	/* Of the first page false; else the entries after the one whose birth
	 * number is @after. */
	bool continued;
	uint32_t after;
	/* Is there more, after @next? */
	bool more;
	uint32_t next;
};

/**
 * fdb_page() - some entries that have not expired, newest first
 * @page: says which; @more and @next are written
 *
 * Page after page has every entry once that is there all the while, whatever
 * the table does meanwhile: an entry has its birth number for life.  A page
 * costs a look at each birth number, a millisecond for a million entries: long
 * tables are for fdb_scan().
 *
 * Return: 0 or -ENOMEM.
 */
int fdb_page(const struct fdb *f, uint32_t now_s, struct fdb_page *page,
    void (*fn)(void *arg, const struct fdb_entry *e), void *arg);

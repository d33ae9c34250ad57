/* SPDX-License-Identifier: BSD-2-Clause */
/* The address table: rules of learning, ageing, limits, growth. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "base/util.h"
#include "bridge/fdb.h"

static struct fdb f;

static int
setup(void **state)
{
	(void)state;
	return fdb_init(&f, 77, 8);
}

static int
teardown(void **state)
{
	(void)state;
	fdb_fini(&f);
	return 0;
}

static uint64_t
key(uint32_t n)
{
	return fdb_key_u64(0x020000000000u + n, 0);
}

static int
learn(uint32_t n, uint32_t port, uint32_t now_s)
{
	uint32_t old;

	return fdb_learn(&f, key(n), port, false, now_s, &old);
}

static uint32_t
look(uint32_t n, uint32_t now_s)
{
	return fdb_lookup(&f, key(n), fdb_hash(&f, key(n)), now_s);
}

static bool
refresh(uint32_t n, uint32_t port, uint32_t now_s)
{
	return fdb_refresh(&f, key(n), fdb_hash(&f, key(n)), port, now_s,
	    fdb_expiry(&f, now_s));
}

static void
test_learns_and_finds(void **state)
{
	(void)state;
	assert_int_equal(look(1, 10), FDB_NONE);
	assert_int_equal(learn(1, 3, 10), FDB_NEW);
	assert_int_equal(learn(1, 3, 10), FDB_SAME);
	assert_int_equal(look(1, 10), 3);
	assert_int_equal(f.ports[3].count, 1);
}

static void
test_refuses_groups_and_zero(void **state)
{
	uint32_t old;

	(void)state;
	assert_int_equal(
	    fdb_learn(&f, fdb_key_u64(0, 5), 1, false, 1, &old), -EINVAL);
	assert_int_equal(
	    fdb_learn(&f, fdb_key_u64(0x010000000001u, 0), 1, false, 1, &old),
	    -EINVAL);
	assert_int_equal(
	    fdb_set_static(&f, fdb_key_u64(0xffffffffffffu, 0), 1, 1), -EINVAL);
	assert_int_equal(fdb_count(&f), 0);
}

static void
test_vlans_are_apart(void **state)
{
	uint64_t a = fdb_key_u64(0x02u << 16, 1),
	         b = fdb_key_u64(0x02u << 16, 2);
	uint32_t old;

	(void)state;
	assert_int_equal(fdb_learn(&f, a, 1, false, 1, &old), FDB_NEW);
	assert_int_equal(fdb_learn(&f, b, 2, false, 1, &old), FDB_NEW);
	assert_int_equal(fdb_lookup(&f, a, fdb_hash(&f, a), 1), 1);
	assert_int_equal(fdb_lookup(&f, b, fdb_hash(&f, b), 1), 2);
}

static void
test_moves_with_counts(void **state)
{
	uint32_t old = 9;

	(void)state;
	learn(1, 1, 1);
	assert_int_equal(fdb_learn(&f, key(1), 2, false, 1, &old), FDB_MOVED);
	assert_int_equal(old, 1);
	assert_int_equal(look(1, 1), 2);
	assert_int_equal(f.ports[1].count, 0);
	assert_int_equal(f.ports[2].count, 1);
}

/* A move is not held to the port's limit. */
static void
test_move_ignores_limit(void **state)
{
	(void)state;
	f.ports[2].limit = 1;
	learn(1, 2, 1);
	learn(2, 1, 1);
	assert_int_equal(learn(2, 2, 1), FDB_MOVED);
	assert_int_equal(f.ports[2].count, 2);
}

static void
test_expires_to_the_second(void **state)
{
	(void)state;
	fdb_set_timeout(&f, 5);
	learn(1, 1, 100);
	/* Perhaps seen at the end of second 100. */
	assert_int_equal(look(1, 105), 1);
	assert_int_equal(look(1, 106), FDB_NONE);
	assert_false(refresh(1, 1, 106));
	assert_int_equal(learn(1, 1, 106), FDB_NEW);
	assert_int_equal(look(1, 110), 1);
	assert_true(refresh(1, 1, 110));
	assert_int_equal(look(1, 115), 1);
	assert_int_equal(look(1, 116), FDB_NONE);
}

/* From the timeout down to 1, never 0, which is for ever. */
static void
test_seconds_left(void **state)
{
	const struct fdb_entry *e;

	(void)state;
	fdb_set_timeout(&f, 3);
	learn(1, 1, 100);
	e = fdb_find(&f, key(1), fdb_hash(&f, key(1)));
	assert_int_equal(fdb_left_s(e, 100), 3);
	assert_int_equal(fdb_left_s(e, 101), 2);
	assert_int_equal(fdb_left_s(e, 102), 1);
	assert_int_equal(fdb_left_s(e, 103), 1);
	assert_int_equal(fdb_set_static(&f, key(1), 1, 103), 0);
	assert_int_equal(fdb_left_s(e, 103), 0);
}

/* Within one second nothing is written: the entry may lie in a clean line. */
static void
test_refresh_writes_once_a_second(void **state)
{
	struct fdb_entry before, *e;

	(void)state;
	learn(1, 1, 100);
	e = fdb_find(&f, key(1), fdb_hash(&f, key(1)));
	before = *e;
	assert_true(refresh(1, 1, 100));
	assert_memory_equal(e, &before, sizeof(before));
	assert_true(refresh(1, 1, 101));
	assert_int_equal(e->expire_s, before.expire_s + 1);
	assert_false(refresh(1, 2, 101));
}

static void
test_timeout_0_is_for_ever(void **state)
{
	(void)state;
	fdb_set_timeout(&f, 0);
	learn(1, 1, 100);
	assert_int_equal(fdb_due_s(&f), FDB_NEVER);
	assert_int_equal(look(1, UINT32_MAX - 1), 1);
	fdb_set_timeout(&f, UINT32_MAX);
	learn(2, 1, 100);
	assert_int_equal(look(2, UINT32_MAX - 1), 1);
	/* The longest that ends, and the shortest that does not. */
	fdb_set_timeout(&f, FDB_NEVER - 102);
	assert_int_equal(fdb_expiry(&f, 100), FDB_NEVER - 1);
	fdb_set_timeout(&f, FDB_NEVER - 101);
	assert_int_equal(fdb_expiry(&f, 100), FDB_NEVER);
}

/* A new timeout holds for what is seen from then on. */
static void
test_timeout_shortened(void **state)
{
	(void)state;
	learn(1, 1, 100);
	fdb_set_timeout(&f, 10);
	assert_int_equal(look(1, 1000), 1);
	assert_true(refresh(1, 1, 200));
	assert_int_equal(fdb_due_s(&f), 211);
	assert_int_equal(look(1, 211), FDB_NONE);
}

static void
test_static_and_sticky_stay(void **state)
{
	uint32_t old = 0;

	(void)state;
	assert_int_equal(fdb_set_static(&f, key(1), 1, 1), 0);
	assert_int_equal(fdb_learn(&f, key(2), 2, true, 1, &old), FDB_NEW);
	/* Seen elsewhere: not moved, and no error. */
	assert_int_equal(learn(1, 3, 1), FDB_SAME);
	assert_int_equal(learn(2, 3, 1), FDB_SAME);
	assert_int_equal(look(1, UINT32_MAX - 1), 1);
	assert_int_equal(look(2, UINT32_MAX - 1), 2);
	fdb_flush(&f, false);
	assert_int_equal(fdb_count(&f), 2);
	fdb_flush(&f, true);
	assert_int_equal(fdb_count(&f), 0);
}

static void
test_static_over_what_exists(void **state)
{
	(void)state;
	learn(1, 1, 1);
	assert_int_equal(fdb_set_static(&f, key(1), 2, 1), 0);
	assert_int_equal(look(1, 1), 2); /* dynamic: moved */
	assert_int_equal(fdb_set_static(&f, key(1), 3, 1), 0);
	assert_int_equal(look(1, 1), 2); /* static: stays */
	assert_int_equal(f.ports[2].count, 1);
	assert_int_equal(f.ports[3].count, 0);
}

static void
test_full_table_refuses_and_counts(void **state)
{
	(void)state;
	assert_int_equal(fdb_set_max(&f, 2, 1), 0);
	learn(1, 1, 1);
	learn(2, 1, 1);
	assert_int_equal(learn(3, 1, 1), -ENOSPC);
	assert_int_equal(fdb_set_static(&f, key(4), 1, 1), -ENOSPC);
	assert_int_equal(f.exceeded, 2);
	/* What has expired makes room without a sweep by the timer. */
	assert_int_equal(learn(3, 1, 2 + 1200), FDB_NEW);
	assert_int_equal(fdb_count(&f), 1);
}

static void
test_port_limit_refuses_and_counts(void **state)
{
	(void)state;
	f.ports[1].limit = 1;
	learn(1, 1, 1);
	assert_int_equal(learn(2, 1, 1), -EDQUOT);
	assert_int_equal(f.ports[1].violations, 1);
	assert_int_equal(f.exceeded, 0);
	assert_int_equal(learn(2, 2, 1), FDB_NEW);
	assert_int_equal(learn(3, 1, 2 + 1200), FDB_NEW);
}

static void
test_remove_in_one_vlan_or_all(void **state)
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	uint32_t old;

	(void)state;
	for (uint32_t vid = 0; vid < 3; vid++)
		fdb_learn(&f, fdb_key(mac, vid), 1, false, 1, &old);
	learn(1, 1, 1);
	assert_int_equal(fdb_remove_mac(&f, mac, 7, 1), 0);
	assert_int_equal(fdb_remove_mac(&f, mac, 2, 1), 1);
	assert_int_equal(fdb_remove_mac(&f, mac, FDB_VLAN_ANY, 1), 2);
	assert_int_equal(fdb_remove_mac(&f, mac, FDB_VLAN_ANY, 1), 0);
	assert_int_equal(look(1, 1), 1);
}

/* An expired entry is no entry. */
static void
test_remove_does_not_find_the_expired(void **state)
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	(void)state;
	learn(1, 1, 1);
	assert_int_equal(fdb_remove_mac(&f, mac, 0, 5000), 0);
	learn(1, 1, 1);
	assert_int_equal(fdb_remove_mac(&f, mac, FDB_VLAN_ANY, 5000), 0);
	assert_int_equal(fdb_count(&f), 0);
}

static void
test_flush_port(void **state)
{
	(void)state;
	learn(1, 1, 1);
	learn(2, 2, 1);
	fdb_set_static(&f, key(3), 1, 1);
	fdb_flush_port(&f, 1, false);
	assert_int_equal(look(1, 1), FDB_NONE);
	assert_int_equal(look(2, 1), 2);
	assert_int_equal(look(3, 1), 1);
	fdb_flush_port(&f, 1, true);
	assert_int_equal(look(3, 1), FDB_NONE);
	assert_int_equal(f.ports[1].count, 0);
}

/* Rapid ageing: as if the timeout had been another all the time. */
static void
test_age_port(void **state)
{
	(void)state;
	fdb_set_timeout(&f, 300);
	learn(1, 1, 100);
	learn(2, 1, 110);
	learn(3, 1, 119);
	learn(4, 2, 100);
	fdb_age_port(&f, 1, 120, 15);
	assert_int_equal(look(1, 120), FDB_NONE);
	assert_int_equal(look(2, 125), 1);
	assert_int_equal(look(2, 126), FDB_NONE);
	assert_int_equal(look(3, 134), 1);
	assert_int_equal(look(4, 300), 2);
	/* Again, while it lasts: it takes nothing away. */
	fdb_age_port(&f, 1, 121, 15);
	assert_int_equal(look(3, 134), 1);
	assert_int_equal(look(3, 135), FDB_NONE);
	/* Who is heard again lives as long as ever. */
	learn(3, 1, 134);
	assert_int_equal(look(3, 400), 1);
}

/* Without a timeout nobody knows when an address was seen. */
static void
test_age_port_timeout_0(void **state)
{
	(void)state;
	fdb_set_timeout(&f, 0);
	learn(1, 1, 100);
	fdb_age_port(&f, 1, 1000, 15);
	assert_int_equal(look(1, 1015), 1);
	assert_int_equal(look(1, 1016), FDB_NONE);
}

/* maxaddr below the count: the newest dynamic ones go, static ones stay. */
static void
test_max_removes_newest(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		learn(i, 1, 1);
	fdb_set_static(&f, key(9), 1, 1);
	assert_int_equal(fdb_set_max(&f, 3, 1), 0);
	assert_int_equal(fdb_count(&f), 3);
	assert_int_equal(look(0, 1), 1);
	assert_int_equal(look(1, 1), 1);
	assert_int_equal(look(2, 1), FDB_NONE);
	assert_int_equal(look(9, 1), 1);
	/* More static ones than that: they stay. */
	assert_int_equal(fdb_set_max(&f, 0, 1), 0);
	assert_int_equal(fdb_count(&f), 1);
}

static uint64_t walked[16];
static uint32_t walked_count;

static void
walk(void *arg, const struct fdb_entry *e)
{
	(void)arg;
	walked[walked_count++] = e->key;
}

static void
test_walk_is_newest_first(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		learn(i, 1, i < 2 ? 1 : 500);
	learn(3, 2, 500); /* a move is no birth */
	walked_count = 0;
	assert_int_equal(fdb_walk(&f, 1300, walk, NULL), 0);
	assert_int_equal(walked_count, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(walked[i] == key(4 - i));
}

/* The station numbers of a page, in order. */
static uint32_t paged[FDB_PAGE_MAX];
static uint32_t paged_count;

static void
page_entry(void *arg, const struct fdb_entry *e)
{
	(void)arg;
	assert_true(paged_count < FDB_PAGE_MAX);
	paged[paged_count++] = (uint32_t)(e->key & 0xffffff);
}

static void
page(struct fdb_page *p, uint32_t now_s)
{
	paged_count = 0;
	assert_int_equal(fdb_page(&f, now_s, p, page_entry, NULL), 0);
	p->continued = true;
	p->after = p->next;
}

static void
test_pages_are_newest_first(void **state)
{
	struct fdb_page p = { .max = 7 };
	uint32_t last = UINT32_MAX, count = 0;

	(void)state;
	fdb_set_max(&f, 100000, 1);
	page(&p, 1);
	assert_int_equal(paged_count, 0);
	assert_false(p.more);
	for (uint32_t i = 0; i < 1000; i++)
		learn(i, 1, i < 100 ? 1 : 500); /* the first 100 expire */
	p = (struct fdb_page){ .max = 7 };
	do {
		page(&p, 1300);
		assert_in_range(paged_count, 1, 7);
		for (uint32_t i = 0; i < paged_count; i++) {
			assert_true(paged[i] < last);
			last = paged[i];
		}
		count += paged_count;
		assert_int_equal(p.more, count < 900);
	} while (p.more);
	assert_int_equal(count, 900);
	assert_int_equal(last, 100);
	/* A page that is just full, and one that is larger than all. */
	p = (struct fdb_page){ .max = 900 };
	page(&p, 1300);
	assert_int_equal(paged_count, 900);
	assert_false(p.more);
	p = (struct fdb_page){ .max = FDB_PAGE_MAX };
	page(&p, 1300);
	assert_int_equal(paged_count, 900);
	assert_int_equal(paged[0], 999);
	/* Only what was entered by hand. */
	fdb_set_static(&f, key(200), 1, 1300);
	fdb_set_static(&f, key(5000), 1, 1300);
	p = (struct fdb_page){ .max = 1, .only_static = true };
	page(&p, 1300);
	assert_int_equal(paged[0], 5000);
	assert_true(p.more);
	page(&p, 1300);
	assert_int_equal(paged[0], 200);
	assert_false(p.more);
}

/* Between pages entries come, go, move and are moved to a larger table: who is
 * there all the while is listed once. */
static void
test_pages_of_a_table_that_changes(void **state)
{
	static uint8_t seen[20000];
	struct fdb_page p = { .max = 50 };
	uint32_t next = 10000;

	(void)state;
	memset(seen, 0, sizeof(seen));
	f.births = UINT32_MAX - 5000; /* the numbers wrap */
	fdb_set_max(&f, 100000, 1);
	for (uint32_t i = 0; i < 10000; i++)
		learn(i, 1, 1);
	do {
		page(&p, 2);
		for (uint32_t i = 0; i < paged_count; i++)
			seen[paged[i]]++;
		for (uint32_t i = 0; i < 40; i++)
			learn(next++ % 20000, 2, 2);
		for (uint32_t i = 0; i < 20; i++) {
			uint32_t odd = (next * 7 + i * 2) % 10000 | 1;
			uint8_t mac[6];

			u64_to_mac(key(odd), mac);
			fdb_remove_mac(&f, mac, 0, 2);
		}
	} while (p.more && next < 19000);
	assert_false(p.more);
	for (uint32_t i = 0; i < 10000; i += 2)
		assert_int_equal(seen[i], 1);
	for (uint32_t i = 1; i < 10000; i += 2)
		assert_true(seen[i] <= 1);
	for (uint32_t i = 10000; i < 20000; i++)
		assert_int_equal(seen[i], 0);
}

static uint32_t removed[3];

static void
on_removed(void *arg, uint64_t k, uint16_t port, enum fdb_why why)
{
	(void)arg;
	(void)k;
	assert_int_equal(port, 1);
	removed[why]++;
}

static void
test_tells_what_went_and_why(void **state)
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	(void)state;
	memset(removed, 0, sizeof(removed));
	f.removed = on_removed;
	for (uint32_t i = 0; i < 3; i++)
		learn(i, 1, i);
	fdb_remove_mac(&f, mac, 0, 2);
	fdb_sweep(&f, 1201, UINT32_MAX);
	fdb_flush(&f, true);
	assert_int_equal(removed[FDB_DELETED], 1);
	assert_int_equal(removed[FDB_EXPIRED], 1);
	assert_int_equal(removed[FDB_FLUSHED], 1);
}

/* Sweeps remove all that is due, whatever the budget, and say when next. */
static void
test_sweep_in_steps(void **state)
{
	(void)state;
	fdb_set_timeout(&f, 10);
	for (uint32_t i = 0; i < 1000; i++)
		learn(i, 1, i % 7);
	assert_int_equal(fdb_due_s(&f), 11);
	assert_false(fdb_sweep(&f, 10, 100));
	assert_true(fdb_sweep(&f, 13, 100));
	for (uint32_t i = 2000; i < 2100; i++)
		learn(i, 1, 12); /* in the middle of the sweep */
	while (fdb_sweep(&f, 13, 100))
		;
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(look(i, 0), i % 7 < 3 ? FDB_NONE : 1);
	assert_int_equal(fdb_due_s(&f), 14);
	while (fdb_sweep(&f, 17, 100))
		;
	assert_int_equal(fdb_count(&f), 100);
	assert_int_equal(fdb_due_s(&f), 23);
	while (fdb_sweep(&f, 23, 100))
		;
	assert_int_equal(fdb_count(&f), 0);
	assert_int_equal(fdb_due_s(&f), FDB_NEVER);
}

static void
test_shrinks_when_it_is_empty(void **state)
{
	(void)state;
	fdb_set_max(&f, 100000, 1);
	for (uint32_t i = 0; i < 20000; i++)
		assert_int_equal(learn(i, 1, 1), FDB_NEW);
	assert_int_equal(fdb_slots(&f), 65536);
	while (fdb_sweep(&f, 2000, 1000))
		;
	for (uint32_t i = 0; i < 3000; i++)
		assert_int_equal(learn(i, 1, 2000), FDB_NEW);
	assert_int_equal(fdb_slots(&f), 16384);
	for (uint32_t i = 0; i < 3000; i++)
		assert_int_equal(look(i, 2000), 1);
}

#define MODEL 3000

/*
 * Against the obvious: an array.  Random operations while the table grows,
 * moves and shrinks; after each, the entry in hand, now and then all.
 */
static void
test_agrees_with_a_model(void **state)
{
	static struct {
		bool known;
		uint32_t port, expire_s;
		enum fdb_type type;
	} model[MODEL];
	struct prng g = prng_init(5);
	uint32_t now_s = 1;

	(void)state;
	memset(model, 0, sizeof(model));
	fdb_set_max(&f, 1u << 20, 1);
	fdb_set_timeout(&f, 20);
	for (uint32_t step = 0; step < 200000; step++) {
		uint32_t n = (uint32_t)(prng_u64(&g) % MODEL);
		uint32_t port = (uint32_t)(prng_u64(&g) % 8), old;
		bool live = model[n].known && model[n].expire_s > now_s;
		uint8_t mac[6];

		u64_to_mac(key(n), mac);
		switch (prng_u64(&g) % 64) {
		case 0:
			now_s += (uint32_t)(prng_u64(&g) % 3);
			break;
		case 1:
			assert_int_equal(
			    fdb_remove_mac(&f, mac, 0, now_s), live);
			model[n].known = false;
			break;
		case 2:
			fdb_sweep(&f, now_s, 200);
			break;
		case 3:
			if (prng_u64(&g) % 50 != 0)
				break;
			fdb_flush_port(&f, port, true);
			for (uint32_t i = 0; i < MODEL; i++)
				if (model[i].port == port)
					model[i].known = false;
			break;
		case 4:
			assert_int_equal(
			    fdb_set_static(&f, key(n), port, now_s), 0);
			if (!live || model[n].type == FDB_DYNAMIC)
				model[n].port = port;
			model[n].known = true;
			model[n].type = FDB_STATIC;
			model[n].expire_s = FDB_NEVER;
			break;
		default:
			if (refresh(n, port, now_s)) {
				assert_true(live && model[n].port == port);
			} else {
				assert_int_equal(fdb_learn(&f, key(n), port,
				                     false, now_s, &old),
				    !live                          ? FDB_NEW
				    : model[n].type != FDB_DYNAMIC ? FDB_SAME
				    : model[n].port == port        ? FDB_SAME
				                                   : FDB_MOVED);
			}
			if (!live)
				model[n].type = FDB_DYNAMIC;
			if (model[n].type == FDB_DYNAMIC) {
				model[n].port = port;
				model[n].expire_s = now_s + 21;
			}
			model[n].known = true;
			break;
		}
		live = model[n].known && model[n].expire_s > now_s;
		assert_int_equal(
		    look(n, now_s), live ? model[n].port : FDB_NONE);
		if (step % 10000 != 0)
			continue;
		for (uint32_t i = 0; i < MODEL; i++) {
			live = model[i].known && model[i].expire_s > now_s;
			assert_int_equal(
			    look(i, now_s), live ? model[i].port : FDB_NONE);
		}
	}
}

/* No entry is lost while half a million are entered and moved to larger
 * tables, and a step of that does not grow with the table. */
static void
test_grows_without_loss(void **state)
{
	(void)state;
	fdb_set_max(&f, FDB_MAX_HIGHEST, 1);
	for (uint32_t i = 0; i < 500000; i++) {
		assert_int_equal(learn(i, 1, 1), FDB_NEW);
		if (i % 1000 == 0)
			assert_int_equal(look(i / 2, 1), 1);
	}
	for (uint32_t i = 0; i < 500000; i++)
		assert_int_equal(look(i, 1), 1);
	assert_int_equal(f.exceeded, 0);
	assert_true(fdb_slots(&f) <= 1u << 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A scan sees all that is there all the while, whatever the table does. */

static struct scan_seen {
	uint8_t times[20000];
	uint32_t count;
} scanned;

static void
scan_entry(void *arg, const struct fdb_entry *e)
{
	uint32_t n = (uint32_t)(e->key & 0xffffff);

	(void)arg;
	assert_true(n < sizeof(scanned.times));
	scanned.times[n] += scanned.times[n] < 255;
	scanned.count++;
}

static void
test_scan_of_a_table_at_rest(void **state)
{
	struct fdb_cursor c = { 0 };

	(void)state;
	memset(&scanned, 0, sizeof(scanned));
	assert_int_equal(fdb_set_max(&f, 20000, 0), 0);
	while (fdb_scan(&f, 1, &c, 10, scan_entry, NULL))
		;
	assert_int_equal(scanned.count, 0);
	for (uint32_t n = 0; n < 5000; n++)
		(void)learn(n, 1 + n % 3, n < 100 ? 1 : 2000);
	c = (struct fdb_cursor){ 0 };
	while (fdb_scan(&f, 2100, &c, 10, scan_entry, NULL))
		;
	/* Each, and not what has expired. */
	for (uint32_t n = 0; n < 5000; n++)
		assert_int_equal(scanned.times[n] != 0, n >= 100);
	/* Each once, if nothing is under way. */
	assert_int_equal(f.old.entries == NULL, scanned.count == 4900);
}

static void
test_scan_of_a_table_that_changes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct prng g = prng_init(seed);
		struct fdb_cursor c = { 0 };
		uint32_t most = 200 + (uint32_t)prng_below(&g, 3000);
		uint32_t next = most;

		memset(&scanned, 0, sizeof(scanned));
		fdb_flush(&f, true);
		assert_int_equal(fdb_set_max(&f, 20000, 1), 0);
		for (uint32_t n = 0; n < most; n++)
			assert_int_equal(learn(n, 1, 1), FDB_NEW);
		/* Those with an even number stay; others go, and more come, so
		 * that the table grows. */
		while (fdb_scan(&f, 1, &c, 1 + (uint32_t)prng_below(&g, 40),
		    scan_entry, NULL)) {
			uint8_t mac[ETH_ADDR_LEN];

			for (uint32_t i = 0; i < 20; i++) {
				u64_to_mac(key(1 + 2 * (uint32_t)prng_below(
				                           &g, most / 2)),
				    mac);
				(void)fdb_remove_mac(&f, mac, 0, 1);
				if (next < 15000 && prng_below(&g, 2) == 0)
					(void)learn(next++, 2, 1);
			}
		}
		for (uint32_t n = 0; n < most; n += 2)
			if (scanned.times[n] == 0)
				fail_msg("seed %llu: %u was not seen",
				    (unsigned long long)seed, n);
	}
}

/* How often an address was in a scan, and how much one call did at most. */
static struct {
	uint32_t seen[200000];
	uint32_t given, births;
	const struct fdb_cursor *cursor;
} pieces_of;

static void
piece_entry(void *arg, const struct fdb_entry *e)
{
	(void)arg;
	pieces_of.seen[e->key & 0xffffff]++;
	pieces_of.given++;
	/* They were learned in the order of their numbers. */
	assert_int_equal(pieces_of.cursor->birth, e->key & 0xffffff);
}

/* However long the table is, a piece of a scan looks at no more slots than it
 * has room for, and all pieces together at each slot once. */
static void
test_a_piece_of_a_scan_costs_what_it_is(void **state)
{
	static const uint32_t sizes[] = { 2000, 200000 };

	(void)state;
	fdb_set_max(&f, 1000000, 1);
	for (uint32_t k = 0; k < ARRAY_LEN(sizes); k++) {
		struct fdb_cursor c = { 0 };
		uint64_t looked = 0;
		uint32_t pieces = 0;
		bool more;

		for (uint32_t i = f.births; i < sizes[k]; i++)
			learn(i, 1, 1);
		memset(&pieces_of, 0, sizeof(pieces_of));
		pieces_of.cursor = &c;
		do {
			uint32_t before = pieces_of.given;

			more = fdb_scan(&f, 2, &c, 256, piece_entry, NULL);
			assert_true(pieces_of.given - before <= 256);
			assert_true(c.looked <= FDB_SCAN_SLOTS);
			looked += c.looked;
			pieces++;
		} while (more);
		assert_int_equal(pieces_of.given, sizes[k]);
		for (uint32_t i = 0; i < sizes[k]; i++)
			assert_int_equal(pieces_of.seen[i], 1);
		assert_int_equal(
		    looked, f.now.mask + 1 +
		                (f.old.entries != NULL ? f.old.mask + 1 : 0));
		assert_true(
		    pieces <= sizes[k] / 256 + looked / FDB_SCAN_SLOTS + 2);
	}
}

/* A cursor comes from outside: it may say anything. */
static void
test_a_scan_survives_any_cursor(void **state)
{
	static const uint32_t values[] = { 0, 1, 2, 3, 4, 5, 63, 64, 1023, 1024,
		2048, 4096, UINT32_MAX };
	uint32_t n = ARRAY_LEN(values);

	(void)state;
	fdb_set_max(&f, 100000, 1);
	for (uint32_t i = 0; i < 600; i++)
		learn(i, 1, 1);
	for (uint32_t i = 0; i < n * n * 2; i++) {
		struct fdb_cursor c = { .stage = values[i % n],
			.slot = values[i / n % n],
			.rehashes = f.rehashes + i / n / n };

		pieces_of.cursor = &c;
		(void)fdb_scan(&f, 2, &c, 1000, piece_entry, NULL);
		assert_true(c.looked <= FDB_SCAN_SLOTS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_learns_and_finds),
		TEST(test_refuses_groups_and_zero),
		TEST(test_vlans_are_apart),
		TEST(test_moves_with_counts),
		TEST(test_move_ignores_limit),
		TEST(test_expires_to_the_second),
		TEST(test_seconds_left),
		TEST(test_refresh_writes_once_a_second),
		TEST(test_timeout_0_is_for_ever),
		TEST(test_timeout_shortened),
		TEST(test_static_and_sticky_stay),
		TEST(test_static_over_what_exists),
		TEST(test_full_table_refuses_and_counts),
		TEST(test_port_limit_refuses_and_counts),
		TEST(test_remove_in_one_vlan_or_all),
		TEST(test_remove_does_not_find_the_expired),
		TEST(test_flush_port),
		TEST(test_age_port),
		TEST(test_age_port_timeout_0),
		TEST(test_max_removes_newest),
		TEST(test_walk_is_newest_first),
		TEST(test_pages_are_newest_first),
		TEST(test_a_piece_of_a_scan_costs_what_it_is),
		TEST(test_a_scan_survives_any_cursor),
		TEST(test_pages_of_a_table_that_changes),
		TEST(test_scan_of_a_table_at_rest),
		TEST(test_scan_of_a_table_that_changes),
		TEST(test_tells_what_went_and_why),
		TEST(test_sweep_in_steps),
		TEST(test_shrinks_when_it_is_empty),
		TEST(test_agrees_with_a_model),
		TEST(test_grows_without_loss),
	};

	return cmocka_run_group_tests_name("bridge_fdb", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What follows from what xenstore says of a vif: values in, actions out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "base/util.h"
#include "coax/netif.h"
#include "drv/xnb/xenvif.h"

#define ROOT "/local/domain/0/backend/vif"

/* Letters for actions, so that a list of them is a word. */
static const char letters[] = {
	[XENVIF_MAKE] = 'M',
	[XENVIF_RESUME] = 'C',
	[XENVIF_READY] = 'r',
	[XENVIF_FRONT] = 'f',
	[XENVIF_REFUSE] = 'X',
	[XENVIF_UNPLUG] = 'U',
	[XENVIF_CLOSE] = 'c',
	[XENVIF_SAY_CLOSED] = 's',
	[XENVIF_DESTROY] = 'D',
	[XENVIF_DISOWN] = 'o',
	[XENVIF_FORGET] = 'F',
};

static struct xenvif v;
static struct xenvif_actions last;

static int
setup(void **state)
{
	(void)state;
	v = (struct xenvif){ .domid = 1 };
	return 0;
}

static const char *
step_view(const struct xenvif_view *view)
{
	static char text[XENVIF_ACTIONS_MAX + 1];

	xenvif_step(&v, view, &last);
	for (uint32_t i = 0; i < last.count; i++)
		text[i] = letters[last.list[i]];
	text[last.count] = '\0';
	return text;
}

/* The usual view: the script has not reported. */
static const char *
step(uint32_t back, uint32_t front, uint32_t said)
{
	return step_view(&(struct xenvif_view){
	    .there = true,
	    .back = back,
	    .front = front,
	    .online = true,
	    .hotplug = XENVIF_HOTPLUG_PENDING,
	    .said = said,
	});
}

/* The toolstack takes it away. */
static const char *
step_offline(uint32_t back, uint32_t front, uint32_t said)
{
	return step_view(&(struct xenvif_view){
	    .there = true,
	    .back = back,
	    .front = front,
	    .hotplug = XENVIF_HOTPLUG_CONNECTED,
	    .said = said,
	});
}

static const char *
step_gone(void)
{
	return step_view(&(struct xenvif_view){ .said = 4 });
}

/* --- the machine -----------------------------------------------------------
 */

static void
test_created_connected_closed_and_back(void **state)
{
	(void)state;
	assert_string_equal(step(1, 1, 0), "M");
	assert_string_equal(step(2, 1, 2), "");
	assert_string_equal(step(2, 4, 2), "f");
	assert_int_equal(last.front, 4);
	assert_string_equal(step(4, 4, 4), "f"); /* keys may have changed */
	/* The guest's driver is unloaded, and loaded again. */
	assert_string_equal(step(4, 5, 4), "f");
	assert_string_equal(step(5, 6, 5), "f");
	assert_string_equal(step(6, 6, 6), "");
	assert_string_equal(step(6, 1, 6), "f");
	assert_string_equal(step(2, 4, 2), "f");
	assert_int_equal(v.phase, XENVIF_SERVED);
}

static void
test_a_new_kernel_says_nothing_before(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	(void)step(2, 4, 2);
	assert_string_equal(step(4, 1, 4), "f");
	assert_int_equal(last.front, 1);
}

static void
test_incomplete_ones_wait(void **state)
{
	(void)state;
	assert_string_equal(step(0, 1, 0), "");
	assert_string_equal(step(1, 0, 0), "");
	assert_int_equal(v.phase, XENVIF_NEW);
	assert_string_equal(step(1, 1, 0), "M");
}

static void
test_a_guest_that_is_faster(void **state)
{
	(void)state;
	assert_string_equal(step(1, 4, 0), "Mf");
}

static void
test_connected_already(void **state)
{
	(void)state;
	assert_string_equal(step(4, 4, 0), "Cf");
	assert_int_equal(last.front, 4);
	assert_string_equal(step(4, 4, 4), "f");
}

static void
test_restarted_between_states(void **state)
{
	static const uint32_t states[][2] = { { 2, 1 }, { 2, 4 }, { 4, 5 },
		{ 5, 5 }, { 5, 6 }, { 6, 6 }, { 6, 1 }, { 4, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		bool begins = states[i][1] == 1;

		v = (struct xenvif){ .domid = 1 };
		assert_string_equal(
		    step(states[i][0], states[i][1], 0), begins ? "M" : "Mf");
	}
}

static void
test_the_script_reports(void **state)
{
	struct xenvif_view view = {
		.there = true,
		.back = 2,
		.front = 4,
		.online = true,
		.hotplug = XENVIF_HOTPLUG_CONNECTED,
		.said = 2,
	};

	(void)state;
	(void)step(1, 1, 0);
	assert_false(xenvif_may_connect(&v));
	/* Before the front end: it may be connected at once. */
	assert_string_equal(step_view(&view), "rf");
	assert_true(xenvif_may_connect(&v));
	view.hotplug = XENVIF_HOTPLUG_NONE;
	assert_string_equal(step_view(&view), "rf");
	assert_true(xenvif_may_connect(&v));
}

static void
test_the_script_fails(void **state)
{
	struct xenvif_view view = {
		.there = true,
		.back = 2,
		.front = 1,
		.online = true,
		.hotplug = XENVIF_HOTPLUG_ERROR,
		.said = 2,
	};

	(void)state;
	(void)step(1, 1, 0);
	assert_string_equal(step_view(&view), "X");
	assert_string_equal(step_view(&view), ""); /* once */
	assert_string_equal(step_offline(5, 1, 6), "rUcD");
}

static void
test_unplugged_while_connected(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	(void)step(2, 4, 2);
	/* The guest closes by itself; its rings are its own until then. */
	assert_string_equal(step_offline(5, 4, 4), "rUf");
	assert_string_equal(step_offline(5, 5, 5), "rf");
	assert_int_equal(v.phase, XENVIF_SERVED);
	assert_string_equal(step_offline(5, 6, 5), "rfcD");
	assert_int_equal(v.phase, XENVIF_ENDED);
	assert_string_equal(step_offline(6, 6, 6), "");
	assert_string_equal(step_gone(), "F");
}

static void
test_unplugged_before_a_driver_came(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	assert_string_equal(step_offline(5, 1, 2), "rUcD");
}

static void
test_an_unplugged_one_does_not_begin_anew(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	(void)step(2, 4, 2);
	(void)step_offline(5, 4, 4);
	assert_string_equal(step_offline(5, 1, 5), "rcD");
}

static void
test_destroyed_domain(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	(void)step(2, 4, 2);
	assert_string_equal(step_offline(5, 0, 4), "rUfcD");
	assert_int_equal(last.front, 0);
	assert_string_equal(step_gone(), "F");
}

/* A guest that has shut itself down; then it is destroyed: our Closed was
 * written over. */
static void
test_closed_first_and_unplugged_then(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	(void)step(2, 4, 2);
	(void)step(4, 6, 4);
	assert_string_equal(step_offline(5, 6, 6), "rUcD");
	/* Again, if it was written over once more. */
	assert_string_equal(step_offline(5, 6, 6), "s");
}

static void
test_a_crashed_domain_that_is_kept(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	(void)step(2, 4, 2);
	assert_string_equal(step(4, 0, 4), "f");
	assert_int_equal(last.front, 0);
	assert_int_equal(v.phase, XENVIF_SERVED);
}

static void
test_removed_by_force(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	(void)step(2, 4, 2);
	assert_string_equal(step_gone(), "oDF");
}

/* Detached and attached again between two looks. */
static void
test_made_anew(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	(void)step(2, 4, 2);
	assert_string_equal(step(1, 1, 4), "oDM");
	assert_int_equal(v.phase, XENVIF_SERVED);
	/* What is read before our first word is not that. */
	v = (struct xenvif){ .domid = 1 };
	(void)step(1, 1, 0);
	assert_string_equal(step(1, 1, 1), "");
	assert_string_equal(step(1, 1, 0), "");
	/* After its end, too. */
	(void)step_offline(5, 1, 2);
	assert_int_equal(v.phase, XENVIF_ENDED);
	assert_string_equal(step(1, 1, 6), "M");
}

static void
test_found_while_it_is_taken_away(void **state)
{
	(void)state;
	assert_string_equal(step_offline(5, 4, 0), "s");
	assert_string_equal(step_offline(6, 4, 6), "");
	assert_string_equal(step_gone(), "F");
}

static void
test_ended_by_somebody_else(void **state)
{
	(void)state;
	(void)step(1, 1, 0);
	(void)step(2, 4, 2);
	xenvif_gone(&v);
	assert_string_equal(step(6, 6, 6), "");
	assert_string_equal(step(6, 1, 6), "");
	assert_string_equal(step_offline(5, 1, 6), "s");
	assert_string_equal(step_gone(), "F");
}

/* Whatever is seen, in whatever order: an interface is made when there is none,
 * ends when there is one, and what is forgotten has none. */
static void
test_any_views(void **state)
{
	struct prng prng = prng_init(7);

	(void)state;
	for (int run = 0; run < 200; run++) {
		bool there = false;

		v = (struct xenvif){ .domid = 1 };
		for (int i = 0; i < 100; i++) {
			struct xenvif_view view = {
				.there = prng_below(&prng, 16) != 0,
				.back = (uint32_t)prng_below(&prng, 10),
				.front = (uint32_t)prng_below(&prng, 10),
				.online = prng_below(&prng, 3) != 0,
				.hotplug =
				    (enum xenvif_hotplug)prng_below(&prng, 4),
				.said = (uint32_t)prng_below(&prng, 8),
			};
			const char *word = step_view(&view);

			for (const char *a = word; *a != '\0'; a++) {
				switch (*a) {
				case 'M':
				case 'C':
					assert_false(there);
					there = true;
					break;
				case 'D':
					assert_true(there);
					there = false;
					break;
				case 'F':
					assert_false(there);
					assert_int_equal(a[1], '\0');
					break;
				case 'U':
				case 'X':
				case 'c':
				case 'f':
				case 'r':
					assert_true(there);
					break;
				default:
					break;
				}
			}
			assert_int_equal(v.phase == XENVIF_SERVED, there);
		}
	}
}

/* --- values ----------------------------------------------------------------
 */

static void
test_views(void **state)
{
	struct xenvif_dirs d = { .there = true };
	struct xenvif_view w;

	(void)state;
	w = xenvif_view_of(&d, 0);
	assert_true(w.there && w.online);
	assert_int_equal(w.back, 0);
	assert_int_equal(w.hotplug, XENVIF_HOTPLUG_NONE);
	(void)keys_set(&d.back, "state", "2");
	(void)keys_set(&d.back, "online", "0");
	(void)keys_set(&d.back, "hotplug-status", "");
	(void)keys_set(&d.front, "state", "4");
	w = xenvif_view_of(&d, 2);
	assert_int_equal(w.back, 2);
	assert_int_equal(w.front, 4);
	assert_int_equal(w.said, 2);
	assert_false(w.online);
	assert_int_equal(w.hotplug, XENVIF_HOTPLUG_PENDING);
	d.dead = true;
	assert_int_equal(xenvif_view_of(&d, 2).front, 0);
}

static void
test_states_that_are_none(void **state)
{
	static const char *const texts[] = { "", "9", "-1", "4 ", "04x", "?",
		"4294967300", "99999999999999999999", "0x4", "four" };
	struct xenvif_dirs d = { .there = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		(void)keys_set(&d.front, "state", texts[i]);
		assert_int_equal(xenvif_view_of(&d, 0).front, 0);
	}
}

static void
test_values_are_text(void **state)
{
	char out[KEYS_VALUE_MAX], big[300];

	(void)state;
	xenvif_value("17", 2, out);
	assert_string_equal(out, "17");
	xenvif_value("", 0, out);
	assert_string_equal(out, "");
	xenvif_value("1\0007", 3, out);
	assert_string_equal(out, "?");
	xenvif_value("1\n", 2, out);
	assert_string_equal(out, "?");
	memset(big, '1', sizeof(big));
	xenvif_value(big, KEYS_VALUE_MAX, out);
	assert_string_equal(out, "?");
	xenvif_value(big, KEYS_VALUE_MAX - 1, out);
	assert_int_equal(strlen(out), KEYS_VALUE_MAX - 1);
}

static void
test_numbers_of_directories(void **state)
{
	uint32_t n = 77;

	(void)state;
	assert_true(xenvif_number("0", 10, &n));
	assert_int_equal(n, 0);
	assert_true(xenvif_number("10", 10, &n));
	assert_false(xenvif_number("11", 10, &n));
	assert_false(xenvif_number("01", 10, &n));
	assert_false(xenvif_number("", 10, &n));
	assert_false(xenvif_number("1/2", 10, &n));
	assert_false(xenvif_number("-1", 10, &n));
}

static void
test_events(void **state)
{
	static const struct {
		const char *path, *token;
		enum xenvif_event what;
		uint32_t domid, handle;
	} cases[] = {
		{ ROOT, "b", XENVIF_EVENT_ALL, 9, 9 },
		{ "/local/domain/0", "b", XENVIF_EVENT_ALL, 9, 9 },
		{ ROOT "/5", "b", XENVIF_EVENT_DOMAIN, 5, 9 },
		{ ROOT "/5/1", "b", XENVIF_EVENT_VIF, 5, 1 },
		{ ROOT "/5/1/state", "b", XENVIF_EVENT_VIF, 5, 1 },
		{ ROOT "/5/1/online", "b", XENVIF_EVENT_VIF, 5, 1 },
		{ ROOT "/5/1/hotplug-status", "b", XENVIF_EVENT_VIF, 5, 1 },
		{ ROOT "/5/1/feature-sg", "b", XENVIF_EVENT_NONE, 5, 1 },
		{ ROOT "/5/1/state/x", "b", XENVIF_EVENT_NONE, 5, 1 },
		{ ROOT "/x/1/state", "b", XENVIF_EVENT_NONE, 9, 9 },
		{ ROOT "/5/x", "b", XENVIF_EVENT_NONE, 5, 9 },
		{ ROOT "/99999/0", "b", XENVIF_EVENT_NONE, 9, 9 },
		{ ROOT "/5/99999", "b", XENVIF_EVENT_NONE, 5, 9 },
		{ ROOT "/00000000000000000000005/1", "b", XENVIF_EVENT_NONE, 9,
		    9 },
		{ "@releaseDomain", "r", XENVIF_EVENT_DOMAINS, 9, 9 },
		{ "/whatever", "f/7/2", XENVIF_EVENT_VIF, 7, 2 },
		{ "/whatever", "f/7", XENVIF_EVENT_NONE, 7, 9 },
		{ "/whatever", "f/7/2/3", XENVIF_EVENT_NONE, 7, 2 },
		{ "/whatever", "zzz", XENVIF_EVENT_NONE, 9, 9 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t domid = 9, handle = 9;

		assert_int_equal(xenvif_event(ROOT, cases[i].path,
		                     cases[i].token, &domid, &handle),
		    cases[i].what);
		assert_int_equal(domid, cases[i].domid);
		assert_int_equal(handle, cases[i].handle);
	}
}

static void
test_how_many_queues_are_read(void **state)
{
	struct keys k = { .len = 0 };

	(void)state;
	assert_int_equal(xenvif_queues(&k), 0);
	(void)keys_set(&k, "multi-queue-num-queues", "1");
	assert_int_equal(xenvif_queues(&k), 0);
	(void)keys_set(&k, "multi-queue-num-queues", "8");
	assert_int_equal(xenvif_queues(&k), 8);
	(void)keys_set(&k, "multi-queue-num-queues", "4294967295");
	assert_int_equal(xenvif_queues(&k), 0);
}

/* All keys of the most queues fit into a directory. */
static void
test_there_is_room_for_all_keys(void **state)
{
	struct keys k = { .len = 0 };
	char text[KEYS_KEY_MAX];
	const char *key;

	(void)state;
	assert_int_equal(keys_set(&k, "state", "4"), 0);
	for (uint32_t i = 0; (key = xenvif_front_key(i)) != NULL; i++)
		assert_int_equal(keys_set(&k, key, "4294967295"), 0);
	for (uint32_t q = 0; q < 8; q++) {
		for (uint32_t i = 0; xenvif_queue_key(q, i, text); i++)
			assert_int_equal(keys_set(&k, text, "4294967295"), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    test_created_connected_closed_and_back, setup),
		cmocka_unit_test_setup(
		    test_a_new_kernel_says_nothing_before, setup),
		cmocka_unit_test_setup(test_incomplete_ones_wait, setup),
		cmocka_unit_test_setup(test_a_guest_that_is_faster, setup),
		cmocka_unit_test_setup(test_connected_already, setup),
		cmocka_unit_test_setup(test_restarted_between_states, setup),
		cmocka_unit_test_setup(test_the_script_reports, setup),
		cmocka_unit_test_setup(test_the_script_fails, setup),
		cmocka_unit_test_setup(test_unplugged_while_connected, setup),
		cmocka_unit_test_setup(
		    test_unplugged_before_a_driver_came, setup),
		cmocka_unit_test_setup(
		    test_an_unplugged_one_does_not_begin_anew, setup),
		cmocka_unit_test_setup(test_destroyed_domain, setup),
		cmocka_unit_test_setup(
		    test_closed_first_and_unplugged_then, setup),
		cmocka_unit_test_setup(
		    test_a_crashed_domain_that_is_kept, setup),
		cmocka_unit_test_setup(test_removed_by_force, setup),
		cmocka_unit_test_setup(test_made_anew, setup),
		cmocka_unit_test_setup(
		    test_found_while_it_is_taken_away, setup),
		cmocka_unit_test_setup(test_ended_by_somebody_else, setup),
		cmocka_unit_test(test_any_views),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_states_that_are_none),
		cmocka_unit_test(test_values_are_text),
		cmocka_unit_test(test_numbers_of_directories),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_how_many_queues_are_read),
		cmocka_unit_test(test_there_is_room_for_all_keys),
	};

	return cmocka_run_group_tests_name("drv_xnb_xenvif", tests, NULL, NULL);
}

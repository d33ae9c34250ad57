/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings: both ends in turn, indices that wrap, wishes to be told, and an end
 * that writes what cannot be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ring/netring.h"

#define SLOTS 256u
#define SIZE  12u
#define WORDS (SIZE / 4)

static struct {
	_Alignas(4096) uint8_t page[COAX_RING_PAGE];
	struct netring_front front;
	struct netring_back back;
} r;

static int
setup(void **state)
{
	(void)state;
	memset(&r, 0, sizeof(r));
	netring_front_init(&r.front, r.page, SLOTS, SIZE);
	assert_int_equal(netring_back_attach(&r.back, r.page, SLOTS, SIZE), 0);
	return 0;
}

/* Both ends begin anew at an index. */
static void
begin_at(uint32_t index)
{
	struct coax_ring *shared = (struct coax_ring *)(void *)r.page;

	shared->req_prod = shared->rsp_prod = index;
	shared->req_event = shared->rsp_event = index + 1;
	assert_int_equal(netring_back_attach(&r.back, r.page, SLOTS, SIZE), 0);
	r.front.req_prod = r.front.req_prod_pvt = index;
	r.front.rsp_seen = r.front.rsp_cons = index;
}

static void
put_requests(uint32_t count, uint32_t mark)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot[WORDS] = { mark + i, ~(mark + i), 7 };

		netring_front_put(&r.front, slot, WORDS);
	}
}

static void
test_front_initialises_the_page(void **state)
{
	const struct coax_ring *shared = (const void *)r.page;

	(void)state;
	assert_int_equal(shared->req_prod, 0);
	assert_int_equal(shared->rsp_prod, 0);
	assert_int_equal(shared->req_event, 1);
	assert_int_equal(shared->rsp_event, 1);
	assert_int_equal(COAX_RING_SLOTS_AT, sizeof(struct coax_ring));
}

/* Requests go, responses come back, in order, over the wrap of the indices. */
static void
test_round_trips_over_the_wrap(void **state)
{
	uint32_t mark = 0;

	(void)state;
	begin_at(UINT32_MAX - 1000);
	for (uint32_t round = 0; round < 50; round++) {
		uint32_t count = round * 37 % SLOTS + 1;

		put_requests(count, mark);
		assert_int_equal(netring_back_poll(&r.back), 0);
		netring_front_publish(&r.front);
		assert_int_equal(netring_back_poll(&r.back), count);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t got[WORDS];

			netring_back_get(
			    &r.back, r.back.req_cons++, got, WORDS);
			assert_int_equal(got[0], mark + i);
			assert_int_equal(got[1], ~(mark + i));
			got[0] = mark + i + 1;
			netring_back_put(&r.back, got, WORDS);
		}
		assert_int_equal(netring_back_known(&r.back), 0);
		assert_int_equal(netring_front_poll(&r.front), 0);
		netring_back_publish(&r.back);
		assert_int_equal(netring_front_poll(&r.front), count);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t got[WORDS];

			netring_front_get(
			    &r.front, r.front.rsp_cons++, got, WORDS);
			assert_int_equal(got[0], mark + i + 1);
		}
		mark += count;
	}
	assert_int_equal(netring_front_room(&r.front), SLOTS);
}

/* A full ring is full; what is taken and not answered is no room. */
static void
test_unanswered_requests_take_room(void **state)
{
	uint32_t slot[WORDS] = { 0 };

	(void)state;
	put_requests(SLOTS, 0);
	assert_int_equal(netring_front_room(&r.front), 0);
	netring_front_publish(&r.front);
	assert_int_equal(netring_back_poll(&r.back), SLOTS);
	r.back.req_cons += 10;
	assert_int_equal(netring_back_poll(&r.back), SLOTS - 10);
	netring_back_put(&r.back, slot, WORDS);
	netring_back_publish(&r.back);
	assert_int_equal(netring_front_poll(&r.front), 1);
	r.front.rsp_cons++;
	assert_int_equal(netring_front_room(&r.front), 1);
}

/* Only who asked is told, once. */
static void
test_told_when_asked(void **state)
{
	(void)state;
	/* The page's first state asks for the first request. */
	put_requests(1, 0);
	assert_true(netring_front_publish(&r.front));
	put_requests(1, 1);
	assert_false(netring_front_publish(&r.front));
	assert_false(netring_front_publish(&r.front)); /* nothing new */
	assert_int_equal(netring_back_poll(&r.back), 2);
	r.back.req_cons += 2;
	/* Asks for the third of those to come. */
	assert_false(netring_back_arm(&r.back, 3));
	put_requests(2, 2);
	assert_false(netring_front_publish(&r.front));
	put_requests(2, 4);
	assert_true(netring_front_publish(&r.front));
	/* They are there already: no sleep. */
	assert_true(netring_back_arm(&r.back, 3));
	assert_false(netring_back_arm(&r.back, 5));
	/* The same from the other end. */
	for (int i = 0; i < 2; i++) {
		uint32_t slot[WORDS] = { 0 };

		netring_back_put(&r.back, slot, WORDS);
		assert_int_equal(netring_back_publish(&r.back), i == 0);
	}
	assert_true(netring_front_arm(&r.front, 2));
	assert_false(netring_front_arm(&r.front, 3));
}

/* Indices that cannot be, in every way. */
static void
test_impossible_indices_are_refused(void **state)
{
	struct coax_ring *shared = (struct coax_ring *)(void *)r.page;
	uint32_t slot[WORDS] = { 0 };

	(void)state;
	shared->req_prod = SLOTS + 1;
	assert_int_equal(netring_back_poll(&r.back), -EPROTO);
	shared->req_prod = UINT32_MAX; /* back before the beginning */
	assert_int_equal(netring_back_poll(&r.back), -EPROTO);
	shared->req_prod = 10;
	assert_int_equal(netring_back_poll(&r.back), 10);
	r.back.req_cons = 10;
	shared->req_prod = 9; /* taken back after it was taken */
	assert_int_equal(netring_back_poll(&r.back), -EPROTO);
	shared->req_prod = 10;
	netring_back_put(&r.back, slot, WORDS);
	netring_back_publish(&r.back);
	/* One that is full again but for what was answered. */
	shared->req_prod = SLOTS + 1;
	assert_int_equal(netring_back_poll(&r.back), SLOTS - 9);
	shared->req_prod = SLOTS + 2;
	assert_int_equal(netring_back_poll(&r.back), -EPROTO);
}

static void
test_answers_to_nothing_are_refused(void **state)
{
	struct coax_ring *shared = (struct coax_ring *)(void *)r.page;

	(void)state;
	put_requests(3, 0);
	shared->rsp_prod = 1; /* not even published */
	assert_int_equal(netring_front_poll(&r.front), -EPROTO);
	shared->rsp_prod = 0;
	netring_front_publish(&r.front);
	shared->rsp_prod = 4;
	assert_int_equal(netring_front_poll(&r.front), -EPROTO);
	shared->rsp_prod = UINT32_MAX;
	assert_int_equal(netring_front_poll(&r.front), -EPROTO);
	shared->rsp_prod = 3;
	assert_int_equal(netring_front_poll(&r.front), 3);
}

/* A back end that comes anew goes on at what was answered. */
static void
test_attach_goes_on(void **state)
{
	uint32_t got[WORDS];

	(void)state;
	put_requests(5, 100);
	netring_front_publish(&r.front);
	assert_int_equal(netring_back_poll(&r.back), 5);
	r.back.req_cons += 4; /* taken, two of them answered */
	netring_back_get(&r.back, 0, got, WORDS);
	netring_back_put(&r.back, got, WORDS);
	netring_back_put(&r.back, got, WORDS);
	netring_back_publish(&r.back);
	assert_int_equal(netring_back_attach(&r.back, r.page, SLOTS, SIZE), 0);
	assert_int_equal(netring_back_poll(&r.back), 3);
	netring_back_get(&r.back, r.back.req_cons, got, WORDS);
	assert_int_equal(got[0], 102);
}

static void
test_attach_refuses_rubbish(void **state)
{
	struct coax_ring *shared = (struct coax_ring *)(void *)r.page;
	struct netring_back back = { .slots = 77 };

	(void)state;
	shared->rsp_prod = 1000;
	shared->req_prod = 1000 + SLOTS + 1;
	assert_int_equal(
	    netring_back_attach(&back, r.page, SLOTS, SIZE), -EPROTO);
	shared->req_prod = 999;
	assert_int_equal(
	    netring_back_attach(&back, r.page, SLOTS, SIZE), -EPROTO);
	assert_int_equal(back.slots, 77); /* untouched */
	shared->req_prod = 1000 + SLOTS;
	assert_int_equal(netring_back_attach(&back, r.page, SLOTS, SIZE), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_front_initialises_the_page, setup),
		cmocka_unit_test_setup(test_round_trips_over_the_wrap, setup),
		cmocka_unit_test_setup(
		    test_unanswered_requests_take_room, setup),
		cmocka_unit_test_setup(test_told_when_asked, setup),
		cmocka_unit_test_setup(
		    test_impossible_indices_are_refused, setup),
		cmocka_unit_test_setup(
		    test_answers_to_nothing_are_refused, setup),
		cmocka_unit_test_setup(test_attach_goes_on, setup),
		cmocka_unit_test_setup(test_attach_refuses_rubbish, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

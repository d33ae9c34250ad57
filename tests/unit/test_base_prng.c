/* SPDX-License-Identifier: BSD-2-Clause */
/* base/prng.h: the published sequences, and results within their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

/* Published test values of splitmix64 (seed 0) and xoshiro256** (1, 2, 3, 4).
 */
static void
test_sequences_are_the_published_ones(void **state)
{
	struct prng g = { .s = { 1, 2, 3, 4 } };
	uint64_t seed = 0;

	(void)state;
	assert_true(prng_splitmix(&seed) == 0xe220a8397b1dcdafu);
	assert_true(prng_u64(&g) == 11520);
	assert_true(prng_u64(&g) == 0);
	assert_true(prng_u64(&g) == 1509978240);
	assert_true(prng_u64(&g) == 1215971899390074240u);
}

static void
test_same_seed_gives_the_same_sequence(void **state)
{
	struct prng a = prng_init(7), b = prng_init(7), c = prng_init(8);
	unsigned int same = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		uint64_t v = prng_u64(&a);

		assert_true(v == prng_u64(&b));
		same += v == prng_u64(&c);
	}
	assert_int_equal(same, 0);
}

static void
test_numbers_stay_in_their_range_and_reach_its_ends(void **state)
{
	struct prng g = prng_init(1);
	unsigned int seen[6] = { 0 };

	(void)state;
	assert_int_equal(prng_below(&g, 0), 0);
	assert_int_equal(prng_below(&g, 1), 0);
	for (int i = 0; i < 6000; i++) {
		uint64_t v = prng_range(&g, 10, 15);

		assert_in_range(v, 10, 15);
		seen[v - 10]++;
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(seen[i], 800, 1200);
	assert_int_equal(prng_range(&g, 9, 9), 9);
	/* The whole range does not overflow to nothing. */
	assert_true(
	    prng_range(&g, 0, UINT64_MAX) != prng_range(&g, 0, UINT64_MAX));
}

static void
test_chance_is_about_what_it_says(void **state)
{
	struct prng g = prng_init(1);
	unsigned int yes = 0;

	(void)state;
	for (int i = 0; i < 4000; i++) {
		yes += prng_chance(&g, 1, 4);
		assert_false(prng_chance(&g, 0, 4));
		assert_true(prng_chance(&g, 4, 4));
	}
	assert_in_range(yes, 850, 1150);
}

static void
test_bytes_fill_exactly(void **state)
{
	struct prng g = prng_init(1);
	uint8_t b[21];
	unsigned int zero = 0;

	(void)state;
	memset(b, 0, sizeof(b));
	prng_bytes(&g, b, 19);
	assert_int_equal(b[19], 0);
	assert_int_equal(b[20], 0);
	for (int i = 0; i < 19; i++)
		zero += b[i] == 0;
	assert_true(zero < 4);
	prng_bytes(&g, NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences_are_the_published_ones),
		cmocka_unit_test(test_same_seed_gives_the_same_sequence),
		cmocka_unit_test(
		    test_numbers_stay_in_their_range_and_reach_its_ends),
		cmocka_unit_test(test_chance_is_about_what_it_says),
		cmocka_unit_test(test_bytes_fill_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

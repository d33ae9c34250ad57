/* SPDX-License-Identifier: BSD-2-Clause */
/* Internet checksums against RFC 1071's example and a byte-wise sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frame/csum.h"
#include "frame_gen.h"

static void
test_the_example_of_rfc_1071(void **state)
{
	static const uint8_t b[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6,
		0xf7 };

	(void)state;
	assert_int_equal(csum_fold(csum_add(0, b, sizeof(b))), 0xddf2);
	assert_int_equal(csum_fold(0), 0);
	assert_int_equal(csum_fold(csum_add(0, NULL, 0)), 0);
}

/* 0 and 0xffff are the same number; a sum of anything but zeros is not 0. */
static void
test_every_length_and_alignment(void **state)
{
	struct prng g = prng_init(1);
	uint8_t *b;

	(void)state;
	for (size_t len = 0; len < 300; len++) {
		for (size_t at = 0; at < 9; at++) {
			b = malloc(at + len + 1); /* ASan guards the end */
			assert_non_null(b);
			prng_bytes(&g, b, at + len);
			assert_int_equal(csum_fold(csum_add(0, b + at, len)),
			    slow_sum(0, b + at, len));
			free(b);
		}
	}
}

static void
test_carries_come_round(void **state)
{
	static uint8_t b[65537];

	(void)state;
	memset(b, 0xff, sizeof(b));
	for (size_t len = 65500; len <= sizeof(b); len++)
		assert_int_equal(
		    csum_fold(csum_add(0, b, len)), slow_sum(0, b, len));
	assert_int_equal(csum_fold(csum_add(UINT64_MAX, b, 64)), 0xffff);
	assert_int_equal(csum_fold(csum_add16(UINT64_MAX, 1)), 1);
	assert_int_equal(csum_fold(UINT64_MAX), 0xffff);
}

static void
test_pieces_of_even_length_add_up(void **state)
{
	struct prng g = prng_init(2);
	uint8_t b[400];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		size_t len = prng_below(&g, sizeof(b) + 1);
		size_t cut = prng_below(&g, len + 1) & ~(size_t)1;
		uint64_t sum;

		prng_bytes(&g, b, len);
		sum = csum_add(csum_add(0, b, cut), b + cut, len - cut);
		assert_int_equal(csum_fold(sum), slow_sum(0, b, len));
	}
}

static void
test_pseudo_headers(void **state)
{
	struct prng g = prng_init(3);
	struct super s = { .proto = 6 };

	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint32_t len = (uint32_t)prng_below(&g, 70000);

		s.proto = prng_chance(&g, 1, 2) ? 6 : 17;
		prng_bytes(&g, s.src, 16);
		prng_bytes(&g, s.dst, 16);
		s.ip = 4;
		assert_int_equal(
		    csum_fold(csum_pseudo4(s.src, s.dst, s.proto, len)),
		    slow_pseudo(&s, len));
		s.ip = 6;
		assert_int_equal(
		    csum_fold(csum_pseudo6(s.src, s.dst, s.proto, len)),
		    slow_pseudo(&s, len));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_example_of_rfc_1071),
		cmocka_unit_test(test_every_length_and_alignment),
		cmocka_unit_test(test_carries_come_round),
		cmocka_unit_test(test_pieces_of_even_length_add_up),
		cmocka_unit_test(test_pseudo_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

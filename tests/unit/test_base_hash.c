/* SPDX-License-Identifier: BSD-2-Clause */
/* base/hash.h: SipHash by its vectors; seeds matter; buckets fill evenly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

/*
 * SipHash-1-3 of 00 01 02 ... of each length under the key 00 01 ... 0f, by a
 * second program, checked with the vector in the paper (SipHash-2-4, length
 * 15).
 */
static void
test_siphash_matches_an_independent_computation(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{ 0, 0xabac0158050fc4dcu },
		{ 1, 0xc9f49bf37d57ca93u },
		{ 7, 0xd3927d989bb11140u },
		{ 8, 0x369095118d299a8eu },
		{ 9, 0x25a48eb36c063de4u },
		{ 15, 0xd320d86d2a519956u },
		{ 16, 0xcc4fdd1a7d908b66u },
		{ 63, 0x9d199062b7bbb3a8u },
	};
	uint8_t data[64];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_true(
		    hash_siphash13(0x0706050403020100u, 0x0f0e0d0c0b0a0908u,
		        data, vectors[i].len) == vectors[i].hash);
	}
}

static void
test_bytes_hash_by_seed_content_and_length(void **state)
{
	(void)state;
	assert_true(hash_bytes(1, "tap0", 4) == hash_bytes(1, "tap0", 4));
	assert_true(hash_bytes(1, "tap0", 4) != hash_bytes(2, "tap0", 4));
	assert_true(hash_bytes(1, "tap0", 4) != hash_bytes(1, "tap1", 4));
	assert_true(hash_bytes(1, "tap0", 4) != hash_bytes(1, "tap0", 5));
	assert_true(hash_bytes(1, NULL, 0) == hash_bytes(1, "", 0));
}

/* 4096 buckets, 40 960 consecutive keys: none has four times its share. */
static void
check_spread(uint64_t seed, uint64_t step, unsigned int shift)
{
	static unsigned int buckets[4096];

	memset(buckets, 0, sizeof(buckets));
	for (uint64_t i = 0; i < 40960; i++)
		buckets[(hash_u64(seed, 0xf20ba4000000u + i * step) >> shift) %
		        4096]++;
	for (size_t i = 0; i < 4096; i++)
		assert_true(buckets[i] < 40);
}

static void
test_neighbouring_addresses_spread(void **state)
{
	(void)state;
	check_spread(0, 1, 0);
	check_spread(0, 1, 52);
	check_spread(12345, 1, 0);
	check_spread(12345, 256, 0);
	check_spread(0xffffffffffffffffu, 1u << 16, 20);
}

/* One bit of the key or of the seed changes about half of the result. */
static void
test_every_bit_counts(void **state)
{
	uint64_t seed = 0x123456789abcdef0u;
	uint64_t key = 0xf20ba4010203u;
	uint64_t h = hash_u64(seed, key);

	(void)state;
	for (int bit = 0; bit < 64; bit++) {
		uint64_t one = (uint64_t)1 << bit;
		int k = __builtin_popcountll(h ^ hash_u64(seed, key ^ one));
		int s = __builtin_popcountll(h ^ hash_u64(seed ^ one, key));

		assert_in_range(k, 10, 54);
		assert_in_range(s, 10, 54);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_siphash_matches_an_independent_computation),
		cmocka_unit_test(test_bytes_hash_by_seed_content_and_length),
		cmocka_unit_test(test_neighbouring_addresses_spread),
		cmocka_unit_test(test_every_bit_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A seeded generator of pseudo-random numbers for tests, the simulator and
 * fault knobs: the same seed gives the same sequence on every machine. Not for
 * secrets: those come from the shell.
 *
 * xoshiro256** with its state spread from the seed by splitmix64 (Blackman,
 * Vigna: "Scrambled linear pseudorandom number generators").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
	uint64_t s[4];
};

/* The next number of the splitmix64 sequence that @state is at. */
static inline uint64_t
prng_splitmix(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A generator; every seed is good, 0 too. */
static inline struct prng
prng_init(uint64_t seed)
{
	struct prng g;

	for (int i = 0; i < 4; i++)
		g.s[i] = prng_splitmix(&seed);
	return g;
}

/* 64 random bits. */
static inline uint64_t
prng_u64(struct prng *g)
{
	uint64_t *s = g->s;
	uint64_t x = s[1] * 5;
	uint64_t result = ((x << 7) | (x >> 57)) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = (s[3] << 45) | (s[3] >> 19);
	return result;
}

/* 32 random bits. */
static inline uint32_t
prng_u32(struct prng *g)
{
	return (uint32_t)(prng_u64(g) >> 32);
}

/*
 * A number from 0 to @bound - 1; 0 if @bound is 0. By multiplication: the bias
 * is below bound / 2^64.
 */
static inline uint64_t
prng_below(struct prng *g, uint64_t bound)
{
	__extension__ unsigned __int128 p =
	    (unsigned __int128)prng_u64(g) * bound;

	return (uint64_t)(p >> 64);
}

/* A number from @min to @max, both included; @min <= @max. */
static inline uint64_t
prng_range(struct prng *g, uint64_t min, uint64_t max)
{
	uint64_t span = max - min + 1;

	return span == 0 ? prng_u64(g) : min + prng_below(g, span);
}

/* True in @num of @den cases. */
static inline bool
prng_chance(struct prng *g, uint64_t num, uint64_t den)
{
	return prng_below(g, den) < num;
}

/* Fills @len bytes at @dst. */
static inline void
prng_bytes(struct prng *g, void *dst, size_t len)
{
	uint8_t *p = dst;
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++, v >>= 8) {
		if (i % 8 == 0)
			v = prng_u64(g);
		p[i] = (uint8_t)v;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeded hashes for tables whose keys strangers choose (MAC addresses, names).
 *
 * The seed is a secret, drawn once by the shell from the system's random source
 * and handed down: who does not know it cannot aim keys at one bucket. In tests
 * and in the simulator it is a constant, so that runs repeat.
 *
 *   hash_u64()    one number, for the frame path: two 64x64 -> 128 bit
 *                 multiplications folded by xor. Not a cryptographic hash; a
 *                 table that uses it bounds its probes all the same.
 *   hash_bytes()  SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast
 * short-input PRF"), key spread from the seed; for anything else.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The two halves of a 64x64 -> 128 bit product, folded into one. */
static inline uint64_t
hash_fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Hash of @x under @seed. All 64 bits of the result are usable. */
static inline uint64_t
hash_u64(uint64_t seed, uint64_t x)
{
	/* Odd constants of high entropy; the first keeps x == seed off zero. */
	uint64_t a = (x ^ seed) + 0x9e3779b97f4a7c15u;
	uint64_t b = (x + ((seed << 32) | (seed >> 32))) ^ 0xe7037ed1a0b428dbu;

	return hash_fold(hash_fold(a, b) ^ seed, 0xa0761d6478bd642fu);
}

/**
 * hash_bytes() - hash of a string of bytes
 * @seed: the secret of the shell
 * @data: the bytes; borrowed; may be NULL if @len is 0
 * @len:  how many
 */
uint64_t hash_bytes(uint64_t seed, const void *data, size_t len);

/**
 * hash_siphash13() - SipHash-1-3 with its own 128-bit key
 * @k0, @k1: the key, as two little-endian halves
 */
uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *data, size_t len);

/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-1-3, as in the paper with c = 1 and d = 3. See hash.h. */
#include "base/hash.h"

#include "base/bytes.h"
#include "base/prng.h"

static inline uint64_t
rotl64(uint64_t x, unsigned int n)
{
	return (x << n) | (x >> (64 - n));
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl64(v[1], 13) ^ v[0];
	v[0] = rotl64(v[0], 32);
	v[2] += v[3];
	v[3] = rotl64(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl64(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl64(v[1], 17) ^ v[2];
	v[2] = rotl64(v[2], 32);
}

uint64_t
hash_siphash13(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
	uint64_t v[4] = {
		k0 ^ 0x736f6d6570736575u,
		k1 ^ 0x646f72616e646f6du,
		k0 ^ 0x6c7967656e657261u,
		k1 ^ 0x7465646279746573u,
	};
	const uint8_t *p = data;
	uint64_t last = (uint64_t)len << 56;
	size_t i;

	for (i = 0; len - i >= 8; i += 8) {
		uint64_t m = le64_get(p + i);

		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	for (unsigned int shift = 0; i < len; i++, shift += 8)
		last |= (uint64_t)p[i] << shift;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
hash_bytes(uint64_t seed, const void *data, size_t len)
{
	uint64_t state = seed;
	uint64_t k0 = prng_splitmix(&state);
	uint64_t k1 = prng_splitmix(&state);

	return hash_siphash13(k0, k1, data, len);
}

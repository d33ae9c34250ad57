/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums of 16-bit words, taken 64 bits at a time: a one's complement sum may be
 * formed in words of any multiple of 16 bits and folded afterwards (RFC 1071,
 * 2, C).  Four accumulators, so that additions do not wait for each other.
 */
#include "frame/csum.h"

#include <string.h>

/* a + b with the carry added in again. */
static inline uint64_t
add_carry(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

static inline uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

uint64_t
csum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t tail = 0;

	if (len >= 64) {
		uint64_t a = 0, b = 0, c = 0;

		do {
			sum = add_carry(sum, load64(p));
			a = add_carry(a, load64(p + 8));
			b = add_carry(b, load64(p + 16));
			c = add_carry(c, load64(p + 24));
			sum = add_carry(sum, load64(p + 32));
			a = add_carry(a, load64(p + 40));
			b = add_carry(b, load64(p + 48));
			c = add_carry(c, load64(p + 56));
			p += 64;
			len -= 64;
		} while (len >= 64);
		sum = add_carry(add_carry(sum, a), add_carry(b, c));
	}
	for (; len >= 8; p += 8, len -= 8)
		sum = add_carry(sum, load64(p));
	/* What is left, in memory order on every machine. */
	if (len & 4) {
		memcpy(&tail, p, 4);
		sum = add_carry(sum, tail);
		tail = 0;
		p += 4;
	}
	if (len & 3) {
		memcpy(&tail, p, 1);
		if (len & 2)
			memcpy((uint8_t *)&tail + 1, p + 1, 1);
		if ((len & 3) == 3)
			memcpy((uint8_t *)&tail + 2, p + 2, 1);
		sum = add_carry(sum, tail);
	}
	return sum;
}

uint32_t
csum_crc32c(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t crc = UINT32_MAX;

	/* Bit by bit: nobody leaves this sum to others for speed. */
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0x82f63b78u & -(crc & 1u));
	}
	return ~crc;
}

uint64_t
csum_pseudo4(
    const uint8_t *src, const uint8_t *dst, uint8_t proto, uint32_t l4_len)
{
	uint64_t sum = csum_add(csum_add(0, src, 4), dst, 4);

	/* The field has 16 bits; a super-frame's length may need one more. */
	sum = csum_add16(sum, proto);
	sum = csum_add16(sum, (uint16_t)(l4_len >> 16));
	return csum_add16(sum, (uint16_t)l4_len);
}

uint64_t
csum_pseudo6(
    const uint8_t *src, const uint8_t *dst, uint8_t proto, uint32_t l4_len)
{
	uint64_t sum = csum_add(csum_add(0, src, 16), dst, 16);

	sum = csum_add16(sum, proto);
	sum = csum_add16(sum, (uint16_t)(l4_len >> 16));
	return csum_add16(sum, (uint16_t)l4_len);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071) and its pseudo-headers.
 *
 * Sums are carried unfolded in 64 bits and in the machine's byte order, which
 * RFC 1071 (2, B) shows to be harmless: add with the functions below in any
 * order, then fold once.  A checksum field takes the inverted fold:
 *
 *     sum = csum_pseudo4(src, dst, IP_PROTO_TCP, len);
 *     be16_put(field, (uint16_t)~csum_fold(csum_add(sum, l4, len)));
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * csum_add() - add @len bytes at @data to @sum
 *
 * Any alignment.  An odd length counts as if a zero byte followed, so it can
 * only be the last piece; every piece must begin at an even distance from the
 * start.
 */
uint64_t csum_add(uint64_t sum, const void *data, size_t len);

/** csum_add16() - add the number @v as be16_put() would write it */
static inline uint64_t
csum_add16(uint64_t sum, uint16_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	sum += v;
	return sum + (sum < v); /* the carry comes round */
}

/** csum_fold() - to 16 bits, not inverted, in host order for be16_put() */
static inline uint16_t
csum_fold(uint64_t sum)
{
	uint16_t v;

	sum = (sum & 0xffffffff) + (sum >> 32); /* <= 2^33 - 2 */
	sum = (sum & 0xffff) + (sum >> 16);     /* <= 2^17 + 2^16 - 3 */
	sum = (sum & 0xffff) + (sum >> 16);     /* <= 2^16 + 1 */
	sum = (sum & 0xffff) + (sum >> 16);
	v = (uint16_t)sum;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	return v;
}

/** csum_crc32c() - SCTP's checksum (RFC 9260, appendix A), as a number that is
 * stored little-endian; the field itself is to be zero */
uint32_t csum_crc32c(const void *data, size_t len);

/** csum_pseudo4() - sum of the IPv4 pseudo-header; addresses at @src, @dst */
uint64_t csum_pseudo4(
    const uint8_t *src, const uint8_t *dst, uint8_t proto, uint32_t l4_len);
/** csum_pseudo6() - sum of the IPv6 pseudo-header (RFC 8200, 8.1) */
uint64_t csum_pseudo6(
    const uint8_t *src, const uint8_t *dst, uint8_t proto, uint32_t l4_len);

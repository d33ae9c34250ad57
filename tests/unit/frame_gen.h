/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random super-frames for tests, and a slow Internet checksum to judge with.
 *
 * Nothing of src/frame is used here: the maker knows where it put everything
 * and hands that on, so a test needs no parser, and the sum goes byte by byte.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/prng.h"

#define SUPER_ROOM 66000

struct super {
	uint8_t data[SUPER_ROOM];
	uint32_t len;
	uint32_t tags, l3, l4,
	    hdr; /* offsets; hdr: end of the TCP/UDP header */
	uint32_t payload, mss;
	uint8_t ip, proto, tcp_flags;
	uint8_t src[16], dst[16]; /* as they count in the pseudo-header */
};

struct super_limits {
	uint32_t tags_max;
	uint32_t mss_max;
	uint32_t payload_max;
	uint32_t segments_max;
	bool no_udp;
	bool no_rare; /* without AH and atomic fragment headers */
};

static inline void
super_u8(struct super *s, uint32_t v)
{
	s->data[s->len++] = (uint8_t)v;
}

static inline void
super_u16(struct super *s, uint32_t v)
{
	super_u8(s, v >> 8);
	super_u8(s, v);
}

static inline void
super_u32(struct super *s, uint32_t v)
{
	super_u16(s, v >> 16);
	super_u16(s, v);
}

static inline void
super_random(struct super *s, struct prng *g, uint32_t len)
{
	prng_bytes(g, s->data + s->len, len);
	s->len += len;
}

/* RFC 1071 as written, one byte at a time; @sum is folded all the way. */
static inline uint32_t
slow_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

/* The folded sum of the pseudo-header for @len bytes of TCP or UDP. */
static inline uint32_t
slow_pseudo(const struct super *s, uint32_t len)
{
	uint8_t b[40] = { 0 };
	size_t n = s->ip == 4 ? 4 : 16;
	uint8_t *p = b;

	memcpy(p, s->src, n);
	memcpy(p + n, s->dst, n);
	p += 2 * n;
	if (s->ip == 4) { /* zero, protocol, length */
		p[1] = s->proto;
		p[2] = (uint8_t)(len >> 8);
		p[3] = (uint8_t)len;
		return slow_sum(len >> 16, b, 12);
	}
	p[0] = (uint8_t)(len >> 24);
	p[1] = (uint8_t)(len >> 16);
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	p[7] = s->proto;
	return slow_sum(0, b, 40);
}

static inline void
super_ip4(struct super *s, struct prng *g)
{
	uint32_t options = prng_chance(g, 1, 3) ? prng_below(g, 11) : 0;
	uint32_t at = s->len;

	s->ip = 4;
	super_u8(s, 0x45 + options);
	super_random(s, g, 1);
	super_u16(s, 0);       /* total length: later */
	super_random(s, g, 2); /* identification */
	super_u16(s, prng_chance(g, 1, 2) ? 0x4000 : 0);
	super_u8(s, 64);
	super_u8(s, s->proto);
	super_u16(s, 0);
	super_random(s, g, 4);
	super_random(s, g, 4);
	s->data[at + 12] = 10; /* neither multicast nor loopback */
	s->data[at + 16] = 10;
	memcpy(s->src, s->data + at + 12, 4);
	memcpy(s->dst, s->data + at + 16, 4);
	for (uint32_t i = 0; i < options * 4; i++)
		super_u8(s, 1); /* no operation */
}

/* One extension header; @next is where its number has to be written. */
static inline uint32_t
super_ext(struct super *s, struct prng *g, uint32_t next, uint8_t type)
{
	uint32_t at = s->len, units, left;

	s->data[next] = type;
	super_u8(s, 0);
	switch (type) {
	case 44: /* atomic fragment */
		super_u8(s, 0);
		super_u16(s, 0);
		super_random(s, g, 4);
		break;
	case 51: /* authentication, lengths of 16 and 24 */
		units = prng_chance(g, 1, 2) ? 2 : 4;
		super_u8(s, units);
		super_random(s, g, units * 4 + 6);
		break;
	case 43:
		units = prng_range(g, 1, 2); /* addresses */
		super_u8(s, units * 2);
		left = prng_chance(g, 1, 2) ? units : 0;
		switch (prng_below(g, 3)) {
		case 0: /* source route */
			super_u8(s, 0);
			super_u8(s, left);
			super_u32(s, 0);
			super_random(s, g, units * 16);
			if (left != 0)
				memcpy(s->dst, s->data + s->len - 16, 16);
			break;
		case 1: /* segment routing: the last is first */
			super_u8(s, 4);
			super_u8(s, left);
			super_u32(s, (units - 1) << 24);
			super_random(s, g, units * 16);
			if (left != 0)
				memcpy(s->dst, s->data + at + 8, 16);
			break;
		default: /* unknown, but over: of no consequence */
			super_u8(s, 200);
			super_u8(s, 0);
			super_u32(s, 0);
			super_random(s, g, units * 16);
			break;
		}
		break;
	case 60:
		if (prng_chance(g, 1, 4)) { /* home address: 2 + 4 + 18 */
			super_u8(s, 2);
			super_u16(s, 0x0102); /* PadN of 4 */
			super_u16(s, 0);
			super_u8(s, 0xc9);
			super_u8(s, 16);
			super_random(s, g, 16);
			memcpy(s->src, s->data + s->len - 16, 16);
			break;
		}
		__attribute__((fallthrough));
	default:
		units = prng_below(g, 3);
		super_u8(s, units);
		super_u8(s, 1); /* PadN over all of it */
		super_u8(s, units * 8 + 4);
		for (uint32_t i = 0; i < units * 8 + 4; i++)
			super_u8(s, 0);
		break;
	}
	return at;
}

static inline void
super_ip6(struct super *s, struct prng *g, bool no_rare)
{
	uint32_t at = s->len, next = at + 6;

	s->ip = 6;
	super_u8(s, 0x60);
	super_random(s, g, 3);
	super_u16(s, 0); /* payload length: later */
	super_u8(s, s->proto);
	super_u8(s, 64);
	super_random(s, g, 32);
	s->data[at + 8] = s->data[at + 24] = 0x20;
	memcpy(s->src, s->data + at + 8, 16);
	memcpy(s->dst, s->data + at + 24, 16);
	if (prng_chance(g, 1, 2))
		return;
	if (prng_chance(g, 1, 3))
		next = super_ext(s, g, next, 0);
	if (prng_chance(g, 1, 3))
		next = super_ext(s, g, next, 60);
	if (prng_chance(g, 1, 3))
		next = super_ext(s, g, next, 43);
	if (!no_rare && prng_chance(g, 1, 5))
		next = super_ext(s, g, next, 44);
	if (!no_rare && prng_chance(g, 1, 5))
		next = super_ext(s, g, next, 51);
	s->data[next] = s->proto;
}

static inline void
super_l4(struct super *s, struct prng *g)
{
	uint32_t options;

	super_random(s, g, 4); /* ports */
	if (s->proto == 17) {
		super_u16(s, 0);
		super_random(s, g, 2);
		return;
	}
	options = prng_chance(g, 1, 2) ? prng_below(g, 11) : 0;
	super_random(s, g, 8);
	super_u8(s, (5 + options) << 4);
	/* Any of FIN PSH ACK URG ECE CWR. */
	s->tcp_flags = (uint8_t)prng_u32(g) & 0xf9;
	super_u8(s, s->tcp_flags);
	super_random(s, g, 6); /* window, sum, urgent pointer */
	super_random(s, g, options * 4);
}

/*
 * Fills @s. Lengths and sums in the headers are left zero or random: the
 * record says all that is needed.
 */
static inline void
super_make(struct super *s, struct prng *g, const struct super_limits *lim)
{
	static const uint16_t tag_types[] = { 0x8100, 0x88a8, 0x9100 };
	uint64_t payload;

	s->len = 0;
	s->tcp_flags = 0;
	s->proto = !lim->no_udp && prng_chance(g, 1, 3) ? 17 : 6;
	super_u16(s, 0x0200);
	super_random(s, g, 4);
	super_u16(s, 0x0203);
	super_random(s, g, 4);
	s->tags = (uint32_t)prng_below(g, lim->tags_max + 1);
	for (uint32_t i = 0; i < s->tags; i++) {
		super_u16(s, tag_types[prng_below(g, lim->no_rare ? 1 : 3)]);
		super_u16(s, (uint32_t)prng_range(g, 1, 4094));
	}
	s->l3 = s->len + 2;
	if (prng_chance(g, 1, 2)) {
		super_u16(s, 0x0800);
		super_ip4(s, g);
	} else {
		super_u16(s, 0x86dd);
		super_ip6(s, g, lim->no_rare);
	}
	s->l4 = s->len;
	super_l4(s, g);
	s->hdr = s->len;
	s->mss = (uint32_t)prng_range(g, 1, lim->mss_max);
	payload = prng_range(g, 1, (uint64_t)s->mss * lim->segments_max);
	if (payload > lim->payload_max)
		payload = prng_range(g, 1, lim->payload_max);
	s->payload = (uint32_t)payload;
	super_random(s, g, s->payload);
}

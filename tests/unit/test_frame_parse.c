/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk over headers: where it arrives, where it stops, what it refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/util.h"
#include "frame/parse.h"
#include "frame_gen.h"

#define MACS  2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define ADDR6 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define PORTS 0x12, 0x34, 0, 80

/* IPv4 header without options: total length, flags and offset, protocol. */
#define IP4(len, frag, proto)                                                  \
	0x45, 0, 0, len, 0, 1, (frag) >> 8, (frag)&0xff, 64, proto, 0, 0, 192, \
	    0, 2, 1, 192, 0, 2, 2
#define IP6(len, next) 0x60, 0, 0, 0, 0, len, next, 64, ADDR6, 1, ADDR6, 2
#define UDP(len)       PORTS, 0, len, 0, 0
#define TCP            PORTS, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0, 99, 0, 0, 0, 0

static const uint8_t arp[] = { MACS, 8, 6, 0, 1, 8, 0, 6, 4 };
static const uint8_t llc[] = { MACS, 0, 3, 0x42, 0x42, 3 };
static const uint8_t udp4[] = { MACS, 8, 0, IP4(30, 0, 17), UDP(10), 7, 8 };
static const uint8_t tcp4[] = { MACS, 8, 0, IP4(41, 0x4000, 6), TCP, 9 };
static const uint8_t tagged[] = { MACS, 0x81, 0, 0x20, 5, 8, 0, IP4(28, 0, 17),
	UDP(8) };
static const uint8_t double_tagged[] = { MACS, 0x88, 0xa8, 0, 7, 0x81, 0, 0, 8,
	0x86, 0xdd, IP6(8, 17), UDP(8) };
static const uint8_t options4[] = { MACS, 8, 0, 0x46, 0, 0, 32, 0, 1, 0, 0, 64,
	17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 1, 1, 1, 0, UDP(8) };
static const uint8_t chain6[] = { MACS, 0x86, 0xdd, IP6(76, 0), 60, 0, 1, 4, 0,
	0, 0, 0,                            /* hop by hop */
	43, 0, 1, 4, 0, 0, 0, 0,            /* destination */
	51, 2, 0, 1, 0, 0, 0, 0, ADDR6, 9,  /* routing */
	6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, /* AH, 12 bytes */
	TCP, 1, 2, 3, 4 };
static const uint8_t home6[] = { MACS, 0x86, 0xdd, IP6(32, 60), 17, 2, 1, 2, 0,
	0, 0xc9, 16, ADDR6, 7, UDP(8) };
static const uint8_t atomic6[] = { MACS, 0x86, 0xdd, IP6(16, 44), 17, 0, 0, 0,
	1, 2, 3, 4, UDP(8) };

struct sample {
	const char *name;
	const uint8_t *data;
	size_t len;
	struct parsed want;
};

#define SAMPLE(x) #x, x, sizeof(x)
static const struct sample samples[] = {
	{ SAMPLE(arp), { .ethertype = 0x806, .l3 = 14 } },
	{ SAMPLE(llc), { .ethertype = 3, .l3 = 14 } },
	{ SAMPLE(udp4), { .ethertype = 0x800,
	                    .l3 = 14,
	                    .ip = 4,
	                    .proto = 17,
	                    .l4_ok = true,
	                    .l4 = 34,
	                    .l4_len = 10,
	                    .ip_end = 44,
	                    .l4_hdr = 8,
	                    .src = 26,
	                    .dst = 30 } },
	{ SAMPLE(tcp4), { .ethertype = 0x800,
	                    .l3 = 14,
	                    .ip = 4,
	                    .proto = 6,
	                    .l4_ok = true,
	                    .l4 = 34,
	                    .l4_len = 21,
	                    .ip_end = 55,
	                    .l4_hdr = 20,
	                    .src = 26,
	                    .dst = 30 } },
	{ SAMPLE(tagged), { .ethertype = 0x800,
	                      .l3 = 18,
	                      .tags = 1,
	                      .ip = 4,
	                      .proto = 17,
	                      .l4_ok = true,
	                      .l4 = 38,
	                      .l4_len = 8,
	                      .ip_end = 46,
	                      .l4_hdr = 8,
	                      .src = 30,
	                      .dst = 34 } },
	{ SAMPLE(double_tagged), { .ethertype = 0x86dd,
	                             .l3 = 22,
	                             .tags = 2,
	                             .ip = 6,
	                             .proto = 17,
	                             .l4_ok = true,
	                             .l4 = 62,
	                             .l4_len = 8,
	                             .ip_end = 70,
	                             .l4_hdr = 8,
	                             .src = 30,
	                             .dst = 46 } },
	{ SAMPLE(options4), { .ethertype = 0x800,
	                        .l3 = 14,
	                        .ip = 4,
	                        .proto = 17,
	                        .l4_ok = true,
	                        .l4 = 38,
	                        .l4_len = 8,
	                        .ip_end = 46,
	                        .l4_hdr = 8,
	                        .src = 26,
	                        .dst = 30 } },
	{ SAMPLE(chain6), { .ethertype = 0x86dd,
	                      .l3 = 14,
	                      .ip = 6,
	                      .proto = 6,
	                      .l4_ok = true,
	                      .l4 = 106,
	                      .l4_len = 24,
	                      .ip_end = 130,
	                      .l4_hdr = 20,
	                      .src = 22,
	                      .dst = 78 } },
	{ SAMPLE(home6), { .ethertype = 0x86dd,
	                     .l3 = 14,
	                     .ip = 6,
	                     .proto = 17,
	                     .l4_ok = true,
	                     .l4 = 78,
	                     .l4_len = 8,
	                     .ip_end = 86,
	                     .l4_hdr = 8,
	                     .src = 62,
	                     .dst = 38 } },
	{ SAMPLE(atomic6), { .ethertype = 0x86dd,
	                       .l3 = 14,
	                       .ip = 6,
	                       .proto = 17,
	                       .l4_ok = true,
	                       .l4 = 62,
	                       .l4_len = 8,
	                       .ip_end = 70,
	                       .l4_hdr = 8,
	                       .src = 22,
	                       .dst = 38 } },
};

#define SAME(field)                                                    \
	do {                                                           \
		if (got.field != want->field)                          \
			fail_msg("%s: %s is %u, not %u", name, #field, \
			    (unsigned int)got.field,                   \
			    (unsigned int)want->field);                \
	} while (0)

static void
assert_parsed(const char *name, const uint8_t *data, size_t len, bool gso,
    const struct parsed *want)
{
	struct parsed got;

	assert_int_equal(parse_frame(data, len, gso, &got), 0);
	SAME(ethertype);
	SAME(l3);
	SAME(tags);
	SAME(ip);
	SAME(proto);
	SAME(fragment);
	SAME(first);
	SAME(l4_ok);
	SAME(l4);
	SAME(l4_len);
	SAME(ip_end);
	SAME(l4_hdr);
	SAME(src);
	SAME(dst);
}

static void
test_samples_parse_to_their_offsets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		assert_parsed(samples[i].name, samples[i].data, samples[i].len,
		    false, &samples[i].want);
}

/* Bytes after the IP packet are not the packet's. */
static void
test_padding_is_left_out(void **state)
{
	uint8_t b[200] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		memcpy(b, samples[i].data, samples[i].len);
		assert_parsed(samples[i].name, b, samples[i].len + 9, false,
		    &samples[i].want);
	}
}

/* A super-frame's length field may be anything: the frame's length counts. */
static void
test_stale_ip_length_is_ignored_for_super_frames(void **state)
{
	uint8_t b[200];
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const struct parsed *want = &samples[i].want;

		if (want->ip == 0)
			continue;
		memcpy(b, samples[i].data, samples[i].len);
		be16_put(b + want->l3 + (want->ip == 4 ? 2 : 4), 0);
		assert_parsed(samples[i].name, b, samples[i].len, true, want);
		be16_put(b + want->l3 + (want->ip == 4 ? 2 : 4), 0xffff);
		assert_parsed(samples[i].name, b, samples[i].len, true, want);
		assert_int_equal(
		    parse_frame(b, samples[i].len, false, &p), -EBADMSG);
	}
}

/*
 * Every proper prefix, in a block of its own size so that ASan sees a read past
 * the end: an IP packet that is cut is refused, for its length says so.  With
 * the length taken from the frame, no offset points past the end.
 */
static void
test_truncation_is_noticed_and_nothing_read_past_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		for (size_t len = 0; len < samples[i].len; len++) {
			uint8_t *b = malloc(len + (len == 0));
			struct parsed p;
			int err;

			assert_non_null(b);
			memcpy(b, samples[i].data, len);
			err = parse_frame(b, len, false, &p);
			if (len < 14 || samples[i].want.ip != 0)
				assert_int_equal(err, -EBADMSG);
			else
				assert_int_equal(err, 0);
			if (parse_frame(b, len, true, &p) == 0 && p.ip != 0) {
				assert_int_equal(p.ip_end, len);
				assert_true(p.l4 <= len);
				assert_int_equal(p.l4 + p.l4_len, len);
				assert_true(p.l4_hdr <= p.l4_len);
			}
			(void)parse_vid(b, len);
			assert_true(parse_tags(b, len) <= p.tags);
			free(b);
		}
	}
}

static void
test_random_bytes_keep_offsets_inside(void **state)
{
	struct prng g = prng_init(4);
	struct parsed p;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		const struct sample *s =
		    &samples[prng_below(&g, ARRAY_LEN(samples))];
		size_t len = prng_range(&g, 14, s->len);
		uint8_t *b = malloc(len);

		assert_non_null(b);
		memcpy(b, s->data, len);
		for (int k = 0; k < 4; k++)
			b[prng_range(&g, 12, len - 1)] =
			    (uint8_t)(prng_u32(&g) >> prng_below(&g, 8));
		if (parse_frame(b, len, prng_chance(&g, 1, 2), &p) == 0 &&
		    p.ip != 0) {
			assert_true(p.ip_end <= len);
			assert_true(p.l4 <= p.ip_end);
			assert_int_equal(p.l4 + p.l4_len, p.ip_end);
			assert_true(p.l4_hdr <= p.l4_len);
			assert_true(p.src + (p.ip == 4 ? 4 : 16) <= (int)len);
			assert_true(p.dst + (p.ip == 4 ? 4 : 16) <= (int)len);
		}
		free(b);
	}
}

static void
test_fragments_have_a_transport_header_only_in_the_first(void **state)
{
	uint8_t first[] = { MACS, 8, 0, IP4(28, 0x2000, 17), UDP(99) };
	uint8_t later[] = { MACS, 8, 0, IP4(28, 0x2001, 17), UDP(99) };
	uint8_t last[] = { MACS, 8, 0, IP4(28, 0x0001, 17), UDP(99) };
	uint8_t v6[] = { MACS, 0x86, 0xdd, IP6(16, 44), 17, 0, 0, 1, 1, 2, 3, 4,
		UDP(99) };
	struct parsed p;

	(void)state;
	assert_int_equal(parse_frame(first, sizeof(first), false, &p), 0);
	assert_true(p.fragment && p.first && p.l4_ok);
	assert_int_equal(parse_frame(later, sizeof(later), false, &p), 0);
	assert_true(p.fragment && !p.first && !p.l4_ok);
	assert_int_equal(parse_frame(last, sizeof(last), false, &p), 0);
	assert_true(p.fragment && !p.first && !p.l4_ok);
	assert_int_equal(p.l4_hdr, 0);
	assert_int_equal(parse_frame(v6, sizeof(v6), false, &p), 0);
	assert_true(p.fragment && p.first && p.l4_ok);
	v6[57] = 0x08; /* offset 8, no more */
	assert_int_equal(parse_frame(v6, sizeof(v6), false, &p), 0);
	assert_true(p.fragment && !p.first && !p.l4_ok);
	assert_int_equal(p.proto, 17);
	assert_int_equal(p.l4, 62);
	v6[57] = 0x06; /* reserved bits only */
	assert_int_equal(parse_frame(v6, sizeof(v6), false, &p), 0);
	assert_true(!p.fragment && p.l4_ok);
}

static void
test_first_fragment_may_end_within_the_chain(void **state)
{
	uint8_t v6[] = { MACS, 0x86, 0xdd, IP6(16, 44), 60, 0, 0, 1, 1, 2, 3, 4,
		17, 9, 0, 0, 0, 0, 0, 0 };
	struct parsed p;

	(void)state;
	assert_int_equal(parse_frame(v6, sizeof(v6), false, &p), 0);
	assert_true(p.fragment && p.first && !p.l4_ok);
	v6[57] = 0; /* whole, so the chain is cut */
	assert_int_equal(parse_frame(v6, sizeof(v6), false, &p), -EBADMSG);
}

static void
test_headers_that_contradict_themselves_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} bad4[] = { { 14, 0x55 }, { 14, 0x44 }, { 14, 0x4f }, { 17, 19 },
		{ 17, 31 }, { 16, 1 } };
	uint8_t b[200];
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad4); i++) {
		memcpy(b, udp4, sizeof(udp4));
		b[bad4[i].at] = bad4[i].value;
		assert_int_equal(
		    parse_frame(b, sizeof(udp4), false, &p), -EBADMSG);
	}
	memcpy(b, atomic6, sizeof(atomic6));
	b[14] = 0x40; /* version */
	assert_int_equal(parse_frame(b, sizeof(atomic6), false, &p), -EBADMSG);
	memcpy(b, chain6, sizeof(chain6));
	b[55] = 200; /* hop-by-hop header longer than the packet */
	assert_int_equal(parse_frame(b, sizeof(chain6), false, &p), -EBADMSG);
}

static void
test_a_tcp_header_must_be_5_words_and_inside(void **state)
{
	uint8_t b[sizeof(tcp4)];
	struct parsed p;

	(void)state;
	memcpy(b, tcp4, sizeof(b));
	for (unsigned int words = 0; words < 16; words++) {
		b[46] = (uint8_t)(words << 4);
		assert_int_equal(parse_frame(b, sizeof(b), false, &p), 0);
		assert_int_equal(p.l4_hdr, words == 5 ? 20 : 0);
		assert_true(p.l4_ok);
	}
}

static void
test_walk_ends_at_its_bounds(void **state)
{
	uint8_t b[14 + 9 * 4 + 2] = { MACS };
	uint8_t v6[14 + 40 + 33 * 8 + 8] = { MACS, 0x86, 0xdd, 0x60 };
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < 9; i++)
		be16_put(b + 12 + 4 * i, 0x8100);
	be16_put(b + 12 + 8 * 4, 0x0800);
	/* Eight tags, then a bad IPv4 header: it was reached. */
	assert_int_equal(parse_frame(b, sizeof(b), false, &p), -EBADMSG);
	assert_int_equal(p.tags, 8);
	be16_put(b + 12 + 8 * 4, 0x8100);
	assert_int_equal(parse_frame(b, sizeof(b), false, &p), 0);
	assert_int_equal(p.tags, 8);
	assert_int_equal(p.ip, 0);
	assert_int_equal(p.ethertype, 0x8100);

	/* 32 headers of 8 bytes are walked, 33 are not. */
	for (int count = 32; count <= 33; count++) {
		be16_put(v6 + 18, (uint16_t)(count * 8 + 8));
		v6[20] = 60;
		for (int i = 0; i < count; i++) {
			uint8_t *ext = v6 + 54 + 8 * i;

			ext[0] = i == count - 1 ? 17 : 60;
			ext[1] = 0;
			ext[2] = 1;
			ext[3] = 4;
		}
		assert_int_equal(
		    parse_frame(v6, (size_t)(54 + count * 8 + 8), false, &p),
		    0);
		assert_int_equal(p.l4_ok, count == 32);
		assert_int_equal(p.proto, count == 32 ? 17 : 60);
	}
}

/* Where the packet goes after an unknown kind of route, only the sender
 * knows. */
static void
test_an_unknown_route_hides_the_transport_header(void **state)
{
	uint8_t b[sizeof(chain6)];
	struct parsed p;

	(void)state;
	memcpy(b, chain6, sizeof(b));
	b[72] = 3; /* RPL source route, compressed */
	assert_int_equal(parse_frame(b, sizeof(b), false, &p), 0);
	assert_false(p.l4_ok);
	assert_int_equal(p.proto, 6);
	b[73] = 0; /* no segments left */
	assert_int_equal(parse_frame(b, sizeof(b), false, &p), 0);
	assert_true(p.l4_ok);
	assert_int_equal(p.dst, 38);
	b[72] = 4; /* segment routing: the list's first */
	b[73] = 1;
	assert_int_equal(parse_frame(b, sizeof(b), false, &p), 0);
	assert_true(p.l4_ok);
	assert_int_equal(p.dst, 78);
}

/* Of mobile IPv6; what is behind it has its place as behind any other. */
static void
test_a_mobility_header_is_walked(void **state)
{
	uint8_t b[] = { MACS, 0x86, 0xdd, IP6(16, 135), 17, 0, 0, 0, 0, 0, 0, 0,
		UDP(8) };
	struct parsed p;

	(void)state;
	assert_int_equal(parse_frame(b, sizeof(b), false, &p), 0);
	assert_true(p.l4_ok);
	assert_int_equal(p.proto, 17);
	assert_int_equal(p.l4, 62);
}

static void
test_no_next_header_and_esp_end_the_walk(void **state)
{
	uint8_t b[] = { MACS, 0x86, 0xdd, IP6(8, 59), UDP(8) };
	struct parsed p;

	(void)state;
	assert_int_equal(parse_frame(b, sizeof(b), false, &p), 0);
	assert_false(p.l4_ok);
	b[20] = 50;
	assert_int_equal(parse_frame(b, sizeof(b), false, &p), 0);
	assert_true(p.l4_ok);
	assert_int_equal(p.l4_hdr, 0);
	assert_int_equal(p.proto, 50);
}

static void
test_vid_is_the_outermost_tags(void **state)
{
	uint8_t b[] = { MACS, 0x81, 0, 0xef, 0xff, 8, 0 };

	(void)state;
	assert_int_equal(parse_vid(b, sizeof(b)), 4095);
	assert_int_equal(parse_vid(double_tagged, sizeof(double_tagged)), 7);
	assert_int_equal(parse_vid(tagged, sizeof(tagged)), 5);
	assert_int_equal(parse_vid(udp4, sizeof(udp4)), 0);
	b[14] = 0xe0; /* priority only */
	b[15] = 0;
	assert_int_equal(parse_vid(b, sizeof(b)), 0);
	assert_int_equal(parse_vid(b, 17), -EBADMSG);
	assert_int_equal(parse_vid(b, 13), -EBADMSG);
	assert_int_equal(parse_vid(udp4, 14), 0);
}

static void
test_tags_are_counted_when_whole(void **state)
{
	(void)state;
	assert_int_equal(parse_tags(udp4, sizeof(udp4)), 0);
	assert_int_equal(parse_tags(double_tagged, 22), 2);
	assert_int_equal(parse_tags(double_tagged, 21), 1);
	assert_int_equal(parse_tags(double_tagged, 17), 0);
	assert_int_equal(parse_tags(double_tagged, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples_parse_to_their_offsets),
		cmocka_unit_test(test_padding_is_left_out),
		cmocka_unit_test(
		    test_stale_ip_length_is_ignored_for_super_frames),
		cmocka_unit_test(
		    test_truncation_is_noticed_and_nothing_read_past_the_end),
		cmocka_unit_test(test_random_bytes_keep_offsets_inside),
		cmocka_unit_test(
		    test_fragments_have_a_transport_header_only_in_the_first),
		cmocka_unit_test(test_first_fragment_may_end_within_the_chain),
		cmocka_unit_test(
		    test_headers_that_contradict_themselves_are_refused),
		cmocka_unit_test(test_a_tcp_header_must_be_5_words_and_inside),
		cmocka_unit_test(test_walk_ends_at_its_bounds),
		cmocka_unit_test(
		    test_an_unknown_route_hides_the_transport_header),
		cmocka_unit_test(test_a_mobility_header_is_walked),
		cmocka_unit_test(test_no_next_header_and_esp_end_the_walk),
		cmocka_unit_test(test_vid_is_the_outermost_tags),
		cmocka_unit_test(test_tags_are_counted_when_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checksums of which only is known that they are blank: found, made partial,
 * completed; fragments held until the sum can be made.
 *
 * The judge is frame_gen.h's own sum, byte by byte, which shares nothing with
 * src/frame, and values that were computed by others: those of FreeBSD's xnb
 * unit tests and of RFC 9260.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "frame/csum.h"
#include "frame/frags.h"
#include "frame/offload.h"
#include "frame_gen.h"

#define MS 1000000u

static struct frame_pool *pool;
static struct frags frags;
static struct frame *emitted[64];
static uint32_t emitted_count, dropped_count;
static enum drop_reason dropped_why;

static void
emit(void *arg, struct frame *f)
{
	(void)arg;
	assert_true(emitted_count < ARRAY_LEN(emitted));
	emitted[emitted_count++] = f;
}

static void
drop(void *arg, struct frame *f, enum drop_reason why)
{
	(void)arg;
	dropped_count++;
	dropped_why = why;
	frame_release(f);
}

static int
setup(void **state)
{
	struct frame_pool_options options = { .small_count = 2000,
		.large_count = 40 };

	(void)state;
	emitted_count = dropped_count = 0;
	frags = (struct frags){ .emit = emit, .drop = drop };
	return frame_pool_create(&options, &pool);
}

/* Asserts that every frame came back. */
static int
teardown(void **state)
{
	(void)state;
	frags_clear(&frags, DROP_DESTROYED);
	while (emitted_count > 0)
		frame_release(emitted[--emitted_count]);
	frame_pool_destroy(pool);
	return 0;
}

static struct frame *
frame_of(const uint8_t *data, uint32_t len)
{
	struct frame *f = frame_alloc(pool, len);

	assert_non_null(f);
	memcpy(f->data, data, len);
	f->len = len;
	return f;
}

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* An ordinary packet of @s: its lengths, and the sum of an IPv4 header. */
static void
super_finish(struct super *s)
{
	uint8_t *ip = s->data + s->l3;

	if (s->ip == 4) {
		put16(ip + 2, s->len - s->l3);
		put16(ip + 10, 0);
		put16(ip + 10, ~slow_sum(0, ip, (ip[0] & 15u) * 4) & 0xffff);
	} else {
		put16(ip + 4, s->len - s->l3 - 40);
	}
	if (s->proto == 17)
		put16(s->data + s->l4 + 4, s->len - s->l4);
}

static uint32_t
sum_at(const struct super *s)
{
	return s->l4 + (s->proto == 6 ? 16 : 6);
}

/* What a receiver computes over the transport bytes at @l4. */
static uint32_t
received_sum(const struct super *s, const uint8_t *l4, uint32_t len)
{
	return slow_sum(slow_pseudo(s, len), l4, len);
}

/* Any tags, IP options and extension headers, TCP and UDP: the field becomes
 * the seed, and completed it is right; nothing else changes. */
static void
test_random_packets_are_completed(void **state)
{
	static const struct super_limits limits = {
		.tags_max = 4,
		.mss_max = 1400,
		.payload_max = 1400,
		.segments_max = 1,
	};
	struct prng g = prng_init(20);
	static struct super s;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct frame *f;
		enum drop_reason why;
		uint32_t at, l4_len;

		super_make(&s, &g, &limits);
		super_finish(&s);
		at = sum_at(&s);
		l4_len = s.len - s.l4;
		f = frame_of(s.data, s.len);
		assert_int_equal(offload_blank(f, &why), 0);
		assert_int_equal(f->off.flags, FRAME_CSUM_PARTIAL);
		assert_int_equal(f->off.csum_start, s.l4);
		assert_int_equal(f->off.csum_start + f->off.csum_offset, at);
		assert_int_equal(get16(f->data + at), slow_pseudo(&s, l4_len));
		assert_int_equal(offload_complete(f), 0);
		assert_int_equal(
		    received_sum(&s, f->data + s.l4, l4_len), 0xffff);
		if (s.proto == 17)
			assert_int_not_equal(get16(f->data + at), 0);
		assert_memory_equal(f->data, s.data, at);
		assert_memory_equal(
		    f->data + at + 2, s.data + at + 2, s.len - at - 2);
		frame_release(f);
	}
}

/* The vectors of FreeBSD's xnb tests: 192.168.10.4 to .5. */
static const uint8_t bsd_udp[] = { 0x00, 0x16, 0x3e, 0x23, 0x50, 0x0b, 0x00,
	0x16, 0x3e, 0x00, 0x00, 0x00, 0x08, 0x00, 0x45, 0x00, 0x00, 0x24, 0x00,
	0x04, 0x00, 0x00, 0x40, 0x11, 0xe5, 0x6b, 0xc0, 0xa8, 0x0a, 0x04, 0xc0,
	0xa8, 0x0a, 0x05, 0x51, 0xae, 0x08, 0xae, 0x00, 0x10, 0xba, 0xad, 'F',
	'r', 'e', 'e', 'B', 'S', 'D', '\n' };
static const uint8_t bsd_tcp[] = { 0x00, 0x16, 0x3e, 0x23, 0x50, 0x0b, 0x00,
	0x16, 0x3e, 0x00, 0x00, 0x00, 0x08, 0x00, 0x45, 0x00, 0x00, 0x3c, 0x00,
	0x08, 0x40, 0x00, 0x40, 0x06, 0xa5, 0x5a, 0xc0, 0xa8, 0x0a, 0x04, 0xc0,
	0xa8, 0x0a, 0x05, 0x9c, 0xd9, 0x08, 0xae, 0x00, 0xf7, 0x2b, 0x10, 0x7f,
	0x37, 0xba, 0x6c, 0x80, 0x18, 0x04, 0x10, 0xba, 0xad, 0x00, 0x00, 0x01,
	0x01, 0x08, 0x0a, 0x00, 0x00, 0x81, 0xdf, 0xce, 0x18, 0x20, 0x7f, 'F',
	'r', 'e', 'e', 'B', 'S', 'D', '\n' };

static uint32_t
blank_sum(const uint8_t *data, uint32_t len, uint32_t at)
{
	struct frame *f = frame_of(data, len);
	enum drop_reason why;
	uint32_t sum;

	assert_int_equal(offload_blank(f, &why), 0);
	assert_int_equal(offload_complete(f), 0);
	sum = get16(f->data + at);
	put16(f->data + at, get16(data + at));
	assert_memory_equal(f->data, data, len); /* nothing else */
	frame_release(f);
	return sum;
}

static void
test_known_sums(void **state)
{
	(void)state;
	assert_int_equal(blank_sum(bsd_udp, sizeof(bsd_udp), 40), 0xdde2);
	assert_int_equal(blank_sum(bsd_tcp, sizeof(bsd_tcp), 50), 0x2f64);
	/* "123456789", the check value of CRC-32C. */
	assert_int_equal(csum_crc32c("123456789", 9), 0xe3069283);
}

/* The IPv4 header's own sum is the sender's, also when it is wrong. */
static void
test_the_ip_header_is_left_alone(void **state)
{
	uint8_t data[sizeof(bsd_udp)];

	(void)state;
	memcpy(data, bsd_udp, sizeof(data));
	put16(data + 24, 0xdead);
	(void)blank_sum(data, sizeof(data), 40);
}

/* Padding behind the IP packet is not summed. */
static void
test_padding_is_not_summed(void **state)
{
	uint8_t data[60];

	(void)state;
	memset(data, 0xaa, sizeof(data));
	memcpy(data, bsd_udp, sizeof(bsd_udp));
	assert_int_equal(blank_sum(data, sizeof(data), 40), 0xdde2);
}

static void
test_other_protocols(void **state)
{
	/* Echo requests and an SCTP packet (RFC 9260's header, one chunk). */
	uint8_t v4[14 + 20 + 16] = { [12] = 0x08,
		[14] = 0x45,
		[17] = 36,
		[22] = 64,
		[23] = 1,
		[26] = 10,
		[30] = 10,
		[34] = 8,
		[36] = 0xba,
		[37] = 0xad,
		[42] = 0x11,
		[49] = 0x22 };
	uint8_t v6[14 + 40 + 16] = { [12] = 0x86,
		[13] = 0xdd,
		[14] = 0x60,
		[19] = 16,
		[20] = 58,
		[21] = 64,
		[22] = 0x20,
		[38] = 0x20,
		[54] = 128,
		[56] = 0xba,
		[57] = 0xad,
		[69] = 0x33 };
	struct super s = { .ip = 6, .proto = 58 };
	enum drop_reason why;
	struct frame *f;

	(void)state;
	f = frame_of(v4, sizeof(v4));
	assert_int_equal(offload_blank(f, &why), 0);
	assert_int_equal(f->off.flags, 0);
	assert_int_equal(slow_sum(0, f->data + 34, 16), 0xffff);
	frame_release(f);

	f = frame_of(v6, sizeof(v6));
	memcpy(s.src, v6 + 22, 16);
	memcpy(s.dst, v6 + 38, 16);
	assert_int_equal(offload_blank(f, &why), 0);
	assert_int_equal(received_sum(&s, f->data + 54, 16), 0xffff);
	frame_release(f);

	v4[23] = 132;
	f = frame_of(v4, sizeof(v4));
	assert_int_equal(offload_blank(f, &why), 0);
	memset(v4 + 42, 0, 4);
	{
		uint32_t crc = csum_crc32c(v4 + 34, 16);
		const uint8_t le[4] = { (uint8_t)crc, (uint8_t)(crc >> 8),
			(uint8_t)(crc >> 16), (uint8_t)(crc >> 24) };

		assert_memory_equal(f->data + 42, le, 4);
	}
	frame_release(f);

	v4[23] = 47; /* GRE: nobody knows where */
	f = frame_of(v4, sizeof(v4));
	assert_int_equal(offload_blank(f, &why), -EBADMSG);
	assert_int_equal(why, DROP_CSUM_UNKNOWN);
	frame_release(f);

	v4[23] = 17;
	v4[17] = 200; /* longer than the frame */
	f = frame_of(v4, sizeof(v4));
	assert_int_equal(offload_blank(f, &why), -EBADMSG);
	assert_int_equal(why, DROP_BAD_OFFLOAD);
	frame_release(f);
}

static void
test_what_is_not_ip_stays_as_it_is(void **state)
{
	uint8_t arp[60] = { [12] = 0x08, [13] = 0x06, [20] = 0x77 };
	struct frame *f = frame_of(arp, sizeof(arp));
	enum drop_reason why;

	(void)state;
	assert_int_equal(offload_blank(f, &why), 0);
	assert_int_equal(f->off.flags, 0);
	assert_memory_equal(f->data, arp, sizeof(arp));
	frame_release(f);
}

static void
test_behind_too_many_tags_nobody_knows(void **state)
{
	uint8_t deep[100] = { 0 };
	enum drop_reason why;
	struct frame *f;

	(void)state;
	for (size_t i = 0; i <= PARSE_TAGS_MAX; i++)
		deep[12 + 4 * i] = 0x81;
	f = frame_of(deep, sizeof(deep));
	assert_int_equal(offload_blank(f, &why), -EBADMSG);
	assert_int_equal(why, DROP_CSUM_UNKNOWN);
	frame_release(f);
}

/* --- fragments -------------------------------------------------------------
 */

/* Piece @i of @s's IPv4 or IPv6 packet, of at most @size bytes each. */
static struct frame *
piece(const struct super *s, uint32_t i, uint32_t size, uint32_t id)
{
	uint32_t hdr = s->ip == 4 ? s->l4 : s->l3 + 40;
	uint32_t total = s->len - hdr, at = i * size;
	uint32_t len = COAX_MIN(size, total - at);
	bool more = at + len < total;
	uint8_t data[2000];
	uint32_t n = hdr;

	memcpy(data, s->data, hdr);
	if (s->ip == 6) {
		put16(data + s->l3 + 4, 8 + len);
		data[n] = data[s->l3 + 6];
		data[s->l3 + 6] = 44;
		data[n + 1] = 0;
		put16(data + n + 2, at | more);
		put16(data + n + 4, 0);
		put16(data + n + 6, id);
		n += 8;
	} else {
		put16(data + s->l3 + 2, hdr - s->l3 + len);
		put16(data + s->l3 + 4, id);
		put16(data + s->l3 + 6, at / 8 | (more ? 0x2000u : 0u));
	}
	memcpy(data + n, s->data + hdr + at, len);
	return frame_of(data, n + len);
}

/* A packet of UDP or TCP with @payload bytes. */
static void
packet(struct super *s, struct prng *g, uint32_t payload)
{
	static const struct super_limits limits = {
		.tags_max = 1,
		.mss_max = 1,
		.payload_max = 1,
		.segments_max = 1,
		.no_rare = true,
	};

	do
		super_make(s, g, &limits);
	while (s->ip == 6 && s->l4 != s->l3 + 40);
	s->len = s->hdr;
	super_random(s, g, payload);
	super_finish(s);
}

/* Puts the pieces' bytes together again and checks the sum. */
static void
judge_pieces(const struct super *s, uint32_t size)
{
	uint32_t hdr = s->ip == 4 ? s->l4 : s->l3 + 48;
	static uint8_t l4[70000];
	uint32_t len = s->len - s->l4, at = sum_at(s) - s->l4;

	for (uint32_t i = 0; i < emitted_count; i++) {
		const struct frame *f = emitted[i];
		uint32_t to = s->ip == 4
		                  ? (get16(f->data + s->l3 + 6) & 0x1fff) * 8
		                  : get16(f->data + s->l3 + 42) & 0xfff8;

		assert_true(f->len - hdr <= size);
		assert_int_equal(f->off.flags, 0);
		memcpy(l4 + to, f->data + hdr, f->len - hdr);
	}
	assert_int_equal(received_sum(s, l4, len), 0xffff);
	assert_memory_equal(l4, s->data + s->l4, at);
	assert_memory_equal(
	    l4 + at + 2, s->data + s->l4 + at + 2, len - at - 2);
}

static void
test_fragments_wait_for_each_other(void **state)
{
	struct prng g = prng_init(5);
	static struct super s;

	(void)state;
	for (uint32_t round = 0; round < 200; round++) {
		uint32_t size = (uint32_t)prng_range(&g, 3, 180) * 8;
		uint32_t payload =
		    (uint32_t)prng_range(&g, 2 * size, 12 * size);
		uint32_t order[64], count;
		enum drop_reason why;

		packet(&s, &g, payload);
		if (size < s.hdr - s.l4)
			continue; /* the header itself is cut: another test */
		count = (s.len - s.l4 + size - 1) / size;
		for (uint32_t i = 0; i < count; i++)
			order[i] = i;
		for (uint32_t i = count - 1; i > 0; i--) {
			uint32_t k = (uint32_t)prng_below(&g, i + 1);
			uint32_t swap = order[i];

			order[i] = order[k];
			order[k] = swap;
		}
		for (uint32_t i = 0; i < count; i++) {
			struct frame *f = piece(&s, order[i], size, round);

			assert_int_equal(offload_blank(f, &why), -EINPROGRESS);
			assert_int_equal(emitted_count, 0);
			/* Only the first that comes has to be marked. */
			assert_true(frags_input(
			    &frags, f, i == 0 || prng_chance(&g, 1, 2), 1));
		}
		assert_int_equal(emitted_count, count);
		judge_pieces(&s, size);
		while (emitted_count > 0)
			frame_release(emitted[--emitted_count]);
		assert_int_equal(frags.count, 0);
		assert_int_equal(frags.bytes, 0);
	}
	assert_int_equal(dropped_count, 0);
}

/* A fragment that nobody marked is nobody's business. */
static void
test_ordinary_fragments_pass(void **state)
{
	struct prng g = prng_init(6);
	static struct super s, other;
	struct frame *f;

	(void)state;
	packet(&s, &g, 500);
	packet(&other, &g, 500);
	f = piece(&s, 0, 256, 1);
	assert_false(frags_input(&frags, f, false, 1));
	assert_true(frags_input(&frags, f, true, 1)); /* held */
	f = piece(&other, 0, 256, 1);
	assert_false(frags_input(&frags, f, false, 1));
	frame_release(f);
	f = piece(&s, 1, 256, 2); /* another packet of the same two */
	assert_false(frags_input(&frags, f, false, 1));
	frame_release(f);
	f = frame_of(bsd_udp, sizeof(bsd_udp));
	assert_false(frags_input(&frags, f, false, 1));
	frame_release(f);
}

/* The same addresses and the same number on two VLANs are two datagrams. */
static void
test_fragments_of_two_vlans(void **state)
{
	struct prng g = prng_init(8);
	static struct super s;

	(void)state;
	do
		packet(&s, &g, 500);
	while (s.ip != 4 || s.l3 != 18 || s.len <= s.l4 + 256 ||
	       s.len > s.l4 + 512);
	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t vlan = 0; vlan < 2; vlan++) {
			struct frame *f = piece(&s, i, 256, 1);

			/* The priority may be another. */
			put16(f->data + 14, 10 + vlan + (i << 13));
			assert_true(frags_input(&frags, f, true, 1));
			assert_int_equal(
			    frags.count, i == 0 ? vlan + 1 : 1 - vlan);
		}
	}
	assert_int_equal(dropped_count, 0);
	assert_int_equal(emitted_count, 4);
	while (emitted_count > 0)
		frame_release(emitted[--emitted_count]);
}

static void
test_overlap_drops_all(void **state)
{
	struct prng g = prng_init(7);
	static struct super s;
	struct frame *f;

	(void)state;
	packet(&s, &g, 1000);
	assert_true(frags_input(&frags, piece(&s, 0, 256, 1), true, 1));
	assert_true(frags_input(&frags, piece(&s, 1, 256, 1), true, 1));
	assert_true(frags_input(&frags, piece(&s, 1, 256, 1), true, 1));
	assert_int_equal(dropped_count, 3);
	assert_int_equal(dropped_why, DROP_FRAGMENTS);
	assert_int_equal(frags.count, 0);
	/* A piece behind the end. */
	assert_true(frags_input(&frags, piece(&s, 3, 256, 1), true, 1));
	assert_int_equal(dropped_count, 3);
	f = piece(&s, 3, 256, 1);
	assert_true(frags_input(&frags, f, true, 1));
	assert_int_equal(dropped_count, 5);
	/* A piece that is not whole words, and not the last. */
	f = piece(&s, 0, 256, 1);
	f->len -= 3;
	if (s.ip == 4)
		put16(f->data + s.l3 + 2, f->len - s.l3);
	else
		put16(f->data + s.l3 + 4, f->len - s.l3 - 40);
	assert_true(frags_input(&frags, f, true, 1));
	assert_int_equal(dropped_count, 6);
}

static void
test_what_is_held_is_bounded(void **state)
{
	struct prng g = prng_init(8);
	static struct super s;
	uint32_t n = 0;

	(void)state;
	packet(&s, &g, 1000);
	/* More packets than there is room for: the oldest goes. */
	for (uint32_t i = 0; i < FRAGS_DATAGRAMS + 10; i++)
		assert_true(
		    frags_input(&frags, piece(&s, 0, 256, i), true, 100 + i));
	assert_int_equal(frags.count, FRAGS_DATAGRAMS);
	assert_int_equal(dropped_count, 10);
	frags_clear(&frags, DROP_DESTROYED);
	assert_int_equal(dropped_count, FRAGS_DATAGRAMS + 10);
	/* More bytes. */
	dropped_count = 0;
	packet(&s, &g, 60000);
	while (dropped_count == 0) {
		for (uint32_t i = 0; i < 100 && dropped_count == 0; i++, n++)
			assert_true(frags_input(
			    &frags, piece(&s, i, 256, 7 + n / 100), true, 1));
		assert_true(frags.bytes <= FRAGS_BYTES);
	}
	assert_true(n * FRAME_SMALL_MAX > FRAGS_BYTES);
	assert_int_equal(dropped_why, DROP_FRAGMENTS);
}

static void
test_what_is_held_ends(void **state)
{
	struct prng g = prng_init(9);
	static struct super s;

	(void)state;
	packet(&s, &g, 1000);
	assert_true(frags_input(&frags, piece(&s, 0, 256, 1), true, 5 * MS));
	assert_true(frags_input(&frags, piece(&s, 0, 256, 2), true, 9 * MS));
	assert_int_equal(frags_expire(&frags, 1004 * MS), 1005 * MS);
	assert_int_equal(dropped_count, 0);
	assert_int_equal(frags_expire(&frags, 1005 * MS), 1009 * MS);
	assert_int_equal(dropped_count, 1);
	assert_int_equal(frags_expire(&frags, 1009 * MS), 0);
	assert_int_equal(dropped_count, 2);
	assert_int_equal(dropped_why, DROP_FRAGMENTS);
}

/* A transport header that is cut, or none that we know. */
static void
test_pieces_without_a_sum_to_make(void **state)
{
	struct prng g = prng_init(10);
	static struct super s;

	(void)state;
	do
		packet(&s, &g, 40);
	while (s.proto != 6);
	for (uint32_t i = 0; i * 16 < s.len - s.l4; i++)
		assert_true(frags_input(&frags, piece(&s, i, 16, 1), true, 1));
	assert_int_equal(emitted_count, 0);
	assert_true(dropped_count > 2);
	assert_int_equal(dropped_why, DROP_CSUM_UNKNOWN);
	assert_int_equal(frags.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_random_packets_are_completed),
		T(test_known_sums),
		T(test_the_ip_header_is_left_alone),
		T(test_padding_is_not_summed),
		T(test_other_protocols),
		T(test_what_is_not_ip_stays_as_it_is),
		T(test_behind_too_many_tags_nobody_knows),
		T(test_fragments_wait_for_each_other),
		T(test_ordinary_fragments_pass),
		T(test_fragments_of_two_vlans),
		T(test_overlap_drops_all),
		T(test_what_is_held_is_bounded),
		T(test_what_is_held_ends),
		T(test_pieces_without_a_sum_to_make),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Offload records: what is believed, what is refused, who gets what. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/util.h"
#include "frame/offload.h"
#include "frame_gen.h"

static struct frame_pool *pool;
static struct frame *emitted[64];
static uint32_t emitted_count, dropped_count;
static enum drop_reason dropped_why;

static int
setup(void **state)
{
	struct frame_pool_options options = { .small_count = 16,
		.large_count = 2 };

	(void)state;
	return frame_pool_create(&options, &pool);
}

/* Asserts that every frame came back. */
static int
teardown(void **state)
{
	(void)state;
	frame_pool_destroy(pool);
	return 0;
}

static void
emit(void *arg, struct frame *f)
{
	(void)arg;
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

static void
fit(struct frame *f, uint32_t caps, uint32_t mtu)
{
	struct offload_output out = {
		.caps = caps, .mtu = mtu, .emit = emit, .drop = drop
	};

	emitted_count = dropped_count = 0;
	offload_fit(f, &out);
}

static void
release_emitted(void)
{
	while (emitted_count > 0)
		frame_release(emitted[--emitted_count]);
}

/* IPv4 with TCP or UDP, complete lengths, no sums; l4 at 34. */
static struct frame *
packet4(uint8_t proto, uint32_t payload)
{
	uint32_t hdr = proto == 6 ? 20 : 8;
	struct frame *f = frame_alloc(pool, 34 + hdr + payload);
	uint8_t *p;

	assert_non_null(f);
	p = f->data;
	f->len = 34 + hdr + payload;
	memset(p, 0, 34 + hdr);
	p[0] = p[6] = 2;
	be16_put(p + 12, 0x0800);
	p[14] = 0x45;
	be16_put(p + 16, (uint16_t)(f->len - 14));
	p[23] = proto;
	be32_put(p + 26, 0xc0000201);
	be32_put(p + 30, 0xc0000202);
	if (proto == 6) {
		p[34 + 12] = 0x50;
		p[34 + 13] = 0x10;
	} else {
		be16_put(p + 38, (uint16_t)(8 + payload));
	}
	for (uint32_t i = 0; i < payload; i++)
		p[34 + hdr + i] = (uint8_t)(i * 31 + 7);
	return f;
}

static struct frame *
partial4(uint8_t proto, uint32_t payload)
{
	struct frame *f = packet4(proto, payload);

	f->off.flags = FRAME_CSUM_PARTIAL;
	f->off.csum_start = 34;
	f->off.csum_offset = proto == 6 ? 16 : 6;
	return f;
}

static struct frame *
super4(uint8_t proto, uint32_t payload, uint16_t size)
{
	struct frame *f = partial4(proto, payload);

	f->off.gso_type = proto == 6 ? FRAME_GSO_TCPV4 : FRAME_GSO_UDPL4;
	f->off.gso_size = size;
	return f;
}

static struct frame *
checked(struct frame *f)
{
	enum drop_reason why;

	assert_int_equal(offload_check(f, &why), 0);
	return f;
}

/* Consumes @f. */
static void
assert_refused(struct frame *f, enum drop_reason want)
{
	enum drop_reason why = DROP_COUNT;

	assert_int_equal(offload_check(f, &why), -EBADMSG);
	assert_int_equal(why, want);
	frame_release(f);
}

/* The TCP or UDP of a frame from packet4() with @l4_len bytes sums up. */
static void
assert_sum4(const struct frame *f, uint32_t l4_len)
{
	struct super s = { .ip = 4, .proto = f->data[23] };

	memcpy(s.src, f->data + 26, 4);
	memcpy(s.dst, f->data + 30, 4);
	assert_int_equal(
	    slow_sum(slow_pseudo(&s, l4_len), f->data + 34, l4_len), 0xffff);
	assert_int_equal(f->off.flags, 0);
}

static void
test_a_plain_record_is_cleared_of_everything_but_valid(void **state)
{
	struct frame *f = packet4(17, 40);

	(void)state;
	f->off = (struct frame_offload){ 0xfe, 0, 9, 9, 9, 9 };
	checked(f);
	assert_int_equal(f->off.flags, FRAME_CSUM_VALID);
	assert_int_equal(f->off.hdr_len, 0);
	assert_int_equal(f->off.gso_size, 0);
	assert_int_equal(f->off.csum_start, 0);
	assert_int_equal(f->off.csum_offset, 0);
	frame_release(f);
}

/* Wrong as it is here, the IPv4 header's own sum is not ours to touch while the
 * lengths are right; of a super-frame and of what is none after all. */
static void
test_the_ip_header_sum_is_left_alone(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		for (uint32_t payload = 90; payload <= 500; payload += 410) {
			struct frame *f = super4(tcp ? 6 : 17, payload, 100);

			be16_put(f->data + 24, 0x1234);
			checked(f);
			assert_int_equal(be16_get(f->data + 24), 0x1234);
			frame_release(f);
		}
	}
}

static void
test_runts_and_giants_are_refused(void **state)
{
	struct frame *f = packet4(17, 40);

	(void)state;
	f->len = 13;
	assert_refused(f, DROP_RUNT);
	f = frame_alloc(pool, FRAME_LARGE_MAX);
	f->data -= 1;
	f->len = FRAME_LARGE_MAX + 1;
	assert_refused(f, DROP_GIANT);
	f = packet4(17, 0);
	f->len = 14;
	frame_release(checked(f));
}

static void
test_a_partial_record_is_put_in_order_with_a_seed(void **state)
{
	for (int tcp = 0; tcp < 2; tcp++) {
		struct frame *f = partial4(tcp ? 6 : 17, 40);
		struct super s = { .ip = 4, .proto = tcp ? 6 : 17 };

		f->off.flags |= FRAME_CSUM_VALID | 0x40;
		f->off.hdr_len = 7;
		f->off.gso_size = 9;
		checked(f);
		assert_int_equal(f->off.flags, FRAME_CSUM_PARTIAL);
		assert_int_equal(f->off.hdr_len, tcp ? 54 : 42);
		assert_int_equal(f->off.gso_size, 0);
		memcpy(s.src, f->data + 26, 4);
		memcpy(s.dst, f->data + 30, 4);
		assert_int_equal(be16_get(f->data + 34 + (tcp ? 16 : 6)),
		    slow_pseudo(&s, f->len - 34));
		frame_release(f);
	}
	(void)state;
}

static void
test_partial_records_that_contradict_the_frame_are_refused(void **state)
{
	static const struct {
		uint8_t proto;
		uint16_t start, offset;
	} bad[] = {
		{ 6, 34, 6 },       /* UDP's offset */
		{ 17, 34, 16 },     /* TCP's */
		{ 6, 14, 16 },      /* in the IP header */
		{ 6, 36, 16 },      /* not at TCP */
		{ 17, 36, 6 },      /* inside the UDP header */
		{ 17, 42, 5 },      /* a sum at an odd distance */
		{ 6, 34, 59 },      /* one byte past the end */
		{ 6, 65535, 65535 } /* far past it */
	};
	struct frame *f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		f = partial4(bad[i].proto, 40);
		f->off.csum_start = bad[i].start;
		f->off.csum_offset = bad[i].offset;
		assert_refused(f, DROP_BAD_OFFLOAD);
	}
	f = partial4(6, 40); /* longer than the frame */
	be16_put(f->data + 16, 81);
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = partial4(6, 40);
	f->data[46] = 0x40; /* data offset below 5 */
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = partial4(6, 40);
	f->data[46] = 0xf0; /* and beyond the end */
	f->len -= 5;
	be16_put(f->data + 16, 75);
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = partial4(17, 40); /* a first fragment */
	be16_put(f->data + 20, 0x2000);
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = partial4(17, 40); /* a later one */
	be16_put(f->data + 20, 0x0010);
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = partial4(132, 40); /* SCTP has a CRC */
	f->off.csum_offset = 8;
	assert_refused(f, DROP_BAD_OFFLOAD);
}

/* Fragments without a partial sum are none of our business. */
static void
test_complete_fragments_pass_untouched(void **state)
{
	struct frame *f = packet4(17, 40);
	uint8_t before[100];

	(void)state;
	be16_put(f->data + 20, 0x2000);
	memcpy(before, f->data, f->len);
	fit(checked(f), 0, 1500);
	assert_int_equal(emitted_count, 1);
	assert_memory_equal(emitted[0]->data, before, f->len);
	release_emitted();
}

static void
test_other_protocols_are_completed_by_the_generic_form(void **state)
{
	struct frame *f = partial4(47, 40); /* GRE around something */
	struct frame *g = partial4(17, 40); /* an inner packet in UDP */
	struct frame *a = partial4(17, 40); /* not IP at all */

	(void)state;
	f->off.csum_start = 38;
	f->off.csum_offset = 2;
	checked(f);
	assert_int_equal(f->off.flags, 0);
	assert_int_equal(slow_sum(0, f->data + 38, f->len - 38), 0xffff);
	g->off.csum_start = 50;
	be16_put(g->data + 56, 0); /* the seed of an inner packet; here none */
	g->off.csum_offset = 6;
	checked(g);
	assert_int_equal(slow_sum(0, g->data + 50, g->len - 50), 0xffff);
	be16_put(a->data + 12, 0x8847);
	a->off.csum_start = 50;
	be16_put(a->data + 56, 0);
	checked(a);
	assert_int_equal(slow_sum(0, a->data + 50, a->len - 50), 0xffff);
	frame_release(f);
	frame_release(g);
	frame_release(a);
}

static void
test_super_frames_that_contradict_themselves_are_refused(void **state)
{
	static const uint8_t types[] = { FRAME_GSO_UDP, FRAME_GSO_TCPV6,
		FRAME_GSO_UDPL4, FRAME_GSO_ECN, 2, 6, 0x7f,
		FRAME_GSO_UDP | FRAME_GSO_ECN };
	struct frame *f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		f = super4(6, 500, 100);
		f->off.gso_type = types[i];
		assert_refused(f, DROP_BAD_OFFLOAD);
	}
	f = super4(17, 500, 100);
	f->off.gso_type |= FRAME_GSO_ECN;
	assert_refused(f, DROP_BAD_OFFLOAD);
	assert_refused(super4(6, 500, 0), DROP_BAD_OFFLOAD);
	f = super4(6, 500, 100);
	f->off.csum_start = 35;
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = super4(6, 500, 100);
	f->off.csum_offset = 6;
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = super4(6, 500, 100);
	be16_put(f->data + 20, 0x2000);
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = super4(6, 500, 100);
	f->data[46] = 0x40;
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = super4(6, 500, 100);
	f->len = 53; /* headers cut off */
	assert_refused(f, DROP_BAD_OFFLOAD);
	f = super4(6, 500, 100);
	be16_put(f->data + 12, 0x0806);
	assert_refused(f, DROP_BAD_OFFLOAD);
}

static void
test_a_super_frame_has_at_most_2048_segments(void **state)
{
	(void)state;
	frame_release(checked(super4(6, 2048, 1)));
	assert_refused(super4(6, 2049, 1), DROP_BAD_OFFLOAD);
	frame_release(checked(super4(6, 2049, 2)));
}

/* 40 bytes of headers and 65496 of payload do not fit a 16 bit length. */
static void
test_segments_must_be_able_to_say_their_length(void **state)
{
	(void)state;
	assert_refused(super4(6, 65600, 65496), DROP_BAD_OFFLOAD);
	frame_release(checked(super4(6, 65600, 65495)));
}

static void
test_a_single_segment_becomes_an_ordinary_frame(void **state)
{
	struct frame *f = super4(6, 100, 100);

	(void)state;
	be16_put(f->data + 16, 0); /* stale */
	fit(checked(f), 0, 1500);
	assert_int_equal(emitted_count, 1);
	assert_ptr_equal(emitted[0], f);
	assert_int_equal(f->off.gso_type, 0);
	assert_int_equal(be16_get(f->data + 16), 140);
	assert_int_equal(slow_sum(0, f->data + 14, 20), 0xffff);
	assert_sum4(f, 120);
	release_emitted();
}

/* A frame of 60 bytes may be padded: its IP length is the better witness. */
static void
test_padding_is_no_payload(void **state)
{
	struct frame *f = super4(17, 18, 100);

	(void)state;
	be16_put(f->data + 16, 30);
	fit(checked(f), 0, 1500);
	assert_int_equal(emitted_count, 1);
	assert_int_equal(be16_get(f->data + 16), 30);
	assert_int_equal(be16_get(f->data + 38), 10);
	assert_int_equal(f->len, 60);
	assert_sum4(f, 10);
	release_emitted();
}

static void
test_ecn_follows_cwr(void **state)
{
	struct frame *f = super4(6, 500, 100);

	(void)state;
	f->data[47] |= 0x80;
	checked(f);
	assert_int_equal(f->off.gso_type, FRAME_GSO_TCPV4 | FRAME_GSO_ECN);
	assert_false(offload_fits(f, OFFLOAD_CSUM | OFFLOAD_TSO4, 0));
	assert_true(
	    offload_fits(f, OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO_ECN, 0));
	frame_release(f);
}

static void
test_whole_super_frames_need_their_capability_and_checksums(void **state)
{
	struct frame *f = checked(super4(6, 500, 100));

	(void)state;
	assert_true(offload_fits(f, OFFLOAD_CSUM | OFFLOAD_TSO4, 1500));
	assert_false(offload_fits(f, OFFLOAD_TSO4, 1500));
	assert_false(offload_fits(f, OFFLOAD_ALL & ~OFFLOAD_TSO4, 1500));
	fit(f, OFFLOAD_ALL, 1500);
	assert_int_equal(emitted_count, 1);
	assert_ptr_equal(emitted[0], f);
	release_emitted();
}

/* A kernel that takes the frame whole computes with its length fields. */
static void
test_stale_lengths_of_a_super_frame_are_put_right(void **state)
{
	struct frame *f = super4(17, 600, 100);

	(void)state;
	be16_put(f->data + 16, 0);
	be16_put(f->data + 38, 0);
	fit(checked(f), OFFLOAD_ALL, 1500);
	assert_int_equal(emitted_count, 1);
	assert_ptr_equal(emitted[0], f);
	assert_int_equal(be16_get(f->data + 16), 628);
	assert_int_equal(be16_get(f->data + 38), 608);
	assert_int_equal(slow_sum(0, f->data + 14, 20), 0xffff);
	release_emitted();
}

static void
test_uso_frames_cross_whole_up_to_64_segments(void **state)
{
	struct frame *f = checked(super4(17, 640, 10));

	(void)state;
	assert_true(offload_fits(f, OFFLOAD_ALL, 0));
	assert_false(offload_fits(f, OFFLOAD_ALL & ~OFFLOAD_USO, 0));
	frame_release(f);
	f = checked(super4(17, 641, 10));
	assert_false(offload_fits(f, OFFLOAD_ALL, 0));
	frame_release(f);
}

static void
test_syn_and_rst_are_not_segmented(void **state)
{
	(void)state;
	for (int bit = 0x02; bit <= 0x04; bit += 2) {
		struct frame *f = super4(6, 500, 100);

		f->data[47] |= (uint8_t)bit;
		fit(checked(f), 0, 1500);
		assert_int_equal(emitted_count, 0);
		assert_int_equal(dropped_count, 1);
		assert_int_equal(dropped_why, DROP_GSO_UNSUPPORTED);
	}
}

static void
test_mtu_counts_from_after_the_ethernet_header(void **state)
{
	struct frame *f = packet4(17, 1472); /* 1500 of IP */

	(void)state;
	assert_true(offload_fits(f, 0, 1500));
	assert_false(offload_fits(f, 0, 1499));
	assert_true(offload_fits(f, 0, 0));
	fit(f, 0, 1499);
	assert_int_equal(dropped_count, 1);
	assert_int_equal(dropped_why, DROP_MTU);
	f = packet4(17, 0);
	f->len = 14;
	assert_true(offload_fits(f, 0, 1));
	frame_release(f);
}

static void
test_mtu_does_not_count_tags(void **state)
{
	struct frame *f = packet4(17, 1472);

	(void)state;
	f->data -= 8;
	f->len += 8;
	memmove(f->data, f->data + 8, 12);
	be32_put(f->data + 12, 0x88a80005);
	be32_put(f->data + 16, 0x81000006);
	assert_true(offload_fits(f, 0, 1500));
	assert_false(offload_fits(f, 0, 1499));
	frame_release(f);
}

static void
test_mtu_limits_segments_not_super_frames(void **state)
{
	(void)state;
	fit(checked(super4(6, 3000, 1460)), OFFLOAD_ALL, 1500);
	assert_int_equal(emitted_count, 1);
	release_emitted();
	for (uint32_t caps = 0; caps <= OFFLOAD_ALL; caps++) {
		fit(checked(super4(6, 3000, 1461)), caps, 1500);
		assert_int_equal(emitted_count, 0);
		assert_int_equal(dropped_count, 1);
		assert_int_equal(dropped_why, DROP_MTU);
	}
}

static void
test_a_shared_frame_is_completed_in_a_copy(void **state)
{
	struct frame *f = checked(partial4(6, 40));
	uint8_t before[100];

	(void)state;
	memcpy(before, f->data, f->len);
	fit(frame_take(f), 0, 1500);
	assert_int_equal(emitted_count, 1);
	assert_ptr_not_equal(emitted[0], f);
	assert_int_equal(f->refs, 1);
	assert_memory_equal(f->data, before, f->len);
	assert_int_equal(f->off.flags, FRAME_CSUM_PARTIAL);
	assert_sum4(emitted[0], 60);
	release_emitted();
	fit(f, 0, 1500);
	assert_ptr_equal(emitted[0], f);
	release_emitted();
}

static void
test_the_sum_covers_the_udp_length_not_the_padding(void **state)
{
	struct frame *f = partial4(17, 40);

	(void)state;
	be16_put(f->data + 38, 30); /* shorter than the IP packet says */
	checked(f);
	assert_int_equal(offload_complete(f), 0);
	assert_sum4(f, 30);
	frame_release(f);
}

static void
test_a_udp_sum_of_zero_is_sent_as_ffff(void **state)
{
	struct frame *f = partial4(17, 2);
	struct super s = { .ip = 4, .proto = 17 };
	uint32_t sum;

	(void)state;
	memcpy(s.src, f->data + 26, 4);
	memcpy(s.dst, f->data + 30, 4);
	be16_put(f->data + 42, 0);
	sum = slow_sum(slow_pseudo(&s, 10), f->data + 34, 10);
	be16_put(f->data + 42, (uint16_t)(0xffff - sum));
	checked(f);
	assert_int_equal(offload_complete(f), 0);
	assert_int_equal(be16_get(f->data + 40), 0xffff);
	frame_release(f);
	f = partial4(6, 2); /* TCP's stays zero */
	s.proto = 6;
	be16_put(f->data + 54, 0);
	sum = slow_sum(slow_pseudo(&s, 22), f->data + 34, 22);
	be16_put(f->data + 54, (uint16_t)(0xffff - sum));
	checked(f);
	assert_int_equal(offload_complete(f), 0);
	assert_int_equal(be16_get(f->data + 50), 0);
	frame_release(f);
}

/* Headers rewritten after the check are noticed, not believed. */
static void
test_what_cannot_be_completed_is_dropped(void **state)
{
	struct frame *f = checked(partial4(6, 40));

	(void)state;
	f->data[23] = 47;
	fit(f, 0, 1500);
	assert_int_equal(dropped_why, DROP_CSUM_UNKNOWN);
	f = checked(super4(6, 500, 100));
	f->data[23] = 17;
	fit(f, 0, 1500);
	assert_int_equal(dropped_why, DROP_GSO_UNSUPPORTED);
	assert_int_equal(dropped_count, 1);
}

static void
test_an_empty_pool_counts_every_missing_segment(void **state)
{
	struct frame *held[13];
	struct frame *f = checked(super4(6, 1000, 100));

	(void)state;
	for (int i = 0; i < 13; i++) /* of 16; f has one; two large ones */
		held[i] = frame_alloc(pool, 60);
	fit(f, 0, 1500);
	assert_int_equal(emitted_count, 4);
	assert_int_equal(dropped_count, 6);
	assert_int_equal(dropped_why, DROP_NO_FRAME);
	f = checked(partial4(6, 4)); /* takes nothing: in place */
	release_emitted();
	for (int i = 0; i < 13; i++)
		frame_release(held[i]);
	frame_release(f);
}

static void
test_an_empty_pool_drops_a_shared_partial_frame(void **state)
{
	struct frame *f = checked(partial4(6, 40));
	struct frame *held[17];

	(void)state;
	for (int i = 0; i < 17; i++)
		held[i] = frame_alloc(pool, 60);
	fit(frame_take(f), 0, 1500);
	assert_int_equal(dropped_count, 1);
	assert_int_equal(dropped_why, DROP_NO_FRAME);
	assert_int_equal(f->refs, 1);
	for (int i = 0; i < 17; i++)
		frame_release(held[i]);
	frame_release(f);
}

static void
test_offsets_follow_a_tag(void **state)
{
	struct frame *f = checked(partial4(6, 40));

	(void)state;
	f->data -= 4;
	f->len += 4;
	memmove(f->data, f->data + 4, 12);
	be32_put(f->data + 12, 0x81000005);
	offload_shift(f, 4);
	assert_int_equal(f->off.csum_start, 38);
	assert_int_equal(f->off.hdr_len, 58);
	assert_int_equal(offload_complete(f), 0);
	offload_shift(f, -4); /* nothing to keep: nothing happens */
	assert_int_equal(f->off.csum_start, 0);
	frame_release(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_a_plain_record_is_cleared_of_everything_but_valid),
		cmocka_unit_test(test_the_ip_header_sum_is_left_alone),
		cmocka_unit_test(test_runts_and_giants_are_refused),
		cmocka_unit_test(
		    test_a_partial_record_is_put_in_order_with_a_seed),
		cmocka_unit_test(
		    test_partial_records_that_contradict_the_frame_are_refused),
		cmocka_unit_test(test_complete_fragments_pass_untouched),
		cmocka_unit_test(
		    test_other_protocols_are_completed_by_the_generic_form),
		cmocka_unit_test(
		    test_super_frames_that_contradict_themselves_are_refused),
		cmocka_unit_test(test_a_super_frame_has_at_most_2048_segments),
		cmocka_unit_test(
		    test_segments_must_be_able_to_say_their_length),
		cmocka_unit_test(
		    test_a_single_segment_becomes_an_ordinary_frame),
		cmocka_unit_test(test_padding_is_no_payload),
		cmocka_unit_test(test_ecn_follows_cwr),
		cmocka_unit_test(
		    test_whole_super_frames_need_their_capability_and_checksums),
		cmocka_unit_test(
		    test_stale_lengths_of_a_super_frame_are_put_right),
		cmocka_unit_test(test_uso_frames_cross_whole_up_to_64_segments),
		cmocka_unit_test(test_syn_and_rst_are_not_segmented),
		cmocka_unit_test(
		    test_mtu_counts_from_after_the_ethernet_header),
		cmocka_unit_test(test_mtu_does_not_count_tags),
		cmocka_unit_test(test_mtu_limits_segments_not_super_frames),
		cmocka_unit_test(test_a_shared_frame_is_completed_in_a_copy),
		cmocka_unit_test(
		    test_the_sum_covers_the_udp_length_not_the_padding),
		cmocka_unit_test(test_a_udp_sum_of_zero_is_sent_as_ffff),
		cmocka_unit_test(test_what_cannot_be_completed_is_dropped),
		cmocka_unit_test(
		    test_an_empty_pool_counts_every_missing_segment),
		cmocka_unit_test(
		    test_an_empty_pool_drops_a_shared_partial_frame),
		cmocka_unit_test(test_offsets_follow_a_tag),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

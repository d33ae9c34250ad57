/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: random super-frames, segmented, are what a slow and independent
 * reference says they must be.
 *
 * The reference (judge()) does not segment. It takes the emitted frames, knows
 * from the maker where everything lies, and demands of every byte of every
 * segment either that it is the super-frame's or what the rules say; the
 * payloads put together must be the super-frame's payload.
 *
 * COAX_TEST_SAMPLES sets the number of super-frames, COAX_TEST_SEED the seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frame/offload.h"
#include "frame_gen.h"

#ifdef FRAME_ASAN
#define SAMPLES 10000
#else
#define SAMPLES 100000
#endif

#define EMITTED_MAX 2100

static struct frame_pool *pool;
static struct frame *emitted[EMITTED_MAX];
static uint32_t emitted_count, dropped_count;
static uint64_t sample_number;

static void
emit(void *arg, struct frame *f)
{
	(void)arg;
	assert_true(emitted_count < EMITTED_MAX);
	assert_int_equal(f->refs, 1);
	emitted[emitted_count++] = f;
}

static void
drop(void *arg, struct frame *f, enum drop_reason why)
{
	(void)arg;
	(void)why;
	dropped_count++;
	frame_release(f);
}

#define DEMAND(cond)                                                      \
	do {                                                              \
		if (!(cond))                                              \
			fail_msg("sample %llu, segment %u: %s",           \
			    (unsigned long long)sample_number, i, #cond); \
	} while (0)

static uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

/*
 * Segment @i of @count, with bytes [@at, @at + @chunk) of the payload. @partial
 * says whether its checksum is to be a seed.
 */
static void
judge_segment(const struct super *s, const struct frame *f, uint32_t i,
    uint32_t count, uint32_t at, uint32_t chunk, bool partial)
{
	uint32_t check = s->l4 + (s->proto == 6 ? 16 : 6);
	uint32_t l4_len = f->len - s->l4;
	uint32_t sum;
	bool v4 = s->ip == 4;

	DEMAND(f->len == s->hdr + chunk);
	DEMAND(memcmp(f->data + s->hdr, s->data + s->hdr + at, chunk) == 0);
	for (uint32_t b = 0; b < s->hdr; b++) {
		uint32_t ip = b - s->l3, l4 = b - s->l4;
		bool free_ip = b >= s->l3 && b < s->l4 &&
		               (v4 ? ip == 2 || ip == 3 || ip == 4 || ip == 5 ||
		                           ip == 10 || ip == 11
		                   : ip == 4 || ip == 5);
		bool free_l4 =
		    b >= s->l4 &&
		    (s->proto == 6 ? (l4 >= 4 && l4 < 8) || l4 == 13 ||
		                         l4 == 16 || l4 == 17
		                   : l4 >= 4);

		if (!free_ip && !free_l4)
			DEMAND(f->data[b] == s->data[b]);
	}
	if (v4) {
		DEMAND(get16(f->data + s->l3 + 2) == f->len - s->l3);
		DEMAND(get16(f->data + s->l3 + 4) ==
		       ((get16(s->data + s->l3 + 4) + i) & 0xffff));
		DEMAND(slow_sum(0, f->data + s->l3,
		           (f->data[s->l3] & 15) * 4) == 0xffff);
	} else {
		DEMAND(get16(f->data + s->l3 + 4) == f->len - s->l3 - 40);
	}
	if (s->proto == 6) {
		uint32_t flags = s->tcp_flags;

		if (i + 1 != count)
			flags &= ~0x09u; /* PSH, FIN */
		if (i != 0)
			flags &= ~0x80u; /* CWR */
		DEMAND(f->data[s->l4 + 13] == flags);
		DEMAND(get32(f->data + s->l4 + 4) ==
		       get32(s->data + s->l4 + 4) + at);
	} else {
		DEMAND(get16(f->data + s->l4 + 4) == l4_len);
	}
	if (partial) {
		DEMAND(f->off.flags == FRAME_CSUM_PARTIAL);
		DEMAND(f->off.csum_start == s->l4);
		DEMAND(f->off.csum_offset == check - s->l4);
		DEMAND(f->off.hdr_len == s->hdr);
		DEMAND(get16(f->data + check) == slow_pseudo(s, l4_len));
	} else {
		DEMAND(f->off.flags == 0);
		DEMAND(f->off.csum_start == 0 && f->off.csum_offset == 0);
		/* What a receiver does; and the one allowed form of zero. */
		sum = slow_sum(slow_pseudo(s, l4_len), f->data + s->l4, l4_len);
		DEMAND(sum == 0xffff);
		DEMAND(s->proto != 17 || get16(f->data + check) != 0);
	}
	DEMAND(f->off.gso_type == 0 && f->off.gso_size == 0);
}

static void
judge(const struct super *s, bool partial)
{
	uint32_t i = 0, at = 0;
	uint32_t count = (s->payload + s->mss - 1) / s->mss;

	DEMAND(emitted_count == count);
	for (; i < count; i++) {
		uint32_t left = s->payload - at;
		uint32_t chunk = left < s->mss ? left : s->mss;

		judge_segment(s, emitted[i], i, count, at, chunk, partial);
		at += chunk;
	}
	DEMAND(at == s->payload);
}

/* A frame of @s with a record as some sender might write it. */
static struct frame *
super_frame(const struct super *s, struct prng *g)
{
	struct frame *f = frame_alloc(pool, s->len);

	assert_non_null(f);
	f->len = s->len;
	memcpy(f->data, s->data, s->len);
	if (prng_chance(g, 1, 2)) /* any length, also a right one */
		prng_bytes(g, f->data + s->l3 + (s->ip == 4 ? 2 : 4), 2);
	f->off.gso_type = s->proto == 17 ? FRAME_GSO_UDPL4
	                  : s->ip == 4   ? FRAME_GSO_TCPV4
	                                 : FRAME_GSO_TCPV6;
	f->off.gso_size = (uint16_t)s->mss;
	f->off.hdr_len = (uint16_t)prng_u32(g); /* a hint, perhaps wrong */
	f->off.flags = (uint8_t)prng_u32(g);
	if ((f->off.flags & FRAME_CSUM_PARTIAL) != 0) {
		f->off.csum_start = (uint16_t)s->l4;
		f->off.csum_offset = s->proto == 17 ? 6 : 16;
	}
	return f;
}

/* What an output must take to be given the sum of these headers undone. */
static uint32_t
csum_need(const struct super *s)
{
	uint32_t need = s->ip == 6 ? OFFLOAD_CSUM6 : OFFLOAD_CSUM4;

	if (s->tags != 0 || (s->ip == 6 && s->l4 != s->l3 + 40))
		need |= OFFLOAD_CSUM_ANY;
	return need;
}

static void
sample_check(struct super *s, struct prng *g)
{
	struct offload_output out = { .emit = emit, .drop = drop };
	bool cwr = s->proto == 6 && (s->tcp_flags & 0x80) != 0;
	bool multi = s->payload > s->mss;
	uint32_t sum = csum_need(s), need = sum;
	struct frame *f = super_frame(s, g);
	enum drop_reason why;
	uint32_t i = 0;
	bool whole;

	DEMAND(offload_check(f, &why) == 0);
	out.caps = prng_chance(g, 1, 2)   ? 0
	           : prng_chance(g, 1, 2) ? OFFLOAD_CSUM
	                                  : prng_below(g, OFFLOAD_ALL + 1);
	if (multi && s->proto == 17)
		need |= OFFLOAD_USO;
	else if (multi)
		need |= s->ip == 4 ? OFFLOAD_TSO4 : OFFLOAD_TSO6;
	if (multi && cwr)
		need |= OFFLOAD_TSO_ECN;
	whole = (out.caps & need) == need &&
	        (!multi || s->proto == 6 || s->payload <= 64 * s->mss);
	DEMAND(offload_fits(f, out.caps, 0) == whole);
	emitted_count = dropped_count = 0;
	if (!whole && prng_chance(g, 1, 4)) { /* shared: not to be touched */
		struct frame *copy = frame_copy(f);

		offload_fit(frame_take(f), &out);
		DEMAND(f->refs == 1);
		DEMAND(memcmp(f->data, copy->data, f->len) == 0);
		DEMAND(memcmp(&f->off, &copy->off, sizeof(f->off)) == 0);
		frame_release(copy);
		frame_release(f);
	} else {
		offload_fit(f, &out);
	}
	DEMAND(dropped_count == 0);
	if (whole) {
		DEMAND(emitted_count == 1 && emitted[0] == f);
		if (multi) { /* what it would have become, all the same */
			DEMAND(
			    (f->off.gso_type & 0x7f) == (s->proto == 17  ? 5
			                                    : s->ip == 4 ? 1
			                                                 : 4));
			DEMAND((f->off.gso_type >> 7) == cwr);
			DEMAND(get16(f->data + s->l4 + f->off.csum_offset) ==
			       slow_pseudo(s, s->len - s->l4));
			out.caps = 0;
			emitted_count = 0;
			offload_fit(f, &out);
			judge(s, false);
		} else {
			judge(s, true);
		}
	} else {
		judge(s, (out.caps & sum) == sum);
	}
	for (i = 0; i < emitted_count; i++)
		frame_release(emitted[i]);
}

static void
test_random_super_frames_become_the_segments_they_must(void **state)
{
	const char *env = getenv("COAX_TEST_SAMPLES");
	uint64_t samples = env != NULL ? strtoull(env, NULL, 0) : SAMPLES;
	struct frame_pool_options options = { .small_count = 2100,
		.large_count = 80 };
	static struct super s;
	struct prng g;

	(void)state;
	env = getenv("COAX_TEST_SEED");
	g = prng_init(env != NULL ? strtoull(env, NULL, 0) : 1);
	assert_int_equal(frame_pool_create(&options, &pool), 0);
	for (sample_number = 0; sample_number < samples; sample_number++) {
		struct super_limits lim = {
			.tags_max = 2,
			.mss_max = 1400,
			.payload_max = 4000,
			.segments_max = 6,
		};

		if (prng_chance(&g, 1, 100)) { /* the large ones */
			lim.mss_max = 30000;
			lim.payload_max = 65000;
			lim.segments_max = 64;
		} else if (prng_chance(&g, 1, 50)) { /* and the many */
			lim.mss_max = 8;
			lim.segments_max = 500;
		}
		super_make(&s, &g, &lim);
		sample_check(&s, &g);
	}
	frame_pool_destroy(pool); /* asserts that all came back */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_random_super_frames_become_the_segments_they_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

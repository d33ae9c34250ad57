/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of an impairment, and the fates that it deals out. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "base/util.h"
#include "pipe/impair.h"

#define FRAMES 200000

static char why[IMPAIR_WHY_MAX];

/* Splits a line at its blanks. */
static uint32_t
split(const char *line, char *copy, const char *words[], uint32_t max)
{
	uint32_t n = 0;
	char *save, *w;

	strcpy(copy, line);
	for (w = strtok_r(copy, " ", &save); w != NULL && n < max;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return n;
}

static int
parse(const char *line, struct impair_change *ch)
{
	char copy[512];
	const char *words[64];
	uint32_t n = split(line, copy, words, 64);

	return impair_parse(words, n, ch, why, sizeof(why));
}

/* The config that a line makes out of a perfect wire. */
static struct impair_config
config_of(const char *line)
{
	struct impair_config c = { .limit = IMPAIR_LIMIT_DEFAULT };
	struct impair_change ch;

	assert_true(parse(line, &ch) > 0);
	assert_int_equal(
	    impair_merge(&c, &ch, IMPAIR_OUT, why, sizeof(why)), 0);
	return c;
}

static void
test_the_line_of_the_manual(void **state)
{
	static const char line[] =
	    "loss 1% delay 20ms jitter 5ms dist normal duplicate 0.1% "
	    "reorder 1% corrupt 0.01% rate 10Mbit burst 32k limit 1000 seed 7";
	struct impair_config c = config_of(line);
	char text[IMPAIR_TEXT_MAX];

	(void)state;
	assert_int_equal(c.loss.good, 10000000);
	assert_int_equal(c.delay_ns, 20000000);
	assert_int_equal(c.jitter_ns, 5000000);
	assert_int_equal(c.dist, IMPAIR_NORMAL);
	assert_int_equal(c.duplicate, 1000000);
	assert_int_equal(c.reorder, 10000000);
	assert_int_equal(c.corrupt, 100000);
	assert_int_equal(c.rate, 10000000);
	assert_int_equal(c.burst, 32768);
	assert_int_equal(c.limit, 1000);
	assert_int_equal(c.seed, 7);
	assert_string_equal(impair_format(&c, false, text), line);
}

static void
test_directions(void **state)
{
	struct impair_change ch;

	(void)state;
	assert_int_equal(parse("delay 1ms in loss 1% out loss 2%", &ch), 8);
	assert_int_equal(ch.set[IMPAIR_IN], IMPAIR_SET_DELAY | IMPAIR_SET_LOSS);
	assert_int_equal(
	    ch.set[IMPAIR_OUT], IMPAIR_SET_DELAY | IMPAIR_SET_LOSS);
	assert_int_equal(ch.config[IMPAIR_IN].loss.good, 10000000);
	assert_int_equal(ch.config[IMPAIR_OUT].loss.good, 20000000);
	assert_int_equal(parse("in loss 1%", &ch), 3);
	assert_int_equal(ch.set[IMPAIR_OUT], 0);
}

static void
test_it_ends_at_the_first_foreign_word(void **state)
{
	struct impair_change ch;

	(void)state;
	assert_int_equal(parse("loss 1% up", &ch), 2);
	assert_int_equal(parse("loss gemodel 1% mtu 1400", &ch), 3);
	assert_int_equal(parse("loss gemodel 1% 25% 70% 0.1% up", &ch), 6);
	assert_int_equal(parse("seed 0x10 192.0.2.1/24", &ch), 2);
	assert_int_equal(ch.config[0].seed, 16);
}

static void
test_burst_loss_has_the_presets_of_netem(void **state)
{
	struct impair_config c = config_of("loss gemodel 1%");
	char text[IMPAIR_TEXT_MAX];

	(void)state;
	assert_int_equal(c.loss.p, 10000000);
	assert_int_equal(c.loss.r, 990000000);
	assert_int_equal(c.loss.bad, QUANTITY_WHOLE);
	assert_int_equal(c.loss.good, 0);
	assert_string_equal(
	    impair_format(&c, false, text), "loss gemodel 1% 99% seed 0");
	c = config_of("loss gemodel 1% 25% 70% 0.1%");
	assert_string_equal(impair_format(&c, false, text),
	    "loss gemodel 1% 25% 70% 0.1% seed 0");
	c = config_of("loss 0");
	assert_string_equal(impair_format(&c, false, text), "seed 0");
}

static void
test_what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "", "a setting is missing: loss" },
		{ "in", "a setting is missing: loss" },
		{ "loss 1% in", "a setting is missing: loss" },
		{ "los 1%", "\"los\" is none of: loss, delay" },
		{ "loss", "loss: its value is missing" },
		{ "loss 1", "loss 1: a share from 0 to 100%" },
		{ "loss 101%", "loss 101%: a share from 0 to 100%" },
		{ "loss -1%", "loss -1%: a share" },
		{ "loss gemodel", "loss gemodel: its value is missing" },
		{ "loss gemodel x", "loss gemodel x: a share" },
		{ "loss gemodel 1% 2", "loss gemodel 2: a share" },
		{ "delay 20", "delay 20: a time up to 100s, with its unit" },
		{ "delay 101s", "delay 101s: a time up to 100s" },
		{ "jitter x", "jitter x: a time" },
		{ "dist gauss", "dist gauss: uniform, normal or pareto" },
		{ "order none", "order none: any or keep" },
		{ "duplicate x", "duplicate x: a share" },
		{ "reorder x", "reorder x: a share" },
		{ "corrupt 1%%", "corrupt 1%%: a share" },
		{ "rate 10", "rate 10: a rate from 100bit" },
		{ "rate 99bit", "rate 99bit: a rate from 100bit" },
		{ "rate 2Tbit", "rate 2Tbit: a rate from 100bit to 1Tbit" },
		{ "burst 2g", "burst 2g: bytes up to 1g" },
		{ "limit 0", "limit 0: a number from 1 to 65536" },
		{ "limit 65537", "limit 65537: a number from 1 to 65536" },
		{ "seed -1", "seed -1: a number from 0" },
		{ "seed 18446744073709551616", "seed 18446744073709551616: " },
	};
	struct impair_change ch = { .set = { 77, 77 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(parse(bad[i].line, &ch), -EINVAL);
		assert_memory_equal(why, bad[i].why, strlen(bad[i].why));
	}
	assert_int_equal(ch.set[0], 77);
}

static void
test_contradictions_are_refused_and_change_nothing(void **state)
{
	struct impair_config c = { .limit = 5, .seed = 6 }, old = c;
	struct impair_change ch;

	(void)state;
	assert_true(parse("reorder 1%", &ch) > 0);
	assert_int_equal(
	    impair_merge(&c, &ch, IMPAIR_IN, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "delay"));
	assert_true(parse("loss 1% burst 1k", &ch) > 0);
	assert_int_equal(
	    impair_merge(&c, &ch, IMPAIR_IN, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "rate"));
	assert_memory_equal(&c, &old, sizeof(c));
	/* With what is set already, they are none. */
	c.delay_ns = 1;
	assert_true(parse("reorder 1%", &ch) > 0);
	assert_int_equal(impair_merge(&c, &ch, IMPAIR_IN, why, sizeof(why)), 0);
	assert_int_equal(c.reorder, 10000000);
	assert_int_equal(c.limit, 5);
}

/* What is printed makes the same again; also the longest of all. */
static void
test_what_is_printed_reads_the_same(void **state)
{
	struct impair_config c, again, before = { .limit = 1 };
	struct impair_change ch;
	struct prng g = prng_init(5);
	char text[IMPAIR_TEXT_MAX], text2[IMPAIR_TEXT_MAX];
	size_t longest = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		memset(&c, 0, sizeof(c));
		c.gemodel = prng_below(&g, 2);
		c.loss.good = (uint32_t)prng_below(&g, QUANTITY_WHOLE + 1ull);
		if (c.gemodel) {
			c.loss.p = (uint32_t)prng_below(&g, QUANTITY_WHOLE);
			c.loss.r = (uint32_t)prng_below(&g, QUANTITY_WHOLE);
			c.loss.bad = (uint32_t)prng_below(&g, QUANTITY_WHOLE);
		}
		c.delay_ns = 1 + prng_below(&g, IMPAIR_DELAY_MAX);
		c.jitter_ns = prng_below(&g, 2) * prng_below(&g, 1000000000);
		c.dist = (enum impair_dist)prng_below(&g, 3);
		c.keep_order = prng_below(&g, 2);
		c.duplicate = (uint32_t)prng_below(&g, QUANTITY_WHOLE);
		c.reorder = (uint32_t)prng_below(&g, QUANTITY_WHOLE);
		c.corrupt = (uint32_t)prng_below(&g, QUANTITY_WHOLE);
		c.rate = prng_range(&g, 100, RATE_MAX);
		c.burst = prng_below(&g, BURST_MAX);
		c.limit = (uint32_t)prng_range(&g, 1, PIPE_LIMIT_MAX);
		c.seed = prng_u64(&g);
		impair_format(&c, false, text);
		longest = COAX_MAX(longest, strlen(text));
		again = config_of(text);
		assert_string_equal(impair_format(&again, false, text2), text);
		assert_int_equal(again.seed, c.seed);
		assert_int_equal(again.rate, c.rate);
		/* And in full, whatever was there before. */
		impair_format(&c, true, text);
		longest = COAX_MAX(longest, strlen(text));
		assert_true(parse(text, &ch) > 0);
		assert_int_equal(
		    impair_merge(&before, &ch, IMPAIR_IN, why, sizeof(why)), 0);
		assert_string_equal(impair_format(&before, true, text2), text);
	}
	assert_true(longest > 200);
}

/* --- fates ---------------------------------------------------------------- */

static void
test_same_seed_same_fate(void **state)
{
	struct impair_config c = config_of(
	    "loss 10% duplicate 10% corrupt 10% delay 5ms jitter 5ms");
	struct impair_state a = impair_begin(7, IMPAIR_OUT);
	struct impair_state b = impair_begin(7, IMPAIR_OUT);
	struct impair_state other = impair_begin(8, IMPAIR_OUT);
	struct impair_state in = impair_begin(7, IMPAIR_IN);
	uint32_t differ_seed = 0, differ_way = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct impair_fate fa = impair_fate(&c, &a);
		struct impair_fate fb = impair_fate(&c, &b);
		struct impair_fate fo = impair_fate(&c, &other);
		struct impair_fate fi = impair_fate(&c, &in);

		assert_int_equal(fa.lost, fb.lost);
		assert_int_equal(fa.duplicate, fb.duplicate);
		assert_int_equal(fa.corrupt, fb.corrupt);
		assert_true(fa.delay_ns == fb.delay_ns);
		differ_seed += fa.delay_ns != fo.delay_ns;
		differ_way += fa.delay_ns != fi.delay_ns;
	}
	assert_true(differ_seed > 900);
	assert_true(differ_way > 900);
}

/* The first fates of seed 7 outwards: they may never change, or runs that were
 * recorded cannot be repeated. */
static void
test_fates_are_for_ever(void **state)
{
	static const uint64_t delays[] = { 24640579, 17772599, 0, 17746048,
		15167542, 17396622, 16545868, 0, 0, 0, 16906281, 0 };
	struct impair_config c = config_of("loss 20% delay 20ms jitter 5ms");
	struct impair_state s = impair_begin(7, IMPAIR_OUT);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
		struct impair_fate f = impair_fate(&c, &s);

		assert_int_equal(f.lost ? 0 : f.delay_ns, delays[i]);
	}
}

/* One more question does not change the answers to the others. */
static void
test_knobs_do_not_touch_each_other(void **state)
{
	struct impair_config plain = config_of("loss 10%");
	struct impair_config all = config_of(
	    "loss 10% duplicate 50% delay 9ms reorder 50% corrupt 50%");
	struct impair_state a = impair_begin(1, IMPAIR_IN), b = a;

	(void)state;
	for (int i = 0; i < 5000; i++)
		assert_int_equal(
		    impair_fate(&plain, &a).lost, impair_fate(&all, &b).lost);
}

/* Within four deviations of what a fair coin of that bias gives. */
static void
assert_share(uint64_t count, uint64_t of, double share)
{
	double mean = (double)of * share;
	double deviation = sqrt((double)of * share * (1 - share));

	assert_true(fabs((double)count - mean) <= 4 * deviation + 0.5);
}

static void
test_shares_are_as_set(void **state)
{
	struct impair_config c = config_of(
	    "loss 1% duplicate 0.1% delay 1ms reorder 2% corrupt 0.01%");
	uint64_t lost = 0, dup = 0, reorder = 0, corrupt = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct impair_state s = impair_begin(seed, IMPAIR_OUT);

		for (int i = 0; i < FRAMES; i++) {
			struct impair_fate f = impair_fate(&c, &s);

			lost += f.lost;
			dup += f.duplicate;
			reorder += f.reorder;
			corrupt += f.corrupt;
			assert_true(f.reorder == (f.delay_ns == 0) || f.lost);
		}
	}
	assert_share(lost, 10 * FRAMES, 0.01);
	assert_share(dup, 10 * FRAMES - lost, 0.001);
	assert_share(reorder, 10 * FRAMES - lost, 0.02);
	assert_share(corrupt, 10 * FRAMES - lost, 0.0001);
}

static void
test_all_or_nothing(void **state)
{
	struct impair_config none = config_of("loss 0");
	struct impair_config all = config_of("loss 100%");
	struct impair_state s = impair_begin(3, IMPAIR_IN);

	(void)state;
	for (int i = 0; i < 10000; i++) {
		assert_false(impair_fate(&none, &s).lost);
		assert_true(impair_fate(&all, &s).lost);
	}
}

/* Gilbert-Elliott: the whole share, and the length of bursts. */
static void
test_bursts_have_their_length(void **state)
{
	struct impair_config c = config_of("loss gemodel 1% 25%");
	struct impair_state s = impair_begin(11, IMPAIR_OUT);
	uint64_t lost = 0, bursts = 0;
	bool before = false;

	(void)state;
	for (int i = 0; i < 10 * FRAMES; i++) {
		bool now = impair_fate(&c, &s).lost;

		lost += now;
		bursts += now && !before;
		before = now;
	}
	/* p / (p + r), and 1 / r: here frames are not independent, so the
	 * bounds are wider. */
	assert_true(fabs((double)lost / (10 * FRAMES) - 0.01 / 0.26) < 0.002);
	assert_true(fabs((double)lost / (double)bursts - 4) < 0.1);
	/* With losses in both states. */
	c = config_of("loss gemodel 5% 20% 60% 1%");
	lost = 0;
	for (int i = 0; i < 10 * FRAMES; i++)
		lost += impair_fate(&c, &s).lost;
	assert_true(fabs((double)lost / (10 * FRAMES) -
	                 (0.05 * 0.6 + 0.2 * 0.01) / 0.25) < 0.002);
}

static void
moments(const char *line, double *mean, double *deviation, double *least)
{
	struct impair_config c = config_of(line);
	struct impair_state s = impair_begin(13, IMPAIR_OUT);
	double sum = 0, squares = 0;

	*least = 1e30;
	for (int i = 0; i < FRAMES; i++) {
		double d = (double)impair_fate(&c, &s).delay_ns / 1e6;

		sum += d;
		squares += d * d;
		*least = d < *least ? d : *least;
	}
	*mean = sum / FRAMES;
	*deviation = sqrt(squares / FRAMES - *mean * *mean);
}

static void
test_jitter_has_the_shape_that_was_asked_for(void **state)
{
	double mean, deviation, least;

	(void)state;
	moments("delay 50ms jitter 5ms", &mean, &deviation, &least);
	assert_true(fabs(mean - 50) < 0.05);
	assert_true(fabs(deviation - 5 / sqrt(3)) < 0.02);
	assert_true(least >= 45);
	moments("delay 50ms jitter 5ms dist normal", &mean, &deviation, &least);
	assert_true(fabs(mean - 50) < 0.05);
	assert_true(fabs(deviation - 5) < 0.05);
	assert_true(least < 35);
	moments("delay 50ms jitter 5ms dist pareto", &mean, &deviation, &least);
	assert_true(fabs(mean - 50) < 0.1);
	assert_true(fabs(deviation - 5) < 0.5); /* the tail is heavy */
	assert_true(fabs(least - (50 - 5 * 0.577)) < 0.05);
	/* No frame comes before it was sent. */
	moments("delay 1ms jitter 5ms dist normal", &mean, &deviation, &least);
	assert_true(least == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_line_of_the_manual),
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_it_ends_at_the_first_foreign_word),
		cmocka_unit_test(test_burst_loss_has_the_presets_of_netem),
		cmocka_unit_test(test_what_makes_no_sense_is_refused),
		cmocka_unit_test(
		    test_contradictions_are_refused_and_change_nothing),
		cmocka_unit_test(test_what_is_printed_reads_the_same),
		cmocka_unit_test(test_same_seed_same_fate),
		cmocka_unit_test(test_fates_are_for_ever),
		cmocka_unit_test(test_knobs_do_not_touch_each_other),
		cmocka_unit_test(test_shares_are_as_set),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_bursts_have_their_length),
		cmocka_unit_test(test_jitter_has_the_shape_that_was_asked_for),
	};

	return cmocka_run_group_tests_name("pipe_impair", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers with units: read exactly, written so that they read the same. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/prng.h"
#include "base/quantity.h"
#include "base/util.h"

static uint64_t
parsed(const char *s, const struct quantity_unit *units)
{
	uint64_t v = 0;

	assert_int_equal(quantity_parse(s, units, UINT64_MAX, &v), 0);
	return v;
}

static void
test_numbers_mean_what_their_unit_says(void **state)
{
	(void)state;
	assert_int_equal(parsed("20ms", quantity_time), 20000000);
	assert_int_equal(parsed("1.5us", quantity_time), 1500);
	assert_int_equal(parsed("0.000000001s", quantity_time), 1);
	assert_int_equal(parsed("7NS", quantity_time), 7);
	assert_int_equal(parsed("10Mbit", quantity_rate), 10000000);
	assert_int_equal(parsed("10mbit/s", quantity_rate), 10000000);
	assert_int_equal(parsed("2.5Gbit", quantity_rate), 2500000000);
	assert_int_equal(parsed("125kByte/s", quantity_rate), 1000000);
	assert_int_equal(parsed("32k", quantity_size), 32768);
	assert_int_equal(parsed("32KB", quantity_size), 32768);
	assert_int_equal(parsed("1500", quantity_size), 1500);
	assert_int_equal(parsed("0.5m", quantity_size), 524288);
	assert_int_equal(parsed("1%", quantity_percent), 10000000);
	assert_int_equal(parsed("0.0000001%", quantity_percent), 1);
	assert_int_equal(parsed("100%", quantity_percent), QUANTITY_WHOLE);
	assert_int_equal(parsed("0", quantity_percent), 0);
	assert_int_equal(parsed("0.00", quantity_time), 0);
	assert_int_equal(
	    parsed("18446744073709551615ns", quantity_time), UINT64_MAX);
}

static void
test_what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = { "", "ms", "1", "1 ms", " 1ms",
		"-1ms", "+1ms", "1.ms", ".5ms", "1.5", "1msec", "1mss",
		"0x10ms", "1e3ms", "1,5ms", "0.5ns", "1.0000000001s", "nan" };
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    quantity_parse(bad[i], quantity_time, UINT64_MAX, &v),
		    -EINVAL);
	assert_int_equal(
	    quantity_parse("0.00000001%", quantity_percent, UINT64_MAX, &v),
	    -EINVAL);
	assert_int_equal(v, 7);
}

static void
test_what_is_too_much_is_refused(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(
	    quantity_parse("101ms", quantity_time, 100000000, &v), -ERANGE);
	assert_int_equal(quantity_parse("18446744073709551616ns", quantity_time,
	                     UINT64_MAX, &v),
	    -ERANGE);
	assert_int_equal(quantity_parse("99999999999999999999999999999999s",
	                     quantity_time, UINT64_MAX, &v),
	    -ERANGE);
	assert_int_equal(quantity_parse("18446744073709551615s", quantity_time,
	                     UINT64_MAX, &v),
	    -ERANGE);
	assert_int_equal(v, 7);
}

static void
test_short_forms_are_written(void **state)
{
	char buf[QUANTITY_STRLEN];

	(void)state;
#define W(v, table) quantity_format((v), quantity_##table, buf)
	assert_string_equal(W(20000000, time), "20ms");
	assert_string_equal(W(1500000, time), "1.5ms");
	assert_string_equal(W(1234567, time), "1234.567us");
	assert_string_equal(W(1, time), "1ns");
	assert_string_equal(W(0, time), "0ns");
	assert_string_equal(W(10000000, rate), "10Mbit");
	assert_string_equal(W(1234, rate), "1.234kbit");
	assert_string_equal(W(32768, size), "32k");
	assert_string_equal(W(1000, size), "1000");
	assert_string_equal(W(1536, size), "1.5k");
	assert_string_equal(W(10000000, percent), "1%");
	assert_string_equal(W(1, percent), "0.0000001%");
	assert_string_equal(W(0, percent), "0%");
#undef W
}

static void
test_what_was_written_reads_the_same(void **state)
{
	static const struct quantity_unit *const tables[] = { quantity_time,
		quantity_rate, quantity_size, quantity_percent };
	struct prng g = prng_init(1);
	char buf[QUANTITY_STRLEN];

	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (int i = 0; i < 20000; i++) {
			/* Of every magnitude, round or not. */
			uint64_t v = prng_u64(&g) >> prng_below(&g, 64);

			if (i % 2 == 0)
				v -= v % 1000;
			quantity_format(v, tables[t], buf);
			assert_int_equal(parsed(buf, tables[t]), v);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_mean_what_their_unit_says),
		cmocka_unit_test(test_what_is_no_number_is_refused),
		cmocka_unit_test(test_what_is_too_much_is_refused),
		cmocka_unit_test(test_short_forms_are_written),
		cmocka_unit_test(test_what_was_written_reads_the_same),
	};

	return cmocka_run_group_tests_name("base_quantity", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* base/str.h: bounded copy, strict numbers, edit distance, formatter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/str.h"

static void
test_copy_is_whole_or_not_at_all(void **state)
{
	char b[5] = "old";

	(void)state;
	assert_int_equal(str_copy(b, sizeof(b), "tap10"), -ENAMETOOLONG);
	assert_string_equal(b, "old");
	assert_int_equal(str_copy(b, sizeof(b), "tap1"), 0);
	assert_string_equal(b, "tap1");
	assert_int_equal(str_copy(b, sizeof(b), ""), 0);
	assert_string_equal(b, "");
	assert_int_equal(str_copy(b, 0, ""), -ENAMETOOLONG);
}

static void
test_numbers_are_read_in_any_base(void **state)
{
	static const struct {
		const char *text;
		int base;
		uint64_t value;
	} good[] = {
		{ "0", 10, 0 },
		{ "1500", 10, 1500 },
		{ "007", 10, 7 },
		{ "0", 0, 0 },
		{ "010", 0, 8 },
		{ "0x1F", 0, 31 },
		{ "0Xff", 16, 255 },
		{ "ff", 16, 255 },
		{ "101", 2, 5 },
		{ "zz", 36, 1295 },
		{ "18446744073709551615", 10, UINT64_MAX },
		{ "0xffffffffffffffff", 0, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t v = 42;

		assert_int_equal(
		    str_u64(good[i].text, good[i].base, 0, UINT64_MAX, &v), 0);
		assert_true(v == good[i].value);
	}
}

static void
test_what_is_not_a_number_is_refused(void **state)
{
	static const struct {
		const char *text;
		int base;
	} bad[] = { { NULL, 10 }, { "", 10 }, { " 1", 10 }, { "1 ", 10 },
		{ "+1", 10 }, { "-1", 10 }, { "1.5", 10 }, { "0x1", 10 },
		{ "0x", 0 }, { "0x", 16 }, { "08", 0 }, { "12a", 10 },
		{ "g", 16 }, { "2", 2 }, { "0xg", 0 }, { "1\n", 10 },
		/* Out of range, but no number either. */
		{ "99999999999999999999x", 10 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t v = 42;

		assert_int_equal(
		    str_u64(bad[i].text, bad[i].base, 0, UINT64_MAX, &v),
		    -EINVAL);
		assert_true(v == 42);
	}
}

static void
test_numbers_out_of_range_are_refused(void **state)
{
	static const char *const over[] = { "18446744073709551616",
		"18446744073709551620", "99999999999999999999",
		"100000000000000000000000000000000" };
	uint64_t v = 42;
	uint32_t w = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(over); i++)
		assert_int_equal(
		    str_u64(over[i], 10, 0, UINT64_MAX, &v), -ERANGE);
	assert_int_equal(str_u64("67", 10, 68, 1500, &v), -ERANGE);
	assert_int_equal(str_u64("1501", 10, 68, 1500, &v), -ERANGE);
	assert_true(v == 42);
	assert_int_equal(str_u64("68", 10, 68, 1500, &v), 0);
	assert_int_equal(str_u64("1500", 10, 68, 1500, &v), 0);

	assert_int_equal(str_u32("4294967296", 10, 0, UINT32_MAX, &w), -ERANGE);
	assert_int_equal(str_u32("x", 10, 0, UINT32_MAX, &w), -EINVAL);
	assert_int_equal(w, 42);
	assert_int_equal(str_u32("4294967295", 10, 0, UINT32_MAX, &w), 0);
	assert_true(w == UINT32_MAX);
}

static void
test_distance_counts_single_edits(void **state)
{
	char longest[STR_DISTANCE_MAX + 1];

	(void)state;
	assert_int_equal(str_distance("", ""), 0);
	assert_int_equal(str_distance("addm", "addm"), 0);
	assert_int_equal(str_distance("", "stp"), 3);
	assert_int_equal(str_distance("stp", ""), 3);
	assert_int_equal(str_distance("add", "addm"), 1);
	assert_int_equal(str_distance("adddm", "addm"), 1);
	assert_int_equal(str_distance("sdp", "stp"), 1);
	assert_int_equal(str_distance("admd", "addm"), 1); /* a swap */
	assert_int_equal(str_distance("kitten", "sitting"), 3);
	assert_int_equal(str_distance("ca", "abc"), 3);

	/* The longest words, and one more. */
	memset(longest, 'a', sizeof(longest));
	longest[STR_DISTANCE_MAX - 1] = '\0';
	assert_int_equal(str_distance(longest, longest), 0);
	assert_int_equal(str_distance(longest, ""), STR_DISTANCE_MAX - 1);
	longest[STR_DISTANCE_MAX - 1] = 'a';
	longest[STR_DISTANCE_MAX] = '\0';
	assert_int_equal(str_distance(longest, "a"), STR_DISTANCE_MAX);
	assert_int_equal(str_distance("a", longest), STR_DISTANCE_MAX);
}

static void
test_prefix(void **state)
{
	(void)state;
	assert_true(str_has_prefix("bridge0", "bridge"));
	assert_true(str_has_prefix("bridge0", ""));
	assert_false(str_has_prefix("bridg", "bridge"));
	assert_false(str_has_prefix("tap0", "bridge"));
}

static void
test_formatter_appends(void **state)
{
	char text[16];
	struct sbuf b = sbuf_init(text, sizeof(text));

	(void)state;
	assert_string_equal(text, "");
	sbuf_puts(&b, "mtu");
	sbuf_putc(&b, ' ');
	sbuf_printf(&b, "%d/%s", 1500, "up");
	assert_string_equal(text, "mtu 1500/up");
	assert_int_equal(b.len, 11);
	sbuf_puts(&b, "1234"); /* fits exactly, with its 0 */
	assert_true(sbuf_ok(&b));
	assert_string_equal(text, "mtu 1500/up1234");
	sbuf_puts(&b, "");
	assert_true(sbuf_ok(&b));
}

static void
test_formatter_cuts_and_stays_so(void **state)
{
	char text[9] = "xxxxxxxx";
	struct sbuf b = sbuf_init(text, 8);

	(void)state;
	text[8] = 'x';
	sbuf_puts(&b, "12345678");
	assert_false(sbuf_ok(&b));
	assert_string_equal(text, "1234567");

	b = sbuf_init(text, 8);
	sbuf_printf(&b, "%08d", 1);
	assert_false(sbuf_ok(&b));
	assert_string_equal(text, "0000000");
	assert_int_equal(b.len, 7);

	b = sbuf_init(text, 8);
	sbuf_printf(&b, "%s", "1234567");
	assert_true(sbuf_ok(&b));
	sbuf_putc(&b, '8');
	assert_false(sbuf_ok(&b));
	sbuf_printf(&b, "%s", "");
	sbuf_puts(&b, "9");
	assert_string_equal(text, "1234567");

	b = sbuf_init(text, 1);
	sbuf_putc(&b, 'a');
	assert_false(sbuf_ok(&b));
	assert_string_equal(text, "");
	assert_int_equal(text[8], 'x');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_is_whole_or_not_at_all),
		cmocka_unit_test(test_numbers_are_read_in_any_base),
		cmocka_unit_test(test_what_is_not_a_number_is_refused),
		cmocka_unit_test(test_numbers_out_of_range_are_refused),
		cmocka_unit_test(test_distance_counts_single_edits),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_formatter_appends),
		cmocka_unit_test(test_formatter_cuts_and_stays_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* base/bytes.h: numbers of either order, and cursors that do not overrun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static const uint8_t wire[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
	0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10 };

/* At an odd address, so that an aligned load would be caught by UBSan. */
static void
test_numbers_are_read_at_any_alignment(void **state)
{
	(void)state;
	assert_int_equal(be16_get(wire + 1), 0x0203);
	assert_int_equal(be32_get(wire + 1), 0x02030405);
	assert_true(be64_get(wire + 1) == 0x0203040506070809u);
	assert_int_equal(le16_get(wire + 1), 0x0302);
	assert_int_equal(le32_get(wire + 1), 0x05040302);
	assert_true(le64_get(wire + 1) == 0x0908070605040302u);
}

static void
test_numbers_are_written_as_they_are_read(void **state)
{
	uint8_t b[9] = { 0 };

	(void)state;
	be16_put(b + 1, 0x0203);
	assert_memory_equal(b + 1, wire + 1, 2);
	be32_put(b + 1, 0x02030405);
	assert_memory_equal(b + 1, wire + 1, 4);
	be64_put(b + 1, 0x0203040506070809u);
	assert_memory_equal(b + 1, wire + 1, 8);
	le16_put(b + 1, 0x0302);
	assert_memory_equal(b + 1, wire + 1, 2);
	le32_put(b + 1, 0x05040302);
	assert_memory_equal(b + 1, wire + 1, 4);
	le64_put(b + 1, 0x0908070605040302u);
	assert_memory_equal(b + 1, wire + 1, 8);
	assert_int_equal(b[0], 0);
}

static void
test_reader_goes_through_in_order(void **state)
{
	struct rd r = rd_init(wire, sizeof(wire));
	uint8_t two[2];

	(void)state;
	assert_int_equal(rd_u8(&r), 0x01);
	assert_int_equal(rd_be16(&r), 0x0203);
	assert_int_equal(rd_be32(&r), 0x04050607);
	rd_skip(&r, 1);
	assert_int_equal(rd_le16(&r), 0x0a09);
	rd_copy(&r, two, 2);
	assert_memory_equal(two, wire + 10, 2);
	assert_ptr_equal(rd_bytes(&r, 2), wire + 12);
	assert_int_equal(rd_left(&r), 2);
	assert_true(rd_ok(&r));
	assert_int_equal(rd_be16(&r), 0x0f10);
	assert_true(rd_ok(&r)); /* to the last byte is not past it */
	assert_int_equal(rd_left(&r), 0);

	r = rd_init(wire, sizeof(wire));
	assert_true(rd_be64(&r) == 0x0102030405060708u);
	assert_int_equal(rd_le32(&r), 0x0c0b0a09);
	r = rd_init(wire, sizeof(wire));
	assert_true(rd_le64(&r) == 0x0807060504030201u);
}

/* Each read, with one byte too few. */
static void
test_read_past_the_end_gives_zero(void **state)
{
	uint8_t copy[4];
	struct rd r;

	(void)state;
	r = rd_init(wire, 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_false(rd_ok(&r));
	r = rd_init(wire, 1);
	assert_int_equal(rd_be16(&r), 0);
	assert_false(rd_ok(&r));
	r = rd_init(wire, 3);
	assert_int_equal(rd_be32(&r), 0);
	assert_false(rd_ok(&r));
	r = rd_init(wire, 7);
	assert_true(rd_be64(&r) == 0);
	assert_false(rd_ok(&r));
	r = rd_init(wire, 1);
	assert_int_equal(rd_le16(&r), 0);
	assert_false(rd_ok(&r));
	r = rd_init(wire, 3);
	assert_int_equal(rd_le32(&r), 0);
	assert_false(rd_ok(&r));
	r = rd_init(wire, 7);
	assert_true(rd_le64(&r) == 0);
	assert_false(rd_ok(&r));
	r = rd_init(wire, 3);
	rd_skip(&r, 4);
	assert_false(rd_ok(&r));
	r = rd_init(wire, 3);
	assert_null(rd_bytes(&r, SIZE_MAX));
	assert_false(rd_ok(&r));
	r = rd_init(wire, 3);
	memset(copy, 0xaa, sizeof(copy));
	rd_copy(&r, copy, sizeof(copy));
	assert_memory_equal(copy, "\0\0\0\0", 4);
	assert_false(rd_ok(&r));
}

static void
test_reader_stays_bad(void **state)
{
	struct rd r = rd_init(wire, 3);

	(void)state;
	assert_int_equal(rd_be32(&r), 0);
	assert_int_equal(rd_left(&r), 0);
	assert_int_equal(rd_u8(&r), 0); /* although there were three bytes */
	assert_null(rd_bytes(&r, 0));
	assert_false(rd_ok(&r));
}

static void
test_empty_reader_takes_empty_reads(void **state)
{
	struct rd r = rd_init(NULL, 0);

	(void)state;
	rd_skip(&r, 0);
	rd_copy(&r, NULL, 0);
	(void)rd_bytes(&r, 0);
	assert_true(rd_ok(&r));
}

static void
test_writer_writes_in_order(void **state)
{
	uint8_t b[31];
	struct wr w = wr_init(b, sizeof(b));

	(void)state;
	wr_u8(&w, 0x01);
	wr_be16(&w, 0x0203);
	wr_be32(&w, 0x04050607);
	wr_be64(&w, 0x08090a0b0c0d0e0fu);
	assert_memory_equal(b, wire, 15);
	wr_le16(&w, 0x0201);
	wr_le32(&w, 0x06050403);
	wr_le64(&w, 0x0e0d0c0b0a090807u);
	assert_memory_equal(b + 15, wire, 14);
	assert_int_equal(wr_len(&w), 29);
	assert_int_equal(wr_left(&w), 2);
	wr_zero(&w, 1);
	wr_bytes(&w, "x", 1);
	assert_int_equal(b[29], 0);
	assert_int_equal(b[30], 'x');
	assert_true(wr_ok(&w));
	assert_int_equal(wr_len(&w), 31);
}

static void
test_write_that_does_not_fit_writes_nothing(void **state)
{
	uint8_t b[4] = { 0xee, 0xee, 0xee, 0xee };
	struct wr w = wr_init(b, 3);

	(void)state;
	wr_be16(&w, 0x0102);
	wr_be16(&w, 0x0304);
	assert_false(wr_ok(&w));
	wr_u8(&w, 0x05); /* would fit, but the writer stays bad */
	assert_null(wr_reserve(&w, 0));
	assert_memory_equal(b, "\x01\x02\xee\xee", 4);
	assert_int_equal(wr_len(&w), 2);
	assert_int_equal(wr_left(&w), 0);
}

static void
test_reserved_place_is_filled_later(void **state)
{
	uint8_t b[4];
	struct wr w = wr_init(b, sizeof(b));
	uint8_t *len = wr_reserve(&w, 2);

	(void)state;
	assert_ptr_equal(len, b);
	wr_be16(&w, 0x0304);
	be16_put(len, 0x0102);
	assert_memory_equal(b, wire, 4);
	assert_null(wr_reserve(&w, 1));
	assert_false(wr_ok(&w));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_read_at_any_alignment),
		cmocka_unit_test(test_numbers_are_written_as_they_are_read),
		cmocka_unit_test(test_reader_goes_through_in_order),
		cmocka_unit_test(test_read_past_the_end_gives_zero),
		cmocka_unit_test(test_reader_stays_bad),
		cmocka_unit_test(test_empty_reader_takes_empty_reads),
		cmocka_unit_test(test_writer_writes_in_order),
		cmocka_unit_test(test_write_that_does_not_fit_writes_nothing),
		cmocka_unit_test(test_reserved_place_is_filled_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers with units, as people write them: 20ms, 1.5Mbit, 32k, 0.01%.
 *
 * A table of units says what is meant; a quantity is a whole number of the
 * smallest (nanoseconds, bits a second, bytes, parts in 10^9).  Reading and
 * writing are exact: what does not come out even is refused, and what
 * quantity_format() writes reads as the same number.
 */
#pragma once

#include <stdint.h>

#define QUANTITY_STRLEN 40 /* room for quantity_format(), with the NUL */

/* One unit; a NULL name ends a table.  Rows go from the largest to the
 * smallest; of rows with one factor the first is written.  A row "" lets a
 * bare number mean something else than nothing. */
struct quantity_unit {
	const char *name;
	uint64_t factor;
};

extern const struct quantity_unit quantity_time[];    /* in ns */
extern const struct quantity_unit quantity_rate[];    /* in bit/s */
extern const struct quantity_unit quantity_size[];    /* in bytes; k is 1024 */
extern const struct quantity_unit quantity_percent[]; /* in parts in 10^9 */

#define QUANTITY_WHOLE 1000000000u /* 100%, in parts */

/**
 * quantity_parse() - read a decimal number with a unit
 * @s:     "1.5ms"; no blank in it; a unit's letters in either case; 0 needs no
 *         unit
 * @units: what is allowed
 * @max:   largest result allowed
 * @out:   written only on success
 *
 * Return: 0, -EINVAL (no number, no unit of the table, finer than the smallest
 * unit) or -ERANGE (more than @max).
 */
int quantity_parse(const char *s, const struct quantity_unit *units,
    uint64_t max, uint64_t *out);

/**
 * quantity_format() - write one with the largest unit that keeps it short
 *
 * Return: @buf.
 */
char *quantity_format(
    uint64_t v, const struct quantity_unit *units, char buf[QUANTITY_STRLEN]);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings: bounded copy, strict numbers, a bounded formatter, and the distance
 * between two words for "did you mean".
 *
 * Numbers are strict: no sign, no white space, nothing after the last digit, no
 * empty string; and the caller states the range.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

/**
 * str_copy() - copy a string into a buffer of fixed size
 * @dst:  buffer; always terminated when @size > 0
 * @size: its size in bytes
 * @src:  string to copy; borrowed
 *
 * Return: 0, or -ENAMETOOLONG if it does not fit: @dst then is as it was.
 */
int str_copy(char *dst, size_t size, const char *src);

/**
 * str_u64() - parse a whole string as an unsigned number
 * @s:    string; borrowed; NULL is refused as the empty string is
 * @base: 2 to 36, or 0 as in strtoul(3): "0x" hexadecimal, "0" octal, else
 *        decimal. Base 16 takes a leading "0x" too
 * @min, @max: smallest and largest number allowed
 * @out:  result; written only on success
 *
 * Return: 0, -EINVAL (not a number) or -ERANGE (not in the range, however many
 * digits there are).
 */
int str_u64(const char *s, int base, uint64_t min, uint64_t max, uint64_t *out);

/* As str_u64(), for 32 bits. */
int str_u32(const char *s, int base, uint32_t min, uint32_t max, uint32_t *out);

#define STR_DISTANCE_MAX 64 /* longest word that str_distance() looks at */

/**
 * str_distance() - edit distance between two words
 *
 * Insertions, deletions, substitutions and swaps of neighbours count 1 each
 * (Damerau-Levenshtein, optimal string alignment).
 *
 * Return: the distance, or STR_DISTANCE_MAX if a word is longer than
 * STR_DISTANCE_MAX - 1 characters.
 */
unsigned int str_distance(const char *a, const char *b);

/* True if @s begins with @prefix. */
bool str_has_prefix(const char *s, const char *prefix);

/*
 * A formatter into a buffer of fixed size. What does not fit is cut and makes
 * sbuf_ok() false; so what follows is not written either. The text is
 * terminated at any time.
 */
struct sbuf {
	char *text; /* borrowed */
	size_t size;
	size_t len; /* without the terminating 0 */
	bool overflow;
};

/* Starts an empty text in @size (> 0) bytes at @text, which stay borrowed. */
struct sbuf sbuf_init(char *text, size_t size);

/* True as long as everything fitted. */
bool sbuf_ok(const struct sbuf *b);

/* Appends; nothing if something did not fit before. */
void sbuf_putc(struct sbuf *b, char c);
void sbuf_puts(struct sbuf *b, const char *s);
void sbuf_printf(struct sbuf *b, const char *fmt, ...) COAX_PRINTF(2, 3);

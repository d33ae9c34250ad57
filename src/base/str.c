/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings: copy, numbers, distance, formatter. See str.h. */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(dst, src, len + 1);
	return 0;
}

/* The value of a digit in any base up to 36, or 36 if it is none. */
static unsigned int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned int)(c - 'A') + 10;
	return 36;
}

int
str_u64(const char *s, int base, uint64_t min, uint64_t max, uint64_t *out)
{
	bool over = false;
	uint64_t v = 0;
	unsigned int b;

	ASSERT(base == 0 || (base >= 2 && base <= 36));
	if (s == NULL || *s == '\0')
		return -EINVAL;
	b = base == 0 ? 10 : (unsigned int)base;
	if ((base == 0 || base == 16) && s[0] == '0' &&
	    (s[1] == 'x' || s[1] == 'X')) {
		b = 16;
		s += 2;
		if (*s == '\0')
			return -EINVAL;
	} else if (base == 0 && s[0] == '0') {
		b = 8;
	}
	/* To the end in any case: "99999999999999999999x" is no number. */
	for (; *s != '\0'; s++) {
		unsigned int d = digit_value(*s);

		if (d >= b)
			return -EINVAL;
		if (v > (UINT64_MAX - d) / b)
			over = true;
		v = v * b + d;
	}
	if (over || v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int
str_u32(const char *s, int base, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t v;
	int err;

	err = str_u64(s, base, min, max, &v);
	if (err != 0)
		return err;
	*out = (uint32_t)v;
	return 0;
}

unsigned int
str_distance(const char *a, const char *b)
{
	size_t alen = strnlen(a, STR_DISTANCE_MAX);
	size_t blen = strnlen(b, STR_DISTANCE_MAX);
	/* Rows i - 2, i - 1 and i of the matrix: distances of prefixes. */
	unsigned int rows[3][STR_DISTANCE_MAX];

	if (alen >= STR_DISTANCE_MAX || blen >= STR_DISTANCE_MAX)
		return STR_DISTANCE_MAX;
	for (unsigned int j = 0; j <= blen; j++)
		rows[0][j] = j;
	for (unsigned int i = 1; i <= alen; i++) {
		unsigned int *cur = rows[i % 3];
		const unsigned int *prev = rows[(i - 1) % 3];

		cur[0] = i;
		for (unsigned int j = 1; j <= blen; j++) {
			unsigned int cost = a[i - 1] != b[j - 1];
			unsigned int d = prev[j - 1] + cost;

			d = COAX_MIN(d, prev[j] + 1);
			d = COAX_MIN(d, cur[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1]) {
				unsigned int t = rows[(i - 2) % 3][j - 2] + 1;

				d = COAX_MIN(d, t);
			}
			cur[j] = d;
		}
	}
	return rows[alen % 3][blen];
}

bool
str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

struct sbuf
sbuf_init(char *text, size_t size)
{
	ASSERT(size > 0);
	text[0] = '\0';
	return (struct sbuf){ .text = text, .size = size };
}

bool
sbuf_ok(const struct sbuf *b)
{
	return !b->overflow;
}

void
sbuf_putc(struct sbuf *b, char c)
{
	if (b->overflow)
		return;
	if (b->size - b->len < 2) {
		b->overflow = true;
		return;
	}
	b->text[b->len++] = c;
	b->text[b->len] = '\0';
}

void
sbuf_puts(struct sbuf *b, const char *s)
{
	for (; *s != '\0' && !b->overflow; s++)
		sbuf_putc(b, *s);
}

void
sbuf_printf(struct sbuf *b, const char *fmt, ...)
{
	size_t room = b->size - b->len;
	va_list ap;
	int n;

	if (b->overflow)
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->text + b->len, room, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->text[b->len] = '\0';
		b->overflow = true;
	} else if ((size_t)n >= room) {
		b->len = b->size - 1;
		b->overflow = true;
	} else {
		b->len += (size_t)n;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A text that grows. See text.h. */
#include "control/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_FIRST 256

/* Room for @more bytes and the terminator. */
static bool
text_grow(struct text *t, size_t more)
{
	size_t size = t->size != 0 ? t->size : TEXT_FIRST;
	char *s;

	if (t->failed || more >= SIZE_MAX / 2 - t->len) {
		t->failed = true;
		return false;
	}
	while (size - t->len <= more)
		size *= 2;
	if (size == t->size)
		return true;
	s = realloc(t->s, size);
	if (s == NULL) {
		t->failed = true;
		return false;
	}
	t->s = s;
	t->size = size;
	return true;
}

void
text_putn(struct text *t, const char *s, size_t len)
{
	if (!text_grow(t, len))
		return;
	if (len > 0)
		memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = '\0';
}

void
text_puts(struct text *t, const char *s)
{
	text_putn(t, s, strlen(s));
}

void
text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!text_grow(t, 0))
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->s + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= t->size - t->len) {
		if (!text_grow(t, (size_t)n)) {
			t->s[t->len] = '\0';
			return;
		}
		va_start(ap, fmt);
		n = vsnprintf(t->s + t->len, t->size - t->len, fmt, ap);
		va_end(ap);
	}
	if (n < 0) {
		t->s[t->len] = '\0';
		t->failed = true;
		return;
	}
	t->len += (size_t)n;
}

bool
text_ok(const struct text *t)
{
	return !t->failed;
}

const char *
text_str(const struct text *t)
{
	return t->s != NULL ? t->s : "";
}

void
text_free(struct text *t)
{
	free(t->s);
	*t = (struct text){ 0 };
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader of JSON (RFC 8259) that skips: see json.h.
 */
#include "shim/json.h"

#include <string.h>

#include "base/str.h"

#define DEPTH_MAX 16

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The 16 bits after "\u", or -1. */
static int
hex_four(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(p[i]);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* Behind the string at @p, or NULL. */
static const char *
skip_string(const char *p, const char *end)
{
	if (p == end || *p != '"')
		return NULL;
	for (p++; p < end && *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p != '\\')
			continue;
		if (++p == end)
			return NULL;
		if (*p == 'u') {
			if (hex_four(p + 1, end) < 0)
				return NULL;
			p += 4;
		} else if (strchr("\"\\/bfnrt", *p) == NULL || *p == '\0') {
			return NULL;
		}
	}
	return p < end ? p + 1 : NULL;
}

/* Behind a number or word: its form is looked at when it is wanted. */
static const char *
skip_scalar(const char *p, const char *end)
{
	const char *start = p;

	while (
	    p < end && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
	                   *p == '-' || *p == '+' || *p == '.' || *p == 'E'))
		p++;
	return p > start ? p : NULL;
}

static const char *skip_value(const char *p, const char *end, int depth);

/* Behind the members or elements that end with @close. */
static const char *
skip_all(const char *p, const char *end, char close, int depth)
{
	p = skip_blanks(p + 1, end);
	if (p < end && *p == close)
		return p + 1;
	for (;;) {
		if (close == '}') {
			p = skip_string(skip_blanks(p, end), end);
			if (p == NULL)
				return NULL;
			p = skip_blanks(p, end);
			if (p == end || *p++ != ':')
				return NULL;
		}
		p = skip_value(p, end, depth);
		if (p == NULL)
			return NULL;
		p = skip_blanks(p, end);
		if (p == end)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

/* Behind the value (and the blanks before it), or NULL. */
static const char *
skip_value(const char *p, const char *end, int depth)
{
	p = skip_blanks(p, end);
	if (p == end || depth == 0)
		return NULL;
	switch (*p) {
	case '"':
		return skip_string(p, end);
	case '{':
		return skip_all(p, end, '}', depth - 1);
	case '[':
		return skip_all(p, end, ']', depth - 1);
	default:
		return skip_scalar(p, end);
	}
}

bool
json_whole(const char *text, size_t len, struct json *out)
{
	const char *end = text + len;
	const char *after = skip_value(text, end, DEPTH_MAX);

	if (after == NULL || skip_blanks(after, end) != end)
		return false;
	*out = (struct json){ skip_blanks(text, end), after };
	return true;
}

bool
json_member(struct json object, const char *name, struct json *out)
{
	size_t len = strlen(name);
	const char *p = object.at;
	const char *key;

	if (p == object.end || *p != '{')
		return false;
	p = skip_blanks(p + 1, object.end);
	while (p != NULL && p < object.end && *p == '"') {
		key = p + 1;
		p = skip_string(p, object.end);
		if (p == NULL)
			return false;
		bool found =
		    (size_t)(p - 1 - key) == len && memcmp(key, name, len) == 0;
		p = skip_blanks(p, object.end);
		if (p == object.end || *p != ':')
			return false;
		key = skip_blanks(p + 1, object.end);
		p = skip_value(key, object.end, DEPTH_MAX);
		if (p == NULL)
			return false;
		if (found) {
			*out = (struct json){ key, p };
			return true;
		}
		p = skip_blanks(p, object.end);
		if (p == object.end || *p != ',')
			return false;
		p = skip_blanks(p + 1, object.end);
	}
	return false;
}

bool
json_integer(struct json value, int64_t *out)
{
	const char *p = value.at;
	bool minus = p < value.end && *p == '-';
	uint64_t v = 0;

	if (minus)
		p++;
	if (p == value.end || value.end - p > 18)
		return false;
	for (; p < value.end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	*out = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

bool
json_boolean(struct json value, bool *out)
{
	size_t len = (size_t)(value.end - value.at);

	if (len == 4 && memcmp(value.at, "true", 4) == 0)
		*out = true;
	else if (len == 5 && memcmp(value.at, "false", 5) == 0)
		*out = false;
	else
		return false;
	return true;
}

/* One character of the basic plane as UTF-8; the halves of a pair as they are:
 * no name of ours has them. */
static void
put_utf8(struct sbuf *b, int c)
{
	if (c < 0x80) {
		sbuf_putc(b, (char)c);
	} else if (c < 0x800) {
		sbuf_putc(b, (char)(0xc0 | c >> 6));
		sbuf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		sbuf_putc(b, (char)(0xe0 | c >> 12));
		sbuf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		sbuf_putc(b, (char)(0x80 | (c & 0x3f)));
	}
}

bool
json_text(struct json value, char *buf, size_t size)
{
	static const char from[] = "bfnrt";
	static const char to[] = "\b\f\n\r\t";
	struct sbuf b = sbuf_init(buf, size);
	const char *end = value.end - 1; /* the quote */
	const char *p = value.at;

	if (p >= end || *p != '"')
		return false;
	for (p++; p < end; p++) {
		const char *f;

		if (*p != '\\') {
			sbuf_putc(&b, *p);
			continue;
		}
		p++;
		if (*p == 'u') {
			int c = hex_four(p + 1, end);

			if (c <= 0)
				return false;
			put_utf8(&b, c);
			p += 4;
			continue;
		}
		f = strchr(from, *p);
		sbuf_putc(&b, f != NULL ? to[f - from] : *p);
	}
	return sbuf_ok(&b);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the daemon's answers without a JSON library and without memory: a
 * value is the piece of text that it stands in.
 *
 * Everything is checked against the end; what is not JSON is not found.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value in a text; borrowed from it. */
struct json {
	const char *at, *end;
};

/* The whole of a text, if it is one value (and blanks). */
bool json_whole(const char *text, size_t len, struct json *out);
/* A member of an object, by its name (no escapes in it); the first one. */
bool json_member(struct json object, const char *name, struct json *out);
/* An integer that fits. */
bool json_integer(struct json value, int64_t *out);
bool json_boolean(struct json value, bool *out);
/* A string that fits into @size bytes with its 0, and has none in it. */
bool json_text(struct json value, char *buf, size_t size);

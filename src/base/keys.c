/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and values. See keys.h.
 */
#include "base/keys.h"

#include <errno.h>
#include <string.h>

static bool
key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '/';
}

static bool
value_char(char c)
{
	return c >= ' ' && c <= '~';
}

/* The length of a good string of less than @max bytes that ends within @len,
 * or -1. */
static int
part_check(const char *s, size_t len, size_t max, bool (*good)(char c))
{
	size_t n = strnlen(s, len < max ? len : max);

	if (n == len || n == max)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!good(s[i]))
			return -1;
	}
	return (int)n;
}

bool
keys_check(const char *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		int n = part_check(data + at, len - at, KEYS_KEY_MAX, key_char);

		if (n <= 0)
			return false;
		at += (size_t)n + 1;
		n = part_check(data + at, len - at, KEYS_VALUE_MAX, value_char);
		if (n < 0)
			return false;
		at += (size_t)n + 1;
	}
	return true;
}

bool
keys_next(const char *data, size_t len, size_t *at, const char **key,
    const char **value)
{
	if (*at >= len)
		return false;
	*key = data + *at;
	*value = *key + strlen(*key) + 1;
	*at = (size_t)(*value - data) + strlen(*value) + 1;
	return true;
}

const char *
keys_get(const struct keys *k, const char *key)
{
	const char *name, *value;
	size_t at = 0;

	while (keys_next(k->data, k->len, &at, &name, &value)) {
		if (strcmp(name, key) == 0)
			return value;
	}
	return NULL;
}

/* Bytes of a pair, or 0 if it is none. */
static size_t
pair_size(const char *key, const char *value)
{
	int a = part_check(key, KEYS_KEY_MAX + 1, KEYS_KEY_MAX, key_char);
	int b =
	    part_check(value, KEYS_VALUE_MAX + 1, KEYS_VALUE_MAX, value_char);

	return a > 0 && b >= 0 ? (size_t)a + 1 + (size_t)b + 1 : 0;
}

int
keys_append(struct keys *k, const char *key, const char *value)
{
	size_t size = pair_size(key, value), klen;

	if (size == 0)
		return -EINVAL;
	if (size > sizeof(k->data) - k->len)
		return -ENOSPC;
	klen = strlen(key) + 1;
	memcpy(k->data + k->len, key, klen);
	memcpy(k->data + k->len + klen, value, size - klen);
	k->len += (uint32_t)size;
	return 0;
}

int
keys_set(struct keys *k, const char *key, const char *value)
{
	const char *old = keys_get(k, key);
	size_t size = pair_size(key, value), start, end, had;

	if (old == NULL)
		return keys_append(k, key, value);
	if (size == 0)
		return -EINVAL;
	start = (size_t)(old - k->data) - strlen(key) - 1;
	end = (size_t)(old - k->data) + strlen(old) + 1;
	had = end - start;
	if (size > had && size - had > sizeof(k->data) - k->len)
		return -ENOSPC;
	memmove(k->data + start, k->data + end, k->len - end);
	k->len -= (uint32_t)had;
	return keys_append(k, key, value);
}

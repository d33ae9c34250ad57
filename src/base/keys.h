/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A directory of keys and values in a fixed buffer, and the messages of a ring
 * port's handshake, which have the same form: KEY 0 VALUE 0, one after the
 * other, in the order of writing.
 *
 * What comes from the other end is checked before it is believed to be that
 * (keys_check()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_KEY_MAX   64   /* with its 0 */
#define KEYS_VALUE_MAX 256  /* with its 0 */
#define KEYS_SIZE      4096 /* bytes of a directory, and of a message */

/* A zeroed one is empty. */
struct keys {
	uint32_t len;
	char data[KEYS_SIZE];
};

/**
 * keys_check() - is this a message?
 *
 * Keys are of a-z, 0-9, '-' and '/', values of printable ASCII; neither is
 * longer than it may be.
 */
bool keys_check(const char *data, size_t len);

/** keys_next() - walk a checked buffer. @at: 0 first. False at the end */
bool keys_next(const char *data, size_t len, size_t *at, const char **key,
    const char **value);

/** keys_get() - the value, borrowed until the next change; NULL: none */
const char *keys_get(const struct keys *k, const char *key);

/** keys_set() - 0; -ENOSPC: as it was; -EINVAL: not a key or a value */
int keys_set(struct keys *k, const char *key, const char *value);

/** keys_append() - as keys_set() for a message: what is there stays */
int keys_append(struct keys *k, const char *key, const char *value);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message of keys and values: what is one can be walked to its end and kept
 * in a directory, which then is one, too.
 */
#include "base/assert.h"
#include "base/keys.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keys k;
	const char *key, *value, *text = (const char *)data;
	size_t at = 0, bytes = 0;

	if (!keys_check(text, size))
		return 0;
	k.len = 0;
	while (keys_next(text, size, &at, &key, &value)) {
		bytes += strlen(key) + strlen(value) + 2;
		if (keys_set(&k, key, value) == 0)
			ASSERT(strcmp(keys_get(&k, key), value) == 0);
		ASSERT(k.len <= KEYS_SIZE && keys_check(k.data, k.len));
	}
	ASSERT(bytes == size);
	return 0;
}

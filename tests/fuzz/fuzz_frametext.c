/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame in words: whatever the frame, lines of printable characters within
 * the width. The input is the frame; its first byte says how much was kept of
 * it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "control/frametext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const char *s, size_t col)
{
	size_t len = strlen(s);

	ASSERT(len > 0 && s[len - 1] == '\n');
	for (; *s != '\0'; s++) {
		ASSERT(*s == '\n' || (*s >= ' ' && *s <= '~'));
		col = *s == '\n' ? 0 : col + 1;
		ASSERT(col <= FRAMETEXT_WIDTH);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text t = { 0 };
	uint8_t *frame;
	uint32_t kept;

	if (size < 1 || size > 65658)
		return 0;
	kept = (uint32_t)size - 1;
	if (data[0] < kept)
		kept -= data[0];
	frame = malloc(kept > 0 ? kept : 1);
	ASSERT(frame != NULL);
	memcpy(frame, data + 1, kept);
	frametext(frame, kept, (uint32_t)size - 1, &t);
	ASSERT(text_ok(&t));
	check(text_str(&t), 20);
	text_free(&t);
	free(frame);
	return 0;
}

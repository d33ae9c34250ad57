/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filter programs from a stranger. What program_check() takes ends, reads
 * nothing outside of the frame, and survives its own text.
 *
 * Input: a byte that says how the program comes. Even: as text, up to a 0 byte,
 * then the frame. Odd: so many instructions of 8 bytes, then the frame.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "capture/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct program_insn insns[PROGRAM_MAX], back[PROGRAM_MAX];
static char text[PROGRAM_TEXT_MAX];

/* Of the input: bytes used. */
static size_t
from_text(const uint8_t *data, size_t size, struct program *p)
{
	const uint8_t *end = memchr(data, 0, size);
	size_t len = end != NULL ? (size_t)(end - data) : size;
	char *s = malloc(len + 1);

	ASSERT(s != NULL);
	memcpy(s, data, len);
	s[len] = '\0';
	if (program_parse(s, insns, p) != 0)
		p->count = 0;
	free(s);
	return len + (end != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program p = { 0, insns };
	struct program q;
	uint8_t *frame;
	uint32_t at;

	if (size == 0)
		return 0;
	if (data[0] % 2 == 0) {
		size_t used = from_text(data + 1, size - 1, &p);

		data += 1 + used;
		size -= 1 + used;
	} else {
		struct rd r = rd_init(data + 1, size - 1);

		p.count = data[0] / 2;
		for (uint32_t i = 0; i < p.count; i++) {
			insns[i].code = rd_be16(&r);
			insns[i].jt = rd_u8(&r);
			insns[i].jf = rd_u8(&r);
			insns[i].k = rd_be32(&r);
		}
		if (!rd_ok(&r))
			return 0;
		data = r.p;
		size = r.left;
	}
	if (p.count == 0 || program_check(&p, &at) != 0)
		return 0;
	ASSERT(program_format(&p, text, sizeof(text)) == 0);
	ASSERT(program_parse(text, back, &q) == 0 && q.count == p.count);
	ASSERT(memcmp(insns, back, p.count * sizeof(insns[0])) == 0);
	/* In a block of its own size. */
	frame = malloc(size > 0 ? size : 1);
	ASSERT(frame != NULL);
	if (size > 0)
		memcpy(frame, data, size);
	(void)program_run(&p, frame, (uint32_t)size);
	free(frame);
	return 0;
}

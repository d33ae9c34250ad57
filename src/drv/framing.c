/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames in a stream. See framing.h. */
#include "drv/framing.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/util.h"

uint8_t *
framing_room(struct framing *r, size_t *n)
{
	/* What is left is part of one record: to the front with it. */
	if (r->start != 0) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	*n = r->size - r->end;
	return r->buf + r->end;
}

void
framing_got(struct framing *r, size_t n)
{
	ASSERT(n <= r->size - r->end);
	r->end += n;
}

int
framing_next(struct framing *r, const uint8_t **data, uint32_t *len)
{
	size_t have = r->end - r->start;
	uint32_t n;

	if (r->skip != 0) {
		n = (uint32_t)COAX_MIN((size_t)r->skip, have);
		r->skip -= n;
		r->start += n;
		have -= n;
	}
	if (r->skip != 0 || have < FRAMING_HDR)
		return 0;
	n = be32_get(r->buf + r->start);
	if (n > FRAMING_LEN_MAX)
		return -EPROTO;
	if (n > r->len_max) {
		r->start += FRAMING_HDR;
		r->skip = n;
		return -EMSGSIZE;
	}
	if (n > have - FRAMING_HDR)
		return 0;
	*data = r->buf + r->start + FRAMING_HDR;
	*len = n;
	r->start += FRAMING_HDR + n;
	return 1;
}

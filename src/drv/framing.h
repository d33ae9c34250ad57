/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames in a stream: each is preceded by its length, four bytes in network
 * order.  QEMU's -netdev stream and socket speak so, passt, socket_vmnet and
 * their clients.
 *
 * The reader gives room for what is to be read and takes records out of it:
 *
 *     room = framing_room(r, &n);   read(fd, room, n) -> got
 *     framing_got(r, got);
 *     while ((err = framing_next(r, &data, &len)) != 0) ...
 *
 * Whatever the peer sends, it costs this buffer and no more.  A length beyond
 * FRAMING_LEN_MAX, which is QEMU's, cannot be a frame's: who sends it is out of
 * step, and nothing that follows can be made sense of.  One below, but longer
 * than the reader wants, is skipped.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FRAMING_HDR     4
#define FRAMING_LEN_MAX 69632u /* 64 KiB and 4 KiB */

struct framing {
	uint8_t *buf; /* owned by whoever has the struct */
	size_t size;  /* at least FRAMING_HDR + len_max */
	size_t start, end;
	uint32_t len_max; /* longest record that is wanted */
	uint32_t skip;    /* bytes to come of one that is not */
};

/** framing_room() - where to read to; never empty if framing_next() was called
 * until it had nothing. Return: the room, @n bytes. */
uint8_t *framing_room(struct framing *r, size_t *n);

/** framing_got() - @n bytes were read there */
void framing_got(struct framing *r, size_t n);

/**
 * framing_next() - the next whole record
 * @data, @len: borrowed until framing_room(); @len may be 0
 *
 * Return: 1; 0 (more must be read first); -EMSGSIZE (one that is too long is
 * being skipped: go on); -EPROTO (an impossible length: it is over).
 */
int framing_next(struct framing *r, const uint8_t **data, uint32_t *len);

/** framing_cut() - is it in the middle of a record? */
static inline int
framing_cut(const struct framing *r)
{
	return r->end != r->start || r->skip != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocks of a pcapng file, in the byte order of this machine (a file says
 * which it has).
 *
 * A capture is one section with one Ethernet interface: pcapng_begin(), then
 * packets, then pcapng_end().  A packet's block is written in two pieces, so
 * that its bytes need not be copied twice: pcapng_packet_head(), the bytes, and
 * pcapng_packet_tail() with the padding and the options.
 *
 * Source: draft-ietf-opsawg-pcapng (PCAP Now Generic), sections 3 and 4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define PCAPNG_PACKET      6u /* type of a packet's block */
#define PCAPNG_HEAD_SIZE   28u
#define PCAPNG_COMMENT_MAX 200u /* bytes; a longer one is cut */
/* At most: padding, direction, drops, two comments, end, length. */
#define PCAPNG_TAIL_MAX    (4u + 8u + 12u + 2 * (4u + PCAPNG_COMMENT_MAX) + 8u)
#define PCAPNG_BEGIN_MAX   4096u
#define PCAPNG_END_SIZE    96u
#define PCAPNG_BLOCK_MIN   12u
#define PCAPNG_SNAPLEN_MAX 262144u
/* Code 2, length 4, in this machine's order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PCAPNG_FLAGS_OPTION 0x00040002u
#else
#define PCAPNG_FLAGS_OPTION 0x00020004u
#endif

struct pcapng_interface {
	const char *program; /* "coax 0.1.0"; as the rest: borrowed, or NULL */
	const char *name;    /* of the interface */
	const char *description;
	const char *filter; /* in words */
	const uint8_t *mac; /* 6 bytes */
	uint32_t snaplen;   /* 0: no limit */
};

/** pcapng_begin() - the blocks before the first packet, into @w */
void pcapng_begin(struct wr *w, const struct pcapng_interface *i);

enum pcapng_direction {
	PCAPNG_UNKNOWN,
	PCAPNG_IN,
	PCAPNG_OUT,
};

struct pcapng_packet {
	uint64_t time_ns; /* since 1970 */
	uint32_t len;     /* of the frame */
	uint32_t kept;    /* bytes of it */
	enum pcapng_direction direction;
	uint64_t lost;          /* frames since the last packet; 0: none */
	const char *comment[2]; /* NULL: none */
};

/* A packet of which there is nothing to say but its direction. */
static inline uint32_t
pcapng_plain_size(uint32_t kept)
{
	return PCAPNG_HEAD_SIZE + ((kept + 3) & ~3u) + 8 + 8;
}

/** pcapng_plain() - its block, all of it, of pcapng_plain_size() bytes */
static inline void
pcapng_plain(uint8_t *at, uint64_t time_ns, uint32_t len, uint32_t kept,
    enum pcapng_direction direction, const uint8_t *data)
{
	uint32_t size = pcapng_plain_size(kept);
	const uint32_t head[] = { PCAPNG_PACKET, size, 0,
		(uint32_t)(time_ns >> 32), (uint32_t)time_ns, kept, len };
	/* epb_flags, of four bytes; the end of the options; the length */
	const uint32_t tail[] = { PCAPNG_FLAGS_OPTION, direction, 0, size };

	/* The padding first: the last of what comes before it is over it. */
	memset(at + size - sizeof(tail) - 4, 0, 4);
	memcpy(at, head, sizeof(head));
	memcpy(at + sizeof(head), data, kept);
	memcpy(at + size - sizeof(tail), tail, sizeof(tail));
}

/** pcapng_packet_size() - bytes of the block, all in all; below 2^31 */
uint32_t pcapng_packet_size(const struct pcapng_packet *p);
void pcapng_packet_head(
    const struct pcapng_packet *p, uint8_t head[PCAPNG_HEAD_SIZE]);
/* Return: bytes of the tail. */
size_t pcapng_packet_tail(
    const struct pcapng_packet *p, uint8_t tail[PCAPNG_TAIL_MAX]);

struct pcapng_statistics {
	uint64_t begin_ns, end_ns; /* since 1970 */
	uint64_t received;         /* what came by and the filter wanted */
	uint64_t lost;             /* of that, for want of room */
};

/** pcapng_end() - the block after the last packet, into @w */
void pcapng_end(struct wr *w, const struct pcapng_statistics *s);

/**
 * pcapng_block() - what block begins here
 * @data: at least PCAPNG_BLOCK_MIN bytes of it; borrowed
 * @len:  its length as it says, a multiple of 4 and at least PCAPNG_BLOCK_MIN
 *
 * Return: its type, or 0: this is no block.
 */
uint32_t pcapng_block(const uint8_t *data, uint32_t *len);

/**
 * pcapng_read_packet() - read a packet's block
 * @data: @len bytes, all of it; borrowed
 * @out:  comments are copied to @comment
 * @at:   its bytes; borrowed from @data
 *
 * Return: 0, or -EBADMSG.
 */
int pcapng_read_packet(const uint8_t *data, uint32_t len,
    struct pcapng_packet *out, const uint8_t **at,
    char comment[2][PCAPNG_COMMENT_MAX + 1]);

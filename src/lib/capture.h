/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader's side of a capture (daemon/captures.c), for the programs of this
 * tree.
 *
 * The memory is ours: the daemon writes finished blocks of a pcapng file into
 * it, and wakes us when it writes after we said that we sleep.  A frame that
 * comes after a pause is thus there at once.  What follows it is left to gather
 * for REST_MS, or until the memory is an eighth full: each time that we run,
 * one of those who have the frames sent or received does not.  Who wants to see
 * each frame at once is prompt: while they come it looks every NAP_MS.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture/pcapng.h"
#include "coax/coax.h"

#define CAPTURE_ROOM_DEFAULT ((size_t)16 * 1024 * 1024)
#define CAPTURE_ROOM_MIN     ((size_t)128 * 1024)
#define CAPTURE_ROOM_MAX     ((size_t)1024 * 1024 * 1024)

struct capture_reader;

struct capture_request {
	const char *iface;
	bool in, out; /* neither: both */
	bool drops;
	uint32_t snaplen;    /* 0: all */
	uint64_t count;      /* 0: no limit */
	size_t room;         /* for the stream; rounded up; 0: the default */
	bool prompt;         /* for capture_packet(): gathers nothing */
	const char *program; /* classic BPF as text; NULL: all frames */
};

enum capture_why {
	CAPTURE_STOPPED,  /* by capture_stop(), or by the daemon's end */
	CAPTURE_ALL,      /* it has the number that was wanted */
	CAPTURE_NO_IFACE, /* the interface was destroyed */
	CAPTURE_FAILED,   /* the stream is broken */
};

struct capture_totals {
	uint64_t kept, lost; /* lost: for want of room, or nothing to show */
	uint64_t received;   /* both */
	enum capture_why why;
};

/**
 * capture_start() - begin
 * @c: borrowed for the call
 *
 * Return: 0, what coax_call() returns, or a negative errno of the memory.
 */
int capture_start(struct coax *c, const struct capture_request *request,
    struct capture_reader **out);

/** capture_close() - NULL is valid */
void capture_close(struct capture_reader *r);

/**
 * capture_stop() - no more frames; what is in the memory can still be taken
 *
 * Waits until the daemon has let go, for two seconds at most.
 */
void capture_stop(struct capture_reader *r);

/** capture_head() - the blocks of a file before the first packet; @filter: in
 * words, or NULL. Return: bytes. */
size_t capture_head(const struct capture_reader *r, const char *filter,
    uint8_t buf[PCAPNG_BEGIN_MAX]);

/** capture_tail() - the block after the last packet, once the capture has
 * ended. Return: bytes. */
size_t capture_tail(
    const struct capture_reader *r, uint8_t buf[PCAPNG_END_SIZE]);

/**
 * capture_bytes() - the next blocks of the file, as many as are there
 * @stop_fd: readable when the wait is to end
 * @at:      borrowed until capture_taken()
 *
 * A block may be cut where the memory wraps; the rest comes next.
 *
 * Return: bytes; 0: the end; -EINTR: @stop_fd; or -EPROTO.
 */
ssize_t capture_bytes(
    struct capture_reader *r, int stop_fd, const uint8_t **at);

/** capture_taken() - @len bytes have been dealt with */
void capture_taken(struct capture_reader *r, size_t len);

/**
 * capture_packet() - the next packet
 * @out:  borrowed until the next call
 * @data: its bytes; as @out
 *
 * Return: 1; 0: the end; -EINTR: @stop_fd; or -EPROTO.
 */
int capture_packet(struct capture_reader *r, int stop_fd,
    const struct pcapng_packet **out, const uint8_t **data);

/** capture_waiting() - is there something to take, without waiting? */
bool capture_waiting(const struct capture_reader *r);

/** capture_totals() - as far as it has come; final after the end */
void capture_get_totals(
    const struct capture_reader *r, struct capture_totals *out);

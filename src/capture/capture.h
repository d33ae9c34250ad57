/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures: what passes through an interface, or is dropped on it, copied for
 * somebody who looks on.
 *
 * Theory of operation
 *
 *     iface (net/iface.h)               memory that the reader has given
 *       struct iface_capture --> point --> capture: way, program, snaplen
 *                                  |          \--> stream (ring/stream.h)
 *                                  +-----> capture ...
 *
 * An interface that somebody looks at has a point; without one it pays for a
 * pointer that is NULL.  For each frame a capture runs its program and copies
 * what is wanted of the frame, as a block of a pcapng file, into its stream:
 * the reader has nothing to do but to write what it finds to a file.  If there
 * is no room the frame is not kept, and counted; nobody waits.  The reader sees
 * what there is, and is woken if it sleeps, once in a round of the worker
 * (capture_flush()), or when much has gathered.  Frames that are shown together
 * have one time.
 *
 * What is shown is what BSD's bpf shows: frames as they come in from the wire
 * and as they go out to it, VLAN tags in place, checksums as they are; a frame
 * whose checksum or segmentation is left to its receiver says so in a comment.
 * A capture of drops has what was dropped instead, with the reason; drops of
 * which no frame is left are counted as not kept.
 *
 * Ownership: a capture belongs to its maker, who destroys it.  It ends by
 * itself when it has all that it wants, when its interface ends and when the
 * reader breaks the stream: then it is only there to be destroyed, and ended()
 * tells once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/program.h"
#include "net/iface.h"

#define CAPTURES_PER_IFACE 32u

/* Numbers beside the stream, for stream_counted(). */
enum capture_count {
	CAPTURE_RECEIVED, /* wanted by the filter */
	CAPTURE_KEPT,     /* in the stream */
	CAPTURE_LOST,     /* not kept */
	CAPTURE_END,      /* enum capture_end */
};

enum capture_end {
	CAPTURE_GOES_ON,
	CAPTURE_COMPLETE,   /* it has the number that it wanted */
	CAPTURE_IFACE_GONE, /* the interface was destroyed */
	CAPTURE_BROKEN,     /* the reader's mark was nonsense */
};

struct capture;

struct capture_options {
	bool in, out;       /* neither: both */
	bool drops;         /* what is dropped instead of what passes */
	uint32_t snaplen;   /* bytes kept of a frame; 0: all */
	uint64_t count_max; /* ends after so many; 0: never */
	/* Checked; its instructions are consumed (free(3)) by a
	 * capture_create() that succeeds.  NULL: all frames. */
	struct program program;
	void *memory; /* of stream_size(); borrowed for the capture's life */
	size_t memory_size;
	uint64_t (*clock_ns)(void); /* since 1970 */
	/* There is something to publish: call capture_flush() when this round
	 * is over.  Once, until then. */
	void (*dirty)(struct capture *c);
	/* It has ended by itself; not to be destroyed in here. */
	void (*ended)(struct capture *c, enum capture_end why);
	void *user;
};

/**
 * capture_create() - begin to look at an interface
 *
 * Return: 0, -EINVAL (the memory), -EBUSY (CAPTURES_PER_IFACE) or -ENOMEM.
 */
int capture_create(struct iface *ifp, const struct capture_options *options,
    struct capture **out);

/**
 * capture_flush() - let the reader see what there is
 *
 * Calls ended() if this is the end.
 * Return: true if the reader sleeps, and is to be woken.
 */
bool capture_flush(struct capture *c);

/** capture_destroy() - NULL is valid */
void capture_destroy(struct capture *c);

/** capture_user() - capture_options.user */
void *capture_user(const struct capture *c);

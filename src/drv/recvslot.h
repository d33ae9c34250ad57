/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where one frame is read to whose length nobody knows before: a small frame,
 * and a large one behind it for what is longer.  What fits the small one stays
 * there; else its bytes are put in front of the rest in the large one, which
 * then is the frame.  Host sides, ethers and gifs read so, many slots a call.
 *
 * A slot keeps its frames until they are taken or it is trimmed.  Only on the
 * thread of the loop.
 */
#ifndef COAX_DRV_RECVSLOT_H
#define COAX_DRV_RECVSLOT_H

#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "base/util.h"
#include "frame/frame.h"

struct recv_slot {
	struct frame *small, *large; /* owned; NULL: none in reserve */
	uint32_t head;               /* bytes that go to the small one */
};

/**
 * recv_slot_ready() - have room for FRAME_LARGE_MAX bytes, said in @iov
 * @scratch: FRAME_LARGE_MAX bytes that stand in for frames that are not to be
 * had (what comes is lost), or NULL
 *
 * Return: how many of @iov are used, 1 or 2; 0: the pool is empty, and there is
 * no @scratch.
 */
static inline int
recv_slot_ready(struct recv_slot *s, struct frame_pool *pool, uint8_t *scratch,
    struct iovec iov[2])
{
	if (s->small == NULL)
		s->small = frame_alloc(pool, FRAME_SMALL_MAX);
	if (s->small == NULL && scratch == NULL)
		return 0;
	/* A large frame may stand in for a small one. */
	s->head = s->small != NULL
	              ? COAX_MIN(frame_room(s->small), FRAME_LARGE_MAX)
	              : FRAME_SMALL_MAX;
	iov[0].iov_base = s->small != NULL ? s->small->data : scratch;
	iov[0].iov_len = s->head;
	if (s->head == FRAME_LARGE_MAX)
		return 1;
	if (s->large == NULL)
		s->large = frame_alloc(pool, FRAME_LARGE_MAX);
	if (s->large == NULL && scratch == NULL)
		return 0;
	iov[1].iov_base =
	    (s->large != NULL ? s->large->data : scratch) + s->head;
	iov[1].iov_len = FRAME_LARGE_MAX - s->head;
	return 2;
}

/**
 * recv_slot_take() - the frame of @len bytes, at most FRAME_LARGE_MAX, that was
 * read; the caller's from now on
 *
 * Return: NULL if part of it has gone to the scratch.
 */
static inline struct frame *
recv_slot_take(struct recv_slot *s, uint32_t len)
{
	struct frame *f = s->small;

	if (f == NULL || (len > s->head && s->large == NULL))
		return NULL;
	if (len <= s->head) {
		s->small = NULL;
	} else {
		memcpy(s->large->data, f->data, s->head);
		f = s->large;
		s->large = NULL;
	}
	f->len = len;
	return f;
}

/** recv_slot_trim() - give the frames in reserve back to their pool */
static inline void
recv_slot_trim(struct recv_slot *s)
{
	if (s->small != NULL)
		frame_release(s->small);
	if (s->large != NULL)
		frame_release(s->large);
	s->small = s->large = NULL;
}

#endif

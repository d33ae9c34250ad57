/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where frames wait: a list through the frames, and a ring of pointers with a
 * limit in frames and in bytes.  frame.h says which is for what.
 */
#include <errno.h>
#include <stdlib.h>

#include "frame/frame.h"

#define RING_LIMIT_MAX 65536u

/* What a queued frame costs its pool. */
static uint32_t
queue_cost(const struct frame *f)
{
	return FRAME_HEADROOM + (f->large ? FRAME_LARGE_MAX : FRAME_SMALL_MAX);
}

void
frame_queue_push(struct frame_queue *q, struct frame *f)
{
	ASSERT(f->refs == 1);
	f->next = NULL;
	if (q->tail == NULL)
		q->head = f;
	else
		q->tail->next = f;
	q->tail = f;
	q->count++;
	q->bytes += queue_cost(f);
}

struct frame *
frame_queue_pop(struct frame_queue *q)
{
	struct frame *f = q->head;

	if (f == NULL)
		return NULL;
	q->head = f->next;
	if (q->head == NULL)
		q->tail = NULL;
	f->next = NULL;
	q->count--;
	q->bytes -= queue_cost(f);
	return f;
}

int
frame_ring_init(struct frame_ring *r, uint32_t limit, uint64_t bytes_max)
{
	struct frame **slots;
	uint32_t size = 1;

	ASSERT(limit >= 1 && limit <= RING_LIMIT_MAX);
	while (size < limit)
		size *= 2;
	slots = calloc(size, sizeof(struct frame *));
	if (slots == NULL)
		return -ENOMEM;
	*r = (struct frame_ring){
		.slots = slots,
		.size = size,
		.limit = limit,
		.bytes_max = bytes_max,
	};
	return 0;
}

void
frame_ring_fini(struct frame_ring *r)
{
	struct frame *f;

	while ((f = frame_ring_pop(r)) != NULL)
		frame_release(f);
	free(r->slots);
	*r = (struct frame_ring){ 0 };
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The delay line, shares, and the pipe. See pipe.h. */
#include "pipe/pipe.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"

/* --- the delay line ------------------------------------------------------- */

static bool
earlier(const struct delay_entry *a, const struct delay_entry *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns
	                              : a->order < b->order;
}

void
delay_line_push(struct delay_line *l, void *item, uint64_t due_ns)
{
	struct delay_entry e = { due_ns, l->order++, item };
	uint32_t i = l->count;

	ASSERT(l->count < l->room);
	l->count++;
	for (; i != 0 && earlier(&e, &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		l->heap[i] = l->heap[(i - 1) / 2];
	l->heap[i] = e;
}

/* Takes the first entry out. */
static void
line_remove(struct delay_line *l)
{
	struct delay_entry e = l->heap[--l->count];
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < l->count) {
		if (child + 1 < l->count &&
		    earlier(&l->heap[child + 1], &l->heap[child]))
			child++;
		if (!earlier(&l->heap[child], &e))
			break;
		l->heap[i] = l->heap[child];
		i = child;
	}
	l->heap[i] = e;
}

void *
delay_line_pop(struct delay_line *l, uint64_t now_ns)
{
	void *item;

	if (l->count == 0 || l->heap[0].due_ns > now_ns)
		return NULL;
	item = l->heap[0].item;
	line_remove(l);
	return item;
}

/* --- shares --------------------------------------------------------------- */

void
pipe_share_init(struct pipe_share *s, const struct frame_pool *pool)
{
	*s = (struct pipe_share){
		.small_max = pool->small.total / 2,
		.large_max = pool->large.total / 2,
		.small_one = COAX_MAX(pool->small.total / 4, 1u),
		.large_one = COAX_MAX(pool->large.total / 4, 1u),
	};
}

bool
pipe_share_take(struct pipe_share *s, uint32_t *small, uint32_t *large,
    const struct frame *f)
{
	if (f->large) {
		if (s->large >= s->large_max || *large >= s->large_one)
			return false;
		s->large++;
		++*large;
	} else {
		if (s->small >= s->small_max || *small >= s->small_one)
			return false;
		s->small++;
		++*small;
	}
	return true;
}

void
pipe_share_give(struct pipe_share *s, uint32_t *small, uint32_t *large,
    const struct frame *f)
{
	if (f->large) {
		s->large--;
		--*large;
	} else {
		s->small--;
		--*small;
	}
}

/* Charges for a frame: is there something left of the share and the account? */
static bool
share_take(struct pipe *p, const struct frame *f)
{
	if (p->account != NULL && *p->account + f->len > p->account_max)
		return false;
	if (!pipe_share_take(p->share, &p->small, &p->large, f))
		return false;
	if (p->account != NULL)
		*p->account += f->len;
	return true;
}

static void
share_give(struct pipe *p, const struct frame *f)
{
	if (p->account != NULL)
		*p->account -= f->len;
	pipe_share_give(p->share, &p->small, &p->large, f);
}

/* --- the pipe ------------------------------------------------------------- */

/* Gives queue and line room for @room frames; what is in them moves. */
static int
make_room(struct pipe *p, uint32_t room)
{
	struct pipe_entry *queue;
	struct delay_entry *heap;

	queue = calloc(room, sizeof(*queue));
	heap = calloc(room, sizeof(*heap));
	if (queue == NULL || heap == NULL) {
		free(queue);
		free(heap);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < p->count; i++)
		queue[i] = p->queue[(p->head + i) % p->room];
	for (uint32_t i = 0; i < p->line.count; i++)
		heap[i] = p->line.heap[i];
	free(p->queue);
	free(p->line.heap);
	p->queue = queue;
	p->head = 0;
	p->line.heap = heap;
	p->line.room = room;
	p->room = room;
	return 0;
}

int
pipe_init(struct pipe *p, uint32_t limit, struct pipe_share *share)
{
	struct pipe fresh = { .share = share, .limit = limit };
	int err;

	ASSERT(limit >= 1 && limit <= PIPE_LIMIT_MAX);
	err = make_room(&fresh, limit);
	if (err == 0)
		*p = fresh;
	return err;
}

void
pipe_fini(struct pipe *p)
{
	struct frame *f;

	while ((f = pipe_empty(p)) != NULL)
		frame_release(f);
	free(p->queue);
	free(p->line.heap);
	*p = (struct pipe){ 0 };
}

int
pipe_set_limit(struct pipe *p, uint32_t limit)
{
	int err;

	ASSERT(limit >= 1 && limit <= PIPE_LIMIT_MAX);
	if (limit > p->room) {
		err = make_room(p, limit);
		if (err != 0)
			return err;
	}
	p->limit = limit;
	return 0;
}

/* The head of the queue has left the link at @depart_ns. */
static void
depart(struct pipe *p, uint64_t depart_ns)
{
	struct pipe_entry *e = &p->queue[p->head];
	uint64_t due_ns;

	if (__builtin_add_overflow(depart_ns, e->delay_ns, &due_ns))
		due_ns = PIPE_NEVER - 1;
	if (e->in_order) {
		due_ns = COAX_MAX(due_ns, p->last_due_ns);
		p->last_due_ns = due_ns;
	}
	delay_line_push(&p->line, e->frame, due_ns);
	p->head = (p->head + 1) % p->room;
	p->count--;
}

/* Moves what the link has sent by @now_ns from the queue to the line. */
static void
serve(struct pipe *p, uint64_t now_ns)
{
	struct rate_next next;

	while (p->count != 0) {
		const struct pipe_entry *e = &p->queue[p->head];

		next = rate_next(&p->rate, e->arrived_ns, e->frame->len);
		if (next.depart_ns > now_ns)
			break;
		rate_take(&p->rate, &next);
		depart(p, next.depart_ns);
	}
}

int
pipe_push(struct pipe *p, struct frame *f, uint64_t now_ns, uint64_t delay_ns,
    bool in_order)
{
	struct pipe_entry *e;

	if (pipe_held(p) >= p->limit)
		return -ENOBUFS;
	if (!share_take(p, f))
		return -EDQUOT;
	e = &p->queue[(p->head + p->count) % p->room];
	*e = (struct pipe_entry){ f, now_ns, delay_ns, in_order };
	p->count++;
	return 0;
}

struct frame *
pipe_pop(struct pipe *p, uint64_t now_ns)
{
	struct frame *f;

	serve(p, now_ns);
	f = delay_line_pop(&p->line, now_ns);
	if (f != NULL)
		share_give(p, f);
	return f;
}

struct frame *
pipe_empty(struct pipe *p)
{
	struct frame *f = delay_line_pop(&p->line, PIPE_NEVER);

	if (f == NULL && p->count != 0) {
		f = p->queue[p->head].frame;
		p->head = (p->head + 1) % p->room;
		p->count--;
	}
	if (f != NULL) {
		share_give(p, f);
		return f;
	}
	p->last_due_ns = 0;
	p->rate.free_ns = 0;
	p->rate.rest = 0;
	return NULL;
}

uint64_t
pipe_due(const struct pipe *p)
{
	uint64_t due_ns = delay_line_due(&p->line);
	struct rate_next next;

	if (p->count != 0) {
		const struct pipe_entry *e = &p->queue[p->head];

		next = rate_next(&p->rate, e->arrived_ns, e->frame->len);
		due_ns = COAX_MIN(due_ns, next.depart_ns);
	}
	return due_ns;
}

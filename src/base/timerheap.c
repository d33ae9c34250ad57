/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers in a binary heap: children of slot i are 2i and 2i + 1. */
#include "base/timerheap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"

static bool
timer_before(const struct timer *a, const struct timer *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

static void
heap_set(struct timerheap *h, size_t slot, struct timer *t)
{
	h->slots[slot] = t;
	t->slot = slot;
}

/* Puts @t where it belongs, starting from the free place @slot. */
static void
heap_sift(struct timerheap *h, size_t slot, struct timer *t)
{
	while (slot > 1 && timer_before(t, h->slots[slot / 2])) {
		heap_set(h, slot, h->slots[slot / 2]);
		slot /= 2;
	}
	for (;;) {
		size_t child = 2 * slot;

		if (child > h->count)
			break;
		if (child < h->count &&
		    timer_before(h->slots[child + 1], h->slots[child]))
			child++;
		if (!timer_before(h->slots[child], t))
			break;
		heap_set(h, slot, h->slots[child]);
		slot = child;
	}
	heap_set(h, slot, t);
}

void
timerheap_fini(struct timerheap *h)
{
	for (size_t i = 1; i <= h->count; i++)
		h->slots[i]->slot = 0;
	free(h->slots);
	*h = (struct timerheap){ 0 };
}

int
timerheap_reserve(struct timerheap *h, size_t count)
{
	struct timer **slots;

	if (count <= h->capacity)
		return 0;
	if (count > SIZE_MAX / sizeof(*slots) - 1)
		return -ENOMEM;
	slots = realloc(h->slots, (count + 1) * sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	slots[0] = NULL;
	h->slots = slots;
	h->capacity = count;
	return 0;
}

int
timerheap_add(struct timerheap *h, struct timer *t, uint64_t due_ns)
{
	size_t slot = t->slot;
	int err;

	ASSERT(t->fn != NULL);
	if (slot == 0) {
		if (h->count == h->capacity) {
			err = timerheap_reserve(h, h->capacity * 2 + 16);
			if (err != 0)
				return err;
		}
		slot = ++h->count;
	} else {
		ASSERT(slot <= h->count && h->slots[slot] == t);
	}
	t->due_ns = due_ns;
	t->order = h->order++;
	heap_sift(h, slot, t);
	return 0;
}

void
timerheap_del(struct timerheap *h, struct timer *t)
{
	size_t slot = t->slot;
	struct timer *last;

	if (slot == 0)
		return;
	ASSERT(slot <= h->count && h->slots[slot] == t);
	t->slot = 0;
	last = h->slots[h->count--];
	if (last != t)
		heap_sift(h, slot, last);
}

unsigned int
timerheap_run(struct timerheap *h, uint64_t now_ns, unsigned int budget)
{
	unsigned int ran = 0;

	while (ran < budget && h->count > 0) {
		struct timer *t = h->slots[1];

		if (t->due_ns > now_ns || t->due_ns == TIMERHEAP_NEVER)
			break;
		timerheap_del(h, t);
		t->fn(t, now_ns);
		ran++;
	}
	return ran;
}

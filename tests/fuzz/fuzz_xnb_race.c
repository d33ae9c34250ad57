/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same plays, while a second thread writes into the rings and the pages all
 * the time: small changes to indices, flags, sizes and offsets, at any moment,
 * also between the back end's look at a slot and its use.
 *
 * What that thread does is not the input's, so a crash may need several runs to
 * come again; the play that it happened in is what is kept.
 */
#include <pthread.h>
#include <sched.h>

#include "base/prng.h"
#include "xnb_play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t racing; /* 1: go on; 0: stop; 2: it has */
static uint8_t *racing_pages;

static void *
race(void *arg)
{
	struct prng g = prng_init(77);

	(void)arg;
	for (;;) {
		uint32_t page, at;
		uint32_t *word;

		if (shm_load_acquire(&racing) != 1) {
			if (shm_load_acquire(&racing) == 0)
				shm_store_release(&racing, 2); /* at rest */
			sched_yield();
			continue;
		}
		/* The rings, mostly; their indices less often than slots. */
		page = prng_chance(&g, 7, 8) ? (uint32_t)prng_below(&g, 3)
		                             : (uint32_t)prng_below(&g, 32);
		at = prng_chance(&g, 1, 16)
		         ? (uint32_t)prng_below(&g, 4)
		         : 16 + (uint32_t)prng_below(&g, 1008);
		word = (uint32_t *)(void *)(racing_pages +
		                            (size_t)page * COAX_RING_PAGE) +
		       at;
		if (prng_chance(&g, 1, 4))
			shm_store_relaxed(word, prng_u32(&g));
		else
			shm_store_relaxed(
			    word, shm_load_relaxed(word) ^
			              1u << (uint32_t)prng_below(&g, 32));
	}
	return NULL;
}

/* The thread starts with the first play, and rests between them. */
static void
race_begin(struct st *s)
{
	static pthread_t thread;
	static bool started;

	racing_pages = s->pages;
	if (!started) {
		shm_store_release(&racing, 1);
		ASSERT(pthread_create(&thread, NULL, race, NULL) == 0);
		started = true;
	} else {
		shm_store_release(&racing, 1);
	}
}

static void
race_end(void)
{
	shm_store_release(&racing, 0);
	while (shm_load_acquire(&racing) != 2)
		sched_yield();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct st *s = play_begin();

	race_begin(s);
	while (rd_left(&r) > 0)
		play_move(s, &r);
	for (int i = 0; i < 10; i++)
		play_turn(s);
	race_end();
	play_end(s);
	return 0;
}

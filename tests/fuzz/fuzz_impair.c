/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Impairments: each line of the input is the words of one, changing what the
 * lines before have made of two directions. Whatever was accepted must print as
 * words that make the same again, and a pipe set so must give back every frame
 * that it took, in time and once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "pipe/impair.h"

#define WORDS_MAX 64
#define LINES_MAX 16
#define FRAMES    24

static uint32_t
split(char *line, const char *words[WORDS_MAX])
{
	uint32_t n = 0;
	char *save, *w;

	for (w = strtok_r(line, " ", &save); w != NULL && n < WORDS_MAX;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return n;
}

static void
check_text(const struct impair_config *c)
{
	struct impair_config again = { .limit = IMPAIR_LIMIT_DEFAULT };
	char text[IMPAIR_TEXT_MAX], copy[IMPAIR_TEXT_MAX], why[IMPAIR_WHY_MAX];
	const char *words[WORDS_MAX];
	struct impair_change ch;
	uint32_t n;

	impair_format(c, false, text);
	memcpy(copy, text, sizeof(copy));
	n = split(copy, words);
	ASSERT(impair_parse(words, n, &ch, why, sizeof(why)) == (int)n);
	ASSERT(impair_merge(&again, &ch, IMPAIR_IN, why, sizeof(why)) == 0);
	impair_format(&again, false, copy);
	ASSERT(strcmp(text, copy) == 0);
}

static void
check_pipe(const struct impair_config *c)
{
	static const struct frame_pool_options o = { 32, 1 };
	struct impair_state s = impair_begin(c->seed, IMPAIR_OUT);
	uint64_t now_ns = 1000, due_ns, last_ns = 0;
	struct pipe_share share;
	struct frame_pool *pool;
	struct frame_pool_stats stats;
	struct frame *f;
	struct pipe p;
	uint32_t taken = 0;

	ASSERT(frame_pool_create(&o, &pool) == 0);
	pipe_share_init(&share, pool);
	ASSERT(pipe_init(&p, c->limit, &share) == 0);
	rate_set(&p.rate, c->rate, c->burst);
	for (uint32_t i = 0; i < FRAMES; i++) {
		struct impair_fate fate = impair_fate(c, &s);

		f = frame_alloc(pool, 100);
		ASSERT(f != NULL);
		f->len = 100 * (1 + i % 15);
		ASSERT(fate.delay_ns <= IMPAIR_DELAY_MAX * UINT64_C(3000));
		if (fate.lost ||
		    pipe_push(&p, f, now_ns, fate.delay_ns, c->keep_order) != 0)
			frame_release(f);
		else
			taken++;
		now_ns += 100;
	}
	while ((due_ns = pipe_due(&p)) != PIPE_NEVER) {
		ASSERT(due_ns >= last_ns);
		last_ns = due_ns;
		now_ns = due_ns > now_ns ? due_ns : now_ns;
		while ((f = pipe_pop(&p, now_ns)) != NULL) {
			frame_release(f);
			taken--;
		}
	}
	ASSERT(taken == 0 && pipe_held(&p) == 0);
	ASSERT(share.small == 0 && share.large == 0);
	pipe_fini(&p);
	frame_pool_stats(pool, &stats);
	ASSERT(stats.small_free == stats.small_total);
	frame_pool_destroy(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct impair_config c[2] = { { .limit = IMPAIR_LIMIT_DEFAULT },
		{ .limit = IMPAIR_LIMIT_DEFAULT } };
	char *text, *save, *line, why[IMPAIR_WHY_MAX];
	const char *words[WORDS_MAX];

	if (size > 2048)
		return 0;
	text = malloc(size + 1);
	ASSERT(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	save = text;
	for (int i = 0; i < LINES_MAX && (line = strsep(&save, "\n")) != NULL;
	     i++) {
		struct impair_change ch;
		uint32_t n = split(line, words);

		if (impair_parse(words, n, &ch, why, sizeof(why)) < 0) {
			ASSERT(why[0] != '\0' && strlen(why) < sizeof(why));
			continue;
		}
		for (int dir = IMPAIR_IN; dir <= IMPAIR_OUT; dir++) {
			if (impair_merge(&c[dir], &ch,
			        (enum impair_direction)dir, why,
			        sizeof(why)) != 0)
				continue;
			check_text(&c[dir]);
			check_pipe(&c[dir]);
		}
	}
	free(text);
	return 0;
}

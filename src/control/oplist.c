/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations, kept. See oplist.h. */
#include "control/oplist.h"

#include <string.h>

#include "base/assert.h"
#include "base/util.h"

static void
put(struct keyword_sink *s, const char *const *words, uint32_t count)
{
	struct op_list *l = CONTAINER_OF(s, struct op_list, sink);
	char n = (char)count;

	ASSERT(count > 0 && count <= OP_WORDS_MAX);
	text_putn(&l->t, &n, 1);
	for (uint32_t i = 0; i < count; i++)
		text_putn(&l->t, words[i], strlen(words[i]) + 1);
}

void
op_list_init(struct op_list *l, bool all, bool transient)
{
	*l = (struct op_list){
		.sink = { .op = put, .all = all, .transient = transient },
	};
}

void
op_list_free(struct op_list *l)
{
	text_free(&l->t);
}

bool
op_list_ok(const struct op_list *l)
{
	return text_ok(&l->t);
}

static void
op_at(const struct op_list *l, struct op *op, size_t at)
{
	op->at = at;
	op->count = 0;
	if (!text_ok(&l->t) || at >= l->t.len)
		return;
	op->count = (uint32_t)l->t.s[at++];
	for (uint32_t i = 0; i < op->count; i++) {
		op->words[i] = l->t.s + at;
		at += strlen(op->words[i]) + 1;
	}
	op->next = at;
}

void
op_first(const struct op_list *l, struct op *op)
{
	op_at(l, op, 0);
}

void
op_next(const struct op_list *l, struct op *op)
{
	op_at(l, op, op->next);
}

bool
op_is_address(const struct op *op)
{
	return (strcmp(op->words[0], "inet") == 0 ||
	           strcmp(op->words[0], "inet6") == 0) &&
	       op->count > 1 && strpbrk(op->words[1], ".:") != NULL;
}

void
op_text(const struct op *op, struct text *t)
{
	for (uint32_t i = 0; i < op->count; i++) {
		if (i > 0)
			text_puts(t, " ");
		text_puts(t, op->words[i]);
	}
}

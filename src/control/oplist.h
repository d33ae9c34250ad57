/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of ifconfig operations, as ifconfig_save() puts them: a sink of
 * net/keyword.h that keeps them, compactly, in their order.
 *
 *     struct op_list l;
 *     struct op op;
 *
 *     op_list_init(&l, true, false);
 *     ifconfig_save(ifp, &l.sink);
 *     for (op_first(&l, &op); op.count > 0; op_next(&l, &op))
 *             ... op.words[0] ...
 *     op_list_free(&l);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/text.h"
#include "net/keyword.h"

#define OP_WORDS_MAX KEYWORD_SAVE_MAX

struct op_list {
	struct keyword_sink sink;
	struct text t; /* of each: a byte that says how many words, the words */
};

/* An operation of a list; words are borrowed from it. */
struct op {
	const char *words[OP_WORDS_MAX];
	uint32_t count; /* 0: the end */
	size_t at, next;
};

/** op_list_init() - @all, @transient: see struct keyword_sink */
void op_list_init(struct op_list *l, bool all, bool transient);
void op_list_free(struct op_list *l);
/** op_list_ok() - false: memory has ended */
bool op_list_ok(const struct op_list *l);

void op_first(const struct op_list *l, struct op *op);
void op_next(const struct op_list *l, struct op *op);

/** op_is_address() - is it "inet ADDRESS..."? There are other words of
 * families, such as "inet6 accept_rtadv" */
bool op_is_address(const struct op *op);

/** op_text() - its words with blanks between them, appended */
void op_text(const struct op *op, struct text *t);

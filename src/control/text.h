/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text that grows: print-outs and answers are built in it, whoever has the
 * descriptor writes it. When memory ends, what follows is not appended and
 * text_ok() is false.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

struct text {
	char *s; /* owned, terminated; NULL while empty */
	size_t len, size;
	bool failed;
};

void text_putn(struct text *t, const char *s, size_t len);
void text_puts(struct text *t, const char *s);
void text_printf(struct text *t, const char *fmt, ...) COAX_PRINTF(2, 3);

/* True as long as everything was appended. */
bool text_ok(const struct text *t);

/* The text so far, never NULL. Borrowed until the next change of @t. */
const char *text_str(const struct text *t);

/* Frees the text and makes @t empty. */
void text_free(struct text *t);

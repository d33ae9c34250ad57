/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of drop reasons as data: see drop.h. */
#include "base/drop.h"

#include "base/assert.h"

static const struct drop_info drop_table[DROP_COUNT] = {
#define X(id, name_, counter_, text_)    \
	[DROP_##id] = { .name = (name_), \
		.text = (text_),         \
		.counter = DROP_COUNTS_##counter_ },
	DROP_REASONS(X)
#undef X
};

const struct drop_info *
drop_info(enum drop_reason reason)
{
	ASSERT((unsigned int)reason < DROP_COUNT);
	return &drop_table[reason];
}

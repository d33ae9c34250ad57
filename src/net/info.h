/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Print-outs as data: drivers describe themselves through this sink, which
 * control/ turns into JSON and the CLI into BSD's text.  So a driver knows
 * nothing of JSON and the text format lives in one place.
 *
 * Keys are stable names (they are the --json interface).  Strings are copied by
 * the sink.  info_begin/info_end nest; in a list, key is NULL.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct info {
	void (*str)(struct info *i, const char *key, const char *value);
	void (*u64)(struct info *i, const char *key, uint64_t value);
	void (*i64)(struct info *i, const char *key, int64_t value);
	void (*boolean)(struct info *i, const char *key, bool value);
	void (*null)(struct info *i, const char *key);
	void (*begin_object)(struct info *i, const char *key);
	void (*begin_list)(struct info *i, const char *key);
	void (*end)(struct info *i);
};

static inline void
info_str(struct info *i, const char *key, const char *value)
{
	i->str(i, key, value);
}
static inline void
info_u64(struct info *i, const char *key, uint64_t value)
{
	i->u64(i, key, value);
}
static inline void
info_i64(struct info *i, const char *key, int64_t value)
{
	i->i64(i, key, value);
}
static inline void
info_bool(struct info *i, const char *key, bool value)
{
	i->boolean(i, key, value);
}
static inline void
info_null(struct info *i, const char *key)
{
	i->null(i, key);
}
static inline void
info_object(struct info *i, const char *key)
{
	i->begin_object(i, key);
}
static inline void
info_list(struct info *i, const char *key)
{
	i->begin_list(i, key);
}
static inline void
info_end(struct info *i)
{
	i->end(i);
}

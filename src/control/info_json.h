/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sink of net/info.h that makes JSON: what a driver says of itself becomes
 * members of an object.
 *
 *     struct info_json j;
 *     info_json_init(&j, object);
 *     ops->get(ifp, &j.info);
 *     ok = info_json_ok(&j);
 *
 * A driver's mistake (an end too many, too deep, a list element with a key)
 * or the end of memory makes info_json_ok() false; the object stays valid.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/info.h"

#define INFO_JSON_DEPTH 8

struct info_json {
	struct info info;               /* first */
	json_t *stack[INFO_JSON_DEPTH]; /* borrowed: each is in the one below */
	uint32_t depth;
	uint32_t lost; /* levels opened beyond the depth */
	bool failed;
};

/** info_json_init() - members go into @object; borrowed */
void info_json_init(struct info_json *j, json_t *object);

/** info_json_ok() - everything was put in, and what was begun was ended */
bool info_json_ok(const struct info_json *j);

/** info_json_text() - a string; bytes that are not UTF-8 become '?'. New
 * reference, or NULL (no memory) */
json_t *info_json_text(const char *s);

/* SPDX-License-Identifier: BSD-2-Clause */
/* struct info as JSON. See info_json.h. */
#include "control/info_json.h"

#include <string.h>

/* Consumes @value. */
static void
put(struct info_json *j, const char *key, json_t *value)
{
	json_t *top = j->stack[j->depth];
	int err;

	if (value == NULL || j->lost > 0) {
		json_decref(value);
		j->failed = true;
		return;
	}
	if (json_is_array(top))
		err = json_array_append_new(top, value);
	else if (key != NULL)
		err = json_object_set_new(top, key, value);
	else {
		json_decref(value);
		err = -1;
	}
	if (err != 0)
		j->failed = true;
}

json_t *
info_json_text(const char *text)
{
	json_t *s = json_string(text);
	char clean[256];
	size_t n = 0;

	if (s != NULL)
		return s;
	/* Not UTF-8: shown as far as it is ASCII. */
	for (; text[n] != '\0' && n < sizeof(clean) - 1; n++)
		clean[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
	clean[n] = '\0';
	return json_string(clean);
}

static void
put_str(struct info *i, const char *key, const char *value)
{
	put((struct info_json *)i, key,
	    info_json_text(value != NULL ? value : ""));
}

static void
put_u64(struct info *i, const char *key, uint64_t value)
{
	put((struct info_json *)i, key, json_integer((json_int_t)value));
}

static void
put_i64(struct info *i, const char *key, int64_t value)
{
	put((struct info_json *)i, key, json_integer(value));
}

static void
put_bool(struct info *i, const char *key, bool value)
{
	put((struct info_json *)i, key, json_boolean(value));
}

static void
put_null(struct info *i, const char *key)
{
	put((struct info_json *)i, key, json_null());
}

static void
begin(struct info_json *j, const char *key, json_t *value)
{
	bool failed;

	if (j->lost > 0 || j->depth + 1 >= INFO_JSON_DEPTH) {
		json_decref(value);
		j->lost++;
		j->failed = true;
		return;
	}
	failed = j->failed;
	j->failed = false;
	put(j, key, json_incref(value));
	if (j->failed) { /* it is in nothing: forget what goes into it */
		json_decref(value);
		j->lost++;
		return;
	}
	j->failed = failed;
	j->stack[++j->depth] = value;
	json_decref(value); /* the one below holds it */
}

static void
begin_object(struct info *i, const char *key)
{
	begin((struct info_json *)i, key, json_object());
}

static void
begin_list(struct info *i, const char *key)
{
	begin((struct info_json *)i, key, json_array());
}

static void
end(struct info *i)
{
	struct info_json *j = (struct info_json *)i;

	if (j->lost > 0)
		j->lost--;
	else if (j->depth > 0)
		j->depth--;
	else
		j->failed = true;
}

void
info_json_init(struct info_json *j, json_t *object)
{
	*j = (struct info_json){
		.info = { .str = put_str,
		    .u64 = put_u64,
		    .i64 = put_i64,
		    .boolean = put_bool,
		    .null = put_null,
		    .begin_object = begin_object,
		    .begin_list = begin_list,
		    .end = end },
		.stack = { object },
	};
}

bool
info_json_ok(const struct info_json *j)
{
	return !j->failed && j->depth == 0 && j->lost == 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configurations: the input is a file. It is read; applied, first for show, to
 * a net in memory that has a few interfaces; and what is exported then must be
 * what another net becomes by it.
 */
#include "../golden/world.h"

static void
run_line(struct world *w, const char *line)
{
	struct text out = { 0 }, err = { 0 };

	(void)world_tool(w, w->home, "ifconfig", line, &out, &err);
	text_free(&out);
	text_free(&err);
}

/* Was it applied? */
static bool
apply(struct world *w, const char *text, bool dry_run)
{
	struct text out = { 0 }, err = { 0 };
	json_t *answer = world_call(w, w->home, "config.apply",
	    json_pack("{s:s,s:b}", "text", text, "dry_run", dry_run));
	const json_t *error = json_object_get(answer, "error");
	bool ok = error == NULL;

	if (error != NULL)
		(void)printout_error("coax", error, &out, &err);
	else
		(void)printout_result(
		    "coax", json_object_get(answer, "result"), &out, &err);
	text_free(&out);
	text_free(&err);
	json_decref(answer);
	return ok;
}

static json_t *
exported(struct world *w)
{
	json_t *answer = world_call(w, w->home, "config.export", json_object());
	json_t *text = json_incref(
	    json_object_get(json_object_get(answer, "result"), "text"));

	ASSERT(text != NULL);
	json_decref(answer);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const first[] = { "mock0 create name em0",
		"mock1 create name wlan0", "bridge7 create addm em0 up" };
	struct rcconf rc;
	struct world *a, *b;
	json_t *text;
	bool shown;

	if (size > 8192)
		return 0;
	rcconf_init(&rc);
	if (rcconf_parse(&rc, "f", (const char *)data, size) == 0)
		for (size_t i = 0; i < rc.count; i++) {
			struct rc_words w;

			if (rcconf_words(&rc.entries[i], &w) == 0)
				rcconf_words_free(&w);
		}
	rcconf_fini(&rc);
	/* Only UTF-8 without NUL comes through JSON. */
	text = json_stringn((const char *)data, size);
	if (text == NULL || memchr(data, '\0', size) != NULL) {
		json_decref(text);
		return 0;
	}
	a = world_create(NULL);
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		run_line(a, first[i]);
	shown = apply(a, json_string_value(text), true);
	/* What is found wrong is found by showing; the system adds to that. */
	if (apply(a, json_string_value(text), false))
		ASSERT(shown);
	json_decref(text);
	text = exported(a);
	b = world_create(NULL);
	ASSERT(apply(b, json_string_value(text), false));
	json_decref(text);
	world_destroy(a);
	world_destroy(b);
	return 0;
}

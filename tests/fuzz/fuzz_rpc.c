/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes on the control socket, in pieces of sizes that the first byte chooses;
 * what comes back must be JSON, one value a line, and printable.
 */
#include "../golden/world.h"

static void
check_answers(char *text)
{
	struct text out = { 0 }, err = { 0 };
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		json_t *v;

		if (*line == '\0')
			continue;
		v = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		ASSERT(v != NULL);
		(void)printout_error(
		    "coax", json_object_get(v, "error"), &out, &err);
		(void)printout_result(
		    "coax", json_object_get(v, "result"), &out, &err);
		json_decref(v);
	}
	text_free(&out);
	text_free(&err);
}

/* The input itself as an answer of a hostile daemon. */
static void
print_all(const json_t *v)
{
	static void (*const prints[])(const json_t *,
	    struct text *) = { printout_addresses, printout_iface_table,
		printout_vnets, printout_drops, printout_pool, printout_methods,
		printout_event, printout_json };
	struct text out = { 0 }, err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(prints); i++)
		prints[i](v, &out);
	printout_iface(v, PRINTOUT_VERBOSE, &out);
	printout_part("coax", v, &out, &err);
	(void)printout_result("coax", v, &out, &err);
	(void)printout_error("coax", v, &out, &err);
	text_free(&out);
	text_free(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w;
	size_t piece, at = 0;
	char *answers;
	json_t *v;

	if (size == 0 || size > 16384)
		return 0;
	v = json_loadb((const char *)data + 1, size - 1, 0, NULL);
	if (v != NULL)
		print_all(v);
	json_decref(v);
	piece = (size_t)data[0] + 1;
	data++;
	size--;
	w = world_create(NULL);
	while (at < size) {
		size_t n = COAX_MIN(piece, size - at);
		struct rpc_session *s = w->home;

		if (rpc_session_input(s, data + at, n) != 0)
			break;
		at += n;
		world_run(w, s);
	}
	(void)rpc_session_input(w->home, "\n", 1);
	world_run(w, w->home);
	ASSERT(!rpc_session_overrun(w->home));
	answers = world_output(w->home);
	check_answers(answers);
	free(answers);
	world_destroy(w);
	return 0;
}

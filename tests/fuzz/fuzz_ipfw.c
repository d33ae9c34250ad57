/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw's command line: each line of the input is a command, run as the daemon
 * does and printed as the client does.  A rule that parses prints as one that
 * is the same.
 */
#include "../golden/world.h"

#define LINES_MAX 32

static void
there_and_back(const char *line)
{
	static struct ipfw_text a, b;
	static char text[IPFW_TEXT_MAX];
	struct sbuf out = sbuf_init(text, sizeof(text));
	struct ipfw_error error;
	const char *again = text;

	if (ipfw_parse(&line, 1, &a, &error) != 0)
		return;
	ipfw_print(&a.head, a.insns, a.count, 0, &out);
	/* A rule of many items may be longer than a line. */
	if (!sbuf_ok(&out) || out.len >= IPFW_TEXT_MAX / 2 - 1)
		return;
	ASSERT(ipfw_parse(&again, 1, &b, &error) == 0);
	b.head.number = a.head.number;
	b.head.set = a.head.set;
	ASSERT(memcmp(&a, &b, sizeof(a)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *save, *line;
	struct world *w;
	json_t *probe;

	if (size > 4096)
		return 0;
	/* Only UTF-8 without NUL comes through JSON. */
	probe = json_stringn((const char *)data, size);
	if (probe == NULL || memchr(data, '\0', size) != NULL) {
		json_decref(probe);
		return 0;
	}
	json_decref(probe);
	text = malloc(size + 1);
	ASSERT(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	w = world_create(NULL);
	save = text;
	for (int n = 0; n < LINES_MAX && (line = strsep(&save, "\n")) != NULL;
	     n++) {
		struct text out = { 0 }, err = { 0 };

		there_and_back(line);
		(void)world_tool(w, w->home, "ipfw", line, &out, &err);
		text_free(&out);
		text_free(&err);
	}
	world_destroy(w);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines on a net in memory: each line of the input is an ifconfig or
 * (after '%') a sysctl line, run as the daemon does, its answer printed as the
 * client does. "!" makes the system slow, "?" asks on the read-only socket.
 */
#include "../golden/world.h"

/* More is the same again. */
#define LINES_MAX 32

static void
run_line(struct world *w, const char *line)
{
	struct text out = { 0 }, err = { 0 };
	struct rpc_session *s = w->home;
	const char *program = "ifconfig";

	if (*line == '!') {
		w->slow = !w->slow;
		return;
	}
	if (*line == '?') {
		s = w->read_only;
		line++;
	}
	if (*line == '%') {
		program = "sysctl";
		line++;
	}
	(void)world_tool(w, s, program, line, &out, &err);
	text_free(&out);
	text_free(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const first[] = { "feth0 create", "mock0 create",
		"bridge0 create addm mock0" };
	struct world *w;
	char *text, *save, *line;
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
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		run_line(w, first[i]);
	save = text;
	for (int n = 0; n < LINES_MAX && (line = strsep(&save, "\n")) != NULL;
	     n++)
		run_line(w, line);
	world_destroy(w);
	free(text);
	return 0;
}

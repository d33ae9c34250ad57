/* SPDX-License-Identifier: BSD-2-Clause */
/* Failed assertions: one line to the sink, then abort(). See assert.h. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

static void
assert_to_stderr(const char *line)
{
	fputs(line, stderr);
	fputs("\n", stderr);
}

static void (*assert_sink)(const char *line) = assert_to_stderr;

void
assert_set_sink(void (*sink)(const char *line))
{
	assert_sink = sink != NULL ? sink : assert_to_stderr;
}

void
assert_fail(const char *what, const char *file, int line, const char *func)
{
	char text[512];

	snprintf(text, sizeof(text), "coax: %s:%d: %s: assertion failed: %s",
	    file, line, func, what);
	assert_sink(text);
	abort();
}

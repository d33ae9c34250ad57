/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of coax-extcap: words between 0 bytes. What is taken has
 * what it needs; what is refused says why in one short line; and values for
 * Wireshark's lines have neither braces nor control characters.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "cli/extcap_args.h"

#define WORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_value(const char *s)
{
	char buf[40];

	(void)extcap_value(s, buf, sizeof(buf));
	ASSERT(strlen(buf) < sizeof(buf));
	for (const char *p = buf; *p != '\0'; p++)
		ASSERT((unsigned char)*p >= ' ' && *p != '{' && *p != '}');
}

static void
check_args(const struct extcap_args *a)
{
	ASSERT(a->what <= EXTCAP_CAPTURE);
	ASSERT(!(a->in && a->out));
	ASSERT(a->snaplen <= 262144 && a->buffer_kib <= 1024 * 1024);
	if (a->what >= EXTCAP_DLTS && a->what != EXTCAP_CHECK)
		ASSERT(a->iface != NULL && a->iface[0] != '\0');
	if (a->what == EXTCAP_CHECK)
		ASSERT(a->filter != NULL);
	if (a->what == EXTCAP_CAPTURE)
		ASSERT(a->fifo != NULL && a->fifo[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS_MAX + 2] = { "coax-extcap" };
	char *copy = malloc(size + 1);
	struct extcap_args a;
	char why[128] = "";
	int argc = 1;

	ASSERT(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	for (size_t at = 0; at < size && argc <= WORDS_MAX;
	     at += strlen(copy + at) + 1)
		argv[argc++] = copy + at;
	argv[argc] = NULL;
	for (int i = 1; i < argc; i++)
		check_value(argv[i]);
	if (extcap_parse(argc, argv, &a, why, sizeof(why)) == 0)
		check_args(&a);
	else
		ASSERT(why[0] != '\0');
	free(copy);
	return 0;
}

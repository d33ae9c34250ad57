/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How rows put what they have been told: see keyword.h.
 */
#include "net/keyword.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/vlanset.h"
#include "net/net.h"

/* A set of VLANs is the longest argument that there is. */
#define TEXT_MAX (VLAN_SET_TEXT_MAX + 128)

void
keyword_put(struct keyword_sink *s, const char *fmt, ...)
{
	const char *words[KEYWORD_SAVE_MAX];
	char text[TEXT_MAX];
	uint32_t count = 0;
	char *word, *save;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ASSERT(n > 0 && (size_t)n < sizeof(text));
	for (word = strtok_r(text, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		ASSERT(count < KEYWORD_SAVE_MAX);
		words[count++] = word;
	}
	s->op(s, words, count);
}

bool
keyword_may_say(
    struct keyword_sink *s, const struct iface *who, const struct iface *ifp)
{
	if (ifp->transient && !s->transient)
		return false;
	if (s->all || net_iface_can_name(who, ifp))
		return true;
	s->unsaid = true;
	return false;
}

void
keyword_put_switch(struct keyword_sink *s, const char *word, const char *object,
    bool on, bool preset)
{
	if (on != preset || s->all)
		keyword_put(s, "%s%s %s", on ? "" : "-", word, object);
}

void
keyword_put_number(
    struct keyword_sink *s, const char *word, uint64_t n, uint64_t preset)
{
	if (n != preset || s->all)
		keyword_put(s, "%s %" PRIu64, word, n);
}

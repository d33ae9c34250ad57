/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of dhcp-script: see lease.h. */
#include "drv/lease.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define WORDS      7
#define SECONDS_AT 5
#define SECONDS_IF 3600 /* nothing is said, or nothing sensible */

/* What a network may say an address is. */
static bool
usable(struct in_addr a)
{
	uint32_t n = ntohl(a.s_addr);

	return n >> 24 != 0 && n >> 24 != 127 && n >> 24 < 224;
}

/* "255.255.255.0" to 24; false: no mask. */
static bool
mask_parse(const char *s, uint32_t *out)
{
	struct in_addr in;
	uint32_t mask, len = 0;

	if (inet_pton(AF_INET, s, &in) != 1)
		return false;
	for (mask = ntohl(in.s_addr); (mask & 0x80000000u) != 0; mask <<= 1)
		len++;
	*out = len;
	return mask == 0 && len > 0;
}

bool
lease_parse(char *line, struct lease *out)
{
	char *word[WORDS], *save = NULL;
	struct lease l = { .prefixlen = 32 };
	unsigned int n = 0;
	struct in_addr *others[] = { &l.router, &l.server, NULL, &l.dns };

	for (char *w = strtok_r(line, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		if (n == WORDS)
			return false;
		word[n++] = w;
	}
	if (n != WORDS || strcmp(word[0], "bound") != 0 ||
	    inet_pton(AF_INET, word[1], &l.addr) != 1 || !usable(l.addr))
		return false;
	if (strcmp(word[2], "-") != 0 && !mask_parse(word[2], &l.prefixlen))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i] != NULL &&
		    (inet_pton(AF_INET, word[3 + i], others[i]) != 1 ||
		        !usable(*others[i])))
			others[i]->s_addr = 0;
	if (str_u32(word[SECONDS_AT], 10, 1, UINT32_MAX, &l.seconds) != 0)
		l.seconds = SECONDS_IF;
	*out = l;
	return true;
}

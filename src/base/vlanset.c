/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of VLAN identifiers; vlanset.h has the grammar.
 */
#include "base/vlanset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A number from 1 to 4094 at *@s, which moves behind it; 0: there is none. */
static uint32_t
number(const char **s)
{
	uint32_t n = 0;

	while (**s >= '0' && **s <= '9') {
		n = n * 10 + (uint32_t)(*(*s)++ - '0');
		if (n > VLAN_ID_MAX)
			return 0;
	}
	return n;
}

static void
add_range(struct vlan_set *s, uint32_t first, uint32_t last)
{
	for (uint32_t vid = first; vid <= last; vid++)
		s->words[vid / 64] |= UINT64_C(1) << (vid % 64);
}

int
vlan_set_parse(const char *text, struct vlan_set *out)
{
	struct vlan_set s = { { 0 } };
	uint32_t first, last;

	if (strcmp(text, "all") == 0)
		add_range(&s, VLAN_ID_MIN, VLAN_ID_MAX);
	if (strcmp(text, "all") == 0 || strcmp(text, "none") == 0) {
		*out = s;
		return 0;
	}
	for (;; text++) {
		first = last = number(&text);
		if (*text == '-') {
			text++;
			last = number(&text);
		}
		if (first == 0 || last < first)
			return -EINVAL;
		add_range(&s, first, last);
		if (*text != ',')
			break;
	}
	if (*text != '\0')
		return -EINVAL;
	*out = s;
	return 0;
}

const char *
vlan_set_format(const struct vlan_set *s, char out[VLAN_SET_TEXT_MAX])
{
	size_t len = 0;
	uint32_t last;

	out[0] = '\0';
	for (uint32_t vid = VLAN_ID_MIN; vid <= VLAN_ID_MAX; vid++) {
		if (!vlan_set_has(s, vid))
			continue;
		last = vid;
		while (last < VLAN_ID_MAX && vlan_set_has(s, last + 1))
			last++;
		len += (size_t)snprintf(out + len, VLAN_SET_TEXT_MAX - len,
		    last == vid ? "%s%u" : "%s%u-%u", len != 0 ? "," : "", vid,
		    last);
		vid = last;
	}
	return out;
}

void
vlan_set_add(struct vlan_set *s, const struct vlan_set *more)
{
	for (size_t i = 0; i < VLAN_IDS / 64; i++)
		s->words[i] |= more->words[i];
}

void
vlan_set_remove(struct vlan_set *s, const struct vlan_set *less)
{
	for (size_t i = 0; i < VLAN_IDS / 64; i++)
		s->words[i] &= ~less->words[i];
}

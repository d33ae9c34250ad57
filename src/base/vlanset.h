/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of VLAN identifiers, and how people write one.
 *
 *     set  = "none" | "all" | item { "," item }
 *     item = N | N "-" M          1 <= N <= M <= 4094, decimal
 *
 * "all" is 1-4094: 0 and 4095 are no VLANs (IEEE 802.1Q table 9-2).
 *
 * Source: the sets of FreeBSD's ifconfig(8), "iftagged".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VLAN_ID_MIN       1u
#define VLAN_ID_MAX       4094u
#define VLAN_IDS          4096u
#define VLAN_SET_TEXT_MAX 10240 /* 2047 single numbers, with the NUL */

struct vlan_set {
	uint64_t words[VLAN_IDS / 64];
};

static inline bool
vlan_set_has(const struct vlan_set *s, uint32_t vid)
{
	return (s->words[vid / 64 % (VLAN_IDS / 64)] >> (vid % 64) & 1) != 0;
}

/** vlan_set_parse() - 0, or -EINVAL with @out as it was */
int vlan_set_parse(const char *text, struct vlan_set *out);

/**
 * vlan_set_format() - the set as text, ranges collapsed; "" if it is empty
 * @out: room for VLAN_SET_TEXT_MAX bytes
 *
 * Return: @out.
 */
const char *vlan_set_format(
    const struct vlan_set *s, char out[VLAN_SET_TEXT_MAX]);

/** vlan_set_add() - @s and @more */
void vlan_set_add(struct vlan_set *s, const struct vlan_set *more);
/** vlan_set_remove() - @s without @less */
void vlan_set_remove(struct vlan_set *s, const struct vlan_set *less);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: the multicast addresses that a front end wants to hear. It tells them by
 * extra infos in its transmit ring; the list counts only while the front end
 * asks for it (request-multicast-control).
 */
#include <errno.h>
#include <string.h>

#include "base/ether.h"
#include "drv/xnb/xnb.h"

static uint32_t
find(const struct xnb_mcast *m, const uint8_t addr[6])
{
	uint32_t i = 0;

	while (i < m->count && !ether_equal(m->addr[i], addr))
		i++;
	return i;
}

int
xnb_mcast_add(struct xnb_mcast *m, const uint8_t addr[6])
{
	if (find(m, addr) < m->count)
		return 0;
	if (m->count == XNB_MCAST_MAX)
		return -ENOSPC;
	ether_copy(m->addr[m->count++], addr);
	return 0;
}

void
xnb_mcast_del(struct xnb_mcast *m, const uint8_t addr[6])
{
	uint32_t i = find(m, addr);

	if (i < m->count)
		ether_copy(m->addr[i], m->addr[--m->count]);
}

bool
xnb_mcast_has(const struct xnb_mcast *m, const uint8_t addr[6])
{
	return find(m, addr) < m->count;
}

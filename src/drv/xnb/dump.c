/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: dev.xnb.N.dump_rings. The rows are those of FreeBSD's driver, for every
 * queue, and for the control ring where there is one.
 *
 * Differs: 32-bit counters are printed as such, not as signed numbers, and no
 * address of ours is told.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/util.h"
#include "drv/xnb/dump.h"
#include "drv/xnb/xnb.h"

#define SECTION_MAX 1024 /* bytes of a queue's text */

enum row {
	ROW_REQ_CONS,
	ROW_NR_ENTS,
	ROW_RSP_PROD_PVT,
	ROW_SHARED, /* and those after it: words of the page, in its order */
	ROW_COUNT = ROW_SHARED + 4,
};

static const char *const row_names[ROW_COUNT] = {
	[ROW_REQ_CONS] = "req_cons",
	[ROW_NR_ENTS] = "nr_ents",
	[ROW_RSP_PROD_PVT] = "rsp_prod_pvt",
	[ROW_SHARED] = "sring->req_prod",
	[ROW_SHARED + 1] = "sring->req_event",
	[ROW_SHARED + 2] = "sring->rsp_prod",
	[ROW_SHARED + 3] = "sring->rsp_event",
};

static uint32_t
row_value(const struct netring_back *r, enum row row)
{
	const uint32_t *shared = &r->shared->req_prod;

	switch (row) {
	case ROW_REQ_CONS:
		return r->req_cons;
	case ROW_NR_ENTS:
		return r->slots;
	case ROW_RSP_PROD_PVT:
		return r->rsp_prod_pvt;
	default:
		return shm_load_relaxed(shared + (row - ROW_SHARED));
	}
}

static void
dump_queue(struct sbuf *b, const struct xnb_queue *q)
{
	sbuf_printf(b, "\nqueue %-10u %18s %18s\n", q->index, "TX", "RX");
	for (enum row row = 0; row < ROW_COUNT; row++)
		sbuf_printf(b, "%-16s %18u %18u\n", row_names[row],
		    row_value(&q->tx, row), row_value(&q->rx, row));
}

static void
dump_ctrl(struct sbuf *b, const struct netring_back *r)
{
	sbuf_printf(b, "\n%-16s %18s\n", "control", "CTRL");
	for (enum row row = 0; row < ROW_COUNT; row++)
		sbuf_printf(
		    b, "%-16s %18u\n", row_names[row], row_value(r, row));
}

char *
xnb_dump_rings(const struct iface *ifp)
{
	const struct xnb *x = xnb_of_const(ifp);
	size_t size = (x->queue_count + 1) * SECTION_MAX;
	char *text = malloc(size);
	struct sbuf b;

	if (text == NULL)
		return NULL;
	b = sbuf_init(text, size);
	if (!x->connected)
		return text;
	for (uint32_t i = 0; i < x->queue_count; i++)
		dump_queue(&b, &x->queues[i]);
	if (x->ctrl_ch != NULL)
		dump_ctrl(&b, &x->ctrl);
	return text;
}

struct iface *
xnb_by_number(const struct net *net, uint32_t number)
{
	struct iface *ifp;

	TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
		if (ifp->ops == &xnb_ops && xnb_of(ifp)->number == number)
			return ifp;
	}
	return NULL;
}

uint32_t
xnb_number(const struct iface *ifp)
{
	return xnb_of_const(ifp)->number;
}

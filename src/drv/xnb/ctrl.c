/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: the control ring. Front ends ask there for a hash of their own choice to
 * spread packets over queues, and for permanent mappings; both are optional,
 * and what a back end does not have it says by NOT_SUPPORTED. coax has neither:
 * it spreads flows by a hash of its own.
 */
#include <errno.h>

#include "base/util.h"
#include "drv/xnb/xnb.h"

#define CTRL_WORDS (COAX_NETIF_CTRL_SLOT_SIZE / sizeof(uint32_t))

_Static_assert(
    sizeof(struct coax_netif_ctrl_request) == COAX_NETIF_CTRL_SLOT_SIZE,
    "protocol");
_Static_assert(sizeof(struct coax_netif_ctrl_response) == 12, "protocol");

int
xnb_ctrl_run(struct xnb *x)
{
	/* A whole slot is written: nothing of ours is left in it. */
	union {
		struct coax_netif_ctrl_response rsp;
		uint32_t words[CTRL_WORDS];
	} u;
	struct coax_netif_ctrl_request req;
	int n = netring_back_poll(&x->ctrl);

	if (n < 0)
		return xnb_fatal(x, DROP_XNB_RING);
	for (int i = 0; i < n; i++) {
		netring_back_get(
		    &x->ctrl, x->ctrl.req_cons++, &req, CTRL_WORDS);
		memset(&u, 0, sizeof(u));
		u.rsp.id = req.id;
		u.rsp.type = req.type;
		u.rsp.status = COAX_NETIF_CTRL_STATUS_NOT_SUPPORTED;
		netring_back_put(&x->ctrl, &u, CTRL_WORDS);
	}
	if (netring_back_publish(&x->ctrl))
		x->t->ops->notify(x->t, x->ctrl_ch);
	return n;
}

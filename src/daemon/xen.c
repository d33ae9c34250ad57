/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen's vifs in the daemon: whether they are served, and what is told of them.
 *
 *   xen.list {}     the vifs that the toolstack has made for us, and their
 * state
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "bridge/bridge.h"
#include "control/info_json.h"
#include "daemon/daemon.h"
#include "drv/xnb/xen.h"

static void
method_list(struct rpc_call *call)
{
	const struct daemon *d = call->user;
	json_t *o = json_object();
	struct info_json j;

	info_json_init(&j, o);
	info_bool(&j.info, "available", d->xen != NULL);
	if (d->xen != NULL)
		xnb_xen_get(d->xen, &j.info);
	else
		info_str(&j.info, "why", d->xen_why);
	rpc_reply(call, o);
}

const struct rpc_method daemon_xen_methods[] = {
	{ .name = "xen.list",
	    .flags = RPC_READ_ONLY,
	    .handler = method_list,
	    .about = "Xen's vifs, and their state: xnb(4)." },
	{ .name = NULL },
};

/* What the toolstack's `bridge=' names is a bridge of ours, or there is none.
 * It always names one, also when nobody has asked for it. */
static int
join(struct iface *ifp, const char *name)
{
	struct iface *bridge = net_iface_find(ifp->net, NULL, name);

	if (bridge == NULL || !bridge_is(bridge))
		return net_error(
		    ifp->net, -ENOENT, "there is no bridge %s", name);
	return bridge_add(bridge, ifp);
}

void
daemon_xen_start(struct daemon *d, bool off)
{
	struct xnb_xen_options o = { .loop = d->loop, .join = join };
	int err;

	if (off) {
		(void)str_copy(d->xen_why, sizeof(d->xen_why),
		    "coaxd was started with --no-xen");
		return;
	}
	/* A lab's daemon is no machine's. */
	if (getenv("COAX_LAB") != NULL) {
		(void)str_copy(
		    d->xen_why, sizeof(d->xen_why), "coaxd runs in a lab");
		return;
	}
	err =
	    xnb_xen_start(d->net, &o, &d->xen, d->xen_why, sizeof(d->xen_why));
	if (err == 0)
		return;
	d->xen = NULL;
	if (err == -EWOULDBLOCK)
		log_notice("xen: %s", d->xen_why);
	else
		log_debug("xen: %s", d->xen_why);
}

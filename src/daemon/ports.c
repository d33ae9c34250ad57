/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods of ring ports.
 *
 *   port.open {name?, make?}    {"name","fd":0}: the socket of the handshake
 */
#include "daemon/daemon.h"
#include "daemon/opening.h"
#include "drv/drv.h"
#include "drv/xnb/local.h"

static void
method_open(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	struct net *net = call->net;
	struct xnb_local_options opts = {
		.make = rpc_param_bool(call, "make", false),
	};
	struct opening o = {
		.what = xnb_ops.kind,
		.made = name == NULL ||
		        net_iface_find(net, call->vnet, name) == NULL,
	};
	struct iface *ifp;
	int err;

	if (call->session != NULL)
		control_peer(call->session, &opts.uid, &opts.pid);
	err = xnb_local_open(net, call->vnet, name, &opts, &o.fd, &ifp);
	if (err < 0)
		rpc_fail_errno(call, err, "%s", name != NULL ? name : "xnb");
	else
		opening_start(call, ifp, &o);
}

/* clang-format off */
const struct rpc_method daemon_port_methods[] = {
	{ "port.open", 0, {
	    { "name", RPC_STRING_OR_NULL, true, 0, 0,
	      "an xnb; null: a new one" },
	    { "make", RPC_BOOLEAN, true, 0, 0,
	      "the interface is made if it does not exist" } },
	    method_open, "open a ring port: doc/ring.md" },
	{ .name = NULL },
};
/* clang-format on */

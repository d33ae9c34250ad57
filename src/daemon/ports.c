/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods of ring ports, and the sysctls of their interfaces.
 *
 *   port.open {name?, make?}    {"name","fd":0}: the socket of the handshake
 *   dev.xnb.N.%desc             which interface it is
 *   dev.xnb.N.dump_rings        its rings
 *   dev.xnb.N.unit_test_results runs the built-in tests
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/opening.h"
#include "drv/drv.h"
#include "drv/xnb/dump.h"
#include "drv/xnb/local.h"
#include "drv/xnb/selftest.h"

#define RESULTS_NS 1000000000u /* as long results of the tests are good */

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
		.netns_fd = -1,
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
	{ "port.open", RPC_USERS, {
	    { "name", RPC_STRING_OR_NULL, true, 0, 0,
	      "an xnb; null: a new one" },
	    { "make", RPC_BOOLEAN, true, 0, 0,
	      "the interface is made if it does not exist" } },
	    method_open, "open a ring port: doc/ring.md" },
	{ .name = NULL },
};
/* clang-format on */

/* --- sysctls ----------------------------------------------------------------
 */

static bool
list_xnbs(const struct sysctl_ctx *ctx, uint32_t i, char name[IFACE_NAME_MAX])
{
	const struct iface *ifp;

	TAILQ_FOREACH (ifp, &ctx->net->ifaces, all_link) {
		if (ifp->ops == &xnb_ops && net_iface_visible(ifp, ctx->vnet) &&
		    i-- == 0) {
			snprintf(name, IFACE_NAME_MAX, "%u", xnb_number(ifp));
			return true;
		}
	}
	return false;
}

static const struct iface *
xnb_of_ctx(const struct sysctl_ctx *ctx)
{
	const struct iface *ifp;
	uint32_t number;

	if (ctx->child == NULL ||
	    str_u32(ctx->child, 10, 0, UINT32_MAX, &number) < 0)
		return NULL;
	ifp = xnb_by_number(ctx->net, number);
	return ifp != NULL && net_access(ifp) != NET_ACCESS_NONE ? ifp : NULL;
}

static int
get_desc(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const struct iface *ifp = xnb_of_ctx(ctx);

	if (ifp == NULL)
		return -ENOENT;
	snprintf(v->str, sizeof(v->str), "Backend Virtual Network Device %s",
	    ifp->name);
	return 0;
}

static int
get_dump_rings(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const struct iface *ifp = xnb_of_ctx(ctx);

	if (ifp == NULL)
		return -ENOENT;
	v->text = xnb_dump_rings(ifp);
	return v->text != NULL ? 0 : -ENOMEM;
}

/* The suite takes the worker some ten milliseconds, and everybody who has an
 * xnb may ask: so it is run once in RESULTS_NS, whoever asks. */
static int
get_unit_test_results(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	static struct {
		char *text;
		uint64_t run_ns;
	} last;
	uint64_t now_ns = ctx->net->now_ns;
	struct xnb_selftest_result r;
	int err;

	if (xnb_of_ctx(ctx) == NULL)
		return -ENOENT;
	if (last.text == NULL || now_ns - last.run_ns >= RESULTS_NS) {
		err = xnb_selftest_run(&r);
		if (err < 0)
			return err;
		free(last.text);
		last.text = r.text;
		last.run_ns = now_ns;
	}
	v->text = strdup(last.text);
	return v->text != NULL ? 0 : -ENOMEM;
}

/* clang-format off */
const struct sysctl_row daemon_xnb_sysctls[] = {
	{ .name = "dev.xnb.", .suffix = ".%desc", .type = SYSCTL_STRING,
	  .list = list_xnbs, .get = get_desc,
	  .about = "Which interface it is" },
	{ .name = "dev.xnb.", .suffix = ".dump_rings", .type = SYSCTL_STRING,
	  .list = list_xnbs, .get = get_dump_rings,
	  .about = "Xennet ring information, for debugging" },
	{ .name = "dev.xnb.", .suffix = ".unit_test_results",
	  .type = SYSCTL_STRING, .flags = SYSCTL_HIDE,
	  .list = list_xnbs, .get = get_unit_test_results,
	  .about = "Results of running the built-in unit tests" },
	{ .name = NULL },
};
/* clang-format on */

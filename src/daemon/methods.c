/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods and sysctls that need more than a net: descriptors, namespaces, the
 * loop, the sessions. The others are in control/methods.c,
 * those of taps in taps.c.
 *
 *   daemon.info {}              version, pid, sockets, host, loop
 *   session.hello {client?, netns?}  who asks, and from which vnet
 *   vnet.enter {name}           {"name","id","fd":0}: its network namespace
 *   host.give {name, fd}        a tun that the client made in the call's vnet
 *   events.subscribe {types?}   notifications "event" from now on
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "control/methods.h"
#include "os/clock.h"
#include "os/sock.h"

/* --- daemon.info -----------------------------------------------------------
 */

static void
method_info(struct rpc_call *call)
{
	const struct daemon *d = call->user;
	char ro[sizeof(d->path)] = "";
	struct loop_stats stats;
	json_t *host;

	(void)control_path_ro(d->path, ro, sizeof(ro));
	loop_get_stats(d->loop, &stats);
	if (d->host != NULL)
		host = json_pack("{s:b, s:b}", "available", 1, "io_uring",
		    host_uses_uring(d->host) ? 1 : 0);
	else
		host =
		    json_pack("{s:b, s:s}", "available", 0, "why", d->host_why);
	rpc_reply(call,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:b, s:I, s:I, s:I, s:i, s:o, "
	              "s:{s:I, s:I, s:I, s:I}}",
	        "version", control_version(), "pid", (int)getpid(), "uid",
	        (int)geteuid(), "socket", d->path, "socket_ro", ro, "detached",
	        d->detached ? 1 : 0, "uptime_ns",
	        (json_int_t)(loop_now_ns(d->loop) - d->started_ns),
	        "interfaces", (json_int_t)d->net->iface_count, "clients",
	        (json_int_t)control_clients(d->control), "spin_us",
	        (int)d->spin_us, "host", host, "loop", "iterations",
	        (json_int_t)stats.iterations, "sleeps",
	        (json_int_t)stats.sleeps, "events", (json_int_t)stats.events,
	        "timers", (json_int_t)stats.timers));
}

/* --- session.hello ---------------------------------------------------------
 */

static void
method_hello(struct rpc_call *call)
{
	const struct vnet *vnet = NULL;
	int64_t index = rpc_param_int(call, "netns", -1);
	int fd = -1;

	if (index >= 0) {
		if (index < RPC_FDS_MAX)
			fd = rpc_call_take_fd(call, (uint32_t)index);
		if (fd < 0) {
			rpc_fail_param(
			    call, "netns", "no descriptor came with it");
			return;
		}
		/* A namespace that nobody made a vnet of counts as home. */
		vnet = host_vnet_of(call->net, fd);
		fd_close(&fd);
		/* Nor does one of another user's. */
		if (vnet != NULL && !net_vnet_mine(call->net, vnet))
			vnet = NULL;
	}
	if (call->session != NULL)
		rpc_session_hello(
		    call->session, rpc_param_str(call, "client"), vnet);
	rpc_reply(call, json_pack("{s:s, s:s}", "version", control_version(),
	                    "vnet", vnet != NULL ? vnet->name : ""));
}

/* --- vnet.enter ------------------------------------------------------------
 */

static void
method_vnet_enter(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	struct vnet *vnet = net_vnet_named(call->net, name);
	int fd;

	if (vnet == NULL || !net_vnet_mine(call->net, vnet)) {
		rpc_fail(call, RPC_FAILED, "vnet not found",
		    rpc_error_data(-ENOENT, NULL));
		return;
	}
	fd = host_vnet_open(call->net, vnet);
	if (fd < 0) {
		rpc_fail_errno(call, fd, "vnet %s", vnet->name);
		return;
	}
	rpc_reply_fds(call,
	    json_pack("{s:s, s:I, s:i}", "name", vnet->name, "id",
	        (json_int_t)vnet->id, "fd", 0),
	    &fd, 1);
}

/* --- host.give -------------------------------------------------------------
 */

static void
method_host_give(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	const char *to = rpc_param_str(call, "to");
	int64_t index = rpc_param_int(call, "fd", 0);
	struct iface *ifp = net_iface_find(call->net, call->vnet, name);
	struct vnet *vnet = net_vnet_find(call->net, to);
	int fd = -1;
	int err;

	if (ifp == NULL) {
		rpc_fail(call, RPC_FAILED, "interface does not exist",
		    rpc_error_data(-ENXIO, NULL));
		return;
	}
	if (vnet == NULL || !net_vnet_mine(call->net, vnet)) {
		rpc_fail(call, RPC_FAILED, "vnet not found",
		    rpc_error_data(-ENOENT, NULL));
		return;
	}
	err = net_need(ifp, NET_ACCESS_OWN);
	if (err < 0) {
		rpc_fail_errno(call, err, "%s", name);
		return;
	}
	if (index >= 0 && index < RPC_FDS_MAX)
		fd = rpc_call_take_fd(call, (uint32_t)index);
	if (fd < 0) {
		rpc_fail_param(call, "fd", "no descriptor came with it");
		return;
	}
	err = host_give(call->net, ifp, vnet, fd);
	if (err < 0) {
		fd_close(&fd);
		rpc_fail_errno(call, err, "%s", name);
		return;
	}
	rpc_reply(call, NULL);
}

/* --- events ----------------------------------------------------------------
 */

static void
method_subscribe(struct rpc_call *call)
{
	struct daemon *d = call->user;
	const json_t *types = json_object_get(call->params, "types");
	struct subscription *sub;
	uint32_t mask = 0;
	size_t i;
	json_t *v;

	if (call->session == NULL) {
		rpc_reply(call, NULL);
		return;
	}
	if (types == NULL)
		mask = UINT32_MAX;
	json_array_foreach((json_t *)(uintptr_t)types, i, v)
	{
		const char *s = json_string_value(v);
		uint32_t n = 0;

		while (control_event_name(n) != NULL &&
		       strcmp(control_event_name(n), s) != 0)
			n++;
		if (control_event_name(n) == NULL) {
			rpc_fail_param(call, "types", "no such type of event");
			return;
		}
		mask |= UINT32_C(1) << n;
	}
	sub = control_subscription(call->session);
	sub->types = mask;
	sub->active = mask != 0;
	control_subscribed(d->control);
	rpc_reply(call, json_pack("{s:b}", "subscribed", mask != 0 ? 1 : 0));
}

/* clang-format off */
const struct rpc_method daemon_methods[] = {
	{ "daemon.info", RPC_READ_ONLY | RPC_USERS, { { .name = NULL } }, method_info,
	    "what this daemon is and has done" },
	{ "session.hello", RPC_READ_ONLY | RPC_USERS, {
	    { "client", RPC_STRING, true, 0, 0, "the program's name" },
	    { "netns", RPC_INTEGER, true, 0, RPC_FDS_MAX - 1,
	      "which descriptor is its network namespace" } },
	    method_hello, "who asks, and from which vnet" },
	{ "vnet.enter", RPC_HOME_ONLY | RPC_USERS, {
	    { "name", RPC_STRING, false, 0, 0, "name or number of a vnet" } },
	    method_vnet_enter, "the network namespace of a vnet" },
	{ "host.give", RPC_USERS, {
	    { "name", RPC_STRING, false, 0, 0, "interface" },
	    { "to", RPC_STRING, false, 0, 0, "vnet in which the TAP is" },
	    { "fd", RPC_INTEGER, true, 0, RPC_FDS_MAX - 1,
	      "which descriptor is the TAP" } },
	    method_host_give, "hand over a host side made in a vnet" },
	{ "events.subscribe", RPC_READ_ONLY | RPC_USERS, {
	    { "types", RPC_STRINGS, true, 0, 0,
	      "which; all if absent, none if empty" } },
	    method_subscribe, "notifications \"event\" from now on" },
	{ .name = NULL },
};
/* clang-format on */

/* --- sysctls ----------------------------------------------------------------
 */

static int
sysctl_spin_get(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const struct daemon *d = ctx->user;

	v->num = d->spin_us;
	return 0;
}

static int
sysctl_spin_set(const struct sysctl_ctx *ctx, const struct sysctl_value *v)
{
	struct daemon *d = ctx->user;

	d->spin_us = (uint32_t)v->num;
	loop_set_spin(d->loop, v->num * CLOCK_NS_PER_USEC);
	return 0;
}

static int
sysctl_clients_get(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const struct daemon *d = ctx->user;

	v->num = control_clients(d->control);
	return 0;
}

static int
sysctl_captures_get(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const struct daemon *d = ctx->user;

	v->num = d->capture_count;
	return 0;
}

static int
sysctl_uring_get(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const struct daemon *d = ctx->user;

	v->num = d->host != NULL && host_uses_uring(d->host) ? 1 : 0;
	return 0;
}

/* clang-format off */
const struct sysctl_row daemon_sysctls[] = {
	{ .name = "coax.spin_us", .type = SYSCTL_INT, .flags = SYSCTL_RW,
	  .min = 0, .max = DAEMON_SPIN_MAX_US,
	  .about = "Microseconds of polling after the last work; 0 none",
	  .get = sysctl_spin_get, .set = sysctl_spin_set },
	{ .name = "coax.clients", .type = SYSCTL_INT,
	  .about = "Control clients connected",
	  .get = sysctl_clients_get },
	{ .name = "coax.captures", .type = SYSCTL_INT,
	  .about = "Captures that go on",
	  .get = sysctl_captures_get },
	{ .name = "coax.io_uring", .type = SYSCTL_BOOL,
	  .about = "Host reads and writes go through io_uring",
	  .get = sysctl_uring_get },
	{ .name = NULL },
};
/* clang-format on */

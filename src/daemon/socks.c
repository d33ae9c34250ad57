/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods of socks.
 *
 *   sock.open {fd?, name?, vnethdr?}   {"name"}: an interface whose wire is the
 *                                      socket that came along, until it closes
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/util.h"
#include "daemon/daemon.h"
#include "daemon/opening.h"
#include "drv/drv.h"
#include "drv/sock.h"
#include "os/sock.h"

/* A stream, connected. */
static int
check(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(int);
	int type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return -errno;
	if (type != SOCK_STREAM)
		return -EPROTOTYPE;
	len = sizeof(peer);
	return getpeername(fd, (struct sockaddr *)&peer, &len) < 0 ? -errno : 0;
}

static void
method_open(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	struct opening o = {
		.what = sock_ops.kind,
		.fd = -1,
		.made = true,
		.netns_fd = -1,
	};
	int fd = rpc_call_take_fd(call, (uint32_t)rpc_param_int(call, "fd", 0));
	struct iface *ifp;
	int err;

	if (fd < 0) {
		rpc_fail_param(call, "fd", "no descriptor came with it");
		return;
	}
	err = check(fd);
	if (err == 0)
		err = sock_give(call->net, call->vnet, name, fd,
		    (uint32_t)rpc_param_int(call, "vnethdr", 0), &ifp);
	else
		fd_close(&fd);
	if (err < 0)
		rpc_fail_errno(
		    call, err, "%s", name != NULL ? name : sock_ops.kind);
	else
		opening_start(call, ifp, &o);
}

/* clang-format off */
const struct rpc_method daemon_sock_methods[] = {
	{ "sock.open", 0, {
	    { "fd", RPC_INTEGER, true, 0, RPC_FDS_MAX - 1,
	      "which descriptor is the connected stream" },
	    { "name", RPC_STRING_OR_NULL, true, 0, 0,
	      "of the new interface; null: the lowest unit" },
	    { "vnethdr", RPC_INTEGER, true, 10, 64,
	      "bytes of a virtio_net_hdr before each frame" } },
	    method_open, "an interface whose wire is a given socket" },
	{ .name = NULL },
};
/* clang-format on */

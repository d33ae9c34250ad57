/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods of taps: descriptors, and what the preload library asks for the
 * programs in which it sits.
 *
 *   tap.open {name?, netns?}    {"name","fd":0}: open as /dev/tap, /dev/tapN
 *   tap.attach {fd, name, flags, netns?}  {"name","flags"}: TUNSETIFF of
 *                               Linux's tun
 *   tap.ifname {cookie}         {"name"}
 *   tap.get {cookie | name | index}  its state, in the terms of Linux's ioctls
 *   tap.set {cookie | name, what, value | text}
 *
 * netns is the program's network namespace: a new interface's host side is to
 * be there, also where it is no vnet.
 *
 * A cookie is the SO_COOKIE of an app's descriptor: it stays what it is over
 * dup, fork, exec and SCM_RIGHTS, so no list has to be kept by anybody.
 *
 * The socket that comes with tap.attach is the app's own, not yet connected:
 * the descriptor which it got when it opened /dev/net/tun, and has perhaps
 * duplicated or put into an epoll set since.  It is connected in place, to a
 * listener that exists for the moment, beside the control socket.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "control/methods.h"
#include "daemon/daemon.h"
#include "daemon/opening.h"
#include "drv/host.h"
#include "drv/tap.h"
#include "frame/offload.h"
#include "os/netns.h"
#include "os/sock.h"

/* Not in the headers of Debian 12. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static const struct {
	uint32_t tun, caps;
} offloads[] = {
	{ TUN_F_CSUM, OFFLOAD_CSUM },
	{ TUN_F_TSO4, OFFLOAD_TSO4 },
	{ TUN_F_TSO6, OFFLOAD_TSO6 },
	{ TUN_F_TSO_ECN, OFFLOAD_TSO_ECN },
	{ TUN_F_USO4 | TUN_F_USO6, OFFLOAD_USO },
};

/* --- opening ----------------------------------------------------------------
 */

static uint32_t
tun_flags(const struct iface *ifp, uint64_t cookie)
{
	struct tap_state s;
	uint32_t flags = IFF_TAP;

	tap_get_state(ifp, cookie, &s);
	if (!s.format.pi)
		flags |= IFF_NO_PI;
	if (s.format.vnet_hdr != 0)
		flags |= IFF_VNET_HDR;
	if (s.multi_queue)
		flags |= IFF_MULTI_QUEUE;
	if (s.detached)
		flags |= IFF_DETACH_QUEUE;
	if (!s.made)
		flags |= IFF_PERSIST;
	return flags;
}

static json_t *
flags_json(const struct iface *ifp)
{
	return json_pack("{s:I}", "flags", (json_int_t)tun_flags(ifp, 0));
}

/* The program's namespace, if it came and is a stranger; -1: it is not. False:
 * answered. */
static bool
take_netns(struct rpc_call *call, int *fd)
{
	int64_t index = rpc_param_int(call, "netns", -1);

	*fd = -1;
	if (index < 0)
		return true;
	*fd = rpc_call_take_fd(call, (uint32_t)index);
	if (!netns_is(*fd)) {
		fd_close(fd);
		rpc_fail_param(call, "netns", "not a network namespace");
		return false;
	}
	if (host_vnet_of(call->net, *fd) != NULL)
		fd_close(fd);
	return true;
}

/* Opens and answers, perhaps later. */
static void
open_start(
    struct rpc_call *call, const char *name, struct tap_open_options *opts)
{
	struct net *net = call->net;
	struct opening o = {
		.what = tap_ops.kind,
		.fd = -1,
		.made = name == NULL || name[0] == '\0' ||
		        net_iface_find(net, call->vnet, name) == NULL,
	};
	struct iface *ifp;
	int err;

	if (call->session != NULL)
		control_peer(call->session, &opts->uid, &opts->pid);
	if (!take_netns(call, &o.netns_fd))
		return;
	err = tap_open(net, call->vnet, name, opts, &o.fd, &ifp);
	if (err < 0) {
		fd_close(&o.netns_fd);
		rpc_fail_errno(call, err, "%s", name != NULL ? name : "tap");
		return;
	}
	if (o.fd < 0)
		o.more = flags_json;
	opening_start(call, ifp, &o);
}

static void
method_open(struct rpc_call *call)
{
	struct tap_open_options opts = { 0 };

	open_start(call, rpc_param_str(call, "name"), &opts);
}

/* --- tap.attach -------------------------------------------------------------
 */

struct joining {
	const char *path; /* of the control socket */
	int fd;           /* the app's */
};

/* Is this a socket such as the library makes, which nobody has connected? */
static int
join_check(int fd)
{
	static const int want[][2] = {
		{ SO_DOMAIN, AF_UNIX },
		{ SO_TYPE, SOCK_SEQPACKET },
		{ SO_ACCEPTCONN, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		socklen_t len = sizeof(int);
		int value;

		if (getsockopt(fd, SOL_SOCKET, want[i][0], &value, &len) < 0 ||
		    value != want[i][1])
			return -EINVAL;
	}
	return 0;
}

static int
join(void *arg, int *ours, uint64_t *cookie)
{
	const struct joining *j = arg;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct sock_listener l = { 0 };
	socklen_t len = sizeof(*cookie);
	struct sbuf path = sbuf_init(to.sun_path, sizeof(to.sun_path));
	int err = join_check(j->fd);
	int size = TAP_APP_SNDBUF;
	int fd;

	if (err != 0)
		return err;
	if (getsockopt(j->fd, SOL_SOCKET, SO_COOKIE, cookie, &len) < 0)
		return -errno;
	(void)setsockopt(j->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	sbuf_printf(&path, "%s.t", j->path);
	if (!sbuf_ok(&path))
		return -ENAMETOOLONG;
	err = sock_listen_unix(to.sun_path,
	    &(struct sock_listen_options){ .type = SOCK_SEQPACKET }, &l);
	if (err != 0)
		return err;
	/* Both at once, or not at all: the listener is nobody else's. */
	if (connect(j->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		err = errno == EISCONN ? -EEXIST : -errno;
	} else {
		fd = sock_accept(l.fd);
		if (fd < 0)
			err = fd;
		else
			*ours = fd;
	}
	sock_listener_close(&l);
	return err;
}

static void
method_attach(struct rpc_call *call)
{
	const struct daemon *d = call->user;
	const char *name = rpc_param_str(call, "name");
	uint32_t flags = (uint32_t)rpc_param_int(call, "flags", 0);
	struct joining joining = { .path = d->path };
	struct tap_open_options opts = {
		.format.pi = (flags & IFF_NO_PI) == 0,
		.format.vnet_hdr =
		    (flags & IFF_VNET_HDR) != 0 ? TAP_VNET_HDR_MIN : 0,
		.make = true,
		.multi_queue = (flags & IFF_MULTI_QUEUE) != 0,
		.join = join,
		.arg = &joining,
	};

	if ((flags & IFF_TAP) == 0) {
		rpc_fail_errno(
		    call, -EOPNOTSUPP, "only Ethernet (IFF_TAP) is to be had");
		return;
	}
	if ((flags & IFF_NAPI_FRAGS) != 0) {
		rpc_fail_errno(call, -EINVAL, "IFF_NAPI_FRAGS");
		return;
	}
	if ((flags & IFF_TUN_EXCL) != 0 &&
	    net_iface_find(call->net, call->vnet, name) != NULL) {
		rpc_fail_errno(call, -EBUSY, "%s", name);
		return;
	}
	joining.fd =
	    rpc_call_take_fd(call, (uint32_t)rpc_param_int(call, "fd", 0));
	if (joining.fd < 0) {
		rpc_fail_param(call, "fd", "no descriptor came with it");
		return;
	}
	open_start(call, name, &opts);
	fd_close(&joining.fd);
}

/* --- asking and setting -----------------------------------------------------
 */

/* The tap that the parameters name. NULL: answered. */
static struct iface *
param_tap(struct rpc_call *call, uint64_t *cookie)
{
	const char *name = rpc_param_str(call, "name");
	int64_t index = rpc_param_int(call, "index", 0);
	struct iface *ifp;

	*cookie = (uint64_t)rpc_param_int(call, "cookie", 0);
	if (name != NULL)
		ifp = net_iface_find(call->net, call->vnet, name);
	else if (index > 0)
		ifp = net_iface_by_index(call->net, (uint32_t)index);
	else
		ifp = tap_by_cookie(call->net, *cookie);
	if (index > 0 && ifp != NULL && !net_iface_visible(ifp, call->vnet))
		ifp = NULL;
	if (ifp != NULL && tap_is(ifp) && net_access(ifp) >= NET_ACCESS_USE)
		return ifp;
	rpc_fail_errno(call, -ENXIO, "%s", name != NULL ? name : "tap");
	return NULL;
}

static void
method_ifname(struct rpc_call *call)
{
	uint64_t cookie;
	struct iface *ifp = param_tap(call, &cookie);

	if (ifp != NULL)
		rpc_reply(call, json_pack("{s:s}", "name", ifp->name));
}

static void
method_get(struct rpc_call *call)
{
	uint64_t cookie;
	struct iface *ifp = param_tap(call, &cookie);
	struct tap_state s;
	uint32_t offload = 0;

	if (ifp == NULL)
		return;
	tap_get_state(ifp, cookie, &s);
	for (size_t i = 0; i < ARRAY_LEN(offloads); i++) {
		if ((s.format.caps & offloads[i].caps) != 0)
			offload |= offloads[i].tun;
	}
	rpc_reply(call,
	    json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:I, s:I}",
	        "name", ifp->name, "index", (json_int_t)ifp->index, "flags",
	        (json_int_t)tun_flags(ifp, cookie), "header",
	        (json_int_t)s.format.vnet_hdr, "offload", (json_int_t)offload,
	        "up", (ifp->flags & IFACE_UP) != 0, "running",
	        iface_running(ifp), "link", ifp->link == IFACE_LINK_UP, "mtu",
	        (json_int_t)ifp->mtu, "mac", (json_int_t)mac_to_u64(ifp->mac)));
}

static int
set_persist(struct iface *ifp, uint64_t cookie, int64_t value)
{
	(void)cookie;
	tap_set_made(ifp, value == 0);
	return 0;
}

static int
set_header(struct iface *ifp, uint64_t cookie, int64_t value)
{
	(void)cookie;
	if (value < 0 || value > TAP_VNET_HDR_MAX)
		return -EINVAL;
	return tap_set_vnet_hdr(ifp, (uint32_t)value);
}

static int
set_offload(struct iface *ifp, uint64_t cookie, int64_t value)
{
	uint32_t known = TUN_F_UFO;
	uint32_t caps = 0;

	(void)cookie;
	for (size_t i = 0; i < ARRAY_LEN(offloads); i++) {
		known |= offloads[i].tun;
		if ((value & offloads[i].tun) == offloads[i].tun)
			caps |= offloads[i].caps;
	}
	/* As in Linux: nothing goes without CSUM; USO4 and USO6 together. */
	if ((value & ~(int64_t)known) != 0 ||
	    ((value & ~(int64_t)TUN_F_CSUM) != 0 &&
	        (value & TUN_F_CSUM) == 0) ||
	    ((value & TUN_F_USO4) != 0) != ((value & TUN_F_USO6) != 0))
		return -EINVAL;
	tap_set_caps(ifp, caps);
	return 0;
}

static int
set_attached(struct iface *ifp, uint64_t cookie, int64_t value)
{
	return tap_set_detached(ifp, cookie, value == 0);
}

/* As in Linux: to whom an unprivileged program belongs is not its to say. */
static int
set_owner(struct iface *ifp, uint64_t cookie, int64_t value)
{
	(void)cookie;
	if (!net_is_admin(ifp->net) && (uint32_t)value != ifp->uid)
		return net_error(
		    ifp->net, -EPERM, "only an administrator gives it away");
	return net_user_change(ifp, (uint32_t)value);
}

static int
set_group(struct iface *ifp, uint64_t cookie, int64_t value)
{
	(void)cookie;
	return net_share(ifp, (uint32_t)value);
}

static int
set_type(struct iface *ifp, uint64_t cookie, int64_t value)
{
	(void)cookie;
	if ((ifp->flags & IFACE_UP) != 0)
		return -EBUSY;
	return value == ARPHRD_ETHER ? 0 : -EINVAL;
}

static int
set_carrier(struct iface *ifp, uint64_t cookie, int64_t value)
{
	(void)cookie;
	iface_set_link(ifp, value != 0 ? IFACE_LINK_UP : IFACE_LINK_DOWN);
	return 0;
}

static int
set_mac(struct iface *ifp, uint64_t cookie, int64_t value)
{
	uint8_t mac[ETH_ADDR_LEN];

	(void)cookie;
	if (value <= 0 || value >= INT64_C(1) << 48)
		return -EINVAL;
	u64_to_mac((uint64_t)value, mac);
	return iface_set_lladdr(ifp, mac);
}

static int
set_up(struct iface *ifp, uint64_t cookie, int64_t value)
{
	(void)cookie;
	return iface_set_flags(
	    ifp, value != 0 ? IFACE_UP : 0, value != 0 ? 0 : IFACE_UP);
}

static int
set_mtu(struct iface *ifp, uint64_t cookie, int64_t value)
{
	(void)cookie;
	if (value < 0 || value > UINT16_MAX)
		return -EINVAL;
	return iface_set_mtu(ifp, (uint32_t)value);
}

/* What is the descriptor's, its holder sets; what is the interface's, its
 * owner. */
static const struct {
	const char *what;
	int (*set)(struct iface *ifp, uint64_t cookie, int64_t value);
	int (*set_text)(struct iface *ifp, const char *text); /* or set */
	enum net_access need;
} setters[] = {
	{ "persist", set_persist, NULL, NET_ACCESS_OWN },
	{ "header", set_header, NULL, NET_ACCESS_USE },
	{ "offload", set_offload, NULL, NET_ACCESS_USE },
	{ "attached", set_attached, NULL, NET_ACCESS_USE },
	{ "owner", set_owner, NULL, NET_ACCESS_OWN },
	{ "group", set_group, NULL, NET_ACCESS_OWN },
	{ "type", set_type, NULL, NET_ACCESS_USE },
	{ "carrier", set_carrier, NULL, NET_ACCESS_OWN },
	{ "mac", set_mac, NULL, NET_ACCESS_OWN },
	{ "up", set_up, NULL, NET_ACCESS_OWN },
	{ "mtu", set_mtu, NULL, NET_ACCESS_OWN },
	{ "name", NULL, net_iface_rename, NET_ACCESS_OWN },
};

static void
method_set(struct rpc_call *call)
{
	const char *what = rpc_param_str(call, "what");
	const char *text = rpc_param_str(call, "text");
	bool has_value = json_object_get(call->params, "value") != NULL;
	int64_t value = rpc_param_int(call, "value", 0);
	uint64_t cookie;
	struct iface *ifp = param_tap(call, &cookie);
	int err;

	if (ifp == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(setters); i++) {
		if (strcmp(setters[i].what, what) != 0)
			continue;
		if ((setters[i].set_text != NULL) != (text != NULL) ||
		    (text != NULL) == has_value) {
			rpc_fail_param(call, "what",
			    setters[i].set_text != NULL ? "wants a text"
			                                : "wants a value");
			return;
		}
		err = net_need(ifp, setters[i].need);
		if (err == 0)
			err = text != NULL ? setters[i].set_text(ifp, text)
			                   : setters[i].set(ifp, cookie, value);
		if (err < 0)
			rpc_fail_errno(call, err, "%s: %s", ifp->name, what);
		else
			rpc_reply(call, NULL);
		return;
	}
	rpc_fail_param(call, "what", "nothing that can be set");
}

/* clang-format off */
#define PARAM_COOKIE \
	{ "cookie", RPC_INTEGER, true, 0, 0, \
	  "SO_COOKIE of the tap's descriptor" }
#define PARAM_TAP \
	{ "name", RPC_STRING, true, 0, 0, "the tap, if not by cookie" }
#define PARAM_NETNS \
	{ "netns", RPC_INTEGER, true, 0, RPC_FDS_MAX - 1, \
	  "which descriptor is the program's network namespace" }

const struct rpc_method daemon_tap_methods[] = {
	{ "tap.open", RPC_USERS, {
	    { "name", RPC_STRING_OR_NULL, true, 0, 0,
	      "an existing tap; null: a new one" }, PARAM_NETNS },
	    method_open, "open a tap" },
	{ "tap.attach", RPC_USERS, {
	    { "fd", RPC_INTEGER, true, 0, RPC_FDS_MAX - 1,
	      "which descriptor is the app's unconnected socket" },
	    { "name", RPC_STRING, false, 0, 0,
	      "tap, made if there is none; \"\" or with %d: a free name" },
	    { "flags", RPC_INTEGER, false, 0, UINT16_MAX, "IFF_TAP ..." },
	    PARAM_NETNS },
	    method_attach, "open a tap as Linux's TUNSETIFF" },
	{ "tap.ifname", RPC_READ_ONLY | RPC_USERS, { PARAM_COOKIE },
	    method_ifname, "which interface an open tap is" },
	{ "tap.get", RPC_READ_ONLY | RPC_USERS, { PARAM_COOKIE, PARAM_TAP,
	    { "index", RPC_INTEGER, true, 1, UINT32_MAX,
	      "its number in the daemon" } },
	    method_get, "a tap in the terms of Linux's ioctls" },
	{ "tap.set", RPC_USERS, { PARAM_COOKIE, PARAM_TAP,
	    { "what", RPC_STRING, false, 0, 0,
	      "persist, header, offload, attached, owner, group, type, "
	      "carrier, mac, up, mtu or name" },
	    { "value", RPC_INTEGER, true, 0, 0, "as in the ioctl" },
	    { "text", RPC_STRING, true, 0, 0, "the new name" } },
	    method_set, "change a tap as Linux's ioctls do" },
	{ .name = NULL },
};
/* clang-format on */

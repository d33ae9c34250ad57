/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A net in memory for the tests of control/: every kind, and one of its own; a
 * system that keeps netdevs, vnets and addresses in lists; and a client of an
 * RPC session. No system call, no clock.
 *
 *   mock0          link that follows up and down; a word of every argument
 *   world.slow     the system answers later: world_pump() lets it
 *   world.taken    a name that the host has a netdev of its own under
 *   world.fail_in  the n-th call to the system from now on fails; then 0
 *   world.canceled what the system begins it does not bring to an end
 *   world.closed   vnets that were attached cannot be entered (EACCES)
 *   world_live()   timers run and frames move for a time; only what is made
 *                  after world_timers() has timers
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/str.h"
#include "base/timerheap.h"
#include "base/util.h"
#include "bridge/bridge.h"
#include "control/config.h"
#include "control/ipfw.h"
#include "control/methods.h"
#include "control/printout.h"
#include "control/rpc.h"
#include "drv/drv.h"
#include "net/info.h"
#include "net/keyword.h"

#define WORLD_ADDRESSES 8
#define WORLD_WAITS     64

struct world_host {
	struct iface_host host;
	struct {
		char text[80], dst[64], broadcast[64];
	} addresses[WORLD_ADDRESSES];
	uint32_t count;
};

struct world {
	struct net *net;
	struct config *config;
	struct rpc_server *server;
	struct rpc_session *home, *read_only;
	bool slow, closed, canceled;
	bool no_dhcp, no_lease;
	uint64_t fail_in;
	char taken[IFACE_NAME_MAX];
	struct {
		struct net_wait *wait;
		int err;
	} waits[WORLD_WAITS];
	uint32_t wait_count;
	int closed_fds; /* descriptors that were closed */
	struct timerheap timers;
};

/* The system. */

static inline int
world_later(struct world *w, struct net_wait *wait, int err)
{
	if (!w->slow || wait == NULL || w->wait_count == WORLD_WAITS)
		return err;
	w->waits[w->wait_count].wait = wait;
	w->waits[w->wait_count++].err = err;
	return -EINPROGRESS;
}

/* Ends the oldest wait. Return: was there one? */
static inline bool
world_pump(struct world *w)
{
	struct net_wait *wait;
	int err;

	if (w->wait_count == 0)
		return false;
	wait = w->waits[0].wait;
	err = w->waits[0].err;
	w->wait_count--;
	memmove(w->waits, w->waits + 1, w->wait_count * sizeof(w->waits[0]));
	wait->done(wait, err);
	return true;
}

/* Is this the call that fails? */
static inline bool
world_fails(struct world *w)
{
	return w->fail_in > 0 && --w->fail_in == 0;
}

static inline struct world_host *
world_host_of(const struct iface *ifp)
{
	return CONTAINER_OF(ifp->host, struct world_host, host);
}

static inline void
world_host_deliver(
    struct iface_host *h, struct iface *ifp, struct frame_batch *batch)
{
	(void)h;
	iface_drop_batch(ifp, batch, DROP_HOST_DOWN);
}

static inline int
world_host_attach(void *arg, struct iface *ifp, struct net_wait *wait)
{
	struct world *w = arg;
	struct world_host *h;

	if (world_fails(w))
		return world_later(w, wait, -ENOMEM);
	if (strcmp(ifp->name, w->taken) == 0)
		return world_later(w, wait, -EEXIST);
	if (w->closed && ifp->vnet->adopted)
		return world_later(w, wait, -EACCES);
	if (w->canceled)
		return world_later(w, wait, -ECANCELED);
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	h->host.deliver = world_host_deliver;
	h->host.vnet = ifp->vnet;
	ifp->host = &h->host;
	return world_later(w, wait, 0);
}

static inline int
world_host_detach(void *arg, struct iface *ifp, struct net_wait *wait)
{
	free(world_host_of(ifp));
	ifp->host = NULL;
	return world_later(arg, wait, 0);
}

static inline int
world_host_move(
    void *arg, struct iface *ifp, struct vnet *vnet, struct net_wait *wait)
{
	struct world *w = arg;

	if (world_fails(w))
		return world_later(w, wait, -ENOMEM);
	if (w->closed && vnet->adopted)
		return world_later(w, wait, -EACCES);
	if (strcmp(ifp->name, w->taken) == 0)
		return world_later(w, wait, -EEXIST);
	if (w->canceled)
		return world_later(w, wait, -ECANCELED);
	ifp->host->vnet = vnet;
	world_host_of(ifp)->count = 0; /* as Linux: addresses stay behind */
	return world_later(w, wait, 0);
}

static inline int
world_host_rename(void *arg, struct iface *ifp, const char *name)
{
	struct world *w = arg;

	if (world_fails(w))
		return -ENOMEM;
	return strcmp(name, w->taken) == 0
	           ? net_error(ifp->net, -EEXIST, "the host has a %s", name)
	           : 0;
}

static inline int
world_addr_add(void *arg, struct iface *ifp, const char *addr, const char *dst,
    const char *broadcast)
{
	struct world_host *h = world_host_of(ifp);
	uint32_t n = h->count;

	if (world_fails(arg))
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(h->addresses[i].text, addr) == 0)
			return -EEXIST;
	if (n == WORLD_ADDRESSES)
		return -ENOBUFS;
	snprintf(
	    h->addresses[n].text, sizeof(h->addresses[n].text), "%s", addr);
	snprintf(h->addresses[n].dst, sizeof(h->addresses[n].dst), "%s",
	    dst != NULL ? dst : "");
	snprintf(h->addresses[n].broadcast, sizeof(h->addresses[n].broadcast),
	    "%s", broadcast != NULL ? broadcast : "");
	h->count++;
	return 0;
}

static inline int
world_addr_del(void *arg, struct iface *ifp, const char *addr)
{
	struct world_host *h = world_host_of(ifp);

	(void)arg;
	for (uint32_t i = 0; i < h->count; i++)
		if (strcmp(h->addresses[i].text, addr) == 0) {
			h->count--;
			memmove(&h->addresses[i], &h->addresses[i + 1],
			    (h->count - i) * sizeof(h->addresses[0]));
			return 0;
		}
	return -EADDRNOTAVAIL;
}

static inline int
world_addr_list(void *arg, const struct iface *ifp, struct info *out)
{
	struct world_host *h = world_host_of(ifp);

	(void)arg;
	info_list(out, "addresses");
	for (uint32_t i = 0; i < h->count; i++) {
		char text[80];
		char *slash;
		bool six;

		memcpy(text, h->addresses[i].text, sizeof(text));
		slash = strchr(text, '/');
		six = strchr(text, ':') != NULL;
		*slash = '\0';
		info_object(out, NULL);
		info_str(out, "family", six ? "inet6" : "inet");
		info_str(out, "address", text);
		info_u64(out, "prefixlen", (uint64_t)atoi(slash + 1));
		if (h->addresses[i].dst[0] != '\0')
			info_str(out, "destination", h->addresses[i].dst);
		if (h->addresses[i].broadcast[0] != '\0')
			info_str(out, "broadcast", h->addresses[i].broadcast);
		info_list(out, "flags");
		if (six)
			info_str(out, NULL, "tentative");
		info_end(out);
		if (str_has_prefix(text, "fe80:"))
			info_u64(out, "scopeid", 2);
		info_end(out);
	}
	info_end(out);
	return 0;
}

static inline int
world_dhcp_check(void *arg, const struct iface *ifp)
{
	struct world *w = arg;

	(void)ifp;
	return w->no_dhcp ? net_error(w->net, -EOPNOTSUPP,
	                        "there is no DHCP client here")
	                  : 0;
}

static inline int
world_dhcp_wait(void *arg, struct iface *ifp, struct net_wait *wait)
{
	struct world *w = arg;

	(void)ifp;
	return world_later(w, wait, w->no_lease ? -ETIMEDOUT : 0);
}

static inline void
world_dhcp_get(void *arg, const struct iface *ifp, struct info *out)
{
	const struct world *w = arg;

	if (ifp->host == NULL)
		return;
	info_object(out, "dhcp");
	info_str(out, "state", w->no_lease ? "waiting" : "bound");
	if (w->no_lease) {
		info_str(out, "error", "udhcpc ended: no such device");
	} else {
		info_str(out, "address", "192.0.2.99");
		info_u64(out, "prefixlen", 24);
		info_str(out, "router", "192.0.2.1");
		info_str(out, "server", "192.0.2.2");
		info_u64(out, "lease_s", 3600);
	}
	info_end(out);
}

static inline int
world_vnet_create(void *arg, struct vnet *vnet)
{
	(void)arg;
	(void)vnet;
	return 0;
}

static inline int
world_vnet_attach(void *arg, struct vnet *vnet, const char *what,
    const int *fds, uint32_t fd_count)
{
	(void)arg;
	(void)vnet;
	(void)fds;
	if (what == NULL)
		return fd_count == 1 ? 0 : -EBADF;
	return strcmp(what, "1") == 0 ? 0 : -ESRCH;
}

static inline void
world_vnet_destroy(void *arg, struct vnet *vnet, struct net_wait *wait)
{
	struct world *w = arg;

	(void)vnet;
	if (world_later(w, wait, 0) == 0 && wait != NULL)
		wait->done(wait, 0);
}

/* The kind mock. */

struct mock {
	struct iface ifp;
	uint64_t num;
};

static inline int
mock_create(struct iface *ifp)
{
	ifp->mac[0] = 0x02;
	ifp->mac[5] = (uint8_t)ifp->unit;
	ifp->link = IFACE_LINK_DOWN;
	ifp->flags |= IFACE_RUNNING;
	return 0;
}

static inline void
mock_destroy(struct iface *ifp)
{
	(void)ifp;
}

static inline void
mock_transmit(struct iface *ifp, struct frame_batch *batch)
{
	iface_drop_batch(ifp, batch, DROP_TX_ERROR);
}

static inline void
mock_changed(struct iface *ifp, uint32_t what)
{
	if ((what & IFACE_CHANGED_FLAGS) != 0)
		iface_set_link(ifp, (ifp->flags & IFACE_UP) != 0
		                        ? IFACE_LINK_UP
		                        : IFACE_LINK_DOWN);
}

static inline void
mock_get(const struct iface *ifp, struct info *out)
{
	info_u64(out, "num", ((const struct mock *)ifp)->num);
}

static inline bool
mock_lladdr_given(const struct iface *ifp)
{
	return ifp->mac[5] == (uint8_t)ifp->unit;
}

static inline int
mock_num(struct iface *ifp, const union keyword_value *v)
{
	((struct mock *)ifp)->num = v[0].num;
	return 0;
}

static inline void
mock_save_num(const struct iface *ifp, struct keyword_sink *s)
{
	if (((const struct mock *)ifp)->num != 0)
		keyword_put_number(
		    s, "num", ((const struct mock *)ifp)->num, 0);
}

static inline int
mock_no_num(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	((struct mock *)ifp)->num = 0;
	return 0;
}

static inline int
mock_other(struct iface *ifp, const union keyword_value *v)
{
	struct iface *other = net_iface_find(ifp->net, ifp->vnet, v[0].str);

	if (other == NULL)
		return -ENOENT;
	return other->ops != ifp->ops ? -EINVAL : 0;
}

static inline int
mock_fail(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return net_error(ifp->net, -EIO, "it always does");
}

static inline int
mock_ok(struct iface *ifp, const union keyword_value *v)
{
	(void)ifp;
	(void)v;
	return 0;
}

static const struct iface_keyword mock_keywords[] = {
	{ .name = "num",
	    .args = { { .kind = KEYWORD_ARG_NUMBER,
	        .name = "number",
	        .min = 1,
	        .max = 10 } },
	    .apply = mock_num,
	    .save = mock_save_num,
	    .undo = "-num",
	    .bsd_name = "SIOCSNUM",
	    .help = "a number" },
	{ .name = "-num",
	    .apply = mock_no_num,
	    .saved_by = "num",
	    .bsd_name = "SIOCSNUM",
	    .help = "no number" },
	{ .name = "other",
	    .args = { { .kind = KEYWORD_ARG_IFNAME, .name = "interface" } },
	    .apply = mock_other,
	    .saved_by = "",
	    .bsd_name = "SIOCSOTHER",
	    .help = "another mock" },
	{ .name = "entry",
	    .args = { { .kind = KEYWORD_ARG_IFNAME, .name = "interface" },
	        { .kind = KEYWORD_ARG_MAC, .name = "address" },
	        { .kind = KEYWORD_ARG_VLAN,
	            .name = "vlan id",
	            .literal = "vlan" } },
	    .apply = mock_ok,
	    .saved_by = "",
	    .bsd_name = "SIOCSENTRY",
	    .help = "two arguments and one that may be there" },
	{ .name = "fail",
	    .apply = mock_fail,
	    .saved_by = "",
	    .bsd_name = "SIOCFAIL",
	    .help = "fails" },
	{ .name = "born",
	    .apply = mock_ok,
	    .saved_by = "",
	    .apply_create = mock_fail,
	    .bsd_name = "SIOCBORN",
	    .help = "fails while the interface is created" },
	{ .name = NULL },
};

static const struct iface_ops mock_ops = {
	.kind = "mock",
	.about = "a kind for tests",
	.kind_flags = IFACE_KIND_ETHERNET,
	.unit_max = 99,
	.mtu_default = 1500,
	.mtu_min = 72,
	.mtu_max = 9000,
	.size = sizeof(struct mock),
	.create = mock_create,
	.destroy = mock_destroy,
	.transmit = mock_transmit,
	.changed = mock_changed,
	.lladdr_given = mock_lladdr_given,
	.get = mock_get,
	.keywords = mock_keywords,
};

static const struct iface_ops *const world_kinds[] = { &feth_ops, &epair_ops,
	&gif_ops, &sock_ops, &tap_ops, &vether_ops, &xnb_ops, &bridge_ops,
	&lo_ops, &vlan_ops, &mock_ops, NULL };

static const struct rpc_method *const world_methods[] = { control_methods,
	control_config_methods, control_ipfw_methods, NULL };

/* Descriptors are numbers here. */
static int *world_closed_fds;

static inline void
world_close_fd(int fd)
{
	(void)fd;
	if (world_closed_fds != NULL)
		(*world_closed_fds)++;
}

/* @methods: NULL for control's */
static inline struct world *
world_create(const struct rpc_method *const *methods)
{
	struct world *w = calloc(1, sizeof(*w));
	struct net_system system = {
		.arg = w,
		.host_attach = world_host_attach,
		.host_detach = world_host_detach,
		.host_move = world_host_move,
		.host_rename = world_host_rename,
		.addr_add = world_addr_add,
		.addr_del = world_addr_del,
		.addr_list = world_addr_list,
		.dhcp_check = world_dhcp_check,
		.dhcp_wait = world_dhcp_wait,
		.dhcp_get = world_dhcp_get,
		.vnet_create = world_vnet_create,
		.vnet_attach = world_vnet_attach,
		.vnet_destroy = world_vnet_destroy,
	};
	struct net_options options = {
		.pool = { .small_count = 64, .large_count = 8 },
		.kinds = world_kinds,
		.hash_seed = 1,
		.random_seed = 2,
		.now_ns = 1000000000,
		.system = &system,
	};
	struct rpc_server_options server = {
		.tables = methods != NULL ? methods : world_methods,
		.close_fd = world_close_fd,
	};
	struct config_options config = { 0 };
	struct rpc_session_options session = {
		.pid = 1,
		.client = "test",
		.now_ns = options.now_ns,
		.burst = 1000000, /* the clock stands still */
	};

	ASSERT(w != NULL);
	ASSERT(net_create(&options, &w->net) == 0);
	ASSERT(drv_init(w->net, NULL) == 0);
	pfil_init(w->net);
	w->net->host_attach = 1;
	world_closed_fds = &w->closed_fds;
	server.net = w->net;
	config.net = w->net;
	config.tree = control_sysctl_tree();
	ASSERT(config_create(&config, &w->config) == 0);
	server.config = w->config;
	ASSERT(rpc_server_create(&server, &w->server) == 0);
	ASSERT(rpc_session_create(w->server, &session, &w->home) == 0);
	session.read_only = true;
	session.uid = 1000;
	ASSERT(rpc_session_create(w->server, &session, &w->read_only) == 0);
	return w;
}

static inline void
world_destroy(struct world *w)
{
	while (world_pump(w))
		;
	rpc_session_destroy(w->home);
	rpc_session_destroy(w->read_only);
	rpc_server_destroy(w->server);
	config_destroy(w->config);
	w->slow = false;
	net_destroy(w->net);
	timerheap_fini(&w->timers);
	world_closed_fds = NULL;
	free(w);
}

static inline void
world_timers(struct world *w)
{
	w->net->timers = &w->timers;
}

static inline void
world_live(struct world *w, uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds * 10; i++) {
		w->net->now_ns += 100000000u;
		(void)timerheap_run(&w->timers, w->net->now_ns, UINT32_MAX);
		while (net_poll(w->net))
			;
	}
}

/* Lets the session run until it has nothing more to do. */
static inline void
world_run(struct world *w, struct rpc_session *s)
{
	do {
		while (rpc_session_step(s, w->net->now_ns))
			;
	} while (world_pump(w));
	while (rpc_session_step(s, w->net->now_ns))
		;
}

/* All that the session has to send. Owned. */
static inline char *
world_output(struct rpc_session *s)
{
	struct text t = { 0 };
	const char *p;
	const int *fds;
	uint32_t n;
	size_t len;

	while ((p = rpc_session_output(s, &len, &fds, &n)) != NULL) {
		text_putn(&t, p, len);
		rpc_session_output_done(s, len);
	}
	text_putn(&t, "", 0);
	return t.s;
}

/* One line, and what is answered. Owned. */
static inline char *
world_line(struct world *w, struct rpc_session *s, const char *line)
{
	ASSERT(rpc_session_input(s, line, strlen(line)) == 0);
	ASSERT(rpc_session_input(s, "\n", 1) == 0);
	world_run(w, s);
	return world_output(s);
}

/* A request; params consumed. Return: the answer, new reference. */
static inline json_t *
world_call(
    struct world *w, struct rpc_session *s, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id",
	    1, "method", method, "params", params);
	char *line = json_dumps(request, JSON_COMPACT), *text;
	json_t *answer;

	ASSERT(line != NULL);
	text = world_line(w, s, line);
	answer = json_loads(text, 0, NULL);
	ASSERT(answer != NULL);
	free(text);
	free(line);
	json_decref(request);
	return answer;
}

/* Words as a shell splits them: blanks, '...' and "...". Return: array. */
static inline json_t *
world_split(const char *s)
{
	json_t *list = json_array();
	char word[8192];

	for (;;) {
		size_t n = 0;
		char quote = '\0';

		s += strspn(s, " \t");
		if (*s == '\0')
			return list;
		for (;
		     *s != '\0' && (quote != '\0' || strchr(" \t", *s) == NULL);
		     s++) {
			if (quote != '\0' && *s == quote)
				quote = '\0';
			else if (quote == '\0' && (*s == '\'' || *s == '"'))
				quote = *s;
			else if (n < sizeof(word) - 1)
				word[n++] = *s;
		}
		json_array_append_new(list, json_stringn(word, n));
	}
}

/* A tool's command line, as the command line program would show it.
 * Return: the exit status. */
static inline int
world_tool(struct world *w, struct rpc_session *s, const char *program,
    const char *words, struct text *out, struct text *err)
{
	json_t *answer = world_call(
	    w, s, program, json_pack("{s:o}", "argv", world_split(words)));
	const json_t *error = json_object_get(answer, "error");
	int status;

	status = error != NULL
	             ? printout_error(program, error, out, err)
	             : printout_result(program,
	                   json_object_get(answer, "result"), out, err);
	json_decref(answer);
	return status;
}

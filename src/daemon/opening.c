/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Openings. See opening.h.
 */
#include "daemon/opening.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "drv/host.h"
#include "os/sock.h"

/* One that waits for its netdev. */
struct waiting {
	struct opening o;
	struct net_wait wait;
	struct rpc_call *call;
	uint32_t index;
};

static void
waiting_end(struct waiting *w, int err)
{
	struct rpc_call *call = w->call;
	struct iface *ifp = net_iface_by_index(call->net, w->index);
	json_t *answer;

	if (err == 0 && ifp == NULL)
		err = -ENXIO;
	if (err < 0) {
		/* The first ends a clone.  A program's own socket stays with
		 * the program, hung up. */
		if (w->o.fd >= 0)
			fd_close(&w->o.fd);
		else if (ifp != NULL)
			(void)net_iface_destroy(ifp, NULL);
		rpc_fail_errno(call, err, "%s", w->o.what);
		free(w);
		return;
	}
	answer = json_pack("{s:s}", "name", ifp->name);
	if (w->o.more != NULL)
		(void)json_object_update_new(answer, w->o.more(ifp));
	if (w->o.fd >= 0) {
		(void)json_object_set_new(answer, "fd", json_integer(0));
		rpc_reply_fds(call, answer, &w->o.fd, 1);
	} else {
		rpc_reply(call, answer);
	}
	free(w);
}

static void
waiting_done(struct net_wait *wait, int err)
{
	struct waiting *w = CONTAINER_OF(wait, struct waiting, wait);

	w->call->abandon = NULL;
	waiting_end(w, err);
}

static void
waiting_abandon(struct rpc_call *call)
{
	struct waiting *w = call->state;

	fd_close(&w->o.fd);
	free(w);
}

/* A new interface gets its host side: 0, -EINPROGRESS or -errno. */
static int
host_side(struct iface *ifp, const struct opening *o, struct net_wait *w)
{
	struct net *net = ifp->net;
	struct net_event ev = {
		.type = NET_EVENT_HOST,
		.ifp = ifp,
		.vlan = -1,
	};
	char text[sizeof(net->message) + 96];
	int err;

	if (!o->made)
		return 0;
	if (o->netns_fd >= 0) {
		if (net->host_attach == 0 || net->system.host_attach == NULL)
			return 0;
		err = host_attach_guest(net, ifp, o->netns_fd, w);
	} else {
		if (!net_host_wanted(net, ifp->vnet))
			return 0;
		err = net->system.host_attach(net->system.arg, ifp, w);
	}
	if ((err != -EPERM && err != -EACCES) ||
	    (o->netns_fd < 0 && ifp->vnet == net->home))
		return err;
	/* The port is of use without it. */
	snprintf(text, sizeof(text),
	    "no host side: the daemon may not go where its program is%s%s",
	    net->message[0] != '\0' ? ": " : "", net->message);
	ev.text = text;
	net_emit(net, &ev);
	return 0;
}

void
opening_start(struct rpc_call *call, struct iface *ifp, const struct opening *o)
{
	struct waiting *w = calloc(1, sizeof(*w));
	int err;

	if (w == NULL) {
		int fd = o->fd, netns_fd = o->netns_fd;

		fd_close(&fd);
		fd_close(&netns_fd);
		rpc_fail_errno(call, -ENOMEM, "%s", o->what);
		return;
	}
	w->o = *o;
	w->call = call;
	w->wait.done = waiting_done;
	w->index = ifp->index;
	err = host_side(ifp, o, &w->wait);
	fd_close(&w->o.netns_fd);
	if (err == -EINPROGRESS) {
		call->state = w;
		call->abandon = waiting_abandon;
		return;
	}
	waiting_end(w, err);
}

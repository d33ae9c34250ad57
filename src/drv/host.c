/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host as a whole: is there one, its table of functions, its end.  host.h
 * has the theory, host_impl.h says what is where.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "drv/host_impl.h"
#include "os/iobatch.h"
#include "os/sock.h"

struct host_system *
host_of(const struct net *net)
{
	return net->system.host_attach == host_attach ? net->system.arg : NULL;
}

bool
host_uses_uring(const struct host_system *hs)
{
	return iobatch_uses_uring(hs->batch);
}

/* Can a netdev be made?  Only trying tells.  It is removed in the background.
 */
static int
probe(struct host_system *hs)
{
	struct tun tun;
	int err = tun_open("coaxprobe%d", &tun);

	if (err == 0)
		host_bury(hs, tun.fd);
	return err;
}

static const char *
why_not(int err)
{
	switch (err) {
	case -EACCES:
		return "/dev/net/tun is closed to this user: as root, chmod "
		       "0666 /dev/net/tun (a udev rule makes it last)";
	case -EPERM:
		return "no right to make network interfaces (CAP_NET_ADMIN): "
		       "run inside `coax lab', or as root";
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return "there is no /dev/net/tun: as root, modprobe tun";
	default:
		return strerror(-err);
	}
}

int
host_system_create(const struct host_options *o, struct host_system **out,
    char *why, size_t size)
{
	struct host_system *hs = calloc(1, sizeof(*hs));
	int err = -ENOMEM;

	if (hs == NULL)
		goto out_why;
	hs->loop = o->loop;
	TAILQ_INIT(&hs->spaces);
	TAILQ_INIT(&hs->ifs);
	TAILQ_INIT(&hs->dirty);
	TAILQ_INIT(&hs->dying);
	TAILQ_INIT(&hs->told);
	hs->tell_task.fn = host_tell;
	hs->tell_task.arg = hs;
	TAILQ_INIT(&hs->children);
	hs->dhcp_script = -1;
	if (o->dhcp_script != NULL)
		hs->dhcp_script = open(o->dhcp_script, O_RDONLY | O_CLOEXEC);
	hs->dhcp_client = o->dhcp_client;
	hs->home.hs = hs;
	hs->home.fd = hs->home.owner.fd = -1;
	hs->home.nsid = RTNL_NSID_NONE;
	hs->flush.fn = host_io_flush;
	hs->flush.arg = hs;
	hs->scratch = malloc(FRAME_LARGE_MAX);
	if (hs->scratch == NULL)
		goto out_destroy;
	err = iobatch_create(HOST_TX_MAX + HOST_READ_MAX,
	    o->no_uring ? IOBATCH_PLAIN : 0, &hs->batch);
	if (err != 0)
		goto out_destroy;
	hs->home.fd = netns_current();
	err = hs->home.fd < 0 ? hs->home.fd
	                      : netns_get_id(hs->home.fd, &hs->home.id);
	if (err != 0)
		goto out_destroy;
	err = jobs_create(hs->loop, &hs->jobs);
	if (err != 0)
		goto out_destroy;
	err = probe(hs);
	if (err != 0)
		goto out_destroy;
	err = rtnl_open(&hs->rtnl);
	if (err != 0)
		goto out_destroy;
	err = host_monitor_open(hs);
	if (err != 0)
		goto out_destroy;
	loop_flush_add(hs->loop, &hs->flush);
	*out = hs;
	return 0;

out_destroy:
	host_system_destroy(hs);
out_why:
	if (err == -ENODEV || err == -ENXIO)
		err = -ENOENT;
	snprintf(why, size, "%s%s", why_not(err),
	    err == -EACCES && getenv("COAX_LAB") == NULL
	        ? "; then run inside `coax lab'"
	        : "");
	if (err == -EACCES)
		err = -EPERM;
	return err;
}

void
host_system_ops(struct host_system *hs, struct net_system *out)
{
	*out = (struct net_system){
		.arg = hs,
		.host_attach = host_attach,
		.host_detach = host_detach,
		.host_move = host_move,
		.host_rename = host_rename,
		.addr_add = host_addr_add,
		.addr_del = host_addr_del,
		.addr_list = host_addr_list,
		.dhcp_check = host_dhcp_check,
		.dhcp_wait = host_dhcp_wait,
		.dhcp_get = host_dhcp_get,
		.host_name_taken = host_name_taken,
		.netdev_check = host_netdev_check,
		.netdev_adopt = host_netdev_adopt,
		.host_refresh = host_refresh,
		.vnet_create = host_vnet_create,
		.vnet_attach = host_vnet_attach,
		.vnet_destroy = host_vnet_destroy,
		.vnet_get = host_vnet_get,
	};
}

void
host_system_bind(struct host_system *hs, struct net *net)
{
	hs->net = net;
	hs->home.vnet = net->home;
	hs->home.vnet_id = net->home->id;
	net->home->system = &hs->home;
}

int
host_system_shutdown(struct host_system *hs, uint64_t deadline_ns)
{
	struct host_if *h;
	struct vnet *v;

	while ((h = TAILQ_FIRST(&hs->ifs)) != NULL)
		(void)host_detach(hs, h->ifp, NULL);
	while ((v = TAILQ_LAST(&hs->net->vnets, vnet_list)) != hs->net->home)
		(void)net_vnet_destroy(v, NULL);
	return jobs_drain(hs->jobs, deadline_ns);
}

void
host_system_destroy(struct host_system *hs)
{
	struct host_ns *ns;

	if (hs == NULL)
		return;
	ASSERT(TAILQ_EMPTY(&hs->ifs));
	host_dhcp_shutdown(hs);
	hs->net = NULL; /* what is told from here on is told to nobody */
	loop_hook_del(hs->loop, &hs->flush);
	loop_task_cancel(hs->loop, &hs->tell_task);
	host_monitor_close(hs);
	jobs_destroy(hs->jobs);
	while ((ns = TAILQ_FIRST(&hs->spaces)) != NULL) {
		TAILQ_REMOVE(&hs->spaces, ns, link);
		host_ns_free(ns);
	}
	rtnl_close(hs->rtnl);
	iobatch_destroy(hs->batch);
	if (hs->home.fd >= 0)
		close(hs->home.fd);
	fd_close(&hs->dhcp_script);
	free(hs->scratch);
	free(hs);
}

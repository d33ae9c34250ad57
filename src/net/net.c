/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A net as a whole: its birth, its end, its small services.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "net/net.h"

int
net_create(const struct net_options *options, struct net **out)
{
	struct net *net;
	struct vnet *home;
	int err;

	net = calloc(1, sizeof(*net));
	home = calloc(1, sizeof(*home));
	err = -ENOMEM;
	if (net == NULL || home == NULL)
		goto out_free;
	err = frame_pool_create(&options->pool, &net->pool);
	if (err != 0)
		goto out_free;
	pipe_share_init(&net->pipe_share, net->pool);
	net->now_ns = options->now_ns;
	net->hash_seed = options->hash_seed;
	net->random = options->random_seed;
	net->kinds = options->kinds;
	if (options->system != NULL)
		net->system = *options->system;
	TAILQ_INIT(&net->ifaces);
	TAILQ_INIT(&net->vnets);
	TAILQ_INIT(&net->ending);
	TAILQ_INIT(&net->ready);
	TAILQ_INIT(&net->flushing);
	TAILQ_INIT(&net->subscribers);
	for (uint32_t i = 0; i < NET_BUCKETS; i++) {
		LIST_INIT(&net->names[i]);
		LIST_INIT(&net->units[i]);
		LIST_INIT(&net->indexes[i]);
		LIST_INIT(&net->lladdrs[i]);
	}
	LIST_INIT(&net->users);
	net->user_limits = (struct net_user_limits){
		.ports = NET_USER_PORTS,
		.addresses = NET_USER_ADDRESSES,
		.requests = NET_USER_REQUESTS,
		.queues_kib = NET_USER_QUEUES_KIB,
	};
	net->host_dhcp_wait_s = 30;
	net->next_index = 1;
	net->next_vnet = 1;
	home->net = net;
	home->uid = NET_ID_NONE;
	home->created_ns = net->now_ns;
	TAILQ_INSERT_HEAD(&net->vnets, home, link);
	net->vnet_count = 1;
	net->home = home;
	*out = net;
	return 0;

out_free:
	free(home);
	free(net);
	return err;
}

/* Newest first: who was built on another goes before it.  A vnet whose end the
 * system still owes us is freed here; the system must be at an end by now. */
void
net_destroy(struct net *net)
{
	struct iface *ifp;
	struct vnet *v;

	if (net == NULL)
		return;
	while ((ifp = TAILQ_LAST(&net->ifaces, iface_list)) != NULL)
		(void)net_iface_destroy(ifp, NULL);
	while ((v = TAILQ_LAST(&net->vnets, vnet_list)) != net->home)
		(void)net_vnet_destroy(v, NULL);
	while ((v = TAILQ_FIRST(&net->ending)) != NULL) {
		TAILQ_REMOVE(&net->ending, v, link);
		net_vnet_free(v);
	}
	if (net->drv_fini != NULL)
		net->drv_fini(net);
	net_users_free(net);
	net_vnet_free(net->home);
	frame_pool_destroy(net->pool);
	free(net);
}

const struct iface_ops *
net_kind(const struct net *net, const char *kind)
{
	if (net->kinds == NULL)
		return NULL;
	for (uint32_t i = 0; net->kinds[i] != NULL; i++) {
		if (strcmp(net->kinds[i]->kind, kind) == 0)
			return net->kinds[i];
	}
	return NULL;
}

int
net_error(struct net *net, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(net->message, sizeof(net->message), fmt, ap);
	va_end(ap);
	return err;
}

uint64_t
net_random(struct net *net)
{
	return prng_splitmix(&net->random);
}

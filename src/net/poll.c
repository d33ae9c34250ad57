/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run queue: interfaces that have frames to move, round robin, each with
 * a budget.
 *
 * A round takes those that were ready when it began; who becomes ready in it
 * waits for the next.  So a loop of interfaces without spanning tree costs its
 * share of each round, and between rounds the worker looks after everybody
 * else.
 */
#include "net/net.h"

static void
wake(struct net *net)
{
	if (net->wake != NULL && !net->polling)
		net->wake(net->wake_arg);
}

void
net_set_wake(struct net *net, void (*fn)(void *arg), void *arg)
{
	net->wake = fn;
	net->wake_arg = arg;
}

void
net_ready(struct iface *ifp)
{
	struct net *net = ifp->net;
	bool first = TAILQ_EMPTY(&net->ready) && TAILQ_EMPTY(&net->flushing);

	if (ifp->ready || ifp->dying || ifp->ops->poll == NULL)
		return;
	ifp->ready = true;
	TAILQ_INSERT_TAIL(&net->ready, ifp, ready_link);
	net->ready_count++;
	if (first)
		wake(net);
}

void
net_flush_later(struct iface *ifp)
{
	struct net *net = ifp->net;
	bool first = TAILQ_EMPTY(&net->ready) && TAILQ_EMPTY(&net->flushing);

	if (ifp->flush_later || ifp->dying || ifp->ops->flush == NULL)
		return;
	ifp->flush_later = true;
	TAILQ_INSERT_TAIL(&net->flushing, ifp, flush_link);
	if (first)
		wake(net);
}

bool
net_poll(struct net *net)
{
	uint32_t n = net->ready_count;
	struct iface *ifp;

	net->polling = true;
	for (; n != 0 && (ifp = TAILQ_FIRST(&net->ready)) != NULL; n--) {
		TAILQ_REMOVE(&net->ready, ifp, ready_link);
		if (!TAILQ_EMPTY(&net->ready))
			iface_prefetch(TAILQ_FIRST(&net->ready));
		net->ready_count--;
		ifp->ready = false;
		if (ifp->ops->poll(ifp, NET_POLL_BUDGET))
			net_ready(ifp);
	}
	while ((ifp = TAILQ_FIRST(&net->flushing)) != NULL) {
		TAILQ_REMOVE(&net->flushing, ifp, flush_link);
		ifp->flush_later = false;
		ifp->ops->flush(ifp);
	}
	net->polling = false;
	return net->ready_count != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: who wants them, and how they are told.  Synchronous and in order;
 * a subscriber may leave from inside its own call, and changes nothing else.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/list.h"
#include "net/net.h"

void
net_subscribe(struct net *net, struct net_subscriber *s)
{
	TAILQ_INSERT_TAIL(&net->subscribers, s, link);
}

void
net_unsubscribe(struct net *net, struct net_subscriber *s)
{
	TAILQ_REMOVE(&net->subscribers, s, link);
}

void
net_emit(struct net *net, struct net_event *ev)
{
	struct net_subscriber *s, *next;

	ev->now_ns = net->now_ns;
	ev->cause = net->cause;
	TAILQ_FOREACH_SAFE (s, &net->subscribers, link, next)
		s->event(s, ev);
}

void
net_notice(struct net *net, struct iface *ifp, const char *fmt, ...)
{
	char text[256];
	struct net_event ev = {
		.type = NET_EVENT_NOTICE,
		.ifp = ifp,
		.vlan = -1,
		.text = text,
	};
	va_list ap;

	if (TAILQ_EMPTY(&net->subscribers))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	net_emit(net, &ev);
}

void
net_trace(const struct iface *ifp, const char *step, const char *fmt, ...)
{
	struct net_tracer *t = ifp->net->tracer;
	char text[256];
	va_list ap;

	if (t == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->step(t, ifp, step, text);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax: the handshake of a ring port, from the front end's side, and the
 * watch over it. doc/ring.md has the protocol.
 *
 * The daemon's messages are read when the socket is readable. Its end without a
 * word (no state Closed before) means that it has died or is being restarted:
 * from then on every PORT_RETRY_MS the handshake is tried again, with the same
 * memory; in between the rings stand still and frames that were sent wait in
 * them.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "lib/client.h"
#include "lib/port_impl.h"
#include "os/clock.h"
#include "os/sock.h"

/* A daemon that does not answer is none. */
#define RECONNECT_NS (2 * CLOCK_NS_PER_SEC)

static void
retry_timer(const struct port_core *core, bool on)
{
	struct itimerspec t = { 0 };

	if (on)
		t.it_interval.tv_nsec = t.it_value.tv_nsec =
		    PORT_RETRY_MS * (long)CLOCK_NS_PER_MSEC;
	(void)timerfd_settime(core->retry_fd, 0, &t, NULL);
}

/* --- the daemon's messages -------------------------------------------------
 */

/* "0 1 2": channels whose descriptors came along, two each. */
static void
take_channels(
    struct port_core *core, const char *list, int *fds, unsigned int n)
{
	unsigned int at = 0;
	char *end;

	while (*list != '\0' && at + 2 <= n) {
		unsigned long i = strtoul(list, &end, 10);

		if (end == list)
			return;
		if (i < core->queue_count) {
			struct port_channel *next = &core->queues[i].next;

			fd_close(&next->kick);
			fd_close(&next->call);
			next->kick = fds[at];
			next->call = fds[at + 1];
			fds[at] = fds[at + 1] = -1;
		}
		at += 2;
		list = end + (*end == ' ');
	}
}

/* One message. 0, -EAGAIN, or -errno when there will be no more. */
static int
take_message(struct port_core *core)
{
	const char *key, *value;
	char data[KEYS_SIZE];
	int fds[SOCK_FDS_MAX];
	unsigned int count;
	size_t at = 0;
	bool truncated;
	ssize_t n = sock_recv_fds(core->store, data, sizeof(data), fds,
	    SOCK_FDS_MAX, &count, &truncated);

	if (n < 0)
		return (int)n;
	if (n > 0 && !truncated && keys_check(data, (size_t)n)) {
		while (keys_next(data, (size_t)n, &at, &key, &value)) {
			(void)keys_set(&core->back, key, value);
			if (strcmp(key, "state") == 0)
				(void)str_u32(value, 10, 0,
				    COAX_NETIF_STATE_RECONFIGURED,
				    &core->state);
			else if (strcmp(key, "event-channels") == 0)
				take_channels(core, value, fds, count);
		}
	}
	while (count > 0)
		fd_close(&fds[--count]);
	return n == 0 ? -EPIPE : 0;
}

/* The daemon has gone, or has closed the port. */
static void
store_lost(struct port_core *core)
{
	fd_close(&core->store);
	if (core->state == COAX_NETIF_STATE_CLOSED ||
	    (core->flags & COAX_PORT_ONCE) != 0)
		core->closed = true;
	else
		retry_timer(core, true);
}

void
port_control_input(struct port_core *core)
{
	int err = 0;

	while (core->store >= 0 && err == 0) {
		err = take_message(core);
		if (err < 0 && err != -EAGAIN)
			store_lost(core);
	}
	if (core->state == COAX_NETIF_STATE_CLOSED)
		core->closed = true;
}

/* --- connecting ------------------------------------------------------------
 */

/* Asks the daemon for the socket of the handshake. */
static int
open_store(struct port_core *core)
{
	bool make = !core->named || (core->flags & COAX_PORT_MAKE) != 0;
	const char *want = core->name[0] != '\0' ? core->name : NULL;
	json_t *params, *result;
	unsigned int count = 0;
	struct coax *c;
	const char *name;
	int fd = -1;
	int err;

	params = json_pack("{s:s?, s:b}", "name", want, "make", make);
	if (params == NULL)
		return -EINVAL; /* not UTF-8 */
	err = coax_connect(core->socket, &c);
	if (err < 0) {
		json_decref(params);
		return err;
	}
	err =
	    coax_call(c, "port.open", params, NULL, 0, &result, &fd, 1, &count);
	coax_close(c);
	if (err < 0)
		return err;
	name = json_string_value(json_object_get(result, "name"));
	err = count == 1 && name != NULL &&
	              str_copy(core->name, sizeof(core->name), name) == 0
	          ? fd_set_nonblock(fd, true)
	          : -EPROTO;
	json_decref(result);
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	core->store = fd;
	core->state = COAX_NETIF_STATE_UNKNOWN;
	core->back.len = 0;
	return 0;
}

/* Waits until the daemon's state is @want. */
static int
wait_state(struct port_core *core, uint32_t want, uint64_t deadline_ns)
{
	for (;;) {
		struct pollfd p = { .fd = core->store, .events = POLLIN };
		uint64_t now_ns;
		int err = take_message(core);

		if (err < 0 && err != -EAGAIN)
			return -EPIPE;
		if (core->state == want)
			return 0;
		if (core->state == COAX_NETIF_STATE_CLOSED)
			return -EPROTO;
		if (err == 0)
			continue;
		now_ns = clock_now_ns();
		if (now_ns >= deadline_ns)
			return -ETIMEDOUT;
		if (poll(&p, 1,
		        (int)((deadline_ns - now_ns) / CLOCK_NS_PER_MSEC) + 1) <
		        0 &&
		    errno != EINTR)
			return -errno;
	}
}

static void
put_num(struct keys *k, const char *key, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	(void)keys_append(k, key, text);
}

/* What we can do, where our rings are: all in one message. */
static int
send_rings(struct port_core *core)
{
	struct keys k = { .len = 0 };
	unsigned int flags = core->flags;
	ssize_t n;

	put_num(&k, "request-rx-copy", 1);
	put_num(&k, "feature-rx-notify", 1);
	put_num(&k, "feature-sg", 1);
	put_num(
	    &k, "feature-no-csum-offload", (flags & COAX_PORT_RX_CSUM) == 0);
	put_num(
	    &k, "feature-ipv6-csum-offload", (flags & COAX_PORT_RX_CSUM) != 0);
	put_num(&k, "feature-gso-tcpv4", (flags & COAX_PORT_RX_TSO4) != 0);
	put_num(&k, "feature-gso-tcpv6", (flags & COAX_PORT_RX_TSO6) != 0);
	if (core->queue_count > 1)
		put_num(&k, "multi-queue-num-queues", core->queue_count);
	for (uint32_t i = 0; i < core->queue_count; i++) {
		uint32_t page = i * PORT_QUEUE_PAGES;
		char prefix[32] = "", key[KEYS_KEY_MAX];

		if (core->queue_count > 1)
			snprintf(prefix, sizeof(prefix), "queue-%u/", i);
		snprintf(key, sizeof(key), "%stx-ring-ref", prefix);
		put_num(&k, key, page + PORT_PAGE_TX_RING);
		snprintf(key, sizeof(key), "%srx-ring-ref", prefix);
		put_num(&k, key, page + PORT_PAGE_RX_RING);
		snprintf(key, sizeof(key), "%sevent-channel", prefix);
		put_num(&k, key, i);
	}
	put_num(&k, "state", COAX_NETIF_STATE_CONNECTED);
	n = sock_send_fds(core->store, k.data, k.len, &core->memfd, 1);
	return n == (ssize_t)k.len ? 0 : -EPIPE;
}

/* The new descriptors into each queue's epoll set. */
static int
watch_all(struct port_core *core)
{
	for (uint32_t i = 0; i < core->queue_count; i++) {
		struct coax_port *q = &core->queues[i];
		struct epoll_event call = {
			.events = EPOLLIN | EPOLLET,
			.data.u32 = PORT_SOURCE_CALL,
		};
		struct epoll_event store = {
			.events = EPOLLIN,
			.data.u32 = PORT_SOURCE_STORE,
		};

		if (q->next.call < 0)
			return -EPROTO;
		if (epoll_ctl(q->epfd, EPOLL_CTL_ADD, q->next.call, &call) <
		        0 ||
		    epoll_ctl(q->epfd, EPOLL_CTL_ADD, core->store, &store) < 0)
			return -errno;
	}
	return 0;
}

int
port_connect(struct port_core *core, uint64_t deadline_ns)
{
	uint32_t queues_max = 1;
	const char *text;
	int err = open_store(core);

	if (err < 0)
		return err;
	err = wait_state(core, COAX_NETIF_STATE_INIT_WAIT, deadline_ns);
	text = keys_get(&core->back, "multi-queue-max-queues");
	if (text != NULL)
		(void)str_u32(text, 10, 1, UINT32_MAX, &queues_max);
	if (err == 0 && core->queue_count > queues_max)
		err = -EINVAL;
	if (err == 0)
		err = send_rings(core);
	if (err == 0)
		err = wait_state(core, COAX_NETIF_STATE_CONNECTED, deadline_ns);
	if (err == 0)
		err = watch_all(core);
	if (err < 0) {
		fd_close(&core->store);
		return err;
	}
	core->connects++;
	shm_store_release(&core->generation, core->generation + 1);
	return 0;
}

void
port_control_retry(struct port_core *core)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t ticks;

	if (core->store >= 0 || core->closed || now_ns < core->retry_ns)
		return;
	if (read(core->retry_fd, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
		return;
	core->retry_ns = now_ns + PORT_RETRY_MS * CLOCK_NS_PER_MSEC;
	if (port_connect(core, now_ns + RECONNECT_NS) < 0)
		return;
	retry_timer(core, false);
}

void
port_adopt(struct coax_port *q)
{
	struct port_core *core = q->core;

	pthread_mutex_lock(&core->lock);
	q->generation = core->generation;
	if (q->next.kick >= 0) {
		fd_close(&q->ch.kick);
		fd_close(&q->ch.call);
		q->ch = q->next;
		q->next = (struct port_channel){ -1, -1 };
	}
	pthread_mutex_unlock(&core->lock);
}

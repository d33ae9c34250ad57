/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax: the handshake of a ring port, from the front end's side, and the
 * watch over it. doc/ring.md has the protocol.
 *
 * Connecting is a machine of a few phases (enum port_phase), each of which
 * waits for something of the daemon's on one descriptor. A step never waits:
 * who opens a port steps and polls until the deadline; later it is the calls
 * that receive and send that step, when their epoll set says that there is
 * something. So a daemon that listens and does not answer holds up nobody.
 *
 * The daemon's messages are read when the socket is readable. Its end without a
 * word (no state Closed before) means that it has died or is being restarted:
 * from then on every PORT_RETRY_MS connecting is begun again, with the same
 * memory, unless it is under way and not older than ATTEMPT_NS; in between the
 * rings stand still and frames that were sent wait in them.
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

#define ATTEMPT_NS   (10 * CLOCK_NS_PER_SEC) /* then it is asked anew */
#define REFUSALS_MAX 5  /* PORT_RETRY_MS is doubled so often, at most */
#define BUSY_MS      10 /* until a daemon with too many callers is asked again */

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

/* --- connecting ------------------------------------------------------------
 */

/* Every queue is to look at this descriptor of the daemon's. */
static int
watch(const struct port_core *core, int fd)
{
	struct epoll_event ev = {
		.events = EPOLLIN,
		.data.u32 = PORT_SOURCE_STORE,
	};

	for (uint32_t i = 0; i < core->queue_count; i++) {
		if (epoll_ctl(core->queues[i].epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
			return -errno;
	}
	return 0;
}

void
port_part(struct port_core *core)
{
	coax_close(core->asked);
	core->asked = NULL;
	fd_close(&core->store);
	core->phase = PORT_APART;
}

/* Asks the daemon for the socket of the handshake. */
static int
ask(struct port_core *core)
{
	bool make = !core->named || (core->flags & COAX_PORT_MAKE) != 0;
	const char *want = core->name[0] != '\0' ? core->name : NULL;
	json_t *params = json_pack("{s:s?, s:b}", "name", want, "make", make);
	int err;

	if (params == NULL)
		return -EINVAL; /* not UTF-8 */
	err = coax_connect_now(core->socket, &core->asked);
	if (err < 0) {
		json_decref(params);
		return err;
	}
	err = coax_call_begin(core->asked, "port.open", params, NULL, 0);
	if (err == 0)
		err = watch(core, coax_fd(core->asked));
	if (err < 0) {
		port_part(core);
		return err;
	}
	core->phase = PORT_ASKED;
	return 0;
}

/* The daemon's answer. 1: not there yet. */
static int
take_answer(struct port_core *core)
{
	unsigned int count = 0;
	const char *name;
	json_t *result;
	int fd = -1;
	int err = coax_call_end(core->asked, &result, &fd, 1, &count);

	if (err != 0)
		return err;
	coax_close(core->asked);
	core->asked = NULL;
	core->store = fd; /* -1: there was none */
	core->state = COAX_NETIF_STATE_UNKNOWN;
	core->back.len = 0;
	core->phase = PORT_GREETED;
	name = json_string_value(json_object_get(result, "name"));
	err = count == 1 && name != NULL &&
	              str_copy(core->name, sizeof(core->name), name) == 0
	          ? fd_set_nonblock(fd, true)
	          : -EPROTO;
	json_decref(result);
	return err < 0 ? err : watch(core, fd);
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

/* InitWait is there: our side of the handshake. */
static int
offer(struct port_core *core)
{
	const char *text = keys_get(&core->back, "multi-queue-max-queues");
	uint32_t queues_max = 1;

	if (text != NULL)
		(void)str_u32(text, 10, 1, UINT32_MAX, &queues_max);
	if (core->queue_count > queues_max)
		return -EINVAL;
	core->phase = PORT_OFFERED;
	return send_rings(core);
}

/* Connected: the new channels go into each queue's epoll set. */
static int
join(struct port_core *core)
{
	for (uint32_t i = 0; i < core->queue_count; i++) {
		struct coax_port *q = &core->queues[i];
		struct epoll_event call = {
			.events = EPOLLIN | EPOLLET,
			.data.u32 = PORT_SOURCE_CALL,
		};

		if (q->next.call < 0)
			return -EPROTO;
		if (epoll_ctl(q->epfd, EPOLL_CTL_ADD, q->next.call, &call) < 0)
			return -errno;
	}
	core->phase = PORT_CONNECTED;
	core->connects++;
	core->refusals = 0;
	core->attempt_ns = 0;
	retry_timer(core, false);
	shm_store_release(&core->generation, core->generation + 1);
	return 0;
}

/* Goes on as far as it can without waiting. 0, or -errno when this connection,
 * or what was to become one, has ended. */
static int
proceed(struct port_core *core)
{
	int err = 0;

	while (err == 0) {
		switch (core->phase) {
		case PORT_APART:
			return 0;
		case PORT_ASKED:
			err = take_answer(core);
			continue;
		case PORT_GREETED:
			if (core->state == COAX_NETIF_STATE_INIT_WAIT) {
				err = offer(core);
				continue;
			}
			break;
		case PORT_OFFERED:
			if (core->state == COAX_NETIF_STATE_CONNECTED) {
				err = join(core);
				continue;
			}
			break;
		case PORT_CONNECTED:
			break;
		}
		if (core->state == COAX_NETIF_STATE_CLOSED)
			return -EPROTO;
		err = take_message(core);
		if (err < 0)
			err = err == -EAGAIN ? 1 : -EPIPE;
	}
	return err < 0 ? err : 0;
}

int
port_connect(struct port_core *core, uint64_t deadline_ns)
{
	struct pollfd p = { .events = POLLIN };
	uint64_t now_ns;
	int err, left_ms;

	for (;;) {
		err = core->phase == PORT_APART ? ask(core) : proceed(core);
		if (err < 0 && err != -EAGAIN)
			return err;
		if (core->phase == PORT_CONNECTED)
			return 0;
		now_ns = clock_now_ns();
		if (now_ns >= deadline_ns)
			return -ETIMEDOUT;
		left_ms =
		    (int)COAX_MIN((deadline_ns - now_ns) / CLOCK_NS_PER_MSEC,
		        (uint64_t)INT32_MAX - 1) +
		    1;
		/* A negative descriptor is none: time passes. */
		p.fd = core->phase == PORT_ASKED ? coax_fd(core->asked)
		                                 : core->store;
		if (core->phase == PORT_APART)
			left_ms = COAX_MIN(left_ms, BUSY_MS);
		if (poll(&p, 1, left_ms) < 0 && errno != EINTR)
			return -errno;
	}
}

void
port_control_input(struct port_core *core)
{
	bool was_connected = core->phase == PORT_CONNECTED;

	if (proceed(core) == 0)
		return;
	was_connected = was_connected || core->phase == PORT_CONNECTED;
	port_part(core);
	if (!was_connected) {
		/* The timer goes on; more slowly to who will not have us. */
		core->attempt_ns =
		    clock_now_ns() +
		    (PORT_RETRY_MS * CLOCK_NS_PER_MSEC << core->refusals);
		core->refusals = COAX_MIN(core->refusals + 1, REFUSALS_MAX);
		return;
	}
	if (core->state == COAX_NETIF_STATE_CLOSED ||
	    (core->flags & COAX_PORT_ONCE) != 0)
		core->closed = true;
	else
		retry_timer(core, true);
}

void
port_control_retry(struct port_core *core)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t ticks;

	/* Another queue's thread may have seen this tick. */
	if (read(core->retry_fd, &ticks, sizeof(ticks)) < 0 || core->closed ||
	    core->phase == PORT_CONNECTED || now_ns < core->attempt_ns)
		return;
	port_part(core);
	if (ask(core) == 0)
		core->attempt_ns = now_ns + ATTEMPT_NS;
}

void
port_adopt(struct coax_port *q)
{
	struct port_core *core = q->core;
	uint64_t one = 1;

	pthread_mutex_lock(&core->lock);
	q->generation = core->generation;
	if (q->next.kick >= 0) {
		fd_close(&q->ch.kick);
		fd_close(&q->ch.call);
		q->ch = q->next;
		q->next = (struct port_channel){ -1, -1 };
		/* What the daemon wanted to be told since it has the rings was
		 * told to the old channel. (A full counter has told it.) */
		if (write(q->ch.kick, &one, sizeof(one)) < 0)
			errno = 0;
	}
	pthread_mutex_unlock(&core->lock);
}

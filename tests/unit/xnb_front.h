/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests: a front end of the local transport that speaks the bare protocol
 * (doc/ring.md), so that it can also break it. It runs in the test's own
 * thread, turn by turn with the back end.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/keys.h"
#include "drv/drv.h"
#include "drv/xnb/local.h"
#include "net_fixture.h"
#include "os/loop.h"
#include "os/sock.h"
#include "ring/netring.h"

#define FRONT_PAGES   1024u
#define FRONT_TX_RING 0u
#define FRONT_RX_RING 1u
#define FRONT_CTRL    2u
#define FRONT_TX_PAGE 16u  /* 256 pages to send from */
#define FRONT_RX_PAGE 512u /* 256 pages to receive into */

struct front {
	struct loop *loop;
	struct net *net;
	struct iface *ifp;
	int store;
	int memfd;
	uint8_t *mem;
	struct keys back;  /* what the back end wrote */
	int kick, call;    /* of channel 0 */
	uint32_t channels; /* descriptors that came */
	bool hung_up;
	struct netring_front tx, rx, ctrl;
};

/* Runs the back end until it has nothing to do. */
static inline void
front_run(struct front *f)
{
	bool more = true;

	while (more) {
		more = loop_step(f->loop, 0) == 1;
		while (net_poll(f->net))
			more = true;
	}
}

/* Takes the back end's messages. */
static inline void
front_listen(struct front *f)
{
	const char *key, *value;
	char data[KEYS_SIZE];
	int fds[SOCK_FDS_MAX];
	unsigned int count;
	bool truncated;
	ssize_t n;

	for (;;) {
		size_t at = 0;

		n = sock_recv_fds(f->store, data, sizeof(data), fds,
		    SOCK_FDS_MAX, &count, &truncated);
		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			f->hung_up = true;
			return;
		}
		assert_false(truncated);
		assert_true(keys_check(data, (size_t)n));
		while (keys_next(data, (size_t)n, &at, &key, &value))
			assert_int_equal(keys_set(&f->back, key, value), 0);
		for (unsigned int i = 0; i < count; i++) {
			if (f->channels == 0 && i == 0)
				f->kick = fds[i];
			else if (f->channels == 0 && i == 1)
				f->call = fds[i];
			else
				close(fds[i]);
		}
		f->channels += count;
	}
}

static inline const char *
front_back(struct front *f, const char *key)
{
	const char *value;

	front_run(f);
	front_listen(f);
	value = keys_get(&f->back, key);
	return value != NULL ? value : "";
}

static inline void
front_open(
    struct front *f, struct net *net, struct loop *loop, const char *name)
{
	*f = (struct front){
		.loop = loop,
		.net = net,
		.memfd = -1,
		.kick = -1,
		.call = -1,
	};
	assert_int_equal(
	    xnb_local_open(net, NULL, name, NULL, &f->store, &f->ifp), 0);
	assert_int_equal(fd_set_nonblock(f->store, true), 0);
}

static inline void
front_memory(struct front *f, uint32_t pages)
{
	size_t size = (size_t)pages * COAX_RING_PAGE;

	f->memfd = memfd_sealed("test", size);
	assert_true(f->memfd >= 0);
	f->mem =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->memfd, 0);
	assert_true(f->mem != MAP_FAILED);
}

static inline void
front_rings(struct front *f)
{
	netring_front_init(&f->tx, f->mem + FRONT_TX_RING * COAX_RING_PAGE,
	    COAX_NETIF_TX_SLOTS, COAX_NETIF_TX_SLOT_SIZE);
	netring_front_init(&f->rx, f->mem + FRONT_RX_RING * COAX_RING_PAGE,
	    COAX_NETIF_RX_SLOTS, COAX_NETIF_RX_SLOT_SIZE);
	netring_front_init(&f->ctrl, f->mem + FRONT_CTRL * COAX_RING_PAGE,
	    COAX_NETIF_CTRL_SLOTS, COAX_NETIF_CTRL_SLOT_SIZE);
}

/* Sends "key=value key=value ..." as one message, with @fd unless -1. */
static inline int
front_say(struct front *f, const char *pairs, int fd)
{
	struct keys k = { .len = 0 };
	char text[KEYS_SIZE], *save = NULL;
	ssize_t n;

	snprintf(text, sizeof(text), "%s", pairs);
	for (char *w = strtok_r(text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(w, '=');

		assert_non_null(eq);
		*eq = '\0';
		assert_int_equal(keys_append(&k, w, eq + 1), 0);
	}
	n = sock_send_fds(f->store, k.data, k.len, &fd, fd >= 0 ? 1 : 0);
	return n == (ssize_t)k.len ? 0 : -EPIPE;
}

#define FRONT_KEYS                                            \
	"request-rx-copy=1 feature-rx-notify=1 feature-sg=1 " \
	"feature-gso-tcpv4=1 feature-gso-tcpv6=1 feature-ipv6-csum-offload=1 "
#define FRONT_RING_KEYS "tx-ring-ref=0 rx-ring-ref=1 event-channel=0 state=4"

/* The whole handshake. @keys: FRONT_KEYS or others. */
static inline void
front_connect(struct front *f, const char *keys)
{
	char text[KEYS_SIZE];

	assert_string_equal(front_back(f, "state"), "2");
	front_memory(f, FRONT_PAGES);
	front_rings(f);
	snprintf(text, sizeof(text), "%s%s", keys, FRONT_RING_KEYS);
	assert_int_equal(front_say(f, text, f->memfd), 0);
	assert_string_equal(front_back(f, "state"), "4");
	assert_true(f->kick >= 0 && f->call >= 0);
}

static inline void
front_close(struct front *f)
{
	fd_close(&f->store);
	fd_close(&f->kick);
	fd_close(&f->call);
	if (f->mem != NULL)
		(void)munmap(f->mem, (size_t)FRONT_PAGES * COAX_RING_PAGE);
	f->mem = NULL;
	fd_close(&f->memfd);
}

static inline void
front_kick(struct front *f)
{
	uint64_t one = 1;

	assert_int_equal(write(f->kick, &one, sizeof(one)), sizeof(one));
}

/* One request of one page, not published. */
static inline uint8_t *
front_tx(struct front *f, uint16_t size, uint16_t flags, uint16_t offset)
{
	uint32_t slot = f->tx.req_prod_pvt % COAX_NETIF_TX_SLOTS;
	struct coax_netif_tx_request req = {
		.gref = FRONT_TX_PAGE + slot,
		.offset = offset,
		.flags = flags,
		.id = (uint16_t)(1000 + slot),
		.size = size,
	};

	netring_front_put(&f->tx, &req, COAX_NETIF_TX_SLOT_SIZE / 4);
	return f->mem + (size_t)req.gref * COAX_RING_PAGE + offset;
}

static inline void
front_tx_extra(struct front *f, const struct coax_netif_extra *extra)
{
	struct coax_netif_extra slot[2] = { *extra };

	netring_front_put(&f->tx, slot, COAX_NETIF_TX_SLOT_SIZE / 4);
}

/* Publishes, wakes the back end if it wants that, lets it run. */
static inline void
front_send(struct front *f)
{
	if (netring_front_publish(&f->tx))
		front_kick(f);
	front_run(f);
}

/* The next response of the transmit ring. */
static inline struct coax_netif_tx_response
front_tx_rsp(struct front *f)
{
	struct coax_netif_tx_response rsp;

	assert_true(netring_front_poll(&f->tx) > 0);
	netring_front_get(&f->tx, f->tx.rsp_cons++, &rsp, 1);
	return rsp;
}

/* Posts @count buffers. */
static inline void
front_post(struct front *f, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = f->rx.req_prod_pvt % COAX_NETIF_RX_SLOTS;
		struct coax_netif_rx_request req = {
			.id = (uint16_t)(2000 + slot),
			.gref = FRONT_RX_PAGE + slot,
		};

		netring_front_put(&f->rx, &req, COAX_NETIF_RX_SLOT_SIZE / 4);
	}
	if (netring_front_publish(&f->rx))
		front_kick(f);
	front_run(f);
}

/* The next response of the receive ring; false: there is none. */
static inline bool
front_rx_rsp(struct front *f, struct coax_netif_rx_response *rsp)
{
	int n = netring_front_poll(&f->rx);

	assert_true(n >= 0);
	if (n == 0)
		return false;
	netring_front_get(
	    &f->rx, f->rx.rsp_cons++, rsp, COAX_NETIF_RX_SLOT_SIZE / 4);
	return true;
}

/* The page of the response that front_rx_rsp() gave last. */
static inline uint8_t *
front_rx_page(struct front *f)
{
	uint32_t slot = (f->rx.rsp_cons - 1) % COAX_NETIF_RX_SLOTS;

	return f->mem + (size_t)(FRONT_RX_PAGE + slot) * COAX_RING_PAGE;
}

/* Packets that came, each with its buffers posted again. */
static inline uint32_t
front_collect(struct front *f)
{
	struct coax_netif_rx_response rsp;
	uint32_t n = 0;

	front_run(f);
	while (front_rx_rsp(f, &rsp)) {
		n += (rsp.flags & COAX_NETRXF_MORE_DATA) == 0;
		front_post(f, 1);
	}
	return n;
}

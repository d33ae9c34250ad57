/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that says anything in the handshake of a ring port. The input is a
 * list of messages, each a length of two bytes and its bytes; the high bits of
 * the length say whether the program's memory comes along, whether its events
 * are signalled, and whether what we wrote is read. One of them says that it is
 * no message: the bytes after a place of two bytes are written into the memory,
 * which begins with two rings.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/util.h"
#include "drv/drv.h"
#include "drv/xnb/local.h"
#include "os/loop.h"
#include "os/sock.h"

#define PAGES 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct net *net;
static int memory = -1;
static uint8_t *mem; /* the same */

static void
prepare(void)
{
	static const struct iface_ops *const kinds[] = { &xnb_ops, NULL };
	struct net_options o = {
		.pool = { .small_count = 64, .large_count = 4 },
		.kinds = kinds,
	};

	if (net != NULL)
		return;
	ASSERT(loop_create(&loop) == 0);
	loop_set_spin(loop, 0);
	ASSERT(net_create(&o, &net) == 0);
	net->timers = loop_timers(loop);
	ASSERT(drv_init(net, loop) == 0);
	memory = memfd_sealed("fuzz", PAGES * 4096);
	ASSERT(memory >= 0);
	mem = mmap(
	    NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	ASSERT(mem != MAP_FAILED);
}

/* Two rings with something in them; the rest is no ring. */
static void
renew(void)
{
	static const uint32_t prod = 7;

	memset(mem, 0, 2 * 4096);
	memset(mem + 2 * 4096, 0x5a, 4096);
	memcpy(mem, &prod, sizeof(prod));
}

static void
scribble(const uint8_t *data, size_t len)
{
	size_t at;

	if (len < 2)
		return;
	at = be16_get(data) % (PAGES * 4096 - 4096);
	memcpy(mem + at, data + 2, len - 2);
}

static void
run(void)
{
	for (int i = 0; i < 8 && loop_step(loop, 0) == 1; i++)
		;
	for (int i = 0; i < 8 && net_poll(net); i++)
		;
}

/* Reads what the daemon says; signals the channels that it gave. */
static void
listen_and_kick(int fd, bool kick)
{
	char buf[4096];
	int fds[SOCK_FDS_MAX];
	unsigned int count;
	uint64_t one = 1;

	while (sock_recv_fds(
	           fd, buf, sizeof(buf), fds, SOCK_FDS_MAX, &count, NULL) > 0) {
		if (kick && count > 0)
			ASSERT(write(fds[0], &one, sizeof(one)) == sizeof(one));
		while (count > 0)
			fd_close(&fds[--count]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct iface *ifp;
	int fd;

	prepare();
	renew();
	ASSERT(xnb_local_open(net, NULL, NULL, NULL, &fd, &ifp) == 0);
	ASSERT(fd_set_nonblock(fd, true) == 0);
	(void)iface_set_flags(ifp, IFACE_UP, 0);
	while (rd_left(&r) >= 2) {
		uint16_t head = rd_be16(&r);
		size_t len = COAX_MIN(head & 0x0fffu, rd_left(&r));
		char buf[4096];

		rd_copy(&r, buf, len);
		if ((head & 0x1000) != 0)
			scribble((const uint8_t *)buf, len);
		else if (len > 0)
			(void)sock_send_fds(fd, buf, len, &memory,
			    (head & 0x8000) != 0 ? 1 : 0);
		run();
		if ((head & 0x2000) != 0)
			listen_and_kick(fd, (head & 0x4000) != 0);
	}
	fd_close(&fd);
	run();
	run();
	ASSERT(net->iface_count == 0);
	return 0;
}

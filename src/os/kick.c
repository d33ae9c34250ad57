/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals to eventfds by way of asynchronous I/O. See kick.h.
 *
 * A read of no bytes from an empty memfd completes before io_submit(2) returns,
 * and its completion goes into a ring that is mapped into this process: moving
 * the ring's head takes it out without a call. (The ring's layout is the
 * kernel's ABI, marked by a magic number; with another one the completions are
 * fetched by io_getevents(2).)
 */
#include "os/kick.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/sock.h"

#define EVENTS 8 /* completions that fit; each is taken out at once */

#define AIO_RING_MAGIC 0xa10a10a1u

struct aio_ring {
	uint32_t id, nr, head, tail;
	uint32_t magic, compat, incompat, header_length;
};

struct kick {
	aio_context_t ctx; /* 0: asynchronous I/O cannot be had */
	struct aio_ring *ring;
	int fd; /* to read nothing from */
};

static long
io_setup(unsigned int nr, aio_context_t *ctx)
{
	return syscall(SYS_io_setup, nr, ctx);
}

static long
io_submit(aio_context_t ctx, long n, struct iocb **cbs)
{
	return syscall(SYS_io_submit, ctx, n, cbs);
}

static bool
aio_unwanted(uint32_t flags)
{
	const char *no = getenv("COAX_NO_AIO");

	return (flags & KICK_PLAIN) != 0 ||
	       (no != NULL && no[0] != '\0' && strcmp(no, "0") != 0);
}

int
kick_create(uint32_t flags, struct kick **out)
{
	struct kick *k = calloc(1, sizeof(*k));
	struct aio_ring *ring;

	if (k == NULL)
		return -ENOMEM;
	k->fd = memfd_create("coax-kick", MFD_CLOEXEC);
	if (k->fd < 0) {
		int err = -errno;

		free(k);
		return err;
	}
	if (aio_unwanted(flags) || io_setup(EVENTS, &k->ctx) < 0) {
		k->ctx = 0;
	} else {
		ring = (struct aio_ring *)k->ctx;
		if (ring->magic == AIO_RING_MAGIC && ring->incompat == 0)
			k->ring = ring;
	}
	*out = k;
	return 0;
}

void
kick_destroy(struct kick *k)
{
	if (k == NULL)
		return;
	if (k->ctx != 0)
		(void)syscall(SYS_io_destroy, k->ctx);
	fd_close(&k->fd);
	free(k);
}

bool
kick_is_safe(const struct kick *k)
{
	return k->ctx != 0;
}

static int
kick_write(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	uint64_t one = 1;

	if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
		return -EAGAIN;
	return write(fd, &one, sizeof(one)) < 0 ? -errno : 0;
}

int
kick_send(struct kick *k, int fd)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)k->fd,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)fd,
	};
	struct iocb *cbs = &cb;
	struct io_event done;

	if (k->ctx == 0)
		return kick_write(fd);
	if (io_submit(k->ctx, 1, &cbs) != 1)
		return -errno;
	if (k->ring != NULL)
		*(volatile uint32_t *)&k->ring->head =
		    *(volatile uint32_t *)&k->ring->tail;
	else
		(void)syscall(SYS_io_getevents, k->ctx, 1L, 1L, &done, NULL);
	return 0;
}

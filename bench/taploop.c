/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * taploop: the least that any user-space switch has to do.
 *
 *   taploop [-n] [-s MICROSECONDS] TAP_A TAP_B
 *
 * Makes two TAP netdevs and copies frames from each to the other: no address
 * is looked up, nothing is counted or checked.  One thread, epoll, read(2) and
 * write(2), one buffer that stays in the cache.  What coax reaches is held
 * against this floor.
 *
 * By default super-frames cross whole (vnet header, TSO, checksums left open);
 * -n takes frames of the MTU only.  -s polls for so long after the last frame
 * before it sleeps.  Prints "ready" once both exist; SIGTERM ends it.
 *
 * Source: Documentation/networking/tuntap.rst of Linux.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_SIZE (72u << 10)
#define VNET_HDR    12
#define BURST       64 /* frames from one side before the other has its turn */

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "taploop: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int
tap_open(const char *name, bool offloads)
{
	int flags = IFF_TAP | IFF_NO_PI | (offloads ? IFF_VNET_HDR : 0);
	struct ifreq ifr = { .ifr_flags = (short)flags };
	int hdr = VNET_HDR;
	int fd;

	if (strlen(name) >= sizeof(ifr.ifr_name)) {
		errno = ENAMETOOLONG;
		fail(name);
	}
	strcpy(ifr.ifr_name, name);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		fail(name);
	if (offloads && (ioctl(fd, TUNSETVNETHDRSZ, &hdr) < 0 ||
	                    ioctl(fd, TUNSETOFFLOAD,
	                        TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0))
		fail("offloads");
	return fd;
}

/* Copies what is there, a burst at most.  False: there was nothing. */
static bool
copy(int from, int to, void *buffer)
{
	bool some = false;

	for (int i = 0; i < BURST; i++) {
		ssize_t n = read(from, buffer, BUFFER_SIZE);

		if (n < 0 && errno != EAGAIN && errno != EIO)
			fail("read");
		if (n <= 0)
			break;
		some = true;
		/* A full or down netdev loses the frame, as a wire would. */
		if (write(to, buffer, (size_t)n) < 0 && errno == EBADFD)
			fail("write");
	}
	return some;
}

static void
run(int ep, const int fds[2], uint64_t spin_ns, void *buffer)
{
	struct epoll_event ready[2];
	uint64_t spin_until = 0;

	for (;;) {
		bool spin = spin_ns > 0 && now_ns() < spin_until;
		int n = epoll_wait(ep, ready, 2, spin ? 0 : -1);

		if (n < 0 && errno != EINTR)
			fail("epoll_wait");
		for (int i = 0; i < n; i++) {
			uint32_t side = ready[i].data.u32;

			if (copy(fds[side], fds[!side], buffer) && spin_ns > 0)
				spin_until = now_ns() + spin_ns;
		}
	}
}

int
main(int argc, char **argv)
{
	bool offloads = true;
	uint64_t spin_ns = 0;
	void *buffer;
	int ep, opt, fds[2];

	while ((opt = getopt(argc, argv, "ns:")) != -1) {
		switch (opt) {
		case 'n':
			offloads = false;
			break;
		case 's':
			spin_ns = strtoull(optarg, NULL, 10) * 1000;
			break;
		default:
			goto usage;
		}
	}
	if (argc - optind != 2)
		goto usage;
	buffer = aligned_alloc(4096, BUFFER_SIZE);
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (buffer == NULL || ep < 0)
		fail("start");
	for (uint32_t i = 0; i < 2; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };

		fds[i] = tap_open(argv[optind + (int)i], offloads);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev) < 0)
			fail("epoll_ctl");
	}
	printf("ready\n");
	fflush(stdout);
	run(ep, fds, spin_ns, buffer);

usage:
	fprintf(stderr, "usage: taploop [-n] [-s MICROSECONDS] TAP_A TAP_B\n");
	return 2;
}

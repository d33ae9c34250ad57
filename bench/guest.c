/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest: process 1 of a virtual machine that moves TCP, and nothing else.
 *
 * run-apps puts it into an initramfs as /init, statically linked, beside the
 * modules that virtio-net needs (/m/0.ko, /m/1.ko ... in their order).  The
 * kernel's command line says what to be:
 *
 *   guest=N        192.0.2.N/24 on eth0
 *   peer=N         send to 192.0.2.N; without it: receive, for ever
 *   seconds=S
 *
 * A receiver says "guest: ready" on the console; a sender connects, sends for
 * so long, says "guest: BYTES NS" (what the other end has acknowledged), and
 * switches the machine off.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PORT  5001
#define CHUNK (256 << 10)

static char chunk[CHUNK];
static char cmdline[4096];

static void
power_off(void)
{
	(void)fflush(NULL);
	(void)reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void
fail(const char *what)
{
	printf("guest: failed: %s: %s\n", what, strerror(errno));
	power_off();
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The number behind "NAME=", or 0. */
static unsigned int
option(const char *name)
{
	const char *at = strstr(cmdline, name);

	return at != NULL ? (unsigned int)atoi(at + strlen(name)) : 0;
}

static void
read_cmdline(void)
{
	int fd;

	(void)mkdir("/proc", 0555);
	if (mount("proc", "/proc", "proc", 0, NULL) < 0)
		fail("/proc");
	fd = open("/proc/cmdline", O_RDONLY);
	if (fd < 0 || read(fd, cmdline, sizeof(cmdline) - 1) < 0)
		fail("cmdline");
	(void)close(fd);
}

static void
load_modules(void)
{
	char path[32];
	int fd;

	for (int i = 0;; i++) {
		snprintf(path, sizeof(path), "/m/%d.ko", i);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			return;
		if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
			fail(path);
		(void)close(fd);
	}
}

static struct sockaddr_in
address(unsigned int n)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};

	sin.sin_addr.s_addr = htonl(0xc0000200u + n);
	return sin;
}

/* eth0 comes when the driver has found the card. */
static void
configure(unsigned int n)
{
	struct sockaddr_in sin = address(n);
	struct ifreq ifr = { .ifr_name = "eth0" };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; ioctl(s, SIOCGIFFLAGS, &ifr) < 0; i++) {
		if (i > 1000)
			fail("eth0");
		usleep(10000);
	}
	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	if (ioctl(s, SIOCSIFADDR, &ifr) < 0)
		fail("address");
	sin.sin_addr.s_addr = htonl(0xffffff00u);
	memcpy(&ifr.ifr_netmask, &sin, sizeof(sin));
	if (ioctl(s, SIOCSIFNETMASK, &ifr) < 0)
		fail("netmask");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		fail("up");
	(void)close(s);
}

static void
receive(void)
{
	struct sockaddr_in sin = address(0);
	int l = socket(AF_INET, SOCK_STREAM, 0), c;

	sin.sin_addr.s_addr = htonl(INADDR_ANY);
	if (bind(l, (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
	    listen(l, 5) < 0)
		fail("listen");
	printf("guest: ready\n");
	for (;;) {
		c = accept(l, NULL, NULL);
		while (c >= 0 && recv(c, chunk, sizeof(chunk), MSG_TRUNC) > 0)
			;
		(void)close(c);
	}
}

static void
transmit(unsigned int peer, unsigned int seconds)
{
	struct sockaddr_in sin = address(peer);
	uint64_t start, end, bytes = 0;
	int s, queued = 0;

	for (;;) {
		s = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(s, (struct sockaddr *)&sin, sizeof(sin)) == 0)
			break;
		(void)close(s);
		usleep(50000);
	}
	start = now_ns();
	end = start + seconds * UINT64_C(1000000000);
	while (now_ns() < end) {
		ssize_t n = send(s, chunk, sizeof(chunk), 0);

		if (n < 0)
			fail("send");
		bytes += (uint64_t)n;
	}
	end = now_ns();
	(void)ioctl(s, SIOCOUTQ, &queued);
	printf("guest: %llu %llu\n",
	    (unsigned long long)(bytes - (uint64_t)queued),
	    (unsigned long long)(end - start));
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	read_cmdline();
	load_modules();
	configure(option("guest="));
	if (option("peer=") == 0)
		receive();
	transmit(option("peer="), option("seconds="));
	power_off();
	return 0;
}

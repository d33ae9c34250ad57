/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The preload library between a program that passes anything to ioctl and a
 * daemon that answers anything.
 *
 * Input: which request (1 byte; it is tried with a sign, too), on what
 * descriptor (1), the length of the
 * daemon's answer (2, big-endian), the answer, the ioctl's payload. An answer
 * that is not JSON-RPC is tried once as it is and once as the member "result"
 * of one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/tapmark.h"
#include "base/util.h"
#include "coax/tap.h"
#include "shim/ask.h"
#include "shim/ioctls.h"

#define ANSWER_MAX  20000
#define PAYLOAD_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned long requests[] = { FIONREAD, TAPGIFNAME, TIOCSPGRP,
	TIOCGPGRP, SIOCIFCREATE, SIOCIFDESTROY, SIOCALIFADDR, SIOCGLIFADDR,
	SIOCDLIFADDR, TUNSETIFF, TUNGETIFF, TUNGETFEATURES, TUNSETOFFLOAD,
	TUNSETVNETHDRSZ, TUNGETVNETHDRSZ, TUNSETPERSIST, TUNSETQUEUE,
	TUNSETOWNER, TUNSETGROUP, TUNSETLINK, TUNSETNOCSUM, TUNSETSNDBUF,
	TUNGETSNDBUF, TUNSETVNETLE, TUNGETVNETLE, TUNSETVNETBE, TUNSETCARRIER,
	TUNATTACHFILTER, SIOCGIFHWADDR, SIOCSIFHWADDR, SIOCGIFFLAGS,
	SIOCSIFFLAGS, SIOCGIFMTU, SIOCSIFMTU, SIOCGIFINDEX, SIOCGIFADDR,
	SIOCSIFADDR, SIOCGIFTXQLEN, 0, 0x54ff, SIOCGIFNAME, SIOCSIFNAME,
	SIOCGIFMAP, SIOCGIFMETRIC, TUNSETDEBUG, TUNSETVNETLE };

/* The daemon: what it says to everybody. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char answer[ANSWER_MAX + 64];
static size_t answer_len;

static void *
serve(void *arg)
{
	int listener = *(int *)arg;
	char copy[sizeof(answer)];
	char in[2048];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		size_t len;

		if (fd < 0)
			continue;
		(void)pthread_mutex_lock(&lock);
		len = answer_len;
		memcpy(copy, answer, len);
		(void)pthread_mutex_unlock(&lock);
		/* All that is asked comes in a few lines. */
		if (recv(fd, in, sizeof(in), 0) >= 0)
			(void)send(fd, copy, len, MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_WR);
		while (recv(fd, in, sizeof(in), 0) > 0)
			;
		close(fd);
	}
	return NULL;
}

static struct sockaddr_un at = { .sun_family = AF_UNIX };

static void
clean_up(void)
{
	(void)unlink(at.sun_path);
	*strrchr(at.sun_path, '/') = '\0';
	(void)rmdir(at.sun_path);
}

static void
start(void)
{
	static int listener;
	static pthread_t thread;
	char dir[] = "/tmp/fuzz-shim-XXXXXX";

	ASSERT(mkdtemp(dir) != NULL);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", dir);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ASSERT(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0);
	ASSERT(listen(listener, 16) == 0);
	ASSERT(atexit(clean_up) == 0);
	ASSERT(setenv("COAX_SOCKET", at.sun_path, 1) == 0);
	ASSERT(setenv("COAX_SHIM", "quiet", 1) == 0);
	ASSERT(pthread_create(&thread, NULL, serve, &listener) == 0);
}

/* Stands for the system's: there is no netdev. */
static int
no_netdev(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	errno = ENODEV;
	return -1;
}

static int
marked(int fd, uint32_t mark)
{
	ASSERT(setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &mark,
	           sizeof(mark)) == 0);
	return fd;
}

static void
try(int fd, unsigned long request, const uint8_t *payload, size_t size)
{
	uint8_t arg[PAYLOAD_MAX] = { 0 };
	int n;

	memcpy(arg, payload, size);
	n = shim_ioctl(fd, request, arg, no_netdev);
	ASSERT(n <= SHIM_PASS && n > -4096);
	/* A null pointer is a value, or EFAULT. */
	n = shim_ioctl(fd, request, NULL, no_netdev);
	ASSERT(n <= SHIM_PASS && n > -4096);
	/* A null pointer says the same for a request that was in an int. */
	ASSERT(
	    n == shim_ioctl(fd, (unsigned long)(int)request, NULL, no_netdev));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "{\"id\":1,\"result\":";
	static bool started;
	unsigned long request;
	int pair[2], fds[5];
	size_t len;
	struct json j;

	if (size < 4)
		return 0;
	if (!started)
		start();
	started = true;
	request = requests[data[0] % ARRAY_LEN(requests)];
	len = (size_t)data[2] << 8 | data[3];
	if (len > size - 4)
		len = size - 4;
	if (len > ANSWER_MAX || size - 4 - len > PAYLOAD_MAX)
		return 0;
	(void)ask_judge((const char *)data + 4, len, &j);
	ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	fds[0] = marked(pair[0], TAPMARK_TAP);
	fds[1] = marked(pair[1], TAPMARK_TUN);
	fds[2] = marked(socket(AF_UNIX, SOCK_SEQPACKET, 0), TAPMARK_TUN);
	fds[3] = marked(socket(AF_UNIX, SOCK_DGRAM, 0), TAPMARK_LINK);
	fds[4] = socket(AF_INET, SOCK_DGRAM, 0);
	for (int bare = 0; bare < 2; bare++) {
		(void)pthread_mutex_lock(&lock);
		answer_len = 0;
		if (bare == 0) {
			memcpy(answer, head, sizeof(head) - 1);
			answer_len = sizeof(head) - 1;
		}
		memcpy(answer + answer_len, data + 4, len);
		answer_len += len;
		if (bare == 0)
			answer[answer_len++] = '}';
		answer[answer_len++] = '\n';
		(void)pthread_mutex_unlock(&lock);
		try(fds[data[1] % ARRAY_LEN(fds)], request, data + 4 + len,
		    size - 4 - len);
	}
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames: Ethernet frames in and out of a descriptor, as an app would.
 *
 *   frames pair BYTES MILLISECONDS        a SEQPACKET pair between two
 *                                         processes: what is to be had at most
 *   frames blast FD BYTES MILLISECONDS    as fast as the descriptor takes them
 *   frames sink FD                        counts what arrives
 *
 * blast sends to 02:00:00:00:00:02 from :01; a sink says at its start, by one
 * frame, that it is :02, so that switches know where it is, prints "ready" on
 * standard error, works until SIGTERM (or the end), and prints its result as
 * one JSON object; its rate is that between its first and its last frame.  One
 * call, one frame: that is how apps use a tap.
 *
 * FD "-" is standard input or output, where frames are preceded by their
 * length in two bytes, as vde_plug has it; a frame still is one write.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX  65536
#define SNDBUF     (4 << 20)
#define CLOCK_EACH 32 /* frames between two looks at the clock */

static volatile sig_atomic_t stopped;
static uint8_t data[2 + BYTES_MAX];

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "frames: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
on_term(int sig)
{
	(void)sig;
	stopped = 1;
}

/* A frame behind its two bytes of length; their sum. */
static size_t
fill(size_t bytes, uint8_t dst, uint8_t src)
{
	static const uint8_t head[14] = { 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0,
		0x88, 0xb5 };

	if (bytes < sizeof(head) || bytes > BYTES_MAX) {
		errno = EINVAL;
		fail("size");
	}
	data[0] = (uint8_t)(bytes >> 8);
	data[1] = (uint8_t)bytes;
	memcpy(data + 2, head, sizeof(head));
	data[2 + 5] = dst;
	data[2 + 11] = src;
	return 2 + bytes;
}

static void
send_all(int fd, size_t bytes, const char *ms)
{
	uint64_t start = now_ns(), sent = 0;
	uint64_t end = start + strtoull(ms, NULL, 10) * 1000000u;
	const uint8_t *from = data + (fd == 1 ? 0 : 2);
	size_t len = bytes + (fd == 1 ? 2 : 0);

	while (now_ns() < end) {
		for (int i = 0; i < CLOCK_EACH; i++, sent++) {
			ssize_t n = write(fd, from, len);

			if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
				return; /* the other end has seen enough */
		}
	}
	fprintf(stderr, "{\"sent\":%llu,\"ns\":%llu}\n",
	    (unsigned long long)sent, (unsigned long long)(now_ns() - start));
}

static int
blast(char **arg)
{
	int fd = strcmp(arg[0], "-") == 0 ? 1 : atoi(arg[0]);
	size_t bytes = strtoul(arg[1], NULL, 10);

	(void)signal(SIGPIPE, SIG_IGN);
	(void)fill(bytes, 2, 1);
	send_all(fd, bytes, arg[2]);
	return 0;
}

/* The frames that a read has brought: one, or as many as a stream has whole. */
static uint64_t
count_stream(size_t *have, size_t got)
{
	uint64_t n = 0;
	size_t at = 0, len;

	*have += got;
	while (*have - at >= 2 &&
	       *have - at - 2 >= (len = (size_t)data[at] << 8 | data[at + 1])) {
		at += 2 + len;
		n++;
	}
	memmove(data, data + at, *have - at);
	*have -= at;
	return n;
}

static void
receive(int fd, bool stream)
{
	uint64_t count = 0, first = 0, last = 0;
	size_t have = 0;

	while (!stopped) {
		ssize_t n = read(fd, data + have, sizeof(data) - have);

		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			break;
		if (n < 0)
			continue;
		count += stream ? count_stream(&have, (size_t)n) : 1;
		if (first == 0)
			first = now_ns();
		if (count % CLOCK_EACH == 0 || stream)
			last = now_ns();
	}
	printf("{\"received\":%llu,\"ns\":%llu}\n", (unsigned long long)count,
	    (unsigned long long)(last > first ? last - first : 0));
}

/* To be woken up by the signal and not to lose it before the read. */
static void
end_by_term(int fd)
{
	struct sigaction sa = { .sa_handler = on_term };
	struct timeval tv = { .tv_usec = 100000 };

	sigaction(SIGTERM, &sa, NULL);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

static int
sink(char **arg)
{
	bool stream = strcmp(arg[0], "-") == 0;
	int fd = stream ? 0 : atoi(arg[0]);
	size_t len = fill(60, 0xff, 2);

	data[2] = 0xff; /* to a group */
	end_by_term(fd);
	/* A stream's way back is standard error's: nobody needs it there. */
	if (!stream && write(fd, data + 2, len - 2) < 0)
		fail("write");
	fprintf(stderr, "ready\n");
	receive(fd, stream);
	return 0;
}

static int
pair(char **arg)
{
	size_t bytes = strtoul(arg[0], NULL, 10);
	int fds[2], size = SNDBUF;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0)
		fail("socketpair");
	for (int i = 0; i < 2; i++)
		(void)setsockopt(
		    fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		(void)close(fds[0]);
		(void)fill(bytes, 2, 1);
		send_all(fds[1], bytes, arg[1]);
		_exit(0);
	}
	(void)close(fds[1]);
	receive(fds[0], false);
	(void)waitpid(pid, NULL, 0);
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} commands[] = {
	{ "pair", 2, pair },
	{ "blast", 3, blast },
	{ "sink", 1, sink },
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc >= 2 && strcmp(argv[1], commands[i].name) == 0 &&
		    argc - 2 == commands[i].args)
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: frames pair BYTES MILLISECONDS\n"
	                "       frames blast FD BYTES MILLISECONDS\n"
	                "       frames sink FD\n");
	return 2;
}

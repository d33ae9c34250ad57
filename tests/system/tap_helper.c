/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that uses taps by libcoax, for tap_test.sh: what a shell cannot do
 * with a descriptor.
 *
 *   tap_helper hold NAME    opens NAME ("-": a clone), prints "name NAME", and
 *                           does what the lines of standard input say; each is
 *                           answered by one line. "quit" ends it
 *   tap_helper SCENARIO A B a test of its own on the taps A and B, which are
 *                           two members of one bridge: what is written to A
 *                           is read from B
 *
 *   tap_helper forward A B FILE
 *                           passes frames between the taps A and B, appends
 *                           them to FILE in hex, until its input ends
 *
 * A scenario ends with 0, or says the line where it failed and ends with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "coax/tap.h"

#define FRAME_MAX 70000
#define DEADLINE  5000 /* ms */

#define CHECK(x)                                                             \
	do {                                                                 \
		if (!(x)) {                                                  \
			fprintf(stderr, "%s:%d: not so: %s (errno %s)\n",    \
			    __FILE__, __LINE__, #x, strerrorname_np(errno)); \
			exit(1);                                             \
		}                                                            \
	} while (0)

/* --- frames ----------------------------------------------------------------
 */

/* A broadcast of @len bytes, each @fill. */
static void
make_frame(uint8_t *buf, size_t len, uint8_t fill)
{
	memset(buf, fill, len);
	memset(buf, 0xff, 6);
	memcpy(buf + 6, "\x02\x00\x00\x00\x00\x01\x88\xb5", 8);
}

static void
send_frame(int fd, size_t len, uint8_t fill)
{
	uint8_t buf[FRAME_MAX];

	make_frame(buf, len, fill);
	CHECK(write(fd, buf, len) == (ssize_t)len);
}

static bool
readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLIN) != 0;
}

/* Takes the next frame; it is one of make_frame(). */
static void
expect_frame(int fd, size_t len, uint8_t fill)
{
	uint8_t buf[FRAME_MAX];

	CHECK(readable(fd, DEADLINE));
	CHECK(read(fd, buf, sizeof(buf)) == (ssize_t)len);
	CHECK(buf[len - 1] == fill);
}

static int
open_tap(const char *name)
{
	char ifname[COAX_TAP_NAME_MAX];
	int fd = coax_tap_open(name, ifname);

	CHECK(fd >= 0);
	CHECK(strcmp(name, ifname) == 0);
	return fd;
}

static void
close_both(int a, int b)
{
	CHECK(close(a) == 0);
	CHECK(close(b) == 0);
}

/* --- scenarios -------------------------------------------------------------
 */

/* Each write is one frame, each read is one, whole and in order. */
static void
one_call_one_frame(const char *na, const char *nb)
{
	int a = open_tap(na), b = open_tap(nb);

	for (size_t i = 0; i < 40; i++)
		send_frame(a, 60 + 30 * i, (uint8_t)i);
	for (size_t i = 0; i < 40; i++)
		expect_frame(b, 60 + 30 * i, (uint8_t)i);
	/* The shortest that Ethernet's header allows. */
	send_frame(a, 14, 0xb5);
	expect_frame(b, 14, 0xb5);
	close_both(a, b);
}

/* The rest of a frame that did not fit is lost, the next read is the next. */
static void
truncation(const char *na, const char *nb)
{
	int a = open_tap(na), b = open_tap(nb);
	uint8_t buf[100];

	send_frame(a, 1000, 1);
	send_frame(a, 1001, 2);
	CHECK(readable(b, DEADLINE));
	CHECK(read(b, buf, sizeof(buf)) == (ssize_t)sizeof(buf));
	CHECK(buf[99] == 1);
	expect_frame(b, 1001, 2);
	close_both(a, b);
}

/* Any data of any length: short, nothing at all, long, odd; none of it is an
 * error, none is a hang-up, and the interface goes on. */
static void
any_data(const char *na, const char *nb)
{
	int a = open_tap(na), b = open_tap(nb);
	uint8_t buf[FRAME_MAX];

	for (size_t len = 0; len < 14; len++)
		CHECK(send(a, memset(buf, 0xff, len), len, 0) == (ssize_t)len);
	CHECK(write(a, buf, 0) == 0);
	send_frame(a, sizeof(buf), 3);
	/* All ones, all zeroes: from a group address, to nobody. */
	CHECK(write(a, memset(buf, 0xff, 64), 64) == 64);
	CHECK(write(a, memset(buf, 0, 64), 64) == 64);
	send_frame(a, 77, 7);
	for (;;) {
		ssize_t n;

		CHECK(readable(b, DEADLINE));
		n = read(b, buf, sizeof(buf));
		CHECK(n == 64 || n == 77);
		if (n == 77)
			break;
	}
	close_both(a, b);
}

/* FIONBIO and O_NONBLOCK: EWOULDBLOCK without data, and not with it. */
static void
nonblocking(const char *na, const char *nb)
{
	int a = open_tap(na), b = open_tap(nb), on = 1, off = 0;
	uint8_t buf[100];

	CHECK((fcntl(b, F_GETFL) & O_NONBLOCK) == 0);
	CHECK(ioctl(b, FIONBIO, &on) == 0);
	CHECK(read(b, buf, sizeof(buf)) == -1 && errno == EWOULDBLOCK);
	send_frame(a, 60, 1);
	expect_frame(b, 60, 1);
	CHECK(read(b, buf, sizeof(buf)) == -1 && errno == EWOULDBLOCK);
	CHECK(ioctl(b, FIONBIO, &off) == 0);
	CHECK((fcntl(b, F_GETFL) & O_NONBLOCK) == 0);
	close_both(a, b);
}

/* A blocking read waits for a frame. */
static void
blocking(const char *na, const char *nb)
{
	int a = open_tap(na), b = open_tap(nb), status;
	uint8_t buf[100];
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		alarm(DEADLINE / 1000);
		_exit(read(b, buf, sizeof(buf)) == 61 ? 0 : 1);
	}
	send_frame(a, 61, 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	close_both(a, b);
}

/* FIOASYNC and FIOSETOWN: SIGIO when a frame comes; FIOGETOWN. */
static void
async(const char *na, const char *nb)
{
	int a = open_tap(na), b = open_tap(nb), on = 1, off = 0, pid = 0;
	int own = getpid();
	struct timespec limit = { DEADLINE / 1000, 0 }, none = { 0, 0 };
	siginfo_t info;
	sigset_t set;

	CHECK(sigemptyset(&set) == 0 && sigaddset(&set, SIGIO) == 0);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(ioctl(b, FIOSETOWN, &own) == 0);
	CHECK(ioctl(b, FIOGETOWN, &pid) == 0 && pid == own);
	CHECK(ioctl(b, FIOASYNC, &on) == 0);
	send_frame(a, 60, 1);
	CHECK(sigtimedwait(&set, &info, &limit) == SIGIO);
	expect_frame(b, 60, 1);
	CHECK(ioctl(b, FIOASYNC, &off) == 0);
	while (sigtimedwait(&set, &info, &none) == SIGIO)
		;
	send_frame(a, 60, 2);
	expect_frame(b, 60, 2);
	CHECK(sigtimedwait(&set, &info, &none) == -1 && errno == EAGAIN);
	/* A process group, as the manual has it. */
	own = -getpgrp();
	CHECK(ioctl(b, FIOSETOWN, &own) == 0);
	CHECK(ioctl(b, FIOGETOWN, &pid) == 0 && pid == own);
	close_both(a, b);
}

/* select(2), poll(2) and epoll(7) say when there is a frame, and when not. */
static void
select_poll(const char *na, const char *nb)
{
	int a = open_tap(na), b = open_tap(nb), ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN };
	struct pollfd p = { .fd = b, .events = POLLIN | POLLOUT };
	struct timeval limit = { DEADLINE / 1000, 0 }, none = { 0, 0 };
	fd_set r, w;

	CHECK(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev) == 0);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(b, &r);
	FD_SET(b, &w);
	CHECK(select(b + 1, &r, &w, NULL, &none) == 1);
	CHECK(!FD_ISSET(b, &r) && FD_ISSET(b, &w));
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 0);
	send_frame(a, 60, 1);
	FD_ZERO(&r);
	FD_SET(b, &r);
	CHECK(select(b + 1, &r, NULL, NULL, &limit) == 1 && FD_ISSET(b, &r));
	CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
	CHECK(epoll_wait(ep, &ev, 1, 0) == 1 && ev.events == EPOLLIN);
	expect_frame(b, 60, 1);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	CHECK(close(ep) == 0);
	close_both(a, b);
}

/* The size of the next frame, not of all; 0 if there is none. */
static void
next_size(const char *na, const char *nb)
{
	int a = open_tap(na), b = open_tap(nb);

	CHECK(coax_tap_next_size(b) == 0);
	send_frame(a, 100, 1);
	send_frame(a, 300, 2);
	CHECK(readable(b, DEADLINE));
	CHECK(coax_tap_next_size(b) == 100);
	CHECK(coax_tap_next_size(b) == 100);
	expect_frame(b, 100, 1);
	CHECK(readable(b, DEADLINE));
	CHECK(coax_tap_next_size(b) == 300);
	expect_frame(b, 300, 2);
	CHECK(coax_tap_next_size(b) == 0);
	CHECK(coax_tap_next_size(-1) == -EBADF);
	close_both(a, b);
}

/* ENXIO, EBUSY; open again after the close. */
static void
errors(const char *na, const char *nb)
{
	char name[COAX_TAP_NAME_MAX] = "unchanged";
	int a = open_tap(na), p[2], again;

	CHECK(coax_tap_open("tap999", name) == -ENXIO);
	CHECK(coax_tap_open("bridge0", name) == -ENXIO);
	CHECK(coax_tap_open(na, name) == -EBUSY);
	CHECK(strcmp(name, "unchanged") == 0);
	CHECK(coax_tap_ifname(a, name) == 0 && strcmp(name, na) == 0);
	CHECK(pipe(p) == 0);
	CHECK(coax_tap_ifname(p[0], name) < 0);
	CHECK(coax_tap_ifname(-1, name) == -EBADF);
	CHECK((fcntl(a, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK(close(a) == 0);
	/* The daemon sees the close in its next turn. */
	for (int i = 0; (again = coax_tap_open(na, NULL)) == -EBUSY; i++) {
		CHECK(i < DEADLINE);
		(void)poll(NULL, 0, 1);
	}
	CHECK(again >= 0);
	close_both(again, open_tap(nb));
}

/* A clone gets the lowest free unit, knows its name, and lives until the last
 * of its descriptors is closed: here by dup(2), fork(2) and a descriptor in
 * flight. */
static void
clone_lives(const char *na, const char *nb)
{
	char name[COAX_TAP_NAME_MAX], other[COAX_TAP_NAME_MAX];
	int fd = coax_tap_open(NULL, name), copy, sync[2];
	char c;
	pid_t pid;

	(void)na;
	(void)nb;
	CHECK(fd >= 0);
	CHECK(coax_tap_ifname(fd, other) == 0 && strcmp(name, other) == 0);
	copy = dup(fd);
	CHECK(copy >= 0 && close(fd) == 0);
	CHECK(coax_tap_ifname(copy, other) == 0 && strcmp(name, other) == 0);
	CHECK(pipe(sync) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(close(sync[1]) == 0);
		CHECK(read(sync[0], &c, 1) == 0); /* the parent has closed */
		CHECK(coax_tap_ifname(copy, other) == 0);
		CHECK(strcmp(name, other) == 0);
		(void)kill(getpid(), SIGKILL);
	}
	CHECK(close(copy) == 0);
	/* The child alone has it. Open a second one: another name. */
	fd = coax_tap_open(NULL, other);
	CHECK(fd >= 0 && strcmp(name, other) != 0);
	CHECK(close(fd) == 0);
	CHECK(close(sync[1]) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	/* Killed: its name becomes free. */
	for (int i = 0;; i++) {
		CHECK(i < DEADLINE);
		if (coax_tap_open(name, NULL) == -ENXIO)
			break;
		(void)poll(NULL, 0, 1);
	}
}

/* An app that never reads costs only its own frames. The caller looks at the
 * drop table. */
static void
never_reads(const char *na, const char *nb)
{
	int a = open_tap(na), b = open_tap(nb);

	for (int i = 0; i < 4000; i++)
		send_frame(a, 1000, 5);
	/* Now it does read, and what comes then still comes in order. */
	expect_frame(b, 1000, 5);
	CHECK(ioctl(b, FIONBIO, &(int){ 1 }) == 0);
	for (int i = 0, got = 1; got != 0 || readable(b, 200); i++) {
		uint8_t buf[FRAME_MAX];

		CHECK(i < 10000);
		got = read(b, buf, sizeof(buf)) == 1000;
	}
	send_frame(a, 60, 6);
	expect_frame(b, 60, 6);
	close_both(a, b);
}

/* The interface is destroyed while open: the end of the file, then EPIPE
 * without a signal. The caller destroys it when it sees the line. */
static void
destroyed(const char *na, const char *nb)
{
	int a = open_tap(na);
	uint8_t buf[100];

	(void)nb;
	printf("open\n");
	(void)fflush(stdout);
	CHECK(readable(a, 2 * DEADLINE));
	CHECK(read(a, buf, sizeof(buf)) == 0);
	CHECK(write(a, "0123456789abcdef", 16) == -1 && errno == EPIPE);
	CHECK(close(a) == 0);
}

static const struct scenario {
	const char *name;
	void (*fn)(const char *na, const char *nb);
} scenarios[] = {
	{ "one_call_one_frame", one_call_one_frame },
	{ "truncation", truncation },
	{ "any_data", any_data },
	{ "nonblocking", nonblocking },
	{ "blocking", blocking },
	{ "async", async },
	{ "select_poll", select_poll },
	{ "next_size", next_size },
	{ "errors", errors },
	{ "clone_lives", clone_lives },
	{ "never_reads", never_reads },
	{ "destroyed", destroyed },
};

/* --- hold ------------------------------------------------------------------
 */

static void
print_hex(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
	printf("\n");
}

static size_t
parse_hex(const char *s, uint8_t *out)
{
	size_t n = 0;
	unsigned int byte;

	while (n < FRAME_MAX && sscanf(s + 2 * n, "%2x", &byte) == 1)
		out[n++] = (uint8_t)byte;
	return n;
}

/*
 *   write HEX       "written N"
 *   read            the next frame in hex, "none" after the deadline, "end"
 *   find HEX        reads until a frame has that in it; the frame, or "none"
 *   flush           takes what there is: "flushed N"
 *   next            size of the next frame
 *   ifname          its present name
 *   drain FILE      appends every frame to FILE until the input says more
 */
static void
hold_line(int fd, char *line)
{
	static uint8_t buf[FRAME_MAX];
	char name[COAX_TAP_NAME_MAX] = "";
	char *arg = strchr(line, ' ');
	ssize_t n;
	int count = 0;

	line[strcspn(line, "\n")] = '\0';
	if (arg != NULL)
		*arg++ = '\0';
	if (strcmp(line, "write") == 0 && arg != NULL) {
		n = write(fd, buf, parse_hex(arg, buf));
		printf("written %zd\n", n);
	} else if (strcmp(line, "read") == 0) {
		if (!readable(fd, DEADLINE)) {
			printf("none\n");
			return;
		}
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			printf("end\n");
		else
			print_hex(buf, (size_t)n);
	} else if (strcmp(line, "find") == 0 && arg != NULL) {
		static uint8_t want[FRAME_MAX];
		size_t len = parse_hex(arg, want);

		while (readable(fd, DEADLINE)) {
			n = read(fd, buf, sizeof(buf));
			if (n <= 0)
				break;
			if (memmem(buf, (size_t)n, want, len) != NULL) {
				print_hex(buf, (size_t)n);
				return;
			}
		}
		printf("none\n");
	} else if (strcmp(line, "flush") == 0) {
		while (readable(fd, 0) && read(fd, buf, sizeof(buf)) > 0)
			count++;
		printf("flushed %d\n", count);
	} else if (strcmp(line, "next") == 0) {
		printf("%zd\n", coax_tap_next_size(fd));
	} else if (strcmp(line, "ifname") == 0) {
		CHECK(coax_tap_ifname(fd, name) == 0);
		printf("%s\n", name);
	} else {
		fprintf(stderr, "tap_helper: what is \"%s\"?\n", line);
		exit(1);
	}
}

/* "drain FILE": until there is more input. */
static void
drain(int fd, const char *file)
{
	static uint8_t buf[FRAME_MAX];
	struct pollfd p[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = 0, .events = POLLIN },
	};
	FILE *f = fopen(file, "w");

	CHECK(f != NULL);
	printf("draining\n");
	(void)fflush(stdout);
	for (;;) {
		CHECK(poll(p, 2, -1) > 0);
		if ((p[0].revents & POLLIN) != 0) {
			ssize_t n = read(fd, buf, sizeof(buf));

			if (n <= 0)
				break;
			for (ssize_t i = 0; i < n; i++)
				fprintf(f, "%02x", buf[i]);
			fprintf(f, "\n");
			(void)fflush(f);
		} else if (p[1].revents != 0) {
			break;
		}
	}
	(void)fclose(f);
}

static int
hold(const char *name)
{
	static char line[2 * FRAME_MAX + 100];
	char ifname[COAX_TAP_NAME_MAX];
	int fd = coax_tap_open(strcmp(name, "-") == 0 ? NULL : name, ifname);
	size_t len = 0;
	ssize_t n;

	if (fd < 0) {
		fprintf(
		    stderr, "tap_helper: %s: %s\n", name, strerrorname_np(-fd));
		return 1;
	}
	printf("name %s\n", ifname);
	(void)fflush(stdout);
	/* Unbuffered, so that poll(2) in drain() sees what is there. */
	while (len < sizeof(line) - 1 && (n = read(0, line + len, 1)) == 1) {
		if (line[len++] != '\n')
			continue;
		line[len] = '\0';
		len = 0;
		if (strcmp(line, "quit\n") == 0)
			break;
		if (strncmp(line, "drain ", 6) == 0) {
			line[strcspn(line, "\n")] = '\0';
			drain(fd, line + 6);
			continue;
		}
		hold_line(fd, line);
		(void)fflush(stdout);
	}
	return 0;
}

/* --- forward ---------------------------------------------------------------
 */

static int
forward(const char *na, const char *nb, const char *file)
{
	static uint8_t buf[FRAME_MAX];
	static char hex[2 * FRAME_MAX + 1];
	struct pollfd p[3] = {
		{ .fd = open_tap(na), .events = POLLIN },
		{ .fd = open_tap(nb), .events = POLLIN },
		{ .fd = 0, .events = POLLIN },
	};
	FILE *f = fopen(file, "w");

	CHECK(f != NULL);
	printf("name %s\n", na);
	(void)fflush(stdout);
	while (p[2].revents == 0) {
		CHECK(poll(p, 3, -1) > 0);
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if ((p[i].revents & POLLIN) == 0)
				continue;
			n = read(p[i].fd, buf, sizeof(buf));
			CHECK(n > 0);
			CHECK(write(p[1 - i].fd, buf, (size_t)n) == n);
			for (ssize_t k = 0; k < n; k++) {
				hex[2 * k] = "0123456789abcdef"[buf[k] >> 4];
				hex[2 * k + 1] =
				    "0123456789abcdef"[buf[k] & 15];
			}
			hex[2 * n] = '\0';
			fprintf(f, "%s\n", hex);
		}
	}
	CHECK(fclose(f) == 0);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "forward") == 0)
		return forward(argv[2], argv[3], argv[4]);
	if (argc == 3 && strcmp(argv[1], "hold") == 0)
		return hold(argv[2]);
	for (size_t i = 0;
	     argc == 4 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (strcmp(argv[1], scenarios[i].name) == 0) {
			scenarios[i].fn(argv[2], argv[3]);
			return 0;
		}
	fprintf(stderr,
	    "usage: tap_helper hold NAME | forward A B FILE | SCENARIO A B\n");
	return 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ring ports, and taps in their place, carry. Called by run-ports, which
 * has made the interfaces and the bridge.
 *
 *	ringport through SIZE SECONDS A B
 *		frames of SIZE bytes into port A, to a thousand addresses behind
 *		port B, as fast as they go, in one thread on processor 0. More
 *		than 1514 bytes are super-frames of TCP. Prints Mpps and GB/s of
 *		what arrived.
 *	ringport taps SIZE SECONDS A B
 *		the same with two taps and one address.
 *	ringport rtt SECONDS A B
 *		a frame to and fro, one at a time, between two processes on
 *		processor 0. Prints median and 99th percentile in microseconds.
 *	ringport hold COUNT
 *		COUNT new ports, until standard input ends; prints "ready".
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <coax/port.h>
#include <coax/tap.h>

#define SAMPLES   200000u
#define ADDRESSES 1000u /* as the limit of ringloop has it */
#define MSS       1448

static unsigned char frame[COAX_FRAME_MAX + 1];
static const unsigned char mac_a[6] = { 2, 0, 0, 0, 0, 0xa };
static const unsigned char mac_b[6] = { 2, 0, 0, 0, 0, 0xb };

static void __attribute__((noreturn)) die(const char *what, int err)
{
	(void)fprintf(stderr, "ringport: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static double
now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A frame of @len bytes to @to; a long one is TCP over IPv4. */
static struct coax_frame
make(unsigned char *at, const unsigned char *to, uint32_t len)
{
	struct coax_frame f = { .data = at, .len = len };

	memset(at, 0, len < 64 ? len : 64);
	memcpy(at, to, 6);
	memcpy(at + 6, to == mac_b ? mac_a : mac_b, 6);
	memcpy(at + 12, "\x88\xb5", 2);
	if (len <= 1514)
		return f;
	memcpy(at + 12, "\x08\x00\x45", 3);
	at[16] = (unsigned char)((len - 14) >> 8);
	at[17] = (unsigned char)(len - 14);
	at[22] = 64;
	at[23] = 6;
	memcpy(at + 26, "\x0a\0\0\1\x0a\0\0\2", 8);
	at[46] = 0x50;
	at[47] = 0x10;
	f.offload = (struct coax_offload){
		.flags = COAX_OFFLOAD_CSUM_PARTIAL,
		.gso_type = COAX_GSO_TCPV4,
		.hdr_len = 54,
		.gso_size = MSS,
		.csum_start = 34,
		.csum_offset = 16,
	};
	return f;
}

static struct coax_port *
open_port(const char *name, unsigned int flags)
{
	struct coax_port_options o = { .flags = flags };
	struct coax_port *p;
	int err = coax_port_open(name, &o, &p);

	if (err < 0)
		die(name, err);
	return p;
}

static void
number(unsigned char *mac, unsigned int i)
{
	mac[3] = (unsigned char)(i >> 8);
	mac[4] = (unsigned char)i;
}

/* The bridge learns what is behind B. */
static void
introduce(struct coax_port *a, struct coax_port *b)
{
	struct coax_frame f = make(frame, mac_a, 60), got[COAX_BATCH_MAX];

	for (unsigned int i = 0; i < ADDRESSES; i++) {
		int n;

		number(frame + 6, i);
		n = coax_port_send(b, &f, 1, 5000);
		if (n == 1)
			n = coax_port_recv(a, got, COAX_BATCH_MAX, 5000);
		if (n <= 0)
			die("the bridge does not forward",
			    n < 0 ? n : -ETIMEDOUT);
	}
}

static void
result(uint64_t frames, uint64_t bytes, double seconds)
{
	(void)printf("%.4f %.4f\n", (double)frames / seconds / 1e6,
	    (double)bytes / seconds / 1e9);
}

static int
through(uint32_t len, double seconds, const char *name_a, const char *name_b)
{
	unsigned int take =
	    len > 1514 ? COAX_PORT_RX_CSUM | COAX_PORT_RX_TSO4 : 0;
	struct coax_port *a = open_port(name_a, 0);
	struct coax_port *b = open_port(name_b, take);
	struct coax_frame out[COAX_BATCH_MAX], in[COAX_BATCH_MAX];
	static unsigned char small[COAX_BATCH_MAX][1600]; /* not all in a set */
	uint64_t frames = 0, bytes = 0, sum = 0;
	unsigned int next = 0;
	double begin, end;

	introduce(a, b);
	pin(0);
	for (int i = 0; i < COAX_BATCH_MAX; i++)
		out[i] = make(len > 1514 ? frame : small[i], mac_b, len);
	begin = now_s();
	do {
		for (int i = 0; i < 64; i++) {
			int n;

			for (int k = 0; k < COAX_BATCH_MAX; k++) {
				next = next + 1 < ADDRESSES ? next + 1 : 0;
				number(out[k].data, next);
			}
			n = coax_port_send(a, out, COAX_BATCH_MAX, 0);
			if (n < 0)
				die("send", n);
			n = coax_port_recv(b, in, COAX_BATCH_MAX, 0);
			if (n < 0)
				die("recv", n);
			frames += (uint64_t)n;
			for (int k = 0; k < n; k++) {
				bytes += in[k].len;
				sum += *(const unsigned char *)in[k].data;
			}
		}
		end = now_s();
	} while (end - begin < seconds);
	if (sum != 2 * frames)
		die("frames that are not ours", -EBADMSG);
	result(frames, bytes, end - begin);
	coax_port_close(a);
	coax_port_close(b);
	return 0;
}

static int
open_tap(const char *name)
{
	int fd = coax_tap_open(name, NULL);

	if (fd < 0)
		die(name, fd);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die(name, -errno);
	return fd;
}

static int
taps(uint32_t len, double seconds, const char *name_a, const char *name_b)
{
	static unsigned char in[COAX_FRAME_MAX];
	int a = open_tap(name_a), b = open_tap(name_b);
	uint64_t frames = 0, bytes = 0;
	double begin, end;
	ssize_t n;

	(void)make(frame, mac_a, 60);
	if (write(b, frame, 60) != 60)
		die("write", -errno);
	do
		n = read(a, in, sizeof(in));
	while (n < 0 && errno == EAGAIN);
	(void)make(frame, mac_b, len < 1514 ? len : 1514);
	pin(0);
	begin = now_s();
	do {
		for (int i = 0; i < 64; i++)
			if (write(a, frame, len) < 0)
				break;
		for (int i = 0; i < 64; i++) {
			n = read(b, in, sizeof(in));
			if (n <= 0)
				break;
			frames++;
			bytes += (uint64_t)n;
		}
		end = now_s();
	} while (end - begin < seconds);
	result(frames, bytes, end - begin);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void __attribute__((noreturn)) echo(const char *name)
{
	struct coax_port *b = open_port(name, 0);
	struct coax_frame in[COAX_BATCH_MAX], f = make(frame, mac_a, 60);
	int n;

	pin(0);
	while ((n = coax_port_recv(b, in, COAX_BATCH_MAX, -1)) > 0) {
		while (n-- > 0)
			(void)coax_port_send(b, &f, 1, -1);
	}
	exit(n < 0);
}

static int
rtt(double seconds, const char *name_a, const char *name_b)
{
	double *us = calloc(SAMPLES, sizeof(*us)), begin = 0;
	struct coax_frame f, in[COAX_BATCH_MAX];
	struct coax_port *a;
	uint32_t n = 0;
	pid_t pid = fork();

	if (us == NULL)
		return 1;
	if (pid == 0)
		echo(name_b);
	pin(0);
	a = open_port(name_a, 0);
	f = make(frame, mac_b, 60);
	while (n < SAMPLES && (begin == 0 || now_s() - begin < seconds)) {
		double start = now_s();
		int got = coax_port_send(a, &f, 1, -1);

		if (got == 1)
			got = coax_port_recv(a, in, COAX_BATCH_MAX, 100);
		if (got < 0)
			die("rtt", got);
		if (got == 0)
			continue; /* the other one is not there yet */
		if (begin == 0)
			begin = now_s();
		us[n++] = (now_s() - start) * 1e6;
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	qsort(us, n, sizeof(*us), compare);
	(void)printf("%.2f %.2f\n", us[n / 2], us[n * 99 / 100]);
	return 0;
}

static int
hold(int count)
{
	char buf[16];

	for (int i = 0; i < count; i++)
		(void)open_port(NULL, 0);
	(void)puts("ready");
	(void)fflush(stdout);
	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		;
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "through") == 0)
		return through(
		    (uint32_t)atoi(argv[2]), atof(argv[3]), argv[4], argv[5]);
	if (argc == 6 && strcmp(argv[1], "taps") == 0)
		return taps(
		    (uint32_t)atoi(argv[2]), atof(argv[3]), argv[4], argv[5]);
	if (argc == 5 && strcmp(argv[1], "rtt") == 0)
		return rtt(atof(argv[2]), argv[3], argv[4]);
	if (argc == 3 && strcmp(argv[1], "hold") == 0)
		return hold(atoi(argv[2]));
	(void)fputs("usage: ringport through|taps SIZE SECONDS A B\n"
	            "       ringport rtt SECONDS A B\n"
	            "       ringport hold COUNT\n",
	    stderr);
	return 2;
}

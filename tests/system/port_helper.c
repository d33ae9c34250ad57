/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the system tests do with ring ports. Each scenario ends with 0, or with
 * 1 and a line on standard error that says what was not so.
 *
 *	port_helper hold [-q queues] NAME
 *		has the port, taking all offloads, until standard input ends;
 *		prints "ready NAME MAC MTU QUEUES"
 *	port_helper SCENARIO A B
 *		what a program can do with two ports on one bridge
 *	port_helper checksums PORT TAP FILE
 *		sends packets without sums from a port to a tap, and writes what
 *		it got to a pcap file; prints "tcp N udp N"
 *	port_helper datagrams PORT MAC COUNT
 *		sends UDP datagrams without sums to 192.0.2.2 and 2001:db8::2
 *	port_helper mute NAME
 *		opens it and prints "ready"; told on standard input that the
 *		daemon has gone, listens in its place without an answer, prints
 *		"mute", and waits until it is connected to a daemon again
 *	port_helper survive A B
 *		passes numbered frames from A to B, while B is connected, until
 *		it was told on standard input to stop; prints "ready", and at
 *		the end
 *		"sent N received N lost N repeated N connects N"
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <coax/port.h>
#include <coax/tap.h>

#define RX_ALL      (COAX_PORT_RX_CSUM | COAX_PORT_RX_TSO4 | COAX_PORT_RX_TSO6)
#define DEADLINE_MS 15000
#define DEMAND(expr)                                                 \
	do {                                                         \
		if (!(expr))                                         \
			die("line %d: not so: %s", __LINE__, #expr); \
	} while (0)

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("port_helper: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static struct coax_port *
open_port(const char *name, const struct coax_port_options *o)
{
	struct coax_port *p;
	int err = coax_port_open(name, o, &p);

	if (err < 0)
		die("%s: %s", name, strerror(-err));
	return p;
}

static double
now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned char bytes[COAX_FRAME_MAX + 1];

static const unsigned char to_b[6] = { 2, 0, 0, 0, 0, 0xb };
static const unsigned char to_a[6] = { 2, 0, 0, 0, 0, 0xa };

/* A plain frame of @len bytes; @mark is in its first bytes of payload. */
static struct coax_frame
plain(unsigned char *at, const unsigned char *to, uint32_t len, uint32_t mark)
{
	struct coax_frame f = { .data = at, .len = len };

	memcpy(at, to, 6);
	memcpy(at + 6, to == to_b ? to_a : to_b, 6);
	memcpy(at + 12, "\x88\xb5", 2);
	if (len >= 18)
		memcpy(at + 14, &mark, 4);
	for (uint32_t i = 18; i < len; i++)
		at[i] = (unsigned char)(i * 31 + mark);
	return f;
}

static void
send_one(struct coax_port *p, struct coax_frame f)
{
	DEMAND(coax_port_send(p, &f, 1, DEADLINE_MS) == 1);
}

static uint32_t
sum_bytes(uint32_t sum, const unsigned char *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void
put16(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

/* The bridge learns where both are, so that later frames go one way. */
static void
introduce(struct coax_port *a, struct coax_port *b)
{
	struct coax_frame f[COAX_BATCH_MAX];

	send_one(a, plain(bytes, to_b, 60, 0));
	DEMAND(coax_port_recv(b, f, COAX_BATCH_MAX, DEADLINE_MS) == 1);
	send_one(b, plain(bytes, to_a, 60, 0));
	DEMAND(coax_port_recv(a, f, COAX_BATCH_MAX, DEADLINE_MS) == 1);
}

/* --- hold ------------------------------------------------------------------
 */

static int
hold(const char *name, unsigned int queues)
{
	struct coax_port_options o = { .queues = queues, .flags = RX_ALL };
	struct coax_port *port = open_port(name, &o);
	struct coax_port_info info;
	char buf[64];

	coax_port_get_info(port, &info);
	(void)printf("ready %s %02x:%02x:%02x:%02x:%02x:%02x %u %u\n",
	    info.name, info.mac[0], info.mac[1], info.mac[2], info.mac[3],
	    info.mac[4], info.mac[5], info.mtu, info.queues);
	(void)fflush(stdout);
	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		;
	coax_port_close(port);
	return 0;
}

/* --- scenarios -------------------------------------------------------------
 */

/* Frames of every length up to the MTU's arrive whole and in order, both ways,
 * also over the ends of the rings. */
static void
sizes(struct coax_port *a, struct coax_port *b)
{
	static const uint32_t lens[] = { 14, 15, 17, 18, 59, 60, 64, 1514, 2047,
		4095, 4096, 4097, 4110, 8191, 8192, 8193, 9014, 20000, 65534,
		65535 };
	struct coax_frame f[COAX_BATCH_MAX];

	for (uint32_t round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
			bool back = (round + i) % 2 != 0;
			struct coax_port *from = back ? b : a;
			struct coax_port *to = back ? a : b;
			struct coax_frame sent = plain(bytes,
			    back ? to_a : to_b, lens[i], round * 100 + i);

			send_one(from, sent);
			DEMAND(coax_port_recv(
			           to, f, COAX_BATCH_MAX, DEADLINE_MS) == 1);
			DEMAND(f[0].len == lens[i]);
			DEMAND(memcmp(f[0].data, bytes, lens[i]) == 0);
			DEMAND(f[0].offload.flags == 0);
		}
	}
}

static void
no_alarm(int sig)
{
	(void)sig;
}

/* Waiting: not at all, for a time, until a signal; and wrong arguments. */
static void
waiting(struct coax_port *a, struct coax_port *b)
{
	struct itimerval soon = { .it_value.tv_usec = 50000 };
	struct sigaction sa = { .sa_handler = no_alarm };
	struct coax_frame f[COAX_BATCH_MAX], one = plain(bytes, to_b, 60, 1);
	double begin = now_s();
	struct coax_port *none;

	DEMAND(coax_port_recv(b, f, COAX_BATCH_MAX, 0) == 0);
	DEMAND(now_s() - begin < 5);
	begin = now_s();
	DEMAND(coax_port_recv(b, f, COAX_BATCH_MAX, 100) == 0);
	DEMAND(now_s() - begin >= 0.099);
	DEMAND(sigaction(SIGALRM, &sa, NULL) == 0);
	DEMAND(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	DEMAND(coax_port_recv(b, f, COAX_BATCH_MAX, -1) == -EINTR);

	DEMAND(coax_port_recv(b, f, 0, 0) == -EINVAL);
	DEMAND(coax_port_recv(b, f, COAX_BATCH_MAX + 1, 0) == -EINVAL);
	DEMAND(coax_port_send(a, &one, 0, 0) == -EINVAL);
	DEMAND(coax_port_send(a, f, COAX_BATCH_MAX + 1, 0) == -EINVAL);
	one.len = 13;
	DEMAND(coax_port_send(a, &one, 1, 0) == -EINVAL);
	one.len = 65536;
	DEMAND(coax_port_send(a, &one, 1, 0) == -EINVAL);
	one.len = 60;
	one.offload.gso_type = 3; /* UFO */
	DEMAND(coax_port_send(a, &one, 1, 0) == -EINVAL);
	one.offload.gso_type = COAX_GSO_TCPV4; /* and no size */
	DEMAND(coax_port_send(a, &one, 1, 0) == -EINVAL);
	DEMAND(coax_port_queue(a, 1) == NULL);
	DEMAND(coax_port_queue(a, 0) == a);
	DEMAND(coax_port_open("", NULL, &none) == -ENXIO);
	DEMAND(coax_port_drain(a, DEADLINE_MS) == 1);
}

/* The descriptor is readable exactly when there is something. */
static void
descriptor(struct coax_port *a, struct coax_port *b)
{
	struct coax_frame f[COAX_BATCH_MAX];
	struct pollfd p = { .events = POLLIN };
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(0);

	send_one(a, plain(bytes, to_b, 60, 1)); /* before it was asked for */
	while (coax_port_recv(b, f, 1, DEADLINE_MS) != 1)
		;
	send_one(a, plain(bytes, to_b, 60, 1));
	DEMAND(coax_port_drain(a, DEADLINE_MS) == 1);
	p.fd = coax_port_fd(b);
	DEMAND(p.fd >= 0 && coax_port_fd(b) == p.fd);
	DEMAND(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, p.fd, &ev) == 0);
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t n = 1 + i % 3, got = 0;

		if (i != 0) {
			for (uint32_t k = 0; k < n; k++)
				send_one(a, plain(bytes, to_b, 60, i));
		} else {
			n = 1;
		}
		while (got < n) {
			DEMAND(i % 2 != 0
			           ? poll(&p, 1, DEADLINE_MS) == 1
			           : epoll_wait(ep, &ev, 1, DEADLINE_MS) == 1);
			for (;;) {
				int r = coax_port_recv(b, f, COAX_BATCH_MAX, 0);

				DEMAND(r >= 0);
				if (r == 0)
					break;
				got += (uint32_t)r;
			}
		}
		DEMAND(got == n);
		DEMAND(poll(&p, 1, 0) == 0);
	}
	(void)close(ep);
}

/* A TCP packet of @payload bytes over IPv4 or IPv6, its sum left out. */
static struct coax_frame
tcp(unsigned char *at, int v6, uint32_t payload, uint16_t mss)
{
	uint32_t l4 = v6 ? 54 : 34, len = l4 + 20 + payload;
	struct coax_frame f = {
		.data = at,
		.len = len,
		.offload = {
			.flags = COAX_OFFLOAD_CSUM_PARTIAL,
			.csum_start = (uint16_t)l4,
			.csum_offset = 16,
			.hdr_len = (uint16_t)(l4 + 20),
			.gso_size = mss,
			.gso_type = mss == 0 ? COAX_GSO_NONE
			            : v6     ? COAX_GSO_TCPV6
			                     : COAX_GSO_TCPV4,
		},
	};
	uint32_t ip_len = v6 ? len - 54 : len - 14;

	memset(at, 0, l4 + 20);
	memcpy(at, to_b, 6);
	memcpy(at + 6, to_a, 6);
	memcpy(at + 12, v6 ? "\x86\xdd" : "\x08\0", 2);
	if (v6) {
		at[14] = 0x60;
		at[18] = (unsigned char)(ip_len >> 8);
		at[19] = (unsigned char)ip_len;
		at[20] = 6;
		at[21] = 64;
		at[22] = at[38] = 0x20;
		at[37] = 1;
		at[53] = 2;
	} else {
		at[14] = 0x45;
		at[16] = (unsigned char)(ip_len >> 8);
		at[17] = (unsigned char)ip_len;
		at[22] = 64;
		at[23] = 6;
		memcpy(at + 26, "\x0a\0\0\1\x0a\0\0\2", 8);
	}
	at[l4 + 12] = 0x50;
	at[l4 + 13] = 0x10;
	for (uint32_t i = 0; i < payload; i++)
		at[l4 + 20 + i] = (unsigned char)(i * 13 + payload);
	return f;
}

/* The sum of a TCP packet as a receiver makes it: 0 if it is right. */
static uint32_t
tcp_sum(const unsigned char *p, int v6, uint32_t len)
{
	uint32_t l4 = v6 ? 54 : 34, n = len - l4;
	uint32_t sum = 6 + n;

	for (uint32_t i = v6 ? 22 : 26; i < l4; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)p[l4 + i] << 8 : p[l4 + i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum ^ 0xffff;
}

/* B takes all offloads: what A leaves undone arrives so, with its record. */
static void
offloads(struct coax_port *a, struct coax_port *b)
{
	struct coax_frame f[COAX_BATCH_MAX], sent;

	for (int i = 0; i < 60; i++) {
		int v6 = i % 2;
		uint32_t l4 = v6 ? 54 : 34;
		uint32_t payload = 100 + (uint32_t)i * 1000;
		uint16_t mss = payload > 1400 ? 1400 : 0;
		uint32_t at = l4 + 20;

		sent = tcp(bytes, v6, payload, mss);
		if (sent.len > COAX_FRAME_MAX)
			break;
		send_one(a, sent);
		DEMAND(coax_port_recv(b, f, COAX_BATCH_MAX, DEADLINE_MS) == 1);
		DEMAND(f[0].len == sent.len);
		DEMAND(memcmp(f[0].data, bytes, l4 + 16) == 0);
		DEMAND(memcmp((unsigned char *)f[0].data + at, bytes + at,
		           sent.len - at) == 0);
		DEMAND(f[0].offload.flags == COAX_OFFLOAD_CSUM_PARTIAL);
		DEMAND(f[0].offload.csum_start == l4);
		DEMAND(f[0].offload.csum_offset == 16);
		DEMAND(f[0].offload.gso_type == sent.offload.gso_type);
		DEMAND(f[0].offload.gso_size == mss);
		DEMAND(f[0].offload.hdr_len == at);
	}
	/* One that was checked says so. */
	sent = tcp(bytes, 0, 100, 0);
	sent.offload = (struct coax_offload){
		.flags = COAX_OFFLOAD_CSUM_VALID,
	};
	send_one(a, sent);
	DEMAND(coax_port_recv(b, f, COAX_BATCH_MAX, DEADLINE_MS) == 1);
	DEMAND(f[0].offload.flags == COAX_OFFLOAD_CSUM_VALID);
}

/* B takes none: everything arrives done. */
static void
no_offloads(struct coax_port *a, struct coax_port *b)
{
	struct coax_frame f[COAX_BATCH_MAX];

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t l4 = v6 ? 54 : 34, got = 0;

		send_one(a, tcp(bytes, v6, 10000, 1400));
		while (got < 10000) {
			int n =
			    coax_port_recv(b, f, COAX_BATCH_MAX, DEADLINE_MS);

			DEMAND(n > 0);
			for (int i = 0; i < n; i++) {
				uint32_t len = f[i].len - l4 - 20;

				DEMAND(f[i].offload.flags == 0);
				DEMAND(f[i].offload.gso_type == 0);
				DEMAND(len <= 1400);
				DEMAND(tcp_sum(f[i].data, v6, f[i].len) == 0);
				DEMAND(
				    memcmp((unsigned char *)f[i].data + l4 + 20,
				        bytes + l4 + 20 + got, len) == 0);
				got += len;
			}
		}
		DEMAND(got == 10000);
	}
}

/* A record of virtio's may speak of a sum that is not the packet's own: that of
 * a packet inside. It is made, and the outer one, which is there (or is none),
 * stays. Wrong records are refused. */
static void
records(struct coax_port *a, struct coax_port *b)
{
	static const struct {
		int start, offset; /* from where they should be */
	} wrong[] = {
		{ 0, 1 },       /* odd */
		{ 0, 1000 },    /* behind the end */
		{ 60000, 0 },   /* all of it */
		{ -50 - 2, 0 }, /* in the outer header */
		{ -50, 8 },     /* the outer one's, elsewhere in it */
	};
	uint32_t inner = 14 + 20 + 8 + 8 + 14 + 20, len = inner + 8 + 33;
	struct coax_frame f[COAX_BATCH_MAX], sent = { .data = bytes };
	unsigned char *ip = bytes + 14, *in = bytes + inner - 20;
	const unsigned char *got;

	sent.len = len;
	sent.offload.flags = COAX_OFFLOAD_CSUM_PARTIAL;
	for (int outer_sum = 0; outer_sum < 2; outer_sum++) {
		memset(bytes, 0, len);
		memcpy(bytes, to_b, 6);
		memcpy(bytes + 6, to_a, 6);
		memcpy(bytes + 12, "\x08\0\x45", 3);
		put16(ip + 2, len - 14);
		memcpy(ip + 8, "\x40\x11", 2);
		memcpy(ip + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
		put16(ip + 22, 4789);
		put16(ip + 24, len - 34);
		put16(ip + 26, outer_sum ? 0x1234 : 0);
		memcpy(in - 2, "\x08\0\x45", 3);
		put16(in + 2, len - inner + 20);
		memcpy(in + 8, "\x40\x11", 2);
		memcpy(in + 12, "\xc0\0\2\1\xc0\0\2\2", 8);
		put16(in + 24, len - inner);
		memset(bytes + inner + 8, 0xaa, 33);
		/* The seed, as who leaves a sum out writes it. */
		put16(in + 26, sum_bytes(17 + len - inner, in + 12, 8));
		sent.offload.csum_start = (uint16_t)inner;
		sent.offload.csum_offset = 6;
		send_one(a, sent);
		DEMAND(coax_port_recv(b, f, COAX_BATCH_MAX, DEADLINE_MS) == 1);
		got = f[0].data;
		DEMAND(f[0].len == len && f[0].offload.flags == 0);
		DEMAND(memcmp(got, bytes, inner + 6) == 0);
		DEMAND(sum_bytes(sum_bytes(17 + len - inner, in + 12, 8),
		           got + inner, len - inner) == 0xffff);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		sent.offload.csum_start =
		    (uint16_t)((int)inner + wrong[i].start);
		sent.offload.csum_offset = (uint16_t)(6 + wrong[i].offset);
		DEMAND(coax_port_send(a, &sent, 1, 0) == -EINVAL);
	}
	/* What is before a wrong one goes. */
	f[0] = plain(bytes + 200, to_b, 60, 1);
	f[1] = sent;
	DEMAND(coax_port_send(a, f, 2, DEADLINE_MS) == 1);
	DEMAND(coax_port_recv(b, f, COAX_BATCH_MAX, DEADLINE_MS) == 1);
	/* A super-frame has no sum but TCP's. */
	sent = tcp(bytes, 0, 10000, 1400);
	sent.offload.csum_offset = 6;
	DEMAND(coax_port_send(a, &sent, 1, 0) == -EINVAL);
}

/* A ring that nobody empties is full, and says so; then it goes on. */
static void
back_pressure(struct coax_port *a, struct coax_port *b)
{
	struct coax_frame f[COAX_BATCH_MAX];
	struct coax_port_stats st;
	int n;

	for (int i = 0; i < COAX_BATCH_MAX; i++)
		f[i] = plain(bytes, to_b, 1000, 7);
	/* The daemon empties it all the time: whatever happens, each call says
	 * how many it took. */
	for (int round = 0; round < 1000; round++) {
		n = coax_port_send(a, f, COAX_BATCH_MAX, 0);
		DEMAND(n >= 0 && n <= COAX_BATCH_MAX);
		n = coax_port_send(a, f, COAX_BATCH_MAX, DEADLINE_MS);
		DEMAND(n == COAX_BATCH_MAX);
	}
	DEMAND(coax_port_drain(a, DEADLINE_MS) == 1);
	coax_port_get_stats(a, &st);
	DEMAND(st.refused == 0 && st.sent >= 64000);
	do
		n = coax_port_recv(b, f, COAX_BATCH_MAX, 200);
	while (n > 0);
	DEMAND(n == 0);
}

/* --- several queues --------------------------------------------------------
 */

#define FLOWS      32
#define FLOW_FIRST 0x20u /* last byte of the first one's source address */
#define EACH       2000

struct worker {
	struct coax_port *port;
	pthread_t thread;
	uint32_t received;
	uint32_t next[FLOWS]; /* number expected of each flow */
	int err;
};

static void *
receive_all(void *arg)
{
	struct worker *w = arg;
	struct coax_frame f[COAX_BATCH_MAX];
	int n;

	while ((n = coax_port_recv(w->port, f, COAX_BATCH_MAX, 1000)) > 0) {
		for (int i = 0; i < n; i++) {
			const unsigned char *p = f[i].data;
			uint32_t flow = p[11] - FLOW_FIRST, number;

			if (memcmp(p + 12, "\x88\xb5", 2) != 0)
				continue; /* some host's */
			memcpy(&number, p + 14, 4);
			if (flow >= FLOWS || number < w->next[flow])
				w->err = 1; /* out of order */
			else
				w->next[flow] = number + 1;
			w->received++;
		}
	}
	if (n < 0)
		w->err = -n;
	return NULL;
}

/* B has four queues, each with a thread: every flow is on one of them, in
 * order, and more than one is used. */
static int
queues(const char *name_a, const char *name_b)
{
	struct coax_port_options four = { .queues = 4 };
	struct coax_port *a = open_port(name_a, NULL);
	struct coax_port *b = open_port(name_b, &four);
	struct worker w[4] = { 0 };
	struct coax_port_stats st;
	uint32_t used = 0, total = 0;

	for (unsigned int i = 0; i < 4; i++) {
		w[i].port = coax_port_queue(b, i);
		DEMAND(w[i].port != NULL);
	}
	DEMAND(coax_port_queue(b, 4) == NULL);
	for (int i = 0; i < 4; i++)
		DEMAND(pthread_create(&w[i].thread, NULL, receive_all, &w[i]) ==
		       0);
	for (uint32_t k = 0; k < EACH; k++) {
		for (uint32_t flow = 0; flow < FLOWS; flow++) {
			struct coax_frame f = plain(bytes, to_b, 60, k);

			bytes[11] = (unsigned char)(FLOW_FIRST + flow);
			send_one(a, f);
		}
		/* Not faster than four threads on a busy machine take it. */
		DEMAND(coax_port_drain(a, DEADLINE_MS) == 1);
	}
	for (int i = 0; i < 4; i++) {
		DEMAND(pthread_join(w[i].thread, NULL) == 0);
		DEMAND(w[i].err == 0);
		used += w[i].received != 0;
		total += w[i].received;
		coax_port_get_stats(w[i].port, &st);
		DEMAND(st.received == w[i].received && st.damaged == 0);
	}
	DEMAND(used > 1);
	for (uint32_t flow = 0; flow < FLOWS; flow++) {
		uint32_t on = 0;

		for (int i = 0; i < 4; i++)
			on += w[i].next[flow] != 0;
		DEMAND(on == 1);
	}
	(void)printf(
	    "received %u of %u on %u queues\n", total, EACH * FLOWS, used);
	DEMAND(total > EACH * FLOWS / 2);
	coax_port_close(a);
	coax_port_close(b);
	return 0;
}

/* --- sums, for others to judge ---------------------------------------------
 */

struct shape {
	int v6, udp;
	uint32_t tags;
	uint32_t options; /* words of IPv4's, or an extension header if any */
	uint32_t payload;
};

/* A packet without its transport sum; an IPv4 header has its own. Where the
 * transport header is goes to @l4. */
static struct coax_frame
shaped(unsigned char *at, const struct shape *s, uint32_t *l4)
{
	uint32_t l3 = 14 + 4 * s->tags, hdr, body, n;
	unsigned char *ip;

	memset(at, 0, 200);
	memcpy(at, to_b, 6);
	memcpy(at + 6, to_a, 6);
	for (uint32_t i = 0; i < s->tags; i++)
		memcpy(at + 12 + 4 * i, "\x81\0\0\7", 4);
	memcpy(at + l3 - 2, s->v6 ? "\x86\xdd" : "\x08\0", 2);
	ip = at + l3;
	body = (s->udp ? 8 : 20) + s->payload;
	if (s->v6) {
		hdr = 40 + (s->options != 0 ? 8 : 0);
		ip[0] = 0x60;
		put16(ip + 4, hdr - 40 + body);
		ip[6] = s->udp ? 17 : 6;
		ip[7] = 64;
		memcpy(ip + 8, "\x20\1\xd\xb8", 4);
		memcpy(ip + 24, "\x20\1\xd\xb8", 4);
		ip[23] = 1;
		ip[39] = 2;
		if (s->options != 0) { /* destination options: padding */
			ip[40] = ip[6];
			ip[6] = 60;
			ip[42] = 1;
			ip[43] = 4;
		}
	} else {
		hdr = 20 + 4 * s->options;
		ip[0] = (unsigned char)(0x45 + s->options);
		put16(ip + 2, hdr + body);
		put16(ip + 4, 0x77);
		ip[8] = 64;
		ip[9] = s->udp ? 17 : 6;
		memcpy(ip + 12, "\xc0\0\2\1\xc0\0\2\2", 8);
		memset(ip + 20, 1, 4 * s->options);
		put16(ip + 10, sum_bytes(0, ip, hdr) ^ 0xffff);
	}
	*l4 = l3 + hdr;
	put16(at + *l4, 4711);
	put16(at + *l4 + 2, 4712);
	if (s->udp) {
		put16(at + *l4 + 4, body);
	} else {
		at[*l4 + 12] = 0x50;
		at[*l4 + 13] = 0x18;
	}
	n = *l4 + (s->udp ? 8 : 20);
	for (uint32_t i = 0; i < s->payload; i++)
		at[n + i] = (unsigned char)(i * 7 + s->payload);
	return (struct coax_frame){
		.data = at,
		.len = n + s->payload,
		.offload = {
			.flags = COAX_OFFLOAD_CSUM_PARTIAL,
			.csum_start = (uint16_t)*l4,
			.csum_offset = s->udp ? 6 : 16,
		},
	};
}

/* Piece @i of @f, 512 bytes of transport each; 0: there is none. */
static uint32_t
piece(const struct coax_frame *f, int v6, uint32_t l4, uint32_t i,
    unsigned char *to)
{
	uint32_t total = f->len - l4, at = i * 512, len = total - at, n = l4;
	uint32_t l3 = 14;

	if (at >= total)
		return 0;
	if (len > 512)
		len = 512;
	memcpy(to, f->data, l4);
	if (v6) {
		put16(to + l3 + 4, 8 + len);
		memset(to + n, 0, 8);
		to[n] = to[l3 + 6];
		to[l3 + 6] = 44;
		put16(to + n + 2, at | (at + len < total));
		put16(to + n + 6, 0x99);
		n += 8;
	} else {
		put16(to + l3 + 2, l4 - l3 + len);
		put16(to + l3 + 6, at / 8 | (at + len < total ? 0x2000 : 0));
		put16(to + l3 + 10, 0);
		put16(to + l3 + 10, sum_bytes(0, to + l3, l4 - l3) ^ 0xffff);
	}
	memcpy(to + n, (const unsigned char *)f->data + l4 + at, len);
	return n + len;
}

/* Frames that a tap gets go to a pcap file. */
struct recorder {
	int tap;
	FILE *file;
	uint32_t frames;
};

static void
record(struct recorder *r, uint32_t want)
{
	static unsigned char in[COAX_FRAME_MAX];

	while (want-- > 0) {
		struct pollfd p = { .fd = r->tap, .events = POLLIN };
		uint32_t head[4] = { r->frames++, 0 };
		ssize_t n;

		DEMAND(poll(&p, 1, DEADLINE_MS) == 1);
		n = read(r->tap, in, sizeof(in));
		DEMAND(n > 0);
		head[2] = head[3] = (uint32_t)n;
		DEMAND(fwrite(head, sizeof(head), 1, r->file) == 1);
		DEMAND(fwrite(in, (size_t)n, 1, r->file) == 1);
	}
}

/* Packets of all kinds without their sums, through the bridge to a tap, which
 * takes no such thing; what it got is in FILE. Prints how many of TCP and UDP
 * are to have a sum there. */
static int
checksums(const char *port_name, const char *tap_name, const char *path)
{
	static const uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535,
		1 };
	static const uint32_t payloads[] = { 0, 1, 2, 99, 1000, 1400 };
	struct recorder r = { .tap = coax_tap_open(tap_name, NULL) };
	struct coax_port *port = open_port(port_name, NULL);
	static unsigned char buf[2048];
	uint32_t tcps = 0, udps = 0, l4;
	struct coax_frame f;

	DEMAND(r.tap >= 0);
	r.file = fopen(path, "w");
	DEMAND(r.file != NULL);
	DEMAND(fwrite(head, sizeof(head), 1, r.file) == 1);
	for (uint32_t i = 0; i < 2 * 2 * 3 * 2 * 6; i++) {
		struct shape s = {
			.v6 = i % 2 != 0,
			.udp = i / 2 % 2 != 0,
			.tags = i / 4 % 3,
			.options = i / 12 % 2 * 3,
			.payload = payloads[i / 24],
		};

		send_one(port, shaped(bytes, &s, &l4));
		tcps += !s.udp;
		udps += s.udp != 0;
		record(&r, 1);
	}
	/* Datagrams that span frames: with their sum, and without. */
	for (int i = 0; i < 4; i++) {
		struct shape s = { .v6 = i % 2, .udp = 1, .payload = 1400 };
		struct coax_frame p;
		uint32_t n = 0;

		f = shaped(bytes, &s, &l4);
		if (i < 2) { /* the sender makes it */
			uint32_t len = f.len - l4, from = s.v6 ? 22 : 26;
			uint32_t sum =
			    sum_bytes(17 + len, bytes + from, s.v6 ? 32 : 8);

			sum = sum_bytes(sum, bytes + l4, len) ^ 0xffff;
			put16(bytes + l4 + 6, sum != 0 ? sum : 0xffff);
			f.offload.flags = COAX_OFFLOAD_CSUM_VALID;
		}
		put16(bytes + 18, 0x100 + (uint32_t)i); /* v4: identification */
		p = f;
		p.data = buf;
		while ((p.len = piece(&f, s.v6, l4, n, buf)) != 0) {
			send_one(port, p);
			n++;
		}
		record(&r, n);
		udps++;
	}
	for (int v6 = 0; v6 < 2; v6++) { /* super-frames */
		send_one(port, tcp(bytes, v6, 10000, 1400));
		record(&r, 8);
		tcps += 8;
	}
	DEMAND(fclose(r.file) == 0);
	(void)printf("tcp %u udp %u\n", tcps, udps);
	coax_port_close(port);
	return 0;
}

/* --- a host at the other side ----------------------------------------------
 */

/* Sends COUNT UDP datagrams without sums, of IPv4 and IPv6 in turn, to the
 * host's address and port 4712; DST is the host's Ethernet address. */
static int
datagrams(const char *name, const char *dst, int count)
{
	struct coax_port *port = open_port(name, NULL);
	unsigned int mac[6];

	DEMAND(sscanf(dst, "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2],
	           &mac[3], &mac[4], &mac[5]) == 6);
	for (int i = 0; i < count; i++) {
		struct shape s = { .v6 = i % 2, .udp = 1, .payload = 100 };
		uint32_t l4;
		struct coax_frame f = shaped(bytes, &s, &l4);

		for (int k = 0; k < 6; k++)
			bytes[k] = (unsigned char)mac[k];
		send_one(port, f);
	}
	DEMAND(coax_port_drain(port, DEADLINE_MS) == 1);
	coax_port_close(port);
	return 0;
}

/* --- a daemon that goes and comes ------------------------------------------
 */

static int
survive(const char *name_a, const char *name_b)
{
	struct coax_port_options o = { .flags = COAX_PORT_MAKE };
	struct coax_port *a = open_port(name_a, &o);
	struct coax_port *b = open_port(name_b, &o);
	struct pollfd stop = { .fd = STDIN_FILENO, .events = POLLIN };
	struct coax_port_info info;
	struct coax_frame f[COAX_BATCH_MAX];
	uint32_t sent = 0, received = 0, next = 0, lost = 0, repeated = 0;
	double last = now_s();

	(void)printf("ready\n");
	(void)fflush(stdout);
	while (now_s() - last < 1) {
		int n;

		coax_port_get_info(b, &info);
		if (poll(&stop, 1, 0) == 0) {
			struct coax_frame one = plain(bytes, to_b, 60, sent);

			/* One at a time: what is on its way is little. */
			n = info.connected ? coax_port_send(a, &one, 1, 20) : 0;
			DEMAND(n >= 0);
			sent += (uint32_t)n;
			last = now_s();
		}
		n = coax_port_recv(b, f, COAX_BATCH_MAX, 20);
		DEMAND(n >= 0);
		for (int i = 0; i < n; i++) {
			const unsigned char *p = f[i].data;
			uint32_t number;

			if (memcmp(p + 12, "\x88\xb5", 2) != 0)
				continue; /* some host's */
			memcpy(&number, p + 14, 4);
			if (number < next) {
				repeated++;
				continue;
			}
			lost += number - next;
			next = number + 1;
			received++;
		}
	}
	coax_port_get_info(a, &info);
	lost += sent - next;
	(void)printf("sent %u received %u lost %u repeated %u connects %u\n",
	    sent, received, lost, repeated, info.connects);
	coax_port_close(a);
	coax_port_close(b);
	return 0;
}

/* --- a daemon that says nothing --------------------------------------------
 */

/* Listens at the path for whom nobody answers. */
static int
listen_at(const char *path, int backlog)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	DEMAND(fd >= 0 && strlen(path) < sizeof(sun.sun_path));
	memcpy(sun.sun_path, path, strlen(path) + 1);
	(void)unlink(path);
	DEMAND(bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	DEMAND(listen(fd, backlog) == 0);
	return fd;
}

/* Opening gives up when its time is over: when nobody accepts, and when there
 * is no place even to be accepted. */
static void
mute_open(const char *path, int backlog)
{
	struct coax_port_options o = {
		.socket = path,
		.timeout_ms = 200,
		.flags = COAX_PORT_MAKE,
	};
	struct coax_port *p;
	int fd = listen_at(path, backlog);
	int full[2] = { -1, -1 };

	for (int i = 0; backlog == 0 && i < 2; i++) {
		struct sockaddr_un sun;
		socklen_t len = sizeof(sun);

		DEMAND(getsockname(fd, (struct sockaddr *)&sun, &len) == 0);
		full[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(full[i], (struct sockaddr *)&sun, len);
	}
	for (int i = 0; i < 2; i++) {
		double begin = now_s();

		DEMAND(coax_port_open(NULL, &o, &p) == -ETIMEDOUT);
		DEMAND(now_s() - begin >= 0.19);
	}
	for (int i = 0; i < 2; i++) {
		if (full[i] >= 0)
			(void)close(full[i]);
	}
	(void)close(fd);
	(void)unlink(path);
}

/* The daemon has gone, and somebody listens in its place: each call keeps to
 * its time, and the port connects when there is a daemon again. */
static int
mute(const char *name)
{
	struct coax_port_options o = { .queues = 2, .flags = COAX_PORT_MAKE };
	const char *path = getenv("COAX_SOCKET");
	struct coax_port *a = open_port(name, &o);
	struct coax_frame f[COAX_BATCH_MAX];
	struct coax_port_info info;
	struct pollfd p = { .events = POLLIN };
	char line[8];
	int caller, err;

	/* Whatever waits for ever is ended. */
	(void)alarm(4 * DEADLINE_MS / 1000);
	DEMAND(path != NULL);
	(void)printf("ready\n");
	(void)fflush(stdout);
	DEMAND(read(STDIN_FILENO, line, sizeof(line)) > 0); /* it is gone */
	mute_open(path, 0);
	mute_open(path, 5);
	p.fd = listen_at(path, 5);
	(void)coax_port_fd(a);
	for (int i = 0; i < COAX_BATCH_MAX; i++)
		f[i] = plain(bytes, to_b, 60, 1);
	do /* until the ring is full */
		err = coax_port_send(a, f, COAX_BATCH_MAX, 0);
	while (err > 0);
	DEMAND(err == 0);
	do { /* until it has called, and is not answered */
		double begin = now_s();

		DEMAND(coax_port_recv(a, f, COAX_BATCH_MAX, 50) == 0);
		DEMAND(now_s() - begin >= 0.049);
		f[0] = plain(bytes, to_b, 60, 1);
		DEMAND(coax_port_send(a, f, 1, 50) == 0);
		DEMAND(coax_port_recv(
		           coax_port_queue(a, 1), f, COAX_BATCH_MAX, 0) == 0);
		DEMAND(coax_port_drain(a, 50) == 0);
		coax_port_get_info(a, &info);
		DEMAND(!info.connected);
	} while (poll(&p, 1, 0) == 0);
	caller = accept(p.fd, NULL, NULL);
	DEMAND(caller >= 0);
	for (int i = 0; i < 4; i++) /* heard, and still not answered */
		DEMAND(coax_port_recv(a, f, COAX_BATCH_MAX, 50) == 0);
	(void)close(caller);
	(void)close(p.fd);
	(void)unlink(path);
	(void)printf("mute\n");
	(void)fflush(stdout);
	/* By the descriptor alone, as a loop of events does it. */
	p.fd = coax_port_fd(a);
	do {
		DEMAND(poll(&p, 1, DEADLINE_MS) == 1);
		DEMAND(coax_port_recv(a, f, COAX_BATCH_MAX, 0) >= 0);
		coax_port_get_info(a, &info);
	} while (!info.connected);
	DEMAND(info.connects == 2);
	DEMAND(coax_port_drain(a, DEADLINE_MS) == 1);
	coax_port_close(a);
	return 0;
}

/* --- main ------------------------------------------------------------------
 */

static const struct scenario {
	const char *name;
	void (*run)(struct coax_port *a, struct coax_port *b);
	unsigned int flags; /* of B */
} scenarios[] = {
	{ "sizes", sizes, 0 },
	{ "waiting", waiting, 0 },
	{ "descriptor", descriptor, 0 },
	{ "offloads", offloads, RX_ALL },
	{ "no_offloads", no_offloads, 0 },
	{ "records", records, 0 },
	{ "back_pressure", back_pressure, 0 },
};

static int
usage(void)
{
	(void)fputs("usage: port_helper hold [-q queues] name\n"
	            "       port_helper scenario a b\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	unsigned int count = 1;
	int opt;

	if (argc < 3)
		return usage();
	optind = 2;
	/* Options behind the name, too: "hold xnb0 -q 2". */
	while ((opt = getopt(argc, argv, "q:")) != -1) {
		if (opt != 'q')
			return usage();
		count = (unsigned int)atoi(optarg);
	}
	if (strcmp(argv[1], "hold") == 0 && argc - optind == 1)
		return hold(argv[optind], count);
	if (strcmp(argv[1], "mute") == 0 && argc - optind == 1)
		return mute(argv[optind]);
	if (strcmp(argv[1], "checksums") == 0 && argc - optind == 3)
		return checksums(
		    argv[optind], argv[optind + 1], argv[optind + 2]);
	if (strcmp(argv[1], "datagrams") == 0 && argc - optind == 3)
		return datagrams(
		    argv[optind], argv[optind + 1], atoi(argv[optind + 2]));
	if (argc - optind != 2)
		return usage();
	if (strcmp(argv[1], "queues") == 0)
		return queues(argv[optind], argv[optind + 1]);
	if (strcmp(argv[1], "survive") == 0)
		return survive(argv[optind], argv[optind + 1]);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		const struct scenario *s = &scenarios[i];
		struct coax_port_options o = { .flags = s->flags };
		struct coax_port *a, *b;

		if (strcmp(argv[1], s->name) != 0)
			continue;
		a = open_port(argv[optind], NULL);
		b = open_port(argv[optind + 1], &o);
		introduce(a, b);
		s->run(a, b);
		coax_port_close(a);
		coax_port_close(b);
		return 0;
	}
	return usage();
}

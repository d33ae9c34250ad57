/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp: load and latency by small datagrams.
 *
 *   udp blast ADDRESS PORT BYTES MILLISECONDS   as fast as it goes
 *   udp sink PORT                               counts what arrives
 *   udp echo PORT                               sends it back
 *   udp ping ADDRESS PORT BYTES MILLISECONDS MICROSECONDS
 *                                   one after the other, so long between two
 *   udp probe ADDRESS PORT MILLISECONDS         until one answer; exit 1: none
 *   udp pace ADDRESS PORT COUNT PER_SECOND      numbered, evenly
 *   udp tally PORT                              which of those arrive
 *
 * sink, echo and tally print "ready" when they listen and work until SIGTERM.
 * Each prints its result as one JSON object.  blast and sink move 64 datagrams
 * a call, so that the switch, not they, is the limit as far as possible; a
 * sink's rate is that between its first and its last datagram.  18 bytes make a
 * 60-byte frame (64 with its check sequence).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST        64
#define BYTES_MAX    2048
#define SAMPLES_MAX  1000000u
#define RCVBUF       (8 << 20)
#define PROBE_MS     20
#define PING_MS      200 /* then a datagram counts as lost */
#define TALLY_MAX    4000000u
#define ANSWER_EVERY 100u
#define NS_PER_S     1000000000u

static volatile sig_atomic_t stopped;
static char data[BURST][BYTES_MAX];
static struct iovec iov[BURST];
static struct mmsghdr msgs[BURST];

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "udp: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t
after_ms(const char *ms)
{
	return now_ns() + strtoull(ms, NULL, 10) * 1000000u;
}

static void
on_term(int sig)
{
	(void)sig;
	stopped = 1;
}

static void
timeout(int s, int ms)
{
	struct timeval tv = { .tv_usec = ms * 1000 };

	if (setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0)
		fail("SO_RCVTIMEO");
}

static struct sockaddr_in
address(const char *ip, const char *port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
	};

	if (ip != NULL && inet_pton(AF_INET, ip, &sin.sin_addr) != 1) {
		errno = EINVAL;
		fail(ip);
	}
	return sin;
}

static int
client(const char *ip, const char *port)
{
	struct sockaddr_in sin = address(ip, port);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || connect(s, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		fail("connect");
	return s;
}

static int
server(const char *port)
{
	struct sockaddr_in sin = address(NULL, port);
	struct sigaction sa = { .sa_handler = on_term };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = RCVBUF;

	sigaction(SIGTERM, &sa, NULL);
	if (s < 0 || bind(s, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		fail("bind");
	/* Without privileges it stays smaller: for every switch alike. */
	if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	timeout(s, 100); /* a signal between check and call is seen then */
	printf("ready\n");
	fflush(stdout);
	return s;
}

static size_t
size_of(const char *bytes)
{
	size_t size = strtoul(bytes, NULL, 10);

	return size > BYTES_MAX ? BYTES_MAX : size;
}

static void
fill(size_t size)
{
	for (int i = 0; i < BURST; i++) {
		iov[i] = (struct iovec){ data[i], size };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

static int
blast(char **arg)
{
	int s = client(arg[0], arg[1]);
	uint64_t sent = 0, refused = 0, start = now_ns(), end;

	fill(size_of(arg[2]));
	end = after_ms(arg[3]);
	while (now_ns() < end) {
		int n = sendmmsg(s, msgs, BURST, 0);

		if (n > 0)
			sent += (uint64_t)n;
		else
			refused++;
	}
	printf("{\"sent\":%llu,\"refused\":%llu,\"ns\":%llu}\n",
	    (unsigned long long)sent, (unsigned long long)refused,
	    (unsigned long long)(now_ns() - start));
	return 0;
}

static int
sink(char **arg)
{
	int s = server(arg[0]);
	uint64_t count = 0, first = 0, last = 0;

	fill(BYTES_MAX);
	while (!stopped) {
		int n = recvmmsg(s, msgs, BURST, MSG_WAITFORONE, NULL);

		if (n <= 0)
			continue;
		last = now_ns();
		if (first == 0)
			first = last;
		count += (uint64_t)n;
	}
	printf("{\"received\":%llu,\"ns\":%llu}\n", (unsigned long long)count,
	    (unsigned long long)(last - first));
	return 0;
}

static void
put_u32(unsigned char *d, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		d[i] = (unsigned char)(v >> 8 * (3 - i));
}

static uint32_t
get_u32(const unsigned char *d)
{
	return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 |
	       (uint32_t)d[2] << 8 | d[3];
}

/* Every datagram has its number in its first four bytes, and when it was sent,
 * in microseconds since the first, in the next.  Late, it catches up. */
static int
pace(char **arg)
{
	int s = client(arg[0], arg[1]);
	uint64_t count = strtoull(arg[2], NULL, 10), refused = 0;
	uint64_t rate = strtoull(arg[3], NULL, 10), start = now_ns();

	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = start + i * NS_PER_S / rate;
		struct timespec ts = { (time_t)(at / NS_PER_S),
			(long)(at % NS_PER_S) };
		unsigned char d[18] = { 0 };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		put_u32(d, (uint32_t)i);
		put_u32(d + 4, (uint32_t)((now_ns() - start) / 1000));
		refused += send(s, d, sizeof(d), 0) < 0;
	}
	printf("{\"sent\":%llu,\"refused\":%llu}\n", (unsigned long long)count,
	    (unsigned long long)refused);
	return 0;
}

/* Says something when nothing comes, and now and then when it does, so that
 * switches know where it is.  Of the numbers up to the highest that came: how
 * many did not, the longest time between two sendings of which all between did
 * not and when it began, and how many came again. */
static int
tally(char **arg)
{
	int s = server(arg[0]);
	static uint32_t sent_us[TALLY_MAX]; /* 0: it did not come */
	struct sockaddr_in from = { 0 };
	socklen_t len = sizeof(from);
	uint32_t end = 0, lost = 0, gap_us = 0, at_us = 0, last_us = 1;
	uint32_t twice = 0;
	bool missing = false;

	while (!stopped) {
		unsigned char b[BYTES_MAX] = { 0 };
		ssize_t n = recvfrom(
		    s, b, sizeof(b), 0, (struct sockaddr *)&from, &len);
		uint32_t i = get_u32(b);

		if (n < 8) {
			if (from.sin_port != 0)
				(void)sendto(s, b, 4, 0,
				    (struct sockaddr *)&from, sizeof(from));
			continue;
		}
		if (i >= TALLY_MAX)
			continue;
		if (i % ANSWER_EVERY == 0)
			(void)sendto(s, b, 4, 0, (struct sockaddr *)&from, len);
		twice += sent_us[i] != 0;
		sent_us[i] = get_u32(b + 4) + 1;
		if (i >= end)
			end = i + 1;
	}
	for (uint32_t i = 0; i < end; i++) {
		if (sent_us[i] == 0) {
			lost++;
			missing = true;
			continue;
		}
		if (missing && sent_us[i] - last_us > gap_us) {
			gap_us = sent_us[i] - last_us;
			at_us = last_us;
		}
		missing = false;
		last_us = sent_us[i];
	}
	printf("{\"end\":%u,\"lost\":%u,\"gap_us\":%u,\"at_us\":%u,"
	       "\"twice\":%u}\n",
	    end, lost, gap_us, at_us, twice);
	return 0;
}

static int
echo(char **arg)
{
	int s = server(arg[0]);
	uint64_t count = 0;

	while (!stopped) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(
		    s, data[0], BYTES_MAX, 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			continue;
		count++;
		(void)sendto(
		    s, data[0], (size_t)n, 0, (struct sockaddr *)&from, len);
	}
	printf("{\"echoed\":%llu}\n", (unsigned long long)count);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
rest(uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static int
ping(char **arg)
{
	int s = client(arg[0], arg[1]);
	size_t size = size_of(arg[2]), n = 0;
	uint64_t end = after_ms(arg[3]), lost = 0;
	uint64_t pause_ns = strtoull(arg[4], NULL, 10) * 1000;
	uint32_t *ns = calloc(SAMPLES_MAX, sizeof(*ns));

	if (ns == NULL)
		fail("calloc");
	timeout(s, PING_MS);
	while (now_ns() < end && n < SAMPLES_MAX) {
		uint64_t start = now_ns();

		if (send(s, data[0], size, 0) >= 0 &&
		    recv(s, data[1], BYTES_MAX, 0) >= 0)
			ns[n++] = (uint32_t)(now_ns() - start);
		else
			lost++;
		if (pause_ns != 0)
			rest(pause_ns);
	}
	qsort(ns, n, sizeof(*ns), compare);
	printf("{\"count\":%zu,\"lost\":%llu,\"p50_ns\":%u,\"p99_ns\":%u}\n", n,
	    (unsigned long long)lost, n > 0 ? ns[n / 2] : 0,
	    n > 0 ? ns[n * 99 / 100] : 0);
	free(ns);
	return n == 0;
}

static int
probe(char **arg)
{
	int s = client(arg[0], arg[1]);
	uint64_t end = after_ms(arg[2]);

	timeout(s, PROBE_MS);
	while (now_ns() < end) {
		if (send(s, data[0], 1, 0) >= 0 &&
		    recv(s, data[1], BYTES_MAX, 0) >= 0)
			return 0;
		if (errno == ENETUNREACH || errno == ECONNREFUSED)
			usleep(PROBE_MS * 1000); /* no wait in the kernel */
	}
	return 1;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} commands[] = {
	{ "blast", 4, blast },
	{ "sink", 1, sink },
	{ "echo", 1, echo },
	{ "ping", 5, ping },
	{ "probe", 3, probe },
	{ "pace", 4, pace },
	{ "tally", 1, tally },
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc >= 2 && strcmp(argv[1], commands[i].name) == 0 &&
		    argc - 2 == commands[i].args)
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: udp blast ADDRESS PORT BYTES MILLISECONDS\n"
	                "       udp sink PORT\n"
	                "       udp echo PORT\n"
	                "       udp ping ADDRESS PORT BYTES MILLISECONDS "
	                "MICROSECONDS\n"
	                "       udp probe ADDRESS PORT MILLISECONDS\n"
	                "       udp pace ADDRESS PORT COUNT PER_SECOND\n"
	                "       udp tally PORT\n");
	return 2;
}

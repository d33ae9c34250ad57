/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this machine can do at best, to hold ring ports against.
 *
 *	ringloop ring SIZE SECONDS
 *		frames of SIZE bytes from a generator through a ring, a switch
 *		that looks up their address and copies them once, and another
 *		ring to a sink: generator and sink in one process on processor
 *		0, the switch in another on processor 1; rings of 1024 slots,
 *		batches of 32, a thousand addresses. No protocol, no check, no
 *		system call. Prints Mpps and GB/s.
 *	ringloop wake SECONDS
 *		two processes, one a processor, that wake each other by eventfd
 *		and epoll. Prints the round trip's median and 99th percentile in
 *		microseconds.
 */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE    64
#define BATCH   32u
#define SAMPLES 200000u

/* --- the ring --------------------------------------------------------------
 */

#define ADDRESSES 1000u
#define TABLE     4096u /* entries, a power of two */

struct ring {
	_Alignas(LINE) _Atomic uint32_t head; /* the producer's */
	_Alignas(LINE) _Atomic uint32_t tail; /* the consumer's */
	_Alignas(LINE) struct {
		uint32_t offset, len;
	} slot[1024];
};

struct shared {
	struct ring in, out;
	_Alignas(LINE) _Atomic int stop;
	_Atomic uint64_t received;
};

static struct shared *s;
static unsigned char *in_data, *out_data;
static uint32_t slots, slot_size, size;
static struct {
	uint64_t mac, port;
} table[TABLE]; /* by hash; 0: none */

static uint64_t
address(uint32_t i)
{
	return 0x020000000000u | ((uint64_t)i * 2654435761u & 0xffffffffu);
}

static uint32_t
place(uint64_t mac)
{
	return (uint32_t)((mac * 0x9e3779b97f4a7c15u) >> 52) & (TABLE - 1);
}

static void
table_fill(void)
{
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		uint32_t at = place(address(i));

		while (table[at].mac != 0)
			at = (at + 1) & (TABLE - 1);
		table[at].mac = address(i);
	}
}

static int
known(uint64_t mac)
{
	for (uint32_t at = place(mac); table[at].mac != 0;
	     at = (at + 1) & (TABLE - 1)) {
		if (table[at].mac == mac)
			return 1;
	}
	return 0;
}

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void
put_address(unsigned char *p, uint64_t mac)
{
	mac = __builtin_bswap64(mac << 16);
	memcpy(p, &mac, 6);
}

static uint64_t
get_address(const unsigned char *p)
{
	uint64_t mac;

	memcpy(&mac, p, sizeof(mac));
	return __builtin_bswap64(mac) >> 16;
}

/* A batch from the generator; how many there was room for. */
static uint32_t
generate(unsigned char *frame, uint32_t *next)
{
	uint32_t head = atomic_load_explicit(&s->in.head, memory_order_relaxed);
	uint32_t room = slots - (head - atomic_load_explicit(
	                                    &s->in.tail, memory_order_acquire));
	uint32_t n = room < BATCH ? room : BATCH;

	for (uint32_t i = 0; i < n; i++, head++) {
		uint32_t at = head & (slots - 1);

		put_address(frame, address(*next));
		*next = (*next + 1) % ADDRESSES;
		memcpy(in_data + (size_t)at * slot_size, frame, size);
		s->in.slot[at].offset = 0;
		s->in.slot[at].len = size;
	}
	atomic_store_explicit(&s->in.head, head, memory_order_release);
	return n;
}

static uint32_t
sink(uint64_t *sum)
{
	uint32_t tail =
	    atomic_load_explicit(&s->out.tail, memory_order_relaxed);
	uint32_t n =
	    atomic_load_explicit(&s->out.head, memory_order_acquire) - tail;

	n = n < BATCH ? n : BATCH;
	for (uint32_t i = 0; i < n; i++, tail++) {
		uint32_t at = tail & (slots - 1);

		*sum += get_address(out_data + (size_t)at * slot_size) +
		        s->out.slot[at].len;
	}
	atomic_store_explicit(&s->out.tail, tail, memory_order_release);
	return n;
}

/* Headers are copied first, and decided on; then each frame, once. */
static void
switch_batch(void)
{
	static unsigned char header[BATCH][LINE];
	uint32_t tail = atomic_load_explicit(&s->in.tail, memory_order_relaxed);
	uint32_t head =
	    atomic_load_explicit(&s->out.head, memory_order_relaxed);
	uint32_t n =
	    atomic_load_explicit(&s->in.head, memory_order_acquire) - tail;
	uint32_t room = slots - (head - atomic_load_explicit(&s->out.tail,
	                                    memory_order_acquire));
	uint32_t len[BATCH];

	n = n < BATCH ? n : BATCH;
	n = n < room ? n : room;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (tail + i) & (slots - 1);

		len[i] = s->in.slot[at].len;
		if (len[i] > slot_size)
			len[i] = slot_size;
		memcpy(header[i], in_data + (size_t)at * slot_size, LINE);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t from = (tail + i) & (slots - 1);
		uint32_t to = (head + i) & (slots - 1);
		unsigned char *p = out_data + (size_t)to * slot_size;

		if (!known(get_address(header[i])))
			abort();
		memcpy(p, header[i], LINE);
		if (len[i] > LINE)
			memcpy(p + LINE,
			    in_data + (size_t)from * slot_size + LINE,
			    len[i] - LINE);
		s->out.slot[to].len = len[i];
	}
	if (n == 0) {
		__builtin_ia32_pause();
		return;
	}
	atomic_store_explicit(&s->in.tail, tail + n, memory_order_release);
	atomic_store_explicit(&s->out.head, head + n, memory_order_release);
}

static double
now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *
map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED) {
		perror("ringloop: mmap");
		exit(1);
	}
	return p;
}

static int
ring(uint32_t bytes, double seconds)
{
	unsigned char *frame = calloc(1, bytes + LINE);
	uint64_t got = 0, sum = 0;
	uint32_t next = 0;
	double begin, end;
	pid_t pid;

	size = bytes;
	slot_size = bytes <= 2048 ? 2048 : bytes <= 16384 ? 16384 : 65536;
	slots = bytes <= 2048 ? 1024 : bytes <= 16384 ? 256 : 64;
	s = map(sizeof(*s));
	in_data = map((size_t)slots * slot_size);
	out_data = map((size_t)slots * slot_size);
	table_fill();
	pid = fork();
	if (pid == 0) {
		pin(1);
		while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
			for (int i = 0; i < 64; i++)
				switch_batch();
		}
		_exit(0);
	}
	pin(0);
	begin = now_s();
	do {
		for (int i = 0; i < 64; i++) {
			uint32_t n = generate(frame, &next);

			n += sink(&sum);
			if (n == 0)
				__builtin_ia32_pause();
		}
		end = now_s();
	} while (end - begin < seconds);
	atomic_store(&s->stop, 1);
	(void)waitpid(pid, NULL, 0);
	got = s->out.tail;
	/* 32 bits of frames: seconds are few. */
	(void)printf("%.4f %.4f\n", (double)got / (end - begin) / 1e6,
	    (double)got * bytes / (end - begin) / 1e9);
	return sum == 1; /* not to be optimised away */
}

/* --- waking ----------------------------------------------------------------
 */

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int
wait_on(int fd)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(0);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0) {
		perror("ringloop: epoll");
		exit(1);
	}
	return ep;
}

static void
wake(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		exit(1);
}

static void
sleep_on(int ep, int fd)
{
	struct epoll_event e;
	uint64_t n;

	(void)epoll_wait(ep, &e, 1, -1);
	if (read(fd, &n, sizeof(n)) < 0)
		exit(1);
}

static int
wakes(double seconds)
{
	int to = eventfd(0, EFD_NONBLOCK), back = eventfd(0, EFD_NONBLOCK);
	double *us = calloc(SAMPLES, sizeof(*us)), begin;
	uint32_t n = 0;
	pid_t pid = fork();
	int ep;

	if (pid == 0) {
		pin(1);
		ep = wait_on(to);
		for (;;) {
			sleep_on(ep, to);
			wake(back);
		}
	}
	pin(0);
	ep = wait_on(back);
	begin = now_s();
	while (n < SAMPLES && now_s() - begin < seconds) {
		double start = now_s();

		wake(to);
		sleep_on(ep, back);
		us[n++] = (now_s() - start) * 1e6;
	}
	(void)kill(pid, 9);
	(void)waitpid(pid, NULL, 0);
	qsort(us, n, sizeof(*us), compare);
	(void)printf("%.2f %.2f\n", us[n / 2], us[n * 99 / 100]);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "ring") == 0)
		return ring((uint32_t)atoi(argv[2]), atof(argv[3]));
	if (argc == 3 && strcmp(argv[1], "wake") == 0)
		return wakes(atof(argv[2]));
	(void)fputs("usage: ringloop ring SIZE SECONDS\n"
	            "       ringloop wake SECONDS\n",
	    stderr);
	return 2;
}

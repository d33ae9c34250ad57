/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Linux kernel as a second judge: a sample of super-frames is segmented by
 * the kernel and by coax, and the segments must be the same bytes.
 *
 * In a network namespace of its own, two taps are ports of a kernel bridge. A
 * super-frame is written to the first with its virtio_net_hdr and flooded to
 * the second, which takes no offloads: so the kernel has to segment it, and
 * the segments are read there. Skipped where the namespace, the taps or the
 * bridge cannot be had; the reason is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "frame/offload.h"
#include "frame_gen.h"

/* Debian 12's headers are older than its kernels may be. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define SAMPLES      200
#define SEGMENTS_MAX 32
#define DEADLINE_MS  5000
#define MSS_MAX      1200

static struct frame_pool *pool;
static int tap_in, tap_out;
static bool have_uso;
static struct frame *emitted[SEGMENTS_MAX + 1];
static uint32_t emitted_count;

static void
emit(void *arg, struct frame *f)
{
	(void)arg;
	assert_true(emitted_count < SEGMENTS_MAX);
	emitted[emitted_count++] = f;
}

static void
drop(void *arg, struct frame *f, enum drop_reason why)
{
	(void)arg;
	frame_release(f);
	fail_msg("dropped: %s", drop_info(why)->name);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Says why the kernel cannot be asked; -1. */
static int
unable(const char *what)
{
	print_message("# skip: no kernel to compare with: %s: %s\n", what,
	    strerror(errno));
	return -1;
}

static int
tap_open(const char *name, int flags)
{
	struct ifreq ifr = { 0 };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return unable("/dev/net/tun");
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		unable("TUNSETIFF");
		close(fd);
		return -1;
	}
	return fd;
}

static int
link_up(int sock, const char *name)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr) < 0)
		return -1;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &ifr);
}

static int
bridge_add(int sock, const char *port)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "br0");
	ifr.ifr_ifindex = (int)if_nametoindex(port);
	return ioctl(sock, SIOCBRADDIF, &ifr);
}

/* A bridge that forwards at once, without a time of learning. */
static int
bridge_make(int sock)
{
	unsigned long args[4] = { BRCTL_SET_BRIDGE_FORWARD_DELAY, 0, 0, 0 };
	struct ifreq ifr = { 0 };

	if (ioctl(sock, SIOCBRADDBR, "br0") < 0)
		return unable("SIOCBRADDBR");
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "br0");
	ifr.ifr_data = (void *)args;
	if (ioctl(sock, SIOCDEVPRIVATE, &ifr) < 0)
		return unable("BRCTL_SET_BRIDGE_FORWARD_DELAY");
	if (bridge_add(sock, "in") < 0 || bridge_add(sock, "out") < 0)
		return unable("SIOCBRADDIF");
	if (link_up(sock, "br0") < 0 || link_up(sock, "in") < 0 ||
	    link_up(sock, "out") < 0)
		return unable("SIOCSIFFLAGS");
	return 0;
}

static bool
tap_write(struct frame *f)
{
	struct iovec iov[2] = { { &f->off, sizeof(f->off) },
		{ f->data, f->len } };

	return writev(tap_in, iov, 2) == (ssize_t)(sizeof(f->off) + f->len);
}

/* The next frame with our source address; 0 when the deadline has passed. */
static ssize_t
tap_read(uint8_t *data, size_t size, const uint8_t *src, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd p = { .fd = tap_out, .events = POLLIN };
		int64_t left = deadline_ms - now_ms();
		ssize_t n = read(tap_out, data, size);

		if (n >= 14 && memcmp(data + 6, src, 6) == 0)
			return n;
		if (n >= 0)
			continue; /* the kernel's own */
		if (left <= 0)
			return 0;
		poll(&p, 1, (int)left);
	}
}

/* Ports begin to forward when the kernel has noticed their carrier. */
static int
wait_until_forwarding(void)
{
	static const uint8_t probe[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
		0x88, 0xb5 };
	struct frame *f = frame_alloc(pool, sizeof(probe));
	int64_t deadline = now_ms() + DEADLINE_MS;
	uint8_t got[2048];
	int err = -1;

	f->len = sizeof(probe);
	memcpy(f->data, probe, sizeof(probe));
	while (err != 0 && now_ms() < deadline) {
		(void)tap_write(f);
		if (tap_read(got, sizeof(got), probe + 6, now_ms() + 20) > 0)
			err = 0;
	}
	/* The others that were on their way. */
	while (tap_read(got, sizeof(got), probe + 6, now_ms() + 50) > 0)
		;
	frame_release(f);
	errno = ETIMEDOUT;
	return err == 0 ? 0 : unable("forwarding of a first frame");
}

static int
kernel_setup(void)
{
	struct frame_pool_options options = { .small_count = 256,
		.large_count = 4 };
	int sock;

	if (unshare(CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return unable("unshare");
	if ((tap_in = tap_open("in", IFF_VNET_HDR)) < 0 ||
	    (tap_out = tap_open("out", 0)) < 0)
		return -1;
	have_uso = ioctl(tap_in, TUNSETOFFLOAD,
	               TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6) == 0;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return unable("socket");
	if (bridge_make(sock) < 0) {
		close(sock);
		return -1;
	}
	close(sock);
	if (frame_pool_create(&options, &pool) < 0)
		return unable("frame_pool_create");
	return wait_until_forwarding();
}

/* The kernel has nothing more of a sample: the next frame is this one. */
static void
mark(const uint8_t *src, int number, int64_t deadline_ms)
{
	struct frame *f = frame_alloc(pool, 60);
	uint8_t got[2048];
	ssize_t n;

	assert_non_null(f);
	f->len = 60;
	memset(f->data, 0, f->len);
	f->data[0] = 2;
	f->data[5] = 1;
	memcpy(f->data + 6, src, 6);
	f->data[12] = 0x88;
	f->data[13] = 0xb5;
	f->data[59] = (uint8_t)number;
	assert_true(tap_write(f));
	n = tap_read(got, sizeof(got), src, deadline_ms);
	if (n != (ssize_t)f->len || memcmp(got, f->data, f->len) != 0)
		fail_msg(
		    "sample %d: another %zd bytes of the kernel's", number, n);
	frame_release(f);
}

static void
compare(const struct super *s, int number)
{
	struct offload_output out = { .emit = emit, .drop = drop };
	struct frame *f = frame_alloc(pool, s->len);
	int64_t deadline = now_ms() + DEADLINE_MS;
	enum drop_reason why;
	uint8_t got[2048];

	assert_non_null(f);
	f->len = s->len;
	memcpy(f->data, s->data, s->len);
	f->off.gso_type = s->proto == 17 ? FRAME_GSO_UDPL4
	                  : s->ip == 4   ? FRAME_GSO_TCPV4
	                                 : FRAME_GSO_TCPV6;
	f->off.gso_size = (uint16_t)s->mss;
	assert_int_equal(offload_check(f, &why), 0);
	if (!tap_write(f))
		fail_msg("sample %d: %s", number, strerror(errno));
	emitted_count = 0;
	offload_fit(f, &out);
	assert_int_equal(emitted_count, (s->payload + s->mss - 1) / s->mss);
	for (uint32_t i = 0; i < emitted_count; i++) {
		ssize_t n = tap_read(got, sizeof(got), s->data + 6, deadline);

		if ((uint32_t)n != emitted[i]->len)
			fail_msg("sample %d, segment %u of %u: kernel %zd "
			         "bytes, coax %u",
			    number, i, emitted_count, n, emitted[i]->len);
		for (uint32_t b = 0; b < emitted[i]->len; b++)
			if (got[b] != emitted[i]->data[b])
				fail_msg("sample %d, segment %u of %u: byte "
				         "%u is %02x in the kernel's, %02x in "
				         "ours (l3 %u, l4 %u)",
				    number, i, emitted_count, b, got[b],
				    emitted[i]->data[b], s->l3, s->l4);
		frame_release(emitted[i]);
	}
	mark(s->data + 6, number, deadline);
}

static void
test_kernel_segments_alike(void **state)
{
	const struct super_limits lim = {
		.tags_max = 1,
		.mss_max = MSS_MAX,
		.payload_max = 30000,
		.segments_max = SEGMENTS_MAX,
		.no_udp = !have_uso,
		.no_rare = true, /* the kernel refuses these */
	};
	static struct super s;
	struct prng g = prng_init(5);
	int compared = 0;

	(void)state;
	if (pool == NULL)
		skip();
	while (compared < SAMPLES) {
		super_make(&s, &g, &lim);
		if (s.payload <= s.mss)
			continue; /* an ordinary frame */
		compare(&s, compared++);
	}
	if (!have_uso)
		print_message("# this kernel has no USO: TCP only\n");
	frame_pool_destroy(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_segments_alike),
	};

	if (kernel_setup() < 0) {
		frame_pool_destroy(pool);
		pool = NULL;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

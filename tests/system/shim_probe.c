/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that knows nothing of coax: it opens /dev/tap and /dev/net/tun and
 * calls ioctl, and is not linked with libcoax. Run under "coax run" by
 * shim_test.sh. usage: shim_probe SCENARIO [ARG]
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if_arp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "coax/tap.h" /* the numbers of NetBSD's ioctls */

#define TIMEOUT_MS 10000

static int line_failed;

#define CHECK(what)                                                           \
	do {                                                                  \
		if (!(what)) {                                                \
			fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, \
			    #what, errno);                                    \
			line_failed = 1;                                      \
		}                                                             \
	} while (0)

/* The call fails with this errno. */
#define FAILS(want, call)                                                      \
	do {                                                                   \
		errno = 0;                                                     \
		long returned = (long)(call);                                  \
		if (returned != -1 || errno != (want)) {                       \
			fprintf(stderr, "line %d: %s: %ld, %s, not %s\n",      \
			    __LINE__, #call, returned, strerrorname_np(errno), \
			    #want);                                            \
			line_failed = 1;                                       \
		}                                                              \
	} while (0)

/* Flags that the compiler does not know: with FORTIFY it then calls __open_2
 * and its kin. */
static int
unknown(int flags)
{
	volatile int f = flags;

	return f;
}

static int
open_or_die(const char *path, int flags)
{
	int fd = open(path, unknown(flags));

	if (fd < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* A frame of @len bytes: to everybody, or from the first to the second. */
static void
make_frame(uint8_t *f, size_t len, uint8_t mark)
{
	memset(f, 0xff, 6);
	memcpy(f + 6, "\x02\x00\x00\x00\x00\x01", 6);
	f[12] = 0x88;
	f[13] = 0xb5;
	memset(f + 14, mark, len - 14);
}

static void
send_frame(int fd, size_t len, uint8_t mark)
{
	uint8_t f[2000];

	make_frame(f, len, mark);
	CHECK(write(fd, f, len) == (ssize_t)len);
}

static int
tun_try(int fd, const char *name, int flags, char got[IFNAMSIZ])
{
	struct ifreq ifr = { .ifr_flags = (short)flags };
	int n;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	n = ioctl(fd, TUNSETIFF, &ifr);
	if (got != NULL)
		memcpy(got, ifr.ifr_name, IFNAMSIZ);
	return n;
}

static int
tun_open(const char *name, int flags)
{
	int fd = open_or_die("/dev/net/tun", O_RDWR);

	CHECK(tun_try(fd, name, flags, NULL) == 0);
	return fd;
}

/* tap1, as NetBSD's device or (arg "tun") as Linux's. */
static int
open_tap1(const char *arg)
{
	if (strcmp(arg, "tun") == 0)
		return tun_open("tap1", IFF_TAP | IFF_NO_PI);
	return open_or_die("/dev/tap1", O_RDWR);
}

/* As the many programs do that keep a request in an int. */
static int __attribute__((noinline)) int_ioctl(int fd, int request, void *arg)
{
	return ioctl(fd, request, arg);
}

static bool
readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLIN) != 0;
}

static void
ifname_is(int fd, const char *name)
{
	struct ifreq ifr = { .ifr_name = "?" };

	CHECK(ioctl(fd, TAPGIFNAME, &ifr) == 0);
	memset(&ifr, 0, sizeof(ifr));
	CHECK(int_ioctl(fd, (int)TAPGIFNAME, &ifr) == 0);
	if (strcmp(ifr.ifr_name, name) != 0) {
		fprintf(stderr, "it is %s, not %s\n", ifr.ifr_name, name);
		line_failed = 1;
	}
}

/* --- /dev/tap ---------------------------------------------------------------
 */

static void
is_device(const char *path, unsigned int maj, unsigned int min)
{
	struct stat st = { .st_mode = 0 };
	struct stat64 st64 = { .st_mode = 0 };
	struct statx stx = { .stx_mode = 0 };

	CHECK(stat(path, &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(major(st.st_rdev) == maj && minor(st.st_rdev) == min);
	memset(&st, 0, sizeof(st));
	CHECK(lstat(path, &st) == 0 && S_ISCHR(st.st_mode));
	memset(&st, 0, sizeof(st));
	CHECK(fstatat(AT_FDCWD, path, &st, 0) == 0 && S_ISCHR(st.st_mode));
	CHECK(stat64(path, &st64) == 0 && S_ISCHR(st64.st_mode));
	memset(&st64, 0, sizeof(st64));
	CHECK(lstat64(path, &st64) == 0 && S_ISCHR(st64.st_mode));
	memset(&st64, 0, sizeof(st64));
	CHECK(fstatat64(AT_FDCWD, path, &st64, AT_SYMLINK_NOFOLLOW) == 0 &&
	      S_ISCHR(st64.st_mode));
	CHECK(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &stx) == 0 &&
	      S_ISCHR(stx.stx_mode) && stx.stx_rdev_major == maj &&
	      stx.stx_rdev_minor == min);
	CHECK(access(path, R_OK | W_OK) == 0);
	CHECK(access(path, F_OK) == 0);
	FAILS(EACCES, access(path, X_OK));
	FAILS(EINVAL, access(path, 64));
	CHECK(faccessat(AT_FDCWD, path, R_OK, 0) == 0);
	CHECK(euidaccess(path, W_OK) == 0);
	CHECK(eaccess(path, W_OK) == 0);
}

/* @fd is a tap that was opened just now; it is closed. */
static void
is_tap(int fd)
{
	struct ifreq ifr = { .ifr_name = "?" };

	CHECK(fd >= 0);
	CHECK(ioctl(fd, TAPGIFNAME, &ifr) == 0);
	CHECK(strncmp(ifr.ifr_name, "tap", 3) == 0);
	close(fd);
}

/* What programs call that were linked with other headers. */
static void
old_names(void)
{
	static const char *const opens[] = { "__open", "__open64" };
	static const char *const stats[] = { "__xstat", "__xstat64", "__lxstat",
		"__lxstat64" };
	static const char *const fstatats[] = { "__fxstatat", "__fxstatat64" };
	struct stat64 st; /* the size of either, here */

	for (size_t i = 0; i < 2; i++) {
		int (*f)(const char *, int, ...);

		*(void **)&f = dlsym(RTLD_DEFAULT, opens[i]);
		CHECK(f != NULL);
		is_tap(f("/dev/tap", O_RDWR));
		int fd = f("/dev/null", O_RDWR);
		CHECK(fd >= 0);
		close(fd);
	}
	for (size_t i = 0; i < 4; i++) {
		int (*f)(int, const char *, void *);

		*(void **)&f = dlsym(RTLD_DEFAULT, stats[i]);
		CHECK(f != NULL);
		memset(&st, 0, sizeof(st));
		CHECK(f(1, "/dev/tap0", &st) == 0);
		CHECK(S_ISCHR(st.st_mode) && major(st.st_rdev) == 169);
		FAILS(ENOENT, f(1, "/dev/tapx", &st));
	}
	for (size_t i = 0; i < 2; i++) {
		int (*f)(int, int, const char *, void *, int);

		*(void **)&f = dlsym(RTLD_DEFAULT, fstatats[i]);
		CHECK(f != NULL);
		memset(&st, 0, sizeof(st));
		CHECK(f(1, AT_FDCWD, "/dev/tap0", &st, 0) == 0);
		CHECK(S_ISCHR(st.st_mode) && major(st.st_rdev) == 169);
		FAILS(ENOENT, f(1, AT_FDCWD, "/dev/tapx", &st, 0));
	}
}

/* creat and fopen, which for root would make a file. */
static void
made_anew(void)
{
	static const char *const modes[] = { "r", "r+", "w", "w+e", "a" };
	FILE *f;

	is_tap(creat("/dev/tap", 0600));
	is_tap(creat64("/dev/tap", 0600));
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		f = fopen("/dev/tap", modes[i]);
		CHECK(f != NULL);
		CHECK(f != NULL && ((fcntl(fileno(f), F_GETFD) & FD_CLOEXEC) !=
		                       0) == (strchr(modes[i], 'e') != NULL));
		if (f != NULL) {
			is_tap(dup(fileno(f)));
			fclose(f);
		}
	}
	f = fopen64("/dev/net/tun", "r+");
	CHECK(f != NULL);
	if (f != NULL)
		fclose(f);
	errno = 0;
	CHECK(fopen("/dev/tap", "wx") == NULL && errno == EEXIST);
	errno = 0;
	CHECK(fopen("/dev/tap7", "w") == NULL && errno == ENXIO);
	errno = 0;
	CHECK(fopen("/dev/tap", "q") == NULL && errno == EINVAL);
	f = fopen("/dev/null", "w");
	CHECK(f != NULL);
	if (f != NULL)
		fclose(f);
	FAILS(ENOENT, creat("/nowhere/x", 0600));
}

/* tap0 exists, tap7 does not. */
static void
device(const char *arg)
{
	struct stat st;
	int fd, other, n;

	(void)arg;
	is_device("/dev/tap", 169, 0xfffff);
	is_device("/dev/tap0", 169, 0);
	is_device("/dev/tap7", 169, 7);
	is_device("/dev/net/tun", 10, 200);
	FAILS(ENOENT, stat("/dev/tapx", &st));
	FAILS(ENOENT, stat("/dev/tap07", &st));
	FAILS(ENOENT, open("/dev/tap0/", O_RDWR));
	FAILS(ENXIO, open("/dev/tap7", unknown(O_RDWR)));
	FAILS(ENXIO, open64("/dev/tap7", unknown(O_RDWR)));
	FAILS(ENXIO, openat(AT_FDCWD, "/dev/tap7", unknown(O_RDWR)));
	FAILS(ENXIO, openat64(AT_FDCWD, "/dev/tap7", unknown(O_RDWR)));
	FAILS(ENXIO, openat(AT_FDCWD, "/dev/tap7", O_RDWR));
	/* What is nowhere; a flag that there is not. */
	struct stat *nowhere = (struct stat *)8;
	FAILS(EFAULT, stat("/dev/tap", nowhere));
	FAILS(EFAULT, lstat("/dev/tap", nowhere));
	FAILS(EFAULT, statx(AT_FDCWD, "/dev/tap", 0, STATX_BASIC_STATS,
	                  (struct statx *)(void *)nowhere));
	FAILS(EINVAL, faccessat(AT_FDCWD, "/dev/tap", R_OK, 0x8000));
	old_names();
	made_anew();
	FAILS(EEXIST, open("/dev/tap0", O_RDWR | O_CREAT | O_EXCL, 0600));
	FAILS(ENOTDIR, open("/dev/tap0", O_RDONLY | O_DIRECTORY));
	/* A place is no opening: tap1 is still free. */
	fd = open("/dev/tap", O_PATH | O_CLOEXEC);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode));
	FAILS(EBADF, read(fd, &st, 1));
	close(fd);
	fd = open_or_die("/dev/tap0", O_RDWR);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
	FAILS(EBUSY, open("/dev/tap0", O_RDWR));
	ifname_is(fd, "tap0");
	/* The lowest number that is free, as open(2) gives. */
	n = dup(fd);
	CHECK(n == fd + 1);
	close(n);
	close(fd);
	n = open("/dev/null", O_RDWR);
	CHECK(n == fd);
	close(n);
	/* The link's end may be seen a moment later. */
	for (int i = 0; i < TIMEOUT_MS; i++) {
		fd = open64("/dev/tap0", O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0 || errno != EBUSY)
			break;
		(void)poll(NULL, 0, 1);
	}
	CHECK(fd >= 0);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	other = openat64(AT_FDCWD, "/dev/tap", O_RDWR);
	CHECK(other >= 0);
	ifname_is(other, "tap1");
	/* What else there is in /dev is as it was. */
	CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(open("/dev/null", O_RDWR) >= 0);
	close(other);
	close(fd);
}

/* A clone's descriptor, wherever it gets to. */
static void
passed_on(const char *arg)
{
	int fd = open_or_die("/dev/tap", O_RDWR);
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int status, copy, pair[2];
	char number[16];
	pid_t pid;

	(void)arg;
	ifname_is(fd, "tap0");
	copy = dup(fd);
	ifname_is(copy, "tap0");
	close(copy);
	copy = fcntl(fd, F_DUPFD, 100);
	close(fd);
	ifname_is(copy, "tap0");
	CHECK(dup2(copy, 50) == 50);
	CHECK(dup3(copy, 51, O_CLOEXEC) == 51);
	ifname_is(50, "tap0");
	ifname_is(51, "tap0");
	/* fork, exec */
	pid = fork();
	if (pid == 0) {
		ifname_is(50, "tap0");
		snprintf(number, sizeof(number), "%d", 50);
		if (!line_failed)
			execl("/proc/self/exe", "shim_probe", "inherited",
			    number, (char *)NULL);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	/* SCM_RIGHTS, to a process that has never opened it */
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pid = fork();
	if (pid == 0) {
		close(50);
		close(51);
		close(copy);
		CHECK(recvmsg(pair[1], &msg, 0) == 1);
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		ifname_is(fd, "tap0");
		_exit(line_failed);
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &copy, sizeof(copy));
	CHECK(sendmsg(pair[0], &msg, 0) == 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void
inherited(const char *arg)
{
	ifname_is(atoi(arg), "tap0");
}

/* tap0 and tap1 are on a bridge: what one writes the other reads. */
static void
next_size(const char *arg)
{
	int a = open_or_die("/dev/tap0", O_RDWR);
	int b = open_or_die("/dev/tap1", O_RDWR);
	uint8_t buf[2000];
	int n = -1;

	(void)arg;
	CHECK(ioctl(b, FIONREAD, &n) == 0 && n == 0);
	send_frame(a, 100, 1);
	send_frame(a, 1000, 2);
	CHECK(readable(b, TIMEOUT_MS));
	CHECK(ioctl(b, FIONREAD, &n) == 0 && n == 100);
	CHECK(ioctl(b, FIONREAD, &n) == 0 && n == 100);
	CHECK(read(b, buf, sizeof(buf)) == 100 && buf[14] == 1);
	CHECK(readable(b, TIMEOUT_MS));
	CHECK(ioctl(b, FIONREAD, &n) == 0 && n == 1000);
	/* Too small a buffer: the rest is lost. */
	CHECK(read(b, buf, 60) == 60 && buf[14] == 2);
	CHECK(ioctl(b, FIONREAD, &n) == 0 && n == 0);
	FAILS(EFAULT, ioctl(b, FIONREAD, (void *)8));
	/* Of another descriptor as ever. */
	int p[2];
	CHECK(pipe(p) == 0 && write(p[1], "abc", 3) == 3);
	CHECK(ioctl(p[0], FIONREAD, &n) == 0 && n == 3);
}

static volatile sig_atomic_t signals;

static void
on_sigio(int sig)
{
	(void)sig;
	signals = signals + 1;
}

static void
waiting(const char *arg)
{
	int a = open_or_die("/dev/tap0", O_RDWR);
	int b = open_tap1(arg);
	struct epoll_event ev = { .events = EPOLLIN };
	struct timeval tv = { .tv_sec = TIMEOUT_MS / 1000 };
	uint8_t buf[2000];
	sigset_t block, old;
	int on = 1, ep, n;
	fd_set set;

	CHECK(ioctl(b, FIONBIO, &on) == 0);
	FAILS(EWOULDBLOCK, read(b, buf, sizeof(buf)));
	CHECK(!readable(b, 0));
	send_frame(a, 60, 1);
	FD_ZERO(&set);
	FD_SET(b, &set);
	CHECK(select(b + 1, &set, NULL, NULL, &tv) == 1 && FD_ISSET(b, &set));
	CHECK(readable(b, 0));
	ep = epoll_create1(0);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev) == 0);
	CHECK(epoll_wait(ep, &ev, 1, TIMEOUT_MS) == 1);
	CHECK(read(b, buf, sizeof(buf)) == 60);
	CHECK(epoll_wait(ep, &ev, 1, 0) == 0);
	/* To whom SIGIO goes: a process, a group. */
	n = getpid();
	CHECK(ioctl(b, FIOSETOWN, &n) == 0);
	n = 0;
	CHECK(ioctl(b, FIOGETOWN, &n) == 0 && n == getpid());
	n = getpgrp();
	if (strcmp(arg, "tun") == 0) {
		n = -n;
		CHECK(ioctl(b, FIOSETOWN, &n) == 0);
	} else {
		CHECK(ioctl(b, TIOCSPGRP, &n) == 0);
		n = 0;
		CHECK(ioctl(b, TIOCGPGRP, &n) == 0 && n == getpgrp());
	}
	n = 0;
	CHECK(ioctl(b, FIOGETOWN, &n) == 0 && n == -getpgrp());
	n = getpid();
	CHECK(ioctl(b, FIOSETOWN, &n) == 0);
	CHECK(signal(SIGIO, on_sigio) != SIG_ERR);
	sigemptyset(&block);
	sigaddset(&block, SIGIO);
	CHECK(sigprocmask(SIG_BLOCK, &block, &old) == 0);
	CHECK(ioctl(b, FIOASYNC, &on) == 0);
	send_frame(a, 60, 2);
	alarm(TIMEOUT_MS / 1000);
	while (signals == 0)
		sigsuspend(&old);
	alarm(0);
	CHECK(read(b, buf, sizeof(buf)) == 60);
}

/* Submits what is prepared and waits for @count answers: those of requests
 * 1 ... are put into @got. */
static void
uring_go(struct io_uring *ring, int count, int *got)
{
	struct __kernel_timespec limit = { .tv_sec = TIMEOUT_MS / 1000 };
	struct io_uring_cqe *cqe;

	CHECK(io_uring_submit(ring) >= 0);
	for (; count > 0; count--) {
		if (io_uring_wait_cqe_timeout(ring, &cqe, &limit) != 0) {
			CHECK(!"an answer");
			return;
		}
		got[(uintptr_t)io_uring_cqe_get_data(cqe)] = cqe->res;
		io_uring_cqe_seen(ring, cqe);
	}
}

/* io_uring reads, writes and polls what is the kernel's own descriptor. */
static void
uring(const char *arg)
{
	int a = open_or_die("/dev/tap0", O_RDWR);
	int b = open_tap1(arg);
	uint8_t f[60], g[100], in[2000], head[14];
	struct iovec iov[2] = { { head, sizeof(head) }, { in, sizeof(in) } };
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	int got[4] = { 0 };
	int n = io_uring_queue_init(8, &ring, 0);

	if (n < 0) {
		printf("no io_uring here: %s\n", strerror(-n));
		return;
	}
	/* The read waits, the write ends it. */
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, b, in, sizeof(in), 0);
	io_uring_sqe_set_data(sqe, (void *)1);
	CHECK(io_uring_submit(&ring) == 1);
	CHECK(io_uring_cq_ready(&ring) == 0);
	make_frame(f, sizeof(f), 1);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write(sqe, a, f, sizeof(f), 0);
	io_uring_sqe_set_data(sqe, (void *)2);
	uring_go(&ring, 2, got);
	CHECK(got[1] == 60 && got[2] == 60 && memcmp(in, f, 60) == 0);
	/* Poll, then readv: one frame, in pieces. */
	make_frame(g, sizeof(g), 2);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_poll_add(sqe, b, POLLIN);
	io_uring_sqe_set_data(sqe, (void *)1);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write(sqe, a, g, sizeof(g), 0);
	io_uring_sqe_set_data(sqe, (void *)2);
	uring_go(&ring, 2, got);
	CHECK((got[1] & POLLIN) != 0 && got[2] == 100);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_readv(sqe, b, iov, 2, 0);
	io_uring_sqe_set_data(sqe, (void *)3);
	uring_go(&ring, 1, got);
	CHECK(got[3] == 100 && memcmp(head, g, 14) == 0);
	CHECK(memcmp(in, g + 14, 86) == 0);
	io_uring_queue_exit(&ring);
}

static void *
on_little(void *arg)
{
	struct ifreq ifr = { .ifr_name = "eth99" };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	FAILS(ENODEV, ioctl(s, SIOCGIFFLAGS, &ifr));
	strcpy(ifr.ifr_name, "tap0");
	CHECK(ioctl(s, SIOCGIFMTU, &ifr) == 0);
	ifname_is(open_or_die("/dev/tap", O_RDWR), "tap2");
	CHECK(tun_open("vpn0", IFF_TAP | IFF_NO_PI) >= 0);
	strcpy(ifr.ifr_name, "feth7");
	CHECK(ioctl(s, SIOCIFCREATE, &ifr) == 0);
	CHECK(ioctl(s, SIOCIFDESTROY, &ifr) == 0);
	return NULL;
}

/* A thread with the smallest stack that there is. */
static void
little(const char *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	(void)arg;
	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN) == 0);
	CHECK(pthread_create(&thread, &attr, on_little, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

/* All that can be done with a tap's descriptor, however it was opened. */
static void
actions(const char *path, const char *name)
{
	int fd = open_or_die(path, O_RDWR);
	struct if_laddrreq r = { .iflr_name = "tap0" };
	struct ifreq ifr = { .ifr_flags = 0 };
	int on = 1, off = 0, n = -1;
	uint8_t buf[64];

	ifname_is(fd, name);
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 0);
	CHECK(ioctl(fd, FIONBIO, &on) == 0);
	FAILS(EWOULDBLOCK, read(fd, buf, sizeof(buf)));
	CHECK(ioctl(fd, FIONBIO, &off) == 0);
	CHECK(ioctl(fd, FIOASYNC, &on) == 0);
	CHECK((fcntl(fd, F_GETFL) & O_ASYNC) != 0);
	CHECK(ioctl(fd, FIOASYNC, &off) == 0);
	n = getpid();
	CHECK(ioctl(fd, FIOSETOWN, &n) == 0);
	n = 0;
	CHECK(ioctl(fd, FIOGETOWN, &n) == 0 && n == getpid());
	CHECK(!readable(fd, 0));
	send_frame(fd, 60, 1);
	FAILS(ENOTTY, ioctl(fd, SIOCALIFADDR, &r));
	FAILS(ENOTTY, ioctl(fd, SIOCIFDESTROY, &ifr));
	close(fd);
}

static void
either(const char *arg)
{
	(void)arg;
	actions("/dev/tap0", "tap0");
	actions("/dev/tap", "tap2");
}

/* --- sockets ----------------------------------------------------------------
 */

static void
set_lladdr(struct if_laddrreq *r, const char *mac)
{
	struct sockaddr_dl sdl = { .sdl_family = AF_LINK, .sdl_alen = 6 };

	memcpy(LLADDR(&sdl), mac, 6);
	memcpy(&r->addr, &sdl, sizeof(sdl));
}

static void
sockets(const char *arg)
{
	struct if_laddrreq r = { .iflr_name = "tap0" };
	struct ifreq ifr = { .ifr_name = "tap5" };
	struct sockaddr_dl sdl;
	int inet = socket(AF_INET, SOCK_DGRAM, 0);
	int local = socket(AF_UNIX, SOCK_STREAM, 0);
	int link, tap;

	(void)arg;
	CHECK(ioctl(inet, SIOCIFCREATE, &ifr) == 0);
	CHECK(strcmp(ifr.ifr_name, "tap5") == 0);
	tap = open_or_die("/dev/tap5", O_RDWR);
	FAILS(EEXIST, ioctl(inet, SIOCIFCREATE, &ifr));
	strcpy(ifr.ifr_name, "nokind");
	FAILS(EINVAL, ioctl(inet, SIOCIFCREATE, &ifr));
	strcpy(ifr.ifr_name, "a\"b");
	FAILS(EINVAL, ioctl(inet, SIOCIFCREATE, &ifr));
	strcpy(ifr.ifr_name, "feth");
	CHECK(ioctl(local, SIOCIFCREATE, &ifr) == 0);
	CHECK(strcmp(ifr.ifr_name, "feth0") == 0);
	CHECK(ioctl(inet, SIOCIFDESTROY, &ifr) == 0);
	FAILS(ENXIO, ioctl(inet, SIOCIFDESTROY, &ifr));
	FAILS(EFAULT, ioctl(inet, SIOCIFDESTROY, (void *)8));
	FAILS(ENOTTY,
	    ioctl(open_or_die("/dev/null", O_RDWR), SIOCIFCREATE, &ifr));

	FAILS(EPROTONOSUPPORT, socket(PF_LINK, SOCK_STREAM, 0));
	link = socket(PF_LINK, SOCK_DGRAM, 0);
	CHECK(link >= 0);
	set_lladdr(&r, "\xf2\x0b\xa4\x01\x02\x03");
	FAILS(EOPNOTSUPP, ioctl(link, SIOCALIFADDR, &r));
	r.flags = IFLR_ACTIVE;
	CHECK(ioctl(link, SIOCALIFADDR, &r) == 0);
	memset(&r.addr, 0, sizeof(r.addr));
	r.flags = 0;
	CHECK(ioctl(link, SIOCGLIFADDR, &r) == 0);
	memcpy(&sdl, &r.addr, sizeof(sdl));
	CHECK(memcmp(LLADDR(&sdl), "\xf2\x0b\xa4\x01\x02\x03", 6) == 0);
	CHECK(sdl.sdl_family == AF_LINK && sdl.sdl_alen == 6);
	CHECK((r.flags & IFLR_ACTIVE) != 0 && r.prefixlen == 48);
	FAILS(EBUSY, ioctl(link, SIOCDLIFADDR, &r));
	set_lladdr(&r, "\xf2\x0b\xa4\x01\x02\x04");
	FAILS(EADDRNOTAVAIL, ioctl(link, SIOCDLIFADDR, &r));
	r.flags = IFLR_PREFIX;
	FAILS(EADDRNOTAVAIL, ioctl(link, SIOCGLIFADDR, &r));
	r.flags = IFLR_PREFIX;
	r.prefixlen = 40;
	CHECK(ioctl(link, SIOCGLIFADDR, &r) == 0);
	set_lladdr(&r, "\x01\x00\x00\x00\x00\x01");
	r.flags = IFLR_ACTIVE;
	FAILS(EINVAL, ioctl(link, SIOCALIFADDR, &r));
	strcpy(r.iflr_name, "tap77");
	set_lladdr(&r, "\xf2\x0b\xa4\x01\x02\x05");
	r.flags = IFLR_ACTIVE;
	FAILS(ENXIO, ioctl(link, SIOCALIFADDR, &r));
	/* Not on the character device. */
	FAILS(ENOTTY, ioctl(tap, SIOCALIFADDR, &r));
	FAILS(ENOTTY, ioctl(tap, SIOCGLIFADDR, &r));
	FAILS(ENOTTY, ioctl(tap, SIOCDLIFADDR, &r));
	FAILS(ENOTTY, ioctl(tap, SIOCSIFHWADDR, &ifr));
	close(tap);
	strcpy(ifr.ifr_name, "tap5");
	CHECK(ioctl(local, SIOCIFDESTROY, &ifr) == 0);
}

/* Whether tap0 is up and has a link, as its flags say. */
static bool
is_running(int s)
{
	struct ifreq ifr = { .ifr_name = "tap0" };

	CHECK(ioctl(s, SIOCGIFFLAGS, &ifr) == 0);
	return (ifr.ifr_flags & IFF_RUNNING) != 0;
}

/* What ifconfig says of tap0. */
static void
status_is(const char *status)
{
	char command[100];

	snprintf(command, sizeof(command),
	    "ifconfig tap0 | grep -q 'status: %s$'", status);
	CHECK(system(command) == 0);
}

/* The link of tap0 is as its program says. */
static void
carrier(const char *arg)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	int fd, n;

	(void)arg;
	CHECK(!is_running(s));
	fd = tun_open("tap0", IFF_TAP | IFF_NO_PI);
	CHECK(is_running(s));
	status_is("active");
	n = 0;
	CHECK(ioctl(fd, TUNSETCARRIER, &n) == 0);
	CHECK(!is_running(s));
	status_is("no carrier");
	n = 1;
	CHECK(ioctl(fd, TUNSETCARRIER, &n) == 0);
	CHECK(is_running(s));
	status_is("active");
}

/* tap0 has no netdev: what is asked by its name is answered all the same. */
static void
by_name(const char *arg)
{
	struct ifreq ifr = { .ifr_name = "tap0" };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	CHECK(ioctl(s, SIOCGIFFLAGS, &ifr) == 0);
	CHECK((ifr.ifr_flags & (IFF_UP | IFF_BROADCAST)) == IFF_BROADCAST);
	ifr.ifr_flags |= IFF_UP;
	CHECK(ioctl(s, SIOCSIFFLAGS, &ifr) == 0);
	CHECK(ioctl(s, SIOCGIFFLAGS, &ifr) == 0);
	CHECK((ifr.ifr_flags & IFF_UP) != 0);
	CHECK(ioctl(s, SIOCGIFMTU, &ifr) == 0 && ifr.ifr_mtu == 1500);
	ifr.ifr_mtu = 1400;
	CHECK(ioctl(s, SIOCSIFMTU, &ifr) == 0);
	ifr.ifr_mtu = 0;
	CHECK(ioctl(s, SIOCGIFMTU, &ifr) == 0 && ifr.ifr_mtu == 1400);
	ifr.ifr_mtu = 1;
	FAILS(EINVAL, ioctl(s, SIOCSIFMTU, &ifr));
	CHECK(ioctl(s, SIOCGIFINDEX, &ifr) == 0 && ifr.ifr_ifindex > 0);
	CHECK(ioctl(s, SIOCGIFHWADDR, &ifr) == 0);
	CHECK(ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER);
	CHECK((uint8_t)ifr.ifr_hwaddr.sa_data[0] == 0xf2);
	ifr.ifr_hwaddr.sa_data[5] ^= 1;
	struct ifreq want = ifr;
	CHECK(ioctl(s, SIOCSIFHWADDR, &ifr) == 0);
	CHECK(ioctl(s, SIOCGIFHWADDR, &ifr) == 0);
	CHECK(memcmp(&ifr.ifr_hwaddr, &want.ifr_hwaddr, 8) == 0);
	FAILS(EADDRNOTAVAIL, ioctl(s, SIOCGIFADDR, &ifr));
	memset(&ifr.ifr_addr, 0, sizeof(ifr.ifr_addr));
	ifr.ifr_addr.sa_family = AF_INET;
	FAILS(EOPNOTSUPP, ioctl(s, SIOCSIFADDR, &ifr));
	/* Its number and its name lead to each other. */
	CHECK(ioctl(s, SIOCGIFINDEX, &ifr) == 0);
	memset(ifr.ifr_name, 0, IFNAMSIZ);
	CHECK(ioctl(s, SIOCGIFNAME, &ifr) == 0);
	CHECK(strcmp(ifr.ifr_name, "tap0") == 0);
	struct ifreq no = { .ifr_ifindex = ifr.ifr_ifindex + 1000 };
	FAILS(ENODEV, ioctl(s, SIOCGIFNAME, &no));
	no.ifr_ifindex = 0x123456;
	FAILS(ENODEV, ioctl(s, SIOCGIFNAME, &no));
	strcpy(ifr.ifr_newname, "uplink");
	CHECK(ioctl(s, SIOCSIFNAME, &ifr) == 0);
	FAILS(ENODEV, ioctl(s, SIOCGIFMTU, &ifr));
	strcpy(ifr.ifr_name, "uplink");
	CHECK(ioctl(s, SIOCGIFMTU, &ifr) == 0 && ifr.ifr_mtu == 1400);
	strcpy(ifr.ifr_newname, "a/b");
	FAILS(EINVAL, ioctl(s, SIOCSIFNAME, &ifr));
	strcpy(ifr.ifr_newname, "tap0");
	CHECK(ioctl(s, SIOCSIFNAME, &ifr) == 0);
	strcpy(ifr.ifr_name, "tap0");
	CHECK(ioctl(s, SIOCGIFMAP, &ifr) == 0 && ifr.ifr_map.irq == 0);
	FAILS(EOPNOTSUPP, ioctl(s, SIOCSIFMAP, &ifr));
	CHECK(ioctl(s, SIOCGIFMETRIC, &ifr) == 0 && ifr.ifr_metric == 0);
	FAILS(EOPNOTSUPP, ioctl(s, SIOCSIFMETRIC, &ifr));
	strcpy(ifr.ifr_name, "tap99");
	FAILS(ENODEV, ioctl(s, SIOCGIFFLAGS, &ifr));
	strcpy(ifr.ifr_name, "lo");
	CHECK(ioctl(s, SIOCGIFMTU, &ifr) == 0 && ifr.ifr_mtu > 16000);
}

/* --- /dev/net/tun -----------------------------------------------------------
 */

static void
tun(const char *arg)
{
	int fd = open_or_die("/dev/net/tun", O_RDWR);
	char name[IFNAMSIZ];
	struct ifreq ifr;
	unsigned int features = 0;
	uint8_t buf[64];
	int n = 12, copy, other;

	(void)arg;
	/* Before TUNSETIFF. */
	FAILS(EBADFD, ioctl(fd, TUNGETIFF, &ifr));
	FAILS(EBADFD, ioctl(fd, TUNSETVNETHDRSZ, &n));
	FAILS(EBADFD, ioctl(fd, TUNSETOFFLOAD, 0));
	FAILS(EBADFD, ioctl(fd, TUNSETPERSIST, 1));
	FAILS(EBADFD, ioctl(fd, SIOCGIFHWADDR, &ifr));
	CHECK(read(fd, buf, sizeof(buf)) == -1);
	CHECK(ioctl(fd, TUNGETFEATURES, &features) == 0);
	CHECK(
	    (features & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE |
	                    IFF_ONE_QUEUE | IFF_NAPI)) == features);
	CHECK((features & IFF_VNET_HDR) != 0);
	CHECK(
	    int_ioctl(fd, (int)TUNGETFEATURES, &n) == 0 && n == (int)features);
	FAILS(EOPNOTSUPP, tun_try(fd, "", IFF_TUN | IFF_NO_PI, NULL));
	FAILS(EINVAL, tun_try(fd, "", IFF_NO_PI, NULL));
	FAILS(EINVAL, tun_try(fd, "a%sb", IFF_TAP, NULL));
	FAILS(EINVAL, tun_try(fd, "a/b", IFF_TAP, NULL));
	FAILS(EFAULT, ioctl(fd, TUNSETIFF, (void *)8));
	FAILS(EFAULT, ioctl(fd, TUNGETFEATURES, (void *)8));
	/* A copy that was made before means the same. */
	copy = dup(fd);
	CHECK(
	    tun_try(fd, "vpn%d",
	        IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_ONE_QUEUE, name) == 0);
	CHECK(strcmp(name, "vpn0") == 0);
	CHECK(ioctl(copy, TUNGETIFF, &ifr) == 0);
	CHECK(strcmp(ifr.ifr_name, "vpn0") == 0);
	CHECK(ifr.ifr_flags == (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR));
	memset(&ifr, 0, sizeof(ifr));
	CHECK(int_ioctl(fd, (int)TUNGETIFF, &ifr) == 0);
	CHECK(strcmp(ifr.ifr_name, "vpn0") == 0);
	FAILS(EEXIST, tun_try(copy, "vpn1", IFF_TAP, NULL));
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
	other = open_or_die("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	CHECK((fcntl(other, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK((fcntl(other, F_GETFL) & O_NONBLOCK) != 0);
	FAILS(EBUSY, tun_try(other, "vpn0", IFF_TAP | IFF_NO_PI, NULL));
	FAILS(EBUSY, tun_try(other, "tap0", IFF_TAP | IFF_TUN_EXCL, NULL));
	FAILS(EINVAL, tun_try(other, "bridge0", IFF_TAP, NULL));
	CHECK(tun_try(other, "", IFF_TAP, name) == 0);
	CHECK(strncmp(name, "tap", 3) == 0);
	CHECK(ioctl(other, TUNGETIFF, &ifr) == 0 && ifr.ifr_flags == IFF_TAP);
	close(other);
	/* Header and offloads. */
	CHECK(ioctl(fd, TUNGETVNETHDRSZ, &n) == 0 && n == 10);
	n = 12;
	CHECK(ioctl(fd, TUNSETVNETHDRSZ, &n) == 0);
	n = 0;
	CHECK(ioctl(fd, TUNGETVNETHDRSZ, &n) == 0 && n == 12);
	n = 9;
	FAILS(EINVAL, ioctl(fd, TUNSETVNETHDRSZ, &n));
	n = 70000;
	FAILS(EINVAL, ioctl(fd, TUNSETVNETHDRSZ, &n));
	CHECK(ioctl(fd, TUNSETOFFLOAD,
	          TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN |
	              TUN_F_UFO) == 0);
	FAILS(EINVAL, ioctl(fd, TUNSETOFFLOAD, TUN_F_TSO4));
	FAILS(EINVAL, ioctl(fd, TUNSETOFFLOAD, 0x8001));
	CHECK(ioctl(fd, TUNSETOFFLOAD, 0) == 0);
	n = 1;
	CHECK(ioctl(fd, TUNSETVNETLE, &n) == 0);
	FAILS(EINVAL, ioctl(fd, TUNSETVNETBE, &n));
	/* The rest of the list. */
	CHECK(ioctl(fd, TUNSETNOCSUM, 1) == 0);
	CHECK(ioctl(fd, TUNSETLINK, ARPHRD_ETHER) == 0);
	FAILS(EINVAL, ioctl(fd, TUNSETLINK, ARPHRD_PPP));
	CHECK(ioctl(fd, TUNSETOWNER, getuid()) == 0);
	CHECK(ioctl(fd, TUNSETGROUP, getgid()) == 0);
	CHECK(ioctl(fd, TUNGETSNDBUF, &n) == 0 && n > 0);
	CHECK(ioctl(fd, TUNSETSNDBUF, &n) == 0);
	n = 0;
	FAILS(EINVAL, ioctl(fd, TUNSETSNDBUF, &n));
	CHECK(ioctl(fd, TUNSETCARRIER, &n) == 0);
	n = 1;
	CHECK(ioctl(fd, TUNSETCARRIER, &n) == 0);
	memset(&ifr, 0, sizeof(ifr));
	CHECK(ioctl(fd, SIOCGIFHWADDR, &ifr) == 0);
	CHECK(ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER);
	CHECK((uint8_t)ifr.ifr_hwaddr.sa_data[0] == 0xf2);
	ifr.ifr_hwaddr.sa_data[5] ^= 1;
	CHECK(ioctl(fd, SIOCSIFHWADDR, &ifr) == 0);
	struct ifreq now = { .ifr_flags = 0 };
	CHECK(ioctl(copy, SIOCGIFHWADDR, &now) == 0);
	CHECK(memcmp(&now.ifr_hwaddr, &ifr.ifr_hwaddr, 8) == 0);
	FAILS(EINVAL, ioctl(fd, TUNATTACHFILTER, &n));
	ifr.ifr_flags = IFF_DETACH_QUEUE;
	FAILS(EINVAL, ioctl(fd, TUNSETQUEUE, &ifr));
	ifr.ifr_flags = 0;
	FAILS(EINVAL, ioctl(fd, TUNSETQUEUE, &ifr));
}

/* vpn0 is made to stay (arg "on"), or to go again ("off"). */
static void
persist(const char *arg)
{
	int fd = tun_open("vpn0", IFF_TAP | IFF_NO_PI);
	struct ifreq ifr;

	CHECK(ioctl(fd, TUNSETPERSIST, strcmp(arg, "on") == 0) == 0);
	CHECK(ioctl(fd, TUNGETIFF, &ifr) == 0);
	CHECK(((ifr.ifr_flags & 0x0800) != 0) == (strcmp(arg, "on") == 0));
}

/* tap0 is on a bridge with tap1, which is opened here as a tun. */
static void
headers(const char *arg)
{
	int a = open_or_die("/dev/tap0", O_RDWR);
	int b = tun_open("tap1", IFF_TAP | IFF_VNET_HDR);
	uint8_t buf[2000], f[100];
	int n = 12;

	(void)arg;
	/* PI and 10 bytes of virtio_net_hdr, to the app ... */
	send_frame(a, 100, 7);
	CHECK(readable(b, TIMEOUT_MS));
	CHECK(ioctl(b, FIONREAD, &n) == 0 && n == 114);
	memset(buf, 0xee, sizeof(buf));
	CHECK(read(b, buf, sizeof(buf)) == 114);
	CHECK(memcmp(buf, "\0\0\x88\xb5\0\0\0\0\0\0\0\0\0\0", 14) == 0);
	make_frame(f, 100, 7);
	CHECK(memcmp(buf + 14, f, 100) == 0);
	/* ... and 12, from it, in pieces. */
	n = 12;
	CHECK(ioctl(b, TUNSETVNETHDRSZ, &n) == 0);
	uint8_t head[16] = { 0 };
	struct iovec iov[2] = { { head, 16 }, { f, 100 } };
	make_frame(f, 100, 8);
	CHECK(writev(b, iov, 2) == 116);
	CHECK(readable(a, TIMEOUT_MS));
	CHECK(read(a, buf, sizeof(buf)) == 100 && buf[14] == 8);
	send_frame(a, 100, 9);
	CHECK(readable(b, TIMEOUT_MS));
	iov[1].iov_base = buf;
	CHECK(readv(b, iov, 2) == 116 && buf[14] == 9);
}

#define VNET_LEN 10
#define GSO_LEN  30054 /* 14 + 20 + 20 + 30000 */
#define GSO_SIZE 1460

static uint32_t
sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of TCP in @f: addresses, protocol and length; with what is behind them. */
static uint32_t
tcp_sum(const uint8_t *f, size_t len, bool whole)
{
	uint32_t sum = sum16(6 + (uint32_t)len - 34, f + 26, 8);

	return whole ? sum16(sum, f + 34, len - 34) : sum;
}

/* A large segment of TCP that is to be cut into pieces of GSO_SIZE. */
static void
make_gso(uint8_t buf[VNET_LEN + GSO_LEN])
{
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = 54,
		.gso_size = GSO_SIZE,
		.csum_start = 34,
		.csum_offset = 16,
	};
	uint8_t *f = buf + VNET_LEN;
	uint32_t sum;

	memcpy(buf, &h, VNET_LEN);
	make_frame(f, GSO_LEN, 0);
	for (size_t i = 54; i < GSO_LEN; i++)
		f[i] = (uint8_t)(i * 7);
	memcpy(f + 12, "\x08\x00\x45\x00", 4);
	f[16] = (GSO_LEN - 14) >> 8;
	f[17] = (GSO_LEN - 14) & 0xff;
	f[22] = 64;
	f[23] = 6;
	memcpy(f + 26, "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8);
	sum = ~sum16(0, f + 14, 20);
	f[24] = (uint8_t)(sum >> 8);
	f[25] = (uint8_t)sum;
	f[35] = 9; /* ports, numbers */
	f[37] = 9;
	f[46] = 0x50;
	f[47] = 0x10;
	f[48] = 0x20;
	sum = tcp_sum(f, GSO_LEN, false);
	f[50] = (uint8_t)(sum >> 8);
	f[51] = (uint8_t)sum;
}

/* tap0 and tap1 on a bridge: what one sends large comes large to who takes it,
 * as TUNSETOFFLOAD says, and else in finished pieces. */
static void
offload(const char *arg)
{
	static uint8_t out[VNET_LEN + GSO_LEN], in[70000];
	int flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	int a = tun_open("tap0", flags), b = tun_open("tap1", flags);
	struct virtio_net_hdr h;
	size_t got = 0;

	(void)arg;
	make_gso(out);
	CHECK(ioctl(b, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) == 0);
	CHECK(write(a, out, sizeof(out)) == (ssize_t)sizeof(out));
	CHECK(readable(b, TIMEOUT_MS));
	CHECK(read(b, in, sizeof(in)) == (ssize_t)sizeof(out));
	memcpy(&h, in, VNET_LEN);
	CHECK(h.gso_type == VIRTIO_NET_HDR_GSO_TCPV4);
	CHECK(h.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	CHECK(h.gso_size == GSO_SIZE && h.csum_start == 34);
	CHECK(memcmp(in + VNET_LEN, out + VNET_LEN, GSO_LEN) == 0);

	CHECK(ioctl(b, TUNSETOFFLOAD, 0) == 0);
	CHECK(write(a, out, sizeof(out)) == (ssize_t)sizeof(out));
	while (got < GSO_LEN - 54 && !line_failed) {
		CHECK(readable(b, TIMEOUT_MS));
		ssize_t n = read(b, in, sizeof(in)) - VNET_LEN;

		CHECK(n > 54 && n <= 54 + GSO_SIZE);
		memcpy(&h, in, VNET_LEN);
		CHECK(h.gso_type == VIRTIO_NET_HDR_GSO_NONE);
		CHECK((h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0);
		if (line_failed)
			return;
		CHECK(tcp_sum(in + VNET_LEN, (size_t)n, true) == 0xffff);
		CHECK(memcmp(in + VNET_LEN + 54, out + VNET_LEN + 54 + got,
		          (size_t)n - 54) == 0);
		got += (size_t)n - 54;
	}
	CHECK(got == GSO_LEN - 54);
}

/* Two queues of one tap: both take, each frame comes out of one. */
static void
queues(const char *arg)
{
	int flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
	int a = open_or_die("/dev/tap0", O_RDWR);
	int q[2] = { tun_open("tap1", flags), tun_open("tap1", flags) };
	int third = open_or_die("/dev/net/tun", O_RDWR);
	struct ifreq ifr = { .ifr_flags = IFF_DETACH_QUEUE };
	uint8_t buf[2000], f[60];
	int got[2] = { 0, 0 };

	(void)arg;
	FAILS(EBUSY, tun_try(third, "tap1", IFF_TAP | IFF_NO_PI, NULL));
	FAILS(EINVAL, tun_try(third, "tap1", flags | IFF_VNET_HDR, NULL));
	CHECK(ioctl(q[0], TUNGETIFF, &ifr) == 0);
	CHECK((ifr.ifr_flags & IFF_MULTI_QUEUE) != 0);
	for (int i = 0; i < 2; i++) {
		send_frame(q[i], 60, (uint8_t)i);
		CHECK(readable(a, TIMEOUT_MS));
		CHECK(read(a, buf, sizeof(buf)) == 60 && buf[14] == i);
	}
	/* 64 flows, two frames each: each comes once, and both queues have
	 * some. */
	for (int i = 0; i < 128; i++) {
		make_frame(f, 60, (uint8_t)i);
		f[11] = (uint8_t)(i % 64);
		CHECK(write(a, f, 60) == 60);
		struct pollfd p[2] = { { q[0], POLLIN, 0 },
			{ q[1], POLLIN, 0 } };
		CHECK(poll(p, 2, TIMEOUT_MS) == 1);
		int n = (p[1].revents & POLLIN) != 0;
		CHECK(read(q[n], buf, sizeof(buf)) == 60 && buf[14] == i);
		got[n]++;
	}
	CHECK(got[0] > 10 && got[1] > 10 && got[0] + got[1] == 128);
	/* A detached one gets none. */
	ifr.ifr_flags = IFF_DETACH_QUEUE;
	CHECK(ioctl(q[0], TUNSETQUEUE, &ifr) == 0);
	FAILS(EINVAL, ioctl(q[0], TUNSETQUEUE, &ifr));
	for (int i = 0; i < 64; i++) {
		make_frame(f, 60, (uint8_t)i);
		f[11] = (uint8_t)i;
		CHECK(write(a, f, 60) == 60);
		CHECK(readable(q[1], TIMEOUT_MS));
		CHECK(read(q[1], buf, sizeof(buf)) == 60);
	}
	CHECK(!readable(q[0], 0));
	ifr.ifr_flags = IFF_ATTACH_QUEUE;
	CHECK(ioctl(q[0], TUNSETQUEUE, &ifr) == 0);
	/* The link holds until the last has gone. */
	close(q[0]);
	send_frame(a, 60, 77);
	CHECK(readable(q[1], TIMEOUT_MS));
	CHECK(read(q[1], buf, sizeof(buf)) == 60 && buf[14] == 77);
}

/* The interface goes while it is open. */
static void
destroyed(const char *arg)
{
	int t = open_or_die("/dev/tap", O_RDWR);
	int fd = tun_open("vpn0", IFF_TAP | IFF_NO_PI);
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq ifr = { .ifr_name = "vpn0" };
	uint8_t buf[64];

	(void)arg;
	CHECK(ioctl(s, SIOCIFDESTROY, &ifr) == 0);
	CHECK(read(fd, buf, sizeof(buf)) == 0);
	FAILS(EBADFD, ioctl(fd, TUNGETIFF, &ifr));
	FAILS(EBADFD, ioctl(fd, TUNSETPERSIST, 1));
	strcpy(ifr.ifr_name, "tap0");
	CHECK(ioctl(s, SIOCIFDESTROY, &ifr) == 0);
	FAILS(ENXIO, ioctl(t, TAPGIFNAME, &ifr));
	FAILS(ENXIO, ioctl(t, FIONREAD, &s));
}

/* Nobody answers, or COAX_SHIM=off: @arg says which. */
static void
without(const char *arg)
{
	struct stat st;

	if (strcmp(arg, "off") == 0) {
		FAILS(ENOENT, open("/dev/tap", O_RDWR));
		FAILS(ENOENT, stat("/dev/tap", &st));
		FAILS(EAFNOSUPPORT, socket(PF_LINK, SOCK_DGRAM, 0));
		return;
	}
	FAILS(ENXIO, open("/dev/tap", O_RDWR));
	FAILS(ENODEV, tun_try(open_or_die("/dev/net/tun", O_RDWR), "tap3",
	                  IFF_TAP, NULL));
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(const char *arg);
	} scenarios[] = {
		{ "device", device },
		{ "passed_on", passed_on },
		{ "inherited", inherited },
		{ "next_size", next_size },
		{ "waiting", waiting },
		{ "uring", uring },
		{ "either", either },
		{ "little", little },
		{ "sockets", sockets },
		{ "by_name", by_name },
		{ "carrier", carrier },
		{ "tun", tun },
		{ "persist", persist },
		{ "headers", headers },
		{ "offload", offload },
		{ "queues", queues },
		{ "destroyed", destroyed },
		{ "without", without },
	};

	for (size_t i = 0;
	     argc > 1 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(scenarios[i].name, argv[1]) == 0) {
			scenarios[i].run(argc > 2 ? argv[2] : "");
			return line_failed;
		}
	}
	fprintf(stderr, "usage: shim_probe scenario [arg]\n");
	return 2;
}

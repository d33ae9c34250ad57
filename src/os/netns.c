/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network namespaces: see os/netns.h. Source: namespaces(7), setns(2),
 * ioctl_ns(2), pidfd_open(2).
 */
#include "os/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/priv.h"
#include "os/sock.h"

int
netns_current(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int
netns_open_proc(pid_t pid, const char *kind)
{
	char path[64];
	int fd;

	if (pid <= 0)
		return -ESRCH;
	(void)snprintf(path, sizeof(path), "/proc/%ld/ns/%s", (long)pid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) /* a process that has ended has no namespaces either */
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}

int
netns_open_pid(pid_t pid)
{
	return netns_open_proc(pid, "net");
}

int
netns_open_user_of_pid(pid_t pid)
{
	return netns_open_proc(pid, "user");
}

bool
netns_is(int fd)
{
	return ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

int
netns_open_path(const char *path)
{
	/* Whatever the path is: no waiting for a FIFO, no terminal taken. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (!netns_is(fd)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

int
netns_get_owner(int fd, uid_t *out)
{
	int user = ioctl(fd, NS_GET_USERNS);
	uid_t uid;
	int err = 0;

	if (user < 0)
		return -errno;
	if (ioctl(user, NS_GET_OWNER_UID, &uid) < 0)
		err = -errno;
	else
		*out = uid;
	close(user);
	return err;
}

int
netns_get_id(int fd, struct netns_id *out)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*out = (struct netns_id){ .dev = st.st_dev, .ino = st.st_ino };
	return 0;
}

bool
netns_id_equal(const struct netns_id *a, const struct netns_id *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* Brings lo up where the calling thread is. */
static int
netns_lo_up_here(void *arg)
{
	struct ifreq req = { .ifr_name = "lo" };
	int fd, err = 0;

	(void)arg;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT) /* a kernel without IPv4 */
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &req) < 0) {
		err = -errno;
	} else {
		req.ifr_flags |= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
			err = -errno;
	}
	close(fd);
	return err;
}

/* In a thread of its own, whose namespace goes with it. */
static void *
netns_create_thread(void *arg)
{
	int *result = arg;

	if (unshare(CLONE_NEWNET) < 0) {
		*result = -errno;
		return NULL;
	}
	*result = netns_lo_up_here(NULL);
	if (*result == 0)
		*result = netns_current();
	return NULL;
}

int
netns_create(void)
{
	pthread_t thread;
	int err, result = -EAGAIN;

	err = pthread_create(&thread, NULL, netns_create_thread, &result);
	if (err != 0)
		return -err;
	pthread_join(thread, NULL);
	return result;
}

int
netns_run(int fd, int (*fn)(void *arg), void *arg)
{
	int home, result, err;

	home = netns_current();
	if (home < 0)
		return home;
	if (setns(fd, CLONE_NEWNET) < 0) {
		err = -errno;
		close(home);
		return err;
	}
	result = fn(arg);
	/* Continuing in the wrong namespace would be worse than ending. */
	ASSERT(setns(home, CLONE_NEWNET) == 0);
	close(home);
	return result;
}

int
netns_lo_up(int fd)
{
	if (fd < 0)
		return netns_lo_up_here(NULL);
	return netns_run(fd, netns_lo_up_here, NULL);
}

static int
netns_wait(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* What a child tells its parent by: an -errno, or 0 and a descriptor. */
static void
netns_reply(int sock, int result)
{
	int msg = result < 0 ? result : 0;

	if (sock_send_fds(sock, &msg, sizeof(msg), &result, result >= 0) < 0)
		_exit(1);
	_exit(0);
}

int
netns_fd_from(int user_fd, int net_fd, int (*fn)(void *arg), void *arg)
{
	int pair[2], fd = -1, msg, err;
	unsigned int count;
	ssize_t n;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	if (pid == 0) {
		close(pair[0]);
		if (user_fd >= 0 && setns(user_fd, CLONE_NEWUSER) < 0)
			netns_reply(pair[1], -errno);
		if (net_fd >= 0 && setns(net_fd, CLONE_NEWNET) < 0)
			netns_reply(pair[1], -errno);
		netns_reply(pair[1], fn(arg));
	}
	close(pair[1]);
	n = sock_recv_fds(pair[0], &msg, sizeof(msg), &fd, 1, &count, NULL);
	close(pair[0]);
	(void)netns_wait(pid, NULL);
	if (n < 0)
		err = (int)n;
	else if (n != (ssize_t)sizeof(msg))
		err = -ECHILD; /* it died */
	else
		err = msg < 0 ? msg : count == 1 ? 0 : -EBADF;
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	return fd;
}

int
netns_enter(const struct netns_enter_options *o)
{
	if (o->enter_user && setns(o->user_fd, CLONE_NEWUSER) < 0)
		return -errno;
	if (setns(o->net_fd, CLONE_NEWNET) < 0)
		return -errno;
	if (o->keep_sys)
		return 0;
	/* From here on as far as it is permitted. */
	if (unshare(CLONE_NEWNS) < 0)
		return 0;
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return 0;
	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	        NULL) < 0)
		return 0;
	return 0;
}

int
netns_pidfd(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

bool
netns_pidfd_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0 && (p.revents & POLLIN) != 0;
}

/* The child of netns_spawn() before exec: 0 or -errno. */
static int
netns_spawn_setup(const struct netns_spawn_options *o, pid_t parent)
{
	const bool stdio =
	    o->stdio[0] > 0 || o->stdio[1] > 0 || o->stdio[2] > 0;
	sigset_t none;
	int saved[3];
	int err;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);

	if (!o->in_place) {
		err = netns_enter(&o->enter);
		if (err < 0)
			return err;
	}
	if (o->confine) {
		err = priv_confine(o->keep_caps);
		if (err < 0)
			return err;
	}
	if (o->die_with_parent) { /* a change of credentials would undo it */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			return -errno;
		if (getppid() != parent)
			return -ECHILD;
	}
	/* First out of the way of 0 to 2, then to their places. */
	for (int i = 0; stdio && i < 3; i++) {
		saved[i] = o->stdio[i] < 0 ? i : o->stdio[i];
		saved[i] = fcntl(saved[i], F_DUPFD_CLOEXEC, 3);
		if (saved[i] < 0)
			return -errno;
	}
	for (int i = 0; stdio && i < 3; i++)
		if (dup2(saved[i], i) < 0)
			return -errno;
	for (int i = 0; i < 2; i++) {
		saved[i] = -1;
		if (o->more[i] <= 0)
			continue;
		saved[i] = fcntl(o->more[i], F_DUPFD_CLOEXEC, 10);
		if (saved[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 2; i++)
		if (saved[i] >= 0 && dup2(saved[i], 8 + i) < 0)
			return -errno;
	return 0;
}

int
netns_spawn(const struct netns_spawn_options *o, pid_t *pid_out, int *pidfd_out)
{
	pid_t parent = getpid(), pid;
	int pipefd[2], msg = 0, err, pidfd = -1;
	ssize_t n;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(pipefd[0]);
		close(pipefd[1]);
		return err;
	}
	if (pid == 0) {
		/* Where dup2() does not hit it. */
		int out = fcntl(pipefd[1], F_DUPFD_CLOEXEC, 10);

		msg = out < 0 ? -errno : netns_spawn_setup(o, parent);
		if (msg == 0) {
			execvpe(o->argv[0], o->argv,
			    o->envp != NULL ? o->envp : environ);
			msg = -errno;
		}
		if (out >= 0 && write(out, &msg, sizeof(msg)) < 0)
			_exit(126);
		_exit(127);
	}
	close(pipefd[1]);
	do
		n = read(pipefd[0], &msg, sizeof(msg));
	while (n < 0 && errno == EINTR);
	close(pipefd[0]);
	err = n == (ssize_t)sizeof(msg) ? msg : 0;
	if (err == 0 && pidfd_out != NULL) {
		pidfd = netns_pidfd(pid);
		if (pidfd < 0) {
			err = pidfd;
			(void)kill(pid, SIGKILL);
		}
	}
	if (err < 0) {
		(void)netns_wait(pid, NULL);
		return err;
	}
	*pid_out = pid;
	if (pidfd_out != NULL)
		*pidfd_out = pidfd;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AF_UNIX sockets, descriptor passing and memfds: see os/sock.h.
 */
#include "os/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"

/*
 * Descriptors that one message may bring, whatever we asked for: the kernel's
 * SCM_MAX_FD. With room for all of them none is lost inside the kernel and the
 * surplus is ours to close.
 */
#define SOCK_FDS_KERNEL 253

static int
sock_addr(const char *path, struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (path == NULL || *path == '\0')
		return -EINVAL;
	return str_copy(sun->sun_path, sizeof(sun->sun_path), path);
}

static int
sock_lock_name(const char *path, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s.lock", path);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/*
 * Takes the lock file of a path: descriptor or -errno, -EADDRINUSE if somebody
 * holds it. A holder that ends removes its file, so the one we have locked may
 * be nobody's any more: then try again with the new one.
 */
static int
sock_lock(const char *path)
{
	char name[PATH_MAX];
	struct stat open_st, path_st;
	int fd, err;

	err = sock_lock_name(path, name, sizeof(name));
	if (err < 0)
		return err;
	for (;;) {
		fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    S_IRUSR | S_IWUSR);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			err = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
			close(fd);
			return err;
		}
		if (fstat(fd, &open_st) == 0 && lstat(name, &path_st) == 0 &&
		    open_st.st_dev == path_st.st_dev &&
		    open_st.st_ino == path_st.st_ino)
			return fd;
		close(fd);
	}
}

static void
sock_unlock(const char *path, int fd)
{
	char name[PATH_MAX];

	if (sock_lock_name(path, name, sizeof(name)) == 0)
		(void)unlink(name);
	close(fd);
}

/* Makes way for a new socket: 0, -EADDRINUSE, -ENOTSOCK or -errno. */
static int
sock_remove_stale(const char *path, int type)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = sock_connect_unix(path, type);
	if (fd >= 0)
		close(fd);
	else if (fd != -ECONNREFUSED && fd != -ENOENT)
		/* A full backlog, another type: somebody is there. */
		return fd == -EAGAIN || fd == -EPROTOTYPE ? -EADDRINUSE : fd;
	if (fd >= 0)
		return -EADDRINUSE;
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

/* Binds a socket that is open to its owner alone until the mode is set. */
static int
sock_bind(
    int fd, const struct sockaddr_un *sun, const struct sock_listen_options *o)
{
	mode_t mode = o->mode != 0 ? o->mode : S_IRUSR | S_IWUSR;

	/* The kernel makes the file with the mode of the socket's inode. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0)
		return -errno;
	if ((o->set_gid && lchown(sun->sun_path, (uid_t)-1, o->gid) < 0) ||
	    chmod(sun->sun_path, mode) < 0 ||
	    (o->type != SOCK_DGRAM &&
	        listen(fd, o->backlog > 0 ? o->backlog : SOMAXCONN) < 0)) {
		int err = -errno;

		(void)unlink(sun->sun_path);
		return err;
	}
	return 0;
}

int
sock_listen_unix(const char *path, const struct sock_listen_options *o,
    struct sock_listener *out)
{
	static const struct sock_listen_options defaults = { 0 };
	struct sock_listener l = { .fd = -1 };
	struct sockaddr_un sun;
	struct stat st;
	int type, err;

	if (o == NULL)
		o = &defaults;
	type = o->type != 0 ? o->type : SOCK_STREAM;
	err = sock_addr(path, &sun);
	if (err < 0)
		return err;
	memcpy(l.path, sun.sun_path, sizeof(l.path));

	l.lock_fd = sock_lock(path);
	if (l.lock_fd < 0)
		return l.lock_fd;
	err = sock_remove_stale(path, type);
	if (err < 0)
		goto out_unlock;
	l.fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l.fd < 0) {
		err = -errno;
		goto out_unlock;
	}
	err = sock_bind(l.fd, &sun, o);
	if (err < 0)
		goto out_close;
	if (lstat(path, &st) < 0) {
		err = -errno;
		goto out_close;
	}
	l.dev = st.st_dev;
	l.ino = st.st_ino;
	*out = l;
	return 0;

out_close:
	close(l.fd);
out_unlock:
	sock_unlock(path, l.lock_fd);
	return err;
}

void
sock_listener_close(struct sock_listener *l)
{
	struct stat st;

	if (l == NULL || l->path[0] == '\0')
		return;
	if (lstat(l->path, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		(void)unlink(l->path);
	close(l->fd);
	sock_unlock(l->path, l->lock_fd);
	*l = (struct sock_listener){ .fd = -1, .lock_fd = -1 };
}

int
sock_accept(int listen_fd)
{
	int fd;

	do
		fd = accept4(
		    listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	return fd < 0 ? -errno : fd;
}

int
sock_connect_unix(const char *path, int type)
{
	struct sockaddr_un sun;
	int fd, err;

	err = sock_addr(path, &sun);
	if (err < 0)
		return err;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	while (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0) {
		if (errno == EINTR)
			continue;
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

ssize_t
sock_send_fds(
    int fd, const void *data, size_t len, const int *fds, unsigned int count)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (count > SOCK_FDS_MAX)
		return -EINVAL;
	/* sendmsg(2) only reads it, but its type does not say so. */
	memcpy(&iov.iov_base, &data, sizeof(data));
	if (count > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Takes descriptors out of a control message, closing what is too much. */
static bool
sock_take_fds(const struct cmsghdr *c, int *fds, unsigned int count_max,
    unsigned int *count)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	const unsigned char *p = CMSG_DATA(c);
	bool surplus = false;

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, p + i * sizeof(int), sizeof(fd));
		if (*count < count_max) {
			fds[(*count)++] = fd;
		} else {
			close(fd);
			surplus = true;
		}
	}
	return surplus;
}

ssize_t
sock_recv_fds(int fd, void *data, size_t size, int *fds, unsigned int count_max,
    unsigned int *count, bool *truncated)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(SOCK_FDS_KERNEL * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	unsigned int got = 0;
	bool lost;
	ssize_t n;

	*count = 0;
	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	lost = (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL;
	     c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			lost |= sock_take_fds(c, fds,
			    COAX_MIN(count_max, (unsigned int)SOCK_FDS_MAX),
			    &got);
	*count = got;
	if (truncated != NULL)
		*truncated = lost;
	return n;
}

int
sock_peer_cred(int fd, struct ucred *out)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	if (cred.uid == (uid_t)-1)
		return -ENOTCONN; /* not connected, or not AF_UNIX */
	*out = cred;
	return 0;
}

int
sock_seqpacket_pair(int sndbuf, int fds[2])
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	        0, pair) < 0)
		return -errno;
	for (int i = 0; i < 2 && sndbuf > 0; i++) {
		if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &sndbuf,
		        sizeof(sndbuf)) < 0) {
			err = -errno;
			close(pair[0]);
			close(pair[1]);
			return err;
		}
	}
	memcpy(fds, pair, sizeof(pair));
	return 0;
}

ssize_t
sock_next_len(int fd)
{
	ssize_t n;

	do
		n = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int
fd_set_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);
	int wanted;

	if (flags < 0)
		return -errno;
	wanted = on ? flags | flag : flags & ~flag;
	if (wanted != flags && fcntl(fd, set, wanted) < 0)
		return -errno;
	return 0;
}

int
fd_set_nonblock(int fd, bool on)
{
	return fd_set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int
fd_set_cloexec(int fd, bool on)
{
	return fd_set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
memfd_sealed(const char *name, size_t size)
{
	int fd, err;

	if (size > INT64_MAX)
		return -EFBIG;
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
	        0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int
memfd_check(int fd, size_t size)
{
	struct statfs fs;
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstatfs(fd, &fs) < 0 ||
	    fs.f_type != TMPFS_MAGIC)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_size < 0 || (uint64_t)st.st_size < size ? -EMSGSIZE : 0;
}

int
memfd_map(int fd, const char **data, size_t *len)
{
	const int want = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *p;

	if (seals < 0 || (seals & want) != want)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	*len = (size_t)st.st_size;
	*data = "";
	if (st.st_size == 0)
		return 0;
	p = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*data = p;
	return 0;
}

void
memfd_unmap(const char *data, size_t len)
{
	if (len > 0)
		(void)munmap((void *)(uintptr_t)data, len);
}

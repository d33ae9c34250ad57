/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AF_UNIX sockets, the descriptors that travel over them, and memfds.
 *
 * All descriptors made here are close-on-exec. Listeners, accepted sockets and
 * both ends of a pair are non-blocking unless said otherwise.
 *
 * A listener owns its path as long as it holds flock(2) on PATH.lock. So of two
 * daemons started at the same moment exactly one gets the path, a socket left
 * behind by a killed daemon is replaced, and a living one's never is. A program
 * that listens without the lock is found by connecting to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define SOCK_FDS_MAX 16 /* descriptors in one message */

struct sock_listen_options {
	mode_t mode;  /* of the socket; 0: 0600 */
	bool set_gid; /* give it to group @gid */
	gid_t gid;
	int type; /* SOCK_STREAM if 0; SOCK_SEQPACKET; SOCK_DGRAM: bound only */
	int backlog; /* SOMAXCONN if 0 */
};

/* A zeroed one is closed. */
struct sock_listener {
	int fd;      /* accept from it by sock_accept() */
	int lock_fd; /* holds the lock */
	dev_t dev;   /* of the socket in the file system */
	ino_t ino;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/**
 * sock_listen_unix() - listen on a path
 * @path: borrowed; its directory must exist (priv_mkdir_for())
 * @o:    NULL for the defaults
 * @out:  owned; written on success; undo with sock_listener_close()
 *
 * The socket is never reachable with wider rights than asked for.
 * Return: 0, -EADDRINUSE (somebody listens there), -ENOTSOCK (something else
 * than a socket has the name; it stays), -ENAMETOOLONG, -EINVAL, or -errno of
 * the calls (-EACCES, -ENOENT, -EPERM for a group that is not ours ...).
 */
int sock_listen_unix(const char *path, const struct sock_listen_options *o,
    struct sock_listener *out);

/* Stops listening and removes the socket (if it still is ours) and lock. */
void sock_listener_close(struct sock_listener *l);

/* The next connection, non-blocking; -EAGAIN if none, or -errno. Owned. */
int sock_accept(int listen_fd);

/**
 * sock_connect_unix() - connect to a path
 * @type: SOCK_STREAM, SOCK_SEQPACKET ...; the socket blocks unless it is or-ed
 *        with SOCK_NONBLOCK: then connecting does not wait either
 *
 * Return: descriptor (owned), -ENOENT (no socket), -ECONNREFUSED (nobody
 * listens), -EAGAIN (it would wait for a place in the listener's queue),
 * -EPROTOTYPE (another type), -EACCES, -ENAMETOOLONG or -errno.
 */
int sock_connect_unix(const char *path, int type);

/**
 * sock_send_fds() - send bytes and descriptors in one message
 * @len:   > 0 when descriptors are sent over a stream
 * @fds:   borrowed; the receiver gets duplicates
 * @count: 0 to SOCK_FDS_MAX
 *
 * Never raises SIGPIPE. Descriptors go with the first byte that is taken, so
 * after a short count send the rest without them.
 * Return: bytes taken, -EINVAL (@count), -EAGAIN, -EPIPE, -ETOOMANYREFS or
 * -errno.
 */
ssize_t sock_send_fds(
    int fd, const void *data, size_t len, const int *fds, unsigned int count);

/**
 * sock_recv_fds() - receive bytes and descriptors
 * @fds:       filled with descriptors (owned by the caller, close-on-exec)
 * @count_max: room in @fds; at most SOCK_FDS_MAX. More than that are closed
 * @count:     how many came
 * @truncated: if not NULL: true if bytes (a datagram longer than @size) or
 *             descriptors were lost
 *
 * Return: bytes (0: end of file, for SEQPACKET also an empty message), -EAGAIN,
 * -ECONNRESET or -errno. @count is 0 on error.
 */
ssize_t sock_recv_fds(int fd, void *data, size_t size, int *fds,
    unsigned int count_max, unsigned int *count, bool *truncated);

/* Who is at the other end (at connect time). 0 or -errno. */
int sock_peer_cred(int fd, struct ucred *out);

/**
 * sock_seqpacket_pair() - two connected ends that keep record boundaries
 * @sndbuf: SO_SNDBUF of both ends, in bytes as given to setsockopt(2) (the
 *          kernel doubles it and has a least value); 0: the system's default
 * @fds:    both owned; close-on-exec and non-blocking
 *
 * Return: 0 or -errno.
 */
int sock_seqpacket_pair(int sndbuf, int fds[2]);

/*
 * The length of the next record of a SEQPACKET socket, without taking it; 0 at
 * the end and for an empty record; -EAGAIN if there is none, or -errno.
 */
ssize_t sock_next_len(int fd);

int fd_set_nonblock(int fd, bool on);
int fd_set_cloexec(int fd, bool on);

/* Closes *@fd if it is not negative, and makes it -1. Keeps errno. */
void fd_close(int *fd);

/**
 * memfd_sealed() - shared memory of fixed size
 * @name: shown in /proc, for people
 * @size: bytes, all zero at first; sealed against growing and shrinking, so
 *        nobody who gets the descriptor can kill us with SIGBUS
 *
 * Return: descriptor (owned) or -errno.
 */
int memfd_sealed(const char *name, size_t size);

/*
 * Checks a memfd that a stranger sent: sealed against shrinking, of ordinary
 * pages (there may be no huge one when it is needed), and at least @size bytes.
 * 0, -EPERM (not so, or not a memfd) or -EMSGSIZE.
 */
int memfd_check(int fd, size_t size);

/**
 * memfd_map() - see the bytes of a memfd that nobody can change any more
 * @data: @len bytes; until memfd_unmap(). Reading them cannot fail or wait
 *
 * Return: 0, -EPERM (not a memfd, or not sealed against writing, growing and
 * shrinking) or -errno.
 */
int memfd_map(int fd, const char **data, size_t *len);
void memfd_unmap(const char *data, size_t len);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network namespaces: making them, opening other people's, working inside.
 *
 * A namespace is a descriptor. It lives as long as a process, a descriptor or a
 * socket made in it does, so of a namespace that is not ours keep none: keep a
 * struct netns_id to know it again and a pidfd to see its owner end.
 *
 * Two kinds of refusal are told apart: -EPERM is "we lack CAP_SYS_ADMIN" (over
 * ourselves or over the namespace), -EACCES is "the process belongs to another
 * user namespace or user, /proc does not let us look": there only a helper of
 * that side can go in, user namespace first (netns_fd_from()).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What tells namespaces apart while one of them is alive. */
struct netns_id {
	dev_t dev;
	ino_t ino;
};

/* The calling thread's namespace; descriptor (owned) or -errno. */
int netns_current(void);

/*
 * The namespace of a process: descriptor (owned), -ESRCH (no such process, or
 * it has ended), -EACCES or -errno.
 */
int netns_open_pid(pid_t pid);

/* The user namespace of a process; as netns_open_pid(). */
int netns_open_user_of_pid(pid_t pid);

/*
 * The namespace behind a path (/run/netns/NAME, /proc/PID/ns/net): descriptor
 * (owned), -ENOENT, -EINVAL (not a network namespace), -EACCES or -errno.
 */
int netns_open_path(const char *path);

/* True if @fd is a network namespace: for descriptors that clients send. */
bool netns_is(int fd);

/**
 * netns_create() - make an empty network namespace
 *
 * The caller stays where it is: a short-lived thread makes it. Its lo is up.
 * Return: descriptor (owned), -EPERM (no CAP_SYS_ADMIN), -ENOSPC (limit
 * user.max_net_namespaces), -EAGAIN, or -errno.
 */
int netns_create(void);

/* The user whose user namespace an open namespace belongs to: he may do there
 * what he likes.  0 or -errno. */
int netns_get_owner(int fd, uid_t *out);

/* Identity of an open namespace; 0 or -errno. */
int netns_get_id(int fd, struct netns_id *out);
bool netns_id_equal(const struct netns_id *a, const struct netns_id *b);

/**
 * netns_run() - run a function inside a namespace, on the calling thread
 * @fd:  namespace
 * @fn:  its result (not negative, or -errno) is returned; what it opens belongs
 *       to the namespace and pins it
 *
 * Enters, runs, comes back. Failing to come back would make all that follows
 * act in the wrong place, so it ends the program.
 * Return: what @fn returned, or -EPERM, -EINVAL (not a namespace) or -errno if
 * it could not be entered; @fn then was not called.
 */
int netns_run(int fd, int (*fn)(void *arg), void *arg);

/* Brings lo up in a namespace; -1: where the caller is. 0 or -errno. */
int netns_lo_up(int fd);

/**
 * netns_fd_from() - fetch a descriptor out of somebody's namespaces
 * @user_fd: user namespace to enter first; -1: none
 * @net_fd:  network namespace to enter then; -1: none
 * @fn:      runs in a forked child inside them; returns a descriptor or -errno.
 *           It must only make system calls and must not use threads or locks
 *
 * What a client does for a rootless container: open /dev/net/tun in there.
 * Return: the descriptor (owned, close-on-exec), what @fn returned if negative,
 * or -errno of entering.
 */
int netns_fd_from(int user_fd, int net_fd, int (*fn)(void *arg), void *arg);

struct netns_enter_options {
	bool enter_user; /* enter @user_fd before the rest */
	int user_fd;
	int net_fd;    /* network namespace */
	bool keep_sys; /* do not mount /sys anew */
};

/**
 * netns_enter() - move the calling process for good
 * @o: which namespaces
 *
 * For a program that is about to execute another (jexec). Afterwards the
 * process has a mount namespace of its own, where permitted, with /sys showing
 * the new network namespace; where it is not permitted /sys stays and that is
 * no error. The process must have one thread.
 * Return: 0 or -errno (as netns_run()).
 */
int netns_enter(const struct netns_enter_options *o);

struct netns_spawn_options {
	struct netns_enter_options enter;
	bool in_place;     /* do not enter anything */
	char *const *argv; /* argv[0] is looked up in PATH */
	char *const *envp; /* NULL: ours */
	int stdio[3];      /* descriptors for 0, 1, 2; -1: ours. All 0: ours */
	int more[2]; /* descriptors for 8 and 9, which even shells can name and
	              * few programs use; 0 or -1: none */
	bool die_with_parent;
	/* After entering: priv_confine() with these capabilities, in a mount
	 * namespace of its own. */
	bool confine;
	uint64_t keep_caps;
};

/**
 * netns_spawn() - start a program inside namespaces
 * @pid:   its process
 * @pidfd: readable when it has ended; owned. NULL: not wanted
 *
 * It has an empty signal mask and default signal actions. Returns when the
 * program has been executed.
 * Return: 0, or -errno of entering or of execvp(3) (-ENOENT: no such program);
 * the child has then been reaped.
 */
int netns_spawn(const struct netns_spawn_options *o, pid_t *pid, int *pidfd);

/* A descriptor that becomes readable when @pid ends; -ESRCH or -errno. */
int netns_pidfd(pid_t pid);

/* True if the process behind a pidfd has ended. */
bool netns_pidfd_ended(int pidfd);

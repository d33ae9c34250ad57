/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lab: a process tree with namespaces of its own, in which an ordinary user
 * has a network to administer, and of which nothing is left at the end.
 *
 *   caller          lab_run(): waits, passes signals on, returns the status
 *    `- init        process 1 of the new PID namespace: reaps, ends with the
 *        |          caller; when it ends the kernel kills everything inside
 *        `- inside  runs the caller's function, which may start and exec things
 *
 * New are: user namespace (unless real root has none), network (lo up), mount
 * (all private; /proc and /sys mounted anew, tmpfs on /run, with /run/coax),
 * PID. In a user namespace the caller is
 *   - root, with the ranges of /etc/subuid and /etc/subgid behind 1 .. N, where
 *     newuidmap(1) allows it (real root: all ids, unchanged);
 *   - else itself, with every capability in the ambient set, so that programs
 *     that are executed keep them and tcpdump(8) sees the user that it knows;
 *     or, if so asked, root all the same, and nobody else is there.
 * The environment inside has COAX_SOCKET=/run/coax/coax.sock and COAX_LAB=1.
 * Standard input and the terminal work: inside leads the terminal's foreground
 * process group as any command of the caller's shell.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LAB_SOCKET "/run/coax/coax.sock"

enum lab_userns {
	LAB_USERNS_AUTO = 0, /* where permitted; root does without if not */
	LAB_USERNS_NEVER,    /* root only */
	LAB_USERNS_OWN_UID,  /* always, with one's own uid (no newuidmap) */
	LAB_USERNS_ROOT, /* where permitted, as root: the only id if need be */
};

struct lab_options {
	enum lab_userns userns;
	char *why; /* on failure: one readable line; may be NULL */
	size_t why_size;
};

/**
 * lab_run() - run a function in a lab, to its end
 * @o:      NULL for the defaults
 * @inside: called in the lab, in a process of its own with one thread; its
 *          result (0 to 255) is the exit status. It may also exec or _exit().
 *          Its descriptors are the caller's
 * @arg:    passed to @inside
 *
 * Signals that are sent to the caller (SIGTERM, SIGHUP, SIGINT, SIGUSR1 ...)
 * are passed on; those that the terminal sends reach inside by themselves, and
 * on ^Z the caller stops with it. If the calling thread dies, so does the lab.
 * Between fork and inside() only this thread exists: the caller should have
 * just one.
 * Return: exit status, 128 + signal if inside was killed by one; -EPERM
 * (neither user namespaces nor root) or -errno if there was no lab: @why says
 * it.
 */
int lab_run(const struct lab_options *o, int (*inside)(void *arg), void *arg);

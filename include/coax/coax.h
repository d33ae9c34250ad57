/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax, the client side: ask a coaxd, and hear its events.
 *
 * A connection is a JSON-RPC 2.0 conversation over a Unix socket, one message a
 * line; requests and answers are passed here as JSON text, so a program may use
 * whatever JSON library it likes, or none. coax-rpc(7) has the methods.
 *
 *	struct coax *c;
 *	char *text;
 *
 *	if (coax_connect(NULL, &c) == 0) {
 *		if (coax_request(c, "iface.list", NULL, &text) == 0) {
 *			puts(text);
 *			free(text);
 *		} else
 *			fprintf(stderr, "%s\n", coax_errmsg(c));
 *		coax_close(c);
 *	}
 *
 * Link with -lcoax (pkg-config coax).
 */
#ifndef COAX_COAX_H
#define COAX_COAX_H

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define COAX_FDS_MAX 16 /* descriptors in one message */

/* A connection to a daemon. */
struct coax;

/**
 * coax_connect() - connect to a daemon
 * @path: control socket; NULL: where coaxd(8) says it is for this user
 *        (COAX_SOCKET, else a place that depends on the user)
 * @out:  owned by the caller, who gives it to coax_close(); written on success
 *
 * Also tells the daemon in which network namespace the caller is: its commands
 * act on the vnet of that namespace.
 *
 * Return: 0, -ENOENT or -ECONNREFUSED (no daemon there), -EACCES (not
 * permitted), -ENAMETOOLONG, -EPERM (the default place belongs to a stranger),
 * -ENOMEM or another negative errno of connect(2).
 * Threads: a connection is for one at a time; connections are independent.
 */
int coax_connect(const char *path, struct coax **out);

/**
 * coax_close() - end a connection
 * @c: consumed; may be NULL
 *
 * Events that were not fetched are lost.
 */
void coax_close(struct coax *c);

/**
 * coax_request() - call a method and wait for its answer
 * @c:      connection; borrowed
 * @method: "iface.list"; borrowed
 * @params: JSON text of an object or an array; borrowed; NULL: none
 * @result: JSON text, owned by the caller (free(3)); written on success; NULL:
 *          not wanted
 *
 * Events that arrive meanwhile are kept for coax_next_event().
 *
 * Return: 0; -EINVAL (@params is not JSON, or was refused as such), -EPIPE (the
 * daemon closed the connection), -EPROTO (it said something else than
 * JSON-RPC), -ENOMEM; or the daemon's refusal as a negative errno: see
 * coax_errmsg() and coax_error().
 */
int coax_request(
    struct coax *c, const char *method, const char *params, char **result);

/**
 * coax_request_fds() - the same, with descriptors both ways
 * @fds:       descriptors to pass; borrowed; the daemon gets duplicates
 * @fd_count:  how many; 0 to COAX_FDS_MAX
 * @got:       filled with descriptors, close-on-exec, owned by the caller
 * @got_max:   room in @got; more than that are closed
 * @got_count: how many came; 0 on error
 *
 * Messages name descriptors by their index. @params must then be an object; the
 * member "fds" with their number is added to it.
 *
 * Return: as coax_request(); -EINVAL for a wrong @fd_count.
 */
int coax_request_fds(struct coax *c, const char *method, const char *params,
    const int *fds, unsigned int fd_count, char **result, int *got,
    unsigned int got_max, unsigned int *got_count);

/**
 * coax_fd() - descriptor to wait on for events, by poll(2) for reading
 *
 * Return: descriptor, borrowed: do not read, write or close it. When it is
 * readable call coax_next_event() with a timeout of 0 until it returns 0.
 */
int coax_fd(const struct coax *c);

/**
 * coax_next_event() - take the next event
 * @c:          connection on which "events.subscribe" was requested; borrowed
 * @timeout_ms: longest wait, in milliseconds; 0 polls, -1 waits for ever
 * @event:      JSON text of an object, owned by the caller (free(3)); written
 *              when 1 is returned
 *
 * A subscriber that is too slow loses events, and is told how many by an event
 * of type "lost".
 *
 * Return: 1, 0 on timeout, -EPIPE (the daemon has closed the connection),
 * -EPROTO, -EINTR (a signal) or another negative errno.
 */
int coax_next_event(struct coax *c, int timeout_ms, char **event);

/**
 * coax_errmsg() - the last error of a connection in words
 *
 * Return: text without a newline; "" before the first error. Borrowed until the
 * next call on @c.
 */
const char *coax_errmsg(const struct coax *c);

/**
 * coax_error() - the daemon's last refusal
 *
 * Return: JSON text of the error object ("code", "message", "data"), or NULL if
 * the last request was not refused by the daemon. Borrowed until the next call
 * on @c.
 */
const char *coax_error(const struct coax *c);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

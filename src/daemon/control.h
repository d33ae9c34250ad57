/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control sockets: clients' bytes to and from control/rpc.
 *
 * Two listeners, PATH for all methods and PATH with "-ro" before its last dot
 * for those that change nothing. Who may connect is decided twice, by the
 * socket's mode and by SO_PEERCRED, and with it what he may (net/actor.h):
 *   - root, the daemon's own user, and members of the group of --admin are
 *     administrators;
 *   - members of the group of --group are users, on both sockets: each sees and
 *     changes what is his;
 *   - without these two, members of the daemon's own group see everything on
 *     the read-only socket.
 *
 * The work is bounded in each iteration of the loop: one read and one request a
 * client, CONTROL_STEPS_MAX clients. Nobody is waited for:
 *   - a client that does not take its answers is not read from, so that what it
 *     holds is at most one line and one answer, and is dropped when it takes
 *     nothing for stall_ns;
 *   - a client that breaks a limit gets an error object and is dropped;
 *   - there is room for clients_max clients, and for half as many more on the
 *     read-only socket. A user other than root and the daemon's own may have a
 *     quarter of each, and all of them together leave the last
 *     CONTROL_CLIENTS_RESERVED (at most a quarter) to these two;
 *   - a client that has closed is dropped at once; one that has only shut down
 *     its sending side gets the answers to what it has sent;
 *   - out of descriptors, the listeners rest until a client goes, or for a
 *     tenth of a second.
 *
 * Threads: the loop's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/rpc.h"
#include "os/loop.h"

#define CONTROL_CLIENTS_MAX      512
#define CONTROL_CLIENTS_RESERVED 16u
#define CONTROL_STEPS_MAX        16
#define CONTROL_STALL_NS         UINT64_C(10000000000)
#define CONTROL_EVENTS_SIZE      (256u * 1024) /* bytes a subscriber may hold */

struct control;
struct client;

struct control_options {
	struct loop *loop;         /* borrowed, as is all that follows */
	struct net *net;           /* its time is set before requests run */
	struct rpc_server *server; /* of the methods */
	bool set_gid;              /* --group: users */
	gid_t gid;
	bool set_admin; /* --admin: administrators */
	gid_t admin;
	uint32_t clients_max; /* 0: CONTROL_CLIENTS_MAX */
	uint64_t stall_ns;    /* 0: CONTROL_STALL_NS */
};

/* 0 or -errno. @out: owned; no sockets yet. */
int control_create(const struct control_options *o, struct control **out);

/* Drops all clients and removes the sockets. NULL is valid. */
void control_destroy(struct control *control);

/**
 * control_listen() - make the two sockets
 * @path: of the first; its directory exists
 *
 * Return: 0, -EADDRINUSE (a living daemon has it) or what sock_listen_unix()
 * returns; nothing remains then.
 */
int control_listen(struct control *control, const char *path);

/* The path of the read-only socket that belongs to @path; -ENAMETOOLONG. */
int control_path_ro(const char *path, char *buf, size_t size);

/**
 * control_adopt() - take a connected socket as a client
 * @fd: non-blocking stream; consumed
 *
 * Return: 0 or -errno (-EACCES: not permitted; -EUSERS: too many).
 */
int control_adopt(struct control *control, int fd, bool read_only);

/* How many clients there are. */
uint32_t control_clients(const struct control *control);

/* --- for the methods ------------------------------------------------------ */

/* rpc_server_options.close_fd */
void control_close_fd(int fd);

/**
 * control_hold() - while @on, requests of all clients wait
 *
 * Those under way go on, and are answered.
 */
void control_hold(struct control *control, bool on);

/* Who is at the other end of a session. */
void control_peer(struct rpc_session *session, uint32_t *uid, int32_t *pid);

struct subscription {
	bool active;
	uint32_t types; /* bit n: enum net_event_type n */
	uint64_t lost;  /* events not sent since the last notice */
};

/* What a session's client has subscribed to. Borrowed while the session lives.
 */
struct subscription *control_subscription(struct rpc_session *session);

/* A subscription was switched on or off. */
void control_subscribed(struct control *control);

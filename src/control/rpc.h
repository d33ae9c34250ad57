/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON-RPC 2.0 over a stream of bytes, one message a line.
 *
 * Theory of operation
 *
 * A struct rpc_server has the tables of methods. A struct rpc_session is one
 * client: bytes go in, bytes come out, and nothing here touches a descriptor
 * or a clock:
 *
 *     recvmsg() --rpc_session_fds()-----> [          ]
 *               --rpc_session_input()---> [ session  ] --> handler(call)
 *     the loop  --rpc_session_step()----> [          ] <-- rpc_reply(call)
 *     sendmsg() <--rpc_session_output()-- [          ]
 *
 * The owner calls rpc_session_step() once per turn of its loop and client: one
 * request, or one element of a batch, runs per call. A handler answers with
 * exactly one of rpc_reply(), rpc_reply_fds(), rpc_fail(), rpc_fail_errno(),
 * at once or later; until then the session's later requests wait (their bytes
 * stay in the buffer), and those of other sessions go on. In a batch a handler
 * that only waits for something to end in the background may say
 * rpc_call_overlap(): then the next element starts meanwhile. The answers of a
 * batch keep the order of its elements and leave together.
 *
 * Descriptors that arrive (SCM_RIGHTS, with the first byte of their line) go
 * into a queue: rpc_session_fds() before rpc_session_input() of the same
 * recvmsg(). A request that says "fds": N in its parameters takes the N oldest.
 * Answers of a batch carry none.
 *
 * Limits, all of which end the session (after an error answer where one can
 * be given): RPC_LINE_MAX bytes a line, RPC_OUT_MAX bytes of answers not yet
 * taken. RPC_DEPTH_MAX and RPC_BATCH_MAX are errors of the request
 * (-32600). Answers of a batch that exceed RPC_BATCH_OUT_MAX end it: the
 * element whose answer has no room and all later ones, which are not carried
 * out, get an error (EMSGSIZE). The rate is a token bucket, one token an
 * element and one more for each RPC_TOKEN_SIZE bytes of its answer: when it is
 * empty nothing is refused, requests wait until rpc_session_due().
 *
 * All sessions together hold RPC_HELD_MAX bytes of requests under way and
 * answers not yet taken, and one answer more; beyond, requests are refused
 * (ENOBUFS). Reserved sessions have a budget of their own.
 *
 * Source: https://www.jsonrpc.org/specification (JSON-RPC 2.0).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/text.h"
#include "net/net.h"

#define RPC_LINE_MAX           (1024 * 1024) /* bytes of a request, with newline */
#define RPC_LINE_READ_ONLY_MAX (256 * 1024)       /* on the read-only socket */
#define RPC_OUT_MAX            (32 * 1024 * 1024) /* bytes of answers not taken */
#define RPC_BATCH_OUT_MAX      (8 * 1024 * 1024)          /* of one batch */
#define RPC_HELD_MAX           ((size_t)64 * 1024 * 1024) /* of all sessions */
#define RPC_HELD_RESERVED_MAX  ((size_t)256 * 1024 * 1024)
#define RPC_DEPTH_MAX          16    /* nested arrays and objects */
#define RPC_BATCH_MAX          4096  /* elements of a batch */
#define RPC_FDS_MAX            8     /* descriptors with one line */
#define RPC_RATE               20000 /* requests a second ... */
#define RPC_BURST              20000 /* ... and at once */
#define RPC_TOKEN_SIZE         1024  /* bytes of an answer for one */

/* Error codes of JSON-RPC 2.0, and ours. */
#define RPC_PARSE_ERROR      (-32700)
#define RPC_INVALID_REQUEST  (-32600)
#define RPC_METHOD_NOT_FOUND (-32601)
#define RPC_INVALID_PARAMS   (-32602)
#define RPC_INTERNAL_ERROR   (-32603)
#define RPC_FAILED           (-32000) /* refused; data has errno, exit */

struct config;
struct rpc_call;
struct rpc_session;
struct rpc_server;

enum rpc_type {
	RPC_TYPE_END = 0,
	RPC_STRING,
	RPC_STRING_OR_NULL,
	RPC_INTEGER, /* min to max */
	RPC_BOOLEAN,
	RPC_STRINGS, /* array of strings */
	RPC_OBJECT,
};

/* A parameter, by name; by position in the order of the rows. Every method
 * also takes "vnet" (string: act there; from home only) and "fds" (integer:
 * number of descriptors that came with the line). Others are refused. */
struct rpc_param {
	const char *name; /* NULL ends the rows */
	enum rpc_type type;
	bool optional;
	int64_t min, max; /* of an integer; both 0: any */
	const char *about;
};

#define RPC_PARAMS_MAX 6

#define RPC_READ_ONLY                                                        \
	0x01u               /* also on the read-only socket: changes nothing \
	                     * (a handler may refuse by call->read_only) */
#define RPC_HOME_ONLY 0x02u /* refused (EPERM) outside home */
#define RPC_USERS     0x04u /* not only for administrators (net/actor.h) */

struct rpc_method {
	const char *name; /* "iface.list"; NULL ends a table */
	uint32_t flags;   /* RPC_* */
	struct rpc_param params[RPC_PARAMS_MAX + 1];
	/* Answers now or later. @call->params has been checked by the rows. */
	void (*handler)(struct rpc_call *call);
	const char *about; /* one line */
};

/*
 * A request under way. Lives until it is answered. After its session has gone
 * (session is NULL) it goes on, and its answer goes nowhere.
 */
struct rpc_call {
	struct rpc_session *session; /* NULL: the client has gone */
	struct rpc_server *server;
	struct net *net;
	struct vnet *vnet; /* where it acts: valid during handler() only */
	bool home;         /* the session is in home (may name other vnets) */
	bool read_only;
	const struct net_actor *actor; /* valid during handler() only */
	const struct rpc_method *method;
	json_t *params; /* object, possibly empty; borrowed */
	/* Descriptors of the line; -1 in the place of one that the handler
	 * has taken. The rest is closed when the call ends. */
	int fds[RPC_FDS_MAX];
	uint32_t fd_count;
	/* "uid 0 pid 12 ifconfig": net->cause while handler() runs. */
	char cause[64];
	void *state; /* the handler's */
	/* Set by a handler that waits: frees @state when the server is
	 * destroyed before the end. */
	void (*abandon)(struct rpc_call *call);
	void *user; /* rpc_server_options.user */

	/* rpc.c's */
	void *line;
	json_t *id, *request;
	uint32_t slot;
	bool overlap;
	TAILQ_ENTRY(rpc_call) link;
};

struct rpc_server_options {
	struct net *net; /* borrowed for the server's life */
	/* Arrays of methods, each ended by a NULL name; the array of them by
	 * NULL. Borrowed for ever. */
	const struct rpc_method *const *tables;
	void *user;               /* for handlers */
	void (*close_fd)(int fd); /* must be set if descriptors are passed */
	/* The bytes behind a descriptor that cannot change any more, and the
	 * end of their use; for methods that take whole files. 0 or -errno.
	 * NULL: they take texts only. */
	int (*map_fd)(int fd, const char **data, size_t *len);
	void (*unmap)(const char *data, size_t len);
	struct config *config; /* of the methods config.*; borrowed. NULL: there
	                        * are none */
};

int rpc_server_create(
    const struct rpc_server_options *options, struct rpc_server **out);
/**
 * rpc_server_destroy() - the sessions have been destroyed before
 *
 * Calls that still wait are freed unanswered: what they wait for (net_wait of
 * the system) must have been called off.
 */
void rpc_server_destroy(struct rpc_server *server);

/** rpc_server_method() - a row by name, or NULL */
const struct rpc_method *rpc_server_method(
    const struct rpc_server *server, const char *name);

/** rpc_server_get_options() - borrowed */
const struct rpc_server_options *rpc_server_get_options(
    const struct rpc_server *server);

/** rpc_server_tables() - rpc_server_options.tables */
const struct rpc_method *const *rpc_server_tables(
    const struct rpc_server *server);

/** rpc_server_held() - bytes that all sessions hold now */
size_t rpc_server_held(const struct rpc_server *server);

struct rpc_session_options {
	uint32_t uid;
	int32_t pid;
	const char *client;   /* name for the cause; NULL: "client" */
	bool read_only;       /* the read-only socket */
	bool reserved;        /* of the owner: has its own budget */
	void *user;           /* rpc_session_user() */
	uint32_t rate, burst; /* 0: RPC_RATE, RPC_BURST */
	/* The bucket that its user's sessions have together; NULL: its own.
	 * Borrowed. */
	struct net_rate *bucket;
	const struct net_actor *actor; /* borrowed; NULL: may do all */
	uint64_t now_ns;
	/* Called when output or something to step appears outside of the
	 * session's own functions (an answer came later). May be NULL. */
	void (*wake)(struct rpc_session *session, void *user);
};

int rpc_session_create(struct rpc_server *server,
    const struct rpc_session_options *options, struct rpc_session **out);
/** rpc_session_destroy() - NULL is valid. Calls under way go on unanswered */
void rpc_session_destroy(struct rpc_session *session);
void *rpc_session_user(const struct rpc_session *session);

/** rpc_session_hello() - name and vnet of the client (session.hello).
 * @client: copied, cleaned and cut; NULL leaves it. @vnet: NULL is home */
void rpc_session_hello(
    struct rpc_session *session, const char *client, const struct vnet *vnet);

/** rpc_session_fds() - descriptors that came with the bytes which follow.
 * Owned by the session from here. -EMFILE: more than RPC_FDS_MAX are waiting
 * (all of @fds are closed; end the session) */
int rpc_session_fds(
    struct rpc_session *session, const int *fds, uint32_t count);

/**
 * rpc_session_input() - bytes from the client
 * @data: borrowed
 *
 * Return: 0, -EMSGSIZE (line too long: an error answer is queued; send what
 * rpc_session_output() has, then end the session), -ENOMEM.
 */
int rpc_session_input(
    struct rpc_session *session, const void *data, size_t len);

/** rpc_session_wants_input() - false while a whole line waits to be run: leave
 * the rest in the socket, so that a client is slowed down by its own pace */
bool rpc_session_wants_input(const struct rpc_session *session);

/**
 * rpc_session_step() - run at most one request (or element of a batch)
 *
 * Return: true if another could run at once. Handlers must not destroy the
 * session they are called from.
 */
bool rpc_session_step(struct rpc_session *session, uint64_t now_ns);

/** rpc_session_due() - when to call step again because the rate holds requests
 * back: a time, or 0 */
uint64_t rpc_session_due(const struct rpc_session *session);

/** rpc_session_idle() - nothing buffered, running or unsent. After the client
 * has shut down its sending side: end the session once this is true */
bool rpc_session_idle(const struct rpc_session *session);

/**
 * rpc_session_output() - bytes to send
 * @len: how many
 * @fds: descriptors to send with the first of these bytes; borrowed
 * @fd_count: how many
 *
 * Return: bytes, all of one line; borrowed until output_done(). NULL: none.
 */
const char *rpc_session_output(const struct rpc_session *session, size_t *len,
    const int **fds, uint32_t *fd_count);
/** rpc_session_output_done() - @len (> 0) bytes, and the descriptors, were
 * sent; the descriptors are closed here */
void rpc_session_output_done(struct rpc_session *session, size_t len);
/** rpc_session_overrun() - more than RPC_OUT_MAX waits: end the session */
bool rpc_session_overrun(const struct rpc_session *session);
/** rpc_session_output_size() - bytes that wait */
size_t rpc_session_output_size(const struct rpc_session *session);

/**
 * rpc_notify() - send the client a notification
 * @params: consumed
 *
 * Return: 0, or -ENOBUFS (more than RPC_OUT_MAX / 4 waits; not sent).
 */
int rpc_notify(struct rpc_session *session, const char *method, json_t *params);

/* Ends of a call: each frees @call. @result, @data are consumed (NULL result:
 * null). */
void rpc_reply(struct rpc_call *call, json_t *result);
/** rpc_reply_fds() - @result names them by index; consumed (closed when sent)
 */
void rpc_reply_fds(
    struct rpc_call *call, json_t *result, const int *fds, uint32_t count);
void rpc_fail(
    struct rpc_call *call, int code, const char *message, json_t *data);
/**
 * rpc_fail_errno() - refused by the system or the rules
 * @err: negative errno
 * @fmt: what was tried ("SIOCIFCREATE2 (tap0)")
 *
 * The message is "WHAT: Sentence"; data has errno, exit 1 and, when the net has
 * a message about it, detail.
 */
void rpc_fail_errno(struct rpc_call *call, int err, const char *fmt, ...)
    COAX_PRINTF(3, 4);
/** rpc_fail_param() - -32602 "invalid params: NAME: why" */
void rpc_fail_param(struct rpc_call *call, const char *name, const char *why);

/** rpc_call_overlap() - in a batch, the next element may start meanwhile */
void rpc_call_overlap(struct rpc_call *call);

/** rpc_call_take_fd() - take descriptor @i of the call, or -1 if there is none.
 * Owned by the caller from here */
int rpc_call_take_fd(struct rpc_call *call, uint32_t i);

/* Parameters, once checked by the rows: NULL, @def when absent. */
const char *rpc_param_str(const struct rpc_call *call, const char *name);
int64_t rpc_param_int(
    const struct rpc_call *call, const char *name, int64_t def);
bool rpc_param_bool(const struct rpc_call *call, const char *name, bool def);

/** rpc_error_data() - {"errno", "exit": 1, "detail"?}; @detail may be NULL */
json_t *rpc_error_data(int err, const char *detail);

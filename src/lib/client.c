/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax: the client's side of the control socket.
 *
 * One message a line (JSON-RPC 2.0). A connection begins with session.hello,
 * which carries the descriptor of the caller's network namespace; its answer is
 * not waited for but skipped when it comes, so it costs no round trip. After
 * that requests are synchronous: at most one is unanswered, so descriptors that
 * arrive belong to the answer that arrives with them. Notifications that come
 * in between are kept, at most EVENTS_MAX; what does not fit is counted and
 * told as the daemon tells it, by an event of type "lost".
 *
 * Who owns what: the connection owns the buffer of bytes not yet parsed, the
 * descriptors not yet claimed, and the events not yet fetched.
 */
#include "lib/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "lib/plain.h"
#include "os/clock.h"
#include "os/priv.h"
#include "os/sock.h"

#define LINE_MAX_BYTES (128u * 1024 * 1024) /* longest answer */
#define READ_SIZE      65536
#define EVENTS_MAX     4096

_Static_assert(COAX_FDS_MAX == SOCK_FDS_MAX, "descriptors in a message");

struct event {
	json_t *params;
	STAILQ_ENTRY(event) link;
};

struct coax {
	int fd;
	json_int_t last_id; /* of the last request */
	char *in;           /* bytes received and not yet parsed */
	size_t in_len, in_size;
	size_t in_seen; /* of them, without a newline */
	int fds[SOCK_FDS_MAX];
	unsigned int fd_count;
	STAILQ_HEAD(, event) events;
	unsigned int event_count;
	uint64_t events_lost;
	json_t *error;    /* the last refusal, or NULL */
	char *error_text; /* the same as text, once asked for */
	char message[512];
};

/* Notes what went wrong. Return: @err. */
static int COAX_PRINTF(3, 4)
    client_error(struct coax *c, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(c->message, sizeof(c->message), fmt, ap);
	va_end(ap);
	return err;
}

static void
client_close_fds(struct coax *c)
{
	for (unsigned int i = 0; i < c->fd_count; i++)
		fd_close(&c->fds[i]);
	c->fd_count = 0;
}

/* Takes an error object (consumed) as the outcome of a request. */
static int
client_refused(struct coax *c, json_t *error)
{
	json_t *data = json_object_get(error, "data");
	const char *message =
	    json_string_value(json_object_get(error, "message"));
	const char *detail = json_string_value(json_object_get(data, "detail"));
	const char *name = json_string_value(json_object_get(data, "errno"));
	int err;

	c->error = error;
	if (message == NULL)
		message = "refused without a reason";
	if (detail != NULL)
		(void)client_error(c, 0, "%s (%s)", message, detail);
	else
		(void)client_error(c, 0, "%s", message);
	if (name != NULL)
		return plain_errno(name);
	err = (int)json_integer_value(json_object_get(error, "code"));
	switch (err) {
	case -32700: /* not JSON */
	case -32600: /* not a request */
	case -32602: /* parameters */
		return -EINVAL;
	case -32601: /* no such method */
		return -ENOSYS;
	default:
		return -EIO;
	}
}

/* Sends all of it; the descriptors go with the first byte. */
static int
client_send(struct coax *c, const char *data, size_t len, const int *fds,
    unsigned int fd_count)
{
	while (len > 0) {
		ssize_t n = sock_send_fds(c->fd, data, len, fds, fd_count);

		if (n == -EINTR)
			continue;
		if (n < 0)
			return client_error(c, (int)n,
			    "cannot send to the daemon: %s", strerror((int)-n));
		data += n;
		len -= (size_t)n;
		fd_count = 0;
	}
	return 0;
}

/* Room for READ_SIZE more bytes. */
static int
client_reserve(struct coax *c)
{
	size_t size = c->in_size;
	char *p;

	if (c->in_size - c->in_len >= READ_SIZE)
		return 0;
	if (size >= LINE_MAX_BYTES)
		return client_error(c, -EPROTO, "the answer is too long");
	size = size == 0 ? 2 * (size_t)READ_SIZE : 2 * size;
	p = realloc(c->in, size);
	if (p == NULL)
		return client_error(c, -ENOMEM, "out of memory");
	c->in = p;
	c->in_size = size;
	return 0;
}

/*
 * Waits for input. 1, 0 on timeout, -EINTR; @deadline_ns UINT64_MAX: no limit.
 */
static int
client_wait(struct coax *c, uint64_t deadline_ns)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int timeout_ms = -1;
	int n;

	if (deadline_ns != UINT64_MAX) {
		uint64_t now_ns = clock_now_ns();
		uint64_t ms = 0;

		if (deadline_ns > now_ns)
			ms = (deadline_ns - now_ns + CLOCK_NS_PER_MSEC - 1) /
			     CLOCK_NS_PER_MSEC;
		timeout_ms = (int)COAX_MIN(ms, (uint64_t)INT32_MAX);
	}
	n = poll(&p, 1, timeout_ms);
	return n < 0 ? -errno : n;
}

/* Reads what is there, blocking if nothing is. */
static int
client_read(struct coax *c)
{
	int fds[SOCK_FDS_MAX];
	unsigned int count = 0;
	ssize_t n;
	int err = client_reserve(c);

	if (err < 0)
		return err;
	do {
		n = sock_recv_fds(c->fd, c->in + c->in_len,
		    c->in_size - c->in_len, fds, SOCK_FDS_MAX, &count, NULL);
	} while (n == -EINTR);
	for (unsigned int i = 0; i < count; i++) {
		if (c->fd_count < SOCK_FDS_MAX)
			c->fds[c->fd_count++] = fds[i];
		else
			fd_close(&fds[i]);
	}
	if (n == 0)
		return client_error(
		    c, -EPIPE, "the daemon has closed the connection");
	if (n < 0)
		return client_error(c, (int)n,
		    "cannot read from the daemon: %s", strerror((int)-n));
	c->in_len += (size_t)n;
	return 0;
}

/*
 * Takes the next message out of the buffer: 1, 0 (no whole line there), -EPROTO
 * or -ENOMEM.
 */
static int
client_message(struct coax *c, json_t **out)
{
	json_error_t je;
	char *end = NULL;
	size_t len;

	if (c->in_len > c->in_seen)
		end = memchr(c->in + c->in_seen, '\n', c->in_len - c->in_seen);
	if (end == NULL) {
		c->in_seen = c->in_len;
		return 0;
	}
	len = (size_t)(end - c->in);
	*out = json_loadb(c->in, len, 0, &je);
	c->in_len -= len + 1;
	memmove(c->in, end + 1, c->in_len);
	c->in_seen = 0;
	if (!json_is_object(*out)) {
		json_decref(*out);
		*out = NULL;
		return client_error(
		    c, -EPROTO, "the daemon's answer is not JSON-RPC");
	}
	return 1;
}

/* Keeps a notification (consumed) for coax_next_event(). */
static void
client_keep_event(struct coax *c, json_t *params)
{
	struct event *ev = NULL;

	if (c->event_count < EVENTS_MAX)
		ev = malloc(sizeof(*ev));
	if (ev == NULL) {
		c->events_lost++;
		json_decref(params);
		return;
	}
	ev->params = params;
	STAILQ_INSERT_TAIL(&c->events, ev, link);
	c->event_count++;
}

/*
 * Looks at a message (consumed): 1 if it is the answer to request @id (with
 * @answer: new reference), 0 if something else, now dealt with.
 */
static int
client_sort(struct coax *c, json_t *msg, json_int_t id, json_t **answer)
{
	json_t *msg_id = json_object_get(msg, "id");

	if (msg_id == NULL && json_object_get(msg, "method") != NULL) {
		json_t *params = json_object_get(msg, "params");

		if (json_is_object(params))
			client_keep_event(c, json_incref(params));
		json_decref(msg);
		return 0;
	}
	/* Errors about what could not be parsed have the id null. */
	if (id != 0 &&
	    (json_is_null(msg_id) || (json_is_integer(msg_id) &&
	                                 json_integer_value(msg_id) == id))) {
		*answer = msg;
		return 1;
	}
	json_decref(msg); /* session.hello's */
	return 0;
}

/* Sends a request (consumed). */
static int
client_send_json(
    struct coax *c, json_t *request, const int *fds, unsigned int fd_count)
{
	char *line = json_dumps(request, JSON_COMPACT);
	size_t len;
	int err;

	json_decref(request);
	if (line == NULL)
		return client_error(c, -ENOMEM, "out of memory");
	len = strlen(line);
	line[len] = '\n'; /* in the place of the 0 */
	err = client_send(c, line, len + 1, fds, fd_count);
	free(line);
	return err;
}

/*
 * Says who and where we are. The network namespace's descriptor is what the
 * daemon knows vnets by; without /proc we count as being in the daemon's own.
 */
static int
client_hello(struct coax *c, const char *client)
{
	int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	json_t *request;
	int err;

	if (ns < 0)
		return 0;
	request = json_pack("{s:s, s:i, s:s, s:{s:s, s:i, s:i}}", "jsonrpc",
	    "2.0", "id", 0, "method", "session.hello", "params", "client",
	    client, "netns", 0, "fds", 1);
	if (request == NULL) { /* a name that is not UTF-8 */
		request = json_pack("{s:s, s:i, s:s, s:{s:i, s:i}}", "jsonrpc",
		    "2.0", "id", 0, "method", "session.hello", "params",
		    "netns", 0, "fds", 1);
	}
	err = request == NULL ? -ENOMEM : client_send_json(c, request, &ns, 1);
	fd_close(&ns);
	return err;
}

/* @flags: SOCK_NONBLOCK or 0. */
static int
client_open(const char *path, const char *client, int flags, struct coax **out)
{
	char buf[sizeof(((struct sock_listener *)0)->path)];
	struct coax *c;
	int err;

	if (path == NULL) {
		err = priv_socket_path(buf, sizeof(buf));
		if (err < 0)
			return err;
		path = buf;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	STAILQ_INIT(&c->events);
	c->fd = sock_connect_unix(path, SOCK_STREAM | flags);
	if (c->fd < 0) {
		err = c->fd;
		goto out_free;
	}
	err = client_hello(
	    c, client != NULL ? client : program_invocation_short_name);
	/* A daemon that closes at once says why in what it has sent. */
	if (err < 0 && err != -EPIPE && err != -ECONNRESET)
		goto out_close;
	*out = c;
	return 0;

out_close:
	fd_close(&c->fd);
out_free:
	free(c);
	return err;
}

int
coax_connect_as(const char *path, const char *client, struct coax **out)
{
	return client_open(path, client, 0, out);
}

int
coax_connect(const char *path, struct coax **out)
{
	if (out == NULL)
		return -EINVAL;
	return coax_connect_as(path, NULL, out);
}

int
coax_connect_now(const char *path, struct coax **out)
{
	return client_open(path, NULL, SOCK_NONBLOCK, out);
}

void
coax_close(struct coax *c)
{
	struct event *ev;

	if (c == NULL)
		return;
	while ((ev = STAILQ_FIRST(&c->events)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->events, link);
		json_decref(ev->params);
		free(ev);
	}
	client_close_fds(c);
	fd_close(&c->fd);
	json_decref(c->error);
	free(c->error_text);
	free(c->in);
	free(c);
}

/* Forgets the last request's outcome. */
static void
client_begin(struct coax *c)
{
	json_decref(c->error);
	c->error = NULL;
	free(c->error_text);
	c->error_text = NULL;
	c->message[0] = '\0';
	client_close_fds(c);
}

/* Waits for the answer to request @id. */
static int
client_answer(struct coax *c, json_int_t id, json_t **answer)
{
	json_t *msg;
	int n;

	for (;;) {
		n = client_message(c, &msg);
		if (n < 0)
			return n;
		if (n == 1 && client_sort(c, msg, id, answer) == 1)
			return 0;
		if (n == 0) {
			n = client_read(c);
			if (n < 0)
				return n;
		}
	}
}

int
coax_call_begin(struct coax *c, const char *method, json_t *params,
    const int *fds, unsigned int fd_count)
{
	json_t *request;
	int err;

	client_begin(c);
	if (fd_count > COAX_FDS_MAX ||
	    (fd_count > 0 && json_is_array(params))) {
		json_decref(params);
		return client_error(c, -EINVAL, "descriptors out of place");
	}
	if (params == NULL)
		params = json_object();
	if (fd_count > 0)
		(void)json_object_set_new(
		    params, "fds", json_integer((json_int_t)fd_count));
	request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id",
	    c->last_id + 1, "method", method, "params", params);
	if (request == NULL)
		return client_error(c, -EINVAL, "the method is not UTF-8");
	c->last_id++;
	err = client_send_json(c, request, fds, fd_count);
	/* A daemon that refuses to listen may have said why before. */
	return err == -EPIPE || err == -ECONNRESET ? 0 : err;
}

int
coax_call_end(struct coax *c, json_t **result, int *got, unsigned int got_max,
    unsigned int *got_count)
{
	json_t *answer, *value;
	int err;

	if (got_count != NULL)
		*got_count = 0;
	err = client_answer(c, c->last_id, &answer);
	if (err < 0)
		return err == -EAGAIN ? 1 : err;

	value = json_object_get(answer, "error");
	if (value != NULL) {
		err = client_refused(c, json_incref(value));
		json_decref(answer);
		client_close_fds(c);
		return err;
	}
	value = json_object_get(answer, "result");
	if (value == NULL) {
		json_decref(answer);
		return client_error(
		    c, -EPROTO, "the daemon's answer has no result");
	}
	if (result != NULL)
		*result = json_incref(value);
	json_decref(answer);
	if (got_count != NULL) {
		*got_count = COAX_MIN(c->fd_count, got_max);
		for (unsigned int i = 0; i < *got_count; i++) {
			got[i] = c->fds[i];
			c->fds[i] = -1;
		}
	}
	client_close_fds(c);
	return 0;
}

int
coax_call(struct coax *c, const char *method, json_t *params, const int *fds,
    unsigned int fd_count, json_t **result, int *got, unsigned int got_max,
    unsigned int *got_count)
{
	int err = coax_call_begin(c, method, params, fds, fd_count);

	if (got_count != NULL)
		*got_count = 0;
	if (err < 0)
		return err;
	return coax_call_end(c, result, got, got_max, got_count);
}

int
coax_request_fds(struct coax *c, const char *method, const char *params,
    const int *fds, unsigned int fd_count, char **result, int *got,
    unsigned int got_max, unsigned int *got_count)
{
	json_t *args = NULL;
	json_t *value = NULL;
	json_error_t je;
	char *text;
	int err;

	if (got_count != NULL)
		*got_count = 0;
	if (params != NULL) {
		args = json_loads(params, 0, &je);
		if (args == NULL) {
			client_begin(c);
			return client_error(
			    c, -EINVAL, "parameters: %s", je.text);
		}
	}
	err = coax_call(
	    c, method, args, fds, fd_count, &value, got, got_max, got_count);
	if (err < 0)
		return err;
	if (result != NULL) {
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		json_decref(value);
		if (text == NULL) {
			for (unsigned int i = 0;
			     got_count != NULL && i < *got_count; i++)
				fd_close(&got[i]);
			if (got_count != NULL)
				*got_count = 0;
			return client_error(c, -ENOMEM, "out of memory");
		}
		*result = text;
	} else
		json_decref(value);
	return 0;
}

int
coax_request(
    struct coax *c, const char *method, const char *params, char **result)
{
	return coax_request_fds(
	    c, method, params, NULL, 0, result, NULL, 0, NULL);
}

int
coax_fd(const struct coax *c)
{
	return c->fd;
}

int
coax_event(struct coax *c, int timeout_ms, json_t **event)
{
	uint64_t deadline_ns = UINT64_MAX;
	struct event *ev;
	json_t *msg, *unused;
	int n;

	if (timeout_ms >= 0)
		deadline_ns =
		    clock_now_ns() + (uint64_t)timeout_ms * CLOCK_NS_PER_MSEC;
	for (;;) {
		n = client_message(c, &msg);
		if (n < 0)
			return n;
		if (n == 1) {
			(void)client_sort(c, msg, 0, &unused);
			continue;
		}
		ev = STAILQ_FIRST(&c->events);
		if (ev != NULL) {
			STAILQ_REMOVE_HEAD(&c->events, link);
			c->event_count--;
			*event = ev->params;
			free(ev);
			return 1;
		}
		if (c->events_lost > 0) {
			*event = json_pack("{s:s, s:I}", "type", "lost",
			    "count", (json_int_t)c->events_lost);
			if (*event == NULL)
				return client_error(
				    c, -ENOMEM, "out of memory");
			c->events_lost = 0;
			return 1;
		}
		n = client_wait(c, deadline_ns);
		if (n <= 0)
			return n;
		n = client_read(c);
		if (n < 0)
			return n;
		client_close_fds(c); /* events have none */
	}
}

int
coax_next_event(struct coax *c, int timeout_ms, char **event)
{
	json_t *value;
	char *text;
	int n = coax_event(c, timeout_ms, &value);

	if (n != 1)
		return n;
	text = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	if (text == NULL)
		return client_error(c, -ENOMEM, "out of memory");
	*event = text;
	return 1;
}

const char *
coax_errmsg(const struct coax *c)
{
	return c->message;
}

const json_t *
coax_error_object(const struct coax *c)
{
	return c->error;
}

const char *
coax_error(const struct coax *c)
{
	/* The text is a cache: filling it changes nothing that is seen. */
	struct coax *cache = (struct coax *)(uintptr_t)c;

	if (cache->error_text == NULL && c->error != NULL)
		cache->error_text = json_dumps(c->error, JSON_COMPACT);
	return cache->error_text;
}

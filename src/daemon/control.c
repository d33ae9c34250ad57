/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control sockets. daemon/control.h says what is promised; how it works:
 *
 *   listener --accept--> client --EPOLLIN--> rpc_session_input()
 *                           |                      |
 *                           |<--- ready list <-----+ (also: wake, due timer)
 *                           v
 *   one deferred task an iteration: step each ready client once, send what it
 *   has to send, and set what its watcher waits for
 *
 * A client owns its descriptor and its session. Events are given to subscribed
 * clients in the same way as answers; one whose buffer holds more than
 * CONTROL_EVENTS_SIZE loses them and is told how many.
 */
#include "daemon/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "control/methods.h"
#include "os/clock.h"
#include "os/sock.h"

#define READ_SIZE      65536
#define ACCEPT_MAX     16 /* connections taken in an iteration */
#define ACCEPT_REST_NS (100 * CLOCK_NS_PER_MSEC)
#define SEND_MAX       (1024u * 1024) /* bytes sent to a client at a time */
#define GROUPS_MAX     1024

struct client {
	struct control *control;
	struct rpc_session *session;
	struct loop_fd watch; /* its descriptor is the client's */
	struct timer stall;   /* set while output does not move */
	struct timer due;     /* set while the rate holds requests back */
	struct subscription sub;
	uint32_t uid;
	int32_t pid;
	struct net_actor actor; /* what it may */
	bool read_only;
	bool ready;   /* on the ready list */
	bool eof;     /* will send no more */
	bool closing; /* is dropped once its output is sent */
	TAILQ_ENTRY(client) link, ready_link;
};

struct listener {
	struct control *control;
	struct sock_listener sock;
	struct loop_fd watch;
	bool read_only;
};

struct control {
	struct control_options o;
	struct listener listeners[2];
	struct timer rest; /* set while the listeners rest */
	TAILQ_HEAD(, client) clients, ready;
	uint32_t counts[2]; /* of clients; [1]: on the read-only socket */
	struct loop_task task;
	struct net_subscriber subscriber;
	bool subscribed;
	bool held; /* no request is begun */
	struct ratelimit complaints;
	char buf[READ_SIZE];
};

static void
control_complain(struct control *c, const char *what)
{
	if (ratelimit_allow(&c->complaints, loop_now_ns(c->o.loop), NULL))
		log_warning("control: %s", what);
}

/* --- clients ---------------------------------------------------------------
 */

static void
client_make_ready(struct client *cl)
{
	if (cl->ready)
		return;
	cl->ready = true;
	TAILQ_INSERT_TAIL(&cl->control->ready, cl, ready_link);
	loop_defer(cl->control->o.loop, &cl->control->task);
}

static void
control_accept_again(struct control *c)
{
	loop_timer_del(c->o.loop, &c->rest);
	for (size_t i = 0; i < ARRAY_LEN(c->listeners); i++) {
		if (c->listeners[i].watch.added)
			(void)loop_fd_mod(
			    c->o.loop, &c->listeners[i].watch, EPOLLIN);
	}
}

static void
client_drop(struct client *cl)
{
	struct control *c = cl->control;

	if (cl->ready)
		TAILQ_REMOVE(&c->ready, cl, ready_link);
	TAILQ_REMOVE(&c->clients, cl, link);
	c->counts[cl->read_only]--;
	loop_timer_del(c->o.loop, &cl->stall);
	loop_timer_del(c->o.loop, &cl->due);
	loop_fd_del(c->o.loop, &cl->watch);
	fd_close(&cl->watch.fd);
	rpc_session_destroy(cl->session);
	if (cl->sub.active) {
		cl->sub.active = false;
		control_subscribed(c);
	}
	free(cl);
	if (timer_is_set(&c->rest))
		control_accept_again(c);
}

/* Tells a subscriber what it has missed, once there is room again. Return: true
 * if there is something new to send. */
static bool
client_tell_lost(struct client *cl)
{
	json_t *params;

	if (cl->sub.lost == 0 ||
	    rpc_session_output_size(cl->session) > CONTROL_EVENTS_SIZE / 2)
		return false;
	params = json_pack(
	    "{s:s, s:I}", "type", "lost", "count", (json_int_t)cl->sub.lost);
	if (params == NULL || rpc_notify(cl->session, "event", params) < 0)
		return false;
	cl->sub.lost = 0;
	return true;
}

/* Sends what the socket takes. 0, or -errno: the client is dead. */
static int
client_send(struct client *cl)
{
	struct loop *loop = cl->control->o.loop;
	size_t sent = 0;

	while (sent < SEND_MAX) {
		const char *data;
		const int *fds;
		uint32_t fd_count;
		size_t len;
		ssize_t n;

		data = rpc_session_output(cl->session, &len, &fds, &fd_count);
		if (data == NULL) {
			loop_timer_del(loop, &cl->stall);
			return 0;
		}
		n = sock_send_fds(cl->watch.fd, data, len, fds, fd_count);
		if (n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			if (sent == 0 && timer_is_set(&cl->stall))
				return 0;
			/* It took something, or has just begun to be slow. */
			return loop_timer_in(
			    loop, &cl->stall, cl->control->o.stall_ns);
		}
		if (n < 0)
			return (int)n;
		rpc_session_output_done(cl->session, (size_t)n);
		sent += (size_t)n;
	}
	return 0;
}

/* Waits for what the client's state lets it do. */
static int
client_rearm(struct client *cl)
{
	size_t waiting = rpc_session_output_size(cl->session);
	uint64_t due_ns = rpc_session_due(cl->session);
	uint32_t events = 0;

	if (!cl->eof && !cl->closing && rpc_session_wants_input(cl->session) &&
	    (waiting == 0 || (cl->sub.active && waiting < SEND_MAX)))
		events |= EPOLLIN;
	if (waiting > 0)
		events |= EPOLLOUT;
	if (due_ns != 0 && !cl->ready) {
		int err = loop_timer_set(cl->control->o.loop, &cl->due, due_ns);

		if (err < 0)
			return err;
	}
	return loop_fd_mod(cl->control->o.loop, &cl->watch, events);
}

/* One request, then the output. */
static void
client_turn(struct client *cl)
{
	struct control *c = cl->control;
	uint64_t now_ns = loop_now_ns(c->o.loop);
	bool more = false;

	/* Requests wait while answers do: the memory of a client is bounded. */
	if (!c->held && !cl->closing &&
	    rpc_session_output_size(cl->session) < SEND_MAX) {
		c->o.net->now_ns = now_ns;
		more = rpc_session_step(cl->session, now_ns);
	}
	if (client_send(cl) < 0) {
		client_drop(cl);
		return;
	}
	if (client_tell_lost(cl) && client_send(cl) < 0) {
		client_drop(cl);
		return;
	}
	if (rpc_session_overrun(cl->session)) {
		control_complain(c, "a client did not take its answers");
		client_drop(cl);
		return;
	}
	if ((cl->closing && rpc_session_output_size(cl->session) == 0) ||
	    (cl->eof && !cl->sub.active && rpc_session_idle(cl->session))) {
		client_drop(cl);
		return;
	}
	/* With much output waiting, EPOLLOUT brings us back. */
	if (more && rpc_session_output_size(cl->session) < SEND_MAX)
		client_make_ready(cl);
	if (client_rearm(cl) < 0)
		client_drop(cl);
}

static void
control_task(struct loop_task *t)
{
	struct control *c = t->arg;
	struct client *cl;

	for (int i = 0; i < CONTROL_STEPS_MAX; i++) {
		cl = TAILQ_FIRST(&c->ready);
		if (cl == NULL)
			return;
		TAILQ_REMOVE(&c->ready, cl, ready_link);
		cl->ready = false;
		client_turn(cl);
		/* One that made itself ready again is behind the others; at
		 * most CONTROL_STEPS_MAX requests run before frames do. */
	}
	if (!TAILQ_EMPTY(&c->ready))
		loop_defer(c->o.loop, &c->task);
}

static void
client_read(struct client *cl)
{
	struct control *c = cl->control;
	int fds[SOCK_FDS_MAX];
	unsigned int count = 0;
	ssize_t n;
	int err;

	n = sock_recv_fds(cl->watch.fd, c->buf, sizeof(c->buf), fds,
	    SOCK_FDS_MAX, &count, NULL);
	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0) {
		client_drop(cl);
		return;
	}
	if (count > 0 && rpc_session_fds(cl->session, fds, count) < 0) {
		control_complain(c, "a client passed too many descriptors");
		client_drop(cl);
		return;
	}
	if (n == 0) {
		/* A last line may lack its newline. */
		cl->eof = true;
		c->buf[n++] = '\n';
	}
	err = rpc_session_input(cl->session, c->buf, (size_t)n);
	if (err == -EMSGSIZE) {
		control_complain(c, "a client's request is too long");
		cl->closing = true;
	} else if (err < 0) {
		client_drop(cl);
		return;
	}
	client_make_ready(cl);
	if (client_rearm(cl) < 0)
		client_drop(cl);
}

static void
client_event(struct loop_fd *w, uint32_t revents)
{
	struct client *cl = w->arg;

	/* Closed on its side, or broken: nobody would read an answer. */
	if ((revents & (EPOLLHUP | EPOLLERR)) != 0) {
		client_drop(cl);
		return;
	}
	if ((revents & EPOLLOUT) != 0)
		client_make_ready(cl);
	if ((revents & EPOLLIN) != 0)
		client_read(cl);
}

static void
client_stalled(struct timer *t, uint64_t now_ns)
{
	struct client *cl = CONTAINER_OF(t, struct client, stall);

	(void)now_ns;
	control_complain(cl->control, "a client did not take its answers");
	client_drop(cl);
}

static void
client_due(struct timer *t, uint64_t now_ns)
{
	struct client *cl = CONTAINER_OF(t, struct client, due);

	(void)now_ns;
	client_make_ready(cl);
}

static void
client_wake(struct rpc_session *session, void *user)
{
	(void)session;
	client_make_ready(user);
}

/* Tells a client that is turned away why, if the socket takes it. */
static void
control_turn_away(int fd, const char *what, int err)
{
	json_t *answer = json_pack("{s:s, s:n, s:{s:i, s:s, s:o}}", "jsonrpc",
	    "2.0", "id", "error", "code", RPC_FAILED, "message", what, "data",
	    rpc_error_data(err, NULL));
	char *line = json_dumps(answer, JSON_COMPACT);
	size_t len;

	json_decref(answer);
	if (line == NULL)
		return;
	len = strlen(line);
	line[len] = '\n'; /* in the place of the 0 */
	(void)sock_send_fds(fd, line, len + 1, NULL, 0);
	free(line);
}

/* Root, or the daemon's own user. */
static bool
peer_trusted(const struct ucred *cred)
{
	return cred->uid == 0 || cred->uid == geteuid();
}

/* Who the peer is, and whether he may come at all. */
static bool
peer_actor(const struct control *c, int fd, const struct ucred *cred,
    bool read_only, struct net_actor *out)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);
	bool in_admin = c->o.set_admin && cred->gid == c->o.admin;
	bool in_users = c->o.set_gid && cred->gid == c->o.gid;
	bool in_own = cred->gid == getegid();

	*out = (struct net_actor){ .uid = cred->uid };
	out->gids[out->gid_count++] = cred->gid;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		len = 0;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
		in_admin =
		    in_admin || (c->o.set_admin && groups[i] == c->o.admin);
		in_users = in_users || (c->o.set_gid && groups[i] == c->o.gid);
		in_own = in_own || groups[i] == getegid();
		if (out->gid_count < NET_ACTOR_GROUPS)
			out->gids[out->gid_count++] = groups[i];
	}
	out->admin = peer_trusted(cred) || in_admin ||
	             (read_only && in_own && !c->o.set_gid && !c->o.set_admin);
	return out->admin || in_users;
}

/* Whether one more may come. Readers have places of their own, no other user
 * has more than a quarter of a socket's, and the last ones are the owner's. */
static bool
room_for(const struct control *c, const struct ucred *cred, bool read_only)
{
	uint32_t room = c->o.clients_max / (read_only ? 2 : 1);
	const struct client *cl;
	uint32_t same = 0;

	room = COAX_MAX(room, 1u);
	if (peer_trusted(cred))
		return c->counts[read_only] < room;
	TAILQ_FOREACH (cl, &c->clients, link)
		same += cl->uid == cred->uid && cl->read_only == read_only;
	return same < COAX_MAX(room / 4, 1u) &&
	       c->counts[read_only] <
	           room - COAX_MIN(CONTROL_CLIENTS_RESERVED, room / 4);
}

int
control_adopt(struct control *c, int fd, bool read_only)
{
	struct rpc_session_options so = {
		.read_only = read_only,
		.now_ns = loop_now_ns(c->o.loop),
		.wake = client_wake,
	};
	struct net_actor actor;
	struct net_user *user;
	struct ucred cred;
	struct client *cl;
	int err = sock_peer_cred(fd, &cred);

	if (err < 0)
		goto out_close;
	if (!peer_actor(c, fd, &cred, read_only, &actor)) {
		control_complain(c, "a client of another user was refused");
		err = -EACCES;
		control_turn_away(fd, "coaxd: Permission denied", err);
		goto out_close;
	}
	if (!room_for(c, &cred, read_only)) {
		control_complain(c, "too many clients");
		err = -EUSERS;
		control_turn_away(fd, "coaxd: too many clients", err);
		goto out_close;
	}
	cl = calloc(1, sizeof(*cl));
	if (cl == NULL) {
		err = -ENOMEM;
		goto out_close;
	}
	cl->control = c;
	cl->stall.fn = client_stalled;
	cl->due.fn = client_due;
	cl->uid = so.uid = cred.uid;
	cl->pid = so.pid = cred.pid;
	cl->read_only = read_only;
	cl->actor = actor;
	so.actor = &cl->actor;
	if (!actor.admin) {
		/* All that he opens together make so many requests. */
		user = net_user_of(c->o.net, cred.uid);
		so.bucket = user != NULL ? &user->rate : NULL;
		so.rate = so.burst = c->o.net->user_limits.requests;
	}
	so.reserved = !read_only && peer_trusted(&cred);
	so.user = cl;
	err = rpc_session_create(c->o.server, &so, &cl->session);
	if (err < 0)
		goto out_free;
	cl->watch.fd = fd;
	cl->watch.events = EPOLLIN;
	cl->watch.fn = client_event;
	cl->watch.arg = cl;
	cl->watch.quiet = true;
	err = loop_fd_add(c->o.loop, &cl->watch);
	if (err < 0)
		goto out_session;
	TAILQ_INSERT_TAIL(&c->clients, cl, link);
	c->counts[read_only]++;
	return 0;

out_session:
	rpc_session_destroy(cl->session);
out_free:
	free(cl);
out_close:
	fd_close(&fd);
	return err;
}

uint32_t
control_clients(const struct control *c)
{
	return c->counts[0] + c->counts[1];
}

/* --- listeners -------------------------------------------------------------
 */

static void
control_rest_over(struct timer *t, uint64_t now_ns)
{
	(void)now_ns;
	control_accept_again(CONTAINER_OF(t, struct control, rest));
}

static void
listener_event(struct loop_fd *w, uint32_t revents)
{
	struct listener *l = w->arg;
	struct control *c = l->control;

	(void)revents;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		int fd = sock_accept(l->sock.fd);

		if (fd >= 0) {
			(void)control_adopt(c, fd, l->read_only);
			continue;
		}
		if (fd == -EAGAIN)
			return;
		if (fd == -ECONNABORTED || fd == -EINTR)
			continue;
		/* EMFILE, ENFILE, ENOMEM: asking again at once would spin. */
		control_complain(c, "cannot accept a client now");
		for (size_t j = 0; j < ARRAY_LEN(c->listeners); j++) {
			if (c->listeners[j].watch.added)
				(void)loop_fd_mod(
				    c->o.loop, &c->listeners[j].watch, 0);
		}
		if (loop_timer_in(c->o.loop, &c->rest, ACCEPT_REST_NS) < 0)
			control_accept_again(c);
		return;
	}
}

static int
listener_open(
    struct control *c, struct listener *l, const char *path, bool read_only)
{
	bool group = c->o.set_gid || c->o.set_admin;
	struct sock_listen_options o = {
		.mode = group || read_only ? 0660 : 0600,
		.set_gid = group,
		.gid = c->o.set_gid ? c->o.gid : c->o.admin,
	};
	int err;

	/* A file has one group; who is in neither is turned away. */
	if (c->o.set_gid && c->o.set_admin && c->o.gid != c->o.admin)
		o.mode = 0666;
	err = sock_listen_unix(path, &o, &l->sock);

	if (err < 0)
		return err;
	l->control = c;
	l->read_only = read_only;
	l->watch.fd = l->sock.fd;
	l->watch.events = EPOLLIN;
	l->watch.fn = listener_event;
	l->watch.arg = l;
	l->watch.quiet = true;
	err = loop_fd_add(c->o.loop, &l->watch);
	if (err < 0)
		sock_listener_close(&l->sock);
	return err;
}

static void
listener_close(struct listener *l)
{
	if (!l->watch.added)
		return;
	loop_fd_del(l->control->o.loop, &l->watch);
	sock_listener_close(&l->sock);
}

int
control_path_ro(const char *path, char *buf, size_t size)
{
	struct sbuf b = sbuf_init(buf, size);
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(path, '.');

	if (dot == NULL || dot == path || (slash != NULL && dot <= slash + 1))
		dot = path + strlen(path);
	sbuf_printf(&b, "%.*s-ro%s", (int)(dot - path), path, dot);
	return sbuf_ok(&b) ? 0 : -ENAMETOOLONG;
}

int
control_listen(struct control *c, const char *path)
{
	char ro[sizeof(c->listeners[1].sock.path)];
	int err = control_path_ro(path, ro, sizeof(ro));

	if (err < 0)
		return err;
	err = listener_open(c, &c->listeners[0], path, false);
	if (err < 0)
		return err;
	err = listener_open(c, &c->listeners[1], ro, true);
	if (err < 0)
		listener_close(&c->listeners[0]);
	return err;
}

/* --- events ----------------------------------------------------------------
 */

/* A user hears of what he sees; what has no interface is the daemon's. */
static bool
concerns(const struct client *cl, const struct net_event *ev)
{
	if (cl->actor.admin)
		return true;
	return ev->ifp != NULL &&
	       net_access_as(&cl->actor, ev->ifp) != NET_ACCESS_NONE &&
	       (ev->other == NULL ||
	           net_access_as(&cl->actor, ev->other) != NET_ACCESS_NONE);
}

static void
control_net_event(struct net_subscriber *s, const struct net_event *ev)
{
	struct control *c = CONTAINER_OF(s, struct control, subscriber);
	json_t *params = NULL;
	struct client *cl;

	TAILQ_FOREACH (cl, &c->clients, link) {
		if (!cl->sub.active ||
		    (cl->sub.types & (1u << (unsigned int)ev->type)) == 0 ||
		    !concerns(cl, ev))
			continue;
		if (cl->sub.lost > 0 || rpc_session_output_size(cl->session) >
		                            CONTROL_EVENTS_SIZE) {
			cl->sub.lost++;
			continue;
		}
		if (params == NULL)
			params = control_event_json(ev);
		if (params == NULL ||
		    rpc_notify(cl->session, "event", json_incref(params)) < 0)
			cl->sub.lost++;
		client_make_ready(cl);
	}
	json_decref(params);
}

void
control_close_fd(int fd)
{
	fd_close(&fd);
}

void
control_hold(struct control *c, bool on)
{
	struct client *cl;

	c->held = on;
	if (on)
		return;
	TAILQ_FOREACH (cl, &c->clients, link)
		client_make_ready(cl);
}

void
control_peer(struct rpc_session *session, uint32_t *uid, int32_t *pid)
{
	const struct client *cl = rpc_session_user(session);

	*uid = cl->uid;
	*pid = cl->pid;
}

struct subscription *
control_subscription(struct rpc_session *session)
{
	struct client *cl = rpc_session_user(session);

	return &cl->sub;
}

void
control_subscribed(struct control *c)
{
	struct client *cl;
	bool any = false;

	TAILQ_FOREACH (cl, &c->clients, link)
		any = any || cl->sub.active;
	if (any && !c->subscribed)
		net_subscribe(c->o.net, &c->subscriber);
	if (!any && c->subscribed)
		net_unsubscribe(c->o.net, &c->subscriber);
	c->subscribed = any;
}

/* --- all of it --------------------------------------------------------------
 */

int
control_create(const struct control_options *o, struct control **out)
{
	struct control *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->o = *o;
	if (c->o.clients_max == 0)
		c->o.clients_max = CONTROL_CLIENTS_MAX;
	if (c->o.stall_ns == 0)
		c->o.stall_ns = CONTROL_STALL_NS;
	TAILQ_INIT(&c->clients);
	TAILQ_INIT(&c->ready);
	c->task.fn = control_task;
	c->task.arg = c;
	c->rest.fn = control_rest_over;
	c->subscriber.event = control_net_event;
	c->complaints.period_ns = 10 * CLOCK_NS_PER_SEC;
	c->complaints.burst = 5;
	*out = c;
	return 0;
}

void
control_destroy(struct control *c)
{
	struct client *cl, *next;

	if (c == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(c->listeners); i++)
		listener_close(&c->listeners[i]);
	TAILQ_FOREACH_SAFE (cl, &c->clients, link, next) {
		client_drop(cl);
	}
	loop_timer_del(c->o.loop, &c->rest);
	loop_task_cancel(c->o.loop, &c->task);
	free(c);
}

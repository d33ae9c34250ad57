/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON-RPC 2.0 sessions. See rpc.h for how they are used.
 *
 * A session has at most one line under way (struct rpc_line): a request, or a
 * batch. A line has a slot for the answer of each element; a call
 * (struct rpc_call) fills its slot when it ends, with text: what a session
 * holds is known to the byte, and is taken from the server's budget. The line
 * is sent when all elements were started and have ended.
 */
#include "control/rpc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/str.h"
#include "control/bsderr.h"
#include "control/info_json.h"

#define NS_PER_S 1000000000u

/* What a parsed request may take, for a byte of its text ("0," makes the
 * most: an object of jansson's and a pointer to it). */
#define TREE_FACTOR 20u

/* A line to send. */
struct rpc_out {
	char *text;
	size_t len, sent;
	int fds[RPC_FDS_MAX];
	uint32_t fd_count;
	TAILQ_ENTRY(rpc_out) link;
};
TAILQ_HEAD(rpc_out_list, rpc_out);

/* A request line under way. */
struct rpc_line {
	struct rpc_session *session;
	json_t *root;
	bool batch;
	uint32_t count;       /* elements */
	uint32_t next;        /* first that was not started */
	uint32_t running;     /* started, not ended */
	uint32_t blocking;    /* of these: hold the batch */
	char **answers;       /* one an element; NULL: none (notification) */
	size_t answers_size;  /* bytes of these */
	size_t held;          /* of the session's: answers and request */
	bool full;            /* the rest of the batch is not carried out */
	int fds[RPC_FDS_MAX]; /* of the answer */
	uint32_t fd_count;
};

TAILQ_HEAD(rpc_call_list, rpc_call);

struct rpc_server {
	struct rpc_server_options options;
	struct rpc_call_list calls;
	size_t held[2]; /* bytes of all sessions; [1]: of reserved ones */
};

struct rpc_session {
	struct rpc_server *server;
	struct rpc_session_options options;
	char client[32];
	uint32_t vnet_id;
	struct text in;
	size_t in_start;   /* first byte that was not run */
	size_t in_scanned; /* no newline between start and here */
	bool in_line;      /* there is one at in_scanned */
	bool ended;        /* a line was too long: nothing more is run */
	int fds[RPC_FDS_MAX];
	uint32_t fd_count;
	struct rpc_line *line;
	struct rpc_out_list out;
	size_t out_size;
	size_t held; /* bytes: output, and what the line holds */
	bool broken; /* an answer could not be made: the client cannot go on */
	struct net_rate own, *rate; /* the bucket; @own unless it is shared */
	uint64_t due_ns;
	bool stepping;
};

static void
server_close(const struct rpc_server *server, const int *fds, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (fds[i] >= 0 && server->options.close_fd != NULL)
			server->options.close_fd(fds[i]);
}

int
rpc_server_create(
    const struct rpc_server_options *options, struct rpc_server **out)
{
	struct rpc_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->options = *options;
	TAILQ_INIT(&s->calls);
	*out = s;
	return 0;
}

static void
call_free(struct rpc_call *call)
{
	server_close(call->server, call->fds, call->fd_count);
	TAILQ_REMOVE(&call->server->calls, call, link);
	json_decref(call->params);
	json_decref(call->id);
	json_decref(call->request);
	free(call);
}

void
rpc_server_destroy(struct rpc_server *server)
{
	if (server == NULL)
		return;
	while (!TAILQ_EMPTY(&server->calls)) {
		struct rpc_call *call = TAILQ_FIRST(&server->calls);

		if (call->abandon != NULL)
			call->abandon(call);
		call_free(call);
	}
	free(server);
}

const struct rpc_method *
rpc_server_method(const struct rpc_server *server, const char *name)
{
	for (const struct rpc_method *const *t = server->options.tables;
	     *t != NULL; t++)
		for (const struct rpc_method *m = *t; m->name != NULL; m++)
			if (strcmp(m->name, name) == 0)
				return m;
	return NULL;
}

const struct rpc_server_options *
rpc_server_get_options(const struct rpc_server *server)
{
	return &server->options;
}

const struct rpc_method *const *
rpc_server_tables(const struct rpc_server *server)
{
	return server->options.tables;
}

/* What sessions hold. */

static void
session_hold(struct rpc_session *s, size_t size)
{
	s->held += size;
	s->server->held[s->options.reserved] += size;
}

static void
session_let_go(struct rpc_session *s, size_t size)
{
	ASSERT(size <= s->held);
	s->held -= size;
	s->server->held[s->options.reserved] -= size;
}

static bool
session_over_budget(const struct rpc_session *s)
{
	return s->server->held[s->options.reserved] >
	       (s->options.reserved ? RPC_HELD_RESERVED_MAX : RPC_HELD_MAX);
}

size_t
rpc_server_held(const struct rpc_server *server)
{
	return server->held[0] + server->held[1];
}

/* Output. */

/* @text (malloc) and @fds are consumed. */
static int
session_send(
    struct rpc_session *s, char *text, const int *fds, uint32_t fd_count)
{
	struct rpc_out *o = calloc(1, sizeof(*o));
	size_t len;
	char *line;

	if (o == NULL || text == NULL)
		goto out_free;
	len = strlen(text);
	line = realloc(text, len + 2);
	if (line == NULL)
		goto out_free;
	line[len++] = '\n';
	line[len] = '\0';
	o->text = line;
	o->len = len;
	for (uint32_t i = 0; i < fd_count; i++)
		o->fds[i] = fds[i];
	o->fd_count = fd_count;
	TAILQ_INSERT_TAIL(&s->out, o, link);
	s->out_size += len;
	session_hold(s, len);
	return 0;

out_free:
	free(o);
	free(text);
	server_close(s->server, fds, fd_count);
	/* An answer that cannot be given: the client must not wait for it. */
	s->broken = true;
	s->ended = true;
	return -ENOMEM;
}

static void
out_free(struct rpc_session *s, struct rpc_out *o)
{
	TAILQ_REMOVE(&s->out, o, link);
	s->out_size -= o->len - o->sent;
	session_let_go(s, o->len);
	server_close(s->server, o->fds, o->fd_count);
	free(o->text);
	free(o);
}

/* Consumes @message. */
static int
session_send_json(
    struct rpc_session *s, json_t *message, const int *fds, uint32_t fd_count)
{
	char *text = NULL;

	if (message != NULL)
		text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	return session_send(s, text, fds, fd_count);
}

static json_t *
error_json(json_t *id, int code, const char *message, json_t *data)
{
	json_t *e, *m;

	e = json_pack(
	    "{s:i,s:o}", "code", code, "message", info_json_text(message));
	if (data != NULL && e != NULL)
		json_object_set_new(e, "data", data);
	else
		json_decref(data);
	m = json_pack(
	    "{s:s,s:O?,s:o?}", "jsonrpc", "2.0", "id", id, "error", e);
	return m;
}

/* A line that is no request, or no JSON. */
static void
session_refuse(struct rpc_session *s, int code, const char *message)
{
	session_send_json(s, error_json(NULL, code, message, NULL), NULL, 0);
}

const char *
rpc_session_output(const struct rpc_session *s, size_t *len, const int **fds,
    uint32_t *fd_count)
{
	const struct rpc_out *o = TAILQ_FIRST(&s->out);

	if (o == NULL)
		return NULL;
	*len = o->len - o->sent;
	*fds = o->fds;
	*fd_count = o->fd_count;
	return o->text + o->sent;
}

void
rpc_session_output_done(struct rpc_session *s, size_t len)
{
	struct rpc_out *o = TAILQ_FIRST(&s->out);

	ASSERT(o != NULL && len > 0 && len <= o->len - o->sent);
	o->sent += len;
	s->out_size -= len;
	server_close(s->server, o->fds, o->fd_count);
	o->fd_count = 0;
	if (o->sent == o->len)
		out_free(s, o);
}

bool
rpc_session_overrun(const struct rpc_session *s)
{
	return s->broken || s->out_size > RPC_OUT_MAX;
}

size_t
rpc_session_output_size(const struct rpc_session *s)
{
	return s->out_size;
}

int
rpc_notify(struct rpc_session *s, const char *method, json_t *params)
{
	if (s->out_size > RPC_OUT_MAX / 4 || session_over_budget(s)) {
		json_decref(params);
		return -ENOBUFS;
	}
	return session_send_json(s,
	    json_pack("{s:s,s:s,s:o?}", "jsonrpc", "2.0", "method", method,
	        "params", params),
	    NULL, 0);
}

/* Sessions. */

int
rpc_session_create(struct rpc_server *server,
    const struct rpc_session_options *options, struct rpc_session **out)
{
	struct rpc_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->server = server;
	s->options = *options;
	if (s->options.rate == 0)
		s->options.rate = RPC_RATE;
	if (s->options.burst == 0)
		s->options.burst = RPC_BURST;
	TAILQ_INIT(&s->out);
	s->own.credited_ns = options->now_ns;
	s->own.credit_ns = UINT64_MAX / 2; /* cut to the burst at once */
	s->rate = options->bucket != NULL ? options->bucket : &s->own;
	rpc_session_hello(
	    s, options->client != NULL ? options->client : "client", NULL);
	s->options.client = NULL;
	*out = s;
	return 0;
}

static void
line_free(struct rpc_line *l)
{
	session_let_go(l->session, l->held);
	for (uint32_t i = 0; i < l->count; i++)
		free(l->answers[i]);
	free(l->answers);
	json_decref(l->root);
	free(l);
}

void
rpc_session_destroy(struct rpc_session *s)
{
	struct rpc_call *c;

	if (s == NULL)
		return;
	ASSERT(!s->stepping);
	TAILQ_FOREACH (c, &s->server->calls, link)
		if (c->session == s) {
			c->session = NULL;
			c->line = NULL;
		}
	if (s->line != NULL) {
		server_close(s->server, s->line->fds, s->line->fd_count);
		line_free(s->line);
	}
	while (!TAILQ_EMPTY(&s->out))
		out_free(s, TAILQ_FIRST(&s->out));
	ASSERT(s->held == 0);
	server_close(s->server, s->fds, s->fd_count);
	text_free(&s->in);
	free(s);
}

void *
rpc_session_user(const struct rpc_session *s)
{
	return s->options.user;
}

void
rpc_session_hello(
    struct rpc_session *s, const char *client, const struct vnet *vnet)
{
	s->vnet_id = vnet != NULL ? vnet->id : 0;
	if (client == NULL)
		return;
	for (size_t i = 0; i < sizeof(s->client); i++) {
		char ch = client[i];

		if (i == sizeof(s->client) - 1)
			ch = '\0';
		s->client[i] = ch == '\0' || (ch > ' ' && ch < 0x7f) ? ch : '?';
		if (ch == '\0')
			break;
	}
}

int
rpc_session_fds(struct rpc_session *s, const int *fds, uint32_t count)
{
	if (count > RPC_FDS_MAX - s->fd_count) {
		server_close(s->server, fds, count);
		return -EMFILE;
	}
	for (uint32_t i = 0; i < count; i++)
		s->fds[s->fd_count++] = fds[i];
	return 0;
}

/* Looks for the end of the first line. */
static void
session_scan(struct rpc_session *s)
{
	const char *nl;

	if (s->in_line || s->in.len == s->in_scanned)
		return;
	nl = memchr(s->in.s + s->in_scanned, '\n', s->in.len - s->in_scanned);
	s->in_line = nl != NULL;
	s->in_scanned = nl != NULL ? (size_t)(nl - s->in.s) : s->in.len;
}

int
rpc_session_input(struct rpc_session *s, const void *data, size_t len)
{
	size_t most;

	if (s->ended)
		return -EMSGSIZE;
	/* What was run makes room first. */
	if (s->in_start > 0) {
		s->in.len -= s->in_start;
		s->in_scanned -= s->in_start;
		memmove(s->in.s, s->in.s + s->in_start, s->in.len);
		s->in_start = 0;
	}
	text_putn(&s->in, data, len);
	if (!text_ok(&s->in)) {
		s->ended = true;
		return -ENOMEM;
	}
	session_scan(s);
	most = s->options.read_only ? RPC_LINE_READ_ONLY_MAX : RPC_LINE_MAX;
	if (s->in_scanned - s->in_start >= most) {
		char why[48];

		snprintf(
		    why, sizeof(why), "request longer than %zu bytes", most);
		session_refuse(s, RPC_INVALID_REQUEST, why);
		s->ended = true;
		return -EMSGSIZE;
	}
	return 0;
}

bool
rpc_session_wants_input(const struct rpc_session *s)
{
	return !s->ended && !s->in_line;
}

uint64_t
rpc_session_due(const struct rpc_session *s)
{
	return s->due_ns;
}

bool
rpc_session_idle(const struct rpc_session *s)
{
	return s->line == NULL && (!s->in_line || s->ended) &&
	       TAILQ_EMPTY(&s->out);
}

/* Of one token, in time. */
static uint64_t
session_cost(const struct rpc_session *s)
{
	return COAX_MAX(NS_PER_S / s->options.rate, UINT64_C(1));
}

/* One token, or false and the time when there will be one. */
static bool
session_pay(struct rpc_session *s, uint64_t now_ns)
{
	uint64_t cost = session_cost(s);
	uint64_t most = cost * s->options.burst, paid;
	struct net_rate *r = s->rate;

	if (now_ns > r->credited_ns) {
		r->credit_ns += now_ns - r->credited_ns;
		r->credited_ns = now_ns;
	}
	paid = COAX_MIN(r->credit_ns, r->debt_ns);
	r->debt_ns -= paid;
	r->credit_ns = COAX_MIN(r->credit_ns - paid, most);
	if (r->credit_ns < cost) {
		s->due_ns = now_ns + r->debt_ns + (cost - r->credit_ns);
		return false;
	}
	r->credit_ns -= cost;
	s->due_ns = 0;
	return true;
}

/* A long answer costs more than a short one: it is paid for afterwards. */
static void
session_charge(struct rpc_session *s, size_t len)
{
	uint64_t price = len / RPC_TOKEN_SIZE * session_cost(s);
	uint64_t paid = COAX_MIN(s->rate->credit_ns, price);

	s->rate->credit_ns -= paid;
	s->rate->debt_ns += price - paid;
}

/* Deepest nesting of a text of JSON, whether it is one or not. */
static uint32_t
text_depth(const char *p, size_t len)
{
	uint32_t depth = 0, most = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				quoted = false;
		} else if (p[i] == '"') {
			quoted = true;
		} else if (p[i] == '{' || p[i] == '[') {
			depth++;
			most = COAX_MAX(most, depth);
		} else if ((p[i] == '}' || p[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return most;
}

static bool
text_blank(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
			return false;
	return true;
}

/* Takes the first whole line and makes it session->line, or refuses it. */
static void
session_take_line(struct rpc_session *s)
{
	const char *p = s->in.s + s->in_start;
	size_t len = s->in_scanned - s->in_start, count;
	json_error_t je;
	json_t *root = NULL;
	struct rpc_line *l;

	s->in_start = s->in_scanned + 1;
	s->in_scanned = s->in_start;
	s->in_line = false;
	session_scan(s);
	if (text_blank(p, len))
		return;
	if (text_depth(p, len) > RPC_DEPTH_MAX) {
		session_refuse(s, RPC_INVALID_REQUEST,
		    "invalid request: nested deeper than 16");
		return;
	}
	root =
	    json_loadb(p, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
	if (root == NULL) {
		char why[sizeof(je.text) + 64];

		snprintf(why, sizeof(why), "parse error: %s at column %d",
		    je.text, je.column);
		session_refuse(s, RPC_PARSE_ERROR, why);
		return;
	}
	count = json_is_array(root) ? json_array_size(root) : 1;
	if (count == 0 || count > RPC_BATCH_MAX ||
	    (!json_is_array(root) && !json_is_object(root))) {
		session_refuse(s, RPC_INVALID_REQUEST,
		    count == 0  ? "invalid request: empty batch"
		    : count > 1 ? "invalid request: batch of more than 4096"
		                : "invalid request: not an object");
		json_decref(root);
		return;
	}
	l = calloc(1, sizeof(*l));
	if (l != NULL)
		l->answers = calloc(count, sizeof(*l->answers));
	if (l == NULL || l->answers == NULL) {
		free(l);
		json_decref(root);
		session_refuse(s, RPC_INTERNAL_ERROR, "Cannot allocate memory");
		return;
	}
	l->session = s;
	l->root = root;
	l->batch = json_is_array(root);
	l->count = (uint32_t)count;
	l->held = len * TREE_FACTOR;
	session_hold(s, l->held);
	s->line = l;
}

/* Puts @answer (consumed; NULL: memory has ended) into its slot, as text. */
static void
line_put(struct rpc_line *l, uint32_t slot, json_t *answer)
{
	struct rpc_session *s = l->session;
	char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
	size_t len;

	json_decref(answer);
	ASSERT(l->answers[slot] == NULL);
	if (text == NULL) {
		s->broken = true;
		s->ended = true;
		return;
	}
	len = strlen(text);
	l->answers[slot] = text;
	l->answers_size += len;
	l->held += len;
	session_hold(s, len);
	session_charge(s, len);
}

/* An answer that comes when the batch has more than enough of them. */
static json_t *
answer_too_much(json_t *id, const char *detail)
{
	char message[64];

	snprintf(message, sizeof(message),
	    "answers of this batch exceed %d bytes", RPC_BATCH_OUT_MAX);
	return error_json(
	    id, RPC_FAILED, message, rpc_error_data(EMSGSIZE, detail));
}

/* The same for an element's answer, if the batch has room for it. */
static void
line_answer(struct rpc_line *l, uint32_t slot, json_t *id, json_t *answer)
{
	line_put(l, slot, answer);
	if (!l->batch || l->answers_size <= RPC_BATCH_OUT_MAX)
		return;
	l->full = true;
	if (l->answers[slot] == NULL)
		return;
	session_let_go(l->session, strlen(l->answers[slot]));
	l->held -= strlen(l->answers[slot]);
	free(l->answers[slot]);
	l->answers[slot] = NULL;
	line_put(l, slot,
	    answer_too_much(
	        id, "this was carried out, but its answer has no room"));
}

/* Why an element is not carried out. */
static json_t *
line_refusal(const struct rpc_line *l, json_t *id)
{
	if (l->full)
		return answer_too_much(id, "this was not carried out");
	return error_json(id, RPC_FAILED,
	    "too many answers wait to be taken: No buffer space available",
	    rpc_error_data(ENOBUFS, "this was not carried out"));
}

/* All answers of a line, as it is sent. NULL: no memory. */
static char *
line_text(const struct rpc_line *l)
{
	struct text t = { 0 };

	if (l->batch)
		text_puts(&t, "[");
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->answers[i] == NULL)
			continue;
		if (t.len > 1)
			text_puts(&t, ",");
		text_puts(&t, l->answers[i]);
		free(l->answers[i]);
		l->answers[i] = NULL;
	}
	if (l->batch)
		text_puts(&t, "]");
	if (!text_ok(&t))
		text_free(&t);
	return t.s;
}

/* Sends the answers if all elements have ended. */
static void
line_finish(struct rpc_line *l)
{
	struct rpc_session *s = l->session;
	bool any = l->answers_size > 0;
	char *text = NULL;

	if (l->next < l->count || l->running > 0)
		return;
	if (any && !l->batch) {
		text = l->answers[0];
		l->answers[0] = NULL;
	} else if (any) {
		text = line_text(l);
	}
	s->line = NULL;
	if (any)
		session_send(s, text, l->fds, l->fd_count);
	else
		server_close(s->server, l->fds, l->fd_count);
	line_free(l);
}

/* Calls. */

static void
call_answer(struct rpc_call *call, json_t *answer)
{
	struct rpc_line *l = call->line;
	struct rpc_session *s = call->session;
	bool later = s != NULL && !s->stepping;

	if (l == NULL) {
		json_decref(answer);
		call_free(call);
		return;
	}
	if (answer == NULL && call->id != NULL)
		answer = error_json(call->id, RPC_INTERNAL_ERROR,
		    "Cannot allocate memory", NULL);
	if (call->id != NULL)
		line_answer(l, call->slot, call->id, answer);
	else
		json_decref(answer);
	l->running--;
	if (!call->overlap)
		l->blocking--;
	call_free(call);
	line_finish(l);
	if (later && s->options.wake != NULL)
		s->options.wake(s, s->options.user);
}

void
rpc_reply(struct rpc_call *call, json_t *result)
{
	if (call->id == NULL) {
		json_decref(result);
		call_answer(call, NULL);
		return;
	}
	call_answer(call, json_pack("{s:s,s:O,s:o?}", "jsonrpc", "2.0", "id",
	                      call->id, "result", result));
}

void
rpc_reply_fds(
    struct rpc_call *call, json_t *result, const int *fds, uint32_t count)
{
	struct rpc_line *l = call->line;

	ASSERT(count <= RPC_FDS_MAX);
	if (l == NULL || call->id == NULL) {
		server_close(call->server, fds, count);
	} else if (l->batch && count > 0) {
		server_close(call->server, fds, count);
		json_decref(result);
		rpc_fail(call, RPC_FAILED,
		    "an answer with a descriptor cannot be in a batch",
		    rpc_error_data(EOPNOTSUPP, NULL));
		return;
	} else {
		memcpy(l->fds, fds, count * sizeof(*fds));
		l->fd_count = count;
	}
	rpc_reply(call, result);
}

void
rpc_fail(struct rpc_call *call, int code, const char *message, json_t *data)
{
	call_answer(call, error_json(call->id, code, message, data));
}

json_t *
rpc_error_data(int err, const char *detail)
{
	json_t *d =
	    json_pack("{s:s,s:i}", "errno", bsd_errname(err), "exit", 1);

	if (d != NULL && detail != NULL && detail[0] != '\0')
		json_object_set_new(d, "detail", info_json_text(detail));
	return d;
}

void
rpc_fail_errno(struct rpc_call *call, int err, const char *fmt, ...)
{
	char message[512];
	struct sbuf b = sbuf_init(message, sizeof(message));
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	sbuf_printf(&b, "%s: %s", what, bsd_strerror(err));
	rpc_fail(call, RPC_FAILED, message,
	    rpc_error_data(err, call->net != NULL ? call->net->message : NULL));
}

void
rpc_fail_param(struct rpc_call *call, const char *name, const char *why)
{
	char message[256];

	snprintf(message, sizeof(message), "invalid params: %s: %s", name, why);
	rpc_fail(call, RPC_INVALID_PARAMS, message,
	    json_pack("{s:s,s:i,s:s%}", "errno", "EINVAL", "exit", 1, "param",
	        name, strlen(name)));
}

void
rpc_call_overlap(struct rpc_call *call)
{
	struct rpc_line *l = call->line;

	if (call->overlap || l == NULL)
		return;
	call->overlap = true;
	l->blocking--;
}

int
rpc_call_take_fd(struct rpc_call *call, uint32_t i)
{
	int fd;

	if (i >= call->fd_count)
		return -1;
	fd = call->fds[i];
	call->fds[i] = -1;
	return fd;
}

const char *
rpc_param_str(const struct rpc_call *call, const char *name)
{
	return json_string_value(json_object_get(call->params, name));
}

int64_t
rpc_param_int(const struct rpc_call *call, const char *name, int64_t def)
{
	const json_t *v = json_object_get(call->params, name);

	return json_is_integer(v) ? json_integer_value(v) : def;
}

bool
rpc_param_bool(const struct rpc_call *call, const char *name, bool def)
{
	const json_t *v = json_object_get(call->params, name);

	return json_is_boolean(v) ? json_boolean_value(v) : def;
}

/* Why @v is not what @p describes, or NULL. */
static const char *
param_check(const struct rpc_param *p, const json_t *v)
{
	size_t i;
	json_t *e;

	switch (p->type) {
	case RPC_TYPE_END:
		break;
	case RPC_STRING:
		return json_is_string(v) ? NULL : "must be a string";
	case RPC_STRING_OR_NULL:
		return json_is_string(v) || json_is_null(v)
		           ? NULL
		           : "must be a string or null";
	case RPC_INTEGER:
		if (!json_is_integer(v))
			return "must be an integer";
		if ((p->min != 0 || p->max != 0) &&
		    (json_integer_value(v) < p->min ||
		        json_integer_value(v) > p->max))
			return "out of range";
		return NULL;
	case RPC_BOOLEAN:
		return json_is_boolean(v) ? NULL : "must be true or false";
	case RPC_STRINGS:
		if (!json_is_array(v))
			return "must be an array of strings";
		json_array_foreach((json_t *)(uintptr_t)v, i, e) if (
		    !json_is_string(e)) return "must be an array of strings";
		return NULL;
	case RPC_OBJECT:
		return json_is_object(v) ? NULL : "must be an object";
	}
	return NULL;
}

static const struct rpc_param common_params[] = {
	{ .name = "vnet", .type = RPC_STRING, .optional = true },
	{ .name = "fds",
	    .type = RPC_INTEGER,
	    .optional = true,
	    .min = 0,
	    .max = RPC_FDS_MAX },
	{ .name = NULL },
};

static const struct rpc_param *
param_find(const struct rpc_param *rows, const char *name)
{
	for (; rows->name != NULL; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

/* Parameters of the request into call->params by name, checked. False: the
 * call has been answered. */
static bool
call_params(struct rpc_call *call, const json_t *given)
{
	const struct rpc_param *rows = call->method->params;
	const char *name, *why;
	json_t *v;

	if (json_is_array(given)) {
		size_t n = json_array_size(given), i = 0;

		for (; i < n && rows[i].name != NULL; i++)
			json_object_set(call->params, rows[i].name,
			    json_array_get(given, i));
		if (i < n) {
			rpc_fail(call, RPC_INVALID_PARAMS,
			    "invalid params: too many", NULL);
			return false;
		}
	} else if (given != NULL) {
		json_object_update(call->params, (json_t *)(uintptr_t)given);
	}
	json_object_foreach(call->params, name, v)
	{
		const struct rpc_param *p = param_find(rows, name);

		if (p == NULL)
			p = param_find(common_params, name);
		if (p == NULL) {
			rpc_fail_param(call, name, "no such parameter");
			return false;
		}
		why = param_check(p, v);
		if (why != NULL) {
			rpc_fail_param(call, name, why);
			return false;
		}
	}
	for (; rows->name != NULL; rows++)
		if (!rows->optional &&
		    json_object_get(call->params, rows->name) == NULL) {
			rpc_fail_param(call, rows->name, "missing");
			return false;
		}
	return true;
}

static struct vnet *
vnet_by_id(struct net *net, uint32_t id)
{
	struct vnet *v;

	TAILQ_FOREACH (v, &net->vnets, link)
		if (v->id == id)
			return v;
	return NULL;
}

/* Where the call acts. False: it has been answered. */
static bool
call_vnet(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "vnet");
	struct vnet *v = vnet_by_id(call->net, call->session->vnet_id);

	if (v == NULL) {
		rpc_fail(call, RPC_FAILED, "the vnet of this session is gone",
		    rpc_error_data(ENXIO, NULL));
		return false;
	}
	call->home = v == call->net->home;
	if (name != NULL && strcmp(name, v->name) != 0) {
		if (!call->home) {
			rpc_fail(call, RPC_FAILED,
			    "vnet: Operation not permitted",
			    rpc_error_data(EPERM,
			        "only the daemon's own vnet reaches others"));
			return false;
		}
		v = net_vnet_named(call->net, name);
		/* A user's vnets are his own; there are no others for him. */
		if (v == NULL || (call->actor != NULL && !call->actor->admin &&
		                     v->uid != call->actor->uid)) {
			char message[NET_VNET_NAME_MAX + 64];

			snprintf(message, sizeof(message),
			    "jail \"%.*s\" not found", NET_VNET_NAME_MAX, name);
			rpc_fail(call, RPC_FAILED, message,
			    rpc_error_data(ENOENT, NULL));
			return false;
		}
	}
	call->vnet = v;
	return true;
}

/* Descriptors that the request announces. False: it has been answered. */
static bool
call_fds(struct rpc_call *call)
{
	struct rpc_session *s = call->session;
	uint32_t n = (uint32_t)rpc_param_int(call, "fds", 0);

	if (n > s->fd_count) {
		rpc_fail_param(call, "fds", "fewer descriptors came");
		return false;
	}
	memcpy(call->fds, s->fds, n * sizeof(int));
	call->fd_count = n;
	s->fd_count -= n;
	memmove(s->fds, s->fds + n, s->fd_count * sizeof(int));
	return true;
}

/* Starts element @slot of the line. */
static void
line_start(struct rpc_line *l, uint32_t slot)
{
	struct rpc_session *s = l->session;
	json_t *request = l->batch ? json_array_get(l->root, slot) : l->root;
	json_t *id = json_object_get(request, "id");
	json_t *params = json_object_get(request, "params");
	const char *version, *method;
	struct net *net = s->server->options.net;
	struct rpc_call *call;
	const char *old;

	version = json_string_value(json_object_get(request, "jsonrpc"));
	method = json_string_value(json_object_get(request, "method"));
	if (!json_is_object(request) || version == NULL ||
	    strcmp(version, "2.0") != 0 || method == NULL ||
	    (id != NULL && !json_is_string(id) && !json_is_number(id) &&
	        !json_is_null(id)) ||
	    (params != NULL && !json_is_object(params) &&
	        !json_is_array(params))) {
		const char *why =
		    !json_is_object(request) ? "not an object"
		    : version == NULL || strcmp(version, "2.0") != 0
		        ? "jsonrpc must be \"2.0\""
		    : method == NULL ? "method must be a string"
		    : params != NULL && !json_is_object(params) &&
		            !json_is_array(params)
		        ? "params must be an object or an array"
		        : "id must be a string, a number or null";
		char message[96];

		if (!json_is_string(id) && !json_is_number(id))
			id = NULL;
		snprintf(message, sizeof(message), "invalid request: %s", why);
		line_answer(l, slot, id,
		    error_json(id, RPC_INVALID_REQUEST, message, NULL));
		return;
	}
	if (l->full || session_over_budget(s)) {
		if (id != NULL)
			line_put(l, slot, line_refusal(l, id));
		return;
	}
	call = calloc(1, sizeof(*call));
	if (call != NULL)
		call->params = json_object();
	if (call == NULL || call->params == NULL) {
		free(call);
		if (id != NULL)
			line_put(l, slot,
			    error_json(id, RPC_INTERNAL_ERROR,
			        "Cannot allocate memory", NULL));
		return;
	}
	call->session = s;
	call->server = s->server;
	call->net = net;
	call->user = s->server->options.user;
	call->read_only = s->options.read_only;
	call->line = l;
	call->slot = slot;
	call->id = json_incref(id);
	call->request = json_incref(request);
	TAILQ_INSERT_TAIL(&s->server->calls, call, link);
	l->running++;
	l->blocking++;

	call->method = rpc_server_method(s->server, method);
	if (call->method == NULL) {
		char message[128];

		snprintf(message, sizeof(message), "method not found: %.64s",
		    method);
		rpc_fail(call, RPC_METHOD_NOT_FOUND, message, NULL);
		return;
	}
	call->actor = s->options.actor;
	if (!call_params(call, params) || !call_vnet(call) || !call_fds(call))
		return;
	if (call->actor != NULL && !call->actor->admin &&
	    (call->method->flags & RPC_USERS) == 0) {
		char message[128];

		snprintf(message, sizeof(message),
		    "%.64s: Operation not permitted", method);
		rpc_fail(call, RPC_FAILED, message,
		    rpc_error_data(
		        EPERM, "only an administrator of this daemon may"));
		return;
	}
	if ((call->read_only && (call->method->flags & RPC_READ_ONLY) == 0) ||
	    (!call->home && (call->method->flags & RPC_HOME_ONLY) != 0)) {
		char message[128];

		snprintf(message, sizeof(message),
		    "%.64s: Operation not permitted", method);
		rpc_fail(call, RPC_FAILED, message,
		    rpc_error_data(EPERM,
		        call->read_only
		            ? "this is the read-only socket"
		            : "allowed from the daemon's own vnet only"));
		return;
	}
	snprintf(call->cause, sizeof(call->cause), "uid %" PRIu32 " pid %d %s",
	    s->options.uid, (int)s->options.pid, s->client);
	net->message[0] = '\0';
	old = net->cause;
	net->cause = call->cause;
	net->actor = call->actor;
	call->method->handler(call); /* may have freed the call */
	net->cause = old;
	net->actor = NULL;
}

bool
rpc_session_step(struct rpc_session *s, uint64_t now_ns)
{
	struct rpc_line *l;

	if (s->ended)
		return false;
	if (s->line == NULL && !s->in_line)
		return false;
	l = s->line;
	if (l != NULL && (l->next == l->count || l->blocking > 0))
		return false; /* an answer has to come first */
	if (!session_pay(s, now_ns))
		return false;
	s->stepping = true;
	if (l == NULL)
		session_take_line(s);
	l = s->line;
	if (l != NULL) {
		/* An answer during line_start() must not end the line. */
		l->running++;
		line_start(l, l->next++);
		l->running--;
		line_finish(l);
	}
	s->stepping = false;
	l = s->line;
	return l != NULL ? l->next < l->count && l->blocking == 0 : s->in_line;
}

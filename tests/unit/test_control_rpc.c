/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON-RPC sessions: framing, limits, order, descriptors, late answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../golden/world.h"

/* Methods that the tests steer. */
static struct rpc_call *held[4];
static uint32_t held_count, started;
static int taken_fd;

static void
do_hold(struct rpc_call *call)
{
	started++;
	held[held_count++] = call;
}

static void
do_hold_overlap(struct rpc_call *call)
{
	do_hold(call);
	rpc_call_overlap(call);
}

static void
do_count(struct rpc_call *call)
{
	rpc_reply(call, json_integer(++started));
}

/* An answer of a megabyte. */
static void
do_big(struct rpc_call *call)
{
	static char text[1024 * 1024];

	started++;
	memset(text, 'x', sizeof(text) - 1);
	rpc_reply(call, json_string(text));
}

static void
do_take(struct rpc_call *call)
{
	taken_fd = rpc_call_take_fd(call, 0);
	rpc_reply(call, json_integer(call->fd_count));
}

static void
do_give(struct rpc_call *call)
{
	int fds[] = { 70, 71 };

	rpc_reply_fds(call, json_pack("{s:i}", "fd", 1), fds, 2);
}

static void
do_cause(struct rpc_call *call)
{
	rpc_reply(call, json_string(call->net->cause));
}

static bool abandoned;

static void
abandon(struct rpc_call *call)
{
	(void)call;
	abandoned = true;
}

static void
do_hold_abandon(struct rpc_call *call)
{
	call->abandon = abandon;
}

static const struct rpc_method test_methods[] = {
	{ .name = "hold", .flags = RPC_READ_ONLY, .handler = do_hold },
	{ .name = "hold.overlap", .handler = do_hold_overlap },
	{ .name = "hold.abandon", .handler = do_hold_abandon },
	{ .name = "count", .flags = RPC_READ_ONLY, .handler = do_count },
	{ .name = "big", .flags = RPC_READ_ONLY, .handler = do_big },
	{ .name = "take", .handler = do_take },
	{ .name = "give", .handler = do_give },
	{ .name = "cause", .handler = do_cause },
	{ .name = NULL },
};

static const struct rpc_method *const tables[] = { test_methods,
	control_methods, NULL };

static int
setup(void **state)
{
	held_count = started = 0;
	taken_fd = -1;
	abandoned = false;
	*state = world_create(tables);
	return 0;
}

static int
teardown(void **state)
{
	world_destroy(*state);
	return 0;
}

#define REQUEST(id, method) \
	"{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\"}"
#define ANSWER(id, result) \
	"{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":" result "}"

static void
assert_output(struct rpc_session *s, const char *want)
{
	char *got = world_output(s);

	assert_string_equal(got, want);
	free(got);
}

static void
feed(struct rpc_session *s, const char *text)
{
	assert_int_equal(rpc_session_input(s, text, strlen(text)), 0);
}

/* Wherever the bytes are cut, the answers are the same. */
static void
test_bytes_arrive_in_any_pieces(void **state)
{
	static const char text[] =
	    REQUEST(1, "ping") "\r\n\n  \n" REQUEST(2, "ping") "\n";
	struct world *w = *state;

	for (size_t cut = 1; cut < strlen(text); cut++) {
		assert_int_equal(rpc_session_input(w->home, text, cut), 0);
		world_run(w, w->home);
		assert_int_equal(
		    rpc_session_input(w->home, text + cut, strlen(text) - cut),
		    0);
		world_run(w, w->home);
		assert_output(w->home,
		    ANSWER(1, "\"pong\"") "\n" ANSWER(2, "\"pong\"") "\n");
		assert_true(rpc_session_idle(w->home));
	}
}

/* One step runs one request; the rest stays in the socket. */
static void
test_a_step_runs_one_request(void **state)
{
	struct world *w = *state;

	feed(w->home, REQUEST(1, "count") "\n" REQUEST(2, "count") "\n");
	assert_false(rpc_session_wants_input(w->home));
	assert_true(rpc_session_step(w->home, w->net->now_ns));
	assert_int_equal(started, 1);
	assert_false(rpc_session_step(w->home, w->net->now_ns));
	assert_int_equal(started, 2);
	assert_true(rpc_session_wants_input(w->home));
	assert_false(rpc_session_step(w->home, w->net->now_ns));
	assert_output(w->home, ANSWER(1, "1") "\n" ANSWER(2, "2") "\n");
}

static void
test_a_line_of_the_limit_is_taken_a_longer_one_ends_the_session(void **state)
{
	struct world *w = *state;
	char *line = malloc(RPC_LINE_MAX + 1), *got;

	assert_non_null(line);
	memset(line, ' ', RPC_LINE_MAX);
	memcpy(line, REQUEST(1, "ping"), strlen(REQUEST(1, "ping")));
	line[RPC_LINE_MAX - 1] = '\n';
	assert_int_equal(rpc_session_input(w->home, line, RPC_LINE_MAX), 0);
	world_run(w, w->home);
	assert_output(w->home, ANSWER(1, "\"pong\"") "\n");

	line[RPC_LINE_MAX - 1] = ' ';
	assert_int_equal(rpc_session_input(w->home, line, RPC_LINE_MAX - 1), 0);
	assert_int_equal(
	    rpc_session_input(w->home, line, RPC_LINE_MAX), -EMSGSIZE);
	assert_false(rpc_session_step(w->home, w->net->now_ns));
	got = world_output(w->home);
	assert_non_null(strstr(got, "-32600"));
	free(got);
	assert_int_equal(rpc_session_input(w->home, "\n", 1), -EMSGSIZE);
	free(line);
}

static void
test_text_that_is_not_utf8_is_a_parse_error(void **state)
{
	struct world *w = *state;
	char *got = world_line(w, w->home, "{\"a\":\"\xff\xfe\"}");

	assert_non_null(strstr(got, "-32700"));
	free(got);
	got = world_line(w, w->home, "{\"a\":\"\\u0000\"}");
	assert_non_null(strstr(got, "-32700"));
	free(got);
}

/* A batch of @n pings without an answer each but for the first. */
static char *
batch_text(size_t n)
{
	struct text t = { 0 };

	text_puts(&t, "[" REQUEST(1, "ping"));
	for (size_t i = 1; i < n; i++)
		text_puts(&t, ",{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}");
	text_puts(&t, "]");
	return t.s;
}

static void
test_batches_have_a_limit(void **state)
{
	struct world *w = *state;
	char *text = batch_text(RPC_BATCH_MAX), *got;

	got = world_line(w, w->home, text);
	assert_string_equal(got, "[" ANSWER(1, "\"pong\"") "]\n");
	free(got);
	free(text);
	text = batch_text(RPC_BATCH_MAX + 1);
	got = world_line(w, w->home, text);
	assert_non_null(strstr(got, "-32600"));
	free(got);
	free(text);
}

/* Answers that have no room end a batch; none is held beyond the limit, and
 * nothing is carried out whose answer could not be given. */
static void
test_answers_of_a_batch_have_a_limit(void **state)
{
	struct world *w = *state;
	struct text t = { 0 };
	json_t *list;
	char *got;

	for (int i = 0; i < 1000; i++)
		text_puts(
		    &t, i == 0 ? "[" REQUEST(1, "big") : "," REQUEST(1, "big"));
	text_puts(&t, "]\n");
	feed(w->read_only, text_str(&t));
	text_free(&t);
	while (rpc_session_step(w->read_only, w->net->now_ns)) {
		assert_true(rpc_server_held(w->server) <
		            RPC_BATCH_OUT_MAX + 4 * 1024 * 1024);
		w->net->now_ns += 1000000000;
	}
	assert_int_equal(started, 8);
	got = world_output(w->read_only);
	list = json_loads(got, 0, NULL);
	free(got);
	assert_int_equal(json_array_size(list), 1000);
	for (size_t i = 0; i < 1000; i++) {
		const json_t *a = json_array_get(list, i);
		const json_t *data =
		    json_object_get(json_object_get(a, "error"), "data");
		const char *detail =
		    json_string_value(json_object_get(data, "detail"));

		if (i < 7) {
			assert_non_null(json_object_get(a, "result"));
			continue;
		}
		assert_string_equal(
		    json_string_value(json_object_get(data, "errno")),
		    "EMSGSIZE");
		assert_string_equal(detail,
		    i == 7 ? "this was carried out, but its answer has no room"
		           : "this was not carried out");
	}
	json_decref(list);
	assert_int_equal(rpc_server_held(w->server), 0);
}

/* What all clients hold has a limit, and the owner has one of its own. */
static void
test_all_sessions_have_a_budget(void **state)
{
	struct world *w = *state;
	struct rpc_session *s[100], *owner;
	struct rpc_session_options o = { .read_only = true,
		.now_ns = w->net->now_ns };
	size_t refused = 0;
	char *got;

	for (size_t i = 0; i < ARRAY_LEN(s); i++) {
		assert_int_equal(rpc_session_create(w->server, &o, &s[i]), 0);
		feed(s[i], REQUEST(1, "big") "\n");
		world_run(w, s[i]);
		assert_true(rpc_server_held(w->server) <
		            RPC_HELD_MAX + 2 * 1024 * 1024);
	}
	assert_in_range(started, 60, 70);
	o.reserved = true;
	assert_int_equal(rpc_session_create(w->server, &o, &owner), 0);
	feed(owner, REQUEST(1, "ping") "\n");
	world_run(w, owner);
	assert_output(owner, ANSWER(1, "\"pong\"") "\n");
	for (size_t i = 0; i < ARRAY_LEN(s); i++) {
		got = world_output(s[i]);
		refused += strstr(got, "ENOBUFS") != NULL;
		free(got);
	}
	assert_int_equal(refused, ARRAY_LEN(s) - started);
	assert_int_equal(rpc_server_held(w->server), 0);
	/* There is room again. */
	feed(s[0], REQUEST(1, "ping") "\n");
	world_run(w, s[0]);
	assert_output(s[0], ANSWER(1, "\"pong\"") "\n");
	rpc_session_destroy(owner);
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		rpc_session_destroy(s[i]);
}

/* A session that ends with answers nobody took gives its budget back. */
static void
test_the_budget_outlives_sessions(void **state)
{
	struct world *w = *state;
	struct rpc_session_options o = { .now_ns = w->net->now_ns };
	struct rpc_session *s;

	assert_int_equal(rpc_session_create(w->server, &o, &s), 0);
	feed(s, REQUEST(1, "big") "\n[" REQUEST(2, "big") "," REQUEST(
	            3, "hold") "]\n");
	world_run(w, s);
	assert_true(rpc_server_held(w->server) > 2 * 1024 * 1024);
	rpc_session_destroy(s);
	assert_int_equal(rpc_server_held(w->server), 0);
	rpc_reply(held[0], NULL);
}

/* A long answer is paid for by the next request, not refused. */
static void
test_long_answers_cost_more(void **state)
{
	struct world *w = *state;
	struct rpc_session_options o = {
		.rate = 1024, .burst = 16, .now_ns = w->net->now_ns
	};
	struct rpc_session *s;
	uint64_t due;

	assert_int_equal(rpc_session_create(w->server, &o, &s), 0);
	feed(s, REQUEST(1, "big") "\n" REQUEST(2, "count") "\n");
	(void)rpc_session_step(s, w->net->now_ns);
	(void)rpc_session_step(s, w->net->now_ns);
	assert_int_equal(started, 1);
	due = rpc_session_due(s);
	/* 1024 tokens, of which 15 were there. */
	assert_in_range(
	    due - w->net->now_ns, UINT64_C(980000000), UINT64_C(1000000000));
	(void)rpc_session_step(s, due - 1);
	assert_int_equal(started, 1);
	(void)rpc_session_step(s, due);
	assert_int_equal(started, 2);
	rpc_session_destroy(s);
}

static void
test_lines_of_readers_are_shorter(void **state)
{
	struct world *w = *state;
	char *line = malloc(RPC_LINE_READ_ONLY_MAX), *got;

	assert_non_null(line);
	memset(line, ' ', RPC_LINE_READ_ONLY_MAX);
	assert_int_equal(
	    rpc_session_input(w->read_only, line, RPC_LINE_READ_ONLY_MAX - 1),
	    0);
	assert_int_equal(rpc_session_input(w->read_only, line, 1), -EMSGSIZE);
	got = world_output(w->read_only);
	assert_non_null(strstr(got, "longer than 262144 bytes"));
	free(got);
	free(line);
}

/* Nothing is refused: it waits for its token, and says until when. */
static void
test_rate_delays_requests(void **state)
{
	struct world *w = *state;
	struct rpc_session_options o = {
		.rate = 10, .burst = 2, .now_ns = w->net->now_ns
	};
	struct rpc_session *s;

	assert_int_equal(rpc_session_create(w->server, &o, &s), 0);
	feed(s, REQUEST(1, "count") "\n" REQUEST(2, "count") "\n" REQUEST(
	            3, "count") "\n");
	while (rpc_session_step(s, w->net->now_ns) && rpc_session_due(s) == 0)
		;
	assert_int_equal(started, 2);
	assert_int_equal(rpc_session_due(s), w->net->now_ns + 100000000);
	assert_false(rpc_session_step(s, w->net->now_ns + 99999999));
	assert_int_equal(started, 2);
	(void)rpc_session_step(s, w->net->now_ns + 100000000);
	assert_int_equal(started, 3);
	assert_int_equal(rpc_session_due(s), 0);
	rpc_session_destroy(s);
}

/* The session waits for its answer, others do not. */
static void
test_a_late_answer_holds_its_session_only(void **state)
{
	struct world *w = *state;

	feed(w->home, REQUEST(1, "hold") "\n" REQUEST(2, "count") "\n");
	world_run(w, w->home);
	assert_int_equal(held_count, 1);
	assert_output(w->home, "");
	assert_false(rpc_session_idle(w->home));
	feed(w->read_only, REQUEST(7, "count") "\n");
	world_run(w, w->read_only);
	assert_output(w->read_only, ANSWER(7, "2") "\n");
	rpc_reply(held[0], json_true());
	world_run(w, w->home);
	assert_output(w->home, ANSWER(1, "true") "\n" ANSWER(2, "3") "\n");
}

static void
woken(struct rpc_session *s, void *user)
{
	(void)s;
	(*(int *)user)++;
}

static void
test_the_owner_is_woken_by_a_late_answer(void **state)
{
	struct world *w = *state;
	int wakes = 0;
	struct rpc_session_options o = {
		.wake = woken, .user = &wakes, .now_ns = w->net->now_ns
	};
	struct rpc_session *s;

	assert_int_equal(rpc_session_create(w->server, &o, &s), 0);
	feed(s, REQUEST(1, "hold") "\n" REQUEST(2, "ping") "\n");
	(void)rpc_session_step(s, w->net->now_ns);
	assert_int_equal(wakes, 0);
	rpc_reply(held[0], json_null());
	assert_int_equal(wakes, 1);
	rpc_session_destroy(s);
}

static void
test_an_answer_to_a_client_that_has_gone_goes_nowhere(void **state)
{
	struct world *w = *state;
	struct rpc_session_options o = { .now_ns = w->net->now_ns };
	struct rpc_session *s;

	assert_int_equal(rpc_session_create(w->server, &o, &s), 0);
	feed(s, "[" REQUEST(1, "ping") "," REQUEST(2, "hold") "]\n");
	world_run(w, s);
	assert_int_equal(held_count, 1);
	rpc_session_destroy(s);
	assert_null(held[0]->session);
	rpc_reply(held[0], json_string("nobody"));
}

static void
test_a_batch_waits_for_an_element_unless_it_overlaps(void **state)
{
	struct world *w = *state;

	feed(w->home, "[" REQUEST(1, "hold") "," REQUEST(2, "count") "]\n");
	world_run(w, w->home);
	assert_int_equal(started, 1);
	rpc_reply(held[0], json_null());
	world_run(w, w->home);
	assert_output(w->home, "[" ANSWER(1, "null") "," ANSWER(2, "2") "]\n");

	held_count = 0;
	feed(w->home, "[" REQUEST(1, "hold.overlap") "," REQUEST(
	                  2, "hold.overlap") "," REQUEST(3, "count") "]\n");
	world_run(w, w->home);
	assert_int_equal(started, 5);
	assert_output(w->home, "");
	/* Answered in another order, sent in the order of the elements. */
	rpc_reply(held[1], json_string("b"));
	rpc_reply(held[0], json_string("a"));
	assert_output(w->home, "[" ANSWER(1, "\"a\"") "," ANSWER(
	                           2, "\"b\"") "," ANSWER(3, "5") "]"
	                                                          "\n");
}

static void
test_descriptors_go_to_the_request_that_announces_them(void **state)
{
	struct world *w = *state;
	int fds[] = { 50, 51 };
	char *got;

	assert_int_equal(rpc_session_fds(w->home, fds, 2), 0);
	got = world_line(w, w->home, REQUEST(1, "take"));
	assert_string_equal(got, ANSWER(1, "0") "\n");
	assert_int_equal(taken_fd, -1);
	free(got);
	got = world_line(w, w->home,
	    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"take\","
	    "\"params\":{\"fds\":2}}");
	assert_string_equal(got, ANSWER(2, "2") "\n");
	free(got);
	assert_int_equal(taken_fd, 50);
	assert_int_equal(w->closed_fds, 1); /* the one that was not taken */
}

static void
test_too_many_descriptors_are_closed(void **state)
{
	struct world *w = *state;
	int fds[RPC_FDS_MAX] = { 0 };

	assert_int_equal(rpc_session_fds(w->home, fds, RPC_FDS_MAX), 0);
	assert_int_equal(rpc_session_fds(w->home, fds, 1), -EMFILE);
	assert_int_equal(w->closed_fds, 1);
	rpc_session_destroy(w->home);
	w->home = NULL;
	assert_int_equal(w->closed_fds, 1 + RPC_FDS_MAX);
}

static void
test_an_answer_carries_descriptors_with_its_first_bytes(void **state)
{
	struct world *w = *state;
	const int *fds;
	uint32_t n;
	size_t len;

	feed(w->home, REQUEST(1, "give") "\n");
	world_run(w, w->home);
	assert_non_null(rpc_session_output(w->home, &len, &fds, &n));
	assert_int_equal(n, 2);
	assert_int_equal(fds[1], 71);
	assert_int_equal(w->closed_fds, 0);
	rpc_session_output_done(w->home, 1);
	assert_int_equal(w->closed_fds, 2); /* sent: ours are closed */
	assert_non_null(rpc_session_output(w->home, &len, &fds, &n));
	assert_int_equal(n, 0);
	assert_int_equal(len, strlen(ANSWER(1, "{\"fd\":1}")));
	rpc_session_output_done(w->home, len);

	feed(w->home, "[" REQUEST(1, "give") "]\n");
	world_run(w, w->home);
	assert_int_equal(w->closed_fds, 4);
	assert_non_null(rpc_session_output(w->home, &len, &fds, &n));
	assert_int_equal(n, 0);
}

static void
test_the_cause_names_the_client(void **state)
{
	struct world *w = *state;
	char *got;

	rpc_session_hello(w->home, "if con\nfig", NULL);
	got = world_line(w, w->home, REQUEST(1, "cause"));
	assert_string_equal(got, ANSWER(1, "\"uid 0 pid 1 if?con?fig\"") "\n");
	assert_null(w->net->cause);
	free(got);
}

static void
test_notifications_are_held_back_from_a_slow_client(void **state)
{
	struct world *w = *state;
	char *big = malloc(RPC_OUT_MAX / 8 + 1);

	assert_non_null(big);
	memset(big, 'x', RPC_OUT_MAX / 8);
	big[RPC_OUT_MAX / 8] = '\0';
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    rpc_notify(w->home, "event", json_string(big)), 0);
	assert_int_equal(
	    rpc_notify(w->home, "event", json_string("x")), -ENOBUFS);
	assert_false(rpc_session_overrun(w->home));
	free(big);
}

/* What a command waits for when the server ends is freed with it. */
static void
test_a_waiting_call_is_abandoned_with_the_server(void **state)
{
	struct world *w = world_create(tables);

	(void)state;
	feed(w->home, REQUEST(1, "hold.abandon") "\n");
	world_run(w, w->home);
	w->slow = true;
	feed(w->read_only, REQUEST(1, "ping") "\n");
	world_run(w, w->read_only);
	world_destroy(w);
	assert_true(abandoned);
}

/* The same for a real command, whose system never answers. */
static void
test_an_ifconfig_run_is_abandoned_with_the_server(void **state)
{
	struct world *w = world_create(tables);

	(void)state;
	w->slow = true;
	feed(w->home, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ifconfig\","
	              "\"params\":{\"argv\":[\"mock\",\"create\",\"up\"]}}\n");
	(void)rpc_session_step(w->home, w->net->now_ns);
	assert_int_equal(w->wait_count, 1);
	w->wait_count = 0; /* called off */
	world_destroy(w);
}

/* A vnet that ends takes its sessions' rights with it, not the daemon. */
static void
test_a_session_outlives_its_vnet(void **state)
{
	struct world *w = *state;
	struct vnet *vnet;
	char *got;

	assert_int_equal(net_vnet_create(w->net, "alice", &vnet), 0);
	rpc_session_hello(w->home, NULL, vnet);
	assert_int_equal(net_vnet_destroy(vnet, NULL), 0);
	got = world_line(w, w->home, REQUEST(1, "ping"));
	assert_non_null(strstr(got, "the vnet of this session is gone"));
	free(got);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_bytes_arrive_in_any_pieces),
		CASE(test_a_step_runs_one_request),
		CASE(
		    test_a_line_of_the_limit_is_taken_a_longer_one_ends_the_session),
		CASE(test_text_that_is_not_utf8_is_a_parse_error),
		CASE(test_batches_have_a_limit),
		CASE(test_answers_of_a_batch_have_a_limit),
		CASE(test_all_sessions_have_a_budget),
		CASE(test_the_budget_outlives_sessions),
		CASE(test_long_answers_cost_more),
		CASE(test_lines_of_readers_are_shorter),
		CASE(test_rate_delays_requests),
		CASE(test_a_late_answer_holds_its_session_only),
		CASE(test_the_owner_is_woken_by_a_late_answer),
		CASE(test_an_answer_to_a_client_that_has_gone_goes_nowhere),
		CASE(test_a_batch_waits_for_an_element_unless_it_overlaps),
		CASE(test_descriptors_go_to_the_request_that_announces_them),
		CASE(test_too_many_descriptors_are_closed),
		CASE(test_an_answer_carries_descriptors_with_its_first_bytes),
		CASE(test_the_cause_names_the_client),
		CASE(test_notifications_are_held_back_from_a_slow_client),
		cmocka_unit_test(
		    test_a_waiting_call_is_abandoned_with_the_server),
		cmocka_unit_test(
		    test_an_ifconfig_run_is_abandoned_with_the_server),
		CASE(test_a_session_outlives_its_vnet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

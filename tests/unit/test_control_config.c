/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configurations: what is exported makes an empty daemon the same, what cannot
 * be applied leaves no trace. The interfaces and what they are told are drawn
 * by chance from the tables of words, so a new word is tested by being there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../golden/world.h"
#include "base/prng.h"
#include "control/ifconfig.h"

#define ROUNDS 200

/* --- a world by chance ------------------------------------------------------
 */

static const char *const kinds[] = { "feth", "bridge", "vlan", "mock",
	"epair" };

/* One ifconfig line; whether it is refused does not matter. */
static void COAX_PRINTF(2, 3) run(struct world *w, const char *fmt, ...)
{
	struct text out = { 0 }, err = { 0 };
	char line[16384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	(void)world_tool(w, w->home, "ifconfig", line, &out, &err);
	text_free(&out);
	text_free(&err);
}

static const char *
pick(struct prng *g, const char *const *list, size_t count)
{
	return list[prng_below(g, count)];
}

/* An interface of @vnet, or of all if that has none. */
static struct iface *
any_iface(struct world *w, struct prng *g)
{
	uint64_t n = prng_below(g, w->net->iface_count);
	struct iface *ifp;

	TAILQ_FOREACH (ifp, &w->net->ifaces, all_link)
		if (n-- == 0)
			return ifp;
	return NULL;
}

static void
put_arg(struct world *w, struct prng *g, const struct iface_keyword *row,
    const struct keyword_arg *arg, struct text *t)
{
	static const char *const words[] = { "lab", "two words", "auto",
		"1000baseT", "6", "it's", "none", "a$b\"c\\d" };
	static const char *const sets[] = { "none", "all", "10", "1,5-9,4094" };
	uint64_t n = prng_below(g, 8);
	const char *c = arg->choices;

	switch (arg->kind) {
	case KEYWORD_ARG_END:
		break;
	case KEYWORD_ARG_IFNAME:
		text_printf(t, " %s", any_iface(w, g)->name);
		break;
	case KEYWORD_ARG_NUMBER:
		if (strcmp(row->name, "mtu") == 0)
			text_printf(t, " %d", (int)prng_range(g, 1200, 1600));
		else if (prng_chance(g, 1, 4))
			text_printf(t, " %llu",
			    (unsigned long long)COAX_MIN(
			        arg->max, (uint64_t)UINT32_MAX));
		else
			text_printf(t, " %llu",
			    (unsigned long long)COAX_MIN(
			        arg->max, arg->min + prng_below(g, 40)));
		break;
	case KEYWORD_ARG_MAC:
		text_printf(t, " 02:00:00:00:00:%02x", (unsigned int)n);
		break;
	case KEYWORD_ARG_WORD:
		c = pick(g, words, ARRAY_LEN(words));
		if (strchr(c, '\'') != NULL)
			text_printf(t, " \"%s\"", c);
		else
			text_printf(t, " '%s'", c);
		break;
	case KEYWORD_ARG_VLAN:
		text_printf(t, " %d", (int)prng_range(g, 1, 30));
		break;
	case KEYWORD_ARG_VLANS:
		text_printf(t, " %s", pick(g, sets, ARRAY_LEN(sets)));
		break;
	case KEYWORD_ARG_CHOICE:
		while (n-- > 0 && c[strlen(c) + 1] != '\0')
			c += strlen(c) + 1;
		text_printf(t, " %s", c);
		break;
	}
}

struct rows {
	const struct iface_keyword *list[256];
	size_t count;
};

static void
put_row(void *arg, const struct iface_keyword *row, bool own)
{
	struct rows *r = arg;

	(void)own;
	/* Those with an apply are rows; the others come below. */
	if (row->apply != NULL && r->count < ARRAY_LEN(r->list))
		r->list[r->count++] = row;
}

/* A word that @ifp takes, with arguments. */
static void
tell_word(struct world *w, struct prng *g, const struct iface *ifp)
{
	char target[NET_IFACE_TEXT_MAX];
	const struct iface_keyword *row;
	struct rows r = { .count = 0 };
	struct text t = { 0 };

	ifconfig_word_list(ifp->ops, put_row, &r);
	row = r.list[prng_below(g, r.count)];
	text_puts(&t, row->name);
	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++) {
		if (row->args[i].literal != NULL && prng_chance(g, 1, 2))
			continue;
		if (row->args[i].literal != NULL)
			text_printf(&t, " %s", row->args[i].literal);
		put_arg(w, g, row, &row->args[i], &t);
	}
	run(w, "%s %s", net_iface_name_in(ifp, w->net->home, target),
	    text_str(&t));
	text_free(&t);
}

/* What has no row: addresses, names, host sides, vnets. */
static void
tell_special(struct world *w, struct prng *g, const struct iface *ifp)
{
	static const char *const names[] = { "em0", "em1", "lan", "feth1",
		"bridge0", "mock9" };
	char target[NET_IFACE_TEXT_MAX];
	unsigned int n = (unsigned int)prng_below(g, 6);

	(void)net_iface_name_in(ifp, w->net->home, target);
	switch (prng_below(g, 13)) {
	case 12:
		run(w, "%s %s", target,
		    n % 3 == 0   ? "DHCP"
		    : n % 3 == 1 ? "SYNCDHCP"
		                 : "-DHCP");
		break;
	case 10:
		run(w, "%s impair%s loss %u%% delay %ums", target,
		    n % 3 == 0   ? ""
		    : n % 3 == 1 ? " in"
		                 : " out",
		    n, n);
		break;
	case 11:
		run(w, "%s impair rate 1gbit seed %u out loss gemodel 1%% 9%%",
		    target, n);
		break;
	case 0:
		run(w, "%s inet 192.0.2.%u/24", target, n);
		break;
	case 1:
		run(w, "%s inet 198.51.100.%u/%u alias", target, n, 20 + n);
		break;
	case 2:
		run(w, "%s inet6 2001:db8::%u/64", target, n);
		break;
	case 3:
		run(w, "%s inet 203.0.113.%u 203.0.113.99 alias", target, n);
		break;
	case 4:
		run(w, "%s name %s", target, pick(g, names, ARRAY_LEN(names)));
		break;
	case 5:
		run(w, "%s -host", target);
		break;
	case 6:
		run(w, "%s host", target);
		break;
	case 7:
		run(w, "%s vnet v%u", target, n % 2);
		break;
	case 8:
		run(w, "%s ether 02:00:00:00:01:%02x", target, n);
		break;
	default:
		run(w, "%s.%u create", target, n + 1);
	}
}

static void
random_world(struct world *w, struct prng *g)
{
	static const char *const sysctls[] = { "net.link.bridge.inherit_mac=1",
		"net.link.bridge.log_stp=1", "net.link.fake.max_mtu=3000",
		"net.link.fake.fcs=1", "net.link.fake.tx_drops=3",
		"net.link.bridge.log_mac_flap=0" };
	uint64_t steps = prng_range(g, 5, 60);

	for (unsigned int i = 0; i < 2; i++) {
		json_t *params = json_sprintf("v%u", i);

		json_decref(world_call(w, w->home, "vnet.create",
		    json_pack("{s:o}", "name", params)));
	}
	for (uint64_t i = prng_range(g, 2, 8); i > 0; i--) {
		if (prng_chance(g, 1, 5))
			run(w, "-j v%u %s create", (unsigned int)(i % 2),
			    pick(g, kinds, ARRAY_LEN(kinds)));
		else
			run(w, "%s create", pick(g, kinds, ARRAY_LEN(kinds)));
	}
	for (; steps > 0 && w->net->iface_count > 0; steps--) {
		struct text out = { 0 }, err = { 0 };

		if (prng_chance(g, 1, 4))
			tell_special(w, g, any_iface(w, g));
		else
			tell_word(w, g, any_iface(w, g));
		if (prng_chance(g, 1, 20)) {
			(void)world_tool(w, w->home, "sysctl",
			    pick(g, sysctls, ARRAY_LEN(sysctls)), &out, &err);
			text_free(&out);
			text_free(&err);
		}
	}
}

/* --- export and apply
 * --------------------------------------------------------- */

/* Owned. */
static char *
export_of(struct world *w)
{
	json_t *answer = world_call(w, w->home, "config.export", json_object());
	char *text = strdup(json_string_value(
	    json_object_get(json_object_get(answer, "result"), "text")));

	json_decref(answer);
	return text;
}

/* Return: the error, new reference; NULL: it was applied. */
static json_t *
apply(struct world *w, const char *text, bool dry_run)
{
	json_t *answer = world_call(w, w->home, "config.apply",
	    json_pack("{s:s,s:b}", "text", text, "dry_run", dry_run));
	json_t *error = json_incref(json_object_get(answer, "error"));

	json_decref(answer);
	return error;
}

static void
fail_with(
    uint64_t seed, const char *what, const json_t *error, const char *text)
{
	char *s = error != NULL ? json_dumps(error, JSON_INDENT(1)) : NULL;

	print_error("seed %llu: %s\n%s\n%s\n", (unsigned long long)seed, what,
	    s != NULL ? s : "", text);
	free(s);
	if (strcmp(what, "not taken back") != 0)
		fail();
}

/* The first line in which they differ. */
static void
fail_with_diff(uint64_t seed, const char *want, const char *got)
{
	const char *w = want, *g = got;

	print_error("%s\n", want);
	for (size_t i = 0; want[i] != '\0' && want[i] == got[i]; i++)
		if (want[i] == '\n') {
			w = want + i + 1;
			g = got + i + 1;
		}
	print_error("seed %llu: want %.*s\n got %.*s\n",
	    (unsigned long long)seed, (int)strcspn(w, "\n"), w,
	    (int)strcspn(g, "\n"), g);
	fail();
}

/* Without the lines about what a file cannot say. */
static const char *
settings(const char *text)
{
	while (*text == '#')
		text = strchr(text, '\n') + 1;
	return text;
}

/* Nothing of an interface is exported twice, or under two names. */
static void
test_export_then_apply_is_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		struct prng g = prng_init(seed);
		struct world *a = world_create(NULL), *b = world_create(NULL);
		char *want, *got;
		json_t *error;

		random_world(a, &g);
		want = export_of(a);
		b->slow = seed % 2 == 0;
		error = apply(b, want, false);
		if (error != NULL)
			fail_with(seed, "refused", error, want);
		got = export_of(b);
		if (strcmp(settings(want), settings(got)) != 0)
			fail_with_diff(seed, want, got);
		free(got);
		free(want);
		world_destroy(a);
		world_destroy(b);
	}
}

/* The second time there is nothing to do, and nothing is done. */
static void
test_twice_is_once(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS / 3; seed++) {
		struct prng g = prng_init(seed);
		struct world *w = world_create(NULL);
		json_t *answer, *parts, *part, *settings;
		char *text;
		size_t i;

		random_world(w, &g);
		text = export_of(w);
		answer = world_call(w, w->home, "config.apply",
		    json_pack("{s:s}", "text", text));
		parts =
		    json_object_get(json_object_get(answer, "result"), "out");
		if (parts == NULL)
			fail_with(seed, "refused",
			    json_object_get(answer, "error"), text);
		json_array_foreach(parts, i, part)
		{
			settings = json_object_get(part, "settings");
			if (json_array_size(settings) > 0)
				fail_with(seed, "differs", settings, text);
		}
		json_decref(answer);
		free(text);
		world_destroy(w);
	}
}

/* Whatever call to the system fails, and whenever: all is as before. */
static void
test_a_failure_leaves_no_trace(void **state)
{
	unsigned int failed = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		struct prng g = prng_init(seed);
		struct world *a = world_create(NULL), *b = world_create(NULL);
		char *file, *before, *after;
		json_t *error;

		random_world(a, &g);
		file = export_of(a);
		random_world(b, &g);
		before = export_of(b);
		b->slow = seed % 2 == 0;
		b->fail_in = 1 + prng_below(&g, 12);
		error = apply(b, file, false);
		if (error == NULL || b->fail_in != 0) {
			/* Refused before, or done without that call. */
			b->fail_in = 0;
		} else {
			failed++;
			after = export_of(b);
			if (strcmp(before, after) != 0) {
				fail_with(seed, "not taken back", error, file);
				fail_with_diff(seed, before, after);
			}
			free(after);
		}
		json_decref(error);
		free(before);
		free(file);
		world_destroy(a);
		world_destroy(b);
	}
	assert_true(failed > ROUNDS / 10);
}

/* -n changes nothing, and says what would be. */
static void
test_dry_run_changes_nothing(void **state)
{
	struct prng g = prng_init(7);
	struct world *w = world_create(NULL);
	char *before, *after;

	(void)state;
	random_world(w, &g);
	before = export_of(w);
	assert_null(apply(w,
	    "cloned_interfaces=\"mock70 bridge70\"\n"
	    "ifconfig_bridge70=\"addm mock70 up\"\n",
	    true));
	after = export_of(w);
	assert_string_equal(before, after);
	free(before);
	free(after);
	world_destroy(w);
}

/* --- two at once
 * ---------------------------------------------------------------- */

static char *
lines_of(
    struct world *w, struct rpc_session *s, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id",
	    1, "method", method, "params", params);
	char *line = json_dumps(request, JSON_COMPACT);

	assert_int_equal(rpc_session_input(s, line, strlen(line)), 0);
	assert_int_equal(rpc_session_input(s, "\n", 1), 0);
	while (rpc_session_step(s, w->net->now_ns))
		;
	free(line);
	json_decref(request);
	return NULL;
}

/* Two clients give one bridge two forms at the same time: the second one's
 * begins when the first one's has ended, and each is whole. */
static void
test_two_at_once(void **state)
{
	struct rpc_session_options o = { .pid = 9, .client = "other" };
	struct world *w = world_create(NULL);
	struct rpc_session *other;
	char *one, *two, *text;

	(void)state;
	assert_int_equal(rpc_session_create(w->server, &o, &other), 0);
	w->slow = true;
	(void)lines_of(w, w->home, "config.apply",
	    json_pack("{s:s}", "text",
	        "cloned_interfaces=\"mock0 mock1 bridge0\"\n"
	        "ifconfig_bridge0=\"addm mock0 maxaddr 10\"\n"));
	(void)lines_of(w, other, "config.apply",
	    json_pack("{s:s}", "text",
	        "cloned_interfaces=\"mock0 mock2 bridge0\"\n"
	        "ifconfig_bridge0=\"addm mock2 maxaddr 20\"\n"));
	one = world_output(w->home);
	two = world_output(other);
	assert_string_equal(one, "");
	assert_string_equal(two, "");
	free(one);
	free(two);
	while (world_pump(w))
		;
	one = world_output(w->home);
	two = world_output(other);
	assert_non_null(strstr(one, "\"result\""));
	assert_non_null(strstr(two, "\"result\""));
	/* The second saw what the first has made. */
	assert_non_null(strstr(two, "\"old\":\"addm mock0 maxaddr 10\""));
	assert_null(strstr(two, "mock1\",\"new"));
	free(one);
	free(two);
	text = export_of(w);
	assert_non_null(strstr(
	    text, "ifconfig_bridge0=\"addm mock0 addm mock2 maxaddr 20\""));
	free(text);
	rpc_session_destroy(other);
	world_destroy(w);
}

/* A client that has gone: its configuration goes on; a daemon that ends first
 * ends it. */
static void
test_an_end_in_the_middle(void **state)
{
	struct rpc_session_options o = { .pid = 9, .client = "other" };
	static const char file[] = "cloned_interfaces=\"mock0 mock1\"\n";
	struct world *w = world_create(NULL);
	struct rpc_session *other;
	char *text;

	(void)state;
	assert_int_equal(rpc_session_create(w->server, &o, &other), 0);
	w->slow = true;
	(void)lines_of(
	    w, other, "config.apply", json_pack("{s:s}", "text", file));
	rpc_session_destroy(other);
	while (world_pump(w))
		;
	text = export_of(w);
	assert_non_null(strstr(text, file));
	free(text);
	(void)lines_of(w, w->home, "config.apply",
	    json_pack("{s:s}", "text", "cloned_interfaces=\"mock5\"\n"));
	(void)lines_of(w, w->home, "config.apply",
	    json_pack("{s:s}", "text", "cloned_interfaces=\"mock6\"\n"));
	w->wait_count = 0; /* called off */
	world_destroy(w);
}

/* --- limits
 * ---------------------------------------------------------------------- */

/* Every interface that there can be, and a file that has more. */
static void
test_too_many(void **state)
{
	struct world *w = world_create(NULL);
	struct text t = { 0 };
	json_t *error;
	char *line;

	(void)state;
	text_puts(&t, "cloned_interfaces=\"");
	for (int i = 0; i <= 99; i++)
		text_printf(&t, "mock%d ", i);
	text_puts(&t, "mock100\"\n");
	error = apply(w, text_str(&t), false);
	assert_non_null(error);
	line = json_dumps(error, 0);
	assert_non_null(strstr(line, "text:1: cloned_interfaces: mock100"));
	assert_int_equal(w->net->iface_count, 0);
	free(line);
	json_decref(error);
	text_free(&t);
	world_destroy(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_export_then_apply_is_the_same),
		cmocka_unit_test(test_twice_is_once),
		cmocka_unit_test(test_a_failure_leaves_no_trace),
		cmocka_unit_test(test_dry_run_changes_nothing),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_an_end_in_the_middle),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

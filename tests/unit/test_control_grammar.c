/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every word of the grammar with arguments that it must refuse. The cases come
 * from the tables themselves, so a new word is tested by being there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../golden/world.h"
#include "control/ifconfig.h"

/* One interface of each kind. */
static const char *const targets[] = { "feth0", "bridge0", "mock0", "vlan0",
	"epair0a", "tap0", "vether0", "lo1", "xnb0", "sock0", "gif0" };

struct walk {
	struct world *w;
	const char *target;
	uint32_t words, cases;
	void (*check)(struct walk *k, const struct iface_keyword *row);
};

static int
setup(void **state)
{
	struct world *w = world_create(NULL);
	struct text out = { 0 }, err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		char words[64];
		int len = (int)strlen(targets[i]);

		/* An end of a pair is made with the other. */
		if (str_has_prefix(targets[i], "epair"))
			len--;
		snprintf(words, sizeof(words), "%.*s create", len, targets[i]);
		assert_int_equal(
		    world_tool(w, w->home, "ifconfig", words, &out, &err), 0);
	}
	assert_int_equal(world_tool(w, w->home, "ifconfig",
	                     "bridge0 addm mock0", &out, &err),
	    0);
	text_free(&out);
	text_free(&err);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	world_destroy(*state);
	return 0;
}

/* The state that a refused line must leave alone. */
static json_t *
snapshot(struct world *w)
{
	return world_call(w, w->home, "iface.list", json_object());
}

/* The line is refused with exit 1, a message, and no change. */
static void
assert_refused(struct walk *k, const char *const *argv, size_t argc)
{
	json_t *before = snapshot(k->w), *after, *answer, *list = json_array();
	const json_t *error;
	const char *message;

	json_array_append_new(list, json_string(k->target));
	/* A change that a line refused as a whole does not make. */
	json_array_append_new(list, json_string("debug"));
	for (size_t i = 0; i < argc; i++)
		json_array_append_new(list, json_string(argv[i]));
	answer = world_call(
	    k->w, k->w->home, "ifconfig", json_pack("{s:o}", "argv", list));
	error = json_object_get(answer, "error");
	if (error == NULL)
		fail_msg("%s %s %s: not refused", k->target, argv[0],
		    argc > 1 ? argv[1] : "");
	message = json_string_value(json_object_get(error, "message"));
	assert_non_null(message);
	assert_true(strlen(message) > 0);
	assert_int_equal(json_integer_value(json_object_get(
	                     json_object_get(error, "data"), "exit")),
	    1);
	after = snapshot(k->w);
	/* When it failed in running, what came before it stays. */
	if (!json_equal(before, after)) {
		struct iface *ifp = net_iface_find(k->w->net, NULL, k->target);

		assert_non_null(ifp);
		assert_true((ifp->flags & IFACE_DEBUG) != 0);
		assert_int_equal(iface_set_flags(ifp, 0, IFACE_DEBUG), 0);
		json_decref(after);
		after = snapshot(k->w);
		if (!json_equal(before, after))
			fail_msg(
			    "%s %s: changed something", k->target, argv[0]);
	}
	json_decref(before);
	json_decref(after);
	json_decref(answer);
	k->cases++;
}

static uint32_t
args_needed(const struct iface_keyword *row)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++)
		n += row->args[i].kind != KEYWORD_ARG_END &&
		     row->args[i].literal == NULL;
	return n;
}

/* A value that the parser takes. */
static const char *
good(const struct keyword_arg *arg)
{
	static char number[24];

	switch (arg->kind) {
	case KEYWORD_ARG_END:
		break;
	case KEYWORD_ARG_IFNAME:
		return "mock0";
	case KEYWORD_ARG_NUMBER:
		snprintf(number, sizeof(number), "%llu",
		    (unsigned long long)arg->min);
		return number;
	case KEYWORD_ARG_MAC:
		return "02:00:00:00:00:01";
	case KEYWORD_ARG_WORD:
		return "x";
	case KEYWORD_ARG_VLAN:
	case KEYWORD_ARG_VLANS:
		return "10";
	case KEYWORD_ARG_CHOICE:
		return arg->choices;
	}
	return "";
}

/* Word @row with @value in the place of argument @i. */
static void
refuse_value(struct walk *k, const struct iface_keyword *row, uint32_t i,
    const char *value)
{
	const char *argv[2 * KEYWORD_ARGS_MAX + 1] = { row->name };
	size_t argc = 1;

	for (uint32_t a = 0; a < KEYWORD_ARGS_MAX; a++) {
		const struct keyword_arg *arg = &row->args[a];

		if (arg->kind == KEYWORD_ARG_END ||
		    (arg->literal != NULL && a != i))
			continue;
		if (arg->literal != NULL)
			argv[argc++] = arg->literal;
		argv[argc++] = a == i ? value : good(arg);
	}
	assert_refused(k, argv, argc);
}

static void
check_missing(struct walk *k, const struct iface_keyword *row)
{
	const char *argv[KEYWORD_ARGS_MAX + 1] = { row->name };
	uint32_t n = args_needed(row);

	for (uint32_t have = 0; have < n; have++) {
		if (have > 0)
			argv[have] = good(&row->args[have - 1]);
		assert_refused(k, argv, have + 1);
	}
	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++)
		if (row->args[i].literal != NULL) {
			const char *last[2 * KEYWORD_ARGS_MAX + 1];
			size_t argc = 0;

			last[argc++] = row->name;
			for (uint32_t a = 0; a < i; a++)
				if (row->args[a].literal == NULL)
					last[argc++] = good(&row->args[a]);
			last[argc++] = row->args[i].literal;
			assert_refused(k, last, argc);
		}
}

static void
check_bad(struct walk *k, const struct iface_keyword *row)
{
	static const char *const numbers[] = { "", "-1", "+1", " 1", "1 ", "1x",
		"x", "0x", "08", "1.0", "99999999999999999999",
		"0x10000000000000000" };
	static const char *const macs[] = { "", "x", "02:00:00:00:00",
		"02:00:00:00:00:01:02", "02:00:00:00:00:1g", "020000000001",
		"02:00:00:00:00:001" };
	static const char *const vlans[] = { "", "0", "4095", "5000", "-1", "x",
		"99999999999999999999" };
	static const char *const sets[] = { "", "0", "4095", "1-", "-1", "5-4",
		"1,,2", ",1", "1,", "none,1", "all,1", "1 2", "0x10", "1-2-3",
		"1-4095", "NONE", "99999999999999999999" };
	static const char *const choices[] = { "", "x", "802.1", "802.1Q",
		"PEER", "peer " };
	char text[24];

	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++) {
		const struct keyword_arg *arg = &row->args[i];

		if (arg->kind == KEYWORD_ARG_VLANS) {
			for (size_t n = 0; n < ARRAY_LEN(sets); n++)
				refuse_value(k, row, i, sets[n]);
		} else if (arg->kind == KEYWORD_ARG_CHOICE) {
			for (size_t n = 0; n < ARRAY_LEN(choices); n++)
				refuse_value(k, row, i, choices[n]);
		}
		if (arg->kind == KEYWORD_ARG_NUMBER) {
			for (size_t n = 0; n < ARRAY_LEN(numbers); n++)
				refuse_value(k, row, i, numbers[n]);
			if (arg->min > 0) {
				snprintf(text, sizeof(text), "%llu",
				    (unsigned long long)arg->min - 1);
				refuse_value(k, row, i, text);
			}
			if (arg->max < UINT64_MAX) {
				snprintf(text, sizeof(text), "%llu",
				    (unsigned long long)arg->max + 1);
				refuse_value(k, row, i, text);
			}
		} else if (arg->kind == KEYWORD_ARG_MAC) {
			for (size_t n = 0; n < ARRAY_LEN(macs); n++)
				refuse_value(k, row, i, macs[n]);
		} else if (arg->kind == KEYWORD_ARG_VLAN) {
			for (size_t n = 0; n < ARRAY_LEN(vlans); n++)
				refuse_value(k, row, i, vlans[n]);
		}
	}
}

static void
check_empty_and_long(struct walk *k, const struct iface_keyword *row)
{
	char huge[4096];

	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++) {
		if (row->args[i].kind == KEYWORD_ARG_END ||
		    strcmp(row->name, "entry") == 0) /* takes any name */
			continue;
		refuse_value(k, row, i, huge);
		/* An empty description clears it, as in BSD. */
		if (!str_has_prefix(row->name, "descr"))
			refuse_value(k, row, i, "");
	}
}

static void
check_absent_and_wrong(struct walk *k, const struct iface_keyword *row)
{
	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++) {
		if (row->args[i].kind != KEYWORD_ARG_IFNAME ||
		    strcmp(row->name, "entry") == 0)
			continue;
		refuse_value(k, row, i, "nothing0");
		refuse_value(k, row, i, "bridge0");
		/* There, and Ethernet, but no member. */
		if (strcmp(k->target, "bridge0") == 0 &&
		    strcmp(row->name, "addm") != 0 &&
		    strcmp(row->name, "span") != 0)
			refuse_value(k, row, i, "epair0b");
	}
}

static void
each(void *arg, const struct iface_keyword *row, bool own)
{
	struct walk *k = arg;

	(void)own;
	k->words++;
	k->check(k, row);
}

static void
walk_all(struct world *w,
    void (*check)(struct walk *k, const struct iface_keyword *row),
    uint32_t cases_min)
{
	struct walk k = { .w = w, .check = check };

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		const struct iface *ifp =
		    net_iface_find(w->net, NULL, targets[i]);

		assert_non_null(ifp);
		k.target = targets[i];
		ifconfig_word_list(ifp->ops, each, &k);
	}
	assert_true(k.words > 100);
	assert_true(k.cases >= cases_min);
}

static void
test_a_missing_argument_is_refused(void **state)
{
	walk_all(*state, check_missing, 60);
}

static void
test_bad_numbers_addresses_and_vlans_are_refused(void **state)
{
	walk_all(*state, check_bad, 100);
}

static void
test_empty_and_long_arguments_are_refused(void **state)
{
	walk_all(*state, check_empty_and_long, 60);
}

static void
test_absent_and_wrong_interfaces_are_refused(void **state)
{
	walk_all(*state, check_absent_and_wrong, 20);
}

/* Is a kind's word one that every interface takes, in its own way? */
static bool
is_common(const char *name)
{
	const struct iface_keyword *row = ifconfig_common_words;

	while (row->name != NULL && strcmp(row->name, name) != 0)
		row++;
	return row->name != NULL;
}

/* The words of one kind are not those of another. */
static void
test_words_belong_to_their_kind(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		const struct iface_ops *ops =
		    net_iface_find(w->net, NULL, targets[i])->ops;

		for (const struct iface_keyword *row = ops->keywords;
		     row != NULL && row->name != NULL; row++) {
			struct walk k = { .w = w,
				.target =
				    targets[(i + 1) % ARRAY_LEN(targets)] };
			const char *argv[KEYWORD_ARGS_MAX + 1] = { row->name };
			uint32_t n = args_needed(row);

			if (is_common(row->name))
				continue;
			for (uint32_t a = 0; a < n; a++)
				argv[a + 1] = good(&row->args[a]);
			assert_refused(&k, argv, n + 1);
		}
	}
}

/* A kind that is new is tried here as well. */
static void
test_every_kind_is_tried(void **state)
{
	(void)state;
	for (size_t i = 0; drv_kinds[i] != NULL; i++) {
		/* It takes a host to have one. */
		bool found =
		    (drv_kinds[i]->kind_flags & IFACE_KIND_ADOPTED) != 0;

		for (size_t k = 0; k < ARRAY_LEN(targets); k++)
			found = found ||
			        str_has_prefix(targets[k], drv_kinds[i]->kind);
		if (!found)
			fail_msg("no interface of kind %s in targets[]",
			    drv_kinds[i]->kind);
	}
}

/* Each word says what it is for, and stands once. */
struct seen {
	const char *names[256];
	size_t count;
};

static void
see(void *arg, const struct iface_keyword *row, bool own)
{
	struct seen *s = arg;

	assert_non_null(row->help);
	for (size_t i = 0; !own && i < s->count; i++)
		assert_string_not_equal(s->names[i], row->name);
	assert_true(s->count < ARRAY_LEN(s->names));
	if (!own)
		s->names[s->count++] = row->name;
}

static void
test_every_word_has_help_and_stands_once(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct seen s = { 0 };

		ifconfig_word_list(
		    net_iface_find(w->net, NULL, targets[i])->ops, see, &s);
		assert_true(s.count > 40);
	}
}

/* A line of thousands of words is one command. */
static void
test_a_long_line_runs(void **state)
{
	struct world *w = *state;
	struct text line = { 0 }, out = { 0 }, err = { 0 };

	text_puts(&line, "mock0");
	for (int i = 0; i < 4000; i++)
		text_puts(&line, i % 2 == 0 ? " up" : " down");
	assert_int_equal(
	    world_tool(w, w->home, "ifconfig", line.s, &out, &err), 0);
	for (int i = 0; i < 5000; i++)
		text_puts(&line, " up");
	assert_int_equal(
	    world_tool(w, w->home, "ifconfig", line.s, &out, &err), 1);
	assert_string_equal(
	    text_str(&err), "ifconfig: Argument list too long\n");
	text_free(&line);
	text_free(&out);
	text_free(&err);
}

/* A page of `ifconfig WORDS'. Return: how many it has; *@next: 0 if it was the
 * last. */
static size_t
page_of(struct world *w, const char *words, json_int_t *next, json_t *all)
{
	json_t *answer = world_call(w, w->home, "ifconfig",
	    json_pack("{s:o,s:I}", "argv", world_split(words), "after", *next));
	json_t *result = json_object_get(answer, "result");
	json_t *out = json_object_get(result, "out");
	size_t n = json_array_size(out);

	assert_non_null(out);
	*next = json_integer_value(json_object_get(result, "next"));
	json_array_extend(all, out);
	json_decref(answer);
	return n;
}

/* However many interfaces there are, a page describes 64 and looks at 1024. */
static void
test_a_listing_comes_in_pages(void **state)
{
	struct world *w = *state;
	json_t *all = json_array(), *none = json_array(), *whole;
	struct iface *ifp;
	json_int_t next = 0;
	size_t n, count;
	uint32_t pages = 0;

	for (int i = 0; i < 1100; i++)
		assert_int_equal(
		    net_iface_create(w->net, NULL, "feth", &ifp), 0);
	do {
		n = page_of(w, "-a", &next, all);
		assert_true(n == 64 || next == 0);
		pages++;
	} while (next != 0);
	count = json_array_size(all);
	assert_true(count >= 1100);
	assert_int_equal(pages, (count + 63) / 64);
	whole = world_call(w, w->home, "ifconfig",
	    json_pack("{s:o}", "argv", world_split("-a")));
	assert_true(json_equal(
	    json_object_get(json_object_get(whole, "result"), "out"), all));
	/* Where nothing is to be shown, a page ends, too. */
	assert_int_equal(page_of(w, "-a -g nobody", &next, none), 0);
	assert_int_not_equal(next, 0);
	assert_int_equal(page_of(w, "-a -g nobody", &next, none), 0);
	assert_int_equal(next, 0);
	/* The one after which the next page begins may have gone meanwhile. */
	json_array_clear(none);
	(void)page_of(w, "-a", &next, none);
	assert_int_equal(
	    net_iface_destroy(net_iface_by_index(w->net, (uint32_t)next), NULL),
	    0);
	(void)page_of(w, "-a", &next, none);
	for (size_t i = 0; i < 128; i++)
		assert_true(json_equal(
		    json_array_get(none, i), json_array_get(all, i)));
	json_decref(whole);
	json_decref(all);
	json_decref(none);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_a_listing_comes_in_pages),
		CASE(test_a_missing_argument_is_refused),
		CASE(test_bad_numbers_addresses_and_vlans_are_refused),
		CASE(test_empty_and_long_arguments_are_refused),
		CASE(test_absent_and_wrong_interfaces_are_refused),
		CASE(test_words_belong_to_their_kind),
		CASE(test_every_kind_is_tried),
		CASE(test_every_word_has_help_and_stands_once),
		CASE(test_a_long_line_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

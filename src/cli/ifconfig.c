/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax ifconfig: the words go to the daemon as they are, the answer is printed
 * in BSD's format, or as JSON.
 *
 * Where the daemon may not enter the vnet of a rootless container, its refusal
 * asks for help: this program, which may, makes the netdev there, gives it to
 * the daemon, and the rest of the words goes on. At the end the netdev gets
 * what those have set.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "control/address_list.h"
#include "control/printout.h"

#define HELP_MAX      64   /* netdevs made for one command line */
#define LINES_AT_ONCE 1024 /* of a list that is written */

/* Prints what a refused line has done before it asked for help. */
static void
print_done(const struct cli *cli, const json_t *error)
{
	const json_t *data = json_object_get(error, "data");
	json_t *result =
	    json_pack("{s:O?}", "out", json_object_get(data, "done"));
	struct text out = { 0 };
	struct text err = { 0 };

	if (cli->json)
		printout_json(result, &out);
	else
		(void)printout_result(cli->program, result, &out, &err);
	json_decref(result);
	(void)cli_put_both(cli, &out, &err);
}

/* A long list of addresses, which is fetched piece by piece. */
struct pages {
	const struct cli *cli;
	struct coax *c;
	const json_t *part; /* what is to be listed */
};

static void
format_text(void *arg, const json_t *address, struct text *out)
{
	(void)arg;
	printout_address(address, out);
}

static void
format_json(void *arg, const json_t *address, struct text *out)
{
	char *text = json_dumps(address, JSON_COMPACT);

	(void)arg;
	text_printf(out, "    %s", text != NULL ? text : "null");
	free(text);
}

/* All pieces. Return: exit status. */
static int
get_pages(const struct pages *p, struct address_list *list)
{
	json_t *cursor = json_incref(json_object_get(p->part, "cursor"));
	int status = 0;

	while (status == 0 && cursor != NULL) {
		json_t *page;

		status = cli_call(p->cli, p->c, "bridge.addresses",
		    json_pack("{s:O,s:o,s:b}", "name",
		        json_object_get(p->part, "iface"), "cursor", cursor,
		        "static",
		        json_is_true(json_object_get(p->part, "static"))),
		    &page);
		if (status != 0)
			return status;
		if (address_list_add(list, page,
		        p->cli->json ? format_json : format_text, NULL) != 0) {
			cli_error(p->cli, "no memory for the list");
			status = 1;
		}
		cursor = json_incref(json_object_get(page, "cursor"));
		json_decref(page);
	}
	json_decref(cursor);
	return status;
}

static int
put_pages(const struct pages *p)
{
	struct address_list list = { 0 };
	int status = get_pages(p, &list);

	address_list_sort(&list);
	for (size_t i = 0; i < list.count && status == 0;) {
		struct text out = { 0 };

		for (size_t k = 0; k < LINES_AT_ONCE && i < list.count; k++) {
			text_puts(&out, p->cli->json && i > 0 ? ",\n" : "");
			text_puts(&out, list.lines[i++].text);
		}
		status = cli_put(p->cli, &out);
	}
	address_list_free(&list);
	return status;
}

/* The same as JSON: the part as any other, but its list a line an address. */
static int
put_json_pages(const struct pages *p)
{
	json_t *head = json_copy((json_t *)(uintptr_t)p->part);
	struct text out = { 0 };
	char *text;
	int status;

	json_object_del(head, "addresses");
	json_object_del(head, "cursor");
	text = json_dumps(head, JSON_COMPACT);
	json_decref(head);
	/* "{...}" without its end. */
	text_printf(&out, "  %.*s,\"addresses\":[\n",
	    text != NULL ? (int)strlen(text) - 1 : 0, text != NULL ? text : "");
	free(text);
	status = cli_put(p->cli, &out);
	if (status == 0)
		status = put_pages(p);
	if (status == 0) {
		out = (struct text){ 0 };
		text_puts(&out, "\n  ]}");
		status = cli_put(p->cli, &out);
	}
	return status;
}

static bool
has_pages(const json_t *part)
{
	return json_is_string(json_object_get(part, "cursor"));
}

/* What a line has given. Return: exit status. */
static int
put_result(const struct cli *cli, struct coax *c, const json_t *result)
{
	const json_t *parts = json_object_get(result, "out");
	struct pages p = { .cli = cli, .c = c };
	struct text out = { 0 }, msg = { 0 };
	bool paged = false;
	int status = 0;
	size_t i;
	json_t *part;

	json_array_foreach(parts, i, part)
	{
		paged = paged || has_pages(part);
	}
	if (!paged) {
		if (cli->json)
			printout_json(parts, &out);
		else
			status =
			    printout_result(cli->program, result, &out, &msg);
		return status | cli_put_both(cli, &out, &msg);
	}
	json_array_foreach(parts, i, part)
	{
		out = msg = (struct text){ 0 };
		if (cli->json)
			text_puts(&out, i == 0 ? "[\n" : ",\n");
		if (!cli->json && !has_pages(part))
			printout_part(cli->program, part, &out, &msg);
		else if (!has_pages(part))
			printout_json(part, &out);
		status = cli_put_both(cli, &out, &msg);
		p.part = part;
		if (status == 0 && has_pages(part))
			status = cli->json ? put_json_pages(&p) : put_pages(&p);
		if (status != 0)
			return status;
	}
	out = (struct text){ 0 };
	if (cli->json)
		text_puts(&out, "\n]\n");
	return cli_put(cli, &out);
}

/* Runs the line; a listing of all interfaces comes in pages. Consumes @words.
 * Return: as coax_call(). */
static int
call_line(struct coax *c, json_t *words, json_t **result)
{
	json_t *page;
	int err;

	*result = NULL;
	err = coax_call(c, "ifconfig",
	    json_pack("{s:O,s:i}", "argv", words, "after", 0), NULL, 0, result,
	    NULL, 0, NULL);

	while (err == 0 && json_object_get(*result, "next") != NULL) {
		err = coax_call(c, "ifconfig",
		    json_pack("{s:O,s:O}", "argv", words, "after",
		        json_object_get(*result, "next")),
		    NULL, 0, &page, NULL, 0, NULL);
		if (err != 0)
			break;
		/* Where it goes on, if it does. */
		json_object_del(*result, "next");
		if (json_array_extend(json_object_get(*result, "out"),
		        json_object_get(page, "out")) != 0 ||
		    json_object_update_missing(*result, page) != 0)
			err = -ENOMEM;
		json_decref(page);
	}
	if (err != 0 && *result != NULL) {
		json_decref(*result);
		*result = NULL;
	}
	json_decref(words);
	return err;
}

/*
 * One try. Return: exit status, or -1: help was given, *@words are left to do
 * (new reference). *@helped is what was helped with last (new reference), if it
 * was.
 */
static int
run_words(struct cli *cli, struct coax *c, json_t **words, json_t **helped)
{
	json_t *result, *rest, *word;
	const json_t *error, *helper;
	const char *iface;
	int status;
	size_t i;
	int err = call_line(c, *words, &result);

	*words = NULL;
	if (err == 0) {
		status = put_result(cli, c, result);
		json_decref(result);
		return status;
	}
	error = coax_error_object(c);
	helper = json_object_get(json_object_get(error, "data"), "helper");
	iface = json_string_value(json_object_get(helper, "iface"));
	if (iface == NULL)
		return cli_refused(cli, c, err);
	print_done(cli, error);
	*words = json_pack("[s]", iface);
	rest = json_object_get(helper, "rest");
	json_array_foreach(rest, i, word)(void) json_array_append(*words, word);
	rest = json_deep_copy(helper); /* the error ends with the next call */
	status = cli_help_daemon(cli, c, rest);
	if (status == 0) {
		json_decref(*helped);
		*helped = rest;
	} else {
		json_decref(rest);
	}
	if (status == 0 && json_array_size(*words) > 1)
		return -1;
	json_decref(*words);
	*words = NULL;
	return status;
}

/* Words whose next word is text, whatever it looks like. */
static bool
takes_text(const char *word)
{
	static const char *const words[] = { "description", "descr", "name",
		"group", "-group", "ssid" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

/* "user alice" and "usergroup staff" as the numbers that the daemon takes: the
 * accounts are those of who asks. An unknown name stays, and is refused. */
static void
accounts_to_numbers(json_t *words)
{
	const char *before = "";

	for (size_t i = 1; i + 1 < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));
		const char *name =
		    json_string_value(json_array_get(words, i + 1));
		const struct passwd *pw = NULL;
		const struct group *gr = NULL;
		char number[16];

		if (strcmp(word, "user") == 0 && !takes_text(before))
			pw = getpwnam(name);
		else if (strcmp(word, "usergroup") == 0 && !takes_text(before))
			gr = getgrnam(name);
		before = word;
		if (pw == NULL && gr == NULL)
			continue;
		(void)snprintf(number, sizeof(number), "%u",
		    (unsigned int)(pw != NULL ? pw->pw_uid : gr->gr_gid));
		(void)json_array_set_new(words, i + 1, json_string(number));
	}
}

int
cli_ifconfig(struct cli *cli, int argc, char **argv)
{
	struct coax *c;
	json_t *helped = NULL;
	json_t *words;
	int status = -1;

	cli_take_json(cli, &argc, argv);
	words = cli_words(cli, argc - 1, argv + 1);
	if (words == NULL)
		return 1;
	accounts_to_numbers(words);
	c = cli_connect(cli);
	if (c == NULL) {
		json_decref(words);
		return 1;
	}
	for (int i = 0; i < HELP_MAX && status < 0; i++)
		status = run_words(cli, c, &words, &helped);
	json_decref(words);
	/* Also what was done before a word was refused. */
	if (helped != NULL && cli_help_finish(cli, c, helped) != 0 &&
	    status == 0)
		status = 1;
	json_decref(helped);
	coax_close(c);
	return status < 0 ? 1 : status;
}

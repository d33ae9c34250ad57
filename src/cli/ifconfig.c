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
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "control/printout.h"

#define HELP_MAX 64 /* netdevs made for one command line */

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
	struct text out = { 0 };
	struct text msg = { 0 };
	const char *iface;
	int status;
	size_t i;
	int err = coax_call(c, "ifconfig", json_pack("{s:o}", "argv", *words),
	    NULL, 0, &result, NULL, 0, NULL);

	*words = NULL;
	if (err == 0) {
		if (cli->json) {
			printout_json(json_object_get(result, "out"), &out);
			status = 0;
		} else {
			status =
			    printout_result(cli->program, result, &out, &msg);
		}
		json_decref(result);
		err = cli_put_both(cli, &out, &msg);
		return status != 0 ? status : err;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax ipfw: the words go to the daemon as they are, the answer is printed as
 * ipfw(8) does.  Here are only a file of rules, which is the client's, the
 * question before everything is flushed, and the time of day.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "control/printout.h"

#define EX_NOINPUT 66

/* The words after options, and the option letters that were given. */
static int
first_word(int argc, char **argv, char *letters, size_t size)
{
	size_t n = 0;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++)
		for (const char *s = argv[i] + 1; *s != '\0' && n + 1 < size;
		     s++)
			letters[n++] = *s;
	letters[n] = '\0';
	return i;
}

/* BSD asks before everything goes. */
static bool
really(const char *letters, int argc, char **argv, int at)
{
	bool flush = false;
	int c;

	for (int i = at; i < argc; i++)
		flush = flush || strcmp(argv[i], "flush") == 0;
	/* A table's contents are not everything. */
	if (!flush || strpbrk(letters, "fqn") != NULL ||
	    strcmp(argv[at], "table") == 0)
		return true;
	do {
		(void)printf("Are you sure? [yn] ");
		(void)fflush(stdout);
		c = getchar();
		for (int rest = c; rest != '\n' && rest != EOF;
		     rest = getchar())
			;
		if (c == EOF) {
			(void)putchar('\n');
			return false;
		}
	} while (c != 'y' && c != 'Y' && c != 'n' && c != 'N');
	return c == 'y' || c == 'Y';
}

static json_t *
read_lines(const struct cli *cli, const char *path)
{
	FILE *f = strcmp(path, "/dev/stdin") == 0 ? stdin : fopen(path, "re");
	json_t *lines = json_array();
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (f == NULL || lines == NULL) {
		(void)cli_error(cli, "%s: %s", path, strerror(errno));
		json_decref(lines);
		if (f != NULL && f != stdin)
			(void)fclose(f);
		return NULL;
	}
	while ((n = getline(&line, &size, f)) >= 0) {
		json_t *s;

		if (n > 0 && line[n - 1] == '\n')
			line[--n] = '\0';
		s = json_stringn(line, (size_t)n);
		if (s == NULL) {
			(void)cli_error(cli, "%s: not text (UTF-8)", path);
			json_decref(lines);
			lines = NULL;
			break;
		}
		json_array_append_new(lines, s);
	}
	free(line);
	if (f != stdin)
		(void)fclose(f);
	return lines;
}

/* The time of a rule's last packet, as -t or -T wants it. */
static void
put_times(json_t *result)
{
	json_t *out = json_object_get(result, "out"), *part;
	struct timespec now;
	size_t i;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	json_array_foreach(out, i, part)
	{
		const char *stamp =
		    json_string_value(json_object_get(part, "stamp"));
		const json_t *age = json_object_get(part, "age_ms");
		time_t at = now.tv_sec - json_integer_value(age) / 1000;
		char text[64], clock[32];

		if (stamp == NULL)
			continue;
		if (*stamp == 'T')
			snprintf(text, sizeof(text), "%10lld ",
			    age != NULL ? (long long)at : 0);
		else if (age == NULL)
			snprintf(text, sizeof(text), "%-25s", "");
		else if (ctime_r(&at, clock) != NULL)
			snprintf(text, sizeof(text), "%.24s ", clock);
		else
			text[0] = '\0';
		json_object_set_new(part, "time", json_string(text));
	}
}

static int
call(struct cli *cli, json_t *params)
{
	struct text out = { 0 }, err = { 0 };
	struct coax *c = cli_connect(cli);
	json_t *result;
	int status;

	if (c == NULL) {
		json_decref(params);
		return 1;
	}
	status = cli_call(cli, c, "ipfw", params, &result);
	coax_close(c);
	if (status != 0)
		return status;
	put_times(result);
	status = printout_result(cli->program, result, &out, &err);
	if (cli->json) {
		text_free(&out);
		printout_json(json_object_get(result, "out"), &out);
	}
	json_decref(result);
	if (cli_put_both(cli, &out, &err) != 0 && status == 0)
		status = 1;
	return status;
}

int
cli_ipfw(struct cli *cli, int argc, char **argv)
{
	json_t *words, *lines;
	char letters[64];
	int at;

	cli_take_json(cli, &argc, argv);
	at = first_word(argc, argv, letters, sizeof(letters));
	if (strchr(letters, 'p') != NULL)
		return cli_error(cli, "-p: files are not preprocessed; pipe "
		                      "one into /dev/stdin");
	if (at < argc && !really(letters, argc, argv, at))
		return 0;
	/* A file of rules: a path, as the last word. */
	if (at == argc - 1 && argv[at][0] == '/') {
		lines = read_lines(cli, argv[at]);
		if (lines == NULL)
			return EX_NOINPUT;
		words = cli_words(cli, at - 1, argv + 1);
		if (words == NULL) {
			json_decref(lines);
			return 1;
		}
		return call(
		    cli, json_pack("{s:o,s:o}", "argv", words, "lines", lines));
	}
	words = cli_words(cli, argc - 1, argv + 1);
	return words != NULL ? call(cli, json_pack("{s:o}", "argv", words)) : 1;
}

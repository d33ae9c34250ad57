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
#define PIECE_MAX  (256 * 1024) /* of a request, about */

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

/* One request, and all pages of its answer: what they have is printed, or with
 * --json put into @all. */
static int
call(struct cli *cli, struct coax *c, json_t *params, json_t *all)
{
	int status = 0, page;
	json_t *result;

	do {
		struct text out = { 0 }, err = { 0 };
		json_t *next;

		page = cli_call(cli, c, "ipfw", json_incref(params), &result);
		if (page != 0)
			return page;
		put_times(result);
		page = printout_result(cli->program, result, &out, &err);
		if (cli->json) {
			text_free(&out);
			json_array_extend(all, json_object_get(result, "out"));
		}
		status = status != 0 ? status : page;
		if (cli_put_both(cli, &out, &err) != 0 && status == 0)
			status = 1;
		next = json_incref(json_object_get(result, "next"));
		json_decref(result);
		if (next == NULL)
			return status;
		json_object_set_new(params, "after", next);
	} while (status == 0);
	return status;
}

static int
finish(struct cli *cli, struct coax *c, json_t *all, int status)
{
	struct text out = { 0 };

	coax_close(c);
	if (cli->json) {
		printout_json(all, &out);
		if (cli_put(cli, &out) != 0 && status == 0)
			status = 1;
	}
	json_decref(all);
	return status;
}

/* A file goes in pieces that a request can hold; each takes effect by itself.
 */
static int
call_lines(struct cli *cli, struct coax *c, json_t *words, const json_t *lines,
    json_t *all)
{
	size_t count = json_array_size(lines), at = 0;
	int status = 0;

	do {
		json_t *piece = json_array(), *params;
		size_t first = at, size = 0;

		for (; at < count && size < PIECE_MAX; at++) {
			json_t *line = json_array_get(lines, at);

			json_array_append(piece, line);
			/* Each character may be written as two. */
			size += 2 * json_string_length(line) + 4;
		}
		params = json_pack("{s:O,s:o,s:I}", "argv", words, "lines",
		    piece, "line", (json_int_t)first + 1);
		status = call(cli, c, params, all);
		json_decref(params);
	} while (status == 0 && at < count);
	return status;
}

int
cli_ipfw(struct cli *cli, int argc, char **argv)
{
	json_t *words, *lines, *all, *params;
	char letters[64];
	struct coax *c;
	int at, status;
	bool file;

	cli_take_json(cli, &argc, argv);
	at = first_word(argc, argv, letters, sizeof(letters));
	if (strchr(letters, 'p') != NULL)
		return cli_error(cli, "-p: files are not preprocessed; pipe "
		                      "one into /dev/stdin");
	if (at < argc && !really(letters, argc, argv, at))
		return 0;
	/* A file of rules: a path, as the last word. */
	file = at == argc - 1 && argv[at][0] == '/';
	lines = file ? read_lines(cli, argv[at]) : NULL;
	if (file && lines == NULL)
		return EX_NOINPUT;
	words = cli_words(cli, (file ? at : argc) - 1, argv + 1);
	c = words != NULL ? cli_connect(cli) : NULL;
	if (c == NULL) {
		json_decref(words);
		json_decref(lines);
		return 1;
	}
	all = json_array();
	if (file) {
		status = call_lines(cli, c, words, lines, all);
	} else {
		params = json_pack("{s:O}", "argv", words);
		status = call(cli, c, params, all);
		json_decref(params);
	}
	json_decref(words);
	json_decref(lines);
	return finish(cli, c, all, status);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What coax's commands share: messages, the connection, output.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "control/bsderr.h"
#include "control/printout.h"

int
cli_error(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "%s: ", cli->program);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return 1;
}

int
cli_usage(const struct cli *cli, const char *args)
{
	bool own = strcmp(cli->program, "coax") == 0;

	(void)fprintf(stderr, "usage: %s%s\n", own ? "coax " : "", args);
	return 1;
}

struct coax *
cli_connect(const struct cli *cli)
{
	struct coax *c = NULL;
	const char *where = cli->socket;
	int err = coax_connect_as(cli->socket, cli->program, &c);

	if (err == 0)
		return c;
	if (where == NULL)
		where = getenv("COAX_SOCKET");
	if (err == -ENOENT || err == -ECONNREFUSED || err == -ENOTDIR) {
		(void)cli_error(cli,
		    "no daemon%s%s: start one with \"coaxd -d\", or a private "
		    "one with \"coax lab\"",
		    where != NULL ? " at " : "", where != NULL ? where : "");
	} else {
		(void)cli_error(cli, "cannot reach the daemon%s%s: %s",
		    where != NULL ? " at " : "", where != NULL ? where : "",
		    bsd_strerror(err));
	}
	return NULL;
}

int
cli_put(const struct cli *cli, struct text *t)
{
	bool ok = text_ok(t);

	if (t->len > 0 && fwrite(text_str(t), 1, t->len, stdout) != t->len)
		ok = false;
	if (fflush(stdout) != 0)
		ok = false;
	text_free(t);
	return ok ? 0 : cli_error(cli, "cannot write: %s", strerror(errno));
}

int
cli_put_both(const struct cli *cli, struct text *out, struct text *err)
{
	int status = cli_put(cli, out);

	if (err->len > 0)
		(void)fwrite(text_str(err), 1, err->len, stderr);
	text_free(err);
	return status;
}

int
cli_refused(const struct cli *cli, struct coax *c, int err)
{
	const json_t *error = coax_error_object(c);
	struct text out = { 0 };
	struct text msg = { 0 };
	int status;

	if (error == NULL)
		return cli_error(cli, "%s",
		    coax_errmsg(c)[0] != '\0' ? coax_errmsg(c)
		                              : bsd_strerror(err));
	status = printout_error(cli->program, error, &out, &msg);
	if (cli->json) {
		text_free(&msg);
		printout_json(error, &msg);
	}
	(void)cli_put_both(cli, &out, &msg);
	return status;
}

int
cli_call(const struct cli *cli, struct coax *c, const char *method,
    json_t *params, json_t **result)
{
	int err = coax_call(c, method, params, NULL, 0, result, NULL, 0, NULL);

	return err == 0 ? 0 : cli_refused(cli, c, err);
}

void
cli_take_json(struct cli *cli, int *argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < *argc; i++) {
		if (i > 0 && strcmp(argv[i], "--json") == 0)
			cli->json = true;
		else
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	*argc = n;
}

json_t *
cli_words(const struct cli *cli, int argc, char **argv)
{
	json_t *words = json_array();

	for (int i = 0; i < argc; i++) {
		if (json_array_append_new(words, json_string(argv[i])) < 0) {
			(void)cli_error(cli, "%s: not UTF-8", argv[i]);
			json_decref(words);
			return NULL;
		}
	}
	return words;
}

int
cli_list_method(struct cli *cli, const char *method, json_t *params,
    void (*print)(const json_t *result, struct text *out))
{
	struct coax *c = cli_connect(cli);
	struct text out = { 0 };
	json_t *result;
	int status;

	if (c == NULL) {
		json_decref(params);
		return 1;
	}
	status = cli_call(cli, c, method, params, &result);
	coax_close(c);
	if (status != 0)
		return status;
	if (cli->json)
		printout_json(result, &out);
	else
		print(result, &out);
	json_decref(result);
	return cli_put(cli, &out);
}

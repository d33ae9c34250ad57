/* SPDX-License-Identifier: BSD-2-Clause */
/* coax brconfig: NetBSD's brconfig(8), by control/brconfig.h. */
#include "control/brconfig.h"

#include <string.h>

#include "cli/cli.h"
#include "control/printout.h"

struct brconfig {
	struct cli *cli;
	struct coax *c;
};

static int
call(void *arg, const char *method, json_t *params, json_t **result,
    json_t **error)
{
	const struct brconfig *b = arg;
	const json_t *e;
	int err =
	    coax_call(b->c, method, params, NULL, 0, result, NULL, 0, NULL);

	if (err == 0)
		return 0;
	e = coax_error_object(b->c);
	*error = e != NULL ? json_deep_copy(e) : NULL;
	if (e == NULL)
		(void)cli_refused(b->cli, b->c, err);
	return -1;
}

static int
put(void *arg, struct text *out)
{
	const struct brconfig *b = arg;

	return cli_put(b->cli, out);
}

int
cli_brconfig(struct cli *cli, int argc, char **argv)
{
	struct brconfig b = { .cli = cli };
	struct brconfig_io io = { .call = call, .put = put, .arg = &b };
	struct text out = { 0 }, err = { 0 };
	json_t *words;
	int status;

	cli_take_json(cli, &argc, argv);
	words = cli_words(cli, argc - 1, argv + 1); /* that it is UTF-8 */
	if (words == NULL)
		return 1;
	json_decref(words);
	io.program = cli->program;
	io.json = cli->json;
	b.c = cli_connect(cli);
	if (b.c == NULL)
		return 1;
	status =
	    brconfig_run(&io, argc - 1, (const char *const *)(argv + 1), &err);
	coax_close(b.c);
	(void)cli_put_both(cli, &out, &err);
	return status;
}

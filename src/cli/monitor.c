/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax monitor: one line an event, until interrupted. As JSON: one object a
 * line, so that other programs can read along.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "control/printout.h"

int
cli_monitor(struct cli *cli, int argc, char **argv)
{
	json_t *params = json_object();
	struct coax *c;
	int err;

	cli_take_json(cli, &argc, argv);
	if (argc > 1) {
		json_t *types = cli_words(cli, argc - 1, argv + 1);

		if (types == NULL || argv[1][0] == '-') {
			json_decref(types);
			json_decref(params);
			return cli_usage(cli, "monitor [--json] [type ...]");
		}
		(void)json_object_set_new(params, "types", types);
	}
	c = cli_connect(cli);
	if (c == NULL) {
		json_decref(params);
		return 1;
	}
	err = cli_call(cli, c, "events.subscribe", params, NULL);
	while (err == 0) {
		struct text out = { 0 };
		json_t *event;
		int n = coax_event(c, -1, &event);

		if (n == -EINTR)
			continue;
		if (n < 0) {
			err = cli_error(cli, "%s", coax_errmsg(c));
			break;
		}
		if (cli->json) {
			char *s = json_dumps(event, JSON_COMPACT);

			if (s != NULL)
				text_printf(&out, "%s\n", s);
			free(s);
		} else {
			printout_event(event, &out);
		}
		json_decref(event);
		err = cli_put(cli, &out);
	}
	coax_close(c);
	return err;
}

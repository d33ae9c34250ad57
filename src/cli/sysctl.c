/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax sysctl: the words go to the daemon as they are, the answer is printed in
 * BSD's format, or as JSON.
 */
#include "cli/cli.h"
#include "control/printout.h"

int
cli_sysctl(struct cli *cli, int argc, char **argv)
{
	struct text out = { 0 };
	struct text err = { 0 };
	json_t *words, *result;
	struct coax *c;
	int status;

	cli_take_json(cli, &argc, argv);
	words = cli_words(cli, argc - 1, argv + 1);
	if (words == NULL)
		return 1;
	c = cli_connect(cli);
	if (c == NULL) {
		json_decref(words);
		return 1;
	}
	status = cli_call(
	    cli, c, "sysctl", json_pack("{s:o}", "argv", words), &result);
	coax_close(c);
	if (status != 0)
		return status;
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

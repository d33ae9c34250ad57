/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax apply [-n] FILE ..., coax export.
 *
 * Files go to the daemon as sealed memfds: it reads what cannot change any
 * more and cannot make it wait, whatever the file is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "control/bsderr.h"
#include "control/printout.h"
#include "control/rcconf.h"

#define FILES_MAX  8 /* descriptors of a request */
#define CHUNK_SIZE 65536

static const char apply_usage[] = "apply [-n] file ...";

/* All that @from gives, into @to. 0 or -errno; -EFBIG beyond what the daemon
 * would take. */
static int
copy(int from, int to)
{
	static char buf[CHUNK_SIZE];
	size_t total = 0;
	ssize_t n, done;

	while ((n = read(from, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		total += (size_t)n;
		if (total > RCCONF_FILE_MAX)
			return -EFBIG;
		for (ssize_t at = 0; at < n; at += done) {
			done = write(to, buf + at, (size_t)(n - at));
			if (done < 0)
				return -errno;
		}
	}
	return 0;
}

/* A file as a sealed memfd; "-" is standard input. Descriptor or -errno. */
static int
sealed_copy(const char *path)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	bool standard = strcmp(path, "-") == 0;
	int from = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int to, err;

	if (from < 0)
		return -errno;
	to = memfd_create("coax-apply", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	err = to < 0 ? -errno : copy(from, to);
	if (err == 0 && fcntl(to, F_ADD_SEALS, seals) < 0)
		err = -errno;
	if (!standard)
		(void)close(from);
	if (err < 0 && to >= 0)
		(void)close(to);
	return err < 0 ? err : to;
}

static int
apply(struct cli *cli, int count, char **files, bool dry_run)
{
	struct text out = { 0 }, msg = { 0 };
	json_t *result, *names = json_array();
	struct coax *c = NULL;
	int fds[FILES_MAX];
	int opened, status = 0, err;

	for (opened = 0; opened < count; opened++) {
		fds[opened] = sealed_copy(files[opened]);
		if (fds[opened] < 0) {
			status = cli_error(cli, "%s: %s", files[opened],
			    fds[opened] == -EFBIG
			        ? "larger than a configuration may be"
			        : bsd_strerror(fds[opened]));
			goto out_close;
		}
		if (json_array_append_new(
		        names, json_string(strcmp(files[opened], "-") == 0
		                               ? "standard input"
		                               : files[opened])) < 0) {
			opened++;
			status =
			    cli_error(cli, "%s: not UTF-8", files[opened - 1]);
			goto out_close;
		}
	}
	c = cli_connect(cli);
	if (c == NULL) {
		status = 1;
		goto out_close;
	}
	err = coax_call(c, "config.apply",
	    json_pack("{s:O,s:b}", "names", names, "dry_run", dry_run), fds,
	    (unsigned int)count, &result, NULL, 0, NULL);
	if (err < 0) {
		status = cli_refused(cli, c, err);
		goto out_close;
	}
	if (cli->json)
		printout_json(json_object_get(result, "out"), &out);
	else
		status = printout_result(cli->program, result, &out, &msg);
	json_decref(result);
	if (cli_put_both(cli, &out, &msg) != 0)
		status = 1;
out_close:
	while (opened > 0)
		(void)close(fds[--opened]);
	json_decref(names);
	coax_close(c);
	return status;
}

int
cli_apply(struct cli *cli, int argc, char **argv)
{
	bool dry_run = false;
	int i;

	cli_take_json(cli, &argc, argv);
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (strcmp(argv[i], "-n") != 0)
			return cli_usage(cli, apply_usage);
		dry_run = true;
	}
	if (i == argc)
		return cli_usage(cli, apply_usage);
	if (argc - i > FILES_MAX)
		return cli_error(cli, "at most %d files", FILES_MAX);
	return apply(cli, argc - i, argv + i, dry_run);
}

static void
print_text(const json_t *result, struct text *out)
{
	const char *s = json_string_value(json_object_get(result, "text"));

	text_puts(out, s != NULL ? s : "");
}

int
cli_export(struct cli *cli, int argc, char **argv)
{
	cli_take_json(cli, &argc, argv);
	if (argc > 1)
		return cli_usage(cli, "export [--json]");
	return cli_list_method(cli, "config.export", NULL, print_text);
}

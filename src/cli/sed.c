/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sed with BSD's options, by the next sed on the PATH, which is GNU's.
 *
 *   -i EXTENSION, -I EXTENSION   the extension is an argument of its own and
 *                                may be empty; GNU's is part of the word
 *   -l                           line-buffered output: -u
 *   -a, -E, -n, -r, -s, -u, -e SCRIPT, -f FILE as they are (-a: GNU's sed
 *   creates what `w' writes at once)
 *
 * Everything else is passed on as it is.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "cli/cli.h"
#include "control/bsderr.h"

/* A name on the PATH that is another program than this one. */
static bool
find_next(const char *name, char *buf, size_t size)
{
	const char *path = getenv("PATH");
	struct stat self, st;

	if (path == NULL || stat("/proc/self/exe", &self) < 0)
		return false;
	while (*path != '\0') {
		size_t n = strcspn(path, ":");
		struct sbuf b = sbuf_init(buf, size);

		sbuf_printf(&b, "%.*s/%s", (int)n, path, name);
		if (n > 0 && sbuf_ok(&b) && access(buf, X_OK) == 0 &&
		    stat(buf, &st) == 0 && S_ISREG(st.st_mode) &&
		    (st.st_dev != self.st_dev || st.st_ino != self.st_ino))
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

/* The words for the other sed. */
struct words {
	char **argv;
	int argc;
	char *text; /* of those that are not the caller's */
	size_t used, size;
};

/* -C with what belongs to it in the same word. */
static void
put_option(struct words *w, char c, const char *rest)
{
	int n =
	    snprintf(w->text + w->used, w->size - w->used, "-%c%s", c, rest);

	w->argv[w->argc++] = w->text + w->used;
	w->used += (size_t)n + 1;
}

/* Room for all that translate() can make of these words. */
static bool
words_init(struct words *w, int argc, char **argv)
{
	*w = (struct words){ 0 };
	for (int i = 0; i < argc; i++)
		w->size += 4 * strlen(argv[i]) + 4;
	w->argv = calloc(w->size + (size_t)argc + 3, sizeof(char *));
	w->text = malloc(w->size);
	return w->argv != NULL && w->text != NULL;
}

static void
words_free(struct words *w)
{
	free(w->argv);
	free(w->text);
}

/* False: the usage. */
static bool
translate(struct words *w, int argc, char **argv)
{
	int opt;

	w->argv[w->argc++] = argv[0];
	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "+EI:ae:f:i:lnrsu")) != -1) {
		switch (opt) {
		case '?':
			return false;
		case 'a':
			break;
		case 'i':
		case 'I': /* (all files are one stream there) */
			put_option(w, 'i', optarg);
			break;
		case 'l':
			put_option(w, 'u', "");
			break;
		default:
			put_option(w, (char)opt, "");
			if (opt == 'e' || opt == 'f')
				w->argv[w->argc++] = optarg;
			break;
		}
	}
	w->argv[w->argc++] = (char *)(uintptr_t) "--"; /* no more options */
	for (int i = optind; i < argc; i++)
		w->argv[w->argc++] = argv[i];
	return true;
}

int
cli_sed(struct cli *cli, int argc, char **argv)
{
	char path[PATH_MAX];
	struct words w;
	int status;

	if (!words_init(&w, argc, argv)) {
		status = cli_error(cli, "%s", bsd_strerror(ENOMEM));
	} else if (!translate(&w, argc, argv)) {
		(void)fputs("usage: sed script [-EalnrsuI] [-i extension] "
		            "[file ...]\n",
		    stderr);
		status = 1;
	} else if (!find_next("sed", path, sizeof(path))) {
		status = cli_error(cli, "there is no other sed on the PATH");
	} else {
		(void)execv(path, w.argv);
		status = cli_error(cli, "%s: %s", path, bsd_strerror(errno));
	}
	words_free(&w);
	return status;
}

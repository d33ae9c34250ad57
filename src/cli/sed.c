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

int
cli_sed(struct cli *cli, int argc, char **argv)
{
	char path[PATH_MAX], **out;
	int n = 0, opt;

	/* Each option becomes a word or two. */
	out = calloc((size_t)argc * 2 + 3, sizeof(char *));
	if (out == NULL)
		return cli_error(cli, "%s", bsd_strerror(ENOMEM));
	out[n++] = argv[0];
	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "+EI:ae:f:i:lnrsu")) != -1) {
		char *word = NULL;
		int len = -1;

		switch (opt) {
		case 'a':
			continue;
		case 'i':
			len = asprintf(&word, "-i%s", optarg);
			break;
		case 'I': /* (all files are one stream there) */
			len = asprintf(&word, "-i%s", optarg);
			break;
		case 'l':
			len = asprintf(&word, "-u");
			break;
		case 'e':
		case 'f':
			len = asprintf(&word, "-%c", opt);
			break;
		case '?':
			(void)fprintf(stderr,
			    "usage: sed script [-EalnrsuI] [-i extension] "
			    "[file ...]\n");
			return 1;
		default:
			len = asprintf(&word, "-%c", opt);
			break;
		}
		if (len < 0)
			return cli_error(cli, "%s", bsd_strerror(ENOMEM));
		out[n++] = word;
		if (opt == 'e' || opt == 'f')
			out[n++] = optarg;
	}
	out[n++] = (char *)(uintptr_t) "--"; /* what follows are no options */
	for (int i = optind; i < argc; i++)
		out[n++] = argv[i];
	if (!find_next("sed", path, sizeof(path)))
		return cli_error(cli, "there is no other sed on the PATH");
	(void)execv(path, out);
	return cli_error(cli, "%s: %s", path, bsd_strerror(errno));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration that a daemon begins with. See start.h. */
#include "daemon/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "os/sock.h"

/* The whole of a file into @t; 0 or -errno, -EFBIG. */
static int
read_file(const char *path, struct text *t)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char buf[65536];
	ssize_t n = 0;
	int err = 0;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n > 0)
			text_putn(t, buf, (size_t)n);
		if (t->len > RCCONF_FILE_MAX)
			err = -EFBIG;
		else if (!text_ok(t))
			err = -ENOMEM;
	} while (err == 0 && n != 0);
	if (!standard)
		fd_close(&fd);
	return err;
}

/* One file into @rc. False: it could not be read, which was logged. */
static bool
load(struct rcconf *rc, const char *path)
{
	struct text t = { 0 };
	int err = read_file(path, &t);

	if (err == 0)
		err = rcconf_parse(rc,
		    strcmp(path, "-") == 0 ? "standard input" : path,
		    text_str(&t), t.len);
	text_free(&t);
	if (err == 0 || err == -EINVAL) /* its errors come with the others */
		return true;
	log_err("%s: %s", path,
	    err == -EFBIG ? "larger than a configuration may be"
	                  : strerror(-err));
	return false;
}

static void
log_lines(const json_t *lines)
{
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	    log_err("%s", json_string_value(line));
}

static void
log_notices(const json_t *parts)
{
	const json_t *part;
	size_t i;

	json_array_foreach(parts, i, part)
	{
		const char *text =
		    json_string_value(json_object_get(part, "text"));

		if (text != NULL)
			log_notice("%s", text);
	}
}

static void
run_done(struct config_run *run, void *arg)
{
	struct start *start = arg;
	json_t *errors = config_errors(run), *out = config_out(run);
	bool ok = !config_failed(run);

	log_notices(out);
	log_lines(errors);
	json_decref(errors);
	json_decref(out);
	config_free(run);
	start->run = NULL;
	start->done(start->arg, ok);
}

void
start_begin(struct start *start, struct config *config,
    const char *const *files, unsigned int count)
{
	struct config_request request = {
		.config = config,
		.cause = "coaxd -f",
		.done = run_done,
		.arg = start,
	};
	bool ok = true;
	int err;

	rcconf_init(&request.rc);
	for (unsigned int i = 0; ok && i < count; i++)
		ok = load(&request.rc, files[i]);
	if (!ok) {
		rcconf_fini(&request.rc);
		start->done(start->arg, false);
		return;
	}
	err = config_apply(&request, &start->run);
	if (err == 0) {
		run_done(start->run, start);
	} else if (err != -EINPROGRESS) {
		log_err("%s", strerror(-err));
		start->done(start->arg, false);
	}
}

void
start_end(struct start *start)
{
	config_free(start->run);
	start->run = NULL;
}

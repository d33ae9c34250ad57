/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture from its first frame to its last: frames of an interface to a file,
 * to another program, or as text.
 *
 * The daemon writes blocks of a pcapng file into memory of ours
 * (lib/capture.h); as a file they go out as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/capture.h"
#include "control/bsderr.h"
#include "control/frametext.h"
#include "control/text.h"

#define NS_PER_S UINT64_C(1000000000)
#define STOP_S   1 /* a write may hang so long after the signal to end */

/* --- the end by signals -----------------------------------------------------
 */

static int stop_pipe[2] = { -1, -1 };
static volatile sig_atomic_t stopping;

static void
on_signal(int sig)
{
	int saved = errno;
	ssize_t n;

	stopping = 1;
	if (sig != SIGALRM) {
		n = write(stop_pipe[1], "", 1);
		(void)n;
	}
	/* Again, for a write that begins now and hangs. */
	(void)alarm(STOP_S);
	errno = saved;
}

/* What the signals leave readable; -1: there is no descriptor left. */
static int
catch_signals(void)
{
	/* Without SA_RESTART: a write that hangs ends, too. */
	struct sigaction sa = { .sa_handler = on_signal };

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
	(void)sigaction(SIGALRM, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return stop_pipe[0];
}

/* --- out ---------------------------------------------------------------------
 */

/* 0; -EINTR: a signal ends it; or -errno. */
static int
put(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR && !stopping)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* All that is there, in the form of a file. */
static int
put_blocks(struct capture_reader *r, int fd, int stop_fd)
{
	const uint8_t *at;
	ssize_t n;

	while ((n = capture_bytes(r, stop_fd, &at)) > 0) {
		int err = put(fd, at, (size_t)n);

		if (err < 0)
			return err;
		capture_taken(r, (size_t)n);
	}
	return (int)n;
}

static void
packet_text(
    const struct pcapng_packet *p, const uint8_t *data, struct text *out)
{
	static const char *const ways[] = { "   ", "in ", "out" };
	time_t s = (time_t)(p->time_ns / NS_PER_S);
	char clock[16] = "";
	struct tm tm;

	if (localtime_r(&s, &tm) != NULL)
		(void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	text_printf(out, "%s.%06u %s ", clock,
	    (unsigned int)(p->time_ns % NS_PER_S / 1000), ways[p->direction]);
	frametext(data, p->kept, p->len, out);
	for (size_t i = 0; i < 2; i++) {
		if (p->comment[i] != NULL)
			frametext_note(p->comment[i], out);
	}
	if (p->lost != 0) {
		char lost[64];

		(void)snprintf(lost, sizeof(lost),
		    "%llu frames before this one were not kept",
		    (unsigned long long)p->lost);
		frametext_note(lost, out);
	}
}

/* All that is there, as text. */
static int
put_text(struct capture_reader *r, int stop_fd)
{
	const struct pcapng_packet *p;
	const uint8_t *data;
	int n;

	while ((n = capture_packet(r, stop_fd, &p, &data)) > 0) {
		struct text t = { 0 };
		size_t len;

		packet_text(p, data, &t);
		len = fwrite(text_str(&t), 1, t.len, stdout);
		n = len != t.len ? -errno : 0;
		text_free(&t);
		if (n == 0 && !capture_waiting(r) && fflush(stdout) != 0)
			n = -errno;
		if (n < 0)
			return n;
	}
	return n;
}

static void
say_totals(const struct capture_reader *r)
{
	struct capture_totals t;

	capture_get_totals(r, &t);
	(void)fprintf(stderr, "%llu frame%s captured, %llu not kept\n",
	    (unsigned long long)t.kept, t.kept == 1 ? "" : "s",
	    (unsigned long long)t.lost);
}

/* --- from the first to the last ---------------------------------------------
 */

static int
put_head(const struct capture_job *job, struct capture_reader *r, int fd)
{
	uint8_t buf[PCAPNG_BEGIN_MAX];

	if (fd < 0)
		return 0;
	return put(fd, buf, capture_head(r, job->filter, buf));
}

/* What is left, once no more can come; and the end of the file. */
static int
put_rest(struct capture_reader *r, int fd)
{
	uint8_t buf[PCAPNG_END_SIZE];
	int err;

	if (fd < 0) {
		err = put_text(r, -1);
		return err == 0 && fflush(stdout) != 0 ? -errno : err;
	}
	err = put_blocks(r, fd, -1);
	return err < 0 ? err : put(fd, buf, capture_tail(r, buf));
}

static int
why_ended(const struct cli *cli, const struct capture_job *job,
    const struct capture_reader *r, bool asked)
{
	struct capture_totals t;

	capture_get_totals(r, &t);
	switch (t.why) {
	case CAPTURE_ALL:
		return 0;
	case CAPTURE_STOPPED:
		return asked ? 0 : cli_error(cli, "the daemon has gone");
	case CAPTURE_NO_IFACE:
		return cli_error(
		    cli, "%s: the interface was destroyed", job->request.iface);
	case CAPTURE_FAILED:
		break;
	}
	return cli_error(cli, "the stream of frames is broken");
}

static int
move(const struct cli *cli, const struct capture_job *job,
    struct capture_reader *r, int fd, int stop_fd)
{
	int err = put_head(job, r, fd);
	bool asked;

	if (err == 0)
		err =
		    fd < 0 ? put_text(r, stop_fd) : put_blocks(r, fd, stop_fd);
	asked = err == -EINTR;
	capture_stop(r);
	if (err == 0 || err == -EINTR)
		err = put_rest(r, fd);
	/* Who reads along has had enough. */
	if (err == -EPIPE)
		return 0;
	if (job->say)
		say_totals(r);
	if (err == -EINTR) /* the rest hung, too */
		return 0;
	if (err < 0)
		return cli_error(cli, "cannot write: %s", bsd_strerror(err));
	return why_ended(cli, job, r, asked);
}

/* Where the file goes. -1: as text; or -errno less than that. */
static int
open_file(const char *file, bool exists)
{
	int flags = O_WRONLY | O_TRUNC | O_CLOEXEC | (exists ? 0 : O_CREAT);
	int fd;

	if (file == NULL)
		return -1;
	if (strcmp(file, "-") == 0)
		fd = dup(STDOUT_FILENO);
	else
		fd = open(file, flags, 0666);
	return fd < 0 ? -errno - 1 : fd;
}

/* From the first to the last; consumes nothing. */
static int
capture_to_file(const struct cli *cli, const struct capture_job *job,
    struct capture_reader *r, int stop_fd)
{
	int fd = open_file(job->file, job->exists);
	int status;

	if (fd < -1)
		return cli_error(
		    cli, "%s: %s", job->file, bsd_strerror(fd + 1));
	if (job->say)
		(void)fprintf(stderr, "capturing on %s\n", job->request.iface);
	status = move(cli, job, r, fd, stop_fd);
	if (fd >= 0 && close(fd) != 0 && status == 0)
		status =
		    cli_error(cli, "%s: %s", job->file, bsd_strerror(errno));
	return status;
}

int
capture_run(const struct cli *cli, const struct capture_job *job)
{
	struct capture_request request = job->request;
	struct capture_reader *r;
	char *program, *why;
	struct coax *c;
	int stop_fd = catch_signals();
	int status, err;

	if (stop_fd < 0)
		return cli_error(cli, "%s", bsd_strerror(errno));
	if (capture_filter_compile(
	        job->filter, request.snaplen, &program, &why) < 0) {
		status = cli_error(cli, "filter: %s",
		    why != NULL ? why : bsd_strerror(ENOMEM));
		free(why);
		return status;
	}
	c = cli_connect(cli);
	if (c == NULL) {
		free(program);
		return 1;
	}
	request.program = program;
	request.prompt |= job->file == NULL;
	err = capture_start(c, &request, &r);
	status = err < 0 ? cli_refused(cli, c, err) : 0;
	free(program);
	coax_close(c);
	if (err < 0)
		return status;
	status = capture_to_file(cli, job, r, stop_fd);
	capture_close(r);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a daemon keeps across a restart. See state.h. */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "bridge/bridge.h"
#include "bridge/keep.h"
#include "net/net.h"
#include "os/clock.h"
#include "os/jobs.h"
#include "os/loop.h"
#include "os/sock.h"

#define FILE_NAME      "addresses"
#define FILE_NEW       "addresses.new"
#define FILE_BAD       "addresses.bad"
#define PORTION        BRIDGE_KEEP_PORTION_MIN
#define RESTORE_BUDGET 512 /* addresses put back in a round of the loop */
#define SOON_NS        CLOCK_NS_PER_SEC
#define APART_NS       (2 * CLOCK_NS_PER_SEC)
#define ALWAYS_NS      (60 * CLOCK_NS_PER_SEC)
#define BUSY_SHARE     50 /* of the loop's time saving takes one part */
#define LOCK_WAIT_NS   (3 * CLOCK_NS_PER_SEC)
#define LOCK_RETRY_MS  5
#define CLOSE_WAIT_NS  (10 * CLOCK_NS_PER_SEC)

struct state {
	char dir[4096]; /* as it was given, for messages */
	int dir_fd;     /* locked */
	struct net *net;
	struct loop *loop;
	struct bridge_keep *keep;
	struct jobs *jobs;
	struct net_subscriber subscriber;
	struct timer due;
	struct loop_task restore; /* put back more */
	bool begun;               /* and subscribed */
	bool dirty;               /* something has changed since the last */
	bool complained;
	bool given_up;              /* what is under way ends here */
	uint64_t ended_ns, busy_ns; /* of the last save */
	uint32_t saved;             /* addresses in it */
	/* A save under way; @job has what comes next. */
	bool saving;
	struct job job;
	int fd; /* of the new file */
	size_t len;
	char buf[PORTION];
};

/* --- the file ---------------------------------------------------------------
 */

int
state_open(const char *dir, struct state **out, char *why, size_t why_size)
{
	uint64_t deadline_ns = clock_now_ns() + LOCK_WAIT_NS;
	struct state *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (s == NULL || (err = str_copy(s->dir, sizeof(s->dir), dir)) != 0)
		goto fail;
	s->fd = -1;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		err = -errno;
		goto fail;
	}
	s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0) {
		err = -errno;
		goto fail;
	}
	/* One that was killed holds it until the kernel has cleared it away. */
	while (flock(s->dir_fd, LOCK_EX | LOCK_NB) < 0) {
		err = -errno;
		if (err == -EINTR)
			continue;
		if (err != -EWOULDBLOCK || clock_now_ns() > deadline_ns)
			goto fail_close;
		(void)poll(NULL, 0, LOCK_RETRY_MS);
	}
	*out = s;
	return 0;

fail_close:
	fd_close(&s->dir_fd);
fail:
	free(s);
	(void)snprintf(why, why_size, "%.3900s: %s", dir,
	    err == -EWOULDBLOCK ? "another coaxd keeps its state there"
	                        : strerror(-err));
	return err;
}

/* The whole file: 0 with *@text (owned; NULL: there is none), or -errno. */
static int
read_file(const struct state *s, char **text, size_t *len)
{
	int fd = openat(s->dir_fd, FILE_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *buf = NULL;
	size_t got = 0;
	ssize_t n = 1;
	int err = 0;

	*text = NULL;
	*len = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -ENXIO;
	else if (st.st_size > BRIDGE_KEEP_TEXT_MAX)
		err = -EFBIG;
	else if ((buf = malloc((size_t)st.st_size + 1)) == NULL)
		err = -ENOMEM;
	while (err == 0 && n != 0 && got < (size_t)st.st_size) {
		n = read(fd, buf + got, (size_t)st.st_size - got);
		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n > 0)
			got += (size_t)n;
	}
	fd_close(&fd);
	if (err != 0) {
		free(buf);
		return err;
	}
	*text = buf;
	*len = got;
	return 0;
}

/* Nobody loses a file that this version does not understand. */
static void
put_aside(const struct state *s, const char *what)
{
	bool kept = renameat(s->dir_fd, FILE_NAME, s->dir_fd, FILE_BAD) == 0;

	log_err("%s; it is not used%s", what,
	    kept ? ", and is called " FILE_BAD " now" : "");
}

int
state_load(struct state *s, struct net *net, struct loop *loop)
{
	struct bridge_keep_error e = { 0 };
	char what[4352];
	char *text;
	size_t len;
	int err = bridge_keep_create(net, &s->keep);

	s->net = net;
	s->loop = loop;
	if (err == 0)
		err = jobs_create(loop, &s->jobs);
	if (err != 0)
		return err;
	err = read_file(s, &text, &len);
	if (err != 0) {
		(void)snprintf(what, sizeof(what), "%s/" FILE_NAME ": %s",
		    s->dir,
		    err == -ENXIO ? "not a plain file" : strerror(-err));
		put_aside(s, what);
		return 0;
	}
	if (text == NULL)
		return 0;
	err = bridge_keep_load(
	    s->keep, text, len, clock_wall_ns() / CLOCK_NS_PER_SEC, &e);
	free(text);
	if (err == -EINVAL) {
		(void)snprintf(what, sizeof(what), "%s/" FILE_NAME ":%u: %s",
		    s->dir, e.line, e.text);
		put_aside(s, what);
		return 0;
	}
	return err;
}

/* --- saving -----------------------------------------------------------------
 */

/* On the helper thread, or at the end. */

static void
write_portion(struct job *job)
{
	const struct state *s = job->arg;
	size_t done = 0;
	ssize_t n;

	job->status = 0;
	while (done < s->len) {
		n = write(s->fd, s->buf + done, s->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			job->status = -errno;
			return;
		}
		done += (size_t)n;
	}
}

static void
write_end(struct job *job)
{
	const struct state *s = job->arg;

	job->status = 0;
	if (fsync(s->fd) < 0 ||
	    renameat(s->dir_fd, FILE_NEW, s->dir_fd, FILE_NAME) < 0 ||
	    fsync(s->dir_fd) < 0)
		job->status = -errno;
}

static void
save_due(struct state *s, uint64_t at_ns)
{
	if (s->begun && !s->saving &&
	    (!timer_is_set(&s->due) || s->due.due_ns > at_ns))
		(void)loop_timer_set(s->loop, &s->due, at_ns);
}

/* When the next save is, if there is to be one. */
static void
schedule(struct state *s)
{
	uint64_t now_ns = loop_now_ns(s->loop);
	uint64_t apart_ns = COAX_MAX(APART_NS, BUSY_SHARE * s->busy_ns);

	if (s->dirty)
		save_due(s, COAX_MAX(now_ns + SOON_NS,
		                s->ended_ns != 0 ? s->ended_ns + apart_ns : 0));
	else
		save_due(s, now_ns + COAX_MAX(ALWAYS_NS, apart_ns));
}

static void
save_ended(struct state *s, int err)
{
	uint64_t left_out;

	s->saved = bridge_keep_saved(s->keep, &left_out);
	bridge_keep_save_end(s->keep);
	fd_close(&s->fd);
	s->saving = false;
	s->ended_ns = clock_now_ns();
	if (err != 0) {
		(void)unlinkat(s->dir_fd, FILE_NEW, 0);
		s->dirty = true;
		if (!s->complained)
			log_err("%s/" FILE_NAME
			        ": cannot be written: %s; the old one stays",
			    s->dir, strerror(-err));
	} else if (left_out != 0 && !s->complained) {
		log_warning("%s/" FILE_NAME ": there are %llu addresses more "
		            "than it may have",
		    s->dir, (unsigned long long)left_out);
	}
	s->complained = err != 0 || left_out != 0;
}

/* A new file. 0 or -errno */
static int
save_open(struct state *s)
{
	(void)unlinkat(s->dir_fd, FILE_NEW, 0);
	s->fd = openat(s->dir_fd, FILE_NEW,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return -errno;
	bridge_keep_save_begin(s->keep, clock_wall_ns() / CLOCK_NS_PER_SEC);
	s->busy_ns = 0;
	return 0;
}

/* Puts the next portion into the buffer and what is to be done into the job. */
static void
save_next(struct state *s)
{
	uint64_t begin_ns = clock_now_ns();

	s->len = bridge_keep_save(s->keep, s->buf, sizeof(s->buf));
	s->busy_ns += clock_now_ns() - begin_ns;
	s->job.run = s->len > 0 ? write_portion : write_end;
}

static void
put_back(struct state *s)
{
	if (s->begun && !s->saving && bridge_keep_waiting(s->keep) != 0)
		loop_defer(s->loop, &s->restore);
}

static void
job_done(struct job *job, struct loop *loop)
{
	struct state *s = job->arg;
	int err = s->given_up ? -ECANCELED : job->status;

	(void)loop;
	if (err == 0 && job->run == write_portion) {
		save_next(s);
		jobs_submit(s->jobs, job);
		return;
	}
	save_ended(s, err);
	put_back(s);
	schedule(s);
}

static void
due(struct timer *t, uint64_t now_ns)
{
	struct state *s = CONTAINER_OF(t, struct state, due);
	int err;

	s->net->now_ns = now_ns;
	bridge_keep_again(s->keep);
	put_back(s);
	if (!s->dirty && s->saved == 0) {
		/* Nothing was there, and nothing has come. */
		s->ended_ns = now_ns;
		schedule(s);
		return;
	}
	s->dirty = false;
	s->saving = true;
	err = save_open(s);
	if (err == 0) {
		save_next(s);
		jobs_submit(s->jobs, &s->job);
		return;
	}
	save_ended(s, err);
	schedule(s);
}

/* All at once, at the end. */
static void
save_all(struct state *s)
{
	int err = save_open(s);

	while (err == 0) {
		save_next(s);
		s->job.run(&s->job);
		err = s->job.status;
		if (s->len == 0)
			break;
	}
	save_ended(s, err);
}

/* --- from begin to end ------------------------------------------------------
 */

static void
restore_some(struct loop_task *t)
{
	struct state *s = t->arg;

	if (s->saving)
		return; /* afterwards */
	if (bridge_keep_restore(s->keep, RESTORE_BUDGET))
		loop_defer(s->loop, t);
	s->dirty = true;
	schedule(s);
}

static void
on_event(struct net_subscriber *sub, const struct net_event *ev)
{
	struct state *s = CONTAINER_OF(sub, struct state, subscriber);

	switch (ev->type) {
	case NET_EVENT_MEMBER:
	case NET_EVENT_CREATE:
	case NET_EVENT_DESTROY:
	case NET_EVENT_CHANGE:
	case NET_EVENT_VNET:
		put_back(s); /* a member may have come, or has its name now */
		break;
	case NET_EVENT_LEARNED:
	case NET_EVENT_MOVED:
	case NET_EVENT_EXPIRED:
		break;
	case NET_EVENT_LINK:
	case NET_EVENT_DROPS:
	case NET_EVENT_STP:
	case NET_EVENT_STORM:
	case NET_EVENT_FLAP:
	case NET_EVENT_HOST:
	case NET_EVENT_NOTICE:
		return;
	}
	if (!s->dirty) {
		s->dirty = true;
		schedule(s);
	}
}

void
state_begin(struct state *s)
{
	(void)bridge_keep_restore(s->keep, UINT32_MAX);
	s->job.arg = s;
	s->job.done = job_done;
	s->due.fn = due;
	s->restore.fn = restore_some;
	s->restore.arg = s;
	s->subscriber.event = on_event;
	net_subscribe(s->net, &s->subscriber);
	s->begun = s->dirty = true;
	schedule(s);
}

void
state_close(struct state *s)
{
	if (s == NULL)
		return;
	if (s->begun) {
		net_unsubscribe(s->net, &s->subscriber);
		s->begun = false;
		loop_timer_del(s->loop, &s->due);
		loop_task_cancel(s->loop, &s->restore);
		/* What is under way is not the last word. */
		(void)jobs_drain(s->jobs, clock_now_ns() + CLOSE_WAIT_NS);
		if (!s->saving)
			save_all(s);
		else
			log_warning("%s: cannot be written in time", s->dir);
		s->given_up = true;
	}
	jobs_destroy(s->jobs);
	bridge_keep_destroy(s->keep);
	fd_close(&s->fd);
	fd_close(&s->dir_fd);
	free(s);
}

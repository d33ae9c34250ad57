/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper thread: see os/jobs.h.
 *
 * Two queues under one mutex: waiting, which the loop's thread fills, and
 * finished, which the helper fills. The helper rings an eventfd when finished
 * becomes non-empty; done() is called without the mutex.
 */
#include "os/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/util.h"
#include "os/clock.h"
#include "os/loop.h"

enum {
	JOB_IDLE,
	JOB_WAITING,
	JOB_RUNNING,
	JOB_FINISHED
};

STAILQ_HEAD(job_list, job);

struct jobs {
	struct loop *loop;
	struct loop_fd watch;
	unsigned int pending; /* the loop's thread's alone */
	pthread_t thread;
	pthread_mutex_t lock; /* for all below, and the state of every job */
	pthread_cond_t work;  /* waiting is not empty, or stop */
	pthread_cond_t done;  /* finished is not empty */
	struct job_list waiting;
	struct job_list finished;
	bool stop;
	struct job *group[JOBS_GROUP_MAX]; /* the helper's */
};

/* Takes the next job and those that may go with it. Locked. */
static unsigned int
jobs_take(struct jobs *jobs)
{
	struct job *first = STAILQ_FIRST(&jobs->waiting);
	struct job_list rest = STAILQ_HEAD_INITIALIZER(rest);
	unsigned int max = 1, n = 0;
	struct job *job;

	if (first->class != NULL) {
		max = first->class->group_max;
		if (max == 0 || max > JOBS_GROUP_MAX)
			max = JOBS_GROUP_MAX;
	}
	while (n < max && (job = STAILQ_FIRST(&jobs->waiting)) != NULL) {
		if (n > 0 && job->class == NULL)
			break; /* nothing overtakes this one */
		STAILQ_REMOVE_HEAD(&jobs->waiting, entry);
		if (job->class == first->class) {
			job->state = JOB_RUNNING;
			jobs->group[n++] = job;
		} else {
			STAILQ_INSERT_TAIL(&rest, job, entry);
		}
	}
	/* What was passed over keeps its place before what was not seen. */
	STAILQ_CONCAT(&rest, &jobs->waiting);
	STAILQ_CONCAT(&jobs->waiting, &rest);
	return n;
}

/* Locked. */
static void
jobs_finish(struct jobs *jobs, struct job *job)
{
	uint64_t one = 1;

	if (STAILQ_EMPTY(&jobs->finished)) {
		/* Refused only if the counter is full: it is readable then. */
		if (write(jobs->watch.fd, &one, sizeof(one)) < 0)
			ASSERT(errno == EAGAIN);
		pthread_cond_signal(&jobs->done);
	}
	job->state = JOB_FINISHED;
	STAILQ_INSERT_TAIL(&jobs->finished, job, entry);
}

static void *
jobs_thread(void *arg)
{
	struct jobs *jobs = arg;
	unsigned int n;

	pthread_mutex_lock(&jobs->lock);
	for (;;) {
		while (STAILQ_EMPTY(&jobs->waiting) && !jobs->stop)
			pthread_cond_wait(&jobs->work, &jobs->lock);
		if (jobs->stop)
			break;
		n = jobs_take(jobs);
		pthread_mutex_unlock(&jobs->lock);

		if (jobs->group[0]->class != NULL)
			jobs->group[0]->class->run_group(jobs->group, n);
		else
			jobs->group[0]->run(jobs->group[0]);

		pthread_mutex_lock(&jobs->lock);
		for (unsigned int i = 0; i < n; i++)
			jobs_finish(jobs, jobs->group[i]);
	}
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

/* Calls done() for what is finished; true if there was any. */
static bool
jobs_deliver(struct jobs *jobs)
{
	struct job_list list = STAILQ_HEAD_INITIALIZER(list);
	struct job *job;
	uint64_t n;
	bool any;

	pthread_mutex_lock(&jobs->lock);
	STAILQ_CONCAT(&list, &jobs->finished);
	if (read(jobs->watch.fd, &n, sizeof(n)) < 0)
		ASSERT(errno == EAGAIN); /* has not been rung */
	pthread_mutex_unlock(&jobs->lock);

	any = !STAILQ_EMPTY(&list);
	while ((job = STAILQ_FIRST(&list)) != NULL) {
		STAILQ_REMOVE_HEAD(&list, entry);
		job->state = JOB_IDLE;
		jobs->pending--;
		if (job->done != NULL)
			job->done(job, jobs->loop);
	}
	return any;
}

static void
jobs_ready(struct loop_fd *w, uint32_t revents)
{
	(void)revents;
	jobs_deliver(w->arg);
}

/* A condition variable that waits on the clock of clock_now_ns(). */
static int
jobs_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int err;

	err = pthread_condattr_init(&attr);
	if (err != 0)
		return -err;
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	err = pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
	return -err;
}

int
jobs_create(struct loop *loop, struct jobs **out)
{
	struct jobs *jobs;
	sigset_t all, old;
	int err;

	jobs = calloc(1, sizeof(*jobs));
	if (jobs == NULL)
		return -ENOMEM;
	jobs->loop = loop;
	STAILQ_INIT(&jobs->waiting);
	STAILQ_INIT(&jobs->finished);
	err = -pthread_mutex_init(&jobs->lock, NULL);
	if (err < 0)
		goto out_free;
	err = jobs_cond_init(&jobs->work);
	if (err < 0)
		goto out_lock;
	err = jobs_cond_init(&jobs->done);
	if (err < 0)
		goto out_work;
	jobs->watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (jobs->watch.fd < 0) {
		err = -errno;
		goto out_done;
	}
	jobs->watch.events = EPOLLIN;
	jobs->watch.fn = jobs_ready;
	jobs->watch.arg = jobs;
	jobs->watch.quiet = true;
	err = loop_fd_add(loop, &jobs->watch);
	if (err < 0)
		goto out_close;
	/* Signals are for the loop's thread. */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&jobs->thread, NULL, jobs_thread, jobs);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err < 0)
		goto out_watch;
	*out = jobs;
	return 0;

out_watch:
	loop_fd_del(loop, &jobs->watch);
out_close:
	close(jobs->watch.fd);
out_done:
	pthread_cond_destroy(&jobs->done);
out_work:
	pthread_cond_destroy(&jobs->work);
out_lock:
	pthread_mutex_destroy(&jobs->lock);
out_free:
	free(jobs);
	return err;
}

void
jobs_submit(struct jobs *jobs, struct job *job)
{
	ASSERT(job->class != NULL || job->run != NULL);
	pthread_mutex_lock(&jobs->lock);
	ASSERT(job->state == JOB_IDLE);
	jobs->pending++;
	if (jobs->stop) {
		job->status = -ECANCELED;
		jobs_finish(jobs, job);
	} else {
		job->state = JOB_WAITING;
		STAILQ_INSERT_TAIL(&jobs->waiting, job, entry);
		pthread_cond_signal(&jobs->work);
	}
	pthread_mutex_unlock(&jobs->lock);
}

bool
jobs_cancel(struct jobs *jobs, struct job *job)
{
	bool taken;

	pthread_mutex_lock(&jobs->lock);
	taken = job->state == JOB_WAITING;
	if (taken) {
		STAILQ_REMOVE(&jobs->waiting, job, job, entry);
		job->state = JOB_IDLE;
		jobs->pending--;
	}
	pthread_mutex_unlock(&jobs->lock);
	return taken;
}

unsigned int
jobs_pending(const struct jobs *jobs)
{
	return jobs->pending;
}

int
jobs_drain(struct jobs *jobs, uint64_t deadline_ns)
{
	struct timespec until = {
		.tv_sec = (time_t)(deadline_ns / CLOCK_NS_PER_SEC),
		.tv_nsec = (long)(deadline_ns % CLOCK_NS_PER_SEC),
	};
	int err;

	for (;;) {
		(void)jobs_deliver(jobs);
		if (jobs->pending == 0)
			return 0;
		err = 0;
		pthread_mutex_lock(&jobs->lock);
		while (STAILQ_EMPTY(&jobs->finished) && err != ETIMEDOUT)
			err = pthread_cond_timedwait(
			    &jobs->done, &jobs->lock, &until);
		pthread_mutex_unlock(&jobs->lock);
		if (err == ETIMEDOUT) {
			(void)jobs_deliver(jobs);
			return jobs->pending == 0 ? 0 : -ETIMEDOUT;
		}
	}
}

void
jobs_destroy(struct jobs *jobs)
{
	struct job *job;

	if (jobs == NULL)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->stop = true;
	pthread_cond_signal(&jobs->work);
	pthread_mutex_unlock(&jobs->lock);
	pthread_join(jobs->thread, NULL);

	pthread_mutex_lock(&jobs->lock);
	while ((job = STAILQ_FIRST(&jobs->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&jobs->waiting, entry);
		job->status = -ECANCELED;
		jobs_finish(jobs, job);
	}
	pthread_mutex_unlock(&jobs->lock);
	while (jobs_deliver(jobs))
		continue;
	ASSERT(jobs->pending == 0);

	loop_fd_del(jobs->loop, &jobs->watch);
	close(jobs->watch.fd);
	pthread_cond_destroy(&jobs->done);
	pthread_cond_destroy(&jobs->work);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

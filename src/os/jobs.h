/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One helper thread for calls that block: closing a tun, moving and deleting
 * netdevs (17 ms each). The frame path never comes here.
 *
 * A job is run on the helper thread and then done on the loop. Jobs are run in
 * the order of their submission, except that a class may take several at once:
 * when the next job has a class, the thread takes with it all queued jobs of
 * the same class, up to the class's limit, and gives them to run_group()
 * together (say, 500 deletions in one request). Such a job may thereby overtake
 * jobs of other classes, but never a job without a class: that one is a
 * barrier.
 *
 * A job belongs to its owner, who keeps it until done() is called; done() may
 * free it or submit it again.
 *
 * Threads: all functions are for the loop's thread; only run() and run_group()
 * are called on the helper thread, which has all signals blocked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct jobs;
struct loop;
struct job;

struct job_class {
	const char *name; /* for people */
	/* Sets the status of each of the @count (>= 1) jobs. */
	void (*run_group)(struct job **jobs, unsigned int count);
	unsigned int group_max; /* 0: JOBS_GROUP_MAX */
};

#define JOBS_GROUP_MAX 1024

/* Zero it, set the first three or four, then jobs_submit(). */
struct job {
	const struct job_class *class; /* NULL: none */
	void (*run)(struct job *job);  /* without class; sets @status */
	/* On the loop's thread; may be NULL. */
	void (*done)(struct job *job, struct loop *loop);
	void *arg;
	int status; /* 0 or -errno; -ECANCELED if it was not run */
	int state;  /* the queue's, as is the rest */
	STAILQ_ENTRY(job) entry;
};

/**
 * jobs_create() - start the helper thread
 * @loop: where done() is called; borrowed until jobs_destroy()
 * @out:  owned; written on success
 *
 * Return: 0, -ENOMEM, -EAGAIN (no thread) or -errno.
 */
int jobs_create(struct loop *loop, struct jobs **out);

/* Queues a job that is not queued (asserted). Cannot fail. */
void jobs_submit(struct jobs *jobs, struct job *job);

/*
 * Takes a job back that has not been started: true, and done() is not called.
 * False if it runs or has run: done() will be called.
 */
bool jobs_cancel(struct jobs *jobs, struct job *job);

/* Jobs whose done() has not been called yet. */
unsigned int jobs_pending(const struct jobs *jobs);

/**
 * jobs_drain() - wait until every job is done, calling done() for each
 * @deadline_ns: on the clock of clock_now_ns()
 *
 * Not from inside done(). Jobs that done() submits count too.
 * Return: 0, or -ETIMEDOUT: some are still pending.
 */
int jobs_drain(struct jobs *jobs, uint64_t deadline_ns);

/*
 * Ends the thread. Waits for what is running; jobs not started get -ECANCELED;
 * done() is called for all, and must not submit again on -ECANCELED. NULL is
 * allowed. Not from inside done().
 */
void jobs_destroy(struct jobs *jobs);

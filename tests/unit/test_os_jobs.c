/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper thread: order, groups, cancelling, draining. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "base/util.h"
#include "os/clock.h"
#include "os/jobs.h"
#include "os/loop.h"

#define DEADLINE_NS (10 * CLOCK_NS_PER_SEC)

struct fixture {
	struct loop *loop;
	struct jobs *jobs;
	sem_t gate;     /* the blocking job waits for it */
	sem_t entered;  /* it has begun */
	char order[32]; /* written by the helper: what ran */
	char done[32];  /* what was delivered */
	unsigned int group;
};

static struct fixture f;

struct letter {
	struct job job;
	char c;
};

static void
append(char *s, char c)
{
	size_t n = strlen(s);

	assert_true(n + 1 < sizeof(f.order));
	s[n] = c;
	s[n + 1] = '\0';
}

static void
letter_run(struct job *job)
{
	append(f.order, CONTAINER_OF(job, struct letter, job)->c);
	job->status = 7;
}

static void
letter_block(struct job *job)
{
	sem_post(&f.entered);
	while (sem_wait(&f.gate) < 0)
		continue;
	letter_run(job);
}

static void
letter_group(struct job **jobs, unsigned int count)
{
	f.group = COAX_MAX(f.group, count);
	append(f.order, '(');
	for (unsigned int i = 0; i < count; i++)
		letter_run(jobs[i]);
	append(f.order, ')');
}

static const struct job_class class_x = { "x", letter_group, 0 };
static const struct job_class class_y = { "y", letter_group, 2 };

static void
letter_done(struct job *job, struct loop *loop)
{
	assert_ptr_equal(loop, f.loop);
	append(f.done, CONTAINER_OF(job, struct letter, job)->c);
}

static void
letter_init(struct letter *l, char c, const struct job_class *class)
{
	*l = (struct letter){
		.c = c,
		.job = {
			.class = class,
			.run = letter_run,
			.done = letter_done,
			.status = 1,
		},
	};
}

static int
setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	sem_init(&f.gate, 0, 0);
	sem_init(&f.entered, 0, 0);
	assert_int_equal(loop_create(&f.loop), 0);
	assert_int_equal(jobs_create(f.loop, &f.jobs), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	jobs_destroy(f.jobs);
	loop_destroy(f.loop);
	return 0;
}

/* Submits a job that keeps the thread busy until the gate opens. */
static void
block(struct letter *l)
{
	letter_init(l, 'b', NULL);
	l->job.run = letter_block;
	jobs_submit(f.jobs, &l->job);
	while (sem_wait(&f.entered) < 0)
		continue;
}

static void
test_done_is_called_on_the_loop(void **state)
{
	uint64_t limit = clock_now_ns() + DEADLINE_NS;
	struct letter a;

	(void)state;
	letter_init(&a, 'a', NULL);
	jobs_submit(f.jobs, &a.job);
	assert_int_equal(jobs_pending(f.jobs), 1);
	while (f.done[0] == '\0' && clock_now_ns() < limit)
		assert_true(loop_step(f.loop, DEADLINE_NS) >= 0);
	assert_string_equal(f.done, "a");
	assert_int_equal(a.job.status, 7);
	assert_int_equal(jobs_pending(f.jobs), 0);
}

/* x's run together and overtake y's; z has no class: nothing overtakes it. */
static void
test_groups_and_barriers(void **state)
{
	static const char what[] = "xyxyyzx";
	struct letter b, l[sizeof(what) - 1];

	(void)state;
	block(&b);
	for (size_t i = 0; i < ARRAY_LEN(l); i++) {
		letter_init(&l[i], what[i],
		    what[i] == 'x'   ? &class_x
		    : what[i] == 'y' ? &class_y
		                     : NULL);
		jobs_submit(f.jobs, &l[i].job);
	}
	sem_post(&f.gate);
	assert_int_equal(jobs_drain(f.jobs, clock_now_ns() + DEADLINE_NS), 0);
	assert_string_equal(f.order, "b(xx)(yy)(y)z(x)");
	assert_string_equal(f.done, "bxxyyyzx");
}

static void
test_cancel_only_before_the_start(void **state)
{
	struct letter b, a, c;

	(void)state;
	block(&b);
	letter_init(&a, 'a', NULL);
	letter_init(&c, 'c', NULL);
	jobs_submit(f.jobs, &a.job);
	jobs_submit(f.jobs, &c.job);
	assert_true(jobs_cancel(f.jobs, &a.job));
	assert_false(jobs_cancel(f.jobs, &a.job));
	assert_false(jobs_cancel(f.jobs, &b.job));
	sem_post(&f.gate);
	assert_int_equal(jobs_drain(f.jobs, clock_now_ns() + DEADLINE_NS), 0);
	assert_string_equal(f.done, "bc");
}

static void
test_drain_gives_up_at_its_deadline(void **state)
{
	struct letter b;

	(void)state;
	block(&b);
	assert_int_equal(jobs_drain(f.jobs, clock_now_ns()), -ETIMEDOUT);
	assert_int_equal(jobs_pending(f.jobs), 1);
	sem_post(&f.gate);
	assert_int_equal(jobs_drain(f.jobs, clock_now_ns() + DEADLINE_NS), 0);
}

static void
again(struct job *job, struct loop *loop)
{
	letter_done(job, loop);
	job->done = letter_done;
	jobs_submit(f.jobs, job);
}

static void
test_done_may_submit_again(void **state)
{
	struct letter a;

	(void)state;
	letter_init(&a, 'a', NULL);
	a.job.done = again;
	jobs_submit(f.jobs, &a.job);
	assert_int_equal(jobs_drain(f.jobs, clock_now_ns() + DEADLINE_NS), 0);
	assert_string_equal(f.done, "aa");
}

/* Every job is done in the end, run or not. */
static void
test_destroy_cancels_what_waits(void **state)
{
	struct letter b, l[3];

	(void)state;
	block(&b);
	for (size_t i = 0; i < ARRAY_LEN(l); i++) {
		letter_init(&l[i], (char)('p' + i), NULL);
		jobs_submit(f.jobs, &l[i].job);
	}
	/* The stop is seen before or after some of them: all are delivered. */
	sem_post(&f.gate);
	jobs_destroy(f.jobs);
	f.jobs = NULL;
	assert_string_equal(f.done, "bpqr");
	for (size_t i = 0; i < ARRAY_LEN(l); i++)
		assert_true(
		    l[i].job.status == 7 || l[i].job.status == -ECANCELED);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_done_is_called_on_the_loop),
		T(test_groups_and_barriers),
		T(test_cancel_only_before_the_start),
		T(test_drain_gives_up_at_its_deadline),
		T(test_done_may_submit_again),
		T(test_destroy_cancels_what_waits),
	};
#undef T
	return cmocka_run_group_tests_name("os_jobs", tests, NULL, NULL);
}

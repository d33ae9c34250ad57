/* SPDX-License-Identifier: BSD-2-Clause */
/* Many random runs: see jobs.h. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "sim/jobs.h"

/* What comes through a pipe: an outcome, or (@last) the sum. */
struct message {
	bool last;
	struct sim_outcome one;
	struct sim_random total;
};

static bool
still_fails(const struct sim_random_options *o, void *arg)
{
	struct sim_random ignored = { 0 };
	struct sim_outcome *one = arg;
	char text[sizeof(one->what)];

	if (sim_random_run(o, &ignored, text, sizeof(text)))
		return false;
	snprintf(one->what, sizeof(one->what), "%s", text);
	return true;
}

static bool
has_loops(const struct sim_random *r)
{
	for (enum sim_excuse e = 0; e < SIM_EXCUSES; e++) {
		if (r->loops[e].count > 0)
			return true;
	}
	return false;
}

static void
say(int fd, const struct message *m)
{
	if (write(fd, m, sizeof(*m)) != sizeof(*m))
		_exit(1);
}

static void
run_one(const struct sim_request *q, uint64_t seed, struct sim_random *total,
    int fd)
{
	struct sim_random_options o = {
		.seed = seed,
		.bridges = q->bridges,
		.mask = q->mask,
		.trace = q->trace,
		.strict = q->strict,
		.reverse = q->reverse,
	};
	struct message m = { .one.seed = seed };
	struct sim_random sum = { 0 };

	m.one.good = sim_random_run(&o, &sum, m.one.what, sizeof(m.one.what));
	sim_random_add(total, &sum);
	memcpy(m.one.loops, sum.loops, sizeof(sum.loops));
	if (m.one.good && !has_loops(&sum))
		return;
	o.trace = false;
	if (!m.one.good && !q->no_shrink)
		sim_shrink(&o, still_fails, &m.one);
	m.one.mask = o.mask;
	m.one.bridges = o.bridges;
	say(fd, &m);
}

/* Every @jobs-th run from the @job-th on. */
static void
run_share(const struct sim_request *q, uint32_t job, int fd)
{
	struct message end = { .last = true };

	for (uint64_t i = job; i < q->count; i += q->jobs)
		run_one(q, q->seed + i, &end.total, fd);
	say(fd, &end);
}

static void
add(struct sim_outcomes *out, const struct sim_outcome *one)
{
	if (out->count == out->room) {
		out->room = out->room == 0 ? 64 : 2 * out->room;
		out->list = realloc(out->list, out->room * sizeof(*out->list));
		ASSERT(out->list != NULL);
	}
	out->list[out->count++] = *one;
	out->failed += !one->good;
}

/* A process, as the parent sees it. */
struct job {
	pid_t pid;
	size_t have; /* of @m */
	struct message m;
};

/* Reads what is there.  False: that was all. */
static bool
collect(int fd, struct job *j, struct sim_outcomes *out)
{
	ssize_t n = read(fd, (char *)&j->m + j->have, sizeof(j->m) - j->have);

	if (n <= 0)
		return false;
	j->have += (size_t)n;
	if (j->have < sizeof(j->m))
		return true;
	j->have = 0;
	if (!j->m.last) {
		add(out, &j->m.one);
		return true;
	}
	sim_random_add(&out->total, &j->m.total);
	return true;
}

/* Processes, each with a pipe.  Returns how many there are. */
static uint32_t
start(const struct sim_request *q, struct pollfd *fds, struct job *jobs)
{
	uint32_t count = 0;

	for (; count < q->jobs; count++) {
		int ends[2];

		fflush(stdout);
		if (pipe(ends) < 0)
			break;
		jobs[count].pid = fork();
		if (jobs[count].pid < 0) {
			close(ends[0]);
			close(ends[1]);
			break;
		}
		if (jobs[count].pid == 0) {
			close(ends[0]);
			run_share(q, count, ends[1]);
			fflush(stdout);
			_exit(0);
		}
		close(ends[1]);
		fds[count] = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	}
	return count;
}

static int
by_seed(const void *a, const void *b)
{
	const struct sim_outcome *x = a, *y = b;

	return x->seed < y->seed ? -1 : x->seed > y->seed;
}

void
sim_jobs_run(const struct sim_request *q, struct sim_outcomes *out)
{
	struct pollfd fds[SIM_JOBS_MAX];
	static struct job jobs[SIM_JOBS_MAX];
	uint32_t count = start(q, fds, jobs), left = count;

	*out = (struct sim_outcomes){ 0 };
	while (left > 0 && poll(fds, count, -1) > 0) {
		for (uint32_t i = 0; i < count; i++) {
			if (fds[i].revents == 0 ||
			    collect(fds[i].fd, &jobs[i], out))
				continue;
			close(fds[i].fd);
			fds[i].fd = -1; /* poll() passes it over */
			(void)waitpid(jobs[i].pid, NULL, 0);
			left--;
		}
	}
	out->whole = out->total.topologies == q->count;
	if (out->count > 0)
		qsort(out->list, out->count, sizeof(out->list[0]), by_seed);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop on real descriptors and timers. Waits are for events, with a
 * deadline; no test sleeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/util.h"
#include "os/clock.h"
#include "os/loop.h"

#define DEADLINE_NS (10 * CLOCK_NS_PER_SEC)

static int
setup(void **state)
{
	struct loop *loop;

	assert_int_equal(loop_create(&loop), 0);
	loop_set_spin(loop, 0);
	*state = loop;
	return 0;
}

static int
teardown(void **state)
{
	loop_destroy(*state);
	return 0;
}

struct ev {
	struct loop_fd w;
	struct loop *loop;
	unsigned int calls;
	struct ev *kill; /* taken out, closed and freed by the callback */
};

static void
ev_fn(struct loop_fd *w, uint32_t revents)
{
	struct ev *e = w->arg;

	assert_true(revents & EPOLLIN);
	e->calls++;
	if (e->kill != NULL) {
		loop_fd_del(e->loop, &e->kill->w);
		close(e->kill->w.fd);
		free(e->kill);
		e->kill = NULL;
	}
}

static struct ev *
ev_new(struct loop *loop, unsigned int count)
{
	struct ev *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->loop = loop;
	e->w.fd = eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(e->w.fd >= 0);
	e->w.events = EPOLLIN;
	e->w.fn = ev_fn;
	e->w.arg = e;
	assert_int_equal(loop_fd_add(loop, &e->w), 0);
	return e;
}

static void
ev_free(struct ev *e)
{
	loop_fd_del(e->loop, &e->w);
	close(e->w.fd);
	free(e);
}

static void
test_ready_descriptor_is_called(void **state)
{
	struct ev *e = ev_new(*state, 1);

	assert_int_equal(loop_step(*state, DEADLINE_NS), 1);
	assert_int_equal(e->calls, 1);
	ev_free(e);
	assert_int_equal(loop_step(*state, 0), 0);
}

/* Whichever of two ready watchers runs first, it may free the other. */
static void
test_watcher_deleted_by_another_is_not_called(void **state)
{
	struct ev *a = ev_new(*state, 1), *b = ev_new(*state, 1);
	struct ev *c = ev_new(*state, 1);
	struct loop_stats stats;

	/* a comes first in epoll's list; it frees b, which is fetched too. */
	a->kill = b;
	assert_int_equal(loop_step(*state, DEADLINE_NS), 1);
	loop_get_stats(*state, &stats);
	assert_int_equal(a->calls, 1);
	assert_int_equal(c->calls, 1);
	assert_int_equal(stats.events, 2);
	ev_free(a);
	ev_free(c);
}

static void
self_delete(struct loop_fd *w, uint32_t revents)
{
	struct ev *e = w->arg;

	(void)revents;
	loop_fd_del(e->loop, w);
	loop_stop(e->loop);
}

static void
test_watcher_may_take_itself_out(void **state)
{
	struct ev *e = ev_new(*state, 1);

	e->w.fn = self_delete;
	assert_int_equal(loop_run(*state), 0);
	assert_int_equal(loop_step(*state, 0), 0);
	ev_free(e);
}

/* More ready descriptors than an iteration takes: all get their turn. */
static void
test_no_ready_descriptor_starves(void **state)
{
	struct ev *e[3 * LOOP_EVENTS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		e[i] = ev_new(*state, 1); /* stays readable */
	for (int i = 0; i < 6; i++)
		assert_int_equal(loop_step(*state, DEADLINE_NS), 1);
	for (size_t i = 0; i < ARRAY_LEN(e); i++) {
		assert_int_equal(e[i]->calls, 2);
		ev_free(e[i]);
	}
}

static void
test_add_and_mod_refuse_what_epoll_refuses(void **state)
{
	struct loop_fd w = { .fd = -1, .events = EPOLLIN, .fn = ev_fn };
	struct ev *e = ev_new(*state, 0);
	struct loop_fd twice = { .fd = e->w.fd, .fn = ev_fn };

	assert_int_equal(loop_fd_add(*state, &w), -EBADF);
	assert_false(w.added);
	assert_int_equal(loop_fd_add(*state, &twice), -EEXIST);
	loop_fd_del(*state, &w); /* not in: nothing happens */
	/* An eventfd is always writable. */
	assert_int_equal(loop_step(*state, 0), 0);
	e->w.fn = self_delete;
	assert_int_equal(loop_fd_mod(*state, &e->w, EPOLLOUT), 0);
	assert_int_equal(loop_step(*state, DEADLINE_NS), 1);
	ev_free(e);
}

struct tick {
	struct timer t;
	struct loop *loop;
	uint64_t ran_ns;
};

static void
tick_fn(struct timer *t, uint64_t now_ns)
{
	struct tick *k = CONTAINER_OF(t, struct tick, t);

	k->ran_ns = now_ns;
	loop_stop(k->loop);
}

/* Never early, and by the loop's own time; timers alone are no work. */
static void
test_timer_runs_when_due_without_spinning(void **state)
{
	struct tick k = { .t.fn = tick_fn, .loop = *state };
	struct loop_stats stats;
	uint64_t due;

	loop_set_spin(*state, CLOCK_NS_PER_SEC);
	due = loop_now_ns(*state) + 3 * CLOCK_NS_PER_MSEC;
	assert_int_equal(loop_timer_set(*state, &k.t, due), 0);
	assert_int_equal(loop_run(*state), 0);
	assert_true(k.ran_ns >= due);
	assert_true(k.ran_ns <= loop_now_ns(*state));
	loop_get_stats(*state, &stats);
	assert_int_equal(stats.timers, 1);
	assert_int_equal(stats.work_ns, 0);
	/* One sleep, one more if the kernel woke it a little early. */
	assert_in_range(stats.iterations, 1, 3);
}

/* A punctual one is not early either; it is work, and when the loop may poll,
 * polling precedes it. */
static void
test_punctual_timer_is_polled_for(void **state)
{
	struct tick k = { .t.fn = tick_fn, .loop = *state };
	uint64_t start = loop_now_ns(*state), due;
	struct loop_stats stats = { 0 };

	k.t.punctual = true;
	loop_set_spin(*state, 1);
	/* On a loaded machine a wake-up may be too late for that. */
	while (stats.polls == 0) {
		assert_true(loop_now_ns(*state) - start < DEADLINE_NS);
		due = loop_now_ns(*state) + 3 * CLOCK_NS_PER_MSEC;
		assert_int_equal(loop_timer_set(*state, &k.t, due), 0);
		assert_int_equal(loop_run(*state), 0);
		assert_true(k.ran_ns >= due);
		loop_get_stats(*state, &stats);
		assert_int_equal(stats.work_ns, k.ran_ns);
	}
}

/* Where it may not, it sleeps, up to the moment. */
static void
test_punctual_timer_is_slept_for_without_spinning(void **state)
{
	struct tick k = { .t.fn = tick_fn, .loop = *state };
	struct loop_stats stats;
	uint64_t due;

	k.t.punctual = true;
	due = loop_now_ns(*state) + 3 * CLOCK_NS_PER_MSEC;
	assert_int_equal(loop_timer_set(*state, &k.t, due), 0);
	assert_int_equal(loop_run(*state), 0);
	assert_true(k.ran_ns >= due);
	/* Held spinning is no spinning. */
	loop_set_spin(*state, CLOCK_NS_PER_SEC);
	loop_hold_spin(*state, DEADLINE_NS);
	due = loop_now_ns(*state) + 3 * CLOCK_NS_PER_MSEC;
	assert_int_equal(loop_timer_set(*state, &k.t, due), 0);
	assert_int_equal(loop_run(*state), 0);
	loop_get_stats(*state, &stats);
	assert_int_equal(stats.timers, 2);
	assert_int_equal(stats.polls, 0);
}

static void
test_timer_taken_out_does_not_run(void **state)
{
	struct tick k = { .t.fn = tick_fn, .loop = *state };

	assert_int_equal(loop_timer_in(*state, &k.t, 0), 0);
	loop_timer_del(*state, &k.t);
	assert_int_equal(loop_step(*state, 0), 0);
	assert_int_equal(k.ran_ns, 0);
	assert_int_equal(loop_timer_in(*state, &k.t, UINT64_MAX), 0);
	assert_int_equal(loop_step(*state, 0), 0);
	assert_int_equal(k.ran_ns, 0);
	loop_timer_del(*state, &k.t);
}

struct task {
	struct loop_task t;
	struct loop *loop;
	unsigned int calls;
	bool again;
	struct task *cancel;
};

static void
task_fn(struct loop_task *t)
{
	struct task *k = t->arg;

	k->calls++;
	if (k->again)
		loop_defer(k->loop, t);
	if (k->cancel != NULL)
		loop_task_cancel(k->loop, &k->cancel->t);
}

static void
test_deferred_task_runs_once_in_the_next_iteration(void **state)
{
	struct task a = { .loop = *state }, b = { .loop = *state };

	a.t = (struct loop_task){ .fn = task_fn, .arg = &a };
	b.t = (struct loop_task){ .fn = task_fn, .arg = &b };
	loop_defer(*state, &a.t);
	loop_defer(*state, &a.t);
	a.again = true;
	/* It would hang if a waiting task did not keep it awake. */
	loop_step(*state, LOOP_FOREVER);
	assert_int_equal(a.calls, 1);
	a.again = false;
	loop_step(*state, LOOP_FOREVER);
	assert_int_equal(a.calls, 2);
	loop_step(*state, 0);
	assert_int_equal(a.calls, 2);

	/* One may cancel another of the same round. */
	a.cancel = &b;
	loop_defer(*state, &a.t);
	loop_defer(*state, &b.t);
	loop_step(*state, LOOP_FOREVER);
	assert_int_equal(a.calls, 3);
	assert_int_equal(b.calls, 0);
	loop_step(*state, 0);
	assert_int_equal(b.calls, 0);
}

struct hook {
	struct loop_hook h;
	struct loop *loop;
	unsigned int calls;
	unsigned int work; /* true so many times */
	struct hook *drop; /* taken out by the call */
};

static bool
hook_fn(struct loop_hook *h, uint64_t now_ns)
{
	struct hook *k = h->arg;

	assert_int_equal(now_ns, loop_now_ns(k->loop));
	k->calls++;
	if (k->drop != NULL)
		loop_hook_del(k->loop, &k->drop->h);
	return k->work > 0 && k->work-- > 0;
}

static void
test_hook_with_work_keeps_the_loop_awake(void **state)
{
	struct hook poll = { .loop = *state, .work = 5 };
	struct hook flush = { .loop = *state };
	struct loop_stats before, after;

	poll.h = (struct loop_hook){ .fn = hook_fn, .arg = &poll };
	flush.h = (struct loop_hook){ .fn = hook_fn, .arg = &flush };
	loop_poll_add(*state, &poll.h);
	loop_flush_add(*state, &flush.h);
	assert_int_equal(loop_step(*state, 0), 1);
	loop_get_stats(*state, &before);
	for (int i = 0; i < 4; i++)
		assert_int_equal(loop_step(*state, LOOP_FOREVER), 1);
	loop_get_stats(*state, &after);
	/* The last one of them had to poll once more, without work. */
	assert_int_equal(loop_step(*state, LOOP_FOREVER), 0);
	assert_int_equal(poll.calls, 6);
	assert_int_equal(flush.calls, 6);
	assert_int_equal(after.sleeps, before.sleeps);
	loop_hook_del(*state, &poll.h);
	loop_hook_del(*state, &poll.h);
	loop_hook_del(*state, &flush.h);
	loop_step(*state, 0);
	assert_int_equal(poll.calls, 6);
}

/* A hook that always has work holds descriptors off for a moment only. */
static void
test_busy_hook_starves_no_descriptor(void **state)
{
	struct hook poll = { .loop = *state, .work = UINT_MAX };
	struct ev *e = ev_new(*state, 1);
	uint64_t until_ns;

	poll.h = (struct loop_hook){ .fn = hook_fn, .arg = &poll };
	loop_poll_add(*state, &poll.h);
	assert_int_equal(loop_step(*state, 0), 1);
	for (unsigned int calls = e->calls; calls < 5; calls = e->calls) {
		until_ns = clock_now_ns() + DEADLINE_NS;
		while (e->calls == calls) {
			assert_int_equal(loop_step(*state, 0), 1);
			assert_true(clock_now_ns() < until_ns);
		}
	}
	loop_hook_del(*state, &poll.h);
	ev_free(e);
}

struct clock {
	struct loop_hook h;
	uint64_t now_ns;
	struct loop_fd *w;
	uint64_t seen_ns; /* by the watcher */
};

static bool
clock_fn(struct loop_hook *h, uint64_t now_ns)
{
	struct clock *c = h->arg;

	c->now_ns = now_ns;
	return true;
}

static void
clock_event(struct loop_fd *w, uint32_t revents)
{
	struct clock *c = w->arg;

	(void)revents;
	c->seen_ns = c->now_ns;
}

/* Watchers find the time of this wake-up, not of the last one; and telling the
 * time is no work. */
static void
test_clock_hook_runs_before_the_watchers(void **state)
{
	struct clock c = { .h = { .fn = clock_fn, .arg = &c } };
	struct loop_fd w = {
		.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK),
		.events = EPOLLIN,
		.fn = clock_event,
		.arg = &c,
	};

	loop_clock_add(*state, &c.h);
	assert_int_equal(loop_step(*state, 0), 0);
	assert_int_equal(loop_fd_add(*state, &w), 0);
	assert_int_equal(loop_step(*state, DEADLINE_NS), 1);
	assert_int_equal(c.seen_ns, loop_now_ns(*state));
	loop_fd_del(*state, &w);
	close(w.fd);
	loop_hook_del(*state, &c.h);
	c.now_ns = 0;
	loop_step(*state, 0);
	assert_int_equal(c.now_ns, 0);
}

static void
test_hook_may_take_out_itself_and_the_next(void **state)
{
	struct hook a = { .loop = *state }, b = { .loop = *state };
	struct hook c = { .loop = *state };

	a.h = (struct loop_hook){ .fn = hook_fn, .arg = &a };
	b.h = (struct loop_hook){ .fn = hook_fn, .arg = &b };
	c.h = (struct loop_hook){ .fn = hook_fn, .arg = &c };
	loop_poll_add(*state, &a.h);
	loop_poll_add(*state, &b.h);
	loop_poll_add(*state, &c.h);
	a.drop = &b;
	c.drop = &c;
	loop_step(*state, 0);
	loop_step(*state, 0);
	assert_int_equal(a.calls, 2);
	assert_int_equal(b.calls, 0);
	assert_int_equal(c.calls, 1);
	loop_hook_del(*state, &a.h);
}

/* After work it polls for the time set, then it sleeps. */
static void
test_spins_after_work_then_sleeps(void **state)
{
	struct ev *e = ev_new(*state, 1);
	struct loop_stats stats;
	uint64_t start, sleeps;

	loop_set_spin(*state, CLOCK_NS_PER_MSEC);
	assert_int_equal(loop_step(*state, DEADLINE_NS), 1);
	loop_fd_del(*state, &e->w);
	loop_get_stats(*state, &stats);
	start = stats.work_ns;
	sleeps = stats.sleeps;
	/* A time-out so short that the first sleep shows at once. */
	while (stats.sleeps == sleeps) {
		assert_int_equal(loop_step(*state, 1), 0);
		loop_get_stats(*state, &stats);
		assert_true(loop_now_ns(*state) - start < DEADLINE_NS);
	}
	assert_true(loop_now_ns(*state) - start >= CLOCK_NS_PER_MSEC);
	ev_free(e);
}

static void
test_held_spin_sleeps_at_once(void **state)
{
	struct ev *e = ev_new(*state, 1);
	struct loop_stats stats;
	uint64_t sleeps;

	loop_set_spin(*state, CLOCK_NS_PER_SEC);
	assert_int_equal(loop_step(*state, DEADLINE_NS), 1);
	loop_fd_del(*state, &e->w);
	loop_hold_spin(*state, DEADLINE_NS);
	loop_get_stats(*state, &stats);
	sleeps = stats.sleeps;
	assert_int_equal(loop_step(*state, 1), 0);
	loop_get_stats(*state, &stats);
	assert_int_equal(stats.sleeps, sleeps + 1);
	/* What is held comes back. */
	loop_hold_spin(*state, 0);
	assert_int_equal(loop_step(*state, 1), 0);
	loop_get_stats(*state, &stats);
	assert_int_equal(stats.sleeps, sleeps + 1);
	ev_free(e);
}

static void
test_quiet_watcher_is_no_work(void **state)
{
	struct ev *e = ev_new(*state, 1);

	e->w.quiet = true;
	assert_int_equal(loop_step(*state, DEADLINE_NS), 0);
	assert_int_equal(e->calls, 1);
	ev_free(e);
}

static void *
waker(void *arg)
{
	loop_wake(arg);
	return NULL;
}

/* It would hang without the wake-up, whether it comes before or after. */
static void
test_wake_ends_a_sleep(void **state)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, waker, *state), 0);
	assert_int_equal(loop_step(*state, LOOP_FOREVER), 0);
	pthread_join(thread, NULL);
	loop_stop(*state);
	assert_int_equal(loop_run(*state), 0);
}

static int seen_signal;

static void
signal_fn(struct loop_signals *s, const struct signalfd_siginfo *info)
{
	seen_signal = (int)info->ssi_signo;
	loop_stop(s->arg);
}

static void
test_signals_are_events(void **state)
{
	static const int signals[] = { SIGUSR1, SIGTERM };
	struct loop_signals s = { 0 };
	sigset_t before, after;

	loop_signals_fini(&s); /* zeroed: nothing happens */
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
	assert_int_equal(loop_signals_init(*state, &s, signals,
	                     ARRAY_LEN(signals), signal_fn, *state),
	    0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(loop_run(*state), 0);
	assert_int_equal(seen_signal, SIGUSR1);
	loop_signals_fini(&s);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
	assert_int_equal(
	    sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_ready_descriptor_is_called),
		T(test_watcher_deleted_by_another_is_not_called),
		T(test_watcher_may_take_itself_out),
		T(test_no_ready_descriptor_starves),
		T(test_add_and_mod_refuse_what_epoll_refuses),
		T(test_timer_runs_when_due_without_spinning),
		T(test_punctual_timer_is_polled_for),
		T(test_punctual_timer_is_slept_for_without_spinning),
		T(test_timer_taken_out_does_not_run),
		T(test_deferred_task_runs_once_in_the_next_iteration),
		T(test_hook_with_work_keeps_the_loop_awake),
		T(test_busy_hook_starves_no_descriptor),
		T(test_clock_hook_runs_before_the_watchers),
		T(test_hook_may_take_out_itself_and_the_next),
		T(test_spins_after_work_then_sleeps),
		T(test_held_spin_sleeps_at_once),
		T(test_quiet_watcher_is_no_work),
		T(test_wake_ends_a_sleep),
		T(test_signals_are_events),
	};
#undef T
	return cmocka_run_group_tests_name("os_loop", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop over epoll(7): see os/loop.h.
 *
 * Taking things out from inside callbacks is safe because everything that is
 * being walked over is reachable from the struct loop: the fetched events (a
 * deleted watcher's are cleared), the next hook (moved on when it is deleted),
 * the tasks of this round (a list of their own).
 *
 * Time-outs are nanoseconds (epoll_pwait2(2), Linux 5.11); where a sandbox
 * refuses that call they are rounded up to milliseconds. The thread's timer
 * slack, by which the kernel lengthens waits, is as small as it gets; the steps
 * of wakeup_sleep_ns() get over what is left of it.
 */
#include "os/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/util.h"
#include "base/wakeup.h"
#include "os/clock.h"

/* A system call each time that hooks move a few frames would cost as much as
 * some of them: so often do descriptors get their turn while hooks are busy. */
#define LOOP_LOOK_NS 10000u

enum {
	HOOK_NONE,
	HOOK_CLOCK,
	HOOK_POLL,
	HOOK_FLUSH
};
enum {
	TASK_NONE,
	TASK_WAITING,
	TASK_RUNNING
};

TAILQ_HEAD(loop_hook_list, loop_hook);
TAILQ_HEAD(loop_task_list, loop_task);

struct loop {
	int epfd;
	bool stop;
	bool inside;    /* in loop_step(): no second one, no destruction */
	bool hook_work; /* a hook has more to do */
	bool worked;    /* the last iteration had work */
	bool no_pwait2;
	uint64_t looked_ns; /* when descriptors were looked at last */
	uint64_t now_ns;
	uint64_t spin_ns;
	uint64_t spin_until_ns; /* poll without sleeping before this time */
	uint64_t spin_held_ns;  /* but not before this one */
	struct timerheap timers;
	struct wakeup wakeup; /* for punctual timers */
	uint64_t asked_ns; /* the sleep for one that was asked for; 0: none */
	uint64_t asked_at_ns;
	bool polling; /* not sleeping, for one's sake */
	struct loop_hook_list clocks;
	struct loop_hook_list polls;
	struct loop_hook_list flushes;
	struct loop_hook *next_hook; /* while walking one of the lists */
	struct loop_task_list waiting;
	struct loop_task_list running;
	struct loop_fd wake;
	struct loop_stats stats;
	int event_count; /* of @events, while they are worked off */
	struct epoll_event events[LOOP_EVENTS_MAX];
};

static void
loop_woken(struct loop_fd *w, uint32_t revents)
{
	uint64_t n;

	(void)revents;
	if (read(w->fd, &n, sizeof(n)) < 0)
		return; /* somebody else's wake-up was taken with the last */
}

int
loop_create(struct loop **out)
{
	struct loop *loop;
	int err;

	loop = calloc(1, sizeof(*loop));
	if (loop == NULL)
		return -ENOMEM;
	TAILQ_INIT(&loop->clocks);
	TAILQ_INIT(&loop->polls);
	TAILQ_INIT(&loop->flushes);
	TAILQ_INIT(&loop->waiting);
	TAILQ_INIT(&loop->running);
	loop->spin_ns = LOOP_SPIN_DEFAULT_NS;
	loop->now_ns = clock_now_ns();
	loop->wakeup = wakeup_begin(loop->now_ns);
	/* 50 us otherwise. Where it is refused, wake-ups are later, no more. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);

	loop->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epfd < 0) {
		err = -errno;
		goto out_free;
	}
	loop->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake.fd < 0) {
		err = -errno;
		goto out_epoll;
	}
	loop->wake.events = EPOLLIN;
	loop->wake.fn = loop_woken;
	loop->wake.quiet = true;
	err = loop_fd_add(loop, &loop->wake);
	if (err < 0)
		goto out_wake;
	*out = loop;
	return 0;

out_wake:
	close(loop->wake.fd);
out_epoll:
	close(loop->epfd);
out_free:
	free(loop);
	return err;
}

void
loop_destroy(struct loop *loop)
{
	if (loop == NULL)
		return;
	ASSERT(!loop->inside);
	timerheap_fini(&loop->timers);
	close(loop->wake.fd);
	close(loop->epfd);
	free(loop);
}

/* How long to wait for the first timer: not that long if it is punctual. */
static uint64_t
loop_timer_wait(struct loop *loop, const struct timer *t, uint64_t now)
{
	uint64_t wait;

	if (!t->punctual)
		return t->due_ns - now;
	wait = wakeup_sleep_ns(
	    &loop->wakeup, now, t->due_ns, loop_spin_ns(loop) > 0);
	loop->asked_ns = wait;
	loop->asked_at_ns = now;
	loop->polling = wait == 0;
	return wait;
}

/* How long the next wait may be. */
static uint64_t
loop_timeout(struct loop *loop, uint64_t timeout_ns)
{
	const struct timer *t = timerheap_first(&loop->timers);
	uint64_t now, wait;

	loop->asked_ns = 0;
	loop->polling = false;
	if (timeout_ns == 0 || loop->stop || loop->hook_work ||
	    !TAILQ_EMPTY(&loop->waiting))
		return 0;
	if (loop->spin_ns > 0 && loop->now_ns >= loop->spin_held_ns &&
	    (loop->worked || loop->now_ns < loop->spin_until_ns))
		return 0;
	if (t == NULL || t->due_ns == TIMERHEAP_NEVER)
		return timeout_ns;
	now = clock_now_ns(); /* now_ns is as old as the iteration was long */
	if (t->due_ns <= now)
		return 0;
	wait = loop_timer_wait(loop, t, now);
	if (wait > timeout_ns) {
		wait = timeout_ns;
		loop->asked_ns = 0;
	}
	return wait;
}

/* What the wait that has ended, with @count events, says about wake-ups. */
static void
loop_learn(struct loop *loop, int count, uint64_t before_ns)
{
	if (loop->polling) {
		loop->stats.polls++;
		wakeup_polled(&loop->wakeup, loop->now_ns - before_ns);
	} else if (loop->asked_ns > 0 && count == 0) {
		wakeup_slept(&loop->wakeup, loop->asked_ns,
		    loop->now_ns - loop->asked_at_ns);
	}
}

/* Runs the timers that are due. True if there was work. */
static bool
loop_run_timers(struct loop *loop)
{
	const struct timer *t = timerheap_first(&loop->timers);
	bool work = t != NULL && t->punctual && t->due_ns <= loop->now_ns;

	loop->stats.timers +=
	    timerheap_run(&loop->timers, loop->now_ns, LOOP_TIMERS_MAX);
	return work;
}

/* Waits with millisecond steps, never too short. */
static int
loop_wait_ms(struct loop *loop, uint64_t timeout_ns)
{
	uint64_t ms;

	if (timeout_ns == LOOP_FOREVER)
		return epoll_wait(
		    loop->epfd, loop->events, LOOP_EVENTS_MAX, -1);
	ms = timeout_ns / CLOCK_NS_PER_MSEC +
	     (timeout_ns % CLOCK_NS_PER_MSEC != 0);
	return epoll_wait(loop->epfd, loop->events, LOOP_EVENTS_MAX,
	    (int)COAX_MIN(ms, (uint64_t)INT_MAX));
}

/* Number of events fetched, or -errno. */
static int
loop_wait(struct loop *loop, uint64_t timeout_ns)
{
	/* The kernel's 64-bit timespec, whatever the C library's is. */
	struct {
		int64_t sec;
		int64_t nsec;
	} ts;
	long n;

	if (timeout_ns > 0)
		loop->stats.sleeps++;
	if (timeout_ns == 0 || timeout_ns == LOOP_FOREVER || loop->no_pwait2) {
		n = loop_wait_ms(loop, timeout_ns);
	} else {
		ts.sec = (int64_t)(timeout_ns / CLOCK_NS_PER_SEC);
		ts.nsec = (int64_t)(timeout_ns % CLOCK_NS_PER_SEC);
		n = syscall(SYS_epoll_pwait2, loop->epfd, loop->events,
		    LOOP_EVENTS_MAX, &ts, NULL, (size_t)0);
		if (n < 0 && (errno == ENOSYS || errno == EPERM)) {
			loop->no_pwait2 = true;
			n = loop_wait_ms(loop, timeout_ns);
		}
	}
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return (int)n;
}

/* Calls the watchers. True if there was work. */
static bool
loop_run_events(struct loop *loop, int count)
{
	bool work = false;

	loop->event_count = count;
	for (int i = 0; i < count; i++) {
		struct loop_fd *w = loop->events[i].data.ptr;

		if (w == NULL)
			continue; /* taken out by an earlier one */
		loop->events[i].data.ptr = NULL;
		loop->stats.events++;
		work |= !w->quiet;
		w->fn(w, loop->events[i].events);
	}
	loop->event_count = 0;
	return work;
}

static void
loop_run_tasks(struct loop *loop)
{
	struct loop_task *t;

	TAILQ_CONCAT(&loop->running, &loop->waiting, entry);
	TAILQ_FOREACH (t, &loop->running, entry)
		t->list = TASK_RUNNING;
	while ((t = TAILQ_FIRST(&loop->running)) != NULL) {
		TAILQ_REMOVE(&loop->running, t, entry);
		t->list = TASK_NONE;
		t->fn(t);
	}
}

static bool
loop_run_hooks(struct loop *loop, struct loop_hook_list *list)
{
	struct loop_hook *h;
	bool work = false;

	loop->next_hook = TAILQ_FIRST(list);
	while ((h = loop->next_hook) != NULL) {
		loop->next_hook = TAILQ_NEXT(h, entry);
		work |= h->fn(h, loop->now_ns);
	}
	return work;
}

int
loop_step(struct loop *loop, uint64_t timeout_ns)
{
	uint64_t before_ns = loop->now_ns;
	bool look, work;
	int n = 0;

	ASSERT(!loop->inside);
	timeout_ns = loop_timeout(loop, timeout_ns);
	look = timeout_ns != 0 || !loop->hook_work ||
	       loop->now_ns - loop->looked_ns >= LOOP_LOOK_NS;
	if (look)
		n = loop_wait(loop, timeout_ns);
	if (n < 0)
		return n;
	loop->inside = true;
	loop->stats.iterations++;
	loop->now_ns = clock_now_ns();
	loop_learn(loop, n, before_ns);
	if (look)
		loop->looked_ns = loop->now_ns;
	if (loop->worked)
		loop->spin_until_ns = loop->now_ns + loop->spin_ns;
	(void)loop_run_hooks(loop, &loop->clocks);

	work = loop_run_events(loop, n);
	work |= loop_run_timers(loop);
	loop_run_tasks(loop);
	loop->hook_work = loop_run_hooks(loop, &loop->polls);
	loop->hook_work |= loop_run_hooks(loop, &loop->flushes);
	work |= loop->hook_work;

	loop->worked = work;
	if (work)
		loop->stats.work_ns = loop->now_ns;
	loop->inside = false;
	return work;
}

int
loop_run(struct loop *loop)
{
	int err = 0;

	while (!loop->stop) {
		err = loop_step(loop, LOOP_FOREVER);
		if (err < 0)
			break;
	}
	loop->stop = false;
	return err < 0 ? err : 0;
}

void
loop_stop(struct loop *loop)
{
	loop->stop = true;
}

uint64_t
loop_now_ns(const struct loop *loop)
{
	return loop->now_ns;
}

void
loop_set_spin(struct loop *loop, uint64_t spin_ns)
{
	loop->spin_ns = spin_ns;
	loop->spin_until_ns = 0;
}

uint64_t
loop_spin_ns(const struct loop *loop)
{
	return loop->now_ns >= loop->spin_held_ns ? loop->spin_ns : 0;
}

void
loop_hold_spin(struct loop *loop, uint64_t hold_ns)
{
	loop->spin_held_ns = loop->now_ns + hold_ns;
}

void
loop_wake(struct loop *loop)
{
	uint64_t one = 1;

	/* Only a full counter can refuse, and that wakes the loop as well. */
	if (write(loop->wake.fd, &one, sizeof(one)) < 0)
		return;
}

void
loop_get_stats(const struct loop *loop, struct loop_stats *out)
{
	*out = loop->stats;
}

int
loop_fd_add(struct loop *loop, struct loop_fd *w)
{
	struct epoll_event ev = { .events = w->events, .data.ptr = w };

	ASSERT(!w->added && w->fn != NULL);
	if (epoll_ctl(loop->epfd, EPOLL_CTL_ADD, w->fd, &ev) < 0)
		return -errno;
	w->added = true;
	return 0;
}

int
loop_fd_mod(struct loop *loop, struct loop_fd *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	ASSERT(w->added);
	if (w->events == events)
		return 0;
	if (epoll_ctl(loop->epfd, EPOLL_CTL_MOD, w->fd, &ev) < 0)
		return -errno;
	w->events = events;
	return 0;
}

void
loop_fd_del(struct loop *loop, struct loop_fd *w)
{
	struct epoll_event none = { 0 };

	if (!w->added)
		return;
	w->added = false;
	/* It fails only if the descriptor was closed before: gone as well. */
	(void)epoll_ctl(loop->epfd, EPOLL_CTL_DEL, w->fd, &none);
	for (int i = 0; i < loop->event_count; i++)
		if (loop->events[i].data.ptr == w)
			loop->events[i].data.ptr = NULL;
}

int
loop_timer_set(struct loop *loop, struct timer *t, uint64_t due_ns)
{
	return timerheap_add(&loop->timers, t, due_ns);
}

int
loop_timer_in(struct loop *loop, struct timer *t, uint64_t delay_ns)
{
	uint64_t due;

	if (__builtin_add_overflow(loop->now_ns, delay_ns, &due))
		due = TIMERHEAP_NEVER;
	return timerheap_add(&loop->timers, t, due);
}

void
loop_timer_del(struct loop *loop, struct timer *t)
{
	timerheap_del(&loop->timers, t);
}

int
loop_timer_reserve(struct loop *loop, size_t count)
{
	return timerheap_reserve(&loop->timers, count);
}

struct timerheap *
loop_timers(struct loop *loop)
{
	return &loop->timers;
}

static struct loop_hook_list *
hook_list(struct loop *loop, int list)
{
	return list == HOOK_CLOCK  ? &loop->clocks
	       : list == HOOK_POLL ? &loop->polls
	                           : &loop->flushes;
}

static void
hook_add(struct loop *loop, struct loop_hook *h, int list)
{
	ASSERT(h->list == HOOK_NONE);
	h->list = list;
	TAILQ_INSERT_TAIL(hook_list(loop, list), h, entry);
}

void
loop_clock_add(struct loop *loop, struct loop_hook *h)
{
	hook_add(loop, h, HOOK_CLOCK);
}

void
loop_poll_add(struct loop *loop, struct loop_hook *h)
{
	hook_add(loop, h, HOOK_POLL);
}

void
loop_flush_add(struct loop *loop, struct loop_hook *h)
{
	hook_add(loop, h, HOOK_FLUSH);
}

void
loop_hook_del(struct loop *loop, struct loop_hook *h)
{
	if (h->list == HOOK_NONE)
		return;
	if (loop->next_hook == h)
		loop->next_hook = TAILQ_NEXT(h, entry);
	TAILQ_REMOVE(hook_list(loop, h->list), h, entry);
	h->list = HOOK_NONE;
}

void
loop_defer(struct loop *loop, struct loop_task *t)
{
	if (t->list != TASK_NONE)
		return;
	t->list = TASK_WAITING;
	TAILQ_INSERT_TAIL(&loop->waiting, t, entry);
}

void
loop_task_cancel(struct loop *loop, struct loop_task *t)
{
	if (t->list == TASK_WAITING)
		TAILQ_REMOVE(&loop->waiting, t, entry);
	else if (t->list == TASK_RUNNING)
		TAILQ_REMOVE(&loop->running, t, entry);
	t->list = TASK_NONE;
}

static void
loop_signals_ready(struct loop_fd *w, uint32_t revents)
{
	struct loop_signals *s = w->arg;
	struct signalfd_siginfo info;

	(void)revents;
	/* One a call: the function may end the watch. Level-triggered. */
	if (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		s->fn(s, &info);
}

int
loop_signals_init(struct loop *loop, struct loop_signals *s, const int *signals,
    size_t count,
    void (*fn)(struct loop_signals *s, const struct signalfd_siginfo *info),
    void *arg)
{
	sigset_t set;
	int err;

	memset(s, 0, sizeof(*s));
	sigemptyset(&set);
	for (size_t i = 0; i < count; i++)
		if (sigaddset(&set, signals[i]) < 0)
			return -errno;
	err = -pthread_sigmask(SIG_BLOCK, &set, &s->old);
	if (err < 0)
		return err;
	s->watch.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->watch.fd < 0) {
		err = -errno;
		goto out_mask;
	}
	s->watch.events = EPOLLIN;
	s->watch.fn = loop_signals_ready;
	s->watch.arg = s;
	s->watch.quiet = true;
	s->fn = fn;
	s->arg = arg;
	err = loop_fd_add(loop, &s->watch);
	if (err < 0)
		goto out_close;
	s->loop = loop;
	return 0;

out_close:
	close(s->watch.fd);
out_mask:
	(void)pthread_sigmask(SIG_SETMASK, &s->old, NULL);
	return err;
}

void
loop_signals_fini(struct loop_signals *s)
{
	if (s->loop == NULL)
		return;
	loop_fd_del(s->loop, &s->watch);
	close(s->watch.fd);
	(void)pthread_sigmask(SIG_SETMASK, &s->old, NULL);
	s->loop = NULL;
}

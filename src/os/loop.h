/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop of a worker: descriptors, timers, deferred calls, hooks.
 *
 * One iteration is
 *   1. wait in epoll (not at all while a hook has work or while spinning; in
 *      the first case it is not even asked more often than every 10 us),
 *   2. read the clock: loop_now_ns() until the next iteration; call every
 *      clock hook, which tells those who keep the time elsewhere,
 *   3. call the watchers of at most LOOP_EVENTS_MAX ready descriptors,
 *   4. run at most LOOP_TIMERS_MAX due timers,
 *   5. run the tasks deferred before this point,
 *   6. call every poll hook (it works off a queue: one bounded portion),
 *   7. call every flush hook (it hands over what the iteration has gathered).
 * Level-triggered epoll puts a descriptor that is still ready behind the
 * others, so with bounded portions nobody starves.
 *
 * Work is an event of a watcher that is not marked quiet, or a hook that
 * returned true. After the last work the loop goes on polling for spin_ns,
 * which saves the wake-up's 10 to 14 us when more comes soon, and then sleeps
 * until the next timer or event. Timers and deferred tasks are not work: an
 * idle loop does not spin, and without a timer it does not wake up at all.
 *
 * A timer that is marked punctual is for frames that go on at their time, so it
 * is work, and before it is due the loop polls for as long as a wake-up takes:
 * how long that is it learns (base/wakeup.h). With spin_ns 0 it does not, and
 * no timer ever runs before it is due.
 *
 * All structs given to the loop are the caller's, borrowed until taken out; any
 * of them may be taken out and freed inside any callback.
 *
 * Threads: a loop belongs to one thread. Only loop_wake() is for others.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "base/list.h"
#include "base/timerheap.h"

#define LOOP_EVENTS_MAX      64    /* watchers called in an iteration */
#define LOOP_TIMERS_MAX      64    /* timers run in an iteration */
#define LOOP_SPIN_DEFAULT_NS 50000 /* see loop_set_spin() */
#define LOOP_FOREVER         UINT64_MAX

struct loop;

/* A watched descriptor. Zero it, set the first five, then loop_fd_add(). */
struct loop_fd {
	int fd;
	uint32_t events; /* EPOLLIN, EPOLLOUT ...; EPOLLERR, EPOLLHUP always */
	void (*fn)(struct loop_fd *w, uint32_t revents);
	void *arg;
	bool quiet; /* its events are not work: no spinning after them */
	bool added; /* the loop's */
};

/* A hook. Zero it, set @fn and @arg, then loop_clock_add(), loop_poll_add() or
 * loop_flush_add(). */
struct loop_hook {
	/* True if there is more to do: the loop then does not sleep. */
	bool (*fn)(struct loop_hook *h, uint64_t now_ns);
	void *arg;
	TAILQ_ENTRY(loop_hook) entry; /* the loop's, as is the rest */
	int list;                     /* 0: in none */
};

/* A deferred call. Zero it, set @fn and @arg, then loop_defer(). */
struct loop_task {
	void (*fn)(struct loop_task *t);
	void *arg;
	TAILQ_ENTRY(loop_task) entry; /* the loop's, as is the rest */
	int list;                     /* 0: in none */
};

/* What a loop has done so far. */
struct loop_stats {
	uint64_t iterations;
	uint64_t sleeps;  /* waits that were allowed to block */
	uint64_t polls;   /* waits that were not, for a punctual timer's sake */
	uint64_t events;  /* watchers called */
	uint64_t timers;  /* timers run */
	uint64_t work_ns; /* time of the last work; 0: none yet */
};

/**
 * loop_create() - make a loop
 * @out: owned; written on success
 *
 * Return: 0 or -errno (-EMFILE, -ENFILE, -ENOMEM).
 */
int loop_create(struct loop **out);

/*
 * Frees the loop. Timers that are set are taken out; watchers, hooks and tasks
 * are forgotten: take out what will be used again. Descriptors stay open. NULL
 * is allowed. Not from inside a callback.
 */
void loop_destroy(struct loop *loop);

/**
 * loop_run() - iterate until loop_stop()
 *
 * Return: 0, or -errno if epoll itself failed.
 */
int loop_run(struct loop *loop);

/**
 * loop_step() - one iteration, for tests and for draining at the end
 * @timeout_ns: longest sleep; 0 polls, LOOP_FOREVER as loop_run() does
 *
 * Return: true if there was work, or -errno.
 */
int loop_step(struct loop *loop, uint64_t timeout_ns);

/* Makes loop_run() return at the end of this iteration (or at its start). */
void loop_stop(struct loop *loop);

/* Time of the last wake-up. Before the first iteration: of the creation. */
uint64_t loop_now_ns(const struct loop *loop);

/* How long to poll after the last work; 0 never. LOOP_SPIN_DEFAULT_NS first. */
void loop_set_spin(struct loop *loop, uint64_t spin_ns);

/* How long the loop polls after work: 0 while that is held off. */
uint64_t loop_spin_ns(const struct loop *loop);

/* No polling after work for so long from now on: it is for callbacks that move
 * bulk data, where a wake-up costs little beside the copy, and the time is
 * better left to the other end of the stream. */
void loop_hold_spin(struct loop *loop, uint64_t hold_ns);

/* Ends a sleep at once. Any thread; also before the sleep has begun. */
void loop_wake(struct loop *loop);

void loop_get_stats(const struct loop *loop, struct loop_stats *out);

/**
 * loop_fd_add() - watch a descriptor
 * @w: borrowed until loop_fd_del(); not in a loop yet (asserted)
 *
 * Take the watcher out before closing the descriptor.
 * Return: 0 or -errno of epoll_ctl(2): -EPERM for a plain file, -EEXIST if
 * another watcher has the same descriptor, -ENOSPC, -ENOMEM, -EBADF.
 */
int loop_fd_add(struct loop *loop, struct loop_fd *w);

/* Changes the events watched for: free of charge if they are the same. */
int loop_fd_mod(struct loop *loop, struct loop_fd *w, uint32_t events);

/*
 * Stops watching; nothing happens if it was not watched. @w is not called
 * again, also not for an event that this iteration has already fetched.
 */
void loop_fd_del(struct loop *loop, struct loop_fd *w);

/**
 * loop_timer_set() - run a timer at a time; one that is set is moved
 * @t:      see base/timerheap.h; borrowed until it ran or was taken out
 * @due_ns: on the clock of clock_now_ns()
 *
 * Return: 0 or -ENOMEM (never when moving, or within loop_timer_reserve()).
 */
int loop_timer_set(struct loop *loop, struct timer *t, uint64_t due_ns);

/* The same, @delay_ns after loop_now_ns(). */
int loop_timer_in(struct loop *loop, struct timer *t, uint64_t delay_ns);

void loop_timer_del(struct loop *loop, struct timer *t);

/* Room for @count timers in all, so that setting them cannot fail. */
int loop_timer_reserve(struct loop *loop, size_t count);

/* The loop's heap, for code that takes a struct timerheap. Borrowed. */
struct timerheap *loop_timers(struct loop *loop);

/*
 * Clock hooks run in each iteration before anything else, poll hooks in the
 * order of their adding, flush hooks after them. What a clock hook returns does
 * not matter. Adding one that is in a list is an error (asserted); deleting one
 * that is in none does nothing. A hook added inside a hook runs from the next
 * iteration on at the latest.
 */
void loop_clock_add(struct loop *loop, struct loop_hook *h);
void loop_poll_add(struct loop *loop, struct loop_hook *h);
void loop_flush_add(struct loop *loop, struct loop_hook *h);
void loop_hook_del(struct loop *loop, struct loop_hook *h);

/*
 * Calls t->fn once, from the loop, after the present callback has returned. One
 * that is deferred already stays where it is. The task may free itself, and
 * defer itself again, which then is the next iteration's. Cannot fail.
 */
void loop_defer(struct loop *loop, struct loop_task *t);
void loop_task_cancel(struct loop *loop, struct loop_task *t);

/* Signals as events. */
struct loop_signals {
	struct loop_fd watch;
	struct loop *loop;
	void (*fn)(struct loop_signals *s, const struct signalfd_siginfo *info);
	void *arg;
	sigset_t old; /* mask before, restored by loop_signals_fini() */
};

/**
 * loop_signals_init() - receive signals on the loop
 * @s:       borrowed until loop_signals_fini()
 * @signals: numbers, e.g. { SIGTERM, SIGINT }; borrowed for the call
 * @count:   how many
 * @fn:      called once for each signal that arrives
 *
 * Blocks the signals in the calling thread and in those that it starts later:
 * call it before the first. A process that is started must be given a clean
 * mask (netns_spawn() does).
 * Return: 0 or -errno; on error the mask is as it was.
 */
int loop_signals_init(struct loop *loop, struct loop_signals *s,
    const int *signals, size_t count,
    void (*fn)(struct loop_signals *s, const struct signalfd_siginfo *info),
    void *arg);

/* Stops, and restores the mask. A zeroed struct is allowed. */
void loop_signals_fini(struct loop_signals *s);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log, as the core sees it: one line an event, handed to a sink that the
 * shell sets. Without a sink lines go nowhere, so libraries and tests are
 * quiet.
 *
 * The text may hold what a stranger wrote: control characters are replaced by
 * '?', so a line stays one line. It is cut at LOG_LINE_MAX.
 *
 * Whoever decides what to do about an error reports it, once. What a peer can
 * cause at will goes through a struct ratelimit.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

#define LOG_LINE_MAX 1024 /* bytes of a line, with the terminating 0 */

/* The severities of syslog(3), with its numbers. */
enum log_level {
	COAX_LOG_EMERG = 0,
	COAX_LOG_ALERT = 1,
	COAX_LOG_CRIT = 2,
	COAX_LOG_ERR = 3,
	COAX_LOG_WARNING = 4,
	COAX_LOG_NOTICE = 5,
	COAX_LOG_INFO = 6,
	COAX_LOG_DEBUG = 7,
};

/**
 * log_set_sink() - say where lines go
 * @sink: called with each line (borrowed, no newline); NULL: nowhere
 * @arg:  passed to @sink
 *
 * Threads: set it before there is a second one. @sink may run on any thread.
 */
void log_set_sink(
    void (*sink)(void *arg, enum log_level level, const char *line), void *arg);

/* Lines less severe than @level are dropped; COAX_LOG_INFO at first. */
void log_set_level(enum log_level level);

/* While @hold, lines go nowhere: what is being tried out is not told. */
void log_hold(bool hold);

/* True if a line of @level would reach a sink: to spare costly arguments. */
bool log_enabled(enum log_level level);

/* The name of a level ("err", "info"), as syslog.conf(5) has it. */
const char *log_level_name(enum log_level level);

/* The level of a name, 0 to 7, or -EINVAL. */
int log_level_parse(const char *name);

/* Writes one line, formatted as by printf(3). */
void log_msg(enum log_level level, const char *fmt, ...) COAX_PRINTF(2, 3);
void log_vmsg(enum log_level level, const char *fmt, va_list ap)
    COAX_PRINTF(2, 0);

#define log_err(...)     log_msg(COAX_LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_msg(COAX_LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_msg(COAX_LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_msg(COAX_LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_msg(COAX_LOG_DEBUG, __VA_ARGS__)

/*
 * At most @burst events in any window of @period_ns; a window opens with the
 * first event after the last one's end. Set the first two, zero the rest.
 */
struct ratelimit {
	uint64_t period_ns;
	uint32_t burst;
	uint32_t used;       /* events let through in this window */
	uint64_t start_ns;   /* start of this window */
	uint64_t suppressed; /* events held back since the last let through */
};

/**
 * ratelimit_allow() - ask whether an event may be reported now
 * @rl:         the limit
 * @now_ns:     the time
 * @suppressed: if not NULL and the answer is true: how many events were held
 *              back since the last that was let through
 *
 * Return: true if it may.
 */
bool ratelimit_allow(
    struct ratelimit *rl, uint64_t now_ns, uint64_t *suppressed);

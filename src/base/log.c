/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines to the shell's sink, and the rate limit. See log.h. */
#include "base/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static const char *const log_names[] = {
	[COAX_LOG_EMERG] = "emerg",
	[COAX_LOG_ALERT] = "alert",
	[COAX_LOG_CRIT] = "crit",
	[COAX_LOG_ERR] = "err",
	[COAX_LOG_WARNING] = "warning",
	[COAX_LOG_NOTICE] = "notice",
	[COAX_LOG_INFO] = "info",
	[COAX_LOG_DEBUG] = "debug",
};

static void (*log_sink)(void *arg, enum log_level level, const char *line);
static void *log_arg;
static enum log_level log_level_max = COAX_LOG_INFO;
static bool log_held;

void
log_set_sink(
    void (*sink)(void *arg, enum log_level level, const char *line), void *arg)
{
	log_sink = sink;
	log_arg = arg;
}

void
log_set_level(enum log_level level)
{
	log_level_max = level;
}

void
log_hold(bool hold)
{
	log_held = hold;
}

bool
log_enabled(enum log_level level)
{
	return log_sink != NULL && !log_held && level <= log_level_max;
}

const char *
log_level_name(enum log_level level)
{
	ASSERT((size_t)level < ARRAY_LEN(log_names));
	return log_names[level];
}

int
log_level_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(log_names); i++) {
		if (strcmp(name, log_names[i]) == 0)
			return (int)i;
	}
	return -EINVAL;
}

void
log_vmsg(enum log_level level, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];

	if (!log_enabled(level))
		return;
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		return;
	for (char *p = line; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	log_sink(log_arg, level, line);
}

void
log_msg(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(level, fmt, ap);
	va_end(ap);
}

bool
ratelimit_allow(struct ratelimit *rl, uint64_t now_ns, uint64_t *suppressed)
{
	/* The first event ever opens a window too, whatever the time is. */
	if (rl->used == 0 || now_ns - rl->start_ns >= rl->period_ns) {
		rl->start_ns = now_ns;
		rl->used = 0;
	}
	if (rl->used >= rl->burst) {
		rl->suppressed++;
		return false;
	}
	rl->used++;
	if (suppressed != NULL)
		*suppressed = rl->suppressed;
	rl->suppressed = 0;
	return true;
}

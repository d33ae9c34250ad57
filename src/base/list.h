/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive lists: queue(3) of the BSDs, as <sys/queue.h> has it, and the
 * macros that glibc's copy lacks. The _SAFE forms allow the current element to
 * be removed (and destroyed) in the loop's body, but not the next one.
 */
#pragma once

#include <sys/queue.h>

#ifndef TAILQ_FOREACH_SAFE
#define TAILQ_FOREACH_SAFE(var, head, field, next)                  \
	for ((var) = TAILQ_FIRST(head);                             \
	     (var) != NULL && ((next) = TAILQ_NEXT(var, field), 1); \
	     (var) = (next))
#endif

#ifndef TAILQ_FOREACH_REVERSE_SAFE
#define TAILQ_FOREACH_REVERSE_SAFE(var, head, headname, field, prev)          \
	for ((var) = TAILQ_LAST(head, headname);                              \
	     (var) != NULL && ((prev) = TAILQ_PREV(var, headname, field), 1); \
	     (var) = (prev))
#endif

#ifndef LIST_FOREACH_SAFE
#define LIST_FOREACH_SAFE(var, head, field, next)                  \
	for ((var) = LIST_FIRST(head);                             \
	     (var) != NULL && ((next) = LIST_NEXT(var, field), 1); \
	     (var) = (next))
#endif

#ifndef STAILQ_FOREACH_SAFE
#define STAILQ_FOREACH_SAFE(var, head, field, next)                  \
	for ((var) = STAILQ_FIRST(head);                             \
	     (var) != NULL && ((next) = STAILQ_NEXT(var, field), 1); \
	     (var) = (next))
#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions about our own program. They stay on in releases, print the fact
 * that did not hold and stop. Nothing that a user or a peer can send may reach
 * one: bad input is refused and counted instead.
 *
 * Not to be confused with <assert.h>: every include in this tree names its
 * folder, so "base/assert.h" and <assert.h> cannot hide each other.
 */
#pragma once

/* Stops the program, with the text of the condition, if @cond is false. */
#define ASSERT(cond) \
	((cond) ? (void)0 : assert_fail(#cond, __FILE__, __LINE__, __func__))

/* A place that cannot be reached, as after a switch over all of an enum. */
#define COAX_UNREACHABLE() \
	assert_fail("unreachable", __FILE__, __LINE__, __func__)

/**
 * assert_set_sink() - say where the line of a failed assertion goes
 * @sink: called once with the line (borrowed, no newline) before abort(); NULL
 *        for the default, standard error
 *
 * A test's sink may leave by longjmp(); another must return.
 * Threads: set it before there is a second one. @sink may run on any thread.
 */
void assert_set_sink(void (*sink)(const char *line));

/* What ASSERT() calls: hands the line to the sink, then abort(). */
_Noreturn void assert_fail(
    const char *what, const char *file, int line, const char *func);

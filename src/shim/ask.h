/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the daemon from inside somebody else's program.
 *
 * Each question is a connection of its own (COAX_SOCKET, or where coaxd(8) says
 * it is), with the network namespace of the caller; it takes about a tenth of a
 * millisecond, and nobody asks on the data path.  No memory, no lock, no state:
 * any thread may, also in a child after fork.
 */
#pragma once

#include "base/str.h"
#include "shim/json.h"

#define ASK_PARAMS_MAX 512
/* An answer is some hundred bytes; all of this is on the stack of a thread that
 * may have no more than PTHREAD_STACK_MIN. */
#define ASK_ANSWER_MAX 2048

struct ask {
	const char *method;
	char params[ASK_PARAMS_MAX]; /* members, without the braces */
	struct sbuf text;            /* of params */
	int send_fd;                 /* goes along; borrowed; -1: none */
	bool send_netns;             /* the caller's network namespace, too */
	bool cloexec;                /* of the descriptor that comes */
	/* The answer: */
	struct json result; /* into buf */
	bool no_daemon;     /* nobody there to be asked */
	int fd;             /* came with it; owned; -1: none */
	char buf[ASK_ANSWER_MAX];
};

/* Starts a question; a is not cleared as a whole. */
void ask_begin(struct ask *a, const char *method);
/* Adds a parameter. */
void ask_int(struct ask *a, const char *name, int64_t value);
/* -EINVAL: has something in it that no interface's name has */
int ask_name(struct ask *a, const char *name, const char *value);
/* A word of ours. */
void ask_word(struct ask *a, const char *name, const char *value);

/**
 * ask_daemon() - send it and wait for the answer
 *
 * Return: 0, or a negative errno: the daemon's refusal, or -ENXIO (no daemon,
 * or what answers is none), -ETIMEDOUT.
 */
int ask_daemon(struct ask *a);

/* For tests: what ask_daemon() does with a line of an answer.  1: it is the
 * answer, and fine; 0: it is of another question; or the refusal as negative
 * errno. */
int ask_judge(const char *line, size_t len, struct json *result);

/* A line on standard error for the user: COAX_SHIM=quiet silences it. */
void shim_hint(const char *text);

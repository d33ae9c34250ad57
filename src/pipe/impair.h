/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a bad wire does to frames: settings, their words, and the fate of each.
 *
 * One struct impair_config is one direction.  impair_fate() draws what happens
 * to the next frame: nothing but the seed, the direction and the frame's number
 * go into it, and each question (lost? duplicated? ...) has random bits of its
 * own.  So the same input meets the same fate, and to add corruption does not
 * change which frames are lost.  No floating point: it is the same on every
 * machine.
 *
 * The words (tc-netem(8) has most of them, and their meaning):
 *
 *   loss P                        each frame by itself
 *   loss gemodel P [R [B [G]]]    in bursts, see loss.h: into the bad state and
 *                                 out of it (1 - P), loss there (100%) and in
 *                                 the good state (0)
 *   delay T   jitter T            jitter: half the width, or the deviation
 *   dist uniform|normal|pareto    of the jitter
 *   order any|keep                may jitter change the order?
 *   duplicate P
 *   reorder P                     of the frames: they go without delay
 *   corrupt P                     one bit of the frame
 *   rate R    burst B             a link of that rate, see rate.h
 *   limit N                       frames held, waiting or under way
 *   seed N
 *   in, out                       what follows is of this direction; at first:
 *                                 of both
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pipe/loss.h"
#include "pipe/pipe.h"

#define IMPAIR_LIMIT_DEFAULT 1000u
#define IMPAIR_DELAY_MAX     100000000000u /* ns; of delay and jitter */
#define IMPAIR_TEXT_MAX      320
#define IMPAIR_WHY_MAX       160

enum impair_direction {
	IMPAIR_IN,  /* from the wire */
	IMPAIR_OUT, /* to the wire */
};

enum impair_dist {
	IMPAIR_UNIFORM,
	IMPAIR_NORMAL,
	IMPAIR_PARETO,
};

/* Zeroed but for the limit: a perfect wire. */
struct impair_config {
	struct loss_model loss;
	bool gemodel; /* as it was set: for the print-out */
	uint64_t delay_ns, jitter_ns;
	enum impair_dist dist;
	bool keep_order;
	uint32_t duplicate, reorder, corrupt; /* parts in 10^9 */
	uint64_t rate, burst;
	uint32_t limit;
	uint64_t seed;
};

/* --- words ---------------------------------------------------------------- */

/* Which of a config's settings a command has given. */
#define IMPAIR_SET_LOSS      0x0001u
#define IMPAIR_SET_DELAY     0x0002u
#define IMPAIR_SET_JITTER    0x0004u
#define IMPAIR_SET_DIST      0x0008u
#define IMPAIR_SET_ORDER     0x0010u
#define IMPAIR_SET_DUPLICATE 0x0020u
#define IMPAIR_SET_REORDER   0x0040u
#define IMPAIR_SET_CORRUPT   0x0080u
#define IMPAIR_SET_RATE      0x0100u
#define IMPAIR_SET_BURST     0x0200u
#define IMPAIR_SET_LIMIT     0x0400u
#define IMPAIR_SET_SEED      0x0800u

struct impair_change {
	uint32_t set[2]; /* IMPAIR_SET_*, by direction */
	struct impair_config config[2];
};

/**
 * impair_parse() - read words until one that is not of this grammar
 * @words, @count: borrowed
 * @out:           written only on success
 * @why, @size:    what is wrong, for people; IMPAIR_WHY_MAX does
 *
 * Return: words read (at least one setting), or -EINVAL.
 */
int impair_parse(const char *const *words, uint32_t count,
    struct impair_change *out, char *why, size_t size);

/**
 * impair_merge() - a config with a change made to it, checked as a whole
 * @config: written only on success
 *
 * Return: 0, or -EINVAL with a sentence in @why.
 */
int impair_merge(struct impair_config *config, const struct impair_change *ch,
    enum impair_direction dir, char *why, size_t size);

/** impair_format() - the words that make @config out of a perfect wire, or, if
 * @all, out of any. Return: @text. */
char *impair_format(
    const struct impair_config *config, bool all, char text[IMPAIR_TEXT_MAX]);

/** impair_dist_name() - "normal" */
const char *impair_dist_name(enum impair_dist dist);

/* --- fates ---------------------------------------------------------------- */

struct impair_state {
	uint64_t key;    /* of seed and direction */
	uint64_t number; /* of the next frame */
	bool in_bad;     /* loss.h */
};

struct impair_fate {
	bool lost; /* and nothing else */
	bool duplicate, reorder, corrupt;
	uint64_t bits;     /* corrupt: which bit; to be taken modulo */
	uint64_t delay_ns; /* 0 if it is reordered */
};

/** impair_begin() - the state before the first frame */
struct impair_state impair_begin(uint64_t seed, enum impair_direction dir);

/** impair_fate() - of the next frame */
struct impair_fate impair_fate(
    const struct impair_config *config, struct impair_state *state);

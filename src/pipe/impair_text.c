/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of impair.h, by a table: one row a setting, read and written by
 * the row's functions.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "pipe/impair.h"

/* Where the parser stands. */
struct words {
	const char *const *next;
	uint32_t left;
	const char *name; /* of the setting */
	char *why;
	size_t size;
};

struct setting {
	const char *name;
	uint32_t bit;
	/* Reads the value. 0 or -EINVAL. */
	int (*read)(struct words *w, struct impair_config *c);
	/* Writes " name value"; unless @all, only if it is not as on a perfect
	 * wire. */
	void (*write)(const char *name, const struct impair_config *c, bool all,
	    struct sbuf *b);
	void (*copy)(
	    struct impair_config *to, const struct impair_config *from);
};

static int
wrong(struct words *w, const char *value, const char *wanted)
{
	snprintf(w->why, w->size, "%s %.32s: %s", w->name, value, wanted);
	return -EINVAL;
}

/* The next word, or NULL with the reason. */
static const char *
take(struct words *w)
{
	if (w->left == 0) {
		snprintf(w->why, w->size, "%s: its value is missing", w->name);
		return NULL;
	}
	w->left--;
	return *w->next++;
}

static int
read_quantity(struct words *w, const struct quantity_unit *units, uint64_t min,
    uint64_t max, const char *wanted, uint64_t *out)
{
	const char *s = take(w);
	uint64_t v;

	if (s == NULL)
		return -EINVAL;
	if (quantity_parse(s, units, max, &v) != 0 || (v != 0 && v < min))
		return wrong(w, s, wanted);
	*out = v;
	return 0;
}

static int
read_percent(struct words *w, uint32_t *out)
{
	uint64_t v;
	int err;

	err = read_quantity(w, quantity_percent, 0, QUANTITY_WHOLE,
	    "a share from 0 to 100%, with the sign and at most 7 decimals", &v);
	if (err == 0)
		*out = (uint32_t)v;
	return err;
}

static int
read_time(struct words *w, uint64_t *out)
{
	return read_quantity(w, quantity_time, 0, IMPAIR_DELAY_MAX,
	    "a time up to 100s, with its unit: ns, us, ms or s", out);
}

static int
read_number(struct words *w, uint64_t min, uint64_t max, uint64_t *out)
{
	const char *s = take(w);
	char wanted[64];

	if (s == NULL)
		return -EINVAL;
	if (str_u64(s, 0, min, max, out) == 0)
		return 0;
	snprintf(wanted, sizeof(wanted), "a number from %llu to %llu",
	    (unsigned long long)min, (unsigned long long)max);
	return wrong(w, s, wanted);
}

/* One of @names, ended by NULL: its place. */
static int
read_choice(struct words *w, const char *const *names, const char *wanted)
{
	const char *s = take(w);

	if (s == NULL)
		return -EINVAL;
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], s) == 0)
			return i;
	return wrong(w, s, wanted);
}

static void
write_quantity(const char *name, uint64_t v, const struct quantity_unit *units,
    bool all, struct sbuf *b)
{
	char text[QUANTITY_STRLEN];

	if (v != 0 || all)
		sbuf_printf(b, " %s %s", name, quantity_format(v, units, text));
}

/* --- loss ----------------------------------------------------------------- */

static bool
next_is_percent(const struct words *w)
{
	size_t len = w->left != 0 ? strlen(*w->next) : 0;

	return len != 0 && (*w->next)[0] >= '0' && (*w->next)[0] <= '9';
}

static int
read_loss(struct words *w, struct impair_config *c)
{
	struct loss_model m = { 0 };
	uint32_t *const more[] = { &m.r, &m.bad, &m.good };
	int err;

	c->gemodel = w->left != 0 && strcmp(*w->next, "gemodel") == 0;
	if (!c->gemodel) {
		err = read_percent(w, &m.good);
		c->loss = m;
		return err;
	}
	(void)take(w);
	w->name = "loss gemodel";
	err = read_percent(w, &m.p);
	m.r = QUANTITY_WHOLE - m.p;
	m.bad = QUANTITY_WHOLE;
	for (size_t i = 0;
	     err == 0 && i < ARRAY_LEN(more) && next_is_percent(w); i++)
		err = read_percent(w, more[i]);
	c->loss = m;
	return err;
}

static void
write_loss(
    const char *name, const struct impair_config *c, bool all, struct sbuf *b)
{
	const struct loss_model *m = &c->loss;
	const uint32_t v[] = { m->p, m->r, m->bad, m->good };
	char text[QUANTITY_STRLEN];
	size_t n = ARRAY_LEN(v);

	if (!c->gemodel) {
		write_quantity(name, m->good, quantity_percent, all, b);
		return;
	}
	if (m->good == 0)
		n--;
	if (n == 3 && m->bad == QUANTITY_WHOLE)
		n--;
	sbuf_printf(b, " %s gemodel", name);
	for (size_t i = 0; i < n; i++)
		sbuf_printf(
		    b, " %s", quantity_format(v[i], quantity_percent, text));
}

static void
copy_loss(struct impair_config *to, const struct impair_config *from)
{
	to->loss = from->loss;
	to->gemodel = from->gemodel;
}

/* --- the other settings --------------------------------------------------- */

#define COPY(field)                                                     \
	static void copy_##field(                                       \
	    struct impair_config *to, const struct impair_config *from) \
	{                                                               \
		to->field = from->field;                                \
	}
#define SHARE(field)                                                      \
	COPY(field)                                                       \
	static int read_##field(struct words *w, struct impair_config *c) \
	{                                                                 \
		return read_percent(w, &c->field);                        \
	}                                                                 \
	static void write_##field(const char *name,                       \
	    const struct impair_config *c, bool all, struct sbuf *b)      \
	{                                                                 \
		write_quantity(name, c->field, quantity_percent, all, b); \
	}
#define TIME(field)                                                       \
	COPY(field)                                                       \
	static int read_##field(struct words *w, struct impair_config *c) \
	{                                                                 \
		return read_time(w, &c->field);                           \
	}                                                                 \
	static void write_##field(const char *name,                       \
	    const struct impair_config *c, bool all, struct sbuf *b)      \
	{                                                                 \
		write_quantity(name, c->field, quantity_time, all, b);    \
	}
SHARE(duplicate)
SHARE(reorder)
SHARE(corrupt)
TIME(delay_ns)
TIME(jitter_ns)
COPY(dist)
COPY(keep_order)
COPY(rate)
COPY(burst)
COPY(limit)
COPY(seed)
#undef TIME
#undef SHARE
#undef COPY

static const char *const dist_names[] = { "uniform", "normal", "pareto", NULL };
static const char *const order_names[] = { "any", "keep", NULL };

const char *
impair_dist_name(enum impair_dist dist)
{
	return dist_names[dist];
}

static int
read_dist(struct words *w, struct impair_config *c)
{
	int i = read_choice(w, dist_names, "uniform, normal or pareto");

	if (i >= 0)
		c->dist = (enum impair_dist)i;
	return i < 0 ? i : 0;
}

static void
write_dist(
    const char *name, const struct impair_config *c, bool all, struct sbuf *b)
{
	if (c->dist != IMPAIR_UNIFORM || all)
		sbuf_printf(b, " %s %s", name, dist_names[c->dist]);
}

static int
read_order(struct words *w, struct impair_config *c)
{
	int i = read_choice(w, order_names, "any or keep");

	c->keep_order = i == 1;
	return i < 0 ? i : 0;
}

static void
write_order(
    const char *name, const struct impair_config *c, bool all, struct sbuf *b)
{
	if (c->keep_order || all)
		sbuf_printf(b, " %s %s", name, order_names[c->keep_order]);
}

static int
read_rate(struct words *w, struct impair_config *c)
{
	return read_quantity(w, quantity_rate, 100, RATE_MAX,
	    "a rate from 100bit to 1Tbit a second, with its unit, or 0",
	    &c->rate);
}

static void
write_rate(
    const char *name, const struct impair_config *c, bool all, struct sbuf *b)
{
	write_quantity(name, c->rate, quantity_rate, all, b);
}

static int
read_burst(struct words *w, struct impair_config *c)
{
	return read_quantity(w, quantity_size, 0, BURST_MAX,
	    "bytes up to 1g; k, m and g are allowed", &c->burst);
}

static void
write_burst(
    const char *name, const struct impair_config *c, bool all, struct sbuf *b)
{
	write_quantity(name, c->burst, quantity_size, all, b);
}

static int
read_limit(struct words *w, struct impair_config *c)
{
	uint64_t v;
	int err = read_number(w, 1, PIPE_LIMIT_MAX, &v);

	if (err == 0)
		c->limit = (uint32_t)v;
	return err;
}

/* Where something can wait, it is of interest. */
static void
write_limit(
    const char *name, const struct impair_config *c, bool all, struct sbuf *b)
{
	if (all || c->limit != IMPAIR_LIMIT_DEFAULT || c->delay_ns != 0 ||
	    c->jitter_ns != 0 || c->rate != 0)
		sbuf_printf(b, " %s %u", name, c->limit);
}

static int
read_seed(struct words *w, struct impair_config *c)
{
	return read_number(w, 0, UINT64_MAX, &c->seed);
}

/* Always: the run can be repeated. */
static void
write_seed(
    const char *name, const struct impair_config *c, bool all, struct sbuf *b)
{
	(void)all;
	sbuf_printf(b, " %s %llu", name, (unsigned long long)c->seed);
}

static const struct setting settings[] = {
	{ "loss", IMPAIR_SET_LOSS, read_loss, write_loss, copy_loss },
	{ "delay", IMPAIR_SET_DELAY, read_delay_ns, write_delay_ns,
	    copy_delay_ns },
	{ "jitter", IMPAIR_SET_JITTER, read_jitter_ns, write_jitter_ns,
	    copy_jitter_ns },
	{ "dist", IMPAIR_SET_DIST, read_dist, write_dist, copy_dist },
	{ "order", IMPAIR_SET_ORDER, read_order, write_order, copy_keep_order },
	{ "duplicate", IMPAIR_SET_DUPLICATE, read_duplicate, write_duplicate,
	    copy_duplicate },
	{ "reorder", IMPAIR_SET_REORDER, read_reorder, write_reorder,
	    copy_reorder },
	{ "corrupt", IMPAIR_SET_CORRUPT, read_corrupt, write_corrupt,
	    copy_corrupt },
	{ "rate", IMPAIR_SET_RATE, read_rate, write_rate, copy_rate },
	{ "burst", IMPAIR_SET_BURST, read_burst, write_burst, copy_burst },
	{ "limit", IMPAIR_SET_LIMIT, read_limit, write_limit, copy_limit },
	{ "seed", IMPAIR_SET_SEED, read_seed, write_seed, copy_seed },
};

static const struct setting *
setting_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

/* Is it a direction?  Then @from and @to are those that it stands for. */
static bool
direction(const char *word, uint32_t *from, uint32_t *to)
{
	bool in = strcmp(word, "in") == 0;

	if (!in && strcmp(word, "out") != 0)
		return false;
	*from = *to = in ? IMPAIR_IN : IMPAIR_OUT;
	return true;
}

int
impair_parse(const char *const *words, uint32_t count,
    struct impair_change *out, char *why, size_t size)
{
	struct words w = { words, count, NULL, why, size };
	struct impair_change ch = { 0 };
	uint32_t from = IMPAIR_IN, to = IMPAIR_OUT;
	const struct setting *s;
	bool any = false;

	while (w.left != 0) {
		struct impair_config c = { 0 };

		if (direction(*w.next, &from, &to)) {
			(void)take(&w);
			any = false; /* a setting is to follow */
			continue;
		}
		s = setting_find(*w.next);
		if (s == NULL)
			break;
		w.name = take(&w);
		if (s->read(&w, &c) != 0)
			return -EINVAL;
		for (uint32_t dir = from; dir <= to; dir++) {
			s->copy(&ch.config[dir], &c);
			ch.set[dir] |= s->bit;
		}
		any = true;
	}
	if (!any) {
		snprintf(why, size,
		    "%s%.24s%s: loss, delay, jitter, dist, order, duplicate, "
		    "reorder, corrupt, rate, burst, limit or seed",
		    w.left != 0 ? "\"" : "a setting is missing",
		    w.left != 0 ? *w.next : "",
		    w.left != 0 ? "\" is none of" : "");
		return -EINVAL;
	}
	*out = ch;
	return (int)(count - w.left);
}

int
impair_merge(struct impair_config *config, const struct impair_change *ch,
    enum impair_direction dir, char *why, size_t size)
{
	struct impair_config c = *config;

	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if ((ch->set[dir] & settings[i].bit) != 0)
			settings[i].copy(&c, &ch->config[dir]);
	if (c.reorder != 0 && c.delay_ns == 0) {
		snprintf(why, size,
		    "reorder: without a delay there is nothing to overtake");
		return -EINVAL;
	}
	if (c.burst != 0 && c.rate == 0) {
		snprintf(why, size, "burst: without a rate it has no meaning");
		return -EINVAL;
	}
	*config = c;
	return 0;
}

char *
impair_format(
    const struct impair_config *config, bool all, char text[IMPAIR_TEXT_MAX])
{
	struct sbuf b = sbuf_init(text, IMPAIR_TEXT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		settings[i].write(settings[i].name, config, all, &b);
	ASSERT(sbuf_ok(&b));
	memmove(text, text + 1, b.len); /* without the blank; seed is there */
	return text;
}

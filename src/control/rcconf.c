/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rc.conf(5) as text: see rcconf.h. One pass over the bytes, a line at a time;
 * a line that is wrong is left and the next one begins behind its newline.
 *
 * Source: rc.conf(5), loader.conf(5), sysctl.conf(5) of FreeBSD 15; for quotes,
 * escapes and names of variables POSIX.1-2017, Shell Command Language 2.2, 2.6.
 */
#include "control/rcconf.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/net.h"

#define WIDTH 80

/* Where the parser stands. */
struct reader {
	struct rcconf *rc;
	const char *p, *end;
	struct rc_where where; /* of @p */
	uint32_t vnet;
	bool only_sysctls; /* in [sysctl.conf] */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Of a variable or a sysctl. */
static bool
is_name(char c)
{
	return is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '%' ||
	       c == '/' || c == '@';
}

void
rcconf_init(struct rcconf *rc)
{
	*rc = (struct rcconf){ .file_max = RCCONF_FILE_MAX };
}

void
rcconf_fini(struct rcconf *rc)
{
	for (size_t i = 0; i < rc->count; i++) {
		free(rc->entries[i].name);
		free(rc->entries[i].value);
		free(rc->entries[i].breaks);
	}
	free(rc->entries);
	for (uint32_t i = 0; i < rc->file_count; i++)
		free(rc->files[i]);
	for (uint32_t i = 0; i < rc->vnet_count; i++)
		free(rc->vnets[i]);
	free(rc->vnets);
	for (uint32_t i = 0; i < rc->error_count; i++)
		free(rc->errors[i].text);
	json_decref(rc->index);
	*rc = (struct rcconf){ 0 };
}

void
rcconf_error(struct rcconf *rc, struct rc_where where, const char *fmt, ...)
{
	char text[512];
	struct sbuf b = sbuf_init(text, sizeof(text));
	char what[384];
	va_list ap;

	if (rc->error_count == RCCONF_ERRORS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (where.line != 0)
		sbuf_printf(
		    &b, "%.96s:%u: ", rc->files[where.file], where.line);
	sbuf_puts(&b, what);
	rc->errors[rc->error_count].where = where;
	rc->errors[rc->error_count].text = strdup(text);
	if (rc->errors[rc->error_count].text == NULL)
		rc->no_memory = true;
	else
		rc->error_count++;
}

/* --- what is known so far --------------------------------------------------
 */

static struct rc_entry *
find(const struct rcconf *rc, uint32_t vnet, const char *name)
{
	char key[RCCONF_NAME_MAX + 16];
	const json_t *v;

	snprintf(key, sizeof(key), "%u %s", vnet, name);
	v = json_object_get(rc->index, key);
	return v != NULL ? &rc->entries[json_integer_value(v)] : NULL;
}

struct rc_entry *
rcconf_find(const struct rcconf *rc, uint32_t vnet, const char *name)
{
	return find(rc, vnet, name);
}

/* Consumes value and breaks. */
static void
add(struct reader *r, const char *name, struct rc_entry entry)
{
	struct rcconf *rc = r->rc;
	struct rc_entry *old = find(rc, r->vnet, name), *grown;
	char key[RCCONF_NAME_MAX + 16];

	if (rc->count == rc->room) {
		size_t room = rc->room != 0 ? 2 * rc->room : 64;

		grown = reallocarray(rc->entries, room, sizeof(*grown));
		if (grown == NULL)
			goto out_free;
		rc->entries = grown;
		rc->room = room;
		old = find(rc, r->vnet, name);
	}
	entry.name = strdup(name);
	if (entry.name == NULL)
		goto out_free;
	entry.vnet = r->vnet;
	entry.sysctl = strchr(name, '.') != NULL;
	snprintf(key, sizeof(key), "%u %s", r->vnet, name);
	if (json_object_set_new(
	        rc->index, key, json_integer((json_int_t)rc->count)) < 0) {
		free(entry.name);
		goto out_free;
	}
	if (old != NULL)
		old->superseded = true;
	rc->entries[rc->count++] = entry;
	return;

out_free:
	free(entry.value);
	free(entry.breaks);
	rc->no_memory = true;
}

/* The number of the section's vnet; -ENOMEM, -ENOSPC. */
static int64_t
vnet_number(struct rcconf *rc, const char *name)
{
	char key[RCCONF_NAME_MAX + 16];
	const json_t *old;
	char **grown;

	if (rc->index == NULL)
		rc->index = json_object();
	snprintf(key, sizeof(key), "[%s]", name);
	old = json_object_get(rc->index, key);
	if (old != NULL)
		return json_integer_value(old);
	if (rc->vnet_count == RCCONF_VNETS_MAX)
		return -ENOSPC;
	grown = reallocarray(rc->vnets, rc->vnet_count + 1, sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	rc->vnets = grown;
	rc->vnets[rc->vnet_count] = strdup(name);
	if (rc->vnets[rc->vnet_count] == NULL)
		return -ENOMEM;
	if (json_object_set_new(rc->index, key, json_integer(rc->vnet_count)) <
	    0) {
		free(rc->vnets[rc->vnet_count]);
		return -ENOMEM;
	}
	return rc->vnet_count++;
}

/* --- values ------------------------------------------------------------------
 */

/* A value while it is read. */
struct value {
	struct text t;
	struct rc_break *breaks;
	uint32_t break_count, break_room;
	bool bad; /* an error was reported */
};

static void
value_free(struct value *v)
{
	text_free(&v->t);
	free(v->breaks);
}

static int COAX_PRINTF(3, 4)
    value_bad(struct reader *r, struct value *v, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rcconf_error(r->rc, r->where, "%s", text);
	v->bad = true;
	return -EINVAL;
}

/* What follows stands in the next line. */
static void
value_break(struct reader *r, struct value *v)
{
	struct rc_break *grown;

	r->where.line++;
	if (v->break_count == v->break_room) {
		uint32_t room = v->break_room != 0 ? 2 * v->break_room : 4;

		grown = reallocarray(v->breaks, room, sizeof(*grown));
		if (grown == NULL) {
			r->rc->no_memory = true;
			return;
		}
		v->breaks = grown;
		v->break_room = room;
	}
	v->breaks[v->break_count++] =
	    (struct rc_break){ .at = v->t.len, .line = r->where.line };
}

/* Bytes of all values are bounded. */
static int
value_put(struct reader *r, struct value *v, const char *s, size_t len)
{
	if (len > RCCONF_VALUES_MAX - r->rc->value_size)
		return value_bad(r, v,
		    "the values of all variables together exceed %zu bytes",
		    RCCONF_VALUES_MAX);
	r->rc->value_size += len;
	text_putn(&v->t, s, len);
	if (!text_ok(&v->t))
		r->rc->no_memory = true;
	return 0;
}

/* Lists that are empty by /etc/defaults/rc.conf, so that "${LIST} more" is a
 * way to write the first value, too. */
static bool
is_list(const char *name)
{
	static const char *const lists[] = { "cloned_interfaces",
		"network_interfaces", "vnets", "kld_list" };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (strcmp(lists[i], name) == 0)
			return true;
	return false;
}

/* "$name" or "${name}"; @p stands on the dollar. */
static int
value_variable(struct reader *r, struct value *v)
{
	char name[RCCONF_NAME_MAX];
	const struct rc_entry *e;
	bool braces;
	size_t n = 0;

	r->p++;
	braces = r->p < r->end && *r->p == '{';
	if (braces)
		r->p++;
	while (r->p + n < r->end &&
	       (is_alpha(r->p[n]) || (n > 0 && is_digit(r->p[n]))))
		n++;
	if (n == 0 || n >= sizeof(name) ||
	    (braces && (r->p + n == r->end || r->p[n] != '}')))
		return value_bad(r, v,
		    "after '$' the name of a variable is expected, as in "
		    "${cloned_interfaces}; what sh computes is not done here");
	memcpy(name, r->p, n);
	name[n] = '\0';
	r->p += n + braces;
	e = find(r->rc, r->vnet, name);
	if (e == NULL && is_list(name))
		return 0;
	if (e == NULL)
		return value_bad(r, v, "%.64s is not set above", name);
	return value_put(r, v, e->value, strlen(e->value));
}

/* A character that means something to sh and nothing here. */
static int
value_refuse(struct reader *r, struct value *v)
{
	char c = *r->p;

	if (c == '`' || c == '$')
		return value_bad(r, v,
		    "commands are not run here: a plain value is expected");
	if (c == '\0')
		return value_bad(r, v, "a zero byte: this is no text");
	return value_bad(
	    r, v, "'%c' outside of quotes: a value is expected in quotes", c);
}

/* "...": up to and with the closing quote. */
static int
value_double(struct reader *r, struct value *v)
{
	struct rc_where begin = r->where;
	int err = 0;

	for (r->p++; err == 0 && r->p < r->end && *r->p != '"';) {
		if (*r->p == '\0' || *r->p == '`' ||
		    (*r->p == '$' && r->p + 1 < r->end && r->p[1] == '(')) {
			err = value_refuse(r, v);
		} else if (*r->p == '$') {
			err = value_variable(r, v);
		} else if (*r->p == '\\' && r->p + 1 < r->end &&
		           r->p[1] == '\n') {
			r->p += 2;
			value_break(r, v);
		} else if (*r->p == '\\' && r->p + 1 < r->end &&
		           strchr("\"\\$`", r->p[1]) != NULL &&
		           r->p[1] != '\0') {
			err = value_put(r, v, r->p + 1, 1);
			r->p += 2;
		} else {
			size_t n = 1;

			if (*r->p != '\n' && *r->p != '\\')
				while (r->p + n < r->end &&
				       strchr("\n\"\\$`", r->p[n]) == NULL)
					n++;
			err = value_put(r, v, r->p, n);
			if (*r->p == '\n')
				value_break(r, v);
			r->p += n;
		}
	}
	if (err == 0 && r->p == r->end) {
		r->where = begin;
		return value_bad(r, v, "the quote (\") has no end");
	}
	if (err == 0)
		r->p++;
	return err;
}

/* '...' */
static int
value_single(struct reader *r, struct value *v)
{
	struct rc_where begin = r->where;
	int err = 0;

	for (r->p++; err == 0 && r->p < r->end && *r->p != '\''; r->p++) {
		if (*r->p == '\0')
			return value_refuse(r, v);
		err = value_put(r, v, r->p, 1);
		if (*r->p == '\n')
			value_break(r, v);
	}
	if (err == 0 && r->p == r->end) {
		r->where = begin;
		return value_bad(r, v, "the quote (') has no end");
	}
	if (err == 0)
		r->p++;
	return err;
}

/* A value of sh: quoted and bare parts up to a blank, ';' or a newline. */
static int
value_shell(struct reader *r, struct value *v)
{
	int err = 0;

	while (err == 0 && r->p < r->end && !is_blank(*r->p) && *r->p != '\n' &&
	       *r->p != ';') {
		switch (*r->p) {
		case '"':
			err = value_double(r, v);
			break;
		case '\'':
			err = value_single(r, v);
			break;
		case '$':
			if (r->p + 1 < r->end && r->p[1] == '(')
				err = value_refuse(r, v);
			else
				err = value_variable(r, v);
			break;
		case '\\':
			r->p++;
			if (r->p < r->end && *r->p == '\n') {
				r->p++;
				value_break(r, v);
			} else if (r->p < r->end) {
				err = value_put(r, v, r->p++, 1);
			}
			break;
		case '`':
		case '\0':
		case '&':
		case '|':
		case '<':
		case '>':
		case '(':
		case ')':
			err = value_refuse(r, v);
			break;
		default:
			err = value_put(r, v, r->p++, 1);
		}
	}
	return err;
}

/* A value of sysctl.conf(5): the rest of the line up to a comment, in quotes
 * or not. */
static int
value_sysctl(struct reader *r, struct value *v)
{
	const char *begin = r->p, *end;

	if (r->p < r->end && (*r->p == '"' || *r->p == '\''))
		return value_shell(r, v);
	while (r->p < r->end && *r->p != '\n' && *r->p != '\0' &&
	       !(*r->p == '#' && (r->p == begin || is_blank(r->p[-1]))))
		r->p++;
	if (r->p < r->end && *r->p == '\0')
		return value_refuse(r, v);
	for (end = r->p; end > begin && is_blank(end[-1]);)
		end--;
	return value_put(r, v, begin, (size_t)(end - begin));
}

/* --- lines
 * ---------------------------------------------------------------------
 */

static void
skip_blanks(struct reader *r)
{
	while (r->p < r->end) {
		if (is_blank(*r->p)) {
			r->p++;
		} else if (*r->p == '\\' && r->p + 1 < r->end &&
		           r->p[1] == '\n') {
			r->p += 2;
			r->where.line++;
		} else {
			return;
		}
	}
}

/* To the newline. */
static void
skip_line(struct reader *r)
{
	const char *nl = memchr(r->p, '\n', (size_t)(r->end - r->p));

	r->p = nl != NULL ? nl : r->end;
}

/* "[rc.conf]" and its kin; @p stands on the bracket. */
static void
section(struct reader *r)
{
	const char *begin = r->p + 1, *end;
	char name[NET_VNET_NAME_MAX + 8];
	int64_t vnet = 0;
	size_t n;

	skip_line(r);
	for (end = r->p; end > begin && is_blank(end[-1]);)
		end--;
	n = (size_t)(end - begin);
	if (n == 0 || end[-1] != ']' || n - 1 >= sizeof(name) ||
	    memchr(begin, '\0', n) != NULL)
		goto out_bad;
	memcpy(name, begin, n - 1);
	name[n - 1] = '\0';
	r->only_sysctls = strcmp(name, "sysctl.conf") == 0;
	if (str_has_prefix(name, "vnet ") && name[5] != '\0')
		vnet = vnet_number(r->rc, name + 5);
	else if (!r->only_sysctls && strcmp(name, "rc.conf") != 0 &&
	         strcmp(name, "loader.conf") != 0)
		goto out_bad;
	if (vnet == -ENOSPC)
		rcconf_error(
		    r->rc, r->where, "more than %d vnets", RCCONF_VNETS_MAX);
	else if (vnet < 0)
		r->rc->no_memory = true;
	else
		r->vnet = (uint32_t)vnet;
	return;

out_bad:
	rcconf_error(r->rc, r->where,
	    "not a section: [rc.conf], [sysctl.conf], [loader.conf] or "
	    "[vnet NAME] is expected");
}

/* Words that sh knows, for a clearer refusal. */
static bool
is_command(const char *name)
{
	static const char *const words[] = { "if", "then", "else", "fi", "for",
		"while", "do", "done", "case", "esac", "export", "unset",
		"source", "." };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

/* One "name=value"; false: the rest of the line is lost. */
static bool
assignment(struct reader *r)
{
	struct rc_where where = r->where;
	struct rc_entry entry = { .where = where };
	struct value v = { 0 };
	char name[RCCONF_NAME_MAX];
	size_t n = 0;
	bool dot;
	int err;

	if (r->rc->count == RCCONF_ASSIGN_MAX) {
		rcconf_error(r->rc, where,
		    "more than %u assignments: no more is read",
		    RCCONF_ASSIGN_MAX);
		r->p = r->end;
		return false;
	}
	while (r->p + n < r->end && is_name(r->p[n]))
		n++;
	if (n == 0 || n >= sizeof(name)) {
		rcconf_error(r->rc, where, "name=\"value\" is expected: %s",
		    n == 0 ? "no name begins so" : "the name is too long");
		return false;
	}
	memcpy(name, r->p, n);
	name[n] = '\0';
	r->p += n;
	dot = strchr(name, '.') != NULL;
	if (dot ||
	    r->only_sysctls) /* blanks may be there, as sysctl -f has it */
		while (r->p < r->end && is_blank(*r->p))
			r->p++;
	if (r->p == r->end || *r->p != '=') {
		rcconf_error(r->rc, where, "%.64s: %s", name,
		    is_command(name)
		        ? "commands are not run here, name=\"value\" is expected"
		        : "'=' is expected after the name, without a blank");
		return false;
	}
	r->p++;
	if (r->only_sysctls && !dot) {
		rcconf_error(r->rc, where,
		    "%.64s: the name of a sysctl is expected in "
		    "[sysctl.conf]; variables follow [rc.conf]",
		    name);
		return false;
	}
	if (!dot && !is_alpha(name[0])) {
		rcconf_error(r->rc, where,
		    "%.64s: a variable begins with a letter", name);
		return false;
	}
	if (!dot && strpbrk(name, "-%/@") != NULL) {
		rcconf_error(r->rc, where,
		    "%.64s: in the name of a variable '_' stands for '%c'",
		    name, *strpbrk(name, "-%/@"));
		return false;
	}
	entry.value_line = r->where.line;
	if (dot) {
		while (r->p < r->end && is_blank(*r->p))
			r->p++;
		err = value_sysctl(r, &v);
	} else {
		err = value_shell(r, &v);
	}
	text_putn(&v.t, "", 0);
	if (err != 0 || v.bad || !text_ok(&v.t)) {
		value_free(&v);
		return false;
	}
	entry.value = v.t.s;
	entry.breaks = v.breaks;
	entry.break_count = v.break_count;
	add(r, name, entry);
	return true;
}

/* A line, and the lines that its quotes reach into. */
static void
line(struct reader *r)
{
	bool begin = true, parted = true;

	for (;;) {
		skip_blanks(r);
		if (r->p == r->end || *r->p == '\n')
			return;
		if (*r->p == '#') {
			skip_line(r);
			return;
		}
		if (begin && *r->p == '[') {
			section(r);
			return;
		}
		begin = false;
		if (*r->p == ';') {
			r->p++;
			parted = true;
			continue;
		}
		if (!parted && !is_blank(r->p[-1]) && r->p[-1] != '\n') {
			rcconf_error(r->rc, r->where,
			    "a blank, ';' or the end of the line is expected "
			    "after the value");
			break;
		}
		if (!assignment(r))
			break;
		parted = false;
	}
	skip_line(r);
}

/* The first line with bytes that are not UTF-8; 0: there is none. */
static uint32_t
not_utf8(const char *text, size_t len)
{
	json_t *whole = json_stringn(text, len);
	const char *end = text + len, *nl;
	uint32_t number = 1;

	json_decref(whole);
	for (; whole == NULL && text < end; text = nl + 1, number++) {
		json_t *one;

		nl = memchr(text, '\n', (size_t)(end - text));
		if (nl == NULL)
			nl = end;
		one = json_stringn(text, (size_t)(nl - text));
		if (one == NULL)
			return number;
		json_decref(one);
	}
	return 0;
}

int
rcconf_parse(struct rcconf *rc, const char *name, const char *text, size_t len)
{
	struct reader r = { .rc = rc, .p = text, .end = text + len };
	uint32_t before = rc->error_count;

	if (rc->vnet_count == 0 && vnet_number(rc, "") < 0)
		return -ENOMEM;
	if (rc->file_count == RCCONF_FILES_MAX) {
		rcconf_error(rc, r.where, "%.96s: more than %d files", name,
		    RCCONF_FILES_MAX);
		return -EINVAL;
	}
	rc->files[rc->file_count] = strdup(name);
	if (rc->files[rc->file_count] == NULL)
		return -ENOMEM;
	r.where.file = rc->file_count++;
	if (len > rc->file_max) {
		rcconf_error(rc, (struct rc_where){ 0 },
		    "%.96s: %zu bytes; a configuration has %zu at most", name,
		    len, rc->file_max);
		return -EINVAL;
	}
	r.where.line = not_utf8(text, len);
	if (r.where.line != 0) {
		rcconf_error(rc, r.where, "UTF-8 is expected");
		return -EINVAL;
	}
	for (r.where.line = 1; r.p < r.end && !rc->no_memory &&
	                       rc->error_count < RCCONF_ERRORS_MAX;
	     r.where.line++) {
		line(&r);
		if (r.p < r.end)
			r.p++; /* the newline */
	}
	if (rc->no_memory)
		return -ENOMEM;
	return rc->error_count > before ? -EINVAL : 0;
}

/* --- words
 * -------------------------------------------------------------------- */

static uint32_t
line_at(const struct rc_entry *e, size_t at, uint32_t *next)
{
	while (*next < e->break_count && e->breaks[*next].at <= at)
		++*next;
	return *next == 0 ? e->value_line : e->breaks[*next - 1].line;
}

static bool
is_space(char c)
{
	return is_blank(c) || c == '\n';
}

/* One word at @s into @out; what is behind it, or NULL: a quote has no end. */
static const char *
take_word(const char *s, char **out)
{
	char *o = *out, quote = '\0';

	for (; *s != '\0' && (quote != '\0' || !is_space(*s)); s++) {
		if (quote != '\0' && *s == quote)
			quote = '\0';
		else if (quote == '\0' && (*s == '"' || *s == '\''))
			quote = *s;
		else if (*s == '\\' && quote != '\'' && s[1] != '\0')
			*o++ = *++s;
		else
			*o++ = *s;
	}
	*o++ = '\0';
	*out = o;
	return quote == '\0' ? s : NULL;
}

static int
words_grow(struct rc_words *w, size_t *room)
{
	size_t more = *room != 0 ? 2 * *room : 8;
	struct rc_word *grown = reallocarray(w->list, more, sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	w->list = grown;
	*room = more;
	return 0;
}

int
rcconf_words(const struct rc_entry *e, struct rc_words *out)
{
	size_t len = strlen(e->value), room = 0;
	struct rc_words w = { 0 };
	int err = -ENOMEM;
	const char *s = e->value;
	uint32_t next = 0;
	char *o;

	w.memory = malloc(len + 2);
	if (w.memory == NULL)
		return -ENOMEM;
	for (o = w.memory;;) {
		while (is_space(*s))
			s++;
		if (*s == '\0')
			break;
		if (w.count == RCCONF_WORDS_MAX) {
			err = -E2BIG;
			goto out_free;
		}
		if (w.count == room && words_grow(&w, &room) != 0)
			goto out_free;
		w.list[w.count].line =
		    line_at(e, (size_t)(s - e->value), &next);
		w.list[w.count++].text = o;
		s = take_word(s, &o);
		if (s == NULL) {
			err = -EINVAL;
			goto out_free;
		}
	}
	*out = w;
	return 0;

out_free:
	rcconf_words_free(&w);
	return err;
}

void
rcconf_words_free(struct rc_words *w)
{
	free(w->list);
	free(w->memory);
	*w = (struct rc_words){ 0 };
}

/* --- writing ----------------------------------------------------------------
 */

void
rcconf_put_word(struct text *value, const char *word)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "_@%+=:,./-";

	if (value->len > 0)
		text_puts(value, " ");
	if (*word != '\0' && strspn(word, plain) == strlen(word)) {
		text_puts(value, word);
		return;
	}
	text_puts(value, "'");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			text_puts(value, "'\\''");
		else
			text_putn(value, word, 1);
	}
	text_puts(value, "'");
}

/* The length of the next piece of a value, up to and with a blank. */
static size_t
piece(const char *s)
{
	size_t n = strcspn(s, " ");

	return n + (s[n] == ' ');
}

void
rcconf_put(
    struct text *t, const char *prefix, const char *name, const char *value)
{
	size_t column = strlen(prefix) + strlen(name) + 2;
	bool first = true;

	if (strchr(name, '.') != NULL) {
		text_printf(t, "%s%s=%s\n", prefix, name, value);
		return;
	}
	text_printf(t, "%s%s=\"", prefix, name);
	while (*value != '\0') {
		size_t n = piece(value);

		/* Room for a closing quote, or a backslash. */
		if (!first && column + n > WIDTH - 2) {
			text_printf(t, "\\\n%s", prefix);
			column = strlen(prefix);
		}
		for (size_t i = 0; i < n; i++) {
			if (strchr("\"\\$`", value[i]) != NULL)
				text_puts(t, "\\");
			text_putn(t, value + i, 1);
		}
		column += n;
		value += n;
		first = false;
	}
	text_puts(t, "\"\n");
}

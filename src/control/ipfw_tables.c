/* SPDX-License-Identifier: BSD-2-Clause */
/* `ipfw table'. See ipfw.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "control/bsderr.h"
#include "control/ipfw.h"

static bool
no_table(struct ipfw_cmd *c, const char *name)
{
	return ipfw_fail(c, IPFW_EX_UNAVAILABLE, "table %.64s: %s", name,
	    bsd_strerror(ESRCH));
}

static bool
good_name(struct ipfw_cmd *c, const char *name)
{
	size_t len = strlen(name);

	if (len > 0 && len < IPFW_NAME_MAX &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                 "0123456789_-.") == len)
		return true;
	return ipfw_fail(c, IPFW_EX_USAGE, "table name %.64s is invalid", name);
}

static int
type_of(const char *s)
{
	for (int i = 0; ipfw_table_types[i] != NULL; i++)
		if (s != NULL && strcasecmp(ipfw_table_types[i], s) == 0)
			return i;
	return -1;
}

static bool
create(struct ipfw_cmd *c, const char *name)
{
	int type = IPFW_TABLE_ADDR, err;
	bool missing = false, flush = false, locked = false;
	struct ipfw_table *t;
	const char *s;

	while ((s = ipfw_next(c)) != NULL) {
		if (strcasecmp(s, "type") == 0) {
			s = ipfw_next(c);
			type = type_of(s);
			if (type < 0)
				return ipfw_fail(c, IPFW_EX_USAGE,
				    "table type %.64s: addr, mac, iface or "
				    "number",
				    s != NULL ? s : "is missing");
		} else if (strcasecmp(s, "missing") == 0) {
			missing = true;
		} else if (strcasecmp(s, "or-flush") == 0) {
			flush = true;
		} else if (strcasecmp(s, "locked") == 0) {
			locked = true;
		} else if (strcasecmp(s, "valtype") == 0 ||
		           strcasecmp(s, "algo") == 0 ||
		           strcasecmp(s, "limit") == 0) {
			/* A value is a number, whatever it is for; the rest is
			 * how BSD keeps it. */
			if (ipfw_next(c) == NULL)
				return ipfw_fail(c, IPFW_EX_USAGE,
				    "%s: missing argument", s);
		} else {
			return ipfw_fail(
			    c, IPFW_EX_USAGE, "unknown option %.64s", s);
		}
	}
	if (c->check)
		return true;
	t = ipfw_table(c->fw, name);
	if (t != NULL && (missing || flush)) {
		if (t->type != (enum ipfw_table_type)type)
			return ipfw_fail(c, IPFW_EX_OSERR,
			    "table %s: it is of type %s", name,
			    ipfw_table_types[t->type]);
		if (flush)
			ipfw_table_flush(t);
		return true;
	}
	err = ipfw_table_make(c->fw, name, (enum ipfw_table_type)type, &t);
	if (err != 0)
		return ipfw_fail(
		    c, IPFW_EX_OSERR, "table %s: %s", name, bsd_strerror(-err));
	t->locked = locked;
	c->changed = true; /* rules may name it */
	return true;
}

static bool
is_locked(struct ipfw_cmd *c, const struct ipfw_table *t)
{
	return t->locked &&
	       !ipfw_fail(c, IPFW_EX_OSERR, "table %s: it is locked", t->name);
}

/* Pairs of key and value; a value is a number or an IPv4 address. */
static bool
add(struct ipfw_cmd *c, struct ipfw_table *t)
{
	const char *word;
	char key[128];
	struct sbuf b;
	struct ipfw_key k;
	uint32_t value, len;
	uint8_t addr[16];
	int err;

	if (is_locked(c, t))
		return false;
	if (c->at == c->argc)
		return ipfw_fail(c, IPFW_EX_USAGE, "address required");
	while ((word = ipfw_next(c)) != NULL) {
		if (ipfw_table_key(t, word, &k) != 0)
			return ipfw_fail(c, IPFW_EX_DATAERR,
			    "%.64s is not a key of type %s", word,
			    ipfw_table_types[t->type]);
		value = 0;
		if (c->at < c->argc) {
			const char *s = c->argv[c->at];

			if (str_u32(s, 0, 0, UINT32_MAX, &value) == 0)
				c->at++;
			else if (t->type == IPFW_TABLE_ADDR &&
			         c->argc - c->at == 1 &&
			         strchr(s, '/') == NULL &&
			         ipfw_parse_addr(s, addr, &len) == 4) {
				value = (uint32_t)addr[0] << 24 |
				        (uint32_t)addr[1] << 16 |
				        (uint32_t)addr[2] << 8 | addr[3];
				c->at++;
			}
		}
		b = sbuf_init(key, sizeof(key));
		ipfw_table_print(&k, &b);
		err = c->check ? 0 : ipfw_table_add(t, &k, value, false);
		if (err == -EEXIST && c->quiet)
			err = ipfw_table_add(t, &k, value, true);
		if (err != 0) {
			if (err != -EEXIST)
				return ipfw_fail(c, IPFW_EX_OSERR,
				    "adding record failed: %s",
				    bsd_strerror(-err));
			ipfw_line(c, "exists: %s %u", key, value);
			(void)ipfw_fail(c, IPFW_EX_OSERR,
			    "adding record failed: record already exists");
		} else if (!c->quiet) {
			ipfw_line(c, "added: %s %u", key, value);
		}
	}
	return c->status == 0;
}

static bool delete (struct ipfw_cmd *c, struct ipfw_table *t)
{
	const char *word;
	char key[128];
	struct sbuf b;
	struct ipfw_key k;

	if (is_locked(c, t))
		return false;
	if (c->at == c->argc)
		return ipfw_fail(c, IPFW_EX_USAGE, "address required");
	while ((word = ipfw_next(c)) != NULL) {
		if (ipfw_table_key(t, word, &k) != 0)
			return ipfw_fail(c, IPFW_EX_DATAERR,
			    "%.64s is not a key of type %s", word,
			    ipfw_table_types[t->type]);
		b = sbuf_init(key, sizeof(key));
		ipfw_table_print(&k, &b);
		if (!c->check && ipfw_table_delete(t, &k) != 0) {
			if (!c->quiet)
				(void)ipfw_fail(c, IPFW_EX_OSERR,
				    "deleting record failed: %s: record not "
				    "found",
				    key);
		} else if (!c->quiet) {
			ipfw_line(c, "deleted: %s 0", key);
		}
	}
	return c->status == 0;
}

static bool
lookup(struct ipfw_cmd *c, const struct ipfw_table *t)
{
	const char *word = ipfw_next(c);
	const struct ipfw_entry *e;
	char key[128];
	struct sbuf b = sbuf_init(key, sizeof(key));
	struct ipfw_key k;

	if (word == NULL)
		return ipfw_fail(c, IPFW_EX_USAGE, "address required");
	if (ipfw_table_key(t, word, &k) != 0)
		return ipfw_fail(c, IPFW_EX_DATAERR,
		    "%.64s is not a key of type %s", word,
		    ipfw_table_types[t->type]);
	e = ipfw_table_find(t, &k);
	if (e == NULL)
		return ipfw_fail(
		    c, IPFW_EX_UNAVAILABLE, "%s: entry not found", word);
	ipfw_table_print(&e->key, &b);
	ipfw_part(c,
	    json_pack("{s:s,s:s,s:I}", "part", "ipfw-entry", "key", key,
	        "value", (json_int_t)e->value),
	    "%s %u", key, e->value);
	return true;
}

static bool
show(struct ipfw_cmd *c, struct ipfw_table *t, bool header)
{
	const struct ipfw_entry *all = ipfw_table_sorted(t);
	uint64_t skip;

	if (t->count != 0 && all == NULL)
		return ipfw_fail(c, IPFW_EX_OSERR, "%s", bsd_strerror(ENOMEM));
	if (header && ipfw_wanted(c))
		ipfw_line(c, "--- table(%s), set(0) ---", t->name);
	/* What pages before have had, at once. */
	skip =
	    c->after > c->index ? COAX_MIN(c->after - c->index, t->count) : 0;
	c->index += skip;
	for (uint32_t i = (uint32_t)skip; i < t->count && !c->more; i++) {
		char key[128];
		struct sbuf b = sbuf_init(key, sizeof(key));

		if (!ipfw_wanted(c))
			continue;
		ipfw_table_print(&all[i].key, &b);
		ipfw_part(c,
		    json_pack("{s:s,s:s,s:s,s:I}", "part", "ipfw-entry",
		        "table", t->name, "key", key, "value",
		        (json_int_t)all[i].value),
		    "%s %u", key, all[i].value);
	}
	return true;
}

static bool
info(struct ipfw_cmd *c, const struct ipfw_table *t)
{
	ipfw_part(c,
	    json_pack("{s:s,s:s,s:s,s:I,s:I,s:b}", "part", "ipfw-table", "name",
	        t->name, "type", ipfw_table_types[t->type], "items",
	        (json_int_t)t->count, "references", (json_int_t)t->refs,
	        "locked", t->locked),
	    "--- table(%s), set(0) ---\n"
	    " kindex: 0, type: %s%s\n"
	    " references: %u, valtype: legacy\n"
	    " items: %u, size: %zu",
	    t->name, ipfw_table_types[t->type], t->locked ? ", locked" : "",
	    t->refs, t->count,
	    t->slots != NULL ? (t->mask + 1) * sizeof(*t->slots) : 0);
	return true;
}

static bool
swap(struct ipfw_cmd *c, struct ipfw_table *t)
{
	const char *name = ipfw_next(c);
	struct ipfw_table *other;

	if (name == NULL)
		return ipfw_fail(c, IPFW_EX_USAGE, "second table required");
	other = ipfw_table(c->fw, name);
	if (other == NULL)
		return no_table(c, name);
	if (is_locked(c, t) || is_locked(c, other))
		return false;
	if (!c->check && ipfw_tables_swap(t, other) != 0)
		return ipfw_fail(c, IPFW_EX_OSERR, "tables of different types");
	return true;
}

static bool
destroy(struct ipfw_cmd *c, struct ipfw_table *t)
{
	if (is_locked(c, t))
		return false;
	/* Of the lines before, too. */
	if (c->changed && ipfw_commit(c->fw) != 0)
		return ipfw_fail(c, IPFW_EX_OSERR, "%s", bsd_strerror(ENOMEM));
	if (!c->check && ipfw_table_remove(c->fw, t) != 0)
		return ipfw_fail(c, IPFW_EX_OSERR,
		    "table %s: %s: rules name it", t->name,
		    bsd_strerror(EBUSY));
	return true;
}

static bool
flush(struct ipfw_cmd *c, struct ipfw_table *t)
{
	if (is_locked(c, t))
		return false;
	if (!c->check)
		ipfw_table_flush(t);
	return true;
}

static bool
lock(struct ipfw_cmd *c, struct ipfw_table *t)
{
	t->locked = t->locked || !c->check;
	return true;
}

static bool
unlock(struct ipfw_cmd *c, struct ipfw_table *t)
{
	t->locked = t->locked && c->check;
	return true;
}

static bool
list_one(struct ipfw_cmd *c, struct ipfw_table *t)
{
	return show(c, t, !c->quiet);
}

static bool
lookup_one(struct ipfw_cmd *c, struct ipfw_table *t)
{
	return lookup(c, t);
}

static bool
info_one(struct ipfw_cmd *c, struct ipfw_table *t)
{
	return info(c, t);
}

static const struct verb {
	const char *word;
	bool changes;
	bool all; /* "table all" may be said */
	bool (*run)(struct ipfw_cmd *c, struct ipfw_table *t);
} verbs[] = {
	{ "add", true, false, add },
	{ "delete", true, false, delete },
	{ "lookup", false, false, lookup_one },
	{ "list", false, true, list_one },
	{ "info", false, true, info_one },
	{ "detail", false, true, info_one },
	{ "flush", true, true, flush },
	{ "destroy", true, true, destroy },
	{ "swap", true, false, swap },
	{ "lock", true, false, lock },
	{ "unlock", true, false, unlock },
};

static bool
all(struct ipfw_cmd *c, const struct verb *v)
{
	struct ipfw_table *t, *next;

	for (t = TAILQ_FIRST(&c->fw->tables); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		if (!v->run(c, t))
			return false;
	}
	return true;
}

bool
ipfw_cmd_table(struct ipfw_cmd *c)
{
	const char *name = ipfw_next(c), *word;
	const struct verb *v = NULL;
	struct ipfw_table *t;
	int err;

	if (name == NULL)
		return ipfw_fail(c, IPFW_EX_USAGE, "table needs name");
	if (!good_name(c, name))
		return false;
	word = ipfw_next(c);
	if (word == NULL)
		return ipfw_fail(c, IPFW_EX_USAGE, "table needs command");
	if (strcasecmp(word, "create") == 0)
		return ipfw_may_change(c) && create(c, name);
	for (size_t i = 0; v == NULL && i < ARRAY_LEN(verbs); i++)
		if (strcasecmp(verbs[i].word, word) == 0)
			v = &verbs[i];
	if (v == NULL)
		return ipfw_fail(
		    c, IPFW_EX_USAGE, "invalid table command %.64s", word);
	if (v->changes && !ipfw_may_change(c))
		return false;
	if (strcasecmp(name, "all") == 0) {
		if (!v->all)
			return ipfw_fail(
			    c, IPFW_EX_USAGE, "table name required");
		return all(c, v);
	}
	t = ipfw_table(c->fw, name);
	/* As it was when tables had numbers: they are there when needed. */
	if (t == NULL && v->run == add && !c->check) {
		err = ipfw_table_make(c->fw, name, IPFW_TABLE_ADDR, &t);
		if (err != 0)
			return ipfw_fail(c, IPFW_EX_OSERR, "table %s: %s", name,
			    bsd_strerror(-err));
		c->changed = true;
	}
	if (t == NULL)
		return c->check || no_table(c, name);
	return v->run(c, t);
}

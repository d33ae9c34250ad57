/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses that outlive the daemon. See keep.h. */
#include "bridge/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "bridge/bridge_impl.h"

#define LINE_ADDRESS_MAX 64 /* bytes */
#define LINE_NAME_MAX    (NET_IFACE_TEXT_MAX + 32)
#define PAGE             256 /* addresses of a table at once */
/* What one step of saving writes at most. */
#define PAGE_BYTES \
	(3 * LINE_NAME_MAX + PAGE * (LINE_ADDRESS_MAX + LINE_NAME_MAX))
#define WORDS_MAX 4

static const char magic[] = "coax-addresses";

struct kept_entry {
	uint64_t key;
	uint32_t expire_s; /* of the net's clock */
	uint8_t type;      /* enum fdb_type */
};

/* Of one member of one bridge. */
struct kept {
	char bridge[NET_IFACE_TEXT_MAX], port[NET_IFACE_TEXT_MAX];
	struct kept_entry *entries; /* owned; the last is put back first */
	uint32_t count, room;
	bool full; /* there was no room for the last */
	TAILQ_ENTRY(kept) link;
};
TAILQ_HEAD(kept_list, kept);

enum save_stage {
	SAVE_HEAD,
	SAVE_BRIDGES,
	SAVE_KEPT,
	SAVE_END,
	SAVE_DONE,
};

struct saving {
	enum save_stage stage;
	uint64_t wall_s;
	uint32_t bridge; /* index of the one that was last looked at */
	bool paging;
	struct fdb_cursor cursor; /* in its table */
	/* By port number: index of the interface whose name was written. */
	uint32_t ports[BRIDGE_MEMBERS_MAX + 1];
	const struct kept *kept;
	uint32_t kept_at;
	bool kept_named;
	uint32_t count;
	uint64_t left_out;
};

struct bridge_keep {
	struct net *net;
	struct kept_list list;
	uint32_t kept_count; /* in the list */
	uint32_t waiting;    /* addresses in it */
	struct saving save;
};

static uint32_t
keep_now_s(const struct bridge_keep *k)
{
	return (uint32_t)(k->net->now_ns / 1000000000u);
}

int
bridge_keep_create(struct net *net, struct bridge_keep **out)
{
	struct bridge_keep *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return -ENOMEM;
	k->net = net;
	TAILQ_INIT(&k->list);
	k->save.stage = SAVE_DONE;
	*out = k;
	return 0;
}

static void
kept_remove(struct bridge_keep *k, struct kept *p)
{
	TAILQ_REMOVE(&k->list, p, link);
	k->kept_count--;
	k->waiting -= p->count;
	free(p->entries);
	free(p);
}

static void
forget_all(struct bridge_keep *k)
{
	struct kept *p;

	while ((p = TAILQ_FIRST(&k->list)) != NULL)
		kept_remove(k, p);
}

void
bridge_keep_destroy(struct bridge_keep *k)
{
	if (k == NULL)
		return;
	forget_all(k);
	free(k);
}

uint32_t
bridge_keep_waiting(const struct bridge_keep *k)
{
	return k->waiting;
}

/* --- reading ----------------------------------------------------------------
 */

struct reader {
	struct bridge_keep *k;
	uint64_t wall_s, elapsed_s;
	uint32_t line;
	const char *bridge; /* its name, or NULL */
	struct kept *ports[BRIDGE_MEMBERS_MAX + 1];
	uint32_t count;
	bool ended;
	const char *wrong;
};

static int
wrong(struct reader *r, const char *what)
{
	r->wrong = what;
	return -EINVAL;
}

static bool
name_ok(const char *s)
{
	return strlen(s) < NET_IFACE_TEXT_MAX;
}

static int
read_head(struct reader *r, char *const *word, unsigned int n)
{
	uint32_t version;

	if (n != 2 || strcmp(word[0], magic) != 0)
		return wrong(r, "this is no file of addresses");
	if (str_u32(word[1], 10, 1, UINT32_MAX, &version) != 0)
		return wrong(r, "this is no file of addresses");
	if (version != 1)
		return wrong(r, "its version is not 1: another coaxd's");
	return 0;
}

static int
read_saved(struct reader *r, char *const *word, unsigned int n)
{
	uint64_t saved_s;

	if (n != 2 || strcmp(word[0], "saved") != 0 ||
	    str_u64(word[1], 10, 0, UINT64_MAX, &saved_s) != 0)
		return wrong(r, "\"saved SECONDS\" is expected");
	/* A clock that was set back makes nothing older. */
	r->elapsed_s = r->wall_s > saved_s ? r->wall_s - saved_s : 0;
	return 0;
}

static int
read_port(struct reader *r, const char *number, const char *name)
{
	struct kept *p;
	uint32_t port;

	if (r->bridge == NULL)
		return wrong(r, "a bridge is expected before its ports");
	if (str_u32(number, 10, 1, BRIDGE_MEMBERS_MAX, &port) != 0)
		return wrong(r, "a port has a number from 1 to 4095");
	if (!name_ok(name))
		return wrong(r, "the name is too long");
	if (r->k->kept_count == BRIDGE_KEEP_PORTS_MAX)
		return wrong(r, "there are too many ports");
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	(void)str_copy(p->bridge, sizeof(p->bridge), r->bridge);
	(void)str_copy(p->port, sizeof(p->port), name);
	TAILQ_INSERT_TAIL(&r->k->list, p, link);
	r->k->kept_count++;
	r->ports[port] = p;
	return 0;
}

/* "static", "sticky", or seconds. False: none of them. */
static bool
life_parse(const char *s, struct kept_entry *e, uint32_t *left_s)
{
	e->type = FDB_DYNAMIC;
	if (strcmp(s, "static") == 0)
		e->type = FDB_STATIC;
	else if (strcmp(s, "sticky") == 0)
		e->type = FDB_STICKY;
	else
		return str_u32(s, 10, 0, UINT32_MAX, left_s) == 0;
	*left_s = 0; /* for ever */
	return true;
}

static int
read_address(struct reader *r, char *const *word, unsigned int n)
{
	uint32_t now_s = keep_now_s(r->k), vid, port, left_s;
	struct kept_entry e, *grown;
	uint8_t mac[ETH_ADDR_LEN];
	struct kept *p;

	if (n != 4 || ether_parse(word[0], mac) != 0 || (mac[0] & 1) != 0 ||
	    mac_to_u64(mac) == 0)
		return wrong(r, "\"MAC VLAN PORT SECONDS\" is expected");
	if (str_u32(word[1], 10, 0, 4094, &vid) != 0)
		return wrong(r, "a VLAN is from 0 to 4094");
	if (str_u32(word[2], 10, 1, BRIDGE_MEMBERS_MAX, &port) != 0 ||
	    (p = r->ports[port]) == NULL)
		return wrong(r, "there is no port of that number");
	if (!life_parse(word[3], &e, &left_s))
		return wrong(r, "seconds, static or sticky are expected");
	if (r->count == BRIDGE_KEEP_ENTRIES_MAX)
		return wrong(r, "there are too many addresses");
	r->count++;
	/* 0 seconds: it does not expire. */
	if (left_s != 0 && left_s <= r->elapsed_s)
		return 0;
	e.key = fdb_key(mac, vid);
	e.expire_s = FDB_NEVER;
	if (left_s != 0 && left_s - r->elapsed_s < FDB_NEVER - 1 - now_s)
		e.expire_s = now_s + 1 + (uint32_t)(left_s - r->elapsed_s);
	if (p->count == p->room) {
		uint32_t room = p->room != 0 ? 2 * p->room : 16;

		grown = reallocarray(p->entries, room, sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		p->entries = grown;
		p->room = room;
	}
	p->entries[p->count++] = e;
	r->k->waiting++;
	return 0;
}

static int
read_line(struct reader *r, char *line)
{
	char *word[WORDS_MAX], *save = NULL;
	unsigned int n = 0;
	uint32_t count;

	for (char *w = strtok_r(line, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		if (n == WORDS_MAX)
			return wrong(r, "there are too many words");
		word[n++] = w;
	}
	if (r->ended)
		return wrong(r, "nothing is expected after \"end\"");
	if (r->line == 1)
		return read_head(r, word, n);
	if (r->line == 2)
		return read_saved(r, word, n);
	if (n == 2 && strcmp(word[0], "bridge") == 0) {
		if (!name_ok(word[1]))
			return wrong(r, "the name is too long");
		r->bridge = word[1];
		memset(r->ports, 0, sizeof(r->ports));
		return 0;
	}
	if (n == 3 && strcmp(word[0], "port") == 0)
		return read_port(r, word[1], word[2]);
	if (n == 2 && strcmp(word[0], "end") == 0) {
		if (str_u32(word[1], 10, 0, UINT32_MAX, &count) != 0 ||
		    count != r->count)
			return wrong(r, "that is not the number of addresses");
		r->ended = true;
		return 0;
	}
	return read_address(r, word, n);
}

static int
read_text(struct reader *r, char *text, size_t len)
{
	char *end = text + len, *nl;
	int err;

	for (; text < end; text = nl + 1) {
		nl = memchr(text, '\n', (size_t)(end - text));
		r->line++;
		if (nl == NULL)
			return wrong(r, "the line has no end");
		if (memchr(text, '\0', (size_t)(nl - text)) != NULL)
			return wrong(r, "this is no file of addresses");
		*nl = '\0';
		err = read_line(r, text);
		if (err != 0)
			return err;
	}
	r->line++;
	return r->ended ? 0 : wrong(r, "the end is missing");
}

int
bridge_keep_load(struct bridge_keep *k, char *text, size_t len, uint64_t wall_s,
    struct bridge_keep_error *error)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct kept *p, *next;
	int err;

	if (r == NULL)
		return -ENOMEM;
	r->k = k;
	r->wall_s = wall_s;
	err = len <= BRIDGE_KEEP_TEXT_MAX ? read_text(r, text, len)
	                                  : wrong(r, "the file is too large");
	if (err == -EINVAL) {
		error->line = r->line;
		error->text = r->wrong;
	}
	free(r);
	if (err != 0) {
		forget_all(k);
		return err;
	}
	for (p = TAILQ_FIRST(&k->list); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->count == 0)
			kept_remove(k, p);
	}
	return 0;
}

/* --- putting back -----------------------------------------------------------
 */

/* The member's port, or NULL: not there yet. */
static struct bridge_port *
find_port(const struct bridge_keep *k, const struct kept *p)
{
	struct iface *bridge = net_iface_find(k->net, NULL, p->bridge);
	struct iface *ifp;

	if (bridge == NULL || !bridge_is(bridge) || bridge->dying)
		return NULL;
	ifp = net_iface_find(k->net, NULL, p->port);
	return ifp != NULL ? bridge_member(bridge_of(bridge), ifp) : NULL;
}

/* Puts back at most *@budget of them, those that were learned first first. */
static void
restore_port(struct bridge_keep *k, struct kept *p, struct bridge_port *port,
    uint32_t *budget)
{
	uint32_t now_s = keep_now_s(k);
	int err;

	for (; p->count > 0 && *budget > 0 && !p->full; (*budget)--) {
		const struct kept_entry *e = &p->entries[p->count - 1];

		err = 0;
		if (e->expire_s > now_s)
			err = fdb_restore(&port->bridge->fdb, e->key,
			    port->number, (enum fdb_type)e->type, e->expire_s,
			    now_s);
		p->full = err == -ENOSPC || err == -EDQUOT;
		if (p->full)
			break;
		p->count--; /* it is there, or was already */
		k->waiting--;
	}
	bridge_age_arm(port->bridge);
}

void
bridge_keep_again(struct bridge_keep *k)
{
	struct kept *p;

	TAILQ_FOREACH (p, &k->list, link)
		p->full = false;
}

bool
bridge_keep_restore(struct bridge_keep *k, uint32_t budget)
{
	struct bridge_port *port;
	struct kept *p, *next;

	ASSERT(k->save.stage == SAVE_DONE);
	for (p = TAILQ_FIRST(&k->list); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		port = p->full ? NULL : find_port(k, p);
		if (port == NULL)
			continue;
		restore_port(k, p, port, &budget);
		if (p->count == 0)
			kept_remove(k, p);
		else if (budget == 0)
			return true;
	}
	return false;
}

/* --- saving -----------------------------------------------------------------
 */

/* Those that would have expired by now are forgotten. */
static void
drop_expired(struct bridge_keep *k, struct kept *p)
{
	uint32_t now_s = keep_now_s(k), left = 0;

	for (uint32_t i = 0; i < p->count; i++)
		if (p->entries[i].expire_s > now_s)
			p->entries[left++] = p->entries[i];
	k->waiting -= p->count - left;
	p->count = left;
}

void
bridge_keep_save_begin(struct bridge_keep *k, uint64_t wall_s)
{
	struct kept *p, *next;

	for (p = TAILQ_FIRST(&k->list); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		drop_expired(k, p);
		if (p->count == 0)
			kept_remove(k, p);
	}
	memset(&k->save, 0, sizeof(k->save));
	k->save.wall_s = wall_s;
	k->save.kept = TAILQ_FIRST(&k->list);
}

uint32_t
bridge_keep_saved(const struct bridge_keep *k, uint64_t *left_out)
{
	*left_out = k->save.left_out;
	return k->save.count;
}

struct save_page {
	struct bridge_keep *k;
	const struct bridge *br;
	struct sbuf *b;
	uint32_t now_s;
};

/* False: there is no room for more. */
static bool
count_one(struct saving *s)
{
	if (s->count == BRIDGE_KEEP_ENTRIES_MAX) {
		s->left_out++;
		return false;
	}
	s->count++;
	return true;
}

static char *
digits(char *p, uint32_t value)
{
	char text[10];
	int n = 0;

	do
		text[n++] = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	while (n > 0)
		*p++ = text[--n];
	return p;
}

/* By hand: there are millions. */
static void
put_address(
    struct sbuf *b, uint64_t key, uint32_t port, uint8_t type, uint32_t left_s)
{
	static const char hex[] = "0123456789abcdef";
	char line[LINE_ADDRESS_MAX], *p = line;

	for (int shift = 44; shift >= 0; shift -= 4) {
		*p++ = hex[key >> shift & 0xf];
		if (shift % 8 == 0)
			*p++ = shift > 0 ? ':' : ' ';
	}
	p = digits(p, fdb_key_vid(key));
	*p++ = ' ';
	p = digits(p, port);
	*p++ = ' ';
	if (type == FDB_DYNAMIC) {
		p = digits(p, left_s);
	} else {
		memcpy(p, type == FDB_STATIC ? "static" : "sticky", 6);
		p += 6;
	}
	*p++ = '\n';
	*p = '\0';
	sbuf_puts(b, line);
}

static void
save_entry(void *arg, const struct fdb_entry *e)
{
	const struct save_page *page = arg;
	struct saving *s = &page->k->save;
	const struct bridge_port *p = page->br->ports[e->port];
	char name[NET_IFACE_TEXT_MAX];

	if (p == NULL || !count_one(s))
		return;
	if (s->ports[p->number] != p->ifp->index) {
		s->ports[p->number] = p->ifp->index;
		sbuf_printf(page->b, "port %u %s\n", p->number,
		    net_iface_name_in(p->ifp, page->k->net->home, name));
	}
	put_address(
	    page->b, e->key, p->number, e->type, fdb_left_s(e, page->now_s));
}

/* The bridge with the smallest index that is not below @from, or NULL. */
static struct iface *
next_bridge(const struct bridge_keep *k, uint32_t from)
{
	struct iface *ifp, *best = NULL;

	TAILQ_FOREACH (ifp, &k->net->ifaces, all_link)
		if (bridge_is(ifp) && !ifp->dying && ifp->index >= from &&
		    (best == NULL || ifp->index < best->index))
			best = ifp;
	return best;
}

/* A page of the next bridge. */
static void
save_bridges(struct bridge_keep *k, struct sbuf *b)
{
	struct saving *s = &k->save;
	struct iface *ifp =
	    next_bridge(k, s->paging ? s->bridge : s->bridge + 1);
	struct save_page page = { .k = k, .b = b, .now_s = keep_now_s(k) };
	char name[NET_IFACE_TEXT_MAX];

	if (ifp == NULL) {
		s->stage = SAVE_KEPT;
		return;
	}
	if (!s->paging || ifp->index != s->bridge) {
		memset(s->ports, 0, sizeof(s->ports));
		memset(&s->cursor, 0, sizeof(s->cursor));
		sbuf_printf(b, "bridge %s\n",
		    net_iface_name_in(ifp, k->net->home, name));
	}
	page.br = bridge_of_const(ifp);
	s->bridge = ifp->index;
	s->paging = fdb_scan(
	    &page.br->fdb, page.now_s, &s->cursor, PAGE, save_entry, &page);
}

/* Addresses that still wait, of one port. */
static void
save_kept(struct bridge_keep *k, struct sbuf *b)
{
	struct saving *s = &k->save;
	const struct kept *p = s->kept;
	uint32_t now_s = keep_now_s(k);

	if (p == NULL) {
		s->stage = SAVE_END;
		return;
	}
	if (!s->kept_named)
		sbuf_printf(b, "bridge %s\nport 1 %s\n", p->bridge, p->port);
	s->kept_named = true;
	for (uint32_t i = 0; i < PAGE && s->kept_at < p->count; i++) {
		const struct kept_entry *e = &p->entries[s->kept_at++];

		if (e->expire_s <= now_s || !count_one(s))
			continue;
		/* As fdb_left_s(). */
		put_address(b, e->key, 1, e->type,
		    e->expire_s == FDB_NEVER
		        ? 0
		        : COAX_MAX(e->expire_s - now_s, 2u) - 1);
	}
	if (s->kept_at >= p->count) {
		s->kept = TAILQ_NEXT(p, link);
		s->kept_at = 0;
		s->kept_named = false;
	}
}

size_t
bridge_keep_save(struct bridge_keep *k, char *buf, size_t size)
{
	struct saving *s = &k->save;
	struct sbuf b = sbuf_init(buf, size);

	_Static_assert(PAGE_BYTES < BRIDGE_KEEP_PORTION_MIN, "a page fits");
	ASSERT(size >= BRIDGE_KEEP_PORTION_MIN);
	if (s->stage == SAVE_DONE)
		return 0;
	if (s->stage == SAVE_HEAD) {
		sbuf_printf(&b, "%s 1\nsaved %llu\n", magic,
		    (unsigned long long)s->wall_s);
		s->stage = SAVE_BRIDGES;
	}
	do {
		if (s->stage == SAVE_KEPT)
			save_kept(k, &b);
		else
			save_bridges(k, &b);
	} while (s->stage != SAVE_END && b.size - b.len > PAGE_BYTES);
	if (s->stage == SAVE_END) {
		sbuf_printf(&b, "end %u\n", s->count);
		s->stage = SAVE_DONE;
	}
	ASSERT(sbuf_ok(&b));
	return b.len;
}

void
bridge_keep_save_end(struct bridge_keep *k)
{
	k->save.stage = SAVE_DONE;
}

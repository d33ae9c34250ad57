/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of a vnet, and the package. See ipfw.h. */
#include "pfil/ipfw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/util.h"
#include "net/info.h"

#define NS_PER_S    1000000000u
#define SWEEP_SLOTS 16384u
#define ME_FOR_NS   NS_PER_S
#define ICMP_LIMIT  200u
#define LOG_LINES   100u /* a second */

const struct ipfw_setting_info ipfw_settings[IPFW_SETTINGS] = {
	[IPFW_ENABLE] = { 1, 0, 1 },
	[IPFW_DEFAULT_TO_ACCEPT] = { 1, 0, 1 },
	[IPFW_ONE_PASS] = { 1, 0, 1 },
	[IPFW_VERBOSE] = { 1, 0, 1 },
	[IPFW_VERBOSE_LIMIT] = { 0, 0, INT32_MAX },
	[IPFW_AUTOINC_STEP] = { IPFW_STEP, 1, 1000 },
	[IPFW_DYN_MAX] = { 16384, 1, IPFW_STATES_MAX },
	[IPFW_DYN_ACK_LIFETIME] = { 300, 1, 1000000 },
	[IPFW_DYN_SYN_LIFETIME] = { 20, 1, 1000000 },
	[IPFW_DYN_FIN_LIFETIME] = { 1, 1, 1000000 },
	[IPFW_DYN_RST_LIFETIME] = { 1, 1, 1000000 },
	[IPFW_DYN_UDP_LIFETIME] = { 10, 1, 1000000 },
	[IPFW_DYN_SHORT_LIFETIME] = { 5, 1, 1000000 },
	[IPFW_ICMP_LIMIT] = { ICMP_LIMIT, 0, 1000000 },
};

/* --- birth and end -------------------------------------------------------- */

static void
sweep_due(struct timer *t, uint64_t now_ns)
{
	struct ipfw *fw = CONTAINER_OF(t, struct ipfw, sweep);

	ipfw_states_sweep(&fw->states, now_ns, SWEEP_SLOTS);
	if (fw->states.count != 0)
		ipfw_sweep_arm(fw);
}

void
ipfw_sweep_arm(struct ipfw *fw)
{
	struct timerheap *timers = fw->net->timers;

	/* Its place in the heap is kept: see ipfw_create(). */
	if (timers != NULL && !timer_is_set(&fw->sweep))
		(void)timerheap_add(
		    timers, &fw->sweep, fw->net->now_ns + NS_PER_S);
}

static int
ipfw_create(struct net *net, struct vnet *vnet, void **state)
{
	struct ipfw *fw = calloc(1, sizeof(*fw));
	struct ipfw_rule *last = calloc(1, sizeof(*last));
	uint64_t seed = net_random(net);

	if (fw == NULL || last == NULL) {
		free(fw);
		free(last);
		return -ENOMEM;
	}
	fw->net = net;
	fw->vnet = vnet;
	TAILQ_INIT(&fw->rules);
	TAILQ_INIT(&fw->gone);
	TAILQ_INIT(&fw->tables);
	fw->last = last;
	last->head.number = IPFW_NUMBER_MAX;
	last->head.set = IPFW_SET_KEPT;
	last->head.action = IPFW_ALLOW;
	for (int i = 0; i < IPFW_SETTINGS; i++)
		fw->settings[i] = ipfw_settings[i].preset;
	fw->prng = prng_init(seed);
	fw->sweep.fn = sweep_due;
	fw->answers.period_ns = NS_PER_S;
	fw->answers.burst = ICMP_LIMIT;
	fw->log_rate.period_ns = NS_PER_S;
	fw->log_rate.burst = LOG_LINES;
	dummynet_init(&fw->pipes, net, seed ^ 0x64756d6d79u);
	*state = fw;
	return 0;
}

static void
rules_free(struct ipfw_rules *rules)
{
	struct ipfw_rule *r;

	while ((r = TAILQ_FIRST(rules)) != NULL) {
		TAILQ_REMOVE(rules, r, link);
		free(r);
	}
}

static void
ipfw_destroy(void *state)
{
	struct ipfw *fw = state;
	struct ipfw_table *t;

	if (fw->net->timers != NULL)
		timerheap_del(fw->net->timers, &fw->sweep);
	dummynet_fini(&fw->pipes);
	for (int i = 0; i < IPFW_HOOKS; i++)
		ipfw_program_free(fw->programs[i]);
	ipfw_states_fini(&fw->states);
	rules_free(&fw->rules);
	rules_free(&fw->gone);
	while ((t = TAILQ_FIRST(&fw->tables)) != NULL) {
		TAILQ_REMOVE(&fw->tables, t, link);
		ipfw_table_destroy(t);
	}
	free(fw->last);
	free(fw);
}

int
ipfw_of(struct vnet *vnet, struct ipfw **out)
{
	void *state;
	int err = pfil_state(vnet, &ipfw_package, &state);

	if (err == 0)
		*out = state;
	return err;
}

struct ipfw *
ipfw_peek(const struct vnet *vnet)
{
	return pfil_peek(vnet, &ipfw_package);
}

/* --- settings ------------------------------------------------------------- */

uint32_t
ipfw_get(const struct ipfw *fw, enum ipfw_setting s)
{
	return fw->settings[s];
}

/* The hooks are in the lists while there is something to decide. */
static int
settle(struct ipfw *fw)
{
	bool on =
	    fw->settings[IPFW_ENABLE] != 0 &&
	    (fw->rule_count != 0 || fw->settings[IPFW_DEFAULT_TO_ACCEPT] == 0);

	return pfil_switch(fw->vnet, &ipfw_package, on);
}

int
ipfw_set(struct ipfw *fw, enum ipfw_setting s, uint32_t value)
{
	const struct ipfw_setting_info *info = &ipfw_settings[s];
	int err = 0;

	if (value < info->min || value > info->max)
		return -EINVAL;
	if (s == IPFW_DYN_MAX && fw->states.slots != NULL)
		err = ipfw_states_init(&fw->states, value, fw->net->hash_seed);
	if (err != 0)
		return err;
	fw->settings[s] = value;
	if (s == IPFW_ICMP_LIMIT)
		fw->answers.burst = value;
	if (s == IPFW_DEFAULT_TO_ACCEPT)
		fw->last->head.action = value != 0 ? IPFW_ALLOW : IPFW_DENY;
	if (s == IPFW_ENABLE || s == IPFW_DEFAULT_TO_ACCEPT)
		err = ipfw_commit(fw);
	return err;
}

/* --- rules ---------------------------------------------------------------- */

/* The rule before which one of @number goes, or NULL: the end. */
static struct ipfw_rule *
place_of(const struct ipfw *fw, uint32_t number)
{
	struct ipfw_rule *r, *place = NULL;

	/* Most are added at the end. */
	TAILQ_FOREACH_REVERSE(r, &fw->rules, ipfw_rules, link)
	{
		if (r->head.number <= number)
			break;
		place = r;
	}
	return place;
}

static uint32_t
next_number(const struct ipfw *fw)
{
	const struct ipfw_rule *r = TAILQ_LAST(&fw->rules, ipfw_rules);
	uint32_t last = r != NULL ? r->head.number : 0;
	uint32_t step = fw->settings[IPFW_AUTOINC_STEP];

	if (last + step > IPFW_NUMBER_MAX - 1)
		return last != 0 ? last : IPFW_NUMBER_MAX - 1;
	return last + step;
}

/* Tables that a rule names are made if they are not there yet. */
static int
tables_take(struct ipfw *fw, const struct ipfw_rule *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct ipfw_insn *in = &r->insns[i];
		enum ipfw_table_type type = IPFW_TABLE_ADDR;
		struct ipfw_table *t;
		int err;

		switch ((enum ipfw_op)in->op) {
		case IPFW_OP_SRC_TABLE:
		case IPFW_OP_DST_TABLE:
			break;
		case IPFW_OP_VIA_TABLE:
		case IPFW_OP_RECV_TABLE:
		case IPFW_OP_XMIT_TABLE:
			type = IPFW_TABLE_IFACE;
			break;
		case IPFW_OP_SRC_MAC_TABLE:
		case IPFW_OP_DST_MAC_TABLE:
			type = IPFW_TABLE_MAC;
			break;
		case IPFW_OP_LOOKUP:
			type = in->table.key <= IPFW_LOOKUP_SRC_IP
			           ? IPFW_TABLE_ADDR
			       : in->table.key == IPFW_LOOKUP_DST_MAC ||
			               in->table.key == IPFW_LOOKUP_SRC_MAC
			           ? IPFW_TABLE_MAC
			           : IPFW_TABLE_NUMBER;
			break;
		default:
			continue;
		}
		t = ipfw_table(fw, in->table.name);
		if (t == NULL) {
			err = ipfw_table_make(fw, in->table.name, type, &t);
			if (err != 0)
				return err;
		}
		if (t->type != type)
			return -ESRCH; /* BSD's: another type of table */
	}
	return 0;
}

static void
tables_count(struct ipfw *fw)
{
	struct ipfw_table *t;
	struct ipfw_rule *r;

	TAILQ_FOREACH (t, &fw->tables, link)
		t->refs = 0;
	TAILQ_FOREACH (r, &fw->rules, link)
		for (uint32_t i = 0; i < r->count; i++) {
			uint8_t op = r->insns[i].op;

			if (op != IPFW_OP_SRC_TABLE &&
			    op != IPFW_OP_DST_TABLE &&
			    op != IPFW_OP_VIA_TABLE &&
			    op != IPFW_OP_RECV_TABLE &&
			    op != IPFW_OP_XMIT_TABLE &&
			    op != IPFW_OP_SRC_MAC_TABLE &&
			    op != IPFW_OP_DST_MAC_TABLE && op != IPFW_OP_LOOKUP)
				continue;
			t = ipfw_table(fw, r->insns[i].table.name);
			if (t != NULL)
				t->refs++;
		}
}

/* Names of states, and room for them. */
static int
states_take(struct ipfw *fw, const struct ipfw_rule *r)
{
	const char *name =
	    r->head.action == IPFW_CHECK_STATE ? r->head.state : NULL;

	for (uint32_t i = 0; i < r->count; i++)
		if (r->insns[i].op == IPFW_OP_KEEP_STATE ||
		    r->insns[i].op == IPFW_OP_LIMIT)
			name = r->insns[i].state.name;
	if (name == NULL)
		return 0;
	if (strcmp(name, "any") != 0 && ipfw_state_name(&fw->states, name) < 0)
		return -ENOSPC;
	if (fw->net->timers != NULL &&
	    timerheap_reserve(fw->net->timers, fw->net->timers->count + 1) != 0)
		return -ENOMEM;
	return ipfw_states_init(
	    &fw->states, fw->settings[IPFW_DYN_MAX], fw->net->hash_seed);
}

int
ipfw_add(struct ipfw *fw, const struct ipfw_text *text, uint32_t *number)
{
	size_t size = text->count * sizeof(struct ipfw_insn);
	struct ipfw_rule *r, *before;
	int err;

	if (fw->rule_count >= IPFW_RULES_MAX)
		return -ENOSPC;
	r = calloc(1, sizeof(*r) + size);
	if (r == NULL)
		return -ENOMEM;
	r->head = text->head;
	r->count = text->count;
	memcpy(r->insns, text->insns, size);
	if (r->head.number == 0)
		r->head.number = next_number(fw);
	err = tables_take(fw, r);
	if (err == 0)
		err = states_take(fw, r);
	if (err != 0) {
		free(r);
		return err;
	}
	r->id = ++fw->next_id;
	before = place_of(fw, r->head.number);
	if (before != NULL)
		TAILQ_INSERT_BEFORE(before, r, link);
	else
		TAILQ_INSERT_TAIL(&fw->rules, r, link);
	fw->rule_count++;
	*number = r->head.number;
	return 0;
}

static bool
in_range(const struct ipfw_rule *r, const struct ipfw_range *range)
{
	return r->head.number >= range->first &&
	       r->head.number <= range->last &&
	       (range->sets >> r->head.set & 1) != 0;
}

uint32_t
ipfw_delete(struct ipfw *fw, const struct ipfw_range *range)
{
	struct ipfw_rule *r, *next;
	uint32_t n = 0;

	for (r = TAILQ_FIRST(&fw->rules); r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		if (!in_range(r, range))
			continue;
		r->gone = true;
		TAILQ_REMOVE(&fw->rules, r, link);
		fw->rule_count--;
		/* Programs know it until they are compiled anew. */
		TAILQ_INSERT_TAIL(&fw->gone, r, link);
		n++;
	}
	return n;
}

uint32_t
ipfw_zero(struct ipfw *fw, const struct ipfw_range *range, bool log)
{
	struct ipfw_rule *r = TAILQ_FIRST(&fw->rules);
	uint32_t n = 0;
	bool last = false;

	for (;;) {
		if (r == NULL) {
			if (last)
				break;
			last = true;
			r = fw->last;
		}
		if (in_range(r, range)) {
			r->logged = 0;
			if (!log)
				r->packets = r->bytes = r->last_ns = 0;
			n++;
		}
		r = last ? NULL : TAILQ_NEXT(r, link);
	}
	return n;
}

uint32_t
ipfw_move(struct ipfw *fw, const struct ipfw_range *range, uint32_t set)
{
	struct ipfw_rule *r;
	uint32_t n = 0;

	TAILQ_FOREACH (r, &fw->rules, link)
		if (in_range(r, range)) {
			r->head.set = set;
			n++;
		}
	return n;
}

void
ipfw_swap(struct ipfw *fw, uint32_t a, uint32_t b)
{
	struct ipfw_rule *r;

	TAILQ_FOREACH (r, &fw->rules, link) {
		if (r->head.set == a)
			r->head.set = b;
		else if (r->head.set == b)
			r->head.set = a;
	}
}

void
ipfw_sets(struct ipfw *fw, uint32_t on, uint32_t off)
{
	fw->sets_off = ((fw->sets_off & ~on) | off) & ~(1u << IPFW_SET_KEPT);
}

int
ipfw_commit(struct ipfw *fw)
{
	struct ipfw_program *fresh[IPFW_HOOKS];
	struct ipfw_rule *r;
	uint32_t order = 0;
	int err;

	TAILQ_FOREACH (r, &fw->rules, link)
		r->order = ++order;
	fw->last->order = ++order;
	for (int i = 0; i < IPFW_HOOKS; i++) {
		fresh[i] = ipfw_compile(fw, (enum ipfw_hook)i);
		if (fresh[i] == NULL) {
			while (i-- > 0)
				ipfw_program_free(fresh[i]);
			return -ENOMEM;
		}
	}
	for (int i = 0; i < IPFW_HOOKS; i++) {
		ipfw_program_free(fw->programs[i]);
		fw->programs[i] = fresh[i];
	}
	if (!TAILQ_EMPTY(&fw->gone))
		ipfw_states_forget(&fw->states, false);
	rules_free(&fw->gone);
	tables_count(fw);
	err = settle(fw);
	return err;
}

/* --- tables --------------------------------------------------------------- */

struct ipfw_table *
ipfw_table(const struct ipfw *fw, const char *name)
{
	struct ipfw_table *t;

	TAILQ_FOREACH (t, &fw->tables, link)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

int
ipfw_table_make(struct ipfw *fw, const char *name, enum ipfw_table_type type,
    struct ipfw_table **out)
{
	int err;

	if (ipfw_table(fw, name) != NULL)
		return -EEXIST;
	if (fw->table_count == IPFW_TABLES_MAX)
		return -ENOSPC;
	err = ipfw_table_create(name, type, fw->net->hash_seed, out);
	if (err != 0)
		return err;
	TAILQ_INSERT_TAIL(&fw->tables, *out, link);
	fw->table_count++;
	return 0;
}

int
ipfw_table_remove(struct ipfw *fw, struct ipfw_table *t)
{
	if (t->refs != 0)
		return -EBUSY;
	TAILQ_REMOVE(&fw->tables, t, link);
	fw->table_count--;
	ipfw_table_destroy(t);
	return 0;
}

int
ipfw_tables_swap(struct ipfw_table *a, struct ipfw_table *b)
{
	struct ipfw_table x = *a;

	if (a->type != b->type)
		return -EINVAL;
	if (a == b)
		return 0;
	ipfw_table_changed(a);
	ipfw_table_changed(b);
	x.sorted = NULL;
	a->slots = b->slots;
	a->mask = b->mask;
	a->count = b->count;
	memcpy(a->lens, b->lens, sizeof(a->lens));
	memcpy(a->bits, b->bits, sizeof(a->bits));
	b->slots = x.slots;
	b->mask = x.mask;
	b->count = x.count;
	memcpy(b->lens, x.lens, sizeof(b->lens));
	memcpy(b->bits, x.bits, sizeof(b->bits));
	return 0;
}

/* --- `me' ----------------------------------------------------------------- */

/* Takes the member "address" of what addr_list() says. */
struct me_sink {
	struct info info;
	struct ipfw_me *me;
};

static void
me_str(struct info *i, const char *key, const char *value)
{
	struct ipfw_me *me = CONTAINER_OF(i, struct me_sink, info)->me;
	uint32_t prefix;
	uint8_t addr[16];
	int family;

	if (strcmp(key != NULL ? key : "", "address") != 0 ||
	    me->count == IPFW_ME_MAX)
		return;
	family = ipfw_parse_addr(value, addr, &prefix);
	if (family > 0)
		me->keys[me->count++] =
		    family == 4 ? ipfw_key4(be32_get(addr)) : ipfw_key6(addr);
}

static void
me_u64(struct info *i, const char *key, uint64_t value)
{
	(void)i, (void)key, (void)value;
}

static void
me_i64(struct info *i, const char *key, int64_t value)
{
	(void)i, (void)key, (void)value;
}

static void
me_bool(struct info *i, const char *key, bool value)
{
	(void)i, (void)key, (void)value;
}

static void
me_key(struct info *i, const char *key)
{
	(void)i, (void)key;
}

static void
me_end(struct info *i)
{
	(void)i;
}

static void
me_ask(struct ipfw *fw)
{
	struct me_sink sink = {
		.info = { .str = me_str,
		    .u64 = me_u64,
		    .i64 = me_i64,
		    .boolean = me_bool,
		    .null = me_key,
		    .begin_object = me_key,
		    .begin_list = me_key,
		    .end = me_end },
		.me = &fw->me,
	};
	struct net *net = fw->net;
	const struct iface *ifp;

	fw->me.count = 0;
	fw->me.until_ns = net->now_ns + ME_FOR_NS;
	if (net->system.addr_list == NULL)
		return;
	TAILQ_FOREACH (ifp, &net->ifaces, all_link)
		if (ifp->host != NULL && ifp->host->vnet == fw->vnet)
			(void)net->system.addr_list(
			    net->system.arg, ifp, &sink.info);
}

bool
ipfw_is_me(struct ipfw *fw, const struct ipfw_key *addr)
{
	if (fw->net->now_ns >= fw->me.until_ns)
		me_ask(fw);
	for (uint32_t i = 0; i < fw->me.count; i++) {
		const struct ipfw_key *k = &fw->me.keys[i];

		if (k->hi == addr->hi && k->lo == addr->lo &&
		    k->family == addr->family)
			return true;
	}
	return false;
}

/* --- the package ---------------------------------------------------------- */

static enum pfil_verdict
run_ether_out(void *state, struct pfil_packet *p)
{
	struct ipfw *fw = state;

	return ipfw_run(fw, fw->programs[IPFW_HOOK_ETHER_OUT], p);
}

static enum pfil_verdict
run_ip4_in(void *state, struct pfil_packet *p)
{
	struct ipfw *fw = state;

	return ipfw_run(fw, fw->programs[IPFW_HOOK_IP4_IN], p);
}

static enum pfil_verdict
run_ip4_out(void *state, struct pfil_packet *p)
{
	struct ipfw *fw = state;

	return ipfw_run(fw, fw->programs[IPFW_HOOK_IP4_OUT], p);
}

static enum pfil_verdict
run_ip6_in(void *state, struct pfil_packet *p)
{
	struct ipfw *fw = state;

	return ipfw_run(fw, fw->programs[IPFW_HOOK_IP6_IN], p);
}

static enum pfil_verdict
run_ip6_out(void *state, struct pfil_packet *p)
{
	struct ipfw *fw = state;

	return ipfw_run(fw, fw->programs[IPFW_HOOK_IP6_OUT], p);
}

static const struct pfil_hook hooks[] = {
	{ PFIL_ETHER, PFIL_OUT, run_ether_out },
	{ PFIL_IP4, PFIL_IN, run_ip4_in },
	{ PFIL_IP4, PFIL_OUT, run_ip4_out },
	{ PFIL_IP6, PFIL_IN, run_ip6_in },
	{ PFIL_IP6, PFIL_OUT, run_ip6_out },
	{ .run = NULL },
};

const struct pfil_package ipfw_package = {
	.name = "ipfw",
	.about = "rules, as FreeBSD's ipfw(8)",
	.hooks = hooks,
	.create = ipfw_create,
	.destroy = ipfw_destroy,
	.own_switch = true,
};
PFIL_PACKAGE(ipfw_package)

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bridge against a model of it that is slow and obvious.
 *
 * Random configurations, random commands, random batches.  The model takes one
 * frame at a time, knows addresses as an array, and says for each frame where
 * it comes out, who of the host hears it, or why it is dropped.  After each
 * batch everything must agree; and no frame may vanish.
 */
#include "base/prng.h"
#include "bridge_fixture.h"

#define PORTS    6
#define STATIONS 40
#define VLANS    3
#define CONFIGS  60
#define STEPS    400

struct model_addr {
	bool known;
	uint32_t port; /* index */
	uint32_t expire_s;
	enum fdb_type type;
};

static struct model_addr addrs[STATIONS][VLANS];
static struct seen sent[PORTS], heard[PORTS], bridge_heard;
static uint64_t drops[DROP_COUNT];
static struct lab l;
static struct prng g;
static uint32_t timeout_s, limit[PORTS];
static bool span_port; /* the last is a span port */
static struct seen span_seen;

static uint32_t
below(uint32_t n)
{
	return (uint32_t)(prng_u64(&g) % n);
}

static uint32_t
now_s(void)
{
	return (uint32_t)(l.net->now_ns / 1000000000u);
}

static uint32_t
members(void)
{
	return span_port ? PORTS - 1 : PORTS;
}

static struct bridge_port *
port(uint32_t i)
{
	return bridge_member(lab_bridge(&l), l.p[i]);
}

static bool
live(const struct model_addr *a)
{
	return a->known && a->expire_s > now_s();
}

static uint32_t
port_addresses(uint32_t p)
{
	uint32_t n = 0;

	for (uint32_t s = 0; s < STATIONS; s++)
		for (uint32_t v = 0; v < VLANS; v++)
			n += live(&addrs[s][v]) && addrs[s][v].port == p;
	return n;
}

static void
note(struct seen *s, uint32_t id)
{
	s->ids[s->count++] = id;
}

/* False: over the limit. */
static bool
model_learn(uint32_t in, uint32_t src, uint32_t vlan)
{
	struct model_addr *a = &addrs[src][vlan];

	if ((port(in)->flags & BRIDGE_LEARNING) == 0)
		return true;
	if (!live(a)) {
		if (limit[in] != 0 && port_addresses(in) >= limit[in])
			return false;
		a->known = true;
		a->port = in;
		a->type = (port(in)->flags & BRIDGE_STICKY) != 0 ? FDB_STICKY
		                                                 : FDB_DYNAMIC;
	} else if (a->type == FDB_DYNAMIC) {
		a->port = in;
	}
	a->expire_s = a->type == FDB_DYNAMIC && timeout_s != 0
	                  ? now_s() + timeout_s
	                  : FDB_NEVER;
	return true;
}

static uint32_t
model_flood(uint32_t in, uint32_t id, bool unknown)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < members(); i++) {
		if (i == in || !iface_running(l.p[i]))
			continue;
		if ((port(i)->flags & port(in)->flags & BRIDGE_PRIVATE) != 0)
			continue;
		if (unknown && (port(i)->flags & BRIDGE_DISCOVER) == 0)
			continue;
		note(&sent[i], id);
		n++;
	}
	return n;
}

/* Destinations: a station, or one of these. */
enum {
	TO_BROADCAST = STATIONS,
	TO_BPDU,
	TO_LLDP,
	TO_BRIDGE,
	TO_MEMBER
};
/* TO_MEMBER + i is member i's address */
#define TO_COUNT (TO_MEMBER + PORTS)

static uint64_t
to_mac(uint32_t to)
{
	switch (to) {
	case TO_BROADCAST:
		return BROADCAST;
	case TO_BPDU:
		return 0x0180c2000000u;
	case TO_LLDP:
		return 0x0180c200000eu;
	case TO_BRIDGE:
		return mac_to_u64(l.br->mac);
	default:
		return to < STATIONS ? station(to)
		                     : mac_to_u64(l.p[to - TO_MEMBER]->mac);
	}
}

static bool
hears(uint32_t i)
{
	return l.p[i]->host != NULL;
}

static void
model_group(uint32_t in, uint32_t to, uint32_t src, uint32_t vlan, uint32_t id)
{
	uint32_t takers = 0;

	if (to == TO_BPDU) {
		drops[DROP_BPDU]++;
		return;
	}
	if (!model_learn(in, src, vlan)) {
		drops[DROP_ADDR_LIMIT]++;
		return;
	}
	if (to == TO_BROADCAST)
		takers += model_flood(in, id, false);
	if (l.br->host != NULL) {
		note(&bridge_heard, id);
		takers++;
	}
	for (uint32_t i = 0; i < members(); i++) {
		if (!hears(i) || (to == TO_LLDP && i != in))
			continue;
		note(&heard[i], id);
		takers++;
	}
	if (takers == 0)
		drops[to == TO_LLDP ? DROP_RESERVED : DROP_NO_PORT]++;
}

static void
model_input(uint32_t in, uint32_t to, uint32_t src, uint32_t vlan, uint32_t id)
{
	const struct model_addr *a;

	if (!iface_running(l.p[in])) {
		drops[DROP_IF_DOWN_IN]++;
		return;
	}
	if (span_port && in == PORTS - 1) {
		drops[DROP_SPAN_INPUT]++;
		return;
	}
	if (span_port && iface_running(l.p[PORTS - 1]))
		note(&span_seen, id);
	if (to == TO_BROADCAST || to == TO_BPDU || to == TO_LLDP) {
		model_group(in, to, src, vlan, id);
		return;
	}
	if ((to == TO_BRIDGE && l.br->host != NULL) ||
	    (to >= TO_MEMBER && to - TO_MEMBER < members() &&
	        hears(to - TO_MEMBER))) {
		if (!model_learn(in, src, vlan))
			drops[DROP_ADDR_LIMIT]++;
		else
			note(to == TO_BRIDGE ? &bridge_heard
			                     : &heard[to - TO_MEMBER],
			    id);
		return;
	}
	if (!model_learn(in, src, vlan)) {
		drops[DROP_ADDR_LIMIT]++;
		return;
	}
	a = to < STATIONS ? &addrs[to][vlan] : NULL;
	if (a == NULL || !live(a)) {
		if (model_flood(in, id, true) == 0)
			drops[DROP_NO_PORT]++;
	} else if (a->port == in) {
		drops[DROP_SAME_PORT]++;
	} else if (!iface_running(l.p[a->port])) {
		drops[DROP_PORT_DOWN]++;
	} else if ((port(in)->flags & port(a->port)->flags & BRIDGE_PRIVATE) !=
	           0) {
		drops[DROP_PRIVATE]++;
	} else {
		note(&sent[a->port], id);
	}
}

static void
assert_same(struct seen *real, struct seen *wanted)
{
	assert_int_equal(real->count, wanted->count);
	assert_memory_equal(
	    real->ids, wanted->ids, real->count * sizeof(real->ids[0]));
	real->count = 0;
	wanted->count = 0;
}

static void
check(void)
{
	uint64_t real[DROP_COUNT] = { 0 };
	struct iface *ifp;

	for (uint32_t i = 0; i < PORTS; i++) {
		bool is_span = span_port && i == PORTS - 1;

		assert_same(
		    &mock_of(l.p[i])->sent, is_span ? &span_seen : &sent[i]);
		assert_same(&mock_of(l.p[i])->heard, &heard[i]);
	}
	assert_same(&l.br_host.heard, &bridge_heard);
	TAILQ_FOREACH (ifp, &l.net->ifaces, all_link)
		for (uint32_t i = 0; i < DROP_COUNT; i++)
			real[i] += ifp->count.drops[i];
	for (uint32_t i = 0; i < DROP_COUNT; i++)
		assert_int_equal(real[i], drops[i]);
	for (uint32_t s = 0; s < STATIONS; s++) {
		for (uint32_t v = 0; v < VLANS; v++) {
			const struct model_addr *a = &addrs[s][v];

			assert_int_equal(lab_lookup(&l, station(s), v),
			    live(a) ? port(a->port)->number : FDB_NONE);
		}
	}
	fixture_pool_is_whole(l.net, 0);
}

static void
random_batch(void)
{
	struct frame_batch b = { .count = 1 + below(FRAME_BATCH_MAX) };
	uint32_t in = below(PORTS);
	static uint32_t id;

	for (uint32_t i = 0; i < b.count; i++) {
		uint32_t src = below(STATIONS), vlan = below(VLANS);
		uint32_t to = below(4) == 0
		                  ? STATIONS + below(TO_COUNT - STATIONS)
		                  : below(STATIONS);

		b.frames[i] =
		    frame_make(l.net, to_mac(to), station(src), vlan, ++id);
		model_input(in, to, src, vlan, id);
	}
	iface_input(l.p[in], &b);
}

static void
forget(bool all, uint32_t p)
{
	for (uint32_t s = 0; s < STATIONS; s++)
		for (uint32_t v = 0; v < VLANS; v++)
			if ((p == PORTS || addrs[s][v].port == p) &&
			    (all || addrs[s][v].type == FDB_DYNAMIC))
				addrs[s][v].known = false;
}

static void
random_command(void)
{
	static const char *const words[] = { "learn", "-learn", "discover",
		"-discover", "sticky", "-sticky", "private", "-private" };
	uint32_t p = below(members()), s = below(STATIONS), v = below(VLANS);
	struct model_addr *a = &addrs[s][v];

	switch (below(12)) {
	case 0:
	case 1:
		assert_int_equal(WORD1(l.br, words[below(ARRAY_LEN(words))],
		                     v_str(l.p[p]->name)),
		    0);
		break;
	case 2:
		iface_set_flags(l.p[p], below(2) ? IFACE_UP : 0, 0);
		break;
	case 3:
		iface_set_flags(l.p[p], 0, IFACE_UP);
		break;
	case 4:
		WORD(l.br, "flush");
		forget(false, PORTS);
		break;
	case 5:
		if (below(4) != 0)
			break;
		WORD(l.br, "flushall");
		forget(true, PORTS);
		break;
	case 6:
		limit[p] = below(8);
		WORD2(l.br, "ifmaxaddr", v_str(l.p[p]->name), v_num(limit[p]));
		break;
	case 7:
		timeout_s = below(6);
		WORD1(l.br, "timeout", v_num(timeout_s));
		break;
	case 8:
		if (!live(a) && limit[p] != 0 &&
		    port_addresses(p) >= limit[p]) {
			assert_int_equal(
			    WORD3(l.br, "static", v_str(l.p[p]->name),
			        v_mac(station(s)), v_num(v)),
			    -ENOSPC);
			break;
		}
		assert_int_equal(WORD3(l.br, "static", v_str(l.p[p]->name),
		                     v_mac(station(s)), v_num(v)),
		    0);
		if (!live(a) || a->type == FDB_DYNAMIC)
			a->port = p;
		*a =
		    (struct model_addr){ true, a->port, FDB_NEVER, FDB_STATIC };
		break;
	case 9:
		if (v == 0)
			break; /* would be every VLAN */
		assert_int_equal(
		    WORD2(l.br, "deladdr", v_mac(station(s)), v_num(v)),
		    live(a) ? 0 : -ENOENT);
		a->known = false;
		break;
	case 10:
		/* Leaves and comes back, as the newest, without settings. */
		assert_int_equal(bridge_delete(l.br, l.p[p]), 0);
		assert_int_equal(bridge_add(l.br, l.p[p]), 0);
		forget(true, p);
		limit[p] = 0;
		break;
	default:
		lab_time(&l, now_s() + below(4));
		break;
	}
}

static void
random_config(void)
{
	memset(addrs, 0, sizeof(addrs));
	memset(drops, 0, sizeof(drops));
	memset(limit, 0, sizeof(limit));
	timeout_s = FDB_TIMEOUT_DEFAULT_S;
	lab_init(&l, PORTS);
	span_port = below(2);
	if (span_port) {
		bridge_delete(l.br, l.p[PORTS - 1]);
		bridge_span_add(l.br, l.p[PORTS - 1]);
	}
	if (below(2))
		host_give(l.br, &l.br_host, l.net->home);
	for (uint32_t i = 0; i < members(); i++)
		if (below(3) == 0)
			host_give(l.p[i], mock_of(l.p[i]), l.net->home);
}

static void
test_agrees_with_the_model(void **state)
{
	(void)state;
	for (uint32_t config = 0; config < CONFIGS; config++) {
		g = prng_init(config);
		random_config();
		for (uint32_t step = 0; step < STEPS; step++) {
			if (below(3) == 0)
				random_command();
			else
				random_batch();
			check();
		}
		lab_fini(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_the_model),
	};

	return cmocka_run_group_tests_name("bridge_model", tests, NULL, NULL);
}

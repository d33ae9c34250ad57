/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases in JSON (tests/sim/README.md): read strictly, run, compared.  A field
 * or an operation that is not known is an error, never passed over.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/util.h"
#include "sim/sim.h"

#define UNSEEN_NS (6 * SIM_S)     /* three hello times */
#define FORGED_NS (60 * SIM_S)    /* what is made up lives no longer */
#define PORT_NAME (SIM_NAME + 8u) /* "b1.2" */

struct run {
	struct sim s;
	bool trace;
	char *what;
	size_t size;
	int result; /* 0, 1: an expectation failed, -1: the case is wrong */
};

/* Records the first thing that is wrong. False, for the caller to return. */
__attribute__((format(printf, 3, 4))) static bool
fail(struct run *r, int result, const char *fmt, ...)
{
	va_list ap;

	if (r->result == 0) {
		r->result = result;
		va_start(ap, fmt);
		vsnprintf(r->what, r->size, fmt, ap);
		va_end(ap);
	}
	return false;
}

/* Are all fields among @names (NULL-ended), and the first @must all there? */
static bool
fields(struct run *r, json_t *o, const char *where, const char *const *names,
    size_t must)
{
	const char *key;
	json_t *value;

	if (!json_is_object(o))
		return fail(r, -1, "%s is no object", where);
	json_object_foreach(o, key, value)
	{
		size_t i = 0;

		while (names[i] != NULL && strcmp(names[i], key) != 0)
			i++;
		if (names[i] == NULL)
			return fail(
			    r, -1, "%s: unknown field \"%s\"", where, key);
	}
	for (size_t i = 0; i < must; i++) {
		if (json_object_get(o, names[i]) == NULL)
			return fail(
			    r, -1, "%s: no field \"%s\"", where, names[i]);
	}
	return true;
}
#define FIELDS(r, o, where, must, ...) \
	fields(r, o, where, (const char *const[]){ __VA_ARGS__, NULL }, must)

static bool
number(struct run *r, json_t *v, const char *name, uint64_t max, uint64_t *out)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > max)
		return fail(r, -1, "%s: not a number from 0 to %llu", name,
		    (unsigned long long)max);
	*out = (uint64_t)json_integer_value(v);
	return true;
}

static bool
seconds(struct run *r, json_t *v, const char *name, uint64_t *out_ns)
{
	if (!json_is_number(v) || json_number_value(v) < 0 ||
	    json_number_value(v) > 1e6)
		return fail(r, -1, "%s: not a number of seconds", name);
	*out_ns = (uint64_t)(json_number_value(v) * 1e9 + 0.5);
	return true;
}

static bool
boolean(struct run *r, json_t *o, const char *name, bool preset, bool *out)
{
	json_t *v = json_object_get(o, name);

	*out = preset;
	if (v == NULL)
		return true;
	if (!json_is_boolean(v))
		return fail(r, -1, "%s: neither true nor false", name);
	*out = json_is_true(v);
	return true;
}

static bool
mac(struct run *r, json_t *v, const char *name, uint8_t out[6])
{
	if (!json_is_string(v) || ether_parse(json_string_value(v), out) < 0)
		return fail(r, -1, "%s: not an address", name);
	return true;
}

static bool
node(struct run *r, json_t *v, const char *name, uint32_t *out)
{
	*out = json_is_string(v) ? sim_node_find(&r->s, json_string_value(v))
	                         : SIM_NONE;
	if (*out == SIM_NONE)
		return fail(r, -1, "%s: no such bridge", name);
	return true;
}

static bool
lan(struct run *r, json_t *v, const char *name, uint32_t *out)
{
	*out = json_is_string(v) ? sim_lan_find(&r->s, json_string_value(v))
	                         : SIM_NONE;
	if (*out == SIM_NONE)
		return fail(r, -1, "%s: no such LAN", name);
	return true;
}

/* [bridge, port]; @number 0 is the host, and out is SIM_NONE then. */
static bool
port(struct run *r, json_t *v, const char *name, bool host, uint32_t *bridge,
    uint32_t *out)
{
	uint64_t n;
	uint32_t b;

	if (json_array_size(v) != 2)
		return fail(r, -1, "%s: not [bridge, port]", name);
	if (!node(r, json_array_get(v, 0), name, &b) ||
	    !number(r, json_array_get(v, 1), name, 255, &n))
		return false;
	*out = n == 0 ? SIM_NONE : sim_port_find(&r->s, b, n);
	if (*out == SIM_NONE && (n != 0 || !host))
		return fail(r, -1, "%s: %s has no port %u", name,
		    r->s.nodes[b]->name, (unsigned int)n);
	if (bridge != NULL)
		*bridge = b;
	return true;
}

static const char *
port_name(const struct run *r, uint32_t p, char text[PORT_NAME])
{
	snprintf(text, PORT_NAME, "%s.%u",
	    r->s.nodes[r->s.ports[p]->node]->name, r->s.ports[p]->number);
	return text;
}

/* Topology. */

static bool
add_bridge(struct run *r, json_t *o, bool stp)
{
	uint8_t address[6];
	uint64_t priority;
	uint32_t n;

	if (!FIELDS(r, o, "bridge", 3, "id", "priority", "mac") ||
	    !mac(r, json_object_get(o, "mac"), "mac", address) ||
	    !number(r, json_object_get(o, "priority"), "priority", 61440,
	        &priority))
		return false;
	if (!json_is_string(json_object_get(o, "id")) ||
	    json_string_length(json_object_get(o, "id")) >= SIM_NAME)
		return fail(r, -1, "id: not a short string");
	if (sim_node_find(&r->s, json_string_value(json_object_get(o, "id"))) !=
	    SIM_NONE)
		return fail(r, -1, "two bridges with the same id");
	if (ether_is_multicast(address) || ether_is_zero(address))
		return fail(r, -1, "mac: not the address of a bridge");
	n = sim_node_add(
	    &r->s, json_string_value(json_object_get(o, "id")), address, 0, 0);
	sim_set(&r->s, n, BRIDGE_PARAM_PRIORITY, (uint32_t)priority);
	if (stp)
		sim_set(&r->s, n, BRIDGE_PARAM_PROTO, STP_VERSION_STP);
	return true;
}

/* [bridge, port, cost] or [bridge, port, cost, priority] */
static bool
add_end(struct run *r, json_t *v, uint32_t l)
{
	size_t size = json_array_size(v);
	uint64_t n, cost, priority = 128;
	uint32_t b, p;

	if (size != 3 && size != 4)
		return fail(r, -1,
		    "an end of LAN %s is not "
		    "[bridge, port, cost, priority]",
		    r->s.lans[l].name);
	if (!node(r, json_array_get(v, 0), "link", &b) ||
	    !number(r, json_array_get(v, 1), "port", 255, &n) ||
	    !number(r, json_array_get(v, 2), "cost", STP_COST_MAX, &cost))
		return false;
	if (size == 4 &&
	    !number(r, json_array_get(v, 3), "priority", 240, &priority))
		return false;
	if (n == 0 || sim_port_find(&r->s, b, n) != SIM_NONE)
		return fail(r, -1, "port %u of %s: 0, or there already",
		    (unsigned int)n, r->s.nodes[b]->name);
	p = sim_port_add(&r->s, b, (uint16_t)n, l);
	sim_set_cost(&r->s, p, (uint32_t)cost);
	sim_set_priority(&r->s, p, (uint32_t)priority);
	return true;
}

static bool
add_link(struct run *r, json_t *o)
{
	json_t *name = json_object_get(o, "lan"), *v;
	bool is_shared = json_object_get(o, "shared") != NULL;
	uint32_t l;
	size_t i;

	if (is_shared ? !FIELDS(r, o, "link", 2, "lan", "shared")
	              : !FIELDS(r, o, "link", 3, "lan", "a", "b"))
		return false;
	if (!json_is_string(name) || json_string_length(name) >= SIM_NAME)
		return fail(r, -1, "lan: not a short string");
	if (sim_lan_find(&r->s, json_string_value(name)) != SIM_NONE)
		return fail(
		    r, -1, "two LANs named %s", json_string_value(name));
	l = sim_lan_add(&r->s, json_string_value(name));
	if (!is_shared) {
		v = json_object_get(o, "b");
		return add_end(r, json_object_get(o, "a"), l) &&
		       (json_is_null(v) || add_end(r, v, l));
	}
	if (!json_is_array(json_object_get(o, "shared")))
		return fail(r, -1, "shared: not a list");
	json_array_foreach(json_object_get(o, "shared"), i, v)
	{
		if (!add_end(r, v, l))
			return false;
	}
	return true;
}

/* Expectations. */

static const char *const role_names[] = { "Disabled", "Root", "Designated",
	"Alternate", "Backup" };
static const char *const state_names[] = { "Discarding", "Learning",
	"Forwarding", "Listening", "Blocking" };

/* The last two are STP's names: both are Discarding. */
static uint32_t
state_of(uint32_t name)
{
	return name <= STP_STATE_FORWARDING ? name : STP_STATE_DISCARDING;
}

static bool
index_of(struct run *r, json_t *v, const char *name, const char *const *names,
    size_t count, uint32_t *out)
{
	const char *text = json_is_string(v) ? json_string_value(v) : "";

	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(names[i], text) == 0) {
			*out = i;
			return true;
		}
	}
	return fail(r, -1, "unknown %s \"%s\"", name, text);
}

static bool
check_port(struct run *r, uint32_t b, const char *key, json_t *o)
{
	json_t *role = json_object_get(o, "role");
	json_t *state = json_object_get(o, "state");
	struct stp_port_info info = { 0 };
	const struct sim_node *n = r->s.nodes[b];
	enum stp_state have;
	char *end;
	unsigned long num = strtoul(key, &end, 10);
	uint32_t p, want = 0;

	if (!FIELDS(r, o, "expect", 0, "role", "state", "note"))
		return false;
	p = *end == '\0' && *key != '\0' ? sim_port_find(&r->s, b, num)
	                                 : SIM_NONE;
	if (p == SIM_NONE)
		return fail(r, -1, "expect: %s has no port %s", n->name, key);
	if (role != NULL && !index_of(r, role, "role", role_names, 5, &want))
		return false;
	if (state != NULL && !index_of(r, state, "state", state_names,
	                         ARRAY_LEN(state_names), &want))
		return false;
	if (!n->alive)
		return true;
	(void)stp_port_get(sim_stp(&r->s, b), (uint16_t)num, &info);
	if (role != NULL &&
	    strcmp(json_string_value(role), role_names[info.role]) != 0)
		return fail(r, 1, "at %.3f s %s.%s is %s, not %s",
		    (double)r->s.now_ns / 1e9, n->name, key,
		    role_names[info.role], json_string_value(role));
	have = sim_state(&r->s, r->s.ports[p]);
	if (state != NULL && state_of(want) != have)
		return fail(r, 1, "at %.3f s %s.%s (%s) is %s, not %s",
		    (double)r->s.now_ns / 1e9, n->name, key,
		    role_names[info.role], state_names[have],
		    json_string_value(state));
	return true;
}

static bool
check_ports(struct run *r, json_t *expect)
{
	const char *name, *key;
	json_t *ports, *o;

	if (!json_is_object(expect))
		return fail(r, -1, "expect: not an object");
	json_object_foreach(expect, name, ports)
	{
		uint32_t b = sim_node_find(&r->s, name);

		if (b == SIM_NONE)
			return fail(r, -1, "expect: no bridge %s", name);
		if (!json_is_object(ports))
			return fail(r, -1, "expect: %s: not an object", name);
		json_object_foreach(ports, key, o)
		{
			if (!check_port(r, b, key, o))
				return false;
		}
	}
	return true;
}

static bool
check_bridge(struct run *r, uint32_t b, json_t *o)
{
	const struct sim_node *n = r->s.nodes[b];
	json_t *cost = json_object_get(o, "root_path_cost");
	json_t *root = json_object_get(o, "root");
	struct stp_info info, other;
	bool is_root;
	uint64_t want;
	uint32_t of;

	if (!FIELDS(
	        r, o, "bridge_expect", 0, "is_root", "root", "root_path_cost"))
		return false;
	stp_get(sim_stp(&r->s, b), &info);
	if (!boolean(r, o, "is_root", info.root_port == 0, &is_root))
		return false;
	if (n->alive && is_root != (info.root_port == 0))
		return fail(r, 1, "at %.3f s %s %s the root",
		    (double)r->s.now_ns / 1e9, n->name,
		    is_root ? "is not" : "is");
	if (root != NULL) {
		if (!node(r, root, "root", &of))
			return false;
		stp_get(sim_stp(&r->s, of), &other);
		if (n->alive && other.bridge_id != info.root_id)
			return fail(r, 1,
			    "at %.3f s %s has another root "
			    "than %s",
			    (double)r->s.now_ns / 1e9, n->name,
			    json_string_value(root));
	}
	if (cost != NULL) {
		if (!number(r, cost, "root_path_cost", UINT32_MAX, &want))
			return false;
		if (n->alive && info.root_path_cost != want)
			return fail(r, 1,
			    "at %.3f s %s: root path cost %u, "
			    "not %u",
			    (double)r->s.now_ns / 1e9, n->name,
			    info.root_path_cost, (unsigned int)want);
	}
	return true;
}

/* Operations. */

static bool
op_run(struct run *r, json_t *o)
{
	uint64_t ns;

	if (!FIELDS(r, o, "run", 2, "op", "seconds") ||
	    !seconds(r, json_object_get(o, "seconds"), "seconds", &ns))
		return false;
	sim_run(&r->s, ns);
	return true;
}

static bool
op_check(struct run *r, json_t *o)
{
	json_t *bridges = json_object_get(o, "bridge_expect"), *v;
	const char *name;

	if (!FIELDS(r, o, "check", 1, "op", "expect", "bridge_expect", "note"))
		return false;
	v = json_object_get(o, "expect");
	if (v != NULL && !check_ports(r, v))
		return false;
	if (bridges != NULL && !json_is_object(bridges))
		return fail(r, -1, "bridge_expect: not an object");
	json_object_foreach(bridges, name, v)
	{
		uint32_t b = sim_node_find(&r->s, name);

		if (b == SIM_NONE)
			return fail(r, -1, "bridge_expect: no bridge %s", name);
		if (!check_bridge(r, b, v))
			return false;
	}
	return true;
}

static bool
link_set(struct run *r, json_t *o, const char *op, bool up)
{
	uint32_t l;

	if (!FIELDS(r, o, op, 2, "op", "lan") ||
	    !lan(r, json_object_get(o, "lan"), "lan", &l))
		return false;
	sim_link_set(&r->s, l, up);
	return true;
}

static bool
op_link_down(struct run *r, json_t *o)
{
	return link_set(r, o, "link_down", false);
}

static bool
op_link_up(struct run *r, json_t *o)
{
	return link_set(r, o, "link_up", true);
}

static bool
op_port_down(struct run *r, json_t *o)
{
	bool keeps;
	uint32_t p;

	if (!FIELDS(
	        r, o, "port_down", 2, "op", "port", "far_end_keeps_carrier") ||
	    !port(r, json_object_get(o, "port"), "port", false, NULL, &p) ||
	    !boolean(r, o, "far_end_keeps_carrier", false, &keeps))
		return false;
	sim_port_down(&r->s, p, keeps);
	return true;
}

static bool
op_move_port(struct run *r, json_t *o)
{
	json_t *to = json_object_get(o, "to_lan");
	uint32_t p, l = SIM_NONE;
	bool silent;

	if (!FIELDS(r, o, "move_port", 3, "op", "port", "to_lan", "silent") ||
	    !port(r, json_object_get(o, "port"), "port", false, NULL, &p) ||
	    !boolean(r, o, "silent", false, &silent))
		return false;
	if (json_is_string(to) && json_string_length(to) < SIM_NAME) {
		l = sim_lan_find(&r->s, json_string_value(to));
		if (l == SIM_NONE)
			l = sim_lan_add(&r->s, json_string_value(to));
	} else if (!json_is_null(to)) {
		return fail(r, -1, "to_lan: neither a short string nor null");
	}
	if (silent)
		sim_excuse(&r->s, UNSEEN_NS, SIM_EXCUSE_UNSEEN);
	sim_port_move(&r->s, p, l, silent);
	return true;
}

static bool
op_bridge_down(struct run *r, json_t *o)
{
	bool lost;
	uint32_t b;

	if (!FIELDS(r, o, "bridge_down", 2, "op", "bridge",
	        "carrier_lost_at_neighbours") ||
	    !node(r, json_object_get(o, "bridge"), "bridge", &b) ||
	    !boolean(r, o, "carrier_lost_at_neighbours", true, &lost))
		return false;
	sim_node_down(&r->s, b, lost);
	return true;
}

static bool
op_remove_port(struct run *r, json_t *o)
{
	uint32_t p;

	if (!FIELDS(r, o, "remove_port", 2, "op", "port") ||
	    !port(r, json_object_get(o, "port"), "port", false, NULL, &p))
		return false;
	sim_port_remove(&r->s, p);
	return true;
}

static bool
op_set_bridge_priority(struct run *r, json_t *o)
{
	uint64_t value;
	uint32_t b;

	if (!FIELDS(r, o, "set_bridge_priority", 3, "op", "bridge", "priority",
	        "source_value") ||
	    !node(r, json_object_get(o, "bridge"), "bridge", &b) ||
	    !number(
	        r, json_object_get(o, "priority"), "priority", 61440, &value))
		return false;
	sim_set(&r->s, b, BRIDGE_PARAM_PRIORITY, (uint32_t)value);
	return true;
}

static bool
port_value(struct run *r, json_t *o, const char *op, const char *name,
    uint64_t max, uint32_t *p, uint64_t *value)
{
	return FIELDS(r, o, op, 3, "op", "port", name, "source_value") &&
	       port(r, json_object_get(o, "port"), "port", false, NULL, p) &&
	       number(r, json_object_get(o, name), name, max, value);
}

static bool
op_set_port_priority(struct run *r, json_t *o)
{
	uint64_t value;
	uint32_t i;

	if (!port_value(r, o, "set_port_priority", "priority", 240, &i, &value))
		return false;
	sim_set_priority(&r->s, i, (uint32_t)value);
	return true;
}

static bool
op_set_path_cost(struct run *r, json_t *o)
{
	uint64_t value;
	uint32_t i;

	if (!port_value(
	        r, o, "set_path_cost", "cost", STP_COST_MAX, &i, &value))
		return false;
	sim_set_cost(&r->s, i, (uint32_t)value);
	return true;
}

static bool
count_states(struct run *r, json_t *o, const char *name, const uint32_t have[3],
    bool exactly)
{
	json_t *v;
	const char *key;

	if (o == NULL)
		return true;
	if (!FIELDS(r, o, name, 0, "Discarding", "Learning", "Forwarding",
	        "Listening", "Blocking"))
		return false;
	json_object_foreach(o, key, v)
	{
		uint64_t want;
		uint32_t i = 0;

		while (strcmp(state_names[i], key) != 0)
			i++;
		i = state_of(i);
		if (!number(r, v, key, UINT32_MAX, &want))
			return false;
		if (exactly ? have[i] != want : have[i] < want)
			return fail(r, 1, "at %.3f s %u ports are %s, not %s%u",
			    (double)r->s.now_ns / 1e9, have[i], key,
			    exactly ? "" : "at least ", (unsigned int)want);
	}
	return true;
}

static bool
op_expect_states(struct run *r, json_t *o)
{
	uint32_t have[3] = { 0 };

	if (!FIELDS(r, o, "expect_states", 1, "op", "at_least", "exactly"))
		return false;
	if (json_object_size(o) < 2)
		return fail(r, -1, "expect_states: nothing is expected");
	for (uint32_t i = 0; i < r->s.port_count; i++) {
		if (r->s.ports[i]->link)
			have[sim_state(&r->s, r->s.ports[i])]++;
	}
	return count_states(r, json_object_get(o, "at_least"), "at_least", have,
	           false) &&
	       count_states(
	           r, json_object_get(o, "exactly"), "exactly", have, true);
}

static bool
all_forward(struct run *r, json_t *ports, bool *all)
{
	json_t *v;
	size_t i;

	*all = true;
	if (!json_is_array(ports))
		return fail(r, -1, "ports: not a list");
	json_array_foreach(ports, i, v)
	{
		uint32_t p;

		if (!port(r, v, "ports", false, NULL, &p))
			return false;
		if (sim_state(&r->s, r->s.ports[p]) != STP_STATE_FORWARDING)
			*all = false;
	}
	return true;
}

static bool
op_expect_forwarding(struct run *r, json_t *o)
{
	json_t *ports = json_object_get(o, "ports");
	uint64_t within_ns, until_ns;
	bool all;

	if (!FIELDS(r, o, "expect_forwarding", 3, "op", "ports",
	        "within_seconds") ||
	    !seconds(r, json_object_get(o, "within_seconds"), "within_seconds",
	        &within_ns) ||
	    !all_forward(r, ports, &all))
		return false;
	until_ns = r->s.now_ns + within_ns;
	while (!all && sim_step(&r->s, until_ns))
		(void)all_forward(r, ports, &all);
	if (!all)
		return fail(r, 1, "not all ports forward after %.3f s",
		    (double)within_ns / 1e9);
	return true;
}

static bool
op_expect_order(struct run *r, json_t *o)
{
	char a_name[PORT_NAME], b_name[PORT_NAME];
	uint32_t a, b;

	if (!FIELDS(r, o, "expect_order", 3, "op", "first", "then") ||
	    !port(r, json_object_get(o, "first"), "first", false, NULL, &a) ||
	    !port(r, json_object_get(o, "then"), "then", false, NULL, &b))
		return false;
	if (r->s.ports[a]->forwarded_ns == UINT64_MAX)
		return fail(r, 1, "%s never became Forwarding",
		    port_name(r, a, a_name));
	if (r->s.ports[a]->forwarded_ns > r->s.ports[b]->forwarded_ns)
		return fail(r, 1, "%s became Forwarding after %s",
		    port_name(r, a, a_name), port_name(r, b, b_name));
	return true;
}

static int
compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

#define SEND_ROOM 4096

static bool
op_send(struct run *r, json_t *o)
{
	static uint32_t out[SEND_ROOM], want[SEND_ROOM];
	json_t *list = json_object_get(o, "expect_out"), *v;
	uint8_t src[6], dst[6];
	uint32_t b, p, k = 0;
	char text[PORT_NAME];
	size_t i;
	int n;

	if (!FIELDS(
	        r, o, "send", 4, "op", "from", "src", "dst", "expect_out") ||
	    !port(r, json_object_get(o, "from"), "from", true, &b, &p) ||
	    !mac(r, json_object_get(o, "src"), "src", src) ||
	    !mac(r, json_object_get(o, "dst"), "dst", dst))
		return false;
	if (list != NULL && !json_is_array(list))
		return fail(r, -1, "expect_out: not a list");
	json_array_foreach(list, i, v)
	{
		if (i >= SEND_ROOM ||
		    !port(r, v, "expect_out", false, NULL, &want[k++]))
			return fail(r, -1, "expect_out: too long");
	}
	n = sim_send(&r->s, b, p == SIM_NONE ? 0 : r->s.ports[p]->number, src,
	    dst, out, SEND_ROOM);
	if (n < 0)
		return fail(r, 1, "at %.3f s a frame circles",
		    (double)r->s.now_ns / 1e9);
	if (list == NULL)
		return true;
	qsort(out, (size_t)n, sizeof(out[0]), compare_u32);
	qsort(want, k, sizeof(want[0]), compare_u32);
	for (uint32_t x = 0; x < (uint32_t)n || x < k; x++) {
		if (x < (uint32_t)n && (x >= k || out[x] < want[x]))
			return fail(r, 1, "at %.3f s the frame leaves by %s",
			    (double)r->s.now_ns / 1e9,
			    port_name(r, out[x], text));
		if (x >= (uint32_t)n || out[x] != want[x])
			return fail(r, 1,
			    "at %.3f s the frame does not leave by %s",
			    (double)r->s.now_ns / 1e9,
			    port_name(r, want[x], text));
	}
	return true;
}

struct fdb_count {
	uint32_t dynamic;
};

static void
count_entry(void *arg, const struct fdb_entry *e)
{
	struct fdb_count *c = arg;

	c->dynamic += e->type == FDB_DYNAMIC;
}

static bool
op_expect_fdb(struct run *r, json_t *o)
{
	json_t *has = json_object_get(o, "has"), *v;
	json_t *dynamic = json_object_get(o, "dynamic_count");
	uint32_t now_s, b;
	struct fdb_count c = { 0 };
	const struct fdb *f;
	uint64_t want;
	size_t i;

	if (!FIELDS(r, o, "expect_fdb", 2, "op", "bridge", "has",
	        "dynamic_count") ||
	    !node(r, json_object_get(o, "bridge"), "bridge", &b))
		return false;
	if (has == NULL && dynamic == NULL)
		return fail(r, -1, "expect_fdb: nothing is expected");
	f = sim_fdb(&r->s, b);
	now_s = sim_now_s(&r->s, b);
	if (has != NULL && !json_is_array(has))
		return fail(r, -1, "has: not a list");
	json_array_foreach(has, i, v)
	{
		uint8_t address[6];
		uint64_t key;

		if (!mac(r, v, "has", address))
			return false;
		key = fdb_key(address, 0);
		if (fdb_lookup(f, key, fdb_hash(f, key), now_s) == FDB_NONE)
			return fail(r, 1, "at %.3f s %s does not know %s",
			    (double)r->s.now_ns / 1e9, r->s.nodes[b]->name,
			    json_string_value(v));
	}
	if (dynamic == NULL)
		return true;
	if (!number(r, dynamic, "dynamic_count", UINT32_MAX, &want))
		return false;
	if (fdb_walk(f, now_s, count_entry, &c) < 0)
		return fail(r, -1, "no memory");
	if (c.dynamic != want)
		return fail(r, 1,
		    "at %.3f s %s has %u dynamic addresses, "
		    "not %u",
		    (double)r->s.now_ns / 1e9, r->s.nodes[b]->name, c.dynamic,
		    (unsigned int)want);
	return true;
}

struct word {
	const char *name;
	uint32_t value;
};

static bool
word_of(struct run *r, json_t *v, const char *name, const struct word *words,
    uint32_t *out)
{
	const char *text = json_is_string(v) ? json_string_value(v) : "";

	for (; words->name != NULL; words++) {
		if (strcmp(words->name, text) == 0) {
			*out = words->value;
			return true;
		}
	}
	return fail(r, -1, "unknown %s \"%s\"", name, text);
}

/* What the port would send, as of now: its designated priority and times are
 * those of the root; a port that received has what it received. */
static void
like_port(const struct run *r, uint32_t i, struct stp_bpdu *out)
{
	const struct sim_port *p = r->s.ports[i];
	const struct stp *stp = sim_stp(&r->s, p->node);
	struct stp_port_info info = { 0 };
	struct stp_info bridge;

	stp_get(stp, &bridge);
	(void)stp_port_get(stp, p->number, &info);
	out->root_id = bridge.root_id;
	out->root_path_cost = bridge.root_path_cost;
	out->bridge_id = bridge.bridge_id;
	out->port_id = info.port_id;
	out->times = bridge.root_times;
	out->times.hello = bridge.hello;
}

static bool
op_send_bpdu(struct run *r, json_t *o)
{
	static const struct word types[] = { { "rst", STP_BPDU_RST },
		{ "config", STP_BPDU_CONFIG }, { "tcn", STP_BPDU_TCN },
		{ NULL, 0 } };
	static const struct word roles[] = { { "unknown",
		                                 STP_BPDU_ROLE_UNKNOWN },
		{ "alternate", STP_BPDU_ROLE_ALTERNATE },
		{ "backup", STP_BPDU_ROLE_ALTERNATE },
		{ "root", STP_BPDU_ROLE_ROOT },
		{ "designated", STP_BPDU_ROLE_DESIGNATED }, { NULL, 0 } };
	static const struct word flags[] = { { "tc", STP_FLAG_TC },
		{ "tca", STP_FLAG_TCA }, { "proposal", STP_FLAG_PROPOSAL },
		{ "agreement", STP_FLAG_AGREEMENT },
		{ "learning", STP_FLAG_LEARNING },
		{ "forwarding", STP_FLAG_FORWARDING }, { NULL, 0 } };
	json_t *list = json_object_get(o, "flags"), *v;
	uint8_t data[STP_BPDU_LEN_MAX];
	struct stp_bpdu b = { 0 };
	uint32_t to, like, value = STP_BPDU_ROLE_DESIGNATED;
	size_t i, len;

	if (!FIELDS(r, o, "send_bpdu", 3, "op", "to", "type", "role", "like",
	        "flags") ||
	    !port(r, json_object_get(o, "to"), "to", false, NULL, &to) ||
	    !word_of(r, json_object_get(o, "type"), "type", types, &value))
		return false;
	b.type = (enum stp_bpdu_type)value;
	value = STP_BPDU_ROLE_DESIGNATED;
	v = json_object_get(o, "role");
	if (v != NULL && !word_of(r, v, "role", roles, &value))
		return false;
	b.flags = (uint8_t)(value << 2);
	v = json_object_get(o, "like");
	if (v == NULL && b.type != STP_BPDU_TCN)
		return fail(r, -1, "send_bpdu: no field \"like\"");
	if (v != NULL) {
		if (!port(r, v, "like", false, NULL, &like))
			return false;
		like_port(r, like, &b);
	}
	if (list != NULL && !json_is_array(list))
		return fail(r, -1, "flags: not a list");
	json_array_foreach(list, i, v)
	{
		if (!word_of(r, v, "flag", flags, &value))
			return false;
		b.flags |= (uint8_t)value;
	}
	len = stp_bpdu_encode(&b, data);
	if (b.type == STP_BPDU_RST)
		data[4] = b.flags; /* TCA too */
	sim_excuse(&r->s, FORGED_NS, SIM_EXCUSE_FORGED);
	if (r->s.trace)
		sim_trace_forged(&r->s, r->s.ports[to], data, len);
	sim_bpdu(&r->s, to, data, len);
	return true;
}

static bool
op_expect_bounded(struct run *r, json_t *o)
{
	uint64_t max;

	if (!FIELDS(r, o, "expect_bounded", 2, "op", "transitions_per_port") ||
	    !number(r, json_object_get(o, "transitions_per_port"),
	        "transitions_per_port", UINT32_MAX, &max))
		return false;
	for (uint32_t i = 0; i < r->s.node_count; i++) {
		if (stp_steps_max(sim_stp(&r->s, i)) > max)
			return fail(r, 1,
			    "an event took %u transitions of a port of %s",
			    stp_steps_max(sim_stp(&r->s, i)),
			    r->s.nodes[i]->name);
	}
	return true;
}

static bool
op_note(struct run *r, json_t *o)
{
	return FIELDS(r, o, "note", 2, "op", "text");
}

static const struct {
	const char *name;
	bool (*run)(struct run *r, json_t *o);
} ops[] = {
	{ "run", op_run },
	{ "check", op_check },
	{ "link_down", op_link_down },
	{ "link_up", op_link_up },
	{ "port_down", op_port_down },
	{ "move_port", op_move_port },
	{ "bridge_down", op_bridge_down },
	{ "remove_port", op_remove_port },
	{ "set_bridge_priority", op_set_bridge_priority },
	{ "set_port_priority", op_set_port_priority },
	{ "set_path_cost", op_set_path_cost },
	{ "expect_states", op_expect_states },
	{ "expect_forwarding", op_expect_forwarding },
	{ "expect_order", op_expect_order },
	{ "send", op_send },
	{ "expect_fdb", op_expect_fdb },
	{ "send_bpdu", op_send_bpdu },
	{ "expect_bounded", op_expect_bounded },
	{ "note", op_note },
};

static bool
event(struct run *r, json_t *o)
{
	json_t *name = json_object_get(o, "op");

	if (!json_is_string(name))
		return fail(r, -1, "an event without op");
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (strcmp(ops[i].name, json_string_value(name)) != 0)
			continue;
		if (!ops[i].run(r, o))
			return false;
		sim_check_now(&r->s);
		if (r->s.problem[0] != '\0')
			return fail(r, 1, "%s", r->s.problem);
		return true;
	}
	return fail(r, -1, "unknown op \"%s\"", json_string_value(name));
}

static bool
run_case(struct run *r, json_t *o)
{
	json_t *protocol = json_object_get(o, "protocol"), *v;
	bool stp;
	size_t i;

	if (!FIELDS(r, o, "case", 5, "name", "protocol", "bridges", "links",
	        "events", "source", "expect"))
		return false;
	if (!json_is_string(protocol) ||
	    (strcmp(json_string_value(protocol), "stp") != 0 &&
	        strcmp(json_string_value(protocol), "rstp") != 0))
		return fail(r, -1, "protocol: neither \"rstp\" nor \"stp\"");
	stp = strcmp(json_string_value(protocol), "stp") == 0;
	if (!json_is_array(json_object_get(o, "bridges")) ||
	    !json_is_array(json_object_get(o, "links")) ||
	    !json_is_array(json_object_get(o, "events")))
		return fail(r, -1, "bridges, links, events: not lists");
	json_array_foreach(json_object_get(o, "bridges"), i, v)
	{
		if (!add_bridge(r, v, stp))
			return false;
	}
	json_array_foreach(json_object_get(o, "links"), i, v)
	{
		if (!add_link(r, v))
			return false;
	}
	if (r->trace)
		sim_trace_begin(&r->s);
	sim_links(&r->s);
	json_array_foreach(json_object_get(o, "events"), i, v)
	{
		if (!event(r, v))
			return false;
	}
	v = json_object_get(o, "expect");
	return v == NULL || check_ports(r, v);
}

int
sim_case(
    json_t *json, bool trace, struct sim_loops *loops, char *what, size_t size)
{
	struct run r = { .trace = trace, .what = what, .size = size };

	sim_init(&r.s, 1);
	what[0] = '\0';
	(void)run_case(&r, json);
	sim_check_end(&r.s);
	sim_loops_add(loops, r.s.loops);
	sim_fini(&r.s);
	return r.result;
}

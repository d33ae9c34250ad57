/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of ipfw: text and back, decisions against a reference that goes through
 * the rules one by one, states in virtual time, answers, limits.
 */
#include "pfil_fixture.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "base/prng.h"
#include "bridge/trace.h"
#include "pfil/ipfw.h"

#define SYN 0x02
#define ACK 0x10
#define FIN 0x01
#define RST 0x04

static struct lab l;
static struct ipfw *fw;
static struct mock br_mock;

static int
setup(void **state)
{
	(void)state;
	lab_init(&l, 4);
	memset(&br_mock, 0, sizeof(br_mock));
	l.net->now_ns = 1000000000000;
	pfil_init(l.net);
	assert_int_equal(ipfw_of(l.net->home, &fw), 0);
	for (uint32_t i = 0; i < 4; i++) {
		lab_in(&l, i, BROADCAST, station(i + 1), 1);
		for (uint32_t k = 0; k < 4; k++)
			mock_of(l.p[k])->sent.count = 0;
	}
	assert_int_equal(
	    bridge_tunable_set(l.net->home, BRIDGE_PFIL_MEMBER, 1), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lab_fini(&l);
	return 0;
}

static bool
parse(const char *text, struct ipfw_text *out)
{
	struct ipfw_error error;

	return ipfw_parse(&text, 1, out, &error) == 0;
}

static uint32_t
add(const char *text)
{
	static struct ipfw_text t;
	uint32_t number;

	if (!parse(text, &t))
		fail_msg("does not parse: %s", text);
	assert_int_equal(ipfw_add(fw, &t, &number), 0);
	return number;
}

static void
rules(const char *const *texts)
{
	const struct ipfw_range all = { 0, IPFW_NUMBER_MAX, UINT32_MAX };

	(void)ipfw_delete(fw, &all);
	for (; *texts != NULL; texts++)
		(void)add(*texts);
	assert_int_equal(ipfw_commit(fw), 0);
}
#define RULES(...) rules((const char *const[]){ __VA_ARGS__, NULL })

static const struct ipfw_rule *
rule(uint32_t number)
{
	const struct ipfw_rule *r;

	TAILQ_FOREACH (r, &fw->rules, link)
		if (r->head.number == number)
			return r;
	return fw->last;
}

static struct packet
udp(uint32_t id)
{
	return (struct packet){
		.dst = station(2),
		.src = station(1),
		.sip = 0x0a000001,
		.dip = 0x0a000002,
		.proto = IP_PROTO_UDP,
		.sport = 1000,
		.dport = 53,
		.id = id,
	};
}

static struct packet
tcp(uint8_t flags, uint32_t id)
{
	struct packet k = udp(id);

	k.proto = IP_PROTO_TCP;
	k.dport = 80;
	k.tcp_flags = flags;
	return k;
}

static struct packet
reply(struct packet k)
{
	struct packet r = k;

	r.src = k.dst;
	r.dst = k.src;
	r.sip = k.dip;
	r.dip = k.sip;
	r.sport = k.dport;
	r.dport = k.sport;
	return r;
}

/* Does it get from port 0 to port 1, or back? */
static bool
passes(const struct packet *k, uint32_t in)
{
	uint32_t out = in == 0 ? 1 : 0;
	bool got;

	mock_of(l.p[out])->sent.count = 0;
	packet_in(&l, in, k);
	got = mock_of(l.p[out])->sent.count == 1;
	mock_of(l.p[out])->sent.count = 0;
	return got;
}

/* --- text ----------------------------------------------------------------- */

static const char *
printed(const struct ipfw_text *t, uint32_t flags)
{
	static char text[IPFW_TEXT_MAX];
	struct sbuf b = sbuf_init(text, sizeof(text));

	ipfw_print(&t->head, t->insns, t->count, flags, &b);
	assert_true(sbuf_ok(&b));
	return text;
}

static void
same_again(const char *text)
{
	static struct ipfw_text a, b;
	char copy[IPFW_TEXT_MAX];

	if (!parse(text, &a))
		fail_msg("does not parse: %s", text);
	for (uint32_t flags = 0; flags < 4; flags++) {
		snprintf(copy, sizeof(copy), "%s", printed(&a, flags));
		if (!parse(copy, &b))
			fail_msg("does not parse again: %s", copy);
		b.head.number = a.head.number;
		b.head.set = a.head.set;
		assert_string_equal(printed(&b, flags), copy);
		if (memcmp(&a, &b, sizeof(a)) != 0)
			fail_msg("differs: %s", copy);
	}
}

/* A rule by chance. */
static const char *
pick(struct prng *g, const char *const *words, size_t count)
{
	return words[prng_below(g, count)];
}
#define PICK(g, ...)                                       \
	pick((g), (const char *const[]){ __VA_ARGS__ },    \
	    sizeof((const char *const[]){ __VA_ARGS__ }) / \
	        sizeof(const char *))

static void
put_address(struct prng *g, struct sbuf *b)
{
	switch (prng_below(g, 6)) {
	case 0:
		sbuf_puts(b, "any");
		break;
	case 1:
		sbuf_printf(b, "10.0.0.%u", (unsigned)prng_below(g, 4));
		break;
	case 2:
		sbuf_printf(b, "%s10.0.0.%u/%u", PICK(g, "", "not "),
		    (unsigned)prng_below(g, 4),
		    29 + (unsigned)prng_below(g, 4));
		break;
	case 3:
		sbuf_printf(b, "10.0.0.%u,10.0.0.%u",
		    (unsigned)prng_below(g, 4), (unsigned)prng_below(g, 4));
		break;
	case 4:
		sbuf_printf(b, "{ 10.0.0.%u or not 10.0.0.%u }",
		    (unsigned)prng_below(g, 4), (unsigned)prng_below(g, 4));
		break;
	default:
		sbuf_printf(b, "table(%u)", (unsigned)prng_below(g, 2));
		break;
	}
}

static void
put_ports(struct prng *g, struct sbuf *b)
{
	uint32_t lo = (uint32_t)prng_below(g, 6);

	switch (prng_below(g, 4)) {
	case 0:
		sbuf_printf(b, " %u", lo);
		break;
	case 1:
		sbuf_printf(b, " %u-%u", lo, lo + (uint32_t)prng_below(g, 4));
		break;
	case 2:
		sbuf_printf(b, " %u,%u", lo, (uint32_t)prng_below(g, 6));
		break;
	default:
		break;
	}
}

static void
random_rule(struct prng *g, uint32_t number, char *text, size_t size)
{
	struct sbuf b = sbuf_init(text, size);

	sbuf_printf(&b, "%u ", number);
	switch (prng_below(g, 5)) {
	case 0:
		sbuf_printf(
		    &b, "skipto %u ", number + (uint32_t)prng_below(g, 30));
		break;
	case 1:
		sbuf_puts(&b, "count ");
		break;
	default:
		sbuf_puts(&b, PICK(g, "allow ", "deny "));
		break;
	}
	sbuf_puts(&b, PICK(g, "ip", "tcp", "udp", "{ tcp or udp }", "ip4"));
	sbuf_puts(&b, " from ");
	put_address(g, &b);
	put_ports(g, &b);
	sbuf_puts(&b, " to ");
	put_address(g, &b);
	put_ports(g, &b);
	sbuf_puts(&b, PICK(g, "", " in", " out", " not in", " via port0",
	                  " recv port1", " xmit port*", " iplen 30-40",
	                  " { in or established }", " ipttl 60-", ""));
	assert_true(sbuf_ok(&b));
}

static void
test_text_and_back(void **state)
{
	static const char *const texts[] = {
		"allow ip from any to any",
		"prob 0.123456789 deny ip6 from fe80::/10 to me6",
		"deny MAC any 02:00:00:00:00:01 mac-type 0x0800-0x0806",
		"check-state :x",
		"allow tcp from any not 1,5-9 to { 10.0.0.1/8 or any4 }",
		"count tcp from 10.0.0.0/24{1,3-5,255} to any established",
		"queue 7 ip from any to any { via a* or not recv b? }",
	};
	struct prng g = prng_init(11);
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		same_again(texts[i]);
	for (uint32_t i = 0; i < 3000; i++) {
		random_rule(&g, 100, text, sizeof(text));
		same_again(text);
	}
}

/* --- decisions ------------------------------------------------------------ */

struct ref_packet {
	uint32_t sip, dip;
	uint8_t proto, flags, ttl;
	uint16_t sport, dport;
	uint32_t len;
	bool in;
	const char *ifname, *rcv;
};

static bool
ref_item(const struct ipfw_insn *i, const struct ref_packet *k)
{
	switch ((enum ipfw_op)i->op) {
	case IPFW_OP_PROTO:
		return i->num == k->proto;
	case IPFW_OP_VERSION:
		return i->num == 4;
	case IPFW_OP_SRC_IP4:
		return (k->sip & i->ip4.mask) == i->ip4.addr;
	case IPFW_OP_DST_IP4:
		return (k->dip & i->ip4.mask) == i->ip4.addr;
	case IPFW_OP_SRC_TABLE: /* 0: .1 and .2; 1: 10.0.0.0/31 */
		return i->table.name[0] == '0'
		           ? k->sip == 0x0a000001 || k->sip == 0x0a000002
		           : k->sip >> 1 == 0x0a000000 >> 1;
	case IPFW_OP_DST_TABLE:
		return i->table.name[0] == '0'
		           ? k->dip == 0x0a000001 || k->dip == 0x0a000002
		           : k->dip >> 1 == 0x0a000000 >> 1;
	case IPFW_OP_SRC_PORT:
		return k->sport >= i->range.lo && k->sport <= i->range.hi;
	case IPFW_OP_DST_PORT:
		return k->dport >= i->range.lo && k->dport <= i->range.hi;
	case IPFW_OP_IN:
		return k->in;
	case IPFW_OP_OUT:
		return !k->in;
	case IPFW_OP_VIA:
		return fnmatch(i->name, k->ifname, 0) == 0;
	case IPFW_OP_RECV:
		return fnmatch(i->name, k->rcv, 0) == 0;
	case IPFW_OP_XMIT:
		return !k->in && fnmatch(i->name, k->ifname, 0) == 0;
	case IPFW_OP_IPLEN:
		return k->len >= i->range.lo && k->len <= i->range.hi;
	case IPFW_OP_TTL:
		return k->ttl >= i->range.lo && k->ttl <= i->range.hi;
	case IPFW_OP_ESTABLISHED:
		return k->proto == IP_PROTO_TCP && (k->flags & 0x14) != 0;
	default:
		fail_msg("no reference for op %u", i->op);
		return false;
	}
}

static bool
ref_matches(const struct ipfw_rule *r, const struct ref_packet *k)
{
	for (uint32_t n = 0; n < r->count;) {
		bool block = false, term;

		do {
			bool not = (r->insns[n].flags & IPFW_NOT) != 0;

			term = false;
			do {
				term = ref_item(&r->insns[n], k) || term;
				n++;
			} while (n < r->count &&
			         (r->insns[n].flags & IPFW_LIST) != 0);
			block = block || term != not ;
		} while (n < r->count && (r->insns[n].flags & IPFW_OR) != 0);
		if (!block)
			return false;
	}
	return true;
}

/* True: allowed.  *@last: the rule that decided. */
static bool
ref_run(const struct ref_packet *k, const struct ipfw_rule **last)
{
	uint32_t from = 0;

	for (const struct ipfw_rule *r = TAILQ_FIRST(&fw->rules); r != NULL;
	     r = TAILQ_NEXT(r, link)) {
		if (r->head.number < from || !ref_matches(r, k))
			continue;
		*last = r;
		switch (r->head.action) {
		case IPFW_ALLOW:
			return true;
		case IPFW_DENY:
			return false;
		case IPFW_SKIPTO:
			from = r->head.arg > r->head.number
			           ? r->head.arg
			           : r->head.number + 1;
			break;
		default:
			break;
		}
	}
	*last = fw->last;
	return true;
}

static void
one_packet(struct prng *g)
{
	struct packet k = udp(1);
	struct ref_packet r = { 0 };
	const struct ipfw_rule *last;
	struct pfil_packet p = { 0 };
	uint64_t before;
	enum pfil_verdict v;
	bool in = prng_chance(g, 1, 2);

	k.proto = prng_chance(g, 1, 2) ? IP_PROTO_TCP : IP_PROTO_UDP;
	k.tcp_flags = (uint8_t)prng_below(g, 64);
	k.sip = 0x0a000000 + (uint32_t)prng_below(g, 5);
	k.dip = 0x0a000000 + (uint32_t)prng_below(g, 5);
	k.sport = (uint16_t)prng_below(g, 8);
	k.dport = (uint16_t)prng_below(g, 8);
	k.ttl = prng_chance(g, 1, 2) ? 64 : 1;
	r = (struct ref_packet){ .sip = k.sip,
		.dip = k.dip,
		.proto = k.proto,
		.flags = k.tcp_flags,
		.ttl = k.ttl,
		.sport = k.sport,
		.dport = k.dport,
		.len = k.proto == IP_PROTO_TCP ? 44 : 32,
		.in = in };
	p.frame = packet_make(l.net, &k);
	p.rcvif = l.p[prng_below(g, 2)];
	p.ifp = in ? p.rcvif : l.p[prng_below(g, 2)];
	r.ifname = p.ifp->name;
	r.rcv = p.rcvif->name;
	p.vnet = l.net->home;
	p.dir = in ? PFIL_IN : PFIL_OUT;
	p.layer = PFIL_IP4;
	p.ethertype = ETH_TYPE_IPV4;
	p.l3 = 14;
	v = ref_run(&r, &last) ? PFIL_PASS : PFIL_DROPPED;
	before = last->packets;
	if (pfil_run(&p) != v || last->packets != before + 1)
		fail_msg("rule %u should have decided", last->head.number);
	frame_release(p.frame);
}

/* Many lists of rules by chance, each with packets by chance. */
static void
test_decisions_are_those_of_the_reference(void **state)
{
	struct ipfw_table *t0, *t1;
	struct prng g = prng_init(5);
	struct ipfw_key k;

	(void)state;
	assert_int_equal(ipfw_table_make(fw, "0", IPFW_TABLE_ADDR, &t0), 0);
	assert_int_equal(ipfw_table_make(fw, "1", IPFW_TABLE_ADDR, &t1), 0);
	assert_int_equal(ipfw_table_key(t0, "10.0.0.1", &k), 0);
	assert_int_equal(ipfw_table_add(t0, &k, 0, false), 0);
	assert_int_equal(ipfw_table_key(t0, "10.0.0.2", &k), 0);
	assert_int_equal(ipfw_table_add(t0, &k, 0, false), 0);
	assert_int_equal(ipfw_table_key(t1, "10.0.0.0/31", &k), 0);
	assert_int_equal(ipfw_table_add(t1, &k, 0, false), 0);
	for (uint32_t list = 0; list < 150; list++) {
		const struct ipfw_range all = { 0, IPFW_NUMBER_MAX,
			UINT32_MAX };
		uint32_t count = 1 + (uint32_t)prng_below(&g, 60);
		char text[512];

		(void)ipfw_delete(fw, &all);
		for (uint32_t i = 0; i < count; i++) {
			random_rule(&g, 10 * (i + 1), text, sizeof(text));
			(void)add(text);
		}
		assert_int_equal(ipfw_commit(fw), 0);
		for (uint32_t i = 0; i < 100; i++)
			one_packet(&g);
	}
}

/* A packet does not meet rules that it cannot match, of whatever field. */
static void
test_rules_that_cannot_match_are_not_met(void **state)
{
	char text[128];

	(void)state;
	for (uint32_t n = 0; n < 4000; n++) {
		static const char *const forms[] = { "ip from 10.1.",
			"ip from any to 10.1.", "ip from 10.",
			"ip6 from 2001:db8:" };
		static const char *const ends[] = { " to any", "/32 in",
			".0/24 to any", "::/64 to any" };

		snprintf(text, sizeof(text), "%u deny %s%u%s%u%s", n + 1,
		    forms[n % 4], n / 250, n % 4 == 3 ? ":" : ".", n % 250,
		    ends[n % 4]);
		(void)add(text);
	}
	for (uint32_t n = 0; n < 1000; n++) {
		if (n % 2 == 0)
			snprintf(text, sizeof(text),
			    "%u deny tcp from any to any %u", 5000 + n,
			    2000 + 4 * n);
		else
			snprintf(text, sizeof(text),
			    "%u deny udp from any %u-%u to any", 5000 + n,
			    2000 + 4 * n, 2003 + 4 * n);
		(void)add(text);
	}
	assert_int_equal(ipfw_commit(fw), 0);
	for (int h = 0; h < IPFW_HOOKS; h++)
		assert_true(ipfw_program_linear(fw->programs[h]) < 16);
	{
		struct packet k = udp(1);

		assert_true(passes(&k, 0));
		k.sip = 0x0a010506; /* n is 1256 */
		assert_false(passes(&k, 0));
		assert_int_equal(rule(1257)->packets, 1);
	}
}

static bool
matches(const char *condition, const struct packet *k)
{
	char text[256];

	snprintf(text, sizeof(text), "10 deny %s", condition);
	RULES(text);
	return !passes(k, 0);
}

/* Each condition, held and not. */
static void
test_conditions(void **state)
{
	struct packet k = tcp(0x02, 1), v6 = udp(1), icmp = udp(1);

	(void)state;
	v6.v6 = true;
	icmp.proto = IP_PROTO_ICMP;
	icmp.icmp_type = 8;
	assert_true(matches("tcp from any to any", &k));
	assert_false(matches("udp from any to any", &k));
	assert_true(matches("tcp from any to any setup", &k));
	assert_false(matches("tcp from any to any established", &k));
	k.tcp_flags = 0x12;
	assert_false(matches("tcp from any to any setup", &k));
	assert_true(matches("tcp from any to any established", &k));
	assert_true(matches("tcp from any to any tcpflags syn,ack,!rst", &k));
	assert_false(matches("tcp from any to any tcpflags !ack", &k));
	assert_true(matches("tcp from any to any tcpseq 1000", &k));
	assert_false(matches("tcp from any to any tcpack 1000", &k));
	assert_true(matches("tcp from any to any tcpwin 0", &k));
	assert_true(matches("tcp from any to any tcpdatalen 4", &k));
	assert_true(matches("ip from 10.0.0.0/24{1,3} to any", &k));
	assert_false(matches("ip from 10.0.0.0/24{2,3} to any", &k));
	assert_true(matches("ip from 10.0.0.1:255.0.0.255 to any", &k));
	assert_true(matches("icmp from any to any icmptypes 0,8", &icmp));
	assert_false(matches("icmp from any to any icmptypes 0", &icmp));
	assert_true(matches("ip from any to any in recv port0", &k));
	assert_false(matches("ip from any to any in recv port1", &k));
	assert_true(
	    matches("ip from any to any out recv port0 xmit port1", &k));
	assert_true(matches("ip from any to any via port*", &k));
	assert_false(matches("ip from any to any via tap*", &k));
	assert_true(matches("ip from any to any via any", &k));
	assert_true(matches("ip from any to any bridged", &k));
	assert_false(matches("ip from any to any layer2", &k));
	assert_true(matches("ip from any to any not layer2", &k));
	assert_false(matches("ip from any to any MAC any any", &k));
	assert_true(matches("ip from any to any iplen 44", &k));
	assert_false(matches("ip from any to any ipid 5", &k));
	assert_true(matches("ip from any to any ipttl 64", &k));
	assert_true(matches("ip from any to any ipversion 4", &k));
	assert_false(matches("ip from any to any frag", &k));
	assert_true(matches("ip6 from any to any", &v6));
	assert_false(matches("ip4 from any to any", &v6));
	assert_true(matches("ip from 2001:db8::/32 to any", &v6));
	assert_true(matches("ip from any to 2001:db8::a00:2", &v6));
	assert_false(matches("ip from 2001:db8::2 to any", &v6));
	assert_true(matches("udp from any to any dst-port domain", &v6));
	assert_false(matches("ip from 10.0.0.1 to any", &v6));
	assert_false(matches("icmp from any to any icmp6types 128", &icmp));
	k.tos = 0xb8 | 0x10;
	assert_true(matches("ip from any to any dscp ef", &k));
	assert_false(matches("ip from any to any dscp cs6", &k));
	assert_true(matches("ip from any to any iptos lowdelay", &k));
	assert_true(matches("ip from any to any ipprecedence 5", &k));
	v6.tos = 0xb8;
	assert_true(matches("ip from any to any dscp ef", &v6));
	/* Fragments: but the first they have no ports. */
	k.frag = 5;
	k.proto = IP_PROTO_UDP;
	assert_true(matches("udp from any to any frag", &k));
	assert_false(matches("udp from any to any 80", &k));
	assert_false(matches("udp from any to any frag mf", &k));
	k.frag = 0x2000;
	assert_false(matches("ip from any to any frag", &k));
	assert_true(matches("ip from any to any frag mf,!offset", &k));
	assert_true(matches("udp from any to any 80", &k));
}

static void
test_layer2_conditions(void **state)
{
	struct frame_batch b = { .count = 1 };
	struct packet k = udp(1);

	(void)state;
	bridge_tunable_set(l.net->home, BRIDGE_IPFW, 1);
	assert_true(matches("MAC any 02:00:00:bb:00:01", &k));
	assert_false(matches("MAC any 02:00:00:bb:00:02", &k));
	assert_true(matches("MAC 02:00:00:bb:00:00/40 any", &k));
	assert_true(matches("src-mac 02:00:00:bb:00:01 layer2", &k));
	assert_false(matches("not MAC any 02:00:00:bb:00:01", &k));
	assert_true(matches("mac-type ip", &k));
	assert_false(matches("mac-type arp,0x86dd-0x86de", &k));
	assert_true(matches("udp from 10.0.0.1 to any 53 layer2", &k));
	/* What is no IP, too: "ip" is everything, as in BSD. */
	for (int round = 0; round < 3; round++) {
		RULES(round == 0   ? "deny mac-type 0x88b5 layer2"
		      : round == 1 ? "deny ip from any to any"
		                   : "deny ip4 from any to any");
		b.frames[0] = frame_make(l.net, station(2), station(1), 0, 9);
		b.count = 1;
		iface_input(l.p[0], &b);
		assert_seen(mock_of(l.p[1])->sent, round == 2 ? 9 : 0);
	}
}

static void
test_tables_select(void **state)
{
	struct packet k = udp(1);
	struct ipfw_table *t;
	struct ipfw_key key;

	(void)state;
	assert_false(matches("ip from table(x) to any", &k));
	t = ipfw_table(fw, "x");
	assert_int_equal(ipfw_table_key(t, "10.0.0.0/8", &key), 0);
	assert_int_equal(ipfw_table_add(t, &key, 20, false), 0);
	assert_false(passes(&k, 0));
	assert_true(matches("ip from table(x,20) to any", &k));
	assert_false(matches("ip from table(x,21) to any", &k));
	/* The argument of an action. */
	RULES("5 skipto tablearg ip from table(x) to any",
	    "10 deny ip from any to any", "20 allow ip from any to any");
	assert_true(passes(&k, 0));
	k.sip = 0x0b000001;
	assert_false(passes(&k, 0));
	RULES("5 deny lookup dst-port web", "6 deny ip from any to any "
	                                    "recv table(ports)");
	k.dport = 8080;
	assert_true(passes(&k, 0));
	t = ipfw_table(fw, "web");
	key = ipfw_key_number(8080);
	assert_int_equal(ipfw_table_add(t, &key, 0, false), 0);
	assert_false(passes(&k, 0));
	k.dport = 81;
	t = ipfw_table(fw, "ports");
	key = ipfw_key_name("port0");
	assert_int_equal(ipfw_table_add(t, &key, 0, false), 0);
	assert_false(passes(&k, 0));
}

static void
test_table_is_a_longest_prefix_match(void **state)
{
	struct prng g = prng_init(3);
	struct {
		uint32_t addr, len;
	} have[400];
	struct ipfw_table *t;

	(void)state;
	assert_int_equal(ipfw_table_create("t", IPFW_TABLE_ADDR, 7, &t), 0);
	for (uint32_t i = 0; i < 400; i++) {
		struct ipfw_key k;

		have[i].len = (uint32_t)prng_below(&g, 33);
		have[i].addr = prng_u32(&g) & 0xf0f0f0ff;
		if (have[i].len != 32)
			have[i].addr &= have[i].len == 0
			                    ? 0
			                    : UINT32_MAX << (32 - have[i].len);
		k = ipfw_key4(have[i].addr);
		k.len = (uint8_t)have[i].len;
		(void)ipfw_table_add(t, &k, i, true);
		if (i % 3 == 0) {
			assert_int_equal(ipfw_table_delete(t, &k), 0);
			have[i].len = 99;
		}
	}
	for (uint32_t n = 0; n < 20000; n++) {
		uint32_t a = prng_u32(&g) & 0xf0f0f0ff, best = 0;
		struct ipfw_key k = ipfw_key4(a);
		const struct ipfw_entry *e = ipfw_table_find(t, &k);
		bool any = false;

		for (uint32_t i = 0; i < 400; i++) {
			uint32_t len = have[i].len;
			bool gone = len == 99;

			/* Deleted by another of the same prefix. */
			for (uint32_t j = i + 1; !gone && j < 400; j += 1)
				gone = j % 3 == 0 &&
				       have[j].addr == have[i].addr &&
				       have[j].len == 99;
			if (len == 99 || gone ||
			    (len != 0 && (a ^ have[i].addr) >> (32 - len) != 0))
				continue;
			any = true;
			best = len > best ? len : best;
		}
		if (any && e != NULL)
			assert_true(e->key.len >= best);
		if (any)
			assert_non_null(e);
	}
	ipfw_table_destroy(t);
}

static void
test_sets_and_default(void **state)
{
	struct packet k = udp(1);
	uint64_t before;

	(void)state;
	RULES("10 set 3 deny ip from any to any");
	assert_false(passes(&k, 0));
	ipfw_sets(fw, 0, 1u << 3);
	assert_int_equal(ipfw_commit(fw), 0);
	assert_true(passes(&k, 0));
	ipfw_sets(fw, 1u << 3, 0);
	assert_int_equal(ipfw_commit(fw), 0);
	assert_false(passes(&k, 0));
	assert_int_equal(ipfw_set(fw, IPFW_ENABLE, 0), 0);
	assert_null(l.net->home->pfil);
	assert_true(passes(&k, 0));
	assert_int_equal(ipfw_set(fw, IPFW_ENABLE, 1), 0);
	rules((const char *const[]){ NULL });
	/* No rules: nothing is asked, and nothing costs. */
	assert_null(l.net->home->pfil);
	assert_true(passes(&k, 0));
	assert_int_equal(ipfw_set(fw, IPFW_DEFAULT_TO_ACCEPT, 0), 0);
	before = fw->last->packets;
	assert_false(passes(&k, 0));
	assert_int_equal(fw->last->packets, before + 1);
}

/* A header that must be read and is not there. */
static void
test_cut_headers_are_refused(void **state)
{
	static const uint8_t protos[] = { IP_PROTO_TCP, IP_PROTO_UDP,
		IP_PROTO_ICMP, IP_PROTO_SCTP };

	(void)state;
	RULES("10 count ip from any to any");
	for (size_t i = 0; i < ARRAY_LEN(protos); i++) {
		struct frame_batch b = { .count = 1 };
		struct packet k = udp(1);

		k.proto = protos[i];
		b.frames[0] = packet_make(l.net, &k);
		b.frames[0]->len = 14 + 20 + 3;
		be16_put(b.frames[0]->data + 16, 23);
		be16_put(b.frames[0]->data + 24, 0);
		be16_put(b.frames[0]->data + 24,
		    (uint16_t)~csum_fold(
		        csum_add(0, b.frames[0]->data + 14, 20)));
		iface_input(l.p[0], &b);
		assert_sent(&l, 1, 0);
		assert_drop(l.p[0], FILTER_BAD, i + 1);
	}
}

/* Fragments that would lie over a TCP header: RFC 1858, 3128. */
static void
test_overlapping_fragments_are_refused(void **state)
{
	(void)state;
	RULES(
	    "10 deny tcp from any to any setup", "20 allow ip from any to any");
	for (uint16_t at = 1; at < 6; at++) {
		struct packet k = tcp(ACK, 1);

		k.frag = at;
		/* Three words of eight bytes are the header, and what is in
		 * its last, behind it. */
		assert_int_equal(passes(&k, 0), at >= 3);
		k.frag = (uint16_t)(0x2000 | at);
		assert_int_equal(passes(&k, 0), at >= 3);
		k.proto = IP_PROTO_UDP;
		assert_true(passes(&k, 0));
	}
	assert_drop(l.p[0], FILTER_BAD, 4);
	/* IPv6: an own header says so. */
	for (uint16_t at = 1; at < 6; at++) {
		struct packet k = udp(1);
		struct frame_batch b = { .count = 1 };
		struct frame *f;

		k.v6 = true;
		f = packet_make(l.net, &k);
		memmove(f->data + 62, f->data + 54, f->len - 54);
		memset(f->data + 54, 0, 8);
		f->data[54] = IP_PROTO_TCP;
		be16_put(f->data + 56, (uint16_t)(at << 3));
		f->data[20] = 44;
		f->len += 8;
		be16_put(f->data + 18, (uint16_t)(f->len - 54));
		b.frames[0] = f;
		mock_of(l.p[1])->sent.count = 0;
		iface_input(l.p[0], &b);
		assert_int_equal(mock_of(l.p[1])->sent.count, at >= 3);
	}
}

static void
test_prob(void **state)
{
	uint32_t passed = 0;

	(void)state;
	RULES("10 prob 0.25 deny ip from any to any in");
	for (uint32_t i = 0; i < 10000; i++) {
		struct packet k = udp(1);

		passed += passes(&k, 0);
	}
	assert_true(passed > 7300 && passed < 7700);
}

/* --- states --------------------------------------------------------------- */

static void
later(uint32_t seconds)
{
	l.net->now_ns += seconds * (uint64_t)1000000000;
	while (timerheap_run(&l.timers, l.net->now_ns, 64) == 64)
		;
}

static void
test_keep_state(void **state)
{
	struct packet syn = tcp(SYN, 1), ack, fin;

	(void)state;
	RULES("5 check-state",
	    "10 allow tcp from 10.0.0.1 to any 80 setup keep-state",
	    "20 deny ip from any to any");
	ack = reply(tcp(SYN | ACK, 1));
	assert_false(passes(&ack, 1)); /* nobody has asked */
	assert_true(passes(&syn, 0));
	assert_true(passes(&ack, 1));
	assert_int_equal(fw->states.count, 1);
	ack = tcp(ACK, 1);
	assert_true(passes(&ack, 0));
	/* Another port is another flow. */
	ack.sport++;
	assert_false(passes(&ack, 0));
	/* Idle for as long as it may be, and longer. */
	ack = tcp(ACK, 1);
	later(299);
	assert_true(passes(&ack, 0));
	later(301);
	assert_false(passes(&ack, 0));
	assert_int_equal(fw->states.count, 0);
	/* Closed by both: for a second. */
	assert_true(passes(&syn, 0));
	ack = reply(tcp(SYN | ACK, 1));
	assert_true(passes(&ack, 1));
	fin = tcp(FIN | ACK, 1);
	assert_true(passes(&fin, 0));
	fin = reply(tcp(FIN | ACK, 1));
	assert_true(passes(&fin, 1));
	assert_true(passes(&fin, 1));
	later(2);
	assert_false(passes(&fin, 1));
	/* Reset. */
	assert_true(passes(&syn, 0));
	fin = reply(tcp(RST, 1));
	assert_true(passes(&fin, 1));
	later(2);
	assert_false(passes(&fin, 1));
	/* Never answered. */
	assert_true(passes(&syn, 0));
	later(21);
	ack = reply(tcp(SYN | ACK, 1));
	assert_false(passes(&ack, 1));
}

static void
test_keep_state_without_check_state(void **state)
{
	struct packet k = udp(1), r = reply(udp(1));

	(void)state;
	RULES("10 allow udp from 10.0.0.1 to any keep-state",
	    "20 deny ip from any to any");
	assert_true(passes(&k, 0));
	assert_true(passes(&r, 1));
	later(9);
	assert_true(passes(&r, 1));
	later(11);
	assert_false(passes(&r, 1));
	/* The rule's end is the end of its states. */
	assert_true(passes(&k, 0));
	assert_int_equal(fw->states.count, 1);
	{
		const struct ipfw_range ten = { 10, 10, UINT32_MAX };

		assert_int_equal(ipfw_delete(fw, &ten), 1);
	}
	assert_int_equal(ipfw_commit(fw), 0);
	assert_int_equal(fw->states.count, 0);
	assert_false(passes(&r, 1));
}

static void
test_state_names(void **state)
{
	struct packet k = udp(1), r = reply(udp(1));

	(void)state;
	RULES("5 check-state :b",
	    "10 allow udp from 10.0.0.1 to any in keep-state :a",
	    "11 allow udp from 10.0.0.1 to any out",
	    "20 deny ip from any to any");
	assert_true(passes(&k, 0));
	/* 10 looks for :a, and 11 has not seen it. */
	assert_true(passes(&r, 1));
	RULES("5 check-state :any",
	    "10 skipto 15 udp from 10.0.0.1 to any keep-state :a",
	    "12 deny udp from any to any", "15 allow ip from any to any");
	assert_true(passes(&k, 0));
	assert_true(passes(&r, 1)); /* skips, as the rule of its state */
}

static void
test_limit(void **state)
{
	uint32_t passed = 0;

	(void)state;
	RULES("10 allow udp from any to any in limit src-addr 3",
	    "20 allow ip from any to any out", "30 deny ip from any to any");
	for (uint32_t i = 0; i < 10; i++) {
		struct packet k = udp(1);

		k.sport = (uint16_t)(2000 + i);
		passed += passes(&k, 0);
	}
	assert_int_equal(passed, 3);
	assert_int_equal(fw->states.limited, 7);
	assert_int_equal(fw->states.count, 4); /* and the parent */
	/* Another source has its own three. */
	{
		struct packet k = udp(1);

		k.sip++;
		assert_true(passes(&k, 0));
	}
	later(11);
	{
		struct packet k = udp(1);

		assert_true(passes(&k, 0));
	}
	later(11);
	later(2);
	assert_int_equal(fw->states.count, 0);
}

/* 10^5 flows: no more than dyn_max states, the longest idle go, counted. */
static void
test_states_are_bounded(void **state)
{
	struct packet first = udp(1), r = reply(udp(1));

	(void)state;
	assert_int_equal(ipfw_set(fw, IPFW_DYN_MAX, 1000), 0);
	RULES("10 allow udp from any to any in keep-state",
	    "20 allow ip from any to any out");
	assert_true(passes(&first, 0));
	for (uint32_t i = 0; i < 100000; i++) {
		struct packet k = udp(1);

		k.sip = 0x0b000000 + i;
		if (i % 500 == 0) {
			/* The first is not idle. */
			l.net->now_ns += 1000000000;
			assert_true(passes(&first, 0));
		}
		assert_true(passes(&k, 0));
	}
	assert_int_equal(fw->states.count, 1000);
	assert_int_equal(fw->states.evicted, 100001 - 1000);
	assert_true(passes(&r, 1));
	assert_int_equal(fw->states.count, 1000);
}

/* --- answers -------------------------------------------------------------- */

struct caught {
	uint8_t data[2048];
	uint32_t len, count;
};
static struct caught caught;

static void
catch_transmit(struct iface *ifp, struct frame_batch *batch)
{
	(void)ifp;
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct frame *f = batch->frames[i];

		caught.count++;
		caught.len = f->len;
		memcpy(caught.data, f->data, f->len);
		frame_release(batch->frames[i]);
	}
}

static const struct parsed *
answer_of(const struct packet *k)
{
	static struct iface_ops ops;
	static struct parsed p;
	const struct iface_ops *saved = l.p[0]->ops;

	ops = *saved;
	ops.transmit = catch_transmit;
	l.p[0]->ops = &ops;
	caught.count = 0;
	packet_in(&l, 0, k);
	l.p[0]->ops = saved;
	if (caught.count == 0)
		return NULL;
	assert_int_equal(caught.count, 1);
	assert_int_equal(parse_frame(caught.data, caught.len, false, &p), 0);
	return &p;
}

static void
sums_are_right(const struct parsed *p)
{
	uint64_t sum = 0;

	if (p->ip == 4)
		assert_int_equal(csum_fold(csum_add(0, caught.data + p->l3,
		                     (size_t)(p->l4 - p->l3))),
		    0xffff);
	if (p->proto != IP_PROTO_ICMP)
		sum = l4_pseudo(caught.data, p, p->l4_len);
	assert_int_equal(
	    csum_fold(csum_add(sum, caught.data + p->l4, p->l4_len)), 0xffff);
}

static void
test_reset(void **state)
{
	struct packet k = tcp(SYN, 1);
	const struct parsed *p;

	(void)state;
	RULES("10 reset tcp from any to any 80", "20 reset ip from any to any");
	for (int v6 = 0; v6 < 2; v6++) {
		k.v6 = v6 != 0;
		k.tcp_flags = SYN;
		p = answer_of(&k);
		assert_non_null(p);
		sums_are_right(p);
		assert_int_equal(be16_get(caught.data + p->l4), 80);
		assert_int_equal(be16_get(caught.data + p->l4 + 2), 1000);
		/* 1000, the SYN and 4 bytes. */
		assert_int_equal(be32_get(caught.data + p->l4 + 8), 1005);
		assert_int_equal(
		    caught.data[p->l4 + TCP_FLAGS_OFFSET], RST | ACK);
		assert_int_equal(be64_get(caught.data) >> 16, station(1));
		assert_int_equal(be64_get(caught.data + 6) >> 16, station(2));
		k.tcp_flags = ACK;
		p = answer_of(&k);
		assert_int_equal(caught.data[p->l4 + TCP_FLAGS_OFFSET], RST);
		k.tcp_flags = RST;
		assert_null(answer_of(&k));
	}
	k = udp(1);
	assert_null(answer_of(&k));
	assert_drop(l.p[0], FILTERED, 7);
}

static void
test_unreach(void **state)
{
	struct packet k = udp(1);
	const struct parsed *p;

	(void)state;
	k.payload = 1200;
	RULES("10 unreach filter-prohib udp from any to any 53",
	    "20 unreach6 admin-prohib udp from any to any 54",
	    "30 reject ip from any to any");
	p = answer_of(&k);
	sums_are_right(p);
	assert_int_equal(caught.data[p->l4], 3);
	assert_int_equal(caught.data[p->l4 + 1], 13);
	assert_int_equal(p->ip_end - p->l3, 576);
	k.dport = 54;
	assert_null(answer_of(&k)); /* of IPv6 */
	k.dport = 55;
	p = answer_of(&k);
	assert_int_equal(caught.data[p->l4 + 1], 1);
	k.v6 = true;
	k.dport = 54;
	p = answer_of(&k);
	sums_are_right(p);
	assert_int_equal(caught.data[p->l4], 1);
	assert_int_equal(caught.data[p->l4 + 1], 1);
	/* With its tag. */
	k = udp(1);
	k.vid = 7;
	p = answer_of(&k);
	assert_int_equal(p->tags, 1);
	sums_are_right(p);
	/* Nobody is told about errors, later fragments, groups, nobody. */
	k = udp(1);
	k.proto = IP_PROTO_ICMP;
	k.icmp_type = 3;
	assert_null(answer_of(&k));
	k.icmp_type = 8;
	assert_non_null(answer_of(&k));
	k = udp(1);
	k.frag = 3;
	assert_null(answer_of(&k));
	k = udp(1);
	k.dst = BROADCAST;
	assert_null(answer_of(&k));
	k = udp(1);
	k.sip = 0;
	assert_null(answer_of(&k));
	k = udp(1);
	k.dip = 0xe0000001;
	assert_null(answer_of(&k));
}

static void
test_answers_are_limited(void **state)
{
	struct packet k = udp(1);
	uint32_t answers = 0;

	(void)state;
	RULES("10 unreach port ip from any to any");
	for (uint32_t i = 0; i < 1000; i++)
		answers += answer_of(&k) != NULL;
	assert_int_equal(answers, 200);
	assert_int_equal(fw->answered, 200);
	assert_int_equal(fw->unanswered, 800);
	later(2);
	assert_non_null(answer_of(&k));
}

/* --- log, trace, me ------------------------------------------------------- */

static struct fixture_events events;

static void
test_log(void **state)
{
	struct packet k = udp(1);

	(void)state;
	fixture_subscribe(l.net, &events);
	RULES("10 count log logamount 2 udp from any to any in");
	assert_true(passes(&k, 0));
	assert_string_equal(events.text,
	    "ipfw: 10 Count UDP 10.0.0.1:1000 10.0.0.2:53 in via port0");
	assert_true(passes(&k, 0));
	assert_true(passes(&k, 0));
	assert_int_equal(events.count[NET_EVENT_NOTICE], 2);
	net_unsubscribe(l.net, &events.sub);
}

struct steps {
	struct info info;
	char text[8192];
};

static void
step_str(struct info *i, const char *key, const char *value)
{
	struct steps *s = CONTAINER_OF(i, struct steps, info);
	size_t len = strlen(s->text);

	if (strcmp(key, "text") == 0)
		snprintf(s->text + len, sizeof(s->text) - len, "%s\n", value);
}

static void
step_u64(struct info *i, const char *key, uint64_t v)
{
	(void)i, (void)key, (void)v;
}

static void
step_key(struct info *i, const char *key)
{
	(void)i, (void)key;
}

static void
step_end(struct info *i)
{
	(void)i;
}

/* A trace names the rule that would drop the frame, and changes nothing. */
static void
test_trace_names_the_rule(void **state)
{
	static struct steps s = { .info = { .str = step_str,
		                      .u64 = step_u64,
		                      .begin_object = step_key,
		                      .begin_list = step_key,
		                      .end = step_end } };
	struct packet k = udp(1);
	struct frame *f = packet_make(l.net, &k);
	const struct trace_request r = {
		.ifp = l.p[0], .data = f->data, .len = f->len
	};

	(void)state;
	RULES("5 count log ip from any to any",
	    "7 allow tcp from any to any keep-state",
	    "10 deny udp from any to any 53 out");
	assert_int_equal(bridge_trace(&r, &s.info), 0);
	assert_non_null(strstr(s.text,
	    "out port1: is denied: 00010 deny udp from any to any 53 out"));
	assert_non_null(strstr(s.text, "Refused by the packet filter."));
	assert_int_equal(rule(5)->packets, 0);
	assert_int_equal(rule(10)->packets, 0);
	assert_int_equal(fw->states.count, 0);
	frame_release(f);
}

static int
addresses(void *arg, const struct iface *ifp, struct info *out)
{
	(void)arg, (void)ifp;
	info_list(out, "addresses");
	info_object(out, NULL);
	info_str(out, "address", "10.0.0.2");
	info_end(out);
	info_end(out);
	return 0;
}

static void
test_me_is_the_host(void **state)
{
	struct packet k = udp(1);

	(void)state;
	l.net->system.addr_list = addresses;
	host_give(l.br, &br_mock, l.net->home);
	assert_true(matches("ip from any to me", &k));
	assert_false(matches("ip from me to any", &k));
	assert_false(matches("ip from any to me6", &k));
	l.br->host = NULL;
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_text_and_back),
		T(test_decisions_are_those_of_the_reference),
		T(test_rules_that_cannot_match_are_not_met),
		T(test_conditions),
		T(test_layer2_conditions),
		T(test_tables_select),
		T(test_table_is_a_longest_prefix_match),
		T(test_sets_and_default),
		T(test_cut_headers_are_refused),
		T(test_overlapping_fragments_are_refused),
		T(test_prob),
		T(test_keep_state),
		T(test_keep_state_without_check_state),
		T(test_state_names),
		T(test_limit),
		T(test_states_are_bounded),
		T(test_reset),
		T(test_unreach),
		T(test_answers_are_limited),
		T(test_log),
		T(test_trace_names_the_rule),
		T(test_me_is_the_host),
	};

	return cmocka_run_group_tests_name("pfil_ipfw", tests, NULL, NULL);
}

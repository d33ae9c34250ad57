/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets through a program of rules: what of them is looked at, which rows
 * they meet, what the rules do, and the states.  See ipfw_program.h.
 */
#include <fnmatch.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "frame/l4.h"
#include "frame/parse.h"
#include "pfil/ipfw_program.h"

#define TCP_HDR_MIN 20u

/* --- packets -------------------------------------------------------------- */

/* A packet, as far as it is looked at. */
struct view {
	struct parsed ip;
	const uint8_t *l3, *l4;
	uint32_t src, dst; /* of IPv4 */
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint8_t frag; /* IPFW_FRAG_* */
	bool ports, tcp, l4_there;
	uint32_t len; /* of the IP packet */
	uint32_t tablearg;
	struct ipfw *fw;
	const struct pfil_packet *p;
};

/* Nearly all packets: UDP or TCP over IPv4 without options, whole. True: it is
 * one, and @v is filled. */
static inline bool
view_plain(struct view *v, const struct frame *f)
{
	uint32_t avail = f->len - v->p->l3, total, data;
	const uint8_t *ip = v->l3, *l4 = ip + 20;

	if (v->p->ethertype != ETH_TYPE_IPV4 || avail < 40 || ip[0] != 0x45 ||
	    f->off.gso_type != FRAME_GSO_NONE ||
	    (be16_get(ip + 6) & 0xbfff) != 0)
		return false;
	total = be16_get(ip + 2);
	if (total > avail || total < 40)
		return false;
	v->ip.ip = 4;
	v->ip.proto = ip[9];
	v->ip.l4 = (uint16_t)(v->p->l3 + 20);
	v->ip.l4_len = total - 20;
	v->ip.ip_end = v->p->l3 + total;
	v->ip.l4_ok = true;
	if (ip[9] == IP_PROTO_UDP) {
		v->ip.l4_hdr = 8;
	} else if (ip[9] == IP_PROTO_TCP) {
		data = (uint32_t)(l4[12] >> 4) * 4;
		if (data < 20 || data > total - 20)
			return false;
		v->ip.l4_hdr = (uint16_t)data;
		v->tcp = true;
		v->tcp_flags = l4[TCP_FLAGS_OFFSET];
	} else {
		return false;
	}
	v->ports = v->l4_there = true;
	v->frag = (ip[6] & 0x40) != 0 ? IPFW_FRAG_DF : 0;
	v->l4 = l4;
	v->src = be32_get(ip + 12);
	v->dst = be32_get(ip + 16);
	v->sport = be16_get(l4);
	v->dport = be16_get(l4 + 2);
	v->len = total;
	return true;
}

/* False: a header that must be there is not. */
static bool
view_fill(struct view *v, struct ipfw *fw, const struct pfil_packet *p)
{
	const struct frame *f = p->frame;
	bool gso = f->off.gso_type != FRAME_GSO_NONE;
	bool first;
	uint32_t least = 0;

	v->fw = fw;
	v->p = p;
	v->tablearg = 0;
	v->ip = (struct parsed){ .ethertype = p->ethertype, .l3 = p->l3 };
	v->ports = v->tcp = v->l4_there = false;
	v->tcp_flags = v->frag = 0;
	v->sport = v->dport = 0;
	v->l3 = f->data + p->l3;
	v->l4 = v->l3;
	v->len = 0;
	if (__builtin_expect(view_plain(v, f), 1))
		return true;
	if (p->ethertype != ETH_TYPE_IPV4 && p->ethertype != ETH_TYPE_IPV6)
		return true;
	v->ip = (struct parsed){ .ethertype = p->ethertype, .l3 = p->l3 };
	v->ports = v->tcp = v->l4_there = false;
	if (parse_network(f->data, f->len, gso, &v->ip) != 0)
		return false;
	if (v->ip.ip == 4) {
		uint16_t field = be16_get(v->l3 + 6);

		v->src = be32_get(v->l3 + 12);
		v->dst = be32_get(v->l3 + 16);
		v->frag =
		    (uint8_t)(((field & 0x2000) != 0 ? IPFW_FRAG_MF : 0) |
		              ((field & 0x4000) != 0 ? IPFW_FRAG_DF : 0) |
		              ((field & 0x8000) != 0 ? IPFW_FRAG_RF : 0) |
		              ((field & 0x1fff) != 0 ? IPFW_FRAG_OFFSET : 0));
	} else if (v->ip.fragment) {
		v->frag = (uint8_t)((v->ip.more ? IPFW_FRAG_MF : 0) |
		                    (v->ip.first ? 0 : IPFW_FRAG_OFFSET));
	}
	v->len = v->ip.ip_end - p->l3;
	first = !v->ip.fragment || v->ip.first;
	/* What would lie over a TCP header that has been judged: RFC 1858,
	 * 3128. Of IPv6 nobody can say what is behind the headers of the first.
	 */
	if (!first)
		return (v->ip.ip == 4 && v->ip.proto != IP_PROTO_TCP) ||
		       v->ip.frag_at >= TCP_HDR_MIN;
	if (!v->ip.l4_ok) /* a chain of headers without an end */
		return v->ip.ip == 6 && v->ip.proto == 59;
	v->l4 = f->data + v->ip.l4;
	switch (v->ip.proto) {
	case IP_PROTO_TCP:
	case IP_PROTO_UDP:
		if (v->ip.l4_hdr == 0)
			return false;
		v->ports = true;
		break;
	case 136: /* UDP-lite */
		least = 8;
		v->ports = true;
		break;
	case IP_PROTO_SCTP:
		least = 12;
		v->ports = true;
		break;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMP6:
		least = 4;
		break;
	default:
		break;
	}
	if (v->ip.l4_len < least)
		return false;
	v->l4_there = true;
	if (v->ports) {
		v->sport = be16_get(v->l4);
		v->dport = be16_get(v->l4 + 2);
	}
	if (v->ip.proto == IP_PROTO_TCP) {
		v->tcp = true;
		v->tcp_flags = v->l4[TCP_FLAGS_OFFSET];
	}
	return true;
}

static inline bool
in_range(const struct item *i, uint32_t n)
{
	return n >= i->range.lo && n <= i->range.hi;
}

static inline bool
in_set(const struct item *i, uint32_t n)
{
	return n < 256 && (i->set.bits[n / 64] >> n % 64 & 1) != 0;
}

static inline bool
has_bits(const struct item *i, uint8_t bits)
{
	return (bits & i->bits.on) == i->bits.on && (bits & i->bits.off) == 0;
}

/* Options of IPv4 or TCP, as bits. */
static uint8_t
options4(const struct view *v)
{
	uint32_t hlen = (uint32_t)(v->l3[0] & 15) * 4, at = 20;
	uint8_t found = 0;

	while (at < hlen && v->l3[at] != 0) {
		uint8_t type = v->l3[at];

		if (type == 1) {
			at++;
			continue;
		}
		if (hlen - at < 2 || v->l3[at + 1] < 2 ||
		    v->l3[at + 1] > hlen - at)
			break;
		found |= (uint8_t)(type == 137   ? 1 /* ssrr */
		                   : type == 131 ? 2 /* lsrr */
		                   : type == 7   ? 4 /* rr */
		                   : type == 68  ? 8 /* ts */
		                                 : 0);
		at += v->l3[at + 1];
	}
	return found;
}

static uint8_t
tcp_options(const struct view *v)
{
	uint32_t hlen = v->ip.l4_hdr, at = 20;
	uint8_t found = 0;

	while (at < hlen && v->l4[at] != 0) {
		uint8_t type = v->l4[at];

		if (type == 1) {
			at++;
			continue;
		}
		if (hlen - at < 2 || v->l4[at + 1] < 2 ||
		    v->l4[at + 1] > hlen - at)
			break;
		found |= (uint8_t)(type == 2                  ? 1  /* mss */
		                   : type == 3                ? 2  /* window */
		                   : type == 4 || type == 5   ? 4  /* sack */
		                   : type == 8                ? 8  /* ts */
		                   : type >= 11 && type <= 13 ? 16 /* cc */
		                                              : 0);
		at += v->l4[at + 1];
	}
	return found;
}

static uint8_t
traffic_class(const struct view *v)
{
	return v->ip.ip == 4 ? v->l3[1] : (uint8_t)(be16_get(v->l3) >> 4);
}

/* An address of the packet as a key; false: it has none. */
static bool
addr_key(const struct view *v, bool src, struct ipfw_key *k)
{
	if (v->ip.ip == 4)
		*k = ipfw_key4(src ? v->src : v->dst);
	else if (v->ip.ip == 6)
		*k = ipfw_key6(v->l3 + (src ? 8 : 24));
	else
		return false;
	return true;
}

static bool
table_has(struct view *v, const struct item *i, const struct ipfw_key *k)
{
	const struct ipfw_entry *e =
	    i->table.t != NULL ? ipfw_table_find(i->table.t, k) : NULL;

	if (e == NULL || (i->table.valued && e->value != i->table.value))
		return false;
	v->tablearg = e->value;
	return true;
}

static bool
lookup(struct view *v, const struct item *i)
{
	const uint8_t *data = v->p->frame->data;
	struct ipfw_key k;

	switch ((enum ipfw_lookup)i->table.key) {
	case IPFW_LOOKUP_DST_IP:
	case IPFW_LOOKUP_SRC_IP:
		if (!addr_key(v, i->table.key == IPFW_LOOKUP_SRC_IP, &k))
			return false;
		break;
	case IPFW_LOOKUP_DST_PORT:
	case IPFW_LOOKUP_SRC_PORT:
		if (!v->ports)
			return false;
		k = ipfw_key_number(
		    i->table.key == IPFW_LOOKUP_DST_PORT ? v->dport : v->sport);
		break;
	case IPFW_LOOKUP_DST_MAC:
		k = ipfw_key_mac(data);
		break;
	case IPFW_LOOKUP_SRC_MAC:
		k = ipfw_key_mac(data + ETH_ADDR_LEN);
		break;
	case IPFW_LOOKUP_DSCP:
		if (v->ip.ip == 0)
			return false;
		k = ipfw_key_number(traffic_class(v) >> 2);
		break;
	case IPFW_LOOKUPS:
		return false;
	}
	return table_has(v, i, &k);
}

/* The interface that recv, xmit or via is about, or NULL. */
static const struct iface *
iface_of(const struct view *v, enum ipfw_op op)
{
	switch (op) {
	case IPFW_OP_RECV:
	case IPFW_OP_RECV_TABLE:
		return v->p->rcvif;
	case IPFW_OP_XMIT:
	case IPFW_OP_XMIT_TABLE:
		return v->p->dir == PFIL_OUT ? v->p->ifp : NULL;
	default:
		return v->p->ifp;
	}
}

static bool
iface_is(const struct view *v, const struct item *i)
{
	const struct iface *ifp = iface_of(v, i->op);

	if (ifp == NULL)
		return false;
	if (strcmp(i->name, ifp->name) == 0)
		return true;
	return has_wildcard(i->name) &&
	       (strcmp(i->name, "any") == 0 ||
	           fnmatch(i->name, ifp->name, 0) == 0);
}

static bool
table_of_iface(struct view *v, const struct item *i)
{
	const struct iface *ifp = iface_of(v, i->op);
	struct ipfw_key k;

	if (ifp == NULL)
		return false;
	k = ipfw_key_name(ifp->name);
	return table_has(v, i, &k);
}

static bool
table_of_addr(struct view *v, const struct item *i, bool src)
{
	struct ipfw_key k;

	return addr_key(v, src, &k) && table_has(v, i, &k);
}

static bool
is_me(struct view *v, const struct item *i, bool src)
{
	struct ipfw_key k;

	return (i->num == 0 || i->num == v->ip.ip) && addr_key(v, src, &k) &&
	       ipfw_is_me(v->fw, &k);
}

static inline bool
is_ip6(const struct view *v, const struct item *i, uint32_t at)
{
	return v->ip.ip == 6 &&
	       (be64_get(v->l3 + at) & i->ip6.hi_mask) == i->ip6.hi &&
	       (be64_get(v->l3 + at + 8) & i->ip6.lo_mask) == i->ip6.lo;
}

static bool
item_holds(struct view *v, const struct item *i)
{
	const uint8_t *data = v->p->frame->data;
	struct ipfw_key k;
	uint32_t n;

	switch ((enum ipfw_op)i->op) {
	case IPFW_OP_PROTO:
		return v->ip.ip != 0 && v->ip.proto == i->num;
	case IPFW_OP_VERSION:
		return v->ip.ip == i->num;
	case IPFW_OP_SRC_IP4:
		return v->ip.ip == 4 && (v->src & i->ip4.mask) == i->ip4.addr;
	case IPFW_OP_DST_IP4:
		return v->ip.ip == 4 && (v->dst & i->ip4.mask) == i->ip4.addr;
	case IPFW_OP_SRC_SET:
		return v->ip.ip == 4 && in_set(i, v->src - i->set.addr);
	case IPFW_OP_DST_SET:
		return v->ip.ip == 4 && in_set(i, v->dst - i->set.addr);
	case IPFW_OP_SRC_IP6:
		return is_ip6(v, i, 8);
	case IPFW_OP_DST_IP6:
		return is_ip6(v, i, 24);
	case IPFW_OP_SRC_ME:
		return is_me(v, i, true);
	case IPFW_OP_DST_ME:
		return is_me(v, i, false);
	case IPFW_OP_SRC_TABLE:
		return table_of_addr(v, i, true);
	case IPFW_OP_DST_TABLE:
		return table_of_addr(v, i, false);
	case IPFW_OP_SRC_PORT:
		return v->ports && in_range(i, v->sport);
	case IPFW_OP_DST_PORT:
		return v->ports && in_range(i, v->dport);
	case IPFW_OP_BRIDGED:
		return v->p->bridged;
	case IPFW_OP_VIA:
	case IPFW_OP_RECV:
	case IPFW_OP_XMIT:
		return iface_is(v, i);
	case IPFW_OP_VIA_TABLE:
	case IPFW_OP_RECV_TABLE:
	case IPFW_OP_XMIT_TABLE:
		return table_of_iface(v, i);
	case IPFW_OP_MAC:
		return (be64_get(data) >> 16 & i->mac.dst_mask) == i->mac.dst &&
		       (be64_get(data + ETH_ADDR_LEN) >> 16 &
		           i->mac.src_mask) == i->mac.src;
	case IPFW_OP_SRC_MAC_TABLE:
		k = ipfw_key_mac(data + ETH_ADDR_LEN);
		return table_has(v, i, &k);
	case IPFW_OP_DST_MAC_TABLE:
		k = ipfw_key_mac(data);
		return table_has(v, i, &k);
	case IPFW_OP_MAC_TYPE:
		return in_range(i, v->p->ethertype);
	case IPFW_OP_TCPFLAGS:
		return v->tcp && has_bits(i, v->tcp_flags & 0x3f);
	case IPFW_OP_ESTABLISHED: /* RST or ACK */
		return v->tcp && (v->tcp_flags & 0x14) != 0;
	case IPFW_OP_ICMPTYPES:
		return v->l4_there && v->ip.ip == 4 &&
		       v->ip.proto == IP_PROTO_ICMP && in_set(i, v->l4[0]);
	case IPFW_OP_ICMP6TYPES:
		return v->l4_there && v->ip.ip == 6 &&
		       v->ip.proto == IP_PROTO_ICMP6 && in_set(i, v->l4[0]);
	case IPFW_OP_FRAG:
		return v->ip.ip != 0 && has_bits(i, v->frag);
	case IPFW_OP_IPOPTIONS:
		return v->ip.ip == 4 && has_bits(i, options4(v));
	case IPFW_OP_TCPOPTIONS:
		return v->tcp && has_bits(i, tcp_options(v));
	case IPFW_OP_IPLEN:
		return v->ip.ip != 0 && in_range(i, v->len);
	case IPFW_OP_IPID:
		return v->ip.ip == 4 && in_range(i, be16_get(v->l3 + 4));
	case IPFW_OP_TTL:
		return v->ip.ip != 0 &&
		       in_range(i, v->l3[v->ip.ip == 4 ? 8 : 7]);
	case IPFW_OP_TCPDATALEN:
		return v->tcp && in_range(i, v->ip.l4_len - v->ip.l4_hdr);
	case IPFW_OP_TCPWIN:
		return v->tcp && in_range(i, be16_get(v->l4 + 14));
	case IPFW_OP_TCPACK:
		return v->tcp && be32_get(v->l4 + 8) == i->num;
	case IPFW_OP_TCPSEQ:
		return v->tcp && be32_get(v->l4 + 4) == i->num;
	case IPFW_OP_IPVER:
		return v->ip.ip == i->num;
	case IPFW_OP_PRECEDENCE:
		return v->ip.ip == 4 && v->l3[1] >> 5 == (int)i->num;
	case IPFW_OP_TOS:
		return v->ip.ip == 4 && has_bits(i, v->l3[1]);
	case IPFW_OP_DSCP:
		n = traffic_class(v) >> 2;
		return v->ip.ip != 0 && in_set(i, n);
	case IPFW_OP_LOOKUP:
		return lookup(v, i);
	case IPFW_OP_IN: /* these were decided by compiling */
	case IPFW_OP_OUT:
	case IPFW_OP_LAYER2:
	case IPFW_OP_SRC_MAC:
	case IPFW_OP_DST_MAC:
	case IPFW_OP_KEEP_STATE:
	case IPFW_OP_LIMIT:
	case IPFW_OPS:
		break;
	}
	return true;
}

static inline bool
row_matches(
    const struct ipfw_program *prog, const struct row *row, struct view *v)
{
	const struct item *items;
	uint16_t at = 0;

	if (row->count == 0)
		return true;
	items = &prog->items[row->items];
	while (at < row->count)
		at = item_holds(v, &items[at]) ? items[at].yes : items[at].no;
	return at == row->count;
}

/* --- which rows ----------------------------------------------------------- */

/* What is left of the lists of rows that a packet may match. */
struct cursor {
	const uint32_t *at, *end;
};

struct walk {
	uint32_t count;
	struct cursor lists[GROUPS_MAX + 1];
};

/* The packet's value for a group; false: it has none. */
static inline bool
group_value(
    const struct view *v, const struct group *g, uint64_t *hi, uint64_t *lo)
{
	const struct pfil_packet *p = v->p;
	const uint8_t *data = p->frame->data;
	const struct iface *ifp = NULL;

	*hi = *lo = 0;
	switch ((enum field)g->field) {
	case FIELD_SRC_IP4:
		if (v->ip.ip != 4)
			return false;
		*hi = (uint64_t)v->src << 32;
		break;
	case FIELD_DST_IP4:
		if (v->ip.ip != 4)
			return false;
		*hi = (uint64_t)v->dst << 32;
		break;
	case FIELD_SRC_IP6:
	case FIELD_DST_IP6:
		if (v->ip.ip != 6)
			return false;
		data = v->l3 + (g->field == FIELD_SRC_IP6 ? 8 : 24);
		*hi = be64_get(data);
		*lo = be64_get(data + 8) &
		      high_bits(g->len > 64 ? g->len - 64u : 0);
		break;
	case FIELD_SRC_MAC:
		*hi = be64_get(data + ETH_ADDR_LEN);
		break;
	case FIELD_DST_MAC:
		*hi = be64_get(data);
		break;
	case FIELD_SRC_PORT:
		*hi = (uint64_t)v->sport << 48;
		return v->ports && ((*hi &= high_bits(g->len)), true);
	case FIELD_DST_PORT:
		*hi = (uint64_t)v->dport << 48;
		return v->ports && ((*hi &= high_bits(g->len)), true);
	case FIELD_MAC_TYPE:
		*hi = (uint64_t)p->ethertype << 48;
		break;
	case FIELD_PROTO:
		if (v->ip.ip == 0)
			return false;
		*hi = (uint64_t)v->ip.proto << 56;
		break;
	case FIELD_VIA:
		ifp = p->ifp;
		break;
	case FIELD_RECV:
		ifp = p->rcvif;
		break;
	case FIELD_XMIT:
		ifp = p->dir == PFIL_OUT ? p->ifp : NULL;
		break;
	case FIELDS:
		return false;
	}
	if (g->field >= FIELD_VIA && g->field <= FIELD_XMIT) {
		struct ipfw_key k;

		if (ifp == NULL)
			return false;
		k = ipfw_key_name(ifp->name);
		*hi = k.hi;
		*lo = k.lo;
		return true;
	}
	*hi &= high_bits(g->len);
	return true;
}

static inline void
walk_add(struct walk *w, const uint32_t *rows, uint32_t count)
{
	if (count != 0)
		w->lists[w->count++] = (struct cursor){ rows, rows + count };
}

static inline void
walk_begin(
    struct walk *w, const struct ipfw_program *prog, const struct view *v)
{
	w->count = 0;
	walk_add(w, prog->unfiled, prog->unfiled_count);
	for (uint32_t g = 0; g < prog->group_count; g++) {
		const struct bucket *b;
		uint64_t hi, lo;

		if (!group_value(v, &prog->groups[g], &hi, &lo))
			continue;
		b = bucket_find(prog, filing_hash(prog, g, hi, lo));
		walk_add(w, prog->filed + b->first, b->count);
	}
}

/* The next row from @from on, or UINT32_MAX. */
static inline uint32_t
walk_next(struct walk *w, uint32_t from)
{
	uint32_t next = UINT32_MAX;

	/* Nothing is filed, or nothing that was: one list. */
	if (w->count == 1) {
		struct cursor *c = &w->lists[0];

		while (c->at != c->end && *c->at < from)
			c->at++;
		return c->at != c->end ? *c->at : UINT32_MAX;
	}
	for (uint32_t i = 0; i < w->count;) {
		struct cursor *c = &w->lists[i];

		while (c->at != c->end && *c->at < from)
			c->at++;
		if (c->at == c->end) {
			*c = w->lists[--w->count];
			continue;
		}
		if (*c->at < next)
			next = *c->at;
		i++;
	}
	return next;
}

/* --- what rules do -------------------------------------------------------- */

/* What comes of a rule: a verdict, or (with -1) on from *@next. */
#define GO_ON (-1)

static void
tell(const struct pfil_packet *p, const struct ipfw_rule *r, const char *what)
{
	char text[512];
	struct sbuf b = sbuf_init(text, sizeof(text));

	ipfw_print(&r->head, r->insns, r->count, 0, &b);
	net_trace(p->ifp, "ipfw", "%s%s %s: %s: %05u %s",
	    p->layer == PFIL_ETHER ? "layer2 " : "",
	    p->dir == PFIL_IN ? "in" : "out", p->ifp->name, what,
	    r->head.number, text);
}

/* The argument of an action. */
static uint32_t
argument(const struct ipfw_rule *r, const struct view *v)
{
	return r->head.arg == IPFW_TABLEARG ? v->tablearg : r->head.arg;
}

static const char *
action_text(const struct ipfw_rule *r)
{
	switch (r->head.action) {
	case IPFW_ALLOW:
		return "passes";
	case IPFW_DENY:
		return "is denied";
	case IPFW_REJECT:
	case IPFW_RESET:
	case IPFW_UNREACH:
	case IPFW_RESET6:
	case IPFW_UNREACH6:
		return "is denied, with an answer";
	case IPFW_PIPE:
	case IPFW_QUEUE:
		return "goes through the pipe";
	case IPFW_SKIPTO:
		return "skips rules";
	case IPFW_COUNT:
	case IPFW_CHECK_STATE:
	case IPFW_ACTIONS:
		break;
	}
	return "is counted";
}

/* @r's action for a packet; @after: the row behind the rule. */
static int
act(struct ipfw *fw, const struct ipfw_program *prog, struct ipfw_rule *r,
    struct view *v, struct pfil_packet *p, uint32_t after, uint32_t *next)
{
	uint32_t number;

	if (__builtin_expect(p->trace, 0)) {
		tell(p, r, action_text(r));
	} else {
		r->packets++;
		r->bytes += v->ip.ip != 0 ? v->len : p->frame->len - p->l3;
		r->last_ns = fw->net->now_ns;
		if (r->head.log)
			ipfw_log(fw, r, p, &v->ip);
	}
	switch (r->head.action) {
	case IPFW_ALLOW:
		return PFIL_PASS;
	case IPFW_DENY:
		return PFIL_DROPPED;
	case IPFW_COUNT:
	case IPFW_CHECK_STATE:
	case IPFW_ACTIONS:
		*next = after;
		return GO_ON;
	case IPFW_SKIPTO:
		number = COAX_MAX(argument(r, v), r->head.number + 1);
		*next = row_from(prog, number, 0);
		return GO_ON;
	case IPFW_REJECT:
	case IPFW_RESET:
	case IPFW_UNREACH:
	case IPFW_RESET6:
	case IPFW_UNREACH6:
		if (!p->trace)
			ipfw_answer(fw, r, p, &v->ip);
		return PFIL_DROPPED;
	case IPFW_PIPE:
	case IPFW_QUEUE:
		if (p->trace) {
			*next = after;
			return fw->settings[IPFW_ONE_PASS] != 0 ? (int)PFIL_PASS
			                                        : GO_ON;
		}
		if (fw->settings[IPFW_ONE_PASS] != 0) {
			p->where.hook++;
			p->where.cookie = 0;
		} else {
			p->where.cookie =
			    (uint64_t)(r->head.number + 1) << 32 | r->id;
		}
		return (int)dummynet_take(&fw->pipes,
		    r->head.action == IPFW_QUEUE, argument(r, v), p, &v->ip);
	}
	return GO_ON;
}

/* --- states --------------------------------------------------------------- */

static bool
flow_of(const struct view *v, struct ipfw_flow *f)
{
	if (v->ip.ip == 0 || (v->ip.fragment && !v->ip.first))
		return false;
	*f = (struct ipfw_flow){
		.proto = v->ip.proto,
		.family = v->ip.ip,
		.port = { v->sport, v->dport },
	};
	if (v->ip.ip == 4) {
		memcpy(f->addr[0], v->l3 + 12, 4);
		memcpy(f->addr[1], v->l3 + 16, 4);
	} else {
		memcpy(f->addr[0], v->l3 + 8, 16);
		memcpy(f->addr[1], v->l3 + 24, 16);
	}
	return true;
}

static struct ipfw_lifetimes
lifetimes(const struct ipfw *fw)
{
	return (struct ipfw_lifetimes){
		.ack = fw->settings[IPFW_DYN_ACK_LIFETIME],
		.syn = fw->settings[IPFW_DYN_SYN_LIFETIME],
		.fin = fw->settings[IPFW_DYN_FIN_LIFETIME],
		.rst = fw->settings[IPFW_DYN_RST_LIFETIME],
		.udp = fw->settings[IPFW_DYN_UDP_LIFETIME],
		.other = fw->settings[IPFW_DYN_SHORT_LIFETIME],
	};
}

/* The rule of the packet's state, or NULL. */
static struct ipfw_rule *
state_rule(struct ipfw *fw, struct view *v, int name)
{
	struct ipfw_lifetimes life = lifetimes(fw);
	struct ipfw_state *st;
	struct ipfw_flow flow;
	bool reverse;

	if (!flow_of(v, &flow))
		return NULL;
	st = ipfw_state_find(
	    &fw->states, &flow, name, fw->net->now_ns, &reverse);
	if (st == NULL)
		return NULL;
	if (!v->p->trace)
		ipfw_state_touch(&fw->states, st, reverse, v->tcp_flags, v->len,
		    &life, fw->net->now_ns);
	return st->of;
}

/* A row that keeps state has matched.  False: there may be no more. */
static bool
state_new(struct ipfw *fw, const struct row *row, struct view *v)
{
	struct ipfw_lifetimes life = lifetimes(fw);
	struct ipfw_state *st;
	struct ipfw_flow flow;

	if (v->p->trace || !flow_of(v, &flow))
		return true;
	st = ipfw_state_make(&fw->states, &flow, (uint8_t)row->state, row->rule,
	    row->by, row->max, fw->net->now_ns);
	if (st == NULL)
		return false;
	ipfw_state_touch(&fw->states, st, false, v->tcp_flags, v->len, &life,
	    fw->net->now_ns);
	ipfw_sweep_arm(fw);
	return true;
}

/* --- the whole ------------------------------------------------------------ */

/* Where a packet that was in a pipe goes on. */
static uint32_t
row_again(const struct ipfw_program *prog, uint64_t cookie)
{
	uint32_t number = (uint32_t)(cookie >> 32) - 1;
	uint32_t id = (uint32_t)cookie;
	uint32_t row = row_from(prog, number, 0);

	while (row < prog->row_count &&
	       prog->rows[row].rule->head.number == number &&
	       prog->rows[row].rule->id <= id)
		row++;
	return row;
}

static inline bool
is_done(const struct probe *p, uint64_t names)
{
	return p->name >= 0 && (names >> p->name & 1) != 0;
}

enum pfil_verdict
ipfw_run(
    struct ipfw *fw, const struct ipfw_program *prog, struct pfil_packet *p)
{
	uint64_t names_done = 0;
	uint32_t row, next = 0, target = 0, probe = 0;
	struct view v;
	struct walk w;
	int verdict;

	if (__builtin_expect(!view_fill(&v, fw, p), 0)) {
		p->why = DROP_FILTER_BAD;
		if (p->trace)
			net_trace(p->ifp, "ipfw",
			    "is denied: a header is cut off, or overlaid");
		else
			ipfw_log_bad(fw, p, &v.ip);
		return PFIL_DROPPED;
	}
	if (__builtin_expect(p->where.cookie != 0, 0)) {
		next = row_again(prog, p->where.cookie);
		while (
		    probe < prog->probe_count && prog->probes[probe].row < next)
			probe++;
	}
	walk_begin(&w, prog, &v);
	for (;;) {
		row = walk_next(&w, next);
		/* States that are looked for before that row, and have not been
		 * yet. */
		while (probe < prog->probe_count &&
		       (prog->probes[probe].row < next ||
		           is_done(&prog->probes[probe], names_done)))
			probe++;
		if (probe < prog->probe_count &&
		    prog->probes[probe].row <= row) {
			const struct probe *pr = &prog->probes[probe++];
			struct ipfw_rule *r = NULL;
			uint64_t bit =
			    pr->name < 0 ? prog->probe_names : 1ull << pr->name;

			r = state_rule(fw, &v, pr->name);
			names_done |= bit;
			/* There is none, under no name. */
			if (names_done == prog->probe_names && r == NULL)
				probe = prog->probe_count;
			if (r == NULL)
				continue;
			verdict = act(fw, prog, r, &v, p,
			    row_from(prog, r->head.number, r->order + 1),
			    &target);
			if (verdict != GO_ON)
				return (enum pfil_verdict)verdict;
			next = COAX_MAX(next, target);
			continue;
		}
		if (row == UINT32_MAX)
			break;
		next = row + 1;
		if (!row_matches(prog, &prog->rows[row], &v))
			continue;
		if (prog->rows[row].rule->head.prob != 0 && !p->trace &&
		    prng_below(&fw->prng, IPFW_WHOLE) >=
		        prog->rows[row].rule->head.prob)
			continue;
		if (prog->rows[row].state >= 0 &&
		    !state_new(fw, &prog->rows[row], &v))
			return PFIL_DROPPED;
		verdict = act(
		    fw, prog, prog->rows[row].rule, &v, p, row + 1, &target);
		if (verdict != GO_ON)
			return (enum pfil_verdict)verdict;
		next = COAX_MAX(next, target);
	}
	verdict = act(fw, prog, fw->last, &v, p, 0, &target);
	return (enum pfil_verdict)verdict;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a rule with `log' says of a packet: a line of the log and an event, as
 * FreeBSD's with net.inet.ip.fw.verbose=1.
 *
 *     ipfw: 100 Deny TCP 10.0.0.1:1025 10.0.0.2:80 in via tap0
 *
 * A rule says logamount lines (or verbose_limit), then one that this was all;
 * `ipfw resetlog' begins anew.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "frame/parse.h"
#include "pfil/ipfw.h"

static const char *
verb(const struct ipfw_rule *r, char text[32])
{
	switch (r->head.action) {
	case IPFW_ALLOW:
		return "Accept";
	case IPFW_DENY:
		return "Deny";
	case IPFW_COUNT:
	case IPFW_CHECK_STATE:
	case IPFW_ACTIONS:
		return "Count";
	case IPFW_SKIPTO:
		snprintf(text, 32, "SkipTo %u", r->head.arg);
		break;
	case IPFW_REJECT:
		return "Reject";
	case IPFW_RESET:
	case IPFW_RESET6:
		return "Reset";
	case IPFW_UNREACH:
	case IPFW_UNREACH6:
		snprintf(text, 32, "Unreach %u", r->head.arg);
		break;
	case IPFW_PIPE:
		snprintf(text, 32, "Pipe %u", r->head.arg);
		break;
	case IPFW_QUEUE:
		snprintf(text, 32, "Queue %u", r->head.arg);
		break;
	}
	return text;
}

static void
put_addr(struct sbuf *b, int family, const uint8_t *addr)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, text,
	        sizeof(text)) == NULL)
		text[0] = '\0';
	sbuf_printf(b, family == 6 ? "[%s]" : "%s", text);
}

static void
put_ip(struct sbuf *b, const struct frame *f, const struct parsed *ip)
{
	const uint8_t *l3 = f->data + ip->l3, *l4 = f->data + ip->l4;
	bool first = !ip->fragment || ip->first;
	bool ports = first && ip->l4_ok && ip->l4_len >= 4 &&
	             (ip->proto == IP_PROTO_TCP || ip->proto == IP_PROTO_UDP ||
	                 ip->proto == IP_PROTO_SCTP);
	const char *name = ip->proto == IP_PROTO_TCP     ? "TCP"
	                   : ip->proto == IP_PROTO_UDP   ? "UDP"
	                   : ip->proto == IP_PROTO_ICMP  ? "ICMP"
	                   : ip->proto == IP_PROTO_ICMP6 ? "ICMPv6"
	                                                 : NULL;

	if (name != NULL)
		sbuf_puts(b, name);
	else
		sbuf_printf(b, "P:%u", ip->proto);
	if (first && ip->l4_ok && ip->l4_len >= 2 &&
	    (ip->proto == IP_PROTO_ICMP || ip->proto == IP_PROTO_ICMP6))
		sbuf_printf(b, ":%u.%u", l4[0], l4[1]);
	sbuf_putc(b, ' ');
	put_addr(b, ip->ip, l3 + (ip->ip == 4 ? 12 : 8));
	if (ports)
		sbuf_printf(b, ":%u", be16_get(l4));
	sbuf_putc(b, ' ');
	put_addr(b, ip->ip, l3 + (ip->ip == 4 ? 16 : 24));
	if (ports)
		sbuf_printf(b, ":%u", be16_get(l4 + 2));
	if (ip->fragment)
		sbuf_printf(b, " (frag %u:%u@%u%s)", ip->frag_id,
		    ip->ip_end - ip->frag_data, ip->frag_at,
		    ip->more ? "+" : "");
}

void
ipfw_log_text(const struct ipfw_rule *rule, const struct pfil_packet *p,
    const struct parsed *parsed, struct sbuf *out)
{
	const struct frame *f = p->frame;
	char text[32], mac[ETH_ADDR_STRLEN];

	sbuf_printf(out, "ipfw: %u %s ", rule->head.number, verb(rule, text));
	if (parsed->ip != 0) {
		put_ip(out, f, parsed);
	} else {
		sbuf_printf(out, "MAC 0x%04x %s ", p->ethertype,
		    ether_format(f->data + ETH_ADDR_LEN, mac));
		sbuf_puts(out, ether_format(f->data, mac));
	}
	sbuf_printf(
	    out, " %s via %s", p->dir == PFIL_IN ? "in" : "out", p->ifp->name);
}

void
ipfw_log_bad(
    struct ipfw *fw, const struct pfil_packet *p, const struct parsed *parsed)
{
	char text[256];
	struct sbuf b = sbuf_init(text, sizeof(text));
	uint64_t held = 0;

	if (fw->settings[IPFW_VERBOSE] == 0 ||
	    !ratelimit_allow(&fw->log_rate, fw->net->now_ns, &held))
		return;
	sbuf_puts(&b, "ipfw: -1 Refuse ");
	/* Its transport header is not there to be shown. */
	if (parsed->ip != 0 && parsed->fragment)
		put_ip(&b, p->frame, parsed);
	else
		sbuf_printf(&b, "type 0x%04x, cut off", p->ethertype);
	sbuf_printf(
	    &b, " %s via %s", p->dir == PFIL_IN ? "in" : "out", p->ifp->name);
	log_notice("%s", text);
}

void
ipfw_log(struct ipfw *fw, struct ipfw_rule *rule, const struct pfil_packet *p,
    const struct parsed *parsed)
{
	uint32_t max = rule->head.log_max_said
	                   ? rule->head.log_max
	                   : fw->settings[IPFW_VERBOSE_LIMIT];
	char text[256];
	struct sbuf b = sbuf_init(text, sizeof(text));
	uint64_t held = 0;

	if (fw->settings[IPFW_VERBOSE] == 0 ||
	    (max != 0 && rule->logged >= max))
		return;
	/* Whoever sends must not fill the log. */
	if (!ratelimit_allow(&fw->log_rate, fw->net->now_ns, &held))
		return;
	rule->logged++;
	if (held != 0)
		log_notice(
		    "ipfw: %llu lines left out", (unsigned long long)held);
	ipfw_log_text(rule, p, parsed, &b);
	log_notice("%s", text);
	net_notice(fw->net, p->ifp, "%s", text);
	if (max != 0 && rule->logged == max)
		log_notice("ipfw: limit %u reached on entry %u", max,
		    rule->head.number);
}

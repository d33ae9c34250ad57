/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names that ipfw's rules may use for numbers.  The first of a number is
 * the one that is printed.
 *
 * Nothing is asked from the system's protocols(5) or services(5): what is in no
 * table here is written as a number.
 */
#include <strings.h>

#include "pfil/ipfw_rule.h"

#define END             \
	{               \
		NULL, 0 \
	}

/* clang-format off */
const struct ipfw_word ipfw_protocols[] = {
	{ "icmp", 1 }, { "igmp", 2 }, { "ipencap", 4 }, { "ipip", 4 },
	{ "tcp", 6 }, { "egp", 8 }, { "udp", 17 }, { "dccp", 33 },
	{ "ipv6-route", 43 }, { "ipv6-frag", 44 }, { "rsvp", 46 },
	{ "gre", 47 }, { "esp", 50 }, { "ah", 51 }, { "ipv6-icmp", 58 },
	{ "icmp6", 58 }, { "icmpv6", 58 }, { "ipv6-nonxt", 59 },
	{ "ipv6-opts", 60 }, { "eigrp", 88 }, { "ospf", 89 }, { "etherip", 97 },
	{ "pim", 103 }, { "ipcomp", 108 }, { "carp", 112 }, { "vrrp", 112 },
	{ "l2tp", 115 }, { "sctp", 132 }, { "udplite", 136 }, END };

const struct ipfw_word ipfw_services[] = {
	{ "ftp-data", 20 }, { "ftp", 21 }, { "ssh", 22 }, { "telnet", 23 },
	{ "smtp", 25 }, { "time", 37 }, { "domain", 53 }, { "bootps", 67 },
	{ "bootpc", 68 }, { "tftp", 69 }, { "finger", 79 }, { "http", 80 },
	{ "www", 80 }, { "kerberos", 88 }, { "pop3", 110 }, { "sunrpc", 111 },
	{ "auth", 113 }, { "ntp", 123 }, { "netbios-ns", 137 },
	{ "netbios-dgm", 138 }, { "netbios-ssn", 139 }, { "imap", 143 },
	{ "snmp", 161 }, { "snmptrap", 162 }, { "bgp", 179 }, { "irc", 194 },
	{ "ldap", 389 }, { "https", 443 }, { "microsoft-ds", 445 },
	{ "isakmp", 500 }, { "syslog", 514 }, { "submission", 587 },
	{ "ldaps", 636 }, { "imaps", 993 }, { "pop3s", 995 }, { "nfsd", 2049 },
	{ "mdns", 5353 }, END };

const struct ipfw_word ipfw_ethertypes[] = {
	{ "ip", 0x0800 }, { "ipv4", 0x0800 }, { "arp", 0x0806 },
	{ "rarp", 0x8035 }, { "vlan", 0x8100 }, { "ipx", 0x8137 },
	{ "ipv6", 0x86dd }, { "loop", 0x9000 }, { "pppoe_disc", 0x8863 },
	{ "pppoe_sess", 0x8864 }, { "lldp", 0x88cc }, END };

const struct ipfw_word ipfw_unreach_codes[] = {
	{ "net", 0 }, { "host", 1 }, { "protocol", 2 }, { "port", 3 },
	{ "needfrag", 4 }, { "srcfail", 5 }, { "net-unknown", 6 },
	{ "host-unknown", 7 }, { "isolated", 8 }, { "net-prohib", 9 },
	{ "host-prohib", 10 }, { "tosnet", 11 }, { "toshost", 12 },
	{ "filter-prohib", 13 }, { "host-precedence", 14 },
	{ "precedence-cutoff", 15 }, END };

const struct ipfw_word ipfw_unreach6_codes[] = {
	{ "no-route", 0 }, { "admin-prohib", 1 }, { "address", 3 },
	{ "port", 4 }, END };

const struct ipfw_word ipfw_tcpflags[] = {
	{ "fin", 0x01 }, { "syn", 0x02 }, { "rst", 0x04 }, { "psh", 0x08 },
	{ "ack", 0x10 }, { "urg", 0x20 }, END };

const struct ipfw_word ipfw_tcpoptions[] = {
	{ "mss", 1 }, { "window", 2 }, { "sack", 4 }, { "ts", 8 },
	{ "cc", 16 }, END };

const struct ipfw_word ipfw_ipoptions[] = {
	{ "ssrr", 1 }, { "lsrr", 2 }, { "rr", 4 }, { "ts", 8 }, END };

const struct ipfw_word ipfw_iptos[] = {
	{ "lowdelay", 0x10 }, { "throughput", 0x08 }, { "reliability", 0x04 },
	{ "mincost", 0x02 }, { "congestion", 0x01 }, END };

const struct ipfw_word ipfw_dscps[] = {
	{ "be", 0 }, { "cs0", 0 }, { "cs1", 8 }, { "af11", 10 },
	{ "af12", 12 }, { "af13", 14 }, { "cs2", 16 }, { "af21", 18 },
	{ "af22", 20 }, { "af23", 22 }, { "cs3", 24 }, { "af31", 26 },
	{ "af32", 28 }, { "af33", 30 }, { "cs4", 32 }, { "af41", 34 },
	{ "af42", 36 }, { "af43", 38 }, { "cs5", 40 }, { "va", 44 },
	{ "ef", 46 }, { "cs6", 48 }, { "cs7", 56 }, END };

const struct ipfw_word ipfw_limits[] = {
	{ "src-addr", IPFW_BY_SRC_ADDR }, { "src-port", IPFW_BY_SRC_PORT },
	{ "dst-addr", IPFW_BY_DST_ADDR }, { "dst-port", IPFW_BY_DST_PORT },
	END };

const struct ipfw_word ipfw_frags[] = {
	{ "rf", IPFW_FRAG_RF }, { "df", IPFW_FRAG_DF }, { "mf", IPFW_FRAG_MF },
	{ "offset", IPFW_FRAG_OFFSET }, END };

const struct ipfw_word ipfw_lookups[] = {
	{ "dst-ip", IPFW_LOOKUP_DST_IP }, { "src-ip", IPFW_LOOKUP_SRC_IP },
	{ "dst-port", IPFW_LOOKUP_DST_PORT },
	{ "src-port", IPFW_LOOKUP_SRC_PORT },
	{ "dst-mac", IPFW_LOOKUP_DST_MAC }, { "src-mac", IPFW_LOOKUP_SRC_MAC },
	{ "dscp", IPFW_LOOKUP_DSCP }, END };
/* clang-format on */

const struct ipfw_word *
ipfw_word_find(const struct ipfw_word *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcasecmp(table->name, name) == 0)
			return table;
	return NULL;
}

const char *
ipfw_word_of(const struct ipfw_word *table, uint32_t value)
{
	for (; table->name != NULL; table++)
		if (table->value == value)
			return table->name;
	return NULL;
}

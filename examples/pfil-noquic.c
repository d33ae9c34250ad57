/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet filter in one file: no QUIC (UDP to port 443), so that browsers take
 * TCP, where it can be seen.
 *
 * It is all that there is: linked into coaxd (meson setup -Dpfil=FILE, or as
 * examples/meson.build does), it is a package beside ipfw, switched on in a
 * vnet by
 *
 *     coax sysctl net.pfil.noquic=1
 *
 * and asked where net.link.bridge.pfil_member and pfil_bridge say, and for the
 * host's own packets.  src/pfil/pfil.h has the rest.
 */
#include "base/bytes.h"
#include "frame/parse.h"
#include "pfil/pfil.h"

#define QUIC_PORT 443

static enum pfil_verdict
noquic(void *state, struct pfil_packet *p)
{
	const struct frame *f = p->frame;
	struct parsed ip = { .ethertype = p->ethertype, .l3 = p->l3 };

	(void)state;
	/* A later fragment has no ports; without the first it is no use. */
	if (parse_network(f->data, f->len, f->off.gso_type != 0, &ip) != 0 ||
	    ip.proto != IP_PROTO_UDP || ip.l4_hdr == 0 ||
	    be16_get(f->data + ip.l4 + 2) != QUIC_PORT)
		return PFIL_PASS;
	if (p->trace)
		net_trace(p->ifp, "noquic", "QUIC is refused");
	return PFIL_DROPPED;
}

static const struct pfil_hook hooks[] = {
	{ PFIL_IP4, PFIL_IN, noquic },
	{ PFIL_IP4, PFIL_OUT, noquic },
	{ PFIL_IP6, PFIL_IN, noquic },
	{ PFIL_IP6, PFIL_OUT, noquic },
	{ .run = NULL },
};

static const struct pfil_package package = {
	.name = "noquic",
	.about = "refuses QUIC",
	.hooks = hooks,
};
PFIL_PACKAGE(package)

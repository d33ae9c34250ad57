/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets through a list of rules that looks at everything: each is a length
 * of two bytes and so many bytes, given to a bridge that filters at every
 * place; answers, pipes and states are made as it comes.  Time goes on with
 * each packet.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "bridge/bridge.h"
#include "frame/offload.h"
#include "net/net.h"
#include "pfil/ipfw.h"

struct port {
	struct iface ifp;
};

static int
port_create(struct iface *ifp)
{
	ifp->mac[0] = 2;
	ifp->mac[5] = (uint8_t)ifp->unit;
	ifp->caps = OFFLOAD_ALL;
	return 0;
}

static void
port_destroy(struct iface *ifp)
{
	(void)ifp;
}

static void
port_transmit(struct iface *ifp, struct frame_batch *batch)
{
	(void)ifp;
	for (uint32_t i = 0; i < batch->count; i++)
		frame_release(batch->frames[i]);
}

static void
port_changed(struct iface *ifp, uint32_t what)
{
	if ((what & IFACE_CHANGED_FLAGS) != 0)
		iface_set_running(ifp, (ifp->flags & IFACE_UP) != 0);
}

static const struct iface_ops port_ops = {
	.kind = "port",
	.about = "fuzz",
	.kind_flags = IFACE_KIND_ETHERNET,
	.unit_max = 7,
	.mtu_default = 1500,
	.mtu_min = 72,
	.mtu_max = 65535,
	.size = sizeof(struct port),
	.create = port_create,
	.destroy = port_destroy,
	.transmit = port_transmit,
	.changed = port_changed,
};
static const struct iface_ops *const kinds[] = { &port_ops, &bridge_ops, NULL };

static const char *const rules[] = {
	"check-state",
	"count ip from any to any ipoptions ssrr,!rr",
	"count tcp from any to any tcpoptions mss,!ts tcpwin 0-100",
	"count tcp from any to any tcpdatalen 1- tcpseq 0 established",
	"count ip from any to any frag mf,!offset ipid 1-9 ipttl 0-8",
	"count log ip from any to any dscp ef iplen 0-60",
	"count ip from table(1) to any lookup dst-port 2",
	"count { MAC any 02:00:00:00:00:00/8 or mac-type arp } layer2",
	"allow udp from any to any 53 in keep-state :dns",
	"allow tcp from any to any setup limit src-addr 3",
	"reset tcp from any to any 23",
	"unreach needfrag udp from any to any 1-9",
	"unreach6 port ip6 from any to any in icmp6types 128",
	"pipe 1 icmp from any to any out",
	"queue 1 udp from any to any out",
	"deny ip from 10.0.0.0/24{1} to not 10.0.0.0/8",
};

static void
add_rules(struct ipfw *fw)
{
	static struct ipfw_text text;
	struct dn_config c = dn_defaults();
	struct ipfw_error error;
	uint32_t number;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		ASSERT(ipfw_parse(&rules[i], 1, &text, &error) == 0);
		ASSERT(ipfw_add(fw, &text, &number) == 0);
	}
	c.bw = 1000000;
	c.delay_ms = 1;
	c.mask.set = true;
	c.mask.src_ip = UINT32_MAX;
	ASSERT(dn_config(&fw->pipes, false, 1, &c) == 0);
	c.pipe = 1;
	ASSERT(dn_config(&fw->pipes, true, 1, &c) == 0);
	ASSERT(ipfw_set(fw, IPFW_DYN_MAX, 8) == 0);
	ASSERT(ipfw_commit(fw) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct net_options o = {
		.pool = { .small_count = 256, .large_count = 4 },
		.kinds = kinds,
		.hash_seed = 1,
		.now_ns = 1000000000,
	};
	static const char *const names[] = { "port0", "port1", "port2" };
	struct timerheap timers = { 0 };
	struct iface *br, *p[3];
	struct ipfw *fw;
	struct net *net;

	ASSERT(net_create(&o, &net) == 0);
	net->timers = &timers;
	pfil_init(net);
	ASSERT(net_iface_create(net, NULL, "bridge0", &br) == 0);
	ASSERT(iface_set_flags(br, IFACE_UP, 0) == 0);
	for (int i = 0; i < 3; i++) {
		ASSERT(net_iface_create(net, NULL, names[i], &p[i]) == 0);
		ASSERT(iface_set_flags(p[i], IFACE_UP, 0) == 0);
		ASSERT(bridge_add(br, p[i]) == 0);
	}
	bridge_tunable_set(net->home, BRIDGE_IPFW, 1);
	bridge_tunable_set(net->home, BRIDGE_IPFW_ARP, 1);
	bridge_tunable_set(net->home, BRIDGE_PFIL_MEMBER, 1);
	bridge_tunable_set(net->home, BRIDGE_PFIL_BRIDGE, 1);
	ASSERT(ipfw_of(net->home, &fw) == 0);
	add_rules(fw);
	while (size >= 2) {
		uint32_t len = be16_get(data) & 0x7ff;
		struct frame_batch b = { .count = 1 };

		data += 2;
		size -= 2;
		if (len > size)
			len = (uint32_t)size;
		b.frames[0] = frame_alloc(net->pool, len);
		net->now_ns += 777777;
		(void)timerheap_run(&timers, net->now_ns, 16);
		if (b.frames[0] != NULL) {
			memcpy(b.frames[0]->data, data, len);
			b.frames[0]->len = len;
			iface_input(p[len % 3], &b);
		}
		data += len;
		size -= len;
	}
	ASSERT(fw->states.count <= 8);
	net_destroy(net);
	timerheap_fini(&timers);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb on Xen: a store in which anything may be written at any moment, by guests
 * and by the toolstack, in a play of moves: values that are huge, missing,
 * changed between a reading and its being taken; directories that come and go;
 * domains that end; rings written over; a daemon that ends and comes back.
 *
 * What must hold: nothing is read or written outside of the pages, nothing is
 * mapped or bound at the end, every frame is back.
 */
#include "../unit/xen_fake.h"
#include "base/bytes.h"
#include "base/timerheap.h"
#include "drv/drv.h"

#define GUESTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct timerheap timers;

struct play {
	struct rd r;
	struct net *net;
	struct xnb_xen *xen;
	struct xen_host *h;
	struct fake_guest g[GUESTS];
};

static void
start(struct play *p)
{
	struct xnb_xen_options xo = {
		.ops = &fake_ops,
		.submit = fake_submit,
		.arg = p->h,
	};
	struct net_options no = {
		.pool = { .small_count = 64, .large_count = 6 },
		.kinds = drv_kinds,
		.now_ns = 1,
	};
	char why[128];

	ASSERT(net_create(&no, &p->net) == 0);
	p->net->timers = &timers;
	ASSERT(drv_init(p->net, NULL) == 0);
	ASSERT(xnb_xen_start(p->net, &xo, &p->xen, why, sizeof(why)) == 0);
	fake_run(p->h, p->xen);
}

static void
stop(struct play *p)
{
	struct job *job;

	xnb_xen_leave(p->xen);
	while ((job = fake_run_one(p->h)) != NULL)
		job->done(job, NULL);
	net_destroy(p->net);
	xnb_xen_stop(p->xen);
	ASSERT(timers.count == 0);
	ASSERT(p->h->mapped == 0 && fake_bound(p->h) == 0);
}

static void
turn(struct play *p)
{
	fake_run(p->h, p->xen);
	for (int i = 0; i < 8 && net_poll(p->net); i++)
		;
}

static void
set_key(struct play *p, struct fake_guest *g)
{
	static const char *const back[] = { "state", "online", "hotplug-status",
		"frontend", "mac", "mtu", "rate", "bridge" };
	static const char *const front[] = { "state", "tx-ring-ref",
		"rx-ring-ref", "event-channel", "event-channel-tx",
		"event-channel-rx", "multi-queue-num-queues",
		"queue-0/tx-ring-ref", "queue-0/rx-ring-ref",
		"queue-0/event-channel", "queue-1/tx-ring-ref",
		"queue-1/rx-ring-ref", "queue-1/event-channel", "feature-sg",
		"request-rx-copy", "request-multicast-control", "xdp-headroom",
		"ctrl-ring-ref", "event-channel-ctrl" };
	static const char *const values[] = { "0", "1", "2", "3", "4", "5", "6",
		"7", "8", "9", "16", "1500", "65521", "4294967295",
		"99999999999999999999", "-1", "", "x", "connected", "error",
		"1,1", "/local/domain/1/device/vif/0", "relative" };
	uint8_t which = rd_u8(&p->r), value = rd_u8(&p->r);
	bool ours = (which & 1) != 0;
	const char *key = ours ? back[which / 2 % ARRAY_LEN(back)]
	                       : front[which / 2 % ARRAY_LEN(front)];
	const char *dir = ours ? g->back : g->front;
	char path[FAKE_PATH];
	uint8_t bytes[32];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	if (value == 255) {
		fake_remove(p->h, path);
	} else if (value > 240) { /* any bytes */
		rd_copy(&p->r, bytes, sizeof(bytes));
		fake_put(p->h, path, bytes, value % sizeof(bytes));
	} else {
		fake_set(p->h, dir, key, values[value % ARRAY_LEN(values)]);
	}
}

static void
write_ring(struct play *p, struct fake_guest *g)
{
	uint8_t *page =
	    p->h->pages + (size_t)FAKE_RING_PAGE(g->domid) * COAX_RING_PAGE;
	uint32_t at = rd_be16(&p->r) % (2 * COAX_RING_PAGE - 4);
	uint32_t word = rd_be32(&p->r);

	memcpy(page + at, &word, sizeof(word));
}

static void
move(struct play *p)
{
	uint8_t what = rd_u8(&p->r);
	struct fake_guest *g = &p->g[what / 16 % GUESTS];
	struct job *job;

	switch (what % 16) {
	case 0:
		fake_plug(g);
		break;
	case 1:
		fake_publish(g);
		break;
	case 2:
		fake_set(p->h, g->back, "hotplug-status", "connected");
		break;
	case 3:
		fake_set(p->h, g->back, "online", "0");
		fake_set(p->h, g->back, "state", "5");
		break;
	case 4:
		fake_remove(p->h, g->front);
		break;
	case 5:
		fake_remove(p->h, g->back);
		break;
	case 6:
	case 7:
		set_key(p, g);
		return; /* not seen yet */
	case 8:         /* a reading, and something before it is taken */
		xnb_xen_look(p->xen);
		job = fake_run_one(p->h);
		set_key(p, g);
		if (job != NULL)
			job->done(job, NULL);
		break;
	case 9:
		p->h->dead[g->domid] = !p->h->dead[g->domid];
		fake_event(p->h, "@releaseDomain", "r");
		break;
	case 10:
		write_ring(p, g);
		break;
	case 11:
		p->h->channels[rd_u8(&p->r) % 8 + 1].pending = true;
		xnb_xen_hear(p->xen);
		break;
	case 12:
		p->net->now_ns += (uint64_t)rd_u8(&p->r) * 100000000u;
		timerheap_run(&timers, p->net->now_ns, 100);
		break;
	case 13:
		p->h->again = rd_u8(&p->r) % 20;
		p->h->no_txn = (what & 0x80) != 0;
		break;
	case 14:
		stop(p);
		start(p);
		break;
	default: {
		struct iface *ifp;
		char name[32];

		snprintf(name, sizeof(name), "xnb%u.%u", g->domid, g->handle);
		ifp = net_iface_find(p->net, NULL, name);
		if (ifp != NULL)
			(void)net_iface_destroy(ifp, NULL);
		break;
	}
	}
	turn(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play p = { .r = rd_init(data, size) };

	p.h = fake_new();
	for (uint32_t i = 0; i < GUESTS; i++)
		fake_guest(&p.g[i], p.h, i + 1, i == 2 ? 1 : 0);
	start(&p);
	while (rd_left(&p.r) > 0)
		move(&p);
	turn(&p);
	stop(&p);
	fake_free(p.h);
	return 0;
}

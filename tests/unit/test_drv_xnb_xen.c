/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb over the transport Xen, on a Xen of pretence: vifs that come and go, the
 * handshake, a toolstack that waits, hostile values, a daemon that comes back,
 * data and events.
 */
#include "base/timerheap.h"
#include "drv/drv.h"
#include "drv/xnb/dump.h"
#include "net_fixture.h"
#include "xen_fake.h"

#define SEC 1000000000ull

static struct {
	struct net *net;
	struct timerheap timers;
	struct xen_host *h;
	struct xnb_xen *xen;
	struct fake_guest g;
	struct fixture_sink sink;
	char joined[64]; /* "IFACE BRIDGE" */
	int join_answer;
	char notice[256];
	struct net_subscriber subscriber;
} c;

static void
on_event(struct net_subscriber *s, const struct net_event *ev)
{
	(void)s;
	if (ev->type == NET_EVENT_NOTICE && ev->text != NULL)
		snprintf(c.notice, sizeof(c.notice), "%s", ev->text);
}

static int
join(struct iface *ifp, const char *bridge)
{
	snprintf(c.joined, sizeof(c.joined), "%s %s", ifp->name, bridge);
	return c.join_answer != 0
	           ? net_error(ifp->net, c.join_answer, "no such thing")
	           : 0;
}

static void
start(void)
{
	struct xnb_xen_options o = {
		.ops = &fake_ops,
		.submit = fake_submit,
		.arg = c.h,
		.join = join,
	};
	char why[128];

	c.net = fixture_net(drv_kinds, NULL, 4096);
	c.net->timers = &c.timers;
	assert_int_equal(drv_init(c.net, NULL), 0);
	c.subscriber.event = on_event;
	net_subscribe(c.net, &c.subscriber);
	assert_int_equal(xnb_xen_start(c.net, &o, &c.xen, why, sizeof(why)), 0);
	fake_run(c.h, c.xen);
}

static void
stop(void)
{
	xnb_xen_leave(c.xen);
	fake_run(c.h, c.xen);
	net_destroy(c.net); /* asserts that all frames are back */
	xnb_xen_stop(c.xen);
	assert_int_equal(c.timers.count, 0);
}

static int
setup(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	c.h = fake_new();
	fixture_sink_init(&c.sink);
	start();
	fake_guest(&c.g, c.h, 1, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	stop();
	timerheap_fini(&c.timers);
	fake_free(c.h); /* nothing is mapped or bound */
	return 0;
}

static struct iface *
vif(const char *name)
{
	return net_iface_find(c.net, NULL, name);
}

static void
run(void)
{
	fake_run(c.h, c.xen);
	for (int i = 0; i < 100 && net_poll(c.net); i++)
		;
	fake_run(c.h, c.xen);
}

static void
pass(uint64_t ns)
{
	c.net->now_ns += ns;
	timerheap_run(&c.timers, c.net->now_ns, 100);
	run();
}

static void
hotplug(struct fake_guest *g, const char *status)
{
	fake_set(c.h, g->back, "hotplug-status", status);
}

static void
plug(struct fake_guest *g)
{
	fake_plug(g);
	run();
}

/* As far as Connected. */
static void
connect_guest(struct fake_guest *g)
{
	plug(g);
	hotplug(g, "connected");
	fake_publish(g);
	run();
}

static void
offline(struct fake_guest *g)
{
	fake_set(c.h, g->back, "online", "0");
	fake_set(c.h, g->back, "state", "5");
}

static void
clear_away(struct fake_guest *g)
{
	fake_remove(c.h, g->front);
	fake_remove(c.h, g->back);
	run();
}

static const char *
back(struct fake_guest *g, const char *key)
{
	return fake_get(c.h, g->back, key);
}

static const char *
told_error(struct fake_guest *g)
{
	char dir[128];

	snprintf(dir, sizeof(dir), "/local/domain/%u/error/backend/vif/%u/%u",
	    FAKE_US, g->domid, g->handle);
	return fake_get(c.h, dir, "error");
}

/* --- coming and going ------------------------------------------------------
 */

static void
test_it_appears_by_itself(void **state)
{
	static const uint8_t mac[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const char *const features[] = { "feature-sg",
		"feature-gso-tcpv4", "feature-gso-tcpv6",
		"feature-ipv6-csum-offload", "feature-rx-copy",
		"feature-multicast-control",
		"feature-dynamic-multicast-control", "feature-xdp-headroom",
		"feature-split-event-channels", "feature-ctrl-ring" };
	struct iface *ifp;

	(void)state;
	assert_null(vif("xnb1.0"));
	plug(&c.g);
	ifp = vif("xnb1.0");
	assert_non_null(ifp);
	assert_memory_equal(ifp->mac, mac, 6);
	assert_true((ifp->flags & IFACE_UP) != 0);
	assert_int_equal(ifp->link, IFACE_LINK_DOWN);
	assert_true(ifp->transient);
	assert_int_equal(xnb_number(ifp), 0);
	assert_string_equal(c.joined, "xnb1.0 xenbr0");
	assert_string_equal(back(&c.g, "state"), "2");
	for (size_t i = 0; i < ARRAY_LEN(features); i++)
		assert_string_equal(back(&c.g, features[i]), "1");
	assert_string_equal(back(&c.g, "feature-rx-flip"), "0");
	assert_string_equal(back(&c.g, "multi-queue-max-queues"), "8");
	assert_string_equal(back(&c.g, "feature-no-csum-offload"), "");
	/* The guest's own address is what the toolstack says. */
	assert_int_equal(xnb_of(ifp)->front_mac[5], 1);
}

static void
test_numbers_in_order_of_appearance(void **state)
{
	struct fake_guest g2, g3;

	(void)state;
	fake_guest(&g2, c.h, 2, 0);
	fake_guest(&g3, c.h, 1, 1);
	plug(&g2);
	plug(&c.g);
	plug(&g3);
	assert_int_equal(xnb_number(vif("xnb2.0")), 0);
	assert_int_equal(xnb_number(vif("xnb1.0")), 1);
	assert_int_equal(xnb_number(vif("xnb1.1")), 2);
	clear_away(&c.g);
	assert_null(vif("xnb1.0"));
	plug(&c.g);
	assert_int_equal(xnb_number(vif("xnb1.0")), 1);
}

static void
test_what_is_there_at_the_start(void **state)
{
	struct fake_guest g2;

	(void)state;
	stop();
	fake_guest(&g2, c.h, 2, 7);
	fake_plug(&c.g);
	fake_plug(&g2);
	start();
	run();
	assert_non_null(vif("xnb1.0"));
	assert_non_null(vif("xnb2.7"));
}

static void
test_the_tools_settings(void **state)
{
	(void)state;
	fake_set(c.h, c.g.back, "mtu", "9000");
	connect_guest(&c.g);
	assert_int_equal(vif("xnb1.0")->mtu, 9000);
	assert_string_equal(back(&c.g, "mtu"), "9000");
	/* A rate may come at any time. */
	assert_int_equal(xnb_of(vif("xnb1.0"))->queues[0].credit.bytes, 0);
	fake_set(c.h, c.g.back, "rate", "100000,50000");
	run();
	assert_int_equal(xnb_of(vif("xnb1.0"))->queues[0].credit.bytes, 100000);
}

static void
test_settings_that_are_none(void **state)
{
	(void)state;
	fake_set(c.h, c.g.back, "mtu", "99999999999999999999");
	fake_set(c.h, c.g.back, "rate", "5");
	c.join_answer = -ENOENT;
	connect_guest(&c.g);
	assert_int_equal(vif("xnb1.0")->mtu, 1500);
	assert_string_equal(c.notice, "not in a bridge: no such thing");
	assert_string_equal(back(&c.g, "state"), "4");
}

static void
test_a_name_that_is_taken(void **state)
{
	struct iface *other;

	(void)state;
	assert_int_equal(net_iface_create(c.net, NULL, "feth0", &other), 0);
	assert_int_equal(net_iface_rename(other, "xnb1.0"), 0);
	plug(&c.g);
	assert_ptr_equal(vif("xnb1.0"), other);
	assert_string_equal(back(&c.g, "state"), "6");
	assert_string_not_equal(told_error(&c.g), "");
	/* It goes as others do. */
	offline(&c.g);
	run();
	assert_string_equal(back(&c.g, "state"), "6");
	clear_away(&c.g);
}

static void
test_nobody_else_makes_such_names(void **state)
{
	struct iface *ifp;

	(void)state;
	assert_int_equal(
	    net_iface_create(c.net, NULL, "xnb9.1", &ifp), -EINVAL);
}

static void
test_it_does_not_persist(void **state)
{
	(void)state;
	plug(&c.g);
	assert_int_equal(
	    fixture_word(vif("xnb1.0"), "persist", NULL, 0, false), -EINVAL);
	assert_true(vif("xnb1.0")->transient);
}

static void
test_the_kernels_are_left_alone(void **state)
{
	uint32_t writes;

	(void)state;
	c.h->kernel = true;
	writes = c.h->writes;
	plug(&c.g);
	assert_null(vif("xnb1.0"));
	fake_set(c.h, c.g.back, "state", "4");
	offline(&c.g);
	run();
	assert_int_equal(c.h->writes, writes);
	clear_away(&c.g);
}

/* --- the handshake ---------------------------------------------------------
 */

static void
test_connected(void **state)
{
	struct iface *ifp;

	(void)state;
	connect_guest(&c.g);
	ifp = vif("xnb1.0");
	assert_string_equal(back(&c.g, "state"), "4");
	assert_int_equal(ifp->link, IFACE_LINK_UP);
	assert_int_equal(c.h->mapped, 2);
	assert_int_equal(fake_bound(c.h), 2);
	assert_int_equal(xnb_of(ifp)->queue_count, 1);
	assert_true(xnb_of(ifp)->split);
}

static void
test_connected_is_held_back_for_the_script(void **state)
{
	(void)state;
	plug(&c.g);
	fake_publish(&c.g);
	run();
	assert_string_equal(back(&c.g, "state"), "2");
	assert_int_equal(vif("xnb1.0")->link, IFACE_LINK_DOWN);
	assert_int_equal(c.h->mapped, 2); /* the rest is done */
	hotplug(&c.g, "connected");
	run();
	assert_string_equal(back(&c.g, "state"), "4");
	assert_int_equal(vif("xnb1.0")->link, IFACE_LINK_UP);
	pass(10 * SEC);
	assert_string_equal(back(&c.g, "state"), "4");
}

static void
test_but_not_for_ever(void **state)
{
	(void)state;
	plug(&c.g);
	fake_publish(&c.g);
	run();
	pass(SEC);
	assert_string_equal(back(&c.g, "state"), "2");
	pass(SEC);
	assert_string_equal(back(&c.g, "state"), "4");
}

static void
test_nor_long_after_the_beginning(void **state)
{
	(void)state;
	plug(&c.g);
	pass(5 * SEC);
	fake_publish(&c.g);
	run();
	assert_string_equal(back(&c.g, "state"), "4");
}

static void
test_the_script_fails(void **state)
{
	(void)state;
	plug(&c.g);
	hotplug(&c.g, "error");
	run();
	assert_string_equal(back(&c.g, "state"), "6");
	assert_string_equal(
	    told_error(&c.g), "5 the hotplug script has failed");
	assert_string_equal(c.notice, "the hotplug script has failed");
	/* Nor does the guest's driver get in by beginning again, however long
	 * it waits. */
	for (int i = 0; i < 3; i++) {
		fake_set(c.h, c.g.front, "state", "6");
		run();
		fake_set(c.h, c.g.front, "state", "1");
		run();
		pass(3 * SEC);
		assert_string_equal(back(&c.g, "state"), "6");
		fake_publish(&c.g);
		run();
		pass(3 * SEC);
		assert_string_equal(back(&c.g, "state"), "6");
	}
	assert_int_equal(vif("xnb1.0")->link, IFACE_LINK_DOWN);
	/* But once it has been put right. */
	fake_set(c.h, c.g.front, "state", "1");
	run();
	hotplug(&c.g, "connected");
	run();
	assert_string_equal(back(&c.g, "state"), "2");
	fake_publish(&c.g);
	run();
	assert_string_equal(back(&c.g, "state"), "4");
	offline(&c.g);
	fake_set(c.h, c.g.front, "state", "6");
	run();
	assert_null(vif("xnb1.0"));
	assert_string_equal(back(&c.g, "state"), "6");
}

static void
test_two_queues(void **state)
{
	static const char *const keys[] = { "queue-0/tx-ring-ref", "20",
		"queue-0/rx-ring-ref", "21", "queue-0/event-channel", "31",
		"queue-1/tx-ring-ref", "22", "queue-1/rx-ring-ref", "23",
		"queue-1/event-channel", "32", "request-rx-copy", "1",
		"multi-queue-num-queues", "2" };
	struct netring_front r;

	(void)state;
	plug(&c.g);
	hotplug(&c.g, "connected");
	for (uint32_t i = 0; i < 4; i++)
		netring_front_init(&r,
		    c.h->pages + (size_t)(20 + i) * COAX_RING_PAGE,
		    i % 2 == 0 ? COAX_NETIF_TX_SLOTS : COAX_NETIF_RX_SLOTS,
		    i % 2 == 0 ? COAX_NETIF_TX_SLOT_SIZE
		               : COAX_NETIF_RX_SLOT_SIZE);
	for (size_t i = 0; i < ARRAY_LEN(keys); i += 2)
		fake_set(c.h, c.g.front, keys[i], keys[i + 1]);
	fake_set(c.h, c.g.front, "state", "4");
	run();
	assert_string_equal(back(&c.g, "state"), "4");
	assert_int_equal(xnb_of(vif("xnb1.0"))->queue_count, 2);
	assert_int_equal(c.h->mapped, 4);
	assert_int_equal(fake_bound(c.h), 2);
}

static void
test_bad_values_cost_the_guest_its_vif_only(void **state)
{
	static const struct {
		const char *key, *value; /* NULL: it is missing */
	} cases[] = {
		{ "tx-ring-ref", NULL },
		{ "tx-ring-ref", "" },
		{ "tx-ring-ref", "99999999999999999999" },
		{ "tx-ring-ref", "4294967295" },
		{ "rx-ring-ref", "-1" },
		{ "event-channel-rx", NULL },
		{ "event-channel-tx", "4294967295" },
		{ "feature-sg", "2" },
		{ "request-rx-copy", NULL },
		{ "multi-queue-num-queues", "4294967295" },
		{ "multi-queue-num-queues", "0" },
		{ "multi-queue-num-queues",
		    "3" }, /* of which nothing is there */
		{ "xdp-headroom", "65535" },
		{ "ctrl-ring-ref", "7" }, /* without its channel */
		{ "feature-gso-tcpv4", "\x01\xff\n" },
	};
	struct fake_guest other;

	(void)state;
	fake_guest(&other, c.h, 2, 0);
	connect_guest(&other);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[FAKE_PATH];

		plug(&c.g);
		hotplug(&c.g, "connected");
		fake_publish(&c.g);
		snprintf(path, sizeof(path), "%s/%s", c.g.front, cases[i].key);
		if (cases[i].value == NULL)
			fake_remove(c.h, path);
		else
			fake_put(
			    c.h, path, cases[i].value, strlen(cases[i].value));
		run();
		assert_string_equal(back(&c.g, "state"), "6");
		assert_string_not_equal(told_error(&c.g), "");
		assert_int_equal(c.h->mapped, 2);
		assert_int_equal(fake_bound(c.h), 2);
		/* A full handshake helps. */
		fake_set(c.h, c.g.front, "state", "6");
		run();
		fake_remove(c.h, path);
		fake_set(c.h, c.g.front, "state", "1");
		run();
		assert_string_equal(back(&c.g, "state"), "2");
		fake_publish(&c.g);
		run();
		assert_string_equal(back(&c.g, "state"), "4");
		clear_away(&c.g);
		assert_string_equal(back(&other, "state"), "4");
	}
}

/* Values are those of one moment: what the guest writes after the reading is
 * not looked at. */
static void
test_changed_midway(void **state)
{
	struct job *job;

	(void)state;
	plug(&c.g);
	hotplug(&c.g, "connected");
	run();
	fake_publish(&c.g);
	xnb_xen_look(c.xen);
	job = fake_run_one(c.h);
	assert_non_null(job);
	fake_set(c.h, c.g.front, "tx-ring-ref", "99999999");
	fake_set(c.h, c.g.front, "state", "4");
	job->done(job, NULL);
	run();
	assert_string_equal(back(&c.g, "state"), "4");
	assert_int_equal(c.h->mapped, 2);
}

static void
test_multicast_is_switched_at_any_time(void **state)
{
	(void)state;
	connect_guest(&c.g);
	assert_false(xnb_of(vif("xnb1.0"))->features.mcast);
	fake_set(c.h, c.g.front, "request-multicast-control", "1");
	run();
	assert_true(xnb_of(vif("xnb1.0"))->features.mcast);
	fake_set(c.h, c.g.front, "request-multicast-control", "0");
	run();
	assert_false(xnb_of(vif("xnb1.0"))->features.mcast);
}

/* --- the end of a connection -----------------------------------------------
 */

static void
test_the_driver_goes_and_comes(void **state)
{
	(void)state;
	connect_guest(&c.g);
	fake_set(c.h, c.g.front, "state", "5");
	run();
	assert_string_equal(back(&c.g, "state"), "5");
	assert_int_equal(c.h->mapped, 0);
	assert_int_equal(fake_bound(c.h), 0);
	fake_set(c.h, c.g.front, "state", "6");
	run();
	assert_string_equal(back(&c.g, "state"), "6");
	assert_non_null(vif("xnb1.0"));
	fake_set(c.h, c.g.front, "state", "1");
	run();
	assert_string_equal(back(&c.g, "state"), "2");
	fake_publish(&c.g);
	run();
	assert_string_equal(back(&c.g, "state"), "4");
}

/* kexec: a new kernel that says nothing of the old one's. */
static void
test_a_new_kernel(void **state)
{
	(void)state;
	connect_guest(&c.g);
	fake_set(c.h, c.g.front, "state", "1");
	run();
	assert_string_equal(back(&c.g, "state"), "2");
	assert_int_equal(c.h->mapped, 0);
	fake_publish(&c.g);
	run();
	assert_string_equal(back(&c.g, "state"), "4");
}

static void
test_detached(void **state)
{
	(void)state;
	connect_guest(&c.g);
	offline(&c.g);
	run();
	/* The guest's rings are its own until it has closed. */
	assert_string_equal(back(&c.g, "state"), "5");
	assert_int_equal(c.h->mapped, 2);
	assert_int_equal(vif("xnb1.0")->link, IFACE_LINK_DOWN);
	fake_set(c.h, c.g.front, "state", "5");
	run();
	assert_int_equal(c.h->mapped, 0);
	fake_set(c.h, c.g.front, "state", "6");
	run();
	assert_string_equal(back(&c.g, "state"), "6");
	assert_null(vif("xnb1.0"));
	clear_away(&c.g);
	assert_int_equal(c.h->watch_count, 2); /* the root, and domains */
}

static void
test_destroyed(void **state)
{
	(void)state;
	connect_guest(&c.g);
	fake_remove(c.h, c.g.front);
	offline(&c.g);
	run();
	assert_string_equal(back(&c.g, "state"), "6");
	assert_null(vif("xnb1.0"));
	assert_int_equal(c.h->mapped, 0);
}

/* Nobody has cleared anything away, and its pages are ours: they would keep the
 * dead domain in memory. */
static void
test_the_domain_ends_without_a_word(void **state)
{
	(void)state;
	connect_guest(&c.g);
	c.h->dead[1] = true;
	fake_event(c.h, "@releaseDomain", "r");
	run();
	assert_int_equal(c.h->mapped, 0);
	assert_int_equal(fake_bound(c.h), 0);
	assert_string_equal(back(&c.g, "state"), "6");
	offline(&c.g);
	run();
	assert_null(vif("xnb1.0"));
}

static void
test_removed_by_force(void **state)
{
	uint32_t writes;

	(void)state;
	connect_guest(&c.g);
	writes = c.h->writes;
	clear_away(&c.g);
	assert_null(vif("xnb1.0"));
	/* What was removed is not made again. */
	assert_int_equal(c.h->writes, writes);
	assert_string_equal(back(&c.g, "state"), "");
}

/* The directory goes after we have decided to write. */
static void
test_nothing_is_written_where_nothing_is(void **state)
{
	struct job *job;

	(void)state;
	fake_plug(&c.g);
	xnb_xen_look(c.xen);
	job = fake_run_one(c.h);
	job->done(job, NULL); /* InitWait is to be written */
	fake_remove(c.h, c.g.front);
	fake_remove(c.h, c.g.back);
	run();
	assert_string_equal(back(&c.g, "state"), "");
	assert_string_equal(back(&c.g, "feature-sg"), "");
	assert_null(vif("xnb1.0"));
}

static void
test_detached_and_attached_between_two_looks(void **state)
{
	struct iface *ifp;
	uint32_t index;

	(void)state;
	connect_guest(&c.g);
	ifp = vif("xnb1.0");
	index = ifp->index;
	fake_remove(c.h, c.g.front);
	fake_remove(c.h, c.g.back);
	fake_plug(&c.g);
	run();
	assert_non_null(vif("xnb1.0"));
	assert_int_not_equal(vif("xnb1.0")->index, index);
	assert_string_equal(back(&c.g, "state"), "2");
	hotplug(&c.g, "connected");
	fake_publish(&c.g);
	run();
	assert_string_equal(back(&c.g, "state"), "4");
}

static void
test_ifconfig_destroy(void **state)
{
	(void)state;
	connect_guest(&c.g);
	assert_int_equal(net_iface_destroy(vif("xnb1.0"), NULL), 0);
	run();
	assert_string_equal(back(&c.g, "state"), "6");
	assert_int_equal(c.h->mapped, 0);
	fake_set(c.h, c.g.front, "state", "1");
	run();
	assert_null(vif("xnb1.0"));
	offline(&c.g);
	run();
	assert_string_equal(back(&c.g, "state"), "6");
	clear_away(&c.g);
	connect_guest(&c.g);
	assert_string_equal(back(&c.g, "state"), "4");
}

static void
test_twenty_hot_plugs(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		connect_guest(&c.g);
		assert_string_equal(back(&c.g, "state"), "4");
		offline(&c.g);
		fake_set(c.h, c.g.front, "state", "6");
		run();
		assert_string_equal(back(&c.g, "state"), "6");
		clear_away(&c.g);
		assert_int_equal(c.h->mapped, 0);
		assert_int_equal(c.h->watch_count, 2);
	}
}

/* --- a daemon that comes back ----------------------------------------------
 */

/* A frame of the guest's, with this as its last byte. */
static void
guest_sends(struct fake_guest *g, uint8_t last)
{
	uint32_t slot = g->tx.req_prod_pvt % COAX_NETIF_TX_SLOTS;
	struct coax_netif_tx_request req = {
		.gref = FAKE_DATA_PAGE + slot,
		.id = (uint16_t)slot,
		.size = 60,
	};
	uint8_t *data = c.h->pages + (size_t)req.gref * COAX_RING_PAGE;

	memset(data, 0, 60);
	memcpy(data, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x88\xb5", 14);
	data[59] = last;
	netring_front_put(&g->tx, &req, 3);
	(void)netring_front_publish(&g->tx);
}

static void
ring_bell(struct fake_guest *g, uint32_t remote)
{
	uint32_t local = fake_channel(g, remote);

	c.h->channels[local].pending = true;
	xnb_xen_hear(c.xen);
	run();
}

static void
listen_in(void)
{
	assert_int_equal(iface_stack_attach(vif("xnb1.0"), &c.sink.stack), 0);
}

static void
test_the_next_daemon_goes_on(void **state)
{
	(void)state;
	connect_guest(&c.g);
	listen_in();
	guest_sends(&c.g, 1);
	ring_bell(&c.g, 11);
	assert_int_equal(c.sink.last[59], 1);
	stop();
	assert_string_equal(back(&c.g, "state"), "4"); /* nothing is said */
	assert_int_equal(c.h->mapped, 0);
	guest_sends(&c.g, 2); /* while nobody is there */
	start();
	/* The script reported to the one before. */
	hotplug(&c.g, "");
	run();
	listen_in();
	assert_string_equal(back(&c.g, "state"), "4");
	assert_int_equal(vif("xnb1.0")->link, IFACE_LINK_UP);
	assert_int_equal(netring_front_poll(&c.g.tx), 2);
	guest_sends(&c.g, 3);
	ring_bell(&c.g, 11);
	assert_int_equal(c.sink.last[59], 3);
	assert_int_equal(netring_front_poll(&c.g.tx), 3);
}

/* The one before was killed between its responses and the event about them: the
 * guest, whose ring may be full, waits for that event and asks for no other. */
static void
test_the_next_daemon_says_what_was_left(void **state)
{
	(void)state;
	connect_guest(&c.g);
	listen_in();
	guest_sends(&c.g, 1);
	ring_bell(&c.g, 11);
	assert_int_equal(netring_front_poll(&c.g.tx), 1);
	stop();
	start();
	run();
	assert_int_equal(c.h->channels[fake_channel(&c.g, 11)].notified, 1);
	assert_int_equal(c.h->channels[fake_channel(&c.g, 12)].notified, 1);
}

static void
test_the_next_daemon_finds_nonsense(void **state)
{
	(void)state;
	connect_guest(&c.g);
	stop();
	fake_set(c.h, c.g.front, "rx-ring-ref", "many");
	start();
	run();
	assert_string_equal(back(&c.g, "state"), "6");
}

static void
test_the_store_is_not_there_yet(void **state)
{
	(void)state;
	stop();
	c.h->closed = true;
	start();
	plug(&c.g);
	assert_null(vif("xnb1.0"));
	c.h->closed = false;
	pass(5 * SEC);
	assert_non_null(vif("xnb1.0"));
}

static void
test_no_xen(void **state)
{
	struct xnb_xen_options o = { .ops = &fake_ops };
	struct xen_host *h = fake_xen;
	struct xnb_xen *xen;
	char why[64] = "";

	(void)state;
	fake_xen = NULL;
	assert_int_equal(
	    xnb_xen_start(c.net, &o, &xen, why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "no Xen of pretence");
	fake_xen = h;
}

static void
test_transactions_that_others_disturb(void **state)
{
	(void)state;
	fake_plug(&c.g);
	xnb_xen_look(c.xen);
	c.h->jobs[0]->run(c.h->jobs[0]);
	c.h->again = 3;
	c.h->jobs[0]->done(c.h->jobs[0], NULL);
	c.h->job_count--;
	memmove(
	    c.h->jobs, c.h->jobs + 1, c.h->job_count * sizeof(struct job *));
	run();
	assert_int_equal(c.h->again, 0);
	assert_string_equal(back(&c.g, "state"), "2");
	assert_string_equal(back(&c.g, "feature-sg"), "1");
}

/* --- data and events -------------------------------------------------------
 */

static void
test_frames_both_ways(void **state)
{
	struct coax_netif_rx_request req = { .id = 5, .gref = 50 };
	struct coax_netif_rx_response rsp;
	struct frame_batch batch = { .count = 1 };
	uint32_t copies;

	(void)state;
	connect_guest(&c.g);
	listen_in();
	copies = c.h->copies;
	for (uint8_t i = 0; i < 10; i++)
		guest_sends(&c.g, i);
	ring_bell(&c.g, 11);
	assert_int_equal(c.sink.frames, 10);
	assert_int_equal(c.h->copies, copies + 1); /* one call for all */
	assert_int_equal(netring_front_poll(&c.g.tx), 10);
	assert_int_equal(c.h->channels[fake_channel(&c.g, 11)].notified, 1);

	netring_front_put(&c.g.rx, &req, 2);
	(void)netring_front_publish(&c.g.rx);
	batch.frames[0] = frame_alloc(c.net->pool, 100);
	batch.frames[0]->len = 100;
	memset(batch.frames[0]->data, 0x22, 100);
	iface_output(vif("xnb1.0"), &batch);
	run();
	assert_int_equal(netring_front_poll(&c.g.rx), 1);
	netring_front_get(&c.g.rx, 0, &rsp, 2);
	assert_int_equal(rsp.id, 5);
	assert_int_equal(rsp.status, 100);
	assert_int_equal(rsp.offset, 0); /* as Linux does */
	assert_int_equal(c.h->pages[50 * COAX_RING_PAGE + 99], 0x22);
	assert_int_equal(c.h->channels[fake_channel(&c.g, 12)].notified, 1);
}

/* --- pieces and pages ------------------------------------------------------
 */

#define SENT_MAX  20000u
#define POSTED_AT (FAKE_DATA_PAGE + 50)

static uint8_t sent[SENT_MAX], got[SENT_MAX + COAX_RING_PAGE];

/* Back to where it came from. */
static void
echo(struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	(void)s;
	iface_output(ifp, batch);
}

/* As Linux does it: @head bytes of headers, the rest of a page from @offset on,
 * whole pages, what is left. */
static void
guest_sends_pieces(
    struct fake_guest *g, uint32_t size, uint32_t head, uint32_t offset)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < size; i++)
		sent[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(sent, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x88\xb5", 14);
	for (uint16_t i = 0; at < size; i++) {
		uint32_t begin = i == 1 ? offset : 0;
		uint32_t len =
		    COAX_MIN(i == 0 ? head : COAX_RING_PAGE - begin, size - at);
		struct coax_netif_tx_request req = {
			.gref = FAKE_DATA_PAGE + i,
			.offset = (uint16_t)begin,
			.flags = at + len < size ? COAX_NETTXF_MORE_DATA : 0,
			.id = i,
			.size = (uint16_t)(i == 0 ? size : len),
		};

		memcpy(c.h->pages + (size_t)req.gref * COAX_RING_PAGE + begin,
		    sent + at, len);
		netring_front_put(&g->tx, &req, 3);
		at += len;
	}
	(void)netring_front_publish(&g->tx);
}

static void
guest_posts(struct fake_guest *g, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		struct coax_netif_rx_request req = {
			.id = i,
			.gref = POSTED_AT + i,
		};

		netring_front_put(&g->rx, &req, 2);
	}
	(void)netring_front_publish(&g->rx);
}

/* It came back as it was sent, in so many slots, the first of them so long. */
static void
guest_has_it_back(
    struct fake_guest *g, uint32_t size, uint32_t slots, uint32_t first)
{
	uint32_t len = 0;

	assert_int_equal(netring_front_poll(&g->rx), slots);
	for (uint32_t i = 0; i < slots; i++) {
		struct coax_netif_rx_response rsp;

		netring_front_get(&g->rx, i, &rsp, 2);
		assert_int_equal(rsp.offset, 0);
		assert_int_equal(
		    (rsp.flags & COAX_NETRXF_MORE_DATA) != 0, i + 1 < slots);
		assert_in_range(rsp.status, 1, COAX_RING_PAGE);
		if (i == 0)
			assert_int_equal(rsp.status, first);
		assert_true(len + (uint32_t)rsp.status <= size);
		memcpy(got + len,
		    c.h->pages + (size_t)(POSTED_AT + i) * COAX_RING_PAGE,
		    (size_t)rsp.status);
		len += (uint32_t)rsp.status;
	}
	assert_int_equal(len, size);
	assert_memory_equal(got, sent, size);
}

static void
echo_pieces(uint32_t size, uint32_t head, uint32_t offset)
{
	connect_guest(&c.g);
	assert_int_equal(iface_set_mtu(vif("xnb1.0"), SENT_MAX), 0);
	c.sink.stack.input = echo;
	listen_in();
	guest_posts(&c.g, 10);
	c.h->crossed = 0;
	guest_sends_pieces(&c.g, size, head, offset);
	ring_bell(&c.g, 11);
}

/* A piece that crosses the end of a page of ours is two to the hypervisor. */
static void
test_pieces_keep_to_pages(void **state)
{
	(void)state;
	echo_pieces(SENT_MAX, 66, 1000);
	assert_int_equal(c.h->crossed, 0);
	/* The data began 66 before 1000. */
	guest_has_it_back(&c.g, SENT_MAX, 1 + 5, COAX_RING_PAGE - (1000 - 66));
}

/* The first piece is not to be too short for the headers: rather crossed. */
static void
test_a_first_piece_is_not_short(void **state)
{
	(void)state;
	echo_pieces(SENT_MAX, 66, 0);
	assert_int_equal(c.h->crossed, 5);
	guest_has_it_back(&c.g, SENT_MAX, 5, COAX_RING_PAGE);
}

/* The second began in its page before the first had so many bytes. */
static void
test_pieces_that_begin_before(void **state)
{
	(void)state;
	echo_pieces(SENT_MAX, 2000, 100);
	assert_int_equal(c.h->crossed, 1); /* the first, inevitably */
	guest_has_it_back(&c.g, SENT_MAX, 1 + 5, 1900);
}

static void
test_what_cannot_be_copied(void **state)
{
	struct coax_netif_tx_response rsp;

	(void)state;
	connect_guest(&c.g);
	listen_in();
	c.h->bad_ref = FAKE_DATA_PAGE + 1;
	for (uint8_t i = 0; i < 3; i++)
		guest_sends(&c.g, i);
	ring_bell(&c.g, 11);
	assert_int_equal(c.sink.frames, 2);
	assert_int_equal(netring_front_poll(&c.g.tx), 3);
	netring_front_get(&c.g.tx, 1, &rsp, 1);
	assert_int_equal(rsp.status, COAX_NETIF_RSP_ERROR);
	c.h->bad_ref = UINT32_MAX;
}

/* A guest that signals without end is heard once until its queues sleep. */
static void
test_a_channel_is_masked_until_it_sleeps(void **state)
{
	uint32_t local;

	(void)state;
	connect_guest(&c.g);
	local = fake_channel(&c.g, 11);
	assert_false(c.h->channels[local].masked);
	c.h->channels[local].pending = true;
	xnb_xen_hear(c.xen);
	assert_true(c.h->channels[local].masked);
	run();
	assert_false(c.h->channels[local].masked);
}

static void
test_the_kernel_loses_count_of_events(void **state)
{
	(void)state;
	connect_guest(&c.g);
	listen_in();
	guest_sends(&c.g, 9);
	c.h->overflow = true;
	xnb_xen_hear(c.xen);
	run();
	assert_int_equal(c.sink.last[59], 9);
}

static void
test_hostile_rings_end_the_connection(void **state)
{
	(void)state;
	connect_guest(&c.g);
	shm_store_relaxed(&c.g.tx.shared->req_prod, 5000);
	ring_bell(&c.g, 11);
	assert_string_equal(back(&c.g, "state"), "6");
	assert_string_not_equal(told_error(&c.g), "");
	assert_int_equal(c.h->mapped, 0);
	/* Connected once more is not a beginning. */
	fake_set(c.h, c.g.front, "state", "4");
	run();
	assert_string_equal(back(&c.g, "state"), "6");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_it_appears_by_itself),
		CASE(test_numbers_in_order_of_appearance),
		CASE(test_what_is_there_at_the_start),
		CASE(test_the_tools_settings),
		CASE(test_settings_that_are_none),
		CASE(test_a_name_that_is_taken),
		CASE(test_nobody_else_makes_such_names),
		CASE(test_it_does_not_persist),
		CASE(test_the_kernels_are_left_alone),
		CASE(test_connected),
		CASE(test_connected_is_held_back_for_the_script),
		CASE(test_but_not_for_ever),
		CASE(test_nor_long_after_the_beginning),
		CASE(test_the_script_fails),
		CASE(test_two_queues),
		CASE(test_bad_values_cost_the_guest_its_vif_only),
		CASE(test_changed_midway),
		CASE(test_multicast_is_switched_at_any_time),
		CASE(test_the_driver_goes_and_comes),
		CASE(test_a_new_kernel),
		CASE(test_detached),
		CASE(test_destroyed),
		CASE(test_the_domain_ends_without_a_word),
		CASE(test_removed_by_force),
		CASE(test_nothing_is_written_where_nothing_is),
		CASE(test_detached_and_attached_between_two_looks),
		CASE(test_ifconfig_destroy),
		CASE(test_twenty_hot_plugs),
		CASE(test_the_next_daemon_goes_on),
		CASE(test_the_next_daemon_says_what_was_left),
		CASE(test_the_next_daemon_finds_nonsense),
		CASE(test_the_store_is_not_there_yet),
		CASE(test_no_xen),
		CASE(test_transactions_that_others_disturb),
		CASE(test_frames_both_ways),
		CASE(test_pieces_keep_to_pages),
		CASE(test_a_first_piece_is_not_short),
		CASE(test_pieces_that_begin_before),
		CASE(test_what_cannot_be_copied),
		CASE(test_a_channel_is_masked_until_it_sleeps),
		CASE(test_the_kernel_loses_count_of_events),
		CASE(test_hostile_rings_end_the_connection),
	};

	return cmocka_run_group_tests_name("drv_xnb_xen", tests, NULL, NULL);
}

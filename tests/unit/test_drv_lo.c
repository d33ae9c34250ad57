/* SPDX-License-Identifier: BSD-2-Clause */
/* lo: what the host sends comes back; no wire, no address, no bridge. */
#include <errno.h>

#include "bridge/bridge.h"
#include "drv/drv.h"
#include "net_fixture.h"

static const struct iface_ops *const kinds[] = { &lo_ops, &bridge_ops, NULL };

static void
test_units_begin_with_one(void **state)
{
	struct net *net = fixture_net(kinds, NULL, 64);
	struct iface *ifp;

	(void)state;
	assert_string_equal(fixture_iface(net, "lo")->name, "lo1");
	assert_int_equal(net_iface_create(net, NULL, "lo0", &ifp), -EINVAL);
	assert_string_equal(fixture_iface(net, "lo")->name, "lo2");
	assert_string_equal(fixture_iface(net, "lo7")->name, "lo7");
	net_destroy(net);
}

static void
test_what_the_host_sends_comes_back(void **state)
{
	struct net *net = fixture_net(kinds, NULL, 64);
	struct iface *ifp = fixture_iface_up(net, "lo");
	struct fixture_sink sink;
	struct frame_batch b;

	(void)state;
	fixture_sink_init(&sink);
	ifp->host = &sink.host;
	assert_true(iface_running(ifp));
	fixture_batch(net, &b, 5, 100);
	iface_host_input(ifp, &b);
	assert_int_equal(sink.host_frames, 5);
	assert_int_equal(ifp->count.opackets, 5);
	assert_int_equal(ifp->count.ipackets, 5);
	assert_int_equal(fixture_drops(ifp), 0);
	/* Down, nothing does. */
	iface_set_flags(ifp, 0, IFACE_UP);
	fixture_batch(net, &b, 3, 100);
	iface_host_input(ifp, &b);
	assert_int_equal(sink.host_frames, 5);
	assert_int_equal(fixture_drops(ifp), 3);
	ifp->host = NULL;
	net_destroy(net); /* asserts that all frames are back */
}

static void
test_no_address_and_no_bridge(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct net *net = fixture_net(kinds, NULL, 64);
	struct iface *ifp = fixture_iface(net, "lo");
	struct iface *bridge = fixture_iface(net, "bridge");

	(void)state;
	assert_int_equal(iface_set_lladdr(ifp, mac), -EOPNOTSUPP);
	assert_int_equal(bridge_add(bridge, ifp), -EINVAL);
	assert_int_equal(ifp->mtu, 16384);
	assert_int_equal(ifp->flags, IFACE_LOOPBACK | IFACE_MULTICAST);
	net_destroy(net);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units_begin_with_one),
		cmocka_unit_test(test_what_the_host_sends_comes_back),
		cmocka_unit_test(test_no_address_and_no_bridge),
	};

	return cmocka_run_group_tests_name("drv_lo", tests, NULL, NULL);
}

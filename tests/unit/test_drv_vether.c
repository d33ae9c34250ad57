/* SPDX-License-Identifier: BSD-2-Clause */
/* vether: a port whose wire is the host (here a mock that remembers). */
#include "net_fixture.h"

#include <errno.h>
#include <stdlib.h>

#include "drv/drv.h"
#include "os/tun.h"

struct vether_test {
	struct net *net;
	struct iface *ifp;
	struct fixture_sink sink;
};

static int
setup(void **state)
{
	struct vether_test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->net = fixture_net(drv_kinds, NULL, 64);
	t->ifp = fixture_iface(t->net, "vether");
	fixture_sink_init(&t->sink);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct vether_test *t = *state;

	if (t->ifp != NULL)
		t->ifp->host = NULL;
	fixture_pool_is_whole(t->net, 0);
	net_destroy(t->net);
	free(t);
	return 0;
}

static void
test_address_and_defaults(void **state)
{
	struct vether_test *t = *state;
	struct iface *other = fixture_iface(t->net, "vether");

	assert_string_equal(t->ifp->name, "vether0");
	assert_string_equal(other->name, "vether1");
	assert_int_equal(mac_to_u64(t->ifp->mac) >> 24, 0xf20ba4);
	assert_false(ether_equal(t->ifp->mac, other->mac));
	assert_int_equal(t->ifp->mtu, 1500);
	assert_int_equal(t->ifp->link, IFACE_LINK_DOWN);
	assert_int_equal(
	    t->ifp->flags, IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST);
}

static void
test_link_follows_up_and_media(void **state)
{
	struct vether_test *t = *state;
	struct iface *ifp = t->ifp;

	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(ifp->link, IFACE_LINK_UP);
	assert_true(iface_running(ifp));
	assert_int_equal(fixture_word(ifp, "media", "none", 0, false), 0);
	assert_int_equal(ifp->link, IFACE_LINK_DOWN);
	assert_string_equal(ifp->media, "none");
	assert_int_equal(iface_set_flags(ifp, 0, IFACE_UP), 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(ifp->link, IFACE_LINK_DOWN); /* still none */
	assert_int_equal(fixture_word(ifp, "media", "auto", 0, false), 0);
	assert_int_equal(ifp->link, IFACE_LINK_UP);
	assert_int_equal(
	    fixture_word(ifp, "media", "10baseT", 0, false), -EINVAL);
	assert_int_equal(ifp->link, IFACE_LINK_UP);
	assert_int_equal(iface_set_flags(ifp, 0, IFACE_UP), 0);
	assert_int_equal(ifp->link, IFACE_LINK_DOWN);
	assert_false(iface_running(ifp));
}

static void
test_mtu_bounds(void **state)
{
	struct vether_test *t = *state;

	assert_int_equal(iface_set_mtu(t->ifp, TUN_MTU_MIN - 1), -EINVAL);
	assert_int_equal(iface_set_mtu(t->ifp, TUN_MTU_MAX + 1), -EINVAL);
	assert_int_equal(t->ifp->mtu, 1500);
	assert_int_equal(iface_set_mtu(t->ifp, TUN_MTU_MIN), 0);
	assert_int_equal(iface_set_mtu(t->ifp, TUN_MTU_MAX), 0);
}

/* Out of the wire is to the host; from the host is in from the wire. */
static void
test_host_is_the_wire(void **state)
{
	struct vether_test *t = *state;
	struct iface *ifp = t->ifp;
	struct frame_batch b;

	ifp->host = &t->sink.host;
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(iface_stack_attach(ifp, &t->sink.stack), 0);
	fixture_output(ifp, 3, 100);
	assert_int_equal(t->sink.host_frames, 3);
	assert_int_equal(ifp->count.opackets, 3);
	assert_int_equal(ifp->count.obytes, 300);
	fixture_batch(t->net, &b, 2, 60);
	iface_host_input(ifp, &b);
	assert_int_equal(t->sink.frames, 2);
	assert_int_equal(ifp->count.ipackets, 2);
	assert_int_equal(t->sink.host_frames, 3);
	iface_stack_detach(ifp);
	/* Standing alone it leads nowhere. */
	fixture_batch(t->net, &b, 1, 60);
	iface_host_input(ifp, &b);
	assert_int_equal(ifp->count.drops[DROP_NO_STACK], 1);
	assert_int_equal(t->sink.host_frames, 3);
}

static void
test_drops_have_reasons(void **state)
{
	struct vether_test *t = *state;
	struct iface *ifp = t->ifp;

	fixture_output(ifp, 1, 60);
	assert_int_equal(ifp->count.drops[DROP_IF_DOWN], 1);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	fixture_output(ifp, 2, 60);
	assert_int_equal(ifp->count.drops[DROP_HOST_DOWN], 2);
	ifp->host = &t->sink.host;
	t->sink.host.up = false;
	fixture_output(ifp, 4, 60);
	assert_int_equal(ifp->count.drops[DROP_HOST_DOWN], 6);
	t->sink.host.up = true;
	assert_int_equal(fixture_word(ifp, "media", "none", 0, false), 0);
	fixture_output(ifp, 1, 60);
	assert_int_equal(ifp->count.drops[DROP_IF_DOWN], 2);
	assert_int_equal(ifp->count.opackets, 0);
	assert_int_equal(t->sink.host_frames, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_address_and_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_link_follows_up_and_media, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_mtu_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_host_is_the_wire, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_drops_have_reasons, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

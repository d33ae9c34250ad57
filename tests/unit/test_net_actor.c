/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may do what with which interface, and how much of it he may have. */
#include <errno.h>
#include <stdlib.h>

#include "net_fixture.h"

static const struct net_actor alice = {
	.uid = 1, .gids = { 10, 11 }, .gid_count = 2
};
static const struct net_actor bob = {
	.uid = 2, .gids = { 11 }, .gid_count = 1
};
static const struct net_actor root = { .uid = 0, .admin = true };

static int
port_create(struct iface *ifp)
{
	(void)ifp;
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
	iface_drop_batch(ifp, batch, DROP_TX_ERROR);
}

#define PORT_OPS                                                         \
	.about = "for tests", .unit_max = 100, .mtu_default = 1500,      \
	.mtu_min = 72, .mtu_max = 9000,                                  \
	.size = (sizeof(struct iface) + IFACE_ALIGN - 1) / IFACE_ALIGN * \
	        IFACE_ALIGN,                                             \
	.create = port_create, .destroy = port_destroy,                  \
	.transmit = port_transmit

static const struct iface_ops port_ops = {
	.kind = "port", .kind_flags = IFACE_KIND_USERS, PORT_OPS
};
static const struct iface_ops plain_ops = { .kind = "plain", PORT_OPS };
static const struct iface_ops card_ops = {
	.kind = "card", .kind_flags = IFACE_KIND_ADOPTED, PORT_OPS
};
static const struct iface_ops *const kinds[] = { &port_ops, &plain_ops,
	&card_ops, NULL };

static struct net *net;

static int
setup(void **state)
{
	const struct net_options o = {
		.pool = { .small_count = 64, .large_count = 4 },
		.kinds = kinds,
	};

	(void)state;
	return net_create(&o, &net);
}

static int
teardown(void **state)
{
	(void)state;
	net_destroy(net);
	return 0;
}

static struct iface *
make(const struct net_actor *who)
{
	struct iface *ifp = NULL;

	net->actor = who;
	assert_int_equal(net_iface_create(net, NULL, "port", &ifp), 0);
	net->actor = NULL;
	return ifp;
}

static struct iface *
find(const struct net_actor *who, const char *name)
{
	struct iface *ifp;

	net->actor = who;
	ifp = net_iface_find(net, NULL, name);
	net->actor = NULL;
	return ifp;
}

static void
test_what_is_somebodys(void **state)
{
	struct iface *his = make(&alice);
	struct iface *ours = make(NULL);

	(void)state;
	assert_ptr_equal(find(&alice, "port0"), his);
	assert_null(find(&bob, "port0"));
	assert_null(find(&alice, "port1"));
	assert_ptr_equal(find(&root, "port0"), his);
	assert_ptr_equal(find(NULL, "port1"), ours);
	assert_int_equal(net_access_as(&alice, his), NET_ACCESS_OWN);
	assert_int_equal(net_access_as(&bob, his), NET_ACCESS_NONE);
	assert_int_equal(net_access_as(&root, his), NET_ACCESS_ADMIN);
	assert_int_equal(net_access_as(NULL, his), NET_ACCESS_ADMIN);
	net->actor = &bob;
	assert_false(net_iface_visible(his, NULL));
	assert_int_equal(net_need(his, NET_ACCESS_USE), -EPERM);
	/* The name is taken, though he does not see by what. */
	assert_true(net_name_taken(net, NULL, "port0", NULL));
	net->actor = NULL;
}

static void
test_shared_with_a_group(void **state)
{
	struct iface *his = make(&alice);

	(void)state;
	net->actor = &bob;
	assert_int_equal(net_share(his, 10), -EPERM);
	net->actor = &alice;
	assert_int_equal(net_share(his, 12), -EPERM);
	assert_int_equal(net_share(his, 11), 0);
	net->actor = NULL;
	assert_int_equal(net_access_as(&bob, his), NET_ACCESS_USE);
	net->actor = &bob;
	assert_int_equal(net_need(his, NET_ACCESS_USE), 0);
	assert_int_equal(net_need(his, NET_ACCESS_OWN), -EPERM);
	net->actor = NULL;
	assert_int_equal(net_share(his, NET_ID_NONE), 0);
	assert_int_equal(net_access_as(&bob, his), NET_ACCESS_NONE);
}

static void
test_ports_of_a_user(void **state)
{
	struct iface *ifp, *first;

	(void)state;
	net->user_limits.ports = 2;
	first = make(&alice);
	(void)make(&alice);
	(void)make(&bob);
	(void)make(&root);
	net->actor = &alice;
	assert_int_equal(net_iface_create(net, NULL, "port", &ifp), -EDQUOT);
	assert_int_equal(net_iface_create(net, NULL, "plain", &ifp), -EPERM);
	net->actor = NULL;
	assert_int_equal(net_iface_destroy(first, NULL), 0);
	first = make(&alice);
	/* Given away, it counts for whom it was given to, beyond his limit. */
	assert_int_equal(net_user_change(first, bob.uid), 0);
	(void)make(&alice);
	net->actor = &bob;
	assert_int_equal(net_iface_create(net, NULL, "port", &ifp), -EDQUOT);
	net->actor = NULL;
	assert_int_equal(net_user_change(first, NET_ID_NONE), 0);
	(void)make(&bob);
}

static void
test_queues_of_a_user(void **state)
{
	struct iface *a = make(&alice);
	struct iface *b = make(&alice);
	struct iface *c = make(&bob);
	struct frame_ring ra, rb, rc;
	struct frame *f[40], *out[40];

	(void)state;
	net->user_limits.queues_kib = 1;
	assert_int_equal(frame_ring_init(&ra, 64, 65536), 0);
	assert_int_equal(frame_ring_init(&rb, 64, 65536), 0);
	assert_int_equal(frame_ring_init(&rc, 64, 65536), 0);
	net_user_queue(a, &ra);
	net_user_queue(b, &rb);
	net_user_queue(c, &rc);
	for (uint32_t i = 0; i < 40; i++) {
		f[i] = frame_alloc(net->pool, 100);
		assert_non_null(f[i]);
		f[i]->len = 100;
	}
	/* Ten of 100 bytes are in 1024; it does not matter in which. */
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(
		    frame_ring_push(i % 2 != 0 ? &ra : &rb, f[i]), 0);
	assert_int_equal(frame_ring_push(&ra, f[10]), -EDQUOT);
	assert_int_equal(frame_ring_push(&rb, f[10]), -EDQUOT);
	assert_false(frame_ring_push_all(&ra, &f[10], 1, 100));
	assert_int_equal(frame_ring_push(&rc, f[10]), 0);
	assert_int_equal(a->user->queued, 1000);
	assert_int_equal(c->user->queued, 100);
	frame_release(frame_ring_pop(&ra));
	assert_int_equal(frame_ring_pop_many(&rb, out, 3), 3);
	assert_int_equal(a->user->queued, 600);
	for (uint32_t i = 0; i < 3; i++)
		frame_release(out[i]);
	assert_int_equal(frame_ring_push(&ra, f[11]), 0);
	frame_ring_fini(&ra);
	assert_int_equal(a->user->queued, 200);
	assert_int_equal(frame_ring_pop_many(&rb, out, 40), 2);
	frame_release(out[0]);
	frame_release(out[1]);
	assert_int_equal(a->user->queued, 0);
	frame_ring_fini(&rb);
	frame_ring_fini(&rc);
	for (uint32_t i = 12; i < 40; i++)
		frame_release(f[i]);
}

static void
test_vnets_of_a_user(void **state)
{
	(void)state;
	assert_true(net_vnet_mine(net, net->home));
	net->actor = &alice;
	assert_false(net_vnet_mine(net, net->home));
	assert_false(net_host_wanted(net, net->home));
	assert_ptr_equal(net_vnet_find(net, ""), net->home);
	net->actor = NULL;
}

/* The host has eth0, which can be adopted, and lo, which cannot. */
static int
netdev_check(void *arg, struct vnet *vnet, const char *name)
{
	(void)arg;
	if (strcmp(name, "lo") == 0)
		return net_error(vnet->net, -EPROTONOSUPPORT, "no wire");
	return strcmp(name, "eth0") == 0 ? 0 : -ENODEV;
}

static void
test_adopting(void **state)
{
	const struct iface_ops *ops;
	struct iface *ifp = NULL, *again;

	(void)state;
	assert_int_equal(net_iface_adopt(net, NULL, "eth0", &ifp), -ENODEV);
	net->system.netdev_check = netdev_check;
	net->actor = &alice;
	assert_int_equal(net_iface_adopt(net, NULL, "eth0", &ifp), -EPERM);
	assert_int_equal(net_iface_adopt(net, NULL, "lo", &ifp), -EPERM);
	assert_int_equal(net_iface_adopt(net, NULL, "eth1", &ifp), -ENODEV);
	net->actor = &root;
	assert_int_equal(
	    net_iface_adopt(net, NULL, "lo", &ifp), -EPROTONOSUPPORT);
	assert_int_equal(net_iface_adopt(net, NULL, "eth1", &ifp), -ENODEV);
	assert_int_equal(net_iface_adopt(net, NULL, "eth0", &ifp), 0);
	assert_string_equal(ifp->name, "eth0");
	assert_int_equal(ifp->unit, IFACE_UNIT_NONE);
	assert_int_equal(net_iface_adopt(net, NULL, "eth0", &again), -EEXIST);
	/* It is made of nothing else. */
	assert_int_equal(
	    net_kind_of_name(net, net->home, "card", &ops), -EINVAL);
	assert_int_equal(net_iface_create(net, NULL, "card0", &again), -EINVAL);
	net->actor = NULL;
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_what_is_somebodys),
		T(test_shared_with_a_group),
		T(test_ports_of_a_user),
		T(test_queues_of_a_user),
		T(test_vnets_of_a_user),
		T(test_adopting),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

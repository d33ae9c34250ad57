/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, units, vnets with a mocked system, the run queue. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_fixture.h"

struct node {
	struct iface ifp;
	uint32_t work, polled, flushed;
};

static int create_answer;
static int twin_answer; /* of the second of two */
static uint32_t destroyed;

static int
node_create(struct iface *ifp)
{
	return ifp->twin != NULL ? twin_answer : create_answer;
}

static void
node_destroy(struct iface *ifp)
{
	(void)ifp;
	destroyed++;
}

static void
node_transmit(struct iface *ifp, struct frame_batch *batch)
{
	iface_drop_batch(ifp, batch, DROP_TX_ERROR);
}

static bool
node_poll(struct iface *ifp, uint32_t budget)
{
	struct node *n = (struct node *)ifp;

	assert_int_equal(budget, NET_POLL_BUDGET);
	n->polled++;
	net_flush_later(ifp);
	if (n->work > 0)
		n->work--;
	return n->work > 0;
}

static void
node_flush(struct iface *ifp)
{
	((struct node *)ifp)->flushed++;
}

/* What somebody destroys while another interface changes. */
static struct iface *victim;

static void
node_changed(struct iface *ifp, uint32_t what)
{
	struct iface *v = victim;

	if (v == NULL || v == ifp || (what & IFACE_CHANGED_FLAGS) == 0)
		return;
	victim = NULL;
	net_iface_destroy(v, NULL);
}

static const struct iface_ops node_ops = {
	.kind = "node",
	.about = "test",
	.unit_max = 12,
	.mtu_default = 1500,
	.mtu_max = 1500,
	.size = sizeof(struct node),
	.create = node_create,
	.destroy = node_destroy,
	.transmit = node_transmit,
	.poll = node_poll,
	.flush = node_flush,
	.changed = node_changed,
};
static const struct iface_ops still_ops = {
	.kind = "averyveryverylo",
	.about = "test: a name too long for a unit; nothing to poll",
	.unit_max = 12,
	.size = sizeof(struct node),
	.create = node_create,
	.destroy = node_destroy,
	.transmit = node_transmit,
};
static const struct iface_ops fixed_ops = {
	.kind = "fixed",
	.about = "test: not to be cloned",
	.kind_flags = IFACE_KIND_NO_CLONE,
	.size = sizeof(struct node),
	.create = node_create,
	.destroy = node_destroy,
	.transmit = node_transmit,
};
static const struct iface_ops pair_ops = {
	.kind = "pair",
	.about = "test: two at once",
	.unit_max = 12,
	.twins = "xy",
	.size = sizeof(struct node),
	.create = node_create,
	.destroy = node_destroy,
	.transmit = node_transmit,
};
static const struct iface_ops *const kinds[] = { &node_ops, &still_ops,
	&fixed_ops, &pair_ops, NULL };

/* The system: host sides are allocated; everything can be made to fail. */
struct mock {
	int attach, move, rename, vnet;
	bool pending; /* vnet_destroy tells later */
	struct net_wait *wait;
	uint32_t hosts;
	const char *taken; /* "node0 node1 ": names of the host's own */
} mock;

static bool
mock_name_taken(void *arg, struct vnet *vnet, const char *name)
{
	char word[IFACE_NAME_MAX + 1];

	assert_ptr_equal(arg, &mock);
	snprintf(word, sizeof(word), "%s ", name);
	return vnet == vnet->net->home && mock.taken != NULL &&
	       strstr(mock.taken, word) != NULL;
}

static int
mock_attach(void *arg, struct iface *ifp, struct net_wait *w)
{
	(void)w;
	assert_ptr_equal(arg, &mock);
	if (mock.attach != 0)
		return mock.attach;
	ifp->host = calloc(1, sizeof(*ifp->host));
	ifp->host->vnet = ifp->vnet;
	mock.hosts++;
	return 0;
}

static int
mock_detach(void *arg, struct iface *ifp, struct net_wait *w)
{
	(void)arg;
	free(ifp->host);
	ifp->host = NULL;
	mock.hosts--;
	return w != NULL ? -EINPROGRESS : 0;
}

static int
mock_move(void *arg, struct iface *ifp, struct vnet *vnet, struct net_wait *w)
{
	(void)arg;
	(void)w;
	if (mock.move == 0)
		ifp->host->vnet = vnet;
	return mock.move;
}

static int
mock_rename(void *arg, struct iface *ifp, const char *name)
{
	(void)arg;
	assert_string_not_equal(ifp->name, name);
	return mock.rename;
}

static int
mock_vnet_create(void *arg, struct vnet *v)
{
	(void)arg;
	(void)v;
	return mock.vnet;
}

static int
mock_vnet_attach(
    void *arg, struct vnet *v, const char *what, const int *fds, uint32_t count)
{
	(void)arg;
	(void)fds;
	(void)count;
	assert_true(v->adopted);
	assert_string_equal(what, "1234");
	return mock.vnet;
}

static void
mock_vnet_destroy(void *arg, struct vnet *v, struct net_wait *w)
{
	(void)arg;
	assert_true(v->dead);
	if (mock.pending)
		mock.wait = w;
	else
		w->done(w, 0);
}

static const struct net_system mock_system = {
	.arg = &mock,
	.host_attach = mock_attach,
	.host_detach = mock_detach,
	.host_move = mock_move,
	.host_rename = mock_rename,
	.host_name_taken = mock_name_taken,
	.vnet_create = mock_vnet_create,
	.vnet_attach = mock_vnet_attach,
	.vnet_destroy = mock_vnet_destroy,
};

static struct net *net;
static struct fixture_events ev;

static int
setup(void **state)
{
	(void)state;
	memset(&mock, 0, sizeof(mock));
	create_answer = 0;
	twin_answer = 0;
	destroyed = 0;
	victim = NULL;
	net = fixture_net(kinds, &mock_system, 64);
	fixture_subscribe(net, &ev);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	net_destroy(net);
	assert_int_equal(mock.hosts, 0);
	return 0;
}

static int
try_create(struct vnet *v, const char *name)
{
	struct iface *ifp;

	return net_iface_create(net, v, name, &ifp);
}

static void
test_create_takes_the_lowest_free_unit(void **state)
{
	struct iface *a, *b, *c;

	(void)state;
	a = fixture_iface(net, "node");
	b = fixture_iface(net, "node");
	c = fixture_iface(net, "node5");
	assert_string_equal(a->name, "node0");
	assert_string_equal(b->name, "node1");
	assert_string_equal(c->name, "node5");
	assert_int_equal(c->unit, 5);
	assert_int_equal(
	    c->flags, IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST);
	assert_int_equal(c->mtu, 1500);
	assert_true(iface_group_has(c, "node"));
	assert_int_equal(ev.count[NET_EVENT_CREATE], 3);
	assert_int_equal(try_create(NULL, "node5"), -EEXIST);
	net_iface_destroy(a, NULL);
	assert_int_equal(ev.count[NET_EVENT_DESTROY], 1);
	assert_string_equal(fixture_iface(net, "node")->name, "node0");
	assert_string_equal(fixture_iface(net, "node")->name, "node2");
}

static void
test_create_refuses_bad_names(void **state)
{
	static const char *const bad[] = { "", "nosuch", "nosuch0", "node00",
		"node01", "node13", "node-1", "node1x", "no", "0", "fixed0",
		"node99999999999999999999", "node 1", "NODE0",
		"averyveryverylo0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(try_create(NULL, bad[i]), -EINVAL);
	for (int i = 0; i < 13; i++)
		assert_int_equal(try_create(NULL, "node"), 0);
	assert_int_equal(try_create(NULL, "node"), -ENFILE);
	assert_int_equal(net->iface_count, 13);
}

static void
test_failed_create_leaves_nothing(void **state)
{
	(void)state;
	create_answer = -EIO;
	assert_int_equal(try_create(NULL, "node0"), -EIO);
	assert_null(net_iface_find(net, NULL, "node0"));
	assert_int_equal(net->iface_count, 0);
	assert_int_equal(ev.count[NET_EVENT_CREATE], 0);
	assert_int_equal(destroyed, 0);
}

/* Two interfaces of one unit, or none. */
static void
test_twins_are_born_and_end_together(void **state)
{
	struct iface *x, *y, *other;

	(void)state;
	x = fixture_iface(net, "pair");
	y = net_iface_find(net, NULL, "pair0y");
	assert_string_equal(x->name, "pair0x");
	assert_non_null(y);
	assert_ptr_equal(x->twin, y);
	assert_ptr_equal(y->twin, x);
	assert_int_equal(y->unit, 0);
	assert_int_equal(ev.count[NET_EVENT_CREATE], 2);
	assert_string_equal(fixture_iface(net, "pair5")->name, "pair5x");
	assert_string_equal(fixture_iface(net, "pair")->name, "pair1x");
	assert_int_equal(try_create(NULL, "pair5"), -EEXIST);
	assert_int_equal(try_create(NULL, "pair6x"), -EINVAL);
	assert_string_equal(net->message,
	    "interfaces of kind pair are made in pairs: create pair6");
	assert_int_equal(try_create(NULL, "pair6z"), -EINVAL);
	assert_int_equal(try_create(NULL, "pair13"), -EINVAL);
	net_iface_destroy(y, NULL);
	assert_null(net_iface_find(net, NULL, "pair0x"));
	assert_null(net_iface_find(net, NULL, "pair0y"));
	assert_int_equal(destroyed, 2);
	assert_int_equal(ev.count[NET_EVENT_DESTROY], 2);
	/* A unit lives on under other names. */
	x = fixture_iface(net, "pair");
	assert_string_equal(x->name, "pair0x");
	assert_int_equal(net_iface_rename(x, "left"), 0);
	assert_int_equal(net_iface_rename(x->twin, "right"), 0);
	assert_int_equal(try_create(NULL, "pair0"), -EEXIST);
	/* If the second cannot be, the first is not. */
	twin_answer = -EIO;
	assert_int_equal(try_create(NULL, "pair7"), -EIO);
	assert_null(net_iface_find(net, NULL, "pair7x"));
	twin_answer = 0;
	/* One name that is taken takes the unit. */
	other = fixture_iface(net, "node0");
	assert_int_equal(net_iface_rename(other, "pair8y"), 0);
	assert_int_equal(try_create(NULL, "pair8"), -EEXIST);
	mock.taken = "pair2y ";
	net->host_attach = 1;
	assert_string_equal(fixture_iface(net, "pair")->name, "pair3x");
}

/* One of them is elsewhere when the vnet of both, or of the other, ends. */
static void
test_twins_in_two_vnets(void **state)
{
	struct vnet *alice, *bob;
	struct iface *x, *y;

	(void)state;
	assert_int_equal(net_vnet_create(net, "alice", &alice), 0);
	assert_int_equal(net_vnet_create(net, "bob", &bob), 0);
	x = fixture_iface(net, "pair");
	y = x->twin;
	assert_int_equal(net_host_attach(x, NULL), 0);
	assert_int_equal(net_host_attach(y, NULL), 0);
	assert_int_equal(net_host_move(y, alice, NULL), 0);
	/* In alice the name is taken, the unit is free. */
	assert_int_equal(try_create(alice, "pair"), 0);
	assert_null(net_iface_find(net, alice, "pair0x"));
	assert_non_null(net_iface_find(net, alice, "pair1x"));
	net_vnet_destroy(alice, NULL);
	assert_ptr_equal(net_iface_find(net, NULL, "pair0y"), y);
	assert_int_equal(net->iface_count, 2);
	/* Made in bob, one end moved home. */
	assert_int_equal(net_iface_create(net, bob, "pair3", &x), 0);
	assert_int_equal(net_host_attach(x, NULL), 0);
	assert_int_equal(net_host_move(x, net->home, NULL), 0);
	net_vnet_destroy(bob, NULL);
	assert_null(net_iface_find(net, NULL, "pair3x"));
	assert_int_equal(net->iface_count, 2);
}

/* A lost vnet gives its own to home: both, under names that are free there. */
static void
test_twins_of_a_lost_vnet(void **state)
{
	struct vnet *alice;
	struct iface *x, *mine;

	(void)state;
	assert_int_equal(
	    net_vnet_attach(net, "alice", "1234", NULL, 0, &alice), 0);
	mine = fixture_iface(net, "pair0");
	assert_int_equal(net_iface_create(net, alice, "pair0", &x), 0);
	net_vnet_lost(alice);
	assert_string_equal(mine->name, "pair0x");
	assert_string_equal(mine->twin->name, "pair0y");
	assert_string_equal(x->name, "pair1x");
	assert_string_equal(x->twin->name, "pair1y");
	assert_int_equal(x->unit, 1);
	assert_int_equal(x->twin->unit, 1);
}

static void
test_names_are_per_vnet(void **state)
{
	struct vnet *alice;
	struct iface *home0, *alice0;

	(void)state;
	assert_int_equal(net_vnet_create(net, "alice", &alice), 0);
	home0 = fixture_iface(net, "node0");
	assert_int_equal(net_iface_create(net, alice, "node", &alice0), 0);
	assert_string_equal(alice0->name, "node0");
	assert_ptr_equal(net_iface_find(net, NULL, "node0"), home0);
	assert_ptr_equal(net_iface_find(net, alice, "node0"), alice0);
	assert_ptr_equal(net_iface_find(net, NULL, "node0@alice"), alice0);
	assert_ptr_equal(net_iface_find(net, NULL, "node0@"), home0);
	assert_null(net_iface_find(net, alice, "node0@alice"));
	assert_null(net_iface_find(net, NULL, "node0@bob"));
	assert_null(net_iface_find(net, NULL, "aaaaaaaaaaaaaaaaaaaaaa@alice"));
	assert_true(net_iface_visible(alice0, alice));
	assert_false(net_iface_visible(alice0, NULL));
	assert_ptr_equal(net_iface_by_index(net, alice0->index), alice0);
	assert_null(net_iface_by_index(net, 99));
}

/* While a host side is away the name is taken in both vnets. */
static void
test_moved_host_side_takes_the_name_there(void **state)
{
	struct vnet *alice;
	struct iface *a, *b;

	(void)state;
	assert_int_equal(net_vnet_create(net, "alice", &alice), 0);
	a = fixture_iface(net, "node0");
	assert_int_equal(net_host_move(a, alice, NULL), -ENXIO);
	assert_int_equal(net_host_attach(a, NULL), 0);
	assert_int_equal(net_host_attach(a, NULL), -EBUSY);
	assert_int_equal(net_host_move(a, alice, NULL), 0);
	assert_int_equal(net_host_move(a, alice, NULL), 0);
	assert_ptr_equal(net_iface_find(net, alice, "node0"), a);
	assert_ptr_equal(net_iface_find(net, NULL, "node0"), a);
	assert_int_equal(try_create(alice, "node0"), -EEXIST);
	assert_int_equal(try_create(NULL, "node0"), -EEXIST);
	assert_int_equal(net_iface_create(net, alice, "node", &b), 0);
	assert_string_equal(b->name, "node1");
	assert_int_equal(net_iface_rename(a, "node1"), -EEXIST);
	assert_int_equal(net_host_detach(a, NULL), 0);
	assert_int_equal(net_host_detach(a, NULL), -ENXIO);
	assert_null(net_iface_find(net, alice, "node0"));
	/* The other way: the name is taken where it wants to go. */
	assert_int_equal(net_iface_create(net, alice, "node0", &b), 0);
	assert_int_equal(net_host_attach(a, NULL), 0);
	assert_int_equal(net_host_move(a, alice, NULL), -EEXIST);
}

static void
test_rename(void **state)
{
	static const char *const bad[] = { "", "17", "a/b", "a b", "a@b", "a:b",
		"sixteen-letters-", ".", "..", "a\tb", "\xc3\xa4" };
	struct iface *a, *b;

	(void)state;
	a = fixture_iface(net, "node0");
	b = fixture_iface(net, "node1");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_iface_rename(a, bad[i]), -EINVAL);
	assert_int_equal(net_iface_rename(a, "node1"), -EEXIST);
	assert_int_equal(net_iface_rename(a, "node0"), 0);
	assert_int_equal(ev.count[NET_EVENT_CHANGE], 0);
	assert_int_equal(net_host_attach(a, NULL), 0);
	mock.rename = -EBUSY;
	assert_int_equal(net_iface_rename(a, "uplink"), -EBUSY);
	assert_ptr_equal(net_iface_find(net, NULL, "node0"), a);
	mock.rename = 0;
	assert_int_equal(net_iface_rename(a, "fifteen-letters"), 0);
	assert_int_equal(net_iface_rename(a, "uplink"), 0);
	assert_ptr_equal(net_iface_find(net, NULL, "uplink"), a);
	assert_null(net_iface_find(net, NULL, "node0"));
	assert_int_equal(ev.last.what, IFACE_CHANGED_NAME);
	assert_string_equal(ev.text, "fifteen-letters"); /* the old one */
	/* The unit stays taken; a name that looks like a unit takes it. */
	assert_int_equal(try_create(NULL, "node0"), -EEXIST);
	assert_int_equal(net_iface_rename(b, "node2"), 0);
	assert_string_equal(fixture_iface(net, "node")->name, "node3");
}

static void
test_vnet_names(void **state)
{
	static const char *const bad[] = { "", ".x", "-x", "a/b", "a@b",
		"a b" };
	struct vnet *v, *w;
	char name[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_vnet_create(net, bad[i], &v), -EINVAL);
	memset(name, 'x', sizeof(name));
	name[64] = '\0';
	assert_int_equal(net_vnet_create(net, name, &v), -EINVAL);
	mock.vnet = -EPERM;
	assert_int_equal(net_vnet_create(net, "v", &v), -EPERM);
	assert_null(net_vnet_find(net, "v"));
	mock.vnet = 0;
	assert_int_equal(net_vnet_create(net, "v", &v), 0);
	assert_int_equal(net_vnet_create(net, "v", &w), -EEXIST);
	assert_int_equal(net_vnet_attach(net, "w", "1234", NULL, 0, &w), 0);
	assert_ptr_equal(net_vnet_find(net, "w"), w);
	assert_ptr_equal(net_vnet_find(net, ""), net->home);
	assert_int_not_equal(v->id, w->id);
	assert_int_equal(net_vnet_destroy(net->home, NULL), -EINVAL);
}

static bool told;

static void
done(struct net_wait *w, int err)
{
	(void)w;
	assert_int_equal(err, 0);
	told = true;
}

static void
test_vnet_destroy_sends_guests_home(void **state)
{
	struct net_wait w = { .done = done };
	struct vnet *alice, *other;
	struct iface *guest, *own, *lost;

	(void)state;
	assert_int_equal(net_vnet_create(net, "alice", &alice), 0);
	guest = fixture_iface(net, "node0");
	assert_int_equal(net_host_attach(guest, NULL), 0);
	assert_int_equal(net_host_move(guest, alice, NULL), 0);
	assert_int_equal(net_iface_create(net, alice, "node7", &own), 0);
	mock.pending = true;
	told = false;
	assert_int_equal(net_vnet_destroy(alice, &w), -EINPROGRESS);
	assert_int_equal(net_vnet_destroy(alice, &w), -ENXIO);
	assert_int_equal(try_create(alice, "node0"), -ENXIO);
	assert_int_equal(destroyed, 1);
	assert_ptr_equal(guest->host->vnet, net->home);
	assert_null(net_vnet_find(net, "alice"));
	assert_int_equal(net_host_move(guest, alice, NULL), -ENXIO);
	assert_false(told);
	mock.wait->done(mock.wait, 0);
	assert_true(told);
	/* The name is free again; a host side that cannot come back is made
	 * anew, or ends. */
	assert_int_equal(net_vnet_create(net, "alice", &other), 0);
	lost = fixture_iface(net, "node1");
	assert_int_equal(net_host_attach(lost, NULL), 0);
	assert_int_equal(net_host_move(lost, other, NULL), 0);
	iface_set_flags(lost, IFACE_UP, 0);
	mock.move = -EBUSY;
	mock.pending = false;
	assert_int_equal(net_vnet_destroy(other, NULL), 0);
	assert_ptr_equal(lost->host->vnet, net->home);
	assert_false(lost->flags & IFACE_UP);
	mock.move = 0;
	assert_int_equal(net_vnet_create(net, "alice", &other), 0);
	assert_int_equal(net_host_move(lost, other, NULL), 0);
	mock.move = mock.attach = -EIO;
	assert_int_equal(net_vnet_destroy(other, NULL), 0);
	assert_null(lost->host);
	mock.move = mock.attach = 0;
	assert_string_equal(ev.text, "vnet alice destroyed");
	/* One that the system never finished: net_destroy() frees it. */
	assert_int_equal(net_vnet_create(net, "bob", &other), 0);
	mock.pending = true;
	assert_int_equal(net_vnet_destroy(other, NULL), -EINPROGRESS);
}

/* A namespace ended by itself: its interfaces live on at home. */
static void
test_lost_vnet_gives_its_interfaces_to_home(void **state)
{
	struct vnet *alice;
	struct iface *home0, *guest, *own, *plain;

	(void)state;
	assert_int_equal(
	    net_vnet_attach(net, "alice", "1234", NULL, 0, &alice), 0);
	home0 = fixture_iface(net, "node0");
	guest = fixture_iface_up(net, "node1");
	assert_int_equal(net_host_attach(guest, NULL), 0);
	assert_int_equal(net_host_move(guest, alice, NULL), 0);
	assert_int_equal(net_iface_create(net, alice, "node0", &own), 0);
	assert_int_equal(net_host_attach(own, NULL), 0);
	iface_set_flags(own, IFACE_UP, 0);
	assert_int_equal(net_iface_create(net, alice, "node5", &plain), 0);
	iface_set_flags(plain, IFACE_UP, 0);
	net_vnet_lost(alice);
	assert_null(net_vnet_find(net, "alice"));
	assert_ptr_equal(net_iface_find(net, NULL, "node0"), home0);
	assert_string_equal(own->name, "node2");
	assert_ptr_equal(own->vnet, net->home);
	assert_false(own->flags & IFACE_UP);
	assert_ptr_equal(own->host->vnet, net->home);
	assert_ptr_equal(guest->host->vnet, net->home);
	assert_false(guest->flags & IFACE_UP);
	assert_string_equal(plain->name, "node5");
	assert_true(plain->flags & IFACE_UP);
	assert_null(plain->host);
	assert_int_equal(ev.count[NET_EVENT_HOST], 3);
	assert_int_equal(mock.hosts, 2);
}

/* Where a name is free, but not its unit, or the host has the name. */
static void
test_names_and_units_at_home(void **state)
{
	struct iface *renamed, *back, *own, *a;
	struct vnet *alice;

	(void)state;
	/* A unit that lives at home under another name. */
	renamed = fixture_iface(net, "node0");
	assert_int_equal(net_iface_rename(renamed, "lan"), 0);
	assert_int_equal(
	    net_vnet_attach(net, "alice", "1234", NULL, 0, &alice), 0);
	assert_int_equal(net_iface_create(net, alice, "node0", &own), 0);
	assert_int_equal(net_iface_rename(own, "wan"), 0);
	net_vnet_lost(alice);
	assert_string_equal(own->name, "wan");
	assert_int_equal(own->unit, 1);
	net_iface_destroy(own, NULL);
	/* The same, where the name is taken as well. */
	a = fixture_iface(net, "node1");
	assert_int_equal(
	    net_vnet_attach(net, "alice", "1234", NULL, 0, &alice), 0);
	assert_int_equal(net_iface_create(net, alice, "node1", &own), 0);
	net_vnet_lost(alice);
	assert_string_equal(own->name, "node2"); /* 0 is lan's */
	assert_int_equal(own->unit, 2);
	net_iface_destroy(own, NULL);
	net_iface_destroy(a, NULL);
	net_iface_destroy(renamed, NULL);
	/* The host has the name of one that comes home. */
	back = fixture_iface(net, "node0");
	assert_int_equal(net_host_attach(back, NULL), 0);
	assert_int_equal(net_vnet_create(net, "bob", &alice), 0);
	assert_int_equal(net_host_move(back, alice, NULL), 0);
	mock.taken = "node0 node1 ";
	assert_int_equal(net_vnet_destroy(alice, NULL), 0);
	assert_string_equal(back->name, "node2");
	assert_int_equal(back->unit, 2);
	assert_ptr_equal(back->host->vnet, net->home);
	assert_int_equal(ev.count[NET_EVENT_HOST], 3);
}

/* A number of one's own choosing steps over the host's; a given one does not.
 */
static void
test_lowest_unit_is_free_on_the_host(void **state)
{
	struct iface *a;

	(void)state;
	mock.taken = "node0 node2 ";
	net->host_attach = 1;
	assert_int_equal(net_iface_create(net, NULL, "node", &a), 0);
	assert_string_equal(a->name, "node1");
	assert_int_equal(net_iface_create(net, NULL, "node", &a), 0);
	assert_string_equal(a->name, "node3");
	assert_int_equal(net_iface_create(net, NULL, "node2", &a), 0);
	assert_string_equal(a->name, "node2");
	/* No host side, no clash. */
	net->host_attach = 0;
	assert_int_equal(net_iface_create(net, NULL, "node", &a), 0);
	assert_string_equal(a->name, "node0");
	/* All taken, by the one or the other. */
	net->host_attach = 1;
	mock.taken = "node4 node5 node6 node7 node8 node9 node10 node11 "
	             "node12 ";
	assert_int_equal(try_create(NULL, "node"), -ENFILE);
}

/* Interfaces may be destroyed while a vnet's end changes others. */
static void
test_destroyed_while_a_vnet_ends(void **state)
{
	struct iface *ifs[3], *own;
	struct vnet *alice;

	(void)state;
	for (int end = 0; end < 2; end++) {
		assert_int_equal(
		    net_vnet_attach(net, "alice", "1234", NULL, 0, &alice), 0);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(
			    net_iface_create(net, NULL, "node", &ifs[i]), 0);
			assert_int_equal(net_host_attach(ifs[i], NULL), 0);
			assert_int_equal(net_host_move(ifs[i], alice, NULL), 0);
			iface_set_flags(ifs[i], IFACE_UP, 0);
		}
		assert_int_equal(
		    net_iface_create(net, alice, "node9", &own), 0);
		victim = ifs[1]; /* when the first goes down */
		if (end == 0)
			assert_int_equal(net_vnet_destroy(alice, NULL), 0);
		else
			net_vnet_lost(alice);
		assert_null(victim);
		assert_ptr_equal(ifs[0]->host->vnet, net->home);
		assert_ptr_equal(ifs[2]->host->vnet, net->home);
		assert_false(ifs[2]->flags & IFACE_UP);
		net_iface_destroy(ifs[0], NULL);
		net_iface_destroy(ifs[2], NULL);
	}
}

static struct iface *seen;

static void
look(struct net_subscriber *s, const struct net_event *e)
{
	(void)s;
	if (e->type != NET_EVENT_DESTROY)
		return;
	seen = net_iface_by_index(net, e->ifp->index);
	if (seen == NULL)
		seen = net_iface_find(net, NULL, e->ifp->name);
	/* Its name is not free yet. */
	assert_true(net_name_taken(net, net->home, e->ifp->name, NULL));
}

static void
test_nobody_finds_what_is_being_destroyed(void **state)
{
	struct net_subscriber s = { .event = look };
	struct iface *a = fixture_iface(net, "node0");

	(void)state;
	net_subscribe(net, &s);
	seen = a;
	net_iface_destroy(a, NULL);
	assert_null(seen);
	net_unsubscribe(net, &s);
}

static void
test_without_a_system_there_is_no_host(void **state)
{
	struct net *bare = fixture_net(kinds, NULL, 16);
	struct iface *a = fixture_iface(bare, "node0");
	struct vnet *v;

	(void)state;
	assert_int_equal(net_host_attach(a, NULL), -EOPNOTSUPP);
	assert_string_equal(bare->message, "this daemon has no host side");
	assert_int_equal(net_host_detach(a, NULL), -EOPNOTSUPP);
	assert_int_equal(net_host_move(a, bare->home, NULL), -EOPNOTSUPP);
	assert_int_equal(net_vnet_create(bare, "v", &v), -EOPNOTSUPP);
	assert_int_equal(
	    net_vnet_attach(bare, "v", "1", NULL, 0, &v), -EOPNOTSUPP);
	net_destroy(bare);
	net_destroy(NULL);
}

/* A destroy whose netdev goes in the background says so to who waits. */
static void
test_destroy_waits_for_the_host(void **state)
{
	struct net_wait w = { .done = done };
	struct iface *a = fixture_iface(net, "node0");

	(void)state;
	assert_int_equal(net_host_attach(a, NULL), 0);
	assert_int_equal(net_iface_destroy(a, &w), -EINPROGRESS);
	assert_null(net_iface_find(net, NULL, "node0"));
	a = fixture_iface(net, "node0");
	assert_int_equal(net_iface_destroy(a, &w), 0);
}

static uint32_t wakes;

static void
wake(void *arg)
{
	assert_ptr_equal(arg, &wakes);
	wakes++;
}

static void
test_poll_is_round_robin(void **state)
{
	struct iface *a = fixture_iface(net, "node0");
	struct iface *b = fixture_iface(net, "node1");
	struct iface *c = fixture_iface(net, "node2");
	struct node *na = (struct node *)a, *nb = (struct node *)b;

	(void)state;
	wakes = 0;
	net_set_wake(net, wake, &wakes);
	assert_false(net_poll(net));
	assert_int_equal(na->polled, 0);
	na->work = 3;
	nb->work = 1;
	net_ready(a);
	net_ready(a);
	net_ready(b);
	net_ready(c);
	assert_int_equal(wakes, 1);
	net_iface_destroy(c, NULL); /* leaves the queue */
	assert_true(net_poll(net));
	assert_int_equal(na->polled, 1);
	assert_int_equal(nb->polled, 1);
	assert_int_equal(na->flushed, 1);
	assert_true(net_poll(net));
	assert_false(net_poll(net));
	assert_int_equal(na->polled, 3);
	assert_int_equal(nb->polled, 1);
	assert_int_equal(na->flushed, 3);
	assert_int_equal(wakes, 1);
	/* From outside, a wish for a flush wakes too, and is enough. */
	net_flush_later(a);
	net_flush_later(a);
	assert_int_equal(wakes, 2);
	assert_false(net_poll(net));
	assert_int_equal(na->flushed, 4);
	assert_int_equal(na->polled, 3);
	net_flush_later(a);
	net_iface_destroy(a, NULL);
	assert_false(net_poll(net));
}

static void
test_events_reach_all_subscribers_in_order(void **state)
{
	struct fixture_events second;

	(void)state;
	fixture_subscribe(net, &second);
	net->now_ns = 77;
	net_set_cause(net, "pid 1");
	net_notice(net, NULL, "%d things", 3);
	assert_string_equal(ev.text, "3 things");
	assert_string_equal(second.text, "3 things");
	assert_int_equal(ev.last.now_ns, 77);
	assert_string_equal(second.cause, "pid 1");
	net_unsubscribe(net, &second.sub);
	net_notice(net, NULL, "more");
	assert_string_equal(ev.text, "more");
	assert_string_equal(second.text, "3 things");
	assert_int_equal(net_error(net, -EIO, "why: %s", "so"), -EIO);
	assert_string_equal(net->message, "why: so");
	assert_true(net_random(net) != net_random(net));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_create_takes_the_lowest_free_unit),
		T(test_create_refuses_bad_names),
		T(test_failed_create_leaves_nothing),
		T(test_twins_are_born_and_end_together),
		T(test_twins_in_two_vnets),
		T(test_twins_of_a_lost_vnet),
		T(test_names_are_per_vnet),
		T(test_moved_host_side_takes_the_name_there),
		T(test_rename),
		T(test_vnet_names),
		T(test_vnet_destroy_sends_guests_home),
		T(test_lost_vnet_gives_its_interfaces_to_home),
		T(test_names_and_units_at_home),
		T(test_lowest_unit_is_free_on_the_host),
		T(test_destroyed_while_a_vnet_ends),
		T(test_nobody_finds_what_is_being_destroyed),
		T(test_without_a_system_there_is_no_host),
		T(test_destroy_waits_for_the_host),
		T(test_poll_is_round_robin),
		T(test_events_reach_all_subscribers_in_order),
	};

	return cmocka_run_group_tests_name("net_clone", tests, NULL, NULL);
}

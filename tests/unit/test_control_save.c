/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every word says where its state is, and what is said of an interface makes
 * another one the same. The first is held against the tables themselves, so a
 * new word is tested by being there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "control/ifconfig.h"
#include "control/text.h"
#include "drv/drv.h"
#include "net/keyword.h"
#include "net/net.h"

static struct net *
net_new(void)
{
	struct net_options o = {
		.pool = { .small_count = 64, .large_count = 8 },
		.kinds = drv_kinds,
		.hash_seed = 1,
		.random_seed = 2,
		.now_ns = 1000000000,
	};
	struct net *net;

	assert_int_equal(net_create(&o, &net), 0);
	assert_int_equal(drv_init(net, NULL), 0);
	return net;
}

struct search {
	const char *name;
	const struct iface_keyword *found;
};

static void
search_row(void *arg, const struct iface_keyword *row, bool own)
{
	struct search *s = arg;

	(void)own;
	/* A kind's own row hides a common one of the same name, but its state
	 * may be the common one's. */
	if (strcmp(row->name, s->name) == 0 &&
	    (s->found == NULL || s->found->save == NULL))
		s->found = row;
}

static const struct iface_keyword *
find(const struct iface_ops *ops, const char *name)
{
	struct search s = { .name = name };

	ifconfig_word_list(ops, search_row, &s);
	return s.found;
}

static void
check_row(void *arg, const struct iface_keyword *row, bool own)
{
	const struct iface_ops *ops = arg;
	const struct iface_keyword *other;

	(void)own;
	if ((row->save != NULL) == (row->saved_by != NULL))
		fail_msg("%s: %s needs either save or saved_by", ops->kind,
		    row->name);
	if (row->saved_by != NULL && row->saved_by[0] != '\0') {
		other = find(ops, row->saved_by);
		if (other == NULL || other->save == NULL)
			fail_msg("%s: %s: there is no save() of %s", ops->kind,
			    row->name, row->saved_by);
	}
	if (row->undo != NULL && find(ops, row->undo) == NULL)
		fail_msg("%s: %s: there is no word %s", ops->kind, row->name,
		    row->undo);
}

/* A word that changes something and does not say so would be lost from every
 * exported configuration. */
static void
test_every_word_says_where_its_state_is(void **state)
{
	(void)state;
	for (const struct iface_ops *const *k = drv_kinds; *k != NULL; k++)
		ifconfig_word_list(
		    *k, check_row, (struct iface_ops *)(uintptr_t)*k);
}

struct lines {
	struct keyword_sink sink;
	struct text t;
};

static void
put_op(struct keyword_sink *s, const char *const *words, uint32_t count)
{
	struct lines *l = CONTAINER_OF(s, struct lines, sink);

	for (uint32_t i = 0; i < count; i++)
		text_printf(
		    &l->t, "%s%s", words[i], i + 1 < count ? " " : "\n");
}

/* What @ifp says of itself, an operation a line. Owned. */
static char *
said(const struct iface *ifp, bool all)
{
	struct lines l = { .sink = { .op = put_op, .all = all } };

	ifconfig_save(ifp, &l.sink);
	text_putn(&l.t, "", 0);
	assert_true(text_ok(&l.t));
	return l.t.s;
}

/* One line on @ifp; it must succeed. */
static void
run(struct net *net, const char *name, const char *words)
{
	char *copy = strdup(words), *save, *word;
	const char *argv[256] = { name };
	struct ifconfig_request request = {
		.net = net, .home = true, .argc = 1, .argv = argv
	};
	struct ifconfig_run *r;

	for (word = strtok_r(copy, " \n", &save); word != NULL;
	     word = strtok_r(NULL, " \n", &save))
		argv[request.argc++] = word;
	assert_int_equal(ifconfig_start(&request, &r), 0);
	if (ifconfig_exit(r) != 0) {
		json_t *e = ifconfig_error(r);

		fail_msg("ifconfig %s %s: %s", name, words,
		    json_string_value(json_object_get(e, "message")));
	}
	ifconfig_free(r);
	free(copy);
}

/* Nothing but an address that came by chance. */
static void
test_new_interface_says_nothing(void **state)
{
	struct net *net = net_new();
	struct iface *ifp;
	char *text;

	(void)state;
	for (const struct iface_ops *const *k = drv_kinds; *k != NULL; k++) {
		if (((*k)->kind_flags &
		        (IFACE_KIND_NO_CLONE | IFACE_KIND_ADOPTED)) != 0)
			continue;
		assert_int_equal(
		    net_iface_create(net, NULL, (*k)->kind, &ifp), 0);
		text = said(ifp, false);
		if (strncmp(text, "ether ", 6) == 0) {
			assert_null((*k)->lladdr_given != NULL &&
			                    strcmp((*k)->kind, "vlan") != 0
			                ? text
			                : NULL);
			assert_string_equal(strchr(text, '\n'), "\n");
		} else {
			assert_string_equal(text, "");
		}
		free(text);
	}
	net_destroy(net);
}

/* Interfaces, and what was done to them. */
static const struct {
	const char *name, *words;
} told[] = {
	{ "feth0", "peer feth1 mtu 1900 maxmtu 3000 txdrops 7 trailer 28 fcs "
	           "stall link0 description wire group lab" },
	{ "feth1", "mtu 2000 debug -arp promisc allmulti media 1000baseT" },
	{ "feth2", "ether 02:00:00:00:00:02 -group feth monitor" },
	{ "feth3", "name fxp0 wlanmode hostap ssid my_ap mode 11g channel 6" },
	{ "tap0", "mtu 1700 impair loss 1% delay 20ms jitter 5ms dist normal "
	          "duplicate 0.1% reorder 1% corrupt 0.01% rate 10Mbit "
	          "burst 32k limit 500 seed 7 in loss gemodel 1% 20%" },
	{ "tap1", "impair out order keep jitter 1us seed 1" },
	{ "tap2", "" },
	{ "vether0", "media none" },
	{ "vlan0", "vlandev tap1 vlan 10 vlanproto 802.1ad vlanpcp 5" },
	{ "vlan1", "vlandev vlan0 vlan 20 ether 02:00:00:00:00:20 up" },
	{ "bridge0",
	    "addm tap0 addm feth2 addm vether0 span fxp0 -discover tap0 "
	    "-learn tap0 sticky feth2 private vether0 edge tap0 -autoedge tap0 "
	    "-autoptp feth2 ptp feth2 -ptp vether0 stp tap0 ifpriority feth2 16 "
	    "ifpathcost tap0 77 stp-guard tap0 root stp-guard tap0 tc proto stp "
	    "hellotime 1 fwddelay 20 maxage 25 holdcnt 3 priority 4096 "
	    "qinq tap0 ifmaxaddr tap0 9 "
	    "ifuntagged tap0 10 iftagged tap0 20-30,40 iftagged feth2 all "
	    "ifvlanproto feth2 802.1ad group-fwd tap0 2 forward "
	    "group-fwd tap0 14 drop static tap0 02:00:00:00:01:01 "
	    "static feth2 02:00:00:00:01:02 vlan 30 maxaddr 7 timeout 60 "
	    "vlanfilter defuntagged 5 defqinq mtu 1800 up" },
	{ "bridge1", "inet6" },
	{ "epair0a", "mtu 1400 name left" },
	{ "epair0b", "" },
};

/* All that was told is said again, and does the same to new interfaces. */
static void
test_said_again_it_is_the_same(void **state)
{
	struct net *from = net_new(), *to = net_new();
	struct iface *ifp;
	char *text, *want, *got;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		const char *name = told[i].name;

		if (net_iface_find(from, NULL, name) != NULL)
			continue; /* born with its twin */
		if (strcmp(name, "epair0a") == 0)
			name = "epair0";
		run(from, name, "create");
		run(to, name, "create");
	}
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		run(from, told[i].name, told[i].words);
	TAILQ_FOREACH (ifp, &from->ifaces, all_link) {
		text = said(ifp, false);
		if (text[0] != '\0')
			run(to, told[n].name, text);
		free(text);
		n++;
	}
	TAILQ_FOREACH (ifp, &from->ifaces, all_link) {
		want = said(ifp, true);
		got = said(net_iface_find(to, NULL, ifp->name), true);
		assert_string_equal(got, want);
		free(want);
		free(got);
	}
	net_destroy(from);
	net_destroy(to);
}

/* Nothing is said twice, and each of these words is said by its own row. */
static void
test_members_are_said_oldest_first(void **state)
{
	struct net *net = net_new();
	char *text;

	(void)state;
	run(net, "tap0", "create");
	run(net, "tap1", "create");
	run(net, "bridge0", "create addm tap1 addm tap0 -learn tap0 up");
	text = said(net_iface_find(net, NULL, "bridge0"), false);
	assert_string_equal(text, "addm tap1\naddm tap0\n-learn tap0\nup\n");
	free(text);
	net_destroy(net);
}

/* A table larger than a new one gets room before it is filled. */
static void
test_many_static_addresses(void **state)
{
	struct net *net = net_new();
	char words[64], *text;

	(void)state;
	run(net, "tap0", "create");
	run(net, "bridge0", "create addm tap0 maxaddr 2100");
	for (int i = 0; i < 2050; i++) {
		snprintf(words, sizeof(words), "static tap0 02:00:00:00:%x:%x",
		    i >> 8, i & 0xff);
		run(net, "bridge0", words);
	}
	run(net, "bridge0", "maxaddr 5");
	text = said(net_iface_find(net, NULL, "bridge0"), false);
	assert_ptr_equal(
	    strstr(text, "maxaddr 2050\nstatic tap0"), strstr(text, "maxaddr"));
	assert_string_equal(strstr(text, "maxaddr 5"), "maxaddr 5\n");
	free(text);
	net_destroy(net);
}

/* What ends with a program is not to be made again, and nothing about it. */
static void
test_transient_interfaces_are_left_out(void **state)
{
	struct net *net = net_new();
	struct lines l = { .sink = { .op = put_op, .transient = true } };
	char *text;

	(void)state;
	run(net, "tap0", "create");
	run(net, "tap1", "create");
	run(net, "vlan0", "create vlandev tap1 vlan 5");
	run(net, "bridge0", "create addm tap0 addm tap1 -learn tap1");
	net_iface_find(net, NULL, "tap1")->transient = true;
	text = said(net_iface_find(net, NULL, "bridge0"), false);
	assert_string_equal(text, "addm tap0\n");
	free(text);
	text = said(net_iface_find(net, NULL, "vlan0"), false);
	assert_string_equal(text, "");
	free(text);
	ifconfig_save(net_iface_find(net, NULL, "bridge0"), &l.sink);
	assert_string_equal(
	    text_str(&l.t), "addm tap0\naddm tap1\n-learn tap1\n");
	text_free(&l.t);
	net_destroy(net);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_word_says_where_its_state_is),
		cmocka_unit_test(test_new_interface_says_nothing),
		cmocka_unit_test(test_said_again_it_is_the_same),
		cmocka_unit_test(test_members_are_said_oldest_first),
		cmocka_unit_test(test_many_static_addresses),
		cmocka_unit_test(test_transient_interfaces_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

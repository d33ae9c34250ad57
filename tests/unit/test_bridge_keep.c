/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of bridges as a text, and back. */
#include "bridge/keep.h"
#include "bridge_fixture.h"

#define WALL 1000000u /* the world's clock, in seconds */

static struct lab l;
static struct bridge_keep *keep;

static int
setup(void **state)
{
	(void)state;
	lab_init(&l, 4);
	assert_int_equal(bridge_keep_create(l.net, &keep), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	bridge_keep_destroy(keep);
	lab_fini(&l);
	return 0;
}

/* A daemon ends and the next begins: nothing is known, no bridge is there. */
static void
restart(uint32_t ports)
{
	(void)teardown(NULL);
	lab_init(&l, ports);
	assert_int_equal(bridge_keep_create(l.net, &keep), 0);
}

/* The text of all there is; to be freed. */
static char *
save(uint32_t wall_s)
{
	size_t len = 0, size = 64u << 20;
	char *text = malloc(size);
	size_t n;

	assert_non_null(text);
	bridge_keep_save_begin(keep, wall_s);
	while ((n = bridge_keep_save(keep, text + len, size - len - 1)) > 0)
		len += n;
	text[len] = '\0';
	return text;
}

static int
load(const char *text, uint32_t wall_s, struct bridge_keep_error *e)
{
	char *copy = strdup(text);
	int err;

	assert_non_null(copy);
	err = bridge_keep_load(keep, copy, strlen(text), wall_s, e);
	free(copy);
	return err;
}

static void
load_ok(const char *text, uint32_t wall_s)
{
	struct bridge_keep_error e = { 0 };
	int err = load(text, wall_s, &e);

	if (err != 0)
		fail_msg("%d: line %u: %s", err, e.line,
		    e.text != NULL ? e.text : "?");
}

static void
learn(uint32_t port, uint32_t n, uint32_t vid)
{
	lab_in_vlan(&l, port, BROADCAST, station(n), vid, 1);
}

static uint32_t
number(uint32_t port)
{
	return bridge_member(lab_bridge(&l), l.p[port])->number;
}

static void
test_text(void **state)
{
	static const char *const lines[] = {
		"coax-addresses 1\nsaved 1000000\nbridge bridge0\nport ",
		"\nport 3 port2\n",
		"\n02:00:00:bb:00:04 0 3 sticky\n",
		"\nport 1 port0\n",
		"\n02:00:00:bb:00:03 0 1 static\n",
		"\nport 2 port1\n",
		"\n02:00:00:bb:00:02 7 2 1200\n",
		"\n02:00:00:bb:00:01 0 1 1200\n",
	};
	char *text;

	(void)state;
	learn(0, 1, 0);
	learn(1, 2, 7);
	assert_int_equal(
	    WORD3(l.br, "static", v_str("port0"), v_mac(station(3)), v_num(0)),
	    0);
	assert_int_equal(WORD1(l.br, "sticky", v_str("port2")), 0);
	learn(2, 4, 0);
	text = save(WALL);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (strstr(text, lines[i]) == NULL)
			fail_msg("not there: %s in: %s", lines[i], text);
	assert_ptr_equal(text, strstr(text, lines[0]));
	assert_string_equal(text + strlen(text) - 6, "end 4\n");
	free(text);
}

static void
test_restart(void **state)
{
	char *text, *again;

	(void)state;
	learn(0, 1, 0);
	learn(1, 2, 7);
	assert_int_equal(
	    WORD3(l.br, "static", v_str("port0"), v_mac(station(3)), v_num(0)),
	    0);
	text = save(WALL);
	restart(4);
	load_ok(text, WALL + 100);
	assert_int_equal(bridge_keep_waiting(keep), 3);
	assert_false(bridge_keep_restore(keep, UINT32_MAX));
	assert_int_equal(bridge_keep_waiting(keep), 0);
	assert_int_equal(lab_lookup(&l, station(1), 0), number(0));
	assert_int_equal(lab_lookup(&l, station(2), 7), number(1));
	assert_int_equal(lab_lookup(&l, station(2), 0), FDB_NONE);
	assert_int_equal(lab_lookup(&l, station(3), 0), number(0));
	/* They have lived a hundred seconds. */
	again = save(WALL + 100);
	assert_non_null(strstr(again, "02:00:00:bb:00:01 0 1 1100\n"));
	assert_non_null(strstr(again, "02:00:00:bb:00:03 0 1 static\n"));
	free(again);
	/* They expire when they would have; the static one does not. */
	lab_time(&l, 1 + 1100 + 2);
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	assert_int_equal(lab_lookup(&l, station(3), 0), number(0));
	free(text);
}

/* What has expired meanwhile is not there; a clock that was set back ages
 * nothing. */
static void
test_time_passes(void **state)
{
	char *text;

	(void)state;
	learn(0, 1, 0);
	text = save(WALL);
	restart(4);
	load_ok(text, WALL + 1200);
	assert_int_equal(bridge_keep_waiting(keep), 0);
	restart(4);
	load_ok(text, WALL + 1199);
	assert_int_equal(bridge_keep_waiting(keep), 1);
	restart(4);
	load_ok(text, WALL - 500000);
	(void)bridge_keep_restore(keep, 10);
	assert_int_equal(lab_lookup(&l, station(1), 0), number(0));
	free(text);
}

/* A shorter timeout of the new bridge holds, and none at all, too. */
static void
test_timeout(void **state)
{
	(void)state;
	fdb_set_timeout(&lab_bridge(&l)->fdb, 5);
	load_ok("coax-addresses 1\nsaved 1000000\nbridge bridge0\n"
	        "port 1 port0\n02:00:00:bb:00:01 0 1 1000\n"
	        "02:00:00:bb:00:02 0 1 0\nend 2\n",
	    WALL);
	(void)bridge_keep_restore(keep, 10);
	assert_int_equal(lab_lookup(&l, station(1), 0), number(0));
	lab_time(&l, 8);
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	assert_int_equal(lab_lookup(&l, station(2), 0), FDB_NONE);
}

static const char one_each[] =
    "coax-addresses 1\nsaved 1000000\nbridge bridge0\n"
    "port 1 port0\nport 9 port7\n"
    "02:00:00:bb:00:01 0 1 1000\n"
    "02:00:00:bb:00:02 0 9 1000\n"
    "02:00:00:bb:00:03 0 9 static\n"
    "bridge bridge1\nport 1 port0\n02:00:00:bb:00:04 0 1 static\n"
    "bridge port1\nport 1 port0\n02:00:00:bb:00:05 0 1 static\n"
    "end 5\n";

/* They wait for their member, and are saved again meanwhile. */
static void
test_waits(void **state)
{
	char *text;

	(void)state;
	load_ok(one_each, WALL);
	assert_false(bridge_keep_restore(keep, 10));
	assert_int_equal(bridge_keep_waiting(keep), 4);
	assert_int_equal(lab_lookup(&l, station(1), 0), number(0));
	text = save(WALL);
	assert_non_null(strstr(text, "bridge bridge0\nport 1 port7\n"
	                             "02:00:00:bb:00:02 0 1 1000\n"
	                             "02:00:00:bb:00:03 0 1 static\n"));
	assert_non_null(strstr(text, "bridge bridge1\nport 1 port0\n"));
	restart(4);
	load_ok(text, WALL + 10);
	free(text);
	l.p[7] = fixture_iface_up(l.net, "port7");
	assert_false(bridge_keep_restore(keep, 10));
	assert_int_equal(lab_lookup(&l, station(2), 0), FDB_NONE);
	assert_int_equal(bridge_add(l.br, l.p[7]), 0);
	assert_false(bridge_keep_restore(keep, 10));
	assert_int_equal(lab_lookup(&l, station(2), 0), number(7));
	assert_int_equal(lab_lookup(&l, station(3), 0), number(7));
	assert_int_equal(bridge_keep_waiting(keep), 2);
	/* Learned ones do not wait for ever. */
	restart(4);
	load_ok(one_each, WALL);
	l.net->now_ns = 2000ull * 1000000000u;
	free(save(WALL + 2000));
	assert_int_equal(bridge_keep_waiting(keep), 3);
}

/* What the bridge knows better stays. */
static void
test_known_better(void **state)
{
	(void)state;
	learn(2, 1, 0);
	load_ok(one_each, WALL);
	assert_false(bridge_keep_restore(keep, 10));
	assert_int_equal(lab_lookup(&l, station(1), 0), number(2));
	assert_int_equal(bridge_keep_waiting(keep), 4);
}

/* What has no room is tried again, and nothing is counted as exceeding. */
static void
test_no_room(void **state)
{
	struct bridge *br = lab_bridge(&l);
	char text[4096] = "coax-addresses 1\nsaved 1000000\nbridge bridge0\n"
	                  "port 1 port0\n";
	size_t len = strlen(text);

	(void)state;
	for (int i = 0; i < 20; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "02:00:00:bb:00:%02x 0 1 1000\n", i + 1);
	snprintf(text + len, sizeof(text) - len, "end 20\n");
	assert_int_equal(fdb_set_max(&br->fdb, 5, 1), 0);
	load_ok(text, WALL);
	assert_true(bridge_keep_restore(keep, 3));
	assert_false(bridge_keep_restore(keep, 1000));
	assert_int_equal(fdb_count(&br->fdb), 5);
	assert_int_equal(br->fdb.exceeded, 0);
	assert_int_equal(bridge_keep_waiting(keep), 15);
	assert_int_equal(fdb_set_max(&br->fdb, 2000, 1), 0);
	br->fdb.ports[number(0)].limit = 10;
	assert_false(bridge_keep_restore(keep, 1000));
	bridge_keep_again(keep);
	assert_false(bridge_keep_restore(keep, 1000));
	assert_int_equal(fdb_count(&br->fdb), 10);
	assert_int_equal(br->fdb.ports[number(0)].violations, 0);
	br->fdb.ports[number(0)].limit = 0;
	bridge_keep_again(keep);
	assert_false(bridge_keep_restore(keep, 1000));
	assert_int_equal(fdb_count(&br->fdb), 20);
	assert_int_equal(bridge_keep_waiting(keep), 0);
}

/* Many addresses and several bridges, in portions, while members change. */
static void
test_portions(void **state)
{
	struct iface *other = fixture_iface_up(l.net, "bridge1");
	struct iface *extra = fixture_iface_up(l.net, "port6");
	struct bridge *br = lab_bridge(&l);
	char *text = malloc(4u << 20);
	size_t len = 0;
	uint32_t old, portions = 0;
	size_t n;

	(void)state;
	assert_non_null(text);
	assert_int_equal(fdb_set_max(&br->fdb, 10000, 1), 0);
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(fdb_learn(&br->fdb, fdb_key_u64(station(i), 0),
		                     number(i % 4), false, 1, &old),
		    FDB_NEW);
	assert_int_equal(bridge_add(other, extra), 0);
	assert_int_equal(WORD3(other, "static", v_str("port6"),
	                     v_mac(station(9999)), v_num(0)),
	    0);
	bridge_keep_save_begin(keep, WALL);
	while ((n = bridge_keep_save(
	            keep, text + len, BRIDGE_KEEP_PORTION_MIN)) > 0) {
		len += n;
		/* A port that leaves takes its addresses along, and another
		 * gets its number. */
		if (++portions == 2) {
			assert_int_equal(bridge_delete(l.br, l.p[3]), 0);
			l.p[4] = fixture_iface_up(l.net, "port4");
			assert_int_equal(bridge_add(l.br, l.p[4]), 0);
			learn(4, 7777, 0);
		}
	}
	assert_int_equal(n, 0);
	assert_true(portions > 3);
	text[len] = '\0';
	restart(4);
	other = fixture_iface_up(l.net, "bridge1");
	extra = fixture_iface_up(l.net, "port6");
	assert_int_equal(bridge_add(other, extra), 0);
	br = lab_bridge(&l);
	assert_int_equal(fdb_set_max(&br->fdb, 10000, 1), 0);
	load_ok(text, WALL);
	assert_false(bridge_keep_restore(keep, UINT32_MAX));
	for (uint32_t i = 0; i < 5000; i++)
		if (i % 4 != 3)
			assert_int_equal(
			    lab_lookup(&l, station(i), 0), number(i % 4));
	assert_int_equal(fdb_count(&bridge_of(other)->fdb), 1);
	free(text);
}

static void
test_refused(void **state)
{
#define HEAD   "coax-addresses 1\nsaved 1\n"
#define BRIDGE HEAD "bridge bridge0\nport 1 port0\n"
	static const struct {
		const char *text;
		uint32_t line;
	} bad[] = {
		{ "", 1 },
		{ "\n", 1 },
		{ "coax-addresses 1", 1 },
		{ "coax-addresses\n", 1 },
		{ "coax-addresses 2\nsaved 1\nend 0\n", 1 },
		{ "coax-addresses 0\nsaved 1\nend 0\n", 1 },
		{ "something else\n", 1 },
		{ "coax-addresses 1\n", 2 },
		{ "coax-addresses 1\nend 0\n", 2 },
		{ "coax-addresses 1\nsaved -1\nend 0\n", 2 },
		{ "coax-addresses 1\nsaved 99999999999999999999\nend 0\n", 2 },
		{ HEAD, 3 },
		{ HEAD "end 1\n", 3 },
		{ HEAD "end\n", 3 },
		{ HEAD "end 0\nend 0\n", 4 },
		{ HEAD "\nend 0\n", 3 },
		{ HEAD "port 1 port0\nend 0\n", 3 },
		{ HEAD "02:00:00:00:00:01 0 1 1\nend 1\n", 3 },
		{ HEAD "bridge\nend 0\n", 3 },
		{ BRIDGE, 5 },
		{ BRIDGE "port 0 x\nend 0\n", 5 },
		{ BRIDGE "port 4096 x\nend 0\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 0 1 1\nend 0\n", 6 },
		{ BRIDGE "02:00:00:00:00:01 0 2 1\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 0 0 1\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 4095 1 1\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 -1 1 1\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 0 1 -1\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 0 1 4294967296\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 0 1 STATIC\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 0 1\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 0 1 1 1\nend 1\n", 5 },
		{ BRIDGE "03:00:00:00:00:01 0 1 1\nend 1\n", 5 },
		{ BRIDGE "00:00:00:00:00:00 0 1 1\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00 0 1 1\nend 1\n", 5 },
		{ BRIDGE "02:00:00:00:00:01 0 1 1\nend 1", 6 },
	};
	char name[400] = HEAD "bridge ";
	struct bridge_keep_error e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e = (struct bridge_keep_error){ 0 };
		if (load(bad[i].text, WALL, &e) != -EINVAL)
			fail_msg("taken: %s", bad[i].text);
		if (e.line != bad[i].line)
			fail_msg("line %u, not %u (%s): %s", e.line,
			    bad[i].line, e.text, bad[i].text);
		assert_int_equal(bridge_keep_waiting(keep), 0);
	}
	memset(name + strlen(name), 'x', 200);
	strcat(name, "\nend 0\n");
	assert_int_equal(load(name, WALL, &e), -EINVAL);
	assert_int_equal(e.line, 3);
	/* A NUL among the bytes. */
	memcpy(name, HEAD "bridge a\0b\nend 0\n", 43);
	assert_int_equal(bridge_keep_load(keep, name, 42, WALL, &e), -EINVAL);
	assert_int_equal(e.line, 3);
	/* What was in front of the bad line is not used. */
	assert_int_equal(
	    load(BRIDGE "02:00:00:00:00:01 0 1 static\nx\n", WALL, &e),
	    -EINVAL);
	assert_int_equal(bridge_keep_waiting(keep), 0);
	assert_false(bridge_keep_restore(keep, 10));
	assert_int_equal(fdb_count(&lab_bridge(&l)->fdb), 0);
	load_ok(HEAD "end 0\n", WALL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_time_passes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timeout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_known_better, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_portions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

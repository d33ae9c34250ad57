/* SPDX-License-Identifier: BSD-2-Clause */
/* Print-outs of data that no kind here makes yet, and of data that is odd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "control/bsderr.h"
#include "control/info_json.h"
#include "control/printout.h"

static json_t *
parse(const char *s)
{
	json_t *v = json_loads(s, JSON_DECODE_ANY, NULL);

	assert_non_null(v);
	return v;
}

/* A counter and its value stay on one line, which is no wider than 79. */
static void
test_counters_are_broken_between_pairs(void **state)
{
	static const char data[] =
	    "{\"name\":\"tap0\",\"kind\":\"tap\",\"unit\":0,\"index\":1,"
	    "\"flags\":0,\"metric\":0,\"mtu\":1500,\"counters\":{"
	    "\"ipackets\":12345678901,\"ibytes\":1234567890123,"
	    "\"ierrors\":0,\"imcasts\":123456,\"iqdrops\":7,"
	    "\"noproto\":8,\"opackets\":9223372036854775807,"
	    "\"obytes\":9223372036854775807,"
	    "\"oerrors\":9223372036854775807,"
	    "\"omcasts\":9223372036854775807,\"collisions\":0}}";
	static const char want[] =
	    "tap0: flags=0 metric 0 mtu 1500\n"
	    "\tdrivername: tap0\n"
	    "\tindex: 1\n"
	    "\tinput: ipackets 12345678901 ibytes 1234567890123 ierrors 0\n"
	    "\t       imcasts 123456 iqdrops 7 noproto 8\n"
	    "\toutput: opackets 9223372036854775807 "
	    "obytes 9223372036854775807\n"
	    "\t        oerrors 9223372036854775807 "
	    "omcasts 9223372036854775807\n"
	    "\t        collisions 0\n";
	json_t *v = parse(data);
	struct text t = { 0 };

	(void)state;
	printout_iface(v, PRINTOUT_VERBOSE, &t);
	assert_string_equal(text_str(&t), want);
	text_free(&t);
	json_decref(v);
}

/* All that FreeBSD prints of a bridge. */
static void
test_bridge_with_everything(void **state)
{
	static const char data[] =
	    "{\"name\":\"bridge0\",\"kind\":\"bridge\",\"flags\":16812099,"
	    "\"flag_names\":[\"UP\",\"BROADCAST\",\"RUNNING\",\"SIMPLEX\","
	    "\"MULTICAST\",\"LOWER_UP\"],\"metric\":0,\"mtu\":1500,"
	    "\"options\":16,\"option_names\":[\"VLAN_HWTAGGING\"],"
	    "\"ether\":\"58:9c:fc:10:22:41\",\"groups\":[\"bridge\"],"
	    "\"addresses\":[{\"family\":\"inet\",\"address\":\"192.0.2.1\","
	    "\"prefixlen\":24,\"broadcast\":\"192.0.2.255\"}],"
	    "\"bridge\":{\"id\":\"02:aa:bb:cc:00:0a\",\"priority\":32768,"
	    "\"hellotime\":2,\"fwddelay\":15,\"maxage\":20,\"holdcnt\":6,"
	    "\"proto\":\"rstp\",\"maxaddr\":2000,\"timeout\":1200,"
	    "\"root_id\":\"02:aa:bb:cc:00:01\",\"root_priority\":32768,"
	    "\"root_cost\":2000,\"root_port\":7,\"flags\":1,"
	    "\"defuntagged\":10,\"members\":["
	    "{\"name\":\"epair2a\",\"flags\":323,\"ifmaxaddr\":50,\"port\":9,"
	    "\"priority\":128,\"path_cost\":2000,\"vlan_protocol\":\"802.1q\","
	    "\"tagged\":\"100-103,106,160-199\"},"
	    "{\"name\":\"epair1a\",\"flags\":323,\"port\":8,\"priority\":128,"
	    "\"path_cost\":2000,\"vlan_protocol\":\"802.1q\",\"untagged\":20},"
	    "{\"name\":\"epair0a\",\"flags\":455,\"port\":7,\"priority\":128,"
	    "\"path_cost\":2000,\"proto\":\"rstp\",\"role\":\"root\","
	    "\"state\":\"forwarding\",\"vlan_protocol\":\"802.1q\"},"
	    "{\"name\":\"em3\",\"flags\":8}]}}";
	static const char want[] =
	    "bridge0: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,"
	    "LOWER_UP> metric 0 mtu 1500\n"
	    "\toptions=10<VLAN_HWTAGGING>\n"
	    "\tether 58:9c:fc:10:22:41\n"
	    "\tinet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255\n"
	    "\tid 02:aa:bb:cc:00:0a priority 32768 hellotime 2 fwddelay 15\n"
	    "\tmaxage 20 holdcnt 6 proto rstp maxaddr 2000 timeout 1200\n"
	    "\troot id 02:aa:bb:cc:00:01 priority 32768 ifcost 2000 port 7\n"
	    "\tbridge flags=1<VLANFILTER> defuntagged=10\n"
	    "\tmember: epair2a flags=143<LEARNING,DISCOVER,AUTOEDGE,AUTOPTP>\n"
	    "\t        ifmaxaddr 50 port 9 priority 128 path cost 2000 vlan "
	    "protocol 802.1q tagged 100-103,106,160-199\n"
	    "\tmember: epair1a flags=143<LEARNING,DISCOVER,AUTOEDGE,AUTOPTP>\n"
	    "\t        port 8 priority 128 path cost 2000 vlan protocol 802.1q "
	    "untagged 20\n"
	    "\tmember: epair0a flags=1c7<LEARNING,DISCOVER,STP,AUTOEDGE,PTP,"
	    "AUTOPTP>\n"
	    "\t        port 7 priority 128 path cost 2000 proto rstp\n"
	    "\t        role root state forwarding vlan protocol 802.1q\n"
	    "\tmember: em3 flags=8<SPAN>\n"
	    "\tgroups: bridge\n";
	json_t *v = parse(data);
	struct text t = { 0 };

	(void)state;
	printout_iface(v, 0, &t);
	assert_string_equal(text_str(&t), want);
	text_free(&t);
	json_decref(v);
}

static void
test_tap_that_is_open(void **state)
{
	json_t *v =
	    parse("{\"name\":\"tap0\",\"kind\":\"tap\",\"flags\":34883,"
	          "\"flag_names\":[\"UP\"],\"mtu\":1500,\"options\":0,"
	          "\"ether\":\"f2:0b:a4:01:02:03\",\"groups\":[\"tap\"],"
	          "\"media\":\"autoselect\",\"status\":\"active\","
	          "\"tap\":{\"opened_by_pid\":123}}");
	struct text t = { 0 };

	(void)state;
	printout_iface(v, 0, &t);
	assert_string_equal(text_str(&t),
	    "tap0: flags=8843<UP> metric 0 mtu 1500\n"
	    "\toptions=0\n"
	    "\tether f2:0b:a4:01:02:03\n"
	    "\tgroups: tap\n"
	    "\tmedia: Ethernet autoselect\n"
	    "\tstatus: active\n"
	    "\tOpened by PID 123\n");
	text_free(&t);
	json_decref(v);
}

/* A daemon's words cannot drive a terminal, nor make lines of their own. */
static void
test_control_characters_are_shown_as_question_marks(void **state)
{
	json_t *v = parse("{\"code\":-32000,\"message\":\"a\\u001b[2J\\nb\","
	                  "\"data\":{\"exit\":300,\"detail\":\"\\u007f\"}}");
	struct text out = { 0 }, err = { 0 };

	(void)state;
	assert_int_equal(printout_error("ifconfig", v, &out, &err), 1);
	assert_string_equal(
	    text_str(&err), "ifconfig: a?[2J?b\nifconfig: (?)\n");
	assert_string_equal(text_str(&out), "");
	text_free(&out);
	text_free(&err);
	json_decref(v);
}

static const char *const odd[] = { "null", "1", "\"x\"", "[]", "{}", "[null]",
	"[[]]", "[1,\"x\",{}]",
	"{\"out\":1,\"drops\":2,\"addresses\":3,\"members\":4}",
	"{\"out\":[null,1,[],{}],\"exit\":-5}", "{\"part\":1}",
	"{\"part\":\"iface\"}", "{\"part\":\"names\"}",
	"{\"part\":\"names\",\"names\":[1,null]}", "{\"part\":\"created\"}",
	"{\"part\":\"kinds\",\"kinds\":[1],\"verbose\":true}",
	"{\"part\":\"sysctl\"}", "{\"part\":\"sysctl\",\"value\":[]}",
	"{\"part\":\"notice\"}", "{\"part\":\"usage\",\"text\":7}",
	"{\"name\":7,\"kind\":\"feth\",\"feth\":[],\"groups\":{}}",
	"{\"kind\":\"bridge\",\"bridge\":{\"members\":[1,{}]}}",
	"{\"addresses\":[{\"family\":\"inet\",\"prefixlen\":-9}]}",
	"{\"addresses\":[{\"family\":\"inet\",\"prefixlen\":1e9},{}]}",
	"{\"addresses\":[{\"family\":\"inet6\"}]}",
	"{\"drops\":[{\"text\":\"\",\"count\":9e99}]}",
	"{\"small\":1,\"large\":[]}", "{\"time_ns\":-1,\"changed\":1}",
	"{\"message\":null,\"data\":[]}" };

static void
test_odd_data_prints_something_or_nothing(void **state)
{
	static void (*const prints[])(const json_t *,
	    struct text *) = { printout_addresses, printout_iface_table,
		printout_vnets, printout_xen, printout_drops, printout_pool,
		printout_methods, printout_event, printout_json };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		json_t *v = parse(odd[i]);
		struct text out = { 0 }, err = { 0 };
		int status;

		for (size_t p = 0; p < ARRAY_LEN(prints); p++)
			prints[p](v, &out);
		printout_iface(v, PRINTOUT_VERBOSE, &out);
		printout_part("coax", v, &out, &err);
		status = printout_result("coax", v, &out, &err);
		assert_in_range(status, 0, 255);
		assert_int_equal(printout_error("coax", v, &out, &err), 1);
		assert_true(text_ok(&out) && text_ok(&err));
		text_free(&out);
		text_free(&err);
		json_decref(v);
	}
}

/* Tables keep to 80 columns. */
static void
test_drops_fit_the_screen(void **state)
{
	json_t *v = parse("{\"drops\":[{\"iface\":\"aaaaaaaaaaaaaaa\","
	                  "\"reason\":\"offload-unsupported\",\"count\":"
	                  "18446744073709,\"text\":\"A long sentence that goes "
	                  "on and on until it needs a third line, at least as "
	                  "the columns are now.\"}]}");
	struct text t = { 0 };
	const char *p;

	(void)state;
	printout_drops(v, &t);
	for (p = text_str(&t); *p != '\0'; p += strcspn(p, "\n") + 1)
		assert_in_range(strcspn(p, "\n"), 0, 80);
	text_free(&t);
	json_decref(v);
}

static void
test_vifs(void **state)
{
	json_t *v = parse(
	    "{\"available\":true,\"domid\":0,\"why\":null,\"vifs\":["
	    "{\"domid\":12,\"handle\":0,\"interface\":\"xnb12.0\","
	    "\"phase\":\"served\",\"state\":\"Connected\","
	    "\"front_state\":\"Connected\",\"queues\":2,"
	    "\"bridge\":\"bridge0\",\"error\":null},"
	    "{\"domid\":13,\"handle\":1,\"interface\":null,"
	    "\"phase\":\"ended\",\"state\":\"Closed\","
	    "\"front_state\":\"Initialising\",\"queues\":0,"
	    "\"bridge\":null,\"error\":\"17 the name is taken by "
	    "somebody who has had it for so long that it takes two lines\"}]}");
	struct text t = { 0 };

	(void)state;
	printout_xen(v, &t);
	assert_string_equal(text_str(&t),
	    "INTERFACE    PHASE     STATE         GUEST         QUEUES BRIDGE\n"
	    "xnb12.0      served    Connected     Connected     2      "
	    "bridge0\n"
	    "13.1         ended     Closed        Initialising  0      -\n"
	    "             17 the name is taken by somebody who has had it for so "
	    "long that it\n"
	    "             takes two lines\n");
	text_free(&t);
	json_decref(v);
	v = parse("{\"available\":false,\"why\":\"there is none\"}");
	t = (struct text){ 0 };
	printout_xen(v, &t);
	assert_string_equal(
	    text_str(&t), "no vifs are served: there is none\n");
	text_free(&t);
	json_decref(v);
}

/* A driver's mistakes cost its own part, not the object. */
static void
test_info_sink_survives_mistakes(void **state)
{
	json_t *o = json_object();
	struct info_json j;

	(void)state;
	info_json_init(&j, o);
	info_end(&j.info);
	assert_false(info_json_ok(&j));

	info_json_init(&j, o);
	for (int i = 0; i < 20; i++)
		info_object(&j.info, "deeper");
	info_u64(&j.info, "lost", 1);
	for (int i = 0; i < 20; i++)
		info_end(&j.info);
	assert_false(info_json_ok(&j));
	info_u64(&j.info, "after", 2);
	assert_int_equal(json_integer_value(json_object_get(o, "after")), 2);

	info_json_init(&j, o);
	info_object(&j.info, NULL); /* a member needs a key */
	info_u64(&j.info, "x", 1);
	info_end(&j.info);
	assert_false(info_json_ok(&j));

	info_json_init(&j, o);
	info_str(&j.info, "text", "\xff!");
	assert_true(info_json_ok(&j));
	assert_string_equal(
	    json_string_value(json_object_get(o, "text")), "?!");
	json_decref(o);
}

static void
test_error_names_and_sentences_are_bsds(void **state)
{
	(void)state;
	assert_string_equal(bsd_errname(-EEXIST), "EEXIST");
	assert_string_equal(bsd_strerror(EEXIST), "File exists");
	assert_string_equal(bsd_strerror(-ENXIO), "Device not configured");
	assert_string_equal(bsd_strerror(EBUSY), "Device busy");
	assert_string_equal(
	    bsd_strerror(EADDRNOTAVAIL), "Can't assign requested address");
	assert_string_equal(bsd_errname(123456), "E?");
	assert_int_equal(bsd_errno("EINVAL"), EINVAL);
	assert_int_equal(bsd_errno("nothing"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters_are_broken_between_pairs),
		cmocka_unit_test(test_bridge_with_everything),
		cmocka_unit_test(test_tap_that_is_open),
		cmocka_unit_test(
		    test_control_characters_are_shown_as_question_marks),
		cmocka_unit_test(test_odd_data_prints_something_or_nothing),
		cmocka_unit_test(test_drops_fit_the_screen),
		cmocka_unit_test(test_vifs),
		cmocka_unit_test(test_info_sink_survives_mistakes),
		cmocka_unit_test(test_error_names_and_sentences_are_bsds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a DHCP client's script may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "base/util.h"
#include "drv/lease.h"

static bool
parse(const char *text, struct lease *out)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "%s", text);
	return lease_parse(line, out);
}

static void
is(struct in_addr a, const char *want)
{
	char text[INET_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET, &a, text, sizeof(text)), want);
}

static void
test_a_lease(void **state)
{
	struct lease l;

	(void)state;
	assert_true(parse("bound 192.0.2.57 255.255.255.128 192.0.2.1 "
	                  "192.0.2.2 120 192.0.2.3",
	    &l));
	is(l.addr, "192.0.2.57");
	is(l.router, "192.0.2.1");
	is(l.server, "192.0.2.2");
	is(l.dns, "192.0.2.3");
	assert_int_equal(l.prefixlen, 25);
	assert_int_equal(l.seconds, 120);
}

/* What is not said, or makes no sense, is left out. */
static void
test_what_is_left_out(void **state)
{
	struct lease l;

	(void)state;
	assert_true(parse("bound 192.0.2.57 - - - - -", &l));
	assert_int_equal(l.prefixlen, 32);
	assert_int_equal(l.seconds, 3600);
	is(l.router, "0.0.0.0");
	assert_true(parse("bound 10.0.0.1 255.255.255.255 127.0.0.1 "
	                  "224.0.0.1 99999999999 0.0.0.1",
	    &l));
	is(l.router, "0.0.0.0");
	is(l.server, "0.0.0.0");
	is(l.dns, "0.0.0.0");
	assert_int_equal(l.seconds, 3600);
	assert_true(parse("bound 10.0.0.1 255.0.0.0 - - 4294967295 -", &l));
	assert_int_equal(l.seconds, UINT32_MAX);
}

static void
test_refused(void **state)
{
	static const char *const lines[] = { "", " ", "bound", "lost",
		"bound - - - - - -", "bound 192.0.2.57 - - - -",
		"bound 192.0.2.57 - - - - - -", "bound 192.0.2.57/24 - - - - -",
		"bound 0.0.0.1 - - - - -", "bound 127.0.0.1 - - - - -",
		"bound 224.0.0.1 - - - - -", "bound 255.255.255.255 - - - - -",
		"bound ::1 - - - - -", "bound 192.0.2.57 0.0.0.0 - - - -",
		"bound 192.0.2.57 255.0.255.0 - - - -",
		"bound 192.0.2.57 24 - - - -", "BOUND 192.0.2.57 - - - - -" };
	struct lease l;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (parse(lines[i], &l))
			fail_msg("taken: %s", lines[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lease),
		cmocka_unit_test(test_what_is_left_out),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

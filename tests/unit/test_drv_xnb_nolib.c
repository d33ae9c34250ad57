/* SPDX-License-Identifier: BSD-2-Clause */
/* xnb in a build without Xen's libraries: it says so. (xen_nolib.c is compiled
 * in, whatever this build has.) */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drv/drv.h"
#include "drv/xnb/xen.h"
#include "drv/xnb/xen_nolib.c"
#include "net_fixture.h"

static void
test_the_kind_says_so(void **state)
{
	struct xnb_xen_options o = { .ops = &xen_host_lib };
	struct net *net = fixture_net(drv_kinds, NULL, 16);
	struct xnb_xen *xen = NULL;
	char why[256] = "";

	(void)state;
	assert_int_equal(drv_init(net, NULL), 0);
	assert_int_equal(
	    xnb_xen_start(net, &o, &xen, why, sizeof(why)), -EOPNOTSUPP);
	assert_null(xen);
	assert_non_null(strstr(why, "built without Xen's libraries"));
	/* And is there for programs all the same. */
	assert_non_null(fixture_iface(net, "xnb0"));
	net_destroy(net);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_kind_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

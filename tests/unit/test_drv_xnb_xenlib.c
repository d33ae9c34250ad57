/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb on Xen's libraries: copies by grant. The library's call is replaced by
 * one that does what each case says; the file is included, since what it makes
 * can only be opened where there is a Xen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drv/xnb/xen_lib.c"

#define PIECES 300u /* more than one call takes */

static struct {
	uint32_t calls, segments;
	uint32_t fails_at; /* which call as a whole */
	bool from;
} lib;

/* Every third segment fails, each in another way. */
static int16_t
status_of(uint32_t i)
{
	static const int16_t bad[] = { GNTST_general_error, GNTST_bad_domain,
		GNTST_bad_gntref, GNTST_permission_denied, GNTST_bad_page,
		GNTST_eagain, 1 };

	return i % 3 == 2 ? bad[i / 3 % ARRAY_LEN(bad)] : GNTST_okay;
}

int
xengnttab_grant_copy(
    xengnttab_handle *xgt, uint32_t count, xengnttab_grant_copy_segment_t *segs)
{
	(void)xgt;
	assert_true(count > 0 && count <= COPY_MAX);
	for (uint32_t i = 0; i < count; i++, lib.segments++) {
		const xengnttab_grant_copy_segment_t *s = &segs[i];
		uint32_t k = lib.segments;

		assert_int_equal(s->flags,
		    lib.from ? GNTCOPY_source_gref : GNTCOPY_dest_gref);
		assert_int_equal(
		    (lib.from ? s->source : s->dest).foreign.ref, 1000 + k);
		assert_int_equal(
		    (lib.from ? s->source : s->dest).foreign.domid, 7);
		assert_int_equal(
		    (lib.from ? s->source : s->dest).foreign.offset, k);
		assert_ptr_equal(
		    (lib.from ? s->dest : s->source).virt, &lib + k);
		assert_int_equal(s->len, k + 1);
		segs[i].status = status_of(k);
	}
	if (++lib.calls == lib.fails_at) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static uint32_t
copy(struct xnb_copy *c, bool from, uint32_t fails_at)
{
	static struct xen_host h;

	lib.calls = lib.segments = 0;
	lib.fails_at = fails_at;
	lib.from = from;
	for (uint32_t i = 0; i < PIECES; i++)
		c[i] = (struct xnb_copy){
			.mem = &lib + i, /* never looked at */
			.ref = 1000 + i,
			.offset = (uint16_t)i,
			.len = (uint16_t)(i + 1),
			.status = 99,
		};
	return xen_host_lib.copy(&h, 7, from, c, PIECES);
}

/* A piece is good if its own status says so, whatever the others are. */
static void
test_each_piece_has_its_status(void **state)
{
	struct xnb_copy c[PIECES];

	(void)state;
	for (int from = 0; from < 2; from++) {
		assert_int_equal(copy(c, from, 0), PIECES / 3);
		assert_int_equal(lib.calls, 2);
		for (uint32_t i = 0; i < PIECES; i++)
			assert_int_equal(c[i].status, i % 3 == 2 ? -EFAULT : 0);
	}
}

/* Nothing is believed of a call that failed, also where it says "good". */
static void
test_a_call_that_fails_is_good_for_nothing(void **state)
{
	struct xnb_copy c[PIECES];

	(void)state;
	for (uint32_t call = 1; call <= 2; call++) {
		(void)copy(c, true, call);
		for (uint32_t i = 0; i < PIECES; i++) {
			bool bad = i / COPY_MAX == call - 1 || i % 3 == 2;

			assert_int_equal(c[i].status, bad ? -EFAULT : 0);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_piece_has_its_status),
		cmocka_unit_test(test_a_call_that_fails_is_good_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

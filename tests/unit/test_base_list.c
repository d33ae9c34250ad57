/* SPDX-License-Identifier: BSD-2-Clause */
/* base/list.h: the loops that allow removal of the current element. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
	int value;
	TAILQ_ENTRY(item) tail;
	LIST_ENTRY(item) list;
	STAILQ_ENTRY(item) single;
};

TAILQ_HEAD(tail_head, item);
LIST_HEAD(list_head, item);
STAILQ_HEAD(single_head, item);

#define COUNT 5

/* Elements are overwritten after removal, as free() might. */
static void
test_tailq_elements_are_removed_in_the_loop(void **state)
{
	struct tail_head head = TAILQ_HEAD_INITIALIZER(head);
	struct item items[COUNT] = { 0 };
	struct item *i, *next;
	int sum = 0, left = 0;

	(void)state;
	for (int n = 0; n < COUNT; n++) {
		items[n].value = n + 1;
		TAILQ_INSERT_TAIL(&head, &items[n], tail);
	}
	TAILQ_FOREACH_SAFE (i, &head, tail, next) {
		sum = sum * 10 + i->value;
		if (i->value % 2 == 1) {
			TAILQ_REMOVE(&head, i, tail);
			memset(i, 0xff, sizeof(*i));
		}
	}
	assert_int_equal(sum, 12345);
	TAILQ_FOREACH (i, &head, tail)
		left = left * 10 + i->value;
	assert_int_equal(left, 24);
}

static void
test_tailq_goes_backwards(void **state)
{
	struct tail_head head = TAILQ_HEAD_INITIALIZER(head);
	struct item items[COUNT] = { 0 };
	struct item *i, *prev;
	int sum = 0;

	(void)state;
	for (int n = 0; n < COUNT; n++) {
		items[n].value = n + 1;
		TAILQ_INSERT_TAIL(&head, &items[n], tail);
	}
	TAILQ_FOREACH_REVERSE_SAFE(i, &head, tail_head, tail, prev)
	{
		sum = sum * 10 + i->value;
		TAILQ_REMOVE(&head, i, tail);
		memset(i, 0xff, sizeof(*i));
	}
	assert_int_equal(sum, 54321);
	assert_true(TAILQ_EMPTY(&head));
}

static void
test_list_and_stailq_are_emptied_in_the_loop(void **state)
{
	struct list_head list = LIST_HEAD_INITIALIZER(list);
	struct single_head single = STAILQ_HEAD_INITIALIZER(single);
	struct item items[COUNT] = { 0 };
	struct item *i, *next;
	int a = 0, b = 0;

	(void)state;
	for (int n = 0; n < COUNT; n++) {
		items[n].value = n + 1;
		LIST_INSERT_HEAD(&list, &items[n], list);
		STAILQ_INSERT_TAIL(&single, &items[n], single);
	}
	LIST_FOREACH_SAFE(i, &list, list, next)
	{
		a = a * 10 + i->value;
		LIST_REMOVE(i, list);
		memset(&i->list, 0xff, sizeof(i->list));
	}
	STAILQ_FOREACH_SAFE(i, &single, single, next)
	{
		b = b * 10 + i->value;
		STAILQ_REMOVE_HEAD(&single, single);
		memset(i, 0xff, sizeof(*i));
	}
	assert_int_equal(a, 54321);
	assert_int_equal(b, 12345);
	assert_true(LIST_EMPTY(&list));
	assert_true(STAILQ_EMPTY(&single));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tailq_elements_are_removed_in_the_loop),
		cmocka_unit_test(test_tailq_goes_backwards),
		cmocka_unit_test(test_list_and_stailq_are_emptied_in_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

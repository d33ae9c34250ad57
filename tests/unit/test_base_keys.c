/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and values: a directory, a message, and what is neither. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/keys.h"

static void
test_set_and_get(void **state)
{
	struct keys k = { .len = 0 };

	(void)state;
	assert_null(keys_get(&k, "state"));
	assert_int_equal(keys_set(&k, "state", "1"), 0);
	assert_int_equal(keys_set(&k, "queue-0/tx-ring-ref", "12"), 0);
	assert_int_equal(keys_set(&k, "hotplug-status", ""), 0);
	assert_string_equal(keys_get(&k, "state"), "1");
	assert_string_equal(keys_get(&k, "queue-0/tx-ring-ref"), "12");
	assert_string_equal(keys_get(&k, "hotplug-status"), "");
	/* Not what begins so, and not what is a value. */
	assert_null(keys_get(&k, "stat"));
	assert_null(keys_get(&k, "states"));
	assert_null(keys_get(&k, "12"));
}

static void
test_set_again_replaces(void **state)
{
	static const char *const values[] = { "1", "a longer value", "", "22",
		"a much longer value than all those before" };
	struct keys k = { .len = 0 };
	uint32_t len;

	(void)state;
	assert_int_equal(keys_set(&k, "first", "x"), 0);
	assert_int_equal(keys_set(&k, "state", "y"), 0);
	assert_int_equal(keys_set(&k, "last", "z"), 0);
	len = k.len;
	for (int i = 0; i < 500; i++) {
		const char *v = values[i % 5];

		assert_int_equal(keys_set(&k, "state", v), 0);
		assert_string_equal(keys_get(&k, "state"), v);
		assert_string_equal(keys_get(&k, "first"), "x");
		assert_string_equal(keys_get(&k, "last"), "z");
		assert_int_equal(k.len, len - 1 + strlen(v));
		assert_true(keys_check(k.data, k.len));
	}
}

/* In the order of writing; in a message a key may stand twice. */
static void
test_walk(void **state)
{
	struct keys k = { .len = 0 };
	const char *key, *value;
	size_t at = 0;

	(void)state;
	assert_false(keys_next(k.data, k.len, &at, &key, &value));
	assert_int_equal(keys_append(&k, "state", "5"), 0);
	assert_int_equal(keys_append(&k, "mac", "x"), 0);
	assert_int_equal(keys_append(&k, "state", "6"), 0);
	assert_true(keys_next(k.data, k.len, &at, &key, &value));
	assert_string_equal(key, "state");
	assert_string_equal(value, "5");
	assert_true(keys_next(k.data, k.len, &at, &key, &value));
	assert_string_equal(key, "mac");
	assert_true(keys_next(k.data, k.len, &at, &key, &value));
	assert_string_equal(value, "6");
	assert_false(keys_next(k.data, k.len, &at, &key, &value));
}

static void
test_full(void **state)
{
	struct keys k = { .len = 0 };
	char key[32];
	uint32_t n = 0, len;

	(void)state;
	do
		snprintf(key, sizeof(key), "key-%u", n++);
	while (keys_set(&k, key, "0123456789") == 0);
	len = k.len;
	assert_true(len > KEYS_SIZE - 32 && len <= KEYS_SIZE);
	assert_int_equal(keys_append(&k, key, "0123456789"), -ENOSPC);
	/* Changing what is there needs room for the difference only. */
	assert_int_equal(keys_set(&k, "key-0", "9876543210"), 0);
	assert_int_equal(k.len, len);
	memset(key, 'v', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	assert_int_equal(keys_set(&k, "key-0", key), -ENOSPC);
	assert_string_equal(keys_get(&k, "key-0"), "9876543210");
	assert_int_equal(keys_set(&k, "key-0", ""), 0);
	assert_true(keys_check(k.data, k.len));
}

static void
test_what_is_refused(void **state)
{
	char big[KEYS_VALUE_MAX + 1];
	struct keys k = { .len = 0 };

	(void)state;
	assert_int_equal(keys_set(&k, "", "1"), -EINVAL);
	assert_int_equal(keys_set(&k, "State", "1"), -EINVAL);
	assert_int_equal(keys_set(&k, "a b", "1"), -EINVAL);
	assert_int_equal(keys_set(&k, "a.b", "1"), -EINVAL);
	assert_int_equal(keys_set(&k, "a", "\n"), -EINVAL);
	assert_int_equal(keys_set(&k, "a", "\x80"), -EINVAL);
	memset(big, 'a', sizeof(big));
	big[KEYS_KEY_MAX] = '\0';
	assert_int_equal(keys_set(&k, big, "1"), -EINVAL);
	big[KEYS_KEY_MAX - 1] = '\0';
	assert_int_equal(keys_set(&k, big, "1"), 0);
	memset(big, 'a', sizeof(big));
	big[KEYS_VALUE_MAX] = '\0';
	assert_int_equal(keys_set(&k, "b", big), -EINVAL);
	big[KEYS_VALUE_MAX - 1] = '\0';
	assert_int_equal(keys_set(&k, "b", big), 0);
	assert_int_equal(keys_set(&k, "b", "\n"), -EINVAL); /* stays */
	assert_string_equal(keys_get(&k, "b"), big);
}

/* Every proper prefix of a message is none, but where a pair ends. */
static void
test_check_refuses_what_is_cut(void **state)
{
	static const char m[] = "state\0"
	                        "4\0"
	                        "mac\0"
	                        "x\0"
	                        "empty\0";

	(void)state;
	for (size_t len = 0; len <= sizeof(m); len++) {
		char copy[sizeof(m)];

		/* Nothing behind it may be looked at. */
		memcpy(copy, m, len < sizeof(m) ? len : sizeof(m));
		assert_int_equal(keys_check(copy, len),
		    len == 0 || len == 8 || len == 14 || len == sizeof(m));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_get),
		cmocka_unit_test(test_set_again_replaces),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_check_refuses_what_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

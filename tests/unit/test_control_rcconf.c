/* SPDX-License-Identifier: BSD-2-Clause */
/* The syntax of rc.conf: what is a value, what is refused and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/util.h"
#include "control/rcconf.h"

/* @text read; NULL value: it must not be there. */
static const char *
value(struct rcconf *rc, const char *text, const char *name)
{
	const struct rc_entry *e;

	rcconf_init(rc);
	if (rcconf_parse(rc, "rc.conf", text, strlen(text)) != 0)
		fail_msg("%s: %s", text, rc->errors[0].text);
	e = rcconf_find(rc, 0, name);
	return e != NULL ? e->value : NULL;
}

static void
test_values(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "a=", "" },
		{ "a=\"\"", "" },
		{ "a=x", "x" },
		{ "a=x # y", "x" },
		{ "a=x#y", "x#y" },
		{ "a=\"x y\"", "x y" },
		{ "a='x y'", "x y" },
		{ "a=x\"y z\"'w'v", "xy zwv" },
		{ "a=\"x\\\ny\"", "xy" },
		{ "a=\"x\ny\"", "x\ny" },
		{ "a=x\\\ny", "xy" },
		{ "a=\"\\\"\\$\\\\\\`\\x\"", "\"$\\`\\x" },
		{ "a='\\\"$x`'", "\\\"$x`" },
		{ "a=\\ \\\"", " \"" },
		{ "b=1; a=2;c=3", "2" },
		{ "b=1 a=2 c=3", "2" },
		{ "  a=2", "2" },
		{ "\ta=\"2\"\r\n", "2" },
		{ "a=1\na=2", "2" },
		{ "b=x\na=\"${b} $b'$b'\"", "x x'x'" },
		{ "b=x\na=$b$b", "xx" },
		{ "a=\"${cloned_interfaces} x\"", " x" },
		{ "a=\"$\n\"", NULL },
	};
	struct rcconf rc;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].value == NULL)
			continue;
		assert_string_equal(
		    value(&rc, rows[i].text, "a"), rows[i].value);
		rcconf_fini(&rc);
	}
}

static void
test_sysctls(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "a.b=1", "1" },
		{ "a.b = 1", "1" },
		{ "a.b=\t1  # one", "1" },
		{ "a.b=1#2", "1#2" },
		{ "a.b=\"1 2\"", "1 2" },
		{ "a.b=1 2", "1 2" },
		{ "[sysctl.conf]\na.b=3", "3" },
		{ "a.b=#x", "" },
	};
	struct rcconf rc;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(
		    value(&rc, rows[i].text, "a.b"), rows[i].value);
		assert_true(rcconf_find(&rc, 0, "a.b")->sysctl);
		rcconf_fini(&rc);
	}
}

/* Each section has variables of its own. */
static void
test_sections(void **state)
{
	struct rcconf rc;

	(void)state;
	assert_string_equal(
	    value(&rc,
	        "a=1\n[vnet x]\na=2\nb=\"${a}\"\n[vnet y z]\na=3\n[rc.conf]\n"
	        "c=$a\n[loader.conf] \nd=4",
	        "a"),
	    "1");
	assert_int_equal(rc.vnet_count, 3);
	assert_string_equal(rc.vnets[1], "x");
	assert_string_equal(rc.vnets[2], "y z");
	assert_string_equal(rcconf_find(&rc, 1, "a")->value, "2");
	assert_string_equal(rcconf_find(&rc, 1, "b")->value, "2");
	assert_string_equal(rcconf_find(&rc, 2, "a")->value, "3");
	assert_string_equal(rcconf_find(&rc, 0, "c")->value, "1");
	assert_string_equal(rcconf_find(&rc, 0, "d")->value, "4");
	assert_null(rcconf_find(&rc, 0, "b"));
	rcconf_fini(&rc);
}

/* Several files: one after the other, and each begins at home. */
static void
test_files(void **state)
{
	static const char one[] = "a=1\n[vnet x]\nb=1\n";
	static const char two[] = "b=$a\n=\n";
	struct rcconf rc;

	(void)state;
	rcconf_init(&rc);
	assert_int_equal(rcconf_parse(&rc, "one", one, sizeof(one) - 1), 0);
	assert_int_equal(
	    rcconf_parse(&rc, "two", two, sizeof(two) - 1), -EINVAL);
	assert_string_equal(rcconf_find(&rc, 0, "b")->value, "1");
	assert_int_equal(rcconf_find(&rc, 0, "b")->where.file, 1);
	assert_ptr_equal(
	    strstr(rc.errors[0].text, "two:2: "), rc.errors[0].text);
	rcconf_fini(&rc);
}

/* A word knows its line, also in a value of many. */
static void
test_words_and_their_lines(void **state)
{
	struct rc_words w;
	struct rcconf rc;

	(void)state;
	(void)value(
	    &rc, "\n# x\na=\"one  two\n\tthree 'fo ur'\\\n five\\\n\n\"", "a");
	assert_int_equal(rcconf_words(rcconf_find(&rc, 0, "a"), &w), 0);
	assert_int_equal(w.count, 5);
	assert_string_equal(w.list[0].text, "one");
	assert_int_equal(w.list[0].line, 3);
	assert_string_equal(w.list[2].text, "three");
	assert_int_equal(w.list[2].line, 4);
	assert_string_equal(w.list[3].text, "fo ur");
	assert_string_equal(w.list[4].text, "five");
	assert_int_equal(w.list[4].line, 5);
	rcconf_words_free(&w);
	rcconf_fini(&rc);
	(void)value(&rc, "a=\"one 'two\"", "a");
	assert_int_equal(rcconf_words(rcconf_find(&rc, 0, "a"), &w), -EINVAL);
	rcconf_fini(&rc);
}

/* What is wrong, and in which line; the lines around it are read. */
static void
test_errors(void **state)
{
	static const struct {
		const char *line;
		const char *expected;
	} rows[] = {
		{ "name", "'='" },
		{ "name =x", "'='" },
		{ "=x", "name=" },
		{ "\"a\"=x", "name=" },
		{ "export name=x", "commands" },
		{ "if true; then", "commands" },
		{ ". /etc/defaults/rc.conf", "commands" },
		{ "[ -f x ] && y", "section" },
		{ "name=`id`", "commands" },
		{ "name=$(id)", "commands" },
		{ "name=\"$(id)\"", "commands" },
		{ "name=\"`id`\"", "commands" },
		{ "name=${x:-y}", "after '$'" },
		{ "name=$", "after '$'" },
		{ "name=$1", "after '$'" },
		{ "name=${x", "after '$'" },
		{ "name=$other", "other is not set" },
		{ "name=a|b", "'|'" },
		{ "name=a&", "'&'" },
		{ "name=a>b", "'>'" },
		{ "na-me=x", "'_' stands for '-'" },
		{ "1name=x", "letter" },
		{ "[vnet]", "section" },
		{ "[vnet ]", "section" },
		{ "[rc.conf", "section" },
		{ "name=\xff", "UTF-8" },
	};
	char text[256];
	struct rcconf rc;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(text, sizeof(text), "a=1\n%s\nb=2\n", rows[i].line);
		rcconf_init(&rc);
		assert_int_equal(
		    rcconf_parse(&rc, "f", text, strlen(text)), -EINVAL);
		assert_int_equal(rc.error_count, 1);
		if (strncmp(rc.errors[0].text, "f:2: ", 5) != 0 ||
		    strstr(rc.errors[0].text, rows[i].expected) == NULL)
			fail_msg("%s: %s", rows[i].line, rc.errors[0].text);
		if (strcmp(rows[i].expected, "UTF-8") != 0)
			assert_non_null(rcconf_find(&rc, 0, "b"));
		rcconf_fini(&rc);
	}
}

static void
test_a_zero_byte_is_no_text(void **state)
{
	static const char text[] = "a=1\nb=\"x\0y\"\n";
	struct rcconf rc;

	(void)state;
	rcconf_init(&rc);
	assert_int_equal(
	    rcconf_parse(&rc, "f", text, sizeof(text) - 1), -EINVAL);
	assert_ptr_equal(strstr(rc.errors[0].text, "f:2: "), rc.errors[0].text);
	rcconf_fini(&rc);
}

static void
test_a_quote_without_end(void **state)
{
	static const char *const texts[] = { "a=1\nb=\"x\nc=2\n",
		"a=1\nb='x\nc=2\n" };
	struct rcconf rc;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		rcconf_init(&rc);
		assert_int_equal(
		    rcconf_parse(&rc, "f", texts[i], strlen(texts[i])),
		    -EINVAL);
		/* Where it begins, not where the file ends. */
		assert_ptr_equal(
		    strstr(rc.errors[0].text, "f:2: "), rc.errors[0].text);
		rcconf_fini(&rc);
	}
}

/* Variables that double and double again. */
static void
test_values_are_bounded(void **state)
{
	struct text t = { 0 };
	struct rcconf rc;

	(void)state;
	text_puts(&t, "a0=0123456789abcdef\n");
	for (int i = 1; i < 64; i++)
		text_printf(&t, "a%d=$a%d$a%d\n", i, i - 1, i - 1);
	rcconf_init(&rc);
	assert_int_equal(rcconf_parse(&rc, "f", text_str(&t), t.len), -EINVAL);
	assert_non_null(strstr(rc.errors[0].text, "exceed"));
	assert_true(rc.value_size <= RCCONF_VALUES_MAX);
	text_free(&t);
	rcconf_fini(&rc);
}

static void
test_a_file_that_is_too_large(void **state)
{
	size_t len = RCCONF_FILE_MAX + 1;
	char *text = malloc(len);
	struct rcconf rc;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', len);
	rcconf_init(&rc);
	assert_int_equal(rcconf_parse(&rc, "big", text, len), -EINVAL);
	assert_non_null(strstr(rc.errors[0].text, "big: 16777217 bytes"));
	rcconf_fini(&rc);
	/* One byte less is no more than many empty lines. */
	rcconf_init(&rc);
	assert_int_equal(rcconf_parse(&rc, "big", text, len - 1), 0);
	assert_int_equal(rc.count, 0);
	rcconf_fini(&rc);
	free(text);
}

/* As many assignments and words as there may be, and one more. */
static void
test_counts_are_bounded(void **state)
{
	struct text t = { 0 };
	struct rc_words w;
	struct rcconf rc;

	(void)state;
	for (uint32_t i = 0; i < RCCONF_ASSIGN_MAX; i++)
		text_puts(&t, "a=1\n");
	rcconf_init(&rc);
	assert_int_equal(rcconf_parse(&rc, "f", text_str(&t), t.len), 0);
	assert_int_equal(rcconf_parse(&rc, "g", "b=1\nc=1\n", 8), -EINVAL);
	assert_int_equal(rc.error_count, 1);
	assert_ptr_equal(strstr(rc.errors[0].text, "g:1: "), rc.errors[0].text);
	rcconf_fini(&rc);
	text_free(&t);

	text_puts(&t, "a='");
	for (uint32_t i = 0; i < RCCONF_WORDS_MAX; i++)
		text_puts(&t, "x ");
	text_puts(&t, "'\nb=\"$a x\"\n");
	rcconf_init(&rc);
	assert_int_equal(rcconf_parse(&rc, "f", text_str(&t), t.len), 0);
	assert_int_equal(rcconf_words(rcconf_find(&rc, 0, "a"), &w), 0);
	assert_int_equal(w.count, RCCONF_WORDS_MAX);
	rcconf_words_free(&w);
	assert_int_equal(rcconf_words(rcconf_find(&rc, 0, "b"), &w), -E2BIG);
	rcconf_fini(&rc);
	text_free(&t);
}

/* Of a file of errors the first are told. */
static void
test_many_errors(void **state)
{
	struct text t = { 0 };
	struct rcconf rc;

	(void)state;
	for (int i = 0; i < 100000; i++)
		text_puts(&t, "elephant\n");
	rcconf_init(&rc);
	assert_int_equal(rcconf_parse(&rc, "f", text_str(&t), t.len), -EINVAL);
	assert_int_equal(rc.error_count, RCCONF_ERRORS_MAX);
	text_free(&t);
	rcconf_fini(&rc);
}

/* What is written is read as it was, whatever it is. */
static void
test_written_and_read(void **state)
{
	static const char *const values[] = {
		"", "x", "x y", " x  y ", "\"$`\\", "a\nb", "it's", "\\\n",
		"$x ${y} `z`",
		("a rather long value that does not fit on a line of eighty "
		 "characters at all, with  two blanks and a \\ in it, and  more")
	};
	static const char *const words[] = { "plain", "two words", "it's", "",
		"\"", "\\", "$x", "a\nb", "#", ";" };
	struct text t = { 0 }, v = { 0 };
	struct rcconf rc;
	struct rc_words w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		rcconf_put(&t, "", "a", values[i]);
		assert_string_equal(value(&rc, text_str(&t), "a"), values[i]);
		rcconf_fini(&rc);
		text_free(&t);
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		rcconf_put_word(&v, words[i]);
	rcconf_put(&t, "", "a", text_str(&v));
	(void)value(&rc, text_str(&t), "a");
	assert_int_equal(rcconf_words(rcconf_find(&rc, 0, "a"), &w), 0);
	assert_int_equal(w.count, ARRAY_LEN(words));
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_string_equal(w.list[i].text, words[i]);
	rcconf_words_free(&w);
	rcconf_fini(&rc);
	text_free(&t);
	text_free(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_sysctls),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_words_and_their_lines),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_a_zero_byte_is_no_text),
		cmocka_unit_test(test_a_quote_without_end),
		cmocka_unit_test(test_values_are_bounded),
		cmocka_unit_test(test_a_file_that_is_too_large),
		cmocka_unit_test(test_counts_are_bounded),
		cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The preload library: paths, answers, and ioctls without a daemon. */
#include <errno.h>
#include <linux/if_tun.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/tapmark.h"
#include "coax/tap.h"
#include "shim/ask.h"
#include "shim/ioctls.h"

#define T(f) cmocka_unit_test(f)

static void
test_paths(void **state)
{
	static const struct {
		const char *path;
		enum shim_path what;
		unsigned int unit;
	} cases[] = {
		{ "/dev/tap", SHIM_PATH_TAP, 0 },
		{ "/dev/tap0", SHIM_PATH_TAP_UNIT, 0 },
		{ "/dev/tap32767", SHIM_PATH_TAP_UNIT, 32767 },
		{ "/dev/net/tun", SHIM_PATH_TUN, 0 },
		{ "/dev/tap32768", SHIM_PATH_NONE, 0 },
		{ "/dev/tap99999999999999999999", SHIM_PATH_NONE, 0 },
		{ "/dev/tap00", SHIM_PATH_NONE, 0 },
		{ "/dev/tap1x", SHIM_PATH_NONE, 0 },
		{ "/dev/tap-1", SHIM_PATH_NONE, 0 },
		{ "/dev/tape", SHIM_PATH_NONE, 0 },
		{ "/dev/ta", SHIM_PATH_NONE, 0 },
		{ "/dev/net/tun0", SHIM_PATH_NONE, 0 },
		{ "dev/tap", SHIM_PATH_NONE, 0 },
		{ "/", SHIM_PATH_NONE, 0 },
		{ "", SHIM_PATH_NONE, 0 },
		{ NULL, SHIM_PATH_NONE, 0 },
	};
	unsigned int unit;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    shim_path(cases[i].path, &unit), cases[i].what);
		assert_int_equal(unit, cases[i].unit);
	}
}

static struct json
whole(const char *text)
{
	struct json j = { NULL, NULL };

	assert_true(json_whole(text, strlen(text), &j));
	return j;
}

static void
test_json_finds_members(void **state)
{
	struct json o = whole(" {\"a\" : {\"name\":1}, \"s\\\"\": [1, {}],"
	                      "\"n\":-12,\"t\":true,\"f\":false,"
	                      "\"x\":\"\\u0041\\u00e9\\u20ac\\n\\\\\"} ");
	struct json v;
	char text[16];
	int64_t n = 0;
	bool b = false;

	(void)state;
	assert_true(json_member(o, "n", &v) && json_integer(v, &n));
	assert_int_equal(n, -12);
	assert_true(json_member(o, "t", &v) && json_boolean(v, &b) && b);
	assert_true(json_member(o, "f", &v) && json_boolean(v, &b) && !b);
	assert_false(json_integer(v, &n));
	assert_false(json_member(o, "name", &v)); /* of a inner object */
	assert_true(json_member(o, "a", &v));
	assert_true(json_member(v, "name", &v));
	assert_true(json_member(o, "x", &v));
	assert_false(json_boolean(v, &b));
	assert_true(json_text(v, text, sizeof(text)));
	assert_string_equal(text, "A\xc3\xa9\xe2\x82\xac\n\\");
	assert_false(json_text(v, text, 8));
	assert_false(json_member(v, "n", &v)); /* not an object */
}

static void
test_json_refuses(void **state)
{
	static const char *const bad[] = { "", " ", "{", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "[1,]", "[1", "\"a", "\"\\x\"", "\"\\u12\"",
		"\"\\u12g4\"", "{1:2}", "{} {}", "\"\n\"", "}", "[1}",
		"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]" };
	struct json j = { NULL, NULL };
	int64_t n = 7;
	char text[8];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(json_whole(bad[i], strlen(bad[i]), &j));
		assert_null(j.at);
	}
	assert_false(json_integer(whole("1234567890123456789"), &n));
	assert_false(json_integer(whole("1.5"), &n));
	assert_false(json_integer(whole("-"), &n));
	assert_false(json_text(whole("1"), text, sizeof(text)));
	assert_false(json_text(whole("\"\\u0000\""), text, sizeof(text)));
	assert_int_equal(n, 7);
}

static int
judge(const char *line)
{
	struct json result;

	return ask_judge(line, strlen(line), &result);
}

static void
test_answers(void **state)
{
	(void)state;
	assert_int_equal(judge("{\"id\":0,\"result\":{}}"), 0);
	assert_int_equal(
	    judge("{\"id\":0,\"error\":{\"data\":{\"errno\":\"EPERM\"}}}"), 0);
	assert_int_equal(judge("{\"id\":1,\"result\":null}"), 1);
	assert_int_equal(judge("{\"id\":1,\"error\":{\"code\":-32000,"
	                       "\"data\":{\"errno\":\"EBUSY\"}}}"),
	    -EBUSY);
	assert_int_equal(
	    judge("{\"id\":null,\"error\":{\"code\":-32700}}"), -EINVAL);
	assert_int_equal(judge("{\"id\":1,\"error\":{\"data\":"
	                       "{\"errno\":\"ENONSENSE\"}}}"),
	    -EIO);
	assert_int_equal(judge("{\"id\":2,\"result\":1}"), -ENXIO);
	assert_int_equal(judge("{\"id\":1}"), -ENXIO);
	assert_int_equal(judge("nonsense"), -ENXIO);
	assert_int_equal(judge(""), -ENXIO);
}

/* --- a daemon that says what it is told to ---------------------------------*/

static struct sockaddr_un at = { .sun_family = AF_UNIX };

static int
setup(void **state)
{
	static char dir[] = "/tmp/test-shim-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", dir);
	assert_int_equal(setenv("COAX_SOCKET", at.sun_path, 1), 0);
	assert_int_equal(setenv("COAX_SHIM", "quiet", 1), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(at.sun_path);
	*strrchr(at.sun_path, '/') = '\0';
	return rmdir(at.sun_path);
}

/* A child that reads what is asked once, and answers. */
static pid_t
daemon_says(const char *answer, size_t len)
{
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	char in[2048];
	pid_t pid;
	int fd;

	unlink(at.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fd = accept(listener, NULL, NULL);
		if (recv(fd, in, sizeof(in), 0) > 0)
			(void)send(fd, answer, len, MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_WR);
		while (recv(fd, in, sizeof(in), 0) > 0)
			;
		_exit(0);
	}
	close(listener);
	return pid;
}

static int
ask_once(const char *answer, size_t len, struct ask *a)
{
	pid_t pid = daemon_says(answer, len);
	int status, err;

	ask_begin(a, "ping");
	err = ask_daemon(a);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return err;
}

static int
ask_text(const char *answer, struct ask *a)
{
	return ask_once(answer, strlen(answer), a);
}

static void
test_asking(void **state)
{
	static char big[ASK_ANSWER_MAX + 10];
	struct ask a;
	struct json v;
	int64_t n = 0;

	(void)state;
	assert_int_equal(ask_text("{\"id\":0,\"result\":{}}\n"
	                          "{\"id\":1,\"result\":{\"n\":5}}\n",
	                     &a),
	    0);
	assert_true(json_member(a.result, "n", &v) && json_integer(v, &n));
	assert_int_equal(n, 5);
	assert_int_equal(a.fd, -1);
	assert_int_equal(
	    ask_text(
	        "{\"id\":1,\"error\":{\"data\":{\"errno\":\"EPERM\"}}}\n", &a),
	    -EPERM);
	assert_false(a.no_daemon);
	/* It goes away, it never ends its line, it is no coaxd. */
	assert_int_equal(ask_text("", &a), -ENXIO);
	assert_int_equal(ask_text("{\"id\":1,\"result\":1}", &a), -ENXIO);
	assert_int_equal(ask_text("HTTP/1.1 400 Bad Request\r\n", &a), -ENXIO);
	memset(big, ' ', sizeof(big));
	assert_int_equal(ask_once(big, sizeof(big), &a), -ENXIO);
	/* There is none. */
	unlink(at.sun_path);
	ask_begin(&a, "ping");
	assert_int_equal(ask_daemon(&a), -ENXIO);
	assert_true(a.no_daemon);
}

static void
test_names_that_cannot_be(void **state)
{
	struct ask a;

	(void)state;
	ask_begin(&a, "x");
	assert_int_equal(ask_name(&a, "name", "a\"b"), -EINVAL);
	assert_int_equal(ask_name(&a, "name", "a\\b"), -EINVAL);
	assert_int_equal(ask_name(&a, "name", "a b"), -EINVAL);
	assert_int_equal(ask_name(&a, "name", "a/b"), -EINVAL);
	assert_int_equal(ask_name(&a, "name", "\xc3\xa9"), -EINVAL);
	assert_string_equal(a.params, "");
	assert_int_equal(ask_name(&a, "name", "tap%d"), 0);
	ask_int(&a, "n", -3);
	assert_string_equal(a.params, "\"name\":\"tap%d\",\"n\":-3");
}

/* --- ioctls ----------------------------------------------------------------*/

static int real_calls;

static int
real_enodev(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	real_calls++;
	errno = ENODEV;
	return -1;
}

static int
real_fine(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	real_calls++;
	return 0;
}

/* What is not for a tap is passed on, and nobody is asked. */
static void
test_foreign_descriptors_pass(void **state)
{
	int plain = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct ifreq ifr = { .ifr_name = "lo" };
	int n;

	(void)state;
	real_calls = 0;
	assert_int_equal(shim_ioctl(plain, 0x1234, &n, real_fine), SHIM_PASS);
	assert_int_equal(shim_ioctl(plain, FIONREAD, &n, real_fine), SHIM_PASS);
	assert_int_equal(
	    shim_ioctl(plain, TUNSETIFF, &ifr, real_fine), SHIM_PASS);
	assert_int_equal(
	    shim_ioctl(plain, TAPGIFNAME, &ifr, real_fine), SHIM_PASS);
	assert_int_equal(
	    shim_ioctl(plain, SIOCALIFADDR, &ifr, real_fine), SHIM_PASS);
	assert_int_equal(shim_ioctl(0, SIOCIFCREATE, &ifr, real_fine),
	    SHIM_PASS); /* not a socket */
	assert_int_equal(shim_ioctl(-1, FIONREAD, &n, real_fine), SHIM_PASS);
	assert_int_equal(real_calls, 0);
	/* By a name: the kernel's netdev first. */
	assert_int_equal(shim_ioctl(plain, SIOCGIFMTU, &ifr, real_fine), 0);
	assert_int_equal(real_calls, 1);
	unlink(at.sun_path);
	assert_int_equal(
	    shim_ioctl(plain, SIOCGIFMTU, &ifr, real_enodev), -ENODEV);
	close(plain);
}

static void
test_unattached_tun(void **state)
{
	int fd = shim_open(SHIM_PATH_TUN, 0, 0);
	struct ifreq ifr = { .ifr_name = "x" };
	unsigned int features = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(shim_ioctl(fd, TUNGETIFF, &ifr, real_fine), -EBADFD);
	assert_int_equal(
	    shim_ioctl(fd, TUNSETVNETHDRSZ, &ifr, real_fine), -EBADFD);
	assert_int_equal(
	    shim_ioctl(fd, TUNGETFEATURES, &features, real_fine), 0);
	assert_int_equal(features & IFF_TUN, 0);
	/* A program's request in an int comes with its sign. */
	assert_int_equal(shim_ioctl(fd, (unsigned long)(int)TUNGETFEATURES,
	                     &features, real_fine),
	    0);
	assert_int_equal(
	    shim_ioctl(fd, (unsigned long)(int)TUNGETIFF, &ifr, real_fine),
	    -EBADFD);
	assert_int_equal(
	    shim_ioctl(fd, TUNGETFEATURES, NULL, real_fine), -EFAULT);
	assert_int_equal(
	    shim_ioctl(fd, TUNSETIFF, (void *)8, real_fine), -EFAULT);
	ifr.ifr_flags = IFF_TUN;
	assert_int_equal(
	    shim_ioctl(fd, TUNSETIFF, &ifr, real_fine), -EOPNOTSUPP);
	ifr.ifr_flags = IFF_TAP;
	unlink(at.sun_path);
	assert_int_equal(shim_ioctl(fd, TUNSETIFF, &ifr, real_fine), -ENODEV);
	assert_int_equal(
	    shim_ioctl(fd, SIOCIFCREATE, &ifr, real_fine), -ENOTTY);
	/* Switched off, it is a socket like others. */
	assert_int_equal(setenv("COAX_SHIM", "off", 1), 0);
	assert_int_equal(shim_ioctl(fd, TUNGETIFF, &ifr, real_fine), SHIM_PASS);
	assert_int_equal(setenv("COAX_SHIM", "quiet", 1), 0);
	close(fd);
}

static void
test_next_size(void **state)
{
	uint32_t mark = TAPMARK_TAP;
	int n = -1, p[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p), 0);
	assert_int_equal(setsockopt(p[0], SOL_SOCKET, SO_MAX_PACING_RATE, &mark,
	                     sizeof(mark)),
	    0);
	assert_int_equal(shim_ioctl(p[0], FIONREAD, &n, real_fine), 0);
	assert_int_equal(n, 0);
	assert_int_equal(send(p[1], "abc", 3, 0), 3);
	assert_int_equal(send(p[1], "defgh", 5, 0), 5);
	assert_int_equal(shim_ioctl(p[0], FIONREAD, &n, real_fine), 0);
	assert_int_equal(n, 3);
	assert_int_equal(shim_ioctl(p[0], FIONREAD, NULL, real_fine), -EFAULT);
	close(p[1]);
	close(p[0]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_paths),
		T(test_json_finds_members),
		T(test_json_refuses),
		T(test_answers),
		T(test_asking),
		T(test_names_that_cannot_be),
		T(test_foreign_descriptors_pass),
		T(test_unattached_tun),
		T(test_next_size),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

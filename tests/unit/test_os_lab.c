/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Labs, each in the ways that are permitted here: with a user namespace as
 * root or with a range of ids, with one's own id alone, and without one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "os/lab.h"
#include "os/netns.h"
#include "os/priv.h"
#include "os/rtnl.h"

static const enum lab_userns kinds[] = {
	LAB_USERNS_AUTO,
	LAB_USERNS_OWN_UID,
	LAB_USERNS_NEVER,
	LAB_USERNS_ROOT,
};

static char why[256];

/* Runs in a lab, or skips the case. */
static int
lab(enum lab_userns kind, int (*inside)(void *), void *arg)
{
	const struct lab_options o = {
		.userns = kind,
		.why = why,
		.why_size = sizeof(why),
	};
	int result;

	why[0] = '\0';
	result = lab_run(&o, inside, arg);
	if (result < 0) {
		/* A refusal has its reason. */
		assert_string_not_equal(why, "");
		print_message("# skip: %s\n", why);
		skip();
	}
	return result;
}

static int
look_around(void *arg)
{
	struct rtnl_link lo;
	struct stat st;
	struct rtnl *r;
	const char *env;

	(void)arg;
	env = getenv("COAX_SOCKET");
	if (env == NULL || strcmp(env, LAB_SOCKET) != 0)
		return 10;
	if (getpid() != 2 || getppid() != 1)
		return 11;
	if (stat("/run/coax", &st) < 0 || st.st_uid != geteuid())
		return 12;
	if (access("/proc/2/status", R_OK) < 0)
		return 13; /* /proc is the new one */
	if (!priv_have_cap(CAP_NET_ADMIN))
		return 14;
	if (rtnl_open(&r) < 0 || rtnl_link_get(r, "lo", &lo) < 0)
		return 15;
	if (!(lo.flags & IFF_UP))
		return 16;
	/* And something can be administered. */
	if (rtnl_veth_add(r, "laba", "labb", -1) < 0)
		return 17;
	rtnl_close(r);
	if (access("/sys/class/net/laba", F_OK) < 0)
		return 18; /* /sys too */
	return 0;
}

static void
try_kind(enum lab_userns kind)
{
	assert_int_equal(lab(kind, look_around, NULL), 0);
	/* Nothing of it is to be seen outside. */
	assert_int_equal(access("/sys/class/net/laba", F_OK), -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_null(getenv("COAX_LAB"));
}

static void
test_lab_is_a_network_of_its_own(void **state)
{
	(void)state;
	try_kind(LAB_USERNS_AUTO);
}

static void
test_lab_with_ones_own_id(void **state)
{
	(void)state;
	try_kind(LAB_USERNS_OWN_UID);
}

static void
test_lab_without_user_namespace(void **state)
{
	(void)state;
	try_kind(LAB_USERNS_NEVER);
}

/* Capabilities survive exec, also without being root. */
static int
exec_caps(void *arg)
{
	(void)arg;
	execlp("sh", "sh", "-c",
	    "grep -q '^CapEff:.*[1-9a-f]' /proc/self/status && exit 42",
	    (char *)NULL);
	return 1;
}

static void
test_executed_programs_have_capabilities(void **state)
{
	(void)state;
	assert_int_equal(lab(LAB_USERNS_OWN_UID, exec_caps, NULL), 42);
}

static int
return_arg(void *arg)
{
	return *(int *)arg;
}

static int
kill_myself(void *arg)
{
	(void)arg;
	(void)kill(getpid(), SIGKILL);
	return 0;
}

static void
test_status_is_the_insides(void **state)
{
	int seven = 7;

	(void)state;
	assert_int_equal(lab(LAB_USERNS_AUTO, return_arg, &seven), 7);
	assert_int_equal(
	    lab(LAB_USERNS_AUTO, kill_myself, NULL), 128 + SIGKILL);
}

/*
 * Inside leaves a child that holds a pipe's end, and ends: the pipe's end of
 * file shows that the child has died with the lab.
 */
static int
leave_child(void *arg)
{
	(void)arg;
	if (fork() == 0)
		for (;;)
			pause();
	return 0;
}

static void
test_background_children_die_with_the_lab(void **state)
{
	struct pollfd p = { .events = POLLIN };
	int fds[2];
	char c;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(lab(LAB_USERNS_AUTO, leave_child, NULL), 0);
	close(fds[1]);
	p.fd = fds[0];
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(read(fds[0], &c, 1), 0);
	close(fds[0]);
}

static int
ready_and_wait(void *arg)
{
	int *fds = arg;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (write(fds[1], "r", 1) != 1)
		return 1;
	(void)sigwait(&set, &sig);
	return sig == SIGTERM ? 33 : 2;
}

/* A lab in a child of ours, so that it can be sent signals. */
static pid_t
start_lab(int fds[2], int (*inside)(void *))
{
	char c;
	pid_t pid;

	if (lab(LAB_USERNS_AUTO, return_arg, &(int){ 0 }) != 0)
		fail();
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(lab_run(NULL, inside, fds) & 0xff);
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	return pid;
}

static void
test_signals_are_passed_on(void **state)
{
	int fds[2], status;
	pid_t pid;

	(void)state;
	pid = start_lab(fds, ready_and_wait);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 33);
	close(fds[0]);
}

/* Killing the caller ends everything inside: the pipe reaches its end. */
static void
test_lab_dies_with_its_caller(void **state)
{
	struct pollfd p = { .events = POLLIN };
	int fds[2];
	pid_t pid;
	char c;

	(void)state;
	pid = start_lab(fds, ready_and_wait);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	p.fd = fds[0];
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(read(fds[0], &c, 1), 0);
	close(fds[0]);
}

/* The caller's mask and handlers are as before, whatever the kind. */
static void
test_caller_is_as_before(void **state)
{
	sigset_t before, after;
	int zero = 0;

	(void)state;
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &before), 0);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct lab_options o = { .userns = kinds[i] };

		(void)lab_run(&o, return_arg, &zero);
	}
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &after), 0);
	for (int sig = 1; sig < 32; sig++)
		assert_int_equal(
		    sigismember(&before, sig), sigismember(&after, sig));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lab_is_a_network_of_its_own),
		cmocka_unit_test(test_lab_with_ones_own_id),
		cmocka_unit_test(test_lab_without_user_namespace),
		cmocka_unit_test(test_executed_programs_have_capabilities),
		cmocka_unit_test(test_status_is_the_insides),
		cmocka_unit_test(test_background_children_die_with_the_lab),
		cmocka_unit_test(test_signals_are_passed_on),
		cmocka_unit_test(test_lab_dies_with_its_caller),
		cmocka_unit_test(test_caller_is_as_before),
	};

	return cmocka_run_group_tests_name("os_lab", tests, NULL, NULL);
}

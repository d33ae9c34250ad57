/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities, limits, paths, identity, randomness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/priv.h"

/* Runs @fn in a child; its exit status. */
static int
in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
drop_all_but_net_admin(void)
{
	const bool had = priv_have_cap(CAP_NET_ADMIN);

	if (priv_drop_caps(UINT64_C(1) << CAP_NET_ADMIN) < 0)
		return 1;
	if (priv_have_cap(CAP_NET_ADMIN) != had)
		return 2;
	if (priv_have_cap(CAP_SYS_ADMIN) || priv_have_cap(CAP_CHOWN))
		return 3;
	if (priv_drop_caps(0) < 0 || priv_have_cap(CAP_NET_ADMIN))
		return 4;
	return 0;
}

static void
test_capabilities_are_dropped_for_good(void **state)
{
	(void)state;
	assert_int_equal(in_child(drop_all_but_net_admin), 0);
}

static int
raise_nofile(void)
{
	struct rlimit rl;
	uint64_t limit = 0;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return 1;
	rl.rlim_cur = 64;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
		return 2;
	if (priv_raise_nofile(&limit) < 0 || limit != rl.rlim_max)
		return 3;
	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur != rl.rlim_max)
		return 4;
	return priv_raise_nofile(NULL) < 0 ? 5 : 0;
}

static void
test_descriptor_limit_goes_to_the_hard_one(void **state)
{
	(void)state;
	assert_int_equal(in_child(raise_nofile), 0);
}

static int
paths_of_a_user(void)
{
	char buf[128], small[8];

	if (setenv("COAX_SOCKET", "/a/b", 1) < 0 ||
	    priv_socket_path(buf, sizeof(buf)) < 0 || strcmp(buf, "/a/b") != 0)
		return 1;
	if (setenv("COAX_SOCKET", "/too/long/for/it", 1) < 0 ||
	    priv_socket_path(small, sizeof(small)) != -ENAMETOOLONG)
		return 2;
	if (unsetenv("COAX_SOCKET") < 0)
		return 3;
	if (geteuid() == 0) {
		if (priv_socket_path(buf, sizeof(buf)) < 0 ||
		    strcmp(buf, "/run/coax/coax.sock") != 0)
			return 4;
		if (setresuid(54321, 54321, 54321) < 0)
			return 5;
	}
	if (setenv("XDG_RUNTIME_DIR", "/run/user/7", 1) < 0 ||
	    priv_socket_path(buf, sizeof(buf)) < 0 ||
	    strcmp(buf, "/run/user/7/coax/coax.sock") != 0)
		return 6;
	return 0;
}

/* Without a run-time directory: our own below /tmp, and only if ours alone. */
static int
path_below_tmp(void)
{
	char buf[128], want[128], dir[64];
	int result = 0;

	/* An id that nobody has, or what a real user has is touched. */
	if (geteuid() == 0 && setresuid(54321, 54321, 54321) < 0)
		return 1;
	if (geteuid() != 54321)
		return 0;
	(void)snprintf(dir, sizeof(dir), "/tmp/coax-%u", geteuid());
	(void)snprintf(want, sizeof(want), "%s/coax.sock", dir);
	(void)rmdir(dir);
	if (unsetenv("COAX_SOCKET") < 0 || unsetenv("XDG_RUNTIME_DIR") < 0)
		return 2;
	if (priv_socket_path(buf, sizeof(buf)) < 0 || strcmp(buf, want) != 0)
		return 3;
	if (priv_mkdir_for(buf, 0700) < 0)
		return 4;
	if (priv_socket_path(buf, sizeof(buf)) < 0)
		result = 5;
	if (chmod(dir, 0755) < 0 ||
	    priv_socket_path(buf, sizeof(buf)) != -EPERM ||
	    priv_mkdir_for(want, 0700) != -EPERM)
		result = 6;
	if (rmdir(dir) < 0 || symlink("/tmp", dir) < 0)
		return 7;
	if (priv_socket_path(buf, sizeof(buf)) != -EPERM)
		result = 8;
	return unlink(dir) < 0 ? 9 : result;
}

static void
test_socket_path_follows_the_rules(void **state)
{
	(void)state;
	assert_int_equal(in_child(paths_of_a_user), 0);
	assert_int_equal(in_child(path_below_tmp), 0);
}

static void
test_directories_are_made_with_their_mode(void **state)
{
	char dir[] = "/tmp/coax-test-XXXXXX", a[64], ab[64], file[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(a, sizeof(a), "%s/a", dir);
	(void)snprintf(ab, sizeof(ab), "%s/a/b", dir);
	(void)snprintf(file, sizeof(file), "%s/a/b/sock", dir);
	assert_int_equal(priv_mkdir_for(file, 0750), 0);
	assert_int_equal(priv_mkdir_for(file, 0750), 0);
	assert_int_equal(stat(ab, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(priv_mkdir_for("plain-name", 0700), 0);
	assert_int_equal(priv_mkdir_for("/dev/null/x", 0700), -ENOTDIR);
	assert_int_equal(rmdir(ab), 0);
	assert_int_equal(rmdir(a), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_machine_id_is_stable_or_absent(void **state)
{
	uint8_t a[16], b[16];
	int err;

	(void)state;
	err = priv_machine_id(a);
	assert_true(err == 0 || err == -ENOENT || err == -EINVAL);
	assert_int_equal(priv_machine_id(b), err);
	if (err == 0)
		assert_memory_equal(a, b, sizeof(a));
}

static void
test_random_bytes_differ(void **state)
{
	uint8_t a[600] = { 0 }, b[600] = { 0 };

	(void)state;
	priv_random(a, sizeof(a));
	priv_random(b, sizeof(b));
	assert_memory_not_equal(a, b, 16);
	assert_memory_not_equal(a + 584, b + 584, 16);
}

static void
test_groups_by_name_and_number(void **state)
{
	gid_t gid = 99;

	(void)state;
	assert_int_equal(priv_group("no-such-group-here", &gid), -ENOENT);
	assert_int_equal(gid, 99);
	assert_int_equal(priv_group("4711", &gid), 0);
	assert_int_equal(gid, 4711);
	assert_int_equal(priv_group("root", &gid), 0);
	assert_int_equal(gid, 0);
}

static void
test_userns_trial_has_no_effect_here(void **state)
{
	char before[64] = "", after[64] = "";

	(void)state;
	assert_true(readlink("/proc/self/ns/user", before, 63) > 0);
	assert_true(priv_try_userns() <= 0);
	assert_true(readlink("/proc/self/ns/user", after, 63) > 0);
	assert_string_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capabilities_are_dropped_for_good),
		cmocka_unit_test(test_descriptor_limit_goes_to_the_hard_one),
		cmocka_unit_test(test_socket_path_follows_the_rules),
		cmocka_unit_test(test_directories_are_made_with_their_mode),
		cmocka_unit_test(test_machine_id_is_stable_or_absent),
		cmocka_unit_test(test_random_bytes_differ),
		cmocka_unit_test(test_groups_by_name_and_number),
		cmocka_unit_test(test_userns_trial_has_no_effect_here),
	};

	return cmocka_run_group_tests_name("os_priv", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax: taps. The daemon makes the pair of sockets and passes one end; so
 * the descriptor itself knows nothing of its interface. What identifies it is
 * SO_COOKIE, the number that the kernel gives every socket: the daemon has read
 * that of the end which it gave away, and answers tap.ifname by it. This holds
 * after dup(2), fork(2), execve(2) and for a descriptor of unknown origin.
 */
#include "coax/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "lib/client.h"
#include "os/sock.h"

_Static_assert(COAX_TAP_NAME_MAX == IFNAMSIZ, "an interface's name");

/* Copies the member "name" of an answer. */
static int
tap_copy_name(const json_t *result, char ifname[COAX_TAP_NAME_MAX])
{
	const char *name = json_string_value(json_object_get(result, "name"));

	if (name == NULL || str_copy(ifname, COAX_TAP_NAME_MAX, name) < 0)
		return -EPROTO;
	return 0;
}

int
coax_tap_call(struct coax *c, const char *name, char *ifname)
{
	json_t *params = json_pack("{s:s?}", "name", name);
	int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	unsigned int count = 0;
	json_t *result;
	int fd = -1;
	int err;

	if (params != NULL && ns >= 0)
		(void)json_object_set_new(params, "netns", json_integer(0));
	/* A name that is not UTF-8, or no memory. */
	err = params == NULL ? -EINVAL
	                     : coax_call(c, "tap.open", params, &ns,
	                           ns >= 0 ? 1 : 0, &result, &fd, 1, &count);
	fd_close(&ns);
	if (err < 0)
		return err;
	err = count == 1 ? tap_copy_name(result, ifname) : -EPROTO;
	json_decref(result);
	/* As open(2) without O_NONBLOCK. */
	if (err == 0)
		err = fd_set_nonblock(fd, false);
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	return fd;
}

int
coax_tap_open(const char *name, char ifname[COAX_TAP_NAME_MAX])
{
	char copy[COAX_TAP_NAME_MAX];
	struct coax *c;
	int fd;

	fd = coax_connect(NULL, &c);
	if (fd < 0)
		return fd;
	fd = coax_tap_call(c, name, copy);
	coax_close(c);
	if (fd >= 0 && ifname != NULL)
		memcpy(ifname, copy, sizeof(copy));
	return fd;
}

int
coax_tap_ifname(int fd, char ifname[COAX_TAP_NAME_MAX])
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	json_t *params, *result;
	struct coax *c;
	int err;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0)
		return -errno;
	params = json_pack("{s:I}", "cookie", (json_int_t)cookie);
	if (params == NULL)
		return -ENOMEM;
	err = coax_connect(NULL, &c);
	if (err < 0) {
		json_decref(params);
		return err;
	}
	err =
	    coax_call(c, "tap.ifname", params, NULL, 0, &result, NULL, 0, NULL);
	coax_close(c);
	if (err < 0)
		return err;
	err = tap_copy_name(result, ifname);
	json_decref(result);
	return err;
}

ssize_t
coax_tap_next_size(int fd)
{
	ssize_t n = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

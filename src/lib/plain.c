/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client can do without a JSON library.
 */
#include "lib/plain.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "os/priv.h"

int
plain_errno(const char *name)
{
	static const struct {
		const char *name;
		int err;
	} other[] = {
		{ "EWOULDBLOCK", EWOULDBLOCK },
		{ "ENOTSUP", ENOTSUP },
		{ "EOPNOTSUPP", EOPNOTSUPP },
		{ "EDEADLOCK", EDEADLOCK },
	};

	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		if (strcmp(other[i].name, name) == 0)
			return -other[i].err;
	}
	for (int err = 1; err < 256; err++) {
		const char *s = strerrorname_np(err);

		if (s != NULL && strcmp(s, name) == 0)
			return -err;
	}
	return -EIO;
}

int
plain_socket_path(char *buf, size_t size)
{
	return priv_socket_path(buf, size);
}

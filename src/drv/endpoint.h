/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of sockets as words of a command:
 *
 *   unix:/run/vm.sock      an absolute path
 *   tcp:5000               127.0.0.1, port 5000
 *   tcp:192.0.2.1:5000     another address only when it is given
 *   tcp:[2001:db8::1]:5000
 *   udp:...                the same
 *
 * Numbers only, and "localhost": the worker cannot wait for a name server.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

enum endpoint_kind {
	ENDPOINT_NONE,
	ENDPOINT_UNIX,
	ENDPOINT_TCP,
	ENDPOINT_UDP,
};

#define ENDPOINT_TEXT_MAX 128

struct endpoint {
	enum endpoint_kind kind;
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_storage storage;
	};
};

/**
 * endpoint_parse() - read one
 * @s:   borrowed
 * @out: written only on success
 * @why: if not NULL, what is wrong (static)
 *
 * Return: 0 or -EINVAL.
 */
int endpoint_parse(const char *s, struct endpoint *out, const char **why);

/** endpoint_format() - as endpoint_parse() reads it; "" for none.
 * Return: @text. */
char *endpoint_format(const struct endpoint *e, char text[ENDPOINT_TEXT_MAX]);

/** endpoint_equal() - is it the same address? */
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of sockets as words. See endpoint.h. */
#include "drv/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/str.h"
#include "base/util.h"

_Static_assert(
    sizeof(((struct sockaddr_un *)0)->sun_path) + 6 <= ENDPOINT_TEXT_MAX,
    "room for a path");

static struct sockaddr_un *
sun_of(struct endpoint *e)
{
	return (struct sockaddr_un *)&e->storage;
}

static struct sockaddr_in *
sin_of(struct endpoint *e)
{
	return (struct sockaddr_in *)&e->storage;
}

static struct sockaddr_in6 *
sin6_of(struct endpoint *e)
{
	return (struct sockaddr_in6 *)&e->storage;
}

static const char *
parse_unix(const char *path, struct endpoint *e)
{
	struct sockaddr_un *sun = sun_of(e);

	if (path[0] != '/')
		return "the path of a socket is to begin with /";
	sun->sun_family = AF_UNIX;
	if (str_copy(sun->sun_path, sizeof(sun->sun_path), path) != 0)
		return "the path of a socket is at most 107 bytes long";
	e->len = sizeof(*sun);
	return NULL;
}

/* @host: "" is the loopback. */
static const char *
parse_host(const char *host, bool brackets, uint16_t port, struct endpoint *e)
{
	static const char bad[] =
	    "a host is an IPv4 address, an IPv6 address in [], or localhost";
	struct in6_addr in6;
	struct in_addr in;

	if (brackets) {
		if (inet_pton(AF_INET6, host, &in6) != 1)
			return bad;
		if (IN6_IS_ADDR_MULTICAST(&in6))
			return "a group of hosts cannot be a peer";
		*sin6_of(e) = (struct sockaddr_in6){
			.sin6_family = AF_INET6,
			.sin6_port = htons(port),
			.sin6_addr = in6,
		};
		e->len = sizeof(struct sockaddr_in6);
		return NULL;
	}
	if (host[0] == '\0' || strcmp(host, "localhost") == 0)
		in.s_addr = htonl(INADDR_LOOPBACK);
	else if (inet_pton(AF_INET, host, &in) != 1)
		return bad;
	if (IN_MULTICAST(ntohl(in.s_addr)) || in.s_addr == INADDR_BROADCAST)
		return "a group of hosts cannot be a peer";
	*sin_of(e) = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = in,
	};
	e->len = sizeof(struct sockaddr_in);
	return NULL;
}

/* "PORT", "HOST:PORT", "[HOST]:PORT" */
static const char *
parse_inet(const char *s, struct endpoint *e)
{
	char host[INET6_ADDRSTRLEN] = "";
	const char *colon = strrchr(s, ':');
	const char *port_text = colon != NULL ? colon + 1 : s;
	size_t len = colon != NULL ? (size_t)(colon - s) : 0;
	bool brackets = len >= 2 && s[0] == '[' && s[len - 1] == ']';
	uint32_t port;

	if (str_u32(port_text, 10, 1, 65535, &port) != 0)
		return "a port is a number from 1 to 65535";
	if (brackets) {
		s++;
		len -= 2;
	}
	if (colon != NULL && len == 0)
		return "there is no host before the colon";
	if (len >= sizeof(host))
		return "a host is an IPv4 or IPv6 address, or localhost";
	memcpy(host, s, len);
	return parse_host(host, brackets, (uint16_t)port, e);
}

int
endpoint_parse(const char *s, struct endpoint *out, const char **why)
{
	struct endpoint e = { 0 };
	const char *wrong;

	if (str_has_prefix(s, "unix:")) {
		e.kind = ENDPOINT_UNIX;
		wrong = parse_unix(s + 5, &e);
	} else if (str_has_prefix(s, "tcp:") || str_has_prefix(s, "udp:")) {
		e.kind = s[0] == 't' ? ENDPOINT_TCP : ENDPOINT_UDP;
		wrong = parse_inet(s + 4, &e);
	} else {
		wrong = "an address is unix:PATH, tcp:[HOST:]PORT or "
		        "udp:[HOST:]PORT";
	}
	if (why != NULL)
		*why = wrong;
	if (wrong != NULL)
		return -EINVAL;
	*out = e;
	return 0;
}

char *
endpoint_format(const struct endpoint *e, char text[ENDPOINT_TEXT_MAX])
{
	const char *proto = e->kind == ENDPOINT_TCP ? "tcp" : "udp";
	char host[INET6_ADDRSTRLEN] = "";
	struct endpoint copy = *e;
	struct sockaddr_un *sun = sun_of(&copy);
	size_t path_max = sizeof(sun->sun_path);

	text[0] = '\0';
	switch (e->kind) {
	case ENDPOINT_NONE:
		break;
	case ENDPOINT_UNIX:
		snprintf(text, ENDPOINT_TEXT_MAX, "unix:%.*s",
		    (int)strnlen(sun->sun_path, path_max), sun->sun_path);
		break;
	case ENDPOINT_TCP:
	case ENDPOINT_UDP:
		if (e->sa.sa_family == AF_INET6) {
			(void)inet_ntop(AF_INET6, &sin6_of(&copy)->sin6_addr,
			    host, sizeof(host));
			snprintf(text, ENDPOINT_TEXT_MAX, "%s:[%s]:%u", proto,
			    host, ntohs(sin6_of(&copy)->sin6_port));
		} else {
			(void)inet_ntop(AF_INET, &sin_of(&copy)->sin_addr, host,
			    sizeof(host));
			snprintf(text, ENDPOINT_TEXT_MAX, "%s:%s:%u", proto,
			    host, ntohs(sin_of(&copy)->sin_port));
		}
		break;
	}
	return text;
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint x = *a, y = *b;
	const char *xp = sun_of(&x)->sun_path, *yp = sun_of(&y)->sun_path;

	if (x.kind != y.kind || x.sa.sa_family != y.sa.sa_family)
		return false;
	switch (x.sa.sa_family) {
	case AF_UNIX:
		/* The kernel gives a path's length, people a buffer's. */
		if (xp[0] != '\0' || yp[0] != '\0')
			return strncmp(xp, yp, sizeof(sun_of(&x)->sun_path)) ==
			       0;
		return x.len == y.len &&
		       memcmp(&x.storage, &y.storage, x.len) == 0;
	case AF_INET:
		return sin_of(&x)->sin_port == sin_of(&y)->sin_port &&
		       sin_of(&x)->sin_addr.s_addr ==
		           sin_of(&y)->sin_addr.s_addr;
	case AF_INET6:
		return sin6_of(&x)->sin6_port == sin6_of(&y)->sin6_port &&
		       memcmp(&sin6_of(&x)->sin6_addr, &sin6_of(&y)->sin6_addr,
		           sizeof(struct in6_addr)) == 0;
	default:
		return true; /* both are nothing */
	}
}

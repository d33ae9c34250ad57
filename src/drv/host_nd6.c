/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv6 of netdevs: what is said of an interface (ifconfig's words of inet6,
 * struct iface's nd6) is set in /proc/sys/net/ipv6/conf of the namespace in
 * which the netdev is, anew when it comes into another.
 *
 *   auto_linklocal   addr_gen_mode     0 (eui64), or 1 (none)
 *   accept_rtadv     accept_ra         2 (also where the host forwards), or 0
 *   no_radr          accept_ra_defrtr  0, or 1
 *   ifdisabled       disable_ipv6      1, or 0
 *   no_dad           accept_dad        0, or 1
 *
 * Of what nobody has said anything the kernel's own settings stay (and come
 * back, iface_restore_nd6()), with two exceptions: no netdev gives itself an
 * address (host_netdev.c), and a bridge and its members take no router's
 * advice: a member is no host of its own, and a bridge is none until somebody
 * makes it one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "drv/host_impl.h"

struct conf {
	const char *netdev;
	const char *name;
	int value;
};

/* Sets a value of one digit. Return: the one before, or -errno. In the netdev's
 * namespace. */
static int
conf_swap(void *arg)
{
	const struct conf *c = arg;
	char path[96], digit;
	int fd, old;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", c->netdev,
	    c->name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	old = read(fd, &digit, 1) == 1 && digit >= '0' && digit <= '9'
	          ? digit - '0'
	          : -EIO;
	digit = (char)('0' + c->value);
	if (old >= 0 && old != c->value && pwrite(fd, &digit, 1, 0) != 1)
		old = -errno;
	close(fd);
	return old;
}

static int
swap(struct host_if *h, const char *name, int value)
{
	struct conf c = { h->nd_name, name, value };

	return host_ns_run(host_ns_of(h->host.vnet), conf_swap, &c);
}

/* Members and bridges. Where there is no IPv6, or /proc cannot be written,
 * there is nothing to do. */
static void
follow_member(struct host_if *h)
{
	uint32_t kind = h->ifp->ops->kind_flags;
	bool member =
	    (kind & IFACE_KIND_NO_AUTOCONF) != 0 ||
	    (h->ifp->stack != NULL && (kind & IFACE_KIND_HOST_IS_WIRE) == 0);
	int old;

	if (member == (h->accept_ra >= 0))
		return;
	old = swap(h, "accept_ra", member ? 0 : h->accept_ra);
	h->accept_ra = member && old >= 0 ? old : -1;
}

void
host_nd6_forget(struct host_if *h)
{
	h->accept_ra = -1;
	memset(h->nd6_was, -1, sizeof(h->nd6_was));
}

void
host_nd6_follow(struct host_if *h)
{
	static const struct {
		uint32_t flag;
		const char *word, *conf;
		int on, off;
	} rows[HOST_ND6_WORDS] = {
		/* Disabled, it has no settings that stay. */
		{ IFACE_ND6_IFDISABLED, "ifdisabled", "disable_ipv6", 1, 0 },
		{ IFACE_ND6_NO_DAD, "no_dad", "accept_dad", 0, 1 },
		{ IFACE_ND6_AUTO_LINKLOCAL, "auto_linklocal", "addr_gen_mode",
		    0, 1 },
		{ IFACE_ND6_ACCEPT_RTADV, "accept_rtadv", "accept_ra", 2, 0 },
		{ IFACE_ND6_NO_RADR, "no_radr", "accept_ra_defrtr", 0, 1 },
	};
	uint32_t said = h->ifp->nd6_said, nd6 = h->ifp->nd6;
	int err;

	if (h->blind)
		return;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int value =
		    (nd6 & rows[i].flag) != 0 ? rows[i].on : rows[i].off;
		bool back = (said & rows[i].flag) == 0;

		if (back && h->nd6_was[i] < 0)
			continue;
		err = swap(h, rows[i].conf, back ? h->nd6_was[i] : value);
		if (back)
			h->nd6_was[i] = -1;
		else if (h->nd6_was[i] < 0 && err >= 0)
			h->nd6_was[i] = (int8_t)err;
		if (err < 0)
			host_event(h, "its netdev does not take %s%s: %s",
			    (nd6 & rows[i].flag) != 0 ? "" : "-", rows[i].word,
			    strerror(-err));
	}
	if ((said & IFACE_ND6_ACCEPT_RTADV) == 0)
		follow_member(h);
}

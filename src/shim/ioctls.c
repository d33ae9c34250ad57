/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ioctls of /dev/tap, of /dev/net/tun and of sockets.
 *
 * Nothing is kept here about any descriptor.  Its mark (base/tapmark.h) says
 * that it is a tap, and of which style; whether a tun has had its TUNSETIFF is
 * whether its socket is connected; all else the daemon knows by the socket's
 * cookie.  So a descriptor means the same after dup, fork and exec, and in a
 * process to which it was passed.
 *
 * What a program hands in is copied with the kernel's help, so that a bad
 * pointer is EFAULT here as well.
 *
 * Source: tap(4) of NetBSD; Linux, Documentation/networking/tuntap.rst and
 * <linux/if_tun.h>; the errors are those of the originals.
 */
#include "shim/ioctls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/tapmark.h"
#include "base/util.h"
#include "coax/tap.h"
#include "shim/ask.h"

#define DEV_TAP      "/dev/tap"
#define DEV_TUN      "/dev/net/tun"
#define TAP_UNIT_MAX 0x7fff
#define INDEX_OURS   0x40000000 /* above those that a kernel gives out */

/* What the features are that TUNSETIFF takes. */
#define TUN_FEATURES                                                     \
	(IFF_TAP | IFF_NO_PI | IFF_ONE_QUEUE | IFF_VNET_HDR | IFF_NAPI | \
	    IFF_MULTI_QUEUE)

bool
shim_off(void)
{
	const char *how = getenv("COAX_SHIM");

	return how != NULL && strcmp(how, "off") == 0;
}

/* --- the program's memory ---------------------------------------------------
 */

static int
copy_in(void *to, const void *from, size_t len)
{
	struct iovec here = { to, len };
	struct iovec there = { (void *)(uintptr_t)from, len };
	ssize_t n = process_vm_readv(getpid(), &here, 1, &there, 1, 0);

	if (n == (ssize_t)len)
		return 0;
	if (n < 0 && (errno == ENOSYS || errno == EPERM) && from != NULL) {
		memcpy(to, from, len); /* a sandbox forbids the call */
		return 0;
	}
	return -EFAULT;
}

int
shim_copy_out(void *to, const void *from, size_t len)
{
	struct iovec here = { (void *)(uintptr_t)from, len };
	struct iovec there = { to, len };
	ssize_t n = process_vm_writev(getpid(), &here, 1, &there, 1, 0);

	if (n == (ssize_t)len)
		return 0;
	if (n < 0 && (errno == ENOSYS || errno == EPERM) && to != NULL) {
		memcpy(to, from, len);
		return 0;
	}
	return -EFAULT;
}

static int
copy_out_int(void *to, int value)
{
	return shim_copy_out(to, &value, sizeof(value));
}

/* With a name that ends. */
static int
copy_in_ifreq(struct ifreq *ifr, const void *from)
{
	int err = copy_in(ifr, from, sizeof(*ifr));

	ifr->ifr_name[IFNAMSIZ - 1] = '\0';
	return err;
}

/* --- descriptors ------------------------------------------------------------
 */

/* TAPMARK_*, or 0 for what is not ours. Keeps errno. */
static uint32_t
mark_of(int fd)
{
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);
	int saved = errno;

	if (getsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &mark, &len) < 0)
		mark = 0;
	errno = saved;
	if (mark != TAPMARK_TAP && mark != TAPMARK_TUN && mark != TAPMARK_LINK)
		return 0;
	return mark;
}

/* A socket with a mark; descriptor or -errno. */
static int
marked_socket(int type, uint32_t mark)
{
	int fd = socket(AF_UNIX, type, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(
	        fd, SOL_SOCKET, SO_MAX_PACING_RATE, &mark, sizeof(mark)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int
cookie_of(int fd, int64_t *cookie)
{
	socklen_t len = sizeof(*cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &len) < 0)
		return -errno;
	return 0;
}

/* Has it an interface (or had it)? */
static bool
attached(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getpeername(fd, (struct sockaddr *)&ss, &len) == 0;
}

/* --- what the daemon says ---------------------------------------------------
 */

struct tap_info {
	char name[IFNAMSIZ];
	int64_t flags, header, offload, mtu, mac, index;
	bool up, running, link;
};

static int
read_info(struct json from, struct tap_info *out)
{
	struct tap_info t = { .flags = 0 };
	struct {
		const char *name;
		int64_t *integer;
		bool *boolean;
	} want[] = {
		{ "flags", &t.flags, NULL },
		{ "header", &t.header, NULL },
		{ "offload", &t.offload, NULL },
		{ "mtu", &t.mtu, NULL },
		{ "mac", &t.mac, NULL },
		{ "index", &t.index, NULL },
		{ "up", NULL, &t.up },
		{ "running", NULL, &t.running },
		{ "link", NULL, &t.link },
	};
	struct json v;

	if (!json_member(from, "name", &v) ||
	    !json_text(v, t.name, sizeof(t.name)))
		return -ENXIO;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		if (!json_member(from, want[i].name, &v))
			return -ENXIO;
		if (want[i].integer != NULL ? !json_integer(v, want[i].integer)
		                            : !json_boolean(v, want[i].boolean))
			return -ENXIO;
	}
	*out = t;
	return 0;
}

static int
get_info(struct ask *a, struct tap_info *out)
{
	int err = ask_daemon(a);

	return err < 0 ? err : read_info(a->result, out);
}

static int
info_of_fd(int fd, struct tap_info *out)
{
	int64_t cookie;
	struct ask a;
	int err = cookie_of(fd, &cookie);

	if (err < 0)
		return err;
	ask_begin(&a, "tap.get");
	ask_int(&a, "cookie", cookie);
	return get_info(&a, out);
}

static int
info_of_name(const char *name, struct tap_info *out)
{
	struct ask a;
	int err;

	ask_begin(&a, "tap.get");
	err = ask_name(&a, "name", name);
	return err < 0 ? err : get_info(&a, out);
}

static int
set_and_end(struct ask *a, const char *what, int64_t value)
{
	ask_word(a, "what", what);
	ask_int(a, "value", value);
	return ask_daemon(a);
}

/* A change to the tun of a descriptor. */
static int
set_fd(int fd, const char *what, int64_t value)
{
	int64_t cookie;
	struct ask a;
	int err = cookie_of(fd, &cookie);

	if (err < 0)
		return err;
	ask_begin(&a, "tap.set");
	ask_int(&a, "cookie", cookie);
	err = set_and_end(&a, what, value);
	/* Its interface has gone: as a tun says it. */
	return err == -ENXIO ? -EBADFD : err;
}

static int
set_name(const char *name, const char *what, int64_t value)
{
	struct ask a;
	int err;

	ask_begin(&a, "tap.set");
	err = ask_name(&a, "name", name);
	return err < 0 ? err : set_and_end(&a, what, value);
}

static void
hint_no_daemon(const struct ask *a)
{
	if (a->no_daemon)
		shim_hint("no coaxd answers: start one by \"coaxd -d\", or "
		          "work in a \"coax lab\"");
}

/* --- Linux's tun ------------------------------------------------------------
 */

static int
tun_setiff(int fd, void *arg)
{
	struct ifreq ifr;
	struct json name;
	struct ask a;
	int err = copy_in_ifreq(&ifr, arg);

	if (err < 0)
		return err;
	if (attached(fd))
		return -EEXIST;
	if ((ifr.ifr_flags & IFF_TUN) != 0) {
		shim_hint("IFF_TUN is not to be had: coax carries Ethernet; "
		          "use the program's tap mode");
		return -EOPNOTSUPP;
	}
	if ((ifr.ifr_flags & IFF_TAP) == 0)
		return -EINVAL;
	ask_begin(&a, "tap.attach");
	err = ask_name(&a, "name", ifr.ifr_name);
	if (err < 0)
		return err;
	ask_int(&a, "fd", 0);
	ask_int(&a, "flags", (uint16_t)ifr.ifr_flags);
	a.send_fd = fd;
	a.send_netns = true;
	err = ask_daemon(&a);
	hint_no_daemon(&a);
	if (err < 0)
		return err == -ENXIO ? -ENODEV : err;
	if (!json_member(a.result, "name", &name) ||
	    !json_text(name, ifr.ifr_name, sizeof(ifr.ifr_name)))
		return -ENODEV;
	return shim_copy_out(arg, &ifr, sizeof(ifr));
}

static int
tun_getiff(int fd, void *arg)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	struct tap_info t;
	int err = info_of_fd(fd, &t);

	if (err < 0)
		return err == -ENXIO ? -EBADFD : err;
	memcpy(ifr.ifr_name, t.name, sizeof(ifr.ifr_name));
	ifr.ifr_flags = (short)t.flags;
	return shim_copy_out(arg, &ifr, sizeof(ifr));
}

static int
tun_setqueue(int fd, void *arg)
{
	struct ifreq ifr;
	int err = copy_in_ifreq(&ifr, arg);

	if (err < 0)
		return err;
	if ((ifr.ifr_flags & IFF_ATTACH_QUEUE) != 0)
		return set_fd(fd, "attached", 1);
	if ((ifr.ifr_flags & IFF_DETACH_QUEUE) != 0)
		return set_fd(fd, "attached", 0);
	return -EINVAL;
}

static int
tun_getvnethdrsz(int fd, void *arg)
{
	struct tap_info t;
	int err = info_of_fd(fd, &t);

	if (err < 0)
		return err == -ENXIO ? -EBADFD : err;
	/* As Linux: there is a length also where none is in use. */
	return copy_out_int(arg, t.header != 0 ? (int)t.header : 10);
}

static int
tun_setvnethdrsz(int fd, void *arg)
{
	struct tap_info t;
	int len;
	int err = copy_in(&len, arg, sizeof(len));

	if (err < 0)
		return err;
	if (len < 10)
		return -EINVAL;
	err = info_of_fd(fd, &t);
	if (err < 0)
		return err == -ENXIO ? -EBADFD : err;
	if (t.header == 0)
		return len <= 64 ? 0 : -EINVAL;
	return set_fd(fd, "header", len);
}

static int
tun_setcarrier(int fd, void *arg)
{
	int on;
	int err = copy_in(&on, arg, sizeof(on));

	return err < 0 ? err : set_fd(fd, "carrier", on != 0);
}

/* The size of the send buffer limits nothing here that a program could want;
 * a socket has its own. */
static int
tun_sndbuf(unsigned long request, void *arg)
{
	int size;
	int err;

	if (request == TUNGETSNDBUF)
		return copy_out_int(arg, INT_MAX);
	err = copy_in(&size, arg, sizeof(size));
	if (err < 0)
		return err;
	return size > 0 ? 0 : -EINVAL;
}

/* Headers have this machine's byte order. */
static int
tun_endian(unsigned long request, void *arg)
{
	bool le = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	bool wants_le = request == TUNSETVNETLE || request == TUNGETVNETLE;
	int on;
	int err;

	if (wants_le != le)
		return -EINVAL;
	if (request == TUNGETVNETLE || request == TUNGETVNETBE)
		return copy_out_int(arg, 1);
	err = copy_in(&on, arg, sizeof(on));
	return err;
}

/* Of a device's number or owner: by value. */
static int64_t
by_value(void *arg)
{
	return (int64_t)(uint32_t)(uintptr_t)arg;
}

static int
hwaddr_out(struct ifreq *ifr, const struct tap_info *t, void *arg)
{
	uint8_t mac[ETH_ADDR_LEN];

	memset(&ifr->ifr_hwaddr, 0, sizeof(ifr->ifr_hwaddr));
	ifr->ifr_hwaddr.sa_family = ARPHRD_ETHER;
	u64_to_mac((uint64_t)t->mac, mac);
	memcpy(ifr->ifr_hwaddr.sa_data, mac, sizeof(mac));
	return shim_copy_out(arg, ifr, sizeof(*ifr));
}

/* The address in it as a number, or -EINVAL. */
static int64_t
hwaddr_in(const struct ifreq *ifr)
{
	uint8_t mac[ETH_ADDR_LEN];

	if (ifr->ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EINVAL;
	memcpy(mac, ifr->ifr_hwaddr.sa_data, sizeof(mac));
	return (int64_t)mac_to_u64(mac);
}

static int
tun_hwaddr(int fd, unsigned long request, void *arg)
{
	struct ifreq ifr;
	struct tap_info t;
	int64_t mac;
	int err = copy_in_ifreq(&ifr, arg);

	if (err < 0)
		return err;
	if (request == SIOCSIFHWADDR) {
		mac = hwaddr_in(&ifr);
		return mac < 0 ? (int)mac : set_fd(fd, "mac", mac);
	}
	err = info_of_fd(fd, &t);
	if (err < 0)
		return err == -ENXIO ? -EBADFD : err;
	return hwaddr_out(&ifr, &t, arg);
}

static int
tun_ioctl(int fd, unsigned long request, void *arg)
{
	/* What can be said without an interface. */
	if (request == TUNSETIFF)
		return tun_setiff(fd, arg);
	if (request == TUNGETFEATURES)
		return copy_out_int(arg, TUN_FEATURES);
	if (!attached(fd))
		return -EBADFD;
	switch (request) {
	case TUNGETIFF:
		return tun_getiff(fd, arg);
	case TUNSETQUEUE:
		return tun_setqueue(fd, arg);
	case TUNSETNOCSUM:
	case TUNSETDEBUG:
		return 0; /* nothing, in Linux too */
	case TUNSETPERSIST:
		return set_fd(fd, "persist", by_value(arg) != 0);
	case TUNSETOWNER:
		return set_fd(fd, "owner", by_value(arg));
	case TUNSETGROUP:
		return set_fd(fd, "group", by_value(arg));
	case TUNSETLINK:
		return set_fd(fd, "type", by_value(arg));
	case TUNSETOFFLOAD:
		return set_fd(fd, "offload", by_value(arg));
	case TUNSETCARRIER:
		return tun_setcarrier(fd, arg);
	case TUNGETVNETHDRSZ:
		return tun_getvnethdrsz(fd, arg);
	case TUNSETVNETHDRSZ:
		return tun_setvnethdrsz(fd, arg);
	case TUNGETSNDBUF:
	case TUNSETSNDBUF:
		return tun_sndbuf(request, arg);
	case TUNSETVNETLE:
	case TUNGETVNETLE:
	case TUNSETVNETBE:
	case TUNGETVNETBE:
		return tun_endian(request, arg);
	case SIOCGIFHWADDR:
	case SIOCSIFHWADDR:
		return tun_hwaddr(fd, request, arg);
	default:
		return -EINVAL;
	}
}

/* --- NetBSD's tap -----------------------------------------------------------
 */

static int
tap_gifname(int fd, void *arg)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	struct tap_info t;
	int err = info_of_fd(fd, &t);

	if (err < 0)
		return err;
	memcpy(ifr.ifr_name, t.name, sizeof(ifr.ifr_name));
	return shim_copy_out(arg, &ifr, sizeof(ifr));
}

/* The socket's FIONREAD would be the sum of all frames. */
static int
next_size(int fd, void *arg)
{
	ssize_t n = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	struct pollfd p = { .fd = fd };

	/* The end, and no frame of no bytes: the interface has gone. */
	if (n == 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0)
		return -ENXIO;
	return copy_out_int(arg, n > 0 ? (int)n : 0);
}

/* A process group, which fcntl(2) has as a negative number. */
static int
tap_pgrp(int fd, unsigned long request, void *arg)
{
	int pgrp;
	int err;

	if (request == TIOCGPGRP) {
		pgrp = fcntl(fd, F_GETOWN);
		if (pgrp == -1)
			return -errno;
		return copy_out_int(arg, pgrp < 0 ? -pgrp : pgrp);
	}
	err = copy_in(&pgrp, arg, sizeof(pgrp));
	if (err < 0)
		return err;
	return fcntl(fd, F_SETOWN, -pgrp) < 0 ? -errno : 0;
}

/* --- any socket -------------------------------------------------------------
 */

static bool
is_socket(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

static int
if_create_destroy(int fd, unsigned long request, void *arg)
{
	bool create = request == SIOCIFCREATE;
	struct ifreq ifr;
	struct json name;
	struct ask a;
	int err;

	if (!is_socket(fd))
		return SHIM_PASS;
	err = copy_in_ifreq(&ifr, arg);
	if (err < 0)
		return err;
	ask_begin(&a, create ? "iface.create" : "iface.destroy");
	err = ask_name(&a, "name", ifr.ifr_name);
	if (err < 0)
		return err;
	err = ask_daemon(&a);
	if (err < 0 || !create)
		return err;
	/* The unit that was chosen. */
	if (!json_member(a.result, "name", &name) ||
	    !json_text(name, ifr.ifr_name, sizeof(ifr.ifr_name)))
		return -ENXIO;
	return shim_copy_out(arg, &ifr, sizeof(ifr));
}

/* The address in a request, or -EINVAL. */
static int64_t
lladdr_in(const struct if_laddrreq *r)
{
	struct sockaddr_dl sdl;
	uint8_t mac[ETH_ADDR_LEN];

	memcpy(&sdl, &r->addr, sizeof(sdl));
	if (sdl.sdl_family != AF_LINK || sdl.sdl_alen != ETH_ADDR_LEN ||
	    sdl.sdl_nlen > sizeof(sdl.sdl_data) - ETH_ADDR_LEN)
		return -EINVAL;
	memcpy(mac, sdl.sdl_data + sdl.sdl_nlen, sizeof(mac));
	return (int64_t)mac_to_u64(mac);
}

static int
lladdr_out(struct if_laddrreq *r, const struct tap_info *t, void *arg)
{
	struct sockaddr_dl sdl = {
		.sdl_family = AF_LINK,
		.sdl_index = (unsigned short)t->index,
		.sdl_type = 6, /* IFT_ETHER */
		.sdl_alen = ETH_ADDR_LEN,
	};
	uint8_t mac[ETH_ADDR_LEN];

	u64_to_mac((uint64_t)t->mac, mac);
	memcpy(sdl.sdl_data, mac, sizeof(mac));
	memset(&r->addr, 0, sizeof(r->addr));
	memset(&r->dstaddr, 0, sizeof(r->dstaddr));
	memcpy(&r->addr, &sdl, sizeof(sdl));
	r->flags = IFLR_ACTIVE;
	r->prefixlen = 8 * ETH_ADDR_LEN;
	return shim_copy_out(arg, r, sizeof(*r));
}

/*
 * Link-layer addresses. An interface of coax has one, which is active: adding
 * one that is not to be active is refused, and the present one cannot be
 * deleted.
 */
static int
link_ioctl(unsigned long request, void *arg)
{
	unsigned int bits = 8 * ETH_ADDR_LEN;
	struct if_laddrreq r;
	struct tap_info t;
	int64_t mac = 0;
	int err = copy_in(&r, arg, sizeof(r));

	if (err < 0)
		return err;
	r.iflr_name[IFNAMSIZ - 1] = '\0';
	if (request != SIOCGLIFADDR || (r.flags & IFLR_PREFIX) != 0) {
		mac = lladdr_in(&r);
		if (mac < 0)
			return (int)mac;
		if ((r.flags & IFLR_PREFIX) != 0)
			bits = r.prefixlen;
		if (bits > 8 * ETH_ADDR_LEN)
			return -EINVAL;
	} else {
		bits = 0;
	}
	err = info_of_name(r.iflr_name, &t);
	if (err < 0)
		return err;
	/* Does it begin with what was asked for? */
	bool same = bits == 0 || (uint64_t)(mac ^ t.mac) >> (48 - bits) == 0;

	switch (request) {
	case SIOCGLIFADDR:
		return same ? lladdr_out(&r, &t, arg) : -EADDRNOTAVAIL;
	case SIOCDLIFADDR:
		return same ? -EBUSY : -EADDRNOTAVAIL;
	default:
		if (mac == t.mac)
			return 0;
		if ((r.flags & IFLR_ACTIVE) == 0)
			return -EOPNOTSUPP;
		return set_name(r.iflr_name, "mac", mac);
	}
}

static int
rename_tap(const char *name, struct ifreq *ifr)
{
	struct ask a;
	int err;

	ifr->ifr_newname[IFNAMSIZ - 1] = '\0';
	ask_begin(&a, "tap.set");
	ask_word(&a, "what", "name");
	err = ask_name(&a, "name", name);
	if (err == 0)
		err = ask_name(&a, "text", ifr->ifr_newname);
	return err < 0 ? err : ask_daemon(&a);
}

/* Of a number that SIOCGIFINDEX has given out. */
static int
name_of_index(void *arg)
{
	struct ifreq ifr;
	struct tap_info t;
	struct ask a;
	int err = copy_in_ifreq(&ifr, arg);

	if (err < 0)
		return err;
	if ((ifr.ifr_ifindex & INDEX_OURS) == 0)
		return -ENODEV;
	ask_begin(&a, "tap.get");
	ask_int(&a, "index", ifr.ifr_ifindex & ~INDEX_OURS);
	if (get_info(&a, &t) < 0)
		return -ENODEV;
	memcpy(ifr.ifr_name, t.name, sizeof(ifr.ifr_name));
	return shim_copy_out(arg, &ifr, sizeof(ifr));
}

/*
 * The ioctls by an interface's name that a program would use on its netdev,
 * where there is none of that name: on the tap itself.
 */
static int
name_ioctl(unsigned long request, void *arg)
{
	struct ifreq ifr;
	struct tap_info t;
	int64_t mac;

	if (request == SIOCGIFNAME)
		return name_of_index(arg);
	if (copy_in_ifreq(&ifr, arg) < 0 || info_of_name(ifr.ifr_name, &t) < 0)
		return -ENODEV;
	switch (request) {
	case SIOCGIFFLAGS:
		ifr.ifr_flags = IFF_BROADCAST | IFF_MULTICAST;
		if (t.up)
			ifr.ifr_flags |= IFF_UP;
		if (t.running && t.link)
			ifr.ifr_flags |= IFF_RUNNING;
		break;
	case SIOCSIFFLAGS:
		return set_name(t.name, "up", (ifr.ifr_flags & IFF_UP) != 0);
	case SIOCGIFMTU:
		ifr.ifr_mtu = (int)t.mtu;
		break;
	case SIOCSIFMTU:
		return set_name(t.name, "mtu", ifr.ifr_mtu);
	case SIOCGIFHWADDR:
		return hwaddr_out(&ifr, &t, arg);
	case SIOCSIFHWADDR:
		mac = hwaddr_in(&ifr);
		return mac < 0 ? (int)mac : set_name(t.name, "mac", mac);
	case SIOCGIFINDEX:
		ifr.ifr_ifindex = (int)(INDEX_OURS | t.index);
		break;
	case SIOCSIFNAME:
		return rename_tap(t.name, &ifr);
	case SIOCGIFMAP:
		memset(&ifr.ifr_map, 0, sizeof(ifr.ifr_map));
		break;
	case SIOCGIFMETRIC:
		ifr.ifr_metric = 0;
		break;
	case SIOCGIFTXQLEN:
		ifr.ifr_qlen = 256;
		break;
	case SIOCSIFTXQLEN:
		return 0;
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
		return -EADDRNOTAVAIL;
	default:
		/* An address needs a host; the rest Linux has not either. */
		return -EOPNOTSUPP;
	}
	return shim_copy_out(arg, &ifr, sizeof(ifr));
}

/* --- all of them ------------------------------------------------------------
 */

static bool
has_netdev(int fd, const void *arg, shim_ioctl_fn *real)
{
	struct ifreq ifr;

	return copy_in_ifreq(&ifr, arg) < 0 ||
	       real(fd, SIOCGIFINDEX, &ifr) == 0 || errno != ENODEV;
}

static bool
is_tun_request(unsigned long request)
{
	return _IOC_TYPE(request) == 'T' && _IOC_NR(request) >= 200 &&
	       _IOC_NR(request) <= 230;
}

static int
fd_ioctl(int fd, uint32_t mark, unsigned long request, void *arg)
{
	switch (request) {
	case FIONREAD:
		return next_size(fd, arg);
	case TAPGIFNAME:
		return mark == TAPMARK_TUN && !attached(fd)
		           ? -EBADFD
		           : tap_gifname(fd, arg);
	case SIOCALIFADDR:
	case SIOCGLIFADDR:
	case SIOCDLIFADDR:
	case SIOCIFCREATE:
	case SIOCIFDESTROY:
		return -ENOTTY;
	case TIOCSPGRP:
	case TIOCGPGRP:
		return mark == TAPMARK_TAP ? tap_pgrp(fd, request, arg)
		                           : SHIM_PASS;
	case SIOCSIFHWADDR:
		return mark == TAPMARK_TUN ? tun_ioctl(fd, request, arg)
		                           : -ENOTTY;
	case SIOCGIFHWADDR:
		return mark == TAPMARK_TUN ? tun_ioctl(fd, request, arg)
		                           : SHIM_PASS;
	default:
		/* Also on a tap: QEMU asks so of a descriptor that it has
		 * inherited. */
		return is_tun_request(request) ? tun_ioctl(fd, request, arg)
		                               : SHIM_PASS;
	}
}

int
shim_ioctl(int fd, unsigned long request, void *arg, shim_ioctl_fn *real)
{
	uint32_t mark;
	int status;

	/* The kernel's numbers have 32 bits; those of a program that keeps them
	 * in an int come with a sign. */
	request = (unsigned int)request;
	switch (request) {
	case FIONREAD:
	case TAPGIFNAME:
	case SIOCALIFADDR:
	case SIOCGLIFADDR:
	case SIOCDLIFADDR:
	case SIOCIFCREATE:
	case SIOCIFDESTROY:
	case TIOCSPGRP:
	case TIOCGPGRP:
	case SIOCGIFHWADDR:
	case SIOCSIFHWADDR:
		break;
	case SIOCGIFFLAGS:
	case SIOCSIFFLAGS:
	case SIOCGIFMTU:
	case SIOCSIFMTU:
	case SIOCGIFNAME:
	case SIOCSIFNAME:
	case SIOCGIFINDEX:
	case SIOCGIFMAP:
	case SIOCSIFMAP:
	case SIOCGIFMETRIC:
	case SIOCSIFMETRIC:
	case SIOCGIFTXQLEN:
	case SIOCSIFTXQLEN:
	case SIOCGIFADDR:
	case SIOCSIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCSIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCSIFBRDADDR:
	case SIOCGIFNETMASK:
	case SIOCSIFNETMASK:
		break;
	default:
		if (!is_tun_request(request))
			return SHIM_PASS;
	}
	mark = mark_of(fd);
	if (mark == TAPMARK_TAP || mark == TAPMARK_TUN) {
		if (shim_off())
			return SHIM_PASS;
		status = fd_ioctl(fd, mark, request, arg);
		if (status != SHIM_PASS)
			return status;
	}
	switch (request) {
	case SIOCIFCREATE:
	case SIOCIFDESTROY:
		return shim_off() ? SHIM_PASS
		                  : if_create_destroy(fd, request, arg);
	case SIOCALIFADDR:
	case SIOCGLIFADDR:
	case SIOCDLIFADDR:
		return mark == TAPMARK_LINK && !shim_off()
		           ? link_ioctl(request, arg)
		           : SHIM_PASS;
	default:
		break;
	}
	if (_IOC_TYPE(request) != 0x89)
		return SHIM_PASS;
	/* By name: the netdev's, where there is one. */
	status = real(fd, request, arg);
	if (status >= 0)
		return status;
	status = -errno;
	/* Who may change nothing is told so whether there is one or not. */
	if (status == -EPERM && !has_netdev(fd, arg, real))
		status = -ENODEV;
	if (status != -ENODEV || shim_off())
		return status;
	return name_ioctl(request, arg);
}

/* --- opening ----------------------------------------------------------------
 */

enum shim_path
shim_path(const char *path, unsigned int *unit)
{
	unsigned int n = 0;

	*unit = 0;
	if (path == NULL || path[0] != '/' || path[1] != 'd')
		return SHIM_PATH_NONE;
	if (strcmp(path, DEV_TUN) == 0)
		return SHIM_PATH_TUN;
	if (strncmp(path, DEV_TAP, sizeof(DEV_TAP) - 1) != 0)
		return SHIM_PATH_NONE;
	path += sizeof(DEV_TAP) - 1;
	if (*path == '\0')
		return SHIM_PATH_TAP;
	if (path[0] == '0' && path[1] != '\0')
		return SHIM_PATH_NONE;
	for (; *path >= '0' && *path <= '9'; path++) {
		n = n * 10 + (unsigned int)(*path - '0');
		if (n > TAP_UNIT_MAX)
			return SHIM_PATH_NONE;
	}
	if (*path != '\0')
		return SHIM_PATH_NONE;
	*unit = n;
	return SHIM_PATH_TAP_UNIT;
}

/* The descriptor came while the connection to the daemon had a lower number;
 * open(2) gives the lowest that is free. */
static int
lowest(int fd, bool cloexec)
{
	int other = fcntl(fd, cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);

	if (other < 0)
		return fd;
	close(other < fd ? fd : other);
	return other < fd ? other : fd;
}

int
shim_open(enum shim_path what, unsigned int unit, int flags)
{
	int type = SOCK_SEQPACKET;
	char name[IFNAMSIZ];
	struct sbuf b = sbuf_init(name, sizeof(name));
	struct ask a;
	int err;

	if ((flags & O_DIRECTORY) != 0)
		return -ENOTDIR;
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	/* No more than a place: of any device, nothing is opened. */
	if ((flags & O_PATH) != 0) {
		int fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", flags);

		return fd < 0 ? -errno : fd;
	}
	if (what == SHIM_PATH_TUN) {
		if ((flags & O_CLOEXEC) != 0)
			type |= SOCK_CLOEXEC;
		if ((flags & O_NONBLOCK) != 0)
			type |= SOCK_NONBLOCK;
		return marked_socket(type, TAPMARK_TUN);
	}
	ask_begin(&a, "tap.open");
	if (what == SHIM_PATH_TAP_UNIT) {
		sbuf_printf(&b, "tap%u", unit);
		ask_word(&a, "name", name);
	}
	a.cloexec = (flags & O_CLOEXEC) != 0;
	a.send_netns = true;
	err = ask_daemon(&a);
	hint_no_daemon(&a);
	if (err < 0)
		return err;
	if (a.fd < 0)
		return -ENXIO;
	if ((flags & O_NONBLOCK) != 0)
		(void)fcntl(a.fd, F_SETFL, O_RDWR | O_NONBLOCK);
	return lowest(a.fd, a.cloexec);
}

int
shim_socket_link(int type)
{
	int kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (kind != SOCK_DGRAM && kind != SOCK_RAW)
		return -EPROTONOSUPPORT;
	return marked_socket(SOCK_DGRAM | (type & ~kind), TAPMARK_LINK);
}

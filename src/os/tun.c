/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TAP devices: see os/tun.h. Source: the kernel's networking/tuntap.rst and
 * <linux/if_tun.h>.
 */
#include "os/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/str.h"
#include "frame/offload.h"
#include "os/sock.h"

/* Linux 6.2; headers of Debian 12 lack them. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#endif
#ifndef TUN_F_USO6
#define TUN_F_USO6 0x40
#endif

#define TUN_PATH  "/dev/net/tun"
#define TUN_MAJOR 10 /* devices.txt: misc, /dev/net/tun */
#define TUN_MINOR 200

/* What every device of ours is made with. */
#define TUN_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

int
tun_open_unattached(void)
{
	int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int
tun_set_offload(int fd, uint32_t want, uint32_t *got)
{
	static const struct {
		uint32_t cap;
		unsigned int flags;
	} table[] = {
		{ OFFLOAD_CSUM, TUN_F_CSUM },
		{ OFFLOAD_TSO4, TUN_F_TSO4 },
		{ OFFLOAD_TSO6, TUN_F_TSO6 },
		{ OFFLOAD_TSO_ECN, TUN_F_TSO_ECN },
		/* One without the other is refused. */
		{ OFFLOAD_USO, TUN_F_USO4 | TUN_F_USO6 },
	};
	unsigned long flags = 0;

	want &= OFFLOAD_ALL;
	/* A netdev leaves out all sums or none, and super-frames have none. */
	if ((want & OFFLOAD_CSUM) != OFFLOAD_CSUM)
		want = 0;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (want & table[i].cap)
			flags |= table[i].flags;
	if (ioctl(fd, TUNSETOFFLOAD, flags) < 0) {
		if (errno != EINVAL || (want & OFFLOAD_USO) == 0)
			return -errno;
		want &= ~OFFLOAD_USO;
		flags &= ~(unsigned long)(TUN_F_USO4 | TUN_F_USO6);
		if (ioctl(fd, TUNSETOFFLOAD, flags) < 0)
			return -errno;
	}
	*got = want;
	return 0;
}

/* What the kernel resets with each new netdev. */
static int
tun_setup(int fd, uint32_t *caps)
{
	int len = TUN_HDR_LEN;

	if (ioctl(fd, TUNSETVNETHDRSZ, &len) < 0)
		return -errno;
	return tun_set_offload(fd, OFFLOAD_ALL, caps);
}

int
tun_attach(struct tun *t, const char *name)
{
	struct ifreq req = { 0 };
	uint32_t caps;
	int err;

	if (name == NULL || *name == '\0' ||
	    str_copy(req.ifr_name, sizeof(req.ifr_name), name) < 0)
		return -EINVAL;
	req.ifr_flags = (short)(TUN_FLAGS | IFF_TUN_EXCL);
	if (ioctl(t->fd, TUNSETIFF, &req) < 0)
		/* What IFF_TUN_EXCL says about a name that exists. */
		return errno == EBUSY ? -EEXIST : -errno;
	err = tun_setup(t->fd, &caps);
	if (err < 0)
		return err;
	memcpy(t->name, req.ifr_name, sizeof(t->name));
	t->name[sizeof(t->name) - 1] = '\0';
	t->caps = caps;
	return 0;
}

int
tun_open(const char *name, struct tun *out)
{
	struct tun t = { 0 };
	int err;

	t.fd = tun_open_unattached();
	if (t.fd < 0)
		return t.fd;
	err = tun_attach(&t, name);
	if (err < 0) {
		close(t.fd);
		return err;
	}
	*out = t;
	return 0;
}

/* TUNGETIFF of something that is a tun; @req filled. */
static int
tun_get_if(int fd, struct ifreq *req)
{
	struct stat st;

	/* A number of an ioctl means nothing to us on another device. */
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(TUN_MAJOR, TUN_MINOR))
		return -ENOTTY;
	memset(req, 0, sizeof(*req));
	if (ioctl(fd, TUNGETIFF, req) < 0)
		return -errno;
	req->ifr_name[sizeof(req->ifr_name) - 1] = '\0';
	return 0;
}

int
tun_adopt(int fd, struct tun *out)
{
	struct tun t = { .fd = fd };
	struct ifreq req;
	int err;

	err = tun_get_if(fd, &req);
	if (err < 0)
		return err;
	if ((req.ifr_flags & (TUN_FLAGS | IFF_TUN)) != TUN_FLAGS)
		return -EINVAL;
	err = tun_setup(fd, &t.caps);
	if (err < 0)
		return err;
	err = fd_set_nonblock(fd, true);
	if (err < 0)
		return err;
	err = fd_set_cloexec(fd, true);
	if (err < 0)
		return err;
	memcpy(t.name, req.ifr_name, sizeof(t.name));
	*out = t;
	return 0;
}

int
tun_get_name(int fd, char name[IFNAMSIZ])
{
	struct ifreq req;
	int err = tun_get_if(fd, &req);

	if (err < 0)
		return err;
	memcpy(name, req.ifr_name, IFNAMSIZ);
	return 0;
}

int
tun_set_carrier(int fd, bool on)
{
	int arg = on;

	return ioctl(fd, TUNSETCARRIER, &arg) < 0 ? -errno : 0;
}

int
tun_set_mac(int fd, const uint8_t mac[6])
{
	struct ifreq req = { 0 };

	req.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(req.ifr_hwaddr.sa_data, mac, 6);
	return ioctl(fd, SIOCSIFHWADDR, &req) < 0 ? -errno : 0;
}

int
tun_get_mac(int fd, uint8_t mac[6])
{
	struct ifreq req = { 0 };

	if (ioctl(fd, SIOCGIFHWADDR, &req) < 0)
		return -errno;
	memcpy(mac, req.ifr_hwaddr.sa_data, 6);
	return 0;
}

int
tun_set_persist(int fd, bool on)
{
	return ioctl(fd, TUNSETPERSIST, (unsigned long)on) < 0 ? -errno : 0;
}

int
tun_get_features(int fd, uint32_t *features)
{
	unsigned int f;

	if (ioctl(fd, TUNGETFEATURES, &f) < 0)
		return -errno;
	*features = f;
	return 0;
}

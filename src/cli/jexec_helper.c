/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client does for the daemon in namespaces that the daemon may not
 * enter: those of another user namespace, a rootless container's. The client,
 * who owns that container, enters the user namespace first, then the network
 * namespace, in a child, and makes the TAP there; its descriptor goes to the
 * daemon. When the rest of the command has been done it goes in once more and
 * gives the netdev what the interface has by now: MTU, up. coax vnet attach and
 * coax jexec open namespaces here, too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/cli.h"
#include "control/bsderr.h"
#include "os/netns.h"
#include "os/rtnl.h"
#include "os/sock.h"
#include "os/tun.h"

unsigned int
cli_open_what(const char *what, int fds[2])
{
	uint32_t pid;

	if (str_u32(what, 10, 1, INT32_MAX, &pid) < 0) {
		fds[0] = netns_open_path(what);
		return fds[0] < 0 ? 0 : 1;
	}
	fds[1] = netns_pidfd((pid_t)pid);
	fds[0] = fds[1] < 0 ? -1 : netns_open_pid((pid_t)pid);
	if (fds[0] >= 0)
		return 2;
	fd_close(&fds[1]);
	return 0;
}

bool
cli_vnet_is(const json_t *row, const char *name)
{
	const char *s = json_string_value(json_object_get(row, "name"));
	json_int_t id = json_integer_value(json_object_get(row, "id"));
	uint32_t number;

	if (s == NULL || *s == '\0')
		return false;
	return strcmp(s, name) == 0 ||
	       (str_u32(name, 10, 1, UINT32_MAX, &number) == 0 &&
	           id == (json_int_t)number);
}

json_t *
cli_vnet_row(struct coax *c, const char *name)
{
	json_t *list, *row;
	json_t *found = NULL;
	size_t i;

	if (coax_call(c, "vnet.list", NULL, NULL, 0, &list, NULL, 0, NULL) < 0)
		return NULL;
	json_array_foreach(list, i, row)
	{
		const char *s = json_string_value(json_object_get(row, "name"));

		/* A name that is a number goes before the number. */
		if (cli_vnet_is(row, name) &&
		    (found == NULL || strcmp(s, name) == 0))
			found = row;
	}
	json_incref(found);
	json_decref(list);
	return found;
}

/* The user namespace that owns @net_fd, if it is not ours: else -1. */
static int
owner_of(int net_fd, pid_t pid)
{
	int fd = ioctl(net_fd, NS_GET_USERNS);
	struct stat theirs, ours;

	if (fd < 0 && pid > 0)
		fd = netns_open_user_of_pid(pid);
	if (fd < 0)
		return -1;
	if (fstat(fd, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
	    theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
		fd_close(&fd);
	return fd;
}

/* @fd if it is the namespace with the inode number @ino (0: any), else closed.
 */
static int
check_netns(int fd, json_int_t ino)
{
	struct stat st;

	if (fd < 0 || ino == 0)
		return fd;
	if (fstat(fd, &st) == 0 && st.st_ino == (ino_t)ino)
		return fd;
	fd_close(&fd);
	return -ENOENT;
}

/*
 * Looks for a process in the namespace @ino: descriptor, -EACCES (none found,
 * but one that may not be looked at could be it) or -ENOENT.
 */
static int
search_netns(json_int_t ino, pid_t *pid)
{
	DIR *dir = opendir("/proc");
	int found = -ENOENT;
	struct dirent *e;
	uint32_t n;

	while (found < 0 && dir != NULL && (e = readdir(dir)) != NULL) {
		int fd;

		if (str_u32(e->d_name, 10, 1, INT32_MAX, &n) < 0)
			continue;
		fd = check_netns(netns_open_pid((pid_t)n), ino);
		/* What the last process of all says is no answer. */
		if (fd >= 0 || fd == -EACCES || fd == -EPERM)
			found = fd < 0 ? -EACCES : fd;
		*pid = (pid_t)n;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return found;
}

int
cli_open_vnet(struct coax *c, const char *name, int *user_fd, int *net_fd)
{
	json_t *row = cli_vnet_row(c, name);
	const char *path = json_string_value(json_object_get(row, "path"));
	pid_t pid = (pid_t)json_integer_value(json_object_get(row, "pid"));
	json_int_t ino = json_integer_value(json_object_get(row, "netns"));
	int fd = -ENOENT;

	/* The daemon may be in another PID or mount namespace, where numbers
	 * and paths are other ones: the namespace's own number decides. */
	if (pid > 0)
		fd = check_netns(netns_open_pid(pid), ino);
	else if (path != NULL)
		fd = check_netns(netns_open_path(path), ino);
	if (fd < 0 && ino > 0)
		fd = search_netns(ino, &pid);
	json_decref(row);
	if (fd < 0)
		return fd;
	*net_fd = fd;
	*user_fd = owner_of(fd, pid);
	return 0;
}

/* In the child, inside: a TAP as the daemon wants it. */
static int
make_tap(void *arg)
{
	struct tun tun;
	int err = tun_open(arg, &tun);

	return err < 0 ? err : tun.fd;
}

/* What a netdev is to have; for the child. */
struct netdev_want {
	char name[IFNAMSIZ];
	struct rtnl_change change;
};

/* In the child, inside: a descriptor is what says that all went well. */
static int
set_netdev(void *arg)
{
	struct netdev_want *want = arg;
	struct rtnl *r;
	int err = rtnl_open(&r);
	int fd;

	if (err < 0)
		return err;
	err = rtnl_link_index(r, want->name);
	if (err > 0)
		err = rtnl_link_set(r, err, &want->change);
	rtnl_close(r);
	if (err < 0)
		return err;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* tap0@vnet: the netdev is tap0.  False with a message if that is too long. */
static bool
netdev_name(const struct cli *cli, const char *iface, char name[IFNAMSIZ])
{
	size_t len = strcspn(iface, "@");

	if (len >= IFNAMSIZ) {
		(void)cli_error(cli, "%s: name too long", iface);
		return false;
	}
	memcpy(name, iface, len);
	name[len] = '\0';
	return true;
}

/* Runs @fn in a vnet: descriptor, or -1 with a message that says @what. */
static int
run_inside(const struct cli *cli, struct coax *c, const char *vnet,
    int (*fn)(void *arg), void *arg, const char *what)
{
	int user_fd = -1;
	int net_fd = -1;
	int fd = cli_open_vnet(c, vnet, &user_fd, &net_fd);

	if (fd < 0) {
		(void)cli_error(
		    cli, "vnet %s: cannot enter: %s", vnet, bsd_strerror(fd));
		return -1;
	}
	fd = netns_fd_from(user_fd, net_fd, fn, arg);
	fd_close(&user_fd);
	fd_close(&net_fd);
	if (fd >= 0)
		return fd;
	(void)cli_error(
	    cli, "vnet %s: cannot %s there: %s", vnet, what, bsd_strerror(fd));
	return -1;
}

int
cli_help_daemon(const struct cli *cli, struct coax *c, const json_t *helper)
{
	const char *vnet = json_string_value(json_object_get(helper, "vnet"));
	const char *iface = json_string_value(json_object_get(helper, "iface"));
	char name[IFNAMSIZ], what[IFNAMSIZ + 8];
	int fd, err;

	if (vnet == NULL || iface == NULL)
		return cli_error(cli, "the daemon asks for help with nothing");
	if (!netdev_name(cli, iface, name))
		return 1;
	(void)snprintf(what, sizeof(what), "make %s", name);
	fd = run_inside(cli, c, vnet, make_tap, name, what);
	if (fd < 0)
		return 1;
	err = coax_call(c, "host.give",
	    json_pack("{s:s, s:s, s:i}", "name", iface, "to", vnet, "fd", 0),
	    &fd, 1, NULL, NULL, 0, NULL);
	fd_close(&fd);
	return err < 0 ? cli_refused(cli, c, err) : 0;
}

int
cli_help_finish(const struct cli *cli, struct coax *c, const json_t *helper)
{
	const char *vnet = json_string_value(json_object_get(helper, "vnet"));
	const char *iface = json_string_value(json_object_get(helper, "iface"));
	struct netdev_want want = {
		/* As the daemon's own: it says nothing by itself. */
		.change = {
			.what = RTNL_SET_ADDRGEN | RTNL_SET_ARP | RTNL_SET_MTU,
			.addrgen = RTNL_ADDRGEN_NONE,
			.arp_ignore = 1,
			.arp_announce = 2,
		},
	};
	const json_t *flag;
	char what[IFNAMSIZ + 8];
	json_t *info;
	size_t i;
	int fd, err;

	if (vnet == NULL || iface == NULL ||
	    !netdev_name(cli, iface, want.name))
		return 1;
	err = coax_call(c, "iface.get", json_pack("{s:s}", "name", iface), NULL,
	    0, &info, NULL, 0, NULL);
	if (err < 0)
		return cli_refused(cli, c, err);
	want.change.mtu =
	    (uint32_t)json_integer_value(json_object_get(info, "mtu"));
	json_array_foreach(json_object_get(info, "flag_names"), i, flag)
	{
		if (strcmp(json_string_value(flag), "UP") != 0)
			continue;
		want.change.what |= RTNL_SET_UP;
		want.change.up = true;
	}
	json_decref(info);
	(void)snprintf(what, sizeof(what), "set up %s", want.name);
	fd = run_inside(cli, c, vnet, set_netdev, &want, what);
	if (fd < 0)
		return 1;
	fd_close(&fd);
	return 0;
}

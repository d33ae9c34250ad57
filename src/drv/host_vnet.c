/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vnets as network namespaces: ours, which a descriptor keeps alive, and
 * adopted ones, of which nothing is kept that would.
 *
 * A guest is a namespace in which there are netdevs of programs that came from
 * there, and that nobody has made a vnet of.  It is kept by a descriptor, as
 * ours are, since its netdevs would keep it anyway, and ends with the last of
 * them.
 *
 * An adopted namespace is found again by its process (which a pidfd watches)
 * or by its path, and each time checked to be still the same one.  It is over
 * when its process has ended, when the path shows another one, or when the
 * kernel says that its number (nsid) is free.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "drv/host_impl.h"
#include "net/info.h"

struct host_ns *
host_ns_of(const struct vnet *vnet)
{
	ASSERT(vnet != NULL && vnet->system != NULL);
	return vnet->system;
}

struct host_ns *
host_ns_by_nsid(struct host_system *hs, int nsid)
{
	struct host_ns *ns;

	if (nsid == RTNL_NSID_NONE)
		return &hs->home;
	TAILQ_FOREACH (ns, &hs->spaces, link) {
		if (ns->nsid == nsid)
			return ns;
	}
	return NULL;
}

static struct host_ns *
ns_by_id(struct host_system *hs, const struct netns_id *id)
{
	struct host_ns *ns;

	if (netns_id_equal(&hs->home.id, id))
		return &hs->home;
	TAILQ_FOREACH (ns, &hs->spaces, link) {
		if (netns_id_equal(&ns->id, id))
			return ns;
	}
	return NULL;
}

static int
fd_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

int
host_ns_open(struct host_ns *ns)
{
	struct netns_id id;
	int fd;

	if (ns->ended)
		return -ENXIO;
	if (ns->fd >= 0)
		return fd_dup(ns->fd);
	if (ns->owner.fd >= 0 && netns_pidfd_ended(ns->owner.fd))
		return -ENXIO;
	if (ns->helper)
		return -EACCES;
	fd = ns->pid != 0 ? netns_open_pid(ns->pid) : netns_open_path(ns->path);
	if (fd == -ESRCH || fd == -ENOENT || fd == -EINVAL)
		return -ENXIO;
	if (fd < 0)
		return fd;
	if (netns_get_id(fd, &id) != 0 || !netns_id_equal(&id, &ns->id)) {
		close(fd);
		return -ENXIO;
	}
	return fd;
}

int
host_ns_rtnl(struct host_ns *ns, struct rtnl **out)
{
	int fd, err;

	if (ns == &ns->hs->home) {
		*out = ns->hs->rtnl;
		return 0;
	}
	if (ns->fd >= 0) {
		err = 0;
		if (ns->rtnl == NULL)
			err = rtnl_open_in(ns->fd, &ns->rtnl);
		if (err == 0)
			*out = ns->rtnl;
		return err;
	}
	fd = host_ns_open(ns);
	if (fd < 0)
		return fd;
	err = rtnl_open_in(fd, out);
	close(fd);
	return err;
}

void
host_ns_rtnl_put(struct host_ns *ns, struct rtnl *r)
{
	if (ns->fd < 0)
		rtnl_close(r);
}

int
host_ns_run(struct host_ns *ns, int (*fn)(void *arg), void *arg)
{
	int fd, err;

	if (ns == &ns->hs->home)
		return fn(arg);
	fd = host_ns_open(ns);
	if (fd < 0)
		return fd;
	err = netns_run(fd, fn, arg);
	close(fd);
	return err;
}

/* Is there a host side of ours in it, or on its way to it? */
static bool
ns_in_use(const struct host_ns *ns)
{
	const struct host_if *h;

	TAILQ_FOREACH (h, &ns->hs->ifs, link) {
		if (h->host.vnet == ns->vnet)
			return true;
	}
	return false;
}

static void
ns_tell_lost(struct loop_task *t)
{
	struct host_ns *ns = t->arg;

	ns->hs->net->now_ns = loop_now_ns(ns->hs->loop);
	if (!ns->vnet->guest)
		net_vnet_lost(ns->vnet);
	else if (!ns_in_use(ns))
		(void)net_vnet_destroy(ns->vnet, NULL);
}

void
host_ns_left(const struct vnet *vnet)
{
	struct host_ns *ns = vnet != NULL ? vnet->system : NULL;

	if (ns != NULL && vnet->guest && !vnet->dead)
		loop_defer(ns->hs->loop, &ns->lost_task);
}

void
host_ns_lost(struct host_ns *ns)
{
	if (ns->ended || ns->vnet == NULL || ns->vnet->dead)
		return;
	ns->ended = true;
	loop_defer(ns->hs->loop, &ns->lost_task);
}

bool
host_ns_check(struct host_ns *ns)
{
	int fd;

	if (ns->fd >= 0)
		return false; /* held */
	if (!ns->ended) {
		fd = host_ns_open(ns);
		if (fd >= 0)
			close(fd);
		else if (fd == -ENXIO)
			host_ns_lost(ns);
	}
	return ns->ended;
}

/* The process behind an adopted namespace has ended. */
static void
ns_owner_ended(struct loop_fd *w, uint32_t revents)
{
	struct host_ns *ns = w->arg;

	(void)revents;
	loop_fd_del(ns->hs->loop, w);
	host_ns_lost(ns);
}

static struct host_ns *
ns_new(struct host_system *hs, struct vnet *vnet)
{
	struct host_ns *ns = calloc(1, sizeof(*ns));

	if (ns == NULL)
		return NULL;
	ns->hs = hs;
	ns->vnet = vnet;
	ns->vnet_id = vnet->id;
	ns->fd = -1;
	ns->owner.fd = -1;
	ns->nsid = RTNL_NSID_NONE;
	ns->lost_task.fn = ns_tell_lost;
	ns->lost_task.arg = ns;
	return ns;
}

void
host_ns_free(struct host_ns *ns)
{
	loop_task_cancel(ns->hs->loop, &ns->lost_task);
	loop_fd_del(ns->hs->loop, &ns->owner);
	if (ns->owner.fd >= 0)
		close(ns->owner.fd);
	if (ns->rtnl != NULL)
		rtnl_close(ns->rtnl);
	if (ns->fd >= 0)
		close(ns->fd);
	free(ns->path);
	free(ns);
}

static void
ns_in(struct host_ns *ns)
{
	ns->vnet->system = ns;
	TAILQ_INSERT_TAIL(&ns->hs->spaces, ns, link);
}

int
host_vnet_create(void *arg, struct vnet *vnet)
{
	struct host_system *hs = arg;
	struct host_ns *ns = ns_new(hs, vnet);
	int err;

	if (ns == NULL)
		return -ENOMEM;
	ns->fd = netns_create();
	err = ns->fd < 0 ? ns->fd : netns_get_id(ns->fd, &ns->id);
	if (err == 0) {
		ns->nsid = rtnl_nsid_ensure(hs->rtnl, ns->fd);
		err = ns->nsid < 0 ? ns->nsid : 0;
	}
	if (err != 0) {
		host_ns_free(ns);
		return net_error(hs->net, err,
		    err == -ENOSPC ? "the limit user.max_net_namespaces is "
		                     "reached"
		                   : "a network namespace cannot be made: %s",
		    strerror(-err));
	}
	ns_in(ns);
	return 0;
}

/* "1234" and "/proc/1234/ns/net" name a process: 0 if @what does not. */
static pid_t
pid_of(const char *what)
{
	unsigned int pid;
	int end = 0;

	if (str_u32(what, 10, 1, INT32_MAX, &pid) == 0)
		return (pid_t)pid;
	if (sscanf(what, "/proc/%9u/ns/net%n", &pid, &end) == 1 && end > 0 &&
	    what[end] == '\0' && pid > 0)
		return (pid_t)pid;
	return 0;
}

/* The process behind a pidfd, as our /proc numbers it; 0 unknown. */
static pid_t
pid_of_pidfd(int pidfd)
{
	char path[64], line[128];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "Pid: %d", &pid) == 1)
			break;
	}
	fclose(file);
	return pid > 0 ? pid : 0;
}

/* How to find the namespace again, and how to see its end. */
static int
ns_find(struct host_ns *ns, const char *what, const int *fds, uint32_t fd_count)
{
	struct net *net = ns->hs->net;
	int err;

	if (ns->vnet->guest) {
		ns->fd = fd_dup(fds[0]);
		return ns->fd < 0 ? ns->fd : 0;
	}
	/* What a user has no descriptor of, the daemon does not look for. */
	if (!net_is_admin(net) && fd_count == 0)
		return net_error(net, -EPERM,
		    "only an administrator names what the client cannot open");
	ns->pid = pid_of(what);
	if (fd_count >= 2) {
		/* The client's numbers may be of another PID namespace. */
		ns->owner.fd = fd_dup(fds[1]);
		if (ns->owner.fd < 0)
			return ns->owner.fd;
		ns->pid = pid_of_pidfd(ns->owner.fd);
		if (ns->pid == 0)
			ns->helper = true;
	} else if (ns->pid != 0) {
		ns->owner.fd = netns_pidfd(ns->pid);
		if (ns->owner.fd < 0)
			return net_error(net, ns->owner.fd, "process %d: %s",
			    (int)ns->pid, strerror(-ns->owner.fd));
	}
	if (ns->owner.fd >= 0) {
		ns->owner.events = EPOLLIN;
		ns->owner.fn = ns_owner_ended;
		ns->owner.arg = ns;
		ns->owner.quiet = true;
		return loop_fd_add(ns->hs->loop, &ns->owner);
	}
	if (what[0] != '/')
		return net_error(net, -EINVAL,
		    "%s is neither a process number nor an absolute path",
		    what);
	ns->path = strdup(what);
	err = ns->path == NULL ? -ENOMEM : 0;
	return err;
}

/* A user attaches a namespace of his own; one that he only sees (that of the
 * daemon, of another's container) is not his to put netdevs into. */
static int
ns_owner_check(struct net *net, int fd)
{
	uid_t owner;
	int err;

	if (net_is_admin(net))
		return 0;
	err = netns_get_owner(fd, &owner);
	if (err == 0 && owner == net->actor->uid)
		return 0;
	return net_error(net, -EPERM,
	    "that network namespace is not in a user namespace of yours");
}

/* Somebody has made a vnet of a guest's namespace: it has the host sides now.
 */
static void
guest_absorb(struct host_ns *guest, struct vnet *vnet)
{
	struct host_if *h;

	TAILQ_FOREACH (h, &guest->hs->ifs, link) {
		if (h->host.vnet == guest->vnet)
			h->host.vnet = vnet;
	}
	/* Nothing leads to it any more. */
	guest->id = (struct netns_id){ 0 };
	guest->nsid = RTNL_NSID_NONE;
	host_ns_left(guest->vnet);
}

int
host_vnet_attach(void *arg, struct vnet *vnet, const char *what, const int *fds,
    uint32_t fd_count)
{
	struct host_system *hs = arg;
	struct host_ns *known, *ns = ns_new(hs, vnet);
	struct rtnl *r = NULL;
	int fd = -1, err;

	if (ns == NULL)
		return -ENOMEM;
	err = ns_find(ns, what, fds, fd_count);
	if (err != 0)
		goto out_free;
	if (fd_count >= 1)
		fd = fd_dup(fds[0]);
	else if (ns->pid != 0)
		fd = netns_open_pid(ns->pid);
	else
		fd = netns_open_path(what);
	if (fd < 0 || !netns_is(fd)) {
		err = fd < 0 ? fd : -EINVAL;
		(void)net_error(hs->net, err, "%s: %s", what,
		    err == -EINVAL ? "not a network namespace"
		    : err == -EACCES
		        ? "it belongs to another user namespace; only a client "
		          "with access to it can pass it on"
		        : strerror(-err));
		goto out_close;
	}
	err = netns_get_id(fd, &ns->id);
	if (err == 0)
		err = ns_owner_check(hs->net, fd);
	if (err != 0)
		goto out_close;
	known = ns_by_id(hs, &ns->id);
	if (known != NULL && !known->vnet->guest) {
		err = net_error(hs->net, -EEXIST,
		    known == &hs->home ? "that is the daemon's own namespace%s"
		                       : "that namespace is vnet %s already",
		    known == &hs->home ? "" : known->vnet->name);
		goto out_close;
	}
	ns->nsid = rtnl_nsid_ensure(hs->rtnl, fd);
	if (ns->nsid < 0) {
		err = ns->nsid;
		goto out_close;
	}
	if (rtnl_open_in(fd, &r) != 0)
		ns->helper = true;
	rtnl_close(r);
	if (vnet->guest && ns->helper) {
		err = net_error(
		    hs->net, -EACCES, "it belongs to another user namespace");
		goto out_close;
	}
	if (!ns->helper && ns->path != NULL && fd_count >= 1) {
		/* The client's path must lead us to the same place. */
		int again = host_ns_open(ns);

		if (again < 0) {
			err = net_error(hs->net, -EINVAL,
			    "the daemon does not find that namespace at %s; "
			    "name a process of it instead",
			    what);
			goto out_close;
		}
		close(again);
	}
	close(fd);
	ns_in(ns);
	if (known != NULL)
		guest_absorb(known, vnet);
	return 0;

out_close:
	if (fd >= 0)
		close(fd);
out_free:
	host_ns_free(ns);
	return err;
}

/* Ends a namespace after all that was to be done in it. */
struct ns_end {
	struct job job;
	struct host_ns *ns;
	struct net_wait *wait;
};

static void
ns_end_run(struct job *job)
{
	struct ns_end *e = job->arg;

	/* The last socket and descriptor: the kernel takes its time. */
	if (e->ns->rtnl != NULL)
		rtnl_close(e->ns->rtnl);
	if (e->ns->fd >= 0)
		close(e->ns->fd);
	e->ns->rtnl = NULL;
	e->ns->fd = -1;
	job->status = 0;
}

static void
ns_end_done(struct job *job, struct loop *loop)
{
	struct ns_end *e = job->arg;

	struct host_system *hs = e->ns->hs;

	(void)loop;
	host_ns_free(e->ns);
	if (e->wait != NULL && hs->net != NULL)
		e->wait->done(e->wait, 0);
	free(e);
}

void
host_vnet_destroy(void *arg, struct vnet *vnet, struct net_wait *w)
{
	struct host_system *hs = arg;
	struct host_ns *ns = host_ns_of(vnet);
	struct ns_end *e = calloc(1, sizeof(*e));

	vnet->system = NULL;
	ns->vnet = NULL;
	TAILQ_REMOVE(&hs->spaces, ns, link);
	loop_task_cancel(hs->loop, &ns->lost_task);
	loop_fd_del(hs->loop, &ns->owner);
	if (e == NULL) {
		host_ns_free(ns);
		if (w != NULL)
			w->done(w, 0);
		return;
	}
	e->ns = ns;
	e->wait = w;
	e->job.arg = e;
	e->job.run = ns_end_run; /* without a class: after all before it */
	e->job.done = ns_end_done;
	jobs_submit(hs->jobs, &e->job);
}

void
host_vnet_get(void *arg, const struct vnet *vnet, struct info *out)
{
	const struct host_ns *ns = vnet->system;

	(void)arg;
	if (ns == NULL)
		return;
	info_u64(out, "netns", ns->id.ino);
	if (ns->pid != 0)
		info_i64(out, "pid", ns->pid);
	if (ns->path != NULL)
		info_str(out, "path", ns->path);
	if (ns->helper)
		info_bool(out, "helper", true);
}

struct vnet *
host_vnet_of(struct net *net, int netns_fd)
{
	struct host_system *hs = host_of(net);
	struct host_ns *ns;
	struct netns_id id;

	if (hs == NULL || !netns_is(netns_fd) ||
	    netns_get_id(netns_fd, &id) != 0)
		return NULL;
	ns = ns_by_id(hs, &id);
	return ns == NULL || ns->ended || ns->vnet->guest ? NULL : ns->vnet;
}

int
host_attach_guest(
    struct net *net, struct iface *ifp, int netns_fd, struct net_wait *w)
{
	struct host_system *hs = host_of(net);
	char name[NET_VNET_NAME_MAX];
	struct vnet *vnet;
	struct host_ns *ns;
	struct netns_id id;
	int err;

	if (hs == NULL)
		return -EOPNOTSUPP;
	err = netns_is(netns_fd) ? netns_get_id(netns_fd, &id) : -EINVAL;
	if (err != 0)
		return err;
	ns = ns_by_id(hs, &id);
	if (ns == NULL) {
		snprintf(name, sizeof(name), "netns-%llu",
		    (unsigned long long)id.ino);
		err = net_vnet_guest(net, name, netns_fd, &vnet);
		if (err != 0)
			return err;
	} else {
		vnet = ns->vnet;
		if (!net_vnet_mine(net, vnet))
			return -EPERM;
	}
	err = net_name_taken(net, vnet, ifp->name, ifp) ? -EEXIST : 0;
	if (err == 0)
		err = host_attach_in(hs, ifp, vnet, w);
	host_ns_left(vnet);
	return err;
}

int
host_vnet_open(struct net *net, struct vnet *vnet)
{
	if (host_of(net) == NULL || vnet->system == NULL)
		return -EOPNOTSUPP;
	return host_ns_open(host_ns_of(vnet));
}

void
host_vnet_check(struct net *net, struct vnet *vnet)
{
	if (host_of(net) != NULL && vnet->system != NULL)
		(void)host_ns_check(host_ns_of(vnet));
}

bool
host_needs_helper(const struct net *net, const struct vnet *vnet)
{
	return host_of(net) != NULL && vnet->system != NULL &&
	       host_ns_of(vnet)->helper;
}

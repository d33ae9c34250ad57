/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DHCP: a client program for each host side that is to have its address so.
 *
 *   coaxd ---- starts ----> udhcpc or dhclient, in the vnet ---- the network
 *     ^                        | starts, when something happens
 *     +--- "bound ADDRESS" --- dhcp-script
 *
 * The programs speak the protocol and do nothing else: they are nobody, may
 * send and receive, and write no file (priv_confine()). What was leased the
 * script says to a pipe, and the address and the default route are set here, as
 * with any other word of ifconfig, in the vnet. The address has the lease's
 * life time, so it ends by itself when nobody renews it, and it is no setting
 * that would be exported.
 *
 * A client runs while its interface is up and its netdev in a namespace of
 * which it is known that we may act there. It is started anew when it ends, at
 * growing intervals, or when the netdev has another place, name or address; one
 * that ends without ever having said anything gives way to the next of the
 * table. Killed ones are reaped by their pidfd.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/log.h"
#include "base/util.h"
#include "drv/host_impl.h"
#include "drv/lease.h"
#include "net/info.h"
#include "os/sock.h"

#define ARGS_MAX     20
#define LINE_MAX_    512
#define NS_PER_S     UINT64_C(1000000000)
#define BACKOFF_NS   UINT64_C(1000000000)
#define BACKOFF_MAX  UINT64_C(60000000000)
#define LONG_LIFE_NS UINT64_C(60000000000) /* then the backoff begins anew */
/* Its descriptor, wherever it is: nobody may not enter all folders. */
#define SCRIPT "/proc/self/fd/9"
#define METRIC 1000 /* of the default route: others come first */
#define NO_CLIENT                                                            \
	"there is no DHCP client here: udhcpc, busybox or dhclient must be " \
	"installed"

/* IF and SCRIPT are replaced. */
static const struct client {
	const char *name, *argv[ARGS_MAX];
} clients[] = {
	{ "udhcpc", { "udhcpc", "-f", "-i", "IF", "-s", "SCRIPT", "-t", "4",
	                "-T", "1", "-A", "5" } },
	{ "busybox", { "busybox", "udhcpc", "-f", "-i", "IF", "-s", "SCRIPT",
	                 "-t", "4", "-T", "1", "-A", "5" } },
	{ "dhclient", { "dhclient", "-4", "-d", "-cf", "/dev/null", "-lf",
	                  "/dev/null", "--no-pid", "-sf", "SCRIPT", "IF" } },
};

struct line_reader {
	struct loop_fd watch;
	char text[LINE_MAX_];
	size_t len;
	bool skip; /* to the end of a line that is too long */
};

/* A program. */
struct host_child {
	struct host_system *hs;
	struct host_dhcp *d; /* NULL: it was killed and is to be reaped */
	pid_t pid;
	const struct client *client;
	struct loop_fd end; /* its pidfd */
	struct line_reader reports, words;
	char last[96]; /* of its words */
	bool spoke;    /* its script has */
	uint64_t started_ns;
	TAILQ_ENTRY(host_child) link;
};

/* DHCP on a host side: while it is wanted. */
struct host_dhcp {
	struct host_if *h;
	struct host_child *child; /* NULL: none now */
	/* What the child was started for. */
	int nsid, ifindex;
	char name[IFNAMSIZ];
	uint8_t mac[6];
	unsigned int client; /* the next to be tried */
	uint64_t backoff_ns;
	struct timer again; /* start it */
	bool bound;
	struct lease lease;
	uint64_t bound_ns;
	char error[128];
	TAILQ_HEAD(, net_wait) waits;
	struct timer late;
};

/* --- programs ------------------------------------------------------------- */

/* Where a program is: in PATH, or where administrators' are. */
static bool
find_program(const char *name, char *path, size_t size)
{
	static const char *const more = "/usr/local/sbin:/usr/sbin:/sbin:"
	                                "/usr/local/bin:/usr/bin:/bin";
	const char *lists[] = { getenv("PATH"), more };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char *p = lists[i];

		while (p != NULL && *p != '\0') {
			size_t len = strcspn(p, ":");

			if (p[0] == '/' &&
			    (size_t)snprintf(path, size, "%.*s/%s", (int)len, p,
			        name) < size &&
			    access(path, X_OK) == 0)
				return true;
			p += len + (p[len] == ':');
		}
	}
	return false;
}

/* The first client from @from on that is there, or NULL. */
static const struct client *
client_from(const struct host_system *hs, unsigned int from)
{
	char path[256];

	for (unsigned int i = 0; i < ARRAY_LEN(clients); i++) {
		const struct client *c =
		    &clients[(from + i) % ARRAY_LEN(clients)];

		if (hs->dhcp_client != NULL &&
		    strcmp(hs->dhcp_client, c->name) != 0)
			continue;
		if (find_program(c->name, path, sizeof(path)))
			return c;
	}
	return NULL;
}

static void
child_close(struct host_child *c)
{
	struct loop *loop = c->hs->loop;
	struct loop_fd *w[] = { &c->reports.watch, &c->words.watch };

	for (size_t i = 0; i < ARRAY_LEN(w); i++) {
		loop_fd_del(loop, w[i]);
		fd_close(&w[i]->fd);
	}
}

/* It is to be there no more; the rest is done when it has ended. */
static void
child_kill(struct host_child *c)
{
	c->d = NULL;
	child_close(c);
	(void)kill(c->pid, SIGKILL);
}

static void
child_free(struct host_child *c)
{
	(void)waitpid(c->pid, NULL, 0);
	child_close(c);
	loop_fd_del(c->hs->loop, &c->end);
	fd_close(&c->end.fd);
	TAILQ_REMOVE(&c->hs->children, c, link);
	free(c);
}

/* --- leases --------------------------------------------------------------- */

static const char *
addr_text(struct in_addr a, char text[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &a, text, INET_ADDRSTRLEN);
}

static struct rtnl_addr
lease_address(const struct lease *l)
{
	struct rtnl_addr a = {
		.family = AF_INET,
		.prefixlen = (uint8_t)l->prefixlen,
		/* Never for ever: then it would be somebody's setting. */
		.valid_s = COAX_MIN(l->seconds, UINT32_MAX - 1),
	};

	a.preferred_s = a.valid_s;
	memcpy(a.addr, &l->addr, 4);
	return a;
}

static struct rtnl_route
lease_route(const struct lease *l)
{
	struct rtnl_route rt = { .metric = METRIC, .proto = RTPROT_DHCP };

	memcpy(rt.gateway, &l->router, 4);
	memcpy(rt.source, &l->addr, 4);
	return rt;
}

static void
waits_end(struct host_dhcp *d, int err)
{
	struct net_wait *w;

	loop_timer_del(d->h->hs->loop, &d->late);
	while ((w = TAILQ_FIRST(&d->waits)) != NULL) {
		TAILQ_REMOVE(&d->waits, w, link);
		host_tell_later(d->h->hs, w, err);
	}
}

/* Takes away what the lease has given; the route goes with its address. */
static void
lease_end(struct host_dhcp *d, const char *why)
{
	struct rtnl_addr a = lease_address(&d->lease);
	struct host_if *h = d->h;
	char text[INET_ADDRSTRLEN];
	struct rtnl *r;

	if (!d->bound)
		return;
	d->bound = false;
	host_event(h, "DHCP: %s/%u: %s", addr_text(d->lease.addr, text),
	    d->lease.prefixlen, why);
	/* Elsewhere it has no addresses any more. */
	if (h->ifindex != d->ifindex || h->nsid != d->nsid || h->blind ||
	    h->host.vnet == NULL ||
	    host_ns_rtnl(host_ns_of(h->host.vnet), &r) != 0)
		return;
	(void)rtnl_addr_del(r, h->ifindex, &a);
	host_ns_rtnl_put(host_ns_of(h->host.vnet), r);
}

static void
lease_begin(struct host_dhcp *d, const struct lease *l)
{
	const struct lease *old = &d->lease;
	struct rtnl_addr a = lease_address(l);
	struct rtnl_route rt = lease_route(l), was = lease_route(old);
	struct host_if *h = d->h;
	char addr[INET_ADDRSTRLEN], server[INET_ADDRSTRLEN];
	bool renewed = d->bound;
	struct rtnl *r;
	int err;

	if (d->bound && (old->addr.s_addr != l->addr.s_addr ||
	                    old->prefixlen != l->prefixlen)) {
		lease_end(d, "it is another now");
		renewed = false;
	}
	err = host_ns_rtnl(host_ns_of(h->host.vnet), &r);
	if (err == 0) {
		err = rtnl_addr_put(r, h->ifindex, &a);
		if (renewed && old->router.s_addr != 0 &&
		    old->router.s_addr != l->router.s_addr)
			(void)rtnl_route_del(r, h->ifindex, &was);
		if (err == 0 && l->router.s_addr != 0)
			(void)rtnl_route_add(r, h->ifindex, &rt);
		host_ns_rtnl_put(host_ns_of(h->host.vnet), r);
	}
	if (err != 0) {
		host_event(
		    h, "DHCP: the address cannot be set: %s", strerror(-err));
		return;
	}
	d->bound = true;
	d->lease = *l;
	d->bound_ns = h->hs->net->now_ns;
	d->error[0] = '\0';
	if (!renewed) {
		host_announce(h, a.addr);
		host_event(h, "DHCP: %s/%u for %u s from %s",
		    addr_text(l->addr, addr), l->prefixlen, l->seconds,
		    l->server.s_addr != 0 ? addr_text(l->server, server)
		                          : "somebody");
	}
	waits_end(d, 0);
}

static void
report(struct host_child *c, char *line)
{
	struct host_dhcp *d = c->d;
	struct lease l;

	c->spoke = true;
	if (strcmp(line, "lost") == 0)
		lease_end(d, "lost");
	else if (lease_parse(line, &l))
		lease_begin(d, &l);
	else
		log_debug(
		    "%s: DHCP: not understood: %s", d->h->ifp->name, line);
}

static void
word(struct host_child *c, char *line)
{
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			*p = '?';
	log_debug("%s: %s", c->d->h->ifp->name, line);
	if (*line != '\0')
		snprintf(c->last, sizeof(c->last), "%.90s", line);
}

/* Reads once; @each may not end the child. */
static void
read_lines(struct host_child *c, struct line_reader *r,
    void (*each)(struct host_child *c, char *line))
{
	ssize_t n =
	    read(r->watch.fd, r->text + r->len, sizeof(r->text) - 1 - r->len);
	char *begin = r->text, *nl;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* nobody has it open any more */
		loop_fd_del(c->hs->loop, &r->watch);
		fd_close(&r->watch.fd);
		return;
	}
	r->len += (size_t)n;
	while ((nl = memchr(begin, '\n', r->len - (size_t)(begin - r->text))) !=
	       NULL) {
		*nl = '\0';
		if (!r->skip)
			each(c, begin);
		r->skip = false;
		begin = nl + 1;
	}
	r->len -= (size_t)(begin - r->text);
	memmove(r->text, begin, r->len);
	if (r->len == sizeof(r->text) - 1) {
		r->len = 0;
		r->skip = true;
	}
}

static void
reports_event(struct loop_fd *w, uint32_t revents)
{
	struct host_child *c = w->arg;

	(void)revents;
	c->hs->net->now_ns = loop_now_ns(c->hs->loop);
	read_lines(c, &c->reports, report);
}

static void
words_event(struct loop_fd *w, uint32_t revents)
{
	struct host_child *c = w->arg;

	(void)revents;
	read_lines(c, &c->words, word);
}

/* --- life of a client -------------------------------------------------------
 */

static void
start_later(struct host_dhcp *d)
{
	d->backoff_ns = d->backoff_ns == 0
	                    ? BACKOFF_NS
	                    : COAX_MIN(2 * d->backoff_ns, BACKOFF_MAX);
	(void)loop_timer_in(d->h->hs->loop, &d->again, d->backoff_ns);
}

static void
child_ended(struct loop_fd *w, uint32_t revents)
{
	struct host_child *c = w->arg;
	struct host_dhcp *d = c->d;
	uint64_t now_ns = loop_now_ns(c->hs->loop);

	(void)revents;
	if (d != NULL) {
		c->hs->net->now_ns = now_ns;
		/* Its last words, unless it goes on talking. */
		if (c->words.watch.fd >= 0)
			read_lines(c, &c->words, word);
		d->child = NULL;
		snprintf(d->error, sizeof(d->error), "%s ended%s%s",
		    c->client->name, c->last[0] != '\0' ? ": " : "", c->last);
		host_event(d->h, "DHCP: %s", d->error);
		if (!c->spoke)
			d->client = (unsigned int)(c->client - clients) + 1;
		if (now_ns - c->started_ns >= LONG_LIFE_NS)
			d->backoff_ns = 0;
		start_later(d);
	}
	child_free(c);
}

static int
watch(struct loop *loop, struct loop_fd *w, int fd,
    void (*fn)(struct loop_fd *w, uint32_t revents), void *arg)
{
	int err;

	*w = (struct loop_fd){
		.fd = fd, .events = EPOLLIN, .fn = fn, .arg = arg
	};
	err = loop_fd_add(loop, w);
	if (err != 0)
		w->fd = -1;
	return err;
}

/* Starts @client; 0 or -errno. @reports, @words: the ends that it writes to. */
static int
spawn(struct host_dhcp *d, struct host_child *c, int reports, int words,
    int *pidfd)
{
	const struct host_system *hs = d->h->hs;
	char path[256];
	char *argv[ARGS_MAX + 1], *envp[2];
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct netns_spawn_options o = {
		.enter.net_fd = host_ns_open(host_ns_of(d->h->host.vnet)),
		.argv = argv,
		.envp = envp,
		.stdio = { null, words, words },
		.more = { reports, hs->dhcp_script },
		.die_with_parent = true,
		.confine = true,
		.keep_caps = UINT64_C(1) << CAP_NET_RAW |
		             UINT64_C(1) << CAP_NET_BIND_SERVICE,
	};
	unsigned int n = 0;
	int err = o.enter.net_fd < 0 ? o.enter.net_fd : null < 0 ? -EMFILE : 0;

	if (err == 0 && !find_program(c->client->name, path, sizeof(path)))
		err = -ENOENT;
	for (; c->client->argv[n] != NULL; n++) {
		const char *a = c->client->argv[n];

		a = strcmp(a, "IF") == 0       ? d->h->nd_name
		    : strcmp(a, "SCRIPT") == 0 ? SCRIPT
		    : n == 0                   ? path
		                               : a;
		argv[n] = (char *)(uintptr_t)a;
	}
	argv[n] = NULL;
	envp[0] = (char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	envp[1] = NULL;
	if (err == 0)
		err = netns_spawn(&o, &c->pid, pidfd);
	if (o.enter.net_fd >= 0)
		close(o.enter.net_fd);
	if (null >= 0)
		close(null);
	return err;
}

static int
child_start(struct host_dhcp *d)
{
	struct host_system *hs = d->h->hs;
	struct host_child *c = calloc(1, sizeof(*c));
	int reports[2] = { -1, -1 }, words[2] = { -1, -1 }, pidfd = -1;
	int err = 0;

	if (c == NULL)
		return -ENOMEM;
	c->hs = hs;
	c->reports.watch.fd = c->words.watch.fd = c->end.fd = -1;
	c->client = client_from(hs, d->client);
	if (c->client == NULL)
		err = -ENOENT;
	else if (pipe2(reports, O_CLOEXEC) < 0 || pipe2(words, O_CLOEXEC) < 0 ||
	         fcntl(reports[0], F_SETFL, O_NONBLOCK) < 0 ||
	         fcntl(words[0], F_SETFL, O_NONBLOCK) < 0)
		err = -errno;
	if (err == 0)
		err = spawn(d, c, reports[1], words[1], &pidfd);
	fd_close(&reports[1]);
	fd_close(&words[1]);
	if (err != 0) {
		fd_close(&reports[0]);
		fd_close(&words[0]);
		free(c);
		return err;
	}
	TAILQ_INSERT_TAIL(&hs->children, c, link);
	err = watch(hs->loop, &c->end, pidfd, child_ended, c);
	if (err == 0)
		err = watch(
		    hs->loop, &c->reports.watch, reports[0], reports_event, c);
	if (err == 0)
		err =
		    watch(hs->loop, &c->words.watch, words[0], words_event, c);
	if (err != 0) {
		(void)kill(c->pid, SIGKILL);
		child_free(c);
		return err;
	}
	c->d = d;
	c->started_ns = hs->net->now_ns;
	d->child = c;
	return 0;
}

static void
start(struct host_dhcp *d)
{
	struct host_if *h = d->h;
	int err;

	d->nsid = h->nsid;
	d->ifindex = h->ifindex;
	memcpy(d->name, h->nd_name, sizeof(d->name));
	ether_copy(d->mac, h->nd_mac);
	err = child_start(d);
	if (err == 0)
		return;
	snprintf(d->error, sizeof(d->error), "%s",
	    err == -ENOENT ? NO_CLIENT : strerror(-err));
	host_event(h, "DHCP: %s", d->error);
	start_later(d);
}

static void
again_due(struct timer *t, uint64_t now_ns)
{
	struct host_dhcp *d = CONTAINER_OF(t, struct host_dhcp, again);

	d->h->hs->net->now_ns = now_ns;
	host_dhcp_follow(d->h);
}

static void
late_due(struct timer *t, uint64_t now_ns)
{
	struct host_dhcp *d = CONTAINER_OF(t, struct host_dhcp, late);

	d->h->hs->net->now_ns = now_ns;
	waits_end(d, -ETIMEDOUT);
}

static void
stop(struct host_dhcp *d, const char *why)
{
	if (d->child != NULL)
		child_kill(d->child);
	d->child = NULL;
	lease_end(d, why);
	loop_timer_del(d->h->hs->loop, &d->again);
	d->backoff_ns = 0;
}

void
host_dhcp_end(struct host_if *h)
{
	struct host_dhcp *d = h->dhcp;

	if (d == NULL)
		return;
	stop(d, "no more");
	waits_end(d, -ECANCELED);
	h->dhcp = NULL;
	free(d);
}

/* May a client run? */
static bool
runnable(const struct host_if *h)
{
	return h->fd >= 0 && !h->blind && !h->parked && h->move == NULL &&
	       h->ifindex > 0 && h->host.vnet != NULL &&
	       (h->ifp->flags & IFACE_UP) != 0;
}

void
host_dhcp_follow(struct host_if *h)
{
	struct host_dhcp *d = h->dhcp;

	if (h->ifp->dhcp == IFACE_DHCP_OFF) {
		host_dhcp_end(h);
		return;
	}
	if (d == NULL) {
		d = calloc(1, sizeof(*d));
		if (d == NULL) {
			host_event(h, "DHCP: %s", strerror(ENOMEM));
			return;
		}
		d->h = h;
		d->again.fn = again_due;
		d->late.fn = late_due;
		TAILQ_INIT(&d->waits);
		h->dhcp = d;
	}
	if (!runnable(h)) {
		stop(d, "no more");
		return;
	}
	if (d->child != NULL &&
	    (d->ifindex != h->ifindex || d->nsid != h->nsid ||
	        strcmp(d->name, h->nd_name) != 0 ||
	        !ether_equal(d->mac, h->nd_mac)))
		stop(d, "no more");
	if (d->child == NULL && !timer_is_set(&d->again))
		start(d);
}

/* --- the core's questions ---------------------------------------------------
 */

int
host_dhcp_check(void *arg, const struct iface *ifp)
{
	struct host_system *hs = arg;
	const struct host_if *h = ifp != NULL ? host_if_of(ifp) : NULL;

	if (hs->dhcp_script < 0)
		return net_error(hs->net, -EOPNOTSUPP,
		    "coax's dhcp-script is missing, it belongs beside coaxd or "
		    "in libexec/coax");
	if (client_from(hs, 0) == NULL)
		return net_error(hs->net, -EOPNOTSUPP, NO_CLIENT);
	if (h != NULL && h->blind)
		return net_error(hs->net, -EACCES,
		    "%s's host side is in a namespace that only its owner can "
		    "configure",
		    ifp->name);
	return 0;
}

int
host_dhcp_wait(void *arg, struct iface *ifp, struct net_wait *w)
{
	struct host_system *hs = arg;
	struct host_if *h = host_if_of(ifp);
	struct host_dhcp *d = h != NULL ? h->dhcp : NULL;

	if (d == NULL)
		return -ECANCELED;
	if (d->bound)
		return 0;
	if (hs->net->host_dhcp_wait_s == 0)
		return -ETIMEDOUT;
	/* Who comes later waits as long as the first, whose wait so ends. */
	if (!timer_is_set(&d->late) &&
	    loop_timer_in(
	        hs->loop, &d->late, hs->net->host_dhcp_wait_s * NS_PER_S) != 0)
		return -ETIMEDOUT;
	TAILQ_INSERT_TAIL(&d->waits, w, link);
	return -EINPROGRESS;
}

static void
put_addr(struct info *out, const char *key, struct in_addr a)
{
	char text[INET_ADDRSTRLEN];

	if (a.s_addr != 0)
		info_str(out, key, addr_text(a, text));
}

void
host_dhcp_get(void *arg, const struct iface *ifp, struct info *out)
{
	const struct host_if *h = host_if_of(ifp);
	const struct host_dhcp *d = h != NULL ? h->dhcp : NULL;

	(void)arg;
	if (d == NULL)
		return;
	info_object(out, "dhcp");
	info_str(out, "state",
	    d->bound             ? "bound"
	    : d->child != NULL   ? "asking"
	    : d->backoff_ns != 0 ? "waiting"
	                         : "off");
	if (d->child != NULL)
		info_str(out, "client", d->child->client->name);
	if (d->bound) {
		put_addr(out, "address", d->lease.addr);
		info_u64(out, "prefixlen", d->lease.prefixlen);
		put_addr(out, "router", d->lease.router);
		put_addr(out, "server", d->lease.server);
		put_addr(out, "dns", d->lease.dns);
		info_u64(out, "lease_s", d->lease.seconds);
		info_u64(out, "bound_ns", d->bound_ns);
	}
	if (d->error[0] != '\0')
		info_str(out, "error", d->error);
	info_end(out);
}

void
host_dhcp_shutdown(struct host_system *hs)
{
	struct host_child *c;

	while ((c = TAILQ_FIRST(&hs->children)) != NULL) {
		(void)kill(c->pid, SIGKILL);
		child_free(c);
	}
}

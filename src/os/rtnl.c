/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnetlink through libmnl: see os/rtnl.h. Source: rtnetlink(7), netlink(7),
 * the kernel's userspace-api/netlink and <linux/rtnetlink.h>.
 *
 * Every request is built in the socket's buffer, sent, and answered by messages
 * of the same sequence number that end with NLMSG_ERROR (also for "no error",
 * as NLM_F_ACK is always asked for) or, for a dump, with NLMSG_DONE. Messages
 * of other numbers belong to a request that was given up and are skipped.
 */
#include "os/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/net_namespace.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/veth.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "os/netns.h"

#define RTNL_REQUEST_SIZE   4096
#define RTNL_REPLY_SIZE     32768 /* the most that the kernel sends in a dump */
#define RTNL_DUMP_TRIES     3
#define RTNL_MONITOR_RCVBUF (1 << 20)

/* Attributes above these are unknown to us and skipped. */
#define RTNL_ATTR_MAX 80

struct rtnl {
	struct mnl_socket *nl;
	uint32_t seq;
	char text[256]; /* the kernel's explanation; "" if none */
	union {
		struct nlmsghdr align;
		char room[RTNL_REQUEST_SIZE];
	} request;
	union {
		struct nlmsghdr align;
		char room[RTNL_REPLY_SIZE];
	} reply;
};

/* Called for each message of an answer; not 0 ends the calls. */
typedef int rtnl_reply_fn(void *arg, const struct nlmsghdr *nlh);

/* --- the socket ---------------------------------------------------------- */

static int
rtnl_socket(struct mnl_socket **out)
{
	struct mnl_socket *nl;
	int on = 1, err;

	nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (nl == NULL)
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		mnl_socket_close(nl);
		return err;
	}
	/* Older kernels lack some of these; requests work without. */
	(void)mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(
	    nl, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	*out = nl;
	return 0;
}

int
rtnl_open(struct rtnl **out)
{
	struct rtnl *r;
	int err;

	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	err = rtnl_socket(&r->nl);
	if (err < 0) {
		free(r);
		return err;
	}
	*out = r;
	return 0;
}

static int
rtnl_open_fn(void *arg)
{
	return rtnl_open(arg);
}

int
rtnl_open_in(int nsfd, struct rtnl **out)
{
	return netns_run(nsfd, rtnl_open_fn, out);
}

void
rtnl_close(struct rtnl *r)
{
	if (r == NULL)
		return;
	mnl_socket_close(r->nl);
	free(r);
}

const char *
rtnl_strerror(const struct rtnl *r, int err)
{
	if (err == 0)
		return "no error";
	if (r != NULL && r->text[0] != '\0')
		return r->text;
	return strerror(err < 0 ? -err : err);
}

/* --- requests ------------------------------------------------------------ */

/* Starts a request with a fixed header of @size bytes, all zero. */
static struct nlmsghdr *
rtnl_begin(
    struct rtnl *r, uint16_t type, uint16_t flags, size_t size, void *header)
{
	struct nlmsghdr *nlh;
	void *extra;

	memset(&r->request, 0, sizeof(r->request));
	nlh = mnl_nlmsg_put_header(r->request.room);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	extra = mnl_nlmsg_put_extra_header(nlh, size);
	memcpy(header, &extra, sizeof(extra));
	return nlh;
}

struct rtnl_attrs {
	const struct nlattr *at[RTNL_ATTR_MAX];
};

static int
rtnl_attr_cb(const struct nlattr *a, void *arg)
{
	struct rtnl_attrs *attrs = arg;
	uint16_t type = mnl_attr_get_type(a);

	if (type < RTNL_ATTR_MAX)
		attrs->at[type] = a;
	return MNL_CB_OK;
}

/* Copies a string, cut if need be; "" if there is none. */
static void
rtnl_str(const struct nlattr *a, char *dst, size_t size)
{
	size_t len;

	dst[0] = '\0';
	if (a == NULL)
		return;
	len = strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	len = COAX_MIN(len, size - 1);
	memcpy(dst, mnl_attr_get_payload(a), len);
	dst[len] = '\0';
}

/* The kernel's explanation in an answer, if there is one. */
static void
rtnl_take_text(struct rtnl *r, const struct nlmsghdr *nlh, size_t skip)
{
	struct rtnl_attrs attrs = { 0 };

	skip = (skip + NLMSG_ALIGNTO - 1) & ~(size_t)(NLMSG_ALIGNTO - 1);
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) == 0 ||
	    mnl_nlmsg_get_payload_len(nlh) < skip ||
	    mnl_attr_parse(nlh, (unsigned int)skip, rtnl_attr_cb, &attrs) < 0)
		return;
	rtnl_str(attrs.at[NLMSGERR_ATTR_MSG], r->text, sizeof(r->text));
}

/* Error number of an NLMSG_ERROR: 0 or -errno. */
static int
rtnl_error(struct rtnl *r, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return -EBADMSG;
	if ((nlh->nlmsg_flags & NLM_F_CAPPED) == 0)
		skip += e->msg.nlmsg_len - sizeof(e->msg); /* our request */
	if (e->error != 0)
		rtnl_take_text(r, nlh, skip);
	return e->error;
}

/* Error number of an NLMSG_DONE: 0 or -errno. */
static int
rtnl_done(struct rtnl *r, const struct nlmsghdr *nlh)
{
	int err = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(err))
		memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	if (err < 0)
		rtnl_take_text(r, nlh, sizeof(err));
	return err < 0 ? err : 0;
}

/* Reads the answer to request @seq. */
static int
rtnl_answer(struct rtnl *r, rtnl_reply_fn *fn, void *arg)
{
	const unsigned int port = mnl_socket_get_portid(r->nl);
	int result = 0;
	bool interrupted = false;

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(
		    r->nl, r->reply.room, sizeof(r->reply.room));
		const struct nlmsghdr *nlh = &r->reply.align;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			int err;

			if (nlh->nlmsg_seq != r->seq || nlh->nlmsg_pid != port)
				continue;
			if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
				interrupted = true;
			switch (nlh->nlmsg_type) {
			case NLMSG_ERROR:
				err = rtnl_error(r, nlh);
				return err < 0 ? err : result;
			case NLMSG_DONE:
				err = rtnl_done(r, nlh);
				if (err < 0)
					return err;
				if (result != 0)
					return result;
				return interrupted ? -EINTR : 0;
			case NLMSG_NOOP:
				break;
			default:
				if (fn != NULL && result == 0)
					result = fn(arg, nlh);
				break;
			}
		}
	}
}

/* Sends the request that was built, and reads the answer. */
static int
rtnl_talk(struct rtnl *r, struct nlmsghdr *nlh, rtnl_reply_fn *fn, void *arg)
{
	r->text[0] = '\0';
	nlh->nlmsg_seq = ++r->seq;
	if ((nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		nlh->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(r->nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	return rtnl_answer(r, fn, arg);
}

/* --- parsing ------------------------------------------------------------- */

static uint32_t
rtnl_u32(const struct rtnl_attrs *attrs, unsigned int type, uint32_t otherwise)
{
	const struct nlattr *a = attrs->at[type];

	if (a == NULL || mnl_attr_validate(a, MNL_TYPE_U32) < 0)
		return otherwise;
	return mnl_attr_get_u32(a);
}

static uint8_t
rtnl_u8(const struct rtnl_attrs *attrs, unsigned int type, uint8_t otherwise)
{
	const struct nlattr *a = attrs->at[type];

	if (a == NULL || mnl_attr_validate(a, MNL_TYPE_U8) < 0)
		return otherwise;
	return mnl_attr_get_u8(a);
}

/* Copies exactly @size bytes; false if there are not just as many. */
static bool
rtnl_bytes(const struct nlattr *a, void *dst, size_t size)
{
	if (a == NULL || mnl_attr_get_payload_len(a) != size)
		return false;
	memcpy(dst, mnl_attr_get_payload(a), size);
	return true;
}

static void
rtnl_parse_stats(const struct nlattr *a, struct rtnl_link *link)
{
	struct rtnl_link_stats64 s = { 0 };

	if (a == NULL)
		return;
	/* Later kernels have more of it, at the end. */
	memcpy(&s, mnl_attr_get_payload(a),
	    COAX_MIN((size_t)mnl_attr_get_payload_len(a), sizeof(s)));
	link->has_stats = true;
	link->stats = (struct rtnl_stats){
		.rx_packets = s.rx_packets,
		.tx_packets = s.tx_packets,
		.rx_bytes = s.rx_bytes,
		.tx_bytes = s.tx_bytes,
		.rx_errors = s.rx_errors,
		.tx_errors = s.tx_errors,
		.rx_dropped = s.rx_dropped,
		.tx_dropped = s.tx_dropped,
		.multicast = s.multicast,
		.collisions = s.collisions,
	};
}

static int
rtnl_parse_link(const struct nlmsghdr *nlh, struct rtnl_link *link,
    struct rtnl_attrs *attrs)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return -EBADMSG;
	memset(attrs, 0, sizeof(*attrs));
	if (mnl_attr_parse(nlh, sizeof(*ifi), rtnl_attr_cb, attrs) < 0)
		return -EBADMSG;
	memset(link, 0, sizeof(*link));
	link->ifindex = ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	link->type = ifi->ifi_type;
	rtnl_str(attrs->at[IFLA_IFNAME], link->name, sizeof(link->name));
	rtnl_str(attrs->at[IFLA_IFALIAS], link->alias, sizeof(link->alias));
	link->mtu = rtnl_u32(attrs, IFLA_MTU, 0);
	link->promiscuity = rtnl_u32(attrs, IFLA_PROMISCUITY, 0);
	link->group = rtnl_u32(attrs, IFLA_GROUP, 0);
	link->txqlen = rtnl_u32(attrs, IFLA_TXQLEN, 0);
	link->operstate = rtnl_u8(attrs, IFLA_OPERSTATE, 0);
	link->carrier = rtnl_u8(attrs, IFLA_CARRIER, 0) != 0;
	link->has_mac =
	    rtnl_bytes(attrs->at[IFLA_ADDRESS], link->mac, sizeof(link->mac));
	link->master = (int)rtnl_u32(attrs, IFLA_MASTER, 0);
	link->peer_index = (int)rtnl_u32(attrs, IFLA_LINK, 0);
	link->peer_nsid =
	    (int)rtnl_u32(attrs, IFLA_LINK_NETNSID, (uint32_t)RTNL_NSID_NONE);
	rtnl_parse_stats(attrs->at[IFLA_STATS64], link);
	if (attrs->at[IFLA_LINKINFO] != NULL) {
		struct rtnl_attrs info = { 0 };

		if (mnl_attr_parse_nested(
		        attrs->at[IFLA_LINKINFO], rtnl_attr_cb, &info) >= 0)
			rtnl_str(info.at[IFLA_INFO_KIND], link->kind,
			    sizeof(link->kind));
	}
	return 0;
}

static int
rtnl_parse_addr(const struct nlmsghdr *nlh, struct rtnl_addr *addr)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct rtnl_attrs attrs = { 0 };
	const struct nlattr *local, *address;
	struct ifa_cacheinfo life;
	size_t size;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
	    mnl_attr_parse(nlh, sizeof(*ifa), rtnl_attr_cb, &attrs) < 0)
		return -EBADMSG;
	if (ifa->ifa_family == AF_INET)
		size = 4;
	else if (ifa->ifa_family == AF_INET6)
		size = 16;
	else
		return -EAFNOSUPPORT;
	memset(addr, 0, sizeof(*addr));
	addr->ifindex = (int)ifa->ifa_index;
	addr->family = ifa->ifa_family;
	addr->prefixlen = ifa->ifa_prefixlen;
	addr->scope = ifa->ifa_scope;
	addr->flags = rtnl_u32(&attrs, IFA_FLAGS, ifa->ifa_flags);

	/* With a peer IFA_ADDRESS is the peer's, else it is ours. */
	address = attrs.at[IFA_ADDRESS];
	local = attrs.at[IFA_LOCAL] != NULL ? attrs.at[IFA_LOCAL] : address;
	if (!rtnl_bytes(local, addr->addr, size))
		return -EBADMSG;
	if (rtnl_bytes(address, addr->peer, size) &&
	    memcmp(addr->peer, addr->addr, size) != 0)
		addr->has_peer = true;
	else
		memset(addr->peer, 0, sizeof(addr->peer));
	if (ifa->ifa_family == AF_INET)
		addr->has_broadcast = rtnl_bytes(attrs.at[IFA_BROADCAST],
		    addr->broadcast, sizeof(addr->broadcast));
	rtnl_str(attrs.at[IFA_LABEL], addr->label, sizeof(addr->label));
	addr->proto = rtnl_u8(&attrs, IFA_PROTO, IFAPROT_UNSPEC);
	addr->valid_s = UINT32_MAX;
	addr->preferred_s = UINT32_MAX;
	if (rtnl_bytes(attrs.at[IFA_CACHEINFO], &life, sizeof(life))) {
		addr->valid_s = life.ifa_valid;
		addr->preferred_s = life.ifa_prefered;
	}
	return 0;
}

/* --- links --------------------------------------------------------------- */

static bool
rtnl_name_ok(const char *name)
{
	return name != NULL && name[0] != '\0' && strlen(name) < IFNAMSIZ;
}

struct rtnl_link_reply {
	struct rtnl_link *link;
	bool found;
};

static int
rtnl_link_got(void *arg, const struct nlmsghdr *nlh)
{
	struct rtnl_link_reply *reply = arg;
	struct rtnl_attrs attrs;
	int err;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	err = rtnl_parse_link(nlh, reply->link, &attrs);
	reply->found = err == 0;
	return err;
}

static int
rtnl_link_ask(struct rtnl *r, struct nlmsghdr *nlh, struct rtnl_link *out)
{
	struct rtnl_link link;
	struct rtnl_link_reply reply = { .link = &link };
	int err;

	err = rtnl_talk(r, nlh, rtnl_link_got, &reply);
	if (err < 0)
		return err;
	if (!reply.found)
		return -ENODEV;
	*out = link;
	return 0;
}

int
rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *out)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;

	if (!rtnl_name_ok(name))
		return -EINVAL;
	nlh = rtnl_begin(r, RTM_GETLINK, 0, sizeof(*ifi), &ifi);
	ifi->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return rtnl_link_ask(r, nlh, out);
}

int
rtnl_link_get_index(
    struct rtnl *r, int nsid, int ifindex, struct rtnl_link *out)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;

	if (ifindex <= 0)
		return -ENODEV;
	nlh = rtnl_begin(r, RTM_GETLINK, 0, sizeof(*ifi), &ifi);
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	if (nsid >= 0)
		mnl_attr_put_u32(nlh, IFLA_TARGET_NETNSID, (uint32_t)nsid);
	return rtnl_link_ask(r, nlh, out);
}

int
rtnl_link_index(struct rtnl *r, const char *name)
{
	struct rtnl_link link;
	int err = rtnl_link_get(r, name, &link);

	return err < 0 ? err : link.ifindex;
}

struct rtnl_link_list {
	int (*fn)(void *arg, const struct rtnl_link *link);
	void *arg;
	struct rtnl_link *links; /* gathered before anything is told */
	size_t count;
	size_t room;
};

/* Doubles the room of an array that is full. */
static int
rtnl_grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t more = *room > 0 ? 2 * *room : 16;
	void *p;

	if (count < *room)
		return 0;
	memcpy(&p, array, sizeof(p));
	p = reallocarray(p, more, size);
	if (p == NULL)
		return -ENOMEM;
	memcpy(array, &p, sizeof(p));
	*room = more;
	return 0;
}

static int
rtnl_link_gather(void *arg, const struct nlmsghdr *nlh)
{
	struct rtnl_link_list *list = arg;
	struct rtnl_attrs attrs;
	int err;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	err = rtnl_grow(
	    &list->links, list->count, &list->room, sizeof(list->links[0]));
	if (err == 0)
		err = rtnl_parse_link(nlh, &list->links[list->count], &attrs);
	if (err == 0)
		list->count++;
	return err;
}

int
rtnl_link_dump(struct rtnl *r,
    int (*fn)(void *arg, const struct rtnl_link *link), void *arg)
{
	struct rtnl_link_list list = { .fn = fn, .arg = arg };
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	int err = -EINTR, told = 0;

	for (int i = 0; i < RTNL_DUMP_TRIES && err == -EINTR; i++) {
		list.count = 0;
		nlh =
		    rtnl_begin(r, RTM_GETLINK, NLM_F_DUMP, sizeof(*ifi), &ifi);
		ifi->ifi_family = AF_UNSPEC;
		err = rtnl_talk(r, nlh, rtnl_link_gather, &list);
	}
	if (err == 0 || err == -EINTR)
		for (size_t i = 0; i < list.count && told == 0; i++)
			told = fn(arg, &list.links[i]);
	free(list.links);
	return told != 0 ? told : err;
}

/* IFLA_AF_SPEC: settings of the protocols on a link. */
static void
rtnl_put_protocols(
    struct nlmsghdr *nlh, const struct rtnl_change *c, uint32_t what)
{
	struct nlattr *spec, *family, *conf;

	if ((what & (RTNL_SET_ADDRGEN | RTNL_SET_ARP)) == 0)
		return;
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	if (what & RTNL_SET_ARP) {
		family = mnl_attr_nest_start(nlh, AF_INET);
		conf = mnl_attr_nest_start(nlh, IFLA_INET_CONF);
		mnl_attr_put_u32(nlh, IPV4_DEVCONF_ARP_IGNORE, c->arp_ignore);
		mnl_attr_put_u32(
		    nlh, IPV4_DEVCONF_ARP_ANNOUNCE, c->arp_announce);
		mnl_attr_nest_end(nlh, conf);
		mnl_attr_nest_end(nlh, family);
	}
	if (what & RTNL_SET_ADDRGEN) {
		family = mnl_attr_nest_start(nlh, AF_INET6);
		mnl_attr_put_u8(
		    nlh, IFLA_INET6_ADDR_GEN_MODE, (uint8_t)c->addrgen);
		mnl_attr_nest_end(nlh, family);
	}
	mnl_attr_nest_end(nlh, spec);
}

static void
rtnl_put_flag(struct ifinfomsg *ifi, unsigned int flag, bool on)
{
	ifi->ifi_change |= flag;
	if (on)
		ifi->ifi_flags |= flag;
}

static int
rtnl_link_set_once(
    struct rtnl *r, int ifindex, const struct rtnl_change *c, uint32_t what)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;

	nlh = rtnl_begin(r, RTM_SETLINK, 0, sizeof(*ifi), &ifi);
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	if (what & RTNL_SET_UP)
		rtnl_put_flag(ifi, IFF_UP, c->up);
	if (what & RTNL_SET_PROMISC)
		rtnl_put_flag(ifi, IFF_PROMISC, c->promisc);
	if (what & RTNL_SET_NOARP)
		rtnl_put_flag(ifi, IFF_NOARP, c->noarp);
	if (what & RTNL_SET_NETNS)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)c->netns_fd);
	if (what & RTNL_SET_NAME)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, c->name);
	if (what & RTNL_SET_MAC)
		mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(c->mac), c->mac);
	if (what & RTNL_SET_MTU)
		mnl_attr_put_u32(nlh, IFLA_MTU, c->mtu);
	if (what & RTNL_SET_ALIAS)
		mnl_attr_put_str(nlh, IFLA_IFALIAS, c->alias);
	if (what & RTNL_SET_GROUP)
		mnl_attr_put_u32(nlh, IFLA_GROUP, c->group);
	if (what & RTNL_SET_TXQLEN)
		mnl_attr_put_u32(nlh, IFLA_TXQLEN, c->txqlen);
	if (what & RTNL_SET_CARRIER)
		mnl_attr_put_u8(nlh, IFLA_CARRIER, c->carrier);
	rtnl_put_protocols(nlh, c, what);
	return rtnl_talk(r, nlh, NULL, NULL);
}

int
rtnl_link_set(struct rtnl *r, int ifindex, const struct rtnl_change *c)
{
	uint32_t what = c->what, later = 0;
	int err;

	if (ifindex <= 0)
		return -ENODEV;
	if (((what & RTNL_SET_NAME) &&
	        (strnlen(c->name, IFNAMSIZ) == IFNAMSIZ ||
	            !rtnl_name_ok(c->name))) ||
	    ((what & RTNL_SET_ALIAS) &&
	        (c->alias == NULL || strlen(c->alias) > 255)))
		return -EINVAL;
	/* The kernel would bring it up before it has the protocol settings. */
	if ((what & (RTNL_SET_ADDRGEN | RTNL_SET_ARP)) &&
	    (what & RTNL_SET_UP) && c->up) {
		what &= ~RTNL_SET_UP;
		later = RTNL_SET_UP;
	}
	err = rtnl_link_set_once(r, ifindex, c, what);
	if (err == -EAFNOSUPPORT && (what & RTNL_SET_ADDRGEN))
		/* Refused before anything was changed. */
		err =
		    rtnl_link_set_once(r, ifindex, c, what & ~RTNL_SET_ADDRGEN);
	if (err == 0 && later != 0)
		err = rtnl_link_set_once(r, ifindex, c, later);
	return err;
}

static int
rtnl_neigh_set_table(struct rtnl *r, const char *table, int ifindex,
    uint32_t retrans_ms, uint32_t probes)
{
	struct nlattr *nest;
	struct nlmsghdr *nlh;
	struct ndtmsg *ndt;

	nlh = rtnl_begin(r, RTM_SETNEIGHTBL, 0, sizeof(*ndt), &ndt);
	ndt->ndtm_family = AF_UNSPEC;
	mnl_attr_put_strz(nlh, NDTA_NAME, table);
	nest = mnl_attr_nest_start(nlh, NDTA_PARMS);
	mnl_attr_put_u32(nlh, NDTPA_IFINDEX, (uint32_t)ifindex);
	mnl_attr_put_u64(nlh, NDTPA_RETRANS_TIME, retrans_ms);
	mnl_attr_put_u32(nlh, NDTPA_MCAST_PROBES, probes);
	mnl_attr_nest_end(nlh, nest);
	return rtnl_talk(r, nlh, NULL, NULL);
}

int
rtnl_neigh_set(
    struct rtnl *r, int ifindex, uint32_t retrans_ms, uint32_t probes)
{
	int err;

	if (ifindex <= 0)
		return -ENODEV;
	err = rtnl_neigh_set_table(r, "arp_cache", ifindex, retrans_ms, probes);
	if (err == 0)
		err = rtnl_neigh_set_table(
		    r, "ndisc_cache", ifindex, retrans_ms, probes);
	/* Of the second there may be none. */
	return err == -ENOENT ? 0 : err;
}

int
rtnl_link_set_up(struct rtnl *r, int ifindex, bool up)
{
	const struct rtnl_change c = { .what = RTNL_SET_UP, .up = up };

	return rtnl_link_set(r, ifindex, &c);
}

int
rtnl_link_set_mtu(struct rtnl *r, int ifindex, uint32_t mtu)
{
	const struct rtnl_change c = { .what = RTNL_SET_MTU, .mtu = mtu };

	return rtnl_link_set(r, ifindex, &c);
}

int
rtnl_link_set_mac(struct rtnl *r, int ifindex, const uint8_t mac[6])
{
	struct rtnl_change c = { .what = RTNL_SET_MAC };

	memcpy(c.mac, mac, sizeof(c.mac));
	return rtnl_link_set(r, ifindex, &c);
}

int
rtnl_link_set_name(struct rtnl *r, int ifindex, const char *name)
{
	struct rtnl_change c = { .what = RTNL_SET_NAME };

	if (!rtnl_name_ok(name))
		return -EINVAL;
	(void)str_copy(c.name, sizeof(c.name), name);
	return rtnl_link_set(r, ifindex, &c);
}

int
rtnl_link_set_group(struct rtnl *r, int ifindex, uint32_t group)
{
	const struct rtnl_change c = {
		.what = RTNL_SET_GROUP,
		.group = group,
	};

	return rtnl_link_set(r, ifindex, &c);
}

int
rtnl_link_move(struct rtnl *r, int ifindex, int nsfd, const char *name)
{
	struct rtnl_change c = { .what = RTNL_SET_NETNS, .netns_fd = nsfd };

	if (name != NULL) {
		if (!rtnl_name_ok(name))
			return -EINVAL;
		c.what |= RTNL_SET_NAME;
		(void)str_copy(c.name, sizeof(c.name), name);
	}
	return rtnl_link_set(r, ifindex, &c);
}

int
rtnl_link_del(struct rtnl *r, int ifindex)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;

	if (ifindex <= 0)
		return -ENODEV;
	nlh = rtnl_begin(r, RTM_DELLINK, 0, sizeof(*ifi), &ifi);
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	return rtnl_talk(r, nlh, NULL, NULL);
}

int
rtnl_link_del_group(struct rtnl *r, uint32_t group)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	int err;

	if (group == 0)
		return -EINVAL;
	nlh = rtnl_begin(r, RTM_DELLINK, 0, sizeof(*ifi), &ifi);
	ifi->ifi_family = AF_UNSPEC;
	mnl_attr_put_u32(nlh, IFLA_GROUP, group);
	err = rtnl_talk(r, nlh, NULL, NULL);
	return err == -ENODEV ? 0 : err;
}

int
rtnl_veth_add(struct rtnl *r, const char *name, const char *peer, int peer_nsfd)
{
	struct nlattr *info, *data, *inner;
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;

	if (!rtnl_name_ok(name) || !rtnl_name_ok(peer))
		return -EINVAL;
	nlh = rtnl_begin(
	    r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*ifi), &ifi);
	ifi->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	inner = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	(void)mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, peer);
	if (peer_nsfd >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)peer_nsfd);
	mnl_attr_nest_end(nlh, inner);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_talk(r, nlh, NULL, NULL);
}

int
rtnl_link_add(struct rtnl *r, const char *name, const char *kind)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *nlh;
	struct nlattr *info;

	if (!rtnl_name_ok(name) || strlen(kind) > 64)
		return -EINVAL;
	nlh = rtnl_begin(
	    r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*ifi), &ifi);
	ifi->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nlh, info);
	return rtnl_talk(r, nlh, NULL, NULL);
}

/* --- addresses ----------------------------------------------------------- */

/* Bytes of an address, or 0 if the family or prefix makes no sense. */
static size_t
rtnl_addr_size(const struct rtnl_addr *a)
{
	if (a->family == AF_INET && a->prefixlen <= 32)
		return 4;
	if (a->family == AF_INET6 && a->prefixlen <= 128)
		return 16;
	return 0;
}

static void
rtnl_put_broadcast(struct nlmsghdr *nlh, const struct rtnl_addr *a)
{
	uint8_t b[4];

	if (a->family != AF_INET)
		return;
	if (a->has_broadcast) {
		memcpy(b, a->broadcast, sizeof(b));
	} else {
		if (a->has_peer || a->prefixlen > 30)
			return;
		memcpy(b, a->addr, sizeof(b));
		for (unsigned int bit = a->prefixlen; bit < 32; bit++)
			b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	}
	mnl_attr_put(nlh, IFA_BROADCAST, sizeof(b), b);
}

static int
rtnl_addr_new(
    struct rtnl *r, int ifindex, const struct rtnl_addr *a, uint16_t flags)
{
	size_t size = rtnl_addr_size(a);
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh;

	if (size == 0)
		return -EINVAL;
	if (ifindex <= 0)
		return -ENODEV;
	nlh = rtnl_begin(
	    r, RTM_NEWADDR, NLM_F_CREATE | flags, sizeof(*ifa), &ifa);
	ifa->ifa_family = a->family;
	ifa->ifa_prefixlen = a->prefixlen;
	ifa->ifa_scope = a->scope;
	ifa->ifa_index = (unsigned int)ifindex;
	mnl_attr_put(nlh, IFA_LOCAL, size, a->addr);
	mnl_attr_put(nlh, IFA_ADDRESS, size, a->has_peer ? a->peer : a->addr);
	rtnl_put_broadcast(nlh, a);
	if (a->flags != 0)
		mnl_attr_put_u32(nlh, IFA_FLAGS, a->flags);
	if (a->family == AF_INET && a->label[0] != '\0' &&
	    strnlen(a->label, IFNAMSIZ) < IFNAMSIZ)
		mnl_attr_put_strz(nlh, IFA_LABEL, a->label);
	if (a->valid_s != 0 || a->preferred_s != 0) {
		const uint32_t forever = UINT32_MAX;
		const struct ifa_cacheinfo life = {
			.ifa_valid = a->valid_s ? a->valid_s : forever,
			.ifa_prefered =
			    a->preferred_s ? a->preferred_s : forever,
		};

		mnl_attr_put(nlh, IFA_CACHEINFO, sizeof(life), &life);
	}
	return rtnl_talk(r, nlh, NULL, NULL);
}

int
rtnl_addr_add(struct rtnl *r, int ifindex, const struct rtnl_addr *a)
{
	return rtnl_addr_new(r, ifindex, a, NLM_F_EXCL);
}

int
rtnl_addr_put(struct rtnl *r, int ifindex, const struct rtnl_addr *a)
{
	return rtnl_addr_new(r, ifindex, a, NLM_F_REPLACE);
}

/* Finds an address that is there, of that prefix length or any (0). */
struct rtnl_prefix_search {
	const struct rtnl_addr *wanted;
	size_t size;
	struct rtnl_addr found;
};

static int
rtnl_prefix_match(void *arg, const struct rtnl_addr *addr)
{
	struct rtnl_prefix_search *s = arg;

	if (memcmp(addr->addr, s->wanted->addr, s->size) != 0 ||
	    (s->wanted->prefixlen != 0 &&
	        addr->prefixlen != s->wanted->prefixlen))
		return 0;
	s->found = *addr;
	return 1;
}

int
rtnl_addr_del(struct rtnl *r, int ifindex, const struct rtnl_addr *a)
{
	size_t size = rtnl_addr_size(a);
	struct rtnl_prefix_search search = { .wanted = a, .size = size };
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh;
	int err;

	if (size == 0)
		return -EINVAL;
	if (ifindex <= 0)
		return -ENODEV;
	/* The kernel wants the far end as well, where there is one. */
	if (a->prefixlen == 0 || !a->has_peer) {
		err = rtnl_addr_list(r, RTNL_NSID_NONE, ifindex, a->family,
		    rtnl_prefix_match, &search);
		if (err < 0)
			return err;
		if (err == 0)
			return -EADDRNOTAVAIL;
		a = &search.found;
	}
	nlh = rtnl_begin(r, RTM_DELADDR, 0, sizeof(*ifa), &ifa);
	ifa->ifa_family = a->family;
	ifa->ifa_prefixlen = a->prefixlen;
	ifa->ifa_index = (unsigned int)ifindex;
	mnl_attr_put(nlh, IFA_LOCAL, size, a->addr);
	if (a->has_peer || a->family == AF_INET6)
		mnl_attr_put(
		    nlh, IFA_ADDRESS, size, a->has_peer ? a->peer : a->addr);
	else if (a->prefixlen != 0)
		/* The kernel compares the prefix only if this is there. */
		mnl_attr_put(nlh, IFA_ADDRESS, size, a->addr);
	return rtnl_talk(r, nlh, NULL, NULL);
}

static int
rtnl_route_change(struct rtnl *r, uint16_t type, uint16_t flags, int ifindex,
    const struct rtnl_route *rt)
{
	struct rtmsg *rtm;
	struct nlmsghdr *nlh;

	if (ifindex <= 0)
		return -ENODEV;
	nlh = rtnl_begin(r, type, flags, sizeof(*rtm), &rtm);
	rtm->rtm_family = AF_INET;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = rt->proto;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_UNICAST;
	/* The gateway of a /32 is behind the link all the same. */
	rtm->rtm_flags = RTNH_F_ONLINK;
	mnl_attr_put(nlh, RTA_GATEWAY, 4, rt->gateway);
	mnl_attr_put(nlh, RTA_PREFSRC, 4, rt->source);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)ifindex);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, rt->metric);
	return rtnl_talk(r, nlh, NULL, NULL);
}

int
rtnl_route_add(struct rtnl *r, int ifindex, const struct rtnl_route *rt)
{
	return rtnl_route_change(
	    r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, ifindex, rt);
}

int
rtnl_route_del(struct rtnl *r, int ifindex, const struct rtnl_route *rt)
{
	return rtnl_route_change(r, RTM_DELROUTE, 0, ifindex, rt);
}

struct rtnl_addr_list_state {
	int ifindex;
	struct rtnl_addr *addrs;
	size_t count;
	size_t room;
};

static int
rtnl_addr_gather(void *arg, const struct nlmsghdr *nlh)
{
	struct rtnl_addr_list_state *list = arg;
	struct rtnl_addr addr;
	int err;

	if (nlh->nlmsg_type != RTM_NEWADDR)
		return 0;
	err = rtnl_parse_addr(nlh, &addr);
	if (err < 0)
		return err == -EAFNOSUPPORT ? 0 : err;
	/* Kernels before 4.20 do not filter. */
	if (list->ifindex > 0 && addr.ifindex != list->ifindex)
		return 0;
	err = rtnl_grow(
	    &list->addrs, list->count, &list->room, sizeof(list->addrs[0]));
	if (err == 0)
		list->addrs[list->count++] = addr;
	return err;
}

/* Adds the addresses of one family to a list. */
static int
rtnl_addr_dump(
    struct rtnl *r, int nsid, uint8_t family, struct rtnl_addr_list_state *list)
{
	const size_t before = list->count;
	struct ifaddrmsg *ifa;
	struct nlmsghdr *nlh;
	int err = -EINTR;

	for (int i = 0; i < RTNL_DUMP_TRIES && err == -EINTR; i++) {
		list->count = before;
		nlh =
		    rtnl_begin(r, RTM_GETADDR, NLM_F_DUMP, sizeof(*ifa), &ifa);
		ifa->ifa_family = family;
		ifa->ifa_index = (unsigned int)list->ifindex;
		if (nsid >= 0)
			mnl_attr_put_u32(
			    nlh, IFA_TARGET_NETNSID, (uint32_t)nsid);
		err = rtnl_talk(r, nlh, rtnl_addr_gather, list);
	}
	return err;
}

int
rtnl_addr_list(struct rtnl *r, int nsid, int ifindex, int family,
    int (*fn)(void *arg, const struct rtnl_addr *addr), void *arg)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct rtnl_addr_list_state list = { .ifindex = ifindex };
	int err = 0, told = 0;

	if ((family != 0 && family != AF_INET && family != AF_INET6) ||
	    ifindex < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(families) && err == 0; i++) {
		if (family != 0 && family != families[i])
			continue;
		err = rtnl_addr_dump(r, nsid, families[i], &list);
	}
	if (err == 0 || err == -EINTR)
		for (size_t i = 0; i < list.count && told == 0; i++)
			told = fn(arg, &list.addrs[i]);
	free(list.addrs);
	return told != 0 ? told : err;
}

/* --- namespace ids ------------------------------------------------------- */

/* The id in an RTM_NEWNSID or RTM_DELNSID. */
static int
rtnl_nsid_parse(const struct nlmsghdr *nlh, int *nsid)
{
	struct rtnl_attrs attrs = { 0 };

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct rtgenmsg) ||
	    mnl_attr_parse(nlh, sizeof(struct rtgenmsg), rtnl_attr_cb, &attrs) <
	        0)
		return -EBADMSG;
	*nsid = (int)rtnl_u32(&attrs, NETNSA_NSID, (uint32_t)RTNL_NSID_NONE);
	return 0;
}

static int
rtnl_nsid_got(void *arg, const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type == RTM_NEWNSID ? rtnl_nsid_parse(nlh, arg) : 0;
}

int
rtnl_nsid_get(struct rtnl *r, int nsfd)
{
	int nsid = RTNL_NSID_NONE, err;
	struct rtgenmsg *gen;
	struct nlmsghdr *nlh;

	nlh = rtnl_begin(r, RTM_GETNSID, 0, sizeof(*gen), &gen);
	gen->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)nsfd);
	err = rtnl_talk(r, nlh, rtnl_nsid_got, &nsid);
	if (err < 0)
		return err;
	return nsid >= 0 ? nsid : -ENOENT;
}

int
rtnl_nsid_ensure(struct rtnl *r, int nsfd)
{
	struct rtgenmsg *gen;
	struct nlmsghdr *nlh;
	int err;

	err = rtnl_nsid_get(r, nsfd);
	if (err != -ENOENT)
		return err;
	nlh = rtnl_begin(r, RTM_NEWNSID, 0, sizeof(*gen), &gen);
	gen->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)nsfd);
	/* -1: the lowest that is free */
	mnl_attr_put_u32(nlh, NETNSA_NSID, (uint32_t)RTNL_NSID_NONE);
	err = rtnl_talk(r, nlh, NULL, NULL);
	if (err < 0 && err != -EEXIST)
		return err;
	return rtnl_nsid_get(r, nsfd);
}

/* --- routes --------------------------------------------------------------- */

static int
rtnl_route_got(void *arg, const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct rtnl_attrs attrs = { 0 };
	int *ifindex = arg;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) ||
	    mnl_attr_parse(nlh, sizeof(*rtm), rtnl_attr_cb, &attrs) < 0)
		return 0;
	if (rtm->rtm_type == RTN_LOCAL)
		*ifindex = 0;
	else if (attrs.at[RTA_OIF] != NULL)
		*ifindex = (int)mnl_attr_get_u32(attrs.at[RTA_OIF]);
	return 0;
}

int
rtnl_route_get(struct rtnl *r, int family, const uint8_t *addr)
{
	size_t len = family == AF_INET6 ? 16 : 4;
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	int ifindex = -ENETUNREACH, err;

	nlh = rtnl_begin(r, RTM_GETROUTE, 0, sizeof(*rtm), &rtm);
	rtm->rtm_family = (unsigned char)family;
	rtm->rtm_dst_len = (unsigned char)(8 * len);
	mnl_attr_put(nlh, RTA_DST, len, addr);
	err = rtnl_talk(r, nlh, rtnl_route_got, &ifindex);
	return err < 0 ? err : ifindex;
}

/* --- traffic control ------------------------------------------------------ */

int
rtnl_clsact_add(struct rtnl *r, int ifindex, bool *made)
{
	struct nlmsghdr *nlh;
	struct tcmsg *tcm;
	int err;

	nlh = rtnl_begin(
	    r, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, sizeof(*tcm), &tcm);
	tcm->tcm_ifindex = ifindex;
	tcm->tcm_parent = TC_H_CLSACT;
	tcm->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(nlh, TCA_KIND, "clsact");
	err = rtnl_talk(r, nlh, NULL, NULL);
	*made = err == 0;
	return err == -EEXIST ? 0 : err;
}

int
rtnl_clsact_del(struct rtnl *r, int ifindex)
{
	struct nlmsghdr *nlh;
	struct tcmsg *tcm;

	nlh = rtnl_begin(r, RTM_DELQDISC, 0, sizeof(*tcm), &tcm);
	tcm->tcm_ifindex = ifindex;
	tcm->tcm_parent = TC_H_CLSACT;
	tcm->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	return rtnl_talk(r, nlh, NULL, NULL);
}

static struct nlmsghdr *
rtnl_filter(struct rtnl *r, uint16_t type, uint16_t flags, int ifindex,
    const struct rtnl_redirect *rd)
{
	struct nlmsghdr *nlh;
	struct tcmsg *tcm;

	nlh = rtnl_begin(r, type, flags, sizeof(*tcm), &tcm);
	tcm->tcm_ifindex = ifindex;
	tcm->tcm_parent = TC_H_MAKE(
	    TC_H_CLSACT, rd->egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
	tcm->tcm_info =
	    TC_H_MAKE(rd->priority << 16, (uint32_t)htons(ETH_P_ALL));
	mnl_attr_put_strz(nlh, TCA_KIND, "u32");
	return nlh;
}

int
rtnl_redirect_add(struct rtnl *r, int ifindex, const struct rtnl_redirect *rd)
{
	/* One key that every frame has, all zeros behind this: the oldest way,
	 * and everywhere. */
	const struct tc_u32_sel sel = { .flags = TC_U32_TERMINAL, .nkeys = 1 };
	uint8_t all[sizeof(sel) + sizeof(struct tc_u32_key)] = { 0 };
	const struct tc_mirred mirred = {
		.action = TC_ACT_STOLEN,
		.eaction = rd->to_egress ? TCA_EGRESS_REDIR : TCA_INGRESS_REDIR,
		.ifindex = (uint32_t)rd->to,
	};
	struct nlattr *options, *acts, *act, *parms;
	struct nlmsghdr *nlh;

	memcpy(all, &sel, sizeof(sel));
	nlh = rtnl_filter(
	    r, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, rd);
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put(nlh, TCA_U32_SEL, sizeof(all), all);
	acts = mnl_attr_nest_start(nlh, TCA_U32_ACT);
	act = mnl_attr_nest_start(nlh, 1);
	mnl_attr_put_strz(nlh, TCA_ACT_KIND, "mirred");
	parms = mnl_attr_nest_start(nlh, TCA_ACT_OPTIONS);
	mnl_attr_put(nlh, TCA_MIRRED_PARMS, sizeof(mirred), &mirred);
	mnl_attr_nest_end(nlh, parms);
	mnl_attr_nest_end(nlh, act);
	mnl_attr_nest_end(nlh, acts);
	mnl_attr_nest_end(nlh, options);
	return rtnl_talk(r, nlh, NULL, NULL);
}

int
rtnl_redirect_del(struct rtnl *r, int ifindex, const struct rtnl_redirect *rd)
{
	return rtnl_talk(
	    r, rtnl_filter(r, RTM_DELTFILTER, 0, ifindex, rd), NULL, NULL);
}

/* --- events -------------------------------------------------------------- */

struct rtnl_monitor {
	struct mnl_socket *nl;
	int home_nsid; /* what its own namespace calls itself, or none */
	void (*fn)(void *arg, const struct rtnl_event *ev);
	void *arg;
	union {
		struct nlmsghdr align;
		char room[RTNL_REPLY_SIZE];
	} buf;
};

static int
rtnl_monitor_setup(struct rtnl_monitor *m)
{
	static const int groups[] = {
		RTNLGRP_LINK,
		RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR,
		RTNLGRP_NSID,
	};
	int on = 1, size = RTNL_MONITOR_RCVBUF, fd;

	fd = mnl_socket_get_fd(m->nl);
	/* A burst of events should fit; more than asked for where allowed. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* Without CAP_NET_BROADCAST: this namespace's events alone. */
	(void)mnl_socket_setsockopt(
	    m->nl, NETLINK_LISTEN_ALL_NSID, &on, sizeof(on));
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(m->nl, NETLINK_ADD_MEMBERSHIP, &group,
		        sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

/*
 * The namespace's id for itself. Once there is one, its own events carry it;
 * having it from the start keeps that from happening unnoticed later.
 */
static int
rtnl_home_nsid(void)
{
	struct rtnl *r;
	int fd, nsid;

	fd = netns_current();
	if (fd < 0)
		return RTNL_NSID_NONE;
	nsid = rtnl_open(&r);
	if (nsid == 0) {
		nsid = rtnl_nsid_ensure(r, fd);
		rtnl_close(r);
	}
	close(fd);
	return nsid >= 0 ? nsid : RTNL_NSID_NONE;
}

static int
rtnl_monitor_open_here(void *arg)
{
	struct rtnl_monitor *m = arg;
	int err;

	m->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (m->nl == NULL)
		return -errno;
	if (mnl_socket_bind(m->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		err = -errno;
	else
		err = rtnl_monitor_setup(m);
	if (err < 0) {
		mnl_socket_close(m->nl);
		return err;
	}
	m->home_nsid = rtnl_home_nsid();
	return 0;
}

int
rtnl_monitor_open(int nsfd, void (*fn)(void *arg, const struct rtnl_event *ev),
    void *arg, struct rtnl_monitor **out)
{
	struct rtnl_monitor *m;
	int err;

	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->fn = fn;
	m->arg = arg;
	err = nsfd < 0 ? rtnl_monitor_open_here(m)
	               : netns_run(nsfd, rtnl_monitor_open_here, m);
	if (err < 0) {
		free(m);
		return err;
	}
	*out = m;
	return 0;
}

void
rtnl_monitor_close(struct rtnl_monitor *m)
{
	if (m == NULL)
		return;
	mnl_socket_close(m->nl);
	free(m);
}

int
rtnl_monitor_fd(const struct rtnl_monitor *m)
{
	return mnl_socket_get_fd(m->nl);
}

static void
rtnl_monitor_link(
    struct rtnl_monitor *m, const struct nlmsghdr *nlh, struct rtnl_event *ev)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct rtnl_attrs attrs;
	struct rtnl_link link;

	if (rtnl_parse_link(nlh, &link, &attrs) < 0)
		return;
	/* A bridge reports its ports with its own family: not a link's event */
	if (ifi->ifi_family != AF_UNSPEC)
		return;
	ev->link = &link;
	ev->new_nsid =
	    (int)rtnl_u32(&attrs, IFLA_NEW_NETNSID, (uint32_t)RTNL_NSID_NONE);
	ev->new_ifindex = (int)rtnl_u32(&attrs, IFLA_NEW_IFINDEX, 0);
	m->fn(m->arg, ev);
}

static void
rtnl_monitor_message(
    struct rtnl_monitor *m, const struct nlmsghdr *nlh, int nsid)
{
	struct rtnl_event ev = { .nsid = nsid, .new_nsid = RTNL_NSID_NONE };
	struct rtnl_addr addr;
	int gone = RTNL_NSID_NONE;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		ev.type = nlh->nlmsg_type == RTM_NEWLINK ? RTNL_EVENT_LINK_NEW
		                                         : RTNL_EVENT_LINK_DEL;
		rtnl_monitor_link(m, nlh, &ev);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		ev.type = nlh->nlmsg_type == RTM_NEWADDR ? RTNL_EVENT_ADDR_NEW
		                                         : RTNL_EVENT_ADDR_DEL;
		if (rtnl_parse_addr(nlh, &addr) < 0)
			break;
		ev.addr = &addr;
		m->fn(m->arg, &ev);
		break;
	case RTM_DELNSID:
		/* Its layout is RTM_NEWNSID's. Only our own names matter. */
		if (nsid == RTNL_NSID_NONE)
			(void)rtnl_nsid_parse(nlh, &gone);
		if (gone < 0)
			break;
		ev.type = RTNL_EVENT_NSID_DEL;
		ev.nsid = gone;
		m->fn(m->arg, &ev);
		break;
	default:
		break;
	}
}

/* The namespace of a message, from its ancillary data. */
static int
rtnl_monitor_nsid(const struct rtnl_monitor *m, struct msghdr *msg)
{
	int nsid = RTNL_NSID_NONE;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_NETLINK &&
		    c->cmsg_type == NETLINK_LISTEN_ALL_NSID &&
		    c->cmsg_len == CMSG_LEN(sizeof(nsid)))
			memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
	return nsid == m->home_nsid ? RTNL_NSID_NONE : nsid;
}

int
rtnl_monitor_read(struct rtnl_monitor *m, unsigned int budget)
{
	const struct rtnl_event overflow = {
		.type = RTNL_EVENT_OVERFLOW,
		.nsid = RTNL_NSID_NONE,
		.new_nsid = RTNL_NSID_NONE,
	};
	unsigned int count = 0;

	while (count < budget) {
		union {
			struct cmsghdr align;
			char room[CMSG_SPACE(sizeof(int)) + 64];
		} control;
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { m->buf.room, sizeof(m->buf.room) };
		struct msghdr msg = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.room,
			.msg_controllen = sizeof(control.room),
		};
		const struct nlmsghdr *nlh = &m->buf.align;
		ssize_t n;
		int left, nsid;

		n = recvmsg(mnl_socket_get_fd(m->nl), &msg, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != ENOBUFS)
			return -errno;
		count++;
		if (n < 0 || (msg.msg_flags & MSG_TRUNC)) {
			m->fn(m->arg, &overflow);
			continue;
		}
		if (from.nl_pid != 0)
			continue; /* not the kernel's */
		nsid = rtnl_monitor_nsid(m, &msg);
		left = (int)n;
		for (; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			rtnl_monitor_message(m, nlh, nsid);
	}
	return (int)count;
}

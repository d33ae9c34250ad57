/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gif: a tunnel that carries Ethernet over IP (EtherIP, RFC 3378), as a member
 * of a bridge.  The model is FreeBSD gif(4); of what that can do coax has the
 * part that a bridge needs.
 *
 * How it works
 *
 *   `tunnel A B' names the two ends.  Outer packets are the kernel's: a raw
 *   socket of IP protocol 97 in the outer vnet (its own unless `tunnelvnet'
 *   says otherwise), bound to A and connected to B, so that the kernel gives
 *   it the packets of that pair and no others, and tells it of ICMP errors.
 *   Routing, fragments, path MTU and IPsec are the kernel's, too.
 *
 *   The interface is running while it is up and has that socket.  Where the
 *   socket cannot be made yet (A is no address of the vnet, there is no route)
 *   it is tried again every second.
 *
 *   On the other side it is a bridge member without an Ethernet address: no
 *   spanning tree, and the host's netdev takes addresses, but no frame goes
 *   from there to the tunnel or back (DROP_UNBRIDGED).
 *
 * Nesting: an outer packet that is bridged into a tunnel again would go round
 * for ever.  FreeBSD marks its packets; ours come back through a kernel, so
 * what a frame holds is looked at: packets between the ends of any gif of this
 * daemon are counted, the frame's way in: gif_io.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "drv/gif_impl.h"
#include "net/info.h"
#include "net/keyword.h"
#include "net/tunable.h"
#include "os/sock.h"

#define GIF_UNIT_MAX    0x7fff
#define GIF_MTU_DEFAULT 1280
#define GIF_MTU_MIN     1280
#define GIF_MTU_MAX     8192
#define GIF_NESTING_MAX 16
#define GIF_RETRY_NS    UINT64_C(1000000000)
#define QUEUE_FRAMES    1024
#define QUEUE_BYTES     (4u << 20)
#define HOME            "home" /* in tunnelvnet */

/* --- what all gifs share -------------------------------------------------- */

const struct gif_outer *
gif_outer_of(const struct net *net)
{
	const struct drv_context *ctx = drv_context(net);

	return ctx->gif_outer != NULL ? ctx->gif_outer : &gif_outer_system;
}

static struct vnet *
vnet_by_id(struct net *net, uint32_t id)
{
	struct vnet *v;

	TAILQ_FOREACH (v, &net->vnets, link) {
		if (v->id == id)
			return v->dead ? NULL : v;
	}
	return NULL;
}

struct vnet *
gif_outer_vnet(const struct gif *sc)
{
	return sc->outer_set ? vnet_by_id(sc->ifp.net, sc->outer_id)
	                     : sc->ifp.vnet;
}

static void gif_open(struct gif *sc);
static void gif_close(struct gif *sc, enum drop_reason why);

/* Where a gif's outer vnet has ended, or is another one, its socket is not
 * where it should be. */
static void
vnets_look(struct loop_task *t)
{
	struct gif_shared *sh = t->arg;
	struct gif *sc;

	TAILQ_FOREACH (sc, &sh->gifs, link) {
		const struct vnet *vnet = gif_outer_vnet(sc);

		if (sc->wire.fd >= 0 && vnet != NULL && vnet->id == sc->open_in)
			continue;
		gif_close(sc, DROP_GIF_NO_TUNNEL);
		gif_open(sc);
	}
}

/* From inside an event nothing may be changed. */
static void
vnets_event(struct net_subscriber *s, const struct net_event *ev)
{
	struct gif_shared *sh = CONTAINER_OF(s, struct gif_shared, vnets);
	struct loop *loop = drv_context(sh->net)->loop;

	if (ev->type == NET_EVENT_VNET && loop != NULL)
		loop_defer(loop, &sh->look);
}

static int
shared_join(struct gif *sc)
{
	struct net *net = sc->ifp.net;
	struct drv_context *ctx = drv_context(net);

	if (ctx->gif == NULL) {
		ctx->gif = calloc(1, sizeof(*ctx->gif));
		if (ctx->gif == NULL)
			return -ENOMEM;
		TAILQ_INIT(&ctx->gif->gifs);
		ctx->gif->net = net;
		ctx->gif->vnets.event = vnets_event;
		ctx->gif->look.fn = vnets_look;
		ctx->gif->look.arg = ctx->gif;
		net_subscribe(net, &ctx->gif->vnets);
	}
	TAILQ_INSERT_TAIL(&ctx->gif->gifs, sc, link);
	return 0;
}

static void
shared_leave(struct gif *sc)
{
	struct net *net = sc->ifp.net;
	struct drv_context *ctx = drv_context(net);
	struct gif_shared *sh = ctx->gif;

	TAILQ_REMOVE(&sh->gifs, sc, link);
	if (!TAILQ_EMPTY(&sh->gifs))
		return;
	net_unsubscribe(net, &sh->vnets);
	if (ctx->loop != NULL)
		loop_task_cancel(ctx->loop, &sh->look);
	gif_io_slots_free(sh);
	free(sh);
	ctx->gif = NULL;
}

/* --- opening and closing -------------------------------------------------- */

static bool
is_open(const struct gif *sc)
{
	return sc->wire.fd >= 0;
}

static void
running_update(struct gif *sc)
{
	bool up = (sc->ifp.flags & IFACE_UP) != 0;

	iface_set_running(&sc->ifp, up && is_open(sc));
	iface_set_link(&sc->ifp,
	    sc->family != AF_UNSPEC ? IFACE_LINK_UP : IFACE_LINK_DOWN);
}

static void
gif_close(struct gif *sc, enum drop_reason why)
{
	struct loop *loop;

	if (!is_open(sc))
		return;
	loop = gif_loop(sc);
	loop_timer_del(loop, &sc->timer);
	loop_fd_del(loop, &sc->wire);
	fd_close(&sc->wire.fd);
	sc->blocked = false;
	gif_io_drop_queue(sc, why);
	memset(sc->routes, 0, sizeof(sc->routes));
	sc->path_mtu = 0;
	running_update(sc);
}

static void
timer_set(struct gif *sc)
{
	struct loop *loop = gif_loop(sc);

	(void)loop_timer_in(loop, &sc->timer, GIF_RETRY_NS);
}

/* Remembers why there is no socket; said once as long as it is the same. */
static void
failed(struct gif *sc, int err)
{
	const char *detail = sc->ifp.net->message;

	if (err != sc->last_error)
		net_notice(sc->ifp.net, &sc->ifp,
		    "%s: the tunnel does not work: %s", sc->ifp.name,
		    detail[0] != '\0' ? detail : strerror(-err));
	sc->last_error = err;
}

static uint32_t
ttl_of(const struct gif *sc)
{
	if (sc->ttl != 0)
		return sc->ttl;
	return gif_tunable_get(net_host_vnet(&sc->ifp),
	    sc->family == AF_INET6 ? GIF_HLIM : GIF_TTL);
}

static int
socket_open(struct gif *sc)
{
	const struct gif_outer *outer = gif_outer_of(sc->ifp.net);
	const struct gif_socket want = {
		.family = sc->family,
		.local = sc->local,
		.remote = sc->remote,
		.connected = (sc->options & GIF_IGNORE_SOURCE) == 0,
		.df = sc->df,
		.ttl = ttl_of(sc),
	};
	struct vnet *vnet = gif_outer_vnet(sc);
	int err;

	if (vnet == NULL)
		return net_error(
		    sc->ifp.net, -ENXIO, "vnet %s has ended", sc->outer_name);
	sc->wire.fd = outer->open(outer->arg, sc->ifp.net, vnet, &want);
	if (sc->wire.fd < 0) {
		err = sc->wire.fd;
		sc->wire.fd = -1;
		return err;
	}
	sc->connected = want.connected;
	sc->open_in = vnet->id;
	sc->rxq_ovfl = 0;
	sc->wire.events = EPOLLIN;
	sc->wire.fn = gif_io_event;
	sc->wire.arg = sc;
	err = loop_fd_add(gif_loop(sc), &sc->wire);
	if (err != 0)
		fd_close(&sc->wire.fd);
	return err;
}

static void
gif_open(struct gif *sc)
{
	struct net *net = sc->ifp.net;
	struct drv_context *ctx = drv_context(net);
	char kept[sizeof(net->message)];
	int err;

	if (is_open(sc) || sc->family == AF_UNSPEC || ctx->loop == NULL ||
	    ctx->pretend) {
		running_update(sc);
		return;
	}
	memcpy(kept, net->message, sizeof(kept));
	net->message[0] = '\0';
	err = socket_open(sc);
	if (err != 0)
		failed(sc, err);
	else
		sc->last_error = 0;
	memcpy(net->message, kept, sizeof(kept));
	timer_set(sc);
	running_update(sc);
}

void
gif_retry(struct gif *sc, int err)
{
	gif_close(sc, DROP_GIF_NO_TUNNEL);
	failed(sc, err);
	timer_set(sc);
}

/* Open: an adopted vnet must not be kept alive by our socket. */
static void
timer_due(struct timer *t, uint64_t now_ns)
{
	struct gif *sc = CONTAINER_OF(t, struct gif, timer);
	const struct gif_outer *outer = gif_outer_of(sc->ifp.net);
	struct vnet *vnet = gif_outer_vnet(sc);

	sc->ifp.net->now_ns = now_ns;
	if (!is_open(sc)) {
		gif_open(sc);
		return;
	}
	if (vnet == NULL) {
		gif_retry(sc, -ENXIO);
		return;
	}
	if (vnet->adopted) {
		outer->check(outer->arg, sc->ifp.net, vnet);
		timer_set(sc);
	}
}

static void
gif_reopen(struct gif *sc)
{
	gif_close(sc, DROP_DESTROYED);
	sc->last_error = 0;
	gif_open(sc);
}

/* --- words ---------------------------------------------------------------- */

/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0".  The family, or -EINVAL. */
static int
end_parse(const char *s, struct gif_end *out)
{
	char text[GIF_ADDR_TEXT], *scope;
	struct gif_end e = { 0 };
	int family;

	if (str_copy(text, sizeof(text), s) != 0)
		return -EINVAL;
	scope = strchr(text, '%');
	if (scope != NULL)
		*scope++ = '\0';
	if (scope == NULL && inet_pton(AF_INET, text, e.addr) == 1)
		family = AF_INET;
	else if (inet_pton(AF_INET6, text, e.addr) == 1)
		family = AF_INET6;
	else
		return -EINVAL;
	if (scope != NULL &&
	    (scope[0] == '\0' ||
	        str_copy(e.scope, sizeof(e.scope), scope) != 0))
		return -EINVAL;
	*out = e;
	return family;
}

static char *
end_format(int family, const struct gif_end *e, char text[GIF_ADDR_TEXT])
{
	if (inet_ntop(family, e->addr, text, INET6_ADDRSTRLEN) == NULL)
		text[0] = '\0';
	if (e->scope[0] != '\0')
		snprintf(text + strlen(text), GIF_ADDR_TEXT - strlen(text),
		    "%%%s", e->scope);
	return text;
}

static size_t
addr_len(int family)
{
	return family == AF_INET6 ? 16 : 4;
}

static bool
end_equal(int family, const struct gif_end *a, const struct gif_end *b)
{
	return memcmp(a->addr, b->addr, addr_len(family)) == 0 &&
	       strcmp(a->scope, b->scope) == 0;
}

/* Can a packet come from there, or go there and be answered? */
static bool
end_is_host(int family, const struct gif_end *e)
{
	static const uint8_t zero[16];

	if (memcmp(e->addr, zero, addr_len(family)) == 0)
		return false;
	if (family == AF_INET6)
		return e->addr[0] != 0xff;
	return e->addr[0] != 0 && (e->addr[0] & 0xf0) != 0xe0 &&
	       (e->addr[0] & 0xf0) != 0xf0;
}

static bool
link_local(int family, const struct gif_end *e)
{
	return family == AF_INET6 && e->addr[0] == 0xfe &&
	       (e->addr[1] & 0xc0) == 0x80;
}

/* Has another gif that pair in that vnet? */
static const struct gif *
pair_taken(const struct gif *sc, const struct vnet *vnet, int family,
    const struct gif_end *local, const struct gif_end *remote)
{
	const struct gif *o;

	TAILQ_FOREACH (o, &gif_shared(sc->ifp.net)->gifs, link) {
		if (o != sc && o->family == family &&
		    gif_outer_vnet(o) == vnet &&
		    end_equal(family, &o->local, local) &&
		    end_equal(family, &o->remote, remote))
			return o;
	}
	return NULL;
}

static int
pair_check(const struct gif *sc, const struct vnet *vnet, int family,
    const struct gif_end *local, const struct gif_end *remote)
{
	struct net *net = sc->ifp.net;
	const struct gif *other;
	char text[GIF_ADDR_TEXT];

	if (!end_is_host(family, local) || !end_is_host(family, remote))
		return net_error(net, -EADDRNOTAVAIL,
		    "%s is not the address of a host",
		    end_format(family,
		        end_is_host(family, local) ? remote : local, text));
	if (end_equal(family, local, remote))
		return net_error(net, -EADDRNOTAVAIL,
		    "a tunnel from %s to itself would only echo",
		    end_format(family, local, text));
	if ((link_local(family, local) && local->scope[0] == '\0') ||
	    (link_local(family, remote) && remote->scope[0] == '\0'))
		return net_error(net, -EADDRNOTAVAIL,
		    "a link-local address needs its interface: fe80::1%%eth0");
	other = pair_taken(sc, vnet, family, local, remote);
	if (other != NULL)
		return net_error(net, -EADDRNOTAVAIL,
		    "%s is the tunnel between these two", other->ifp.name);
	return 0;
}

static int
set_tunnel(struct iface *ifp, const union keyword_value *v)
{
	struct gif *sc = gif_of(ifp);
	struct gif_end local, remote;
	int family = end_parse(v[0].str, &local);
	int other = end_parse(v[1].str, &remote);
	int err;

	if (family < 0 || other < 0)
		return net_error(ifp->net, -EINVAL,
		    "%.48s is no IPv4 or IPv6 address",
		    family < 0 ? v[0].str : v[1].str);
	if (family != other)
		return net_error(ifp->net, -EAFNOSUPPORT,
		    "both ends of a tunnel are of one family");
	if (sc->family == family && end_equal(family, &sc->local, &local) &&
	    end_equal(family, &sc->remote, &remote))
		return 0;
	err = pair_check(sc, gif_outer_vnet(sc), family, &local, &remote);
	if (err != 0)
		return err;
	gif_close(sc, DROP_DESTROYED);
	sc->family = family;
	sc->local = local;
	sc->remote = remote;
	gif_reopen(sc);
	return 0;
}

static int
clear_tunnel(struct iface *ifp, const union keyword_value *v)
{
	struct gif *sc = gif_of(ifp);

	(void)v;
	if (sc->family == AF_UNSPEC)
		return 0;
	gif_close(sc, DROP_DESTROYED);
	if (gif_loop(sc) != NULL)
		loop_timer_del(gif_loop(sc), &sc->timer);
	sc->family = AF_UNSPEC;
	sc->last_error = 0;
	running_update(sc);
	return 0;
}

static void
save_tunnel(const struct iface *ifp, struct keyword_sink *s)
{
	const struct gif *sc = gif_of_const(ifp);
	char a[GIF_ADDR_TEXT], b[GIF_ADDR_TEXT];

	if (sc->family != AF_UNSPEC)
		keyword_put(s, "tunnel %s %s",
		    end_format(sc->family, &sc->local, a),
		    end_format(sc->family, &sc->remote, b));
	else if (s->all)
		keyword_put(s, "deletetunnel");
}

/* Another place for the outer packets; @vnet NULL: its own vnet. */
static int
outer_move(struct gif *sc, struct vnet *vnet)
{
	int err = 0;

	if (sc->family != AF_UNSPEC)
		err = pair_check(sc, vnet != NULL ? vnet : sc->ifp.vnet,
		    sc->family, &sc->local, &sc->remote);
	if (err != 0)
		return err;
	sc->outer_set = vnet != NULL;
	if (vnet != NULL) {
		sc->outer_id = vnet->id;
		(void)str_copy(sc->outer_name, sizeof(sc->outer_name),
		    vnet->name[0] != '\0' ? vnet->name : HOME);
	}
	gif_reopen(sc);
	return 0;
}

static int
set_tunnelvnet(struct iface *ifp, const union keyword_value *v)
{
	struct net *net = ifp->net;
	struct vnet *vnet = NULL;

	if (v[0].str[0] != '\0')
		vnet = net_vnet_named(net, v[0].str);
	if (vnet == NULL && strcmp(v[0].str, HOME) == 0)
		vnet = net->home;
	if (vnet == NULL)
		return net_error(net, -ENOENT,
		    "there is no vnet %.63s; the daemon's own is called " HOME,
		    v[0].str);
	return outer_move(gif_of(ifp), vnet);
}

static int
clear_tunnelvnet(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return outer_move(gif_of(ifp), NULL);
}

static void
save_tunnelvnet(const struct iface *ifp, struct keyword_sink *s)
{
	const struct gif *sc = gif_of_const(ifp);

	if (sc->outer_set)
		keyword_put(s, "tunnelvnet %s", sc->outer_name);
	else if (s->all)
		keyword_put(s, "-tunnelvnet");
}

static void
option_set(struct gif *sc, uint32_t option, bool on)
{
	if (((sc->options & option) != 0) == on)
		return;
	sc->options = on ? sc->options | option : sc->options & ~option;
	if (option == GIF_IGNORE_SOURCE)
		gif_reopen(sc);
}

#define OPTION(id, word, option, preset)                                       \
	static int set_##id(struct iface *ifp, const union keyword_value *v)   \
	{                                                                      \
		(void)v;                                                       \
		option_set(gif_of(ifp), option, true);                         \
		return 0;                                                      \
	}                                                                      \
	static int clear_##id(struct iface *ifp, const union keyword_value *v) \
	{                                                                      \
		(void)v;                                                       \
		option_set(gif_of(ifp), option, false);                        \
		return 0;                                                      \
	}                                                                      \
	static void save_##id(const struct iface *ifp, struct keyword_sink *s) \
	{                                                                      \
		keyword_put_switch(s, word, "",                                \
		    (gif_of_const(ifp)->options & (option)) != 0, preset);     \
	}
OPTION(accept_rev, "accept_rev_ethip_ver", GIF_ACCEPT_REV, true)
OPTION(send_rev, "send_rev_ethip_ver", GIF_SEND_REV, false)
OPTION(ignore_source, "ignore_source", GIF_IGNORE_SOURCE, false)
#undef OPTION

static int
set_ttl(struct iface *ifp, const union keyword_value *v)
{
	struct gif *sc = gif_of(ifp);

	if (sc->ttl == v[0].num)
		return 0;
	sc->ttl = (uint32_t)v[0].num;
	gif_reopen(sc);
	return 0;
}

static void
save_ttl(const struct iface *ifp, struct keyword_sink *s)
{
	keyword_put_number(s, "ttl", gif_of_const(ifp)->ttl, 0);
}

static int
df_switch(struct gif *sc, bool on)
{
	if (sc->df == on)
		return 0;
	sc->df = on;
	gif_reopen(sc);
	return 0;
}

static int
set_df(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return df_switch(gif_of(ifp), true);
}

static int
clear_df(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return df_switch(gif_of(ifp), false);
}

static void
save_df(const struct iface *ifp, struct keyword_sink *s)
{
	keyword_put_switch(s, "df", "", gif_of_const(ifp)->df, false);
}

#define TTL_ARGS                                                               \
	{                                                                      \
		{                                                              \
			.kind = KEYWORD_ARG_NUMBER, .name = "hops", .max = 255 \
		}                                                              \
	}

static const struct iface_keyword gif_keywords[] = {
	{
	    .name = "tunnel",
	    .args = { { .kind = KEYWORD_ARG_WORD, .name = "source" },
	        { .kind = KEYWORD_ARG_WORD, .name = "destination" } },
	    .apply = set_tunnel,
	    .save = save_tunnel,
	    .bsd_name = "SIOCSIFPHYADDR",
	    .bsd_arg = -1,
	    .help = "the addresses of the tunnel's ends: ours, the other",
	},
	{
	    .name = "deletetunnel",
	    .apply = clear_tunnel,
	    .saved_by = "tunnel",
	    .bsd_name = "SIOCDIFPHYADDR",
	    .bsd_arg = -1,
	    .help = "forget them",
	},
	{
	    .name = "-tunnel",
	    .apply = clear_tunnel,
	    .saved_by = "tunnel",
	    .bsd_name = "SIOCDIFPHYADDR",
	    .bsd_arg = -1,
	    .help = "the same",
	},
	{
	    .name = "tunnelvnet",
	    .args = { { .kind = KEYWORD_ARG_WORD, .name = "vnet" } },
	    .apply = set_tunnelvnet,
	    .save = save_tunnelvnet,
	    .bsd_name = "tunnelvnet",
	    .help = "outer packets leave through the stack of VNET",
	    .who = KEYWORD_ADMIN,
	},
	{
	    .name = "-tunnelvnet",
	    .apply = clear_tunnelvnet,
	    .saved_by = "tunnelvnet",
	    .bsd_name = "-tunnelvnet",
	    .help = "... of the vnet in which the interface was created",
	    .who = KEYWORD_ADMIN,
	},
	{
	    .name = "accept_rev_ethip_ver",
	    .apply = set_accept_rev,
	    .save = save_accept_rev,
	    .bsd_name = "GIFSOPTS",
	    .help = "take packets in of FreeBSD up to 7.2 (default)",
	},
	{
	    .name = "-accept_rev_ethip_ver",
	    .apply = clear_accept_rev,
	    .saved_by = "accept_rev_ethip_ver",
	    .bsd_name = "GIFSOPTS",
	    .help = "do not",
	},
	{
	    .name = "send_rev_ethip_ver",
	    .apply = set_send_rev,
	    .save = save_send_rev,
	    .bsd_name = "GIFSOPTS",
	    .help = "send packets as FreeBSD up to 7.2 does",
	},
	{
	    .name = "-send_rev_ethip_ver",
	    .apply = clear_send_rev,
	    .saved_by = "send_rev_ethip_ver",
	    .bsd_name = "GIFSOPTS",
	    .help = "send what RFC 3378 says (default)",
	},
	{
	    .name = "ignore_source",
	    .apply = set_ignore_source,
	    .save = save_ignore_source,
	    .bsd_name = "GIFSOPTS",
	    .help = "take packets in from any address",
	},
	{
	    .name = "-ignore_source",
	    .apply = clear_ignore_source,
	    .saved_by = "ignore_source",
	    .bsd_name = "GIFSOPTS",
	    .help = "only from the other end (default)",
	},
	{
	    .name = "ttl",
	    .args = TTL_ARGS,
	    .apply = set_ttl,
	    .save = save_ttl,
	    .bsd_name = "ttl",
	    .help = "TTL or hop limit of outer packets; 0: the sysctl's",
	},
	{
	    .name = "hlim",
	    .args = TTL_ARGS,
	    .apply = set_ttl,
	    .saved_by = "ttl",
	    .bsd_name = "hlim",
	    .help = "the same",
	},
	{
	    .name = "df",
	    .apply = set_df,
	    .save = save_df,
	    .bsd_name = "df",
	    .help = "outer packets must not be fragmented",
	},
	{
	    .name = "-df",
	    .apply = clear_df,
	    .saved_by = "df",
	    .bsd_name = "-df",
	    .help = "they may (default)",
	},
	{ .name = NULL },
};

/* In a vnet that nobody has told anything all are 0. */
static const uint32_t presets[] = {
	[GIF_NESTING] = 1,
	[GIF_TTL] = 30,
	[GIF_HLIM] = 30,
};

uint32_t
gif_tunable_get(const struct vnet *vnet, enum gif_tunable t)
{
	return vnet->tunables[NET_TUNABLES_BRIDGE + t] ^ presets[t];
}

/* Tunnels that go by it send with the new number from now on. */
static int
tunable_set(struct vnet *vnet, enum gif_tunable t, uint64_t value)
{
	struct gif_shared *sh = gif_shared(vnet->net);
	struct gif *sc;

	vnet->tunables[NET_TUNABLES_BRIDGE + t] = (uint32_t)value ^ presets[t];
	if (sh == NULL || t == GIF_NESTING)
		return 0;
	TAILQ_FOREACH (sc, &sh->gifs, link) {
		if (sc->ttl == 0 && net_host_vnet(&sc->ifp) == vnet)
			gif_reopen(sc);
	}
	return 0;
}

#define TUNABLE(name, t)                                         \
	static uint64_t get_##name(const struct vnet *vnet)      \
	{                                                        \
		return gif_tunable_get(vnet, t);                 \
	}                                                        \
	static int put_##name(struct vnet *vnet, uint64_t value) \
	{                                                        \
		return tunable_set(vnet, t, value);              \
	}
TUNABLE(nesting, GIF_NESTING)
TUNABLE(default_ttl, GIF_TTL)
TUNABLE(default_hlim, GIF_HLIM)
#undef TUNABLE

static const struct iface_tunable gif_tunables[] = {
	{ "net.inet.ip.gifttl", "TTL of outer IPv4 packets of gifs", 1, 255,
	    .vnet_get = get_default_ttl, .vnet_set = put_default_ttl },
	{ "net.inet6.ip6.gifhlim", "Hop limit of outer IPv6 packets of gifs", 1,
	    255, .vnet_get = get_default_hlim, .vnet_set = put_default_hlim },
	{ "net.link.gif.max_nesting",
	    "Tunnels of gifs that a frame may be inside, one in another", 1,
	    GIF_NESTING_MAX, .vnet_get = get_nesting, .vnet_set = put_nesting },
	{ .name = NULL },
};

/* --- the interface -------------------------------------------------------- */

static int
gif_create(struct iface *ifp)
{
	struct gif *sc = gif_of(ifp);
	int err;

	sc->wire.fd = -1;
	sc->options = GIF_ACCEPT_REV;
	sc->timer.fn = timer_due;
	sc->icmp_limit =
	    (struct ratelimit){ .period_ns = GIF_RETRY_NS, .burst = 1 };
	sc->nest_limit = sc->icmp_limit;
	err = frame_ring_init(&sc->tx, QUEUE_FRAMES, QUEUE_BYTES);
	if (err == 0)
		err = shared_join(sc);
	if (err != 0) {
		frame_ring_fini(&sc->tx);
		return err;
	}
	/* Nobody sees it; the netdev has to have one. */
	do {
		u64_to_mac(net_random(ifp->net), ifp->mac);
		ifp->mac[0] = (uint8_t)((ifp->mac[0] & 0xfc) | 0x02);
	} while (net_lladdr_taken(ifp, ifp->mac));
	iface_set_link(ifp, IFACE_LINK_DOWN);
	return 0;
}

static void
gif_destroy(struct iface *ifp)
{
	struct gif *sc = gif_of(ifp);

	gif_close(sc, DROP_DESTROYED);
	if (gif_loop(sc) != NULL)
		loop_timer_del(gif_loop(sc), &sc->timer);
	frame_ring_fini(&sc->tx);
	shared_leave(sc);
}

static void
gif_changed(struct iface *ifp, uint32_t what)
{
	struct gif *sc = gif_of(ifp);

	if ((what & IFACE_CHANGED_FLAGS) == 0)
		return;
	if ((ifp->flags & IFACE_UP) == 0)
		gif_io_drop_queue(sc, DROP_IF_DOWN);
	running_update(sc);
}

static int
gif_set_lladdr(struct iface *ifp, const uint8_t mac[6])
{
	(void)mac;
	return net_error(
	    ifp->net, -EOPNOTSUPP, "%s has no Ethernet address", ifp->name);
}

static bool
gif_lladdr_given(const struct iface *ifp)
{
	(void)ifp;
	return true; /* none, that is */
}

/* What the kernel knows of the way, for outer packets. */
static uint32_t
path_mtu(const struct gif *sc)
{
	int mtu = 0;
	socklen_t len = sizeof(mtu);
	bool v6 = sc->family == AF_INET6;

	if (!is_open(sc) || !sc->connected ||
	    getsockopt(sc->wire.fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
	        v6 ? IPV6_MTU : IP_MTU, &mtu, &len) != 0)
		return sc->path_mtu;
	return (uint32_t)mtu;
}

static void
gif_get(const struct iface *ifp, struct info *out)
{
	static const struct {
		uint32_t option;
		const char *name;
	} options[] = {
		{ GIF_ACCEPT_REV, "ACCEPT_REV_ETHIP_VER" },
		{ GIF_IGNORE_SOURCE, "IGNORE_SOURCE" },
		{ GIF_SEND_REV, "SEND_REV_ETHIP_VER" },
	};
	const struct gif *sc = gif_of_const(ifp);
	char text[GIF_ADDR_TEXT];

	if (sc->family == AF_UNSPEC) {
		info_null(out, "family");
	} else {
		info_str(
		    out, "family", sc->family == AF_INET6 ? "inet6" : "inet");
		info_str(
		    out, "source", end_format(sc->family, &sc->local, text));
		info_str(out, "destination",
		    end_format(sc->family, &sc->remote, text));
	}
	if (sc->outer_set)
		info_str(out, "tunnelvnet", sc->outer_name);
	info_u64(out, "options", sc->options);
	info_list(out, "option_names");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if ((sc->options & options[i].option) != 0)
			info_str(out, NULL, options[i].name);
	}
	info_end(out);
	info_u64(out, "ttl", sc->ttl);
	info_bool(out, "df", sc->df);
	if (path_mtu(sc) != 0)
		info_u64(out, "path_mtu", path_mtu(sc));
	if (sc->last_error != 0)
		info_str(out, "error", strerror(-sc->last_error));
	info_object(out, "icmp");
	info_u64(out, "unreachable", sc->icmp_unreachable);
	info_u64(out, "too_big", sc->icmp_too_big);
	info_u64(out, "time_exceeded", sc->icmp_exceeded);
	info_u64(out, "other", sc->icmp_other);
	if (sc->icmp_error != 0)
		info_str(out, "last", strerror(sc->icmp_error));
	info_end(out);
}

const struct iface_ops gif_ops = {
	.kind = "gif",
	.about = "a tunnel: Ethernet over IP, for bridges",
	.kind_flags =
	    IFACE_KIND_ETHERNET | IFACE_KIND_TUNNEL | IFACE_KIND_NO_ADDRESS,
	.unit_max = GIF_UNIT_MAX,
	.mtu_default = GIF_MTU_DEFAULT,
	.mtu_min = GIF_MTU_MIN,
	.mtu_max = GIF_MTU_MAX,
	.flags = IFACE_POINTOPOINT | IFACE_MULTICAST,
	.size = sizeof(struct gif),
	.create = gif_create,
	.destroy = gif_destroy,
	.transmit = gif_io_transmit,
	.poll = gif_io_poll,
	.flush = gif_io_flush,
	.changed = gif_changed,
	.set_lladdr = gif_set_lladdr,
	.lladdr_given = gif_lladdr_given,
	.get = gif_get,
	.keywords = gif_keywords,
	.tunables = gif_tunables,
};

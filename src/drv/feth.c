/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feth: a wire.  Two interfaces back to back: what one sends the other
 * receives.  The model is Darwin's "fake ethernet" (XNU if_fake.c).
 *
 * How frames cross stands in drv/wire.h; a feth takes every offload.
 *
 * Peering sets both sides.  The link is up, and `status: active`, exactly while
 * there is a peer.  RUNNING follows UP alone, as in Darwin.
 *
 * Addresses are 66:65:74:68:UU:UU ("feth" and the unit).  Where another vnet
 * has a feth of the same unit and so of that address, a locally administered
 * one is made from the names of vnet and interface: unique in the daemon, and
 * the same each time.
 *
 * MTU: 1500 at first, at least 72, at most what net.link.fake.max_mtu was when
 * the interface was created.  A sender's own MTU is the limit for what it sends
 * (drop reason "mtu"; super-frames by their segments); the two ends need not
 * agree, and a receiver takes what comes.
 *
 * Test features, all off at first; Darwin has them as sysctls that hold for
 * all, here each interface has its own, and the sysctls say what later ones
 * are born with:
 *   txdrops N   every Nth frame sent is dropped ("fault-tx-drops"); 0: none
 *   stall       the output queue stands still: up to 1024 frames wait, more are
 *               dropped ("fault-stall"); -stall sends what waits
 *   trailer N   0 to 28 bytes of the text "trailer" follow each frame
 *   fcs         each frame (with its trailer) is followed by its CRC-32, in
 *               wire order; -fcs ends that
 * While trailer or fcs is on, frames are completed and segmented first.  What
 * is appended does not count for the MTU.
 *
 * Differs:
 *   - a feth cannot be its own peer (EINVAL); Darwin does not check;
 *   - frames for a peer that is down are dropped and counted ("peer-down");
 *     Darwin gives them to the peer's input, where they are lost silently;
 *   - frames without a peer are always counted ("no-peer");
 *   - `create peer NAME` also makes NAME where it does not exist: all or
 *     nothing; plain `peer NAME` is then ENXIO, as in Darwin;
 *   - an address that another vnet's feth has is not used a second time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/hash.h"
#include "drv/drv.h"
#include "drv/wire.h"
#include "frame/offload.h"
#include "net/info.h"
#include "net/keyword.h"
#include "net/tunable.h"

#define FETH_UNIT_MAX    0x7fff
#define FETH_MTU_MIN     72
#define FETH_MAX_MTU     2048  /* net.link.fake.max_mtu at first */
#define FETH_MTU_LARGEST 16370 /* 16 KiB without an Ethernet header */
#define FETH_TRAILER_MAX 28
#define HELD_FRAMES      1024

struct feth {
	struct wire w;
	struct frame_ring held; /* own output while stalled; else no slots */
	uint32_t max_mtu;
	uint32_t tx_drops;
	uint32_t tx_count; /* since the last that was dropped so */
	uint32_t trailer_length;
	bool fcs;
	bool stalled;
};

static struct feth *
feth_of(struct iface *ifp)
{
	return (struct feth *)(void *)ifp;
}

static const struct feth *
feth_of_const(const struct iface *ifp)
{
	return (const struct feth *)(const void *)ifp;
}

static void
address_choose(struct iface *ifp)
{
	uint8_t mac[ETH_ADDR_LEN] = { 'f', 'e', 't', 'h' };
	char text[NET_VNET_NAME_MAX + IFACE_NAME_MAX + 16];

	be16_put(mac + 4, (uint16_t)ifp->unit);
	for (uint32_t i = 0; net_lladdr_taken(ifp, mac); i++) {
		snprintf(text, sizeof(text), "%s@%s %u", ifp->name,
		    ifp->vnet->name, i);
		u64_to_mac(hash_bytes(0, text, strlen(text)), mac);
		mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
	}
	ether_copy(ifp->mac, mac);
}

/* A frame with something behind it has to be plain. */
static uint32_t
caps_of(const struct feth *sc)
{
	return sc->trailer_length != 0 || sc->fcs ? 0 : OFFLOAD_ALL;
}

static int
feth_create(struct iface *ifp)
{
	struct feth *sc = feth_of(ifp);
	const struct drv_context *ctx = drv_context(ifp->net);
	int err;

	err = wire_init(&sc->w);
	if (err != 0)
		return err;
	sc->max_mtu = FETH_MAX_MTU;
	if (ctx != NULL) {
		sc->max_mtu = ctx->feth.max_mtu;
		sc->tx_drops = ctx->feth.tx_drops;
		sc->trailer_length = ctx->feth.trailer_length;
		sc->fcs = ctx->feth.fcs != 0;
	}
	address_choose(ifp);
	ifp->caps = caps_of(sc);
	memcpy(ifp->media, "autoselect", sizeof("autoselect"));
	iface_set_link(ifp, IFACE_LINK_DOWN);
	return 0;
}

static void
feth_destroy(struct iface *ifp)
{
	struct feth *sc = feth_of(ifp);

	wire_fini(&sc->w);
	wire_ring_drop(ifp, &sc->held, DROP_DESTROYED);
	frame_ring_fini(&sc->held);
}

/* CRC-32 of IEEE 802.3 (clause 3.2.9), four bits at a time. */
static uint32_t
crc32_ieee(const uint8_t *data, size_t len)
{
	static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8,
		0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0,
		0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		crc = (crc >> 4) ^ table[crc & 15];
		crc = (crc >> 4) ^ table[crc & 15];
	}
	return ~crc;
}

/* A frame of one reader with @more bytes of room behind its data; consumes @f.
 * NULL, with the reason in @why. */
static struct frame *
frame_with_room(
    struct net *net, struct frame *f, uint32_t more, enum drop_reason *why)
{
	struct frame *g = NULL;

	*why = DROP_TX_SIZE;
	if (f->len + more > FRAME_LARGE_MAX)
		goto out_release;
	if (f->refs == 1 && frame_room(f) >= f->len + more)
		return f;
	*why = DROP_NO_FRAME;
	g = frame_alloc(net->pool, f->len + more);
	if (g == NULL)
		goto out_release;
	memcpy(g->data, f->data, f->len);
	g->len = f->len;
	g->off = f->off;

out_release:
	frame_release(f);
	return g;
}

/* Appends trailer and FCS; consumes @f.  NULL: dropped. */
static struct frame *
feth_append(struct feth *sc, struct frame *f)
{
	static const char text[] = "trailer";
	uint32_t more = sc->trailer_length + (sc->fcs ? ETH_CRC_LEN : 0u);
	enum drop_reason why;
	uint32_t crc;

	f = frame_with_room(sc->w.ifp.net, f, more, &why);
	if (f == NULL) {
		iface_count_drop(&sc->w.ifp, why, 1);
		return NULL;
	}
	for (uint32_t i = 0; i < sc->trailer_length; i++)
		f->data[f->len++] = (uint8_t)text[i % (sizeof(text) - 1)];
	if (sc->fcs) {
		crc = crc32_ieee(f->data, f->len);
		for (uint32_t i = 0; i < ETH_CRC_LEN; i++)
			f->data[f->len++] = (uint8_t)(crc >> (8 * i));
	}
	return f;
}

/* Does to @f what the test features ask for; consumes @f.  NULL: dropped. */
static struct frame *
feth_impair(struct feth *sc, struct frame *f)
{
	if (sc->tx_drops != 0 && ++sc->tx_count >= sc->tx_drops) {
		sc->tx_count = 0;
		iface_drop(&sc->w.ifp, f, DROP_FAULT_TX_DROPS);
		return NULL;
	}
	if (sc->trailer_length != 0 || sc->fcs)
		f = feth_append(sc, f);
	return f;
}

/* To the peer, after the test features. */
static void
feth_send(struct feth *sc, struct frame *const *frames, uint32_t count)
{
	bool impaired = sc->tx_drops != 0 || sc->trailer_length != 0 || sc->fcs;
	struct frame_batch out = { 0 };
	struct frame *f;

	/* What would be lost anyway is lost for that reason. */
	if (!impaired || wire_blocked(&sc->w) != DROP_COUNT) {
		wire_send(&sc->w, frames, count);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		f = feth_impair(sc, frames[i]);
		if (f != NULL)
			out.frames[out.count++] = f;
	}
	wire_send(&sc->w, out.frames, out.count);
}

static void
feth_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct feth *sc = feth_of(ifp);

	if (!sc->stalled) {
		feth_send(sc, batch->frames, batch->count);
		return;
	}
	for (uint32_t i = 0; i < batch->count; i++) {
		if (frame_ring_push(&sc->held, batch->frames[i]) != 0)
			iface_drop(ifp, batch->frames[i], DROP_FAULT_STALL);
	}
}

static void
feth_changed(struct iface *ifp, uint32_t what)
{
	struct feth *sc = feth_of(ifp);
	bool up = (ifp->flags & IFACE_UP) != 0;

	if ((what & IFACE_CHANGED_FLAGS) == 0)
		return;
	iface_set_running(ifp, up);
	if (!up)
		wire_ring_drop(ifp, &sc->held, DROP_IF_DOWN);
}

static int
feth_set_mtu(struct iface *ifp, uint32_t mtu)
{
	const struct feth *sc = feth_of(ifp);

	if (mtu > sc->max_mtu)
		return net_error(ifp->net, -EINVAL,
		    "the largest MTU was %u when %s was created "
		    "(net.link.fake.max_mtu)",
		    sc->max_mtu, ifp->name);
	return 0;
}

/* The letters and the unit, which the first of that unit gets: where vnets have
 * several, it depends on who comes first. */
static bool
feth_lladdr_given(const struct iface *ifp)
{
	uint8_t mac[ETH_ADDR_LEN] = { 'f', 'e', 't', 'h' };

	be16_put(mac + 4, (uint16_t)ifp->unit);
	return !net_unit_elsewhere(ifp) && ether_equal(ifp->mac, mac);
}

static void
feth_get(const struct iface *ifp, struct info *out)
{
	const struct feth *sc = feth_of_const(ifp);

	wire_get_peer(&sc->w, out);
	info_u64(out, "max_mtu", sc->max_mtu);
	if (sc->tx_drops != 0)
		info_u64(out, "txdrops", sc->tx_drops);
	if (sc->trailer_length != 0)
		info_u64(out, "trailer", sc->trailer_length);
	if (sc->fcs)
		info_bool(out, "fcs", true);
	if (sc->stalled) {
		info_bool(out, "stall", true);
		info_u64(out, "held", frame_ring_count(&sc->held));
	}
}

/* The interface of that name as @ifp's users would see it. */
static struct iface *
peer_find(struct iface *ifp, const char *name)
{
	struct iface *peer = net_iface_find(ifp->net, ifp->vnet, name);

	if (peer == NULL && net_host_vnet(ifp) != ifp->vnet)
		peer = net_iface_find(ifp->net, net_host_vnet(ifp), name);
	return peer;
}

static int
peer_with(struct iface *ifp, struct iface *other)
{
	struct wire *w = wire_of(ifp);
	struct net *net = ifp->net;

	if (other->ops != &feth_ops)
		return net_error(net, -EINVAL, "%s is not a feth", other->name);
	if (other == ifp)
		return net_error(
		    net, -EINVAL, "an interface cannot be its own peer");
	if (w->peer != NULL)
		return net_error(net, -EBUSY, "%s has a peer: %s", ifp->name,
		    w->peer->ifp.name);
	if (wire_of(other)->peer != NULL)
		return net_error(net, -EBUSY, "%s has a peer: %s", other->name,
		    wire_of(other)->peer->ifp.name);
	wire_pair(w, wire_of(other));
	return 0;
}

static int
set_peer(struct iface *ifp, const union keyword_value *v)
{
	struct iface *other = peer_find(ifp, v[0].str);

	if (other == NULL)
		return net_error(ifp->net, -ENXIO,
		    "there is no interface %s; create it first", v[0].str);
	return peer_with(ifp, other);
}

/* On a `create` line a peer that does not exist is made as well. */
static int
set_peer_create(struct iface *ifp, const union keyword_value *v)
{
	const char *name = v[0].str;
	struct net *net = ifp->net;
	struct iface *other = peer_find(ifp, name);
	int err;

	if (other != NULL)
		return peer_with(ifp, other);
	if (strncmp(name, feth_ops.kind, strlen(feth_ops.kind)) != 0)
		return set_peer(ifp, v);
	err = net_iface_create(net, ifp->vnet, name, &other);
	if (err != 0)
		return err;
	if (net_host_wanted(net, ifp->vnet)) {
		err = net_host_attach(other, NULL);
		if (err != 0 && err != -EINPROGRESS)
			goto out_destroy;
	}
	err = peer_with(ifp, other);
	if (err == 0)
		return 0;

out_destroy:
	(void)net_iface_destroy(other, NULL);
	return err;
}

static int
set_unpeer(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	wire_unpair(wire_of(ifp));
	return 0;
}

static int
set_max_mtu(struct iface *ifp, const union keyword_value *v)
{
	if (v[0].num < ifp->mtu)
		return net_error(ifp->net, -EINVAL, "the mtu of %s is %u",
		    ifp->name, ifp->mtu);
	feth_of(ifp)->max_mtu = (uint32_t)v[0].num;
	return 0;
}

static int
set_tx_drops(struct iface *ifp, const union keyword_value *v)
{
	struct feth *sc = feth_of(ifp);

	sc->tx_drops = (uint32_t)v[0].num;
	sc->tx_count = 0;
	return 0;
}

static int
set_stall(struct iface *ifp, const union keyword_value *v)
{
	struct feth *sc = feth_of(ifp);
	int err;

	(void)v;
	if (sc->held.slots == NULL) {
		err = frame_ring_init(&sc->held, HELD_FRAMES, WIRE_INBOX_BYTES);
		if (err != 0)
			return err;
		net_user_queue(ifp, &sc->held);
	}
	sc->stalled = true;
	return 0;
}

static int
set_unstall(struct iface *ifp, const union keyword_value *v)
{
	struct feth *sc = feth_of(ifp);
	struct frame *f;

	(void)v;
	sc->stalled = false;
	while ((f = frame_ring_pop(&sc->held)) != NULL)
		feth_send(sc, &f, 1);
	return 0;
}

static int
set_trailer(struct iface *ifp, const union keyword_value *v)
{
	struct feth *sc = feth_of(ifp);

	sc->trailer_length = (uint32_t)v[0].num;
	iface_set_caps(ifp, caps_of(sc));
	return 0;
}

static int
set_fcs(struct iface *ifp, const union keyword_value *v)
{
	struct feth *sc = feth_of(ifp);

	(void)v;
	sc->fcs = true;
	iface_set_caps(ifp, caps_of(sc));
	return 0;
}

static int
set_nofcs(struct iface *ifp, const union keyword_value *v)
{
	struct feth *sc = feth_of(ifp);

	(void)v;
	sc->fcs = false;
	iface_set_caps(ifp, caps_of(sc));
	return 0;
}

/* What differs from what a feth that is made now would have. */

/* Of a pair one end says it: the older one, if it can name the other. */
static bool
says_peer(
    struct keyword_sink *s, const struct iface *ifp, const struct iface *peer)
{
	bool older = ifp->index < peer->index;

	if (!s->all && net_iface_can_name(peer, ifp) &&
	    (!older || !net_iface_can_name(ifp, peer)))
		return false;
	return keyword_may_say(s, ifp, peer);
}

static void
save_peer(const struct iface *ifp, struct keyword_sink *s)
{
	const struct wire *peer = feth_of_const(ifp)->w.peer;
	char name[NET_IFACE_TEXT_MAX];

	if (peer == NULL && s->all)
		keyword_put(s, "-peer");
	else if (peer != NULL && says_peer(s, ifp, &peer->ifp))
		keyword_put(s, "peer %s",
		    net_iface_name_in(&peer->ifp, ifp->vnet, name));
}

static void
save_max_mtu(const struct iface *ifp, struct keyword_sink *s)
{
	keyword_put_number(s, "maxmtu", feth_of_const(ifp)->max_mtu,
	    drv_context(ifp->net)->feth.max_mtu);
}

static void
save_tx_drops(const struct iface *ifp, struct keyword_sink *s)
{
	keyword_put_number(s, "txdrops", feth_of_const(ifp)->tx_drops,
	    drv_context(ifp->net)->feth.tx_drops);
}

static void
save_stall(const struct iface *ifp, struct keyword_sink *s)
{
	keyword_put_switch(s, "stall", "", feth_of_const(ifp)->stalled, false);
}

static void
save_trailer(const struct iface *ifp, struct keyword_sink *s)
{
	keyword_put_number(s, "trailer", feth_of_const(ifp)->trailer_length,
	    drv_context(ifp->net)->feth.trailer_length);
}

static void
save_fcs(const struct iface *ifp, struct keyword_sink *s)
{
	keyword_put_switch(s, "fcs", "", feth_of_const(ifp)->fcs,
	    drv_context(ifp->net)->feth.fcs != 0);
}

static const struct iface_keyword feth_keywords[] = {
	{
	    .name = "peer",
	    .args = { { .kind = KEYWORD_ARG_IFNAME, .name = "interface" } },
	    .apply = set_peer,
	    .save = save_peer,
	    .undo = "-peer",
	    .apply_create = set_peer_create,
	    .bsd_name = "SIOCSDRVSPEC",
	    .help = "wire this feth to another",
	    .takes = true,
	},
	{
	    .name = "-peer",
	    .apply = set_unpeer,
	    .saved_by = "peer",
	    .bsd_name = "SIOCSDRVSPEC",
	    .help = "take the wire away",
	},
	{
	    .name = "maxmtu",
	    .args = { { .kind = KEYWORD_ARG_NUMBER,
	        .name = "bytes",
	        .min = ETH_MTU_DEFAULT,
	        .max = FETH_MTU_LARGEST } },
	    .apply = set_max_mtu,
	    .save = save_max_mtu,
	    .bsd_name = "maxmtu",
	    .help = "the largest mtu that it can have",
	},
	{
	    .name = "txdrops",
	    .args = { { .kind = KEYWORD_ARG_NUMBER,
	        .name = "count",
	        .max = UINT32_MAX } },
	    .apply = set_tx_drops,
	    .save = save_tx_drops,
	    .bsd_name = "txdrops",
	    .help = "test: drop every COUNTth frame sent; 0 none",
	},
	{
	    .name = "stall",
	    .apply = set_stall,
	    .save = save_stall,
	    .bsd_name = "stall",
	    .help = "test: hold what is sent, up to 1024 frames",
	},
	{
	    .name = "-stall",
	    .apply = set_unstall,
	    .saved_by = "stall",
	    .bsd_name = "-stall",
	    .help = "test: send what was held, and go on",
	},
	{
	    .name = "trailer",
	    .args = { { .kind = KEYWORD_ARG_NUMBER,
	        .name = "bytes",
	        .max = FETH_TRAILER_MAX } },
	    .apply = set_trailer,
	    .save = save_trailer,
	    .bsd_name = "trailer",
	    .help = "test: append BYTES of text to each frame; 0 none",
	},
	{
	    .name = "fcs",
	    .apply = set_fcs,
	    .save = save_fcs,
	    .bsd_name = "fcs",
	    .help = "test: append its CRC-32 to each frame",
	},
	{
	    .name = "-fcs",
	    .apply = set_nofcs,
	    .saved_by = "fcs",
	    .bsd_name = "-fcs",
	    .help = "test: append no CRC-32",
	},
	{ .name = NULL },
};

/* Sysctls: one accessor pair a field. */
#define TUNABLE(field)                                          \
	static uint64_t get_##field(const struct net *net)      \
	{                                                       \
		return drv_context(net)->feth.field;            \
	}                                                       \
	static int put_##field(struct net *net, uint64_t value) \
	{                                                       \
		drv_context(net)->feth.field = (uint32_t)value; \
		return 0;                                       \
	}
TUNABLE(max_mtu)
TUNABLE(tx_drops)
TUNABLE(trailer_length)
TUNABLE(fcs)
#undef TUNABLE

static const struct iface_tunable feth_tunables[] = {
	{ "net.link.fake.max_mtu", "Largest MTU of feths created from now on",
	    ETH_MTU_DEFAULT, FETH_MTU_LARGEST, .get = get_max_mtu,
	    .set = put_max_mtu },
	{ "net.link.fake.tx_drops",
	    "Test: new feths drop every Nth frame they send; 0 none", 0,
	    UINT32_MAX, .get = get_tx_drops, .set = put_tx_drops },
	{ "net.link.fake.trailer_length",
	    "Test: new feths append that many bytes to each frame", 0,
	    FETH_TRAILER_MAX, .get = get_trailer_length,
	    .set = put_trailer_length },
	{ "net.link.fake.fcs",
	    "Test: new feths append its CRC-32 to each frame", 0, 1,
	    .get = get_fcs, .set = put_fcs },
	{ .name = NULL },
};

const struct iface_ops feth_ops = {
	.kind = "feth",
	.about = "a wire: two interfaces back to back",
	.kind_flags = IFACE_KIND_ETHERNET | IFACE_KIND_USERS,
	.unit_max = FETH_UNIT_MAX,
	.mtu_default = ETH_MTU_DEFAULT,
	.mtu_min = FETH_MTU_MIN,
	.mtu_max = FETH_MTU_LARGEST,
	.flags = IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST,
	.size = sizeof(struct feth),
	.create = feth_create,
	.destroy = feth_destroy,
	.transmit = feth_transmit,
	.poll = wire_poll,
	.changed = feth_changed,
	.set_mtu = feth_set_mtu,
	.lladdr_given = feth_lladdr_given,
	.get = feth_get,
	.keywords = feth_keywords,
	.tunables = feth_tunables,
};

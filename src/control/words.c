/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ifconfig words that every interface takes and that fit a row of
 * net/keyword.h. (Families and addresses, create, destroy, name, vnet, host:
 * ifconfig_words.c.)
 *
 * bsd_name: with a blank in it, it is the whole of what BSD prints before the
 * reason; without, the first argument follows ("BRDGADD tap1").
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "control/ifconfig.h"
#include "frame/offload.h"
#include "net/macs.h"

/* A pair of words that set and clear a flag, and save it. */
#define FLAG_WORDS(id, set, clear)                                             \
	static void save_##id(const struct iface *ifp, struct keyword_sink *s) \
	{                                                                      \
		keyword_put_switch(s, #id, "",                                 \
		    (ifp->flags & ((set) | (clear))) == (set), (set) == 0);    \
	}                                                                      \
	static int set_##id(struct iface *ifp, const union keyword_value *v)   \
	{                                                                      \
		(void)v;                                                       \
		return iface_set_flags(ifp, (set), (clear));                   \
	}                                                                      \
	static int clear_##id(struct iface *ifp, const union keyword_value *v) \
	{                                                                      \
		(void)v;                                                       \
		return iface_set_flags(ifp, (clear), (set));                   \
	}
FLAG_WORDS(debug, IFACE_DEBUG, 0)
FLAG_WORDS(arp, 0, IFACE_NOARP)
FLAG_WORDS(promisc, IFACE_PROMISC, 0)
FLAG_WORDS(allmulti, IFACE_ALLMULTI, 0)
FLAG_WORDS(link0, IFACE_LINK0, 0)
FLAG_WORDS(link1, IFACE_LINK1, 0)
FLAG_WORDS(link2, IFACE_LINK2, 0)
FLAG_WORDS(monitor, IFACE_MONITOR, 0)
#undef FLAG_WORDS

static int
set_up(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return iface_set_flags(ifp, IFACE_UP, 0);
}

static int
set_down(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return iface_set_flags(ifp, 0, IFACE_UP);
}

static void
save_up(const struct iface *ifp, struct keyword_sink *s)
{
	if ((ifp->flags & IFACE_UP) != 0 || s->all)
		keyword_put(s, (ifp->flags & IFACE_UP) != 0 ? "up" : "down");
}

static void
save_mtu(const struct iface *ifp, struct keyword_sink *s)
{
	uint32_t preset = ifp->ops->mtu_default;

	if (ifp->parent != NULL)
		preset = ifp->parent->mtu;
	keyword_put_number(s, "mtu", ifp->mtu, preset);
}

/* Words of inet6: FreeBSD's flags for neighbour discovery, which the kernel of
 * the host side follows. */
#define ND6_WORDS(id, flag)                                                    \
	static void save_##id(const struct iface *ifp, struct keyword_sink *s) \
	{                                                                      \
		if ((ifp->nd6_said & (flag)) != 0)                             \
			keyword_put(s, "inet6 %s" #id,                         \
			    (ifp->nd6 & (flag)) != 0 ? "" : "-");              \
	}                                                                      \
	static int set_##id(struct iface *ifp, const union keyword_value *v)   \
	{                                                                      \
		(void)v;                                                       \
		return iface_set_nd6(ifp, (flag), 0);                          \
	}                                                                      \
	static int clear_##id(struct iface *ifp, const union keyword_value *v) \
	{                                                                      \
		(void)v;                                                       \
		return iface_set_nd6(ifp, 0, (flag));                          \
	}
ND6_WORDS(auto_linklocal, IFACE_ND6_AUTO_LINKLOCAL)
ND6_WORDS(accept_rtadv, IFACE_ND6_ACCEPT_RTADV)
ND6_WORDS(no_radr, IFACE_ND6_NO_RADR)
ND6_WORDS(ifdisabled, IFACE_ND6_IFDISABLED)
ND6_WORDS(no_dad, IFACE_ND6_NO_DAD)
#undef ND6_WORDS

/* Flags that Linux has no counterpart of. */
static int
set_nd6_never(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return net_error(ifp->net, -EOPNOTSUPP,
	    "the kernel that has the host sides does not know this");
}

static int
set_mtu(struct iface *ifp, const union keyword_value *v)
{
	int err = iface_set_mtu(ifp, (uint32_t)v[0].num);

	if (err == -EINVAL && ifp->net->message[0] == '\0')
		return net_error(ifp->net, err,
		    "the mtu of %s is from %u to %u", ifp->name,
		    ifp->ops->mtu_min, ifp->ops->mtu_max);
	return err;
}

/* Words of offloads, by the bits that they switch. What an interface does not
 * have stays away, and that is no error, as in BSD. */
#define OFFLOAD_WORDS(id, caps)                                                \
	static int set_##id(struct iface *ifp, const union keyword_value *v)   \
	{                                                                      \
		(void)v;                                                       \
		iface_switch_caps(ifp, (caps), true);                          \
		return 0;                                                      \
	}                                                                      \
	static int clear_##id(struct iface *ifp, const union keyword_value *v) \
	{                                                                      \
		(void)v;                                                       \
		iface_switch_caps(ifp, (caps), false);                         \
		return 0;                                                      \
	}                                                                      \
	static void save_##id(const struct iface *ifp, struct keyword_sink *s) \
	{                                                                      \
		keyword_put_switch(                                            \
		    s, #id, "", (ifp->caps_off_user & (caps)) == 0, true);     \
	}
OFFLOAD_WORDS(txcsum, OFFLOAD_CSUM4)
OFFLOAD_WORDS(txcsum6, OFFLOAD_CSUM6)
OFFLOAD_WORDS(tso4, OFFLOAD_TSO4)
OFFLOAD_WORDS(tso6, OFFLOAD_TSO6)
#undef OFFLOAD_WORDS

static int
set_tso(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	iface_switch_caps(ifp, OFFLOAD_TSO4 | OFFLOAD_TSO6, true);
	return 0;
}

static int
clear_tso(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	iface_switch_caps(ifp, OFFLOAD_TSO4 | OFFLOAD_TSO6, false);
	return 0;
}

/* Of what no interface has. */
static int
set_nothing(struct iface *ifp, const union keyword_value *v)
{
	(void)ifp;
	(void)v;
	return 0;
}

/* There is one routing table and it is the host's. */
static int
set_metric(struct iface *ifp, const union keyword_value *v)
{
	if (v[0].num == 0)
		return 0;
	return net_error(ifp->net, -EOPNOTSUPP,
	    "metric is always 0 here: routes are the host's");
}

static int
set_descr(struct iface *ifp, const union keyword_value *v)
{
	int err = iface_set_descr(ifp, v[0].str);

	if (err == -ENAMETOOLONG)
		return net_error(ifp->net, err,
		    "a description has at most %d bytes", IFACE_DESCR_MAX - 1);
	return err;
}

static int
clear_descr(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return iface_set_descr(ifp, "");
}

/* One word, whatever is in it. */
static void
put_text(struct keyword_sink *s, const char *word, const char *text)
{
	const char *words[] = { word, text };

	s->op(s, words, 2);
}

static void
save_descr(const struct iface *ifp, struct keyword_sink *s)
{
	if (ifp->descr[0] != '\0')
		put_text(s, "description", ifp->descr);
	else if (s->all)
		keyword_put(s, "-description");
}

/* An interface is born in the group of its kind. */
static void
save_groups(const struct iface *ifp, struct keyword_sink *s)
{
	if (!iface_group_has(ifp, ifp->ops->kind))
		put_text(s, "-group", ifp->ops->kind);
	for (uint32_t i = 0; i < ifp->group_count; i++)
		if (s->all || strcmp(ifp->groups[i], ifp->ops->kind) != 0)
			put_text(s, "group", ifp->groups[i]);
}

static int
set_user(struct iface *ifp, const union keyword_value *v)
{
	return net_user_change(ifp, (uint32_t)v[0].num);
}

static int
clear_user(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return net_user_change(ifp, NET_ID_NONE);
}

static void
save_user(const struct iface *ifp, struct keyword_sink *s)
{
	if (ifp->user != NULL)
		keyword_put(s, "user %" PRIu32, ifp->uid);
	else if (s->all)
		keyword_put(s, "-user");
}

static int
set_usergroup(struct iface *ifp, const union keyword_value *v)
{
	return net_share(ifp, (uint32_t)v[0].num);
}

static int
clear_usergroup(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return net_share(ifp, NET_ID_NONE);
}

static void
save_usergroup(const struct iface *ifp, struct keyword_sink *s)
{
	if (ifp->gid != NET_ID_NONE)
		keyword_put(s, "usergroup %" PRIu32, ifp->gid);
	else if (s->all)
		keyword_put(s, "-usergroup");
}

static int
set_macs(struct iface *ifp, const union keyword_value *v)
{
	return iface_set_macs(ifp, v[0].str);
}

static int
clear_macs(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return iface_set_macs(ifp, NULL);
}

static void
save_macs(const struct iface *ifp, struct keyword_sink *s)
{
	char text[IFACE_MACS_TEXT];

	if (ifp->macs != NULL)
		put_text(s, "macs", iface_macs_format(ifp, text));
	else if (s->all)
		keyword_put(s, "-macs");
}

/* No group of interfaces has a name that ends in a digit: a number is a group
 * of users. */
static int
add_group(struct iface *ifp, const union keyword_value *v)
{
	uint32_t gid;
	int err;

	if (str_u32(v[0].str, 10, 0, UINT32_MAX - 1, &gid) == 0)
		return net_share(ifp, gid);
	err = iface_group_add(ifp, v[0].str);
	return err == -EEXIST ? 0 : err; /* as ifconfig does */
}

static int
del_group(struct iface *ifp, const union keyword_value *v)
{
	return iface_group_del(ifp, v[0].str);
}

/* Cosmetic, as on NetBSD 9's tap: the wires here have no speed. */
static int
set_media(struct iface *ifp, const union keyword_value *v)
{
	static const char *const media[] = { "autoselect", "auto",
		"10baseT/UTP", "100baseTX", "1000baseT", "2500Base-T",
		"5000Base-T", "10Gbase-T", "25GBase-KR", "40Gbase-SR4",
		"50GBase-CR2", "100GBase-CR4" };

	for (size_t i = 0; i < ARRAY_LEN(media); i++)
		if (strcasecmp(media[i], v[0].str) == 0)
			return str_copy(ifp->media, sizeof(ifp->media),
			    i <= 1 ? "" : media[i]);
	return net_error(ifp->net, -EINVAL,
	    "media is autoselect, or a name such as 1000baseT");
}

static void
save_media(const struct iface *ifp, struct keyword_sink *s)
{
	bool preset =
	    ifp->media[0] == '\0' || strcmp(ifp->media, "autoselect") == 0;

	if (!preset || s->all)
		put_text(s, "media", preset ? "autoselect" : ifp->media);
}

/* What a radio would be told. There is none: it is kept, and shown; "-" takes
 * it back, as BSD's ssid does. */
#define WIRELESS_WORDS(field)                                                 \
	static int set_##field(                                               \
	    struct iface *ifp, const union keyword_value *v)                  \
	{                                                                     \
		return set_wireless(                                          \
		    ifp, ifp->wlan.field, sizeof(ifp->wlan.field), v[0].str); \
	}                                                                     \
	static void save_##field(                                             \
	    const struct iface *ifp, struct keyword_sink *s)                  \
	{                                                                     \
		if (ifp->wlan.field[0] != '\0')                               \
			put_text(s, #field, ifp->wlan.field);                 \
		else if (s->all)                                              \
			keyword_put(s, #field " -");                          \
	}

static int
set_wireless(struct iface *ifp, char *dst, size_t size, const char *src)
{
	if (src[0] == '\0' || strlen(src) >= size)
		return net_error(
		    ifp->net, -EINVAL, "it has 1 to %zu letters", size - 1);
	return str_copy(dst, size, strcmp(src, "-") != 0 ? src : "");
}

WIRELESS_WORDS(wlanmode)
WIRELESS_WORDS(ssid)
WIRELESS_WORDS(mode)
WIRELESS_WORDS(channel)
#undef WIRELESS_WORDS

/* clang-format off */
#define NAME_ARG(what) { { .kind = KEYWORD_ARG_WORD, .name = (what) } }

const struct iface_keyword ifconfig_common_words[] = {
	{ .name = "arp", .apply = set_arp, .bsd_name = "arp",
	    .save = save_arp,
	    .help = "let the host's stack use ARP" },
	{ .name = "-arp", .apply = clear_arp, .bsd_name = "-arp",
	    .saved_by = "arp",
	    .help = "no ARP on the host's side" },
	{ .name = "debug", .apply = set_debug, .bsd_name = "debug",
	    .save = save_debug,
	    .help = "set the DEBUG flag" },
	{ .name = "-debug", .apply = clear_debug, .bsd_name = "-debug",
	    .saved_by = "debug",
	    .help = "clear the DEBUG flag" },
	{ .name = "promisc", .apply = set_promisc, .bsd_name = "promisc",
	    .save = save_promisc,
	    .help = "set the PROMISC flag" },
	{ .name = "-promisc", .apply = clear_promisc, .bsd_name = "-promisc",
	    .saved_by = "promisc",
	    .help = "clear the PROMISC flag" },
	{ .name = "allmulti", .apply = set_allmulti, .bsd_name = "allmulti",
	    .save = save_allmulti,
	    .help = "set the ALLMULTI flag" },
	{ .name = "-allmulti", .apply = clear_allmulti,
	    .bsd_name = "-allmulti", .saved_by = "allmulti",
	    .help = "clear the ALLMULTI flag" },
	{ .name = "monitor", .apply = set_monitor, .bsd_name = "monitor",
	    .save = save_monitor,
	    .help = "show frames to captures and discard them" },
	{ .name = "-monitor", .apply = clear_monitor, .bsd_name = "-monitor",
	    .saved_by = "monitor",
	    .help = "leave monitor mode" },
	{ .name = "link0", .apply = set_link0, .bsd_name = "link0",
	    .save = save_link0,
	    .help = "set the kind's first flag" },
	{ .name = "-link0", .apply = clear_link0, .bsd_name = "-link0",
	    .saved_by = "link0",
	    .help = "clear it" },
	{ .name = "link1", .apply = set_link1, .bsd_name = "link1",
	    .save = save_link1,
	    .help = "set the kind's second flag" },
	{ .name = "-link1", .apply = clear_link1, .bsd_name = "-link1",
	    .saved_by = "link1",
	    .help = "clear it" },
	{ .name = "link2", .apply = set_link2, .bsd_name = "link2",
	    .save = save_link2,
	    .help = "set the kind's third flag" },
	{ .name = "-link2", .apply = clear_link2, .bsd_name = "-link2",
	    .saved_by = "link2",
	    .help = "clear it" },
#define OFFLOAD_ROWS(word, id, text, untext) \
	{ .name = (word), .apply = set_##id, .bsd_name = (word), \
	    .save = save_##id, .help = (text) }, \
	{ .name = "-" word, .apply = clear_##id, .bsd_name = "-" word, \
	    .saved_by = (word), .help = (untext) }
#define NOTHING_ROWS(word, text) \
	{ .name = (word), .apply = set_nothing, .bsd_name = (word), \
	    .saved_by = "", .help = (text) }, \
	{ .name = "-" word, .apply = set_nothing, .bsd_name = "-" word, \
	    .saved_by = "", .help = (text) }
	OFFLOAD_ROWS("txcsum", txcsum,
	    "leave checksums over IPv4 to who takes the frames",
	    "complete checksums over IPv4 that go out"),
	OFFLOAD_ROWS("txcsum6", txcsum6,
	    "leave checksums over IPv6 to who takes the frames",
	    "complete checksums over IPv6 that go out"),
	OFFLOAD_ROWS("tso4", tso4, "send super-frames of TCP over IPv4",
	    "segment super-frames of TCP over IPv4 that go out"),
	OFFLOAD_ROWS("tso6", tso6, "send super-frames of TCP over IPv6",
	    "segment super-frames of TCP over IPv6 that go out"),
	{ .name = "tso", .apply = set_tso, .bsd_name = "tso",
	    .saved_by = "tso4", .help = "tso4 and tso6" },
	{ .name = "-tso", .apply = clear_tso, .bsd_name = "-tso",
	    .saved_by = "tso4", .help = "-tso4 and -tso6" },
	NOTHING_ROWS("rxcsum", "accepted: only some kinds have it"),
	NOTHING_ROWS("rxcsum6", "accepted: only some kinds have it"),
	NOTHING_ROWS("lro", "accepted: only some kinds have it"),
	NOTHING_ROWS("toe", "accepted: no kind has it"),
	NOTHING_ROWS("vlanmtu", "accepted: tags do not count for the MTU"),
	NOTHING_ROWS("vlanhwtag", "accepted: no kind has it"),
	NOTHING_ROWS("vlanhwfilter", "accepted: no kind has it"),
	NOTHING_ROWS("vlanhwcsum", "accepted: no kind has it"),
	NOTHING_ROWS("vlanhwtso", "accepted: no kind has it"),
	NOTHING_ROWS("wol", "accepted: no kind has it"),
#undef OFFLOAD_ROWS
#undef NOTHING_ROWS
#define ND6_ROWS(id, text, untext) \
	{ .name = #id, .apply = set_##id, .bsd_name = ND6_CALL, \
	    .save = save_##id, .help = (text) }, \
	{ .name = "-" #id, .apply = clear_##id, .bsd_name = ND6_CALL, \
	    .saved_by = #id, .help = (untext) }
#define ND6_CALL "ioctl (SIOCSIFINFO_IN6)"
	ND6_ROWS(auto_linklocal, "IPv6: a link-local address by itself",
	    "IPv6: no link-local address by itself"),
	ND6_ROWS(accept_rtadv, "IPv6: take routers' advertisements",
	    "IPv6: do not take routers' advertisements"),
	ND6_ROWS(no_radr, "IPv6: no default route from advertisements",
	    "IPv6: default routes from advertisements"),
	ND6_ROWS(ifdisabled, "no IPv6 on the host's side",
	    "IPv6 on the host's side"),
	ND6_ROWS(no_dad, "IPv6: do not look for duplicate addresses",
	    "IPv6: look for duplicate addresses"),
	{ .name = "nud", .apply = set_nothing, .bsd_name = ND6_CALL,
	    .saved_by = "", .help = "accepted: it is always done" },
	{ .name = "-nud", .apply = set_nd6_never, .bsd_name = ND6_CALL,
	    .saved_by = "", .help = "refused: it is always done" },
	{ .name = "no_prefer_iface", .apply = set_nd6_never,
	    .bsd_name = ND6_CALL, .saved_by = "",
	    .help = "refused: routes are the host's" },
	{ .name = "-no_prefer_iface", .apply = set_nothing,
	    .bsd_name = ND6_CALL, .saved_by = "",
	    .help = "accepted: routes are the host's" },
	{ .name = "defaultif", .apply = set_nd6_never,
	    .bsd_name = "ioctl (SIOCSDEFIFACE_IN6)", .saved_by = "",
	    .help = "refused: routes are the host's" },
	{ .name = "-defaultif", .apply = set_nothing,
	    .bsd_name = "ioctl (SIOCSDEFIFACE_IN6)", .saved_by = "",
	    .help = "accepted: routes are the host's" },
#undef ND6_ROWS
#undef ND6_CALL
	{ .name = "mtu", .apply = set_mtu,
	    .args = { { .kind = KEYWORD_ARG_NUMBER, .name = "mtu",
	        .max = UINT32_MAX } },
	    .bsd_name = "ioctl SIOCSIFMTU (set mtu)", .save = save_mtu,
	    .help = "largest payload of a frame" },
	{ .name = "metric", .apply = set_metric,
	    .args = { { .kind = KEYWORD_ARG_NUMBER, .name = "metric",
	        .max = INT32_MAX } },
	    .bsd_name = "ioctl SIOCSIFMETRIC (set metric)", .saved_by = "",
	    .help = "accepted if 0" },
	{ .name = "description", .apply = set_descr, .args = NAME_ARG("text"),
	    .save = save_descr,
	    .bsd_name = "ioctl SIOCSIFDESCR (set descr)",
	    .help = "describe the interface" },
	{ .name = "descr", .apply = set_descr, .args = NAME_ARG("text"),
	    .saved_by = "description",
	    .bsd_name = "ioctl SIOCSIFDESCR (set descr)",
	    .help = "the same" },
	{ .name = "-description", .apply = clear_descr,
	    .saved_by = "description",
	    .bsd_name = "ioctl SIOCSIFDESCR (set descr)",
	    .help = "clear the description" },
	{ .name = "-descr", .apply = clear_descr,
	    .saved_by = "description",
	    .bsd_name = "ioctl SIOCSIFDESCR (set descr)",
	    .help = "the same" },
	{ .name = "group", .apply = add_group, .args = NAME_ARG("group"),
	    .bsd_name = " SIOCAIFGROUP", .save = save_groups,
	    .undo = "-group", .help = "join a group" },
	{ .name = "-group", .apply = del_group, .args = NAME_ARG("group"),
	    .bsd_name = " SIOCDIFGROUP", .saved_by = "group",
	    .help = "leave a group" },
	{ .name = "user", .apply = set_user,
	    .args = { { .kind = KEYWORD_ARG_NUMBER, .name = "user",
	        .max = UINT32_MAX - 1 } },
	    .bsd_name = "user", .save = save_user, .who = KEYWORD_ADMIN,
	    .help = "whose the interface is" },
	{ .name = "-user", .apply = clear_user, .bsd_name = "-user",
	    .saved_by = "user", .who = KEYWORD_ADMIN,
	    .help = "nobody's but administrators'" },
	{ .name = "usergroup", .apply = set_usergroup,
	    .args = { { .kind = KEYWORD_ARG_NUMBER, .name = "group",
	        .max = UINT32_MAX - 1 } },
	    .bsd_name = "usergroup", .save = save_usergroup,
	    .help = "the users who may plug into it" },
	{ .name = "-usergroup", .apply = clear_usergroup,
	    .bsd_name = "-usergroup", .saved_by = "usergroup",
	    .help = "its owner only" },
	{ .name = "macs", .apply = set_macs, .args = NAME_ARG("addresses"),
	    .bsd_name = "macs", .save = save_macs, .who = KEYWORD_ADMIN,
	    .help = "source addresses that may come in, with commas" },
	{ .name = "-macs", .apply = clear_macs, .bsd_name = "-macs",
	    .saved_by = "macs", .who = KEYWORD_ADMIN,
	    .help = "any source address may" },
	{ .name = "media", .apply = set_media, .args = NAME_ARG("type"),
	    .bsd_name = "SIOCSIFMEDIA (media)", .save = save_media,
	    .help = "name of the medium that is shown" },
	{ .name = "wlanmode", .apply = set_wlanmode,
	    .args = { { .kind = KEYWORD_ARG_CHOICE, .name = "mode",
	        .choices = "sta\0station\0ibss\0adhoc\0ahdemo\0monitor\0"
	                   "hostap\0ap\0mesh\0mp\0tdma\0wds\0-\0",
	        .bad = "unknown wlan mode: " } },
	    .bsd_name = "wlanmode", .save = save_wlanmode, .recorded = true,
	    .help = "what a radio would be: kept and shown" },
	{ .name = "ssid", .apply = set_ssid, .args = NAME_ARG("name"),
	    .bsd_name = "ssid", .save = save_ssid, .recorded = true,
	    .help = "its network: kept and shown" },
	{ .name = "mode", .apply = set_mode, .args = NAME_ARG("mode"),
	    .bsd_name = "mode", .save = save_mode, .recorded = true,
	    .help = "its standard, such as 11g: kept and shown" },
	{ .name = "channel", .apply = set_channel, .args = NAME_ARG("channel"),
	    .bsd_name = "channel", .save = save_channel, .recorded = true,
	    .help = "its channel: kept and shown" },
	{ .name = "up", .apply = set_up, .bsd_name = "up",
	    .save = save_up, .help = "mark the interface up" },
	{ .name = "down", .apply = set_down, .bsd_name = "down",
	    .saved_by = "up", .help = "mark the interface down" },
	{ .name = NULL },
};
/* clang-format on */

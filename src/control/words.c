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
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "control/ifconfig.h"

/* A pair of words that set and clear a flag. */
#define FLAG_WORDS(id, set, clear)                                             \
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
FLAG_WORDS(up, IFACE_UP, 0)
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
set_mtu(struct iface *ifp, const union keyword_value *v)
{
	int err = iface_set_mtu(ifp, (uint32_t)v[0].num);

	if (err == -EINVAL && ifp->net->message[0] == '\0')
		return net_error(ifp->net, err,
		    "the mtu of %s is from %u to %u", ifp->name,
		    ifp->ops->mtu_min, ifp->ops->mtu_max);
	return err;
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

static int
add_group(struct iface *ifp, const union keyword_value *v)
{
	int err = iface_group_add(ifp, v[0].str);

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

/* clang-format off */
#define NAME_ARG(what) { { .kind = KEYWORD_ARG_WORD, .name = (what) } }

const struct iface_keyword ifconfig_common_words[] = {
	{ .name = "up", .apply = set_up, .bsd_name = "up",
	    .help = "mark the interface up" },
	{ .name = "down", .apply = clear_up, .bsd_name = "down",
	    .help = "mark the interface down" },
	{ .name = "arp", .apply = set_arp, .bsd_name = "arp",
	    .help = "let the host's stack use ARP" },
	{ .name = "-arp", .apply = clear_arp, .bsd_name = "-arp",
	    .help = "no ARP on the host's side" },
	{ .name = "debug", .apply = set_debug, .bsd_name = "debug",
	    .help = "set the DEBUG flag" },
	{ .name = "-debug", .apply = clear_debug, .bsd_name = "-debug",
	    .help = "clear the DEBUG flag" },
	{ .name = "promisc", .apply = set_promisc, .bsd_name = "promisc",
	    .help = "set the PROMISC flag" },
	{ .name = "-promisc", .apply = clear_promisc, .bsd_name = "-promisc",
	    .help = "clear the PROMISC flag" },
	{ .name = "allmulti", .apply = set_allmulti, .bsd_name = "allmulti",
	    .help = "set the ALLMULTI flag" },
	{ .name = "-allmulti", .apply = clear_allmulti,
	    .bsd_name = "-allmulti", .help = "clear the ALLMULTI flag" },
	{ .name = "monitor", .apply = set_monitor, .bsd_name = "monitor",
	    .help = "show frames to captures and discard them" },
	{ .name = "-monitor", .apply = clear_monitor, .bsd_name = "-monitor",
	    .help = "leave monitor mode" },
	{ .name = "link0", .apply = set_link0, .bsd_name = "link0",
	    .help = "set the kind's first flag" },
	{ .name = "-link0", .apply = clear_link0, .bsd_name = "-link0",
	    .help = "clear it" },
	{ .name = "link1", .apply = set_link1, .bsd_name = "link1",
	    .help = "set the kind's second flag" },
	{ .name = "-link1", .apply = clear_link1, .bsd_name = "-link1",
	    .help = "clear it" },
	{ .name = "link2", .apply = set_link2, .bsd_name = "link2",
	    .help = "set the kind's third flag" },
	{ .name = "-link2", .apply = clear_link2, .bsd_name = "-link2",
	    .help = "clear it" },
	{ .name = "mtu", .apply = set_mtu,
	    .args = { { .kind = KEYWORD_ARG_NUMBER, .name = "mtu",
	        .max = UINT32_MAX } },
	    .bsd_name = "ioctl SIOCSIFMTU (set mtu)",
	    .help = "largest payload of a frame" },
	{ .name = "metric", .apply = set_metric,
	    .args = { { .kind = KEYWORD_ARG_NUMBER, .name = "metric",
	        .max = INT32_MAX } },
	    .bsd_name = "ioctl SIOCSIFMETRIC (set metric)",
	    .help = "accepted if 0" },
	{ .name = "description", .apply = set_descr, .args = NAME_ARG("text"),
	    .bsd_name = "ioctl SIOCSIFDESCR (set descr)",
	    .help = "describe the interface" },
	{ .name = "descr", .apply = set_descr, .args = NAME_ARG("text"),
	    .bsd_name = "ioctl SIOCSIFDESCR (set descr)",
	    .help = "the same" },
	{ .name = "-description", .apply = clear_descr,
	    .bsd_name = "ioctl SIOCSIFDESCR (set descr)",
	    .help = "clear the description" },
	{ .name = "-descr", .apply = clear_descr,
	    .bsd_name = "ioctl SIOCSIFDESCR (set descr)",
	    .help = "the same" },
	{ .name = "group", .apply = add_group, .args = NAME_ARG("group"),
	    .bsd_name = " SIOCAIFGROUP", .help = "join a group" },
	{ .name = "-group", .apply = del_group, .args = NAME_ARG("group"),
	    .bsd_name = " SIOCDIFGROUP", .help = "leave a group" },
	{ .name = "media", .apply = set_media, .args = NAME_ARG("type"),
	    .bsd_name = "SIOCSIFMEDIA (media)",
	    .help = "name of the medium that is shown" },
	{ .name = NULL },
};
/* clang-format on */

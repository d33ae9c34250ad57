/* SPDX-License-Identifier: BSD-2-Clause */
/* Allowed source addresses: see macs.h. */
#include "net/macs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "net/net.h"

struct iface_macs {
	uint32_t count;
	uint64_t macs[IFACE_MACS_MAX]; /* ascending */
};

static int
compare(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

static bool
allowed(const struct iface_macs *m, uint64_t mac)
{
	return bsearch(&mac, m->macs, m->count, sizeof(m->macs[0]), compare) !=
	       NULL;
}

/* One address of the list, up to a comma or the end. */
static int
parse_one(struct net *net, const char *word, size_t len, uint64_t *out)
{
	char text[ETH_ADDR_STRLEN];
	uint8_t mac[ETH_ADDR_LEN];

	if (len >= sizeof(text))
		return net_error(net, -EINVAL, "%.*s: not an address",
		    (int)COAX_MIN(len, (size_t)40), word);
	memcpy(text, word, len);
	text[len] = '\0';
	if (ether_parse(text, mac) != 0)
		return net_error(net, -EINVAL, "%s: not an address", text);
	if (ether_is_multicast(mac) || mac_to_u64(mac) == 0)
		return net_error(
		    net, -EINVAL, "%s: no frame comes from that", text);
	*out = mac_to_u64(mac);
	return 0;
}

static int
parse(struct net *net, const char *text, struct iface_macs *m)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		int err;

		if (m->count == IFACE_MACS_MAX)
			return net_error(net, -E2BIG, "at most %d addresses",
			    IFACE_MACS_MAX);
		err = parse_one(net, text, len, &m->macs[m->count]);
		if (err != 0)
			return err;
		m->count++;
		if (text[len] == '\0')
			return 0;
		text += len + 1;
	}
}

int
iface_set_macs(struct iface *ifp, const char *text)
{
	struct iface_macs *m = NULL;

	if (text != NULL) {
		int err;

		m = calloc(1, sizeof(*m));
		if (m == NULL)
			return -ENOMEM;
		err = parse(ifp->net, text, m);
		if (err != 0) {
			free(m);
			return err;
		}
		qsort(m->macs, m->count, sizeof(m->macs[0]), compare);
	}
	if (m == NULL && ifp->macs == NULL)
		return 0;
	free(ifp->macs);
	ifp->macs = m;
	iface_changed(ifp, IFACE_CHANGED_MACS);
	return 0;
}

const char *
iface_macs_format(const struct iface *ifp, char text[IFACE_MACS_TEXT])
{
	const struct iface_macs *m = ifp->macs;
	struct sbuf b = sbuf_init(text, IFACE_MACS_TEXT);

	for (uint32_t i = 0; m != NULL && i < m->count; i++) {
		char one[ETH_ADDR_STRLEN];
		uint8_t mac[ETH_ADDR_LEN];

		u64_to_mac(m->macs[i], mac);
		sbuf_printf(
		    &b, "%s%s", i > 0 ? "," : "", ether_format(mac, one));
	}
	return text;
}

void
iface_macs_input(struct iface *ifp, struct frame_batch *batch)
{
	const struct iface_macs *m = ifp->macs;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		if (allowed(m, mac_to_u64(f->data + ETH_ADDR_LEN)))
			batch->frames[kept++] = f;
		else
			iface_drop(ifp, f, DROP_MAC_SPOOFED);
	}
	batch->count = kept;
}

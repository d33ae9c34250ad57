/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets from a packet socket become frames. See ether_recv.h.
 *
 * The kernel takes the outer VLAN tag off and says so beside the packet
 * (PACKET_AUXDATA): it is put back.
 */
#include "drv/ether_recv.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "base/ether.h"
#include "frame/offload.h"
#include "frame/tag.h"

#define HDR_LEN sizeof(struct frame_offload)

_Static_assert(sizeof(struct virtio_net_hdr) == sizeof(struct frame_offload),
    "the record");

static bool
slot_fill(struct frame_pool *pool, struct ether_slot *s, struct mmsghdr *m)
{
	int parts = recv_slot_ready(&s->room, pool, NULL, &s->iov[1]);

	if (parts == 0)
		return false;
	memset(m, 0, sizeof(*m));
	s->iov[0].iov_base = &s->hdr;
	s->iov[0].iov_len = HDR_LEN;
	m->msg_hdr.msg_iovlen = 1 + (size_t)parts;
	m->msg_hdr.msg_iov = s->iov;
	m->msg_hdr.msg_name = &s->from;
	m->msg_hdr.msg_namelen = sizeof(s->from);
	m->msg_hdr.msg_control = s->control;
	m->msg_hdr.msg_controllen = sizeof(s->control);
	return true;
}

/* The tag that the kernel has taken off; 0 in @tpid: none. */
static void
tag_read(struct msghdr *m, uint16_t *tpid, uint16_t *tci)
{
	const uint8_t *end = (uint8_t *)m->msg_control + m->msg_controllen;
	struct tpacket_auxdata aux;

	*tpid = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
	     c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_PACKET ||
		    c->cmsg_type != PACKET_AUXDATA ||
		    c->cmsg_len < CMSG_LEN(sizeof(aux)) ||
		    (size_t)(end - (uint8_t *)c) < CMSG_LEN(sizeof(aux)))
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0)
			return;
		*tci = aux.tp_vlan_tci;
		*tpid = (aux.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0
		            ? aux.tp_vlan_tpid
		            : ETH_TYPE_VLAN;
	}
}

struct ether_packet
ether_recv_take(struct ether_slot *s, struct msghdr *m, uint32_t len)
{
	struct ether_packet p = { NULL, DROP_RUNT };
	uint16_t tpid = 0, tci = 0;

	if (len < HDR_LEN)
		return p;
	len -= (uint32_t)HDR_LEN;
	if ((m->msg_flags & MSG_TRUNC) != 0 || len > FRAME_LARGE_MAX) {
		p.why = DROP_GIANT;
		return p;
	}
	p.f = recv_slot_take(&s->room, len);
	p.f->off = s->hdr;
	tag_read(m, &tpid, &tci);
	if (offload_check(p.f, &p.why) != 0)
		return p;
	if (tpid != 0) {
		p.f = frame_tag_put(p.f, tpid, tci);
		/* One tag more, or a strange one: is it still believed? */
		if (p.f != NULL && offload_check(p.f, &p.why) != 0)
			return p;
	}
	p.why = p.f != NULL ? DROP_COUNT : DROP_NO_FRAME;
	return p;
}

/* Takes one packet off the socket. */
static bool
discard_one(int fd)
{
	uint8_t byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0;
}

uint32_t
ether_recv(int fd, struct frame_pool *pool, struct ether_slot *slots,
    uint32_t want, struct ether_packet *out, uint32_t *read, uint64_t *bytes)
{
	struct mmsghdr msgs[ETHER_READ_MAX];
	uint32_t n = 0;
	int got;

	*read = 0;
	while (n < want && slot_fill(pool, &slots[n], &msgs[n]))
		n++;
	if (n == 0) {
		out[0] = (struct ether_packet){ NULL, DROP_NO_FRAME };
		return discard_one(fd) ? 1 : 0;
	}
	got = recvmmsg(fd, msgs, n, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++) {
		*bytes += msgs[i].msg_len;
		out[i] = ether_recv_take(
		    &slots[i], &msgs[i].msg_hdr, msgs[i].msg_len);
	}
	*read = got < 0 ? 0 : (uint32_t)got;
	return *read;
}

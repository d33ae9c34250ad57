/* SPDX-License-Identifier: BSD-2-Clause */
/* What an ether reads: tags, junk, and what happens without memory.  With real
 * netdevs: tests/system/ether_test.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ether.h"
#include "base/util.h"
#include "drv/ether_recv.h"
#include "frame/offload.h"

#define FRAME_LEN 60u

static struct {
	struct frame_pool *pool;
	struct ether_slot slots[ETHER_READ_MAX];
	int fd, far; /* a socket, and who sends there */
} t;

static int
setup(void **state)
{
	static const struct frame_pool_options options = { 64, 64 };
	int fds[2];

	(void)state;
	memset(&t, 0, sizeof(t));
	assert_int_equal(frame_pool_create(&options, &t.pool), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	t.fd = fds[0];
	t.far = fds[1];
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ETHER_READ_MAX; i++)
		recv_slot_trim(&t.slots[i].room);
	frame_pool_destroy(t.pool);
	close(t.fd);
	close(t.far);
	return 0;
}

/* A record without anything, and a frame that ends with @mark. */
static void
put(uint8_t mark, size_t len)
{
	uint8_t packet[sizeof(struct frame_offload) + FRAME_LEN] = { 0 };

	packet[sizeof(struct frame_offload) + 12] = 0x88;
	packet[sizeof(struct frame_offload) + 13] = 0xb5;
	packet[sizeof(packet) - 1] = mark;
	assert_int_equal(send(t.far, packet, len, 0), len);
}

static uint32_t
take(uint32_t want, struct ether_packet *out, uint32_t *read)
{
	uint64_t bytes = 0;

	return ether_recv(t.fd, t.pool, t.slots, want, out, read, &bytes);
}

/* Without memory a packet a turn is lost and told, until there are no more: the
 * socket does not wake its reader for ever.  With memory all is well again. */
static void
test_without_memory_a_packet_a_turn_is_lost(void **state)
{
	const size_t whole = sizeof(struct frame_offload) + FRAME_LEN;
	struct ether_packet out[ETHER_READ_MAX];
	struct frame *taken[129];
	uint32_t n = 0, read;

	(void)state;
	while ((taken[n] = frame_alloc(t.pool, FRAME_SMALL_MAX)) != NULL)
		assert_in_range(++n, 1, ARRAY_LEN(taken) - 1);
	for (uint8_t i = 0; i < 3; i++)
		put(i, whole);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(take(8, out, &read), 1);
		assert_null(out[0].f);
		assert_int_equal(out[0].why, DROP_NO_FRAME);
		assert_int_equal(read, 0);
	}
	assert_int_equal(take(8, out, &read), 0);
	while (n > 0)
		frame_release(taken[--n]);
	put(7, whole);
	assert_int_equal(take(8, out, &read), 1);
	assert_int_equal(read, 1);
	assert_int_equal(out[0].why, DROP_COUNT);
	assert_int_equal(out[0].f->len, FRAME_LEN);
	assert_int_equal(out[0].f->data[FRAME_LEN - 1], 7);
	frame_release(out[0].f);
}

static void
test_short_packets_are_runts(void **state)
{
	struct ether_packet out[ETHER_READ_MAX];
	uint32_t read;

	(void)state;
	for (size_t len = 1; len < sizeof(struct frame_offload); len++)
		put(0, len);
	assert_int_equal(
	    take(32, out, &read), sizeof(struct frame_offload) - 1);
	for (uint32_t i = 0; i < read; i++) {
		assert_null(out[i].f);
		assert_int_equal(out[i].why, DROP_RUNT);
	}
}

/* A slot with a packet in it, and a message beside it. */
static struct ether_packet
read_beside(const struct tpacket_auxdata *aux, size_t aux_len, int flags)
{
	struct ether_slot *s = &t.slots[0];
	struct msghdr m = {
		.msg_control = s->control,
		.msg_controllen = CMSG_SPACE(aux_len),
		.msg_flags = flags,
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	assert_true(recv_slot_ready(&s->room, t.pool, NULL, &s->iov[1]) > 0);
	memset(s->iov[1].iov_base, 0x11, FRAME_LEN);
	memset(&s->hdr, 0, sizeof(s->hdr));
	c->cmsg_level = SOL_PACKET;
	c->cmsg_type = PACKET_AUXDATA;
	c->cmsg_len = CMSG_LEN(aux_len);
	memcpy(CMSG_DATA(c), aux, aux_len);
	return ether_recv_take(
	    s, &m, (uint32_t)sizeof(struct frame_offload) + FRAME_LEN);
}

static void
test_the_tag_is_put_back(void **state)
{
	struct tpacket_auxdata aux = { .tp_vlan_tci = 0x2064 };
	static const uint8_t q[] = { 0x81, 0x00, 0x20, 0x64 };
	static const uint8_t ad[] = { 0x88, 0xa8, 0x20, 0x64 };
	struct ether_packet p;

	(void)state;
	/* Not said: none. */
	p = read_beside(&aux, sizeof(aux), 0);
	assert_int_equal(p.f->len, FRAME_LEN);
	frame_release(p.f);
	/* Without its type: 802.1Q. */
	aux.tp_status = TP_STATUS_VLAN_VALID;
	p = read_beside(&aux, sizeof(aux), 0);
	assert_int_equal(p.why, DROP_COUNT);
	assert_int_equal(p.f->len, FRAME_LEN + ETH_VLAN_LEN);
	assert_memory_equal(p.f->data + 12, q, sizeof(q));
	frame_release(p.f);
	aux.tp_status |= TP_STATUS_VLAN_TPID_VALID;
	aux.tp_vlan_tpid = ETH_TYPE_QINQ;
	p = read_beside(&aux, sizeof(aux), 0);
	assert_memory_equal(p.f->data + 12, ad, sizeof(ad));
	frame_release(p.f);
	/* A message that is cut off says nothing. */
	p = read_beside(&aux, sizeof(aux) - 4, 0);
	assert_int_equal(p.f->len, FRAME_LEN);
	frame_release(p.f);
	p = read_beside(&aux, sizeof(aux), MSG_TRUNC);
	assert_null(p.f);
	assert_int_equal(p.why, DROP_GIANT);
}

/* With its tag back a super-frame may be one that nobody can segment. */
static void
test_the_record_is_checked_with_the_tag(void **state)
{
	struct tpacket_auxdata aux = {
		.tp_status = TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID,
		.tp_vlan_tpid = 0x1234,
	};
	struct msghdr m = { .msg_control = t.slots[0].control,
		.msg_controllen = sizeof(t.slots[0].control) };
	struct ether_slot *s = &t.slots[0];
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct ether_packet p;
	uint8_t *data;

	(void)state;
	c->cmsg_level = SOL_PACKET;
	c->cmsg_type = PACKET_AUXDATA;
	c->cmsg_len = CMSG_LEN(sizeof(aux));
	for (int i = 0; i < 2; i++) {
		assert_true(
		    recv_slot_ready(&s->room, t.pool, NULL, &s->iov[1]) > 0);
		s->hdr = (struct frame_offload){ .flags = FRAME_CSUM_PARTIAL,
			.gso_type = FRAME_GSO_TCPV4,
			.hdr_len = 54,
			.gso_size = 50,
			.csum_start = 34,
			.csum_offset = 16 };
		data = s->iov[1].iov_base;
		memset(data, 0, 154);
		data[12] = 0x08;
		data[14] = 0x45;
		data[17] = 140;
		data[22] = 64;
		data[23] = 6;
		data[46] = 0x50;
		memcpy(CMSG_DATA(c), &aux, sizeof(aux));
		p = ether_recv_take(
		    s, &m, (uint32_t)sizeof(struct frame_offload) + 154);
		assert_int_equal(p.why, i == 0 ? DROP_BAD_OFFLOAD : DROP_COUNT);
		frame_release(p.f);
		aux.tp_vlan_tpid = ETH_TYPE_VLAN;
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_without_memory_a_packet_a_turn_is_lost),
		T(test_short_packets_are_runts),
		T(test_the_tag_is_put_back),
		T(test_the_record_is_checked_with_the_tag),
	};

	return cmocka_run_group_tests_name("drv_ether", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures of interfaces and bridges: who is shown what, as what, and what
 * becomes of that which is not kept.
 */
#include <time.h>

#include "bridge_fixture.h"
#include "capture/capture.h"
#include "capture/pcapng.h"
#include "ring/stream.h"

#define CAPTURES 3
#define ROOM     STREAM_ROOM_MIN
#define NOW_NS   UINT64_C(1700000000123456789)

static struct lab l;

/* One who looks on. */
struct look {
	struct capture *c;
	void *memory;
	struct stream_reader r;
	uint32_t wakes, ends;
	bool dirty;
	enum capture_end why;
	/* The last packet that was taken out. */
	struct pcapng_packet p;
	uint8_t bytes[65536 + 64];
	char comment[2][PCAPNG_COMMENT_MAX + 1];
};
static struct look look[CAPTURES];

static uint64_t
now(void)
{
	return NOW_NS;
}

static void
dirty(struct capture *c)
{
	struct look *k = capture_user(c);

	assert_false(k->dirty); /* told once */
	k->dirty = true;
}

/* The end of a round. */
static void
flush(struct look *k)
{
	if (!k->dirty)
		return;
	k->dirty = false;
	k->wakes += capture_flush(k->c);
}

static void
ended(struct capture *c, enum capture_end why)
{
	struct look *k = capture_user(c);

	k->ends++;
	k->why = why;
}

static int
setup(void **state)
{
	(void)state;
	lab_init(&l, 4);
	memset(look, 0, sizeof(look));
	for (int i = 0; i < CAPTURES; i++) {
		look[i].memory = aligned_alloc(4096, stream_size(ROOM));
		memset(look[i].memory, 0, stream_size(ROOM));
		assert_int_equal(stream_reader_init(&look[i].r, look[i].memory,
		                     stream_size(ROOM)),
		    0);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < CAPTURES; i++) {
		capture_destroy(look[i].c);
		free(look[i].memory);
	}
	lab_fini(&l);
	return 0;
}

static int
begin(struct look *k, struct iface *ifp, struct capture_options o)
{
	o.memory = k->memory;
	o.memory_size = stream_size(ROOM);
	o.clock_ns = now;
	o.dirty = dirty;
	o.ended = ended;
	o.user = k;
	return capture_create(ifp, &o, &k->c);
}

#define BEGIN(i, ifp, ...) \
	assert_int_equal(  \
	    begin(&look[i], ifp, (struct capture_options){ __VA_ARGS__ }), 0)

/* The next packet; its number (the frame's last four bytes), 0: there is none.
 */
static uint32_t
take(struct look *k)
{
	static uint8_t block[70000];
	const uint8_t *at;
	uint32_t len;

	if (k->c != NULL)
		flush(k);
	if (stream_copy(&k->r, 0, block, PCAPNG_BLOCK_MIN) != 0)
		return 0;
	assert_int_equal(pcapng_block(block, &len), PCAPNG_PACKET);
	assert_int_equal(stream_copy(&k->r, 0, block, len), 0);
	memset(&k->p, 0, sizeof(k->p));
	assert_int_equal(
	    pcapng_read_packet(block, len, &k->p, &at, k->comment), 0);
	memcpy(k->bytes, at, k->p.kept);
	stream_skip(&k->r, len);
	return k->p.kept < 64 ? UINT32_MAX : be32_get(k->bytes + k->p.kept - 4);
}

#define assert_taken(i, n) assert_int_equal(take(&look[i]), n)
#define assert_count(i, what, n) \
	assert_int_equal(stream_counted(&look[i].r, CAPTURE_##what), n)

static struct program
program(uint32_t ret)
{
	struct program p = { 1, malloc(sizeof(p.insns[0])) };

	p.insns[0] = (struct program_insn){ 0x06, 0, 0, ret };
	return p;
}

/* --- an interface -----------------------------------------------------------
 */

static void
test_in_and_out(void **state)
{
	(void)state;
	BEGIN(0, l.p[0]);
	lab_in(&l, 0, station(2), station(1), 1); /* in on 0, out of 1 */
	lab_in(&l, 1, station(1), station(2), 2); /* in on 1, out of 0 */
	assert_taken(0, 1);
	assert_int_equal(look[0].p.direction, PCAPNG_IN);
	assert_int_equal(look[0].p.time_ns, NOW_NS);
	assert_int_equal(look[0].p.len, 64);
	assert_int_equal(look[0].p.kept, 64);
	assert_int_equal(look[0].p.lost, 0);
	assert_null(look[0].p.comment[0]);
	assert_taken(0, 2);
	assert_int_equal(look[0].p.direction, PCAPNG_OUT);
	assert_taken(0, 0);
	assert_count(0, RECEIVED, 2);
	assert_count(0, KEPT, 2);
	assert_count(0, LOST, 0);
	assert_count(0, END, CAPTURE_GOES_ON);
}

static void
test_one_way(void **state)
{
	(void)state;
	BEGIN(0, l.p[0], .in = true);
	BEGIN(1, l.p[0], .out = true);
	lab_in(&l, 0, station(2), station(1), 1);
	lab_in(&l, 1, station(1), station(2), 2);
	assert_taken(0, 1);
	assert_taken(0, 0);
	assert_taken(1, 2);
	assert_taken(1, 0);
}

static void
test_tag_in_place(void **state)
{
	(void)state;
	BEGIN(0, l.p[0]);
	lab_in_vlan(&l, 0, BROADCAST, station(1), 10, 1);
	assert_taken(0, 1);
	assert_int_equal(be16_get(look[0].bytes + 12), ETH_TYPE_VLAN);
	assert_int_equal(be16_get(look[0].bytes + 14), 10);
}

static void
test_snaplen_and_program_cut(void **state)
{
	(void)state;
	BEGIN(0, l.p[0], .snaplen = 20);
	BEGIN(1, l.p[0], .snaplen = 40, .program = program(33));
	BEGIN(2, l.p[0], .program = program(0));
	lab_in(&l, 0, BROADCAST, station(1), 1);
	(void)take(&look[0]);
	assert_int_equal(look[0].p.kept, 20);
	assert_int_equal(look[0].p.len, 64);
	assert_memory_equal(look[0].bytes, "\xff\xff\xff\xff\xff\xff", 6);
	(void)take(&look[1]);
	assert_int_equal(look[1].p.kept, 33);
	assert_taken(2, 0);
	assert_count(2, RECEIVED, 0);
}

static void
test_offload_is_said(void **state)
{
	struct frame_batch b = { .count = 1 };

	(void)state;
	BEGIN(0, l.p[0], .in = true);
	b.frames[0] = frame_make(l.net, BROADCAST, station(1), 0, 1);
	b.frames[0]->off.flags = FRAME_CSUM_PARTIAL;
	iface_input(l.p[0], &b);
	assert_taken(0, 1);
	assert_string_equal(
	    look[0].p.comment[0], "offload: checksum not filled in");
	assert_null(look[0].p.comment[1]);
	b.count = 1;
	b.frames[0] = frame_make(l.net, BROADCAST, station(1), 0, 2);
	b.frames[0]->off = (struct frame_offload){
		.flags = FRAME_CSUM_PARTIAL,
		.gso_type = FRAME_GSO_TCPV4,
		.hdr_len = 54,
		.gso_size = 4,
	};
	iface_input(l.p[0], &b);
	assert_taken(0, 2);
	assert_string_equal(look[0].p.comment[0],
	    "offload: a super-frame of 3 segments with 4 bytes each, checksums "
	    "not filled in");
}

static void
test_count_ends_it(void **state)
{
	(void)state;
	BEGIN(0, l.p[0], .count_max = 2);
	for (uint32_t i = 1; i <= 3; i++)
		lab_in(&l, 0, BROADCAST, station(1), i);
	assert_taken(0, 1);
	assert_taken(0, 2);
	assert_taken(0, 0);
	assert_int_equal(look[0].ends, 1);
	assert_int_equal(look[0].why, CAPTURE_COMPLETE);
	assert_count(0, END, CAPTURE_COMPLETE);
}

/* Also inside one batch. */
static void
test_count_ends_it_within_a_batch(void **state)
{
	struct frame_batch b = { .count = 5 };

	(void)state;
	BEGIN(0, l.p[0], .count_max = 2);
	for (uint32_t i = 0; i < 5; i++)
		b.frames[i] =
		    frame_make(l.net, BROADCAST, station(1), 0, i + 1);
	iface_input(l.p[0], &b);
	assert_taken(0, 1);
	assert_taken(0, 2);
	assert_taken(0, 0);
	assert_int_equal(look[0].why, CAPTURE_COMPLETE);
}

/* A reader that stops reading: the stream fills, the frames go on, and what was
 * not kept is counted and told with the next one that is. */
static void
test_full_stream_loses_and_counts(void **state)
{
	uint32_t kept, total = 2000;

	(void)state;
	BEGIN(0, l.p[0], .in = true);
	for (uint32_t i = 1; i <= total; i++)
		lab_in(&l, 0, BROADCAST, station(1), i);
	assert_int_equal(l.p[0]->count.ipackets, total);
	assert_int_equal(mock_of(l.p[1])->sent.count, total);
	mock_of(l.p[1])->sent.count = 0;
	mock_of(l.p[2])->sent.count = 0;
	mock_of(l.p[3])->sent.count = 0;
	flush(&look[0]);
	kept = (uint32_t)stream_counted(&look[0].r, CAPTURE_KEPT);
	assert_in_range(kept, 1000, total - 1);
	assert_count(0, RECEIVED, total);
	assert_count(0, LOST, total - kept);
	for (uint32_t i = 1; i <= kept; i++)
		assert_taken(0, i);
	assert_taken(0, 0);
	lab_in(&l, 0, BROADCAST, station(1), 7777);
	assert_taken(0, 7777);
	assert_int_equal(look[0].p.lost, total - kept);
	lab_in(&l, 0, BROADCAST, station(1), 7778);
	assert_taken(0, 7778);
	assert_int_equal(look[0].p.lost, 0);
	assert_int_equal(look[0].ends, 0);
}

static void
test_sleeper_is_woken_once(void **state)
{
	const uint8_t *at;

	(void)state;
	BEGIN(0, l.p[0]);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_int_equal(stream_peek(&look[0].r, &at), 0);
	assert_taken(0, 1);
	assert_int_equal(look[0].wakes, 0);
	assert_true(stream_sleep(&look[0].r, 1));
	lab_in(&l, 0, BROADCAST, station(1), 2);
	lab_in(&l, 0, BROADCAST, station(1), 3);
	flush(&look[0]);
	lab_in(&l, 0, BROADCAST, station(1), 4);
	flush(&look[0]);
	assert_int_equal(look[0].wakes, 1);
}

/* What a reader writes over the shared memory costs it its capture. */
static void
test_nonsense_from_the_reader_ends_it(void **state)
{
	static const uint8_t fill[] = { 0xff, 0x80, 0x01 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fill); i++) {
		teardown(NULL);
		setup(NULL);
		BEGIN(0, l.p[0]);
		BEGIN(1, l.p[0]);
		memset(look[0].memory, fill[i], stream_size(ROOM));
		for (uint32_t n = 1; n <= 2000; n++)
			lab_in(&l, 0, BROADCAST, station(1), n);
		flush(&look[0]);
		assert_int_equal(look[0].why, CAPTURE_BROKEN);
		assert_int_equal(look[0].ends, 1);
		assert_int_equal(look[1].ends, 0);
		assert_taken(1, 1);
		mock_of(l.p[1])->sent.count = 0;
	}
}

static void
test_other_memory_is_refused(void **state)
{
	struct capture_options o = {
		.memory = look[0].memory,
		.memory_size = 12345,
		.clock_ns = now,
	};
	struct capture *c;

	(void)state;
	assert_int_equal(capture_create(l.p[0], &o, &c), -EINVAL);
	assert_null(l.p[0]->capture);
}

/* The last capture that leaves takes the hook along. */
static void
test_nothing_remains(void **state)
{
	(void)state;
	BEGIN(0, l.p[0]);
	BEGIN(1, l.p[0]);
	assert_non_null(l.p[0]->capture);
	capture_destroy(look[0].c);
	look[0].c = NULL;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_taken(0, 0);
	assert_taken(1, 1);
	capture_destroy(look[1].c);
	look[1].c = NULL;
	assert_null(l.p[0]->capture);
	capture_destroy(NULL);
}

static void
test_interface_ends(void **state)
{
	(void)state;
	BEGIN(0, l.p[0]);
	BEGIN(1, l.p[0]);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_int_equal(net_iface_destroy(l.p[0], NULL), 0);
	/* What was captured is not lost. */
	for (int i = 0; i < 2; i++) {
		assert_taken(i, 1);
		assert_int_equal(look[i].ends, 1);
		assert_int_equal(look[i].why, CAPTURE_IFACE_GONE);
		assert_count(i, END, CAPTURE_IFACE_GONE);
	}
	l.p[0] = NULL;
}

static void
test_limit_of_an_interface(void **state)
{
	struct capture *many[CAPTURES_PER_IFACE];
	struct capture_options o = {
		.memory = look[0].memory,
		.memory_size = stream_size(ROOM),
		.clock_ns = now,
		.dirty = dirty,
		.ended = ended,
		.user = &look[0],
	};
	struct capture *c;

	(void)state;
	for (uint32_t i = 0; i < CAPTURES_PER_IFACE; i++)
		assert_int_equal(capture_create(l.p[0], &o, &many[i]), 0);
	assert_int_equal(capture_create(l.p[0], &o, &c), -EBUSY);
	for (uint32_t i = 0; i < CAPTURES_PER_IFACE; i++)
		capture_destroy(many[i]);
	assert_null(l.p[0]->capture);
}

/* --- drops ------------------------------------------------------------------
 */

static void
test_drops_have_the_reason(void **state)
{
	(void)state;
	BEGIN(0, l.p[0], .drops = true);
	BEGIN(1, l.p[0]);
	lab_in(&l, 1, BROADCAST, station(2), 1); /* learn; out of 0 */
	lab_in(&l, 0, station(2), station(1), 2);
	lab_in(&l, 0, station(1), station(1), 3); /* behind its own port */
	assert_taken(0, 3);
	assert_string_equal(look[0].p.comment[0],
	    "dropped: same-port: The destination is known on the port that it "
	    "came from.");
	assert_int_equal(look[0].p.direction, PCAPNG_IN);
	assert_taken(0, 0);
	assert_taken(1, 1);
	assert_taken(1, 2);
	assert_taken(1, 3);
}

static void
test_drops_outbound(void **state)
{
	(void)state;
	BEGIN(0, l.p[0], .drops = true, .out = true);
	BEGIN(1, l.p[0], .drops = true, .in = true);
	iface_set_flags(l.p[0], 0, IFACE_UP);
	lab_host_in(&l, l.br, BROADCAST, l.p[0]->mac[0], 1);
	iface_output(l.p[0],
	    &(struct frame_batch){ .count = 1,
	        .frames = { frame_make(l.net, BROADCAST, station(9), 0, 2) } });
	assert_taken(0, 2);
	assert_int_equal(look[0].p.direction, PCAPNG_OUT);
	assert_taken(0, 0);
	lab_in(&l, 0, BROADCAST, station(1), 3);
	assert_taken(1, 3);
	assert_int_equal(look[1].p.direction, PCAPNG_IN);
	assert_taken(0, 0);
}

/* What the host sends and the bridge cannot deliver goes out, and nowhere. */
static void
test_drops_of_the_host(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		iface_set_flags(l.p[i], 0, IFACE_UP);
	BEGIN(0, l.br, .drops = true);
	lab_host_in(&l, l.br, BROADCAST, station(1), 1);
	assert_taken(0, 1);
	assert_int_equal(look[0].p.direction, PCAPNG_OUT);
	assert_non_null(strstr(look[0].p.comment[0], "no-port"));
}

static void
test_drops_without_a_frame_are_counted(void **state)
{
	(void)state;
	BEGIN(0, l.p[0], .drops = true);
	iface_count_drop(l.p[0], DROP_NO_FRAME, 5);
	assert_taken(0, 0); /* and flushes */
	assert_count(0, RECEIVED, 5);
	assert_count(0, LOST, 5);
	lab_in(&l, 0, station(1), station(1), 1);
	assert_taken(0, 1);
	assert_int_equal(look[0].p.lost, 5);
}

static void
test_short_frames_are_shown(void **state)
{
	struct frame_batch b = { .count = 1 };

	(void)state;
	BEGIN(0, l.p[0], .drops = true);
	b.frames[0] = frame_make(l.net, BROADCAST, station(1), 0, 1);
	b.frames[0]->len = 3;
	iface_input(l.p[0], &b);
	(void)take(&look[0]);
	assert_int_equal(look[0].p.len, 3);
	assert_int_equal(look[0].p.kept, 3);
	assert_non_null(strstr(look[0].p.comment[0], "runt"));
}

static void
test_dropped_super_frame_says_both(void **state)
{
	struct frame_batch b = { .count = 1 };

	(void)state;
	BEGIN(0, l.p[0], .drops = true);
	iface_set_flags(l.p[0], 0, IFACE_UP);
	b.frames[0] = frame_make(l.net, BROADCAST, station(1), 0, 1);
	b.frames[0]->off.flags = FRAME_CSUM_PARTIAL;
	iface_input(l.p[0], &b);
	assert_taken(0, 1);
	assert_non_null(strstr(look[0].p.comment[0], "if-down-in"));
	assert_string_equal(
	    look[0].p.comment[1], "offload: checksum not filled in");
}

/* Left in a queue when the interface ends. */
static void
test_drops_of_the_end(void **state)
{
	(void)state;
	BEGIN(0, l.p[0], .drops = true);
	iface_drop(l.p[0], frame_make(l.net, BROADCAST, station(1), 0, 1),
	    DROP_DESTROYED);
	assert_taken(0, 1);
	assert_int_equal(look[0].p.direction, PCAPNG_OUT);
}

/* --- a bridge ---------------------------------------------------------------
 */

/* What is forwarded, once; not what stays behind its port. */
static void
test_bridge_sees_what_is_forwarded(void **state)
{
	(void)state;
	lab_in(&l, 0, BROADCAST, station(1), 1);
	lab_in(&l, 1, BROADCAST, station(2), 2);
	BEGIN(0, l.br);
	lab_in(&l, 0, BROADCAST, station(1), 3);
	lab_in(&l, 0, station(2), station(1), 4);
	lab_in(&l, 0, station(1), station(1), 5);      /* same port */
	lab_in(&l, 0, station(7), station(1), 6);      /* unknown: flooded */
	lab_in(&l, 0, 0x0180c2000000u, station(1), 7); /* spanning tree's */
	assert_taken(0, 3);
	assert_int_equal(look[0].p.direction, PCAPNG_IN);
	assert_taken(0, 4);
	assert_taken(0, 6);
	assert_taken(0, 0);
}

static void
test_bridge_sees_its_host(void **state)
{
	(void)state;
	host_give(l.br, &l.br_host, l.net->home);
	lab_in(&l, 1, BROADCAST, station(2), 1);
	BEGIN(0, l.br);
	lab_in(&l, 0, mac_to_u64(l.br->mac), station(1), 2); /* to it */
	lab_host_in(&l, l.br, station(2), mac_to_u64(l.br->mac), 3);
	lab_host_in(&l, l.br, BROADCAST, mac_to_u64(l.br->mac), 4);
	assert_taken(0, 2);
	assert_int_equal(look[0].p.direction, PCAPNG_IN);
	assert_taken(0, 3);
	assert_int_equal(look[0].p.direction, PCAPNG_OUT);
	assert_taken(0, 4);
	assert_int_equal(look[0].p.direction, PCAPNG_OUT);
	assert_taken(0, 0);
}

/* H2: on a member, out to the others; not what only leaves that member. */
static void
test_bridge_sees_hosts_of_members(void **state)
{
	(void)state;
	host_give(l.p[0], mock_of(l.p[0]), l.net->home);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	lab_in(&l, 1, BROADCAST, station(2), 2);
	BEGIN(0, l.br);
	lab_host_in(&l, l.p[0], BROADCAST, mac_to_u64(l.p[0]->mac), 3);
	lab_host_in(&l, l.p[0], station(2), mac_to_u64(l.p[0]->mac), 4);
	lab_host_in(&l, l.p[0], station(1), mac_to_u64(l.p[0]->mac), 5);
	assert_taken(0, 3);
	assert_int_equal(look[0].p.direction, PCAPNG_OUT);
	assert_taken(0, 4);
	assert_int_equal(look[0].p.direction, PCAPNG_OUT);
	assert_taken(0, 0);
}

/* An untagged frame is in its port's VLAN there, as BSD shows it. */
static void
test_bridge_shows_the_vlan(void **state)
{
	(void)state;
	assert_int_equal(WORD(l.br, "vlanfilter"), 0);
	assert_int_equal(
	    WORD2(l.br, "ifuntagged", v_str("port0"), v_num(10)), 0);
	assert_int_equal(
	    WORD2(l.br, "ifuntagged", v_str("port1"), v_num(10)), 0);
	BEGIN(0, l.br);
	BEGIN(1, l.p[0]);
	BEGIN(2, l.p[1]);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	assert_taken(0, 1);
	assert_int_equal(look[0].p.len, 68);
	assert_int_equal(be16_get(look[0].bytes + 12), ETH_TYPE_VLAN);
	assert_int_equal(be16_get(look[0].bytes + 14), 10);
	assert_taken(1, 1);
	assert_int_equal(look[1].p.len, 64);
	assert_taken(2, 1);
	assert_int_equal(look[2].p.len, 64);
}

/* Monitor mode: the input of all members in one stream; nothing goes on, and
 * no host gets anything, whoever it is for and whoever listens. */
static void
test_monitor_mode_merges(void **state)
{
	uint32_t id = 1;

	(void)state;
	host_give(l.br, &l.br_host, l.net->home);
	for (int i = 0; i < 4; i++) {
		host_give(l.p[i], mock_of(l.p[i]), l.net->home);
		mock_of(l.p[i])->host.promisc = true;
	}
	l.br_host.host.promisc = true;
	iface_set_flags(l.br, IFACE_MONITOR, 0);
	BEGIN(0, l.br);
	for (uint32_t i = 0; i < 4; i++) {
		const uint64_t to[] = { BROADCAST, GROUP, station(9),
			mac_to_u64(l.br->mac), mac_to_u64(l.p[i]->mac),
			0x0180c2000000u };

		for (size_t n = 0; n < ARRAY_LEN(to); n++)
			lab_in(&l, i, to[n], station(i), id++);
	}
	for (uint32_t n = 1; n < id; n++) {
		assert_taken(0, n);
		assert_int_equal(look[0].p.direction, PCAPNG_IN);
	}
	assert_taken(0, 0);
	assert_drop(l.br, MONITOR, id - 1);
	assert_int_equal(l.br->count.ipackets, id - 1);
	assert_seen(l.br_host.heard, 0);
	for (uint32_t i = 0; i < 4; i++) {
		assert_sent(&l, i, 0);
		assert_heard(&l, i, 0);
	}
	assert_int_equal(lab_lookup(&l, station(1), 0), FDB_NONE);
	/* and back */
	iface_set_flags(l.br, 0, IFACE_MONITOR);
	lab_in(&l, 0, station(9), station(1), id);
	assert_sent(&l, 1, id);
}

/* Nothing is sent either: not by the host on the bridge; what it sends on a
 * member leaves that member alone. */
static void
test_monitor_mode_sends_nothing(void **state)
{
	(void)state;
	host_give(l.br, &l.br_host, l.net->home);
	host_give(l.p[0], mock_of(l.p[0]), l.net->home);
	iface_set_flags(l.br, IFACE_MONITOR, 0);
	BEGIN(0, l.br, .drops = true, .out = true);
	lab_host_in(&l, l.br, BROADCAST, mac_to_u64(l.br->mac), 1);
	assert_taken(0, 1);
	assert_drop(l.br, MONITOR_OUT, 1);
	for (uint32_t i = 0; i < 4; i++)
		assert_sent(&l, i, 0);
	lab_host_in(&l, l.p[0], BROADCAST, mac_to_u64(l.p[0]->mac), 2);
	assert_sent(&l, 0, 2);
	for (uint32_t i = 1; i < 4; i++)
		assert_sent(&l, i, 0);
	/* A member in monitor mode. */
	iface_set_flags(l.br, 0, IFACE_MONITOR);
	iface_set_flags(l.p[1], IFACE_MONITOR, 0);
	lab_in(&l, 0, BROADCAST, station(1), 3);
	assert_sent(&l, 1, 0);
	assert_drop(l.p[1], MONITOR_OUT, 1);
	assert_sent(&l, 2, 3);
}

/* A bridge that hears nothing must not claim to be the root. */
static void
test_monitor_mode_rests_spanning_tree(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		iface_set_link(l.p[i], IFACE_LINK_UP);
		assert_int_equal(WORD1(l.br, "stp", v_str(l.p[i]->name)), 0);
	}
	for (uint32_t s = 1; s <= 10; s++)
		lab_time(&l, s);
	assert_int_not_equal(mock_of(l.p[0])->sent.count, 0);
	iface_set_flags(l.br, IFACE_MONITOR, 0);
	mock_of(l.p[0])->sent.count = mock_of(l.p[1])->sent.count = 0;
	for (uint32_t s = 11; s <= 60; s++)
		lab_time(&l, s);
	assert_sent(&l, 0, 0);
	assert_sent(&l, 1, 0);
	/* It begins anew: closed at first. */
	iface_set_flags(l.br, 0, IFACE_MONITOR);
	assert_int_equal(
	    lab_bridge(&l)->ports[1]->state, BRIDGE_STP_DISCARDING);
	for (uint32_t s = 61; s <= 120; s++)
		lab_time(&l, s);
	assert_int_not_equal(mock_of(l.p[0])->sent.count, 0);
	assert_int_equal(
	    lab_bridge(&l)->ports[1]->state, BRIDGE_STP_FORWARDING);
	mock_of(l.p[0])->sent.count = mock_of(l.p[1])->sent.count = 0;
}

/* --- pcapng -----------------------------------------------------------------
 */

static void
test_file_begins_and_ends(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	const struct pcapng_interface i = {
		.program = "coax 1",
		.name = "tap0",
		.description = "a port",
		.filter = "tcp port 80",
		.mac = mac,
		.snaplen = 100,
	};
	const struct pcapng_statistics s = { 1, 2, 30, 4 };
	uint8_t buf[PCAPNG_BEGIN_MAX + PCAPNG_END_SIZE];
	struct wr w = wr_init(buf, sizeof(buf));
	const uint32_t types[] = { 0x0a0d0d0a, 1, 5 };
	size_t at = 0;

	(void)state;
	pcapng_begin(&w, &i);
	assert_true(wr_len(&w) <= PCAPNG_BEGIN_MAX);
	pcapng_end(&w, &s);
	assert_true(wr_ok(&w));
	for (size_t n = 0; n < ARRAY_LEN(types); n++) {
		uint32_t len = 0, again;

		assert_int_equal(pcapng_block(buf + at, &len), types[n]);
		memcpy(&again, buf + at + len - 4, 4);
		assert_int_equal(len, again);
		at += len;
	}
	assert_int_equal(at, wr_len(&w));
}

/* A block is exactly as long as was said, whatever is in it. */
static void
test_sizes_of_packets(void **state)
{
	char longest[300];
	uint8_t block[PCAPNG_HEAD_SIZE + 80 + PCAPNG_TAIL_MAX] = { 0 };
	char comment[2][PCAPNG_COMMENT_MAX + 1];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (uint32_t n = 0; n < 80 * 2 * 4; n++) {
		struct pcapng_packet p = {
			.time_ns = NOW_NS,
			.len = 1000,
			.kept = n / 8,
			.direction = PCAPNG_OUT,
			.lost = n & 1 ? 5 : 0,
			.comment = { n & 2 ? longest : NULL,
			    n & 4 ? "a" : NULL },
		};
		struct pcapng_packet q;
		const uint8_t *at;
		size_t len;

		pcapng_packet_head(&p, block);
		len = pcapng_packet_tail(&p, block + PCAPNG_HEAD_SIZE + p.kept);
		len += PCAPNG_HEAD_SIZE + p.kept;
		assert_int_equal(len, pcapng_packet_size(&p));
		assert_int_equal(
		    pcapng_read_packet(block, (uint32_t)len, &q, &at, comment),
		    0);
		assert_int_equal(q.time_ns, NOW_NS);
		assert_int_equal(q.kept, p.kept);
		assert_int_equal(q.len, 1000);
		assert_int_equal(q.lost, p.lost);
		assert_int_equal(q.direction, PCAPNG_OUT);
		assert_int_equal(
		    (q.comment[0] != NULL) + (q.comment[1] != NULL),
		    (p.comment[0] != NULL) + (p.comment[1] != NULL));
		if (p.comment[0] != NULL)
			assert_int_equal(
			    strlen(q.comment[0]), PCAPNG_COMMENT_MAX);
		/* Cut anywhere, it is refused. */
		for (uint32_t cut = 0; cut < len; cut++)
			assert_int_equal(
			    pcapng_read_packet(block, cut, &q, &at, comment),
			    -EBADMSG);
	}
}

/* The short way writes the same. */
static void
test_plain_packets(void **state)
{
	uint8_t data[80], block[PCAPNG_HEAD_SIZE + 80 + PCAPNG_TAIL_MAX];
	uint8_t other[sizeof(block)];

	(void)state;
	memset(data, 0xaa, sizeof(data));
	for (uint32_t kept = 0; kept <= 80; kept++) {
		struct pcapng_packet p = {
			.time_ns = NOW_NS,
			.len = 90,
			.kept = kept,
			.direction = PCAPNG_IN,
		};
		size_t len = PCAPNG_HEAD_SIZE + kept;

		memset(block, 0xee, sizeof(block));
		memset(other, 0xee, sizeof(other));
		pcapng_packet_head(&p, other);
		memcpy(other + PCAPNG_HEAD_SIZE, data, kept);
		len += pcapng_packet_tail(&p, other + len);
		assert_int_equal(pcapng_plain_size(kept), len);
		pcapng_plain(block, NOW_NS, 90, kept, PCAPNG_IN, data);
		assert_memory_equal(block, other, sizeof(block));
	}
}

/* Where the memory wraps, too. */
static void
test_many_sizes_around_the_memory(void **state)
{
	(void)state;
	BEGIN(0, l.p[0], .in = true);
	for (uint32_t i = 1; i <= 5000; i++) {
		struct frame_batch b = { .count = 1 };
		struct frame *f =
		    frame_make(l.net, BROADCAST, station(1), 0, i);

		f->len = 64 + i * 7 % 1000;
		for (uint32_t k = 60; k < f->len; k++)
			f->data[k] = (uint8_t)(k + i);
		be32_put(f->data + f->len - 4, i);
		b.frames[0] = f;
		iface_input(l.p[0], &b);
		assert_taken(0, i);
		for (uint32_t k = 60; k < look[0].p.kept - 4; k++)
			if (look[0].bytes[k] != (uint8_t)(k + i))
				fail_msg("byte %u of frame %u", k, i);
		mock_of(l.p[1])->sent.count = 0;
		mock_of(l.p[2])->sent.count = 0;
		mock_of(l.p[3])->sent.count = 0;
	}
	assert_count(0, LOST, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_in_and_out),
		TEST(test_one_way),
		TEST(test_tag_in_place),
		TEST(test_snaplen_and_program_cut),
		TEST(test_offload_is_said),
		TEST(test_count_ends_it),
		TEST(test_count_ends_it_within_a_batch),
		TEST(test_full_stream_loses_and_counts),
		TEST(test_sleeper_is_woken_once),
		TEST(test_nonsense_from_the_reader_ends_it),
		TEST(test_other_memory_is_refused),
		TEST(test_nothing_remains),
		TEST(test_interface_ends),
		TEST(test_limit_of_an_interface),
		TEST(test_drops_have_the_reason),
		TEST(test_drops_outbound),
		TEST(test_drops_of_the_host),
		TEST(test_drops_without_a_frame_are_counted),
		TEST(test_short_frames_are_shown),
		TEST(test_dropped_super_frame_says_both),
		TEST(test_drops_of_the_end),
		TEST(test_bridge_sees_what_is_forwarded),
		TEST(test_bridge_sees_its_host),
		TEST(test_bridge_sees_hosts_of_members),
		TEST(test_bridge_shows_the_vlan),
		TEST(test_monitor_mode_merges),
		TEST(test_monitor_mode_sends_nothing),
		TEST(test_monitor_mode_rests_spanning_tree),
		TEST(test_file_begins_and_ends),
		TEST(test_sizes_of_packets),
		TEST(test_plain_packets),
		TEST(test_many_sizes_around_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

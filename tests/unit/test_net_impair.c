/* SPDX-License-Identifier: BSD-2-Clause */
/* An interface with a bad wire: both directions, in virtual time. */
#include <errno.h>
#include <stdlib.h>

#include "base/timerheap.h"
#include "frame/offload.h"
#include "frame_gen.h"
#include "net/impair.h"
#include "net_fixture.h"

#define MS 1000000u

#define SENT_MAX 4096

/* A kind that remembers what went out of it, and when. */
struct probe {
	struct iface ifp;
	uint32_t sent;
	struct {
		uint64_t at_ns;
		uint32_t len;
		uint8_t mark;
		struct frame_offload off;
	} log[SENT_MAX];
	/* Sends one frame more the next time that something goes out. */
	bool echo;
};

static int
probe_create(struct iface *ifp)
{
	ifp->mac[0] = 2;
	ifp->caps = OFFLOAD_ALL;
	return 0;
}

static void
probe_destroy(struct iface *ifp)
{
	(void)ifp;
}

static void
probe_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct probe *p = (struct probe *)ifp;

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		iface_count_out(ifp, f);
		p->log[p->sent % SENT_MAX].at_ns = ifp->net->now_ns;
		p->log[p->sent % SENT_MAX].len = f->len;
		p->log[p->sent % SENT_MAX].mark = f->data[f->len - 1];
		p->log[p->sent % SENT_MAX].off = f->off;
		p->sent++;
		frame_release(f);
	}
	if (p->echo) {
		p->echo = false;
		fixture_output(ifp, 1, 99);
	}
}

static void
probe_changed(struct iface *ifp, uint32_t what)
{
	if ((what & IFACE_CHANGED_FLAGS) != 0)
		iface_set_running(ifp, (ifp->flags & IFACE_UP) != 0);
}

static const struct iface_ops probe_ops = {
	.kind = "probe",
	.about = "test",
	.kind_flags = IFACE_KIND_ETHERNET,
	.unit_max = 9,
	.mtu_default = 1500,
	.mtu_min = 100,
	.mtu_max = 9000,
	.size = sizeof(struct probe),
	.create = probe_create,
	.destroy = probe_destroy,
	.transmit = probe_transmit,
	.changed = probe_changed,
};
static const struct iface_ops switch_ops = {
	.kind = "switch",
	.about = "test: a kind without a wire",
	.mtu_default = 1500,
	.mtu_max = 1500,
	.size = sizeof(struct iface),
	.create = probe_create,
	.destroy = probe_destroy,
	.transmit = probe_transmit,
};
static const struct iface_ops *const kinds[] = { &probe_ops, &switch_ops,
	NULL };

static struct {
	struct net *net;
	struct timerheap timers;
	struct iface *ifp;
	struct probe *p;
	struct fixture_sink sink;
	uint64_t start_ns;
} t;

static int
setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.net = fixture_net(kinds, NULL, 2048);
	t.net->timers = &t.timers;
	t.ifp = fixture_iface_up(t.net, "probe0");
	t.p = (struct probe *)t.ifp;
	fixture_sink_init(&t.sink);
	assert_int_equal(iface_stack_attach(t.ifp, &t.sink.stack), 0);
	t.start_ns = t.net->now_ns;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	net_destroy(t.net); /* asserts that all frames are back */
	assert_int_equal(t.timers.count, 0);
	timerheap_fini(&t.timers);
	return 0;
}

/* As the command does. Return: of iface_impair(). */
static int
impair_try(const char *line)
{
	char copy[256], why[IMPAIR_WHY_MAX], *save, *w;
	struct impair_change ch;
	const char *words[32];
	uint32_t n = 0;

	strcpy(copy, line);
	for (w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	assert_int_equal(impair_parse(words, n, &ch, why, sizeof(why)), n);
	return iface_impair(t.ifp, &ch);
}

static void
impair(const char *line)
{
	assert_int_equal(impair_try(line), 0);
}

/* Lets the time pass, timer by timer. */
static void
pass_until(uint64_t ms)
{
	uint64_t end = t.start_ns + ms * MS, due;

	while ((due = timerheap_next_due(&t.timers)) <= end) {
		t.net->now_ns = COAX_MAX(t.net->now_ns, due);
		timerheap_run(&t.timers, t.net->now_ns, 8);
	}
	t.net->now_ns = end;
}

static void
input(uint32_t count, uint32_t len)
{
	struct frame_batch b;

	fixture_batch(t.net, &b, count, len);
	iface_input(t.ifp, &b);
}

/* A counter of the print-out. */
static uint64_t
counted(const char *way, const char *key)
{
	struct fixture_info i;
	char want[64];
	const char *at;

	fixture_get_init(&i);
	iface_impair_get(t.ifp, &i.info);
	at = strstr(i.text, way);
	assert_non_null(at);
	snprintf(want, sizeof(want), " %s=", key);
	at = strstr(at, want);
	assert_non_null(at);
	return strtoull(at + strlen(want), NULL, 10);
}

static void
test_nothing_is_there_at_first(void **state)
{
	(void)state;
	assert_null(t.ifp->impair);
	input(3, 60);
	fixture_output(t.ifp, 3, 60);
	assert_int_equal(t.sink.frames, 3);
	assert_int_equal(t.p->sent, 3);
	iface_impair_off(t.ifp, true, true);
}

static void
test_each_direction_has_its_own(void **state)
{
	(void)state;
	impair("in delay 10ms out delay 20ms");
	input(2, 60);
	fixture_output(t.ifp, 3, 60);
	pass_until(9);
	assert_int_equal(t.sink.frames, 0);
	pass_until(10);
	assert_int_equal(t.sink.frames, 2);
	assert_int_equal(t.p->sent, 0);
	pass_until(19);
	assert_int_equal(t.p->sent, 0);
	pass_until(20);
	assert_int_equal(t.p->sent, 3);
	assert_true(t.p->log[0].at_ns == t.start_ns + 20 * MS);
	/* Only one of them. */
	iface_impair_off(t.ifp, true, false);
	input(1, 60);
	assert_int_equal(t.sink.frames, 3);
	fixture_output(t.ifp, 1, 60);
	assert_int_equal(t.p->sent, 3);
	iface_impair_off(t.ifp, false, true);
	assert_int_equal(t.p->sent, 4); /* what waited goes on at once */
	assert_null(t.ifp->impair);
}

static void
test_loss_is_a_counted_drop(void **state)
{
	(void)state;
	impair("loss 100%");
	input(5, 60);
	fixture_output(t.ifp, 7, 60);
	assert_int_equal(t.sink.frames, 0);
	assert_int_equal(t.p->sent, 0);
	assert_int_equal(t.ifp->count.drops[DROP_IMPAIR_LOSS], 12);
	assert_int_equal(counted("in", "lost"), 5);
	assert_int_equal(counted("out", "lost"), 7);
	/* Lost on the wire: it was not received. */
	assert_int_equal(t.ifp->count.ipackets, 0);
	assert_int_equal(t.ifp->count.opackets, 0);
	fixture_pool_is_whole(t.net, 0);
}

/* The same frames in, the same frames out; and again after "seed". */
static void
test_a_seed_repeats_itself(void **state)
{
	uint8_t marks[2][64];
	uint32_t n[2];

	(void)state;
	for (int run = 0; run < 2; run++) {
		impair("out loss 30% duplicate 20% seed 7");
		t.p->sent = 0;
		fixture_output(t.ifp, 40, 60);
		n[run] = t.p->sent;
		for (uint32_t i = 0; i < n[run]; i++)
			marks[run][i] = t.p->log[i].mark;
		if (run == 0) {
			/* A change of something else does not restart it. */
			impair("out loss 31%");
			assert_int_equal(counted("out", "seed"), 7);
		}
	}
	assert_int_equal(n[0], n[1]);
	assert_memory_equal(marks[0], marks[1], n[0]);
	assert_in_range(n[0], 20, 39);
	impair("out loss 30%"); /* goes on, does not begin anew */
	t.p->sent = 0;
	fixture_output(t.ifp, 40, 60);
	for (uint32_t i = 0; i < t.p->sent && i < n[0]; i++)
		if (t.p->log[i].mark != marks[0][i])
			return;
	fail();
}

static void
test_without_a_seed_one_is_chosen_and_shown(void **state)
{
	uint64_t seed;

	(void)state;
	impair("loss 1%");
	seed = counted("in", "seed");
	assert_int_equal(counted("out", "seed"), seed);
	iface_impair_off(t.ifp, true, true);
	impair("loss 1%");
	assert_int_not_equal(counted("in", "seed"), seed);
}

static void
test_duplicates_are_two_of_the_same(void **state)
{
	(void)state;
	impair("duplicate 100% delay 1ms");
	fixture_output(t.ifp, 10, 60);
	input(10, 60);
	pass_until(1);
	assert_int_equal(t.p->sent, 20);
	assert_int_equal(t.sink.frames, 20);
	for (uint8_t i = 0; i < 20; i++)
		assert_int_equal(t.p->log[i].mark, i / 2);
	assert_int_equal(counted("out", "duplicated"), 10);
}

static void
test_reordered_frames_overtake(void **state)
{
	(void)state;
	impair("out delay 10ms reorder 10% seed 3");
	fixture_output(t.ifp, 64, 60);
	assert_in_range(t.p->sent, 1, 20);
	assert_int_equal(counted("out", "reordered"), t.p->sent);
	pass_until(10);
	assert_int_equal(t.p->sent, 64);
}

static void
test_jitter_may_keep_the_order(void **state)
{
	uint32_t swapped = 0;

	(void)state;
	impair("out delay 20ms jitter 5ms seed 1");
	for (int keep = 0; keep < 2; keep++) {
		t.p->sent = 0;
		for (uint32_t i = 0; i < 64; i++)
			fixture_output(t.ifp, 1, 60 + i);
		pass_until(100 * (keep + 1u));
		assert_int_equal(t.p->sent, 64);
		for (uint32_t i = 1; i < 64; i++)
			swapped += t.p->log[i].len < t.p->log[i - 1].len;
		assert_true(keep != 0 || swapped > 10);
		if (keep == 0)
			swapped = 0;
		impair("out order keep");
	}
	assert_int_equal(swapped, 0);
}

/* One bit, of a copy if somebody else reads the frame, and no record vouches
 * for it any more. */
static void
test_corruption_turns_one_bit(void **state)
{
	struct frame *f = fixture_frame(t.net, 100, 7);
	struct frame_batch b = { .count = 1 };
	uint8_t good[100];
	uint32_t bits = 0;

	(void)state;
	memcpy(good, f->data, 100);
	impair("in corrupt 100%");
	f->off.flags = FRAME_CSUM_VALID;
	b.frames[0] = frame_take(f);
	iface_input(t.ifp, &b);
	assert_memory_equal(f->data, good, 100);
	assert_int_equal(t.sink.last_len, 100);
	for (int i = 0; i < 100; i++)
		bits += (uint32_t)__builtin_popcount(t.sink.last[i] ^ good[i]);
	assert_int_equal(bits, 1);
	assert_int_equal(t.sink.last_off.flags, 0);
	assert_int_equal(counted("in", "corrupted"), 1);
	frame_release(f);
}

/* Of two the second is as it was. */
static void
test_a_duplicate_of_what_is_corrupted_is_good(void **state)
{
	struct frame *f = fixture_frame(t.net, 100, 7);
	struct frame_batch b = { .count = 1 };

	(void)state;
	impair("in corrupt 100% duplicate 100%");
	b.frames[0] = frame_take(f);
	iface_input(t.ifp, &b);
	assert_int_equal(t.sink.frames, 2);
	assert_int_equal(t.sink.last_len, 100);
	assert_memory_equal(t.sink.last, f->data, 100);
	assert_int_equal(counted("in", "corrupted"), 1);
	assert_int_equal(counted("in", "duplicated"), 1);
	frame_release(f);
}

static void
test_nothing_to_corrupt_in_nothing(void **state)
{
	struct frame_batch b = { .count = 1 };

	(void)state;
	impair("in corrupt 100%");
	b.frames[0] = frame_alloc(t.net->pool, 0);
	iface_input(t.ifp, &b);
	assert_int_equal(t.ifp->count.drops[DROP_RUNT], 1);
}

/* 1250 bytes at 10 Mbit/s are a millisecond. */
static void
test_rate(void **state)
{
	(void)state;
	impair("out rate 10Mbit");
	fixture_output(t.ifp, 50, 1250);
	for (uint32_t ms = 0; ms <= 50; ms++) {
		pass_until(ms);
		assert_int_equal(t.p->sent, ms);
	}
	/* A change holds for what waits. */
	fixture_output(t.ifp, 50, 1250);
	pass_until(60);
	assert_int_equal(t.p->sent, 60);
	impair("out rate 100Mbit");
	pass_until(64);
	assert_int_equal(t.p->sent, 100);
	impair("out rate 1kbit");
	fixture_output(t.ifp, 50, 1250);
	impair("out rate 0");
	assert_int_equal(t.p->sent, 150);
}

static void
test_limit_and_share_are_counted_drops(void **state)
{
	(void)state;
	impair("out delay 1s limit 10");
	fixture_output(t.ifp, 64, 60);
	assert_int_equal(t.ifp->count.drops[DROP_IMPAIR_LIMIT], 54);
	assert_int_equal(counted("out", "held"), 10);
	/* A quarter of 2048 small frames, whatever the limit. */
	impair("out limit 65536");
	for (int i = 0; i < 16; i++)
		fixture_output(t.ifp, 64, 60);
	assert_int_equal(counted("out", "held"), 512);
	assert_int_equal(
	    t.ifp->count.drops[DROP_IMPAIR_SHARE], 10 + 16 * 64 - 512);
	assert_int_equal(counted("out", "over_share"), 10 + 16 * 64 - 512);
	fixture_pool_is_whole(t.net, 512);
	pass_until(1000);
	assert_int_equal(t.p->sent, 512);
}

/* What a timer finds due at once goes in portions, and all of it goes. */
static void
test_many_due_at_once(void **state)
{
	(void)state;
	impair("out delay 5ms");
	for (int i = 0; i < 8; i++)
		fixture_output(t.ifp, 64, 60);
	t.net->now_ns += 5 * MS;
	assert_int_equal(timerheap_run(&t.timers, t.net->now_ns, 1), 1);
	assert_int_equal(t.p->sent, 256);
	assert_int_equal(timerheap_run(&t.timers, t.net->now_ns, 8), 1);
	assert_int_equal(t.p->sent, 512);
}

static void
test_down_drops_what_waits(void **state)
{
	(void)state;
	impair("delay 5ms");
	input(3, 60);
	fixture_output(t.ifp, 4, 60);
	iface_set_flags(t.ifp, 0, IFACE_UP);
	assert_int_equal(t.ifp->count.drops[DROP_IF_DOWN_IN], 3);
	assert_int_equal(t.ifp->count.drops[DROP_IF_DOWN], 4);
	fixture_pool_is_whole(t.net, 0);
	iface_set_flags(t.ifp, IFACE_UP, 0);
	input(1, 60);
	pass_until(5);
	assert_int_equal(t.sink.frames, 1);
	assert_int_equal(t.p->sent, 0);
}

static void
test_destroyed_while_frames_wait(void **state)
{
	struct fixture_events ev;

	(void)state;
	fixture_subscribe(t.net, &ev);
	impair("delay 5ms");
	input(3, 60);
	fixture_output(t.ifp, 4, 60);
	assert_int_equal(net_iface_destroy(t.ifp, NULL), 0);
	assert_int_equal(ev.count[NET_EVENT_DROPS], 1);
	assert_int_equal(t.timers.count, 0);
	fixture_pool_is_whole(t.net, 0);
	net_unsubscribe(t.net, &ev.sub);
}

/* What the driver's transmit sends back into the pipe is not lost and not sent
 * out of turn. */
static void
test_sending_from_inside_sending(void **state)
{
	(void)state;
	impair("out loss 0");
	t.p->echo = true;
	fixture_output(t.ifp, 2, 60);
	assert_int_equal(t.p->sent, 3);
	assert_int_equal(t.p->log[2].len, 99);
}

/* A super-frame is lost, delayed and paced by its segments, whose sums are
 * complete: also towards an output that takes it whole. */
static void
test_super_frames_are_made_plain(void **state)
{
	static const struct super_limits lim = { .mss_max = 1400,
		.payload_max = 20000,
		.segments_max = 40,
		.no_udp = true,
		.no_rare = true };
	struct prng g = prng_init(4);
	static struct super s;
	enum drop_reason why;
	uint32_t segments;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct frame_batch b = { .count = 1 };
		struct frame *f = frame_alloc(t.net->pool, SUPER_ROOM - 400);

		do {
			super_make(&s, &g, &lim);
		} while (s.payload <= s.mss || s.len > SUPER_ROOM - 400);
		assert_non_null(f);
		memcpy(f->data, s.data, s.len);
		f->len = s.len;
		f->off = (struct frame_offload){
			.flags = FRAME_CSUM_PARTIAL,
			.gso_type =
			    s.ip == 4 ? FRAME_GSO_TCPV4 : FRAME_GSO_TCPV6,
			.gso_size = (uint16_t)s.mss,
			.csum_start = (uint16_t)s.l4,
			.csum_offset = 16,
		};
		assert_int_equal(offload_check(f, &why), 0);
		segments = (s.payload + s.mss - 1) / s.mss;
		/* Whole, without an impairment. */
		iface_impair_off(t.ifp, true, true);
		t.p->sent = 0;
		b.frames[0] = frame_take(f);
		iface_output(t.ifp, &b);
		assert_int_equal(t.p->sent, 1);
		impair("loss 0");
		b.count = 1;
		b.frames[0] = frame_take(f);
		iface_output(t.ifp, &b);
		assert_int_equal(t.p->sent, 1 + segments);
		for (uint32_t k = 1; k <= segments; k++)
			assert_int_equal(t.p->log[k].off.flags, 0);
		t.sink.frames = 0;
		b.count = 1;
		b.frames[0] = f;
		iface_input(t.ifp, &b);
		assert_int_equal(t.sink.frames, segments);
		assert_int_equal(t.sink.last_off.flags, 0);
		assert_int_equal(t.sink.last_off.gso_type, 0);
	}
	assert_int_equal(fixture_drops(t.ifp), 0);
}

/* Without anybody who keeps time, what is due goes on with what comes next. */
static void
test_without_timers(void **state)
{
	(void)state;
	t.net->timers = NULL;
	impair("out delay 5ms");
	fixture_output(t.ifp, 1, 60);
	t.net->now_ns += 5 * MS;
	fixture_output(t.ifp, 1, 60);
	assert_int_equal(t.p->sent, 1);
	iface_impair_off(t.ifp, true, true);
	assert_int_equal(t.p->sent, 2);
	t.net->timers = &t.timers;
}

static void
test_refusals_change_nothing(void **state)
{
	struct fixture_events ev;
	struct impair_change ch = { .set = { IMPAIR_SET_DELAY, 0 } };

	(void)state;
	fixture_subscribe(t.net, &ev);
	assert_int_equal(impair_try("reorder 1%"), -EINVAL);
	assert_non_null(strstr(t.net->message, "overtake"));
	assert_null(t.ifp->impair);
	/* One direction would be in order, the other not. */
	impair("in rate 1Mbit");
	assert_int_equal(ev.count[NET_EVENT_CHANGE], 1);
	assert_int_equal(ev.last.what, IFACE_CHANGED_IMPAIR);
	assert_int_equal(impair_try("burst 1k"), -EINVAL);
	assert_int_equal(counted("in", "burst_bytes"), 0);
	assert_int_equal(ev.count[NET_EVENT_CHANGE], 1);
	assert_int_equal(
	    iface_impair(fixture_iface(t.net, "switch"), &ch), -EOPNOTSUPP);
	net_unsubscribe(t.net, &ev.sub);
}

/* Frames on a long line are in queues of whose interface it is. */
static void
test_what_waits_counts_for_its_user(void **state)
{
	(void)state;
	t.net->user_limits.queues_kib = 1;
	assert_int_equal(net_user_change(t.ifp, 7), 0);
	impair("delay 10ms");
	fixture_output(t.ifp, 20, 100);
	input(5, 100);
	/* Ten of 100 bytes are in 1024, whichever way they go. */
	assert_int_equal(t.ifp->user->queued, 1000);
	assert_int_equal(t.ifp->count.drops[DROP_IMPAIR_SHARE], 15);
	assert_int_equal(counted("out", "over_share"), 10);
	pass_until(10);
	assert_int_equal(t.p->sent, 10);
	assert_int_equal(t.ifp->user->queued, 0);
	input(3, 100);
	assert_int_equal(t.ifp->user->queued, 300);
	iface_impair_off(t.ifp, true, true);
	assert_int_equal(t.sink.frames, 3);
	assert_int_equal(t.ifp->user->queued, 0);
	/* Without a limit, as much as the pipe takes. */
	t.net->user_limits.queues_kib = 0;
	impair("delay 10ms");
	fixture_output(t.ifp, 20, 100);
	assert_int_equal(t.ifp->user->queued, 2000);
	assert_int_equal(iface_set_flags(t.ifp, 0, IFACE_UP), 0);
	assert_int_equal(t.ifp->user->queued, 0);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_nothing_is_there_at_first),
		T(test_each_direction_has_its_own),
		T(test_loss_is_a_counted_drop),
		T(test_a_seed_repeats_itself),
		T(test_without_a_seed_one_is_chosen_and_shown),
		T(test_duplicates_are_two_of_the_same),
		T(test_reordered_frames_overtake),
		T(test_jitter_may_keep_the_order),
		T(test_corruption_turns_one_bit),
		T(test_a_duplicate_of_what_is_corrupted_is_good),
		T(test_nothing_to_corrupt_in_nothing),
		T(test_rate),
		T(test_limit_and_share_are_counted_drops),
		T(test_many_due_at_once),
		T(test_down_drops_what_waits),
		T(test_destroyed_while_frames_wait),
		T(test_sending_from_inside_sending),
		T(test_super_frames_are_made_plain),
		T(test_without_timers),
		T(test_refusals_change_nothing),
		T(test_what_waits_counts_for_its_user),
	};
#undef T
	return cmocka_run_group_tests_name("net_impair", tests, NULL, NULL);
}

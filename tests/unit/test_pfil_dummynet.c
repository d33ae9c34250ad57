/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes and queues, in virtual time. */
#include "pfil_fixture.h"

#include "base/quantity.h"
#include "pfil/ipfw.h"

#define MS   1000000u
#define S    1000000000u
#define MBIT 1000000u

static struct lab l;
static struct ipfw *fw;

/* When each frame came out, by its number. */
static struct out {
	uint64_t at_ns[SEEN_MAX];
	uint32_t ids[SEEN_MAX], lens[SEEN_MAX], count;
} out;

static void
note_transmit(struct iface *ifp, struct frame_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct frame *f = batch->frames[i];

		if (ifp == l.p[1] && out.count < SEEN_MAX) {
			out.at_ns[out.count] = ifp->net->now_ns;
			out.lens[out.count] = f->len;
			out.ids[out.count++] = frame_id(f);
		}
		frame_release(batch->frames[i]);
	}
}

static struct iface_ops ops;

static int
setup(void **state)
{
	(void)state;
	lab_init(&l, 2);
	l.net->now_ns = 1000 * (uint64_t)S;
	pfil_init(l.net);
	assert_int_equal(ipfw_of(l.net->home, &fw), 0);
	lab_in(&l, 0, BROADCAST, station(1), 1);
	lab_in(&l, 1, BROADCAST, station(2), 1);
	bridge_tunable_set(l.net->home, BRIDGE_IPFW, 1);
	ops = *l.p[0]->ops;
	ops.transmit = note_transmit;
	l.p[0]->ops = l.p[1]->ops = &ops;
	memset(&out, 0, sizeof(out));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	/* Whatever waits comes back: net_destroy() asserts it. */
	net_destroy(l.net);
	timerheap_fini(&l.timers);
	return 0;
}

static void
rule(const char *text)
{
	static struct ipfw_text t;
	struct ipfw_error error;
	uint32_t number;

	assert_int_equal(ipfw_parse(&text, 1, &t, &error), 0);
	assert_int_equal(ipfw_add(fw, &t, &number), 0);
	assert_int_equal(ipfw_commit(fw), 0);
}

static void
pipe_set(uint32_t n, uint64_t bw, uint32_t delay_ms, uint32_t slots)
{
	struct dn_config c = dn_defaults();

	c.bw = bw;
	c.delay_ms = delay_ms;
	c.slots = slots;
	assert_int_equal(dn_config(&fw->pipes, false, n, &c), 0);
}

/* Time goes on, event by event. */
static void
until(uint64_t end_ns)
{
	for (;;) {
		uint64_t next = timerheap_next_due(&l.timers);

		if (next > end_ns)
			break;
		if (next > l.net->now_ns)
			l.net->now_ns = next;
		(void)timerheap_run(&l.timers, l.net->now_ns, 64);
	}
	l.net->now_ns = end_ns;
}

static struct packet
packet(uint32_t id, uint32_t len)
{
	return (struct packet){
		.dst = station(2),
		.src = station(1),
		.sip = 0x0a000001,
		.dip = 0x0a000002,
		.proto = IP_PROTO_UDP,
		.sport = 1000,
		.dport = 53,
		.id = id,
		.payload = len - 42,
	};
}

static void
send(uint32_t id, uint32_t len)
{
	struct packet k = packet(id, len);

	packet_in(&l, 0, &k);
}

/* --- pipes ---------------------------------------------------------------- */

/* Rate within 1 %, delay within 0.3 ms: both are exact here. */
static void
test_rate_and_delay(void **state)
{
	static const uint64_t rates[] = { 64000, MBIT, 10 * MBIT, 973 * MBIT };
	uint64_t start = l.net->now_ns;

	(void)state;
	rule("10 pipe 1 ip from any to any");
	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		uint64_t bits = 0, want, took;

		pipe_set(1, rates[i], 20, 200);
		out.count = 0;
		start = l.net->now_ns;
		for (uint32_t n = 0; n < 100; n++) {
			send(n, 100 + 10 * n);
			bits += 8 * (100 + 10 * n);
		}
		until(start + 3600 * (uint64_t)S);
		assert_int_equal(out.count, 100);
		took = out.at_ns[99] - start - 20 * MS;
		want = bits * S / rates[i];
		assert_true(took >= want && took <= want + 2);
		/* The first: its own bits, and the delay. */
		want = start + 20 * MS + 800 * (uint64_t)S / rates[i];
		assert_true(out.at_ns[0] >= want && out.at_ns[0] <= want + 1);
		for (uint32_t n = 0; n < 100; n++)
			assert_int_equal(out.ids[n], n); /* FIFO */
	}
}

static void
test_delay_alone(void **state)
{
	uint64_t start = l.net->now_ns;

	(void)state;
	rule("10 pipe 1 ip from any to any");
	pipe_set(1, 0, 7, 50);
	send(1, 100);
	until(start + 6 * MS);
	assert_int_equal(out.count, 0);
	until(start + S);
	assert_int_equal(out.at_ns[0], start + 7 * MS);
	/* No delay, no rate: at once. */
	pipe_set(1, 0, 0, 50);
	send(2, 100);
	assert_int_equal(out.count, 2);
}

static void
test_queue_limits(void **state)
{
	struct dn_config c = dn_defaults();

	(void)state;
	rule("10 pipe 1 ip from any to any");
	pipe_set(1, MBIT, 0, 5);
	for (uint32_t n = 0; n < 20; n++)
		send(n, 1000);
	until(l.net->now_ns + S);
	assert_int_equal(out.count, 6); /* one on the link */
	assert_drop(l.p[1], PIPE_FULL, 14);
	c.bw = MBIT;
	c.slots = 0;
	c.bytes = 3500;
	assert_int_equal(dn_config(&fw->pipes, false, 1, &c), 0);
	for (uint32_t n = 0; n < 20; n++)
		send(n, 1000);
	until(l.net->now_ns + S);
	assert_int_equal(out.count, 6 + 4);
}

static void
test_loss(void **state)
{
	struct dn_config c = dn_defaults();

	(void)state;
	rule("10 pipe 1 ip from any to any");
	c.plr = QUANTITY_WHOLE / 10;
	assert_int_equal(dn_config(&fw->pipes, false, 1, &c), 0);
	for (uint32_t n = 0; n < 4000; n++)
		send(n, 100);
	assert_true(out.count > 3500 && out.count < 3700);
	assert_int_equal(l.p[1]->count.drops[DROP_PIPE_LOSS], 4000 - out.count);
}

static void
test_burst(void **state)
{
	struct dn_config c = dn_defaults();
	uint64_t start;

	(void)state;
	rule("10 pipe 1 ip from any to any");
	c.bw = MBIT;
	c.burst = 10000;
	assert_int_equal(dn_config(&fw->pipes, false, 1, &c), 0);
	l.net->now_ns += 10 * (uint64_t)S; /* idle: the burst is there */
	start = l.net->now_ns;
	for (uint32_t n = 0; n < 20; n++)
		send(n, 1000);
	until(start + S);
	assert_int_equal(out.count, 20);
	assert_int_equal(out.at_ns[9], start);
	/* Then by the rate: 8 ms each. */
	assert_int_equal(out.at_ns[19], start + 80 * MS);
}

/* --- queues --------------------------------------------------------------- */

/* Bytes of each port in what came out. */
static void
shares(uint64_t *a, uint64_t *b)
{
	*a = *b = 0;
	for (uint32_t i = 0; i < out.count; i++)
		*(out.ids[i] < 100000 ? a : b) += out.lens[i];
}

/* Queues that always wait get the pipe as their weights say, whatever the
 * sizes of their packets. */
static void
test_weights(void **state)
{
	static const uint32_t weights[][2] = { { 1, 1 }, { 30, 10 },
		{ 100, 1 } };
	static const uint32_t sizes[][2] = { { 1000, 1000 }, { 1500, 100 },
		{ 64, 1500 } };

	(void)state;
	rule("10 queue 1 udp from any to any 1");
	rule("20 queue 2 udp from any to any 2");
	for (size_t w = 0; w < ARRAY_LEN(weights); w++)
		for (size_t z = 0; z < ARRAY_LEN(sizes); z++) {
			struct dn_config c = dn_defaults();
			uint64_t a, b, want, rate = 10 * MBIT, step;
			uint32_t id = 0;

			pipe_set(1, rate, 0, 50);
			c.pipe = 1;
			c.slots = 100;
			for (uint32_t q = 0; q < 2; q++) {
				c.weight = weights[w][q];
				assert_int_equal(
				    dn_config(&fw->pipes, true, q + 1, &c), 0);
			}
			until(l.net->now_ns + S);
			out.count = 0;
			/* Keep both full. */
			step = 64 * 8 * (uint64_t)S / rate;
			for (uint32_t n = 0; out.count < 3000; n++) {
				struct packet k =
				    packet(id++ % 50000, sizes[z][0]);

				k.dport = 1;
				packet_in(&l, 0, &k);
				k = packet(100000 + id, sizes[z][1]);
				k.dport = 2;
				packet_in(&l, 0, &k);
				until(l.net->now_ns + step);
			}
			shares(&a, &b);
			want = (a + b) * weights[w][0] /
			       (weights[w][0] + weights[w][1]);
			if (a < want * 97 / 100 || a > want * 103 / 100 + 3000)
				fail_msg("weights %u:%u sizes %u:%u: %llu of "
				         "%llu, not %llu",
				    weights[w][0], weights[w][1], sizes[z][0],
				    sizes[z][1], (unsigned long long)a,
				    (unsigned long long)(a + b),
				    (unsigned long long)want);
		}
}

/* A queue that has the pipe for itself has all of it, whatever its weight. */
static void
test_a_queue_alone_has_the_pipe(void **state)
{
	struct dn_config c = dn_defaults();
	uint64_t start = l.net->now_ns;

	(void)state;
	rule("10 queue 1 ip from any to any");
	pipe_set(1, MBIT, 0, 50);
	c.pipe = 1;
	c.weight = 1;
	assert_int_equal(dn_config(&fw->pipes, true, 1, &c), 0);
	for (uint32_t n = 0; n < 20; n++)
		send(n, 1250);
	until(start + S);
	assert_int_equal(out.count, 20);
	assert_int_equal(out.at_ns[19], start + 200 * MS);
}

/* The mask of a queue divides the pipe; that of a pipe gives each its own. */
static void
test_masks(void **state)
{
	(void)state;
	rule("10 pipe 1 udp from any to any 1");
	rule("20 queue 1 udp from any to any 2");
	for (int divided = 0; divided < 2; divided++) {
		struct dn_config c = dn_defaults();
		uint64_t start = l.net->now_ns, last;

		c.bw = MBIT;
		c.mask.set = divided == 0;
		c.mask.src_ip = UINT32_MAX;
		assert_int_equal(dn_config(&fw->pipes, false, 1, &c), 0);
		if (divided != 0) {
			c = dn_defaults();
			c.pipe = 1;
			c.mask.set = true;
			c.mask.src_ip = UINT32_MAX;
			assert_int_equal(dn_config(&fw->pipes, true, 1, &c), 0);
		}
		out.count = 0;
		for (uint32_t n = 0; n < 40; n++) {
			struct packet k = packet(n, 1250);

			k.sip += n % 4;
			k.dport = divided != 0 ? 2 : 1;
			packet_in(&l, 0, &k);
		}
		until(start + S);
		assert_int_equal(out.count, 40);
		last = out.at_ns[39] - start;
		assert_int_equal(last, (divided != 0 ? 400 : 100) * MS);
		/* Fair: the first four are of four flows. */
		for (uint32_t n = 0; divided != 0 && n < 40; n++)
			assert_int_equal(out.ids[n] / 4, n / 4);
	}
}

/* More flows than there may be: those that are idle make room, the rest shares.
 */
static void
test_flows_are_bounded(void **state)
{
	struct dn_config c = dn_defaults();

	(void)state;
	rule("10 pipe 1 ip from any to any");
	c.bw = 100 * MBIT;
	c.buckets = 1;
	c.mask.set = true;
	c.mask.src_ip = UINT32_MAX;
	assert_int_equal(dn_config(&fw->pipes, false, 1, &c), 0);
	for (uint32_t n = 0; n < 5000; n++) {
		struct packet k = packet(n, 100);

		k.sip += n;
		packet_in(&l, 0, &k);
		if (n % 16 == 0)
			until(l.net->now_ns + MS);
	}
	until(l.net->now_ns + S);
	assert_true(out.count + l.p[1]->count.drops[DROP_PIPE_FULL] == 5000 ||
	            out.count == SEEN_MAX);
}

/* --- rules and pipes ------------------------------------------------------ */

static void
test_one_pass(void **state)
{
	(void)state;
	rule("10 pipe 1 ip from any to any");
	rule("20 deny ip from any to any");
	pipe_set(1, 0, 5, 50);
	send(1, 100);
	until(l.net->now_ns + S);
	assert_int_equal(out.count, 1);
	assert_int_equal(ipfw_set(fw, IPFW_ONE_PASS, 0), 0);
	send(2, 100);
	until(l.net->now_ns + S);
	assert_int_equal(out.count, 1);
	assert_drop(l.p[1], FILTERED, 1);
	/* Behind the rule that it came from, though that has gone. */
	send(3, 100);
	{
		const struct ipfw_range ten = { 10, 10, UINT32_MAX };

		assert_int_equal(ipfw_delete(fw, &ten), 1);
	}
	rule("15 allow ip from any to any");
	until(l.net->now_ns + S);
	assert_int_equal(out.count, 2);
}

static void
test_pipes_that_are_not_there(void **state)
{
	(void)state;
	rule("10 pipe 9 ip from any to any");
	send(1, 100);
	assert_int_equal(out.count, 0);
	assert_drop(l.p[1], PIPE_NONE, 1);
}

/* What waits: dropped with the pipe, on its way if only the shape changes. */
static void
test_delete_and_change(void **state)
{
	struct dn_config c = dn_defaults();

	(void)state;
	rule("10 pipe 1 ip from any to any");
	pipe_set(1, MBIT, 100, 50);
	for (uint32_t n = 0; n < 10; n++)
		send(n, 1000);
	assert_int_equal(dn_delete(&fw->pipes, false, 1), 0);
	until(l.net->now_ns + S);
	assert_int_equal(out.count, 0);
	assert_drop(l.p[1], PIPE_NONE, 10);
	pipe_set(1, MBIT, 100, 50);
	for (uint32_t n = 0; n < 10; n++)
		send(n, 1000);
	c.mask.set = true;
	assert_int_equal(dn_config(&fw->pipes, false, 1, &c), 0);
	assert_int_equal(out.count, 10);
	/* A new rate holds for what waits. */
	c = dn_defaults();
	pipe_set(1, 64000, 0, 50);
	for (uint32_t n = 0; n < 10; n++)
		send(n, 1000);
	pipe_set(1, 100 * MBIT, 0, 50);
	until(l.net->now_ns + S);
	assert_int_equal(out.count, 20);
	assert_int_equal(dn_delete(&fw->pipes, false, 5), -ENOENT);
	c.pipe = 77;
	/* A queue before its pipe: it drops until there is one. */
	assert_int_equal(dn_config(&fw->pipes, true, 1, &c), 0);
	rule("5 queue 1 ip from any to any");
	send(1, 100);
	assert_int_equal(out.count, 20);
	c = dn_defaults();
	c.mask.set = true;
	c.mask.src_ip = UINT32_MAX;
	assert_int_equal(dn_config(&fw->pipes, false, 77, &c), 0);
	for (uint32_t n = 0; n < 5; n++) {
		struct packet k = packet(n, 100);

		k.sip += n;
		packet_in(&l, 0, &k);
	}
	assert_int_equal(out.count, 25);
}

/* No pipe takes the pool: what all hold is bounded, and comes back. */
static void
test_pipes_have_a_share_of_the_pool(void **state)
{
	(void)state;
	rule("10 pipe 1 ip from any to any");
	pipe_set(1, 0, 10000, DN_SLOTS_MAX);
	for (uint32_t n = 0; n < 3000; n++)
		send(n, 100);
	assert_true(l.p[1]->count.drops[DROP_PIPE_SHARE] >= 2000);
	until(l.net->now_ns + 11 * (uint64_t)S);
	assert_int_equal(
	    out.count + l.p[1]->count.drops[DROP_PIPE_SHARE], 3000);
	assert_int_equal(l.net->pipe_share.small, 0);
	/* And with the net, whatever waits. */
	send(1, 100);
}

/* A super-frame is what a link carries: packets of the MTU. */
static void
test_super_frames_are_made_plain(void **state)
{
	struct packet k = packet(1, 14 + 40 + 4000);
	struct frame_batch b = { .count = 1 };
	enum drop_reason why;

	(void)state;
	rule("10 pipe 1 ip from any to any");
	pipe_set(1, MBIT, 0, 50);
	k.proto = IP_PROTO_TCP;
	k.tcp_flags = 0x10;
	k.payload = 4000;
	b.frames[0] = packet_make(l.net, &k);
	b.frames[0]->off = (struct frame_offload){
		.flags = FRAME_CSUM_PARTIAL,
		.gso_type = FRAME_GSO_TCPV4,
		.gso_size = 1000,
		.hdr_len = 54,
		.csum_start = 34,
		.csum_offset = 16,
	};
	assert_int_equal(offload_check(b.frames[0], &why), 0);
	iface_input(l.p[0], &b);
	until(l.net->now_ns + S);
	assert_int_equal(out.count, 4);
	assert_int_equal(out.lens[0], 1054);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_rate_and_delay),
		T(test_delay_alone),
		T(test_queue_limits),
		T(test_loss),
		T(test_burst),
		T(test_weights),
		T(test_a_queue_alone_has_the_pipe),
		T(test_masks),
		T(test_flows_are_bounded),
		T(test_one_pass),
		T(test_pipes_that_are_not_there),
		T(test_delete_and_change),
		T(test_pipes_have_a_share_of_the_pool),
		T(test_super_frames_are_made_plain),
	};

	return cmocka_run_group_tests_name("pfil_dummynet", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* stp/bpdu.h: octets of 802.1D-2004 clause 9.3, and what is refused. */
#include "stp_net.h"

static const uint8_t rst[STP_BPDU_RST_LEN] = { 0, 0, 2, 2, 0x3c, 0x80, 0, 2, 0,
	0, 0, 0, 1, 0, 0, 0x4e, 0x20, 0x70, 0, 2, 0, 0, 0, 0, 2, 0x80, 3, 1, 0,
	20, 0, 2, 0, 15, 0, 0 };

static void
test_rst_octets(void **state)
{
	struct stp_bpdu b;
	uint8_t out[STP_BPDU_LEN_MAX];

	(void)state;
	assert_int_equal(stp_bpdu_decode(rst, sizeof(rst), &b), 0);
	assert_int_equal(b.type, STP_BPDU_RST);
	assert_int_equal(b.flags, 0x3c);
	assert_int_equal(stp_bpdu_role(&b), STP_BPDU_ROLE_DESIGNATED);
	assert_true(b.root_id == 0x8000020000000001);
	assert_int_equal(b.root_path_cost, 20000);
	assert_true(b.bridge_id == 0x7000020000000002);
	assert_int_equal(b.port_id, 0x8003);
	assert_int_equal(b.times.message_age, 1);
	assert_int_equal(b.times.max_age, 20);
	assert_int_equal(b.times.hello, 2);
	assert_int_equal(b.times.fwd_delay, 15);
	assert_int_equal(stp_bpdu_encode(&b, out), STP_BPDU_RST_LEN);
	assert_memory_equal(out, rst, sizeof(rst));
}

static void
test_decode_refuses_truncated(void **state)
{
	uint8_t config[STP_BPDU_RST_LEN];

	(void)state;
	memcpy(config, rst, sizeof(rst));
	config[2] = config[3] = 0;
	for (size_t len = 0; len < sizeof(rst); len++) {
		struct stp_bpdu b = { .root_path_cost = 0xdead };

		assert_int_equal(stp_bpdu_decode(rst, len, &b), -EBADMSG);
		if (len < STP_BPDU_CONFIG_LEN)
			assert_int_equal(
			    stp_bpdu_decode(config, len, &b), -EBADMSG);
		assert_int_equal(b.root_path_cost, 0xdead);
	}
}

static void
test_decode_refuses_types_and_times(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int result;
	} cases[] = {
		{ 0, 1, -EPROTONOSUPPORT },
		{ 1, 1, -EPROTONOSUPPORT },
		{ 2, 0, -EPROTONOSUPPORT },
		{ 2, 1, -EPROTONOSUPPORT },
		{ 2, 3, 0 },
		{ 2, 255, 0 },
		{ 3, 1, -EPROTONOSUPPORT },
		{ 3, 0x81, -EPROTONOSUPPORT },
		{ 29, 5, -ERANGE },
		{ 29, 6, 0 },
		{ 29, 40, 0 },
		{ 29, 41, -ERANGE },
		{ 31, 0, -ERANGE },
		{ 31, 10, 0 },
		{ 31, 11, -ERANGE },
		{ 33, 3, -ERANGE },
		{ 33, 4, 0 },
		{ 33, 30, 0 },
		{ 33, 31, -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t data[sizeof(rst)];
		struct stp_bpdu b;

		memcpy(data, rst, sizeof(rst));
		data[cases[i].at] = cases[i].value;
		assert_int_equal(
		    stp_bpdu_decode(data, sizeof(data), &b), cases[i].result);
	}
}

static void
test_times_are_rounded(void **state)
{
	uint8_t data[sizeof(rst)];
	struct stp_bpdu b;

	(void)state;
	memcpy(data, rst, sizeof(rst));
	data[28] = 127;
	assert_int_equal(stp_bpdu_decode(data, sizeof(data), &b), 0);
	assert_int_equal(b.times.message_age, 1);
	data[28] = 128;
	assert_int_equal(stp_bpdu_decode(data, sizeof(data), &b), 0);
	assert_int_equal(b.times.message_age, 2);
}

/* A Config BPDU has two flags; whatever else is set there is not seen. */
static void
test_config_and_tcn(void **state)
{
	static const uint8_t tcn[] = { 0, 0, 0, 0x80 };
	uint8_t data[sizeof(rst)], out[STP_BPDU_LEN_MAX];
	struct stp_bpdu b;

	(void)state;
	memcpy(data, rst, sizeof(rst));
	data[2] = data[3] = 0;
	data[4] = 0xff;
	assert_int_equal(stp_bpdu_decode(data, STP_BPDU_CONFIG_LEN, &b), 0);
	assert_int_equal(b.flags, STP_FLAG_TC | STP_FLAG_TCA);
	assert_int_equal(stp_bpdu_encode(&b, out), STP_BPDU_CONFIG_LEN);
	assert_int_equal(stp_bpdu_decode(tcn, sizeof(tcn), &b), 0);
	assert_int_equal(b.type, STP_BPDU_TCN);
	assert_int_equal(stp_bpdu_encode(&b, out), sizeof(tcn));
	assert_memory_equal(out, tcn, sizeof(tcn));
}

static void
test_frame(void **state)
{
	static const uint8_t src[] = { 2, 0, 0, 0, 0, 9 };
	uint8_t frame[STP_FRAME_LEN_MAX];
	const uint8_t *bpdu;
	size_t len, bpdu_len;

	(void)state;
	len = stp_frame_encode(src, rst, sizeof(rst), frame);
	assert_int_equal(len, 14 + 39);
	assert_int_equal(frame[13], 39);
	assert_int_equal(stp_frame_decode(frame, len, &bpdu, &bpdu_len), 0);
	assert_int_equal(bpdu_len, sizeof(rst));
	assert_memory_equal(bpdu, rst, sizeof(rst));
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(
		    stp_frame_decode(frame, cut, &bpdu, &bpdu_len), -EBADMSG);
	frame[15] = 0xaa;
	assert_int_equal(
	    stp_frame_decode(frame, len, &bpdu, &bpdu_len), -EPROTONOSUPPORT);
}

static void
test_vectors(void **state)
{
	static const struct stp_vector v[] = { { 1, 5, 5, 5 }, { 2, 1, 5, 5 },
		{ 2, 2, 1, 5 }, { 2, 2, 2, 1 }, { 2, 2, 2, 2 } };
	struct stp_vector old = { 1, 1, 7, 0x8001 }, new = { 9, 9, 7, 0x1001 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 5; k++) {
			int c = stp_vector_compare(&v[i], &v[k]);

			assert_int_equal(c < 0, i < k);
			assert_int_equal(c > 0, i > k);
		}
	}
	/* Worse, but of the same port: it replaces what that port said. */
	assert_true(stp_vector_superior(&new, &old));
	new.port_id = 0x1002;
	assert_false(stp_vector_superior(&new, &old));
	assert_int_equal(stp_cost_add(UINT32_MAX - 1, 2), UINT32_MAX);
	assert_int_equal(stp_cost_add(1, 2), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rst_octets),
		cmocka_unit_test(test_decode_refuses_truncated),
		cmocka_unit_test(test_decode_refuses_types_and_times),
		cmocka_unit_test(test_times_are_rounded),
		cmocka_unit_test(test_config_and_tcn),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

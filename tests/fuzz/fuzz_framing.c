/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a peer's socket brings: a stream of records, read in pieces of every
 * size, must give the records that a look at the whole gives; and the addresses
 * of sockets, which print as they read.
 *
 * The first byte chooses: an address, or the sizes of the pieces.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/prng.h"
#include "base/util.h"
#include "drv/endpoint.h"
#include "drv/framing.h"

#define LEN_MAX  1000u /* of a record that is wanted: small, to be reached */
#define BUF_SIZE 1100u

static void
check_address(const uint8_t *data, size_t size)
{
	char s[256], text[ENDPOINT_TEXT_MAX], again[ENDPOINT_TEXT_MAX];
	struct endpoint e, f;
	const char *why;

	if (size >= sizeof(s) || memchr(data, '\0', size) != NULL)
		return;
	if (size != 0)
		memcpy(s, data, size);
	s[size] = '\0';
	if (endpoint_parse(s, &e, &why) < 0) {
		ASSERT(why != NULL);
		return;
	}
	endpoint_format(&e, text);
	ASSERT(endpoint_parse(text, &f, NULL) == 0);
	ASSERT(endpoint_equal(&e, &f));
	ASSERT(strcmp(endpoint_format(&f, again), text) == 0);
}

/* The next record of the whole: as framing_next(), which it judges. */
static int
expected(const uint8_t *data, size_t size, size_t *at, uint32_t *len)
{
	if (size - *at < 4)
		return 0;
	*len = be32_get(data + *at);
	if (*len > FRAMING_LEN_MAX)
		return -EPROTO;
	if (*len > LEN_MAX) {
		*at += COAX_MIN((size_t)*len + 4, size - *at);
		return -EMSGSIZE;
	}
	if (*len > size - *at - 4)
		return 0;
	*at += 4 + *len;
	return 1;
}

/* Takes all records that are there. Return: is it over? */
static int
drain(struct framing *r, const uint8_t *data, size_t size, size_t *at)
{
	for (;;) {
		const uint8_t *got;
		uint32_t len = 0, want = 0;
		size_t was = *at;
		int n = framing_next(r, &got, &len);

		if (n == 0)
			return 0;
		ASSERT(expected(data, size, at, &want) == n);
		if (n == -EPROTO)
			return 1;
		ASSERT(n == 1 || n == -EMSGSIZE);
		if (n == 1) {
			ASSERT(len == want);
			ASSERT(
			    len == 0 || memcmp(got, data + was + 4, len) == 0);
		}
	}
}

static void
check_stream(const uint8_t *data, size_t size, uint8_t how)
{
	uint8_t buf[BUF_SIZE];
	struct framing r = {
		.buf = buf,
		.size = BUF_SIZE,
		.len_max = LEN_MAX,
	};
	struct prng g = prng_init(how);
	size_t given = 0, at = 0;
	uint32_t len;

	while (given < size) {
		size_t n = 1 + (size_t)prng_below(&g, 1 + how * 4u), room;
		uint8_t *to = framing_room(&r, &room);

		ASSERT(room != 0);
		n = COAX_MIN(n, COAX_MIN(room, size - given));
		memcpy(to, data + given, n);
		given += n;
		framing_got(&r, n);
		if (drain(&r, data, size, &at))
			return;
	}
	/* There is no more than what was taken. */
	ASSERT(expected(data, size, &at, &len) == 0);
	ASSERT(framing_cut(&r) || at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] == 'a')
		check_address(data + 1, size - 1);
	else
		check_stream(data + 1, size - 1, data[0]);
	return 0;
}

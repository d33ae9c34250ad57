/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the files of xnb's built-in tests: a back end on private rings, the front
 * end's side of them, and what came out.
 *
 * selftest_bsd.c re-makes the 53 cases of FreeBSD's driver, under their names;
 * where a case proves less than it looks there, it proves it here.
 * selftest_more.c has what is missing there: IPv6, VLANs, super-frames,
 * fragments, hostile rings.
 */
#pragma once

#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/keys.h"
#include "base/util.h"
#include "drv/xnb/xnb.h"
#include "frame/csum.h"
#include "frame/offload.h"

#define ST_TX_RING  0u
#define ST_RX_RING  1u
#define ST_CTRL     2u
#define ST_TX_PAGE  16u  /* 256 pages to send from */
#define ST_RX_PAGE  300u /* 256 pages to receive into */
#define ST_PAGES    600u
#define ST_BYTES    ((size_t)ST_PAGES * COAX_RING_PAGE)
#define ST_LOG_MAX  64u
#define ST_FRAMES   64u
#define ST_NOBODY   UINT32_MAX
#define ST_TEXT_MAX (400u * 100u)

/* A copy that the back end has asked for. */
struct st_log {
	bool from; /* out of the front end's pages */
	struct xnb_copy c;
};

/* What a test works with. */
struct st {
	struct net *net;
	struct xnb *x;
	struct xnb_queue *q; /* the first */
	/* The front end. */
	uint8_t *pages;
	struct frame_pool_options pool;
	struct netring_front tx, rx, ctrl;
	struct keys front, back;
	uint32_t bad_ref; /* a page that cannot be copied; ST_NOBODY: none */
	uint32_t notified;
	uint32_t channels; /* bound */
	struct st_log log[ST_LOG_MAX];
	uint32_t log_count; /* also what did not fit */
	/* What came in on the interface; owned. */
	struct frame *frames[ST_FRAMES];
	uint32_t frame_count;
	/* Results. */
	const char *name;
	char *text; /* ST_TEXT_MAX */
	size_t text_len;
	uint32_t errors; /* of this test */
	struct xnb_transport t;
	struct iface_stack stack;
	struct net_subscriber subscriber;
	bool closed;
};

struct st_test {
	const char *name;
	void (*fn)(struct st *s);
};

/* Both end with a NULL name. */
extern const struct st_test st_bsd_tests[];
extern const struct st_test st_more_tests[];

/* Memory for a front end: ST_BYTES, zero; munmap(2). NULL: there is none. */
uint8_t *st_pages(void);
/* A net, an interface in it that is up, a front end that is connected; @s is
 * zero but for pages and text, which are the caller's, and pool. 0 or
 * -errno. */
int st_begin(struct st *s);
/* Ends it; every frame must be back (the pool asserts that). */
void st_end(struct st *s);

void st_fail(struct st *s, const char *function, int line, const char *what);

#define ST_CHECK(s, expression)                                        \
	do {                                                           \
		if (!(expression))                                     \
			st_fail((s), __func__, __LINE__, #expression); \
	} while (0)

/* Can the back end see the front end's memory by itself?  At first not. */
void st_map_memory(struct st *s, bool on);
/* Connects with other keys than the usual ones: "key=value key=value". */
void st_connect(struct st *s, const char *keys);

/* The front end writes a request of one page, whose bytes are at the result;
 * it is not published yet. The id is the slot's number + 1000. */
uint8_t *st_tx(struct st *s, uint16_t size, uint16_t flags, uint16_t offset);
/* The same with everything said. */
void st_tx_raw(struct st *s, const struct coax_netif_tx_request *req);
void st_tx_extra(
    struct st *s, uint8_t type, uint8_t flags, const void *body, size_t len);
/* A TCP segment's headers over IPv4, 54 bytes, without lengths and sums. */
void st_tcp(uint8_t *at);
void st_tx_gso(struct st *s, uint8_t type, uint16_t size);
/* Publishes and runs the transmit side once: its result. */
int st_run_tx(struct st *s);
/* The next response of the transmit ring; false: there is none. */
bool st_tx_rsp(struct st *s, struct coax_netif_tx_response *rsp);
/* True if the next response has that id (-1: an extra info) and status. */
bool st_tx_rsp_is(struct st *s, int id, int status);

/* Posts buffers with ids from @id on. */
void st_post(struct st *s, uint32_t count, uint16_t id);
/* A frame of @len bytes; its data is a pattern. Owned. */
struct frame *st_frame(struct st *s, uint32_t len);
/* Sends a frame (consumed) to the front end: packets that went out. */
int st_run_rx(struct st *s, struct frame *f);
bool st_rx_rsp(struct st *s, struct coax_netif_rx_response *rsp);
/* The page of the response that st_rx_rsp() gave last. */
const uint8_t *st_rx_page(const struct st *s);

/* Frame @i of those that came in; one of no bytes if there is none. */
const struct frame *st_in(const struct st *s, uint32_t i);
/* The last of them, owned; NULL if there is none. */
struct frame *st_take(struct st *s);
/* Frames that came in are forgotten. */
void st_forget(struct st *s);
/* A byte of the pattern that st_frame() and st_pattern() fill with. */
uint8_t st_byte(uint32_t at);
void st_pattern(uint8_t *to, uint32_t len, uint32_t at);
bool st_pattern_is(const uint8_t *data, uint32_t len, uint32_t at);

/* Sends @len bytes of a packet through the interface, as the front end's with
 * these flags, and gives what an output that completes sums would send;
 * borrowed until st_forget(). NULL: nothing came out. */
struct frame *st_through(
    struct st *s, const uint8_t *data, uint32_t len, uint16_t flags);

/* The Internet checksum, in the plainest way. */
uint16_t st_sum(
    const void *pseudo, size_t pseudo_len, const void *data, size_t len);

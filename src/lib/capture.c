/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader's side of a capture; lib/capture.h has how it works.
 */
#include "lib/capture.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/util.h"
#include "capture/capture.h"
#include "lib/client.h"
#include "os/clock.h"
#include "os/sock.h"
#include "ring/stream.h"

#define NAP_MS  2
#define REST_MS 100
#define GATHER  8 /* that part of the memory ends a rest */
#define STOP_MS 2000
/* Room for the longest block. */
#define BLOCK_MAX (PCAPNG_HEAD_SIZE + PCAPNG_SNAPLEN_MAX + PCAPNG_TAIL_MAX)

struct capture_reader {
	struct stream_reader stream;
	void *memory;
	size_t size;
	int bell;
	bool ended; /* the daemon has let go */
	bool prompt;
	bool rest; /* before the next look */
	uint64_t begin_ns;
	uint32_t snaplen;
	json_t *info; /* the daemon's answer */
	struct pcapng_packet packet;
	char comment[2][PCAPNG_COMMENT_MAX + 1];
	uint8_t block[BLOCK_MAX];
};

static uint64_t
real_time_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* Memory for the stream, all of it there. Return: its descriptor, or -errno. */
static int
memory_make(struct capture_reader *r, size_t room)
{
	int fd, err;

	r->size = stream_size(room != 0 ? room : CAPTURE_ROOM_DEFAULT);
	fd = memfd_sealed("coax-capture", r->size);
	if (fd < 0)
		return fd;
	r->memory = mmap(NULL, r->size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_POPULATE, fd, 0);
	if (r->memory == MAP_FAILED) {
		err = -errno;
		r->memory = NULL;
		fd_close(&fd);
		return err;
	}
	return fd;
}

int
capture_start(struct coax *c, const struct capture_request *q,
    struct capture_reader **out)
{
	struct capture_reader *r = calloc(1, sizeof(*r));
	int fds[2] = { -1, -1 };
	int bell[2] = { -1, -1 };
	json_t *params;
	int err = -ENOMEM;

	if (r == NULL)
		return -ENOMEM;
	r->bell = -1;
	r->snaplen = q->snaplen;
	r->prompt = q->prompt;
	fds[0] = memory_make(r, q->room);
	if (fds[0] < 0) {
		err = fds[0];
		goto out_close;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, bell) < 0) {
		err = -errno;
		goto out_close;
	}
	r->bell = bell[0];
	fds[1] = bell[1];
	err = stream_reader_init(&r->stream, r->memory, r->size);
	if (err < 0)
		goto out_close;
	params = json_pack("{s:s, s:b, s:I, s:I, s:s*, s:s*}", "name", q->iface,
	    "drops", q->drops ? 1 : 0, "snaplen", (json_int_t)q->snaplen,
	    "count", (json_int_t)q->count, "direction",
	    q->in == q->out ? NULL : (q->in ? "in" : "out"), "program",
	    q->program);
	if (params == NULL) {
		err = -EINVAL; /* a name that is not UTF-8 */
		goto out_close;
	}
	r->begin_ns = real_time_ns();
	err = coax_call(
	    c, "capture.start", params, fds, 2, &r->info, NULL, 0, NULL);
	if (err < 0)
		goto out_close;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	*out = r;
	return 0;

out_close:
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	capture_close(r);
	return err;
}

void
capture_close(struct capture_reader *r)
{
	if (r == NULL)
		return;
	if (r->memory != NULL)
		(void)munmap(r->memory, r->size);
	fd_close(&r->bell);
	json_decref(r->info);
	free(r);
}

/* Takes the bytes off the bell; sees its end. */
static void
bell_read(struct capture_reader *r)
{
	char buf[64];
	ssize_t n;

	do
		n = recv(r->bell, buf, sizeof(buf), MSG_DONTWAIT);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 || (n < 0 && errno != EAGAIN))
		r->ended = true;
}

void
capture_stop(struct capture_reader *r)
{
	struct pollfd p = { .fd = r->bell, .events = POLLIN };
	uint64_t deadline_ns = clock_now_ns() + STOP_MS * CLOCK_NS_PER_MSEC;

	(void)shutdown(r->bell, SHUT_WR);
	while (!r->ended && clock_now_ns() < deadline_ns) {
		(void)poll(&p, 1, STOP_MS);
		bell_read(r);
	}
	r->ended = true;
}

static const char *
info_string(const struct capture_reader *r, const char *key)
{
	return json_string_value(json_object_get(r->info, key));
}

size_t
capture_head(const struct capture_reader *r, const char *filter,
    uint8_t buf[PCAPNG_BEGIN_MAX])
{
	const char *text = info_string(r, "mac");
	struct wr w = wr_init(buf, PCAPNG_BEGIN_MAX);
	uint8_t mac[ETH_ADDR_LEN];

	pcapng_begin(&w,
	    &(struct pcapng_interface){
	        .program = "coax " COAX_VERSION,
	        .name = info_string(r, "name"),
	        .description = info_string(r, "description"),
	        .filter = filter,
	        .mac = text != NULL && ether_parse(text, mac) == 0 ? mac : NULL,
	        .snaplen = r->snaplen,
	    });
	ASSERT(wr_ok(&w));
	return wr_len(&w);
}

size_t
capture_tail(const struct capture_reader *r, uint8_t buf[PCAPNG_END_SIZE])
{
	struct wr w = wr_init(buf, PCAPNG_END_SIZE);
	struct capture_totals t;

	capture_get_totals(r, &t);
	pcapng_end(&w, &(struct pcapng_statistics){
	                   .begin_ns = r->begin_ns,
	                   .end_ns = real_time_ns(),
	                   .received = t.received,
	                   .lost = t.lost,
	               });
	ASSERT(wr_ok(&w));
	return wr_len(&w);
}

/* Sleeps until the bell rings, the stop or the time. */
static void
doze(struct capture_reader *r, int stop_fd, int timeout_ms)
{
	struct pollfd p[] = {
		{ .fd = r->bell, .events = POLLIN },
		{ .fd = stop_fd, .events = POLLIN },
	};

	if (poll(p, ARRAY_LEN(p), timeout_ms) > 0 && p[0].revents != 0)
		bell_read(r);
}

static bool
stopped(int stop_fd)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

ssize_t
capture_bytes(struct capture_reader *r, int stop_fd, const uint8_t **at)
{
	bool napped = !r->prompt;

	for (;;) {
		/* Before the look: what was written before the end is seen. */
		bool ended = r->ended;
		long n = stream_peek(&r->stream, at);

		if (n < 0 || ended || (n > 0 && !r->rest)) {
			r->rest = n > 0 && !r->prompt;
			return n;
		}
		if (stop_fd >= 0 && stopped(stop_fd))
			return -EINTR;
		if (r->rest) {
			if (stream_sleep(&r->stream,
			        (uint32_t)(r->stream.size / GATHER)))
				doze(r, stop_fd, REST_MS);
			r->rest = false;
		} else if (!napped) {
			doze(r, stop_fd, NAP_MS);
			napped = true;
		} else if (stream_sleep(&r->stream, 1)) {
			doze(r, stop_fd, -1);
		}
	}
}

void
capture_taken(struct capture_reader *r, size_t len)
{
	stream_skip(&r->stream, len);
}

bool
capture_waiting(const struct capture_reader *r)
{
	const uint8_t *at;

	return stream_peek(&r->stream, &at) > 0;
}

int
capture_packet(struct capture_reader *r, int stop_fd,
    const struct pcapng_packet **out, const uint8_t **data)
{
	const uint8_t *at;
	uint32_t len = 0;
	ssize_t n = capture_bytes(r, stop_fd, &at);

	if (n <= 0)
		return (int)n;
	if (stream_copy(&r->stream, 0, r->block, PCAPNG_BLOCK_MIN) != 0 ||
	    pcapng_block(r->block, &len) == 0 || len > sizeof(r->block) ||
	    stream_copy(&r->stream, 0, r->block, len) != 0 ||
	    pcapng_read_packet(r->block, len, &r->packet, data, r->comment) !=
	        0)
		return -EPROTO;
	stream_skip(&r->stream, len);
	*out = &r->packet;
	return 1;
}

void
capture_get_totals(const struct capture_reader *r, struct capture_totals *out)
{
	static const enum capture_why why[] = {
		[CAPTURE_GOES_ON] = CAPTURE_STOPPED,
		[CAPTURE_COMPLETE] = CAPTURE_ALL,
		[CAPTURE_IFACE_GONE] = CAPTURE_NO_IFACE,
		[CAPTURE_BROKEN] = CAPTURE_FAILED,
	};
	uint64_t end = stream_counted(&r->stream, CAPTURE_END);

	*out = (struct capture_totals){
		.kept = stream_counted(&r->stream, CAPTURE_KEPT),
		.lost = stream_counted(&r->stream, CAPTURE_LOST),
		.received = stream_counted(&r->stream, CAPTURE_RECEIVED),
		.why = end < ARRAY_LEN(why) ? why[end] : CAPTURE_FAILED,
	};
}

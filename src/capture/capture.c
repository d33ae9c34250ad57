/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures; capture.h has how they work.
 */
#include "capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/util.h"
#include "capture/pcapng.h"
#include "net/net.h"
#include "ring/stream.h"

struct point;

struct capture {
	struct capture_options o;
	struct point *point; /* NULL: its interface has gone */
	struct stream_writer stream;
	enum capture_end end;
	bool dirty; /* not flushed */
	uint64_t received, kept, lost;
	uint64_t lost_since; /* the last packet that was kept */
	TAILQ_ENTRY(capture) link;
};

/* An interface with captures. */
struct point {
	struct iface_capture hook;
	struct iface *ifp;
	uint64_t now_ns; /* for what is shown together; 0: not asked yet */
	uint32_t count;
	TAILQ_HEAD(, capture) captures;
};

static void
end(struct capture *c, enum capture_end why)
{
	if (c->end != CAPTURE_GOES_ON)
		return;
	c->end = why;
	stream_count(&c->stream, CAPTURE_END, why);
	c->o.ended(c, why);
}

static inline bool
enough(const struct capture *c)
{
	return c->o.count_max != 0 && c->kept == c->o.count_max;
}

bool
capture_flush(struct capture *c)
{
	c->dirty = false;
	if (c->point != NULL)
		c->point->now_ns = 0;
	stream_count(&c->stream, CAPTURE_RECEIVED, c->received);
	stream_count(&c->stream, CAPTURE_KEPT, c->kept);
	stream_count(&c->stream, CAPTURE_LOST, c->lost);
	stream_publish(&c->stream);
	if (c->stream.broken)
		end(c, CAPTURE_BROKEN);
	else if (enough(c))
		end(c, CAPTURE_COMPLETE);
	return stream_sleeper(&c->stream);
}

static inline void
make_dirty(struct capture *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	c->o.dirty(c);
}

/* What the receiver of a frame has still to do; NULL: nothing. */
static const char *
offload_comment(const struct frame *f, char *buf, size_t size)
{
	uint32_t payload = f->len - COAX_MIN(f->len, f->off.hdr_len);

	if (f->off.gso_type != FRAME_GSO_NONE && f->off.gso_size != 0) {
		snprintf(buf, size,
		    "offload: a super-frame of %u segments with %u bytes each, "
		    "checksums not filled in",
		    (payload + f->off.gso_size - 1) / f->off.gso_size,
		    f->off.gso_size);
		return buf;
	}
	if ((f->off.flags & FRAME_CSUM_PARTIAL) != 0)
		return "offload: checksum not filled in";
	return NULL;
}

/* With something to say besides the bytes, or where the memory wraps. */
static void
put_slow(struct capture *c, const struct frame *f, struct pcapng_packet *p)
{
	uint8_t head[PCAPNG_HEAD_SIZE], tail[PCAPNG_TAIL_MAX];
	size_t tail_len;

	pcapng_packet_head(p, head);
	stream_put(&c->stream, head, sizeof(head));
	stream_put(&c->stream, f->data, p->kept);
	tail_len = pcapng_packet_tail(p, tail);
	stream_put(&c->stream, tail, tail_len);
}

/* False: there is no room. */
static bool
put(struct capture *c, const struct frame *f, uint32_t kept, uint64_t now_ns,
    bool out, const char *why)
{
	enum pcapng_direction direction = out ? PCAPNG_OUT : PCAPNG_IN;
	char offload[PCAPNG_COMMENT_MAX + 1];
	struct pcapng_packet p;
	uint32_t size = pcapng_plain_size(kept);
	uint8_t *at;

	if (__builtin_expect(why == NULL && c->lost_since == 0 &&
	                         (f->off.flags & FRAME_CSUM_PARTIAL) == 0 &&
	                         f->off.gso_type == FRAME_GSO_NONE,
	        1)) {
		if (!stream_room(&c->stream, size))
			return false;
		at = stream_place(&c->stream, size);
		if (__builtin_expect(at != NULL, 1)) {
			pcapng_plain(
			    at, now_ns, f->len, kept, direction, f->data);
			return true;
		}
	}
	p = (struct pcapng_packet){
		.time_ns = now_ns,
		.len = f->len,
		.kept = kept,
		.direction = direction,
		.lost = c->lost_since,
		.comment[0] = why,
	};
	p.comment[why != NULL] = offload_comment(f, offload, sizeof(offload));
	if (!stream_room(&c->stream, pcapng_packet_size(&p)))
		return false;
	put_slow(c, f, &p);
	return true;
}

static inline void
keep(struct capture *c, const struct frame *f, uint64_t now_ns, bool out,
    const char *why)
{
	uint32_t wanted = c->o.snaplen;

	if (c->o.program.count != 0) {
		uint32_t n = program_run(&c->o.program, f->data, f->len);

		if (n == 0)
			return;
		wanted = COAX_MIN(wanted, n);
	}
	c->received++;
	make_dirty(c);
	if (!put(c, f, COAX_MIN(wanted, f->len), now_ns, out, why)) {
		c->lost++;
		c->lost_since++;
		return;
	}
	c->lost_since = 0;
	c->kept++;
	/* The reader may be on another core, and at it. */
	if (stream_unpublished(&c->stream) > c->stream.size / 8)
		stream_publish(&c->stream);
}

static inline bool
wants(const struct capture *c, bool drops, bool out)
{
	return c->end == CAPTURE_GOES_ON && c->o.drops == drops &&
	       (out ? c->o.out : c->o.in);
}

static inline uint64_t
point_now(struct point *p, const struct capture *c)
{
	if (p->now_ns == 0)
		p->now_ns = c->o.clock_ns();
	return p->now_ns;
}

static void
point_frames(struct iface_capture *hook, struct iface *ifp,
    const struct frame_batch *batch, bool out)
{
	struct point *p = CONTAINER_OF(hook, struct point, hook);
	struct capture *c;

	(void)ifp;
	TAILQ_FOREACH (c, &p->captures, link) {
		if (!wants(c, false, out))
			continue;
		for (uint32_t i = 0; i < batch->count && !enough(c); i++)
			keep(c, batch->frames[i], point_now(p, c), out, NULL);
	}
}

static void
point_done(struct iface_capture *hook)
{
	CONTAINER_OF(hook, struct point, hook)->now_ns = 0;
}

static void
point_dropped(struct iface_capture *hook, struct iface *ifp,
    const struct frame *f, enum drop_reason why, bool out, uint64_t n)
{
	struct point *p = CONTAINER_OF(hook, struct point, hook);
	char text[PCAPNG_COMMENT_MAX + 1] = "";
	struct capture *c;

	(void)ifp;
	TAILQ_FOREACH (c, &p->captures, link) {
		if (!wants(c, true, out) || enough(c))
			continue;
		if (f == NULL) {
			c->received += n;
			c->lost += n;
			c->lost_since += n;
			make_dirty(c);
		} else {
			if (text[0] == '\0')
				snprintf(text, sizeof(text), "dropped: %s: %s",
				    drop_info(why)->name, drop_info(why)->text);
			keep(c, f, point_now(p, c), out, text);
		}
	}
}

static void
point_leave(struct capture *c)
{
	struct point *p = c->point;

	TAILQ_REMOVE(&p->captures, c, link);
	c->point = NULL;
	if (--p->count != 0)
		return;
	p->ifp->capture = NULL;
	free(p);
}

/* The last to leave frees the point. */
static void
point_detach(struct iface_capture *hook, struct iface *ifp)
{
	struct point *p = CONTAINER_OF(hook, struct point, hook);
	uint32_t count = p->count;

	(void)ifp;
	while (count-- > 0) {
		struct capture *c = TAILQ_FIRST(&p->captures);

		point_leave(c);
		end(c, CAPTURE_IFACE_GONE);
	}
}

/* The interface's, made if there is none; NULL: no memory. */
static struct point *
point_of(struct iface *ifp)
{
	struct point *p;

	if (ifp->capture != NULL)
		return CONTAINER_OF(ifp->capture, struct point, hook);
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->hook = (struct iface_capture){
		.frames = point_frames,
		.done = point_done,
		.dropped = point_dropped,
		.detach = point_detach,
	};
	p->ifp = ifp;
	TAILQ_INIT(&p->captures);
	ifp->capture = &p->hook;
	return p;
}

int
capture_create(struct iface *ifp, const struct capture_options *options,
    struct capture **out)
{
	struct capture *c = calloc(1, sizeof(*c));
	struct point *p;
	int err;

	if (c == NULL)
		return -ENOMEM;
	c->o = *options;
	if (!c->o.in && !c->o.out)
		c->o.in = c->o.out = true;
	if (c->o.snaplen == 0)
		c->o.snaplen = UINT32_MAX;
	err = stream_writer_init(
	    &c->stream, options->memory, options->memory_size);
	if (err != 0)
		goto out_free;
	p = point_of(ifp);
	err = p == NULL ? -ENOMEM : -EBUSY;
	if (p == NULL || p->count == CAPTURES_PER_IFACE)
		goto out_free;
	c->point = p;
	p->count++;
	TAILQ_INSERT_TAIL(&p->captures, c, link);
	*out = c;
	return 0;

out_free:
	free(c);
	return err;
}

void
capture_destroy(struct capture *c)
{
	if (c == NULL)
		return;
	if (c->point != NULL)
		point_leave(c);
	free(c->o.program.insns);
	free(c);
}

void *
capture_user(const struct capture *c)
{
	return c->o.user;
}

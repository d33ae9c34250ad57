/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What drivers share: their context, and reading a frame of unknown length.
 */
#include "drv/drv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/iobatch.h"
#include "os/kick.h"

#define BATCH_MAX 64

/* The spare goes back before the pool ends. */
static void
drv_fini(struct net *net)
{
	struct drv_context *ctx = net->drv;

	if (ctx->spare != NULL)
		frame_release(ctx->spare);
	iobatch_destroy(ctx->batch);
	kick_destroy(ctx->kick);
	free(ctx->ether_slots);
	free(ctx->trash);
	free(ctx);
	net->drv = NULL;
}

static int
drv_copy(const struct net *net, struct net *copy)
{
	int err = drv_init(copy, NULL);

	if (err != 0)
		return err;
	drv_context(copy)->pretend = true;
	drv_context(copy)->feth = drv_context(net)->feth;
	return 0;
}

int
drv_init(struct net *net, struct loop *loop)
{
	struct drv_context *ctx;

	ASSERT(net->drv == NULL);
	ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL)
		return -ENOMEM;
	ctx->trash = malloc(FRAME_HEADROOM + FRAME_LARGE_MAX + FRAME_OVER);
	if (ctx->trash == NULL) {
		free(ctx);
		return -ENOMEM;
	}
	ctx->loop = loop;
	if (loop != NULL)
		(void)iobatch_create(BATCH_MAX, 0, &ctx->batch);
	ctx->feth.max_mtu = 2048;
	net->drv = ctx;
	net->drv_fini = drv_fini;
	net->drv_copy = drv_copy;
	return 0;
}

/*
 * read(2), recvfrom(2): not the library's, which are points of cancellation and
 * take two locked instructions each in a program with threads.
 */
static ssize_t
take_record(int fd, void *to, size_t size, struct sockaddr *from,
    unsigned int *from_len)
{
	if (from == NULL)
		return syscall(SYS_read, fd, to, size);
	return syscall(
	    SYS_recvfrom, fd, to, size, MSG_DONTWAIT, from, from_len);
}

/* What has been read behind @hdr, @len bytes, is in the spare, or in @data if
 * there is none. */
static int
take_done(struct net *net, const uint8_t *data, size_t len, struct frame **out)
{
	struct drv_context *ctx = drv_context(net);
	struct frame *f;

	if (len > FRAME_LARGE_MAX)
		return -EMSGSIZE;
	if (len > FRAME_SMALL_MAX) {
		if (ctx->spare == NULL)
			return -ENOBUFS;
		f = ctx->spare;
		ctx->spare = NULL;
	} else {
		f = frame_alloc(net->pool, FRAME_SMALL_MAX);
		if (f == NULL)
			return -ENOBUFS;
		memcpy(f->data, data, len);
	}
	f->len = (uint32_t)len;
	*out = f;
	return 0;
}

static int
take_frame(struct net *net, int fd, void *hdr, size_t head,
    struct sockaddr *from, unsigned int *from_len, struct frame **out)
{
	struct drv_context *ctx = drv_context(net);
	uint8_t *data = ctx->trash + FRAME_HEADROOM;
	ssize_t n;

	ASSERT(head <= FRAME_HEADROOM);
	if (ctx->spare == NULL)
		ctx->spare = frame_alloc(net->pool, FRAME_LARGE_MAX);
	if (ctx->spare != NULL)
		data = ctx->spare->data;
	/* One byte more than a frame may have tells that it was longer. */
	n = take_record(fd, data - head, head + FRAME_LARGE_MAX + FRAME_OVER,
	    from, from_len);
	if (n < 0)
		return -errno;
	if (n == 0)
		return 1;
	if ((size_t)n < head)
		return -EBADMSG;
	if (head != 0)
		memcpy(hdr, data - head, head);
	return take_done(net, data, (size_t)n - head, out);
}

int
drv_read_frame(
    struct net *net, int fd, void *hdr, size_t head, struct frame **out)
{
	return take_frame(net, fd, hdr, head, NULL, NULL, out);
}

int
drv_recv_frame(struct net *net, int fd, void *hdr, size_t head,
    struct sockaddr *from, unsigned int *from_len, struct frame **out)
{
	return take_frame(net, fd, hdr, head, from, from_len, out);
}

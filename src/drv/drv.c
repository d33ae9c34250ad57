/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What drivers share: their context, and reading a frame of unknown length.
 */
#include "drv/drv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "os/kick.h"

/* The spare goes back before the pool ends. */
static void
drv_fini(struct net *net)
{
	struct drv_context *ctx = net->drv;

	if (ctx->spare != NULL)
		frame_release(ctx->spare);
	kick_destroy(ctx->kick);
	free(ctx->trash);
	free(ctx);
	net->drv = NULL;
}

int
drv_init(struct net *net, struct loop *loop)
{
	struct drv_context *ctx;

	ASSERT(net->drv == NULL);
	ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL)
		return -ENOMEM;
	ctx->trash = malloc(FRAME_LARGE_MAX);
	if (ctx->trash == NULL) {
		free(ctx);
		return -ENOMEM;
	}
	ctx->loop = loop;
	ctx->feth.max_mtu = 2048;
	net->drv = ctx;
	net->drv_fini = drv_fini;
	return 0;
}

/* What a read of @n bytes into head, small frame and spare has brought. */
static int
read_done(
    struct drv_context *ctx, struct frame *f, size_t len, struct frame **out)
{
	struct frame *spare = ctx->spare;

	if (len > FRAME_LARGE_MAX) {
		frame_release(f);
		return -EMSGSIZE;
	}
	if (len <= FRAME_SMALL_MAX) {
		f->len = (uint32_t)len;
		*out = f;
		return 0;
	}
	if (spare == NULL) {
		frame_release(f);
		return -ENOBUFS;
	}
	memcpy(spare->data, f->data, FRAME_SMALL_MAX);
	spare->len = (uint32_t)len;
	frame_release(f);
	ctx->spare = NULL;
	*out = spare;
	return 0;
}

/* @msg: with room for an address, or NULL. */
static int
take_frame(struct net *net, int fd, void *hdr, size_t head, struct msghdr *msg,
    struct frame **out)
{
	struct drv_context *ctx = drv_context(net);
	struct frame *f;
	struct iovec iov[4];
	uint8_t over;
	ssize_t n;

	if (ctx->spare == NULL)
		ctx->spare = frame_alloc(net->pool, FRAME_LARGE_MAX);
	f = frame_alloc(net->pool, FRAME_SMALL_MAX);
	iov[0].iov_base = hdr;
	iov[0].iov_len = head;
	iov[1].iov_base = f != NULL ? f->data : ctx->trash;
	iov[1].iov_len = FRAME_SMALL_MAX;
	iov[2].iov_base = (ctx->spare != NULL ? ctx->spare->data : ctx->trash) +
	                  FRAME_SMALL_MAX;
	iov[2].iov_len = FRAME_LARGE_MAX - FRAME_SMALL_MAX;
	/* One byte more than a frame may have tells that it was longer. */
	iov[3].iov_base = &over;
	iov[3].iov_len = 1;
	if (msg == NULL) {
		n = readv(fd, iov, 4);
	} else {
		msg->msg_iov = iov;
		msg->msg_iovlen = 4;
		n = recvmsg(fd, msg, MSG_DONTWAIT);
	}
	if (n <= 0 || (size_t)n < head) {
		int err = n < 0 ? -errno : n == 0 ? 1 : -EBADMSG;

		if (f != NULL)
			frame_release(f);
		return err;
	}
	if (f == NULL)
		return -ENOBUFS;
	return read_done(ctx, f, (size_t)n - head, out);
}

int
drv_read_frame(
    struct net *net, int fd, void *hdr, size_t head, struct frame **out)
{
	return take_frame(net, fd, hdr, head, NULL, out);
}

int
drv_recv_frame(struct net *net, int fd, void *hdr, size_t head,
    struct sockaddr *from, unsigned int *from_len, struct frame **out)
{
	struct msghdr msg = { .msg_name = from, .msg_namelen = *from_len };
	int err = take_frame(net, fd, hdr, head, &msg, out);

	*from_len = msg.msg_namelen;
	return err;
}

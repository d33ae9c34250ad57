/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many non-blocking reads and writes in one system call.
 *
 * Operations are gathered (iobatch_readv(), iobatch_writev()) and then carried
 * out by iobatch_submit(), which returns when each has its result: bytes, or
 * -EAGAIN where the call would have had to wait, or another -errno. Nothing
 * stays in flight, so buffers are the caller's again and a descriptor may be
 * closed at once. Operations on one descriptor take effect in the order of
 * their adding; a later one is tried also when an earlier one failed.
 *
 * Where io_uring is permitted it carries the batch (as a mere batcher of calls:
 * up to a third off the cost of a small frame into TUN, no latency added);
 * where it is not, where it breaks down, and for batches of less than
 * IOBATCH_URING_MIN, it is one plain system call an operation, with the same
 * results.
 *
 * Descriptors must be non-blocking (O_NONBLOCK): the plain call relies on it.
 *
 * Threads: a batch belongs to the thread that created it, and does not survive
 * fork(): create it in the process that uses it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define IOBATCH_CAPACITY_MAX 1024
#define IOBATCH_URING_MIN    4 /* operations; below, plain calls are as good */

#define IOBATCH_PLAIN 0x1u /* never io_uring (as with COAX_NO_URING=1) */

struct iobatch;

/**
 * iobatch_create() - make a batch
 * @capacity: most operations in a batch; 1 to IOBATCH_CAPACITY_MAX
 * @flags:    0 or IOBATCH_PLAIN. A non-empty COAX_NO_URING in the environment,
 *            other than "0", has the same effect
 * @out:      owned; written on success
 *
 * io_uring that is not permitted is not an error: see iobatch_uses_uring().
 * Return: 0, -EINVAL or -ENOMEM.
 */
int iobatch_create(unsigned int capacity, uint32_t flags, struct iobatch **out);

/* Operations not submitted are forgotten. */
void iobatch_destroy(struct iobatch *b);

/* True if batches go through io_uring. May become false, never true again. */
bool iobatch_uses_uring(const struct iobatch *b);

/* How many operations may still be added before the next submit. */
unsigned int iobatch_room(const struct iobatch *b);

/* How many wait to be submitted. */
unsigned int iobatch_count(const struct iobatch *b);

/**
 * iobatch_readv() - add a read
 * @fd:     non-blocking descriptor
 * @iov:    buffers; the array and what it points to are borrowed until
 *          iobatch_submit() returns
 * @iovcnt: 1 to IOV_MAX
 * @res:    where iobatch_submit() writes bytes (0: end of file) or -errno;
 *          borrowed until then. It holds -EINPROGRESS in between
 *
 * There must be room (asserted).
 */
void iobatch_readv(struct iobatch *b, int fd, const struct iovec *iov,
    int iovcnt, int32_t *res);

/* As iobatch_readv(), for a write. A dead peer is -EPIPE, never SIGPIPE, for
 * SOCK_SEQPACKET and TUN; for pipes and streams SIGPIPE must be ignored. */
void iobatch_writev(struct iobatch *b, int fd, const struct iovec *iov,
    int iovcnt, int32_t *res);

/**
 * iobatch_submit() - carry the batch out
 *
 * Afterwards the batch is empty and every result is written. Cannot fail: an
 * error of io_uring itself moves the batch to plain calls for good.
 * Return: number of operations that moved bytes (result > 0).
 */
unsigned int iobatch_submit(struct iobatch *b);

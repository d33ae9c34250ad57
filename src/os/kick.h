/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waking whoever waits on an eventfd that a stranger holds, too.
 *
 * write(2) to an eventfd waits when its counter is full, unless O_NONBLOCK is
 * set; and whoever else has the descriptor can fill the counter and clear the
 * flag, at any moment. So a plain write could stop this process for ever. The
 * kernel's own way of signalling an eventfd never waits, and is to be had by
 * asking for an asynchronous read of nothing that signals on completion
 * (IOCB_FLAG_RESFD of io_submit(2)); it takes 0.3 us more than the write.
 *
 * Where asynchronous I/O is not permitted it is a write after a look with
 * poll(2): safe against all but a stranger who changes both between the two.
 * kick_is_safe() tells which it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct kick;

#define KICK_PLAIN 0x1u /* never asynchronous I/O (as with COAX_NO_AIO=1) */

/**
 * kick_create() - make what sends signals
 * @flags: 0 or KICK_PLAIN. A non-empty COAX_NO_AIO in the environment, other
 *         than "0", has the same effect
 * @out:   owned
 *
 * Return: 0 or -errno (-ENOMEM, -EMFILE).
 */
int kick_create(uint32_t flags, struct kick **out);
/** kick_destroy() - NULL is allowed */
void kick_destroy(struct kick *k);

/** kick_is_safe() - true if no stranger can make kick_send() wait */
bool kick_is_safe(const struct kick *k);

/**
 * kick_send() - signal an eventfd; never waits
 * @fd: borrowed
 *
 * Return: 0, or -errno: -EINVAL or -EBADF if it is no eventfd, -EAGAIN if it is
 * full (only where it is not safe).
 */
int kick_send(struct kick *k, int fd);

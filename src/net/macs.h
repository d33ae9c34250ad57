/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Source addresses that may come in from an interface's wire (`macs`): whoever
 * sends with another is not believed, and his frame is dropped
 * (DROP_MAC_SPOOFED) before anybody learns from it.
 *
 * The list is sorted and looked up by halving; an interface without one costs a
 * comparison with NULL.  Threads: the worker's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IFACE_MACS_MAX  64
#define IFACE_MACS_TEXT (IFACE_MACS_MAX * 18)

struct frame_batch;
struct iface;
struct iface_macs;

/**
 * iface_set_macs() - allow these source addresses, and no others
 * @text: "02:00:00:00:00:01,02:00:00:00:00:02", 1 to IFACE_MACS_MAX of them;
 *        NULL: any
 *
 * Return: 0; -EINVAL (not such a list, a group address) or -E2BIG, each with a
 * message; -ENOMEM.
 */
int iface_set_macs(struct iface *ifp, const char *text);

/** iface_macs_format() - the list as text, sorted; "" if there is none */
const char *iface_macs_format(
    const struct iface *ifp, char text[IFACE_MACS_TEXT]);

/** iface_macs_input() - drops what may not come in; @ifp has a list */
void iface_macs_input(struct iface *ifp, struct frame_batch *batch);

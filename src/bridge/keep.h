/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of bridges that outlive the daemon: all tables as a text, and what
 * such a text says put back into the bridges of the next one.
 *
 *   coax-addresses 1                  the format and its version
 *   saved 1795833182                  seconds of the world's clock
 *   bridge bridge0                    what follows is of this bridge
 *   port 1 tap0                       its port 1 is this member
 *   02:00:00:00:00:01 0 1 1187        MAC, VLAN, port, seconds left
 *   02:00:00:00:00:02 10 1 static     or "sticky"
 *   end 2                             so many addresses: the text is whole
 *
 * Names are those that home has for interfaces: "tap0", "tap0@alice".  A number
 * of a port may be given anew, since members come and go while the text is
 * written, a portion at a time.
 *
 * The next daemon may get its bridges at once, or one by one by commands. So
 * what was read is kept until its bridge has that member, or it would have
 * expired; an address that is there by then is left as it is. What is kept is
 * saved again, too: a restart before the bridges are made loses nothing.
 *
 * The text is a file's, so it is not trusted: all of it is checked before any
 * of it is used.
 *
 * Ownership: everything is the struct's.  Threads: the net's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BRIDGE_KEEP_TEXT_MAX    (256u << 20)
#define BRIDGE_KEEP_ENTRIES_MAX (1u << 22)
#define BRIDGE_KEEP_PORTS_MAX   (1u << 16) /* of all bridges */
#define BRIDGE_KEEP_PORTION_MIN 65536u     /* bytes for bridge_keep_save() */

struct bridge_keep;
struct net;

/** bridge_keep_create() - 0 or -ENOMEM; bridge_keep_destroy() before @net */
int bridge_keep_create(struct net *net, struct bridge_keep **out);
void bridge_keep_destroy(struct bridge_keep *k);

struct bridge_keep_error {
	uint32_t line;
	const char *text; /* static: what was expected */
};

/**
 * bridge_keep_load() - read a text
 * @text:   @len bytes; changed
 * @wall_s: the world's clock now: addresses have aged meanwhile
 * @error:  written with -EINVAL
 *
 * Once, before anything else.  Return: 0, -EINVAL or -ENOMEM; of a text that is
 * refused nothing is kept.
 */
int bridge_keep_load(struct bridge_keep *k, char *text, size_t len,
    uint64_t wall_s, struct bridge_keep_error *error);

/**
 * bridge_keep_restore() - put back what has a bridge and a member by now
 * @budget: addresses to put back at most
 *
 * Not while a text is being written (asserted): it would miss what moves.
 * Return: true: there is more to do, come again.
 */
bool bridge_keep_restore(struct bridge_keep *k, uint32_t budget);

/** bridge_keep_again() - also what had no room (maxaddr, ifmaxaddr): a limit
 * may be another now */
void bridge_keep_again(struct bridge_keep *k);

/** bridge_keep_waiting() - addresses that wait for their bridge */
uint32_t bridge_keep_waiting(const struct bridge_keep *k);

/** bridge_keep_save_begin() - a new text of all there is */
void bridge_keep_save_begin(struct bridge_keep *k, uint64_t wall_s);

/**
 * bridge_keep_save() - its next portion
 * @buf: room for @size bytes, BRIDGE_KEEP_PORTION_MIN or more
 *
 * Takes a fraction of a millisecond for each 64 KiB.  An address may stand
 * twice in a text. Return: bytes; 0: that was all.
 */
size_t bridge_keep_save(struct bridge_keep *k, char *buf, size_t size);

/** bridge_keep_save_end() - no more of the text, whether it was all or not */
void bridge_keep_save_end(struct bridge_keep *k);

/** bridge_keep_saved() - addresses in the text so far, and those left out
 * because there are more than BRIDGE_KEEP_ENTRIES_MAX */
uint32_t bridge_keep_saved(const struct bridge_keep *k, uint64_t *left_out);

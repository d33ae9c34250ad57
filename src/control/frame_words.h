/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame in words, for `coax trace': "arp who-has 192.0.2.1 tell 192.0.2.7".
 *
 *     frame  = { option } what { option }  |  hexadecimal digits
 *     what   = "arp" "who-has" IP "tell" IP
 *            | "arp" "reply" IP "is-at" MAC [ "to" IP ]
 *            | "icmp" IP "to" IP                     echo request; also v6
 *            | ( "udp" | "tcp" ) IP:PORT "to" IP:PORT    TCP: a SYN
 *            | "stp" | "lldp" | "lacp" | "eapol"     to their groups
 *            | "ether" TYPE
 *     option = "src" MAC | "dst" MAC | "vlan" ID | "svlan" ID | "pcp" N
 *            | "len" BYTES
 *
 * The tags stand in the frame as they stand in the line, outermost first; pcp
 * is the priority of the tag before it. An IPv6 address with a port is in
 * brackets. Frames are padded to 60 bytes, or to len. Checksums are right.
 *
 * Without dst a frame goes where its IP address says: broadcast, or a group's
 * address; for another IP address, whose station only the hosts know, dst must
 * be given. Without src it comes from @src.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/ether.h"
#include "base/str.h"

#define FRAME_WORDS_MAX 64

/**
 * frame_words_build() - the frame that the words say
 * @words: @count words; borrowed
 * @src:   source, unless the words say one
 * @out:   room for @size bytes
 * @why:   on failure a sentence for people, or its beginning
 *
 * Return: length, or -EINVAL.
 */
int frame_words_build(const char *const *words, uint32_t count,
    const uint8_t src[ETH_ADDR_LEN], uint8_t *out, size_t size,
    struct sbuf *why);

/**
 * frame_words_hex() - bytes in hexadecimal digits
 *
 * Two digits a byte; between bytes there may be blanks, colons, points and
 * hyphens, and "0x" before the first.
 *
 * Return: how many, or -EINVAL (with @why).
 */
int frame_words_hex(
    const char *text, uint8_t *out, size_t size, struct sbuf *why);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame in words, for people: addresses and length on the line that the
 * caller has begun, what is inside on further ones, indented, all of it within
 * FRAMETEXT_WIDTH columns.
 *
 * The frame comes from anybody; only numbers and words of ours are printed.
 */
#pragma once

#include <stdint.h>

#include "control/text.h"

#define FRAMETEXT_WIDTH 80

/**
 * frametext() - describe a frame
 * @data: its first bytes; borrowed
 * @kept: how many there are
 * @len:  of the whole frame
 * @out:  has at most 20 columns of a line already; ends with a newline
 */
void frametext(
    const uint8_t *data, uint32_t kept, uint32_t len, struct text *out);

/** frametext_note() - a remark under a frame */
void frametext_note(const char *note, struct text *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A long table of addresses, put together by who asked for it.
 *
 * The daemon hands a long table out in the order in which it lies in memory, so
 * that a piece costs it no more than the piece (bridge.addresses with a
 * cursor).  The order in which people read it, newest first, is made here, from
 * the birth numbers; an address that came twice because the table changed
 * meanwhile is kept once, as it was seen last.  What is kept of an address is
 * its text.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "control/text.h"

struct address_line {
	uint32_t birth;
	uint32_t age; /* once sorted */
	uint32_t seq; /* the place in which it came */
	char *text;   /* owned */
};

/* Zero it at first. */
struct address_list {
	struct address_line *lines;
	size_t count, room;
	uint32_t births; /* of the table, when it was last asked */
};

/**
 * address_list_add() - take a piece of the table
 * @page:   result of bridge.addresses with a cursor; borrowed
 * @format: appends what is to be shown of one address
 *
 * Return: 0 or -ENOMEM.
 */
int address_list_add(struct address_list *l, const json_t *page,
    void (*format)(void *arg, const json_t *address, struct text *out),
    void *arg);

/** address_list_sort() - newest first, each once */
void address_list_sort(struct address_list *l);

void address_list_free(struct address_list *l);

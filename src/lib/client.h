/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of libcoax, for the programs of this tree that have JSON at hand:
 * the same calls as <coax/coax.h>, without a detour through text.
 */
#pragma once

#include <jansson.h>

#include "coax/coax.h"

/**
 * coax_call() - coax_request_fds() with JSON
 * @params: an object or an array; consumed; NULL: none
 * @result: new reference; written on success; NULL: not wanted
 *
 * Return: as coax_request_fds().
 */
int coax_call(struct coax *c, const char *method, json_t *params,
    const int *fds, unsigned int fd_count, json_t **result, int *got,
    unsigned int got_max, unsigned int *got_count);

/**
 * coax_call_begin(), coax_call_end() - the two halves of coax_call()
 *
 * On a connection of coax_connect_now() neither waits. One request at a time;
 * until its end the descriptor is readable when there may be something new.
 *
 * Return: as coax_request_fds(); coax_call_end() also 1: the answer is not
 * there yet, call it again.
 */
int coax_call_begin(struct coax *c, const char *method, json_t *params,
    const int *fds, unsigned int fd_count);
int coax_call_end(struct coax *c, json_t **result, int *got,
    unsigned int got_max, unsigned int *got_count);

/**
 * coax_tap_call() - open a tap over a connection
 * @name:   NULL: a new one, with its host side in the caller's namespace
 * @ifname: room for COAX_TAP_NAME_MAX bytes (tap.h)
 *
 * Return: descriptor (owned, close-on-exec, blocking), or as coax_call().
 */
int coax_tap_call(struct coax *c, const char *name, char *ifname);

/* The daemon's last refusal, as coax_error(). Borrowed until the next call. */
const json_t *coax_error_object(const struct coax *c);

/* As coax_next_event(); @event: new reference. */
int coax_event(struct coax *c, int timeout_ms, json_t **event);

/*
 * As coax_connect(), for a program that is known by another name than that of
 * its file; @client NULL: the file's.
 */
int coax_connect_as(const char *path, const char *client, struct coax **out);

/* As coax_connect(), never waiting. -EAGAIN: the daemon has no place for one
 * more now. Only for coax_call_begin() and coax_call_end(). */
int coax_connect_now(const char *path, struct coax **out);

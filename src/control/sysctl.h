/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of tunables and sysctl(8)'s command line on it.
 *
 * A tunable is a row. Tables come as an array of arrays (struct sysctl_tree),
 * so that the daemon and the drivers add theirs; control's own are
 * sysctl_control_rows. A row whose name ends in '.' is a dynamic node: its
 * list() names the children (net.link.tap.tapN, dev.xnb.N.dump_rings).
 *
 * Output is parts, rendered by control/printout:
 *   {"part":"sysctl","name","value","type","show":"both|value|name|
 *    description|type", "separator", "old"?,"description"?,"lines"?}
 *   {"part":"warning","text":"unknown oid 'x'"}    standard error
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

enum sysctl_type {
	SYSCTL_INT,    /* printed as "integer" by -t */
	SYSCTL_BOOL,   /* 0 or 1; also takes true, false, on, off ... */
	SYSCTL_U64,    /* "uint64_t" */
	SYSCTL_STRING, /* "string" */
};

#define SYSCTL_STRING_MAX 256

/* A value: num for the numbers, str for a string. */
struct sysctl_value {
	uint64_t num;
	char str[SYSCTL_STRING_MAX];
	char *text; /* of get(), instead of str: a long one; control frees it */
};

#define SYSCTL_RW   0x01u /* can be set */
#define SYSCTL_VNET 0x02u /* one value a vnet: get and set see @vnet */
#define SYSCTL_HIDE 0x04u /* not in -a, only by name or what it is below */
#define SYSCTL_NET  0x08u /* set() changes nothing outside of ctx->net */

/* Where a row is read or written. */
struct sysctl_ctx {
	struct net *net;
	struct vnet *vnet; /* never NULL */
	void *user;        /* struct sysctl_tree's */
	const char *child; /* of a dynamic node: "tap0"; else NULL */
	int64_t arg;       /* the row's */
};

struct sysctl_row {
	const char *name;   /* NULL ends a table; "net.link.tap." is dynamic */
	const char *suffix; /* of a dynamic node, behind the child; or NULL */
	enum sysctl_type type;
	uint32_t flags;
	uint64_t min, max; /* of a number; both 0: 0 to INT32_MAX; of a
	                    * string: its length (0, 0: any) */
	const char *about; /* one line, for -d */
	/* Exactly one of: a plain variable of struct net at @offset (uint32_t),
	 * flagged by @get being NULL; or functions. 0 or -errno. */
	int (*get)(const struct sysctl_ctx *ctx, struct sysctl_value *v);
	int (*set)(const struct sysctl_ctx *ctx, const struct sysctl_value *v);
	size_t offset;
	/* Dynamic node: the @i-th child's name into @name (IFACE_NAME_MAX), or
	 * false if there is none. */
	bool (*list)(const struct sysctl_ctx *ctx, uint32_t i,
	    char name[IFACE_NAME_MAX]);
	int64_t arg; /* the functions' */
};

struct sysctl_tree {
	const struct sysctl_row *const *tables; /* NULL-ended; borrowed */
	void *user;
};

struct sysctl_request {
	struct net *net;
	struct vnet *vnet; /* NULL is home */
	const struct sysctl_tree *tree;
	bool home; /* the asker may use -j VNET */
	bool read_only;
	/* @net is a shadow: what is set outside of it is only checked. */
	bool trial;
	uint32_t argc;
	const char *const *argv; /* without the program's name */
};

/* net.link.host_attach, net.link.tap.*, net.link.bridge.*, coax.pool.*,
 * coax.version, kern.features.vimage ... */
extern const struct sysctl_row sysctl_control_rows[];

/**
 * sysctl_run() - one command line
 *
 * [-j VNET] [-deihNnqTtWx] NAME[=VALUE] ...; [...] -a. As FreeBSD's, an unknown
 * name is a warning and the rest goes on.
 *
 * Return: {"out":[PART...],"exit":N}, new reference, or NULL (no memory).
 */
json_t *sysctl_run(const struct sysctl_request *request);

/* sysctl_get(), sysctl_set() - by program. @value: new reference, a JSON
 * number, boolean or string. 0, -ENOENT, -EPERM (read-only), -EINVAL. */
int sysctl_get(
    const struct sysctl_request *request, const char *name, json_t **value);
int sysctl_set(
    const struct sysctl_request *request, const char *name, const char *value);

/** sysctl_is() - is @value what @name is? 1, 0, or what sysctl_set() returns
 * for a name or a value that is none */
int sysctl_is(
    const struct sysctl_request *request, const char *name, const char *value);

/**
 * sysctl_each() - calls @each for every variable that can be set and is there
 * always (not those of one interface)
 * @value: as sysctl_set() takes it
 * @of_vnet: it has a value in each vnet; that of @request's is given
 *
 * Return: 0 or -ENOMEM.
 */
int sysctl_each(const struct sysctl_request *request,
    void (*each)(void *arg, const char *name, const char *value, bool of_vnet),
    void *arg);

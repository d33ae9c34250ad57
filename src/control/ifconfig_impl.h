/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the four files of the ifconfig command share: ifconfig.c (options,
 * forms, life of a run), ifconfig_words.c (words to operations),
 * ifconfig_apply.c (operations on the net), ifconfig_save.c (what these
 * words have set).
 */
#pragma once

#include <netinet/in.h>

#include "base/util.h"
#include "control/ifconfig.h"

enum ifc_kind {
	IFC_ROW,    /* a row's apply */
	IFC_SHOW,   /* a row's show */
	IFC_CREATE, /* and the host side, if wanted */
	IFC_ADOPT,  /* a netdev that is there */
	IFC_TWIN,   /* ... of the second of the two that were made */
	IFC_DESTROY,
	IFC_VNET,  /* str: its name */
	IFC_RVNET, /* str: its name or NULL */
	IFC_NAME,  /* str */
	IFC_HOST,
	IFC_NOHOST,
	IFC_LLADDR, /* v[0].mac */
	IFC_IMPAIR, /* its words, which are right */
	IFC_NOIMPAIR,
	IFC_DHCP, /* v[0].num: enum iface_dhcp */
	IFC_ADDR, /* addr */
};

enum ifc_addr_mode {
	IFC_ADDR_SET,
	IFC_ADDR_ALIAS,
	IFC_ADDR_DELETE
};

/* One address with all its words. Text is as inet_ntop(3) writes it. */
struct ifc_addr {
	int family;
	enum ifc_addr_mode mode;
	bool used;         /* some word belongs to it */
	uint32_t word;     /* the first of these */
	bool masked;       /* prefixlen was given */
	const char *extra; /* netmask ... when it was given, for messages */
	uint32_t prefixlen;
	char addr[INET6_ADDRSTRLEN]; /* "": none */
	char dst[INET6_ADDRSTRLEN];
	char broadcast[INET6_ADDRSTRLEN];
};

struct ifc_op {
	enum ifc_kind kind;
	uint32_t word, words; /* its span on the line; words 0: IFC_ADDR, whose
	                       * words need not stand together */
	const struct iface_keyword *row;
	const char *str; /* borrowed from the run's words */
	union keyword_value v[KEYWORD_ARGS_MAX];
	struct ifc_addr addr;
};

enum ifc_host {
	IFC_HOST_DEFAULT,
	IFC_HOST_YES,
	IFC_HOST_NO
};

struct ifconfig_run {
	struct ifconfig_request request; /* argv, vnet, cause are not valid */
	struct net *net;
	uint32_t vnet_id;
	char cause[64];
	bool for_actor; /* @actor is who it runs for */
	struct net_actor actor;
	char **words; /* copies */
	uint32_t count;
	uint32_t at; /* the word that is being read, or done */

	/* The line's operations. */
	struct ifc_op *ops;
	uint32_t op_count, op_room, op_next;
	const struct iface_ops *kind; /* of the interface */
	char target[64];              /* name as it was given */
	enum ifc_host create_host;
	bool creating; /* the line has a create */

	uint32_t next;  /* of a paged listing: see ifconfig_next() */
	uint32_t index; /* of the interface, once it exists; see @exists */
	bool exists;
	bool created; /* by this line */
	char print_name[IFACE_NAME_MAX];

	/* Result. */
	json_t *out;
	bool failed, ended;
	int err;
	char message[512], detail[512];
	json_t *helper;

	struct net_wait wait;
	bool waiting, background;
};

/* Refuses: message as BSD prints it. Return: @err. */
int ifc_fail(struct ifconfig_run *run, int err, const char *fmt, ...)
    COAX_PRINTF(3, 4);
void ifc_detail(struct ifconfig_run *run, const char *fmt, ...)
    COAX_PRINTF(2, 3);
/* Adds a part; consumed. 0 or -ENOMEM (failed). */
int ifc_put(struct ifconfig_run *run, json_t *part);

/* The vnet the run acts in, or NULL if it has gone. */
struct vnet *ifc_vnet(const struct ifconfig_run *run);
/* The interface, or NULL if it has gone meanwhile. */
struct iface *ifc_iface(const struct ifconfig_run *run);

/* A new operation at the end; zeroed but for its kind. NULL: failed. */
struct ifc_op *ifc_op_add(struct ifconfig_run *run, enum ifc_kind kind);

/* The text of the notice about words that were only kept: new reference. */
json_t *ifc_recorded_text(
    const char *name, const char *kind, const json_t *words);

/* Appends the words of an operation. */
void ifc_op_words(
    const struct ifconfig_run *run, const struct ifc_op *op, json_t *list);

/* Words from @first on into operations. 0 or -errno (failed). */
int ifc_parse_words(struct ifconfig_run *run, uint32_t first);
/* True for "inet", "inet6", "link", "ether", "lladdr"; the family (AF_INET,
 * AF_INET6, or AF_UNSPEC for link) in @family. */
bool ifc_family(const char *word, int *family);

/* Applies one operation: 0, -errno (failed) or -EINPROGRESS. */
int ifc_apply(struct ifconfig_run *run, struct ifc_op *op);
/* After -EINPROGRESS: the wait ended with @err. 0 or -errno (failed). */
int ifc_applied(struct ifconfig_run *run, struct ifc_op *op, int err);

/* The row of a word that interfaces of kind @ops take and that is a row; NULL.
 */
const struct iface_keyword *ifc_row(
    const struct iface_ops *ops, const char *word);

/* save() of the words whose parsers are in ifconfig_words.c. */
void ifc_save_name(const struct iface *ifp, struct keyword_sink *s);
void ifc_save_vnet(const struct iface *ifp, struct keyword_sink *s);
void ifc_save_host(const struct iface *ifp, struct keyword_sink *s);
void ifc_save_dhcp(const struct iface *ifp, struct keyword_sink *s);
void ifc_save_impair(const struct iface *ifp, struct keyword_sink *s);
void ifc_save_ether(const struct iface *ifp, struct keyword_sink *s);
void ifc_save_inet(const struct iface *ifp, struct keyword_sink *s);
void ifc_save_inet6(const struct iface *ifp, struct keyword_sink *s);
/* The addresses of a host side: new reference, NULL if there is none. */
json_t *ifc_addresses(const struct iface *ifp);

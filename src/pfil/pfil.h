/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where packet filters hook in: the table of hooks.
 *
 * Theory of operation
 *
 * A packet filter ("package") is one file with a struct pfil_package: a table
 * of hooks, and PFIL_PACKAGE() behind it, which makes it known to whatever
 * program it is linked into.  No other file changes.  ipfw is such a package;
 * examples/pfil-noquic.c is a tiny one.
 *
 *     static const struct pfil_hook my_hooks[] = {
 *             { PFIL_IP4, PFIL_IN, my_input },
 *             { .run = NULL },
 *     };
 *     static const struct pfil_package my_package = {
 *             .name = "my", .about = "what it is for", .hooks = my_hooks,
 *     };
 *     PFIL_PACKAGE(my_package)
 *
 * A package is switched on in a vnet, by sysctl net.pfil.NAME=1 there (or by
 * its own commands: pfil_switch()).  Then its hooks are in the vnet's lists,
 * one list for each of three layers and two directions, behind those of the
 * packages that were switched on before, and are called for each packet:
 *
 *     layer       what is shown
 *     PFIL_ETHER  frames, whatever is in them
 *     PFIL_IP4    IPv4 packets, header checked where they come in
 *     PFIL_IP6    IPv6 packets, the same
 *
 * Hook points, and the interface that a hook sees there (`ifp', "via"):
 *
 *     point                              layer  dir  interface     if
 *     bridge forwards                    IP     IN   source port   pfil_member
 *                                        IP     IN   bridge        pfil_bridge
 *      ... to a known port               ETHER  OUT  that port     ipfw
 *                                        IP     OUT  bridge        pfil_bridge
 *                                        IP     OUT  that port     pfil_member
 *      ... to all                        IP     OUT  bridge, once  pfil_bridge
 *           and for each port            ETHER  OUT  that port     ipfw
 *                                        IP     OUT  that port     pfil_member
 *     bridge finds it is the host's      IP     IN   source port
 *                                             pfil_local_phys and pfil_member
 *     the host has sent                  IP     OUT  the netdev's  always
 *     the host is about to be given it   IP     IN   the netdev's  always
 *
 * The names at the right are the sysctls net.link.bridge.* of the bridge's
 * vnet; bridge/filter.c has the rest of their meaning.  The lists are those of
 * the bridge's vnet, or of the vnet that the netdev is in.  What the bridge's
 * own host sends through it, the bridge does not filter again.  A vether is
 * another matter: its host is a station behind a port, so what it sends passes
 * its door, and then the bridge as any other station's.
 *
 * A frame's outermost VLAN tag is passed over (BSD has it beside the frame); a
 * second tag is a type like any other.  802.3 with SNAP is looked into.
 *
 * Cost.  Where no hook is in any list of a vnet, vnet->pfil is NULL and that is
 * all that is looked at, once a batch.
 *
 * A hook answers PFIL_PASS, PFIL_DROPPED (the caller drops and counts it as
 * p->why, DROP_FILTERED unless the hook says otherwise) or PFIL_CONSUMED (the
 * hook has taken p->frame).  Who holds a frame keeps a copy of p->where, and
 * gives the frame back by pfil_resume() at any later time; it then goes on
 * behind that hook, or in it again with where.cookie set.  It may also send an
 * answer to where the frame came from: pfil_answer().
 *
 * A hook may read the frame, which may be shared; to change it, it makes it its
 * own (frame_own()) and puts the result into p->frame.
 *
 * Where p->trace is set nothing of this happens: `coax trace' asks what would.
 * Then a hook counts nothing, keeps nothing, and says by net_trace() on p->ifp
 * what it decides.
 *
 * Threads: the worker's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/drop.h"
#include "net/net.h"

#define PFIL_HOOKS_MAX    8 /* in one list */
#define PFIL_PACKAGES_MAX 8

enum pfil_layer {
	PFIL_ETHER,
	PFIL_IP4,
	PFIL_IP6,
	PFIL_LAYERS
};
enum pfil_dir {
	PFIL_IN,
	PFIL_OUT,
	PFIL_DIRS
};
enum pfil_verdict {
	PFIL_PASS,
	PFIL_DROPPED,
	PFIL_CONSUMED
};

struct pfil_where;

/* What a place that calls hooks does for those that held a frame. */
struct pfil_point {
	const char *name;
	/* Goes on behind the hooks before w->hook.  Consumes @f. */
	void (*resume)(
	    struct net *net, struct frame *f, const struct pfil_where *w);
	/* Sends @f to where the frame of @w came from.  Consumes @f. */
	void (*answer)(
	    struct net *net, struct frame *f, const struct pfil_where *w);
};

/* Where a frame is on its way.  Interfaces by index: they may end. */
struct pfil_where {
	const struct pfil_point *point;
	uint32_t ifp;    /* the one seen */
	uint32_t in;     /* the bridge's port that it came in by; 0: none */
	uint32_t bridge; /* or 0 */
	uint32_t to;     /* what it is on its way to; the point's */
	uint16_t vid;    /* of the bridge */
	uint8_t stage;   /* the point's */
	uint8_t hook;    /* the next in the list */
	uint64_t cookie; /* of that hook; 0: it has not seen it */
};

struct pfil_packet {
	struct frame *frame; /* owned by the packet */
	struct iface *ifp;   /* that the filter sees it on */
	struct iface *rcvif; /* that it came in by; NULL: the host sent it */
	struct vnet *vnet;   /* whose hooks */
	enum pfil_layer layer;
	enum pfil_dir dir;
	uint16_t ethertype; /* behind the tag, or of SNAP; an 802.3 length */
	uint16_t l3;        /* where what is of that type begins */
	bool bridged;       /* on its way through a bridge */
	bool trace;         /* change nothing, tell */
	enum drop_reason why;
	struct pfil_where where;
};

typedef enum pfil_verdict pfil_run_fn(void *state, struct pfil_packet *p);

struct pfil_hook {
	enum pfil_layer layer;
	enum pfil_dir dir;
	pfil_run_fn *run; /* NULL ends a table */
};

/* A package.  All but name, about and hooks may be NULL. */
struct pfil_package {
	const char *name; /* a word */
	const char *about;
	const struct pfil_hook *hooks;
	/* State for a vnet, made when the package is first used there; given
	 * to every hook.  0 or -ENOMEM. */
	int (*create)(struct net *net, struct vnet *vnet, void **state);
	/* The end of it, with all frames that it holds. */
	void (*destroy)(void *state);
	/* It is switched on by its own commands: there is no net.pfil.NAME. */
	bool own_switch;
};

/** PFIL_PACKAGE() - makes a package known; once, at file level */
#define PFIL_PACKAGE(package)                                          \
	__attribute__((constructor)) static void package##_known(void) \
	{                                                              \
		static struct pfil_row row = { &(package), NULL };     \
                                                                       \
		pfil_add(&row);                                        \
	}

/* Of PFIL_PACKAGE(): what there is, in the order of linking. */
struct pfil_row {
	const struct pfil_package *package;
	struct pfil_row *next;
};
void pfil_add(struct pfil_row *row);
const struct pfil_row *pfil_first(void);
/** pfil_package() - by name, or NULL */
const struct pfil_package *pfil_package(const char *name);

/* The lists of a vnet. */
struct pfil_list {
	uint32_t count;
	struct {
		pfil_run_fn *run;
		void *state;
		const struct pfil_package *package;
	} hooks[PFIL_HOOKS_MAX];
};

struct pfil_heads {
	struct pfil_list lists[PFIL_LAYERS][PFIL_DIRS];
};

/** pfil_init() - hooks can be switched on in @net; net_destroy() ends it */
void pfil_init(struct net *net);

/** pfil_state() - a package's state in @vnet, made if need be. 0 or -errno */
int pfil_state(
    struct vnet *vnet, const struct pfil_package *package, void **state);
/** pfil_peek() - the same if it was made, or NULL */
void *pfil_peek(const struct vnet *vnet, const struct pfil_package *package);

/** pfil_switch() - a package's hooks into @vnet's lists, or out of them.
 * 0, -ENOMEM, -ENOSPC (PFIL_HOOKS_MAX) */
int pfil_switch(struct vnet *vnet, const struct pfil_package *package, bool on);
/** pfil_is_on() - are they in? */
bool pfil_is_on(const struct vnet *vnet, const struct pfil_package *package);

/** pfil_hooked() - is there any hook in that list of @vnet? */
static inline bool
pfil_hooked(const struct vnet *vnet, enum pfil_layer layer, enum pfil_dir dir)
{
	return vnet->pfil != NULL && vnet->pfil->lists[layer][dir].count != 0;
}

/**
 * pfil_run() - through the hooks of one list
 * @p: all but why is set; p->where.hook says where to begin
 *
 * Return: PFIL_PASS (p->frame goes on), PFIL_DROPPED (the caller drops it as
 * p->why), PFIL_CONSUMED.
 */
enum pfil_verdict pfil_run(struct pfil_packet *p);

/** pfil_resume() - a frame that a hook held goes on; consumes @f */
void pfil_resume(struct net *net, struct frame *f, const struct pfil_where *w);
/** pfil_answer() - @f to where the frame of @w came from; consumes @f.
 * Nobody filters it. */
void pfil_answer(struct net *net, struct frame *f, const struct pfil_where *w);

/* What a frame carries, as far as the hook points care. */
enum pfil_kind {
	PFIL_KIND_IP4,
	PFIL_KIND_IP6,
	PFIL_KIND_ARP,
	PFIL_KIND_OTHER
};

/** pfil_look() - finds out; @ethertype, @l3 as in struct pfil_packet */
enum pfil_kind pfil_look(
    const struct frame *f, uint16_t *ethertype, uint16_t *l3);

/**
 * pfil_check() - is the IP header at @l3 in order?
 *
 * Version, header length, checksum, total length against the data; of a
 * super-frame not what its segments will have.  Return: true, or false with
 * the reason in @why (DROP_IP_*).
 */
bool pfil_check(const struct frame *f, enum pfil_kind kind, uint32_t l3,
    enum drop_reason *why);

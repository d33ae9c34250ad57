/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb on Xen: what xenstore says of one vif, and what is to be done about it.
 *
 * Values in, actions out: this part computes. xen.c reads the store and acts.
 *
 * A vif has two directories in xenstore. The back end's,
 *
 *     /local/domain/OURS/backend/vif/DOMID/HANDLE        B
 *
 * is ours; the toolstack (libxl) fills it in one transaction, then waits for
 * state 2 in it, and at the end writes online=0 and state=5 there and waits for
 * state 6. The front end's,
 *
 *     /local/domain/DOMID/device/vif/HANDLE              F
 *
 * is the guest's: what it has may be anything, and another thing a moment
 * later.  So both are read as a whole, in one transaction, into a view, and
 * each view is taken by itself: xenvif_step() says what follows from it.
 *
 * vif.c has the handshake with the front end. What is here is what only Xen
 * has: appearing, a toolstack that waits for one exact state, hotplug scripts,
 * removal by the toolstack, domains that end without a word, and a back end
 * that comes back to front ends which are connected already.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/keys.h"

#define XENVIF_PATH_MAX   128    /* of those that we make, with the 0 */
#define XENVIF_DOMID_MAX  0x7fef /* higher ones are not guests' */
#define XENVIF_HANDLE_MAX 65535

/* What hotplug-status says. */
enum xenvif_hotplug {
	XENVIF_HOTPLUG_NONE,      /* no such key: nobody will say anything */
	XENVIF_HOTPLUG_PENDING,   /* the script has not reported */
	XENVIF_HOTPLUG_CONNECTED, /* it is through */
	XENVIF_HOTPLUG_ERROR,     /* it has failed */
};

/* Both directories at one moment. A value that is no text, or too long, stands
 * as "?": it is nothing that is expected anywhere. */
struct xenvif_dirs {
	bool there; /* B exists */
	bool dead;  /* the domain is gone, whatever F says */
	struct keys back, front;
};

struct xenvif_view {
	bool there;
	uint32_t back, front; /* states; 0: none, or none that there is */
	bool online;
	enum xenvif_hotplug hotplug;
	uint32_t said; /* the state that we had written last then; 0: none */
};

enum xenvif_phase {
	XENVIF_NEW,    /* not served (yet) */
	XENVIF_SERVED, /* there is an interface */
	XENVIF_ENDED,  /* done with: waits for the toolstack to clear away */
};

/* Zeroed but for the numbers: a new one. */
struct xenvif {
	uint32_t domid, handle;
	enum xenvif_phase phase;
	uint32_t front; /* the state that vif.c was told last */
	bool unplugged; /* the toolstack wants it back */
	bool refused;   /* its script has failed */
	enum xenvif_hotplug hotplug;
};

enum xenvif_action {
	XENVIF_MAKE,       /* the interface; features; InitWait */
	XENVIF_RESUME,     /* the interface; both ends are Connected already */
	XENVIF_READY,      /* nobody waits for InitWait any more */
	XENVIF_FRONT,      /* the front end's state is @front: vif.c */
	XENVIF_REFUSE,     /* the hotplug script has failed: close */
	XENVIF_UNPLUG,     /* the toolstack has written Closing for us */
	XENVIF_CLOSE,      /* disconnect, Closed */
	XENVIF_SAY_CLOSED, /* there is no interface; write that it is Closed */
	XENVIF_DESTROY,    /* the interface */
	XENVIF_DISOWN, /* the directory is not ours any more: write nothing */
	XENVIF_FORGET, /* the vif */
};

#define XENVIF_ACTIONS_MAX 12

struct xenvif_actions {
	uint32_t count;
	enum xenvif_action list[XENVIF_ACTIONS_MAX];
	uint32_t front; /* XENVIF_FRONT's */
};

/** xenvif_view_of() - what is read out of the directories
 * @said: see struct xenvif_view */
struct xenvif_view xenvif_view_of(
    const struct xenvif_dirs *dirs, uint32_t said);

/** xenvif_step() - take a view of @v; what to do, in this order */
void xenvif_step(struct xenvif *v, const struct xenvif_view *view,
    struct xenvif_actions *out);

/** xenvif_gone() - the interface was destroyed by somebody else, or could not
 * be made: nothing more is done but clearing away */
void xenvif_gone(struct xenvif *v);

/** xenvif_may_connect() - is nobody waiting for InitWait any more? */
bool xenvif_may_connect(const struct xenvif *v);

/* What a watch's event is about. */
enum xenvif_event {
	XENVIF_EVENT_NONE,    /* nothing that matters */
	XENVIF_EVENT_ALL,     /* any vif may have come or gone */
	XENVIF_EVENT_DOMAIN,  /* any of a domain's */
	XENVIF_EVENT_VIF,     /* one */
	XENVIF_EVENT_DOMAINS, /* a domain has ended somewhere */
};

/* Tokens of watches: all begin with a letter of these. */
#define XENVIF_TOKEN_BACK    "b"
#define XENVIF_TOKEN_RELEASE "r"
#define XENVIF_TOKEN_FRONT   "f" /* f/DOMID/HANDLE */

/**
 * xenvif_event() - read a watch's event
 * @root:   path of our back ends: ".../backend/vif"
 * @domid, @handle: written as far as the result says
 *
 * Events for keys that we write ourselves are none.
 */
enum xenvif_event xenvif_event(const char *root, const char *path,
    const char *token, uint32_t *domid, uint32_t *handle);

/** xenvif_number() - a name of a directory: decimal, no leading zero */
bool xenvif_number(const char *text, uint32_t max, uint32_t *out);

/** xenvif_value() - a value as it is kept: itself if it is one line of
 * printable ASCII and not too long, else "?"
 * @out: of KEYS_VALUE_MAX bytes */
void xenvif_value(const char *data, size_t len, char *out);

/** xenvif_back_key(), xenvif_front_key() - the keys that are read, by number;
 * NULL: that was all */
const char *xenvif_back_key(uint32_t i);
const char *xenvif_front_key(uint32_t i);

/** xenvif_queue_key() - and of each of several queues: "queue-1/..." in
 * @text, of KEYS_KEY_MAX bytes. False: that was all */
bool xenvif_queue_key(uint32_t queue, uint32_t i, char *text);

/** xenvif_queues() - how many queues' keys are worth reading: 0 with one */
uint32_t xenvif_queues(const struct keys *front);

/** xenvif_wants_front() - does the front end's state call for its other keys?
 */
bool xenvif_wants_front(const struct keys *front);

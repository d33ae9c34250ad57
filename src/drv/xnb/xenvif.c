/* SPDX-License-Identifier: BSD-2-Clause */
/* What xenstore says of a vif, and what follows. See xenvif.h. */
#include "drv/xnb/xenvif.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/util.h"
#include "drv/xnb/xnb.h"

/* --- views -----------------------------------------------------------------
 */

static uint32_t
state_of(const struct keys *k)
{
	const char *text = keys_get(k, "state");
	uint32_t state;

	if (text == NULL ||
	    str_u32(text, 10, 0, COAX_NETIF_STATE_RECONFIGURED, &state) < 0)
		return COAX_NETIF_STATE_UNKNOWN;
	return state;
}

static enum xenvif_hotplug
hotplug_of(const struct keys *k)
{
	const char *text = keys_get(k, "hotplug-status");

	if (text == NULL)
		return XENVIF_HOTPLUG_NONE;
	if (strcmp(text, "connected") == 0)
		return XENVIF_HOTPLUG_CONNECTED;
	if (strcmp(text, "error") == 0)
		return XENVIF_HOTPLUG_ERROR;
	return XENVIF_HOTPLUG_PENDING;
}

struct xenvif_view
xenvif_view_of(const struct xenvif_dirs *dirs, uint32_t said)
{
	const char *online = keys_get(&dirs->back, "online");

	return (struct xenvif_view){
		.there = dirs->there,
		.back = state_of(&dirs->back),
		.front = dirs->dead ? COAX_NETIF_STATE_UNKNOWN
		                    : state_of(&dirs->front),
		/* Older toolstacks do not write it. */
		.online = online == NULL || strcmp(online, "1") == 0,
		.hotplug = hotplug_of(&dirs->back),
		.said = said,
	};
}

/* --- the machine -----------------------------------------------------------
 */

static void
act(struct xenvif_actions *out, enum xenvif_action what)
{
	ASSERT(out->count < XENVIF_ACTIONS_MAX);
	out->list[out->count++] = what;
}

static void
tell_front(struct xenvif *v, uint32_t front, struct xenvif_actions *out)
{
	v->front = front;
	out->front = front;
	act(out, XENVIF_FRONT);
}

/* The interface ends; the directory is left as it is. */
static void
end(struct xenvif *v, struct xenvif_actions *out)
{
	act(out, XENVIF_DESTROY);
	v->phase = XENVIF_ENDED;
}

static void
take_hotplug(struct xenvif *v, const struct xenvif_view *view,
    struct xenvif_actions *out)
{
	v->hotplug = view->hotplug;
	if (view->hotplug == XENVIF_HOTPLUG_ERROR) {
		if (!v->refused)
			act(out, XENVIF_REFUSE);
		v->refused = true;
	} else if (view->hotplug != XENVIF_HOTPLUG_PENDING) {
		v->refused = false;
		act(out, XENVIF_READY);
	}
}

/*
 * A front end that is there may close by itself, and its rings are its own
 * until then. Others never will: one that has not begun, has closed, is gone.
 */
static bool
closes_itself(uint32_t front)
{
	switch (front) {
	case COAX_NETIF_STATE_UNKNOWN:
	case COAX_NETIF_STATE_INITIALISING:
	case COAX_NETIF_STATE_INIT_WAIT:
	case COAX_NETIF_STATE_CLOSED:
		return false;
	default:
		return true;
	}
}

static void
step_served(struct xenvif *v, const struct xenvif_view *view,
    struct xenvif_actions *out)
{
	take_hotplug(v, view, out);
	if (!view->online && !v->unplugged) {
		v->unplugged = true;
		/* Else it has yet to be written, by whoever does that. */
		if (view->back == COAX_NETIF_STATE_CLOSING)
			act(out, XENVIF_UNPLUG);
	}
	/* Connected and Reconfiguring are told each time: there are keys that
	 * may change meanwhile. A vif that is wanted back does not begin anew,
	 * nor does one whose script has failed.
	 */
	if (view->front != v->front ||
	    view->front == COAX_NETIF_STATE_CONNECTED ||
	    view->front == COAX_NETIF_STATE_RECONFIGURING) {
		if ((!v->unplugged && !v->refused) ||
		    view->front != COAX_NETIF_STATE_INITIALISING)
			tell_front(v, view->front, out);
	}
	if (v->unplugged && !closes_itself(view->front)) {
		act(out, XENVIF_CLOSE);
		end(v, out);
	}
}

static void
step_new(struct xenvif *v, const struct xenvif_view *view,
    struct xenvif_actions *out)
{
	/* The state comes with the rest; without a front end nobody asks. */
	if (view->back == COAX_NETIF_STATE_UNKNOWN)
		return;
	if (!view->online) {
		if (view->back == COAX_NETIF_STATE_CLOSING)
			act(out, XENVIF_SAY_CLOSED);
		return;
	}
	if (view->front == COAX_NETIF_STATE_UNKNOWN)
		return;
	v->phase = XENVIF_SERVED;
	v->unplugged = v->refused = false;
	v->hotplug = view->hotplug;
	if (view->back == COAX_NETIF_STATE_CONNECTED &&
	    view->front == COAX_NETIF_STATE_CONNECTED) {
		act(out, XENVIF_RESUME);
		tell_front(v, view->front, out);
		return;
	}
	act(out, XENVIF_MAKE);
	v->front = COAX_NETIF_STATE_INITIALISING;
	step_served(v, view, out);
}

void
xenvif_step(struct xenvif *v, const struct xenvif_view *view,
    struct xenvif_actions *out)
{
	/* State 1 is the toolstack's: it has cleared away and made it anew. */
	bool anew = view->back == COAX_NETIF_STATE_INITIALISING &&
	            view->said > COAX_NETIF_STATE_INITIALISING;

	out->count = 0;
	if (!view->there || anew) {
		if (v->phase == XENVIF_SERVED) {
			act(out, XENVIF_DISOWN);
			act(out, XENVIF_DESTROY);
		}
		v->phase = XENVIF_NEW;
	}
	if (!view->there) {
		act(out, XENVIF_FORGET);
		return;
	}
	switch (v->phase) {
	case XENVIF_NEW:
		step_new(v, view, out);
		return;
	case XENVIF_SERVED:
		step_served(v, view, out);
		return;
	case XENVIF_ENDED:
		if (view->back == COAX_NETIF_STATE_CLOSING)
			act(out, XENVIF_SAY_CLOSED);
		return;
	}
	COAX_UNREACHABLE();
}

void
xenvif_gone(struct xenvif *v)
{
	v->phase = XENVIF_ENDED;
}

bool
xenvif_may_connect(const struct xenvif *v)
{
	return v->hotplug == XENVIF_HOTPLUG_NONE ||
	       v->hotplug == XENVIF_HOTPLUG_CONNECTED;
}

/* --- events ----------------------------------------------------------------
 */

bool
xenvif_number(const char *text, uint32_t max, uint32_t *out)
{
	if (text[0] == '0' && text[1] != '\0')
		return false;
	return str_u32(text, 10, 0, max, out) == 0;
}

/* Cuts the first part off a path: "1/0/state" is "1", and *rest "0/state" or
 * NULL. False: it is longer than any that matters. */
static bool
part(const char *path, char text[16], const char **rest)
{
	const char *slash = strchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : strlen(path);

	if (len >= 16)
		return false;
	memcpy(text, path, len);
	text[len] = '\0';
	*rest = slash != NULL ? slash + 1 : NULL;
	return true;
}

/* "DOMID", "DOMID/HANDLE" or more. */
static enum xenvif_event
parse_numbers(
    const char *path, uint32_t *domid, uint32_t *handle, const char **rest)
{
	char text[16];

	if (!part(path, text, rest) ||
	    !xenvif_number(text, XENVIF_DOMID_MAX, domid))
		return XENVIF_EVENT_NONE;
	if (*rest == NULL)
		return XENVIF_EVENT_DOMAIN;
	if (!part(*rest, text, rest) ||
	    !xenvif_number(text, XENVIF_HANDLE_MAX, handle))
		return XENVIF_EVENT_NONE;
	return XENVIF_EVENT_VIF;
}

/* Keys of the back end's directory that others change. */
static bool
matters(const char *key)
{
	static const char *const keys[] = { "state", "online", "hotplug-status",
		"rate", "frontend" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(key, keys[i]) == 0)
			return true;
	}
	return false;
}

enum xenvif_event
xenvif_event(const char *root, const char *path, const char *token,
    uint32_t *domid, uint32_t *handle)
{
	size_t len = strlen(root);
	const char *rest;
	enum xenvif_event what;

	if (strcmp(token, XENVIF_TOKEN_RELEASE) == 0)
		return XENVIF_EVENT_DOMAINS;
	if (strncmp(token, XENVIF_TOKEN_FRONT "/", 2) == 0) {
		what = parse_numbers(token + 2, domid, handle, &rest);
		return what == XENVIF_EVENT_VIF && rest == NULL
		           ? what
		           : XENVIF_EVENT_NONE;
	}
	if (strcmp(token, XENVIF_TOKEN_BACK) != 0)
		return XENVIF_EVENT_NONE;
	/* What is above the root has come or gone with it. */
	if (strncmp(path, root, len) != 0)
		return XENVIF_EVENT_ALL;
	if (path[len] != '/')
		return XENVIF_EVENT_ALL;
	what = parse_numbers(path + len + 1, domid, handle, &rest);
	if (what == XENVIF_EVENT_VIF && rest != NULL && !matters(rest))
		return XENVIF_EVENT_NONE;
	return what;
}

/* --- keys ------------------------------------------------------------------
 */

void
xenvif_value(const char *data, size_t len, char *out)
{
	bool good = len < KEYS_VALUE_MAX;

	for (size_t i = 0; good && i < len; i++)
		good = data[i] >= ' ' && data[i] <= '~';
	if (!good) {
		data = "?";
		len = 1;
	}
	memcpy(out, data, len);
	out[len] = '\0';
}

const char *
xenvif_back_key(uint32_t i)
{
	static const char *const keys[] = { "state", "frontend", "online",
		"hotplug-status", "mac", "bridge", "mtu", "rate", "script" };

	return i < ARRAY_LEN(keys) ? keys[i] : NULL;
}

const char *
xenvif_front_key(uint32_t i)
{
	static const char *const keys[] = { "request-rx-copy", "feature-sg",
		"feature-gso-tcpv4", "feature-gso-tcpv6",
		"feature-no-csum-offload", "feature-ipv6-csum-offload",
		"feature-rx-notify", "request-multicast-control",
		"xdp-headroom", "multi-queue-num-queues", "tx-ring-ref",
		"rx-ring-ref", "event-channel", "event-channel-tx",
		"event-channel-rx", "ctrl-ring-ref", "event-channel-ctrl" };

	return i < ARRAY_LEN(keys) ? keys[i] : NULL;
}

bool
xenvif_queue_key(uint32_t queue, uint32_t i, char *text)
{
	static const char *const keys[] = { "tx-ring-ref", "rx-ring-ref",
		"event-channel", "event-channel-tx", "event-channel-rx" };

	if (i >= ARRAY_LEN(keys))
		return false;
	snprintf(text, KEYS_KEY_MAX, "queue-%u/%s", queue, keys[i]);
	return true;
}

uint32_t
xenvif_queues(const struct keys *front)
{
	const char *text = keys_get(front, "multi-queue-num-queues");
	uint32_t count;

	if (text == NULL || str_u32(text, 10, 2, XNB_QUEUES_MAX, &count) < 0)
		return 0;
	return count;
}

bool
xenvif_wants_front(const struct keys *front)
{
	uint32_t state = state_of(front);

	return state == COAX_NETIF_STATE_CONNECTED ||
	       state == COAX_NETIF_STATE_RECONFIGURING;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The method "trace": what would happen to a frame.
 *
 *   {"name":IF, "words":[...] | "frame":HEX, "host":BOOL?}
 *   -> {"iface","host","frame":HEX,"length","about","steps":[STEP...]}
 *
 * "about" has lines for people.
 * A STEP is what bridge/trace.h says. Without a source in the words a frame
 * that the host sends is from the interface's address, and one from the wire
 * from 02:74:72:61:63:65, a station that nobody has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "bridge/bridge.h"
#include "bridge/trace.h"
#include "control/bsderr.h"
#include "control/frame_words.h"
#include "control/frametext.h"
#include "control/info_json.h"
#include "control/methods.h"
#include "frame/frame.h"

static const uint8_t stranger[ETH_ADDR_LEN] = { 2, 't', 'r', 'a', 'c', 'e' };

static const char *
hex_text(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

/* The frame that is asked for, at most @size bytes. Length, or -EINVAL: it was
 * answered. */
static int
take_frame(struct rpc_call *call, const uint8_t src[ETH_ADDR_LEN], uint8_t *out,
    size_t size)
{
	const json_t *words = json_object_get(call->params, "words");
	const char *hex = rpc_param_str(call, "frame");
	const char *argv[FRAME_WORDS_MAX];
	char text[256];
	struct sbuf why = sbuf_init(text, sizeof(text));
	size_t n = json_array_size(words);
	int len = -EINVAL;

	if ((hex != NULL) == (n != 0)) {
		rpc_fail_param(call, "words", "either words or a frame");
		return -EINVAL;
	}
	if (hex != NULL) {
		len = frame_words_hex(hex, out, size, &why);
	} else if (n > ARRAY_LEN(argv)) {
		sbuf_puts(&why, "too many words");
	} else {
		for (size_t i = 0; i < n; i++)
			argv[i] = json_string_value(json_array_get(words, i));
		len =
		    frame_words_build(argv, (uint32_t)n, src, out, size, &why);
	}
	if (len < 0)
		rpc_fail(call, RPC_FAILED, text, rpc_error_data(EINVAL, NULL));
	return len;
}

static void
trace(struct rpc_call *call, struct iface *ifp, bool host, const uint8_t *data,
    uint32_t len, char *hex)
{
	const struct trace_request r = {
		.ifp = ifp,
		.from_host = host,
		.data = data,
		.len = len,
	};
	struct text about = { 0 };
	struct info_json j;
	json_t *o;
	int err;

	frametext(data, len, len, &about);
	o = json_pack("{s:s,s:b,s:s,s:I,s:s}", "iface", ifp->name, "host", host,
	    "frame", hex_text(data, len, hex), "length", (json_int_t)len,
	    "about", text_str(&about));
	text_free(&about);
	info_json_init(&j, o);
	info_list(&j.info, "steps");
	err = o != NULL ? bridge_trace(&r, &j.info) : -ENOMEM;
	info_end(&j.info);
	if (err == 0 && !info_json_ok(&j))
		err = -ENOMEM;
	if (err == 0) {
		rpc_reply(call, o);
		return;
	}
	json_decref(o);
	rpc_fail_errno(call, err, "%s", ifp->name);
}

void
control_trace(struct rpc_call *call)
{
	const json_t *asked = json_object_get(call->params, "host");
	struct iface *ifp = control_param_iface(call);
	const uint8_t *src = stranger;
	uint8_t *data;
	bool host;
	int len;

	if (ifp == NULL)
		return;
	host = json_is_true(asked) || bridge_is(ifp);
	data = malloc(FRAME_LARGE_MAX * 3 + 1); /* with its digits */
	if (data == NULL) {
		rpc_fail_errno(call, -ENOMEM, "%s", ifp->name);
		return;
	}
	if (host || (ifp->ops->kind_flags & IFACE_KIND_HOST_IS_WIRE) != 0)
		src = ifp->mac;
	len = take_frame(call, src, data, FRAME_LARGE_MAX);
	if (len >= 0)
		trace(call, ifp, host, data, (uint32_t)len,
		    (char *)data + FRAME_LARGE_MAX);
	free(data);
}

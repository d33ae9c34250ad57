/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `coax trace' reads: the first byte says what the rest is.
 *
 *   w  words of a frame: what is built is traced
 *   x  digits
 *   p  a capture file: each frame is traced
 *   f  a frame, as it is
 *
 * The bridge has VLANs, limits and guards; the trace must change nothing.
 */
#include "../golden/world.h"
#include "bridge/trace.h"
#include "control/frame_words.h"
#include "control/info_json.h"
#include "control/pcapfile.h"
#include "frame/frame.h"

static void
run(struct world *w, const char *words)
{
	struct text out = { 0 }, err = { 0 };

	ASSERT(world_tool(w, w->home, "ifconfig", words, &out, &err) == 0);
	text_free(&out);
	text_free(&err);
}

static void
trace(struct world *w, const char *name, const uint8_t *data, size_t len)
{
	struct iface *ifp = net_iface_find(w->net, NULL, name);
	json_t *o = json_object();
	struct frame_pool_stats before, after;
	struct info_json j;
	struct text out = { 0 };
	int err;

	frame_pool_stats(w->net->pool, &before);
	for (int host = 0; host < 2; host++) {
		const struct trace_request r = {
			.ifp = ifp,
			.from_host = host != 0,
			.data = data,
			.len = (uint32_t)len,
		};
		uint64_t packets = ifp->count.ipackets;

		info_json_init(&j, o);
		info_list(&j.info, "steps");
		err = bridge_trace(&r, &j.info);
		info_end(&j.info);
		ASSERT(err == (len > FRAME_LARGE_MAX ? -EMSGSIZE : 0));
		ASSERT(info_json_ok(&j));
		ASSERT(packets == ifp->count.ipackets);
		printout_trace(o, &out);
	}
	frame_pool_stats(w->net->pool, &after);
	ASSERT(before.small_free == after.small_free);
	text_free(&out);
	json_decref(o);
}

static void
trace_words(struct world *w, char *text)
{
	static const uint8_t src[6] = { 2, 0, 0, 0, 0, 1 };
	const char *words[FRAME_WORDS_MAX];
	uint8_t frame[4096];
	char why_text[256], *save;
	struct sbuf why = sbuf_init(why_text, sizeof(why_text));
	uint32_t n = 0;
	int len;

	for (char *s = strtok_r(text, " ", &save);
	     s != NULL && n < FRAME_WORDS_MAX; s = strtok_r(NULL, " ", &save))
		words[n++] = s;
	len = frame_words_build(words, n, src, frame, sizeof(frame), &why);
	ASSERT(len < 0 || (len >= ETH_HDR_LEN && len <= (int)sizeof(frame)));
	if (len > 0)
		trace(w, "feth0", frame, (size_t)len);
	else
		ASSERT(why_text[0] != '\0');
}

static void
trace_digits(struct world *w, const char *text)
{
	uint8_t frame[2048];
	char why_text[256];
	struct sbuf why = sbuf_init(why_text, sizeof(why_text));
	int len = frame_words_hex(text, frame, sizeof(frame), &why);

	if (len >= 0)
		trace(w, "feth2", frame, (size_t)len);
}

static void
trace_file(struct world *w, const uint8_t *data, size_t size)
{
	const uint8_t *frame;
	struct pcapfile p;
	uint32_t len, whole, type, n = 0;

	if (pcapfile_open(&p, data, size, &type) < 0)
		return;
	while (n++ < 16 && pcapfile_next(&p, &frame, &len, &whole) > 0) {
		ASSERT(frame >= data && len <= size &&
		       (size_t)(frame - data) <= size - len);
		trace(w, "feth4", frame, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w;
	char *text;

	if (size < 1 || size > 100000)
		return 0;
	w = world_create(NULL);
	run(w, "feth0 create peer feth1 up");
	run(w, "feth2 create up");
	run(w, "feth4 create up");
	run(w, "bridge0 create up addm feth0 untagged 1 addm feth2 tagged 1-9 "
	       "addm feth4 vlanfilter qinq feth2 storm feth0 broadcast 1 "
	       "private feth4 flapdamp 1 ifmaxaddr feth0 1");
	run(w, "bridge0.1 create up");
	run(w, "feth4.7 create up");
	text = malloc(size);
	ASSERT(text != NULL);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0]) {
	case 'w':
		trace_words(w, text);
		break;
	case 'x':
		trace_digits(w, text);
		break;
	case 'p':
		trace_file(w, data + 1, size - 1);
		break;
	case 'f':
		trace(w, "feth0", data + 1, size - 1);
		break;
	default:
		break;
	}
	free(text);
	world_destroy(w);
	return 0;
}

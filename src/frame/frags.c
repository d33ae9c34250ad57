/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments with a blank sum. See frags.h.
 */
#include "frame/frags.h"

#include "base/ether.h"
#include "base/util.h"
#include "frame/l4.h"

#define IP4_ADDR_AT 12 /* both addresses, one behind the other */
#define IP6_ADDR_AT 8
#define TAGS_AT     12          /* in the frame */
#define TAG_MASK    0xffff0fffu /* of a tag: its kind and VLAN */

/* What a frame holds of the pool. */
static uint32_t
held(const struct frame *f)
{
	return f->large ? FRAME_LARGE_MAX : FRAME_SMALL_MAX;
}

/* Takes a datagram out; its pieces go @on, or are dropped. */
static void
empty(struct frags *s, struct frags_datagram *d, bool on, enum drop_reason why)
{
	struct frame *f;

	while ((f = frame_queue_pop(&d->pieces)) != NULL) {
		s->bytes -= held(f);
		if (on)
			s->emit(s->arg, f);
		else
			s->drop(s->arg, f, why);
	}
	*d = (struct frags_datagram){ 0 };
	s->count--;
}

static void
key_of(
    const struct frame *f, const struct parsed *p, struct frags_datagram *key)
{
	uint32_t at = p->ip == 4 ? IP4_ADDR_AT : IP6_ADDR_AT;

	*key = (struct frags_datagram){
		.used = true,
		.ip = p->ip,
		.proto = p->ip == 4 ? p->proto : 0,
		.id = p->frag_id,
	};
	memcpy(key->addr, f->data + p->l3 + at, p->ip == 4 ? 8 : 32);
	for (uint32_t i = 0; i < p->tags; i++)
		key->tag[i] =
		    be32_get(f->data + TAGS_AT + ETH_VLAN_LEN * i) & TAG_MASK;
}

static struct frags_datagram *
find(struct frags *s, const struct frags_datagram *key)
{
	for (uint32_t i = 0; i < FRAGS_DATAGRAMS; i++) {
		struct frags_datagram *d = &s->datagrams[i];

		if (d->used && d->ip == key->ip && d->proto == key->proto &&
		    d->id == key->id &&
		    memcmp(d->addr, key->addr, sizeof(d->addr)) == 0 &&
		    memcmp(d->tag, key->tag, sizeof(d->tag)) == 0)
			return d;
	}
	return NULL;
}

/* A place for a new one; the oldest makes room if it has to. */
static struct frags_datagram *
add(struct frags *s, const struct frags_datagram *key, uint64_t now_ns)
{
	struct frags_datagram *free = NULL, *oldest = NULL;

	for (uint32_t i = 0; i < FRAGS_DATAGRAMS; i++) {
		struct frags_datagram *d = &s->datagrams[i];

		if (!d->used)
			free = d;
		else if (oldest == NULL || d->since_ns < oldest->since_ns)
			oldest = d;
	}
	if (free == NULL) {
		empty(s, oldest, false, DROP_FRAGMENTS);
		free = oldest;
	}
	*free = *key;
	free->since_ns = now_ns;
	s->count++;
	return free;
}

/* Where a piece is in its packet. */
struct range {
	uint32_t at, end;
};

static struct range
range_of(const struct parsed *p)
{
	return (struct range){
		.at = p->frag_at,
		.end = p->frag_at + (p->ip_end - p->frag_data),
	};
}

/* May this piece be added?  It overlaps nothing, is whole words unless it is
 * the last, and ends where the packet can end. */
static bool
fits(const struct frags_datagram *d, const struct parsed *p)
{
	struct range new = range_of(p);
	struct parsed q;

	if (new.at == new.end || new.end > UINT16_MAX ||
	    (p->more && (new.end - new.at) % 8 != 0))
		return false;
	if (d->end != 0 && (new.end > d->end || !p->more))
		return false;
	for (const struct frame *f = d->pieces.head; f != NULL; f = f->next) {
		struct range old;

		(void)parse_frame(f->data, f->len, false, &q);
		old = range_of(&q);
		if (new.at < old.end && old.at < new.end)
			return false;
		if (!p->more && old.end > new.end)
			return false;
	}
	return true;
}

/* All pieces are there: the sum goes into the first. False: it cannot. */
static bool
complete(struct frags_datagram *d)
{
	struct frame *first = NULL;
	struct parsed p, q;
	uint32_t skip, len;
	uint64_t sum;
	uint8_t *field;
	uint16_t v;

	for (struct frame *f = d->pieces.head; f != NULL; f = f->next) {
		if (parse_frame(f->data, f->len, false, &q) == 0 && q.first) {
			first = f;
			p = q;
		}
	}
	if (first == NULL || !p.l4_ok || p.l4_hdr == 0)
		return false;
	/* What the sum covers, from the transport header on. */
	skip = (uint32_t)p.l4 - p.frag_data;
	len = d->end - skip;
	if (p.proto == IP_PROTO_UDP) {
		uint32_t said = be16_get(first->data + p.l4 + UDP_LEN_OFFSET);

		if (said >= UDP_HDR_LEN && said < len)
			len = said;
	}
	field = first->data + p.l4 + l4_csum_offset(&p);
	be16_put(field, 0);
	sum = l4_pseudo(first->data, &p, len);
	for (struct frame *f = d->pieces.head; f != NULL; f = f->next) {
		struct range r;
		uint32_t from, to;

		(void)parse_frame(f->data, f->len, false, &q);
		r = range_of(&q);
		from = COAX_MAX(r.at, skip);
		to = COAX_MIN(r.end, skip + len);
		if (from < to)
			sum = csum_add(sum,
			    f->data + q.frag_data + (from - r.at), to - from);
	}
	v = (uint16_t)~csum_fold(sum);
	if (v == 0 && p.proto == IP_PROTO_UDP)
		v = 0xffff;
	be16_put(field, v);
	return true;
}

bool
frags_input(struct frags *s, struct frame *f, bool blank, uint64_t now_ns)
{
	struct frags_datagram key, *d;
	struct parsed p;
	struct range r;

	ASSERT(f->refs == 1);
	if (!blank && s->count == 0)
		return false;
	if (parse_frame(f->data, f->len, false, &p) < 0 || p.ip == 0 ||
	    !p.fragment)
		return false;
	key_of(f, &p, &key);
	d = find(s, &key);
	if (d == NULL && !blank)
		return false;
	if (d == NULL)
		d = add(s, &key, now_ns);
	if (!fits(d, &p) || s->bytes + held(f) > FRAGS_BYTES) {
		s->drop(s->arg, f, DROP_FRAGMENTS);
		empty(s, d, false, DROP_FRAGMENTS);
		return true;
	}
	r = range_of(&p);
	d->have += r.end - r.at;
	if (!p.more)
		d->end = r.end;
	s->bytes += held(f);
	f->off = (struct frame_offload){ 0 };
	frame_queue_push(&d->pieces, f);
	if (d->end != 0 && d->have == d->end) {
		bool good = complete(d);

		empty(s, d, good, DROP_CSUM_UNKNOWN);
	}
	return true;
}

uint64_t
frags_expire(struct frags *s, uint64_t now_ns)
{
	uint64_t next_ns = 0;

	for (uint32_t i = 0; i < FRAGS_DATAGRAMS; i++) {
		struct frags_datagram *d = &s->datagrams[i];

		if (!d->used)
			continue;
		if (now_ns - d->since_ns >= FRAGS_NS)
			empty(s, d, false, DROP_FRAGMENTS);
		else if (next_ns == 0 || d->since_ns + FRAGS_NS < next_ns)
			next_ns = d->since_ns + FRAGS_NS;
	}
	return next_ns;
}

void
frags_clear(struct frags *s, enum drop_reason why)
{
	for (uint32_t i = 0; i < FRAGS_DATAGRAMS; i++) {
		if (s->datagrams[i].used)
			empty(s, &s->datagrams[i], false, why);
	}
}

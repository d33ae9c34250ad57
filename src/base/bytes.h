/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of a wire format, read and written without overrun.
 *
 * Two ways:
 *   be16_get(p) ... le64_put(p, v)  one number at an address of any alignment;
 *                                   the caller has checked that it is there
 *   struct rd, struct wr            a cursor that cannot leave its buffer
 *
 * A cursor has a sticky error. A read past the end gives 0 (NULL for
 * rd_bytes()), consumes all that is left and makes rd_ok() false; so do all
 * later ones. A decoder thus reads one line a field and asks rd_ok() once, at
 * the end. A write past the end writes nothing and makes wr_ok() false.
 *
 * The buffer is borrowed for the cursor's life. A cursor is a plain value:
 * copy it to look ahead. It must not be laid over memory that a peer can
 * change meanwhile: copy shared memory first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Numbers at an address of any alignment. */

static inline uint16_t
be16_get(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	return v;
}

static inline uint32_t
be32_get(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	return v;
}

static inline uint64_t
be64_get(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline uint16_t
le16_get(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	return v;
}

static inline uint32_t
le32_get(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	return v;
}

static inline uint64_t
le64_get(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline void
be16_put(void *p, uint16_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	memcpy(p, &v, sizeof(v));
}

static inline void
be32_put(void *p, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	memcpy(p, &v, sizeof(v));
}

static inline void
be64_put(void *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	memcpy(p, &v, sizeof(v));
}

static inline void
le16_put(void *p, uint16_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	memcpy(p, &v, sizeof(v));
}

static inline void
le32_put(void *p, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	memcpy(p, &v, sizeof(v));
}

static inline void
le64_put(void *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	memcpy(p, &v, sizeof(v));
}

/* A reader: @p is the next byte, @left how many there are from there. */
struct rd {
	const uint8_t *p;
	size_t left;
	bool bad; /* a read went past the end */
};

/* A reader over @len bytes at @data (borrowed; may be NULL if @len is 0). */
static inline struct rd
rd_init(const void *data, size_t len)
{
	return (struct rd){ .p = data, .left = len };
}

/* True as long as no read went past the end. */
static inline bool
rd_ok(const struct rd *r)
{
	return !r->bad;
}

/* Bytes not yet read; 0 after a read past the end. */
static inline size_t
rd_left(const struct rd *r)
{
	return r->left;
}

/*
 * The next @len bytes in place (borrowed from the buffer), or NULL if there are
 * not so many. With @len 0 the result may be NULL on an empty buffer.
 */
static inline const uint8_t *
rd_bytes(struct rd *r, size_t len)
{
	const uint8_t *p = r->p;

	if (len > r->left || r->bad) {
		r->bad = true;
		r->left = 0;
		return NULL;
	}
	if (len > 0) {
		r->p += len;
		r->left -= len;
	}
	return p;
}

/* Passes over @len bytes. */
static inline void
rd_skip(struct rd *r, size_t len)
{
	(void)rd_bytes(r, len);
}

/* Copies the next @len bytes to @dst; all zero if there are not so many. */
static inline void
rd_copy(struct rd *r, void *dst, size_t len)
{
	const uint8_t *p = rd_bytes(r, len);

	if (len == 0)
		return;
	if (p != NULL)
		memcpy(dst, p, len);
	else
		memset(dst, 0, len);
}

static inline uint8_t
rd_u8(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 1);

	return p != NULL ? *p : 0;
}

static inline uint16_t
rd_be16(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 2);

	return p != NULL ? be16_get(p) : 0;
}

static inline uint32_t
rd_be32(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 4);

	return p != NULL ? be32_get(p) : 0;
}

static inline uint64_t
rd_be64(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 8);

	return p != NULL ? be64_get(p) : 0;
}

static inline uint16_t
rd_le16(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 2);

	return p != NULL ? le16_get(p) : 0;
}

static inline uint32_t
rd_le32(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 4);

	return p != NULL ? le32_get(p) : 0;
}

static inline uint64_t
rd_le64(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 8);

	return p != NULL ? le64_get(p) : 0;
}

/* A writer: @p is the next byte to write, @left the room from there. */
struct wr {
	uint8_t *p;
	size_t left;
	size_t len; /* bytes written */
	bool bad;   /* a write did not fit */
};

/* A writer over @size bytes at @data (borrowed; may be NULL if @size is 0). */
static inline struct wr
wr_init(void *data, size_t size)
{
	return (struct wr){ .p = data, .left = size };
}

/* True as long as every write fitted. */
static inline bool
wr_ok(const struct wr *w)
{
	return !w->bad;
}

/* Bytes written so far; those before the first that did not fit. */
static inline size_t
wr_len(const struct wr *w)
{
	return w->len;
}

/* Room that is left; 0 after a write that did not fit. */
static inline size_t
wr_left(const struct wr *w)
{
	return w->left;
}

/*
 * Takes the next @len bytes for the caller to fill, or returns NULL if there is
 * no room. For a length field that is known only later.
 */
static inline uint8_t *
wr_reserve(struct wr *w, size_t len)
{
	uint8_t *p = w->p;

	if (len > w->left || w->bad) {
		w->bad = true;
		w->left = 0;
		return NULL;
	}
	if (len > 0) {
		w->p += len;
		w->left -= len;
		w->len += len;
	}
	return p;
}

static inline void
wr_bytes(struct wr *w, const void *src, size_t len)
{
	uint8_t *p = wr_reserve(w, len);

	if (p != NULL && len > 0)
		memcpy(p, src, len);
}

/* Writes @len zero bytes. */
static inline void
wr_zero(struct wr *w, size_t len)
{
	uint8_t *p = wr_reserve(w, len);

	if (p != NULL && len > 0)
		memset(p, 0, len);
}

static inline void
wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p = wr_reserve(w, 1);

	if (p != NULL)
		*p = v;
}

static inline void
wr_be16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_reserve(w, 2);

	if (p != NULL)
		be16_put(p, v);
}

static inline void
wr_be32(struct wr *w, uint32_t v)
{
	uint8_t *p = wr_reserve(w, 4);

	if (p != NULL)
		be32_put(p, v);
}

static inline void
wr_be64(struct wr *w, uint64_t v)
{
	uint8_t *p = wr_reserve(w, 8);

	if (p != NULL)
		be64_put(p, v);
}

static inline void
wr_le16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_reserve(w, 2);

	if (p != NULL)
		le16_put(p, v);
}

static inline void
wr_le32(struct wr *w, uint32_t v)
{
	uint8_t *p = wr_reserve(w, 4);

	if (p != NULL)
		le32_put(p, v);
}

static inline void
wr_le64(struct wr *w, uint64_t v)
{
	uint8_t *p = wr_reserve(w, 8);

	if (p != NULL)
		le64_put(p, v);
}

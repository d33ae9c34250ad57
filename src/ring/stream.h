/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of bytes through shared memory, from one writer to one reader.
 *
 * Theory of operation
 *
 *     memory                                                   memory + size
 *     |<- STREAM_HEADER_SIZE ->|<-------- a power of two ---------->|
 *     +------------------------+------------------------------------+
 *       marks, counts           bytes, round and round
 *
 * The writer asks for room for a whole record, puts its bytes, and publishes
 * many records at once; there is no room: the record is lost, and the writer
 * goes on.  Nobody ever waits for the reader.  The reader looks at what was
 * published, in place, and gives it back when done.
 *
 * A reader that sleeps says how many bytes must be there to wake it; when they
 * are the writer finds stream_sleeper() true once, and wakes it by whatever
 * descriptor the two have agreed on.  While a stream flows a reader that wants
 * many costs few system calls.
 *
 * The writer trusts the reader with nothing: it reads the reader's mark once,
 * checks it, and lives by its own copies of everything else; a mark that cannot
 * be makes the stream broken for good.  The bytes are the reader's from then
 * on: what it does to them is its own affair.  The reader trusts the writer,
 * but stays inside its memory whatever that says.
 *
 * Memory order: "head" is released by stream_publish() after the bytes and
 * acquired by stream_peek(); "tail" is released by stream_skip() after they
 * were looked at, and acquired by stream_room().  "asleep" against "head" is
 * Dekker's: each side writes its own, then, past a full fence, reads the
 * other's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_HEADER_SIZE 4096u
#define STREAM_ROOM_MIN    (128u * 1024) /* any record fits */
#define STREAM_ROOM_MAX    (1024u * 1024 * 1024)
#define STREAM_COUNTS      8 /* numbers beside the stream; the users' meaning */

/* In shared memory. */
struct stream_shared;

struct stream_writer {
	struct stream_shared *shared;
	uint8_t *data;
	uint64_t size;      /* of the data */
	uint64_t next;      /* bytes put since the beginning */
	uint64_t published; /* of them, what the reader may see */
	uint64_t tail; /* of them, what the reader is known to have taken */
	bool broken;   /* the reader's mark was nonsense */
};

struct stream_reader {
	struct stream_shared *shared;
	const uint8_t *data;
	uint64_t size;
	uint64_t tail;
};

/** stream_size() - memory for @room bytes of data, or for the next power of two
 * above; @room is between the limits (asserted) */
size_t stream_size(size_t room);

/**
 * stream_writer_init() - begin to write
 * @memory: all zero; borrowed for the stream's life; aligned to 64 bytes
 * @size:   of stream_size(), from whoever made the memory
 *
 * Return: 0, or -EINVAL (another size; a reader has been there).
 */
int stream_writer_init(struct stream_writer *w, void *memory, size_t size);

/** stream_room() - is there room for @len more bytes (>= 1)? */
bool stream_room(struct stream_writer *w, size_t len);

/** stream_put() - bytes of a record for which there is room */
void stream_put(struct stream_writer *w, const void *src, size_t len);

/** stream_place() - where the next @len bytes, for which there is room, are to
 * be written in one piece; NULL: they wrap, use stream_put() */
static inline uint8_t *
stream_place(struct stream_writer *w, size_t len)
{
	uint64_t at = w->next & (w->size - 1);

	if (__builtin_expect(len > w->size - at, 0))
		return NULL;
	w->next += len;
	return w->data + at;
}

/** stream_unpublished() - bytes that the reader does not see yet */
static inline uint64_t
stream_unpublished(const struct stream_writer *w)
{
	return w->next - w->published;
}

/** stream_publish() - what was put may be read */
void stream_publish(struct stream_writer *w);

/** stream_sleeper() - after a publish: must the reader be woken?  True once for
 * each time that it fell asleep, when there is what it wanted. */
bool stream_sleeper(struct stream_writer *w);

/** stream_count() - set number @i, below STREAM_COUNTS, for the reader */
void stream_count(struct stream_writer *w, unsigned int i, uint64_t value);

/** stream_reader_init() - begin to read; as stream_writer_init() */
int stream_reader_init(struct stream_reader *r, void *memory, size_t size);

/**
 * stream_peek() - what can be read in one piece
 * @at: the bytes; borrowed until stream_skip()
 *
 * Where the data wraps the rest is found by a second call, after
 * stream_skip().
 *
 * Return: how many bytes, 0: none, or -EPROTO (the marks are nonsense).
 */
long stream_peek(const struct stream_reader *r, const uint8_t **at);

/** stream_copy() - the next @len bytes, from @skip on, across the wrap
 * Return: 0, -EAGAIN (not so many there), or -EPROTO. */
int stream_copy(
    const struct stream_reader *r, size_t skip, void *to, size_t len);

/** stream_skip() - give back the first @len of the bytes that were there */
void stream_skip(struct stream_reader *r, size_t len);

/** stream_sleep() - the reader is going to wait until @enough bytes (>= 1) are
 * there; false: do not, they are */
bool stream_sleep(struct stream_reader *r, uint32_t enough);

/** stream_counted() - number @i of the writer's */
uint64_t stream_counted(const struct stream_reader *r, unsigned int i);

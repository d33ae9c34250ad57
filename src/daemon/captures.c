/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures for clients.
 *
 *   capture.start {name, direction?, drops?, snaplen?, count?, program?}
 *     with two descriptors: memory for the stream (a sealed memfd, see
 *     ring/stream.h) and one end of a pair of sockets, the bell
 *     {"name","vnet","mac","description"?}
 *
 * The bell is the capture's life: a byte on it wakes a reader that sleeps; when
 * the reader's end closes, or says that it will send no more, the capture ends;
 * when the capture ends by itself its end closes.  The connection on which it
 * was asked for may go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/list.h"
#include "base/util.h"
#include "capture/capture.h"
#include "capture/pcapng.h"
#include "control/methods.h"
#include "daemon/daemon.h"
#include "os/clock.h"
#include "os/sock.h"
#include "ring/stream.h"

#define CAPTURES_MAX 256 /* of all clients */
/* A user has no more than a quarter, users together leave the last quarter to
 * administrators, and what a user gives as memory is bounded. */
#define CAPTURES_USER      (CAPTURES_MAX / 4)
#define CAPTURES_USERS     (CAPTURES_MAX / 4 * 3)
#define CAPTURES_USER_SIZE ((size_t)256 * 1024 * 1024)
/* Page tables are filled up to here at once; beyond, as the stream gets there.
 */
#define READY_MAX ((size_t)16 * 1024 * 1024)

struct capturing {
	struct daemon *d;
	struct capture *capture;
	struct loop_fd bell;
	struct loop_task flush; /* at the end of the turn */
	bool ended;
	uint32_t uid; /* whose it is; NET_ID_NONE: an administrator's */
	void *memory;
	size_t size;
	LIST_ENTRY(capturing) link;
};

static void
capturing_end(struct capturing *c)
{
	/* For a reader that is still there. */
	(void)capture_flush(c->capture);
	loop_task_cancel(c->d->loop, &c->flush);
	loop_fd_del(c->d->loop, &c->bell);
	capture_destroy(c->capture);
	fd_close(&c->bell.fd);
	(void)munmap(c->memory, c->size);
	LIST_REMOVE(c, link);
	c->d->capture_count--;
	free(c);
}

void
daemon_captures_end(struct daemon *d)
{
	struct capturing *c;

	while ((c = LIST_FIRST(&d->captures)) != NULL)
		capturing_end(c);
}

static uint64_t
real_time_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* The bell rings for a reader that sleeps; one with bytes to take on it needs
 * no more of them. */
static void
flush(struct loop_task *t)
{
	struct capturing *c = t->arg;

	if (capture_flush(c->capture))
		(void)send(c->bell.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (c->ended)
		capturing_end(c);
}

static void
dirty(struct capture *capture)
{
	struct capturing *c = capture_user(capture);

	loop_defer(c->d->loop, &c->flush);
}

static void
ended(struct capture *capture, enum capture_end why)
{
	struct capturing *c = capture_user(capture);

	(void)why; /* the reader finds it beside the stream */
	c->ended = true;
	loop_defer(c->d->loop, &c->flush);
}

static void
hung_up(struct loop_fd *w, uint32_t revents)
{
	(void)revents;
	capturing_end(w->arg);
}

/* Is it a socket that can be a bell? */
static int
bell_check(int fd)
{
	socklen_t len = sizeof(int);
	int domain = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
	    domain != AF_UNIX)
		return -EINVAL;
	return 0;
}

/* Is there room for one more of @size bytes? 0 or -errno, said. */
static int
share_check(const struct daemon *d, uint32_t uid, size_t size)
{
	const struct capturing *c;
	uint32_t count = 0;

	if (uid == NET_ID_NONE)
		return 0;
	LIST_FOREACH (c, &d->captures, link) {
		if (c->uid != uid)
			continue;
		count++;
		size += c->size;
	}
	if (count >= CAPTURES_USER)
		return net_error(d->net, -EDQUOT,
		    "a user may have %d captures at a time", CAPTURES_USER);
	if (size > CAPTURES_USER_SIZE)
		return net_error(d->net, -EDQUOT,
		    "a user's captures may have %zu MiB of memory",
		    CAPTURES_USER_SIZE >> 20);
	if (d->capture_count >= CAPTURES_USERS)
		return net_error(d->net, -EBUSY,
		    "there are as many captures as users may have");
	return 0;
}

/* Maps the client's memory. 0, or -errno with nothing mapped; -EDQUOT: said. */
static int
memory_map(int fd, struct capturing *c)
{
	struct stat st;
	int err = memfd_check(fd, STREAM_HEADER_SIZE + STREAM_ROOM_MIN);

	if (err < 0)
		return err;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > STREAM_HEADER_SIZE + STREAM_ROOM_MAX)
		return -EMSGSIZE;
	err = share_check(c->d, c->uid, (size_t)st.st_size);
	if (err < 0)
		return err;
	c->size = (size_t)st.st_size;
	c->memory =
	    mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c->memory == MAP_FAILED)
		return -errno;
	(void)madvise(
	    c->memory, COAX_MIN(c->size, READY_MAX), MADV_POPULATE_WRITE);
	return 0;
}

/* The filter, checked; owned by the caller. */
static int
program_of(struct rpc_call *call, struct program *out)
{
	const char *text = rpc_param_str(call, "program");
	struct program_insn *insns, *less;
	uint32_t at;
	int err;

	*out = (struct program){ 0 };
	if (text == NULL || text[0] == '\0')
		return 0;
	insns = calloc(PROGRAM_MAX, sizeof(*insns));
	if (insns == NULL)
		return -ENOMEM;
	err = program_parse(text, insns, out);
	if (err < 0) {
		(void)net_error(call->net, err,
		    err == -E2BIG ? "the filter is longer than %u instructions"
		                  : "the filter is no program of up to %u "
		                    "instructions",
		    PROGRAM_MAX);
	} else {
		err = program_check(out, &at);
		if (err < 0)
			(void)net_error(call->net, err,
			    "instruction %u of the filter is not allowed: it "
			    "jumps back or outside, or does not exist",
			    at);
	}
	if (err < 0) {
		free(insns);
		*out = (struct program){ 0 };
		return err;
	}
	less = realloc(insns, out->count * sizeof(*insns));
	out->insns = less != NULL ? less : insns;
	return 0;
}

static int
start(struct rpc_call *call, struct iface *ifp, struct capture_options *options,
    int memory_fd, int bell_fd)
{
	struct daemon *d = call->user;
	struct capturing *c;
	int err;

	if (d->capture_count >= CAPTURES_MAX)
		return net_error(call->net, -EBUSY,
		    "there are %d captures, as many as there may be",
		    CAPTURES_MAX);
	err = bell_check(bell_fd);
	if (err < 0)
		return net_error(call->net, err, "the bell is no Unix socket");
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->d = d;
	c->flush = (struct loop_task){ .fn = flush, .arg = c };
	c->bell = (struct loop_fd){ .fd = bell_fd,
		.events = EPOLLRDHUP,
		.fn = hung_up,
		.arg = c,
		.quiet = true };
	c->uid = net_is_admin(call->net) ? NET_ID_NONE : call->net->actor->uid;
	err = memory_map(memory_fd, c);
	if (err == -EDQUOT || err == -EBUSY)
		goto out_free;
	if (err < 0) {
		err = net_error(call->net, err,
		    "the memory is no sealed memfd of a size that is allowed");
		goto out_free;
	}
	err = loop_fd_add(d->loop, &c->bell);
	if (err < 0)
		goto out_unmap;
	options->memory = c->memory;
	options->memory_size = c->size;
	options->clock_ns = real_time_ns;
	options->dirty = dirty;
	options->ended = ended;
	options->user = c;
	err = capture_create(ifp, options, &c->capture);
	if (err == -EINVAL)
		err = net_error(
		    call->net, err, "the memory is not fit for a stream");
	if (err < 0)
		goto out_bell;
	LIST_INSERT_HEAD(&d->captures, c, link);
	d->capture_count++;
	return 0;

out_bell:
	loop_fd_del(d->loop, &c->bell);
out_unmap:
	(void)munmap(c->memory, c->size);
out_free:
	free(c);
	return err;
}

/* What goes into the head of the file. */
static json_t *
describe(const struct iface *ifp)
{
	char mac[ETH_ADDR_STRLEN];

	return json_pack("{s:s, s:s, s:s, s:s*}", "name", ifp->name, "vnet",
	    ifp->vnet->name, "mac", ether_format(ifp->mac, mac), "description",
	    ifp->descr[0] != '\0' ? ifp->descr : NULL);
}

static void
method_start(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	const char *direction = rpc_param_str(call, "direction");
	struct capture_options options = {
		.drops = rpc_param_bool(call, "drops", false),
		.snaplen = (uint32_t)rpc_param_int(call, "snaplen", 0),
		.count_max = (uint64_t)rpc_param_int(call, "count", 0),
	};
	struct iface *ifp = control_param_iface(call);
	int memory_fd, bell_fd, err;

	if (ifp == NULL) /* answered, and gone */
		return;
	/* What passes a port that others use, too, is not his to see. */
	err = net_need(ifp, NET_ACCESS_OWN);
	if (err < 0) {
		rpc_fail_errno(call, err, "%s", name);
		return;
	}
	options.in = direction != NULL && strcmp(direction, "in") == 0;
	options.out = direction != NULL && strcmp(direction, "out") == 0;
	if (direction != NULL && !options.in && !options.out &&
	    strcmp(direction, "both") != 0) {
		rpc_fail_param(call, "direction", "in, out or both");
		return;
	}
	err = program_of(call, &options.program);
	if (err < 0) {
		rpc_fail_errno(call, err, "%s", name);
		return;
	}
	memory_fd = rpc_call_take_fd(call, 0);
	bell_fd = rpc_call_take_fd(call, 1);
	err = memory_fd < 0 || bell_fd < 0
	          ? net_error(call->net, -EBADF,
	                "memory and a socket must come with it")
	          : start(call, ifp, &options, memory_fd, bell_fd);
	fd_close(&memory_fd);
	if (err < 0) {
		fd_close(&bell_fd);
		free(options.program.insns);
		rpc_fail_errno(call, err, "%s", name);
		return;
	}
	rpc_reply(call, describe(ifp));
}

/* clang-format off */
const struct rpc_method daemon_capture_methods[] = {
	{ "capture.start", RPC_USERS, {
	    { "name", RPC_STRING, false, 0, 0, "interface" },
	    { "direction", RPC_STRING, true, 0, 0, "in, out or both" },
	    { "drops", RPC_BOOLEAN, true, 0, 0,
	      "what is dropped instead of what passes" },
	    { "snaplen", RPC_INTEGER, true, 0, PCAPNG_SNAPLEN_MAX,
	      "bytes kept of a frame; 0: all" },
	    { "count", RPC_INTEGER, true, 0, INT64_MAX,
	      "ends after so many; 0: never" },
	    { "program", RPC_STRING, true, 0, 0,
	      "classic BPF, \"COUNT,CODE JT JF K,...\"" } },
	    method_start, "copy frames into the client's memory" },
	{ .name = NULL },
};
/* clang-format on */

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax: a ring port's frames. port_impl.h has the picture.
 *
 * Transmit. The area is a queue of bytes: a frame takes the next ones, rounded
 * up to a cache line, and starts a new page where it would otherwise cross the
 * end of one, or is longer than one. Answers come in the order of the requests,
 * so space comes back in that order, too.
 *
 * Receive. Frames are given out where they lie. The extra info of a super-frame
 * takes a slot, and with it a page, between the first piece and the rest: the
 * first piece is moved up into that page.
 *
 * Waking. While frames keep coming nobody asks to be told. A call that is
 * about to sleep polls for core->spin_us, then asks, looks again, sleeps.
 */
#include "coax/port.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "frame/offload.h"
#include "lib/port_impl.h"
#include "os/clock.h"
#include "os/sock.h"
#include "ring/netslot.h"

#define TX_WORDS (COAX_NETIF_TX_SLOT_SIZE / sizeof(uint32_t))
#define RX_WORDS (COAX_NETIF_RX_SLOT_SIZE / sizeof(uint32_t))

#define TX_KEEP    UINT32_MAX /* this slot gives no space back */
#define LINE       64u
#define POLLS_MAX  64u /* without a look at the socket */
#define OPEN_MS    10000
#define SPIN_US    50
#define EVENTS_MAX 4
#define LOOK_NS    (100 * CLOCK_NS_PER_MSEC)

static inline uint32_t
relax_spin(uint32_t n)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
	return n + 1;
}

/* --- opening and closing ---------------------------------------------------
 */

/* Maps @bytes at @offset twice in a row at @at. */
static int
map_twice(int fd, uint8_t *at, size_t bytes, size_t offset)
{
	for (int i = 0; i < 2; i++) {
		void *p =
		    mmap(at + (size_t)i * bytes, bytes, PROT_READ | PROT_WRITE,
		        MAP_SHARED | MAP_FIXED, fd, (off_t)offset);

		if (p == MAP_FAILED)
			return -errno;
	}
	return 0;
}

#define QUEUE_MAP_BYTES                                   \
	(2 * COAX_RING_PAGE + 2 * (size_t)PORT_TX_BYTES + \
	    2 * (size_t)PORT_RX_BYTES)

static int
queue_map(struct coax_port *q)
{
	size_t at = (size_t)q->index * PORT_QUEUE_PAGES * COAX_RING_PAGE;
	int fd = q->core->memfd;
	uint8_t *base;
	int err;

	base = mmap(NULL, QUEUE_MAP_BYTES, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	q->rings = base;
	q->tx_area = base + 2 * COAX_RING_PAGE;
	q->rx_area = q->tx_area + 2 * (size_t)PORT_TX_BYTES;
	if (mmap(base, 2 * COAX_RING_PAGE, PROT_READ | PROT_WRITE,
	        MAP_SHARED | MAP_FIXED, fd, (off_t)at) == MAP_FAILED)
		return -errno;
	err = map_twice(fd, q->tx_area, PORT_TX_BYTES,
	    at + PORT_PAGE_TX * (size_t)COAX_RING_PAGE);
	if (err == 0)
		err = map_twice(fd, q->rx_area, PORT_RX_BYTES,
		    at + PORT_PAGE_RX * (size_t)COAX_RING_PAGE);
	return err;
}

/* Gives @count pages back to the daemon, in the order of their slots. */
static void
post_buffers(struct coax_port *q, uint32_t count)
{
	uint32_t first = q->index * PORT_QUEUE_PAGES + PORT_PAGE_RX;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = q->rx.req_prod_pvt % COAX_NETIF_RX_SLOTS;

		netslot_put_rx_request(&q->rx, (uint16_t)slot, first + slot);
	}
}

static int
queue_init(struct coax_port *q)
{
	struct epoll_event ev = {
		.events = EPOLLIN,
		.data.u32 = PORT_SOURCE_RETRY,
	};
	int err = queue_map(q);

	if (err < 0)
		return err;
	netring_front_init(
	    &q->tx, q->rings, COAX_NETIF_TX_SLOTS, COAX_NETIF_TX_SLOT_SIZE);
	netring_front_init(&q->rx, q->rings + COAX_RING_PAGE,
	    COAX_NETIF_RX_SLOTS, COAX_NETIF_RX_SLOT_SIZE);
	post_buffers(q, COAX_NETIF_RX_SLOTS);
	(void)netring_front_publish(&q->rx);
	q->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (q->epfd < 0 ||
	    epoll_ctl(q->epfd, EPOLL_CTL_ADD, q->core->retry_fd, &ev) < 0)
		return -errno;
	return 0;
}

static void
queue_fini(struct coax_port *q)
{
	fd_close(&q->epfd);
	fd_close(&q->ch.kick);
	fd_close(&q->ch.call);
	fd_close(&q->next.kick);
	fd_close(&q->next.call);
	if (q->rings != NULL)
		(void)munmap(q->rings, QUEUE_MAP_BYTES);
}

static int
core_init(struct port_core *core)
{
	size_t size =
	    (size_t)core->queue_count * PORT_QUEUE_PAGES * COAX_RING_PAGE;
	int err = 0;

	core->memfd = memfd_sealed("coax-port", size);
	if (core->memfd < 0)
		return core->memfd;
	core->retry_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (core->retry_fd < 0)
		return -errno;
	for (uint32_t i = 0; err == 0 && i < core->queue_count; i++)
		err = queue_init(&core->queues[i]);
	return err;
}

void
coax_port_close(struct coax_port *port)
{
	struct port_core *core;

	if (port == NULL)
		return;
	core = port->core;
	port_part(core);
	for (uint32_t i = 0; i < COAX_PORT_QUEUES_MAX; i++)
		queue_fini(&core->queues[i]);
	fd_close(&core->retry_fd);
	fd_close(&core->memfd);
	free(core->socket);
	pthread_mutex_destroy(&core->lock);
	free(core);
}

static int
options_check(const struct coax_port_options *o)
{
	unsigned int known = COAX_PORT_MAKE | COAX_PORT_ONCE |
	                     COAX_PORT_RX_CSUM | COAX_PORT_RX_TSO4 |
	                     COAX_PORT_RX_TSO6;
	unsigned int tso = COAX_PORT_RX_TSO4 | COAX_PORT_RX_TSO6;

	if ((o->flags & ~known) != 0 || o->queues > COAX_PORT_QUEUES_MAX ||
	    o->spin_us < -1 || o->timeout_ms < 0)
		return -EINVAL;
	/* A super-frame has no sum either. */
	if ((o->flags & tso) != 0 && (o->flags & COAX_PORT_RX_CSUM) == 0)
		return -EINVAL;
	return 0;
}

int
coax_port_open(const char *name, const struct coax_port_options *options,
    struct coax_port **out)
{
	static const struct coax_port_options defaults;
	const struct coax_port_options *o =
	    options != NULL ? options : &defaults;
	int timeout_ms = o->timeout_ms != 0 ? o->timeout_ms : OPEN_MS;
	struct port_core *core;
	int err = options_check(o);

	if (err < 0 || out == NULL)
		return -EINVAL;
	core = aligned_alloc(LINE, (sizeof(*core) + LINE - 1) & ~(LINE - 1));
	if (core == NULL)
		return -ENOMEM;
	memset(core, 0, sizeof(*core));
	(void)pthread_mutex_init(&core->lock, NULL);
	core->memfd = core->store = core->retry_fd = -1;
	core->queue_count = o->queues != 0 ? o->queues : 1;
	core->flags = o->flags;
	core->spin_us = o->spin_us == 0  ? SPIN_US
	                : o->spin_us < 0 ? 0
	                                 : (uint32_t)o->spin_us;
	for (uint32_t i = 0; i < COAX_PORT_QUEUES_MAX; i++) {
		struct coax_port *q = &core->queues[i];

		q->core = core;
		q->index = i;
		q->epfd = -1;
		q->ch = q->next = (struct port_channel){ -1, -1 };
	}
	if (name != NULL) {
		core->named = true;
		err = str_copy(core->name, sizeof(core->name), name);
		if (err < 0 || name[0] == '\0')
			err = -ENXIO;
	}
	if (err == 0 && o->socket != NULL) {
		core->socket = strdup(o->socket);
		err = core->socket != NULL ? 0 : -ENOMEM;
	}
	if (err == 0)
		err = core_init(core);
	if (err == 0)
		err = port_connect(core,
		    clock_now_ns() + (uint64_t)timeout_ms * CLOCK_NS_PER_MSEC);
	if (err < 0) {
		coax_port_close(core->queues);
		return err;
	}
	*out = core->queues;
	return 0;
}

struct coax_port *
coax_port_queue(struct coax_port *port, unsigned int index)
{
	struct port_core *core = port->core;

	return index < core->queue_count ? &core->queues[index] : NULL;
}

/* --- waking and waiting ----------------------------------------------------
 */

static inline void
adopt_if_new(struct coax_port *q)
{
	if (__builtin_expect(
	        shm_load_acquire(&q->core->generation) != q->generation, 0))
		port_adopt(q);
}

static void
kick(struct coax_port *q)
{
	uint64_t one = 1;

	q->stats.kicks++;
	/* A counter that is full has woken the daemon. */
	if (write(q->ch.kick, &one, sizeof(one)) < 0)
		return;
}

/* Why the port gives no more frames: 0 if it does. */
static int
verdict(struct coax_port *q)
{
	struct port_core *core = q->core;
	int err = 0;

	if (q->corrupt)
		return -EPROTO;
	pthread_mutex_lock(&core->lock);
	if (core->closed)
		err = keys_get(&core->back, "error") != NULL ? -EPROTO : -EPIPE;
	pthread_mutex_unlock(&core->lock);
	return err;
}

/* Waits in epoll for up to @timeout_ms, and does what concerns all queues. 0 or
 * -errno. */
static int
look(struct coax_port *q, int timeout_ms)
{
	struct port_core *core = q->core;
	struct epoll_event ev[EVENTS_MAX];
	int n = epoll_wait(q->epfd, ev, EVENTS_MAX, timeout_ms);

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (ev[i].data.u32 == PORT_SOURCE_CALL)
			continue;
		pthread_mutex_lock(&core->lock);
		if (ev[i].data.u32 == PORT_SOURCE_STORE)
			port_control_input(core);
		else
			port_control_retry(core);
		pthread_mutex_unlock(&core->lock);
	}
	adopt_if_new(q);
	return verdict(q);
}

/* A call's patience. */
struct patience {
	uint64_t deadline_ns; /* UINT64_MAX: for ever */
	uint64_t spin_until_ns;
	uint32_t spins;
};

static struct patience
patience_of(int timeout_ms)
{
	return (struct patience){
		.deadline_ns = timeout_ms < 0
		                   ? UINT64_MAX
		                   : clock_now_ns() + (uint64_t)timeout_ms *
		                                          CLOCK_NS_PER_MSEC,
	};
}

/* Milliseconds left: -1 for ever, 0 none. */
static int
patience_left(const struct patience *p)
{
	uint64_t now_ns;

	if (p->deadline_ns == UINT64_MAX)
		return -1;
	now_ns = clock_now_ns();
	if (now_ns >= p->deadline_ns)
		return 0;
	return (int)((p->deadline_ns - now_ns + CLOCK_NS_PER_MSEC - 1) /
	             CLOCK_NS_PER_MSEC);
}

/* True as long as polling goes on before the first sleep. */
static bool
patience_spin(struct coax_port *q, struct patience *p)
{
	uint64_t spin_ns = q->core->spin_us * CLOCK_NS_PER_USEC;

	if (spin_ns == 0)
		return false;
	if (p->spins == 0)
		p->spin_until_ns = clock_now_ns() + spin_ns;
	p->spins = relax_spin(p->spins);
	/* The daemon may want this very processor. */
	if (p->spins % 32 == 0)
		sched_yield();
	return p->spins % 8 != 0 || clock_now_ns() < p->spin_until_ns;
}

/* --- transmitting ----------------------------------------------------------
 */

/* Takes the answers that have come. 0 or -EPROTO. */
static int
tx_reclaim(struct coax_port *q)
{
	int n = netring_front_poll(&q->tx);

	if (n < 0)
		return n;
	netring_front_expect(&q->tx, (uint32_t)n);
	for (int i = 0; i < n; i++) {
		uint32_t slot = q->tx.rsp_cons % COAX_NETIF_TX_SLOTS;
		struct coax_netif_tx_response rsp =
		    netslot_get_tx_response(&q->tx, q->tx.rsp_cons);

		q->tx.rsp_cons++;
		if (q->tx_extra[slot])
			continue;
		if (rsp.id != slot)
			return -EPROTO;
		if (q->tx_after[slot] == TX_KEEP)
			continue;
		q->tx_tail = q->tx_after[slot];
		if (rsp.status < 0)
			q->stats.refused++;
	}
	return 0;
}

/* What is to be done about a frame's checksum. */
enum tx_sum {
	TX_SUM_THERE, /* nothing */
	TX_SUM_BLANK, /* the daemon, or who is behind it, makes it */
	TX_SUM_MAKE,  /* we do: it is one that the daemon does not look for */
};

/* By the frame's record. The protocol can only say that TCP's or UDP's own sum
 * is blank; that of a fragment is for the daemon, too. -EINVAL: it is wrong. */
static int
sum_of(const struct coax_frame *f)
{
	const struct coax_offload *o = &f->offload;
	bool gso = o->gso_type != COAX_GSO_NONE;
	struct parsed p;
	int place;

	if ((o->flags & COAX_OFFLOAD_CSUM_PARTIAL) == 0)
		return gso ? TX_SUM_BLANK : TX_SUM_THERE;
	if (o->csum_start == 0 && o->csum_offset == 0)
		return TX_SUM_BLANK; /* the daemon finds out */
	place = offload_place(
	    f->data, f->len, gso, o->csum_start, o->csum_offset, &p);
	if (place == 0 || p.fragment)
		return TX_SUM_BLANK;
	return place == 1 && !gso ? TX_SUM_MAKE : -EINVAL;
}

/* enum tx_sum, or -EINVAL: no such frame can be sent. */
static inline int
frame_check(const struct coax_frame *f)
{
	uint8_t type = f->offload.gso_type;

	if (f->len < COAX_FRAME_MIN || f->len > COAX_FRAME_MAX ||
	    f->data == NULL)
		return -EINVAL;
	if (type != COAX_GSO_NONE &&
	    ((type != COAX_GSO_TCPV4 && type != COAX_GSO_TCPV6) ||
	        f->offload.gso_size == 0))
		return -EINVAL;
	if (type == COAX_GSO_NONE &&
	    (f->offload.flags & COAX_OFFLOAD_CSUM_PARTIAL) == 0)
		return TX_SUM_THERE;
	return sum_of(f);
}

/* Where the next frame of @len bytes would begin: it crosses no page, or begins
 * one. */
static inline uint32_t
tx_place(const struct coax_port *q, uint32_t len)
{
	uint32_t in_page = q->tx_head % COAX_RING_PAGE;

	if (in_page + len <= COAX_RING_PAGE || in_page == 0)
		return q->tx_head;
	return q->tx_head + COAX_RING_PAGE - in_page;
}

/* Writes one frame and its slots; false if there is no room. */
static bool
tx_put(struct coax_port *q, const struct coax_frame *f, enum tx_sum sum)
{
	uint32_t at = tx_place(q, f->len);
	uint32_t end = (at + f->len + LINE - 1) & ~(LINE - 1);
	uint32_t gso = f->offload.gso_type != COAX_GSO_NONE ? 1u : 0u;
	uint32_t pages = (at % COAX_RING_PAGE + f->len + COAX_RING_PAGE - 1) /
	                 COAX_RING_PAGE;
	uint32_t page = q->index * PORT_QUEUE_PAGES + PORT_PAGE_TX;
	uint32_t left = f->len;
	uint16_t flags = 0;

	if (netring_front_room(&q->tx) < pages + gso ||
	    end - q->tx_tail > PORT_TX_BYTES)
		return false;
	if (sum == TX_SUM_BLANK)
		flags = COAX_NETTXF_CSUM_BLANK | COAX_NETTXF_DATA_VALIDATED;
	else if (sum == TX_SUM_THERE &&
	         (f->offload.flags & COAX_OFFLOAD_CSUM_VALID) != 0)
		flags = COAX_NETTXF_DATA_VALIDATED;
	if (gso != 0)
		flags |= COAX_NETTXF_EXTRA_INFO;
	shm_copy_to(q->tx_area + at % PORT_TX_BYTES, f->data, f->len);
	if (sum == TX_SUM_MAKE)
		(void)offload_complete_at(q->tx_area + at % PORT_TX_BYTES,
		    f->len, f->offload.csum_start, f->offload.csum_offset);
	q->tx_head = end;
	for (uint32_t i = 0; i < pages; i++) {
		uint32_t slot = q->tx.req_prod_pvt % COAX_NETIF_TX_SLOTS;
		uint32_t offset = at % COAX_RING_PAGE;
		uint32_t len = COAX_MIN(left, COAX_RING_PAGE - offset);
		struct coax_netif_tx_request req = {
			.gref = page + at % PORT_TX_BYTES / COAX_RING_PAGE,
			.offset = (uint16_t)offset,
			.flags = flags,
			.id = (uint16_t)slot,
			.size = (uint16_t)(i == 0 ? f->len : len),
		};

		if (left > len)
			req.flags |= COAX_NETTXF_MORE_DATA;
		netslot_put_tx_request(&q->tx, &req);
		q->tx_extra[slot] = false;
		q->tx_after[slot] = left > len ? TX_KEEP : end;
		at += len;
		left -= len;
		if (i == 0 && gso != 0) {
			struct coax_netif_extra e[2] = { {
			    .type = COAX_NETIF_EXTRA_GSO,
			    .u.gso.size = f->offload.gso_size,
			    .u.gso.type = f->offload.gso_type == COAX_GSO_TCPV4
				              ? COAX_NETIF_GSO_TCPV4
				              : COAX_NETIF_GSO_TCPV6,
			} };

			slot = q->tx.req_prod_pvt % COAX_NETIF_TX_SLOTS;
			netring_front_put(&q->tx, e, TX_WORDS);
			q->tx_extra[slot] = true;
			flags = 0;
		}
		flags = 0;
	}
	return true;
}

static int
corrupt(struct coax_port *q)
{
	q->corrupt = true;
	return -EPROTO;
}

static void
tx_publish(struct coax_port *q)
{
	if (netring_front_publish(&q->tx))
		kick(q);
}

/* There is no room: waits for some. 1 (try again), 0 (time is up) or -errno. */
static int
tx_wait(struct coax_port *q, struct patience *p)
{
	uint32_t used = q->tx.req_prod - q->tx.rsp_cons;
	int left;

	if (patience_spin(q, p))
		return 1;
	left = patience_left(p);
	if (left == 0)
		return 0;
	/* Half of the ring at once, not every slot by itself. */
	if (netring_front_arm(&q->tx, used / 2 + 1))
		return 1;
	q->stats.wakeups++;
	left = look(q, left);
	return left < 0 ? left : 1;
}

/* Frames that the daemon does not take: is it still there? It is not asked more
 * often than each LOOK_NS. 0 or -errno. */
static int
tx_progress(struct coax_port *q)
{
	uint64_t now_ns;

	if (q->tx.rsp_cons != q->last_cons ||
	    q->tx.rsp_cons == q->tx.req_prod) {
		q->last_cons = q->tx.rsp_cons;
		return 0;
	}
	now_ns = clock_coarse_ns();
	if (now_ns - q->looked_ns < LOOK_NS)
		return 0;
	q->looked_ns = now_ns;
	return look(q, 0);
}

int
coax_port_send(struct coax_port *q, const struct coax_frame *frames,
    unsigned int count, int timeout_ms)
{
	struct patience patience = { 0 };
	unsigned int sent = 0;
	int sum = 0;
	int err;

	if (count == 0 || count > COAX_BATCH_MAX)
		return -EINVAL;
	adopt_if_new(q);
	if (q->corrupt)
		return -EPROTO;
	err = tx_reclaim(q);
	if (err < 0)
		return corrupt(q);
	err = tx_progress(q);
	if (err < 0)
		return err;
	for (;;) {
		while (sent < count &&
		       (sum = frame_check(&frames[sent])) >= 0 &&
		       tx_put(q, &frames[sent], (enum tx_sum)sum))
			sent++;
		tx_publish(q);
		if (sent == count)
			break;
		if (sum < 0) {
			err = sum;
			break;
		}
		if (timeout_ms == 0) {
			if (sent == 0 && ++q->idle_polls >= POLLS_MAX) {
				q->idle_polls = 0;
				err = look(q, 0);
			}
			break;
		}
		if (patience.deadline_ns == 0)
			patience = patience_of(timeout_ms);
		err = tx_wait(q, &patience);
		if (err <= 0)
			break;
		err = tx_reclaim(q);
		if (err < 0)
			return corrupt(q);
	}
	q->stats.sent += sent;
	return sent > 0 || err >= 0 ? (int)sent : err;
}

int
coax_port_drain(struct coax_port *q, int timeout_ms)
{
	struct patience patience = patience_of(timeout_ms);
	int err;

	adopt_if_new(q);
	while (!q->corrupt) {
		if (tx_reclaim(q) < 0)
			return corrupt(q);
		if (q->tx.rsp_cons == q->tx.req_prod)
			return 1;
		if (patience_spin(q, &patience))
			continue;
		err = patience_left(&patience);
		if (err == 0)
			return 0;
		if (netring_front_arm(&q->tx, q->tx.req_prod - q->tx.rsp_cons))
			continue;
		err = look(q, err);
		if (err < 0)
			return err;
	}
	return -EPROTO;
}

/* --- receiving -------------------------------------------------------------
 */

/* What the daemon says about a frame, in full. */
static void
rx_offload(
    struct coax_frame *f, uint16_t flags, const struct coax_netif_extra *gso)
{
	struct coax_offload *o = &f->offload;
	struct parsed p;

	*o = (struct coax_offload){ 0 };
	if ((flags & COAX_NETRXF_CSUM_BLANK) == 0) {
		if ((flags & COAX_NETRXF_DATA_VALIDATED) != 0)
			o->flags = COAX_OFFLOAD_CSUM_VALID;
		return;
	}
	if (parse_frame(f->data, f->len, gso != NULL, &p) < 0 || !p.l4_ok)
		return;
	o->flags = COAX_OFFLOAD_CSUM_PARTIAL;
	o->csum_start = p.l4;
	o->csum_offset = p.proto == IP_PROTO_TCP ? 16 : 6;
	o->hdr_len = (uint16_t)(p.l4 + p.l4_hdr);
	if (gso == NULL)
		return;
	o->gso_type = gso->u.gso.type == COAX_NETIF_GSO_TCPV4 ? COAX_GSO_TCPV4
	                                                      : COAX_GSO_TCPV6;
	o->gso_size = gso->u.gso.size;
}

/*
 * Takes one packet from the ring. 1: @f is it; 0: it came damaged, its slots
 * are taken; -EPROTO.
 */
static int
rx_take(struct coax_port *q, struct coax_frame *f)
{
	uint32_t known = netring_front_known(&q->rx);
	uint32_t first = q->rx.rsp_cons % COAX_NETIF_RX_SLOTS;
	struct coax_netif_rx_response rsp;
	struct coax_netif_extra extra, gso;
	uint32_t slots = 1, extras = 0, len, last_end;
	uint16_t flags;
	bool has_gso = false, bad;
	uint8_t *start;

	rsp = netslot_get_rx_response(&q->rx, q->rx.rsp_cons);
	flags = rsp.flags;
	bad = rsp.status < 0;
	len = bad ? 0 : (uint32_t)rsp.status;
	last_end = rsp.offset + len;
	if (last_end > COAX_RING_PAGE)
		return -EPROTO;
	start = q->rx_area + (size_t)first * COAX_RING_PAGE + rsp.offset;
	/* The caller will read it; until then it can come. */
	__builtin_prefetch(start);
	if ((flags & COAX_NETRXF_EXTRA_INFO) != 0) {
		do {
			if (slots == known)
				return -EPROTO;
			netring_front_get(
			    &q->rx, q->rx.rsp_cons + slots, &extra, RX_WORDS);
			slots++;
			extras++;
			if (extra.type == COAX_NETIF_EXTRA_GSO) {
				gso = extra;
				has_gso = true;
			}
		} while ((extra.flags & COAX_NETIF_EXTRA_FLAG_MORE) != 0);
	}
	if (extras != 0 && (flags & COAX_NETRXF_MORE_DATA) != 0 && !bad) {
		memmove(start + (size_t)extras * COAX_RING_PAGE, start, len);
		start += (size_t)extras * COAX_RING_PAGE;
	}
	while ((rsp.flags & COAX_NETRXF_MORE_DATA) != 0) {
		if (slots == known)
			return -EPROTO;
		rsp = netslot_get_rx_response(&q->rx, q->rx.rsp_cons + slots);
		slots++;
		if (rsp.status < 0) {
			bad = true;
			continue;
		}
		/* Pieces fill their pages, so that they join. */
		if (!bad && (last_end != COAX_RING_PAGE || rsp.offset != 0 ||
		                rsp.status > COAX_RING_PAGE))
			return -EPROTO;
		len += (uint16_t)rsp.status;
		last_end = (uint32_t)rsp.status;
	}
	q->rx.rsp_cons += slots;
	q->rx_borrowed += slots;
	if (bad || len > COAX_FRAME_MAX) {
		q->stats.damaged++;
		return 0;
	}
	f->data = start;
	f->len = len;
	rx_offload(f, flags, has_gso ? &gso : NULL);
	return 1;
}

/* What is there, up to @count_max frames; or -EPROTO. */
static int
rx_poll(struct coax_port *q, struct coax_frame *frames, unsigned int count_max)
{
	unsigned int n = 0;
	int err = netring_front_poll(&q->rx);

	if (err > 0)
		netring_front_expect(
		    &q->rx, COAX_MIN((uint32_t)err, count_max));
	while (err >= 0 && n < count_max && netring_front_known(&q->rx) != 0) {
		err = rx_take(q, &frames[n]);
		if (err > 0)
			n++;
	}
	return err < 0 ? err : (int)n;
}

/* The caller is done with the last frames. */
static void
rx_return(struct coax_port *q)
{
	if (q->rx_borrowed == 0)
		return;
	post_buffers(q, q->rx_borrowed);
	q->rx_borrowed = 0;
	if (netring_front_publish(&q->rx))
		kick(q);
}

/* Nothing is there, and the caller does not wait. */
static int
rx_idle(struct coax_port *q)
{
	if (q->wants_fd) {
		/* Empty the set of what is old, ask, look again. */
		int err = look(q, 0);

		if (err < 0)
			return err;
		return netring_front_arm(&q->rx, 1) ? 1 : 0;
	}
	if (++q->idle_polls < POLLS_MAX)
		return 0;
	q->idle_polls = 0;
	return look(q, 0);
}

/* The same, and it does. 1 (look again), 0 (time is up) or -errno. */
static int
rx_wait(struct coax_port *q, struct patience *p)
{
	int left, err;

	if (patience_spin(q, p))
		return 1;
	left = patience_left(p);
	if (left == 0)
		return 0;
	if (netring_front_arm(&q->rx, 1))
		return 1;
	q->stats.wakeups++;
	err = look(q, left);
	return err < 0 ? err : 1;
}

int
coax_port_recv(struct coax_port *q, struct coax_frame *frames,
    unsigned int count_max, int timeout_ms)
{
	struct patience patience = { 0 };
	int n, err;

	if (count_max == 0 || count_max > COAX_BATCH_MAX)
		return -EINVAL;
	adopt_if_new(q);
	if (q->corrupt)
		return -EPROTO;
	for (;;) {
		rx_return(q);
		n = rx_poll(q, frames, count_max);
		if (n < 0)
			return corrupt(q);
		if (n > 0) {
			q->stats.received += (uint64_t)n;
			return n;
		}
		if (timeout_ms == 0) {
			err = rx_idle(q);
		} else {
			if (patience.deadline_ns == 0)
				patience = patience_of(timeout_ms);
			err = rx_wait(q, &patience);
		}
		if (err <= 0)
			return err;
	}
}

/* --- the rest --------------------------------------------------------------
 */

int
coax_port_fd(struct coax_port *q)
{
	uint64_t one = 1;

	if (q->wants_fd)
		return q->epfd;
	q->wants_fd = true;
	adopt_if_new(q);
	/* What came before this call is to be readable, too. */
	if (netring_front_arm(&q->rx, 1) && q->ch.call >= 0 &&
	    write(q->ch.call, &one, sizeof(one)) < 0)
		return q->epfd; /* full: it is readable */
	return q->epfd;
}

void
coax_port_get_info(struct coax_port *q, struct coax_port_info *out)
{
	struct port_core *core = q->core;
	const char *mtu, *mac;

	*out = (struct coax_port_info){ 0 };
	pthread_mutex_lock(&core->lock);
	/* Frames that keep coming let nobody look at the daemon's messages. */
	port_control_input(core);
	memcpy(out->name, core->name, sizeof(out->name));
	mac = keys_get(&core->back, "mac");
	mtu = keys_get(&core->back, "mtu");
	if (mac != NULL)
		(void)ether_parse(mac, out->mac);
	if (mtu != NULL)
		(void)str_u32(mtu, 10, 0, UINT16_MAX, &out->mtu);
	out->queues = core->queue_count;
	out->connected = core->phase == PORT_CONNECTED;
	out->connects = core->connects;
	pthread_mutex_unlock(&core->lock);
}

void
coax_port_get_stats(const struct coax_port *q, struct coax_port_stats *out)
{
	*out = q->stats;
}

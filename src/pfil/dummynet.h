/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes and queues of ipfw, as dummynet(4).
 *
 * Theory of operation
 *
 * A pipe is a link: a bandwidth and a delay.  In front of it are queues of
 * packets, which take turns as their weights say (WF2Q+):
 *
 *     rule "queue 1" --> [flow][flow] \
 *                                      > scheduler -> rate -> delay -> on
 *     rule "queue 2" --> [flow]       /
 *     rule "pipe 5"  --> [flow]: a pipe with one queue, first in first out
 *
 * A mask makes flows of one queue, by what is left of addresses, ports and
 * protocol: each has a queue of its own.  The mask of a queue divides the pipe
 * between flows; the mask of a pipe gives each flow a link of its own.
 *
 * Rate and delay line are those of pipe/pipe.h, so times are exact to the
 * nanosecond and do not depend on when anybody looks.  Frames are made plain
 * before they are queued: a link carries packets of the MTU.  A frame counts
 * with all its bytes from the Ethernet header on.
 *
 * What is held is charged to the shares of the pool as that of impaired wires
 * (struct pipe_share), a frame's whole buffer.  There are DN_FLOWS_MAX flows of
 * a pipe or queue at most; further ones take the place of an idle one, or share
 * one.
 *
 * Time and randomness come from the net.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/prng.h"
#include "base/timerheap.h"
#include "frame/parse.h"
#include "pfil/pfil.h"
#include "pipe/pipe.h"

#define DN_NUMBER_MAX   65534u
#define DN_PIPES_MAX    4096u /* pipes and queues of a vnet */
#define DN_FLOWS_MAX    4096u
#define DN_BUCKETS      64u /* default of `buckets' */
#define DN_SLOTS        50u /* default of `queue' */
#define DN_SLOTS_MAX    16384u
#define DN_BYTES_MAX    (16u << 20)
#define DN_DELAY_MAX_MS 10000u
#define DN_WEIGHT_MAX   100u
#define DN_BURST_MAX    (1u << 30)

/* What is left of a packet for its flow. */
struct dn_mask {
	bool set;
	uint8_t proto;
	uint16_t src_port, dst_port;
	uint32_t src_ip, dst_ip;
	uint8_t src_ip6[16], dst_ip6[16];
};

/* Settings of a pipe or queue. */
struct dn_config {
	uint64_t bw; /* bit/s; 0: no limit */
	uint32_t delay_ms;
	uint32_t slots; /* limit of a queue; 0: in bytes */
	uint32_t bytes;
	uint32_t plr;   /* parts in 10^9 */
	uint64_t burst; /* bytes */
	uint32_t buckets;
	uint32_t pipe;   /* of a queue */
	uint32_t weight; /* of a queue */
	struct dn_mask mask;
};

struct dn_pipe;
TAILQ_HEAD(dn_pipes, dn_pipe);

struct dummynet {
	struct net *net;
	struct dn_pipes pipes; /* and queues, by number */
	uint32_t count;
	struct prng prng;
};

void dummynet_init(struct dummynet *dn, struct net *net, uint64_t seed);
/** dummynet_fini() - what is held is released */
void dummynet_fini(struct dummynet *dn);

/** dn_defaults() - of a new pipe or queue */
struct dn_config dn_defaults(void);

/**
 * dn_config() - make or change
 *
 * What waits stays, where the mask is as it was; else it goes on at once.
 * A queue may name a pipe that is not there yet; until then it drops.
 * Return: 0, -ENOSPC, -ENOMEM.
 */
int dn_config(struct dummynet *dn, bool queue, uint32_t number,
    const struct dn_config *config);
/** dn_get() - its settings (borrowed), or NULL */
const struct dn_config *dn_get(
    const struct dummynet *dn, bool queue, uint32_t number);
/** dn_delete() - 0, -ENOENT.  A pipe's queues go with it; what waits is
 * dropped. */
int dn_delete(struct dummynet *dn, bool queue, uint32_t number);
void dn_flush(struct dummynet *dn);

/** dummynet_take() - a packet into a pipe.  PFIL_CONSUMED, or PFIL_DROPPED
 * (PIPE_NONE) */
enum pfil_verdict dummynet_take(struct dummynet *dn, bool queue,
    uint32_t number, struct pfil_packet *p, const struct parsed *parsed);

/* For print-outs. */
struct dn_flow_info {
	uint8_t proto, family;
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint64_t packets, bytes; /* that came */
	uint32_t waiting, wait_bytes;
	uint64_t drops;
};
struct dn_info {
	bool queue;
	uint32_t number;
	struct dn_config config;
	uint32_t flows;
	uint64_t lost;    /* by plr */
	uint32_t on_line; /* frames in the delay line */
};
/** dn_each() - all pipes, then all queues, by number; @flow for each flow of
 * one, after it */
void dn_each(const struct dummynet *dn,
    void (*one)(void *arg, const struct dn_info *info),
    void (*flow)(void *arg, const struct dn_flow_info *info), void *arg);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a frame was dropped: the one table of reasons for the whole program.
 *
 * No frame may disappear without one of these.  Whoever drops a frame names a
 * row; struct iface counts it (net/iface.h), `coax drops` prints it and the
 * manual page coax-drops(7) is checked against this table by a test.
 *
 * A row is (NAME, "name", BSD counter it also raises, "one sentence").  The
 * counter is one of NONE IERR OERR IQDROP NOPROTO, in the terms of BSD's
 * if_data: a policy decision (a filter, a private port) is no error, so its
 * counter is NONE.  Rows may be added anywhere: names, not numbers, are the
 * interface to the world.
 */
#pragma once

enum drop_counter {
	DROP_COUNTS_NONE,
	DROP_COUNTS_IERR,
	DROP_COUNTS_OERR,
	DROP_COUNTS_IQDROP,
	DROP_COUNTS_NOPROTO,
};

/* clang-format off */
#define DROP_REASONS(X) \
	/* frames and offload records */ \
	X(RUNT, "runt", IERR, \
	    "Shorter than an Ethernet header (14 bytes).") \
	X(GIANT, "giant", IERR, \
	    "Longer than the largest frame that coax carries.") \
	X(BAD_OFFLOAD, "bad-offload", IERR, \
	    "The offload record contradicts the frame.") \
	X(CSUM_UNKNOWN, "csum-unknown", OERR, \
	    "A blank checksum of a protocol that cannot be completed.") \
	X(FRAGMENTS, "fragments", IERR, \
	    "Part of a packet with a blank sum that did not become whole.") \
	X(GSO_UNSUPPORTED, "gso-unsupported", OERR, \
	    "A super-frame of a kind that cannot be segmented.") \
	X(NO_FRAME, "no-frame", IQDROP, \
	    "The pool of frames was empty.") \
	/* interfaces */ \
	X(IF_DOWN, "if-down", OERR, \
	    "Sent through an interface that is not up.") \
	X(MONITOR_OUT, "monitor-out", OERR, \
	    "Sent through an interface in monitor mode.") \
	X(IF_DOWN_IN, "if-down-in", IERR, \
	    "Received on an interface that is not up.") \
	X(MAC_SPOOFED, "mac-spoofed", NONE, \
	    "From a source address that its interface may not send from.") \
	X(MTU, "mtu", OERR, \
	    "Longer than the output's MTU allows.") \
	X(NO_STACK, "no-stack", NOPROTO, \
	    "Received, but neither a bridge nor a host uses the interface.") \
	X(DESTROYED, "destroyed", NONE, \
	    "Still queued when its interface was destroyed or reconfigured.") \
	/* outputs */ \
	X(QUEUE_FULL, "queue-full", OERR, \
	    "The output queue held its limit of frames.") \
	X(QUEUE_BYTES, "queue-bytes", OERR, \
	    "The output queue held its limit of bytes.") \
	X(TX_ERROR, "tx-error", OERR, \
	    "The system refused the frame.") \
	X(TX_SIZE, "tx-size", OERR, \
	    "Too long for the output's transport.") \
	/* the host */ \
	X(HOST_QUEUE, "host-queue", NONE, \
	    "The host's netdev dropped what its stack sent (tx_dropped).") \
	X(HOST_DOWN, "host-down", NONE, \
	    "For the host, but its netdev is down or gone.") \
	X(HOST_ERROR, "host-error", IQDROP, \
	    "For the host, but its netdev did not take it.") \
	X(HOST_READ, "host-read", IERR, \
	    "From the host, but its netdev could not be read.") \
	X(NOT_FOR_HOST, "not-for-host", NONE, \
	    "Not bridged, and addressed to another station than the host.") \
	/* feth */ \
	X(NO_PEER, "no-peer", OERR, \
	    "Sent through an interface whose wire has no other end.") \
	X(PEER_DOWN, "peer-down", OERR, \
	    "Sent through a feth whose peer is down.") \
	X(FAULT_TX_DROPS, "fault-tx-drops", OERR, \
	    "Dropped by the feth test feature tx_drops.") \
	X(FAULT_STALL, "fault-stall", OERR, \
	    "The queue of a stalled feth (test feature) was full.") \
	/* xnb: packets of a front end */ \
	X(XNB_SIZE, "xnb-size", IERR, \
	    "A packet's pieces are longer than the packet says.") \
	X(XNB_SLOTS, "xnb-slots", IERR, \
	    "A packet has more slots than a back end must take.") \
	X(XNB_COPY, "xnb-copy", IERR, \
	    "A page of the front end could not be read.") \
	X(XNB_GROUPS, "xnb-groups", NONE, \
	    "A request to add a group to a full list (no frame).") \
	/* xnb: what ends a front end's connection */ \
	X(XNB_RING, "xnb-ring", IERR, \
	    "A ring's index cannot be.") \
	X(XNB_UNFINISHED, "xnb-unfinished", IERR, \
	    "A packet's slots go on beyond what was published.") \
	X(XNB_SLOTS_FATAL, "xnb-endless", IERR, \
	    "A packet has so many slots that it is no accident.") \
	X(XNB_CROSS, "xnb-cross-page", IERR, \
	    "A piece of a packet crosses the end of its page.") \
	X(XNB_EXTRA, "xnb-extra", IERR, \
	    "An extra info that is unknown, twice there or one too many.") \
	X(XNB_GSO, "xnb-gso", IERR, \
	    "A super-frame of a kind or segment size that cannot be.") \
	/* xnb: packets for a front end */ \
	X(XNB_NO_FRONT, "xnb-no-front-end", OERR, \
	    "Sent while no front end is connected.") \
	X(XNB_NO_SCATTER, "xnb-no-scatter", OERR, \
	    "Needs several pages, and the front end takes one.") \
	X(XNB_MULTICAST, "xnb-multicast", NONE, \
	    "To a group that the front end has not asked for.") \
	X(XNB_STALLED, "xnb-stalled", OERR, \
	    "The front end has posted no buffers for ten seconds.") \
	X(XNB_RX_COPY, "xnb-rx-copy", OERR, \
	    "A buffer of the front end could not be written.") \
	/* sock */ \
	X(SOCK_FRAMING, "sock-framing", IERR, \
	    "An impossible length in the peer's stream, which was ended.") \
	X(SOCK_CUT, "sock-cut", IERR, \
	    "The peer's stream ended in the middle of a frame.") \
	X(SOCK_STRANGER, "sock-stranger", IERR, \
	    "A datagram from somebody else than the peer.") \
	/* impairment of a wire */ \
	/* gif: packets of a tunnel */ \
	X(ETHERIP_SHORT, "etherip-short", IERR, \
	    "A tunnel's packet without a whole Ethernet header in it.") \
	X(ETHERIP_VERSION, "etherip-version", IERR, \
	    "A tunnel's packet of another version of EtherIP than 3.") \
	X(ETHERIP_STRANGER, "etherip-stranger", IERR, \
	    "A tunnel's packet from another address than its far end's.") \
	X(GIF_INGRESS, "gif-ingress", IERR, \
	    "A tunnel's packet came in where its source is not routed to.") \
	X(GIF_RX_QUEUE, "gif-receive-queue", IQDROP, \
	    "The receive queue of a tunnel's socket was full.") \
	X(GIF_NESTING, "gif-nesting", OERR, \
	    "Would be inside more tunnels than net.link.gif.max_nesting.") \
	X(GIF_LOOP, "gif-loop", OERR, \
	    "Would be inside the same tunnel twice.") \
	X(GIF_PATH_MTU, "gif-path-mtu", OERR, \
	    "Longer than the tunnel's path takes, and must not be fragmented.") \
	X(GIF_NO_TUNNEL, "gif-no-tunnel", OERR, \
	    "Sent through a gif that has no working tunnel.") \
	X(UNBRIDGED, "unbridged", NOPROTO, \
	    "On a tunnel, which carries only what is bridged.") \
	/* ether */ \
	X(ETHER_RX_QUEUE, "ether-receive-queue", IQDROP, \
	    "The receive queue of a packet socket was full.") \
	X(IMPAIR_LOSS, "impair-loss", NONE, \
	    "Lost on purpose: the interface is impaired.") \
	X(IMPAIR_LIMIT, "impair-limit", NONE, \
	    "The impairment held its limit of frames.") \
	X(IMPAIR_SHARE, "impair-share", NONE, \
	    "Impairments held their share of the pool, or of the user's queues.") \
	/* bridge */ \
	X(BRIDGE_DOWN, "bridge-down", NONE, \
	    "The bridge is not up.") \
	X(OWN_ADDRESS, "own-address", NONE, \
	    "The source is an address of this host: its own frame came back.") \
	X(SAME_PORT, "same-port", NONE, \
	    "The destination is known on the port that it came from.") \
	X(PRIVATE, "private", NONE, \
	    "Between two private ports.") \
	X(PORT_DOWN, "port-down", NONE, \
	    "The destination's port is not up or has no link.") \
	X(NO_PORT, "no-port", NONE, \
	    "Flooded, but no other port could take it.") \
	X(RESERVED, "reserved-group", NONE, \
	    "To a reserved group address (01:80:c2:00:00:0X), not forwarded.") \
	X(STP_DISCARDING, "stp-discarding", NONE, \
	    "The port is discarding (spanning tree).") \
	X(STP_LEARNING, "stp-learning", NONE, \
	    "The port is only learning yet (spanning tree).") \
	X(BPDU, "bpdu-unused", NONE, \
	    "A bridge protocol frame where no spanning tree runs.") \
	X(BPDU_BAD, "bpdu-bad", IERR, \
	    "A bridge protocol frame that is malformed, too old or our own.") \
	X(BPDU_RATE, "bpdu-rate", IQDROP, \
	    "More bridge protocol frames in a second than a port hears.") \
	X(BPDU_GUARD, "bpdu-guard", NONE, \
	    "A bridge protocol frame on a port that is not to hear any.") \
	X(ADDR_LIMIT, "addr-limit", NONE, \
	    "From a new address on a port at its ifmaxaddr limit.") \
	X(STORM_BROADCAST, "storm-broadcast", NONE, \
	    "More broadcasts a second than the port's storm limit.") \
	X(STORM_MULTICAST, "storm-multicast", NONE, \
	    "More multicasts a second than the port's storm limit.") \
	X(STORM_UNKNOWN, "storm-unknown", NONE, \
	    "More frames to unknown addresses a second than the storm limit.") \
	X(MAC_FLAP, "mac-flap", NONE, \
	    "The source moved too often and is held on another port.") \
	X(VLAN_INGRESS, "vlan-ingress", IERR, \
	    "The VLAN is not allowed in on this port.") \
	X(VLAN_EGRESS, "vlan-egress", NONE, \
	    "The VLAN is not allowed out of this port.") \
	X(VLAN_BAD, "vlan-bad", IERR, \
	    "The VLAN tag is cut off or its identifier is 4095.") \
	X(SPAN_INPUT, "span-input", NONE, \
	    "Received on a span port, which only sends.") \
	X(MONITOR, "monitor", NONE, \
	    "Received in monitor mode: shown to captures, no more.") \
	/* packet filter */ \
	X(FILTERED, "filtered", NONE, \
	    "Refused by the packet filter.") \
	X(FILTER_BAD, "filter-bad", NONE, \
	    "The packet filter could not read a header that it had to.") \
	X(NOT_IP, "not-ip", NONE, \
	    "Neither IP nor ARP, where only those are filtered and pass.") \
	X(IP_SHORT, "ip-short", IERR, \
	    "Cut off within its IP header.") \
	X(IP_VERSION, "ip-version", IERR, \
	    "The version in the IP header is not that of the frame.") \
	X(IP_HEADER, "ip-header", IERR, \
	    "An IP header length below 20 bytes, or beyond the packet.") \
	X(IP_CSUM, "ip-checksum", IERR, \
	    "The checksum of the IP header is wrong.") \
	X(IP_LENGTH, "ip-length", IERR, \
	    "The IP length is below its header's, or more than came.") \
	X(MTU_DF, "mtu-df", OERR, \
	    "Longer than the MTU, and it may not be fragmented.") \
	/* pipes of the packet filter */ \
	X(PIPE_LOSS, "pipe-loss", NONE, \
	    "Lost on purpose: the pipe has a loss rate.") \
	X(PIPE_FULL, "pipe-full", NONE, \
	    "The pipe's queue was full.") \
	X(PIPE_SHARE, "pipe-share", NONE, \
	    "Pipes held their share of the pool of frames.") \
	X(PIPE_NONE, "pipe-none", NONE, \
	    "A rule sends it through a pipe that is not configured.")

enum drop_reason {
#define X(id, name, counter, text) DROP_##id,
	DROP_REASONS(X)
#undef X
	DROP_COUNT
};
/* clang-format on */

/* A row of the table. Source: DROP_REASONS above. */
struct drop_info {
	const char *name;          /* stable, lower case, hyphens */
	const char *text;          /* one sentence for people */
	enum drop_counter counter; /* BSD counter raised as well */
};

/**
 * drop_info() - the table's row for a reason
 * @reason: below DROP_COUNT (asserted)
 *
 * Return: static storage. Threads: any.
 */
const struct drop_info *drop_info(enum drop_reason reason);

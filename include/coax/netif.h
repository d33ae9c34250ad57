/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The netif protocol: what stands in the memory that a front end (a Xen guest's
 * network card, or a program's ring port) shares with coax's xnb(4).
 *
 * A ring is one page of 4096 bytes: struct coax_ring, then slots from offset 64
 * on. A slot holds a request of the front end, and later, in the same place, a
 * response of the back end. Indices run freely, 0 to 2^32 - 1; slot number is
 * index modulo the number of slots. Numbers are in the machine's byte order.
 *
 * doc/ring.md has the rules of indices, notification and packets; the
 * handshake of a program is there, too. Programs that do not want to know use
 * <coax/port.h>.
 *
 * Mind that the two directions name their flags in different order.
 */
#ifndef COAX_NETIF_H
#define COAX_NETIF_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COAX_RING_PAGE 4096 /* also where the machine's pages are larger */

/* The head of a ring's page. */
struct coax_ring {
	uint32_t req_prod;  /* front end: requests published */
	uint32_t req_event; /* back end: tell me when req_prod gets there */
	uint32_t rsp_prod;  /* back end: responses published */
	uint32_t rsp_event; /* front end: tell me when rsp_prod gets there */
	uint8_t pad[48];    /* not used */
};

#define COAX_RING_SLOTS_AT 64 /* offset of the first slot in the page */

/* Transmit ring: packets of the front end. */

#define COAX_NETIF_TX_SLOTS     256
#define COAX_NETIF_TX_SLOT_SIZE 12

struct coax_netif_tx_request {
	uint32_t gref;   /* page with the data */
	uint16_t offset; /* of the data in the page */
	uint16_t flags;  /* COAX_NETTXF_* */
	uint16_t id;     /* for the response */
	uint16_t size;   /* first slot of a packet: the packet's; else this
	                  * piece's */
};

struct coax_netif_tx_response {
	uint16_t id;
	int16_t status; /* COAX_NETIF_RSP_* */
};

#define COAX_NETTXF_CSUM_BLANK     0x01 /* TCP or UDP sum is to be filled in */
#define COAX_NETTXF_DATA_VALIDATED 0x02 /* the sum is right, or vouched for */
#define COAX_NETTXF_MORE_DATA      0x04 /* the packet goes on in the next slot */
#define COAX_NETTXF_EXTRA_INFO     0x08 /* the next slot is an extra info */

/* Receive ring: packets for the front end. */

#define COAX_NETIF_RX_SLOTS     256
#define COAX_NETIF_RX_SLOT_SIZE 8

struct coax_netif_rx_request {
	uint16_t id;
	uint16_t pad;
	uint32_t gref; /* an empty page */
};

struct coax_netif_rx_response {
	uint16_t id;
	uint16_t offset; /* of the data in the page */
	uint16_t flags;  /* COAX_NETRXF_* */
	int16_t status;  /* >= 0: bytes in this page; < 0: COAX_NETIF_RSP_* */
};

#define COAX_NETRXF_DATA_VALIDATED 0x01
#define COAX_NETRXF_CSUM_BLANK     0x02
#define COAX_NETRXF_MORE_DATA      0x04
#define COAX_NETRXF_EXTRA_INFO     0x08

#define COAX_NETIF_RSP_OKAY    0
#define COAX_NETIF_RSP_ERROR   (-1)
#define COAX_NETIF_RSP_DROPPED (-2)
#define COAX_NETIF_RSP_NULL    1 /* answers an extra info in the transmit ring */

/* Extra infos stand right after a packet's first slot, in either ring. */

struct coax_netif_extra {
	uint8_t type;  /* COAX_NETIF_EXTRA_* */
	uint8_t flags; /* COAX_NETIF_EXTRA_FLAG_MORE */
	union {
		struct {
			uint16_t size; /* payload bytes of a segment */
			uint8_t type;  /* COAX_NETIF_GSO_* */
			uint8_t pad;
			uint16_t features; /* 0 */
		} gso;
		struct {
			uint8_t addr[6];
		} mcast;
		struct {
			uint8_t type; /* COAX_NETIF_HASH_* */
			uint8_t algorithm;
			uint8_t value[4]; /* least significant first */
		} hash;
		struct {
			uint16_t headroom;
			uint16_t pad[2];
		} xdp;
	} u;
};

#define COAX_NETIF_EXTRA_NONE      0 /* not a valid extra info */
#define COAX_NETIF_EXTRA_GSO       1
#define COAX_NETIF_EXTRA_MCAST_ADD 2
#define COAX_NETIF_EXTRA_MCAST_DEL 3
#define COAX_NETIF_EXTRA_HASH      4
#define COAX_NETIF_EXTRA_XDP       5
#define COAX_NETIF_EXTRA_COUNT     6

#define COAX_NETIF_EXTRA_FLAG_MORE 0x01 /* another extra info follows */

#define COAX_NETIF_GSO_NONE  0
#define COAX_NETIF_GSO_TCPV4 1
#define COAX_NETIF_GSO_TCPV6 2

/* Control ring. */

#define COAX_NETIF_CTRL_SLOTS     128
#define COAX_NETIF_CTRL_SLOT_SIZE 16

struct coax_netif_ctrl_request {
	uint16_t id;
	uint16_t type; /* COAX_NETIF_CTRL_* */
	uint32_t data[3];
};

struct coax_netif_ctrl_response {
	uint16_t id;
	uint16_t type;
	uint32_t status; /* COAX_NETIF_CTRL_STATUS_* */
	uint32_t data;
};

#define COAX_NETIF_CTRL_GET_HASH_FLAGS        1
#define COAX_NETIF_CTRL_SET_HASH_FLAGS        2
#define COAX_NETIF_CTRL_SET_HASH_KEY          3
#define COAX_NETIF_CTRL_GET_HASH_MAPPING_SIZE 4
#define COAX_NETIF_CTRL_SET_HASH_MAPPING_SIZE 5
#define COAX_NETIF_CTRL_SET_HASH_MAPPING      6
#define COAX_NETIF_CTRL_SET_HASH_ALGORITHM    7
#define COAX_NETIF_CTRL_GET_GREF_MAPPING_SIZE 8
#define COAX_NETIF_CTRL_ADD_GREF_MAPPING      9
#define COAX_NETIF_CTRL_DEL_GREF_MAPPING      10

#define COAX_NETIF_CTRL_STATUS_SUCCESS           0
#define COAX_NETIF_CTRL_STATUS_NOT_SUPPORTED     1
#define COAX_NETIF_CTRL_STATUS_INVALID_PARAMETER 2
#define COAX_NETIF_CTRL_STATUS_BUFFER_OVERFLOW   3

/* Most slots of data in a packet of the front end; more are an error. */
#define COAX_NETIF_PACKET_SLOTS 18
/* Longest packet in bytes. */
#define COAX_NETIF_PACKET_MAX 65535

/* States of either end, as in Xen's xenbus. */
#define COAX_NETIF_STATE_UNKNOWN       0
#define COAX_NETIF_STATE_INITIALISING  1
#define COAX_NETIF_STATE_INIT_WAIT     2
#define COAX_NETIF_STATE_INITIALISED   3
#define COAX_NETIF_STATE_CONNECTED     4
#define COAX_NETIF_STATE_CLOSING       5
#define COAX_NETIF_STATE_CLOSED        6
#define COAX_NETIF_STATE_RECONFIGURING 7
#define COAX_NETIF_STATE_RECONFIGURED  8

#ifdef __cplusplus
}
#endif

#endif

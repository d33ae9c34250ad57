/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network card in fifty lines: opens a tap, logs every frame that it gets,
 * and answers ARP requests for one IPv4 address.
 *
 *	arp-responder 192.0.2.9 [tap0]
 *
 * With no tap named it makes one, which lives as long as this program. Try it
 * in `coax lab`:
 *
 *	arp-responder 192.0.2.9 &
 *	ip address add 192.0.2.1/24 dev tap0 && ip link set tap0 up
 *	arping -c 1 -I tap0 192.0.2.9
 */
#include <arpa/inet.h>
#include <netinet/if_ether.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <coax/tap.h>

static const unsigned char card[ETH_ALEN] = { 2, 0, 0, 0, 0, 9 };

/* Turns a request for @ip into the answer, in place. True if it was one. */
static int
answer(unsigned char *frame, size_t len, const struct in_addr *ip)
{
	struct ether_header eth;
	struct ether_arp arp;

	if (len < sizeof(eth) + sizeof(arp))
		return 0;
	memcpy(&eth, frame, sizeof(eth));
	memcpy(&arp, frame + sizeof(eth), sizeof(arp));
	if (eth.ether_type != htons(ETHERTYPE_ARP) ||
	    arp.arp_op != htons(ARPOP_REQUEST) ||
	    memcmp(arp.arp_tpa, ip, 4) != 0)
		return 0;
	memcpy(eth.ether_dhost, eth.ether_shost, ETH_ALEN);
	memcpy(eth.ether_shost, card, ETH_ALEN);
	arp.arp_op = htons(ARPOP_REPLY);
	memcpy(arp.arp_tha, arp.arp_sha, ETH_ALEN);
	memcpy(arp.arp_tpa, arp.arp_spa, 4);
	memcpy(arp.arp_sha, card, ETH_ALEN);
	memcpy(arp.arp_spa, ip, 4);
	memcpy(frame, &eth, sizeof(eth));
	memcpy(frame + sizeof(eth), &arp, sizeof(arp));
	return 1;
}

int
main(int argc, char **argv)
{
	static unsigned char frame[65536];
	char name[COAX_TAP_NAME_MAX];
	struct in_addr ip;
	int fd;

	if (argc < 2 || argc > 3 || inet_pton(AF_INET, argv[1], &ip) != 1) {
		fprintf(stderr, "usage: arp-responder address [tap]\n");
		return 1;
	}
	fd = coax_tap_open(argc == 3 ? argv[2] : NULL, name);
	if (fd < 0) {
		fprintf(stderr, "arp-responder: %s\n", strerror(-fd));
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%s: answering for %s\n", name, argv[1]);
	for (;;) {
		ssize_t n = read(fd, frame, sizeof(frame));
		size_t len = (size_t)n;

		if (n < 0)
			break;
		/* The interface was destroyed: the descriptor has ended. A
		 * frame of no bytes, which cannot be told from it, is not
		 * sent by any stack. */
		if (n == 0)
			return 0;
		if (len < sizeof(struct ether_header))
			continue;
		printf("%zd bytes from %02x:%02x:%02x:%02x:%02x:%02x, type "
		       "%02x%02x",
		    n, frame[6], frame[7], frame[8], frame[9], frame[10],
		    frame[11], frame[12], frame[13]);
		if (!answer(frame, len, &ip)) {
			printf("\n");
			continue;
		}
		printf(": answered\n");
		if (write(fd, frame, len) < 0)
			break;
	}
	perror("arp-responder");
	return 1;
}

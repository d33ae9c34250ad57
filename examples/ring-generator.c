/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends frames as fast as a ring port takes them.
 *
 *	ring-generator [-c count] [-l length] [-d address] xnb0
 *
 * -c: how many, 1000000 if not said; -l: bytes of a frame, 60; -d: where to,
 * ff:ff:ff:ff:ff:ff. Each frame has a number in its first four bytes of
 * payload, so that ring-sink can tell what is missing.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <coax/port.h>

#define HEADER 14

static unsigned char space[COAX_BATCH_MAX][COAX_FRAME_MAX];

static int
usage(void)
{
	(void)fputs("usage: ring-generator [-c count] [-l length] "
	            "[-d address] interface\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	unsigned char to[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct coax_port_options options = { .flags = COAX_PORT_MAKE };
	struct coax_frame frames[COAX_BATCH_MAX];
	struct coax_port_info info;
	struct coax_port *port;
	unsigned long count = 1000000, sent = 0;
	unsigned int length = 60;
	int opt, n;

	while ((opt = getopt(argc, argv, "c:d:l:")) != -1) {
		if (opt == 'c') {
			count = strtoul(optarg, NULL, 0);
		} else if (opt == 'l') {
			length = (unsigned int)strtoul(optarg, NULL, 0);
		} else if (opt != 'd' ||
		           sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx",
		               &to[0], &to[1], &to[2], &to[3], &to[4],
		               &to[5]) != 6) {
			return usage();
		}
	}
	if (optind + 1 != argc || length < HEADER + 4 ||
	    length > COAX_FRAME_MAX)
		return usage();
	n = coax_port_open(argv[optind], &options, &port);
	if (n < 0) {
		(void)fprintf(stderr, "ring-generator: %s: %s\n", argv[optind],
		    strerror(-n));
		return 1;
	}
	coax_port_get_info(port, &info);
	(void)memset(frames, 0, sizeof(frames));
	for (int i = 0; i < COAX_BATCH_MAX; i++) {
		memcpy(space[i], to, 6);
		memcpy(space[i] + 6, info.mac, 6);
		memcpy(space[i] + 12, "\x88\xb5", 2); /* for experiments */
		frames[i].data = space[i];
		frames[i].len = length;
	}
	while (sent < count) {
		unsigned int batch = COAX_BATCH_MAX;

		if (count - sent < batch)
			batch = (unsigned int)(count - sent);
		for (unsigned int i = 0; i < batch; i++) {
			uint32_t number = htonl((uint32_t)(sent + i));

			memcpy(space[i] + HEADER, &number, sizeof(number));
		}
		n = coax_port_send(port, frames, batch, -1);
		if (n < 0) {
			(void)fprintf(
			    stderr, "ring-generator: %s\n", strerror(-n));
			coax_port_close(port);
			return 1;
		}
		/* What did not fit is numbered anew with the next ones. */
		sent += (unsigned int)n;
	}
	(void)coax_port_drain(port, 1000);
	coax_port_close(port);
	(void)printf("sent %lu\n", sent);
	return 0;
}

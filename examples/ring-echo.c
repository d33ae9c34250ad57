/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends every frame that a ring port receives back to where it came from. It
 * waits in poll(2), as a program that has other things to wait for would.
 *
 *	ring-echo xnb0
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <coax/port.h>

/* Swaps source and destination. */
static void
turn_round(unsigned char *frame)
{
	unsigned char to[6];

	memcpy(to, frame, 6);
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, to, 6);
}

int
main(int argc, char **argv)
{
	struct coax_port_options options = { .flags = COAX_PORT_MAKE };
	struct coax_frame frames[COAX_BATCH_MAX];
	struct coax_port *port;
	int n;

	if (argc != 2) {
		(void)fputs("usage: ring-echo interface\n", stderr);
		return 2;
	}
	n = coax_port_open(argv[1], &options, &port);
	if (n < 0) {
		(void)fprintf(
		    stderr, "ring-echo: %s: %s\n", argv[1], strerror(-n));
		return 1;
	}
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (n >= 0) {
		struct pollfd p = { .fd = coax_port_fd(port),
			.events = POLLIN };

		/* As long as there are frames there is nothing to wait for. */
		n = coax_port_recv(port, frames, COAX_BATCH_MAX, 0);
		if (n == 0 && poll(&p, 1, -1) < 0)
			break;
		for (int i = 0; i < n; i++)
			turn_round(frames[i].data);
		if (n > 0)
			n = coax_port_send(port, frames, (unsigned int)n, -1);
	}
	if (n < 0)
		(void)fprintf(stderr, "ring-echo: %s\n", strerror(-n));
	coax_port_close(port);
	return n < 0;
}

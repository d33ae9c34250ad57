/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the system tests do with ring ports.
 *
 *	port_helper hold [-q queues] NAME
 *		has the port, taking all offloads, until standard input ends;
 *		prints "ready NAME MAC MTU QUEUES"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <coax/port.h>

#define RX_ALL (COAX_PORT_RX_CSUM | COAX_PORT_RX_TSO4 | COAX_PORT_RX_TSO6)

static int
usage(void)
{
	(void)fputs("usage: port_helper hold [-q queues] name\n", stderr);
	return 2;
}

static int
fail(const char *what, int err)
{
	(void)fprintf(stderr, "port_helper: %s: %s\n", what, strerror(-err));
	return 1;
}

static int
hold(const char *name, unsigned int queues)
{
	struct coax_port_options o = { .queues = queues, .flags = RX_ALL };
	struct coax_port_info info;
	struct coax_port *port;
	char buf[64];
	int err = coax_port_open(name, &o, &port);

	if (err < 0)
		return fail(name, err);
	coax_port_get_info(port, &info);
	(void)printf("ready %s %02x:%02x:%02x:%02x:%02x:%02x %u %u\n",
	    info.name, info.mac[0], info.mac[1], info.mac[2], info.mac[3],
	    info.mac[4], info.mac[5], info.mtu, info.queues);
	(void)fflush(stdout);
	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		;
	coax_port_close(port);
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned int queues = 1;
	int opt;

	if (argc < 3)
		return usage();
	optind = 2;
	/* Options behind the name, too: "hold xnb0 -q 2". */
	while ((opt = getopt(argc, argv, "q:")) != -1) {
		if (opt != 'q')
			return usage();
		queues = (unsigned int)atoi(optarg);
	}
	if (optind + 1 != argc)
		return usage();
	if (strcmp(argv[1], "hold") == 0)
		return hold(argv[optind], queues);
	return usage();
}

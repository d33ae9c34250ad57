/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes frames from a ring port, counts them, and says how fast they came.
 *
 *	ring-sink [-c count] [-t seconds] xnb0
 *
 * Ends after -c frames, or when none has come for -t seconds (1 if not said)
 * after the first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <coax/port.h>

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
usage(void)
{
	(void)fputs(
	    "usage: ring-sink [-c count] [-t seconds] interface\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	struct coax_port_options options = { .flags = COAX_PORT_MAKE };
	struct coax_frame frames[COAX_BATCH_MAX];
	unsigned long count = 0, frames_in = 0;
	unsigned long long bytes = 0;
	struct coax_port *port;
	double begin = 0, end = 0;
	int patience_ms = 1000;
	int opt, n;

	while ((opt = getopt(argc, argv, "c:t:")) != -1) {
		if (opt == 'c')
			count = strtoul(optarg, NULL, 0);
		else if (opt == 't')
			patience_ms = (int)(strtod(optarg, NULL) * 1000);
		else
			return usage();
	}
	if (optind + 1 != argc)
		return usage();
	n = coax_port_open(argv[optind], &options, &port);
	if (n < 0) {
		(void)fprintf(
		    stderr, "ring-sink: %s: %s\n", argv[optind], strerror(-n));
		return 1;
	}
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (count == 0 || frames_in < count) {
		n = coax_port_recv(port, frames, COAX_BATCH_MAX,
		    frames_in == 0 ? -1 : patience_ms);
		if (n <= 0)
			break;
		end = now();
		if (frames_in == 0)
			begin = end;
		frames_in += (unsigned int)n;
		for (int i = 0; i < n; i++)
			bytes += frames[i].len;
	}
	coax_port_close(port);
	if (n < 0) {
		(void)fprintf(stderr, "ring-sink: %s\n", strerror(-n));
		return 1;
	}
	(void)printf("received %lu frames, %llu bytes", frames_in, bytes);
	if (end > begin)
		(void)printf(", %.3f Mpps, %.3f GB/s",
		    (double)frames_in / (end - begin) / 1e6,
		    (double)bytes / (end - begin) / 1e9);
	(void)printf("\n");
	return 0;
}

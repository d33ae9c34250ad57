/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program on a tap that writes what it gets to a pcap file, as it gets it:
 *
 *	record TAP FILE
 *
 * prints "ready" and goes on until it is ended.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include <coax/tap.h>

static void
put(FILE *f, const uint32_t *words, size_t count)
{
	(void)fwrite(words, sizeof(*words), count, f);
}

int
main(int argc, char **argv)
{
	/* Magic, version 2.4, zone, accuracy, snaplen, Ethernet. */
	static const uint32_t head[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 262144,
		1 };
	static uint8_t frame[65664];
	char name[COAX_TAP_NAME_MAX];
	ssize_t n;
	FILE *f;
	int fd;

	if (argc != 3) {
		fputs("usage: record tap file\n", stderr);
		return 2;
	}
	fd = coax_tap_open(argv[1], name);
	f = fopen(argv[2], "w");
	if (fd < 0 || f == NULL) {
		fprintf(stderr, "record: %s, %s: cannot be opened\n", argv[1],
		    argv[2]);
		return 1;
	}
	put(f, head, sizeof(head) / sizeof(head[0]));
	(void)fflush(f);
	(void)puts("ready");
	(void)fflush(stdout);
	while ((n = read(fd, frame, sizeof(frame))) > 0) {
		struct timeval now;
		uint32_t record[4];

		(void)gettimeofday(&now, NULL);
		record[0] = (uint32_t)now.tv_sec;
		record[1] = (uint32_t)now.tv_usec;
		record[2] = record[3] = (uint32_t)n;
		put(f, record, 4);
		(void)fwrite(frame, 1, (size_t)n, f);
		(void)fflush(f);
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile front end, in a guest: it writes rubbish into its own rings, and
 * tells the back end of it, again and again.
 *
 *	hostile HANDLE SECONDS
 *
 * Each round is a handshake like an honest one, then slots, indices and data of
 * chance; every second word of a slot is nearly right, so that some of it goes
 * far. A round ends when the back end has closed the connection, or after a
 * while; prints "N rounds, N closed by the back end". Ends with 1 if the back
 *end does not answer any more.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGES 34u /* two rings, and data */
#define PAGE  4096u

/* linux/include/uapi/xen/gntalloc.h, evtchn.h */
struct gref_alloc {
	uint16_t domid, flags;
	uint32_t count;
	uint64_t index;
	uint32_t refs[PAGES];
};
struct unbound {
	unsigned int remote_domain;
};
struct notify {
	unsigned int port;
};
#define GNTALLOC_ALLOC _IOC(_IOC_NONE, 'G', 5, 24)
#define WRITABLE       1
#define BIND_UNBOUND   _IOC(_IOC_NONE, 'E', 2, sizeof(struct unbound))
#define NOTIFY         _IOC(_IOC_NONE, 'E', 4, sizeof(struct notify))

static struct gref_alloc grants = { .flags = WRITABLE, .count = PAGES };
static uint8_t *pages;
static unsigned int port;
static int events, handle;
static char back[128];

static void __attribute__((noreturn)) die(const char *what)
{
	printf("hostile: %s\n", what);
	exit(1);
}

static void
sleep_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

static void
run(const char *command)
{
	if (system(command) != 0)
		printf("hostile: not done: %s\n", command);
}

/* The first word of what a command prints. */
static int
ask(const char *command, char *out, size_t size)
{
	FILE *p = popen(command, "r");
	bool good = p != NULL && fgets(out, (int)size, p) != NULL;

	if (p != NULL && pclose(p) != 0)
		good = false;
	out[good ? strcspn(out, "\n") : 0] = '\0';
	return good ? 0 : -1;
}

static int
back_state(void)
{
	char command[192], text[32];

	snprintf(command, sizeof(command), "xenstore-read %s/state", back);
	return ask(command, text, sizeof(text)) == 0 ? atoi(text) : 0;
}

static void
wait_back(int state)
{
	for (int i = 0; i < 150; i++) {
		if (back_state() == state)
			return;
		sleep_ms(100);
	}
	die("the back end does not answer");
}

static uint32_t
chance(void)
{
	return (uint32_t)random() ^ (uint32_t)random() << 16;
}

static void
begin(void)
{
	char command[768];

	memset(pages, 0, 2 * PAGE);
	for (int ring = 0; ring < 2; ring++) {
		uint32_t *index = (uint32_t *)(void *)(pages + ring * PAGE);

		index[1] = index[3] = 1;
	}
	snprintf(command, sizeof(command),
	    "f=device/vif/%d; xenstore-write $f/tx-ring-ref %u "
	    "$f/rx-ring-ref %u $f/event-channel-tx %u $f/event-channel-rx %u "
	    "$f/request-rx-copy 1 "
	    "$f/feature-rx-notify 1 $f/feature-sg 1 $f/feature-gso-tcpv4 1 "
	    "$f/state 4",
	    handle, grants.refs[0], grants.refs[1], port, port);
	run(command);
	wait_back(4);
}

/* A transmit request, more or less. */
static void
rubbish_request(uint32_t *slot)
{
	slot[0] = chance() % 4 != 0 ? grants.refs[2 + chance() % (PAGES - 2)]
	                            : chance();
	slot[1] = chance() % 4 != 0 ? chance() & 0x000f03ff : chance();
	slot[2] = chance() % 4 != 0 ? chance() & 0x05ffffff : chance();
}

static void
rubbish(void)
{
	uint32_t *tx = (uint32_t *)(void *)pages;
	uint32_t *rx = (uint32_t *)(void *)(pages + PAGE);

	for (int i = 0; i < 64; i++)
		((uint32_t *)(void *)(pages +
		                      2 * PAGE))[chance() %
		                                 ((PAGES - 2) * PAGE / 4)] =
		    chance();
	for (uint32_t i = 0; i < 256; i++)
		rubbish_request(tx + 16 + 3 * i);
	for (uint32_t i = 0; i < 512; i++)
		rx[16 + i] = i % 2 == 1 && chance() % 2 != 0
		                 ? grants.refs[2 + chance() % (PAGES - 2)]
		                 : chance();
	/* Mostly a little further, sometimes anywhere. */
	tx[0] = chance() % 8 != 0 ? tx[2] + chance() % 64 : chance();
	rx[0] = chance() % 8 != 0 ? rx[2] + chance() % 256 : chance();
	if (chance() % 4 == 0)
		tx[chance() % 4] = chance();
}

static bool
play(void)
{
	struct notify n = { port };

	for (int i = 0; i < 60; i++) {
		rubbish();
		(void)ioctl(events, NOTIFY, &n);
		sleep_ms(2);
		if (i % 10 == 9 && back_state() != 4)
			return true;
	}
	return false;
}

static void
again(void)
{
	char command[128];

	snprintf(command, sizeof(command),
	    "xenstore-write device/vif/%d/state 6", handle);
	run(command);
	wait_back(6);
	snprintf(command, sizeof(command),
	    "xenstore-write device/vif/%d/state 1", handle);
	run(command);
	wait_back(2);
}

static void
set_up(void)
{
	struct unbound u = { 0 };
	char command[64];
	int fd = open("/dev/xen/gntalloc", O_RDWR);
	int bound;

	events = open("/dev/xen/evtchn", O_RDWR);
	if (fd < 0 || events < 0)
		die("no gntalloc, or no evtchn");
	if (ioctl(fd, GNTALLOC_ALLOC, &grants) < 0)
		die("no grants");
	pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    (off_t)grants.index);
	bound = ioctl(events, BIND_UNBOUND, &u);
	if (pages == MAP_FAILED || bound < 0)
		die("no pages, or no channel");
	port = (unsigned int)bound;
	snprintf(command, sizeof(command),
	    "xenstore-read device/vif/%d/backend", handle);
	if (ask(command, back, sizeof(back)) < 0)
		die("there is no such device");
}

int
main(int argc, char **argv)
{
	unsigned int rounds = 0, closed = 0;
	time_t end;

	if (argc != 3)
		return 2;
	handle = atoi(argv[1]);
	end = time(NULL) + atoi(argv[2]);
	srandom(1);
	set_up();
	do {
		again();
		begin();
		closed += play();
		rounds++;
	} while (time(NULL) < end);
	printf("%u rounds, %u closed by the back end\n", rounds, closed);
	return 0;
}

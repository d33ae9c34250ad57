/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame logger: opens a tap, makes it a span port of a bridge, and prints a
 * line for each frame that passes there, and for each event of the daemon, as
 * both come: two descriptors in one poll(2).
 *
 *	frame-logger bridge0
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <coax/coax.h>
#include <coax/tap.h>

static int
fail(const char *what, const char *why)
{
	fprintf(stderr, "frame-logger: %s: %s\n", what, why);
	return 1;
}

/* ifconfig with three words at most, as a person would type it. */
static int
ifconfig(struct coax *c, const char *a, const char *b, const char *word)
{
	char params[128];

	snprintf(params, sizeof(params), "{\"argv\":[\"%s\",\"%s\"%s%s%s]}", a,
	    b, word != NULL ? ",\"" : "", word != NULL ? word : "",
	    word != NULL ? "\"" : "");
	return coax_request(c, "ifconfig", params, NULL);
}

static void
print_frame(const unsigned char *f, ssize_t len)
{
	printf("frame %zd:", len);
	for (int i = 6; i < 12; i++)
		printf("%c%02x", i == 6 ? ' ' : ':', f[i]);
	printf(" >");
	for (int i = 0; i < 6; i++)
		printf("%c%02x", i == 0 ? ' ' : ':', f[i]);
	printf(" type %02x%02x\n", f[12], f[13]);
}

/* All that comes, until the daemon or the tap ends. */
static int
log_all(struct coax *c, const char *bridge)
{
	static unsigned char frame[65664];
	char tap[COAX_TAP_NAME_MAX];
	struct pollfd p[2];
	char *event;
	ssize_t len;

	p[0].fd = coax_tap_open(NULL, tap);
	if (p[0].fd < 0)
		return fail("tap", strerror(-p[0].fd));
	if (coax_request(c, "events.subscribe", NULL, NULL) < 0 ||
	    ifconfig(c, bridge, "span", tap) < 0 ||
	    ifconfig(c, tap, "up", NULL) < 0)
		return fail(bridge, coax_errmsg(c));
	p[1].fd = coax_fd(c);
	p[0].events = p[1].events = POLLIN;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("logging %s on %s\n", bridge, tap);
	while (poll(p, 2, -1) > 0) {
		while (coax_next_event(c, 0, &event) == 1) {
			printf("event %s\n", event);
			free(event);
		}
		if (p[1].revents & POLLHUP)
			return fail("daemon", "it has gone");
		if (p[0].revents == 0)
			continue;
		len = read(p[0].fd, frame, sizeof(frame));
		if (len == 0) /* the interface was destroyed */
			break;
		if (len >= 14)
			print_frame(frame, len);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct coax *c;
	int status, err;

	if (argc != 2)
		return fail("usage", "frame-logger bridge");
	err = coax_connect(NULL, &c);
	if (err < 0)
		return fail("daemon", strerror(-err));
	status = log_all(c, argv[1]);
	coax_close(c);
	return status;
}

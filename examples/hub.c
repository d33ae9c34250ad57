/* SPDX-License-Identifier: BSD-2-Clause */
/* A hub, from tap to all the other taps: hub tap0 tap1 ... (which are up). */
#include <coax/tap.h>
#include <err.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	static char f[65664];
	struct pollfd p[64];
	ssize_t len = 1;
	int n = 0;

	for (; n < 64 && n + 1 < argc; n++) {
		p[n].fd = coax_tap_open(argv[n + 1], NULL);
		p[n].events = POLLIN;
		if (p[n].fd < 0)
			errx(1, "%s: %s", argv[n + 1], strerror(-p[n].fd));
	}
	while (len != 0 && poll(p, (nfds_t)n, -1) > 0)
		for (int i = 0; len != 0 && i < n; i++) {
			len = p[i].revents ? read(p[i].fd, f, sizeof(f)) : -1;
			for (int k = 0; len > 0 && k < n; k++)
				if (k != i)
					(void)!write(p[k].fd, f, (size_t)len);
		}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax-extcap: coax's interfaces in Wireshark's list.
 *
 * Wireshark runs the programs in its extcap folders: to hear which interfaces
 * they have, of what kind and with which settings, and then to capture into a
 * pipe that it has made.  Where no daemon runs there are no interfaces, and
 * nothing is said.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/capture.h"
#include "cli/extcap_args.h"
#include "control/methods.h"

#define VALUE_MAX 128
#define END_TRIES 300 /* of 10 ms */

static const char usage_text[] =
    "usage: coax-extcap --extcap-interfaces [--socket path]\n"
    "       coax-extcap --extcap-interface name --extcap-dlts\n"
    "       coax-extcap --extcap-interface name --extcap-config\n"
    "       coax-extcap --extcap-interface name\n"
    "           --extcap-capture-filter filter\n"
    "       coax-extcap --extcap-interface name --capture --fifo path\n"
    "           [--extcap-capture-filter filter] [--snaplen bytes]\n"
    "           [--direction in | out | both] [--drops] [--buffer KiB]\n"
    "           [--socket path]\n"
    "To have coax's interfaces in Wireshark's list, link this program into\n"
    "its folder for extcap programs (\"tshark -G folders\").\n";

static void
put_iface(const json_t *iface, const char *vnet)
{
	const char *name = json_string_value(json_object_get(iface, "name"));
	const char *kind = json_string_value(json_object_get(iface, "kind"));
	const char *descr =
	    json_string_value(json_object_get(iface, "description"));
	char about[VALUE_MAX], what[VALUE_MAX];

	/* Braces in a name would be another interface's. */
	if (name == NULL || strpbrk(name, "{}") != NULL)
		return;
	(void)extcap_value(descr != NULL ? descr : "", about, sizeof(about));
	(void)extcap_value(kind != NULL ? kind : "", what, sizeof(what));
	(void)printf("interface {value=" EXTCAP_PREFIX "%s%s%s}"
	             "{display=coax: %s%s%s}\n",
	    name, vnet[0] != '\0' ? "@" : "", vnet, about,
	    about[0] != '\0' ? ", " : "", what);
}

/* The interfaces of one vnet, "" for one's own; of another one those that are
 * not in the list yet: those that were made there. */
static void
put_ifaces(struct coax *c, const char *vnet)
{
	json_t *list = NULL;
	json_t *params =
	    vnet[0] != '\0' ? json_pack("{s:s}", "vnet", vnet) : NULL;
	const json_t *iface;
	size_t i;

	if (strpbrk(vnet, "{}") != NULL ||
	    coax_call(c, "iface.list", params, NULL, 0, &list, NULL, 0, NULL) !=
	        0)
		return;
	json_array_foreach(list, i, iface)
	{
		const char *made =
		    json_string_value(json_object_get(iface, "vnet"));

		if (vnet[0] == '\0' ||
		    (made != NULL && strcmp(made, vnet) == 0))
			put_iface(iface, vnet);
	}
	json_decref(list);
}

static int
put_interfaces(const struct extcap_args *a)
{
	json_t *vnets = NULL;
	const json_t *vnet;
	struct coax *c;
	size_t i;

	(void)printf("extcap {version=%s}\n", control_version());
	if (coax_connect_as(a->socket, "coax-extcap", &c) != 0)
		return 0;
	put_ifaces(c, "");
	(void)coax_call(c, "vnet.list", NULL, NULL, 0, &vnets, NULL, 0, NULL);
	json_array_foreach(vnets, i, vnet)
	{
		const char *name =
		    json_string_value(json_object_get(vnet, "name"));

		if (name != NULL && name[0] != '\0')
			put_ifaces(c, name);
	}
	json_decref(vnets);
	coax_close(c);
	return 0;
}

/* Is there such an interface, as far as can be told? Exit status, said. */
static int
find_iface(const struct cli *cli, const struct extcap_args *a)
{
	struct coax *c;
	int status;

	if (a->iface == NULL ||
	    coax_connect_as(a->socket, "coax-extcap", &c) != 0)
		return 0;
	status = cli_call(
	    cli, c, "iface.get", json_pack("{s:s}", "name", a->iface), NULL);
	coax_close(c);
	return status;
}

static int
put_config(void)
{
	static const char text[] =
	    "arg {number=0}{call=--direction}{display=Direction}"
	    "{type=selector}"
	    "{tooltip=What comes in from the wire, what goes out, or both}\n"
	    "value {arg=0}{value=both}{display=in and out}{default=true}\n"
	    "value {arg=0}{value=in}{display=in}{default=false}\n"
	    "value {arg=0}{value=out}{display=out}{default=false}\n"
	    "arg {number=1}{call=--drops}{display=Dropped frames}"
	    "{type=boolflag}{default=false}"
	    "{tooltip=What was dropped, with the reason as a comment, instead "
	    "of what passed}\n"
	    "arg {number=2}{call=--snaplen}{display=Bytes of a frame}"
	    "{type=unsigned}{range=0,262144}{default=0}"
	    "{tooltip=How much is kept of each frame; 0: all}\n"
	    "arg {number=3}{call=--buffer}{display=Buffer in KiB}"
	    "{type=unsigned}{range=128,1048576}{default=16384}"
	    "{tooltip=Memory for frames that Wireshark has not read yet}\n"
	    "arg {number=4}{call=--socket}{display=Socket of the daemon}"
	    "{type=string}{required=false}"
	    "{tooltip=If it is not where coax looks for it}\n";

	(void)fputs(text, stdout);
	return 0;
}

/* Wireshark takes what is printed for the reason why the filter is wrong. */
static int
check_filter(const struct extcap_args *a)
{
	char *program, *why;
	int err = capture_filter_compile(a->filter, a->snaplen, &program, &why);

	if (err < 0)
		(void)printf("%s\n", why != NULL ? why : "out of memory");
	free(program);
	free(why);
	return 0;
}

/*
 * The reader of a capture that did not begin would wait for ever: it gets the
 * end of the file.  tshark opens its end some time after it has started us, so
 * that is waited for, but not for long.
 */
static void
end_fifo(const char *fifo)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int fd;

	for (int i = 0; i < END_TRIES; i++) {
		fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0) {
			(void)close(fd);
			return;
		}
		if (errno != ENXIO) /* nobody has opened it to read */
			return;
		(void)nanosleep(&pause, NULL);
	}
}

static int
capture(const struct cli *cli, const struct extcap_args *a)
{
	struct capture_job job = {
		.request = {
			.iface = a->iface,
			.in = a->in,
			.out = a->out,
			.drops = a->drops,
			.snaplen = a->snaplen,
			.room = (size_t)a->buffer_kib * 1024,
		},
		.filter = a->filter,
		.file = a->fifo,
		.exists = true,
	};
	int status = capture_run(cli, &job);

	if (status != 0)
		end_fifo(a->fifo);
	return status;
}

int
main(int argc, char **argv)
{
	struct cli cli = { .program = "coax-extcap" };
	struct extcap_args a;
	char why[VALUE_MAX];

	if (extcap_parse(argc, argv, &a, why, sizeof(why)) < 0) {
		(void)fprintf(stderr, "coax-extcap: %s\n%s", why, usage_text);
		return 1;
	}
	cli.socket = a.socket;
	if ((a.what == EXTCAP_DLTS || a.what == EXTCAP_CONFIG ||
	        a.what == EXTCAP_CHECK) &&
	    find_iface(&cli, &a) != 0)
		return 1;
	switch (a.what) {
	case EXTCAP_HELP:
		(void)fputs(usage_text, stdout);
		return 0;
	case EXTCAP_VERSION:
		(void)printf("coax-extcap %s\n", control_version());
		return 0;
	case EXTCAP_INTERFACES:
		return put_interfaces(&a);
	case EXTCAP_DLTS:
		(void)puts("dlt {number=1}{name=EN10MB}{display=Ethernet}");
		return 0;
	case EXTCAP_CONFIG:
		return put_config();
	case EXTCAP_CHECK:
		return check_filter(&a);
	case EXTCAP_CAPTURE:
		return capture(&cli, &a);
	}
	return 1;
}

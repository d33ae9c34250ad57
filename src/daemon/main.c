/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coaxd: one worker, its net and its host, and the control sockets.
 *
 * Start: options; with -d a child goes on and its parent waits for the word
 * "ready" on a pipe; limits; loop and signals; host, net, drivers; methods;
 * sockets. Whatever fails before "ready" is one line on standard error and exit
 * status 1, and nothing remains.
 *
 * End: SIGTERM or SIGINT stop the loop (SIGHUP too, in the foreground, where it
 * means that the terminal has gone). Clients are dropped and the sockets
 * removed; then the host removes netdevs and namespaces, in groups; then the
 * net ends. With --state the addresses of bridges are saved before all that.
 * A daemon that was killed leaves two socket files, which the next
 * one on the same path replaces: netdevs and namespaces go with its
 * descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "control/ipfw.h"
#include "control/methods.h"
#include "daemon/daemon.h"
#include "drv/drv.h"
#include "drv/xnb/local.h"
#include "drv/xnb/xen.h"
#include "os/clock.h"
#include "os/priv.h"
#include "os/sock.h"
#include "pfil/pfil.h"

#define SHUTDOWN_NS     (3 * CLOCK_NS_PER_SEC)
#define ANSWER_MS       1000 /* to a second daemon's question */
#define RETRY_MS        5
#define FRAMES_MIN      64
#define FRAMES_MAX      (16u * 1024 * 1024)
#define SPIN_DEFAULT_US (LOOP_SPIN_DEFAULT_NS / CLOCK_NS_PER_USEC)

struct options {
	bool detach;
	bool verbose;
	const char *path; /* NULL: the default */
	const char *group, *admin;
	uint32_t spin_us;
	struct frame_pool_options pool;
	bool no_xen;
	const char *files[START_FILES_MAX]; /* -f */
	unsigned int file_count;
	const char *state; /* a directory, or NULL */
};

/* --- messages --------------------------------------------------------------
 */

static const char usage_text[] =
    "usage: coaxd [-dv] [-a group] [-f file] [-g group] [-p microseconds]\n"
    "             [-S path] [--frames n] [--large-frames n] [--no-xen]\n"
    "             [--state dir]\n";

static void
log_to_stderr(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)fprintf(stderr, "coaxd: %s\n", line);
}

static void
log_to_syslog(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	syslog((int)level, "%s", line);
}

/* A line about a start that fails. Return: 1, the exit status. */
static int COAX_PRINTF(1, 2) refuse(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("coaxd: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return 1;
}

/* --- options ---------------------------------------------------------------
 */

enum {
	OPT_FRAMES = 256,
	OPT_LARGE_FRAMES,
	OPT_NO_XEN,
	OPT_STATE,
};

static const struct option long_options[] = {
	{ "admin", required_argument, NULL, 'a' },
	{ "group", required_argument, NULL, 'g' },
	{ "frames", required_argument, NULL, OPT_FRAMES },
	{ "large-frames", required_argument, NULL, OPT_LARGE_FRAMES },
	{ "no-xen", no_argument, NULL, OPT_NO_XEN },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* -1 to go on, or the exit status. */
static int
parse_options(int argc, char **argv, struct options *o)
{
	int opt;

	o->spin_us = SPIN_DEFAULT_US;
	while ((opt = getopt_long(
	            argc, argv, "a:df:g:hp:S:vV", long_options, NULL)) != -1) {
		switch (opt) {
		case 'a':
			o->admin = optarg;
			break;
		case 'd':
			o->detach = true;
			break;
		case 'f':
			if (o->file_count == START_FILES_MAX)
				return refuse(
				    "more than %d files", START_FILES_MAX);
			o->files[o->file_count++] = optarg;
			break;
		case 'g':
			o->group = optarg;
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			return 0;
		case 'p':
			if (str_u32(optarg, 10, 0, DAEMON_SPIN_MAX_US,
			        &o->spin_us) < 0)
				return refuse("-p %s: not a number of "
				              "microseconds from 0 to %d",
				    optarg, DAEMON_SPIN_MAX_US);
			break;
		case 'S':
			o->path = optarg;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'V':
			(void)printf("coaxd %s\n", control_version());
			return 0;
		case OPT_NO_XEN:
			o->no_xen = true;
			break;
		case OPT_STATE:
			o->state = optarg;
			break;
		case OPT_FRAMES:
		case OPT_LARGE_FRAMES:
			if (str_u32(optarg, 10, FRAMES_MIN, FRAMES_MAX,
			        opt == OPT_FRAMES ? &o->pool.small_count
			                          : &o->pool.large_count) < 0)
				return refuse("%s: not a number of frames "
				              "from %d to %u",
				    optarg, FRAMES_MIN, FRAMES_MAX);
			break;
		default:
			(void)fputs(usage_text, stderr);
			return 1;
		}
	}
	if (optind < argc) {
		(void)refuse("%s: no argument is expected", argv[optind]);
		(void)fputs(usage_text, stderr);
		return 1;
	}
	return -1;
}

/* Why the socket cannot be made in its directory: 0, or a negative errno. */
static int
check_dir(const char *path)
{
	char dir[sizeof(((struct daemon *)0)->path)];
	char *slash;
	struct stat st;

	(void)str_copy(dir, sizeof(dir), path);
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	if (stat(dir, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/* The absolute path of the control socket. Only the directory of the default
 * one is made; that of a given one is there, or the path is a mistake. */
static int
find_path(const struct options *o, char *path, size_t size)
{
	const char *given = o->path != NULL ? o->path : getenv("COAX_SOCKET");
	struct sbuf b = sbuf_init(path, size);
	char cwd[4096];
	int err;

	if (given != NULL && given[0] != '\0') {
		if (given[0] != '/') {
			if (getcwd(cwd, sizeof(cwd)) == NULL)
				return refuse("%s: %s", given, strerror(errno));
			sbuf_printf(&b, "%s/", cwd);
		}
		sbuf_puts(&b, given);
		if (!sbuf_ok(&b))
			return refuse("%s: the path of a socket is at most "
			              "%zu bytes long",
			    given, size - 1);
		err = check_dir(path);
		if (err < 0)
			return refuse(
			    "%s: its directory: %s", path, strerror(-err));
	} else {
		err = priv_socket_path(path, size);
		if (err < 0)
			return refuse("the default place of the control "
			              "socket is not usable: %s",
			    strerror(-err));
		err = priv_mkdir_for(path, geteuid() == 0 ? 0755 : 0700);
		if (err < 0)
			return refuse("%s: cannot make its directory: %s", path,
			    strerror(-err));
	}
	return 0;
}

/* --- detaching -------------------------------------------------------------
 */

/*
 * Starts the child that will be the daemon. Return: in the child the descriptor
 * to say "ready" on; in the parent it does not return.
 */
static int
detach(void)
{
	char c;
	int pipefd[2];
	int status = 0;
	pid_t pid;
	ssize_t n;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		exit(refuse("cannot detach: %s", strerror(errno)));
	pid = fork();
	if (pid < 0)
		exit(refuse("cannot detach: %s", strerror(errno)));
	if (pid == 0) {
		(void)close(pipefd[0]);
		(void)setsid();
		return pipefd[1];
	}
	(void)close(pipefd[1]);
	do {
		n = read(pipefd[0], &c, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	/* It has ended before it was ready, and has said why. */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		(void)refuse("ended by signal %d", WTERMSIG(status));
	_exit(1);
}

/* Says that the daemon is ready, and cuts it off from the terminal. */
static void
detached_ready(int ready_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ssize_t n;

	if (null >= 0) {
		for (int i = 0; i < 3; i++)
			(void)dup2(null, i);
		if (null > 2)
			(void)close(null);
	}
	if (chdir("/") < 0)
		log_warning(
		    "cannot leave the current directory: %s", strerror(errno));
	openlog("coaxd", LOG_PID, LOG_DAEMON);
	log_set_sink(log_to_syslog, NULL);
	do {
		n = write(ready_fd, "", 1);
	} while (n < 0 && errno == EINTR);
	(void)close(ready_fd);
}

/* --- seeds -----------------------------------------------------------------
 */

/*
 * What this daemon's addresses are made of: the same after a restart, different
 * from another machine's, user's or path's, and from a daemon's in a network
 * namespace that was made for it. Where that cannot be told (a lab; a container
 * without a machine id of its own) chance decides.
 */
static uint64_t
identity(const char *path)
{
	struct {
		uint8_t machine[16];
		uint64_t netns;
		uint64_t salt;
		uint32_t uid;
		char path[108];
	} id;
	struct stat own, first;

	memset(&id, 0, sizeof(id));
	if (priv_machine_id(id.machine) < 0 || getenv("COAX_LAB") != NULL)
		priv_random(&id.salt, sizeof(id.salt));
	/* The number of the machine's own namespace is another with the next
	 * kernel. */
	if (stat("/proc/self/ns/net", &own) == 0 &&
	    stat("/proc/1/ns/net", &first) == 0 && own.st_ino != first.st_ino)
		id.netns = own.st_ino;
	id.uid = geteuid();
	(void)str_copy(id.path, sizeof(id.path), path);
	return hash_bytes(0, &id, sizeof(id));
}

/* --- the worker ------------------------------------------------------------
 */

/* What comes in finds the time right, also after a long sleep. */
static bool
clock_net(struct loop_hook *h, uint64_t now_ns)
{
	struct daemon *d = h->arg;

	d->net->now_ns = now_ns;
	return false;
}

static bool
poll_net(struct loop_hook *h, uint64_t now_ns)
{
	struct daemon *d = h->arg;

	(void)now_ns;
	return net_poll(d->net);
}

static void
wake_task(struct loop_task *t)
{
	(void)t; /* its only use is that the loop does not sleep */
}

struct wake {
	struct loop *loop;
	struct loop_task task;
};

static void
wake_net(void *arg)
{
	struct wake *w = arg;

	loop_defer(w->loop, &w->task);
}

static void
on_signal(struct loop_signals *s, const struct signalfd_siginfo *info)
{
	struct daemon *d = s->arg;

	if (info->ssi_signo == SIGHUP && d->detached)
		return;
	log_debug("signal %u", info->ssi_signo);
	loop_stop(d->loop);
}

/* What goes to the log besides errors: what nobody asked for. */
static void
log_event(struct net_subscriber *s, const struct net_event *ev)
{
	const char *name = ev->ifp != NULL ? ev->ifp->name : "";
	const char *colon = ev->ifp != NULL ? ": " : "";

	(void)s;
	if (ev->text == NULL)
		return;
	if (ev->type == NET_EVENT_NOTICE)
		log_notice("%s%s%s", name, colon, ev->text);
	else if (ev->type == NET_EVENT_HOST || ev->type == NET_EVENT_VNET)
		log_info("%s%s%s", name, colon, ev->text);
}

static const struct rpc_method *const method_tables[] = {
	control_methods,
	control_config_methods,
	control_ipfw_methods,
	daemon_methods,
	daemon_tap_methods,
	daemon_port_methods,
	daemon_sock_methods,
	daemon_capture_methods,
	daemon_xen_methods,
	NULL,
};

static const struct sysctl_row *const sysctl_tables[] = {
	sysctl_control_rows,
	sysctl_pfil_rows,
	daemon_sysctls,
	daemon_xnb_sysctls,
	NULL,
};

/* dhcp-script: beside us, as it is built, or where it is installed. */
static const char *
find_dhcp_script(char path[PATH_MAX])
{
	static const char *const places[] = { "/dhcp-script",
		"/../libexec/coax/dhcp-script" };
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	for (size_t i = 0; slash != NULL && i < ARRAY_LEN(places); i++) {
		if (str_copy(slash, (size_t)(path + PATH_MAX - slash),
		        places[i]) == 0 &&
		    access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* Host (if there can be one), net and drivers. 0 or the exit status. */
static int
open_net(struct daemon *d, const struct options *o)
{
	char script[PATH_MAX];
	struct host_options ho = {
		.loop = d->loop,
		.dhcp_script = find_dhcp_script(script),
		.dhcp_client = getenv("COAX_DHCP"),
	};
	struct net_options no = {
		.pool = o->pool,
		.kinds = drv_kinds,
		.random_seed = identity(d->path),
		.now_ns = loop_now_ns(d->loop),
	};
	struct net_system system = { 0 };
	int err;

	priv_random(&no.hash_seed, sizeof(no.hash_seed));
	err =
	    host_system_create(&ho, &d->host, d->host_why, sizeof(d->host_why));
	if (err == 0) {
		host_system_ops(d->host, &system);
		no.system = &system;
	} else {
		d->host = NULL;
		log_notice("no host side: %s", d->host_why);
	}
	err = net_create(&no, &d->net);
	if (err < 0)
		return refuse("cannot start: %s", strerror(-err));
	pfil_init(d->net);
	d->net->identity = no.random_seed;
	d->net->timers = loop_timers(d->loop);
	if (d->host != NULL) {
		host_system_bind(d->host, d->net);
		d->net->host_attach = 1;
	}
	err = drv_init(d->net, d->loop);
	if (err < 0)
		return refuse("cannot start: %s", strerror(-err));
	return 0;
}

/*
 * Whether a daemon is alive behind @path. One that was killed holds its lock
 * until the kernel has taken down its netdevs, which it does not answer for; a
 * living one answers, or is at least silent.
 */
static bool
somebody_answers(const char *path)
{
	static const char ping[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
	struct pollfd p = { .events = POLLIN };
	bool alive = false;
	char c;

	p.fd = sock_connect_unix(path, SOCK_STREAM);
	if (p.fd < 0)
		return false;
	if (sock_send_fds(p.fd, ping, sizeof(ping) - 1, NULL, 0) > 0)
		alive = poll(&p, 1, ANSWER_MS) == 0 || read(p.fd, &c, 1) == 1;
	fd_close(&p.fd);
	return alive;
}

/* The sockets, as soon as a daemon that was killed has really gone. */
static int
listen_when_free(struct control *control, const char *path)
{
	uint64_t deadline_ns = clock_now_ns() + SHUTDOWN_NS;
	int err;

	for (;;) {
		err = control_listen(control, path);
		if (err != -EADDRINUSE || somebody_answers(path) ||
		    clock_now_ns() > deadline_ns)
			return err;
		(void)poll(NULL, 0, RETRY_MS);
	}
}

static void
hold(void *arg, bool on)
{
	struct daemon *d = arg;

	if (d->control != NULL)
		control_hold(d->control, on);
}

/* Methods and sockets. 0 or the exit status. */
static int
open_control(
    struct daemon *d, const struct options *o, const struct sysctl_tree *tree)
{
	struct rpc_server_options so = {
		.net = d->net,
		.tables = method_tables,
		.user = d,
	};
	struct control_options co = { .loop = d->loop, .net = d->net };
	struct config_options config = { .hold = hold, .arg = d };
	int err;

	if (o->group != NULL) {
		err = priv_group(o->group, &co.gid);
		if (err < 0)
			return refuse("%s: no such group", o->group);
		co.set_gid = true;
	}
	if (o->admin != NULL) {
		err = priv_group(o->admin, &co.admin);
		if (err < 0)
			return refuse("%s: no such group", o->admin);
		co.set_admin = true;
	}
	control_set_sysctl_tree(tree);
	config.net = d->net;
	config.tree = tree;
	err = config_create(&config, &d->config);
	if (err < 0)
		return refuse("cannot start: %s", strerror(-err));
	so.config = d->config;
	so.close_fd = control_close_fd;
	so.map_fd = memfd_map;
	so.unmap = memfd_unmap;
	err = rpc_server_create(&so, &d->server);
	if (err == 0) {
		co.server = d->server;
		err = control_create(&co, &d->control);
	}
	if (err < 0)
		return refuse("cannot start: %s", strerror(-err));
	err = listen_when_free(d->control, d->path);
	if (err == -EADDRINUSE)
		return refuse("%s: another coaxd is running there", d->path);
	if (err == -ENOTSOCK)
		return refuse("%s: something that is not a socket has that "
		              "name",
		    d->path);
	if (err < 0)
		return refuse("%s: %s", d->path, strerror(-err));
	return 0;
}

/* What an earlier daemon has left. 0 or the exit status. */
static int
open_state(struct daemon *d, const char *dir)
{
	char why[4096];
	int err;

	if (state_open(dir, &d->state, why, sizeof(why)) != 0)
		return refuse("%s", why);
	err = state_load(d->state, d->net, d->loop);
	return err != 0 ? refuse("%s: %s", dir, strerror(-err)) : 0;
}

/* From a net to nothing. */
static void
close_all(struct daemon *d)
{
	state_close(d->state);
	control_destroy(d->control);
	daemon_captures_end(d);
	if (d->host != NULL && d->net != NULL &&
	    host_system_shutdown(d->host, clock_now_ns() + SHUTDOWN_NS) < 0)
		log_warning("some netdevs are left to the end of the process");
	start_end(&d->start);
	if (d->server != NULL)
		rpc_server_destroy(d->server);
	config_destroy(d->config);
	if (d->net != NULL) {
		xnb_local_leave(d->net);
		xnb_xen_leave(d->xen);
		net_destroy(d->net);
		xnb_xen_stop(d->xen);
	}
	host_system_destroy(d->host);
}

/* What the files said, if any, has been done or refused. */
static void
started(void *arg, bool ok)
{
	struct daemon *d = arg;

	if (!ok) {
		d->failed = true;
		control_hold(d->control, true);
		loop_stop(d->loop);
		return;
	}
	if (d->state != NULL)
		state_begin(d->state);
	control_hold(d->control, false);
	/* After the files: the bridges that the toolstack names are there. */
	daemon_xen_start(d, d->no_xen);
	if (d->detached)
		detached_ready(d->ready_fd);
	else
		(void)fputs("coaxd: ready\n", stderr);
}

/* Everything after the fork. @ready_fd: -1 in the foreground. */
static int
serve(const struct options *o, const char *path, int ready_fd)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct daemon d = {
		.spin_us = o->spin_us,
		.detached = ready_fd >= 0,
		.ready_fd = ready_fd,
		.no_xen = o->no_xen,
	};
	struct sysctl_tree tree = { sysctl_tables, &d };
	struct net_subscriber logger = { .event = log_event };
	struct loop_hook clock = { .fn = clock_net, .arg = &d };
	struct loop_hook hook = { .fn = poll_net, .arg = &d };
	struct wake wake = { .task = { .fn = wake_task } };
	struct loop_signals sig = { 0 };
	int status = 1;
	int err;

	(void)str_copy(d.path, sizeof(d.path), path);
	(void)priv_raise_nofile(NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	err = loop_create(&d.loop);
	if (err < 0)
		return refuse("cannot start: %s", strerror(-err));
	err = loop_signals_init(
	    d.loop, &sig, signals, ARRAY_LEN(signals), on_signal, &d);
	if (err < 0) {
		(void)refuse("cannot start: %s", strerror(-err));
		goto out_loop;
	}
	loop_set_spin(d.loop, d.spin_us * CLOCK_NS_PER_USEC);
	d.started_ns = loop_now_ns(d.loop);
	if (open_net(&d, o) != 0)
		goto out_close;
	net_subscribe(d.net, &logger);
	wake.loop = d.loop;
	d.net->wake = wake_net;
	d.net->wake_arg = &wake;
	loop_clock_add(d.loop, &clock);
	loop_poll_add(d.loop, &hook);
	if (open_control(&d, o, &tree) != 0 ||
	    (o->state != NULL && open_state(&d, o->state) != 0))
		goto out_close;

	d.start.done = started;
	d.start.arg = &d;
	control_hold(d.control, true);
	if (o->file_count > 0)
		start_begin(&d.start, d.config, o->files, o->file_count);
	else
		started(&d, true);
	err = loop_run(d.loop);
	if (err < 0)
		log_err("the loop failed: %s", strerror(-err));
	else if (!d.failed)
		status = 0;

out_close:
	close_all(&d);
	loop_hook_del(d.loop, &clock);
	loop_hook_del(d.loop, &hook);
	loop_task_cancel(d.loop, &wake.task);
	loop_signals_fini(&sig);
out_loop:
	loop_destroy(d.loop);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };
	char path[sizeof(((struct daemon *)0)->path)];
	int ready_fd = -1;
	int status = parse_options(argc, argv, &o);

	if (status >= 0)
		return status;
	log_set_sink(log_to_stderr, NULL);
	if (o.verbose)
		log_set_level(COAX_LOG_DEBUG);
	if (find_path(&o, path, sizeof(path)) != 0)
		return 1;
	if (o.detach)
		ready_fd = detach();
	return serve(&o, path, ready_fd);
}

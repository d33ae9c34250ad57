/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping and ping6 with the meaning, the print-out and the exit status that
 * FreeBSD's have: -t is the time that all may take, and the status is 0 if
 * anything came back, 2 if nothing did. Its own program, since those of Linux
 * differ in just that.
 *
 * One socket of raw ICMP; a loop that waits for the next reply, the next
 * request or the end. Inside a vnet it is run by jexec.
 */
#include "cli/ping.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "cli/cli.h"
#include "control/bsderr.h"
#include "os/clock.h"
#include "os/sock.h"

#define PACKET_MAX 65536
#define FLOOD_NS   (10 * CLOCK_NS_PER_MSEC)

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct ping {
	struct cli *cli;
	struct ping_options o;
	struct ping_stats stats;
	union address to, from; /* from: for the head of IPv6's */
	socklen_t to_len;
	char name[NI_MAXHOST]; /* of the host, as it was given */
	char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	int fd;
	uint16_t id;
	uint32_t size; /* of the next request */
	uint64_t start_ns, next_ns, end_ns;
	bool almost_done; /* all has been sent: only waiting */
	bool over;
	uint8_t packet[PACKET_MAX];
};

/* Set by signals. */
static volatile sig_atomic_t interrupted, asked;

static void
on_signal(int sig)
{
	if (sig == SIGQUIT)
		asked = 1;
	else
		interrupted = 1;
}

/* "ping: WHAT: Sentence". Return: @status. */
static int
system_error(const struct ping *p, const char *what, int err, int status)
{
	(void)cli_error(p->cli, "%s: %s", what, bsd_strerror(err));
	return status;
}

/* An address as text, with its scope. */
static void
address_text(
    const union address *a, socklen_t len, bool names, char *buf, size_t size)
{
	if (getnameinfo(&a->sa, len, buf, (socklen_t)size, NULL, 0,
	        names ? 0 : NI_NUMERICHOST) != 0)
		(void)str_copy(buf, size, "?");
}

/* --- beginning ------------------------------------------------------------ */

static int
lookup(const struct ping *p, const char *host, int family, union address *out,
    socklen_t *len)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_RAW,
	};
	struct addrinfo *list = NULL;
	int err = getaddrinfo(host, NULL, &hints, &list);

	if (err != 0) {
		(void)cli_error(p->cli, "cannot resolve %s: %s", host,
		    err == EAI_NONAME || err == EAI_NODATA ? "Unknown host"
		                                           : gai_strerror(err));
		return PING_EX_NOHOST;
	}
	memset(out, 0, sizeof(*out));
	memcpy(out, list->ai_addr,
	    COAX_MIN((size_t)list->ai_addrlen, sizeof(*out)));
	*len = list->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

static int
set_int(struct ping *p, int level, int name, int value, const char *what)
{
	if (setsockopt(p->fd, level, name, &value, sizeof(value)) == 0)
		return 0;
	return system_error(p, what, errno, PING_EX_OSERR);
}

/* The interface that multicasts, or addresses of a scope, go out of. */
static int
set_interface(struct ping *p)
{
	bool six = p->o.family == AF_INET6;
	unsigned int index = if_nametoindex(p->o.iface);
	struct ip_mreqn m = { .imr_ifindex = (int)index };

	/* IPv4: also by an address of it. */
	if (index == 0 && !six &&
	    inet_pton(AF_INET, p->o.iface, &m.imr_address) == 1)
		index = 1;
	if (index == 0) {
		(void)cli_error(p->cli,
		    six ? "%s: invalid interface name"
		        : "invalid multicast interface: `%s'",
		    p->o.iface);
		return PING_EX_USAGE;
	}
	if (six) {
		if (p->to.in6.sin6_scope_id == 0)
			p->to.in6.sin6_scope_id = index;
		return set_int(p, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)index,
		    "setsockopt IPV6_MULTICAST_IF");
	}
	if (setsockopt(p->fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)) < 0)
		return system_error(
		    p, "setsockopt IP_MULTICAST_IF", errno, PING_EX_OSERR);
	return 0;
}

static int
set_source(struct ping *p)
{
	union address a;
	socklen_t len;
	int status = lookup(p, p->o.source, p->o.family, &a, &len);

	if (status != 0)
		return status;
	if (bind(p->fd, &a.sa, len) < 0)
		return system_error(p, "bind", errno, PING_EX_OSERR);
	return 0;
}

/* Only what is looked at reaches the socket: a set bit keeps a type away.
 * (<linux/icmp.h>, which has the option's name, and <net/if.h> do not go
 * together.) */
static void
filter4(int fd)
{
	const int icmp_filter = 1;
	uint32_t away =
	    ~(1u << 0 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 11 | 1u << 12);

	(void)setsockopt(fd, SOL_RAW, icmp_filter, &away, sizeof(away));
}

static void
filter6(int fd)
{
	struct icmp6_filter f;

	ICMP6_FILTER_SETBLOCKALL(&f);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
	for (int type = ICMP6_DST_UNREACH; type <= ICMP6_PARAM_PROB; type++)
		ICMP6_FILTER_SETPASS(type, &f);
	(void)setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof(f));
}

static int
set_options4(struct ping *p)
{
	const struct ping_options *o = &p->o;
	int status = 0;

	filter4(p->fd);
	/* Never from the kernel's own discovery: DF is set or clear. */
	status = set_int(p, IPPROTO_IP, IP_MTU_DISCOVER,
	    o->dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT,
	    "setsockopt IP_MTU_DISCOVER");
	if (status == 0 && o->ttl >= 0)
		status = set_int(p, IPPROTO_IP, IP_TTL, o->ttl, "IP_TTL");
	if (status == 0 && (o->multicast_ttl >= 0 || o->ttl >= 0))
		status = set_int(p, IPPROTO_IP, IP_MULTICAST_TTL,
		    o->multicast_ttl >= 0 ? o->multicast_ttl : o->ttl,
		    "IP_MULTICAST_TTL");
	if (status == 0 && o->tos >= 0)
		status = set_int(p, IPPROTO_IP, IP_TOS, o->tos, "IP_TOS");
	if (status == 0 && o->no_loop)
		status = set_int(
		    p, IPPROTO_IP, IP_MULTICAST_LOOP, 0, "IP_MULTICAST_LOOP");
	return status;
}

static int
set_options6(struct ping *p)
{
	const struct ping_options *o = &p->o;
	int status = 0;

	filter6(p->fd);
	status = set_int(p, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1,
	    "setsockopt IPV6_RECVHOPLIMIT");
	if (status == 0 && o->dont_fragment)
		status =
		    set_int(p, IPPROTO_IPV6, IPV6_DONTFRAG, 1, "IPV6_DONTFRAG");
	if (status == 0 && o->ttl >= 0)
		status = set_int(p, IPPROTO_IPV6, IPV6_UNICAST_HOPS, o->ttl,
		    "IPV6_UNICAST_HOPS");
	if (status == 0 && (o->multicast_ttl >= 0 || o->ttl >= 0))
		status = set_int(p, IPPROTO_IPV6, IPV6_MULTICAST_HOPS,
		    o->multicast_ttl >= 0 ? o->multicast_ttl : o->ttl,
		    "IPV6_MULTICAST_HOPS");
	if (status == 0 && o->tos >= 0)
		status = set_int(
		    p, IPPROTO_IPV6, IPV6_TCLASS, o->tos, "IPV6_TCLASS");
	if (status == 0 && o->no_loop)
		status = set_int(p, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0,
		    "IPV6_MULTICAST_LOOP");
	return status;
}

static int
open_socket(struct ping *p)
{
	const struct ping_options *o = &p->o;
	bool six = o->family == AF_INET6;
	int status;

	p->fd = socket(o->family, SOCK_RAW | SOCK_CLOEXEC,
	    six ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
	if (p->fd < 0)
		return system_error(p, "ssend socket", errno,
		    errno == EPERM ? PING_EX_NOPERM : PING_EX_OSERR);
	status = six ? set_options6(p) : set_options4(p);
	if (status == 0)
		status =
		    set_int(p, SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST");
	if (status == 0 && o->debug)
		status = set_int(p, SOL_SOCKET, SO_DEBUG, 1, "SO_DEBUG");
	if (status == 0 && o->dont_route)
		status =
		    set_int(p, SOL_SOCKET, SO_DONTROUTE, 1, "SO_DONTROUTE");
	if (status == 0 && o->iface != NULL)
		status = set_interface(p);
	if (status == 0 && o->source != NULL)
		status = set_source(p);
	return status;
}

/* The address that requests will have: what a connected socket is given. */
static void
find_source(struct ping *p)
{
	int fd = socket(p->o.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union address to = p->to;
	socklen_t len = sizeof(p->from);

	to.in6.sin6_port = htons(1);
	if (getsockname(p->fd, &p->from.sa, &len) == 0 &&
	    !IN6_IS_ADDR_UNSPECIFIED(&p->from.in6.sin6_addr)) {
		fd_close(&fd);
		return;
	}
	len = sizeof(p->from);
	if (fd < 0 || connect(fd, &to.sa, p->to_len) < 0 ||
	    getsockname(fd, &p->from.sa, &len) < 0)
		p->from = (union address){ .in6.sin6_family = AF_INET6 };
	p->from.in6.sin6_port = 0;
	fd_close(&fd);
}

static void
print_head(struct ping *p)
{
	const struct ping_options *o = &p->o;
	char from[sizeof(p->text)];

	if (o->family == AF_INET6) {
		find_source(p);
		address_text(
		    &p->from, sizeof(p->from.in6), false, from, sizeof(from));
		(void)printf("PING(%u=40+8+%u bytes) %s --> %s\n", o->size + 48,
		    o->size, from, p->text);
	} else {
		(void)printf("PING %s (%s)", p->name, p->text);
		if (o->source != NULL)
			(void)printf(" from %s", o->source);
		if (o->sweep)
			(void)printf(": (%u ... %u) data bytes\n", o->sweep_min,
			    o->sweep_max);
		else
			(void)printf(": %u data bytes\n", o->size);
	}
	(void)fflush(stdout);
}

/* --- requests and replies ------------------------------------------------- */

static void
send_request(struct ping *p)
{
	const struct ping_options *o = &p->o;
	uint16_t seq = (uint16_t)p->stats.sent;
	ssize_t n;

	ping_stats_sent(&p->stats, seq);
	ping_request(
	    o, o->family, p->id, seq, p->size, clock_now_ns(), p->packet);
	n = sendto(
	    p->fd, p->packet, PING_HDR + p->size, 0, &p->to.sa, p->to_len);
	if (n < 0) {
		(void)cli_error(p->cli, "sendto: %s", bsd_strerror(errno));
		if (errno == EMSGSIZE && o->sweep)
			p->almost_done = true;
	} else if ((size_t)n != PING_HDR + p->size) {
		(void)printf("ping: wrote %s %u chars, ret=%zd\n", p->name,
		    PING_HDR + p->size, n);
	}
	if (o->sweep) {
		p->size += o->sweep_step;
		if (p->size > o->sweep_max)
			p->almost_done = true;
	}
	if (o->flood && !o->quiet) {
		(void)putchar('.');
		(void)fflush(stdout);
	}
}

static void
bell(void)
{
	(void)putchar('\a');
	(void)fflush(stdout);
}

static void
print_reply(struct ping *p, const struct ping_packet *k,
    const union address *from, socklen_t from_len, int hops, double ms,
    bool again)
{
	bool six = p->o.family == AF_INET6;
	char text[NI_MAXHOST];
	uint8_t want = 0;
	int wrong;

	address_text(from, from_len, p->o.names, text, sizeof(text));
	(void)printf("%u bytes from %s%s icmp_seq=%u", k->icmp_len, text,
	    six ? "," : ":", k->seq);
	(void)printf(six ? " hlim=%d" : " ttl=%d", hops);
	if (k->stamped)
		(void)printf(" time=%.3f ms", ms);
	if (again)
		(void)printf(six ? "(DUP!)" : " (DUP!)");
	if (k->bad_checksum)
		(void)printf(" (BAD CHECKSUM!)");
	wrong = ping_wrong_byte(&p->o, k, &want);
	if (wrong >= 0)
		(void)printf(
		    "\nwrong data byte #%d should be 0x%x but was 0x%x", wrong,
		    want, k->data[wrong]);
	(void)putchar('\n');
}

static void
take_reply(struct ping *p, const struct ping_packet *k,
    const union address *from, socklen_t from_len, int hops)
{
	const struct ping_options *o = &p->o;
	double ms = 0;
	bool again;

	if (k->stamped) {
		uint64_t now = clock_now_ns();

		/* What was changed on the way counts as no time. */
		ms = k->sent_ns <= now && k->sent_ns >= p->start_ns
		         ? (double)(now - k->sent_ns) / 1e6
		         : 0;
		if (o->wait_given && ms > (double)o->wait_ms) {
			p->stats.late++;
			return;
		}
	}
	again = ping_stats_seen(&p->stats, k->seq);
	if (again)
		p->stats.repeats++;
	else
		ping_stats_add(&p->stats, ms);
	if (o->bell)
		bell();
	if (o->quiet)
		return;
	if (o->flood)
		(void)printf("\b \b");
	else
		print_reply(p, k, from, from_len, hops, ms, again);
	(void)fflush(stdout);
}

static void
take_error(struct ping *p, const struct ping_packet *k,
    const union address *from, socklen_t from_len)
{
	char text[NI_MAXHOST];

	if (p->o.quiet_errors || p->o.quiet)
		return;
	address_text(from, from_len, p->o.names, text, sizeof(text));
	(void)printf("%u bytes from %s: %s\n", k->icmp_len, text,
	    ping_error_text(p->o.family, k->type, k->code));
	(void)fflush(stdout);
}

/* One packet, if there is one. */
static bool
receive(struct ping *p)
{
	uint8_t control[CMSG_SPACE(sizeof(int)) + 64];
	struct iovec iov = { p->packet, sizeof(p->packet) };
	union address from = { 0 };
	struct msghdr m = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(p->fd, &m, MSG_DONTWAIT);
	struct ping_packet k;
	int hops;

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			(void)cli_error(
			    p->cli, "recvmsg: %s", bsd_strerror(errno));
		return false;
	}
	ping_parse(p->o.family, p->id, p->packet, (size_t)n, &k);
	hops = k.ttl;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL;
	     c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_HOPLIMIT &&
		    c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
	if (k.kind == PING_REPLY)
		take_reply(p, &k, &from, m.msg_namelen, hops);
	else if (k.kind == PING_ERROR)
		take_error(p, &k, &from, m.msg_namelen);
	return true;
}

/* --- the loop ------------------------------------------------------------- */

/* Is there another request to send? */
static bool
more(const struct ping *p)
{
	return !p->almost_done &&
	       (!p->o.count_given || p->stats.sent < p->o.count);
}

/* The next request, or the wait for the last reply. */
static void
turn(struct ping *p, uint64_t now)
{
	const struct ping_options *o = &p->o;
	uint64_t wait;

	if (more(p)) {
		if (o->bell_missed && p->stats.sent > p->stats.received)
			bell();
		send_request(p);
		p->next_ns = now + (o->flood ? FLOOD_NS : o->interval_ns);
		if (more(p))
			return;
	} else if (p->over) {
		interrupted = 1;
		return;
	}
	/* All has been sent: twice as long as the slowest took. */
	p->over = true;
	wait = p->stats.received != 0
	           ? COAX_MAX((uint64_t)(2 * p->stats.max_ms), 1000)
	           : o->wait_ms;
	if (p->stats.received != 0 && o->wait_given)
		wait = COAX_MIN(wait, o->wait_ms);
	p->next_ns = now + wait * CLOCK_NS_PER_MSEC;
}

static bool
finished(const struct ping *p)
{
	if (interrupted || (p->end_ns != 0 && clock_now_ns() >= p->end_ns))
		return true;
	if (p->o.once && p->stats.received != 0)
		return true;
	return (p->o.count_given && p->stats.received >= p->o.count) ||
	       (p->almost_done && p->stats.received >= p->stats.sent);
}

/* SIGQUIT, BSD's SIGINFO. */
static void
print_status(const struct ping *p)
{
	const struct ping_stats *s = &p->stats;

	asked = 0;
	(void)fprintf(stderr, "%llu/%llu packets received (%.1f%%)",
	    (unsigned long long)s->received, (unsigned long long)s->sent,
	    s->sent != 0 ? (double)s->received * 100 / (double)s->sent : 0);
	if (s->received != 0)
		(void)fprintf(stderr, " %.3f min / %.3f avg / %.3f max",
		    s->min_ms, s->sum_ms / (double)s->received, s->max_ms);
	(void)fputc('\n', stderr);
}

static void
run(struct ping *p)
{
	struct pollfd fd = { .fd = p->fd, .events = POLLIN };
	sigset_t none;

	(void)sigemptyset(&none);
	p->start_ns = clock_now_ns();
	p->end_ns = p->o.timeout_s != 0
	                ? p->start_ns + p->o.timeout_s * CLOCK_NS_PER_SEC
	                : 0;
	for (uint32_t i = 0; i < p->o.preload && more(p); i++)
		send_request(p);
	turn(p, p->start_ns);
	while (!finished(p)) {
		uint64_t now = clock_now_ns(), until = p->next_ns;
		struct timespec wait = { 0 };

		if (asked)
			print_status(p);
		if (p->end_ns != 0)
			until = COAX_MIN(until, p->end_ns);
		if (until > now) {
			wait.tv_sec =
			    (time_t)((until - now) / CLOCK_NS_PER_SEC);
			wait.tv_nsec = (long)((until - now) % CLOCK_NS_PER_SEC);
		}
		/* Signals come only while it waits. */
		if (ppoll(&fd, 1, &wait, &none) > 0) {
			while (!finished(p) && receive(p))
				;
			/* A flood goes as fast as replies come. */
			if (p->o.flood && !p->over)
				turn(p, clock_now_ns());
			continue;
		}
		now = clock_now_ns();
		if (now >= p->next_ns && !finished(p))
			turn(p, now);
	}
}

static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGQUIT, &sa, NULL);
}

static int
start(struct ping *p)
{
	int status = lookup(p, p->o.host, p->o.family, &p->to, &p->to_len);

	if (status != 0)
		return status;
	p->o.family = p->to.sa.sa_family;
	if (!p->o.size_given && p->o.family == AF_INET6)
		p->o.size = PING_DATA_IPV6;
	p->size = p->o.size;
	address_text(&p->to, p->to_len, false, p->text, sizeof(p->text));
	(void)snprintf(p->name, sizeof(p->name), "%s", p->o.host);
	status = open_socket(p);
	if (status == 0 && p->o.family == AF_INET6 && p->o.iface != NULL)
		address_text(
		    &p->to, p->to_len, false, p->text, sizeof(p->text));
	return status;
}

static int
ping(struct cli *cli, int argc, char **argv, bool six)
{
	static struct ping p;
	char text[1024];
	int status;

	p = (struct ping){ .cli = cli, .fd = -1 };
	text[0] = '\0';
	status = ping_options_parse(&p.o, argc, argv, six, text, sizeof(text));
	if (status != 0) {
		if (text[0] != '\0')
			(void)cli_error(cli, "%s", text);
		else
			(void)fputs(ping_usage, stderr);
		return status;
	}
	p.id = (uint16_t)getpid();
	status = start(&p);
	if (status != 0) {
		fd_close(&p.fd);
		return status;
	}
	catch_signals();
	print_head(&p);
	run(&p);
	fd_close(&p.fd);
	ping_stats_text(&p.stats, p.name, p.o.family, p.o.size >= PING_STAMP,
	    text, sizeof(text));
	(void)printf("\n%s", text);
	if (fflush(stdout) != 0)
		return PING_EX_OSERR;
	return p.stats.received != 0 ? 0 : PING_EX_NOREPLY;
}

int
cli_ping(struct cli *cli, int argc, char **argv)
{
	return ping(cli, argc, argv, false);
}

int
cli_ping6(struct cli *cli, int argc, char **argv)
{
	return ping(cli, argc, argv, true);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the daemon: JSON-RPC 2.0, one line there, one line back.
 *
 * The first request, session.hello with the descriptor of the network
 * namespace, is sent together with the question and its answer skipped.
 */
#include "shim/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/plain.h"

#define QUESTION     1 /* the id; session.hello has 0 */
#define REQUEST_MAX  1024
#define TIMEOUT_SECS 30

void
shim_hint(const char *text)
{
	const char *how = getenv("COAX_SHIM");
	char line[256];
	struct sbuf b = sbuf_init(line, sizeof(line));

	if (how != NULL && strcmp(how, "quiet") == 0)
		return;
	sbuf_printf(&b, "libcoax-shim: %s\n", text);
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return; /* nobody there to be told */
}

void
ask_begin(struct ask *a, const char *method)
{
	a->method = method;
	a->text = sbuf_init(a->params, sizeof(a->params));
	a->send_fd = -1;
	a->send_netns = false;
	a->cloexec = true;
	a->fd = -1;
}

static void
ask_key(struct ask *a, const char *name)
{
	if (a->params[0] != '\0')
		sbuf_putc(&a->text, ',');
	sbuf_printf(&a->text, "\"%s\":", name);
}

void
ask_int(struct ask *a, const char *name, int64_t value)
{
	ask_key(a, name);
	sbuf_printf(&a->text, "%lld", (long long)value);
}

void
ask_word(struct ask *a, const char *name, const char *value)
{
	ask_key(a, name);
	sbuf_printf(&a->text, "\"%s\"", value);
}

int
ask_name(struct ask *a, const char *name, const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '\\' ||
		    *p == '/' || *p == ':')
			return -EINVAL;
	}
	ask_word(a, name, value);
	return 0;
}

int
ask_judge(const char *line, size_t len, struct json *result)
{
	struct json whole, id, error, data, name;
	char text[32];
	int64_t n = -1;

	if (!json_whole(line, len, &whole) || !json_member(whole, "id", &id))
		return -ENXIO;
	(void)json_integer(id, &n);
	if (n == 0)
		return 0;
	if (json_member(whole, "error", &error)) {
		if (json_member(error, "data", &data) &&
		    json_member(data, "errno", &name) &&
		    json_text(name, text, sizeof(text)))
			return plain_errno(text);
		return -EINVAL;
	}
	if (n != QUESTION || !json_member(whole, "result", result))
		return -ENXIO;
	return 1;
}

static int
ask_connect(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = TIMEOUT_SECS };
	int fd, err;

	err = plain_socket_path(to.sun_path, sizeof(to.sun_path));
	if (err < 0)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	do {
		err = connect(fd, (struct sockaddr *)&to, sizeof(to));
	} while (err < 0 && errno == EINTR);
	if (err < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* All of it, with the descriptors at its beginning. */
static int
ask_send(int fd, const char *data, size_t len, const int *fds, size_t count)
{
	union {
		char buf[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (count > 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	while (len > 0) {
		iov.iov_base = (char *)(uintptr_t)data;
		iov.iov_len = len;
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		data += n;
		len -= (size_t)n;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}

/* Takes a descriptor that came. */
static void
ask_take_fds(struct ask *a, struct msghdr *msg)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (a->fd < 0)
				a->fd = fd;
			else
				close(fd);
		}
	}
}

/* Reads lines until the answer is there. */
static int
ask_receive(int fd, struct ask *a)
{
	union {
		char buf[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	size_t len = 0;

	for (;;) {
		struct iovec iov = { a->buf + len, sizeof(a->buf) - len };
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.buf,
			.msg_controllen = sizeof(control.buf),
		};
		ssize_t n;
		char *end;

		if (iov.iov_len == 0)
			return -ENXIO;
		n = recvmsg(fd, &msg, a->cloexec ? MSG_CMSG_CLOEXEC : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -ENXIO;
		ask_take_fds(a, &msg);
		len += (size_t)n;
		while ((end = memchr(a->buf, '\n', len)) != NULL) {
			int is = ask_judge(
			    a->buf, (size_t)(end - a->buf), &a->result);

			if (is != 0)
				return is < 0 ? is : 0;
			len -= (size_t)(end + 1 - a->buf);
			memmove(a->buf, end + 1, len);
		}
	}
}

static int
ask_all(int fd, struct ask *a)
{
	static const char hello[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"session.hello\","
	    "\"params\":{\"client\":\"shim\",\"netns\":0,\"fds\":1}}\n";
	char line[REQUEST_MAX];
	struct sbuf b = sbuf_init(line, sizeof(line));
	int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	size_t count = 0;
	int fds[2];
	int err = 0;

	if (ns >= 0)
		err = ask_send(fd, hello, sizeof(hello) - 1, &ns, 1);
	if (err < 0)
		goto out;
	if (a->send_fd >= 0)
		fds[count++] = a->send_fd;
	if (ns >= 0 && a->send_netns) {
		ask_int(a, "netns", (int64_t)count);
		fds[count++] = ns;
	}
	if (count > 0)
		ask_int(a, "fds", (int64_t)count);
	sbuf_printf(&b,
	    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\","
	    "\"params\":{%s}}\n",
	    QUESTION, a->method, a->params);
	err = !sbuf_ok(&b) || !sbuf_ok(&a->text)
	          ? -EINVAL
	          : ask_send(fd, line, strlen(line), fds, count);
out:
	if (ns >= 0)
		close(ns);
	return err < 0 ? err : ask_receive(fd, a);
}

int
ask_daemon(struct ask *a)
{
	int fd = ask_connect();
	int err;

	a->no_daemon = fd < 0;
	if (fd < 0)
		return -ENXIO;
	err = ask_all(fd, a);
	close(fd);
	if (err < 0 && a->fd >= 0) {
		close(a->fd);
		a->fd = -1;
	}
	return err;
}

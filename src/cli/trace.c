/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax trace: what would happen to a frame that comes in on an interface.
 *
 * The frame is words, which the daemon understands, hexadecimal digits, or each
 * frame of a capture file, which is read here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "cli/cli.h"
#include "control/pcapfile.h"
#include "control/printout.h"

#define FILE_MAX (1u << 30)

/* Prints one answer; @number 0: it is the only one. */
static int
answer(struct cli *cli, json_t *result, uint64_t number)
{
	struct text out = { 0 };

	if (cli->json) {
		printout_json(result, &out);
	} else {
		if (number > 1)
			text_puts(&out, "\n");
		if (number != 0)
			text_printf(
			    &out, "frame %llu: ", (unsigned long long)number);
		printout_trace(result, &out);
	}
	return cli_put(cli, &out);
}

static int
ask(struct cli *cli, struct coax *c, json_t *params, uint64_t number)
{
	json_t *result;
	int status = cli_call(cli, c, "trace", params, &result);

	if (status != 0)
		return status;
	status = answer(cli, result, number);
	json_decref(result);
	return status;
}

static json_t *
params_of(const char *name, bool host, const char *key, json_t *frame)
{
	return json_pack(
	    "{s:s,s:b,s:o}", "name", name, "host", host, key, frame);
}

static json_t *
hex_json(const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * len + 1);
	json_t *value;

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	value = json_stringn(text, 2 * len);
	free(text);
	return value;
}

/* All of a file, owned. NULL: said why. */
static uint8_t *
read_file(const struct cli *cli, const char *path, size_t *len)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
	uint8_t *data = NULL, *grown;
	size_t room = 0, n = 0, got;

	if (f == NULL) {
		(void)cli_error(cli, "%s: %s", path, strerror(errno));
		return NULL;
	}
	do {
		if (n == room) {
			room = room != 0 ? 2 * room : 65536;
			grown = room <= FILE_MAX ? realloc(data, room) : NULL;
			if (grown == NULL) {
				(void)cli_error(cli, "%s: too large", path);
				goto out_free;
			}
			data = grown;
		}
		got = fread(data + n, 1, room - n, f);
		n += got;
	} while (got != 0);
	if (ferror(f)) {
		(void)cli_error(cli, "%s: cannot be read", path);
		goto out_free;
	}
	if (f != stdin)
		(void)fclose(f);
	*len = n;
	return data;

out_free:
	if (f != stdin)
		(void)fclose(f);
	free(data);
	return NULL;
}

static int
trace_frames(struct cli *cli, const char *name, bool host, const char *path,
    struct pcapfile *p)
{
	struct coax *c = cli_connect(cli);
	uint32_t len, whole;
	const uint8_t *frame;
	uint64_t number = 0;
	int more = 1, status = c != NULL ? 0 : 1;

	while (status == 0 &&
	       (more = pcapfile_next(p, &frame, &len, &whole)) > 0) {
		number++;
		if (len < whole)
			(void)cli_error(cli,
			    "frame %llu: %u of %u bytes were captured",
			    (unsigned long long)number, len, whole);
		status = ask(cli, c,
		    params_of(name, host, "frame", hex_json(frame, len)),
		    number);
	}
	coax_close(c);
	if (status == 0 && more < 0)
		status = cli_error(cli, "%s: damaged after frame %llu", path,
		    (unsigned long long)number);
	if (status == 0 && number == 0)
		status = cli_error(cli, "%s: no frames", path);
	if (p->others != 0)
		(void)cli_error(cli, "%s: %llu frames are not Ethernet's", path,
		    (unsigned long long)p->others);
	return status;
}

static int
trace_file(struct cli *cli, const char *name, bool host, const char *path)
{
	struct pcapfile p;
	size_t len;
	uint8_t *data = read_file(cli, path, &len);
	uint32_t type = 0;
	int status;

	if (data == NULL)
		return 1;
	status = pcapfile_open(&p, data, len, &type);
	if (status == -EPROTONOSUPPORT)
		status = cli_error(
		    cli, "%s: link type %u is not Ethernet", path, type);
	else if (status < 0)
		status = cli_error(
		    cli, "%s: neither a pcap nor a pcapng file", path);
	else
		status = trace_frames(cli, name, host, path, &p);
	free(data);
	return status;
}

/* Nothing but digits and what stands between them. */
static bool
is_hex(const char *s)
{
	return s[0] != '\0' && s[1] != '\0' &&
	       strspn(s, "0123456789abcdefABCDEFxX:.- \t\r\n") == strlen(s);
}

static bool
is_path(const char *s)
{
	static const char *const ends[] = { ".pcap", ".pcapng", ".cap" };
	size_t len = strlen(s);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t n = strlen(ends[i]);

		if (len > n && strcmp(s + len - n, ends[i]) == 0)
			return true;
	}
	return strchr(s, '/') != NULL;
}

/* The digits of all words, one after the other. */
static json_t *
joined(int argc, char **argv)
{
	struct text t = { 0 };
	json_t *value;

	for (int i = 0; i < argc; i++) {
		text_puts(&t, argv[i]);
		text_puts(&t, " ");
	}
	value = text_ok(&t) ? json_string(text_str(&t)) : NULL;
	text_free(&t);
	return value;
}

struct arguments {
	bool host;
	const char *file;
	const char *name; /* of the interface */
	char **words;
	int count;
};

/* Options stand anywhere: no word of a frame begins with a hyphen. */
static bool
arguments(int argc, char **argv, struct arguments *a)
{
	int n = 0;

	*a = (struct arguments){ .words = argv + 1 };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--host") == 0)
			a->host = true;
		else if (strcmp(argv[i], "-r") == 0 && i + 1 < argc)
			a->file = argv[++i];
		else if (strcmp(argv[i], "-") == 0 && a->file == NULL)
			a->file = argv[i];
		else if (argv[i][0] == '-')
			return false;
		else
			argv[n++] = argv[i];
	}
	a->name = n != 0 ? argv[0] : NULL;
	a->count = n - 1;
	if (a->file == NULL && n == 2 && is_path(argv[1])) {
		a->file = argv[1];
		a->count = 0;
	}
	return n != 0 && (a->file != NULL) == (a->count == 0);
}

int
cli_trace(struct cli *cli, int argc, char **argv)
{
	struct arguments a;
	const char *key = "words";
	json_t *frame;
	struct coax *c;
	int status;

	cli_take_json(cli, &argc, argv);
	if (!arguments(argc, argv, &a))
		return cli_usage(cli, "trace [--json] [--host] interface "
		                      "words ... | hex | file | -r file");
	if (a.file != NULL)
		return trace_file(cli, a.name, a.host, a.file);
	if (is_hex(a.words[0])) {
		key = "frame";
		frame = joined(a.count, a.words);
	} else {
		frame = cli_words(cli, a.count, a.words);
	}
	if (frame == NULL)
		return 1;
	c = cli_connect(cli);
	if (c == NULL) {
		json_decref(frame);
		return 1;
	}
	status = ask(cli, c, params_of(a.name, a.host, key, frame), 0);
	coax_close(c);
	return status;
}

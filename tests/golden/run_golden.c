/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: run_golden [--update] FILE.in ...
 *
 * Runs scripts against a net in memory and compares the transcript with
 * FILE.ok beside each (--update: writes it). The transcript has the line after
 * "$ ", standard output as it is, standard error after "! ", and the exit
 * status, if it is not 0, after "? ". Lines of a script:
 *
 *   ifconfig WORDS...        sysctl WORDS...
 *   brconfig [--json] WORDS...
 *   ipfw WORDS...            ipfw-file NAME: the lines of a file (below)
 *   drops [IF]  ifaces  vnets  pool  methods  json METHOD [PARAMS]
 *   trace [--host] IF WORDS...
 *   rpc LINE                 a raw line; the answer as it is
 *   vnet create|destroy NAME    vnet attach NAME PID
 *   ro COMMAND               on the read-only socket
 *   in VNET COMMAND          from inside the vnet
 *   slow on|off, closed on|off, canceled on|off, taken NAME, dhcp on|off,
 *   lease on|off,
 *   forward SECONDS          (the world's)
 *   timers                   what is made from here on has timers
 *   live SECONDS             they run, and frames move
 *   events on|off            shows events as they happen
 *   send IF COUNT            frames out of an interface
 *   file NAME                the lines up to "." are a configuration
 *   apply [-n] NAME          export
 *   # and empty lines are copied
 *
 * Speaks TAP: one case a file.
 */
#include "control/brconfig.h"
#include "world.h"

struct golden {
	struct world *w;
	struct rpc_session *inside; /* of "in" */
	struct text t;              /* the transcript */
	struct net_subscriber subscriber;
	bool events;
	json_t *files;      /* name: text */
	struct text file;   /* being read */
	char file_name[64]; /* "": none is */
};

static void
on_event(struct net_subscriber *s, const struct net_event *ev)
{
	struct golden *g = CONTAINER_OF(s, struct golden, subscriber);
	json_t *o = control_event_json(ev);

	text_puts(&g->t, "~ ");
	printout_event(o, &g->t);
	json_decref(o);
}

/* Standard error, each line after "! ". */
static void
put_err(struct golden *g, const char *s)
{
	while (*s != '\0') {
		size_t n = strcspn(s, "\n");

		text_puts(&g->t, "! ");
		text_putn(&g->t, s, n);
		text_puts(&g->t, "\n");
		s += n + (s[n] == '\n');
	}
}

static void
finish(struct golden *g, struct text *out, struct text *err, int status)
{
	text_puts(&g->t, text_str(out));
	put_err(g, text_str(err));
	if (status != 0)
		text_printf(&g->t, "? %d\n", status);
	text_free(out);
	text_free(err);
}

/* A method whose result @print shows. */
static void
do_method(struct golden *g, struct rpc_session *s, const char *method,
    json_t *params, void (*print)(const json_t *result, struct text *t))
{
	json_t *answer = world_call(g->w, s, method, params);
	const json_t *error = json_object_get(answer, "error");
	struct text out = { 0 }, err = { 0 };
	int status = 0;

	if (error != NULL)
		status = printout_error("coax", error, &out, &err);
	else
		print(json_object_get(answer, "result"), &out);
	finish(g, &out, &err, status);
	json_decref(answer);
}

static void
print_nothing(const json_t *result, struct text *t)
{
	(void)result;
	(void)t;
}

static bool
is_on(const char *s)
{
	return strcmp(s, "on") == 0;
}

static void
do_send(struct golden *g, const char *args)
{
	char name[64];
	unsigned int count = 0;
	struct iface *ifp;
	struct frame_batch batch = { 0 };

	ASSERT(sscanf(args, "%63s %u", name, &count) == 2);
	ifp = net_iface_find(g->w->net, NULL, name);
	ASSERT(ifp != NULL && count <= FRAME_BATCH_MAX);
	for (unsigned int i = 0; i < count; i++) {
		struct frame *f = frame_alloc(g->w->net->pool, 60);

		ASSERT(f != NULL);
		memset(f->data, 0, 60);
		f->data[0] = 0x02;
		f->data[6] = 0x02;
		f->data[11] = (uint8_t)i;
		f->len = 60;
		batch.frames[batch.count++] = f;
	}
	iface_output(ifp, &batch);
}

/* "apply [-n] NAME" */
static void
do_apply(struct golden *g, struct rpc_session *s, const char *args)
{
	bool dry = strncmp(args, "-n ", 3) == 0;
	const char *name = args + (dry ? 3 : 0);
	const char *text = json_string_value(json_object_get(g->files, name));
	struct text out = { 0 }, err = { 0 };
	const json_t *error;
	json_t *answer;
	int status;

	ASSERT(text != NULL);
	answer = world_call(g->w, s, "config.apply",
	    json_pack(
	        "{s:s,s:s,s:b}", "text", text, "name", name, "dry_run", dry));
	error = json_object_get(answer, "error");
	status = error != NULL
	             ? printout_error("coax", error, &out, &err)
	             : printout_result("coax",
	                   json_object_get(answer, "result"), &out, &err);
	finish(g, &out, &err, status);
	json_decref(answer);
}

static void
print_text(const json_t *result, struct text *t)
{
	text_puts(t, json_string_value(json_object_get(result, "text")));
}

static void do_line(struct golden *g, struct rpc_session *s, const char *line);

/* "in VNET COMMAND" */
static void
do_inside(struct golden *g, const char *args)
{
	struct rpc_session_options options = {
		.pid = 2, .client = "inside", .now_ns = g->w->net->now_ns
	};
	size_t n = strcspn(args, " ");
	struct rpc_session *s;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)n, args);
	if (net_vnet_find(g->w->net, name) == NULL) {
		text_printf(&g->t, "! there is no vnet %s\n", name);
		return;
	}
	ASSERT(rpc_session_create(g->w->server, &options, &s) == 0);
	rpc_session_hello(s, NULL, net_vnet_find(g->w->net, name));
	do_line(g, s, args + n + (args[n] == ' '));
	rpc_session_destroy(s);
}

static void
do_tool(struct golden *g, struct rpc_session *s, const char *program,
    const char *args)
{
	struct text out = { 0 }, err = { 0 };
	int status = world_tool(g->w, s, program, args, &out, &err);

	finish(g, &out, &err, status);
}

/* The lines of a file. */
static void
do_ipfw_file(struct golden *g, struct rpc_session *s, const char *name)
{
	const char *at = json_string_value(json_object_get(g->files, name));
	json_t *lines = json_array(), *answer;
	struct text out = { 0 }, err = { 0 };
	int status;

	while (*at != '\0') {
		size_t n = strcspn(at, "\n");

		json_array_append_new(lines, json_stringn(at, n));
		at += n + (at[n] == '\n');
	}
	answer = world_call(
	    g->w, s, "ipfw", json_pack("{s:[],s:o}", "argv", "lines", lines));
	status = printout_result(
	    "ipfw", json_object_get(answer, "result"), &out, &err);
	json_decref(answer);
	finish(g, &out, &err, status);
}

struct brconfig {
	struct golden *g;
	struct rpc_session *s;
	struct text out;
};

static int
brconfig_call(void *arg, const char *method, json_t *params, json_t **result,
    json_t **error)
{
	const struct brconfig *b = arg;
	json_t *answer = world_call(b->g->w, b->s, method, params);

	*error = json_incref(json_object_get(answer, "error"));
	if (*error == NULL)
		*result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return *error != NULL ? -1 : 0;
}

static int
brconfig_put(void *arg, struct text *out)
{
	struct brconfig *b = arg;

	text_puts(&b->out, text_str(out));
	text_free(out);
	return 0;
}

static void
do_brconfig(struct golden *g, struct rpc_session *s, const char *args)
{
	struct brconfig b = { .g = g, .s = s };
	struct brconfig_io io = { .call = brconfig_call,
		.put = brconfig_put,
		.arg = &b,
		.program = "brconfig" };
	const char *argv[64];
	struct text err = { 0 };
	json_t *words, *w;
	int argc = 0, status;
	size_t i;

	if (strncmp(args, "--json ", 7) == 0) {
		io.json = true;
		args += 7;
	}
	words = world_split(args);
	json_array_foreach(words, i, w)
	{
		ASSERT(argc < 64);
		argv[argc++] = json_string_value(w);
	}
	status = brconfig_run(&io, argc, argv, &err);
	finish(g, &b.out, &err, status);
	json_decref(words);
}

static void
do_vnet(struct golden *g, struct rpc_session *s, const char *args)
{
	char verb[16] = "", name[64] = "", what[64] = "", method[32];
	int n = sscanf(args, "%15s %63s %63s", verb, name, what);
	json_t *params = json_pack("{s:s}", "name", name);

	ASSERT(n >= 2);
	if (n == 3)
		json_object_set_new(params, "what", json_string(what));
	snprintf(method, sizeof(method), "vnet.%s", verb);
	do_method(g, s, method, params, print_nothing);
}

static void
do_trace(struct golden *g, struct rpc_session *s, const char *args)
{
	json_t *words = world_split(args), *params = json_object();

	json_object_set_new(params, "host", json_false());
	if (strcmp(json_string_value(json_array_get(words, 0)), "--host") ==
	    0) {
		json_object_set_new(params, "host", json_true());
		json_array_remove(words, 0);
	}
	json_object_set(params, "name", json_array_get(words, 0));
	json_array_remove(words, 0);
	json_object_set_new(params, "words", words);
	do_method(g, s, "trace", params, printout_trace);
}

static void
do_line(struct golden *g, struct rpc_session *s, const char *line)
{
	size_t n = strcspn(line, " ");
	const char *args = line[n] == ' ' ? line + n + 1 : line + n;
	char word[32];

	snprintf(word, sizeof(word), "%.*s", (int)n, line);
	if (strcmp(word, "ifconfig") == 0 || strcmp(word, "sysctl") == 0 ||
	    strcmp(word, "ipfw") == 0) {
		do_tool(g, s, word, args);
	} else if (strcmp(word, "ipfw-file") == 0) {
		do_ipfw_file(g, s, args);
	} else if (strcmp(word, "brconfig") == 0) {
		do_brconfig(g, s, args);
	} else if (strcmp(word, "drops") == 0) {
		do_method(g, s, "drops",
		    *args != '\0' ? json_pack("{s:s}", "name", args)
		                  : json_object(),
		    printout_drops);
	} else if (strcmp(word, "ifaces") == 0) {
		do_method(
		    g, s, "iface.list", json_object(), printout_iface_table);
	} else if (strcmp(word, "vnets") == 0) {
		do_method(g, s, "vnet.list", json_object(), printout_vnets);
	} else if (strcmp(word, "pool") == 0) {
		do_method(g, s, "pool.get", json_object(), printout_pool);
	} else if (strcmp(word, "methods") == 0) {
		do_method(g, s, "rpc.methods", json_object(), printout_methods);
	} else if (strcmp(word, "json") == 0) {
		size_t m = strcspn(args, " ");
		char method[64];

		snprintf(method, sizeof(method), "%.*s", (int)m, args);
		do_method(g, s, method,
		    args[m] != '\0' ? json_loads(args + m, 0, NULL)
		                    : json_object(),
		    printout_json);
	} else if (strcmp(word, "trace") == 0) {
		do_trace(g, s, args);
	} else if (strcmp(word, "rpc") == 0) {
		char *text = world_line(g->w, s, args);

		text_puts(&g->t, text);
		free(text);
	} else if (strcmp(word, "vnet") == 0) {
		do_vnet(g, s, args);
	} else if (strcmp(word, "ro") == 0) {
		do_line(g, g->w->read_only, args);
	} else if (strcmp(word, "in") == 0) {
		do_inside(g, args);
	} else if (strcmp(word, "slow") == 0) {
		g->w->slow = is_on(args);
	} else if (strcmp(word, "closed") == 0) {
		g->w->closed = is_on(args);
	} else if (strcmp(word, "canceled") == 0) {
		g->w->canceled = is_on(args);
	} else if (strcmp(word, "dhcp") == 0) {
		g->w->no_dhcp = !is_on(args);
	} else if (strcmp(word, "lease") == 0) {
		g->w->no_lease = !is_on(args);
	} else if (strcmp(word, "taken") == 0) {
		ASSERT(str_copy(g->w->taken, sizeof(g->w->taken), args) == 0);
	} else if (strcmp(word, "forward") == 0) {
		g->w->net->now_ns += (uint64_t)atoi(args) * 1000000000u;
	} else if (strcmp(word, "timers") == 0) {
		world_timers(g->w);
	} else if (strcmp(word, "live") == 0) {
		world_live(g->w, (uint32_t)atoi(args));
	} else if (strcmp(word, "events") == 0) {
		if (is_on(args) && !g->events)
			net_subscribe(g->w->net, &g->subscriber);
		else if (!is_on(args) && g->events)
			net_unsubscribe(g->w->net, &g->subscriber);
		g->events = is_on(args);
	} else if (strcmp(word, "file") == 0) {
		snprintf(g->file_name, sizeof(g->file_name), "%s", args);
	} else if (strcmp(word, "apply") == 0) {
		do_apply(g, s, args);
	} else if (strcmp(word, "export") == 0) {
		do_method(g, s, "config.export", json_object(), print_text);
	} else if (strcmp(word, "send") == 0) {
		do_send(g, args);
	} else {
		text_printf(&g->t, "! no such line of a script: %s\n", word);
	}
}

static bool
read_file(const char *path, struct text *t)
{
	FILE *f = fopen(path, "r");
	char buf[4096];
	size_t n;

	if (f == NULL)
		return false;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		text_putn(t, buf, n);
	fclose(f);
	text_putn(t, "", 0);
	return true;
}

/* A line of a file; "." ends it. */
static void
file_line(struct golden *g, const char *line)
{
	if (strcmp(line, ".") != 0) {
		text_printf(&g->file, "%s\n", line);
		return;
	}
	json_object_set_new(
	    g->files, g->file_name, json_string(text_str(&g->file)));
	text_free(&g->file);
	g->file_name[0] = '\0';
}

static void
run_script(struct golden *g, char *script)
{
	char *line, *save = NULL;

	/* strsep keeps empty lines. */
	for (save = script; (line = strsep(&save, "\n")) != NULL;) {
		if (save == NULL && *line == '\0')
			break;
		if (g->file_name[0] != '\0') {
			text_printf(&g->t, "%s\n", line);
			file_line(g, line);
			continue;
		}
		if (*line == '\0' || *line == '#') {
			text_printf(&g->t, "%s\n", line);
			continue;
		}
		text_printf(&g->t, "$ %s\n", line);
		do_line(g, g->w->home, line);
	}
}

/* Says where the transcripts part. */
static void
explain(const char *want, const char *got)
{
	unsigned int line = 1;
	const char *w = want, *s = got;

	while (*want != '\0' && *want == *got) {
		if (*want == '\n') {
			line++;
			w = want + 1;
			s = got + 1;
		}
		want++;
		got++;
	}
	printf("# line %u\n#  want: %.*s\n#  got:  %.*s\n", line,
	    (int)strcspn(w, "\n"), w, (int)strcspn(s, "\n"), s);
}

static bool
run_file(const char *path, bool update)
{
	struct golden g = { .subscriber = { .event = on_event } };
	struct text script = { 0 }, want = { 0 };
	char ok_path[4096];
	bool same = false;
	FILE *f;

	snprintf(ok_path, sizeof(ok_path), "%.*s.ok",
	    (int)(strlen(path) - strlen(".in")), path);
	if (!read_file(path, &script)) {
		printf("# %s: cannot be read\n", path);
		return false;
	}
	g.w = world_create(NULL);
	g.files = json_object();
	run_script(&g, script.s);
	json_decref(g.files);
	if (g.events)
		net_unsubscribe(g.w->net, &g.subscriber);
	world_destroy(g.w);
	if (update) {
		f = fopen(ok_path, "w");
		same = f != NULL && fputs(text_str(&g.t), f) >= 0;
		if (f != NULL)
			fclose(f);
	} else {
		same = read_file(ok_path, &want) &&
		       strcmp(text_str(&want), text_str(&g.t)) == 0;
		if (!same)
			explain(text_str(&want), text_str(&g.t));
	}
	text_free(&script);
	text_free(&want);
	text_free(&g.t);
	return same;
}

int
main(int argc, char **argv)
{
	bool update = argc > 1 && strcmp(argv[1], "--update") == 0;
	int first = update ? 2 : 1, failed = 0;

	printf("1..%d\n", argc - first);
	for (int i = first; i < argc; i++) {
		bool same = run_file(argv[i], update);
		const char *base = strrchr(argv[i], '/');

		printf("%sok %d - %s\n", same ? "" : "not ", i - first + 1,
		    base != NULL ? base + 1 : argv[i]);
		failed += !same;
	}
	return failed > 0 || first >= argc;
}

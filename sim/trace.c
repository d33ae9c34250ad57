/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ladder of --trace:
 *
 *         time  b0     b1     b2
 *     9.501000  |      |      *      b2.2 is root, forwarding
 *     9.501000  |      |<-----o      2>1 R root b0 cost 4000 age 2 -ALFT-
 *
 * One column a bridge as long as there are few; a line says who sends (o), who
 * is to get it (< >), by which ports, and what: role, root, cost, message age,
 * flags.  More than COLUMNS_MAX bridges have no columns; the names stand in the
 * text then.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/util.h"
#include "sim/sim.h"
#include "stp/stp_impl.h"

#define WIDTH       100
#define TIME_WIDTH  14
#define COLUMNS_MAX 8u

static uint32_t
column_width(const struct sim *s)
{
	return s->node_count <= 4 ? 7 : 5;
}

static bool
has_columns(const struct sim *s)
{
	return s->node_count <= COLUMNS_MAX;
}

static uint32_t
column(const struct sim *s, uint32_t node)
{
	return TIME_WIDTH + node * column_width(s);
}

/* A line with all columns, and its end. */
static uint32_t
line_begin(const struct sim *s, char line[WIDTH + 1])
{
	uint32_t end = TIME_WIDTH;

	memset(line, ' ', WIDTH);
	line[WIDTH] = '\0';
	if (!has_columns(s))
		return end;
	for (uint32_t k = 0; k < s->node_count; k++)
		line[column(s, k)] = s->nodes[k]->alive ? '|' : ' ';
	return column(s, s->node_count);
}

/* Without the blanks at its end, which is at @at. */
static void
trim(char line[WIDTH + 1], uint32_t at)
{
	while (at > 0 && line[at - 1] == ' ')
		at--;
	line[at] = '\0';
}

/* With the time before and the text behind, as far as there is room. */
static void
line_fill(
    const struct sim *s, char line[WIDTH + 1], uint32_t at, const char *text)
{
	char time[TIME_WIDTH + 1];
	size_t len = strlen(text);

	snprintf(time, sizeof(time), "%12.6f", (double)s->now_ns / 1e9);
	memcpy(line, time, strlen(time));
	len = COAX_MIN(len, (size_t)(WIDTH - at));
	memcpy(line + at, text, len);
	trim(line, at + (uint32_t)len);
}

static void
line_end(
    const struct sim *s, char line[WIDTH + 1], uint32_t at, const char *text)
{
	line_fill(s, line, at, text);
	puts(line);
}

/* What is sent follows what the same event did to the bridge. */
static void
line_later(struct sim *s, char line[WIDTH + 1], uint32_t at, const char *text)
{
	size_t len;

	line_fill(s, line, at, text);
	len = strlen(line);
	s->sent_lines = realloc(s->sent_lines, s->sent_lines_len + len + 1);
	ASSERT(s->sent_lines != NULL);
	memcpy(s->sent_lines + s->sent_lines_len, line, len);
	s->sent_lines_len += len + 1;
	s->sent_lines[s->sent_lines_len - 1] = '\n';
}

void
sim_trace_sent(struct sim *s)
{
	(void)fwrite(s->sent_lines, 1, s->sent_lines_len, stdout);
	s->sent_lines_len = 0;
}

void
sim_trace_begin(struct sim *s)
{
	char line[WIDTH + 1];

	s->trace = true;
	printf("# D designated, R root, A alternate or backup port; "
	       "C Config, T TCN\n"
	       "# flags: P proposal, A agreement, L learning, F forwarding, "
	       "T topology change,\n"
	       "# K its acknowledgment\n");
	if (!has_columns(s))
		return;
	memset(line, ' ', WIDTH);
	line[WIDTH] = '\0';
	memcpy(line + 8, "time", 4);
	for (uint32_t k = 0; k < s->node_count; k++) {
		size_t len = strlen(s->nodes[k]->name);

		len = COAX_MIN(len, column_width(s) - 1);
		memcpy(line + column(s, k), s->nodes[k]->name, len);
	}
	trim(line, WIDTH);
	puts(line);
}

static void
root_name(const struct sim *s, uint64_t id, char out[SIM_NAME])
{
	for (uint32_t k = 0; k < s->node_count; k++) {
		if (s->nodes[k]->mac == stp_id_address(id)) {
			snprintf(out, SIM_NAME, "%s", s->nodes[k]->name);
			return;
		}
	}
	snprintf(
	    out, SIM_NAME, "%012llx", (unsigned long long)stp_id_address(id));
}

static void
describe(const struct sim *s, const uint8_t *bpdu, size_t len, char *out,
    size_t size)
{
	static const char roles[] = { '?', 'A', 'R', 'D' };
	static const struct {
		uint8_t flag;
		char letter;
	} flags[] = { { STP_FLAG_PROPOSAL, 'P' }, { STP_FLAG_AGREEMENT, 'A' },
		{ STP_FLAG_LEARNING, 'L' }, { STP_FLAG_FORWARDING, 'F' },
		{ STP_FLAG_TC, 'T' }, { STP_FLAG_TCA, 'K' } };
	char root[SIM_NAME], text[ARRAY_LEN(flags) + 1];
	struct stp_bpdu b;

	if (stp_bpdu_decode(bpdu, len, &b) < 0) {
		snprintf(out, size, "no BPDU");
		return;
	}
	if (b.type == STP_BPDU_TCN) {
		snprintf(out, size, "T");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		text[i] = b.flags & flags[i].flag ? flags[i].letter : '-';
	text[ARRAY_LEN(flags)] = '\0';
	root_name(s, b.root_id, root);
	snprintf(out, size, "%c root %s cost %u age %u %s",
	    b.type == STP_BPDU_CONFIG ? 'C' : roles[stp_bpdu_role(&b)], root,
	    b.root_path_cost, b.times.message_age, text);
}

static void
draw(const struct sim *s, char line[WIDTH + 1], uint32_t from, uint32_t to)
{
	uint32_t a = column(s, from), b = column(s, to);

	for (uint32_t i = COAX_MIN(a, b) + 1; i < COAX_MAX(a, b); i++) {
		if (line[i] == ' ')
			line[i] = '-';
		else if (line[i] == '|')
			line[i] = '+';
	}
	if (a < b)
		line[b - 1] = '>';
	else if (b < a)
		line[b + 1] = '<';
}

void
sim_trace_bpdu(
    struct sim *s, const struct sim_port *p, const uint8_t *bpdu, size_t len)
{
	char line[WIDTH + 1], what[160], text[512], ends[256] = "";
	uint32_t at = line_begin(s, line), count = 0;
	const struct sim_lan *l = p->lan != SIM_NONE ? &s->lans[p->lan] : NULL;

	describe(s, bpdu, len, what, sizeof(what));
	for (uint32_t i = 0; l != NULL && i < l->end_count; i++) {
		const struct sim_port *q = s->ports[l->ends[i]];
		size_t used = strlen(ends);

		if (q == p || !sim_usable(s, q) || !sim_carries(s, p))
			continue;
		if (has_columns(s)) {
			draw(s, line, p->node, q->node);
			snprintf(ends + used, sizeof(ends) - used, "%s%u",
			    count > 0 ? "," : "", q->number);
		} else {
			snprintf(ends + used, sizeof(ends) - used, "%s%s.%u",
			    count > 0 ? "," : "", s->nodes[q->node]->name,
			    q->number);
		}
		count++;
	}
	if (has_columns(s)) {
		line[column(s, p->node)] = 'o';
		snprintf(text, sizeof(text), "%u>%s %s", p->number, ends, what);
	} else {
		snprintf(text, sizeof(text), "%s.%u > %s: %s",
		    s->nodes[p->node]->name, p->number, ends, what);
	}
	line_later(s, line, at, text);
}

void
sim_trace_forged(const struct sim *s, const struct sim_port *p,
    const uint8_t *bpdu, size_t len)
{
	char what[128];

	describe(s, bpdu, len, what, sizeof(what));
	sim_trace_node(s, p->node, "made up, to %s.%u: %s",
	    s->nodes[p->node]->name, p->number, what);
}

void
sim_trace_node(const struct sim *s, uint32_t node, const char *fmt, ...)
{
	char line[WIDTH + 1], text[256];
	uint32_t at = line_begin(s, line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (has_columns(s))
		line[column(s, node)] = '*';
	line_end(s, line, at, text);
}

void
sim_trace_all(const struct sim *s, const char *fmt, ...)
{
	char line[WIDTH + 1], text[256];
	uint32_t at = line_begin(s, line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line_end(s, line, at, text);
}

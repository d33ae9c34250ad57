/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A long table of addresses in the order in which it is read. See
 * address_list.h.
 */
#include "control/address_list.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM_MIN 1024u

static uint32_t
member_u32(const json_t *o, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(o, key));
}

static struct address_line *
line_new(struct address_list *l)
{
	struct address_line *lines;
	size_t room = l->room != 0 ? l->room * 2 : ROOM_MIN;

	if (l->count == l->room) {
		lines = reallocarray(l->lines, room, sizeof(*lines));
		if (lines == NULL)
			return NULL;
		l->lines = lines;
		l->room = room;
	}
	return &l->lines[l->count];
}

int
address_list_add(struct address_list *l, const json_t *page,
    void (*format)(void *arg, const json_t *address, struct text *out),
    void *arg)
{
	json_t *a;
	size_t i;

	l->births = member_u32(page, "births");
	json_array_foreach(json_object_get(page, "addresses"), i, a)
	{
		struct address_line *line = line_new(l);
		struct text t = { 0 };

		if (line == NULL)
			return -ENOMEM;
		line->birth = member_u32(a, "birth");
		line->seq = (uint32_t)l->count;
		json_object_del(a, "birth");
		format(arg, a, &t);
		if (!text_ok(&t) || t.s == NULL) {
			text_free(&t);
			return -ENOMEM;
		}
		line->text = t.s;
		l->count++;
	}
	return 0;
}

/* Of one that came twice, the later first. */
static int
newest_first(const void *a, const void *b)
{
	const struct address_line *x = a, *y = b;

	if (x->age != y->age)
		return x->age < y->age ? -1 : 1;
	return x->seq > y->seq ? -1 : 1;
}

void
address_list_sort(struct address_list *l)
{
	size_t kept = 0;

	if (l->count == 0)
		return;
	/* Birth numbers wrap; ages do not. */
	for (size_t i = 0; i < l->count; i++)
		l->lines[i].age = l->births - 1 - l->lines[i].birth;
	qsort(l->lines, l->count, sizeof(*l->lines), newest_first);
	for (size_t i = 0; i < l->count; i++) {
		if (i > 0 && l->lines[i].birth == l->lines[kept - 1].birth)
			free(l->lines[i].text);
		else
			l->lines[kept++] = l->lines[i];
	}
	l->count = kept;
}

void
address_list_free(struct address_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->lines[i].text);
	free(l->lines);
	*l = (struct address_list){ 0 };
}

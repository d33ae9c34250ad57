/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Count to infinity.
 *
 * When a root dies in a mesh, what others still say of it is adopted, passed on
 * with a higher cost, withdrawn, adopted from the next: once round the loop and
 * again, until max age ends it.  The standard lets it run.  Differs: a bridge
 * remembers how near a root was.
 *
 * Who says that it is nearer to a root than this bridge ever was, does not have
 * that from this bridge, directly or over others: it is believed.  (So is every
 * alternate port of a network at rest.)  Who says that it is not nearer may
 * have it from this bridge.  A link that fails in a ring has the news come back
 * so, once; a word that goes round in a circle comes back again and again, each
 * time further.  So each such adoption counts, from another port more than from
 * the one that is root port already, and when there were too many the root is
 * believed for a while only of those who are nearer: the circle is cut.  One
 * who is nearer ends the count.
 *
 * How near the root was is forgotten when the words about it have been steady
 * for a while.
 */
#include "base/util.h"
#include "stp/stp_impl.h"

#define RAISES_MAX   2u /* so much is believed in MEMORY_S */
#define RAISE_PARENT 1u /* the root port says that it is further now */
#define RAISE_OTHER  2u /* another port becomes root port */
#define MEMORY_S     3u
#define DISTRUST_S   2u

static struct stp_root *
find(struct stp *s, uint64_t id)
{
	for (uint32_t i = 0; i < STP_ROOTS_MAX; i++) {
		if (s->roots[i].known && s->roots[i].id == id)
			return &s->roots[i];
	}
	return NULL;
}

/* Takes the place of the one that is forgotten first. */
static struct stp_root *
add(struct stp *s, const struct stp_vector *path)
{
	struct stp_root *r = &s->roots[0];

	for (uint32_t i = 1; i < STP_ROOTS_MAX; i++) {
		struct stp_root *other = &s->roots[i];

		if (other->distrust_while != r->distrust_while
		        ? other->distrust_while < r->distrust_while
		        : other->memory_while < r->memory_while)
			r = other;
	}
	*r = (struct stp_root){
		.known = true,
		.id = path->root_id,
		.least = path->root_path_cost,
	};
	return r;
}

static bool
is_nearer(const struct stp *s, const struct stp_root *r,
    const struct stp_vector *said)
{
	return said->root_path_cost != r->least
	           ? said->root_path_cost < r->least
	           : said->bridge_id < stp_bridge_id(s);
}

bool
stp_root_believed(struct stp *s, const struct stp_vector *said)
{
	const struct stp_root *r = find(s, said->root_id);

	return r == NULL || r->distrust_while == 0 || is_nearer(s, r, said);
}

static uint32_t
raise_of(const struct stp *s, const struct stp_port *root,
    const struct stp_vector *path)
{
	if (path->root_id != s->root_priority.root_id ||
	    root->number != s->root_port)
		return RAISE_OTHER;
	return path->root_path_cost > s->root_priority.root_path_cost
	           ? RAISE_PARENT
	           : 0;
}

bool
stp_root_adopt(
    struct stp *s, const struct stp_port *root, const struct stp_vector *path)
{
	struct stp_root *r = find(s, path->root_id);
	uint32_t raise;

	if (r == NULL)
		r = add(s, path);
	s->root_is_nearer = is_nearer(s, r, &root->port_priority);
	raise = s->root_is_nearer ? 0 : raise_of(s, root, path);
	if (r->raises + raise > RAISES_MAX) {
		r->raises = 0;
		r->distrust_while = DISTRUST_S;
		r->memory_while = MEMORY_S;
		stp_note(s, NULL, STP_NOTE_STALE_ROOT);
		return false;
	}
	r->raises = s->root_is_nearer ? 0 : r->raises + raise;
	r->least = COAX_MIN(r->least, path->root_path_cost);
	if (raise > 0 || r->memory_while == 0)
		r->memory_while = MEMORY_S;
	return true;
}

void
stp_root_left(struct stp *s, uint64_t id)
{
	struct stp_root *r = find(s, id);

	if (r != NULL)
		r->memory_while = MEMORY_S;
}

void
stp_root_heard(struct stp *s, const struct stp_vector *said)
{
	struct stp_root *r = find(s, said->root_id);

	if (r != NULL && r->distrust_while > 0 && !is_nearer(s, r, said))
		r->distrust_while = DISTRUST_S;
}

void
stp_roots_tick(struct stp *s)
{
	for (uint32_t i = 0; i < STP_ROOTS_MAX; i++) {
		struct stp_root *r = &s->roots[i];

		if (r->memory_while > 0)
			r->memory_while--;
		if (r->distrust_while > 0 && --r->distrust_while == 0) {
			STP_EACH_PORT (s, p)
				stp_reselect(s, p);
		}
		if (r->memory_while > 0 || r->distrust_while > 0)
			continue;
		r->known = r->known && r->id == s->root_priority.root_id;
		r->least = s->root_priority.root_path_cost;
		r->raises = 0;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Impairment of an interface: see impair.h.
 *
 * A frame that comes is pushed into the direction's pipe, then whatever is due
 * goes on: without delay or rate that is the frame itself, in the same call.
 * What is not due has a timer, one a direction.  Frames that the stack sends
 * back into the pipe while it is being emptied only join it.
 */
#include "net/impair.h"

#include <errno.h>
#include <stdlib.h>

#include "base/timerheap.h"
#include "base/util.h"
#include "frame/offload.h"
#include "net/info.h"
#include "net/net.h"

#define BATCHES_MAX 4 /* a timer may hand on before others have a turn */

struct impair_counters {
	uint64_t frames; /* that came */
	uint64_t lost, duplicated, reordered, corrupted;
	uint64_t over_limit, over_share;
};

struct direction {
	struct iface_impair *of;
	enum impair_direction dir;
	bool on;
	bool running; /* being emptied */
	struct impair_config config;
	struct impair_state state;
	struct impair_counters count;
	struct pipe pipe;
	struct timer timer;
};

struct iface_impair {
	struct iface *ifp;
	struct direction way[2];
};

static struct direction *
way_of(const struct iface *ifp, enum impair_direction dir)
{
	if (ifp->impair == NULL || !ifp->impair->way[dir].on)
		return NULL;
	return &ifp->impair->way[dir];
}

bool
impair_wants_plain(const struct iface *ifp)
{
	return way_of(ifp, IMPAIR_OUT) != NULL;
}

/* --- frames go on --------------------------------------------------------- */

static void
hand_on(struct direction *w, struct frame_batch *batch)
{
	struct iface *ifp = w->of->ifp;

	if (batch->count == 0)
		return;
	if (w->dir == IMPAIR_IN)
		iface_input_now(ifp, batch);
	else if (iface_running(ifp))
		ifp->ops->transmit(ifp, batch);
	else
		iface_drop_batch(ifp, batch, DROP_IF_DOWN);
	batch->count = 0;
}

static void
arm(struct direction *w)
{
	struct timerheap *timers = w->of->ifp->net->timers;
	uint64_t due_ns = pipe_due(&w->pipe);

	/* Always in the heap: to move it cannot fail. */
	if (timers != NULL && w->timer.due_ns != due_ns)
		(void)timerheap_add(timers, &w->timer, due_ns);
}

/* Hands on what is due, @batches at most. */
static void
run(struct direction *w, uint32_t batches)
{
	uint64_t now_ns = w->of->ifp->net->now_ns;
	struct frame_batch batch = { 0 };
	struct frame *f;

	if (w->running)
		return;
	w->running = true;
	for (; batches != 0; batches--) {
		while (batch.count < FRAME_BATCH_MAX &&
		       (f = pipe_pop(&w->pipe, now_ns)) != NULL)
			batch.frames[batch.count++] = f;
		if (batch.count == 0)
			break;
		hand_on(w, &batch);
	}
	w->running = false;
	arm(w);
}

static void
timer_due(struct timer *t, uint64_t now_ns)
{
	struct direction *w = CONTAINER_OF(t, struct direction, timer);

	(void)now_ns;
	w->timer.due_ns = 0; /* the heap has let go of it: set it again */
	run(w, BATCHES_MAX);
}

/* --- frames come ---------------------------------------------------------- */

/* Consumes @f. */
static void
enqueue(struct direction *w, struct frame *f, uint64_t delay_ns, bool in_order)
{
	struct iface *ifp = w->of->ifp;
	int err;

	err = pipe_push(&w->pipe, f, ifp->net->now_ns, delay_ns, in_order);
	if (err == 0)
		return;
	if (err == -EDQUOT)
		w->count.over_share++;
	else
		w->count.over_limit++;
	iface_drop(
	    ifp, f, err == -EDQUOT ? DROP_IMPAIR_SHARE : DROP_IMPAIR_LIMIT);
}

/* Turns one bit of a frame of one's own; consumes @f.  NULL: dropped. */
static struct frame *
corrupt(struct direction *w, struct frame *f, uint64_t bits)
{
	uint64_t bit;

	f = frame_own(f);
	if (f == NULL) {
		iface_count_drop(w->of->ifp, DROP_NO_FRAME, 1);
		return NULL;
	}
	if (f->len != 0) {
		bit = bits % (f->len * 8u);
		f->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	f->off = (struct frame_offload){ 0 }; /* nobody vouches for it */
	w->count.corrupted++;
	return f;
}

/* A plain frame meets its fate; consumes @f. */
static void
impair(struct direction *w, struct frame *f)
{
	const struct impair_config *c = &w->config;
	struct impair_fate fate = impair_fate(c, &w->state);
	bool in_order = c->keep_order && !fate.reorder;
	struct frame *twin = NULL;

	w->count.frames++;
	if (fate.lost) {
		w->count.lost++;
		iface_drop(w->of->ifp, f, DROP_IMPAIR_LOSS);
		return;
	}
	w->count.duplicated += fate.duplicate;
	w->count.reordered += fate.reorder;
	if (fate.duplicate)
		twin = frame_take(f);
	if (fate.corrupt)
		f = corrupt(w, f, fate.bits);
	if (f != NULL)
		enqueue(w, f, fate.delay_ns, in_order);
	if (twin != NULL)
		enqueue(w, twin, fate.delay_ns, in_order);
}

static void
fit_emit(void *arg, struct frame *f)
{
	impair(arg, f);
}

static void
fit_drop(void *arg, struct frame *f, enum drop_reason why)
{
	const struct direction *w = arg;

	iface_drop(w->of->ifp, f, why);
}

static void
impair_batch(struct direction *w, struct frame_batch *batch)
{
	const struct offload_output plain = {
		.emit = fit_emit,
		.drop = fit_drop,
		.arg = w,
	};

	for (uint32_t i = 0; i < batch->count; i++)
		offload_fit(batch->frames[i], &plain);
	run(w, UINT32_MAX);
}

bool
impair_input(struct iface *ifp, struct frame_batch *batch)
{
	struct direction *w = way_of(ifp, IMPAIR_IN);

	if (w == NULL)
		return false;
	impair_batch(w, batch);
	return true;
}

bool
impair_output(struct iface *ifp, struct frame_batch *batch)
{
	struct direction *w = way_of(ifp, IMPAIR_OUT);

	if (w == NULL)
		return false;
	impair_batch(w, batch);
	return true;
}

/* --- changes -------------------------------------------------------------- */

static void
drop_all(struct direction *w, enum drop_reason why)
{
	struct frame *f;

	if (!w->on)
		return;
	while ((f = pipe_empty(&w->pipe)) != NULL)
		iface_drop(w->of->ifp, f, why);
	arm(w);
}

static void
way_end(struct direction *w)
{
	struct timerheap *timers = w->of->ifp->net->timers;

	if (!w->on)
		return;
	if (timers != NULL)
		timerheap_del(timers, &w->timer);
	pipe_fini(&w->pipe);
	*w = (struct direction){ .of = w->of, .dir = w->dir };
}

/* What waits goes on. */
static void
way_off(struct direction *w)
{
	struct frame_batch batch = { 0 };
	struct frame *f;

	if (!w->on)
		return;
	w->running = true;
	while ((f = pipe_empty(&w->pipe)) != NULL) {
		batch.frames[batch.count++] = f;
		if (batch.count == FRAME_BATCH_MAX)
			hand_on(w, &batch);
	}
	hand_on(w, &batch);
	way_end(w);
}

/* Frees the whole if both ways are off. */
static void
impair_settle(struct iface *ifp)
{
	struct iface_impair *im = ifp->impair;

	if (im == NULL || im->way[IMPAIR_IN].on || im->way[IMPAIR_OUT].on)
		return;
	ifp->impair = NULL;
	free(im);
}

/* Gives a direction its new settings, which have been checked. */
static int
way_set(struct direction *w, const struct impair_config *config, bool seed)
{
	struct net *net = w->of->ifp->net;
	int err;

	if (!w->on)
		err = pipe_init(&w->pipe, config->limit, &net->pipe_share);
	else
		err = pipe_set_limit(&w->pipe, config->limit);
	if (err == 0 && !w->on)
		net_user_pipe(w->of->ifp, &w->pipe);
	if (err == 0 && net->timers != NULL && !w->on) {
		w->timer.fn = timer_due;
		w->timer.punctual = true;
		err = timerheap_add(net->timers, &w->timer, PIPE_NEVER);
	}
	if (err != 0) {
		if (!w->on)
			pipe_fini(&w->pipe);
		return err;
	}
	if (!w->on || seed)
		w->state = impair_begin(config->seed, w->dir);
	w->config = *config;
	rate_set(&w->pipe.rate, config->rate, config->burst);
	w->on = true;
	run(w, BATCHES_MAX);
	return 0;
}

static struct iface_impair *
impair_create(struct iface *ifp)
{
	struct iface_impair *im = calloc(1, sizeof(*im));

	if (im == NULL)
		return NULL;
	im->ifp = ifp;
	for (int dir = IMPAIR_IN; dir <= IMPAIR_OUT; dir++) {
		im->way[dir].of = im;
		im->way[dir].dir = (enum impair_direction)dir;
	}
	return im;
}

int
iface_impair(struct iface *ifp, const struct impair_change *change)
{
	struct net *net = ifp->net;
	struct impair_config config[2];
	/* Of one chance for both: what is drawn differs by direction. */
	uint64_t seed = net_random(net) >> 32;
	char why[IMPAIR_WHY_MAX];
	int err;

	if ((ifp->ops->kind_flags & IFACE_KIND_ETHERNET) == 0)
		return net_error(net, -EOPNOTSUPP, "%s has no wire%s",
		    ifp->name,
		    (ifp->ops->kind_flags & IFACE_KIND_VLANS) != 0
		        ? ": impair its members"
		        : "");
	for (int dir = IMPAIR_IN; dir <= IMPAIR_OUT; dir++) {
		const struct direction *w =
		    way_of(ifp, (enum impair_direction)dir);

		config[dir] = (struct impair_config){
			.limit = IMPAIR_LIMIT_DEFAULT,
			.seed = seed,
		};
		if (w != NULL)
			config[dir] = w->config;
		err = impair_merge(&config[dir], change,
		    (enum impair_direction)dir, why, sizeof(why));
		if (err != 0)
			return net_error(net, err, "%s", why);
	}
	if (ifp->impair == NULL)
		ifp->impair = impair_create(ifp);
	if (ifp->impair == NULL)
		return -ENOMEM;
	for (int dir = IMPAIR_IN; err == 0 && dir <= IMPAIR_OUT; dir++)
		if (change->set[dir] != 0)
			err = way_set(&ifp->impair->way[dir], &config[dir],
			    (change->set[dir] & IMPAIR_SET_SEED) != 0);
	impair_settle(ifp);
	if (err == 0)
		iface_changed(ifp, IFACE_CHANGED_IMPAIR);
	return err;
}

void
iface_impair_off(struct iface *ifp, bool in, bool out)
{
	struct iface_impair *im = ifp->impair;

	in = in && way_of(ifp, IMPAIR_IN) != NULL;
	out = out && way_of(ifp, IMPAIR_OUT) != NULL;
	if (!in && !out)
		return;
	if (in)
		way_off(&im->way[IMPAIR_IN]);
	if (out)
		way_off(&im->way[IMPAIR_OUT]);
	impair_settle(ifp);
	iface_changed(ifp, IFACE_CHANGED_IMPAIR);
}

void
impair_changed(struct iface *ifp, uint32_t what)
{
	struct iface_impair *im = ifp->impair;

	if (im == NULL || (what & IFACE_CHANGED_FLAGS) == 0 ||
	    (ifp->flags & IFACE_UP) != 0)
		return;
	drop_all(&im->way[IMPAIR_IN], DROP_IF_DOWN_IN);
	drop_all(&im->way[IMPAIR_OUT], DROP_IF_DOWN);
}

void
impair_destroy(struct iface *ifp)
{
	struct iface_impair *im = ifp->impair;

	if (im == NULL)
		return;
	for (int dir = IMPAIR_IN; dir <= IMPAIR_OUT; dir++) {
		drop_all(&im->way[dir], DROP_DESTROYED);
		way_end(&im->way[dir]);
	}
	impair_settle(ifp);
}

/* --- print-out ------------------------------------------------------------ */

static void
get_way(const struct direction *w, struct info *out)
{
	const struct impair_config *c = &w->config;
	const struct impair_counters *n = &w->count;
	char text[IMPAIR_TEXT_MAX];

	info_object(out, w->dir == IMPAIR_IN ? "in" : "out");
	info_str(out, "words", impair_format(c, false, text));
	if (c->gemodel) {
		info_u64(out, "gemodel_p_ppb", c->loss.p);
		info_u64(out, "gemodel_r_ppb", c->loss.r);
		info_u64(out, "gemodel_bad_ppb", c->loss.bad);
		info_u64(out, "gemodel_good_ppb", c->loss.good);
	} else {
		info_u64(out, "loss_ppb", c->loss.good);
	}
	info_u64(out, "delay_ns", c->delay_ns);
	info_u64(out, "jitter_ns", c->jitter_ns);
	info_str(out, "dist", impair_dist_name(c->dist));
	info_bool(out, "keep_order", c->keep_order);
	info_u64(out, "duplicate_ppb", c->duplicate);
	info_u64(out, "reorder_ppb", c->reorder);
	info_u64(out, "corrupt_ppb", c->corrupt);
	info_u64(out, "rate_bit_s", c->rate);
	info_u64(out, "burst_bytes", c->burst);
	info_u64(out, "limit", c->limit);
	info_u64(out, "seed", c->seed);
	info_u64(out, "frames", n->frames);
	info_u64(out, "lost", n->lost);
	info_u64(out, "duplicated", n->duplicated);
	info_u64(out, "reordered", n->reordered);
	info_u64(out, "corrupted", n->corrupted);
	info_u64(out, "over_limit", n->over_limit);
	info_u64(out, "over_share", n->over_share);
	info_u64(out, "held", pipe_held(&w->pipe));
	info_end(out);
}

const struct impair_config *
iface_impair_config(const struct iface *ifp, enum impair_direction dir)
{
	const struct direction *w = way_of(ifp, dir);

	return w != NULL ? &w->config : NULL;
}

void
iface_impair_get(const struct iface *ifp, struct info *out)
{
	for (int dir = IMPAIR_IN; dir <= IMPAIR_OUT; dir++) {
		const struct direction *w =
		    way_of(ifp, (enum impair_direction)dir);

		if (w != NULL)
			get_way(w, out);
	}
}

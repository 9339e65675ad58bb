// SPDX-License-Identifier: Apache-2.0
// What all parts of a federated training share: names, paths, the sites of a round, and the table of acts.
#include <stdio.h>

#include "base/time.h"
#include "train/rounds_impl.h"

struct site *rounds_site(struct rounds *t, struct str name)
{
	for (size_t i = 0; i < t->count; i++)
		if (str_eq(t->sites[i].cloud->name, name))
			return &t->sites[i];
	return NULL;
}

void rounds_site_out(struct rounds *t, struct site *s, const struct err *e)
{
	pthread_mutex_lock(&t->lock);
	if (!str_copy(s->out, sizeof(s->out), str_take(str_of(e->message), sizeof(s->out) - 1)) || !s->out[0])
		(void)str_copy(s->out, sizeof(s->out), str_of(err_word(e->code)));
	pthread_mutex_unlock(&t->lock);
}

PRINTF_LIKE(3, 0) static struct str vprint(struct arena *a, struct str head, const char *format, va_list args)
{
	AUTO(buf) text = {0};
	buf_add(&text, head);
	buf_vprintf(&text, format, args);
	return text.failed ? (struct str){0} : arena_str(a, buf_str(&text));
}

const char *rounds_path(const struct rounds *t, struct arena *a, const char *format, ...)
{
	va_list args;
	struct str head = arena_printf(a, "%s/", t->step->scratch);
	va_start(args, format);
	struct str path = head.p ? vprint(a, head, format, args) : head;
	va_end(args);
	return path.p;
}

struct str rounds_key(const struct rounds *t, struct arena *a, const char *format, ...)
{
	va_list args;
	struct str head = arena_printf(a, "trainings/%.*s/%.*s/", STR(t->name), STR(t->step->run));
	va_start(args, format);
	struct str key = head.p ? vprint(a, head, format, args) : head;
	va_end(args);
	return key;
}

struct str rounds_record_key(const struct rounds *t, struct arena *a, int64_t round)
{
	return arena_printf(a, "round/%.*s/%.*s/%lld", STR(t->name), STR(t->step->run), (long long)round);
}

void rounds_child(const struct rounds *t, struct call *c, struct call *child)
{
	int64_t left = t->round_began_ns + t->deadline_ns - call_mono_ns(c);
	call_child(child, c, c->arena, MAX(left, 5 * NS_PER_S));
}

static int act_begin(struct call *c, struct rounds *t, json_t **output)
{
	pthread_mutex_lock(&t->lock);
	int rc = global_init(c, t, output);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

static int act_aggregate(struct call *c, struct rounds *t, const struct action *action, json_t **output)
{
	pthread_mutex_lock(&t->lock);
	int rc = global_aggregate(c, t, action, output);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

static int stop_site(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output)
{
	struct call child;
	(void)output;
	call_child(&child, c, c->arena, 10 * NS_PER_S);
	struct str job = site_job_name(t, c->arena, s, json_int(action->input, "round", 0));
	// A cloud that cannot be reached keeps its job a while; what it leaves there is nobody's any more.
	if (CLOUD_CALL(&child, s->cloud, jobs, stop, job) < 0)
		err_clear(&child.err);
	return 0;
}

// Acts on one cloud. A failure that trying again will not mend takes the site out of the round; the training goes on without it
// as long as a quorum can be reached.
static const struct {
	struct str type;
	int (*act)(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output);
} site_acts[] = {
	{S_INIT("round.start"), site_start},
	{S_INIT("round.again"), site_start},
	{S_INIT("round.collect"), site_collect},
	{S_INIT("round.finish"), site_finish},
	{S_INIT("round.stop"), stop_site},
	{S_INIT("round.sweep"), site_sweep},
};

// What would befall every site alike ends the training.
static bool is_ours(int code)
{
	return code == ERR_CANCELLED || code == ERR_NO_SPACE || code == ERR_IO || code == ERR_NO_MEMORY || code == ERR_INTERNAL;
}

static int act_on_site(struct call *c, struct rounds *t, size_t i, const struct action *action, json_t **output)
{
	struct site *s = rounds_site(t, json_str(action->input, "site"));
	if (!s)
		return call_fail(c, ERR_INTERNAL, "no cloud %s takes part in %.*s", json_text(action->input, "site"), STR(t->step->address));
	struct call child;
	rounds_child(t, c, &child);
	int rc = site_acts[i].act(&child, t, s, action, output);
	if (rc < 0) {
		c->err = child.err;
		if (is_ours(rc))
			return rc;
		if (!c->err.retryable)
			rounds_site_out(t, s, &c->err);
		c->err.retryable = true;
	}
	return rc;
}

int rounds_act(struct call *c, void *ctx, const struct action *action, json_t **output)
{
	struct rounds *t = ctx;
	for (size_t i = 0; i < COUNT_OF(site_acts); i++)
		if (str_eq(action->type, site_acts[i].type))
			return act_on_site(c, t, i, action, output);
	if (str_eq(action->type, S("round.begin")))
		return act_begin(c, t, output);
	if (str_eq(action->type, S("round.accept")))
		return global_accept(c, t, action);
	if (str_eq(action->type, S("round.aggregate")))
		return act_aggregate(c, t, action, output);
	return call_fail(c, ERR_INTERNAL, "an action of type %.*s is unknown", STR(action->type));
}

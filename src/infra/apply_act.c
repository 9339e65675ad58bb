// SPDX-License-Identifier: Apache-2.0
// One change of a plan, carried out: the kind's handler, then the record. Everything here may be done again after a
// kill.
#include "base/hash.h"
#include "infra/apply_impl.h"

// Given at creation and never changed; made from the name of the act, so that a repeated act gives the same.
static struct str make_uid(struct call *c, struct str action_name)
{
	struct str all = arena_printf(c->arena, "%.*s\n%.*s", STR(c->workspace), STR(action_name));
	struct sha256 digest = sha256_of(all);
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	return arena_printf(c->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static struct resource new_record(struct call *c, const struct plan_change *change, struct str action_name)
{
	struct resource r = *change->desired;
	r.uid = change->recorded && change->action != PLAN_REPLACE ? change->recorded->uid : make_uid(c, action_name);
	r.cloud_id = change->recorded && change->action == PLAN_UPDATE ? change->recorded->cloud_id : (struct str){0};
	r.outputs = change->recorded && change->action == PLAN_UPDATE ? change->recorded->outputs : NULL;
	r.revision = change->recorded ? change->recorded->revision : 0;
	r.status = change->waiting.n ? S("waiting") : S("ready");
	r.reason = change->waiting;
	return r;
}

static int call_handler(
	struct call *c, const struct resource_handler *h, const struct plan_change *change, struct resource *r)
{
	json_t *outputs = NULL;
	int rc = 0;
	bool makes = change->action == PLAN_CREATE || change->action == PLAN_REPLACE;
	if (change->action == PLAN_REPLACE && h->delete)
		rc = h->delete (c, h->ctx, change->recorded);
	if (rc == 0 && makes && h->create && !change->waiting.n)
		rc = h->create(c, h->ctx, r, &outputs, &r->cloud_id);
	else if (rc == 0 && change->action == PLAN_UPDATE && h->update)
		rc = h->update(c, h->ctx, r, change->recorded->resolved, &outputs);
	if (outputs)
		r->outputs = json_in_arena(c->arena, outputs);
	return rc;
}

static int put_record(struct call *c, const struct applier *p, struct resource *r)
{
	struct resource stored;
	int rc = resource_get(c, p->apply->env->state, r->address, &stored);
	if (rc == ERR_NOT_FOUND)
		err_clear(&c->err);
	else if (rc < 0)
		return rc;
	else
		r->revision = stored.revision; // an act repeated after a kill finds what it wrote
	return resource_put(c, p->apply->env->state, r);
}

// The record of a failed creation keeps the plan of the next apply honest: something may be there.
static void put_failed(struct call *c, const struct applier *p, struct resource *r)
{
	struct err why = c->err;
	r->status = S("failed");
	r->reason = arena_str(c->arena, str_of(why.message));
	err_clear(&c->err);
	if (put_record(c, p, r) == 0)
		c->err = why;
}

// Written before the provider is asked, so that what a kill leaves there has a record: the next plan makes it again or
// deletes it.
static int put_creating(struct call *c, const struct applier *p, const struct resource *r)
{
	struct resource creating = *r;
	creating.status = S("creating");
	return put_record(c, p, &creating);
}

static int act_write(struct call *c, const struct applier *p, const struct plan_change *change, struct str name)
{
	const struct resource_handler *h = infra_handler(p->apply->env, change->desired->kind);
	struct resource r = new_record(c, change, name);
	int rc = 0;
	if (h && h->create && change->action == PLAN_CREATE && !change->waiting.n)
		rc = put_creating(c, p, &r);
	if (rc < 0)
		return rc;
	rc = h ? call_handler(c, h, change, &r) : 0;
	if (rc == 0)
		return put_record(c, p, &r);
	if (change->action != PLAN_UPDATE)
		put_failed(c, p, &r);
	return c->err.code;
}

static int act_delete(struct call *c, const struct applier *p, const struct plan_change *change)
{
	const struct resource_handler *h = infra_handler(p->apply->env, change->recorded->kind);
	int rc = h && h->delete ? h->delete (c, h->ctx, change->recorded) : 0;
	struct resource stored;
	if (rc == 0)
		rc = resource_get(c, p->apply->env->state, change->address, &stored);
	if (rc == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	return rc < 0 ? rc : resource_delete(c, p->apply->env->state, &stored);
}

static void finish(struct applier *p, size_t index, const struct err *e, double seconds)
{
	const struct plan_change *change = &p->apply->plan->changes[index];
	pthread_mutex_lock(&p->lock);
	p->states[index] = e->code ? FAILED : DONE;
	p->errors[index] = e->code ? arena_str(&p->arena, str_of(e->message)) : (struct str){0};
	p->codes[index] = e->code;
	p->finished++;
	applier_report(p, change,
		(struct apply_event){.state = e->code ? APPLY_FAILED : APPLY_DONE,
			.error = p->errors[index],
			.waiting = change->waiting,
			.seconds = seconds});
	pthread_mutex_unlock(&p->lock);
}

int applier_act(struct call *c, void *ctx, const struct action *action, json_t **output)
{
	struct applier *p = ctx;
	size_t index;
	const struct plan_change *change = applier_find(p, action->address, &index);
	if (!change || change->action == PLAN_NOTHING)
		return 0; // an act that a kill cut off, after its record was written: the plan finds nothing left to do
	int64_t start = call_mono_ns(c);
	pthread_mutex_lock(&p->lock);
	applier_report(p, change, (struct apply_event){.state = APPLY_STARTED});
	pthread_mutex_unlock(&p->lock);
	int rc = change->action == PLAN_DELETE ? act_delete(c, p, change) : act_write(c, p, change, action->name);
	if (rc < 0)
		call_context(c, "%s %.*s", plan_action_word(change->action), STR(change->address));
	if (rc != ERR_CANCELLED)
		finish(p, index, &c->err, (double)(call_mono_ns(c) - start) / 1e9);
	*output = rc < 0 ? NULL : json_object();
	return rc;
}

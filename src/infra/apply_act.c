// SPDX-License-Identifier: Apache-2.0
// One change of a plan, carried out: the kind's handler, then the record. Everything here may be done again after a
// kill.
#include "base/hash.h"
#include "base/time.h"
#include "infra/apply_impl.h"
#include "state/resource_common.h"

// Given at creation and never changed: version 4 of RFC 9562. It is recorded before anything is made, so that an act
// that is repeated after a kill finds it.
static struct str make_uid(struct call *c)
{
	unsigned char b[16];
	char hex[2 * sizeof(b) + 1];
	if (c->edges->random(c->edges->ctx, b, sizeof(b)) < 0)
		return (struct str){0};
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	hex_encode(str_bytes(b, sizeof(b)), hex);
	return arena_printf(c->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static bool is_new(const struct plan_change *change)
{
	return !change->recorded || change->action == PLAN_REPLACE;
}

static struct resource new_record(struct call *c, const struct plan_change *change)
{
	struct resource r = *change->desired;
	const struct resource *then = change->recorded;
	bool stays = then && change->action != PLAN_REPLACE && change->action != PLAN_CREATE;
	r.uid = is_new(change) ? make_uid(c) : then->uid;
	r.cloud_id = stays ? then->cloud_id : (struct str){0};
	r.outputs = stays ? then->outputs : NULL;
	r.revision = then && !change->moved_from.n ? then->revision : 0;
	r.status = change->waiting.n ? S("waiting") : S("ready");
	r.reason = change->waiting;
	r.before = change->action == PLAN_UPDATE ? then : NULL;
	r.reverts = change->reverts;
	r.resumed = then && (str_eq(then->status, S("creating")) || str_eq(then->status, S("failed")));
	return r;
}

// ---------------------------------------------------------------- what exists already
static struct str id_of(const json_t *outputs)
{
	struct str id = json_str(outputs, "id");
	return id.n ? id : json_str(outputs, "name");
}

static int read_existing(struct call *c, const struct resource_handler *h, struct resource *r, json_t **outputs)
{
	if (!h->read)
		return 0;
	int rc = h->read(c, h->ctx, r, outputs);
	if (rc == ERR_NOT_FOUND)
		return call_context(c, "`existing: %s`, but it is not there", resource_is_kept(r) ? "keep" : "adopt");
	if (rc == 0)
		r->cloud_id = arena_str(c->arena, id_of(*outputs));
	return rc;
}

static int check_owner(struct call *c, const json_t *outputs)
{
	const json_t *owner = json_object_get(outputs, "owner");
	if (!json_is_object(owner))
		return 0;
	return call_fail(c, ERR_DENIED, "it belongs to %s (%s): %s", json_text(owner, "by"), json_text(owner, "mark"),
		json_text(owner, "advice"));
}

static int adopt(struct call *c, const struct resource_handler *h, struct resource *r, json_t **outputs)
{
	int rc = read_existing(c, h, r, outputs);
	if (rc == 0)
		rc = check_owner(c, *outputs);
	if (rc < 0 || !h->update)
		return rc;
	json_decref(*outputs);
	*outputs = NULL;
	return h->update(c, h->ctx, r, NULL, outputs);
}

// ---------------------------------------------------------------- the handler
static int replace(struct call *c, const struct resource_handler *h, const struct plan_change *change,
	struct resource *r, json_t **outputs)
{
	int rc = h->delete ? h->delete (c, h->ctx, change->recorded) : 0;
	return rc == 0 && h->create && !change->waiting.n ? h->create(c, h->ctx, r, outputs, &r->cloud_id) : rc;
}

static int call_slot(struct call *c, const struct resource_handler *h, const struct plan_change *change,
	struct resource *r, json_t **outputs)
{
	bool waits = change->waiting.n > 0;
	switch (change->action) {
	case PLAN_CREATE:
		return h->create && !waits ? h->create(c, h->ctx, r, outputs, &r->cloud_id) : 0;
	case PLAN_REPLACE:
		return replace(c, h, change, r, outputs);
	case PLAN_UPDATE:
		return h->update && !waits ? h->update(c, h->ctx, r, change->recorded->resolved, outputs) : 0;
	case PLAN_USE:
		return waits ? 0 : read_existing(c, h, r, outputs);
	case PLAN_ADOPT:
		return waits ? 0 : adopt(c, h, r, outputs);
	case PLAN_REFRESH:
		*outputs = json_incref((json_t *)(uintptr_t)change->observed);
		return 0;
	case PLAN_NOTHING:
	case PLAN_MOVE:
	case PLAN_DELETE:
	case PLAN_FORGET:
	case PLAN_ACTIONS:
		break;
	}
	return 0;
}

static int call_handler(
	struct call *c, const struct resource_handler *h, const struct plan_change *change, struct resource *r)
{
	json_t *outputs = NULL;
	int rc = call_slot(c, h, change, r, &outputs);
	if (outputs)
		r->outputs = json_in_arena(c->arena, outputs);
	return rc;
}

// ---------------------------------------------------------------- records
static int put_record(struct call *c, const struct applier *p, struct resource *r)
{
	struct resource stored;
	if (p->apply->workspace)
		workspace_write_inputs(p->apply->workspace, c->arena, r);
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

// Under its new address first, with all that was recorded; what else changes comes after. Repeated after a kill, the
// old record is gone.
static int move_record(struct call *c, const struct applier *p, const struct plan_change *change)
{
	struct resource from;
	int rc = resource_get(c, p->apply->env->state, change->moved_from, &from);
	if (rc == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (rc < 0)
		return rc;
	struct resource to = from;
	to.address = change->address;
	return resource_move(c, p->apply->env->state, &from, &to);
}

// Of what is only used, or is gone: nothing at the provider is touched.
static int act_forget(struct call *c, const struct applier *p, const struct plan_change *change)
{
	struct resource stored;
	int rc = resource_get(c, p->apply->env->state, change->address, &stored);
	if (rc == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	return rc < 0 ? rc : resource_delete(c, p->apply->env->state, &stored);
}

// Somebody else's is there: nothing was made, and a record would make it look like ours at the next try.
static void forget_failed(struct call *c, const struct applier *p, const struct plan_change *change)
{
	struct err why = c->err;
	err_clear(&c->err);
	if (act_forget(c, p, change) == 0)
		c->err = why;
}

static int act_write(struct call *c, const struct applier *p, const struct plan_change *change)
{
	const struct resource_handler *h = infra_handler(p->apply->env, change->desired->kind);
	struct resource r = new_record(c, change);
	int rc = r.uid.n ? 0 : call_fail(c, ERR_IO, "the system gives no randomness");
	if (rc == 0 && change->moved_from.n)
		rc = move_record(c, p, change);
	if (rc == 0 && h && h->create && change->action == PLAN_CREATE && !change->waiting.n)
		rc = put_creating(c, p, &r);
	if (rc < 0)
		return rc;
	rc = h ? call_handler(c, h, change, &r) : 0;
	if (rc == 0)
		return put_record(c, p, &r);
	if (rc == ERR_EXISTS && change->action == PLAN_CREATE && !r.resumed)
		forget_failed(c, p, change);
	else if (change->action == PLAN_CREATE || change->action == PLAN_REPLACE)
		put_failed(c, p, &r);
	return c->err.code;
}

static int act_delete(struct call *c, const struct applier *p, const struct plan_change *change)
{
	const struct resource_handler *h = infra_handler(p->apply->env, change->recorded->kind);
	int rc = h && h->delete ? h->delete (c, h->ctx, change->recorded) : 0;
	return rc < 0 ? rc : act_forget(c, p, change);
}

static int carry_out(struct call *c, const struct applier *p, const struct plan_change *change)
{
	if (change->action == PLAN_DELETE)
		return act_delete(c, p, change);
	return change->action == PLAN_FORGET ? act_forget(c, p, change) : act_write(c, p, change);
}

// ---------------------------------------------------------------- the act
static void finish(struct lane *l, size_t index, const struct err *e, double seconds)
{
	struct applier *p = l->applier;
	const struct plan_change *change = &p->apply->plan->changes[index];
	pthread_mutex_lock(&p->lock);
	p->states[index] = e->code ? FAILED : DONE;
	p->errors[index] = e->code ? arena_str(&p->arena, str_of(e->message)) : (struct str){0};
	p->codes[index] = e->code;
	p->finished++;
	if (l->cloud.n && !l->down.n && (e->code == ERR_TIMEOUT || e->code == ERR_UNAVAILABLE))
		l->down = p->errors[index];
	applier_report(p, change,
		(struct apply_event){.state = e->code ? APPLY_FAILED : APPLY_DONE,
			.error = p->errors[index],
			.waiting = change->waiting,
			.seconds = seconds});
	pthread_mutex_unlock(&p->lock);
}

// A cloud that did not answer one act is not asked for the others: each would wait as long.
static int start(struct call *c, struct lane *l, const struct plan_change *change)
{
	struct applier *p = l->applier;
	pthread_mutex_lock(&p->lock);
	struct str down = l->down.n ? arena_str(c->arena, l->down) : (struct str){0};
	if (!down.n)
		applier_report(p, change, (struct apply_event){.state = APPLY_STARTED});
	pthread_mutex_unlock(&p->lock);
	return down.n ? call_fail(c, ERR_UNAVAILABLE, "not tried, because the cloud does not answer: %.*s", STR(down)) : 0;
}

static bool is_over(struct applier *p, size_t index)
{
	pthread_mutex_lock(&p->lock);
	bool over = p->states[index] != PENDING;
	pthread_mutex_unlock(&p->lock);
	return over;
}

int applier_new_record(
	struct call *c, const struct applier *p, const struct plan_change *change, struct resource *out)
{
	*out = new_record(c, change);
	if (p->apply->workspace)
		workspace_write_inputs(p->apply->workspace, c->arena, out);
	return out->uid.n ? 0 : call_fail(c, ERR_IO, "the system gives no randomness");
}

int applier_act(struct call *c, void *lane, const struct action *action, json_t **output)
{
	struct lane *l = lane;
	struct call act;
	size_t index;
	const struct plan_change *change = applier_find(l->applier, action->address, &index);
	if (!change || is_over(l->applier, index))
		return 0; // an act that a kill cut off, after its record was written: the plan finds nothing left to do
	int64_t began = call_mono_ns(c);
	int64_t timeout_ns = l->applier->apply->act_timeout_ns;
	call_child(&act, c, c->arena, timeout_ns ? timeout_ns : ACT_TIMEOUT_S * NS_PER_S);
	int rc = start(&act, l, change);
	if (rc == 0)
		rc = carry_out(&act, l->applier, change);
	if (rc < 0)
		call_context(&act, "%s %.*s", plan_action_word(change->action), STR(change->address));
	if (rc != ERR_CANCELLED)
		finish(l, index, &act.err, (double)(call_mono_ns(c) - began) / 1e9);
	c->err = act.err;
	*output = rc < 0 ? NULL : json_object();
	return rc;
}

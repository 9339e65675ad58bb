// SPDX-License-Identifier: Apache-2.0
// The three-way diff. What is written (desired) against what was recorded at the last apply says what the user changed;
// what was recorded against what was observed says what changed outside. Only the first leads to changes, but for what
// is gone (it is made again) and what says `drift: revert`. This file puts the parts together.
#include "infra/plan.h"

#include "infra/plan_impl.h"
#include "infra/prepare.h"

// ---------------------------------------------------------------- what the parts share
struct plan_change *plan_add(struct plan *p, struct str address)
{
	struct plan_change *change = &p->changes[p->count++];
	change->address = address;
	return change;
}

void plan_count(struct plan *p, const struct plan_change *change)
{
	p->totals[change->action]++;
	p->waits += change->waiting.n > 0;
	p->refusals += change->refused.n > 0;
}

void plan_refuse(struct plan_change *change, int code, struct str why)
{
	if (change->refused.n)
		return;
	change->refused = why;
	change->refused_code = code;
}

const struct resource_handler *plan_handler(const struct plan_input *in, struct str kind)
{
	for (size_t i = 0; i < in->handler_count; i++) {
		if (is_named(in->handlers[i].kind, kind))
			return &in->handlers[i];
	}
	return NULL;
}

bool plan_protects(const struct plan_input *in, struct str kind)
{
	const struct resource_handler *h = in->protect ? plan_handler(in, kind) : NULL;
	return h && h->create;
}

// ---------------------------------------------------------------- overrides
static bool is_part_of(struct str path, struct str whole)
{
	return str_eq(path, whole) || (str_starts(path, whole) && path.p[whole.n] == '.');
}

static bool changes_field(const struct plan_change *change, struct str field)
{
	for (size_t i = 0; i < change->field_count; i++) {
		if (is_part_of(change->fields[i].path, field) || is_part_of(field, change->fields[i].path))
			return true;
	}
	return false;
}

static void refuse_overridden(struct plan_maker *m, const struct override *o)
{
	size_t place = address_find(&m->desired, o->address);
	struct plan_change *change = place ? &m->plan->changes[place - 1] : NULL;
	if (!change || (change->action != PLAN_UPDATE && change->action != PLAN_REPLACE))
		return;
	if (changes_field(change, o->field))
		plan_refuse(change, ERR_CONFLICT,
			arena_printf(m->arena,
				"the workspace changes %.*s, which %.*s overrides at run time (%.*s): end the override "
				"first with `isobar overrides end '%.*s' --field %.*s`",
				STR(o->field), STR(o->author), STR(o->reason), STR(o->address), STR(o->field)));
}

// ---------------------------------------------------------------- all
int plan_find_record(struct plan_maker *m, struct str address, size_t *place)
{
	const struct plan_input *in = m->in;
	int rc = m->recorded.slots ? 0
				   : address_index_make(m->arena, in->recorded, in->recorded_count,
					     sizeof(*in->recorded), &m->recorded);
	*place = rc == 0 ? address_find(&m->recorded, address) : ADDRESS_NONE;
	return rc;
}

static int make_indexes(struct plan_maker *m)
{
	const struct plan_input *in = m->in;
	struct arena *a = m->arena;
	int rc = 0;
	if (in->desired_index)
		m->desired = *in->desired_index;
	else
		rc = address_index_make(a, in->desired, in->desired_count, sizeof(*in->desired), &m->desired);
	if (rc == 0)
		rc = address_index_make(a, in->observed, in->observed_count, sizeof(*in->observed), &m->observed);
	if (rc == 0)
		rc = address_index_make(a, in->waiting, in->waiting_count, sizeof(*in->waiting), &m->waiting);
	return rc;
}

// Which record belongs to which desired resource: found once, since each look is a miss of the processor's cache.
static int make_pairs(struct plan_maker *m)
{
	const struct plan_input *in = m->in;
	bool given = in->desired_index && in->pairs;
	uint32_t *pairs = given ? NULL : arena_new_array(m->arena, in->recorded_count + 1, uint32_t);
	m->recorded_of = arena_new_array(m->arena, in->desired_count + 1, uint32_t);
	m->taken = arena_new_array(m->arena, in->recorded_count + 1, bool);
	if ((!given && !pairs) || !m->recorded_of || !m->taken)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < in->recorded_count; i++) {
		uint32_t place = given ? in->pairs[i] : (uint32_t)address_find(&m->desired, in->recorded[i].address);
		if (!given)
			pairs[i] = place;
		if (place)
			m->recorded_of[place - 1] = (uint32_t)i + 1;
		else
			m->unwanted++;
	}
	m->desired_of = given ? in->pairs : pairs;
	m->plan->changes = arena_new_array(m->arena, in->desired_count + m->unwanted + 1, struct plan_change);
	return m->plan->changes ? 0 : ERR_NO_MEMORY;
}

int plan_make(const struct plan_input *in, struct arena *a, struct plan *out, struct err *e)
{
	struct plan plan = {.overrides = in->overrides,
		.override_count = in->override_count,
		.refresh_only = in->refresh_only};
	struct plan_maker m = {.in = in, .arena = a, .plan = &plan};
	int rc = make_indexes(&m);
	if (rc == 0)
		rc = make_pairs(&m);
	if (rc < 0)
		return err_set(e, rc, "out of memory");
	for (size_t i = 0; rc == 0 && i < in->desired_count; i++) {
		struct plan_change *change = plan_add(&plan, in->desired[i].address);
		change->desired = &in->desired[i];
		rc = plan_decide(&m, change, e);
	}
	for (size_t i = 0; rc == 0 && i < in->override_count; i++)
		refuse_overridden(&m, &in->overrides[i]);
	for (size_t i = 0; rc == 0 && i < plan.count; i++)
		plan_count(&plan, &plan.changes[i]);
	if (rc == 0)
		rc = plan_add_deletes(&m, e);
	if (rc == 0)
		rc = plan_make_digest(&plan, e);
	if (rc == 0)
		*out = plan;
	return rc;
}

bool plan_is_empty(const struct plan *p)
{
	size_t total = 0;
	for (size_t i = PLAN_NOTHING + 1; i < PLAN_ACTIONS; i++)
		total += p->totals[i];
	return total == 0;
}

int plan_check_refusals(const struct plan *p, struct err *e)
{
	for (size_t i = 0; p->refusals && i < p->count; i++) {
		const struct plan_change *c = &p->changes[i];
		if (!c->refused.n)
			continue;
		int rc = err_set(e, c->refused_code, "%.*s: %.*s", STR(c->address), STR(c->refused));
		return p->refusals == 1 ? rc
					: err_context(e, "%zu changes are refused, so nothing is done; the first",
						  p->refusals);
	}
	return 0;
}

const char *plan_action_word(enum plan_action action)
{
	static const char *const words[] = {
		[PLAN_NOTHING] = "nothing",
		[PLAN_CREATE] = "create",
		[PLAN_UPDATE] = "update",
		[PLAN_REPLACE] = "replace",
		[PLAN_DELETE] = "delete",
		[PLAN_USE] = "use",
		[PLAN_ADOPT] = "adopt",
		[PLAN_MOVE] = "move",
		[PLAN_FORGET] = "forget",
		[PLAN_REFRESH] = "refresh",
		[PLAN_ACTIONS] = "",
	};
	return words[action];
}

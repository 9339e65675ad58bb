// SPDX-License-Identifier: Apache-2.0
// What is to be done about one resource that is declared.
#include <string.h>

#include "infra/plan_impl.h"
#include "state/resource_common.h"

static const struct plan_observed *find_observed(const struct plan_maker *m, struct str address)
{
	size_t place = address_find(&m->observed, address);
	return place ? &m->in->observed[place - 1] : NULL;
}

// Of a record that moves here, what was seen goes by its old address.
static const struct plan_observed *seen_of(const struct plan_maker *m, const struct plan_change *change)
{
	return find_observed(m, change->moved_from.n ? change->moved_from : change->address);
}

// ---------------------------------------------------------------- its record
static int find_recorded(struct plan_maker *m, struct plan_change *change, struct err *e)
{
	const struct plan_input *in = m->in;
	struct str from = change->desired->moved_from;
	size_t here = m->recorded_of[change - m->plan->changes], there = ADDRESS_NONE;
	if (from.n && plan_find_record(m, from, &there) < 0)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (here && there && !address_find(&m->desired, from))
		return err_set(e, ERR_INVALID,
			"moved: both %.*s and %.*s have records, so one cannot become the other: delete one of them "
			"first, or drop the entry of `moved:`",
			STR(from), STR(change->address));
	if (here) {
		change->recorded = &in->recorded[here - 1];
	} else if (there && !m->taken[there - 1]) {
		change->recorded = &in->recorded[there - 1];
		change->moved_from = from;
		m->taken[there - 1] = true;
	}
	return 0;
}

static struct str find_waiting(const struct plan_maker *m, const struct plan_change *change)
{
	if (change->desired->waits_for.n)
		return arena_printf(m->arena, "waiting on a later release: %.*s", STR(change->desired->waits_for));
	size_t place = address_find(&m->waiting, change->address);
	return place ? m->in->waiting[place - 1].reason : (struct str){0};
}

// ---------------------------------------------------------------- fields
static int append(struct arena *a, struct plan_change *change, const struct plan_diff *more)
{
	if (!more->count)
		return 0;
	struct plan_field *all = arena_new_array(a, change->field_count + more->count, struct plan_field);
	if (!all)
		return ERR_NO_MEMORY;
	if (change->field_count)
		memcpy(all, change->fields, change->field_count * sizeof(*all));
	memcpy(all + change->field_count, more->fields, more->count * sizeof(*all));
	change->fields = all;
	change->field_count += more->count;
	return 0;
}

static int diff_inputs(const struct plan_maker *m, struct plan_change *change)
{
	const struct resource *now = change->desired, *then = change->recorded;
	const struct resource_handler *h = plan_handler(m->in, now->kind);
	struct plan_diff d;
	json_t *nothing = NULL;
	if (then && then->light) // left out because it is the same
		return 0;
	if (!then && !(nothing = json_in_arena(m->arena, json_object())))
		return ERR_NO_MEMORY;
	int rc = plan_diff_values(m->arena, h ? h->kind : NULL, then ? then->resolved : nothing, now->resolved, &d);
	for (size_t i = 0; rc == 0 && i < d.count && (!h || !h->create); i++)
		d.fields[i].replaces = false; // only recorded: there is nothing to replace
	if (rc == 0)
		rc = append(m->arena, change, &d);
	if (rc < 0 || resource_common_equal(then ? then->common : NULL, now->common))
		return rc;
	json_t *before = resource_common_to_json(m->arena, then ? then->common : NULL);
	json_t *after = resource_common_to_json(m->arena, now->common);
	if (!before || !after)
		return ERR_NO_MEMORY;
	rc = plan_diff_values(m->arena, NULL, before, after, &d);
	return rc < 0 ? rc : append(m->arena, change, &d);
}

// A provider (or a driver of a newer release) that reports more than it did has changed nothing.
static void drop_news(struct plan_diff *d)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->count; i++) {
		if (d->fields[i].before || str_find_char(d->fields[i].path, '.') >= 0)
			d->fields[kept++] = d->fields[i];
	}
	d->count = kept;
}

static struct str note_unseen(const struct plan_maker *m, const struct plan_observed *seen, const char *then)
{
	if (seen->why.n)
		return arena_printf(m->arena, "its cloud let nobody look%s: %.*s", then, STR(seen->why));
	return arena_printf(m->arena, "its cloud did not answer%s", then);
}

static int diff_drift(const struct plan_maker *m, struct plan_change *change)
{
	const struct plan_observed *seen = seen_of(m, change);
	change->observed = seen ? seen->outputs : NULL;
	change->unseen = seen && seen->unseen;
	if (!change->recorded || !seen || seen->gone || !seen->outputs || !change->recorded->outputs)
		return 0;
	struct plan_diff d;
	int rc = plan_diff_values(m->arena, NULL, change->recorded->outputs, seen->outputs, &d);
	drop_news(&d);
	change->drift = d.fields;
	change->drift_count = d.count;
	return rc;
}

// ---------------------------------------------------------------- existing: keep
// Never in a diff: its record follows what is written, and the plan says so once.
static void decide_kept(struct plan_change *change)
{
	const struct resource *then = change->recorded;
	bool waits = change->waiting.n > 0;
	bool same = then && !change->field_count && (waits ? str_eq(then->status, S("waiting")) : str_eq(then->status, S("ready")));
	change->drift_count = 0;
	change->field_count = 0;
	change->action = same ? PLAN_NOTHING : PLAN_USE;
	if (change->action == PLAN_USE && then && !resource_is_kept(then))
		change->note = S("it stays as it is, and is no longer Isobar's");
}

// ---------------------------------------------------------------- existing: adopt
static bool is_foreign(const struct plan_maker *m, struct plan_change *change)
{
	const json_t *owner = json_object_get(change->observed, "owner");
	if (!json_is_object(owner))
		return false;
	plan_refuse(change, ERR_DENIED,
		arena_printf(m->arena, "it belongs to %s (%s): %s, or take it over with `isobar adopt '%.*s' ID --from '%s'`",
			json_text(owner, "by"), json_text(owner, "mark"), json_text(owner, "advice"), STR(change->address),
			json_text(owner, "by")));
	return true;
}

// What the provider reports of it in the words of the inputs, against what is written.
static int diff_adopted(const struct plan_maker *m, struct plan_change *change)
{
	const struct resource_handler *h = plan_handler(m->in, change->desired->kind);
	const json_t *settings = json_object_get(change->observed, "settings");
	json_t *wanted = json_in_arena(m->arena, json_object()), *common = NULL;
	json_t *before = json_in_arena(m->arena, json_object());
	common = resource_common_to_json(m->arena, change->desired->common);
	if (!wanted || !common || !before)
		return ERR_NO_MEMORY;
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)settings, name, value)
	{
		json_t *mine = json_object_get(common, name);
		if (!mine)
			mine = json_object_get(change->desired->resolved, name);
		if (!mine)
			continue;
		json_object_set(wanted, name, mine);
		json_object_set(before, name, value);
	}
	struct plan_diff d;
	int rc = plan_diff_values(m->arena, h->kind, before, wanted, &d);
	change->fields = d.fields;
	change->field_count = d.count;
	for (size_t i = 0; rc == 0 && i < d.count; i++) {
		if (!d.fields[i].after && str_starts(d.fields[i].path, S("labels")))
			d.fields[i].after = d.fields[i].before; // labels of others stay
		if (d.fields[i].replaces)
			plan_refuse(change, ERR_CONFLICT,
				arena_printf(m->arena,
					"adopting it would replace it, because %.*s cannot be changed in place: write %.*s as it is",
					STR(d.fields[i].path), STR(d.fields[i].path)));
	}
	return rc;
}

// Labels that others put there and that we do not declare are left alone, so they are no change.
static void drop_unchanged(struct plan_change *change)
{
	size_t kept = 0;
	for (size_t i = 0; i < change->field_count; i++) {
		if (change->fields[i].before != change->fields[i].after)
			change->fields[kept++] = change->fields[i];
	}
	change->field_count = kept;
}

static int decide_adopted(const struct plan_maker *m, struct plan_change *change)
{
	const struct plan_observed *seen = seen_of(m, change);
	change->action = PLAN_ADOPT;
	change->field_count = 0;
	if (change->waiting.n)
		return 0;
	if (seen && seen->gone) {
		plan_refuse(change, ERR_NOT_FOUND,
			S("`existing: adopt`, but it is not there: write its `name:` as the provider knows it, or "
			  "drop `existing:` to have it made"));
		return 0;
	}
	if (!seen || seen->unseen || !change->observed) {
		change->note = S("its cloud was not asked yet; apply looks at it first");
		return 0;
	}
	if (is_foreign(m, change))
		return 0;
	int rc = diff_adopted(m, change);
	drop_unchanged(change);
	return rc;
}

// ---------------------------------------------------------------- what is recorded
static enum plan_action action_of_fields(const struct plan_change *change)
{
	for (size_t i = 0; i < change->field_count; i++) {
		if (change->fields[i].replaces)
			return PLAN_REPLACE;
	}
	return change->field_count ? PLAN_UPDATE : PLAN_NOTHING;
}

static void check_replace(const struct plan_maker *m, struct plan_change *change)
{
	struct str path = {0};
	for (size_t i = change->field_count; i-- > 0;) {
		if (change->fields[i].replaces)
			path = change->fields[i].path;
	}
	const char *why = resource_is_protected(change->desired) ? "it is protected"
			  : resource_is_adopted(change->desired) ? "it was adopted, not made by Isobar"
			  : plan_protects(m->in, change->desired->kind) ? "its environment is protected"
									: NULL;
	if (why)
		plan_refuse(change, ERR_DENIED,
			arena_printf(m->arena,
				"%s, and changing %.*s would delete it and make another: keep %.*s as it was%s", why,
				STR(path), STR(path),
				resource_is_protected(change->desired) ? ", or write `protect: false`" : ""));
}

// Only what update can write is reverted; the rest of a drift is reported.
static void decide_revert(const struct plan_maker *m, struct plan_change *change)
{
	const struct resource_handler *h = plan_handler(m->in, change->desired->kind);
	if (!resource_reverts_drift(change->desired) || !h || !h->update ||
		(change->action != PLAN_NOTHING && change->action != PLAN_UPDATE))
		return;
	for (size_t i = 0; i < change->drift_count; i++) {
		if (!str_starts(change->drift[i].path, S("settings")))
			continue;
		change->action = PLAN_UPDATE;
		change->reverts = true;
		change->note = S("it was changed outside of Isobar, and `drift: revert` undoes that");
	}
}

static void decide_moved(const struct plan_maker *m, struct plan_change *change)
{
	if (!change->moved_from.n)
		return;
	if (change->action == PLAN_NOTHING)
		change->action = PLAN_MOVE;
	if (!change->note.n)
		change->note = arena_printf(m->arena, "from %.*s", STR(change->moved_from));
}

static void decide_recorded(const struct plan_maker *m, struct plan_change *change)
{
	const struct resource *r = change->recorded;
	const struct plan_observed *seen = seen_of(m, change);
	const struct resource_handler *h = plan_handler(m->in, r->kind);
	if (str_eq(r->status, S("failed")) || str_eq(r->status, S("creating"))) {
		change->action = PLAN_CREATE;
		change->note = str_eq(r->status, S("creating"))
				       ? S("the last apply did not finish it")
				       : arena_printf(m->arena, "the last apply failed: %.*s", STR(r->reason));
	} else if (seen && seen->gone) {
		change->action = PLAN_CREATE;
		change->note = S("was deleted outside of Isobar");
	} else if (str_eq(r->status, S("waiting")) && !change->waiting.n && h && h->create) {
		change->action = PLAN_CREATE;
		change->note = S("waits no longer");
	} else {
		change->action = action_of_fields(change);
		if (seen && seen->unseen)
			change->note = note_unseen(m, seen, ", so the plan goes by the record");
	}
	if (change->action == PLAN_REPLACE)
		check_replace(m, change);
	decide_revert(m, change);
	decide_moved(m, change);
}

// ---------------------------------------------------------------- refresh only
static void decide_refresh(const struct plan_maker *m, struct plan_change *change)
{
	const struct plan_observed *seen = seen_of(m, change);
	bool kept = resource_is_kept(change->desired);
	change->field_count = 0;
	change->waiting = (struct str){0};
	if (kept)
		change->drift_count = 0;
	if (!change->recorded || !seen)
		return;
	if (seen->unseen) {
		change->note = note_unseen(m, seen, "");
	} else if (seen->gone && !kept) {
		change->action = PLAN_FORGET;
		change->note = S("was deleted outside of Isobar");
	} else if (change->drift_count && !kept) {
		change->action = PLAN_REFRESH;
	}
}

// ---------------------------------------------------------------- all
static bool is_made(const struct plan_maker *m, const struct resource *r)
{
	const struct resource_handler *h = plan_handler(m->in, r->kind);
	return h && h->create && h->read;
}

int plan_decide(struct plan_maker *m, struct plan_change *change, struct err *e)
{
	int rc = find_recorded(m, change, e);
	if (rc < 0)
		return rc;
	change->waiting = find_waiting(m, change);
	rc = diff_inputs(m, change);
	if (rc == 0)
		rc = diff_drift(m, change);
	if (rc < 0)
		return err_set(e, rc, "out of memory");
	if (m->in->refresh_only)
		decide_refresh(m, change);
	else if (resource_is_kept(change->desired))
		decide_kept(change);
	else if (!change->recorded && resource_is_adopted(change->desired) && is_made(m, change->desired))
		rc = decide_adopted(m, change);
	else if (!change->recorded)
		change->action = PLAN_CREATE;
	else
		decide_recorded(m, change);
	return rc < 0 ? err_set(e, rc, "out of memory") : 0;
}

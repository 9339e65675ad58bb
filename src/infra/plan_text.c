// SPDX-License-Identifier: Apache-2.0
// A plan as people read it, in Terraform's manner: + creates, ~ changes in place, -/+ replaces, - deletes.
#include "base/time.h"
#include "infra/plan.h"

struct writer {
	struct buf *out;
	bool color;
};

struct look {
	const char *mark, *color, *says;
};
static const struct look looks[] = {
	[PLAN_NOTHING] = {"   ", "", ""},
	[PLAN_CREATE] = {"  +", "\033[32m", "will be created"},
	[PLAN_UPDATE] = {"  ~", "\033[33m", "will be changed in place"},
	[PLAN_REPLACE] = {"-/+", "\033[31m", "must be replaced"},
	[PLAN_DELETE] = {"  -", "\033[31m", "will be deleted"},
	[PLAN_USE] = {" <=", "\033[36m", "will be used and stays as it is"},
	[PLAN_ADOPT] = {"  >", "\033[33m", "will be adopted"},
	[PLAN_MOVE] = {" ->", "\033[36m", "has another address"},
	[PLAN_FORGET] = {"  .", "\033[31m", "will be forgotten"},
	[PLAN_REFRESH] = {"  r", "\033[36m", "will be recorded as it is"},
	[PLAN_ACTIONS] = {"   ", "", ""},
};

static void write_mark(const struct writer *w, enum plan_action action)
{
	const struct look *look = &looks[action];
	if (w->color)
		buf_printf(w->out, "%s%s\033[0m ", look->color, look->mark);
	else
		buf_printf(w->out, "%s ", look->mark);
}

static void write_value(const struct writer *w, const json_t *value)
{
	if (!value) {
		buf_add(w->out, S("(absent)"));
		return;
	}
	if (json_write(value, w->out, NULL) < 0)
		buf_add(w->out, S("?"));
}

static size_t widest(const struct plan_field *fields, size_t count)
{
	size_t width = 0;
	for (size_t i = 0; i < count; i++)
		width = MAX(width, fields[i].path.n);
	return MIN(width, (size_t)40);
}

static void write_fields(const struct writer *w, const struct plan_field *fields, size_t count, enum plan_action action)
{
	int width = (int)widest(fields, count);
	for (size_t i = 0; i < count; i++) {
		const struct plan_field *f = &fields[i];
		bool added = action == PLAN_CREATE;
		enum plan_action mark = added || !f->before ? PLAN_CREATE : !f->after ? PLAN_DELETE : PLAN_UPDATE;
		buf_add(w->out, S("    "));
		write_mark(w, mark);
		buf_printf(w->out, "%-*.*s = ", width, STR(f->path));
		if (!added) {
			write_value(w, f->before);
			buf_add(w->out, S(" -> "));
		}
		write_value(w, f->after);
		buf_add(w->out, f->replaces && action == PLAN_REPLACE ? S("  # forces replacement\n") : S("\n"));
	}
}

// What was seen becomes what is recorded (refresh), or the other way round (revert).
static void write_reverted(const struct writer *w, const struct plan_change *c)
{
	for (size_t i = 0; i < c->drift_count; i++) {
		struct plan_field f = c->drift[i];
		if (c->reverts && !str_starts(f.path, S("settings")))
			continue;
		if (c->reverts)
			f = (struct plan_field){.path = f.path, .before = f.after, .after = f.before};
		write_fields(w, &f, 1, PLAN_UPDATE);
	}
}

static void write_change(const struct writer *w, const struct plan_change *c)
{
	buf_printf(w->out, "  # %.*s %s", STR(c->address), looks[c->action].says);
	if (c->note.n)
		buf_printf(w->out, ": %.*s", STR(c->note));
	buf_add_char(w->out, '\n');
	write_mark(w, c->action);
	buf_printf(w->out, "%.*s\n", STR(c->address));
	if (c->action == PLAN_CREATE && !c->field_count)
		return;
	write_fields(w, c->fields, c->field_count, c->action);
	if (c->reverts || c->action == PLAN_REFRESH)
		write_reverted(w, c);
	buf_add_char(w->out, '\n');
}

// "<=" as Terraform marks what is read when it is there.
static void write_wait(const struct writer *w, const struct plan_change *c)
{
	bool later = c->desired && c->desired->waits_for.n;
	buf_printf(w->out, later ? "  %.*s <= %.*s\n" : "  %.*s: %.*s\n", STR(c->address), STR(c->waiting));
}

// Names, not every resource: a field that a later release acts on is recorded until then.
static void write_later(const struct writer *w, const struct plan *p)
{
	bool head = false;
	for (size_t i = 0; i < p->count; i++) {
		const struct resource *r = p->changes[i].desired;
		if (!r || !r->later.n || p->changes[i].action == PLAN_NOTHING)
			continue;
		if (!head)
			buf_add(w->out, S("Recorded, and acted on by a later release:\n"));
		head = true;
		buf_printf(w->out, "  %.*s: %.*s\n", STR(r->address), STR(r->later));
	}
	if (head)
		buf_add_char(w->out, '\n');
}

static void write_refused(const struct writer *w, const struct plan *p)
{
	if (!p->refusals)
		return;
	buf_add(w->out, S("Refused (apply does nothing until this is settled):\n"));
	for (size_t i = 0; i < p->count; i++) {
		if (p->changes[i].refused.n)
			buf_printf(w->out, "  %.*s: %.*s\n", STR(p->changes[i].address), STR(p->changes[i].refused));
	}
	buf_add_char(w->out, '\n');
}

static void write_waiting(const struct writer *w, const struct plan *p)
{
	if (!p->waits)
		return;
	buf_add(w->out, S("Waiting (recorded, but nothing is made and nothing costs until then):\n"));
	for (size_t i = 0; i < p->count; i++) {
		if (p->changes[i].waiting.n)
			write_wait(w, &p->changes[i]);
	}
	buf_add_char(w->out, '\n');
}

static void write_drift(const struct writer *w, const struct plan *p)
{
	bool head = false;
	for (size_t i = 0; i < p->count; i++) {
		const struct plan_change *c = &p->changes[i];
		if (!c->drift_count || c->reverts || c->action == PLAN_REFRESH)
			continue;
		if (!head)
			buf_add(w->out, S("Changed outside of Isobar (not reverted):\n"));
		head = true;
		buf_printf(w->out, "  %.*s\n", STR(c->address));
		write_fields(w, c->drift, c->drift_count, PLAN_UPDATE);
	}
	if (head)
		buf_add_char(w->out, '\n');
}

static void write_notes(const struct writer *w, const struct plan *p)
{
	bool head = false;
	for (size_t i = 0; i < p->count; i++) {
		const struct plan_change *c = &p->changes[i];
		if (c->action != PLAN_NOTHING || !c->note.n)
			continue;
		if (!head)
			buf_add(w->out, S("Not looked at:\n"));
		head = true;
		buf_printf(w->out, "  %.*s: %.*s\n", STR(c->address), STR(c->note));
	}
	if (head)
		buf_add_char(w->out, '\n');
}

static void write_overrides(const struct writer *w, const struct plan *p)
{
	if (!p->override_count)
		return;
	buf_add(w->out, S("Overrides in force (apply does not undo them; see `isobar overrides`):\n"));
	for (size_t i = 0; i < p->override_count; i++) {
		const struct override *o = &p->overrides[i];
		buf_printf(w->out, "  %.*s: %.*s = ", STR(o->address), STR(o->field));
		write_value(w, o->value);
		char expires[TIME_TEXT_SIZE];
		time_rfc3339(o->expires_ns, 0, expires);
		buf_printf(w->out, " by %.*s: %.*s%s%s\n", STR(o->author), STR(o->reason),
			o->expires_ns ? ", until " : "", o->expires_ns ? expires : "");
	}
	buf_add_char(w->out, '\n');
}

static void write_summary(const struct writer *w, const struct plan *p)
{
	static const struct {
		enum plan_action action;
		const char *says;
	} rest[] = {{PLAN_ADOPT, "to adopt"}, {PLAN_USE, "to use"}, {PLAN_MOVE, "to move"}, {PLAN_FORGET, "to forget"},
		{PLAN_REFRESH, "to record"}};
	if (plan_is_empty(p)) {
		buf_add(w->out, p->refresh_only ? S("No changes. Nothing was changed outside of Isobar.\n")
						: S("No changes. What is declared is what is there.\n"));
		return;
	}
	if (p->refresh_only)
		buf_add(w->out, S("Plan of records only, nothing is changed"));
	else
		buf_printf(w->out, "Plan: %zu to create, %zu to change, %zu to replace, %zu to delete",
			p->totals[PLAN_CREATE], p->totals[PLAN_UPDATE], p->totals[PLAN_REPLACE],
			p->totals[PLAN_DELETE]);
	for (size_t i = 0; i < COUNT_OF(rest); i++) {
		if (p->totals[rest[i].action])
			buf_printf(w->out, ", %zu %s", p->totals[rest[i].action], rest[i].says);
	}
	buf_add(w->out, S(".\n"));
}

void plan_write(const struct plan *p, bool color, struct buf *out)
{
	struct writer w = {.out = out, .color = color};
	for (size_t i = 0; i < p->count; i++) {
		if (p->changes[i].action != PLAN_NOTHING)
			write_change(&w, &p->changes[i]);
	}
	write_notes(&w, p);
	write_drift(&w, p);
	write_waiting(&w, p);
	write_later(&w, p);
	write_overrides(&w, p);
	write_refused(&w, p);
	write_summary(&w, p);
}

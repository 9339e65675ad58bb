// SPDX-License-Identifier: Apache-2.0
// Plain text about kinds and fields: see kind_explain.h. The manual in Markdown stands in kind_reference.c.
#include "base/kind_explain.h"

#include <string.h>

#include "base/kind_impl.h"

static void write_lines(const char *text, const char *indent, struct buf *out)
{
	struct str rest = str_of(text), line;
	while (str_next(&rest, '\n', &line))
		if (line.n || rest.p)
			buf_printf(out, "%s%.*s\n", line.n ? indent : "", STR(line));
}

static void list_kinds(const struct kind *const *kinds, struct buf *out)
{
	size_t widest = 0;
	for (const struct kind *const *k = kinds; *k; k++)
		widest = MAX(widest, strlen((*k)->plural));
	for (; *kinds; kinds++)
		buf_printf(out, "%-*s  %s\n", (int)widest, (*kinds)->plural, (*kinds)->help);
}

// "name       type, required" or "name  type, default 5", and the help below.
static void list_field(const struct field *field, int width, struct buf *out)
{
	buf_printf(out, "  %-*s  ", width, field->name);
	kind_type_words(field, out);
	if (field->flags & FIELD_REQUIRED)
		buf_add(out, S(", required"));
	if (field->otherwise)
		buf_printf(out, ", default %s", field->otherwise);
	if (field->flags & (FIELD_LATER | FIELD_WAITS))
		buf_add(out, S(", a later release"));
	buf_printf(out, "\n  %*s  %s\n", width, "", field->help);
}

static void list_fields(const struct kind *k, struct buf *out)
{
	size_t widest = 0;
	for (size_t i = 0; i < k->field_count; i++)
		if (kind_is_written(&k->fields[i]))
			widest = MAX(widest, strlen(k->fields[i].name));
	for (size_t i = 0; i < k->field_count; i++)
		if (kind_is_written(&k->fields[i]))
			list_field(&k->fields[i], (int)widest, out);
}

static void list_common(struct buf *out)
{
	const struct kind *k = &resource_common_kind;
	buf_add(out, S("\nAs every resource it also takes: "));
	for (size_t i = 0; i < k->field_count; i++)
		buf_printf(out, "%s%s", i ? ", " : "", k->fields[i].name);
	buf_add_char(out, '\n');
}

// The table of a whole file has no plural.
static const char *kind_title(const struct kind *k)
{
	return k->plural ? k->plural : k->singular;
}

static void explain_kind(const struct kind *k, struct buf *out)
{
	if (k->plural)
		buf_printf(out, "%s   (%s%s/%s)\n\n    %s\n", k->plural, k->single ? "" : "one of them: ", k->singular,
			k->single ? "workspace" : "NAME", k->help);
	else
		buf_printf(out, "%s   (a file of its own)\n\n    %s\n", k->singular, k->help);
	if (k->waits)
		buf_add(out, S("    It is read and recorded, and waits for a later release that acts on it.\n"));
	buf_add(out, S("\nFields:\n"));
	list_fields(k, out);
	if (k->plural && !k->no_resource)
		list_common(out);
	if (k->example) {
		buf_add(out, S("\nExample:\n"));
		write_lines(k->example, "    ", out);
	}
	buf_printf(out, "\nisobar explain %s.FIELD says more about one.\n", kind_title(k));
}

static void explain_changes(const struct kind *k, const struct field *field, struct buf *out)
{
	if (!k->plural) // of a file that nobody applies
		return;
	bool in_place = field->flags & FIELD_IN_PLACE;
	buf_add(out, S("  change:       "));
	if (in_place)
		buf_add(out, S("in place\n"));
	else
		buf_printf(out, "replaces the %s\n", k->singular);
	bool person = field->flags & FIELD_BY_OPERATOR, monitor = field->flags & FIELD_BY_MONITOR;
	buf_printf(out, "  at run time:  %s%s%s\n", person ? "by an operator's command" : "",
		person && monitor ? ", " : "",
		monitor  ? "by a monitor"
		: person ? ""
			 : "by nobody");
}

// Which values are acted on already, when some are.
static void explain_acts(const struct field *field, struct buf *out)
{
	if (field->acts)
		buf_add(out, S("; this one acts on "));
	for (const char *const *value = field->acts; value && *value; value++)
		buf_printf(out, "%s%s", value == field->acts ? "" : ", ", *value);
}

static void explain_later(const struct field *field, struct buf *out)
{
	if (!(field->flags & (FIELD_LATER | FIELD_WAITS)))
		return;
	buf_add(out, S("  this release: "));
	buf_add(out, field->flags & FIELD_WAITS ? S("what is written here makes it wait for a later release")
						: S("what is written here is recorded, and a later release acts on it"));
	explain_acts(field, out);
	buf_add_char(out, '\n');
}

static void explain_field(const struct kind *k, const struct field *field, struct str path, struct buf *out)
{
	buf_printf(out, "%.*s\n\n    %s\n\n  write:        ", STR(path), field->help);
	kind_expected(field, out);
	buf_add_char(out, '\n');
	if (field->flags & FIELD_REQUIRED)
		buf_add(out, S("  default:      none: it is required\n"));
	else if (kind_is_block(field->type))
		buf_add(out, S("  default:      none: it may be left out\n"));
	else
		buf_printf(
			out, "  default:      %s\n", field->otherwise ? field->otherwise : "none: it may be left out");
	if (field->unit)
		buf_printf(out, "  unit:         %s\n", field->unit);
	explain_changes(k, field, out);
	explain_later(field, out);
	if (field->flags & FIELD_SECRET)
		buf_add(out,
			S("  secret:       only its name stands here; the operator's file says where it comes from\n"));
	if (kind_is_block(field->type)) {
		buf_add(out, S("\nFields:\n"));
		list_fields(field->block, out);
	}
	if (k->example) {
		buf_add(out, S("\nExample:\n"));
		write_lines(k->example, "    ", out);
	}
}

static struct str field_name_at(const void *ctx, size_t i)
{
	const struct kind *k = ctx;
	return kind_is_written(&k->fields[i]) ? str_of(k->fields[i].name) : S("");
}

static struct str kind_name_at(const void *ctx, size_t i)
{
	const struct kind *const *kinds = ctx;
	return str_of(kind_title(kinds[i]));
}

static int not_there(struct err *e, struct str what, struct str meant, const char *where)
{
	if (meant.n)
		return err_set(e, ERR_NOT_FOUND, "%s \"%.*s\"; did you mean \"%.*s\"?", where, STR(str_clip(what, 80)),
			STR(meant));
	return err_set(e, ERR_NOT_FOUND, "%s \"%.*s\"", where, STR(str_clip(what, 80)));
}

static struct str without_index(struct str part)
{
	ptrdiff_t bracket = str_find_char(part, '[');
	return bracket > 0 ? str_take(part, (size_t)bracket) : part;
}

// The field that the rest of a path leads to, and its path with the names of things left out.
static int follow(const struct kind *k, struct str rest, struct buf *path, const struct field **found, struct err *e)
{
	struct str part;
	bool names = true; // a name of a thing may stand here, since the last step was a map of names
	const struct field *field = NULL;
	while (str_next(&rest, '.', &part)) {
		part = without_index(part);
		const struct field *next = k ? kind_field(k, part) : NULL; // those of every resource are among them
		if (!next && names && k && rest.p) {
			names = false;
			continue;
		}
		if (!next) {
			AUTO(buf) where = {0};
			buf_printf(&where, "%.*s has no field", STR(buf_str(path)));
			struct str meant = k ? str_closest(part, field_name_at, k, k->field_count) : S("");
			return not_there(e, part, meant, buf_cstr(&where));
		}
		field = next;
		buf_printf(path, ".%s", field->name);
		names = field->type == FIELD_NAMED;
		k = kind_is_block(field->type) ? field->block : NULL;
	}
	*found = field;
	return 0;
}

int kind_explain(const struct kind *const *kinds, struct str path, struct buf *out, struct err *e)
{
	struct str head, rest;
	size_t count = 0;
	if (path.n == 0) {
		list_kinds(kinds, out);
		return buf_check(out, e);
	}
	bool deeper = str_cut(path, '.', &head, &rest);
	const struct kind *k = kind_find(kinds, head);
	while (kinds[count])
		count++;
	struct str meant = k ? (struct str){0} : str_closest(head, kind_name_at, kinds, count);
	if (!k && !meant.n)
		return err_set(e, ERR_NOT_FOUND, "there is no kind \"%.*s\"; `isobar explain` lists them",
			STR(str_clip(head, 80)));
	if (!k)
		return not_there(e, head, meant, "there is no kind");
	if (!deeper) {
		explain_kind(k, out);
		return buf_check(out, e);
	}
	AUTO(buf) clean = {0};
	const struct field *field = NULL;
	buf_add(&clean, str_of(kind_title(k)));
	int rc = follow(k, rest, &clean, &field, e);
	if (rc == 0 && !field)
		return not_there(e, rest, S(""), "there is no field");
	if (rc == 0)
		explain_field(k, field, buf_str(&clean), out);
	return rc < 0 ? rc : buf_check(out, e);
}

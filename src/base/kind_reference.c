// SPDX-License-Identifier: Apache-2.0
// The manual of all kinds in Markdown: see kind_explain.h.
#include <string.h>

#include "base/kind_explain.h"
#include "base/kind_impl.h"

enum { MAX_BLOCKS = 16 }; // of blocks in blocks; kind_verify() refuses deeper tables

// '|' would end a cell of a table.
static void add_cell(struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '|')
			buf_add_char(out, '\\');
		buf_add_char(out, text.p[i]);
	}
}

static void add_default(const struct field *field, struct buf *out)
{
	if (field->flags & FIELD_REQUIRED) {
		buf_add(out, S("required"));
		return;
	}
	if (!field->otherwise)
		return;
	buf_add_char(out, '`');
	add_cell(str_of(field->otherwise), out);
	buf_add_char(out, '`');
}

static void add_change(const struct field *field, struct buf *out)
{
	buf_add(out, field->flags & FIELD_IN_PLACE ? S("in place") : S("replaces"));
	if (field->flags & FIELD_BY_OPERATOR)
		buf_add(out, S("; operator"));
	if (field->flags & FIELD_BY_MONITOR)
		buf_add(out, S("; monitor"));
	if (field->flags & FIELD_LATER)
		buf_add(out, S("; acts in a later release"));
	if (field->flags & FIELD_WAITS)
		buf_add(out, S("; waits for a later release"));
}

// changes: with what a change of the field does; nobody applies a file of its own, so that its fields have none.
static void add_rows(const struct kind *k, struct str prefix, int depth, bool changes, struct buf *out)
{
	for (size_t i = 0; i < k->field_count && depth < MAX_BLOCKS; i++) {
		const struct field *field = &k->fields[i];
		AUTO(buf) expected = {0};
		AUTO(buf) inner = {0};
		if (!kind_is_written(field))
			continue;
		kind_expected(field, &expected);
		buf_printf(out, "| `%.*s%s` | ", STR(prefix), field->name);
		add_cell(buf_str(&expected), out);
		buf_add(out, S(" | "));
		add_default(field, out);
		buf_add(out, S(" | "));
		if (changes) {
			add_change(field, out);
			buf_add(out, S(" | "));
		}
		add_cell(str_of(field->help), out);
		buf_add(out, S(" |\n"));
		if (!kind_is_block(field->type))
			continue;
		const char *step = field->type == FIELD_NAMED ? ".NAME." : field->type == FIELD_BLOCKS ? "[]." : ".";
		buf_printf(&inner, "%.*s%s%s", STR(prefix), field->name, step);
		add_rows(field->block, buf_str(&inner), depth + 1, changes, out);
	}
}

// Helps are a few words or sentences; in running text both begin and end as sentences do.
static void add_sentence(struct str text, struct buf *out)
{
	if (text.n)
		buf_add_char(out, text.p[0] >= 'a' && text.p[0] <= 'z' ? (char)(text.p[0] - 'a' + 'A') : text.p[0]);
	buf_add(out, str_drop(text, 1));
	if (!str_ends(text, S(".")))
		buf_add_char(out, '.');
}

void kind_write_reference(const struct kind *const *kinds, struct buf *out)
{
	buf_add(out, S("# Kinds\n\nWritten from the tables of the program; `isobar explain KIND.FIELD` prints the "
		       "same. *Change* says what a "
		       "changed field does when it is applied, and who else may change it while it runs.\n"));
	buf_add(out, S("\n## Fields of every resource\n\nEvery kind but `environments` takes them beside its own.\n\n"
		       "| Field | Write | Default | Change | Meaning |\n|---|---|---|---|---|\n"));
	add_rows(&resource_common_kind, S(""), 0, true, out);
	for (; *kinds; kinds++) {
		const struct kind *k = *kinds;
		buf_printf(out, "\n## %s\n\n", k->plural);
		add_sentence(str_of(k->help), out);
		if (k->single)
			buf_printf(out, " It is `%s/workspace`.\n", k->singular);
		else
			buf_printf(out, " One of them is `%s/NAME`.\n", k->singular);
		if (k->waits)
			buf_add(out, S("It is read and recorded, and waits for a later release that acts on it.\n"));
		if (k->example)
			buf_printf(out, "\n```yaml\n%s%s```\n", k->example,
				str_ends(str_of(k->example), S("\n")) ? "" : "\n");
		buf_add(out, S("\n| Field | Write | Default | Change | Meaning |\n|---|---|---|---|---|\n"));
		add_rows(k, S(""), 0, true, out);
	}
}

void kind_write_file_reference(const struct kind *file, struct buf *out)
{
	buf_printf(out, "# %s.yaml\n\n", file->singular);
	add_sentence(str_of(file->help), out);
	buf_printf(out, "\n\nWritten from the tables of the program; `isobar explain %s.FIELD` prints the same.\n", file->singular);
	if (file->example)
		buf_printf(out, "\n```yaml\n%s```\n", file->example);
	buf_add(out, S("\n| Field | Write | Default | Meaning |\n|---|---|---|---|\n"));
	add_rows(file, S(""), 0, false, out);
}

// SPDX-License-Identifier: Apache-2.0
// The manual page isobar.yaml(5), from the tables of kinds: see kind_explain.h.
#include "base/kind_explain.h"
#include "base/kind_impl.h"
#include "base/roff.h"

enum { MAX_BLOCKS = 16 }; // of blocks in blocks; kind_verify() refuses deeper tables

static void write_field(const struct field *field, struct str path, FILE *out)
{
	AUTO(buf) expected = {0};
	kind_expected(field, &expected);
	fputs(".TP\n\\fB", out);
	roff_words(path, out);
	fputs("\\fR: ", out);
	roff_text(buf_str(&expected), out);
	roff_words(str_of(field->help), out);
	if (field->flags & FIELD_REQUIRED)
		fputs(" (required)", out);
	if (field->otherwise) {
		fputs(" (default ", out);
		roff_words(str_of(field->otherwise), out);
		fputc(')', out);
	}
	fputc('\n', out);
}

static void write_fields(const struct kind *k, struct str prefix, int depth, FILE *out)
{
	for (size_t i = 0; i < k->field_count && depth < MAX_BLOCKS; i++) {
		const struct field *field = &k->fields[i];
		AUTO(buf) path = {0};
		if (!kind_is_written(field))
			continue;
		buf_printf(&path, "%.*s%s", STR(prefix), field->name);
		write_field(field, buf_str(&path), out);
		if (!kind_is_block(field->type))
			continue;
		buf_add(&path, field->type == FIELD_NAMED     ? S(".NAME.")
				: field->type == FIELD_BLOCKS ? S("[].")
							      : S("."));
		write_fields(field->block, buf_str(&path), depth + 1, out);
	}
}

void kind_write_man(const struct kind *const *kinds, FILE *out)
{
	roff_title("isobar.yaml", 5, out);
	roff_section("NAME", out);
	fputs("isobar.yaml \\- the workspace of isobar(1)\n", out);
	roff_section("DESCRIPTION", out);
	roff_text(S("A workspace is one YAML file or all *.yaml files of a folder, read as one map: the version of the "
		    "format (isobar: 1), the workspace's name, and kinds with named things. Every field is explained "
		    "by isobar-explain(1), and isobar-validate(1) checks a workspace."),
		out);
	for (; *kinds; kinds++) {
		roff_section((*kinds)->plural, out);
		roff_text(str_of((*kinds)->help), out);
		if ((*kinds)->example)
			roff_example(str_of((*kinds)->example), out);
		write_fields(*kinds, S(""), 0, out);
	}
	roff_section("SEE ALSO", out);
	roff_text(S("isobar(1), isobar-explain(1)"), out);
}

// SPDX-License-Identifier: Apache-2.0
// The columns of a dataset, and what is asked of its records: see dataset_kind.h.
#include "base/kind_scalars.h"
#include "data/dataset_kind.h"

static const char *const column_types[] = {
	"text", "integer", "number", "decimal", "boolean", "date", "timestamp", "bytes", NULL};

static struct str type_at(const void *ctx, size_t i)
{
	(void)ctx;
	return str_of(column_types[i]);
}

static bool is_type(struct str text)
{
	for (const char *const *type = column_types; *type; type++)
		if (str_eq(text, str_of(*type)))
			return true;
	return false;
}

static bool parse_column(const struct node *n, struct dataset_column *out, struct findings *f)
{
	*out = (struct dataset_column){.name = n->key, .type = n->text};
	if (n->type == NODE_SCALAR && is_type(n->text))
		return true;
	struct str meant = str_closest(n->text, type_at, NULL, COUNT_OF(column_types) - 1);
	findings_add(f, n->at, node_path(n, f->arena),
		meant.n ? arena_printf(f->arena, "did you mean \"%.*s\"?", STR(meant)) : S(""),
		"expected one of text, integer, number, decimal, boolean, date, timestamp, bytes");
	return false;
}

bool dataset_schema_parse(const struct node *node, void *out, struct findings *f)
{
	size_t before = f->count, count = 0;
	struct dataset_column *columns = arena_new_array(f->arena, node->count + 1, struct dataset_column);
	if (node->type != NODE_MAP || !columns) {
		findings_add(f, node->at, node_path(node, f->arena), S("write {order_id: text, amount: decimal}"),
			"expected a map of columns to their types");
		return false;
	}
	for (const struct node *n = node->first; n; n = n->next)
		count += parse_column(n, &columns[count], f);
	*(struct field_list *)out = (struct field_list){.items = columns, .count = count};
	return f->count == before;
}

// "a, b)" behind "unique(": the names of columns.
static bool parse_columns(struct str text, struct arena *a, struct field_list *out)
{
	struct str inner = str_take(text, text.n - 1), one;
	if (!str_ends(text, S(")")))
		return false;
	struct str *names = arena_new_array(a, inner.n / 2 + 1, struct str);
	for (size_t i = 0; names && str_next(&inner, ',', &one); i++) {
		names[i] = str_trim(one);
		if (!name_valid(names[i]))
			return false;
		*out = (struct field_list){.items = names, .count = i + 1};
	}
	return out->count > 0;
}

// "20% of last" behind "rows within ".
static bool parse_within(struct str text, double *within)
{
	struct str share, rest;
	return str_cut(text, ' ', &share, &rest) && percent_parse(share, within) == 0 && str_eq(rest, S("of last"));
}

static bool parse_check(struct str text, struct arena *a, struct dataset_check *out)
{
	static const struct {
		struct str begin;
		enum dataset_check_kind kind;
	} forms[] = {
		{S_INIT("unique("), CHECK_UNIQUE}, {S_INIT("not null("), CHECK_NOT_NULL}, {S_INIT("rows within "), CHECK_ROWS}};
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		if (!str_starts(text, forms[i].begin))
			continue;
		struct str rest = str_drop(text, forms[i].begin.n);
		out->kind = forms[i].kind;
		return forms[i].kind == CHECK_ROWS ? parse_within(rest, &out->within)
						   : parse_columns(rest, a, &out->columns);
	}
	return false;
}

bool dataset_checks_parse(const struct node *node, void *out, struct findings *f)
{
	size_t before = f->count, count = 0;
	struct dataset_check *checks = arena_new_array(f->arena, node->count + 1, struct dataset_check);
	if (node->type != NODE_LIST || !checks) {
		findings_add(f, node->at, node_path(node, f->arena), S("write [unique(order_id)]"), "expected a list of checks");
		return false;
	}
	for (const struct node *n = node->first; n; n = n->next) {
		if (n->type == NODE_SCALAR && parse_check(n->text, f->arena, &checks[count]))
			count++;
		else
			findings_add(f, n->at, node_path(n, f->arena), S(""),
				"expected unique(COLUMN, ...), not null(COLUMN, ...) or rows within 20%% of last");
	}
	*(struct field_list *)out = (struct field_list){.items = checks, .count = count};
	return f->count == before;
}

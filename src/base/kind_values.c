// SPDX-License-Identifier: Apache-2.0
// One value of a table's row: its size in C, how it is read, what is said when it is something else, and its default.
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/kind_impl.h"
#include "base/kind_scalars.h"
#include "base/time.h"

// C type and words for every type of field, in the order of the enum.
static const struct {
	enum field_type type;
	bool scalar;
	size_t size;
	const char *word, *expected;
} types[] = {
	{FIELD_TEXT, true, sizeof(struct str), "text", "text"},
	{FIELD_NAME, true, sizeof(struct str), "name", "a name (letters, digits, '-', '_', '.'; at most 63)"},
	{FIELD_BOOL, true, sizeof(bool), "true or false", "true or false"},
	{FIELD_INTEGER, true, sizeof(int64_t), "whole number", "a whole number"},
	{FIELD_NUMBER, true, sizeof(double), "number", "a number"},
	{FIELD_DURATION, true, sizeof(int64_t), "duration", "a duration such as 30d, 5m or 250ms"},
	{FIELD_SIZE, true, sizeof(int64_t), "size", "a size such as 512MiB or 5GB"},
	{FIELD_PERCENT, true, sizeof(double), "percentage", "a percentage such as 5%"},
	{FIELD_RANGE, true, sizeof(struct field_range), "range", "a range such as 0..1"},
	{FIELD_MONEY, true, sizeof(struct field_money), "amount of money", "an amount such as 40 EUR or 50 EUR/month"},
	{FIELD_CHOICE, true, sizeof(struct str), "choice", "one of"},
	{FIELD_REF, true, sizeof(struct field_ref), "reference", "the name of"},
	{FIELD_URL, true, sizeof(struct str), "URL", "an absolute http, https or file URL without user and password"},
	{FIELD_CLOUDS, false, sizeof(struct field_list), "clouds", "a list of clouds, or all"},
	{FIELD_LIST, false, sizeof(struct field_list), "list", "a list"},
	{FIELD_BLOCK, false, 0, "block", "a map"},
	{FIELD_BLOCKS, false, sizeof(struct field_list), "list of blocks", "a list of maps"},
	{FIELD_NAMED, false, sizeof(struct field_list), "named blocks", "a map of names"},
	{FIELD_KEY, false, sizeof(struct str), "name", "a name"},
	{FIELD_PRESENT, false, sizeof(bool), "nothing", "nothing"},
	{FIELD_ANY, false, sizeof(const struct node *), "anything", "anything"},
	{FIELD_CUSTOM, false, 0, "own form", "a value of its own form"},
	{FIELD_CLOUD, false, sizeof(struct field_list), "cloud", "the name of a cloud"},
	{FIELD_LABELS, false, sizeof(struct field_list), "labels", "a map of names to texts"},
	{FIELD_REFS, false, sizeof(struct field_list), "references", "the name of"},
	{FIELD_PATH, true, sizeof(struct str), "path", "a path inside the workspace's folder, such as sql/features.sql"},
	{FIELD_PLACES, false, sizeof(struct field_list), "places",
		"anywhere, or places as codes of two capitals such as [EU] or [DE, CH]"},
	{FIELD_RATE, true, sizeof(struct field_rate), "rate", "a rate such as 200k/min or 5/s"},
	{FIELD_DATE, true, sizeof(int64_t), "date", "a date such as 2027-06-30"},
	{FIELD_ACCELERATOR, true, sizeof(struct field_accelerator), "accelerator",
		"an accelerator and how many, such as H100:4"},
};

size_t kind_type_size(const struct field *field)
{
	if (field->type == FIELD_BLOCK)
		return field->block->size;
	return field->type == FIELD_CUSTOM ? field->item_size : types[field->type].size;
}

bool kind_is_scalar(enum field_type type)
{
	return types[type].scalar;
}

bool kind_is_block(enum field_type type)
{
	return type == FIELD_BLOCK || type == FIELD_BLOCKS || type == FIELD_NAMED;
}

bool kind_is_written(const struct field *field)
{
	return field->type != FIELD_KEY && field->type != FIELD_PRESENT;
}

void kind_type_words(const struct field *field, struct buf *out)
{
	if (field->type == FIELD_LIST)
		buf_printf(out, "list, each %s", types[field->item].word);
	else
		buf_add(out, str_of(types[field->type].word));
}

struct field kind_item_field(const struct field *list)
{
	struct field item = *list;
	bool clouds = list->type == FIELD_CLOUDS;
	item.type = clouds ? FIELD_NAME : list->item;
	item.otherwise = NULL;
	return item;
}

static bool in_bounds(const struct field *field, double value)
{
	if (field->min == 0 && field->max == 0)
		return true;
	return value >= field->min && value <= field->max;
}

static bool read_choice(const struct field *field, struct str text, struct str *out)
{
	for (const char *const *choice = field->choices; *choice; choice++)
		if (str_eq(text, str_of(*choice))) {
			*out = str_of(*choice);
			return true;
		}
	return false;
}

// A secret is only named: what is not "secret/NAME" may be the secret itself.
static bool read_text(const struct field *field, struct str text, struct str *out)
{
	bool secret = field->flags & FIELD_SECRET;
	if (secret && !(str_starts(text, S("secret/")) && name_valid(str_drop(text, 7))))
		return false;
	*out = text;
	return true;
}

static bool read_integer(const struct field *field, const struct node *n, int64_t *out)
{
	int64_t value;
	if (n->quoted || str_to_i64(n->text, &value) < 0 || !in_bounds(field, (double)value))
		return false;
	*out = value;
	return true;
}

static bool read_duration(const struct field *field, struct str text, int64_t *out)
{
	int64_t value;
	if (duration_parse(text, &value) < 0 || !in_bounds(field, (double)value / (double)NS_PER_S))
		return false;
	*out = value;
	return true;
}

static bool read_size(const struct field *field, struct str text, int64_t *out)
{
	int64_t value;
	if (size_parse(text, &value) < 0 || !in_bounds(field, (double)value))
		return false;
	*out = value;
	return true;
}

static bool read_real(const struct field *field, const struct node *n, double *out)
{
	double value;
	bool percent = field->type == FIELD_PERCENT;
	int rc = percent ? percent_parse(n->text, &value) : n->quoted ? ERR_INVALID : str_to_f64(n->text, &value);
	if (rc < 0 || !in_bounds(field, value))
		return false;
	*out = value;
	return true;
}

static bool read_name(struct str text, bool valid, struct str *out)
{
	if (valid)
		*out = text;
	return valid;
}

static bool read_path(struct str text, struct str *out)
{
	struct err why = {0};
	struct str path = text;
	while (str_starts(path, S("./")))
		path = str_drop(path, 2);
	return read_name(path, file_check_relative(path, &why) == 0, out);
}

static bool read_bool(const struct node *n, bool *out)
{
	bool value = str_eq(n->text, S("true"));
	if (n->quoted || (!value && !str_eq(n->text, S("false"))))
		return false;
	*out = value;
	return true;
}

bool kind_read_scalar(const struct field *field, const struct node *n, void *out)
{
	switch ((int)field->type) {
	case FIELD_TEXT:
		return read_text(field, n->text, out);
	case FIELD_NAME:
		return read_name(n->text, name_valid(n->text), out);
	case FIELD_BOOL:
		return read_bool(n, out);
	case FIELD_INTEGER:
		return read_integer(field, n, out);
	case FIELD_NUMBER:
	case FIELD_PERCENT:
		return read_real(field, n, out);
	case FIELD_DURATION:
		return read_duration(field, n->text, out);
	case FIELD_SIZE:
		return read_size(field, n->text, out);
	case FIELD_RANGE:
		return range_field_parse(n->text, out) == 0;
	case FIELD_MONEY:
		return money_parse(n->text, out) == 0;
	case FIELD_CHOICE:
		return read_choice(field, n->text, out);
	case FIELD_REF:
		return ref_parse(n->text, field->refers, out) == 0;
	case FIELD_URL:
		return read_name(n->text, url_valid(n->text), out);
	case FIELD_PATH:
		return read_path(n->text, out);
	case FIELD_RATE:
		return rate_parse(n->text, out) == 0;
	case FIELD_DATE:
		return date_parse(n->text, out) == 0;
	case FIELD_ACCELERATOR:
		return accelerator_parse(n->text, out) == 0;
	default:
		return false;
	}
}

static void expect_ref(const struct field *field, struct buf *out)
{
	if (!field->refers) {
		buf_add(out, S("an address such as model/fraud"));
		return;
	}
	struct str rest = str_of(field->refers), one;
	bool several = str_find_char(rest, '|') >= 0;
	buf_add(out, several ? S("the name of one of these: ") : S("the name of "));
	for (const char *gap = ""; str_next(&rest, '|', &one); gap = ", ") {
		bool vowel = !several && one.n && strchr("aeiou", one.p[0]);
		buf_printf(out, "%s%s%.*s", gap, several ? "" : vowel ? "an " : "a ", STR(one));
	}
}

static void expect_choices(const struct field *field, struct buf *out)
{
	buf_add(out, S("one of "));
	for (const char *const *choice = field->choices; *choice; choice++)
		buf_printf(out, "%s%s", choice == field->choices ? "" : ", ", *choice);
}

// " from 1 to 20", in the unit in which the value is written.
static void expect_bounds(const struct field *field, struct buf *out)
{
	char low[DOUBLE_TEXT_SIZE], high[DOUBLE_TEXT_SIZE], text[TIME_TEXT_SIZE];
	if ((field->min == 0 && field->max == 0) || !kind_is_scalar(field->type))
		return;
	double_text(field->min, low);
	double_text(field->max, high);
	switch ((int)field->type) {
	case FIELD_DURATION:
		duration_text((int64_t)(field->min * (double)NS_PER_S), text);
		buf_printf(out, ", from %s", text);
		duration_text((int64_t)(field->max * (double)NS_PER_S), text);
		buf_printf(out, " to %s", text);
		return;
	case FIELD_SIZE:
		buf_add(out, S(", from "));
		size_write((int64_t)field->min, out);
		buf_add(out, S(" to "));
		size_write((int64_t)field->max, out);
		return;
	case FIELD_PERCENT:
		buf_add(out, S(", from "));
		percent_write(field->min, out);
		buf_add(out, S(" to "));
		percent_write(field->max, out);
		return;
	default:
		buf_printf(out, " from %s to %s", low, high);
	}
}

void kind_expected(const struct field *field, struct buf *out)
{
	if (field->flags & FIELD_SECRET && field->type == FIELD_TEXT) {
		buf_add(out, S("the name of a secret (secret/NAME)"));
		return;
	}
	if (field->type == FIELD_CHOICE)
		expect_choices(field, out);
	else if (field->type == FIELD_REF || field->type == FIELD_REFS)
		expect_ref(field, out);
	else
		buf_add(out, str_of(types[field->type].expected));
	if (field->type == FIELD_LIST) {
		struct field item = kind_item_field(field);
		buf_add(out, S("; each item: "));
		kind_expected(&item, out);
	}
	if (field->type == FIELD_REFS)
		buf_add(out, S(", or several"));
	expect_bounds(field, out);
}

bool kind_default_is_plain(const struct field *field)
{
	bool all = field->type == FIELD_CLOUDS && strcmp(field->otherwise, "all") == 0;
	return kind_is_scalar(field->type) || all;
}

// Parsing costs more than all the rest of an entry, and there may be 100,000 of them.
struct kind_default {
	const struct field *field;
	const struct node *node;
	struct kind_default *next;
};

static const struct node *parse_default(const struct field *field, struct findings *f)
{
	struct node *n = NULL;
	struct kind_default *memo = arena_new(f->arena, struct kind_default);
	if (!memo || node_parse_yaml(str_of(field->otherwise), "default", f, &n) < 0 || !n) {
		findings_add(f, (struct position){0}, str_of(field->name), S(""), "its default could not be read");
		return NULL;
	}
	*memo = (struct kind_default){.field = field, .node = n, .next = f->defaults};
	f->defaults = memo;
	return n;
}

const struct node *kind_default_node(const struct field *field, struct findings *f)
{
	for (const struct kind_default *memo = f->defaults; memo; memo = memo->next)
		if (memo->field == field)
			return memo->node;
	if (!kind_default_is_plain(field))
		return parse_default(field, f);
	struct node *n = arena_new(f->arena, struct node);
	if (!n) {
		findings_add(f, (struct position){0}, S(""), S(""), "out of memory");
		return NULL;
	}
	*n = (struct node){.type = NODE_SCALAR, .text = str_of(field->otherwise)};
	return n;
}

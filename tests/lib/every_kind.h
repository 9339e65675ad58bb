// SPDX-License-Identifier: Apache-2.0
// A kind with every type of field, for tests and fuzzing of what works by tables.
#ifndef ISOBAR_TESTS_EVERY_KIND_H
#define ISOBAR_TESTS_EVERY_KIND_H

#include "base/kind.h"

struct every_block {
	bool present;
	struct str name, text, late;
	int64_t number;
};
struct every {
	struct str key, text, name, choice, url, secret, engine, path;
	bool flag;
	int64_t integer, duration, size, date;
	double number, percent;
	struct field_range range;
	struct field_money money;
	struct field_ref ref, part, any_ref;
	struct field_list clouds, list, refs, customs, blocks, named;
	struct field_range custom;
	struct field_list labels, inputs, to, places;
	struct field_rate rate;
	struct field_accelerator accelerator;
	struct every_block block;
	const struct node *with;
};
#define ROW(member, kind_of_field, ...)                                                                                \
	{                                                                                                              \
		.name = #member, .type = kind_of_field, .offset = offsetof(struct every, member),                      \
		.help = "One of each.", __VA_ARGS__                                                                    \
	}
#define BLOCK_ROW(member, kind_of_field, ...)                                                                          \
	{                                                                                                              \
		.name = #member, .type = kind_of_field, .offset = offsetof(struct every_block, member),                \
		.help = "One of each.", __VA_ARGS__                                                                    \
	}

// "LOWxHIGH", as a custom form.
static inline bool every_parse(const struct node *node, void *out, struct findings *f)
{
	struct field_range range;
	struct str low, high;
	bool good = node->type == NODE_SCALAR && str_cut(node->text, 'x', &low, &high) &&
		    str_to_f64(low, &range.low) == 0 && str_to_f64(high, &range.high) == 0;
	if (good)
		*(struct field_range *)out = range;
	else
		findings_add(f, node->at, node_path(node, f->arena), S(""), "expected LOWxHIGH");
	return good;
}

static inline void every_check(const struct kind_check *c)
{
	const struct every *every = c->value;
	if (kind_check_sound(c, "integer") && every->integer == 5)
		kind_check_add(c, "integer", S("write 4"), "five is too much");
	if (kind_check_sound(c, "block") && every->block.number == 8)
		kind_check_add(c, "block.number", S(""), "eight is %s", "too much");
}

static const char *const colours[] = {"red", "green", "blue", NULL};
static const char *const engines[] = {"local", "slurm", NULL};
static const char *const orders[] = {"in_order", NULL};
static const char *const acting[] = {"local", NULL};
static const struct field block_fields[] = {
	BLOCK_ROW(present, FIELD_PRESENT, .flags = 0),
	BLOCK_ROW(name, FIELD_KEY, .flags = 0),
	BLOCK_ROW(text, FIELD_TEXT, .flags = FIELD_REQUIRED),
	BLOCK_ROW(number, FIELD_INTEGER, .otherwise = "7", .min = 1, .max = 9),
	BLOCK_ROW(late, FIELD_TEXT, .flags = FIELD_LATER),
};
static const struct kind block_kind = {
	.singular = "block", .help = "A block.", .size = sizeof(struct every_block), KIND_FIELDS(block_fields)};
static const struct field every_fields[] = {
	ROW(key, FIELD_KEY, .flags = 0),
	ROW(text, FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_IN_PLACE),
	ROW(name, FIELD_NAME, .otherwise = "n"),
	ROW(choice, FIELD_CHOICE, .choices = colours, .otherwise = "red"),
	ROW(url, FIELD_URL, .flags = 0),
	ROW(secret, FIELD_TEXT, .flags = FIELD_SECRET),
	ROW(flag, FIELD_BOOL, .otherwise = "true"),
	ROW(integer, FIELD_INTEGER, .min = -5, .max = 5),
	ROW(duration, FIELD_DURATION, .otherwise = "5m"),
	ROW(size, FIELD_SIZE, .otherwise = "1GiB"),
	ROW(number, FIELD_NUMBER, .flags = 0),
	ROW(percent, FIELD_PERCENT, .min = 0, .max = 1),
	ROW(range, FIELD_RANGE, .otherwise = "0..1"),
	ROW(money, FIELD_MONEY, .flags = 0),
	ROW(ref, FIELD_REF, .refers = "every"),
	ROW(part, FIELD_REF, .refers = "every|block"),
	ROW(any_ref, FIELD_REF, .flags = 0),
	ROW(clouds, FIELD_CLOUDS, .otherwise = "all"),
	ROW(list, FIELD_LIST, .item = FIELD_INTEGER, .otherwise = "[1, 2]"),
	ROW(refs, FIELD_LIST, .item = FIELD_REF, .refers = "every"),
	ROW(customs, FIELD_LIST, .item = FIELD_CUSTOM, .item_size = sizeof(struct field_range), .parse = every_parse),
	ROW(custom, FIELD_CUSTOM, .parse = every_parse, .otherwise = "1x2"),
	ROW(blocks, FIELD_BLOCKS, .block = &block_kind),
	ROW(named, FIELD_NAMED, .block = &block_kind),
	ROW(block, FIELD_BLOCK, .block = &block_kind),
	ROW(with, FIELD_ANY, .flags = 0),
	ROW(labels, FIELD_LABELS, .flags = 0),
	ROW(inputs, FIELD_REFS, .refers = "every"),
	ROW(to, FIELD_REFS, .refers = "every|block", .choices = orders),
	ROW(path, FIELD_PATH, .flags = 0),
	ROW(places, FIELD_PLACES, .flags = 0),
	ROW(rate, FIELD_RATE, .flags = FIELD_LATER),
	ROW(date, FIELD_DATE, .flags = FIELD_WAITS),
	ROW(accelerator, FIELD_ACCELERATOR, .flags = FIELD_LATER, .otherwise = "L4:1"),
	ROW(engine, FIELD_CHOICE, .choices = engines, .acts = acting, .flags = FIELD_WAITS),
	{.name = "cloud", .type = FIELD_CLOUD, .offset = offsetof(struct every, clouds), .help = "One of each."},
};
static const struct kind every_kind = {.plural = "everies",
	.singular = "every",
	.help = "One of each.",
	.size = sizeof(struct every),
	KIND_FIELDS(every_fields),
	.check = every_check};

#endif

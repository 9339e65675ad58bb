// SPDX-License-Identifier: Apache-2.0
// YAML decoded by a table that has every type of field. Any text gives a tree or findings, every finding has words, and
// a tree that was decoded is decoded again from its JSON form without a finding.
#include <string.h>

#include "base/json.h"
#include "base/kind.h"
#include "fuzz.h"

struct every_block {
	bool present;
	struct str name, text;
	int64_t number;
};
struct every {
	struct str key, text, name, choice, url, secret;
	bool flag;
	int64_t integer, duration, size;
	double number, percent;
	struct field_range range;
	struct field_money money;
	struct field_ref ref, part, any_ref;
	struct field_list clouds, list, refs, blocks, named;
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

static const char *const colours[] = {"red", "green", "blue", NULL};
static const struct field block_fields[] = {
	BLOCK_ROW(present, FIELD_PRESENT, .flags = 0),
	BLOCK_ROW(name, FIELD_KEY, .flags = 0),
	BLOCK_ROW(text, FIELD_TEXT, .flags = FIELD_REQUIRED),
	BLOCK_ROW(number, FIELD_INTEGER, .otherwise = "7", .min = 1, .max = 9),
};
static const struct kind block_kind = {
	.singular = "block", .help = "A block.", .size = sizeof(struct every_block), KIND_FIELDS(block_fields)};
static const struct field every_fields[] = {
	ROW(key, FIELD_KEY, .flags = 0),
	ROW(text, FIELD_TEXT, .flags = FIELD_REQUIRED),
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
	ROW(blocks, FIELD_BLOCKS, .block = &block_kind),
	ROW(named, FIELD_NAMED, .block = &block_kind),
	ROW(block, FIELD_BLOCK, .block = &block_kind),
	ROW(with, FIELD_ANY, .flags = 0),
};
static const struct kind every_kind = {.plural = "everies",
	.singular = "every",
	.help = "One of each.",
	.size = sizeof(struct every),
	KIND_FIELDS(every_fields)};

static void check_again(const struct node *root)
{
	AUTO(arena) a = {0};
	struct every again;
	struct err e = {0};
	AUTO(json) j = node_to_json(root);
	FUZZ_CHECK(j);
	// A plain scalar that JSON has as a number loses its spelling, so "1e1" as a name reads "10.0": refused is
	// allowed, a crash is not.
	if (kind_decode_json(&every_kind, j, &a, &again, &e) < 0)
		FUZZ_CHECK(e.code == ERR_CORRUPT && e.message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) a = {.limit = 256 << 20};
	struct findings f = {.arena = &a};
	struct node *root = NULL;
	struct every every;
	int rc = node_parse_yaml(str_bytes(data, size), "fuzz", &f, &root);
	FUZZ_CHECK((rc == 0) == (f.count == 0));
	if (rc == 0)
		rc = kind_decode(&every_kind, root, &a, &every, &f);
	FUZZ_CHECK((rc == 0) == (f.count == 0));
	for (const struct finding *finding = f.first; finding; finding = finding->next)
		FUZZ_CHECK(finding->problem.n > 0 && str_utf8_valid(finding->problem));
	if (rc == 0 && root)
		check_again(root);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Decoding by tables: every type of field, defaults, and the exact words for what is wrong; the tables' own check.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/kind.h"
#include "base/time.h"
#include "every_kind.h"

static const struct kind *const kinds[] = {&every_kind, NULL};

static struct node *parse(struct arena *a, const char *text)
{
	struct findings f = {.arena = a};
	struct node *root = NULL;
	if (node_parse_yaml(str_of(text), "x.yaml", &f, &root) < 0)
		fail_msg("%.*s", STR(f.first->problem));
	return root;
}

static struct every decode(struct arena *a, const char *text)
{
	struct findings f = {.arena = a};
	struct every out;
	memset(&out, 0xee, sizeof(out)); // decoding zeroes first
	if (kind_decode(&every_kind, parse(a, text), a, &out, &f) < 0) {
		AUTO(buf) line = {0};
		finding_text(f.first, &line);
		fail_msg("%s", buf_cstr(&line));
	}
	return out;
}

static void assert_str(struct str s, const char *expected)
{
	if (!str_eq(s, str_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", STR(s), expected);
}

// The findings of a text after "text: x", each a line without the file.
static void assert_wrong(const char *text, const char *expected)
{
	AUTO(arena) a = {0};
	AUTO(buf) whole = {0};
	AUTO(buf) all = {0};
	struct findings f = {.arena = &a};
	struct every out;
	buf_printf(&whole, "text: x\n%s", text);
	assert_int_equal(kind_decode(&every_kind, parse(&a, buf_cstr(&whole)), &a, &out, &f), ERR_INVALID);
	for (struct finding *finding = f.first; finding; finding = finding->next) {
		AUTO(buf) line = {0};
		finding->at.file = NULL;
		finding_text(finding, &line);
		buf_printf(&all, "%s\n", buf_cstr(&line));
	}
	assert_string_equal(buf_cstr(&all), expected);
}

static void test_scalars(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct every e = decode(&a, "text: 4711\nname: a.b-c_d\nchoice: green\nurl: "
				    "https://example.org:8443/x?y=1\nsecret: secret/thing\nflag: false\n"
				    "integer: -5\nduration: 18 months\nsize: 512MiB\nnumber: 1e-3\npercent: "
				    "12.5%\nrange: -1..2.5\nmoney: 1.90 EUR/h\n"
				    "custom: 3x4\n");
	assert_str(e.text, "4711");
	assert_str(e.name, "a.b-c_d");
	assert_str(e.choice, "green");
	assert_str(e.url, "https://example.org:8443/x?y=1");
	assert_str(e.secret, "secret/thing");
	assert_false(e.flag);
	assert_int_equal(e.integer, -5);
	assert_int_equal(e.duration, 540 * 86400 * NS_PER_S);
	assert_int_equal(e.size, 512 << 20);
	assert_true(e.number == 1e-3);
	assert_true(e.percent == 0.125);
	assert_true(e.range.low == -1 && e.range.high == 2.5);
	assert_true(e.money.amount == 1.9);
	assert_str(e.money.currency, "EUR");
	assert_str(e.money.per, "h");
	assert_true(e.custom.low == 3 && e.custom.high == 4);
}

static void test_defaults(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct every e = decode(&a, "text: x\nname: ~\nclouds:\n");
	assert_str(e.name, "n");
	assert_str(e.choice, "red");
	assert_str(e.url, "");
	assert_true(e.flag);
	assert_int_equal(e.integer, 0);
	assert_int_equal(e.duration, 300 * NS_PER_S);
	assert_int_equal(e.size, 1 << 30);
	assert_true(e.range.low == 0 && e.range.high == 1);
	assert_true(e.clouds.all);
	assert_int_equal(e.list.count, 2);
	assert_int_equal(((int64_t *)e.list.items)[1], 2);
	assert_int_equal(e.blocks.count, 0);
	assert_false(e.block.present);
	assert_int_equal(e.block.number, 7); // the defaults of an absent block
	assert_null(e.with);
	assert_true(e.custom.low == 1 && e.custom.high == 2);
	assert_str(e.key, "");
}

static void test_references(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct every e =
		decode(&a, "text: x\nref: classifier@champion\npart: prepared/train\nany_ref: bucket/lake on munich\n"
			   "refs: [every/one, two, three/raw/returns]\n");
	assert_str(e.ref.kind, "every");
	assert_str(e.ref.name, "classifier");
	assert_int_equal(e.ref.mark, '@');
	assert_str(e.ref.qualifier, "champion");
	assert_str(e.part.kind, ""); // two kinds fit, and none was written
	assert_str(e.part.name, "prepared");
	assert_int_equal(e.part.mark, '/');
	assert_str(e.part.qualifier, "train");
	assert_str(e.any_ref.kind, "bucket");
	assert_str(e.any_ref.name, "lake");
	assert_int_equal(e.any_ref.mark, 0);
	assert_str(e.any_ref.qualifier, "");
	assert_str(e.any_ref.on, "munich");
	const struct field_ref *refs = e.refs.items;
	assert_int_equal(e.refs.count, 3);
	assert_str(refs[0].name, "one");
	assert_str(refs[1].kind, "every");
	assert_str(refs[1].name, "two");
	assert_str(refs[2].name, "three");
	assert_str(refs[2].qualifier, "raw/returns");
}

static void test_lists_and_blocks(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct every e =
		decode(&a, "text: x\nclouds: [aws-us, gcp-eu]\nlist: []\ncustoms: [1x2, 5x6]\nblocks: [{text: a}, "
			   "{text: b, number: 9}]\n"
			   "named: {one: {text: c}, two: {text: d}}\nblock: {text: e}\nwith: {anything: [goes]}\n");
	const struct str *clouds = e.clouds.items;
	assert_false(e.clouds.all);
	assert_int_equal(e.clouds.count, 2);
	assert_str(clouds[0], "aws-us");
	assert_str(clouds[1], "gcp-eu");
	assert_int_equal(e.list.count, 0);
	const struct field_range *customs = e.customs.items;
	assert_int_equal(e.customs.count, 2);
	assert_true(customs[1].low == 5 && customs[1].high == 6);
	const struct every_block *blocks = e.blocks.items, *named = e.named.items;
	assert_int_equal(e.blocks.count, 2);
	assert_int_equal(blocks[0].number, 7);
	assert_int_equal(blocks[1].number, 9);
	assert_true(blocks[1].present);
	assert_str(blocks[1].name, "");
	assert_int_equal(e.named.count, 2);
	assert_str(named[0].name, "one");
	assert_str(named[1].name, "two");
	assert_str(named[1].text, "d");
	assert_true(e.block.present);
	assert_str(e.block.text, "e");
	assert_int_equal(e.with->type, NODE_MAP);
}

static void test_key(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct findings f = {.arena = &a};
	struct every e;
	const struct node *root = parse(&a, "one: {text: x}\n-two: {text: x}\nthree:\n");
	assert_int_equal(kind_decode(&every_kind, root->first, &a, &e, &f), 0);
	assert_str(e.key, "one");
	assert_int_equal(kind_decode(&every_kind, root->first->next, &a, &e, &f), ERR_INVALID);
	assert_str(f.first->problem,
		"\"-two\" is no name: letters, digits, '-', '_' and '.', a letter or digit first, at most 63");
	assert_int_equal(kind_decode(&every_kind, root->first->next->next, &a, &e, &f), ERR_INVALID);
	assert_str(f.last->problem, "\"text\" is missing; expected text");
	assert_str(f.last->field, "three");
	assert_int_equal(f.last->at.line, 3);
	assert_int_equal(kind_decode(&every_kind, NULL, &a, &e, &f), ERR_INVALID);
	assert_int_equal(f.count, 3);
}

static void test_wrong_scalars(UNUSED void **state)
{
	assert_wrong(
		"name: -x", "2:7: name: expected a name (letters, digits, '-', '_', '.'; at most 63), got \"-x\"\n");
	assert_wrong("choice: gren",
		"2:9: choice: expected one of red, green, blue, got \"gren\"; did you mean \"green\"?\n");
	assert_wrong("choice: orange", "2:9: choice: expected one of red, green, blue, got \"orange\"\n");
	assert_wrong("flag: yes", "2:7: flag: expected true or false, got \"yes\"\n");
	assert_wrong("flag: \"true\"",
		"2:7: flag: expected true or false, got the text \"true\"; write it without quotes\n");
	assert_wrong("integer: 6", "2:10: integer: expected a whole number from -5 to 5, got \"6\"\n");
	assert_wrong("integer: 1.0", "2:10: integer: expected a whole number from -5 to 5, got \"1.0\"\n");
	assert_wrong("integer: '3'",
		"2:10: integer: expected a whole number from -5 to 5, got the text \"3\"; write it without quotes\n");
	assert_wrong("duration: soon", "2:11: duration: expected a duration such as 30d, 5m or 250ms, got \"soon\"\n");
	assert_wrong("size: 5", "2:7: size: expected a size such as 512MiB or 5GB, got \"5\"\n");
	assert_wrong("number: x", "2:9: number: expected a number, got \"x\"\n");
	assert_wrong("percent: 0.5", "2:10: percent: expected a percentage such as 5%, from 0% to 100%, got \"0.5\"\n");
	assert_wrong(
		"percent: 101%", "2:10: percent: expected a percentage such as 5%, from 0% to 100%, got \"101%\"\n");
	assert_wrong("range: 1..0", "2:8: range: expected a range such as 0..1, got \"1..0\"\n");
	assert_wrong("money: 5", "2:8: money: expected an amount such as 40 EUR or 50 EUR/month, got \"5\"\n");
	assert_wrong("url: ftp://x/",
		"2:6: url: expected an absolute http, https or file URL without user and password, got \"ftp://x/\"\n");
	assert_wrong("ref: a b", "2:6: ref: expected the name of an every, got \"a b\"\n");
	assert_wrong("part: '@x'", "2:7: part: expected the name of one of these: every, block, got the text \"@x\"\n");
	assert_wrong("any_ref: lake", "2:10: any_ref: expected an address such as model/fraud, got \"lake\"\n");
	assert_wrong("custom: 5", "2:9: custom: expected LOWxHIGH\n");
	assert_wrong(
		"name: [a]", "2:7: name: expected a name (letters, digits, '-', '_', '.'; at most 63), got a list\n");
}

// The value of a secret is never shown: somebody may have written it where its name belongs.
static void test_secret_is_not_echoed(UNUSED void **state)
{
	assert_wrong(
		"secret: hunter2", "2:9: secret: expected the name of a secret (secret/NAME), got something else\n");
}

static void test_wrong_shapes(UNUSED void **state)
{
	assert_wrong("clouds: some", "2:9: clouds: expected a list of clouds, or all, got \"some\"\n");
	assert_wrong("clouds: []", "2:9: clouds: expected a list of clouds, or all, got a list\n");
	assert_wrong("clouds: [a, b, a]", "2:16: clouds[2]: \"a\" stands in the list twice\n");
	assert_wrong("list: 5", "2:7: list: expected a list; each item: a whole number, got \"5\"\n");
	assert_wrong("list: [1, x, 3, {}]", "2:11: list[1]: expected a whole number, got \"x\"\n2:17: list[3]: "
					    "expected a whole number, got a map\n");
	assert_wrong("customs: [1x2, 3]", "2:16: customs[1]: expected LOWxHIGH\n");
	assert_wrong("blocks: {}", "2:9: blocks: expected a list of maps, got a map\n");
	assert_wrong("named: [a]", "2:8: named: expected a map of names, got a list\n");
	assert_wrong("block: 5", "2:8: block: expected a map of the fields of block, got \"5\"\n");
	assert_wrong("named: {a: 5}", "2:12: named.a: expected a map of the fields of block, got \"5\"\n");
	assert_wrong("blocks: [{number: 10}]",
		"2:10: blocks[0]: \"text\" is missing; expected text\n2:19: blocks[0].number: "
		"expected a whole number from 1 to 9, got \"10\"\n");
}

static void test_unknown_names(UNUSED void **state)
{
	assert_wrong("nmae: x", "2:1: nmae: every has no field \"nmae\"; did you mean \"name\"?\n");
	assert_wrong("Any-Ref: x", "2:1: Any-Ref: every has no field \"Any-Ref\"; did you mean \"any_ref\"?\n");
	assert_wrong("xyzzy: x", "2:1: xyzzy: every has no field \"xyzzy\"\n");
	assert_wrong("key: x", "2:1: key: every has no field \"key\"\n");
	assert_wrong("block: {text: x, present: true, nunber: 1}",
		"2:18: block.present: block has no field \"present\"\n2:33: block.nunber: block has no field "
		"\"nunber\"; did you mean \"number\"?\n");
}

static void test_check_runs_on_sound_values(UNUSED void **state)
{
	assert_wrong("integer: 5", "2:10: integer: five is too much; write 4\n");
	assert_wrong("integer: 5\nflag: x",
		"3:7: flag: expected true or false, got \"x\"\n2:10: integer: five is too much; write 4\n");
	assert_wrong("integer: 5\nfalg: x", "3:1: falg: every has no field \"falg\"; did you mean \"flag\"?\n"
					   "2:10: integer: five is too much; write 4\n");
	assert_wrong("integer: 6\nblock: {text: a, number: 8}",
		"2:10: integer: expected a whole number from -5 to 5, got \"6\"\n"
		"3:26: block.number: eight is too much\n");
	assert_wrong("block: {number: 8}", "2:8: block: \"text\" is missing; expected text\n");
}

static void test_cloud(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct every e = decode(&a, "text: x\ncloud: aws-us\n");
	assert_false(e.clouds.all); // the default of clouds: is not put over it
	assert_int_equal(e.clouds.count, 1);
	assert_str(((const struct str *)e.clouds.items)[0], "aws-us");
	assert_wrong("cloud: [a]", "2:8: cloud: expected the name of a cloud, got a list\n");
	assert_wrong("cloud: a\nclouds: [b]", "3:1: clouds: write either cloud: or clouds:, not both\n");
	struct node *root = parse(&a, "text: x\ncloud: aws-us\n");
	assert_int_equal(kind_rewrite_cloud(&every_kind, root, &a), 0);
	const struct node *clouds = node_member(root, S("clouds"));
	assert_int_equal(clouds->type, NODE_LIST);
	assert_str(clouds->first->text, "aws-us");
	assert_int_equal(clouds->first->at.column, 8);
	assert_int_equal(kind_decode(&every_kind, root, &a, &e, &(struct findings){.arena = &a}), 0);
	assert_str(((const struct str *)e.clouds.items)[0], "aws-us");
	root = parse(&a, "text: x\nclouds: all\n");
	assert_int_equal(kind_rewrite_cloud(&every_kind, root, &a), 0);
	assert_str(node_member(root, S("clouds"))->text, "all");
}

static void test_new_scalars(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct every e = decode(&a, "text: x\nlabels: {cost_centre: \"4711\", team: ml}\nrate: 200k/min\ndate: "
				    "2027-06-30\naccelerator: H100:4\n");
	const struct field_label *labels = e.labels.items;
	assert_int_equal(e.labels.count, 2);
	assert_str(labels[0].name, "cost_centre");
	assert_str(labels[0].value, "4711");
	assert_true(e.rate.amount == 200000);
	assert_str(e.rate.per, "min");
	assert_int_equal(e.date, INT64_C(1814313600) * NS_PER_S);
	assert_str(e.accelerator.model, "H100");
	assert_int_equal(e.accelerator.count, 4);
	assert_wrong("labels: [a]", "2:9: labels: expected a map of names to texts, got a list\n");
	assert_wrong("labels: {a: [b]}", "2:13: labels.a: expected a label: a name with a text of at most 255 bytes, "
					 "got a list\n");
	assert_wrong("rate: 5", "2:7: rate: expected a rate such as 200k/min or 5/s, got \"5\"\n");
	assert_wrong("date: 2027-02-30", "2:7: date: expected a date such as 2027-06-30, got \"2027-02-30\"\n");
	assert_wrong("accelerator: H100:0",
		"2:14: accelerator: expected an accelerator and how many, such as H100:4, got \"H100:0\"\n");
}

static void test_several_references(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct every e = decode(&a, "text: x\ninputs: {one: a, two: [every/b, c]}\nto: {in_order: [every/a, block/b]}\n");
	const struct field_named_ref *inputs = e.inputs.items, *to = e.to.items;
	assert_int_equal(e.inputs.count, 3);
	assert_str(inputs[0].name, "one");
	assert_str(inputs[0].ref.name, "a");
	assert_str(inputs[2].name, "two");
	assert_str(inputs[2].ref.name, "c");
	assert_str(inputs[2].ref.kind, "every");
	assert_int_equal(e.to.count, 2);
	assert_str(to[1].name, "in_order");
	assert_str(to[1].ref.kind, "block");
	e = decode(&a, "text: x\ninputs: a\nto: [every/a]");
	assert_int_equal(e.inputs.count, 1);
	assert_str(((const struct field_named_ref *)e.inputs.items)[0].name, "");
	assert_wrong("inputs: a b", "2:9: inputs: expected the name of an every, or several, got \"a b\"\n");
	assert_wrong("inputs: []", "2:9: inputs: expected the name of an every, or several, got a list\n");
	assert_wrong("inputs: {a: {b: c}}", "2:13: inputs.a: expected the name of an every, or several, got a map\n");
	assert_wrong("inputs: [[a]]", "2:10: inputs[0]: expected the name of an every, or several, got a list\n");
	assert_wrong("to: {inorder: [every/a]}", "2:6: to.inorder: \"inorder\" is no name for it; write \"in_order\"\n");
}

static void test_paths_and_places(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct every e = decode(&a, "text: x\npath: ./sql/features.sql\nplaces: [EU, CH]\n");
	assert_str(e.path, "sql/features.sql");
	assert_int_equal(e.places.count, 2);
	assert_false(e.places.all);
	assert_str(((const struct str *)e.places.items)[1], "CH");
	e = decode(&a, "text: x\nplaces: anywhere\n");
	assert_true(e.places.all);
	e = decode(&a, "text: x\nplaces: US\n");
	assert_int_equal(e.places.count, 1);
	assert_wrong("path: ../x",
		"2:7: path: expected a path inside the workspace's folder, such as sql/features.sql, got \"../x\"\n");
	assert_wrong("path: /etc/passwd", "2:7: path: expected a path inside the workspace's folder, such as "
					  "sql/features.sql, got \"/etc/passwd\"\n");
	assert_wrong("places: [eu]", "2:10: places[0]: expected anywhere, or places as codes of two capitals such as [EU] or "
				     "[DE, CH], got \"eu\"\n");
	assert_wrong("places: []", "2:9: places: expected anywhere, or places as codes of two capitals such as [EU] or "
				   "[DE, CH], got a list\n");
	assert_wrong("places: [EU, EU]", "2:14: places[1]: \"EU\" stands in the list twice\n");
}

static void assert_later(const char *text, const char *later, const char *waits)
{
	AUTO(arena) a = {0};
	struct kind_later out;
	struct err e = {0};
	assert_int_equal(kind_later(&every_kind, parse(&a, text), &a, &out, &e), 0);
	assert_str(out.later, later);
	assert_str(out.waits, waits);
}

static void test_later(UNUSED void **state)
{
	assert_later("text: x", "", "");
	assert_later("rate: 5/s\naccelerator: H100\nlist: [1]", "rate, accelerator", "");
	assert_later("accelerator: L4", "", ""); // as the default says
	assert_later("date: 2027-01-01\nrate:", "", "date");
	assert_later("engine: local", "", "");
	assert_later("engine: slurm", "", "engine");
	assert_later("block: {text: x, late: y}\nblocks: [{text: a}, {late: b}]\nnamed: {one: {late: c}}",
		"block.late, blocks[1].late, named.one.late", "");
	AUTO(arena) a = {0};
	struct kind_later out;
	struct err e = {0};
	struct kind whole = every_kind;
	whole.waits = true;
	assert_int_equal(kind_later(&whole, parse(&a, "rate: 5/s"), &a, &out, &e), 0);
	assert_str(out.later, "");
	assert_str(out.waits, "everies");
	AUTO(arena) small = {.limit = 1};
	assert_int_equal(kind_later(&every_kind, parse(&a, "rate: 5/s"), &small, &out, &e), ERR_NO_MEMORY);
}

static void test_common(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct findings f = {.arena = &a};
	struct resource_common common;
	struct every e;
	struct kind provided = every_kind;
	provided.at_providers = true;
	const struct node *entry = parse(&a, "text: x\nprotect: true\nexisting: keep\ndrift: revert\nowner: group/ml\n");
	assert_int_equal(kind_decode(&every_kind, entry, &a, &e, &f), 0);
	assert_int_equal(kind_decode_common(&provided, entry, &a, &common, &f), 0);
	assert_true(common.protect);
	assert_str(common.existing, "keep");
	assert_str(common.drift, "revert");
	assert_str(common.owner.kind, "group");
	assert_str(common.owner.name, "ml");
	assert_int_equal(kind_decode_common(&every_kind, entry, &a, &common, &f), ERR_INVALID);
	assert_str(f.last->problem, "every every is Isobar's own: there is none that could exist before");
	assert_int_equal(f.last->at.line, 3);
	entry = parse(&a, "text: x\nprotect: 5\n");
	assert_int_equal(kind_decode_common(&every_kind, entry, &a, &common, &f), ERR_INVALID);
	assert_str(f.last->field, "protect");
	assert_int_equal(kind_decode_common(&every_kind, NULL, &a, &common, &f), 0);
	assert_false(common.protect);
	assert_str(common.drift, "report");
	assert_non_null(kind_field(&every_kind, S("protect")));
	assert_null(kind_field(&block_kind, S("protect"))); // a block is no resource
	assert_wrong("protcet: true", "2:1: protcet: every has no field \"protcet\"; did you mean \"protect\"?\n");
}

static void test_no_map(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct findings f = {.arena = &a};
	struct every e;
	assert_int_equal(kind_decode(&every_kind, parse(&a, "[1]"), &a, &e, &f), ERR_INVALID);
	assert_str(f.first->problem, "expected a map of the fields of every, got a list");
}

static void test_json(UNUSED void **state)
{
	AUTO(arena) a = {0};
	AUTO(json) j = NULL;
	struct every e;
	struct err error = {0};
	struct str text = S("{\"text\":\"x\",\"integer\":3,\"number\":1,\"flag\":false,\"duration\":\"5m\",\"list\":[4]"
			    ",\"block\":{\"text\":\"y\"}}");
	assert_int_equal(json_parse(text, &j, NULL), 0);
	assert_int_equal(kind_decode_json(&every_kind, j, &a, &e, &error), 0);
	assert_int_equal(e.integer, 3);
	assert_true(e.number == 1);
	assert_false(e.flag);
	assert_int_equal(((int64_t *)e.list.items)[0], 4);
	assert_str(e.block.text, "y");
	json_object_set_new(j, "integer", json_string("3"));
	json_object_set_new(j, "extra", json_string("3"));
	assert_int_equal(kind_decode_json(&every_kind, j, &a, &e, &error), ERR_CORRUPT);
	assert_string_equal(error.message, "decode every: extra: every has no field \"extra\" (and 1 more)");
	AUTO(arena) small = {.limit = 64};
	assert_int_equal(kind_decode_json(&every_kind, j, &small, &e, &error), ERR_NO_MEMORY);
}

static void test_find(UNUSED void **state)
{
	assert_ptr_equal(kind_find(kinds, S("everies")), &every_kind);
	assert_ptr_equal(kind_find(kinds, S("every")), &every_kind);
	assert_null(kind_find(kinds, S("ever")));
	assert_ptr_equal(kind_field(&every_kind, S("text")), &every_fields[1]);
	assert_null(kind_field(&every_kind, S("key")));
	assert_null(kind_field(&every_kind, S("")));
}

static struct str colour_at(UNUSED const void *ctx, size_t i)
{
	return str_of(colours[i]);
}

static void test_suggest(UNUSED void **state)
{
	assert_str(kind_suggest(S("gren"), colour_at, NULL, 3), "green");
	assert_str(kind_suggest(S("GREEN"), colour_at, NULL, 3), "green");
	assert_str(kind_suggest(S("bleu"), colour_at, NULL, 3), "blue");
	assert_str(kind_suggest(S("violet"), colour_at, NULL, 3), "");
	assert_str(kind_suggest(S(""), colour_at, NULL, 3), "");
}

// A copy of the table with one row spoilt.
static void assert_bad_row(struct field row, const char *expected)
{
	struct field fields[] = {{.name = "first", .type = FIELD_TEXT, .offset = 0, .help = "First."}, row};
	struct kind k = {.plural = "things", .singular = "thing", .help = "A thing.", .size = 64, KIND_FIELDS(fields)};
	const struct kind *const all[] = {&k, NULL};
	struct err e = {0};
	assert_int_equal(kind_verify(all, &e), ERR_INTERNAL);
	assert_string_equal(e.message, expected);
}

static void test_verify(UNUSED void **state)
{
	struct err e = {0};
	const struct kind block = {.plural = "blocks", .singular = "block", .help = "A block.", .size = 64};
	const struct kind *const both[] = {&every_kind, &block, NULL};
	if (kind_verify(both, &e) < 0)
		fail_msg("%s", e.message);
	assert_int_equal(kind_verify(kinds, &e), ERR_INTERNAL);
	assert_string_equal(e.message, "table of every, field part: refers to a kind that is not there");
	struct kind twin = every_kind;
	twin.plural = "twins";
	const struct kind *const twice[] = {&block, &twin, &every_kind, NULL};
	assert_int_equal(kind_verify(twice, &e), ERR_INTERNAL);
	assert_string_equal(e.message, "table of every, field -: its name belongs to another kind too");
	const struct field row = {.name = "x", .type = FIELD_TEXT, .offset = 16, .help = "X."};
	struct field bad = row;
	bad.name = "first";
	assert_bad_row(bad, "table of thing, field first: stands there twice");
	bad = row;
	bad.help = NULL;
	assert_bad_row(bad, "table of thing, field x: has no help of one line");
	bad = row;
	bad.offset = 56;
	assert_bad_row(bad, "table of thing, field x: lies outside the struct");
	bad = row;
	bad.type = FIELD_DURATION;
	bad.otherwise = "soon";
	assert_bad_row(bad, "table of thing, field x: its default is not a value of its type");
	bad.otherwise = "5m";
	bad.flags = FIELD_REQUIRED;
	assert_bad_row(bad, "table of thing, field x: is required and has a default");
	bad = row;
	bad.type = FIELD_BLOCK;
	assert_bad_row(bad, "table of thing, field x: has no block");
	bad = row;
	bad.type = FIELD_CHOICE;
	assert_bad_row(bad, "table of thing, field x: has no choices");
	bad = row;
	bad.type = FIELD_LIST;
	bad.item = FIELD_LIST;
	assert_bad_row(bad, "table of thing, field x: is a list of what no list holds");
	bad = row;
	bad.flags = FIELD_LATER | FIELD_WAITS;
	assert_bad_row(bad, "table of thing, field x: is both recorded only and waited for");
	bad.flags = 0;
	bad.acts = acting;
	assert_bad_row(bad, "table of thing, field x: lists what this release acts on, and does not say that the rest is later");
	bad = row;
	bad.type = FIELD_NAME;
	bad.flags = FIELD_SECRET;
	assert_bad_row(bad, "table of thing, field x: is a secret and no text");
	bad = row;
	bad.type = FIELD_CLOUD;
	assert_bad_row(bad, "table of thing, field x: is one cloud and has no row of clouds at its place");
}

static void test_many_findings_are_bounded(UNUSED void **state)
{
	AUTO(arena) a = {0};
	AUTO(buf) text = {0};
	struct findings f = {.arena = &a};
	struct every e;
	size_t kept = 0;
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "unknown_%d: 1\n", i);
	assert_int_equal(kind_decode(&every_kind, parse(&a, buf_cstr(&text)), &a, &e, &f), ERR_INVALID);
	for (const struct finding *finding = f.first; finding; finding = finding->next)
		kept++;
	assert_int_equal(kept, FINDINGS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_lists_and_blocks),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_wrong_scalars),
		cmocka_unit_test(test_secret_is_not_echoed),
		cmocka_unit_test(test_wrong_shapes),
		cmocka_unit_test(test_unknown_names),
		cmocka_unit_test(test_check_runs_on_sound_values),
		cmocka_unit_test(test_cloud),
		cmocka_unit_test(test_new_scalars),
		cmocka_unit_test(test_several_references),
		cmocka_unit_test(test_paths_and_places),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_common),
		cmocka_unit_test(test_no_map),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_many_findings_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Modules with inputs and outputs, and inputs that are other people's state.
#include "loaded_workspace.h"

// ---------------------------------------------------------------- modules
#define LAKE                                                                                                           \
	"variables:\n  where: {type: text}\n  rotate: {type: duration, default: 90d}\n"                                \
	"encryption_keys:\n  key: {clouds: [\"${var.where}\"], rotate: \"${var.rotate}\"}\n"                            \
	"buckets:\n  lake: {clouds: [\"${var.where}\"], encrypt_with: key}\n"                                          \
	"datasets:\n  set: {bucket: lake}\n"                                                                           \
	"transforms:\n  t: {input: set/train, needs: [\"fine on t/test\", run transform/t, uses transform/outer]}\n"   \
	"outputs:\n  bucket: bucket/lake\n  name: \"lake in ${var.where}\"\n  many: [1, 2]\n"

static void test_a_module_used_twice(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, LOADED_HEAD
		"variables: {first: {default: a}}\n"
		"modules:\n  one: {source: ./lib/lake, with: {where: \"${var.first}\"}}\n"
		"  two: {source: lib/lake/, with: {where: b, rotate: 30d}}\n"
		"transforms:\n  outer: {input: one.set, with: {b: \"${module.one.bucket}\", n: \"${module.two.name}!\", m: "
		"\"${module.two.many}\"}}\n");
	loaded_put(&l, "lib/lake/module.yaml", LAKE);
	loaded_put(&l, "lib/lake/more.yaml", "transforms:\n  u: {after: [t]}\n");
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_resolves(&l, "encryption-key/one.key on a", "{\"clouds\":[\"a\"],\"rotate\":\"90d\"}");
	loaded_resolves(&l, "encryption-key/two.key on b", "{\"clouds\":[\"b\"],\"rotate\":\"30d\"}");
	loaded_resolves(&l, "bucket/two.lake on b",
		"{\"clouds\":[\"b\"],\"encrypt_with\":\"encryption-key/two.key\",\"versioning\":false}");
	loaded_resolves(&l, "dataset/one.set", "{\"bucket\":\"bucket/one.lake\"}");
	loaded_resolves(&l, "transform/one.t",
		"{\"input\":\"dataset/one.set/train\",\"needs\":[\"fine on one.t/test\",\"run transform/one.t\",\"uses "
		"transform/outer\"]}");
	loaded_resolves(&l, "transform/two.u", "{\"after\":[\"transform/two.t\"]}");
	loaded_resolves(&l, "transform/outer",
		"{\"input\":\"dataset/one.set\",\"with\":{\"b\":\"bucket/one.lake\",\"m\":[1,2],\"n\":\"lake in b!\"}}");
	assert_int_equal(2 + 2 * 5 + 1, l.w.resource_count);
	loaded_end(&l);
}

static void test_modules_in_modules_and_for_each(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, LOADED_HEAD "modules:\n  m: {for_each: [a, b], source: outer, with: {where: \"${each.key}\"}}\n"
				     "transforms:\n  t: {with: {x: \"${module.m.b.inner_bucket}\"}}\n");
	loaded_put(&l, "outer/x.yaml", "variables: {where: {}}\nmodules:\n  in: {source: inner, with: {where: \"${var.where}\"}}\n"
				       "outputs: {inner_bucket: \"${module.in.bucket}\"}\ndatasets:\n  d: {bucket: in.lake}\n");
	loaded_put(&l, "inner/x.yaml", "variables: {where: {}}\ndefaults: {buckets: {versioning: true}}\n"
				       "buckets:\n  lake: {clouds: [\"${var.where}\"]}\noutputs: {bucket: bucket/lake}\n");
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_resolves(&l, "bucket/m.a.in.lake on a", "{\"clouds\":[\"a\"],\"versioning\":true}");
	loaded_resolves(&l, "dataset/m.b.d", "{\"bucket\":\"bucket/m.b.in.lake\"}");
	loaded_resolves(&l, "transform/t", "{\"with\":{\"x\":\"bucket/m.b.in.lake\"}}");
	loaded_end(&l);
}

static void test_wrong_modules(void **state)
{
	(void)state;
	struct loaded l;
	char link[128];
	loaded_begin(&l, LOADED_HEAD "modules:\n  none: {source: missing}\n  out: {source: ../x}\n  link: {source: link}\n"
				     "  bad: {source: lib, with: {there: 1, nothing: 2}}\n  empty: {source: lib}\n  no: {with: {}}\n"
				     "transforms:\n  t: {needs: [\"${module.empty.gone}\", \"${module.other.x}\", \"${module.none.x}\"]}\n");
	loaded_put(&l, "lib/a.yaml", "workspace: x\nvariables: {there: {type: integer, max: 0}}\noutputs: {some: 1}\n"
				     "transforms:\n  t: {colour: red}\n");
	snprintf(link, sizeof(link), "%s/link", l.folder);
	assert_int_equal(0, symlink("/etc", link));
	loaded_load(&l);
	const char *expected =
		"isobar.yaml:7:18: modules.none.source: cannot read the folder FOLDER/missing: No such file or directory (a "
		"module is a folder of .yaml files)\n"
		"isobar.yaml:8:17: modules.out.source: path \"../x\" has a part that is \".\" or \"..\" (write a path below the "
		"workspace's folder)\n"
		"isobar.yaml:9:18: modules.link.source: leads through a link, which may point outside of the workspace\n"
		"isobar.yaml:10:36: variables.there: 1 is more than the variable's max, which is 0\n"
		"isobar.yaml:10:39: variables: there is no variable \"nothing\" (declare it in `variables:`)\n"
		"isobar.yaml:11:3: modules.empty: the variable \"there\" has no value (write with: {there: VALUE})\n"
		"isobar.yaml:12:7: modules.no: \"source\" is missing; expected text\n"
		"isobar.yaml:14:15: transforms.t.needs[0]: ${module.empty.gone}: has no such output\n"
		"isobar.yaml:14:39: transforms.t.needs[1]: ${module.other.x}: there is no such name\n"
		"lib/a.yaml:1:1: workspace: is nothing that a module may declare: kinds, variables, outputs, modules, defaults\n"
		"lib/a.yaml:5:7: transforms.empty.t.colour: transform has no field \"colour\"\n";
	AUTO(buf) text = {0};
	struct str rest = buf_str(&l.text);
	for (ptrdiff_t at; (at = str_find(rest, str_of(l.folder))) >= 0; rest = str_drop(rest, (size_t)at + strlen(l.folder)))
		buf_printf(&text, "%.*sFOLDER", STR(str_take(rest, (size_t)at)));
	buf_add(&text, rest);
	if (strcmp(expected, buf_cstr(&text)) != 0)
		fprintf(stderr, "found:\n%s", buf_cstr(&text));
	assert_string_equal(expected, buf_cstr(&text));
	loaded_end(&l);
}

static void test_modules_in_a_ring(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, LOADED_HEAD "modules:\n  m: {source: ring}\n");
	loaded_put(&l, "ring/a.yaml", "modules:\n  m: {source: ring}\n");
	loaded_load(&l);
	assert_string_equal("ring/a.yaml:2:6: modules.m: the workspace grows past what is read: modules use each other too deeply, "
			    "or in a ring (declare less at once)\n",
		buf_cstr(&l.text));
	loaded_end(&l);
}

// ---------------------------------------------------------------- inputs
#define STATE                                                                                                          \
	"{\"version\":4,\"terraform_version\":\"1.9.0\",\"lineage\":\"x\",\"outputs\":{\"raw\":{\"value\":\"raw-prod\",\"type\":" \
	"\"string\"},\"list\":{\"value\":[\"a\",\"b\"],\"type\":[\"list\",\"string\"]},\"password\":{\"value\":\"hush\",\"type\":"     \
	"\"string\",\"sensitive\":true}}}"
#define WITH_INPUT                                                                                                     \
	LOADED_HEAD "environments:\n  p: {pocket: true}\n  real:\n"                                                    \
		    "inputs:\n  net: {terraform: \"file:net/${env}.tfstate\"}\n"                                       \
		    "buckets:\n  raw: {clouds: \"${inputs.net.list}\"}\n"                                              \
		    "transforms:\n  t: {with: {name: \"${inputs.net.raw}\"}}\n"

static void test_inputs(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, WITH_INPUT);
	loaded_put(&l, "net/real.tfstate", STATE);
	loaded_put(&l, "pocket/inputs/net.json", "{\"raw\":\"raw-pocket\",\"list\":[\"b\"]}");
	loaded_in(&l, "real");
	loaded_is_valid(&l);
	loaded_resolves(&l, "transform/t", "{\"with\":{\"name\":\"raw-prod\"}}");
	assert_non_null(loaded_find(&l, "bucket/raw on a"));
	loaded_in(&l, "p");
	loaded_is_valid(&l);
	loaded_resolves(&l, "transform/t", "{\"with\":{\"name\":\"raw-pocket\"}}");
	assert_null(loaded_find(&l, "bucket/raw on a"));
	loaded_put(&l, "pocket/inputs/net.json", STATE); // a stand-in may be a state, too
	loaded_in(&l, "p");
	loaded_resolves(&l, "transform/t", "{\"with\":{\"name\":\"raw-prod\"}}");
	loaded_end(&l);
}

static void test_wrong_inputs(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, WITH_INPUT);
	loaded_in(&l, "p");
	assert_string_equal("isobar.yaml:10:20: inputs.net.terraform: pocket/inputs/net.json: does not exist (write the outputs that "
			    "stand in for it on pocket clouds: {\"NAME\": \"value\"})\n",
		buf_cstr(&l.text));
	loaded_in(&l, "real");
	assert_string_equal("isobar.yaml:10:20: inputs.net.terraform: net/real.tfstate: does not exist\n", buf_cstr(&l.text));
	loaded_put(&l, "net/real.tfstate", "{\"version\":3,\"lineage\":\"x\"}");
	loaded_in(&l, "real");
	assert_string_equal("isobar.yaml:10:20: inputs.net.terraform: net/real.tfstate: is no state of version 4 (write it again "
			    "with a newer Terraform)\n",
		buf_cstr(&l.text));
	loaded_put(&l, "net/real.tfstate", "[]");
	loaded_in(&l, "real");
	assert_string_equal("isobar.yaml:10:20: inputs.net.terraform: net/real.tfstate: is no JSON object\n", buf_cstr(&l.text));
	loaded_put(&l, "net/real.tfstate", STATE);
	loaded_put(&l, "isobar.yaml", WITH_INPUT "  u: {with: {p: \"${inputs.net.password}\", q: \"${inputs.nte.raw}\"}}\n");
	loaded_in(&l, "real");
	assert_string_equal("isobar.yaml:15:17: transforms.u.with.p: ${inputs.net.password}: has no such output\n"
			    "isobar.yaml:15:46: transforms.u.with.q: ${inputs.nte.raw}: there is no such name (did you mean "
			    "\"net\"?)\n",
		buf_cstr(&l.text));
	loaded_end(&l);
}

static int read_store(void *ctx, struct str cloud, struct str url, struct buf *out, struct err *e)
{
	(void)e;
	assert_true(str_eq(S("a"), cloud));
	assert_true(str_eq(S("s3://states/net"), url));
	buf_add(out, str_of(ctx));
	return 0;
}

static void test_inputs_in_a_store(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, LOADED_HEAD "inputs:\n  net: {terraform: \"s3://states/net\", cloud: a}\n"
				     "transforms:\n  t: {with: {name: \"${inputs.net.raw}\"}}\n");
	loaded_load(&l);
	assert_int_equal(1, l.findings.count);
	assert_non_null(strstr(buf_cstr(&l.text), "isobar.yaml:7:20: inputs.net.terraform: it cannot be read here"));
	l.options.check_only = true; // nothing is done with it
	loaded_load(&l);
	loaded_is_valid(&l);
	assert_true(l.w.guessed);
	l.options.check_only = false;
	l.options.read_input = read_store;
	l.options.read_input_ctx = (void *)(uintptr_t)STATE;
	loaded_load(&l);
	loaded_is_valid(&l);
	assert_false(l.w.guessed);
	loaded_resolves(&l, "transform/t", "{\"with\":{\"name\":\"raw-prod\"}}");
	loaded_end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_module_used_twice),
		cmocka_unit_test(test_modules_in_modules_and_for_each),
		cmocka_unit_test(test_wrong_modules),
		cmocka_unit_test(test_modules_in_a_ring),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_wrong_inputs),
		cmocka_unit_test(test_inputs_in_a_store),
	};
	return cmocka_run_group_tests_name("infra-workspace_modules", tests, NULL, NULL);
}

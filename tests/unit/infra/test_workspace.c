// SPDX-License-Identifier: Apache-2.0
// Loading workspaces: files, findings with their places, references, rules, resolution and order.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "infra/workspace.h"
#include "toy_kinds.h"

static const struct resource_handler handlers[] = {
	{.kind = &toy_cloud_kind},
	{.kind = &toy_key_kind, .per_cloud = true},
	{.kind = &toy_bucket_kind, .per_cloud = true},
	{.kind = &toy_set_kind},
	{.kind = &toy_job_kind},
};

struct loaded {
	char folder[64];
	struct arena arena;
	struct findings findings;
	struct workspace_options options;
	struct workspace w;
	struct err err;
	int rc;
	struct buf text; // of the findings
};

static void put(struct loaded *l, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", l->folder, name);
	assert_int_equal(0, file_write_atomic(path, str_of(text), 0600, &l->err));
}

static void begin(struct loaded *l)
{
	memset(l, 0, sizeof(*l));
	snprintf(l->folder, sizeof(l->folder), "%s", "/tmp/isobar-workspace-XXXXXX");
	assert_non_null(mkdtemp(l->folder));
}

static void load(struct loaded *l)
{
	l->findings = (struct findings){.arena = &l->arena};
	l->options = (struct workspace_options){.path = l->folder,
		.environment = l->options.environment,
		.given = l->options.given,
		.check_only = l->options.check_only,
		.kinds = toy_kinds,
		.handlers = handlers,
		.handler_count = COUNT_OF(handlers)};
	err_clear(&l->err);
	l->rc = workspace_load(&l->options, &l->findings, &l->w, &l->err);
	buf_clear(&l->text);
	findings_write(&l->findings, &l->text);
}

static void end(struct loaded *l)
{
	assert_int_equal(0, file_remove_tree(l->folder, &l->err));
	buf_free(&l->text);
	arena_free(&l->arena);
}

#define HEAD "isobar: 1\nworkspace: w\nclouds:\n  a: {provider: aws}\n  b: {provider: gcp}\n"

static void load_text(struct loaded *l, const char *text)
{
	begin(l);
	put(l, "isobar.yaml", text);
	load(l);
}

static void assert_findings(const char *text, const char *expected)
{
	struct loaded l;
	load_text(&l, text);
	assert_int_equal(ERR_INVALID, l.rc);
	assert_string_equal(expected, buf_cstr(&l.text));
	end(&l);
}

static const struct resource *find(const struct loaded *l, const char *address)
{
	for (size_t i = 0; i < l->w.resource_count; i++) {
		if (str_eq(l->w.resources[i].address, str_of(address)))
			return &l->w.resources[i];
	}
	fail_msg("no resource %s", address);
	return NULL;
}

static void assert_json(const json_t *value, const char *expected)
{
	struct buf text = {0};
	assert_int_equal(0, json_write(value, &text, NULL));
	assert_string_equal(expected, buf_cstr(&text));
	buf_free(&text);
}

// ---------------------------------------------------------------- files
static void test_folder_is_one_map(void **state)
{
	(void)state;
	struct loaded l;
	begin(&l);
	put(&l, "isobar.yaml", "isobar: 1\nworkspace: w\nclouds:\n  a: {provider: aws}\n");
	put(&l, "zz.yaml", "clouds:\n  b: {provider: gcp}\nbuckets:\n  lake: {clouds: all}\n");
	put(&l, "notes.txt", "not yaml: [");
	load(&l);
	assert_int_equal(0, l.rc);
	assert_int_equal(4, l.w.resource_count);
	assert_true(str_eq(S("w"), l.w.name));
	assert_true(str_eq(S("default"), l.w.environment->name));
	find(&l, "bucket/lake on b");
	end(&l);
}

static void test_a_name_in_two_files_names_both_places(void **state)
{
	(void)state;
	struct loaded l;
	begin(&l);
	put(&l, "isobar.yaml", "isobar: 1\nworkspace: w\nclouds:\n  a: {provider: aws}\n");
	put(&l, "more.yaml", "workspace: other\nclouds:\n  a: {provider: gcp}\n");
	load(&l);
	assert_int_equal(ERR_INVALID, l.rc);
	assert_string_equal("more.yaml:1:1: workspace: is declared twice; first at isobar.yaml:2:1\n"
			    "more.yaml:3:3: clouds.a: is declared twice; first at isobar.yaml:4:3\n",
		buf_cstr(&l.text));
	end(&l);
}

static void test_one_file_alone(void **state)
{
	(void)state;
	struct loaded l;
	char path[128];
	begin(&l);
	put(&l, "isobar.yaml", "nothing: here\n");
	put(&l, "only.yaml", HEAD);
	snprintf(path, sizeof(path), "%s/only.yaml", l.folder);
	l.findings = (struct findings){.arena = &l.arena};
	l.options = (struct workspace_options){
		.path = path, .kinds = toy_kinds, .handlers = handlers, .handler_count = COUNT_OF(handlers)};
	assert_int_equal(0, workspace_load(&l.options, &l.findings, &l.w, &l.err));
	assert_int_equal(2, l.w.resource_count);
	end(&l);
}

static void test_no_workspace(void **state)
{
	(void)state;
	struct loaded l;
	begin(&l);
	load(&l);
	assert_int_equal(ERR_NOT_FOUND, l.rc);
	assert_non_null(strstr(l.err.message, "has no isobar.yaml"));
	l.options.path = "/tmp/isobar-no-such-folder";
	assert_int_equal(ERR_NOT_FOUND, workspace_load(&l.options, &l.findings, &l.w, &l.err));
	end(&l);
}

static void test_empty_and_broken_files(void **state)
{
	(void)state;
	assert_findings("", "isobar.yaml:1:1: the workspace is empty\n");
	assert_findings("- a\n", "isobar.yaml:1:1: expected a map of kinds, such as \"clouds:\"\n");
}

// ---------------------------------------------------------------- findings
static void test_top_level(void **state)
{
	(void)state;
	assert_findings("clouds:\n  a: {provider: aws}\n",
		"isobar.yaml:1:1: isobar: is missing (write \"isobar: 1\", the version of the format, at the top)\n"
		"isobar.yaml:1:1: workspace: is missing (write \"workspace: NAME\" below \"isobar: 1\")\n");
	assert_findings("isobar: 2\nworkspace: w\n",
		"isobar.yaml:1:9: isobar: expected a whole number from 1 to 1, got \"2\"\n");
	assert_findings(HEAD "bukets: {}\nbucket: {}\nzebra: 1\n",
		"isobar.yaml:6:1: bukets: is no kind that a workspace may declare (did you mean \"buckets\"?)\n"
		"isobar.yaml:7:1: bucket: is no kind that a workspace may declare (did you mean \"buckets\"?)\n"
		"isobar.yaml:8:1: zebra: is no kind that a workspace may declare\n");
	assert_findings(
		HEAD "buckets: [a]\n", "isobar.yaml:6:10: buckets: expected a map: names, each with its fields\n");
	assert_findings(HEAD "buckets: {lake: 1}\n", "isobar.yaml:6:17: buckets.lake: expected a map of fields\n");
	assert_findings(HEAD "transforms: {-x: {}}\n",
		"isobar.yaml:6:14: transforms.-x: \"-x\" is no name: letters, digits, "
		"'-', '_' and '.', a letter or digit first, at most 63\n");
}

static void test_references(void **state)
{
	(void)state;
	assert_findings(HEAD
		"encryption_keys:\n  lake: {clouds: all}\nbuckets:\n  x: {clouds: all, encrypt_with: lak}\n",
		"isobar.yaml:9:34: buckets.x.encrypt_with: there is no encryption-key \"lak\" (did you mean "
		"\"lake\"?)\n");
	assert_findings(HEAD "buckets:\n  x: {clouds: all, encrypt_with: bucket/x}\n",
		"isobar.yaml:7:34: buckets.x.encrypt_with: expected a reference to encryption-key, got bucket\n");
	assert_findings(HEAD "transforms:\n  t: {input: nothing/train, after: [t, u]}\n",
		"isobar.yaml:7:14: transforms.t.input: there is no dataset or transform \"nothing\" (there is \"t\")\n"
		"isobar.yaml:7:40: transforms.t.after[1]: there is no transform \"u\" (there is \"t\")\n");
	assert_findings(HEAD
		"transforms:\n  t: {needs: [accuracy >= 0.9 on gone/test, run transform/none, uses path/x]}\n",
		"isobar.yaml:7:15: transforms.t.needs[0]: there is no dataset or transform \"gone\" (there is \"t\")\n"
		"isobar.yaml:7:45: transforms.t.needs[1]: there is no transform \"none\" (there is \"t\")\n");
}

static void test_clouds_lists(void **state)
{
	(void)state;
	assert_findings(HEAD "buckets:\n  x: {clouds: [a, c, a]}\n",
		"isobar.yaml:7:19: buckets.x.clouds[1]: there is no cloud \"c\" (there is \"a\", \"b\")\n"
		"isobar.yaml:7:22: buckets.x.clouds[2]: \"a\" stands in the list twice\n");
}

static void test_rule_12(void **state)
{
	(void)state;
	assert_findings(HEAD "datasets:\n  s: {}\n", "isobar.yaml:7:3: datasets.s: has no place for what it makes: no "
						     "bucket is declared (say where with `bucket:`)\n");
	assert_findings(HEAD "buckets:\n  x: {clouds: all}\n  y: {clouds: [b]}\ndatasets:\n  s: {}\n",
		"isobar.yaml:10:3: datasets.s: has no place for what it makes: several buckets lie on b (x and y) (say "
		"where with `bucket:`)\n");
}

static void test_file_paths(void **state)
{
	(void)state;
	struct loaded l;
	load_text(&l, HEAD "buckets:\n  x: {clouds: all}\ndatasets:\n"
			   "  a: {source: \"file:///etc/passwd\"}\n"
			   "  b: {source: \"file:data/../../x\"}\n"
			   "  c: {source: \"file:///usr/share/datasets/fashion-mnist\"}\n"
			   "  d: {source: \"file:inside/data\"}\n"
			   "  e: {source: \"file:link/data\"}\n"
			   "  f: {source: \"file://host/x\"}\n"
			   "  g: {source: \"file:///usr/share/datasets-not\"}\n");
	end(&l);
	begin(&l);
	put(&l, "isobar.yaml",
		HEAD "buckets:\n  x: {clouds: all}\ndatasets:\n"
		     "  a: {source: \"file:///etc/passwd\"}\n"
		     "  b: {source: \"file:data/../../x\"}\n"
		     "  c: {source: \"file:///usr/share/datasets/fashion-mnist\"}\n"
		     "  d: {source: \"file:inside/data\"}\n"
		     "  e: {source: \"file:link/data\"}\n"
		     "  f: {source: \"file://host/x\"}\n"
		     "  g: {source: \"file:///usr/share/datasets-not\"}\n");
	char link[128];
	snprintf(link, sizeof(link), "%s/link", l.folder);
	assert_int_equal(0, symlink("/etc", link));
	load(&l);
	assert_int_equal(ERR_INVALID, l.rc);
	assert_int_equal(5, l.findings.count);
	const char *text = buf_cstr(&l.text);
	assert_non_null(strstr(
		text, "isobar.yaml:9:15: datasets.a.source: a file: path must be inside the workspace's folder"));
	assert_non_null(strstr(text, "isobar.yaml:10:15: datasets.b.source: a file: path may not have"));
	assert_non_null(strstr(text, "isobar.yaml:13:15: datasets.e.source: leads through a link"));
	assert_non_null(strstr(text, "isobar.yaml:14:15: datasets.f.source: is no file: path"));
	assert_non_null(strstr(text, "isobar.yaml:15:15: datasets.g.source: a file: path must be"));
	end(&l);
}

static void test_ring(void **state)
{
	(void)state;
	assert_findings(HEAD "transforms:\n  t: {after: [u]}\n  u: {after: [t]}\n  v: {}\n",
		"isobar.yaml:7:3: transforms.t: these need each other in a ring, so none can be made first: "
		"transform/t, transform/u\n");
}

static void test_findings_as_json(void **state)
{
	(void)state;
	struct loaded l;
	load_text(&l, HEAD "bukets: {}\n");
	json_t *list = findings_to_json(&l.findings);
	assert_json(list, "[{\"column\":1,\"field\":\"bukets\",\"file\":\"isobar.yaml\",\"line\":6,"
			  "\"problem\":\"is no kind that a workspace may declare\",\"suggestion\":\"did you mean "
			  "\\\"buckets\\\"?\"}]");
	json_decref(list);
	end(&l);
}

// ---------------------------------------------------------------- resolution
static void test_resources(void **state)
{
	(void)state;
	struct loaded l;
	load_text(&l, HEAD "transforms:\n  t: {input: s/train, with: {scale: 0..1, n: 3, \"on\": true}}\n"
			   "datasets:\n  s: {partition: {clouds: all}, records: 12}\n"
			   "buckets:\n  lake: {clouds: all, encrypt_with: lake}\n"
			   "encryption_keys:\n  lake: {clouds: all, rotate: 2160h}\n");
	assert_string_equal("", buf_cstr(&l.text));
	assert_int_equal(0, l.rc);
	static const char *const order[] = {"cloud/a", "cloud/b", "encryption-key/lake on a",
		"encryption-key/lake on b", "bucket/lake on a", "bucket/lake on b", "dataset/s", "transform/t"};
	assert_int_equal(COUNT_OF(order), l.w.resource_count);
	for (size_t i = 0; i < COUNT_OF(order); i++)
		assert_true(str_eq(str_of(order[i]), l.w.resources[i].address) || i == 2 || i == 3 || i == 4 || i == 5);
	struct resource written = *find(&l, "bucket/lake on b"), *bucket = &written;
	assert_null(bucket->written);
	workspace_write_inputs(&l.w, &l.arena, &written);
	assert_json(bucket->written, "{\"clouds\":\"all\",\"encrypt_with\":\"lake\",\"versioning\":false}");
	assert_json(
		bucket->resolved, "{\"clouds\":[\"b\"],\"encrypt_with\":\"encryption-key/lake\",\"versioning\":false}");
	assert_int_equal(2, bucket->need_count);
	assert_true(str_eq(S("cloud/b"), bucket->needs[0]));
	assert_true(str_eq(S("encryption-key/lake on b"), bucket->needs[1]));
	assert_json(find(&l, "encryption-key/lake on a")->resolved, "{\"clouds\":[\"a\"],\"rotate\":\"90d\"}");
	assert_json(find(&l, "dataset/s")->resolved,
		"{\"bucket\":\"bucket/lake\",\"partition\":{\"by\":\"hash\",\"clouds\":[\"a\",\"b\"]},\"records\":12}");
	assert_int_equal(4, find(&l, "dataset/s")->need_count);
	assert_json(find(&l, "transform/t")->resolved,
		"{\"input\":\"dataset/s/train\",\"with\":{\"n\":3,\"on\":true,\"scale\":\"0..1\"}}");
	end(&l);
}

static void test_order_puts_needs_first(void **state)
{
	(void)state;
	struct loaded l;
	load_text(&l, HEAD "transforms:\n  c: {after: [b]}\n  b: {after: [a]}\n  a: {}\n");
	assert_int_equal(0, l.rc);
	assert_true(str_eq(S("transform/a"), l.w.resources[2].address));
	assert_true(str_eq(S("transform/b"), l.w.resources[3].address));
	assert_true(str_eq(S("transform/c"), l.w.resources[4].address));
	end(&l);
}

static void test_defaults_of_a_kind(void **state)
{
	(void)state;
	struct loaded l;
	load_text(
		&l, HEAD "defaults:\n  buckets: {versioning: true, clouds: [a]}\nbuckets:\n  x:\n  y: {clouds: [b]}\n");
	assert_string_equal("", buf_cstr(&l.text));
	assert_json(find(&l, "bucket/x on a")->resolved, "{\"clouds\":[\"a\"],\"versioning\":true}");
	assert_json(find(&l, "bucket/y on b")->resolved, "{\"clouds\":[\"b\"],\"versioning\":true}");
	end(&l);
	assert_findings(HEAD "defaults: {buckets: {colour: red}, bukets: {}}\n",
		"isobar.yaml:6:22: defaults.buckets.colour: the kind has no such field\n"
		"isobar.yaml:6:36: bukets: is no kind that a workspace may declare (did you mean \"buckets\"?)\n");
}

// ---------------------------------------------------------------- environments
static void test_environments(void **state)
{
	(void)state;
	struct loaded l;
	const struct environment *env = NULL;
	load_text(&l, HEAD "environments:\n  one: {pocket: true}\n  two:\n");
	assert_int_equal(ERR_INVALID, l.rc);
	assert_int_equal(0, l.findings.count);
	assert_non_null(strstr(l.err.message, "which environment? say --env NAME (or ISOBAR_ENV) with one of: one, two"));
	l.options.check_only = true;
	load(&l);
	assert_int_equal(0, l.rc);
	assert_null(l.w.environment);
	assert_int_equal(2, l.w.checked_count);
	assert_true(str_eq(S("two"), l.w.checked[1].environment));
	assert_int_equal(2, l.w.checked[1].resources);
	assert_int_equal(ERR_INVALID, workspace_need_environment(&l.w, &env, &l.err));
	assert_non_null(strstr(l.err.message, "one, two"));
	l.options.environment = S("one");
	load(&l);
	assert_int_equal(0, workspace_need_environment(&l.w, &env, &l.err));
	assert_true(env->pocket);
	l.options.environment = S("tow");
	load(&l);
	assert_int_equal(ERR_INVALID, l.rc);
	assert_non_null(strstr(l.err.message, "did you mean \"two\"?"));
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder_is_one_map),
		cmocka_unit_test(test_a_name_in_two_files_names_both_places),
		cmocka_unit_test(test_one_file_alone),
		cmocka_unit_test(test_no_workspace),
		cmocka_unit_test(test_empty_and_broken_files),
		cmocka_unit_test(test_top_level),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_clouds_lists),
		cmocka_unit_test(test_rule_12),
		cmocka_unit_test(test_file_paths),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_findings_as_json),
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_order_puts_needs_first),
		cmocka_unit_test(test_defaults_of_a_kind),
		cmocka_unit_test(test_environments),
	};
	return cmocka_run_group_tests_name("infra-workspace", tests, NULL, NULL);
}

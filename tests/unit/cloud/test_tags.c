// SPDX-License-Identifier: Apache-2.0
// Whose mark a bucket's tags are, and what that means for making and changing a bucket through resources.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/kind.h"
#include "cloud/resources.h"
#include "cloud/tags.h"
#include "cloud_test.h"
#include "memory_cloud.h"

// ---------------------------------------------------------------- owners
static const struct {
	const char *name, *value, *by; // by "": nobody
} owners[] = {
	{"aws:cloudformation:stack-name", "net", "CloudFormation"},
	{"goog-terraform-provisioned", "true", "Terraform"},
	{"ManagedBy", "Terraform", "Terraform"},
	{"managed_by", "terraform-cloud", "Terraform"},
	{"managed-by", "OpenTofu", "OpenTofu"},
	{"pulumi:project", "x", "Pulumi"},
	{"goog-pulumi-provisioned", "true", "Pulumi"},
	{"meta.helm.sh/release-name", "x", "Helm"},
	{"app.kubernetes.io/managed-by", "Helm", "Helm"},
	{"app_kubernetes_io_managed_by", "argo", "Kubernetes"},
	{"kubernetes.io/cluster/blue", "owned", "Kubernetes"},
	{"managed-by-cnrm", "true", "Kubernetes"},
	{"goog-terraform-provisioned", "false", ""},
	{"team", "terraform", ""},
	{"managed-by", "hand", ""},
	{"terraforming", "true", ""},
};

static void test_owners(void **state)
{
	(void)state;
	struct cloud_test t;
	cloud_test_init(&t);
	for (size_t i = 0; i < COUNT_OF(owners); i++) {
		struct tags_owner owner;
		json_t *tags = json_in_arena(&t.arena, json_pack("{s:s}", owners[i].name, owners[i].value));
		assert_int_equal(0, tags_find_owner(&t.arena, tags, &owner));
		if (!str_eq(owner.by, str_of(owners[i].by)))
			fail_msg("%s=%s: %.*s", owners[i].name, owners[i].value, STR(owner.by));
		assert_int_equal(*owners[i].by != 0, owner.advice.n > 0);
	}
	cloud_test_free(&t);
}

static void test_mark(void **state)
{
	(void)state;
	struct cloud_test t;
	struct tags_owner owner;
	cloud_test_init(&t);
	json_t *mine = json_in_arena(&t.arena, json_pack("{s:s}", "team", "ml"));
	json_t *marked = json_in_arena(&t.arena, tags_with_mark(mine, S("returns"), S("u-1")));
	assert_int_equal(3, json_object_size(marked));
	assert_int_equal(0, tags_find_owner(&t.arena, marked, &owner));
	assert_true(str_eq(S("returns"), owner.workspace) && str_eq(S("u-1"), owner.uid) && owner.by.n == 0);
	assert_true(json_equal(mine, json_in_arena(&t.arena, tags_without_mark(&t.arena, marked))));
	json_t *azure = json_in_arena(&t.arena, json_pack("{s:s, s:s}", "isobar_uid", "u-2", "Team", "ml"));
	assert_int_equal(0, tags_find_owner(&t.arena, azure, &owner));
	assert_true(str_eq(S("u-2"), owner.uid));
	assert_int_equal(1, json_object_size(json_in_arena(&t.arena, tags_without_mark(&t.arena, azure))));
	assert_true(str_eq(S("cost_centre-1"), tags_plain(&t.arena, S("Cost_Centre:1"), '-', 63)));
	assert_true(str_eq(S("a_b_c"), tags_plain(&t.arena, S("a-b.c"), '_', 63)));
	assert_true(str_eq(S("abc"), tags_plain(&t.arena, S("abcdef"), '-', 3)));
	cloud_test_free(&t);
}

// ---------------------------------------------------------------- resources
struct world {
	struct cloud_test t;
	struct memory_cloud m;
	struct call *c;
};

static void begin(struct world *w)
{
	cloud_test_init(&w->t);
	w->c = &w->t.call;
	memory_cloud_init(&w->m, "aws-us", "aws");
	w->m.cloud.resources = &parts_resource_ops;
	w->m.cloud.resources_ctx = &w->m.cloud;
}

static void end(struct world *w)
{
	memory_cloud_free(&w->m);
	cloud_test_free(&w->t);
}

static int make(struct world *w, const char *slot, const char *inputs)
{
	json_t *in = NULL, *out = NULL;
	const struct cloud *cl = &w->m.cloud;
	assert_int_equal(0, json_parse(str_of(inputs), &in, NULL));
	in = json_in_arena(&w->t.arena, in);
	err_clear(&w->c->err);
	int rc = *slot == 'c' ? CLOUD_CALL(w->c, cl, resources, create, S("bucket"), S("lake"), in, &out)
			      : CLOUD_CALL(w->c, cl, resources, update, S("bucket"), S("lake"), in, &out);
	json_decref(out);
	return rc;
}

static const json_t *read_bucket(struct world *w)
{
	json_t *out = NULL;
	const struct cloud *cl = &w->m.cloud;
	assert_int_equal(0, CLOUD_CALL(w->c, cl, resources, read, S("bucket"), S("lake"), &out));
	return json_in_arena(&w->t.arena, out);
}

static void set_tags(struct world *w, json_t *tags)
{
	const struct cloud *cl = &w->m.cloud;
	assert_int_equal(0, CLOUD_CALL(w->c, cl, store, bucket_set_tags, S("lake"), json_in_arena(&w->t.arena, tags)));
}

static void test_create_marks(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	assert_int_equal(0,
		make(&w, "create", "{\"workspace\":\"returns\",\"uid\":\"u-1\",\"labels\":{\"team\":\"ml\"}}"));
	const json_t *out = read_bucket(&w);
	assert_string_equal("u-1", json_text(json_object_get(out, "mark"), "uid"));
	assert_string_equal("returns", json_text(json_object_get(out, "mark"), "workspace"));
	const json_t *labels = json_object_get(json_object_get(out, "settings"), "labels");
	assert_int_equal(1, json_object_size(labels));
	assert_string_equal("ml", json_text(labels, "team"));
	assert_null(json_object_get(out, "owner"));
	assert_int_equal(0, make(&w, "create", "{\"workspace\":\"returns\",\"uid\":\"u-1\"}")); // ours: found again
	end(&w);
}

static void test_create_takes_nothing_over(void **state)
{
	(void)state;
	struct world w;
	static const char ours[] = "{\"workspace\":\"returns\",\"uid\":\"u-1\"}";
	begin(&w);
	memory_cloud_bucket(&w.m, "lake");
	assert_int_equal(ERR_EXISTS, make(&w, "create", ours));
	assert_non_null(strstr(w.c->err.message, "exists already and Isobar did not make it: write `existing: adopt`"));
	set_tags(&w, json_pack("{s:s}", "pulumi:project", "x"));
	assert_int_equal(ERR_DENIED, make(&w, "create", ours));
	assert_non_null(strstr(w.c->err.message, "belongs to Pulumi (pulumi:project=x)"));
	assert_int_equal(ERR_DENIED, // an earlier try does not make somebody else's bucket ours
		make(&w, "create", "{\"workspace\":\"returns\",\"uid\":\"u-1\",\"resumed\":true}"));
	assert_string_equal("Pulumi", json_text(json_object_get(read_bucket(&w), "owner"), "by"));
	set_tags(&w, json_pack("{s:s, s:s}", TAG_WORKSPACE, "other", TAG_UID, "u-9"));
	assert_int_equal(ERR_DENIED, make(&w, "create", ours));
	assert_non_null(strstr(w.c->err.message, "belongs to the Isobar workspace other"));
	set_tags(&w, json_object());
	assert_int_equal(0, make(&w, "create", "{\"workspace\":\"returns\",\"uid\":\"u-1\",\"resumed\":true}"));
	assert_string_equal("u-1", json_text(json_object_get(read_bucket(&w), "mark"), "uid"));
	end(&w);
}

static void test_update_keeps_what_others_wrote(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	assert_int_equal(
		0, make(&w, "create", "{\"workspace\":\"r\",\"uid\":\"u-1\",\"labels\":{\"a\":\"1\",\"b\":\"2\"}}"));
	set_tags(&w, json_pack("{s:s, s:s, s:s}", "a", "changed", "b", "2", "theirs", "x"));
	assert_int_equal(0,
		make(&w, "update",
			"{\"workspace\":\"r\",\"uid\":\"u-1\",\"labels\":{\"a\":\"3\"},\"drop\":[\"a\",\"b\"]}"));
	const json_t *labels = json_object_get(json_object_get(read_bucket(&w), "settings"), "labels");
	assert_int_equal(2, json_object_size(labels));
	assert_string_equal("3", json_text(labels, "a"));
	assert_string_equal("x", json_text(labels, "theirs"));
	assert_int_equal(0, // `drift: revert`: back to what was there at the last apply
		make(&w, "update",
			"{\"workspace\":\"r\",\"uid\":\"u-1\",\"labels\":{\"a\":\"1\"},\"was\":{\"a\":\"1\",\"old\":\"y\"}}"));
	labels = json_object_get(json_object_get(read_bucket(&w), "settings"), "labels");
	assert_int_equal(2, json_object_size(labels));
	assert_string_equal("y", json_text(labels, "old"));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_create_marks),
		cmocka_unit_test(test_create_takes_nothing_over),
		cmocka_unit_test(test_update_keeps_what_others_wrote),
	};
	return cmocka_run_group_tests_name("cloud-tags", tests, NULL, NULL);
}

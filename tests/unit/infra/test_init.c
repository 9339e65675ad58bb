// SPDX-License-Identifier: Apache-2.0
// First workspaces: names, the empty one, sources whose drivers come later, credentials that are not there. What is
// found on accounts is looked at by tests/scenario/test_init.py.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/node.h"
#include "infra/init.h"

struct fixture {
	struct arena arena;
	struct call c;
	char folder[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	call_init(&f->c, &f->arena, edges_real(), S("test"));
	memcpy(f->folder, "/tmp/isobar-test-init-XXXXXX", sizeof("/tmp/isobar-test-init-XXXXXX"));
	*state = f;
	return mkdtemp(f->folder) ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int rc = file_remove_tree(f->folder, NULL);
	arena_free(&f->arena);
	free(f);
	return rc;
}

static void expect_name(struct fixture *f, const char *folder, const char *name)
{
	struct str got = init_name_of(&f->arena, str_of(folder));
	if (!str_eq(got, str_of(name)))
		fail_msg("%s gives %.*s, expected %s", folder, STR(got), name);
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	expect_name(f, "/home/ann/Fashion Demo/", "fashion-demo");
	expect_name(f, "fashion", "fashion");
	expect_name(f, "/srv/2026_lake..", "x2026-lake");
	expect_name(f, "/\xc3\xa9", "workspace");
	expect_name(f, "/", "workspace");
}

static json_t *make(struct fixture *f, const char *from)
{
	struct str source = str_of(from);
	struct init_request r = {.name = S("mine"), .from = &source, .from_count = from ? 1 : 0};
	json_t *out = NULL;
	assert_int_equal(init_workspace(&f->c, &r, &out), 0);
	return out;
}

static const char *unseen(const json_t *made)
{
	return json_string_value(json_array_get(json_object_get(made, "unseen"), 0));
}

static void test_empty(void **state)
{
	struct fixture *f = *state;
	struct findings findings = {.arena = &f->arena};
	struct node *root = NULL;
	json_t *made = make(f, NULL);
	assert_string_equal(json_text(made, "workspace"), "mine");
	assert_int_equal(json_array_size(json_object_get(made, "clouds")), 0);
	assert_int_equal(node_parse_yaml(json_str(made, "text"), "isobar.yaml", &findings, &root), 0);
	assert_true(str_eq(node_member(root, S("workspace"))->text, S("mine")));
	assert_non_null(node_member(node_member(root, S("clouds")), S("aws-us")));
}

static void test_kubernetes(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	struct str path = arena_printf(&f->arena, "%s/config", f->folder);
	setenv("KUBECONFIG", path.p, 1);
	json_t *made = make(f, "kubernetes");
	assert_non_null(strstr(unseen(made), "kubernetes: unsupported until its driver comes"));
	assert_int_equal(file_write_atomic(path.p, S("contexts:\n- name: eks-dev\n- name: eks-prod\n"), 0600, &e), 0);
	made = make(f, "kubernetes");
	assert_non_null(strstr(unseen(made), ": eks-dev, eks-prod"));
	assert_true(str_find(json_str(made, "text"), S("# - kubernetes: unsupported")) > 0);
	assert_int_equal(file_write_atomic(path.p, S("contexts: [a\n"), 0600, &e), 0);
	made = make(f, "kubernetes");
	assert_non_null(strstr(unseen(made), "is no kubeconfig"));
	unsetenv("KUBECONFIG");
}

static void test_slurm(void **state)
{
	struct fixture *f = *state;
	setenv("SLURM_CONF", "/nonexistent/slurm.conf", 1);
	assert_string_equal(unseen(make(f, "slurm")),
		"slurm: unsupported until its driver comes; /nonexistent/slurm.conf is not there");
	unsetenv("SLURM_CONF");
}

static void test_nothing_to_look_with(void **state)
{
	struct fixture *f = *state;
	assert_string_equal(unseen(make(f, "aws")), "aws: no credentials are read here");
	struct str source = S("oracle");
	struct init_request r = {.name = S("mine"), .from = &source, .from_count = 1};
	json_t *out = NULL;
	assert_int_equal(init_workspace(&f->c, &r, &out), ERR_INVALID);
	assert_string_equal(f->c.err.message, "--from \"oracle\" is none of aws, gcp, azure, kubernetes, slurm");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {TEST(test_names), TEST(test_empty), TEST(test_kubernetes), TEST(test_slurm),
		TEST(test_nothing_to_look_with)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Every allocation fails once: the n-th and all later ones, for every n until the act succeeds. It must then say "out
// of memory" (or, for a buffer, remember it), leave its outputs alone and leak nothing (the address sanitizer's build
// looks for that).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/kind_explain.h"
#include "base/node.h"
#include "every_kind.h"
#include "failing_malloc.h"

// Runs act with ever more allocations until it succeeds; 0, or the code it must have failed with.
static void fail_each(int (*act)(void))
{
	for (size_t n = 0; n < 100000; n++) {
		failing_malloc_after(n);
		int rc = act();
		bool refused = failing_malloc_stop();
		if (!refused) {
			assert_int_equal(rc, 0);
			assert_true(n > 0);
			return;
		}
		if (rc != 0) // an act may do without what was refused
			assert_int_equal(rc, ERR_NO_MEMORY);
	}
	fail_msg("never succeeds");
}

static int act_buf(void)
{
	AUTO(buf) b = {0};
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	base64_encode(S("some bytes"), &b);
	int rc = buf_check(&b, NULL);
	assert_true((rc == 0) == (b.n == 3890 + 16));
	return rc;
}

static int act_arena(void)
{
	AUTO(arena) a = {0};
	for (size_t i = 0; i < 100; i++)
		if (!arena_alloc(&a, i * 50) || !arena_printf(&a, "%zu", i).p)
			return ERR_NO_MEMORY;
	return 0;
}

static const char json_text_of_test[] =
	"{\"a\":[1,2.5,\"text\",true,null,{\"b\":\"c\"}],\"d\":{\"e\":[[],{}]},\"f\":\"\\u00fc\"}";

static int act_json(void)
{
	AUTO(json) j = NULL;
	AUTO(buf) out = {0};
	struct err e = {0};
	int rc = json_parse(str_of(json_text_of_test), &j, &e);
	if (rc < 0) {
		assert_null(j);
		return ERR_NO_MEMORY; // jansson tells a failed allocation inside a token as a fault of the syntax
	}
	rc = json_write(j, &out, &e);
	if (rc == 0)
		rc = json_write_pretty(j, &out, &e);
	return rc;
}

static const char yaml_text[] =
	"text: x\nlist: [1, 2]\nblock: {text: y}\nnamed: {a: {text: z}}\nclouds: [a, b]\nwith: {deep: [{er: 1}]}\n";

static int act_node(void)
{
	AUTO(arena) a = {0};
	struct findings f = {.arena = &a};
	struct node *root = NULL;
	struct every every;
	struct err e = {0};
	int rc = node_parse_yaml(str_of(yaml_text), "x.yaml", &f, &root);
	if (rc == 0)
		rc = kind_decode(&every_kind, root, &a, &every, &f);
	else
		assert_null(root);
	assert_true((rc == 0) == (f.count == 0));
	if (rc < 0 && f.first)
		assert_non_null(strstr(f.first->problem.p, "out of memory"));
	return rc < 0 ? ERR_NO_MEMORY : findings_err(&f, ERR_INVALID, &e);
}

static int act_node_json(void)
{
	AUTO(arena) a = {0};
	AUTO(json) j = NULL;
	AUTO(json) back = NULL;
	if (json_parse(str_of(json_text_of_test), &j, NULL) < 0)
		return ERR_NO_MEMORY;
	const struct node *n = node_of_json(j, &a);
	if (!n)
		return ERR_NO_MEMORY;
	back = node_to_json(n);
	return back && json_equal(back, j) ? 0 : ERR_NO_MEMORY;
}

static int act_explain(void)
{
	static const struct kind *const kinds[] = {&every_kind, NULL};
	AUTO(buf) out = {0};
	return kind_explain(kinds, S("every.block.number"), &out, NULL);
}

static char path[64];

static int act_file(void)
{
	AUTO(buf) out = {0};
	int rc = file_read(path, 1000, &out, NULL);
	assert_int_equal(out.n, rc == 0 ? 4 : 0);
	return rc;
}

static void test_buf(UNUSED void **state)
{
	fail_each(act_buf);
}

static void test_arena(UNUSED void **state)
{
	fail_each(act_arena);
}

static void test_json(UNUSED void **state)
{
	json_set_alloc_funcs(failing_malloc, free);
	fail_each(act_json);
}

static void test_node(UNUSED void **state)
{
	fail_each(act_node);
}

static void test_node_json(UNUSED void **state)
{
	json_set_alloc_funcs(failing_malloc, free);
	fail_each(act_node_json);
}

static void test_explain(UNUSED void **state)
{
	fail_each(act_explain);
}

static void test_file(UNUSED void **state)
{
	char folder[] = "/tmp/isobar-test-memory-XXXXXX";
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/x", folder);
	assert_int_equal(file_write_atomic(path, S("text"), 0600, NULL), 0);
	fail_each(act_file);
	assert_int_equal(file_remove_tree(folder, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_node_json),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

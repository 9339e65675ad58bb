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
#include "base/kind_schema.h"
#include "base/metrics.h"
#include "base/node.h"
#include "base/options.h"
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

// As it stands in state, by which it is decoded again.
static int act_kind_json(void)
{
	AUTO(arena) a = {0};
	struct every every;
	struct err e = {0};
	json_t *j = NULL;
	if (json_parse(S("{\"text\":\"x\",\"list\":[1,2],\"block\":{\"text\":\"y\"},\"clouds\":[\"a\",\"b\"]}"), &j,
		    &e) < 0)
		return e.code;
	int rc = kind_decode_json(&every_kind, j, &a, &every, &e);
	json_decref(j);
	return rc;
}

static int act_schema(void)
{
	static const struct kind *const kinds[] = {&every_kind, NULL};
	AUTO(json) schema = kind_schema(kinds, NULL);
	return schema ? 0 : ERR_NO_MEMORY;
}

static void count_sample(void *ctx, const struct metrics_sample_read *s)
{
	*(int *)ctx += s->value == 3;
}

static int act_metrics(void)
{
	AUTO(arena) a = {0};
	AUTO(buf) text = {0}, labels = {0};
	int seen = 0;
	metrics_label(&labels, "route", S("a\"b"));
	metrics_head(&text, "requests_total", "counter", "How many.");
	metrics_sample(&text, "requests_total", buf_cstr(&labels), 3);
	if (buf_check(&labels, NULL) < 0 || buf_check(&text, NULL) < 0)
		return ERR_NO_MEMORY;
	int rc = metrics_parse(buf_str(&text), count_sample, &seen, NULL);
	if (rc == 0)
		assert_int_equal(seen, 1);
	return rc < 0 ? rc : metrics_label_get(buf_str(&labels), "route", &a).p ? 0 : ERR_NO_MEMORY;
}

struct options_of_test {
	struct option_texts many;
	const char *text;
};
static const struct option options_of_test[] = {
	{.name = "many",
		.type = OPTION_REPEAT,
		.offset = offsetof(struct options_of_test, many),
		.argument = "X",
		.help = "Many."},
	{.name = "text",
		.type = OPTION_TEXT,
		.offset = offsetof(struct options_of_test, text),
		.argument = "X",
		.help = "One."},
};

static int run_of_test(const struct arguments *arguments)
{
	const struct options_of_test *o = arguments->options;
	assert_int_equal(o->many.count, 3);
	assert_int_equal(arguments->count, 2);
	return 0;
}

static int act_options(void)
{
	static const struct command command = {.name = "test",
		.help = "Tests.",
		COMMAND_OPTIONS(options_of_test, struct options_of_test),
		.max_arguments = 9,
		.run = run_of_test};
	static const struct command *const commands[] = {&command};
	char *argv[] = {"isobar", "test", "--many=1", "--many", "2", "x", "--many=3", "--text", "t", "y", NULL};
	int code = command_main(commands, 1, 10, argv, NULL);
	return code == 0 ? 0 : code == err_exit_code(ERR_NO_MEMORY) ? ERR_NO_MEMORY : ERR_INTERNAL;
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

static void test_kinds(UNUSED void **state)
{
	json_wipe_freed(); // whose malloc is ours to refuse
	fail_each(act_kind_json);
	fail_each(act_schema);
}

static void test_metrics(UNUSED void **state)
{
	fail_each(act_metrics);
}

static void test_options(UNUSED void **state)
{
	fail_each(act_options);
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
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

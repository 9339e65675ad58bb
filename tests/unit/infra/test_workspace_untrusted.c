// SPDX-License-Identifier: Apache-2.0
// Workspaces that mean harm: they read nothing that is not theirs, wait for nothing, and neither memory nor time grows
// past what is bounded. Each is loaded as --untrusted would.
#include <sys/stat.h>

#include "loaded_workspace.h"

enum { MOST_MEMORY = 200 << 20 };

static void begin(struct loaded *l, const char *text)
{
	loaded_begin(l, text);
	l->options.given.untrusted = true;
	l->options.check_only = true;
}

static void found(struct loaded *l, const char *what)
{
	loaded_load(l);
	assert_int_equal(ERR_INVALID, l->rc);
	assert_true(l->arena.used < MOST_MEMORY);
	if (!strstr(buf_cstr(&l->text), what))
		fail_msg("not found: %s\nin: %.2000s", what, buf_cstr(&l->text));
}

static void link_to(const struct loaded *l, const char *target, const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", l->folder, name);
	(void)unlink(path);
	assert_int_equal(0, symlink(target, path));
}

// ---------------------------------------------------------------- files that are not theirs
static void test_links(void **state)
{
	(void)state;
	struct loaded l;
	begin(&l, LOADED_HEAD "environments: {e: {overlay: env/e.yaml}}\nmodules: {m: {source: lib}}\n"
			      "inputs: {net: {terraform: \"file:x\"}}\ndatasets: {d: {bucket: b, source: \"file:data/x\"}}\n"
			      "buckets: {b: {clouds: all}}\n");
	loaded_put(&l, "pocket/x", "");
	loaded_put(&l, "env/x", "");
	link_to(&l, "/etc/hostname", "env/e.yaml");
	link_to(&l, "/etc", "lib");
	link_to(&l, "/etc", "pocket/inputs");
	link_to(&l, "/etc", "data");
	found(&l, "environments.e.overlay: leads through a link");
	found(&l, "modules.m.source: leads through a link");
	found(&l, "inputs.net.terraform: pocket/inputs/net.json: leads through a link");
	found(&l, "datasets.d.source: leads through a link");
	assert_null(strstr(buf_cstr(&l.text), "root:"));
	loaded_end(&l);
}

static void test_the_workspace_is_a_link(void **state)
{
	(void)state;
	struct loaded l;
	begin(&l, LOADED_HEAD);
	link_to(&l, "/etc/passwd", "more.yaml");
	loaded_load(&l);
	assert_int_equal(ERR_DENIED, l.rc);
	assert_non_null(strstr(l.err.message, "more.yaml is a link: a workspace that is not trusted may have none"));
	loaded_end(&l);
}

// Opening it would wait for ever.
static void test_what_is_no_file(void **state)
{
	(void)state;
	struct loaded l;
	char path[256];
	begin(&l, LOADED_HEAD);
	snprintf(path, sizeof(path), "%s/pipe.yaml", l.folder);
	assert_int_equal(0, mkfifo(path, 0600));
	loaded_load(&l);
	assert_int_equal(ERR_INVALID, l.rc);
	assert_non_null(strstr(l.err.message, "pipe.yaml is no file"));
	l.options.given.untrusted = false; // nor for one that is trusted
	loaded_load(&l);
	assert_non_null(strstr(l.err.message, "pipe.yaml is no file"));
	loaded_end(&l);
}

static void test_paths_that_lead_out(void **state)
{
	(void)state;
	static const char *const paths[] = {"/etc/passwd", "../x.yaml", "env/../../x", "./../x", "env//x", "."};
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct loaded l;
		char text[512];
		snprintf(text, sizeof(text), LOADED_HEAD "environments: {e: {overlay: \"%s\"}}\nmodules: {m: {source: \"%s\"}}\n", paths[i],
			paths[i]);
		begin(&l, text);
		found(&l, "(write a path below the workspace's folder)");
		assert_int_equal(2, l.findings.count);
		loaded_end(&l);
	}
}

// What the environment holds may be a secret of whoever runs the check.
static void test_nothing_of_the_environment(void **state)
{
	(void)state;
	struct loaded l;
	begin(&l, LOADED_HEAD "variables: {token: {default: none}}\ntransforms: {t: {with: {x: \"${var.token}\"}}}\n");
	setenv("ISOBAR_VAR_token", "hush", 1);
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_resolves(&l, "transform/t", "{\"with\":{\"x\":\"none\"}}");
	l.options.given.untrusted = false;
	loaded_load(&l);
	loaded_resolves(&l, "transform/t", "{\"with\":{\"x\":\"hush\"}}");
	unsetenv("ISOBAR_VAR_token");
	loaded_end(&l);
}

static void test_inputs_are_stand_ins(void **state)
{
	(void)state;
	struct loaded l;
	begin(&l, LOADED_HEAD "inputs: {net: {terraform: \"s3://somebody/else\", cloud: a}}\n"
			      "transforms: {t: {with: {x: \"${inputs.net.x}\"}}}\n");
	found(&l, "pocket/inputs/net.json: does not exist");
	loaded_put(&l, "pocket/inputs/net.json", "{\"x\": 1}");
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_resolves(&l, "transform/t", "{\"with\":{\"x\":1}}");
	loaded_end(&l);
}

// ---------------------------------------------------------------- what grows
static void repeat(struct buf *out, const char *piece, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_add(out, str_of(piece));
}

static void test_deep_nesting(void **state)
{
	(void)state;
	struct loaded l;
	AUTO(buf) text = {0};
	buf_add(&text, S(LOADED_HEAD "transforms: {t: {with: {x: "));
	repeat(&text, "[", 100000);
	begin(&l, buf_cstr(&text));
	found(&l, "nested deeper than 64");
	loaded_end(&l);
}

static void test_text_that_doubles(void **state)
{
	(void)state;
	struct loaded l;
	AUTO(buf) text = {0};
	buf_add(&text, S(LOADED_HEAD "variables: {x: {default: \""));
	repeat(&text, "0123456789", 400);
	buf_add(&text, S("\"}}\ntransforms:\n  t: {needs: [\""));
	repeat(&text, "${var.x}", 10000);
	buf_add(&text, S("\"]}\n"));
	begin(&l, buf_cstr(&text));
	found(&l, "the workspace grows past what is read: too much text made by ${...}");
	loaded_end(&l);
}

// Each level hands twice its text to the next.
static void test_modules_that_double(void **state)
{
	(void)state;
	struct loaded l;
	AUTO(buf) text = {0};
	buf_add(&text, S(LOADED_HEAD "modules:\n"));
	for (int i = 0; i < 40; i++)
		buf_printf(&text, "  m%d: {source: lib, with: {x: \"%s%d%s\"}}\n", i + 1, i ? "${module.m" : "0123456789", i,
			i ? ".x}" : "");
	begin(&l, buf_cstr(&text));
	loaded_put(&l, "lib/a.yaml", "variables: {x: {}}\noutputs: {x: \"${var.x}${var.x}\"}\n");
	found(&l, "is longer than 4096 characters");
	loaded_end(&l);
}

static void test_modules_that_multiply(void **state)
{
	(void)state;
	struct loaded l;
	begin(&l, LOADED_HEAD "modules: {m: {source: lib0, for_each: [a, b, c, d, e, f, g, h, i, j]}}\n");
	for (int i = 0; i < 7; i++) {
		char name[32], text[128];
		snprintf(name, sizeof(name), "lib%d/a.yaml", i);
		snprintf(text, sizeof(text), "modules: {m: {source: lib%d, for_each: [a, b, c, d, e, f, g, h, i, j]}}\n", i + 1);
		loaded_put(&l, name, text);
	}
	loaded_put(&l, "lib7/a.yaml", "buckets: {b: {clouds: all}}\n");
	found(&l, "the workspace grows past what is read: too many uses of modules");
	loaded_end(&l);
}

static void test_copies_that_multiply(void **state)
{
	(void)state;
	struct loaded l;
	AUTO(buf) text = {0};
	buf_add(&text, S(LOADED_HEAD "transforms:\n  t:\n    for_each: ["));
	repeat(&text, "x, ", 50000);
	buf_add(&text, S("x]\n    with: ["));
	repeat(&text, "y, ", 50000);
	buf_add(&text, S("y]\n"));
	begin(&l, buf_cstr(&text));
	found(&l, "the workspace grows past what is read: too many values made by for_each and modules");
	loaded_end(&l);
}

// A list that is put into a list that is put in once more.
static void test_values_that_multiply(void **state)
{
	(void)state;
	struct loaded l;
	AUTO(buf) text = {0};
	buf_add(&text, S(LOADED_HEAD "inputs: {net: {terraform: \"file:x\"}}\ntransforms:\n  t: {with: ["));
	repeat(&text, "\"${inputs.net.x}\", ", 20000);
	buf_add(&text, S("1]}\n"));
	begin(&l, buf_cstr(&text));
	buf_clear(&text);
	buf_add(&text, S("{\"x\": ["));
	repeat(&text, "1, ", 1000);
	buf_add(&text, S("1]}"));
	loaded_put(&l, "pocket/inputs/net.json", buf_cstr(&text));
	found(&l, "the workspace grows past what is read: too many values");
	loaded_end(&l);
}

static void test_many_mistakes(void **state)
{
	(void)state;
	struct loaded l;
	AUTO(buf) text = {0};
	buf_add(&text, S(LOADED_HEAD "transforms:\n"));
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "  t%d: {colour: \"${x}\", input: none}\n", i);
	begin(&l, buf_cstr(&text));
	found(&l, "${x}: is not known");
	assert_true(l.findings.count <= FINDINGS_MAX);
	loaded_end(&l);
}

static void test_too_much_text(void **state)
{
	(void)state;
	struct loaded l;
	AUTO(buf) text = {0};
	begin(&l, LOADED_HEAD);
	for (int i = 0; i < 3; i++) {
		char name[32];
		buf_clear(&text);
		repeat(&text, "# nothing but words, and many of them\n", 160000);
		snprintf(name, sizeof(name), "f%d.yaml", i);
		loaded_put(&l, name, buf_cstr(&text));
	}
	loaded_load(&l);
	assert_int_equal(ERR_LIMIT, l.rc);
	assert_non_null(strstr(l.err.message, "the files of the workspace have more than 16 MiB"));
	loaded_end(&l);
}

static void test_a_long_chain(void **state)
{
	(void)state;
	struct loaded l;
	AUTO(buf) text = {0};
	buf_add(&text, S(LOADED_HEAD "transforms:\n  t0: {}\n"));
	for (int i = 1; i < 20000; i++)
		buf_printf(&text, "  t%d: {after: [t%d]}\n", i, i - 1);
	begin(&l, buf_cstr(&text));
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_put(&l, "more.yaml", "transforms: {a: {after: [t19999]}}\n");
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_the_workspace_is_a_link),
		cmocka_unit_test(test_what_is_no_file),
		cmocka_unit_test(test_paths_that_lead_out),
		cmocka_unit_test(test_nothing_of_the_environment),
		cmocka_unit_test(test_inputs_are_stand_ins),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_text_that_doubles),
		cmocka_unit_test(test_modules_that_double),
		cmocka_unit_test(test_modules_that_multiply),
		cmocka_unit_test(test_copies_that_multiply),
		cmocka_unit_test(test_values_that_multiply),
		cmocka_unit_test(test_many_mistakes),
		cmocka_unit_test(test_too_much_text),
		cmocka_unit_test(test_a_long_chain),
	};
	return cmocka_run_group_tests_name("infra-workspace_untrusted", tests, NULL, NULL);
}

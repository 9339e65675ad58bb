// SPDX-License-Identifier: Apache-2.0
// The operator's file: where it is found, who may have written it, what its errors say (and never say), which secret
// may go where, and the table itself.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kind_explain.h"
#include "fixture.h"
#include "security/operator.h"
#include "security/secret_source.h"

#define PLANTED "hunter2hunter2" // what no message may hold

static int open_folder(void **state)
{
	static struct fixture f;
	fixture_open(&f);
	setenv("XDG_CONFIG_HOME", f.folder, 1);
	unsetenv("ISOBAR_OPERATOR");
	*state = &f;
	return 0;
}

static int close_folder(void **state)
{
	fixture_close(*state);
	return 0;
}

static struct operator_file *load(struct fixture *f, struct str text)
{
	struct operator_file *op = NULL;
	fixture_write(f, "isobar/operator.yaml", text);
	assert_ok(f, operator_load(&f->call, NULL, &op));
	return op;
}

static const char *error_of(struct fixture *f, struct str text, int wanted)
{
	struct operator_file *op = NULL;
	fixture_write(f, "isobar/operator.yaml", text);
	assert_int_equal(operator_load(&f->call, NULL, &op), wanted);
	assert_null(op);
	const char *message = arena_cstr(&f->arena, str_of(f->call.err.message));
	assert_null(strstr(message, PLANTED));
	err_clear(&f->call.err);
	return message;
}

static void test_absent_file_says_nothing(void **state)
{
	struct fixture *f = *state;
	AUTO(operator_file) op = NULL;
	assert_ok(f, operator_load(&f->call, NULL, &op));
	assert_int_equal(op->path.n, 0);
	assert_int_equal(op->secrets.count, 0);
	assert_true(operator_allows_path(op, S("/usr/share/datasets/fashion-mnist")));
	assert_false(operator_allows_path(op, S("/usr/share/datasets-old")));
	assert_false(operator_allows_path(op, S("/usr/share/datasets/../secret")));
	assert_false(operator_allows_path(op, S("usr/share/datasets/x")));
	assert_fails(f, operator_secret_allow(op, S("x"), S("a:1"), &f->call.err), ERR_NOT_FOUND);
}

static void test_named_file_must_be_there(void **state)
{
	struct fixture *f = *state;
	struct operator_file *op = NULL;
	assert_fails(f, operator_load(&f->call, "/nonexistent/operator.yaml", &op), ERR_NOT_FOUND);
	setenv("ISOBAR_OPERATOR", "/nonexistent/other.yaml", 1);
	assert_int_equal(operator_load(&f->call, NULL, &op), ERR_NOT_FOUND);
	assert_non_null(strstr(f->call.err.message, "/nonexistent/other.yaml"));
	err_clear(&f->call.err);
	// The option comes before the variable.
	fixture_write(f, "named.yaml", S("roots: [/srv]\n"));
	assert_ok(f, operator_load(&f->call, fixture_path(f, "named.yaml"), &op));
	assert_str(op->path, str_of(fixture_path(f, "named.yaml")));
	assert_str(op->folder, str_of(f->folder));
	assert_true(operator_allows_path(op, S("/srv/a")));
	assert_false(operator_allows_path(op, S("/usr/share/datasets/a")));
	operator_free(op);
}

static void test_whole_file(void **state)
{
	struct fixture *f = *state;
	AUTO(operator_file)
	op = load(f,
		S("isobar: 1\n"
		  "secrets:\n"
		  "  munich: {from: \"env:MUNICH\", hosts: [minio.example, \"[::1]:9000\", \"*.corp.example:8443\"]}\n"
		  "clouds:\n"
		  "  site:\n"
		  "    account: \"1\"\n"
		  "    credentials: {access_key_id: me, secret_access_key: secret/munich}\n"
		  "    endpoints: {store: \"http://127.0.0.1:9000\", identity: \"http://127.0.0.1:9001\"}\n"
		  "    ca: /etc/ca.pem\n"
		  "    hosts: [minio.example]\n"
		  "  aws-eu: {credentials: {profile: lumen}}\n"
		  "roots: [/]\n"
		  "ca: /etc/corp.pem\n"
		  "proxy: {https: \"http://proxy.example:3128\", no: [.corp.example, 10.0.0.0/8]}\n"));
	const struct operator_cloud *site = operator_cloud_find(op, S("site"));
	assert_non_null(site);
	assert_null(operator_cloud_find(op, S("other")));
	assert_str(site->account, S("1"));
	assert_true(site->credentials.written);
	assert_str(site->credentials.access_key_id, S("me"));
	assert_str(site->credentials.secret_access_key.name, S("munich"));
	assert_str(site->endpoints.store, S("http://127.0.0.1:9000"));
	assert_str(site->endpoints.identity, S("http://127.0.0.1:9001"));
	assert_str(site->ca, S("/etc/ca.pem"));
	assert_str(operator_cloud_find(op, S("aws-eu"))->credentials.profile, S("lumen"));
	assert_false(operator_cloud_find(op, S("aws-eu"))->endpoints.store.n);
	assert_str(op->ca, S("/etc/corp.pem"));
	assert_true(op->proxy.written);
	assert_str(op->proxy.https, S("http://proxy.example:3128"));
	assert_int_equal(op->proxy.no.count, 2);
	assert_true(operator_allows_path(op, S("/anything")));
}

static void test_errors_point_and_do_not_repeat(void **state)
{
	struct fixture *f = *state;
	const struct {
		struct str text;
		const char *part;
	} rows[] = {
		{S("secrets:\n  a: {form: \"env:A\"}\n"),
			"operator.yaml:2:7: secrets.a.form: a secret has no field \"form\""},
		{S("secrets:\n  a: {from: " PLANTED "}\n"), "operator.yaml:2:13: secrets.a.from: expected a source"},
		{S("secrets:\n  a: " PLANTED "\n"), "operator.yaml:2:6: secrets.a: expected a map of from and hosts"},
		{S("secrets: " PLANTED "\n"), "operator.yaml:1:10: secrets: expected a map of secrets by name"},
		{S("secrets:\n  a: {from: \"env:A\", hosts: [\"ho st\"]}\n"),
			"operator.yaml:2:30: secrets.a.hosts[0]: "},
		{S("clouds:\n  a: {credentials: {secret_access_key: " PLANTED "}}\n"),
			"operator.yaml:2:40: clouds.a.credentials.secret_access_key: expected the name of a secret"},
		{S("clouds:\n  a: {ca: ca.pem}\n"), "operator.yaml:2:11: clouds.a.ca: expected an absolute path"},
		{S("roots: [data]\n"), "operator.yaml:1:9: roots[0]: expected an absolute path"},
		{S("isobar: 2\n"), "operator.yaml:1:9: isobar: "},
		{S("secrets: {a: {from: \"env:A\"}\n"), "operator.yaml:"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *message = error_of(f, rows[i].text, ERR_INVALID);
		if (!strstr(message, rows[i].part))
			fail_msg("\"%s\" has no \"%s\"", message, rows[i].part);
	}
}

static void test_who_may_write(void **state)
{
	struct fixture *f = *state;
	struct operator_file *op = NULL;
	fixture_write(f, "isobar/operator.yaml", S("isobar: 1\n"));
	const char *path = fixture_path(f, "isobar/operator.yaml");
	const mode_t open_modes[] = {0664, 0646, 0666};
	for (size_t i = 0; i < COUNT_OF(open_modes); i++) {
		assert_int_equal(chmod(path, open_modes[i]), 0);
		assert_fails(f, operator_load(&f->call, NULL, &op), ERR_DENIED);
	}
	assert_int_equal(chmod(path, 0644), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_fails(f, operator_load(&f->call, NULL, &op), ERR_DENIED);
		assert_int_equal(chown(path, 0, 0), 0);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_fails(f, operator_load(&f->call, NULL, &op), ERR_DENIED);
	assert_null(op);
}

// ---------------------------------------------------------------- secrets
static void test_secret_goes_only_where_it_may(void **state)
{
	struct fixture *f = *state;
	setenv("ISOBAR_TEST_SECRET", PLANTED, 1);
	AUTO(operator_file)
	op = load(f, S("secrets:\n"
		       "  a: {from: \"env:ISOBAR_TEST_SECRET\", hosts: [one.example, \"two.example:5432\", "
		       "\"*.three.example:*\"]}\n"
		       "  nowhere: {from: \"env:ISOBAR_TEST_SECRET\"}\n"
		       "  empty: {from: \"env:ISOBAR_TEST_NOT_SET\", hosts: [one.example]}\n"));
	static const char *const allowed[] = {
		"one.example:443", "two.example:5432", "x.three.example:1", "ONE.example:443"};
	static const char *const denied[] = {"one.example:444", "two.example:443", "three.example:1",
		"evil.example:443", "one.example.evil:443", "", "one.example:443/x", "a@one.example:443"};
	for (size_t i = 0; i < COUNT_OF(allowed); i++) {
		AUTO(secret) s = {0};
		assert_ok(f, operator_secret_read(&f->call, op, S("secret/a"), str_of(allowed[i]), &s));
		assert_str(secret_str(&s), S(PLANTED));
	}
	for (size_t i = 0; i < COUNT_OF(denied); i++) {
		AUTO(secret) s = {0};
		int rc = operator_secret_read(&f->call, op, S("a"), str_of(denied[i]), &s);
		if (rc != ERR_DENIED)
			fail_msg("%s: %s", denied[i], err_name(rc));
		assert_null(strstr(f->call.err.message, PLANTED));
		assert_null(s.p);
	}
	AUTO(secret) s = {0};
	assert_fails(f, operator_secret_read(&f->call, op, S("nowhere"), S("one.example:443"), &s), ERR_DENIED);
	assert_fails(f, operator_secret_read(&f->call, op, S("empty"), S("one.example:443"), &s), ERR_NOT_FOUND);
	assert_fails(f, operator_secret_read(&f->call, op, S("other"), S("one.example:443"), &s), ERR_NOT_FOUND);
	assert_null(s.p);
}

static int read_from_cloud(struct call *c, void *ctx, struct str cloud, struct str name, struct secret *out)
{
	if (!str_eq(cloud, S("aws-eu")) || !str_eq(name, S("app/db")))
		return call_fail(c, ERR_NOT_FOUND, "there is no such secret");
	return secret_set(out, str_of(ctx), &c->err);
}

static void test_clouds(void **state)
{
	struct fixture *f = *state;
	char value[] = "from the cloud\n", empty[] = "\n";
	AUTO(secret) s = {0};
	struct secret_clouds clouds = {.read = read_from_cloud, .ctx = value};
	const struct secret_places places = {.folder = S(""), .clouds = &clouds};
	assert_ok(f, secret_source_read(&f->call, S("cloud:aws-eu/app/db"), &places, &s));
	assert_str(secret_str(&s), S("from the cloud"));
	assert_fails(f, secret_source_read(&f->call, S("cloud:aws-eu/other"), &places, &s), ERR_NOT_FOUND);
	clouds.ctx = empty;
	assert_fails(f, secret_source_read(&f->call, S("cloud:aws-eu/app/db"), &places, &s), ERR_NOT_FOUND);
	assert_str(secret_str(&s), S("from the cloud"));
	clouds.read = NULL;
	assert_fails(f, secret_source_read(&f->call, S("cloud:aws-eu/app/db"), &places, &s), ERR_UNSUPPORTED);
}

static void test_sources(void **state)
{
	struct fixture *f = *state;
	AUTO(secret) s = {0};
	const struct secret_places places = {.folder = str_of(f->folder)}, nowhere = {.folder = S("")};
	fixture_write(f, "keyring/one", S("key one\n"));
	const char *path = fixture_path(f, "keyring/one");
	// Readable by others: no.
	assert_fails(f, secret_source_read(&f->call, S("keyring:one"), &places, &s), ERR_DENIED);
	assert_int_equal(chmod(path, 0600), 0);
	assert_ok(f, secret_source_read(&f->call, S("keyring:one"), &places, &s));
	assert_str(secret_str(&s), S("key one"));
	struct str file = arena_printf(&f->arena, "file:%s", path);
	assert_ok(f, secret_source_read(&f->call, file, &nowhere, &s));
	assert_str(secret_str(&s), S("key one"));
	assert_fails(f, secret_source_read(&f->call, S("file:/nonexistent/x"), &places, &s), ERR_NOT_FOUND);
	assert_fails(f, secret_source_read(&f->call, S("keyring:two"), &places, &s), ERR_NOT_FOUND);
	assert_fails(f, secret_source_read(&f->call, S("cloud:aws-eu/db"), &places, &s), ERR_UNSUPPORTED);
	fixture_write(f, "keyring/empty", S("\n"));
	assert_int_equal(chmod(fixture_path(f, "keyring/empty"), 0600), 0);
	assert_fails(f, secret_source_read(&f->call, S("keyring:empty"), &places, &s), ERR_NOT_FOUND);
	assert_str(secret_str(&s), S("key one")); // failures leave it alone
	static const char *const wrong[] = {"", "env:", "env:1A", "env:A-B", "file:x", "file:/", "keyring:../x",
		"keyring:.x", "keyring:", "cloud:x", "cloud:/x", "vault:x", PLANTED};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_fails(f, secret_source_check(str_of(wrong[i]), &f->call.err), ERR_INVALID);
}

static void test_table(void **state)
{
	struct fixture *f = *state;
	AUTO(buf) text = {0};
	static const struct kind *const kinds[] = {&operator_kind, NULL};
	assert_ok(f, kind_explain(kinds, S("operator.clouds.credentials.secret_access_key"), &text, &f->call.err));
	assert_non_null(strstr(buf_cstr(&text), "only its name stands here"));
	buf_clear(&text);
	assert_ok(f, kind_explain(kinds, S("operator"), &text, &f->call.err));
	assert_non_null(strstr(buf_cstr(&text), "/usr/share/datasets"));
	assert_null(strstr(buf_cstr(&text), "(null)"));
	buf_clear(&text);
	kind_write_file_reference(&operator_kind, &text);
	assert_true(str_starts(buf_str(&text), S("# operator.yaml\n")));
	assert_non_null(strstr(buf_cstr(&text), "| `clouds.NAME.credentials.storage_key` | the name of a secret |"));
	operator_free(load(f, str_of(operator_kind.example))); // the example holds
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_absent_file_says_nothing, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_named_file_must_be_there, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_whole_file, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_errors_point_and_do_not_repeat, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_who_may_write, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_secret_goes_only_where_it_may, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_sources, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_clouds, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_table, open_folder, close_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Addresses of states on PostgreSQL, and that libpq is only loaded, never linked.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/file.h"
#include "state/postgres_library.h"
#include "state/postgres_url.h"

static int parse(struct arena *a, const char *url, struct postgres_place *out, struct err *e)
{
	return postgres_url_parse(str_of(url), S("isobar_fashion"), a, out, e);
}

static void test_urls_are_read(UNUSED void **out)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	struct postgres_place p;
	assert_int_equal(parse(&a, "postgresql://iso@db.example.com:5433/state?schema=prod_1", &p, &e), 0);
	assert_string_equal(p.hosts, "db.example.com");
	assert_string_equal(p.ports, "5433");
	assert_string_equal(p.user, "iso");
	assert_string_equal(p.database, "state");
	assert_string_equal(p.schema, "prod_1");
	assert_string_equal(p.sslmode, "verify-full");
	assert_string_equal(p.session, "read-write");
	assert_string_equal(p.shown, "db.example.com:5433/state (schema prod_1)");
	assert_false(p.loopback);
	assert_int_equal(parse(&a, "postgres://a:1,b:2/state", &p, &e), 0);
	assert_string_equal(p.hosts, "a,b");
	assert_string_equal(p.ports, "1,2");
	assert_string_equal(p.schema, "isobar_fashion");
	assert_null(p.user);
	assert_int_equal(parse(&a, "postgresql://%2Frun%2Fpostgresql/state", &p, &e), 0);
	assert_string_equal(p.hosts, "/run/postgresql");
	assert_string_equal(p.sslmode, "prefer");
	assert_int_equal(parse(&a, "postgresql:///state?host=/tmp/x&port=7&user=u%20v", &p, &e), 0);
	assert_string_equal(p.hosts, "/tmp/x");
	assert_string_equal(p.user, "u v");
	assert_int_equal(parse(&a, "postgresql://[::1]:5432/state?sslmode=disable", &p, &e), 0);
	assert_string_equal(p.hosts, "::1");
	assert_string_equal(p.ports, "5432");
	assert_true(p.loopback);
	assert_true(postgres_is_url(S("postgres://x/y")));
	assert_false(postgres_is_url(S("/var/lib/state.db")));
}

static void test_bad_urls_are_refused(UNUSED void **out)
{
	static const struct {
		const char *url;
		int code;
		const char *says;
	} cases[] = {
		{"mysql://h/d", ERR_INVALID, "postgresql://HOST/DATABASE"},
		{"postgresql://h", ERR_INVALID, "no database"},
		{"postgresql:///d", ERR_INVALID, "no host"},
		{"postgresql://u:secret@h/d", ERR_DENIED, "credentials"},
		{"postgresql://h/d?password=secret", ERR_DENIED, "credentials"},
		{"postgresql://h/d?sslkey=/etc/x", ERR_INVALID, "sslkey"},
		{"postgresql://h/d?sslmode=require", ERR_DENIED, "verify-full"},
		{"postgresql://127.0.0.1,h/d?sslmode=disable", ERR_DENIED, "verify-full"},
		{"postgresql://127.0.0.1.example.com/d?sslmode=disable", ERR_DENIED, "verify-full"},
		{"postgresql://h/d?sslmode=maybe", ERR_INVALID, "sslmode=maybe"},
		{"postgresql://h:70000/d", ERR_INVALID, "70000"},
		{"postgresql://h:x/d", ERR_INVALID, "\"x\" is no port"},
		{"postgresql://h/d?schema=a%22b", ERR_INVALID, "schema"},
		{"postgresql://h/d?schema=pg_catalog", ERR_INVALID, "schema"},
		{"postgresql://h/d%0a", ERR_INVALID, "control character"},
		{"postgresql://h/d%zz", ERR_INVALID, "escape"},
		{"postgresql://h/d%2", ERR_INVALID, "escape"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(arena) a = {0};
		struct err e = {0};
		struct postgres_place p;
		int rc = parse(&a, cases[i].url, &p, &e);
		if (rc != cases[i].code || !strstr(e.message, cases[i].says))
			fail_msg("%s: %s: %s", cases[i].url, err_name(rc), e.message);
		assert_null(strstr(e.message, "secret@"));
	}
}

static void test_schemas_of_names(UNUSED void **out)
{
	AUTO(arena) a = {0};
	char wide[101];
	memset(wide, 'w', 100);
	wide[100] = '\0';
	assert_string_equal(postgres_schema_of(&a, S("fashion"), S("")).p, "isobar_fashion");
	assert_string_equal(postgres_schema_of(&a, S("fashion"), S("prod")).p, "isobar_fashion_prod");
	struct str dashed = postgres_schema_of(&a, S("a-b"), S("")), split = postgres_schema_of(&a, S("a"), S("b"));
	assert_true(str_starts(dashed, S("isobar_a_b_")));
	assert_false(str_eq(dashed, split)); // two workspaces never share a schema
	struct str cut = postgres_schema_of(&a, str_of(wide), S("prod"));
	assert_int_equal(cut.n, POSTGRES_SCHEMA_MAX);
	assert_false(str_eq(cut, postgres_schema_of(&a, str_of(wide), S("test"))));
}

// Linked, it would be part of every start; loaded, it is part of those that need it.
static void test_libpq_is_loaded_not_linked(UNUSED void **out)
{
	AUTO(buf) before = {0};
	struct err e = {0};
	const struct postgres_library *pq, *again;
	assert_int_equal(file_read("/proc/self/maps", 4 << 20, &before, &e), 0);
	assert_true(str_find(buf_str(&before), S("libpq")) < 0);
	int rc = postgres_library_get(&pq, &e);
	if (rc == ERR_UNSUPPORTED) {
		assert_non_null(strstr(e.message, "libpq5"));
		skip();
	}
	assert_int_equal(rc, 0);
	assert_int_equal(postgres_library_get(&again, &e), 0);
	assert_ptr_equal(pq, again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls_are_read),
		cmocka_unit_test(test_bad_urls_are_refused),
		cmocka_unit_test(test_schemas_of_names),
		cmocka_unit_test(test_libpq_is_loaded_not_linked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

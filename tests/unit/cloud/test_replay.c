// SPDX-License-Identifier: Apache-2.0
// The records of tests/records, each replayed against its driver: a server gives the recorded answers, and the driver
// must send the recorded requests and come to the recorded verdicts. And what a record keeps to itself.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cloud/call_record.h"
#include "cloud/registry.h"
#include "cloud/sign/jwt_rs256.h"
#include "store_test.h"

enum { MOST_CALLS = 190 };

static struct buf private_key, public_key;

struct replay {
	struct cloud_test t;
	json_t *record;
	struct script_step steps[MOST_CALLS];
	size_t count;
	struct script_server *server;
	struct cloud_config config;
	struct str pattern;
	const char *without[8];
	size_t at; // next case
};

// ---------------------------------------------------------------- the server's script

// Addresses of the recorded server are those of ours.
static struct str with_url(struct replay *x, struct str text)
{
	AUTO(buf) out = {0};
	ptrdiff_t at;
	while ((at = str_find(text, S("http://STORE"))) >= 0) {
		buf_add(&out, str_take(text, (size_t)at));
		buf_add(&out, str_of(script_server_url(x->server)));
		text = str_drop(text, (size_t)at + sizeof("http://STORE") - 1);
	}
	buf_add(&out, text);
	return arena_str(&x->t.arena, buf_str(&out));
}

static struct str body_of(struct replay *x, const json_t *answer)
{
	const json_t *body = json_object_get(answer, "body");
	const json_t *pattern = json_object_get(body, "pattern");
	struct str coded = json_str(body, "base64");
	AUTO(buf) bytes = {0};
	if (json_object_get(answer, "length")) // of an answer to HEAD: only told
		return (struct str){x->pattern.p, (size_t)json_int(answer, "length", 0)};
	if (pattern)
		return str_take(x->pattern, (size_t)json_integer_value(json_array_get(pattern, 1)));
	if (!coded.n)
		return with_url(x, json_str(body, "text"));
	assert_int_equal(base64_decode(coded, &bytes), 0);
	return arena_str(&x->t.arena, buf_str(&bytes));
}

static const char *headers_of(struct replay *x, const json_t *answer)
{
	AUTO(buf) text = {0};
	size_t i;
	const json_t *header;
	json_array_foreach(json_object_get(answer, "headers"), i, header)
	{
		struct str value = with_url(x, json_value_str(json_array_get(header, 1)));
		buf_printf(&text, "%s: %.*s\r\n", json_string_value(json_array_get(header, 0)), STR(value));
	}
	return arena_cstr(&x->t.arena, buf_str(&text));
}

static void write_script(struct replay *x)
{
	size_t i;
	const json_t *call;
	json_array_foreach(json_object_get(x->record, "calls"), i, call)
	{
		const json_t *answer = json_object_get(call, "answer");
		assert_true(i < MOST_CALLS);
		x->steps[i] = (struct script_step){.status = (int)json_int(answer, "status", 0),
			.headers = headers_of(x, answer),
			.body = body_of(x, answer)};
	}
}

// ---------------------------------------------------------------- the driver

static json_t *credentials_of(struct replay *x, struct str provider)
{
	struct str token_uri = arena_printf(&x->t.arena, "%s/token", script_server_url(x->server));
	if (str_eq(provider, S("aws")))
		return json_pack("{s:s,s:s}", "access_key_id", "AK", "secret_access_key", "secret");
	if (str_eq(provider, S("azure")))
		return json_pack("{s:s,s:s}", "account", "acct", "key", "a2V5");
	return json_pack("{s:s,s:s,s:s,s:s,s:s}", "type", "service_account", "client_email", "CLIENT_EMAIL",
		"private_key", buf_cstr(&private_key), "token_uri", token_uri.p, "project_id", "PROJECT_ID");
}

static void open_replay(struct replay *x, const char *path)
{
	*x = (struct replay){.at = 0};
	cloud_test_init(&x->t);
	if (json_parse_file(path, CALL_RECORD_MAX_BYTES, &x->record, &x->t.call.err))
		fail_msg("%s", x->t.call.err.message);
	assert_int_equal(json_int(x->record, "format", 0), CALL_RECORD_FORMAT);
	x->count = json_array_size(json_object_get(x->record, "calls"));
	x->pattern = conformance_pattern(&x->t.arena, CONFORMANCE_BIG);
	x->server = script_server_start(x->steps, x->count);
	assert_non_null(x->server);
	write_script(x);
	struct str url = str_of(script_server_url(x->server)), provider = json_str(x->record, "provider");
	x->config = (struct cloud_config){.name = S("replay"),
		.provider = provider,
		.region = json_str(x->record, "region"),
		.store_url = url,
		.identity_url = url,
		.credentials = json_in_arena(&x->t.arena, credentials_of(x, provider))};
}

static void read_without(struct replay *x)
{
	size_t i, n = 0;
	const json_t *one;
	json_array_foreach(json_object_get(x->record, "cases"), i, one)
	{
		if (str_eq(json_str(one, "verdict"), S("skipped")) && n + 1 < COUNT_OF(x->without))
			x->without[n++] = arena_cstr(&x->t.arena, json_str(one, "name"));
	}
	// Of these two the record has no case of its own: the list came in one piece, the bucket went with its objects.
	if (n + 1 < COUNT_OF(x->without) && str_starts(json_str(x->record, "server"), S("gcp-storage-emulator")))
		x->without[n++] = "paging";
}

static void report(void *ctx, const struct conformance_case *one)
{
	static const char *const words[] = {"ok", "failed", "skipped"};
	struct replay *x = ctx;
	const json_t *wanted = json_array_get(json_object_get(x->record, "cases"), x->at);
	if (!str_eq(json_str(wanted, "name"), one->name) ||
		!str_eq(json_str(wanted, "verdict"), str_of(words[one->verdict])) ||
		!str_eq(json_str(wanted, "part"), str_of(one->part)))
		fail_msg("case %zu: %.*s is %s, recorded %.*s as %.*s (%.*s)", x->at, STR(one->name),
			words[one->verdict], STR(json_str(wanted, "name")), STR(json_str(wanted, "verdict")),
			STR(one->reason));
	x->at++;
}

// Names of blocks begin with random digits.
static struct str stable(struct str target)
{
	ptrdiff_t at = str_find(target, S("blockid="));
	return at < 0 ? target : str_take(target, (size_t)at);
}

static bool random_boundary(struct str value)
{
	return str_find(value, S("boundary=")) >= 0;
}

static void check_request(struct replay *x, size_t i)
{
	const json_t *call = json_array_get(json_object_get(x->record, "calls"), i), *header;
	const struct script_request *got = script_server_request(x->server, i);
	struct str target = stable(json_str(call, "target")), came = stable(buf_str(&got->target));
	size_t h;
	if (!str_eq(buf_str(&got->method), json_str(call, "method")) || !str_eq(came, target))
		fail_msg("request %zu: %.*s %.*s, recorded %s %.*s", i, STR(buf_str(&got->method)), STR(came),
			json_text(call, "method"), STR(target));
	json_array_foreach(json_object_get(call, "headers"), h, header)
	{
		const char *name = json_string_value(json_array_get(header, 0));
		struct str value = json_value_str(json_array_get(header, 1));
		struct str is = script_server_header(x->server, i, name);
		if (!random_boundary(value) && !str_eq(is, value))
			fail_msg("request %zu: %s: %.*s, recorded %.*s", i, name, STR(is), STR(value));
	}
}

static void replay(const char *path)
{
	struct replay *x = calloc(1, sizeof(*x));
	struct cloud cloud;
	assert_non_null(x);
	open_replay(x, path);
	read_without(x);
	struct conformance run = {.config = &x->config,
		.cloud = &cloud,
		.bucket = S("isobar-check-bucket"),
		.without = x->without,
		.report = report,
		.ctx = x};
	if (cloud_open(&x->t.call, &x->config, &cloud))
		fail_msg("%s", x->t.call.err.message);
	if (conformance_run(&x->t.call, &run))
		fail_msg("%s: %s", path, x->t.call.err.message);
	assert_int_equal(x->at, json_array_size(json_object_get(x->record, "cases")));
	assert_true(script_server_served(x->server) <= x->count);
	for (size_t i = 0; i < script_server_served(x->server); i++)
		check_request(x, i);
	cloud_close(&cloud);
	script_server_stop(x->server);
	json_decref(x->record);
	cloud_test_free(&x->t);
	free(x);
}

// ---------------------------------------------------------------- the records there are

// BUILD/tests/test-cloud-replay, and __FILE__ is relative to BUILD.
static void folder_of_records(char *out, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(n > 0);
	self[n] = 0;
	for (int i = 0; i < 2; i++)
		*strrchr(self, '/') = 0;
	int written =
		snprintf(out, size, "%s%s%s", __FILE__[0] == '/' ? "" : self, __FILE__[0] == '/' ? "" : "/", __FILE__);
	assert_true(written > 0 && (size_t)written < size);
	for (int i = 0; i < 3; i++)
		*strrchr(out, '/') = 0;
	assert_true(strlen(out) + sizeof("/records") < size);
	memcpy(out + strlen(out), "/records", sizeof("/records"));
}

static void test_records(const char *provider)
{
	char folder[PATH_MAX];
	struct dirent *entry;
	size_t found = 0;
	folder_of_records(folder, sizeof(folder));
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		AUTO(buf) path = {0};
		if (!str_starts(str_of(entry->d_name), str_of(provider)) ||
			!str_ends(str_of(entry->d_name), S(".json")))
			continue;
		buf_printf(&path, "%s/%s", folder, entry->d_name);
		replay(buf_cstr(&path));
		found++;
	}
	closedir(dir);
	assert_true(found > 0);
}

static void test_aws(void **state)
{
	(void)state;
	test_records("aws");
}

static void test_azure(void **state)
{
	(void)state;
	test_records("azure");
}

static void test_gcp(void **state)
{
	(void)state;
	test_records("gcp");
}

// ---------------------------------------------------------------- redaction

static void see(struct call_record *r, const char *url, const char *secret_header, struct str answered)
{
	struct sign_header sent[] = {{S("Authorization"), str_of(secret_header)}, {S("x-amz-date"), S("20261124")},
		{S("x-amz-meta-owner"), S("AKIAEXAMPLE")}};
	struct sign_header came[] = {{S("x-amz-request-id"), S("REQUEST0123")}, {S("ETag"), S("\"abc\"")},
		{S("Set-Cookie"), S("session=1")}};
	struct transport_request request = {.method = "POST",
		.url = str_of(url),
		.headers = sent,
		.header_count = COUNT_OF(sent),
		.body = S("the secret is s3cr3t/+x")};
	struct transport_response answer = {.status = 200, .headers = came, .header_count = COUNT_OF(came)};
	struct transport_watch watch = call_record_watch(r);
	watch.seen(watch.ctx, &request, &answer, answered, 0);
	watch.seen(watch.ctx, &request, &answer, answered, ERR_UNAVAILABLE); // no answer: nothing to replay
}

static void test_redacted(void **state)
{
	(void)state;
	struct cloud_test t;
	struct call_record r;
	cloud_test_init(&t);
	struct cloud_config config = {.provider = S("aws"),
		.region = S("eu-central-1"),
		.store_url = S("https://s3.secret-hall.example:9000/"),
		.credentials = json_in_arena(&t.arena,
			json_pack("{s:s,s:s}", "access_key_id", "AKIAEXAMPLE", "secret_access_key", "s3cr3t/+x"))};
	assert_int_equal(call_record_begin(&r, &config, S("isobar-check-0123"), NULL), 0);
	see(&r, "https://s3.secret-hall.example:9000/isobar-check-0123/a?uploads=", "AWS4 AKIAEXAMPLE",
		S("<R><UploadId>UP/LOAD+1</UploadId><Account>123456789012</Account><ID>owner</ID></R>"));
	see(&r, "https://s3.secret-hall.example:9000/isobar-check-0123/a?uploadId=UP%2FLOAD%2B1", "x",
		S("s3%2Er 123456789012 owner"));
	see(&r, "https://sts.eu-central-1.amazonaws.com/token", "x", S("{\"access_token\":\"ya29.LONG\"}"));
	call_record_case(&r, &(struct conformance_case){.part = "store",
				     .name = S("put"),
				     .verdict = CONFORMANCE_FAILED,
				     .reason = S("s3.secret-hall.example:9000 refuses AKIAEXAMPLE")});
	struct call_record_about about = {.kind = S("server"), .server = S("a hall"), .now_ns = 0};
	AUTO(json) j = call_record_json(&r, &about);
	char *text = json_dumps(j, JSON_PRESERVE_ORDER);
	static const char *const never[] = {"s3cr3t", "AKIAEXAMPLE", "secret-hall", "isobar-check-0123", "UP/LOAD",
		"UP%2F", "123456789012", "\"owner\"", "REQUEST0123", "20261124", "session=1", "ya29", "AWS4",
		">owner<"};
	for (size_t i = 0; i < COUNT_OF(never); i++) {
		if (strstr(text, never[i]))
			fail_msg("the record has %s: %s", never[i], text);
	}
	const json_t *calls = json_object_get(j, "calls");
	assert_int_equal(json_array_size(calls), 3);
	assert_string_equal(json_text(json_array_get(calls, 0), "operation"), "CreateMultipartUpload");
	assert_string_equal(json_text(json_array_get(calls, 0), "target"), "/isobar-check-bucket/a?uploads=");
	assert_true(json_is_null(json_object_get(json_array_get(calls, 2), "body")));
	struct str id = call_record_redact(&r, S("UP%2FLOAD%2B1")), same = call_record_redact(&r, S("UP/LOAD+1"));
	assert_true(str_eq(id, same) && str_starts(id, S("ID-")));
	free(text);
	call_record_free(&r);
	cloud_test_free(&t);
}

static int make_keys(void **state)
{
	(void)state;
	return jwt_rs256_make_key(JWT_MIN_RSA_BITS, &private_key, &public_key, NULL);
}

static int free_keys(void **state)
{
	(void)state;
	buf_free(&private_key);
	buf_free(&public_key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_aws), cmocka_unit_test(test_azure),
		cmocka_unit_test(test_gcp), cmocka_unit_test(test_redacted)};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}

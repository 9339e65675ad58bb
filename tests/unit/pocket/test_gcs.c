// SPDX-License-Identifier: Apache-2.0
// Cloud Storage of a pocket cloud over loopback: tokens, uploads of all kinds, conditions, and Google's errors.
#include "pocket_fixture.h"

#include "cloud/sign/jwt_rs256.h"

#define FULL "https://www.googleapis.com/auth/devstorage.full_control"
#define READ "https://www.googleapis.com/auth/devstorage.read_only"

static char token[256]; // good for everything
static json_t *parsed;  // body of the last answer

static struct exchange request(const char *method, const char *target, struct str body)
{
	return (struct exchange){.method = str_of(method), .target = str_of(target), .body = body};
}

static void parse(const struct exchange *x)
{
	json_t *j = NULL;
	parsed = NULL;
	if (x->text.n && json_parse(x->text, &j, NULL) == 0)
		parsed = json_in_arena(&cloud.arena, j);
}

static void ask(struct exchange *x)
{
	exchange_add(x, "authorization", arena_printf(&cloud.arena, "Bearer %s", token));
	exchange_send(x);
	parse(x);
}

static void expect_error(const struct exchange *x, int status, const char *reason)
{
	assert_status(x, status);
	const json_t *error = json_object_get(parsed, "error");
	assert_int_equal(json_int(error, "code", 0), status);
	assert_true(json_str(error, "message").n > 0);
	assert_str(json_str(json_array_get(json_object_get(error, "errors"), 0), "reason"), str_of(reason));
}

static void expect(const char *method, const char *target, int status)
{
	struct exchange x = request(method, target, S(""));
	ask(&x);
	assert_status(&x, status);
}

// ---------------------------------------------------------------- tokens

struct claim_plan {
	const char *issuer, *audience, *scope; // NULL: right
	int64_t issued_s, lifetime_s;          // 0: now, an hour
};

static struct exchange ask_token(const struct claim_plan *plan)
{
	AUTO(buf) jwt = {0};
	struct err e = {0};
	int64_t now_s = edges_real()->wall_ns(NULL) / NS_PER_S;
	struct jwt_claims claims = {
		.issuer = plan->issuer ? str_of(plan->issuer) : json_str(cloud.credentials, "client_email"),
		.audience = plan->audience ? str_of(plan->audience) : json_str(cloud.credentials, "token_uri"),
		.scope = str_of(plan->scope ? plan->scope : FULL),
		.issued_s = now_s + plan->issued_s,
		.expires_s = now_s + plan->issued_s + (plan->lifetime_s ? plan->lifetime_s : 3600),
	};
	assert_int_equal(jwt_rs256_make(json_str(cloud.credentials, "private_key"),
				 json_str(cloud.credentials, "private_key_id"), &claims, &jwt, &e),
		0);
	struct exchange x = request("POST", "/token",
		arena_printf(&cloud.arena,
			"grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer&assertion=%.*s",
			STR(buf_str(&jwt))));
	exchange_add(&x, "content-type", S("application/x-www-form-urlencoded"));
	exchange_send(&x);
	parse(&x);
	return x;
}

static int setup(UNUSED void **state)
{
	if (cloud_setup("gcp") < 0)
		return -1;
	struct exchange x = ask_token(&(struct claim_plan){0});
	assert_status(&x, 200);
	assert_int_equal(json_int(parsed, "expires_in", 0), 3600);
	assert_true(str_copy(token, sizeof(token), json_str(parsed, "access_token")));
	x = request("POST", "/storage/v1/b?project=p", S("{\"name\":\"lake\",\"location\":\"EU\"}"));
	ask(&x);
	assert_status(&x, 200);
	arena_free(&cloud.arena);
	return 0;
}

static void test_assertions(UNUSED void **state)
{
	static const struct {
		struct claim_plan plan;
		const char *error;
	} wrong[] = {
		{{.issuer = "other@x.iam.gserviceaccount.com"}, "invalid_grant"},
		{{.audience = "https://elsewhere/token"}, "invalid_grant"},
		{{.issued_s = 7200}, "invalid_grant"},
		{{.issued_s = -7200}, "invalid_grant"},
		{{.scope = "https://www.googleapis.com/auth/bigquery"}, "invalid_scope"},
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct exchange x = ask_token(&wrong[i].plan);
		assert_status(&x, 400);
		assert_str(json_str(parsed, "error"), str_of(wrong[i].error));
		assert_true(json_str(parsed, "error_description").n > 0);
	}
	struct exchange x = ask_token(&(struct claim_plan){.audience = "https://oauth2.googleapis.com/token"});
	assert_status(&x, 200);
	x = request("POST", "/token", S("grant_type=password&assertion=x"));
	exchange_send(&x);
	parse(&x);
	assert_status(&x, 400);
	assert_str(json_str(parsed, "error"), S("unsupported_grant_type"));
	x = request("POST", "/token",
		S("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c"));
	exchange_send(&x);
	assert_status(&x, 400);
}

static void test_who_asks(UNUSED void **state)
{
	struct exchange x = request("GET", "/storage/v1/b", S(""));
	exchange_send(&x);
	parse(&x);
	expect_error(&x, 401, "authError");
	assert_true(answered(&x, "www-authenticate").n > 0);
	for (size_t at = 5; at < strlen(token); at += 9) { // one character of the token altered
		char spoilt[sizeof(token) + 8];
		snprintf(spoilt, sizeof(spoilt), "Bearer %s", token);
		spoilt[7 + at] = spoilt[7 + at] == 'A' ? 'B' : 'A';
		x = request("GET", "/storage/v1/b", S(""));
		exchange_add(&x, "authorization", str_of(spoilt));
		exchange_send(&x);
		parse(&x);
		expect_error(&x, 401, "authError");
	}
	x = ask_token(&(struct claim_plan){.scope = READ});
	struct str reader = arena_printf(&cloud.arena, "Bearer %.*s", STR(json_str(parsed, "access_token")));
	x = request("GET", "/storage/v1/b", S(""));
	exchange_add(&x, "authorization", reader);
	exchange_send(&x);
	assert_status(&x, 200);
	x = request("POST", "/storage/v1/b", S("{\"name\":\"mine\"}"));
	exchange_add(&x, "authorization", reader);
	exchange_send(&x);
	parse(&x);
	expect_error(&x, 403, "forbidden");
}

// ---------------------------------------------------------------- uploads

static void upload(const char *name, struct str body)
{
	AUTO(buf) target = {0};
	buf_printf(&target, "/upload/storage/v1/b/lake/o?uploadType=media&name=%s", name);
	struct exchange x = request("POST", arena_cstr(&cloud.arena, buf_str(&target)), body);
	exchange_add(&x, "content-type", S("text/plain"));
	ask(&x);
	assert_status(&x, 200);
}

static void test_upload_and_read(UNUSED void **state)
{
	upload("a%2Fb%20c", S("123456789"));
	assert_str(json_str(parsed, "name"), S("a/b c"));
	assert_str(json_str(parsed, "crc32c"), S("4waSgw=="));
	assert_str(json_str(parsed, "md5Hash"), S("JfnnlDI7RTiF9RgfG2JNCw=="));
	assert_str(json_str(parsed, "size"), S("9"));
	assert_str(json_str(parsed, "metageneration"), S("1"));
	struct str generation = json_str(parsed, "generation");
	struct exchange x = request("GET", "/storage/v1/b/lake/o/a%2Fb%20c?alt=media", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_str(x.text, S("123456789"));
	assert_str(answered(&x, "content-type"), S("text/plain"));
	assert_str(answered(&x, "x-goog-hash"), S("crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw=="));
	assert_str(answered(&x, "x-goog-generation"), generation);
	x = request("GET", "/download/storage/v1/b/lake/o/a%2Fb%20c?alt=media", S(""));
	exchange_add(&x, "range", S("bytes=2-3"));
	ask(&x);
	assert_status(&x, 206);
	assert_str(x.text, S("34"));
	x = request("GET", "/storage/v1/b/lake/o/a%2Fb%20c?alt=media", S(""));
	exchange_add(&x, "range", S("bytes=9-"));
	ask(&x);
	expect_error(&x, 416, "requestedRangeNotSatisfiable");
	expect("DELETE", "/storage/v1/b/lake/o/a%2Fb%20c", 204);
	x = request("GET", "/storage/v1/b/lake/o/a%2Fb%20c", S(""));
	ask(&x);
	expect_error(&x, 404, "notFound");
	assert_str(json_str(json_object_get(parsed, "error"), "message"), S("No such object: lake/a/b c"));
}

static struct exchange upload_related(struct str metadata, struct str media)
{
	struct exchange x = request("POST", "/upload/storage/v1/b/lake/o?uploadType=multipart",
		arena_printf(&cloud.arena,
			"--sep\r\nContent-Type: application/json\r\n\r\n%.*s\r\n--sep\r\nContent-Type: "
			"image/png\r\n\r\n%.*s\r\n--sep--",
			STR(metadata), STR(media)));
	exchange_add(&x, "content-type", S("multipart/related; boundary=\"sep\""));
	ask(&x);
	return x;
}

static void test_upload_with_metadata(UNUSED void **state)
{
	struct exchange x = upload_related(
		S("{\"name\":\"m\",\"metadata\":{\"k\":\"v\"},\"crc32c\":\"4waSgw==\"}"), S("123456789"));
	assert_status(&x, 200);
	assert_str(json_str(parsed, "contentType"), S("image/png"));
	assert_str(json_str(json_object_get(parsed, "metadata"), "k"), S("v"));
	static const struct {
		struct str metadata;
		int status;
		const char *reason;
	} wrong[] = {
		{S_INIT("{\"name\":\"n\",\"crc32c\":\"AAAAAA==\"}"), 400, "invalid"},
		{S_INIT("{\"name\":\"n\",\"md5Hash\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}"), 400, "invalid"},
		{S_INIT("{\"name\":\"n\""), 400, "invalid"},
		{S_INIT("{}"), 400, "required"},
		{S_INIT("{\"name\":\"n\",\"contentType\":5}"), 400, "invalid"},
		{S_INIT("{\"name\":\"n\",\"temporaryHold\":true}"), 501, "notImplemented"},
		{S_INIT("{\"name\":\"n\",\"storageClass\":\"ARCHIVE\"}"), 501, "notImplemented"},
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		x = upload_related(wrong[i].metadata, S("123456789"));
		expect_error(&x, wrong[i].status, wrong[i].reason);
	}
	x = request("POST", "/upload/storage/v1/b/lake/o?uploadType=multipart", S("not multipart"));
	exchange_add(&x, "content-type", S("text/plain"));
	ask(&x);
	expect_error(&x, 400, "invalid");
	expect("GET", "/storage/v1/b/lake/o/n", 404);
}

static void test_conditions(UNUSED void **state)
{
	upload("c", S("one"));
	const char *generation = arena_cstr(&cloud.arena, json_str(parsed, "generation"));
	const struct {
		const char *method, *parameter, *value;
		int status;
	} cases[] = {
		{"POST", "ifGenerationMatch", "0", 412},
		{"POST", "ifGenerationMatch", "1", 412},
		{"POST", "ifMetagenerationMatch", "9", 412},
		{"POST", "ifGenerationMatch", "x", 400},
		{"GET", "ifGenerationMatch", "1", 412},
		{"GET", "ifGenerationMatch", generation, 200},
		{"GET", "ifGenerationNotMatch", generation, 304},
		{"GET", "ifMetagenerationNotMatch", "1", 304},
		{"GET", "generation", "1", 404},
		{"GET", "generation", generation, 200},
		{"DELETE", "ifGenerationMatch", "1", 412},
		{"DELETE", "generation", "1", 404},
		{"POST", "ifGenerationMatch", generation, 200},
		{"DELETE", "ifGenerationMatch", generation, 412},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *base = *cases[i].method == 'P' ? "/upload/storage/v1/b/lake/o?uploadType=media&name=c&"
							   : "/storage/v1/b/lake/o/c?";
		struct exchange x = request(cases[i].method,
			arena_printf(&cloud.arena, "%s%s=%s", base, cases[i].parameter, cases[i].value).p,
			str_of(*cases[i].method == 'P' ? "two" : ""));
		ask(&x);
		assert_status(&x, cases[i].status);
		if (cases[i].status == 412)
			expect_error(&x, 412, "conditionNotMet");
	}
}

static struct exchange chunk(const char *place, const char *content_range, struct str body)
{
	struct exchange x = request("PUT", place, body);
	if (content_range)
		exchange_add(&x, "content-range", str_of(content_range));
	exchange_send(&x); // without a token: the address is the authority
	parse(&x);
	return x;
}

static const char *begin_resumable(const char *query, struct str body)
{
	struct exchange x = request("POST",
		arena_printf(&cloud.arena, "/upload/storage/v1/b/lake/o?uploadType=resumable&%s", query).p, body);
	ask(&x);
	assert_status(&x, 200);
	struct str location = answered(&x, "location");
	return arena_cstr(&cloud.arena, str_drop(location, strlen(pocket_url(cloud.pocket))));
}

static void test_resumable(UNUSED void **state)
{
	static char bytes[(256 << 10) + 5];
	memset(bytes, 'r', sizeof(bytes));
	struct str whole = str_bytes(bytes, sizeof(bytes)), half = str_take(whole, 256 << 10);
	const char *place = begin_resumable("name=r", S("{\"metadata\":{\"k\":\"v\"}}"));
	struct exchange x = chunk(place, "bytes */*", S(""));
	assert_status(&x, 308);
	assert_int_equal(answered(&x, "range").n, 0); // nothing is stored
	x = chunk(place, "bytes 0-262143/*", half);
	assert_status(&x, 308);
	assert_str(answered(&x, "range"), S("bytes=0-262143"));
	x = request("PUT", place, S("")); // Google's Go library wants no 308
	exchange_add(&x, "content-range", S("bytes */*"));
	exchange_add(&x, "x-guploader-no-308", S("yes"));
	exchange_send(&x);
	assert_status(&x, 200);
	assert_str(answered(&x, "x-http-status-code-override"), S("308"));
	assert_str(answered(&x, "range"), S("bytes=0-262143"));
	x = chunk(place, "bytes 262145-262148/262149", S("four"));
	expect_error(&x, 400, "invalid");
	x = chunk(place, "bytes 262144-262146/262149", S("thr"));
	expect_error(&x, 400, "invalid"); // not the last one, and no multiple
	x = chunk(place, "bytes nonsense", S("x"));
	expect_error(&x, 400, "invalid");
	// The pocket is restarted in between.
	cloud_stop();
	cloud_start();
	x = chunk(place, "bytes */262149", S(""));
	assert_status(&x, 308);
	assert_str(answered(&x, "range"), S("bytes=0-262143"));
	x = chunk(place, "bytes 0-262148/262149", whole); // all of it again: the known part is skipped
	assert_status(&x, 200);
	struct str md5 = json_str(parsed, "md5Hash");
	x = chunk(place, "bytes */262149", S(""));
	assert_status(&x, 200); // the client may have missed the answer
	unsigned char digest[MD5_SIZE];
	AUTO(buf) text = {0};
	md5_of(whole, digest);
	base64_encode(str_bytes(digest, MD5_SIZE), &text);
	assert_str(md5, buf_str(&text));
	x = request("GET", "/storage/v1/b/lake/o/r", S(""));
	ask(&x);
	assert_str(json_str(json_object_get(parsed, "metadata"), "k"), S("v"));
	assert_null(json_object_get(parsed, "upload-total"));
}

static void test_resumable_ends_badly(UNUSED void **state)
{
	const char *place = begin_resumable("name=s", S("{\"crc32c\":\"AAAAAA==\"}"));
	struct exchange x = chunk(place, NULL, S("123456789"));
	expect_error(&x, 400, "invalid");
	x = chunk(place, NULL, S("123456789"));
	expect_error(&x, 404, "notFound");
	place = begin_resumable("name=s&ifGenerationMatch=0", S(""));
	upload("s", S("first")); // somebody else was faster
	x = chunk(place, NULL, S("second"));
	expect_error(&x, 412, "conditionNotMet");
	place = begin_resumable("name=t", S(""));
	x = request("DELETE", place, S(""));
	exchange_send(&x);
	assert_status(&x, 499);
	x = chunk(place, NULL, S("x"));
	expect_error(&x, 404, "notFound");
	x = chunk("/upload/storage/v1/b/lake/o?uploadType=resumable&upload_id=../../x", NULL, S("x"));
	expect_error(&x, 404, "notFound");
}

static void test_compose(UNUSED void **state)
{
	upload("p1", S("12345"));
	upload("p2", S("6789"));
	struct exchange x = request("POST", "/storage/v1/b/lake/o/p/compose",
		S("{\"sourceObjects\":[{\"name\":\"p1\"},{\"name\":\"p2\"}],\"destination\":{\"contentType\":\"x/"
		  "y\"}}"));
	ask(&x);
	assert_status(&x, 200);
	assert_str(json_str(parsed, "crc32c"), S("4waSgw=="));
	assert_null(json_object_get(parsed, "md5Hash"));
	assert_int_equal(json_int(parsed, "componentCount", 0), 2);
	x = request("GET", "/storage/v1/b/lake/o/p?alt=media", S(""));
	ask(&x);
	assert_str(x.text, S("123456789"));
	x = request("POST", "/storage/v1/b/lake/o/p/compose", S("{\"sourceObjects\":[]}"));
	ask(&x);
	expect_error(&x, 400, "invalid");
	x = request("POST", "/storage/v1/b/lake/o/p/compose", S("{\"sourceObjects\":[{\"name\":\"none\"}]}"));
	ask(&x);
	expect_error(&x, 404, "notFound");
	x = request("POST", "/storage/v1/b/lake/o/p/rewriteTo/b/lake/o/q", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_true(json_flag(parsed, "done", false));
	x = request("GET", "/storage/v1/b/lake/o/q?alt=media", S(""));
	ask(&x);
	assert_str(x.text, S("123456789"));
	assert_str(answered(&x, "content-type"), S("x/y"));
}

static void test_metadata(UNUSED void **state)
{
	upload("d", S("x"));
	struct exchange x = request("PATCH", "/storage/v1/b/lake/o/d",
		S("{\"metadata\":{\"a\":\"1\",\"b\":\"2\"},\"cacheControl\":\"no-store\"}"));
	ask(&x);
	assert_status(&x, 200);
	assert_str(json_str(parsed, "metageneration"), S("2"));
	x = request("PATCH", "/storage/v1/b/lake/o/d?ifMetagenerationMatch=2", S("{\"metadata\":{\"a\":null}}"));
	ask(&x);
	assert_status(&x, 200);
	assert_null(json_object_get(json_object_get(parsed, "metadata"), "a"));
	assert_str(json_str(json_object_get(parsed, "metadata"), "b"), S("2"));
	assert_str(json_str(parsed, "cacheControl"), S("no-store"));
	assert_str(json_str(parsed, "contentType"), S("text/plain"));
	x = request("PATCH", "/storage/v1/b/lake/o/d?ifMetagenerationMatch=2", S("{}"));
	ask(&x);
	expect_error(&x, 412, "conditionNotMet");
	x = request("PUT", "/storage/v1/b/lake/o/d", S("{\"contentType\":\"a/b\"}"));
	ask(&x);
	assert_status(&x, 200);
	assert_null(json_object_get(parsed, "metadata"));
	assert_null(json_object_get(parsed, "cacheControl"));
}

static void test_buckets_and_listing(UNUSED void **state)
{
	static const struct {
		const char *method, *target, *body;
		int status;
		const char *reason;
	} wrong[] = {
		{"POST", "/storage/v1/b", "{\"name\":\"lake\"}", 409, "conflict"},
		{"POST", "/storage/v1/b", "{\"name\":\"No\"}", 400, "invalid"},
		{"POST", "/storage/v1/b", "{}", 400, "required"},
		{"POST", "/storage/v1/b", "{\"name\":\"abc\",\"versioning\":{\"enabled\":true}}", 501,
			"notImplemented"},
		{"POST", "/storage/v1/b", "[", 400, "invalid"},
		{"GET", "/storage/v1/b/nothere", "", 404, "notFound"},
		{"DELETE", "/storage/v1/b/lake", "", 409, "conflict"},
		{"GET", "/storage/v1/b/lake/o?maxResults=x", "", 400, "invalid"},
		{"GET", "/storage/v1/b/lake/o?matchGlob=x", "", 501, "notImplemented"},
		{"GET", "/elsewhere", "", 404, "notFound"},
		{"PATCH", "/storage/v1/b", "", 405, "methodNotAllowed"},
	};
	upload("l%2F1", S("x"));
	upload("l%2F2", S("x"));
	upload("l%2Fd%2F1", S("x"));
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct exchange x = request(wrong[i].method, wrong[i].target, str_of(wrong[i].body));
		ask(&x);
		expect_error(&x, wrong[i].status, wrong[i].reason);
	}
	struct exchange x = request("GET", "/storage/v1/b/lake/o?prefix=l%2F&delimiter=%2F&maxResults=2", S(""));
	ask(&x);
	assert_int_equal(json_array_size(json_object_get(parsed, "items")), 2);
	struct str next = json_str(parsed, "nextPageToken");
	assert_true(next.n > 0);
	AUTO(buf) encoded = {0};
	sign_uri_encode(next, "", &encoded);
	x = request("GET",
		arena_printf(&cloud.arena, "/storage/v1/b/lake/o?prefix=l%%2F&delimiter=%%2F&maxResults=2&pageToken=%s",
			buf_cstr(&encoded))
			.p,
		S(""));
	ask(&x);
	assert_int_equal(json_array_size(json_object_get(parsed, "items")), 0);
	assert_str(json_value_str(json_array_get(json_object_get(parsed, "prefixes"), 0)), S("l/d/"));
	assert_null(json_object_get(parsed, "nextPageToken"));
}

static void test_identity(UNUSED void **state)
{
	struct exchange x = request("POST", "/tokeninfo", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_str(json_str(parsed, "email"), json_str(cloud.credentials, "client_email"));
	assert_str(json_str(parsed, "scope"), S(FULL));
	x = request("POST", "/tokeninfo", S(""));
	exchange_add(&x, "authorization", S("Bearer ya29.nothing"));
	exchange_send(&x);
	parse(&x);
	assert_status(&x, 400);
	assert_str(json_str(parsed, "error"), S("invalid_token"));
	x = request("GET",
		"/storage/v1/b/lake/iam/testPermissions?permissions=storage.objects.create&permissions=storage.buckets."
		"setIamPolicy&permissions=storage.objects.get",
		S(""));
	ask(&x);
	assert_status(&x, 200);
	const json_t *granted = json_object_get(parsed, "permissions");
	assert_int_equal(json_array_size(granted), 2);
	assert_str(json_value_str(json_array_get(granted, 0)), S("storage.objects.create"));
	x = request("GET", "/storage/v1/b/nothere/iam/testPermissions?permissions=storage.objects.get", S(""));
	ask(&x);
	expect_error(&x, 404, "notFound");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, cloud_test_end)
	const struct CMUnitTest tests[] = {
		TEST(assertions),
		TEST(who_asks),
		TEST(upload_and_read),
		TEST(upload_with_metadata),
		TEST(conditions),
		TEST(resumable),
		TEST(resumable_ends_badly),
		TEST(compose),
		TEST(metadata),
		TEST(buckets_and_listing),
		TEST(identity),
	};
	return cmocka_run_group_tests(tests, setup, cloud_teardown);
}

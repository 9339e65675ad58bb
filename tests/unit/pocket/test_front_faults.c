// SPDX-License-Identifier: Apache-2.0
// Each fault, met by a real request of each of the three protocols: what the client sees, and what was done all the same.
#include "pocket_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cloud/sign/jwt_rs256.h"
#include "cloud/sign/sharedkey.h"
#include "cloud/sign/sigv4.h"
#include "net/address.h"
#include "pocket/admin.h"
#include "pocket/engine/engine.h"

static char token[256]; // of Cloud Storage

// ---------------------------------------------------------------- three protocols

static void sign_s3(struct exchange *x)
{
	struct err e = {0};
	struct sigv4_key key;
	struct sign_header room[32];
	AUTO(buf) authorization = {0};
	static char date[TIME_TEXT_SIZE];
	char hash[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(x->body);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hash);
	time_iso_basic(edges_real()->wall_ns(NULL), date);
	exchange_add(x, "x-amz-date", arena_str(&cloud.arena, str_of(date)));
	exchange_add(x, "x-amz-content-sha256", arena_str(&cloud.arena, str_of(hash)));
	assert_int_equal(sigv4_key_make(&key, json_str(cloud.credentials, "secret_access_key"),
				 str_take(str_of(date), 8), S("eu-central-1")),
		0);
	struct sign_request r = exchange_signable(x, room);
	assert_int_equal(
		sigv4_authorize(&r, json_str(cloud.credentials, "access_key_id"), &key, &authorization, &e), 0);
	exchange_add(x, "authorization", arena_str(&cloud.arena, buf_str(&authorization)));
}

static void sign_azure(struct exchange *x)
{
	struct err e = {0};
	struct sign_header room[32];
	AUTO(buf) key = {0};
	AUTO(buf) authorization = {0};
	char date[TIME_TEXT_SIZE], length[24];
	time_http_date(edges_real()->wall_ns(NULL), date);
	snprintf(length, sizeof(length), "%zu", x->body.n);
	exchange_add(x, "x-ms-date", arena_str(&cloud.arena, str_of(date)));
	exchange_add(x, "x-ms-version", S("2023-11-03"));
	struct sign_request r = exchange_signable(x, room);
	if (x->body.n)
		room[r.header_count++] = (struct sign_header){.name = S("content-length"), .value = str_of(length)};
	assert_int_equal(base64_decode(json_str(cloud.credentials, "key"), &key), 0);
	assert_int_equal(
		sharedkey_authorize(&r, json_str(cloud.credentials, "account"), buf_str(&key), &authorization, &e), 0);
	exchange_add(x, "authorization", arena_str(&cloud.arena, buf_str(&authorization)));
}

static void sign_gcs(struct exchange *x)
{
	exchange_add(x, "authorization", arena_printf(&cloud.arena, "Bearer %s", token));
}

static void take_token(void)
{
	AUTO(buf) jwt = {0};
	AUTO(json) answer = NULL;
	struct err e = {0};
	int64_t now_s = edges_real()->wall_ns(NULL) / NS_PER_S;
	struct jwt_claims claims = {.issuer = json_str(cloud.credentials, "client_email"),
		.audience = json_str(cloud.credentials, "token_uri"),
		.scope = S("https://www.googleapis.com/auth/devstorage.full_control"),
		.issued_s = now_s,
		.expires_s = now_s + 3600};
	assert_int_equal(jwt_rs256_make(json_str(cloud.credentials, "private_key"),
				 json_str(cloud.credentials, "private_key_id"), &claims, &jwt, &e),
		0);
	struct exchange x = {.method = S("POST"),
		.target = S("/token"),
		.body = arena_printf(&cloud.arena,
			"grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer&assertion=%.*s",
			STR(buf_str(&jwt)))};
	exchange_add(&x, "content-type", S("application/x-www-form-urlencoded"));
	exchange_send(&x);
	assert_status(&x, 200);
	assert_int_equal(json_parse(x.text, &answer, &e), 0);
	assert_true(str_copy(token, sizeof(token), json_str(answer, "access_token")));
}

static const struct protocol {
	const char *as;
	void (*sign)(struct exchange *x);
	int put, there, gone; // statuses: stored; created only if absent, but it is there; deleted
	int slow;
	const char *slow_code, *broken_code, *there_code;
} protocols[] = {
	{"aws", sign_s3, 200, 412, 204, 503, "SlowDown", "InternalError", "PreconditionFailed"},
	{"gcp", sign_gcs, 200, 412, 204, 429, "rateLimitExceeded", "internalError", "conditionNotMet"},
	{"azure", sign_azure, 201, 409, 202, 503, "ServerBusy", "InternalError", "BlobAlreadyExists"},
};
static const struct protocol *now; // the one under test

static struct exchange request_of(const char *method, const char *key, struct str body, bool if_absent)
{
	struct exchange x = {.method = str_of(method), .body = body};
	if (strcmp(now->as, "aws") == 0) {
		x.target = arena_printf(&cloud.arena, "/lake/%s", key);
	} else if (strcmp(now->as, "azure") == 0) {
		x.target = arena_printf(&cloud.arena, "/%s/lake/%s", json_text(cloud.credentials, "account"), key);
		if (strcmp(method, "PUT") == 0)
			exchange_add(&x, "x-ms-blob-type", S("BlockBlob"));
	} else if (strcmp(method, "PUT") == 0) {
		x.method = S("POST");
		x.target = arena_printf(&cloud.arena, "/upload/storage/v1/b/lake/o?uploadType=media&name=%s%s", key,
			if_absent ? "&ifGenerationMatch=0" : "");
	} else {
		x.target = arena_printf(&cloud.arena, "/storage/v1/b/lake/o/%s%s", key,
			strcmp(method, "GET") == 0 ? "?alt=media" : "");
	}
	if (if_absent && strcmp(now->as, "gcp") != 0)
		exchange_add(&x, "if-none-match", S("*"));
	return x;
}

// 0, or the code of a way that was cut.
static int try(struct exchange *x, int64_t total_ms)
{
	struct http_call_response response = {0};
	struct str url = origin_of(str_of(pocket_url(cloud.pocket)));
	struct http_call_request request = {.method = x->method,
		.url = arena_printf(&cloud.arena, "%.*s%.*s", STR(url), STR(x->target)),
		.headers = x->headers,
		.header_count = x->count,
		.body = x->body,
		.guard = cloud.guard,
		.total_ns = total_ms * NS_PER_MS};
	call_init(&cloud.call, &cloud.arena, edges_real(), S("test"));
	int rc = http_call(&cloud.call, &request, &response);
	x->status = response.status;
	x->answered = response.headers;
	x->text = response.body;
	return rc;
}

static struct exchange ask(const char *method, const char *key, struct str body)
{
	struct exchange x = request_of(method, key, body, false);
	now->sign(&x);
	exchange_send(&x);
	return x;
}

static int attempt(const char *method, const char *key, struct str body, struct exchange *x)
{
	*x = request_of(method, key, body, false);
	now->sign(x);
	return try(x, 20000);
}

static void expect_object(const char *key, struct str wanted)
{
	struct exchange x = ask("GET", key, S(""));
	assert_status(&x, 200);
	assert_str(x.text, wanted);
}

static void expect_no_object(const char *key)
{
	struct exchange x = ask("GET", key, S(""));
	assert_status(&x, 404);
}

// ---------------------------------------------------------------- the switchboard

static struct exchange administer_at(const char *path_of_route, const char *method, struct str body)
{
	AUTO(json) admin = NULL;
	struct err e = {0};
	char path[128];
	snprintf(path, sizeof(path), "%s/admin.json", cloud.folder);
	assert_int_equal(json_parse_file(path, 1 << 16, &admin, &e), 0);
	struct exchange x = {.method = str_of(method), .target = str_of(path_of_route), .body = body};
	exchange_add(&x, "authorization", arena_printf(&cloud.arena, "Bearer %s", json_text(admin, "token")));
	exchange_send(&x);
	return x;
}

static struct exchange administer(const char *method, struct str body)
{
	return administer_at(ADMIN_FAULTS_PATH, method, body);
}

static void faults(const char *text)
{
	struct exchange x = administer("PUT", str_of(text));
	assert_status(&x, 200);
}

static int64_t fired(void)
{
	AUTO(json) told = NULL;
	struct err e = {0};
	struct exchange x = administer("GET", S(""));
	assert_status(&x, 200);
	assert_int_equal(json_parse(x.text, &told, &e), 0);
	return json_int(json_array_get(json_object_get(told, "rules"), 0), "fired", -1);
}

static int setup(UNUSED void **state)
{
	if (cloud_setup(now->as) < 0)
		return -1;
	struct exchange x = {.method = S("PUT"), .target = S("/lake")};
	if (strcmp(now->as, "gcp") == 0) {
		take_token();
		x = (struct exchange){.method = S("POST"),
			.target = S("/storage/v1/b?project=p"),
			.body = S("{\"name\":\"lake\",\"location\":\"EU\"}")};
	} else if (strcmp(now->as, "azure") == 0) {
		x.target = arena_printf(
			&cloud.arena, "/%s/lake?restype=container", json_text(cloud.credentials, "account"));
	}
	now->sign(&x);
	exchange_send(&x);
	return x.status == 200 || x.status == 201 ? 0 : -1;
}

static int end_test(void **state)
{
	struct exchange x = administer("DELETE", S(""));
	return x.status == 200 ? cloud_test_end(state) : -1;
}

// ---------------------------------------------------------------- the faults

static void test_lost_reply(UNUSED void **state)
{
	struct exchange x;
	faults("lose-reply");
	assert_int_equal(attempt("PUT", "a1", S("kept"), &x), ERR_UNAVAILABLE);
	assert_int_equal(attempt("GET", "a1", S(""), &x), ERR_UNAVAILABLE);
	assert_int_equal(fired(), 2);
	faults("");
	expect_object("a1", S("kept")); // it had been done
	faults("lose-reply DELETE");
	assert_int_equal(attempt("DELETE", "a1", S(""), &x), ERR_UNAVAILABLE);
	faults("");
	expect_no_object("a1");
}

// A condition that the first delivery fulfilled no longer holds for the second, whose answer it is that comes.
static void test_delivered_twice(UNUSED void **state)
{
	faults("act-twice");
	struct exchange x = request_of("PUT", "b1", S("once"), true);
	now->sign(&x);
	exchange_send(&x);
	assert_status(&x, now->there);
	assert_contains(x.text, str_of(now->there_code));
	expect_object("b1", S("once"));
	x = ask("PUT", "b2", S("again"));
	assert_status(&x, now->put);
	expect_object("b2", S("again"));
	x = ask("DELETE", "b2", S(""));
	assert_true(x.status == 404 || (x.status == 204 && strcmp(now->as, "aws") == 0)); // S3 never minds
	expect_no_object("b2");
}

static size_t count_heads(const char *raw)
{
	size_t n = 0;
	for (const char *at = raw; (at = strstr(at, "HTTP/1.1 ")); at++)
		n++;
	return n;
}

static size_t heads_on_the_wire(const char *request)
{
	struct err e = {0};
	struct address address;
	char text[65536];
	size_t n = 0;
	ssize_t got;
	assert_int_equal(address_parse(cloud_host(), &address, &e), 0);
	AUTO(fd) fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &address.any, address.size), 0);
	assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
	while (n < sizeof(text) - 1 && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	return count_heads(text);
}

static void test_answered_twice(UNUSED void **state)
{
	faults("");
	assert_int_equal(heads_on_the_wire("GET /lake/c1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"), 1);
	faults("answer-twice");
	assert_int_equal(heads_on_the_wire("GET /lake/c1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"), 2);
	assert_int_equal(heads_on_the_wire("HEAD /lake/c1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"), 2);
	struct exchange x = ask("PUT", "c1", S("body"));
	assert_status(&x, now->put);
	expect_object("c1", S("body"));
}

static void test_stall(UNUSED void **state)
{
	struct exchange x;
	faults("stall 150ms");
	int64_t before = edges_real()->mono_ns(NULL);
	x = ask("PUT", "d1", S("late"));
	assert_status(&x, now->put);
	assert_true(edges_real()->mono_ns(NULL) - before >= 150 * NS_PER_MS);
	faults("stall 1h GET");
	x = request_of("GET", "d1", S(""), false);
	now->sign(&x);
	assert_int_equal(try(&x, 100), ERR_TIMEOUT); // and the client that left is forgotten
	faults("");
	expect_object("d1", S("late"));
}

static void test_throttled(UNUSED void **state)
{
	struct exchange x;
	faults("throttle 1500ms PUT; throttle 1500ms POST");
	x = ask("PUT", "e1", S("never"));
	assert_status(&x, now->slow);
	assert_contains(x.text, str_of(now->slow_code));
	assert_str(answered(&x, "retry-after"), S("2")); // whole seconds
	faults("");
	expect_no_object("e1");
}

static void test_error(UNUSED void **state)
{
	struct exchange x;
	faults("error PUT; error POST");
	x = ask("PUT", "f1", S("never"));
	assert_status(&x, 500);
	assert_contains(x.text, str_of(now->broken_code));
	assert_int_equal(answered(&x, "retry-after").n, 0);
	faults("");
	expect_no_object("f1");
}

// Done, and yet an error in the provider's words.
static void test_error_after(UNUSED void **state)
{
	struct exchange x;
	faults("error-after");
	x = ask("PUT", "f2", S("done"));
	assert_status(&x, 500);
	assert_contains(x.text, str_of(now->broken_code));
	x = ask("GET", "f2", S(""));
	assert_status(&x, 500);
	assert_int_equal(fired(), 2);
	faults("");
	expect_object("f2", S("done"));
	faults("error-after DELETE");
	x = ask("DELETE", "f2", S(""));
	assert_status(&x, 500);
	faults("");
	expect_no_object("f2");
}

// What ends spot jobs and tokens leaves the request as it is.
static void test_goes_on(UNUSED void **state)
{
	struct exchange x;
	faults("interrupt PUT; interrupt POST");
	x = ask("PUT", "f3", S("fine"));
	assert_status(&x, now->put);
	assert_int_equal(fired(), strcmp(now->as, "gcp") != 0); // its puts are POSTs
	faults("");
	expect_object("f3", S("fine"));
}

static void test_cut_answer(UNUSED void **state)
{
	static char large[100000];
	struct exchange x;
	memset(large, 'z', sizeof(large));
	x = ask("PUT", "g1", str_bytes(large, sizeof(large)));
	assert_status(&x, now->put);
	faults("cut");
	assert_int_equal(attempt("GET", "g1", S(""), &x), ERR_UNAVAILABLE);
	assert_int_equal(attempt("PUT", "g2", S("done"), &x), ERR_UNAVAILABLE);
	assert_int_equal(attempt("DELETE", "g1", S(""), &x), ERR_UNAVAILABLE);
	faults("");
	expect_object("g2", S("done"));
	expect_no_object("g1");
}

static void test_cut_request(UNUSED void **state)
{
	struct exchange x;
	faults("cut-request");
	assert_int_equal(attempt("PUT", "h1", S("never"), &x), ERR_UNAVAILABLE);
	assert_int_equal(attempt("GET", "h1", S(""), &x), ERR_UNAVAILABLE);
	faults("");
	expect_no_object("h1");
}

static void test_partition(UNUSED void **state)
{
	struct exchange x;
	faults("partition for=200ms");
	int64_t before = edges_real()->mono_ns(NULL);
	x = ask("PUT", "i1", S("through")); // waits, as what a real one delays
	assert_status(&x, now->put);
	assert_true(edges_real()->mono_ns(NULL) - before >= 200 * NS_PER_MS);
	expect_object("i1", S("through"));
	faults("partition");
	x = request_of("GET", "i1", S(""), false);
	now->sign(&x);
	assert_int_equal(try(&x, 100), ERR_TIMEOUT);
	faults("");
	expect_object("i1", S("through"));
}

// ---------------------------------------------------------------- the routes

static void test_status(UNUSED void **state)
{
	AUTO(json) told = NULL;
	struct err e = {0};
	struct exchange x = {.method = S("GET"), .target = S(ADMIN_STATUS_PATH)};
	exchange_send(&x);
	assert_status(&x, 403);
	x = administer_at(ADMIN_STATUS_PATH, "PUT", S(""));
	assert_status(&x, 405);
	x = administer_at(ADMIN_STATUS_PATH, "GET", S(""));
	assert_status(&x, 200);
	assert_int_equal(json_parse(x.text, &told, &e), 0);
	assert_string_equal(json_text(told, "name"), "Unit-Test");
	assert_string_equal(json_text(told, "as"), now->as);
	assert_string_equal(json_text(told, "url"), pocket_url(cloud.pocket));
	assert_int_equal(json_int(told, "pace", 0), POCKET_PACE);
	assert_true(json_is_array(json_object_get(told, "services")));
	const json_t *engine = json_object_get(told, "engine");
	assert_string_equal(json_text(engine, "isolation"), engine_isolation_text());
	assert_int_equal(json_array_size(json_object_get(engine, "jobs")), 0);
}

static void test_route(UNUSED void **state)
{
	struct exchange x = {.method = S("PUT"), .target = S(ADMIN_FAULTS_PATH), .body = S("error")};
	exchange_send(&x);
	assert_status(&x, 403);
	exchange_add(&x, "authorization", S("Bearer 0000000000000000000000000000000000000000000000000000000000000000"));
	exchange_send(&x);
	assert_status(&x, 403);
	x = administer("PUT", S("eror"));
	assert_status(&x, 400);
	assert_contains(x.text, S("there is no fault"));
	x = administer("PATCH", S(""));
	assert_status(&x, 405);
	x = ask("PUT", "j1", S("fine"));
	assert_status(&x, now->put);
	faults("error /**j1*");
	cloud_stop(); // rules outlive the process
	cloud_start();
	if (strcmp(now->as, "gcp") == 0)
		take_token();
	x = ask("GET", "j1", S(""));
	assert_status(&x, 500);
	x = administer("DELETE", S(""));
	assert_status(&x, 200);
	expect_object("j1", S("fine"));
	char path[128];
	struct stat st;
	snprintf(path, sizeof(path), "%s/faults", cloud.folder);
	assert_int_equal(stat(path, &st), -1);
	snprintf(path, sizeof(path), "%s/admin.json", cloud.folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_lost_reply, end_test),
		cmocka_unit_test_teardown(test_delivered_twice, end_test),
		cmocka_unit_test_teardown(test_answered_twice, end_test),
		cmocka_unit_test_teardown(test_stall, end_test),
		cmocka_unit_test_teardown(test_throttled, end_test),
		cmocka_unit_test_teardown(test_error, end_test),
		cmocka_unit_test_teardown(test_error_after, end_test),
		cmocka_unit_test_teardown(test_goes_on, end_test),
		cmocka_unit_test_teardown(test_cut_answer, end_test),
		cmocka_unit_test_teardown(test_cut_request, end_test),
		cmocka_unit_test_teardown(test_partition, end_test),
		cmocka_unit_test_teardown(test_route, end_test),
		cmocka_unit_test_teardown(test_status, end_test),
	};
	int failed = 0;
	for (size_t i = 0; i < COUNT_OF(protocols); i++) {
		now = &protocols[i];
		failed += cmocka_run_group_tests_name(now->as, tests, setup, cloud_teardown);
	}
	return failed;
}

// SPDX-License-Identifier: Apache-2.0
// The gateway whole, in one process on one loop: a client, the gateway, and upstreams that fail on demand. Every answer
// must have its audit record before it leaves.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/metrics.h"
#include "base/time.h"
#include "gateway/worker.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "security/api_key.h"
#include "security/audit_verify.h"

enum mode { ANSWER, FAIL_500, FAIL_503, CUT_HEAD, CUT_BODY, NEVER, BIG };

struct upstream {
	struct http_server *server;
	enum mode mode;
	int requests, probes;
	char port[16];
	struct str wanted; // of the last request: a header to remember
	char header[128], path[128], leaked[128];
	size_t body;
};

struct world {
	struct loop *loop;
	struct worker *worker;
	struct guard *guard;
	struct http_client *client;
	struct upstream up[3];
	char folder[64], key[128], other_key[128];
	struct arena arena;
	// of the last answer
	int status;
	struct buf body;
	char request_id[80];
	struct err err;
	bool over;
};

// ---- upstreams

static void upstream_answer(struct http_exchange *x, struct str body)
{
	struct upstream *u = x->ctx;
	const struct http_header headers[] = {HTTP_HEADER("content-type", "application/json"),
		HTTP_HEADER("set-cookie", "a=b"), HTTP_HEADER("x-isobar-internal", "secret"),
		HTTP_HEADER("x-answer", "42")};
	const struct http_reply reply = {200, headers, COUNT_OF(headers)};
	u->body = body.n;
	snprintf(u->path, sizeof(u->path), "%.*s", STR(x->request.target));
	snprintf(u->header, sizeof(u->header), "%.*s", STR(http_header_get(&x->request.headers, "x-request-id")));
	u->leaked[0] = '\0';
	static const char *const secrets[] = {
		"authorization", "x-api-key", "cookie", "x-forwarded-for", "x-isobar-tenant", "x-hop"};
	for (size_t i = 0; i < COUNT_OF(secrets); i++)
		if (http_header_get(&x->request.headers, secrets[i]).p)
			snprintf(u->leaked, sizeof(u->leaked), "%s", secrets[i]);
	http_reply(x, &reply, arena_printf(&x->arena, "{\"from\":%s}", u->port));
}

static void upstream_begin(struct http_exchange *x)
{
	struct upstream *u = x->ctx;
	const struct http_reply ok = {.status = 200};
	static char block[100000];
	if (str_eq(x->request.path, S("/v2/health/ready"))) {
		u->probes++;
		http_reply_text(x, u->mode == ANSWER ? 200 : 503, "text/plain", S(""));
		return;
	}
	u->requests++;
	if (u->mode == ANSWER) {
		http_body_collect(x, 16 << 20, upstream_answer);
	} else if (u->mode == FAIL_500 || u->mode == FAIL_503) {
		http_reply_text(x, u->mode == FAIL_500 ? 500 : 503, "text/plain", S("broken"));
	} else if (u->mode == CUT_HEAD) {
		http_exchange_abort(x);
	} else if (u->mode == CUT_BODY) {
		http_reply_start(x, &ok, 100);
		http_reply_write(x, S("half")); // and no more
	} else if (u->mode == BIG) {
		http_reply_start(x, &ok, 30 * (int64_t)sizeof(block));
		for (int i = 0; i < 30; i++)
			http_reply_write(x, (struct str){block, sizeof(block)});
		http_reply_end(x);
	}
}

static const struct http_service upstream_service = {.begin = upstream_begin};

static void upstream_start(struct world *w, struct upstream *u, const char *listen)
{
	struct err e = {0};
	struct http_server_options o = {
		.loop = w->loop, .service = &upstream_service, .ctx = u, .listen = str_of(listen)};
	if (http_server_new(&o, &u->server, &e))
		fail_msg("%s", e.message);
	snprintf(u->port, sizeof(u->port), "%u", http_server_port(u->server));
}

// ---- the gateway

static const char *path_in(struct world *w, const char *name)
{
	return arena_printf(&w->arena, "%s/%s", w->folder, name).p;
}

static json_t *key_record(
	struct world *w, const struct secret *secret, const char *name, char *text, int64_t expires_ns)
{
	struct call c;
	AUTO(secret) key = {0};
	struct api_key_record record = {.name = str_of(name), .expires_ns = expires_ns};
	call_init(&c, &w->arena, edges_real(), S("user/test"));
	assert_int_equal(api_key_make(&c, secret, &key, &record), 0);
	snprintf(text, 128, "%.*s", STR(secret_str(&key)));
	return api_key_to_json(&record);
}

static json_t *make_snapshot(struct world *w, const double weights[3])
{
	AUTO(secret) secret = {0};
	struct err e = {0};
	assert_int_equal(api_key_hash_secret_open(edges_real(), path_in(w, "hash.secret"), &secret, &e), 0);
	json_t *targets = json_array();
	for (int i = 0; i < 3; i++) {
		static const char *const clouds[] = {"aws-us", "gcp-eu", "azure-eu"};
		struct str url = arena_printf(&w->arena, "http://127.0.0.1:%s", w->up[i].port);
		json_array_append_new(targets, json_pack("{s:s, s:s, s:s, s:f}", "endpoint", "classify", "cloud",
						       clouds[i], "url", url.p, "weight", weights[i]));
	}
	json_t *keys = json_array();
	json_array_append_new(keys, key_record(w, &secret, "shop-app", w->key, 0));
	json_array_append_new(keys, key_record(w, &secret, "stranger", w->other_key, 0));
	return json_pack("{s:s, s:i, s:s, s:{s:s, s:s}, s:s, s:o, s:[{s:s, s:[s], s:[{s:[s], s:[s]}]}],"
			 " s:[{s:s, s:s, s:s, s:o, s:{s:i, s:b}, s:{s:[s]}, s:i}]}",
		"name", "edge", "generation", 7, "listen", "127.0.0.1:0", "audit", "mode", "strict", "folder",
		path_in(w, "audit"), "key_hash_secret_file", path_in(w, "hash.secret"), "api_keys", keys, "roles",
		"name", "shop-app", "members", "api-key/shop-app", "allow", "actions", "model.predict", "resources",
		"endpoint/classify", "routes", "name", "classify", "path", "/v2/models/classify/**", "endpoint",
		"classify", "targets", targets, "retry", "attempts", 3, "idempotent", 1, "require", "any", "api-key",
		"timeout_ms", 150);
}

static void write_snapshot(struct world *w, json_t *snapshot)
{
	AUTO(buf) text = {0};
	struct err e = {0};
	assert_non_null(snapshot);
	assert_int_equal(json_write(snapshot, &text, &e), 0);
	assert_int_equal(file_write_atomic(path_in(w, "snapshot.json"), buf_str(&text), 0600, &e), 0);
	json_decref(snapshot);
}

static const double even[3] = {1, 1, 1};

static void start(struct world *w)
{
	struct err e = {0};
	memset(w, 0, sizeof(*w));
	snprintf(w->folder, sizeof(w->folder), "/tmp/isobar-gateway-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	assert_int_equal(loop_new(&w->loop, &e), 0);
	for (int i = 0; i < 3; i++)
		upstream_start(w, &w->up[i], "127.0.0.1:0");
	write_snapshot(w, make_snapshot(w, even));
	struct worker_options o = {.loop = w->loop,
		.edges = edges_real(),
		.snapshot_path = path_in(w, "snapshot.json"),
		.audit_key_path = path_in(w, "audit.key")};
	if (worker_new(&o, &w->worker, &e))
		fail_msg("%s", e.message);
	assert_int_equal(guard_new_loopback(&w->guard, &e), 0);
	struct http_client_options c = {.loop = w->loop, .guard = w->guard};
	assert_int_equal(http_client_new(&c, &w->client, &e), 0);
}

static void stop(struct world *w)
{
	http_client_free(w->client);
	worker_free(w->worker);
	for (int i = 0; i < 3; i++)
		http_server_free(w->up[i].server);
	guard_free(w->guard);
	loop_free(w->loop);
	buf_free(&w->body);
	assert_int_equal(file_remove_tree(w->folder, NULL), 0);
	arena_free(&w->arena);
}

// ---- the client

static void on_head(void *ctx, const struct http_response *r)
{
	struct world *w = ctx;
	w->status = r->status;
	snprintf(w->request_id, sizeof(w->request_id), "%.*s", STR(http_header_get(&r->headers, "x-request-id")));
	assert_null(http_header_get(&r->headers, "set-cookie").p);
	assert_null(http_header_get(&r->headers, "x-isobar-internal").p);
}

static void on_body(void *ctx, struct str piece)
{
	buf_add(&((struct world *)ctx)->body, piece);
}

static void on_end(void *ctx, const struct err *e, bool began)
{
	struct world *w = ctx;
	(void)began;
	w->err = *e;
	w->over = true;
}

static const struct http_fetch_events events = {on_head, on_body, NULL, on_end};

// On a loaded machine the time may pass within one round: there are some in any case.
static void rounds_for(struct world *w, int64_t ns)
{
	enum { LEAST = 10 };
	struct err e = {0};
	int64_t until = loop_now_ns(w->loop) + ns;
	for (int rounds = 0; rounds < LEAST || loop_now_ns(w->loop) < until; rounds++)
		assert_int_equal(loop_round(w->loop, NS_PER_MS, &e), 0);
}

static void await_probe(struct world *w, size_t up)
{
	int64_t until = loop_now_ns(w->loop) + 20 * NS_PER_S;
	while (w->up[up].probes < 1 && loop_now_ns(w->loop) < until)
		rounds_for(w, 10 * NS_PER_MS);
	assert_true(w->up[up].probes >= 1);
	rounds_for(w, 20 * NS_PER_MS); // its answer
}

static int ask_with(struct world *w, struct http_fetch_request r, const char *url)
{
	struct err e = {0};
	struct http_fetch *f;
	w->over = false;
	w->status = 0;
	buf_clear(&w->body);
	assert_int_equal(http_client_origin(w->client, str_of(url), &r.origin, &e), 0);
	r.replay = true;
	assert_int_equal(http_fetch_start(&r, &events, w, &f, &e), 0);
	int64_t until = loop_now_ns(w->loop) + 30 * NS_PER_S;
	while (!w->over && loop_now_ns(w->loop) < until)
		assert_int_equal(loop_round(w->loop, 2 * NS_PER_MS, &e), 0);
	assert_true(w->over);
	return w->status;
}

static int ask(struct world *w, const char *key)
{
	struct http_header authorization = {S("authorization"), arena_printf(&w->arena, "Bearer %s", key)};
	struct http_fetch_request r = {.method = S("POST"),
		.target = S("/v2/models/classify/infer"),
		.headers = &authorization,
		.header_count = 1,
		.body = S("{}")};
	return ask_with(w, r, worker_url(w->worker));
}

static double metric(struct world *w, const char *line)
{
	assert_int_equal(ask_with(w, (struct http_fetch_request){.method = S("GET"), .target = S("/metrics")},
				 worker_admin_url(w->worker)),
		200);
	struct str wanted = arena_printf(&w->arena, "\n%s ", line);
	ptrdiff_t at = str_find(buf_str(&w->body), wanted);
	return at < 0 ? -1 : strtod(w->body.p + (size_t)at + wanted.n, NULL);
}

#define REQUESTS(code) "isobar_gateway_requests_total{route=\"classify\",code=\"" code "\"}"
#define ATTEMPTS(cloud, outcome)                                                                                       \
	"isobar_gateway_attempts_total{route=\"classify\",endpoint=\"classify\",cloud=\"" cloud                        \
	"\",outcome=\"" outcome "\"}"

// The log holds exactly these statuses, in order (the log's own records left out), and verifies.
static void expect_records(struct world *w, const int *statuses, size_t count)
{
	struct call c;
	struct audit_report report;
	call_init(&c, &w->arena, edges_real(), S("user/test"));
	struct audit_expectation expect = {.folder = path_in(w, "audit"), .writer = S("gateway/edge")};
	assert_int_equal(audit_verify(&c, &expect, &report), 0);
	assert_true(report.intact && report.complete);
	AUTO(buf) command = {0}, text = {0};
	struct err e = {0};
	buf_printf(&command, "%s/audit/00000000000000000000.jsonl", w->folder);
	size_t seen = 0;
	if (file_read(buf_cstr(&command), 1 << 20, &text, &e))
		fail_msg("%s", e.message);
	struct str rest = buf_str(&text), line;
	while (str_next(&rest, '\n', &line)) {
		if (str_find(line, S("\"kind\":\"request\"")) < 0)
			continue;
		AUTO(json) record = NULL;
		assert_int_equal(json_parse(line, &record, &e), 0);
		assert_true(seen < count);
		assert_int_equal(json_int(json_object_get(record, "body"), "status", 0), statuses[seen]);
		seen++;
	}
	assert_int_equal(seen, count);
}

// ---- tests

static void forwards_what_is_allowed(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	struct http_header headers[] = {{S("authorization"), S("")}, {S("cookie"), S("session=1")},
		{S("x-forwarded-for"), S("1.2.3.4")}, {S("x-isobar-tenant"), S("other")}, {S("connection"), S("x-hop")},
		{S("x-hop"), S("1")}, {S("x-request-id"), S("abc-1")}};
	headers[0].value = arena_printf(&w.arena, "Bearer %s", w.key);
	struct http_fetch_request r = {.method = S("POST"),
		.target = S("/v2/models/%63lassify/./infer?x=1"),
		.headers = headers,
		.header_count = COUNT_OF(headers),
		.body = S("{\"inputs\":[]}")};
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 200);
	struct upstream *u = w.up[0].requests ? &w.up[0] : (w.up[1].requests ? &w.up[1] : &w.up[2]);
	assert_string_equal(u->path, "/v2/models/classify/infer?x=1"); // decided on and forwarded alike
	assert_string_equal(u->leaked, "");
	assert_string_equal(u->header, "abc-1");
	assert_string_equal(w.request_id, "abc-1");
	assert_int_equal(u->body, 13);
	assert_string_equal(buf_cstr(&w.body), arena_printf(&w.arena, "{\"from\":%s}", u->port).p);
	expect_records(&w, (const int[]){200}, 1);
	assert_true(metric(&w, REQUESTS("200")) == 1);
	stop(&w);
}

static void records_every_refusal(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	struct http_header key = {S("x-api-key"), str_of(w.key)};
	struct http_header both[] = {
		{S("x-api-key"), str_of(w.key)}, {S("authorization"), arena_printf(&w.arena, "Bearer %s", w.key)}};
	struct http_fetch_request r = {.method = S("POST"), .target = S("/v2/models/classify/infer"), .body = S("{}")};
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 401);
	assert_int_equal(ask(&w, "nonsense"), 401);
	w.key[20] = (char)(w.key[20] == 'x' ? 'y' : 'x');
	assert_int_equal(ask(&w, w.key), 401);
	assert_int_equal(ask(&w, w.other_key), 403);
	r.headers = both;
	r.header_count = 2;
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 401);
	key.value = str_of(w.other_key);
	r.headers = &key;
	r.header_count = 1;
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 403);
	r.target = S("/v2/models/other/infer");
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 404);
	r.target = S("/v2/models/classify%2finfer");
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 400);
	r.target = S("/v2/models/x/../../../classify");
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 404);
	r.target = S("/v2/../../models/classify");
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 400);
	for (int i = 0; i < 3; i++)
		assert_int_equal(w.up[i].requests, 0);
	expect_records(&w, (const int[]){401, 401, 401, 403, 401, 403, 404, 400, 404, 400}, 10);
	assert_true(metric(&w, REQUESTS("401")) == 4);
	stop(&w);
}

static void refuses_what_is_too_large(void **state)
{
	(void)state;
	static char large[(8 << 20) + 1];
	struct world w;
	start(&w);
	struct http_header key = {S("x-api-key"), str_of(w.key)};
	struct http_fetch_request r = {.method = S("POST"),
		.target = S("/v2/models/classify/infer"),
		.headers = &key,
		.header_count = 1,
		.body = {large, sizeof(large)}};
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 413);
	r.body.n--;
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 200);
	r.method = S("DELETE");
	r.body.n = 0;
	assert_int_equal(ask_with(&w, r, worker_url(w.worker)), 405);
	expect_records(&w, (const int[]){413, 200, 405}, 3);
	stop(&w);
}

static void fails_over_before_the_first_byte(void **state)
{
	(void)state;
	static const enum mode modes[] = {FAIL_503, CUT_HEAD, NEVER};
	for (size_t m = 0; m < COUNT_OF(modes); m++) {
		struct world w;
		start(&w);
		w.up[0].mode = w.up[1].mode = modes[m];
		assert_int_equal(ask(&w, w.key), 200);
		assert_string_equal(buf_cstr(&w.body), arena_printf(&w.arena, "{\"from\":%s}", w.up[2].port).p);
		assert_int_equal(w.up[2].requests, 1);
		assert_true(metric(&w, ATTEMPTS("azure-eu", "ok")) >= 1); // idle targets are probed, and probes count
		assert_true(metric(&w, REQUESTS("200")) == 1);
		expect_records(&w, (const int[]){200}, 1);
		stop(&w);
	}
}

static void never_fails_over_twice_for_a_risky_request(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	json_t *snapshot = make_snapshot(&w, even);
	json_t *retry = json_object_get(json_array_get(json_object_get(snapshot, "routes"), 0), "retry");
	json_object_set_new(retry, "idempotent", json_false());
	write_snapshot(&w, snapshot);
	rounds_for(&w, 20 * NS_PER_MS);
	w.up[0].mode = w.up[1].mode = w.up[2].mode = CUT_HEAD;
	assert_int_equal(ask(&w, w.key), 502);
	assert_int_equal(w.up[0].requests + w.up[1].requests + w.up[2].requests, 1); // it may have been carried out
	stop(&w);
}

static void says_when_nobody_answers(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	for (int i = 0; i < 3; i++) {
		http_server_free(w.up[i].server);
		w.up[i].server = NULL;
	}
	assert_int_equal(ask(&w, w.key), 502);
	expect_records(&w, (const int[]){502}, 1);
	// A target that comes back is found by its probes, and gets requests again.
	upstream_start(&w, &w.up[1], arena_printf(&w.arena, "127.0.0.1:%s", w.up[1].port).p);
	await_probe(&w, 1);
	assert_true(metric(&w, "isobar_gateway_target_in_rotation{endpoint=\"classify\",cloud=\"gcp-eu\"}") == 1);
	assert_true(metric(&w, "isobar_gateway_target_in_rotation{endpoint=\"classify\",cloud=\"aws-us\"}") == 0);
	assert_true(metric(&w, ATTEMPTS("aws-us", "failed")) >= 2); // probes count
	assert_int_equal(ask(&w, w.key), 200);
	assert_int_equal(w.up[1].requests, 1);
	stop(&w);
}

static void breaks_off_what_broke_off(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	for (int i = 0; i < 3; i++)
		w.up[i].mode = CUT_BODY;
	ask(&w, w.key);
	assert_int_equal(w.err.code, ERR_UNAVAILABLE); // the client sees a cut connection, not a short answer
	assert_int_equal(w.up[0].requests + w.up[1].requests + w.up[2].requests, 1);
	stop(&w);
}

static void relays_large_answers(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	for (int i = 0; i < 3; i++)
		w.up[i].mode = BIG;
	assert_int_equal(ask(&w, w.key), 200);
	assert_int_equal(w.err.code, 0);
	assert_int_equal(w.body.n, 3000000);
	stop(&w);
}

static void passes_errors_of_models(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	for (int i = 0; i < 3; i++)
		w.up[i].mode = FAIL_500;
	assert_int_equal(ask(&w, w.key), 500);
	assert_string_equal(buf_cstr(&w.body), "broken");
	assert_int_equal(w.up[0].requests + w.up[1].requests + w.up[2].requests, 1);
	stop(&w);
}

static void shifts_traffic_by_weight(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	write_snapshot(&w, make_snapshot(&w, (const double[]){0, 1, 0}));
	rounds_for(&w, 20 * NS_PER_MS); // inotify
	for (int i = 0; i < 6; i++)
		assert_int_equal(ask(&w, w.key), 200);
	assert_int_equal(w.up[0].requests + w.up[2].requests, 0);
	assert_int_equal(w.up[1].requests, 6);
	await_probe(&w, 0); // still watched
	assert_int_equal(w.up[1].probes, 0);
	stop(&w);
}

static void keeps_the_old_snapshot(void **state)
{
	(void)state;
	struct world w;
	struct err e = {0};
	start(&w);
	assert_int_equal(file_write_atomic(path_in(&w, "snapshot.json"), S("{\"name\":"), 0600, &e), 0);
	rounds_for(&w, 20 * NS_PER_MS);
	assert_int_equal(ask(&w, w.key), 200);
	assert_true(metric(&w, "isobar_gateway_snapshot_generation") == 7);
	assert_int_equal(worker_reload(w.worker, &e), ERR_INVALID);
	stop(&w);
}

static void answers_nothing_without_its_record(void **state)
{
	(void)state;
	struct world w;
	struct rlimit old, small;
	start(&w);
	assert_int_equal(ask(&w, w.key), 200);
	// A full disk, as seen by one process: files may not grow any more.
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(ask(&w, w.key), 503);
	assert_int_equal(ask(&w, "nonsense"), 503);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(ask(&w, w.key), 200);
	stop(&w);
}

static void on_drained(void *ctx)
{
	*(bool *)ctx = true;
}

static void drains(void **state)
{
	(void)state;
	struct world w;
	bool over = false;
	start(&w);
	struct http_fetch_request health = {.method = S("GET"), .target = S("/healthz")};
	assert_int_equal(ask_with(&w, health, worker_admin_url(w.worker)), 200);
	assert_int_equal(ask(&w, w.key), 200);
	worker_drain(w.worker, NS_PER_S, on_drained, &over);
	rounds_for(&w, 10 * NS_PER_MS);
	assert_true(over);
	assert_int_equal(ask_with(&w, health, worker_admin_url(w.worker)), 503);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_what_is_allowed),
		cmocka_unit_test(records_every_refusal),
		cmocka_unit_test(refuses_what_is_too_large),
		cmocka_unit_test(fails_over_before_the_first_byte),
		cmocka_unit_test(never_fails_over_twice_for_a_risky_request),
		cmocka_unit_test(says_when_nobody_answers),
		cmocka_unit_test(breaks_off_what_broke_off),
		cmocka_unit_test(relays_large_answers),
		cmocka_unit_test(passes_errors_of_models),
		cmocka_unit_test(shifts_traffic_by_weight),
		cmocka_unit_test(keeps_the_old_snapshot),
		cmocka_unit_test(answers_nothing_without_its_record),
		cmocka_unit_test(drains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

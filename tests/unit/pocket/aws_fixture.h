// SPDX-License-Identifier: Apache-2.0
// Requests to a pocket's services that speak JSON 1.1, signed; and the role of a supervisor, which the program of a test
// plays for the jobs of its pocket: main() calls aws_test_role() first. Include instead of pocket_fixture.h.
#ifndef ISOBAR_TESTS_POCKET_AWS_FIXTURE_H
#define ISOBAR_TESTS_POCKET_AWS_FIXTURE_H

#include "pocket_fixture.h"

#include "cloud/sign/sigv4.h"
#include "pocket/engine/supervisor_impl.h"

// -1: this is the test itself.
static inline int aws_test_role(int argc, char **argv)
{
	struct err e = {0};
	if (argc != 4 || strcmp(argv[1], "pocket") != 0 || strcmp(argv[2], "run") != 0)
		return -1;
	return supervisor_run(argv[3], &e) < 0;
}

struct aws_ask {
	const char *service; // "sagemaker"
	const char *target;  // "SageMaker.ListModels"; NULL: none
	const char *secret;  // NULL: the pocket's own
	int64_t skew_s;
};

static inline void aws_sign(struct exchange *x, const struct aws_ask *ask)
{
	static char date[TIME_TEXT_SIZE];
	struct err e = {0};
	struct sigv4_key key;
	struct sign_header room[32];
	AUTO(buf) authorization = {0};
	time_iso_basic(edges_real()->wall_ns(NULL) + ask->skew_s * NS_PER_S, date);
	exchange_add(x, "x-amz-date", str_of(date));
	struct str secret =
		ask->secret ? str_of(ask->secret) : json_str(cloud.credentials, "secret_access_key");
	const struct sigv4_scope scope = {
		.day = str_take(str_of(date), 8), .region = S("us-east-1"), .service = str_of(ask->service)};
	char hash[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(x->body);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hash);
	exchange_add(x, "x-amz-content-sha256", arena_str(&cloud.arena, str_of(hash)));
	assert_int_equal(sigv4_key_make_scope(&key, secret, &scope), 0);
	struct sign_request r = exchange_signable(x, room);
	assert_int_equal(
		sigv4_authorize(&r, json_str(cloud.credentials, "access_key_id"), &key, &authorization, &e), 0);
	exchange_add(x, "authorization", arena_str(&cloud.arena, buf_str(&authorization)));
}

static inline struct exchange aws_send(const struct aws_ask *ask, struct str body)
{
	struct exchange x = {.method = S("POST"), .target = S("/"), .body = body};
	exchange_add(&x, "content-type", S("application/x-amz-json-1.1"));
	if (ask->target)
		exchange_add(&x, "x-amz-target", str_of(ask->target));
	aws_sign(&x, ask);
	exchange_send(&x);
	return x;
}

// The answer's JSON, in the test's arena; takes over the request's. status: that it must have.
static inline const json_t *aws_call(const char *service, const char *target, json_t *in, int status)
{
	AUTO(buf) body = {0};
	json_t *out = NULL;
	const struct aws_ask ask = {.service = service, .target = target};
	assert_non_null(in);
	assert_int_equal(json_write(in, &body, NULL), 0);
	json_decref(in);
	struct exchange x = aws_send(&ask, buf_str(&body));
	assert_status(&x, status);
	if (!x.text.n)
		return NULL;
	assert_int_equal(json_parse(x.text, &out, NULL), 0);
	return json_in_arena(&cloud.arena, out);
}

static inline void aws_refused(const char *service, const char *target, json_t *in, const char *code)
{
	assert_str(json_str(aws_call(service, target, in, 400), "__type"), str_of(code));
}

#endif

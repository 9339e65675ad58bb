// SPDX-License-Identifier: Apache-2.0
// A pocket Google Cloud whose jobs and servers are supervised by the test's own program, and JSON requests to its Vertex
// AI. main() of a test calls vertex_role() first.
#ifndef ISOBAR_TESTS_POCKET_VERTEX_FIXTURE_H
#define ISOBAR_TESTS_POCKET_VERTEX_FIXTURE_H

#include "pocket_fixture.h"

#include "base/log.h"
#include "cloud/sign/jwt_rs256.h"
#include "pocket/engine/engine_impl.h"

#define LOCATION "/v1/projects/unit-test/locations/europe-west4"
#define SCOPE "https://www.googleapis.com/auth/cloud-platform"
#define WAIT_NS (20 * NS_PER_S) // for a loaded machine; nothing here takes long

static json_t *answer; // of the last request

// -1: this is the test itself.
static inline int vertex_role(int argc, char **argv)
{
	struct err e = {0};
	if (argc != 4 || strcmp(argv[1], "pocket") != 0 || strcmp(argv[2], "run") != 0)
		return -1;
	int rc = supervisor_run(argv[3], &e);
	if (rc < 0 && rc != ERR_IN_USE)
		log_err(LOG_ERROR, &e, "supervisor");
	return rc < 0;
}

static inline int vertex_setup(UNUSED void **state)
{
	cloud.pace = 2000;
	return cloud_setup("gcp");
}

static inline int vertex_teardown(UNUSED void **state)
{
	struct err e = {0};
	cloud_stop();
	guard_free(cloud.guard);
	int rc = engine_end_root(cloud.folder, 0, &e);
	return rc < 0 ? rc : file_remove_tree(cloud.folder, NULL);
}

// An access token of the pocket's own endpoint.
static inline struct str token_for(const char *scope)
{
	AUTO(buf) jwt = {0};
	struct err e = {0};
	int64_t now = edges_real()->wall_ns(NULL) / NS_PER_S;
	const struct jwt_claims claims = {.issuer = json_str(cloud.credentials, "client_email"),
		.audience = json_str(cloud.credentials, "token_uri"),
		.scope = str_of(scope),
		.issued_s = now,
		.expires_s = now + 3600};
	assert_int_equal(jwt_rs256_make(json_str(cloud.credentials, "private_key"),
				 json_str(cloud.credentials, "private_key_id"), &claims, &jwt, &e),
		0);
	struct exchange x = {.method = S("POST"), .target = S("/token")};
	x.body = arena_printf(&cloud.arena,
		"grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer&assertion=%.*s", STR(buf_str(&jwt)));
	exchange_send(&x);
	json_t *j = NULL;
	assert_int_equal(json_parse(x.text, &j, NULL), 0);
	struct str token = arena_str(&cloud.arena, json_str(j, "access_token"));
	json_decref(j);
	assert_true(token.n > 0);
	return token;
}

static inline int ask_as(struct str token, const char *method, const char *target, const char *body)
{
	struct exchange x = {.method = str_of(method), .target = str_of(target), .body = str_of(body)};
	json_t *j = NULL;
	if (token.n)
		exchange_add(&x, "authorization", arena_printf(&cloud.arena, "Bearer %.*s", STR(token)));
	exchange_send(&x);
	answer = json_parse(x.text, &j, NULL) == 0 ? json_in_arena(&cloud.arena, j) : NULL;
	return x.status;
}

static inline int ask(const char *method, const char *target, const char *body)
{
	static struct str token;
	static const json_t *of;
	if (of != cloud.credentials) {
		static char room[256];
		assert_true(str_copy(room, sizeof(room), token_for(SCOPE)));
		token = str_of(room);
		of = cloud.credentials;
	}
	return ask_as(token, method, target, body);
}

#define asked(status, method, target, body)                                                                            \
	do {                                                                                                           \
		int asked_status = ask(method, target, body);                                                          \
		if (asked_status != (status))                                                                          \
			fail_msg("%s %s: %d: %s", method, target, asked_status, json_dumps(answer, 0));                \
	} while (0)

static inline const char *text(const char *member)
{
	return json_text(answer, member);
}

static inline const char *kept(const char *s)
{
	return arena_cstr(&cloud.arena, str_of(s));
}

static inline const char *error_status(void)
{
	return json_text(json_object_get(answer, "error"), "status");
}

static inline void pause_briefly(int64_t began)
{
	struct timespec moment = {.tv_nsec = 10 * NS_PER_MS};
	if (edges_real()->mono_ns(NULL) - began > WAIT_NS)
		fail_msg("waited in vain: %s", json_dumps(answer, 0));
	nanosleep(&moment, NULL);
}

// Asks for a resource until a member says what is wanted.
static inline void await(const char *target, const char *member, const char *wanted)
{
	int64_t began = edges_real()->mono_ns(NULL);
	for (;; pause_briefly(began)) {
		asked(200, "GET", target, "");
		if (strcmp(text(member), wanted) == 0)
			return;
	}
}

// The answer is an operation: waits until it is done, and leaves it in `answer`.
static inline void await_operation(void)
{
	const char *target = arena_printf(&cloud.arena, "/v1/%s", text("name")).p;
	int64_t began = edges_real()->mono_ns(NULL);
	for (;; pause_briefly(began)) {
		asked(200, "GET", target, "");
		if (json_flag(answer, "done", false))
			return;
	}
}

#endif

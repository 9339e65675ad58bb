// SPDX-License-Identifier: Apache-2.0
// Credentials: the refresher, and the chains of AWS and Google Cloud against scripted services.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "cloud/aws/credentials.h"
#include "cloud/credential_chain.h"
#include "cloud/credentials.h"
#include "cloud/gcp/credentials.h"
#include "store_test.h"

// ---------------------------------------------------------------- the refresher

struct maker {
	int made, fail;
	int64_t lifetime_s;
	bool closed;
};

static int make(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	struct maker *m = ctx;
	if (m->fail)
		return call_fail(c, m->fail, "no more");
	struct str token = arena_printf(c->arena, "%.*s-%d", STR(audience), ++m->made);
	out->lifetime_ns = m->lifetime_s * NS_PER_S;
	return secret_set(&out->token, token, &c->err);
}

static void closed(void *ctx)
{
	((struct maker *)ctx)->closed = true;
}

static const struct credential_ops maker_ops = {.make = make, .close = closed};

static struct credential get(struct cloud_test *t, struct credential_source *s, const char *audience, const char *expected)
{
	struct credential got = {0};
	int rc = credentials_get(&t->call, s, str_of(audience), &got);
	if (rc < 0 || !str_eq(got.token, str_of(expected)))
		fail_msg("got \"%.*s\" (%s), expected %s", STR(got.token), t->call.err.message, expected);
	return got;
}

static void test_refresher(void **state)
{
	(void)state;
	struct cloud_test t;
	struct maker m = {.lifetime_s = 3600};
	struct credential_source *s = NULL;
	cloud_test_init(&t);
	assert_int_equal(credential_source_new(&maker_ops, &m, &s, NULL), 0);
	get(&t, s, "a", "a-1");
	get(&t, s, "b", "b-2"); // each audience has its own
	t.slept_ns += (3600 - CREDENTIALS_TOKEN_EARLY_S - 1) * NS_PER_S;
	get(&t, s, "a", "a-1");
	t.slept_ns += 2 * NS_PER_S;
	get(&t, s, "a", "a-3"); // ahead of its end
	m.fail = ERR_UNAVAILABLE;
	get(&t, s, "b", "b-2"); // due, and nobody gives another: it still holds
	t.slept_ns += (CREDENTIALS_TOKEN_EARLY_S + 1) * NS_PER_S;
	struct credential none;
	assert_int_equal(credentials_get(&t.call, s, S("b"), &none), ERR_UNAVAILABLE);
	err_clear(&t.call.err);
	m.fail = 0;
	struct credential got = get(&t, s, "b", "b-4");
	// Refused: another one once, however young; a second refusal at once is not for its age.
	assert_true(credentials_refused(&t.call, s, S("b"), got.serial));
	got = get(&t, s, "b", "b-5");
	assert_false(credentials_refused(&t.call, s, S("b"), got.serial));
	t.slept_ns += CREDENTIALS_FRESH_S * NS_PER_S;
	assert_true(credentials_refused(&t.call, s, S("b"), got.serial));
	got = get(&t, s, "b", "b-6");
	assert_true(credentials_refused(&t.call, s, S("b"), got.serial - 1)); // there are others already
	credentials_expire(s);
	get(&t, s, "b", "b-7");
	credential_source_free(s);
	assert_true(m.closed);
	struct credential_made made = {0};
	credential_made_free(&made);
	cloud_test_free(&t);
}

static void test_clock(void **state)
{
	(void)state;
	struct cloud_test t;
	struct provider_clock clock = {0};
	char date[TIME_TEXT_SIZE];
	cloud_test_init(&t);
	time_http_date(call_now_ns(&t.call) + 600 * NS_PER_S, date);
	assert_true(provider_clock_learn(&t.call, &clock, str_of(date)));
	assert_false(provider_clock_learn(&t.call, &clock, str_of(date))); // known already
	int64_t ahead = provider_now_ns(&t.call, &clock) - call_now_ns(&t.call);
	assert_true(ahead > 590 * NS_PER_S && ahead < 610 * NS_PER_S);
	assert_false(provider_clock_learn(&t.call, &clock, S("soon")));
	cloud_test_free(&t);
}

// ---------------------------------------------------------------- chains

static struct { // what the environment says
	const char *name;
	char value[256];
} variables[12];

static void set(const char *name, const char *value, const char *tail)
{
	for (size_t i = 0; i < COUNT_OF(variables); i++) {
		if (variables[i].name)
			continue;
		variables[i].name = name;
		snprintf(variables[i].value, sizeof(variables[i].value), "%s%s", value, tail);
		return;
	}
	fail_msg("too many variables");
}

static const char *variable(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; i < COUNT_OF(variables); i++) {
		if (variables[i].name && strcmp(variables[i].name, name) == 0)
			return variables[i].value;
	}
	return NULL;
}

typedef int opener(const struct credential_options *o, struct credential_source **out, struct err *e);

struct chain {
	struct store_test x;
	struct credential_source *source;
	json_t *credentials;
};

// credentials: JSON with ' for ".
static void begin(struct chain *k, opener *open, const char *credentials, const struct script_step *steps, size_t count)
{
	AUTO(buf) text = {0};
	struct err e = {0};
	store_test_start(&k->x, steps, count);
	for (const char *p = credentials; *p; p++)
		buf_add_char(&text, *p == '\'' ? '"' : *p);
	assert_int_equal(json_parse(buf_str(&text), &k->credentials, NULL), 0);
	struct cloud_config config = {.name = S("c"),
		.region = S("eu-central-1"),
		.services_url = k->x.url,
		.credentials = k->credentials};
	struct credential_options o = {.config = &config, .transport = k->x.transport, .variable = variable};
	if (open(&o, &k->source, &e) < 0)
		fail_msg("%s", e.message);
}

static void end(struct chain *k, size_t served)
{
	credential_source_free(k->source);
	k->x.transport.close(k->x.transport.ctx);
	json_decref(k->credentials);
	store_test_stop(&k->x, served);
	memset(variables, 0, sizeof(variables));
}

static struct credential got(struct chain *k, const char *audience)
{
	struct credential out = {0};
	if (credentials_get(k->x.c, k->source, str_of(audience), &out) < 0)
		fail_msg("%s", k->x.c->err.message);
	return out;
}

#define KEYS "\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2099-01-01T00:00:00Z\""
#define STS_KEYS(name)                                                                                                 \
	"<" name "Response><" name "Result><Credentials><AccessKeyId>ASIA2</AccessKeyId><SecretAccessKey>s2</SecretAccessKey>" \
	"<SessionToken>t2</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></" name "Result></" name \
	"Response>"

static void test_environment(void **state)
{
	(void)state;
	struct chain k = {0};
	set("AWS_ACCESS_KEY_ID", "AKIA", "");
	set("AWS_SECRET_ACCESS_KEY", "secret", "");
	begin(&k, aws_credentials_open, "{'chain':true}", NULL, 0);
	struct credential c = got(&k, "");
	assert_true(str_eq(c.access_key, S("AKIA")) && str_eq(c.secret_key, S("secret")) && !c.session_token.n && !c.ends_ns);
	end(&k, 0);
}

static void test_container(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 500}, {.status = 200, .body = S("{" KEYS "}")}};
	struct chain k = {0};
	begin(&k, aws_credentials_open, "{'chain':true}", steps, COUNT_OF(steps));
	set("AWS_CONTAINER_CREDENTIALS_FULL_URI", k.x.url.p, "/v2/credentials/x");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "right", "");
	set("HOME", "/nonexistent", "");
	struct credential c = got(&k, "");
	assert_true(str_eq(c.access_key, S("ASIA1")) && str_eq(c.session_token, S("t")) && c.ends_ns);
	store_test_request(&k.x, 1, "GET", "/v2/credentials/x");
	store_test_header(&k.x, 1, "authorization", "right");
	end(&k, COUNT_OF(steps));
	// Plain http to anywhere else is refused before a request.
	begin(&k, aws_credentials_open, "{'chain':true}", NULL, 0);
	set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.7/x", "");
	set("HOME", "/nonexistent", "");
	assert_int_equal(credentials_get(k.x.c, k.source, S(""), &c), ERR_DENIED);
	end(&k, 0);
}

static void test_instance(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200, .body = S("session")}, {.status = 200, .body = S("jobs\n")},
		{.status = 200, .body = S("{\"Code\":\"Success\"," KEYS "}")}};
	struct chain k = {0};
	begin(&k, aws_credentials_open, "{'chain':true}", steps, COUNT_OF(steps));
	set("AWS_EC2_METADATA_SERVICE_ENDPOINT", k.x.url.p, "/");
	set("HOME", "/nonexistent", "");
	assert_true(str_eq(got(&k, "").access_key, S("ASIA1")));
	store_test_request(&k.x, 0, "PUT", "/latest/api/token");
	store_test_header(&k.x, 0, "x-aws-ec2-metadata-token-ttl-seconds", "21600");
	store_test_request(&k.x, 2, "GET", "/latest/meta-data/iam/security-credentials/jobs");
	store_test_header(&k.x, 2, "x-aws-ec2-metadata-token", "session");
	end(&k, COUNT_OF(steps));
}

static void write_file(char path[], const char *name, const char *text)
{
	snprintf(path, 128, "/tmp/isobar-credentials-%d-%s", (int)getpid(), name);
	assert_int_equal(file_write_atomic(path, str_of(text), 0600, NULL), 0);
}

static void test_roles(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 400, .body = S("<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>")},
		{.status = 200, .body = S(STS_KEYS("AssumeRole"))}, {.status = 200, .body = S(STS_KEYS("AssumeRole"))}};
	struct chain k = {0};
	char config[128], keys[128];
	write_file(config, "config", "[profile ops]\nrole_arn = arn:aws:iam::1:role/ops\nsource_profile = base\nexternal_id = 7\n");
	write_file(keys, "keys", "[base]\naws_access_key_id = AKIAB\naws_secret_access_key = b\n");
	begin(&k, aws_credentials_open, "{'chain':true,'profile':'ops','assume':'arn:aws:iam::1:role/end'}", steps, COUNT_OF(steps));
	set("AWS_CONFIG_FILE", config, "");
	set("AWS_SHARED_CREDENTIALS_FILE", keys, "");
	assert_true(str_eq(got(&k, "").access_key, S("ASIA2")));
	struct str first = store_test_body(&k.x, 1), second = store_test_body(&k.x, 2);
	assert_true(str_find(first, S("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fops")) > 0);
	assert_true(str_find(first, S("ExternalId=7")) > 0);
	assert_true(str_starts(script_server_header(k.x.server, 1, "authorization"), S("AWS4-HMAC-SHA256 Credential=AKIAB/")));
	assert_true(str_find(second, S("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fend")) > 0);
	store_test_header(&k.x, 2, "x-amz-security-token", "t2"); // signed with the first role's
	end(&k, COUNT_OF(steps));
	unlink(config);
	unlink(keys);
}

static void test_web_identity(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200, .body = S(STS_KEYS("AssumeRoleWithWebIdentity"))}};
	struct chain k = {0};
	char token[128];
	write_file(token, "token", "a.b.c\n");
	begin(&k, aws_credentials_open, "{'chain':true}", steps, COUNT_OF(steps));
	set("AWS_WEB_IDENTITY_TOKEN_FILE", token, "");
	set("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod", "");
	set("HOME", "/nonexistent", "");
	assert_true(str_eq(got(&k, "").session_token, S("t2")));
	assert_true(str_find(store_test_body(&k.x, 0), S("WebIdentityToken=a.b.c")) > 0);
	store_test_header(&k.x, 0, "authorization", ""); // the token is the proof
	end(&k, COUNT_OF(steps));
	unlink(token);
}

static void test_process(void **state)
{
	(void)state;
	struct chain k = {0};
	char config[128];
	write_file(config, "config",
		"[default]\ncredential_process = /bin/echo '{\"Version\":1,\"AccessKeyId\":\"ASIAP\",\"SecretAccessKey\":\"p q\"}'\n");
	begin(&k, aws_credentials_open, "{'chain':true}", NULL, 0);
	set("AWS_CONFIG_FILE", config, "");
	set("HOME", "/nonexistent", "");
	struct credential c = got(&k, "");
	assert_true(str_eq(c.access_key, S("ASIAP")) && str_eq(c.secret_key, S("p q")));
	end(&k, 0);
	unlink(config);
}

static void test_metadata_server(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200, .body = S("{\"access_token\":\"m\",\"expires_in\":3599,\"token_type\":\"Bearer\"}")},
		{.status = 200, .body = S("{\"accessToken\":\"i\",\"expireTime\":\"2099-01-01T00:00:00Z\"}")}};
	struct chain k = {0};
	begin(&k, gcp_credentials_open, "{'chain':true,'assume':'a@p.iam.gserviceaccount.com'}", steps, COUNT_OF(steps));
	set("GCE_METADATA_HOST", k.x.url.p + sizeof("http://") - 1, "");
	set("HOME", "/nonexistent", "");
	assert_true(str_eq(got(&k, "https://scope").token, S("i")));
	store_test_header(&k.x, 0, "metadata-flavor", "Google");
	store_test_request(&k.x, 1, "POST", "/v1/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com:generateAccessToken");
	store_test_header(&k.x, 1, "authorization", "Bearer m");
	end(&k, COUNT_OF(steps));
}

static void test_federation(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200, .body = S("{\"access_token\":\"f\",\"expires_in\":3599,\"token_type\":\"Bearer\"}")},
		{.status = 400, .body = S("{\"error\":\"invalid_grant\",\"error_description\":\"expired\"}")}};
	struct chain k = {0};
	char token[128], file[128];
	AUTO(buf) text = {0};
	write_file(token, "token", "{\"id\":\"a.b.c\"}");
	begin(&k, gcp_credentials_open, "{'chain':true}", steps, COUNT_OF(steps));
	buf_printf(&text,
		"{\"type\":\"external_account\",\"audience\":\"//iam/pool\",\"subject_token_type\":\"jwt\",\"token_url\":\"%s/v1/"
		"token\",\"credential_source\":{\"file\":\"%s\",\"format\":{\"type\":\"json\",\"subject_token_field_name\":\"id\"}}}",
		k.x.url.p, token);
	write_file(file, "file", buf_cstr(&text));
	set("GOOGLE_APPLICATION_CREDENTIALS", file, "");
	assert_true(str_eq(got(&k, "https://scope").token, S("f")));
	struct str form = store_test_body(&k.x, 0);
	assert_true(str_find(form, S("subject_token=a.b.c")) > 0 && str_find(form, S("audience=%2F%2Fiam%2Fpool")) > 0);
	struct credential c;
	assert_int_equal(credentials_get(k.x.c, k.source, S("https://other"), &c), ERR_UNAUTHENTICATED);
	assert_string_equal(k.x.c->err.provider_code, "invalid_grant");
	assert_null(strstr(k.x.c->err.message, "a.b.c")); // what was sent is never told
	end(&k, COUNT_OF(steps));
	unlink(token);
	unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refresher),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_instance),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_web_identity),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_metadata_server),
		cmocka_unit_test(test_federation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

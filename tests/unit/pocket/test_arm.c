// SPDX-License-Identifier: Apache-2.0
// Resource Manager and Azure ML of a pocket: what is refused and in which words, assets and pages, a job to its log, and
// an endpoint to its keys.
#include "pocket_fixture.h"

#include <unistd.h>

#include "pocket/arm/arm_impl.h"
#include "pocket/arm/entra.h"
#include "pocket/arm/ml_jobs_impl.h"
#include "pocket/engine/engine_impl.h"

#define WAIT_NS (20 * NS_PER_S)

static json_t *json_of(const struct exchange *x)
{
	json_t *j = NULL;
	struct err e = {0};
	if (json_parse(x->text, &j, &e) < 0)
		fail_msg("%s: %.*s", e.message, STR(x->text));
	return json_in_arena(&cloud.arena, j);
}

static struct exchange ask_token(const char *secret, const char *scope)
{
	struct exchange x = {.method = S("POST")};
	x.target = arena_printf(&cloud.arena, "/%s/oauth2/v2.0/token", json_text(cloud.credentials, "tenant"));
	x.body = arena_printf(&cloud.arena, "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s",
		json_text(cloud.credentials, "client_id"), secret, scope);
	exchange_add(&x, "content-type", S("application/x-www-form-urlencoded"));
	exchange_send(&x);
	return x;
}

static struct str token_for(const char *audience)
{
	struct str scope = arena_printf(&cloud.arena, "https%%3A%%2F%%2F%s%%2F.default", audience);
	struct exchange x = ask_token(json_text(cloud.credentials, "client_secret"), scope.p);
	assert_status(&x, 200);
	return arena_str(&cloud.arena, json_str(json_of(&x), "access_token"));
}

static struct str token_of_owner(void)
{
	return token_for("management.azure.com");
}

static struct exchange arm(const char *method, const char *body, const char *format, ...) PRINTF_LIKE(3, 4);
static struct exchange arm(const char *method, const char *body, const char *format, ...)
{
	struct exchange x = {.method = str_of(method), .body = str_of(body ? body : "")};
	AUTO(buf) target = {0};
	va_list args;
	struct str subscription = json_str(cloud.credentials, "subscription");
	buf_printf(&target, "/subscriptions/%.*s", STR(subscription));
	va_start(args, format);
	buf_vprintf(&target, format, args);
	va_end(args);
	x.target = arena_str(&cloud.arena, buf_str(&target));
	exchange_add(&x, "authorization", arena_printf(&cloud.arena, "Bearer %.*s", STR(token_of_owner())));
	if (body)
		exchange_add(&x, "content-type", S("application/json"));
	exchange_send(&x);
	return x;
}

#define VERSION "?api-version=2024-04-01"
// Below the workspace.
#define ML(method, body, path, ...)                                                                                    \
	arm(method, body,                                                                                              \
		"/resourceGroups/%s/providers/Microsoft.MachineLearningServices/workspaces/%s" path,                   \
		json_text(cloud.credentials, "resource_group"), json_text(cloud.credentials, "workspace"), ##__VA_ARGS__)

static void assert_refused(const struct exchange *x, int status, const char *code)
{
	assert_status(x, status);
	assert_string_equal(json_text(json_object_get(json_of(x), "error"), "code"), code);
}

static void test_refusals(UNUSED void **state)
{
	struct exchange x = {.method = S("GET"), .target = S("/subscriptions?api-version=2020-01-01"), .body = S("")};
	exchange_send(&x);
	assert_refused(&x, 401, "AuthenticationFailed");
	assert_contains(answered(&x, "www-authenticate"), S("Bearer authorization_uri="));
	exchange_add(&x, "authorization", S("Bearer no.token.ofours"));
	exchange_send(&x);
	assert_refused(&x, 401, "InvalidAuthenticationToken");
	x.headers[0].value = arena_printf(&cloud.arena, "Bearer %.*s", STR(token_for("vault.azure.net")));
	exchange_send(&x);
	assert_refused(&x, 401, "InvalidAuthenticationTokenAudience");
	x = ML("GET", NULL, "/jobs");
	assert_refused(&x, 400, "MissingApiVersionParameter");
	x = ML("GET", NULL, "/jobs?api-version=latest");
	assert_refused(&x, 400, "InvalidApiVersionParameter");
	x = arm("GET", NULL, "/resourceGroups/other" VERSION);
	assert_refused(&x, 404, "ResourceGroupNotFound");
	x = ML("GET", NULL, "/pipelines" VERSION);
	assert_refused(&x, 404, "InvalidResourceType");
	x = ML("PUT", "{\"properties\":", "/jobs/a" VERSION);
	assert_refused(&x, 400, "InvalidRequestContent");
	x = ML("GET", NULL, "/jobs/none" VERSION);
	assert_refused(&x, 404, "UserError");
	x = ML("GET", NULL, "/onlineEndpoints/none" VERSION);
	assert_refused(&x, 404, "ResourceNotFound");
}

static void put_environment(const char *name, const char *version, const char *image)
{
	struct str body = arena_printf(&cloud.arena, "{\"properties\":{\"image\":\"%s\"}}", image);
	struct exchange x = ML("PUT", body.p, "/environments/%s/versions/%s" VERSION, name, version);
	assert_status(&x, 201);
}

static void test_entra(UNUSED void **state)
{
	struct exchange x = ask_token("wrong", "https://management.azure.com/.default");
	assert_status(&x, 401);
	assert_string_equal(json_text(json_of(&x), "error"), "invalid_client");
	assert_true(str_starts(json_str(json_of(&x), "error_description"), S("AADSTS7000215: ")));
	x = ask_token(json_text(cloud.credentials, "client_secret"), "https://management.azure.com/user");
	assert_string_equal(json_text(json_of(&x), "error"), "invalid_scope");
	x.target = S("/other-tenant/oauth2/v2.0/token");
	exchange_send(&x);
	assert_string_equal(json_text(json_of(&x), "error"), "invalid_request");
	x = (struct exchange){.method = S("GET"), .target = S("/.identity/token?resource=a"), .body = S("")};
	exchange_add(&x, "x-identity-header", S("00.job"));
	exchange_send(&x);
	assert_status(&x, 401);
	assert_true(entra_action_fits(S("*/read"), S("Microsoft.X/y/read")));
	assert_true(entra_action_fits(S("microsoft.x/*"), S("Microsoft.X/y/write")));
	assert_false(entra_action_fits(S("*/read"), S("Microsoft.X/y/write")));
	assert_false(entra_action_fits(S("Microsoft.X"), S("Microsoft.X/y")));
}

static void write_apps(const char *text)
{
	struct err e = {0};
	char path[128];
	snprintf(path, sizeof(path), "%s/apps.json", cloud.folder);
	assert_int_equal(file_write_atomic(path, str_of(text), 0600, &e), 0);
}

// An app that may only read, and one whose blobs are another's.
static void test_roles(UNUSED void **state)
{
	write_apps("[{\"client_id\":\"reader\",\"client_secret\":\"r\",\"name\":\"reader\",\"actions\":[\"*/read\"]}]");
	struct exchange t = {.method = S("POST")};
	t.target = arena_printf(&cloud.arena, "/%s/oauth2/v2.0/token", json_text(cloud.credentials, "tenant"));
	t.body = S("grant_type=client_credentials&client_id=reader&client_secret=r&scope=https://management.azure.com/.default");
	exchange_send(&t);
	assert_status(&t, 200);
	struct exchange x = ML("GET", NULL, "/jobs" VERSION);
	x.headers[0].value = arena_printf(&cloud.arena, "Bearer %s", json_text(json_of(&t), "access_token"));
	exchange_send(&x);
	assert_status(&x, 200);
	x.method = S("DELETE");
	x.target = arena_printf(&cloud.arena,
		"/subscriptions/%s/resourceGroups/%s/providers/Microsoft.MachineLearningServices/workspaces/%s/jobs/a" VERSION,
		json_text(cloud.credentials, "subscription"), json_text(cloud.credentials, "resource_group"),
		json_text(cloud.credentials, "workspace"));
	exchange_send(&x);
	assert_refused(&x, 403, "AuthorizationFailed");
	assert_contains(x.text, S("Microsoft.MachineLearningServices/workspaces/jobs/delete"));
	t.body = S("grant_type=client_credentials&client_id=reader&client_secret=r&scope=https://storage.azure.com/.default");
	exchange_send(&t);
	struct exchange b = {.method = S("PUT"), .body = S("")};
	b.target = arena_printf(&cloud.arena, "/%s/lake?restype=container", json_text(cloud.credentials, "account"));
	exchange_add(&b, "authorization", arena_printf(&cloud.arena, "Bearer %s", json_text(json_of(&t), "access_token")));
	exchange_add(&b, "x-ms-version", S("2021-12-02"));
	exchange_send(&b);
	assert_status(&b, 403);
	assert_str(answered(&b, "x-ms-error-code"), S("AuthorizationPermissionMismatch"));
	b.headers[0].value = arena_printf(&cloud.arena, "Bearer %.*s", STR(token_for("storage.azure.com")));
	exchange_send(&b);
	assert_status(&b, 201);
}

static void test_assets(UNUSED void **state)
{
	for (int i = 1; i <= 5; i++)
		put_environment("paged", arena_printf(&cloud.arena, "%d", i).p, "library/python:3");
	struct exchange x = ML("PUT", "{\"properties\":{\"image\":\"library/python:3\",\"tags\":{\"a\":\"b\"}}}",
		"/environments/paged/versions/1" VERSION);
	assert_status(&x, 200); // the same content, and tags
	x = ML("PUT", "{\"properties\":{\"image\":\"other\"}}", "/environments/paged/versions/1" VERSION);
	assert_refused(&x, 400, "UserError");
	x = ML("GET", NULL, "/environments/paged/versions" VERSION "&%%24top=2");
	size_t seen = 0;
	for (int pages = 0; pages < 4; pages++) {
		assert_status(&x, 200);
		seen += json_array_size(json_object_get(json_of(&x), "value"));
		struct str next = json_str(json_of(&x), "nextLink");
		if (!next.n)
			break;
		assert_true(pages < 3);
		struct str origin = origin_of(str_of(pocket_url(cloud.pocket)));
		assert_true(str_starts(next, origin));
		x.target = str_drop(next, origin.n);
		exchange_send(&x);
	}
	assert_int_equal(seen, 5);
	x = ML("GET", NULL, "/environments/paged" VERSION);
	const json_t *properties = json_object_get(json_of(&x), "properties");
	assert_string_equal(json_text(properties, "latestVersion"), "5");
	assert_string_equal(json_text(properties, "nextVersion"), "6");
	x = ML("DELETE", NULL, "/environments/paged" VERSION);
	assert_status(&x, 200);
	x = ML("GET", NULL, "/environments/paged/versions/2" VERSION);
	assert_refused(&x, 404, "UserError");
}

static struct str wait_for_job(const char *name, const char *wanted)
{
	int64_t until = edges_real()->mono_ns(NULL) + WAIT_NS;
	for (;;) {
		struct exchange x = ML("GET", NULL, "/jobs/%s" VERSION, name);
		assert_status(&x, 200);
		struct str status = json_str(json_object_get(json_of(&x), "properties"), "status");
		struct str now = arena_str(&cloud.arena, status);
		if (str_eq(now, str_of(wanted)) || ml_job_ended(now))
			return now;
		if (edges_real()->mono_ns(NULL) > until)
			fail_msg("%s is still %.*s", name, STR(now));
		usleep(20000);
	}
}

static struct exchange put_job(const char *name, const char *command)
{
	struct str body = arena_printf(&cloud.arena,
		"{\"properties\":{\"jobType\":\"Command\",\"command\":\"%s\",\"environmentId\":\"azureml:shell:1\","
		"\"environmentVariables\":{\"WORD\":\"hello\"}}}",
		command);
	return ML("PUT", body.p, "/jobs/%s" VERSION, name);
}

static void test_jobs(UNUSED void **state)
{
	put_environment("shell", "1", "library/shell:1");
	struct exchange x = put_job("greet", "echo $WORD; test -n $IDENTITY_HEADER && exit 0");
	assert_status(&x, 201);
	x = put_job("greet", "echo $WORD; test -n $IDENTITY_HEADER && exit 0");
	assert_status(&x, 200);
	x = put_job("greet", "echo other");
	assert_refused(&x, 400, "UserError");
	assert_contains(x.text, S("A job with this name already exists"));
	assert_str(wait_for_job("greet", "Completed"), S("Completed"));
	x = put_job("fails", "exit 3");
	assert_str(wait_for_job("fails", "Failed"), S("Failed"));
	x = put_job("sleeps", "sleep 600");
	assert_str(wait_for_job("sleeps", "Running"), S("Running"));
	x = ML("DELETE", NULL, "/jobs/sleeps" VERSION);
	assert_refused(&x, 400, "UserError");
	x = ML("POST", NULL, "/jobs/sleeps/cancel" VERSION);
	assert_status(&x, 202);
	assert_true(answered(&x, "location").n > 0);
	assert_str(wait_for_job("sleeps", "Canceled"), S("Canceled"));
	x = ML("DELETE", NULL, "/jobs/sleeps" VERSION);
	assert_status(&x, 202);
	x = ML("GET", NULL, "/jobs" VERSION "&tag=none");
	assert_int_equal(json_array_size(json_object_get(json_of(&x), "value")), 0);
	x = ML("GET", NULL, "/jobs" VERSION);
	assert_int_equal(json_array_size(json_object_get(json_of(&x), "value")), 2);
}

// The pocket is stopped in the middle of a job: the next one over the same folder finds it.
static void test_job_outlives_the_pocket(UNUSED void **state)
{
	put_environment("again", "1", "library/shell:1");
	struct exchange x = ML("PUT",
		"{\"properties\":{\"jobType\":\"Command\",\"command\":\"sleep 0.3; exit 5\",\"environmentId\":\"azureml:again:1\"}}",
		"/jobs/survivor" VERSION);
	assert_status(&x, 201);
	assert_str(wait_for_job("survivor", "Running"), S("Running"));
	cloud_stop();
	cloud_start();
	assert_str(wait_for_job("survivor", "Failed"), S("Failed"));
}

static void wait_for_endpoint(const char *path, const char *wanted)
{
	int64_t until = edges_real()->mono_ns(NULL) + WAIT_NS;
	for (;;) {
		struct exchange x = ML("GET", NULL, "/onlineEndpoints/%s" VERSION, path);
		struct str now = json_str(json_object_get(json_of(&x), "properties"), "provisioningState");
		if (str_eq(now, str_of(wanted)))
			return;
		if (edges_real()->mono_ns(NULL) > until)
			fail_msg("%s is still %.*s", path, STR(now));
		usleep(20000);
	}
}

static void test_endpoints(UNUSED void **state)
{
	struct exchange x = ML("PUT", "{\"location\":\"westeurope\",\"properties\":{\"authMode\":\"Key\"}}",
		"/onlineEndpoints/numbers" VERSION);
	assert_status(&x, 201);
	assert_true(answered(&x, "azure-asyncoperation").n > 0);
	x = ML("PUT", "{\"location\":\"westeurope\",\"properties\":{\"authMode\":\"Key\"}}",
		"/onlineEndpoints/numbers" VERSION);
	assert_refused(&x, 409, "Conflict");
	wait_for_endpoint("numbers", "Succeeded");
	x = ML("PUT", "{\"location\":\"westeurope\",\"properties\":{\"authMode\":\"Key\",\"traffic\":{\"blue\":100}}}",
		"/onlineEndpoints/numbers" VERSION);
	assert_refused(&x, 400, "UserError"); // of a deployment that is not there
	x = ML("POST", NULL, "/onlineEndpoints/numbers/listKeys" VERSION);
	struct str key = arena_str(&cloud.arena, json_str(json_of(&x), "primaryKey"));
	assert_int_equal(key.n, 64);
	x = ML("POST", NULL, "/onlineEndpoints/numbers/token" VERSION);
	assert_refused(&x, 400, "UserError");
	x = ML("POST", "{\"keyType\":\"Primary\",\"keyValue\":\"of-ours\"}",
		"/onlineEndpoints/numbers/regenerateKeys" VERSION);
	assert_status(&x, 202);
	x = ML("POST", NULL, "/onlineEndpoints/numbers/listKeys" VERSION);
	assert_string_equal(json_text(json_of(&x), "primaryKey"), "of-ours");
	struct exchange scored = {.method = S("POST"), .target = S("/.ml/numbers/score"), .body = S("{}")};
	exchange_send(&scored);
	assert_refused(&scored, 401, "key_auth_bad_header_forbidden");
	exchange_add(&scored, "authorization", S("Bearer of-ours"));
	exchange_send(&scored);
	assert_refused(&scored, 404, "NotFound");
	put_environment("served", "1", "example/server:1");
	x = ML("PUT",
		"{\"location\":\"westeurope\",\"properties\":{\"endpointComputeType\":\"Managed\",\"instanceType\":"
		"\"Standard_DS3_v2\",\"environmentId\":\"azureml:served:1\"}}",
		"/onlineEndpoints/numbers/deployments/blue" VERSION);
	assert_refused(&x, 400, "UserError");
	assert_contains(x.text, S("ISOBAR_POCKET_COMMAND"));
	x = ML("DELETE", NULL, "/onlineEndpoints/numbers" VERSION);
	assert_status(&x, 202);
	x = ML("DELETE", NULL, "/onlineEndpoints/none" VERSION);
	assert_status(&x, 204);
}

static void test_durations(UNUSED void **state)
{
	int64_t ns = 0;
	assert_int_equal(arm_duration(S("PT5S"), &ns), 0);
	assert_int_equal(ns, 5 * NS_PER_S);
	assert_int_equal(arm_duration(S("P1DT2H3M4.5S"), &ns), 0);
	assert_int_equal(ns, ((INT64_C(26) * 60 + 3) * 60 + 4) * NS_PER_S + NS_PER_S / 2);
	static const char *const wrong[] = {"", "P", "PT", "5S", "PT5", "PTS", "P5S", "PT5D", "PT1e9H", "PTT5S"};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(arm_duration(str_of(wrong[i]), &ns), ERR_INVALID);
}

static void test_commands(UNUSED void **state)
{
	AUTO(json) words = json_array();
	struct err e = {0};
	assert_int_equal(ml_split_command(S("isobar  worker --package az://b/p#d.1"), words, &e), 0);
	assert_int_equal(json_array_size(words), 4);
	assert_int_equal(ml_split_command(S("isobar worker; rm -r /"), words, &e), ERR_INVALID);
	assert_true(ml_image_is_isobar(S("registry.example/team/isobar@sha256:00")));
	assert_true(ml_image_is_isobar(S("isobar:0.2")));
	assert_false(ml_image_is_isobar(S("isobar/other")));
	struct str name, version;
	assert_true(arm_id_cut(S("/subscriptions/s/x/workspaces/w/environments/e/versions/7"), "environments", &name, &version));
	assert_str(name, S("e"));
	assert_str(version, S("7"));
	assert_true(arm_id_cut(S("azureml:e:7"), "environments", &name, &version));
	assert_str(version, S("7"));
	assert_false(arm_id_cut(S("/subscriptions/s/models/m"), "environments", &name, &version));
}

static int setup(UNUSED void **state)
{
	return cloud_setup("azure");
}

// What still runs belongs to the test's pocket, and ends with it.
static int teardown(void **state)
{
	struct err e = {0};
	char root[128];
	snprintf(root, sizeof(root), "%s", cloud.folder);
	cloud_stop();
	int rc = engine_end_root(root, NS_PER_S, &e);
	guard_free(cloud.guard);
	(void)state;
	return rc < 0 ? rc : file_remove_tree(cloud.folder, NULL);
}

int main(int argc, char **argv)
{
	struct err e = {0};
	if (argc == 4 && strcmp(argv[1], "pocket") == 0 && strcmp(argv[2], "run") == 0)
		return supervisor_run(argv[3], &e) < 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_refusals, cloud_test_end),
		cmocka_unit_test_teardown(test_entra, cloud_test_end),
		cmocka_unit_test_teardown(test_roles, cloud_test_end),
		cmocka_unit_test_teardown(test_assets, cloud_test_end),
		cmocka_unit_test_teardown(test_jobs, cloud_test_end),
		cmocka_unit_test_teardown(test_job_outlives_the_pocket, cloud_test_end),
		cmocka_unit_test_teardown(test_endpoints, cloud_test_end),
		cmocka_unit_test_teardown(test_durations, cloud_test_end),
		cmocka_unit_test_teardown(test_commands, cloud_test_end),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

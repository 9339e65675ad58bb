// SPDX-License-Identifier: Apache-2.0
// SageMaker's endpoints in a pocket: real servers, which this very program plays when it is started with "serve";
// changes without a gap, roll back, weights, and the runtime's answers.
#include "aws_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pocket/aws/runtime.h"
#include "pocket/aws/sagemaker.h"

#define ROLE "arn:aws:iam::123456789012:role/jobs"

// ---------------------------------------------------------------- the server
// One connection after the other, one request each: /ping is healthy, a body "fail" breaks, any other is told back.
static void serve_one(int fd, const char *tag)
{
	char in[4096];
	size_t n = 0;
	const char *end = NULL;
	while (n < sizeof(in) - 1 && !end) {
		ssize_t got = read(fd, in + n, sizeof(in) - 1 - n);
		if (got <= 0)
			return;
		n += (size_t)got;
		in[n] = 0;
		end = strstr(in, "\r\n\r\n");
		const char *length = end ? strcasestr(in, "content-length: ") : NULL;
		if (length && (size_t)(in + n - end - 4) < (size_t)strtol(length + 16, NULL, 10))
			end = NULL;
	}
	bool fails = end && strcmp(end + 4, "fail") == 0;
	char out[4096];
	int size = snprintf(out, sizeof(out),
		"HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: text/x-mine\r\nContent-Length: %zu\r\n\r\n%s:%s",
		fails ? "500 No" : "200 OK", strlen(tag) + 1 + strlen(end ? end + 4 : ""), tag, end ? end + 4 : "");
	if (size > 0 && write(fd, out, (size_t)size) < 0)
		return;
}

static int serve(void)
{
	const char *port = getenv("SAGEMAKER_BIND_TO_PORT"), *tag = getenv("TAG");
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	if (!port || !tag || strcmp(tag, "dies") == 0)
		return 1;
	at.sin_port = htons((uint16_t)strtol(port, NULL, 10));
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(s, 16) < 0)
		return 1;
	for (;;) {
		int fd = accept(s, NULL, NULL);
		if (fd >= 0)
			serve_one(fd, tag);
		close(fd);
	}
}

// ---------------------------------------------------------------- asking
static const json_t *sm(const char *operation, json_t *in)
{
	return aws_call("sagemaker", arena_printf(&cloud.arena, "SageMaker.%s", operation).p, in, 200);
}

static void sm_refused(const char *operation, json_t *in, const char *message)
{
	const json_t *said =
		aws_call("sagemaker", arena_printf(&cloud.arena, "SageMaker.%s", operation).p, in, 400);
	assert_str(json_str(said, "__type"), S("ValidationException"));
	assert_contains(json_str(said, "message"), str_of(message));
}

static void make_model(const char *name)
{
	sm("CreateModel", json_pack("{s:s, s:s, s:{s:s, s:{s:s}}}", "ModelName", name, "ExecutionRoleArn", ROLE,
				  "PrimaryContainer", "Image", "isobar", "Environment", "TAG", name));
}

static json_t *variant(const char *name, const char *model, double weight)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:f}", "VariantName", name, "ModelName", model, "InitialInstanceCount", 1,
		"InstanceType", "ml.m5.large", "InitialVariantWeight", weight);
}

static json_t *config(const char *name, json_t *first, json_t *second)
{
	json_t *list = json_pack("[o]", first);
	if (second)
		json_array_append_new(list, second);
	return json_pack("{s:s, s:o}", "EndpointConfigName", name, "ProductionVariants", list);
}

static json_t *endpoint(const char *name, const char *of)
{
	json_t *j = json_pack("{s:s}", "EndpointName", name);
	if (of)
		json_object_set_new(j, "EndpointConfigName", json_string(of));
	return j;
}

static const json_t *at_rest(const char *name)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	for (int i = 0; i < 2000; i++) {
		const json_t *e = sm("DescribeEndpoint", endpoint(name, NULL));
		struct str status = json_str(e, "EndpointStatus");
		if (str_eq(status, S("InService")) || str_eq(status, S("Failed")))
			return e;
		nanosleep(&pause, NULL);
	}
	fail_msg("endpoint %s does not come to rest", name);
	return NULL;
}

static struct exchange invoke(const char *target, const char *to_variant, const char *body)
{
	const struct aws_ask ask = {.service = "sagemaker"};
	struct exchange x = {.method = S("POST"), .target = str_of(target), .body = str_of(body)};
	exchange_add(&x, "content-type", S("text/plain"));
	if (to_variant)
		exchange_add(&x, "x-amzn-sagemaker-target-variant", str_of(to_variant));
	aws_sign(&x, &ask);
	exchange_send(&x);
	return x;
}

// ---------------------------------------------------------------- tests
static void test_life(UNUSED void **state)
{
	make_model("one");
	make_model("two");
	make_model("dies");
	sm("CreateEndpointConfig", config("c-one", variant("v1", "one", 1), NULL));
	sm("CreateEndpointConfig", config("c-two", variant("v2", "two", 1), variant("v3", "one", 0)));
	sm("CreateEndpointConfig", config("c-dies", variant("v4", "dies", 1), NULL));
	sm("CreateEndpoint", endpoint("e", "c-one"));
	sm_refused("CreateEndpoint", endpoint("e", "c-one"), "Cannot create already existing endpoint");
	assert_str(json_str(at_rest("e"), "EndpointStatus"), S("InService"));
	struct exchange x = invoke("/endpoints/e/invocations", NULL, "hello");
	assert_status(&x, 200);
	assert_str(x.text, S("one:hello"));
	assert_str(answered(&x, "x-amzn-invoked-production-variant"), S("v1"));
	assert_str(answered(&x, "content-type"), S("text/x-mine"));

	sm("UpdateEndpoint", endpoint("e", "c-two"));
	sm_refused("UpdateEndpoint", endpoint("e", "c-two"), "Cannot update in-progress endpoint");
	x = invoke("/endpoints/e/invocations", NULL, "hello"); // the older one or the new one: never none
	assert_status(&x, 200);
	assert_str(json_str(at_rest("e"), "EndpointConfigName"), S("c-two"));
	x = invoke("/endpoints/e/invocations", NULL, "hello");
	assert_str(x.text, S("two:hello"));
	x = invoke("/endpoints/e/invocations", "v3", "hello");
	assert_str(x.text, S("one:hello"));

	sm("UpdateEndpointWeightsAndCapacities",
		json_pack("{s:s, s:[{s:s, s:i}, {s:s, s:i}]}", "EndpointName", "e", "DesiredWeightsAndCapacities",
			"VariantName", "v2", "DesiredWeight", 0, "VariantName", "v3", "DesiredWeight", 1));
	at_rest("e");
	x = invoke("/endpoints/e/invocations", NULL, "hello");
	assert_str(x.text, S("one:hello"));

	sm("UpdateEndpoint", endpoint("e", "c-dies"));
	const json_t *e = at_rest("e"); // rolled back
	assert_str(json_str(e, "EndpointConfigName"), S("c-two"));
	assert_contains(json_str(e, "FailureReason"), S("did not pass the ping health check"));
	x = invoke("/endpoints/e/invocations", NULL, "hello");
	assert_status(&x, 200);
}

static void test_answers(UNUSED void **state)
{
	struct exchange x = invoke("/endpoints/e/invocations", NULL, "fail");
	assert_status(&x, 424);
	assert_str(answered(&x, "x-amzn-errortype"), S("ModelError"));
	assert_contains(x.text, S("\"OriginalStatusCode\":500"));
	x = invoke("/endpoints/none/invocations", NULL, "");
	assert_status(&x, 400);
	assert_str(answered(&x, "x-amzn-errortype"), S("ValidationError"));
	x = invoke("/endpoints/e/invocations", "none", "");
	assert_status(&x, 400);
	x = (struct exchange){.method = S("POST"), .target = S("/endpoints/e/invocations")};
	exchange_send(&x);
	assert_status(&x, 403);
	assert_str(answered(&x, "x-amzn-errortype"), S("MissingAuthenticationTokenException"));
}

static void test_failed(UNUSED void **state)
{
	sm("CreateEndpoint", endpoint("f", "c-dies"));
	assert_str(json_str(at_rest("f"), "EndpointStatus"), S("Failed"));
	sm_refused("UpdateEndpoint", endpoint("f", "c-one"), "in status Failed");
	struct exchange x = invoke("/endpoints/f/invocations", NULL, "");
	assert_status(&x, 400);
}

static void test_survives_and_ends(UNUSED void **state)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	cloud_stop();
	cloud_start();
	struct exchange x = invoke("/endpoints/e/invocations", "v2", "again");
	for (int i = 0; i < 2000 && x.status == 503; i++) { // until the pocket has looked at it again
		nanosleep(&pause, NULL);
		x = invoke("/endpoints/e/invocations", "v2", "again");
	}
	assert_str(x.text, S("two:again"));
	sm("DeleteEndpoint", endpoint("e", NULL));
	sm("DeleteEndpoint", endpoint("f", NULL));
	for (int i = 0; i < 2000; i++) {
		if (!json_array_size(json_object_get(sm("ListEndpoints", json_object()), "Endpoints")))
			break;
		nanosleep(&pause, NULL);
	}
	sm_refused("DescribeEndpoint", endpoint("e", NULL), "Could not find endpoint");
	sm_refused("DeleteEndpointConfig", json_pack("{s:s}", "EndpointConfigName", "none"),
		"Could not find endpoint configuration");
	sm("DeleteEndpointConfig", json_pack("{s:s}", "EndpointConfigName", "c-one"));
	sm("DeleteModel", json_pack("{s:s}", "ModelName", "one"));
	const json_t *list = sm("ListModels", json_object());
	assert_int_equal(json_array_size(json_object_get(list, "Models")), 2);
}

static void test_refused(UNUSED void **state)
{
	sm_refused("CreateEndpoint", endpoint("g", "none"), "Could not find endpoint configuration");
	sm_refused("CreateEndpointConfig", config("c", variant("v", "none", 1), NULL), "Could not find model");
	sm_refused("CreateEndpointConfig", config("c", variant("v", "two", 1), variant("v", "two", 1)),
		"Duplicate variant name");
	sm_refused("CreateModel", json_pack("{s:s, s:s}", "ModelName", "m", "ExecutionRoleArn", ROLE), "Image");
	sm_refused("CreateModel",
		json_pack("{s:s, s:s, s:{s:s, s:s}}", "ModelName", "m", "ExecutionRoleArn", ROLE, "PrimaryContainer", "Image",
			"x", "ModelDataUrl", "s3://lake/model.tar.gz"),
		"fetches no model data");
}

static int setup(UNUSED void **state)
{
	return cloud_setup("aws");
}

#define TEST(f) cmocka_unit_test_teardown(f, cloud_test_end)

int main(int argc, char **argv)
{
	int role = aws_test_role(argc, argv);
	if (role >= 0)
		return role;
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve();
	const struct CMUnitTest tests[] = {TEST(test_life), TEST(test_answers), TEST(test_failed), TEST(test_refused),
		TEST(test_survives_and_ends)};
	return cmocka_run_group_tests(tests, setup, cloud_teardown);
}

// SPDX-License-Identifier: Apache-2.0
// Commands against a control plane that answers from a table: what is asked for, what is printed, exit codes.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "cli/cli_impl.h"
#include "toy_kinds.h"

struct answer {
	const char *request; // "POST /v1/plan"
	const char *event;   // told first; NULL: none
	const char *result;  // NULL: the error below
	int code;
	const char *message;
};

struct plane {
	const struct answer *answers;
	char asked[1024]; // all requests with their bodies
	struct cli_target target;
};

static json_t *parse(const char *text)
{
	json_t *value = NULL;
	assert_int_equal(0, json_parse(str_of(text), &value, NULL));
	return value;
}

static void note_request(struct plane *p, const struct client_request *r)
{
	struct buf body = {0};
	size_t n = strlen(p->asked);
	if (r->body)
		assert_int_equal(0, json_write(r->body, &body, NULL));
	snprintf(p->asked + n, sizeof(p->asked) - n, "%s %s %s\n", r->method, r->path, buf_cstr(&body));
	buf_free(&body);
}

static int dispatch(struct call *c, void *ctx, const struct client_request *r, json_t **result)
{
	struct plane *p = ctx;
	char request[256];
	snprintf(request, sizeof(request), "%s %s", r->method, r->path);
	note_request(p, r);
	for (const struct answer *a = p->answers; a->request; a++) {
		if (strcmp(a->request, request) != 0)
			continue;
		if (a->event) {
			json_t *event = parse(a->event);
			r->on_event(r->ctx, event);
			json_decref(event);
		}
		if (!a->result)
			return call_fail(c, a->code, "%s", a->message);
		*result = parse(a->result);
		return 0;
	}
	return call_fail(c, ERR_NOT_FOUND, "the test has no answer to %s", request);
}

static int open_local(struct call *c, void *app, const struct cli_target *target, struct client_local *out)
{
	(void)c;
	struct plane *p = app;
	p->target = *target;
	*out = (struct client_local){.ctx = p, .dispatch = dispatch};
	return 0;
}

static void close_local(void *app, struct client_local *local)
{
	(void)app, (void)local;
}

static int find_folder(struct call *c, void *app, const struct cli_target *target, struct str *folder)
{
	(void)c, (void)app;
	*folder = str_of(target->path);
	return 0;
}

static void write_api(FILE *out)
{
	fputs("the API\n", out);
}

// Prices from a table: what was asked goes to standard output first.
static int ask_prices(struct call *c, const json_t *request, json_t **result)
{
	struct buf text = {0};
	struct str what = json_str(request, "do");
	assert_int_equal(0, json_write(request, &text, NULL));
	printf("%s\n", buf_cstr(&text));
	buf_free(&text);
	if (str_eq(json_str(request, "region"), S("moon")))
		return call_fail(c, ERR_INVALID, "there is no moon");
	if (str_eq(what, S("list")))
		*result = parse("{\"rows\":[{\"provider\":\"aws\",\"region\":\"r\",\"shape\":\"m\",\"vcpu\":4,"
				"\"memory_gib\":16,\"accelerator\":\"T4\",\"count\":2,\"on_demand\":1.5,"
				"\"date\":\"2026-06\",\"confidence\":\"low\"}]}");
	else if (str_eq(what, S("check")))
		*result = parse(json_object_get(request, "prices")
				? "{\"rows\":1,\"findings\":[{\"fault\":\"age\",\"text\":\"m: old\"}]}"
				: "{\"rows\":9,\"findings\":[]}");
	else
		*result = parse("{\"rows\":2,\"file\":\"f\",\"refused\":[{\"shape\":\"m\",\"why\":\"free\"}],"
				"\"refused_count\":1}");
	return 0;
}

struct ran {
	int code;
	char *out, *err;
	char asked[1024];
};

// Runs a command whose standard output and error are files.
static struct ran run(const struct answer *answers, const char *line)
{
	struct plane plane = {.answers = answers};
	struct cli cli = {.kinds = toy_kinds,
		.app = &plane,
		.open_local = open_local,
		.close_local = close_local,
		.find_state_folder = find_folder,
		.write_api_reference = write_api,
		.prices = ask_prices,
		.commands = cli_commands,
		.command_count = cli_command_count};
	struct ran r = {0};
	char copy[512], *argv[20] = {"isobar"}, *rest = copy, *word;
	int argc = 1;
	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	size_t out_size, err_size;
	FILE *out = open_memstream(&r.out, &out_size), *err = open_memstream(&r.err, &err_size);
	FILE *old_out = stdout, *old_err = stderr;
	stdout = out;
	stderr = err;
	r.code = command_main(cli_commands, cli_command_count, argc, argv, &cli);
	stdout = old_out;
	stderr = old_err;
	fclose(out);
	fclose(err);
	memcpy(r.asked, plane.asked, sizeof(r.asked));
	return r;
}

static void done(struct ran *r)
{
	free(r->out);
	free(r->err);
}

static void assert_holds(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

// ---------------------------------------------------------------- validate
#define FINDING                                                                                                        \
	"{\"event\":\"finding\",\"file\":\"isobar.yaml\",\"line\":3,\"column\":7,\"field\":\"clouds.a\",\"problem\":"  \
	"\"is wrong\",\"suggestion\":\"write b\"}"

static void test_validate(void **state)
{
	(void)state;
	const struct answer wrong[] = {
		{"POST /v1/validate", FINDING, "{\"valid\":false,\"findings\":[{}]}", 0, NULL}, {0}};
	const struct answer right[] = {
		{"POST /v1/validate", NULL, "{\"valid\":true,\"workspace\":\"w\",\"resources\":4}", 0, NULL}, {0}};
	struct ran r = run(wrong, "validate some/where");
	assert_int_equal(2, r.code);
	assert_string_equal("some/where/isobar.yaml:3:7: clouds.a: is wrong (write b)\n1 mistake\n", r.err);
	assert_string_equal("", r.out);
	done(&r);
	r = run(wrong, "validate some/other.yaml");
	assert_holds(r.err, "some/other.yaml:3:7: clouds.a");
	done(&r);
	r = run(wrong, "validate -o json");
	assert_int_equal(2, r.code);
	assert_holds(r.out, "\"valid\": false");
	done(&r);
	r = run(right, "validate");
	assert_int_equal(0, r.code);
	assert_string_equal("The workspace w is valid: 4 resources.\n", r.out);
	done(&r);
}

// ---------------------------------------------------------------- plan and apply
static const struct answer planes[] = {
	{"POST /v1/plan", NULL, "{\"digest\":\"d1\",\"empty\":false,\"text\":\"Plan: 1 to create\\n\"}", 0, NULL},
	{"POST /v1/apply",
		"{\"event\":\"change\",\"state\":\"done\",\"action\":\"create\",\"address\":\"bucket/x on "
		"a\",\"seconds\":0.5}",
		"{\"revision\":1,\"done\":1,\"waiting\":2}", 0, NULL},
	{0},
};

static void test_plan(void **state)
{
	(void)state;
	struct ran r = run(planes, "plan");
	assert_int_equal(0, r.code);
	assert_string_equal("Plan: 1 to create\n", r.out);
	done(&r);
	r = run(planes, "plan --detailed-exitcode");
	assert_int_equal(2, r.code);
	done(&r);
	const struct answer fails[] = {{"POST /v1/plan", NULL, NULL, ERR_UNAVAILABLE, "no state"}, {0}};
	r = run(fails, "plan --detailed-exitcode");
	assert_int_equal(1, r.code);
	assert_string_equal("isobar: no state\n", r.err);
	done(&r);
	r = run(fails, "plan");
	assert_int_equal(7, r.code);
	done(&r);
}

static void test_apply(void **state)
{
	(void)state;
	struct ran r = run(planes, "apply --auto-approve");
	assert_int_equal(0, r.code);
	assert_string_equal("Plan: 1 to create\nApply complete: 1 done, 2 waiting.\n", r.out);
	assert_string_equal("bucket/x on a: created (0.50 s)\n", r.err);
	assert_holds(r.asked, "POST /v1/apply {\"digest\":\"d1\",\"objects\":false,\"refresh_only\":false}\n");
	done(&r);
	r = run(planes, "apply"); // the test's standard input is no terminal
	assert_int_equal(2, r.code);
	assert_holds(r.err, "--auto-approve");
	assert_null(strstr(r.asked, "/v1/apply"));
	done(&r);
	r = run(planes, "apply --auto-approve -o json");
	assert_string_equal("{\n  \"revision\": 1,\n  \"done\": 1,\n  \"waiting\": 2\n}\n", r.out);
	assert_string_equal("", r.err);
	done(&r);
}

// ---------------------------------------------------------------- tables
static void test_listings(void **state)
{
	(void)state;
	const struct answer answers[] = {
		{"GET /v1/overrides", NULL,
			"{\"overrides\":[{\"address\":\"endpoint/x on "
			"a\",\"field\":\"traffic\",\"value\":0,\"author\":\"monitor/m\","
			"\"made\":\"t1\",\"expires\":\"\",\"reason\":\"lost\"}]}",
			0, NULL},
		{"GET /v1/alerts", NULL, "{\"alerts\":[]}", 0, NULL},
		{"GET /v1/cost", NULL,
			"{\"transfers\":[{\"id\":\"cost/a/b\",\"from\":\"a\",\"to\":\"b\",\"bytes\":1500000,\"price\":0.25,\"currency\":"
			"\"USD\"}]}",
			0, NULL},
		{"GET /v1/models", NULL,
			"{\"models\":[{\"name\":\"m\",\"versions\":[{\"version\":\"1\",\"metrics\":{},\"created\":"
			"\"t\",\"sha256\":"
			"\"0123456789abcdef\"}],\"aliases\":{\"champion\":{\"version\":\"1\"}}}]}",
			0, NULL},
		{0},
	};
	struct ran r = run(answers, "overrides");
	assert_string_equal("ADDRESS          FIELD    VALUE  AUTHOR     MADE  EXPIRES  REASON\n"
			    "endpoint/x on a  traffic      0  monitor/m  t1             lost\n",
		r.out);
	done(&r);
	r = run(answers, "alerts");
	assert_string_equal("nothing\n", r.out);
	done(&r);
	r = run(answers, "cost");
	assert_string_equal("ID        FROM  TO   BYTES         PRICE\ncost/a/b  a     b   1.5 MB  0.250000 USD\n", r.out);
	done(&r);
	r = run(answers, "models");
	assert_holds(r.out, "m            1  champion  {}       t        0123456789ab\n");
	done(&r);
}

static void test_single_acts(void **state)
{
	(void)state;
	static const struct answer overriding[] = {
		{"POST /v1/overrides", NULL, "{\"overrides\":[{\"address\":\"endpoint/x on a\",\"value\":3}]}", 0, NULL}, {0}};
	struct ran r = run(overriding, "override endpoint/x scale.min 3 --reason night --expires 2h");
	assert_int_equal(0, r.code);
	assert_string_equal("endpoint/x on a: scale.min is 3 until the override ends.\n", r.out);
	assert_holds(r.asked, "{\"address\":\"endpoint/x\",\"expires_s\":7200,\"field\":\"scale.min\",\"reason\":\"night\",\"value\":\"3\"}");
	done(&r);
	static const struct answer adopting[] = {{"POST /v1/adopt", NULL, "{\"address\":\"bucket/x\"}", 0, NULL}, {0}};
	r = run(adopting, "adopt bucket/x old --from Terraform");
	assert_int_equal(0, r.code);
	assert_holds(r.out, "bucket/x is Isobar's now, as old.");
	assert_holds(r.asked, "{\"address\":\"bucket/x\",\"from\":\"Terraform\",\"id\":\"old\"}");
	done(&r);
	static const struct answer approving[] = {{"POST /v1/approvals", NULL, "{\"given\":1,\"needed\":2}", 0, NULL}, {0}};
	r = run(approving, "approve d1 --note seen");
	assert_int_equal(0, r.code);
	assert_string_equal("Approved, 1 of 2.\n", r.out);
	assert_holds(r.asked, "{\"digest\":\"d1\",\"note\":\"seen\"}");
	done(&r);
}

static void test_overrides_end(void **state)
{
	(void)state;
	const struct answer answers[] = {{"DELETE /v1/overrides/endpoint%2Fx?field=traffic", NULL,
						 "{\"ended\":{\"field\":\"traffic\"}}", 0, NULL},
		{0}};
	struct ran r = run(answers, "overrides end endpoint/x --field traffic");
	assert_int_equal(0, r.code);
	assert_string_equal("Ended: traffic of endpoint/x holds again as declared.\n", r.out);
	done(&r);
}

static void test_audit(void **state)
{
	(void)state;
	const struct answer good[] = {
		{"GET /v1/audit/verify", NULL,
			"{\"verified\":true,\"gateways\":[{\"gateway\":\"edge\",\"records\":7,\"intact\":true,"
			"\"complete\":true,\"root\":\"ab\",\"heads_checked\":2}]}",
			0, NULL},
		{0}};
	const struct answer bad[] = {
		{"GET /v1/audit/verify", NULL,
			"{\"verified\":false,\"gateways\":[{\"gateway\":\"edge\",\"records\":7,\"intact\":false,"
			"\"complete\":false,\"bad_index\":3,\"reason\":\"changed\"}]}",
			0, NULL},
		{0}};
	struct ran r = run(good, "audit verify");
	assert_int_equal(0, r.code);
	assert_holds(r.out, "gateway/edge: 7 records, complete and unaltered\n");
	done(&r);
	r = run(bad, "audit verify");
	assert_int_equal(9, r.code);
	assert_holds(r.out, "gateway/edge: 7 records, ALTERED\n  first fault at record 3: changed\n");
	done(&r);
}

// ---------------------------------------------------------------- run, data
static void test_run(void **state)
{
	(void)state;
	const struct answer answers[] = {
		{"POST /v1/runs",
			"{\"event\":\"progress\",\"step\":\"training/t\",\"what\":\"round "
			"1\",\"done\":3,\"total\":3,\"unit\":\"sites\",\"text\":\"loss 0.5\"}",
			"{\"steps\":[]}", 0, NULL},
		{"POST /v1/runs/plan", NULL,
			"{\"steps\":[{\"step\":\"dataset/d\",\"run\":\"r1\",\"need\":\"never made\"}]}", 0, NULL},
		{0},
	};
	struct ran r = run(answers, "run training/t");
	assert_int_equal(0, r.code);
	assert_string_equal("Made training/t.\n", r.out);
	assert_string_equal("training/t: round 1: loss 0.5\ntraining/t: round 1: 3 sites\n", r.err);
	assert_holds(r.asked, "{\"goal\":\"training/t\"}");
	done(&r);
	r = run(answers, "run --dry-run training/t");
	assert_string_equal("STEP       RUN  STATE\ndataset/d  r1   never made\n", r.out);
	done(&r);
	r = run(answers, "run");
	assert_int_equal(2, r.code);
	done(&r);
}

static void test_data(void **state)
{
	(void)state;
	const struct answer answers[] = {
		{"GET /v1/objects?at=a%3Alake%2F&recursive=1", NULL,
			"{\"objects\":[{\"name\":\"x/"
			"\",\"size\":0,\"modified\":\"\"},{\"name\":\"y\",\"size\":12,\"modified\":\"t\"}]}",
			0, NULL},
		{"GET /v1/objects/content?at=a%3Alake%2Fy", "{\"event\":\"bytes\",\"base64\":\"aGVsbG8=\"}",
			"{\"bytes\":5}", 0, NULL},
		{0},
	};
	struct ran r = run(answers, "data ls -r a:lake/");
	assert_string_equal("SIZE  MODIFIED  NAME\n   -            x/\n12 B  t         y\n", r.out);
	done(&r);
	r = run(answers, "data cat a:lake/y");
	assert_string_equal("hello", r.out);
	done(&r);
	r = run(answers, "data cp x a:lake/z");
	assert_int_equal(3, r.code);
	assert_holds(r.asked, "/x\",\"to\":\"a:lake/z\"}"); // a path of a file goes whole
	done(&r);
}

// ---------------------------------------------------------------- without a workspace
static void test_explain_and_references(void **state)
{
	(void)state;
	struct ran r = run(NULL, "explain buckets.versioning");
	assert_int_equal(0, r.code);
	assert_holds(r.out, "Versions.");
	done(&r);
	r = run(NULL, "explain bukets");
	assert_int_equal(3, r.code);
	assert_holds(r.err, "buckets");
	done(&r);
	r = run(NULL, "schema");
	assert_holds(r.out, "\"buckets\"");
	done(&r);
	r = run(NULL, "reference --api");
	assert_string_equal("the API\n", r.out);
	done(&r);
	r = run(NULL, "reference");
	assert_holds(r.out, "isobar data ls");
	done(&r);
}

static void test_prices(void **state)
{
	(void)state;
	struct ran r = run(NULL, "prices list --cloud aws --accelerator T4 --count 2 --spot");
	assert_int_equal(0, r.code);
	assert_string_equal("{\"accelerator\":\"T4\",\"cloud\":\"aws\",\"count\":2,\"cpu\":0,\"do\":\"list\",\"memory_gib\":0,"
			    "\"spot\":true}\n"
			    "CLOUD  REGION  MACHINE  CPU  GIB  ACCELERATOR   USD/H  SPOT  DATE     TRUST\n"
			    "aws    r       m          4   16  2 x T4       1.5000     -  2026-06  low\n",
		r.out);
	done(&r);
	r = run(NULL, "prices check mine.json");
	assert_int_equal(1, r.code);
	assert_holds(r.out, "\"prices\":\"mine.json\"");
	assert_holds(r.out, "age: m: old\n1 rows, 1 findings\n");
	done(&r);
	r = run(NULL, "prices check");
	assert_int_equal(0, r.code);
	assert_holds(r.out, "9 rows, 0 findings\n");
	done(&r);
	r = run(NULL, "prices import azure --region x --out f --key-file k");
	assert_int_equal(0, r.code);
	assert_holds(r.out, "\"key_file\":\"k\",\"memory_gib\":0,\"out\":\"f\",\"region\":\"x\"");
	assert_holds(r.out, "m: free\n2 rows in f, 1 prices refused\n");
	done(&r);
	r = run(NULL, "prices import azure --region moon --out f");
	assert_int_equal(2, r.code);
	assert_string_equal("isobar: there is no moon\n", r.err);
	done(&r);
	r = run(NULL, "prices import");
	assert_int_equal(2, r.code);
	done(&r);
}

static void test_targets(void **state)
{
	(void)state;
	struct session s;
	struct plane plane = {0};
	struct cli cli = {
		.app = &plane, .open_local = open_local, .close_local = close_local, .find_state_folder = find_folder};
	const struct common common = {.output = "table"};
	struct arguments a = {.out = stdout, .error = stderr, .app = &cli};
	setenv("ISOBAR_WORKSPACE", "/from/environment", 1);
	setenv("ISOBAR_ENV", "prod", 1);
	assert_int_equal(0, session_open(&s, &a, &common, NULL));
	assert_string_equal("/from/environment", plane.target.path);
	assert_true(str_eq(S("prod"), plane.target.environment));
	assert_int_equal(0, session_end(&s, 0));
	assert_int_equal(0, session_open(&s, &a, &common, "argument"));
	assert_string_equal("argument", plane.target.path);
	assert_int_equal(0, session_end(&s, 0));
	unsetenv("ISOBAR_WORKSPACE");
	unsetenv("ISOBAR_ENV");
}

static void test_cells(void **state)
{
	(void)state;
	struct arena a = {0};
	assert_true(str_eq(S("0 B"), cell_bytes(&a, 0)));
	assert_true(str_eq(S("999 B"), cell_bytes(&a, 999)));
	assert_true(str_eq(S("1.0 kB"), cell_bytes(&a, 1000)));
	assert_true(str_eq(S("2.5 GB"), cell_bytes(&a, 2.5e9)));
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_validate),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_single_acts),
		cmocka_unit_test(test_overrides_end),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_explain_and_references),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_prices),
		cmocka_unit_test(test_cells),
	};
	// Memory streams have no descriptor, so they are no terminal; standard input must not be one either.
	if (!freopen("/dev/null", "r", stdin))
		return 1;
	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Inference requests and answers: every member, nested data, and what a client can get wrong.
#include "serve/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct infer_request request;

static int parse(const char *text, struct arena *a, struct err *e)
{
	return infer_parse(str_of(text), 8, a, &request, e);
}

static void a_request_is_read(void **state)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	(void)state;
	assert_int_equal(parse("{\"id\":\"x\\\"1\",\"parameters\":{\"p\":[1]},\"inputs\":[{\"name\":\"image\",\"shape\":[2,3],"
			       "\"datatype\":\"FP32\",\"data\":[[1,2.5,-3],[4,5e0,6]]}],\"outputs\":[{\"name\":\"class\"}]}",
				 &a, &e), 0);
	assert_int_equal(request.input_count, 1);
	const struct infer_tensor *t = &request.inputs[0];
	assert_true(str_eq(t->name, S("image")));
	assert_int_equal(t->rank, 2);
	assert_int_equal(t->elements, 6);
	const float want[] = {1, 2.5F, -3, 4, 5, 6};
	assert_memory_equal(t->data, want, sizeof(want));
	assert_true(str_eq(request.outputs[0], S("class")));
	assert_true(str_eq(request.id, S("x\\\"1")));
}

static void the_shape_may_come_last(void **state)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	(void)state;
	assert_int_equal(parse("{\"inputs\":[{\"data\":[1,2],\"datatype\":\"FP32\",\"name\":\"i\",\"shape\":[2]}]}", &a, &e), 0);
	assert_int_equal(request.inputs[0].elements, 2);
	assert_null(request.id.p);
}

static void wrong_requests_are_refused(void **state)
{
	static const struct {
		const char *text, *message;
		int code;
	} cases[] = {
		{"", "the request must be a JSON object", ERR_INVALID},
		{"[]", "the request must be a JSON object", ERR_INVALID},
		{"{}", "the request has no inputs", ERR_INVALID},
		{"{\"inputs\":[]}", "the request has no inputs", ERR_INVALID},
		{"{\"inputs\":{}}", "must be arrays", ERR_INVALID},
		{"{\"inputs\":[{\"name\":\"i\"}]}", "an input needs name, datatype, shape and data", ERR_INVALID},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[3],\"data\":[1,2]}]}",
			"the shape asks for 3 numbers, data has 2", ERR_INVALID},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[-2],\"data\":[1,2]}]}", "shape must be an array", ERR_INVALID},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[4294967296,4294967296,2],\"data\":[]}]}",
			"the shape's product is too large", ERR_INVALID},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[9],\"data\":[1,2,3,4,5,6,7,8,9]}]}",
			"more numbers than this model takes", ERR_LIMIT},
		{"{\"inputs\":[{\"name\":\"i\",\"name\":\"j\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1]}]}",
			"a member is there twice", ERR_INVALID},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[\"x\"]}]}", "array of finite numbers", ERR_INVALID},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1e999]}]}", "array of finite numbers", ERR_INVALID},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1]}]} x", "something stands behind", ERR_INVALID},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1", "data is not closed", ERR_INVALID},
		{"{\"outputs\":[{}],\"inputs\":[]}", "an output needs a name", ERR_INVALID},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(arena) a = {0};
		struct err e = {0};
		assert_int_equal(parse(cases[i].text, &a, &e), cases[i].code);
		if (!strstr(e.message, cases[i].message))
			fail_msg("%s: got \"%s\"", cases[i].text, e.message);
	}
}

static void an_answer_is_written(void **state)
{
	AUTO(buf) out = {0};
	const int64_t classes[] = {7, 0};
	struct infer_request r = {.id = S("a")};
	size_t json_size = 0;
	struct infer_answer answer = {.model = S("m"), .version = S("3"), .classes = classes, .n = 2, .output = S("class")};
	(void)state;
	infer_write(&r, &answer, &out, &json_size);
	assert_string_equal(buf_cstr(&out), "{\"model_name\":\"m\",\"model_version\":\"3\",\"id\":\"a\",\"outputs\":[{\"name\":\"class\","
					    "\"datatype\":\"INT64\",\"shape\":[2,1],\"data\":[7,0]}]}");
}

// "image" [2,2] in 16 bytes behind the JSON.
#define BINARY_INPUT                                                                                                   \
	"{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":[2,2],\"parameters\":{\"binary_data_size\":16,\"x\":null}}"

static int parse_body(const char *json, struct str tail, struct arena *a, struct err *e)
{
	struct str text = str_of(json), all = arena_join(a, (struct str[]){text, tail}, 2);
	const struct infer_body body = {.bytes = all, .json_size = text.n, .max_elements = 8};
	return infer_parse_body(&body, a, &request, e);
}

static void binary_tensors_are_read(void **state)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	const unsigned char bytes[] = {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0x40, 0, 0, 0, 0, 0, 0, 0x40, 0xc0};
	const float want[] = {1, 2.5F, 0, -3};
	struct str tail = str_bytes(bytes, sizeof(bytes));
	(void)state;
	assert_int_equal(parse_body("{\"inputs\":[" BINARY_INPUT "]}", tail, &a, &e), 0);
	assert_int_equal(request.inputs[0].elements, 4);
	assert_memory_equal(request.inputs[0].data, want, sizeof(want));
	assert_false(request.binary_output);
	assert_int_equal(parse_body("{\"inputs\":[" BINARY_INPUT "],\"parameters\":{\"binary_data_output\":true}}", tail, &a, &e), 0);
	assert_true(request.binary_output);
	assert_int_equal(parse_body("{\"inputs\":[" BINARY_INPUT "],\"parameters\":{\"binary_data_output\":true},\"outputs\":[{"
				    "\"name\":\"class\",\"parameters\":{\"binary_data\":false}}]}", tail, &a, &e), 0);
	assert_false(request.binary_output);
	assert_int_equal(parse_body("{\"inputs\":[" BINARY_INPUT "],\"outputs\":[{\"parameters\":{\"binary_data\":true},"
				    "\"name\":\"class\"}]}", tail, &a, &e), 0);
	assert_true(request.binary_output);
}

static void wrong_binary_tensors_are_refused(void **state)
{
	static const struct {
		const char *json;
		size_t tail;
		int code;
		const char *message;
	} cases[] = {
		{"{\"inputs\":[" BINARY_INPUT "]}", 12, ERR_INVALID, "fewer bytes follow"},
		{"{\"inputs\":[" BINARY_INPUT "]}", 20, ERR_INVALID, "more bytes follow"},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[2],\"parameters\":{\"binary_data_size\":4}}]}", 4,
			ERR_INVALID, "what the shape asks for"},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"INT8\",\"shape\":[4],\"parameters\":{\"binary_data_size\":4}}]}", 4,
			ERR_INVALID, "FP32 only"},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[9],\"parameters\":{\"binary_data_size\":36}}]}", 36,
			ERR_LIMIT, "more numbers"},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1],\"parameters\":{\"binary_data_size\":4}}]}",
			4, ERR_INVALID, "needs name"},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[1],\"parameters\":{\"binary_data_size\":\"4\"}}]}", 4,
			ERR_INVALID, "of another type"},
		{"{\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP32\",\"shape\":[1],\"parameters\":4}]}", 4, ERR_INVALID,
			"must be an object"},
	};
	static const char zeros[64];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(arena) a = {0};
		struct err e = {0};
		assert_int_equal(parse_body(cases[i].json, str_bytes(zeros, cases[i].tail), &a, &e), cases[i].code);
		if (!strstr(e.message, cases[i].message))
			fail_msg("%s: got \"%s\"", cases[i].json, e.message);
	}
	AUTO(arena) a = {0};
	struct err e = {0};
	const unsigned char infinite[16] = {0, 0, 0x80, 0x7f};
	assert_int_equal(parse_body("{\"inputs\":[" BINARY_INPUT "]}", str_bytes(infinite, 16), &a, &e), ERR_INVALID);
	const struct infer_body past = {.bytes = S("{}"), .json_size = 3, .max_elements = 8};
	assert_int_equal(infer_parse_body(&past, &a, &request, &e), ERR_INVALID);
}

static void a_binary_answer_is_written(void **state)
{
	AUTO(buf) out = {0};
	const int64_t classes[] = {7, 258};
	const unsigned char bytes[] = {7, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0};
	struct infer_request r = {.binary_output = true};
	size_t json_size = 0;
	struct infer_answer answer = {.model = S("m"), .version = S("3"), .classes = classes, .n = 2, .output = S("class")};
	(void)state;
	infer_write(&r, &answer, &out, &json_size);
	struct str json = S("{\"model_name\":\"m\",\"model_version\":\"3\",\"outputs\":[{\"name\":\"class\",\"datatype\":\"INT64\","
			    "\"shape\":[2,1],\"parameters\":{\"binary_data_size\":16}}]}");
	assert_int_equal(json_size, json.n);
	assert_true(str_eq(str_take(buf_str(&out), json_size), json));
	assert_int_equal(out.n, json_size + sizeof(bytes));
	assert_memory_equal(out.p + json_size, bytes, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(the_shape_may_come_last),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(an_answer_is_written),
		cmocka_unit_test(binary_tensors_are_read),
		cmocka_unit_test(wrong_binary_tensors_are_refused),
		cmocka_unit_test(a_binary_answer_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

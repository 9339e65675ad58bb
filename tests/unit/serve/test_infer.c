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
	struct infer_answer answer = {.model = S("m"), .version = S("3"), .classes = classes, .n = 2, .output = S("class")};
	(void)state;
	infer_write(&r, &answer, &out);
	assert_string_equal(buf_cstr(&out), "{\"model_name\":\"m\",\"model_version\":\"3\",\"id\":\"a\",\"outputs\":[{\"name\":\"class\","
					    "\"datatype\":\"INT64\",\"shape\":[2,1],\"data\":[7,0]}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(the_shape_may_come_last),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(an_answer_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

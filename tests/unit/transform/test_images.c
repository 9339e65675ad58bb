// SPDX-License-Identifier: Apache-2.0
// builtin/images: exact tensors and sketches, settings, and inputs that are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "math/idx.h"
#include "math/safetensors.h"
#include "math/sketch.h"
#include "transform/images.h"

static void write_pair(struct fixture *f, const char *stem, uint32_t count, unsigned char first)
{
	unsigned char images[300 * 2], labels[300];
	AUTO(buf) bytes = {0};
	for (uint32_t i = 0; i < count; i++) {
		images[2 * i] = (unsigned char)(first + i);
		images[2 * i + 1] = 255;
		labels[i] = (unsigned char)(i % 10);
	}
	const struct idx im = {
		.count = count, .rows = 1, .columns = 2, .record_size = 2, .data = images, .images = true};
	const struct idx la = {.count = count, .rows = 1, .columns = 1, .record_size = 1, .data = labels};
	idx_write(&im, &bytes);
	fixture_write(f, arena_printf(&f->arena, "in/%s-images-idx3-ubyte", stem).p, buf_str(&bytes));
	buf_clear(&bytes);
	idx_write(&la, &bytes);
	fixture_write(f, arena_printf(&f->arena, "in/%s-labels-idx1-ubyte", stem).p, buf_str(&bytes));
}

static struct images_options options_of(struct fixture *f, const char *with)
{
	AUTO(json) j = NULL;
	struct images_options o;
	assert_ok(f, json_parse(str_of(with), &j, &f->call.err));
	assert_ok(f, images_options_of_json(&f->arena, j, &o, &f->call.err));
	return o;
}

static int convert(struct fixture *f, const struct images_options *o)
{
	return images_convert(fixture_path(f, "in"), fixture_path(f, "out"), o, &f->call.err);
}

static void test_tensors(void **state)
{
	(void)state;
	struct fixture f;
	struct safetensors s;
	struct sketch sketch;
	fixture_open(&f);
	write_pair(&f, "train", 300, 0); // more than one piece
	write_pair(&f, "t10k", 3, 51);
	struct images_options o = options_of(&f, "{}");
	assert_int_equal(o.split_count, 2);
	assert_ok(&f, convert(&f, &o));
	assert_ok(&f, safetensors_parse(fixture_read(&f, "out/test/data.safetensors"), &f.arena, &s, &f.call.err));
	const struct tensor *image = safetensors_find(&s, S("image")), *class = safetensors_find(&s, S("class"));
	assert_int_equal(image->type, TENSOR_F32);
	assert_int_equal(image->rank, 2);
	assert_int_equal(image->shape[0], 3);
	assert_int_equal(image->shape[1], 2);
	float values[6];
	memcpy(values, image->data, sizeof(values));
	assert_float_equal(values[0], 51.0f / 255.0f, 1e-7f);
	assert_float_equal(values[1], 1, 0);
	assert_float_equal(values[4], 53.0f / 255.0f, 1e-7f);
	int64_t classes[3];
	assert_int_equal(class->type, TENSOR_I64);
	memcpy(classes, class->data, sizeof(classes));
	assert_int_equal(classes[0], 0);
	assert_int_equal(classes[2], 2);
	assert_int_equal(s.metadata_count, 1);
	assert_str(s.metadata[0].key, S("classes"));
	assert_str(s.metadata[0].value, S("3"));

	assert_ok(&f, safetensors_parse(fixture_read(&f, "out/train/data.safetensors"), &f.arena, &s, &f.call.err));
	assert_int_equal(safetensors_find(&s, S("image"))->shape[0], 300);
	AUTO(json) j = NULL;
	assert_ok(&f, json_parse(fixture_read(&f, "out/test/sketch.json"), &j, &f.call.err));
	assert_ok(&f, sketch_of_json(j, &sketch, &f.call.err));
	assert_int_equal(sketch.elements, 2);
	assert_int_equal(sketch.samples, 3);
	assert_int_equal(sketch.counts[1 + 2], 3);      // 0.20..0.21 of element 0: the third of ten bins
	assert_int_equal(sketch.counts[13 + 1 + 9], 3); // 1.0 of element 1: the last bin
	sketch_free(&sketch);
	fixture_close(&f);
}

static void test_settings(void **state)
{
	(void)state;
	static const char *const bad[] = {"{\"scale\":1}", "{\"scale\":\"1..0\"}", "{\"scale\":\"a..b\"}",
		"{\"scale\":\"0\"}", "{\"split\":{}}", "{\"split\":{\"../x\":\"a*\"}}", "{\"split\":{\"a/b\":\"a*\"}}",
		"{\"split\":{\"a\":1}}", "{\"split\":[]}"};
	struct fixture f;
	struct images_options o;
	struct safetensors s;
	fixture_open(&f);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(json) j = NULL;
		assert_ok(&f, json_parse(str_of(bad[i]), &j, &f.call.err));
		assert_fails(&f, images_options_of_json(&f.arena, j, &o, &f.call.err), ERR_INVALID);
	}
	write_pair(&f, "a-1", 2, 0);
	write_pair(&f, "a-2", 2, 100);
	write_pair(&f, "b", 2, 0);
	o = options_of(&f, "{\"scale\":\"-1..1\",\"split\":{\"all\":\"a-*\"}}");
	assert_ok(&f, convert(&f, &o));
	assert_ok(&f, safetensors_parse(fixture_read(&f, "out/all/data.safetensors"), &f.arena, &s, &f.call.err));
	const struct tensor *image = safetensors_find(&s, S("image"));
	assert_int_equal(image->shape[0], 4); // both files, in order of name
	float values[8];
	memcpy(values, image->data, sizeof(values));
	assert_float_equal(values[0], -1, 1e-7);
	assert_float_equal(values[4], -1 + 2 * 100.0f / 255.0f, 1e-6f);
	fixture_close(&f);
}

static void test_refused(void **state)
{
	(void)state;
	struct fixture f;
	fixture_open(&f);
	write_pair(&f, "train", 5, 0);
	struct images_options o = options_of(&f, "{\"split\":{\"test\":\"t10k-*\"}}");
	assert_fails(&f, convert(&f, &o), ERR_NOT_FOUND);
	o = options_of(&f, "{\"split\":{\"train\":\"train-*\"}}");
	struct str whole = fixture_read(&f, "in/train-images-idx3-ubyte");
	fixture_write(&f, "in/train-images-idx3-ubyte", str_take(whole, whole.n - 1));
	assert_fails(&f, convert(&f, &o), ERR_CORRUPT);
	fixture_write(&f, "in/train-images-idx3-ubyte", whole);
	// A manifest that does not agree with the files: they were changed on the way.
	fixture_write(&f, "in/manifest.json",
		S("{\"dataset\":\"d\",\"files\":[{\"name\":\"train-images-idx3-ubyte\",\"size\":26,\"records\":5,"
		  "\"sha256\":"
		  "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}]}"));
	assert_fails(&f, convert(&f, &o), ERR_CORRUPT);
	assert_false(file_exists(fixture_path(&f, "out/train/data.safetensors")));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tensors), cmocka_unit_test(test_settings), cmocka_unit_test(test_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Images to tensors, in pieces: what is held is one pair of files at a time, never the floats of all.
#include "transform/images.h"

#include <dirent.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/manifest.h"
#include "math/idx.h"
#include "math/safetensors.h"
#include "math/sketch.h"

#define IMAGES "-images-idx3-ubyte"
#define LABELS "-labels-idx1-ubyte"

enum { MAX_FILES = 64, MAX_SPLITS = 16, ROWS_AT_ONCE = 256 };

// ---------------------------------------------------------------- options
static int parse_scale(struct str text, struct images_options *out, struct err *e)
{
	ptrdiff_t dots = str_find(text, S(".."));
	if (dots < 0 || str_to_f64(str_take(text, (size_t)dots), &out->low) ||
		str_to_f64(str_drop(text, (size_t)dots + 2), &out->high) || !(out->low < out->high))
		return err_set(e, ERR_INVALID, "with.scale: expected a range such as 0..1, got \"%.*s\"",
			STR(str_take(text, 64)));
	return 0;
}

static int parse_splits(struct arena *a, const json_t *split, struct images_options *out, struct err *e)
{
	const char *name;
	const json_t *pattern;
	size_t n = json_object_size(split);
	if (!json_is_object(split) || !n || n > MAX_SPLITS)
		return err_set(e, ERR_INVALID,
			"with.split: expected 1 to %d names with patterns, such as {train: \"train-*\"}", MAX_SPLITS);
	out->splits = arena_new_array(a, n, struct images_split);
	if (!out->splits)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	// jansson's iteration takes an object that may change; nothing here changes it.
	json_object_foreach((json_t *)(uintptr_t)split, name, pattern)
	{
		if (!json_is_string(pattern) || file_check_relative(str_of(name), NULL) || strchr(name, '/'))
			return err_set(e, ERR_INVALID,
				"with.split.%.64s: expected a pattern of file names such as \"train-*\"", name);
		out->splits[out->split_count++] = (struct images_split){.name = arena_cstr(a, str_of(name)),
			.pattern = arena_cstr(a, str_of(json_string_value(pattern)))};
	}
	return 0;
}

int images_options_of_json(struct arena *a, const json_t *with, struct images_options *out, struct err *e)
{
	static const struct images_split usual[] = {{"train", "train-*"}, {"test", "t10k-*"}};
	struct images_options o = {.low = 0, .high = 1};
	const json_t *scale = json_object_get(with, "scale"), *split = json_object_get(with, "split");
	if (scale && !json_is_string(scale))
		return err_set(e, ERR_INVALID, "with.scale: expected a range such as 0..1");
	int code = scale ? parse_scale(json_str(with, "scale"), &o, e) : 0;
	if (!code && split)
		code = parse_splits(a, split, &o, e);
	if (code)
		return code;
	if (!split) {
		o.splits = arena_new_array(a, COUNT_OF(usual), struct images_split);
		if (!o.splits)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
		memcpy(o.splits, usual, sizeof(usual));
		o.split_count = COUNT_OF(usual);
	}
	*out = o;
	return 0;
}

// ---------------------------------------------------------------- files of a split
struct pair {
	struct buf keep_images, keep_labels;
	struct idx images, labels;
};
struct pairs {
	struct pair items[MAX_FILES];
	size_t count;
	uint64_t records;
	size_t elements; // of an image
};

static void pairs_free(struct pairs *p)
{
	for (size_t i = 0; i < p->count; i++) {
		buf_free(&p->items[i].keep_images);
		buf_free(&p->items[i].keep_labels);
	}
}

static int load_file(
	const char *folder, struct str stem, const char *suffix, struct buf *keep, struct idx *out, struct err *e)
{
	AUTO(buf) path = {0};
	buf_printf(&path, "%s/%.*s%s", folder, STR(stem), suffix);
	int code = buf_check(&path, e);
	return code ? code : idx_load(buf_cstr(&path), keep, out, e);
}

static int load_pair(const char *folder, struct str stem, struct pairs *pairs, struct err *e)
{
	if (pairs->count == MAX_FILES)
		return err_set(e, ERR_LIMIT, "%s: more than %d files in one split", folder, MAX_FILES);
	struct pair *p = &pairs->items[pairs->count++];
	*p = (struct pair){0};
	int code = load_file(folder, stem, IMAGES, &p->keep_images, &p->images, e);
	if (!code)
		code = load_file(folder, stem, LABELS, &p->keep_labels, &p->labels, e);
	if (code)
		return code;
	if (!p->images.images || p->labels.images || p->images.count != p->labels.count)
		return err_set(e, ERR_CORRUPT, "%s/%.*s: %u images with %u labels do not belong together", folder,
			STR(stem), p->images.count, p->labels.count);
	if (pairs->elements && pairs->elements != p->images.record_size)
		return err_set(e, ERR_CORRUPT, "%s/%.*s: images of %zu elements after such of %zu", folder, STR(stem),
			p->images.record_size, pairs->elements);
	pairs->elements = p->images.record_size;
	pairs->records += p->images.count;
	return 0;
}

static int load_split(const char *folder, const char *pattern, struct pairs *pairs, struct err *e)
{
	struct dirent **list;
	int n = scandir(folder, &list, NULL, alphasort);
	if (n < 0)
		return err_errno(e, "list %s", folder);
	int code = 0;
	for (int i = 0; i < n; i++) {
		struct str name = str_of(list[i]->d_name);
		if (!code && str_ends(name, S(IMAGES)) && fnmatch(pattern, list[i]->d_name, FNM_PERIOD) == 0)
			code = load_pair(folder, str_take(name, name.n - (sizeof(IMAGES) - 1)), pairs, e);
		free(list[i]);
	}
	free(list);
	if (!code && !pairs->records)
		code = err_set(e, ERR_NOT_FOUND, "%s: no records in files like \"%s" IMAGES "\"", folder, pattern);
	return code;
}

// ---------------------------------------------------------------- writing
static int write_classes(struct safetensors_writer *w, const struct pairs *pairs, struct err *e)
{
	unsigned char piece[ROWS_AT_ONCE * 8];
	for (size_t i = 0; i < pairs->count; i++) {
		const struct idx *labels = &pairs->items[i].labels;
		for (size_t at = 0; at < labels->count; at += ROWS_AT_ONCE) {
			size_t rows = MIN((size_t)ROWS_AT_ONCE, labels->count - at);
			memset(piece, 0, sizeof(piece)); // little-endian I64 of a byte: the byte and seven zeros
			for (size_t k = 0; k < rows; k++)
				piece[k * 8] = labels->data[at + k];
			int code = safetensors_writer_put(w, str_bytes(piece, rows * 8), e);
			if (code)
				return code;
		}
	}
	return 0;
}

struct scaled { // room for ROWS_AT_ONCE images as floats
	float *rows;
	float table[256]; // of each byte
};

static int write_images(
	struct safetensors_writer *w, const struct pairs *pairs, struct scaled *s, struct sketch *sketch, struct err *e)
{
	size_t elements = pairs->elements;
	for (size_t i = 0; i < pairs->count; i++) {
		const struct idx *images = &pairs->items[i].images;
		for (size_t at = 0; at < images->count; at += ROWS_AT_ONCE) {
			size_t rows = MIN((size_t)ROWS_AT_ONCE, images->count - at);
			const unsigned char *bytes = images->data + at * elements;
			for (size_t k = 0; k < rows * elements; k++)
				s->rows[k] = s->table[bytes[k]];
			for (size_t k = 0; k < rows; k++)
				sketch_add(sketch, s->rows + k * elements);
			int code = safetensors_writer_put(w, str_bytes(s->rows, rows * elements * sizeof(float)), e);
			if (code)
				return code;
		}
	}
	return 0;
}

// One more than the largest label, so that a training knows its classes without reading labels.
static unsigned count_classes(const struct pairs *pairs)
{
	unsigned most = 0;
	for (size_t i = 0; i < pairs->count; i++)
		for (size_t k = 0; k < pairs->items[i].labels.count; k++)
			most = MAX(most, pairs->items[i].labels.data[k] + 1u);
	return most;
}

static int write_tensors(
	const char *path, const struct pairs *pairs, struct scaled *scaled, struct sketch *sketch, struct err *e)
{
	const uint64_t classes[] = {pairs->records}, shape[] = {pairs->records, pairs->elements};
	struct tensor tensors[] = {{.name = S("image"), .type = TENSOR_F32, .shape = shape, .rank = 2},
		{.name = S("class"), .type = TENSOR_I64, .shape = classes, .rank = 1}};
	char count[16];
	snprintf(count, sizeof(count), "%u", count_classes(pairs));
	struct safetensors_pair metadata = {S("classes"), str_of(count)};
	struct safetensors layout = {
		.tensors = tensors, .count = COUNT_OF(tensors), .metadata = &metadata, .metadata_count = 1};
	AUTO(safetensors_writer) w = {0};
	int code = safetensors_lay_out(&layout, e);
	if (!code)
		code = safetensors_writer_begin(&w, path, &layout, e);
	for (size_t i = 0; !code && i < layout.count; i++)
		code = layout.tensors[i].type == TENSOR_I64 ? write_classes(&w, pairs, e)
							    : write_images(&w, pairs, scaled, sketch, e);
	return code ? code : safetensors_writer_end(&w, e);
}

static int write_sketch(const char *path, const struct sketch *sketch, struct err *e)
{
	AUTO(json) j = sketch_to_json(sketch);
	AUTO(buf) text = {0};
	if (!j)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int code = json_write(j, &text, e);
	return code ? code : file_write_atomic(path, buf_str(&text), 0644, e);
}

static int write_split(const char *folder, const struct pairs *pairs, const struct images_options *o, struct err *e)
{
	if (!pairs->elements)
		return err_set(e, ERR_CORRUPT, "%s: its images have no elements", folder);
	AUTO(buf) tensors = {0}, sketches = {0};
	AUTO(sketch) sketch = {0};
	struct scaled scaled = {.rows = calloc(ROWS_AT_ONCE * pairs->elements, sizeof(float))};
	buf_printf(&tensors, "%s/data.safetensors", folder);
	buf_printf(&sketches, "%s/sketch.json", folder);
	for (int i = 0; i < 256; i++)
		scaled.table[i] = (float)(o->low + (o->high - o->low) * i / 255.0);
	int code = scaled.rows ? file_make_dirs(folder, 0755, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (!code)
		code = sketch_new(&sketch, pairs->elements, SKETCH_BINS, o->low, o->high, e);
	if (!code)
		code = write_tensors(buf_cstr(&tensors), pairs, &scaled, &sketch, e);
	if (!code)
		code = write_sketch(buf_cstr(&sketches), &sketch, e);
	free(scaled.rows);
	return code;
}

// ---------------------------------------------------------------- the whole
static int convert_pairs(
	const char *input, const char *folder, const struct images_options *o, const char *pattern, struct err *e)
{
	struct pairs *pairs = calloc(1, sizeof(*pairs));
	if (!pairs)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int code = load_split(input, pattern, pairs, e);
	if (!code)
		code = write_split(folder, pairs, o, e);
	pairs_free(pairs);
	free(pairs);
	return code;
}

static int convert_split(
	const char *input, const char *out, const struct images_options *o, size_t split, struct err *e)
{
	AUTO(buf) folder = {0};
	buf_printf(&folder, "%s/%s", out, o->splits[split].name);
	int code = buf_check(&folder, e);
	if (!code)
		code = convert_pairs(input, buf_cstr(&folder), o, o->splits[split].pattern, e);
	return code ? err_context(e, "split %s", o->splits[split].name) : 0;
}

static int prove_input(const char *input, struct err *e)
{
	AUTO(arena) arena = {0};
	AUTO(buf) path = {0};
	struct manifest ignored = {0};
	buf_printf(&path, "%s/" MANIFEST_FILE, input);
	return file_exists(buf_cstr(&path)) ? manifest_verify(&arena, input, &ignored, e) : 0;
}

int images_convert(const char *input, const char *out, const struct images_options *options, struct err *e)
{
	int code = prove_input(input, e);
	for (size_t i = 0; !code && i < options->split_count; i++)
		code = convert_split(input, out, options, i, e);
	return code;
}

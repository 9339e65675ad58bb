// SPDX-License-Identifier: Apache-2.0
// Splitting: each pair of files is read whole, checked, and written as one pair for each part into the scratch folder.
// Only when all pairs are there do manifests appear; a source that is cut or damaged leaves nothing but scratch.
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/ingest_impl.h"
#include "data/partition.h"

struct part { // on its way to manifest.json
	const char *folder;
	struct manifest_file *files;
	size_t count;
};

static int write_part_file(
	struct call *c, struct part *part, struct str name, const struct buf *bytes, uint64_t records)
{
	const char *path = arena_printf(c->arena, "%s/%.*s", part->folder, STR(name)).p;
	if (!path)
		return call_no_memory(c);
	if (file_write_atomic(path, buf_str(bytes), 0600, &c->err))
		return c->err.code;
	struct sha256 digest = sha256_of(buf_str(bytes));
	char *hex = arena_alloc(c->arena, HEX_SHA256_SIZE);
	if (!hex)
		return call_no_memory(c);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	part->files[part->count++] =
		(struct manifest_file){.name = name, .size = bytes->n, .sha256 = str_of(hex), .records = records};
	return 0;
}

struct loaded_pair {
	struct buf keep_images, keep_labels;
	struct idx images, labels;
	struct partition partition;
};

static int load_pair(struct call *c, const struct source_pair *pair, size_t parts, struct loaded_pair *out)
{
	if (idx_load(pair->images, &out->keep_images, &out->images, &c->err) ||
		idx_load(pair->labels, &out->keep_labels, &out->labels, &c->err))
		return c->err.code;
	if (!out->images.images || out->labels.images)
		return call_fail(
			c, ERR_CORRUPT, "%s: the images need three dimensions and the labels one", pair->images);
	if (partition_pair(c->arena, &out->images, &out->labels, parts, &out->partition, &c->err))
		return call_context(c, "%s", pair->images);
	return 0;
}

static int write_pair(struct call *c, const struct source_pair *pair, const struct loaded_pair *loaded,
	struct part *parts, size_t count)
{
	struct str images = arena_printf(c->arena, "%.*s" IMAGES_SUFFIX, STR(pair->stem));
	struct str labels = arena_printf(c->arena, "%.*s" LABELS_SUFFIX, STR(pair->stem));
	if (!images.p || !labels.p)
		return call_no_memory(c);
	for (size_t i = 0; i < count; i++) {
		AUTO(buf) bytes = {0};
		if (partition_write(&loaded->partition, &loaded->images, i, &bytes, &c->err) ||
			write_part_file(c, &parts[i], images, &bytes, loaded->partition.sizes[i]))
			return c->err.code;
		buf_clear(&bytes);
		if (partition_write(&loaded->partition, &loaded->labels, i, &bytes, &c->err) ||
			write_part_file(c, &parts[i], labels, &bytes, loaded->partition.sizes[i]))
			return c->err.code;
	}
	return 0;
}

static int split_pair(struct call *c, const struct split *split, size_t pair, struct part *parts)
{
	struct loaded_pair loaded = {0};
	const struct source_pair *p = &split->source->pairs[pair];
	int code = call_check(c);
	if (!code)
		code = load_pair(c, p, split->cloud_count, &loaded);
	if (!code)
		code = write_pair(c, p, &loaded, parts, split->cloud_count);
	buf_free(&loaded.keep_images);
	buf_free(&loaded.keep_labels);
	return code;
}

static int write_manifest(struct call *c, const struct split *split, const struct part *part, size_t index)
{
	struct str *names = arena_new_array(c->arena, split->cloud_count, struct str);
	AUTO(buf) text = {0};
	if (!names)
		return call_no_memory(c);
	for (size_t i = 0; i < split->cloud_count; i++)
		names[i] = split->clouds[i]->name;
	const struct manifest m = {.dataset = split->in->resource->name,
		.run = split->in->run,
		.source = split->dataset->source,
		.files = part->files,
		.file_count = part->count,
		.by = split->dataset->partition.by,
		.clouds = names,
		.cloud_count = split->cloud_count,
		.index = index};
	AUTO(json) j = manifest_to_json(&m);
	const char *path = arena_printf(c->arena, "%s/" MANIFEST_FILE, part->folder).p;
	if (!path)
		return call_no_memory(c);
	if (json_write(j, &text, &c->err))
		return c->err.code;
	return file_write_atomic(path, buf_str(&text), 0600, &c->err);
}

int split_source(struct call *c, const struct split *split)
{
	struct part *parts = arena_new_array(c->arena, split->cloud_count, struct part);
	int code = parts ? 0 : call_no_memory(c);
	for (size_t i = 0; !code && i < split->cloud_count; i++) {
		parts[i].folder = arena_printf(c->arena, "%s/%.*s", split->in->scratch, STR(split->clouds[i]->name)).p;
		parts[i].files = arena_new_array(c->arena, 2 * split->source->count, struct manifest_file);
		code = parts[i].folder && parts[i].files ? file_remove_tree(parts[i].folder, &c->err)
							 : call_no_memory(c);
		if (!code)
			code = file_make_dirs(parts[i].folder, 0700, &c->err);
	}
	for (size_t i = 0; !code && i < split->source->count; i++)
		code = split_pair(c, split, i, parts);
	for (size_t i = 0; !code && i < split->cloud_count; i++)
		code = write_manifest(c, split, &parts[i], i);
	return code;
}

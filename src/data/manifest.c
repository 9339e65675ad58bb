// SPDX-License-Identifier: Apache-2.0
// Manifests as JSON, and the proof of a folder.
#include "data/manifest.h"

#include <stdio.h>

#include "base/file.h"

enum { MANIFEST_LIMIT = 1 << 20 };

static json_t *file_to_json(const struct manifest_file *f)
{
	json_t *j = json_object();
	json_set_str(j, "name", f->name);
	json_object_set_new(j, "size", json_integer((json_int_t)f->size));
	json_set_str(j, "sha256", f->sha256);
	json_object_set_new(j, "records", json_integer((json_int_t)f->records));
	return j;
}

json_t *manifest_to_json(const struct manifest *m)
{
	json_t *j = json_object(), *files = json_array(), *clouds = json_array(), *partition = json_object();
	for (size_t i = 0; i < m->file_count; i++)
		json_array_append_new(files, file_to_json(&m->files[i]));
	for (size_t i = 0; i < m->cloud_count; i++)
		json_array_append_new(clouds, json_of_str(m->clouds[i]));
	json_set_str(partition, "by", m->by);
	json_object_set_new(partition, "clouds", clouds);
	json_object_set_new(partition, "index", json_integer((json_int_t)m->index));
	json_set_str(j, "dataset", m->dataset);
	json_set_str(j, "run", m->run);
	json_set_str(j, "source", m->source);
	json_object_set_new(j, "files", files);
	json_object_set_new(j, "partition", partition);
	return j;
}

static struct str text(struct arena *a, const json_t *j, const char *name)
{
	return arena_str(a, json_str(j, name));
}

static int file_of_json(struct arena *a, const json_t *j, struct manifest_file *out, struct err *e)
{
	int64_t size = json_int(j, "size", -1), records = json_int(j, "records", -1);
	struct manifest_file f = {.name = text(a, j, "name"),
		.sha256 = text(a, j, "sha256"),
		.size = (uint64_t)size,
		.records = (uint64_t)records};
	unsigned char digest[SHA256_SIZE];
	if (file_check_relative(f.name, NULL) || str_find_char(f.name, '/') >= 0 || size < 0 || records < 0 ||
		f.sha256.n != HEX_SHA256_SIZE - 1 || hex_decode(f.sha256, digest))
		return err_set(e, ERR_CORRUPT, "manifest: the entry of \"%.*s\" is not what it should be",
			STR(str_take(f.name, 64)));
	*out = f;
	return 0;
}

int manifest_of_json(struct arena *a, const json_t *j, struct manifest *out, struct err *e)
{
	const json_t *files = json_object_get(j, "files"), *partition = json_object_get(j, "partition");
	const json_t *clouds = json_object_get(partition, "clouds");
	struct manifest m = {.dataset = text(a, j, "dataset"),
		.run = text(a, j, "run"),
		.source = text(a, j, "source"),
		.by = text(a, partition, "by"),
		.file_count = json_array_size(files),
		.cloud_count = json_array_size(clouds),
		.index = (size_t)json_int(partition, "index", 0)};
	if (!m.dataset.n || !m.file_count || m.file_count > MANIFEST_MAX_FILES || m.cloud_count > MANIFEST_MAX_FILES)
		return err_set(
			e, ERR_CORRUPT, "manifest: no dataset, or no files, or more than %d", MANIFEST_MAX_FILES);
	m.files = arena_new_array(a, m.file_count, struct manifest_file);
	m.clouds = arena_new_array(a, m.cloud_count + 1, struct str);
	if (!m.files || !m.clouds)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < m.cloud_count; i++)
		m.clouds[i] = arena_str(a, str_of(json_string_value(json_array_get(clouds, i))));
	for (size_t i = 0; i < m.file_count; i++) {
		int code = file_of_json(a, json_array_get(files, i), &m.files[i], e);
		if (code)
			return code;
	}
	*out = m;
	return 0;
}

static int verify_file(const char *folder, const struct manifest_file *f, struct err *e)
{
	AUTO(buf) path = {0};
	struct file_digest d = {0};
	buf_printf(&path, "%s/%.*s", folder, STR(f->name));
	int code = buf_check(&path, e);
	if (code)
		return code;
	if (digest_file(buf_cstr(&path), &d, e))
		return err_set(e, ERR_CORRUPT, "%s: its manifest names it, but it cannot be read", buf_cstr(&path));
	if (d.size != f->size || !str_eq(str_of(d.hex), f->sha256))
		return err_set(e, ERR_CORRUPT,
			"%s: %llu bytes with SHA-256 %.12s..., its manifest says %llu with %.*s...", buf_cstr(&path),
			(unsigned long long)d.size, d.hex, (unsigned long long)f->size, STR(str_take(f->sha256, 12)));
	return 0;
}

int manifest_read(struct arena *a, const char *folder, struct manifest *out, struct err *e)
{
	AUTO(json) j = NULL;
	struct str path = arena_printf(a, "%s/" MANIFEST_FILE, folder);
	if (!path.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int code = json_parse_file(path.p, MANIFEST_LIMIT, &j, e);
	return code ? code : manifest_of_json(a, j, out, e);
}

int manifest_verify(struct arena *a, const char *folder, struct manifest *out, struct err *e)
{
	struct manifest m = {0};
	int code = manifest_read(a, folder, &m, e);
	for (size_t i = 0; !code && i < m.file_count; i++)
		code = verify_file(folder, &m.files[i], e);
	if (code)
		return code;
	*out = m;
	return 0;
}

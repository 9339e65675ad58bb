// SPDX-License-Identifier: Apache-2.0
// Filling the buckets that stand in for existing ones.
#include "infra/stand_ins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "data/files_source.h"
#include "data/synthetic.h"
#include "state/resource_common.h"

enum { DEPTH_MAX = 16 };

struct filling { // of one bucket on one cloud
	const struct stand_ins *s;
	const struct resource *r;
	const struct cloud *cloud;
	struct str bucket; // physical
	size_t files;
};

// ---------------------------------------------------------------- files
static int send_file(struct call *c, struct filling *f, const char *path, struct str key)
{
	struct object stored;
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return call_errno(c, "open %s", path);
	const struct store_put put = {.bucket = f->bucket, .key = key, .content_type = S("application/octet-stream")};
	f->files++;
	return cloud_put_fd(c, f->cloud, &put, fd, &stored);
}

static int send_folder(struct call *c, struct filling *f, const char *folder, struct str prefix, int depth);

static int send_entry(struct call *c, struct filling *f, const char *folder, struct str key, int depth)
{
	struct stat st;
	const char *path = arena_printf(c->arena, "%s/%.*s", folder, STR(key)).p;
	struct str below = arena_printf(c->arena, "%.*s/", STR(key));
	if (!path || !below.p)
		return call_no_memory(c);
	if (f->files == FILES_MAX)
		return call_fail(c, ERR_LIMIT, "%s holds more than %d files", folder, FILES_MAX);
	if (lstat(path, &st) < 0)
		return call_errno(c, "look at %s", path);
	if (S_ISDIR(st.st_mode))
		return send_folder(c, f, folder, below, depth + 1);
	return S_ISREG(st.st_mode) ? send_file(c, f, path, key) : 0; // links would leave the folder
}

static int send_folder(struct call *c, struct filling *f, const char *folder, struct str prefix, int depth)
{
	const char *path = arena_printf(c->arena, "%s/%.*s", folder, STR(prefix)).p;
	if (!path)
		return call_no_memory(c);
	if (depth > DEPTH_MAX)
		return call_fail(c, ERR_LIMIT, "%s is nested deeper than %d folders", path, DEPTH_MAX);
	DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT && !prefix.n ? 0 : call_errno(c, "read %s", path);
	int rc = 0;
	for (struct dirent *entry; rc == 0 && (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			rc = send_entry(
				c, f, folder, arena_printf(c->arena, "%.*s%s", STR(prefix), entry->d_name), depth);
	closedir(dir);
	return rc;
}

// ---------------------------------------------------------------- made-up records
static int read_columns(struct call *c, const struct resource *dataset, struct synthetic *out)
{
	json_t *schema = json_object_get(dataset->resolved, "schema"), *type;
	struct parquet_column *columns = arena_new_array(c->arena, json_object_size(schema) + 1, struct parquet_column);
	const char *name;
	size_t n = 0;
	if (!columns)
		return call_no_memory(c);
	json_object_foreach(schema, name, type)
	{
		columns[n].name = str_of(name);
		if (!synthetic_type(json_value_str(type), &columns[n++].type))
			return call_fail(
				c, ERR_INVALID, "%.*s: column %s has no known type", STR(dataset->address), name);
	}
	*out = (struct synthetic){
		.seed = dataset->address, .columns = columns, .column_count = n, .row_count = SYNTHETIC_ROWS};
	return 0;
}

static int make_up(struct call *c, struct filling *f, const struct resource *dataset, struct str prefix)
{
	AUTO(buf) file = {0};
	struct synthetic s;
	struct object stored;
	struct str format = json_str(dataset->resolved, "format");
	if (!f->s->synthetic)
		return call_fail(c, ERR_NOT_FOUND,
			"%.*s has no stand-in: put files into pocket/buckets/%.*s/%.*s, or let the environment say "
			"`data: synthetic`",
			STR(dataset->address), STR(f->r->name), STR(prefix));
	if (read_columns(c, dataset, &s))
		return c->err.code;
	if (!s.column_count)
		return call_fail(c, ERR_NOT_FOUND,
			"%.*s has no stand-in and no `schema:` to make one up from: put files into "
			"pocket/buckets/%.*s/%.*s",
			STR(dataset->address), STR(f->r->name), STR(prefix));
	if (synthetic_file(c->arena, &s, format, &file, &c->err))
		return call_context(c, "%.*s", STR(dataset->address));
	const struct store_put put = {.bucket = f->bucket,
		.content_type = S("application/octet-stream"),
		.key = arena_printf(c->arena, "%.*spart-0.%.*s", STR(prefix), STR(format))};
	return put.key.p ? cloud_put_bytes(c, f->cloud, &put, buf_str(&file), &stored) : call_no_memory(c);
}

static int fill_source(struct call *c, struct filling *f, const struct resource *dataset)
{
	struct str bucket, prefix, cloud;
	struct store_page page = {0};
	if (!files_source_parse(json_str(dataset->resolved, "source"), &bucket, &prefix, &cloud) ||
		!str_eq(bucket, f->r->name) || (cloud.n && !str_eq(cloud, f->cloud->name)))
		return 0;
	if (prefix.n && !str_ends(prefix, S("/")))
		prefix = arena_printf(c->arena, "%.*s/", STR(prefix));
	const struct store_list list = {.bucket = f->bucket, .prefix = prefix, .limit = 1};
	if (CLOUD_CALL(c, f->cloud, store, list, &list, &page))
		return c->err.code;
	return page.count ? 0 : make_up(c, f, dataset, prefix);
}

// ---------------------------------------------------------------- one bucket
static bool is_declared_before(const struct stand_ins *s, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (str_eq(s->resources[i].address, s->resources[index].address))
			return true;
	return false;
}

static int fill(struct call *c, struct filling *f)
{
	const char *folder = arena_printf(c->arena, "%.*s/pocket/buckets/%.*s", STR(f->s->folder), STR(f->r->name)).p;
	if (!folder)
		return call_no_memory(c);
	if (CLOUD_CALL(c, f->cloud, store, bucket_create, f->bucket) || send_folder(c, f, folder, S(""), 0))
		return c->err.code;
	for (size_t i = 0; i < f->s->count; i++)
		if (str_eq(f->s->resources[i].kind, S("dataset")) && !is_declared_before(f->s, i) &&
			fill_source(c, f, &f->s->resources[i]))
			return c->err.code;
	return 0;
}

static int place_one(struct call *c, const struct stand_ins *s, const struct resource *r)
{
	struct str name = json_str(r->resolved, "name");
	struct filling f = {.s = s, .r = r, .cloud = clouds_find(s->clouds, r->cloud)};
	const char *marker = arena_printf(
		c->arena, "%.*s/pocket/%.*s/stand-in-%.*s", STR(s->state_folder), STR(r->cloud), STR(r->name))
				     .p;
	f.bucket = name.n ? name : arena_printf(c->arena, "%.*s-%.*s", STR(s->workspace), STR(r->name));
	if (!marker || !f.bucket.p)
		return call_no_memory(c);
	if (!f.cloud || file_exists(marker))
		return 0;
	int rc = fill(c, &f);
	if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT) {
		err_clear(&c->err);
		return 0;
	}
	if (rc < 0)
		return call_context(c, "stand-in of %.*s", STR(r->address));
	return file_write_atomic(marker, S("placed\n"), 0600, &c->err);
}

int stand_ins_place(struct call *c, const struct stand_ins *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct resource *r = &s->resources[i];
		bool exists = resource_is_kept(r) || resource_is_adopted(r);
		if (!str_eq(r->kind, S("bucket")) || !exists || is_declared_before(s, i))
			continue;
		if (call_check(c) || place_one(c, s, r))
			return c->err.code;
	}
	return 0;
}

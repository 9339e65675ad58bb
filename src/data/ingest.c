// SPDX-License-Identifier: Apache-2.0
// Ingest: where the parts go, the reconciler that sends them (one action a cloud, in parallel), and what the step
// gives.
#include "data/ingest.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "data/attempts.h"
#include "data/bucket_kind.h"
#include "data/copy.h"
#include "data/dataset_files.h"
#include "data/files_source.h"
#include "data/ingest_impl.h"
#include "data/passage.h"
#include "state/reconcile.h"

struct ingest_run { // ctx of the reconciler; lives as long as the whole ingest
	const struct ingest *in;
	struct dataset dataset;
	const struct cloud **clouds;
	struct str *buckets; // physical, of each cloud
	int64_t *failures;   // of each cloud's action, as attempts_check keeps them
	size_t count;
};

// ---------------------------------------------------------------- where the parts go
static int add_cloud(struct call *c, struct ingest_run *run, struct str name)
{
	const struct ingest *in = run->in;
	const struct cloud *cloud = clouds_find(in->clouds, name);
	if (!cloud)
		return call_fail(c, ERR_NOT_FOUND, "the workspace has no cloud \"%.*s\"", STR(name));
	const struct passage p = {
		.what = in->resource->address, .to = cloud, .making = true, .of = in->resource, .id = in->run};
	if (passage_check(c, in->state, &p))
		return c->err.code;
	run->clouds[run->count] = cloud;
	if (bucket_find(c, in->state, run->dataset.bucket.name, name, &run->buckets[run->count]))
		return c->err.code;
	run->failures[run->count] = ATTEMPTS_UNKNOWN;
	run->count++;
	return 0;
}

// Without a partition: whole, on the only cloud that its bucket lies on.
static int whole_on(struct call *c, struct ingest_run *run)
{
	struct resource *all = NULL;
	size_t count = 0;
	struct str prefix = run->dataset.bucket.name.n
				    ? arena_printf(c->arena, "bucket/%.*s on ", STR(run->dataset.bucket.name))
				    : S("bucket/");
	if (!prefix.p)
		return call_no_memory(c);
	if (resource_list(c, run->in->state, prefix, &all, &count))
		return c->err.code;
	if (count != 1)
		return call_fail(c, ERR_INVALID,
			"%zu buckets fit: say with `partition:` how the records are spread, or name a `bucket:` of one "
			"cloud",
			count);
	return add_cloud(c, run, all[0].cloud);
}

static int choose_clouds(struct call *c, struct ingest_run *run)
{
	const struct field_list *list = &run->dataset.partition.clouds;
	const struct str *names = list->items;
	size_t most = MAX(list->count, run->in->clouds->count) + 1;
	run->clouds = arena_new_array(c->arena, most, const struct cloud *);
	run->buckets = arena_new_array(c->arena, most, struct str);
	run->failures = arena_new_array(c->arena, most, int64_t);
	if (!run->clouds || !run->buckets || !run->failures)
		return call_no_memory(c);
	int code = run->dataset.partition.by.n ? 0 : whole_on(c, run);
	if (!run->dataset.partition.by.n)
		return code;
	for (size_t i = 0; !code && i < list->count; i++)
		code = add_cloud(c, run, names[i]);
	for (size_t i = 0; !code && list->all && !list->count && i < run->in->clouds->count; i++)
		code = add_cloud(c, run, run->in->clouds->items[i].name);
	if (!code && !run->count)
		code = call_fail(c, ERR_INVALID, "its partition names no cloud");
	return code;
}

// ---------------------------------------------------------------- names
static struct str action_name(struct arena *a, const struct ingest_run *run, size_t i)
{
	const struct ingest *in = run->in;
	return arena_printf(
		a, "dataset/%.*s/%.*s/%.*s/put", STR(in->resource->name), STR(in->run), STR(run->clouds[i]->name));
}

static struct str part_prefix(struct arena *a, const struct ingest *in)
{
	return arena_printf(a, "datasets/%.*s/%.*s/", STR(in->resource->name), STR(in->run));
}

// ---------------------------------------------------------------- sending a part
struct sending {
	const struct ingest_run *run;
	const struct cloud *cloud;
	struct str bucket, prefix;
	const char *folder; // of the part
	uint64_t total, done;
};

static void report(const struct sending *s)
{
	const struct progress_event e = {.step = s->run->in->resource->address,
		.what = s->cloud->name,
		.done = (double)s->done,
		.total = (double)s->total,
		.unit = "bytes"};
	progress_report(s->run->in->progress, &e);
}

// sha256: what the manifest says of the file, in hex; "" for the manifest itself.
static int send_file(struct call *c, struct sending *s, struct str name, struct str sha256)
{
	const char *path = arena_printf(c->arena, "%s/%.*s", s->folder, STR(name)).p;
	struct copy_end at = {.cloud = s->cloud,
		.bucket = s->bucket,
		.key = arena_printf(c->arena, "%.*s%.*s", STR(s->prefix), STR(name))};
	struct file_digest d = {0};
	struct object stored = {0};
	if (!path || !at.key.p)
		return call_no_memory(c);
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return call_errno(c, "open %s", path);
	if (digest_fd(fd, path, &d, &c->err))
		return c->err.code;
	if (sha256.n && !str_eq(sha256, str_of(d.hex)))
		return call_fail(c, ERR_CORRUPT, "%s is not what was split: its manifest says otherwise", path);
	const struct store_put put = {
		.bucket = at.bucket, .key = at.key, .content_type = S("application/octet-stream")};
	if (cloud_put_fd(c, s->cloud, &put, fd, &stored))
		return call_context(c, "send %.*s to %.*s", STR(at.key), STR(s->cloud->name));
	struct copy_proof proof = {.size = d.size, .crc32c = d.crc32c};
	memcpy(proof.sha256, d.sha256, SHA256_SIZE);
	if (copy_prove(c, &at, &proof))
		return c->err.code;
	s->done += d.size;
	report(s);
	return 0;
}

static json_t *part_to_json(const struct sending *s, const struct manifest *m, const char *manifest_sha256)
{
	json_t *j = json_object(), *files = json_object();
	uint64_t records = 0;
	for (size_t i = 0; i < m->file_count; i++) {
		if (!str_ends(m->files[i].name, S(IMAGES_SUFFIX)))
			continue;
		struct str stem = str_take(m->files[i].name, m->files[i].name.n - (sizeof(IMAGES_SUFFIX) - 1));
		records += m->files[i].records;
		json_object_setn_new(files, stem.p, stem.n, json_integer((json_int_t)m->files[i].records));
	}
	json_set_str(j, "cloud", s->cloud->name);
	json_set_str(j, "bucket", s->bucket);
	json_set_str(j, "prefix", s->prefix);
	json_object_set_new(j, "records", json_integer((json_int_t)records));
	json_object_set_new(j, "files", files);
	json_object_set_new(j, "bytes", json_integer((json_int_t)s->total));
	json_object_set_new(j, "manifest", json_string(manifest_sha256));
	return j;
}

static int send_part(struct call *c, struct sending *s, const struct action *action, json_t **output)
{
	const struct ingest *in = s->run->in;
	struct manifest m = {0};
	struct file_digest manifest_digest = {0};
	if (manifest_read(c->arena, s->folder, &m, &c->err))
		return c->err.code;
	const char *path = arena_printf(c->arena, "%s/" MANIFEST_FILE, s->folder).p;
	if (!path || digest_file(path, &manifest_digest, &c->err))
		return path ? c->err.code : call_no_memory(c);
	s->total = manifest_digest.size;
	for (size_t i = 0; i < m.file_count; i++)
		s->total += m.files[i].size;
	report(s);
	for (size_t i = 0; i < m.file_count; i++)
		if (call_check(c) || send_file(c, s, m.files[i].name, m.files[i].sha256))
			return c->err.code;
	if (send_file(c, s, S(MANIFEST_FILE), S("")))
		return c->err.code;
	const struct transfer moved = {
		.to = s->cloud, .bytes = s->total, .what = in->resource->address, .id = action->name};
	if (transfer_record(c, in->state, &moved))
		return c->err.code;
	*output = part_to_json(s, &m, manifest_digest.hex);
	return 0;
}

// ---------------------------------------------------------------- the reconciler
struct ingest_view {
	const struct ingest_run *run;
	bool *done; // of each cloud
	struct err failed;
};

static int look_at_part(struct call *c, struct ingest_run *run, size_t i, struct ingest_view *v)
{
	json_t *ignored = NULL;
	struct str name = action_name(c->arena, run, i);
	int code = reconcile_result(c, run->in->state, name, &ignored);
	if (code && code != ERR_NOT_FOUND)
		return code;
	err_clear(&c->err);
	v->done[i] = !code;
	return code ? attempts_check(c, run->in->state, name, &run->failures[i], &v->failed) : 0;
}

static int ingest_observe(struct call *c, void *ctx, void **view)
{
	struct ingest_run *run = ctx;
	struct ingest_view *v = arena_new(c->arena, struct ingest_view);
	if (!v || !(v->done = arena_new_array(c->arena, run->count + 1, bool)))
		return call_no_memory(c);
	v->run = run;
	for (size_t i = 0; i < run->count; i++)
		if (look_at_part(c, run, i, v))
			return c->err.code;
	*view = v;
	return 0;
}

static int ingest_decide(struct arena *a, const void *view, int64_t now_ns, struct actions *out)
{
	const struct ingest_view *v = view;
	(void)now_ns;
	out->failed = v->failed;
	if (v->failed.code)
		return 0;
	out->items = arena_new_array(a, v->run->count + 1, struct action);
	if (!out->items)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < v->run->count; i++) {
		if (v->done[i])
			continue;
		json_t *input = json_in_arena(a, json_object());
		if (!input)
			return ERR_NO_MEMORY;
		json_set_str(input, "cloud", v->run->clouds[i]->name);
		out->items[out->count++] = (struct action){.name = action_name(a, v->run, i),
			.type = S("part.put"),
			.address = v->run->in->resource->address,
			.input = input};
	}
	out->finished = out->count == 0;
	return 0;
}

static int ingest_act(struct call *c, void *ctx, const struct action *action, json_t **output)
{
	const struct ingest_run *run = ctx;
	struct str name = json_str(action->input, "cloud");
	for (size_t i = 0; i < run->count; i++) {
		if (!str_eq(run->clouds[i]->name, name))
			continue;
		struct sending s = {.run = run,
			.cloud = run->clouds[i],
			.bucket = run->buckets[i],
			.prefix = part_prefix(c->arena, run->in),
			.folder = arena_printf(c->arena, "%s/%.*s", run->in->scratch, STR(name)).p};
		return s.prefix.p && s.folder ? send_part(c, &s, action, output) : call_no_memory(c);
	}
	return call_fail(c, ERR_INTERNAL, "no part is for %.*s", STR(name));
}

static bool all_sent(struct call *c, struct ingest_run *run)
{
	void *view = NULL;
	struct actions actions = {0};
	return !ingest_observe(c, run, &view) && view && !ingest_decide(c->arena, view, 0, &actions) &&
	       actions.finished;
}

// ---------------------------------------------------------------- the whole
// What is made from it inherits these.
static int dataset_bounds(struct call *c, const struct ingest *in, json_t *outputs)
{
	const struct passage p = {.what = in->resource->address, .making = true, .of = in->resource};
	struct bounds b;
	if (passage_bounds(c, in->state, &p, &b))
		return c->err.code;
	bounds_to_json(&b, outputs);
	return 0;
}

static int gather_outputs(struct call *c, const struct ingest_run *run, json_t **outputs)
{
	AUTO(json) j = json_object();
	json_t *parts = json_array();
	int64_t records = 0, bytes = 0;
	json_object_set_new(j, "parts", parts);
	for (size_t i = 0; i < run->count; i++) {
		json_t *part = NULL;
		if (reconcile_result(c, run->in->state, action_name(c->arena, run, i), &part))
			return c->err.code;
		records += json_int(part, "records", 0);
		bytes += json_int(part, "bytes", 0);
		json_array_append(parts, part);
	}
	json_set_str(j, "format", run->dataset.format);
	json_object_set_new(j, "records", json_integer(records));
	json_object_set_new(j, "bytes", json_integer(bytes));
	if (dataset_bounds(c, run->in, j))
		return c->err.code;
	*outputs = json_incref(j);
	return 0;
}

static int ingest_parts(struct call *c, struct ingest_run *run)
{
	const struct ingest *in = run->in;
	struct source_folder source = {0};
	struct split split = {.source = &source,
		.in = in,
		.dataset = &run->dataset,
		.clouds = run->clouds,
		.cloud_count = run->count};
	struct str name = arena_printf(c->arena, "dataset/%.*s/%.*s", STR(in->resource->name), STR(in->run));
	if (!name.p)
		return call_no_memory(c);
	if (source_open(c, run->dataset.source, in->folder, &source) || split_source(c, &split))
		return c->err.code;
	const struct reconciler reconciler = {.name = name.p,
		.observe = ingest_observe,
		.decide = ingest_decide,
		.act = ingest_act,
		.ctx = run,
		.parallel = MIN(run->count, (size_t)8)};
	return reconcile_run(c, in->state, &reconciler);
}

int dataset_ingest(struct call *c, const struct ingest *in, json_t **outputs)
{
	struct ingest_run run = {.in = in};
	if (kind_decode_json(&dataset_kind, in->resource->resolved, c->arena, &run.dataset, &c->err))
		return call_context(c, "%.*s", STR(in->resource->address));
	if (files_format(run.dataset.format))
		return dataset_files_ingest(c, in, &run.dataset, outputs);
	if (choose_clouds(c, &run))
		return call_context(c, "%.*s", STR(in->resource->address));
	if (!all_sent(c, &run) && (c->err.code || ingest_parts(c, &run)))
		return call_context(c, "%.*s", STR(in->resource->address));
	if (file_remove_tree(in->scratch, &c->err) || gather_outputs(c, &run, outputs))
		return call_context(c, "%.*s", STR(in->resource->address));
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Where the copies of a dataset of files go, one after the other, and what its step gives.
#include "data/dataset_files.h"

#include "base/file.h"
#include "base/time.h"
#include "cloud/job_files.h"
#include "data/bucket_kind.h"
#include "data/passage.h"
#include "data/replica.h"

enum { WAIT_S = 60 }; // for a run that is under way

struct target {
	const struct cloud *cloud;
	struct str bucket; // physical
};
struct files_run {
	const struct ingest *in;
	const struct dataset *d;
	struct files_source source;
	struct target *targets;
	size_t count;
	bool by_hand;
};

// ---------------------------------------------------------------- one at a time
// Who runs it by hand waits for a periodic run to end; a periodic run does not.
static int take_lock(struct call *c, const struct ingest *in, bool by_hand, int *fd)
{
	struct str root = str_of(in->scratch); // ROOT/dataset+NAME/RUN
	for (int cut = 0; cut < 2 && root.n; cut++) {
		while (root.n && root.p[root.n - 1] != '/')
			root.n--;
		root.n -= root.n > 0;
	}
	const char *folder = arena_cstr(c->arena, root);
	const char *path = arena_printf(c->arena, "%.*s/copies+%.*s.lock", STR(root), STR(in->resource->name)).p;
	if (!folder || !path)
		return call_no_memory(c);
	if (file_make_dirs(folder, 0700, &c->err))
		return c->err.code;
	int code = lock_take(path, fd, &c->err);
	int64_t until = call_mono_ns(c) + (by_hand ? WAIT_S * NS_PER_S : 0);
	while (code == ERR_IN_USE && call_mono_ns(c) < until) {
		err_clear(&c->err);
		code = call_sleep(c, 100 * NS_PER_MS);
		if (!code)
			code = lock_take(path, fd, &c->err);
	}
	return code == ERR_IN_USE
		       ? call_fail(c, ERR_IN_USE, "%.*s is being copied by another run", STR(in->resource->address))
		       : code;
}

// ---------------------------------------------------------------- targets
static bool is_source(const struct files_run *run, const struct target *t)
{
	return run->source.cloud == t->cloud && str_eq(run->source.bucket, t->bucket);
}

static int add_target(struct call *c, struct files_run *run, struct str bucket, struct str cloud)
{
	struct target t = {.cloud = clouds_find(run->in->clouds, cloud)};
	const struct passage p = {
		.what = run->in->resource->address, .to = t.cloud, .making = true, .of = run->in->resource};
	bool may = false;
	if (!t.cloud)
		return call_fail(c, ERR_NOT_FOUND, "the workspace has no cloud \"%.*s\"", STR(cloud));
	if (passage_allows(c, run->in->state, &p, &may))
		return c->err.code;
	if (!may)
		return 0;
	if (bucket_find(c, run->in->state, bucket, cloud, &t.bucket))
		return c->err.code;
	for (size_t i = 0; i < run->count; i++)
		if (run->targets[i].cloud == t.cloud && str_eq(run->targets[i].bucket, t.bucket))
			return 0;
	run->targets[run->count++] = t;
	return 0;
}

static int add_bucket(struct call *c, struct files_run *run, const struct field_ref *bucket)
{
	struct resource *list = NULL;
	size_t count = 0;
	struct str prefix = arena_printf(c->arena, "bucket/%.*s on ", STR(bucket->name));
	if (!prefix.p)
		return call_no_memory(c);
	if (!bucket->name.n)
		return 0;
	if (bucket->on.n)
		return add_target(c, run, bucket->name, bucket->on);
	if (resource_list(c, run->in->state, prefix, &list, &count))
		return c->err.code;
	if (!count)
		return call_fail(c, ERR_NOT_FOUND, "bucket/%.*s lies on no cloud yet: apply the workspace first",
			STR(bucket->name));
	for (size_t i = 0; i < count; i++)
		if (add_target(c, run, bucket->name, list[i].cloud))
			return c->err.code;
	return 0;
}

static int find_targets(struct call *c, struct files_run *run)
{
	run->targets = arena_new_array(c->arena, 2 * run->in->clouds->count + 2, struct target);
	if (!run->targets)
		return call_no_memory(c);
	if (add_bucket(c, run, &run->d->bucket) || add_bucket(c, run, &run->d->replicas.bucket))
		return c->err.code;
	if (!run->count && !run->source.cloud)
		return call_fail(c, ERR_DENIED, "its files may be brought to none of the clouds of its bucket");
	return 0;
}

static int open_run(struct call *c, struct files_run *run)
{
	if (files_source_open(c, run->in, run->d, &run->source) || find_targets(c, run))
		return call_context(c, "%.*s", STR(run->in->resource->address));
	return files_source_scan(c, run->in, &run->source);
}

// ---------------------------------------------------------------- outputs
static void totals(const struct files_source *s, uint64_t *bytes, int64_t *records)
{
	*bytes = 0;
	*records = 0;
	for (size_t i = 0; i < s->count; i++) {
		*bytes += s->files[i].size;
		*records += s->files[i].records;
	}
}

static void add_part(json_t *parts, const struct files_run *run, const struct target *t, struct str prefix)
{
	uint64_t bytes;
	int64_t records;
	json_t *j = json_object();
	totals(&run->source, &bytes, &records);
	json_set_str(j, "cloud", t->cloud->name);
	json_set_str(j, "bucket", t->bucket);
	json_set_str(j, "prefix", prefix);
	json_object_set_new(j, "records", json_integer(records));
	json_object_set_new(j, "bytes", json_integer((json_int_t)bytes));
	json_array_append_new(parts, j);
}

static int gather(struct call *c, const struct files_run *run, json_t *copies, json_t **outputs)
{
	const struct passage p = {.what = run->in->resource->address, .making = true, .of = run->in->resource};
	AUTO(json) j = json_object();
	json_t *parts = json_array();
	struct bounds b;
	uint64_t bytes;
	int64_t records;
	totals(&run->source, &bytes, &records);
	json_object_set_new(j, "parts", parts);
	if (run->source.cloud)
		add_part(parts, run, &(struct target){run->source.cloud, run->source.bucket}, run->source.prefix);
	for (size_t i = 0; i < run->count; i++)
		if (!is_source(run, &run->targets[i]))
			add_part(parts, run, &run->targets[i], replica_prefix(c->arena, run->in->resource->name));
	json_set_str(j, "format", run->d->format);
	json_set_str(j, "fingerprint", run->source.fingerprint);
	json_object_set_new(j, "files", json_integer((json_int_t)run->source.count));
	json_object_set_new(j, "records", json_integer(records));
	json_object_set_new(j, "bytes", json_integer((json_int_t)bytes));
	json_object_set(j, "copies", copies);
	if (passage_bounds(c, run->in->state, &p, &b))
		return c->err.code;
	bounds_to_json(&b, j);
	*outputs = json_incref(j);
	return 0;
}

// ---------------------------------------------------------------- copies
static int copy_to(struct call *c, const struct files_run *run, const struct target *t, json_t *copies)
{
	const struct replica r = {
		.in = run->in, .source = &run->source, .to = t->cloud, .bucket = t->bucket, .by_hand = run->by_hand};
	struct replica_result result = {0};
	if (replica_make(c, &r, &result))
		return c->err.code;
	json_t *one = json_object();
	json_set_str(one, "cloud", t->cloud->name);
	json_object_set_new(one, "objects", json_integer((json_int_t)result.objects));
	json_object_set_new(one, "bytes", json_integer((json_int_t)result.bytes));
	json_object_set_new(one, "copied", json_integer((json_int_t)result.copied));
	json_object_set_new(one, "removed", json_integer((json_int_t)result.removed));
	json_object_set_new(one, "held", json_integer((json_int_t)result.held));
	json_set_str(one, "manifest", str_of(result.manifest));
	json_array_append_new(copies, one);
	return 0;
}

// Each is tried, whatever became of the others; *first is what went wrong first.
static int copy_to_all(struct call *c, const struct files_run *run, json_t *copies, struct err *first)
{
	for (size_t i = 0; i < run->count; i++) {
		struct call child;
		AUTO(arena) arena = {0};
		call_child(&child, c, &arena, 0);
		if (call_check(c))
			return c->err.code;
		if (copy_to(&child, run, &run->targets[i], copies) == 0)
			continue;
		if (!first->code)
			*first = child.err;
		struct str key = replica_key(c->arena, run->in->resource->address, run->targets[i].cloud->name);
		if (!key.p || replica_note_failure(c, run->in->state, key, &child.err))
			return key.p ? c->err.code : call_no_memory(c);
	}
	return 0;
}

// ---------------------------------------------------------------- copies that are not to be any more
static bool is_target(const struct files_run *run, struct str cloud)
{
	for (size_t i = 0; i < run->count; i++)
		if (str_eq(run->targets[i].cloud->name, cloud))
			return true;
	return false;
}

static int withdraw(struct call *c, const struct files_run *run, struct str cloud)
{
	struct record record = {0};
	struct replica r = {.in = run->in, .to = clouds_find(run->in->clouds, cloud)};
	struct str key = replica_key(c->arena, run->in->resource->address, cloud);
	if (!r.to) // its cloud is not declared any more: nobody can be asked
		return 0;
	if (!key.p || state_get(c, run->in->state, key, &record))
		return key.p ? c->err.code : call_no_memory(c);
	r.bucket = json_str(record.value, "bucket");
	return replica_withdraw(c, &r);
}

// Where the records may not lie any more, or are not to: the bounds were narrowed, or the bucket left that cloud.
static int withdraw_others(struct call *c, const struct files_run *run, struct err *first)
{
	struct replica_status *list = NULL;
	size_t count = 0;
	if (replica_list(c, run->in->state, &list, &count))
		return c->err.code;
	for (size_t i = 0; i < count; i++) {
		if (!str_eq(list[i].dataset, run->in->resource->address) || is_target(run, list[i].cloud) ||
			!withdraw(c, run, list[i].cloud))
			continue;
		if (!first->code)
			*first = c->err;
		struct err why = c->err;
		err_clear(&c->err);
		struct str key = replica_key(c->arena, run->in->resource->address, list[i].cloud);
		if (!key.p || replica_note_failure(c, run->in->state, key, &why))
			return key.p ? c->err.code : call_no_memory(c);
	}
	return 0;
}

static int bring_up_to_date(struct call *c, struct files_run *run, json_t *copies, struct err *first)
{
	if (open_run(c, run) || copy_to_all(c, run, copies, first))
		return c->err.code;
	return withdraw_others(c, run, first);
}

int dataset_files_ingest(struct call *c, const struct ingest *in, const struct dataset *d, json_t **outputs)
{
	struct files_run run = {.in = in, .d = d, .by_hand = true};
	struct err first = {0};
	AUTO(fd) lock = -1;
	AUTO(json) copies = json_array();
	if (take_lock(c, in, true, &lock) || bring_up_to_date(c, &run, copies, &first))
		return c->err.code;
	if (first.code) {
		c->err = first;
		return first.code;
	}
	return gather(c, &run, copies, outputs);
}

int dataset_files_refresh(struct call *c, const struct ingest *in, const struct dataset *d)
{
	struct files_run run = {.in = in, .d = d};
	struct err first = {0};
	AUTO(fd) lock = -1;
	AUTO(json) copies = json_array();
	if (take_lock(c, in, false, &lock) || bring_up_to_date(c, &run, copies, &first))
		return c->err.code;
	c->err = first;
	return first.code;
}

int dataset_files_fingerprint(struct call *c, const struct ingest *in, const struct dataset *d, struct str *out)
{
	struct files_source source;
	if (files_source_open(c, in, d, &source))
		return call_context(c, "%.*s", STR(in->resource->address));
	*out = source.fingerprint;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
// What lies at a copy's place, batches of files put there, and the finish: verify, manifest, remove, record.
#include <stdlib.h>
#include <string.h>

#include "data/replica_impl.h"

// ---------------------------------------------------------------- looking
static int compare_objects(const void *a, const void *b)
{
	const struct object *x = a, *y = b;
	return str_cmp(x->key, y->key);
}

int replica_look(struct call *c, const struct replica_run *run, struct replica_there *out)
{
	struct record record = {0};
	struct store_page page = {0};
	if (state_get(c, run->r->in->state, run->key, &record))
		return c->err.code;
	if (cloud_list_all(c, run->r->to, run->r->bucket, run->prefix, &page))
		return call_context(
			c, "list %.*s/%.*s on %.*s", STR(run->r->bucket), STR(run->prefix), STR(run->r->to->name));
	if (page.count)
		qsort(page.objects, page.count, sizeof(*page.objects), compare_objects);
	*out = (struct replica_there){.record = record.revision ? record.value : NULL,
		.revision = record.revision,
		.objects = page.objects,
		.count = page.count,
		.skip = run->prefix.n};
	return 0;
}

static const struct object *find_object(const struct replica_there *there, struct str name)
{
	size_t low = 0, high = there->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(str_drop(there->objects[middle].key, there->skip), name);
		if (order == 0)
			return &there->objects[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const json_t *known_file(const struct replica_there *there, struct str name)
{
	return json_object_getn(json_object_get(there->record, "files"), name.p, name.n);
}

// The object is as we left it.
static bool is_ours(const struct replica_there *there, const json_t *known, struct str name)
{
	const struct object *o = find_object(there, name);
	return o && str_eq(o->etag, json_str(known, "etag")) && (int64_t)o->size == json_int(known, "size", -1);
}

bool replica_has(const struct replica_there *there, const struct source_file *f)
{
	const json_t *known = known_file(there, f->name);
	return known && str_eq(json_str(known, "sha256"), f->sha256) && is_ours(there, known, f->name);
}

struct str replica_pass(struct arena *a, const struct replica_run *run, const struct replica_there *there)
{
	return arena_printf(a, "%lld-%.*s", (long long)json_int(there->record, "pass", 0),
		STR(str_take(run->r->source->fingerprint, 12)));
}

// ---------------------------------------------------------------- putting
static const struct source_file *find_source(const struct replica_run *run, struct str name)
{
	const struct files_source *s = run->r->source;
	for (size_t i = 0; i < s->count; i++)
		if (str_eq(s->files[i].name, name))
			return &s->files[i];
	return NULL;
}

static json_t *put_json(const struct source_file *f, const struct object *there)
{
	json_t *j = json_object();
	json_set_str(j, "name", f->name);
	json_set_str(j, "source", f->etag);
	json_set_str(j, "etag", there->etag);
	json_set_str(j, "sha256", f->sha256);
	json_object_set_new(j, "size", json_integer((json_int_t)f->size));
	return j;
}

// What a crash left half done is seen here: an object with this checksum is not sent again.
static int put_one(struct call *c, const struct replica_run *run, const struct copy *copy, const struct source_file *f,
	struct object *there)
{
	const struct copy_end *to = &copy->to;
	int code = CLOUD_CALL(c, to->cloud, store, head, to->bucket, to->key, there);
	if (code && code != ERR_NOT_FOUND)
		return code;
	err_clear(&c->err);
	if (!code && there->size == f->size && there->has_crc32c && there->crc32c == f->crc32c)
		return 0;
	if (files_source_send(c, run->r->source, f, copy))
		return c->err.code;
	return CLOUD_CALL(c, to->cloud, store, head, to->bucket, to->key, there);
}

// A file that changed or went meanwhile is no failure: the next listing shows what it is then.
static bool is_stale(int code)
{
	return code == ERR_CONFLICT || code == ERR_NOT_FOUND;
}

static int put_named(struct call *c, struct replica_run *run, const struct action *action, struct str name, json_t *put)
{
	const struct source_file *f = find_source(run, name);
	struct object there = {0};
	struct copy copy = {
		.to = {run->r->to, run->r->bucket, arena_printf(c->arena, "%.*s%.*s", STR(run->prefix), STR(name))},
		.state = run->r->in->state,
		.what = run->r->source->address,
		.id = arena_printf(c->arena, "%.*s/%.*s", STR(action->name), STR(name))};
	if (!copy.to.key.p || !copy.id.p)
		return call_no_memory(c);
	if (!f) // of a batch that a crash left open, and gone since
		return 0;
	int code = put_one(c, run, &copy, f, &there);
	if (is_stale(code)) {
		err_clear(&c->err);
		return 0;
	}
	if (!code)
		json_array_append_new(put, put_json(f, &there));
	return code;
}

int replica_put(struct call *c, struct replica_run *run, const struct action *action, json_t **output)
{
	AUTO(json) put = json_array();
	const json_t *files = json_object_get(action->input, "files"), *one;
	size_t i;
	json_array_foreach(files, i, one)
	{
		AUTO(arena) arena = {0};
		struct call child;
		call_child(&child, c, &arena, 0);
		if (call_check(c))
			return c->err.code;
		if (put_named(&child, run, action, json_value_str(one), put)) {
			c->err = child.err;
			return call_context(c, "%.*s", STR(json_value_str(one)));
		}
		const struct progress_event e = {.step = run->r->source->address,
			.what = run->r->to->name,
			.done = (double)(i + 1),
			.total = (double)json_array_size(files),
			.unit = "files"};
		progress_report(run->r->in->progress, &e);
	}
	*output = json_pack("{s:O}", "files", put);
	return *output ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- finishing
struct finish {
	struct replica_run *run;
	struct replica_there there;
	json_t *files; // of the new record
	bool whole;    // every file of the source is there
	uint64_t copied, removed, held, bytes;
	int64_t records;
};

static int gather_puts(struct call *c, struct finish *f, const struct action *action)
{
	int64_t batches = json_int(action->input, "batches", 0);
	struct str base = str_take(action->name, action->name.n - (sizeof("finish") - 1));
	for (int64_t i = 0; i < batches; i++) {
		json_t *output = NULL;
		size_t k;
		const json_t *one;
		struct str name = arena_printf(c->arena, "%.*sput-%lld", STR(base), (long long)i);
		if (!name.p)
			return call_no_memory(c);
		if (reconcile_result(c, f->run->r->in->state, name, &output))
			return c->err.code;
		json_array_foreach(json_object_get(output, "files"), k, one)
		{
			struct str file = json_str(one, "name");
			json_object_setn(f->files, file.p, file.n, (json_t *)(uintptr_t)one);
			f->copied++;
		}
	}
	return 0;
}

// Keeps of the new record what really lies there.
static void verify(struct finish *f)
{
	const struct files_source *s = f->run->r->source;
	f->whole = true;
	for (size_t i = 0; i < s->count; i++) {
		const struct source_file *file = &s->files[i];
		const json_t *known = json_object_getn(f->files, file->name.p, file->name.n);
		if (!known)
			known = known_file(&f->there, file->name);
		if (known && str_eq(json_str(known, "sha256"), file->sha256) && is_ours(&f->there, known, file->name)) {
			json_object_setn(f->files, file->name.p, file->name.n, (json_t *)(uintptr_t)known);
			f->bytes += file->size;
			f->records += file->records;
		} else {
			json_object_deln(f->files, file->name.p, file->name.n);
			f->whole = false;
		}
	}
}

static bool is_gone(const struct finish *f, const char *name)
{
	return find_source(f->run, str_of(name)) == NULL;
}

static size_t count_gone(const struct finish *f)
{
	size_t gone = 0;
	const char *name;
	json_t *known;
	json_object_foreach(json_object_get(f->there.record, "files"), name, known) gone += is_gone(f, name);
	return gone;
}

static int remove_gone(struct call *c, struct finish *f)
{
	const json_t *before = json_object_get(f->there.record, "files");
	size_t gone = count_gone(f);
	bool hold = !f->run->r->by_hand && gone * 2 > json_object_size(before);
	const char *name;
	json_t *known;
	json_object_foreach((json_t *)(uintptr_t)before, name, known)
	{
		struct str file = str_of(name);
		if (!is_gone(f, name) || !is_ours(&f->there, known, file))
			continue; // what somebody else wrote there since is theirs
		if (hold) {
			json_object_set(f->files, name, known);
			f->held++;
			continue;
		}
		struct str key = arena_printf(c->arena, "%.*s%s", STR(f->run->prefix), name);
		if (!key.p)
			return call_no_memory(c);
		if (call_check(c) || CLOUD_CALL(c, f->run->r->to, store, delete, f->run->r->bucket, key))
			return call_context(c, "remove %.*s", STR(key));
		f->removed++;
	}
	return 0;
}

// datasets/NAME/files.json, beside the files: what a reader proves them with.
static json_t *manifest_json(const struct files_source *s)
{
	json_t *j = json_object(), *files = json_array();
	for (size_t i = 0; i < s->count; i++) {
		json_t *one = json_object();
		json_set_str(one, "name", s->files[i].name);
		json_set_str(one, "sha256", s->files[i].sha256);
		json_object_set_new(one, "size", json_integer((json_int_t)s->files[i].size));
		json_object_set_new(one, "records", json_integer(s->files[i].records));
		json_array_append_new(files, one);
	}
	json_set_str(j, "dataset", s->address);
	json_set_str(j, "format", s->format);
	json_set_str(j, "fingerprint", s->fingerprint);
	json_object_set_new(j, "files", files);
	return j;
}

static int put_manifest(struct call *c, struct finish *f)
{
	AUTO(buf) text = {0};
	AUTO(json) j = manifest_json(f->run->r->source);
	if (json_write(j, &text, &c->err))
		return c->err.code;
	const struct store_put put = {.bucket = f->run->r->bucket,
		.content_type = S("application/json"),
		.key = arena_printf(c->arena, "datasets/%.*s/files.json", STR(f->run->r->in->resource->name))};
	struct object stored;
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), f->run->result.manifest);
	return put.key.p ? cloud_put_bytes(c, f->run->r->to, &put, buf_str(&text), &stored) : call_no_memory(c);
}

static json_t *record_json(const struct finish *f)
{
	const struct replica *r = f->run->r;
	json_t *j = json_object();
	json_object_set_new(j, "pass", json_integer(json_int(f->there.record, "pass", 0) + 1));
	json_set_str(j, "fingerprint", f->whole ? r->source->fingerprint : json_str(f->there.record, "fingerprint"));
	json_object_set_new(j, "synced_ns",
		json_integer(f->whole ? r->source->listed_ns : json_int(f->there.record, "synced_ns", 0)));
	json_object_set_new(j, "objects", json_integer((json_int_t)json_object_size(f->files)));
	json_object_set_new(j, "bytes", json_integer((json_int_t)f->bytes));
	json_object_set_new(j, "records", json_integer(f->records));
	json_object_set_new(j, "held", json_integer((json_int_t)f->held));
	json_set_str(j, "bucket", r->bucket);
	json_set_str(j, "prefix", f->run->prefix);
	json_set_str(j, "manifest", str_of(f->run->result.manifest));
	json_object_set(j, "files", f->files);
	return j;
}

static json_t *event_json(struct call *c, const struct finish *f, const struct action *action)
{
	const struct replica *r = f->run->r;
	const struct passage p = {.what = r->source->address, .making = true, .of = r->in->resource};
	struct bounds b = bounds_none();
	json_t *j = json_object();
	if (passage_bounds(c, r->in->state, &p, &b) == 0)
		bounds_to_json(&b, j);
	err_clear(&c->err);
	json_set_str(j, "dataset", r->source->address);
	json_set_str(j, "cloud", r->to->name);
	json_set_str(j, "bucket", r->bucket);
	json_set_str(j, "prefix", f->run->prefix);
	json_set_str(j, "id", action->name);
	json_set_str(j, "fingerprint", r->source->fingerprint);
	json_object_set_new(j, "objects", json_integer((json_int_t)json_object_size(f->files)));
	json_object_set_new(j, "bytes", json_integer((json_int_t)f->bytes));
	json_object_set_new(j, "copied", json_integer((json_int_t)f->copied));
	json_object_set_new(j, "removed", json_integer((json_int_t)f->removed));
	json_object_set_new(j, "held", json_integer((json_int_t)f->held));
	return j;
}

static int keep_record(struct call *c, const struct finish *f, const struct action *action)
{
	AUTO(json) record = record_json(f);
	const struct state_note note = {.key = f->run->key,
		.value = record,
		.expected = f->there.revision,
		.type = f->whole ? S("replica.synced") : S("replica.incomplete"),
		.address = f->run->r->source->address,
		.data = event_json(c, f, action)};
	return state_put_noted(c, f->run->r->in->state, &note);
}

// A finish that a crash interrupted may find its record written: its pass is over then.
static bool is_over(struct call *c, const struct finish *f, const struct action *action)
{
	struct str now = replica_pass(c->arena, f->run, &f->there);
	return !str_eq(now, json_str(action->input, "pass"));
}

int replica_finish(struct call *c, struct replica_run *run, const struct action *action, json_t **output)
{
	struct finish f = {.run = run};
	AUTO(json) files = json_object();
	f.files = files;
	int rc = replica_look(c, run, &f.there);
	if (rc == 0 && is_over(c, &f, action)) {
		*output = json_object();
		return 0;
	}
	if (rc == 0)
		rc = gather_puts(c, &f, action);
	if (rc < 0)
		return rc;
	verify(&f);
	if (f.whole)
		rc = remove_gone(c, &f);
	if (rc == 0 && f.whole)
		rc = put_manifest(c, &f);
	if (rc == 0)
		rc = keep_record(c, &f, action);
	if (rc < 0)
		return rc;
	run->incomplete += !f.whole;
	run->result.copied += f.copied;
	run->result.removed += f.removed;
	run->result.held = f.held;
	*output = json_pack("{s:b, s:I, s:I}", "whole", (int)f.whole, "copied", (json_int_t)f.copied, "removed",
		(json_int_t)f.removed);
	return *output ? 0 : call_no_memory(c);
}

int replica_result_of(struct call *c, const struct replica_run *run, struct replica_result *out)
{
	struct record record = {0};
	if (state_get(c, run->r->in->state, run->key, &record))
		return c->err.code;
	out->objects = (uint64_t)json_int(record.value, "objects", 0);
	out->bytes = (uint64_t)json_int(record.value, "bytes", 0);
	(void)str_copy(out->manifest, sizeof(out->manifest), json_str(record.value, "manifest"));
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
// What calls-driver asks of a cloud: the operations of its parts, each with what has to be there before and what has to
// be so afterwards.
#include <string.h>

#include "calls_driver.h"
#include "cloud/secrets.h"

enum { LARGE = 9 << 20, WAIT_S = 30 };
#define PLAIN S("0123456789abcdef0123456789abcdef")
#define CONTEXT S("bucket/lake on somewhere")
#define FIRST S("the first value")
#define SECOND S("the second value")

static int wrong(struct world *w, const char *what)
{
	return call_fail(&w->c, ERR_FAILED, "%s", what);
}

// ---------------------------------------------------------------- objects
static struct str bucket_of(struct world *w, struct str name)
{
	return arena_printf(&w->arena, "isobar-matrix-%.*s", STR(name));
}

static int bucket_create(struct world *w, struct str name)
{
	return w->cloud.store->bucket_create(&w->c, w->cloud.store_ctx, bucket_of(w, name));
}

static int bucket_is_there(struct world *w, struct str name)
{
	return w->cloud.store->bucket_head(&w->c, w->cloud.store_ctx, bucket_of(w, name));
}

static int bucket_tag(struct world *w, struct str name)
{
	AUTO(json) tags = json_pack("{s:s}", "matrix", "yes");
	return w->cloud.store->bucket_set_tags(&w->c, w->cloud.store_ctx, bucket_of(w, name), tags);
}

static int bucket_is_tagged(struct world *w, struct str name)
{
	AUTO(json) tags = NULL;
	int r = w->cloud.store->bucket_tags(&w->c, w->cloud.store_ctx, bucket_of(w, name), &tags);
	return r ? r : str_is(json_str(tags, "matrix"), "yes") ? 0 : wrong(w, "the bucket has other tags");
}

static int bucket_delete(struct world *w, struct str name)
{
	return w->cloud.store->bucket_delete(&w->c, w->cloud.store_ctx, bucket_of(w, name));
}

static int bucket_is_gone(struct world *w, struct str name)
{
	int r = bucket_is_there(w, name);
	return r == ERR_NOT_FOUND ? 0 : r ? r : wrong(w, "the bucket is there");
}

static int put_bytes(struct world *w, struct str name, struct str data, bool if_absent)
{
	struct store_put put = {.bucket = MATRIX_BUCKET, .key = name, .condition.if_absent = if_absent};
	struct object out;
	return cloud_put_bytes(&w->c, &w->cloud, &put, data, &out);
}


static int object_replace(struct world *w, struct str name)
{
	return put_bytes(w, name, SECOND, false);
}

static int object_holds(struct world *w, struct str name, struct str wanted)
{
	struct str got;
	int r = cloud_get_bytes(&w->c, &w->cloud, MATRIX_BUCKET, name, 64 << 20, &got);
	return r ? r : str_eq(got, wanted) ? 0 : wrong(w, "the object holds something else");
}

// Of a request that was delivered twice the second is refused: whoever creates looks then whose the object is.
static int object_create(struct world *w, struct str name)
{
	int r = put_bytes(w, name, FIRST, true);
	return r == ERR_CONFLICT ? object_holds(w, name, FIRST) : r;
}

static int object_is_first(struct world *w, struct str name)
{
	return object_holds(w, name, FIRST);
}

static int object_is_second(struct world *w, struct str name)
{
	return object_holds(w, name, SECOND);
}

static struct str large(struct world *w)
{
	char *bytes = arena_alloc(&w->arena, LARGE);
	for (size_t i = 0; bytes && i < LARGE; i += 8)
		memcpy(bytes + i, &(uint64_t){i * 0x9e3779b97f4a7c15u}, 8);
	return str_bytes(bytes, bytes ? LARGE : 0);
}

static int object_put_large(struct world *w, struct str name)
{
	return put_bytes(w, name, large(w), false);
}

static int object_is_large(struct world *w, struct str name)
{
	return object_holds(w, name, large(w));
}

static int object_delete(struct world *w, struct str name)
{
	return w->cloud.store->delete(&w->c, w->cloud.store_ctx, MATRIX_BUCKET, name);
}

static int object_is_gone(struct world *w, struct str name)
{
	struct object out;
	int r = w->cloud.store->head(&w->c, w->cloud.store_ctx, MATRIX_BUCKET, name, &out);
	return r == ERR_NOT_FOUND ? 0 : r ? r : wrong(w, "the object is there");
}

static ssize_t read_until_broken(void *ctx, void *out, size_t n)
{
	size_t *left = ctx, give = MIN(n, *left);
	if (!give)
		return ERR_IO;
	memset(out, 'x', give);
	*left -= give;
	return (ssize_t)give;
}

// A source that breaks in its second part: the upload that was begun is given up.
static int object_give_up(struct world *w, struct str name)
{
	size_t left = LARGE - 1000;
	struct store_put put = {.bucket = MATRIX_BUCKET, .key = name};
	struct source from = {.ctx = &left, .read = read_until_broken, .size = LARGE};
	struct object out;
	int r = w->cloud.store->put(&w->c, w->cloud.store_ctx, &put, &from, &out);
	if (!r)
		return wrong(w, "half an object was put");
	return left ? r : 0;
}

// ---------------------------------------------------------------- keys
static int key_create(struct world *w, struct str name)
{
	return w->cloud.keys->create(&w->c, w->cloud.keys_ctx, name);
}

static int key_has(struct world *w, struct str name, int64_t versions)
{
	AUTO(json) j = NULL;
	int r = w->cloud.keys->describe(&w->c, w->cloud.keys_ctx, name, &j);
	if (!r && json_int(j, "versions", 0) != versions)
		r = call_fail(&w->c, ERR_FAILED, "the key has %lld versions", (long long)json_int(j, "versions", 0));
	return r;
}

static int key_works(struct world *w, struct str name)
{
	struct str wrapped, plain;
	int r = w->cloud.keys->wrap(&w->c, w->cloud.keys_ctx, name, CONTEXT, PLAIN, &wrapped);
	if (!r)
		r = w->cloud.keys->unwrap(&w->c, w->cloud.keys_ctx, name, CONTEXT, wrapped, &plain);
	return r ? r : str_eq(plain, PLAIN) ? 0 : wrong(w, "another text was unwrapped");
}

static int key_is_new(struct world *w, struct str name)
{
	int r = key_has(w, name, 1);
	return r ? r : key_works(w, name);
}

static int key_rotate(struct world *w, struct str name)
{
	return w->cloud.keys->rotate(&w->c, w->cloud.keys_ctx, name);
}

static int key_is_rotated(struct world *w, struct str name)
{
	int r = key_has(w, name, 2);
	return r ? r : key_works(w, name);
}

static int key_disable(struct world *w, struct str name)
{
	return w->cloud.keys->disable(&w->c, w->cloud.keys_ctx, name);
}

static int key_is_disabled(struct world *w, struct str name)
{
	int r = key_works(w, name);
	return r == ERR_DENIED ? 0 : r ? r : wrong(w, "the key still works");
}

static int key_create_disabled(struct world *w, struct str name)
{
	int r = key_create(w, name);
	return r ? r : key_disable(w, name);
}

static int key_enable(struct world *w, struct str name)
{
	return w->cloud.keys->enable(&w->c, w->cloud.keys_ctx, name);
}

static json_t *some_grants(const struct world *w)
{
	const char *who = str_is(w->config.provider, "aws") ? "arn:aws:iam::123456789012:role/job"
							     : "serviceAccount:job@p.iam.gserviceaccount.com";
	return json_pack("[{s:s, s:s}]", "principal", who, "may", "unwrap");
}

static int key_grant(struct world *w, struct str name)
{
	AUTO(json) grants = some_grants(w);
	return CLOUD_CALL(&w->c, &w->cloud, keys, set_grants, name, grants);
}

static int key_is_granted(struct world *w, struct str name)
{
	AUTO(json) told = NULL;
	AUTO(json) wanted = some_grants(w);
	int r = w->cloud.keys->grants(&w->c, w->cloud.keys_ctx, name, &told);
	return r ? r : json_equal(told, wanted) ? 0 : wrong(w, "the key has other grants");
}

static int key_delete(struct world *w, struct str name)
{
	return w->cloud.keys->delete(&w->c, w->cloud.keys_ctx, name);
}

static int key_is_gone(struct world *w, struct str name)
{
	AUTO(json) j = NULL;
	int r = w->cloud.keys->describe(&w->c, w->cloud.keys_ctx, name, &j);
	return r == ERR_NOT_FOUND ? 0 : r ? r : wrong(w, "the key is there");
}

static int key_create_deleted(struct world *w, struct str name)
{
	int r = key_create(w, name);
	return r ? r : key_delete(w, name);
}

// ---------------------------------------------------------------- secrets
static int secret_put(struct world *w, struct str name, struct str text)
{
	AUTO(secret) value = {0};
	struct str version;
	int r = secret_set(&value, text, &w->c.err);
	return r ? r : w->cloud.secrets->put(&w->c, w->cloud.secrets_ctx, name, &value, &version);
}

static int secret_first(struct world *w, struct str name)
{
	return secret_put(w, name, FIRST);
}

static int secret_second(struct world *w, struct str name)
{
	return secret_put(w, name, SECOND);
}

// The newest version holds the text, and there are so many.
static int secret_holds(struct world *w, struct str name, struct str text, size_t versions)
{
	AUTO(secret) value = {0};
	AUTO(json) j = NULL;
	int r = w->cloud.secrets->get(&w->c, w->cloud.secrets_ctx, name, S(""), &value);
	if (!r && !str_eq(secret_str(&value), text))
		return wrong(w, "the secret has another value");
	if (!r)
		r = w->cloud.secrets->describe(&w->c, w->cloud.secrets_ctx, name, &j);
	size_t count = json_array_size(json_object_get(j, "versions"));
	return r			 ? r
	       : count == versions ? 0
				   : call_fail(&w->c, ERR_FAILED, "the secret has %zu versions", count);
}

static int secret_is_first(struct world *w, struct str name)
{
	return secret_holds(w, name, FIRST, 1);
}

static int secret_is_second(struct world *w, struct str name)
{
	return secret_holds(w, name, SECOND, 2);
}

static int secret_both(struct world *w, struct str name)
{
	int r = secret_first(w, name);
	return r ? r : secret_second(w, name);
}

static int secret_oldest(struct world *w, struct str name, struct str *version, bool *enabled)
{
	AUTO(json) j = NULL;
	int r = w->cloud.secrets->describe(&w->c, w->cloud.secrets_ctx, name, &j);
	const json_t *all = json_object_get(j, "versions"), *oldest = json_array_get(all, json_array_size(all) - 1);
	*version = arena_str(&w->arena, json_str(oldest, "version"));
	*enabled = json_flag(oldest, "enabled", false);
	return r;
}

static int secret_disable(struct world *w, struct str name)
{
	struct str version;
	bool enabled;
	int r = secret_oldest(w, name, &version, &enabled);
	return r ? r : w->cloud.secrets->disable(&w->c, w->cloud.secrets_ctx, name, version);
}

static int secret_is_disabled(struct world *w, struct str name)
{
	struct str version;
	bool enabled;
	int r = secret_oldest(w, name, &version, &enabled);
	if (!r && enabled && !str_is(w->config.provider, "aws")) // has no such state
		return wrong(w, "the first version is enabled");
	return r ? r : secret_holds(w, name, SECOND, 2);
}

static int secret_delete(struct world *w, struct str name)
{
	return w->cloud.secrets->delete(&w->c, w->cloud.secrets_ctx, name);
}

static int secret_is_gone(struct world *w, struct str name)
{
	struct str *names;
	size_t count;
	int r = w->cloud.secrets->list(&w->c, w->cloud.secrets_ctx, &names, &count);
	for (size_t i = 0; !r && i < count; i++)
		if (str_eq(names[i], name))
			r = wrong(w, "the secret is there");
	return r;
}

static int secret_create_deleted(struct world *w, struct str name)
{
	if (str_is(w->config.provider, "aws")) // the name stays taken until the deletion is over
		return call_fail(&w->c, ERR_UNSUPPORTED, "a secret that is being deleted does not come back");
	int r = secret_first(w, name);
	return r ? r : secret_delete(w, name);
}

static int secret_is_first_again(struct world *w, struct str name)
{
	AUTO(secret) value = {0};
	int r = w->cloud.secrets->get(&w->c, w->cloud.secrets_ctx, name, S(""), &value);
	return r ? r : str_eq(secret_str(&value), FIRST) ? 0 : wrong(w, "the secret has another value");
}

// ---------------------------------------------------------------- jobs
static int job_start(struct world *w, struct str name, const char *seconds, bool spot)
{
	const char *const argv[] = {"/bin/sleep", seconds, NULL};
	struct job_spec spec = {.name = name,
		.argv = argv,
		.output = {MATRIX_BUCKET, arena_printf(&w->arena, "out/%.*s/", STR(name))},
		.cpu = 1,
		.memory = 128 << 20,
		.deadline_ns = 600 * 1000000000ll,
		.spot = spot};
	return w->cloud.jobs->submit(&w->c, w->cloud.jobs_ctx, &spec);
}

static int job_submit(struct world *w, struct str name)
{
	return job_start(w, name, "300", false);
}

static int job_submit_spot(struct world *w, struct str name)
{
	return job_start(w, name, "300", true);
}

static int job_stop(struct world *w, struct str name)
{
	return w->cloud.jobs->stop(&w->c, w->cloud.jobs_ctx, name);
}

static int job_wait(struct world *w, struct str name, enum job_state wanted)
{
	struct job_status status = {0};
	int r = 0;
	for (int64_t until = call_mono_ns(&w->c) + WAIT_S * 1000000000ll; !r && call_mono_ns(&w->c) < until;) {
		r = w->cloud.jobs->observe(&w->c, w->cloud.jobs_ctx, name, &status);
		if (!r && status.state == wanted)
			return 0;
		if (!r && status.state > JOB_RUNNING)
			break;
		edges_real()->sleep_ns(NULL, 20000000);
	}
	return r ? r : call_fail(&w->c, ERR_FAILED, "the job is in state %d: %.*s", status.state, STR(status.reason));
}

static int job_is_one(struct world *w, struct str name)
{
	struct str *names;
	size_t count, same = 0;
	struct job_status status = {0};
	int r = w->cloud.jobs->list(&w->c, w->cloud.jobs_ctx, S(""), &names, &count);
	for (size_t i = 0; !r && i < count; i++)
		same += str_eq(names[i], name);
	if (!r && same != 1)
		return call_fail(&w->c, ERR_FAILED, "the job is there %zu times", same);
	r = r ? r : w->cloud.jobs->observe(&w->c, w->cloud.jobs_ctx, name, &status);
	if (!r && status.state > JOB_RUNNING)
		r = call_fail(&w->c, ERR_FAILED, "the job is in state %d: %.*s", status.state, STR(status.reason));
	return r;
}

static int job_is_stopped(struct world *w, struct str name)
{
	return job_wait(w, name, JOB_STOPPED);
}

static int job_end(struct world *w, struct str name)
{
	return job_stop(w, name);
}

static int job_submit_stopped(struct world *w, struct str name)
{
	int r = job_submit(w, name);
	r = r ? r : job_stop(w, name);
	return r ? r : job_is_stopped(w, name);
}

static int job_submit_stopped_spot(struct world *w, struct str name)
{
	int r = job_submit_spot(w, name);
	r = r ? r : job_stop(w, name);
	return r ? r : job_is_stopped(w, name);
}

static int job_remove(struct world *w, struct str name)
{
	return w->cloud.jobs->remove(&w->c, w->cloud.jobs_ctx, name);
}

static int job_is_gone(struct world *w, struct str name)
{
	struct job_status status;
	int r = w->cloud.jobs->observe(&w->c, w->cloud.jobs_ctx, name, &status);
	return r == ERR_NOT_FOUND ? 0 : r ? r : wrong(w, "the job is there");
}

// ---------------------------------------------------------------- the table
const struct operation operations[] = {
	{"bucket-create", NULL, bucket_create, bucket_is_there, bucket_delete, false},
	{"bucket-tag", bucket_create, bucket_tag, bucket_is_tagged, bucket_delete, false},
	{"bucket-delete", bucket_create, bucket_delete, bucket_is_gone, NULL, false},
	{"object-create", NULL, object_create, object_is_first, NULL, true},
	{"object-replace", object_create, object_replace, object_is_second, NULL, false},
	{"object-put-large", NULL, object_put_large, object_is_large, object_delete, false},
	{"object-give-up", NULL, object_give_up, object_is_gone, NULL, false},
	{"object-delete", object_create, object_delete, object_is_gone, NULL, false},
	{"key-create", NULL, key_create, key_is_new, NULL, false},
	{"key-rotate", key_create, key_rotate, key_is_rotated, NULL, true},
	{"key-disable", key_create, key_disable, key_is_disabled, NULL, false},
	{"key-enable", key_create_disabled, key_enable, key_is_new, NULL, false},
	{"key-grant", key_create, key_grant, key_is_granted, NULL, false},
	{"key-delete", key_create, key_delete, key_is_gone, NULL, false},
	{"key-create-again", key_create_deleted, key_create, key_works, NULL, false},
	{"secret-put", NULL, secret_first, secret_is_first, NULL, false},
	{"secret-put-second", secret_first, secret_second, secret_is_second, NULL, false},
	{"secret-disable", secret_both, secret_disable, secret_is_disabled, NULL, false},
	{"secret-delete", secret_first, secret_delete, secret_is_gone, NULL, false},
	{"secret-put-again", secret_create_deleted, secret_first, secret_is_first_again, NULL, false},
	{"job-submit", NULL, job_submit, job_is_one, job_end, false},
	{"job-submit-spot", NULL, job_submit_spot, job_is_one, job_end, false},
	{"job-stop", job_submit, job_stop, job_is_stopped, NULL, false},
	{"job-stop-spot", job_submit_spot, job_stop, job_is_stopped, NULL, false},
	{"job-remove", job_submit_stopped, job_remove, job_is_gone, NULL, false},
	{"job-remove-spot", job_submit_stopped_spot, job_remove, job_is_gone, NULL, false},
};
const size_t operation_count = COUNT_OF(operations);

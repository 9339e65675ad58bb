// SPDX-License-Identifier: Apache-2.0
// A job's inputs, from S3 to its folder, a bounded number of bytes a tick so that the loop goes on meanwhile. Channels
// of a training job come below input/data/CHANNEL, inputs of a processing job where their LocalPath says. Source: "How
// Amazon SageMaker provides training data", S3DataSource (Amazon SageMaker API Reference).
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "pocket/aws/sagemaker_impl.h"

enum { A_TICK = 16 << 20, PIECE = 256 << 10 };

struct sm_bringing {
	size_t index;     // of the channel or input
	struct buf after; // key that came last
	bool any;         // objects were found for this channel
	bool config;      // the configuration files are written
	struct object_range range;
	int fd;           // -1: none open
};

struct source {
	struct str bucket, prefix, folder;
};

int sm_read_s3(struct str url, struct str *bucket, struct str *key, struct err *e)
{
	struct str rest = str_starts(url, S("s3://")) ? str_drop(url, 5) : S("");
	str_cut(rest, '/', bucket, key);
	return bucket->n ? 0 : err_set(e, ERR_INVALID, "\"%.*s\" is no s3:// address", STR(str_clip(url, 200)));
}

struct str sm_processing_path(struct arena *a, const struct engine_place *place, struct str local)
{
	struct str below = str_drop(local, sizeof("/opt/ml/") - 1);
	while (str_ends(below, S("/")))
		below.n--;
	if (!str_starts(local, S("/opt/ml/processing")) || file_check_relative(below, NULL))
		return (struct str){0};
	return arena_printf(a, "%s/%.*s", place->work, STR(below));
}

// ---------------------------------------------------------------- what
static const json_t *inputs(const struct sm_files *f)
{
	return json_object_get(json_object_get(f->doc, "in"),
		f->type == SM_TRAINING ? "InputDataConfig" : "ProcessingInputs");
}

static int read_source(const struct sm_files *f, size_t i, struct arena *a, struct source *out, struct err *e)
{
	const json_t *one = json_array_get(inputs(f), i);
	bool trains = f->type == SM_TRAINING;
	const json_t *s3 = trains ? json_object_get(json_object_get(one, "DataSource"), "S3DataSource")
				  : json_object_get(one, "S3Input");
	if (!s3)
		return err_set(e, ERR_UNSUPPORTED, "a pocket cloud knows inputs from S3 only");
	if (!str_eq(json_str(s3, "S3DataType"), S("S3Prefix")))
		return err_set(e, ERR_UNSUPPORTED, "a pocket cloud knows S3DataType S3Prefix, not %s",
			json_text(s3, "S3DataType"));
	out->folder = trains ? arena_printf(a, "%s/data/%s", f->place->input, json_text(one, "ChannelName"))
			     : sm_processing_path(a, f->place, json_str(s3, "LocalPath"));
	if (!out->folder.p)
		return err_set(e, ERR_INVALID, "LocalPath %s is not below /opt/ml/processing", json_text(s3, "LocalPath"));
	return sm_read_s3(json_str(s3, "S3Uri"), &out->bucket, &out->prefix, e);
}

// ---------------------------------------------------------------- one object
// What stands behind the prefix; of an object that is the prefix itself, its last part.
static struct str relative_of(struct str key, struct str prefix)
{
	struct str rest = str_drop(key, prefix.n), last = key, part;
	while (str_starts(rest, S("/")))
		rest = str_drop(rest, 1);
	if (rest.n)
		return rest;
	while (str_cut(last, '/', &part, &last))
		;
	return last.n ? last : part;
}

static int open_target(struct str folder, struct str relative, int *fd, struct err *e)
{
	AUTO(arena) a = {0};
	char *path = arena_cstr(&a, arena_printf(&a, "%.*s/%.*s", STR(folder), STR(relative)));
	if (!path)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	char *slash = strrchr(path, '/');
	*slash = '\0';
	int rc = file_make_dirs(path, 0755, e);
	*slash = '/';
	if (rc < 0)
		return rc;
	*fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	return *fd < 0 ? err_errno(e, "write %s", path) : 0;
}

static int copy_piece(struct sm_bringing *b, size_t *left, struct err *e)
{
	static char piece[PIECE]; // one loop runs this
	size_t n = 0;
	int rc = object_range_read(&b->range, piece, sizeof(piece), &n, e);
	if (rc == 0 && n)
		rc = file_write_all(b->fd, str_bytes(piece, n), "an input", e);
	*left = *left > n ? *left - n : 0;
	if (rc == 0 && n)
		return 1;
	object_range_close(&b->range);
	b->range = (struct object_range){.fd = -1};
	fd_close(&b->fd);
	return rc;
}

// Opens the next object of the channel; 0: there is none.
static int open_next(const struct sm_files *f, struct sm_bringing *b, const struct source *s, struct err *e)
{
	AUTO(arena) a = {0};
	struct bucket *bucket = NULL;
	struct objects_page page = {0};
	const struct objects_query q = {.prefix = s->prefix, .after = buf_str(&b->after), .limit = 1};
	int rc = objects_bucket_find(f->pocket->store, s->bucket, &bucket, e);
	if (rc == 0)
		rc = objects_list_page(bucket, &q, &a, &page, e);
	if (rc < 0 || !page.count)
		return rc;
	struct str key = page.entries[0].record->key, relative = relative_of(key, s->prefix);
	buf_clear(&b->after);
	buf_add(&b->after, key);
	b->any = true;
	if (str_ends(key, S("/"))) // a folder's mark
		return 1;
	if (file_check_relative(relative, NULL))
		return err_set(e, ERR_INVALID, "the object %.*s has no name that a file can have", STR(str_clip(key, 200)));
	struct object *object = objects_find(bucket, key);
	rc = open_target(s->folder, relative, &b->fd, e);
	if (rc == 0)
		rc = object_range_open(&b->range, object, 0, object->record->size, e);
	return rc ? rc : 1;
}

// ---------------------------------------------------------------- configuration
// /opt/ml/input/config: what the container may read of itself.
static int write_config(const struct sm_files *f, const char *name, const json_t *j, struct err *e)
{
	AUTO(arena) a = {0};
	AUTO(buf) text = {0};
	struct str path = arena_printf(&a, "%s/config/%s", f->place->input, name);
	struct str folder = arena_printf(&a, "%s/config", f->place->input);
	int rc = path.p && folder.p ? file_make_dirs(folder.p, 0755, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = json_write_pretty(j, &text, e);
	return rc ? rc : file_write_atomic(path.p, buf_str(&text), 0644, e);
}

static int write_configs(const struct sm_files *f, struct err *e)
{
	const json_t *in = json_object_get(f->doc, "in"), *parameters = json_object_get(in, "HyperParameters");
	AUTO(json) none = json_object();
	AUTO(json) resources = json_pack("{s:s, s:[s]}", "current_host", "algo-1", "hosts", "algo-1");
	if (f->type != SM_TRAINING)
		return 0;
	int rc = write_config(f, "hyperparameters.json", parameters ? parameters : none, e);
	return rc ? rc : write_config(f, "resourceconfig.json", resources, e);
}

// ---------------------------------------------------------------- all
// 1: there is more to come.
static int bring_channel(const struct sm_files *f, struct sm_bringing *b, size_t *left, struct err *e)
{
	AUTO(arena) a = {0};
	struct source s = {0};
	int rc = read_source(f, b->index, &a, &s, e);
	while (rc >= 0 && *left) {
		*left -= 1;
		if (b->fd >= 0) {
			rc = copy_piece(b, left, e);
			continue;
		}
		rc = open_next(f, b, &s, e);
		if (rc == 0 && b->any)
			return 0;
		if (rc == 0)
			return err_set(e, ERR_NOT_FOUND,
				"Data download failed:No S3 objects found under S3 URL \"s3://%.*s/%.*s\" given in input "
				"data source. Please ensure that the bucket exists in the selected region, that objects exist "
				"under that S3 prefix, and that the role has s3:ListBucket permissions on bucket \"%.*s\".",
				STR(s.bucket), STR(s.prefix), STR(s.bucket));
	}
	return rc < 0 ? rc : 1;
}

int sm_bring(const struct sm_files *f, struct sm_bringing **state, struct err *e)
{
	struct sm_bringing *b = *state;
	size_t left = A_TICK, count = json_array_size(inputs(f));
	int rc = 0;
	if (!b) {
		b = *state = calloc(1, sizeof(*b));
		if (!b)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
		b->fd = -1;
		b->range.fd = -1;
	}
	if (!b->config)
		rc = write_configs(f, e);
	b->config = rc == 0;
	while (rc == 0 && b->index < count && left) {
		rc = bring_channel(f, b, &left, e);
		if (rc)
			break;
		b->index++;
		b->any = false;
		buf_clear(&b->after);
	}
	if (rc < 0)
		return rc;
	return rc > 0 || b->index < count ? 1 : 0;
}

void sm_bringing_free(struct sm_bringing *b)
{
	if (!b)
		return;
	if (b->fd >= 0)
		object_range_close(&b->range);
	fd_close(&b->fd);
	buf_free(&b->after);
	free(b);
}

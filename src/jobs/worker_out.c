// SPDX-License-Identifier: Apache-2.0
// Stage-out: every regular file that the command left below its output folder becomes an object, in order of name, and
// a marker that lists them all comes last: who sees the marker sees the whole. Sending again sends the same bytes to
// the same keys.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "data/copy.h"
#include "data/digest_file.h"
#include "jobs/worker_impl.h"

enum { MARKER_LIMIT = 16 << 20 };

struct sending {
	struct worker *w;
	json_t *files; // of the marker
	json_t *names; // of the same, as members
	size_t count;
};

static struct str output_key(struct worker *w, struct str relative)
{
	return arena_printf(w->c->arena, "%.*s%.*s", STR(w->spec.output.prefix), STR(relative));
}

// ---------------------------------------------------------------- one file
static int put_file(struct sending *s, int fd, struct str relative, struct file_digest *d)
{
	struct worker *w = s->w;
	struct object stored = {0};
	if (digest_fd(fd, relative.p, d, &w->c->err))
		return w->c->err.code;
	struct copy_end at = {.cloud = w->cloud, .bucket = w->spec.output.bucket, .key = output_key(w, relative)};
	struct copy_proof proof = {.size = d->size, .crc32c = d->crc32c};
	memcpy(proof.sha256, d->sha256, SHA256_SIZE);
	if (!at.key.p)
		return call_no_memory(w->c);
	const struct store_put put = {
		.bucket = at.bucket, .key = at.key, .content_type = S("application/octet-stream")};
	if (cloud_put_fd(w->c, w->cloud, &put, fd, &stored))
		return w->c->err.code;
	return copy_prove(w->c, &at, &proof);
}

static int send_file(struct sending *s, int folder, const char *name, struct str relative)
{
	struct call *c = s->w->c;
	struct file_digest d = {0};
	AUTO(fd) fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return call_fail(c, ERR_INVALID, "the output holds %.*s, which cannot be opened as a file (%s)",
			STR(relative), strerror(errno));
	if (++s->count > WORKER_MAX_OBJECTS)
		return call_fail(c, ERR_LIMIT, "the output holds more than %d files", WORKER_MAX_OBJECTS);
	if (put_file(s, fd, relative, &d))
		return call_context(c, "send %.*s", STR(relative));
	json_t *one = json_object();
	json_set_str(one, "name", relative);
	json_object_set_new(one, "size", json_integer((json_int_t)d.size));
	json_object_set_new(one, "sha256", json_string(d.hex));
	json_array_append_new(s->files, one);
	json_object_setn_new(s->names, relative.p, relative.n, json_true());
	return 0;
}

// ---------------------------------------------------------------- all of them
static int send_folder(struct sending *s, int folder, struct str relative, int depth);

static int send_entry(struct sending *s, int folder, const char *name, struct str relative, int depth)
{
	struct call *c = s->w->c;
	struct stat st;
	struct str path =
		relative.n ? arena_printf(c->arena, "%.*s/%s", STR(relative), name) : arena_str(c->arena, str_of(name));
	if (!path.p)
		return call_no_memory(c);
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return call_errno(c, "look at %.*s of the output", STR(path));
	if (!S_ISDIR(st.st_mode))
		return str_eq(path, S("_SUCCESS"))
			       ? call_fail(c, ERR_INVALID,
					 "the output holds _SUCCESS, a name that is kept for its marker")
			       : send_file(s, folder, name, path);
	AUTO(fd) below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (below < 0)
		return call_errno(c, "open %.*s of the output", STR(path));
	return send_folder(s, below, path, depth + 1);
}

static int keep_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int compare_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int send_folder(struct sending *s, int folder, struct str relative, int depth)
{
	struct dirent **list;
	struct call *c = s->w->c;
	if (depth > WORKER_MAX_DEPTH)
		return call_fail(c, ERR_LIMIT, "the output is nested deeper than %d folders", WORKER_MAX_DEPTH);
	int n = scandirat(folder, ".", &list, keep_entry, compare_bytes);
	if (n < 0)
		return call_errno(c, "list the output");
	int code = 0;
	for (int i = 0; i < n; i++) {
		if (!code)
			code = send_entry(s, folder, list[i]->d_name, relative, depth);
		free(list[i]);
	}
	free(list);
	return code;
}

// ---------------------------------------------------------------- the marker
// What a run that was killed had sent, and this one did not make.
static int remove_strangers(struct sending *s)
{
	struct worker *w = s->w;
	struct store_page page = {0};
	if (cloud_list_all(w->c, w->cloud, w->spec.output.bucket, w->spec.output.prefix, &page))
		return w->c->err.code;
	for (size_t i = 0; i < page.count; i++) {
		struct str key = page.objects[i].key, relative = str_drop(key, w->spec.output.prefix.n);
		if (!json_object_getn(s->names, relative.p, relative.n) &&
			CLOUD_CALL(w->c, w->cloud, store, delete, w->spec.output.bucket, key))
			return call_context(w->c, "remove what an earlier run left at %.*s", STR(key));
	}
	return 0;
}

static int put_marker(struct sending *s)
{
	struct worker *w = s->w;
	AUTO(json) marker = json_object();
	AUTO(buf) text = {0};
	struct object stored = {0};
	json_set_str(marker, "job", w->spec.name);
	json_object_set(marker, "files", s->files);
	if (json_write(marker, &text, &w->c->err))
		return w->c->err.code;
	const struct store_put put = {.bucket = w->spec.output.bucket,
		.key = output_key(w, S("_SUCCESS")),
		.content_type = S("application/json")};
	return put.key.p ? cloud_put_bytes(w->c, w->cloud, &put, buf_str(&text), &stored) : call_no_memory(w->c);
}

int worker_stage_out(struct worker *w, bool again)
{
	AUTO(json) files = json_array();
	AUTO(json) names = json_object();
	struct sending s = {.w = w, .files = files, .names = names};
	AUTO(fd) out = open(w->work.out, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (out < 0)
		return call_errno(w->c, "open the output folder");
	if (send_folder(&s, out, S(""), 0))
		return call_context(w->c, "send the output to %.*s", STR(w->cloud->name));
	if (again && remove_strangers(&s))
		return w->c->err.code;
	return put_marker(&s);
}

int worker_output_done(struct worker *w, bool *done)
{
	struct str text = {0}, key = output_key(w, S("_SUCCESS"));
	AUTO(json) marker = NULL;
	int code = key.p ? cloud_get_bytes(w->c, w->cloud, w->spec.output.bucket, key, MARKER_LIMIT, &text)
			 : call_no_memory(w->c);
	*done = false;
	if (code == ERR_NOT_FOUND) {
		err_clear(&w->c->err);
		return 0;
	}
	if (code || json_parse(text, &marker, &w->c->err))
		return call_context(w->c, "look for %.*s", STR(key));
	if (!str_eq(json_str(marker, "job"), w->spec.name))
		return call_fail(w->c, ERR_CONFLICT, "%.*s/%.*s holds the output of job %s", STR(w->spec.output.bucket),
			STR(w->spec.output.prefix), json_text(marker, "job"));
	*done = true;
	return 0;
}

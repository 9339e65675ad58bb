// SPDX-License-Identifier: Apache-2.0
// Writing backups: see archive.h.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"
#include "state/archive.h"

enum { FLUSH_AT = 1 << 20 };

struct archive_writer {
	char *path, *partial;
	int fd;
	struct buf pending;
	struct digest *digest;
	struct archive_counts counts;
};

static int flush(struct call *c, struct archive_writer *w)
{
	int rc = buf_check(&w->pending, &c->err);
	if (rc == 0)
		rc = file_write_all(w->fd, buf_str(&w->pending), w->partial, &c->err);
	buf_clear(&w->pending);
	return rc;
}

static int write_line(struct call *c, struct archive_writer *w, const json_t *line, bool hashed)
{
	size_t before = w->pending.n;
	if (!line)
		return call_no_memory(c);
	int rc = json_write(line, &w->pending, &c->err);
	if (rc < 0)
		return rc;
	buf_add_char(&w->pending, '\n');
	rc = buf_check(&w->pending, &c->err);
	if (rc == 0 && hashed)
		digest_update(w->digest, str_drop(buf_str(&w->pending), before));
	return rc == 0 && w->pending.n >= FLUSH_AT ? flush(c, w) : rc;
}

// {"event": value} and so on; the value's reference is stolen.
static int put(struct call *c, struct archive_writer *w, const char *name, json_t *value)
{
	AUTO(json) line = value ? json_pack("{s:o}", name, value) : NULL;
	return write_line(c, w, line, true);
}

void archive_abandon(struct archive_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0 && unlink(w->partial) < 0 && errno != ENOENT)
		errno = 0; // it is named .partial, and the next backup writes over it
	fd_close(&w->fd);
	buf_free(&w->pending);
	digest_free(w->digest);
	free(w->path);
	free(w->partial);
	free(w);
}

static struct archive_writer *new_writer(const char *path)
{
	struct archive_writer *w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->fd = -1;
	w->path = strdup(path);
	w->digest = digest_new(DIGEST_SHA256);
	if (asprintf(&w->partial, "%s.partial", path) < 0)
		w->partial = NULL;
	if (w->path && w->digest && w->partial)
		return w;
	archive_abandon(w);
	return NULL;
}

static json_t *head_line(const struct call *c, const json_t *head)
{
	char made[TIME_TEXT_SIZE];
	time_rfc3339(call_now_ns(c), 3, made);
	json_t *line =
		json_pack("{s:i, s:s, s:s}", "isobar_backup", ARCHIVE_VERSION, "program", ISOBAR_VERSION, "made", made);
	if (line && head)
		json_object_update(line, (json_t *)(uintptr_t)head);
	return line;
}

int archive_create(struct call *c, const char *path, const json_t *head, struct archive_writer **out)
{
	if (file_exists(path))
		return call_fail(c, ERR_EXISTS, "%s is there already: name another file", path);
	struct archive_writer *w = new_writer(path);
	if (!w)
		return call_no_memory(c);
	w->fd = open(w->partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	AUTO(json) line = head_line(c, head);
	int rc = w->fd < 0 ? call_errno(c, "write the backup %s", w->partial) : write_line(c, w, line, true);
	if (rc < 0) {
		archive_abandon(w);
		return rc;
	}
	*out = w;
	return 0;
}

int archive_put_file(struct call *c, struct archive_writer *w, const json_t *file)
{
	w->counts.files++;
	return put(c, w, "file", json_incref((json_t *)(uintptr_t)file));
}

// ---------------------------------------------------------------- items
static json_t *event_json(const struct event *e)
{
	json_t *j = json_pack("{s:I, s:i, s:I}", "sequence", (json_int_t)e->sequence, "schema", e->schema, "time_ns",
		(json_int_t)e->time_ns);
	json_set_str(j, "type", e->type);
	json_set_str(j, "address", e->address);
	json_set_str(j, "trace", e->trace);
	json_set_str(j, "principal", e->principal);
	json_set_str(j, "workspace", e->workspace);
	if (j && e->data)
		json_object_set(j, "data", (json_t *)(uintptr_t)e->data);
	return j;
}

static json_t *record_json(const struct record *r)
{
	json_t *j = json_pack("{s:I}", "revision", (json_int_t)r->revision);
	json_set_str(j, "key", r->key);
	if (j)
		json_object_set(j, "value", r->value);
	return j;
}

static int put_item(struct call *c, void *ctx, const struct state_item *item)
{
	struct archive_writer *w = ctx;
	json_t *lease;
	switch (item->type) {
	case STATE_ITEM_REVISION:
		return put(c, w, "revision", json_integer((json_int_t)item->revision));
	case STATE_ITEM_LEASE:
		w->counts.leases++;
		lease = json_pack("{s:I}", "fence", (json_int_t)item->lease.fence);
		json_set_str(lease, "name", item->lease.name);
		return put(c, w, "lease", lease);
	case STATE_ITEM_EVENT:
		w->counts.events++;
		return put(c, w, "event", event_json(&item->event));
	case STATE_ITEM_RECORD:
		w->counts.records++;
		return put(c, w, "record", record_json(&item->record));
	}
	return call_fail(c, ERR_INTERNAL, "an item of no type");
}

struct state_sink archive_sink(struct archive_writer *w)
{
	return (struct state_sink){.put = put_item, .ctx = w};
}

// ---------------------------------------------------------------- the end
static json_t *end_line(struct archive_writer *w)
{
	unsigned char bytes[SHA256_SIZE];
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(bytes, digest_final(w->digest, bytes)), hex);
	return json_pack("{s:{s:I, s:I, s:I, s:I, s:s}}", "end", "files", (json_int_t)w->counts.files, "leases",
		(json_int_t)w->counts.leases, "events", (json_int_t)w->counts.events, "records",
		(json_int_t)w->counts.records, "sha256", hex);
}

// link, not rename: a file that came to be there meanwhile is not replaced.
static int put_in_place(struct call *c, struct archive_writer *w)
{
	AUTO(arena) arena = {0};
	char *folder = arena_cstr(&arena, str_of(w->path));
	char *slash = folder ? strrchr(folder, '/') : NULL;
	if (link(w->partial, w->path) < 0)
		return call_errno(c, "put the backup at %s", w->path);
	if (slash)
		*slash = '\0';
	return file_fsync_dir(slash ? (*folder ? folder : "/") : ".", &c->err);
}

int archive_finish(struct call *c, struct archive_writer *w, struct archive_counts *counts)
{
	AUTO(json) line = end_line(w);
	int rc = write_line(c, w, line, false);
	if (rc == 0)
		rc = flush(c, w);
	if (rc == 0 && fsync(w->fd) < 0)
		rc = call_errno(c, "write the backup %s", w->partial);
	if (rc == 0)
		rc = put_in_place(c, w);
	*counts = w->counts;
	archive_abandon(w);
	return rc;
}

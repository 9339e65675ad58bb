// SPDX-License-Identifier: Apache-2.0
// Reading backups: see archive.h.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "state/archive.h"

enum { PIECE = 256 << 10 };

struct archive_reader {
	char *path;
	int fd;
	struct buf pending;
	size_t used; // bytes of pending that were given out
	uint64_t line;
	struct digest *digest;
	struct archive_counts counts;
	json_t *head;
	int (*take_file)(struct call *c, void *ctx, const json_t *file);
	void *ctx;
	bool ended;
};

static int damaged(struct call *c, const struct archive_reader *r, const char *what)
{
	return call_fail(c, ERR_CORRUPT, "the backup %s, line %" PRIu64 ": %s", r->path, r->line, what);
}

// ---------------------------------------------------------------- lines
static int read_more(struct call *c, struct archive_reader *r, size_t *got)
{
	buf_drop(&r->pending, r->used);
	r->used = 0;
	if (!buf_reserve(&r->pending, PIECE))
		return buf_check(&r->pending, &c->err);
	ssize_t n;
	do
		n = read(r->fd, r->pending.p + r->pending.n, PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return call_errno(c, "read the backup %s", r->path);
	r->pending.n += (size_t)n;
	*got = (size_t)n;
	return 0;
}

// 1: a line with its LF, borrowed until the next; 0: the file's end.
static int next_line(struct call *c, struct archive_reader *r, struct str *out)
{
	size_t looked = 0;
	r->line++;
	for (;;) {
		struct str rest = str_drop(buf_str(&r->pending), r->used);
		const char *end = rest.n > looked ? memchr(rest.p + looked, '\n', rest.n - looked) : NULL;
		if (end) {
			*out = str_bytes(rest.p, (size_t)(end - rest.p) + 1);
			r->used += out->n;
			return 1;
		}
		size_t got = 0;
		looked = rest.n;
		if (looked > ARCHIVE_LINE_MAX)
			return damaged(c, r, "is longer than any line of a backup");
		int rc = read_more(c, r, &got);
		if (rc < 0)
			return rc;
		if (got == 0)
			return looked ? damaged(c, r, "is cut off") : 0;
	}
}

static int read_object(struct call *c, struct archive_reader *r, struct str line, json_t **out)
{
	struct err why = {0};
	json_t *value = NULL;
	int rc = json_parse(line, &value, &why);
	if (rc == ERR_NO_MEMORY)
		return call_no_memory(c);
	if (rc < 0)
		return damaged(c, r, why.message);
	*out = json_in_arena(c->arena, value);
	return !*out ? call_no_memory(c) : json_is_object(*out) ? 0 : damaged(c, r, "is no object");
}

// ---------------------------------------------------------------- items
static uint64_t number(const json_t *object, const char *name)
{
	int64_t value = json_int(object, name, -1);
	return value < 0 ? UINT64_MAX : (uint64_t)value; // no valid one: what checks it says so
}

static int take_event(struct call *c, struct archive_reader *r, const json_t *j, struct state_item *out)
{
	const json_t *data = json_object_get(j, "data");
	int64_t schema = json_int(j, "schema", 0);
	if (schema < 1 || schema > INT32_MAX || (data && !json_is_object(data)))
		return damaged(c, r, "is no event");
	r->counts.events++;
	out->type = STATE_ITEM_EVENT;
	out->event = (struct event){.sequence = number(j, "sequence"),
		.schema = (int)schema,
		.time_ns = json_int(j, "time_ns", 0),
		.type = json_str(j, "type"),
		.address = json_str(j, "address"),
		.trace = json_str(j, "trace"),
		.principal = json_str(j, "principal"),
		.workspace = json_str(j, "workspace"),
		.data = data};
	return 1;
}

static int take_record(struct call *c, struct archive_reader *r, const json_t *j, struct state_item *out)
{
	json_t *value = json_object_get(j, "value");
	uint64_t revision = number(j, "revision");
	if (!value || revision == 0 || revision > INT64_MAX)
		return damaged(c, r, "is no record");
	r->counts.records++;
	out->type = STATE_ITEM_RECORD;
	out->record = (struct record){.key = json_str(j, "key"), .revision = revision, .value = value};
	return 1;
}

static int take_lease(struct call *c, struct archive_reader *r, const json_t *j, struct state_item *out)
{
	uint64_t fence = number(j, "fence");
	if (json_str(j, "name").n == 0 || fence > INT64_MAX)
		return damaged(c, r, "is no lease");
	r->counts.leases++;
	out->type = STATE_ITEM_LEASE;
	out->lease = (struct lease){.name = json_str(j, "name"), .fence = fence};
	return 1;
}

static int check_end(struct call *c, struct archive_reader *r, const json_t *end)
{
	unsigned char bytes[SHA256_SIZE];
	char hex[HEX_SHA256_SIZE];
	struct str rest;
	hex_encode(str_bytes(bytes, digest_final(r->digest, bytes)), hex);
	r->ended = true;
	if (number(end, "files") != r->counts.files || number(end, "leases") != r->counts.leases ||
		number(end, "events") != r->counts.events || number(end, "records") != r->counts.records)
		return damaged(c, r, "the end counts other lines than there are");
	if (strcmp(json_text(end, "sha256"), hex) != 0)
		return damaged(c, r, "the digest is not that of what stands before it: the file was changed");
	int more = next_line(c, r, &rest);
	return more > 0 ? damaged(c, r, "stands behind the end") : more;
}

// 1: an item, 0: the end, 2: nothing to give on.
static int take_line(struct call *c, struct archive_reader *r, const json_t *line, struct state_item *out)
{
	const json_t *part;
	*out = (struct state_item){0};
	if ((part = json_object_get(line, "event")))
		return take_event(c, r, part, out);
	if ((part = json_object_get(line, "record")))
		return take_record(c, r, part, out);
	if ((part = json_object_get(line, "lease")))
		return take_lease(c, r, part, out);
	if ((part = json_object_get(line, "end")))
		return check_end(c, r, part);
	if ((part = json_object_get(line, "revision"))) {
		*out = (struct state_item){.type = STATE_ITEM_REVISION, .revision = number(line, "revision")};
		return out->revision <= INT64_MAX ? 1 : damaged(c, r, "is no revision");
	}
	if (!(part = json_object_get(line, "file")))
		return damaged(c, r, "is of no known sort");
	r->counts.files++;
	int rc = r->take_file ? r->take_file(c, r->ctx, part) : 0;
	return rc < 0 ? rc : 2;
}

static int next_item(struct call *c, void *ctx, struct state_item *out)
{
	struct archive_reader *r = ctx;
	int rc = 2;
	while (rc == 2) {
		struct str line;
		json_t *object;
		if (r->ended)
			return 0;
		rc = next_line(c, r, &line);
		if (rc == 0)
			return damaged(c, r, "the end is missing: the file was cut off");
		if (rc > 0)
			rc = read_object(c, r, line, &object);
		if (rc < 0)
			return rc;
		if (!json_object_get(object, "end"))
			digest_update(r->digest, line);
		rc = take_line(c, r, object, out);
	}
	return rc;
}

struct state_source archive_source(
	struct archive_reader *r, int (*take_file)(struct call *c, void *ctx, const json_t *file), void *ctx)
{
	r->take_file = take_file;
	r->ctx = ctx;
	return (struct state_source){.next = next_item, .ctx = r};
}

struct archive_counts archive_read_so_far(const struct archive_reader *r)
{
	return r->counts;
}

// ---------------------------------------------------------------- opening
void archive_close(struct archive_reader *r)
{
	if (!r)
		return;
	fd_close(&r->fd);
	buf_free(&r->pending);
	digest_free(r->digest);
	json_decref(r->head);
	free(r->path);
	free(r);
}

static int read_head(struct call *c, struct archive_reader *r)
{
	struct str line;
	struct err why = {0};
	int rc = next_line(c, r, &line);
	if (rc < 0)
		return rc;
	int parsed = rc ? json_parse(line, &r->head, &why) : ERR_CORRUPT;
	if (parsed == ERR_NO_MEMORY)
		return call_no_memory(c);
	if (parsed < 0 || json_int(r->head, "isobar_backup", 0) < 1)
		return call_fail(c, ERR_CORRUPT, "%s is no backup that Isobar made", r->path);
	if (json_int(r->head, "isobar_backup", 0) > ARCHIVE_VERSION)
		return call_fail(c, ERR_UNSUPPORTED,
			"the backup %s has form %d and was made by Isobar %s; this one, version %s, reads forms up to "
			"%d: use "
			"that version or newer",
			r->path, (int)json_int(r->head, "isobar_backup", 0), json_text(r->head, "program"),
			ISOBAR_VERSION, ARCHIVE_VERSION);
	digest_update(r->digest, line);
	return 0;
}

int archive_open(struct call *c, const char *path, struct archive_reader **out, const json_t **head)
{
	struct archive_reader *r = calloc(1, sizeof(*r));
	if (!r)
		return call_no_memory(c);
	r->pending.limit = ARCHIVE_LINE_MAX + 2 * PIECE;
	r->path = strdup(path);
	r->digest = digest_new(DIGEST_SHA256);
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = !r->path || !r->digest ? call_no_memory(c) : 0;
	if (rc == 0 && r->fd < 0)
		rc = call_errno(c, "open the backup %s", path);
	if (rc == 0)
		rc = read_head(c, r);
	if (rc < 0) {
		archive_close(r);
		return rc;
	}
	*out = r;
	*head = r->head;
	return 0;
}

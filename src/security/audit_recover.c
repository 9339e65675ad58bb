// SPDX-License-Identifier: Apache-2.0
// Finding the writer's place again: the last segment's first record holds the tree's frontier, its lines give the rest.
// A crash can leave a torn last line (cut off), a new segment without its first record (removed), or a torn last head
// (cut off).
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "security/audit_writer_impl.h"

int audit_path(const struct audit *a, const char *name, struct buf *out, struct err *e)
{
	buf_clear(out);
	buf_printf(out, "%s/%s", a->folder, name);
	(void)buf_cstr(out);
	return buf_check(out, e);
}

static int damaged(const struct audit *a, uint64_t index, const struct err *why, struct err *e)
{
	return err_set(e, ERR_CORRUPT,
		"the audit log %s is damaged at record %" PRIu64 ": %.300s; nothing was changed: look with "
		"`isobar audit verify`, then move the folder away to begin a new log",
		a->folder, index, why->message);
}

static int take_identity(struct audit *a, const struct audit_line *first, struct err *e)
{
	struct audit_identity id = {0};
	struct merkle tree;
	struct err why = {0};
	if (audit_parse_segment(first, &id, &tree, &why) < 0)
		return damaged(a, first->index, &why, e);
	if (!str_eq(id.writer, a->id.writer))
		return err_set(e, ERR_CONFLICT, "the audit log %s belongs to %.*s, not to %.*s", a->folder,
			STR(id.writer), STR(a->id.writer));
	if (strcmp(id.public_key, a->id.public_key) != 0)
		return err_set(e, ERR_CONFLICT,
			"the audit log %s was begun with another signing key: restore the key, or move the folder away "
			"to "
			"begin a new log",
			a->folder);
	memcpy(a->id.log, id.log, sizeof(a->id.log));
	a->at = (struct audit_position){.tree = tree, .chain = first->prev};
	return 0;
}

static int take_line(struct audit *a, struct str text, bool first, struct err *e)
{
	struct audit_line line;
	struct err why = {0};
	uint64_t expected = first ? a->segment_first : a->at.tree.size;
	if (audit_parse_line(text, &line, &why) < 0)
		return damaged(a, expected, &why, e);
	int rc = 0;
	if (line.index != expected)
		rc = err_set(&why, ERR_CORRUPT, "it has the index %" PRIu64, line.index);
	else if (first)
		rc = take_identity(a, &line, e);
	else if (memcmp(line.prev.bytes, a->at.chain.bytes, SHA256_SIZE) != 0)
		rc = err_set(&why, ERR_CORRUPT, "it does not continue the record before it");
	audit_line_free(&line);
	if (rc < 0)
		return why.code ? damaged(a, expected, &why, e) : rc;
	audit_position_add(&a->at, text);
	return 0;
}

// Lines of a segment; *good is where the last whole one ends.
static int take_segment(struct audit *a, struct str text, size_t *good, struct err *e)
{
	struct str rest = text, line;
	bool first = true;
	while (str_find_char(rest, '\n') >= 0) {
		(void)str_cut(rest, '\n', &line, &rest);
		int rc = take_line(a, line, first, e);
		if (rc < 0)
			return rc;
		first = false;
	}
	*good = text.n - rest.n;
	return 0;
}

static int open_segment(struct audit *a, const char *path, size_t good, struct err *e)
{
	a->segment_fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (a->segment_fd < 0)
		return err_errno(e, "open %s", path);
	if (lseek(a->segment_fd, (off_t)good, SEEK_SET) < 0)
		return err_errno(e, "open %s", path);
	a->segment_size = good;
	return 0;
}

static int cut_tail(struct audit *a, size_t torn, struct err *e)
{
	if (torn == 0)
		return 0;
	if (ftruncate(a->segment_fd, (off_t)a->segment_size) < 0 || fdatasync(a->segment_fd) < 0)
		return err_errno(e, "cut the torn last record off the audit log %s", a->folder);
	a->lost_now = 1;
	snprintf(a->lost_reason, sizeof(a->lost_reason), "a record of %zu bytes was torn by a crash", torn);
	return 0;
}

static int recover_segment(struct audit *a, uint64_t first, bool *empty, struct err *e)
{
	char name[AUDIT_SEGMENT_NAME_SIZE];
	AUTO(buf) path = {0};
	AUTO(buf) text = {0};
	size_t good = 0;
	audit_segment_name(first, name);
	int rc = audit_path(a, name, &path, e);
	if (rc == 0)
		rc = file_read(path.p, AUDIT_SEGMENT_READ_MAX, &text, e);
	a->segment_first = first;
	if (rc == 0)
		rc = take_segment(a, buf_str(&text), &good, e);
	*empty = rc == 0 && good == 0;
	if (rc == 0 && *empty)
		return unlink(path.p) < 0 ? err_errno(e, "remove the unfinished segment %s", path.p) : 0;
	if (rc == 0)
		rc = open_segment(a, path.p, good, e);
	return rc == 0 ? cut_tail(a, text.n - good, e) : rc;
}

// A head is signed only after its records are on disk: one that knows more than the log says that records were taken
// away.
static int check_last_head(struct audit *a, struct str heads, struct err *e)
{
	struct audit_signed_head h = {0};
	struct err why = {0};
	struct str lines = str_take(heads, heads.n - MIN(heads.n, 1)); // without the last LF
	size_t begin = lines.n;
	while (begin > 0 && lines.p[begin - 1] != '\n')
		begin--;
	struct str last = str_drop(lines, begin);
	if (last.n == 0 || audit_parse_head(last, &h, &why) < 0 || !audit_head_authentic(str_of(a->id.public_key), &h))
		return 0; // for audit_verify to tell
	a->signed_size = h.head.size;
	if (h.head.size <= a->at.tree.size)
		return 0;
	(void)err_set(&why, ERR_CORRUPT, "records from there up to %" PRIu64 " are missing, which a signed head knows",
		h.head.size - 1);
	return damaged(a, a->at.tree.size, &why, e);
}

// Heads are only added whole; a torn one is cut, so that the next begins on a line of its own.
static int recover_heads(struct audit *a, struct err *e)
{
	AUTO(buf) path = {0};
	AUTO(buf) text = {0};
	int rc = audit_path(a, "heads.jsonl", &path, e);
	if (rc < 0)
		return rc;
	a->heads_fd = open(path.p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a->heads_fd < 0)
		return err_errno(e, "open %s", path.p);
	rc = file_read(path.p, AUDIT_HEADS_READ_MAX, &text, e);
	size_t good = text.n;
	while (good > 0 && text.p[good - 1] != '\n')
		good--;
	if (rc == 0 && good < text.n && ftruncate(a->heads_fd, (off_t)good) < 0)
		rc = err_errno(e, "cut the torn last head off %s", path.p);
	return rc == 0 ? check_last_head(a, str_take(buf_str(&text), good), e) : rc;
}

int audit_recover(struct audit *a, struct err *e)
{
	uint64_t *segments = NULL;
	size_t count = 0;
	bool empty = true;
	int rc = audit_list_segments(a->folder, &segments, &count, e);
	while (rc == 0 && count > 0 && empty) {
		rc = recover_segment(a, segments[--count], &empty, e);
		if (rc == 0 && empty)
			a->at = (struct audit_position){0};
	}
	free(segments);
	return rc < 0 ? rc : recover_heads(a, e);
}

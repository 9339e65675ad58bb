// SPDX-License-Identifier: Apache-2.0
// The audit writer: see audit.h. Appending only formats a body under a short lock; the committer alone knows the chain,
// so that a batch that cannot be written leaves no trace but a count.
#include "security/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "security/audit_writer_impl.h"

static int64_t now_of(const struct audit *a)
{
	return a->edges->wall_ns(a->edges->ctx);
}

static void publish(struct audit *a)
{
	pthread_mutex_lock(&a->lock);
	a->head = (struct audit_head){.size = a->at.tree.size, .root = merkle_root(&a->at.tree), .chain = a->at.chain};
	pthread_mutex_unlock(&a->lock);
}

static void add_line(struct buf *lines, struct buf *body, struct audit_position *at)
{
	audit_write_line(lines, buf_str(body), at);
	buf_clear(body);
}

static void add_gap(struct audit *a, struct buf *lines, struct audit_position *at)
{
	AUTO(buf) body = {0};
	if (a->lost_now == 0)
		return;
	audit_write_gap(&body, a->lost_now, str_of(a->lost_reason), now_of(a));
	add_line(lines, &body, at);
}

// ---------------------------------------------------------------- writing

static int write_at(int fd, struct str data, uint64_t offset)
{
	while (data.n) {
		ssize_t n = pwrite(fd, data.p, data.n, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data = str_drop(data, (size_t)n);
		offset += (uint64_t)n;
	}
	return 0;
}

// Bytes of a failed batch must not stay behind what counts.
static int cut_leftovers(struct audit *a, struct err *e)
{
	if (a->segment_dirty && ftruncate(a->segment_fd, (off_t)a->segment_size) < 0)
		return err_errno(e, "cut a failed batch off the audit log %s", a->folder);
	a->segment_dirty = false;
	return 0;
}

static int extend_segment(struct audit *a, const struct buf *lines, struct err *e)
{
	int rc = cut_leftovers(a, e);
	if (rc < 0)
		return rc;
	a->segment_dirty = true;
	if (write_at(a->segment_fd, buf_str(lines), a->segment_size) < 0 || fdatasync(a->segment_fd) < 0) {
		rc = err_errno(e, "write the audit log %s", a->folder);
		struct err ignored = {0};
		(void)!cut_leftovers(a, &ignored); // else before the next batch
		return rc;
	}
	a->segment_size += lines->n;
	a->segment_dirty = false;
	return 0;
}

// The new file takes the old one's place only once it holds the batch.
static int begin_segment(struct audit *a, uint64_t first, const struct buf *lines, struct err *e)
{
	char name[AUDIT_SEGMENT_NAME_SIZE];
	AUTO(buf) path = {0};
	audit_segment_name(first, name);
	int rc = audit_path(a, name, &path, e);
	if (rc < 0)
		return rc;
	AUTO(fd) fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "make %s", path.p);
	if (write_at(fd, buf_str(lines), 0) < 0 || fdatasync(fd) < 0)
		rc = err_errno(e, "write %s", path.p);
	if (rc == 0)
		rc = file_fsync_dir(a->folder, e);
	if (rc < 0) {
		unlink(path.p);
		return rc;
	}
	fd_close(&a->segment_fd);
	a->segment_fd = fd;
	fd = -1;
	a->segment_first = first;
	a->segment_size = lines->n;
	a->segment_dirty = false;
	return 0;
}

// bodies: each with LF. Nothing of *a changes unless all of it is on disk.
static int write_batch(struct audit *a, struct str bodies, struct err *e)
{
	AUTO(buf) lines = {0};
	AUTO(buf) body = {0};
	struct audit_position at = a->at;
	bool fresh = a->segment_fd < 0 || a->segment_size >= a->segment_bytes;
	if (fresh) {
		audit_write_segment(&body, &a->id, &at.tree, now_of(a));
		add_line(&lines, &body, &at);
	}
	add_gap(a, &lines, &at);
	for (struct str one; bodies.n;) {
		(void)str_cut(bodies, '\n', &one, &bodies);
		audit_write_line(&lines, one, &at);
	}
	int rc = buf_check(&lines, e);
	if (rc == 0 && lines.n)
		rc = fresh ? begin_segment(a, a->at.tree.size, &lines, e) : extend_segment(a, &lines, e);
	if (rc < 0)
		return rc;
	a->at = at;
	a->lost_now = 0;
	publish(a);
	return 0;
}

static uint64_t count_lines(struct str text)
{
	uint64_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static void drop_batch(struct audit *a, struct str bodies, const struct err *why)
{
	uint64_t n = count_lines(bodies);
	a->lost_now += n;
	snprintf(a->lost_reason, sizeof(a->lost_reason), "%.190s", why->message);
	pthread_mutex_lock(&a->lock);
	a->lost += n;
	pthread_mutex_unlock(&a->lock);
}

int audit_commit(struct audit *a, uint64_t *upto, struct err *e)
{
	struct err why = {0};
	pthread_mutex_lock(&a->lock);
	AUTO(buf) batch = a->pending;
	a->pending = (struct buf){.limit = AUDIT_PENDING_MAX};
	*upto = a->tickets;
	pthread_mutex_unlock(&a->lock);
	if (batch.n == 0 && a->lost_now == 0)
		return 0;
	int rc = write_batch(a, buf_str(&batch), &why);
	if (rc == 0)
		return 0;
	drop_batch(a, buf_str(&batch), &why);
	return err_set(e, rc, "%s", why.message);
}

int audit_append(struct audit *a, const struct audit_event *event, uint64_t *ticket, struct err *e)
{
	AUTO(buf) body = {0};         // bounded by its form
	pthread_mutex_lock(&a->lock); // the clock is read inside, so that times follow the order of the log
	audit_write_event(&body, event, now_of(a));
	buf_add_char(&body, '\n');
	int rc = buf_check(&body, e);
	if (rc == 0 && a->pending.n + body.n > AUDIT_PENDING_MAX)
		rc = err_set(e, ERR_LIMIT, "the audit log %s has %d bytes that are not written yet", a->folder,
			AUDIT_PENDING_MAX);
	if (rc == 0 && !buf_reserve(&a->pending, body.n)) {
		a->pending.failed = false; // what is pending is whole; only this record has no room
		rc = err_set(e, ERR_NO_MEMORY, "out of memory for an audit record");
	}
	if (rc == 0) {
		buf_add(&a->pending, buf_str(&body));
		*ticket = ++a->tickets;
	}
	pthread_mutex_unlock(&a->lock);
	return rc;
}

struct audit_head audit_head(struct audit *a)
{
	pthread_mutex_lock(&a->lock);
	struct audit_head head = a->head;
	pthread_mutex_unlock(&a->lock);
	return head;
}

uint64_t audit_records_lost(struct audit *a)
{
	pthread_mutex_lock(&a->lock);
	uint64_t lost = a->lost;
	pthread_mutex_unlock(&a->lock);
	return lost;
}

int audit_sign_head(struct audit *a, struct err *e)
{
	struct audit_signed_head h = {.head = audit_head(a), .time_ns = now_of(a)};
	AUTO(buf) line = {0};
	if (!a->key || h.head.size == a->signed_size)
		return 0;
	memcpy(h.log, a->id.log, sizeof(h.log));
	int rc = audit_head_sign(a->key, &h, e);
	if (rc < 0)
		return rc;
	audit_write_head(&line, &h);
	rc = buf_check(&line, e);
	off_t before = lseek(a->heads_fd, 0, SEEK_END);
	if (rc == 0)
		rc = file_write_all(a->heads_fd, buf_str(&line), "heads.jsonl of the audit log", e);
	if (rc == 0 && fdatasync(a->heads_fd) < 0)
		rc = err_errno(e, "write the heads of the audit log %s", a->folder);
	if (rc < 0 && before >= 0 && ftruncate(a->heads_fd, before) < 0)
		(void)err_context(e, "a torn head was left");
	if (rc == 0)
		a->signed_size = h.head.size;
	return rc;
}

json_t *audit_head_to_json(struct audit *a)
{
	struct audit_head head = audit_head(a);
	char root[HEX_SHA256_SIZE], chain[HEX_SHA256_SIZE];
	hex_encode(str_bytes(head.root.bytes, SHA256_SIZE), root);
	hex_encode(str_bytes(head.chain.bytes, SHA256_SIZE), chain);
	json_t *j = json_object();
	json_object_set_new(j, "size", json_integer((json_int_t)head.size));
	json_set_str(j, "root", str_of(root));
	json_set_str(j, "chain", str_of(chain));
	json_set_str(j, "log", str_of(a->id.log));
	json_set_str(j, "writer", a->id.writer);
	json_set_str(j, "public_key", str_of(a->id.public_key));
	return j;
}

// ---------------------------------------------------------------- opening and closing

static void audit_free(struct audit *a)
{
	fd_close(&a->segment_fd);
	fd_close(&a->heads_fd);
	fd_close(&a->lock_fd);
	EVP_PKEY_free(a->key);
	buf_free(&a->pending);
	pthread_mutex_destroy(&a->lock);
	free(a->folder);
	free(a->writer);
	free(a);
}

void audit_close(struct audit *a)
{
	struct err ignored = {0};
	uint64_t upto;
	if (!a)
		return;
	if (audit_commit(a, &upto, &ignored) == 0)
		(void)!audit_sign_head(a, &ignored);
	audit_free(a);
}

static struct audit *audit_new(const struct audit_options *o)
{
	struct audit *a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->lock_fd = a->segment_fd = a->heads_fd = -1;
	a->edges = o->edges;
	a->segment_bytes = o->segment_bytes ? o->segment_bytes : AUDIT_SEGMENT_BYTES;
	a->pending.limit = AUDIT_PENDING_MAX;
	a->folder = strdup(o->folder);
	a->writer = strndup(o->writer.p, o->writer.n);
	pthread_mutex_init(&a->lock, NULL);
	if (a->folder && a->writer) {
		a->id.writer = str_of(a->writer);
		return a;
	}
	audit_free(a);
	return NULL;
}

static int open_folder(struct audit *a, const char *key_path, struct err *e)
{
	AUTO(buf) path = {0};
	int rc = file_make_dirs(a->folder, 0700, e);
	if (rc == 0)
		rc = audit_path(a, "lock", &path, e);
	if (rc == 0) {
		a->lock_fd = file_lock(path.p, e);
		rc = MIN(a->lock_fd, 0);
	}
	if (rc == 0 && key_path)
		rc = audit_key_open(key_path, &a->key, e);
	if (rc == 0 && a->key)
		rc = audit_key_public(a->key, a->id.public_key, e);
	return rc;
}

static int begin_log(struct audit *a, struct err *e)
{
	unsigned char id[16];
	if (a->edges->random(a->edges->ctx, id, sizeof(id)) < 0)
		return err_set(e, ERR_IO, "the system gives no randomness");
	hex_encode(str_bytes(id, sizeof(id)), a->id.log);
	a->at.chain = audit_chain_start();
	return 0;
}

int audit_open(const struct audit_options *o, struct audit **out, struct err *e)
{
	if (o->writer.n == 0 || o->writer.n > AUDIT_TEXT_MAX / 2 || memchr(o->writer.p, 0, o->writer.n))
		return err_set(e, ERR_INVALID, "an audit log needs the name of its writer");
	struct audit *a = audit_new(o);
	if (!a)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int rc = open_folder(a, o->key_path, e);
	if (rc == 0)
		rc = audit_recover(a, e);
	if (rc == 0 && a->segment_fd < 0)
		rc = begin_log(a, e);
	// The first segment, or the gap that a crash left, is written at once: a disk that cannot take it is known
	// before the first request.
	if (rc == 0 && (a->segment_fd < 0 || a->lost_now))
		rc = write_batch(a, (struct str){0}, e);
	if (rc < 0) {
		audit_free(a);
		return err_context(e, "open the audit log of %.*s", STR(o->writer));
	}
	publish(a);
	*out = a;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Routes about objects: list, read, copy, remove. Reading streams through a pipe as base64 events, so that memory stays
// bounded.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "api/handlers.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"
#include "data/objects.h"
#include "net/url.h"

enum { PIECE = 48 << 10 }; // of an object in one event; a multiple of 3, so that its base64 needs no padding

struct objects {
	struct session session;
	struct object_env env;
};

static int open_objects(struct api_request *r, struct objects *o)
{
	session_begin(r, &o->session);
	int rc = session_load(&o->session);
	if (rc == 0)
		rc = session_read_state(&o->session);
	if (rc == 0)
		rc = session_open_clouds(&o->session);
	o->env = (struct object_env){.state = o->session.binding.state, .clouds = o->session.binding.clouds};
	return rc;
}

// Looking at objects, or moving some, is no reason to leave clouds running that did not run before.
static void close_objects(struct objects *o)
{
	if (o->session.env)
		clouds_env_stop_started(o->session.call, o->session.env);
	session_close(&o->session);
}

static int place_of_query(struct api_request *r, const struct objects *o, struct object_place *out)
{
	struct str at = url_query_get(r->query, "at", r->call->arena);
	if (!at.p || !at.n)
		return call_fail(r->call, ERR_INVALID, "say where: ?at=CLOUD:bucket/key");
	return object_place_parse(r->call, &o->env, at, out);
}

static bool query_flag(struct api_request *r, const char *name)
{
	struct str value = url_query_get(r->query, name, r->call->arena);
	return value.p && str_eq(value, S("1"));
}

// ---------------------------------------------------------------- list
static json_t *row_json(const struct object_row *row)
{
	char modified[TIME_TEXT_SIZE] = "";
	if (row->modified_ns)
		time_rfc3339(row->modified_ns, 0, modified);
	json_t *one = json_pack("{s:I, s:s}", "size", (json_int_t)row->size, "modified", modified);
	json_set_str(one, "name", row->name);
	return one;
}

int handle_objects_list(struct api_request *r, json_t **result)
{
	struct objects o;
	struct object_place at;
	struct object_row *rows;
	size_t count;
	int rc = open_objects(r, &o);
	if (rc == 0)
		rc = place_of_query(r, &o, &at);
	if (rc == 0)
		rc = objects_list(r->call, &at, query_flag(r, "recursive"), &rows, &count);
	if (rc == 0) {
		json_t *list = json_array();
		for (size_t i = 0; i < count; i++)
			json_array_append_new(list, row_json(&rows[i]));
		*result = json_pack("{s:o}", "objects", list);
	}
	close_objects(&o);
	return rc;
}

// ---------------------------------------------------------------- read
struct reader { // the other end of the pipe
	struct api_request *request;
	int fd;
	json_int_t bytes;
};

static ssize_t read_piece(int fd, char *out, size_t size)
{
	size_t n = 0;
	while (n < size) {
		ssize_t got = read(fd, out + n, size - n);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -1;
		n += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)n;
}

static void *forward(void *ctx)
{
	struct reader *reader = ctx;
	char piece[PIECE];
	ssize_t n;
	while ((n = read_piece(reader->fd, piece, sizeof(piece))) > 0) {
		AUTO(buf) text = {0};
		base64_encode(str_bytes(piece, (size_t)n), &text);
		session_emit(reader->request, "bytes", json_pack("{s:s}", "base64", buf_cstr(&text)));
		reader->bytes += n;
	}
	return NULL;
}

static int read_object(struct api_request *r, const struct object_place *at, json_int_t *bytes)
{
	int ends[2];
	pthread_t thread;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return call_errno(r->call, "make a pipe");
	struct reader reader = {.request = r, .fd = ends[0]};
	int rc = pthread_create(&thread, NULL, forward, &reader) == 0
			 ? 0
			 : call_fail(r->call, ERR_UNAVAILABLE, "out of threads");
	bool reading = rc == 0;
	if (rc == 0)
		rc = objects_cat(r->call, at, ends[1]);
	fd_close(&ends[1]);
	if (reading)
		pthread_join(thread, NULL);
	fd_close(&ends[0]);
	*bytes = reader.bytes;
	return rc;
}

int handle_objects_read(struct api_request *r, json_t **result)
{
	struct objects o;
	struct object_place at;
	json_int_t bytes = 0;
	int rc = open_objects(r, &o);
	if (rc == 0)
		rc = place_of_query(r, &o, &at);
	if (rc == 0)
		rc = read_object(r, &at, &bytes);
	if (rc == 0)
		*result = json_pack("{s:I}", "bytes", bytes);
	close_objects(&o);
	return rc;
}

// ---------------------------------------------------------------- copy and remove
static int places_of_body(
	struct api_request *r, const struct objects *o, struct object_place *from, struct object_place *to)
{
	struct str source, target;
	int rc = json_need_str(r->body, "from", &source, &r->call->err);
	if (rc == 0)
		rc = json_need_str(r->body, "to", &target, &r->call->err);
	if (rc == 0)
		rc = object_place_parse(r->call, &o->env, source, from);
	return rc < 0 ? rc : object_place_parse(r->call, &o->env, target, to);
}

int handle_objects_copy(struct api_request *r, json_t **result)
{
	struct objects o;
	struct object_place from, to;
	struct copy_result copied;
	int rc = open_objects(r, &o);
	if (rc == 0)
		rc = places_of_body(r, &o, &from, &to);
	if (rc == 0)
		rc = objects_copy(r->call, &o.env, &from, &to, &copied);
	if (rc == 0)
		*result = json_pack("{s:I, s:I, s:I, s:s}", "objects", (json_int_t)copied.objects, "skipped",
			(json_int_t)copied.skipped, "bytes", (json_int_t)copied.bytes, "sha256", copied.sha256);
	close_objects(&o);
	return rc;
}

int handle_objects_remove(struct api_request *r, json_t **result)
{
	struct objects o;
	struct object_place at;
	uint64_t removed = 0;
	int rc = open_objects(r, &o);
	if (rc == 0)
		rc = place_of_query(r, &o, &at);
	if (rc == 0)
		rc = objects_remove(r->call, &at, query_flag(r, "recursive"), &removed);
	if (rc == 0)
		*result = json_pack("{s:I}", "removed", (json_int_t)removed);
	close_objects(&o);
	return rc;
}

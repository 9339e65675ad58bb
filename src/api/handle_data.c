// SPDX-License-Identifier: Apache-2.0
// Routes about objects: list, read, remove; what acts on many stands in handle_objects.c. Reading streams through a
// pipe as base64 events, so that memory stays bounded.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/objects_impl.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"
#include "net/url.h"

enum { PIECE = 48 << 10 }; // of an object in one event; a multiple of 3, so that its base64 needs no padding

// Without a workspace, or for places that need none, only this machine's own credentials count.
static int open_workspace(struct api_request *r, struct objects *o)
{
	int rc = session_load(&o->session);
	if (rc == 0)
		rc = session_read_state(&o->session);
	if (rc == 0)
		rc = session_open_clouds(&o->session);
	o->env.state = o->session.binding.state;
	o->env.clouds = o->session.binding.clouds;
	(void)r;
	return rc;
}

static bool has_workspace(struct api_request *r)
{
	struct str path = str_of(control_get_options(r->control)->path);
	struct str file = arena_printf(r->call->arena, "%.*s/isobar.yaml", STR(control_folder(r->control)));
	return str_ends(path, S(".yaml")) || (file.p && file_exists(file.p));
}

int objects_session_open(struct api_request *r, struct objects *o, const struct str *texts, size_t count)
{
	bool named = false;
	const struct operator_file *op;
	*o = (struct objects){0};
	session_begin(r, &o->session);
	for (size_t i = 0; i < count; i++)
		named = named || object_place_is_named(texts[i]);
	int rc = control_operator(r->call, r->control, &op);
	if (rc == 0 && op)
		rc = named_clouds_new(r->call, op, &o->named);
	if (o->named) {
		o->env.open = named_clouds_open;
		o->env.open_ctx = o->named;
	}
	// What is down while a control plane runs may be down for a reason.
	o->session.revive = o->session.revive && !control_is_served(r->call, r->control);
	return rc == 0 && named && has_workspace(r) ? open_workspace(r, o) : rc;
}

// Looking at objects, or moving some, is no reason to leave clouds running that did not run before.
void objects_session_close(struct objects *o)
{
	if (o->session.env)
		clouds_env_stop_started(o->session.call, o->session.env);
	session_close(&o->session);
	named_clouds_free(o->named);
}

static int place_of_query(struct api_request *r, struct objects *o, struct object_place *out)
{
	struct str at = url_query_get(r->query, "at", r->call->arena);
	if (!at.p || !at.n)
		return call_fail(r->call, ERR_INVALID, "say where: ?at=CLOUD:bucket/key");
	int rc = objects_session_open(r, o, &at, 1);
	return rc < 0 ? rc : object_place_parse(r->call, &o->env, at, out);
}

static bool query_flag(struct api_request *r, const char *name)
{
	struct str value = url_query_get(r->query, name, r->call->arena);
	return value.p && str_eq(value, S("1"));
}

static uint64_t query_number(struct api_request *r, const char *name, uint64_t otherwise)
{
	struct str value = url_query_get(r->query, name, r->call->arena);
	uint64_t number;
	return value.p && str_to_u64(value, &number) == 0 ? number : otherwise;
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
	struct objects o = {0};
	struct object_place at;
	struct object_row *rows;
	size_t count;
	int rc = place_of_query(r, &o, &at);
	if (rc == 0)
		rc = objects_list(r->call, &at, query_flag(r, "recursive"), &rows, &count);
	if (rc == 0) {
		json_t *list = json_array();
		for (size_t i = 0; i < count; i++)
			json_array_append_new(list, row_json(&rows[i]));
		*result = json_pack("{s:o}", "objects", list);
	}
	objects_session_close(&o);
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
	uint64_t offset = query_number(r, "offset", 0), length = query_number(r, "length", offset ? UINT64_MAX : 0);
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
		rc = objects_cat(r->call, at, offset, length, ends[1]);
	fd_close(&ends[1]);
	if (reading)
		pthread_join(thread, NULL);
	fd_close(&ends[0]);
	*bytes = reader.bytes;
	return rc;
}

int handle_objects_read(struct api_request *r, json_t **result)
{
	struct objects o = {0};
	struct object_place at;
	json_int_t bytes = 0;
	int rc = place_of_query(r, &o, &at);
	if (rc == 0)
		rc = read_object(r, &at, &bytes);
	if (rc == 0)
		*result = json_pack("{s:I}", "bytes", bytes);
	objects_session_close(&o);
	return rc;
}

// ---------------------------------------------------------------- remove
int handle_objects_remove(struct api_request *r, json_t **result)
{
	struct objects o = {0};
	struct object_place at;
	uint64_t removed = 0;
	int rc = place_of_query(r, &o, &at);
	if (rc == 0)
		rc = objects_remove(r->call, &at, query_flag(r, "recursive"), &removed);
	if (rc == 0)
		*result = json_pack("{s:I}", "removed", (json_int_t)removed);
	objects_session_close(&o);
	return rc;
}

// SPDX-License-Identifier: Apache-2.0
// Writing to Cloud Storage: small objects with their description in one multipart request, large ones through a
// resumable session in chunks that are multiples of 256 KiB. After a failed chunk the session is asked how far it got.
// Source: "Resumable uploads" and "Upload an object by using the JSON API", Cloud Storage.
#include <stdio.h>

#include "base/time.h"
#include "cloud/gcp/store_impl.h"
#include "cloud/http/download.h"
#include "cloud/http/object_fields.h"

enum { CANCEL_TIMEOUT_S = 5 };

// ---------------------------------------------------------------- small

static int make_query(struct call *c, const char *type, const struct store_put *put, struct buf *query)
{
	buf_printf(query, "uploadType=%s", type);
	return gcp_add_condition(c, query, &put->condition);
}

static struct str upload_path(struct call *c, struct str bucket)
{
	return arena_printf(c->arena, "/upload/storage/v1/b/%.*s/o", STR(bucket));
}

// An answer that is another request's, since one came twice, or of bytes that changed on the way: worth another try.
static int read_made(struct call *c, const struct transport_response *answer, const struct store_put *put,
	const struct parts *parts, struct object *out)
{
	const json_t *resource;
	struct object made = {0};
	int r = gcp_parse(c, answer->body, &resource);
	if (!r)
		r = gcp_read_object(c, resource, &made);
	if (r)
		return r;
	if (made.size != parts->total || (made.has_crc32c && made.crc32c != parts->crc) ||
		!str_eq(made.key, put->key)) {
		call_fail(c, ERR_CORRUPT, "%llu bytes with CRC-32C %08x were sent, the store has %llu with %08x",
			(unsigned long long)parts->total, parts->crc, (unsigned long long)made.size, made.crc32c);
		c->err.retryable = true;
		return ERR_CORRUPT;
	}
	made.crc32c = parts->crc;
	made.has_crc32c = true;
	*out = made;
	return 0;
}

// The description and the bytes, behind one another. The boundary is random, so that no content can hold it.
static int make_body(
	struct call *c, const struct store_put *put, const struct parts *parts, struct str *type, struct buf *body)
{
	uint64_t random[2];
	struct str description;
	int r = c->edges->random(c->edges->ctx, random, sizeof(random));
	if (r)
		return call_fail(c, r, "no random numbers");
	r = gcp_describe(c, put, &parts->crc, &description);
	if (r)
		return r;
	struct str boundary = arena_printf(
		c->arena, "isobar-%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
	*type = arena_printf(c->arena, "multipart/related; boundary=%.*s", STR(boundary));
	buf_reserve(body, parts->part.n + description.n + 512);
	buf_printf(body, "--%.*s\r\ncontent-type: application/json; charset=utf-8\r\n\r\n%.*s\r\n", STR(boundary),
		STR(description));
	buf_printf(body, "--%.*s\r\ncontent-type: %.*s\r\n\r\n", STR(boundary),
		STR(put->content_type.n ? put->content_type : S("application/octet-stream")));
	buf_add(body, parts->part);
	buf_printf(body, "\r\n--%.*s--\r\n", STR(boundary));
	return type->p ? buf_check(body, &c->err) : call_no_memory(c);
}

int gcp_upload_single(
	struct call *c, struct gcp_store *s, const struct store_put *put, struct parts *parts, struct object *out)
{
	AUTO(buf) query = {0};
	AUTO(buf) body = {0};
	struct str type = S("");
	struct transport_response answer = {0};
	int r = make_query(c, "multipart", put, &query);
	if (!r)
		r = make_body(c, put, parts, &type, &body);
	if (r)
		return r;
	struct exchange x = {.call = &gcp_calls[GCP_OBJECTS_INSERT],
		.path = upload_path(c, put->bucket),
		.query = buf_str(&query),
		.body = buf_str(&body)};
	exchange_header(&x, "content-type", type);
	if (!x.path.p)
		return call_no_memory(c);
	for (;;) {
		r = exchange_run(c, &s->provider, &x, &answer);
		if (r == ERR_CONFLICT && x.attempts > 1)
			return object_settle_conflict(c, &(struct object_store){&gcp_store_ops, s}, put, parts, out);
		if (r)
			return r;
		r = read_made(c, &answer, put, parts, out);
		if (!r || retry_pause(c, &s->provider.retry, x.attempts, 0))
			return r;
	}
}

// ---------------------------------------------------------------- sessions

struct session {
	struct call *c;
	struct gcp_store *store;
	const struct store_put *put;
	struct parts *parts;
	struct str path, query;
	uint64_t stored; // bytes that the session has
	bool repeated;   // an answer was lost: what it said is not known
	bool done;
	struct transport_response answer; // when done
};

// Where the session lives: always the host that was asked, whatever it says.
static int read_location(struct session *u, struct str location)
{
	const struct provider *p = &u->store->provider;
	struct str path = str_drop(location, p->base.n);
	if (!str_starts(location, p->base) || !str_starts(path, S("/")))
		return call_fail(u->c, ERR_PROTOCOL,
			"the upload session is at \"%.*s\", not at the store's own address", (int)MIN(location.n, 200),
			location.p);
	str_cut(path, '?', &u->path, &u->query);
	return 0;
}

static int start_session(struct session *u)
{
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	struct str description;
	int r = gcp_describe(u->c, u->put, NULL, &description);
	if (!r)
		r = make_query(u->c, "resumable", u->put, &query);
	if (r)
		return r;
	exchange_parameter(&query, "name", u->put->key);
	struct exchange x = {.call = &gcp_calls[GCP_OBJECTS_INSERT_RESUMABLE],
		.path = upload_path(u->c, u->put->bucket),
		.query = buf_str(&query),
		.body = description};
	exchange_header(&x, "content-type", S("application/json; charset=utf-8"));
	if (u->put->content_type.n)
		exchange_header(&x, "x-upload-content-type", u->put->content_type);
	r = x.path.p ? buf_check(&query, &u->c->err) : call_no_memory(u->c);
	if (!r)
		r = exchange_run(u->c, &u->store->provider, &x, &answer);
	return r ? r : read_location(u, transport_header(&answer, S("location")));
}

// A 308 says how far the session got ("bytes=0-N"; no Range: nothing yet); a 200 or 201 that it is done.
static int read_progress(struct session *u, const struct transport_response *answer)
{
	struct str range = transport_header(answer, S("range")), first;
	uint64_t last = 0;
	if (answer->status != 308) {
		u->done = true;
		u->answer = *answer;
		return 0;
	}
	u->stored = 0;
	if (!range.n)
		return 0;
	if (!str_starts(range, S("bytes=")) || !str_cut(str_drop(range, 6), '-', &first, &range) ||
		!str_eq(first, S("0")) || str_to_u64(range, &last) || last == UINT64_MAX)
		return call_fail(u->c, ERR_PROTOCOL, "the upload session answers with the range \"%.*s\"",
			(int)MIN(range.n, 60), range.p);
	u->stored = last + 1;
	return 0;
}

// once: no repetition below, since after a failure the session has to be asked first.
static int ask(struct session *u, struct str content_range, struct str body, bool once)
{
	struct exchange x = {.call = &gcp_calls[GCP_UPLOAD_CHUNK],
		.path = u->path,
		.query = u->query,
		.body = body,
		.accept = 308,
		.once = once};
	struct transport_response answer = {0};
	struct str hash = arena_printf(u->c->arena, "crc32c=%.*s", STR(object_crc32c_text(u->c->arena, u->parts->crc)));
	exchange_header(&x, "content-range", content_range);
	if (u->parts->last && body.n)
		exchange_header(&x, "x-goog-hash", hash); // checked before the object appears
	int r = content_range.p && hash.p ? exchange_run(u->c, &u->store->provider, &x, &answer) : call_no_memory(u->c);
	return r ? r : read_progress(u, &answer);
}

static int ask_status(struct session *u)
{
	struct str total = u->parts->last
				   ? arena_printf(u->c->arena, "bytes */%llu", (unsigned long long)u->parts->total)
				   : S("bytes */*");
	return ask(u, total, S(""), false);
}

static int send_rest(struct session *u)
{
	const struct parts *p = u->parts;
	uint64_t end = p->offset + p->part.n;
	if (u->stored < p->offset || u->stored > end)
		return call_fail(u->c, ERR_PROTOCOL, "the upload session has %llu bytes, %llu to %llu were sent",
			(unsigned long long)u->stored, (unsigned long long)p->offset, (unsigned long long)end);
	struct str rest = str_drop(p->part, (size_t)(u->stored - p->offset)), range;
	if (!rest.n) // all is there; only the total has to be said
		return ask_status(u);
	struct str total = p->last ? arena_printf(u->c->arena, "%llu", (unsigned long long)p->total) : S("*");
	range = arena_printf(u->c->arena, "bytes %llu-%llu/%.*s", (unsigned long long)u->stored,
		(unsigned long long)end - 1, STR(total));
	return ask(u, range, rest, true);
}

// Sends until the session has this part: it may take less than it was given.
static int send_part(struct session *u)
{
	uint64_t end = u->parts->offset + u->parts->part.n;
	for (int attempt = 1; !u->done && (u->stored < end || u->parts->last); attempt++) {
		uint64_t before = u->stored;
		int r = send_rest(u);
		if (r && (r = retry_pause(u->c, &u->store->provider.retry, attempt, 0)) == 0) {
			u->repeated = true;
			r = ask_status(u);
		}
		if (r)
			return call_context(u->c, "the bytes from %llu on", (unsigned long long)u->stored);
		if (u->stored > before)
			attempt = 0;
		else if (!u->done && attempt >= u->store->provider.retry.attempts)
			return call_fail(u->c, ERR_UNAVAILABLE, "the upload session takes no more bytes after %llu",
				(unsigned long long)u->stored);
	}
	if (u->done && !u->parts->last)
		return call_fail(u->c, ERR_PROTOCOL, "the upload session ended after %llu bytes, before the last part",
			(unsigned long long)end);
	return 0;
}

// Also when the call was cancelled or is out of time: under a call of its own. A session that stays is dropped after a
// week.
static void cancel(struct session *u)
{
	struct transport_response answer = {0};
	struct call own = *u->c;
	own.cancel = NULL;
	own.deadline_ns = call_mono_ns(u->c) + CANCEL_TIMEOUT_S * NS_PER_S;
	err_clear(&own.err);
	struct exchange x = {
		.call = &gcp_calls[GCP_UPLOAD_CANCEL], .path = u->path, .query = u->query, .accept = 499, .once = true};
	if (exchange_run(&own, &u->store->provider, &x, &answer))
		err_clear(&own.err);
}

int gcp_upload_session(
	struct call *c, struct gcp_store *s, const struct store_put *put, struct parts *parts, struct object *out)
{
	struct session u = {.c = c, .store = s, .put = put, .parts = parts};
	int r = start_session(&u);
	if (r)
		return r;
	r = send_part(&u);
	while (!r && !parts->last) {
		r = parts_next(c, parts);
		if (!r)
			r = send_part(&u);
	}
	if (!r)
		return read_made(c, &u.answer, put, parts, out);
	if (r == ERR_CONFLICT && u.repeated)
		return object_settle_conflict(c, &(struct object_store){&gcp_store_ops, s}, put, parts, out);
	cancel(&u);
	return r;
}

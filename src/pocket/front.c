// SPDX-License-Identifier: Apache-2.0
// Requests of all three front ends: see front.h.
#include "pocket/front.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "pocket/admin.h"
#include "pocket/engine/engine.h"
#include "pocket/front_faults_impl.h"
#include "pocket/pocket_impl.h"
#include "pocket/service.h"

// ---------------------------------------------------------------- reading

struct str front_query(const struct front_request *r, const char *name)
{
	for (size_t i = 0; i < r->query.count; i++) // case-sensitive, unlike pairs_get
		if (str_eq(r->query.items[i].name, str_of(name)))
			return r->query.items[i].value;
	return S("");
}

bool front_query_has(const struct front_request *r, const char *name)
{
	for (size_t i = 0; i < r->query.count; i++)
		if (str_eq(r->query.items[i].name, str_of(name)))
			return true;
	return false;
}

struct str front_header(const struct front_request *r, const char *name)
{
	struct str value = http_header_get(&r->x->request.headers, name);
	return value.p ? value : S("");
}

int64_t front_now_ns(const struct front_request *r)
{
	return r->pocket->edges->wall_ns(r->pocket->edges->ctx);
}

static int decode(struct front_request *r, struct str text, bool plus, struct str *out)
{
	AUTO(buf) decoded = {0};
	if (sign_uri_decode(text, plus, &decoded) < 0)
		return err_set(&r->err, ERR_INVALID, "the address has an incomplete %%-escape");
	*out = arena_str(r->arena, buf_str(&decoded));
	return out->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int front_cut_path(struct front_request *r, struct str path, struct str *first, struct str *rest)
{
	struct str head, tail;
	str_cut(str_drop(path, 1), '/', &head, &tail);
	int rc = decode(r, head, false, first);
	return rc < 0 ? rc : decode(r, tail, false, rest);
}

int front_base64(struct str text, unsigned char *out, size_t n)
{
	AUTO(buf) bytes = {.limit = 256};
	if (base64_decode(text, &bytes) < 0 || bytes.n != n)
		return ERR_INVALID;
	memcpy(out, bytes.p, n);
	return 0;
}

struct str front_base64_text(struct front_request *r, struct str bytes)
{
	AUTO(buf) text = {0};
	base64_encode(bytes, &text);
	return arena_str(r->arena, buf_str(&text));
}

static int read_query(struct front_request *r, bool plus)
{
	struct str rest = r->x->request.query, part;
	if (rest.n == 0)
		return 0;
	while (str_next(&rest, '&', &part)) {
		struct str name, value, decoded_name, decoded_value;
		if (part.n == 0)
			continue;
		str_cut(part, '=', &name, &value);
		int rc = decode(r, name, plus, &decoded_name);
		if (rc == 0)
			rc = decode(r, value, plus, &decoded_value);
		if (rc < 0)
			return rc;
		if (r->query.count == SIGN_MAX_PARAMETERS ||
			pairs_add(&r->query, r->arena, decoded_name, decoded_value) < 0)
			return err_set(
				&r->err, ERR_INVALID, "the query has more than %d parameters", SIGN_MAX_PARAMETERS);
	}
	return 0;
}

static int read_signable(struct front_request *r)
{
	const struct http_request *q = &r->x->request;
	struct sign_header *headers = arena_new_array(r->arena, q->headers.count + 1, struct sign_header);
	if (!headers)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < q->headers.count; i++)
		headers[i] = (struct sign_header){.name = q->headers.items[i].name, .value = q->headers.items[i].value};
	r->sign = (struct sign_request){.method = q->method_text,
		.path = q->path,
		.query = q->query,
		.headers = headers,
		.header_count = q->headers.count};
	return 0;
}

// ---------------------------------------------------------------- the life of a request

static void make_id(struct front_request *r)
{
	uint64_t bits = 0;
	if (r->pocket->edges->random(r->pocket->edges->ctx, &bits, sizeof(bits)) < 0)
		bits = ++r->pocket->requests; // an id to find a request by, not a secret
	snprintf(r->id, sizeof(r->id), "%016" PRIX64, bits);
}

static int read_head(struct front_request *r)
{
	if (r->id[0])
		return 0; // read before
	make_id(r);
	int rc = read_query(r, r->pocket->front->plus_is_space);
	if (rc == 0)
		rc = read_signable(r);
	if (rc == 0)
		service_pick(r);
	return rc;
}

void front_begin(struct front_request *r)
{
	if (read_head(r) < 0)
		front_fail(r);
	else if (r->service)
		r->service->handle(r);
	else
		r->pocket->front->handle(r);
}

void front_fail(struct front_request *r)
{
	if (r->service)
		r->service->fail(r);
	else
		r->pocket->front->fail(r);
}

void front_trouble(struct front_request *r, bool throttled)
{
	if (read_head(r) < 0)
		front_fail(r);
	else if (r->service)
		r->service->trouble(r, throttled);
	else
		r->pocket->front->trouble(r, throttled);
}

struct front_request *front_request_new(struct http_exchange *x)
{
	struct pocket *p = x->ctx;
	struct front_request *r = arena_new(&x->arena, struct front_request);
	if (r)
		*r = (struct front_request){.x = x,
			.pocket = p,
			.arena = &x->arena,
			.store = p->store,
			.keys = p->keys,
			.range = {.fd = -1}};
	x->data = r;
	return r;
}

static void begin(struct http_exchange *x)
{
	struct front_request *r = front_request_new(x);
	if (!r)
		http_reply_error(x, 503, "out of memory");
	else if (!admin_takes(r) && !front_fault_takes_request(r))
		front_begin(r);
}

static bool answered(const struct front_request *r)
{
	return http_reply_began(r->x) || front_fault_took_reply(r);
}

void front_body_piece(struct front_request *r, struct str piece)
{
	if (!r->take || answered(r))
		return; // answered already: what still comes is dropped
	if (r->take(r, piece) < 0)
		front_fail(r);
}

void front_body_end(struct front_request *r)
{
	if (r->done && !answered(r))
		r->done(r);
}

static void body(struct http_exchange *x, struct str piece)
{
	struct front_request *r = x->data;
	if (!r)
		return;
	front_fault_note_body(r, piece);
	front_body_piece(r, piece);
}

static void end(struct http_exchange *x)
{
	struct front_request *r = x->data;
	if (!r)
		return;
	front_fault_note_end(r);
	front_body_end(r);
}

void front_release(struct front_request *r)
{
	if (r->release)
		r->release(r);
	writer_abandon(r->writer);
	object_range_close(&r->range);
}

static void closed(struct http_exchange *x)
{
	struct front_request *r = x->data;
	if (!r)
		return;
	front_fault_end(r);
	front_release(r);
	x->data = NULL;
}

// ---------------------------------------------------------------- bodies

int front_write(struct front_request *r, struct str data)
{
	return writer_add(r->writer, data, &r->err);
}

void front_stream(struct front_request *r, unsigned hashes, uint64_t length, void (*done)(struct front_request *r))
{
	if (writer_begin(r->store, hashes, length, &r->writer, &r->err) < 0) {
		front_fail(r);
		return;
	}
	if (!r->take)
		r->take = front_write;
	r->done = done;
	http_body_resume(r->x);
}

struct writer *front_take_writer(struct front_request *r)
{
	struct writer *w = r->writer;
	r->writer = NULL;
	return w;
}

struct collecting {
	size_t limit;
	struct buf bytes;
	void (*done)(struct front_request *r, struct str body);
};

static void free_collecting(void *p)
{
	struct collecting *c = p;
	buf_free(&c->bytes);
}

static int collect(struct front_request *r, struct str piece)
{
	struct collecting *c = r->collecting;
	buf_add(&c->bytes, piece);
	return buf_check(&c->bytes, &r->err);
}

static void collected(struct front_request *r)
{
	r->collecting->done(r, buf_str(&r->collecting->bytes));
}

void front_collect(struct front_request *r, size_t limit, void (*done)(struct front_request *r, struct str body))
{
	struct collecting *c = arena_new(r->arena, struct collecting);
	if (!c || !arena_defer(r->arena, free_collecting, c)) {
		err_set(&r->err, ERR_NO_MEMORY, "out of memory");
		front_fail(r);
		return;
	}
	*c = (struct collecting){.bytes = {.limit = limit}, .done = done};
	r->collecting = c;
	r->take = collect;
	r->done = collected;
	http_body_resume(r->x);
}

int front_digests(struct front_request *r, struct str body, unsigned hashes, struct digests *out)
{
	struct hasher *h = NULL;
	int rc = hasher_begin(hashes, &h, &r->err);
	if (rc < 0)
		return rc;
	hasher_add(h, body);
	hasher_finish(h, out);
	hasher_free(h);
	return 0;
}

void front_log_failure(const struct front_request *r)
{
	char doing[256];
	const struct http_request *q = &r->x->request;
	snprintf(doing, sizeof(doing), "%s: request %s (%.*s %.*s)", r->pocket->name, r->id, STR(q->method_text),
		STR(str_take(q->path, 128)));
	log_err(LOG_ERROR, &r->err, doing);
}

// ---------------------------------------------------------------- answers

void front_add(struct front_request *r, const char *name, struct str value)
{
	if (value.n == 0 || !http_is_field_value(value))
		return;
	if (http_header_add(&r->out, r->arena, str_of(name), value) < 0)
		http_exchange_abort(r->x);
}

void front_addf(struct front_request *r, const char *name, const char *format, ...)
{
	AUTO(buf) text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	front_add(r, name, arena_str(r->arena, buf_str(&text)));
}

void front_add_date(struct front_request *r, const char *name, int64_t wall_ns)
{
	char text[TIME_TEXT_SIZE];
	time_http_date(wall_ns, text);
	front_add(r, name, arena_str(r->arena, str_of(text)));
}

struct http_reply front_head(const struct front_request *r, int status)
{
	return (struct http_reply){.status = status, .headers = r->out.items, .header_count = r->out.count};
}

void front_reply(struct front_request *r, int status, struct str text)
{
	if (front_fault_takes_reply(r, status, text))
		return;
	struct http_reply head = front_head(r, status);
	http_reply(r->x, &head, text);
}

void front_reply_buf(struct front_request *r, int status, struct buf *text)
{
	struct str copy = text->failed ? (struct str){0} : arena_str(r->arena, buf_str(text));
	if (copy.p)
		front_reply(r, status, copy);
	else
		http_reply_error(r->x, 503, "out of memory");
}

// An object of several files goes out in pieces; one that cannot be read on ends the connection, which is what tells
// the client.
static void send_more(struct front_request *r)
{
	char piece[64 << 10]; // copied by http_reply_write()
	size_t n = 0;
	do {
		if (object_range_read(&r->range, piece, sizeof(piece), &n, &r->err) < 0) {
			http_exchange_abort(r->x);
			return;
		}
	} while (n && http_reply_write(r->x, str_bytes(piece, n)));
	if (n == 0)
		http_reply_end(r->x);
}

static void drained(struct http_exchange *x)
{
	struct front_request *r = x->data;
	if (r && r->range.object)
		send_more(r);
	else if (r && r->forward)
		engine_forward_drained(r);
}

void front_reply_object(struct front_request *r, int status, struct object *object, uint64_t offset, uint64_t length)
{
	if (front_fault_takes_object(r, status, &(struct front_extent){object, offset, length}))
		return;
	struct http_reply head = front_head(r, status);
	struct object_extent extent = {.fd = -1};
	if (r->x->request.method == HTTP_HEAD) {
		http_reply_start(r->x, &head, (int64_t)length);
		http_reply_end(r->x);
		return;
	}
	if (object_range_open(&r->range, object, offset, length, &r->err) < 0 ||
		(object->record->folder.n == 0 && object_range_next(&r->range, &extent, &r->err) < 0)) {
		front_fail(r);
		return;
	}
	if (object->record->folder.n == 0 && length) { // one file: by sendfile
		struct http_file file = {.fd = r->range.fd, .offset = extent.offset, .length = length};
		r->range.fd = -1;
		http_reply_file(r->x, &head, file);
		return;
	}
	http_reply_start(r->x, &head, (int64_t)length);
	send_more(r);
}

const struct http_service front_service = {
	.begin = begin, .body = body, .end = end, .drained = drained, .closed = closed};

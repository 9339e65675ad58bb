// SPDX-License-Identifier: Apache-2.0
// Records of conformance runs: see record.h.
#include "cloud/call_record.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"
#include "cloud/registry.h"

enum { SHORTEST = 4 }; // of a text that is replaced: shorter ones stand in words

// ---------------------------------------------------------------- names in capitals

static bool knows(const struct call_record *r, struct str from)
{
	for (size_t i = 0; i < r->name_count; i++) {
		if (str_eq(r->names[i].from, from))
			return true;
	}
	return false;
}

// The longer ones first, so that one that holds another is replaced whole.
static void add_name(struct call_record *r, struct str from, struct str to)
{
	if (from.n < SHORTEST || knows(r, from))
		return;
	struct call_record_name name = {arena_str(&r->arena, from), arena_str(&r->arena, to)};
	if (r->name_count == CALL_RECORD_MAX_NAMES || !name.from.p || !name.to.p) {
		r->failed = true;
		return;
	}
	size_t at = r->name_count++;
	for (; at > 0 && r->names[at - 1].from.n < from.n; at--)
		r->names[at] = r->names[at - 1];
	r->names[at] = name;
}

// Also as it stands in an address.
static void learn(struct call_record *r, struct str from, struct str to)
{
	AUTO(buf) encoded = {0};
	sign_uri_encode(from, "", &encoded);
	add_name(r, from, to);
	if (!str_eq(buf_str(&encoded), from))
		add_name(r, buf_str(&encoded), to);
}

static void learn_id(struct call_record *r, struct str from, const char *what)
{
	if (from.n >= SHORTEST && !knows(r, from))
		learn(r, from, arena_printf(&r->arena, "%s-%zu", what, r->name_count));
}

struct str call_record_redact(struct call_record *r, struct str text)
{
	AUTO(buf) out = {0};
	while (text.n) {
		const struct call_record_name *found = NULL;
		for (size_t i = 0; !found && i < r->name_count; i++) {
			if (str_starts(text, r->names[i].from))
				found = &r->names[i];
		}
		buf_add(&out, found ? found->to : str_take(text, 1));
		text = str_drop(text, found ? found->from.n : 1);
	}
	struct str copy = arena_str(&r->arena, buf_str(&out));
	r->failed = r->failed || out.failed || !copy.p;
	return copy.p ? copy : S("");
}

// ---------------------------------------------------------------- ids that providers make

// What stands between open and close, wherever it does.
static void learn_between(struct call_record *r, struct str text, const char *open, const char *close, const char *what)
{
	ptrdiff_t at;
	while ((at = str_find(text, str_of(open))) >= 0) {
		text = str_drop(text, (size_t)at + strlen(open));
		ptrdiff_t end = str_find(text, str_of(close));
		if (end < 0)
			return;
		learn_id(r, str_take(text, (size_t)end), what);
	}
}

// Members of an answer in JSON, of any depth.
static void learn_members(struct call_record *r, const json_t *j)
{
	static const char *const ids[] = {
		"access_token", "projectNumber", "email", "azp", "aud", "sub", "entityId", "id_token"};
	const char *name;
	json_t *value;
	size_t i;
	if (json_is_array(j))
		json_array_foreach(j, i, value) learn_members(r, value);
	json_object_foreach((json_t *)(uintptr_t)j, name, value)
	{
		for (i = 0; i < COUNT_OF(ids) && json_is_string(value); i++) {
			if (strcmp(name, ids[i]) == 0)
				learn_id(r, json_value_str(value), "ID");
		}
		learn_members(r, value);
	}
}

static void learn_answer(struct call_record *r, const struct transport_response *answer, struct str body)
{
	static const char *const elements[] = {"UploadId", "RequestId", "HostId", "ID", "DisplayName", "Arn", "UserId",
		"Account", "OwnerId", "AWSAccessKeyId"};
	AUTO(json) parsed = NULL;
	struct str location = transport_header(answer, S("location"));
	for (size_t i = 0; body.n && body.n <= CALL_RECORD_MAX_TEXT && i < COUNT_OF(elements); i++) {
		AUTO(buf) open = {0};
		AUTO(buf) close = {0};
		buf_printf(&open, "<%s>", elements[i]);
		buf_printf(&close, "</%s>", elements[i]);
		learn_between(r, body, buf_cstr(&open), buf_cstr(&close), "ID");
	}
	ptrdiff_t upload = str_find(location, S("upload_id="));
	if (upload >= 0) {
		struct str id, rest;
		str_cut(str_drop(location, (size_t)upload + 10), '&', &id, &rest);
		learn_id(r, id, "UPLOAD");
	}
	if (body.n && body.n <= CALL_RECORD_MAX_TEXT && body.p[0] == '{' && json_parse(body, &parsed, NULL) == 0)
		learn_members(r, parsed);
}

// ---------------------------------------------------------------- parts of a call

static bool is_kept(struct str name)
{
	static const char *const kept[] = {"accept-ranges", "content-language", "content-md5", "content-range",
		"content-type", "etag", "if-match", "if-none-match", "last-modified", "location", "range",
		"retry-after", "x-amz-bucket-region", "x-amz-checksum-*", "x-amz-copy-*", "x-amz-meta-*",
		"x-amz-mp-object-size", "x-goog-generation", "x-goog-hash", "x-goog-metageneration", "x-goog-stored-*",
		"x-ms-account-kind", "x-ms-blob-*", "x-ms-content-crc64", "x-ms-default-encryption-scope",
		"x-ms-delete-snapshots", "x-ms-error-code", "x-ms-has-*", "x-ms-is-hns-enabled", "x-ms-lease-*",
		"x-ms-meta-*", "x-ms-range-*", "x-ms-sku-name", "x-upload-content-*"};
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		struct str pattern = str_of(kept[i]);
		bool open = str_ends(pattern, S("*"));
		struct str start = open ? str_take(pattern, pattern.n - 1) : pattern;
		if (open ? str_eq_nocase(str_take(name, start.n), start) : str_eq_nocase(name, start))
			return true;
	}
	return false;
}

static json_t *headers_json(struct call_record *r, const struct sign_header *headers, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		if (is_kept(headers[i].name))
			json_array_append_new(list, json_pack("[o, o]", json_of_str(headers[i].name),
							    json_of_str(call_record_redact(r, headers[i].value))));
	}
	return list;
}

static bool is_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == 127 || (c < ' ' && c != '\n' && c != '\r' && c != '\t'))
			return false;
	}
	return true;
}

// NULL for what is no UTF-8.
static json_t *text_json(struct call_record *r, struct str body)
{
	json_t *text = body.n <= CALL_RECORD_MAX_TEXT && is_text(body) ? json_of_str(call_record_redact(r, body)) : NULL;
	return text ? json_pack("{s:o}", "text", text) : NULL;
}

static json_t *bytes_json(struct call_record *r, struct str body)
{
	AUTO(buf) text = {0};
	char hex[HEX_SHA256_SIZE];
	if (!body.n)
		return json_null();
	if (body.n > 64 && body.n <= r->pattern.n && str_eq(body, str_take(r->pattern, body.n)))
		return json_pack("{s:[i, I]}", "pattern", 0, (json_int_t)body.n);
	json_t *as_text = text_json(r, body);
	if (as_text)
		return as_text;
	if (body.n <= 256) {
		base64_encode(body, &text);
		return json_pack("{s:o}", "base64", json_of_str(buf_str(&text)));
	}
	struct sha256 digest = sha256_of(body);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	return json_pack("{s:I, s:s}", "size", (json_int_t)body.n, "sha256", hex);
}

// Of an address what is behind the store's, or behind the host of another service.
static struct str target_of(const struct call_record *r, struct str url)
{
	if (str_starts(url, r->base))
		return str_drop(url, r->base.n);
	ptrdiff_t host = str_find(url, S("://"));
	struct str rest = host < 0 ? url : str_drop(url, (size_t)host + 3);
	ptrdiff_t path = str_find_char(rest, '/');
	return path < 0 ? S("/") : str_drop(rest, (size_t)path);
}

// A form that asks for a token holds what was signed to get it.
static bool is_secret(struct str target)
{
	return str_ends(target, S("/token"));
}

// What tells a call from others of its path: a header, or the action of a form.
static struct str action_of(const struct transport_request *request)
{
	struct str form = request->body, item, name, value;
	for (size_t i = 0; i < request->header_count; i++) {
		if (str_eq_nocase(request->headers[i].name, S("x-amz-target")))
			return request->headers[i].value;
	}
	return str_next(&form, '&', &item) && str_cut(item, '=', &name, &value) && str_eq(name, S("Action")) ? value
													      : S("");
}

static void add_call(struct call_record *r, const struct transport_request *request,
	const struct transport_response *answer, struct str body)
{
	struct str target = target_of(r, request->url), path, query;
	const struct cloud_calls *table = cloud_calls_of(r->provider);
	str_cut(target, '?', &path, &query);
	struct cloud_call_request asked = {str_of(request->method), path, query, action_of(request)};
	const struct cloud_call *row = table ? cloud_call_find(table, &asked) : NULL;
	learn_answer(r, answer, body);
	json_t *call = json_object();
	json_object_set_new(call, "operation", json_string(row ? row->operation : "token"));
	json_object_set_new(call, "method", json_string(request->method));
	json_set_str(call, "target", call_record_redact(r, target));
	json_object_set_new(call, "headers", headers_json(r, request->headers, request->header_count));
	json_object_set_new(call, "body", is_secret(path) ? json_null() : bytes_json(r, request->body));
	json_t *answered = json_pack("{s:i, s:o, s:o}", "status", answer->status, "headers",
		headers_json(r, answer->headers, answer->header_count), "body", bytes_json(r, body));
	uint64_t length;
	if (strcmp(request->method, "HEAD") == 0 &&
		str_to_u64(transport_header(answer, S("content-length")), &length) == 0)
		json_object_set_new(answered, "length", json_integer((json_int_t)length));
	json_object_set_new(call, "answer", answered);
	r->failed = r->failed || json_array_append_new(r->calls, call);
}

// An attempt that got no answer is none that could be replayed.
static void seen(void *ctx, const struct transport_request *request, const struct transport_response *answer,
	struct str body, int code)
{
	struct call_record *r = ctx;
	if (code)
		return;
	pthread_mutex_lock(&r->lock);
	add_call(r, request, answer, body);
	pthread_mutex_unlock(&r->lock);
}

// ---------------------------------------------------------------- a record

int call_record_begin(struct call_record *r, const struct cloud_config *config, struct str bucket, struct err *e)
{
	const char *name;
	json_t *value;
	*r = (struct call_record){.calls = json_array(), .cases = json_array()};
	pthread_mutex_init(&r->lock, NULL);
	r->provider = arena_str(&r->arena, config->provider);
	r->region = arena_str(&r->arena, config->region);
	r->base = config->store_url.n ? arena_str(&r->arena, config->store_url) : cloud_store_url(&r->arena, config);
	while (str_ends(r->base, S("/")))
		r->base.n--;
	r->pattern = conformance_pattern(&r->arena, CONFORMANCE_BIG);
	learn(r, r->base, S("http://STORE"));
	ptrdiff_t host = str_find(r->base, S("://"));
	if (host >= 0)
		learn(r, str_drop(r->base, (size_t)host + 3), S("STORE"));
	learn(r, bucket, S("isobar-check-bucket"));
	json_object_foreach((json_t *)(uintptr_t)config->credentials, name, value)
	{
		if (!json_is_string(value) || strcmp(name, "type") == 0)
			continue;
		char *word = arena_cstr(&r->arena, str_of(name));
		for (char *p = word; p && *p; p++)
			*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		learn(r, json_value_str(value), str_of(word));
	}
	if (r->failed || !r->calls || !r->cases || !r->provider.p || !r->region.p || !r->pattern.p) {
		call_record_free(r);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	return 0;
}

struct transport_watch call_record_watch(struct call_record *r)
{
	return (struct transport_watch){.ctx = r, .seen = seen};
}

void call_record_case(struct call_record *r, const struct conformance_case *one)
{
	static const char *const words[] = {"ok", "failed", "skipped"};
	pthread_mutex_lock(&r->lock);
	json_t *j = json_pack(
		"{s:s, s:o, s:s}", "part", one->part, "name", json_of_str(one->name), "verdict", words[one->verdict]);
	if (one->reason.n)
		json_set_str(j, "reason", call_record_redact(r, one->reason));
	r->failed = r->failed || json_array_append_new(r->cases, j);
	pthread_mutex_unlock(&r->lock);
}

json_t *call_record_json(struct call_record *r, const struct call_record_about *about)
{
	char date[TIME_TEXT_SIZE];
	time_rfc3339(about->now_ns, 0, date);
	if (r->failed)
		return NULL;
	json_t *j = json_pack("{s:i, s:s}", "format", CALL_RECORD_FORMAT, "isobar", ISOBAR_VERSION);
	json_set_str(j, "provider", r->provider);
	json_set_str(j, "region", r->region);
	json_set_str(j, "kind", about->kind);
	json_set_str(j, "server", about->server);
	json_set_str(j, "date", str_take(str_of(date), 10));
	json_object_set(j, "cases", r->cases);
	json_object_set(j, "calls", r->calls);
	return j;
}

int call_record_write(struct call_record *r, const struct call_record_about *about, const char *path, struct err *e)
{
	AUTO(json) j = call_record_json(r, about);
	char *text = j ? json_dumps(j, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) : NULL;
	AUTO(buf) out = {0};
	if (!text)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	buf_printf(&out, "%s\n", text);
	free(text);
	int rc = buf_check(&out, e);
	return rc ? rc : file_write_atomic(path, buf_str(&out), 0644, e);
}

void call_record_free(struct call_record *r)
{
	for (size_t i = 0; i < r->name_count; i++)
		OPENSSL_cleanse((char *)(uintptr_t)r->names[i].from.p, r->names[i].from.n);
	json_decref(r->calls);
	json_decref(r->cases);
	pthread_mutex_destroy(&r->lock);
	arena_free(&r->arena);
	*r = (struct call_record){0};
}

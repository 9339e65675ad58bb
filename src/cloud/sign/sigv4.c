// SPDX-License-Identifier: Apache-2.0
// SigV4, what both sides share and the client's part: see sigv4.h. The server's part is sigv4_verify.c.
#include "cloud/sign/sigv4.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cloud/sign/sign_impl.h"

// ---------------------------------------------------------------- keys

int sigv4_key_make_scope(struct sigv4_key *key, struct str secret, const struct sigv4_scope *scope)
{
	AUTO(buf) start = {0};
	struct sigv4_key made = {0};
	buf_reserve(&start, secret.n + 8); // in one piece: growing would leave copies of the secret behind
	buf_add(&start, S("AWS4"));
	buf_add(&start, secret);
	bool fits = str_copy(made.day, sizeof(made.day), scope->day) &&
		    str_copy(made.region, sizeof(made.region), scope->region) &&
		    str_copy(made.service, sizeof(made.service), scope->service);
	if (start.failed || !fits)
		return ERR_LIMIT;
	const struct str steps[] = {scope->day, scope->region, scope->service, S("aws4_request")};
	made.bytes = hmac_sha256(buf_str(&start), steps[0]);
	for (size_t i = 1; i < COUNT_OF(steps); i++)
		made.bytes = hmac_sha256(str_bytes(made.bytes.bytes, SHA256_SIZE), steps[i]);
	OPENSSL_cleanse(start.p, start.n);
	*key = made;
	OPENSSL_cleanse(&made, sizeof(made));
	return 0;
}

int sigv4_key_make(struct sigv4_key *key, struct str secret, struct str day, struct str region)
{
	return sigv4_key_make_scope(
		key, secret, &(struct sigv4_scope){.day = day, .region = region, .service = S("s3")});
}

bool sigv4_key_fits(const struct sigv4_key *key, struct str day, struct str region)
{
	return str_eq(str_of(key->day), day) && str_eq(str_of(key->region), region);
}

void sigv4_key_wipe(struct sigv4_key *key)
{
	if (key)
		OPENSSL_cleanse(key, sizeof(*key));
}

// ---------------------------------------------------------------- canonical request

static void add_s3_path(struct str path, struct buf *out)
{
	AUTO(buf) plain = {0};
	// A path with a broken escape stands as it is: whatever the other side made of it, it is not what it signed.
	if (sign_uri_decode(path, false, &plain) || plain.failed)
		buf_add(out, path);
	else
		sign_uri_encode(buf_str(&plain), "/", out);
}

static void drop_segment(struct buf *path)
{
	while (path->n && path->p[path->n - 1] != '/')
		path->n--;
	if (path->n)
		path->n--;
}

// "/a//b/./c/../d/" is "/a/b/d/".
static void add_normal_path(struct str path, struct buf *out)
{
	AUTO(buf) normal = {0};
	struct str rest = path, segment;
	while (str_next(&rest, '/', &segment)) {
		if (!segment.n || str_eq(segment, S(".")))
			continue;
		if (str_eq(segment, S(".."))) {
			drop_segment(&normal);
			continue;
		}
		buf_add_char(&normal, '/');
		buf_add(&normal, segment);
	}
	if (!normal.n || path.p[path.n - 1] == '/')
		buf_add_char(&normal, '/');
	if (normal.failed)
		out->failed = true;
	sign_uri_encode(buf_str(&normal), "/", out);
}

static void add_path(const struct sigv4_canonical *c, struct buf *out)
{
	if (!c->service.n || str_eq(c->service, S("s3")))
		add_s3_path(c->request->path, out);
	else
		add_normal_path(c->request->path, out);
}

struct pair { // a query parameter, encoded
	struct str name, value;
};

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;
	int order = str_cmp(left->name, right->name);
	return order ? order : str_cmp(left->value, right->value);
}

static struct str add_encoded(struct buf *text, struct str s)
{
	size_t start = text->n;
	sign_uri_encode(s, "", text);
	return (struct str){text->p + start, text->n - start};
}

static int add_query(struct str query, struct str skip, struct buf *out, struct err *e)
{
	AUTO(sign_parameters) parameters = {0};
	int r = sign_parameters_parse(query, &parameters, e);
	if (r || !parameters.count)
		return r;
	AUTO(buf) text = {0};
	struct pair *pairs = calloc(parameters.count, sizeof(*pairs));
	if (!pairs || !buf_reserve(&text, 3 * query.n + 1)) { // so that no later byte moves an earlier one
		free(pairs);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	size_t count = 0;
	for (size_t i = 0; i < parameters.count; i++) {
		if (skip.n && str_eq(parameters.items[i].name, skip))
			continue;
		pairs[count].name = add_encoded(&text, parameters.items[i].name);
		pairs[count++].value = add_encoded(&text, parameters.items[i].value);
	}
	if (count)
		qsort(pairs, count, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_add_char(out, '&');
		buf_add(out, pairs[i].name);
		buf_add_char(out, '=');
		buf_add(out, pairs[i].value);
	}
	free(pairs);
	return 0;
}

// A header value without space around it, and runs of space inside as one.
static void add_value(struct str value, struct buf *out)
{
	bool gap = false;
	value = str_trim(value);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == ' ' || value.p[i] == '\t') {
			gap = true;
			continue;
		}
		if (gap)
			buf_add_char(out, ' ');
		gap = false;
		buf_add_char(out, value.p[i]);
	}
}

// All headers of one name, in order, with commas between.
static void add_header(const struct sign_request *r, struct str name, struct buf *out)
{
	bool first = true;
	buf_add(out, name);
	buf_add_char(out, ':');
	for (size_t i = 0; i < r->header_count; i++) {
		if (!str_eq_nocase(r->headers[i].name, name))
			continue;
		if (!first)
			buf_add_char(out, ',');
		first = false;
		add_value(r->headers[i].value, out);
	}
	buf_add_char(out, '\n');
}

int sigv4_canonical_request(const struct sigv4_canonical *c, struct buf *out, struct err *e)
{
	buf_add(out, c->request->method);
	buf_add_char(out, '\n');
	add_path(c, out);
	buf_add_char(out, '\n');
	int r = add_query(c->request->query, c->skip_parameter, out, e);
	if (r)
		return r;
	buf_add_char(out, '\n');
	struct str rest = c->signed_headers, name;
	while (str_next(&rest, ';', &name))
		add_header(c->request, name, out);
	buf_add_char(out, '\n');
	buf_add(out, c->signed_headers);
	buf_add_char(out, '\n');
	buf_add(out, c->payload_hash);
	return buf_check(out, e);
}

void sigv4_string_to_sign(const struct sigv4_key *key, struct str time, struct str canonical_request, struct buf *out)
{
	char hex[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(canonical_request);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	buf_printf(out, "AWS4-HMAC-SHA256\n%.*s\n%s/%s/%s/aws4_request\n%s", STR(time), key->day, key->region,
		key->service, hex);
}

void sigv4_signature(const struct sigv4_key *key, struct str string_to_sign, char hex[HEX_SHA256_SIZE])
{
	struct sha256 digest = hmac_sha256(str_bytes(key->bytes.bytes, SHA256_SIZE), string_to_sign);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
}

// ---------------------------------------------------------------- the client's part

// What a client signs. Others (User-Agent, Accept-Encoding) may be rewritten on the way.
static bool is_signed(struct str name)
{
	static const char *const names[] = {"host", "content-md5", "content-type", "range"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (str_eq_nocase(name, str_of(names[i])))
			return true;
	}
	if (str_eq_nocase(name, S("x-amzn-trace-id"))) // proxies write it
		return false;
	return str_eq_nocase(str_take(name, 6), S("x-amz-")) || str_eq_nocase(str_take(name, 7), S("x-amzn-"));
}

static int compare_names(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

// The sorted list "host;x-amz-date" of what is_signed among the request's headers, each once.
static int list_signed(const struct sign_request *r, struct buf *out, struct err *e)
{
	AUTO(buf) text = {.limit = SIGN_MAX_TEXT};
	struct str names[SIGN_MAX_HEADERS];
	size_t count = 0, room = 1;
	for (size_t i = 0; i < r->header_count; i++)
		room += r->headers[i].name.n;
	if (r->header_count > SIGN_MAX_HEADERS || !buf_reserve(&text, room))
		return err_set(e, ERR_LIMIT, "%zu headers are too many to sign", r->header_count);
	for (size_t i = 0; i < r->header_count; i++) {
		struct str name = r->headers[i].name;
		if (!is_signed(name))
			continue;
		names[count++] = (struct str){text.p + text.n, name.n};
		for (size_t k = 0; k < name.n; k++)
			buf_add_char(&text, (char)(name.p[k] >= 'A' && name.p[k] <= 'Z' ? name.p[k] + 32 : name.p[k]));
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		if (i && str_eq(names[i], names[i - 1]))
			continue;
		buf_printf(out, "%s%.*s", i ? ";" : "", STR(names[i]));
	}
	return buf_check(out, e);
}

static int sign_canonical(const struct sigv4_canonical *c, const struct sigv4_key *key, struct str time,
	char hex[HEX_SHA256_SIZE], struct err *e)
{
	AUTO(buf) canonical = {0};
	AUTO(buf) to_sign = {0};
	int r = sigv4_canonical_request(c, &canonical, e);
	if (r)
		return r;
	sigv4_string_to_sign(key, time, buf_str(&canonical), &to_sign);
	if ((r = buf_check(&to_sign, e)))
		return r;
	sigv4_signature(key, buf_str(&to_sign), hex);
	return 0;
}

int sigv4_authorize(const struct sign_request *r, struct str access_key, const struct sigv4_key *key,
	struct buf *authorization, struct err *e)
{
	AUTO(buf) names = {0};
	struct str time = sign_header_get(r, S("x-amz-date"));
	struct str hash = sign_header_get(r, S("x-amz-content-sha256"));
	if (time.n != 16 || !str_eq(str_take(time, 8), str_of(key->day)) || !hash.n || !sign_header_get(r, S("host")).n)
		return err_set(e, ERR_INVALID,
			"a request to be signed lacks Host, x-amz-date of the key's day or x-amz-content-sha256");
	int code = list_signed(r, &names, e);
	if (code)
		return code;
	struct sigv4_canonical c = {.request = r,
		.signed_headers = buf_str(&names),
		.payload_hash = hash,
		.service = str_of(key->service)};
	char hex[HEX_SHA256_SIZE];
	if ((code = sign_canonical(&c, key, time, hex, e)))
		return code;
	buf_printf(authorization,
		"AWS4-HMAC-SHA256 Credential=%.*s/%s/%s/%s/aws4_request, SignedHeaders=%.*s, Signature=%s",
		STR(access_key), key->day, key->region, key->service, STR(buf_str(&names)), hex);
	return buf_check(authorization, e);
}

static void add_parameter(struct buf *query, const char *name, struct str value)
{
	if (query->n)
		buf_add_char(query, '&');
	buf_printf(query, "%s=", name);
	sign_uri_encode(value, "", query);
}

int sigv4_presign(const struct sign_request *r, const struct sigv4_presign *p, const struct sigv4_key *key,
	struct buf *query, struct err *e)
{
	char time[TIME_TEXT_SIZE];
	time_iso_basic(p->wall_ns, time);
	if (p->expires_s < 1 || p->expires_s > SIGV4_MAX_EXPIRES_S ||
		!str_eq(str_take(str_of(time), 8), str_of(key->day)))
		return err_set(e, ERR_INVALID, "a presigned URL needs a key of today and 1 to %d seconds",
			SIGV4_MAX_EXPIRES_S);
	AUTO(buf) text = {0}, credential = {0}, seconds = {0};
	buf_printf(&credential, "%.*s/%s/%s/%s/aws4_request", STR(p->access_key), key->day, key->region, key->service);
	buf_printf(&seconds, "%lld", (long long)p->expires_s);
	buf_add(&text, r->query);
	add_parameter(&text, "X-Amz-Algorithm", S("AWS4-HMAC-SHA256"));
	add_parameter(&text, "X-Amz-Credential", buf_str(&credential));
	add_parameter(&text, "X-Amz-Date", str_of(time));
	add_parameter(&text, "X-Amz-Expires", buf_str(&seconds));
	add_parameter(&text, "X-Amz-SignedHeaders", S("host"));
	if (p->session_token.n)
		add_parameter(&text, "X-Amz-Security-Token", p->session_token);
	struct sign_request full = *r;
	full.query = buf_str(&text);
	char hex[HEX_SHA256_SIZE];
	struct sha256 nothing = sha256_of(S(""));
	hex_encode(str_bytes(nothing.bytes, SHA256_SIZE), hex);
	struct sigv4_canonical c = {.request = &full,
		.signed_headers = S("host"),
		.payload_hash = str_eq(str_of(key->service), S("s3")) ? SIGV4_UNSIGNED : str_of(hex),
		.service = str_of(key->service)};
	char signature[HEX_SHA256_SIZE];
	int code = sign_canonical(&c, key, str_of(time), signature, e);
	if (code)
		return code;
	add_parameter(&text, "X-Amz-Signature", str_of(signature));
	buf_add(query, buf_str(&text));
	return buf_check(query, e);
}

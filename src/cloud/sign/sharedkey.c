// SPDX-License-Identifier: Apache-2.0
// Azure Shared Key: see sharedkey.h.
#include "cloud/sign/sharedkey.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cloud/sign/sign_impl.h"

static const struct sign_refusal missing = {ERR_UNAUTHENTICATED, 401, "NoAuthenticationInformation"};
static const struct sign_refusal malformed = {ERR_INVALID, 400, "InvalidAuthenticationInfo"};
static const struct sign_refusal failed = {ERR_UNAUTHENTICATED, 403, "AuthenticationFailed"};

// ---------------------------------------------------------------- string to sign

static void add_standard_headers(const struct sign_request *r, struct buf *out)
{
	static const char *const names[] = {"content-encoding", "content-language", "content-length", "content-md5",
		"content-type", "date", "if-modified-since", "if-match", "if-none-match", "if-unmodified-since",
		"range"};
	bool own_date = sign_header_get(r, S("x-ms-date")).n > 0;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str name = str_of(names[i]), value = str_trim(sign_header_get(r, name));
		bool no_body = str_eq(name, S("content-length")) && str_eq(value, S("0"));
		bool left_out = str_eq(name, S("date")) && own_date;
		if (!no_body && !left_out)
			buf_add(out, value);
		buf_add_char(out, '\n');
	}
}

struct pair {
	struct str name, value;
	size_t order; // as written, so that equal names keep it
};

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;
	int order = str_cmp(left->name, right->name);
	return order ? order : left->order < right->order ? -1 : 1;
}

static struct str add_lower(struct buf *text, struct str s)
{
	size_t start = text->n;
	for (size_t i = 0; i < s.n; i++)
		buf_add_char(text, (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]));
	return (struct str){text->p + start, s.n};
}

static int add_own_headers(const struct sign_request *r, struct buf *out, struct err *e)
{
	AUTO(buf) names = {0};
	struct pair pairs[SIGN_MAX_HEADERS];
	size_t count = 0, room = 1;
	for (size_t i = 0; i < r->header_count; i++)
		room += r->headers[i].name.n;
	if (r->header_count > SIGN_MAX_HEADERS || room > SIGN_MAX_TEXT)
		return err_set(e, ERR_LIMIT, "%zu headers are too many to sign", r->header_count);
	if (!buf_reserve(&names, room))
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < r->header_count; i++) {
		if (!str_eq_nocase(str_take(r->headers[i].name, 5), S("x-ms-")))
			continue;
		pairs[count] = (struct pair){.value = str_trim(r->headers[i].value), .order = i};
		pairs[count++].name = add_lower(&names, r->headers[i].name);
	}
	qsort(pairs, count, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%.*s:%.*s\n", STR(pairs[i].name), STR(pairs[i].value));
	return 0;
}

// "\nname:value" a parameter: lower-case names in order, decoded values, several values of one name with commas
// between.
static void add_parameters(const struct pair *pairs, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i && str_eq(pairs[i].name, pairs[i - 1].name))
			buf_add_char(out, ',');
		else
			buf_printf(out, "\n%.*s:", STR(pairs[i].name));
		buf_add(out, pairs[i].value);
	}
}

static int compare_values(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;
	int order = str_cmp(left->name, right->name);
	return order ? order : str_cmp(left->value, right->value);
}

static int add_resource(const struct sign_request *r, struct str account, struct buf *out, struct err *e)
{
	AUTO(sign_parameters) parameters = {0};
	AUTO(buf) names = {0};
	int code = sign_parameters_parse_as(r->query, false, &parameters, e);
	if (code)
		return code;
	buf_add_char(out, '/');
	buf_add(out, account);
	buf_add(out, r->path);
	struct pair *pairs = calloc(parameters.count + 1, sizeof(*pairs));
	if (!pairs || !buf_reserve(&names, r->query.n + 1)) {
		free(pairs);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	for (size_t i = 0; i < parameters.count; i++) {
		pairs[i].name = add_lower(&names, parameters.items[i].name);
		pairs[i].value = parameters.items[i].value;
	}
	qsort(pairs, parameters.count, sizeof(*pairs), compare_values);
	add_parameters(pairs, parameters.count, out);
	free(pairs);
	return 0;
}

int sharedkey_string_to_sign(const struct sign_request *r, struct str account, struct buf *out, struct err *e)
{
	buf_add(out, r->method);
	buf_add_char(out, '\n');
	add_standard_headers(r, out);
	int code = add_own_headers(r, out, e);
	if (!code)
		code = add_resource(r, account, out, e);
	return code ? code : buf_check(out, e);
}

static int sign(const struct sign_request *r, struct str account, struct str key, struct buf *signature, struct err *e)
{
	AUTO(buf) text = {0};
	int code = sharedkey_string_to_sign(r, account, &text, e);
	if (code)
		return code;
	struct sha256 digest = hmac_sha256(key, buf_str(&text));
	base64_encode(str_bytes(digest.bytes, SHA256_SIZE), signature);
	return buf_check(signature, e);
}

// ---------------------------------------------------------------- client

int sharedkey_authorize(
	const struct sign_request *r, struct str account, struct str key, struct buf *authorization, struct err *e)
{
	AUTO(buf) signature = {0};
	if (!sign_header_get(r, S("x-ms-date")).n || !sign_header_get(r, S("x-ms-version")).n)
		return err_set(e, ERR_INVALID, "a request to be signed lacks x-ms-date or x-ms-version");
	int code = sign(r, account, key, &signature, e);
	if (code)
		return code;
	buf_printf(authorization, "SharedKey %.*s:%.*s", STR(account), STR(buf_str(&signature)));
	return buf_check(authorization, e);
}

// ---------------------------------------------------------------- server

static int read_authorization(const struct sign_request *r, struct str *account, struct str *signature, struct err *e)
{
	struct str value = str_trim(sign_header_get(r, S("authorization")));
	if (!value.n)
		return sign_refuse(e, missing, "the request has no Authorization header");
	if (!str_starts(value, S("SharedKey ")))
		return sign_refuse(e, malformed, "the Authorization header is not \"SharedKey ACCOUNT:SIGNATURE\"");
	if (!str_cut(str_drop(value, 10), ':', account, signature) || !account->n || !signature->n)
		return sign_refuse(e, malformed, "the Authorization header is not \"SharedKey ACCOUNT:SIGNATURE\"");
	return 0;
}

int sharedkey_account(const struct sign_request *r, struct str *account, struct err *e)
{
	struct str found, signature;
	int code = read_authorization(r, &found, &signature, e);
	if (!code)
		*account = found;
	return code;
}

static int check_date(const struct sign_request *r, int64_t now_ns, struct err *e)
{
	struct str date = str_trim(sign_header_get(r, S("x-ms-date")));
	int64_t wall_ns;
	if (!date.n)
		date = str_trim(sign_header_get(r, S("date")));
	if (time_parse_http_date(date, &wall_ns))
		return sign_refuse(e, failed, "the request has no valid x-ms-date or Date header");
	int64_t late_s = (now_ns - wall_ns) / NS_PER_S;
	if (late_s > SHAREDKEY_SKEW_S || late_s < -SHAREDKEY_SKEW_S)
		return sign_refuse(e, failed, "the request's date is more than 15 minutes from the server's");
	return 0;
}

int sharedkey_verify(const struct sign_request *r, struct str account, struct str key, int64_t now_ns, struct err *e)
{
	struct str named, signature;
	AUTO(buf) expected = {0};
	int code = read_authorization(r, &named, &signature, e);
	if (!code)
		code = check_date(r, now_ns, e);
	if (!code)
		code = sign(r, account, key, &expected, e);
	if (code)
		return code;
	if (!str_eq(named, account) || signature.n != expected.n || !hash_equal(signature.p, expected.p, expected.n))
		return sign_refuse(e, failed,
			"Server failed to authenticate the request. Make sure the value of Authorization header is "
			"formed correctly including the signature.");
	return 0;
}

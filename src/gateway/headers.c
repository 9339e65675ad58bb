// SPDX-License-Identifier: Apache-2.0
// Which headers pass through the gateway. Both ways drop what belongs to one connection, and what a Connection header
// names. To a target go no credentials, no cookies and no header that only this side may set; the client gets no
// cookies and no internals.
#include "gateway/gateway_impl.h"

static bool named_by_connection(const struct http_headers *h, struct str name)
{
	for (size_t i = 0; i < h->count; i++)
		if (str_eq(h->items[i].name, S("connection")) && http_list_has(h->items[i].value, name))
			return true;
	return false;
}

static bool is_listed(const struct str *names, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static bool is_internal(struct str name)
{
	return str_starts(name, S("x-isobar-")) || str_starts(name, S("x-forwarded-")) ||
	       str_starts(name, S("x-gateway-"));
}

static bool passes_to_target(const struct http_headers *h, struct str name)
{
	static const struct str dropped[] = {S_INIT("host"), S_INIT("content-length"), S_INIT("expect"),
		S_INIT("authorization"), S_INIT("x-api-key"), S_INIT("api-key"), S_INIT("cookie"),
		S_INIT("x-request-id"), S_INIT("forwarded"), S_INIT("x-real-ip"), S_INIT("via")};
	return !http_is_hop_by_hop(name) && !is_listed(dropped, COUNT_OF(dropped), name) && !is_internal(name) &&
	       !named_by_connection(h, name);
}

static bool passes_to_client(const struct http_headers *h, struct str name)
{
	static const struct str dropped[] = {S_INIT("content-length"), S_INIT("set-cookie"), S_INIT("x-request-id"),
		S_INIT("date"), S_INIT("server"), S_INIT("via"), S_INIT("www-authenticate")};
	return !http_is_hop_by_hop(name) && !is_listed(dropped, COUNT_OF(dropped), name) && !is_internal(name) &&
	       !named_by_connection(h, name);
}

// Of a provider's service only what the protocol needs: the rest names accounts, variants and machines.
static bool passes_from_service(struct str name)
{
	static const struct str passed[] = {
		S_INIT("content-type"), S_INIT("content-encoding"), S_INIT("inference-header-content-length")};
	return is_listed(passed, COUNT_OF(passed), name);
}

bool headers_for_target(struct request *r, const struct http_header **out, size_t *count)
{
	const struct http_headers *given = &r->x->request.headers;
	struct http_header *items = arena_new_array(&r->x->arena, given->count + 1, struct http_header);
	size_t n = 0;
	if (!items)
		return false;
	for (size_t i = 0; i < given->count; i++)
		if (passes_to_target(given, given->items[i].name))
			items[n++] = given->items[i];
	items[n++] = (struct http_header){S("x-request-id"), r->id};
	*out = items;
	*count = n;
	return true;
}

// A vendor's content type with the length of the JSON becomes the protocol's header again.
static void restore_binary(struct request *r, const struct http_headers *given, struct http_header *type)
{
	struct str length = invoke_binary_length(type->value);
	if (!length.p)
		return;
	type->value = S("application/octet-stream");
	if (http_header_count(given, "inference-header-content-length") == 0) // some say it twice
		r->headers[r->header_count++] = (struct http_header){S("inference-header-content-length"), length};
}

// Copies: the target's answer ends before ours does.
bool headers_for_client(struct request *r, const struct http_response *answer)
{
	const struct http_headers *given = &answer->headers;
	struct arena *a = &r->x->arena;
	bool of_service = r->target->service != UPSTREAM_OPEN;
	r->headers = arena_new_array(a, given->count + 2, struct http_header);
	r->header_count = 0;
	if (!r->headers)
		return false;
	for (size_t i = 0; i < given->count; i++) {
		if (!passes_to_client(given, given->items[i].name) ||
			(of_service && !passes_from_service(given->items[i].name)))
			continue;
		struct http_header *copy = &r->headers[r->header_count++];
		copy->name = arena_str(a, given->items[i].name);
		copy->value = arena_str(a, given->items[i].value);
		if (!copy->name.p || !copy->value.p)
			return false;
		if (of_service && str_eq(copy->name, S("content-type")))
			restore_binary(r, given, copy);
	}
	r->headers[r->header_count++] = (struct http_header){S("x-request-id"), r->id};
	return true;
}

// "Authorization: Bearer KEY" or "X-Api-Key: KEY". Two credentials are ambiguous, whatever they say.
struct str request_credential(const struct http_headers *h, bool *ambiguous)
{
	struct str bearer = http_header_get(h, "authorization"), plain = http_header_get(h, "x-api-key");
	*ambiguous = http_header_count(h, "authorization") + http_header_count(h, "x-api-key") > 1;
	if (plain.p)
		return plain;
	if (!bearer.p)
		return bearer;
	bool is_bearer = bearer.n > 7 && str_eq_nocase(str_take(bearer, 7), S("Bearer "));
	return is_bearer ? str_trim(str_drop(bearer, 7)) : S("");
}

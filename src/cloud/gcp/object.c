// SPDX-License-Identifier: Apache-2.0
// Objects and errors of Cloud Storage as JSON. Source: "Objects" and "HTTP status and error codes for JSON", Cloud
// Storage JSON API.
#include "base/time.h"
#include "cloud/gcp/store_impl.h"
#include "cloud/http/object_fields.h"
#include "cloud/http/provider_error.h"

static const struct provider_code codes[] = {
	{"authError", ERR_UNAUTHENTICATED, false},
	{"backendError", ERR_UNAVAILABLE, true},
	{"conditionNotMet", ERR_CONFLICT, false},
	{"forbidden", ERR_DENIED, false},
	{"internalError", ERR_UNAVAILABLE, true},
	{"invalid", ERR_INVALID, false},
	{"notFound", ERR_NOT_FOUND, false},
	{"quotaExceeded", ERR_LIMIT, false},
	{"rateLimitExceeded", ERR_THROTTLED, true},
	{"required", ERR_UNAUTHENTICATED, false},
	{"uploadTooLarge", ERR_LIMIT, false},
	{"userRateLimitExceeded", ERR_THROTTLED, true},
};

// {"error": {"code": 404, "message": "...", "errors": [{"reason": "notFound"}]}}; a download's error is plain text.
int gcp_refused(struct call *c, struct provider *p, const struct transport_response *r)
{
	(void)p;
	json_t *body = NULL;
	struct provider_refusal refusal = {.status = r->status};
	if (json_parse(r->body, &body, NULL) == 0 && (body = json_in_arena(c->arena, body))) {
		const json_t *error = json_object_get(body, "error");
		const json_t *errors = json_object_get(error, "errors");
		refusal.code = json_str(json_array_get(errors, 0), "reason");
		refusal.message = json_str(error, "message");
	} else {
		refusal.message = r->body;
	}
	// "required" and "invalid" say different things under different statuses: these two decide.
	bool by_status = r->status == 401 || r->status == 412;
	int code = provider_fail(c, codes, by_status ? 0 : COUNT_OF(codes), &refusal);
	return code;
}

int gcp_parse(struct call *c, struct str body, const json_t **out)
{
	json_t *parsed = NULL;
	int r = json_parse(body, &parsed, &c->err);
	if (r)
		return call_fail(c, ERR_PROTOCOL, "the answer is not valid JSON: %s", c->err.message);
	parsed = json_in_arena(c->arena, parsed);
	if (!parsed)
		return call_no_memory(c);
	if (!json_is_object(parsed))
		return call_fail(c, ERR_PROTOCOL, "the answer is no JSON object");
	*out = parsed;
	return 0;
}

// Numbers of 64 bits are texts in this API.
int gcp_read_object(struct call *c, const json_t *resource, struct object *out)
{
	struct object o = {.key = json_str(resource, "name"),
		.etag = json_str(resource, "generation"),
		.content_type = json_str(resource, "contentType"),
		.metadata = json_object_get(resource, "metadata")};
	if (!o.key.n || !o.etag.n || str_to_u64(json_str(resource, "size"), &o.size))
		return call_fail(c, ERR_PROTOCOL, "the answer has an object without a name, a generation or a size");
	if (time_parse_rfc3339(json_str(resource, "updated"), &o.modified_ns))
		o.modified_ns = 0;
	o.has_crc32c = object_crc32c_read(json_str(resource, "crc32c"), &o.crc32c) == 0;
	*out = o;
	return 0;
}

int gcp_describe(struct call *c, const struct store_put *put, const uint32_t *crc, struct str *out)
{
	AUTO(json) j = json_object();
	AUTO(buf) text = {0};
	json_set_str(j, "name", put->key);
	json_set_str(j, "contentType", put->content_type.n ? put->content_type : S("application/octet-stream"));
	if (put->metadata)
		json_object_set_new(j, "metadata", json_deep_copy(put->metadata));
	if (crc)
		json_set_str(j, "crc32c", object_crc32c_text(c->arena, *crc));
	int r = json_write(j, &text, &c->err);
	if (r)
		return r;
	*out = arena_str(c->arena, buf_str(&text));
	return out->p ? 0 : call_no_memory(c);
}

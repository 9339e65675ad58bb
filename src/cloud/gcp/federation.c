// SPDX-License-Identifier: Apache-2.0
// Workload identity federation: see credentials_impl.h. The subject token comes from a file or an address, as text or as a
// member of JSON. Sources: AIP-4117 "External account credentials", RFC 8693.
#include "cloud/gcp/credentials_impl.h"

enum { TOKEN_LIMIT = 64 << 10 };

// {"type": "json", "subject_token_field_name": "token"}, or text as it is.
static int pick(struct call *c, const json_t *format, struct str text, struct str *out)
{
	if (!str_eq(json_str(format, "type"), S("json"))) {
		*out = str_trim(text);
		return 0;
	}
	AUTO(json) j = NULL;
	int r = json_parse(text, &j, &c->err);
	struct str token = json_str(j, "subject_token");
	struct str field = json_str(format, "subject_token_field_name");
	const char *name = field.n ? arena_cstr(c->arena, field) : NULL;
	if (name)
		token = json_str(j, name);
	if (!r && !token.n)
		r = call_fail(c, ERR_PROTOCOL, "the subject token's source has no member \"%.*s\"",
			STR(field.n ? str_clip(field, 40) : S("subject_token")));
	*out = arena_str(c->arena, token);
	return r ? r : out->p ? 0 : call_no_memory(c);
}

static int from_address(
	struct call *c, const struct credential_place *place, const json_t *source, struct str *text)
{
	struct transport_response answer = {0};
	const json_t *headers = json_object_get(source, "headers"), *value;
	const char *name;
	struct credential_request request = {.method = "GET",
		.url = json_str(source, "url"),
		.what = "the source of the subject token",
		.metadata = true};
	json_object_foreach((json_t *)(uintptr_t)headers, name, value)
	{
		if (request.header_count == COUNT_OF(request.headers))
			return call_fail(c, ERR_INVALID, "credential_source.headers has too many headers");
		request.headers[request.header_count++] =
			(struct sign_header){str_of(name), str_of(json_is_string(value) ? json_string_value(value) : "")};
	}
	int r = credential_ask(c, place, &request, &answer);
	if (!r && answer.status != 200)
		return credential_refuse(c, &request, &answer, S(""), S(""));
	*text = answer.body;
	return r;
}

static int subject_token(struct call *c, const struct credential_place *place, const json_t *source, struct str *out)
{
	struct str text = S(""), path = json_str(source, "file");
	int r;
	if (path.n)
		r = credential_file(c, path, TOKEN_LIMIT, &text);
	else if (json_str(source, "url").n)
		r = from_address(c, place, source, &text);
	else
		return call_fail(c, ERR_UNSUPPORTED,
			"credential_source has neither a file nor a url: programs and AWS requests as subject tokens are not "
			"read");
	return r ? call_context(c, "the subject token") : pick(c, json_object_get(source, "format"), text, out);
}

int gcp_exchange_external(struct call *c, const struct credential_place *place, const json_t *file, struct str scope,
	struct credential_made *out)
{
	AUTO(buf) form = {0};
	struct transport_response answer = {0};
	struct str token = S(""), url = json_str(file, "token_url");
	int r = subject_token(c, place, json_object_get(file, "credential_source"), &token);
	if (r)
		return r;
	if (!url.n)
		url = S("https://sts.googleapis.com/v1/token");
	credential_form_add(&form, "grant_type", S("urn:ietf:params:oauth:grant-type:token-exchange"));
	credential_form_add(&form, "audience", json_str(file, "audience"));
	credential_form_add(&form, "scope", scope);
	credential_form_add(&form, "requested_token_type", S("urn:ietf:params:oauth:token-type:access_token"));
	credential_form_add(&form, "subject_token_type", json_str(file, "subject_token_type"));
	credential_form_add(&form, "subject_token", token);
	return gcp_ask_token(c, place, url, &form, out, &answer);
}

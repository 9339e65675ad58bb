// SPDX-License-Identifier: Apache-2.0
// Application Default Credentials: see credentials.h. A chain keeps the credential file's members; those that are secret
// in memory that is wiped. What a file of the chain says is read anew for each token, since others replace it.
#include "cloud/gcp/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/gcp/credentials_impl.h"
#include "cloud/sign/jwt_rs256.h"

enum { LIFETIME_S = 3600, FILE_LIMIT = 64 << 10, SKEW_S = 30 };
#define FORM S("application/x-www-form-urlencoded")

struct gcp_chain {
	struct arena arena;
	struct credential_place place;
	struct secret file; // the credential file's text; empty: it is looked for
	struct str assume;  // service account to impersonate at the end; "": none
	struct str iam_url; // of IAM Credentials
	int64_t ahead_ns;   // of the token endpoint's clock
};

// ---------------------------------------------------------------- a token endpoint

int gcp_ask_token(struct call *c, const struct credential_place *place, struct str url, struct buf *form,
	struct credential_made *out, struct transport_response *answer)
{
	struct credential_request request = {.method = "POST",
		.url = url,
		.headers = {{S("content-type"), FORM}},
		.header_count = 1,
		.body = buf_str(form),
		.what = "the token endpoint"};
	int r = buf_check(form, &c->err);
	if (!r)
		r = credential_ask(c, place, &request, answer);
	if (form->p)
		secret_wipe(form->p, form->n);
	return r ? r : credential_token_read(c, &request, answer, out);
}

// ---------------------------------------------------------------- service accounts

static int ask_with_key(struct call *c, struct gcp_chain *chain, const json_t *file, struct str scope,
	struct credential_made *out, struct transport_response *answer)
{
	AUTO(buf) form = {0};
	int64_t now_s = (call_now_ns(c) + chain->ahead_ns) / NS_PER_S;
	struct str uri = json_str(file, "token_uri");
	struct jwt_claims claims = {.issuer = json_str(file, "client_email"),
		.audience = uri,
		.scope = scope,
		.issued_s = now_s,
		.expires_s = now_s + LIFETIME_S};
	buf_add(&form, S("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="));
	int r = jwt_rs256_make(
		json_str(file, "private_key"), json_str(file, "private_key_id"), &claims, &form, &c->err);
	return r ? r : gcp_ask_token(c, &chain->place, uri, &form, out, answer);
}

// An assertion of a clock that is wrong is refused; the refusal says the right time.
static int from_service_account(
	struct call *c, struct gcp_chain *chain, const json_t *file, struct str scope, struct credential_made *out)
{
	struct transport_response answer = {0};
	int r = ask_with_key(c, chain, file, scope, out, &answer);
	int64_t ahead = credential_answer_now_ns(c, &answer) - call_now_ns(c), off = ahead - chain->ahead_ns;
	if (r != ERR_UNAUTHENTICATED || (off < SKEW_S * NS_PER_S && off > -SKEW_S * NS_PER_S))
		return r;
	chain->ahead_ns = ahead;
	err_clear(&c->err);
	return ask_with_key(c, chain, file, scope, out, &answer);
}

// ---------------------------------------------------------------- users

static int from_user(
	struct call *c, struct gcp_chain *chain, const json_t *file, struct str scope, struct credential_made *out)
{
	AUTO(buf) form = {0};
	struct transport_response answer = {0};
	struct str uri = json_str(file, "token_uri");
	(void)scope; // a refresh token has its own
	buf_add(&form, S("grant_type=refresh_token"));
	credential_form_add(&form, "client_id", json_str(file, "client_id"));
	credential_form_add(&form, "client_secret", json_str(file, "client_secret"));
	credential_form_add(&form, "refresh_token", json_str(file, "refresh_token"));
	return gcp_ask_token(
		c, &chain->place, uri.n ? uri : S("https://oauth2.googleapis.com/token"), &form, out, &answer);
}

// ---------------------------------------------------------------- the metadata server

static int from_metadata(struct call *c, const struct gcp_chain *chain, struct str scope, struct credential_made *out)
{
	struct str host = credential_variable(&chain->place, "GCE_METADATA_HOST");
	struct transport_response answer = {0};
	AUTO(buf) encoded = {0};
	sign_uri_encode(scope, "", &encoded);
	struct credential_request request = {.method = "GET",
		.url = arena_printf(c->arena,
			"http://%.*s/computeMetadata/v1/instance/service-accounts/default/token?scopes=%.*s",
			STR(host.n ? host : S("169.254.169.254")), STR(buf_str(&encoded))),
		.headers = {{S("metadata-flavor"), S("Google")}},
		.header_count = 1,
		.what = "the metadata server",
		.metadata = true};
	int r = request.url.p ? credential_ask(c, &chain->place, &request, &answer) : call_no_memory(c);
	if (!r)
		return credential_token_read(c, &request, &answer, out);
	if ((r != ERR_UNAVAILABLE && r != ERR_DENIED) || host.n)
		return r;
	return call_fail(c, ERR_NOT_FOUND,
		"no credentials of Google Cloud: GOOGLE_APPLICATION_CREDENTIALS names no file, "
		"~/.config/gcloud/application_default_credentials.json is not there, and no metadata server answers");
}

// ---------------------------------------------------------------- impersonation

int gcp_impersonate(struct call *c, const struct gcp_impersonation *i, struct credential_made *with)
{
	AUTO(json) body = json_object();
	AUTO(json) answered = NULL;
	AUTO(buf) text = {0};
	struct transport_response answer = {0};
	json_t *scopes = json_array();
	json_array_append_new(scopes, json_of_str(i->scope));
	json_object_set_new(body, "scope", scopes);
	json_object_set_new(body, "lifetime", json_string("3600s"));
	if (json_array_size(i->delegates))
		json_object_set(body, "delegates", (json_t *)(uintptr_t)i->delegates);
	struct credential_request request = {.method = "POST",
		.url = i->url,
		.headers = {{S("content-type"), S("application/json")},
			{S("authorization"), arena_printf(c->arena, "Bearer %.*s", STR(secret_str(&with->token)))}},
		.header_count = 2,
		.what = "IAM Credentials"};
	int r = json_write(body, &text, &c->err);
	request.body = buf_str(&text);
	if (!r)
		r = credential_ask(c, i->place, &request, &answer);
	bool parsed = !r && json_parse(answer.body, &answered, NULL) == 0;
	const json_t *error = json_object_get(answered, "error");
	if (!r && answer.status != 200)
		return credential_refuse(c, &request, &answer, json_str(error, "status"), json_str(error, "message"));
	if (!r && (!parsed || !json_str(answered, "accessToken").n))
		r = call_fail(c, ERR_PROTOCOL, "the answer of IAM Credentials has no accessToken");
	if (!r)
		r = credential_lifetime(c, &answer, json_str(answered, "expireTime"), &with->lifetime_ns);
	return r ? r : secret_set(&with->token, json_str(answered, "accessToken"), &c->err);
}

static int from_file(
	struct call *c, struct gcp_chain *chain, const json_t *file, struct str scope, struct credential_made *out);

static int from_impersonated(
	struct call *c, struct gcp_chain *chain, const json_t *file, struct str scope, struct credential_made *out)
{
	struct gcp_impersonation i = {.place = &chain->place,
		.url = json_str(file, "service_account_impersonation_url"),
		.delegates = json_object_get(file, "delegates"),
		.scope = scope};
	const json_t *source = json_object_get(file, "source_credentials");
	if (!i.url.n || str_eq(json_str(source, "type"), S("impersonated_service_account")))
		return call_fail(c, ERR_INVALID, "impersonated credentials need service_account_impersonation_url and "
						 "source_credentials of another type");
	int r = from_file(c, chain, source, GCP_CLOUD_SCOPE, out);
	return r ? r : gcp_impersonate(c, &i, out);
}

static int from_external(
	struct call *c, struct gcp_chain *chain, const json_t *file, struct str scope, struct credential_made *out)
{
	struct gcp_impersonation i = {.place = &chain->place,
		.url = json_str(file, "service_account_impersonation_url"),
		.scope = scope};
	int r = gcp_exchange_external(c, &chain->place, file, i.url.n ? GCP_CLOUD_SCOPE : scope, out);
	return r || !i.url.n ? r : gcp_impersonate(c, &i, out);
}

// ---------------------------------------------------------------- files

static int from_file(
	struct call *c, struct gcp_chain *chain, const json_t *file, struct str scope, struct credential_made *out)
{
	static const struct {
		const char *type;
		int (*make)(struct call *, struct gcp_chain *, const json_t *, struct str, struct credential_made *);
	} types[] = {{"service_account", from_service_account}, {"authorized_user", from_user},
		{"external_account", from_external}, {"impersonated_service_account", from_impersonated}};
	struct str type = json_str(file, "type");
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (str_eq(type, str_of(types[i].type)))
			return types[i].make(c, chain, file, scope, out);
	}
	return call_fail(c, ERR_INVALID, "credentials of Google Cloud of type \"%.*s\" are not known",
		STR(str_clip(type, 40)));
}

// ERR_NOT_FOUND where neither place has one.
static int find_file(struct call *c, const struct gcp_chain *chain, struct str *text)
{
	struct str named = credential_variable(&chain->place, "GOOGLE_APPLICATION_CREDENTIALS");
	struct str path = named.n ? named
				  : credential_home(c, &chain->place, ".config/gcloud/application_default_credentials.json");
	const char *name = path.n ? arena_cstr(c->arena, path) : NULL;
	if (!name || (!named.n && !file_exists(name)))
		return call_fail(c, ERR_NOT_FOUND, "no credential file");
	int r = credential_file(c, path, FILE_LIMIT, text);
	if (r == ERR_NOT_FOUND) // it is named, so that it should be there
		c->err.code = r = ERR_INVALID;
	return r;
}

static int make_first(struct call *c, struct gcp_chain *chain, struct str scope, struct credential_made *out)
{
	AUTO(json) file = NULL;
	struct str text = secret_str(&chain->file);
	int r = text.n ? 0 : find_file(c, chain, &text);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return from_metadata(c, chain, scope, out);
	}
	if (!r)
		r = json_parse(text, &file, &c->err);
	return r ? call_context(c, "credentials of Google Cloud") : from_file(c, chain, file, scope, out);
}

static int make(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	struct gcp_chain *chain = ctx;
	if (!chain->assume.n)
		return make_first(c, chain, audience, out);
	struct gcp_impersonation i = {.place = &chain->place, .scope = audience};
	i.url = arena_printf(c->arena, "%.*s/v1/projects/-/serviceAccounts/%.*s:generateAccessToken",
		STR(chain->iam_url), STR(chain->assume));
	int r = i.url.p ? make_first(c, chain, GCP_CLOUD_SCOPE, out) : call_no_memory(c);
	return r ? r : gcp_impersonate(c, &i, out);
}

static void close_chain(void *ctx)
{
	struct gcp_chain *chain = ctx;
	secret_free(&chain->file);
	arena_free(&chain->arena);
	free(chain);
}

static const struct credential_ops gcp_credential_ops = {.make = make, .close = close_chain};

// ---------------------------------------------------------------- opening

static int check_service_account(const json_t *j, struct err *e)
{
	struct str value;
	static const char *const needed[] = {"client_email", "private_key", "token_uri"};
	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		int r = json_need_str(j, needed[i], &value, e);
		if (r)
			return err_context(e, "credentials of Google Cloud");
	}
	return 0;
}

static int keep_file(struct gcp_chain *chain, const json_t *j, struct err *e)
{
	AUTO(buf) text = {0};
	struct str type = json_str(j, "type");
	if (json_flag(j, "chain", false))
		return 0;
	if (!type.n)
		return err_set(e, ERR_INVALID, "credentials of Google Cloud: \"type\" is not \"service_account\" or another of its kind");
	int r = str_eq(type, S("service_account")) ? check_service_account(j, e) : 0;
	buf_reserve(&text, 16 << 10); // in one piece: growing would leave copies of the secret behind
	if (!r)
		r = json_write(j, &text, e);
	if (!r)
		r = secret_set(&chain->file, buf_str(&text), e);
	if (text.p)
		secret_wipe(text.p, text.n);
	return r;
}

int gcp_credentials_open(const struct credential_options *o, struct credential_source **out, struct err *e)
{
	struct gcp_chain *chain = calloc(1, sizeof(*chain));
	if (!chain)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	credential_place_init(&chain->place, o);
	chain->assume = arena_str(&chain->arena, json_str(o->config->credentials, "assume"));
	chain->iam_url = gcp_service_url(&chain->arena, o->config, GCP_API_IAM_CREDENTIALS);
	int r = keep_file(chain, o->config->credentials, e);
	if (!r && (!chain->assume.p || !chain->iam_url.p))
		r = err_set(e, ERR_NO_MEMORY, "out of memory");
	if (r) {
		close_chain(chain);
		return r;
	}
	return credential_source_new(&gcp_credential_ops, chain, out, e);
}

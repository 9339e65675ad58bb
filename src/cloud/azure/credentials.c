// SPDX-License-Identifier: Apache-2.0
// Tokens of Entra, from the first of an application's proofs or the managed identity: see credentials.h.
#include "cloud/azure/credentials.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/time.h"
#include "cloud/azure/services.h"
#include "cloud/sign/jwt_rs256.h"

enum { FILE_LIMIT = 64 << 10, ASSERTION_S = 600, SKEW_S = 30 };
#define ASSERTION_TYPE S("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")

struct azure_chain {
	struct arena arena;
	struct credential_place place;
	struct str authority; // "https://login.microsoftonline.com"
	struct str tenant, client_id, token_file;
	struct secret client_secret, certificate;
	bool chain, managed;
	int64_t ahead_ns; // of Entra's clock
};

struct application { // of the config or of the environment
	struct str tenant, client_id, client_secret, certificate, token_file;
};

// ---------------------------------------------------------------- applications

static int ask_entra(struct call *c, const struct azure_chain *chain, const struct application *app, struct buf *form,
	struct credential_made *out, struct transport_response *answer)
{
	struct credential_request request = {.method = "POST",
		.url = arena_printf(
			c->arena, "%.*s/%.*s/oauth2/v2.0/token", STR(chain->authority), STR(app->tenant)),
		.headers = {{S("content-type"), S("application/x-www-form-urlencoded")}},
		.header_count = 1,
		.body = buf_str(form),
		.what = "Entra"};
	int r = request.url.p ? buf_check(form, &c->err) : call_no_memory(c);
	if (!r)
		r = credential_ask(c, &chain->place, &request, answer);
	if (form->p)
		secret_wipe(form->p, form->n);
	return r ? r : credential_token_read(c, &request, answer, out);
}

static void begin_form(struct buf *form, const struct application *app, struct str scope)
{
	buf_reserve(form, 32 << 10); // in one piece: growing would leave copies of the secret behind
	buf_add(form, S("grant_type=client_credentials"));
	credential_form_add(form, "client_id", app->client_id);
	credential_form_add(form, "scope", scope);
}

static int from_secret(struct call *c, const struct azure_chain *chain, const struct application *app,
	struct str scope, struct credential_made *out)
{
	AUTO(buf) form = {0};
	struct transport_response answer = {0};
	begin_form(&form, app, scope);
	credential_form_add(&form, "client_secret", app->client_secret);
	return ask_entra(c, chain, app, &form, out, &answer);
}

static int from_federation(struct call *c, const struct azure_chain *chain, const struct application *app,
	struct str scope, struct credential_made *out)
{
	AUTO(buf) form = {0};
	struct transport_response answer = {0};
	struct str token = S("");
	int r = credential_file(c, app->token_file, FILE_LIMIT, &token);
	if (r == ERR_NOT_FOUND) // it is named, so that it should be there
		c->err.code = r = ERR_INVALID;
	if (r)
		return call_context(c, "the federated token");
	begin_form(&form, app, scope);
	credential_form_add(&form, "client_assertion_type", ASSERTION_TYPE);
	credential_form_add(&form, "client_assertion", token);
	return ask_entra(c, chain, app, &form, out, &answer);
}

// ---------------------------------------------------------------- certificates

// The SHA-256 of the certificate, as the header of an assertion names it.
static int thumbprint(struct call *c, struct str pem, struct buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	BIO *bio = pem.n && pem.n < FILE_LIMIT ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	bool done = certificate && X509_digest(certificate, EVP_sha256(), digest, &n) == 1;
	X509_free(certificate);
	BIO_free(bio);
	if (!done)
		return call_fail(c, ERR_INVALID, "the certificate of the application is no certificate in PEM");
	base64url_encode(str_bytes(digest, n), out);
	return 0;
}

static int random_id(struct call *c, char hex[33])
{
	unsigned char bytes[16];
	if (c->edges->random(c->edges->ctx, bytes, sizeof(bytes)))
		return call_fail(c, ERR_IO, "the system gave no random bytes");
	hex_encode(str_bytes(bytes, sizeof(bytes)), hex);
	return 0;
}

static int make_assertion(struct call *c, const struct azure_chain *chain, const struct application *app,
	struct buf *out)
{
	AUTO(buf) print = {0};
	char id[33];
	int64_t now_s = (call_now_ns(c) + chain->ahead_ns) / NS_PER_S;
	int r = thumbprint(c, app->certificate, &print);
	if (!r)
		r = random_id(c, id);
	if (r)
		return r;
	struct str audience = arena_printf(
		c->arena, "%.*s/%.*s/oauth2/v2.0/token", STR(chain->authority), STR(app->tenant));
	AUTO(json) header = json_pack("{s:s, s:s}", "alg", "RS256", "typ", "JWT");
	AUTO(json) claims = json_pack("{s:I, s:I, s:I, s:s}", "nbf", (json_int_t)now_s, "iat", (json_int_t)now_s, "exp",
		(json_int_t)(now_s + ASSERTION_S), "jti", id);
	json_set_str(header, "x5t#S256", buf_str(&print));
	json_set_str(claims, "aud", audience);
	json_set_str(claims, "iss", app->client_id);
	json_set_str(claims, "sub", app->client_id);
	return jwt_rs256_make_json(app->certificate, header, claims, out, &c->err);
}

static int ask_with_certificate(struct call *c, const struct azure_chain *chain, const struct application *app,
	struct str scope, struct credential_made *out, struct transport_response *answer)
{
	AUTO(buf) form = {0};
	AUTO(buf) assertion = {0};
	int r = make_assertion(c, chain, app, &assertion);
	begin_form(&form, app, scope);
	credential_form_add(&form, "client_assertion_type", ASSERTION_TYPE);
	credential_form_add(&form, "client_assertion", buf_str(&assertion));
	return r ? r : ask_entra(c, chain, app, &form, out, answer);
}

// An assertion of a clock that is wrong is refused; the refusal says the right time.
static int from_certificate(struct call *c, struct azure_chain *chain, const struct application *app, struct str scope,
	struct credential_made *out)
{
	struct transport_response answer = {0};
	int r = ask_with_certificate(c, chain, app, scope, out, &answer);
	int64_t ahead = credential_answer_now_ns(c, &answer) - call_now_ns(c), off = ahead - chain->ahead_ns;
	if (r != ERR_UNAUTHENTICATED || (off < SKEW_S * NS_PER_S && off > -SKEW_S * NS_PER_S))
		return r;
	chain->ahead_ns = ahead;
	err_clear(&c->err);
	return ask_with_certificate(c, chain, app, scope, out, &answer);
}

// ---------------------------------------------------------------- managed identities

// A resource is a scope without its end.
static void add_resource(struct buf *url, struct str scope)
{
	struct str resource = str_ends(scope, S("/.default")) ? str_take(scope, scope.n - sizeof("/.default") + 1) : scope;
	credential_form_add(url, "resource", resource);
}

static struct str identity_query(
	struct call *c, const struct azure_chain *chain, const char *version, struct str scope)
{
	AUTO(buf) query = {0};
	buf_printf(&query, "api-version=%s", version);
	add_resource(&query, scope);
	bool old = str_eq(str_of(version), S("2017-09-01")); // where the parameter is written in one word
	struct str client_id = chain->client_id.n || !old ? chain->client_id
							  : credential_variable(&chain->place, "DEFAULT_IDENTITY_CLIENT_ID");
	if (client_id.n)
		credential_form_add(&query, old ? "clientid" : "client_id", client_id);
	return query.failed ? (struct str){0} : arena_str(c->arena, buf_str(&query));
}

// What App Service, and in jobs of its own Azure ML, say in the environment.
struct identity_place {
	const char *endpoint, *secret; // variables
	const char *header, *version, *what;
};
static const struct identity_place identity_places[] = {
	{"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "x-identity-header", "2019-08-01", "the managed identity of App Service"},
	{"MSI_ENDPOINT", "MSI_SECRET", "secret", "2017-09-01", "the managed identity of Azure ML"},
};

static int from_place(struct call *c, const struct azure_chain *chain, const struct identity_place *place,
	struct str scope, struct credential_made *out)
{
	struct str endpoint = credential_variable(&chain->place, place->endpoint);
	struct str query = identity_query(c, chain, place->version, scope);
	struct transport_response answer = {0};
	struct credential_request request = {.method = "GET",
		.url = arena_printf(c->arena, "%.*s?%.*s", STR(endpoint), STR(query)),
		.headers = {{str_of(place->header), credential_variable(&chain->place, place->secret)}},
		.header_count = 1,
		.what = place->what,
		.metadata = true};
	int r = query.p && request.url.p ? credential_ask(c, &chain->place, &request, &answer) : call_no_memory(c);
	return r ? r : credential_token_read(c, &request, &answer, out);
}

static int from_instance(struct call *c, const struct azure_chain *chain, struct str scope, struct credential_made *out)
{
	struct str host = credential_variable(&chain->place, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
	struct str query = identity_query(c, chain, "2018-02-01", scope);
	struct transport_response answer = {0};
	while (str_ends(host, S("/")))
		host.n--;
	struct credential_request request = {.method = "GET",
		.url = arena_printf(c->arena, "%.*s/metadata/identity/oauth2/token?%.*s",
			STR(host.n ? host : S("http://169.254.169.254")), STR(query)),
		.headers = {{S("metadata"), S("true")}},
		.header_count = 1,
		.what = "the instance metadata service",
		.metadata = true};
	int r = query.p && request.url.p ? credential_ask(c, &chain->place, &request, &answer) : call_no_memory(c);
	if (!r)
		return credential_token_read(c, &request, &answer, out);
	if ((r != ERR_UNAVAILABLE && r != ERR_DENIED) || chain->managed)
		return r;
	return call_fail(c, ERR_NOT_FOUND,
		"no credentials of Azure: not in the environment (AZURE_TENANT_ID, AZURE_CLIENT_ID with AZURE_CLIENT_SECRET, "
		"AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE), and no managed identity answers");
}

static int from_identity(struct call *c, const struct azure_chain *chain, struct str scope, struct credential_made *out)
{
	for (size_t i = 0; i < COUNT_OF(identity_places); i++)
		if (credential_variable(&chain->place, identity_places[i].endpoint).n &&
			credential_variable(&chain->place, identity_places[i].secret).n)
			return from_place(c, chain, &identity_places[i], scope, out);
	return from_instance(c, chain, scope, out);
}

// ---------------------------------------------------------------- the chain

static int application_of_environment(struct call *c, const struct azure_chain *chain, struct application *app)
{
	const struct credential_place *p = &chain->place;
	struct str path = credential_variable(p, "AZURE_CLIENT_CERTIFICATE_PATH");
	*app = (struct application){.tenant = credential_variable(p, "AZURE_TENANT_ID"),
		.client_id = credential_variable(p, "AZURE_CLIENT_ID"),
		.client_secret = credential_variable(p, "AZURE_CLIENT_SECRET"),
		.certificate = S(""),
		.token_file = credential_variable(p, "AZURE_FEDERATED_TOKEN_FILE")};
	int r = path.n ? credential_file(c, path, FILE_LIMIT, &app->certificate) : 0;
	return r ? call_context(c, "AZURE_CLIENT_CERTIFICATE_PATH") : 0;
}

static int make(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	struct azure_chain *chain = ctx;
	struct application app = {.tenant = chain->tenant,
		.client_id = chain->client_id,
		.client_secret = secret_str(&chain->client_secret),
		.certificate = secret_str(&chain->certificate),
		.token_file = chain->token_file};
	int r = chain->chain ? application_of_environment(c, chain, &app) : 0;
	bool named = app.tenant.n && app.client_id.n;
	if (r)
		return r;
	if (named && app.client_secret.n)
		return from_secret(c, chain, &app, audience, out);
	if (named && app.certificate.n)
		return from_certificate(c, chain, &app, audience, out);
	if (named && app.token_file.n)
		return from_federation(c, chain, &app, audience, out);
	return from_identity(c, chain, audience, out);
}

static void close_chain(void *ctx)
{
	struct azure_chain *chain = ctx;
	secret_free(&chain->client_secret);
	secret_free(&chain->certificate);
	arena_free(&chain->arena);
	free(chain);
}

static const struct credential_ops azure_credential_ops = {.make = make, .close = close_chain};

// ---------------------------------------------------------------- opening

bool azure_credentials_give_tokens(const json_t *j)
{
	return json_flag(j, "chain", false) || json_flag(j, "managed_identity", false) || json_str(j, "client_secret").n ||
	       json_str(j, "certificate").n || json_str(j, "federated_token_file").n;
}

static int fill(struct azure_chain *chain, const struct credential_options *o, struct err *e)
{
	const json_t *j = o->config->credentials;
	struct arena *a = &chain->arena;
	credential_place_init(&chain->place, o);
	struct str authority = credential_variable(&chain->place, "AZURE_AUTHORITY_HOST");
	chain->chain = json_flag(j, "chain", false);
	chain->managed = json_flag(j, "managed_identity", false);
	chain->tenant = arena_str(a, json_str(j, "tenant"));
	chain->client_id = arena_str(a, json_str(j, "client_id"));
	chain->token_file = arena_str(a, json_str(j, "federated_token_file"));
	chain->authority = chain->chain && authority.n && !o->config->identity_url.n
				   ? arena_str(a, authority)
				   : azure_service_url(a, o->config, AZURE_API_ENTRA);
	if (!chain->tenant.p || !chain->client_id.p || !chain->token_file.p || !chain->authority.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	while (str_ends(chain->authority, S("/")))
		chain->authority.n--;
	int r = secret_set(&chain->client_secret, json_str(j, "client_secret"), e);
	if (!r)
		r = secret_set(&chain->certificate, json_str(j, "certificate"), e);
	bool application = !chain->chain && !chain->managed;
	if (!r && application && (!chain->tenant.n || !chain->client_id.n))
		r = err_set(e, ERR_INVALID, "credentials of Azure: tenant and client_id are needed");
	return r;
}

int azure_credentials_open(const struct credential_options *o, struct credential_source **out, struct err *e)
{
	struct azure_chain *chain = calloc(1, sizeof(*chain));
	if (!chain)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int r = fill(chain, o, e);
	if (r) {
		close_chain(chain);
		return r;
	}
	return credential_source_new(&azure_credential_ops, chain, out, e);
}

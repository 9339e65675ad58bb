// SPDX-License-Identifier: Apache-2.0
// Who asks: a service account proves itself with a JWT it signed (RFC 7523) and gets an access token for an hour. A
// token is its own proof (expiry, scope, HMAC), so that the pocket keeps no list of them and a restart ends none.
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "cloud/sign/jwt_rs256.h"
#include "pocket/gcp/tokens.h"

enum { RSA_BITS = 2048, LEEWAY_S = 60, MAX_FORM = 64 << 10 };

// ---------------------------------------------------------------- POST /token

static int check_assertion(struct front_request *r, struct str assertion, struct jwt_claims *claims)
{
	const struct gcs_keys *keys = r->keys;
	struct jwt_expect own = {
		.audience = buf_str(&keys->token_uri), .now_s = front_now_ns(r) / NS_PER_S, .leeway_s = LEEWAY_S};
	struct jwt_expect google = own;
	// Google's own library names Google's endpoint in its assertions, wherever token_uri points.
	google.audience = S("https://oauth2.googleapis.com/token");
	int rc = jwt_rs256_verify(assertion, buf_str(&keys->public_key), &own, r->arena, claims, &r->err);
	if (rc == ERR_UNAUTHENTICATED &&
		jwt_rs256_verify(assertion, buf_str(&keys->public_key), &google, r->arena, claims, NULL) == 0)
		rc = 0;
	if (rc == 0 && !str_eq(claims->issuer, buf_str(&keys->email)))
		rc = err_set(&r->err, ERR_UNAUTHENTICATED, "the service account %.*s is not known here",
			STR(str_take(claims->issuer, 200)));
	return rc;
}

static void form_done(struct front_request *r, struct str form)
{
	struct jwt_claims claims = {0};
	struct str token;
	const struct gcs_keys *keys = r->keys;
	if (!str_eq(gcp_form_get(r, form, S("grant_type")), S("urn:ietf:params:oauth:grant-type:jwt-bearer"))) {
		gcp_oauth_error(r, 400, "unsupported_grant_type", "Invalid grant_type");
		return;
	}
	if (check_assertion(r, gcp_form_get(r, form, S("assertion")), &claims) < 0) {
		AUTO(buf) description = {0};
		buf_printf(&description, "Invalid JWT: %s", r->err.message);
		gcp_oauth_error(r, 400, "invalid_grant", buf_cstr(&description));
		return;
	}
	enum gcs_scope scope = gcp_scope_of(claims.scope);
	if (scope == GCS_NONE) {
		gcp_oauth_error(r, 400, "invalid_scope", "The JWT asks for no scope of Cloud Storage");
		return;
	}
	struct gcp_grant grant = {.account = buf_str(&keys->email), .scope = scope, .lifetime_s = GCS_TOKEN_LIFETIME_S};
	if (gcp_token_make(r->pocket, &grant, r->arena, &token, &r->err) < 0) {
		gcs_fail(r);
		return;
	}
	json_t *j = json_pack("{s:i, s:s}", "expires_in", GCS_TOKEN_LIFETIME_S, "token_type", "Bearer");
	json_set_str(j, "access_token", token);
	gcs_reply_json(r, j);
}

void gcs_token(struct front_request *r)
{
	front_add(r, "cache-control", S("no-store"));
	front_collect(r, MAX_FORM, form_done);
}

// ---------------------------------------------------------------- keys

static int write_keys(struct pocket *p, struct str public_key, struct err *e)
{
	unsigned char secret[GCS_SECRET_SIZE];
	AUTO(buf) text = {0};
	AUTO(json) j = json_object();
	int rc = pocket_random(p, secret, sizeof(secret), e);
	if (rc < 0)
		return rc;
	base64_encode(str_bytes(secret, sizeof(secret)), &text);
	json_set_str(j, "public_key", public_key);
	json_set_str(j, "token_secret", buf_str(&text));
	explicit_bzero(text.p, text.n);
	return pocket_write_json(p, "keys.json", j, e);
}

static int write_credentials(struct pocket *p, struct str private_key, struct str public_key, struct err *e)
{
	AUTO(buf) project = {0};
	AUTO(buf) text = {0};
	AUTO(json) j = json_object();
	struct sha256 id = sha256_of(public_key);
	char hex[HEX_SHA256_SIZE];
	pocket_plain_name(p, true, 24, &project);
	hex_encode(str_bytes(id.bytes, 20), hex);
	json_object_set_new(j, "type", json_string("service_account"));
	json_set_str(j, "project_id", buf_str(&project));
	json_object_set_new(j, "private_key_id", json_string(hex));
	json_set_str(j, "private_key", private_key);
	buf_printf(&text, "pocket@%s.iam.gserviceaccount.com", buf_cstr(&project));
	json_set_str(j, "client_email", buf_str(&text));
	buf_clear(&text);
	buf_printf(&text, "%s/token", p->url);
	json_set_str(j, "token_uri", buf_str(&text));
	return pocket_write_json(p, "credentials.json", j, e);
}

// The pocket keeps the public half only; a start that was killed between the two files makes both anew.
static int make_credentials(struct pocket *p, struct err *e)
{
	AUTO(buf) private_key = {0};
	AUTO(buf) public_key = {0};
	int rc = jwt_rs256_make_key(RSA_BITS, &private_key, &public_key, e);
	if (rc == 0)
		rc = write_keys(p, buf_str(&public_key), e);
	if (rc == 0)
		rc = write_credentials(p, buf_str(&private_key), buf_str(&public_key), e);
	if (private_key.p)
		explicit_bzero(private_key.p, private_key.n);
	return rc;
}

static int read_members(const json_t *credentials, const json_t *own, struct gcs_keys *keys, struct err *e)
{
	struct str email = {0}, id = {0}, public_key = {0}, secret = {0};
	int rc = json_need_str(credentials, "client_email", &email, e);
	if (rc == 0)
		rc = json_need_str(credentials, "private_key_id", &id, e);
	if (rc == 0)
		rc = json_need_str(own, "public_key", &public_key, e);
	if (rc == 0)
		rc = json_need_str(own, "token_secret", &secret, e);
	if (rc == 0 && front_base64(secret, keys->secret, GCS_SECRET_SIZE) < 0)
		rc = err_set(e, ERR_CORRUPT, "token_secret is not %d bytes in base64", GCS_SECRET_SIZE);
	if (rc < 0)
		return rc;
	buf_add(&keys->email, email);
	buf_add(&keys->key_id, id);
	buf_add(&keys->public_key, public_key);
	return 0;
}

// Where the port changed, the file for clients must say so.
static int refresh_uri(struct pocket *p, json_t *credentials, struct gcs_keys *keys, struct err *e)
{
	buf_printf(&keys->token_uri, "%s/token", p->url);
	if (str_eq(json_str(credentials, "token_uri"), buf_str(&keys->token_uri)))
		return 0;
	json_set_str(credentials, "token_uri", buf_str(&keys->token_uri));
	return pocket_write_json(p, "credentials.json", credentials, e);
}

static int read_files(const struct pocket *p, json_t **credentials, json_t **own, struct err *e)
{
	json_decref(*credentials);
	*credentials = NULL;
	int rc = pocket_read_json(p, "credentials.json", credentials, e);
	return rc < 0 ? rc : pocket_read_json(p, "keys.json", own, e);
}

int gcs_keys_open(struct pocket *p, void **out, struct err *e)
{
	AUTO(json) credentials = NULL;
	AUTO(json) own = NULL;
	int rc = read_files(p, &credentials, &own, e);
	if (rc == ERR_NOT_FOUND) {
		rc = make_credentials(p, e);
		if (rc == 0)
			rc = read_files(p, &credentials, &own, e);
	}
	struct gcs_keys *keys = rc == 0 ? calloc(1, sizeof(*keys)) : NULL;
	if (rc == 0 && !keys)
		rc = err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = read_members(credentials, own, keys, e);
	if (rc == 0)
		rc = refresh_uri(p, credentials, keys, e);
	if (rc == 0) {
		*out = keys;
		return 0;
	}
	gcs_keys_free(keys);
	return err_context(e, "the keys of the pocket cloud in %s", p->root);
}

void gcs_keys_free(void *p)
{
	struct gcs_keys *keys = p;
	if (!keys)
		return;
	for (size_t i = 0; i < GCS_FINISHED; i++)
		buf_free(&keys->finished[i].key);
	explicit_bzero(keys->secret, sizeof(keys->secret));
	buf_free(&keys->email);
	buf_free(&keys->key_id);
	buf_free(&keys->public_key);
	buf_free(&keys->token_uri);
	free(keys);
}

// SPDX-License-Identifier: Apache-2.0
// Access tokens of a pocket Google Cloud, and what their holders may: see tokens.h.
#include "pocket/gcp/tokens.h"

#include <string.h>

#include "base/time.h"

#define TOKEN_PREFIX S("ya29.")
enum { TOKEN_MAX = 4096 };

// ---------------------------------------------------------------- names

struct str gcp_project(const struct pocket *p, struct arena *a)
{
	AUTO(buf) project = {0};
	pocket_plain_name(p, true, 24, &project);
	return arena_str(a, buf_str(&project));
}

struct str gcp_account_address(const struct pocket *p, struct arena *a, struct str id)
{
	struct str project = gcp_project(p, a);
	return arena_printf(a, "%.*s@%.*s.iam.gserviceaccount.com", STR(id), STR(project));
}

static bool is_owner(const struct pocket *p, struct str account)
{
	const struct gcs_keys *keys = p->keys;
	return str_eq(account, buf_str(&keys->email));
}

bool gcp_account_known(struct pocket *p, struct str address)
{
	return is_owner(p, address) || (address.n && docs_get(p, GCP_ACCOUNTS, address, NULL));
}

// ---------------------------------------------------------------- tokens

static struct sha256 proof_of(const struct pocket *p, const char *use, struct str text)
{
	const struct gcs_keys *keys = p->keys;
	struct sha256 key = hmac_sha256(str_bytes(keys->secret, GCS_SECRET_SIZE), str_of(use));
	return hmac_sha256(str_bytes(key.bytes, SHA256_SIZE), text);
}

int gcp_token_make(
	struct pocket *p, const struct gcp_grant *grant, struct arena *a, struct str *out, struct err *e)
{
	int64_t now_ns = p->edges->wall_ns(p->edges->ctx);
	unsigned char nonce[8];
	char hex[17];
	AUTO(buf) text = {0};
	AUTO(buf) whole = {0};
	AUTO(buf) token = {0};
	int rc = pocket_random(p, nonce, sizeof(nonce), e);
	hex_encode(str_bytes(nonce, sizeof(nonce)), hex);
	AUTO(json) j = json_pack("{s:I, s:I, s:i, s:s}", "e", (json_int_t)(now_ns / NS_PER_S + grant->lifetime_s), "i",
		(json_int_t)(now_ns / 1000000), "s", (int)grant->scope, "n", hex);
	json_set_str(j, "a", grant->account);
	if (rc == 0)
		rc = json_write(j, &text, e);
	if (rc < 0)
		return rc;
	struct sha256 proof = proof_of(p, "access token", buf_str(&text));
	buf_add_bytes(&whole, (const char *)proof.bytes, SHA256_SIZE);
	buf_add(&whole, buf_str(&text));
	buf_add(&token, TOKEN_PREFIX);
	base64url_encode(buf_str(&whole), &token);
	*out = arena_str(a, buf_str(&token));
	return out->p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

// NULL for what is no token of this pocket.
static json_t *open_token(const struct pocket *p, struct str token)
{
	AUTO(buf) whole = {.limit = TOKEN_MAX};
	json_t *j = NULL;
	if (!str_starts(token, TOKEN_PREFIX) || base64url_decode(str_drop(token, TOKEN_PREFIX.n), &whole) < 0 ||
		whole.n <= SHA256_SIZE)
		return NULL;
	struct str text = str_drop(buf_str(&whole), SHA256_SIZE);
	struct sha256 proof = proof_of(p, "access token", text);
	if (!hash_equal(proof.bytes, whole.p, SHA256_SIZE) || json_parse(text, &j, NULL) < 0)
		return NULL;
	return j;
}

int gcp_token_open(struct front_request *r, struct str token, struct gcp_opened *out)
{
	AUTO(json) j = open_token(r->pocket, token);
	*out = (struct gcp_opened){.scope = GCS_NONE, .account = S("")};
	int64_t issued_ns = json_int(j, "i", 0) * 1000000;
	struct str account = arena_str(r->arena, json_str(j, "a"));
	bool ended = json_int(j, "e", 0) <= front_now_ns(r) / NS_PER_S || issued_ns <= r->pocket->tokens_ended_ns;
	if (!j || ended)
		return 0;
	bool federated = str_starts(account, S("principal://"));
	if (!account.p || (!federated && !gcp_account_known(r->pocket, account)))
		return account.p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	out->account = account;
	out->scope = (enum gcs_scope)json_int(j, "s", GCS_NONE);
	out->ends_s = json_int(j, "e", 0);
	return gcp_be(r, account);
}

enum gcs_scope gcp_scope_of(struct str scopes)
{
	static const char *const writing[] = {"https://www.googleapis.com/auth/cloud-platform",
		"https://www.googleapis.com/auth/devstorage.full_control",
		"https://www.googleapis.com/auth/devstorage.read_write"};
	static const char *const reading[] = {"https://www.googleapis.com/auth/devstorage.read_only",
		"https://www.googleapis.com/auth/cloud-platform.read-only"};
	enum gcs_scope best = GCS_NONE;
	struct str scope;
	while (str_next(&scopes, ' ', &scope)) {
		for (size_t i = 0; i < COUNT_OF(writing); i++)
			if (str_is(scope, writing[i]))
				return GCS_WRITE;
		if (str_is(scope, "https://www.googleapis.com/auth/iam") && best == GCS_NONE)
			best = GCS_IAM;
		for (size_t i = 0; i < COUNT_OF(reading); i++)
			best = str_is(scope, reading[i]) ? GCS_READ : best;
	}
	return best;
}

// ---------------------------------------------------------------- roles

// Predefined roles by what they allow, '*' for any text. A pocket has those that its services can be asked for.
static const struct role {
	const char *name;
	const char *permissions; // a space between
} roles[] = {
	{"roles/owner", "*"},
	{"roles/editor", "storage.* aiplatform.* cloudkms.* secretmanager.* logging.* iam.serviceAccounts.get iam.serviceAccounts.list"},
	{"roles/viewer", "*.get *.list"},
	{"roles/storage.admin", "storage.*"},
	{"roles/storage.objectAdmin", "storage.objects.*"},
	{"roles/storage.objectCreator", "storage.objects.create"},
	{"roles/storage.objectUser", "storage.objects.*"},
	{"roles/storage.objectViewer", "storage.objects.get storage.objects.list"},
	{"roles/storage.legacyBucketReader", "storage.buckets.get storage.objects.list"},
	{"roles/aiplatform.admin", "aiplatform.*"},
	{"roles/aiplatform.user", "aiplatform.*"},
	{"roles/aiplatform.viewer", "aiplatform.*.get aiplatform.*.list"},
	{"roles/cloudkms.admin", "cloudkms.keyRings.* cloudkms.cryptoKeys.* cloudkms.cryptoKeyVersions.get "
				 "cloudkms.cryptoKeyVersions.list cloudkms.cryptoKeyVersions.create "
				 "cloudkms.cryptoKeyVersions.update cloudkms.cryptoKeyVersions.destroy "
				 "cloudkms.cryptoKeyVersions.restore"},
	{"roles/cloudkms.cryptoKeyEncrypterDecrypter",
		"cloudkms.cryptoKeyVersions.useToEncrypt cloudkms.cryptoKeyVersions.useToDecrypt"},
	{"roles/cloudkms.cryptoKeyEncrypter", "cloudkms.cryptoKeyVersions.useToEncrypt"},
	{"roles/cloudkms.cryptoKeyDecrypter", "cloudkms.cryptoKeyVersions.useToDecrypt"},
	{"roles/cloudkms.viewer", "cloudkms.*.get cloudkms.*.list"},
	{"roles/secretmanager.admin", "secretmanager.*"},
	{"roles/secretmanager.secretAccessor", "secretmanager.versions.access"},
	{"roles/secretmanager.viewer", "secretmanager.*.get secretmanager.*.list"},
	{"roles/logging.viewer", "logging.*.list logging.*.get"},
	{"roles/logging.logWriter", "logging.logEntries.create"},
	{"roles/iam.serviceAccountTokenCreator", "iam.serviceAccounts.getAccessToken iam.serviceAccounts.get"},
	{"roles/iam.serviceAccountUser", "iam.serviceAccounts.actAs iam.serviceAccounts.get"},
	{"roles/iam.workloadIdentityUser", "iam.serviceAccounts.getAccessToken iam.serviceAccounts.get"},
	{"roles/iam.serviceAccountAdmin", "iam.serviceAccounts.*"},
};

static bool list_has(struct str patterns, struct str permission)
{
	struct str one;
	while (str_next(&patterns, ' ', &one)) {
		if (one.n && access_pattern_fits(one, permission, false))
			return true;
	}
	return false;
}

// "projects/P/roles/NAME" is one of the project's own.
static bool role_has(struct pocket *p, struct str role, struct str permission)
{
	struct str before, name;
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		if (str_is(role, roles[i].name))
			return list_has(str_of(roles[i].permissions), permission);
	}
	ptrdiff_t at = str_find(role, S("/roles/"));
	if (at < 0)
		return false;
	before = str_take(role, (size_t)at);
	name = str_drop(role, (size_t)at + sizeof("/roles/") - 1);
	const json_t *own = str_starts(before, S("projects/")) ? docs_get(p, GCP_ROLES, name, NULL) : NULL;
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(own, "includedPermissions"), i, one)
	{
		if (str_eq(json_value_str(one), permission))
			return true;
	}
	return false;
}

// ---------------------------------------------------------------- policies

// "serviceAccount:ADDRESS", a federated principal, or the set of all of its pool.
static bool member_is(struct str member, struct str account)
{
	struct str kind, address, pool = S(""), rest;
	if (str_starts(account, S("principal://"))) {
		ptrdiff_t subject = str_find(account, S("/subject/"));
		pool = str_take(str_drop(account, sizeof("principal:") - 1), subject < 0 ? 0 : (size_t)subject - sizeof("principal:") + 1);
		if (str_eq(member, account))
			return true;
		return str_cut(member, ':', &kind, &rest) && str_is(kind, "principalSet") && pool.n && str_starts(rest, pool) &&
		       str_is(str_drop(rest, pool.n), "/*");
	}
	return str_cut(member, ':', &kind, &address) && str_is(kind, "serviceAccount") && str_eq(address, account);
}

static bool policy_has(struct pocket *p, const json_t *policy, struct str account, struct str permission)
{
	const json_t *binding, *member;
	size_t i, k;
	json_array_foreach(json_object_get(policy, "bindings"), i, binding)
	{
		if (json_object_get(binding, "condition") || !role_has(p, json_str(binding, "role"), permission))
			continue; // a condition that is not looked at grants nothing
		json_array_foreach(json_object_get(binding, "members"), k, member)
		{
			if (member_is(json_value_str(member), account))
				return true;
		}
	}
	return false;
}

bool gcp_may(struct front_request *r, struct str permission, struct str resource)
{
	if (!r->who)
		return false;
	return r->who->owner ||
	       policy_has(r->pocket, docs_get(r->pocket, GCP_POLICIES, S("project"), NULL), r->who->name, permission) ||
	       (resource.n && policy_has(r->pocket, docs_get(r->pocket, GCP_POLICIES, resource, NULL), r->who->name,
				      permission));
}

int gcp_be(struct front_request *r, struct str account)
{
	struct pocket_principal *who = arena_new(r->arena, struct pocket_principal);
	if (!who)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	*who = (struct pocket_principal){.name = account,
		.id = S(""),
		.role = S(""),
		.account = gcp_project(r->pocket, r->arena),
		.owner = is_owner(r->pocket, account)};
	r->who = who;
	return who->account.p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- forms

void gcp_oauth_error(struct front_request *r, int status, const char *error, const char *description)
{
	AUTO(buf) out = {0};
	buf_printf(&out, "{\"error\":\"%s\",\"error_description\":", error);
	json_write_string(str_of(description), &out);
	buf_add(&out, S("}\n"));
	front_add(r, "content-type", S("application/json; charset=utf-8"));
	front_reply_buf(r, status, &out);
}

struct str gcp_form_get(struct front_request *r, struct str form, struct str name)
{
	struct str part, key, value;
	while (str_next(&form, '&', &part)) {
		AUTO(buf) decoded = {0};
		str_cut(part, '=', &key, &value);
		if (str_eq(key, name) && sign_uri_decode(value, true, &decoded) == 0)
			return arena_str(r->arena, buf_str(&decoded));
	}
	return S("");
}

// SPDX-License-Identifier: Apache-2.0
// Who we are to Google Cloud, which buckets the project has, and what each is like. See cloud/identity.h. A token that
// its endpoint gave for a key that we signed with, and that /tokeninfo knows, is the service account's. Sources:
// "OAuth 2.0: validating an access token" (Google Identity), "Buckets: list, get, testIamPermissions" (Cloud Storage
// JSON API).
#include "cloud/identity.h"
#include "cloud/gcp/services.h"
#include "cloud/gcp/store_impl.h"
#include "cloud/http/object_fields.h"
#include "cloud/http/provider_error.h"

enum { PAGE = 1000 };

// ---------------------------------------------------------------- who

struct tokens {
	struct provider provider; // first
	struct gcp_store *store;
};

static int tokens_authorize(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	(void)r;
	return gcp_authorize(c, ((struct tokens *)(void *)p)->store, x);
}

// {"error": "invalid_token", "error_description": "..."}: about the token, whatever the status.
static int tokens_refused(struct call *c, struct provider *p, const struct transport_response *r)
{
	json_t *body = NULL;
	struct provider_refusal refusal = {.status = r->status == 400 ? 401 : r->status};
	(void)p;
	if (json_parse(r->body, &body, NULL) == 0 && (body = json_in_arena(c->arena, body))) {
		refusal.code = json_str(body, "error");
		refusal.message = json_str(body, "error_description");
	}
	return provider_fail(c, NULL, 0, &refusal);
}

static const struct provider_ops tokens_ops = {
	.name = "tokeninfo", .authorize = tokens_authorize, .refused = tokens_refused};

// The token travels in a header, never in an address that somebody might log.
static int whoami(struct call *c, void *identity, struct cloud_identity *out)
{
	struct gcp_store *s = identity;
	struct tokens tokens = {.store = s};
	struct transport_response answer = {0};
	const json_t *info;
	struct exchange x = {.call = &gcp_calls[GCP_TOKENINFO], .path = S("/tokeninfo")};
	exchange_header(&x, "content-type", S("application/x-www-form-urlencoded; charset=utf-8"));
	int r = provider_init(&tokens.provider, &tokens_ops, s->identity_url, c->arena, &c->err);
	tokens.provider.transport = s->provider.transport;
	tokens.provider.credentials = s->credentials;
	tokens.provider.audience = GCP_SCOPE;
	if (!r)
		r = exchange_run(c, &tokens.provider, &x, &answer);
	if (!r)
		r = gcp_parse(c, answer.body, &info);
	if (r)
		return call_context(c, "ask %.*s who we are", STR(s->identity_url));
	struct str email = json_str(info, "email"); // only where the token's scopes let it be said
	if (email.n && s->email.n && !str_eq(email, s->email))
		return call_fail(c, ERR_UNAUTHENTICATED, "the access token is of %.*s, the credentials are of %.*s",
			STR(email), STR(s->email));
	*out = (struct cloud_identity){.who = s->email.n ? s->email : email.n ? email : S("a federated identity"), .account = s->project, .kind = S("service account")};
	return 0;
}

// ---------------------------------------------------------------- which buckets

static int run(struct call *c, struct gcp_store *s, struct exchange *x, const json_t **body)
{
	struct transport_response answer = {0};
	int r = x->path.p && x->query.p ? exchange_run(c, &s->provider, x, &answer) : call_no_memory(c);
	return r ? r : gcp_parse(c, answer.body, body);
}

static int list_page(struct call *c, struct gcp_store *s, struct str token, const json_t **body)
{
	AUTO(buf) query = {0};
	exchange_parameter(&query, "project", s->project);
	buf_printf(&query, "&maxResults=%d", PAGE);
	if (token.n)
		exchange_parameter(&query, "pageToken", token);
	struct exchange x = {
		.call = &gcp_calls[GCP_BUCKETS_LIST], .path = S("/storage/v1/b"), .query = buf_str(&query)};
	return run(c, s, &x, body);
}

static int add_page(struct call *c, void *identity, struct str token, struct bucket_list *list, struct str *next)
{
	const json_t *body = NULL, *item;
	size_t i;
	int r = list_page(c, identity, token, &body);
	if (r)
		return r;
	json_array_foreach(json_object_get(body, "items"), i, item)
	{
		r = bucket_list_add(c, list,
			(struct bucket_entry){.name = json_str(item, "name"), .location = json_str(item, "location")});
		if (r)
			break;
	}
	*next = json_str(body, "nextPageToken");
	return r;
}

static int buckets(struct call *c, void *identity, struct bucket_entry **out, size_t *count)
{
	struct bucket_list list;
	if (bucket_list_all(c, identity, add_page, &list) < 0)
		return call_context(c, "list the project's buckets");
	*out = list.items;
	*count = list.count;
	return 0;
}

// ---------------------------------------------------------------- what one is like

static int describe(struct call *c, void *identity, struct str bucket, struct bucket_facts *out)
{
	const json_t *body = NULL;
	struct exchange x = {.call = &gcp_calls[GCP_BUCKETS_GET],
		.path = arena_printf(c->arena, "/storage/v1/b/%.*s", STR(bucket)),
		.query = S("projection=noAcl")};
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = run(c, identity, &x, &body);
	if (r)
		return call_context(c, "describe bucket %.*s", STR(bucket));
	const json_t *versioning = json_object_get(body, "versioning");
	struct str prevention = json_str(json_object_get(body, "iamConfiguration"), "publicAccessPrevention");
	struct str key = json_str(json_object_get(body, "encryption"), "defaultKmsKeyName");
	*out = (struct bucket_facts){.location = json_str(body, "location"),
		.versioning = json_flag(versioning, "enabled", false) ? FACT_YES : FACT_NO,
		.public = str_eq(prevention, S("enforced")) ? FACT_NO : FACT_YES,
		.encryption = key.n ? key : S("Google's own keys"),
		.tags = json_object_get(body, "labels"),
		.unseen = S("")};
	return 0;
}

// ---------------------------------------------------------------- may we

// Google says of each permission on a bucket whether it is granted: also of those to write.
static int test_permissions(
	struct call *c, struct gcp_store *s, const struct cloud_call *row, struct str bucket, struct probe *out)
{
	AUTO(buf) query = {0};
	struct str rest = str_of(row->permissions), permission;
	const json_t *body = NULL;
	size_t asked = 0;
	for (; rest.n && str_next(&rest, ' ', &permission); asked++)
		exchange_parameter(&query, "permissions", permission);
	struct exchange x = {.call = &gcp_calls[GCP_BUCKETS_TEST_PERMISSIONS],
		.path = arena_printf(c->arena, "/storage/v1/b/%.*s/iam/testPermissions", STR(bucket)),
		.query = buf_str(&query)};
	int r = buf_check(&query, &c->err);
	if (!r)
		r = run(c, s, &x, &body);
	int judged = probe_judge(c, r, out);
	size_t granted = json_array_size(json_object_get(body, "permissions"));
	if (!judged && out->verdict == PROBE_ALLOWED && granted < asked)
		*out = (struct probe){.verdict = PROBE_DENIED, .reason = S("testIamPermissions does not grant it")};
	return judged;
}

static int probe(struct call *c, void *identity, const struct cloud_call *row, struct str bucket, struct probe *out)
{
	struct cloud_identity who;
	const json_t *body;
	if (row == &gcp_calls[GCP_TOKENINFO])
		return probe_judge(c, whoami(c, identity, &who), out);
	if (row == &gcp_calls[GCP_BUCKETS_LIST])
		return probe_judge(c, list_page(c, identity, S(""), &body), out);
	*out = (struct probe){.reason = S("there is no dry run of it")};
	if (!row->permissions[0])
		out->reason = S("it asks for no permission");
	else if (row->scope != CALL_ON_ACCOUNT && !bucket.n)
		out->reason = S("no bucket of this cloud is there yet");
	else if (row->scope != CALL_ON_ACCOUNT)
		return test_permissions(c, identity, row, bucket, out);
	return 0;
}

const struct identity_ops gcp_identity_ops = {
	.name = "gcp", .whoami = whoami, .buckets = buckets, .describe = describe, .probe = probe};

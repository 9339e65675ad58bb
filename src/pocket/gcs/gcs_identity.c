// SPDX-License-Identifier: Apache-2.0
// Who the caller is and what it may do: /tokeninfo as Google's token endpoint has it, and testIamPermissions of a
// bucket. Sources: "OAuth 2.0: validating an access token" (Google Identity); "Buckets: testIamPermissions" (Cloud
// Storage JSON API). A pocket knows one service account, and two sorts of tokens: those that read and those that write.
#include <string.h>

#include "base/time.h"
#include "pocket/gcp/tokens.h"

static enum gcs_scope scope_of_request(struct front_request *r, struct gcp_opened *token)
{
	struct str value = front_header(r, "authorization");
	struct str text = str_starts(value, S("Bearer ")) ? str_trim(str_drop(value, 7)) : front_query(r, "access_token");
	return gcp_token_open(r, text, token) < 0 ? GCS_NONE : token->scope;
}

static void tokeninfo(struct front_request *r, struct str body)
{
	struct gcp_opened token;
	enum gcs_scope scope = scope_of_request(r, &token);
	(void)body;
	if (scope == GCS_NONE) {
		front_add(r, "content-type", S("application/json; charset=utf-8"));
		front_reply(r, 400, S("{\"error\":\"invalid_token\",\"error_description\":\"Invalid Value\"}\n"));
		return;
	}
	int64_t left = token.ends_s - front_now_ns(r) / NS_PER_S;
	json_t *j = json_pack(
		"{s:s, s:s, s:s, s:s}", "azp", "1", "aud", "1", "email_verified", "true", "access_type", "online");
	json_set_str(j, "email", token.account);
	json_set_str(j, "scope",
		scope == GCS_WRITE ? S("https://www.googleapis.com/auth/devstorage.full_control")
				   : S("https://www.googleapis.com/auth/devstorage.read_only"));
	json_set_str(j, "exp", arena_printf(r->arena, "%lld", (long long)token.ends_s));
	json_set_str(j, "expires_in", arena_printf(r->arena, "%lld", (long long)left));
	gcs_reply_json(r, j);
}

void gcs_tokeninfo(struct front_request *r)
{
	front_add(r, "cache-control", S("no-store"));
	front_collect(r, GCS_MAX_JSON, tokeninfo);
}

// ---------------------------------------------------------------- testIamPermissions

static bool grants(struct front_request *r, enum gcs_scope scope, struct str permission)
{
	if (scope == GCS_IAM || !gcp_may(r, permission, S("")))
		return false;
	static const char *const reading[] = {
		"storage.buckets.get", "storage.buckets.list", "storage.objects.get", "storage.objects.list"};
	static const char *const writing[] = {"storage.buckets.create", "storage.buckets.delete",
		"storage.buckets.update", "storage.objects.create", "storage.objects.delete", "storage.objects.update"};
	for (size_t i = 0; i < COUNT_OF(reading); i++)
		if (str_eq(permission, str_of(reading[i])))
			return true;
	for (size_t i = 0; scope == GCS_WRITE && i < COUNT_OF(writing); i++)
		if (str_eq(permission, str_of(writing[i])))
			return true;
	return false;
}

void gcs_test_permissions(struct front_request *r)
{
	struct gcp_opened token;
	struct bucket *b = NULL;
	if (gcs_bucket(r, gcs_state(r)->captures[0], &b) < 0) {
		gcs_fail(r);
		return;
	}
	enum gcs_scope scope = scope_of_request(r, &token);
	json_t *granted = json_array();
	for (size_t i = 0; i < r->query.count; i++) {
		struct str value = r->query.items[i].value;
		if (str_eq(r->query.items[i].name, S("permissions")) && grants(r, scope, value))
			json_array_append_new(granted, json_of_str(value));
	}
	json_t *j = json_pack("{s:s}", "kind", "storage#testIamPermissionsResponse");
	if (json_array_size(granted)) // as Google leaves out an empty list
		json_object_set(j, "permissions", granted);
	json_decref(granted);
	gcs_reply_json(r, j);
}

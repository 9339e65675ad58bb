// SPDX-License-Identifier: Apache-2.0
// IAM of a pocket Google Cloud: service accounts, custom roles, allow policies of the project and of service accounts, and
// tokens for accounts that the caller may be. Sources: IAM API v1 (projects.serviceAccounts, projects.roles), IAM Service
// Account Credentials API v1, Resource Manager API v1 and v3 (getIamPolicy, setIamPolicy). Policies really decide
// (tokens.h); an etag that does not fit is ABORTED, so that two writers do not lose each other's bindings.
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "pocket/gcp/google.h"
#include "pocket/gcp/tokens.h"

enum { PAGE = 100, LIFETIME_MOST_S = 3600, BINDINGS_MOST = 1500 };

static struct str capture(const struct front_request *r, size_t i)
{
	return google_request(r)->captures[i];
}

// ---------------------------------------------------------------- service accounts

static json_t *tell_account(struct front_request *r, struct str address, const json_t *doc)
{
	json_t *j = json_object();
	struct str project = gcp_project(r->pocket, r->arena);
	struct sha256 digest = sha256_of(address);
	char number[22];
	for (size_t i = 0; i < sizeof(number) - 1; i++)
		number[i] = (char)('0' + (i ? digest.bytes[i] % 10 : 1));
	number[sizeof(number) - 1] = 0;
	json_set_str(j, "name", arena_printf(r->arena, "projects/%.*s/serviceAccounts/%.*s", STR(project), STR(address)));
	json_set_str(j, "projectId", project);
	json_object_set_new(j, "uniqueId", json_string(number));
	json_object_set_new(j, "oauth2ClientId", json_string(number));
	json_set_str(j, "email", address);
	if (json_str(doc, "displayName").n)
		json_set_str(j, "displayName", json_str(doc, "displayName"));
	if (json_str(doc, "description").n)
		json_set_str(j, "description", json_str(doc, "description"));
	return j;
}

static bool good_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (i && ((c >= '0' && c <= '9') || c == '-'))))
			return false;
	}
	return s.n >= 6 && s.n <= 30;
}

static void create_account(struct front_request *r, json_t *in)
{
	struct str id = json_str(in, "accountId"), address = gcp_account_address(r->pocket, r->arena, id);
	const json_t *asked = json_object_get(in, "serviceAccount");
	int rc = 0;
	if (!good_id(id))
		rc = google_refuse(r, "INVALID_ARGUMENT", "The account ID \"%.*s\" does not have a length between 6 and 30.",
			STR(str_clip(id, 60)));
	else if (gcp_account_known(r->pocket, address))
		rc = google_refuse(r, "ALREADY_EXISTS", "Service account %.*s already exists within project projects/%.*s.",
			STR(id), STR(gcp_project(r->pocket, r->arena)));
	AUTO(json) doc = json_object();
	json_set_str(doc, "displayName", json_str(asked, "displayName"));
	json_set_str(doc, "description", json_str(asked, "description"));
	if (rc == 0)
		rc = docs_put_durable(r->pocket, GCP_ACCOUNTS, address, doc, &r->err);
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, tell_account(r, address, doc));
}

static void post_account(struct front_request *r)
{
	google_body(r, create_account);
}

static void list_accounts(struct front_request *r)
{
	struct docs_row rows[PAGE];
	struct google_page page;
	size_t count = 0;
	bool more = false;
	int rc = google_page_read(r, PAGE, PAGE, &page);
	struct docs_cursor from = {.collection = GCP_ACCOUNTS, .after = page.after};
	if (rc == 0)
		rc = docs_list(r->pocket, &from, rows, page.limit, &count, &more);
	if (rc < 0) {
		google_fail(r);
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, tell_account(r, rows[i].name, rows[i].doc));
	json_t *j = json_pack("{s:o}", "accounts", list);
	if (more)
		json_set_str(j, "nextPageToken", google_page_token(r, rows[count - 1].name));
	google_reply(r, j);
}

static int need_account(struct front_request *r, struct str *address)
{
	*address = capture(r, 1);
	if (gcp_account_known(r->pocket, *address))
		return 0;
	return google_refuse(r, "NOT_FOUND", "Unknown service account");
}

static void get_account(struct front_request *r)
{
	struct str address;
	if (need_account(r, &address) < 0)
		google_fail(r);
	else
		google_reply(r, tell_account(r, address, docs_get(r->pocket, GCP_ACCOUNTS, address, NULL)));
}

static void delete_account(struct front_request *r)
{
	struct str address;
	int rc = need_account(r, &address);
	if (rc == 0)
		rc = docs_delete(r->pocket, GCP_ACCOUNTS, address, &r->err);
	if (rc == ERR_NOT_FOUND && !r->err.provider_code[0])
		rc = google_refuse(r, "FAILED_PRECONDITION", "The pocket's own account cannot be deleted.");
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, json_object());
}

// ---------------------------------------------------------------- tokens for others

static void give_token(struct front_request *r, json_t *in)
{
	struct str address, token;
	int64_t seconds = LIFETIME_MOST_S, wanted_ns = 0;
	char ends[TIME_TEXT_SIZE];
	AUTO(buf) scopes = {0};
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(in, "scope"), i, one) buf_printf(&scopes, "%s ", json_string_value(one));
	struct str lifetime = json_str(in, "lifetime");
	int rc = need_account(r, &address);
	if (rc < 0 || !gcp_may(r, S("iam.serviceAccounts.getAccessToken"), address))
		rc = google_refuse(r, "PERMISSION_DENIED",
			"Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).");
	if (rc == 0 && lifetime.n && (google_duration(lifetime, &wanted_ns) < 0 || wanted_ns <= 0 ||
					     (seconds = wanted_ns / NS_PER_S) > LIFETIME_MOST_S))
		rc = google_refuse(r, "INVALID_ARGUMENT", "The lifetime must be between 0 and %d seconds.", LIFETIME_MOST_S);
	struct gcp_grant grant = {.account = address, .scope = gcp_scope_of(buf_str(&scopes)), .lifetime_s = seconds};
	if (rc == 0 && grant.scope == GCS_NONE)
		rc = google_refuse(r, "INVALID_ARGUMENT", "The request has no scope that is known here.");
	if (rc == 0)
		rc = gcp_token_make(r->pocket, &grant, r->arena, &token, &r->err);
	if (rc < 0) {
		google_fail(r);
		return;
	}
	time_rfc3339(front_now_ns(r) + seconds * NS_PER_S, 0, ends);
	json_t *j = json_pack("{s:s}", "expireTime", ends);
	json_set_str(j, "accessToken", token);
	google_reply(r, j);
}

static void post_token(struct front_request *r)
{
	google_body(r, give_token);
}

// ---------------------------------------------------------------- policies

static struct str etag_of(struct front_request *r, const json_t *policy)
{
	AUTO(buf) text = {0};
	AUTO(buf) out = {0};
	if (policy && json_write(policy, &text, NULL) < 0)
		return S("");
	struct sha256 digest = sha256_of(buf_str(&text));
	base64_encode(str_bytes(digest.bytes, 9), &out);
	return arena_str(r->arena, buf_str(&out));
}

static json_t *tell_policy(struct front_request *r, const json_t *doc)
{
	json_t *j = json_pack("{s:i}", "version", 1);
	json_set_str(j, "etag", etag_of(r, doc));
	if (json_array_size(json_object_get(doc, "bindings")))
		json_object_set(j, "bindings", json_object_get(doc, "bindings"));
	return j;
}

static void reply_policy(struct front_request *r, struct str name)
{
	google_reply(r, tell_policy(r, docs_get(r->pocket, GCP_POLICIES, name, NULL)));
}

static int check_bindings(struct front_request *r, const json_t *bindings)
{
	const json_t *binding;
	size_t i;
	if (bindings && (!json_is_array(bindings) || json_array_size(bindings) > BINDINGS_MOST))
		return google_refuse(r, "INVALID_ARGUMENT", "The policy's bindings are no list of at most %d.", BINDINGS_MOST);
	json_array_foreach(bindings, i, binding)
	{
		struct str role = json_str(binding, "role");
		if (!str_starts(role, S("roles/")) && str_find(role, S("/roles/")) < 0)
			return google_refuse(r, "INVALID_ARGUMENT", "Role %.*s is not supported for this resource.",
				STR(str_clip(role, 100)));
		if (json_object_get(binding, "condition"))
			return google_refuse(r, "INVALID_ARGUMENT", "A pocket cloud looks at no conditions of bindings.");
	}
	return 0;
}

static void set_policy(struct front_request *r, json_t *in, struct str name)
{
	const json_t *policy = json_object_get(in, "policy"), *bindings = json_object_get(policy, "bindings");
	const json_t *now = docs_get(r->pocket, GCP_POLICIES, name, NULL);
	struct str etag = json_str(policy, "etag");
	int rc = check_bindings(r, bindings);
	if (rc == 0 && etag.n && !str_eq(etag, etag_of(r, now)))
		rc = google_refuse(r, "ABORTED",
			"There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
			"backoff.");
	AUTO(json) doc = json_object();
	json_object_set_new(doc, "bindings", bindings ? json_deep_copy(bindings) : json_array());
	if (rc == 0)
		rc = docs_put_durable(r->pocket, GCP_POLICIES, name, doc, &r->err);
	if (rc < 0)
		google_fail(r);
	else
		reply_policy(r, name);
}

static void got_project(struct front_request *r, json_t *in)
{
	(void)in;
	reply_policy(r, S("project"));
}

static void get_project_policy(struct front_request *r)
{
	google_body(r, got_project);
}

static void put_project(struct front_request *r, json_t *in)
{
	set_policy(r, in, S("project"));
}

static void set_project_policy(struct front_request *r)
{
	google_body(r, put_project);
}

static void got_account(struct front_request *r, json_t *in)
{
	struct str address;
	(void)in;
	if (need_account(r, &address) < 0)
		google_fail(r);
	else
		reply_policy(r, address);
}

static void get_account_policy(struct front_request *r)
{
	google_body(r, got_account);
}

static void put_account(struct front_request *r, json_t *in)
{
	struct str address;
	if (need_account(r, &address) < 0)
		google_fail(r);
	else
		set_policy(r, in, address);
}

static void set_account_policy(struct front_request *r)
{
	google_body(r, put_account);
}

static void tested(struct front_request *r, json_t *in)
{
	json_t *granted = json_array();
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(in, "permissions"), i, one)
	{
		if (gcp_may(r, json_value_str(one), S("")))
			json_array_append(granted, (json_t *)(uintptr_t)one);
	}
	google_reply(r, json_array_size(granted) ? json_pack("{s:o}", "permissions", granted) : (json_decref(granted), json_object()));
}

static void test_permissions(struct front_request *r)
{
	google_body(r, tested);
}

static void get_project(struct front_request *r)
{
	json_t *j = json_pack("{s:s}", "lifecycleState", "ACTIVE");
	struct str project = gcp_project(r->pocket, r->arena);
	json_set_str(j, "projectId", project);
	json_set_str(j, "name", project);
	google_reply(r, j);
}

// ---------------------------------------------------------------- custom roles

static json_t *tell_role(struct front_request *r, struct str name, const json_t *doc)
{
	json_t *j = json_deep_copy(doc);
	json_set_str(j, "name", arena_printf(r->arena, "projects/%.*s/roles/%.*s", STR(gcp_project(r->pocket, r->arena)), STR(name)));
	return j;
}

static void create_role(struct front_request *r, json_t *in)
{
	struct str id = json_str(in, "roleId");
	const json_t *role = json_object_get(in, "role");
	int rc = 0;
	if (id.n < 3 || id.n > 64 || str_find_char(id, '/') >= 0 || !json_is_object(role))
		rc = google_refuse(r, "INVALID_ARGUMENT", "The role_id must have 3 to 64 letters, digits, '_' and '.'.");
	else if (docs_get(r->pocket, GCP_ROLES, id, NULL))
		rc = google_refuse(r, "ALREADY_EXISTS", "A role named %.*s already exists.", STR(id));
	if (rc == 0)
		rc = docs_put_durable(r->pocket, GCP_ROLES, id, role, &r->err);
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, tell_role(r, id, role));
}

static void post_role(struct front_request *r)
{
	google_body(r, create_role);
}

static int need_role(struct front_request *r, const json_t **doc)
{
	*doc = docs_get(r->pocket, GCP_ROLES, capture(r, 1), NULL);
	return *doc ? 0 : google_refuse(r, "NOT_FOUND", "The role named %.*s was not found.", STR(str_clip(capture(r, 1), 64)));
}

static void get_role(struct front_request *r)
{
	const json_t *doc;
	if (need_role(r, &doc) < 0)
		google_fail(r);
	else
		google_reply(r, tell_role(r, capture(r, 1), doc));
}

static void delete_role(struct front_request *r)
{
	const json_t *doc;
	int rc = need_role(r, &doc);
	json_t *told = rc == 0 ? tell_role(r, capture(r, 1), doc) : NULL;
	if (rc == 0)
		rc = docs_delete(r->pocket, GCP_ROLES, capture(r, 1), &r->err);
	if (rc < 0) {
		json_decref(told);
		google_fail(r);
		return;
	}
	json_object_set_new(told, "deleted", json_true());
	google_reply(r, told);
}

// ---------------------------------------------------------------- the tables

#define ACCOUNTS "projects/*/serviceAccounts"

static const struct google_route iam_routes[] = {
	{HTTP_GET, ACCOUNTS, "iam.serviceAccounts.list", list_accounts},
	{HTTP_POST, ACCOUNTS, "iam.serviceAccounts.create", post_account},
	{HTTP_GET, ACCOUNTS "/*", "iam.serviceAccounts.get", get_account},
	{HTTP_DELETE, ACCOUNTS "/*", "iam.serviceAccounts.delete", delete_account},
	{HTTP_POST, ACCOUNTS "/*:generateAccessToken", "", post_token},
	{HTTP_POST, ACCOUNTS "/*:getIamPolicy", "iam.serviceAccounts.getIamPolicy", get_account_policy},
	{HTTP_POST, ACCOUNTS "/*:setIamPolicy", "iam.serviceAccounts.setIamPolicy", set_account_policy},
	{HTTP_POST, "projects/*/roles", "iam.roles.create", post_role},
	{HTTP_GET, "projects/*/roles/*", "iam.roles.get", get_role},
	{HTTP_DELETE, "projects/*/roles/*", "iam.roles.delete", delete_role},
};
static const char *const iam_versions[] = {"v1", NULL};
static const struct google_api iam_api = {
	.service = "iam.googleapis.com", .versions = iam_versions, .routes = iam_routes, .count = COUNT_OF(iam_routes)};

static const struct google_route project_routes[] = {
	{HTTP_GET, "projects/*", "resourcemanager.projects.get", get_project},
	{HTTP_POST, "projects/*:getIamPolicy", "resourcemanager.projects.getIamPolicy", get_project_policy},
	{HTTP_POST, "projects/*:setIamPolicy", "resourcemanager.projects.setIamPolicy", set_project_policy},
	{HTTP_POST, "projects/*:testIamPermissions", "", test_permissions},
};
static const char *const project_versions[] = {"v1", "v3", NULL};
static const struct google_api project_api = {.service = "cloudresourcemanager.googleapis.com",
	.versions = project_versions,
	.routes = project_routes,
	.count = COUNT_OF(project_routes)};

static bool iam_matches(const struct front_request *r)
{
	return google_api_matches(&iam_api, r);
}

static void iam_handle(struct front_request *r)
{
	google_api_handle(&iam_api, r);
}

static bool project_matches(const struct front_request *r)
{
	return google_api_matches(&project_api, r);
}

static void project_handle(struct front_request *r)
{
	google_api_handle(&project_api, r);
}

// What jobs and endpoints run as: it reads and writes objects, opens and closes keys, invokes endpoints.
static int open_accounts(struct pocket *p, void **state, struct err *e)
{
	static const char *const may[] = {"roles/storage.objectAdmin", "roles/storage.legacyBucketReader",
		"roles/cloudkms.cryptoKeyEncrypterDecrypter", "roles/aiplatform.user", "roles/logging.logWriter",
		"roles/secretmanager.secretAccessor"};
	AUTO(arena) a = {0};
	*state = NULL;
	struct str address = gcp_account_address(p, &a, S(GCP_JOB_ACCOUNT));
	if (docs_get(p, GCP_ACCOUNTS, address, e))
		return 0;
	struct str member = arena_printf(&a, "serviceAccount:%.*s", STR(address));
	AUTO(json) doc = json_pack("{s:s}", "displayName", "jobs and endpoints of Isobar");
	AUTO(json) policy = json_object();
	json_t *bindings = json_array();
	for (size_t i = 0; i < COUNT_OF(may); i++) {
		json_t *binding = json_pack("{s:s, s:[]}", "role", may[i], "members");
		json_array_append_new(json_object_get(binding, "members"), json_of_str(member));
		json_array_append_new(bindings, binding);
	}
	json_object_set_new(policy, "bindings", bindings);
	int rc = docs_get(p, GCP_POLICIES, S("project"), NULL)
			 ? 0
			 : docs_put_durable(p, GCP_POLICIES, S("project"), policy, e);
	return rc < 0 ? rc : docs_put_durable(p, GCP_ACCOUNTS, address, doc, e);
}

const struct pocket_service gcp_iam_service = {.name = "iam",
	.matches = iam_matches,
	.handle = iam_handle,
	.fail = google_fail,
	.trouble = google_trouble,
	.open = open_accounts};
const struct pocket_service gcp_projects_service = {.name = "cloudresourcemanager",
	.matches = project_matches,
	.handle = project_handle,
	.fail = google_fail,
	.trouble = google_trouble};

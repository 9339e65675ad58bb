// SPDX-License-Identifier: Apache-2.0
// Azure Resource Manager: which operation a request is, who asks for it and whether that may be, and what the operation
// stands on (subscription, group, workspace). In the order of the provider: whoever is not known learns nothing, and
// whoever may not is told before it is looked whether the thing is there.
#include <stdlib.h>
#include <string.h>

#include "pocket/arm/arm_impl.h"

#define SUB "subscriptions/*"
#define RG SUB "/resourceGroups/*"
#define ML "/providers/Microsoft.MachineLearningServices/"
#define WS RG ML "workspaces/*"
#define MAY "Microsoft.MachineLearningServices/workspaces/"
#define ENDPOINT "/onlineEndpoints/*"
#define DEPLOYMENT ENDPOINT "/deployments/*"
// The four sorts of assets are one: the name of the sort is a '*' that assets[] restricts.
#define ASSET "/{asset}/*"

static const struct arm_operation operations[] = {
	{HTTP_GET, "tenants", NULL, arm_list_tenants, false},
	{HTTP_GET, "subscriptions", NULL, arm_list_subscriptions, false},
	{HTTP_GET, SUB, "Microsoft.Resources/subscriptions/read", arm_get_subscription, false},
	{HTTP_GET, SUB "/locations", "Microsoft.Resources/subscriptions/locations/read", arm_list_locations, false},
	{HTTP_GET, SUB "/providers/*", "Microsoft.Resources/subscriptions/providers/read", arm_get_provider, false},
	{HTTP_GET, SUB "/resourceGroups", "Microsoft.Resources/subscriptions/resourceGroups/read", arm_list_groups,
		false},
	{HTTP_GET, RG, "Microsoft.Resources/subscriptions/resourceGroups/read", arm_get_group, false},
	{HTTP_GET, SUB ML "locations/*/mfeOperationsStatus/*", NULL, arm_operation_status, false},
	{HTTP_GET, SUB ML "locations/*/mfeOperationResults/*", NULL, arm_operation_result, false},
	{HTTP_GET, SUB ML "workspaces", MAY "read", ml_list_workspaces, false},
	{HTTP_GET, RG ML "workspaces", MAY "read", ml_list_workspaces, false},
	{HTTP_GET, WS, MAY "read", ml_get_workspace, false},
	{HTTP_POST, WS "/listKeys", MAY "listKeys/action", ml_workspace_keys, false},
	{HTTP_POST, WS "/listStorageAccountKeys", MAY "listStorageAccountKeys/action", ml_storage_keys, false},
	{HTTP_GET, WS "/datastores", MAY "datastores/read", ml_list_datastores, false},
	{HTTP_GET, WS "/datastores/*", MAY "datastores/read", ml_get_datastore, false},
	{HTTP_POST, WS "/datastores/*/listSecrets", MAY "datastores/listsecrets/action", ml_datastore_secrets, false},
	{HTTP_GET, WS "/defaultDatastore", MAY "datastores/read", ml_get_default_datastore, false},

	{HTTP_GET, WS "/{asset}", MAY "{asset}/read", ml_list_containers, false},
	{HTTP_GET, WS ASSET, MAY "{asset}/read", ml_get_container, false},
	{HTTP_PUT, WS ASSET, MAY "{asset}/write", ml_put_container, true},
	{HTTP_DELETE, WS ASSET, MAY "{asset}/delete", ml_delete_container, false},
	{HTTP_GET, WS ASSET "/versions", MAY "{asset}/versions/read", ml_list_versions, false},
	{HTTP_GET, WS ASSET "/versions/*", MAY "{asset}/versions/read", ml_get_version, false},
	{HTTP_PUT, WS ASSET "/versions/*", MAY "{asset}/versions/write", ml_put_version, true},
	{HTTP_DELETE, WS ASSET "/versions/*", MAY "{asset}/versions/delete", ml_delete_version, false},

	{HTTP_GET, WS "/computes", MAY "computes/read", ml_list_computes, false},
	{HTTP_GET, WS "/computes/*", MAY "computes/read", ml_get_compute, false},
	{HTTP_PUT, WS "/computes/*", MAY "computes/write", ml_put_compute, true},
	{HTTP_DELETE, WS "/computes/*", MAY "computes/delete", ml_delete_compute, false},

	{HTTP_GET, WS "/jobs", MAY "jobs/read", ml_list_jobs, false},
	{HTTP_GET, WS "/jobs/*", MAY "jobs/read", ml_get_job, false},
	{HTTP_PUT, WS "/jobs/*", MAY "jobs/write", ml_put_job, true},
	{HTTP_DELETE, WS "/jobs/*", MAY "jobs/delete", ml_delete_job, false},
	{HTTP_POST, WS "/jobs/*/cancel", MAY "jobs/cancel/action", ml_cancel_job, false},

	{HTTP_GET, WS "/onlineEndpoints", MAY "onlineEndpoints/read", ml_list_endpoints, false},
	{HTTP_GET, WS ENDPOINT, MAY "onlineEndpoints/read", ml_get_endpoint, false},
	{HTTP_PUT, WS ENDPOINT, MAY "onlineEndpoints/write", ml_put_endpoint, true},
	{HTTP_PATCH, WS ENDPOINT, MAY "onlineEndpoints/write", ml_patch_endpoint, true},
	{HTTP_DELETE, WS ENDPOINT, MAY "onlineEndpoints/delete", ml_delete_endpoint, false},
	{HTTP_POST, WS ENDPOINT "/listKeys", MAY "onlineEndpoints/listKeys/action", ml_endpoint_keys, false},
	{HTTP_POST, WS ENDPOINT "/regenerateKeys", MAY "onlineEndpoints/regenerateKeys/action", ml_regenerate_keys, true},
	{HTTP_POST, WS ENDPOINT "/token", MAY "onlineEndpoints/token/action", ml_endpoint_token, false},
	{HTTP_GET, WS ENDPOINT "/deployments", MAY "onlineEndpoints/deployments/read", ml_list_deployments, false},
	{HTTP_GET, WS DEPLOYMENT, MAY "onlineEndpoints/deployments/read", ml_get_deployment, false},
	{HTTP_PUT, WS DEPLOYMENT, MAY "onlineEndpoints/deployments/write", ml_put_deployment, true},
	{HTTP_PATCH, WS DEPLOYMENT, MAY "onlineEndpoints/deployments/write", ml_patch_deployment, true},
	{HTTP_DELETE, WS DEPLOYMENT, MAY "onlineEndpoints/deployments/delete", ml_delete_deployment, false},
	{HTTP_POST, WS DEPLOYMENT "/getLogs", MAY "onlineEndpoints/deployments/getLogs/action", ml_deployment_logs, true},
	{HTTP_GET, WS DEPLOYMENT "/skus", MAY "onlineEndpoints/deployments/skus/read", ml_deployment_skus, false},
};

// ---------------------------------------------------------------- which

static const char *const assets[] = {"environments", "models", "codes", "data"};

static const char *find_asset(struct str word)
{
	for (size_t i = 0; i < COUNT_OF(assets); i++)
		if (str_eq(word, str_of(assets[i])))
			return assets[i];
	return NULL;
}

static int keep_name(struct front_request *r, struct str encoded)
{
	struct arm_request *a = arm_request(r);
	AUTO(buf) plain = {0};
	if (a->name_count == ARM_NAMES || sign_uri_decode(encoded, false, &plain) || str_find_char(buf_str(&plain), '/') >= 0)
		return ERR_INVALID;
	struct str name = arena_str(r->arena, buf_str(&plain));
	a->names[a->name_count++] = name;
	return name.p ? 0 : ERR_NO_MEMORY;
}

// Fixed words are compared without case, as Resource Manager does.
static bool fits(struct front_request *r, const struct arm_operation *o)
{
	struct str path = str_drop(r->x->request.path, 1), pattern = str_of(o->path), word, wanted;
	arm_request(r)->name_count = 0;
	if (r->x->request.method != o->method)
		return false;
	if (str_ends(path, S("/")))
		path.n--;
	while (str_next(&pattern, '/', &wanted)) {
		if (!str_next(&path, '/', &word) || !word.n)
			return false;
		bool asset = str_eq(wanted, S("{asset}"));
		bool name = str_eq(wanted, S("*")) || asset;
		if (asset && !find_asset(word))
			return false;
		if (name ? keep_name(r, word) < 0 : !str_eq_nocase(word, wanted))
			return false;
	}
	return !str_next(&path, '/', &word);
}

static const struct arm_operation *find_operation(struct front_request *r)
{
	for (size_t i = 0; i < COUNT_OF(operations); i++)
		if (fits(r, &operations[i]))
			return &operations[i];
	return NULL;
}

// "{asset}/read" of a request for models is "models/read".
static const char *action_of(struct front_request *r, const struct arm_operation *o)
{
	const char *at = o->action ? strstr(o->action, "{asset}") : NULL;
	if (!at)
		return o->action;
	struct str before = {.p = o->action, .n = (size_t)(at - o->action)};
	struct str made = arena_printf(
		r->arena, "%.*s%.*s%s", STR(before), STR(arm_request(r)->names[3]), at + sizeof("{asset}") - 1);
	return made.p ? made.p : o->action; // which no role has
}

// ---------------------------------------------------------------- what it stands on

static int check_version(struct front_request *r)
{
	struct str version = front_query(r, "api-version"), year, rest;
	uint64_t number = 0;
	if (!version.n)
		return arm_refuse(r, 400, "MissingApiVersionParameter",
			"The api-version query parameter (?api-version=) is required for all requests.");
	bool dated = str_cut(version, '-', &year, &rest) && year.n == 4 && str_to_u64(year, &number) == 0 && rest.n >= 5;
	if (!dated || number < 2014 || number > 2030)
		return arm_refuse(r, 400, "InvalidApiVersionParameter",
			"The api-version '%.*s' is invalid. It is a date, as 2024-04-01 or 2024-04-01-preview.",
			STR(str_clip(version, 40)));
	return 0;
}

static int check_place(struct front_request *r)
{
	const struct arm_request *a = arm_request(r);
	const struct arm_state *s = arm_state(r);
	const char *path = a->operation->path;
	if (strncmp(path, SUB, sizeof(SUB) - 1) == 0 && !str_eq_nocase(a->names[0], s->subscription))
		return arm_refuse(r, 404, "SubscriptionNotFound", "The subscription '%.*s' could not be found.",
			STR(str_clip(a->names[0], 80)));
	if (strncmp(path, RG, sizeof(RG) - 1) == 0 && !str_eq_nocase(a->names[1], s->group))
		return arm_refuse(r, 404, "ResourceGroupNotFound", "Resource group '%.*s' could not be found.",
			STR(str_clip(a->names[1], 90)));
	if (strncmp(path, WS, sizeof(WS) - 1) == 0 && !str_eq_nocase(a->names[2], s->workspace))
		return arm_not_found(r, ARM_TYPE, a->names[2]);
	return 0;
}

// ---------------------------------------------------------------- the life of a request

struct arm_request *arm_request(const struct front_request *r)
{
	return r->own;
}

struct arm_state *arm_state(const struct front_request *r)
{
	return r->service_state;
}

struct str arm_name(const struct front_request *r, size_t n)
{
	const struct arm_request *a = arm_request(r);
	return a->name_count > 3 + n ? a->names[3 + n] : S("");
}

static void with_body(struct front_request *r, struct str body)
{
	struct arm_request *a = arm_request(r);
	json_t *j = NULL;
	int rc = json_parse(body, &j, &r->err);
	a->body = rc < 0 ? NULL : json_in_arena(r->arena, j);
	if (rc < 0) {
		char why[200];
		str_copy(why, sizeof(why), str_clip(str_of(r->err.message), sizeof(why) - 1));
		arm_refuse(r, 400, "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: '%s'.", why);
	} else if (!json_is_object(a->body)) { // a macro that looks at its argument twice
		rc = arm_refuse(r, 400, "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: 'it is not an object'.");
	}
	if (rc < 0)
		arm_fail(r);
	else
		a->operation->run(r);
}

static int prepare(struct front_request *r)
{
	struct arm_request *a = arm_request(r);
	AUTO(buf) plain = {0};
	if (sign_uri_decode(r->x->request.path, false, &plain) < 0)
		return arm_refuse(r, 400, "BadRequest", "The address has an incomplete escape.");
	a->scope = arena_str(r->arena, buf_str(&plain));
	int rc = arm_authenticate(r);
	if (rc < 0)
		return rc;
	a->operation = find_operation(r);
	if (!a->operation)
		return arm_refuse(r, 404, "InvalidResourceType",
			"A pocket cloud has nothing at '%.*s' that can be asked for with %.*s.", STR(str_clip(a->scope, 200)),
			STR(r->x->request.method_text));
	rc = check_version(r);
	if (rc == 0 && a->operation->action)
		rc = arm_authorise(r, action_of(r, a->operation), a->scope);
	if (rc == 0)
		rc = check_place(r);
	return rc;
}

static void add_common(struct front_request *r)
{
	struct str client = front_header(r, "x-ms-client-request-id");
	front_add(r, "x-ms-request-id", str_of(r->id));
	front_add(r, "x-ms-correlation-request-id", str_of(r->id));
	front_add(r, "cache-control", S("no-cache"));
	if (client.n <= 1024)
		front_add(r, "x-ms-client-request-id", client);
}

static void handle(struct front_request *r)
{
	r->own = arena_new(r->arena, struct arm_request);
	if (!r->own) {
		http_reply_error(r->x, 503, "out of memory");
		return;
	}
	add_common(r);
	if (prepare(r) < 0)
		arm_fail(r);
	else if (arm_request(r)->operation->body)
		front_collect(r, ARM_MAX_BODY, with_body);
	else
		arm_request(r)->operation->run(r);
}

static bool matches(const struct front_request *r)
{
	struct str path = r->x->request.path, first, rest;
	str_cut(str_drop(path, 1), '/', &first, &rest);
	return str_eq(first, S("subscriptions")) || str_eq(first, S("tenants"));
}

// ---------------------------------------------------------------- life

static int derive(struct arm_state *s, struct err *e)
{
	struct arena *a = &s->arena;
	struct str url = str_of(s->pocket->url), scheme, rest, authority, path;
	str_cut(url, ':', &scheme, &rest);
	str_cut(str_drop(rest, 2), '/', &authority, &path);
	s->origin = arena_printf(a, "%.*s://%.*s", STR(scheme), STR(authority));
	s->workspace_id = arena_printf(a, "/subscriptions/%.*s/resourceGroups/%.*s/providers/" ARM_TYPE "/%.*s",
		STR(s->subscription), STR(s->group), STR(s->workspace));
	struct sha256 digest = sha256_of(s->workspace_id);
	char hex[2 * SHA256_SIZE + 1];
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	s->guid = arena_printf(a, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15, hex + 18);
	return s->origin.p && s->workspace_id.p && s->guid.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int read_place(struct arm_state *s, struct err *e)
{
	AUTO(json) j = NULL;
	const struct {
		const char *name;
		struct str *to;
	} members[] = {{"tenant", &s->tenant}, {"subscription", &s->subscription}, {"resource_group", &s->group},
		{"workspace", &s->workspace}, {"account", &s->account}};
	int rc = pocket_read_json(s->pocket, "credentials.json", &j, e);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(members); i++) {
		struct str text = {0};
		rc = json_need_str(j, members[i].name, &text, e);
		*members[i].to = arena_str(&s->arena, text);
		if (rc == 0 && !members[i].to->p)
			rc = err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	struct str location = json_str(j, "location");
	s->location = arena_str(&s->arena, location.n ? location : S("westeurope"));
	return rc < 0 ? rc : derive(s, e);
}

static void close_state(void *state)
{
	struct arm_state *s = state;
	if (!s)
		return;
	ml_endpoints_close(s);
	ml_jobs_close(s);
	arena_free(&s->arena);
	free(s);
}

static int open_state(struct pocket *p, void **state, struct err *e)
{
	struct arm_state *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	s->pocket = p;
	int rc = read_place(s, e);
	if (rc == 0)
		rc = ml_jobs_open(s, e);
	if (rc == 0)
		rc = ml_endpoints_open(s, e);
	if (rc < 0)
		close_state(s);
	else
		*state = s;
	return rc;
}

static bool tick(void *state, int64_t now_ns)
{
	(void)now_ns;
	bool jobs = ml_jobs_tick(state);
	return ml_endpoints_tick(state) || jobs;
}

const struct pocket_service arm_service = {
	.name = "arm",
	.matches = matches,
	.handle = handle,
	.fail = arm_fail,
	.trouble = arm_trouble,
	.open = open_state,
	.close = close_state,
	.tick = tick,
};

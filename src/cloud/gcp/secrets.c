// SPDX-License-Identifier: Apache-2.0
// Secrets of Google Cloud: Secret Manager. See kms.h and cloud/secrets.h. Payloads go with their CRC-32C both ways.
#include "cloud/secrets.h"

#include "cloud/gcp/kms_impl.h"
#include "cloud/http/looks.h"

enum { PAGE = 100 };

static int check_name(struct call *c, struct str name)
{
	bool good = name.n > 0 && name.n <= 255;
	for (size_t i = 0; good && i < name.n; i++)
		good = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
		       (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '-' || name.p[i] == '_';
	return good ? 0
		    : call_fail(c, ERR_INVALID, "\"%.*s\" is no name of a secret of Google Cloud",
			      (int)MIN(name.n, 80), name.p);
}

static struct str path_of(struct call *c, const struct gcp_services *s, struct str name, const char *tail)
{
	return arena_printf(c->arena, "/v1/projects/%.*s/secrets%s%.*s%s", STR(s->config.project), name.n ? "/" : "",
		STR(name), tail);
}

static struct str last_segment(struct str name)
{
	for (ptrdiff_t at; (at = str_find_char(name, '/')) >= 0;)
		name = str_drop(name, (size_t)at + 1);
	return name;
}

static int reword(struct call *c, struct str name)
{
	if (str_eq(str_of(c->err.provider_code), S("FAILED_PRECONDITION"))) // disabled, or destroyed
		c->err.code = ERR_DENIED;
	return call_context(c, "secret %.*s", STR(name));
}

// ---------------------------------------------------------------- reading

static int access_value(
	struct call *c, struct gcp_services *s, struct str name, struct str *version, struct secret *out)
{
	const json_t *answer = NULL;
	struct str wanted = version->n ? *version : S("latest");
	struct str tail = arena_printf(c->arena, "/versions/%.*s:access", STR(wanted));
	if (!tail.p || str_find_char(wanted, '/') >= 0)
		return call_fail(c, ERR_INVALID, "\"%.*s\" is no version", STR(str_clip(wanted, 40)));
	const struct gcp_request request = {.call = GCP_SECRET_ACCESS, .path = path_of(c, s, name, tail.p)};
	int r = gcp_key_call(c, s, &request, &answer);
	if (!r)
		r = gcp_checked_bytes(c, json_object_get(answer, "payload"), "data", "dataCrc32c", out);
	if (!r)
		*version = last_segment(json_str(answer, "name"));
	return r;
}

static int gcp_secret_get(struct call *c, void *secrets, struct str name, struct str version, struct secret *out)
{
	int r = check_name(c, name);
	if (!r)
		r = access_value(c, secrets, name, &version, out);
	return r ? reword(c, name) : 0;
}

// ---------------------------------------------------------------- putting

struct putting {
	struct gcp_services *s;
	struct str name;
	const struct secret *value;
	struct str version; // that holds the value; "": none yet
};

// Whether the newest version holds the value. One that is disabled or destroyed does not.
static int holds(struct call *c, void *ctx, bool *done)
{
	struct putting *p = ctx;
	AUTO(secret) old = {0};
	struct str version = S("");
	int r = access_value(c, p->s, p->name, &version, &old);
	*done = !r && secret_equal(&old, p->value);
	if (*done)
		p->version = version;
	if (r == ERR_NOT_FOUND || r == ERR_CONFLICT)
		err_clear(&c->err), r = 0;
	return r;
}

static int add(struct call *c, void *ctx)
{
	struct putting *p = ctx;
	AUTO(json) in = json_pack("{s:{}}", "payload");
	json_t *payload = json_object_get(in, "payload");
	const json_t *answer = NULL;
	struct str text = S("");
	int r = secret_to_base64(c, secret_str(p->value), &text);
	if (r)
		return r;
	json_set_str(payload, "data", text);
	secret_wipe((char *)(uintptr_t)text.p, text.n);
	gcp_set_crc32c(payload, "dataCrc32c", secret_str(p->value));
	const struct gcp_request request = {
		.call = GCP_SECRET_ADD_VERSION, .path = path_of(c, p->s, p->name, ":addVersion"), .in = in};
	r = gcp_key_call(c, p->s, &request, &answer);
	if (!r)
		p->version = last_segment(json_str(answer, "name"));
	return r;
}

// In the cloud's region only: a secret is data like any other.
static int make(struct call *c, struct gcp_services *s, struct str name)
{
	struct str region = s->config.region;
	AUTO(json) in = region.n ? json_pack("{s:{s:{s:[{}]}}}", "replication", "userManaged", "replicas")
				 : json_pack("{s:{s:{}}}", "replication", "automatic");
	json_t *replicas =
		json_object_get(json_object_get(json_object_get(in, "replication"), "userManaged"), "replicas");
	if (region.n)
		json_set_str(json_array_get(replicas, 0), "location", region);
	const struct gcp_request request = {.call = GCP_SECRET_CREATE,
		.path = path_of(c, s, S(""), ""),
		.query = arena_printf(c->arena, "secretId=%.*s", STR(name)),
		.in = in};
	int r = gcp_key_call(c, s, &request, NULL);
	if (r == ERR_EXISTS)
		err_clear(&c->err), r = 0;
	return r;
}

static int gcp_secret_put(
	struct call *c, void *secrets, struct str name, const struct secret *value, struct str *version)
{
	struct putting p = {.s = secrets, .name = name, .value = value, .version = S("")};
	const struct looked_act act = {.ctx = &p, .act = add, .look = holds};
	bool done = false;
	int r = check_name(c, name);
	if (!r && (!value->n || value->n > SECRET_MAX))
		r = call_fail(c, ERR_LIMIT, "a secret has 1 to %d bytes", SECRET_MAX);
	if (!r)
		r = holds(c, &p, &done);
	if (!r && !done)
		r = act_looking(c, &act);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		r = make(c, secrets, name);
		if (!r)
			r = act_looking(c, &act);
	}
	if (r)
		return reword(c, name);
	*version = p.version;
	return 0;
}

// ---------------------------------------------------------------- versions

struct listing {
	struct gcp_services *s;
	struct str name;
	json_t *versions;           // of describe's
	struct secret_names *names; // of list's
};

static int page_query(struct call *c, struct str token, struct buf *query)
{
	buf_printf(query, "pageSize=%d", PAGE);
	if (token.n)
		exchange_parameter(query, "pageToken", token);
	return buf_check(query, &c->err);
}

static int versions_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct listing *l = ctx;
	AUTO(buf) query = {0};
	const json_t *answer = NULL, *one;
	size_t i;
	int r = page_query(c, token, &query);
	const struct gcp_request request = {.call = GCP_SECRET_VERSIONS,
		.path = path_of(c, l->s, l->name, "/versions"),
		.query = buf_str(&query)};
	if (!r)
		r = gcp_key_call(c, l->s, &request, &answer);
	json_array_foreach(json_object_get(answer, "versions"), i, one)
	{
		struct str state = json_str(one, "state");
		if (str_eq(state, S("DESTROYED")))
			continue;
		json_t *told = json_pack("{s:b}", "enabled", (int)str_eq(state, S("ENABLED")));
		json_set_str(told, "version", last_segment(json_str(one, "name")));
		json_set_str(told, "created", json_str(one, "createTime"));
		json_array_append_new(l->versions, told);
	}
	*next = json_str(answer, "nextPageToken");
	return r;
}

static int64_t number_of(const json_t *version)
{
	int64_t n = 0;
	return str_to_i64(json_str(version, "version"), &n) ? 0 : n;
}

// Newest first, whatever order the server lists in.
static void sort_versions(json_t *list)
{
	for (size_t i = 1; i < json_array_size(list); i++)
		for (size_t k = i; k > 0 && number_of(json_array_get(list, k)) > number_of(json_array_get(list, k - 1)); k--) {
			json_t *one = json_incref(json_array_get(list, k));
			json_array_remove(list, k);
			json_array_insert_new(list, k - 1, one);
		}
	for (size_t i = 0; i < json_array_size(list); i++)
		json_object_set_new(json_array_get(list, i), "newest", json_boolean(i == 0));
}

static int gcp_secret_describe(struct call *c, void *secrets, struct str name, json_t **out)
{
	AUTO(json) list = json_array();
	struct listing l = {.s = secrets, .name = name, .versions = list};
	const json_t *answer = NULL;
	const struct gcp_request request = {.call = GCP_SECRET_GET, .path = path_of(c, secrets, name, "")};
	int r = check_name(c, name);
	if (!r)
		r = gcp_key_call(c, secrets, &request, &answer);
	if (!r)
		r = pages_all(c, versions_page, &l);
	if (r)
		return reword(c, name);
	sort_versions(list);
	struct str changed = json_str(json_array_get(list, 0), "created");
	json_t *j = json_pack("{s:O}", "versions", list);
	json_set_str(j, "created", json_str(answer, "createTime"));
	json_set_str(j, "changed", changed.n ? changed : json_str(answer, "createTime"));
	*out = j;
	return 0;
}

static int gcp_secret_disable(struct call *c, void *secrets, struct str name, struct str version)
{
	AUTO(json) in = json_object();
	struct str tail = arena_printf(c->arena, "/versions/%.*s:disable", STR(version));
	int r = check_name(c, name);
	if (!r && (!version.n || !tail.p || str_find_char(version, '/') >= 0))
		r = call_fail(c, ERR_INVALID, "\"%.*s\" is no version", STR(str_clip(version, 40)));
	if (!r)
		r = gcp_key_call(c, secrets,
			&(struct gcp_request){
				.call = GCP_SECRET_DISABLE, .path = path_of(c, secrets, name, tail.p), .in = in},
			NULL);
	return r ? reword(c, name) : 0;
}

static int gcp_secret_delete(struct call *c, void *secrets, struct str name)
{
	const struct gcp_request request = {.call = GCP_SECRET_DELETE, .path = path_of(c, secrets, name, "")};
	int r = check_name(c, name);
	if (!r)
		r = gcp_key_call(c, secrets, &request, NULL);
	if (r == ERR_NOT_FOUND)
		err_clear(&c->err), r = 0;
	return r ? reword(c, name) : 0;
}

static int list_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct listing *l = ctx;
	AUTO(buf) query = {0};
	const json_t *answer = NULL, *one;
	size_t i;
	int r = page_query(c, token, &query);
	const struct gcp_request request = {
		.call = GCP_SECRET_LIST, .path = path_of(c, l->s, S(""), ""), .query = buf_str(&query)};
	if (!r)
		r = gcp_key_call(c, l->s, &request, &answer);
	json_array_foreach(json_object_get(answer, "secrets"), i, one)
	{
		if (!r)
			r = secret_names_add(c, l->names, last_segment(json_str(one, "name")));
	}
	*next = json_str(answer, "nextPageToken");
	return r;
}

static int gcp_secret_list(struct call *c, void *secrets, struct str **names, size_t *count)
{
	struct secret_names found = {0};
	struct listing l = {.s = secrets, .names = &found};
	int r = pages_all(c, list_page, &l);
	if (r)
		return call_context(c, "list the secrets");
	secret_names_sort(&found);
	*names = found.items;
	*count = found.count;
	return 0;
}

const struct secret_ops gcp_secret_ops = {
	.name = "gcp",
	.put = gcp_secret_put,
	.get = gcp_secret_get,
	.describe = gcp_secret_describe,
	.disable = gcp_secret_disable,
	.delete = gcp_secret_delete,
	.list = gcp_secret_list,
};

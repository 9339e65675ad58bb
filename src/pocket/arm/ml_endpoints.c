// SPDX-License-Identifier: Apache-2.0
// Online endpoints as their API shows them, with their traffic and their keys. Source: "Azure Machine Learning REST API:
// Online Endpoints". Each change is an operation that takes time; while one runs, another is refused.
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/arm/ml_endpoints_impl.h"

static const int64_t change_ns = 10 * NS_PER_S; // how long the service takes to make or change an endpoint
enum { TOKEN_LIFE_S = 3600 };

bool ml_busy(struct str state)
{
	return str_eq(state, S("Creating")) || str_eq(state, S("Updating")) || str_eq(state, S("Deleting"));
}

int ml_document_update(struct arm_state *s, const char *collection, struct str name, json_t *changes, struct err *e)
{
	AUTO(json) owned = changes;
	AUTO(json) doc = json_deep_copy(docs_get(s->pocket, collection, name, NULL));
	if (!owned || !doc || json_object_update(doc, owned) < 0)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	return docs_put(s->pocket, collection, name, doc, e);
}

// ---------------------------------------------------------------- telling

// Where most of the traffic goes decides which path is scored at.
static struct str scoring_path(struct front_request *r, struct str endpoint, const json_t *doc)
{
	const char *name;
	json_t *percent;
	int port;
	json_object_foreach(json_object_get((json_t *)(uintptr_t)arm_properties_of(doc), "traffic"), name, percent)
	{
		struct str key = ml_deployment_key(r->arena, endpoint, str_of(name));
		const json_t *deployment = docs_get(r->pocket, ML_DEPLOYMENTS, key, NULL);
		if (json_integer_value(percent) > 0 && deployment)
			return ml_route(arm_state(r), deployment, "scoringRoute", &port);
	}
	return S("/score");
}

static json_t *tell(struct front_request *r, struct str name, const json_t *doc)
{
	const struct arm_state *s = arm_state(r);
	json_t *j = arm_resource(
		arm_id(s, r->arena, "onlineEndpoints/%.*s", STR(name)), name, ML_ENDPOINT_TYPE, doc);
	json_t *properties = json_object_get(j, "properties");
	json_object_del(properties, "keys");
	json_set_str(properties, "provisioningState", json_str(doc, "state"));
	json_set_str(properties, "scoringUri",
		arena_printf(r->arena, "%.*s" ML_SCORE_PATH "%.*s%.*s", STR(s->origin), STR(name),
			STR(scoring_path(r, name, doc))));
	json_set_str(properties, "swaggerUri",
		arena_printf(r->arena, "%.*s" ML_SCORE_PATH "%.*s/swagger.json", STR(s->origin), STR(name)));
	if (!json_object_get(properties, "traffic"))
		json_object_set_new(properties, "traffic", json_object());
	json_object_set_new(properties, "publicNetworkAccess", json_string("Enabled"));
	json_object_set_new(j, "kind", json_string("Managed"));
	return j;
}

static const json_t *find(struct front_request *r)
{
	const json_t *doc = docs_get(r->pocket, ML_ENDPOINTS, arm_name(r, 0), NULL);
	if (!doc)
		arm_not_found(r, ML_ENDPOINT_TYPE, arm_name(r, 0));
	return doc;
}

void ml_list_endpoints(struct front_request *r)
{
	arm_reply_list(r, &(struct arm_list){.collection = ML_ENDPOINTS, .tell = tell});
}

void ml_get_endpoint(struct front_request *r)
{
	const json_t *doc = find(r);
	if (doc)
		arm_reply(r, 200, tell(r, arm_name(r, 0), doc));
	else
		arm_fail(r);
}

// ---------------------------------------------------------------- checks

static int check_name(struct front_request *r, struct str name)
{
	bool good = name.n >= 3 && name.n <= 32 && name.p[name.n - 1] != '-';
	for (size_t i = 0; good && i < name.n; i++) {
		bool letter = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z');
		good = letter || (i && ((name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '-'));
	}
	return good ? 0
		    : arm_user_error(r,
			      "The endpoint name '%.*s' is invalid: 3 to 32 letters, digits and hyphens, beginning with a "
			      "letter and ending with no hyphen.",
			      STR(str_clip(name, 80)));
}

static int check_traffic(struct front_request *r, struct str endpoint, const json_t *traffic)
{
	const char *name;
	json_t *percent;
	int64_t sum = 0;
	json_object_foreach((json_t *)(uintptr_t)traffic, name, percent)
	{
		int64_t n = json_is_integer(percent) ? json_integer_value(percent) : -1;
		struct str key = ml_deployment_key(r->arena, endpoint, str_of(name));
		const json_t *deployment = docs_get(r->pocket, ML_DEPLOYMENTS, key, NULL);
		if (n < 0 || n > 100)
			return arm_user_error(r, "The traffic of deployment %.80s is a whole number from 0 to 100.", name);
		if (!deployment || (n > 0 && !str_eq(json_str(deployment, "state"), S("Succeeded"))))
			return arm_user_error(r,
				"The traffic of endpoint %.*s names the deployment %.80s, which is not there or has not "
				"succeeded.",
				STR(endpoint), name);
		sum += n;
	}
	if (sum == 0 || sum == 100)
		return 0;
	return arm_user_error(r, "The traffic of the deployments of endpoint %.*s adds up to %lld percent, not to 0 or 100.",
		STR(endpoint), (long long)sum);
}

static int check_endpoint(struct front_request *r, const json_t *before, const json_t *properties)
{
	static const char *const modes[] = {"Key", "AMLToken", "AADToken"};
	struct str mode = json_str(properties, "authMode");
	int rc = check_name(r, arm_name(r, 0));
	bool known = false;
	for (size_t i = 0; i < COUNT_OF(modes); i++)
		known = known || str_eq(mode, str_of(modes[i]));
	if (rc == 0 && !known)
		rc = arm_user_error(r, "The authMode of an endpoint is Key, AMLToken or AADToken.");
	if (rc == 0 && before && ml_busy(json_str(before, "state")))
		rc = arm_refuse(r, 409, "Conflict",
			"The endpoint %.*s is in state %.*s: another operation on it is in progress. Please retry later.",
			STR(arm_name(r, 0)), STR(json_str(before, "state")));
	if (rc == 0 && json_object_size(json_object_get(properties, "mirrorTraffic")))
		rc = arm_user_error(r, "A pocket cloud mirrors no traffic.");
	return rc < 0 ? rc : check_traffic(r, arm_name(r, 0), json_object_get(properties, "traffic"));
}

// ---------------------------------------------------------------- keys

static int random_key(struct pocket *p, char out[ML_KEY_SIZE], struct err *e)
{
	unsigned char bytes[32];
	int rc = pocket_random(p, bytes, sizeof(bytes), e);
	if (rc == 0)
		hex_encode(str_bytes(bytes, sizeof(bytes)), out);
	return rc;
}

int ml_make_keys(struct arm_state *s, struct str endpoint, const char *which, struct str value, struct err *e)
{
	const json_t *before = docs_get(s->pocket, ML_KEYS, endpoint, NULL);
	static const char *const names[] = {"primary", "secondary", "signing"};
	AUTO(json) doc = before ? json_deep_copy(before) : json_object();
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char key[ML_KEY_SIZE];
		bool wanted = !which ? !json_object_get(doc, names[i]) : strcmp(which, names[i]) == 0;
		int rc = wanted ? random_key(s->pocket, key, e) : 0;
		if (rc < 0)
			return rc;
		if (wanted)
			json_set_str(doc, names[i], which && value.n ? value : str_of(key));
	}
	return doc ? docs_put_durable(s->pocket, ML_KEYS, endpoint, doc, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int need_mode(struct front_request *r, const json_t *doc, const char *mode)
{
	if (str_eq(arm_text(doc, "authMode"), str_of(mode)))
		return 0;
	return arm_user_error(r, "The endpoint %.*s has authMode %.*s, not %s.", STR(arm_name(r, 0)),
		STR(arm_text(doc, "authMode")), mode);
}

void ml_endpoint_keys(struct front_request *r)
{
	const json_t *doc = find(r);
	if (!doc || need_mode(r, doc, "Key") < 0) {
		arm_fail(r);
		return;
	}
	const json_t *keys = docs_get(r->pocket, ML_KEYS, arm_name(r, 0), NULL);
	json_t *j = json_object();
	json_set_str(j, "primaryKey", json_str(keys, "primary"));
	json_set_str(j, "secondaryKey", json_str(keys, "secondary"));
	front_add(r, "cache-control", S("no-store"));
	arm_reply(r, 200, j);
}

void ml_regenerate_keys(struct front_request *r)
{
	const json_t *doc = find(r), *body = arm_request(r)->body;
	struct str type = json_str(body, "keyType"), operation = S("");
	int rc = doc ? need_mode(r, doc, "Key") : ERR_NOT_FOUND;
	bool primary = str_eq(type, S("Primary"));
	if (rc == 0 && !primary && !str_eq(type, S("Secondary")))
		rc = arm_user_error(r, "The keyType is Primary or Secondary.");
	if (rc == 0)
		rc = ml_make_keys(arm_state(r), arm_name(r, 0), primary ? "primary" : "secondary",
			json_str(body, "keyValue"), &r->err);
	if (rc == 0)
		rc = arm_operation_begin(r, arm_request(r)->scope, ARM_TOLD_BOTH, &operation);
	if (rc < 0) {
		arm_fail(r);
		return;
	}
	arm_operation_end(arm_state(r), operation, "Succeeded", S(""));
	front_reply(r, 202, S(""));
}

static struct str token_mac(struct arm_state *s, struct arena *a, struct str endpoint, struct str until)
{
	char hex[2 * SHA256_SIZE + 1];
	const json_t *keys = docs_get(s->pocket, ML_KEYS, endpoint, NULL);
	struct str said = arena_printf(a, "%.*s/%.*s", STR(endpoint), STR(until));
	struct sha256 mac = hmac_sha256(json_str(keys, "signing"), said);
	hex_encode(str_bytes(mac.bytes, SHA256_SIZE), hex);
	return keys && said.p ? arena_str(a, str_of(hex)) : S("");
}

struct str ml_token_make(struct arm_state *s, struct arena *a, struct str endpoint, int64_t until_s)
{
	struct str until = arena_printf(a, "%lld", (long long)until_s);
	struct str token = arena_printf(a, "aml.%.*s.%.*s", STR(until), STR(token_mac(s, a, endpoint, until)));
	return token.p ? token : S("");
}

bool ml_token_holds(struct arm_state *s, struct arena *a, struct str endpoint, struct str token)
{
	struct str word, until, mac;
	int64_t until_s = 0;
	str_cut(token, '.', &word, &token);
	str_cut(token, '.', &until, &mac);
	struct str wanted = token_mac(s, a, endpoint, until);
	return str_eq(word, S("aml")) && str_to_i64(until, &until_s) == 0 && wanted.n && mac.n == wanted.n &&
	       hash_equal(mac.p, wanted.p, mac.n) && until_s > arm_now_ns(s) / NS_PER_S;
}

void ml_endpoint_token(struct front_request *r)
{
	const json_t *doc = find(r);
	if (!doc || need_mode(r, doc, "AMLToken") < 0) {
		arm_fail(r);
		return;
	}
	int64_t until = front_now_ns(r) / NS_PER_S + TOKEN_LIFE_S;
	json_t *j = json_pack("{s:s, s:I, s:I}", "tokenType", "Bearer", "expiryTimeUtc", (json_int_t)until,
		"refreshAfterTimeUtc", (json_int_t)(until - TOKEN_LIFE_S / 2));
	json_set_str(j, "accessToken", ml_token_make(arm_state(r), r->arena, arm_name(r, 0), until));
	front_add(r, "cache-control", S("no-store"));
	arm_reply(r, 200, j);
}

// ---------------------------------------------------------------- changes

static int keep(struct front_request *r, json_t *doc, const char *state, enum arm_told told)
{
	struct str operation = S("");
	struct arm_state *s = arm_state(r);
	int rc = doc ? arm_operation_begin(r, arm_request(r)->scope, told, &operation)
		     : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc < 0)
		return rc;
	json_object_set_new(doc, "state", json_string(state));
	json_object_set_new(
		doc, "until_ns", json_integer(front_now_ns(r) + service_pace_ns(s->pocket, change_ns)));
	json_set_str(doc, "operation", operation);
	service_wake(r->pocket);
	return docs_put(r->pocket, ML_ENDPOINTS, arm_name(r, 0), doc, &r->err);
}

void ml_put_endpoint(struct front_request *r)
{
	struct str name = arm_name(r, 0);
	const json_t *before = docs_get(r->pocket, ML_ENDPOINTS, name, NULL), *body = arm_request(r)->body;
	bool made = !before;
	int rc = json_str(body, "location").n ? 0 : arm_refuse(r, 400, "LocationRequired", "The location property is required for this definition.");
	if (rc == 0)
		rc = check_endpoint(r, before, json_object_get(body, "properties"));
	const json_t *keys = json_object_get(json_object_get(body, "properties"), "keys");
	if (rc == 0)
		rc = ml_make_keys(arm_state(r), name, NULL, S(""), &r->err);
	if (rc == 0 && json_str(keys, "primaryKey").n)
		rc = ml_make_keys(arm_state(r), name, "primary", json_str(keys, "primaryKey"), &r->err);
	if (rc == 0 && json_str(keys, "secondaryKey").n)
		rc = ml_make_keys(arm_state(r), name, "secondary", json_str(keys, "secondaryKey"), &r->err);
	AUTO(json) doc = rc == 0 ? arm_document(r, before, body) : NULL;
	json_object_del(arm_properties(doc), "keys");
	if (rc == 0)
		rc = keep(r, doc, made ? "Creating" : "Updating", ARM_TOLD_ASYNC);
	if (rc < 0)
		arm_fail(r);
	else
		arm_reply(r, made ? 201 : 200, tell(r, name, doc));
}

// Tags and identity only, as the service has it.
void ml_patch_endpoint(struct front_request *r)
{
	const json_t *before = find(r);
	if (!before) {
		arm_fail(r);
		return;
	}
	AUTO(json) doc = json_deep_copy(before);
	json_t *tags = json_object_get(arm_request(r)->body, "tags");
	int rc = ml_busy(json_str(before, "state"))
			 ? arm_refuse(r, 409, "Conflict", "Another operation on the endpoint is in progress.")
			 : 0;
	if (rc == 0 && json_is_object(tags))
		json_object_set(json_object_get(doc, "resource"), "tags", tags);
	if (rc == 0)
		rc = keep(r, doc, "Updating", ARM_TOLD_BOTH);
	if (rc < 0)
		arm_fail(r);
	else
		arm_reply(r, 202, tell(r, arm_name(r, 0), doc));
}

void ml_delete_endpoint(struct front_request *r)
{
	const json_t *before = docs_get(r->pocket, ML_ENDPOINTS, arm_name(r, 0), NULL);
	if (!before) {
		front_reply(r, 204, S(""));
		return;
	}
	AUTO(json) doc = json_deep_copy(before);
	if (keep(r, doc, "Deleting", ARM_TOLD_BOTH) < 0)
		arm_fail(r);
	else
		front_reply(r, 202, S(""));
}

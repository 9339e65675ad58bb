// SPDX-License-Identifier: Apache-2.0
// Who may use a key of Google Cloud: the three roles of Cloud KMS for that, in the key's own policy; bindings of other
// roles stay as they are. The policy's etag keeps two writers apart. See kms.h and keys.h.
#include "cloud/gcp/kms_impl.h"

enum { MOST_GRANTS = 100, ATTEMPTS = 5 };

static const struct may {
	const char *may, *role;
} roles[] = {
	{"wrap", "roles/cloudkms.cryptoKeyEncrypter"},
	{"unwrap", "roles/cloudkms.cryptoKeyDecrypter"},
	{"use", "roles/cloudkms.cryptoKeyEncrypterDecrypter"},
};

static const struct may *by_role(struct str role)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if (str_is(role, roles[i].role))
			return &roles[i];
	return NULL;
}

static int read_policy(struct call *c, struct gcp_services *s, struct str name, json_t **policy)
{
	const json_t *answer = NULL;
	const struct gcp_request request = {
		.call = GCP_KMS_GET_POLICY, .path = gcp_key_path(c, s, name, ":getIamPolicy")};
	int r = gcp_key_call(c, s, &request, &answer);
	if (!r && !(*policy = json_in_arena(c->arena, json_deep_copy(answer))))
		r = call_no_memory(c);
	return r;
}

int gcp_key_grants(struct call *c, void *keys, struct str name, json_t **out)
{
	json_t *policy = NULL;
	const json_t *one, *member;
	size_t i, k;
	int r = read_policy(c, keys, name, &policy);
	if (r)
		return r;
	json_t *list = json_array();
	json_array_foreach(json_object_get(policy, "bindings"), i, one)
	{
		const struct may *m = by_role(json_str(one, "role"));
		json_array_foreach(m ? json_object_get(one, "members") : NULL, k, member)
		{
			json_t *grant = json_pack("{s:s}", "may", m->may);
			json_set_str(grant, "principal", json_value_str(member));
			json_array_append_new(list, grant);
		}
	}
	*out = list;
	return 0;
}

static int add_binding(struct call *c, json_t *bindings, const json_t *grant)
{
	struct str principal = json_str(grant, "principal"), may = json_str(grant, "may");
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		if (!str_is(may, roles[i].may) || !principal.n)
			continue;
		json_t *one = json_pack("{s:s, s:[o]}", "role", roles[i].role, "members", json_of_str(principal));
		return one && json_array_append_new(bindings, one) == 0 ? 0 : call_no_memory(c);
	}
	return call_fail(c, ERR_INVALID,
		"expected grants {\"principal\": \"serviceAccount:...\", \"may\": \"wrap\", \"unwrap\" or \"use\"}");
}

static int write_policy(struct call *c, struct gcp_services *s, struct str name, const json_t *grants)
{
	json_t *policy = NULL;
	int r = read_policy(c, s, name, &policy);
	if (r)
		return r;
	if (!json_object_get(policy, "bindings"))
		json_object_set_new(policy, "bindings", json_array());
	json_t *bindings = json_object_get(policy, "bindings");
	for (size_t i = json_array_size(bindings); i > 0; i--)
		if (by_role(json_str(json_array_get(bindings, i - 1), "role")))
			json_array_remove(bindings, i - 1);
	for (size_t i = 0; !r && i < json_array_size(grants); i++)
		r = add_binding(c, bindings, json_array_get(grants, i));
	AUTO(json) in = json_pack("{s:O}", "policy", policy);
	const struct gcp_request request = {
		.call = GCP_KMS_SET_POLICY, .path = gcp_key_path(c, s, name, ":setIamPolicy"), .in = in};
	return r ? r : gcp_key_call(c, s, &request, NULL);
}

// Whoever was first has changed the etag: the policy is read anew. So has a lost answer of ours.
int gcp_key_set_grants(struct call *c, void *keys, struct str name, const json_t *grants)
{
	int r = 0;
	if (json_array_size(grants) > MOST_GRANTS)
		return call_fail(c, ERR_LIMIT, "key %.*s: at most %d grants", STR(name), MOST_GRANTS);
	for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
		r = write_policy(c, keys, name, grants);
		if (!r || !c->err.retryable || retry_pause(c, &retry_standard, attempt, 0))
			break;
	}
	return r ? call_context(c, "the policy of key %.*s", STR(name)) : 0;
}

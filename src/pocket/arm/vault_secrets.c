// SPDX-License-Identifier: Apache-2.0
// Secrets of a pocket Key Vault. See vault_impl.h.
#include "pocket/arm/vault_impl.h"

enum { MOST_VALUE = 25 << 10 };

static struct str bound_to(struct front_request *r, struct str name, const json_t *version)
{
	return arena_printf(r->arena, "vault/%.*s/%.*s", STR(name), STR(json_str(version, "id")));
}

static int tell_secret(struct front_request *r, struct str name, const json_t *version, bool value, json_t *out)
{
	AUTO(buf) text = {0};
	json_set_str(out, "id",
		arena_printf(r->arena, "%.*s/secrets/%.*s/%.*s", STR(vault_base(r)), STR(name),
			STR(json_str(version, "id"))));
	if (json_str(version, "content_type").n)
		json_set_str(out, "contentType", json_str(version, "content_type"));
	int rc = value ? at_rest_open(r->pocket, version, bound_to(r, name, version), &text, &r->err) : 0;
	if (rc == 0 && value)
		json_set_str(out, "value", buf_str(&text));
	if (text.p)
		secret_wipe(text.p, text.n);
	return rc;
}

const struct vault_kind vault_secrets = {
	.word = "secrets", .collection = "vault/secrets", .missing = "SecretNotFound", .tell = tell_secret};

void vault_set_secret(struct front_request *r)
{
	const json_t *body = vault_request(r)->body, *value = json_object_get(body, "value");
	json_t *version = NULL;
	int rc = vault_check_name(r, &vault_secrets);
	if (rc == 0 && (!json_is_string(value) || json_string_length(value) > MOST_VALUE))
		rc = vault_refuse(r, 400, "BadParameter", "Property value is required, and has at most %d bytes.", MOST_VALUE);
	if (rc == 0)
		rc = vault_new_version(r, &version);
	if (rc == 0 && json_str(body, "contentType").n)
		json_set_str(version, "content_type", json_str(body, "contentType"));
	if (rc == 0)
		rc = at_rest_seal(r->pocket, version, bound_to(r, vault_request(r)->names[0], version),
			json_value_str(value), &r->err);
	if (rc == 0)
		rc = vault_add_version(r, &vault_secrets, json_incref(version));
	if (rc < 0)
		vault_fail(r);
	else
		vault_reply_version(r, &vault_secrets, version);
	json_decref(version);
}

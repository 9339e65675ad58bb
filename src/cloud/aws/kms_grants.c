// SPDX-License-Identifier: Apache-2.0
// Who may use a key of AWS: statements of ours in its key policy, told by their Sid; the others stay as they are. See
// kms.h and keys.h.
#include <stdio.h>

#include "cloud/aws/kms_impl.h"

enum { MOST_GRANTS = 100 };
#define SID "IsobarGrant"

static int read_policy(struct call *c, struct aws_services *s, struct str id, json_t **policy)
{
	AUTO(json) in = json_pack("{s:s}", "PolicyName", "default");
	const json_t *answer = NULL;
	json_t *parsed = NULL;
	json_set_str(in, "KeyId", id);
	int r = aws_json_call(c, s, AWS_KMS_GET_POLICY, in, &answer);
	if (!r && json_parse(json_str(answer, "Policy"), &parsed, &c->err))
		r = call_fail(c, ERR_PROTOCOL, "the key's policy is not valid JSON");
	parsed = json_in_arena(c->arena, parsed);
	if (!r && !json_is_array(json_object_get(parsed, "Statement")))
		r = call_fail(c, ERR_PROTOCOL, "the key's policy has no list of statements");
	if (!r)
		*policy = parsed;
	return r;
}

static bool is_ours(const json_t *statement)
{
	return str_starts(json_str(statement, "Sid"), S(SID));
}

static bool names_action(const json_t *statement, struct str action)
{
	const json_t *actions = json_object_get(statement, "Action"), *one;
	size_t i;
	if (json_is_string(actions))
		return str_eq(json_value_str(actions), action);
	json_array_foreach(actions, i, one)
	{
		if (str_eq(json_value_str(one), action))
			return true;
	}
	return false;
}

int aws_key_grants(struct call *c, void *keys, struct str name, json_t **out)
{
	struct aws_key k = {0};
	json_t *policy = NULL;
	const json_t *one;
	size_t i;
	int r = aws_key_find(c, keys, name, &k);
	if (!r)
		r = read_policy(c, keys, k.id, &policy);
	if (r)
		return r;
	json_t *list = json_array();
	json_array_foreach(json_object_get(policy, "Statement"), i, one)
	{
		if (!is_ours(one))
			continue;
		bool wraps = names_action(one, S("kms:Encrypt")), unwraps = names_action(one, S("kms:Decrypt"));
		json_t *grant = json_pack("{s:s}", "may", wraps && unwraps ? "use" : wraps ? "wrap" : "unwrap");
		json_set_str(grant, "principal", json_str(json_object_get(one, "Principal"), "AWS"));
		json_array_append_new(list, grant);
	}
	*out = list;
	return 0;
}

static int add_statement(struct call *c, json_t *statements, const json_t *grant, size_t number)
{
	struct str principal = json_str(grant, "principal"), may = json_str(grant, "may");
	bool wraps = str_eq(may, S("wrap")) || str_eq(may, S("use")),
	     unwraps = str_eq(may, S("unwrap")) || str_eq(may, S("use"));
	char sid[32];
	if (!str_starts(principal, S("arn:")) || (!wraps && !unwraps))
		return call_fail(c, ERR_INVALID,
			"grant %zu: expected {\"principal\": ARN, \"may\": \"wrap\", \"unwrap\" or \"use\"}", number);
	snprintf(sid, sizeof(sid), SID "%zu", number);
	json_t *one = json_pack("{s:s, s:s, s:{}, s:[s], s:s}", "Sid", sid, "Effect", "Allow", "Principal", "Action",
		"kms:DescribeKey", "Resource", "*");
	json_set_str(json_object_get(one, "Principal"), "AWS", principal);
	if (wraps)
		json_array_append_new(json_object_get(one, "Action"), json_string("kms:Encrypt"));
	if (unwraps)
		json_array_append_new(json_object_get(one, "Action"), json_string("kms:Decrypt"));
	json_array_append_new(statements, one);
	return 0;
}

int aws_key_set_grants(struct call *c, void *keys, struct str name, const json_t *grants)
{
	struct aws_key k = {0};
	json_t *policy = NULL;
	AUTO(buf) text = {0};
	AUTO(json) in = json_pack("{s:s}", "PolicyName", "default");
	int r = aws_key_find(c, keys, name, &k);
	if (!r && json_array_size(grants) > MOST_GRANTS)
		r = call_fail(c, ERR_LIMIT, "key %.*s: at most %d grants", STR(name), MOST_GRANTS);
	if (!r)
		r = read_policy(c, keys, k.id, &policy);
	json_t *statements = json_object_get(policy, "Statement");
	for (size_t i = json_array_size(statements); i > 0; i--)
		if (is_ours(json_array_get(statements, i - 1)))
			json_array_remove(statements, i - 1);
	for (size_t i = 0; !r && i < json_array_size(grants); i++)
		r = add_statement(c, statements, json_array_get(grants, i), i + 1);
	if (!r)
		r = json_write(policy, &text, &c->err);
	json_set_str(in, "KeyId", k.id);
	json_set_str(in, "Policy", buf_str(&text));
	return r ? r : aws_json_call(c, keys, AWS_KMS_PUT_POLICY, in, NULL);
}

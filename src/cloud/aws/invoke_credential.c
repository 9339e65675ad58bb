// SPDX-License-Identifier: Apache-2.0
// Credentials for the gateway: see invoke_credential.h.
#include "cloud/aws/invoke_credential.h"

#include "base/time.h"
#include "cloud/sign/sign_request.h"

enum { LIFE_S = 3600 };

static const char *partition_of(struct str region)
{
	return str_starts(region, S("cn-")) ? "aws-cn" : str_starts(region, S("us-gov-")) ? "aws-us-gov" : "aws";
}

// ARNs of endpoints are in lower case, whatever their names are. Without the account's number: of any account that the
// role is of, which is one.
static struct str policy_of(struct call *c, const struct aws_services *s, struct str endpoint)
{
	char *lower = arena_cstr(c->arena, endpoint);
	for (char *p = lower; p && *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	struct str account = s->config.account.n ? s->config.account : S("*");
	return arena_printf(c->arena,
		"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sagemaker:InvokeEndpoint\","
		"\"Resource\":\"arn:%s:sagemaker:%.*s:%.*s:endpoint/%s\"}]}",
		partition_of(s->config.region), STR(s->config.region), STR(account), lower ? lower : "");
}

static void add(struct buf *form, const char *name, struct str value)
{
	buf_printf(form, "%s%s=", form->n ? "&" : "", name);
	sign_uri_encode(value, "", form);
}

static int read_credentials(struct call *c, const struct xml *root, struct endpoint_credential *out)
{
	const struct xml *keys = xml_child(xml_child(root, "AssumeRoleResult"), "Credentials");
	struct str id = xml_child_text(keys, "AccessKeyId"), key = xml_child_text(keys, "SecretAccessKey"),
		   token = xml_child_text(keys, "SessionToken");
	int64_t expires_ns;
	if (!id.n || !key.n || !token.n || time_parse_rfc3339(xml_child_text(keys, "Expiration"), &expires_ns))
		return call_fail(c, ERR_PROTOCOL, "the answer AssumeRoleResponse has no credentials");
	out->access_key = id;
	out->expires_ns = expires_ns;
	int r = secret_set(&out->secret, key, &c->err);
	return r ? r : secret_set(&out->session, token, &c->err);
}

int aws_invoke_credential(
	struct call *c, struct aws_services *s, struct str endpoint, struct endpoint_credential *out)
{
	AUTO(buf) form = {0};
	AUTO(endpoint_credential) made = {.how = INVOKE_SAGEMAKER, .region = s->config.region};
	struct xml *root = NULL;
	struct str policy = policy_of(c, s, endpoint);
	if (!s->config.job_role.n)
		return call_fail(c, ERR_UNSUPPORTED,
			"%.*s: there is no role to invoke endpoint %.*s as; name one as the cloud's job_role", STR(s->config.name),
			STR(endpoint));
	add(&form, "RoleArn", s->config.job_role);
	add(&form, "RoleSessionName", S("isobar-gateway"));
	add(&form, "Policy", policy);
	buf_printf(&form, "&DurationSeconds=%d", LIFE_S);
	int r = policy.p && !form.failed ? aws_query_call(c, s, AWS_ASSUME_ROLE, buf_str(&form), &root) : call_no_memory(c);
	if (!r)
		r = read_credentials(c, root, &made);
	if (r)
		return call_context(c, "%.*s: credentials to invoke endpoint %.*s", STR(s->config.name), STR(endpoint));
	*out = made;
	made = (struct endpoint_credential){0};
	return 0;
}

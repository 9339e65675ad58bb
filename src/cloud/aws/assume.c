// SPDX-License-Identifier: Apache-2.0
// Taking on a role: AssumeRole and AssumeRoleWithWebIdentity of STS. See credentials_impl.h. The provider of the request
// lives as long as the request: a source asks for a role once an hour.
#include <stdlib.h>

#include "base/time.h"
#include "cloud/aws/calls.h"
#include "cloud/aws/credentials_impl.h"
#include "cloud/aws/request_impl.h"
#include "cloud/http/xml.h"

enum { SHORTEST_S = 900, USUAL_S = 3600 };

struct sts {
	struct provider provider; // first
	struct aws_signing signing;
};

static int sign(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	const struct sts *sts = (const struct sts *)(const void *)p;
	return aws_sign_request(c, &sts->signing, r, x);
}

// A token of somebody who is trusted stands in the form: the request is not signed.
static int leave_unsigned(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	(void)c, (void)p, (void)r, (void)x;
	return 0;
}

static const struct provider_ops signed_ops = {.name = "sts", .authorize = sign, .refused = aws_service_refused};
static const struct provider_ops open_ops = {
	.name = "sts", .authorize = leave_unsigned, .refused = aws_service_refused};

static struct str form_of(struct call *c, const struct aws_role *role, const struct cloud_call *row)
{
	AUTO(buf) form = {0};
	int64_t seconds = role->duration_s ? MAX(role->duration_s, SHORTEST_S) : USUAL_S;
	credential_form_add(&form, "Action", str_of(row->target));
	credential_form_add(&form, "Version", S("2011-06-15"));
	credential_form_add(&form, "RoleArn", role->arn);
	credential_form_add(&form, "RoleSessionName", role->session_name);
	buf_printf(&form, "&DurationSeconds=%lld", (long long)seconds);
	if (role->external_id.n)
		credential_form_add(&form, "ExternalId", role->external_id);
	if (role->token.n)
		credential_form_add(&form, "WebIdentityToken", role->token);
	struct str text = form.failed ? (struct str){0} : arena_str(c->arena, buf_str(&form));
	if (form.p)
		secret_wipe(form.p, form.n);
	return text;
}

static int read_answer(struct call *c, const struct cloud_call *row, const struct transport_response *answer,
	struct credential_made *out)
{
	struct xml *root = NULL;
	int r = xml_parse(answer->body, c->arena, &root, &c->err);
	if (r)
		return r;
	struct str result = arena_printf(c->arena, "%sResult", row->target);
	const struct xml *keys = result.p ? xml_child(xml_child(root, result.p), "Credentials") : NULL;
	struct str id = xml_child_text(keys, "AccessKeyId"), key = xml_child_text(keys, "SecretAccessKey");
	if (!id.n || !key.n)
		return call_fail(c, ERR_PROTOCOL, "the answer %sResponse has no credentials", row->target);
	r = credential_lifetime(c, answer, xml_child_text(keys, "Expiration"), &out->lifetime_ns);
	if (!r)
		r = secret_set(&out->access_key, id, &c->err);
	if (!r)
		r = secret_set(&out->secret_key, key, &c->err);
	if (!r)
		r = secret_set(&out->session_token, xml_child_text(keys, "SessionToken"), &c->err);
	return r;
}

int aws_assume(
	struct call *c, const struct aws_chain *chain, const struct aws_role *role, struct credential_made *out)
{
	const struct cloud_call *row =
		&aws_calls[role->token.n ? AWS_ASSUME_ROLE_WITH_WEB_IDENTITY : AWS_ASSUME_ROLE];
	struct sts sts = {.signing = {.credentials = role->base, .region = chain->region, .service = S("sts")}};
	struct transport_response answer = {0};
	struct exchange x = {.call = row, .path = S("/"), .body = form_of(c, role, row)};
	if (!x.body.p)
		return call_no_memory(c);
	exchange_header(&x, "content-type", S("application/x-www-form-urlencoded; charset=utf-8"));
	int r = provider_init(
		&sts.provider, role->token.n ? &open_ops : &signed_ops, chain->sts_url, c->arena, &c->err);
	sts.provider.transport = chain->place.transport;
	if (role->base) {
		sts.provider.credentials = role->base;
		sts.provider.audience = S("");
		sts.provider.clock = credentials_clock(role->base);
		sts.signing.clock = sts.provider.clock;
	}
	if (!r)
		r = exchange_run(c, &sts.provider, &x, &answer);
	if (!r)
		r = read_answer(c, row, &answer, out);
	return r ? call_context(c, "take on the role %.*s", STR(str_clip(role->arn, 200))) : 0;
}

// SPDX-License-Identifier: Apache-2.0
// The links of AWS's chain that are services of the place where the program runs, or its environment: see
// credentials_impl.h. Sources: "Container credential provider", "IMDS credential provider" (AWS SDKs and Tools Reference
// Guide); "EKS Pod Identity"; "Retrieve security credentials from instance metadata" (Amazon EC2, IMDSv2).
#include "base/time.h"
#include "cloud/aws/credentials_impl.h"
#include "net/url.h"

enum { TOKEN_LIMIT = 64 << 10 };

int aws_link_environment(struct call *c, struct aws_chain *chain, struct credential_made *out)
{
	struct str id = credential_variable(&chain->place, "AWS_ACCESS_KEY_ID");
	struct str key = credential_variable(&chain->place, "AWS_SECRET_ACCESS_KEY");
	if (!id.n || !key.n || chain->profile.n)
		return call_fail(c, ERR_NOT_FOUND, "not in the environment");
	int r = secret_set(&out->access_key, id, &c->err);
	if (!r)
		r = secret_set(&out->secret_key, key, &c->err);
	if (!r)
		r = secret_set(&out->session_token, credential_variable(&chain->place, "AWS_SESSION_TOKEN"), &c->err);
	return r;
}

int aws_link_web_identity(struct call *c, struct aws_chain *chain, struct credential_made *out)
{
	struct str path = credential_variable(&chain->place, "AWS_WEB_IDENTITY_TOKEN_FILE");
	struct str name = credential_variable(&chain->place, "AWS_ROLE_SESSION_NAME");
	struct aws_role role = {.arn = credential_variable(&chain->place, "AWS_ROLE_ARN"),
		.session_name = name.n ? name : S("isobar"),
		.external_id = S("")};
	if (!path.n || !role.arn.n || chain->profile.n)
		return call_fail(c, ERR_NOT_FOUND, "no web identity");
	int r = credential_file(c, path, TOKEN_LIMIT, &role.token);
	if (r == ERR_NOT_FOUND) // it is named, so that it should be there
		c->err.code = r = ERR_INVALID;
	if (r)
		return call_context(c, "AWS_WEB_IDENTITY_TOKEN_FILE");
	return aws_assume(c, chain, &role, out);
}

int aws_read_keys(struct call *c, const json_t *j, const struct aws_key_names *names,
	const struct transport_response *answer, struct credential_made *out)
{
	struct str id = json_str(j, names->id), key = json_str(j, names->key), ends = json_str(j, names->ends);
	if (!id.n || !key.n)
		return call_fail(c, ERR_PROTOCOL, "the answer has no %s and %s", names->id, names->key);
	int r = ends.n ? credential_lifetime(c, answer, ends, &out->lifetime_ns) : 0;
	if (!r)
		r = secret_set(&out->access_key, id, &c->err);
	if (!r)
		r = secret_set(&out->secret_key, key, &c->err);
	if (!r)
		r = secret_set(&out->session_token, json_str(j, names->token), &c->err);
	return r;
}

static int read_answer(struct call *c, const struct credential_request *request,
	const struct transport_response *answer, struct credential_made *out)
{
	static const struct aws_key_names names = {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"};
	AUTO(json) j = NULL;
	int r = json_parse(answer->body, &j, &c->err);
	if (answer->status != 200)
		return credential_refuse(c, request, answer, json_str(j, "code"), json_str(j, "message"));
	if (!r)
		r = aws_read_keys(c, j, &names, answer, out);
	return r ? call_context(c, "the answer of %s", request->what) : 0;
}

// ---------------------------------------------------------------- containers

// Plain http only to this machine and to the addresses at which ECS and EKS have their services.
static int check_container(struct call *c, struct str address)
{
	static const char *const hosts[] = {"localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23", "::1"};
	struct url url;
	int r = url_parse(address, &url, &c->err);
	if (r)
		return call_context(c, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct str host = url.authority.host;
	bool allowed = url.https || (url.authority.type != URL_HOST_NAME && str_starts(host, S("127.")));
	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		allowed = allowed || str_eq_nocase(host, str_of(hosts[i]));
	return allowed ? 0
		       : call_fail(c, ERR_DENIED,
				 "AWS_CONTAINER_CREDENTIALS_FULL_URI is at %.*s over plain http, which is neither this "
				 "machine nor a container's credential service",
				 STR(str_clip(host, 100)));
}

static int add_token(struct call *c, const struct aws_chain *chain, struct credential_request *request)
{
	struct str file = credential_variable(&chain->place, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	struct str token = credential_variable(&chain->place, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
	int r = file.n ? credential_file(c, file, TOKEN_LIMIT, &token) : 0;
	if (r)
		return call_context(c, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	if (token.n)
		request->headers[request->header_count++] = (struct sign_header){S("authorization"), token};
	return 0;
}

int aws_link_container(struct call *c, struct aws_chain *chain, struct credential_made *out)
{
	struct str relative = credential_variable(&chain->place, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	struct str full = credential_variable(&chain->place, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct credential_request request = {
		.method = "GET", .url = full, .what = "the container's credential service", .metadata = true};
	struct transport_response answer = {0};
	if (!relative.n && !full.n)
		return call_fail(c, ERR_NOT_FOUND, "no container");
	if (relative.n)
		request.url = arena_printf(c->arena, "http://169.254.170.2%.*s", STR(relative));
	if (!request.url.p)
		return call_no_memory(c);
	int r = check_container(c, request.url);
	if (!r)
		r = add_token(c, chain, &request);
	if (!r)
		r = credential_ask(c, &chain->place, &request, &answer);
	return r ? r : read_answer(c, &request, &answer, out);
}

// ---------------------------------------------------------------- instances

static struct str instance_url(struct call *c, const struct aws_chain *chain, const char *path, struct str rest)
{
	struct str base = credential_variable(&chain->place, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	if (!base.n)
		base = S("http://169.254.169.254");
	while (str_ends(base, S("/")))
		base.n--;
	return arena_printf(c->arena, "%.*s%s%.*s", STR(base), path, STR(rest));
}

// What is not there, or does not answer at once, is no instance.
static int ask_instance(struct call *c, const struct aws_chain *chain, const struct credential_request *request,
	struct transport_response *answer)
{
	int r = request->url.p ? credential_ask(c, &chain->place, request, answer) : call_no_memory(c);
	if (r == ERR_UNAVAILABLE || r == ERR_DENIED)
		return call_fail(c, ERR_NOT_FOUND, "no instance metadata service");
	return r;
}

static int instance_token(struct call *c, const struct aws_chain *chain, struct str *token)
{
	struct transport_response answer = {0};
	struct credential_request request = {.method = "PUT",
		.url = instance_url(c, chain, "/latest/api/token", S("")),
		.headers = {{S("x-aws-ec2-metadata-token-ttl-seconds"), S("21600")}},
		.header_count = 1,
		.what = "the instance metadata service",
		.metadata = true};
	int r = ask_instance(c, chain, &request, &answer);
	if (!r && answer.status != 200)
		r = call_fail(c, ERR_NOT_FOUND, "the instance metadata service gives no session (HTTP %d)", answer.status);
	if (!r)
		*token = str_trim(answer.body);
	return r;
}

int aws_link_instance(struct call *c, struct aws_chain *chain, struct credential_made *out)
{
	struct str token, role, rest;
	struct transport_response answer = {0};
	if (str_eq_nocase(credential_variable(&chain->place, "AWS_EC2_METADATA_DISABLED"), S("true")))
		return call_fail(c, ERR_NOT_FOUND, "the instance metadata service is switched off");
	int r = instance_token(c, chain, &token);
	if (r)
		return r;
	struct credential_request request = {.method = "GET",
		.url = instance_url(c, chain, "/latest/meta-data/iam/security-credentials/", S("")),
		.headers = {{S("x-aws-ec2-metadata-token"), token}},
		.header_count = 1,
		.what = "the instance metadata service",
		.metadata = true};
	r = ask_instance(c, chain, &request, &answer);
	str_cut(str_trim(answer.body), '\n', &role, &rest);
	if (!r && (answer.status != 200 || !role.n))
		return call_fail(c, ERR_NOT_FOUND, "the instance has no role");
	if (!r)
		request.url = instance_url(c, chain, "/latest/meta-data/iam/security-credentials/", str_trim(role));
	if (!r)
		r = ask_instance(c, chain, &request, &answer);
	return r ? r : read_answer(c, &request, &answer, out);
}

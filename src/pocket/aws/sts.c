// SPDX-License-Identifier: Apache-2.0
// STS of a pocket AWS: who asks, and temporary credentials for roles and for the owner. Source: AWS STS API Reference
// (version 2011-06-15). A role's trust policy decides who may take it on; a session's policy narrows what it may.
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "pocket/aws/query.h"
#include "pocket/issuer.h"

enum { SHORTEST_S = 900, USUAL_S = 3600, CHAINED_S = 3600, OWNER_LONGEST_S = 129600 };

// ---------------------------------------------------------------- answers

static void write_keys(struct buf *out, const struct session_keys *keys, int64_t ends_s)
{
	buf_add(out, S("<Credentials>"));
	xml_element(out, "AccessKeyId", str_of(keys->access_key));
	xml_element(out, "SecretAccessKey", str_of(keys->secret));
	xml_element(out, "SessionToken", keys->token);
	aws_query_time(out, "Expiration", ends_s);
	buf_add(out, S("</Credentials>"));
}

static int read_duration(struct front_request *r, const struct sign_parameters *form, int64_t longest, int64_t *seconds)
{
	struct str text = sign_parameters_get(form, S("DurationSeconds"));
	*seconds = MIN((int64_t)USUAL_S, longest);
	if (!text.n)
		return 0;
	if (str_to_i64(text, seconds) < 0 || *seconds < SHORTEST_S)
		return aws_query_refuse(r, 400, "ValidationError",
			"1 validation error detected: Value '%.*s' at 'durationSeconds' failed to satisfy constraint: "
			"Member "
			"must have value greater than or equal to %d",
			STR(str_clip(text, 20)), SHORTEST_S);
	if (*seconds > longest)
		return aws_query_refuse(r, 400, "ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
	return 0;
}

static int read_policy(struct front_request *r, const struct sign_parameters *form, const json_t **out)
{
	struct str text = sign_parameters_get(form, S("Policy"));
	json_t *policy = NULL;
	*out = NULL;
	if (!text.n)
		return 0;
	if (text.n > 2048)
		return aws_query_refuse(
			r, 400, "PackedPolicyTooLarge", "The session policy is longer than 2048 characters.");
	if (json_parse(text, &policy, NULL) < 0 || !json_object_get(policy, "Statement")) {
		json_decref(policy);
		return aws_query_refuse(
			r, 400, "MalformedPolicyDocument", "The policy is not in the valid JSON format.");
	}
	*out = json_in_arena(r->arena, policy);
	return *out ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- trust

static bool principal_is(const json_t *list, struct str name)
{
	const json_t *one;
	size_t i;
	if (json_is_string(list))
		return str_eq(json_value_str(list), name) || str_eq(json_value_str(list), S("*"));
	json_array_foreach(list, i, one)
	{
		if (str_eq(json_value_str(one), name) || str_eq(json_value_str(one), S("*")))
			return true;
	}
	return false;
}

struct trust {            // one way to be named by a trust policy
	const char *kind; // "AWS", "Federated"
	struct str name;
	const char *action;
	const json_t *context;
};

// The statements that name this principal, as if they were a policy on no resource.
static enum access trusts(const json_t *role, const struct trust *t)
{
	AUTO(json) document = NULL;
	const json_t *statements, *one;
	size_t i;
	struct access_question q = {.action = str_of(t->action), .resource = S("*"), .context = t->context};
	enum access found = ACCESS_NONE;
	if (json_parse(json_str(role, "trust"), &document, NULL) < 0)
		return ACCESS_NONE;
	statements = json_object_get(document, "Statement");
	AUTO(json) single = json_is_object(statements) ? json_pack("[O]", statements) : NULL;
	json_array_foreach(single ? single : statements, i, one)
	{
		const json_t *principal = json_object_get(one, "Principal");
		bool anybody = json_is_string(principal) && str_eq(json_value_str(principal), S("*"));
		if (!anybody && !principal_is(json_object_get(principal, t->kind), t->name))
			continue;
		AUTO(json) alone = json_pack("{s:[O]}", "Statement", one);
		enum access here = access_of_document(alone, &q);
		if (here == ACCESS_DENY)
			return here;
		found = here == ACCESS_ALLOW ? here : found;
	}
	return found;
}

// By its own name; by its role's; or as one of the account, which then has to allow it itself.
static bool may_assume(struct front_request *r, const json_t *role, struct str arn, const json_t *context)
{
	const struct pocket_principal *who = r->who;
	struct arena *a = r->arena;
	struct str names[] = {who->name, who->role.n ? session_role_arn(r->pocket, a, S("/"), who->role) : who->name,
		arena_printf(a, "arn:aws:iam::%.*s:root", STR(who->account)), who->account};
	bool direct = false, account = false;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct trust t = {"AWS", names[i], "sts:AssumeRole", context};
		enum access found = trusts(role, &t);
		if (found == ACCESS_DENY)
			return false;
		direct = direct || (i < 2 && found == ACCESS_ALLOW);
		account = account || found == ACCESS_ALLOW;
	}
	struct access_question q = {.action = S("sts:AssumeRole"), .resource = arn};
	return direct || (account && access_allowed(who, &q));
}

// ---------------------------------------------------------------- roles

struct taking {
	struct str arn, name; // of the role, as asked for; of the session
	const json_t *role;
	int64_t seconds;
	const json_t *policy;
};

static bool good_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    strchr("_+=,.@-", c)))
			return false;
	}
	return s.n >= 2 && s.n <= 64;
}

static int read_taking(struct front_request *r, const struct sign_parameters *form, struct taking *out)
{
	int rc = aws_query_need(r, form, "RoleArn", &out->arn);
	if (rc == 0)
		rc = aws_query_need(r, form, "RoleSessionName", &out->name);
	if (rc == 0 && !good_name(out->name))
		rc = aws_query_refuse(r, 400, "ValidationError",
			"1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint: Member "
			"must "
			"satisfy regular expression pattern: [\\w+=,.@-]{2,64}");
	if (rc < 0)
		return rc;
	out->role = str_starts(out->arn, S("arn:")) ? session_role(r->pocket, out->arn) : NULL;
	int64_t longest = json_int(out->role, "max_duration", USUAL_S);
	if (r->who && r->who->role.n)
		longest = MIN(longest, (int64_t)CHAINED_S);
	rc = read_duration(r, form, longest, &out->seconds);
	return rc < 0 ? rc : read_policy(r, form, &out->policy);
}

static int give_role(struct front_request *r, const struct taking *t, struct buf *result)
{
	struct session_keys keys = {0};
	struct str role = json_str(t->role, "name");
	struct session s = {
		.role = role, .name = t->name, .ends_s = front_now_ns(r) / NS_PER_S + t->seconds, .policy = t->policy};
	char account[SESSION_ACCOUNT_DIGITS + 1];
	pocket_account(r->pocket, account);
	int rc = session_make(r->pocket, &s, r->arena, &keys, &r->err);
	if (rc < 0)
		return rc;
	write_keys(result, &keys, s.ends_s);
	struct str id = session_unique_id(r->pocket, r->arena, "AROA", role);
	buf_printf(result,
		"<AssumedRoleUser><AssumedRoleId>%.*s:%.*s</AssumedRoleId><Arn>arn:aws:sts::%s:assumed-role/%.*s/%.*s</"
		"Arn>"
		"</AssumedRoleUser>",
		STR(id), STR(t->name), account, STR(role), STR(t->name));
	explicit_bzero(&keys, sizeof(keys));
	return 0;
}

static int assume_role(struct front_request *r, const struct sign_parameters *form, struct buf *result)
{
	struct taking t = {0};
	AUTO(json) context = json_object();
	struct str external = sign_parameters_get(form, S("ExternalId"));
	if (external.n)
		json_set_str(context, "sts:ExternalId", external);
	int rc = read_taking(r, form, &t);
	if (rc < 0)
		return rc;
	if (!t.role || !may_assume(r, t.role, t.arn, context))
		return aws_query_refuse(r, 403, "AccessDenied",
			"User: %.*s is not authorized to perform: sts:AssumeRole on resource: %.*s", STR(r->who->name),
			STR(str_clip(t.arn, 300)));
	return give_role(r, &t, result);
}

// ---------------------------------------------------------------- federation

static int assume_with_token(struct front_request *r, const struct sign_parameters *form, struct buf *result)
{
	struct taking t = {0};
	struct issued token = {0};
	struct str text, rest, host;
	char account[SESSION_ACCOUNT_DIGITS + 1];
	AUTO(json) context = json_object();
	AUTO(buf) key = {0};
	int rc = read_taking(r, form, &t);
	if (rc == 0)
		rc = aws_query_need(r, form, "WebIdentityToken", &text);
	if (rc == 0 && issuer_verify(r, text, &token) < 0) {
		char why[sizeof(r->err.message)];
		str_copy(why, sizeof(why), str_of(r->err.message));
		bool late = str_find(str_of(why), S("expired")) >= 0;
		rc = aws_query_refuse(r, 400, late ? "ExpiredTokenException" : "InvalidIdentityToken", "%s", why);
	}
	if (rc < 0)
		return rc;
	pocket_account(r->pocket, account);
	host = token.issuer;
	if (str_cut(token.issuer, ':', &rest, &host))
		host = str_drop(host, 2);
	buf_printf(&key, "%.*s:sub", STR(host));
	json_set_str(context, buf_cstr(&key), token.subject);
	buf_clear(&key);
	buf_printf(&key, "%.*s:aud", STR(host));
	json_set_str(context, buf_cstr(&key), token.audience);
	struct trust trust = {"Federated",
		arena_printf(r->arena, "arn:aws:iam::%s:oidc-provider/%.*s", account, STR(host)),
		"sts:AssumeRoleWithWebIdentity", context};
	if (!t.role || trusts(t.role, &trust) != ACCESS_ALLOW)
		return aws_query_refuse(
			r, 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
	rc = give_role(r, &t, result);
	xml_element(result, "SubjectFromWebIdentityToken", token.subject);
	xml_element(result, "Audience", token.audience);
	xml_element(result, "Provider", trust.name);
	return rc;
}

// ---------------------------------------------------------------- the owner

static int get_caller_identity(struct front_request *r, const struct sign_parameters *form, struct buf *result)
{
	(void)form;
	xml_element(result, "Arn", r->who->name);
	xml_element(result, "UserId", r->who->id);
	xml_element(result, "Account", r->who->account);
	return 0;
}

static int get_session_token(struct front_request *r, const struct sign_parameters *form, struct buf *result)
{
	struct session_keys keys = {0};
	struct session s = {.role = S(""), .name = S("owner")};
	int64_t seconds;
	if (r->who->role.n || r->who->ends_s)
		return aws_query_refuse(r, 403, "AccessDenied", "Cannot call GetSessionToken with session credentials");
	int rc = read_duration(r, form, OWNER_LONGEST_S, &seconds);
	s.ends_s = front_now_ns(r) / NS_PER_S + seconds;
	if (rc == 0)
		rc = session_make(r->pocket, &s, r->arena, &keys, &r->err);
	if (rc == 0)
		write_keys(result, &keys, s.ends_s);
	explicit_bzero(&keys, sizeof(keys));
	return rc;
}

// ---------------------------------------------------------------- the service

static const struct aws_query_operation operations[] = {
	{"AssumeRole", false, false, assume_role},
	{"AssumeRoleWithWebIdentity", true, false, assume_with_token},
	{"GetCallerIdentity", false, false, get_caller_identity},
	{"GetSessionToken", false, false, get_session_token},
};
static const struct aws_query_api api = {.service = "sts",
	.version = "2011-06-15",
	.name_space = "https://sts.amazonaws.com/doc/2011-06-15/",
	.operations = operations,
	.count = COUNT_OF(operations)};

static bool matches(const struct front_request *r)
{
	return aws_query_matches(r, &api);
}

static void handle(struct front_request *r)
{
	aws_query_handle(r, &api);
}

static void fail(struct front_request *r)
{
	aws_query_fail(r, &api);
}

static void trouble(struct front_request *r, bool throttled)
{
	aws_query_trouble(r, &api, throttled);
}

const struct pocket_service aws_sts_service = {
	.name = "sts", .matches = matches, .handle = handle, .fail = fail, .trouble = trouble};

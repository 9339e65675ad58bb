// SPDX-License-Identifier: Apache-2.0
// IAM of a pocket AWS: roles with their trust, their inline policies, and the managed policies AdministratorAccess and
// ReadOnlyAccess attached to them. Source: IAM API Reference (version 2010-05-08). What policies say really decides
// (access.h). A role for jobs is there from the start.
#include <string.h>

#include "base/time.h"
#include "pocket/aws/query.h"

enum { ROLES_MOST = 1000, DOCUMENT_MOST = 10240, DURATION_LEAST = 3600, DURATION_MOST = 43200 };

// ---------------------------------------------------------------- records

static struct str arn_of(const struct front_request *r, const json_t *role)
{
	return session_role_arn(r->pocket, r->arena, json_str(role, "path"), json_str(role, "name"));
}

static int need_role(struct front_request *r, const struct sign_parameters *form, const char *action, json_t **copy)
{
	struct str name;
	int rc = aws_query_need(r, form, "RoleName", &name);
	if (rc < 0)
		return rc;
	const json_t *role = docs_get(r->pocket, "iam/roles", name, &r->err);
	struct str arn = role ? arn_of(r, role) : session_role_arn(r->pocket, r->arena, S("/"), name);
	rc = aws_query_authorise(r, action, arn);
	if (rc == 0 && !role)
		rc = aws_query_refuse(
			r, 404, "NoSuchEntity", "The role with name %.*s cannot be found.", STR(str_clip(name, 64)));
	if (rc < 0)
		return rc;
	*copy = json_in_arena(r->arena, json_deep_copy(role));
	return *copy ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static int keep(struct front_request *r, const json_t *role)
{
	return docs_put_durable(r->pocket, "iam/roles", json_str(role, "name"), role, &r->err);
}

static int check_document(struct front_request *r, struct str text)
{
	AUTO(json) document = NULL;
	if (text.n > DOCUMENT_MOST)
		return aws_query_refuse(
			r, 409, "LimitExceeded", "Maximum policy size of %d bytes exceeded", DOCUMENT_MOST);
	if (json_parse(text, &document, NULL) < 0 || !json_object_get(document, "Statement"))
		return aws_query_refuse(r, 400, "MalformedPolicyDocument", "Syntax errors in policy.");
	return 0;
}

static void write_role(struct front_request *r, const json_t *role, struct buf *out)
{
	AUTO(buf) encoded = {0};
	sign_uri_encode(json_str(role, "trust"), "", &encoded);
	xml_element(out, "Path", json_str(role, "path"));
	xml_element(out, "RoleName", json_str(role, "name"));
	xml_element(out, "RoleId", session_unique_id(r->pocket, r->arena, "AROA", json_str(role, "name")));
	xml_element(out, "Arn", arn_of(r, role));
	aws_query_time(out, "CreateDate", json_int(role, "created", 0));
	xml_element(out, "AssumeRolePolicyDocument", buf_str(&encoded));
	if (json_str(role, "description").n)
		xml_element(out, "Description", json_str(role, "description"));
	xml_number(out, "MaxSessionDuration", (uint64_t)json_int(role, "max_duration", DURATION_LEAST));
}

// ---------------------------------------------------------------- roles

static bool good_name(struct str s, size_t most)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    strchr("_+=,.@-", c)))
			return false;
	}
	return s.n > 0 && s.n <= most;
}

static json_t *tags_of(const struct sign_parameters *form)
{
	json_t *tags = json_object();
	for (size_t i = 1; i <= 50; i++) {
		AUTO(buf) name = {0};
		buf_printf(&name, "Tags.member.%zu.Key", i);
		struct str key = sign_parameters_get(form, buf_str(&name));
		buf_clear(&name);
		buf_printf(&name, "Tags.member.%zu.Value", i);
		if (!key.n)
			break;
		AUTO(buf) text = {0};
		buf_add(&text, key);
		json_set_str(tags, buf_cstr(&text), sign_parameters_get(form, buf_str(&name)));
	}
	return tags;
}

static int create_role(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	struct str name, trust, path = sign_parameters_get(form, S("Path")),
				duration = sign_parameters_get(form, S("MaxSessionDuration"));
	int64_t seconds = DURATION_LEAST;
	int rc = aws_query_need(r, form, "RoleName", &name);
	if (rc == 0)
		rc = aws_query_need(r, form, "AssumeRolePolicyDocument", &trust);
	if (rc == 0)
		rc = aws_query_authorise(
			r, "iam:CreateRole", session_role_arn(r->pocket, r->arena, path.n ? path : S("/"), name));
	bool good_path = !path.n || (str_starts(path, S("/")) && str_ends(path, S("/")) && path.n <= 512);
	bool good = !duration.n ||
		    (str_to_i64(duration, &seconds) == 0 && seconds >= DURATION_LEAST && seconds <= DURATION_MOST);
	if (rc == 0 && (!good_name(name, 64) || !good_path || !good))
		rc = aws_query_refuse(r, 400, "ValidationError",
			"The specified value for roleName, path or maxSessionDuration is invalid.");
	if (rc == 0)
		rc = check_document(r, trust);
	if (rc == 0 && docs_get(r->pocket, "iam/roles", name, NULL))
		rc = aws_query_refuse(r, 409, "EntityAlreadyExists", "Role with name %.*s already exists.", STR(name));
	if (rc < 0)
		return rc;
	json_t *role = json_in_arena(
		r->arena, json_pack("{s:I, s:I, s:{}, s:{}, s:o}", "created", (json_int_t)(front_now_ns(r) / NS_PER_S),
				  "max_duration", (json_int_t)seconds, "policies", "attached", "tags", tags_of(form)));
	if (!role)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	json_set_str(role, "name", name);
	json_set_str(role, "path", path.n ? path : S("/"));
	json_set_str(role, "trust", trust);
	json_set_str(role, "description", sign_parameters_get(form, S("Description")));
	buf_add(out, S("<Role>"));
	write_role(r, role, out);
	buf_add(out, S("</Role>"));
	return keep(r, role);
}

static int get_role(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	const json_t *value;
	const char *key;
	int rc = need_role(r, form, "iam:GetRole", &role);
	if (rc < 0)
		return rc;
	buf_add(out, S("<Role>"));
	write_role(r, role, out);
	buf_add(out, S("<Tags>"));
	json_object_foreach(json_object_get(role, "tags"), key, value)
	{
		buf_add(out, S("<member>"));
		xml_element(out, "Key", str_of(key));
		xml_element(out, "Value", json_value_str(value));
		buf_add(out, S("</member>"));
	}
	buf_add(out, S("</Tags></Role>"));
	return 0;
}

static int delete_role(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	(void)out;
	int rc = need_role(r, form, "iam:DeleteRole", &role);
	if (rc == 0 && (json_object_size(json_object_get(role, "policies")) ||
			       json_object_size(json_object_get(role, "attached"))))
		rc = aws_query_refuse(r, 409, "DeleteConflict", "Cannot delete entity, must delete policies first.");
	return rc < 0 ? rc : docs_delete(r->pocket, "iam/roles", json_str(role, "name"), &r->err);
}

static int update_trust(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	struct str text = S("");
	(void)out;
	int rc = need_role(r, form, "iam:UpdateAssumeRolePolicy", &role);
	if (rc == 0)
		rc = aws_query_need(r, form, "PolicyDocument", &text);
	if (rc == 0)
		rc = check_document(r, text);
	if (rc < 0)
		return rc;
	json_set_str(role, "trust", text);
	return keep(r, role);
}

static int list_roles(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	struct docs_row *rows = arena_new_array(r->arena, ROLES_MOST, struct docs_row);
	struct docs_cursor from = {.collection = "iam/roles", .after = sign_parameters_get(form, S("Marker"))};
	struct str prefix = sign_parameters_get(form, S("PathPrefix"));
	size_t count = 0, limit = 100;
	uint64_t most;
	bool more = false;
	if (str_to_u64(sign_parameters_get(form, S("MaxItems")), &most) == 0 && most >= 1 && most <= ROLES_MOST)
		limit = (size_t)most;
	int rc = aws_query_authorise(r, "iam:ListRoles", S("*"));
	if (rc == 0 && !rows)
		rc = err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = docs_list(r->pocket, &from, rows, limit, &count, &more);
	if (rc < 0)
		return rc;
	buf_add(out, S("<Roles>"));
	for (size_t i = 0; i < count; i++) {
		if (!str_starts(json_str(rows[i].doc, "path"), prefix))
			continue;
		buf_add(out, S("<member>"));
		write_role(r, rows[i].doc, out);
		buf_add(out, S("</member>"));
	}
	buf_printf(out, "</Roles><IsTruncated>%s</IsTruncated>", more ? "true" : "false");
	if (more)
		xml_element(out, "Marker", rows[count - 1].name);
	return 0;
}

// ---------------------------------------------------------------- policies of a role

static int put_policy(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	struct str name = S(""), text = S("");
	(void)out;
	int rc = need_role(r, form, "iam:PutRolePolicy", &role);
	if (rc == 0)
		rc = aws_query_need(r, form, "PolicyName", &name);
	if (rc == 0)
		rc = aws_query_need(r, form, "PolicyDocument", &text);
	if (rc == 0 && !good_name(name, 128))
		rc = aws_query_refuse(r, 400, "ValidationError", "The specified value for policyName is invalid.");
	if (rc == 0)
		rc = check_document(r, text);
	if (rc < 0)
		return rc;
	json_set_str(json_object_get(role, "policies"), arena_cstr(r->arena, name), text);
	return keep(r, role);
}

static int need_policy(
	struct front_request *r, const struct sign_parameters *form, const json_t *role, const char **name)
{
	struct str text = S("");
	int rc = aws_query_need(r, form, "PolicyName", &text);
	if (rc < 0)
		return rc;
	*name = arena_cstr(r->arena, text);
	if (*name && json_object_get(json_object_get(role, "policies"), *name))
		return 0;
	return aws_query_refuse(
		r, 404, "NoSuchEntity", "The role policy with name %.*s cannot be found.", STR(str_clip(text, 128)));
}

static int get_policy(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	const char *name = NULL;
	AUTO(buf) encoded = {0};
	int rc = need_role(r, form, "iam:GetRolePolicy", &role);
	if (rc == 0)
		rc = need_policy(r, form, role, &name);
	if (rc < 0)
		return rc;
	sign_uri_encode(json_str(json_object_get(role, "policies"), name), "", &encoded);
	xml_element(out, "RoleName", json_str(role, "name"));
	xml_element(out, "PolicyName", str_of(name));
	xml_element(out, "PolicyDocument", buf_str(&encoded));
	return 0;
}

static int delete_policy(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	const char *name = NULL;
	(void)out;
	int rc = need_role(r, form, "iam:DeleteRolePolicy", &role);
	if (rc == 0)
		rc = need_policy(r, form, role, &name);
	if (rc < 0)
		return rc;
	json_object_del(json_object_get(role, "policies"), name);
	return keep(r, role);
}

static int list_policies(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	const json_t *text;
	const char *name;
	int rc = need_role(r, form, "iam:ListRolePolicies", &role);
	if (rc < 0)
		return rc;
	buf_add(out, S("<PolicyNames>"));
	json_object_foreach(json_object_get(role, "policies"), name, text) xml_element(out, "member", str_of(name));
	buf_add(out, S("</PolicyNames><IsTruncated>false</IsTruncated>"));
	return 0;
}

// ---------------------------------------------------------------- managed policies

static int need_managed(struct front_request *r, const struct sign_parameters *form, const char **arn)
{
	struct str text = S("");
	int rc = aws_query_need(r, form, "PolicyArn", &text);
	if (rc < 0)
		return rc;
	*arn = arena_cstr(r->arena, text);
	if (*arn && (strcmp(*arn, "arn:aws:iam::aws:policy/AdministratorAccess") == 0 ||
			    strcmp(*arn, "arn:aws:iam::aws:policy/ReadOnlyAccess") == 0))
		return 0;
	return aws_query_refuse(r, 404, "NoSuchEntity",
		"Policy %.*s does not exist or is not attachable: a pocket has AdministratorAccess and ReadOnlyAccess.",
		STR(str_clip(text, 200)));
}

static int attach_policy(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	const char *arn = NULL;
	(void)out;
	int rc = need_role(r, form, "iam:AttachRolePolicy", &role);
	if (rc == 0)
		rc = need_managed(r, form, &arn);
	if (rc < 0)
		return rc;
	json_object_set_new(json_object_get(role, "attached"), arn, json_true());
	return keep(r, role);
}

static int detach_policy(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	const char *arn = NULL;
	(void)out;
	int rc = need_role(r, form, "iam:DetachRolePolicy", &role);
	if (rc == 0)
		rc = need_managed(r, form, &arn);
	if (rc == 0 && json_object_del(json_object_get(role, "attached"), arn) < 0)
		rc = aws_query_refuse(r, 404, "NoSuchEntity", "Policy %s was not found.", arn);
	return rc < 0 ? rc : keep(r, role);
}

static int list_attached(struct front_request *r, const struct sign_parameters *form, struct buf *out)
{
	json_t *role = NULL;
	const json_t *value;
	const char *arn;
	int rc = need_role(r, form, "iam:ListAttachedRolePolicies", &role);
	if (rc < 0)
		return rc;
	buf_add(out, S("<AttachedPolicies>"));
	json_object_foreach(json_object_get(role, "attached"), arn, value)
	{
		buf_add(out, S("<member>"));
		xml_element(out, "PolicyName", str_of(strrchr(arn, '/') + 1));
		xml_element(out, "PolicyArn", str_of(arn));
		buf_add(out, S("</member>"));
	}
	buf_add(out, S("</AttachedPolicies><IsTruncated>false</IsTruncated>"));
	return 0;
}

// ---------------------------------------------------------------- the service

static const struct aws_query_operation operations[] = {
	{"AttachRolePolicy", false, true, attach_policy},
	{"CreateRole", false, false, create_role},
	{"DeleteRole", false, true, delete_role},
	{"DeleteRolePolicy", false, true, delete_policy},
	{"DetachRolePolicy", false, true, detach_policy},
	{"GetRole", false, false, get_role},
	{"GetRolePolicy", false, false, get_policy},
	{"ListAttachedRolePolicies", false, false, list_attached},
	{"ListRolePolicies", false, false, list_policies},
	{"ListRoles", false, false, list_roles},
	{"PutRolePolicy", false, true, put_policy},
	{"UpdateAssumeRolePolicy", false, true, update_trust},
};
static const struct aws_query_api api = {.service = "iam",
	.version = "2010-05-08",
	.name_space = "https://iam.amazonaws.com/doc/2010-05-08/",
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

// What jobs and endpoints run as: it reads and writes objects, opens and closes keys, and invokes endpoints.
static int open_roles(struct pocket *p, void **state, struct err *e)
{
	static const char may[] =
		"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:*\","
		"\"kms:Encrypt\",\"kms:Decrypt\",\"kms:GenerateDataKey\",\"kms:DescribeKey\",\"logs:*\","
		"\"sagemaker:InvokeEndpoint\",\"secretsmanager:GetSecretValue\"],\"Resource\":\"*\"}]}";
	char account[SESSION_ACCOUNT_DIGITS + 1];
	AUTO(buf) trust = {0};
	*state = NULL;
	if (docs_get(p, "iam/roles", S(IAM_JOB_ROLE), e))
		return 0;
	pocket_account(p, account);
	buf_printf(&trust,
		"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
		"\"sagemaker.amazonaws.com\",\"AWS\":\"arn:aws:iam::%s:root\"},\"Action\":\"sts:AssumeRole\"}]}",
		account);
	AUTO(json)
	role = json_pack("{s:s, s:s, s:s, s:I, s:I, s:{s:s}, s:{}, s:{}}", "name", IAM_JOB_ROLE, "path", "/", "trust",
		buf_cstr(&trust), "created", (json_int_t)(p->edges->wall_ns(p->edges->ctx) / NS_PER_S), "max_duration",
		(json_int_t)DURATION_MOST, "policies", "jobs", may, "attached", "tags");
	return role ? docs_put_durable(p, "iam/roles", S(IAM_JOB_ROLE), role, e)
		    : err_set(e, ERR_NO_MEMORY, "out of memory");
}

const struct pocket_service aws_iam_service = {
	.name = "iam", .matches = matches, .handle = handle, .fail = fail, .trouble = trouble, .open = open_roles};

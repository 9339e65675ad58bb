// SPDX-License-Identifier: Apache-2.0
// Secrets Manager of a pocket AWS: secrets, their versions and stages. See kms_impl.h. A document: {"created_ns",
// "changed_ns", "deleted_ns", "suffix", "description", "kms", "tags", "versions": {ID: {"created_ns", "stages": [...],
// "binary", "sealed"}}}. A value is told by the id that its caller gave it: the same id and value again is the same
// version, the same id with another value is refused.
#include <string.h>

#include "pocket/aws/kms.h"
#include "pocket/aws/kms_impl.h"
#include "pocket/keys/at_rest.h"

#define SECRETS "secrets/secrets" // REGION/NAME
enum { SUFFIX = 6, MOST_VALUE = 65536, LEAST_TOKEN = 32, MOST_TOKEN = 64, MOST_NAME = 512 };
#define DAY_NS (INT64_C(86400) * NS_PER_S)
#define CURRENT S("AWSCURRENT")
#define PREVIOUS S("AWSPREVIOUS")

struct found {
	struct str name, document, arn;
	const json_t *doc;
};

// ---------------------------------------------------------------- finding

static struct str arn_of(struct front_request *r, struct str name, const json_t *doc)
{
	return aws_arn(r, "secretsmanager",
		arena_printf(r->arena, "secret:%.*s-%.*s", STR(name), STR(json_str(doc, "suffix"))));
}

static const json_t *look_up(struct front_request *r, struct str name)
{
	struct str document = kms_place(r, name);
	const json_t *doc = docs_get(r->pocket, SECRETS, document, &r->err);
	int64_t gone = json_int(doc, "deleted_ns", 0);
	if (!gone || gone > front_now_ns(r))
		return doc;
	if (docs_delete(r->pocket, SECRETS, document, &r->err) < 0)
		front_log_failure(r); // the next look tries again
	err_clear(&r->err);
	return NULL;
}

// By name, by ARN, or by ARN without its random end.
static int find(struct front_request *r, const json_t *in, const char *action, struct found *out)
{
	struct str named, prefix = aws_arn(r, "secretsmanager", S("secret:"));
	int rc = aws_need(r, in, "SecretId", &named);
	if (rc < 0)
		return rc;
	struct str name = str_starts(named, prefix) ? str_drop(named, prefix.n) : named;
	const json_t *doc = look_up(r, name);
	if (!doc && name.n > SUFFIX + 1 && str_starts(named, prefix)) {
		name = str_take(name, name.n - SUFFIX - 1);
		doc = look_up(r, name);
	}
	struct found f = {.name = arena_str(r->arena, str_clip(name, MOST_NAME)), .doc = doc};
	f.document = kms_place(r, f.name);
	f.arn = arn_of(r, f.name, doc);
	rc = aws_authorise(r, action, f.arn);
	if (rc == 0 && !doc)
		rc = aws_refuse(r, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
	if (rc == 0)
		*out = f;
	return rc;
}

static int alive(struct front_request *r, const struct found *f, const char *act)
{
	if (!json_int(f->doc, "deleted_ns", 0))
		return 0;
	return aws_refuse(r, "InvalidRequestException",
		"You can't %s on the secret because it was marked for deletion.", act);
}

static int put(struct front_request *r, const struct found *f, const json_t *doc)
{
	return docs_put_durable(r->pocket, SECRETS, f->document, doc, &r->err);
}

// ---------------------------------------------------------------- versions

static bool has_stage(const json_t *version, struct str stage)
{
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(version, "stages"), i, one)
	{
		if (str_eq(json_value_str(one), stage))
			return true;
	}
	return false;
}

static const char *version_of_stage(const json_t *doc, struct str stage)
{
	const char *id;
	json_t *version, *all = json_object_get(doc, "versions");
	json_object_foreach(all, id, version)
	{
		if (has_stage(version, stage))
			return id;
	}
	return NULL;
}

static void drop_stage(json_t *doc, struct str stage)
{
	const char *id = version_of_stage(doc, stage);
	json_t *stages = id ? json_object_get(json_object_get(json_object_get(doc, "versions"), id), "stages") : NULL;
	for (size_t i = json_array_size(stages); i > 0; i--)
		if (str_eq(json_value_str(json_array_get(stages, i - 1)), stage))
			json_array_remove(stages, i - 1);
}

// Only one version has a stage; the one that was current is the previous one then.
static void move_stage(json_t *doc, struct str stage, const char *to)
{
	const char *from = version_of_stage(doc, stage);
	json_t *versions = json_object_get(doc, "versions");
	if (from && to && strcmp(from, to) == 0)
		return;
	json_t *old = from ? json_object_get(versions, from) : NULL;
	drop_stage(doc, stage);
	if (old && str_eq(stage, CURRENT)) {
		drop_stage(doc, PREVIOUS);
		json_array_append_new(json_object_get(old, "stages"), json_of_str(PREVIOUS));
	}
	if (to)
		json_array_append_new(
			json_object_get(json_object_get(versions, to), "stages"), json_of_str(stage));
}

static struct str bound_to(struct front_request *r, const struct found *f, const char *id)
{
	return arena_printf(r->arena, "%.*s/%s", STR(f->document), id);
}

// The value of a request; *binary: it came as bytes.
static int read_value(struct front_request *r, const json_t *in, struct str *value, bool *binary)
{
	const json_t *text = json_object_get(in, "SecretString");
	*binary = !text;
	*value = json_value_str(text);
	int rc = *binary ? aws_bytes(r, in, "SecretBinary", value) : 0;
	if (rc == 0 && value->n > MOST_VALUE)
		rc = aws_refuse(r, "ValidationException", "The secret value has more than %d bytes.", MOST_VALUE);
	return rc;
}

static int same_value(struct front_request *r, const struct found *f, const char *id, const json_t *version,
	struct str value)
{
	AUTO(buf) old = {0};
	int rc = at_rest_open(r->pocket, version, bound_to(r, f, id), &old, &r->err);
	bool same = rc == 0 && old.n == value.n && hash_equal(old.p ? old.p : "", value.p, value.n);
	if (old.p)
		secret_wipe(old.p, old.n);
	if (rc < 0 || same)
		return rc;
	return aws_refuse(r, "ResourceExistsException",
		"A resource with the ID you requested already exists: the version %s has another value.", id);
}

// Adds a value under the request's ClientRequestToken, with the stages wanted (AWSCURRENT without any).
static int add_version(struct front_request *r, const struct found *f, const json_t *in, json_t *doc, const char **id)
{
	struct str token = json_str(in, "ClientRequestToken"), value;
	bool binary;
	char made[UUID_TEXT + 1];
	int rc = read_value(r, in, &value, &binary);
	if (rc == 0 && !token.n) {
		rc = aws_uuid(r, made);
		token = str_of(made);
	}
	if (rc == 0 && (token.n < LEAST_TOKEN || token.n > MOST_TOKEN))
		rc = aws_refuse(r, "ValidationException", "ClientRequestToken must have %d to %d characters.",
			LEAST_TOKEN, MOST_TOKEN);
	if (rc < 0)
		return rc;
	*id = arena_cstr(r->arena, token);
	json_t *versions = json_object_get(doc, "versions");
	const json_t *there = json_object_get(versions, *id);
	if (there)
		return same_value(r, f, *id, there, value);
	json_t *version = json_pack("{s:I, s:[], s:b}", "created_ns", (json_int_t)front_now_ns(r), "stages", "binary",
		(int)binary);
	json_object_set_new(versions, *id, version);
	rc = at_rest_seal(r->pocket, version, bound_to(r, f, *id), value, &r->err);
	const json_t *stages = json_object_get(in, "VersionStages"), *one;
	size_t i;
	if (!json_array_size(stages))
		move_stage(doc, CURRENT, *id);
	json_array_foreach(stages, i, one)
	{
		move_stage(doc, json_value_str(one), *id);
	}
	json_object_set_new(doc, "changed_ns", json_integer(front_now_ns(r)));
	return rc;
}

static json_t *told(const struct found *f, const char *version)
{
	json_t *j = json_object();
	json_set_str(j, "ARN", f->arn);
	json_set_str(j, "Name", f->name);
	if (version)
		json_object_set_new(j, "VersionId", json_string(version));
	return j;
}

// ---------------------------------------------------------------- making and changing

static int check_name(struct front_request *r, struct str name)
{
	bool good = name.n > 0 && name.n <= MOST_NAME;
	for (size_t i = 0; good && i < name.n; i++)
		good = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
		       (name.p[i] >= '0' && name.p[i] <= '9') || strchr("-/_+=.@!", name.p[i]);
	return good ? 0
		    : aws_refuse(r, "ValidationException",
			      "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
			      "following: -/_+=.@!");
}

static int new_document(struct front_request *r, const json_t *in, json_t **doc)
{
	char id[UUID_TEXT + 1];
	int rc = aws_uuid(r, id);
	if (rc < 0)
		return rc;
	id[SUFFIX] = 0;
	*doc = json_pack("{s:I, s:I, s:s, s:{}}", "created_ns", (json_int_t)front_now_ns(r), "changed_ns",
		(json_int_t)front_now_ns(r), "suffix", id, "versions");
	json_set_str(*doc, "description", json_str(in, "Description"));
	json_set_str(*doc, "kms", json_str(in, "KmsKeyId"));
	json_object_set_new(*doc, "tags", aws_tags_with(NULL, json_object_get(in, "Tags"), "Key"));
	return 0;
}

static int create(struct front_request *r, const json_t *in, json_t **out)
{
	struct found f = {0};
	AUTO(json) doc = NULL;
	const char *id = NULL;
	int rc = aws_need(r, in, "Name", &f.name);
	if (rc == 0)
		rc = check_name(r, f.name);
	if (rc == 0)
		rc = aws_authorise(r, "secretsmanager:CreateSecret", aws_arn(r, "secretsmanager",
			arena_printf(r->arena, "secret:%.*s", STR(f.name))));
	if (rc < 0)
		return rc;
	f.document = kms_place(r, f.name);
	f.doc = look_up(r, f.name);
	f.arn = arn_of(r, f.name, f.doc);
	struct str token = json_str(in, "ClientRequestToken");
	bool again = f.doc && token.n &&
		     json_object_get(json_object_get(f.doc, "versions"), arena_cstr(r->arena, token));
	if (f.doc && (rc = alive(r, &f, "create this secret")) < 0)
		return rc;
	if (f.doc && !again)
		return aws_refuse(r, "ResourceExistsException",
			"The operation failed because the secret %.*s already exists.", STR(f.name));
	if (f.doc)
		doc = json_deep_copy(f.doc);
	else
		rc = new_document(r, in, &doc);
	if (rc == 0 && (json_object_get(in, "SecretString") || json_object_get(in, "SecretBinary")))
		rc = add_version(r, &f, in, doc, &id);
	if (rc == 0)
		rc = put(r, &f, doc);
	f.arn = arn_of(r, f.name, doc);
	if (rc == 0)
		*out = told(&f, id);
	return rc;
}

static int put_value(struct front_request *r, const json_t *in, json_t **out)
{
	struct found f = {0};
	const char *id = NULL;
	int rc = find(r, in, "secretsmanager:PutSecretValue", &f);
	if (rc == 0)
		rc = alive(r, &f, "perform this operation");
	AUTO(json) doc = rc == 0 ? json_deep_copy(f.doc) : NULL;
	if (rc == 0)
		rc = add_version(r, &f, in, doc, &id);
	if (rc == 0)
		rc = put(r, &f, doc);
	if (rc < 0)
		return rc;
	*out = told(&f, id);
	json_object_set_new(*out, "VersionStages",
		json_deep_copy(json_object_get(json_object_get(json_object_get(doc, "versions"), id), "stages")));
	return 0;
}

static int update(struct front_request *r, const json_t *in, json_t **out)
{
	struct found f = {0};
	const char *id = NULL;
	int rc = find(r, in, "secretsmanager:UpdateSecret", &f);
	if (rc == 0)
		rc = alive(r, &f, "perform this operation");
	AUTO(json) doc = rc == 0 ? json_deep_copy(f.doc) : NULL;
	if (rc == 0 && json_object_get(in, "Description"))
		json_set_str(doc, "description", json_str(in, "Description"));
	if (rc == 0 && json_object_get(in, "KmsKeyId"))
		json_set_str(doc, "kms", json_str(in, "KmsKeyId"));
	if (rc == 0 && (json_object_get(in, "SecretString") || json_object_get(in, "SecretBinary")))
		rc = add_version(r, &f, in, doc, &id);
	if (rc == 0)
		rc = put(r, &f, doc);
	if (rc == 0)
		*out = told(&f, id);
	return rc;
}

static int update_stage(struct front_request *r, const json_t *in, json_t **out)
{
	struct found f = {0};
	struct str stage, to = json_str(in, "MoveToVersionId"), from = json_str(in, "RemoveFromVersionId");
	int rc = find(r, in, "secretsmanager:UpdateSecretVersionStage", &f);
	if (rc == 0)
		rc = aws_need(r, in, "VersionStage", &stage);
	if (rc < 0)
		return rc;
	AUTO(json) doc = json_deep_copy(f.doc);
	const char *now = version_of_stage(doc, stage), *id = to.n ? arena_cstr(r->arena, to) : NULL;
	if (to.n && !json_object_get(json_object_get(doc, "versions"), id))
		return aws_refuse(r, "ResourceNotFoundException",
			"Secrets Manager can't find the specified secret version: %s", id);
	if (now && !str_is(from, now) && (!id || strcmp(id, now) != 0))
		return aws_refuse(r, "InvalidParameterException",
			"The parameter RemoveFromVersionId can't be empty or another than %s. Staging label %.*s is "
			"currently attached to that version.",
			now, STR(str_clip(stage, 100)));
	if (!id && str_eq(stage, CURRENT))
		return aws_refuse(r, "InvalidParameterException", "You can only move AWSCURRENT to another version.");
	move_stage(doc, stage, id);
	rc = put(r, &f, doc);
	if (rc == 0)
		*out = told(&f, NULL);
	return rc;
}

// ---------------------------------------------------------------- reading

static int find_value(struct front_request *r, const struct found *f, const json_t *in, const char **id)
{
	struct str wanted = json_str(in, "VersionId"), stage = json_str(in, "VersionStage");
	struct str label = stage.n ? stage : CURRENT;
	const char *by_stage = version_of_stage(f->doc, label);
	*id = wanted.n ? arena_cstr(r->arena, str_clip(wanted, 100)) : by_stage;
	const json_t *version = *id ? json_object_get(json_object_get(f->doc, "versions"), *id) : NULL;
	if (version && (!wanted.n || !stage.n || has_stage(version, stage)))
		return 0;
	if (wanted.n)
		return aws_refuse(r, "ResourceNotFoundException",
			"Secrets Manager can't find the specified secret value for VersionId: %.*s",
			STR(str_clip(wanted, 100)));
	return aws_refuse(r, "ResourceNotFoundException",
		"Secrets Manager can't find the specified secret value for staging label: %.*s",
		STR(str_clip(label, 100)));
}

static int get_value(struct front_request *r, const json_t *in, json_t **out)
{
	struct found f = {0};
	const char *id = NULL;
	AUTO(buf) value = {0};
	int rc = find(r, in, "secretsmanager:GetSecretValue", &f);
	if (rc == 0)
		rc = alive(r, &f, "perform this operation");
	if (rc == 0)
		rc = find_value(r, &f, in, &id);
	if (rc < 0)
		return rc;
	const json_t *version = json_object_get(json_object_get(f.doc, "versions"), id);
	rc = at_rest_open(r->pocket, version, bound_to(r, &f, id), &value, &r->err);
	if (rc < 0)
		return rc;
	*out = told(&f, id);
	if (json_flag(version, "binary", false))
		aws_set_bytes(*out, "SecretBinary", buf_str(&value));
	else
		json_set_str(*out, "SecretString", buf_str(&value));
	if (value.p)
		secret_wipe(value.p, value.n);
	json_object_set_new(*out, "VersionStages", json_deep_copy(json_object_get(version, "stages")));
	json_object_set_new(*out, "CreatedDate", aws_time(json_int(version, "created_ns", 0)));
	return 0;
}

static json_t *describe_doc(struct front_request *r, struct str name, const json_t *doc, bool listed)
{
	const struct found f = {.name = name, .arn = arn_of(r, name, doc)};
	json_t *j = told(&f, NULL), *stages = json_object(), *version, *all = json_object_get(doc, "versions");
	const char *id;
	json_object_foreach(all, id, version)
	{
		if (json_array_size(json_object_get(version, "stages")))
			json_object_set_new(stages, id, json_deep_copy(json_object_get(version, "stages")));
	}
	json_object_set_new(j, listed ? "SecretVersionsToStages" : "VersionIdsToStages", stages);
	if (json_str(doc, "description").n)
		json_set_str(j, "Description", json_str(doc, "description"));
	if (json_str(doc, "kms").n)
		json_set_str(j, "KmsKeyId", json_str(doc, "kms"));
	if (json_array_size(json_object_get(doc, "tags")))
		json_object_set_new(j, "Tags", json_deep_copy(json_object_get(doc, "tags")));
	json_object_set_new(j, "CreatedDate", aws_time(json_int(doc, "created_ns", 0)));
	json_object_set_new(j, "LastChangedDate", aws_time(json_int(doc, "changed_ns", 0)));
	if (json_int(doc, "deleted_ns", 0))
		json_object_set_new(j, "DeletedDate", aws_time(json_int(doc, "deleted_ns", 0)));
	return j;
}

static int describe(struct front_request *r, const json_t *in, json_t **out)
{
	struct found f = {0};
	int rc = find(r, in, "secretsmanager:DescribeSecret", &f);
	if (rc == 0)
		*out = describe_doc(r, f.name, f.doc, false);
	return rc;
}

static json_t *tell_listed(struct front_request *r, struct str document, const json_t *doc)
{
	struct str region, name;
	str_cut(document, '/', &region, &name);
	return json_int(doc, "deleted_ns", 0) ? NULL : describe_doc(r, name, doc, true);
}

static int list(struct front_request *r, const json_t *in, json_t **out)
{
	const struct aws_page page = {.collection = SECRETS,
		.limit = "MaxResults",
		.marker = "NextToken",
		.items = "SecretList",
		.next = "NextToken",
		.prefix = kms_place(r, S("")),
		.tell = tell_listed};
	return json_object_get(in, "Filters")
		       ? aws_refuse(r, "ValidationException", "A pocket cloud lists secrets without Filters.")
		       : aws_reply_page(r, in, &page, out);
}

static int list_versions(struct front_request *r, const json_t *in, json_t **out)
{
	struct found f = {0};
	const char *id;
	json_t *version, *all, *versions = json_array();
	int rc = find(r, in, "secretsmanager:ListSecretVersionIds", &f);
	all = rc == 0 ? json_object_get(f.doc, "versions") : NULL;
	json_object_foreach(all, id, version)
	{
		if (!json_flag(in, "IncludeDeprecated", false) && !json_array_size(json_object_get(version, "stages")))
			continue;
		json_array_append_new(versions,
			json_pack("{s:s, s:O, s:o}", "VersionId", id, "VersionStages",
				json_object_get(version, "stages"), "CreatedDate",
				aws_time(json_int(version, "created_ns", 0))));
	}
	if (rc < 0) {
		json_decref(versions);
		return rc;
	}
	*out = told(&f, NULL);
	json_object_set_new(*out, "Versions", versions);
	return 0;
}

// ---------------------------------------------------------------- deleting, tags

static int delete(struct front_request *r, const json_t *in, json_t **out)
{
	struct found f = {0};
	bool force = json_flag(in, "ForceDeleteWithoutRecovery", false);
	int64_t days = json_int(in, "RecoveryWindowInDays", 30);
	int rc = find(r, in, "secretsmanager:DeleteSecret", &f);
	if (rc == 0 && !force)
		rc = alive(r, &f, "perform this operation");
	if (rc == 0 && (days < 7 || days > 30 || (force && json_object_get(in, "RecoveryWindowInDays"))))
		rc = aws_refuse(r, "InvalidParameterException",
			"The RecoveryWindowInDays value must be between 7 and 30 days (inclusive), and none with "
			"ForceDeleteWithoutRecovery.");
	if (rc < 0)
		return rc;
	int64_t when = front_now_ns(r) + (force ? 0 : service_pace_ns(r->pocket, days * DAY_NS));
	AUTO(json) doc = json_deep_copy(f.doc);
	json_object_set_new(doc, "deleted_ns", json_integer(when));
	rc = force ? docs_delete(r->pocket, SECRETS, f.document, &r->err) : put(r, &f, doc);
	if (rc < 0)
		return rc;
	*out = told(&f, NULL);
	json_object_set_new(*out, "DeletionDate", aws_time(when));
	return 0;
}

static int restore(struct front_request *r, const json_t *in, json_t **out)
{
	struct found f = {0};
	int rc = find(r, in, "secretsmanager:RestoreSecret", &f);
	if (rc < 0)
		return rc;
	AUTO(json) doc = json_deep_copy(f.doc);
	json_object_del(doc, "deleted_ns");
	rc = put(r, &f, doc);
	if (rc == 0)
		*out = told(&f, NULL);
	return rc;
}

static int change_tags(struct front_request *r, const json_t *in, const char *action, bool add)
{
	struct found f = {0};
	int rc = find(r, in, action, &f);
	if (rc < 0)
		return rc;
	AUTO(json) doc = json_deep_copy(f.doc);
	const json_t *old = json_object_get(f.doc, "tags");
	json_object_set_new(doc, "tags",
		add ? aws_tags_with(old, json_object_get(in, "Tags"), "Key")
		    : aws_tags_without(old, json_object_get(in, "TagKeys"), "Key"));
	return put(r, &f, doc);
}

static int tag(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return change_tags(r, in, "secretsmanager:TagResource", true);
}

static int untag(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return change_tags(r, in, "secretsmanager:UntagResource", false);
}

// ---------------------------------------------------------------- the table

static const struct aws_operation operations[] = { // each asks for its permission itself: an ARN has a random end
	{"CreateSecret", AWS_BY_ITSELF, NULL, create},
	{"DeleteSecret", AWS_BY_ITSELF, NULL, delete},
	{"DescribeSecret", AWS_BY_ITSELF, NULL, describe},
	{"GetSecretValue", AWS_BY_ITSELF, NULL, get_value},
	{"ListSecretVersionIds", AWS_BY_ITSELF, NULL, list_versions},
	{"ListSecrets", NULL, NULL, list},
	{"PutSecretValue", AWS_BY_ITSELF, NULL, put_value},
	{"RestoreSecret", AWS_BY_ITSELF, NULL, restore},
	{"TagResource", AWS_BY_ITSELF, NULL, tag},
	{"UntagResource", AWS_BY_ITSELF, NULL, untag},
	{"UpdateSecret", AWS_BY_ITSELF, NULL, update},
	{"UpdateSecretVersionStage", AWS_BY_ITSELF, NULL, update_stage},
};
static const struct aws_api api = {
	.service = "secretsmanager", .target = "secretsmanager", .operations = operations, .count = COUNT_OF(operations)};

static bool matches(const struct front_request *r)
{
	return aws_api_matches(r, &api);
}

static void handle(struct front_request *r)
{
	aws_api_handle(r, &api);
}

const struct pocket_service aws_secrets_service = {.name = "secretsmanager",
	.matches = matches,
	.handle = handle,
	.fail = aws_api_fail,
	.trouble = aws_api_trouble};

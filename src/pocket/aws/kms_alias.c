// SPDX-License-Identifier: Apache-2.0
// Aliases of a pocket's KMS keys. See kms_impl.h.
#include "pocket/aws/kms_impl.h"

static int check_alias(struct front_request *r, const json_t *in, struct str *name)
{
	int rc = aws_need(r, in, "AliasName", name);
	bool good = str_starts(*name, S("alias/")) && name->n > 6 && name->n <= 256;
	for (size_t i = 0; i < name->n; i++) {
		char ch = name->p[i];
		good = good && ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
				       ch == '/' || ch == '_' || ch == '-');
	}
	if (rc == 0 && str_starts(*name, S("alias/aws/")))
		rc = aws_refuse(r, "NotAuthorizedException", "The alias prefix alias/aws/ is reserved.");
	if (rc == 0 && !good)
		rc = aws_refuse(r, "ValidationException",
			"1 validation error detected: Value '%.*s' at 'aliasName' failed to satisfy constraint: Member "
			"must satisfy regular expression pattern: ^alias/[a-zA-Z0-9/_-]+$",
			STR(str_clip(*name, 100)));
	return rc;
}

static int put_alias(struct front_request *r, const json_t *in, bool create)
{
	struct str name;
	struct kms_found k = {0};
	int rc = check_alias(r, in, &name);
	const json_t *old = rc == 0 ? docs_get(r->pocket, KMS_AWS_ALIASES, kms_place(r, name), &r->err) : NULL;
	struct str arn = rc == 0 ? aws_arn(r, "kms", name) : S("");
	if (rc == 0)
		rc = kms_find(r, json_str(in, "TargetKeyId"), create ? "kms:CreateAlias" : "kms:UpdateAlias", &k);
	if (rc == 0 && str_starts(json_str(in, "TargetKeyId"), S("alias/")))
		rc = aws_refuse(r, "ValidationException", "Aliases must refer to keys. Not aliases");
	if (rc == 0 && create && old)
		rc = aws_refuse(r, "AlreadyExistsException", "An alias with the name %.*s already exists", STR(arn));
	if (rc == 0 && !create && !old)
		rc = aws_refuse(r, "NotFoundException", "Alias %.*s is not found.", STR(arn));
	if (rc == 0 && str_eq(kms_state(k.doc), S("PendingDeletion")))
		rc = aws_refuse(r, "KMSInvalidStateException", "%.*s is pending deletion.", STR(k.arn));
	if (rc < 0)
		return rc;
	json_int_t now = front_now_ns(r);
	AUTO(json) doc = json_pack("{s:I, s:I}", "created_ns", old ? (json_int_t)json_int(old, "created_ns", 0) : now,
		"changed_ns", now);
	json_set_str(doc, "target", k.id);
	return docs_put_durable(r->pocket, KMS_AWS_ALIASES, kms_place(r, name), doc, &r->err);
}

int kms_create_alias_op(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return put_alias(r, in, true);
}

int kms_update_alias_op(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return put_alias(r, in, false);
}

int kms_delete_alias_op(struct front_request *r, const json_t *in, json_t **out)
{
	struct str name;
	int rc = check_alias(r, in, &name);
	(void)out;
	if (rc == 0)
		rc = aws_authorise(r, "kms:DeleteAlias", aws_arn(r, "kms", name));
	if (rc < 0)
		return rc;
	rc = docs_delete(r->pocket, KMS_AWS_ALIASES, kms_place(r, name), &r->err);
	return rc == ERR_NOT_FOUND
		       ? aws_refuse(r, "NotFoundException", "Alias %.*s is not found.", STR(aws_arn(r, "kms", name)))
		       : rc;
}

static json_t *tell_alias(struct front_request *r, struct str document, const json_t *doc)
{
	struct str region, name;
	json_t *j = json_object();
	str_cut(document, '/', &region, &name);
	json_set_str(j, "AliasName", name);
	json_set_str(j, "AliasArn", aws_arn(r, "kms", name));
	json_set_str(j, "TargetKeyId", json_str(doc, "target"));
	json_object_set_new(j, "CreationDate", aws_time(json_int(doc, "created_ns", 0)));
	json_object_set_new(j, "LastUpdatedDate", aws_time(json_int(doc, "changed_ns", 0)));
	return j;
}

int kms_list_aliases_op(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	struct str named = json_str(in, "KeyId");
	const struct aws_page page = {.collection = KMS_AWS_ALIASES,
		.limit = "Limit",
		.marker = "Marker",
		.items = "Aliases",
		.next = "NextMarker",
		.truncated = "Truncated",
		.prefix = kms_place(r, S("")),
		.tell = tell_alias};
	int rc = named.n ? kms_find(r, named, "kms:ListAliases", &k) : 0;
	if (rc == 0)
		rc = aws_authorise(r, "kms:ListAliases", S("*"));
	if (rc == 0)
		rc = aws_reply_page(r, in, &page, out);
	if (rc < 0 || !named.n)
		return rc;
	json_t *all = json_object_get(*out, "Aliases");
	for (size_t i = json_array_size(all); i > 0; i--)
		if (!str_eq(json_str(json_array_get(all, i - 1), "TargetKeyId"), k.id))
			json_array_remove(all, i - 1);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
// An IAM policy. Source: "IAM JSON policy elements" (AWS IAM User Guide), "Actions, resources, and condition keys for
// Amazon S3".
#include "infra/permissions_impl.h"

static const char *partition_of(struct str region)
{
	return str_starts(region, S("cn-")) ? "aws-cn" : str_starts(region, S("us-gov-")) ? "aws-us-gov" : "aws";
}

static void add_resource(json_t *list, const struct permissions_request *r, struct str bucket, const char *below)
{
	AUTO(buf) arn = {0};
	buf_printf(&arn, "arn:%s:s3:::%.*s%s", partition_of(r->region), STR(bucket), below);
	json_array_append_new(list, json_of_str(buf_str(&arn)));
}

static json_t *resources_of(const struct permissions_request *r, enum call_scope scope)
{
	const char *below = scope == CALL_ON_OBJECT ? "/*" : "";
	json_t *list = json_array();
	if (scope == CALL_ON_ACCOUNT)
		json_array_append_new(list, json_string("*"));
	for (size_t i = 0; scope != CALL_ON_ACCOUNT && i < r->bucket_count; i++)
		add_resource(list, r, r->buckets[i], below);
	if (scope != CALL_ON_ACCOUNT && r->deep)
		add_resource(list, r, S(PERMISSIONS_SCRATCH "*"), below);
	return list;
}

int permissions_write_aws(struct call *c, const struct permissions_request *r, struct buf *out)
{
	static const struct {
		const char *sid;
		enum call_scope scope;
	} parts[] = {{"Account", CALL_ON_ACCOUNT}, {"Buckets", CALL_ON_BUCKET}, {"Objects", CALL_ON_OBJECT}};
	json_t *statements = json_array();
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < COUNT_OF(parts); i++) {
		struct str *actions;
		size_t count;
		json_t *on = resources_of(r, parts[i].scope);
		rc = permissions_collect(c, r, PERMISSIONS_OF(parts[i].scope), &actions, &count);
		if (rc == 0 && count && json_array_size(on))
			json_array_append_new(
				statements, json_pack("{s:s, s:s, s:o, s:O}", "Sid", parts[i].sid, "Effect", "Allow",
						    "Action", permissions_list(actions, count), "Resource", on));
		json_decref(on);
	}
	json_t *policy = json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", statements);
	if (rc < 0) {
		json_decref(policy);
		return rc;
	}
	return permissions_print(c, policy, out);
}

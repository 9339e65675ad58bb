// SPDX-License-Identifier: Apache-2.0
// Amazon Web Services: S3 bucket policies, blocks of public access, a service control policy. Condition keys and
// elements: IAM JSON policy elements reference, Actions, resources, and condition keys for Amazon S3, AWS Organizations
// SCP syntax.
#include "infra/guards_impl.h"

// Requests to these services have one home for all regions; a rule about regions would lock everybody out of them.
static const char *const global_services[] = {"account:*", "aws-portal:*", "billing:*", "budgets:*", "ce:*",
	"cloudfront:*", "health:*", "iam:*", "organizations:*", "route53:*", "sts:*", "support:*", "tag:*",
	"trustedadvisor:*"};

static json_t *arns(struct str bucket, bool objects_only)
{
	json_t *list = json_array();
	if (!objects_only)
		json_array_append_new(list, json_sprintf("arn:aws:s3:::%.*s", STR(bucket)));
	json_array_append_new(list, json_sprintf("arn:aws:s3:::%.*s/*", STR(bucket)));
	return list;
}

struct deny {
	const char *sid;
	json_t *actions;   // stolen
	json_t *condition; // stolen; NULL: always
	bool objects_only;
};

static void add_deny(json_t *statements, struct str bucket, const struct deny *d)
{
	json_t *s = json_pack("{s:s, s:s, s:s, s:o, s:o}", "Sid", d->sid, "Effect", "Deny", "Principal", "*", "Action",
		d->actions, "Resource", arns(bucket, d->objects_only));
	if (d->condition)
		json_object_set_new(s, "Condition", d->condition);
	json_array_append_new(statements, s);
}

static void deny_replication(json_t *statements, struct str bucket)
{
	// Who copies an object by replication reads it with these; nobody does in a bucket that Isobar copies itself.
	add_deny(statements, bucket,
		&(struct deny){.sid = "DenyReplicationElsewhere",
			.actions = json_pack("[s, s, s]", "s3:GetObjectVersionForReplication", "s3:InitiateReplication",
				"s3:ReplicateObject"),
			.objects_only = true});
	add_deny(statements, bucket,
		&(struct deny){
			.sid = "DenyReplicationRules", .actions = json_pack("[s]", "s3:PutReplicationConfiguration")});
}

static json_t *bucket_policy(const struct guard_cloud *cloud, struct str bucket)
{
	json_t *statements = json_array();
	struct str region = json_str(cloud->resolved, "region"), account = json_str(cloud->resolved, "account");
	add_deny(statements, bucket,
		&(struct deny){.sid = "DenyWithoutTls",
			.actions = json_pack("[s]", "s3:*"),
			.condition = json_pack("{s:{s:s}}", "Bool", "aws:SecureTransport", "false")});
	add_deny(statements, bucket,
		&(struct deny){.sid = "DenyOldTls",
			.actions = json_pack("[s]", "s3:*"),
			.condition = json_pack("{s:{s:s}}", "NumericLessThan", "s3:TlsVersion", "1.2")});
	add_deny(statements, bucket,
		&(struct deny){.sid = "DenyOutsideRegion",
			.actions = json_pack("[s]", "s3:*"),
			.condition = json_pack(
				"{s:{s:[s%]}}", "StringNotEquals", "aws:RequestedRegion", region.p, region.n)});
	add_deny(statements, bucket,
		&(struct deny){.sid = "DenyPublicAcl",
			.actions = json_pack("[s, s]", "s3:PutBucketAcl", "s3:PutObjectAcl"),
			.condition = json_pack("{s:{s:[s, s, s]}}", "StringEquals", "s3:x-amz-acl",
				"authenticated-read", "public-read", "public-read-write")});
	if (cloud->bound || cloud->held.bounds.class >= CLASS_PERSONAL)
		deny_replication(statements, bucket);
	if (account.n && cloud->held.bounds.class >= CLASS_PERSONAL)
		add_deny(statements, bucket,
			&(struct deny){.sid = "DenyOtherAccounts",
				.actions = json_pack("[s]", "s3:*"),
				.condition = json_pack("{s:{s:[s%]}, s:{s:s}}", "StringNotEquals",
					"aws:PrincipalAccount", account.p, account.n, "BoolIfExists",
					"aws:PrincipalIsAWSService", "false")});
	return json_pack("{s:s, s:o, s:o}", "Version", "2012-10-17", "Id",
		json_sprintf("isobar-guard-%.*s", STR(bucket)), "Statement", statements);
}

static int add_bucket(struct guard_list *list, const struct guard_cloud *cloud, struct str bucket)
{
	struct arena *a = list->arena;
	struct guard_file policy = {
		.path = arena_printf(a, "%.*s/bucket-policy-%.*s.json", STR(cloud->name), STR(bucket)),
		.about = arena_printf(a,
			"%.*s: no request without TLS 1.2, from another region, or that makes it public or replicates "
			"it",
			STR(bucket)),
	};
	policy.put = arena_printf(
		a, "aws s3api put-bucket-policy --bucket %.*s --policy file://%.*s", STR(bucket), STR(policy.path));
	int rc = guard_add_json(list, &policy, bucket_policy(cloud, bucket));
	struct guard_file block = {
		.path = arena_printf(a, "%.*s/public-access-block-%.*s.json", STR(cloud->name), STR(bucket)),
		.about = arena_printf(a, "%.*s: never public", STR(bucket)),
	};
	block.put = arena_printf(a,
		"aws s3api put-public-access-block --bucket %.*s --public-access-block-configuration file://%.*s",
		STR(bucket), STR(block.path));
	return rc < 0 ? rc
		      : guard_add_json(list, &block,
				json_pack("{s:b, s:b, s:b, s:b}", "BlockPublicAcls", 1, "IgnorePublicAcls", 1,
					"BlockPublicPolicy", 1, "RestrictPublicBuckets", 1));
}

static json_t *control_policy(const struct guard_cloud *cloud)
{
	json_t *services = json_array();
	for (size_t i = 0; i < COUNT_OF(global_services); i++)
		json_array_append_new(services, json_string(global_services[i]));
	json_t *regions = json_pack("{s:s, s:s, s:o, s:s, s:{s:{s:o}}}", "Sid", "DenyOutsideResidency", "Effect",
		"Deny", "NotAction", services, "Resource", "*", "Condition", "StringNotEquals", "aws:RequestedRegion",
		guard_strings(cloud->regions, cloud->region_count));
	json_t *leave = json_pack("{s:s, s:s, s:[s, s], s:s}", "Sid", "DenyOpeningBuckets", "Effect", "Deny", "Action",
		"s3:PutAccountPublicAccessBlock", "s3:DeleteBucketPolicy", "Resource", "*");
	return json_pack("{s:s, s:[o, o]}", "Version", "2012-10-17", "Statement", regions, leave);
}

int guards_aws(struct guard_list *list, const struct guard_cloud *cloud)
{
	int rc = 0;
	for (size_t i = 0; i < cloud->bucket_count && rc == 0; i++)
		rc = add_bucket(list, cloud, cloud->buckets[i]);
	if (rc < 0 || !cloud->bound)
		return rc;
	struct guard_file file = {
		.path = arena_printf(list->arena, "%.*s/service-control-policy.json", STR(cloud->name)),
		.about = S("the account: nothing is made outside the regions that residency allows"),
	};
	file.put = arena_printf(list->arena,
		"aws organizations create-policy --type SERVICE_CONTROL_POLICY --name isobar-%.*s --description "
		"residency --content file://%.*s",
		STR(cloud->name), STR(file.path));
	return guard_add_json(list, &file, control_policy(cloud));
}

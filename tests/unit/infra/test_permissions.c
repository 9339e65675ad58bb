// SPDX-License-Identifier: Apache-2.0
// Policies: exactly what is written for each provider, from the drivers' own tables of calls.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "infra/permissions.h"

struct fixture {
	struct arena arena;
	struct call c;
	struct resource resources[8];
	size_t count;
};

static void add(struct fixture *f, const char *kind, const char *name, const char *cloud, json_t *resolved)
{
	f->resources[f->count++] = (struct resource){.kind = str_of(kind),
		.name = str_of(name),
		.cloud = str_of(cloud),
		.resolved = json_in_arena(&f->arena, resolved)};
}

static void begin(struct fixture *f)
{
	*f = (struct fixture){.count = 0};
	call_init(&f->c, &f->arena, edges_real(), S("test"));
	f->c.workspace = S("fashion-x");
	add(f, "cloud", "aws-us", "", json_pack("{s:s,s:s}", "provider", "aws", "region", "us-east-1"));
	add(f, "cloud", "gcp-eu", "",
		json_pack("{s:s,s:s,s:s}", "provider", "gcp", "region", "europe-west4", "project", "lumen-ml"));
	add(f, "cloud", "azure-eu", "",
		json_pack("{s:s,s:s,s:s,s:s}", "provider", "azure", "region", "westeurope", "subscription",
			"7e1d4c52-0000-0000-0000-000000000000", "resource_group", "ml"));
	add(f, "cloud", "munich", "", json_pack("{s:s}", "provider", "mainframe"));
	for (size_t i = 0; i < 3; i++)
		add(f, "bucket", "lake", i == 0 ? "aws-us" : i == 1 ? "gcp-eu" : "azure-eu", json_object());
	add(f, "bucket", "raw", "aws-us", json_pack("{s:s}", "name", "lumen-raw"));
}

static void expect(struct fixture *f, const char *cloud, const char *flags, const char *wanted)
{
	struct permissions_request r;
	struct str text;
	assert_int_equal(permissions_read(&f->c, f->resources, f->count, str_of(cloud), &r), 0);
	r.read_only = str_find_char(str_of(flags), 'r') >= 0;
	r.deep = str_find_char(str_of(flags), 'd') >= 0;
	r.services = str_find_char(str_of(flags), 's') >= 0;
	assert_int_equal(permissions_write(&f->c, &r, &text), 0);
	if (!str_eq(text, str_of(wanted)))
		fail_msg("got:\n%.*s", STR(text));
}

static void test_aws(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	expect(&f, "aws-us", "s",
		"{\n"
		"  \"Version\": \"2012-10-17\",\n"
		"  \"Statement\": [\n"
		"    {\n"
		"      \"Sid\": \"Account\",\n"
		"      \"Effect\": \"Allow\",\n"
		"      \"Action\": [\n"
		"        \"iam:PassRole\",\n"
		"        \"kms:CreateAlias\",\n"
		"        \"kms:CreateKey\",\n"
		"        \"kms:Decrypt\",\n"
		"        \"kms:DeleteAlias\",\n"
		"        \"kms:DescribeKey\",\n"
		"        \"kms:DisableKey\",\n"
		"        \"kms:EnableKey\",\n"
		"        \"kms:Encrypt\",\n"
		"        \"kms:GetKeyPolicy\",\n"
		"        \"kms:ListKeyRotations\",\n"
		"        \"kms:ListKeys\",\n"
		"        \"kms:ListResourceTags\",\n"
		"        \"kms:PutKeyPolicy\",\n"
		"        \"kms:RotateKeyOnDemand\",\n"
		"        \"kms:ScheduleKeyDeletion\",\n"
		"        \"kms:TagResource\",\n"
		"        \"logs:DescribeLogStreams\",\n"
		"        \"logs:GetLogEvents\",\n"
		"        \"s3:ListAllMyBuckets\",\n"
		"        \"sagemaker:AddTags\",\n"
		"        \"sagemaker:CreateEndpoint\",\n"
		"        \"sagemaker:CreateEndpointConfig\",\n"
		"        \"sagemaker:CreateModel\",\n"
		"        \"sagemaker:CreateProcessingJob\",\n"
		"        \"sagemaker:CreateTrainingJob\",\n"
		"        \"sagemaker:DeleteEndpoint\",\n"
		"        \"sagemaker:DeleteEndpointConfig\",\n"
		"        \"sagemaker:DeleteModel\",\n"
		"        \"sagemaker:DeleteProcessingJob\",\n"
		"        \"sagemaker:DeleteTrainingJob\",\n"
		"        \"sagemaker:DescribeEndpoint\",\n"
		"        \"sagemaker:DescribeEndpointConfig\",\n"
		"        \"sagemaker:DescribeProcessingJob\",\n"
		"        \"sagemaker:DescribeTrainingJob\",\n"
		"        \"sagemaker:ListEndpointConfigs\",\n"
		"        \"sagemaker:ListEndpoints\",\n"
		"        \"sagemaker:ListModels\",\n"
		"        \"sagemaker:ListProcessingJobs\",\n"
		"        \"sagemaker:ListTags\",\n"
		"        \"sagemaker:ListTrainingJobs\",\n"
		"        \"sagemaker:StopProcessingJob\",\n"
		"        \"sagemaker:StopTrainingJob\",\n"
		"        \"sagemaker:UpdateEndpoint\",\n"
		"        \"sagemaker:UpdateEndpointWeightsAndCapacities\",\n"
		"        \"secretsmanager:CreateSecret\",\n"
		"        \"secretsmanager:DeleteSecret\",\n"
		"        \"secretsmanager:DescribeSecret\",\n"
		"        \"secretsmanager:GetSecretValue\",\n"
		"        \"secretsmanager:ListSecretVersionIds\",\n"
		"        \"secretsmanager:ListSecrets\",\n"
		"        \"secretsmanager:PutSecretValue\",\n"
		"        \"secretsmanager:TagResource\",\n"
		"        \"secretsmanager:UpdateSecretVersionStage\",\n"
		"        \"sts:AssumeRole\"\n"
		"      ],\n"
		"      \"Resource\": [\n"
		"        \"*\"\n"
		"      ]\n"
		"    },\n"
		"    {\n"
		"      \"Sid\": \"Buckets\",\n"
		"      \"Effect\": \"Allow\",\n"
		"      \"Action\": [\n"
		"        \"s3:CreateBucket\",\n"
		"        \"s3:DeleteBucket\",\n"
		"        \"s3:GetBucketLocation\",\n"
		"        \"s3:GetBucketPublicAccessBlock\",\n"
		"        \"s3:GetBucketTagging\",\n"
		"        \"s3:GetBucketVersioning\",\n"
		"        \"s3:GetEncryptionConfiguration\",\n"
		"        \"s3:ListBucket\",\n"
		"        \"s3:ListBucketMultipartUploads\",\n"
		"        \"s3:PutBucketTagging\"\n"
		"      ],\n"
		"      \"Resource\": [\n"
		"        \"arn:aws:s3:::fashion-x-lake\",\n"
		"        \"arn:aws:s3:::lumen-raw\"\n"
		"      ]\n"
		"    },\n"
		"    {\n"
		"      \"Sid\": \"Objects\",\n"
		"      \"Effect\": \"Allow\",\n"
		"      \"Action\": [\n"
		"        \"s3:AbortMultipartUpload\",\n"
		"        \"s3:DeleteObject\",\n"
		"        \"s3:GetObject\",\n"
		"        \"s3:PutObject\"\n"
		"      ],\n"
		"      \"Resource\": [\n"
		"        \"arn:aws:s3:::fashion-x-lake/*\",\n"
		"        \"arn:aws:s3:::lumen-raw/*\"\n"
		"      ]\n"
		"    }\n"
		"  ]\n"
		"}\n");
	expect(&f, "aws-us", "rds",
		"{\n"
		"  \"Version\": \"2012-10-17\",\n"
		"  \"Statement\": [\n"
		"    {\n"
		"      \"Sid\": \"Account\",\n"
		"      \"Effect\": \"Allow\",\n"
		"      \"Action\": [\n"
		"        \"kms:Decrypt\",\n"
		"        \"kms:DescribeKey\",\n"
		"        \"kms:GetKeyPolicy\",\n"
		"        \"kms:ListKeyRotations\",\n"
		"        \"kms:ListKeys\",\n"
		"        \"kms:ListResourceTags\",\n"
		"        \"logs:DescribeLogStreams\",\n"
		"        \"logs:GetLogEvents\",\n"
		"        \"s3:ListAllMyBuckets\",\n"
		"        \"sagemaker:DescribeEndpoint\",\n"
		"        \"sagemaker:DescribeEndpointConfig\",\n"
		"        \"sagemaker:DescribeProcessingJob\",\n"
		"        \"sagemaker:DescribeTrainingJob\",\n"
		"        \"sagemaker:ListEndpointConfigs\",\n"
		"        \"sagemaker:ListEndpoints\",\n"
		"        \"sagemaker:ListModels\",\n"
		"        \"sagemaker:ListProcessingJobs\",\n"
		"        \"sagemaker:ListTags\",\n"
		"        \"sagemaker:ListTrainingJobs\",\n"
		"        \"secretsmanager:DescribeSecret\",\n"
		"        \"secretsmanager:GetSecretValue\",\n"
		"        \"secretsmanager:ListSecretVersionIds\",\n"
		"        \"secretsmanager:ListSecrets\"\n"
		"      ],\n"
		"      \"Resource\": [\n"
		"        \"*\"\n"
		"      ]\n"
		"    },\n"
		"    {\n"
		"      \"Sid\": \"Buckets\",\n"
		"      \"Effect\": \"Allow\",\n"
		"      \"Action\": [\n"
		"        \"s3:GetBucketLocation\",\n"
		"        \"s3:GetBucketPublicAccessBlock\",\n"
		"        \"s3:GetBucketTagging\",\n"
		"        \"s3:GetBucketVersioning\",\n"
		"        \"s3:GetEncryptionConfiguration\",\n"
		"        \"s3:ListBucket\"\n"
		"      ],\n"
		"      \"Resource\": [\n"
		"        \"arn:aws:s3:::fashion-x-lake\",\n"
		"        \"arn:aws:s3:::lumen-raw\",\n"
		"        \"arn:aws:s3:::isobar-check-*\"\n"
		"      ]\n"
		"    },\n"
		"    {\n"
		"      \"Sid\": \"Objects\",\n"
		"      \"Effect\": \"Allow\",\n"
		"      \"Action\": [\n"
		"        \"s3:GetObject\"\n"
		"      ],\n"
		"      \"Resource\": [\n"
		"        \"arn:aws:s3:::fashion-x-lake/*\",\n"
		"        \"arn:aws:s3:::lumen-raw/*\",\n"
		"        \"arn:aws:s3:::isobar-check-*/*\"\n"
		"      ]\n"
		"    }\n"
		"  ]\n"
		"}\n");
	arena_free(&f.arena);
}

static void test_azure(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	expect(&f, "azure-eu", "s",
		"{\n"
		"  \"roleDefinition\": {\n"
		"    \"Name\": \"Isobar fashion-x\",\n"
		"    \"IsCustom\": true,\n"
		"    \"Description\": \"What Isobar calls, and no more\",\n"
		"    \"Actions\": [\n"
		"      \"Microsoft.MachineLearningServices/locations/mfeOperationResults/read\",\n"
		"      \"Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/environments/versions/write\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/jobs/cancel/action\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/jobs/delete\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/jobs/read\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/jobs/write\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/onlineEndpoints/delete\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/delete\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/read\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/write\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/onlineEndpoints/listKeys/action\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/onlineEndpoints/read\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/containers/delete\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/containers/read\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/containers/write\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/getInfo/action\"\n"
		"    ],\n"
		"    \"NotActions\": [],\n"
		"    \"DataActions\": [\n"
		"      \"Microsoft.KeyVault/vaults/keys/create/action\",\n"
		"      \"Microsoft.KeyVault/vaults/keys/delete\",\n"
		"      \"Microsoft.KeyVault/vaults/keys/read\",\n"
		"      \"Microsoft.KeyVault/vaults/keys/recover/action\",\n"
		"      \"Microsoft.KeyVault/vaults/keys/rotate/action\",\n"
		"      \"Microsoft.KeyVault/vaults/keys/unwrap/action\",\n"
		"      \"Microsoft.KeyVault/vaults/keys/update/action\",\n"
		"      \"Microsoft.KeyVault/vaults/keys/wrap/action\",\n"
		"      \"Microsoft.KeyVault/vaults/secrets/delete\",\n"
		"      \"Microsoft.KeyVault/vaults/secrets/getSecret/action\",\n"
		"      \"Microsoft.KeyVault/vaults/secrets/readMetadata/action\",\n"
		"      \"Microsoft.KeyVault/vaults/secrets/recover/action\",\n"
		"      \"Microsoft.KeyVault/vaults/secrets/setSecret/action\",\n"
		"      \"Microsoft.KeyVault/vaults/secrets/update/action\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write\"\n"
		"    ],\n"
		"    \"NotDataActions\": [],\n"
		"    \"AssignableScopes\": [\n"
		"      \"/subscriptions/7e1d4c52-0000-0000-0000-000000000000/resourceGroups/ml\"\n"
		"    ]\n"
		"  },\n"
		"  \"roleAssignment\": {\n"
		"    \"scope\": \"/subscriptions/7e1d4c52-0000-0000-0000-000000000000/resourceGroups/ml\",\n"
		"    \"assignee\": \"OBJECT_ID\",\n"
		"    \"condition\": \"((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete'}) AND !(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'}) AND !(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'fashion-x-lake'))\",\n"
		"    \"conditionVersion\": \"2.0\"\n"
		"  }\n"
		"}\n");
	expect(&f, "azure-eu", "rs",
		"{\n"
		"  \"roleDefinition\": {\n"
		"    \"Name\": \"Isobar fashion-x (read only)\",\n"
		"    \"IsCustom\": true,\n"
		"    \"Description\": \"What Isobar calls, and no more\",\n"
		"    \"Actions\": [\n"
		"      \"Microsoft.MachineLearningServices/locations/mfeOperationResults/read\",\n"
		"      \"Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/jobs/read\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/read\",\n"
		"      \"Microsoft.MachineLearningServices/workspaces/onlineEndpoints/read\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/containers/read\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/getInfo/action\"\n"
		"    ],\n"
		"    \"NotActions\": [],\n"
		"    \"DataActions\": [\n"
		"      \"Microsoft.KeyVault/vaults/keys/read\",\n"
		"      \"Microsoft.KeyVault/vaults/keys/unwrap/action\",\n"
		"      \"Microsoft.KeyVault/vaults/secrets/getSecret/action\",\n"
		"      \"Microsoft.KeyVault/vaults/secrets/readMetadata/action\",\n"
		"      \"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read\"\n"
		"    ],\n"
		"    \"NotDataActions\": [],\n"
		"    \"AssignableScopes\": [\n"
		"      \"/subscriptions/7e1d4c52-0000-0000-0000-000000000000/resourceGroups/ml\"\n"
		"    ]\n"
		"  },\n"
		"  \"roleAssignment\": {\n"
		"    \"scope\": \"/subscriptions/7e1d4c52-0000-0000-0000-000000000000/resourceGroups/ml\",\n"
		"    \"assignee\": \"OBJECT_ID\",\n"
		"    \"condition\": \"((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'fashion-x-lake'))\",\n"
		"    \"conditionVersion\": \"2.0\"\n"
		"  }\n"
		"}\n");
	arena_free(&f.arena);
}

static void test_gcp(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	expect(&f, "gcp-eu", "ds",
		"# gcloud iam roles create isobar_fashion_x_project --project=lumen-ml --file=FILE (this document)\n"
		"title: Isobar fashion-x, project\n"
		"description: What Isobar calls, and no more\n"
		"stage: GA\n"
		"includedPermissions:\n"
		"- aiplatform.customJobs.cancel\n"
		"- aiplatform.customJobs.create\n"
		"- aiplatform.customJobs.delete\n"
		"- aiplatform.customJobs.list\n"
		"- aiplatform.endpoints.create\n"
		"- aiplatform.endpoints.delete\n"
		"- aiplatform.endpoints.deploy\n"
		"- aiplatform.endpoints.get\n"
		"- aiplatform.endpoints.list\n"
		"- aiplatform.endpoints.undeploy\n"
		"- aiplatform.endpoints.update\n"
		"- aiplatform.models.delete\n"
		"- aiplatform.models.get\n"
		"- aiplatform.models.list\n"
		"- aiplatform.models.upload\n"
		"- cloudkms.cryptoKeyVersions.create\n"
		"- cloudkms.cryptoKeyVersions.destroy\n"
		"- cloudkms.cryptoKeyVersions.list\n"
		"- cloudkms.cryptoKeyVersions.update\n"
		"- cloudkms.cryptoKeyVersions.useToDecrypt\n"
		"- cloudkms.cryptoKeyVersions.useToEncrypt\n"
		"- cloudkms.cryptoKeys.create\n"
		"- cloudkms.cryptoKeys.get\n"
		"- cloudkms.cryptoKeys.getIamPolicy\n"
		"- cloudkms.cryptoKeys.setIamPolicy\n"
		"- cloudkms.cryptoKeys.update\n"
		"- cloudkms.keyRings.create\n"
		"- iam.serviceAccounts.actAs\n"
		"- logging.logEntries.list\n"
		"- secretmanager.secrets.create\n"
		"- secretmanager.secrets.delete\n"
		"- secretmanager.secrets.get\n"
		"- secretmanager.secrets.list\n"
		"- secretmanager.versions.access\n"
		"- secretmanager.versions.add\n"
		"- secretmanager.versions.disable\n"
		"- secretmanager.versions.list\n"
		"- storage.buckets.create\n"
		"- storage.buckets.list\n"
		"---\n"
		"# gcloud iam roles create isobar_fashion_x_buckets --project=lumen-ml --file=FILE (this document)\n"
		"title: Isobar fashion-x, buckets\n"
		"description: What Isobar calls, and no more\n"
		"stage: GA\n"
		"includedPermissions:\n"
		"- storage.buckets.delete\n"
		"- storage.buckets.get\n"
		"- storage.buckets.update\n"
		"- storage.objects.create\n"
		"- storage.objects.delete\n"
		"- storage.objects.get\n"
		"- storage.objects.list\n"
		"---\n"
		"# gcloud projects add-iam-policy-binding, one for each\n"
		"bindings:\n"
		"- role: projects/lumen-ml/roles/isobar_fashion_x_project\n"
		"  members:\n"
		"  - serviceAccount:SERVICE_ACCOUNT\n"
		"- role: projects/lumen-ml/roles/isobar_fashion_x_buckets\n"
		"  members:\n"
		"  - serviceAccount:SERVICE_ACCOUNT\n"
		"  condition:\n"
		"    title: one bucket of Isobar\n"
		"    expression: 'resource.name == \"projects/_/buckets/fashion-x-lake\" || resource.name.startsWith(\"projects/_/buckets/fashion-x-lake/\")'\n"
		"- role: projects/lumen-ml/roles/isobar_fashion_x_buckets\n"
		"  members:\n"
		"  - serviceAccount:SERVICE_ACCOUNT\n"
		"  condition:\n"
		"    title: one bucket of Isobar\n"
		"    expression: 'resource.name.startsWith(\"projects/_/buckets/isobar-check-\")'\n");
	expect(&f, "gcp-eu", "rs",
		"# gcloud iam roles create isobar_fashion_x_project_read --project=lumen-ml --file=FILE (this document)\n"
		"title: Isobar fashion-x, project, read only\n"
		"description: What Isobar calls, and no more\n"
		"stage: GA\n"
		"includedPermissions:\n"
		"- aiplatform.customJobs.list\n"
		"- aiplatform.endpoints.get\n"
		"- aiplatform.endpoints.list\n"
		"- aiplatform.models.get\n"
		"- aiplatform.models.list\n"
		"- cloudkms.cryptoKeyVersions.list\n"
		"- cloudkms.cryptoKeyVersions.useToDecrypt\n"
		"- cloudkms.cryptoKeys.get\n"
		"- cloudkms.cryptoKeys.getIamPolicy\n"
		"- logging.logEntries.list\n"
		"- secretmanager.secrets.get\n"
		"- secretmanager.secrets.list\n"
		"- secretmanager.versions.access\n"
		"- secretmanager.versions.list\n"
		"- storage.buckets.list\n"
		"---\n"
		"# gcloud iam roles create isobar_fashion_x_buckets_read --project=lumen-ml --file=FILE (this document)\n"
		"title: Isobar fashion-x, buckets, read only\n"
		"description: What Isobar calls, and no more\n"
		"stage: GA\n"
		"includedPermissions:\n"
		"- storage.buckets.get\n"
		"- storage.objects.get\n"
		"- storage.objects.list\n"
		"---\n"
		"# gcloud projects add-iam-policy-binding, one for each\n"
		"bindings:\n"
		"- role: projects/lumen-ml/roles/isobar_fashion_x_project_read\n"
		"  members:\n"
		"  - serviceAccount:SERVICE_ACCOUNT\n"
		"- role: projects/lumen-ml/roles/isobar_fashion_x_buckets_read\n"
		"  members:\n"
		"  - serviceAccount:SERVICE_ACCOUNT\n"
		"  condition:\n"
		"    title: one bucket of Isobar\n"
		"    expression: 'resource.name == \"projects/_/buckets/fashion-x-lake\" || resource.name.startsWith(\"projects/_/buckets/fashion-x-lake/\")'\n");
	arena_free(&f.arena);
}

static void test_refused(void **state)
{
	(void)state;
	struct fixture f;
	struct permissions_request r;
	begin(&f);
	assert_int_equal(permissions_read(&f.c, f.resources, f.count, S("nowhere"), &r), ERR_NOT_FOUND);
	assert_string_equal(
		f.c.err.message, "the workspace has no cloud/nowhere; it has aws-us, gcp-eu, azure-eu, munich");
	assert_int_equal(permissions_read(&f.c, f.resources, f.count, S("munich"), &r), ERR_UNSUPPORTED);
	struct str physical = permissions_physical(&f.c, &f.resources[4], S("fashion-x"));
	assert_true(str_eq(physical, S("fashion-x-lake")));
	arena_free(&f.arena);
}

// Every permission of a row is asked for in its scope, and read-only is a part of the whole.
static void test_collect(void **state)
{
	(void)state;
	struct fixture f;
	struct permissions_request r;
	struct str *all, *reading;
	size_t count, fewer;
	begin(&f);
	assert_int_equal(permissions_read(&f.c, f.resources, f.count, S("aws-us"), &r), 0);
	assert_int_equal(permissions_collect(&f.c, &r, PERMISSIONS_OF(CALL_ON_OBJECT), &all, &count), 0);
	r.read_only = true;
	assert_int_equal(permissions_collect(&f.c, &r, PERMISSIONS_OF(CALL_ON_OBJECT), &reading, &fewer), 0);
	assert_true(count > fewer && fewer > 0);
	for (size_t i = 0; i < fewer; i++) {
		size_t at = 0;
		while (at < count && !str_eq(all[at], reading[i]))
			at++;
		assert_true(at < count);
	}
	arena_free(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_aws), cmocka_unit_test(test_azure),
		cmocka_unit_test(test_gcp), cmocka_unit_test(test_refused), cmocka_unit_test(test_collect)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

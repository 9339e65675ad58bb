// SPDX-License-Identifier: Apache-2.0
// Guards in the providers' own languages: which files there are, and exactly what stands in them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "infra/guards.h"

enum { MOST = 16 };

struct world {
	struct fixture f;
	struct resource list[MOST];
	size_t count;
	struct resource_common kept;
	struct guard_file *files;
	size_t file_count;
};

static struct resource *declare(struct world *w, const char *address, const char *json)
{
	AUTO(json) j = NULL;
	struct resource *r = &w->list[w->count++];
	assert_ok(&w->f, json_parse(str_of(json), &j, &w->f.call.err));
	*r = (struct resource){.address = str_of(address)};
	assert_int_equal(resource_parse_address(r->address, &r->kind, &r->name, &r->cloud), 0);
	r->resolved = json_in_arena(&w->f.arena, json_incref(j));
	return r;
}

static void open_world(struct world *w)
{
	*w = (struct world){.kept = {.existing = S("keep")}};
	fixture_open(&w->f);
	declare(w, "cloud/aws-eu", "{\"provider\":\"aws\",\"region\":\"eu-central-1\",\"account\":\"123456789012\"}");
	declare(w, "cloud/gcp-eu", "{\"provider\":\"gcp\",\"region\":\"europe-west4\",\"project\":\"lumen-ml\"}");
	declare(w, "cloud/azure-eu",
		"{\"provider\":\"azure\",\"region\":\"germanywestcentral\",\"subscription\":\"7e1d\"}");
	declare(w, "bucket/raw on aws-eu", "{\"name\":\"theirs\"}")->common = &w->kept;
	declare(w, "bucket/lake on aws-eu", "{\"name\":\"lumen-lake\"}");
	declare(w, "bucket/lake on gcp-eu", "{}");
	declare(w, "bucket/lake on azure-eu", "{}");
}

static void make(struct world *w)
{
	const struct guard_input in = {.resources = w->list, .count = w->count, .workspace = S("lumen")};
	assert_ok(&w->f, guards_make(&w->f.arena, &in, &w->files, &w->file_count, &w->f.call.err));
}

static void declare_returns(struct world *w)
{
	declare(w, "dataset/returns",
		"{\"source\":\"bucket/raw/returns/\",\"class\":\"personal\",\"residency\":[\"DE\",\"NL\"],"
		"\"replicas\":{\"bucket\":\"bucket/lake\"}}");
}

static struct str content(const struct world *w, const char *path)
{
	for (size_t i = 0; i < w->file_count; i++)
		if (str_eq(w->files[i].path, str_of(path)))
			return w->files[i].content;
	fail_msg("there is no %s", path);
	return S("");
}

static void close_world(struct world *w)
{
	fixture_close(&w->f);
}

static void test_aws(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	declare_returns(&w);
	make(&w);
	assert_str(content(&w, "aws-eu/bucket-policy-lumen-lake.json"),
		S("{\n"
		  "  \"Version\": \"2012-10-17\",\n"
		  "  \"Id\": \"isobar-guard-lumen-lake\",\n"
		  "  \"Statement\": [\n"
		  "    {\n"
		  "      \"Sid\": \"DenyWithoutTls\",\n"
		  "      \"Effect\": \"Deny\",\n"
		  "      \"Principal\": \"*\",\n"
		  "      \"Action\": [\n"
		  "        \"s3:*\"\n"
		  "      ],\n"
		  "      \"Resource\": [\n"
		  "        \"arn:aws:s3:::lumen-lake\",\n"
		  "        \"arn:aws:s3:::lumen-lake/*\"\n"
		  "      ],\n"
		  "      \"Condition\": {\n"
		  "        \"Bool\": {\n"
		  "          \"aws:SecureTransport\": \"false\"\n"
		  "        }\n"
		  "      }\n"
		  "    },\n"
		  "    {\n"
		  "      \"Sid\": \"DenyOldTls\",\n"
		  "      \"Effect\": \"Deny\",\n"
		  "      \"Principal\": \"*\",\n"
		  "      \"Action\": [\n"
		  "        \"s3:*\"\n"
		  "      ],\n"
		  "      \"Resource\": [\n"
		  "        \"arn:aws:s3:::lumen-lake\",\n"
		  "        \"arn:aws:s3:::lumen-lake/*\"\n"
		  "      ],\n"
		  "      \"Condition\": {\n"
		  "        \"NumericLessThan\": {\n"
		  "          \"s3:TlsVersion\": \"1.2\"\n"
		  "        }\n"
		  "      }\n"
		  "    },\n"
		  "    {\n"
		  "      \"Sid\": \"DenyOutsideRegion\",\n"
		  "      \"Effect\": \"Deny\",\n"
		  "      \"Principal\": \"*\",\n"
		  "      \"Action\": [\n"
		  "        \"s3:*\"\n"
		  "      ],\n"
		  "      \"Resource\": [\n"
		  "        \"arn:aws:s3:::lumen-lake\",\n"
		  "        \"arn:aws:s3:::lumen-lake/*\"\n"
		  "      ],\n"
		  "      \"Condition\": {\n"
		  "        \"StringNotEquals\": {\n"
		  "          \"aws:RequestedRegion\": [\n"
		  "            \"eu-central-1\"\n"
		  "          ]\n"
		  "        }\n"
		  "      }\n"
		  "    },\n"
		  "    {\n"
		  "      \"Sid\": \"DenyPublicAcl\",\n"
		  "      \"Effect\": \"Deny\",\n"
		  "      \"Principal\": \"*\",\n"
		  "      \"Action\": [\n"
		  "        \"s3:PutBucketAcl\",\n"
		  "        \"s3:PutObjectAcl\"\n"
		  "      ],\n"
		  "      \"Resource\": [\n"
		  "        \"arn:aws:s3:::lumen-lake\",\n"
		  "        \"arn:aws:s3:::lumen-lake/*\"\n"
		  "      ],\n"
		  "      \"Condition\": {\n"
		  "        \"StringEquals\": {\n"
		  "          \"s3:x-amz-acl\": [\n"
		  "            \"authenticated-read\",\n"
		  "            \"public-read\",\n"
		  "            \"public-read-write\"\n"
		  "          ]\n"
		  "        }\n"
		  "      }\n"
		  "    },\n"
		  "    {\n"
		  "      \"Sid\": \"DenyReplicationElsewhere\",\n"
		  "      \"Effect\": \"Deny\",\n"
		  "      \"Principal\": \"*\",\n"
		  "      \"Action\": [\n"
		  "        \"s3:GetObjectVersionForReplication\",\n"
		  "        \"s3:InitiateReplication\",\n"
		  "        \"s3:ReplicateObject\"\n"
		  "      ],\n"
		  "      \"Resource\": [\n"
		  "        \"arn:aws:s3:::lumen-lake/*\"\n"
		  "      ]\n"
		  "    },\n"
		  "    {\n"
		  "      \"Sid\": \"DenyReplicationRules\",\n"
		  "      \"Effect\": \"Deny\",\n"
		  "      \"Principal\": \"*\",\n"
		  "      \"Action\": [\n"
		  "        \"s3:PutReplicationConfiguration\"\n"
		  "      ],\n"
		  "      \"Resource\": [\n"
		  "        \"arn:aws:s3:::lumen-lake\",\n"
		  "        \"arn:aws:s3:::lumen-lake/*\"\n"
		  "      ]\n"
		  "    },\n"
		  "    {\n"
		  "      \"Sid\": \"DenyOtherAccounts\",\n"
		  "      \"Effect\": \"Deny\",\n"
		  "      \"Principal\": \"*\",\n"
		  "      \"Action\": [\n"
		  "        \"s3:*\"\n"
		  "      ],\n"
		  "      \"Resource\": [\n"
		  "        \"arn:aws:s3:::lumen-lake\",\n"
		  "        \"arn:aws:s3:::lumen-lake/*\"\n"
		  "      ],\n"
		  "      \"Condition\": {\n"
		  "        \"StringNotEquals\": {\n"
		  "          \"aws:PrincipalAccount\": [\n"
		  "            \"123456789012\"\n"
		  "          ]\n"
		  "        },\n"
		  "        \"BoolIfExists\": {\n"
		  "          \"aws:PrincipalIsAWSService\": \"false\"\n"
		  "        }\n"
		  "      }\n"
		  "    }\n"
		  "  ]\n"
		  "}\n"));
	assert_str(content(&w, "aws-eu/public-access-block-lumen-lake.json"), S("{\n"
										"  \"BlockPublicAcls\": true,\n"
										"  \"IgnorePublicAcls\": true,\n"
										"  \"BlockPublicPolicy\": true,\n"
										"  \"RestrictPublicBuckets\": true\n"
										"}\n"));
	struct str scp = content(&w, "aws-eu/service-control-policy.json");
	assert_true(str_find(scp, S("\"aws:RequestedRegion\": [\n"
				    "            \"eu-central-1\"\n"
				    "          ]\n")) > 0); // DE; AWS has no region in NL
	close_world(&w);
}

static void test_gcp(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	declare_returns(&w);
	make(&w);
	assert_str(content(&w, "gcp-eu/resource-locations.yaml"),
		S("name: projects/lumen-ml/policies/gcp.resourceLocations\n"
		  "spec:\n"
		  "  rules:\n"
		  "    - values:\n"
		  "        allowedValues:\n"
		  "          - in:europe-west3-locations\n"
		  "          - in:europe-west4-locations\n"
		  "          - in:europe-west10-locations\n"));
	assert_str(content(&w, "gcp-eu/public-access-prevention.yaml"),
		S("name: projects/lumen-ml/policies/storage.publicAccessPrevention\n"
		  "spec:\n"
		  "  rules:\n"
		  "    - enforce: true\n"));
	close_world(&w);
}

static void test_azure(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	declare_returns(&w);
	make(&w);
	assert_str(content(&w, "azure-eu/allowed-locations.json"),
		S("{\n"
		  "  \"properties\": {\n"
		  "    \"displayName\": \"Isobar: allowed locations\",\n"
		  "    \"policyType\": \"Custom\",\n"
		  "    \"mode\": \"Indexed\",\n"
		  "    \"description\": \"Resources lie only in the regions that the residency of the data allows.\",\n"
		  "    \"metadata\": {\n"
		  "      \"category\": \"Isobar\"\n"
		  "    },\n"
		  "    \"policyRule\": {\n"
		  "      \"if\": {\n"
		  "        \"allOf\": [\n"
		  "          {\n"
		  "            \"field\": \"location\",\n"
		  "            \"notIn\": [\n"
		  "              \"westeurope\",\n"
		  "              \"germanywestcentral\",\n"
		  "              \"germanynorth\"\n"
		  "            ]\n"
		  "          },\n"
		  "          {\n"
		  "            \"field\": \"location\",\n"
		  "            \"notEquals\": \"global\"\n"
		  "          },\n"
		  "          {\n"
		  "            \"field\": \"type\",\n"
		  "            \"notEquals\": \"Microsoft.AzureActiveDirectory/b2cDirectories\"\n"
		  "          }\n"
		  "        ]\n"
		  "      },\n"
		  "      \"then\": {\n"
		  "        \"effect\": \"deny\"\n"
		  "      }\n"
		  "    }\n"
		  "  }\n"
		  "}\n"));
	struct str https = content(&w, "azure-eu/storage-https-only.json");
	assert_true(str_find(https, S("\"field\": \"Microsoft.Storage/storageAccounts/supportsHttpsTrafficOnly\",\n"
				      "                \"notEquals\": \"true\"\n")) > 0);
	assert_true(str_find(content(&w, "azure-eu/no-geo-replication.json"), S("\"Standard_RAGZRS\"")) > 0);
	close_world(&w);
}

// Nothing that must stay: TLS and privacy, but no word about regions.
static void test_unbound(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	make(&w);
	static const char *const want[] = {"README.md", "aws-eu/bucket-policy-lumen-lake.json",
		"aws-eu/public-access-block-lumen-lake.json", "gcp-eu/public-access-prevention.yaml",
		"gcp-eu/uniform-bucket-level-access.yaml", "gcp-eu/secure-http-transport.yaml",
		"azure-eu/storage-https-only.json"};
	assert_int_equal(w.file_count, COUNT_OF(want)); // a bucket that is only used is its owner's
	for (size_t i = 0; i < COUNT_OF(want); i++)
		assert_str(w.files[i].path, str_of(want[i]));
	assert_true(str_find(w.files[1].content, S("Replication")) < 0);
	assert_true(str_find(w.files[0].content,
			    S("| gcp-eu/secure-http-transport.yaml | the project: no request without TLS | "
			      "`gcloud org-policies set-policy gcp-eu/secure-http-transport.yaml` |\n")) > 0);
	close_world(&w);
}

// A transfer that is in force is a door in the guard, too.
static void test_transfer(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	declare_returns(&w);
	declare(&w, "transfer/us", "{\"what\":\"dataset/returns\",\"to\":\"CH\",\"until\":\"1970-01-02\"}");
	make(&w);
	assert_true(str_find(content(&w, "gcp-eu/resource-locations.yaml"), S("in:europe-west6-locations\n")) > 0);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_aws), cmocka_unit_test(test_gcp),
		cmocka_unit_test(test_azure), cmocka_unit_test(test_unbound), cmocka_unit_test(test_transfer)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Tables of calls: requests find their rows, and each driver's table is whole.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/aws/calls.h"
#include "cloud/azure/calls.h"
#include "cloud/gcp/calls.h"

static const struct cloud_calls *const tables[] = {&aws_call_table, &azure_call_table, &gcp_call_table};

static void check_found(const struct cloud_calls *calls, const char *request, const char *operation)
{
	struct cloud_call_request r = {0};
	struct str rest, target;
	str_cut(str_of(request), ' ', &r.method, &rest);
	str_cut(rest, ' ', &target, &r.target);
	str_cut(target, '?', &r.path, &r.query);
	const struct cloud_call *row = cloud_call_find(calls, &r);
	if (!operation)
		assert_null(row);
	else if (!row || strcmp(row->operation, operation) != 0)
		fail_msg("%s is %s, expected %s", request, row ? row->operation : "nothing", operation);
}

static void test_find(void **state)
{
	(void)state;
	const struct cloud_calls *aws = tables[0], *azure = tables[1], *gcp = tables[2];
	check_found(aws, "GET /", "ListBuckets");
	check_found(aws, "POST / GetCallerIdentity", "GetCallerIdentity");
	check_found(aws, "POST / NoSuchAction", NULL);
	check_found(aws, "GET /lake?list-type=2&prefix=a%2F", "ListObjectsV2");
	check_found(aws, "GET /lake?location=", "GetBucketLocation");
	check_found(aws, "GET /lake?publicAccessBlock", "GetPublicAccessBlock");
	check_found(aws, "PUT /lake/a/b%20c", "PutObject");
	check_found(aws, "PUT /lake/a?partNumber=1&uploadId=x", "UploadPart");
	check_found(aws, "POST /lake/a?uploadId=x", "CompleteMultipartUpload");
	check_found(aws, "DELETE /lake/a?uploadId=x", "AbortMultipartUpload");
	check_found(aws, "DELETE /lake/a", "DeleteObject");
	check_found(aws, "PUT /lake", "CreateBucket");
	check_found(aws, "GET /lake?acl", NULL);
	check_found(aws, "PATCH /lake", NULL);
	check_found(aws, "PUT /lake/", NULL);
	check_found(azure, "GET /?comp=list", "List Containers");
	check_found(azure, "GET /lake?restype=container&comp=list&marker=x", "List Blobs");
	check_found(azure, "PUT /lake/a?comp=blocklist", "Put Block List");
	check_found(azure, "PUT /lake/a?comp=block&blockid=MDE%3D", "Put Block");
	check_found(azure, "PUT /lake/a?comp=blocking", "Put Blob");
	check_found(azure, "PUT /lake?restype=container", "Create Container");
	check_found(azure, "PUT /lake", NULL);
	check_found(gcp, "GET /storage/v1/b/lake", "storage.buckets.get");
	check_found(gcp, "GET /storage/v1/b/lake/o", "storage.objects.list");
	check_found(gcp, "GET /storage/v1/b/lake/o/a%2Fb?alt=media", "storage.objects.get");
	check_found(gcp, "POST /storage/v1/b?project=p", "storage.buckets.insert");
	check_found(gcp, "POST /upload/storage/v1/b/lake/o?uploadType=resumable&name=x",
		"storage.objects.insert (resumable)");
	check_found(gcp, "PUT /upload/storage/v1/b/lake/o?upload_id=x", "upload a chunk");
	check_found(gcp, "POST /storage/v1/b", NULL);
}

static void test_verbs(void **state)
{
	(void)state;
	static const struct cloud_call rows[] = {
		{.operation = "get", .method = "POST", .path = "/v1/jobs/{name}", .query = ""},
		{.operation = "cancel", .method = "POST", .path = "/v1/jobs/{name}:cancel", .query = ""},
		{.operation = "any", .method = "POST", .path = "/{key}", .query = ""},
	};
	const struct cloud_calls calls = {"x", rows, COUNT_OF(rows)};
	check_found(&calls, "POST /v1/jobs/7", "get");
	check_found(&calls, "POST /v1/jobs/7:cancel", "cancel");
	check_found(&calls, "POST /v1/jobs/7/8:cancel", "any");
	check_found(&calls, "POST /v1/jobs/:cancel", "get");
	assert_string_equal(call_async_text(CALL_POLLS), "looked at until it is done");
}

static void check_row(const struct cloud_call *row, const char *provider)
{
	bool writes = row->repeat != CALL_REPEAT_READS;
	if (!row->operation || !row->method || !row->path || !row->query || !row->permissions)
		fail_msg("%s: a row is not filled (%s)", provider, row->operation ? row->operation : "no name");
	if (writes == row->reads)
		fail_msg("%s: %s reads, and says how a repetition is harmless", provider, row->operation);
	if ((row->scope == CALL_ON_NOTHING) != (row->permissions[0] == 0))
		fail_msg("%s: %s asks for a permission on nothing", provider, row->operation);
	assert_true(*call_repeat_text(row->repeat) && *call_part_name(row->part) && *call_async_text(row->async));
}

static void test_tables(void **state)
{
	(void)state;
	for (size_t t = 0; t < COUNT_OF(tables); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			check_row(&tables[t]->rows[i], tables[t]->provider);
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(tables[t]->rows[i].operation, tables[t]->rows[j].operation);
		}
	}
	assert_string_equal(call_part_name(CALL_PART_STORE), "store");
	assert_string_equal(call_part_name(CALL_PART_IDENTITY), "identity");
	assert_string_equal(call_part_name(CALL_PART_SECRETS), "secrets");
	assert_true(cloud_call_fits(&aws_calls[AWS_HEAD_BUCKET], S("HEAD"), S("/lake"), S("")));
	assert_false(cloud_call_fits(&aws_calls[AWS_HEAD_BUCKET], S("GET"), S("/lake"), S("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_find),
		cmocka_unit_test(test_verbs), cmocka_unit_test(test_tables)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

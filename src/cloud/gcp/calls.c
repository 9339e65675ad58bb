// SPDX-License-Identifier: Apache-2.0
// The Cloud Storage driver's table of calls: see calls.h.
#include "cloud/gcp/calls.h"

#define ROW(operation_, method_, path_, query_, permissions_, ...)                                                     \
	{                                                                                                              \
		.operation = operation_, .method = method_, .path = path_, .query = query_,                            \
		.permissions = permissions_, __VA_ARGS__                                                               \
	}
#define ON_BUCKET .scope = CALL_ON_BUCKET, .part = CALL_PART_STORE
#define ON_OBJECT .scope = CALL_ON_OBJECT, .part = CALL_PART_STORE
#define ON_PROJECT .scope = CALL_ON_ACCOUNT
#define WRITES "storage.objects.create storage.objects.delete"

const struct cloud_call gcp_calls[GCP_CALL_COUNT] = {
	[GCP_BUCKETS_DELETE] = ROW("storage.buckets.delete", "DELETE", "/storage/v1/b/{bucket}", "",
		"storage.buckets.delete", ON_BUCKET, .repeat = CALL_REPEAT_NAMED),
	[GCP_BUCKETS_GET] = ROW("storage.buckets.get", "GET", "/storage/v1/b/{bucket}", "", "storage.buckets.get",
		ON_BUCKET, .reads = true),
	[GCP_BUCKETS_INSERT] = ROW("storage.buckets.insert", "POST", "/storage/v1/b", "project",
		"storage.buckets.create", ON_PROJECT, .part = CALL_PART_STORE, .repeat = CALL_REPEAT_CONDITION),
	[GCP_BUCKETS_LIST] = ROW("storage.buckets.list", "GET", "/storage/v1/b", "project", "storage.buckets.list",
		ON_PROJECT, .part = CALL_PART_IDENTITY, .reads = true),
	[GCP_BUCKETS_PATCH] = ROW("storage.buckets.patch", "PATCH", "/storage/v1/b/{bucket}", "",
		"storage.buckets.update", ON_BUCKET, .repeat = CALL_REPEAT_NAMED),
	[GCP_BUCKETS_TEST_PERMISSIONS] =
		ROW("storage.buckets.testIamPermissions", "GET", "/storage/v1/b/{bucket}/iam/testPermissions",
			"permissions", "", .part = CALL_PART_IDENTITY, .reads = true),
	[GCP_OBJECTS_DELETE] = ROW("storage.objects.delete", "DELETE", "/storage/v1/b/{bucket}/o/{key}", "",
		"storage.objects.delete", ON_OBJECT, .repeat = CALL_REPEAT_NAMED),
	[GCP_OBJECTS_GET] = ROW("storage.objects.get", "GET", "/storage/v1/b/{bucket}/o/{key}", "",
		"storage.objects.get", ON_OBJECT, .reads = true),
	[GCP_OBJECTS_INSERT] = ROW("storage.objects.insert", "POST", "/upload/storage/v1/b/{bucket}/o",
		"uploadType=multipart", WRITES, ON_OBJECT, .repeat = CALL_REPEAT_CONDITION),
	[GCP_OBJECTS_INSERT_RESUMABLE] =
		ROW("storage.objects.insert (resumable)", "POST", "/upload/storage/v1/b/{bucket}/o",
			"uploadType=resumable", WRITES, ON_OBJECT, .repeat = CALL_REPEAT_SPARE),
	[GCP_OBJECTS_LIST] = ROW("storage.objects.list", "GET", "/storage/v1/b/{bucket}/o", "", "storage.objects.list",
		ON_BUCKET, .reads = true),
	[GCP_TOKENINFO] =
		ROW("oauth2.tokeninfo", "POST", "/tokeninfo", "", "", .part = CALL_PART_IDENTITY, .reads = true),
	// The address of a session is the right to it.
	[GCP_UPLOAD_CANCEL] = ROW(
		"cancel an upload", "DELETE", "/{key}", "", "", .part = CALL_PART_STORE, .repeat = CALL_REPEAT_NAMED),
	[GCP_UPLOAD_CHUNK] =
		ROW("upload a chunk", "PUT", "/{key}", "", "", .part = CALL_PART_STORE, .repeat = CALL_REPEAT_LOOKS),
};
const struct cloud_calls gcp_call_table = {"gcp", gcp_calls, GCP_CALL_COUNT};

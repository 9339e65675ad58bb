// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Google Cloud: the object store. See calls.h.
#ifndef ISOBAR_CLOUD_GCP_CALLS_STORE_IMPL_H
#define ISOBAR_CLOUD_GCP_CALLS_STORE_IMPL_H

#define GCP_ON_BUCKET .scope = CALL_ON_BUCKET, .part = CALL_PART_STORE
#define GCP_ON_OBJECT .scope = CALL_ON_OBJECT, .part = CALL_PART_STORE

// clang-format off
#define GCP_STORE_ROWS(X) \
	X(BUCKETS_DELETE, "storage.buckets.delete", "DELETE", "/storage/v1/b/{bucket}", "", "storage.buckets.delete", GCP_ON_BUCKET, .repeat = CALL_REPEAT_NAMED) \
	X(BUCKETS_GET, "storage.buckets.get", "GET", "/storage/v1/b/{bucket}", "", "storage.buckets.get", GCP_ON_BUCKET, .reads = true) \
	X(BUCKETS_INSERT, "storage.buckets.insert", "POST", "/storage/v1/b", "project", "storage.buckets.create", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_STORE, .repeat = CALL_REPEAT_CONDITION) \
	X(BUCKETS_PATCH, "storage.buckets.patch", "PATCH", "/storage/v1/b/{bucket}", "", "storage.buckets.update", GCP_ON_BUCKET, .repeat = CALL_REPEAT_NAMED) \
	X(OBJECTS_DELETE, "storage.objects.delete", "DELETE", "/storage/v1/b/{bucket}/o/{key}", "", "storage.objects.delete", GCP_ON_OBJECT, .repeat = CALL_REPEAT_NAMED) \
	X(OBJECTS_GET, "storage.objects.get", "GET", "/storage/v1/b/{bucket}/o/{key}", "", "storage.objects.get", GCP_ON_OBJECT, .reads = true) \
	X(OBJECTS_INSERT, "storage.objects.insert", "POST", "/upload/storage/v1/b/{bucket}/o", "uploadType=multipart", "storage.objects.create storage.objects.delete", GCP_ON_OBJECT, .repeat = CALL_REPEAT_CONDITION) \
	X(OBJECTS_INSERT_RESUMABLE, "storage.objects.insert (resumable)", "POST", "/upload/storage/v1/b/{bucket}/o", "uploadType=resumable", "storage.objects.create storage.objects.delete", GCP_ON_OBJECT, .repeat = CALL_REPEAT_SPARE) \
	X(OBJECTS_LIST, "storage.objects.list", "GET", "/storage/v1/b/{bucket}/o", "", "storage.objects.list", GCP_ON_BUCKET, .reads = true) \
	X(UPLOAD_CANCEL, "cancel an upload", "DELETE", "/{key}", "", "", .part = CALL_PART_STORE, .repeat = CALL_REPEAT_NAMED) \
	X(UPLOAD_CHUNK, "upload a chunk", "PUT", "/{key}", "", "", .part = CALL_PART_STORE, .repeat = CALL_REPEAT_LOOKS)
// clang-format on

#endif

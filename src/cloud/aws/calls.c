// SPDX-License-Identifier: Apache-2.0
// The S3 driver's table of calls: see calls.h.
#include "cloud/aws/calls.h"

#define ROW(operation_, method_, path_, query_, permissions_, ...)                                                     \
	{                                                                                                              \
		.operation = operation_, .method = method_, .path = path_, .query = query_,                            \
		.permissions = permissions_, __VA_ARGS__                                                               \
	}
#define ON_BUCKET .scope = CALL_ON_BUCKET, .part = CALL_PART_STORE
#define ON_OBJECT .scope = CALL_ON_OBJECT, .part = CALL_PART_STORE
#define ABOUT_BUCKET .scope = CALL_ON_BUCKET, .part = CALL_PART_IDENTITY, .reads = true

const struct cloud_call aws_calls[AWS_CALL_COUNT] = {
	[AWS_ABORT_MULTIPART_UPLOAD] = ROW("AbortMultipartUpload", "DELETE", "/{bucket}/{key}", "uploadId",
		"s3:AbortMultipartUpload", ON_OBJECT, .repeat = CALL_REPEAT_NAMED),
	[AWS_COMPLETE_MULTIPART_UPLOAD] = ROW("CompleteMultipartUpload", "POST", "/{bucket}/{key}", "uploadId",
		"s3:PutObject", ON_OBJECT, .repeat = CALL_REPEAT_CONDITION),
	[AWS_CREATE_BUCKET] = ROW(
		"CreateBucket", "PUT", "/{bucket}", "", "s3:CreateBucket", ON_BUCKET, .repeat = CALL_REPEAT_CONDITION),
	[AWS_CREATE_MULTIPART_UPLOAD] = ROW("CreateMultipartUpload", "POST", "/{bucket}/{key}", "uploads",
		"s3:PutObject", ON_OBJECT, .repeat = CALL_REPEAT_SPARE),
	[AWS_DELETE_BUCKET] = ROW(
		"DeleteBucket", "DELETE", "/{bucket}", "", "s3:DeleteBucket", ON_BUCKET, .repeat = CALL_REPEAT_NAMED),
	[AWS_DELETE_OBJECT] = ROW("DeleteObject", "DELETE", "/{bucket}/{key}", "", "s3:DeleteObject", ON_OBJECT,
		.repeat = CALL_REPEAT_NAMED),
	[AWS_GET_BUCKET_ENCRYPTION] = ROW(
		"GetBucketEncryption", "GET", "/{bucket}", "encryption", "s3:GetEncryptionConfiguration", ABOUT_BUCKET),
	[AWS_GET_BUCKET_LOCATION] =
		ROW("GetBucketLocation", "GET", "/{bucket}", "location", "s3:GetBucketLocation", ABOUT_BUCKET),
	[AWS_GET_BUCKET_TAGGING] =
		ROW("GetBucketTagging", "GET", "/{bucket}", "tagging", "s3:GetBucketTagging", ON_BUCKET, .reads = true),
	[AWS_GET_BUCKET_VERSIONING] =
		ROW("GetBucketVersioning", "GET", "/{bucket}", "versioning", "s3:GetBucketVersioning", ABOUT_BUCKET),
	[AWS_GET_CALLER_IDENTITY] =
		ROW("GetCallerIdentity", "POST", "/", "", "", .part = CALL_PART_IDENTITY, .reads = true),
	[AWS_GET_OBJECT] = ROW("GetObject", "GET", "/{bucket}/{key}", "", "s3:GetObject", ON_OBJECT, .reads = true),
	[AWS_GET_PUBLIC_ACCESS_BLOCK] = ROW("GetPublicAccessBlock", "GET", "/{bucket}", "publicAccessBlock",
		"s3:GetBucketPublicAccessBlock", ABOUT_BUCKET),
	[AWS_HEAD_BUCKET] = ROW("HeadBucket", "HEAD", "/{bucket}", "", "s3:ListBucket", ON_BUCKET, .reads = true),
	[AWS_HEAD_OBJECT] = ROW("HeadObject", "HEAD", "/{bucket}/{key}", "", "s3:GetObject", ON_OBJECT, .reads = true),
	[AWS_LIST_BUCKETS] = ROW("ListBuckets", "GET", "/", "", "s3:ListAllMyBuckets", .scope = CALL_ON_ACCOUNT,
		.part = CALL_PART_IDENTITY, .reads = true),
	[AWS_LIST_MULTIPART_UPLOADS] = ROW("ListMultipartUploads", "GET", "/{bucket}", "uploads",
		"s3:ListBucketMultipartUploads", ON_BUCKET, .repeat = CALL_REPEAT_NAMED), // only by who writes
	[AWS_LIST_OBJECTS] =
		ROW("ListObjectsV2", "GET", "/{bucket}", "list-type=2", "s3:ListBucket", ON_BUCKET, .reads = true),
	[AWS_PUT_BUCKET_TAGGING] = ROW("PutBucketTagging", "PUT", "/{bucket}", "tagging", "s3:PutBucketTagging",
		ON_BUCKET, .repeat = CALL_REPEAT_NAMED),
	[AWS_PUT_OBJECT] = ROW(
		"PutObject", "PUT", "/{bucket}/{key}", "", "s3:PutObject", ON_OBJECT, .repeat = CALL_REPEAT_CONDITION),
	[AWS_UPLOAD_PART] = ROW("UploadPart", "PUT", "/{bucket}/{key}", "partNumber&uploadId", "s3:PutObject",
		ON_OBJECT, .repeat = CALL_REPEAT_NAMED),
};
const struct cloud_calls aws_call_table = {"aws", aws_calls, AWS_CALL_COUNT};

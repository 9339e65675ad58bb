// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of AWS: the object store. See calls.h.
#ifndef ISOBAR_CLOUD_AWS_CALLS_STORE_IMPL_H
#define ISOBAR_CLOUD_AWS_CALLS_STORE_IMPL_H

#define AWS_ON_BUCKET .scope = CALL_ON_BUCKET, .part = CALL_PART_STORE
#define AWS_ON_OBJECT .scope = CALL_ON_OBJECT, .part = CALL_PART_STORE

// clang-format off
#define AWS_STORE_ROWS(X) \
	X(ABORT_MULTIPART_UPLOAD, "AbortMultipartUpload", "DELETE", "/{bucket}/{key}", "uploadId", "s3:AbortMultipartUpload", AWS_ON_OBJECT, .repeat = CALL_REPEAT_NAMED) \
	X(COMPLETE_MULTIPART_UPLOAD, "CompleteMultipartUpload", "POST", "/{bucket}/{key}", "uploadId", "s3:PutObject", AWS_ON_OBJECT, .repeat = CALL_REPEAT_CONDITION) \
	X(CREATE_BUCKET, "CreateBucket", "PUT", "/{bucket}", "", "s3:CreateBucket", AWS_ON_BUCKET, .repeat = CALL_REPEAT_CONDITION) \
	X(CREATE_MULTIPART_UPLOAD, "CreateMultipartUpload", "POST", "/{bucket}/{key}", "uploads", "s3:PutObject", AWS_ON_OBJECT, .repeat = CALL_REPEAT_SPARE) \
	X(DELETE_BUCKET, "DeleteBucket", "DELETE", "/{bucket}", "", "s3:DeleteBucket", AWS_ON_BUCKET, .repeat = CALL_REPEAT_NAMED) \
	X(DELETE_OBJECT, "DeleteObject", "DELETE", "/{bucket}/{key}", "", "s3:DeleteObject", AWS_ON_OBJECT, .repeat = CALL_REPEAT_NAMED) \
	X(GET_BUCKET_TAGGING, "GetBucketTagging", "GET", "/{bucket}", "tagging", "s3:GetBucketTagging", AWS_ON_BUCKET, .reads = true) \
	X(GET_OBJECT, "GetObject", "GET", "/{bucket}/{key}", "", "s3:GetObject", AWS_ON_OBJECT, .reads = true) \
	X(HEAD_BUCKET, "HeadBucket", "HEAD", "/{bucket}", "", "s3:ListBucket", AWS_ON_BUCKET, .reads = true) \
	X(HEAD_OBJECT, "HeadObject", "HEAD", "/{bucket}/{key}", "", "s3:GetObject", AWS_ON_OBJECT, .reads = true) \
	X(LIST_MULTIPART_UPLOADS, "ListMultipartUploads", "GET", "/{bucket}", "uploads", "s3:ListBucketMultipartUploads", AWS_ON_BUCKET, .repeat = CALL_REPEAT_NAMED) \
	X(LIST_OBJECTS, "ListObjectsV2", "GET", "/{bucket}", "list-type=2", "s3:ListBucket", AWS_ON_BUCKET, .reads = true) \
	X(PUT_BUCKET_TAGGING, "PutBucketTagging", "PUT", "/{bucket}", "tagging", "s3:PutBucketTagging", AWS_ON_BUCKET, .repeat = CALL_REPEAT_NAMED) \
	X(PUT_OBJECT, "PutObject", "PUT", "/{bucket}/{key}", "", "s3:PutObject", AWS_ON_OBJECT, .repeat = CALL_REPEAT_CONDITION) \
	X(UPLOAD_PART, "UploadPart", "PUT", "/{bucket}/{key}", "partNumber&uploadId", "s3:PutObject", AWS_ON_OBJECT, .repeat = CALL_REPEAT_NAMED)
// clang-format on

#endif

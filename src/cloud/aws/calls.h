// SPDX-License-Identifier: Apache-2.0
// What the S3 driver calls: a row a request. Permissions are IAM actions. Sources: "Actions, resources, and condition
// keys for Amazon S3" (Service Authorization Reference), Amazon S3 API Reference, AWS STS API Reference
// (GetCallerIdentity asks for no permission).
#ifndef ISOBAR_CLOUD_AWS_CALLS_H
#define ISOBAR_CLOUD_AWS_CALLS_H

#include "cloud/calls.h"

enum aws_call {
	AWS_ABORT_MULTIPART_UPLOAD,
	AWS_COMPLETE_MULTIPART_UPLOAD,
	AWS_CREATE_BUCKET,
	AWS_CREATE_MULTIPART_UPLOAD,
	AWS_DELETE_BUCKET,
	AWS_DELETE_OBJECT,
	AWS_GET_BUCKET_ENCRYPTION,
	AWS_GET_BUCKET_LOCATION,
	AWS_GET_BUCKET_TAGGING,
	AWS_GET_BUCKET_VERSIONING,
	AWS_GET_CALLER_IDENTITY,
	AWS_GET_OBJECT,
	AWS_GET_PUBLIC_ACCESS_BLOCK,
	AWS_HEAD_BUCKET,
	AWS_HEAD_OBJECT,
	AWS_LIST_BUCKETS,
	AWS_LIST_MULTIPART_UPLOADS,
	AWS_LIST_OBJECTS,
	AWS_PUT_BUCKET_TAGGING,
	AWS_PUT_OBJECT,
	AWS_UPLOAD_PART,
	AWS_CALL_COUNT
};
extern const struct cloud_call aws_calls[AWS_CALL_COUNT];
extern const struct cloud_calls aws_call_table;

#endif

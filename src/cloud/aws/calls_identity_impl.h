// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of AWS: who we are, and what is there already. See calls.h.
#ifndef ISOBAR_CLOUD_AWS_CALLS_IDENTITY_IMPL_H
#define ISOBAR_CLOUD_AWS_CALLS_IDENTITY_IMPL_H

// clang-format off
#define AWS_IDENTITY_ROWS(X) \
	X(ASSUME_ROLE, "AssumeRole", "POST", "/", "", "sts:AssumeRole", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .repeat = CALL_REPEAT_SPARE, .api = AWS_API_STS, .target = "AssumeRole") \
	X(ASSUME_ROLE_WITH_WEB_IDENTITY, "AssumeRoleWithWebIdentity", "POST", "/", "", "", .part = CALL_PART_IDENTITY, .repeat = CALL_REPEAT_SPARE, .api = AWS_API_STS, .target = "AssumeRoleWithWebIdentity") \
	X(GET_BUCKET_ENCRYPTION, "GetBucketEncryption", "GET", "/{bucket}", "encryption", "s3:GetEncryptionConfiguration", .scope = CALL_ON_BUCKET, .part = CALL_PART_IDENTITY, .reads = true) \
	X(GET_BUCKET_LOCATION, "GetBucketLocation", "GET", "/{bucket}", "location", "s3:GetBucketLocation", .scope = CALL_ON_BUCKET, .part = CALL_PART_IDENTITY, .reads = true) \
	X(GET_BUCKET_VERSIONING, "GetBucketVersioning", "GET", "/{bucket}", "versioning", "s3:GetBucketVersioning", .scope = CALL_ON_BUCKET, .part = CALL_PART_IDENTITY, .reads = true) \
	X(GET_CALLER_IDENTITY, "GetCallerIdentity", "POST", "/", "", "", .part = CALL_PART_IDENTITY, .reads = true, .api = AWS_API_STS, .target = "GetCallerIdentity") \
	X(GET_PUBLIC_ACCESS_BLOCK, "GetPublicAccessBlock", "GET", "/{bucket}", "publicAccessBlock", "s3:GetBucketPublicAccessBlock", .scope = CALL_ON_BUCKET, .part = CALL_PART_IDENTITY, .reads = true) \
	X(LIST_BUCKETS, "ListBuckets", "GET", "/", "", "s3:ListAllMyBuckets", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_IDENTITY, .reads = true)
// clang-format on

#endif

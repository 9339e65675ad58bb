// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Google Cloud: who we are, and what is there already. See calls.h.
#ifndef ISOBAR_CLOUD_GCP_CALLS_IDENTITY_IMPL_H
#define ISOBAR_CLOUD_GCP_CALLS_IDENTITY_IMPL_H

// clang-format off
#define GCP_IDENTITY_ROWS(X) \
	X(BUCKETS_LIST, "storage.buckets.list", "GET", "/storage/v1/b", "project", "storage.buckets.list", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_IDENTITY, .reads = true) \
	X(BUCKETS_TEST_PERMISSIONS, "storage.buckets.testIamPermissions", "GET", "/storage/v1/b/{bucket}/iam/testPermissions", "permissions", "", .part = CALL_PART_IDENTITY, .reads = true) \
	X(TOKENINFO, "oauth2.tokeninfo", "POST", "/tokeninfo", "", "", .part = CALL_PART_IDENTITY, .reads = true, .api = GCP_API_OAUTH)
// clang-format on

#endif

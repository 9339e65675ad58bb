// SPDX-License-Identifier: Apache-2.0
// What the Cloud Storage driver calls: a row a request. Sources: "Cloud Storage JSON API" and "IAM permissions for JSON
// methods" (Cloud Storage), "Using OAuth 2.0 for Server to Server Applications". Replacing an object that is there asks
// for storage.objects.delete, too. Beside these, the token endpoint of the credentials is asked for access tokens.
#ifndef ISOBAR_CLOUD_GCP_CALLS_H
#define ISOBAR_CLOUD_GCP_CALLS_H

#include "cloud/calls.h"

enum gcp_call {
	GCP_BUCKETS_DELETE,
	GCP_BUCKETS_GET,
	GCP_BUCKETS_INSERT,
	GCP_BUCKETS_LIST,
	GCP_BUCKETS_PATCH,
	GCP_BUCKETS_TEST_PERMISSIONS,
	GCP_OBJECTS_DELETE,
	GCP_OBJECTS_GET,
	GCP_OBJECTS_INSERT,
	GCP_OBJECTS_INSERT_RESUMABLE,
	GCP_OBJECTS_LIST,
	GCP_TOKENINFO,
	GCP_UPLOAD_CANCEL,
	GCP_UPLOAD_CHUNK,
	GCP_CALL_COUNT
};
extern const struct cloud_call gcp_calls[GCP_CALL_COUNT];
extern const struct cloud_calls gcp_call_table;

#endif

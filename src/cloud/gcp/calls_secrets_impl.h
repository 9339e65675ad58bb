// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Google Cloud: secrets. See calls.h.
#ifndef ISOBAR_CLOUD_GCP_CALLS_SECRETS_IMPL_H
#define ISOBAR_CLOUD_GCP_CALLS_SECRETS_IMPL_H

// clang-format off
#define GCP_SECRET_ROWS(X) \
	X(SECRET_CREATE, "secretmanager.secrets.create", "POST", "/v1/projects/{project}/secrets", "secretId", "secretmanager.secrets.create", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = GCP_API_SECRETS, .repeat = CALL_REPEAT_CONDITION, .price = "secret.version") \
	X(SECRET_GET, "secretmanager.secrets.get", "GET", "/v1/projects/{project}/secrets/{secret}", "", "secretmanager.secrets.get", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = GCP_API_SECRETS, .reads = true) \
	X(SECRET_DELETE, "secretmanager.secrets.delete", "DELETE", "/v1/projects/{project}/secrets/{secret}", "", "secretmanager.secrets.delete", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = GCP_API_SECRETS, .repeat = CALL_REPEAT_NAMED) \
	X(SECRET_LIST, "secretmanager.secrets.list", "GET", "/v1/projects/{project}/secrets", "", "secretmanager.secrets.list", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = GCP_API_SECRETS, .reads = true) \
	X(SECRET_ADD_VERSION, "secretmanager.secrets.addVersion", "POST", "/v1/projects/{project}/secrets/{secret}:addVersion", "", "secretmanager.versions.add", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = GCP_API_SECRETS, .repeat = CALL_REPEAT_LOOKS, .price = "secret.version") \
	X(SECRET_ACCESS, "secretmanager.versions.access", "GET", "/v1/projects/{project}/secrets/{secret}/versions/{version}:access", "", "secretmanager.versions.access", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = GCP_API_SECRETS, .reads = true, .price = "secret.access") \
	X(SECRET_VERSIONS, "secretmanager.versions.list", "GET", "/v1/projects/{project}/secrets/{secret}/versions", "", "secretmanager.versions.list", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = GCP_API_SECRETS, .reads = true) \
	X(SECRET_DISABLE, "secretmanager.versions.disable", "POST", "/v1/projects/{project}/secrets/{secret}/versions/{version}:disable", "", "secretmanager.versions.disable", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = GCP_API_SECRETS, .repeat = CALL_REPEAT_NAMED)
// clang-format on

#endif

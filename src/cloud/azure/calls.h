// SPDX-License-Identifier: Apache-2.0
// What the driver of Azure calls: a row a request, X(NAME, operation, method, path, query, permissions, members...),
// in a header for each part of a cloud. A row with an api of its own goes to that API's host and is signed for it
// (azure/services.h). Sources: "Azure permissions" (Azure role-based access control), and the REST reference of each API.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_H
#define ISOBAR_CLOUD_AZURE_CALLS_H

#include "cloud/calls.h"
#include "cloud/azure/calls_endpoints_impl.h"
#include "cloud/azure/calls_identity_impl.h"
#include "cloud/azure/calls_jobs_impl.h"
#include "cloud/azure/calls_keys_impl.h"
#include "cloud/azure/calls_logs_impl.h"
#include "cloud/azure/calls_resources_impl.h"
#include "cloud/azure/calls_secrets_impl.h"
#include "cloud/azure/calls_store_impl.h"

enum azure_api {
	AZURE_API_STORE, // Blob Storage
	AZURE_API_ENTRA, // the token endpoint
	AZURE_API_ARM, // management.azure.com: jobs, endpoints, roles, everything that is managed
	AZURE_API_VAULT, // Key Vault: keys and secrets
	AZURE_API_LOGS, // Log Analytics
	AZURE_API_REGISTRY,
	AZURE_API_COUNT
};

#define AZURE_ROWS(X) \
	AZURE_STORE_ROWS(X) \
	AZURE_IDENTITY_ROWS(X) \
	AZURE_JOB_ROWS(X) \
	AZURE_ENDPOINT_ROWS(X) \
	AZURE_KEY_ROWS(X) \
	AZURE_SECRET_ROWS(X) \
	AZURE_RESOURCE_ROWS(X) \
	AZURE_LOG_ROWS(X)

enum azure_call {
#define X(name, ...) AZURE_##name,
	AZURE_ROWS(X)
#undef X
		AZURE_CALL_COUNT
};
extern const struct cloud_call azure_calls[AZURE_CALL_COUNT];
extern const struct cloud_calls azure_call_table;

#endif

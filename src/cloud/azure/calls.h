// SPDX-License-Identifier: Apache-2.0
// What the Blob driver calls: a row a request. Permissions are those of Azure roles; a role lists the ones below
// containers/blobs/ as data actions, the others as actions. Sources: "Blob Storage REST API" and "Authorize with
// Microsoft Entra ID: permissions for calling data operations" (Azure Storage). With Shared Key, as this release signs,
// the account's key may do all of it.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_H
#define ISOBAR_CLOUD_AZURE_CALLS_H

#include "cloud/calls.h"

enum azure_call {
	AZURE_CREATE_CONTAINER,
	AZURE_DELETE_BLOB,
	AZURE_DELETE_CONTAINER,
	AZURE_GET_ACCOUNT_INFORMATION,
	AZURE_GET_BLOB,
	AZURE_GET_BLOB_PROPERTIES,
	AZURE_GET_CONTAINER_PROPERTIES,
	AZURE_LIST_BLOBS,
	AZURE_LIST_CONTAINERS,
	AZURE_PUT_BLOB,
	AZURE_PUT_BLOCK,
	AZURE_PUT_BLOCK_LIST,
	AZURE_SET_CONTAINER_METADATA,
	AZURE_CALL_COUNT
};
extern const struct cloud_call azure_calls[AZURE_CALL_COUNT];
extern const struct cloud_calls azure_call_table;

#endif

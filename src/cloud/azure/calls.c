// SPDX-License-Identifier: Apache-2.0
// The Blob driver's table of calls: see calls.h.
#include "cloud/azure/calls.h"

#define ROW(operation_, method_, path_, query_, permissions_, ...)                                                     \
	{                                                                                                              \
		.operation = operation_, .method = method_, .path = path_, .query = query_,                            \
		.permissions = permissions_, __VA_ARGS__                                                               \
	}
#define ON_CONTAINER .scope = CALL_ON_BUCKET, .part = CALL_PART_STORE
#define ON_BLOB .scope = CALL_ON_OBJECT, .part = CALL_PART_STORE
#define ON_ACCOUNT .scope = CALL_ON_ACCOUNT, .part = CALL_PART_IDENTITY, .reads = true
#define SERVICE "Microsoft.Storage/storageAccounts/blobServices/"

const struct cloud_call azure_calls[AZURE_CALL_COUNT] = {
	[AZURE_CREATE_CONTAINER] = ROW("Create Container", "PUT", "/{bucket}", "restype=container",
		SERVICE "containers/write", ON_CONTAINER, .repeat = CALL_REPEAT_CONDITION),
	[AZURE_DELETE_BLOB] = ROW("Delete Blob", "DELETE", "/{bucket}/{key}", "", SERVICE "containers/blobs/delete",
		ON_BLOB, .repeat = CALL_REPEAT_NAMED),
	[AZURE_DELETE_CONTAINER] = ROW("Delete Container", "DELETE", "/{bucket}", "restype=container",
		SERVICE "containers/delete", ON_CONTAINER, .repeat = CALL_REPEAT_NAMED),
	[AZURE_GET_ACCOUNT_INFORMATION] = ROW("Get Account Information", "GET", "/", "restype=account&comp=properties",
		SERVICE "getInfo/action", ON_ACCOUNT),
	[AZURE_GET_BLOB] =
		ROW("Get Blob", "GET", "/{bucket}/{key}", "", SERVICE "containers/blobs/read", ON_BLOB, .reads = true),
	[AZURE_GET_BLOB_PROPERTIES] = ROW("Get Blob Properties", "HEAD", "/{bucket}/{key}", "",
		SERVICE "containers/blobs/read", ON_BLOB, .reads = true),
	[AZURE_GET_CONTAINER_PROPERTIES] = ROW("Get Container Properties", "HEAD", "/{bucket}", "restype=container",
		SERVICE "containers/read", ON_CONTAINER, .reads = true),
	[AZURE_LIST_BLOBS] = ROW("List Blobs", "GET", "/{bucket}", "restype=container&comp=list",
		SERVICE "containers/blobs/read", ON_CONTAINER, .reads = true),
	[AZURE_LIST_CONTAINERS] =
		ROW("List Containers", "GET", "/", "comp=list", SERVICE "containers/read", ON_ACCOUNT),
	[AZURE_PUT_BLOB] = ROW("Put Blob", "PUT", "/{bucket}/{key}", "", SERVICE "containers/blobs/write", ON_BLOB,
		.repeat = CALL_REPEAT_CONDITION),
	[AZURE_PUT_BLOCK] = ROW("Put Block", "PUT", "/{bucket}/{key}", "comp=block&blockid",
		SERVICE "containers/blobs/write", ON_BLOB, .repeat = CALL_REPEAT_NAMED),
	[AZURE_PUT_BLOCK_LIST] = ROW("Put Block List", "PUT", "/{bucket}/{key}", "comp=blocklist",
		SERVICE "containers/blobs/write", ON_BLOB, .repeat = CALL_REPEAT_CONDITION),
	[AZURE_SET_CONTAINER_METADATA] = ROW("Set Container Metadata", "PUT", "/{bucket}",
		"restype=container&comp=metadata", SERVICE "containers/write", ON_CONTAINER,
		.repeat = CALL_REPEAT_NAMED),
};
const struct cloud_calls azure_call_table = {"azure", azure_calls, AZURE_CALL_COUNT};

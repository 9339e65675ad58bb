// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: the object store. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_STORE_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_STORE_IMPL_H

#define AZURE_ON_BUCKET .scope = CALL_ON_BUCKET, .part = CALL_PART_STORE
#define AZURE_ON_OBJECT .scope = CALL_ON_OBJECT, .part = CALL_PART_STORE

// clang-format off
#define AZURE_STORE_ROWS(X) \
	X(CREATE_CONTAINER, "Create Container", "PUT", "/{bucket}", "restype=container", "Microsoft.Storage/storageAccounts/blobServices/containers/write", AZURE_ON_BUCKET, .repeat = CALL_REPEAT_CONDITION) \
	X(DELETE_BLOB, "Delete Blob", "DELETE", "/{bucket}/{key}", "", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete", AZURE_ON_OBJECT, .repeat = CALL_REPEAT_NAMED) \
	X(DELETE_CONTAINER, "Delete Container", "DELETE", "/{bucket}", "restype=container", "Microsoft.Storage/storageAccounts/blobServices/containers/delete", AZURE_ON_BUCKET, .repeat = CALL_REPEAT_NAMED) \
	X(GET_BLOB, "Get Blob", "GET", "/{bucket}/{key}", "", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", AZURE_ON_OBJECT, .reads = true) \
	X(GET_BLOB_PROPERTIES, "Get Blob Properties", "HEAD", "/{bucket}/{key}", "", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", AZURE_ON_OBJECT, .reads = true) \
	X(GET_CONTAINER_PROPERTIES, "Get Container Properties", "HEAD", "/{bucket}", "restype=container", "Microsoft.Storage/storageAccounts/blobServices/containers/read", AZURE_ON_BUCKET, .reads = true) \
	X(LIST_BLOBS, "List Blobs", "GET", "/{bucket}", "restype=container&comp=list", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", AZURE_ON_BUCKET, .reads = true) \
	X(PUT_BLOB, "Put Blob", "PUT", "/{bucket}/{key}", "", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write", AZURE_ON_OBJECT, .repeat = CALL_REPEAT_CONDITION) \
	X(PUT_BLOCK, "Put Block", "PUT", "/{bucket}/{key}", "comp=block&blockid", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write", AZURE_ON_OBJECT, .repeat = CALL_REPEAT_NAMED) \
	X(PUT_BLOCK_LIST, "Put Block List", "PUT", "/{bucket}/{key}", "comp=blocklist", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write", AZURE_ON_OBJECT, .repeat = CALL_REPEAT_CONDITION) \
	X(SET_CONTAINER_METADATA, "Set Container Metadata", "PUT", "/{bucket}", "restype=container&comp=metadata", "Microsoft.Storage/storageAccounts/blobServices/containers/write", AZURE_ON_BUCKET, .repeat = CALL_REPEAT_NAMED)
// clang-format on

#endif

// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: who we are, and what is there already. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_IDENTITY_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_IDENTITY_IMPL_H

// clang-format off
#define AZURE_IDENTITY_ROWS(X) \
	X(GET_ACCOUNT_INFORMATION, "Get Account Information", "GET", "/", "restype=account&comp=properties", "Microsoft.Storage/storageAccounts/blobServices/getInfo/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_IDENTITY, .reads = true) \
	X(LIST_CONTAINERS, "List Containers", "GET", "/", "comp=list", "Microsoft.Storage/storageAccounts/blobServices/containers/read", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_IDENTITY, .reads = true)
// clang-format on

#endif

// SPDX-License-Identifier: Apache-2.0
// The table of calls of the driver of Azure: see calls.h.
#include "cloud/azure/calls.h"

const struct cloud_call azure_calls[AZURE_CALL_COUNT] = {
#define X(name_, operation_, method_, path_, query_, permissions_, ...)                                                \
	[AZURE_##name_] = {.operation = operation_,                                                                       \
		.method = method_,                                                                                     \
		.path = path_,                                                                                         \
		.query = query_,                                                                                       \
		.permissions = permissions_,                                                                           \
		__VA_ARGS__},
	AZURE_ROWS(X)
#undef X
};
const struct cloud_calls azure_call_table = {"azure", azure_calls, AZURE_CALL_COUNT};

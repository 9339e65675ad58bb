// SPDX-License-Identifier: Apache-2.0
// The table of calls of the driver of Google Cloud: see calls.h.
#include "cloud/gcp/calls.h"

const struct cloud_call gcp_calls[GCP_CALL_COUNT] = {
#define X(name_, operation_, method_, path_, query_, permissions_, ...)                                                \
	[GCP_##name_] = {.operation = operation_,                                                                       \
		.method = method_,                                                                                     \
		.path = path_,                                                                                         \
		.query = query_,                                                                                       \
		.permissions = permissions_,                                                                           \
		__VA_ARGS__},
	GCP_ROWS(X)
#undef X
};
const struct cloud_calls gcp_call_table = {"gcp", gcp_calls, GCP_CALL_COUNT};

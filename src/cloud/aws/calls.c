// SPDX-License-Identifier: Apache-2.0
// The table of calls of the driver of AWS: see calls.h.
#include "cloud/aws/calls.h"

const struct cloud_call aws_calls[AWS_CALL_COUNT] = {
#define X(name_, operation_, method_, path_, query_, permissions_, ...)                                                \
	[AWS_##name_] = {.operation = operation_,                                                                       \
		.method = method_,                                                                                     \
		.path = path_,                                                                                         \
		.query = query_,                                                                                       \
		.permissions = permissions_,                                                                           \
		__VA_ARGS__},
	AWS_ROWS(X)
#undef X
};
const struct cloud_calls aws_call_table = {"aws", aws_calls, AWS_CALL_COUNT};

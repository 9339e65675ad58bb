// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of AWS: logs. See calls.h.
#ifndef ISOBAR_CLOUD_AWS_CALLS_LOGS_IMPL_H
#define ISOBAR_CLOUD_AWS_CALLS_LOGS_IMPL_H

// clang-format off
#define AWS_LOG_ROWS(X)
// clang-format on

#endif

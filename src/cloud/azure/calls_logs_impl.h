// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: logs. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_LOGS_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_LOGS_IMPL_H

// clang-format off
#define AZURE_LOG_ROWS(X)
// clang-format on

#endif

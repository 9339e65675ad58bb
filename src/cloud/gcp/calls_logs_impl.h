// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Google Cloud: logs. See calls.h.
#ifndef ISOBAR_CLOUD_GCP_CALLS_LOGS_IMPL_H
#define ISOBAR_CLOUD_GCP_CALLS_LOGS_IMPL_H

// clang-format off
#define GCP_LOG_ROWS(X) \
	X(LOG_ENTRIES_LIST, "logging.entries.list", "POST", "/v2/entries:list", "", "logging.logEntries.list", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_LOGS, .reads = true, .api = GCP_API_LOGGING)
// clang-format on

#endif

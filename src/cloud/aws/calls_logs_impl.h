// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of AWS: logs. See calls.h.
#ifndef ISOBAR_CLOUD_AWS_CALLS_LOGS_IMPL_H
#define ISOBAR_CLOUD_AWS_CALLS_LOGS_IMPL_H

// clang-format off
#define AWS_LOG_ROWS(X) \
	X(DESCRIBE_LOG_STREAMS, "DescribeLogStreams", "POST", "/", "", "logs:DescribeLogStreams", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_LOGS, .api = AWS_API_LOGS, .target = "Logs_20140328.DescribeLogStreams", .reads = true) \
	X(GET_LOG_EVENTS, "GetLogEvents", "POST", "/", "", "logs:GetLogEvents", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_LOGS, .api = AWS_API_LOGS, .target = "Logs_20140328.GetLogEvents", .reads = true)
// clang-format on

#endif

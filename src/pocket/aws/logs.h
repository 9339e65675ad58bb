// SPDX-License-Identifier: Apache-2.0
// CloudWatch Logs of a pocket: groups and streams over what the engine keeps of its jobs' output. Read only for
// clients: DescribeLogGroups, DescribeLogStreams, GetLogEvents, FilterLogEvents. Other services announce the streams of
// what they run. Source: Amazon CloudWatch Logs API Reference. Loop thread only.
#ifndef ISOBAR_POCKET_AWS_LOGS_H
#define ISOBAR_POCKET_AWS_LOGS_H

#include "pocket/aws/api.h"

extern const struct pocket_service aws_logs_service;

struct aws_log_stream {
	struct str region, group, stream;
	struct str engine_id; // whose output it shows
	int64_t created_ns;
};
MUST_CHECK int aws_logs_announce(struct pocket *p, const struct aws_log_stream *s, struct err *e);
// All streams of a group that begin so: "JOB/".
MUST_CHECK int aws_logs_forget(struct pocket *p, struct str region, struct str group, struct str prefix, struct err *e);

#endif

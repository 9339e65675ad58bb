// SPDX-License-Identifier: Apache-2.0
// Private to the pocket's CloudWatch Logs: what there is (logs.c), and what it says (log_events.c).
#ifndef ISOBAR_POCKET_AWS_LOGS_IMPL_H
#define ISOBAR_POCKET_AWS_LOGS_IMPL_H

#include "pocket/aws/logs.h"

enum { LOGS_PAGE = 50, LOGS_MAX_STREAMS = 200, LOGS_MAX_EVENTS = 10000, LOGS_PIECE = 256 << 10 };

struct log_span { // of a stream's events; 0: it has none
	int64_t first_ms, last_ms;
};
struct log_span aws_logs_span(struct front_request *r, struct str engine_id);

struct str aws_logs_group(const struct front_request *r, const json_t *in); // by name or ARN
MUST_CHECK int aws_logs_need_group(struct front_request *r, struct str group);
const json_t *aws_logs_find_stream(struct front_request *r, struct str group, struct str stream);
// Room for LOGS_MAX_STREAMS rows.
MUST_CHECK int aws_logs_streams_of(
	struct front_request *r, struct str group, struct str prefix, struct docs_row *rows, size_t *count);

int aws_logs_describe_groups(struct front_request *r, const json_t *in, json_t **out);
int aws_logs_describe_streams(struct front_request *r, const json_t *in, json_t **out);
int aws_logs_get_events(struct front_request *r, const json_t *in, json_t **out);
int aws_logs_filter_events(struct front_request *r, const json_t *in, json_t **out);

#endif

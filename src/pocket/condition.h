// SPDX-License-Identifier: Apache-2.0
// Conditions of a request on the current version of an object: those of HTTP (RFC 9110 13) and Cloud Storage's on
// generations. Pure. The store is single-threaded, so a condition that holds and a change made in the same turn are one
// atomic step.
#ifndef ISOBAR_POCKET_CONDITION_H
#define ISOBAR_POCKET_CONDITION_H

#include "net/http.h"
#include "pocket/store/record.h"

struct condition_number {
	bool set;
	int64_t value;
};
struct condition {
	struct str if_match, if_none_match; // lists of etags or "*"; empty: not set
	bool has_modified_since, has_unmodified_since;
	int64_t modified_since_ns, unmodified_since_ns;
	struct condition_number generation_match, generation_not_match; // 0: the object must not (must) exist
	struct condition_number metageneration_match, metageneration_not_match;
};

enum condition_result {
	CONDITION_HOLDS,
	CONDITION_ABSENT,       // If-Match on an object that is not there
	CONDITION_EXISTS,       // If-None-Match: * on one that is
	CONDITION_FAILED,       // another version than wanted, or modified since
	CONDITION_NOT_MODIFIED, // the version that the client has already: 304 to GET and HEAD, else as FAILED
};

// Reads if-match, if-none-match, if-modified-since, if-unmodified-since; `prefix` before each name
// ("x-amz-copy-source-"). Dates that cannot be read are ignored, as RFC 9110 wants.
void condition_read(const struct http_headers *h, const char *prefix, struct condition *out);
// current: the version that is there, or NULL.
enum condition_result condition_check(const struct condition *c, const struct record *current);

#endif

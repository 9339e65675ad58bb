// SPDX-License-Identifier: Apache-2.0
// One byte range of a Range header (RFC 9110 14.2). Pure.
#ifndef ISOBAR_NET_RANGE_H
#define ISOBAR_NET_RANGE_H

#include <stdint.h>

#include "base/str.h"

enum range_result {
	RANGE_WHOLE,         // no range, another unit, several ranges, or not understood: answer 200 with everything
	RANGE_PART,          // answer 206 with [first, last]
	RANGE_UNSATISFIABLE, // answer 416
};
struct range {
	uint64_t first, last; // inclusive
};
// "bytes=0-99", "bytes=100-", "bytes=-500" against a representation of size bytes.
enum range_result range_parse(struct str header, uint64_t size, struct range *out);

#endif

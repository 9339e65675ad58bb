// SPDX-License-Identifier: Apache-2.0
// One byte range: see range.h.
#include "net/range.h"

static enum range_result suffix(struct str digits, uint64_t size, struct range *out)
{
	uint64_t count;
	if (str_to_u64(digits, &count))
		return RANGE_WHOLE;
	if (count == 0 || size == 0)
		return RANGE_UNSATISFIABLE;
	out->first = count < size ? size - count : 0;
	out->last = size - 1;
	return RANGE_PART;
}

enum range_result range_parse(struct str header, uint64_t size, struct range *out)
{
	struct str first, last;
	uint64_t from, to = UINT64_MAX;
	if (!str_eq_nocase(str_take(header, 6), S("bytes=")))
		return RANGE_WHOLE;
	if (!str_cut(str_drop(header, 6), '-', &first, &last))
		return RANGE_WHOLE;
	if (first.n == 0)
		return suffix(last, size, out);
	if (str_to_u64(first, &from) || (last.n && str_to_u64(last, &to)) || from > to)
		return RANGE_WHOLE;
	if (from >= size)
		return RANGE_UNSATISFIABLE;
	out->first = from;
	out->last = to < size ? to : size - 1;
	return RANGE_PART;
}

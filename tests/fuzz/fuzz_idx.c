// SPDX-License-Identifier: Apache-2.0
// idx, plain and inside gzip: what is read is written again as the same bytes, and nothing unpacks past its limit.
#include <string.h>

#include "fuzz.h"
#include "math/idx.h"

enum { LIMIT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf) plain = {0};
	AUTO(buf) again = {0};
	struct idx i = {0};
	struct err e = {0};
	struct str bytes = str_bytes(data, size);
	if (size > 2 && data[0] == 0x1f && data[1] == 0x8b) {
		int rc = gzip_unpack(bytes, LIMIT, &plain, &e);
		FUZZ_CHECK(plain.n <= LIMIT && (rc == 0 || (plain.n == 0 && e.message[0])));
		bytes = buf_str(&plain);
	}
	if (idx_parse(bytes, &i, &e) < 0) {
		FUZZ_CHECK(e.code && e.message[0] && i.data == NULL);
		return 0;
	}
	FUZZ_CHECK(i.record_size == (size_t)i.rows * i.columns);
	idx_write(&i, &again);
	FUZZ_CHECK(str_eq(buf_str(&again), bytes));
	return 0;
}

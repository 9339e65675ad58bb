// SPDX-License-Identifier: Apache-2.0
// The footer of a Parquet file: a number of rows that is none below zero, or an error that says something.
#include "data/parquet.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct str file = str_bytes(data, size);
	int64_t rows = -1;
	uint32_t footer = 0;
	int rc = parquet_rows(file, &rows, &e);
	FUZZ_CHECK(rc == 0 ? rows >= 0 : rows == -1 && rc == ERR_CORRUPT && e.message[0]);
	if (size < PARQUET_TAIL)
		return 0;
	rc = parquet_footer_size(str_drop(file, size - PARQUET_TAIL), &footer, &e);
	FUZZ_CHECK(rc == 0 ? footer <= PARQUET_FOOTER_MAX : footer == 0 && e.message[0]);
	if (rc == 0 && footer <= size - PARQUET_TAIL)
		(void)!parquet_rows(str_take(str_drop(file, size - PARQUET_TAIL - footer), footer), &rows, &e);
	return 0;
}

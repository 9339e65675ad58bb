// SPDX-License-Identifier: Apache-2.0
// Our Parquet writer and reader of footers behind a command line, for test_parquet_pyarrow.sh.
//     parquet-driver write OUT ROWS     synthetic records with a column of each type
//     parquet-driver rows FILE          how many rows the footer says
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/synthetic.h"

static const struct parquet_column columns[] = {{S_INIT("order_id"), PARQUET_TEXT}, {S_INIT("raw"), PARQUET_BYTES},
	{S_INIT("amount"), PARQUET_DECIMAL}, {S_INIT("returned"), PARQUET_BOOLEAN}, {S_INIT("at"), PARQUET_TIMESTAMP},
	{S_INIT("on"), PARQUET_DATE}, {S_INIT("n"), PARQUET_INTEGER}, {S_INIT("x"), PARQUET_NUMBER}};

static int write_file(const char *path, const char *rows, struct err *e)
{
	AUTO(arena) a = {0};
	AUTO(buf) file = {0};
	uint64_t count = 0;
	struct synthetic s = {.seed = S("interop"), .columns = columns, .column_count = COUNT_OF(columns)};
	if (str_to_u64(str_of(rows), &count) < 0)
		return err_set(e, ERR_INVALID, "%s is no number of rows", rows);
	s.row_count = (size_t)count;
	int rc = synthetic_file(&a, &s, S("parquet"), &file, e);
	return rc < 0 ? rc : file_write_atomic(path, buf_str(&file), 0644, e);
}

static int tell_rows(const char *path, struct err *e)
{
	AUTO(buf) file = {0};
	uint32_t size = 0;
	int64_t rows = 0;
	int rc = file_read(path, 64 << 20, &file, e);
	struct str all = buf_str(&file);
	if (rc == 0)
		rc = parquet_footer_size(str_drop(all, all.n < PARQUET_TAIL ? 0 : all.n - PARQUET_TAIL), &size, e);
	if (rc == 0 && size + (size_t)PARQUET_TAIL > all.n)
		rc = err_set(e, ERR_CORRUPT, "%s is shorter than its footer", path);
	if (rc == 0)
		rc = parquet_rows(str_take(str_drop(all, all.n - PARQUET_TAIL - size), size), &rows, e);
	if (rc == 0)
		printf("%lld\n", (long long)rows);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	int rc = ERR_INVALID;
	if (argc == 4 && strcmp(argv[1], "write") == 0)
		rc = write_file(argv[2], argv[3], &e);
	else if (argc == 3 && strcmp(argv[1], "rows") == 0)
		rc = tell_rows(argv[2], &e);
	else
		fprintf(stderr, "usage: parquet-driver write OUT ROWS | rows FILE\n");
	if (rc < 0 && e.message[0])
		fprintf(stderr, "parquet-driver: %s\n", e.message);
	return rc < 0;
}

// SPDX-License-Identifier: Apache-2.0
// A dataset whose records are files as they are (parquet, jsonl, csv): its source, a folder or a place in a bucket
// ("bucket/raw/returns/", "bucket/raw/returns/ on aws-eu"), listed, each file hashed and its records counted. What was
// hashed before and has the same size and version is not read again: record "files/ADDRESS" {files: {NAME: {etag, size,
// sha256, crc32c, records}}}. Results live in the arena of c.
#ifndef ISOBAR_DATA_FILES_SOURCE_H
#define ISOBAR_DATA_FILES_SOURCE_H

#include "data/copy.h"
#include "data/ingest.h"

enum { FILES_MAX = 10000 }; // of one dataset: its records in state stay below the limit of a value

struct source_file {
	struct str name; // below the source: "2026/part-0.parquet"
	struct str etag; // version at the store; of a file: its size and time of change
	uint64_t size;
	struct str sha256; // hex; "" before files_source_scan
	uint32_t crc32c;
	int64_t records;
};
struct files_source {
	struct str address; // "dataset/returns"
	struct str format;
	const struct cloud *cloud; // NULL: a folder of this machine
	struct str bucket, prefix; // physical; prefix ends in '/' or is ""
	const char *folder;
	struct source_file *files; // in order of name
	size_t count;
	int64_t listed_ns;      // wall clock, before the listing: copies are up to date as of then
	struct str fingerprint; // 64 hex digits of names, sizes and versions
};
bool files_format(struct str format); // parquet, jsonl, csv
// "bucket/raw/returns/ on aws-eu" -> raw, "returns/", aws-eu. false when it names no bucket.
bool files_source_parse(struct str source, struct str *bucket, struct str *prefix, struct str *cloud);
// Finds and lists it. ERR_NOT_FOUND when nothing lies there, ERR_LIMIT past FILES_MAX, ERR_INVALID when the bucket lies
// on several clouds.
MUST_CHECK int files_source_open(
	struct call *c, const struct ingest *in, const struct dataset *d, struct files_source *out);
MUST_CHECK int files_source_scan(struct call *c, const struct ingest *in, struct files_source *s);
// One file to an object, proven there. ERR_CONFLICT when it is not what was scanned.
MUST_CHECK int files_source_send(
	struct call *c, const struct files_source *s, const struct source_file *file, const struct copy *to);

#endif

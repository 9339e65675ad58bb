// SPDX-License-Identifier: Apache-2.0
// The manifest of a part: manifest.json beside its files,
//     {"dataset", "run", "source", "files": [{"name", "size", "sha256", "records"}], "partition": {"by", "clouds",
//     "index"}}
// Whoever reads the part proves its files with it; so checksums reach from the source's reader to the last reader.
#ifndef ISOBAR_DATA_MANIFEST_H
#define ISOBAR_DATA_MANIFEST_H

#include "base/json.h"
#include "data/digest_file.h"

#define MANIFEST_FILE "manifest.json"
enum { MANIFEST_MAX_FILES = 1000 };

struct manifest_file {
	struct str name, sha256; // sha256: hex
	uint64_t size, records;
};
struct manifest {
	struct str dataset, run, source;
	struct manifest_file *files;
	size_t file_count;
	struct str by;      // "hash of record"; "": one whole part
	struct str *clouds; // of the partition, in its order
	size_t cloud_count;
	size_t index; // of this part
};
json_t *manifest_to_json(const struct manifest *m);                                                     // new reference
MUST_CHECK int manifest_of_json(struct arena *a, const json_t *j, struct manifest *out, struct err *e); // ERR_CORRUPT
MUST_CHECK int manifest_read(
	struct arena *a, const char *folder, struct manifest *out, struct err *e); // folder/manifest.json
// The same, and proves all files that it names. Each that is missing or differs is ERR_CORRUPT.
MUST_CHECK int manifest_verify(struct arena *a, const char *folder, struct manifest *out, struct err *e);

#endif

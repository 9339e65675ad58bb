// SPDX-License-Identifier: Apache-2.0
// What the object store knows about one version of an object (or one piece of an upload), and how it stands on disk: a
// file is DATA, then the record as JSON, then a footer of 24 bytes; so bytes and description change together, by one
// rename. A record is borrowed text wherever it lies; record_clone packs it into one owned block. Pure but for the two
// that take a descriptor. Errors: ERR_CORRUPT for a file that is no whole record, ERR_LIMIT, ERR_IO, ERR_NO_SPACE,
// ERR_NO_MEMORY.
#ifndef ISOBAR_POCKET_STORE_RECORD_H
#define ISOBAR_POCKET_STORE_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "pocket/store/hasher.h"

struct pair {
	struct str name, value;
};
struct pairs {
	struct pair *items; // in an arena, or borrowed
	size_t count;
	size_t room; // of items, when pairs_add() made the array; 0: somebody else's, copied before it grows
};
// The value of the first pair with that name (ASCII case ignored); empty when absent.
struct str pairs_get(const struct pairs *p, struct str name);
bool pairs_has(const struct pairs *p, struct str name);
// Appends. ERR_NO_MEMORY.
MUST_CHECK int pairs_add(struct pairs *p, struct arena *a, struct str name, struct str value);
// Without the pairs of that name (exactly); copies a borrowed array first. ERR_NO_MEMORY.
MUST_CHECK int pairs_remove(struct pairs *p, struct arena *a, struct str name);

// One run of bytes of an object that is not stored in one file. Its file lies in the folder of the version under its
// number.
struct piece {
	struct str name; // how the provider calls it: a part number, a block id in base64
	uint64_t offset; // where the bytes begin in the file
	uint64_t length;
};

struct record {
	struct str key;
	uint64_t size;
	int64_t created_ns, modified_ns; // wall clock; modified is unique within the store
	int64_t generation;              // of the bytes, microseconds; unique within the store
	int64_t metageneration;          // counts changes of the description, from 1
	struct str etag;                 // without quotes
	struct digests digests;          // of all bytes
	struct pairs properties;         // what the provider keeps: "content-type", "cache-control", ...
	struct pairs metadata;           // the user's own
	struct str folder;               // of the pieces; empty: the bytes stand before the record in its own file
	struct piece *pieces;
	size_t piece_count;
};

enum { RECORD_MAX_JSON = 16 << 20 };

// An owned copy in one block, to be freed with record_free; NULL without memory.
struct record *record_clone(const struct record *r);
void record_free(struct record *r); // NULL is allowed

json_t *record_to_json(const struct record *r); // new reference; NULL without memory or for text that is no UTF-8
MUST_CHECK int record_of_json(const json_t *j, struct arena *a, struct record *out, struct err *e);

// Appends record and footer behind the data_size bytes of data that end the file.
MUST_CHECK int record_write(int fd, const struct record *r, uint64_t data_size, struct err *e);
// Reads the record of a file. *data_size: how many bytes of data come before it. Texts live in a. ERR_CORRUPT: a torn
// file; ERR_FAILED: a whole one of another version.
MUST_CHECK int record_read(int fd, struct arena *a, struct record *out, uint64_t *data_size, struct err *e);

#endif

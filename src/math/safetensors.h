// SPDX-License-Identifier: Apache-2.0
// safetensors files: an 8-byte length, a JSON header, the data. The reader works on bytes in memory, on a mapped file, or on a
// header alone (for files that are read by ranges), and refuses whatever the format forbids: a header that is cut, too long or
// no strict JSON, holes, overlaps, sizes that do not fit type and shape, missing or trailing bytes. NaN is not looked for.
// The writer's bytes are those of the format's reference implementation: tensors by descending alignment, then by name.
// Structs live in the caller's arena and borrow the bytes they were read from. Thread-safe on different objects.
// Errors: ERR_CORRUPT for what breaks the format, ERR_LIMIT for its limits, ERR_IO and ERR_NO_SPACE of files, ERR_NO_MEMORY.
#ifndef ISOBAR_MATH_SAFETENSORS_H
#define ISOBAR_MATH_SAFETENSORS_H

#include "base/arena.h"
#include "base/hash.h"
#include "math/tensor.h"

// Longest header that the format allows (its reference implementation refuses more).
enum { SAFETENSORS_MAX_HEADER = 100000000, SAFETENSORS_PREFIX = 8 };

struct safetensors_pair { // one entry of __metadata__
	struct str key, value;
};
struct safetensors {
	struct tensor *tensors; // in the order of their bytes
	size_t count;
	struct safetensors_pair *metadata; // in the order of the file; sorted by key before it is written
	size_t metadata_count;
	uint64_t data_offset; // of the data section in the file
	uint64_t data_size;
};

// From the first 8 bytes of a file of file_size bytes: how many bytes the header has (without these 8).
MUST_CHECK int safetensors_header_size(const unsigned char first[SAFETENSORS_PREFIX], uint64_t file_size, uint64_t *out, struct err *e);
// head: the first 8 + header bytes of a file of file_size bytes. Tensors get no data pointer.
MUST_CHECK int safetensors_parse_header(struct str head, uint64_t file_size, struct arena *a, struct safetensors *out, struct err *e);
// A whole file in memory; tensors point into it.
MUST_CHECK int safetensors_parse(struct str file, struct arena *a, struct safetensors *out, struct err *e);
// NULL when absent.
const struct tensor *safetensors_find(const struct safetensors *s, struct str name);
// The same, as an error that names the tensor and what was wanted of it. shape: rank numbers, UINT64_MAX for any.
MUST_CHECK int safetensors_need(const struct safetensors *s, const struct tensor *want, const struct tensor **out, struct err *e);

// A file mapped for reading. The arena must outlive it. A file that shrinks while it is mapped ends the reader (SIGBUS), so map
// only files that nobody else writes.
struct safetensors_file {
	struct safetensors content;
	struct str bytes;
};
MUST_CHECK int safetensors_open(const char *path, struct arena *a, struct safetensors_file *out, struct err *e);
void safetensors_close(struct safetensors_file *f); // NULL and zero are fine
#define AUTO_TYPE_safetensors_file struct safetensors_file
static inline void safetensors_file_autofree(struct safetensors_file *f)
{
	safetensors_close(f);
}

// Sorts tensors (name, type, shape and data given) into the writer's order, sets begin and end, sorts metadata.
// ERR_INVALID: two of one name, a name or value that is no UTF-8, the name "__metadata__".
MUST_CHECK int safetensors_lay_out(struct safetensors *s, struct err *e);
// The prefix and header of a layout.
MUST_CHECK int safetensors_write_header(const struct safetensors *s, struct buf *out, struct err *e);
MUST_CHECK int safetensors_write(const struct safetensors *s, struct buf *out, struct err *e); // header and data of all tensors

// Writes a file as a stream: begin lays nothing out itself; put takes the data section in order, in pieces of any size; end checks
// that it is complete and only then gives the file its name. Not ended (or failed): nothing is left at path. Nothing is synced to the
// disk: these files go on to a cloud or can be made again, and are proved by their digest before they are used.
struct safetensors_writer {
	int fd;
	char *path, *partial; // owned
	uint64_t left;        // bytes of the data section still to come
	struct digest *digest;
	unsigned char sha256[SHA256_SIZE]; // of the whole file, after end
	uint64_t size;                     // of the whole file
};
MUST_CHECK int safetensors_writer_begin(struct safetensors_writer *w, const char *path, const struct safetensors *layout, struct err *e);
MUST_CHECK int safetensors_writer_put(struct safetensors_writer *w, struct str data, struct err *e);
MUST_CHECK int safetensors_writer_end(struct safetensors_writer *w, struct err *e);
void safetensors_writer_free(struct safetensors_writer *w); // removes what was not ended; NULL and zero are fine
#define AUTO_TYPE_safetensors_writer struct safetensors_writer
static inline void safetensors_writer_autofree(struct safetensors_writer *w)
{
	safetensors_writer_free(w);
}
// All tensors with their data; lays out first. sha256 (NULL is allowed) is the file's.
MUST_CHECK int safetensors_write_file(const char *path, struct safetensors *s, struct sha256 *sha256, struct err *e);

#endif

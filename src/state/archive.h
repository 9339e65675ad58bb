// SPDX-License-Identifier: Apache-2.0
// The file of a backup: one JSON object a line, so that any tool can look into it. First the head {isobar_backup: 1,
// program, made, ...}, then {file}, {revision}, {lease}, {event} and {record} lines, last {end: {files, leases, events,
// records, sha256}}, the digest being that of every byte before. It is written beside its name and put there when it
// is whole and on the disk; an existing file is never replaced. Reading trusts nothing: lines are bounded, forms are
// checked, the end must be there and right. Owned by whoever opened it; one thread at a time.
#ifndef ISOBAR_STATE_ARCHIVE_H
#define ISOBAR_STATE_ARCHIVE_H

#include "state/transfer.h"

enum {
	ARCHIVE_VERSION = 1,
	ARCHIVE_LINE_MAX = STATE_VALUE_MAX + (1 << 20), // of one line
};

struct archive_counts {
	uint64_t files, leases, events, records;
};

// -- writing
struct archive_writer;
// head: further members of the first line (borrowed). ERR_EXISTS when path is there.
MUST_CHECK int archive_create(struct call *c, const char *path, const json_t *head, struct archive_writer **out);
MUST_CHECK int archive_put_file(struct call *c, struct archive_writer *w, const json_t *file); // borrowed
struct state_sink archive_sink(struct archive_writer *w);
// Writes the end and puts the file at its name. Frees w, whatever happens.
MUST_CHECK int archive_finish(struct call *c, struct archive_writer *w, struct archive_counts *counts);
void archive_abandon(struct archive_writer *w); // NULL is allowed; leaves nothing behind

// -- reading
struct archive_reader;
// *head lives as long as the reader. ERR_NOT_FOUND, ERR_CORRUPT (no backup of ours), ERR_UNSUPPORTED (a newer form).
MUST_CHECK int archive_open(struct call *c, const char *path, struct archive_reader **out, const json_t **head);
// Items of the state; each {file} on the way is given to take_file. ERR_CORRUPT: what is wrong, and in which line.
struct state_source archive_source(
	struct archive_reader *r, int (*take_file)(struct call *c, void *ctx, const json_t *file), void *ctx);
struct archive_counts archive_read_so_far(const struct archive_reader *r);
void archive_close(struct archive_reader *r); // NULL is allowed

#endif

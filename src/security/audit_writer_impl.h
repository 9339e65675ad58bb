// SPDX-License-Identifier: Apache-2.0
// The writer's state, shared by audit.c (its life) and audit_recover.c (how it finds its place after a restart). See
// audit.h.
#ifndef ISOBAR_SECURITY_AUDIT_WRITER_IMPL_H
#define ISOBAR_SECURITY_AUDIT_WRITER_IMPL_H

#include <pthread.h>

#include "security/audit_impl.h"

struct audit {
	char *folder;
	const struct edges *edges;
	size_t segment_bytes;
	EVP_PKEY *key; // NULL: unsigned
	struct audit_identity id;
	char *writer; // text of id.writer
	int lock_fd, segment_fd, heads_fd;
	uint64_t segment_first;
	uint64_t segment_size;    // bytes on disk that count; what lies behind is cut before the next write
	bool segment_dirty;       // there may be bytes behind
	struct audit_position at; // what is on disk; of the committer
	uint64_t signed_size;     // of the last signed head
	uint64_t lost_now;        // for the next gap record
	char lost_reason[200];

	pthread_mutex_t lock;   // of what follows
	struct buf pending;     // bodies, each with LF
	uint64_t tickets;       // given out
	struct audit_head head; // copy of `at` for readers
	uint64_t lost;          // in all
};

MUST_CHECK int audit_path(const struct audit *a, const char *name, struct buf *out, struct err *e);
// Finds the last segment, checks it, cuts a torn tail (then lost_now and its reason are set) and fills id, at and the
// segment members. segment_fd stays -1 when there is no log yet.
MUST_CHECK int audit_recover(struct audit *a, struct err *e);

#endif

// SPDX-License-Identifier: Apache-2.0
// A record of a conformance run: every request and answer between a driver and its provider, without secrets, ids and
// account numbers, and what each case came to. Tests replay it against the driver; docs/support.md is written from it.
//
// Redaction errs on the side of losing: only headers of a list are kept, of URLs only what stands behind the store's
// address, every text of the credentials and every id that the provider made is replaced by a name in capitals, the
// same one each time, so that an upload still continues itself. Bodies that are neither small nor a piece of the
// pattern are kept as size and digest. Owned; thread-safe.
#ifndef ISOBAR_CLOUD_CALL_RECORD_H
#define ISOBAR_CLOUD_CALL_RECORD_H

#include <pthread.h>

#include "cloud/conformance.h"

enum {
	CALL_RECORD_FORMAT = 1,
	CALL_RECORD_MAX_TEXT = 16 << 10, // of a body that is kept as it is
	CALL_RECORD_MAX_NAMES = 512,     // that are replaced
	CALL_RECORD_MAX_BYTES = 8 << 20, // of a record's file
};

struct call_record_name {
	struct str from, to;
};
struct call_record {
	struct arena arena;
	pthread_mutex_t lock; // of all
	struct str base;      // the store's address
	struct call_record_name names[CALL_RECORD_MAX_NAMES];
	size_t name_count;
	struct str pattern; // CONFORMANCE_BIG bytes
	json_t *calls, *cases;
	struct str provider, region;
	bool failed; // out of memory: nothing can be written
};
struct call_record_about {
	struct str kind;   // "account", "server" (others'), "pocket"
	struct str server; // what answered, for people: "moto 5.1.4"
	int64_t now_ns;    // wall clock
};

// config and bucket say what has to be replaced. ERR_NO_MEMORY.
MUST_CHECK int call_record_begin(
	struct call_record *r, const struct cloud_config *config, struct str bucket, struct err *e);
struct transport_watch call_record_watch(struct call_record *r); // borrows it
void call_record_case(struct call_record *r, const struct conformance_case *one);
// {format, provider, region, kind, server, date, isobar, cases: [...], calls: [...]}; a new reference, NULL without
// memory.
json_t *call_record_json(struct call_record *r, const struct call_record_about *about);
MUST_CHECK int call_record_write(
	struct call_record *r, const struct call_record_about *about, const char *path, struct err *e);
void call_record_free(struct call_record *r); // wipes what it replaced

// text with everything that has to be replaced replaced, in the record's arena: for tests.
struct str call_record_redact(struct call_record *r, struct str text);

#endif

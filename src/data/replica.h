// SPDX-License-Identifier: Apache-2.0
// One copy of a dataset of files on one cloud, brought up to date by a reconciler: only what changed is copied (each
// file proven by checksum), then what is gone at the source is removed, then files.json says what lies there:
//     datasets/NAME/files/FILE ... datasets/NAME/files.json {dataset, format, fingerprint, files: [{name, size, sha256,
//     records}]}
// Record "replica/ADDRESS on CLOUD" {pass, fingerprint, synced_ns, bucket, prefix, objects, bytes, records, held,
// files: {NAME: {source, etag, size, sha256}}}; event replica.synced {dataset, cloud, bucket, prefix, objects, bytes,
// copied, removed, held, class, residency, operators, id}. After a crash the same batch is taken up again, and nothing
// that is there already is sent twice. Any thread; one runner a dataset (data/dataset_files.h).
//
// Removing is careful: only objects that the record says were put by us and that are unchanged since, only after
// everything was copied, and not when a periodic run finds more than half of a source gone: then the copy is held until
// somebody runs the dataset by hand.
#ifndef ISOBAR_DATA_REPLICA_H
#define ISOBAR_DATA_REPLICA_H

#include "data/files_source.h"

struct replica {
	const struct ingest *in;
	const struct files_source *source; // scanned
	const struct cloud *to;
	struct str bucket; // physical
	bool by_hand;      // a person asked: what is gone may go
};
struct replica_result {
	uint64_t objects, bytes; // that lie there now
	uint64_t copied, removed, held;
	char manifest[HEX_SHA256_SIZE];
};
struct str replica_prefix(struct arena *a, struct str name);                   // "datasets/returns/files/"
struct str replica_key(struct arena *a, struct str address, struct str cloud); // "replica/dataset/returns on gcp-eu"
MUST_CHECK int replica_make(struct call *c, const struct replica *r, struct replica_result *out);
// Takes the copy away: objects that were put by us and are unchanged since, files.json, the record; event replica.withdrawn
// {dataset, cloud, bucket, prefix, removed, left}. r->source is not read; r->bucket "": nothing was ever put. No record: 0.
MUST_CHECK int replica_withdraw(struct call *c, const struct replica *r);

// How far copies are behind: from state alone.
struct replica_status {
	struct str dataset, cloud; // "dataset/returns", "gcp-eu"
	int64_t synced_ns;         // wall clock: it equals the source as of then; 0: never
	int64_t lag_ns;            // now - synced_ns
	uint64_t objects, bytes, held;
	struct str error; // of the last attempt; "": it succeeded
};
MUST_CHECK int replica_list(struct call *c, const struct state *s, struct replica_status **out, size_t *count);
// Notes that an attempt failed, so that status says why a copy is behind.
MUST_CHECK int replica_note_failure(struct call *c, const struct state *s, struct str key, const struct err *why);

#endif

// SPDX-License-Identifier: Apache-2.0
// What the files of the local engine share.
#ifndef ISOBAR_CLOUD_LOCAL_LOCAL_IMPL_H
#define ISOBAR_CLOUD_LOCAL_LOCAL_IMPL_H

#include <pthread.h>

#include "base/process.h"
#include "cloud/local/local.h"

// How long the engine waits for its cloud's store before it says that the cloud is down.
#define LOCAL_STORE_TIMEOUT_NS (2 * INT64_C(1000000000))

struct local {
	char *cloud; // owned texts
	char *root;
	char *program; // NULL: this very program
	json_t *cloud_json;
	const struct cloud *self; // borrowed
	int64_t ready_timeout_ns;
	pthread_mutex_t lock;     // of children
	struct process *children; // started by us and not waited for yet
	size_t child_count, child_room;
};

// ROOT/room/name/file in c's arena; file NULL: the folder. NULL without memory (c->err says so).
const char *local_path(struct call *c, const struct local *l, const char *room, struct str name, const char *file);
// Makes ROOT/room/name with mode 0700.
MUST_CHECK int local_make_folder(struct call *c, const struct local *l, const char *room, struct str name);
// ERR_UNAVAILABLE while the cloud's store does not answer; other errors as they are.
MUST_CHECK int local_check_store(struct call *c, const struct local *l, struct str bucket);
// Starts `PROGRAM arguments...` in a session of its own, its words going to log_path; in becomes descriptor 0 (-1:
// none).
MUST_CHECK int local_start(
	struct call *c, struct local *l, const struct process_spec *spec, const char *log_path, struct process *out);
void local_reap(struct local *l); // waits for children that ended, so that none stays a zombie
MUST_CHECK int local_list(
	struct call *c, const struct local *l, const char *room, struct str **names, size_t *count); // folders, sorted
MUST_CHECK int local_read_json(
	struct call *c, const char *path, const json_t **out); // lives in c's arena; ERR_NOT_FOUND
MUST_CHECK int local_write_json(struct call *c, const char *path, const json_t *j, mode_t mode); // atomic
// A lock of the engine, waited for until the call ends or 10 s have passed: ERR_IN_USE.
MUST_CHECK int local_lock_wait(struct call *c, const char *path, int *fd);

// endpoint_files.c: what the engine remembers of an endpoint, in status.json.
enum { ENDPOINT_MAX_REPLICAS = 7, ENDPOINT_MAX_RETIRING = 32 };
struct replica {
	struct process process; // pid 0: none
	int64_t port;           // where it listened last; 0: nowhere yet
	int64_t started_ns;     // wall clock
	struct str url;
};
struct retiring { // of an older generation, still answering who has not heard
	struct process process;
	int64_t since_ns;
};
struct endpoint_files {
	struct str generation;
	struct replica replicas[ENDPOINT_MAX_REPLICAS];
	size_t count;
	struct retiring retiring[ENDPOINT_MAX_RETIRING];
	size_t retiring_count;
};
MUST_CHECK int endpoint_files_read(struct call *c, const char *path, struct endpoint_files *out); // absent: empty
MUST_CHECK int endpoint_files_write(struct call *c, const char *path, const struct endpoint_files *f);

#endif

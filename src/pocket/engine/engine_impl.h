// SPDX-License-Identifier: Apache-2.0
// What the engine, in the pocket's process, and a job's supervisor, a process of its own, share: the files of a job's
// folder, by which alone they talk.
//     spec.json     what to run (0600: its environment may hold secrets); written before the supervisor starts
//     status.json   how it goes; written by the supervisor, whole or not at all
//     control.json  what the pocket wants of it: {"act", "grace_ns"}; SIGUSR1 says that it is there
//     lock          held by the supervisor as long as it lives
//     log           what the program wrote: "NANOSECONDS o|e TEXT" a line
//     errors.log    what the supervisor itself has to say: nothing, as a rule
//     work/         where the program runs (or below SANDBOX_WORK_ROOT)
#ifndef ISOBAR_POCKET_ENGINE_ENGINE_IMPL_H
#define ISOBAR_POCKET_ENGINE_ENGINE_IMPL_H

#include "base/arena.h"
#include "base/process.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "pocket/engine/engine.h"

enum { ENGINE_FILE_LIMIT = 4 << 20, ENGINE_REASON_SIZE = 512 };

// ---------------------------------------------------------------- files (engine_files.c)
struct engine_report { // status.json
	enum engine_state state;
	int exit_code, port, restarts;
	bool out_of_memory;
	int64_t started_ns, ended_ns;
	double cpu_s;
	uint64_t peak_rss;
	struct process program, supervisor; // pid 0: none
	uint32_t uid;                       // of its own; 0: none
	char reason[ENGINE_REASON_SIZE];
};
struct engine_control {
	enum engine_state act; // STOPPED, INTERRUPTED; QUEUED: end, to be started again with the pocket; LOST: at once
	int64_t grace_ns;
};
bool engine_id_valid(struct str id);
json_t *engine_spec_json(const struct engine_spec *spec, int64_t queued_ns);
MUST_CHECK int engine_read(const char *folder, const char *file, json_t **out, struct err *e);
MUST_CHECK int engine_report_read(const char *folder, struct engine_report *out, struct err *e);
MUST_CHECK int engine_report_write(const char *folder, const struct engine_report *r, struct err *e);
MUST_CHECK int engine_control_read(const char *folder, struct engine_control *out, struct err *e); // ERR_NOT_FOUND
// Also wakes the supervisor.
MUST_CHECK int engine_control_write(const char *folder, const struct engine_control *c, struct err *e);
bool engine_supervised(const char *folder); // a supervisor has its lock
// Paths of the work folder; makes them when they are not there. All in the arena.
MUST_CHECK int engine_place_make(struct arena *a, const char *folder, struct engine_place *out, struct err *e);
MUST_CHECK int engine_place_remove(const char *folder, struct err *e);

// ---------------------------------------------------------------- log (engine_log.c)
struct engine_stream { // one of the program's two
	int fd;        // -1: closed
	bool error;
	struct buf line; // that has not ended yet
};
struct engine_writer {
	int fd;
	uint64_t size;
	bool full;
	int64_t (*wall_ns)(void);
};
MUST_CHECK int engine_writer_open(struct engine_writer *w, const char *folder, struct err *e);
// Reads what is there, without waiting; false when nothing more will come (then fd is closed).
bool engine_stream_read(struct engine_stream *s, struct engine_writer *w);
void engine_writer_line(struct engine_writer *w, bool error, struct str text);
void engine_writer_close(struct engine_writer *w);
MUST_CHECK int engine_log_read(
	const char *folder, const struct engine_log_from *from, struct arena *a, struct engine_log *out, struct err *e);

// ---------------------------------------------------------------- the supervisor (supervisor.c, supervisor_program.c)
// Runs the job in the folder to its end; the process does nothing else. 0 also when the program failed: that stands in
// status.json. ERR_IN_USE when another supervisor has it.
MUST_CHECK int supervisor_run(const char *folder, struct err *e);

// ---------------------------------------------------------------- jobs in the pocket's memory
struct engine_job {
	struct engine *engine;
	char id[ENGINE_ID_MAX + 1];
	char *folder, *health_path;
	enum engine_kind kind;
	bool spot;
	int64_t queued_ns;
	struct engine_report report;
	struct arena place_arena;
	struct engine_place place; // paths NULL: not asked for yet
	bool prepared;             // only its folder is there
	bool removing;             // goes with its folder as soon as it has ended
	struct process supervisor; // that we started and have not reaped; pid 0: none
	int launches;              // of supervisors that ended without a word
	int64_t status_seen_ns;    // when status.json was last written, as far as we have read it
	uint64_t status_seen_inode;

	bool healthy;
	struct http_fetch *probe; // in flight
	bool probe_ok;
	int64_t probe_at_ns;      // the next one; monotonic
};
struct engine {
	struct pocket *pocket;
	char *root; // ROOT/engine
	struct engine_job **jobs;
	size_t count, room;
	struct loop_timer timer;
	struct http_client *client; // made at first use
	struct guard *guard;
	struct { // engine_end_all()
		bool asked;
		int64_t until_ns;
		void (*done)(void *ctx);
		void *ctx;
	} ending;
};
struct engine_job *engine_find(const struct engine *g, struct str id); // NULL: none, or it is being removed
int64_t engine_now_ns(const struct engine *g);                        // monotonic
// health (engine_health.c): asks when it is time; changes job->healthy. true when that changed.
bool engine_health_look(struct engine_job *job);
void engine_health_stop(struct engine_job *job);
MUST_CHECK int engine_client(struct engine *g, struct http_client **out, struct err *e);

#endif

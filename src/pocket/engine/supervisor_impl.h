// SPDX-License-Identifier: Apache-2.0
// Inside of a job's supervisor: supervisor.c watches, supervisor_program.c prepares and starts.
#ifndef ISOBAR_POCKET_ENGINE_SUPERVISOR_IMPL_H
#define ISOBAR_POCKET_ENGINE_SUPERVISOR_IMPL_H

#include "base/json.h"
#include "base/sandbox.h"
#include "pocket/engine/engine_impl.h"

struct supervisor {
	const char *folder;
	struct arena arena;
	json_t *spec;
	struct engine_report report;
	struct engine_place place;
	struct engine_writer log;
	struct engine_stream out, error;
	struct sandbox_uid uid;
	int lock, signals;

	uint64_t memory;     // 0: no limit
	int64_t deadline_ns; // monotonic; 0: none
	int64_t began_ns;    // the program; monotonic
	int64_t look_at_ns, tell_at_ns;
	enum engine_state ending; // what it will have been; RUNNING: it goes on by itself
	int64_t kill_at_ns;       // SIGKILL to what is left; 0: not asked to end
	bool ended;               // the program
	int status;               // then, of wait(2)
	struct engine_control control; // the last one that was followed
	bool controlled;
};

// Everything that happens once: the folder, the uid, the namespace.
MUST_CHECK int supervisor_prepare(struct supervisor *s, struct err *e);
// Starts the program, its output into s->out and s->error. What the program itself lacks (it is not there, it may not
// be executed) is no failure of ours: then exit_code and reason are set, and s->ended.
MUST_CHECK int supervisor_start(struct supervisor *s, struct err *e);

#endif

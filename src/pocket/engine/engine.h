// SPDX-License-Identifier: Apache-2.0
// What a pocket cloud's job and endpoint services run on: real processes. Each has a folder below ROOT/engine and a
// supervisor process in a session of its own (`isobar pocket run FOLDER`), which starts the program, enforces its
// memory and its deadline, keeps its output, and writes how it goes into the folder. So the work goes on when the pocket
// is killed, and the next pocket over the same root finds it again. pocket_drain() and `isobar pocket end ROOT` end all of it.
//
// The program runs in a folder of its own with nothing of the pocket's but what the spec's environment says: as root
// under a uid that no other job has; else in a user namespace in which the pocket's folder cannot be seen; else as the
// same user. engine_isolation_text() says which.
//
// An image whose last part is "isobar" (with any tag or digest) is this very program. A pocket has no container runtime:
// with any other image the command is looked up on the host's PATH.
//
// One loop owns it. What is started, stopped or removed is durable when the call returns; how it goes is seen by
// engine_status(), and the services' ticks are woken when something changes.
#ifndef ISOBAR_POCKET_ENGINE_ENGINE_H
#define ISOBAR_POCKET_ENGINE_ENGINE_H

#include "base/json.h"
#include "net/http.h"

struct pocket;
struct engine;
struct front_request;

// X(NAME, "word", it has ended)
#define ENGINE_STATES(X)                                                                                               \
	X(QUEUED, "queued", false)                                                                                     \
	X(STARTING, "starting", false)                                                                                 \
	X(RUNNING, "running", false)                                                                                   \
	X(EXITED, "exited", true)           /* by itself: exit_code */                                                 \
	X(STOPPED, "stopped", true)         /* engine_stop() */                                                        \
	X(INTERRUPTED, "interrupted", true) /* engine_interrupt(): as a spot machine that is taken away */             \
	X(TIMED_OUT, "timed out", true)     /* its deadline passed */                                                  \
	X(LOST, "lost", true)               /* its supervisor was killed, or could not start it: reason */

enum engine_state {
#define X(name, word, ended) ENGINE_##name,
	ENGINE_STATES(X)
#undef X
};
const char *engine_state_word(enum engine_state s);
bool engine_state_ended(enum engine_state s);

enum engine_kind { ENGINE_JOB, ENGINE_SERVER }; // a server that ends is started again

enum {
	ENGINE_ID_MAX = 128,
	ENGINE_MAX_RUNNING = 64,     // more wait in ENGINE_QUEUED
	ENGINE_LOG_MAX = 16 << 20,   // of one job: what comes after is dropped, and a last line says so
	ENGINE_LINE_MAX = 16 << 10,  // longer lines are cut into several
};

struct engine_spec { // all borrowed
	enum engine_kind kind;
	struct str id;             // of [A-Za-z0-9_.-], not beginning with '.'; once in a pocket
	struct str image;
	const json_t *argv;        // texts. Image isobar: what follows the program's name; else the command and its arguments
	const json_t *environment; // object of texts; NULL: none
	uint64_t memory;           // bytes of all its processes together; 0: no limit
	double cpu;                // its share: how many threads libraries are told to use; 0: not said
	int64_t deadline_ns;       // from its start; 0: none
	bool spot;                 // the fault `interrupt` may take it
	const char *const *port_variables; // names that get the port of a server, NULL-ended; NULL: no port
	const char *health_path;   // of a server; NULL: it is healthy when it runs
};

struct engine_status {
	enum engine_kind kind;
	enum engine_state state;
	int exit_code;              // EXITED: 0-255, or 128 + the signal
	bool out_of_memory;         // ended for using more than its memory
	int64_t queued_ns, started_ns, ended_ns; // wall clock; 0: not yet
	double cpu_s;               // of all its processes that have ended or were seen
	uint64_t peak_rss;          // bytes, of all together
	int pid;                    // of the program; 0: none
	int port;                   // of a server; 0: none
	int restarts;               // of a server
	bool healthy;               // a server that answers its health path
	bool spot;
	struct str reason;          // in plain words, "" when there is nothing to say; borrowed until the next call
};

// ROOT/engine/ID/work or, where each job has its own uid, below /var/lib/isobar/work: paths without an end slash.
struct engine_place {
	const char *work, *input, *output, *model, *tmp; // borrowed until engine_remove()
};

MUST_CHECK int engine_open(struct pocket *p, struct engine **out, struct err *e); // finds again what runs
void engine_close(struct engine *g); // what runs goes on; NULL is allowed
const char *engine_isolation_text(void);
json_t *engine_json(const struct engine *g); // for /.isobar/status: isolation, and each job with its state

// Makes the job's folder before its start, so that a service can put files there (they become the job's at its start).
// Optional; again gives the same.
MUST_CHECK int engine_prepare(struct engine *g, struct str id, struct engine_place *out, struct err *e);
// ERR_EXISTS for an id that was started before; ERR_INVALID.
MUST_CHECK int engine_start(struct engine *g, const struct engine_spec *spec, struct err *e);
MUST_CHECK int engine_status(struct engine *g, struct str id, struct engine_status *out); // ERR_NOT_FOUND
// SIGTERM to the program, SIGKILL after grace_ns to all its processes. What has ended stays as it is. ERR_NOT_FOUND.
MUST_CHECK int engine_stop(struct engine *g, struct str id, int64_t grace_ns, struct err *e);
MUST_CHECK int engine_interrupt(struct engine *g, struct str id, int64_t notice_ns, struct err *e);
// Interrupts each running spot job with that notice; how many.
int engine_interrupt_spot(struct engine *g, int64_t notice_ns);
// Ends it at once when it runs, and forgets it and its folder. ERR_NOT_FOUND.
MUST_CHECK int engine_remove(struct engine *g, struct str id, struct err *e);
// Ends everything; done() from the loop when nothing is left (at the latest soon after grace_ns).
void engine_end_all(struct engine *g, int64_t grace_ns, void (*done)(void *ctx), void *ctx);
// The same for the folder of a pocket that does not run: blocks until nothing is left. An absent folder has nothing.
MUST_CHECK int engine_end_root(const char *root, int64_t grace_ns, struct err *e);

struct engine_line {
	int64_t time_ns; // wall clock
	bool error;      // from standard error
	struct str text; // without its line end; bytes as they came
};
struct engine_log {
	struct engine_line *lines;
	size_t count;
	uint64_t next; // where the following lines begin
};
// The lines from an offset on (0, or an earlier `next`), at most about `most` bytes of them, in the arena. A job that
// has said nothing has no lines. ERR_NOT_FOUND, ERR_INVALID (no such offset).
struct engine_log_from {
	struct str id;
	uint64_t offset;
	size_t most;
};
MUST_CHECK int engine_log(
	struct engine *g, const struct engine_log_from *from, struct arena *a, struct engine_log *out, struct err *e);

// One request to a server, whose answer becomes the answer of r.
struct engine_forward { // all in r's arena, or constant
	struct str id, method, target, body;
	const struct http_header *headers; // as they go to the server
	size_t header_count;
	int64_t timeout_ns; // 0: 60 s
	// The server has answered with this head. Adds headers to r (content-type is not copied by itself) and returns
	// the status to answer with; the body then follows as it comes. 0: the answer is wanted whole, whole() gets it.
	int (*head)(struct front_request *r, const struct http_response *response);
	void (*whole)(struct front_request *r, int status, struct str body); // at most 1 MiB of it
};
// A server that is not there, not healthy or does not answer ends in front_fail() with ERR_NOT_FOUND, ERR_UNAVAILABLE
// or ERR_TIMEOUT.
void engine_forward(struct front_request *r, const struct engine_forward *f);
void engine_forward_drained(struct front_request *r); // for the front: the client takes more of the answer

#endif

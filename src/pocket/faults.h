// SPDX-License-Identifier: Apache-2.0
// The fault switchboard of a pocket cloud: rules that say which requests meet which fault. One rule a line (or behind a
// ';'), '#' begins a comment:
//
//     seed=7
//     lose-reply PUT /lake/** nth=3          acts, and never answers
//     act-twice POST p=0.1                   the request is delivered twice; the second answer goes out
//     answer-twice GET                       the same answer, twice on the wire
//     stall 200ms every=10                   waits before it acts
//     throttle 1s p=0.05                     the provider's "slow down", with Retry-After
//     error /lake/** times=2                 the provider's internal error, nothing done
//     error-after PUT nth=2                  acts, and answers with the provider's internal error all the same
//     cut GET /lake/**                       acts, and the answer ends in the middle
//     cut-request PUT                        the connection ends in the middle of the request, nothing done
//     partition nth=5 for=3s                 nothing gets through for so long; what waits goes on afterwards
//     interrupt times=1                      running spot jobs lose their machines, after the provider's notice
//     expire times=1                         tokens and temporary keys that were issued until now have expired
//
// With the last two the request itself goes on as ever (but that its own token may have expired).
// A method is in capitals, a path begins with '/' ('*' within a segment, '**' across; with a '?' in it the query counts
// as well) and is compared as the client wrote it. nth=N: only the N-th request that matches; every=N: each N-th; p=P:
// that share of them, drawn from the seed; times=N: at most so often; for=D: only that long from its first time on
// (partition: how long). The first rule that fires is the one. Pure but for its counters; one thread.
#ifndef ISOBAR_POCKET_FAULTS_H
#define ISOBAR_POCKET_FAULTS_H

#include "base/json.h"

// X(NAME, "word", its argument is: 'd' a duration, '-' none)
#define FAULT_ACTS(X) \
	X(LOSE_REPLY, "lose-reply", '-') \
	X(ACT_TWICE, "act-twice", '-') \
	X(ANSWER_TWICE, "answer-twice", '-') \
	X(STALL, "stall", 'd') \
	X(THROTTLE, "throttle", 'd') \
	X(ERROR, "error", '-') \
	X(ERROR_AFTER, "error-after", '-') \
	X(CUT, "cut", '-') \
	X(CUT_REQUEST, "cut-request", '-') \
	X(PARTITION, "partition", '-') \
	X(INTERRUPT, "interrupt", '-') \
	X(EXPIRE, "expire", '-')

enum fault_act {
	FAULT_NONE,
#define X(name, word, argument) FAULT_##name,
	FAULT_ACTS(X)
#undef X
};

enum { FAULTS_MAX_RULES = 64, FAULTS_MAX_TEXT = 64 << 10 };

struct fault {
	enum fault_act act; // FAULT_NONE: the request goes on as ever
	int64_t ns;         // STALL: the pause; THROTTLE: Retry-After
	int64_t until_ns;   // PARTITION: when it ends, on the clock that was given; INT64_MAX: when the rules change
};
struct fault_request {
	struct str method, path, query; // as written
	int64_t now_ns;                 // monotonic
};

struct faults;
// *out is owned. ERR_INVALID says which rule and what is wrong with it. An empty text has no rules.
MUST_CHECK int faults_parse(struct str text, struct faults **out, struct err *e);
void faults_free(struct faults *f); // NULL is allowed
// What this request meets; f NULL: nothing.
struct fault faults_meet(struct faults *f, const struct fault_request *r);
// {"seed": 7, "rules": [{"rule": "lose-reply PUT ...", "matched": 12, "fired": 1}]}; a new reference.
json_t *faults_json(const struct faults *f);
struct str faults_text(const struct faults *f);         // as parsed; "" for NULL
bool faults_path_matches(struct str pattern, struct str path, struct str query);

#endif

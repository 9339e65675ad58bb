// SPDX-License-Identifier: Apache-2.0
// How a request meets a fault (faults.h): before it is handled, at pieces of its body, and when it is answered. Called
// by front.c alone; what these functions take, they answer (or never do). State lives in the exchange's arena.
#ifndef ISOBAR_POCKET_FRONT_FAULTS_IMPL_H
#define ISOBAR_POCKET_FRONT_FAULTS_IMPL_H

#include "pocket/front.h"

struct front_extent { // of an object: what an answer carries
	struct object *object;
	uint64_t offset, length;
};

// ---- the faults
bool front_fault_takes_request(struct front_request *r); // true: it goes on later, or not at all
void front_fault_note_body(struct front_request *r, struct str piece);
void front_fault_note_end(struct front_request *r);
bool front_fault_takes_reply(struct front_request *r, int status, struct str body);
bool front_fault_takes_object(struct front_request *r, int status, const struct front_extent *extent);
bool front_fault_took_reply(const struct front_request *r); // and will let the request be handled again
void front_fault_end(struct front_request *r);              // the exchange is over

// ---- of front.c, for them
struct front_request *front_request_new(struct http_exchange *x); // becomes the exchange's; NULL without memory
void front_begin(struct front_request *r);
void front_trouble(struct front_request *r, bool throttled); // in the words of the service or the front
void front_body_piece(struct front_request *r, struct str piece);
void front_body_end(struct front_request *r);
void front_release(struct front_request *r); // what handling it holds
struct http_reply front_head(const struct front_request *r, int status);

#endif

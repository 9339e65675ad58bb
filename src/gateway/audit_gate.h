// SPDX-License-Identifier: Apache-2.0
// Between the gateway's loop and the audit log: the loop appends and goes on; a thread commits whole batches (write and
// sync); answers wait for their record, in order, and leave when it is on disk. Called on the loop's thread; the thread
// inside is its own.
#ifndef ISOBAR_GATEWAY_AUDIT_GATE_H
#define ISOBAR_GATEWAY_AUDIT_GATE_H

#include "net/loop.h"
#include "security/audit.h"

struct audit_gate;
struct audit_wait { // embedded in what waits
	struct audit_wait *next, *previous;
	uint64_t ticket;
	// written: the record is on disk. Otherwise it is lost, and what it was about must not happen. Called from the
	// loop.
	void (*done)(struct audit_wait *w, bool written);
	bool waiting;
};

// audit is owned from here on, also on failure.
MUST_CHECK int audit_gate_new(struct loop *l, struct audit *audit, struct audit_gate **out, struct err *e);
void audit_gate_free(struct audit_gate *g); // commits what is pending; waits that are left are dropped without a call
// Appends; w (may be NULL: nobody waits) is told later, never from inside this call. An error here: the record is lost.
MUST_CHECK int audit_gate_append(
	struct audit_gate *g, const struct audit_event *event, struct audit_wait *w, struct err *e);
void audit_gate_forget(struct audit_gate *g, struct audit_wait *w); // what waited is gone; its record stays
struct audit *audit_gate_log(struct audit_gate *g);                 // for the head
uint64_t audit_gate_records(const struct audit_gate *g);            // appended since the start
bool audit_gate_idle(const struct audit_gate *g);                   // nobody waits

#endif

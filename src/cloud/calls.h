// SPDX-License-Identifier: Apache-2.0
// The tables of calls: every request that a driver sends to its provider is a row of the driver's table, and a request
// is made from its row (struct exchange has no other way to name a method), so that what `isobar permissions` writes
// cannot drift from what the code does. exchange_run refuses a request that does not fit its row. Pure constants;
// nothing is owned. Provider tables: aws/calls.h, azure/calls.h, gcp/calls.h; by name: cloud_calls_of in registry.h.
#ifndef ISOBAR_CLOUD_CALLS_H
#define ISOBAR_CLOUD_CALLS_H

#include "base/str.h"

enum call_part { CALL_PART_STORE, CALL_PART_IDENTITY };

// What the permission is given on, where a provider's policy can say so.
enum call_scope {
	CALL_ON_NOTHING, // no permission is asked for
	CALL_ON_ACCOUNT, // the account, the project or the storage account
	CALL_ON_BUCKET,
	CALL_ON_OBJECT,
};

// Why a call may be sent again when its answer was lost.
enum call_repeat {
	CALL_REPEAT_READS,     // it changes nothing
	CALL_REPEAT_NAMED,     // the same name with the same content: the second changes nothing
	CALL_REPEAT_CONDITION, // the second is refused, and the driver looks whose the thing is
	CALL_REPEAT_LOOKS,     // the driver asks how far the first got
	CALL_REPEAT_SPARE,     // a second makes a spare that is abandoned (an upload's start)
};

struct cloud_call {
	const char *operation;   // the provider's own name: "PutObject"
	const char *method;      // "PUT"
	const char *path;        // "/{bucket}/{key}": {bucket} is one segment, {key} all that follows
	const char *query;       // parameters that tell it from others, "uploadId&partNumber" or "comp=list"; "": none
	const char *permissions; // in the provider's own names, a space between; "": every caller may
	enum call_scope scope;   // of the permissions
	enum call_part part;
	enum call_repeat repeat;
	bool reads; // changes nothing: what `permissions --read-only` grants
	bool async; // the answer comes before the thing is done: the driver asks again until it is
};
struct cloud_calls { // one driver's table
	const char *provider;
	const struct cloud_call *rows;
	size_t count;
};

// Whether a request (path and query encoded, path without the base's) is one of the row's.
bool cloud_call_fits(const struct cloud_call *row, struct str method, struct str path, struct str query);
// The row of a request: of those that fit, the one that asks for the most parameters; NULL when none does.
const struct cloud_call *cloud_call_find(
	const struct cloud_calls *calls, struct str method, struct str path, struct str query);
const char *call_part_name(enum call_part part);       // "store"
const char *call_repeat_text(enum call_repeat repeat); // one line for people

#endif

// SPDX-License-Identifier: Apache-2.0
// The tables of calls: every request that a driver sends to its provider is a row of the driver's table, and a request
// is made from its row (struct exchange has no other way to name a method), so that what `isobar permissions` writes
// cannot drift from what the code does. exchange_run refuses a request that does not fit its row. Pure constants;
// nothing is owned. Provider tables: aws/calls.h, azure/calls.h, gcp/calls.h; by name: cloud_calls_of in registry.h.
#ifndef ISOBAR_CLOUD_CALLS_H
#define ISOBAR_CLOUD_CALLS_H

#include "base/str.h"

enum call_part {
	CALL_PART_STORE,
	CALL_PART_IDENTITY,
	CALL_PART_JOBS,
	CALL_PART_ENDPOINTS,
	CALL_PART_KEYS,
	CALL_PART_SECRETS,
	CALL_PART_RESOURCES,
	CALL_PART_LOGS,
	CALL_PART_COUNT
};

// When the thing is done that a call asks for.
enum call_async {
	CALL_SYNC,      // with its answer
	CALL_POLLS,     // later: the driver looks at the thing until it is
	CALL_OPERATION, // later: the answer names an operation, which the driver asks until it is
};

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
	CALL_REPEAT_SPARE,     // a second makes a spare that is abandoned (an upload's start, a ciphertext)
};

struct cloud_call {
	const char *operation;   // the provider's own name: "PutObject"
	const char *method;      // "PUT"
	const char *path;        // "/{bucket}/{key}": {key} is all that follows, any other one segment (up to a ":verb")
	const char *query;       // parameters that tell it from others, "uploadId&partNumber" or "comp=list"; "": none
	const char *permissions; // in the provider's own names, a space between; "": every caller may
	enum call_scope scope;   // of the permissions
	enum call_part part;
	enum call_repeat repeat;
	bool reads; // changes nothing: what `permissions --read-only` grants
	enum call_async async;
	const char *price;  // key of what the provider bills for it, "s3.put"; NULL: nothing, or by what it starts
	int api;            // which of the provider's APIs (enum aws_api and the like); 0: the object store
	const char *target; // what tells it from others of the same path: X-Amz-Target ("SageMaker.CreateTrainingJob")
			    // or the Action of a form ("AssumeRole"); NULL: nothing does
};
struct cloud_calls { // one driver's table
	const char *provider;
	const struct cloud_call *rows;
	size_t count;
};

// Whether a request (path and query encoded, path without the base's) is one of the row's.
bool cloud_call_fits(const struct cloud_call *row, struct str method, struct str path, struct str query);
// The row of a request: of those that fit, the one that asks for the most parameters, then the one with the most fixed
// text in its path; NULL when none does. Rows with a target only for that target ("": none).
struct cloud_call_request {
	struct str method, path, query;
	struct str target; // X-Amz-Target or Action, as the request says it
};
const struct cloud_call *cloud_call_find(const struct cloud_calls *calls, const struct cloud_call_request *request);
const char *call_part_name(enum call_part part);       // "store"
const char *call_async_text(enum call_async async);    // one line for people
const char *call_repeat_text(enum call_repeat repeat); // one line for people

#endif

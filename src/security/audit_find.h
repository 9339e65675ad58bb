// SPDX-License-Identifier: Apache-2.0
// Finds records of an audit log by index or by trace. Reads the folder as it is, without its lock; verifies nothing:
// audit_verify.h says whether what is there can be believed.
#ifndef ISOBAR_SECURITY_AUDIT_FIND_H
#define ISOBAR_SECURITY_AUDIT_FIND_H

#include "security/audit.h"

struct audit_query {
	const char *folder;
	uint64_t index;   // UINT64_MAX: any
	struct str trace; // "": any; else exact
	size_t most;      // of the answer
};
// An array of lines as written, {body, index, prev}; empty when there is none, also when the folder is not there. New
// reference. ERR_IO, ERR_CORRUPT (a line that holds what was asked for is no record).
MUST_CHECK int audit_find(struct call *c, const struct audit_query *query, json_t **out);

#endif

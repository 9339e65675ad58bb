// SPDX-License-Identifier: Apache-2.0
// A cloud's secret store (Secrets Manager, Secret Manager, Key Vault) as one small table beside the six of cloud.h. Names
// are the provider's own: what an operator's file calls "cloud:CLOUD/NAME" may have been made by anybody. Values travel
// as struct secret and stand in no error; every one is at most SECRET_MAX bytes. put looks at the newest version first
// and makes none where that already holds the value, so that a repeated or lost put never leaves two. Thread-safe, like
// all parts of a cloud. Errors: ERR_NOT_FOUND, ERR_DENIED (also: the version is disabled), ERR_INVALID (a name that the
// provider does not take), ERR_CONFLICT (the name is of a secret that is being deleted).
#ifndef ISOBAR_CLOUD_SECRETS_H
#define ISOBAR_CLOUD_SECRETS_H

#include "base/call.h"
#include "base/json.h"
#include "base/secret.h"

enum { SECRET_MAX = 24 << 10 }; // Key Vault's 25 KiB is the least of the three

struct secret_ops {
	const char *name; // "aws"
	// Makes the secret when it is absent. *version: the provider's own id of the version that now holds the value.
	int (*put)(struct call *c, void *secrets, struct str name, const struct secret *value, struct str *version);
	// version "": the newest. *out is the caller's to secret_free.
	int (*get)(struct call *c, void *secrets, struct str name, struct str version, struct secret *out);
	// {"created", "changed", "versions": [{"version", "created", "enabled", "newest"}]}, newest first; no value.
	int (*describe)(struct call *c, void *secrets, struct str name, json_t **out);
	// One version is not given out any more; the provider may do no more than drop its labels (AWS has no such state).
	int (*disable)(struct call *c, void *secrets, struct str name, struct str version);
	int (*delete)(struct call *c, void *secrets, struct str name); // absent is fine
	int (*list)(struct call *c, void *secrets, struct str **names, size_t *count); // all of them, sorted
};

// The names of a list that grows page by page, in the call's arena.
struct secret_names {
	struct str *items;
	size_t count, room;
};
MUST_CHECK int secret_names_add(struct call *c, struct secret_names *names, struct str name);
void secret_names_sort(struct secret_names *names);
// base64 of a value as a member of a request, and back; the intermediate copies are wiped.
MUST_CHECK int secret_to_base64(struct call *c, struct str value, struct str *out);
MUST_CHECK int secret_of_base64(struct call *c, struct str text, struct secret *out);
bool secret_equal(const struct secret *a, const struct secret *b); // in constant time for equal lengths

#endif

// SPDX-License-Identifier: Apache-2.0
// Who we are to a provider, and what is there already: the calls of `isobar init`, `check` and `permissions`, beside
// the six tables of cloud.h (docs/decisions/006-identity-is-no-part.md). They change nothing. Only provider drivers
// offer them: struct cloud has NULL where nobody does. Results live in the call's arena. Thread-safe as cloud.h is.
// Errors are the driver's, in the provider's own words.
#ifndef ISOBAR_CLOUD_IDENTITY_H
#define ISOBAR_CLOUD_IDENTITY_H

#include "cloud/calls.h"
#include "cloud/cloud.h"

struct cloud_identity {
	struct str who;     // "arn:aws:iam::123456789012:user/ann", a service account's address, "the key of ACCOUNT"
	struct str account; // number, project or storage account
	struct str kind;    // of the caller, for people: "user", "assumed role", "service account", "account key"
};

enum bucket_fact { FACT_UNKNOWN, FACT_NO, FACT_YES };
struct bucket_facts {
	struct str location; // as the provider writes it: "eu-central-1", "EUROPE-WEST4"; "": unknown
	enum bucket_fact versioning;
	enum bucket_fact public; // whether anybody may be let in
	struct str encryption;   // "AES256", "aws:kms", a key's name; "": unknown or none
	const json_t *tags;      // object of strings; NULL: unknown or none
	struct str unseen;       // what could not be read, and why: "GetBucketTagging: AccessDenied"; "": all was
};

// Whether the credentials may make a call, as a harmless call says. NOT_TESTED: there is none.
enum probe_verdict { PROBE_NOT_TESTED, PROBE_ALLOWED, PROBE_DENIED, PROBE_FAILED };
struct probe {
	enum probe_verdict verdict;
	struct str reason; // of DENIED, FAILED and NOT_TESTED, for people
};

struct bucket_entry {
	struct str name;
	struct str location; // as the provider writes it; "": the list does not say
};

struct identity_ops {
	const char *name; // "aws"
	int (*whoami)(struct call *c, void *identity, struct cloud_identity *out);
	// All buckets that the account (project, storage account) has, all pages.
	int (*buckets)(struct call *c, void *identity, struct bucket_entry **out, size_t *count);
	int (*describe)(struct call *c, void *identity, struct str bucket, struct bucket_facts *out);
	// Tries one row of the driver's table on a bucket that is there ("": none is). Fails only when the call ends
	// (deadline, cancelled).
	int (*probe)(
		struct call *c, void *identity, const struct cloud_call *row, struct str bucket, struct probe *out);
};

// A key that no workspace has, for calls that ask for what is not there.
#define IDENTITY_PROBE_KEY S(".isobar/check/no-such-object")
// The verdict of a harmless call that ended with rc; clears the call's error unless the call itself is over.
MUST_CHECK int probe_judge(struct call *c, int rc, struct probe *out);

// The drivers' side of a listing: buckets as they come, page by page, in the call's arena.
struct bucket_list {
	struct bucket_entry *items;
	size_t count, room;
};
MUST_CHECK int bucket_list_add(struct call *c, struct bucket_list *list, struct bucket_entry entry);
// One page: adds its buckets; *next is the token of the page after, "" when there is none.
typedef int bucket_page(
	struct call *c, void *driver, struct str token, struct bucket_list *list, struct str *next);
// Asks for the first page, then with the token of each the next, until there is none; 100 pages at most.
MUST_CHECK int bucket_list_all(struct call *c, void *driver, bucket_page *page, struct bucket_list *out);

#endif

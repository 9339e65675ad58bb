// SPDX-License-Identifier: Apache-2.0
// Who we are to a provider, and the proof of it: a credential source gives the present credentials of a cloud, whatever
// chain they come from (aws/credentials.h, gcp/credentials.h, azure/credentials.h make sources). One refresher for all:
// credentials that end are fetched anew ahead of their end, by one thread at a time while the others go on with the old
// ones; a refusal by the provider (an expired token) fetches anew as well. It also knows how far the provider's clock is
// from ours. Owned by who opened it; thread-safe. What it gives lies in the call's arena and is not for logs or errors:
// no message of a source has any of it.
#ifndef ISOBAR_CLOUD_CREDENTIALS_H
#define ISOBAR_CLOUD_CREDENTIALS_H

#include "base/call.h"
#include "base/secret.h"

enum {
	// Of keys and of tokens. One thread fetches anew EARLY before the end, while the old ones still serve; nobody is
	// given any that end sooner than LATE, unless there are no others (a quarter and a tenth of a life that is short).
	CREDENTIALS_EARLY_S = 900,
	CREDENTIALS_LATE_S = 600,
	CREDENTIALS_TOKEN_EARLY_S = 300,
	CREDENTIALS_TOKEN_LATE_S = 60,
	CREDENTIALS_FRESH_S = 30,  // a second refusal of any younger than this is not for their age
	CREDENTIALS_PAUSE_S = 30,  // between attempts, while the old ones still hold
	CREDENTIALS_AUDIENCES = 16,
};

struct credential {
	struct str access_key, secret_key, session_token; // of AWS; session_token "": none
	struct str token;                                 // bearer token of Google Cloud and Azure
	int64_t ends_ns;                                  // on the monotonic clock; 0: never
	uint64_t serial;                                  // which ones these are, for credentials_refused
};

struct credential_source;

// What a chain's source makes, once for an audience each time: secrets into *out, lifetime 0 for what never ends.
struct credential_made {
	struct secret access_key, secret_key, session_token, token;
	int64_t lifetime_ns;
};
void credential_made_free(struct credential_made *m);
#define AUTO_TYPE_credential_made struct credential_made
static inline void credential_made_autofree(struct credential_made *m)
{
	credential_made_free(m);
}

// How far a provider's clock is ahead of ours, learned from its answers; shared by all that talk to it.
struct provider_clock {
	_Atomic int64_t ahead_ns;
};
int64_t provider_now_ns(const struct call *c, const struct provider_clock *clock); // wall clock; NULL: our own
// From an answer's Date: true when it is more than 30 s away from what we believed, which is then corrected.
bool provider_clock_learn(const struct call *c, struct provider_clock *clock, struct str date);

struct credential_ops {
	// audience: a scope or resource, "" for AWS. Blocks; never called by two threads at once.
	int (*make)(struct call *c, void *ctx, struct str audience, struct credential_made *out);
	void (*close)(void *ctx);
};
// ctx is taken over, also on failure. ERR_NO_MEMORY.
MUST_CHECK int credential_source_new(
	const struct credential_ops *ops, void *ctx, struct credential_source **out, struct err *e);
void credential_source_free(struct credential_source *s); // wipes; NULL is allowed

// The present ones. ERR_UNAUTHENTICATED: who gives them refuses us; ERR_NOT_FOUND: no link of the chain has any.
MUST_CHECK int credentials_get(
	struct call *c, struct credential_source *s, struct str audience, struct credential *out);
// The provider refused those of `serial`: true when others are worth a try, which credentials_get then fetches.
bool credentials_refused(struct call *c, struct credential_source *s, struct str audience, uint64_t serial);
// Ends them all early, as if their time was over: the next credentials_get fetches anew.
void credentials_expire(struct credential_source *s);
struct provider_clock *credentials_clock(struct credential_source *s);

#endif

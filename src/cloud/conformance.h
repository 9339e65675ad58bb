// SPDX-License-Identifier: Apache-2.0
// The conformance cases of a cloud's store and identity: what every driver has to do against whatever server, run on a
// scratch bucket of its own, which is made, filled, emptied and deleted. `isobar check --deep` runs them on an account,
// tests on pocket clouds and on servers that others wrote. One case after the other, one thread. After a failure or a
// cancelled call the bucket may be there still: conformance_clean takes it down.
#ifndef ISOBAR_CLOUD_CONFORMANCE_H
#define ISOBAR_CLOUD_CONFORMANCE_H

#include "cloud/cloud.h"
#include "cloud/config.h"
#include "cloud/http/watch.h"

enum conformance_verdict { CONFORMANCE_OK, CONFORMANCE_FAILED, CONFORMANCE_SKIPPED };
struct conformance_case {
	const char *part; // "store", "identity"
	struct str name;  // "put a small object"
	enum conformance_verdict verdict;
	struct str reason; // of a failure
};

struct conformance {
	const struct cloud_config *config; // that cloud was opened with
	const struct cloud *cloud;
	struct str bucket;                   // name of the scratch bucket, which must not be there
	const char *const *without;          // NULL-ended: what this server is known not to do; NULL: nothing
	const struct transport_watch *watch; // of what is opened besides cloud; NULL: none
	void (*report)(void *ctx, const struct conformance_case *one);
	void *ctx;
	// conformance_run's own:
	unsigned ok, failed, skipped;
	struct str big; // CONFORMANCE_BIG bytes of the pattern
	int over;       // why the rest was not run; 0: it was
};

enum { CONFORMANCE_BIG = (20 << 20) + 3 };

// Returns 0 when the cases were run (x->failed says how many did not hold), else why they could not be: the bucket
// cannot be made, the call was cancelled or is out of time.
MUST_CHECK int conformance_run(struct call *c, struct conformance *x);
// Empties and deletes the scratch bucket, under a call of its own with at most limit_ns; it may be gone already.
MUST_CHECK int conformance_clean(struct call *c, const struct conformance *x, int64_t limit_ns);
// n bytes that differ from place to place, from the pattern's start: the content of large objects. .p NULL without
// memory.
struct str conformance_pattern(struct arena *a, size_t n);

// What a run costs at most, in the currency of the cloud's prices.
struct conformance_cost {
	double amount;
	struct str currency;
	struct str basis; // for people: requests, bytes, and where the prices are from
};
MUST_CHECK int conformance_estimate(struct call *c, const struct cloud *cloud, struct conformance_cost *out);

#endif

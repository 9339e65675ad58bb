// SPDX-License-Identifier: Apache-2.0
// Guards at the providers: what the workspace says of residency and class, written down in each provider's own
// language, so that bytes stay inside even where Isobar is not asked. Files only: nothing is sent anywhere. AWS: a
// bucket policy and a block of public access for each bucket, a service control policy; Google Cloud: organisation
// policies; Azure: policy definitions. Pure; results live in the arena.
#ifndef ISOBAR_INFRA_GUARDS_H
#define ISOBAR_INFRA_GUARDS_H

#include "state/resource.h"

struct guard_file {
	struct str path;    // below the folder that the user names: "aws-eu/bucket-policy-lumen-returns-prod.json"
	struct str content; // whole, with a newline at its end
	struct str about;   // one line: what it keeps out
	struct str put;     // the command that puts it into force
};
struct guard_input {                      // borrowed
	const struct resource *resources; // as resolved
	size_t count;
	struct str workspace;
	int64_t now_ns; // wall clock: which transfers are in force
};
// In order of clouds, the first file being README.md. Buckets that are only used (`existing: keep`) are their owner's.
MUST_CHECK int guards_make(
	struct arena *a, const struct guard_input *in, struct guard_file **out, size_t *count, struct err *e);

#endif

// SPDX-License-Identifier: Apache-2.0
// What `isobar check` finds out about one cloud: as whom, which account and region, which parts work, which of the
// driver's calls may be made (asked one by one, by calls that change nothing), which buckets of the workspace are
// there, and what quota is left, where somebody tells. And `check --deep`: the conformance cases in a scratch bucket,
// taken down again whatever happens. Nothing of it needs records of the workspace. Results live in the call's arena.
#ifndef ISOBAR_INFRA_CHECK_H
#define ISOBAR_INFRA_CHECK_H

#include "base/json.h"
#include "cloud/cloud.h"
#include "cloud/config.h"
#include "security/operator.h"
#include "state/resource.h"

struct check_request {
	const struct cloud *cloud;
	const struct str *buckets; // of the workspace on this cloud, physical names
	size_t bucket_count;
};
// *out: {cloud, provider, region, location, who?, account?, kind?, error?, parts: [{part, engine, state: works | fails
// | unsupported, reason?}], permissions: [{permission, verdict: allowed | denied | not tested | failed, calls: [NAME],
// bucket?, reason?}], buckets: [{bucket, state: there | absent | denied | failed, location?, unseen?, reason?}],
// quota: {state, reason}, lacks: [TEXT], ok}. Fails only when the call itself is over.
MUST_CHECK int check_cloud(struct call *c, const struct check_request *r, json_t **out);
// The same shape, for a cloud that could not even be opened: its error is c->err, which is cleared.
json_t *check_unopened(struct call *c, struct str cloud, const json_t *declared);

// Opens one cloud of a real environment; *config is what it is opened with. check_close closes it.
MUST_CHECK int check_open(struct call *c, const struct operator_file *op, const struct resource *declared,
	struct cloud_config *config, struct cloud *out);
void check_close(struct cloud *cloud);

enum { CHECK_CLEAN_S = 60 }; // for taking the scratch bucket down

struct check_deep {
	const struct cloud_config *config;
	struct str at_most;     // "1EUR", "0.50 USD"
	struct str record_path; // "": none is written
	struct str kind;        // of the record: "account", "server", "pocket"
	struct str server;      // what answers, for people
	void (*progress)(void *ctx, struct str what, unsigned done);
	void *ctx;
};
// *out: {cloud, bucket, ok, failed, skipped: COUNTS, cases: [{part, name, verdict, reason?}], cost: {amount, currency,
// basis}, swept: [BUCKET of an earlier run that was killed], record?}. ERR_LIMIT: it might cost more than at_most, and nothing was done; ERR_INVALID: at_most is no amount
// of EUR or USD. When the bucket cannot be taken down the error names it.
MUST_CHECK int check_deep(struct call *c, const struct check_deep *r, json_t **out);

#endif

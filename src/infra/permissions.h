// SPDX-License-Identifier: Apache-2.0
// The least that Isobar needs on an account, in the provider's own language, from its driver's table of calls: an IAM
// policy (JSON), roles and bindings of Google Cloud (YAML), a custom role of Azure and its assignment (JSON). Limited
// to the buckets that are named. Makes no call. Results live in the call's arena.
#ifndef ISOBAR_INFRA_PERMISSIONS_H
#define ISOBAR_INFRA_PERMISSIONS_H

#include "base/call.h"
#include "cloud/calls.h"
#include "state/resource.h"

struct permissions_request {
	struct str provider;  // "aws", "gcp", "azure"
	struct str workspace; // names the roles
	struct str region;
	struct str account, group; // project, or subscription and resource group; "": a placeholder is written
	const struct str *buckets; // physical names
	size_t bucket_count;
	bool read_only; // of the calls that change nothing
	bool deep;      // also the scratch buckets of `check --deep`
	bool services;  // also of the calls for jobs, endpoints, keys and secrets in the provider's own services
	const struct cloud_calls *calls;
};

#define PERMISSIONS_SCRATCH "isobar-check-" // what names of scratch buckets begin with

// The cloud of that name among resources, and the buckets there. ERR_NOT_FOUND lists the clouds there are;
// ERR_UNSUPPORTED: a provider whose driver has no table of calls.
MUST_CHECK int permissions_read(struct call *c, const struct resource *resources, size_t count, struct str cloud,
	struct permissions_request *out);
// The policy's text. ERR_NO_MEMORY.
MUST_CHECK int permissions_write(struct call *c, const struct permissions_request *r, struct str *out);
// The permissions of all rows with one of the scopes, each once, sorted. ERR_NO_MEMORY.
MUST_CHECK int permissions_collect(
	struct call *c, const struct permissions_request *r, unsigned scopes, struct str **out, size_t *count);
#define PERMISSIONS_OF(scope) (1u << (scope))
struct str permissions_physical(
	struct call *c, const struct resource *bucket, struct str workspace); // its bucket's name

#endif

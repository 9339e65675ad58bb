// SPDX-License-Identifier: Apache-2.0
// Clouds by name: see named_clouds.h.
#include "infra/named_clouds.h"

#include <stdlib.h>

#include "cloud/registry.h"
#include "infra/accounts.h"

enum { MOST = 16 }; // of one command, which names two places

struct named_clouds {
	const struct operator_file *op;
	struct cloud clouds[MOST]; // must not move: parts point back
	size_t count;
};

static const struct {
	const char *scheme, *provider;
} schemes[] = {{"s3", "aws"}, {"gs", "gcp"}, {"az", "azure"}};

int named_clouds_new(struct call *c, const struct operator_file *op, struct named_clouds **out)
{
	struct named_clouds *n = calloc(1, sizeof(*n));
	if (!n)
		return call_no_memory(c);
	n->op = op;
	*out = n;
	return 0;
}

void named_clouds_free(struct named_clouds *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++)
		cloud_close(&n->clouds[i]);
	free(n);
}

// A scheme reads the environment's addresses, too, as the providers' own tools do: no workspace has a say here.
static int request_of(struct call *c, const struct named_clouds *n, struct str name, struct account_request *request)
{
	const struct operator_cloud *entry = operator_cloud_find(n->op, name);
	*request = (struct account_request){.cloud = name, .environment_addresses = true};
	if (entry && entry->provider.n) {
		request->provider = entry->provider;
		request->region = entry->region;
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (str_eq(name, str_of(schemes[i].scheme))) {
			request->provider = str_of(schemes[i].provider);
			return 0;
		}
	}
	if (entry)
		return call_fail(c, ERR_INVALID, "clouds.%.*s of %.*s has no provider:, and no workspace says it",
			STR(name), STR(n->op->path));
	return call_fail(c, ERR_NOT_FOUND,
		"there is no cloud \"%.*s\": neither a workspace here nor the operator's file has one; write s3://, "
		"gs:// or "
		"az:// for the credentials of this machine",
		STR(str_clip(name, 63)));
}

int named_clouds_open(struct call *c, void *ctx, struct str name, const struct cloud **out)
{
	struct named_clouds *n = ctx;
	struct account_request request;
	struct account account;
	struct cloud_config config;
	for (size_t i = 0; i < n->count; i++) {
		if (str_eq(n->clouds[i].name, name)) {
			*out = &n->clouds[i];
			return 0;
		}
	}
	int rc = n->count < MOST ? 0 : call_fail(c, ERR_LIMIT, "more than %d clouds in one command", MOST);
	if (rc == 0)
		rc = request_of(c, n, name, &request);
	if (rc == 0)
		rc = account_config(c, n->op, &request, &config, &account);
	if (rc == 0)
		rc = cloud_open(c, &config, &n->clouds[n->count]);
	if (rc < 0)
		return rc;
	*out = &n->clouds[n->count++];
	return 0;
}

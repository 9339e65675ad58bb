// SPDX-License-Identifier: Apache-2.0
// Secrets in clouds' secret stores: see secret_clouds.h.
#include "infra/secret_clouds.h"

#include "cloud/registry.h"
#include "cloud/secrets.h"
#include "infra/accounts.h"

static int describe(struct call *c, const struct operator_file *op, struct str name, struct account_request *out)
{
	const struct operator_cloud *entry = operator_cloud_find(op, name);
	if (!entry || !entry->provider.n)
		return call_fail(c, ERR_NOT_FOUND,
			"%.*s has no cloud \"%.*s\" with a provider: a secret store is only opened from what stands there",
			STR(op->path), STR(str_clip(name, 63)));
	*out = (struct account_request){.cloud = name, .provider = entry->provider, .region = entry->region};
	return 0;
}

static int read_secret(struct call *c, void *ctx, struct str cloud_name, struct str name, struct secret *out)
{
	struct operator_file op = *(const struct operator_file *)ctx; // without the way that leads here
	struct account_request request;
	struct account account;
	struct cloud_config config;
	struct cloud cloud = {0};
	op.clouds_read = (struct secret_clouds){0};
	int rc = describe(c, &op, cloud_name, &request);
	if (rc == 0)
		rc = account_config(c, &op, &request, &config, &account);
	if (rc < 0)
		return rc;
	config.secrets = true;
	rc = cloud_open(c, &config, &cloud);
	if (rc == 0)
		rc = CLOUD_CALL(c, &cloud, secrets, get, name, S(""), out);
	cloud_close(&cloud);
	return rc;
}

void secret_clouds_fill(struct operator_file *op)
{
	op->clouds_read = (struct secret_clouds){.read = read_secret, .ctx = op};
}

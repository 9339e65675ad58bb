// SPDX-License-Identifier: Apache-2.0
// The providers' own services in an open cloud: see registry_impl.h. One row a provider.
#include <stdlib.h>
#include <string.h>

#include "cloud/aws/endpoints.h"
#include "cloud/aws/endpoints.h"
#include "cloud/aws/jobs.h"
#include "cloud/aws/kms.h"
#include "cloud/aws/services.h"
#include "cloud/aws/store.h"
#include "cloud/azure/endpoints.h"
#include "cloud/azure/jobs.h"
#include "cloud/azure/services.h"
#include "cloud/azure/store.h"
#include "cloud/azure/vault.h"
#include "cloud/gcp/endpoints.h"
#include "cloud/gcp/jobs.h"
#include "cloud/gcp/kms.h"
#include "cloud/gcp/services.h"
#include "cloud/gcp/store.h"
#include "cloud/registry_impl.h"

// ---------------------------------------------------------------- the providers
#define SERVICES(provider)                                                                                             \
	static int open_##provider(const struct services_options *o, void **out, struct err *e)                        \
	{                                                                                                              \
		struct provider##_services *s = NULL;                                                                  \
		int r = provider##_services_open(o, &s, e);                                                            \
		if (!r)                                                                                                \
			*out = s;                                                                                      \
		return r;                                                                                              \
	}                                                                                                              \
	static void close_##provider(void *services)                                                                   \
	{                                                                                                              \
		provider##_services_close(services);                                                                   \
	}                                                                                                              \
	static void lend_##provider(void *store, struct services_options *out)                                         \
	{                                                                                                              \
		provider##_store_lend(store, out);                                                                     \
	}
SERVICES(aws)
SERVICES(azure)
SERVICES(gcp)

static const struct service_driver drivers[] = {
	{.provider = "aws",
		.open = open_aws,
		.close = close_aws,
		.hosts = aws_service_hosts,
		.lend = lend_aws,
		.jobs = &aws_job_ops,
		.endpoints = &aws_endpoint_ops,
		.keys = &aws_key_ops,
		.secrets = &aws_secret_ops},
	{.provider = "azure",
		.open = open_azure,
		.close = close_azure,
		.hosts = azure_service_hosts,
		.lend = lend_azure,
		.jobs = &azure_job_ops,
		.endpoints = &azure_endpoint_ops,
		.keys = &azure_key_ops,
		.secrets = &azure_secret_ops},
	{.provider = "gcp",
		.open = open_gcp,
		.close = close_gcp,
		.hosts = gcp_service_hosts,
		.lend = lend_gcp,
		.jobs = &gcp_job_ops,
		.endpoints = &gcp_endpoint_ops,
		.keys = &gcp_key_ops,
		.secrets = &gcp_secret_ops},
};

static const struct service_driver *find_driver(struct str provider)
{
	for (size_t i = 0; i < COUNT_OF(drivers); i++)
		if (str_is(provider, drivers[i].provider))
			return &drivers[i];
	return NULL;
}

// ---------------------------------------------------------------- whether
bool registry_has_services(const struct cloud_config *config)
{
	bool account = config->job_role.n && config->image.n && !config->store_url.n;
	return (config->services_url.n || account) && find_driver(config->provider);
}

bool registry_opens_services(const struct cloud_config *config)
{
	return (config->secrets && find_driver(config->provider)) || registry_has_services(config);
}

int registry_services_hosts(
	struct arena *a, const struct cloud_config *config, struct str *hosts, size_t *count, struct err *e)
{
	const struct service_driver *driver = find_driver(config->provider);
	return driver ? driver->hosts(a, config, hosts, count, e) : 0;
}

// ---------------------------------------------------------------- the parts
// An engine that the config names is one that the provider's service stands aside for.
static bool is_ours(struct str engine, const void *ops)
{
	return !engine.n && ops;
}

static void put_keys(struct registry_services *s, struct cloud *cloud)
{
	const struct key_service own = {s->ops->keys, s->services}, older = {cloud->keys, cloud->keys_ctx};
	if (!cloud->keys) { // inside a job, or without a folder of the local engine
		cloud->keys = own.ops;
		cloud->keys_ctx = own.ctx;
		return;
	}
	key_route_init(&s->keys, own, older);
	cloud->keys = &s->keys.ops;
	cloud->keys_ctx = &s->keys;
}

static void put_parts(const struct cloud_config *config, struct registry_services *s, struct cloud *cloud)
{
	cloud->secrets = s->ops->secrets;
	cloud->secrets_ctx = s->services;
	if (!registry_has_services(config))
		return;
	if (is_ours(config->jobs_engine, s->ops->jobs)) {
		cloud->jobs = s->ops->jobs;
		cloud->jobs_ctx = s->services;
	}
	if (is_ours(config->endpoints_engine, s->ops->endpoints)) {
		cloud->endpoints = s->ops->endpoints;
		cloud->endpoints_ctx = s->services;
	}
	bool vault = !str_is(config->provider, "azure") || config->vault_url.n || config->services_url.n;
	if (vault && is_ours(config->keys_engine, s->ops->keys))
		put_keys(s, cloud);
}

int registry_services_open(struct call *c, const struct cloud_config *config, void *store, struct cloud *cloud,
	struct registry_services *out)
{
	const struct service_driver *driver = find_driver(config->provider);
	struct services_options options = {.config = config, .self = cloud};
	if (!driver)
		return call_fail(c, ERR_INTERNAL, "%.*s has no services", STR(config->provider));
	driver->lend(store, &options);
	int r = driver->open(&options, &out->services, &c->err);
	if (r)
		return r;
	out->ops = driver;
	put_parts(config, out, cloud);
	return 0;
}

void registry_services_close(struct registry_services *s)
{
	if (s->ops)
		s->ops->close(s->services);
	*s = (struct registry_services){0};
}

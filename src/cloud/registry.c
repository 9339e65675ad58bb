// SPDX-License-Identifier: Apache-2.0
// Opening clouds: see registry.h. What an open cloud owns is one record, which begins with what its prices need: the
// prices' context is how cloud_close finds it.
#include "cloud/registry.h"

#include <stdlib.h>

#include "cloud/aws/calls.h"
#include "cloud/aws/store.h"
#include "cloud/azure/calls.h"
#include "cloud/azure/store.h"
#include "cloud/gcp/calls.h"
#include "cloud/gcp/store.h"
#include "cloud/local/local.h"
#include "cloud/prices.h"
#include "cloud/regions.h"
#include "cloud/registry_impl.h"
#include "cloud/resources.h"
#include "cloud/sealed.h"

struct driver {
	const char *provider;
	const struct store_ops *store;
	int (*open)(const struct cloud_config *config, struct str url, struct http_transport *transport, void **out,
		struct err *e);
	void (*close)(void *store);
	struct str (*url)(struct arena *a, const struct cloud_config *config); // of the provider itself
	const struct identity_ops *identity;
	struct str (*identity_url)(struct arena *a, const struct cloud_config *config); // NULL: the store's
	const struct cloud_calls *calls;
};

struct opened {
	struct price_region prices; // first
	struct arena arena;
	const struct driver *driver;
	void *store;
	struct registry_services services;
	struct local *local;
	struct sealed *sealed;
	const struct transport_watch *watch; // NULL: nobody watches
};

// ---------------------------------------------------------------- drivers

static int open_aws(
	const struct cloud_config *config, struct str url, struct http_transport *transport, void **out, struct err *e)
{
	struct aws_store *store;
	int r = aws_store_open(config, url, transport, &store, e);
	if (!r)
		*out = store;
	return r;
}

static int open_azure(
	const struct cloud_config *config, struct str url, struct http_transport *transport, void **out, struct err *e)
{
	struct azure_store *store;
	int r = azure_store_open(config, url, transport, &store, e);
	if (!r)
		*out = store;
	return r;
}

static int open_gcp(
	const struct cloud_config *config, struct str url, struct http_transport *transport, void **out, struct err *e)
{
	struct gcp_store *store;
	int r = gcp_store_open(config, url, transport, &store, e);
	if (!r)
		*out = store;
	return r;
}

static void close_aws(void *store)
{
	aws_store_close(store);
}

static void close_azure(void *store)
{
	azure_store_close(store);
}

static void close_gcp(void *store)
{
	gcp_store_close(store);
}

static struct str url_aws(struct arena *a, const struct cloud_config *config)
{
	return aws_store_url(a, config->region);
}

static struct str url_azure(struct arena *a, const struct cloud_config *config)
{
	struct str url = azure_store_url(a, config->credentials);
	if (url.p || !config->account.n)
		return url;
	AUTO(json) named = json_object(); // as a container's own identity is: without the account beside it
	json_set_str(named, "account", config->account);
	return azure_store_url(a, named);
}

static struct str url_gcp(struct arena *a, const struct cloud_config *config)
{
	(void)a, (void)config;
	return gcp_store_url();
}

// Whose hall it is, only its owner knows.
static struct str url_site(struct arena *a, const struct cloud_config *config)
{
	(void)a, (void)config;
	return S("");
}

static const struct driver drivers[] = {
	{"aws", &aws_store_ops, open_aws, close_aws, url_aws, &aws_identity_ops, aws_identity_url, &aws_call_table},
	{"azure", &azure_store_ops, open_azure, close_azure, url_azure, &azure_identity_ops, NULL, &azure_call_table},
	{"gcp", &gcp_store_ops, open_gcp, close_gcp, url_gcp, &gcp_identity_ops, gcp_identity_url, &gcp_call_table},
	{"site", &aws_store_ops, open_aws, close_aws, url_site, NULL, NULL, &aws_call_table}, // whatever speaks S3
};

static const struct driver *find_driver(struct str provider)
{
	for (size_t i = 0; i < COUNT_OF(drivers); i++) {
		if (str_eq(str_of(drivers[i].provider), provider))
			return &drivers[i];
	}
	return NULL;
}

// ---------------------------------------------------------------- the store

// The store's host, the token endpoint's where there is one, and what the operator added.
static int list_hosts(struct opened *opened, const struct cloud_config *config, struct str store_url,
	struct transport_options *o, struct err *e)
{
	struct arena *a = &opened->arena;
	const struct driver *driver = opened->driver;
	struct str *hosts = arena_new_array(a, config->host_count + 3 + REGISTRY_SERVICE_HOSTS, struct str);
	struct str identity_url = driver->identity_url ? driver->identity_url(a, config) : S("");
	struct str token_uri = json_str(config->credentials, "token_uri");
	size_t count = 0;
	if (!hosts)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int r = transport_host(store_url, a, &hosts[count++], e);
	if (!r && token_uri.n)
		r = transport_host(token_uri, a, &hosts[count++], e);
	if (!r && identity_url.n)
		r = transport_host(identity_url, a, &hosts[count++], e);
	// Credentials that have to be exchanged first go to the provider's own token services.
	bool exchanged = json_flag(config->credentials, "chain", false) || json_str(config->credentials, "assume").n ||
			 json_str(config->credentials, "client_id").n ||
			 json_flag(config->credentials, "managed_identity", false);
	if (!r && (exchanged || registry_opens_services(config)))
		r = registry_services_hosts(a, config, hosts, &count, e);
	for (size_t i = 0; i < config->host_count; i++)
		hosts[count++] = config->hosts[i];
	o->hosts = hosts;
	o->host_count = count;
	o->ca_file = config->ca_file;
	o->trust_file = config->trust_file;
	o->proxy = &config->proxy;
	return r;
}

static int open_store(struct call *c, struct opened *o, const struct cloud_config *config)
{
	struct str url = config->store_url.n ? config->store_url : o->driver->url(&o->arena, config);
	struct transport_options options = {0};
	struct http_transport transport;
	if (!url.p || !config->credentials)
		return call_fail(c, ERR_INVALID, "cloud/%.*s has no credentials", STR(config->name));
	if (!url.n)
		return call_fail(c, ERR_INVALID, "cloud/%.*s has no address of a store", STR(config->name));
	int r = list_hosts(o, config, url, &options, &c->err);
	if (!r)
		r = curl_transport_open(&options, &transport, &c->err);
	if (!r && o->watch)
		r = transport_watch_open(&transport, o->watch, &c->err);
	if (!r)
		r = o->driver->open(config, url, &transport, &o->store, &c->err);
	return r;
}

// ---------------------------------------------------------------- parts

struct str cloud_store_url(struct arena *a, const struct cloud_config *config)
{
	const struct driver *driver = find_driver(config->provider);
	struct str url = driver ? driver->url(a, config) : S("");
	return url.p ? url : S("");
}

// A hall of one's own is in no table, nor is a bucket of which only the name is known ("gs://bucket").
static int fill_unplaced(struct call *c, struct opened *o, const struct cloud_config *config, struct cloud *out)
{
	*out = (struct cloud){.name = arena_str(&o->arena, config->name),
		.provider = str_of(o->driver->provider),
		.region = arena_str(&o->arena, config->region),
		.location = arena_str(&o->arena, config->location),
		.law = arena_str(&o->arena, config->law)};
	o->prices = (struct price_region){.provider = out->provider, .region = out->region};
	return out->name.p && out->region.p && out->location.p && out->law.p ? 0 : call_no_memory(c);
}

static int fill_names(struct call *c, struct opened *o, const struct cloud_config *config, struct cloud *out)
{
	if (str_eq(config->provider, S("site")) || !config->region.n)
		return fill_unplaced(c, o, config, out);
	const struct region *region = region_find(config->provider, config->region);
	if (!region)
		return call_fail(
			c, ERR_INVALID, "%.*s has no region \"%.*s\"", STR(config->provider), STR(config->region));
	*out = (struct cloud){.name = arena_str(&o->arena, config->name),
		.provider = str_of(region->provider),
		.region = str_of(region->name),
		.location = str_of(region->country),
		.law = region_provider_law(config->provider)};
	o->prices = (struct price_region){.provider = out->provider, .region = out->region};
	return out->name.p ? 0 : call_no_memory(c);
}

// Jobs, endpoints and keys: the provider's own services, or the local engine's, each part as the config says. Both read
// the store through `out`, sealed or not.
static int fill_parts(struct call *c, struct opened *o, const struct cloud_config *config, struct cloud *out)
{
	int r = config->local_root.n ? local_open(c, config, out, &o->local) : 0;
	if (!r && o->local) {
		out->jobs = &local_job_ops;
		out->endpoints = &local_endpoint_ops;
		out->keys = &local_key_ops;
		out->jobs_ctx = out->endpoints_ctx = out->keys_ctx = o->local;
	}
	if (!r && registry_opens_services(config))
		r = registry_services_open(c, config, o->store, out, &o->services);
	return r;
}

static int fill_sealed(struct call *c, struct opened *o, const struct cloud_config *config, struct cloud *out)
{
	if (!config->sealed_count && !o->services.ops)
		return 0; // with services, the packages of jobs are hidden in every bucket
	struct sealed_below below = {.cloud = out->name,
		.store = out->store,
		.store_ctx = out->store_ctx,
		.keys = out->keys,
		.keys_ctx = out->keys_ctx};
	int r = sealed_open(c, &below, config->sealed, config->sealed_count, &o->sealed);
	if (r)
		return r;
	out->store = &sealed_store_ops;
	out->store_ctx = o->sealed;
	return 0;
}

static int fill(struct call *c, struct opened *o, const struct cloud_config *config, struct cloud *out)
{
	*out = (struct cloud){0};
	int r = fill_names(c, o, config, out);
	out->prices = &table_price_ops;
	out->prices_ctx = o;
	out->resources = &parts_resource_ops;
	out->resources_ctx = out;
	if (!r)
		r = open_store(c, o, config);
	out->store = o->driver->store;
	out->store_ctx = o->store;
	out->identity = o->driver->identity;
	out->identity_ctx = o->store;
	if (!r)
		r = fill_parts(c, o, config, out);
	if (!r)
		r = fill_sealed(c, o, config, out);
	return r;
}

int cloud_open(struct call *c, const struct cloud_config *config, struct cloud *out)
{
	return cloud_open_watched(c, config, NULL, out);
}

int cloud_open_watched(
	struct call *c, const struct cloud_config *config, const struct transport_watch *watch, struct cloud *out)
{
	const struct driver *driver = find_driver(config->provider);
	if (!driver)
		return call_fail(c, ERR_INVALID, "cloud/%.*s: there is no provider \"%.*s\": aws, azure, gcp or site",
			STR(config->name), STR(config->provider));
	struct opened *o = calloc(1, sizeof(*o));
	if (!o)
		return call_no_memory(c);
	o->driver = driver;
	o->watch = watch;
	int r = fill(c, o, config, out);
	if (r) {
		cloud_close(out);
		return call_context(c, "open cloud/%.*s", STR(config->name));
	}
	return 0;
}

void cloud_close(struct cloud *cloud)
{
	if (!cloud || cloud->prices != &table_price_ops)
		return;
	struct opened *o = cloud->prices_ctx;
	sealed_close(o->sealed);
	registry_services_close(&o->services);
	local_close(o->local);
	if (o->store)
		o->driver->close(o->store);
	arena_free(&o->arena);
	free(o);
	*cloud = (struct cloud){0};
}

const struct cloud_calls *cloud_calls_of(struct str provider)
{
	const struct driver *driver = find_driver(provider);
	return driver ? driver->calls : NULL;
}

int clouds_open(struct call *c, const struct cloud_config *configs, size_t count, struct clouds *out)
{
	struct clouds all = {.items = calloc(count + 1, sizeof(*all.items))};
	if (!all.items)
		return call_no_memory(c);
	for (size_t i = 0; i < count; i++) {
		int r = cloud_open(c, &configs[i], &all.items[i]);
		if (r) {
			clouds_close(&all);
			return r;
		}
		all.count++;
	}
	*out = all;
	return 0;
}

void clouds_close(struct clouds *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < all->count; i++)
		cloud_close(&all->items[i]);
	free(all->items);
	*all = (struct clouds){0};
}

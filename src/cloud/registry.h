// SPDX-License-Identifier: Apache-2.0
// Opens clouds: the one place that knows the provider folders. The registry fills the six parts: store from the
// provider's driver, wrapped by the sealed store where buckets are encrypted; jobs, endpoints and keys from the local
// engine when the config names its folder; prices and resources from the tables here. An open cloud is owned:
// cloud_close frees it and wipes its secrets. It must not move in memory while it is open (parts point back to it). Its
// parts may be used by several threads at once. Opening makes no call to the provider.
#ifndef ISOBAR_CLOUD_REGISTRY_H
#define ISOBAR_CLOUD_REGISTRY_H

#include "cloud/calls.h"
#include "cloud/cloud.h"
#include "cloud/config.h"
#include "cloud/http/watch.h"
#include "cloud/identity.h"

// config is copied from. ERR_INVALID for an unknown provider, region, URL or unusable credentials; ERR_UNSUPPORTED
// without libcurl.
MUST_CHECK int cloud_open(struct call *c, const struct cloud_config *config, struct cloud *out);
// The same, with somebody told of every request to the provider; the watch is borrowed until the cloud is closed.
MUST_CHECK int cloud_open_watched(
	struct call *c, const struct cloud_config *config, const struct transport_watch *watch, struct cloud *out);
// The provider's own address of an object store, for a config without one: provider, region and credentials are read.
// "" when it cannot be known (no account is named, a site).
struct str cloud_store_url(struct arena *a, const struct cloud_config *config);
void cloud_close(struct cloud *cloud); // NULL and a zero cloud are fine

// What the provider's driver calls; NULL for a provider that there is no driver for.
const struct cloud_calls *cloud_calls_of(struct str provider);

// All of them, in order; on failure none stays open.
MUST_CHECK int clouds_open(struct call *c, const struct cloud_config *configs, size_t count, struct clouds *out);
void clouds_close(struct clouds *all);

#endif

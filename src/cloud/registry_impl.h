// SPDX-License-Identifier: Apache-2.0
// Private to cloud: the providers' own job, endpoint and key services, as the registry puts them into an open cloud.
#ifndef ISOBAR_CLOUD_REGISTRY_IMPL_H
#define ISOBAR_CLOUD_REGISTRY_IMPL_H

#include "cloud/cloud.h"
#include "cloud/config.h"
#include "cloud/http/service.h"
#include "cloud/key_route.h"

enum { REGISTRY_SERVICE_HOSTS = 32 }; // of one provider, at most

struct service_driver {
	const char *provider;
	int (*open)(const struct services_options *o, void **out, struct err *e);
	void (*close)(void *services);
	int (*hosts)(struct arena *a, const struct cloud_config *config, struct str *hosts, size_t *count, struct err *e);
	void (*lend)(void *store, struct services_options *out); // the store's transport and credentials
	const struct job_ops *jobs; // NULL: the provider has none that we speak
	const struct endpoint_ops *endpoints;
	const struct key_ops *keys;
	const struct secret_ops *secrets;
};
struct registry_services { // of one open cloud
	const struct service_driver *ops; // NULL: none are open
	void *services;
	struct key_route keys;
};

// Whether the config is of a cloud whose own services run its work: a pocket cloud's or a stand-in's address of all
// services, or an account that says as whom its jobs run and with which image.
bool registry_has_services(const struct cloud_config *config);
// Whether they are opened: for these, or for the secret store.
bool registry_opens_services(const struct cloud_config *config);
MUST_CHECK int registry_services_hosts(
	struct arena *a, const struct cloud_config *config, struct str *hosts, size_t *count, struct err *e);
// Puts the parts that the config gives to no other engine into the cloud, in front of those that are there. store: the
// provider's own, which lends its transport and credentials and must outlive them.
MUST_CHECK int registry_services_open(struct call *c, const struct cloud_config *config, void *store,
	struct cloud *cloud, struct registry_services *out);
void registry_services_close(struct registry_services *s); // a zero one is fine

#endif

// SPDX-License-Identifier: Apache-2.0
// One API of a provider, for drivers that speak to several: where it is, how it is signed, how fast it may be called.
// What a provider's services (aws/services.h, gcp/services.h, azure/services.h) are an array of. Owned by them.
#ifndef ISOBAR_CLOUD_HTTP_SERVICE_H
#define ISOBAR_CLOUD_HTTP_SERVICE_H

#include "cloud/cloud.h"
#include "cloud/config.h"
#include "cloud/credentials.h"
#include "cloud/http/exchange.h"
#include "cloud/http/throttle.h"

struct service {
	struct provider provider; // first: tables of the provider find the service by it
	struct throttle throttle;
	struct str name;   // that requests are signed for: "sagemaker"; "" where bearer tokens do
	struct str region; // that requests are signed for: "us-east-1"
	void *owner;       // struct aws_services and the like
};

// What opening a provider's services needs; all is borrowed until they are closed, but config, which is copied from.
struct services_options {
	const struct cloud_config *config;
	struct http_transport transport; // not closed by them
	struct credential_source *credentials;
	const struct cloud *self; // that they are parts of, for its store; NULL: none
};

struct service_place { // of one API
	struct str url;      // ".../": base address
	struct str name, region, audience;
};
// The service at a place; ERR_INVALID names the address.
MUST_CHECK int service_open(struct service *s, const struct services_options *o, const struct provider_ops *ops,
	const struct service_place *place, struct arena *a, struct err *e);
void service_close(struct service *s); // a zero service is fine
// The slot `authorize` where a bearer token of the provider's audience does; the attempt remembers which token it was.
MUST_CHECK int service_authorize_bearer(
	struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x);
// "http://127.0.0.1:4000" of a URL: what one address that answers for all services is without its path.
struct str service_origin(struct str url);

#endif

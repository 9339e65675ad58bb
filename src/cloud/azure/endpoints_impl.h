// SPDX-License-Identifier: Apache-2.0
// Private to the endpoints of Azure: one with its deployments as it was found, and what is asked for.
#ifndef ISOBAR_CLOUD_AZURE_ENDPOINTS_IMPL_H
#define ISOBAR_CLOUD_AZURE_ENDPOINTS_IMPL_H

#include "cloud/azure/endpoints.h"
#include "cloud/azure/ml.h"
#include "cloud/endpoint_package.h"

#define ML_TAG_GENERATION "isobar-generation"
enum { ML_MAX_DEPLOYMENTS = 50 }; // of an endpoint: more than Azure allows

enum provisioning { PROVISIONING_UNDER_WAY, PROVISIONING_DONE, PROVISIONING_FAILED, PROVISIONING_DELETING };

struct deployment {
	struct str name, generation;
	enum provisioning state;
	int64_t traffic; // percent
};
struct endpoint_found { // all in the call's arena
	struct str name; // at the provider
	const json_t *resource;
	enum provisioning state;
	struct str generation; // that was asked for last
	struct str url;        // scoring URI; "": not yet
	struct deployment deployments[ML_MAX_DEPLOYMENTS];
	size_t count;
};
struct str azure_endpoint_name(struct call *c, const struct azure_services *s, struct str endpoint);
struct str azure_deployment_name(struct call *c, struct str generation);
// ERR_NOT_FOUND; ERR_CONFLICT for one that is not of this workspace.
MUST_CHECK int azure_endpoint_find(
	struct call *c, struct azure_services *s, struct str endpoint, struct endpoint_found *out);
void azure_endpoint_read(struct call *c, const struct endpoint_found *f, struct endpoint_status *out);

// Bodies: new references; NULL without memory. The traffic goes whole to one deployment ("": nowhere).
json_t *azure_endpoint_body(struct call *c, const struct azure_services *s, const struct endpoint_spec *spec,
	struct str deployment);
MUST_CHECK int azure_deployment_body(
	struct call *c, struct azure_services *s, const struct endpoint_spec *spec, json_t **out);

#endif

// SPDX-License-Identifier: Apache-2.0
// Private to the endpoints of Google Cloud: names, and the steps that make one.
#ifndef ISOBAR_CLOUD_GCP_ENDPOINTS_IMPL_H
#define ISOBAR_CLOUD_GCP_ENDPOINTS_IMPL_H

#include "cloud/gcp/endpoints.h"
#include "cloud/gcp/vertex.h"

struct gcp_endpoint_ids {
	struct str endpoint, model, deployed; // "isobar-...": ids; deployed: nine digits
	struct str address;                   // label of all that belongs to the endpoint
};
// spec: name and generation are enough. ERR_NO_MEMORY.
MUST_CHECK int gcp_endpoint_ids(
	struct call *c, const struct gcp_services *s, const struct endpoint_spec *spec, struct gcp_endpoint_ids *out);
// ERR_NOT_FOUND.
MUST_CHECK int gcp_endpoint_get(struct call *c, struct gcp_services *s, struct str id, const json_t **out);
const json_t *gcp_endpoint_deployed(const json_t *endpoint, struct str id); // NULL: it is not deployed
// Each is fine when it is done already.
MUST_CHECK int gcp_model_ensure(struct call *c, struct gcp_services *s, const struct endpoint_spec *spec,
	const struct gcp_endpoint_ids *ids);
MUST_CHECK int gcp_endpoint_create(struct call *c, struct gcp_services *s, const struct endpoint_spec *spec,
	const struct gcp_endpoint_ids *ids);
MUST_CHECK int gcp_endpoint_deploy(struct call *c, struct gcp_services *s, const struct endpoint_spec *spec,
	const struct gcp_endpoint_ids *ids);
MUST_CHECK int gcp_endpoint_undeploy(
	struct call *c, struct gcp_services *s, struct str endpoint, struct str deployed);
// All operations of an endpoint, newest first as the provider gives them.
MUST_CHECK int gcp_endpoint_operations(
	struct call *c, struct gcp_services *s, struct str endpoint, const json_t **out);
// Deletes the models with the endpoint's label but `keep` ("": all).
MUST_CHECK int gcp_models_sweep(struct call *c, struct gcp_services *s, struct str address, struct str keep);

#endif

// SPDX-License-Identifier: Apache-2.0
// The services of Google Cloud beside its object store: one open a cloud, a provider an API. The ctx of the driver's
// job_ops, endpoint_ops, key_ops, secrets and resource_ops. Rows of the table of calls say API and method; requests carry
// an access token for cloud-platform. Owned; thread-safe. Errors are the provider's, in its own words (google.rpc.Status);
// throttling, refreshed credentials and repetition are seen to below (http/exchange.h). Sources: "Cloud APIs: errors"
// (AIP-193), "Long-running operations" (AIP-151), "Locational endpoints" (Vertex AI).
#ifndef ISOBAR_CLOUD_GCP_SERVICES_H
#define ISOBAR_CLOUD_GCP_SERVICES_H

#include "cloud/gcp/calls.h"
#include "cloud/http/pages.h"
#include "cloud/http/service.h"

#define GCP_SCOPE S("https://www.googleapis.com/auth/cloud-platform")

struct gcp_services {
	struct arena arena;
	struct cloud_config config; // texts only, copied; project is filled from the credentials where it was ""
	struct service apis[GCP_API_COUNT]; // GCP_API_STORE and GCP_API_OAUTH have none
	const struct cloud *self;
};
MUST_CHECK int gcp_services_open(const struct services_options *o, struct gcp_services **out, struct err *e);
void gcp_services_close(struct gcp_services *s); // NULL is allowed
struct str gcp_service_url(struct arena *a, const struct cloud_config *config, enum gcp_api api); // .p NULL: no memory
MUST_CHECK int gcp_service_hosts(
	struct arena *a, const struct cloud_config *config, struct str *hosts, size_t *count, struct err *e);

struct gcp_request {
	enum gcp_call call;
	struct str path;  // "/v1/projects/P/locations/L/customJobs", encoded
	struct str query; // encoded; "": none
	const json_t *in; // NULL: no body
};
// *out (NULL: not wanted) lives in the call's arena; {} where the answer has no body.
MUST_CHECK int gcp_json_call(
	struct call *c, struct gcp_services *s, const struct gcp_request *request, const json_t **out);
// Anything else: x->call, path, query, headers and body are the caller's.
MUST_CHECK int gcp_rest_call(
	struct call *c, struct gcp_services *s, struct exchange *x, struct transport_response *out);
// Of an operation {name, done, response | error} that a call of `api` answered: asks with row `get` at /VERSION/NAME
// until it is done. *response (NULL: not wanted): its response, {} when it has none. Its error is the call's.
struct gcp_operation {
	enum gcp_call get;   // a row GET
	const char *version; // "v1"
	const json_t *operation;
};
MUST_CHECK int gcp_operation_wait(
	struct call *c, struct gcp_services *s, const struct gcp_operation *operation, const json_t **response);
// The error of a google.rpc.Status object.
int gcp_fail_status(struct call *c, const json_t *status);

#endif

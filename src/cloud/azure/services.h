// SPDX-License-Identifier: Apache-2.0
// The services of Azure beside its object store: one open a cloud, a provider an API. The ctx of the driver's job_ops,
// endpoint_ops, key_ops, secrets and resource_ops. Rows of the table of calls say API and method; requests carry a token
// of Entra for the API's audience. Owned; thread-safe. Errors are the provider's, in its own words; throttling, refreshed
// credentials and repetition are seen to below (http/exchange.h). Sources: "Azure REST API reference", "Track
// asynchronous Azure operations" (Azure Resource Manager), "Authentication, requests and responses" (Key Vault).
#ifndef ISOBAR_CLOUD_AZURE_SERVICES_H
#define ISOBAR_CLOUD_AZURE_SERVICES_H

#include "cloud/azure/calls.h"
#include "cloud/http/pages.h"
#include "cloud/http/service.h"

#define AZURE_SCOPE_ARM S("https://management.azure.com/.default")
#define AZURE_SCOPE_VAULT S("https://vault.azure.net/.default")
#define AZURE_SCOPE_STORE S("https://storage.azure.com/.default")
#define AZURE_SCOPE_ML S("https://ml.azure.com/.default")

struct azure_services {
	struct arena arena;
	struct cloud_config config; // texts only, copied: subscription, resource_group, ml_workspace, vault_url, ...
	struct service apis[AZURE_API_COUNT]; // only those that have an address: AZURE_API_VAULT without one has no ops
	struct credential_source *credentials; // borrowed: tokens for other audiences (AZURE_SCOPE_ML)
	const struct cloud *self;
};
MUST_CHECK int azure_services_open(const struct services_options *o, struct azure_services **out, struct err *e);
void azure_services_close(struct azure_services *s); // NULL is allowed
// "" for an API that has no address here (no Key Vault is named); .p NULL without memory.
struct str azure_service_url(struct arena *a, const struct cloud_config *config, enum azure_api api);
MUST_CHECK int azure_service_hosts(
	struct arena *a, const struct cloud_config *config, struct str *hosts, size_t *count, struct err *e);
// "/subscriptions/S/resourceGroups/G": of the config; in the arena. .p NULL without memory.
struct str azure_group_path(struct arena *a, const struct azure_services *s);

struct azure_request {
	enum azure_call call;
	struct str path;    // encoded
	struct str query;   // encoded: "api-version=2025-12-01"
	const json_t *in;   // NULL: no body
	struct str if_match; // "": none
};
struct azure_answer {
	int status;
	const json_t *body; // in the call's arena; {} where there is none
	struct transport_response response; // headers: Azure-AsyncOperation, Location, Retry-After
};
// out NULL: not wanted.
MUST_CHECK int arm_json_call(
	struct call *c, struct azure_services *s, const struct azure_request *request, struct azure_answer *out);
// Of a call that was answered 201 or 202 with Azure-AsyncOperation or Location: asks there, with row `get`, until the
// operation is over; an answer without either is done at once. *out (NULL: not wanted): the last body. A failed operation
// is the call's error. Addresses of another host than the API's are refused (ERR_PROTOCOL).
MUST_CHECK int arm_operation_wait(struct call *c, struct azure_services *s, enum azure_call get,
	const struct azure_answer *answer, const json_t **out);
// Anything else: x->call, path, query, headers and body are the caller's.
MUST_CHECK int azure_rest_call(
	struct call *c, struct azure_services *s, struct exchange *x, struct transport_response *out);

#endif

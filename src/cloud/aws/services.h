// SPDX-License-Identifier: Apache-2.0
// The services of AWS beside its object store: one open a cloud, a provider an API (its address, what it is signed for,
// how fast it may be called), and the four ways that they are called. The ctx of the driver's job_ops, endpoint_ops,
// key_ops, secrets and resource_ops. Rows of the table of calls say which API, method and target, so that a request
// cannot differ from its row. Owned; thread-safe. Errors are the provider's, in its own words; throttling, refreshed
// credentials and repetition are seen to below (http/exchange.h). Sources: "AWS JSON 1.1 protocol", "AWS Query protocol"
// (Smithy), "Service endpoints and quotas" (AWS General Reference).
#ifndef ISOBAR_CLOUD_AWS_SERVICES_H
#define ISOBAR_CLOUD_AWS_SERVICES_H

#include "cloud/aws/calls.h"
#include "cloud/http/service.h"
#include "cloud/http/xml.h"

struct aws_services {
	struct arena arena;
	struct cloud_config config; // texts only, copied: region, account, job_role, image, workspace, name, ...
	struct service apis[AWS_API_COUNT]; // AWS_API_STORE has none: that is the store's own
	const struct cloud *self;
};

MUST_CHECK int aws_services_open(const struct services_options *o, struct aws_services **out, struct err *e);
void aws_services_close(struct aws_services *s); // NULL is allowed
// Where an API of the config's is: services_url's origin, else the provider's own host. In the arena; .p NULL without
// memory.
struct str aws_service_url(struct arena *a, const struct cloud_config *config, enum aws_api api);
// "HOST:PORT" of all APIs, for the transport's guard: at most AWS_API_COUNT, added to hosts.
MUST_CHECK int aws_service_hosts(
	struct arena *a, const struct cloud_config *config, struct str *hosts, size_t *count, struct err *e);

// JSON 1.1: POST / with the row's target. in: NULL for {}. *out (NULL: not wanted) lives in the call's arena; {} where
// the answer has no body.
MUST_CHECK int aws_json_call(
	struct call *c, struct aws_services *s, enum aws_call call, const json_t *in, const json_t **out);
// A form (encoded "Name=value&...", without Action and Version, which the row's target and its API say); the answer is
// XML whose root is TARGETResponse; *out NULL: not wanted.
MUST_CHECK int aws_query_call(
	struct call *c, struct aws_services *s, enum aws_call call, struct str form, struct xml **out);
// Anything else: x->call, path, query, headers and body are the caller's.
MUST_CHECK int aws_rest_call(
	struct call *c, struct aws_services *s, struct exchange *x, struct transport_response *out);

#endif

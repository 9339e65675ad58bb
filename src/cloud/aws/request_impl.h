// SPDX-License-Identifier: Apache-2.0
// Private to the AWS driver: how a request of any of its services is signed, and how its refusal is read.
#ifndef ISOBAR_CLOUD_AWS_REQUEST_IMPL_H
#define ISOBAR_CLOUD_AWS_REQUEST_IMPL_H

#include "cloud/credentials.h"
#include "cloud/http/exchange.h"
#include "cloud/http/transport.h"

struct aws_signing {
	struct credential_source *credentials;
	const struct provider_clock *clock;
	struct str region, service;
	bool secure; // TLS: a body of S3 that a checksum proves goes unsigned
};
// Adds x-amz-date, x-amz-content-sha256 (of S3), x-amz-security-token and authorization, and says in x->serial which
// credentials these are of.
MUST_CHECK int aws_sign_request(
	struct call *c, const struct aws_signing *s, const struct sign_request *r, struct exchange *x);
// Errors of the JSON, REST and query protocols.
int aws_service_refused(struct call *c, struct provider *p, const struct transport_response *r);

#endif

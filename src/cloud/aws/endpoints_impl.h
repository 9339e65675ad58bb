// SPDX-License-Identifier: Apache-2.0
// Private to the endpoints of AWS: names, and what is made for a generation.
#ifndef ISOBAR_CLOUD_AWS_ENDPOINTS_IMPL_H
#define ISOBAR_CLOUD_AWS_ENDPOINTS_IMPL_H

#include "cloud/aws/endpoints.h"
#include "cloud/aws/sagemaker.h"

struct aws_endpoint_names { // at the provider
	struct str endpoint;
	struct str generation; // of its configuration and its model
};
// generation "": of the endpoint alone. ERR_NO_MEMORY.
MUST_CHECK int aws_endpoint_names(struct call *c, const struct aws_services *s, struct str name, struct str generation,
	struct aws_endpoint_names *out);
// The model and the configuration of spec's generation; there already is fine.
MUST_CHECK int aws_endpoint_prepare(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names);
MUST_CHECK int aws_endpoint_create(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names);
// Configurations and models of the endpoint but those of keep ("": all).
MUST_CHECK int aws_endpoint_tidy(struct call *c, struct aws_services *s, struct str endpoint, struct str keep);

#endif

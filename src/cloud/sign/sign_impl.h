// SPDX-License-Identifier: Apache-2.0
// Private to cloud/sign: how a refusal is written, so that servers can answer in the provider's own words; queries.
#ifndef ISOBAR_CLOUD_SIGN_SIGN_IMPL_H
#define ISOBAR_CLOUD_SIGN_SIGN_IMPL_H

#include "base/err.h"
#include "cloud/sign/sign_request.h"

struct sign_refusal {
	int code;                  // enum err_code
	int http_status;           // what the provider answers
	const char *provider_code; // "SignatureDoesNotMatch"
};

// Sets *e (NULL is allowed) to the refusal with a message, and evaluates to its code.
#define sign_refuse(e, refusal, ...) sign_refusal_finish((e), &(refusal), err_set((e), (refusal).code, __VA_ARGS__))
int sign_refusal_finish(struct err *e, const struct sign_refusal *refusal, int code);

// sign_parameters_parse with a choice: '+' is a space (S3's forms) or itself (Azure's URIs).
MUST_CHECK int sign_parameters_parse_as(struct str query, bool plus, struct sign_parameters *out, struct err *e);

#endif

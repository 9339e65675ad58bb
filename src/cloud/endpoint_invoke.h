// SPDX-License-Identifier: Apache-2.0
// How a running endpoint is asked, and with what: the two answers of a cloud's endpoint part that the gateway needs.
// "How" is no secret: it stands in deploy's status records and in the gateway's configuration. "With what" is: it may
// only invoke, it lives shortly, and the control plane writes it to the gateway's own 0600 file (gateway/upstreams.h).
#ifndef ISOBAR_CLOUD_ENDPOINT_INVOKE_H
#define ISOBAR_CLOUD_ENDPOINT_INVOKE_H

#include "base/arena.h"
#include "base/json.h"
#include "base/secret.h"

enum invoke_how {
	INVOKE_OPEN,      // Open Inference Protocol below the endpoint's URL, without credentials
	INVOKE_SAGEMAKER, // POST URL, SigV4 of the service "sagemaker"
	INVOKE_VERTEX,    // POST URL, a bearer token
	INVOKE_AZUREML,   // POST URL, an endpoint's key or token as bearer
};
struct endpoint_invoke {
	enum invoke_how how;
	// All of the address that a request goes to: ".../endpoints/NAME/invocations", ".../endpoints/ID:rawPredict", the
	// scoring URI. "" for INVOKE_OPEN, where the status's url says it.
	struct str url;
};

const char *invoke_how_word(enum invoke_how how); // "open", "sagemaker", "vertex", "azureml"
// {"how","url"}; NULL for an open one (records do without the member), and without memory. A new reference.
json_t *endpoint_invoke_to_json(const struct endpoint_invoke *invoke);
// NULL is an open one; texts are borrowed from j. ERR_INVALID names the member.
MUST_CHECK int endpoint_invoke_of_json(const json_t *j, struct endpoint_invoke *out, struct err *e);

// Owned: endpoint_credential_free.
struct endpoint_credential {
	enum invoke_how how;
	struct str access_key, region; // INVOKE_SAGEMAKER; in the call's arena
	struct secret secret;          // the secret access key, the token, or the endpoint's key
	struct secret session;         // INVOKE_SAGEMAKER with temporary credentials: their session token
	int64_t expires_ns;            // wall clock; 0: does not expire (the key of an Azure ML endpoint)
};
void endpoint_credential_free(struct endpoint_credential *c); // wipes; NULL is allowed
#define AUTO_TYPE_endpoint_credential struct endpoint_credential
static inline void endpoint_credential_autofree(struct endpoint_credential *c)
{
	endpoint_credential_free(c);
}

#endif

// SPDX-License-Identifier: Apache-2.0
// A client's Open Inference Protocol request as SageMaker, Vertex AI and Azure ML take it, and their answers back:
// which part of the protocol a path asks for, content types with the length of a binary request's JSON, the headers
// with a signature or a token, and what an error of the provider means for the client, the target and the next try.
// Pure but for the signing key that an upstream keeps; results live in the arena given. Errors that come from outside
// are judged, never trusted: a body is bounded and may be anything.
// Sources: InvokeEndpoint (SageMaker runtime), endpoints.rawPredict (Vertex AI), "HTTP status codes for online
// endpoints" (Azure ML), binary tensor data extension (Triton).
#ifndef ISOBAR_GATEWAY_INVOKE_H
#define ISOBAR_GATEWAY_INVOKE_H

#include "gateway/upstreams.h"
#include "net/http.h"

enum { INVOKE_ERROR_BYTES = 64 << 10, INVOKE_REASON_MAX = 200 };

// ---- what a path asks for
enum invoke_act { INVOKE_OTHER, INVOKE_INFER, INVOKE_METADATA, INVOKE_READY };
struct invoke_path {
	enum invoke_act act;
	struct str model, version; // version "": none is named
};
// "/v2/models/M[/versions/V][/infer|/ready]" of a normalised path; INVOKE_OTHER for all else.
struct invoke_path invoke_path_of(struct str path);

// ---- the request
struct invoke_body {
	struct str content_type;  // as the service takes it
	struct str header_length; // of its JSON, where that goes into a header of its own; .p NULL: none
};
// The content type of the client's headers for a body of so many bytes. ERR_INVALID: the length of the JSON is none.
struct invoke_client {
	const struct http_headers *headers;
	size_t body_bytes;
};
MUST_CHECK int invoke_body_of(enum upstream_service service, const struct invoke_client *client, struct arena *a,
	struct invoke_body *out, struct err *e);

struct invoke_request {
	struct upstream *with;
	struct str authority, path; // of the target
	struct str id;              // of the request
	struct str body;
	struct invoke_body kind;
	int64_t wall_ns;
};
// Headers for one attempt. ERR_UNAUTHENTICATED: the credentials have expired.
MUST_CHECK int invoke_headers(const struct invoke_request *r, struct arena *a, struct http_headers *out, struct err *e);

// ---- the answer
// The digits of the JSON's length in a vendor's content type; .p NULL: it is none of these.
struct str invoke_binary_length(struct str content_type);

enum invoke_verdict {
	INVOKE_REFUSED,   // the model does not take this request: final, and the target is well
	INVOKE_TOO_LARGE, // for this service; another one may take it
	INVOKE_BUSY,      // throttled: not carried out, and better not asked again for a moment
	INVOKE_UNUSABLE,  // refuses us, or has no such endpoint: not carried out; the target is out until a probe succeeds
	INVOKE_FAILED,    // the model or the service failed; it may have been carried out
	INVOKE_SLOW,      // the same: not in time
};
struct invoke_error { // an answer that is no success
	enum upstream_service service;
	int status;
	struct str type;     // x-amzn-errortype
	struct str original; // ms-azureml-model-error-statuscode
	int64_t retry_after_ns;
	int64_t date_ns; // wall clock of who answered; 0: not told
	struct str body; // at most INVOKE_ERROR_BYTES
};
void invoke_error_head(
	enum upstream_service service, const struct http_response *answer, struct arena *a, struct invoke_error *out);
struct invoke_judgement {
	enum invoke_verdict verdict;
	bool elsewhere;   // another target may do better
	bool credentials; // of INVOKE_UNUSABLE: it is ours that are refused, and others may do
	bool carried_out; // perhaps: what is not idempotent must not be tried again
	int status;       // for the client
	struct str body;  // {"error": ...} for the client, without names of accounts; .p NULL without memory
	struct str reason; // for the record and for people: what the provider said
};
void invoke_judge(const struct invoke_error *error, struct arena *a, struct invoke_judgement *out);

#endif

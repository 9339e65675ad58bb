// SPDX-License-Identifier: Apache-2.0
// What the providers tell a model server's container through its environment: where to listen and on which paths it is
// asked. SageMaker: port SAGEMAKER_BIND_TO_PORT, paths /ping and /invocations. Vertex AI: AIP_HTTP_PORT,
// AIP_HEALTH_ROUTE, AIP_PREDICT_ROUTE. Azure ML: the paths of the deployment's inferenceConfig, which are this server's
// own; its default ones are / and /score. ISOBAR_PORT where none of these is there. All default to port 8080 on every
// address, as a container's network is its own; ISOBAR_BIND says another address. Pure but for the environment.
#ifndef ISOBAR_SERVE_CONTAINER_H
#define ISOBAR_SERVE_CONTAINER_H

#include "base/arena.h"
#include "base/err.h"

struct container_contract {
	struct str listen;                    // "0.0.0.0:8080"
	struct str health_path, predict_path; // beside the fixed ones; "": none
};
MUST_CHECK int container_contract_read(struct arena *a, struct container_contract *out, struct err *e); // ERR_INVALID

// How a body with binary tensors says where its JSON ends, and how its answer is to say it.
enum container_form { FORM_JSON, FORM_HEADER, FORM_SAGEMAKER, FORM_VERTEX };
// content_type and header_length (of Inference-Header-Content-Length) as they came, "" when absent. ERR_INVALID.
MUST_CHECK int container_form_read(
	struct str content_type, struct str header_length, size_t body, enum container_form *form, size_t *json_size);
// The content type of such an answer.
struct str container_form_type(struct arena *a, enum container_form form, size_t json_size);

#endif

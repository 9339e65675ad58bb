// SPDX-License-Identifier: Apache-2.0
// The model server: Open Inference Protocol v2 over REST for one model, on one loop. Loop thread only. Routes are one table:
// GET /v2, /v2/health/live|ready, /v2/models/M[/versions/V][/ready], POST .../infer, for operators GET /metrics and
// /sketch, and what the clouds' endpoint services ask their containers (serve/container.h): GET /ping and /, POST
// /invocations and /score, whose bodies are inference requests of the one model.
#ifndef ISOBAR_SERVE_SERVER_H
#define ISOBAR_SERVE_SERVER_H

#include "net/http_server.h"
#include "serve/model.h"

struct model_server {
	struct served_model *model; // borrowed
	struct http_server *http;
	struct str health_path, predict_path; // more paths for the same, as a provider told; "": none. Borrowed
	uint64_t requests, failures; // inference requests answered with 200, and with anything else
};
// Listens at once; `server` must stay where it is. ERR_IN_USE, ERR_INVALID.
MUST_CHECK int model_server_start(struct model_server *server, struct loop *loop, struct str listen, struct err *e);
void model_server_stop(struct model_server *server);

#endif

// SPDX-License-Identifier: Apache-2.0
// What the gateway's control-plane side needs from the workspace; built by main.c, borrowed by the handler's row,
// read-only.
#ifndef ISOBAR_GATEWAY_GATEWAY_CTX_H
#define ISOBAR_GATEWAY_GATEWAY_CTX_H

#include "gateway/upstream_grant.h"
#include "state/state.h"

struct gateway_ctx {
	const struct state *state;
	const char *folder;           // of the workspace, absolute
	const char *state_folder;     // of the environment: FOLDER/.isobar as a rule; gateways live in it, in gateways/NAME
	const char *hash_secret_path; // of API keys: key-hash.secret in the folder of the state
	struct gateway_upstreams upstreams; // where their credentials come from
	bool free_port;               // pocket: a port that is taken becomes a free one
};

#endif

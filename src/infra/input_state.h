// SPDX-License-Identifier: Apache-2.0
// Reading the state of somebody else's tool from a store, for `inputs:`: with the credentials that the operator's file or
// this machine has for the cloud that the input names. One small object, read whole; nothing is written. The region is the
// operator's or the environment's: when inputs are read, no cloud of the workspace is known yet.
#ifndef ISOBAR_INFRA_INPUT_STATE_H
#define ISOBAR_INFRA_INPUT_STATE_H

#include "base/call.h"
#include "security/operator.h"

struct input_reader { // borrowed; the read_input_ctx of struct workspace_options
	struct call *call;
	const struct operator_file *op;
};
enum { INPUT_STATE_MOST = 64 << 20 };

// url: "s3://bucket/key", "gs://bucket/key", "az://container/key". Appends the object's bytes. ERR_INVALID for another
// URL, ERR_LIMIT, account_find's errors, the store's.
MUST_CHECK int input_state_read(void *ctx, struct str cloud, struct str url, struct buf *out, struct err *e);

#endif

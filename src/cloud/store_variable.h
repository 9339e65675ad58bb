// SPDX-License-Identifier: Apache-2.0
// How a container is told of its store where the provider bounds the values of environment variables (SageMaker: 512
// bytes for training, 256 for processing): ISOBAR_STORE holds the first piece, ISOBAR_STORE_2, ISOBAR_STORE_3 ... what
// follows. Pure but for the environment that it reads.
#ifndef ISOBAR_CLOUD_STORE_VARIABLE_H
#define ISOBAR_CLOUD_STORE_VARIABLE_H

#include "base/json.h"

enum { STORE_VARIABLE_MAX_PIECES = 64 };

// Adds the value to an environment (an object of texts), in pieces of at most `most` bytes (16 or more), none of which
// ends within a character. ERR_LIMIT past STORE_VARIABLE_MAX_PIECES.
MUST_CHECK int store_variable_split(json_t *environment, struct str value, size_t most, struct err *e);
// The value that this process' environment holds, in the arena; "" when there is none.
MUST_CHECK int store_variable_join(struct arena *a, struct str *out, struct err *e);

#endif

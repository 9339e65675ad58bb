// SPDX-License-Identifier: Apache-2.0
// The metadata server of a pocket Google Cloud: how a job or a model server gets tokens of its service account, as on the
// provider's machines. There is one for each process: GCE_METADATA_HOST in its environment holds the address with a
// secret of that process, which is good as long as it runs. Source: "About VM metadata" (Compute Engine); what clients ask
// is http without TLS, so a pocket over TLS has none. Loop thread only.
#ifndef ISOBAR_POCKET_GCP_METADATA_H
#define ISOBAR_POCKET_GCP_METADATA_H

#include "pocket/service.h"

struct metadata_of {
	struct str id;      // of the engine
	struct str account; // address of the service account; "": that of jobs. One that IAM does not know has no tokens
};
// Adds the variables to the environment (an object of texts) of a process. ERR_NO_MEMORY.
MUST_CHECK int metadata_add(struct pocket *p, const struct metadata_of *of, json_t *environment, struct err *e);

extern const struct pocket_service metadata_service;

#endif

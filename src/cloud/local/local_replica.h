// SPDX-License-Identifier: Apache-2.0
// One replica of an endpoint: a model server process, from its start until it answers.
#ifndef ISOBAR_CLOUD_LOCAL_LOCAL_REPLICA_H
#define ISOBAR_CLOUD_LOCAL_LOCAL_REPLICA_H

#include "cloud/local/local_impl.h"

// Starts `serve` for spec's model in `folder` (made; its own log and announcement) and waits until it is ready. r->port
// is tried first when it is not 0, a free one otherwise. ERR_FAILED with the end of its log when it ends, ERR_TIMEOUT
// when it never answers.
MUST_CHECK int replica_start(
	struct call *c, struct local *l, const struct endpoint_spec *spec, const char *folder, struct replica *r);
// A server of this folder that runs although nobody recorded it (its starter was killed): fills r; false when there is
// none. Each server holds its folder's lock as descriptor 0 as long as it lives.
bool replica_adopt(struct call *c, const char *folder, struct replica *r);
// Whether GET URL/v2/health/ready answers 200 now.
bool replica_ready(struct call *c, const struct replica *r);

#endif

// SPDX-License-Identifier: Apache-2.0
// What the routes about objects open: the clouds of the workspace where a place names one, and those that this machine
// has credentials for.
#ifndef ISOBAR_API_OBJECTS_IMPL_H
#define ISOBAR_API_OBJECTS_IMPL_H

#include "api/session.h"
#include "data/objects.h"
#include "infra/named_clouds.h"

struct objects {
	struct session session;
	struct object_env env;
	struct named_clouds *named;
};
// texts: the places that the request is about, as written. Close it also when it failed.
int objects_session_open(struct api_request *r, struct objects *o, const struct str *texts, size_t count);
void objects_session_close(struct objects *o);

#endif

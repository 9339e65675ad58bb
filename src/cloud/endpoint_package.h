// SPDX-License-Identifier: Apache-2.0
// What a container of an endpoint is told: where its model lies and under which name it serves it. The container is
// this very program; it fetches the model with the endpoint's own credentials, leaves them behind and becomes
// `isobar serve`. The URL is in its arguments (`isobar worker --endpoint URL`) or, where a provider starts every
// container with the one word "serve" (SageMaker), in ENDPOINT_VARIABLE. No credential is in either. Makes no call;
// results live in the arena.
#ifndef ISOBAR_CLOUD_ENDPOINT_PACKAGE_H
#define ISOBAR_CLOUD_ENDPOINT_PACKAGE_H

#include "cloud/cloud.h"
#include "cloud/config.h"

#define ENDPOINT_VARIABLE "ISOBAR_ENDPOINT" // the URL; the store is in JOB_STORE_VARIABLE (cloud/job_package.h)
enum { ENDPOINT_MODEL_MAX_FILES = 1000 };

struct endpoint_package {
	struct str model, version; // "classify", "3"
	struct str bucket, prefix; // of the version's files; the prefix ends in '/'
	struct str url;            // "s3://BUCKET/PREFIX#MODEL.VERSION"
	struct str store;          // value of ISOBAR_STORE; "" of one that was read from its URL
};
// ERR_INVALID, and job_store_write's errors.
MUST_CHECK int endpoint_package_make(struct call *c, const struct cloud *cloud, const struct cloud_config *config,
	const struct endpoint_spec *spec, struct endpoint_package *out);
MUST_CHECK int endpoint_package_of_url(struct arena *a, struct str url, struct endpoint_package *out, struct err *e);
// argv is NULL-ended {"isobar", "worker", "--endpoint", URL}.
MUST_CHECK int endpoint_package_command(struct call *c, const struct endpoint_package *p, const char *const **argv);
// All files of the model into folder, which is made: whole or an error. ERR_NOT_FOUND when nothing lies there.
MUST_CHECK int endpoint_package_fetch(
	struct call *c, const struct cloud *cloud, const struct endpoint_package *p, const char *folder);

#endif

// SPDX-License-Identifier: Apache-2.0
// Private to cloud: what both sides of a job's package share. The cloud given is the one of sealed_inside().
#ifndef ISOBAR_CLOUD_JOB_PACKAGE_IMPL_H
#define ISOBAR_CLOUD_JOB_PACKAGE_IMPL_H

#include "cloud/job_package.h"
#include "cloud/sealed.h"

struct str job_package_key(struct call *c, const struct job_package *p, const char *name); // {NULL, 0}: c->err says why
// put->key of {NULL, 0} is job_package_key()'s failure; out may be NULL.
MUST_CHECK int job_package_put_text(
	struct call *c, const struct cloud *inside, const struct store_put *put, struct str text, struct object *out);

#endif

// SPDX-License-Identifier: Apache-2.0
// Secrets of the operator's file that lie in a cloud's secret store ("cloud:CLOUD/NAME"): the cloud is opened with what
// the file says of it (its entry names the provider), for the one read, and closed. What opens that cloud cannot itself
// lie in a cloud. Thread-safe.
#ifndef ISOBAR_INFRA_SECRET_CLOUDS_H
#define ISOBAR_INFRA_SECRET_CLOUDS_H

#include "security/operator.h"

// Sets op->clouds_read. op must not move or be freed while its secrets are read.
void secret_clouds_fill(struct operator_file *op);

#endif
